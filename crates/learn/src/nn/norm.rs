use rayon::prelude::*;

use super::arena::Buffer;
use super::kernel::{Kernel, apply};
use super::lanes::{add, dot, madd, multiversion};
use super::tape::Gradient;
use super::tensor::Tensor;

/// Added to the mean square, so that a row of zeros stays a row of zeros.
const EPSILON: f32 = 1e-6;
/// Rows in one task, and in one partial sum of the weight gradient.
const ROWS: usize = 128;

/// Root mean square normalisation (Zhang and Sennrich 2019): every row of `x [M, d]` becomes
/// `x / sqrt(mean(x^2) + 1e-6) * weight`, with `weight [d]`.
///
/// # Panics
/// If `weight` has not d elements.
pub fn rms_norm(x: Tensor<2>, weight: Tensor<1>) -> Tensor<2> {
    let [rows, width] = x.dims();
    assert_eq!(weight.dims(), [width], "rms_norm: the width of x and weight");
    apply(RmsNorm { rows, width }, [x.any(), weight.any()], [rows, width])
}

struct RmsNorm {
    rows: usize,
    width: usize,
}

impl Kernel for RmsNorm {
    /// One over the root mean square of every row.
    type Saved = Vec<f32>;

    fn forward(&self, inputs: &[&[f32]], _: bool) -> (Buffer, Vec<f32>) {
        let block = (ROWS * self.width).max(1);
        let mut out = Buffer::stale(self.rows * self.width);
        let mut scales = vec![0.0; self.rows];
        let parts = out.par_chunks_mut(block).zip(inputs[0].par_chunks(block)).zip(scales.par_chunks_mut(ROWS));
        parts.for_each(|((out, x), scales)| normalise(out, scales, x, inputs[1]));
        (out, scales)
    }

    fn backward(&self, inputs: &[&[f32]], scales: &Vec<f32>, grad: &[f32], _: &[bool]) -> Vec<Gradient> {
        let block = (ROWS * self.width).max(1);
        let mut dx = Buffer::stale(self.rows * self.width);
        let mut partial = vec![0.0; self.rows.div_ceil(ROWS) * self.width];
        let parts = dx.par_chunks_mut(block).zip(partial.par_chunks_mut(self.width.max(1)));
        let parts = parts.zip(inputs[0].par_chunks(block)).zip(grad.par_chunks(block)).zip(scales.par_chunks(ROWS));
        parts.for_each(|((((dx, dw), x), grad), scales)| normalise_backward(dx, dw, x, inputs[1], grad, scales));
        let mut dw = vec![0.0; self.width];
        for partial in partial.chunks_exact(self.width.max(1)) {
            add(&mut dw, partial);
        }
        vec![dx.into(), dw.into()]
    }
}

multiversion! { fn normalise(out: &mut [f32], scales: &mut [f32], x: &[f32], weight: &[f32]) = normalise_body }

#[inline(always)]
fn normalise_body<const FMA: bool>(out: &mut [f32], scales: &mut [f32], x: &[f32], weight: &[f32]) {
    let width = weight.len();
    for (i, scale) in scales.iter_mut().enumerate() {
        let x = &x[i * width..][..width];
        *scale = 1.0 / (dot::<FMA>(x, x) / width as f32 + EPSILON).sqrt();
        for ((out, x), weight) in out[i * width..][..width].iter_mut().zip(x).zip(weight) {
            *out = x * *scale * weight;
        }
    }
}

multiversion! {
    fn normalise_backward(dx: &mut [f32], dw: &mut [f32], x: &[f32], weight: &[f32], grad: &[f32], scales: &[f32])
        = normalise_backward_body
}

/// With x^ = x r and v = grad * weight: dx = r (v - x^ mean(v x^)) and dw = sum over rows of grad x^.
#[inline(always)]
fn normalise_backward_body<const FMA: bool>(
    dx: &mut [f32],
    dw: &mut [f32],
    x: &[f32],
    weight: &[f32],
    grad: &[f32],
    scales: &[f32],
) {
    let width = weight.len();
    for (i, &scale) in scales.iter().enumerate() {
        let (x, grad, dx) = (&x[i * width..][..width], &grad[i * width..][..width], &mut dx[i * width..][..width]);
        for ((d, grad), weight) in dx.iter_mut().zip(grad).zip(weight) {
            *d = grad * weight;
        }
        let mean = dot::<FMA>(dx, x) * scale / width as f32;
        for (((dx, dw), x), grad) in dx.iter_mut().zip(dw.iter_mut()).zip(x).zip(grad) {
            let normal = x * scale;
            *dx = scale * madd::<FMA>(-normal, mean, *dx);
            *dw = madd::<FMA>(*grad, normal, *dw);
        }
    }
}
