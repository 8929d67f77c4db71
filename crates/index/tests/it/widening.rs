//! Features whose kind grows wider: every value of every life and of the log becomes one of the wider kind.

use timeweft_graph::{Dense, Event, Features, GraphView, Numbers, Value};

use crate::event_builders::{create, delete, edge, index, merge, node, update};

/// One number as a value of some type.
type Make = fn(i32) -> Value;

fn scalar(numbers: Numbers) -> Value {
    Value::Dense(Dense { numbers, scalar: true })
}

/// Lives that are over and that go on, of elements with one feature and with several, and a merge.
fn log(x: Make, y: Make) -> Vec<Event> {
    let of_x = |number: i32| -> Features { vec![("x".into(), Some(x(number)))] };
    let both = |number: i32| -> Features { vec![("x".into(), Some(x(number))), ("y".into(), Some(y(number)))] };
    vec![
        create(0, node("a")).with(both(5)),
        create(0, node("b")).with(of_x(5)),
        create(0, node("c")).with(both(6)),
        create(1, edge("a", "r", "b")).with(both(5)),
        create(1, edge("a", "q", "c")).with(of_x(5)),
        update(2, node("a")).with(both(6)),
        delete(2, edge("a", "r", "b")),
        delete(2, edge("a", "q", "c")),
        delete(3, node("c")),
        create(4, node("c")).with(of_x(7)),
        create(4, edge("a", "r", "b")).with(of_x(7)),
        delete(5, node("b")),
        create(6, merge("b", "a")).with(both(5)),
    ]
}

#[test]
fn every_value_of_every_life_and_of_the_log_grows_wider() {
    let narrow: Make = |number| scalar(Numbers::I32(vec![number]));
    let long: Make = |number| scalar(Numbers::I64(vec![number.into()]));
    let float: Make = |number| Value::number(number.into());
    // Two features that hold the same values, and grow to different kinds.
    for [x, y] in [[long, float], [float, long], [long, narrow]] {
        let (mut widened, wide) = (index(&log(narrow, narrow)), index(&log(x, y)));
        widened.widen_to(wide.schema()).unwrap();
        assert_eq!(widened.schema(), wide.schema());
        assert_eq!(widened.events(), wide.events());
        for id in ["a", "b", "c"] {
            assert_eq!(widened.node_history(&node(id)), wide.node_history(&node(id)), "{id}");
        }
        for edge in [edge("a", "r", "b"), edge("a", "q", "c")] {
            assert_eq!(widened.edge_history(&edge), wide.edge_history(&edge), "{edge}");
        }
        assert_eq!(widened.merges(), wide.merges());
    }
}

#[test]
fn a_value_of_a_life_that_is_over_must_have_an_exact_wider_form_too() {
    let with = |number: i64| vec![("x".into(), Some(scalar(Numbers::I64(vec![number]))))];
    let wide = index(&[create(0, node("a")).with(vec![("x".into(), Some(Value::number(1.0)))])]);
    let lost = (1 << 53) + 1;
    let mut index =
        index(&[create(0, node("a")).with(with(lost)), update(1, node("a")).with(with(1)), delete(2, node("a"))]);
    let error = index.widen_to(wide.schema()).unwrap_err();
    assert_eq!(error.value, Some(scalar(Numbers::I64(vec![lost]))));
    let told = error.of(wide.schema()).to_string();
    assert!(told.contains("9007199254740993") && told.contains("`x`"), "{told}");
}
