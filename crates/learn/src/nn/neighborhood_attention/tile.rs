use super::layout::{Run, Tile};
use super::problem::{Inputs, Problem};
use super::rest::RestWeights;
use super::roots::{Job, Norm, Queries, Reads, RootScratch, Slopes, read_roots, read_roots_backward};
use crate::nn::lanes::multiversion;
use crate::nn::small_product::{Left, multiply_rows};
use crate::nn::time_encoding::log_rows;

/// Room for one tile, used again by every tile of a thread.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    logs: Vec<f32>,
    own: Vec<f32>,
    absorbed: Vec<f32>,
    absorbed_value: Vec<f32>,
    context: Vec<f32>,
    values: Vec<f32>,
    starts: Starts,
    roots: RootScratch,
}

/// Where the rows of a run start.
#[derive(Debug, Default)]
struct Starts {
    places: Vec<usize>,
    roots: Vec<usize>,
}

/// What a tile reads.
#[derive(Clone, Copy)]
pub(super) struct Pass<'a> {
    pub(super) problem: &'a Problem,
    pub(super) inputs: Inputs<'a>,
    /// As in [`Job`].
    pub(super) table: &'a [f32],
}

/// What the forward pass of a tile writes.
pub(super) struct TileOutput<'a> {
    /// `[roots, H d_h]`
    pub(super) output: &'a mut [f32],
    pub(super) norms: &'a mut [Norm],
    /// `[neighbors, H]`, or empty.
    pub(super) weights: &'a mut [f32],
    /// `[roots, H]`, or empty.
    pub(super) sinks: &'a mut [f32],
}

/// What the backward pass of a tile writes.
pub(super) struct TileGrads<'a> {
    /// `[roots, H d_h]`
    pub(super) query: &'a mut [f32],
    /// `[roots, H, padded d_h]`: scaled queries, and the gradient of the output.
    pub(super) own: [&'a mut [f32]; 2],
    /// `[places, H, padded rest]`: the same absorbed, where others read it afterwards; else empty.
    pub(super) absorbed: [&'a mut [f32]; 2],
    pub(super) slopes: Slopes<'a>,
}

/// Reads one tile, with the maps of keys to the rest of tokens and of the rest to values.
pub(super) fn read_tile(
    pass: Pass<'_>,
    [keys, values]: [&RestWeights; 2],
    tile: &Tile,
    scratch: &mut Scratch,
    out: TileOutput<'_>,
) {
    let Pass { problem, inputs, table } = pass;
    let (n_roots, n_places) = (tile.roots.len(), tile.places.len());
    load_logs(&mut scratch.logs, problem, tile);
    let own = sized(&mut scratch.own, n_roots * problem.query_row());
    let absorbed = sized(&mut scratch.absorbed, n_places * problem.rest_row());
    let context = sized(&mut scratch.context, n_places * problem.rest_row());
    let read = sized(&mut scratch.values, n_roots * problem.query_row());
    let query = &inputs.query[tile.roots.start * problem.output_row()..tile.roots.end * problem.output_row()];
    pad(own, query, [problem.head_padded(), problem.head], problem.temperature());
    absorb(problem, tile, keys, own, absorbed, &mut scratch.starts);
    let job = Job { problem, inputs, table, tile, logs: &scratch.logs, queries: Queries { own, absorbed } };
    let TileOutput { output, norms, weights, sinks } = out;
    read_roots(job, &mut scratch.roots, Reads { values: read, context, norms, weights, sinks });
    spread(problem, tile, values, context, read, &mut scratch.starts);
    unpad(output, read, [problem.head, problem.head_padded()], 1.0);
}

/// The maps of the backward pass.
#[derive(Clone, Copy)]
pub(super) struct BackwardWeights<'a> {
    pub(super) keys_down: &'a RestWeights,
    pub(super) values_down: &'a RestWeights,
    pub(super) keys_up: &'a RestWeights,
}

