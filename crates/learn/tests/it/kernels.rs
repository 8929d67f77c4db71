//! Every fused operation against its definition in `timeweft_oracle::kernels`: values, and gradients against finite differences.

#![allow(clippy::unwrap_used)]

use std::rc::Rc;

use timeweft_learn::nn::{self, ScanInput, Tensor};
use timeweft_oracle::kernels as reference;

use case::{Array, Noise, Results, agrees, backward, close, floats, leaf, slopes_agree};

mod case;
mod cells;
mod neighborhoods;
mod pairs;
mod plain;

#[test]
fn gather_and_scatter_agree_with_their_definitions() {
    for (rows, count, width) in [(7, 23, 5), (1, 4, 1), (5, 0, 3), (40, 17, 33), (3, 3, 16)] {
        let mut noise = Noise(rows as u64);
        let index: Rc<[u32]> = noise.index(count, rows).into();
        let (slow, fast) = (index.clone(), index.clone());
        agrees(
            "gather",
            &[noise.array([rows, width])],
            &move |x| reference::gather(&x[0].values, width, &slow),
            &move |x, weights| {
                let (tensor, leaf) = leaf::<2>(&x[0]);
                backward(nn::gather(tensor, &fast), weights, &[leaf])
            },
        );
        let (slow, fast) = (index.clone(), index);
        agrees(
            "scatter_sum",
            &[noise.array([count, width])],
            &move |x| reference::scatter_sum(&x[0].values, width, &slow, rows),
            &move |x, weights| {
                let (tensor, leaf) = leaf::<2>(&x[0]);
                backward(nn::scatter_sum(tensor, &fast, rows), weights, &[leaf])
            },
        );
    }
}

#[test]
fn gather_and_scatter_in_several_tasks_agree_with_their_definitions() {
    let (rows, count, width) = (50, 1100, 33);
    let mut noise = Noise(4);
    let (index, x, y) = (noise.index(count, rows), noise.array([rows, width]), noise.array([count, width]));
    let (tensor, leaf_x) = leaf::<2>(&x);
    let (taken, grads) = backward(nn::gather(tensor, &index), &y.values, &[leaf_x]);
    close("gather", &taken, &reference::gather(&x.values, width, &index), 1e-7);
    close("gather: gradient", &grads[0], &reference::scatter_sum(&y.values, width, &index, rows), 1e-5);
    let (tensor, leaf_y) = leaf::<2>(&y);
    let (put, grads) = backward(nn::scatter_sum(tensor, &index, rows), &x.values, &[leaf_y]);
    close("scatter_sum", &put, &reference::scatter_sum(&y.values, width, &index, rows), 1e-5);
    close("scatter_sum: gradient", &grads[0], &reference::gather(&x.values, width, &index), 1e-7);
}

#[test]
fn segment_mean_agrees_with_its_definition() {
    for (count, rows, width) in [(6, 20, 7), (3, 0, 4), (1, 5, 1), (30, 11, 32)] {
        let mut noise = Noise(3 + rows as u64);
        let offsets: Rc<[u32]> = noise.offsets(count, rows).into();
        let fast = offsets.clone();
        agrees(
            "segment_mean",
            &[noise.array([rows, width])],
            &move |x| reference::segment_mean(&x[0].values, width, &offsets),
            &move |x, weights| {
                let (tensor, leaf) = leaf::<2>(&x[0]);
                backward(nn::segment_mean(tensor, &fast), weights, &[leaf])
            },
        );
    }
}

#[test]
fn typed_linear_agrees_with_its_definition() {
    for (types, rows, inner, outer) in [(3, 20, 5, 7), (4, 3, 1, 1), (1, 1, 8, 3), (2, 0, 4, 4), (3, 9, 17, 2)] {
        for biased in [false, true] {
            let mut noise = Noise(rows as u64 + 5);
            let offsets: Rc<[u32]> = noise.offsets(types, rows).into();
            let fast = offsets.clone();
            let mut inputs = vec![noise.array([rows, inner]), noise.array([types, inner, outer])];
            if biased {
                inputs.push(noise.array([types, outer]));
            }
            agrees(
                "typed_linear",
                &inputs,
                &move |x| {
                    let b = x.get(2).map(|b| b.values.as_slice());
                    reference::typed_linear(&x[0].values, &offsets, &x[1].values, b, [inner, outer])
                },
                &move |x, weights| {
                    let ((a, la), (w, lw)) = (leaf::<2>(&x[0]), leaf::<3>(&x[1]));
                    match x.get(2).map(leaf::<2>) {
                        None => backward(nn::typed_linear(a, &fast, w, None), weights, &[la, lw]),
                        Some((b, lb)) => backward(nn::typed_linear(a, &fast, w, Some(b)), weights, &[la, lw, lb]),
                    }
                },
            );
        }
    }
}

