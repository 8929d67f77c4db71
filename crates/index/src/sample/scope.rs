//! What a question about many nodes is about: which edges, as of when, at which nodes.

use timeweft_graph::{Deletes, Direction, EdgeTypeId, NodeIndex, Time};

use crate::adjacency::ListPart;
use crate::parallel::Split;

/// Which types of edges.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EdgeTypes {
    /// All of them.
    All,
    /// These. Order and repetition mean nothing; a type that the graph does not have has no edges.
    Only(Vec<EdgeTypeId>),
}

/// Which edges at a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// Those that start there.
    Out,
    /// Those that end there.
    In,
    /// Both; an edge from a node to itself is there twice.
    Both,
}

/// How the time of a root is meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AsOf {
    /// The graph at the time: `created <= t < removed`.
    At,
    /// The graph one tick before, so that nothing with a time of `t` or later is seen. Before [`Time::MIN`] there is
    /// nothing.
    Before,
}

impl AsOf {
    /// The last time that is seen, if there is one.
    pub fn last(self, time: Time) -> Option<Time> {
        match self {
            AsOf::At => Some(time),
            AsOf::Before => (time != Time::MIN).then(|| time.before()),
        }
    }
}

/// Which edges a question sees.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scope {
    /// Of which types.
    pub edge_types: EdgeTypes,
    /// On which side of the root.
    pub side: Side,
    /// As of when.
    pub as_of: AsOf,
    /// Whether edges that have ended are seen too. Soft at [`Time::FOREVER`] are all edges that ever were.
    pub deletes: Deletes,
    /// If it is given, only edges that were created in the last so many ticks up to the root's time: in `[t - within, t]`,
    /// with [`AsOf::Before`] in `[t - within, t)`. Where time begins the window is cut off; the one of [`Time::FOREVER`] is at
    /// the end of time. A question with 0 is refused.
    pub within: Option<u64>,
}

impl Scope {
    /// Edges of some types on a side of the root, alive as of the root's time.
    pub fn new(edge_types: EdgeTypes, side: Side, as_of: AsOf) -> Scope {
        Scope { edge_types, side, as_of, deletes: Deletes::Hard, within: None }
    }

    /// The same with these deletes.
    pub fn deletes(self, deletes: Deletes) -> Scope {
        Scope { deletes, ..self }
    }

    /// The same with edges created in the last so many ticks only.
    pub fn within(self, ticks: u64) -> Scope {
        Scope { within: Some(ticks), ..self }
    }

    /// The first time that is seen.
    pub(crate) fn first(&self, time: Time) -> Time {
        self.within.map_or(Time::MIN, |within| first_in_window(within, time))
    }
}

/// Which lists are in a scope, looked up by (type, side).
#[derive(Clone, Debug)]
pub(crate) struct EdgeFilter {
    types: Vec<u8>,
    /// Sides of the types beyond `types` that are in scope.
    others: u8,
    side: Side,
    /// Up to how many ticks before a root's time edges were created that are seen.
    within: Option<u64>,
}

/// The first time of a window of so many ticks.
fn first_in_window(within: u64, time: Time) -> Time {
    Time(time.0.saturating_sub_unsigned(within))
}

impl EdgeFilter {
    /// # Errors
    /// If the window is empty.
    pub(crate) fn new(scope: &Scope) -> Result<EdgeFilter, SampleError> {
        if scope.within == Some(0) {
            return Err(SampleError::Range { what: "within", value: "0".into(), wanted: "at least one tick" });
        }
        let sides = match scope.side {
            Side::Out => 1,
            Side::In => 2,
            Side::Both => 3,
        };
        let (side, within) = (scope.side, scope.within);
        let EdgeTypes::Only(only) = &scope.edge_types else {
            return Ok(EdgeFilter { types: Vec::new(), others: sides, side, within });
        };
        let mut types = vec![0; only.iter().map(|edge_type| edge_type.at() + 1).max().unwrap_or(0)];
        only.iter().for_each(|edge_type| types[edge_type.at()] = sides);
        Ok(EdgeFilter { types, others: 0, side, within })
    }

