//! Plain operations, whose definitions fit in a line, and losses.

use timeweft_learn::nn::{self, Tensor};
use timeweft_oracle::kernels as reference;

use super::case::{Array, Noise, agrees, backward, close, leaf};

type Fused = fn(Vec<Tensor<2>>) -> Tensor<2>;
type Plain = fn(&[Array]) -> Vec<f64>;

/// Row i of an input.
fn row(x: &Array, i: usize) -> &[f64] {
    &x.values[i * x.shape[1]..(i + 1) * x.shape[1]]
}

fn rows(x: &Array, each: impl Fn(usize) -> Vec<f64>) -> Vec<f64> {
    (0..x.shape[0]).flat_map(each).collect()
}

fn pairs(x: &[Array], each: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    x[0].values.iter().zip(&x[1].values).map(|(a, b)| each(*a, *b)).collect()
}

fn check(name: &str, inputs: &[Array], plain: Plain, fused: Fused) {
    agrees(name, inputs, &move |x| plain(x), &move |x, weights| {
        let (tensors, leaves): (Vec<Tensor<2>>, Vec<_>) = x.iter().map(leaf::<2>).unzip();
        backward(fused(tensors), weights, &leaves)
    });
}

fn two(x: Vec<Tensor<2>>) -> [Tensor<2>; 2] {
    x.try_into().unwrap_or_else(|_| panic!("two inputs"))
}

#[test]
fn each_number_by_itself() {
    let both: [(&str, Plain, Fused); 4] = [
        ("add", |x| pairs(x, |a, b| a + b), |x| two(x).into_iter().reduce(|a, b| a + b).unwrap()),
        ("subtract", |x| pairs(x, |a, b| a - b), |x| two(x).into_iter().reduce(|a, b| a - b).unwrap()),
        ("multiply", |x| pairs(x, |a, b| a * b), |x| two(x).into_iter().reduce(|a, b| a * b).unwrap()),
        (
            "the same twice",
            |x| pairs(x, |a, b| a * a + b),
            |x| {
                let [a, b] = two(x);
                a.clone() * a + b
            },
        ),
    ];
    for (rows, width) in [(4, 7), (1, 1), (0, 3), (70, 600)] {
        for (name, plain, fused) in both {
            let mut noise = Noise(rows as u64 + 3);
            let inputs = [noise.array([rows, width]), noise.array([rows, width])];
            // Differences of the reference cost a pass a number.
            if rows * width < 100 {
                check(name, &inputs, plain, fused);
            } else {
                let found = fused(inputs.iter().map(Array::tensor).collect());
                close(name, found.values(), &plain(&inputs), 1e-6);
            }
        }
    }
    let one: [(&str, Plain, Fused); 3] = [
        ("scale", |x| x[0].values.iter().map(|x| x * 2.5).collect(), |x| x[0].clone() * 2.5),
        ("relu", |x| x[0].values.iter().map(|x| x.max(0.0)).collect(), |x| nn::relu(x[0].clone())),
        ("exp", |x| x[0].values.iter().map(|x| x.exp()).collect(), |x| nn::exp(x[0].clone())),
    ];
    for (name, plain, fused) in one {
        check(name, &[Noise(9).array([5, 6])], plain, fused);
    }
    assert!(nn::relu(Tensor::new(vec![f32::NAN, -1.0], [1, 2])).values()[0].is_nan());
}

#[test]
fn parts_and_sums() {
    let mut noise = Noise(21);
    let (x, y, z) = (noise.array([4, 3]), noise.array([4, 5]), noise.array([2, 3]));
    check(
        "beside",
        &[x.clone(), y.clone()],
        |x| rows(&x[0], |i| [row(&x[0], i), row(&x[1], i)].concat()),
        |x| {
            let [x, y] = two(x);
            nn::beside(x, y)
        },
    );
    check(
        "below",
        &[x.clone(), z],
        |x| [&x[0].values[..], &x[1].values].concat(),
        |x| {
            let [x, z] = two(x);
            nn::below(x, z)
        },
    );
    check(
        "columns",
        std::slice::from_ref(&y),
        |x| rows(&x[0], |i| row(&x[0], i)[1..4].to_vec()),
        |x| nn::columns(x[0].clone(), 1, 3),
    );
    check("rows", std::slice::from_ref(&y), |x| x[0].values[5..15].to_vec(), |x| nn::rows(x[0].clone(), 1, 2));
    check(
        "row_sums",
        std::slice::from_ref(&y),
        |x| rows(&x[0], |i| vec![row(&x[0], i).iter().sum()]),
        |x| nn::row_sums(x[0].clone()).reshape([4, 1]),
    );
    check(
        "mean",
        std::slice::from_ref(&y),
        |x| vec![x[0].values.iter().sum::<f64>() / 20.0],
        |x| nn::mean(x[0].clone()).reshape([1, 1]),
    );
    check(
        "add_row",
        &[x, noise.array([1, 3])],
        |x| rows(&x[0], |i| row(&x[0], i).iter().zip(&x[1].values).map(|(a, b)| a + b).collect()),
        |x| {
            let [x, y] = two(x);
            nn::add_row(x, y.reshape([3]))
        },
    );
}

