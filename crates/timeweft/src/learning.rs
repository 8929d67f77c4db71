//! Learning on a graph: models that are trained, kept beside the graph, asked, and explained. Answers carry names.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use timeweft_graph::{EdgeKey, EdgeTypeId, NodeIndex, NodeKey, Time};
use timeweft_index::Index;
use timeweft_learn::{Query, Task, Trained};

pub use crate::explanation::{Count, Counters, Explanation, HeardNeighbor, RecalledFact, RecalledMoment};
pub use crate::model_error::ModelError;
pub use timeweft_index::Fact;
pub use timeweft_learn::{
    Aggregation, Bin, Bucket, Calibration, CellKind, Config, ConfigError, Curves, DeleteRule, Epoch, EvaluateConfig,
    Evaluation, Freshness, GnnKind, Importance, LearnError, Loss, Metrics, ModelConfig, Predict,
    Progress as LearnProgress, Space, Traffic, TrainConfig, TrainFreshness, splitmix64,
};

use crate::Graph;

/// A trained model of a graph, with the graph as it stood when the model was trained or loaded.
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

/// A possible new edge.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Prediction {
    /// Where it would end.
    #[serde(serialize_with = "crate::explanation::as_event")]
    pub destination: NodeKey,
    /// Logit: larger is likelier.
    pub score: f32,
    /// Softmax over all candidates of the question, in [0, 1].
    pub probability: f32,
}

impl Graph {
    /// Trains a model on the newest commit and keeps it as `models/<name>.twm` in the graph's directory. A model of that
    /// name is replaced once the new one is whole.
    ///
    /// The borders of the parts are kept as times, so links that come later are test links of this model.
    pub fn train(&self, name: &str, config: &Config, progress: impl FnMut(LearnProgress)) -> Result<Model, ModelError> {
        let path = self.model_path(name)?;
        config.check().map_err(LearnError::from)?;
        let task = Task::new(self.view().index().clone(), config)?;
        let last_of = |end: usize| task.links.get(end.saturating_sub(1)).map_or(i64::MIN, |link| link.time.0);
        let mut config = config.clone();
        config.train.split_times = Some([last_of(task.split.train_end), last_of(task.split.val_end)]);
        let trained = timeweft_learn::train(&task, &config, progress)?;
        self.keep(name, &path, trained)
    }

    /// Trains a model on from where its training stood, up to `epochs` in all, as if it had never stopped: the same bits, if
    /// the graph is the same. Its configuration stays what it was.
    pub fn resume(&self, name: &str, epochs: usize, progress: impl FnMut(LearnProgress)) -> Result<Model, ModelError> {
        let path = self.model_path(name)?;
        let Model { trained, .. } = self.load_model(name)?;
        let mut config = trained.config.clone();
        config.train.epochs = epochs;
        let task = Task::new(self.view().index().clone(), &config)?;
        let trained = timeweft_learn::resume(&task, &config, trained, progress)?;
        self.keep(name, &path, trained)
    }

    /// Saves a model in the folder of models.
    fn keep(&self, name: &str, path: &Path, trained: Trained) -> Result<Model, ModelError> {
        let folder = self.models_folder();
        std::fs::create_dir_all(&folder).map_err(|source| ModelError::Io { path: folder, source })?;
        trained.save(path)?;
        Ok(Model { name: name.into(), trained })
    }

