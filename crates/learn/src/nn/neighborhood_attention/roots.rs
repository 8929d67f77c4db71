use std::ops::Range;

use super::layout::Tile;
use super::problem::{Inputs, Problem};
use crate::nn::lanes::{LANES, axpy, combine, dot, exp, exp_row, fold, multiversion, products, sum, top};
use crate::nn::time_encoding::cosines;

/// What the roots of a tile read. Rows of scratch are padded with zeros.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    pub(super) problem: &'a Problem,
    pub(super) inputs: Inputs<'a>,
    /// `[rows, 2, H, padded d_h]`: keys and values of projected entries; empty where entries are absorbed.
    pub(super) table: &'a [f32],
    pub(super) tile: &'a Tile,
    /// Logarithms of the gaps of the tile's neighbors; anything without a clock.
    pub(super) logs: &'a [f32],
    pub(super) queries: Queries<'a>,
}

/// Rows of the tile's roots `[roots, H, padded d_h]`, and the same absorbed `[places, H, padded rest]`.
#[derive(Clone, Copy)]
pub(super) struct Queries<'a> {
    pub(super) own: &'a [f32],
    pub(super) absorbed: &'a [f32],
}

/// What the forward pass makes of a tile.
pub(super) struct Reads<'a> {
    /// `[roots, H, padded d_h]`, sums of projected values.
    pub(super) values: &'a mut [f32],
    /// `[places, H, padded rest]`, sums of the rest of tokens.
    pub(super) context: &'a mut [f32],
    /// `[roots, H]`
    pub(super) norms: &'a mut [Norm],
    /// `[neighbors, H]`, or empty.
    pub(super) weights: &'a mut [f32],
    /// `[roots, H]`, or empty.
    pub(super) sinks: &'a mut [f32],
}

/// A weight is `exp(score - top) scale`. Two numbers, where their sum of logarithms would lose digits.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Norm {
    pub(super) top: f32,
    pub(super) scale: f32,
}

/// The gradients of a tile.
pub(super) struct Slopes<'a> {
    /// `[neighbors, H]`
    pub(super) weights: &'a mut [f32],
    /// `[neighbors, H]`: the gradient of scores.
    pub(super) scores: &'a mut [f32],
    /// `[roots, H, padded d_h]`, the gradient of the queries.
    pub(super) queries: &'a mut [f32],
    /// `[places, H, padded rest]`, the gradient of the absorbed queries.
    pub(super) absorbed: &'a mut [f32],
    /// As in [`Reads`].
    pub(super) context: &'a mut [f32],
    /// `[places, H]`
    pub(super) prior: &'a mut [f32],
    /// `[roots, H]`, or empty.
    pub(super) sink: &'a mut [f32],
    /// `[neighbors]`, or empty.
    pub(super) gate: &'a mut [f32],
    /// `[neighbors, W]`, or empty.
    pub(super) edges: &'a mut [f32],
}

/// One root at a time. Numbers of neighbors stand head by head, in padded rows.
#[derive(Debug, Default)]
pub(super) struct RootScratch {
    /// Where the row of each neighbor starts in the table.
    starts: Vec<usize>,
    /// The rest of each token in a padded row.
    rest: Vec<f32>,
    rest_starts: Vec<usize>,
    scores: Vec<f32>,
    slopes: Vec<f32>,
    open: Vec<f32>,
}

impl RootScratch {
    /// Gathers what is read of some neighbors.
    #[inline(always)]
    fn load<const FMA: bool>(&mut self, job: Job<'_>, neighbors: Range<usize>) {
        let Job { problem, inputs, .. } = job;
        let (n, padded, heads) = (neighbors.len(), problem.rest_padded(), problem.heads);
        let lead = problem.width - problem.skip();
        let (timed, edges) = (lead + problem.time(), problem.edges);
        for numbers in [&mut self.scores, &mut self.slopes, &mut self.open] {
            numbers.resize((n.next_multiple_of(LANES) * heads).max(numbers.len()), 0.0);
        }
        self.rest.resize((n * padded).max(self.rest.len()), 0.0);
        self.starts.clear();
        self.rest_starts.clear();
        let rows = problem.layout.rows.of[neighbors.clone()].iter();
        let first = neighbors.start - job.tile.neighbors.start;
        for (i, (row, out)) in rows.zip(self.rest.chunks_exact_mut(padded)).enumerate() {
            let row = *row as usize;
            self.starts.push(row * problem.table_row());
            self.rest_starts.push(i * padded);
            if lead > 0 {
                out[..lead].copy_from_slice(&inputs.entries[row * lead..][..lead]);
            }
            let j = neighbors.start + i;
            if let Some(clock) = &problem.clock {
                cosines::<FMA>(&mut out[lead..timed - 1], clock.gap[j], &clock.frequencies);
                out[timed - 1] = job.logs[first + i];
            }
            if let Some(features) = inputs.edges {
                out[timed..][..edges].copy_from_slice(&features[j * edges..][..edges]);
            }
            // Another model's rows may have been here.
            out[timed + edges..].fill(0.0);
        }
    }
}

