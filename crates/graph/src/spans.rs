//! A graph as a file of intervals lists it: nodes, edges and values of features, each with the interval in which it holds.
//!
//! Everything is named by numbers, as in the formats: node ids are one space over all types, and types, relations and
//! features are `0`, `1`, ... The weight is a value of its own.

use crate::{FeatureKind, Interval, ValueBytes};

/// One life of a node.
#[derive(Clone, Copy, Debug)]
pub struct NodeSpan {
    /// Its id.
    pub id: u64,
    /// Number of its type.
    pub node_type: u32,
    /// Its weight; `None` where the format keeps none.
    pub weight: Option<f32>,
    /// When it lives.
    pub life: Interval,
}

/// One life of an edge, as it is listed: its nodes may live shorter.
#[derive(Clone, Copy, Debug)]
pub struct EdgeSpan {
    /// Id of the source.
    pub source: u64,
    /// Id of the destination.
    pub destination: u64,
    /// Number of the relation.
    pub edge_type: u32,
    /// Its weight.
    pub weight: f32,
    /// When it lives.
    pub life: Interval,
    /// Whether its begin was not given, and is that of its source: it may be later where its destination begins later.
    pub starts_by_default: bool,
    /// Position among the edges of the line, from 1; 0 where the edge has the line for itself.
    pub position: u32,
}

/// A value of a feature and when it holds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ValueSpan<'a> {
    /// Number of the feature.
    pub feature: u32,
    /// Kind of the value.
    pub kind: FeatureKind,
    /// When it holds.
    pub interval: Interval,
    /// The value.
    pub value: ValueBytes<'a>,
}

/// The values of one record.
#[derive(Clone, Copy, Debug, Default)]
pub struct ValueSpans<'a> {
    spans: &'a [PackedSpan],
    bytes: &'a [u8],
    /// Intervals that were cut to the life.
    pub clipped: u32,
}

impl<'a> ValueSpans<'a> {
    /// Values whose places in `bytes` the spans name; `clipped` of them were cut.
    pub fn new(spans: &'a [PackedSpan], bytes: &'a [u8], clipped: u32) -> ValueSpans<'a> {
        ValueSpans { spans, bytes, clipped }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The values in order of (feature, time).
    pub fn iter(&self) -> impl ExactSizeIterator<Item = ValueSpan<'a>> + use<'a> {
        let own = *self;
        self.spans.iter().map(move |span| own.unpacked(span))
    }

    /// The value at a position in that order.
    pub fn get(&self, at: usize) -> Option<ValueSpan<'a>> {
        self.spans.get(at).map(|span| self.unpacked(span))
    }

    fn unpacked(&self, span: &PackedSpan) -> ValueSpan<'a> {
        ValueSpan {
            feature: span.feature,
            kind: span.kind,
            interval: span.interval,
            value: ValueBytes(self.bytes.get(span.start..span.end).unwrap_or_default()),
        }
    }
}

/// A [`ValueSpan`] whose bytes lie in an array.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PackedSpan {
    /// Number of the feature.
    pub feature: u32,
    /// Kind of the value.
    pub kind: FeatureKind,
    /// When it holds.
    pub interval: Interval,
    /// First byte of the value, which [`crate::ValueRef::encode`] wrote.
    pub start: usize,
    /// The byte after its last.
    pub end: usize,
}
