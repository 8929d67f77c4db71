//! Attention of roots over their neighbors as one operation: no matrix of the neighbors' tokens, keys or values is formed.
//!
//! A score is linear in the token, `q . K f`, so the map K can be applied to either side. It is applied to the columns that
//! entries make up where that is less work: to the entries, once for each relation that they are read by (neighbors read
//! the same few entries again and again), or to the queries, once for each root and relation ("absorbed"). To the encoded
//! gap and to features of edges, which are different for every neighbor, it is never applied: their columns are absorbed.
//! Roots are read in tiles whose scratch stays in the cache. As in FlashAttention (Dao et al. 2022) only the normaliser of
//! each softmax is kept, and the backward pass makes scores and weights again.

mod layout;
mod problem;
mod rest;
mod roots;
mod table;
mod tile;

use std::cell::RefCell;

use rayon::prelude::*;

use self::layout::{Groups, Layout};
use self::problem::{Clock, ENTRIES, Inputs, KEYS, PRIOR, Problem, QUERY, VALUES};
use self::rest::{RestWeights, Side};
use self::roots::{Norm, Slopes};
use self::table::{
    Spread, WeightTerms, absorbed_entries_backward, entries_backward, project, table_backward, weights_backward,
};
use self::tile::{BackwardWeights, Pass, Scratch, TileGrads, TileOutput, read_tile, read_tile_backward};
use super::arena::Buffer;
use super::kernel::{Kernel, apply};
use super::offsets::cut;
use super::tape::Gradient;
use super::tensor::Tensor;

pub use self::layout::Neighbors;
pub use self::problem::Ages;

/// The inputs of [`neighborhood_attention`]: V entries of width d, Q roots, R relations, P pairs (root, relation), E
/// neighbors, H heads of width d_h. A token has F columns: the d of an entry, with ages the cosines and one logarithm, the W
/// of the edge.
#[derive(Clone, Debug)]
pub struct NeighborhoodInput<'a> {
    /// `[V, d]`
    pub entries: Tensor<2>,
    /// `[Q, H d_h]`
    pub query: Tensor<2>,
    /// `[R, H d_h F]`
    pub keys: Tensor<2>,
    /// `[R, H F d_h]`
    pub values: Tensor<2>,
    /// `[R, H]`: what is added to the scores of a relation.
    pub prior: Tensor<2>,
    /// Where attention may go besides the neighbors.
    pub outlet: Outlet,
    /// `[E, W]`: features of edges.
    pub edges: Option<Tensor<2>>,
    /// Who reads what.
    pub neighbors: Neighbors<'a>,
    /// How long ago it was.
    pub ages: Option<Ages<'a>>,
}

/// Where attention may go besides the neighbors.
#[derive(Clone, Debug)]
pub enum Outlet {
    /// Nowhere: the weights of a root's neighbors sum to 1.
    None,
    /// `[Q, H]`: the score of attending to nothing.
    Sink(Tensor<2>),
    /// A sink, and a gate a neighbor `[E, 1]` that multiplies its `exp(score)`: 0 shuts it out, and its gradient is defined
    /// there too, so a shut neighbor can open again.
    Gated {
        /// `[Q, H]`
        sink: Tensor<2>,
        /// `[E, 1]`
        gate: Tensor<2>,
    },
}

impl Outlet {
    /// The sink and the gates.
    fn parts(self) -> (Option<Tensor<2>>, Option<Tensor<2>>) {
        match self {
            Outlet::None => (None, None),
            Outlet::Sink(sink) => (Some(sink), None),
            Outlet::Gated { sink, gate } => (Some(sink), Some(gate)),
        }
    }
}

/// The weights of [`neighborhood_weights`].
#[derive(Clone, Debug, PartialEq)]
pub struct AttentionWeights {
    /// The weight of every neighbor and head, `[E, H]`.
    pub neighbors: Vec<f32>,
    /// The weight of the sink of every root and head, `[Q, H]`; 0 without a sink.
    pub sinks: Vec<f32>,
}

