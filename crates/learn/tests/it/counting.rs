//! Counters equal what a slow count of every question gives, however the facts came, and nothing that is deleted counts.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use timeweft_graph::{
    Action, Deletes, Direction, EdgeIndex, EdgeTypeId, Event, Name, NodeIndex, NodeKey, Schema, Time,
};
use timeweft_graph::{Element, TimeUnit};
use timeweft_index::Index;
use timeweft_learn::{Config, Counted, GraphContext, Query, Task, TrainStatistics};
use timeweft_oracle::counters::{Counters, EdgeLife, Question};

use crate::worlds::{draw, edge, index, node, small};

fn user(id: u64) -> NodeKey {
    NodeKey::new("user", id)
}

fn item(id: u64) -> NodeKey {
    NodeKey::new("item", id)
}

/// A change that may happen next: after how many ticks, what, and to whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    ticks: i64,
    kind: u8,
    a: u64,
    b: u64,
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let ticks = prop_oneof![3 => Just(0), 2 => Just(1), 1 => 2..20i64];
    let step = (ticks, 0..20u8, 0..5u64, 0..5u64).prop_map(|(ticks, kind, a, b)| Step { ticks, kind, a, b });
    vec(step, 20..120)
}

/// A link of one of three types, one of which joins users and may join one with itself.
fn link(time: i64, kind: u8, a: u64, b: u64, key: u64) -> Event {
    match kind % 4 {
        0 => edge(time, Action::Create, user(a), "asks", item(b), key),
        1 => edge(time, Action::Create, user(a), "knows", user(b), key),
        _ => edge(time, Action::Create, user(a), "buys", item(b), key),
    }
}

/// Accepted events: nodes and a link of each type first, then links, their deletes, and nodes that go and come again.
pub(crate) fn history(steps: &[Step]) -> Vec<Event> {
    let mut events: Vec<Event> =
        (0..5).flat_map(|i| [user(i), item(i)]).map(|key| node(0, Action::Create, key)).collect();
    events.extend((0..3).map(|kind| link(0, kind, 0, 1, u64::from(kind))));
    // Enough to be split into parts.
    events.extend((1000..1024u64).map(|i| link((i - 998) as i64 / 2, (i % 7) as u8, i % 5, i / 2 % 5, i)));
    let mut index = Index::new(Schema::new(TimeUnit::Step));
    let namespace = Name::from("");
    events.iter().for_each(|event| index.apply(event, &namespace).unwrap());
    let (mut time, mut open) = (13, Vec::new());
    for (number, Step { ticks, kind, a, b }) in (10..).zip(steps) {
        time += ticks;
        let event = match kind {
            0..4 if !open.is_empty() => {
                let Event { element, .. } = open.swap_remove((5 * a + b) as usize % open.len());
                Event::new(Time(time), Action::Delete, element)
            }
            4 => node(time, Action::Delete, if b % 2 == 0 { user(*a) } else { item(*a) }),
            5 | 6 => node(time, Action::Create, if b % 2 == 0 { user(*a) } else { item(*a) }),
            7 => node(time, Action::Update, user(*a)),
            kind => link(time, *kind, *a, *b, number),
        };
        if index.apply(&event, &namespace).is_ok() {
            open.extend(
                (event.action == Action::Create && matches!(event.element, Element::Edge(_))).then(|| event.clone()),
            );
            events.push(event);
        }
    }
    events
}

pub(crate) fn config(deletes: Deletes) -> Config {
    let mut config = small();
    config.model.deletes = deletes;
    config
}

/// What was measured on all of a history.
pub(crate) fn measured(index: &Arc<Index>, deletes: Deletes) -> TrainStatistics {
    let config = config(deletes);
    TrainStatistics::fit(&Task::new(index.clone(), &config).unwrap(), &config)
}

/// Every pair of nodes by every side at some times.
pub(crate) fn queries(index: &Index, times: &[i64]) -> Vec<Query> {
    let mut queries = Vec::new();
    let nodes = || (0..index.n_nodes() as u32).map(NodeIndex);
    for (edge_type, of) in (0..).map(EdgeTypeId).zip(index.schema().edge_types()) {
        for direction in [Direction::Out, Direction::In] {
            let [asks, answers] = match direction {
                Direction::Out => [of.source, of.destination],
                Direction::In => [of.destination, of.source],
            };
            for (&as_of, source) in times.iter().flat_map(|as_of| nodes().map(move |node| (as_of, node))) {
                if index.node_type(source) != asks {
                    continue;
                }
                for destination in nodes().filter(|&node| index.node_type(node) == answers) {
                    let time = Time(as_of + (as_of + i64::from(destination.0 / 8)) % 3);
                    queries.push(Query { edge_type, direction, source, destination, time, as_of: Time(as_of) });
                }
            }
        }
    }
    queries
}

