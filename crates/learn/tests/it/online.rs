//! A model in service: whatever pieces events come in, memory, counters and answers are those of one replay from nothing, now and as
//! of any time before.

use proptest::collection::vec;
use proptest::prelude::*;
use timeweft_graph::{Action, Deletes, Direction, EdgeTypeId, Event, NodeIndex, Time};
use timeweft_learn::{
    Aggregation, Bucket, Config, GraphContext, Htgn, PastMemory, Query, TrainStatistics, Trained, VectorStore, absorb,
    empty_store, rebuild, train,
};

use crate::counting::{bits, config, history, measured, queries, steps};
use crate::service::held;
use crate::worlds::{draw, index, mixed, variants};

/// A choice of the model, by number. Attention over sets does not sum alike whatever is beside a set; all else does, to the bit.
fn variant(at: usize) -> (&'static str, Config) {
    let (name, mut config) = variants().swap_remove(at);
    if config.model.aggregation == Aggregation::Attention && name != "attention" {
        config.model.aggregation = Aggregation::Sum;
    }
    (name, config)
}

/// A model with the weights that it starts from.
fn untrained(events: &[Event], config: &Config, statistics: TrainStatistics) -> Trained {
    let mut config = config.clone();
    config.train.epochs = 1;
    let task = timeweft_learn::Task::new(index(&mixed(60, 1)), &config).unwrap();
    let any = train(&task, &config, |_| ()).unwrap();
    let graph = GraphContext::new(index(events), statistics);
    let (model, store) = (Htgn::new(&config, &graph), empty_store(&graph, &config));
    let mut trained = Trained { model, store, graph, past: PastMemory::every(20), seen: 0, base: 0, ..any };
    trained.absorb(&[]);
    trained.base = trained.store.absorbed();
    trained
}

/// The slow reference: everything is laid out anew, and memory is replayed from nothing. Where batches are part of the model they are
/// cut from the first fact up to `base`, and from there on.
fn anew(trained: &Trained, events: &[Event]) -> Trained {
    let Trained { model, config, base, .. } = trained;
    let graph = GraphContext::new(index(events), trained.graph.statistics.clone());
    let is_part = config.model.bucket == Bucket::Batch || config.model.sweeps > 0;
    let mut store = rebuild(model, &graph, config, if is_part { *base } else { 0 });
    absorb(model, &graph, config, &mut store, graph.facts().len());
    Trained { graph, store, past: PastMemory::default(), ..trained.clone() }
}

/// Questions of every user about every item.
fn asked(trained: &Trained, time: Time) -> Vec<Query> {
    let (index, direction) = (&trained.graph.index, Direction::Out);
    let edge_type = EdgeTypeId(0);
    let ends = &index.schema().edge_types()[0];
    let of = |wanted| (0..index.n_nodes() as u32).map(NodeIndex).filter(move |&node| index.node_type(node) == wanted);
    let ask = |(source, destination)| Query { edge_type, direction, source, destination, time, as_of: time };
    of(ends.source)
        .flat_map(|source| of(ends.destination).map(move |destination| (source, destination)))
        .map(ask)
        .collect()
}

fn scores(trained: &Trained, time: Time) -> Vec<f32> {
    trained.score(&asked(trained, time), time)
}

/// Whether numbers are the same, to the bit or nearly so.
fn are_same(exact: bool, a: &[f32], b: &[f32]) -> bool {
    let is_same =
        |(a, b): (&f32, &f32)| a.to_bits() == b.to_bits() || !exact && (a - b).abs() <= 1e-5 * (1.0 + b.abs());
    a.len() == b.len() && a.iter().zip(b).all(is_same)
}

/// Cuts a stream behind its first `known` events into pieces, also inside of times.
fn pieces<'a>(events: &'a [Event], known: usize, cuts: &[usize]) -> Vec<&'a [Event]> {
    let rest = &events[known..];
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % (rest.len() + 1)).chain([rest.len()]).collect();
    ends.sort_unstable();
    let starts = [0].into_iter().chain(ends.clone());
    starts.zip(ends.clone()).map(|(start, end)| &rest[start..end]).collect()
}

/// Compares a model in service with the slow reference, now, at its newest time, and at times before.
fn assert_is_replay(name: &str, model: &Trained, events: &[Event], seed: u64) {
    let slow = anew(model, events);
    assert_eq!(model.graph.facts(), slow.graph.facts(), "{name}");
    let exact = model.config.model.aggregation != Aggregation::Attention;
    let ((last, memory), (slow_last, slow_memory)) = (held(&model.graph, &model.store), held(&slow.graph, &slow.store));
    assert_eq!(last, slow_last, "{name}");
    let off = memory.iter().zip(&slow_memory).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(are_same(exact, &memory, &slow_memory), "{name}: memory is off by {off}");
    let last = events.last().unwrap().time.0;
    let times = [last + 1, last, draw(seed, 1, last as u64 + 1) as i64, draw(seed, 2, last as u64 + 1) as i64];
    for time in times.map(Time) {
        assert!(are_same(exact, &scores(model, time), &scores(&slow, time)), "{name} at {}", time.0);
        let mut scorer = model.scorer();
        let both = [asked(model, time), asked(model, Time(last + 1))].concat();
        assert_eq!(scorer.score(&both).len(), both.len());
    }
    let counted = queries(&slow.graph.index, &times);
    assert!(bits(&model.graph, &counted) == bits(&slow.graph, &counted), "{name}: counters");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn pieces_of_a_stream_are_one_replay(seed in any::<u64>(), at in 0..16usize, known in 60..110usize, cuts in vec(any::<usize>(), 0..8)) {
        let (name, config) = variant(at);
        let events = mixed(130, seed);
        let graph = index(&events[..known]);
        let statistics = TrainStatistics::fit(&timeweft_learn::Task::new(graph, &config).unwrap(), &config);
        let mut model = untrained(&events[..known], &config, statistics);
        let mut end = known;
        for piece in pieces(&events, known, &cuts) {
            let absorbed = model.absorb(piece);
            prop_assert!(absorbed.rejected.is_empty(), "{:?}", absorbed);
            prop_assert_eq!(absorbed.facts, piece.len());
            end += piece.len();
            assert_is_replay(name, &model, &events[..end], seed);
        }
        let is_part = name == "batch" || name == "peers";
        prop_assert!(is_part || !model.past.kept().is_empty(), "{}: {}", name, model.past.kept().len());
    }

    #[test]
    fn nodes_that_go_and_links_of_many_types_are_one_replay(steps in steps(), hard in any::<bool>(), cuts in vec(any::<usize>(), 0..12), seed in any::<u64>()) {
        let deletes = if hard { Deletes::Hard } else { Deletes::Soft };
        let events = history(&steps);
        let (known, config) = (13 + 24, config(deletes));
        let mut model = untrained(&events[..known], &config, measured(&index(&events), deletes));
        let mut end = known;
        for piece in pieces(&events, known, &cuts) {
            model.absorb(piece);
            end += piece.len();
            assert_is_replay("a history", &model, &events[..end], seed);
        }
    }
}

