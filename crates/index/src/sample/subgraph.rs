//! The subgraph that training reads around roots: the hops of [`Index::fan_out`], relabelled.
//!
//! Roots are taken in parts, each with a table of what it has seen that stays in a near cache; the parts are put together by
//! hop, so that neither threads nor parts show.
//!
//! Slow reference: [`Index::fan_out`] and a map (`subgraphs_equal_fan_out`).

mod part;
mod places;

use timeweft_graph::{Direction, EdgeIndex, EdgeTypeId, NodeIndex, NodeTypeId, Time};

use self::part::{EdgeRow, NodeRow, Part};
use super::fan_out::HopTime;
use super::random;
use super::sampling::Sampling;
use super::scope::{NO_NODE, Roots, SampleError};
use crate::parallel::{Gather, share};
use crate::{Index, NONE};

/// How far a subgraph reaches.
#[derive(Clone, Copy, Debug)]
pub struct Hops<'a> {
    /// How many neighbors each node of a hop has at most.
    pub sizes: &'a [usize],
    /// As of when the edges of later hops are seen.
    pub time: HopTime,
    /// Whether roots share what they see at one time. Otherwise each root has nodes of its own.
    pub joint: bool,
}

impl Hops<'_> {
    /// What stands for the position of a root where roots are joint: the random numbers of a node are then those of a root at
    /// this position, so that what it draws as of a time depends on the seed and the hop, and not on the roots beside it.
    pub fn key(node: NodeIndex, time: Time) -> u64 {
        random::key(node, time)
    }
}

/// Stands where there is no type, since there is no node.
pub(crate) const NO_TYPE: NodeTypeId = NodeTypeId(u16::MAX);

/// What was sampled around roots. A node is there once for each root that reaches it, and each time as of which it is asked; with
/// [`Hops::joint`] once for each time. Its own neighbors are sampled once, where it is first seen. Nodes of a type
/// come in order of first sight: the roots, then those of the first hop, in the order of its slots, and so on. So do edges.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Subgraph {
    /// Nodes of each type, in the order of the schema.
    pub nodes: Vec<SubgraphNodes>,
    /// Edges of each type in the order of the schema: those sampled from their sources, then those from their destinations.
    pub edges: Vec<SubgraphEdges>,
    /// The type of each root; 65535 for [`NO_NODE`].
    pub root_types: Vec<NodeTypeId>,
    /// Where each root stands among the nodes of its type; 2^32 - 1 for [`NO_NODE`].
    pub root_places: Vec<u32>,
}

/// The nodes of one type. Entries of one position are of one node.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SubgraphNodes {
    /// Dense numbers in the graph.
    pub nodes: Vec<NodeIndex>,
    /// As of when each is asked: by [`HopTime`] the time of its root, or that of the edge that led there.
    pub times: Vec<Time>,
    /// The position of the root that reached it, the first of them with [`Hops::joint`].
    pub roots: Vec<u32>,
    /// How many there are up to each hop; the roots are the first.
    pub ends: Vec<u32>,
}

/// The edges of one type sampled from one side. Entries of one position are of one edge.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SubgraphEdges {
    /// Their type.
    pub edge_type: EdgeTypeId,
    /// Which end they were sampled from; the neighbor is the other one.
    pub direction: Direction,
    /// Where each starts, among the nodes of the type of its source.
    pub sources: Vec<u32>,
    /// Where each ends, among the nodes of the type of its destination.
    pub destinations: Vec<u32>,
    /// Lives of edges, by number.
    pub edges: Vec<EdgeIndex>,
    /// When each was created.
    pub created: Vec<Time>,
    /// The position of the root that reached it, the first of them with [`Hops::joint`].
    pub roots: Vec<u32>,
    /// How many there are up to each hop.
    pub ends: Vec<u32>,
}

/// Slots of a part: enough to be worth another thread, and few enough for the caches.
const SLOTS: usize = 4096;

/// The most parts.
const PARTS: usize = 512;

