//! Explanations say what is true.

use std::sync::OnceLock;

use timeweft_graph::Value;
use timeweft_learn::{
    Config, GnnKind, Htgn, Importance, PastMemory, Query, Task, Trained, attribute, curves, empty_store, train,
};
use timeweft_oracle::synthetic::planted_cause;

use crate::worlds::{config_of, index, mixed, small, trained_on};

/// Questions of the test part: user, right answer.
fn questions(task: &Task, n: usize) -> Vec<Query> {
    let links = &task.links[task.split.val_end..task.split.end];
    let ask = |link: &timeweft_learn::Link| link.question(link.destination, link.time);
    links.iter().take(n).map(ask).collect()
}

fn planted() -> &'static (Task, Trained) {
    static PLANTED: OnceLock<(Task, Trained)> = OnceLock::new();
    PLANTED.get_or_init(|| planted_by(1))
}

/// Learnt from a stream and weights of a seed.
fn planted_by(seed: u64) -> (Task, Trained) {
    let synthetic = planted_cause(40, seed);
    let mut config = config_of(&synthetic);
    config.train.seed = seed;
    trained_on(&synthetic, &config)
}

/// Whether a fact is a marked visit.
fn is_marked(trained: &Trained, edge: timeweft_graph::EdgeIndex) -> bool {
    trained
        .graph
        .index
        .edge_features(edge, timeweft_graph::Time(i64::MAX - 1))
        .any(|(_, value)| value == Value::floats(&[1.0]))
}

/// Share of the questions whose first neighbor of the source is the marked visit.
fn hits(trained: &Trained, queries: &[Query]) -> f64 {
    let hit =
        |query: &&Query| trained.explain(query).neighbors.first().is_some_and(|heard| is_marked(trained, heard.edge));
    queries.iter().filter(hit).count() as f64 / queries.len() as f64
}

#[test]
fn a_planted_cause_comes_first() {
    let found = [1, 2, 3, 4].map(|seed| {
        let (task, trained) = planted_by(seed);
        hits(&trained, &questions(&task, 60))
    });
    assert!(found.iter().sum::<f64>() / 4.0 >= 0.95, "{found:?}");
}

#[test]
fn explanations_change_when_the_weights_are_shuffled() {
    let (task, trained) = planted();
    let config = &trained.config;
    let queries = questions(task, 60);
    // Other weights, the same graph.
    let model = Htgn::new(
        &Config { train: timeweft_learn::TrainConfig { seed: 99, ..config.train.clone() }, ..config.clone() },
        &trained.graph,
    );
    let store = timeweft_learn::rebuild(&model, &trained.graph, config, trained.graph.facts().len());
    let shuffled = Trained {
        model,
        graph: trained.graph.clone(),
        latest: trained.latest.clone(),
        store,
        past: PastMemory::default(),
        config: config.clone(),
        epochs: Vec::new(),
        best: 1,
        seen: 0,
        base: trained.base,
    };
    let found = hits(&shuffled, &queries);
    assert!(found < 0.75, "{found}");
    let alike = |other: &Trained| {
        let both = queries.iter().map(|query| likeness(&pushes(trained, query), &pushes(other, query)));
        both.sum::<f64>() / queries.len() as f64
    };
    assert!((alike(trained) - 1.0).abs() < 1e-9);
    assert!(alike(&shuffled).abs() < 0.5, "{}", alike(&shuffled));
}

/// Contributions to the source, by edge.
fn pushes(trained: &Trained, query: &Query) -> Vec<f32> {
    let mut heard: Vec<_> = trained.explain(query).neighbors.into_iter().filter(|heard| heard.at_source).collect();
    heard.sort_by_key(|heard| heard.edge);
    heard.iter().map(|heard| heard.contribution).collect()
}

/// Spearman's rank correlation.
fn likeness(a: &[f32], b: &[f32]) -> f64 {
    let places = |values: &[f32]| -> Vec<f64> {
        values.iter().map(|x| values.iter().filter(|y| *y < x).count() as f64).collect()
    };
    let (a, b) = (places(a), places(b));
    let mean = (a.len() as f64 - 1.0) / 2.0;
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| (x - mean) * (y - mean)).sum::<f64>();
    product(&a, &b) / (product(&a, &a) * product(&b, &b)).sqrt()
}

