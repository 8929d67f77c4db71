use std::ops::Range;

use rayon::prelude::*;

use super::arena::Buffer;
use super::kernel::{Kernel, apply};
use super::offsets::{at_least, check_offsets, cut, segment};
use super::sums::sum_of_rows;
use super::tape::Gradient;
use super::tensor::Tensor;

/// Rows in one task of the forward pass.
const ROWS: usize = 256;
/// Rows that one task sums up for a gradient of weights.
const SUMMED_ROWS: usize = 1024;

/// A linear map a type: rows `offsets[r]..offsets[r + 1]` of `x [M, in]` become `x w[r] + b[r]`, with `w [R, in, out]`
/// and `b [R, out]`. The result is `[M, out]`.
///
/// # Panics
/// If the shapes or the offsets do not agree.
pub fn typed_linear(x: Tensor<2>, offsets: &[u32], w: Tensor<3>, b: Option<Tensor<2>>) -> Tensor<2> {
    let ([rows, inner], [types, w_inner, outer]) = (x.dims(), w.dims());
    check_offsets("typed_linear", offsets, rows);
    assert_eq!(w_inner, inner, "typed_linear: x [{rows}, {inner}] and w [{types}, {w_inner}, {outer}]");
    assert_eq!(offsets.len(), types + 1, "typed_linear: {types} types and {} offsets", offsets.len());
    let kernel = TypedLinear { offsets: offsets.into(), inner, outer };
    match b {
        None => apply(kernel, [x.any(), w.any()], [rows, outer]),
        Some(b) => {
            assert_eq!(b.dims(), [types, outer], "typed_linear: the shape of b");
            apply(kernel, [x.any(), w.any(), b.any()], [rows, outer])
        }
    }
}

/// `x w + b`: `x [M, in]` and `w [in, out]` give `[M, out]`, with `b [out]`.
///
/// # Panics
/// If the shapes do not agree.
pub fn linear(x: Tensor<2>, w: Tensor<2>, b: Option<Tensor<1>>) -> Tensor<2> {
    let ([rows, _], [inner, outer]) = (x.dims(), w.dims());
    let b = b.map(|b| b.reshape([1, outer]));
    typed_linear(x, &[0, rows as u32], w.reshape([1, inner, outer]), b)
}

struct TypedLinear {
    offsets: Box<[u32]>,
    inner: usize,
    outer: usize,
}

/// Cuts rows into pieces of nearly equal size, never by the number of threads.
fn pieces(rows: Range<usize>, most: usize) -> impl Iterator<Item = Range<usize>> {
    let step = rows.len().div_ceil(rows.len().div_ceil(most).max(1)).max(1);
    rows.clone().step_by(step).map(move |start| start..rows.end.min(start + step))
}

/// A run of rows of one type.
struct Block {
    kind: usize,
    rows: Range<usize>,
}

impl TypedLinear {
    fn rows(&self) -> usize {
        self.offsets.last().map_or(0, |last| *last as usize)
    }

    fn types(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Cuts every type into blocks of nearly equal size, never by the number of threads.
    fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        for kind in 0..self.types() {
            let run = segment(&self.offsets, kind);
            blocks.extend(pieces(run, ROWS).map(|rows| Block { kind, rows }));
        }
        blocks
    }

    /// The weights of one type, `[in, out]`.
    fn weights<'a>(&self, w: &'a [f32], kind: usize) -> &'a [f32] {
        let size = self.inner * self.outer;
        &w[kind * size..][..size]
    }

    fn backward_x(&self, w: &[f32], grad: &[f32]) -> Buffer {
        let (inner, outer) = (self.inner, self.outer);
        let mut dx = Buffer::stale(self.rows() * inner);
        let blocks = self.blocks();
        let pieces = cut(&mut dx, blocks.iter().map(|block| block.rows.len() * inner));
        blocks.par_iter().zip(pieces).for_each(|(block, dx)| {
            let grad = &grad[block.rows.start * outer..block.rows.end * outer];
            let left = Matrix { values: grad, row: outer, column: 1 };
            let right = Matrix { values: self.weights(w, block.kind), row: 1, column: outer };
            multiply([block.rows.len(), outer, inner], left, right, Product { values: dx, row: inner, adds: false });
        });
        dx
    }

    /// The products of runs of rows, side by side, and their sum in the order of the runs.
    fn backward_w(&self, x: &[f32], grad: &[f32]) -> Buffer {
        let (inner, outer) = (self.inner, self.outer);
        let size = inner * outer;
        let mut dw = Buffer::zeros(self.types() * size);
        let tasks: Vec<(usize, Range<usize>)> = (0..self.types())
            .flat_map(|kind| pieces(segment(&self.offsets, kind), SUMMED_ROWS).map(move |rows| (kind, rows)))
            .collect();
        let product = |(_, rows): &(usize, Range<usize>), dw: &mut [f32]| {
            let left = Matrix { values: &x[rows.start * inner..], row: 1, column: inner };
            let right = Matrix { values: &grad[rows.start * outer..], row: outer, column: 1 };
            multiply([inner, rows.len(), outer], left, right, Product { values: dw, row: outer, adds: true });
        };
        if let [task] = &tasks[..] {
            product(task, &mut dw[task.0 * size..][..size]);
            return dw;
        }
        let mut parts = Buffer::zeros(tasks.len() * size);
        parts.par_chunks_mut(size.max(1)).zip(&tasks).for_each(|(part, task)| product(task, part));
        for (part, (kind, _)) in parts.chunks_exact(size.max(1)).zip(&tasks) {
            sum_of_rows(&mut dw[kind * size..][..size], part);
        }
        dw
    }

    fn backward_b(&self, grad: &[f32]) -> Buffer {
        let mut db = Buffer::zeros(self.types() * self.outer);
        db.chunks_mut(self.outer.max(1)).enumerate().for_each(|(kind, db)| {
            let run = segment(&self.offsets, kind);
            sum_of_rows(db, &grad[run.start * self.outer..run.end * self.outer]);
        });
        db
    }
}

