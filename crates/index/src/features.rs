//! Features of many nodes or edges at once, each as of a time of its own.
//!
//! | question | answer |
//! |---|---|
//! | [`Index::dense_features`] | (N, sum of dims) numbers of one type, in an array of the caller |
//! | [`Index::sparse_features`] | a tensor for each feature: points with the owner's row before their coordinates, and values |
//! | [`Index::flat_features`] | the bytes of texts, bytes or lists of numbers, and (N, F) lengths |
//! | [`Index::encoded_features`] | whole values of any kind as their bytes, and (N, F) lengths |
//!
//! [`Owners`] says of what, and as of when. A value holds from its own beginning to its own end within its owner's life, so
//! one that ended is not there any more, and a plain one is there all the owner's life. With soft deletes, an owner that
//! has ended keeps what it had last.
//!
//! **What is not there** is no error: owners that the graph does not have, that are not alive then, that have no such
//! feature, or no value of it at the time, have zeros, no point, or length 0. What is asked as another kind than it is
//! is an error, never read as something else: a type of which some owner is asked must hold the feature in the kind asked
//! for.
//!
//! An edge is asked for by its life ([`EdgeIndex`]), as samples and lists of edges have it, so that nothing is looked up
//! again; [`Index::edges_between`] finds the lives that run at a time by source, edge type and destination.
//!
//! ```
//! use timeweft_graph::{Action, Element, Event, Name, NodeKey, Schema, Time, Value};
//! use timeweft_index::Index;
//! use timeweft_index::features::Owners;
//! use timeweft_index::sample::{AsOf, Roots};
//!
//! let user = NodeKey::new("user", "u1");
//! let mut index = Index::new(Schema::default());
//! for (time, action, values) in [(1, Action::Create, [0.5, 0.25]), (7, Action::Update, [1.0, 2.0])] {
//!     let event = Event::new(Time(time), action, Element::Node(user.clone()));
//!     index.apply(&event.with(vec![("taste".into(), Some(Value::floats(&values)))]), &Name::from(""))?;
//! }
//!
//! let (nodes, times) = ([index.node_index(&user).unwrap(); 3], [Time(0), Time(6), Time(7)]);
//! let owners = Owners::nodes(Roots::new(&nodes, &times)?, AsOf::At);
//! let mut rows = [9f32; 9];
//! index.dense_features(&[("taste".into(), 3)], owners, &mut rows)?;
//! assert_eq!(rows, [0.0, 0.0, 0.0, 0.5, 0.25, 0.0, 1.0, 2.0, 0.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod dense;
mod flat;
mod read;
mod sparse;

use timeweft_graph::{
    Deletes, EdgeIndex, EdgeTypeId, FeatureId, FeatureKind, Name, NodeIndex, NodeTypeId, Owner, Time,
};

pub use self::flat::FlatRows;
pub use self::sparse::SparseRows;
use crate::Index;
use crate::parallel::Split;
use crate::sample::{AsOf, Roots, SampleError, check_length};

/// Fewer owners than this are not worth another thread.
const GRAIN: usize = 1024;

/// Nodes or edges whose features are asked for, and the time of each.
#[derive(Clone, Copy, Debug)]
pub struct Owners<'a> {
    elements: Elements<'a>,
    times: &'a [Time],
    as_of: AsOf,
    deletes: Deletes,
}

