//! Roots that are one: a node's embedding changes when something happens at it or at one of its neighbors, not with every
//! question.
//!
//! Equations: `docs/model.md#neighborhood-attention`.

use rustc_hash::FxHashMap;
use timeweft_graph::{NodeIndex, Time};

use crate::model::gnn::neighborhood::{Root, sample};
use crate::{GraphContext, Query};

/// The distinct roots of some questions.
pub(crate) struct DistinctRoots<'a> {
    graph: &'a GraphContext,
    /// The earliest time strictly before which a question knows everything.
    first: Time,
    /// When something happened at a node from then on, as far as any question knows.
    touched: FxHashMap<NodeIndex, Vec<Time>>,
    nodes: FxHashMap<NodeIndex, Versions>,
    /// The roots, in the order in which they were first asked for.
    pub(crate) roots: Vec<Root>,
}

/// The versions of a node's embedding.
#[derive(Default)]
struct Versions {
    /// When one ends and the next begins.
    changes: Vec<Time>,
    /// The root of each, one more than changes; `NONE` if nobody asked for it.
    roots: Vec<u32>,
}

const NONE: u32 = u32::MAX;

impl<'a> DistinctRoots<'a> {
    /// For questions that are known.
    pub(crate) fn of(graph: &'a GraphContext, queries: &[Query]) -> DistinctRoots<'a> {
        let times = || queries.iter().map(|query| query.as_of);
        let (first, last) = (times().min().unwrap_or(Time::MIN), times().max().unwrap_or(Time::MIN));
        let mut touched: FxHashMap<NodeIndex, Vec<Time>> = FxHashMap::default();
        for fact in &graph.facts()[graph.n_facts_before(first)..graph.n_facts_before(last)] {
            for node in [fact.source, fact.destination] {
                touched.entry(node).or_default().push(fact.time);
            }
        }
        DistinctRoots { graph, first, touched, nodes: FxHashMap::default(), roots: Vec::new() }
    }

    /// The number of the root that a node is to a question.
    pub(crate) fn root(&mut self, node: NodeIndex, as_of: Time) -> u32 {
        let DistinctRoots { graph, first, touched, nodes, roots } = self;
        let versions = nodes.entry(node).or_insert_with(|| {
            let changes = changes(graph, node, *first, touched);
            Versions { roots: vec![NONE; changes.len() + 1], changes }
        });
        let version = versions.changes.partition_point(|&change| change < as_of);
        let root = &mut versions.roots[version];
        if *root == NONE {
            *root = roots.len() as u32;
            // All that the version knows, and nothing later.
            let as_of = version.checked_sub(1).map_or(*first, |last| just_behind(versions.changes[last]));
            roots.push(Root { node, as_of });
        }
        *root
    }
}

/// The first time strictly before which something is known.
fn just_behind(time: Time) -> Time {
    Time(time.0.saturating_add(1))
}

/// When the embedding of a node changes, in order: when something happens at it or at a node that it reads.
fn changes(graph: &GraphContext, node: NodeIndex, first: Time, touched: &FxHashMap<NodeIndex, Vec<Time>>) -> Vec<Time> {
    if touched.is_empty() {
        return Vec::new();
    }
    let times_of = |node: NodeIndex| touched.get(&node).map_or(&[][..], Vec::as_slice);
    // Whom a node reads changes only when something happens at itself.
    let read_by = |node: NodeIndex| {
        let versions = std::iter::once(first).chain(times_of(node).iter().map(|&time| just_behind(time)));
        versions.flat_map(move |as_of| sample(graph, Root { node, as_of })).map(|neighbor| neighbor.node)
    };
    let (mut read, mut reached) = (vec![node], vec![node]);
    for _ in 0..graph.config().layers {
        reached = distinct(reached.into_iter().flat_map(read_by).collect());
        read.extend_from_slice(&reached);
    }
    distinct(distinct(read).into_iter().flat_map(times_of).copied().collect())
}

fn distinct<T: Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort_unstable();
    values.dedup();
    values
}
