//! Whole lives of a load, in any order of time: one record instead of a create, updates and a delete.
//!
//! **Law.** Lives of nodes come before the lives of the edges between them, lives of one element in order of time. A life is
//! accepted if all of its events would be, in the order in which they then stand in the log: by time, and at one time ends
//! before begins and nodes before edges. So an edge may be at a node that has ended already, if both ended in this load
//! and the edge not after the node.

use timeweft_graph::rows::{LifeRows, RowRef};
use timeweft_graph::{Action, EdgeIndex, FeatureId, Interval, Name, NodeIndex, NodeKey, NodeTypeId, Reason, Time};

use crate::elements::edge::Identity;
use crate::elements::events::Subject;
use crate::elements::life::Life;
use crate::feature_store::Track;
use crate::intake::check::in_order;
use crate::{Index, NONE};

/// A load of whole lives. Its events stand in the log of the index once it is finished, and not before.
pub struct Lives<'a> {
    index: &'a mut Index,
    speaker: u32,
    /// What the load adds begins here.
    first: [usize; 2],
    /// Events so far.
    events: usize,
    updates: Vec<Update>,
    update_sets: Vec<(FeatureId, u32)>,
    /// Edges often come in the order of their sources: where the next one is looked for first.
    next_source: u32,
    /// Edges since the adjacency was last seen to be there.
    edges: usize,
    sets: Vec<(FeatureId, u32)>,
    /// Destinations of the edges of a chunk, and their latest lives. Looking up one after the other waits for memory each
    /// time; looking up all at once waits for many at a time.
    destinations: Vec<Option<NodeIndex>>,
    destination_lives: Vec<(u32, Interval)>,
}

/// An accepted change of a life.
struct Update {
    time: Time,
    subject: Subject,
    /// One after its last set.
    sets: usize,
}

/// So many new edges are added to an adjacency that is there one by one; for more it is made anew when it is asked for.
const FEW: usize = 1 << 14;

