//! Small graphs by chance, with everything that a step may meet.

use std::sync::Arc;

use timeweft_graph::{Action, EdgeKey, Element, Event, Name, NodeKey, Schema, Time, TimeUnit, Value};
use timeweft_index::Index;
use timeweft_learn::{Config, GraphContext, Task, TrainStatistics, splitmix64};

/// Draws below a bound, one after another.
pub(crate) struct Draws(pub(crate) u64);

impl Draws {
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(1);
        splitmix64(self.0) % n
    }

    /// In `[-1, 1)`.
    pub(crate) fn signed(&mut self) -> f32 {
        self.below(2_000_000) as f32 / 1e6 - 1.0
    }
}

/// Three types of nodes and of edges, some with features; ties, updates, deletes of edges and nodes, and nodes that come again.
fn events(seed: u64) -> Vec<Event> {
    let mut draws = Draws(splitmix64(seed));
    let mut events = Vec::new();
    let mut time = 0;
    for kind in ["user", "item", "tag"] {
        for id in 0..9 {
            events.push(node(&mut draws, time, Action::Create, kind, id));
        }
    }
    for number in 0..220 {
        // Three facts a time on average.
        time += i64::from(draws.below(3) == 0) * (1 + draws.below(40) as i64);
        let id = draws.below(9);
        events.push(match draws.below(24) {
            0 => node(&mut draws, time, Action::Update, "user", id),
            1 => node(&mut draws, time, Action::Update, "item", id),
            2 => node(&mut draws, time, Action::Delete, "user", id),
            3 => node(&mut draws, time, Action::Delete, "item", id),
            4 | 5 => node(&mut draws, time, Action::Create, "user", id),
            6 | 7 => node(&mut draws, time, Action::Create, "item", id),
            8 if number > 20 => {
                let earlier = number - 1 - draws.below(20);
                edge(&mut draws, time, Action::Delete, "buys", earlier)
            }
            9..13 => edge(&mut draws, time, Action::Create, "tells", number),
            13..16 => edge(&mut draws, time, Action::Create, "tagged", number),
            _ => edge(&mut draws, time, Action::Create, "buys", number),
        });
    }
    events
}

fn node(draws: &mut Draws, time: i64, action: Action, kind: &str, id: u64) -> Event {
    let event = Event::new(Time(time), action, Element::Node(NodeKey::new(kind, id)));
    let number = Value::number(draws.below(50) as f64);
    match (action, kind) {
        (Action::Delete, _) | (_, "tag") => event,
        (_, "user") => event.with(vec![("age".into(), Some(number))]),
        _ => event.with(vec![("name".into(), Some(Value::text(&format!("item {} of {}", id, draws.below(5)))))]),
    }
}

/// The ends of an edge follow from its number, so that a delete finds it.
fn edge(draws: &mut Draws, time: i64, action: Action, relation: &str, number: u64) -> Event {
    let mut ends = Draws(splitmix64(number));
    let (source, destination) = match relation {
        "buys" => ("user", "item"),
        "tells" => ("user", "user"),
        _ => ("item", "tag"),
    };
    // A few nodes have most edges.
    let mut end = |kind: &str| NodeKey::new(kind, ends.below(9).min(ends.below(9)));
    let (source, destination) = (end(source), end(destination));
    let key = Some(Name::from(number.to_string()));
    let key = EdgeKey { source, relation: relation.into(), destination, key };
    let event = Event::new(Time(time), action, Element::Edge(key));
    match (action, relation) {
        (Action::Create, "buys") => event.with(vec![("price".into(), Some(Value::number(draws.below(100) as f64)))]),
        (Action::Create, "tagged") => {
            event.with(vec![("note".into(), Some(Value::text(&format!("note {}", draws.below(7)))))])
        }
        _ => event,
    }
}

/// A task and its graph; what the graph refuses, as an edge of a node that is gone, is left out.
pub(crate) fn world(seed: u64, config: &Config) -> (Task, GraphContext) {
    let mut index = Index::new(Schema::new(TimeUnit::Step));
    let namespace: Name = "".into();
    let refused = events(seed).iter().filter(|event| index.apply(event, &namespace).is_err()).count();
    assert!(refused < 120, "{refused} events are refused");
    let task = Task::new(Arc::new(index), config).unwrap();
    let graph = GraphContext::new(task.index.clone(), TrainStatistics::fit(&task, config));
    (task, graph)
}
