//! The file of a model: trained into it, trained on from it, loaded from it.

use std::cell::Cell;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use timeweft_graph::{Commit, LoadId};
use timeweft_learn::{Checkpoint, Config, LearnError, LearnProgress, Task, Trained, splitmix64};
use timeweft_store::Effective;

use super::{Model, ModelError, ModelRecord};
use crate::{Graph, Result, View};

/// Hears how far a training is, and says whether it goes on.
type OnProgress<'a> = Box<dyn FnMut(LearnProgress) -> ControlFlow<()> + 'a>;

/// How a model is trained: the default configuration on the newest commit, if nothing else is given.
///
/// ```no_run
/// use std::ops::ControlFlow;
/// use timeweft::{Config, Graph, TrainOptions};
/// let graph = Graph::open("mail")?;
/// let mut config = Config::default();
/// config.train.epochs = 3;
/// let options = TrainOptions::new(config).progress(|progress| {
///     println!("{progress:?}");
///     ControlFlow::Continue(())
/// });
/// graph.train("links", options)?;
/// # Ok::<(), timeweft::Error>(())
/// ```
#[derive(Default)]
pub struct TrainOptions<'a> {
    config: Config,
    view: Option<&'a View>,
    progress: Option<OnProgress<'a>>,
    or_nothing: bool,
}

impl<'a> TrainOptions<'a> {
    /// With a configuration.
    pub fn new(config: Config) -> TrainOptions<'a> {
        TrainOptions { config, ..TrainOptions::default() }
    }

    /// On the graph of a view.
    pub fn view(self, view: &'a View) -> TrainOptions<'a> {
        TrainOptions { view: Some(view), ..self }
    }

    /// Reports the progress. Once the answer is to break, training ends before the next batch, with the best epoch
    /// so far.
    pub fn progress(self, report: impl FnMut(LearnProgress) -> ControlFlow<()> + 'a) -> TrainOptions<'a> {
        TrainOptions { progress: Some(Box::new(report)), ..self }
    }

    /// Keeps nothing of a training that is ended early: a model of that name stays as it was.
    pub fn or_nothing(self) -> TrainOptions<'a> {
        TrainOptions { or_nothing: true, ..self }
    }
}

