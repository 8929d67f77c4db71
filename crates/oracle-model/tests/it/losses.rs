//! The loss against its definition, and the product's against it, with its gradient.

use burn_core::tensor::{Device, Tensor, TensorData};
use timeweft_learn::Loss;
use timeweft_oracle_model::{floats, loss};

use crate::product;
use crate::worlds::Draws;

/// Four positives with four negatives each.
fn logits(scale: f32) -> Vec<f32> {
    let mut draws = Draws(3);
    (0..20).map(|_| scale * draws.signed()).collect()
}

/// Small ones, and some so large that their exponentials overflow.
const SCALES: [f32; 2] = [1.0, 60.0];

#[test]
fn losses_are_as_they_are_defined() {
    for scale in SCALES {
        let logits = logits(scale);
        let rows: Vec<Vec<f64>> = logits.chunks(5).map(|row| row.iter().map(|x| f64::from(*x)).collect()).collect();
        let log_sigmoid = |x: f64| -(-x).exp().ln_1p();
        let softmax = |row: &Vec<f64>| row.iter().map(|x| x.exp()).sum::<f64>().ln() - row[0];
        let bce = |row: &Vec<f64>| -log_sigmoid(row[0]) - row[1..].iter().map(|x| log_sigmoid(-x)).sum::<f64>() / 4.0;
        let mean = |f: &dyn Fn(&Vec<f64>) -> f64| rows.iter().map(f).sum::<f64>() / 4.0;
        for (kind, expected) in [(Loss::Softmax, mean(&softmax)), (Loss::Bce, mean(&bce))] {
            let tensor = Tensor::from_data(TensorData::new(logits.clone(), [20]), &Device::flex());
            let found = f64::from(floats(loss(kind, tensor, 4))[0]);
            assert!((found - expected).abs() < 1e-5 * expected.abs().max(1.0), "{kind:?}: {found} against {expected}");
        }
    }
}

#[test]
fn the_products_losses_have_the_same_values_and_gradients() {
    for (scale, kind) in SCALES.into_iter().flat_map(|scale| [(scale, Loss::Softmax), (scale, Loss::Bce)]) {
        let logits = logits(scale);
        let (value, gradient) = product::loss(kind, &logits, 4);
        let device = Device::flex().autodiff();
        let tensor: Tensor<1> = Tensor::from_data(TensorData::new(logits, [20]), &device).require_grad();
        let expected = loss(kind, tensor.clone(), 4);
        let slopes = floats(tensor.grad(&expected.backward()).unwrap());
        let expected = floats(expected.inner())[0];
        assert!((value - expected).abs() < 1e-5 * expected.abs().max(1.0), "{kind:?}: {value} against {expected}");
        assert!(gradient.iter().zip(&slopes).all(|(a, b)| (a - b).abs() < 1e-6), "{kind:?}: {gradient:?}, {slopes:?}");
        assert!(slopes.iter().any(|slope| slope.abs() > 0.01));
    }
}
