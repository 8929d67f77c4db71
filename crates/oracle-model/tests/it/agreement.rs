//! Logits, memory and gradients of a step, for every choice of a configuration.

use std::ops::Range;

use burn_core::tensor::{Device, Tensor, TensorData};
use timeweft_graph::Time;
use timeweft_learn::{Query, Task, TrainFreshness, Weight, batches, train};
use timeweft_oracle_model::{ReferenceModel, StepLayout, floats};

use crate::choices::{Case, cases};
use crate::product::{Found, Product, Step, answers, weights_of};
use crate::worlds::world;

/// How far apart the two may be, relative to the largest number.
const APART: f32 = 1e-4;

/// Questions about the links of some facts: the answers, and others; with what was before `as_of`, or before each link.
fn questions(task: &Task, facts: Range<usize>, as_of: Option<Time>) -> Vec<Query> {
    let of_facts = |number: &usize| facts.contains(&task.links[*number].fact);
    let numbers = (0..task.links.len()).filter(of_facts);
    numbers
        .flat_map(|number| {
            let link = &task.links[number];
            // Another link of the same relation has an answer of the same type.
            let same =
                |other: &&timeweft_learn::Link| (other.edge_type, other.direction) == (link.edge_type, link.direction);
            let other =
                task.links[..number].iter().rev().filter(same).nth(2).map_or(link.destination, |o| o.destination);
            // One that all links of the batch share, as they do in training.
            let shared = task.links.iter().find(same).map_or(link.destination, |first| first.destination);
            [link.destination, other, shared].map(|node| link.question(node, as_of.unwrap_or(link.time)))
        })
        .collect()
}

/// The largest difference over a scale: of a number, or of the largest there is.
fn apart(a: &[f32], b: &[f32], least: f32) -> f32 {
    assert_eq!(a.len(), b.len());
    assert!(a.iter().chain(b).all(|x| x.is_finite()));
    let scale = b.iter().fold(least, |scale, x| scale.max(x.abs()));
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) / scale
}

/// The same by the reference.
fn by_reference(model: &ReferenceModel, step: &Step<'_>, weights: &[f32]) -> Found {
    let layout = StepLayout::of_each_time(step.graph, &step.store, step.facts.clone(), &step.queries);
    let remembered = model.remember(&layout).unwrap();
    let logits = model.answer(&layout, remembered.as_ref(), step.noise).unwrap();
    let (memory, state) = match remembered {
        Some(left) => (floats(left.memory.inner()), floats(left.state.inner())),
        None => Default::default(),
    };
    let data = TensorData::new(weights.to_vec(), [weights.len()]);
    let weighted = logits.clone() * Tensor::from_data(data, &Device::flex().autodiff());
    let gradients = model.gradients(&weighted.sum().backward());
    Found { logits: floats(logits.inner()), memory, state, gradients }
}

/// How far apart the two are on one step: values, and gradients with the weight where it is worst.
fn compare(case: &Case, seed: u64) -> (f32, f32, String) {
    let Case { config, .. } = case;
    let (task, graph) = world(seed, config);
    let cut = batches(graph.facts(), 0..graph.facts().len(), config.train.batch, 0);
    let last = cut[3].clone();
    let facts = if case.batches == 0 { last.start..last.start } else { cut[4 - case.batches].start..last.end };
    // Where a batch is not seen from inside, the one behind it asks.
    let behind = config.train.freshness == TrainFreshness::Batch;
    let asked = if behind { cut[4].clone() } else { last };
    let as_of = behind.then(|| graph.facts()[asked.start].time);
    let product = Product::new(config, &graph, seed);
    let store = product.memory(config, &graph, facts.start);
    let queries = questions(&task, asked, as_of);
    assert!(queries.len() >= if config.train.batch < 10 { 3 } else { 10 }, "{}: {}", case.name, queries.len());
    let weights: Vec<f32> = (0..queries.len()).map(|i| (i as f32 * 0.7).sin()).collect();
    let step = Step { graph: &graph, store, facts, queries, noise: case.noise };

    let found = product.step(&step, &weights);
    let device = Device::flex().autodiff();
    let model = ReferenceModel::new(
        &config.model,
        graph.relations,
        &graph.statistics.time_encoder,
        &product.weights(),
        &device,
    )
    .unwrap()
    .with_blocks(case.blocks);
    let expected = by_reference(&model, &step, &weights);

    let values =
        [(&found.logits, &expected.logits), (&found.memory, &expected.memory), (&found.state, &expected.state)];
    let value = values.iter().map(|(a, b)| apart(a, b, 1e-6)).fold(0.0, f32::max);
    let remembers = config.model.memory && case.batches > 0;
    assert_eq!(remembers, !found.memory.is_empty());
    assert!(found.gradients.keys().eq(expected.gradients.keys()));
    // Where terms cancel out what is left has no digits: a gradient that is next to nothing beside all others.
    let largest = expected.gradients.values().flatten().fold(0.0, |largest: f32, x| largest.max(x.abs()));
    let mut worst = (0.0, String::new());
    let mut n_read = 0;
    for (name, expected) in &expected.gradients {
        let found = &found.gradients[name];
        let found = if found.is_empty() { &vec![0.0; expected.len()] } else { found };
        n_read += usize::from(expected.iter().any(|x| *x != 0.0));
        let gradient = apart(found, expected, 1e-4 * largest);
        if gradient > worst.0 {
            worst = (gradient, name.clone());
        }
    }
    let n = expected.gradients.len();
    assert!(2 * n_read > n || case.batches == 0 || !config.model.memory, "{}: {n_read} of {n}", case.name);
    (value, worst.0, worst.1)
}

#[test]
fn product_and_reference_agree_forward_and_backward() {
    let mut wrong = Vec::new();
    for case in cases() {
        for seed in 1..=5 {
            let (value, gradient, name) = compare(&case, seed);
            let line = format!("{}, {seed}: values {value:.1e}, gradients {gradient:.1e} ({name})", case.name);
            eprintln!("{line}");
            if !(value < APART && gradient < APART) {
                wrong.push(line);
            }
        }
    }
    assert!(wrong.is_empty(), "apart:\n{}", wrong.join("\n"));
}

#[test]
fn a_trained_model_answers_as_the_reference_with_its_weights() {
    let case = &cases()[0];
    let (task, _) = world(4, &case.config);
    let trained = train(&task, &case.config, |_| ()).unwrap();
    let end = trained.graph.facts().len();
    let mut queries = questions(&task, 0..end, None).split_off(100);
    // All are asked about as of the end, from memory alone.
    let now = Time(task.facts().last().unwrap().time.0 + 10);
    queries.iter_mut().for_each(|query| (query.time, query.as_of) = (now, now));
    let (graph, weights) = (&trained.graph, weights_of(&trained));
    let encoder = &graph.statistics.time_encoder;
    let model = ReferenceModel::new(&case.config.model, graph.relations, encoder, &weights, &Device::flex()).unwrap();
    let layout = StepLayout::new(graph, &trained.store, end..end, &queries);
    let expected = floats(model.step(&layout, None).unwrap());
    let apart = apart(&answers(&trained, &queries), &expected, 1e-6);
    assert!(apart < APART, "{apart}");

    let lacking: Vec<Weight> = weights.into_iter().filter(|weight| weight.name != "predictor.source.weight").collect();
    let model = ReferenceModel::new(&case.config.model, graph.relations, encoder, &lacking, &Device::flex()).unwrap();
    let error = model.step(&layout, None).map(|_| ()).unwrap_err();
    assert_eq!(error.to_string(), "the model has no weight `predictor.source.weight`");
}
