//! Attention over neighborhoods: both ways that it may go, and what is at its edges.

use timeweft_learn::nn::{self, Ages, NeighborhoodInput, Neighbors, Outlet, Tensor};
use timeweft_oracle::kernels as reference;

use super::case::{Array, Leaf, Noise, Results, agrees, backward, close, floats, leaf, slopes_agree};

/// Sizes and structure of a case.
#[derive(Clone, Debug)]
pub(super) struct Case {
    heads: usize,
    head: usize,
    width: usize,
    entry: Vec<u32>,
    gap: Vec<f64>,
    root_pairs: Vec<u32>,
    pair_neighbors: Vec<u32>,
    pair_relation: Vec<u32>,
    frequencies: Vec<f64>,
    kind: Kind,
}

/// What a case has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    sink: bool,
    gate: bool,
    edges: bool,
    ages: bool,
}

/// Neighbors alone, as the messages of a set.
const BARE: Kind = Kind { sink: false, gate: false, edges: false, ages: false };
const SINK: Kind = Kind { sink: true, ages: true, ..BARE };
pub(super) const FULL: Kind = Kind { gate: true, edges: true, ..SINK };
const KINDS: [Kind; 6] =
    [BARE, Kind { edges: true, ..BARE }, Kind { ages: true, ..BARE }, SINK, Kind { edges: true, ..SINK }, FULL];

/// Entries, roots, pairs, neighbors and relations of a case.
type Sizes = [usize; 5];

/// Entries are few where they are projected and many where queries are absorbed.
const SIZES: [(Sizes, [usize; 3]); 7] = [
    ([3, 6, 14, 40, 2], [2, 3, 7]),
    ([60, 3, 4, 40, 3], [2, 4, 9]),
    ([1, 1, 1, 1, 1], [1, 1, 1]),
    ([4, 3, 0, 0, 2], [2, 3, 4]),
    ([4, 5, 8, 0, 2], [1, 2, 3]),
    ([5, 9, 11, 30, 4], [1, 18, 17]),
    ([50, 2, 3, 23, 2], [3, 17, 33]),
];

impl Case {
    pub(super) fn new(
        [entries, roots, pairs, neighbors, relations]: Sizes,
        [heads, head, width]: [usize; 3],
        kind: Kind,
    ) -> (Case, Vec<Array>) {
        let mut noise = Noise((entries * 31 + neighbors) as u64);
        let case = Case {
            heads,
            head,
            width,
            entry: noise.index(neighbors, entries),
            gap: (0..neighbors).map(|j| if j % 6 == 0 { 0.0 } else { (1.0 + noise.next()) * 5_000.0 }).collect(),
            root_pairs: noise.offsets(roots, pairs),
            pair_neighbors: if pairs == 0 { vec![0] } else { noise.offsets(pairs, neighbors) },
            pair_relation: noise.index(pairs, relations),
            frequencies: vec![0.31, 0.01, 0.000_3],
            kind,
        };
        let token = width + if kind.ages { 4 } else { 0 } + if kind.edges { 5 } else { 0 };
        let weights = [relations, heads * head * token];
        let mut inputs = vec![
            noise.array([entries, width]),
            noise.array([roots, heads * head]),
            noise.array(weights),
            noise.array(weights),
            noise.array([relations, heads]),
        ];
        if kind.sink {
            inputs.push(noise.array([roots, heads]));
        }
        if kind.gate {
            let mut gate = noise.positive([neighbors, 1]);
            // Some shut, some open, some between: the gradient is defined everywhere.
            let hard = gate.values.iter_mut().enumerate().filter(|(j, _)| j % 3 < 2);
            hard.for_each(|(j, gate)| *gate = (j % 3) as f64);
            inputs.push(gate);
        }
        if kind.edges {
            inputs.push(noise.array([neighbors, 5]));
        }
        (case, inputs)
    }