impl Index {
    /// Samples the subgraph around roots. A root that is asked twice is there twice, unless [`Hops::joint`] and the times are
    /// equal. A root that is [`NO_NODE`] keeps its position, and nothing is there of it. Of `sampling`, `k` and quotas are not
    /// looked at, and where roots are joint not [`Sampling::first_root`]: then random numbers are by [`Hops::key`].
    ///
    /// ```
    /// use timeweft_graph::{Action, EdgeKey, Element, Event, NodeKey, Schema, Time};
    /// use timeweft_index::Index;
    /// use timeweft_index::sample::{AsOf, Choice, EdgeTypes, HopTime, Hops, Roots, Sampling, Scope, Side, Subgraph};
    ///
    /// let mut index = Index::new(Schema::default());
    /// let key = |id: u64| NodeKey::new("page", id);
    /// for id in 0..3 {
    ///     index.apply(&Event::new(Time(0), Action::Create, Element::Node(key(id))), &"".into()).unwrap();
    /// }
    /// for (source, destination, time) in [(1, 0, 1), (2, 1, 2), (2, 0, 3)] {
    ///     let edge = EdgeKey { source: key(source), relation: "links".into(), destination: key(destination), key: None };
    ///     index.apply(&Event::new(Time(time), Action::Create, Element::Edge(edge)), &"".into()).unwrap();
    /// }
    /// let root = index.node_index(&key(0)).unwrap();
    /// let sampling = Sampling::new(Scope::new(EdgeTypes::All, Side::In, AsOf::Before), Choice::Last, 0);
    /// let hops = Hops { sizes: &[2, 2], time: HopTime::Root, joint: false };
    /// let mut subgraph = Subgraph::default();
    /// index.subgraph(&sampling, &hops, Roots::new(&[root], &[Time(9)])?, &mut subgraph)?;
    /// // The root is page 0; the newest of its neighbors is page 2.
    /// assert_eq!(subgraph.nodes[0].nodes.iter().map(|node| index.node_key(*node)).collect::<Vec<_>>(), [0, 2, 1].map(key));
    /// let links = &subgraph.edges[1];
    /// assert_eq!((&links.sources[..], &links.destinations[..]), (&[1, 2, 1][..], &[0, 0, 2][..]));
    /// # Ok::<(), timeweft_index::sample::SampleError>(())
    /// ```
    ///
    /// # Errors
    /// If the graph does not have a root that is not [`NO_NODE`], the weight is no feature of one number, the window is
    /// empty, or there may be 2^32 nodes.
    pub fn subgraph(
        &self,
        sampling: &Sampling,
        hops: &Hops<'_>,
        roots: Roots<'_>,
        out: &mut Subgraph,
    ) -> Result<(), SampleError> {
        self.check_roots(roots)?;
        let slots = slots_of_root(hops.sizes);
        if slots.saturating_mul(roots.len()) >= u32::MAX as usize {
            let (value, wanted) = (format!("{:?}", hops.sizes), "so small that all roots have less than 2^32 slots");
            return Err(SampleError::Range { what: "sizes", value, wanted });
        }
        // What a first question makes is made before there are parts: they would wait for each other.
        self.adjacency();
        self.weights(&sampling.weight)?;
        let grain = (SLOTS / slots).max(roots.len() / PARTS).max(1);
        let mut parts = Parts(Vec::new());
        let part = |(roots, start): (Roots<'_>, u64), parts: &mut Parts| {
            parts.0.push(Part::of(self, sampling, hops, (start as u32, roots)));
        };
        if hops.joint {
            part((roots, 0), &mut parts)
        } else {
            share((roots, 0), grain, &mut parts, &part)
        }
        let parts: Vec<Part> = parts.0.into_iter().collect::<Result<_, _>>()?;
        out.put_together(self, &parts, hops.sizes.len());
        Ok(())
    }

    fn check_roots(&self, roots: Roots<'_>) -> Result<(), SampleError> {
        match roots.nodes.iter().find(|node| node.at() >= self.n_nodes() && **node != NO_NODE) {
            None => Ok(()),
            Some(node) => {
                let wanted = "the number of a node of the graph, or NO_NODE";
                Err(SampleError::Range { what: "roots", value: node.0.to_string(), wanted })
            }
        }
    }
}

/// A root, and all slots of its hops.
fn slots_of_root(sizes: &[usize]) -> usize {
    let mut width = 1usize;
    sizes.iter().fold(1, |slots: usize, k| {
        width = width.saturating_mul(*k);
        slots.saturating_add(width)
    })
}

struct Parts(Vec<Result<Part, SampleError>>);

impl Gather for Parts {
    fn empty(&self) -> Parts {
        Parts(Vec::new())
    }
    fn append(&mut self, mut next: Parts) {
        self.0.append(&mut next.0);
    }
}