#[test]
fn typed_linear_over_several_blocks_agrees_with_its_definition() {
    let (rows, inner, outer) = (1100, 70, 9);
    let mut noise = Noise(77);
    let (x, w) = (noise.array([rows, inner]), noise.array([2, inner, outer]));
    let offsets = [0, 700, 1100];
    let expected = reference::typed_linear(&x.values, &offsets, &w.values, None, [inner, outer]);
    let ((x, lx), (w, lw)) = (leaf::<2>(&x), leaf::<3>(&w));
    let (found, grads) =
        backward(nn::typed_linear(x.clone(), &offsets, w.clone(), None), &vec![1.0; rows * outer], &[lx, lw]);
    close("typed_linear", &found, &expected, 1e-5);
    let (x, w) = (floats(x), floats(w));
    let column = |kind: usize, i: usize| {
        let rows = offsets[kind] as usize..offsets[kind + 1] as usize;
        rows.map(|row| f64::from(x[row * inner + i])).sum::<f64>()
    };
    let dw: Vec<f64> = (0..2 * inner * outer).map(|at| column(at / outer / inner, at / outer % inner)).collect();
    close("typed_linear: gradient of w", &grads[1], &dw, 1e-4);
    let row_sum = |kind: usize, i: usize| w[(kind * inner + i) * outer..][..outer].iter().map(|w| f64::from(*w)).sum();
    let dx: Vec<f64> = (0..rows * inner).map(|at| row_sum(usize::from(at / inner >= 700), at % inner)).collect();
    close("typed_linear: gradient of x", &grads[0], &dx, 1e-4);
}

/// Sizes of a scan case: tokens, channels, states, segments.
const SCANS: [[usize; 4]; 6] =
    [[12, 5, 8, 4], [1, 1, 1, 1], [9, 17, 1, 3], [20, 3, 16, 8], [0, 4, 8, 2], [40, 4, 3, 30]];

fn scan_case([tokens, channels, states, segments]: [usize; 4], gated: bool) -> (Vec<f32>, Vec<u32>, Vec<Array>) {
    let mut noise = Noise(tokens as u64 + 31);
    let gap = (0..tokens).map(|t| if t % 5 == 0 { 0.0 } else { (noise.next() + 1.0) as f32 }).collect();
    let offsets = noise.offsets(segments, tokens);
    let mut inputs = vec![
        noise.array([tokens, channels]),
        noise.positive([tokens, channels]),
        noise.array([tokens, states]),
        noise.array([tokens, states]),
        noise.positive([channels]),
        noise.positive([channels, states]),
        noise.array([channels]),
        noise.array([segments, channels, states]),
    ];
    if gated {
        inputs.push(noise.positive([tokens, channels]));
    }
    (gap, offsets, inputs)
}

fn slow_scan(gap: &[f32], segments: &[u32], x: &[Array]) -> [Vec<f64>; 2] {
    let gap: Vec<f64> = gap.iter().map(|gap| f64::from(*gap)).collect();
    reference::selective_scan(reference::Scan {
        x: &x[0].values,
        delta: &x[1].values,
        b: &x[2].values,
        c: &x[3].values,
        kappa: &x[4].values,
        a: &x[5].values,
        dskip: &x[6].values,
        h0: &x[7].values,
        g: x.get(8).map(|g| g.values.as_slice()),
        gap: &gap,
        segments,
    })
}

