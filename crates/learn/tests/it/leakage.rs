//! Nothing from the future leaks into an answer (law 5).

use std::ops::Range;

use timeweft_graph::{Action, Direction, EdgeKey, Element, Event, NodeKey, Value};
use timeweft_learn::{
    Bucket, Config, Counted, Freshness, GnnKind, GraphContext, Htgn, Task, TrainStatistics, empty_store, pipeline,
    train,
};

use crate::worlds::{draw, edge, index, mixed, small, variants};

/// Logits of every link of `links` against its candidates, with fixed weights and fixed statistics.
fn scores(
    events: &[Event],
    fitted: Option<TrainStatistics>,
    config: &Config,
    links: Range<usize>,
) -> (Vec<f32>, TrainStatistics) {
    let task = Task::new(index(events), config).unwrap();
    let fitted = fitted.unwrap_or_else(|| TrainStatistics::fit(&task, config));
    let graph = GraphContext::new(task.index.clone(), fitted.clone());
    let model = Htgn::new(config, &graph);
    let mut store = empty_store(&graph, config);
    let mut logits = Vec::new();
    let first = task.links[links.start].fact;
    let last = task.links[links.end - 1].fact + 1;
    assert!(first < last);
    for facts in timeweft_learn::batches(graph.facts(), 0..last, config.train.batch, 0) {
        let reader = pipeline::Reader { model: &model, graph: &graph, store: &store };
        let remembered = reader.remember(facts.clone());
        let inside = |number: &usize| facts.contains(&task.links[*number].fact);
        for number in links.clone().filter(inside) {
            let link = task.links[number];
            let destinations = (0..12).filter_map(|id| graph.index.node_index(&NodeKey::new("item", id)));
            let queries: Vec<_> = destinations.map(|destination| link.question(destination, link.time)).collect();
            logits.extend(crate::worlds::floats(reader.answer(&remembered, &queries, None)));
        }
        remembered.commit(&mut store);
    }
    (logits, fitted)
}

/// The same history with everything at or after `time` replaced by other events.
fn with_other_future(events: &[Event], time: i64) -> Vec<Event> {
    let mut other: Vec<Event> = events.iter().filter(|event| event.time.0 < time).cloned().collect();
    for i in 0..60 {
        let (s, d) = (NodeKey::new("user", draw(99, 2 * i, 12)), NodeKey::new("item", draw(99, 2 * i + 1, 12)));
        other.push(edge(time + i as i64 / 2, Action::Create, s, "buys", d, 100_000 + i));
    }
    other
}

#[test]
fn future_shuffle_leaves_every_earlier_score_bit_equal() {
    variants().iter().for_each(|(name, config)| future_shuffle(name, config));
}

fn future_shuffle(name: &str, config: &Config) {
    let events = mixed(150, 7);
    let border = 301;
    let task = Task::new(index(&events), config).unwrap();
    let earlier = task.links.iter().filter(|link| link.time.0 < border).count();
    assert!(earlier > 60, "{earlier}");
    let (before, fitted) = scores(&events, None, config, 0..earlier);
    let (after, _) = scores(&with_other_future(&events, border), Some(fitted), config, 0..earlier);
    assert_eq!(before, after, "{name}");
    assert!(before.iter().all(|score| score.is_finite()));
    // The check can fail: a changed past moves scores.
    let (moved, _) = scores(&with_other_future(&events, border - 40), None, config, 0..earlier - 20);
    assert_ne!(before[..moved.len()], moved[..]);
}

#[test]
fn events_of_the_same_time_do_not_see_each_other() {
    let events = mixed(60, 3);
    let config = small();
    let task = Task::new(index(&events), &config).unwrap();
    let number = 40;
    let time = task.links[number].time.0;
    let first = task.links.iter().position(|link| link.time.0 == time).unwrap();
    let (before, fitted) = scores(&events, None, &config, first..first + 1);
    // All that happens at that time, but the first link itself, happens otherwise.
    let (after, _) = scores(&with_other_ties(&events, time), Some(fitted), &config, first..first + 1);
    assert_eq!(before, after);
}

