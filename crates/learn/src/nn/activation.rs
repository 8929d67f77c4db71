use rayon::prelude::*;

use super::arena::Buffer;
use super::kernel::{Kernel, apply};
use super::lanes::{exp_row, multiversion};
use super::tape::Gradient;
use super::tensor::Tensor;

/// Elements in one task.
const ELEMENTS: usize = 8192;

/// `x sigmoid(x)` of every element (Elfwing, Uchibe, Doya 2018).
pub fn silu(x: Tensor<2>) -> Tensor<2> {
    let [rows, width] = x.dims();
    apply(Activation { kind: Kind::Silu }, [x.any()], [rows, width])
}

/// `log(1 + e^x)` of every element, finite for every finite x.
pub fn softplus(x: Tensor<2>) -> Tensor<2> {
    let [rows, width] = x.dims();
    apply(Activation { kind: Kind::Softplus }, [x.any()], [rows, width])
}

/// A yes or no from logits `[n, 1]`: 1 where `x + noise > 0`, else 0; the gradient is that of `sigmoid(x + noise)`.
///
/// With the difference of two Gumbel draws as noise, this is the straight-through Gumbel softmax over two choices of
/// which x is the difference of the logits (Jang, Gu, Poole 2017).
///
/// # Panics
/// If `noise` has not one number a logit.
pub fn straight_through(x: Tensor<2>, noise: &[f32]) -> Tensor<2> {
    let [rows, width] = x.dims();
    assert_eq!(noise.len(), rows * width, "straight_through: the length of noise");
    apply(StraightThrough { noise: noise.into() }, [x.any()], [rows, width])
}

struct StraightThrough {
    noise: Box<[f32]>,
}

impl Kernel for StraightThrough {
    type Saved = ();

    fn forward(&self, inputs: &[&[f32]], _: bool) -> (Buffer, ()) {
        let yes = |(x, noise): (&f32, &f32)| if x + noise > 0.0 { 1.0 } else { 0.0 };
        (inputs[0].iter().zip(self.noise.iter()).map(yes).collect::<Vec<f32>>().into(), ())
    }

    fn backward(&self, inputs: &[&[f32]], (): &(), grad: &[f32], _: &[bool]) -> Vec<Gradient> {
        let mut sigmoids: Vec<f32> = inputs[0].iter().zip(self.noise.iter()).map(|(x, noise)| x + noise).collect();
        let x = sigmoids.clone();
        sigmoid(&mut sigmoids, &x);
        let slopes = sigmoids.iter().zip(grad).map(|(s, grad)| grad * s * (1.0 - s));
        vec![slopes.collect::<Vec<f32>>().into()]
    }
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Silu,
    Softplus,
}

struct Activation {
    kind: Kind,
}

impl Kernel for Activation {
    /// The sigmoid of every element: both gradients are made of it.
    type Saved = Buffer;

    fn forward(&self, inputs: &[&[f32]], _: bool) -> (Buffer, Buffer) {
        let x = inputs[0];
        let (mut out, mut sigmoids) = (Buffer::stale(x.len()), Buffer::stale(x.len()));
        let parts = out.par_chunks_mut(ELEMENTS).zip(sigmoids.par_chunks_mut(ELEMENTS)).zip(x.par_chunks(ELEMENTS));
        parts.for_each(|((out, sigmoids), x)| {
            sigmoid(sigmoids, x);
            match self.kind {
                Kind::Silu => out.iter_mut().zip(sigmoids).zip(x).for_each(|((out, s), x)| *out = x * *s),
                Kind::Softplus => softplus_forward(out, x),
            }
        });
        (out, sigmoids)
    }

    fn backward(&self, inputs: &[&[f32]], sigmoids: &Buffer, grad: &[f32], _: &[bool]) -> Vec<Gradient> {
        let x = inputs[0];
        let mut dx = Buffer::stale(x.len());
        let parts = dx.par_chunks_mut(ELEMENTS).zip(sigmoids.par_chunks(ELEMENTS));
        let parts = parts.zip(x.par_chunks(ELEMENTS)).zip(grad.par_chunks(ELEMENTS));
        parts.for_each(|(((dx, s), x), grad)| match self.kind {
            Kind::Silu => silu_backward(dx, s, x, grad),
            Kind::Softplus => dx.iter_mut().zip(s).zip(grad).for_each(|((dx, s), grad)| *dx = grad * s),
        });
        vec![dx.into()]
    }
}

multiversion! { fn sigmoid(out: &mut [f32], x: &[f32]) = sigmoid_body }

#[inline(always)]
fn sigmoid_body<const FMA: bool>(out: &mut [f32], x: &[f32]) {
    // Clamped, so that e^-x stays finite: the sigmoid of -80 is 1.8e-35.
    out.iter_mut().zip(x).for_each(|(out, x)| *out = (-x).clamp(-80.0, 80.0));
    exp_row::<FMA>(out);
    out.iter_mut().for_each(|out| *out = 1.0 / (1.0 + *out));
}

multiversion! { fn softplus_forward(out: &mut [f32], x: &[f32]) = softplus_body }

/// `log(1 + e^x) = max(x, 0) + log(1 + u)` with `u = e^-|x|` in (0, 1]: nothing overflows. The logarithm is
/// `2 atanh(u / (2 + u))`, a series in squares of at most 1/9: the first term left out is below 1e-7 of the sum.
#[inline(always)]
fn softplus_body<const FMA: bool>(out: &mut [f32], x: &[f32]) {
    out.iter_mut().zip(x).for_each(|(out, x)| *out = (-x.abs()).max(-80.0));
    exp_row::<FMA>(out);
    for (out, x) in out.iter_mut().zip(x) {
        let t = *out / (2.0 + *out);
        let q = t * t;
        let series = 1.0 + q * (1.0 / 3.0 + q * (0.2 + q * (1.0 / 7.0 + q * (1.0 / 9.0 + q * (1.0 / 11.0)))));
        *out = x.max(0.0) + 2.0 * t * series;
    }
}

multiversion! { fn silu_backward(dx: &mut [f32], s: &[f32], x: &[f32], grad: &[f32]) = silu_backward_body }

#[inline(always)]
fn silu_backward_body<const FMA: bool>(dx: &mut [f32], s: &[f32], x: &[f32], grad: &[f32]) {
    for (((dx, s), x), grad) in dx.iter_mut().zip(s).zip(x).zip(grad) {
        *dx = grad * (s + x * s * (1.0 - s));
    }
}