impl<'a> Job<'a> {
    /// Padded width of a head where entries are projected, else 0.
    #[inline(always)]
    fn head(&self) -> usize {
        if self.table.is_empty() { 0 } else { self.problem.head_padded() }
    }

    /// Row of a place in absorbed rows.
    #[inline(always)]
    fn place(&self, pair: usize) -> usize {
        self.problem.layout.place[pair] as usize - self.tile.places.start
    }

    /// `out[h, j] = query_h . row_j + absorbed_h . rest_j` for all neighbors of root i of the tile; rows start `offset` after
    /// the starts.
    #[inline(always)]
    fn products<const FMA: bool>(
        &self,
        queries: Queries<'_>,
        offset: usize,
        (i, n): (usize, usize),
        (starts, rest): (&[usize], &[f32]),
        out: &mut [f32],
    ) {
        let (layout, heads) = (&self.problem.layout, self.problem.heads);
        let (head, row, padded) = (self.head(), self.problem.head_padded(), self.problem.rest_padded());
        let root = self.tile.roots.start + i;
        let first = layout.neighbors_of(root).start;
        for pair in layout.pairs(root) {
            let (place, members) = (self.place(pair), layout.neighbors(pair));
            let members = members.start - first..members.end - first;
            for h in 0..heads {
                let own = &queries.own[(i * heads + h) * row..][..head];
                let absorbed = &queries.absorbed[(place * heads + h) * padded..][..padded];
                let out = &mut out[h * n..][members.clone()];
                let starts = &starts[members.clone()];
                let rest = rest[members.start * padded..].chunks_exact(padded);
                for ((out, start), rest) in out.iter_mut().zip(starts).zip(rest) {
                    let mut lanes = [0.0; LANES];
                    if head > 0 {
                        lanes = products::<FMA>(lanes, own, &self.table[start + offset + h * head..][..head]);
                    }
                    lanes = products::<FMA>(lanes, absorbed, rest);
                    *out = fold(lanes);
                }
            }
        }
    }

    /// Adds the prior of its relation to each score.
    #[inline(always)]
    fn add_prior(&self, root: usize, n: usize, scores: &mut [f32]) {
        let (layout, heads) = (&self.problem.layout, self.problem.heads);
        let first = layout.neighbors_of(root).start;
        for pair in layout.pairs(root) {
            let (relation, members) = (layout.pair_relation[pair] as usize, layout.neighbors(pair));
            for h in 0..heads {
                let prior = self.inputs.prior[relation * heads + h];
                for score in &mut scores[h * n..][members.start - first..members.end - first] {
                    *score += prior;
                }
            }
        }
    }

    /// `out_ph = sum over j in p of numbers_hj rest_j` for the pairs of a root.
    #[inline(always)]
    fn combine_rest<const FMA: bool>(
        &self,
        root: usize,
        (numbers, n): (&[f32], usize),
        scratch: (&[f32], &[usize]),
        out: &mut [f32],
    ) {
        let (layout, heads, padded) = (&self.problem.layout, self.problem.heads, self.problem.rest_padded());
        let first = layout.neighbors_of(root).start;
        for pair in layout.pairs(root) {
            let (place, members) = (self.place(pair), layout.neighbors(pair));
            let members = members.start - first..members.end - first;
            for h in 0..heads {
                let out = &mut out[(place * heads + h) * padded..][..padded];
                combine::<FMA>(out, &numbers[h * n..][members.clone()], scratch.0, &scratch.1[members.clone()]);
            }
        }
    }

    /// `out_h = sum over j of numbers_hj row_jh` for root i of the tile.
    #[inline(always)]
    fn combine_rows<const FMA: bool>(
        &self,
        i: usize,
        offset: usize,
        (numbers, n): (&[f32], usize),
        starts: &[usize],
        out: &mut [f32],
    ) {
        let (heads, head) = (self.problem.heads, self.head());
        if head == 0 {
            let row = self.problem.query_row();
            out[i * row..(i + 1) * row].fill(0.0);
            return;
        }
        for h in 0..heads {
            let out = &mut out[(i * heads + h) * head..][..head];
            combine::<FMA>(out, &numbers[h * n..][..n], &self.table[offset + h * head..], starts);
        }
    }
}

