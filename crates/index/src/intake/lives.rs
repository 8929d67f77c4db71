//! Whole lives of a load, in any order of time: one record instead of a create, updates and a delete.
//!
//! **Law.** Lives of nodes come before the lives of the edges between them, lives of one element in order of time. A life is
//! accepted if all of its events would be, in the order in which they then stand in the log: by time, and at one time ends
//! before begins and nodes before edges. So an edge may be at a node that has ended already, if both ended in this load
//! and the edge not after the node.

use timeweft_graph::rows::{RowRef, Rows};
use timeweft_graph::{Action, ElementKind, FeatureId, Interval, Name, NodeIndex, Owner, Reason, Time};

use crate::elements::events::Subject;
use crate::elements::life::LifeRecord;
use crate::intake::lifecycle::EdgeEnd;
use crate::intake::records::Records;
use crate::{Index, NONE};

/// A load of whole lives. Its events stand in the log of the index once it is finished, and not before.
pub struct LifeLoader<'a> {
    records: Records<'a>,
    /// The first edge that the load adds.
    first_edge: usize,
    /// Events so far.
    events: usize,
    updates: Vec<Update>,
    update_sets: Vec<(FeatureId, u32)>,
    /// Edges often come in the order of their sources: where the next one is looked for first.
    next_source: u32,
    /// Edges since the adjacency was last seen to be there.
    edges: usize,
    /// Destinations of the edges of a chunk. Looking up one after the other waits for memory each time; looking up all at
    /// once waits for many at a time.
    destinations: Vec<Option<EdgeEnd>>,
}

/// An accepted change of a life.
struct Update {
    time: Time,
    subject: Subject,
    /// One after its last set.
    sets: usize,
}

/// How many new edges are added one by one to lists that are there already; with more, the lists are made anew when they
/// are asked for.
const MAX_LISTED: usize = 1 << 14;

/// Ranks of the events at one time.
const EDGE_ENDS: u8 = ElementKind::Edge.rank(Action::Delete);
const NODE_ENDS: u8 = ElementKind::Node.rank(Action::Delete);
const NODE_BEGINS: u8 = ElementKind::Node.rank(Action::Create);
const EDGE_BEGINS: u8 = ElementKind::Edge.rank(Action::Create);

