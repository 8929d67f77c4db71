use std::cell::RefCell;

use rayon::prelude::*;

use super::arena::Buffer;
use super::kernel::{Kernel, apply, is_leaf};
use super::lanes::{add, multiversion};
use super::offsets::{check_offsets, segment};
use super::tape::{Gradient, RowGradient};
use super::tensor::Tensor;

/// Work, in elements moved, below which one thread is faster than several.
const SERIAL: usize = 1 << 16;

/// Takes rows by index: `x [V, d]` and `index` of length M give `[M, d]`, row i being `x[index[i]]`.
///
/// The backward pass adds gradients in the order of `index`, so it gives the same bits for any number of threads. Of a
/// large table of weights it gives the rows that were taken, and no others ([`Gradient::Rows`]).
///
/// # Panics
/// If an index is not below V.
pub fn gather(x: Tensor<2>, index: &[u32]) -> Tensor<2> {
    gather_sum(x, index, 1)
}

/// Takes rows by index and adds up runs of `n`: `x [V, d]` and `index` of length n M give `[M, d]`.
///
/// # Panics
/// If an index is not below V, or the last run is not whole.
pub fn gather_sum(x: Tensor<2>, index: &[u32], n: usize) -> Tensor<2> {
    let [rows, width] = x.dims();
    check_index("gather", index, rows);
    assert!(index.len().is_multiple_of(n), "gather_sum: {} indices in runs of {n}", index.len());
    let few = is_leaf(&x) && rows > 2 * index.len();
    let shape = [index.len() / n, width];
    apply(Gather { rows, width, n, few, index: index.into() }, [x.any()], shape)
}

/// Adds rows by index: `x [M, d]` and `index` of length M give `[rows, d]`, row r being the sum of every `x[i]` with
/// `index[i] == r`, in the order of i. A row that no index names is 0.
///
/// # Panics
/// If `index` has not one entry a row of `x`, or an entry is not below `rows`.
pub fn scatter_sum(x: Tensor<2>, index: &[u32], rows: usize) -> Tensor<2> {
    let [count, width] = x.dims();
    assert_eq!(index.len(), count, "scatter_sum: {} indices for x [{count}, {width}]", index.len());
    check_index("scatter_sum", index, rows);
    let by = Gather { rows, width, n: 1, few: false, index: index.into() };
    apply(ScatterSum(by), [x.any()], [rows, width])
}

/// Averages runs of rows: row s of the result is the mean of `x[offsets[s]..offsets[s + 1]]`, 0 for an empty run.
///
/// # Panics
/// If `offsets` does not start at 0, descends, or does not end at the number of rows.
pub fn segment_mean(x: Tensor<2>, offsets: &[u32]) -> Tensor<2> {
    segments("segment_mean", x, offsets, true)
}

/// Adds runs of rows up: row s of the result is the sum of `x[offsets[s]..offsets[s + 1]]`.
///
/// # Panics
/// As [`segment_mean`].
pub fn segment_sum(x: Tensor<2>, offsets: &[u32]) -> Tensor<2> {
    segments("segment_sum", x, offsets, false)
}

fn segments(operation: &str, x: Tensor<2>, offsets: &[u32], mean: bool) -> Tensor<2> {
    let [rows, width] = x.dims();
    check_offsets(operation, offsets, rows);
    let shape = [offsets.len() - 1, width];
    apply(Segments { width, mean, offsets: offsets.into() }, [x.any()], shape)
}

pub(super) fn check_index(operation: &str, index: &[u32], rows: usize) {
    if let Some(bad) = index.iter().find(|index| **index as usize >= rows) {
        panic!("{operation}: index {bad} into {rows} rows");
    }
}

struct Gather {
    rows: usize,
    width: usize,
    /// Rows that are added up.
    n: usize,
    /// Only some rows of a table of weights are taken.
    few: bool,
    index: Box<[u32]>,
}

impl Gather {
    fn take(&self, x: &[f32]) -> Buffer {
        let mut out = Buffer::stale(self.index.len() / self.n * self.width);
        let block = (SERIAL / self.width.max(1)).max(1);
        let parts = out.par_chunks_mut((block * self.width).max(1)).zip(self.index.par_chunks(block * self.n));
        parts.for_each(|(out, index)| take_rows(out, index, x, self.width, self.n));
        out
    }

    /// Every thread owns a range of target rows and scans the whole index: the order of each sum is the order of
    /// the index, however many threads there are.
    fn put(&self, x: &[f32]) -> Buffer {
        let (rows, width) = (self.rows, self.width);
        let mut out = Buffer::zeros(rows * width);
        let parts = if x.len() < SERIAL { 1 } else { rayon::current_num_threads() };
        let owned = rows.div_ceil(parts).max(1);
        if parts == 1 {
            add_rows(&mut out, 0, &self.index, x, width, self.n);
            return out;
        }
        out.par_chunks_mut((owned * width).max(1)).enumerate().for_each(|(part, out)| {
            add_rows(out, part * owned, &self.index, x, width, self.n);
        });
        out
    }

