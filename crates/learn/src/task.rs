//! The learning task: which links of a graph are predicted, from which candidates, in which parts.

use std::ops::Range;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use timeweft_graph::{Action, Direction, EdgeTypeId, NodeIndex, Time};
use timeweft_index::{Fact, Index};

use crate::{Config, Freshness, LearnError, Query, Split, candidates};

/// A new edge that is to be predicted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Link {
    /// Type of the edge.
    pub edge_type: EdgeTypeId,
    /// The side that the asking node is on: `Out` asks where an edge goes, `In` where it comes from.
    pub direction: Direction,
    /// The asking node: the edge's source, or its destination if it is asked for the other way round.
    pub source: NodeIndex,
    /// The node at the other end: the answer.
    pub destination: NodeIndex,
    /// When it appears.
    pub time: Time,
    /// Position of its fact among all facts.
    pub fact: usize,
}

impl Link {
    /// The question that this link answers, about a candidate, with the knowledge of before `as_of`.
    pub fn question(&self, destination: NodeIndex, as_of: Time) -> Query {
        let Link { edge_type, direction, source, time, .. } = *self;
        Query { edge_type, direction, source, destination, time, as_of }
    }
}

/// A graph as a stream of facts, with the links among them that are predicted.
#[derive(Clone)]
pub struct Task {
    /// The graph, pinned to a commit.
    pub index: Arc<Index>,
    /// Predicted links, in order of (time, position).
    pub links: Vec<Link>,
    /// The three parts of the links.
    pub split: Split,
    /// Whether batches are counted from the start of a part.
    batches_from_part: bool,
    /// Sorted candidates of each edge type, outwards and inwards.
    pools: Vec<[Vec<NodeIndex>; 2]>,
    /// Answers of (edge type, direction, source) at exactly one time, the link's own among them: never counted as wrong.
    answers: FxHashMap<(EdgeTypeId, Direction, NodeIndex, Time), FxHashSet<NodeIndex>>,
}

impl Task {
    /// The task that a configuration sets on a graph.
    ///
    /// # Errors
    /// If a target relation is unknown, or too few links are there to split.
    pub fn new(index: Arc<Index>, config: &Config) -> Result<Task, LearnError> {
        let wanted = targets(&index, &config.train.targets)?;
        let links: Vec<Link> = (0..)
            .zip(index.facts())
            .filter(|(_, fact)| fact.action == Action::Create)
            .filter_map(|(position, fact)| {
                let (edge_type, _) = fact.edge.filter(|(edge_type, _)| wanted.contains(edge_type))?;
                let (source, destination, time) = (fact.source, fact.destination, fact.time);
                let link = Link { edge_type, direction: Direction::Out, source, destination, time, fact: position };
                let back = Link { direction: Direction::In, source: destination, destination: source, ..link };
                Some([Some(link), config.train.both_ends.then_some(back)])
            })
            .flatten()
            .flatten()
            .collect();
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
        let pools = pools(&index, config);
        let batches_from_part = config.evaluate.batches_from_part;
        Ok(Task { index, links, split, batches_from_part, pools, answers })
    }

    /// Everything that happens, in order of (time, position).
    pub fn facts(&self) -> &[Fact] {
        self.index.facts()
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
        self.pools.get(edge_type.at()).map_or(&[], |pools| &pools[usize::from(direction == Direction::In)])
    }

    /// Whether `(source, edge type)` also reaches `destination` at exactly this time.
    pub fn is_answer(&self, link: &Link, destination: NodeIndex) -> bool {
        self.answers
            .get(&(link.edge_type, link.direction, link.source, link.time))
            .is_some_and(|answers| answers.contains(&destination))
    }

    /// The candidates that link number `event` is ranked against.
    pub fn candidates(&self, event: usize, count: usize, seed: u64) -> Vec<NodeIndex> {
        let Some(link) = self.links.get(event) else { return Vec::new() };
        let pool = self.pool(link.edge_type, link.direction);
        if count == 0 {
            return pool.iter().copied().filter(|&node| !self.is_answer(link, node)).collect();
        }
        let truth = pool.iter().position(|&node| node == link.destination).unwrap_or(usize::MAX);
        candidates(event, truth, pool.len(), count, seed).into_iter().filter_map(|at| pool.get(at).copied()).collect()
    }
}

/// Candidates of each edge type, outwards and inwards.
fn pools(index: &Index, config: &Config) -> Vec<[Vec<NodeIndex>; 2]> {
    let mut by_type = vec![Vec::new(); index.schema().node_types().len()];
    if config.evaluate.all_nodes {
        (0..index.n_nodes() as u32).map(NodeIndex).for_each(|node| by_type[index.node_type(node).at()].push(node));
        by_type.iter_mut().for_each(|nodes| nodes.sort_by(|&a, &b| index.compare_nodes(a, b)));
    }
    (0..)
        .zip(index.schema().edge_types())
        .map(|(id, edge)| {
            let [destinations, sources] = match config.evaluate.all_nodes {
                true => [edge.destination, edge.source].map(|node_type| by_type[node_type.at()].clone()),
                false => [index.destinations(EdgeTypeId(id)), index.sources(EdgeTypeId(id))],
            };
            [destinations, if config.train.both_ends { sources } else { Vec::new() }]
        })
        .collect()
}

fn targets(index: &Index, names: &[String]) -> Result<FxHashSet<EdgeTypeId>, LearnError> {
    let edge_types = index.schema().edge_types();
    if let Some(unknown) = names.iter().find(|name| !edge_types.iter().any(|edge| *edge.relation == ***name)) {
        let known = edge_types.iter().map(|edge| edge.relation.to_string()).collect();
        return Err(LearnError::UnknownRelation { name: unknown.clone(), known });
    }
    let chosen = |relation: &str| names.is_empty() || names.iter().any(|name| name == relation);
    Ok((0..).zip(edge_types).filter(|(_, edge)| chosen(&edge.relation)).map(|(id, _)| EdgeTypeId(id)).collect())
}
