use std::sync::Arc;

use burn::tensor::Tensor;
use rayon::prelude::*;

use super::fused::{Kernel, apply};
use super::lanes::{add, multiversion};
use super::offsets::{check_offsets, segment};

/// Work, in elements moved, below which one thread is faster than several.
const SERIAL: usize = 1 << 15;

/// Takes rows by index: `x [V, d]` and `index` of length M give `[M, d]`, row i being `x[index[i]]`.
///
/// The backward pass adds gradients in the order of `index`, so it gives the same bits for any number of threads.
///
/// # Panics
/// If an index is not below V.
pub fn gather(x: Tensor<2>, index: &[u32]) -> Tensor<2> {
    let [rows, width] = x.dims();
    check_index("gather", index, rows);
    apply(Gather { rows, width, index: index.into() }, [x.into_dispatch()])
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
    apply(ScatterSum(Gather { rows, width, index: index.into() }), [x.into_dispatch()])
}

/// Averages runs of rows: row s of the result is the mean of `x[offsets[s]..offsets[s + 1]]`, 0 for an empty run.
///
/// # Panics
/// If `offsets` does not start at 0, descends, or does not end at the number of rows.
pub fn segment_mean(x: Tensor<2>, offsets: &[u32]) -> Tensor<2> {
    let [rows, width] = x.dims();
    check_offsets("segment_mean", offsets, rows);
    apply(SegmentMean { rows, width, offsets: offsets.into() }, [x.into_dispatch()])
}

fn check_index(operation: &str, index: &[u32], rows: usize) {
    if let Some(bad) = index.iter().find(|index| **index as usize >= rows) {
        panic!("{operation}: index {bad} into {rows} rows");
    }
}

#[derive(Clone, Debug)]
struct Gather {
    rows: usize,
    width: usize,
    index: Arc<[u32]>,
}

impl Gather {
    /// One thread fills fresh memory at the speed of the memory; clearing it first for several threads costs more.
    fn take(&self, x: &[f32]) -> Vec<f32> {
        let mut out = Vec::with_capacity(self.index.len() * self.width);
        for &i in self.index.iter() {
            out.extend_from_slice(&x[i as usize * self.width..][..self.width]);
        }
        out
    }

    /// Every thread owns a range of target rows and scans the whole index: the order of each sum is the order of
    /// the index, however many threads there are.
    fn put(&self, x: &[f32]) -> Vec<f32> {
        let (rows, width) = (self.rows, self.width);
        let mut out = vec![0.0; rows * width];
        let parts = if x.len() < SERIAL { 1 } else { rayon::current_num_threads() };
        let owned = rows.div_ceil(parts).max(1);
        out.par_chunks_mut((owned * width).max(1)).enumerate().for_each(|(part, out)| {
            add_rows(out, part * owned, &self.index, x, width);
        });
        out
    }
}

multiversion! { fn add_rows(out: &mut [f32], first: usize, index: &[u32], x: &[f32], width: usize) = add_rows_body }

#[inline(always)]
fn add_rows_body<const FMA: bool>(out: &mut [f32], first: usize, index: &[u32], x: &[f32], width: usize) {
    let owned = out.len() / width;
    for (x, &target) in x.chunks_exact(width).zip(index) {
        // Rows before `first` wrap to huge numbers and fail the same test as rows after the range.
        let row = (target as usize).wrapping_sub(first);
        if row < owned {
            add(&mut out[row * width..][..width], x);
        }
    }
}

impl Kernel for Gather {
    type Saved = ();

    fn shape(&self) -> Vec<usize> {
        vec![self.index.len(), self.width]
    }

    fn forward(&self, inputs: &[&[f32]], _: bool) -> (Vec<f32>, ()) {
        (self.take(inputs[0]), ())
    }

    fn backward(&self, _: &[&[f32]], (): &(), grad: &[f32], _: &[bool]) -> Vec<Vec<f32>> {
        vec![self.put(grad)]
    }
}

#[derive(Clone, Debug)]
struct ScatterSum(Gather);

impl Kernel for ScatterSum {
    type Saved = ();

    fn shape(&self) -> Vec<usize> {
        vec![self.0.rows, self.0.width]
    }

    fn forward(&self, inputs: &[&[f32]], _: bool) -> (Vec<f32>, ()) {
        (self.0.put(inputs[0]), ())
    }

    fn backward(&self, _: &[&[f32]], (): &(), grad: &[f32], _: &[bool]) -> Vec<Vec<f32>> {
        vec![self.0.take(grad)]
    }
}

#[derive(Clone, Debug)]
struct SegmentMean {
    rows: usize,
    width: usize,
    offsets: Arc<[u32]>,
}

impl Kernel for SegmentMean {
    type Saved = ();

    fn shape(&self) -> Vec<usize> {
        vec![self.offsets.len() - 1, self.width]
    }

    fn forward(&self, inputs: &[&[f32]], _: bool) -> (Vec<f32>, ()) {
        let width = self.width.max(1);
        let mut out = vec![0.0; (self.offsets.len() - 1) * self.width];
        let block = (SERIAL / width).max(1);
        out.par_chunks_mut(block * width).enumerate().for_each(|(part, out)| {
            for (i, row) in out.chunks_exact_mut(width).enumerate() {
                let run = segment(&self.offsets, part * block + i);
                mean_rows(row, &inputs[0][run.start * width..run.end * width]);
            }
        });
        (out, ())
    }

    fn backward(&self, _: &[&[f32]], (): &(), grad: &[f32], _: &[bool]) -> Vec<Vec<f32>> {
        let width = self.width;
        let mut out = Vec::with_capacity(self.rows * width);
        for (i, grad) in grad.chunks_exact(width.max(1)).enumerate() {
            let run = segment(&self.offsets, i);
            let scale = 1.0 / run.len() as f32;
            for _ in run {
                out.extend(grad.iter().map(|g| g * scale));
            }
        }
        vec![out]
    }
}

multiversion! { fn mean_rows(out: &mut [f32], rows: &[f32]) = mean_rows_body }

#[inline(always)]
fn mean_rows_body<const FMA: bool>(out: &mut [f32], rows: &[f32]) {
    if rows.is_empty() {
        return;
    }
    let scale = out.len() as f32 / rows.len() as f32;
    for row in rows.chunks_exact(out.len()) {
        add(out, row);
    }
    for value in out {
        *value *= scale;
    }
}
