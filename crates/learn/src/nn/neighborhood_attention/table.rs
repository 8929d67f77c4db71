use std::ops::Range;

use rayon::prelude::*;

use super::layout::{Groups, Projected};
use super::problem::{Inputs, Problem};
use super::rest::Side;
use crate::nn::arena::Buffer;
use crate::nn::lanes::{add, combine, multiversion};
use crate::nn::offsets::{at_least, cut, segment};
use crate::nn::small_product::{RowPairs, add_outer_products};
use crate::nn::typed_linear::{Matrix, Product, multiply};

/// Rows of one relation in one task.
const ROWS: usize = 128;
/// Rows whose gradients are summed in one task.
const SUMMED: usize = 16;

/// Keys and values of every (entry, relation) that is read, `[rows, 2, H, padded d_h]`; empty where entries are absorbed.
pub(super) fn project(problem: &Problem, inputs: &Inputs<'_>) -> Buffer {
    let Some(projected) = &problem.layout.rows.projected else { return Buffer::stale(0) };
    let mut table = Buffer::zeros(projected.entry.len() * problem.table_row());
    let blocks = blocks(projected);
    let pieces = cut(&mut table, blocks.iter().map(|(_, rows)| rows.len() * problem.table_row()));
    let work = at_least(projected.entry.len() * problem.table_row() * problem.width);
    blocks.par_iter().with_min_len(work).zip(pieces).for_each(|((relation, rows), table)| {
        let entries = entries_of(problem, inputs, &projected.entry[rows.clone()]);
        for_each_head(problem, |side, h, at| {
            let left = Matrix { values: &entries, row: problem.width, column: 1 };
            let right = side.map(problem, inputs, (*relation, h), 0).transposed();
            let product = Product { values: &mut table[at..], row: problem.table_row(), adds: false };
            multiply([rows.len(), problem.width, problem.head], left, right, product);
        });
    });
    table
}

/// Blocks of rows of one relation.
fn blocks(projected: &Projected) -> Vec<(usize, Range<usize>)> {
    let mut blocks = Vec::new();
    for relation in 0..projected.offsets.len() - 1 {
        let run = segment(&projected.offsets, relation);
        blocks.extend(run.clone().step_by(ROWS).map(|start| (relation, start..run.end.min(start + ROWS))));
    }
    blocks
}

fn entries_of(problem: &Problem, inputs: &Inputs<'_>, entries: &[u32]) -> Vec<f32> {
    let mut rows = Vec::with_capacity(entries.len() * problem.width);
    for &entry in entries {
        rows.extend_from_slice(&inputs.entries[entry as usize * problem.width..][..problem.width]);
    }
    rows
}

/// Both sides of every head, with where it stands in a row of the table.
fn for_each_head(problem: &Problem, mut act: impl FnMut(Side, usize, usize)) {
    for (i, side) in [Side::Keys, Side::Values].into_iter().enumerate() {
        for h in 0..problem.heads {
            act(side, h, i * problem.query_row() + h * problem.head_padded());
        }
    }
}