#[derive(Clone, Copy, Debug)]
enum Elements<'a> {
    Nodes(&'a [NodeIndex]),
    Edges(&'a [EdgeIndex]),
}

impl<'a> Owners<'a> {
    /// Nodes with their times.
    pub fn nodes(roots: Roots<'a>, as_of: AsOf) -> Owners<'a> {
        let elements = Elements::Nodes(roots.nodes);
        Owners { elements, times: roots.times, as_of, deletes: Deletes::Hard }
    }

    /// Lives of edges and as many times. A number that is no edge's has no features, such as that in the empty slots of a
    /// sample.
    ///
    /// # Errors
    /// [`SampleError::Length`] if there are more of the one than of the other.
    pub fn edges(edges: &'a [EdgeIndex], times: &'a [Time], as_of: AsOf) -> Result<Owners<'a>, SampleError> {
        check_length("times", times.len(), edges.len())?;
        Ok(Owners { elements: Elements::Edges(edges), times, as_of, deletes: Deletes::Hard })
    }

    /// The same with these deletes.
    pub fn deletes(self, deletes: Deletes) -> Owners<'a> {
        Owners { deletes, ..self }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// What owns the features of a type.
    fn owner(&self, of_type: u16) -> Owner {
        match self.elements {
            Elements::Nodes(_) => Owner::Node(NodeTypeId(of_type)),
            Elements::Edges(_) => Owner::Edge(EdgeTypeId(of_type)),
        }
    }

    /// How many types of them the graph has.
    fn n_types(&self, index: &Index) -> usize {
        match self.elements {
            Elements::Nodes(_) => index.schema.node_types().len(),
            Elements::Edges(_) => index.schema.edge_types().len(),
        }
    }

    /// The type of each that the graph has.
    fn types(&self, index: &'a Index) -> Box<dyn Iterator<Item = u16> + 'a> {
        match self.elements {
            Elements::Nodes(nodes) => {
                let known = nodes.iter().filter(|node| node.at() < index.n_nodes());
                Box::new(known.map(|node| index.node_type(*node).0))
            }
            Elements::Edges(edges) => {
                let known = edges.iter().filter(|edge| edge.at() < index.n_edges());
                Box::new(known.map(|edge| index.edges.get(*edge).edge_type.0))
            }
        }
    }
}

impl Split for Owners<'_> {
    fn len(&self) -> usize {
        self.times.len()
    }
    fn split_at(self, at: usize) -> (Self, Self) {
        let (times, later) = self.times.split_at(at);
        let (first, rest) = match self.elements {
            Elements::Nodes(nodes) => {
                let (first, rest) = nodes.split_at(at);
                (Elements::Nodes(first), Elements::Nodes(rest))
            }
            Elements::Edges(edges) => {
                let (first, rest) = edges.split_at(at);
                (Elements::Edges(first), Elements::Edges(rest))
            }
        };
        (Owners { elements: first, times, ..self }, Owners { elements: rest, times: later, ..self })
    }
}

/// The number of a feature at each type that has it in the kind asked for.
struct Feature {
    ids: Vec<Option<FeatureId>>,
}

impl Index {
    /// A feature by its name, in a kind that fits. A type that has it in another kind does not matter as long as none of
    /// its owners is asked for.
    fn feature(
        &self,
        name: &Name,
        owners: Owners<'_>,
        wanted: FeatureKind,
        fits: impl Fn(FeatureKind) -> bool,
    ) -> Result<Feature, SampleError> {
        let known = |at: usize| self.schema.feature(owners.owner(at as u16), name);
        let misfit = |at: usize| known(at).map(|(_, def)| def.kind).filter(|kind| !fits(*kind));
        if (0..owners.n_types(self)).any(|at| misfit(at).is_some()) {
            let asked = owners.types(self).find_map(|of_type| Some((of_type, misfit(of_type.into())?)));
            if let Some((of_type, kind)) = asked {
                let (owner, feature) = (self.schema.owner_name(owners.owner(of_type)), name.to_string());
                let (kind, wanted) = (kind.to_string(), wanted.to_string());
                return Err(SampleError::FeatureKind { owner, feature, kind, wanted });
            }
        }
        Ok(self.ids(name, owners, fits))
    }

    /// A feature by its name, at the types that have it in a kind that fits.
    fn ids(&self, name: &Name, owners: Owners<'_>, fits: impl Fn(FeatureKind) -> bool) -> Feature {
        let known = |at: usize| self.schema.feature(owners.owner(at as u16), name);
        let ids = (0..owners.n_types(self)).map(|at| known(at).filter(|(_, def)| fits(def.kind)).map(|(id, _)| id));
        Feature { ids: ids.collect() }
    }
}
