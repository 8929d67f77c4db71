//! DeepGNN TSV: one node with its outgoing edges a line, in five columns between tabs; nothing has a lifetime.
//!
//! ```text
//! 1 -> 0 -> 0.1 -> f:0.1 0.2;b:some text;i32:1 2 3 -> 2,0,0.3,f:0.5|3,1,0.4,
//! ```
//!
//! (Arrows are tabs.) The columns are `id, type, weight, features, neighbors`; a neighbor is `id,type,weight,features`, neighbors stand between
//! bars. What is missing or empty has type 0 and weight 0. Features are numbered by their position, an empty one skips a
//! number; a text may hold colons, and of an edge also commas. Cells may be quoted as in CSV.
//!
//! The unit of refusal is the node with its line, or one edge of it.

use std::borrow::Cow;
use std::io::Read;

use timeweft_graph::{DType, EdgeSpan, Interval, Name, NodeSpan, Reason, Record, Sink, SpanRows, Time, ValueRef};

use crate::SourceError;
use crate::interval_format::draft::Draft;
use crate::interval_format::form::dtype;
use crate::interval_format::parallel_lines::{self, LineReader};
use crate::text::cell_numbers::push_number;
use crate::text::delimited::cut_line;
use crate::text::json::excerpt;

/// Everything lives always.
const ALWAYS: Interval = Interval { created: Time(0), removed: Time::FOREVER };

/// Reads TSV into a sink, on several threads, in the order of the file. `file` is the name for messages.
///
/// ```
/// use timeweft_graph::TimeUnit;
/// use timeweft_oracle::Intervals;
/// use timeweft_source::tsv;
/// let text = "1\t0\t0.5\tf:0.1 0.2\t2,0,0.3,i8:7";
/// let intervals = Intervals::collect(TimeUnit::Step, |sink| tsv::read(text.as_bytes(), &"doc".into(), sink))?;
/// assert_eq!(intervals.records.len(), 3, "a node, the node that its edge names, and the edge");
/// # Ok::<(), timeweft_source::SourceError>(())
/// ```
pub fn read(input: impl Read + Send, file: &Name, sink: &mut dyn Sink) -> Result<(), SourceError> {
    parallel_lines::read(input, file, TsvLines::default, sink)
}

#[derive(Default)]
struct TsvLines {
    draft: Draft,
    elements: Vec<u8>,
}

impl LineReader for TsvLines {
    fn read(&mut self, text: &str, line: u64, rows: &mut SpanRows) -> Result<(), Reason> {
        let [id, node_type, weight, features, neighbors] = columns(text).map_err(Reason::Malformed)?;
        let head = (|| Ok::<_, String>((whole("id", &id)?, whole_or_0("type", &node_type)?, weight_or_0(&weight)?)))();
        let (id, node_type, weight) = head.map_err(Reason::Malformed)?;
        self.features(&features).map_err(Reason::Malformed)?;
        let values = self.draft.settle(0..self.draft.mark(), ALWAYS)?;
        let node = NodeSpan { id, node_type, weight: Some(weight), life: ALWAYS };
        rows.record(Record::NodeSpan(node, values), line);
        let neighbors = (!neighbors.is_empty()).then(|| neighbors.split('|'));
        for (position, neighbor) in (1..).zip(neighbors.into_iter().flatten()) {
            if let Err(reason) = self.edge(id, neighbor, (line, position), rows) {
                rows.reject(line, Reason::Malformed(format!("edge {position}: {reason}")));
            }
        }
        Ok(())
    }
}