/// The scan of a case on a device without autodiff.
fn fast_scan(gap: &[f32], segments: &[u32], x: &[Array]) -> (Vec<f32>, Vec<f32>) {
    let (y, h) = nn::selective_scan(ScanInput {
        x: x[0].tensor(),
        delta: x[1].tensor(),
        b: x[2].tensor(),
        c: x[3].tensor(),
        kappa: x[4].tensor(),
        a: x[5].tensor(),
        dskip: x[6].tensor(),
        h0: x[7].tensor(),
        g: x.get(8).map(|g| g.tensor()),
        gap,
        segments,
    });
    (floats(y), floats(h))
}

/// Which outputs of the scan the loss reads.
#[derive(Clone, Copy, PartialEq)]
enum Read {
    Both,
    Outputs,
    States,
}

fn tracked_scan(gap: &[f32], segments: &[u32], x: &[Array], weights: &[f64], read: Read) -> Results {
    let ((a, la), (delta, ld), (b, lb), (c, lc)) =
        (leaf::<2>(&x[0]), leaf::<2>(&x[1]), leaf::<2>(&x[2]), leaf::<2>(&x[3]));
    let ((kappa, lk), (rate, lr), (skip, ls), (h0, lh)) =
        (leaf::<1>(&x[4]), leaf::<2>(&x[5]), leaf::<1>(&x[6]), leaf::<3>(&x[7]));
    let mut leaves = vec![la, ld, lb, lc, lk, lr, ls, lh];
    let g = x.get(8).map(|g| {
        let (tensor, leaf) = leaf::<2>(g);
        leaves.push(leaf);
        tensor
    });
    let (y, h) = nn::selective_scan(ScanInput { x: a, delta, b, c, g, gap, kappa, a: rate, dskip: skip, h0, segments });
    let (n_y, n_h) = (y.values().len(), h.values().len());
    let (y, h) = (y.reshape([n_y, 1]), h.reshape([n_h, 1]));
    match read {
        Read::Both => backward(nn::below(y, h), weights, &leaves),
        Read::Outputs => backward(y, weights, &leaves),
        Read::States => backward(h, weights, &leaves),
    }
}

#[test]
fn scan_agrees_with_its_definition_through_both_outputs() {
    for sizes in SCANS {
        for gated in [false, true] {
            for read in [Read::Both, Read::Outputs, Read::States] {
                if sizes[0] == 0 && read == Read::Outputs {
                    continue; // A sum of nothing has no gradient.
                }
                let (gap, segments, inputs) = scan_case(sizes, gated);
                let (slow_gap, slow_segments) = (gap.clone(), segments.clone());
                let slow = move |x: &[Array]| {
                    let [y, h] = slow_scan(&slow_gap, &slow_segments, x);
                    match read {
                        Read::Both => [y, h].concat(),
                        Read::Outputs => y,
                        Read::States => h,
                    }
                };
                let fast = move |x: &[Array], weights: &[f64]| tracked_scan(&gap, &segments, x, weights, read);
                agrees(&format!("scan {sizes:?}"), &inputs, &slow, &fast);
            }
        }
    }
}

/// Long segments are cut into pieces, and pieces into chunks of which only borders are kept.
#[test]
fn a_scan_in_pieces_agrees_with_its_definition() {
    let (gap, _, mut inputs) = scan_case([3_400, 3, 2, 4], true);
    // Slow enough that a state is felt over the border of a piece, and the gradient back over it.
    inputs[1].values.iter_mut().for_each(|delta| *delta = f64::from((0.002 * *delta) as f32));
    inputs[4].values.iter_mut().for_each(|kappa| *kappa = f64::from((0.001 * *kappa) as f32));
    let segments = [0, 1_024, 2_050, 2_060, 3_400];
    let [y, h] = slow_scan(&gap, &segments, &inputs);
    let expected = [y, h].concat();
    let weights: Vec<f64> = (0..expected.len()).map(|i| (i % 7) as f64 - 3.0).collect();
    let (found, grads) = tracked_scan(&gap, &segments, &inputs, &weights, Read::Both);
    close("scan in pieces", &found, &expected, 1e-5);
    let loss =
        |x: &[Array]| slow_scan(&gap, &segments, x).concat().iter().zip(&weights).map(|(y, w)| y * w).sum::<f64>();
    let places = |count: usize| (0..23).map(|i| (i * 7_919 + 3 * i * i) % count).collect();
    slopes_agree(&inputs, &grads, 1e-6, places, &loss);
}

