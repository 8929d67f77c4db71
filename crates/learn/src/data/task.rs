//! The learning task: which links of a graph are predicted, from which candidates, in which parts.

use std::ops::Range;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use timeweft_graph::{Action, Direction, EdgeTypeId, NodeIndex, Schema, Time};
use timeweft_index::{Fact, Index};

use crate::data::negative_candidates::NegativeCandidates;
use crate::{Config, Freshness, LearnError, Link, Predict, Split, Subgraph, splitmix64};

/// A graph as a stream of facts, with the links among them that are predicted.
#[derive(Clone)]
pub struct Task {
    /// The graph, pinned to a commit.
    pub index: Arc<Index>,
    /// The part of it that the task is about.
    known: Arc<Subgraph>,
    /// Predicted links, in order of (time, position).
    pub links: Vec<Link>,
    /// The three parts of the links.
    pub split: Split,
    /// Whether batches are counted from the start of a part.
    batches_from_part: bool,
    /// What is predicted.
    pub(crate) predict: Predict,
    negative_candidates: NegativeCandidates,
    /// Answers of (edge type, direction, source) at exactly one time, the link's own among them: never counted as wrong.
    answers: FxHashMap<(EdgeTypeId, Direction, NodeIndex, Time), FxHashSet<NodeIndex>>,
}

impl Task {
    /// The task that a configuration sets on a graph.
    ///
    /// # Errors
    /// If a target relation is unknown, or too few links are there to split.
    pub fn new(index: Arc<Index>, config: &Config) -> Result<Task, LearnError> {
        let schema = index.schema().clone();
        Task::over(Arc::new(Subgraph::whole(index.clone())), index, &schema, config)
    }

    /// The task on what a model with a schema knows of a graph.
    pub(crate) fn over(
        known: Arc<Subgraph>,
        index: Arc<Index>,
        schema: &Schema,
        config: &Config,
    ) -> Result<Task, LearnError> {
        let links = links(&index, &known, schema, config)?;
        let times: Vec<i64> = links.iter().map(|link| link.time.0).collect();
        let split = match config.train.split_times {
            Some(last) => Split::by_time(&times, last),
            None => Split::by_share(&times, config.train.split),
        };
        if split.train_end < 2 || split.train_end >= split.end {
            return Err(LearnError::TooLittle { links: links.len() });
        }
        let mut answers: FxHashMap<_, FxHashSet<NodeIndex>> = FxHashMap::default();
        for link in &links {
            answers
                .entry((link.edge_type, link.direction, link.source, link.time))
                .or_default()
                .insert(link.destination);
        }
        let negative_candidates = NegativeCandidates::of(&index, config);
        let batches_from_part = config.evaluate.batches_from_part;
        Ok(Task {
            index,
            known,
            links,
            split,
            batches_from_part,
            predict: config.train.predict,
            negative_candidates,
            answers,
        })
    }

    /// Everything that happens, in order of (time, position).
    pub fn facts(&self) -> &[Fact] {
        self.known.facts()
    }

    /// The facts before a link's time: what was there when it appeared, and nothing of its own time.
    pub fn facts_before(&self, time: Time) -> Range<usize> {
        0..self.facts().partition_point(|fact| fact.time < time)
    }

    /// First link of the batch that link `event` of a part lies in; `None` at event freshness. Batches are counted over
    /// the whole stream, or from the start of the part where the configuration says so.
    pub fn batch_start(&self, event: usize, part_start: usize, freshness: Freshness) -> Option<usize> {
        let Freshness::Batch(size) = freshness else { return None };
        let origin = if self.batches_from_part && event >= part_start { part_start } else { 0 };
        Some(origin + (event - origin) / size.max(1) * size.max(1))
    }

    /// Time of the first link of a part that begins at link `from`; the end of time if there is none.
    pub fn time_of(&self, from: usize) -> Time {
        self.links.get(from).map_or(Time::FOREVER, |link| link.time)
    }

    /// The sorted nodes that a link's answer is looked for among: the distinct answers over the whole stream, or all nodes
    /// of their type where the configuration says so.
    pub fn pool(&self, edge_type: EdgeTypeId, direction: Direction) -> &[NodeIndex] {
        self.negative_candidates.pool(edge_type, direction)
    }