/// Runs a training with its callback: the training asks for a stop before each batch, the callback answers after it.
fn follow(
    (progress, or_nothing): (Option<OnProgress<'_>>, bool),
    train: impl FnOnce(&mut dyn FnMut(LearnProgress), &dyn Fn() -> bool) -> Result<Trained, LearnError>,
) -> Result<Trained, LearnError> {
    let (mut progress, stop) = (progress, Cell::new(false));
    let mut report = |at| {
        if let Some(report) = &mut progress {
            stop.set(stop.get() | report(at).is_break());
        }
    };
    let trained = train(&mut report, &|| stop.get())?;
    if or_nothing && stop.get() { Err(LearnError::Stopped) } else { Ok(trained) }
}

/// Where a model of a graph is kept, and the graph at a commit. It holds what training and loading need: the graph may be
/// asked and changed meanwhile, also from what hears of the progress.
///
/// ```no_run
/// use timeweft::{Graph, TrainOptions};
/// let mut graph = Graph::open("mail")?;
/// let file = graph.model_file("links", &graph.view())?;
/// let training = std::thread::spawn(|| file.train(TrainOptions::default()));
/// graph.load("more.csv").run()?;
/// # drop(training);
/// # Ok::<(), timeweft::Error>(())
/// ```
pub struct ModelFile {
    name: String,
    path: PathBuf,
    /// The graph's directory.
    dir: PathBuf,
    view: View,
    lineage: Vec<u64>,
}

impl ModelFile {
    /// Trains a model and keeps it; see [`Graph::train`]. A view of the options is not looked at.
    ///
    /// # Errors
    /// If the graph has nothing to learn from, the configuration is wrong, or the folder of models cannot be written to, which is
    /// found out first.
    pub fn train(self, options: TrainOptions<'_>) -> Result<Model> {
        let TrainOptions { mut config, progress, or_nothing, .. } = options;
        config.check()?;
        let task = Task::new(self.view.index().clone(), &config)?;
        self.make_room()?;
        let last_of = |end: usize| task.links.get(end.saturating_sub(1)).map_or(i64::MIN, |link| link.time.0);
        config.train.split_times = Some([last_of(task.split.train_end), last_of(task.split.val_end)]);
        let train = |report: &mut dyn FnMut(LearnProgress), stop: &dyn Fn() -> bool| {
            timeweft_learn::train_until(&task, &config, report, stop)
        };
        let trained = follow((progress, or_nothing), train)?;
        self.keep(trained)
    }

    /// Trains the model on, up to `epochs` in all, and keeps it; see [`Graph::resume`].
    ///
    /// # Errors
    /// If there is no such model, or the folder of models cannot be written to.
    pub fn resume(self, epochs: usize, options: TrainOptions<'_>) -> Result<Model> {
        let (trained, _) = self.read(|_| ControlFlow::Continue(()))?;
        self.make_room()?;
        let mut config = trained.config.clone();
        config.train.epochs = epochs;
        let task = trained.graph.task(&config)?;
        let train = |report: &mut dyn FnMut(LearnProgress), stop: &dyn Fn() -> bool| {
            timeweft_learn::resume(&task, &config, trained, report, stop)
        };
        let trained = follow((options.progress, options.or_nothing), train)?;
        self.keep(trained)
    }

    /// Loads the model.
    ///
    /// # Errors
    /// If there is no such model, its file is damaged, or it knows nothing of the graph.
    pub fn load(self) -> Result<Model> {
        self.load_with(|_| ControlFlow::Continue(()))
    }

    /// The same, told before each batch how many of the facts since the training memory has taken in, until `hears` says to
    /// break.
    ///
    /// # Errors
    /// As [`ModelFile::load`], and [`LearnError::Stopped`](crate::model::LearnError::Stopped) once it is to break.
    pub fn load_with(self, hears: impl FnMut(LearnProgress) -> ControlFlow<()>) -> Result<Model> {
        let (trained, weights) = self.read(hears)?;
        Ok(self.model(trained, weights))
    }

    /// The model over the graph as this file has it, and how many facts its memory took in for that. It is the model that
    /// [`ModelFile::load`] gives, without all facts since its training being read again.
    ///
    /// # Errors
    /// If the model knows none of the types of the graph.
    pub fn catch_up(self, model: &Model) -> Result<(Model, usize)> {
        self.catch_up_with(model, |_| ControlFlow::Continue(()))
    }

    /// The same, told before each batch how many facts memory has taken in, until `hears` says to break; the model stays as it is.
    ///
    /// # Errors
    /// As [`ModelFile::catch_up`], and [`LearnError::Stopped`](crate::model::LearnError::Stopped) once it is to break.
    pub fn catch_up_with(
        self,
        model: &Model,
        mut hears: impl FnMut(LearnProgress) -> ControlFlow<()>,
    ) -> Result<(Model, usize)> {
        let continues = self.lineage.starts_with(&model.lineage);
        let index = self.view.index().clone();
        let (trained, taken_in) = model.trained.caught_up_with(index, continues, &self.path, &mut hears)?;
        Ok((self.model(trained, model.weights), taken_in))
    }

    /// Has a model go over to the graph as this file has it, in place: what nobody else holds is not copied.
    pub(crate) fn update(self, model: &mut Model) -> Result<usize> {
        let continues = self.lineage.starts_with(&model.lineage);
        model.past = Default::default();
        let taken_in = model.trained.catch_up(self.view.index().clone(), continues, &self.path)?;
        (model.view, model.lineage, model.warned) = (self.view, self.lineage, Default::default());
        Ok(taken_in)
    }

    /// How many facts [`ModelFile::catch_up`] would have the memory of a model take in.
    pub fn behind(&self, model: &Model) -> usize {
        let known = model.trained.graph.n_loaded();
        let now = model.trained.graph.n_known(self.view.index());
        if self.lineage.starts_with(&model.lineage) { now.saturating_sub(known) } else { now }
    }

    /// The beginning of the file.
    pub(crate) fn peek(&self) -> Result<Checkpoint> {
        if !self.path.exists() {
            let (folder, known) = (models_folder(&self.dir), names(&self.dir)?);
            return Err(ModelError::NoModel { name: self.name.clone(), folder, known }.into());
        }
        Ok(Checkpoint::peek(&self.path)?)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What the graph is made of.
    pub(crate) fn lineage(&self) -> &[u64] {
        &self.lineage
    }

    /// The model, and the checksum of its weights.
    fn read(&self, mut hears: impl FnMut(LearnProgress) -> ControlFlow<()>) -> Result<(Trained, u32)> {
        let weights = self.peek()?.weights;
        let trained = Trained::load_with(&self.path, self.view.index().clone(), &self.lineage, &mut hears)?;
        Ok((trained, weights))
    }

    fn model(self, trained: Trained, weights: u32) -> Model {
        let ModelFile { name, path, view, lineage, .. } = self;
        Model { name, path, weights, trained, view, lineage, past: Default::default(), warned: Default::default() }
    }

    /// Makes the folder of models, and sees that something can be written there: a model takes long to train.
    fn make_room(&self) -> Result<(), ModelError> {
        let folder = models_folder(&self.dir);
        // The folder is durable only once the one that holds it is, also one that was made and then left alone by a failure.
        let made = fs::create_dir_all(&folder).and_then(|()| fs::File::open(&self.dir)?.sync_all());
        let attempt = self.path.with_extension(format!("{}.attempt.partial", std::process::id()));
        let written = made.and_then(|()| fs::write(&attempt, b"")).and_then(|()| fs::remove_file(&attempt));
        written.or_else(|source| match source.kind() {
            // A process that opens the graph for writing removes what looks like left by a killed one.
            std::io::ErrorKind::NotFound => Ok(()),
            _ => Err(ModelError::Io { path: folder, source }),
        })
    }

    fn keep(self, trained: Trained) -> Result<Model> {
        let weights = trained.save(&self.path, &self.lineage)?;
        // The model is kept. Without a record nothing but what is told about it is missing.
        let _ = ModelRecord::of_training(weights, self.view.commit()).write(&self.path);
        Ok(self.model(trained, weights))
    }
}

impl Graph {
    /// Trains a model and keeps it as `models/<name>.twm` in the graph's directory. A model of that name is replaced once the
    /// new one is whole.
    ///
    /// The borders of the parts are kept as times, so links that come later are test links of this model.
    ///
    /// # Errors
    /// If the graph has nothing to learn from, or the configuration is wrong. A training that was ended before its first
    /// epoch was over keeps nothing; a model of that name stays as it is.
    ///
    /// ```
    /// # use timeweft::{Graph, TimeUnit, TrainOptions, model::Config};
    /// # let dir = tempfile::tempdir()?;
    /// # let events = dir.path().join("mail.csv");
    /// # let rows = (0..60).map(|time| format!("{},{},{time}\n", time % 3, 3 + time % 2));
    /// # std::fs::write(&events, format!("src,dst,time\n{}", rows.collect::<String>()))?;
    /// # let mut graph = Graph::create(dir.path().join("mail"), TimeUnit::Step)?;
    /// # graph.load(&events).run()?;
    /// let mut config = Config::default();
    /// (config.train.epochs, config.model.width) = (1, 8);
    /// let model = graph.train("links", TrainOptions::new(config))?;
    /// assert_eq!(model.predict("link", "0").top(2)?.len(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn train(&self, name: &str, options: TrainOptions<'_>) -> Result<Model> {
        let view = options.view.cloned().unwrap_or_else(|| self.view());
        self.model_file(name, &view)?.train(options)
    }

    /// Trains a model on from where its training stood, up to `epochs` in all, as if it had never stopped: the same bits, if
    /// the graph is the same. Its configuration stays what it was, and it stays with the types that it began with.
    ///
    /// # Errors
    /// If there is no such model.
    pub fn resume(&self, name: &str, epochs: usize, options: TrainOptions<'_>) -> Result<Model> {
        let view = options.view.cloned().unwrap_or_else(|| self.view());
        self.model_file(name, &view)?.resume(epochs, options)
    }

    /// What the graph at a commit is made of: a number a load, in the order of the log.
    pub(crate) fn lineage(&self, commit: Commit) -> Vec<u64> {
        let content = |id: LoadId| self.loads().iter().find(|load| load.id == id).map_or("", |load| &load.content_hash);
        let log = self.effective_log(commit);
        let number = |(at, entry): (usize, &Effective)| {
            // Among others its events come in another order.
            let among = entry.together || log.get(at + 1).is_some_and(|next| next.together);
            let ids = splitmix64(splitmix64(entry.load.0) ^ entry.written_by.0) ^ u64::from(among);
            content(entry.load).bytes().fold(ids, |hash, byte| splitmix64(hash ^ u64::from(byte)))
        };
        log.iter().enumerate().map(number).collect()
    }

    /// Names of all models, sorted.
    pub fn models(&self) -> Result<Vec<String>> {
        Ok(names(self.dir())?)
    }

    /// Loads a model. Its memory takes in what the graph has learned since it was trained.
    pub fn load_model(&self, name: &str) -> Result<Model> {
        self.load_model_at(name, &self.view())
    }

    /// Loads a model that reads the graph as it was known at the commit of a view, before or after its training.
    pub fn load_model_at(&self, name: &str, view: &View) -> Result<Model> {
        self.model_file(name, view)?.load()
    }

    /// The file of a model of this name, there or not, with the graph of a view.
    ///
    /// # Errors
    /// If the name is none.
    pub fn model_file(&self, name: &str, view: &View) -> Result<ModelFile> {
        let (path, dir) = (self.model_path(name)?, self.dir().to_owned());
        Ok(ModelFile { name: name.into(), path, dir, view: view.clone(), lineage: self.lineage(view.commit()) })
    }

    /// Where a model of this name lies.
    pub fn model_path(&self, name: &str) -> Result<PathBuf> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if name.is_empty() || name.starts_with('.') || !name.bytes().all(fits) {
            return Err(ModelError::Name(name.into()).into());
        }
        Ok(models_folder(self.dir()).join(format!("{name}.{EXTENSION}")))
    }
}

fn models_folder(dir: &Path) -> PathBuf {
    dir.join("models")
}

/// Names of all models of a graph, sorted.
fn names(dir: &Path) -> Result<Vec<String>, ModelError> {
    let folder = models_folder(dir);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(ModelError::Io { path: folder, source }),
    };
    let mut names: Vec<String> = entries.filter_map(|entry| model_name(&entry.ok()?.path())).collect();
    names.sort();
    Ok(names)
}

/// Extension of checkpoints.
const EXTENSION: &str = "twm";

fn model_name(path: &Path) -> Option<String> {
    let is_model = path.extension().is_some_and(|extension| extension == EXTENSION);
    path.file_stem().filter(|_| is_model)?.to_str().map(String::from)
}