/// The slow count over the lives that the index keeps.
fn counters(graph: &GraphContext, deletes: Deletes) -> Counters {
    let index = &graph.index;
    let lives = (0..index.n_edges() as u32).map(EdgeIndex).map(|edge| {
        let ((edge_type, source, destination), life) = (index.edge_ends(edge), index.edge_interval(edge));
        let removed = (deletes == Deletes::Hard && !life.is_open()).then_some(life.removed.0);
        let [source, destination] = [source.at(), destination.at()];
        EdgeLife { created: life.created.0, removed, edge_type: edge_type.at(), source, destination }
    });
    let mut nodes: Vec<NodeIndex> = (0..index.n_nodes() as u32).map(NodeIndex).collect();
    nodes.sort_by(|a, b| index.compare_nodes(*a, *b));
    let types = index.schema().edge_types();
    let mut sides: Vec<usize> = (0..2 * types.len()).collect();
    sides.sort_by_key(|side| (types[side / 2].relation.to_string(), side % 2));
    let place = |order: Vec<usize>| {
        let mut places = vec![0; order.len()];
        order.iter().enumerate().for_each(|(place, at)| places[*at] = place);
        places
    };
    let times = graph.facts().iter().map(|fact| fact.time.0).collect();
    let nodes = place(nodes.into_iter().map(NodeIndex::at).collect());
    let mut counters = Counters::new(times, lives.collect(), &nodes, &place(sides));
    (counters.scale, counters.longest) = (graph.statistics.time_encoder.scale, graph.statistics.time_encoder.longest);
    let affinity = serde_json::to_value(&graph.statistics.affinity).unwrap();
    counters.affinity = serde_json::from_value(affinity["followed"].clone()).unwrap();
    counters
}

fn assert_counted(graph: &GraphContext, queries: &[Query], deletes: Deletes) {
    let slow = counters(graph, deletes);
    let counted = Counted::of(graph, queries);
    assert!(counted.pair_at.is_sorted());
    let rows = counted.rows();
    assert_eq!(rows.len(), queries.len() * Counted::WIDTH);
    for (row, query) in rows.chunks(Counted::WIDTH).zip(queries) {
        let wanted = slow.row(&Question {
            side: 2 * query.edge_type.at() + usize::from(query.direction == Direction::In),
            source: query.source.at(),
            destination: query.destination.at(),
            time: query.time.0,
            as_of: query.as_of.0,
        });
        for (column, (found, wanted)) in row.iter().zip(wanted).enumerate() {
            let error = (f64::from(*found) - wanted).abs();
            assert!(error <= 1e-5 * (1.0 + wanted.abs()), "column {column} of {query:?}: {found} for {wanted}");
        }
    }
}

/// A graph that was told in parts, and the states that it went through.
fn told_in_parts(events: &[Event], statistics: &TrainStatistics, ends: &[usize]) -> Vec<GraphContext> {
    let mut states: Vec<GraphContext> = Vec::new();
    for &end in ends {
        let index = index(&events[..end]);
        let next = match states.last() {
            None => GraphContext::new(index, statistics.clone()),
            Some(graph) => graph.continued(index),
        };
        states.push(next);
    }
    states
}