impl<'a> LifeLoader<'a> {
    /// A load of a namespace into an index.
    pub fn new(index: &'a mut Index, namespace: &Name) -> LifeLoader<'a> {
        let (first_life, first_edge) = (index.nodes.lives.len() as u32, index.edges.lives.len());
        LifeLoader {
            records: Records::new(index, namespace, first_life),
            first_edge,
            events: 0,
            updates: Vec::new(),
            update_sets: Vec::new(),
            next_source: 0,
            edges: 0,
            destinations: Vec::new(),
        }
    }

    /// The index, to declare types or to reserve memory.
    pub fn index(&mut self) -> &mut Index {
        self.records.index
    }

    /// Reserves memory for edges like those of a chunk.
    pub fn reserve(&mut self, like: &Rows, edges: usize) {
        self.records.index.edges.reserve(edges);
        self.records.index.reserve_values(like, edges);
    }

    /// Takes in a chunk: creates with the ends of their lives, each followed by what changes in its life. Types and features
    /// have the numbers of the index's schema. Lives that are refused change nothing; the positions of their creates come
    /// with the reasons.
    pub fn take(&mut self, rows: &Rows) -> Vec<(usize, Reason)> {
        let mut refused = Vec::new();
        if rows.are_edges() {
            self.look_up(rows);
        }
        let mut at = 0;
        while at < rows.len() {
            let row = rows.get(at);
            let changes = row.changes().count();
            let taken = match (row.action(), row.owner()) {
                (Action::Create, Owner::Edge(_)) if rows.are_edges() => self.edge(row),
                (Action::Create, Owner::Node(_)) => self.node(row),
                _ => Err(Reason::Malformed("no life begins and none changes".into())),
            };
            match taken {
                Ok(()) => self.events += 1 + changes + usize::from(!row.life().is_open()),
                Err(reason) => refused.push((at, reason)),
            }
            at += 1 + changes;
        }
        refused
    }

    /// Brings the events in order and writes them to the log. Without it, the index must not be used any further.
    pub fn finish(self) {
        let LifeLoader { records, first_edge, events, updates, update_sets, .. } = self;
        let Records { index, first_life, .. } = records;
        let first_life = first_life as usize;
        let mut order: Vec<LogPosition> = Vec::with_capacity(events);
        let mut add = |ranks: [u8; 2], at: usize, life: Interval, is_first: bool| {
            order.push(LogPosition::new(life.created, ranks[0], at, is_first));
            order.extend((!life.is_open()).then(|| LogPosition::new(life.removed, ranks[1], at, false)));
        };
        for (at, life) in (first_life..).zip(&index.nodes.lives[first_life..]) {
            let is_first = index.feature_store.is_opened_at_begin(life.feature_row());
            add([NODE_BEGINS, NODE_ENDS], at, life.interval, is_first);
        }
        for (at, life) in (first_edge..).zip(&index.edges.lives[first_edge..]) {
            let is_first = index.feature_store.is_opened_at_begin(life.feature_row());
            add([EDGE_BEGINS, EDGE_ENDS], at, life.interval, is_first);
        }
        order.extend(updates.iter().enumerate().map(|(at, update)| match update.subject {
            Subject::Edge(_) => LogPosition::new(update.time, ElementKind::Edge.rank(Action::Update), at, false),
            _ => LogPosition::new(update.time, ElementKind::Node.rank(Action::Update), at, false),
        }));
        sort(&mut order);
        index.events.reserve(order.len());
        for place in order {
            let (rank, at, first) = place.get();
            let is_edge = matches!(rank, EDGE_ENDS | EDGE_BEGINS);
            let subject = if is_edge { Subject::Edge(at as u32) } else { Subject::Node(at as u32) };
            match rank {
                EDGE_ENDS | NODE_ENDS => _ = index.events.push(Action::Delete, subject, place.time, &[]),
                NODE_BEGINS | EDGE_BEGINS if first => _ = index.events.push_first(subject),
                NODE_BEGINS | EDGE_BEGINS => _ = index.events.push(Action::Create, subject, place.time, &[]),
                _ => {
                    let from = at.checked_sub(1).map_or(0, |before| updates[before].sets);
                    let update = &updates[at];
                    index.events.push(Action::Update, update.subject, update.time, &update_sets[from..update.sets]);
                }
            }
        }
        index.texts.forget();
        // Most often they are not there yet; and they are made anew faster than mended.
        index.facts.take();
    }

    /// Finds the destinations of all edges of a chunk; no edge changes what is found.
    fn look_up(&mut self, rows: &Rows) {
        let index = &*self.records.index;
        let types = index.schema.edge_types();
        let nodes = rows.iter().map(|row| {
            (row.action() == Action::Create).then_some(())?;
            let edge_type = types.get(row.edge_type().at())?;
            index.nodes.find(edge_type.destination, row.destination())
        });
        let nodes: Vec<Option<NodeIndex>> = nodes.collect();
        self.destinations.clear();
        self.destinations.extend(nodes.into_iter().map(|node| index.edge_end(node)));
    }

    fn node(&mut self, row: RowRef<'_>) -> Result<(), Reason> {
        let life = self.check(row)?;
        let new = self.records.new_node(row, life)?;
        let Records { index, namespace_id, sets, .. } = &mut self.records;
        let node = index.open_node(new, life.created, sets, *namespace_id);
        let opened = Subject::Node(index.nodes.life(node));
        let last = self.change(row, opened);
        let nodes = &mut self.records.index.nodes;
        if life.is_open() {
            nodes.latest[node.at()] = last;
        } else {
            nodes.close(node, life.removed);
        }
        Ok(())
    }

    fn edge(&mut self, row: RowRef<'_>) -> Result<(), Reason> {
        let life = self.check(row)?;
        let from = self.records.edge_type(row)?.source;
        let index = &*self.records.index;
        let source = index.edge_end(index.nodes.find_near(from, row.id(), self.next_source));
        let new = self.records.new_edge(row, [source, self.destinations[row.at()]], life)?;
        self.next_source = new.identity.source.0;
        self.give_up_lists();
        let Records { index, namespace_id, sets, .. } = &mut self.records;
        let edge = index.open_edge(new, life.created, sets, *namespace_id);
        let last = self.change(row, Subject::Edge(edge.0));
        let index = &mut *self.records.index;
        if !life.is_open() {
            index.close_edge(edge, life.removed);
        } else if last > life.created {
            index.edges.touch(edge, last);
        }
        Ok(())
    }

    /// Takes in what changes within a life that was opened; gives the time of the last change.
    fn change(&mut self, row: RowRef<'_>, subject: Subject) -> Time {
        let index = &mut *self.records.index;
        let mut last = row.life().created;
        for change in row.changes() {
            let from = self.update_sets.len();
            for (feature, bytes) in change.features() {
                let value = match bytes {
                    [] => NONE,
                    bytes => index.feature_store.values.add(row.owner(), feature, bytes),
                };
                self.update_sets.push((feature, value));
            }
            // An event has its features in the order of their names.
            let defs = index.schema.features(row.owner());
            let name = |id: FeatureId| defs.get(id.at()).map(|def| &def.name);
            self.update_sets[from..].sort_by(|a, b| name(a.0).cmp(&name(b.0)));
            last = change.life().created;
            index.change(subject, last, &self.update_sets[from..]);
            self.updates.push(Update { time: last, subject, sets: self.update_sets.len() });
        }
        last
    }

    /// The life of a row, if it and its changes are in order and there is room for them.
    fn check(&self, row: RowRef<'_>) -> Result<Interval, Reason> {
        let life = row.life();
        let mut last = life.created;
        let mut values = row.features().len() + self.events + 2;
        let mut in_order = life.created < life.removed;
        for change in row.changes() {
            let time = change.life().created;
            in_order &= last < time && time < life.removed;
            last = time;
            values += change.features().len() + 1;
        }
        self.records.index.check_room(values)?;
        let unsound = || Reason::Malformed("a life ends before it begins, or changes when it is not there".into());
        in_order.then_some(life).ok_or_else(unsound)
    }

    /// Gives up lists to which many edges would have to be added one by one.
    fn give_up_lists(&mut self) {
        self.edges += 1;
        if self.edges == MAX_LISTED {
            self.records.index.adjacency.take();
            self.records.index.pairs.take();
        }
    }
}

/// Where an event stands in the order of the log.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct LogPosition {
    time: Time,
    /// Rank at the time, number of the life or update, and whether its features are those that its feature row was opened with.
    rest: u64,
}

