//! The product's AdamW against Burn's.

use burn_core::tensor::Device;
use timeweft_learn::{TimeEncoder, Weight};
use timeweft_oracle_model::{ReferenceAdamW, ReferenceModel, StepLayout, adamw};

use crate::choices::cases;
use crate::product::{self, Product};
use crate::worlds::{Draws, world};

fn apart(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn the_products_adamw_steps_as_the_tensor_library_does() {
    let mut draws = Draws(5);
    let mut row = |scale: f32| (0..60).map(|_| scale * draws.signed()).collect::<Vec<f32>>();
    let (weights, gradients) = (row(1.0), (0..20).map(|i| row(0.1 * i as f32)).collect::<Vec<_>>());
    for clip in [f32::INFINITY, 1.0, 0.1] {
        let found = product::adamw(0.01, clip, &weights, &gradients);
        let expected = adamw(0.01, clip, &weights, &gradients);
        assert!(apart(&found, &expected) < 1e-6, "{clip}: {}", apart(&found, &expected));
        assert!(apart(&found, &weights) > 0.05, "they have moved");
    }
    let clipped = [1.0, 0.1].map(|clip| adamw(0.01, clip, &weights, &gradients));
    assert!(apart(&clipped[0], &clipped[1]) > 1e-4, "a shorter gradient is another one");
}

#[test]
fn a_step_of_a_model_is_a_step_of_each_of_its_weights() {
    let case = &cases()[0];
    let (task, graph) = world(1, &case.config);
    let product = Product::new(&case.config, &graph, 1);
    let encoder: &TimeEncoder = &graph.statistics.time_encoder;
    let device = Device::flex().autodiff();
    let mut model =
        ReferenceModel::new(&case.config.model, graph.relations, encoder, &product.weights(), &device).unwrap();
    let link = &task.links[90];
    let store = product.memory(&case.config, &graph, 0);
    let layout = StepLayout::new(&graph, &store, 0..link.fact, &[link.question(link.destination, link.time)]);
    let start = model.weights();
    let (mut optimizer, mut gradients) = (ReferenceAdamW::new(1.0), Vec::new());
    for _ in 0..3 {
        let made = model.step(&layout, None).unwrap().sum().backward();
        gradients.push(model.gradients(&made));
        optimizer.step(0.01, &mut model, &made);
    }
    let mut n_moved = 0;
    for (Weight { name, values: from, .. }, Weight { values: to, .. }) in start.iter().zip(model.weights()) {
        let steps: Vec<Vec<f32>> = gradients.iter().map(|gradients| gradients[name].clone()).collect();
        let expected = adamw(0.01, 1.0, from, &steps);
        let moved = apart(&to, from) > 1e-3;
        n_moved += usize::from(moved);
        assert!(apart(&to, &expected) < 1e-6 || !moved, "{name}");
    }
    assert!(2 * n_moved > start.len(), "{n_moved}");
}
