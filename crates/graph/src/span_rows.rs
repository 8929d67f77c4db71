//! What a file of intervals lists, packed into flat arrays in the order in which it came.

use crate::spans::PackedSpan;
use crate::{EdgeSpan, Interval, NodeSpan, Record, Schema, Sink, ValueSpan, ValueSpans};

/// Records packed into flat arrays, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub struct SpanRows {
    rows: Vec<Row>,
    spans: Vec<PackedSpan>,
    bytes: Vec<u8>,
    /// Empty: intervals name types by numbers.
    schema: Schema,
}

#[derive(Clone, Debug)]
enum Row {
    Node {
        id: u64,
        node_type: u32,
        weight: Option<f32>,
        life: Interval,
        tail: Tail,
    },
    Edge {
        ends: (u64, u64),
        edge_type: u32,
        weight: f32,
        position: u32,
        life: Interval,
        starts_by_default: bool,
        tail: Tail,
    },
    /// A file or a rejected record, and its line.
    Other(Box<(Record<'static>, u64)>),
}

/// What nodes and edges share.
#[derive(Clone, Copy, Debug)]
struct Tail {
    /// End of the values; they begin where those of the row before end.
    spans: usize,
    clipped: u32,
    line: u64,
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
        self.rows.iter().map(move |row| {
            let mut values = |tail: &Tail| {
                let spans = self.spans.get(first..tail.spans).unwrap_or_default();
                first = tail.spans;
                ValueSpans::new(spans, &self.bytes)
            };
            match row {
                &Row::Node { id, node_type, weight, life, tail } => {
                    let (values, Tail { clipped, line, .. }) = (values(&tail), tail);
                    (Record::NodeSpan(NodeSpan { id, node_type, weight, life, values, clipped }), line)
                }
                &Row::Edge {
                    ends: (source, destination),
                    edge_type,
                    weight,
                    position,
                    life,
                    starts_by_default,
                    tail,
                } => {
                    let (values, Tail { clipped, line, .. }) = (values(&tail), tail);
                    let edge = EdgeSpan {
                        source,
                        destination,
                        edge_type,
                        weight,
                        life,
                        starts_by_default,
                        values,
                        clipped,
                        position,
                    };
                    (Record::EdgeSpan(edge), line)
                }
                Row::Other(other) => (**other).clone(),
            }
        })
    }

    fn tail(&mut self, values: ValueSpans<'_>, clipped: u32, line: u64) -> Tail {
        for span in values.iter() {
            let start = self.bytes.len();
            self.bytes.extend_from_slice(span.value.0);
            let ValueSpan { feature, kind, interval, .. } = span;
            self.spans.push(PackedSpan { feature, kind, interval, start, end: self.bytes.len() });
        }
        Tail { spans: self.spans.len(), clipped, line }
    }
}

impl Sink for SpanRows {
    fn schema(&mut self) -> &mut Schema {
        &mut self.schema
    }

    fn record(&mut self, record: Record<'_>, line: u64) {
        let row = match record {
            Record::NodeSpan(NodeSpan { id, node_type, weight, life, values, clipped }) => {
                Row::Node { id, node_type, weight, life, tail: self.tail(values, clipped, line) }
            }
            Record::EdgeSpan(edge) => {
                let EdgeSpan { edge_type, weight, life, starts_by_default, position, .. } = edge;
                let (ends, tail) = ((edge.source, edge.destination), self.tail(edge.values, edge.clipped, line));
                Row::Edge { ends, edge_type, weight, position, life, starts_by_default, tail }
            }
            Record::File(name) => Row::Other(Box::new((Record::File(name), line))),
            Record::Reject(reason) => Row::Other(Box::new((Record::Reject(reason), line))),
            Record::Warning(message) => Row::Other(Box::new((Record::Warning(message), line))),
            other => Row::Other(Box::new((Record::Reject(other.unfit("intervals")), line))),
        };
        self.rows.push(row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DType, Reason, Time, ValueRef};

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
            let (values, line) = (ValueSpans::new(&spans, &bytes), at as u64);
            let record = match at {
                1 => Record::EdgeSpan(EdgeSpan {
                    source: 1,
                    destination: 2,
                    edge_type: 3,
                    weight: 0.5,
                    life,
                    starts_by_default: true,
                    values,
                    clipped: 1,
                    position: 7,
                }),
                _ => Record::NodeSpan(NodeSpan { id: 8, node_type: 0, weight: None, life, values, clipped: 0 }),
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