    /// The same for edges of any time.
    pub(crate) fn without_window(self) -> EdgeFilter {
        EdgeFilter { within: None, ..self }
    }

    /// The first time that is seen of a root, if there is a window.
    #[inline]
    pub(crate) fn first(&self, time: Time) -> Option<Time> {
        self.within.map(|within| first_in_window(within, time))
    }

    /// Puts the lists of a node, which lie by (side, type), in order of (type, side).
    #[inline]
    pub(crate) fn arrange(&self, parts: &mut [ListPart]) {
        if self.side == Side::Both {
            parts.sort_by_key(|part| (part.edge_type, part.direction));
        }
    }

    /// Whether a list of this direction, and all that lie behind it, are on the other side: those outwards come first.
    #[inline]
    pub(crate) fn is_past(&self, direction: Direction) -> bool {
        self.side == Side::Out && direction == Direction::In
    }

    /// Whether edges of a type are seen on any side.
    pub(crate) fn admits_any(&self, edge_type: EdgeTypeId) -> bool {
        self.admits(edge_type, Direction::Out) || self.admits(edge_type, Direction::In)
    }

    /// Whether edges of a type are seen on a side.
    #[inline]
    pub(crate) fn admits(&self, edge_type: EdgeTypeId, direction: Direction) -> bool {
        let sides = self.types.get(edge_type.at()).copied().unwrap_or(self.others);
        sides & if direction == Direction::Out { 1 } else { 2 } != 0
    }
}

/// The nodes that a batch of questions is about, and the time of each. A node that the graph does not have, such as
/// [`NO_NODE`], has no edges.
#[derive(Clone, Copy, Debug)]
pub struct Roots<'a> {
    pub(crate) nodes: &'a [NodeIndex],
    pub(crate) times: &'a [Time],
}

/// Stands where there is no node.
pub const NO_NODE: NodeIndex = NodeIndex(u32::MAX);

impl<'a> Roots<'a> {
    /// Nodes and as many times.
    ///
    /// # Errors
    /// [`SampleError::Length`] if there are more of the one than of the other.
    pub fn new(nodes: &'a [NodeIndex], times: &'a [Time]) -> Result<Roots<'a>, SampleError> {
        check_length("times", times.len(), nodes.len())?;
        Ok(Roots { nodes, times })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }
}

impl Split for Roots<'_> {
    fn len(&self) -> usize {
        self.nodes.len()
    }
    fn split_at(self, at: usize) -> (Self, Self) {
        let ((nodes, rest), (times, later)) = (self.nodes.split_at(at), self.times.split_at(at));
        (Roots { nodes, times }, Roots { nodes: rest, times: later })
    }
}

/// Why a question cannot be answered.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SampleError {
    /// A buffer or list has the wrong length.
    #[error("`{what}` has {len} elements, but {wanted} are needed")]
    #[allow(missing_docs)]
    Length { what: &'static str, len: usize, wanted: usize },
    /// A feature that is to be the weight is not there.
    #[error("no {owner} has a feature `{feature}` that could be its weight")]
    #[allow(missing_docs)]
    UnknownWeight { owner: String, feature: String },
    /// A feature that is to be the weight is no number.
    #[error("feature `{feature}` of {owner} is {kind}: a weight must be one number")]
    #[allow(missing_docs)]
    NotAWeight { owner: String, feature: String, kind: String },
    /// A feature is asked for as what it is not.
    #[error("feature `{feature}` of {owner} is {kind}, but was asked for as {wanted}")]
    #[allow(missing_docs)]
    FeatureKind { owner: String, feature: String, kind: String, wanted: String },
    /// A number that must lie in a range does not.
    #[error("`{what}` is {value}, but must be {wanted}")]
    #[allow(missing_docs)]
    Range { what: &'static str, value: String, wanted: &'static str },
}

pub(crate) fn check_length(what: &'static str, len: usize, wanted: usize) -> Result<(), SampleError> {
    if len == wanted { Ok(()) } else { Err(SampleError::Length { what, len, wanted }) }
}
