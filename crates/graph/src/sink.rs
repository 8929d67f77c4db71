//! The one way in: readers push what they read into a [`Sink`], record by record.
//!
//! Records are borrowed, so that no format needs more memory than one record.

use crate::{
    EdgeSpan, EdgeTypeId, ElementRef, Event, FeatureId, Format, IdRef, Name, NodeSpan, NodeTypeId, Place, Reason,
    Reject, Schema, Scope, Unreadable, ValueRef, ValueSpans,
};

/// Features of an element, by their numbers in the sink's schema.
type Features<'a> = &'a [(FeatureId, ValueRef<'a>)];

/// What a reader found.
#[derive(Clone, Debug)]
pub enum Record<'a> {
    /// The file that the lines of the following records belong to.
    File(Name),
    /// What reads a whole version; it comes once, before the first record.
    Format(Format),
    /// About how many nodes and edges will come, rather more than less. Only speed depends on it.
    Expected(usize, usize),
    /// An element of a whole version with all its features: one that is not given has no value in this version.
    Listed(ElementRef<'a>, Features<'a>),
    /// A node that a whole version calls deleted, which tells a deletion from an omission.
    Deleted(NodeTypeId, IdRef<'a>),
    /// A record that could not be read, and what it would have said: that is unknown, and not gone.
    Unreadable(Vec<Unreadable>, Reason),
    /// A section of a whole version that lists such elements is there, and has no record.
    Empty(Scope),
    /// One life of a node, and the values of its features.
    NodeSpan(NodeSpan, ValueSpans<'a>),
    /// One life of an edge; its nodes may come before or after it.
    EdgeSpan(EdgeSpan, ValueSpans<'a>),
    /// An event.
    Event(Event),
    /// A record that could not be taken in, and that leaves nothing unknown: it contradicts others, or repeats them.
    Reject(Reason),
    /// Something that was taken in and that people should know of. A reader tells the same fact once, not once a record.
    Warning(String),
}

impl Record<'_> {
    /// Why a load of another kind of source leaves it out.
    pub fn unfit(&self, wanted: &str) -> Reason {
        let (what, kind) = match self {
            Record::Event(_) => ("an event", "a stream of events"),
            Record::NodeSpan(..) | Record::EdgeSpan(..) => ("a lifetime", "a source of intervals"),
            _ => ("a record of a whole version", "a whole version"),
        };
        Reason::Malformed(format!("{what} does not belong into {wanted}: load the source as {kind}"))
    }
}

/// Takes in what a source has: events, lives, or a whole version.
///
/// # Whole versions
/// Nodes come before the first edge, and so do records of nodes that cannot be read; merges and deletions come anywhere.
///
/// Numbers of types and features are those of [`Sink::schema`], where a reader declares them before it uses them. What is
/// there already keeps its number, its kind and its order semantics.
///
/// # Intervals
/// - A life is not empty, and the intervals of features lie inside it.
/// - The values of a feature are of one kind, and no two hold at one time.
/// - Values come in order of (feature, time); where two touch, they differ.
///
/// What takes more than one record to see is not checked by readers: a second record of a node, edges at nodes that come
/// later or never, edges that outlive an end, features of another kind than in other records, repeats of an edge.
pub trait Sink {
    /// The types, to declare what will be listed. Events name their types themselves: declaring them has no effect.
    fn schema(&mut self) -> &mut Schema;

    /// A record and its line, 0 where the format has no lines. A sink rejects a record of a kind that it cannot take.
    fn record(&mut self, record: Record<'_>, line: u64);

    /// Whether nothing more is taken in, for the load failed or was stopped. A reader may end then as if the source did.
    fn is_closed(&self) -> bool {
        false
    }

    /// [`Record::File`].
    fn file(&mut self, name: &Name) {
        self.record(Record::File(name.clone()), 0);
    }

    /// [`Record::Format`].
    fn format(&mut self, format: Format) {
        self.record(Record::Format(format), 0);
    }

    /// [`Record::Expected`].
    fn expect(&mut self, nodes: usize, edges: usize) {
        self.record(Record::Expected(nodes, edges), 0);
    }

    /// [`Record::Listed`], of a node.
    fn node(&mut self, node_type: NodeTypeId, id: &str, features: &[(FeatureId, ValueRef<'_>)], line: u64) {
        self.record(Record::Listed(ElementRef::Node(node_type, IdRef::of(id)), features), line);
    }

    /// [`Record::Listed`], of an edge; `key` tells parallel edges apart.
    fn edge(
        &mut self,
        edge_type: EdgeTypeId,
        (source, destination): (&str, &str),
        key: Option<&str>,
        features: &[(FeatureId, ValueRef<'_>)],
        line: u64,
    ) {
        let ends = [source, destination].map(IdRef::of);
        self.record(Record::Listed(ElementRef::Edge(edge_type, ends, key), features), line);
    }

    /// [`Record::Listed`], of a merge: the first node is no more, it became the second.
    fn merge(
        &mut self,
        from: (NodeTypeId, &str),
        into: (NodeTypeId, &str),
        features: &[(FeatureId, ValueRef<'_>)],
        line: u64,
    ) {
        let nodes = [from, into].map(|(node_type, id)| (node_type, IdRef::of(id)));
        self.record(Record::Listed(ElementRef::Merge(nodes), features), line);
    }

    /// [`Record::Deleted`].
    fn deleted(&mut self, node_type: NodeTypeId, id: &str, line: u64) {
        self.record(Record::Deleted(node_type, IdRef::of(id)), line);
    }

    /// [`Record::Unreadable`].
    fn unreadable(&mut self, unknown: Vec<Unreadable>, line: u64, reason: Reason) {
        self.record(Record::Unreadable(unknown, reason), line);
    }

    /// [`Record::Empty`].
    fn empty(&mut self, section: Scope) {
        self.record(Record::Empty(section), 0);
    }

    /// [`Record::Reject`].
    fn reject(&mut self, line: u64, reason: Reason) {
        self.record(Record::Reject(reason), line);
    }

    /// [`Record::Warning`].
    fn warn(&mut self, line: u64, message: String) {
        self.record(Record::Warning(message), line);
    }
}

/// Pushes events with their places, and why others could not be read, until the sink is closed.
pub fn send_events(records: impl IntoIterator<Item = Result<(Event, Place), Reject>>, sink: &mut dyn Sink) {
    for record in records {
        if sink.is_closed() {
            return;
        }
        let place = record.as_ref().map_or_else(|reject| &reject.place, |(_, place)| place);
        sink.file(&place.file);
        match record {
            Ok((event, place)) => sink.record(Record::Event(event), place.line),
            Err(Reject { place, reason }) => sink.reject(place.line, reason),
        }
    }
}
