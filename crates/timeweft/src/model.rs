//! Learning on a graph: models that are trained, kept beside the graph, asked, and explained. Answers carry names.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};
use timeweft_graph::{Deletes, EdgeTypeId, Event, NodeIndex, NodeKey, NodeTypeId, Stop, Time};
use timeweft_index::Index;
use timeweft_learn::Trained;

mod error;
mod explanation;
mod file;
mod links;
mod past;
mod prediction;
mod record;
mod summary;
mod why;

pub use error::ModelError;
pub use explanation::{Count, Counters, Explanation, HeardNeighbor, RecalledFact, RecalledMoment};
pub use file::{ModelFile, TrainOptions};
pub use links::Links;
pub use prediction::{Answer, Ask, NodeName, Prediction};
pub use record::{KeptEvaluation, ModelRecord};
pub use summary::ModelSummary;
pub use timeweft_learn::{
    Absorbed, Aggregation, Bin, Bucket, Calibration, Config, ConfigError, Curves, Epoch, EvaluateConfig, Evaluation,
    Freshness, GnnKind, Importance, LearnError, LearnProgress, Loss, MemoryCellKind, Metrics, ModelConfig,
    NonFiniteFeature, Predict, Space, Traffic, TrainConfig, TrainFreshness, Unknown, Weight, splitmix64,
};
pub use why::{Why, Without};

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
    /// Its file.
    path: PathBuf,
    /// Checksum of the weights in it.
    weights: u32,
    pub(crate) trained: Trained,
    /// The graph that it reads.
    view: View,
    /// What that is made of: a number a load, in the order of the log.
    lineage: Vec<u64>,
    past: past::Past,
    /// What is to be said beside its answers, once somebody has asked.
    warned: OnceLock<Vec<String>>,
}