pub(super) fn read_tile_backward(
    pass: Pass<'_>,
    maps: BackwardWeights<'_>,
    tile: &Tile,
    (norms, grad): (&[Norm], &[f32]),
    scratch: &mut Scratch,
    out: TileGrads<'_>,
) {
    let Pass { problem, inputs, table } = pass;
    let TileGrads { query, own: [own, own_grad], absorbed: [kept, kept_grad], slopes } = out;
    load_logs(&mut scratch.logs, problem, tile);
    let rows = tile.roots.start * problem.output_row()..tile.roots.end * problem.output_row();
    let widths = [problem.head_padded(), problem.head];
    pad(own, &inputs.query[rows.clone()], widths, problem.temperature());
    pad(own_grad, &grad[rows], widths, 1.0);
    let size = tile.places.len() * problem.rest_row();
    let absorbed = if kept.is_empty() { sized(&mut scratch.absorbed, size) } else { kept };
    let absorbed_grad = if kept_grad.is_empty() { sized(&mut scratch.absorbed_value, size) } else { kept_grad };
    absorb(problem, tile, maps.keys_down, own, absorbed, &mut scratch.starts);
    absorb(problem, tile, maps.values_down, own_grad, absorbed_grad, &mut scratch.starts);
    let job = Job { problem, inputs, table, tile, logs: &scratch.logs, queries: Queries { own, absorbed } };
    let norms = &norms[tile.roots.start * problem.heads..tile.roots.end * problem.heads];
    let grads = Queries { own: own_grad, absorbed: absorbed_grad };
    let queries = sized(&mut scratch.values, tile.roots.len() * problem.query_row());
    let mut slopes = Slopes { queries, ..slopes };
    read_roots_backward(job, grads, norms, &mut scratch.roots, &mut slopes);
    spread(problem, tile, maps.keys_up, slopes.absorbed, slopes.queries, &mut scratch.starts);
    unpad(query, slopes.queries, [problem.head, problem.head_padded()], problem.temperature());
}

/// Room for n numbers, whatever they are.
fn sized(room: &mut Vec<f32>, n: usize) -> &mut [f32] {
    if room.len() < n {
        room.resize(n, 0.0);
    }
    &mut room[..n]
}

fn load_logs(logs: &mut Vec<f32>, problem: &Problem, tile: &Tile) {
    if let Some(clock) = &problem.clock {
        log_rows(sized(logs, tile.neighbors.len()), &clock.gap[tile.neighbors.clone()], clock.scale);
    }
}

multiversion! { fn pad(out: &mut [f32], rows: &[f32], widths: [usize; 2], scale: f32) = pad_body }

/// Rows into padded rows, times `scale`.
#[inline(always)]
fn pad_body<const FMA: bool>(out: &mut [f32], rows: &[f32], [padded, width]: [usize; 2], scale: f32) {
    for (out, row) in out.chunks_exact_mut(padded).zip(rows.chunks_exact(width)) {
        let (out, rest) = out.split_at_mut(width);
        for (out, x) in out.iter_mut().zip(row) {
            *out = x * scale;
        }
        rest.fill(0.0);
    }
}

multiversion! { fn unpad(out: &mut [f32], rows: &[f32], widths: [usize; 2], scale: f32) = unpad_body }

/// Padded rows into rows, times `scale`.
#[inline(always)]
fn unpad_body<const FMA: bool>(out: &mut [f32], rows: &[f32], [width, padded]: [usize; 2], scale: f32) {
    for (out, row) in out.chunks_exact_mut(width).zip(rows.chunks_exact(padded)) {
        for (out, x) in out.iter_mut().zip(row) {
            *out = x * scale;
        }
    }
}

impl Starts {
    /// Of the rows of a run of places, in the tile, and of its roots.
    fn load(&mut self, problem: &Problem, tile: &Tile, run: &Run) {
        self.places.clear();
        self.places.extend(run.places.clone().map(|place| (place - tile.places.start) * problem.rest_row()));
        let roots = problem.layout.place_root[run.places.clone()].iter();
        self.roots.clear();
        self.roots.extend(roots.map(|&root| (root as usize - tile.roots.start) * problem.query_row()));
    }
}

/// Maps the rows of roots `[roots, H, padded d_h]` to `[places, H, padded rest]`.
fn absorb(problem: &Problem, tile: &Tile, maps: &RestWeights, own: &[f32], absorbed: &mut [f32], starts: &mut Starts) {
    for run in problem.layout.runs(tile) {
        starts.load(problem, tile, run);
        for h in 0..problem.heads {
            let left = Left { values: &own[h * problem.head_padded()..], starts: &starts.roots, step: 1 };
            let absorbed = &mut absorbed[h * problem.rest_padded()..];
            multiply_rows(absorbed, &starts.places, left, maps.of(run.slot, h), false);
        }
    }
}

/// Maps `[places, H, padded rest]` to the rows of their roots `[roots, H, padded d_h]`, and adds it to them.
fn spread(problem: &Problem, tile: &Tile, maps: &RestWeights, rest: &[f32], own: &mut [f32], starts: &mut Starts) {
    for run in problem.layout.runs(tile) {
        starts.load(problem, tile, run);
        for h in 0..problem.heads {
            let left = Left { values: &rest[h * problem.rest_padded()..], starts: &starts.places, step: 1 };
            let own = &mut own[h * problem.head_padded()..];
            multiply_rows(own, &starts.roots, left, maps.of(run.slot, h), true);
        }
    }
}