multiversion! {
    /// Reads the neighbors of the roots of a tile.
    pub(super) fn read_roots(job: Job<'_>, scratch: &mut RootScratch, reads: Reads<'_>) = read_roots_body
}

#[inline(always)]
fn read_roots_body<const FMA: bool>(job: Job<'_>, scratch: &mut RootScratch, reads: Reads<'_>) {
    let Reads { values, context, norms, weights, sinks } = reads;
    let Job { problem, inputs, tile, .. } = job;
    let (layout, heads) = (&problem.layout, problem.heads);
    for (i, root) in tile.roots.clone().enumerate() {
        let neighbors = layout.neighbors_of(root);
        let n = neighbors.len().next_multiple_of(LANES);
        scratch.load::<FMA>(job, neighbors.clone());
        let RootScratch { starts, rest, rest_starts, scores, .. } = &mut *scratch;
        let scores = &mut scores[..n * heads];
        // A pad weighs nothing.
        scores.fill(f32::NEG_INFINITY);
        job.products::<FMA>(job.queries, 0, (i, n), (starts, rest), scores);
        job.add_prior(root, n, scores);
        let gate = inputs.gate.map(|gate| &gate[neighbors.clone()]);
        for h in 0..heads {
            let sink = inputs.sink.map(|sink| sink[root * heads + h]);
            let norm = normalize::<FMA>(&mut scores[h * n..][..n], sink, gate);
            norms[i * heads + h] = norm;
            if let Some(out) = sinks.get_mut(i * heads + h) {
                *out = sink.map_or(0.0, |sink| weight::<FMA>(sink, norm));
            }
        }
        job.combine_rows::<FMA>(i, problem.query_row(), (scores, n), starts, values);
        job.combine_rest::<FMA>(root, (scores, n), (rest, rest_starts), context);
        if !weights.is_empty() {
            let here = neighbors.start - tile.neighbors.start..neighbors.end - tile.neighbors.start;
            transpose(&mut weights[here.start * heads..here.end * heads], scores, (heads, n));
        }
    }
}

/// Turns the scores of one head into weights, together with the score of the sink.
#[inline(always)]
fn normalize<const FMA: bool>(scores: &mut [f32], sink: Option<f32>, gate: Option<&[f32]>) -> Norm {
    let nothing = sink.unwrap_or(f32::NEG_INFINITY);
    let top = top(scores);
    let top = if nothing <= top { top } else { nothing };
    // With every score at minus infinity there is nothing to attend to: all weights are 0, not NaN.
    let top = if top == f32::NEG_INFINITY { 0.0 } else { top };
    exp_above::<FMA>(scores, top);
    if let Some(gate) = gate {
        scores.iter_mut().zip(gate).for_each(|(score, gate)| *score *= gate);
    }
    let sink = sink.map_or(0.0, |sink| weight::<FMA>(sink, Norm { top, scale: 1.0 }));
    let total = sum(scores) + sink;
    let scale = if total == 0.0 { 0.0 } else { 1.0 / total };
    scores.iter_mut().for_each(|score| *score *= scale);
    Norm { top, scale }
}

/// `e^(score - top)` of every score.
#[inline(always)]
fn exp_above<const FMA: bool>(scores: &mut [f32], top: f32) {
    scores.iter_mut().for_each(|score| *score -= top);
    exp_row::<FMA>(scores);
}

/// The weight of one score.
#[inline(always)]
fn weight<const FMA: bool>(score: f32, norm: Norm) -> f32 {
    exp::<FMA>(score - norm.top) * norm.scale
}

/// From padded rows of heads to `[neighbors, H]`.
#[inline(always)]
fn transpose(out: &mut [f32], numbers: &[f32], (heads, stride): (usize, usize)) {
    for (j, out) in out.chunks_exact_mut(heads).enumerate() {
        for (h, out) in out.iter_mut().enumerate() {
            *out = numbers[h * stride + j];
        }
    }
}

multiversion! {
    /// Carries the gradient of what the roots of a tile have read back to scores, queries and contexts. `grads` stand where
    /// queries do: the gradient of the output, own and absorbed through the values.
    pub(super) fn read_roots_backward(
        job: Job<'_>, grads: Queries<'_>, norms: &[Norm], scratch: &mut RootScratch, out: &mut Slopes<'_>,
    ) = read_roots_backward_body
}