#[test]
fn stepping_through_the_state_equals_one_scan() {
    let sizes = [10, 6, 8, 1];
    let (gap, segments, inputs) = scan_case(sizes, true);
    let (y, h) = fast_scan(&gap, &segments, &inputs);
    let mut state = inputs[7].clone();
    let mut stepped = Vec::new();
    for t in 0..sizes[0] {
        let mut token = inputs.clone();
        for k in [0, 1, 2, 3, 8] {
            let width = inputs[k].shape[1];
            token[k] = Array { shape: vec![1, width], values: inputs[k].values[t * width..][..width].to_vec() };
        }
        token[7] = state.clone();
        let (y, h) = fast_scan(&gap[t..=t], &[0, 1], &token);
        stepped.extend(y);
        state.values = h.iter().map(|h| f64::from(*h)).collect();
    }
    assert_eq!(y, stepped);
    assert_eq!(h, state.values.iter().map(|h| *h as f32).collect::<Vec<_>>());
}

#[test]
fn splitting_an_idle_gap_changes_nothing() {
    // A token that writes nothing and whose selective step is 0 is a pure wait.
    let (_, _, inputs) = scan_case([2, 6, 8, 1], true);
    let wait = |gaps: &[f32]| {
        let mut token = inputs.clone();
        for k in [0, 1, 2, 3, 8] {
            let width = inputs[k].shape[1];
            token[k] = Array { shape: vec![gaps.len(), width], values: vec![0.0; gaps.len() * width] };
        }
        fast_scan(gaps, &[0, gaps.len() as u32], &token).1
    };
    let whole: Vec<f64> = wait(&[3.0]).iter().map(|h| f64::from(*h)).collect();
    close("two parts", &wait(&[1.25, 1.75]), &whole, 1e-6);
    close("with an empty part", &wait(&[0.0, 2.5, 0.0, 0.5]), &whole, 1e-6);
    assert!(wait(&[2.0]).iter().zip(&whole).any(|(h, whole)| (f64::from(*h) - whole).abs() > 1e-3));
}

#[test]
fn extreme_rates_and_gaps_give_no_nan() {
    for rate in [1e-30, 1e-6, 1e6, 1e30] {
        let (_, segments, mut inputs) = scan_case([12, 5, 8, 3], false);
        inputs[5].values.fill(rate);
        let gap = [0.0, 1e6, 1e30, 0.0, 1.0, 1e6, 0.0, 1e6, 1e30, 0.0, 1.0, 1e6];
        let weights = vec![1.0; 12 * 5 + 3 * 5 * 8];
        let (outputs, grads) = tracked_scan(&gap, &segments, &inputs, &weights, Read::Both);
        assert!(outputs.iter().all(|y| y.is_finite()), "rate {rate}: {outputs:?}");
        assert!(grads.iter().flatten().all(|grad| !grad.is_nan()), "rate {rate}");
        close("scan", &outputs, &slow_scan(&gap, &segments, &inputs).concat(), 1e-5);
    }
}

#[test]
fn rms_norm_agrees_with_its_definition() {
    for (rows, width) in [(5, 7), (1, 1), (0, 4), (300, 3), (3, 40)] {
        let mut noise = Noise(rows as u64 + 41);
        agrees(
            "rms_norm",
            &[noise.array([rows, width]), noise.array([width])],
            &|x| reference::rms_norm(&x[0].values, &x[1].values),
            &|x, weights| {
                let ((a, la), (w, lw)) = (leaf::<2>(&x[0]), leaf::<1>(&x[1]));
                backward(nn::rms_norm(a, w), weights, &[la, lw])
            },
        );
    }
    assert_eq!(floats(nn::rms_norm(Tensor::zeros([2, 3]), Tensor::new(vec![1.0; 3], [3]))), [0.0; 6]);
}

type Fused = fn(Tensor<2>) -> Tensor<2>;
type Plain = fn(&[f64]) -> Vec<f64>;