/// Attention of each root over its neighbors of all relations, `[Q, H d_h]`: head h of a root is
///
/// `sum over j of alpha_j V_rh f_j`, `alpha_j = g_j exp(s_j) / (exp(sink_h) + sum over i of g_i exp(s_i))`,
/// `s_j = q_h . K_rh f_j / sqrt(d_h) + prior_rh`
///
/// with the token `f_j` of neighbor j, its relation r and its gate `g_j` (1 without gates). A root that attends to nothing is
/// 0. Gradients flow to every tensor.
///
/// Slow reference: `timeweft_oracle::kernels::neighborhood_attention`.
///
/// # Panics
/// If shapes, offsets or indices do not agree.
pub fn neighborhood_attention(input: NeighborhoodInput<'_>) -> Tensor<2> {
    let kernel = Neighborhood(problem(&input));
    let NeighborhoodInput { entries, query, keys, values, prior, outlet, edges, .. } = input;
    let shape = query.dims();
    let [a, b, c, d, e] = [entries, query, keys, values, prior].map(Tensor::any);
    let (sink, gate) = outlet.parts();
    let rest = [sink, gate, edges].map(|tensor| tensor.map(Tensor::any));
    match rest {
        [None, None, None] => apply(kernel, [a, b, c, d, e], shape),
        [Some(f), None, None] | [None, None, Some(f)] => apply(kernel, [a, b, c, d, e, f], shape),
        [Some(f), Some(g), None] | [Some(f), None, Some(g)] => apply(kernel, [a, b, c, d, e, f, g], shape),
        [Some(f), Some(g), Some(h)] => apply(kernel, [a, b, c, d, e, f, g, h], shape),
        [None, Some(_), _] => unreachable!("gates come with a sink"),
    }
}

/// The weights that [`neighborhood_attention`] gives on the same inputs, by the same code.
///
/// # Panics
/// As [`neighborhood_attention`].
pub fn neighborhood_weights(input: NeighborhoodInput<'_>) -> AttentionWeights {
    let problem = problem(&input);
    let NeighborhoodInput { entries, query, keys, values, prior, outlet, edges, .. } = input;
    let (sink, gate) = outlet.parts();
    let (fixed, rest) = ([&entries, &query, &keys, &values, &prior], [&sink, &gate, &edges]);
    let inputs: Vec<&[f32]> = fixed.into_iter().chain(rest.into_iter().flatten()).map(Tensor::values).collect();
    let heads = problem.heads;
    let mut neighbors = vec![0.0; problem.layout.n_neighbors() * heads];
    let mut sinks = vec![0.0; problem.layout.n_roots() * heads];
    read(&problem, &problem.inputs(&inputs), Some((&mut neighbors, &mut sinks)));
    AttentionWeights { neighbors, sinks }
}

fn problem(input: &NeighborhoodInput<'_>) -> Problem {
    let name = "neighborhood_attention";
    let ([n_entries, width], [roots, outer]) = (input.entries.dims(), input.query.dims());
    let [n_relations, heads] = input.prior.dims();
    let edges = input.edges.as_ref().map_or(0, |edges| edges.dims()[1]);
    let layout = Layout::new(&input.neighbors, n_entries, n_relations);
    assert_eq!(layout.n_roots(), roots, "{name}: a run of pairs for each root");
    assert!(heads > 0 && outer % heads == 0 && outer > 0, "{name}: {heads} heads in a query of width {outer}");
    let problem = Problem {
        clock: input.ages.map(Clock::new),
        heads,
        width,
        head: outer / heads,
        edges,
        n_relations,
        sink: !matches!(input.outlet, Outlet::None),
        gate: matches!(input.outlet, Outlet::Gated { .. }),
        layout,
    };
    let weights = [n_relations, heads * problem.weight()];
    assert_eq!(input.keys.dims(), weights, "{name}: the shape of keys");
    assert_eq!(input.values.dims(), weights, "{name}: the shape of values");
    let neighbors = problem.layout.n_neighbors();
    if let Some(ages) = input.ages {
        assert_eq!(ages.gap.len(), neighbors, "{name}: a gap for each neighbor");
    }
    if let Outlet::Sink(sink) | Outlet::Gated { sink, .. } = &input.outlet {
        assert_eq!(sink.dims(), [roots, heads], "{name}: the shape of sink");
    }
    if let Outlet::Gated { gate, .. } = &input.outlet {
        assert_eq!(gate.dims(), [neighbors, 1], "{name}: the shape of gate");
    }
    if let Some(edges) = &input.edges {
        assert_eq!(edges.dims()[0], neighbors, "{name}: features of each edge");
    }
    problem
}

struct Neighborhood(Problem);

/// What the backward pass needs besides the inputs.
struct Saved {
    /// `[Q, H]`
    norms: Vec<Norm>,
    /// Keys and values of projected entries: as large as the entries, times the relations that read them.
    table: Buffer,
}

thread_local! {
    /// In a box: memory of threads is scarce in a library that is loaded late.
    static SCRATCH: RefCell<Box<Scratch>> = RefCell::default();
}