/// What the tiles leave for the gradients of rows: numbers `[E, H]` of each neighbor, and what they are multiplied with,
/// `[readers, H, padded]`.
pub(super) struct Spread<'a> {
    /// Gradients of scores, then weights.
    pub(super) numbers: [&'a [f32]; 2],
    /// Queries, then gradients of the output.
    pub(super) rows: [&'a [f32]; 2],
    /// E: row that each neighbor is multiplied with.
    pub(super) readers: &'a [u32],
}

/// One sum over the neighbors that read a row: numbers, and where the rows start that they are multiplied with.
#[derive(Default)]
struct Terms {
    numbers: Vec<f32>,
    starts: Vec<usize>,
}

impl Terms {
    fn clear(&mut self) {
        self.numbers.clear();
        self.starts.clear();
    }
}

/// The gradient of the table, `[rows, 2, H, padded d_h]`: sums over the neighbors that read each row, in the order of
/// neighbors. No two tasks write to one row.
pub(super) fn table_backward(problem: &Problem, spread: &Spread<'_>, n_rows: usize) -> Buffer {
    let readers = Groups::new(&problem.layout.rows.of, n_rows);
    let (heads, width, row) = (problem.heads, problem.head_padded(), problem.table_row());
    let mut sums = Buffer::stale(n_rows * row);
    sums.par_chunks_mut((SUMMED * row).max(1)).enumerate().for_each(|(part, sums)| {
        let mut terms = Terms::default();
        for (i, sums) in sums.chunks_exact_mut(row).enumerate() {
            let readers = readers.of(part * SUMMED + i);
            terms.clear();
            terms.starts.extend(readers.iter().map(|&j| spread.readers[j as usize] as usize * heads * width));
            for (at, sums) in sums.chunks_exact_mut(width).enumerate() {
                let (side, h) = (at / heads, at % heads);
                terms.numbers.clear();
                terms.numbers.extend(readers.iter().map(|&j| spread.numbers[side][j as usize * heads + h]));
                combine_rows(sums, &terms.numbers, &spread.rows[side][h * width..], &terms.starts);
            }
        }
    });
    sums
}

/// The gradient of the entries `[V, d]` where queries are absorbed: the same sums, over heads as well.
pub(super) fn absorbed_entries_backward(problem: &Problem, spread: &Spread<'_>, n_entries: usize) -> Buffer {
    let readers = Groups::new(&problem.layout.rows.of, n_entries);
    let (heads, padded, width) = (problem.heads, problem.rest_padded(), problem.width);
    let mut grads = Buffer::stale(n_entries * width);
    grads.par_chunks_mut((SUMMED * width).max(1)).enumerate().for_each(|(part, grads)| {
        let mut terms = Terms::default();
        let [mut keys, mut values] = [vec![0.0; padded], vec![0.0; padded]];
        for (i, grad) in grads.chunks_exact_mut(width).enumerate() {
            for (side, sum) in [&mut keys, &mut values].into_iter().enumerate() {
                terms.clear();
                for &j in readers.of(part * SUMMED + i) {
                    let (j, start) = (j as usize, spread.readers[j as usize] as usize * heads * padded);
                    terms.numbers.extend_from_slice(&spread.numbers[side][j * heads..(j + 1) * heads]);
                    terms.starts.extend((0..heads).map(|h| start + h * padded));
                }
                combine_rows(sum, &terms.numbers, spread.rows[side], &terms.starts);
            }
            for ((grad, key), value) in grad.iter_mut().zip(&keys).zip(&values) {
                *grad = key + value;
            }
        }
    });
    grads
}

multiversion! { fn combine_rows(out: &mut [f32], weights: &[f32], rows: &[f32], starts: &[usize]) = combine }

/// The gradient of the entries `[V, d]` from that of the table.
pub(super) fn entries_backward(problem: &Problem, inputs: &Inputs<'_>, projected: &Projected, table: &[f32]) -> Buffer {
    let width = problem.width;
    let mut rows = Buffer::stale(projected.entry.len() * width);
    let blocks = blocks(projected);
    let pieces = cut(&mut rows, blocks.iter().map(|(_, rows)| rows.len() * width));
    blocks.par_iter().zip(pieces).for_each(|((relation, rows), out)| {
        let table = &table[rows.start * problem.table_row()..rows.end * problem.table_row()];
        let mut adds = false;
        for_each_head(problem, |side, h, at| {
            let left = Matrix { values: &table[at..], row: problem.table_row(), column: 1 };
            let right = side.map(problem, inputs, (*relation, h), 0);
            multiply([rows.len(), problem.head, width], left, right, Product { values: out, row: width, adds });
            adds = true;
        });
    });
    let rows_of = Groups::new(&projected.entry, inputs.entries.len() / width.max(1));
    let mut grads = Buffer::zeros(inputs.entries.len());
    grads.par_chunks_mut((ROWS * width).max(1)).enumerate().for_each(|(part, grads)| {
        for (i, grad) in grads.chunks_exact_mut(width).enumerate() {
            rows_of.of(part * ROWS + i).iter().for_each(|&row| add(grad, &rows[row as usize * width..][..width]));
        }
    });
    grads
}

/// What the gradient of the weights of one side is made of.
#[derive(Clone, Copy)]
pub(super) struct WeightTerms<'a> {
    pub(super) side: Side,
    /// `[rows, 2, H, padded d_h]`: the gradient of the table; empty where entries are absorbed.
    pub(super) table: &'a [f32],
    /// `[roots, H, padded d_h]`: queries for keys, gradients of the output for values.
    pub(super) own: &'a [f32],
    /// `[places, H, padded rest]`: gradients of absorbed queries for keys, contexts for values.
    pub(super) rest: &'a [f32],
}

