//! Operations on each number by itself.

use std::ops::{Add, Mul, Sub};

use rayon::prelude::*;

use super::arena::Buffer;
use super::kernel::{Kernel, apply};
use super::lanes::multiversion;
use super::tape::Gradient;
use super::tensor::Tensor;

/// Numbers in one task.
const ELEMENTS: usize = 1 << 15;

/// `x + y`.
///
/// # Panics
/// If the shapes differ, here and below.
fn add<const D: usize>(x: Tensor<D>, y: Tensor<D>) -> Tensor<D> {
    let shape = same("add", &x, &y);
    apply(Sum, [x.any(), y.any()], shape)
}

/// `x * y`, number by number.
fn multiply<const D: usize>(x: Tensor<D>, y: Tensor<D>) -> Tensor<D> {
    let shape = same("multiply", &x, &y);
    apply(Product, [x.any(), y.any()], shape)
}

/// `factor * x`.
fn scale<const D: usize>(x: Tensor<D>, factor: f32) -> Tensor<D> {
    let shape = x.dims();
    apply(Scale(factor), [x.any()], shape)
}

/// `max(x, 0)`.
pub fn relu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let shape = x.dims();
    apply(Relu, [x.any()], shape)
}

/// `e^x`, for a few numbers.
pub fn exp<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let shape = x.dims();
    apply(Exp, [x.any()], shape)
}

impl<const D: usize> Add for Tensor<D> {
    type Output = Tensor<D>;

    fn add(self, other: Tensor<D>) -> Tensor<D> {
        add(self, other)
    }
}

impl<const D: usize> Sub for Tensor<D> {
    type Output = Tensor<D>;

    fn sub(self, other: Tensor<D>) -> Tensor<D> {
        add(self, scale(other, -1.0))
    }
}

impl<const D: usize> Mul for Tensor<D> {
    type Output = Tensor<D>;

    fn mul(self, other: Tensor<D>) -> Tensor<D> {
        multiply(self, other)
    }
}

impl<const D: usize> Mul<f32> for Tensor<D> {
    type Output = Tensor<D>;

    fn mul(self, factor: f32) -> Tensor<D> {
        scale(self, factor)
    }
}

fn same<const D: usize>(operation: &str, x: &Tensor<D>, y: &Tensor<D>) -> [usize; D] {
    assert_eq!(x.dims(), y.dims(), "{operation}: the shapes");
    x.dims()
}

/// Fills a buffer from two others, in tasks where there is enough to do.
fn combine(x: &[f32], y: &[f32], each: impl Fn(&mut [f32], &[f32], &[f32]) + Sync) -> Buffer {
    let mut out = Buffer::stale(x.len());
    if x.len() <= ELEMENTS {
        each(&mut out, x, y);
    } else {
        let parts = out.par_chunks_mut(ELEMENTS).zip(x.par_chunks(ELEMENTS)).zip(y.par_chunks(ELEMENTS));
        parts.for_each(|((out, x), y)| each(out, x, y));
    }
    out
}

fn copy(values: &[f32]) -> Gradient {
    Buffer::from(values).into()
}

struct Sum;

impl Kernel for Sum {
    type Saved = ();

    fn forward(&self, inputs: &[&[f32]], _: bool) -> (Buffer, ()) {
        (combine(inputs[0], inputs[1], sums), ())
    }

    fn backward(&self, _: &[&[f32]], (): &(), grad: &[f32], wanted: &[bool]) -> Vec<Gradient> {
        wanted.iter().map(|wanted| if *wanted { copy(grad) } else { Vec::new().into() }).collect()
    }
}

struct Product;

impl Kernel for Product {
    type Saved = ();

    fn forward(&self, inputs: &[&[f32]], _: bool) -> (Buffer, ()) {
        (combine(inputs[0], inputs[1], products), ())
    }

    fn backward(&self, inputs: &[&[f32]], (): &(), grad: &[f32], wanted: &[bool]) -> Vec<Gradient> {
        let part = |at: usize| if wanted[at] { combine(inputs[1 - at], grad, products) } else { Buffer::zeros(0) };
        vec![part(0).into(), part(1).into()]
    }
}

struct Scale(f32);

impl Scale {
    fn times(&self, x: &[f32]) -> Buffer {
        let mut out = Buffer::stale(x.len());
        out.iter_mut().zip(x).for_each(|(out, x)| *out = self.0 * x);
        out
    }
}

impl Kernel for Scale {
    type Saved = ();

    fn forward(&self, inputs: &[&[f32]], _: bool) -> (Buffer, ()) {
        (self.times(inputs[0]), ())
    }

    fn backward(&self, _: &[&[f32]], (): &(), grad: &[f32], _: &[bool]) -> Vec<Gradient> {
        vec![self.times(grad).into()]
    }
}

struct Relu;

impl Kernel for Relu {
    type Saved = ();

    fn forward(&self, inputs: &[&[f32]], _: bool) -> (Buffer, ()) {
        (combine(inputs[0], inputs[0], rectified), ())
    }

    fn backward(&self, inputs: &[&[f32]], (): &(), grad: &[f32], _: &[bool]) -> Vec<Gradient> {
        vec![combine(inputs[0], grad, where_positive).into()]
    }
}

struct Exp;

impl Kernel for Exp {
    type Saved = Vec<f32>;

    fn forward(&self, inputs: &[&[f32]], keep: bool) -> (Buffer, Vec<f32>) {
        let out: Vec<f32> = inputs[0].iter().map(|x| x.exp()).collect();
        let saved = if keep { out.clone() } else { Vec::new() };
        (out.into(), saved)
    }

    fn backward(&self, _: &[&[f32]], out: &Vec<f32>, grad: &[f32], _: &[bool]) -> Vec<Gradient> {
        vec![combine(out, grad, products).into()]
    }
}

multiversion! { fn sums(out: &mut [f32], x: &[f32], y: &[f32]) = sums_body }
multiversion! { fn products(out: &mut [f32], x: &[f32], y: &[f32]) = products_body }
multiversion! { fn rectified(out: &mut [f32], x: &[f32], y: &[f32]) = rectified_body }
multiversion! { fn where_positive(out: &mut [f32], x: &[f32], grad: &[f32]) = where_positive_body }

#[inline(always)]
fn sums_body<const FMA: bool>(out: &mut [f32], x: &[f32], y: &[f32]) {
    out.iter_mut().zip(x).zip(y).for_each(|((out, x), y)| *out = x + y);
}

#[inline(always)]
fn products_body<const FMA: bool>(out: &mut [f32], x: &[f32], y: &[f32]) {
    out.iter_mut().zip(x).zip(y).for_each(|((out, x), y)| *out = x * y);
}

/// NaN stays NaN.
#[inline(always)]
fn rectified_body<const FMA: bool>(out: &mut [f32], x: &[f32], _: &[f32]) {
    out.iter_mut().zip(x).for_each(|(out, x)| *out = if *x < 0.0 { 0.0 } else { *x });
}

#[inline(always)]
fn where_positive_body<const FMA: bool>(out: &mut [f32], x: &[f32], grad: &[f32]) {
    out.iter_mut().zip(x).zip(grad).for_each(|((out, x), grad)| *out = if *x > 0.0 { *grad } else { 0.0 });
}
