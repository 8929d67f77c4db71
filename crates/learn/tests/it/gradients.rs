//! Gradients of every weight of every stage against central differences of the loss.

use timeweft_learn::nn::{self, Module, Tensor};
use timeweft_learn::{
    Config, GnnKind, GraphContext, Htgn, Query, Task, TrainStatistics, VectorStore, empty_store, pipeline,
};

use crate::worlds::{floats, index, mixed};

/// What a loss is computed on.
struct Step<'a> {
    graph: &'a GraphContext,
    queries: Vec<Query>,
    facts: std::ops::Range<usize>,
    /// State of an earlier batch, a constant of the step.
    store: VectorStore,
}

/// One training step, through all five stages: what the loss sums, `[C]`.
fn losses(model: &Htgn, step: &Step<'_>) -> Tensor<1> {
    let Step { graph, queries, facts, store } = step;
    let reader = pipeline::Reader { model, graph, store };
    let remembered = reader.remember(facts.clone());
    // Weighted, so that no symmetry hides a wrong sign.
    let logits = reader.answer(&remembered, queries, None);
    let n = logits.dims()[0];
    let weights: Vec<f32> = (0..n).map(|i| (i as f32 * 0.7).sin()).collect();
    logits * Tensor::new(weights, [n])
}

/// The model with one entry of one weight moved.
fn nudged(model: &Htgn, tensor: usize, entry: usize, step: f32) -> Htgn {
    let mut model = model.detached();
    model.params_mut().swap_remove(tensor).into_values()[entry] += step;
    model
}

/// Checks the largest entry of every weight's gradient.
pub(crate) fn check_all(mut config: Config) {
    config.model.width = 8;
    config.model.channels = 8;
    let task = Task::new(index(&mixed(60, 3)), &config).unwrap();
    let graph = GraphContext::new(task.index.clone(), TrainStatistics::fit(&task, &config));
    let links = 20..40;
    let facts = task.links[links.start].fact..task.links[links.end].fact;
    let ask = |number: usize, destination| {
        let link = task.links[number];
        link.question(destination, link.time)
    };
    let queries: Vec<Query> =
        links.flat_map(|i| [ask(i, task.links[i].destination), ask(i, task.links[i - 3].destination)]).collect();
    let model = Htgn::new(&config, &graph).tracked();
    let mut store = empty_store(&graph, &config);
    pipeline::Reader { model: &model.detached(), graph: &graph, store: &store }
        .remember(0..facts.start)
        .commit(&mut store);
    let step = Step { graph: &graph, queries, facts, store };
    let gradients = nn::total(losses(&model, &step)).backward();
    let found = model.params().into_iter().map(|param| {
        let gradient = param.gradient(&gradients).map(|gradient| gradient.to_vec()).unwrap_or_default();
        (param.name, gradient)
    });
    let found: Vec<(String, Vec<f32>)> = found.collect();
    assert!(found.len() > 25, "{}", found.len());
    // Decisions are hard: the gradient that goes straight through them is no slope of the loss, and is tested apart. What
    // stands before them has a part of it.
    let decides = config.model.gnn == GnnKind::Cooperative;
    let behind =
        |name: &str| (name.starts_with("predictor") || name.starts_with("gnn.last.")) && !name.contains("cooperation");
    let smooth = found.iter().enumerate().filter(|(_, (name, _))| !decides || behind(name));
    assert!(smooth.clone().count() > 10);
    for (tensor, (name, gradient)) in smooth {
        // A weight without gradient is one that nothing of this step reads: the difference must say so too.
        let mut entries: Vec<usize> = (0..gradient.len().max(1)).collect();
        let size = |entry: &usize| gradient.get(*entry).copied().unwrap_or(0.0).abs();
        entries.sort_by(|a, b| size(b).total_cmp(&size(a)));
        let off = entries.iter().take(3).filter_map(|&entry| {
            let at = |change: f32| {
                let losses = floats(losses(&nudged(&model, tensor, entry, change), &step));
                losses.into_iter().map(f64::from).sum::<f64>()
            };
            let analytic = f64::from(gradient.get(entry).copied().unwrap_or(0.0));
            // A small step loses digits, a large one turns a rectifier on the way: a right gradient agrees with one of them.
            let numeric =
                [1e-5_f32, 5e-5, 2.5e-4, 5e-4, 1e-3, 2e-3, 4e-3].map(|h| (at(h) - at(-h)) / (2.0 * f64::from(h)));
            let off = |numeric: &f64| (analytic - numeric).abs() / analytic.abs().max(numeric.abs()).max(0.05);
            (!numeric.iter().any(|numeric| off(numeric) < 0.03)).then_some((entry, analytic, numeric))
        });
        // One of the three largest may stand at the corner of a rectifier.
        let off: Vec<_> = off.collect();
        assert!(off.len() < 2.min(entries.len()), "{name}: {off:?}");
    }
}