impl TsvLines {
    fn edge(
        &mut self,
        source: u64,
        text: &str,
        (line, position): (u64, u32),
        rows: &mut SpanRows,
    ) -> Result<(), Reason> {
        let mut parts = text.splitn(4, ',');
        let mut part = || parts.next().unwrap_or_default();
        let (id, edge_type, weight, features) = (part(), part(), part(), part());
        let head = (|| Ok::<_, String>((whole("id", id)?, whole_or_0("type", edge_type)?, weight_or_0(weight)?)))();
        let (destination, edge_type, weight) = head.map_err(Reason::Malformed)?;
        self.features(features).map_err(Reason::Malformed)?;
        let values = self.draft.settle(0..self.draft.mark(), ALWAYS)?;
        let (life, starts_by_default) = (ALWAYS, false);
        let edge = EdgeSpan { source, destination, edge_type, weight, life, starts_by_default, position };
        rows.record(Record::EdgeSpan(edge, values), line);
        Ok(())
    }

    /// Reads `kind:values;kind:values`.
    fn features(&mut self, text: &str) -> Result<(), String> {
        self.draft.clear();
        if text.is_empty() {
            return Ok(());
        }
        for (number, feature) in (0..).zip(text.split(';')) {
            if feature.trim().is_empty() {
                continue;
            }
            let read = self.feature(number, feature);
            read.map_err(|problem| format!("feature {number}: {problem}"))?;
        }
        Ok(())
    }

    fn feature(&mut self, number: u32, text: &str) -> Result<(), String> {
        let (kind, values) =
            text.split_once(':').ok_or_else(|| format!("expected a kind, `:` and values, got {}", excerpt(text)))?;
        if values.is_empty() {
            return Ok(());
        }
        let value = match Kind::of(kind.trim())? {
            Kind::Binary => ValueRef::Bytes(values.as_bytes()),
            Kind::Numbers(dtype) => {
                self.elements.clear();
                values.split_whitespace().try_for_each(|cell| push_number(dtype, cell, &mut self.elements))?;
                ValueRef::Dense { dtype, elements: &self.elements }
            }
        };
        self.draft.add_plain(number, Some(value));
        Ok(())
    }
}

/// What a feature holds.
enum Kind {
    Numbers(DType),
    Binary,
}

impl Kind {
    fn of(name: &str) -> Result<Kind, String> {
        Ok(Kind::Numbers(match name {
            "b" | "binary" => return Ok(Kind::Binary),
            "d" => DType::F64,
            "f" => DType::F32,
            "i" | "u" | "int" | "uint" => {
                return Err(format!("`{name}` needs a width: {0}8, {0}16, {0}32 or {0}64", &name[..1]));
            }
            other => dtype(other).or_else(|| other.parse().ok()).ok_or_else(|| {
                let known = "i8 to i64, u8 to u64, f16, f, d or b";
                format!("{} is no kind of features: use {known}", excerpt(other))
            })?,
        }))
    }
}

/// The five columns; those that are missing are empty.
fn columns(text: &str) -> Result<[Cow<'_, str>; 5], String> {
    let mut columns = [const { Cow::Borrowed("") }; 5];
    let mut count = 0;
    if text.contains('"') {
        let cells = cut_line(text, b'\t')?;
        count = cells.len();
        columns.iter_mut().zip(cells).for_each(|(column, cell)| *column = Cow::Owned(cell));
    } else {
        for cell in text.split('\t') {
            if let Some(column) = columns.get_mut(count) {
                *column = Cow::Borrowed(cell);
            }
            count += 1;
        }
    }
    if count > columns.len() {
        return Err(format!("expected the columns id, type, weight, features and neighbors, got {count} columns"));
    }
    Ok(columns)
}

fn whole<T: TryFrom<u64>>(name: &str, cell: &str) -> Result<T, String> {
    let number = cell.trim().parse::<u64>().ok().and_then(|number| T::try_from(number).ok());
    number.ok_or_else(|| format!("{name}: expected a whole number from 0 on, got {}", excerpt(cell)))
}

fn whole_or_0(name: &str, cell: &str) -> Result<u32, String> {
    if cell.trim().is_empty() { Ok(0) } else { whole(name, cell) }
}

fn weight_or_0(cell: &str) -> Result<f32, String> {
    if cell.trim().is_empty() {
        return Ok(0.0);
    }
    let number = cell.trim().parse::<f32>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| format!("weight: expected a number, got {}", excerpt(cell)))
}