#[test]
fn linear_maps_agree_with_their_definition() {
    for (n, inner, outer) in [(5, 3, 4), (1, 1, 1), (0, 2, 3), (7, 20, 17)] {
        let mut noise = Noise(n as u64 + 61);
        let inputs = [noise.array([n, inner]), noise.array([inner, outer]), noise.array([1, outer])];
        let plain = |x: &[Array]| {
            let [inner, outer] = x[1].shape[..] else { panic!("the rank of w") };
            let offsets = [0, x[0].shape[0] as u32];
            reference::typed_linear(&x[0].values, &offsets, &x[1].values, Some(&x[2].values), [inner, outer])
        };
        check("linear", &inputs, plain, |x| {
            let [_, outer] = x[1].dims();
            nn::linear(x[0].clone(), x[1].clone(), Some(x[2].clone().reshape([outer])))
        });
    }
}

#[test]
fn rows_that_are_taken_and_added_up_agree_with_their_definition() {
    // Of few rows of a large table, whose gradient is that of the rows alone, and of many of a small one.
    for (table, n, each, width) in [(50, 4, 2, 5), (3, 6, 3, 17), (1, 1, 1, 1), (9, 0, 2, 4)] {
        let mut noise = Noise(table as u64 + 71);
        let index = noise.index(n * each, table);
        let (slow, fast) = (index.clone(), index);
        agrees(
            "gather_sum",
            &[noise.array([table, width])],
            &move |x| {
                let taken = reference::gather(&x[0].values, width, &slow);
                let run = |i: usize, c: usize| (0..each).map(|k| taken[(i * each + k) * width + c]).sum();
                (0..n * width).map(|at| run(at / width, at % width)).collect()
            },
            &move |x, weights| {
                let (tensor, leaf) = leaf::<2>(&x[0]);
                backward(nn::gather_sum(tensor, &fast, each), weights, &[leaf])
            },
        );
    }
    // The gradients of two reads of one table meet, of rows and of the whole.
    let mut noise = Noise(5);
    agrees(
        "two reads",
        &[noise.array([40, 3])],
        &|x| {
            let first = reference::gather(&x[0].values, 3, &[7, 39, 7]);
            let second = reference::gather(&x[0].values, 3, &[0, 7, 8]);
            first.iter().zip(&second).zip(&x[0].values).map(|((a, b), c)| a * b + c).collect()
        },
        &|x, weights| {
            let (tensor, leaf) = leaf::<2>(&x[0]);
            let (first, second) = (nn::gather(tensor.clone(), &[7, 39, 7]), nn::gather(tensor.clone(), &[0, 7, 8]));
            backward(first * second + nn::rows(tensor, 0, 3), weights, &[leaf])
        },
    );
}

#[test]
fn sums_of_runs_agree_with_their_definition() {
    for (count, rows, width) in [(6, 20, 7), (3, 0, 4), (1, 5, 1)] {
        let mut noise = Noise(3 + rows as u64);
        let offsets = noise.offsets(count, rows);
        let fast = offsets.clone();
        let run = move |x: &[Array], s: usize, c: usize| {
            (offsets[s] as usize..offsets[s + 1] as usize).map(|i| x[0].values[i * width + c]).sum::<f64>()
        };
        agrees(
            "segment_sum",
            &[noise.array([rows, width])],
            &move |x| (0..count * width).map(|at| run(x, at / width, at % width)).collect(),
            &move |x, weights| {
                let (tensor, leaf) = leaf::<2>(&x[0]);
                backward(nn::segment_sum(tensor, &fast), weights, &[leaf])
            },
        );
    }
}

#[test]
fn losses_agree_with_their_definitions() {
    let mut logits = Noise(31).array([5, 4]);
    logits.values.iter_mut().for_each(|x| *x *= 4.0);
    let softmax = |x: &[Array]| {
        let loss = |i: usize| row(&x[0], i).iter().map(|x| x.exp()).sum::<f64>().ln() - row(&x[0], i)[0];
        vec![(0..5).map(loss).sum::<f64>() / 5.0]
    };
    check("softmax_loss", std::slice::from_ref(&logits), softmax, |x| nn::softmax_loss(x[0].clone()).reshape([1, 1]));
    let binary = |x: &[Array]| {
        let softplus = |x: f64| (1.0 + x.exp()).ln();
        let rights = (0..5).map(|i| softplus(-row(&x[0], i)[0])).sum::<f64>() / 5.0;
        let wrongs = (0..5).flat_map(|i| &row(&x[0], i)[1..]).map(|x| softplus(*x)).sum::<f64>() / 15.0;
        vec![rights + wrongs]
    };
    check("binary_loss", &[logits], binary, |x| nn::binary_loss(x[0].clone()).reshape([1, 1]));
    let far = Tensor::new(vec![300.0, -300.0, -300.0, 300.0], [2, 2]).tracked();
    for loss in [nn::softmax_loss(far.clone()), nn::binary_loss(far.clone())] {
        assert!(loss.values()[0].is_finite());
        assert!(far.gradient(&loss.backward()).unwrap().values().iter().all(|x| x.is_finite()));
    }
    for loss in [nn::softmax_loss, nn::binary_loss] {
        assert!(loss(Tensor::new(vec![0.0, f32::NAN], [1, 2])).values()[0].is_nan());
    }
}

#[test]
fn gradients_of_a_long_chain_are_found_and_let_go() {
    let x = Tensor::new(vec![1.0], [1]).tracked();
    let mut y = x.clone();
    for _ in 0..100_000 {
        y = y * 1.00001;
    }
    let slope = x.gradient(&y.backward()).unwrap();
    assert!((slope.values()[0] - 1.0_f32.exp()).abs() < 0.01, "{slope:?}");
}
