//! Learning on a graph: models that are trained, kept beside the graph, asked, and explained. Answers carry names.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use timeweft_graph::{Commit, Deletes, EdgeKey, EdgeTypeId, LoadId, NodeIndex, NodeKey, NodeTypeId, Time};
use timeweft_index::Index;
use timeweft_learn::{Query, Task, Trained};
use timeweft_store::Effective;

mod error;
mod explanation;
mod prediction;

pub use error::ModelError;
pub use explanation::{Count, Counters, Explanation, HeardNeighbor, RecalledFact, RecalledMoment};
pub use prediction::{Ask, NodeName, Prediction};
pub use timeweft_learn::{
    Aggregation, Bin, Bucket, Calibration, Config, ConfigError, Curves, Epoch, EvaluateConfig, Evaluation, Freshness,
    GnnKind, Importance, LearnError, LearnProgress, Loss, MemoryCellKind, Metrics, ModelConfig, NonFiniteFeature,
    Predict, Space, Traffic, TrainConfig, TrainFreshness, Unknown, splitmix64,
};

use crate::{Error, Graph, Result, View};

/// A trained model of a graph, with the graph as it stood when the model was trained or loaded.
///
/// ```no_run
/// use timeweft::Graph;
/// let graph = Graph::open("mail")?;
/// let model = graph.load_model("links")?;
/// let (view, time) = (graph.view(), model.next_time());
/// let [ann, bo] = [view.node("node", "ann")?.key(), view.node("node", "bo")?.key()];
/// let why = model.explain("link", &ann, &bo, time)?;
/// println!("{} neighbors were attended to", why.neighbors.len());
/// # Ok::<(), timeweft::Error>(())
/// ```
pub struct Model {
    name: String,
    pub(crate) trained: Trained,
}

/// The links that a model is measured on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// The links that chose the epoch.
    Validation,
    /// The latest links, which had no part in training.
    #[default]
    Test,
}

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
}

/// Runs a training with its callback: the training asks for a stop before each batch, the callback answers after it.
fn follow<T>(
    progress: Option<OnProgress<'_>>,
    train: impl FnOnce(&mut dyn FnMut(LearnProgress), &dyn Fn() -> bool) -> T,
) -> T {
    let (mut progress, stop) = (progress, Cell::new(false));
    let mut report = |at| {
        if let Some(report) = &mut progress {
            stop.set(stop.get() | report(at).is_break());
        }
    };
    train(&mut report, &|| stop.get())
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
        let TrainOptions { mut config, view, progress } = options;
        let path = self.model_path(name)?;
        config.check()?;
        let view = view.cloned().unwrap_or_else(|| self.view());
        let task = Task::new(view.index().clone(), &config)?;
        let last_of = |end: usize| task.links.get(end.saturating_sub(1)).map_or(i64::MIN, |link| link.time.0);
        config.train.split_times = Some([last_of(task.split.train_end), last_of(task.split.val_end)]);
        let trained = follow(progress, |report, stop| timeweft_learn::train_until(&task, &config, report, stop))?;
        self.keep(name, &path, view.commit(), trained)
    }

    /// Trains a model on from where its training stood, up to `epochs` in all, as if it had never stopped: the same bits, if
    /// the graph is the same. Its configuration stays what it was, and it stays with the types that it began with.
    ///
    /// # Errors
    /// If there is no such model.
    pub fn resume(&self, name: &str, epochs: usize, options: TrainOptions<'_>) -> Result<Model> {
        let path = self.model_path(name)?;
        let view = options.view.cloned().unwrap_or_else(|| self.view());
        let Model { trained, .. } = self.load_model_at(name, &view)?;
        let mut config = trained.config.clone();
        config.train.epochs = epochs;
        let task = trained.graph.task(&config)?;
        let trained =
            follow(options.progress, |report, stop| timeweft_learn::resume(&task, &config, trained, report, stop))?;
        self.keep(name, &path, view.commit(), trained)
    }

    /// Saves a model of the graph at a commit in the folder of models.
    fn keep(&self, name: &str, path: &Path, commit: Commit, trained: Trained) -> Result<Model> {
        let folder = self.models_folder();
        // The folder is durable only once the one that holds it is, also one that was made and then left alone by a failure.
        let made = std::fs::create_dir_all(&folder).and_then(|()| std::fs::File::open(self.dir())?.sync_all());
        made.map_err(|source| ModelError::Io { path: folder, source })?;
        trained.save(path, &self.lineage(commit))?;
        Ok(Model { name: name.into(), trained })
    }

    /// What the graph at a commit is made of: a number a load, in the order of the log.
    fn lineage(&self, commit: Commit) -> Vec<u64> {
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
        let folder = self.models_folder();
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(ModelError::Io { path: folder, source }.into()),
        };
        let mut names: Vec<String> = entries.filter_map(|entry| model_name(&entry.ok()?.path())).collect();
        names.sort();
        Ok(names)
    }

    /// Loads a model. Its memory takes in what the graph has learned since it was trained.
    pub fn load_model(&self, name: &str) -> Result<Model> {
        self.load_model_at(name, &self.view())
    }

    /// Loads a model that reads the graph as it was known at the commit of a view, before or after its training.
    pub fn load_model_at(&self, name: &str, view: &View) -> Result<Model> {
        let path = self.model_path(name)?;
        if !path.exists() {
            let (folder, known) = (self.models_folder(), self.models()?);
            return Err(ModelError::NoModel { name: name.into(), folder, known }.into());
        }
        let trained = Trained::load(&path, view.index().clone(), &self.lineage(view.commit()))?;
        Ok(Model { name: name.into(), trained })
    }

    /// Where a model of this name lies.
    pub fn model_path(&self, name: &str) -> Result<PathBuf> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if name.is_empty() || name.starts_with('.') || !name.bytes().all(fits) {
            return Err(ModelError::Name(name.into()).into());
        }
        Ok(self.models_folder().join(format!("{name}.{EXTENSION}")))
    }

    fn models_folder(&self) -> PathBuf {
        self.dir().join("models")
    }
}

