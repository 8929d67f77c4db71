//! What each part of the model can learn, and what it cannot without.
//!
//! Sizes are such that a test takes seconds; `bench synthetic` prints the table for every cell and longer delays.

use timeweft_graph::EdgeTypeId;
use timeweft_learn::{
    Aggregation, Bucket, Config, Freshness, GraphContext, Htgn, MemoryCellKind, Query, Task, TrainStatistics,
    empty_store, pipeline,
};
use timeweft_oracle::synthetic::{self, Synthetic};

use crate::worlds::{self, config_of, index, trained_on};

fn accuracy(synthetic: &Synthetic, change: impl Fn(&mut Config)) -> f64 {
    let mut config = config_of(synthetic);
    change(&mut config);
    let (task, trained) = trained_on(synthetic, &config);
    let accuracy = worlds::accuracy(&task, &trained, Freshness::Event);
    eprintln!("{}: {accuracy:.3}", synthetic.name);
    accuracy
}

#[test]
fn a_marked_visit_is_remembered_over_distractors() {
    let task = synthetic::marked_visit(24, 40, 1);
    for cell in [MemoryCellKind::Mamba, MemoryCellKind::Gru] {
        let learnt = accuracy(&task, |config| (config.model.cell, config.train.epochs) = (cell, 30));
        assert!(learnt >= 0.95, "{cell:?}: {learnt}");
    }
    let without = accuracy(&task, |config| config.model.memory = false);
    assert!(without < 0.25, "no memory: {without}");
}

/// With steps that a message moves little, this seed finds no mark.
#[test]
fn a_selective_state_space_finds_a_mark_160_visits_back() {
    let task = synthetic::marked_visit(160, 60, 2);
    let learnt = accuracy(&task, |config| (config.model.selectivity, config.train.seed) = (20.0, 2));
    assert!(learnt >= 0.95, "{learnt}");
}

#[test]
fn the_age_of_a_mark_is_told_whatever_came_since() {
    let learnt = accuracy(&synthetic::elapsed_time(60, 1), |_| ());
    assert!(learnt >= 0.9, "{learnt}");
}

#[test]
fn several_slots_are_kept_apart() {
    let learnt = accuracy(&synthetic::capacity(3, 60, 1), |config| config.train.epochs = 20);
    assert!(learnt >= 0.9, "{learnt}");
}

#[test]
fn a_set_is_read_whole_and_its_last_message_is_not_enough() {
    let task = synthetic::simultaneity(60, 1);
    let with = |aggregation| accuracy(&task, |config| config.model.aggregation = aggregation);
    assert!(with(Aggregation::Attention) >= 0.95);
    assert!(with(Aggregation::Sum) >= 0.95);
    let last = with(Aggregation::KeepLast);
    assert!(last < task.chance + 0.07, "{last}");
}

#[test]
fn order_inside_a_batch_is_told_by_exact_sets_only() {
    let task = synthetic::order(60, 1);
    for cell in [MemoryCellKind::Mamba, MemoryCellKind::Gru] {
        let exact = accuracy(&task, |config| config.model.cell = cell);
        assert!(exact >= 0.95, "{cell:?}: {exact}");
    }
    let batch = accuracy(&task, |config| config.model.bucket = Bucket::Batch);
    assert!((batch - 0.5).abs() < 0.1, "{batch}");
}

#[test]
fn a_stale_answer_knows_one_visit_of_four() {
    let task = synthetic::staleness(60, 1);
    let (links, trained) = trained_on(&task, &config_of(&task));
    let fresh = worlds::accuracy(&links, &trained, Freshness::Event);
    let stale = worlds::accuracy(&links, &trained, Freshness::Batch(128));
    assert!(fresh >= 0.95, "{fresh}");
    assert!((stale - (0.25 + 0.75 / 8.0)).abs() < 0.1, "{stale}");
}

#[test]
fn random_answers_stay_at_chance() {
    let guessed = accuracy(&synthetic::random_answers(1500, 1), |config| config.train.epochs = 3);
    assert!((guessed - 0.5).abs() < 0.08, "{guessed}");
}

#[test]
fn relations_with_different_rules_need_weights_of_their_own() {
    let task = synthetic::types(60, 1);
    let typed = accuracy(&task, |_| ());
    let untyped = accuracy(&task, |config| config.model.typed = false);
    assert!(typed >= 0.95 && untyped < 0.65, "{typed} against {untyped}");
}

#[test]
fn relations_start_alike_and_are_told_apart_once_learnt() {
    let synthetic = synthetic::types(60, 1);
    let config = &config_of(&synthetic);
    let task = Task::new(index(&synthetic.events), config).unwrap();
    let link = task.links.last().copied().unwrap();
    let questions: Vec<Query> = (0..task.index.schema().edge_types().len() as u16)
        .map(|edge_type| Query { edge_type: EdgeTypeId(edge_type), ..link.question(link.destination, link.time) })
        .collect();
    let graph = GraphContext::new(task.index.clone(), TrainStatistics::fit(&task, config));
    let model = Htgn::new(config, &graph);
    let store = empty_store(&graph, config);
    let nothing = pipeline::Remembered::nothing(&store);
    let scores = crate::worlds::floats(
        pipeline::Reader { model: &model, graph: &graph, store: &store }.answer(&nothing, &questions, None),
    );
    assert!(scores.len() == 3 && scores.iter().all(|score| *score == scores[0]), "{scores:?}");
    let (_, trained) = trained_on(&synthetic, config);
    let scores = trained.score(&questions, link.time);
    assert!(scores.windows(2).all(|pair| (pair[0] - pair[1]).abs() > 1.0), "{scores:?}");
}