    /// Whether `(source, edge type)` also reaches `destination` at exactly this time.
    pub fn is_answer(&self, link: &Link, destination: NodeIndex) -> bool {
        self.answers
            .get(&(link.edge_type, link.direction, link.source, link.time))
            .is_some_and(|answers| answers.contains(&destination))
    }

    /// The candidates that link number `event` is ranked against; all that there are for a `count` of 0. Of a removed edge
    /// they are edges of its type, of a node that goes nodes of its type, that were there just before and stay.
    pub fn candidates(&self, event: usize, count: usize, seed: u64) -> Vec<Link> {
        let Some(link) = self.links.get(event) else { return Vec::new() };
        if count > 0 || self.predict != Predict::Created {
            return self.negative_candidates.ranked(&self.index, (event, link), count, seed);
        }
        let pool = self.pool(link.edge_type, link.direction).iter();
        let wrong = pool.filter(|&&node| !self.is_answer(link, node));
        wrong.map(|&destination| Link { destination, ..*link }).collect()
    }

    /// Exactly `count` wrong answers in place of a removed edge or of a node that goes, for training. Where there is none the
    /// link itself comes again, which teaches nothing.
    pub(crate) fn negatives(&self, link: &Link, count: usize, key: u64) -> Vec<Link> {
        let drawn = self.negative_candidates.draw(&self.index, link, count, |draw| splitmix64(key ^ draw));
        if drawn.is_empty() { vec![*link; count] } else { drawn }
    }
}

/// The links of a configuration's task, in order of (time, position). Targets are types of `known`, the schema of a model.
fn links(index: &Index, graph: &Subgraph, known: &Schema, config: &Config) -> Result<Vec<Link>, LearnError> {
    let (train, schema) = (&config.train, index.schema());
    let facts = || (0..).zip(graph.facts());
    let is_target = |name: &str| train.targets.is_empty() || train.targets.iter().any(|target| target == name);
    if train.predict == Predict::Gone {
        are_known("type of nodes", known.node_types().iter().map(|of| &*of.name), &train.targets)?;
        let wanted: Vec<bool> = schema.node_types().iter().map(|of| is_target(&of.name)).collect();
        // RelationIds are what a predictor has weights for.
        if known.edge_types().is_empty() {
            return Ok(Vec::new());
        }
        let gone = facts().filter(|(_, fact)| {
            let own = fact.action == Action::Delete && fact.edge.is_none();
            own && wanted[index.node_type(fact.source).at()]
        });
        let (edge_type, direction) = (graph.types().first_edge(), Direction::Out);
        let link = |(fact, &Fact { source, destination, time, .. })| Link {
            edge_type,
            direction,
            source,
            destination,
            time,
            fact,
        };
        return Ok(gone.map(link).collect());
    }
    are_known("relation", known.edge_types().iter().map(|of| &*of.relation), &train.targets)?;
    let wanted: Vec<bool> = schema.edge_types().iter().map(|of| is_target(&of.relation)).collect();
    let action = if train.predict == Predict::Removed { Action::Delete } else { Action::Create };
    let links = facts().filter(|(_, fact)| fact.action == action).filter_map(|(position, fact)| {
        let (edge_type, _) = fact.edge.filter(|(edge_type, _)| wanted[edge_type.at()])?;
        let (source, destination, time) = (fact.source, fact.destination, fact.time);
        let link = Link { edge_type, direction: Direction::Out, source, destination, time, fact: position };
        let back = Link { direction: Direction::In, source: destination, destination: source, ..link };
        Some([Some(link), train.both_ends.then_some(back)])
    });
    Ok(links.flatten().flatten().collect())
}

/// An error for a target that is none of some types.
fn are_known<'a>(
    what: &'static str,
    types: impl Iterator<Item = &'a str>,
    targets: &[String],
) -> Result<(), LearnError> {
    let mut known: Vec<String> = types.map(String::from).collect();
    let Some(unknown) = targets.iter().find(|name| !known.contains(name)) else { return Ok(()) };
    known.sort_unstable();
    known.dedup();
    Err(LearnError::UnknownTarget { what, name: unknown.clone(), known })
}
