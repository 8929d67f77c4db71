//! Tensors of parts of others: side by side, one below the other, some columns, some rows.

use super::arena::Buffer;
use super::kernel::{Kernel, apply};
use super::tape::Gradient;
use super::tensor::Tensor;

/// `[n, a]` and `[n, b]` side by side: `[n, a + b]`.
///
/// # Panics
/// If they have not as many rows.
pub fn beside(x: Tensor<2>, y: Tensor<2>) -> Tensor<2> {
    let ([n, a], [m, b]) = (x.dims(), y.dims());
    assert_eq!(n, m, "beside: rows");
    apply(Beside { widths: [a, b] }, [x.any(), y.any()], [n, a + b])
}

/// `[n, d]` and `[m, d]` one below the other: `[n + m, d]`.
///
/// # Panics
/// If they are not as wide.
pub fn below(x: Tensor<2>, y: Tensor<2>) -> Tensor<2> {
    let ([n, a], [m, b]) = (x.dims(), y.dims());
    assert_eq!(a, b, "below: width");
    apply(Below { first: n * a }, [x.any(), y.any()], [n + m, a])
}

/// Columns `from..from + width` of `[n, d]`.
///
/// # Panics
/// If it has not so many.
pub fn columns(x: Tensor<2>, from: usize, width: usize) -> Tensor<2> {
    let [n, wide] = x.dims();
    assert!(from + width <= wide, "columns: {from} and {width} more of {wide}");
    apply(Columns { wide, from, width }, [x.any()], [n, width])
}

/// Rows `from..from + n` of a tensor, whatever its rank.
///
/// # Panics
/// If it has not so many.
pub fn rows<const D: usize>(x: Tensor<D>, from: usize, n: usize) -> Tensor<D> {
    let mut shape = x.dims();
    assert!(from + n <= shape[0], "rows: {from} and {n} more of {}", shape[0]);
    let width = shape[1..].iter().product::<usize>();
    shape[0] = n;
    let all = x.values().len();
    apply(Rows { all, from: from * width, len: n * width }, [x.any()], shape)
}

struct Beside {
    widths: [usize; 2],
}

impl Kernel for Beside {
    type Saved = ();

    fn forward(&self, inputs: &[&[f32]], _: bool) -> (Buffer, ()) {
        let [a, b] = self.widths;
        let mut out = Buffer::stale(inputs[0].len() + inputs[1].len());
        for (input, from, width) in [(inputs[0], 0, a), (inputs[1], a, b)] {
            if width > 0 {
                let rows = out.chunks_exact_mut(a + b).zip(input.chunks_exact(width));
                rows.for_each(|(out, row)| out[from..from + width].copy_from_slice(row));
            }
        }
        (out, ())
    }

    fn backward(&self, inputs: &[&[f32]], (): &(), grad: &[f32], wanted: &[bool]) -> Vec<Gradient> {
        let [a, b] = self.widths;
        let part = |at: usize, from: usize, width: usize| {
            if !wanted[at] || width == 0 {
                return Buffer::zeros(if wanted[at] { inputs[at].len() } else { 0 }).into();
            }
            let mut out = Buffer::stale(inputs[at].len());
            let rows = out.chunks_exact_mut(width).zip(grad.chunks_exact(a + b));
            rows.for_each(|(out, grad)| out.copy_from_slice(&grad[from..from + width]));
            out.into()
        };
        vec![part(0, 0, a), part(1, a, b)]
    }
}

struct Below {
    first: usize,
}

impl Kernel for Below {
    type Saved = ();

    fn forward(&self, inputs: &[&[f32]], _: bool) -> (Buffer, ()) {
        let mut out = Buffer::stale(inputs[0].len() + inputs[1].len());
        out[..self.first].copy_from_slice(inputs[0]);
        out[self.first..].copy_from_slice(inputs[1]);
        (out, ())
    }

    fn backward(&self, _: &[&[f32]], (): &(), grad: &[f32], wanted: &[bool]) -> Vec<Gradient> {
        let (first, second) = grad.split_at(self.first);
        let part = |wanted: bool, grad: &[f32]| if wanted { grad.to_vec().into() } else { Vec::new().into() };
        vec![part(wanted[0], first), part(wanted[1], second)]
    }
}

struct Columns {
    wide: usize,
    from: usize,
    width: usize,
}

impl Kernel for Columns {
    type Saved = ();

    fn forward(&self, inputs: &[&[f32]], _: bool) -> (Buffer, ()) {
        let rows = inputs[0].len() / self.wide.max(1);
        let mut out = Buffer::stale(rows * self.width);
        if self.width > 0 {
            let rows = out.chunks_exact_mut(self.width).zip(inputs[0].chunks_exact(self.wide));
            rows.for_each(|(out, row)| out.copy_from_slice(&row[self.from..self.from + self.width]));
        }
        (out, ())
    }

    fn backward(&self, inputs: &[&[f32]], (): &(), grad: &[f32], _: &[bool]) -> Vec<Gradient> {
        let mut out = Buffer::zeros(inputs[0].len());
        if self.width > 0 {
            let rows = out.chunks_exact_mut(self.wide).zip(grad.chunks_exact(self.width));
            rows.for_each(|(out, grad)| out[self.from..self.from + self.width].copy_from_slice(grad));
        }
        vec![out.into()]
    }
}

struct Rows {
    all: usize,
    from: usize,
    len: usize,
}

impl Kernel for Rows {
    type Saved = ();

    fn forward(&self, inputs: &[&[f32]], _: bool) -> (Buffer, ()) {
        let mut out = Buffer::stale(self.len);
        out.copy_from_slice(&inputs[0][self.from..self.from + self.len]);
        (out, ())
    }

    fn backward(&self, _: &[&[f32]], (): &(), grad: &[f32], _: &[bool]) -> Vec<Gradient> {
        let mut out = Buffer::zeros(self.all);
        out[self.from..self.from + self.len].copy_from_slice(grad);
        vec![out.into()]
    }
}
