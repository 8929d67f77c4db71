//! NaN, infinities and numbers that `f32` cannot hold are missing values, wherever they stand, and are named.

use timeweft_graph::{Action, DType, Element, Event, Name, NodeKey, Time, Value};
use timeweft_learn::{Freshness, GraphContext, LearnError, Query, Task, TrainStatistics, Trained, train};

use crate::worlds::{edge, index, mixed, node, small};

/// The stream with a value in place of one feature of some events: of all that `is` holds of, `None` leaves it out.
fn with(events: &[Event], feature: &str, is: impl Fn(&Event) -> bool, value: Option<Value>) -> Vec<Event> {
    let mut other = events.to_vec();
    for event in other.iter_mut().filter(|event| is(event)) {
        let at = event.features.iter().position(|(name, _)| &**name == feature).unwrap();
        match &value {
            Some(value) => event.features[at].1 = Some(value.clone()),
            None => _ = event.features.remove(at),
        }
    }
    other
}

fn is_edge(event: &Event) -> bool {
    matches!(event.element, Element::Edge(_)) && event.action == Action::Create
}

/// Bits of everything that a model of a stream says: its losses, ranks, scores and cosines. None is NaN.
fn said(events: &[Event]) -> (Trained, Vec<u64>) {
    let config = small();
    let task = Task::new(index(events), &config).unwrap();
    let trained = train(&task, &config, |_| ()).unwrap();
    let mut said: Vec<f64> = trained.epochs.iter().flat_map(|epoch| [epoch.loss, epoch.validation.mrr]).collect();
    for freshness in [Freshness::Event, Freshness::Batch(7)] {
        let test = task.split.val_end..task.split.end;
        let measured = trained.to_rank(&task, test, freshness).evaluate(|_| ());
        said.extend(measured.rows.iter().map(|(_, metrics)| metrics.mrr));
        said.extend(measured.kinds.iter().map(|(_, precision, _)| precision));
    }
    for link in &task.links {
        let query: Query = link.question(link.destination, link.time);
        said.push(trained.score(&[query], link.time)[0].into());
    }
    let link = task.links[task.links.len() - 1];
    let why = trained.explain(&link.question(link.destination, link.time));
    said.extend(why.neighbors.iter().map(|heard| f64::from(heard.contribution)));
    said.extend(why.memory.iter().map(|recalled| recalled.contribution));
    for space in [timeweft_learn::Space::Embedding, timeweft_learn::Space::Memory] {
        said.extend(trained.nearest(link.source, Time(9_999), space, 20).iter().map(|(_, cosine)| f64::from(*cosine)));
    }
    let predicted = trained.predict(link.edge_type, link.source, Time(9_999), 20);
    said.extend(predicted.iter().flat_map(|one| [f64::from(one.logit), f64::from(one.probability)]));
    assert!(said.iter().all(|number| number.is_finite()));
    (trained, said.into_iter().map(f64::to_bits).collect())
}

#[test]
fn a_value_that_is_no_number_is_a_missing_one_in_every_part() {
    let events = mixed(120, 1);
    let last = events.last().unwrap().time.0;
    // In the training part, in the validation part, in the test part.
    for share in [0.3, 0.8, 0.95] {
        let from = (last as f64 * share) as i64;
        let one = events.iter().position(|event| is_edge(event) && event.time.0 >= from).unwrap();
        let is = |event: &Event| *event == events[one];
        let (_, missing) = said(&with(&events, "price", is, None));
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e200, -f64::MAX] {
            let (trained, told) = said(&with(&events, "price", is, Some(Value::number(value))));
            assert!(told == missing, "{value} at {from}");
            let named = trained.non_finite_features();
            assert_eq!(named.len(), 1, "{named:?}");
            let words = named[0].to_string();
            assert!(words.starts_with("`price` of user -buys-> item is ") && words.ends_with("in 1 event"), "{words}");
            let kind = if value.is_nan() {
                "NaN"
            } else if value.is_infinite() {
                "infinite"
            } else {
                "beyond 3.4e38"
            };
            assert!(words.contains(kind), "{words}");
        }
        // The check can fail: a number is no missing one.
        let (trained, told) = said(&with(&events, "price", is, Some(Value::number(1e30))));
        assert!(told != missing && trained.non_finite_features().is_empty());
    }
}

#[test]
fn features_of_nodes_are_read_as_those_of_edges() {
    let events = mixed(90, 1);
    let is = |event: &Event| event.action == Action::Create && event.element == Element::Node(NodeKey::new("user", 3));
    let (_, missing) = said(&with(&events, "age", is, None));
    let (trained, told) = said(&with(&events, "age", is, Some(Value::number(f64::NAN))));
    assert!(told == missing);
    assert_eq!(trained.non_finite_features()[0].to_string(), "`age` of user is NaN in 1 event");
}

