//! Sampled neighbors of many nodes.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{Float64Array, UInt32Array};
use timeweft::read::features::Owners;
use timeweft::read::{EdgeIndex, EdgeTypeId, NodeIndex, NodeTypeId, Owner};
use timeweft::sample::{HopTime, NO_NODE, Roots, Samples, Sampling, Side};
use timeweft::{Time, View};

use crate::Result;
use crate::features::{self, FeatureColumns, Selected};
use crate::table::{Columns, IdKind, Table};

const NAMES: [&str; 12] =
    ["root", "hop", "slot", "parent", "type", "id", "relation", "direction", "key", "created", "weight", "time"];

/// How neighbors are sampled.
#[derive(Clone, Debug)]
pub struct SampleQuestion {
    /// Which edges, which choice, which seed; with quotas one hop is sampled, and `sizes` means nothing.
    pub sampling: Sampling,
    /// Neighbors a node of each hop.
    pub sizes: Vec<usize>,
    /// As of when further hops see the graph.
    pub hop_time: HopTime,
    /// Features of the edges, as of when they were seen.
    pub features: Selected,
}

/// Where an edge that leads to a node came from.
pub(crate) struct Ways<'a> {
    pub(crate) view: &'a View,
    pub(crate) side: Side,
    pub(crate) edges: &'a [EdgeIndex],
    pub(crate) from: &'a [NodeIndex],
}

impl Ways<'_> {
    /// Relation, direction as seen from where it came, and key of each edge; null where there is none.
    pub(crate) fn add_to(&self, columns: &mut Columns) {
        let (index, schema) = (self.view.index(), self.view.schema());
        let known = |row: usize| Some(self.edges[row]).filter(|edge| edge.at() < index.n_edges());
        columns.add_some_texts("relation", |row| {
            let (edge_type, ..) = index.edge_ends(known(row)?);
            Some(&schema.edge_types()[edge_type.at()].relation)
        });
        columns.add_some_texts("direction", |row| {
            let (_, source, _) = index.edge_ends(known(row)?);
            let is_out = self.side != Side::In && source == self.from[row];
            Some(if is_out { "out" } else { "in" })
        });
        columns.add_some_texts("key", |row| index.parallel_key(known(row)?).map(|key| &**key));
    }
}

/// The type and the id of each node.
pub(crate) fn add_nodes(columns: &mut Columns, view: &View, nodes: &[NodeIndex]) {
    let (index, schema) = (view.index(), view.schema());
    columns.add_texts("type", |row| &schema.node_types()[index.node_type(nodes[row]).at()].name);
    let types = (0..schema.node_types().len() as u16).map(NodeTypeId);
    columns.add_ids("id", index, IdKind::of(view, types), nodes);
}

/// The slots that hold a neighbor.
#[derive(Default)]
struct Found {
    roots: Vec<u32>,
    hops: Vec<u32>,
    slots: Vec<u32>,
    parents: Vec<Option<u32>>,
    nodes: Vec<NodeIndex>,
    from: Vec<NodeIndex>,
    edges: Vec<EdgeIndex>,
    created: Vec<Time>,
    weights: Vec<f64>,
    times: Vec<Time>,
}