/// Bits of the rest below the rank.
const NUMBER: u32 = 40;

impl LogPosition {
    fn new(time: Time, rank: u8, at: usize, first: bool) -> LogPosition {
        LogPosition { time, rest: u64::from(rank) << NUMBER | (at as u64) << 1 | u64::from(first) }
    }

    fn get(self) -> (u8, usize, bool) {
        ((self.rest >> NUMBER) as u8, (self.rest as usize & ((1 << NUMBER) - 1)) >> 1, self.rest & 1 == 1)
    }

    /// Time and rank, counted from a time that is not after it.
    fn key(self, since: Time) -> u64 {
        (self.time.0.wrapping_sub(since.0) as u64) << 3 | self.rest >> NUMBER
    }
}

/// Sorts places, of which those of one time and rank come sorted already: digit by digit, which for the times of one source
/// takes few passes.
fn sort(places: &mut Vec<LogPosition>) {
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
        let digit = |place: &LogPosition| (place.key(since) >> shift) as usize & ((1 << DIGIT) - 1);
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
                LogPosition::new(time, (at % 6) as u8, (at / 6) as usize, at.is_multiple_of(5))
            };
            let mut places: Vec<LogPosition> = (0..n).map(place).collect();
            let mut expected = places.clone();
            expected.sort();
            sort(&mut places);
            assert!(places == expected, "{unit}");
        }
    }
}
