//! The order of keys, by number: elements come sorted by key, and no key is made for it.
//!
//! A list of a large graph sorts numbers of four bytes, and makes one element after the other from them.

use std::cmp::Ordering;

use timeweft_graph::{EdgeIndex, IdRef, NodeIndex};

use crate::Index;

/// With fewer edges than nodes divided by this, the order of all nodes is not worth its making.
const NODES_PER_EDGE: usize = 16;

impl Index {
    /// The order of two edges by their keys, which takes no copy of them. Two lives of one edge are equal.
    pub fn compare_edges(&self, a: EdgeIndex, b: EdgeIndex) -> Ordering {
        let [a, b] = [a, b].map(|edge| self.edges.get(edge));
        let sources = self.compare_nodes(a.source, b.source);
        let relations = || self.relation(a.edge_type).cmp(self.relation(b.edge_type));
        let destinations = || self.compare_nodes(a.destination, b.destination);
        let keys = || self.keys.get(a.key).cmp(&self.keys.get(b.key));
        sources.then_with(relations).then_with(destinations).then_with(keys)
    }

    /// Sorts nodes by their keys.
    pub(crate) fn sort_nodes(&self, nodes: &mut [NodeIndex]) {
        let types = ranks(self.schema.node_types().iter().map(|of| &of.name));
        // Type and kind of the id, and as much of it as eight bytes have: most comparisons need no look at the id itself.
        let head = |node: NodeIndex| {
            let of_type = types[self.nodes.node_type(node).at()] << 1;
            match self.nodes.id(node) {
                IdRef::Int(number) => (of_type, number),
                IdRef::Text(text) => (of_type | 1, first_bytes(text)),
            }
        };
        let mut heads: Vec<((u32, u64), NodeIndex)> = nodes.iter().map(|&node| (head(node), node)).collect();
        heads.sort_unstable_by(|(head, a), (other, b)| {
            head.cmp(other).then_with(|| self.nodes.id(*a).cmp(&self.nodes.id(*b)))
        });
        nodes.iter_mut().zip(heads).for_each(|(place, (_, node))| *place = node);
    }

    /// Sorts lives of edges by the keys of their edges, those of one edge by number.
    pub(crate) fn sort_edges(&self, edges: &mut Vec<EdgeIndex>) {
        if edges.len() < self.n_nodes() / NODES_PER_EDGE {
            edges.sort_unstable_by(|a, b| self.compare_edges(*a, *b).then(a.cmp(b)));
        } else {
            KeyOrder::of(self).sort(edges);
        }
    }
}

/// Where each node and relation stands in the order of keys.
struct KeyOrder<'a> {
    index: &'a Index,
    /// Place of each node.
    places: Vec<u32>,
    /// Rank of the relation of each edge type.
    relations: Vec<u32>,
}

impl<'a> KeyOrder<'a> {
    fn of(index: &'a Index) -> KeyOrder<'a> {
        let mut nodes: Vec<NodeIndex> = (0..index.n_nodes() as u32).map(NodeIndex).collect();
        index.sort_nodes(&mut nodes);
        let mut places = vec![0; nodes.len()];
        (0..).zip(nodes).for_each(|(place, node)| places[node.at()] = place);
        let relations = ranks(index.schema.edge_types().iter().map(|of| &of.relation));
        KeyOrder { index, places, relations }
    }

    /// Counts the edges of each source, puts them in order of sources, and then sorts those of one source after the other.
    fn sort(&self, edges: &mut Vec<EdgeIndex>) {
        let source = |edge: EdgeIndex| self.places[self.index.edges.get(edge).source.at()] as usize;
        let mut ends = vec![0u32; self.places.len() + 1];
        edges.iter().for_each(|&edge| ends[source(edge) + 1] += 1);
        (1..ends.len()).for_each(|at| ends[at] += ends[at - 1]);
        let mut sorted = vec![EdgeIndex(0); edges.len()];
        for &edge in edges.iter() {
            let end = &mut ends[source(edge)];
            sorted[*end as usize] = edge;
            *end += 1;
        }
        *edges = sorted;
        let (mut heads, mut start) = (Vec::new(), 0);
        for end in ends.into_iter().map(|end| end as usize) {
            self.sort_source(&mut edges[start..end], &mut heads);
            start = end;
        }
    }

    /// Sorts edges of one source by relation, destination, key and number.
    fn sort_source(&self, edges: &mut [EdgeIndex], heads: &mut Vec<(u32, u32, EdgeIndex)>) {
        if edges.len() < 2 {
            return;
        }
        heads.clear();
        heads.extend(edges.iter().map(|&edge| {
            let life = self.index.edges.get(edge);
            (self.relations[life.edge_type.at()], self.places[life.destination.at()], edge)
        }));
        let key = |edge: EdgeIndex| self.index.keys.get(self.index.edges.get(edge).key);
        heads.sort_unstable_by(|a, b| {
            let ends = (a.0, a.1).cmp(&(b.0, b.1));
            ends.then_with(|| key(a.2).cmp(&key(b.2))).then(a.2.cmp(&b.2))
        });
        edges.iter_mut().zip(heads).for_each(|(place, (.., edge))| *place = *edge);
    }
}

/// The rank of each name among them; equal names have equal ranks.
fn ranks<'n, N: Ord + 'n>(names: impl Iterator<Item = &'n N>) -> Vec<u32> {
    let names: Vec<&N> = names.collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    names.iter().map(|name| sorted.partition_point(|other| other < name) as u32).collect()
}

/// The first bytes of a text, in the order of texts.
fn first_bytes(text: &str) -> u64 {
    let mut bytes = [0; 8];
    bytes.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
    u64::from_be_bytes(bytes)
}