/// The links that a model is measured on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// The links that chose the epoch.
    Validation,
    /// The latest links, which had no part in training.
    #[default]
    Test,
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
        Ok(self.answer_gone(node_type, time, top, &Stop::default())?.predictions)
    }

    /// The same, of how many; it ends early once that is asked for.
    ///
    /// # Errors
    /// If the model does not predict that, or the type is none that it knows.
    pub fn answer_gone(&self, node_type: &str, time: Time, top: usize, stop: &Stop) -> Result<Answer> {
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
        let memory = self.memory(time, stop)?;
        let ranked = self.trained.asker(&memory, stop).predict_gone(known, time, top)?;
        let (candidates, predictions) = (ranked.candidates, self.predictions(ranked.best));
        let (source, relation, destination_type) = (None, None, node_type.into());
        Ok(Answer { source, relation, destination_type, time, candidates, predictions, seen: Vec::new() })
    }

    /// The nodes of a node's type that are most like it as of a time, with the cosine of their vectors, best first.
    pub fn nearest(&self, node: &NodeKey, time: Time, space: Space, top: usize) -> Result<Vec<(NodeKey, f32)>> {
        self.nearest_until(node, time, space, top, &Stop::default())
    }

    /// The same, which ends early once that is asked for.
    ///
    /// # Errors
    /// If the node is not alive just before the time, or the model does not know its type.
    pub fn nearest_until(
        &self,
        node: &NodeKey,
        time: Time,
        space: Space,
        top: usize,
        stop: &Stop,
    ) -> Result<Vec<(NodeKey, f32)>> {
        let node = self.alive(node, time)?;
        let memory = self.memory(time, stop)?;
        let found = self.trained.asker(&memory, stop).nearest(node, time, space, top)?;
        Ok(found.into_iter().map(|(node, cosine)| (self.index().node_key(node), cosine)).collect())
    }

    /// Its weights, in the order of their names, which are those of its file.
    pub fn weights(&self) -> Vec<Weight> {
        self.trained.weights()
    }

    /// The graph that it reads: its memory has taken in everything of it.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// Takes in events as they come, in order of time and not before any that the graph has, and gives what became of them. They are
    /// in the graph that the model reads ([`Model::view`]) from then on, and nowhere else; [`Model::update`] goes back to what is
    /// loaded. Nodes that an edge names first are created with it, and an edge that is there already gets a key, as a load does it.
    ///
    /// It costs what is new, whatever came before: memory, counters and graph are added to. Only where others hold the graph, such as
    /// the [`Graph`] that the model came from, the first call copies it.
    ///
    /// ```
    /// # use timeweft::{Action, EdgeKey, Element, Event, Graph, NodeKey, Time, TimeUnit, TrainOptions, model::Config};
    /// # let dir = tempfile::tempdir()?;
    /// # let rows = (0..60).map(|time| format!("{},{},{time}\n", time % 3, 3 + time % 2)).collect::<String>();
    /// # let mail = dir.path().join("mail.csv");
    /// # std::fs::write(&mail, format!("src,dst,time\n{rows}"))?;
    /// # let mut graph = Graph::create(dir.path().join("mail"), TimeUnit::Step)?;
    /// # graph.load(&mail).run()?;
    /// # let mut config = Config::default();
    /// # (config.train.epochs, config.model.width) = (1, 8);
    /// # graph.train("links", TrainOptions::new(config))?;
    /// let mut model = graph.load_model("links")?;
    /// drop(graph);
    /// let [source, destination] = [NodeKey::new("node", 0), NodeKey::new("node", 4)];
    /// let mail = EdgeKey { source, relation: "link".into(), destination, key: None };
    /// let absorbed = model.absorb(&[Event::new(Time(60), Action::Create, Element::Edge(mail))]);
    /// assert_eq!((absorbed.facts, absorbed.rejected.len()), (1, 0));
    /// assert_eq!(model.predict("link", "0").top(2)?.len(), 2, "as of right after it");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn absorb(&mut self, events: &[Event]) -> Absorbed {
        let commit = self.view.commit();
        // Who alone holds a graph or a memory changes it in place.
        (self.view, self.past) = (View::new(commit, Arc::default()), past::Past::default());
        let absorbed = self.trained.absorb(events);
        self.view = View::new(commit, self.index().clone());
        self.warned = OnceLock::new();
        absorbed
    }

    /// Takes in what was loaded into the graph since, and gives the number of facts that memory took in; all of them where loads
    /// were taken back. Where they brought facts from before others that it knows it begins at the newest state of memory that is kept
    /// of before those. Else it costs what is new.
    ///
    /// ```
    /// # use timeweft::{Graph, TimeUnit, TrainOptions, model::Config};
    /// # let dir = tempfile::tempdir()?;
    /// # let rows = |times: std::ops::Range<i32>| times.map(|time| format!("{},{},{time}\n", time % 3, 3 + time % 2)).collect::<String>();
    /// # let [mail, more] = ["mail.csv", "more.csv"].map(|name| dir.path().join(name));
    /// # std::fs::write(&mail, format!("src,dst,time\n{}", rows(0..60)))?;
    /// # std::fs::write(&more, format!("src,dst,time\n{}", rows(60..70)))?;
    /// # let mut graph = Graph::create(dir.path().join("mail"), TimeUnit::Step)?;
    /// # graph.load(&mail).run()?;
    /// # let mut config = Config::default();
    /// # (config.train.epochs, config.model.width) = (1, 8);
    /// let mut model = graph.train("links", TrainOptions::new(config))?;
    /// graph.load(&more).run()?;
    /// assert_eq!(model.update(&graph)?, 10);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the model knows none of the types of the graph.
    pub fn update(&mut self, graph: &Graph) -> Result<usize> {
        graph.model_file(&self.name, &graph.view())?.update(self)
    }

    /// Writes its memory as it is now into its file, so that who loads it begins from there; weights and training stay.
    ///
    /// # Errors
    /// If the file cannot be written, another model has taken its place meanwhile, or memory has taken in events that are not loaded.
    pub fn keep_memory(&self) -> Result<()> {
        let (graph, name) = (&self.trained.graph, &self.name);
        let facts = graph.facts().len() - graph.n_loaded();
        if facts > 0 {
            return Err(ModelError::NotLoaded { name: name.clone(), facts }.into());
        }
        self.own_checkpoint()?;
        self.trained.save(&self.path, &self.lineage)?;
        Ok(())
    }

    /// What is to be said beside its answers, a sentence each: what it does not know, and values that it reads as missing.
    pub fn warnings(&self) -> &[String] {
        // Features of all facts since the training are looked at.
        self.warned.get_or_init(|| self.to_warn())
    }

    fn to_warn(&self) -> Vec<String> {
        let unknown = self.unknown();
        let unknown = (!unknown.is_empty()).then(|| {
            format!("the model `{}` does not know {unknown}: it answers as if they were not there; train again to take them in", self.name)
        });
        let missing = self.non_finite_features().into_iter();
        let missing = missing.map(|feature| format!("{feature}: the model reads it as missing there"));
        unknown.into_iter().chain(missing).collect()
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