/// The output `[Q, H d_h]`; and weights `[E, H]` and those of sinks `[Q, H]`, where they are asked for.
fn read(problem: &Problem, inputs: &Inputs<'_>, weights: Option<(&mut [f32], &mut [f32])>) -> (Buffer, Saved) {
    let (layout, heads, row) = (&problem.layout, problem.heads, problem.output_row());
    let table = project(problem, inputs);
    let mut output = Buffer::stale(layout.n_roots() * row);
    let mut norms = vec![Norm::default(); layout.n_roots() * heads];
    let (kept, (weights, sinks)) = (weights.is_some(), weights.unwrap_or_default());
    let roots = |width: usize| layout.tiles.iter().map(move |tile| tile.roots.len() * width);
    let neighbors = |width: usize| layout.tiles.iter().map(move |tile| tile.neighbors.len() * width);
    let kept = if kept { heads } else { 0 };
    let parts = cut(&mut output, roots(row)).into_par_iter().zip(cut(&mut norms, roots(heads)));
    let parts = parts.zip(cut(weights, neighbors(kept))).zip(cut(sinks, roots(kept))).zip(&layout.tiles);
    let pass = Pass { problem, inputs: *inputs, table: &table };
    let maps = [&RestWeights::down(problem, inputs, Side::Keys), &RestWeights::up(problem, inputs, Side::Values)];
    parts.for_each(|((((output, norms), weights), sinks), tile)| {
        SCRATCH.with_borrow_mut(|scratch| {
            read_tile(pass, maps, tile, scratch, TileOutput { output, norms, weights, sinks });
        });
    });
    (output, Saved { norms, table })
}

impl Kernel for Neighborhood {
    type Saved = Saved;

    fn forward(&self, inputs: &[&[f32]], _: bool) -> (Buffer, Saved) {
        read(&self.0, &self.0.inputs(inputs), None)
    }

    fn backward(&self, inputs: &[&[f32]], saved: &Saved, grad: &[f32], wanted: &[bool]) -> Vec<Gradient> {
        let problem = &self.0;
        let typed = problem.inputs(inputs);
        let mut grads: Vec<Buffer> = inputs.iter().map(|_| Buffer::stale(0)).collect();
        let back = Back::run(problem, &typed, saved, grad);
        let (by_place, n_entries) =
            (problem.layout.rows.projected.is_none(), typed.entries.len() / problem.width.max(1));
        let readers = problem.layout.readers(by_place);
        let rows = if by_place { &back.absorbed } else { &back.own };
        let rows = rows.each_ref().map(|rows| &**rows);
        let spread = Spread { numbers: [&back.scores, &back.weights], rows, readers: &readers };
        let mut table = Buffer::stale(0);
        if let Some(projected) = &problem.layout.rows.projected {
            table = table_backward(problem, &spread, projected.entry.len());
            if wanted[ENTRIES] {
                grads[ENTRIES] = entries_backward(problem, &typed, projected, &table);
            }
        } else if wanted[ENTRIES] {
            grads[ENTRIES] = absorbed_entries_backward(problem, &spread, n_entries);
        }
        let [query, output_grad] = back.own.each_ref().map(|rows| &**rows);
        let keys = WeightTerms { side: Side::Keys, table: &table, own: query, rest: &back.absorbed_grad };
        let values = WeightTerms { side: Side::Values, table: &table, own: output_grad, rest: &back.context };
        let weights = |at: usize, terms: WeightTerms<'_>| {
            if wanted[at] { weights_backward(problem, &typed, terms) } else { Buffer::stale(0) }
        };
        (grads[KEYS], grads[VALUES]) = rayon::join(|| weights(KEYS, keys), || weights(VALUES, values));
        grads[PRIOR] = back.prior(problem);
        grads[QUERY] = back.query;
        let optional =
            [(problem.sink_at(), back.sink), (problem.gate_at(), back.gate), (problem.edges_at(), back.edges)];
        for (at, grad) in optional {
            if let Some(at) = at {
                grads[at] = grad;
            }
        }
        grads.into_iter().map(Gradient::from).collect()
    }
}

/// What all tiles of the backward pass write; see [`TileGrads`].
struct Back {
    query: Buffer,
    sink: Buffer,
    gate: Buffer,
    edges: Buffer,
    prior: Buffer,
    weights: Buffer,
    scores: Buffer,
    own: [Buffer; 2],
    absorbed: [Buffer; 2],
    absorbed_grad: Buffer,
    context: Buffer,
}

