//! One case of a comparison: its inputs, and how outputs and gradients are held against the reference.

use timeweft_learn::nn::{self, Gradients, Tensor};

/// Numbers in [-1, 1) from a counter, the same in every run.
pub(crate) struct Noise(pub(crate) u64);

impl Noise {
    pub(crate) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        f64::from((z >> 40) as u32) / f64::from(1 << 23) - 1.0
    }

    pub(crate) fn array<const D: usize>(&mut self, shape: [usize; D]) -> Array {
        let values = (0..shape.iter().product()).map(|_| self.next()).collect();
        Array { shape: shape.to_vec(), values }
    }

    pub(crate) fn positive<const D: usize>(&mut self, shape: [usize; D]) -> Array {
        let mut array = self.array(shape);
        array.values.iter_mut().for_each(|value| *value = f64::from((0.7 + 0.6 * *value) as f32));
        array
    }

    /// Offsets over `rows` rows in `count` runs, some of them empty.
    pub(crate) fn offsets(&mut self, count: usize, rows: usize) -> Vec<u32> {
        let mut cuts: Vec<u32> =
            (1..count).map(|_| ((self.next() + 1.0) / 2.0 * (rows + 1) as f64).min(rows as f64) as u32).collect();
        cuts.extend([0, rows as u32]);
        cuts.sort_unstable();
        cuts
    }

    pub(crate) fn index(&mut self, count: usize, rows: usize) -> Vec<u32> {
        (0..count).map(|_| ((self.next() + 1.0) / 2.0 * rows as f64) as u32).collect()
    }
}

/// An input in the precision of the reference; its values are exact in `f32`.
#[derive(Clone, Debug)]
pub(crate) struct Array {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<f64>,
}

impl Array {
    pub(crate) fn tensor<const D: usize>(&self) -> Tensor<D> {
        let values: Vec<f32> = self.values.iter().map(|value| *value as f32).collect();
        Tensor::new(values, self.shape[..].try_into().unwrap())
    }
}

pub(crate) fn floats<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.values().to_vec()
}

#[track_caller]
pub(crate) fn close(what: &str, found: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}: length");
    let scale = expected.iter().fold(1e-3, |top: f64, value| top.max(value.abs()));
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (f64::from(*found) - expected).abs();
        assert!(error <= tolerance * scale.max(expected.abs()), "{what}[{i}]: {found}, expected {expected}");
    }
}

/// What the fused side of a case returns: outputs one after the other, and a gradient an input.
pub(crate) type Results = (Vec<f32>, Vec<Vec<f32>>);

/// The fused side of a case, given the inputs and the weights of the outputs in the loss.
pub(crate) type Fused = dyn Fn(&[Array], &[f64]) -> Results;

/// Compares one operation with its reference: outputs, and the gradients of `sum(weights * outputs)` to every
/// input with central differences of the reference.
#[track_caller]
pub(crate) fn agrees(name: &str, inputs: &[Array], reference: &dyn Fn(&[Array]) -> Vec<f64>, fused: &Fused) {
    let expected = reference(inputs);
    let mut noise = Noise(99);
    let weights: Vec<f64> = expected.iter().map(|_| f64::from(noise.next() as f32)).collect();
    let (outputs, grads) = fused(inputs, &weights);
    close(name, &outputs, &expected, 1e-5);
    assert_eq!(grads.len(), inputs.len(), "{name}: gradients");
    let loss = |inputs: &[Array]| reference(inputs).iter().zip(&weights).map(|(y, w)| y * w).sum::<f64>();
    for (k, grad) in grads.iter().enumerate() {
        let mut moved = inputs.to_vec();
        let step = 1e-6;
        let slope = |i: usize, moved: &mut Vec<Array>| {
            let at = moved[k].values[i];
            moved[k].values[i] = at + step;
            let above = loss(moved);
            moved[k].values[i] = at - step;
            let below = loss(moved);
            moved[k].values[i] = at;
            (above - below) / (2.0 * step)
        };
        let expected: Vec<f64> = (0..inputs[k].values.len()).map(|i| slope(i, &mut moved)).collect();
        close(&format!("{name}: gradient {k}"), grad, &expected, 1e-3);
    }
}

/// Asks a tracked tensor for its gradient, whatever its rank.
pub(crate) type Grad = dyn Fn(&Gradients) -> Vec<f32>;

/// A tracked input.
pub(crate) struct Leaf {
    grad: Box<Grad>,
}

pub(crate) fn leaf<const D: usize>(array: &Array) -> (Tensor<D>, Leaf) {
    let tensor = array.tensor::<D>().tracked();
    let kept = tensor.clone();
    let size = array.values.len();
    let grad = move |grads: &Gradients| kept.gradient(grads).map_or(vec![0.0; size], floats);
    (tensor, Leaf { grad: Box::new(grad) })
}

pub(crate) fn backward<const D: usize>(output: Tensor<D>, weights: &[f64], leaves: &[Leaf]) -> Results {
    let values = floats(output.clone());
    let weights = Array { shape: output.dims().to_vec(), values: weights.to_vec() };
    let grads = nn::total(output * weights.tensor::<D>()).backward();
    (values, leaves.iter().map(|leaf| (leaf.grad)(&grads)).collect())
}

/// Compares gradients at some places with central differences of a loss: all of them would take hours of plain loops.
#[track_caller]
pub(crate) fn slopes_agree(
    inputs: &[Array],
    grads: &[Vec<f32>],
    step: f64,
    places: impl Fn(usize) -> Vec<usize>,
    loss: &dyn Fn(&[Array]) -> f64,
) {
    for (k, grad) in grads.iter().enumerate() {
        let top = grad.iter().fold(0.0, |top: f32, x| top.max(x.abs()));
        for i in places(inputs[k].values.len()) {
            let mut moved = inputs.to_vec();
            let mut at = |step: f64| {
                moved[k].values[i] = inputs[k].values[i] + step;
                loss(&moved)
            };
            let slope = (at(step) - at(-step)) / (2.0 * step);
            let error = (f64::from(grad[i]) - slope).abs();
            assert!(error <= 1e-3 * f64::from(top), "gradient {k} at {i}: {}, expected {slope}", grad[i]);
        }
    }
}
