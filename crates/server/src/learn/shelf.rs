//! Models that are loaded, a few of each graph.
//!
//! A model stands at a commit: that of its memory. Without a commit of its own a question is answered there, so that no answer
//! waits for facts to be taken in; the job that does so puts a newer one in its place. A question that names a commit is
//! answered by the model as the command line would load it there.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, SystemTime};

use timeweft::load::Stop;
use timeweft::model::{LearnError, ModelError, ModelSummary};
use timeweft::{Commit, Model};

use crate::pinned::Pinned;
use crate::problem::{Code, Problem};

/// How many models of a graph are kept.
const KEPT: usize = 4;

/// When a file was written, and its size: another training gives another one.
type Stamp = (SystemTime, u64);

/// A model that is loaded.
struct Loaded {
    name: String,
    stamp: Stamp,
    commit: Commit,
    /// Whether it answers questions that name no commit.
    stands: bool,
    model: Arc<Model>,
}

/// The loaded models of a graph.
#[derive(Default)]
pub(crate) struct Shelf {
    /// The one asked last at the end.
    loaded: Mutex<Vec<Loaded>>,
    /// Held while one is loaded: who wants the same waits for it.
    loading: Mutex<()>,
    /// Held while memory takes facts in.
    pub(crate) absorbing: Mutex<()>,
}

impl Shelf {
    /// The model that answers questions that name no commit. `open` gives the graph at an earlier commit. For a thread that may
    /// block.
    pub(crate) fn standing(
        &self,
        newest: Arc<Pinned>,
        open: impl FnOnce(Commit) -> Result<Arc<Pinned>, Problem>,
        name: &str,
        stop: &Stop,
    ) -> Result<Arc<Model>, Problem> {
        let stamp = stamp(&newest, name)?;
        let wanted = |one: &Loaded| one.stands && one.name == name && one.stamp == stamp;
        if let Some(model) = self.find(wanted) {
            return Ok(model);
        }
        let _turn = turn(&self.loading, stop)?;
        if let Some(model) = self.find(wanted) {
            return Ok(model);
        }
        let absorbed = summary(&newest, name)?.absorbed;
        // The commit of its memory needs nothing to be taken in. If it is not kept any more, the newest one has to serve.
        let at = open(absorbed).unwrap_or(newest);
        let model = load(&at, name, stop)?;
        self.put(Loaded { name: name.into(), stamp, commit: at.commit(), stands: true, model: model.clone() });
        Ok(model)
    }

    /// The model over the graph at a commit. For a thread that may block.
    pub(crate) fn at(&self, pinned: &Pinned, name: &str, stop: &Stop) -> Result<Arc<Model>, Problem> {
        let stamp = stamp(pinned, name)?;
        let wanted = |one: &Loaded| one.name == name && one.stamp == stamp && one.commit == pinned.commit();
        if let Some(model) = self.find(wanted) {
            return Ok(model);
        }
        let _turn = turn(&self.loading, stop)?;
        if let Some(model) = self.find(wanted) {
            return Ok(model);
        }
        let model = load(pinned, name, stop)?;
        let commit = pinned.commit();
        self.put(Loaded { name: name.into(), stamp, commit, stands: false, model: model.clone() });
        Ok(model)
    }

    /// The one that stands, if it is loaded.
    pub(crate) fn known(&self, pinned: &Pinned, name: &str) -> Option<Arc<Model>> {
        let stamp = stamp(pinned, name).ok()?;
        self.find(|one| one.stands && one.name == name && one.stamp == stamp)
    }

    /// Puts a newer model in the place of the one that stands.
    pub(crate) fn replace(&self, pinned: &Pinned, model: Arc<Model>) -> Result<(), Problem> {
        let stamp = stamp(pinned, model.name())?;
        let (name, commit) = (model.name().to_owned(), model.view().commit());
        self.put(Loaded { name, stamp, commit, stands: true, model });
        Ok(())
    }

    fn find(&self, wanted: impl Fn(&Loaded) -> bool) -> Option<Arc<Model>> {
        let mut loaded = self.loaded();
        let at = loaded.iter().position(wanted)?;
        let one = loaded.remove(at);
        let model = one.model.clone();
        loaded.push(one);
        Some(model)
    }

    fn put(&self, one: Loaded) {
        let mut loaded = self.loaded();
        // One of a file that is no more, or of a memory of before, is asked no more.
        loaded.retain(|old| {
            let is_out = old.name == one.name && (old.stamp != one.stamp || old.stands && one.stands);
            !is_out
        });
        if loaded.len() >= KEPT {
            loaded.remove(0);
        }
        loaded.push(one);
    }

    fn loaded(&self) -> MutexGuard<'_, Vec<Loaded>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for a turn as long as somebody waits for the answer.
pub(crate) fn turn<'a>(lock: &'a Mutex<()>, stop: &Stop) -> Result<MutexGuard<'a, ()>, Problem> {
    loop {
        match lock.try_lock() {
            Ok(turn) => return Ok(turn),
            Err(TryLockError::Poisoned(poisoned)) => return Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) if stop.is_asked() => return Err(stopped()),
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(2)),
        }
    }
}

/// What nobody waits for any more.
pub(crate) fn stopped() -> Problem {
    Problem::new(Code::TimeLimit, "it was asked to stop before it was done")
}

/// What there is to say about a model.
pub(crate) fn summary(pinned: &Pinned, name: &str) -> Result<ModelSummary, Problem> {
    pinned.graph().model_summary(name, pinned.view()).map_err(|error| problem(pinned, error))
}

fn load(pinned: &Pinned, name: &str, stop: &Stop) -> Result<Arc<Model>, Problem> {
    use std::ops::ControlFlow::{Break, Continue};
    let file = pinned.graph().model_file(name, pinned.view()).map_err(|error| problem(pinned, error))?;
    let model = file.load_with(|_| if stop.is_asked() { Break(()) } else { Continue(()) });
    model.map(Arc::new).map_err(|error| problem(pinned, error))
}

fn stamp(pinned: &Pinned, name: &str) -> Result<Stamp, Problem> {
    let path = pinned.graph().model_path(name).map_err(|error| problem(pinned, error))?;
    let missing = || match summary(pinned, name) {
        Err(problem) => problem,
        Ok(_) => Problem::new(Code::Unavailable, format!("{}: cannot be read", shown(&path))),
    };
    let file = path.metadata().map_err(|_| missing())?;
    let written = file.modified().map_err(|_| missing())?;
    Ok((written, file.len()))
}

/// The name of a file without where it lies.
fn shown(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A failure to load or ask a model, without the server's folders in it.
pub(crate) fn problem(pinned: &Pinned, error: timeweft::Error) -> Problem {
    match error {
        timeweft::Error::Model(ModelError::NoModel { name, known, .. }) => {
            let message = format!("there is no model `{name}`");
            let hint = match known.as_slice() {
                [] => "Train one: `timeweft train`, or POST to /models.".to_owned(),
                known => format!("There are {}.", known.join(", ")),
            };
            Problem::not_found(message).hint(hint)
        }
        timeweft::Error::Model(ModelError::Name(name)) => Problem::not_found(format!("there is no model `{name}`")),
        timeweft::Error::Model(ModelError::Learn(LearnError::Stopped)) => stopped(),
        error => {
            let problem = Problem::from(error);
            let folder = pinned.graph().dir().display().to_string();
            Problem { message: problem.message.replace(&format!("{folder}/"), ""), ..problem }
        }
    }
}
