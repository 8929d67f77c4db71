//! Names from outside, dense indexes inside.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};

/// A shared name: of a type, a relation, a feature, an edge key.
pub type Name = Arc<str>;

/// Bytes of an id, of the key of an edge, and of the name of a type or a relation. A longer one is refused where a source is
/// read: it is no name, but most likely a text whose end was not found.
pub const LONGEST_NAME: usize = 64 << 10;

/// The id of a node as its source gives it.
///
/// An id *is* a text; a text that is the canonical decimal form of a `u64` is kept in eight bytes. So `42` in one
/// source and `"42"` in another are the same id, and `"042"` is a different one.
///
/// ```
/// use timeweft_graph::ExternalId;
/// assert_eq!(ExternalId::from("42"), ExternalId::Int(42));
/// assert_ne!(ExternalId::from("042"), ExternalId::Int(42));
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(untagged)]
pub enum ExternalId {
    /// A canonical decimal.
    Int(u64),
    /// Any other text.
    Text(Name),
}

impl From<&str> for ExternalId {
    fn from(text: &str) -> Self {
        canonical_decimal(text).map_or_else(|| ExternalId::Text(text.into()), ExternalId::Int)
    }
}

/// The number that a text is the canonical decimal of.
pub(crate) fn canonical_decimal(text: &str) -> Option<u64> {
    let bytes = text.as_bytes();
    let canonical = !bytes.is_empty() && bytes.len() <= 20 && (bytes[0] != b'0' || bytes.len() == 1);
    canonical.then_some(())?;
    bytes.iter().try_fold(0u64, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then_some(())?;
        number.checked_mul(10)?.checked_add(digit.into())
    })
}

impl From<u64> for ExternalId {
    fn from(number: u64) -> Self {
        ExternalId::Int(number)
    }
}

impl fmt::Display for ExternalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExternalId::Int(number) => number.fmt(f),
            ExternalId::Text(text) => text.fmt(f),
        }
    }
}

impl<'de> Deserialize<'de> for ExternalId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Raw {
            Int(u64),
            Text(String),
        }
        Ok(match Raw::deserialize(deserializer)? {
            Raw::Int(number) => ExternalId::Int(number),
            Raw::Text(text) => ExternalId::from(text.as_str()),
        })
    }
}

/// A node from outside: its type and id. An id may live several times.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NodeKey {
    /// Name of the node type.
    pub node_type: Name,
    /// Id within the type.
    pub id: ExternalId,
}

impl NodeKey {
    /// The node of this type and id.
    pub fn new(node_type: &str, id: impl Into<ExternalId>) -> NodeKey {
        NodeKey { node_type: node_type.into(), id: id.into() }
    }
}

impl fmt::Display for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.node_type, self.id)
    }
}

/// An edge from outside. Edges bind to nodes, never to versions of nodes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EdgeKey {
    /// Where it starts.
    pub source: NodeKey,
    /// Name of the relation.
    pub relation: Name,
    /// Where it ends.
    pub destination: NodeKey,
    /// Tells parallel edges of one relation apart.
    pub key: Option<Name>,
}

impl fmt::Display for EdgeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -{}-> {}", self.source, self.relation, self.destination)?;
        self.key.as_ref().map_or(Ok(()), |key| write!(f, " [{key}]"))
    }
}

macro_rules! index_type {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize, bytemuck::Pod,
            bytemuck::Zeroable,
        )]
        #[serde(transparent)]
        #[repr(transparent)]
        pub struct $name(pub $inner);

        impl $name {
            /// As a position in an array.
            pub fn at(self) -> usize {
                self.0 as usize
            }
        }
    };
}
pub(crate) use index_type;

index_type!(
    /// A node inside: dense, in the order in which the log first names it.
    NodeIndex(u32)
);
index_type!(
    /// One life of an edge inside: dense, in the order of creation in the log.
    EdgeIndex(u32)
);
index_type!(
    /// The second clock: the order in which the store learned things. Every read is pinned to one commit; 0 is the empty graph.
    Commit(u64)
);
index_type!(
    /// A load in the registry, counted from 1.
    LoadId(u64)
);
