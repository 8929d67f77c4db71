//! Elements with tens of thousands of features: work that grew with their square would not end.

use timeweft_graph::{Action, At, Element, Event, Features, GraphView, Name, Reason, Schema, Time, Value};
use timeweft_index::Index;

use crate::event_builders::{apply, node};

const MANY: usize = 60_000;

fn event(time: i64, action: Action, features: Features) -> Event {
    Event::new(Time(time), action, Element::Node(node("a"))).with(features)
}

fn numbers(range: std::ops::Range<usize>, value: f64) -> Features {
    range.map(|at| (Name::from(format!("f{at:05}")), Some(Value::number(value)))).collect()
}

fn held(index: &Index, time: i64) -> Vec<(Name, Value)> {
    index.node(&node("a"), At::time(Time(time))).unwrap().features.into_iter().collect()
}

#[test]
fn a_node_of_sixty_thousand_features_is_made_and_changed() {
    let mut index = Index::new(Schema::default());
    apply(&mut index, &event(1, Action::Create, numbers(0..MANY, 1.0))).unwrap();
    // The later ones first: each would be put before all that changed already.
    let mut changed = numbers(1..MANY, 2.0);
    changed.reverse();
    apply(&mut index, &event(2, Action::Update, changed)).unwrap();
    let ended = numbers(0..MANY / 2, 0.0).into_iter().map(|(name, _)| (name, None)).collect();
    apply(&mut index, &event(3, Action::Update, ended)).unwrap();

    let sums = [1, 2, 3].map(|time| {
        let held = held(&index, time);
        (held.len(), held.iter().filter(|(_, value)| *value == Value::number(2.0)).count())
    });
    assert_eq!(sums, [(MANY, 0), (MANY, MANY - 1), (MANY / 2, MANY / 2)]);
}

/// There are numbers for 65,536 features of a type: those that it has already do not count again.
#[test]
fn known_features_do_not_fill_the_schema_again() {
    let mut index = Index::new(Schema::default());
    apply(&mut index, &event(1, Action::Create, numbers(0..MANY, 1.0))).unwrap();
    apply(&mut index, &event(2, Action::Update, numbers(0..MANY + 1, 2.0))).unwrap();
    let too_many = apply(&mut index, &event(3, Action::Update, numbers(MANY..MANY + 5_537, 3.0)));
    assert!(matches!(too_many, Err(Reason::Malformed(problem)) if problem.contains("65536 features")));
    assert_eq!(held(&index, 3).len(), MANY + 1, "nothing of a refused event is taken in");
    apply(&mut index, &event(3, Action::Update, numbers(MANY..MANY + 5_536, 3.0))).unwrap();
    assert_eq!(held(&index, 3).len(), 1 << 16);
}
