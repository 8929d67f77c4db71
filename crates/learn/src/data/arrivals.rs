//! Events as they come, one after another, into a graph in memory.

use rustc_hash::FxHashMap;
use timeweft_graph::{Action, EdgeKey, Element, Event, Name, Reason, Time};
use timeweft_index::Index;

/// Takes events in as a load of the same events would: nodes that an edge names first are created, and an edge that is there
/// already gets a key, if it has none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arrivals {
    /// The key after the last one given to a parallel edge.
    next_keys: FxHashMap<EdgeKey, u64>,
    /// Facts that were there before the first of them.
    before: Option<usize>,
}

impl Arrivals {
    /// How many of some facts were there before the first of them.
    pub(crate) fn before(&self, facts: usize) -> usize {
        self.before.unwrap_or(facts)
    }

    /// Takes in events, in order of time; those that change nothing, by their place, and why. `facts` are there.
    pub(crate) fn take_all(&mut self, index: &mut Index, events: &[Event], facts: usize) -> Vec<(usize, Reason)> {
        self.before.get_or_insert(facts);
        let mut newest = index.facts().last().map_or(Time::MIN, |fact| fact.time);
        let mut rejected = Vec::new();
        for (at, event) in events.iter().enumerate() {
            match self.take(index, event, newest) {
                Ok(()) => newest = event.time,
                Err(reason) => rejected.push((at, reason)),
            }
        }
        rejected
    }

    /// Takes in an event that is not before any other.
    fn take(&mut self, index: &mut Index, event: &Event, newest: Time) -> Result<(), Reason> {
        if event.time < newest {
            let (unit, time, element) = (index.schema().unit(), event.time, "the graph: load it, and update".into());
            return Err(Reason::OutOfOrder { unit, time, known: newest, element });
        }
        let mut event = event.clone();
        event.sort_features();
        let namespace = Name::from("");
        match index.apply(&event, &namespace) {
            Err(Reason::UnknownNode(_)) if wants_nodes(&event) => {
                for node in index.missing_nodes(&event)? {
                    index.apply(&Event::new(event.time, Action::Create, Element::Node(node)), &namespace)?;
                }
                index.apply(&event, &namespace)
            }
            Err(Reason::EdgeExists(edge)) if edge.key.is_none() => self.parallel(index, event, &namespace),
            done => done,
        }
    }

    /// Gives a repeated edge the first key from `2` on that is free.
    fn parallel(&mut self, index: &mut Index, mut event: Event, namespace: &Name) -> Result<(), Reason> {
        let Element::Edge(plain) = event.element.clone() else { return Ok(()) };
        let next = self.next_keys.entry(plain.clone()).or_insert(2);
        loop {
            let key = Some(Name::from(next.to_string()));
            event.element = Element::Edge(EdgeKey { key, ..plain.clone() });
            match index.apply(&event, namespace) {
                Err(Reason::EdgeExists(_)) => *next += 1,
                done => {
                    *next += u64::from(done.is_ok());
                    return done;
                }
            }
        }
    }
}

fn wants_nodes(event: &Event) -> bool {
    matches!((&event.element, event.action), (Element::Edge(_), Action::Create) | (Element::Node(_), Action::Update))
}
