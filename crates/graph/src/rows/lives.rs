//! Whole lives in chunks: what begins comes with its end, where it is known, and with all that changes in between.
//!
//! A source that lists intervals knows when an element ends as soon as it knows that it begins. Said as one record, a life
//! costs one; as events in order of time it costs two or more, and a sort of the whole source before the first of them.

use super::{PackedId, Row, RowRef, Rows};
use crate::{Action, EdgeTypeId, Event, FeatureId, Features, Interval, Name, NodeTypeId, Schema, Time, Value};

/// A chunk of lives of nodes, or of edges. Values are those of a schema's features, in canonical form.
#[derive(Clone, Debug, Default)]
pub struct LifeRows {
    /// What begins, with the features that it begins with.
    rows: Rows,
    lives: Vec<Interval>,
    /// By row and time.
    changes: Vec<PackedChange>,
    /// Each feature that a change sets, with the end of its bytes; no bytes end the value.
    sets: Vec<(FeatureId, u32)>,
    values: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct PackedChange {
    row: u32,
    /// One after its last set.
    sets: u32,
    time: Time,
}

/// Features that change in a life, all at one time.
#[derive(Clone, Copy)]
pub struct Change<'a> {
    lives: &'a LifeRows,
    at: usize,
}

impl LifeRows {
    /// Forgets the lives, keeps the memory, and begins a chunk of nodes, or of edges, of a file.
    pub fn begin(&mut self, edges: bool, file: &Name) {
        self.rows.clear();
        self.rows.edges = edges;
        self.rows.file.clone_from(file);
        self.lives.clear();
        self.changes.clear();
        self.sets.clear();
        self.values.clear();
    }

    /// Adds a feature that the life which comes next begins with. They come sorted by number, each once.
    #[inline]
    pub fn feature(&mut self, feature: FeatureId, value: &[u8]) {
        self.rows.values.extend_from_slice(value);
        self.rows.features.push((feature, self.rows.values.len() as u32));
    }

    /// Adds a node with the features given before.
    pub fn node(&mut self, node_type: NodeTypeId, id: u64, life: Interval, line: u64) {
        let (source, destination) = (PackedId::Int(id), PackedId::Int(0));
        self.push(Row { owner: node_type.0, line, source, destination, key: (1, 0), features: 0 }, life);
    }

    /// Adds an edge with the features given before.
    #[inline]
    pub fn edge(
        &mut self,
        edge_type: EdgeTypeId,
        (source, destination): (u64, u64),
        key: Option<&str>,
        life: Interval,
        line: u64,
    ) {
        let (source, destination) = (PackedId::Int(source), PackedId::Int(destination));
        let key = key.map_or((1, 0), |key| self.rows.text(key));
        self.push(Row { owner: edge_type.0, line, source, destination, key, features: 0 }, life);
    }

    /// Adds a node whose id is a text, with the features given before.
    pub fn named_node(&mut self, node_type: NodeTypeId, id: &str, life: Interval) {
        let (source, destination) = (self.rows.pack(id), PackedId::Int(0));
        self.push(Row { owner: node_type.0, line: 0, source, destination, key: (1, 0), features: 0 }, life);
    }

    /// Adds an edge between nodes whose ids are texts, with the features given before.
    pub fn named_edge(
        &mut self,
        edge_type: EdgeTypeId,
        (source, destination): (&str, &str),
        key: Option<&str>,
        life: Interval,
    ) {
        let (source, destination) = (self.rows.pack(source), self.rows.pack(destination));
        let key = key.map_or((1, 0), |key| self.rows.text(key));
        self.push(Row { owner: edge_type.0, line: 0, source, destination, key, features: 0 }, life);
    }

    #[inline]
    fn push(&mut self, row: Row, life: Interval) {
        self.rows.push(row);
        self.lives.push(life);
    }

    /// Sets a feature of the life added last from a time on; no value ends it. Changes come in order of time, within the
    /// life and after its begin; of one time, each feature once.
    pub fn change(&mut self, time: Time, feature: FeatureId, value: Option<&[u8]>) {
        let Some(row) = self.lives.len().checked_sub(1) else { return };
        self.values.extend_from_slice(value.unwrap_or_default());
        self.sets.push((feature, self.values.len() as u32));
        let sets = self.sets.len() as u32;
        match self.changes.last_mut().filter(|last| last.row as usize == row && last.time == time) {
            Some(last) => last.sets = sets,
            None => self.changes.push(PackedChange { row: row as u32, sets, time }),
        }
    }

    /// Whether they are edges.
    pub fn are_edges(&self) -> bool {
        self.rows.edges
    }

    /// How many lives it has.
    pub fn len(&self) -> usize {
        self.lives.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.lives.is_empty()
    }