/// Extension of checkpoints.
const EXTENSION: &str = "twm";

fn model_name(path: &Path) -> Option<String> {
    let is_model = path.extension().is_some_and(|extension| extension == EXTENSION);
    path.file_stem().filter(|_| is_model)?.to_str().map(String::from)
}

impl Model {
    /// Name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it was trained. The borders of the parts are given as times.
    pub fn config(&self) -> &Config {
        &self.trained.config
    }

    /// Refuses to answer by another rule of deletes than the model was trained with.
    pub fn expect_deletes(&self, asked: Deletes) -> Result<()> {
        Ok(self.trained.expect_deletes(asked)?)
    }

    /// All epochs of its training.
    pub fn epochs(&self) -> &[Epoch] {
        &self.trained.epochs
    }

    /// The epoch whose weights were kept, from 1.
    pub fn best_epoch(&self) -> usize {
        self.trained.best
    }

    /// The first moment after everything that the graph tells: "what comes next".
    pub fn next_time(&self) -> Time {
        self.index().facts().last().map_or(Time(0), |fact| Time(fact.time.0.saturating_add(1)))
    }

    /// What the batches of the training part look like.
    pub fn traffic(&self) -> Result<Traffic> {
        let Trained { graph, config, .. } = &self.trained;
        let task = graph.task(config)?;
        let until = graph.n_facts_before(task.time_of(task.split.train_end));
        Ok(Traffic::of(graph.facts(), until, config.train.batch))
    }

    /// Ranks the links of a part, beside the rules, once a freshness.
    pub fn evaluate(
        &self,
        part: Part,
        freshness: &[Freshness],
        progress: Option<&mut dyn FnMut(LearnProgress)>,
    ) -> Result<Vec<Evaluation>> {
        let Trained { graph, config, .. } = &self.trained;
        let task = graph.task(config)?;
        let links = match part {
            Part::Validation => task.split.train_end..task.split.val_end,
            Part::Test => task.split.val_end..task.split.end,
        };
        let mut ignore = |_: LearnProgress| {};
        let mut progress = progress.unwrap_or(&mut ignore);
        let evaluate = |&fresh: &Freshness| self.trained.to_rank(&task, links.clone(), fresh).evaluate(&mut progress);
        Ok(freshness.iter().map(evaluate).collect())
    }

