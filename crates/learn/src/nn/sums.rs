//! Sums over rows and over whole tensors, and a row added to each row.

use super::arena::Buffer;
use super::kernel::{Kernel, apply};
use super::lanes::{add, multiversion, sum};
use super::tape::Gradient;
use super::tensor::Tensor;

/// The sum of each row: `[n, d]` to `[n]`.
pub fn row_sums(x: Tensor<2>) -> Tensor<1> {
    let [n, width] = x.dims();
    apply(RowSums { n, width }, [x.any()], [n])
}

/// The sum of all numbers.
pub fn total<const D: usize>(x: Tensor<D>) -> Tensor<1> {
    let n = x.values().len();
    row_sums(x.reshape([1, n]))
}

/// The mean of all numbers; NaN of none.
pub fn mean<const D: usize>(x: Tensor<D>) -> Tensor<1> {
    let n = x.values().len();
    total(x) * (1.0 / n as f32)
}

/// `x [n, d]` with `row [d]` added to each row.
///
/// # Panics
/// If they are not as wide.
pub fn add_row(x: Tensor<2>, row: Tensor<1>) -> Tensor<2> {
    let [n, width] = x.dims();
    assert_eq!(row.dims(), [width], "add_row: the width");
    apply(AddRow { width }, [x.any(), row.any()], [n, width])
}

struct RowSums {
    n: usize,
    width: usize,
}

impl Kernel for RowSums {
    type Saved = ();

    fn forward(&self, inputs: &[&[f32]], _: bool) -> (Buffer, ()) {
        let mut out = Buffer::zeros(self.n);
        sums_of_rows(&mut out, inputs[0], self.width);
        (out, ())
    }

    fn backward(&self, inputs: &[&[f32]], (): &(), grad: &[f32], _: &[bool]) -> Vec<Gradient> {
        let mut out = Buffer::stale(inputs[0].len());
        out.chunks_exact_mut(self.width.max(1)).zip(grad).for_each(|(out, grad)| out.fill(*grad));
        vec![out.into()]
    }
}

struct AddRow {
    width: usize,
}

impl Kernel for AddRow {
    type Saved = ();

    fn forward(&self, inputs: &[&[f32]], _: bool) -> (Buffer, ()) {
        let mut out = Buffer::from(inputs[0]);
        out.chunks_exact_mut(self.width.max(1)).for_each(|out| add(out, inputs[1]));
        (out, ())
    }

    fn backward(&self, _: &[&[f32]], (): &(), grad: &[f32], wanted: &[bool]) -> Vec<Gradient> {
        let mut row = Buffer::zeros(self.width);
        sum_of_rows(&mut row, grad);
        let dx = if wanted[0] { Buffer::from(grad) } else { Buffer::zeros(0) };
        vec![dx.into(), row.into()]
    }
}

multiversion! { fn sums_of_rows(out: &mut [f32], x: &[f32], width: usize) = sums_of_rows_body }

#[inline(always)]
fn sums_of_rows_body<const FMA: bool>(out: &mut [f32], x: &[f32], width: usize) {
    out.iter_mut().zip(x.chunks_exact(width.max(1))).for_each(|(out, row)| *out = sum(row));
}

multiversion! { pub(super) fn sum_of_rows(out: &mut [f32], rows: &[f32]) = sum_of_rows_body }

#[inline(always)]
fn sum_of_rows_body<const FMA: bool>(out: &mut [f32], rows: &[f32]) {
    for row in rows.chunks_exact(out.len().max(1)) {
        add(out, row);
    }
}