    /// The gradient of the rows that were taken alone.
    fn put_few(&self, x: &[f32]) -> RowGradient {
        let (rows, places) = distinct(&self.index, self.rows);
        let mut values = Buffer::zeros(rows.len() * self.width);
        add_rows(&mut values, 0, &places, x, self.width, self.n);
        RowGradient { rows, values }
    }
}

thread_local! {
    /// The place of each row among the distinct ones, from 1; 0 for a row that was not seen.
    static PLACE: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

/// The distinct numbers of an index in the order in which they first appear, and the place of each entry among them.
fn distinct(index: &[u32], rows: usize) -> (Vec<u32>, Vec<u32>) {
    PLACE.with_borrow_mut(|place| {
        place.resize(place.len().max(rows), 0);
        let mut found = Vec::new();
        let places = index.iter().map(|&row| {
            let place = &mut place[row as usize];
            if *place == 0 {
                found.push(row);
                *place = found.len() as u32;
            }
            *place - 1
        });
        let places = places.collect();
        found.iter().for_each(|row| place[*row as usize] = 0);
        (found, places)
    })
}

multiversion! { fn take_rows(out: &mut [f32], index: &[u32], x: &[f32], width: usize, n: usize) = take_rows_body }

#[inline(always)]
fn take_rows_body<const FMA: bool>(out: &mut [f32], index: &[u32], x: &[f32], width: usize, n: usize) {
    for (out, index) in out.chunks_exact_mut(width.max(1)).zip(index.chunks_exact(n)) {
        out.copy_from_slice(&x[index[0] as usize * width..][..width]);
        for &i in &index[1..] {
            add(out, &x[i as usize * width..][..width]);
        }
    }
}

multiversion! {
    fn add_rows(out: &mut [f32], first: usize, index: &[u32], x: &[f32], width: usize, n: usize) = add_rows_body
}

#[inline(always)]
fn add_rows_body<const FMA: bool>(out: &mut [f32], first: usize, index: &[u32], x: &[f32], width: usize, n: usize) {
    let owned = out.len() / width.max(1);
    for (x, targets) in x.chunks_exact(width.max(1)).zip(index.chunks_exact(n)) {
        for &target in targets {
            // Rows before `first` wrap to huge numbers and fail the same test as rows after the range.
            let row = (target as usize).wrapping_sub(first);
            if row < owned {
                add(&mut out[row * width..][..width], x);
            }
        }
    }
}

impl Kernel for Gather {
    type Saved = ();

    fn forward(&self, inputs: &[&[f32]], _: bool) -> (Buffer, ()) {
        (self.take(inputs[0]), ())
    }

    fn backward(&self, _: &[&[f32]], (): &(), grad: &[f32], _: &[bool]) -> Vec<Gradient> {
        vec![if self.few { Gradient::Rows(self.put_few(grad)) } else { self.put(grad).into() }]
    }
}

struct ScatterSum(Gather);

impl Kernel for ScatterSum {
    type Saved = ();

    fn forward(&self, inputs: &[&[f32]], _: bool) -> (Buffer, ()) {
        (self.0.put(inputs[0]), ())
    }

    fn backward(&self, _: &[&[f32]], (): &(), grad: &[f32], _: &[bool]) -> Vec<Gradient> {
        vec![self.0.take(grad).into()]
    }
}

struct Segments {
    width: usize,
    mean: bool,
    offsets: Box<[u32]>,
}

impl Kernel for Segments {
    type Saved = ();

    fn forward(&self, inputs: &[&[f32]], _: bool) -> (Buffer, ()) {
        let width = self.width.max(1);
        let mut out = Buffer::zeros((self.offsets.len() - 1) * self.width);
        let block = (SERIAL / width).max(1);
        out.par_chunks_mut(block * width).enumerate().for_each(|(part, out)| {
            for (i, row) in out.chunks_exact_mut(width).enumerate() {
                let run = segment(&self.offsets, part * block + i);
                reduce_rows(row, &inputs[0][run.start * width..run.end * width], self.mean);
            }
        });
        (out, ())
    }

    fn backward(&self, inputs: &[&[f32]], (): &(), grad: &[f32], _: &[bool]) -> Vec<Gradient> {
        let width = self.width.max(1);
        let mut out = Buffer::stale(inputs[0].len());
        for (i, grad) in grad.chunks_exact(width).enumerate() {
            let run = segment(&self.offsets, i);
            let scale = if self.mean { 1.0 / run.len() as f32 } else { 1.0 };
            for row in out[run.start * width..run.end * width].chunks_exact_mut(width) {
                row.iter_mut().zip(grad).for_each(|(out, grad)| *out = grad * scale);
            }
        }
        vec![out.into()]
    }
}

multiversion! { fn reduce_rows(out: &mut [f32], rows: &[f32], mean: bool) = reduce_rows_body }

#[inline(always)]
fn reduce_rows_body<const FMA: bool>(out: &mut [f32], rows: &[f32], mean: bool) {
    for row in rows.chunks_exact(out.len()) {
        add(out, row);
    }
    if mean && !rows.is_empty() {
        let scale = out.len() as f32 / rows.len() as f32;
        out.iter_mut().for_each(|value| *value *= scale);
    }
}
