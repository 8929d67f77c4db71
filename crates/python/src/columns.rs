//! All nodes and edges as columns of numbers, for what turns a graph into tensors, and the types that they are of.

use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use timeweft::read::{EdgeIndex, Fact, FeatureKind, Index, NodeIndex, Owner};
use timeweft::{Action, Time};

use crate::arrays::{self, owned};
use crate::reads::moment;
use crate::view::View;

type Numbers<'py> = Bound<'py, PyArray1<u32>>;
type Ticks<'py> = Bound<'py, PyArray1<i64>>;
type Types<'py> = Bound<'py, PyArray1<u16>>;

/// Edges: number, type, source, destination, created, removed.
type EdgeArrays<'py> = (Numbers<'py>, Types<'py>, Numbers<'py>, Numbers<'py>, Ticks<'py>, Ticks<'py>);

/// Events of edges: time, action, edge, its type, source, destination.
type EventArrays<'py> = (Ticks<'py>, Bound<'py, PyArray1<u8>>, Numbers<'py>, Types<'py>, Numbers<'py>, Numbers<'py>);

/// The columns of edges, before they are arrays of NumPy.
#[derive(Default)]
struct Lives {
    edges: Vec<EdgeIndex>,
    types: Vec<u16>,
    sources: Vec<NodeIndex>,
    destinations: Vec<NodeIndex>,
    created: Vec<Time>,
    removed: Vec<Time>,
}

impl Lives {
    fn arrays(self, py: Python<'_>) -> EdgeArrays<'_> {
        (
            owned(py, self.edges),
            self.types.into_pyarray(py),
            owned(py, self.sources),
            owned(py, self.destinations),
            owned(py, self.created),
            owned(py, self.removed),
        )
    }
}

/// All lives of edges of some types that began by a time, by (created, number).
fn lives(index: &Index, edge_types: &[u16], until: Time) -> Lives {
    let wanted = wanted(index, edge_types);
    let mut found: Vec<(Time, EdgeIndex)> = (0..index.n_edges() as u32)
        .map(EdgeIndex)
        .filter(|&edge| wanted[index.edge_ends(edge).0.at()])
        .map(|edge| (index.edge_interval(edge), edge))
        .filter(|(life, _)| life.created <= until && life.created < life.removed)
        .map(|(life, edge)| (life.created, edge))
        .collect();
    if !found.is_sorted() {
        found.sort_unstable();
    }
    let mut lives = Lives::default();
    for (created, edge) in found {
        let (edge_type, source, destination) = index.edge_ends(edge);
        lives.edges.push(edge);
        lives.types.push(edge_type.0);
        lives.sources.push(source);
        lives.destinations.push(destination);
        lives.created.push(created);
        lives.removed.push(index.edge_interval(edge).removed);
    }
    lives
}

/// Which edge types are named, by their numbers.
fn wanted(index: &Index, edge_types: &[u16]) -> Vec<bool> {
    (0..index.schema().edge_types().len()).map(|at| edge_types.iter().any(|&known| usize::from(known) == at)).collect()
}

/// Whether an event is of an edge of these types that is seen for a tick at least, and happened by a time.
fn is_meant(index: &Index, fact: &Fact, wanted: &[bool], until: Time) -> bool {
    fact.time <= until
        && fact.edge.is_some_and(|(edge_type, edge)| {
            let life = index.edge_interval(edge);
            wanted[edge_type.at()] && life.created < life.removed
        })
}

fn code(action: Action) -> u8 {
    match action {
        Action::Create => 0,
        Action::Update => 1,
        Action::Delete => 2,
    }
}

#[pymethods]
impl View {
    /// Names of the node types, by their numbers.
    fn node_types(&self) -> Vec<String> {
        self.view.schema().node_types().iter().map(|of| of.name.to_string()).collect()
    }

    /// (Source type, relation, destination type) of the edge types, by their numbers.
    fn edge_types(&self) -> Vec<(String, String, String)> {
        let schema = self.view.schema();
        let name = |id| schema.node_type_name(id).to_string();
        let triple = |of: &timeweft::read::EdgeType| (name(of.source), of.relation.to_string(), name(of.destination));
        schema.edge_types().iter().map(triple).collect()
    }

