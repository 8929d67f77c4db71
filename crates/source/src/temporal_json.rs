//! DeepGNN temporal JSON: one node with its outgoing edges a line, everything with a lifetime.
//!
//! ```json
//! {"node_id":42,"node_type":0,"node_weight":1.0,"created_at":13,"removed_at":23,
//!  "binary_feature":{"0":[{"values":["microsoft"],"created_at":13,"removed_at":20},{"values":["xbox"],"created_at":20}]},
//!  "edge":[{"src_id":42,"dst_id":99,"edge_type":0,"weight":2.0,"removed_at":19}]}
//! ```
//!
//! **Names.** Node types, relations and features are named by their numbers: node type `0`, relation `0`, feature `0`.
//! Node ids are one space over all types. Weights become the f32 feature `weight`. A destination without a line of its
//! own becomes a node of type `unknown`, alive from time 0 (or from its first edge, if that is earlier) for ever.
//!
//! **Times** are half open, `[created_at, removed_at)`; `removed_at` -1 is "never", 0 is an end like any other. What is
//! not given is inherited: a node lives from 0 for ever, an edge as long as its source, a feature as long as its owner.
//! An empty or reversed interval refuses its node or edge.
//!
//! **Features** are a plain value, or a list of `{values, created_at, removed_at}` (sparse: with `coordinates`). At any
//! time the interval holds that began last among those that contain it; outside of all of them the feature has no value.
//! An interval with empty `values` is a gap. What reaches over the owner's life is cut.
//!
//! **Edges** are bounded by both ends: an edge that outlives an end is cut at its removal and counted; one that begins
//! outside the life of an end is refused. Repeats of (source, destination, type) are lives of one edge where they do not
//! overlap, else parallel edges with the keys `2`, `3`, ...
//!
//! The unit of refusal is the node with its line, or one edge of it.

mod assemble;
mod line;
mod spans;

use std::io::BufRead;

use timeweft_graph::{Name, Reject, Schema, TimeUnit};

use self::assemble::Assembly;
use crate::input::Lines;
use crate::{Record, SourceError};

/// How to read temporal JSON.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct IntervalsOptions {
    /// What one tick of the file's times means.
    pub unit: TimeUnit,
}

/// A file of intervals as events.
#[derive(Clone, Debug)]
pub struct Intervals {
    /// Every type and feature of the file.
    pub schema: Schema,
    /// Events in order of time; at equal times deletes of edges, deletes of nodes, creates and updates of nodes, creates
    /// and updates of edges. Applied in this order to an empty graph, all are accepted.
    pub records: Vec<Record>,
    /// Nodes and edges that were refused, in order of lines.
    pub rejects: Vec<Reject>,
    /// Edges that were cut at the removal of an end.
    pub clipped: u64,
    /// Intervals of features that were cut to the life of their owner.
    pub clipped_features: u64,
}

/// Reads temporal JSON. `file` is the name for messages.
///
/// ```
/// use timeweft_source::{IntervalsOptions, temporal_json};
/// let line = r#"{"node_id":1,"node_type":0,"node_weight":1.0,"created_at":5,"removed_at":9,"edge":[]}"#;
/// let intervals = temporal_json::read(line.as_bytes(), &"doc".into(), &IntervalsOptions::default())?;
/// assert_eq!(intervals.records.iter().map(|record| record.event.time.0).collect::<Vec<_>>(), [5, 9]);
/// # Ok::<(), timeweft_source::SourceError>(())
/// ```
pub fn read(reader: impl BufRead, file: &Name, options: &IntervalsOptions) -> Result<Intervals, SourceError> {
    let mut lines = Lines::new(reader, file);
    let mut assembly = Assembly::new(options.unit);
    while lines.advance()? {
        let place = lines.place();
        match lines.text() {
            Ok(text) if text.trim().is_empty() => {}
            Ok(text) => assembly.add(text, place),
            Err(reject) => assembly.refuse(reject),
        }
    }
    assembly.finish().ok_or_else(|| SourceError::TooManyTypes { file: file.clone(), line: 0 })
}
