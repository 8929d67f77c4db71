//! The accepted events, packed. Times of creates and deletes stand in the lives that they begin and end.

use bytemuck::{Pod, Zeroable};
use rustc_hash::FxHashMap;
use timeweft_graph::{Action, EdgeIndex, FeatureId, Time};

use crate::memory::array::Array;

/// What an event is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Subject {
    /// A life of a node.
    Node(u32),
    /// A life of an edge.
    Edge(u32),
    /// An episode of a merge.
    Merge(u32),
}

/// An accepted event; positions in the log count from 0.
#[derive(Clone, Copy)]
pub(crate) struct Accepted<'a> {
    pub(crate) action: Action,
    pub(crate) subject: Subject,
    /// Time of an update; creates and deletes have theirs in the life.
    pub(crate) updated: Option<Time>,
    /// Features set by it and the numbers of their values.
    pub(crate) sets: &'a [Assignment],
    /// A create whose features are those that its life's feature row was opened with, in the order of their names.
    pub(crate) first: bool,
}

/// The log.
#[derive(Clone, Default)]
pub(crate) struct Events {
    /// Kind of subject and action, one byte an event.
    pub(crate) kinds: Array<u8>,
    /// The subject, or the payload of events that have one.
    pub(crate) subjects: Array<u32>,
    pub(crate) payloads: Array<Payload>,
    pub(crate) sets: Array<Assignment>,
    /// Edges that a node delete ended.
    pub(crate) ended: FxHashMap<u32, Box<[EdgeIndex]>>,
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Payload {
    time: Time,
    /// Its sets lie from here to the next payload's.
    start: u64,
    subject: u32,
    unused: u32,
}

/// A feature set by an event, and the number of its value.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Assignment {
    pub(crate) value: u32,
    pub(crate) feature: FeatureId,
    unused: u16,
}

const PAYLOAD: u8 = 16;
const FIRST: u8 = 32;

impl Events {
    /// Reserves memory for more events.
    pub(crate) fn reserve(&mut self, events: usize) {
        self.kinds.reserve(events);
        self.subjects.reserve(events);
    }

    /// How many events were accepted.
    pub(crate) fn len(&self) -> usize {
        self.kinds.len()
    }

    /// Appends an event and gives its position.
    pub(crate) fn push(&mut self, action: Action, subject: Subject, time: Time, sets: &[(FeatureId, u32)]) -> u32 {
        let (kind, id) = kind_of(subject);
        let code = kind + action as u8;
        if action == Action::Update || !sets.is_empty() {
            self.kinds.push(code | PAYLOAD);
            self.subjects.push(self.payloads.len() as u32);
            self.payloads.push(Payload { time, start: self.sets.len() as u64, subject: id, unused: 0 });
            self.sets.extend(sets.iter().map(|&(feature, value)| Assignment { value, feature, unused: 0 }));
        } else {
            self.kinds.push(code);
            self.subjects.push(id);
        }
        (self.kinds.len() - 1) as u32
    }

    /// Appends a create whose features are those that its life's feature row was opened with, in the order of their names.
    pub(crate) fn push_first(&mut self, subject: Subject) -> u32 {
        let (kind, id) = kind_of(subject);
        self.kinds.push((kind + Action::Create as u8) | FIRST);
        self.subjects.push(id);
        (self.kinds.len() - 1) as u32
    }

    /// Notes the edges that the node delete at `position` ended.
    pub(crate) fn note_ended(&mut self, position: u32, edges: &[EdgeIndex]) {
        if !edges.is_empty() {
            self.ended.insert(position, edges.into());
        }
    }

    /// The edges that the node delete at `position` ended.
    pub(crate) fn ended(&self, position: u32) -> &[EdgeIndex] {
        self.ended.get(&position).map_or(&[], |edges| edges)
    }

    /// Hands over everything that an event sets by itself, to be changed.
    pub(crate) fn each_set<E>(
        &mut self,
        mut each: impl FnMut(Subject, &mut Assignment) -> Result<(), E>,
    ) -> Result<(), E> {
        for (&kind, &id) in self.kinds.iter().zip(self.subjects.iter()).filter(|(kind, _)| **kind & PAYLOAD != 0) {
            let payload = self.payloads[id as usize];
            let end = self.payloads.get(id as usize + 1).map_or(self.sets.len(), |next| next.start as usize);
            let (_, subject) = decode(kind & !PAYLOAD, payload.subject);
            self.sets[payload.start as usize..end].iter_mut().try_for_each(|set| each(subject, set))?;
        }
        Ok(())
    }

    /// When the events happened that set features, every update among them.
    pub(crate) fn payload_times(&self) -> impl Iterator<Item = Time> + '_ {
        self.payloads.iter().map(|payload| payload.time)
    }

    /// The event at a position below [`Events::len`].
    pub(crate) fn get(&self, position: u32) -> Accepted<'_> {
        let kind = self.kinds[position as usize];
        let id = self.subjects[position as usize];
        if kind & PAYLOAD == 0 {
            let (action, subject) = decode(kind & !FIRST, id);
            return Accepted { action, subject, updated: None, sets: &[], first: kind & FIRST != 0 };
        }
        let payload = &self.payloads[id as usize];
        let end = self.payloads.get(id as usize + 1).map_or(self.sets.len(), |next| next.start as usize);
        let (action, subject) = decode(kind & !PAYLOAD, payload.subject);
        let updated = (action == Action::Update).then_some(payload.time);
        Accepted { action, subject, updated, sets: &self.sets[payload.start as usize..end], first: false }
    }
}

fn kind_of(subject: Subject) -> (u8, u32) {
    match subject {
        Subject::Node(id) => (0, id),
        Subject::Edge(id) => (3, id),
        Subject::Merge(id) => (6, id),
    }
}

fn decode(kind: u8, id: u32) -> (Action, Subject) {
    let action = match kind % 3 {
        0 => Action::Create,
        1 => Action::Update,
        _ => Action::Delete,
    };
    let subject = match kind / 3 {
        0 => Subject::Node(id),
        1 => Subject::Edge(id),
        _ => Subject::Merge(id),
    };
    (action, subject)
}