fn with_other_ties(events: &[Event], time: i64) -> Vec<Event> {
    let mut kept: Vec<Event> = events.iter().filter(|event| event.time.0 < time).cloned().collect();
    kept.extend(events.iter().find(|event| event.time.0 == time).cloned());
    for i in 0..5 {
        let (s, d) = (NodeKey::new("user", i), NodeKey::new("item", 11 - i));
        kept.push(edge(time, Action::Create, s, "buys", d, 200_000 + i));
    }
    kept
}

#[test]
fn batch_size_changes_no_score_at_fixed_weights() {
    let events = mixed(90, 5);
    let run = |size: usize, config: &Config| {
        let mut config = config.clone();
        config.train.batch = size;
        scores(&events, None, &config, 0..80).0
    };
    // Where a batch is one set, or peers are known as of its start, its size is part of the model.
    let is_exact = |config: &Config| config.model.bucket == Bucket::Exact && config.model.sweeps == 0;
    for (name, config) in variants().iter().filter(|(_, config)| is_exact(config)) {
        let one = run(1, config);
        for size in [7, 40, 1000] {
            let other = run(size, config);
            assert_eq!(one.len(), other.len());
            let worst = one.iter().zip(&other).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst < 1e-5, "{name}, batch {size}: {worst}");
        }
    }
}

#[test]
fn order_inside_a_timestamp_changes_no_score() {
    let events = mixed(90, 5);
    let mut shuffled = events.clone();
    // Stable by time, but the links of one time in reverse (node creations stay first).
    let start = 24;
    shuffled[start..].sort_by_key(|event| event.time);
    let mut from = start;
    while from < shuffled.len() {
        let time = shuffled[from].time;
        let to = from + shuffled[from..].iter().take_while(|event| event.time == time).count();
        let creations = shuffled[from..to].iter().all(|event| event.action == Action::Create);
        if creations {
            shuffled[from..to].reverse();
        }
        from = to;
    }
    assert_ne!(events, shuffled);
    let config = small();
    let task = Task::new(index(&events), &config).unwrap();
    let (a, fitted) = scores(&events, None, &config, 0..81);
    let (b, _) = scores(&shuffled, Some(fitted), &config, 0..81);
    // Links of one time stand in another order: each one's scores are among those of its time.
    for (number, mine) in a.chunks(12).enumerate() {
        let same_time = |other: &usize| task.links[*other].time == task.links[number].time;
        let difference = |other: usize| {
            let pairs = mine.iter().zip(&b[12 * other..12 * (other + 1)]);
            pairs.map(|(x, y)| (x - y).abs()).fold(0.0, f32::max)
        };
        let nearest = (0..81).filter(same_time).map(difference).fold(f32::INFINITY, f32::min);
        assert!(nearest < 1e-5, "link {number}: {nearest}");
    }
}

/// The events with every node and relation called something else.
fn renamed(events: &[Event], name: impl Fn(&NodeKey) -> NodeKey, relation: &str) -> Vec<Event> {
    let element = |element: &Element| match element {
        Element::Node(key) => Element::Node(name(key)),
        Element::Edge(key) => Element::Edge(EdgeKey {
            source: name(&key.source),
            relation: relation.into(),
            destination: name(&key.destination),
            key: key.key.clone(),
        }),
        other => other.clone(),
    };
    events.iter().map(|event| Event { element: element(&event.element), ..event.clone() }).collect()
}

#[test]
fn names_of_nodes_and_types_change_nothing_without_identity() {
    let events = mixed(90, 5);
    let mut config = small();
    // All neighbors, and no walks of counters: a cut among those of one time goes by name.
    (config.model.identity, config.model.counters, config.model.neighbors) = (false, false, 1000);
    let (before, fitted) = scores(&events, None, &config, 0..80);
    let turned = |key: &NodeKey| {
        let number: u64 = key.id.to_string().parse().unwrap();
        NodeKey::new(&key.node_type, 11 - number)
    };
    let (turned, _) = scores(&renamed(&events, turned, "buys"), Some(fitted.clone()), &config, 0..80);
    // Candidates stand in the order of their ids.
    let back: Vec<f32> = turned.chunks(12).flat_map(|scores| scores.iter().rev().copied()).collect();
    let worst = before.iter().zip(&back).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(before.len() == 80 * 12 && before.len() == back.len() && worst < 1e-5, "{worst}");
    // With identity names are part of what is known.
    config.model.identity = true;
    let (known, fitted) = scores(&events, None, &config, 0..80);
    let other = |key: &NodeKey| NodeKey::new(&key.node_type, &*format!("{}'", key.id));
    let other = Task::new(index(&renamed(&events, other, "buys")), &config).unwrap();
    assert_ne!(GraphContext::new(other.index, fitted.clone()).slots, GraphContext::new(index(&events), fitted).slots);
    assert_ne!(known, before);
}