impl Subgraph {
    /// Puts parts side by side, one hop after the other.
    fn put_together(&mut self, index: &Index, parts: &[Part], hops: usize) {
        let schema = index.schema();
        self.nodes.resize_with(schema.node_types().len(), SubgraphNodes::default);
        let mut places: Vec<Vec<Vec<u32>>> = Vec::with_capacity(self.nodes.len());
        for (of_type, nodes) in self.nodes.iter_mut().enumerate() {
            places.push(nodes.put_together(parts, of_type, hops));
        }
        let groups = schema.edge_types().len() * 2;
        self.edges.truncate(groups);
        for group in 0..groups {
            let (edge_type, direction) = (EdgeTypeId((group / 2) as u16), direction_of(group));
            if self.edges.len() == group {
                self.edges.push(SubgraphEdges::new(edge_type, direction));
            }
            let ends = &schema.edge_types()[edge_type.at()];
            let ends = (&places[ends.source.at()][..], &places[ends.destination.at()][..]);
            self.edges[group].put_together(parts, group, hops, ends);
        }
        self.root_types.clear();
        self.root_places.clear();
        for (at, part) in parts.iter().enumerate() {
            self.root_types.extend(part.roots.iter().map(|(of_type, _)| *of_type));
            let place = |(of_type, place): &(NodeTypeId, u32)| match *place {
                NONE => NONE,
                place => places[of_type.at()][at][place as usize],
            };
            self.root_places.extend(part.roots.iter().map(place));
        }
    }
}

/// Edges lie by type and side.
fn group_of(edge_type: EdgeTypeId, direction: Direction) -> usize {
    edge_type.at() * 2 + usize::from(direction == Direction::In)
}

fn direction_of(group: usize) -> Direction {
    if group.is_multiple_of(2) { Direction::Out } else { Direction::In }
}

impl SubgraphNodes {
    /// Takes in the nodes of parts; says where each node of each part came to stand.
    fn put_together(&mut self, parts: &[Part], of_type: usize, hops: usize) -> Vec<Vec<u32>> {
        self.nodes.clear();
        self.times.clear();
        self.roots.clear();
        self.ends.clear();
        let mut places: Vec<Vec<u32>> =
            parts.iter().map(|part| Vec::with_capacity(part.nodes[of_type].rows.len())).collect();
        for hop in 0..=hops {
            for (part, places) in parts.iter().zip(&mut places) {
                let rows = part.nodes[of_type].of_hop(hop);
                let start = self.nodes.len() as u32;
                places.extend(start..start + rows.len() as u32);
                self.nodes.extend(rows.iter().map(|row: &NodeRow| row.node));
                self.times.extend(rows.iter().map(|row| row.time));
                self.roots.extend(rows.iter().map(|row| row.root));
            }
            self.ends.push(self.nodes.len() as u32);
        }
        places
    }
}

impl SubgraphEdges {
    fn new(edge_type: EdgeTypeId, direction: Direction) -> SubgraphEdges {
        SubgraphEdges {
            edge_type,
            direction,
            sources: Vec::new(),
            destinations: Vec::new(),
            edges: Vec::new(),
            created: Vec::new(),
            roots: Vec::new(),
            ends: Vec::new(),
        }
    }

    fn put_together(
        &mut self,
        parts: &[Part],
        group: usize,
        hops: usize,
        (sources, destinations): (&[Vec<u32>], &[Vec<u32>]),
    ) {
        let SubgraphEdges { sources: starts, destinations: stops, edges, created, roots, ends, direction, .. } = self;
        [&mut *starts, &mut *stops, &mut *roots, &mut *ends].into_iter().for_each(Vec::clear);
        edges.clear();
        created.clear();
        for hop in 0..hops {
            for (at, part) in parts.iter().enumerate() {
                let rows = part.edges[group].of_hop(hop);
                let ends = |row: &EdgeRow| {
                    if *direction == Direction::Out { (row.near, row.far) } else { (row.far, row.near) }
                };
                starts.extend(rows.iter().map(|row| sources[at][ends(row).0 as usize]));
                stops.extend(rows.iter().map(|row| destinations[at][ends(row).1 as usize]));
                edges.extend(rows.iter().map(|row| row.edge));
                created.extend(rows.iter().map(|row| row.created));
                roots.extend(rows.iter().map(|row| row.root));
            }
            ends.push(edges.len() as u32);
        }
    }
}