impl<'a> Lives<'a> {
    /// A load into an index, spoken by a namespace.
    pub fn new(index: &'a mut Index, namespace: &Name) -> Lives<'a> {
        let speaker = index.namespaces.add(namespace);
        let first = [index.nodes.lives.len(), index.edges.lives.len()];
        let (updates, update_sets, sets) = (Vec::new(), Vec::new(), Vec::new());
        let (destinations, destination_lives) = (Vec::new(), Vec::new());
        Lives {
            index,
            speaker,
            first,
            events: 0,
            updates,
            update_sets,
            next_source: 0,
            edges: 0,
            sets,
            destinations,
            destination_lives,
        }
    }

    /// The index, to declare types, or to make room.
    pub fn index(&mut self) -> &mut Index {
        self.index
    }

    /// Makes room for so many edges like those of a chunk.
    pub fn reserve(&mut self, like: &LifeRows, edges: usize) {
        self.index.edges.reserve(edges);
        self.index.reserve_values(like.rows(), edges);
    }

    /// Takes in a chunk. Types and features have the numbers of the index's schema. Lives that are refused change nothing;
    /// their positions come with the reasons.
    pub fn take(&mut self, lives: &LifeRows) -> Vec<(usize, Reason)> {
        let mut refused = Vec::new();
        if lives.are_edges() {
            self.look_up(lives);
        }
        for row in lives.rows().iter() {
            let taken = if lives.are_edges() { self.edge(lives, row) } else { self.node(lives, row) };
            match taken {
                Ok(()) => self.events += lives.n_events(row.at()),
                Err(reason) => refused.push((row.at(), reason)),
            }
        }
        refused
    }

    /// Brings the events in order and writes them to the log. Without it, the index must not be used any further.
    pub fn finish(self) {
        let Lives { index, first, events, updates, update_sets, .. } = self;
        let mut order: Vec<Place> = Vec::with_capacity(events);
        for (at, life) in (first[0]..).zip(&index.nodes.lives[first[0]..]) {
            order.push(Place::new(life.interval.created, 2, at, index.columns.is_opened_at_begin(life.track())));
            order.extend((!life.interval.is_open()).then(|| Place::new(life.interval.removed, 1, at, false)));
        }
        for (at, life) in (first[1]..).zip(&index.edges.lives[first[1]..]) {
            order.push(Place::new(life.interval.created, 4, at, index.columns.is_opened_at_begin(life.track())));
            order.extend((!life.interval.is_open()).then(|| Place::new(life.interval.removed, 0, at, false)));
        }
        order.extend(updates.iter().enumerate().map(|(at, update)| match update.subject {
            Subject::Edge(_) => Place::new(update.time, 5, at, false),
            _ => Place::new(update.time, 3, at, false),
        }));
        sort(&mut order);
        index.log.reserve(order.len());
        for place in order {
            let (rank, at, first) = place.get();
            let subject = if matches!(rank, 0 | 4) { Subject::Edge(at as u32) } else { Subject::Node(at as u32) };
            match rank {
                0 | 1 => _ = index.log.push(Action::Delete, subject, place.time, &[]),
                2 | 4 if first => _ = index.log.push_first(subject),
                2 | 4 => _ = index.log.push(Action::Create, subject, place.time, &[]),
                _ => {
                    let from = at.checked_sub(1).map_or(0, |before| updates[before].sets);
                    let update = &updates[at];
                    index.log.push(Action::Update, update.subject, update.time, &update_sets[from..update.sets]);
                }
            }
        }
        index.texts.forget();
        // Most often nobody has asked for them yet, and those asked for once are made anew faster than mended.
        index.facts.take();
    }

    /// Finds the destinations of all edges of a chunk; no edge changes what is found.
    fn look_up(&mut self, lives: &LifeRows) {
        let (types, nodes) = (self.index.schema.edge_types(), &self.index.nodes);
        self.destinations.clear();
        self.destinations.extend(lives.rows().iter().map(|row| {
            let edge_type = types.get(row.edge_type().at())?;
            nodes.find(edge_type.destination, row.destination())
        }));
        self.destination_lives.clear();
        let none = (NONE, Interval::open(Time::FOREVER));
        self.destination_lives.extend(self.destinations.iter().map(|node| match node.map(|node| nodes.life(node)) {
            None | Some(NONE) => none,
            Some(own) => (own, nodes.lives[own as usize].interval),
        }));
    }

    fn node(&mut self, lives: &LifeRows, row: RowRef<'_>) -> Result<(), Reason> {
        let life = self.check(lives, row)?;
        let known = self.index.nodes.find(row.node_type(), row.id());
        if let Some(node) = known {
            if self.index.nodes.latest_life(node).is_some_and(|life| life.interval.is_open()) {
                return Err(Reason::NodeExists(self.index.node_key(node)));
            }
            self.index.check_order(node, life.created)?;
        }
        let index = &mut *self.index;
        index.columns.values.add_row(row, &mut self.sets);
        let node = known.unwrap_or_else(|| index.nodes.add(row.node_type(), row.id()));
        index.merges.close_all(index.nodes.merge(node), life.created);
        let track = index.columns.open(life.created, &self.sets);
        let opened = index.nodes.open(node, track, self.speaker);
        let (track, last) = self.change(lives, row, Subject::Node(opened), track);
        let own = &mut self.index.nodes.lives[opened as usize];
        own.set_track(track);
        own.interval = life;
        self.index.nodes.latest[node.at()] = if life.is_open() { last } else { life.removed };
        Ok(())
    }

    fn edge(&mut self, lives: &LifeRows, row: RowRef<'_>) -> Result<(), Reason> {
        let life = self.check(lives, row)?;
        let edge_type = self.index.schema.edge_types().get(row.edge_type().at());
        let (from, to) = edge_type.map(|known| (known.source, known.destination)).ok_or_else(unknown_type)?;
        let nodes = &self.index.nodes;
        let source = nodes.find_near(from, row.id(), self.next_source);
        let own = source.map_or(NONE, |source| nodes.life(source));
        let interval = nodes.lives.get(own as usize).map_or(life, |life| life.interval);
        let source = self.end((from, row.id()), source, (own, interval), life)?;
        let known = (self.destinations[row.at()], self.destination_lives[row.at()]);
        let destination = self.end((to, row.destination()), known.0, known.1, life)?;
        self.next_source = source.0;
        let key = row.key().map_or(Some(NONE), |key| self.index.keys.find(key));
        let edge_type = row.edge_type();
        let identity = |key| Identity { edge_type, source, destination, key };
        let latest = key.and_then(|key| self.index.edges.find(identity(key)));
        if let Some(known) = latest {
            if self.index.edges.get(known).interval.is_open() {
                return Err(Reason::EdgeExists(Box::new(row.edge_key(&self.index.schema))));
            }
            let name = || format!("edge {}", row.edge_key(&self.index.schema));
            in_order(self.index.schema.unit(), life.created, self.index.edges.latest(known), name)?;
        }
        self.make_room();
        let index = &mut *self.index;
        index.columns.values.add_row(row, &mut self.sets);
        let key = row.key().map_or(NONE, |key| index.keys.add_str(key));
        let track = index.columns.open(life.created, &self.sets);
        let edge = index.edges.open((identity(key), latest), track, self.speaker);
        index.connect(edge);
        let (track, last) = self.change(lives, row, Subject::Edge(edge.0), track);
        self.close(edge, track, life, last);
        Ok(())
    }

    /// Ends an edge that was opened, or notes its last change.
    fn close(&mut self, edge: EdgeIndex, track: Track, life: Interval, last: Time) {
        self.index.edges.lives[edge.at()].set_track(track);
        if !life.is_open() {
            self.index.close_edge(edge, life.removed);
        } else if last > life.created {
            self.index.edges.touch(edge, last);
        }
    }

    /// Takes in what changes within a life that was opened; gives its track, and the time of the last change.
    fn change(&mut self, lives: &LifeRows, row: RowRef<'_>, subject: Subject, mut track: Track) -> (Track, Time) {
        let mut last = track.begun;
        for change in lives.changes(row.at()) {
            let from = self.update_sets.len();
            for (feature, bytes) in change.sets() {
                let value = bytes.map_or(NONE, |bytes| self.index.columns.values.add(row.owner(), feature, bytes));
                self.update_sets.push((feature, value));
            }
            // An event has its features in the order of their names.
            let defs = self.index.schema.features(row.owner());
            let name = |id: FeatureId| defs.get(id.at()).map(|def| &def.name);
            self.update_sets[from..].sort_by(|a, b| name(a.0).cmp(&name(b.0)));
            last = change.time();
            track = self.index.columns.update(track, last, &self.update_sets[from..]);
            self.updates.push(Update { time: last, subject, sets: self.update_sets.len() });
        }
        (track, last)
    }

    /// The life of a row, if it and its changes are in order and there is room for them.
    fn check(&self, lives: &LifeRows, row: RowRef<'_>) -> Result<Interval, Reason> {
        let life = lives.life(row.at());
        let mut last = life.created;
        let mut values = row.features().len() + self.events + 2;
        let mut in_order = life.created < life.removed;
        for change in lives.changes(row.at()) {
            in_order &= last < change.time() && change.time() < life.removed;
            last = change.time();
            values += change.sets().len() + 1;
        }
        self.index.check_room(values)?;
        let unsound = || Reason::Malformed("a life ends before it begins, or changes when it is not there".into());
        in_order.then_some(life).ok_or_else(unsound)
    }

    /// An end, if its latest life holds all of an edge's.
    fn end(
        &self,
        (node_type, id): (NodeTypeId, timeweft_graph::rows::IdRef<'_>),
        node: Option<NodeIndex>,
        (own, life): (u32, Interval),
        edge: Interval,
    ) -> Result<NodeIndex, Reason> {
        let key = || NodeKey { node_type: self.index.schema.node_type_name(node_type), id: id.to_id() };
        let node = node.filter(|_| own != NONE).ok_or_else(|| Reason::UnknownNode(key()))?;
        if edge.created < life.created {
            in_order(self.index.schema.unit(), edge.created, life.created, || format!("node {}", key()))?;
        }
        let within = life.is_open() || (own as usize >= self.first[0] && edge.removed <= life.removed);
        if within { Ok(node) } else { Err(Reason::DeletedNode(key())) }
    }

    /// What many edges would have to be added to one by one is given up.
    fn make_room(&mut self) {
        self.edges += 1;
        if self.edges == FEW {
            self.index.adjacency.take();
            self.index.pairs.take();
        }
    }
}

fn unknown_type() -> Reason {
    Reason::Malformed("its type is not in the schema: report this".into())
}

/// The place of an event in the order of the log.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    time: Time,
    /// Rank at the time, number of the life or update, and whether its features are those that its track was opened with.
    rest: u64,
}

/// Bits of the rest below the rank.
const NUMBER: u32 = 40;

impl Place {
    fn new(time: Time, rank: u64, at: usize, first: bool) -> Place {
        Place { time, rest: rank << NUMBER | (at as u64) << 1 | u64::from(first) }
    }