    /// Names of all models, sorted.
    pub fn models(&self) -> Result<Vec<String>, ModelError> {
        let folder = self.models_folder();
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(ModelError::Io { path: folder, source }),
        };
        let mut names: Vec<String> = entries.filter_map(|entry| model_name(&entry.ok()?.path())).collect();
        names.sort();
        Ok(names)
    }

    /// Loads a model. Its memory takes in what the graph has learned since it was trained.
    pub fn load_model(&self, name: &str) -> Result<Model, ModelError> {
        let path = self.model_path(name)?;
        if !path.exists() {
            return Err(ModelError::NoModel { name: name.into(), folder: self.models_folder(), known: self.models()? });
        }
        let trained = Trained::load(&path, self.view().index().clone())?;
        Ok(Model { name: name.into(), trained })
    }

    /// Where a model of this name lies.
    pub fn model_path(&self, name: &str) -> Result<PathBuf, ModelError> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if name.is_empty() || name.starts_with('.') || !name.bytes().all(fits) {
            return Err(ModelError::Name(name.into()));
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
    pub fn expect_deletes(&self, asked: DeleteRule) -> Result<(), ModelError> {
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
    pub fn traffic(&self) -> Result<Traffic, ModelError> {
        let Trained { world, config, .. } = &self.trained;
        let task = Task::new(world.index.clone(), config)?;
        let until = world.n_facts_before(task.time_of(task.split.train_end));
        Ok(Traffic::of(world.facts(), until, config.train.batch))
    }

    /// Ranks the links of a part, beside the rules, once a freshness.
    pub fn evaluate(
        &self,
        part: Part,
        freshness: &[Freshness],
        mut progress: impl FnMut(LearnProgress),
    ) -> Result<Vec<Evaluation>, ModelError> {
        let Trained { model, world, config, .. } = &self.trained;
        let task = Task::new(world.index.clone(), config)?;
        let links = match part {
            Part::Validation => task.split.train_end..task.split.val_end,
            Part::Test => task.split.val_end..task.split.end,
        };
        let evaluate = |&fresh: &Freshness| {
            timeweft_learn::evaluate(model, world, &task, config, links.clone(), fresh, &mut progress)
        };
        Ok(freshness.iter().map(evaluate).collect())
    }

    /// Whether explanations are true: curves over at most `links` links of the test part, of five stretches, each as of before its
    /// first. Empty for a model that reads no neighbours.
    pub fn faithfulness(&self, links: usize) -> Result<Vec<Curves>, ModelError> {
        let Trained { world, config, .. } = &self.trained;
        if config.model.gnn == GnnKind::None {
            return Ok(Vec::new());
        }
        let task = Task::new(world.index.clone(), config)?;
        let test = task.split.val_end..task.split.end;
        Ok(timeweft_learn::curves(&self.trained, &timeweft_learn::stretches(&task, test, links)))
    }

    /// The likeliest destinations of new edges of `relation` from `source` at a time, best first; from a model of removals
    /// those of its edges that are the likeliest to be removed. `destination_type` is needed only where the relation ends at
    /// several types.
    pub fn predict(
        &self,
        relation: &str,
        source: &NodeKey,
        destination_type: Option<&str>,
        time: Time,
        top: usize,
    ) -> Result<Vec<Prediction>, ModelError> {
        if self.predicts() == Predict::Gone {
            return Err(self.other_question("what edges of a node do", Predict::Created));
        }
        let node = self.alive(source, time)?;
        let edge_type = self.edge_type(relation, source, destination_type)?;
        Ok(self.predictions(self.trained.predict(edge_type, node, time, top)))
    }

    /// The nodes of a type that are the likeliest to be deleted or merged next, best first.
    pub fn predict_gone(&self, node_type: &str, time: Time, top: usize) -> Result<Vec<Prediction>, ModelError> {
        if self.predicts() != Predict::Gone {
            return Err(self.other_question("which nodes go", Predict::Gone));
        }
        let schema = self.index().schema();
        let known = schema.node_type(node_type).ok_or_else(|| ModelError::UnknownType {
            asked: node_type.into(),
            known: schema.node_types().iter().map(|of| of.name.to_string()).collect(),
        })?;
        self.trained_for(node_type)?;
        Ok(self.predictions(self.trained.predict_gone(known, time, top)))
    }

    /// Scores of links, each at its own time with what was strictly before it; `None` for one that the model cannot be asked
    /// about, because an end is not alive just before or it was not trained for the relation. The log is read once.
    pub fn score(&self, links: &[(EdgeKey, Time)]) -> Result<Vec<Option<f32>>, ModelError> {
        if self.predicts() == Predict::Gone {
            return Err(self.other_question("what edges of a node do", Predict::Created));
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
    pub fn nearest(
        &self,
        node: &NodeKey,
        time: Time,
        space: Space,
        top: usize,
    ) -> Result<Vec<(NodeKey, f32)>, ModelError> {
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
        let edge_types = self.index().schema().edge_types().iter();
        let mut names: Vec<String> = edge_types.map(|of| of.relation.to_string()).collect();
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
        let all = self.index().schema().node_types().iter().map(|of| of.name.to_string());
        if train.targets.is_empty() { all.collect() } else { train.targets.clone() }
    }

    /// What it predicts.
    pub fn predicts(&self) -> Predict {
        self.config().train.predict
    }

    pub(crate) fn other_question(&self, asked: &'static str, wanted: Predict) -> ModelError {
        ModelError::OtherQuestion { predicts: self.predicts(), asked, wanted }
    }

    fn predictions(&self, found: Vec<timeweft_learn::Prediction>) -> Vec<Prediction> {
        let named = |prediction: timeweft_learn::Prediction| Prediction {
            destination: self.index().node_key(prediction.node),
            score: prediction.logit,
            probability: prediction.probability,
        };
        found.into_iter().map(named).collect()
    }

    pub(crate) fn index(&self) -> &Arc<Index> {
        &self.trained.world.index
    }

    pub(crate) fn alive(&self, key: &NodeKey, time: Time) -> Result<NodeIndex, ModelError> {
        let index = self.index();
        let node = index.node_index(key).ok_or_else(|| ModelError::UnknownNode(key.clone()))?;
        if !index.alive(node, time.before()) {
            let time = index.schema().unit().format(time);
            return Err(ModelError::NotAlive { node: key.clone(), time });
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
        let fitting: Vec<_> = (0..).zip(schema.edge_types()).filter(|(_, edge)| fits(edge)).collect();
        match fitting.as_slice() {
            [] => Err(ModelError::UnknownRelation {
                asked: format!("{} -{relation}-> {}", source.node_type, destination_type.unwrap_or("anything")),
                known: (0..schema.edge_types().len())
                    .map(|id| schema.owner_name(timeweft_graph::Owner::Edge(EdgeTypeId(id as u16))))
                    .collect(),
            }),
            [(id, _)] => self.trained_for(relation).map(|()| EdgeTypeId(*id)),
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