/// The gradient of keys `[R, H, d_h, F]` or values `[R, H, F, d_h]`.
pub(super) fn weights_backward(problem: &Problem, inputs: &Inputs<'_>, terms: WeightTerms<'_>) -> Buffer {
    let places = problem.layout.places_by_relation(problem.n_relations);
    let mut grads = Buffer::zeros(problem.n_relations * problem.heads * problem.weight());
    grads.par_chunks_mut(problem.weight().max(1)).enumerate().for_each(|(at, grad)| {
        let (relation, h) = (at / problem.heads, at % problem.heads);
        projected_weights(problem, inputs, terms, (relation, h), grad);
        absorbed_weights(problem, terms, places.of(relation), h, grad);
    });
    grads
}

/// The part of the token columns that went through the table.
fn projected_weights(
    problem: &Problem,
    inputs: &Inputs<'_>,
    terms: WeightTerms<'_>,
    (relation, h): (usize, usize),
    grad: &mut [f32],
) {
    let Some(projected) = &problem.layout.rows.projected else { return };
    let rows = segment(&projected.offsets, relation);
    if rows.is_empty() {
        return;
    }
    let entries = entries_of(problem, inputs, &projected.entry[rows.clone()]);
    let at = match terms.side {
        Side::Keys => 0,
        Side::Values => problem.query_row(),
    };
    let own = &terms.table[rows.start * problem.table_row() + at + h * problem.head_padded()..];
    let own = Matrix { values: own, row: problem.table_row(), column: 1 };
    let entries = Matrix { values: &entries, row: problem.width, column: 1 };
    let (head, width) = (problem.head, problem.width);
    match terms.side {
        Side::Keys => {
            let product = Product { values: grad, row: problem.token(), adds: false };
            multiply([head, rows.len(), width], own.transposed(), entries, product);
        }
        Side::Values => {
            let product = Product { values: grad, row: head, adds: false };
            multiply([width, rows.len(), head], entries.transposed(), own, product);
        }
    }
}

/// The part of the token columns that queries were absorbed for.
fn absorbed_weights(problem: &Problem, terms: WeightTerms<'_>, places: &[u32], h: usize, grad: &mut [f32]) {
    let (head, rest) = (problem.head, problem.rest());
    if places.is_empty() {
        return;
    }
    let own = &terms.own[h * problem.head_padded()..];
    let other = &terms.rest[h * problem.rest_padded()..];
    let (rows, width) = match terms.side {
        Side::Keys => (head, problem.rest_padded()),
        Side::Values => (rest, problem.head_padded()),
    };
    let mut sums = vec![0.0; rows * width];
    let (mut roots, mut starts) = (Vec::new(), Vec::new());
    for places in places.chunks(ROWS) {
        let root = |&place: &u32| problem.layout.place_root[place as usize] as usize * problem.query_row();
        roots.clear();
        roots.extend(places.iter().map(root));
        starts.clear();
        starts.extend(places.iter().map(|&place| place as usize * problem.rest_row()));
        let pairs = match terms.side {
            Side::Keys => RowPairs { left: (own, &roots), right: (other, &starts) },
            Side::Values => RowPairs { left: (other, &starts), right: (own, &roots) },
        };
        add_outer_products(&mut sums, width, pairs);
    }
    let skip = problem.skip();
    for (i, sums) in sums.chunks_exact(width).enumerate() {
        match terms.side {
            Side::Keys => grad[i * problem.token() + skip..][..rest].copy_from_slice(&sums[..rest]),
            Side::Values => grad[(skip + i) * head..][..head].copy_from_slice(&sums[..head]),
        }
    }
}
