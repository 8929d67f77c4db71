//! What a record is about, borrowed: an id, a node, an edge, a merge.

use crate::id::canonical_decimal;
use crate::{EdgeTypeId, ExternalId, NodeTypeId, Owner, Reason};

/// An id, borrowed; in the order of [`ExternalId`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum IdRef<'a> {
    /// A canonical decimal.
    Int(u64),
    /// Any other text.
    Text(&'a str),
}

impl<'a> IdRef<'a> {
    /// The id that a text is.
    #[inline]
    pub fn of(text: &'a str) -> IdRef<'a> {
        canonical_decimal(text).map_or(IdRef::Text(text), IdRef::Int)
    }

    /// The id, owned.
    pub fn to_id(self) -> ExternalId {
        match self {
            IdRef::Int(number) => ExternalId::Int(number),
            IdRef::Text(text) => ExternalId::Text(text.into()),
        }
    }
}

impl ExternalId {
    /// The id, borrowed.
    pub fn as_ref(&self) -> IdRef<'_> {
        match self {
            ExternalId::Int(number) => IdRef::Int(*number),
            ExternalId::Text(text) => IdRef::Text(text),
        }
    }
}

impl PartialEq<ExternalId> for IdRef<'_> {
    fn eq(&self, other: &ExternalId) -> bool {
        match (self, other) {
            (IdRef::Int(a), ExternalId::Int(b)) => a == b,
            (IdRef::Text(a), ExternalId::Text(b)) => **a == **b,
            _ => false,
        }
    }
}

/// What a record is about, borrowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ElementRef<'a> {
    /// A node.
    Node(NodeTypeId, IdRef<'a>),
    /// An edge: its type, its ends, and the key that tells parallel edges apart.
    Edge(EdgeTypeId, [IdRef<'a>; 2], Option<&'a str>),
    /// A merge of the first node into the second.
    Merge([(NodeTypeId, IdRef<'a>); 2]),
}

impl ElementRef<'_> {
    /// The owner of its features.
    pub fn owner(self) -> Owner {
        match self {
            ElementRef::Node(id, _) => Owner::Node(id),
            ElementRef::Edge(id, ..) => Owner::Edge(id),
            ElementRef::Merge(_) => Owner::Merge,
        }
    }

    /// Why it cannot be taken in, if an id or its key is too long.
    pub fn too_long(self) -> Option<Reason> {
        let text = |id| if let IdRef::Text(text) = id { text } else { "" };
        let texts = match self {
            ElementRef::Node(_, id) => [text(id), "", ""],
            ElementRef::Edge(_, [source, destination], key) => {
                [text(source), text(destination), key.unwrap_or_default()]
            }
            ElementRef::Merge([(_, from), (_, into)]) => [text(from), text(into), ""],
        };
        Reason::of_long_name(texts)
    }
}