    /// Positions of the sink, the gates and the features of edges.
    fn optional(&self) -> [Option<usize>; 3] {
        let Kind { sink, gate, edges, .. } = self.kind;
        let edges = edges.then_some(5 + usize::from(sink) + usize::from(gate));
        [sink.then_some(5), gate.then_some(6), edges]
    }

    pub(super) fn slow(&self, x: &[Array]) -> [Vec<f64>; 3] {
        let [sink, gate, edges] = self.optional().map(|at| at.map(|at| x[at].values.as_slice()));
        reference::neighborhood_attention(reference::Neighborhood {
            entries: &x[0].values,
            query: &x[1].values,
            keys: &x[2].values,
            values: &x[3].values,
            prior: &x[4].values,
            sink,
            gate,
            edges,
            entry: &self.entry,
            root_pairs: &self.root_pairs,
            pair_neighbors: &self.pair_neighbors,
            pair_relation: &self.pair_relation,
            ages: self.kind.ages.then_some((&self.gap, &self.frequencies, 700.0)),
            sizes: [self.heads, self.head, self.width],
        })
    }

    fn input(&self, tensors: &[Tensor<2>]) -> NeighborhoodInput<'_> {
        let [sink, gate, edges] = self.optional().map(|at| at.map(|at| tensors[at].clone()));
        let outlet = match (sink, gate) {
            (Some(sink), Some(gate)) => Outlet::Gated { sink, gate },
            (Some(sink), None) => Outlet::Sink(sink),
            _ => Outlet::None,
        };
        NeighborhoodInput {
            entries: tensors[0].clone(),
            query: tensors[1].clone(),
            keys: tensors[2].clone(),
            values: tensors[3].clone(),
            prior: tensors[4].clone(),
            outlet,
            edges,
            neighbors: Neighbors {
                entry: &self.entry,
                root_pairs: &self.root_pairs,
                pair_neighbors: &self.pair_neighbors,
                pair_relation: &self.pair_relation,
            },
            ages: self.kind.ages.then_some(Ages { gap: &self.gap, frequencies: &self.frequencies, scale: 700.0 }),
        }
    }

    pub(super) fn tracked(&self, x: &[Array], weights: &[f64]) -> Results {
        let (tensors, leaves): (Vec<Tensor<2>>, Vec<Leaf>) = x.iter().map(leaf::<2>).unzip();
        backward(nn::neighborhood_attention(self.input(&tensors)), weights, &leaves)
    }

    fn plain(&self, x: &[Array]) -> Vec<Tensor<2>> {
        x.iter().map(|x| x.tensor()).collect()
    }
}

/// Every kind of case of some sizes.
fn kinds((sizes, widths): (Sizes, [usize; 3])) -> impl Iterator<Item = (Case, Vec<Array>)> {
    KINDS.into_iter().map(move |kind| Case::new(sizes, widths, kind))
}

#[test]
fn neighborhood_attention_agrees_with_its_definition() {
    for (case, inputs) in SIZES.into_iter().flat_map(kinds) {
        let name = format!("neighborhood attention of {case:?}");
        let fast = case.clone();
        let slow = |x: &[Array]| case.slow(x)[0].clone();
        agrees(&name, &inputs, &slow, &move |x, weights| fast.tracked(x, weights));
    }
}

#[test]
fn neighborhood_weights_agree_with_their_definition() {
    for (case, inputs) in SIZES.into_iter().flat_map(kinds) {
        let [_, alphas, sinks] = case.slow(&inputs);
        let weights = nn::neighborhood_weights(case.input(&case.plain(&inputs)));
        close("alpha", &weights.neighbors, &alphas, 1e-5);
        close("alpha of the sink", &weights.sinks, &sinks, 1e-5);
        if case.kind.gate {
            continue;
        }
        for (root, ends) in case.root_pairs.windows(2).enumerate() {
            let [start, end] = [ends[0], ends[1]].map(|pair| case.pair_neighbors[pair as usize] as usize);
            for h in 0..case.heads {
                let total: f32 = (start..end).map(|j| weights.neighbors[j * case.heads + h]).sum();
                let whole = if case.kind.sink || start < end { 1.0 } else { 0.0 };
                assert!((total + weights.sinks[root * case.heads + h] - whole).abs() < 1e-5, "{case:?} root {root}");
            }
        }
    }
}