#[test]
fn activations_agree_with_their_definitions() {
    let both: [(&str, Fused, Plain); 2] =
        [("silu", nn::silu, reference::silu), ("softplus", nn::softplus, reference::softplus)];
    for (name, fused, plain) in both {
        for (rows, width) in [(5, 7), (1, 1), (0, 4), (300, 40)] {
            let mut x = Noise(rows as u64 + 5).array([rows, width]);
            x.values.iter_mut().for_each(|x| *x *= 6.0);
            agrees(name, &[x], &move |x| plain(&x[0].values), &move |x, weights| {
                let (a, la) = leaf::<2>(&x[0]);
                backward(fused(a), weights, &[la])
            });
        }
        let far = Tensor::new(vec![-300.0, 300.0], [1, 2]);
        close(name, &floats(fused(far)), &[0.0, 300.0], 1e-6);
    }
}

#[test]
fn time_encoding_agrees_with_its_definition() {
    let gaps: Vec<f64> = (0..2000).map(|i| f64::from(i) * 1_296.7).collect();
    let freqs: Vec<f64> = (0..19).map(|i| 10_f64.powf(-f64::from(i) / 3.0)).collect();
    let found = nn::time_encoding(&gaps, &freqs);
    close("time_encoding", &found, &reference::time_encoding(&gaps, &freqs), 1e-6);
    assert!(nn::time_encoding(&[], &freqs).is_empty());
    assert!(nn::time_encoding(&gaps, &[]).is_empty());
}

/// Every operation once, forward and backward, at sizes that are cut into several tasks.
fn everything() -> Vec<Vec<f32>> {
    let mut noise = Noise(1);
    let mut results = Vec::new();
    let mut keep = |(outputs, grads): Results| {
        results.push(outputs);
        results.extend(grads);
    };
    let weights = |count: usize| (0..count).map(|i| (i % 7) as f64 - 3.0).collect::<Vec<f64>>();
    let index = noise.index(3000, 400);
    let (x, l) = leaf::<2>(&noise.array([400, 24]));
    keep(backward(nn::gather(x, &index), &weights(3000 * 24), &[l]));
    let (x, l) = leaf::<2>(&noise.array([3000, 24]));
    keep(backward(nn::scatter_sum(x, &index, 400), &weights(400 * 24), &[l]));
    let ((x, lx), (w, lw)) = (leaf::<2>(&noise.array([1500, 70])), leaf::<3>(&noise.array([2, 70, 20])));
    keep(backward(nn::typed_linear(x, &[0, 1100, 1500], w, None), &weights(1500 * 20), &[lx, lw]));
    let ((x, lx), (w, lw)) = (leaf::<2>(&noise.array([900, 20])), leaf::<1>(&noise.array([20])));
    keep(backward(nn::rms_norm(x, w), &weights(900 * 20), &[lx, lw]));
    for entries in [60, 3_000] {
        let sizes = [entries, 300, 700, 2_000, 3];
        let (case, x) = neighborhoods::Case::new(sizes, [2, 12, 20], neighborhoods::FULL);
        keep(case.tracked(&x, &weights(300 * 24)));
    }
    keep(cells::recurrence_of(400, 20, 60));
    let (gap, segments, x) = scan_case([400, 20, 8, 60], true);
    keep(tracked_scan(&gap, &segments, &x, &weights(400 * 20 + 60 * 20 * 8), Read::Both));
    let (gap, _, x) = scan_case([3_000, 20, 8, 2], false);
    keep(tracked_scan(&gap, &[0, 2_900, 3_000], &x, &weights(3_000 * 20 + 2 * 20 * 8), Read::Both));
    results.push(nn::time_encoding(&[1.5; 3000], &[0.3, 0.7]));
    results
}

#[test]
fn results_are_the_same_bits_for_any_number_of_threads() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let results = pool.install(everything);
        results.into_iter().map(|row| row.into_iter().map(f32::to_bits).collect()).collect::<Vec<Vec<u32>>>()
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(3));
}

#[test]
fn inputs_without_autodiff_are_constants_beside_tracked_ones() {
    let mut noise = Noise(8);
    let (x, w) = (noise.array([6, 4]), noise.array([1, 4, 3]));
    let (tracked, leaf) = leaf::<2>(&x);
    let plain = w.tensor::<3>();
    let y = nn::typed_linear(tracked, &[0, 6], plain.clone(), None);
    let (_, grads) = backward(y, &[1.0; 18], &[leaf]);
    let rows: Vec<f64> = w.values.chunks(3).map(|row| row.iter().sum()).collect();
    close("gradient", &grads[0], &rows.repeat(6), 1e-5);
}