    /// Whether explanations are true: curves over at most `links` links of the test part, of five stretches, each as of before its
    /// first. Empty for a model that reads no neighbors.
    pub fn faithfulness(&self, links: usize) -> Result<Vec<Curves>> {
        let Trained { graph, config, .. } = &self.trained;
        if !config.model.gnn.reads_neighbors() {
            return Ok(Vec::new());
        }
        let task = graph.task(config)?;
        let test = task.split.val_end..task.split.end;
        Ok(timeweft_learn::curves(&self.trained, &timeweft_learn::stretches(&task, test, links)))
    }

    /// The nodes of a type that are the likeliest to be deleted or merged next, best first.
    pub fn predict_gone(&self, node_type: &str, time: Time, top: usize) -> Result<Vec<Prediction>> {
        if self.predicts() != Predict::Gone {
            return Err(self.other_question("which nodes go", Predict::Gone).into());
        }
        let schema = self.index().schema();
        let known = schema.node_type(node_type).ok_or_else(|| ModelError::UnknownType {
            asked: node_type.into(),
            known: schema.node_types().iter().map(|of| of.name.to_string()).collect(),
        })?;
        self.knows_node_type(node_type)?;
        self.trained_for(node_type)?;
        Ok(self.predictions(self.trained.predict_gone(known, time, top)))
    }

    /// Scores of links, each at its own time with what was strictly before it; `None` for one that the model cannot be asked
    /// about, because an end is not alive just before or it was not trained for the relation. The log is read once.
    pub fn score(&self, links: &[(EdgeKey, Time)]) -> Result<Vec<Option<f32>>> {
        if self.predicts() == Predict::Gone {
            return Err(self.other_question("what edges of a node do", Predict::Created).into());
        }
        let query = |(key, time): &(EdgeKey, Time)| {
            let time = self.asked_at(*time);
            let (source, destination) = (self.alive(&key.source, time).ok()?, self.alive(&key.destination, time).ok()?);
            let edge_type = self.edge_type(&key.relation, &key.source, Some(&key.destination.node_type)).ok()?;
            let direction = timeweft_graph::Direction::Out;
            Some(Query { edge_type, direction, source, destination, time, as_of: time })
        };
        let asked: Vec<Option<Query>> = links.iter().map(query).collect();
        let queries: Vec<Query> = asked.iter().flatten().copied().collect();
        let mut scores = self.trained.scorer().score(&queries).into_iter();
        Ok(asked.iter().map(|query| query.as_ref().and_then(|_| scores.next())).collect())
    }

    /// The nodes of a node's type that are most like it as of a time, with the cosine of their vectors, best first.
    pub fn nearest(&self, node: &NodeKey, time: Time, space: Space, top: usize) -> Result<Vec<(NodeKey, f32)>> {
        let found = self.trained.nearest(self.alive(node, time)?, time, space, top);
        Ok(found.into_iter().map(|(node, cosine)| (self.index().node_key(node), cosine)).collect())
    }

    /// The end of time is no moment that anything could happen at: what comes next is meant.
    fn asked_at(&self, time: Time) -> Time {
        if time == Time::FOREVER { self.next_time() } else { time }
    }