/// Many tiles, roots with more neighbors than a tile, and blocks of rows with a rest.
#[test]
fn neighborhood_attention_over_several_tiles_agrees_with_its_definition() {
    for entries in [150, 4_000] {
        let (mut case, inputs) = Case::new([entries, 300, 400, 2_500, 3], [2, 5, 21], FULL);
        case.pair_neighbors[200..230].fill(1_300);
        case.pair_neighbors.sort_unstable();
        let expected = case.slow(&inputs)[0].clone();
        let weights: Vec<f64> = (0..expected.len()).map(|i| (i % 5) as f64 - 2.0).collect();
        let (found, grads) = case.tracked(&inputs, &weights);
        close("output", &found, &expected, 1e-5);
        let loss = |x: &[Array]| case.slow(x)[0].iter().zip(&weights).map(|(y, w)| y * w).sum::<f64>();
        slopes_agree(&inputs, &grads, 1e-5, |count| vec![count / 3, count - 1], &loss);
    }
}

#[test]
fn scores_far_apart_or_minus_infinity_give_weights_that_are_numbers() {
    for entries in [2, 40] {
        for kind in [BARE, SINK] {
            let (case, mut inputs) = Case::new([entries, 3, 5, 30, 2], [2, 3, 4], kind);
            inputs[1].values.iter_mut().for_each(|x| *x *= 300.0);
            // The second relation is shut for one head, and where a root has no other its output is 0.
            inputs[4].values[2] = f64::NEG_INFINITY;
            if let Some(sink) = inputs.get_mut(5) {
                sink.values[0] = f64::NEG_INFINITY;
            }
            let expected = case.slow(&inputs)[0].clone();
            let (found, grads) = case.tracked(&inputs, &vec![1.0; expected.len()]);
            close("output", &found, &expected, 2e-4);
            assert!(grads.iter().flatten().all(|grad| grad.is_finite()), "{grads:?}");
        }
    }
}

#[test]
fn a_number_that_is_none_reaches_those_who_read_it_and_nobody_else() {
    for entries in [4, 60] {
        let (mut case, mut inputs) = Case::new([entries, 4, 4, 24, 2], [2, 3, 4], SINK);
        case.root_pairs = vec![0, 1, 2, 3, 4];
        case.pair_neighbors = vec![0, 6, 12, 18, 24];
        case.entry = (0..24).map(|j| if j == 7 { 0 } else { 1 + j % (entries as u32 - 1) }).collect();
        inputs[0].values[..4].fill(f64::NAN);
        let output = floats(nn::neighborhood_attention(case.input(&case.plain(&inputs))));
        for (root, row) in output.chunks(6).enumerate() {
            assert!(row.iter().all(|x| x.is_nan() == (root == 1)), "{entries} entries, root {root}: {row:?}");
        }
    }
}

#[test]
fn a_root_that_reads_nobody_is_zero_whatever_its_sink() {
    let (case, inputs) = Case::new([4, 3, 0, 0, 2], [2, 3, 4], SINK);
    let (found, grads) = case.tracked(&inputs, &[1.0; 18]);
    assert_eq!(found, [0.0; 18]);
    assert!(grads.iter().flatten().all(|grad| *grad == 0.0), "{grads:?}");
}

#[test]
fn a_root_whose_edges_are_all_shut_hears_nothing_and_can_still_learn_to() {
    let (case, mut inputs) = Case::new([4, 2, 2, 6, 1], [1, 3, 4], FULL);
    inputs[6].values.fill(0.0);
    let (heard, grads) = case.tracked(&inputs, &[1.0; 6]);
    assert_eq!(heard, [0.0; 6]);
    assert!(grads[6].iter().any(|grad| *grad != 0.0), "{grads:?}");
}
