//! One line in one pass, without an allocation a record. What is not right in every respect is left to the careful
//! reader, which knows what to say; so an error here never reaches anyone.

mod head;
mod values;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use timeweft_graph::{EdgeSpan, Interval, NodeSpan, Record, Sink, SpanRows, Time};

use self::head::{Key, set};
use self::values::{FeatureMap, Scratch};
use crate::interval_format::draft::{Draft, GivenTimes};

/// Buffers that are used again for every line.
#[derive(Default)]
pub(super) struct Quick {
    of_node: Draft,
    of_edges: Draft,
    edges: Vec<FoundEdge>,
    scratch: Scratch,
}

/// What stands in the line itself.
#[derive(Default)]
struct FoundNode {
    id: Option<u64>,
    node_type: Option<u32>,
    weight: Option<f32>,
    times: GivenTimes,
    has_edges: Option<()>,
    has_neighbors: Option<()>,
}

/// An edge of the line.
#[derive(Default)]
struct FoundEdge {
    source: Option<u64>,
    destination: Option<u64>,
    edge_type: Option<u32>,
    weight: Option<f32>,
    times: GivenTimes,
    /// End of its values; they begin where those of the edge before end.
    values: usize,
}

impl Quick {
    /// Reads a line into rows. `None`: nothing was pushed, and the careful reader must look.
    pub(super) fn read(&mut self, text: &str, line: u64, rows: &mut SpanRows) -> Option<()> {
        self.of_node.clear();
        self.of_edges.clear();
        self.edges.clear();
        let mut node = FoundNode::default();
        let mut json = serde_json::Deserializer::from_str(text);
        Line { quick: self, node: &mut node }.deserialize(&mut json).ok()?;
        json.end().ok()?;
        let mark = rows.mark();
        let pushed = self.push(&node, line, rows);
        if pushed.is_none() {
            rows.rewind(mark);
        }
        pushed
    }

    fn push(&mut self, node: &FoundNode, line: u64, rows: &mut SpanRows) -> Option<()> {
        let (id, weight) = (node.id?, Some(node.weight.filter(|weight| weight.is_finite())?));
        node.has_edges?;
        let life = node.times.within(Interval::open(Time(0))).ok()?;
        let values = self.of_node.settle(0..self.of_node.mark(), life).ok()?;
        rows.record(Record::NodeSpan(NodeSpan { id, node_type: node.node_type?, weight, life }, values), line);
        let mut first = 0;
        for (position, edge) in (1..).zip(&self.edges) {
            let life = edge.times.within(life).ok()?;
            let values = self.of_edges.settle(first..edge.values, life).ok()?;
            first = edge.values;
            let edge = EdgeSpan {
                source: edge.source.filter(|source| *source == id)?,
                destination: edge.destination?,
                edge_type: edge.edge_type?,
                weight: edge.weight.filter(|weight| weight.is_finite())?,
                life,
                starts_by_default: edge.times.created.is_none(),
                position,
            };
            rows.record(Record::EdgeSpan(edge, values), line);
        }
        Some(())
    }
}

/// The whole line.
struct Line<'a> {
    quick: &'a mut Quick,
    node: &'a mut FoundNode,
}

impl<'de> DeserializeSeed<'de> for Line<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Line<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a node")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Line { quick, node } = self;
        while let Some(key) = map.next_key()? {
            match key {
                Key::NodeId => set(&mut node.id, map.next_value()?)?,
                Key::NodeType => set(&mut node.node_type, map.next_value()?)?,
                Key::NodeWeight => set(&mut node.weight, map.next_value()?)?,
                Key::CreatedAt => set(&mut node.times.created, map.next_value()?)?,
                Key::RemovedAt => set(&mut node.times.removed, map.next_value()?)?,
                Key::Edge => {
                    set(&mut node.has_edges, ())?;
                    let (draft, scratch) = (&mut quick.of_edges, &mut quick.scratch);
                    map.next_value_seed(Edges { draft, scratch, edges: &mut quick.edges })?;
                }
                Key::Neighbor => {
                    set(&mut node.has_neighbors, ())?;
                    map.next_value::<IgnoredAny>()?;
                }
                Key::Feature(form) => {
                    let (draft, scratch) = (&mut quick.of_node, &mut quick.scratch);
                    map.next_value_seed(FeatureMap { form, draft, scratch })?;
                }
                _ => return Err(A::Error::custom("a member that nodes do not have")),
            }
        }
        Ok(())
    }
}

/// The list of edges.
struct Edges<'a> {
    draft: &'a mut Draft,
    scratch: &'a mut Scratch,
    edges: &'a mut Vec<FoundEdge>,
}

impl<'de> DeserializeSeed<'de> for Edges<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Edges<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list of edges")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Edges { draft, scratch, edges } = self;
        while let Some(edge) = list.next_element_seed(Edge { draft, scratch })? {
            edges.push(edge);
        }
        Ok(())
    }
}

/// One edge.
struct Edge<'a> {
    draft: &'a mut Draft,
    scratch: &'a mut Scratch,
}

impl<'de> DeserializeSeed<'de> for Edge<'_> {
    type Value = FoundEdge;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<FoundEdge, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Edge<'_> {
    type Value = FoundEdge;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an edge")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FoundEdge, A::Error> {
        let mut edge = FoundEdge::default();
        while let Some(key) = map.next_key()? {
            match key {
                Key::SrcId => set(&mut edge.source, map.next_value()?)?,
                Key::DstId => set(&mut edge.destination, map.next_value()?)?,
                Key::EdgeType => set(&mut edge.edge_type, map.next_value()?)?,
                Key::Weight => set(&mut edge.weight, map.next_value()?)?,
                Key::CreatedAt => set(&mut edge.times.created, map.next_value()?)?,
                Key::RemovedAt => set(&mut edge.times.removed, map.next_value()?)?,
                Key::Feature(form) => {
                    map.next_value_seed(FeatureMap { form, draft: self.draft, scratch: self.scratch })?;
                }
                _ => return Err(A::Error::custom("a member that edges do not have")),
            }
        }
        edge.values = self.draft.mark();
        Ok(edge)
    }
}