/// Samples neighbors of nodes, each as of its time: a row a neighbor, by root, hop and slot. Empty slots have no row.
///
/// | column | type |
/// |---|---|
/// | `root` | `UInt32`: position among the roots, from 0 |
/// | `hop` | `UInt32`: from 1 |
/// | `slot` | `UInt32`: among those of the root in this hop |
/// | `parent` | `UInt32`: the slot of the hop before that it hangs on; null in the first hop |
/// | `type`, `id` | of the neighbor |
/// | `relation`, `direction`, `key` | `Utf8`: of the edge that led there; `out` if it goes out from where it was sampled |
/// | `created` | when the edge was created |
/// | `weight` | `Float64` |
/// | `time` | as of when the edge was seen; null: the end of time |
/// | features | as [`Selected`] says, of the edge |
///
/// # Errors
/// If it cannot be sampled so, or no edge has such a feature.
pub fn samples(view: &View, nodes: &[NodeIndex], times: &[Time], asked: &SampleQuestion) -> Result<Table> {
    let (index, scope) = (view.index(), &asked.sampling.scope);
    let roots = Roots::new(nodes, times).map_err(timeweft::Error::from)?;
    let mut hops: Vec<Samples> = Vec::new();
    let width = asked.sampling.width();
    let sizes = if asked.sampling.quotas.is_empty() { asked.sizes.clone() } else { vec![width] };
    if asked.sampling.quotas.is_empty() {
        index.fan_out(&asked.sampling, &sizes, asked.hop_time, roots, &mut hops).map_err(timeweft::Error::from)?;
    } else {
        hops.resize_with(1, Samples::default);
        index.sample(&asked.sampling, roots, hops[0].slots(nodes.len(), width)).map_err(timeweft::Error::from)?;
    }
    let found = Found::of(&hops, &sizes, nodes, times, asked.hop_time);
    let owners: Vec<Owner> = (0..view.schema().edge_types().len() as u16).map(EdgeTypeId).map(Owner::Edge).collect();
    let selected = FeatureColumns::of(view.schema(), &owners, &asked.features)?;
    let owners = |range: Range<usize>| {
        let owners = Owners::edges(&found.edges[range.clone()], &found.times[range], scope.as_of);
        Ok(owners.map_err(timeweft::Error::from)?.deletes(scope.deletes))
    };
    let read = selected.read(index, found.nodes.len(), owners, &NAMES)?;
    features::columns(read, |columns| found.add_to(columns, view, scope.side)).finish()
}

impl Found {
    fn of(hops: &[Samples], sizes: &[usize], nodes: &[NodeIndex], times: &[Time], hop_time: HopTime) -> Found {
        let seen = seen(hops, sizes, times, hop_time);
        let mut found = Found::default();
        for (root, node) in nodes.iter().enumerate() {
            let mut width = 1;
            for (hop, (samples, k)) in hops.iter().zip(sizes).enumerate() {
                width *= k;
                for slot in 0..width {
                    let at = root * width + slot;
                    if samples.neighbors[at] == NO_NODE {
                        continue;
                    }
                    let before = hop.checked_sub(1).map(|hop| &hops[hop]);
                    found.roots.push(root as u32);
                    found.hops.push(hop as u32 + 1);
                    found.slots.push(slot as u32);
                    found.parents.push(before.map(|_| (slot / k) as u32));
                    found.nodes.push(samples.neighbors[at]);
                    found.from.push(before.map_or(*node, |before| before.neighbors[at / k]));
                    found.edges.push(samples.edges[at]);
                    found.created.push(samples.created[at]);
                    found.weights.push(samples.weights[at]);
                    found.times.push(seen[hop][at]);
                }
            }
        }
        found
    }

    fn add_to(&self, columns: &mut Columns, view: &View, side: Side) {
        columns.add_numbers("root", self.roots.iter().copied());
        columns.add_numbers("hop", self.hops.iter().copied());
        columns.add_numbers("slot", self.slots.iter().copied());
        columns.add_array("parent", Arc::new(UInt32Array::from(self.parents.clone())), true);
        add_nodes(columns, view, &self.nodes);
        Ways { view, side, edges: &self.edges, from: &self.from }.add_to(columns);
        columns.add_times("created", view.unit(), &self.created);
        columns.add_array("weight", Arc::new(Float64Array::from(self.weights.clone())), false);
        columns.add_ends("time", view.unit(), &self.times);
    }
}

/// As of when the edge of each slot of each hop was seen.
fn seen(hops: &[Samples], sizes: &[usize], roots: &[Time], hop_time: HopTime) -> Vec<Vec<Time>> {
    let mut times: Vec<Vec<Time>> = Vec::with_capacity(hops.len());
    for (hop, k) in sizes.iter().enumerate().take(hops.len()) {
        let before = hop.checked_sub(1).map(|before| match hop_time {
            HopTime::Edge => hops[before].created.as_slice(),
            HopTime::Root => times[before].as_slice(),
        });
        let own = before.unwrap_or(roots).iter().flat_map(|time| std::iter::repeat_n(*time, *k)).collect();
        times.push(own);
    }
    times
}
