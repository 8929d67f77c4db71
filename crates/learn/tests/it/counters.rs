//! What counters count, and links that are asked for from both ends.

use timeweft_graph::{Action, Direction, Event, NodeKey, Time};
use timeweft_learn::{Config, Counted, GraphContext, Query, Task, TrainStatistics};

use crate::worlds::{edge, index, node, small};

/// Users ask items, and whom they asked they buy a day later.
fn asked_then_bought() -> Vec<Event> {
    let (user, item) = (|i| NodeKey::new("user", i), |i| NodeKey::new("item", i));
    let mut events: Vec<Event> =
        (0..8).flat_map(|i| [user(i), item(i)]).map(|key| node(0, Action::Create, key)).collect();
    for i in 0..40u64 {
        let (s, d, time) = (i % 8, (3 * i + i / 8) % 8, 10 * i as i64);
        events.push(edge(time + 1, Action::Create, user(s), "asks", item(d), i));
        events.push(edge(time + 5, Action::Create, user(s), "buys", item(d), i));
    }
    events.push(edge(500, Action::Create, user(0), "asks", item(7), 1000));
    events
}

fn both_ends() -> Config {
    let mut config = small();
    config.train.both_ends = true;
    config.train.targets = vec!["buys".into()];
    config.evaluate.candidates = 0;
    config.evaluate.all_nodes = true;
    config
}

#[test]
fn what_a_relation_foretells_is_counted() {
    let config = both_ends();
    let task = Task::new(index(&asked_then_bought()), &config).unwrap();
    let graph = GraphContext::new(task.index.clone(), TrainStatistics::fit(&task, &config));
    let find = |kind: &str, id: u64| graph.index.node_index(&NodeKey::new(kind, id)).unwrap();
    let ask = |item: u64, as_of: i64| Query {
        edge_type: task.links[0].edge_type,
        direction: Direction::Out,
        source: find("user", 0),
        destination: find("item", item),
        time: Time(600),
        as_of: Time(as_of),
    };
    let rows = Counted::of(&graph, &[ask(7, 600), ask(6, 600), ask(7, 500)]).rows();
    let foretold = |row: usize| rows.chunks(rows.len() / 3).nth(row).unwrap().iter().rev().take(3).copied().collect();
    let [asked, other, earlier]: [Vec<f32>; 3] = [foretold(0), foretold(1), foretold(2)];
    // The last question is as of the time of asking: it is not known yet.
    assert!(asked.iter().all(|x| *x > 0.0), "{asked:?}");
    assert!(earlier.iter().zip(&asked).all(|(before, after)| before < after), "{earlier:?} {asked:?}");
    assert!(other.iter().zip(&asked).any(|(other, asked)| other < asked), "{other:?} {asked:?}");
}

#[test]
fn an_edge_is_asked_for_from_both_ends() {
    let task = Task::new(index(&asked_then_bought()), &both_ends()).unwrap();
    assert_eq!(task.links.len(), 80);
    for (number, pair) in task.links.chunks(2).enumerate() {
        let (out, back) = (pair[0], pair[1]);
        assert_eq!((out.direction, back.direction), (Direction::Out, Direction::In));
        assert_eq!((out.source, out.destination), (back.destination, back.source));
        // All nodes of the answer's type but the answer.
        for (link, event, kind) in [(out, 2 * number, "item"), (back, 2 * number + 1, "user")] {
            let candidates = task.candidates(event, 0, 1);
            assert_eq!(candidates.len(), 7);
            assert!(!candidates.contains(&link));
            assert!(candidates.iter().all(|of| *task.index.node_key(of.destination).node_type == *kind));
        }
    }
}
