//! DeepGNN temporal JSON: one node with its outgoing edges a line, everything with a lifetime.
//!
//! ```json
//! {"node_id":42,"node_type":0,"node_weight":1.0,"created_at":13,"removed_at":23,
//!  "binary_feature":{"0":[{"values":["microsoft"],"created_at":13,"removed_at":20},{"values":["xbox"],"created_at":20}]},
//!  "edge":[{"src_id":42,"dst_id":99,"edge_type":0,"weight":2.0,"removed_at":19}]}
//! ```
//!
//! **Features** are a plain value, or a list of `{values, created_at, removed_at}` (sparse: with `coordinates`). Empty
//! `values` are a gap. What is not given is inherited: an edge lives as long as its source, a value as long as its owner.
//! What becomes of it all is said in [`super`].
//!
//! The unit of refusal is the node with its line, or one edge of it.
//!
//! A quick reader takes lines that are right in every respect, in one pass; the careful one takes the others and says
//! what is wrong. On lines that both take they agree, by a test.

mod careful;
mod quick;

use std::io::Read;

use timeweft_graph::{Name, Reason, Sink, SpanRows};

use self::quick::Quick;
use crate::SourceError;
use crate::interval_format::draft::Draft;
use crate::interval_format::form::Form;
use crate::interval_format::parallel_lines::{self, LineReader};

/// Reads temporal JSON into a sink, on several threads, in the order of the file. `file` is the name for messages.
///
/// ```
/// use timeweft_graph::TimeUnit;
/// use timeweft_oracle::Intervals;
/// use timeweft_source::temporal_json;
/// let line = r#"{"node_id":1,"node_type":0,"node_weight":1.0,"created_at":5,"removed_at":9,"edge":[]}"#;
/// let intervals = Intervals::collect(TimeUnit::Step, |sink| temporal_json::read(line.as_bytes(), &"doc".into(), sink))?;
/// assert_eq!(intervals.records.iter().map(|(event, _)| event.time.0).collect::<Vec<_>>(), [5, 9]);
/// # Ok::<(), timeweft_source::SourceError>(())
/// ```
pub fn read(input: impl Read + Send, file: &Name, sink: &mut dyn Sink) -> Result<(), SourceError> {
    parallel_lines::read(input, file, JsonLines::default, sink)
}

/// Reads temporal JSON line by line with the careful reader alone: slow, and the reference of [`read`].
pub fn read_carefully(input: impl Read + Send, file: &Name, sink: &mut dyn Sink) -> Result<(), SourceError> {
    parallel_lines::read(input, file, CarefulLines::default, sink)
}

#[derive(Default)]
struct JsonLines {
    quick: Quick,
    draft: Draft,
}

impl LineReader for JsonLines {
    fn read(&mut self, text: &str, line: u64, rows: &mut SpanRows) -> Result<(), Reason> {
        match self.quick.read(text, line, rows) {
            Some(()) => Ok(()),
            None => careful::read(text, line, &mut self.draft, rows),
        }
    }
}

#[derive(Default)]
struct CarefulLines {
    draft: Draft,
}

impl LineReader for CarefulLines {
    fn read(&mut self, text: &str, line: u64, rows: &mut SpanRows) -> Result<(), Reason> {
        careful::read(text, line, &mut self.draft, rows)
    }
}

/// The form of the values of a feature map, by its key, such as `sparse_int8_feature`.
fn form_of(key: &str) -> Option<Form> {
    Form::of(key.strip_suffix("_feature")?, "sparse_")
}
