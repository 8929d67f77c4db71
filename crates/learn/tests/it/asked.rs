//! Questions that may be ended, answers as if edges had never been, and what a checkpoint tells before it is read.

use std::ops::ControlFlow;

use rustc_hash::FxHashSet;
use timeweft_graph::{Deletes, Element, GraphView, NodeIndex, NodeKey, Stop, Time};
use timeweft_learn::{Checkpoint, LearnError, LearnProgress, Query, Task, Trained, train};

use crate::worlds::{index, mixed, small, variants};

/// Score and margin over the log without the edges between the ends of a question and a node.
fn over_the_log(trained: &Trained, query: &Query, node: NodeIndex) -> (f32, f32) {
    let graph = &trained.graph.index;
    let name = |node| graph.node_key(node);
    let (ends, other) = ([name(query.source), name(query.destination)], name(node));
    let between = |a: &NodeKey, b: &NodeKey| ends.contains(a) && *b == other;
    let is_erased = |element: &Element| match element {
        Element::Edge(key) => between(&key.source, &key.destination) || between(&key.destination, &key.source),
        Element::Node(_) | Element::Merge { .. } => false,
    };
    let events = GraphView::events(&**graph);
    let erased: FxHashSet<u32> =
        (0u32..).zip(&events).filter(|(_, event)| is_erased(&event.element)).map(|(at, _)| at).collect();
    let left = trained.clone().erase(&erased).trained;
    let find = |node| left.graph.index.node_index(&name(node)).unwrap();
    let (source, destination) = (find(query.source), find(query.destination));
    let why = left.explain(&Query { source, destination, ..*query });
    (why.logit, why.margin)
}

#[test]
fn without_edges_a_question_is_what_it_is_over_a_log_without_them() {
    let stop = Stop::default();
    let (mut asked, mut moved) = (0, 0.0f32);
    for (number, (name, mut config)) in (0..).zip(variants()) {
        config.train.epochs = 1;
        for deletes in [Deletes::Hard, Deletes::Soft] {
            config.model.deletes = deletes;
            let task = Task::new(index(&mixed(90, number)), &config).unwrap();
            let trained = train(&task, &config, |_| ()).unwrap();
            for link in task.links[task.split.train_end..].iter().step_by(17) {
                let query = link.question(link.destination, link.time);
                let memory = trained.memory_at(query.as_of, &stop).unwrap();
                let asker = trained.asker(&memory, &stop);
                let why = trained.explain_from(&memory, &query);
                assert_eq!(why, trained.explain(&query), "{name}");
                let nobody = asker.explain_without(&query, &[]).unwrap();
                assert!((nobody.0 - why.logit).abs() < 1e-5 && (nobody.1 - why.margin).abs() < 1e-5, "{name}");
                // Neighbors of the source, and of its last answer.
                let heard = why.neighbors.first().map(|heard| heard.node);
                for node in heard.into_iter().chain([link.destination]) {
                    let told = asker.explain_without(&query, &[node]).unwrap();
                    let wanted = over_the_log(&trained, &query, node);
                    let apart = (told.0 - wanted.0).abs().max((told.1 - wanted.1).abs());
                    assert!(apart < 1e-4, "{name}, {deletes:?}: {told:?} and not {wanted:?}");
                    (asked, moved) = (asked + 1, moved.max((told.0 - why.logit).abs()));
                }
            }
        }
    }
    assert!(asked > 100 && moved > 0.05, "{asked} questions moved by up to {moved}");
}

#[test]
fn the_margin_is_over_the_others_that_are_told() {
    let task = Task::new(index(&mixed(90, 2)), &small()).unwrap();
    let trained = train(&task, &small(), |_| ()).unwrap();
    let link = task.links.last().unwrap();
    let why = trained.explain(&link.question(link.destination, link.time));
    let mean = why.others.iter().sum::<f32>() / why.others.len() as f32;
    assert!(!why.others.is_empty() && (why.logit - mean - why.margin).abs() < 1e-5, "{why:?}");
}

