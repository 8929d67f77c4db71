//! What a pair is scored by, in one pass: a hidden row that is a sum of rows of tables, and the match of two embeddings. No row
//! of a pair is ever written down: there are many more pairs than rows in the tables.

use std::ops::Range;

use rayon::prelude::*;

use super::arena::Buffer;
use super::gather::check_index;
use super::kernel::{Kernel, apply};
use super::lanes::{LANES, add, fold, madd, multiversion};
use super::tape::Gradient;
use super::tensor::{AnyTensor, Tensor};

/// Pairs in one task of the forward pass.
const PAIRS: usize = 256;
/// Of a pair that a table says nothing of.
const NONE: u32 = u32::MAX;

/// Rows of a table that are added to the rows of C pairs.
pub struct Term<'a> {
    /// `[V, d]`
    pub table: Tensor<2>,
    /// Which row each pair reads.
    pub reads: Reads<'a>,
}

/// Which row of a table each of C pairs reads.
#[derive(Clone, Copy)]
pub enum Reads<'a> {
    /// C: that row.
    At(&'a [u32]),
    /// V, ascending: the pair that reads each row of the table; all others read none.
    By(&'a [u32]),
}

/// What [`pair_scores`] reads, of R relations and Q embeddings.
pub struct PairScores<'a> {
    /// h is the sum of these.
    pub hidden: Vec<Term<'a>>,
    /// w `[R, d]`
    pub weight: Tensor<2>,
    /// r `[R, d]`
    pub bilinear: Tensor<2>,
    /// C: the relation of each pair.
    pub relation: &'a [u32],
    /// z `[Q, d]`
    pub embeddings: Tensor<2>,
    /// C each: the embeddings that a pair matches.
    pub ends: [&'a [u32]; 2],
}

/// `w_rho . relu(h_c) + z_s diag(r_rho) z_d` of every pair: `[C]`.
///
/// # Panics
/// If shapes or indices do not agree.
pub fn pair_scores(input: PairScores<'_>) -> Tensor<1> {
    let PairScores { hidden, weight, bilinear, relation, embeddings, ends } = input;
    let (n, [relations, width]) = (relation.len(), weight.dims());
    let (terms, mut inputs) = Terms::of("pair_scores", hidden, n, width);
    assert_eq!(bilinear.dims(), [relations, width], "pair_scores: the shape of r");
    let [q, z_width] = embeddings.dims();
    assert_eq!(z_width, width, "pair_scores: the width of z");
    check_index("pair_scores: relation", relation, relations);
    for ends in ends {
        assert_eq!(ends.len(), n, "pair_scores: {} ends of {n} pairs", ends.len());
        check_index("pair_scores: embedding", ends, q);
    }
    inputs.extend([weight.any(), bilinear.any(), embeddings.any()]);
    let kernel = Scores { terms, relation: relation.into(), ends: ends.map(Into::into) };
    apply(kernel, inputs, [n])
}

/// `relu(h_c)` of every pair: `[C, d]`.
///
/// # Panics
/// If shapes or indices do not agree.
pub fn relu_of_sums(terms: Vec<Term<'_>>, n: usize, width: usize) -> Tensor<2> {
    let (terms, inputs) = Terms::of("relu_of_sums", terms, n, width);
    apply(Hidden(terms), inputs, [n, width])
}

/// The tables of a hidden row.
struct Terms {
    /// C pairs.
    n: usize,
    width: usize,
    /// Of each table, C: which row.
    index: Vec<Box<[u32]>>,
}

impl Terms {
    fn of(operation: &str, terms: Vec<Term<'_>>, n: usize, width: usize) -> (Terms, Vec<AnyTensor>) {
        let mut index = Vec::with_capacity(terms.len());
        let mut tables = Vec::with_capacity(terms.len() + 3);
        for Term { table, reads } in terms {
            let [rows, table_width] = table.dims();
            assert_eq!(table_width, width, "{operation}: the width of a table");
            index.push(match reads {
                Reads::At(at) => {
                    assert_eq!(at.len(), n, "{operation}: {} rows for {n} pairs", at.len());
                    check_index(operation, at, rows);
                    at.into()
                }
                Reads::By(pairs) => {
                    assert_eq!(pairs.len(), rows, "{operation}: {} pairs for {rows} rows", pairs.len());
                    check_index(operation, pairs, n);
                    let mut at = vec![NONE; n];
                    pairs.iter().zip(0..).for_each(|(&pair, row)| at[pair as usize] = row);
                    at.into()
                }
            });
            tables.push(table.any());
        }
        (Terms { n, width, index }, tables)
    }

    #[inline(always)]
    fn row(&self, index: &[u32], pair: usize) -> Option<Range<usize>> {
        let row = index[pair];
        (row != NONE).then(|| row as usize * self.width..(row as usize + 1) * self.width)
    }

    /// The hidden row of a pair.
    #[inline(always)]
    fn sum(&self, out: &mut [f32], pair: usize, tables: &[&[f32]]) {
        out.fill(0.0);
        for (index, table) in self.index.iter().zip(tables) {
            if let Some(row) = self.row(index, pair) {
                add(out, &table[row]);
            }
        }
    }

    /// Adds the gradient of a pair's hidden row to what it was made of.
    #[inline(always)]
    fn spread(&self, gradient: &[f32], pair: usize, tables: &mut [Buffer]) {
        for (index, table) in self.index.iter().zip(tables) {
            // What is not wanted is empty.
            if let Some(row) = self.row(index, pair).filter(|row| row.end <= table.len()) {
                add(&mut table[row], gradient);
            }
        }
    }
}

/// Zeros for the gradients that are wanted.
fn zeros(inputs: &[&[f32]], wanted: &[bool]) -> Vec<Buffer> {
    inputs.iter().zip(wanted).map(|(input, wanted)| Buffer::zeros(if *wanted { input.len() } else { 0 })).collect()
}

struct Hidden(Terms);

impl Kernel for Hidden {
    /// The output: where it is 0 no gradient goes through.
    type Saved = Buffer;

    fn forward(&self, inputs: &[&[f32]], keep: bool) -> (Buffer, Buffer) {
        let Terms { n, width, .. } = self.0;
        let mut out = Buffer::stale(n * width);
        out.par_chunks_mut((PAIRS * width).max(1)).enumerate().for_each(|(part, out)| {
            hidden_rows(out, part * PAIRS, &self.0, inputs);
        });
        let saved = if keep { out.clone() } else { Buffer::zeros(0) };
        (out, saved)
    }

    fn backward(&self, inputs: &[&[f32]], out: &Buffer, grad: &[f32], wanted: &[bool]) -> Vec<Gradient> {
        let mut grads = zeros(inputs, wanted);
        hidden_rows_backward(&mut grads, out, grad, &self.0);
        grads.into_iter().map(Gradient::from).collect()
    }
}

multiversion! { fn hidden_rows(out: &mut [f32], first: usize, terms: &Terms, tables: &[&[f32]]) = hidden_rows_body }

#[inline(always)]
fn hidden_rows_body<const FMA: bool>(out: &mut [f32], first: usize, terms: &Terms, tables: &[&[f32]]) {
    for (out, pair) in out.chunks_exact_mut(terms.width.max(1)).zip(first..) {
        terms.sum(out, pair, tables);
        out.iter_mut().for_each(|x| *x = if *x < 0.0 { 0.0 } else { *x });
    }
}

multiversion! {
    fn hidden_rows_backward(grads: &mut [Buffer], out: &[f32], grad: &[f32], terms: &Terms) = hidden_rows_backward_body
}

#[inline(always)]
fn hidden_rows_backward_body<const FMA: bool>(grads: &mut [Buffer], out: &[f32], grad: &[f32], terms: &Terms) {
    let width = terms.width.max(1);
    let mut through = vec![0.0; terms.width];
    for (pair, (out, grad)) in out.chunks_exact(width).zip(grad.chunks_exact(width)).enumerate() {
        for (through, (out, grad)) in through.iter_mut().zip(out.iter().zip(grad)) {
            *through = if *out > 0.0 { *grad } else { 0.0 };
        }
        terms.spread(&through, pair, grads);
    }
}

struct Scores {
    terms: Terms,
    relation: Box<[u32]>,
    ends: [Box<[u32]>; 2],
}

impl Scores {
    /// Where a pair's relation, and its two embeddings begin.
    #[inline(always)]
    fn rows(&self, pair: usize) -> [usize; 3] {
        [self.relation[pair], self.ends[0][pair], self.ends[1][pair]].map(|row| row as usize * self.terms.width)
    }
}

impl Kernel for Scores {
    type Saved = ();

    fn forward(&self, inputs: &[&[f32]], _: bool) -> (Buffer, ()) {
        let mut out = Buffer::stale(self.terms.n);
        out.par_chunks_mut(PAIRS).enumerate().for_each(|(part, out)| scores(out, part * PAIRS, self, inputs));
        (out, ())
    }

    fn backward(&self, inputs: &[&[f32]], (): &(), grad: &[f32], wanted: &[bool]) -> Vec<Gradient> {
        // The few that follow the tables are wanted or cheap.
        let n = self.terms.index.len();
        let wanted: Vec<bool> = wanted.iter().enumerate().map(|(at, wanted)| *wanted || at >= n).collect();
        let mut grads = zeros(inputs, &wanted);
        let (tables, rest) = grads.split_at_mut(n);
        if let [weight, bilinear, embeddings] = rest {
            scores_backward(tables, [weight, bilinear, embeddings], grad, self, inputs);
        }
        grads.into_iter().map(Gradient::from).collect()
    }
}

multiversion! { fn scores(out: &mut [f32], first: usize, scores: &Scores, inputs: &[&[f32]]) = scores_body }

#[inline(always)]
fn scores_body<const FMA: bool>(out: &mut [f32], first: usize, scores: &Scores, inputs: &[&[f32]]) {
    let (tables, rest) = inputs.split_at(scores.terms.index.len());
    let &[weight, bilinear, z] = rest else { return };
    let width = scores.terms.width;
    let mut hidden = vec![0.0; width];
    for (out, pair) in out.iter_mut().zip(first..) {
        scores.terms.sum(&mut hidden, pair, tables);
        let [relation, source, destination] = scores.rows(pair);
        let (w, r) = (&weight[relation..][..width], &bilinear[relation..][..width]);
        let (s, d) = (&z[source..][..width], &z[destination..][..width]);
        let mut lanes = [0.0; LANES];
        let whole = width / LANES * LANES;
        for at in (0..whole).step_by(LANES) {
            for (i, lane) in lanes.iter_mut().enumerate() {
                *lane = term::<FMA>(*lane, [hidden[at + i], w[at + i], s[at + i], d[at + i], r[at + i]]);
            }
        }
        for (lane, i) in lanes.iter_mut().zip(whole..width) {
            *lane = term::<FMA>(*lane, [hidden[i], w[i], s[i], d[i], r[i]]);
        }
        *out = fold(lanes);
    }
}

#[inline(always)]
fn term<const FMA: bool>(sum: f32, [h, w, s, d, r]: [f32; 5]) -> f32 {
    // A NaN must survive: `max` would hide it.
    let h = if h < 0.0 { 0.0 } else { h };
    madd::<FMA>(h, w, madd::<FMA>(s * d, r, sum))
}

multiversion! {
    fn scores_backward(
        tables: &mut [Buffer],
        rest: [&mut Buffer; 3],
        grad: &[f32],
        scores: &Scores,
        inputs: &[&[f32]],
    ) = scores_backward_body
}

#[inline(always)]
fn scores_backward_body<const FMA: bool>(
    grads: &mut [Buffer],
    rest: [&mut Buffer; 3],
    grad: &[f32],
    scores: &Scores,
    inputs: &[&[f32]],
) {
    let (tables, given) = inputs.split_at(scores.terms.index.len());
    let &[weight, bilinear, z] = given else { return };
    let [dw, dr, dz] = rest;
    let width = scores.terms.width;
    let (mut hidden, mut ends) = (vec![0.0; width], vec![0.0; width]);
    for (pair, &g) in grad.iter().enumerate() {
        scores.terms.sum(&mut hidden, pair, tables);
        let [relation, source, destination] = scores.rows(pair);
        let (w, r) = (&weight[relation..][..width], &bilinear[relation..][..width]);
        let (dw, dr) = (&mut dw[relation..][..width], &mut dr[relation..][..width]);
        for ((h, w), dw) in hidden.iter_mut().zip(w).zip(dw) {
            *dw = madd::<FMA>(g, if *h > 0.0 { *h } else { 0.0 }, *dw);
            *h = if *h > 0.0 { g * w } else { 0.0 };
        }
        scores.terms.spread(&hidden, pair, grads);
        let (s, d) = (&z[source..][..width], &z[destination..][..width]);
        for i in 0..width {
            dr[i] = madd::<FMA>(g, s[i] * d[i], dr[i]);
            // Of the source; the destination's is kept until the first is written: they may be one.
            ends[i] = g * r[i] * s[i];
        }
        for (dz, (d, r)) in dz[source..][..width].iter_mut().zip(d.iter().zip(r)) {
            *dz = madd::<FMA>(g * d, *r, *dz);
        }
        add(&mut dz[destination..][..width], &ends);
    }
}