impl Back {
    fn run(problem: &Problem, inputs: &Inputs<'_>, saved: &Saved, grad: &[f32]) -> Back {
        let (layout, heads) = (&problem.layout, problem.heads);
        let (n_roots, n_pairs, n) = (layout.n_roots(), layout.n_pairs(), layout.n_neighbors());
        let own = || Buffer::stale(n_roots * problem.query_row());
        let absorbed = || Buffer::stale(n_pairs * problem.rest_row());
        // Read again only where entries get their gradient from it.
        let kept = || if problem.layout.rows.projected.is_some() { Buffer::stale(0) } else { absorbed() };
        let mut back = Back {
            query: Buffer::stale(n_roots * problem.output_row()),
            sink: Buffer::stale(if problem.sink { n_roots * heads } else { 0 }),
            gate: Buffer::zeros(if problem.gate { n } else { 0 }),
            edges: Buffer::zeros(n * problem.edges),
            prior: Buffer::stale(n_pairs * heads),
            weights: Buffer::stale(n * heads),
            scores: Buffer::stale(n * heads),
            own: [own(), own()],
            absorbed: [kept(), kept()],
            absorbed_grad: absorbed(),
            context: absorbed(),
        };
        let pass = Pass { problem, inputs: *inputs, table: &saved.table };
        let maps = BackwardWeights {
            keys_down: &RestWeights::down(problem, inputs, Side::Keys),
            values_down: &RestWeights::down(problem, inputs, Side::Values),
            keys_up: &RestWeights::up(problem, inputs, Side::Keys),
        };
        let parts = layout.tiles.par_iter().zip(back.parts(problem));
        parts.for_each(|(tile, out)| {
            SCRATCH.with_borrow_mut(|scratch| {
                read_tile_backward(pass, maps, tile, (&saved.norms, grad), scratch, out);
            });
        });
        back
    }

    /// The part of each tile.
    fn parts(&mut self, problem: &Problem) -> Vec<TileGrads<'_>> {
        let (tiles, heads) = (&problem.layout.tiles, problem.heads);
        let roots = |width: usize| tiles.iter().map(move |tile| tile.roots.len() * width);
        let places = |width: usize| tiles.iter().map(move |tile| tile.places.len() * width);
        let neighbors = |width: usize| tiles.iter().map(move |tile| tile.neighbors.len() * width);
        let (row, rest_row) = (problem.query_row(), problem.rest_row());
        let [own, own_grad] = self.own.each_mut().map(|rows| cut(rows, roots(row)).into_iter());
        let kept = if problem.layout.rows.projected.is_some() { 0 } else { rest_row };
        let [absorbed, absorbed_value] = self.absorbed.each_mut().map(|rows| cut(rows, places(kept)).into_iter());
        let parts = cut(&mut self.query, roots(problem.output_row())).into_iter();
        let parts = parts.zip(own.zip(own_grad)).zip(absorbed.zip(absorbed_value));
        let parts = parts.zip(cut(&mut self.sink, roots(if problem.sink { heads } else { 0 })));
        let parts = parts.zip(cut(&mut self.gate, neighbors(usize::from(problem.gate))));
        let parts = parts.zip(cut(&mut self.edges, neighbors(problem.edges)));
        let parts = parts.zip(cut(&mut self.prior, places(heads)));
        let parts = parts.zip(cut(&mut self.weights, neighbors(heads))).zip(cut(&mut self.scores, neighbors(heads)));
        let parts =
            parts.zip(cut(&mut self.absorbed_grad, places(rest_row))).zip(cut(&mut self.context, places(rest_row)));
        let parts = parts.map(
            |((((((((((query, own), read), sink), gate), edges), prior), weights), scores), absorbed), context)| {
                let slopes = Slopes { weights, scores, queries: &mut [], absorbed, context, prior, sink, gate, edges };
                TileGrads { query, own: own.into(), absorbed: read.into(), slopes }
            },
        );
        parts.collect()
    }

    /// The gradient of the priors `[R, H]`.
    fn prior(&self, problem: &Problem) -> Buffer {
        let places: Groups = problem.layout.places_by_relation(problem.n_relations);
        let mut grads = Buffer::zeros(problem.n_relations * problem.heads);
        for (relation, grad) in grads.chunks_exact_mut(problem.heads).enumerate() {
            for &place in places.of(relation) {
                let part = &self.prior[place as usize * problem.heads..][..problem.heads];
                grad.iter_mut().zip(part).for_each(|(grad, x)| *grad += x);
            }
        }
        grads
    }
}