pub(crate) fn bits(graph: &GraphContext, queries: &[Query]) -> Vec<u32> {
    Counted::of(graph, queries).rows().into_iter().map(f32::to_bits).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn counters_equal_a_slow_count(steps in steps(), hard in any::<bool>(), cuts in vec(0..1000usize, 0..6), at in 0..1000i64) {
        let deletes = if hard { Deletes::Hard } else { Deletes::Soft };
        let events = history(&steps);
        let end = events.last().map_or(0, |event| event.time.0);
        let whole = index(&events);
        let statistics = measured(&whole, deletes);
        let times = [at % (end + 1), at / 7 % (end + 1), end + 1];
        let queries = queries(&whole, &times);
        let graph = GraphContext::new(whole, statistics.clone());
        assert_counted(&graph, &queries, deletes);
        // Told in parts, between times and inside of them: the same bits, and no state sees what others were told.
        let mut ends: Vec<usize> = cuts.iter().map(|cut| 13 + cut % (events.len() - 12)).collect();
        ends.push(events.len());
        ends.sort();
        let states = told_in_parts(&events, &statistics, &ends);
        prop_assert_eq!(bits(&graph, &queries), bits(states.last().unwrap(), &queries));
        for (state, end) in states.iter().zip(ends) {
            let fresh = GraphContext::new(index(&events[..end]), statistics.clone());
            prop_assert_eq!(bits(state, &queries), bits(&fresh, &queries));
        }
        // A second future of a state that others have left behind is its own.
        let second = states[0].continued(graph.index.clone());
        prop_assert_eq!(bits(&graph, &queries), bits(&second, &queries));
    }

    #[test]
    fn the_order_of_arrival_does_not_count(steps in steps(), hard in any::<bool>(), seed in any::<u64>()) {
        let deletes = if hard { Deletes::Hard } else { Deletes::Soft };
        let events = history(&steps);
        // Nodes, and runs of new links of one time, in any order.
        let mut shuffled = events.clone();
        let is_link = |event: &Event| event.action == Action::Create && matches!(event.element, Element::Edge(_));
        let runs = shuffled.chunk_by_mut(|a, b| a.time == b.time && is_link(a) == is_link(b) && a.action == b.action);
        for (number, run) in (0..).zip(runs) {
            // The first of each type stay: types are numbered by them.
            let run = match (is_link(&run[0]), run[0].time == Time(0)) {
                (true, false) => run,
                (false, true) => &mut run[2..],
                _ => continue,
            };
            for at in 1..run.len() {
                run.swap(at, draw(seed, 1000 * number + at as u64, at as u64 + 1) as usize);
            }
        }
        let [one, other] = [&events, &shuffled].map(|events| index(events));
        let statistics = measured(&one, deletes);
        prop_assert_eq!(one.schema(), other.schema());
        let end = events.last().map_or(0, |event| event.time.0);
        let asked = queries(&one, &[end / 2, end + 1]);
        let named = |query: &Query| {
            let same = |node| other.node_index(&one.node_key(node)).unwrap();
            Query { source: same(query.source), destination: same(query.destination), ..*query }
        };
        let asked_of_other: Vec<Query> = asked.iter().map(named).collect();
        let graph = GraphContext::new(one.clone(), statistics.clone());
        prop_assert_eq!(bits(&graph, &asked), bits(&GraphContext::new(other.clone(), statistics), &asked_of_other));
    }

    #[test]
    fn what_is_hard_deleted_is_not_counted(steps in steps(), poison in steps(), at in 1..200i64) {
        // Two lives of everything: of the first, which ends before anything is asked, only the times are the same.
        let poisoned = |first: &[Step]| {
            let mut events = history(&[]);
            let (mut open, mut time) = (Vec::new(), 13);
            for (number, (step, own)) in (10..).zip(first.iter().zip(&poison)) {
                time += own.ticks;
                let event = link(time, step.kind, step.a, step.b, number);
                if own.kind % 3 == 0 {
                    open.push(event.element.clone());
                }
                events.push(event);
            }
            // Some links end by themselves, the others with their nodes.
            for element in open {
                events.push(Event::new(Time(time + 1), Action::Delete, element));
            }
            let keys = || (0..5).flat_map(|i| [user(i), item(i)]);
            events.extend(keys().map(|key| node(time + 2, Action::Delete, key)));
            events.extend(keys().map(|key| node(time + 3, Action::Create, key)));
            let start = time + 4;
            for (number, step) in (2000..).zip(&steps) {
                time += step.ticks;
                events.push(link(time + 4, step.kind, step.a, step.b, number));
            }
            (events, start)
        };
        let changed: Vec<Step> = poison.iter().map(|step| Step { kind: step.kind / 3, a: step.b, b: step.a, ..*step }).collect();
        let ((one, start), (other, _)) = (poisoned(&poison), poisoned(&changed));
        let [one, other] = [one, other].map(|events| index(&events));
        for deletes in [Deletes::Hard, Deletes::Soft] {
            let statistics = measured(&one, deletes);
            let asked = queries(&one, &[start, start + at]);
            let [a, b] = [&one, &other].map(|index| bits(&GraphContext::new(index.clone(), statistics.clone()), &asked));
            if deletes == Deletes::Hard {
                prop_assert_eq!(a, b);
            } else {
                prop_assert_ne!(a, b);
            }
        }
    }
}

#[test]
fn who_met_many_is_counted_up_to_the_caps() {
    let mut events: Vec<Event> = vec![node(0, Action::Create, user(0)), node(0, Action::Create, user(1))];
    events.extend((0..4500).map(|i| node(0, Action::Create, item(i))));
    for i in 0..9000u64 {
        let (relation, to) = if i % 11 == 0 { ("asks", item(4)) } else { ("buys", item(draw(1, i, 4500))) };
        events.push(edge(1 + i as i64 / 2, Action::Create, user(i % 25 / 24), relation, to, i));
    }
    let index = index(&events);
    for deletes in [Deletes::Hard, Deletes::Soft] {
        let graph = GraphContext::new(index.clone(), measured(&index, deletes));
        let mut asked = queries(&graph.index, &[700, 5000]);
        // A few of the thousands, and whoever was met often.
        let often = graph.index.node_index(&item(4)).unwrap();
        asked.retain(|query| {
            let (by, of) = (query.source, query.destination);
            query.direction == Direction::Out && by.0 < 2 && (of == often || of.0 % 97 == 5)
        });
        assert_counted(&graph, &asked, deletes);
    }
}