    fn get(self) -> (u64, usize, bool) {
        (self.rest >> NUMBER, (self.rest as usize & ((1 << NUMBER) - 1)) >> 1, self.rest & 1 == 1)
    }

    /// Time and rank, counted from a time that is not after it.
    fn key(self, since: Time) -> u64 {
        (self.time.0.wrapping_sub(since.0) as u64) << 3 | self.rest >> NUMBER
    }
}

/// Sorts places, of which those of one time and rank come sorted already: digit by digit, which for the times of one source
/// takes few passes.
fn sort(places: &mut Vec<Place>) {
    const DIGIT: u32 = 11;
    let times = || places.iter().map(|place| place.time);
    let (Some(since), Some(until)) = (times().min(), times().max()) else { return };
    let span = until.0.wrapping_sub(since.0) as u64;
    if span >= 1 << 61 || places.len() < 1 << DIGIT {
        return places.sort_unstable();
    }
    let bits = u64::BITS - (span << 3 | 7).leading_zeros();
    let mut sorted = places.clone();
    for shift in (0..bits).step_by(DIGIT as usize) {
        let digit = |place: &Place| (place.key(since) >> shift) as usize & ((1 << DIGIT) - 1);
        let mut next = [0usize; (1 << DIGIT) + 1];
        places.iter().for_each(|place| next[digit(place) + 1] += 1);
        (1..next.len()).for_each(|at| next[at] += next[at - 1]);
        for place in places.iter() {
            let next = &mut next[digit(place)];
            sorted[*next] = *place;
            *next += 1;
        }
        std::mem::swap(places, &mut sorted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_come_in_order_of_time_and_rank() {
        for (unit, n) in [(1, 5_000), (1 << 40, 5_000), (1 << 50, 5_000), (3, 100)] {
            let place = |at: u64| {
                let time = Time((at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 52) as i64 * unit - 77);
                Place::new(time, at % 6, (at / 6) as usize, at.is_multiple_of(5))
            };
            let mut places: Vec<Place> = (0..n).map(place).collect();
            let mut expected = places.clone();
            expected.sort();
            sort(&mut places);
            assert!(places == expected, "{unit}");
        }
    }
}
