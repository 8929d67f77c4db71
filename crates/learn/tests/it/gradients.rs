//! Gradients of every weight of every stage against central differences of the loss.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor, TensorData};
use timeweft_learn::{
    Config, GnnKind, GraphContext, Htgn, Query, Task, TrainStatistics, VectorStore, empty_store, pipeline,
};

use crate::worlds::{index, mixed};

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
    logits * Tensor::from_data(TensorData::new(weights, [n]), &Device::flex())
}

/// Collects name, gradient and size of each weight tensor.
struct Collect<'a> {
    gradients: &'a Gradients,
    path: Vec<String>,
    found: Vec<(String, Vec<f32>)>,
}

impl ModuleVisitor for Collect<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.into());
    }
    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let gradient = param.val().grad(self.gradients).map(timeweft_learn::floats).unwrap_or_default();
        self.found.push((self.path.join("."), gradient));
    }
}

/// Adds `step` to one entry of one weight tensor.
struct Nudge {
    tensor: usize,
    entry: usize,
    step: f32,
    at: usize,
}

impl ModuleMapper for Nudge {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.at += 1;
        if self.at - 1 != self.tensor {
            return param;
        }
        let (entry, step) = (self.entry, self.step);
        param.map(|tensor| {
            let (shape, device) = (tensor.dims(), tensor.device());
            let mut values = timeweft_learn::floats(tensor.inner());
            values[entry] += step;
            Tensor::from_data(TensorData::new(values, shape), &device)
        })
    }
}

/// Checks the largest entry of every weight's gradient.
pub(crate) fn check_all(device: &Device, mut config: Config) {
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
    let model = Htgn::new(&config, &graph, &device.clone().autodiff());
    let mut store = empty_store(&graph, &config);
    pipeline::Reader { model: &model.valid(), graph: &graph, store: &store }
        .remember(0..facts.start)
        .commit(&mut store);
    let step = Step { graph: &graph, queries, facts, store };
    let gradients = losses(&model, &step).sum().backward();
    let mut collect = Collect { gradients: &gradients, path: Vec::new(), found: Vec::new() };
    model.visit(&mut collect);
    assert!(collect.found.len() > 25, "{}", collect.found.len());
    // Decisions are hard: the gradient that goes straight through them is no slope of the loss, and is tested apart. What
    // stands before them has a part of it.
    let decides = config.model.gnn == GnnKind::Cooperative;
    let behind =
        |name: &str| (name.starts_with("predictor") || name.starts_with("gnn.last.")) && !name.contains("cooperation");
    let smooth = collect.found.iter().enumerate().filter(|(_, (name, _))| !decides || behind(name));
    assert!(smooth.clone().count() > 10);
    for (tensor, (name, gradient)) in smooth {
        // A weight without gradient is one that nothing of this step reads: the difference must say so too.
        let largest = (0..gradient.len()).max_by(|&a, &b| gradient[a].abs().total_cmp(&gradient[b].abs()));
        let entry = largest.unwrap_or(0);
        let at = |change: f32| {
            let nudged = model.valid().map(&mut Nudge { tensor, entry, step: change, at: 0 });
            timeweft_learn::floats(losses(&nudged, &step)).into_iter().map(f64::from).sum::<f64>()
        };
        let analytic = f64::from(gradient.get(entry).copied().unwrap_or(0.0));
        // A small step loses digits, a large one turns a rectifier on the way: a right gradient agrees with one of them.
        let numeric = [2.5e-4_f32, 5e-4, 1e-3, 2e-3, 4e-3].map(|h| (at(h) - at(-h)) / (2.0 * f64::from(h)));
        let off = |numeric: &f64| (analytic - numeric).abs() / analytic.abs().max(numeric.abs()).max(0.05);
        assert!(numeric.iter().any(|numeric| off(numeric) < 0.03), "{name}[{entry}]: {analytic} against {numeric:?}");
    }
}