    /// The features that a type of nodes, or of edges, has: name, kind, and the type of its elements where it is dense.
    fn feature_kinds(&self, of_edges: bool, number: u16) -> Vec<(String, String, Option<&'static str>)> {
        let of = if of_edges {
            Owner::Edge(timeweft::read::EdgeTypeId(number))
        } else {
            Owner::Node(timeweft::read::NodeTypeId(number))
        };
        let dtype = |kind| match kind {
            FeatureKind::Dense { dtype, .. } => Some(dtype.name()),
            _ => None,
        };
        let features = self.view.schema().features(of).iter();
        features.map(|def| (def.name.to_string(), def.kind.to_string(), dtype(def.kind))).collect()
    }

    /// The type of each of many nodes, whenever it was alive; 65535 of what the graph does not have.
    fn types_of_nodes<'py>(&self, py: Python<'py>, nodes: Numbers<'py>) -> PyResult<Types<'py>> {
        let nodes = arrays::read(&nodes, "nodes")?;
        let nodes: &[NodeIndex] = arrays::slice(&nodes)?;
        let types = self.read(py, |index| {
            let known =
                |node: &NodeIndex| if node.at() < index.n_nodes() { index.node_type(*node).0 } else { u16::MAX };
            Ok(nodes.iter().map(known).collect::<Vec<u16>>())
        })?;
        Ok(types.into_pyarray(py))
    }

    /// The nodes that a moment shows: number, type, created, removed.
    fn node_columns<'py>(
        &self,
        py: Python<'py>,
        tick: i64,
        soft: bool,
    ) -> PyResult<(Numbers<'py>, Types<'py>, Ticks<'py>, Ticks<'py>)> {
        let nodes = self.read(py, |index| Ok(index.node_columns(None, moment(tick, soft))))?;
        let types: Vec<u16> = nodes.types.iter().map(|of| of.0).collect();
        Ok((owned(py, nodes.nodes), types.into_pyarray(py), owned(py, nodes.created), owned(py, nodes.removed)))
    }

    /// The edges that a moment shows: number, type, source, destination, created, removed.
    fn edge_columns<'py>(&self, py: Python<'py>, tick: i64, soft: bool) -> PyResult<EdgeArrays<'py>> {
        let edges = self.read(py, |index| Ok(index.edge_columns(None, moment(tick, soft))))?;
        let types: Vec<u16> = edges.types.iter().map(|of| of.0).collect();
        Ok((
            owned(py, edges.edges),
            types.into_pyarray(py),
            owned(py, edges.sources),
            owned(py, edges.destinations),
            owned(py, edges.created),
            owned(py, edges.removed),
        ))
    }

    /// All lives of edges of some types that began by a time, by (created, number); as `edge_columns`.
    fn edge_lives<'py>(&self, py: Python<'py>, edge_types: Vec<u16>, until: i64) -> PyResult<EdgeArrays<'py>> {
        Ok(self.read(py, |index| Ok(lives(index, &edge_types, Time(until))))?.arrays(py))
    }

    /// All events of edges of some types by a time, in order of time: time, action (0 create, 1 update, 2 delete), edge,
    /// its type, source, destination.
    fn edge_events<'py>(&self, py: Python<'py>, edge_types: Vec<u16>, until: i64) -> PyResult<EventArrays<'py>> {
        let (times, actions, lives) = self.read(py, |index| {
            let wanted = wanted(index, &edge_types);
            let (mut times, mut actions, mut lives) = (Vec::new(), Vec::new(), Lives::default());
            for fact in index.facts().iter().filter(|fact| is_meant(index, fact, &wanted, Time(until))) {
                let Some((edge_type, edge)) = fact.edge else { continue };
                times.push(fact.time);
                actions.push(code(fact.action));
                lives.edges.push(edge);
                lives.types.push(edge_type.0);
                lives.sources.push(fact.source);
                lives.destinations.push(fact.destination);
            }
            Ok((times, actions, lives))
        })?;
        Ok((
            owned(py, times),
            actions.into_pyarray(py),
            owned(py, lives.edges),
            lives.types.into_pyarray(py),
            owned(py, lives.sources),
            owned(py, lives.destinations),
        ))
    }
}