#[test]
fn what_is_not_visible_yet_may_be_poison() {
    let events = mixed(90, 5);
    let mut config = small();
    // All of it in one batch.
    config.train.batch = 1000;
    let border = 201;
    let mut poisoned = events.clone();
    for event in poisoned.iter_mut().filter(|event| event.time.0 >= border) {
        event.features.iter_mut().for_each(|(_, value)| *value = Some(Value::number(f64::MAX)));
    }
    let earlier = Task::new(index(&events), &config).unwrap().links.iter().filter(|link| link.time.0 < border).count();
    assert!(earlier > 40, "{earlier}");
    let (clean, fitted) = scores(&events, None, &config, 0..80);
    let (poisoned, _) = scores(&poisoned, Some(fitted), &config, 0..80);
    let (before, after) = poisoned.split_at(earlier * 12);
    assert!(before == &clean[..before.len()] && before.iter().all(|score| score.is_finite()));
    assert!(after != &clean[before.len()..], "poison is seen as soon as it may be");
}

#[test]
fn training_twice_gives_the_same_bits() {
    let mut co_operative = small();
    co_operative.model.gnn = GnnKind::Cooperative;
    [small(), co_operative].iter().for_each(trained_twice);
}

fn trained_twice(config: &Config) {
    let task = Task::new(index(&mixed(120, 1)), config).unwrap();
    let run = || {
        let trained = train(&task, config, |_| ()).unwrap();
        let ranks = trained.to_rank(&task, task.split.val_end..task.split.end, Freshness::Event).evaluate(|_| ());
        (trained.epochs.iter().map(|epoch| epoch.loss).collect::<Vec<_>>(), ranks)
    };
    assert_eq!(run(), run());
}

/// Counters of every pair of a user and an item, as bits.
fn counters(events: &[Event], fitted: &TrainStatistics, time: i64, as_of: i64) -> Vec<u32> {
    let graph = GraphContext::new(index(events), fitted.clone());
    let node = |kind: &str, id: u64| graph.index.node_index(&NodeKey::new(kind, id)).unwrap();
    let (time, as_of) = (timeweft_graph::Time(time), timeweft_graph::Time(as_of));
    let edge_type = timeweft_graph::EdgeTypeId(0);
    let mut queries = Vec::new();
    for (user, item) in (0..12).flat_map(|user| (0..12).map(move |item| (node("user", user), node("item", item)))) {
        let out = Direction::Out;
        let query = timeweft_learn::Query { edge_type, direction: out, source: user, destination: item, time, as_of };
        let back = timeweft_learn::Query { direction: Direction::In, source: item, destination: user, ..query };
        queries.extend([query, back]);
    }
    let rows = Counted::of(&graph, &queries).rows();
    rows.into_iter().map(f32::to_bits).collect()
}

#[test]
fn counters_are_those_of_a_graph_that_ends_before_the_question() {
    let events = mixed(150, 7);
    let config = small();
    let fitted = TrainStatistics::fit(&Task::new(index(&events), &config).unwrap(), &config);
    let until = |time: i64| events.iter().filter(|event| event.time.0 < time).cloned().collect::<Vec<_>>();
    // At event freshness, and at that of a batch which began earlier.
    for (time, as_of) in [(11, 11), (101, 101), (301, 301), (491, 491), (301, 251), (491, 111)] {
        let whole = counters(&events, &fitted, time, as_of);
        assert_eq!(whole, counters(&until(as_of), &fitted, time, as_of), "time {time}, as of {as_of}");
        // The check can fail: what happens at the time itself would be seen.
        assert_ne!(whole, counters(&events, &fitted, time, as_of + 1), "time {time}, as of {as_of}");
    }
}
