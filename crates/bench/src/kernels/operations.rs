//! The kernels at the shapes of a training step.

use std::cell::RefCell;

use timeweft_learn::nn::{self, Ages, Module, NeighborhoodInput, Neighbors, Outlet, Param, ScanInput, Tensor};
use timeweft_learn::{Optimizer, splitmix64};

use super::Work;
use crate::clock::{Clock, Seconds};

/// One kernel at one shape.
pub(crate) struct Operation {
    pub(crate) name: String,
    /// What its time is divided by.
    pub(crate) rows: usize,
    /// What is said behind the name of each pass.
    pub(crate) passes: [&'static str; 2],
    pub(crate) forward: Work,
    pub(crate) backward: Work,
    pub(crate) prepare: Box<dyn Fn() -> Run>,
}

const BOTH: [&str; 2] = [" forward", " backward"];

/// Runs a kernel once, forward and backward.
type Run = Box<dyn Fn() -> [Seconds; 2]>;

pub(crate) fn operations() -> Vec<Operation> {
    let mut operations = Vec::new();
    for (roots, entries) in [(600, 1_000), (600, 6_000), (6_800, 1_000)] {
        for width in [64, 100] {
            operations.push(neighborhood(roots, entries, width));
        }
    }
    operations.extend([scan(400, 300), scan(10_000, 1)]);
    operations.extend([linear(6_800, 64, 64), linear(1_200, 100, 100), linear(600, 117, 100)]);
    operations.push(adam_w(1 << 20));
    operations
}

/// Numbers in [-1, 1) by a counter.
fn noise(n: usize) -> impl Iterator<Item = f32> {
    (0..n as u64).map(|i| (splitmix64(i) >> 40) as f32 / (1u64 << 23) as f32 - 1.0)
}

fn leaf<const D: usize>(shape: [usize; D], number: impl Fn(f32) -> f32) -> Tensor<D> {
    let values: Vec<f32> = noise(shape.iter().product()).map(number).collect();
    Tensor::new(values, shape).tracked()
}

/// Times a function of tracked tensors and its backward pass.
fn timed(function: impl Fn() -> Tensor<2> + 'static) -> Run {
    Box::new(move || {
        let start = Clock::now();
        let sum = nn::total(function());
        let forward = start.elapsed();
        let grads = sum.backward();
        let both = start.elapsed();
        drop(grads);
        [forward, both - forward]
    })
}

/// Floats read and written as bytes.
fn bytes(floats: usize) -> f64 {
    4.0 * floats as f64
}

/// Ten neighbors a root over two relations; two heads, sixteen cosines.
fn neighborhood(roots: usize, entries: usize, width: usize) -> Operation {
    const K: usize = 10;
    const HEADS: usize = 2;
    let token = width + 17;
    let neighbors = roots * K;
    let (pairs, rows) = (2 * roots, (2 * entries).min(neighbors));
    // Of the two ways of applying a map to what entries make up of a token, the cheaper; the rest is absorbed.
    let maps = 2 * width * (pairs.min(rows) * width + pairs * (token - width)) * 2;
    let read = 2 * 2 * neighbors * (width + HEADS * 17);
    let floats = entries * width + 2 * roots * width + 4 * width * token + 2 * neighbors;
    let prepare = move || {
        let index = |salt: u64, n: usize| (0..neighbors as u64).map(move |j| (splitmix64(j ^ salt) % n as u64) as u32);
        let entry: Vec<u32> = index(1, entries).collect();
        let gap: Vec<f64> = index(2, 1 << 30).map(f64::from).collect();
        let root_pairs: Vec<u32> = (0..=roots as u32).map(|root| 2 * root).collect();
        let pair_neighbors: Vec<u32> = (0..=pairs as u32).map(|pair| pair * K as u32 / 2).collect();
        let pair_relation: Vec<u32> = (0..pairs as u32).map(|pair| pair % 2).collect();
        let frequencies: Vec<f64> = (0..16).map(|i| 10f64.powf(-3.0 - f64::from(i) / 3.0)).collect();
        let weights = || leaf([2, width * token], |x| 0.1 * x);
        let tensors = [leaf([entries, width], |x| x), leaf([roots, width], |x| x), weights(), weights()];
        let (prior, sink) = (leaf([2, HEADS], |x| x), leaf([roots, HEADS], |x| x));
        timed(move || {
            let [entries, query, keys, values] = tensors.clone();
            nn::neighborhood_attention(NeighborhoodInput {
                entries,
                query,
                keys,
                values,
                prior: prior.clone(),
                outlet: Outlet::Sink(sink.clone()),
                edges: None,
                neighbors: Neighbors {
                    entry: &entry,
                    root_pairs: &root_pairs,
                    pair_neighbors: &pair_neighbors,
                    pair_relation: &pair_relation,
                },
                ages: Some(Ages { gap: &gap, frequencies: &frequencies, scale: 1e4 }),
            })
        })
    };
    Operation {
        name: format!("neighborhood Q {roots} V {entries} d {width}"),
        rows: roots,
        passes: BOTH,
        forward: Work { flops: (maps + read) as f64, bytes: bytes(floats) },
        // Each product gives two gradients; scores and what is read are made again.
        backward: Work { flops: (2 * maps + 3 * read) as f64, bytes: bytes(2 * floats) },
        prepare: Box::new(prepare),
    }
}

/// Tokens in segments of equal length, 100 channels of 8 states.
fn scan(tokens: usize, segments: usize) -> Operation {
    let (channels, states) = (100, 8);
    let floats = tokens * (3 * channels + 2 * states) + 2 * segments * channels * states;
    let prepare = move || {
        let offsets: Vec<u32> = (0..=segments).map(|s| (s * tokens / segments) as u32).collect();
        let gap = vec![0.5f32; tokens];
        let positive = |x: f32| 0.6 + 0.5 * x;
        let [x, delta] = [leaf([tokens, channels], |x| x), leaf([tokens, channels], positive)];
        let [b, c] = [leaf([tokens, states], |x| x), leaf([tokens, states], |x| x)];
        let (kappa, a) = (leaf([channels], positive), leaf([channels, states], positive));
        let (dskip, h0) = (leaf([channels], |x| x), leaf([segments, channels, states], |x| x));
        timed(move || {
            let [x, delta, b, c] = [&x, &delta, &b, &c].map(Tensor::clone);
            let (kappa, a, dskip, h0) = (kappa.clone(), a.clone(), dskip.clone(), h0.clone());
            let input = ScanInput { x, delta, b, c, g: None, gap: &gap, kappa, a, dskip, h0, segments: &offsets };
            nn::selective_scan(input).0
        })
    };
    let cells = (tokens * channels * states) as f64;
    Operation {
        name: format!("scan G {tokens} S {segments} D {channels} N {states}"),
        rows: tokens,
        passes: BOTH,
        // An exponential is counted as twenty.
        forward: Work { flops: 26.0 * cells, bytes: bytes(floats) },
        backward: Work { flops: 60.0 * cells, bytes: bytes(2 * floats) },
        prepare: Box::new(prepare),
    }
}

fn linear(rows: usize, inner: usize, outer: usize) -> Operation {
    let flops = (2 * rows * inner * outer) as f64;
    let floats = rows * (inner + outer) + inner * outer;
    let prepare = move || {
        let (x, w) = (leaf([rows, inner], |x| x), leaf([1, inner, outer], |x| 0.1 * x));
        timed(move || nn::typed_linear(x.clone(), &[0, rows as u32], w.clone(), None))
    };
    Operation {
        name: format!("typed_linear {rows} x {inner} x {outer}"),
        rows,
        passes: BOTH,
        forward: Work { flops, bytes: bytes(floats) },
        backward: Work { flops: 2.0 * flops, bytes: bytes(2 * floats) },
        prepare: Box::new(prepare),
    }
}

/// One step of the optimiser on one tensor.
fn adam_w(weights: usize) -> Operation {
    let prepare = move || -> Run {
        let weight = Param::new(noise(weights).collect::<Vec<f32>>(), [weights]).tracked();
        let state = RefCell::new((Optimizer::default(), weight));
        let gradient = Tensor::new(noise(weights).collect::<Vec<f32>>(), [weights]);
        Box::new(move || {
            let (optimizer, weight) = &mut *state.borrow_mut();
            let gradients = nn::total(weight.val() * gradient.clone()).backward();
            let start = Clock::now();
            optimizer.step(1e-3, weight, gradients);
            [start.elapsed(), Seconds::default()]
        })
    };
    Operation {
        name: format!("AdamW {weights}"),
        rows: weights,
        passes: ["", ""],
        forward: Work { flops: 14.0 * weights as f64, bytes: bytes(7 * weights) },
        backward: Work::default(),
        prepare: Box::new(prepare),
    }
}
