//! What is known inside a batch and over its border: memory of peers in messages, gradients over several batches, and times
//! that are larger than a batch.

use timeweft_graph::{Action, Event, NodeIndex, NodeKey, Time};
use timeweft_learn::{
    Config, Freshness, GraphContext, Htgn, Task, TrainFreshness, TrainStatistics, Trained, VectorStore, batches,
    empty_store, pipeline, rebuild,
};
use timeweft_oracle::synthetic;

use crate::worlds::{accuracy, config_of, draw, edge, index, mixed, node, small, trained_on};

fn model(events: &[Event], config: &Config) -> (Htgn, GraphContext) {
    let task = Task::new(index(events), config).unwrap();
    let graph = GraphContext::new(task.index.clone(), TrainStatistics::fit(&task, config));
    (Htgn::new(config, &graph), graph)
}

/// Memory of every node after all facts.
fn memories(model: &Htgn, graph: &GraphContext, config: &Config) -> Vec<Option<Vec<f32>>> {
    rows(&rebuild(model, graph, config, graph.facts().len()), graph)
}

fn rows(store: &VectorStore, graph: &GraphContext) -> Vec<Option<Vec<f32>>> {
    let nodes = (0..graph.index.n_nodes() as u32).map(NodeIndex);
    nodes.map(|node| store.memory(node).map(<[f32]>::to_vec)).collect()
}

