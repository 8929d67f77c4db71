//! How much of a source is held at once. What is longer is refused with its place, so that no input decides how much memory
//! a load takes: not a line without end, not a packed file that unpacks to a thousand times its size.

use timeweft_graph::{Element, ExternalId, NodeKey, Reason};

pub use timeweft_graph::LONGEST_NAME;

/// Bytes of a row, a line, an OBO stanza, a FASTA entry or a record of an OBO Graphs document.
pub const LONGEST_RECORD: usize = 64 << 20;
/// Bytes of a line that has a node with all of its edges: temporal JSON, edge lists and TSV of intervals.
pub const LONGEST_NODE: usize = 256 << 20;
/// Bytes of a document that is held whole: OBO Graphs, unpacked.
pub const LARGEST_DOCUMENT: usize = 2 << 30;
/// Bytes of a small file that tells how others are read: a mapping, `meta.json`, types of features.
pub const LARGEST_DESCRIPTION: usize = 16 << 20;
/// Bytes that a page of a Parquet file unpacks to.
pub const LARGEST_PAGE: usize = 1 << 30;
/// Bytes of a batch of rows of a Parquet or Arrow file, unpacked: of the pages that are held, and of a message of Arrow.
pub const LARGEST_BATCH: usize = 4 << 30;
/// Features of a type, and so columns of a table that are features.
pub const MOST_FEATURES: usize = 1 << 16;

/// Why something is refused that is longer than it may be.
pub(crate) fn too_long(what: &str, longest: usize) -> String {
    let (size, unit) = if longest >= 1 << 30 { (longest >> 30, "GiB") } else { (longest >> 20, "MiB") };
    format!("{what} is longer than {size} {unit}, and no more is held at once")
}

/// Refuses an event whose element has an id or a name that is too long to be one.
pub(crate) fn check_names(element: &Element) -> Result<(), String> {
    fn of_node(key: &NodeKey) -> [&str; 2] {
        let id = if let ExternalId::Text(text) = &key.id { text } else { "" };
        [&key.node_type, id]
    }
    let long = match element {
        Element::Node(key) => Reason::of_long_name(of_node(key)),
        Element::Edge(edge) => {
            let ends = of_node(&edge.source).into_iter().chain(of_node(&edge.destination));
            Reason::of_long_name(ends.chain([&*edge.relation, edge.key.as_deref().unwrap_or_default()]))
        }
        Element::Merge { from, into } => Reason::of_long_name(of_node(from).into_iter().chain(of_node(into))),
    };
    long.map_or(Ok(()), |reason| Err(reason.to_string()))
}

/// Why a table is refused that has more columns than a type may have features.
pub(crate) fn many_columns(n: usize) -> String {
    format!("{n} columns would be features, and a type has at most {MOST_FEATURES}: name the ones that count")
}

/// Why a line is refused.
pub(crate) fn long_line(longest: usize) -> String {
    format!("{}: look for ends of lines that are missing, or split it", too_long("the line", longest))
}