#[test]
fn a_question_ends_once_that_is_asked_for() {
    let task = Task::new(index(&mixed(120, 3)), &small()).unwrap();
    let trained = train(&task, &small(), |_| ()).unwrap();
    // Memory of before the newest time is at hand, that of before is replayed.
    let link = task.links[task.links.len() - 9];
    let (stop, past) = (Stop::default(), link.time);
    let memory = trained.memory_at(past, &stop).unwrap();
    let asker = trained.asker(&memory, &stop);
    let told = asker.predict(link.edge_type, link.source, past, 3).unwrap();
    assert_eq!(told.best, trained.predict(link.edge_type, link.source, past, 3));
    assert_eq!(told.candidates, trained.predict(link.edge_type, link.source, past, usize::MAX).len());
    stop.ask();
    let is_stopped = |error: LearnError| matches!(error, LearnError::Stopped);
    assert!(trained.memory_at(past, &stop).is_err_and(is_stopped));
    assert!(trained.memory_at(Time::FOREVER, &stop).is_ok(), "nothing is left to do");
    assert!(asker.predict(link.edge_type, link.source, past, 3).is_err_and(is_stopped));
    let query = link.question(link.destination, past);
    assert!(asker.explain_without(&query, &[link.destination]).is_err_and(is_stopped));
    assert!(trained.scorer_until(stop).score_all(&[query]).is_err_and(is_stopped));
}

#[test]
fn taking_facts_in_is_told_and_can_be_stopped() {
    let events = mixed(120, 4);
    let config = small();
    let early = index(&events[..80]);
    let trained = train(&Task::new(early, &config).unwrap(), &config, |_| ()).unwrap();
    let (later, path) = (index(&events), std::path::Path::new("m.twm"));
    let mut told = Vec::new();
    let whole = trained.caught_up_with(later.clone(), true, path, &mut |at| {
        told.push(at);
        ControlFlow::Continue(())
    });
    let (whole, n) = whole.unwrap();
    let LearnProgress::Absorbing { done: first, of } = told[0] else { panic!("{told:?}") };
    assert_eq!((first + n, of), (whole.graph.facts().len(), whole.graph.facts().len()));
    let cut = trained.caught_up_with(later.clone(), true, path, &mut |_| ControlFlow::Break(()));
    assert!(matches!(cut, Err(LearnError::Stopped)));
    assert_eq!(trained.caught_up(later, true, path).unwrap().0.store, whole.store);
}

#[test]
fn a_checkpoint_tells_of_itself_before_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.twm");
    let task = Task::new(index(&mixed(90, 5)), &small()).unwrap();
    let trained = train(&task, &small(), |_| ()).unwrap();
    let weights = trained.save(&path, &[7, 8]).unwrap();
    let told = Checkpoint::peek(&path).unwrap();
    let n_weights: usize = trained.weights().iter().map(|weight| weight.values.len()).sum();
    assert_eq!((told.weights, told.n_weights, told.n_loads()), (weights, n_weights, 2));
    assert_eq!(
        (told.epochs.clone(), told.best, told.absorbed),
        (trained.epochs.clone(), trained.best, trained.store.absorbed())
    );
    assert!(told.config == trained.config && told.schema == trained.graph.statistics.schema);
    assert!(
        told.is_of(&[7, 8]) && !told.is_of(&[7, 8, 9]) && told.continues(&[7, 8, 9]) && !told.continues(&[7, 9, 9])
    );
    // The memory may change, the weights stay; another seed has others.
    let other = Trained { store: timeweft_learn::empty_store(&trained.graph, &trained.config), ..trained.clone() };
    assert_eq!(other.save(&path, &[]).unwrap(), weights);
    let mut config = small();
    config.train.seed += 1;
    assert_ne!(train(&task, &config, |_| ()).unwrap().save(&path, &[]).unwrap(), weights);
    // Cut short anywhere it is an error and no panic.
    let bytes = std::fs::read(&path).unwrap();
    for n in [0, 7, 19, 21, 300] {
        std::fs::write(&path, &bytes[..n]).unwrap();
        assert!(Checkpoint::peek(&path).is_err(), "{n} bytes");
    }
    assert!(Checkpoint::peek(&folder.path().join("none.twm")).is_err());
}