fn distance(a: &[Option<Vec<f32>>], b: &[Option<Vec<f32>>]) -> f32 {
    assert_eq!(a.len(), b.len());
    let values = |rows: &[Option<Vec<f32>>]| rows.iter().flatten().flatten().copied().collect::<Vec<f32>>();
    let (a, b) = (values(a), values(b));
    assert!(a.len() == b.len() && !a.is_empty());
    a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// A configuration with so many sweeps over batches of a size.
fn sweeping(sweeps: usize, batch: usize) -> Config {
    let mut config = small();
    (config.model.sweeps, config.train.batch) = (sweeps, batch);
    config
}

#[test]
fn with_as_many_sweeps_as_a_chain_is_long_a_batch_equals_its_events() {
    let events = mixed(60, 5);
    let (model, graph) = model(&events, &sweeping(1, 1));
    let one_by_one = memories(&model, &graph, &sweeping(1, 1));
    // Sweeps are no weights: the same model sweeps as often as it is told to.
    let swept = |sweeps: usize, batch: usize| {
        let config = sweeping(sweeps, batch);
        let mut graph = graph.clone();
        graph.statistics.config = config.model.clone();
        distance(&memories(&model, &graph, &config), &one_by_one)
    };
    for batch in [7, 40, 1000] {
        let enough = swept(30, batch);
        assert!(enough < 1e-4, "batch {batch}: {enough}");
    }
    let errors: Vec<f32> = (1..=6).map(|sweeps| swept(sweeps, 1000)).collect();
    assert!(errors[0] > 0.1 && errors[5] < 0.5 * errors[0], "{errors:?}");
}

#[test]
fn each_sweep_comes_nearer_to_one_event_after_the_other() {
    // A chain of users, each told of by the one before: after n sweeps n of its links are as they should be.
    let mut events: Vec<Event> = (0..8).map(|id| node(0, Action::Create, NodeKey::new("user", id))).collect();
    events.extend((0..7).map(|i| {
        let (from, to) = (NodeKey::new("user", i), NodeKey::new("user", i + 1));
        edge(1 + i as i64, Action::Create, from, "tells", to, i)
    }));
    let mut config = sweeping(1, 1);
    config.model.directed = true;
    let (model, graph) = model(&events, &config);
    let right = memories(&model, &graph, &config);
    let wrong = |sweeps: usize| {
        let mut graph = graph.clone();
        graph.statistics.config.sweeps = sweeps;
        let mut config = config.clone();
        (config.train.batch, config.model.sweeps) = (1000, sweeps);
        let found = memories(&model, &graph, &config);
        found.iter().zip(&right).filter(|(a, b)| distance(&[(*a).clone()], &[(*b).clone()]) > 1e-5).count()
    };
    // The first user is created inside the batch: the first link is right with the second sweep.
    assert_eq!((1..=9).map(wrong).collect::<Vec<_>>(), [7, 6, 5, 4, 3, 2, 1, 0, 0]);
}

#[test]
fn accuracy_rises_with_sweeps_over_chains_inside_a_batch() {
    let task = synthetic::relay(2, 80, 1);
    let learnt = |sweeps: usize| {
        let mut config = config_of(&task);
        (config.model.sweeps, config.train.epochs) = (sweeps, 15);
        let (links, trained) = trained_on(&task, &config);
        let accuracy = accuracy(&links, &trained, Freshness::Event);
        eprintln!("{sweeps} sweeps: {accuracy:.3}");
        accuracy
    };
    // One or two steps, half each: of those that are out of reach one in eight is guessed.
    let reached = |n: f64| (n + (2.0 - n) / 8.0) / 2.0;
    for (sweeps, n) in [(0, 0.0), (1, 0.0), (2, 1.0), (3, 2.0)] {
        let accuracy = learnt(sweeps);
        assert!((accuracy - reached(n)).abs() < 0.1, "{sweeps} sweeps: {accuracy} against {}", reached(n));
    }
}

#[test]
fn gradients_reach_as_far_as_the_window() {
    // A batch has the visits of four ticks; the marked one is eight at least before the answer.
    let task = synthetic::marked_visit(8, 60, 1);
    let learnt = |window: usize| {
        let mut config = config_of(&task);
        (config.train.batch, config.train.window, config.train.epochs) = (128, window, 20);
        let (links, trained) = trained_on(&task, &config);
        let accuracy = accuracy(&links, &trained, Freshness::Event);
        eprintln!("window {window}: {accuracy:.3}");
        accuracy
    };
    let (short, long) = (learnt(1), learnt(5));
    assert!(short < 0.3 && long > 0.9, "{short} and {long}");
}

#[test]
fn slices_of_one_time_change_nothing() {
    // A whole graph of one time on top of a history, as a bulk load brings it, with deletes and re-creations.
    let mut events = mixed(60, 5);
    let last = events.last().unwrap().time.0 + 10;
    for i in 0..200 {
        let (user, item) = (NodeKey::new("user", draw(3, 2 * i, 12)), NodeKey::new("item", draw(3, 2 * i + 1, 12)));
        events.push(edge(last, Action::Create, user, "buys", item, 10_000 + i));
    }
    events.push(node(last, Action::Delete, NodeKey::new("user", 3)));
    for sweeps in [0, 2] {
        let mut config = sweeping(sweeps, 20);
        config.train.split = [0.1, 0.2];
        let (model, graph) = model(&events, &config);
        let before = graph.n_facts_before(Time(last));
        let facts = before..graph.facts().len();
        assert!(facts.len() > 200);
        let start = rebuild(&model, &graph, &config, before);
        let sliced = |size: usize| {
            let mut store = start.clone();
            pipeline::absorb_in_slices(&model, &graph, facts.clone(), &mut store, size);
            store
        };
        let mut whole = start.clone();
        pipeline::Reader { model: &model, graph: &graph, store: &whole }.remember(facts.clone()).commit(&mut whole);
        assert!(rows(&whole, &graph) != rows(&start, &graph));
        for size in [1_000_000, facts.len() * 2 / 3, 4, 1] {
            let slices = sliced(size);
            assert_eq!(slices.absorbed(), whole.absorbed());
            let (slices, whole) = (rows(&slices, &graph), rows(&whole, &graph));
            assert_eq!(slices.iter().filter(|row| row.is_none()).count(), 1, "the deleted user");
            assert!(distance(&slices, &whole) < 1e-6, "slices of {size}");
        }
    }
}

#[test]
fn training_leaves_in_memory_what_a_replay_leaves() {
    // Times of one event and times that fill a batch by turns: some batches can be seen by their own questions, some not.
    let mut events: Vec<Event> = mixed(30, 5).into_iter().filter(|event| event.time.0 == 0).collect();
    for time in 1..60 {
        for i in 0..if time % 5 < 2 { 25 } else { 2 } {
            let (user, item) = (draw(4, 100 * time + 2 * i, 12), draw(4, 100 * time + 2 * i + 1, 12));
            let (user, item) = (NodeKey::new("user", user), NodeKey::new("item", item));
            events.push(edge(time as i64, Action::Create, user, "buys", item, 1000 * time + i));
        }
    }
    leaves_what_a_replay_leaves(&events, &[1, 2, 5]);
}

#[test]
fn a_bulk_load_of_more_than_a_slice_is_taken_in_like_any_other() {
    let other = |id| node(0, Action::Create, NodeKey::new("other", id));
    let events: Vec<Event> = (0..70_000).map(other).chain(mixed(60, 5)).collect();
    leaves_what_a_replay_leaves(&events, &[1, 2]);
}

/// Trains with windows of some lengths, with weights that stay as they are: what training has left in memory must be what a
/// replay leaves.
fn leaves_what_a_replay_leaves(events: &[Event], windows: &[usize]) {
    let task = Task::new(index(events), &small()).unwrap();
    let freshnesses = [TrainFreshness::Event, TrainFreshness::Batch];
    for (&window, freshness) in windows.iter().flat_map(|window| freshnesses.map(|freshness| (window, freshness))) {
        let mut config = small();
        (config.train.window, config.train.freshness) = (window, freshness);
        (config.train.learning_rate, config.train.epochs) = (1e-30, 1);
        let trained = timeweft_learn::train(&task, &config, |_| ()).unwrap();
        let part = task.split.train_end..task.split.val_end;
        let Trained { model, graph, .. } = &trained;
        let replayed = timeweft_learn::LinksToRank {
            model,
            graph,
            task: &task,
            config: &config,
            part,
            freshness: Freshness::Event,
        }
        .evaluate(|_| ());
        let (found, expected) = (trained.epochs[0].validation, replayed.rows[0].1);
        assert!(expected.events >= 8, "{expected:?}");
        assert!((found.mrr - expected.mrr).abs() < 1e-9, "window {window}, {freshness:?}: {found:?}, {expected:?}");
    }
}

#[test]
fn a_time_that_fills_a_batch_stands_alone() {
    let mut events: Vec<Event> = (0..4).map(|id| node(0, Action::Create, NodeKey::new("user", id))).collect();
    for (time, count) in [(1, 3), (2, 30), (3, 3), (4, 3), (5, 3), (6, 3)] {
        for i in 0..count {
            let (a, b) = (NodeKey::new("user", i % 4), NodeKey::new("user", (i + 1) % 4));
            events.push(edge(time, Action::Create, a, "tells", b, 100 * time as u64 + i));
        }
    }
    let index = index(&events);
    let facts = index.facts();
    let cut = |size| {
        let times = |batch: std::ops::Range<usize>| (facts[batch.start].time.0, facts[batch.end - 1].time.0);
        batches(facts, 0..facts.len(), size, 0).into_iter().map(times).collect::<Vec<_>>()
    };
    assert_eq!(cut(10), [(0, 1), (2, 2), (3, 6)]);
    assert_eq!(cut(5), [(0, 1), (2, 2), (3, 4), (5, 6)]);
    assert_eq!(cut(31), [(0, 2), (3, 6)]);
    assert_eq!(cut(1), [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6)]);
}

#[test]
fn memory_carried_through_is_memory_rebuilt() {
    let config = small();
    let (model, graph) = model(&mixed(120, 5), &config);
    let mut carried = empty_store(&graph, &config);
    for fact in [40, 97, 98] {
        let until = graph.n_facts_before(graph.facts()[fact].time);
        timeweft_learn::absorb(&model, &graph, &config, &mut carried, until);
        assert_eq!(carried.absorbed(), until);
    }
    timeweft_learn::absorb(&model, &graph, &config, &mut carried, graph.facts().len());
    let rebuilt = memories(&model, &graph, &config);
    assert!(distance(&rows(&carried, &graph), &rebuilt) < 1e-5);
    assert!(memories(&model, &graph, &config) == rebuilt, "a second replay starts from nothing");
}