#[test]
fn values_are_named_once_and_only_those_that_a_model_reads() {
    let (config, nan) = (small(), Value::number(f64::NAN));
    let events = mixed(90, 1);
    let fitted = TrainStatistics::fit(&Task::new(index(&events), &config).unwrap(), &config);
    // Bought, and given back later.
    let returned = events.iter().find(|event| event.action == Action::Delete).unwrap().element.clone();
    let of_returned = |event: &Event| is_edge(event) && event.element == returned;
    let mut holed = with(&events, "price", of_returned, Some(nan.clone()));
    for event in holed.iter_mut().filter(|event| is_edge(event)) {
        event.features.push(("not known".into(), Some(nan.clone())));
    }
    let graph = GraphContext::new(index(&holed), fitted);
    let named: Vec<String> =
        graph.non_finite_features(0..graph.facts().len()).iter().map(ToString::to_string).collect();
    assert_eq!(named, ["`price` of user -buys-> item is NaN in 1 event"]);
}

/// A dense value of an element type, read from `f64`.
fn dense(dtype: DType, numbers: &[f64]) -> Value {
    let bytes = numbers.iter().flat_map(|&x| match dtype {
        DType::F16 => half_bytes(x),
        DType::F32 => (x as f32).to_le_bytes().to_vec(),
        DType::I64 => (x as i64).to_le_bytes().to_vec(),
        DType::U64 => (x as u64).to_le_bytes().to_vec(),
        _ => x.to_le_bytes().to_vec(),
    });
    let numbers = timeweft_graph::Numbers::from_le_bytes(dtype, &bytes.collect::<Vec<u8>>()).unwrap();
    Value::Dense(timeweft_graph::Dense { numbers, scalar: false })
}

/// Small whole numbers and what is none, as 16-bit floats.
fn half_bytes(x: f64) -> Vec<u8> {
    let bits: u16 = match x {
        x if x.is_nan() => 0x7e00,
        x if x == f64::INFINITY => 0x7c00,
        0.0 => 0,
        x => ((x.log2().floor() as i32 + 15) as u16) << 10,
    };
    bits.to_le_bytes().to_vec()
}

/// A stream of edges with a list of three numbers each.
fn lists(dtype: DType, of: impl Fn(u64) -> [f64; 3]) -> Vec<Event> {
    let mut events = Vec::new();
    for kind in ["user", "item"] {
        events.extend((0..6).map(|id| node(0, Action::Create, NodeKey::new(kind, id))));
    }
    events.extend((0..90).map(|i| {
        let ends = (NodeKey::new("user", i % 6), NodeKey::new("item", (i * i + i) % 5));
        let list: (Name, Option<Value>) = ("list".into(), Some(dense(dtype, &of(i))));
        edge(1 + i as i64, Action::Create, ends.0, "buys", ends.1, i).with(vec![list])
    }));
    events
}

#[test]
fn a_list_with_a_hole_keeps_its_other_numbers() {
    for dtype in [DType::F16, DType::F32, DType::F64] {
        // A power of two, exact in 16 bits; its mean is the same with the hole.
        let plain = |i: u64| [f64::from(1 << (i % 4)), 2.0, 1.0];
        let holed = move |i: u64| if i == 40 { [f64::from(1 << (i % 4)), f64::NAN, f64::INFINITY] } else { plain(i) };
        let (_, whole) = said(&lists(dtype, plain));
        let (trained, told) = said(&lists(dtype, holed));
        // Both missing numbers are the mean of their place anyway.
        assert!(told == whole, "{dtype:?}");
        assert_eq!(
            trained.non_finite_features()[0].to_string(),
            "`list` of user -buys-> item is NaN in 1 event, infinite in 1 event"
        );
        let other = move |i: u64| if i == 40 { [64.0, f64::NAN, 1.0] } else { plain(i) };
        assert!(said(&lists(dtype, other)).1 != whole, "the first number of the list still counts");
    }
}

#[test]
fn the_largest_whole_numbers_are_numbers() {
    for dtype in [DType::I64, DType::U64] {
        let large = |i: u64| [if i.is_multiple_of(2) { 1.8e19 } else { -1e18 }, i as f64, 0.0];
        let (trained, _) = said(&lists(dtype, large));
        assert!(trained.non_finite_features().is_empty());
    }
}

#[test]
fn a_feature_without_any_number_says_nothing() {
    let holes = |_| [f64::NAN, f64::INFINITY, 1e200];
    let (trained, _) = said(&lists(DType::F64, holes));
    let told = trained.non_finite_features()[0].to_string();
    assert!(told.contains("NaN in 90 events, infinite in 90 events, beyond 3.4e38 in 90 events"), "{told}");
}

#[test]
fn a_loss_that_is_no_number_names_what_was_left_out_or_says_that_nothing_was() {
    let mut config = small();
    config.train.learning_rate = 1e30;
    let fails = |events: &[Event]| {
        let task = Task::new(index(events), &config).unwrap();
        let Err(error) = train(&task, &config, |_| ()) else { panic!("a step of 1e30 was taken") };
        assert!(matches!(error, LearnError::Diverged { .. }), "{error}");
        error.to_string()
    };
    let events = mixed(90, 1);
    let told = fails(&events);
    assert!(
        told.contains("with finite inputs") && told.contains("train.learning_rate") && !told.contains("missing"),
        "{told}"
    );
    let told = fails(&with(&events, "price", is_edge, Some(Value::number(f64::NAN))));
    assert!(told.contains("read as missing: `price` of user -buys-> item is NaN in"), "{told}");
}
