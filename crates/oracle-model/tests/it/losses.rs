//! The loss against its definition.

use burn::tensor::{Device, Tensor, TensorData};
use timeweft_learn::Loss;
use timeweft_oracle_model::{floats, loss};

use crate::worlds::Draws;

#[test]
fn losses_are_as_they_are_defined() {
    let mut draws = Draws(3);
    // Large ones too: nothing may overflow.
    for scale in [1.0, 60.0] {
        let logits: Vec<f32> = (0..20).map(|_| scale * draws.signed()).collect();
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