impl Kernel for TypedLinear {
    type Saved = ();

    fn forward(&self, inputs: &[&[f32]], _: bool) -> (Buffer, ()) {
        let (x, w, b) = (inputs[0], inputs[1], inputs.get(2));
        let (inner, outer) = (self.inner, self.outer);
        let mut out = Buffer::stale(self.rows() * outer);
        let blocks = self.blocks();
        let pieces = cut(&mut out, blocks.iter().map(|block| block.rows.len() * outer));
        blocks.par_iter().with_min_len(at_least(self.rows() * inner * outer)).zip(pieces).for_each(|(block, out)| {
            if let Some(b) = b {
                for row in out.chunks_exact_mut(outer.max(1)) {
                    row.copy_from_slice(&b[block.kind * outer..][..outer]);
                }
            }
            let x = &x[block.rows.start * inner..block.rows.end * inner];
            let left = Matrix { values: x, row: inner, column: 1 };
            let right = Matrix { values: self.weights(w, block.kind), row: outer, column: 1 };
            let product = Product { values: out, row: outer, adds: b.is_some() };
            multiply([block.rows.len(), inner, outer], left, right, product);
        });
        (out, ())
    }

    fn backward(&self, inputs: &[&[f32]], (): &(), grad: &[f32], wanted: &[bool]) -> Vec<Gradient> {
        let unless = |wanted: bool, compute: &dyn Fn() -> Buffer| -> Gradient {
            if wanted { compute().into() } else { Vec::new().into() }
        };
        let mut grads = vec![
            unless(wanted[0], &|| self.backward_x(inputs[1], grad)),
            unless(wanted[1], &|| self.backward_w(inputs[0], grad)),
        ];
        if let Some(wanted) = wanted.get(2) {
            grads.push(unless(*wanted, &|| self.backward_b(grad)));
        }
        grads
    }
}

/// A matrix in a slice, by the distance between rows and between columns.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    pub(super) values: &'a [f32],
    pub(super) row: usize,
    pub(super) column: usize,
}

impl Matrix<'_> {
    /// The same matrix read by columns.
    pub(super) fn transposed(self) -> Self {
        Self { row: self.column, column: self.row, ..self }
    }

    /// Whether every element of a `rows` by `columns` matrix lies in the slice.
    fn holds(&self, rows: usize, columns: usize) -> bool {
        (rows - 1) * self.row + (columns - 1) * self.column < self.values.len()
    }
}

/// Where the product of two matrices goes.
pub(super) struct Product<'a> {
    pub(super) values: &'a mut [f32],
    /// The distance between rows.
    pub(super) row: usize,
    /// Whether it is added to what is there.
    pub(super) adds: bool,
}

/// Multiplies `left [m, k]` by `right [k, n]`. How a row is summed does not depend on how many there are.
///
/// One thread: callers cut the work into blocks that do not depend on the number of threads.
pub(super) fn multiply(sizes: [usize; 3], left: Matrix, right: Matrix, product: Product<'_>) {
    let [m, k, n] = sizes;
    if m != 1 || n <= 1 || k == 0 {
        return multiply_rows(sizes, left, right, product);
    }
    // A lone row would be summed in another order than one of several.
    let mut both = Buffer::stale(2 * n);
    let twice = Matrix { row: 0, ..left };
    multiply_rows([2, k, n], twice, right, Product { values: &mut both, row: n, adds: false });
    let out = &mut product.values[..n];
    if product.adds {
        sum_of_rows(out, &both[..n]);
    } else {
        out.copy_from_slice(&both[..n]);
    }
}

#[allow(unsafe_code, reason = "the matrix product takes pointers")]
fn multiply_rows([m, k, n]: [usize; 3], left: Matrix, right: Matrix, product: Product<'_>) {
    let Product { values: out, row: stride, adds } = product;
    if m == 0 || n == 0 || k == 0 {
        if !adds {
            out.chunks_mut(stride.max(1)).take(m).for_each(|row| row[..n].fill(0.0));
        }
        return;
    }
    assert!(left.holds(m, k) && right.holds(k, n) && (m - 1) * stride + n <= out.len() && n <= stride);
    // SAFETY: the assertion above holds every element that the product reads or writes inside its slice, and `out`
    // is borrowed mutably, so it overlaps neither input.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            stride as isize,
            adds,
            left.values.as_ptr(),
            left.column as isize,
            left.row as isize,
            right.values.as_ptr(),
            right.column as isize,
            right.row as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}