    /// The relations that it was trained for, by name; none for a model of nodes that go.
    pub fn relations(&self) -> Vec<String> {
        let train = &self.config().train;
        match train.predict {
            Predict::Gone => return Vec::new(),
            _ if !train.targets.is_empty() => return train.targets.clone(),
            Predict::Created | Predict::Removed => {}
        }
        let edge_types = (0..).map(EdgeTypeId).zip(self.index().schema().edge_types());
        let known = edge_types.filter(|(id, _)| self.trained.graph.knows_edge_type(*id));
        let mut names: Vec<String> = known.map(|(_, of)| of.relation.to_string()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The types whose nodes it was trained to see go; none for a model of edges.
    pub fn node_types(&self) -> Vec<String> {
        let train = &self.config().train;
        if train.predict != Predict::Gone {
            return Vec::new();
        }
        if train.targets.is_empty() { self.known_node_types() } else { train.targets.clone() }
    }

    /// What the graph has and the model does not know, because it came after the training.
    pub fn unknown(&self) -> Unknown {
        self.trained.graph.unknown()
    }

    /// Features with values that the model reads as missing because they are no numbers to it, of what the graph has learned
    /// since the training; of everything for a model that was just trained.
    pub fn non_finite_features(&self) -> Vec<NonFiniteFeature> {
        self.trained.non_finite_features()
    }

    /// The node types of the graph that the model knows.
    fn known_node_types(&self) -> Vec<String> {
        let types = (0..).map(NodeTypeId).zip(self.index().schema().node_types());
        let known = types.filter(|(id, _)| self.trained.graph.knows_node_type(*id));
        known.map(|(_, of)| of.name.to_string()).collect()
    }

    /// An error for a type of the graph that the model does not know.
    fn knows_node_type(&self, name: &str) -> Result<(), ModelError> {
        match self.index().schema().node_type(name) {
            Some(id) if !self.trained.graph.knows_node_type(id) => {
                Err(ModelError::NotKnown { asked: format!("the node type {name}"), known: self.known_node_types() })
            }
            _ => Ok(()),
        }
    }

    /// What it predicts.
    pub fn predicts(&self) -> Predict {
        self.config().train.predict
    }

    pub(crate) fn other_question(&self, asked: &'static str, wanted: Predict) -> ModelError {
        ModelError::OtherQuestion { predicts: self.predicts(), asked, wanted }
    }

    pub(crate) fn predictions(&self, found: Vec<timeweft_learn::RankedNode>) -> Vec<Prediction> {
        let named = |prediction: timeweft_learn::RankedNode| Prediction {
            destination: self.index().node_key(prediction.node),
            score: prediction.logit,
            probability: prediction.probability,
        };
        found.into_iter().map(named).collect()
    }

    pub(crate) fn index(&self) -> &Arc<Index> {
        &self.trained.graph.index
    }

    pub(crate) fn alive(&self, key: &NodeKey, time: Time) -> Result<NodeIndex> {
        let index = self.index();
        self.knows_node_type(&key.node_type)?;
        let node = index.node_index(key).ok_or_else(|| Error::UnknownNode(key.clone()))?;
        if !index.alive(node, time.before()) {
            let time = index.schema().unit().format(time);
            return Err(ModelError::NotAlive { node: key.clone(), time }.into());
        }
        Ok(node)
    }

    /// The one edge type that a question means.
    pub(crate) fn edge_type(
        &self,
        relation: &str,
        source: &NodeKey,
        destination_type: Option<&str>,
    ) -> Result<EdgeTypeId, ModelError> {
        let schema = self.index().schema();
        let fits = |edge: &timeweft_graph::EdgeType| {
            *edge.relation == *relation
                && schema.node_type_name(edge.source) == source.node_type
                && destination_type.is_none_or(|wanted| *schema.node_type_name(edge.destination) == *wanted)
        };
        let all = || (0..).map(EdgeTypeId).zip(schema.edge_types());
        let is_known = |(id, _): &(EdgeTypeId, _)| self.trained.graph.knows_edge_type(*id);
        let name = |(id, _): (EdgeTypeId, _)| schema.owner_name(timeweft_graph::Owner::Edge(id));
        let fitting: Vec<_> = all().filter(|(_, edge)| fits(edge)).collect();
        let known: Vec<_> = fitting.iter().copied().filter(is_known).collect();
        match known.as_slice() {
            [] if fitting.is_empty() => Err(ModelError::UnknownRelation {
                asked: format!("{} -{relation}-> {}", source.node_type, destination_type.unwrap_or("anything")),
                known: all().map(name).collect(),
            }),
            [] => Err(ModelError::NotKnown {
                asked: format!("the edge type {}", name(fitting[0])),
                known: all().filter(is_known).map(name).collect(),
            }),
            [(id, _)] => self.trained_for(relation).map(|()| *id),
            several => Err(ModelError::SeveralTypes {
                relation: relation.into(),
                types: several.iter().map(|(_, edge)| schema.node_type_name(edge.destination).to_string()).collect(),
            }),
        }
    }

    pub(crate) fn trained_for(&self, relation: &str) -> Result<(), ModelError> {
        let targets = &self.config().train.targets;
        if targets.is_empty() || targets.iter().any(|target| target == relation) {
            return Ok(());
        }
        Err(ModelError::NotTrained { asked: relation.into(), known: targets.clone() })
    }
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model").field("name", &self.name).field("config", self.config()).finish_non_exhaustive()
    }
}