#[test]
fn events_that_do_not_fit_change_nothing_and_say_why() {
    let (_, config) = variant(2);
    let events = mixed(90, 5);
    let known = (80..).find(|&at| events[at].action == Action::Create).unwrap();
    let statistics = TrainStatistics::fit(&timeweft_learn::Task::new(index(&events[..80]), &config).unwrap(), &config);
    let mut model = untrained(&events[..known], &config, statistics);
    let late = events[30].clone();
    let absorbed = model.absorb(&[late, events[known].clone(), events[known].clone()]);
    let told: Vec<String> = absorbed.rejected.iter().map(|(at, reason)| format!("{at}: {reason}")).collect();
    assert_eq!(absorbed.facts, 1, "{told:?}");
    assert!(told[0].starts_with("0: out of order") && told[0].ends_with("load it, and update"), "{told:?}");
    assert!(told[1].starts_with("2: ") && told[1].contains("exists already"), "{told:?}");
    assert_is_replay("two refused", &model, &events[..=known], 3);
}

#[test]
fn memory_of_before_is_kept_at_even_distances_and_bounds_what_is_read_again() {
    let (_, config) = variant(2);
    let events = mixed(900, 5);
    let statistics = TrainStatistics::fit(&timeweft_learn::Task::new(index(&events[..90]), &config).unwrap(), &config);
    let mut model = untrained(&events[..90], &config, statistics);
    for piece in events[90..].chunks(7) {
        model.absorb(piece);
    }
    let n = model.graph.facts().len();
    let ends: Vec<usize> = model.past.kept().iter().map(VectorStore::absorbed).collect();
    let gaps = ends.iter().zip([0].iter().chain(&ends)).map(|(end, start)| end - start);
    let most = gaps.chain([n - ends.last().unwrap()]).max().unwrap();
    assert!(ends.len() <= 16 && most <= n / 8 + 30, "{ends:?} of {n}");
    let slow = anew(&model, &events);
    for time in (0..).step_by(211).map(Time).take_while(|time| *time < events.last().unwrap().time) {
        let stop = timeweft_graph::Stop::default();
        let (fast, slow_store) = (model.memory_at(time, &stop).unwrap(), slow.memory_at(time, &stop).unwrap());
        assert!(are_same(true, &held(&model.graph, &fast).1, &held(&slow.graph, &slow_store).1), "at {}", time.0);
    }
}

#[test]
fn memory_of_before_lies_in_the_file_and_is_told_from_a_damaged_one() {
    let (_, config) = variant(2);
    let events = mixed(300, 5);
    let statistics = TrainStatistics::fit(&timeweft_learn::Task::new(index(&events[..90]), &config).unwrap(), &config);
    let model = untrained(&events, &config, statistics);
    let kept: Vec<usize> = model.past.kept().iter().map(VectorStore::absorbed).collect();
    assert!(kept.len() > 2, "{kept:?}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.twm");
    model.save(&path, &[1]).unwrap();
    let opened = Trained::load(&path, index(&events), &[1]).unwrap();
    assert_eq!(opened.past.distance(), model.past.distance());
    assert!(opened.past.kept() == model.past.kept(), "{kept:?}");
    // Of facts that are others now none is believed: the last that is left is of before these.
    let mut changed = events.clone();
    let late =
        (kept[1]..).find(|&at| events[at].time > events[at - 1].time && events[at].action == Action::Create).unwrap();
    changed.remove(late);
    let opened = Trained::load(&path, index(&changed[..=late]), &[1]).unwrap();
    assert!(opened.past.kept().iter().all(|store| store.absorbed() <= late), "{kept:?} without {late}");
    assert!(!opened.past.kept().is_empty() && opened.seen <= late);
    let whole = std::fs::read(&path).unwrap();
    let mut damaged = whole.clone();
    damaged[whole.len() - 40] ^= 1;
    for bytes in [&damaged[..], &whole[..whole.len() - 9]] {
        std::fs::write(&path, bytes).unwrap();
        let told = Trained::load(&path, index(&events), &[1]).err().unwrap().to_string();
        assert!(told.contains("cut short or damaged"), "{told}");
    }
}
