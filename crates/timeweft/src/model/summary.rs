//! What there is to say about a model without its memory being read.

use timeweft_graph::{Commit, EdgeTypeId, NodeTypeId, Time};
use timeweft_index::Fact;
use timeweft_learn::{Checkpoint, Config, Epoch, Predict, SchemaMap, Unknown};

use super::ModelRecord;
use super::record::KeptEvaluation;
use crate::{Graph, Result, View};

/// A model in figures: [`Graph::model_summary`] reads the beginning of its file alone.
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
/// # graph.train("links", TrainOptions::new(config))?;
/// graph.load(&more).run()?;
/// let model = graph.model_summary("links", &graph.view())?;
/// assert_eq!((model.absorbed.0, model.behind), (1, 10), "ten facts came after its training");
/// assert_eq!(model.edge_types, [["node", "link", "node"]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ModelSummary {
    /// Name.
    pub name: String,
    /// How it was trained.
    pub config: Config,
    /// All epochs of its training.
    pub epochs: Vec<Epoch>,
    /// The epoch whose weights were kept, from 1.
    pub best_epoch: usize,
    /// How many numbers its weights are.
    pub n_weights: usize,
    /// Checksum of the weights.
    pub weights: u32,
    /// The commit that it was trained on; of a model of before that was written down, the one its memory is of.
    pub commit: Commit,
    /// When, in milliseconds since the epoch on the wall clock.
    pub trained: Option<i64>,
    /// The last time of the training part.
    pub trained_until: Time,
    /// The commit that its memory is of.
    pub absorbed: Commit,
    /// The first moment after everything that memory has taken in: "what comes next".
    pub next_time: Time,
    /// Facts that memory takes in to be of the view's commit.
    pub behind: usize,
    /// States of memory of before that its file keeps, for questions about the past: facts that each has taken in, and bytes.
    pub past: Vec<(usize, usize)>,
    /// The edge types that it predicts, as source, relation and destination; none for a model of nodes that go.
    pub edge_types: Vec<[String; 3]>,
    /// The types whose nodes it sees go; none for a model of edges.
    pub node_types: Vec<String>,
    /// What the view has and the model does not know.
    pub unknown: Unknown,
    /// How it ranked, the test part first, where that was kept.
    pub evaluations: Vec<KeptEvaluation>,
}

impl ModelSummary {
    /// Mean reciprocal rank of the validation links in the epoch that was kept; `None` without such links.
    pub fn mrr(&self) -> Option<f64> {
        let epoch = self.epochs.get(self.best_epoch.wrapping_sub(1))?;
        (epoch.validation.events > 0).then_some(epoch.validation.mrr)
    }
}

impl Graph {
    /// What there is to say about a model, beside the graph of a view.
    ///
    /// # Errors
    /// If there is no such model, or its file is none.
    pub fn model_summary(&self, name: &str, view: &View) -> Result<ModelSummary> {
        let file = self.model_file(name, view)?;
        let checkpoint = file.peek()?;
        let record = ModelRecord::beside(file.path(), &checkpoint);
        let absorbed = self.commit_of(&checkpoint, view.commit());
        let map = SchemaMap::new(view.schema(), &checkpoint.schema);
        let known = n_known(view, &map);
        let continues = checkpoint.continues(file.lineage()) && checkpoint.absorbed <= known;
        let behind = if continues { known - checkpoint.absorbed } else { known };
        let taken_in = if continues { checkpoint.absorbed } else { known };
        let last_taken_in = taken_in.checked_sub(1).and_then(|at| known_facts(view, &map).nth(at));
        let (edge_types, node_types) = predicted(view, &map, &checkpoint.config);
        let unknown = Unknown::new(view.schema(), &checkpoint.schema);
        let Checkpoint { config, epochs, best, n_weights, weights, past, .. } = checkpoint;
        let border = config.train.split_times.map(|[train_end, _]| Time(train_end));
        let last = || view.index().facts().last().map_or(Time(0), |fact| fact.time);
        Ok(ModelSummary {
            name: name.into(),
            trained_until: border.unwrap_or_else(last),
            best_epoch: best,
            commit: record.commit.or(absorbed).unwrap_or_default(),
            trained: record.trained,
            absorbed: absorbed.or(record.commit).unwrap_or_default(),
            next_time: last_taken_in.map_or(Time(0), |fact| Time(fact.time.0.saturating_add(1))),
            evaluations: record.evaluations,
            config,
            epochs,
            n_weights,
            weights,
            behind,
            past,
            edge_types,
            node_types,
            unknown,
        })
    }

    /// The latest commit, up to one, whose graph is made of the loads that a checkpoint's memory has taken in.
    fn commit_of(&self, checkpoint: &Checkpoint, newest: Commit) -> Option<Commit> {
        let has_as_many = |commit: &Commit| self.effective_log(*commit).len() == checkpoint.n_loads();
        let commits = (0..=newest.0).rev().map(Commit).filter(has_as_many);
        commits.into_iter().find(|commit| checkpoint.is_of(&self.lineage(*commit)))
    }
}

/// Facts of types that a model knows.
fn known_facts<'a>(view: &'a View, map: &'a SchemaMap) -> impl Iterator<Item = &'a Fact> {
    let index = view.index();
    index.facts().iter().filter(move |fact| match fact.edge {
        Some((edge_type, _)) => map.knows_edge(edge_type),
        None => map.knows_node(index.node_type(fact.source)),
    })
}

fn n_known(view: &View, map: &SchemaMap) -> usize {
    if map.knows_all_types() { view.index().facts().len() } else { known_facts(view, map).count() }
}

/// The edge types or node types that a model was trained for, by name.
fn predicted(view: &View, map: &SchemaMap, config: &Config) -> (Vec<[String; 3]>, Vec<String>) {
    let schema = view.schema();
    let targets = &config.train.targets;
    let wanted = |name: &str| targets.is_empty() || targets.iter().any(|target| target == name);
    if config.train.predict == Predict::Gone {
        let types = (0..).map(NodeTypeId).zip(schema.node_types());
        let known = types.filter(|(id, of)| map.knows_node(*id) && wanted(&of.name));
        return (Vec::new(), known.map(|(_, of)| of.name.to_string()).collect());
    }
    let types = (0..).map(EdgeTypeId).zip(schema.edge_types());
    let known = types.filter(|(id, of)| map.knows_edge(*id) && wanted(&of.relation));
    let name = |id| schema.node_type_name(id).to_string();
    let mut edges: Vec<[String; 3]> =
        known.map(|(_, of)| [name(of.source), of.relation.to_string(), name(of.destination)]).collect();
    edges.sort();
    (edges, Vec::new())
}