#[test]
fn what_contributes_most_is_missed_most() {
    let (task, trained) = planted();
    let curves = curves(trained, &questions(task, 40));
    let of = |order: Importance| curves.iter().find(|curves| curves.order == order).unwrap();
    let (ours, newest, random) = (of(Importance::Contribution), of(Importance::Recency), of(Importance::Random));
    for other in [newest, random] {
        assert!(ours.deleted() > 1.2 * other.deleted(), "{} against {}", ours.deleted(), other.deleted());
        assert!(ours.inserted() < other.inserted(), "{} against {}", ours.inserted(), other.inserted());
        assert!(ours.agreement > 0.2 + other.agreement, "{} against {}", ours.agreement, other.agreement);
        // Nothing remembers anything here.
        assert!(ours.counterfactual.is_empty() && ours.links == 40);
    }
}

#[test]
fn the_parts_of_a_memory_sum_to_its_read_out() {
    let config = small();
    let task = Task::new(index(&mixed(120, 1)), &config).unwrap();
    let trained = train(&task, &config, |_| ()).unwrap();
    let gradient: Vec<f32> = (0..config.model.width).map(|i| (i as f32).sin()).collect();
    let query = questions(&task, 1)[0];
    for node in [query.source, query.destination] {
        let out = attribute(&trained.model, &trained.graph, node, query.as_of, &gradient).unwrap();
        assert!(out.parts.len() > 5, "{}", out.parts.len());
        let sum: f64 = out.parts.iter().sum();
        let size: f64 = out.parts.iter().map(|part| part.abs()).sum();
        assert!((sum - out.whole).abs() < 1e-12 * size, "{sum} against {}", out.whole);
        assert!(out.facts.iter().all(|facts| !facts.is_empty()));
        let tell = |(time, facts): (&timeweft_graph::Time, &Vec<usize>)| {
            facts.iter().all(|&fact| trained.graph.facts()[fact].time == *time)
        };
        assert!(out.times.iter().zip(&out.facts).all(tell));
    }
    // A gated recurrent unit is not linear in its past: it has no such parts.
    let mut gru = config.clone();
    gru.model.cell = timeweft_learn::MemoryCellKind::Gru;
    let trained = train(&task, &gru, |_| ()).unwrap();
    assert!(attribute(&trained.model, &trained.graph, query.source, query.as_of, &gradient).is_none());
    assert!(trained.explain(&query).memory.is_empty());
}

#[test]
fn memory_points_at_a_planted_cause() {
    let found = [1, 2, 3, 4].map(|seed| {
        let synthetic = planted_cause(40, seed);
        let mut config = config_of(&synthetic);
        (config.model.memory, config.model.gnn, config.train.seed) = (true, GnnKind::None, seed);
        let (task, trained) = trained_on(&synthetic, &config);
        let queries = questions(&task, 40);
        let hit = |query: &&Query| {
            let explanation = trained.explain(query);
            let Some(first) = explanation.memory.first().filter(|first| first.at_source) else { return false };
            let edges = first.facts.iter().filter_map(|&fact| trained.graph.facts()[fact].edge);
            edges.map(|(_, edge)| edge).any(|edge| is_marked(&trained, edge))
        };
        queries.iter().filter(hit).count() as f64 / queries.len() as f64
    });
    assert!(found.iter().sum::<f64>() / 4.0 >= 0.8, "{found:?}");
}

#[test]
fn a_co_operative_model_tells_who_listened_and_who_spoke() {
    let mut config = small();
    config.model.gnn = GnnKind::Cooperative;
    let task = Task::new(index(&mixed(120, 1)), &config).unwrap();
    let trained = train(&task, &config, |_| ()).unwrap();
    for query in questions(&task, 10) {
        for heard in trained.explain(&query).neighbors {
            let actions = heard.actions.unwrap();
            let open = actions.listens && actions.speaks;
            assert_eq!(open, heard.attention.iter().any(|alpha| *alpha > 0.0), "{heard:?}");
            assert!(open || heard.contribution == 0.0);
        }
    }
    let plain = train(&task, &small(), |_| ()).unwrap();
    assert!(plain.explain(&questions(&task, 1)[0]).neighbors.iter().all(|heard| heard.actions.is_none()));
    assert!(empty_store(&plain.graph, &plain.config).is_empty());
}