    /// Whether it is time for the next chunk.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.rows.is_full() || self.values.len() >= super::CHUNK_BYTES
    }

    /// What begins.
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// Bytes of all values.
    pub fn n_bytes(&self) -> usize {
        self.rows.values.len() + self.values.len()
    }

    /// The life at a position below [`LifeRows::len`].
    #[inline]
    pub fn life(&self, at: usize) -> Interval {
        self.lives[at]
    }

    /// Whether nothing changes within a life.
    pub fn are_plain(&self) -> bool {
        self.changes.is_empty()
    }

    /// What changes in the life at a position, in order of time.
    #[inline]
    pub fn changes(&self, at: usize) -> impl ExactSizeIterator<Item = Change<'_>> {
        let row = at as u32;
        let range = if self.changes.is_empty() {
            0..0
        } else {
            let start = self.changes.partition_point(|change| change.row < row);
            let own = self.changes[start..].iter().take_while(|change| change.row == row).count();
            start..start + own
        };
        range.map(|at| Change { lives: self, at })
    }

    /// How many events the life at a position is: it begins, changes, and ends unless it is open.
    pub fn n_events(&self, at: usize) -> usize {
        1 + self.changes(at).len() + usize::from(!self.lives[at].is_open())
    }

    /// The life at a position as events, in order of time.
    pub fn to_events(&self, at: usize, schema: &Schema) -> Vec<Event> {
        let (row, life) = (self.rows.get(at), self.lives[at]);
        let create = row.to_event(schema, life.created);
        let element = create.element.clone();
        let event = |time, action| Event::new(time, action, element.clone());
        let mut events = vec![create];
        events.extend(self.changes(at).map(|change| {
            let features = change.named(row, schema);
            event(change.time(), Action::Update).with(features)
        }));
        events.extend((!life.is_open()).then(|| event(life.removed, Action::Delete)));
        events
    }
}

impl<'a> Change<'a> {
    fn packed(self) -> &'a PackedChange {
        &self.lives.changes[self.at]
    }

    /// When.
    pub fn time(self) -> Time {
        self.packed().time
    }

    /// What is set from then on: features with the bytes of their values, none where a value ends.
    pub fn sets(self) -> impl ExactSizeIterator<Item = (FeatureId, Option<&'a [u8]>)> {
        let lives = self.lives;
        let from = self.at.checked_sub(1).map_or(0, |before| lives.changes[before].sets as usize);
        (from..self.packed().sets as usize).map(move |at| {
            let start = at.checked_sub(1).map_or(0, |before| lives.sets[before].1 as usize);
            let (feature, end) = lives.sets[at];
            (feature, Some(&lives.values[start..end as usize]).filter(|bytes| !bytes.is_empty()))
        })
    }

    /// The same by name, for the record that it changes.
    fn named(self, row: RowRef<'_>, schema: &Schema) -> Features {
        let defs = schema.features(row.owner());
        let named = |(id, bytes): (FeatureId, Option<&[u8]>)| {
            Some((defs.get(id.at())?.name.clone(), bytes.and_then(Value::decode)))
        };
        let mut features: Features = self.sets().filter_map(named).collect();
        features.sort_by(|a, b| a.0.cmp(&b.0));
        features
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FeatureDef, FeatureKind, ListOrder, Owner, TimeUnit, ValueRef};

    fn text(text: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        ValueRef::Text(text).encode(&mut bytes);
        bytes
    }

    #[test]
    fn a_life_is_its_events() {
        let mut schema = Schema::new(TimeUnit::Step);
        let node_type = schema.add_node_type(&"n".into()).expect("room");
        for name in ["b", "a"] {
            let def = FeatureDef { name: name.into(), kind: FeatureKind::Text, order: ListOrder::List };
            schema.add_feature(Owner::Node(node_type), def);
        }
        let mut lives = LifeRows::default();
        lives.begin(false, &"f".into());
        lives.node(node_type, 1, Interval::open(Time(2)), 5);
        lives.feature(FeatureId(0), &text("x"));
        lives.node(node_type, 2, Interval::new(Time(3), Time(9)).expect("it is not empty"), 6);
        lives.change(Time(4), FeatureId(0), None);
        lives.change(Time(4), FeatureId(1), Some(&text("y")));
        lives.change(Time(5), FeatureId(1), None);
        let told: Vec<String> = (0..2)
            .flat_map(|at| lives.to_events(at, &schema))
            .map(|event| {
                let features: Vec<_> =
                    event.features.iter().map(|(name, value)| format!("{name}={value:?}").replace('"', "")).collect();
                format!("{} {:?} {}", event.time, event.action, features.join(" "))
            })
            .collect();
        let expected = [
            "2 Create ",
            "3 Create b=Some(Text(x))",
            "4 Update a=Some(Text(y)) b=None",
            "5 Update a=None",
            "9 Delete ",
        ];
        assert_eq!(told, expected);
        assert_eq!([lives.n_events(0), lives.n_events(1)], [1, 4]);
    }
}
