//! A graph that is served: the one that writes it or follows it, and the commits that questions are asked of.

use std::mem::swap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use timeweft::read::damage::{Damage, catch};
use timeweft::{Commit, Graph, TimeUnit};
use tokio::sync::Mutex as Turns;

use crate::learn::Shelf;
use crate::pinned::Pinned;
use crate::problem::{Code, Problem};

/// How many earlier commits are kept open.
const KEPT: usize = 4;

/// A graph that is served under a name.
pub(crate) struct Served {
    name: String,
    dir: PathBuf,
    unit: TimeUnit,
    is_read_only: bool,
    /// The writer, or what follows one of another process. Only threads that may block take it: a load holds it long.
    owner: Mutex<Graph>,
    /// Whose turn it is to write, in order of asking.
    pub(crate) turn: Turns<()>,
    newest: RwLock<Arc<Pinned>>,
    /// Earlier commits, the one last asked for at the end. One is opened at a time.
    earlier: Mutex<Vec<Arc<Pinned>>>,
    /// What is wrong, if anything is.
    trouble: Mutex<Option<String>>,
    /// Models that are loaded.
    pub(crate) models: Shelf,
    /// Jobs that wait or run.
    pub(crate) jobs: AtomicUsize,
}

/// Whether a graph answers, and how well.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// It is at the newest commit that is known.
    Ready,
    /// It stays at an old commit, because something cannot be read.
    Failed,
}

impl Served {
    /// Serves an open graph.
    pub(crate) fn new(name: String, graph: Graph) -> Result<Served, timeweft::Error> {
        Ok(Served {
            name,
            dir: graph.dir().to_owned(),
            unit: graph.unit(),
            is_read_only: graph.is_read_only(),
            turn: Turns::default(),
            newest: RwLock::new(Arc::new(Pinned::new(graph.reader()?))),
            owner: Mutex::new(graph),
            earlier: Mutex::default(),
            trouble: Mutex::default(),
            models: Shelf::default(),
            jobs: AtomicUsize::new(0),
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn unit(&self) -> TimeUnit {
        self.unit
    }

    pub(crate) fn is_read_only(&self) -> bool {
        self.is_read_only
    }

    /// The graph at the newest commit.
    pub(crate) fn newest(&self) -> Arc<Pinned> {
        self.newest.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The graph at a commit; without one at the newest.
    pub(crate) async fn at(self: &Arc<Served>, commit: Option<u64>) -> Result<Arc<Pinned>, Problem> {
        let newest = self.newest();
        if commit.is_none_or(|commit| commit == newest.commit().0) {
            return Ok(newest);
        }
        let graph = self.clone();
        let opened = tokio::task::spawn_blocking(move || graph.at_waiting(commit)).await;
        opened.unwrap_or_else(|_| Err(Problem::new(Code::Internal, "opening the commit broke down")))
    }

    /// The same for a thread that may block.
    pub(crate) fn at_waiting(&self, commit: Option<u64>) -> Result<Arc<Pinned>, Problem> {
        let newest = self.newest();
        let Some(commit) = commit.map(Commit).filter(|commit| *commit != newest.commit()) else { return Ok(newest) };
        if commit > newest.commit() {
            let message = format!("commit: there is no commit {}: the newest is {}", commit.0, newest.commit().0);
            return Err(Problem::not_found(message));
        }
        let mut earlier = self.earlier.lock().unwrap_or_else(PoisonError::into_inner);
        let found = match earlier.iter().position(|pinned| pinned.commit() == commit) {
            Some(place) => earlier.remove(place),
            None => Arc::new(Pinned::new(self.open_at(commit)?)),
        };
        if earlier.len() == KEPT {
            earlier.remove(0);
        }
        earlier.push(found.clone());
        Ok(found)
    }

    fn open_at(&self, commit: Commit) -> Result<Graph, Problem> {
        catch(|| Graph::open_read_only_at(&self.dir, commit))?.map_err(|error| {
            let problem = Problem::from(error);
            let message = format!("commit {} cannot be read any more: {}", commit.0, problem.message);
            if problem.code == Code::Internal { Problem::new(Code::CommitGone, message) } else { problem }
        })
    }

    /// Views that something holds: of the newest commit, and of earlier ones.
    pub(crate) fn held(&self) -> usize {
        let earlier = self.earlier.try_lock().map_or(0, |earlier| earlier.len());
        Arc::strong_count(&self.newest()) - 1 + earlier
    }

    /// The graph of this process that writes, for a thread that may block.
    pub(crate) fn owner(&self) -> MutexGuard<'_, Graph> {
        self.owner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows questions from now on what the owner has.
    pub(crate) fn show(&self, owner: &Graph) -> Result<(), timeweft::Error> {
        let reader = owner.reader()?;
        if reader.commit() != owner.commit() {
            return Ok(());
        }
        let mut newest = Arc::new(Pinned::new(reader));
        // Lists that the next question would make, and what was shown may be large to take down: nobody is to wait for either.
        newest.view().index().prepare_like(self.newest().view().index());
        swap(&mut *self.newest.write().unwrap_or_else(PoisonError::into_inner), &mut newest);
        Ok(())
    }

    /// Takes in what another process has written since.
    pub(crate) fn follow(&self) {
        let mut owner = self.owner();
        let followed = catch(|| owner.refresh()).map_err(|damage| damage.to_string());
        let followed = followed.and_then(|refreshed| refreshed.map_err(|error| error.to_string()));
        let shown = followed.and_then(|commit| match commit == self.newest().commit() {
            true => Ok(()),
            false => self.show(&owner).map_err(|error| error.to_string()),
        });
        *self.trouble() = shown.err();
    }

    /// Makes the graph anew from its log, because a cache is damaged. For a thread that may block.
    pub(crate) fn mend(&self, damage: &Damage) {
        let mut owner = self.owner();
        let mended = match self.is_read_only {
            // The writer's cache is not ours to remove, but it may be gone already.
            true => Graph::open_read_only(&self.dir).map(|graph| *owner = graph),
            false => owner.make_sound(),
        };
        let shown = mended.and_then(|()| self.show(&owner));
        *self.trouble() = shown.err().map(|error| format!("{damage}: {error}"));
    }

    fn trouble(&self) -> MutexGuard<'_, Option<String>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the graph answers, and what is wrong.
    pub(crate) fn state(&self) -> (State, Option<String>) {
        match &*self.trouble() {
            Some(trouble) => (State::Failed, Some(trouble.clone())),
            None => (State::Ready, None),
        }
    }

    /// Takes a place among the jobs; gives whether there was one.
    pub(crate) fn enter(&self, most: usize) -> bool {
        let entered = self.jobs.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| (n < most).then_some(n + 1));
        entered.is_ok()
    }

    /// Gives the place back.
    pub(crate) fn leave(&self) {
        self.jobs.fetch_sub(1, Ordering::Relaxed);
    }
}
