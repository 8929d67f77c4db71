//! What a file of intervals lists, packed into flat arrays in the order in which it came.

use crate::spans::PackedSpan;
use crate::{EdgeSpan, NodeSpan, Record, Schema, Sink, ValueSpan, ValueSpans};

/// Records packed into flat arrays, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub struct SpanRows {
    rows: Vec<Packed>,
    spans: Vec<PackedSpan>,
    bytes: Vec<u8>,
    /// Empty: intervals name types by numbers.
    schema: Schema,
}

/// A record without its values.
#[derive(Clone, Debug)]
struct Packed {
    row: Row,
    /// End of the values; they begin where those of the row before end.
    spans: usize,
    clipped: u32,
    line: u64,
}

#[derive(Clone, Debug)]
enum Row {
    Node(NodeSpan),
    Edge(EdgeSpan),
    /// Another record, which has no values.
    Other(Box<Record<'static>>),
}

/// A place in [`SpanRows`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    rows: usize,
    spans: usize,
    bytes: usize,
}

impl SpanRows {
    /// Whether nothing was pushed.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Takes everything out and keeps the memory.
    pub fn clear(&mut self) {
        self.rewind(Mark { rows: 0, spans: 0, bytes: 0 });
    }

    /// The place behind everything that was pushed so far.
    pub fn mark(&self) -> Mark {
        Mark { rows: self.rows.len(), spans: self.spans.len(), bytes: self.bytes.len() }
    }

    /// Takes out what was pushed after a mark of this object.
    pub fn rewind(&mut self, mark: Mark) {
        self.rows.truncate(mark.rows);
        self.spans.truncate(mark.spans);
        self.bytes.truncate(mark.bytes);
    }

    /// Pushes everything into another sink, in order.
    pub fn send(&self, sink: &mut dyn Sink) {
        self.iter().for_each(|(record, line)| sink.record(record, line));
    }

    /// Everything with its line, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Record<'_>, u64)> {
        let mut first = 0;
        self.rows.iter().map(move |Packed { row, spans, clipped, line }| {
            let values = ValueSpans::new(self.spans.get(first..*spans).unwrap_or_default(), &self.bytes, *clipped);
            first = *spans;
            let record = match row {
                Row::Node(node) => Record::NodeSpan(*node, values),
                Row::Edge(edge) => Record::EdgeSpan(*edge, values),
                Row::Other(other) => (**other).clone(),
            };
            (record, *line)
        })
    }

    fn push(&mut self, row: Row, values: ValueSpans<'_>, line: u64) {
        for span in values.iter() {
            let start = self.bytes.len();
            self.bytes.extend_from_slice(span.value.0);
            let ValueSpan { feature, kind, interval, .. } = span;
            self.spans.push(PackedSpan { feature, kind, interval, start, end: self.bytes.len() });
        }
        self.rows.push(Packed { row, spans: self.spans.len(), clipped: values.clipped, line });
    }
}

impl Sink for SpanRows {
    fn schema(&mut self) -> &mut Schema {
        &mut self.schema
    }

    fn record(&mut self, record: Record<'_>, line: u64) {
        let other = match record {
            Record::NodeSpan(node, values) => return self.push(Row::Node(node), values, line),
            Record::EdgeSpan(edge, values) => return self.push(Row::Edge(edge), values, line),
            Record::File(name) => Record::File(name),
            Record::Reject(reason) => Record::Reject(reason),
            Record::Warning(message) => Record::Warning(message),
            other => Record::Reject(other.unfit("intervals")),
        };
        self.push(Row::Other(Box::new(other)), ValueSpans::default(), line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DType, Interval, Reason, Time, ValueRef};

    /// Two nodes and an edge, each with as many values as the number says.
    fn push(rows: &mut SpanRows, values: [u32; 3]) {
        let life = Interval::open(Time(0));
        for (at, count) in values.into_iter().enumerate() {
            let (mut bytes, mut spans) = (vec![9; at], Vec::new());
            for feature in 0..count {
                let value = ValueRef::Dense { dtype: DType::U8, elements: &[feature as u8, at as u8] };
                let start = bytes.len();
                value.encode(&mut bytes);
                spans.push(PackedSpan { feature, kind: value.kind(), interval: life, start, end: bytes.len() });
            }
            let (values, line) = (ValueSpans::new(&spans, &bytes, at as u32), at as u64);
            let record = match at {
                1 => {
                    let (ends, weight, starts_by_default, position) = ((1, 2), 0.5, true, 7);
                    let (source, destination) = ends;
                    let edge =
                        EdgeSpan { source, destination, edge_type: 3, weight, life, starts_by_default, position };
                    Record::EdgeSpan(edge, values)
                }
                _ => Record::NodeSpan(NodeSpan { id: 8, node_type: 0, weight: None, life }, values),
            };
            rows.record(record, line);
        }
        rows.reject(4, Reason::Malformed("x".into()));
    }

    #[test]
    fn what_is_sent_on_is_what_was_pushed() {
        let mut rows = SpanRows::default();
        rows.file(&"f".into());
        push(&mut rows, [2, 0, 3]);
        let mut copy = SpanRows::default();
        rows.send(&mut copy);
        assert_eq!(format!("{rows:?}"), format!("{copy:?}"));
        assert_eq!(rows.mark(), Mark { rows: 5, spans: 5, bytes: 20 });
    }

    #[test]
    fn a_rewind_leaves_no_trace() {
        let mut rows = SpanRows::default();
        push(&mut rows, [1, 1, 1]);
        let (mark, before) = (rows.mark(), format!("{rows:?}"));
        push(&mut rows, [2, 5, 0]);
        rows.rewind(mark);
        assert_eq!(format!("{rows:?}"), before);
        rows.clear();
        assert!(rows.is_empty());
    }
}
