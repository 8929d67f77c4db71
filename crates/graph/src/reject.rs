//! Rejected records: bad input is data, reported with its place, never a panic (law 7).

mod unreadable;

use std::fmt;

use crate::{DType, EdgeKey, LONGEST_NAME, Name, NodeKey, Time, TimeUnit};

pub use unreadable::{Scope, Unreadable};

/// Where a record came from.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Place {
    /// File name, or a description such as `<stdin>` or a commit id.
    pub file: Name,
    /// Line, counted from 1; 0 where the source has no lines.
    pub line: u64,
}

impl Place {
    /// A line of a file.
    pub fn new(file: &Name, line: u64) -> Place {
        Place { file: file.clone(), line }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 { f.write_str(&self.file) } else { write!(f, "{}:{}", self.file, self.line) }
    }
}

/// A record that was not taken in, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reject {
    /// Where it stands.
    pub place: Place,
    /// Why it was refused.
    pub reason: Reason,
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)
    }
}

/// Rejected records: the first hundred thousand of them, and how many there are. A source without one readable record
/// costs no more memory than a sound one.
#[derive(Clone, Debug, Default)]
pub struct Rejects {
    kept: Vec<Reject>,
    count: u64,
}

impl Rejects {
    /// The most that are kept.
    pub const MOST: usize = 100_000;

    /// Adds one.
    pub fn push(&mut self, reject: Reject) {
        self.count += 1;
        if self.kept.len() < Rejects::MOST {
            self.kept.push(reject);
        }
    }

    /// Adds those of another list behind its own.
    pub fn append(&mut self, more: Rejects) {
        let left_out = more.count - more.kept.len() as u64;
        self.extend(more.kept);
        self.count += left_out;
    }

    /// How many there are, with those that are not kept.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Brings those that are kept into the order of their lines.
    pub fn sort(&mut self) {
        self.kept.sort_by_key(|reject| reject.place.line);
    }

    /// Those that are kept.
    pub fn into_kept(self) -> Vec<Reject> {
        self.kept
    }
}

impl Extend<Reject> for Rejects {
    fn extend<I: IntoIterator<Item = Reject>>(&mut self, rejects: I) {
        rejects.into_iter().for_each(|reject| self.push(reject));
    }
}

impl std::ops::Deref for Rejects {
    type Target = [Reject];

    fn deref(&self) -> &[Reject] {
        &self.kept
    }
}

impl std::ops::DerefMut for Rejects {
    fn deref_mut(&mut self) -> &mut [Reject] {
        &mut self.kept
    }
}

/// Why a record was refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// Not readable as a record of its format.
    #[error("{0}")]
    Malformed(String),
    /// The interval is empty or reversed.
    #[error("removed {removed} is not after created {created}")]
    EmptyInterval {
        /// Given start.
        created: Time,
        /// Given end.
        removed: Time,
    },
    /// The schema is closed and has no such node type.
    #[error("unknown node type `{0}`: declare it in the schema, or open the schema")]
    UnknownNodeType(Name),
    /// The schema is closed and has no such edge type.
    #[error("unknown edge type `{0}`: declare it in the schema, or open the schema")]
    UnknownEdgeType(String),
    /// The schema is closed and has no such feature.
    #[error("unknown feature `{feature}` of {owner}")]
    UnknownFeature {
        /// Feature name.
        feature: Name,
        /// Name of its node or edge type.
        owner: String,
    },
    /// The feature holds values of another kind.
    #[error("feature `{feature}` of {owner} holds {expected}, got {got}: {}", Reason::way_out(expected, got))]
    WrongKind {
        /// Feature name.
        feature: Name,
        /// Name of its node or edge type.
        owner: String,
        /// Kind in the schema.
        expected: String,
        /// Kind of the value.
        got: String,
    },
    /// The node was never created.
    #[error("unknown node {0}: create it first, or load with `Dangling::Stub`")]
    UnknownNode(NodeKey),
    /// An edge of a version at a node that the version does not list.
    #[error(
        "this version does not list node {node}{}",
        if *.lived { ", which is no more: the edge is left out with it" } else { ": list it, or load with `Dangling::Stub`" }
    )]
    NotListed {
        /// The node.
        node: NodeKey,
        /// Whether it ever lived. A stub would then bring it back to life.
        lived: bool,
    },
    /// The node is deleted at the event's time.
    #[error("node {0} is deleted: create it again first")]
    DeletedNode(NodeKey),
    /// The node lives already.
    #[error("node {0} exists already")]
    NodeExists(NodeKey),
    /// The edge was never created.
    #[error("unknown edge {0}: create it first")]
    UnknownEdge(Box<EdgeKey>),
    /// The edge is deleted at the event's time.
    #[error("edge {0} is deleted: create it again first")]
    DeletedEdge(Box<EdgeKey>),
    /// The edge lives already.
    #[error("edge {0} exists already: give it a key to tell parallel edges apart, or load with `Repeats::Parallel`")]
    EdgeExists(Box<EdgeKey>),
    /// The event is earlier than one already known of the same element.
    #[error("out of order: time {} is before {}, the latest event of {element}", unit.format(*time), unit.format(*known))]
    OutOfOrder {
        /// Unit of both times, for the message.
        unit: TimeUnit,
        /// Time of the event.
        time: Time,
        /// Latest known time of the element.
        known: Time,
        /// The element.
        element: String,
    },
    /// A merge of a node that still lives, or into itself, or already merged.
    #[error("merge refused: {0}")]
    BadMerge(String),
    /// Another namespace owns the element.
    #[error("{element} belongs to namespace `{owner}`")]
    ForeignNamespace {
        /// The element.
        element: String,
        /// Owning namespace.
        owner: Name,
    },
}

impl Reason {
    /// Why a record is refused of which one of these is too long for an id or a name, if one is.
    pub fn of_long_name<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<Reason> {
        let long = names.into_iter().find(|name| name.len() > LONGEST_NAME)?;
        let (start, limit) = (long.chars().take(40).collect::<String>(), LONGEST_NAME >> 10);
        let problem = format!("an id or a name, `{start}...`, is longer than {limit} KiB: keep it as a feature");
        Some(Reason::Malformed(problem))
    }

    /// What to do about a value of another kind than the feature holds, given the names of both kinds.
    pub fn way_out(known: &str, given: &str) -> String {
        let numbers = known.parse::<DType>().ok().zip(given.parse::<DType>().ok());
        match numbers.and_then(|(known, given)| Some((known, known.wider(given)?))) {
            Some((known, wider)) if known == wider => format!("give its numbers as {}", known.name()),
            Some((_, wider)) => {
                let wider = wider.name();
                format!(
                    "declare it as {wider} before the first load (`Graph::create_with`), or in the mapping of a version"
                )
            }
            None => "convert the value, or give the feature another name".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_another_kind_says_what_to_do() {
        for (expected, got, told) in [
            (
                "i64",
                "f64",
                "declare it as f64 before the first load (`Graph::create_with`), or in the mapping of a version",
            ),
            ("u64", "i8", "convert the value, or give the feature another name"),
            ("f64", "i32", "give its numbers as f64"),
            ("text", "f32[]", "convert the value, or give the feature another name"),
        ] {
            let (feature, owner) = ("n".into(), "item".into());
            let reason = Reason::WrongKind { feature, owner, expected: expected.into(), got: got.into() };
            let told = format!("feature `n` of item holds {expected}, got {got}: {told}");
            assert_eq!(reason.to_string(), told);
        }
    }
}