#[inline(always)]
fn read_roots_backward_body<const FMA: bool>(
    job: Job<'_>,
    grads: Queries<'_>,
    norms: &[Norm],
    scratch: &mut RootScratch,
    out: &mut Slopes<'_>,
) {
    let Job { problem, inputs, tile, .. } = job;
    let (layout, heads) = (&problem.layout, problem.heads);
    for (i, root) in tile.roots.clone().enumerate() {
        let neighbors = layout.neighbors_of(root);
        let n = neighbors.len().next_multiple_of(LANES);
        scratch.load::<FMA>(job, neighbors.clone());
        let RootScratch { starts, rest, rest_starts, scores, slopes, open } = &mut *scratch;
        let (scores, slopes, open) = (&mut scores[..n * heads], &mut slopes[..n * heads], &mut open[..n * heads]);
        scores.fill(f32::NEG_INFINITY);
        slopes.fill(0.0);
        job.products::<FMA>(job.queries, 0, (i, n), (starts, rest), scores);
        job.add_prior(root, n, scores);
        job.products::<FMA>(grads, problem.query_row(), (i, n), (starts, rest), slopes);
        let gate = inputs.gate.map(|gate| &gate[neighbors.clone()]);
        let here = neighbors.start - tile.neighbors.start..neighbors.end - tile.neighbors.start;
        for h in 0..heads {
            let at = i * heads + h;
            let (weights, slopes) = (&mut scores[h * n..][..n], &mut slopes[h * n..][..n]);
            exp_above::<FMA>(weights, norms[at].top);
            weights.iter_mut().for_each(|weight| *weight *= norms[at].scale);
            if let Some(gate) = gate {
                open[h * n..][..n].copy_from_slice(weights);
                weights.iter_mut().zip(gate).for_each(|(weight, gate)| *weight *= gate);
            }
            let mean = dot::<FMA>(weights, slopes);
            slopes.iter_mut().for_each(|slope| *slope -= mean);
            if let (Some(dsink), Some(sink)) = (out.sink.get_mut(at), inputs.sink) {
                *dsink = -weight::<FMA>(sink[root * heads + h], norms[at]) * mean;
            }
            if gate.is_some() {
                for ((dgate, open), slope) in out.gate[here.clone()].iter_mut().zip(&open[h * n..]).zip(&*slopes) {
                    *dgate += open * slope;
                }
            }
            slopes.iter_mut().zip(&*weights).for_each(|(slope, weight)| *slope *= weight);
        }
        job.combine_rows::<FMA>(i, 0, (slopes, n), starts, out.queries);
        job.combine_rest::<FMA>(root, (slopes, n), (rest, rest_starts), out.absorbed);
        job.combine_rest::<FMA>(root, (scores, n), (rest, rest_starts), out.context);
        transpose(&mut out.weights[here.start * heads..here.end * heads], scores, (heads, n));
        transpose(&mut out.scores[here.start * heads..here.end * heads], slopes, (heads, n));
        pairs_backward::<FMA>(job, grads, root, (scores, slopes, n), out);
    }
}

/// The gradients of the priors and of the features of edges of a root.
#[inline(always)]
fn pairs_backward<const FMA: bool>(
    job: Job<'_>,
    grads: Queries<'_>,
    root: usize,
    (weights, slopes, n): (&[f32], &[f32], usize),
    out: &mut Slopes<'_>,
) {
    let Job { problem, tile, .. } = job;
    let (layout, heads, padded, edges) = (&problem.layout, problem.heads, problem.rest_padded(), problem.edges);
    let first = layout.neighbors_of(root).start;
    let skipped = problem.rest() - edges;
    for pair in layout.pairs(root) {
        let (place, members) = (job.place(pair), layout.neighbors(pair));
        for h in 0..heads {
            let at = place * heads + h;
            let slopes_of = &slopes[h * n..][members.start - first..members.end - first];
            out.prior[at] = slopes_of.iter().fold(0.0, |sum, slope| sum + slope);
            if out.edges.is_empty() {
                continue;
            }
            let query = &job.queries.absorbed[at * padded + skipped..][..edges];
            let grad = &grads.absorbed[at * padded + skipped..][..edges];
            for j in members.clone() {
                let out = &mut out.edges[(j - tile.neighbors.start) * edges..][..edges];
                axpy::<FMA>(out, slopes[h * n + j - first], query);
                axpy::<FMA>(out, weights[h * n + j - first], grad);
            }
        }
    }
}
