//! The gated recurrent unit, and decisions with a gradient.

use std::rc::Rc;

use timeweft_learn::nn::{self, RecurrenceInput};
use timeweft_oracle::kernels as reference;

use super::case::{Array, Noise, Results, agrees, backward, close, leaf};

fn recurrence_case(tokens: usize, channels: usize, segments: usize) -> (Rc<[u32]>, Vec<Array>) {
    let mut noise = Noise(tokens as u64 + 41);
    let offsets: Rc<[u32]> = noise.offsets(segments, tokens).into();
    let x = noise.array([tokens, 3 * channels]);
    let u = noise.array([channels, 3 * channels]);
    (offsets, vec![x, u, noise.array([channels]), noise.array([segments, channels])])
}

fn tracked(offsets: &[u32], x: &[Array], weights: &[f64]) -> Results {
    let ((a, la), (u, lu), (bias, lb), (h0, lh)) =
        (leaf::<2>(&x[0]), leaf::<2>(&x[1]), leaf::<1>(&x[2]), leaf::<2>(&x[3]));
    let h = nn::gated_recurrence(RecurrenceInput { x: a, u, bias, h0, segments: offsets });
    backward(h, weights, &[la, lu, lb, lh])
}

/// One pass of a size, for the test of threads.
pub(super) fn recurrence_of(tokens: usize, channels: usize, segments: usize) -> Results {
    let (offsets, x) = recurrence_case(tokens, channels, segments);
    tracked(&offsets, &x, &vec![0.5; tokens * channels])
}

#[test]
fn gated_recurrence_agrees_with_its_definition() {
    for (tokens, channels, segments) in [(12, 5, 4), (1, 1, 1), (9, 17, 3), (0, 4, 2), (30, 3, 25), (16, 2, 1)] {
        let (offsets, inputs) = recurrence_case(tokens, channels, segments);
        let slow = offsets.clone();
        agrees(
            "gated_recurrence",
            &inputs,
            &move |x| reference::gated_recurrence(&x[0].values, &x[1].values, &x[2].values, &x[3].values, &slow),
            &move |x, weights| tracked(&offsets, x, weights),
        );
    }
}

#[test]
fn stepping_one_token_at_a_time_is_one_recurrence() {
    let (_, x) = recurrence_case(7, 4, 1);
    let at_once = tracked(&[0, 7], &x, &[0.0; 28]).0;
    let mut state = x[3].clone();
    for t in 0..7 {
        let row = Array { shape: vec![1, 12], values: x[0].values[t * 12..(t + 1) * 12].to_vec() };
        let h = tracked(&[0, 1], &[row, x[1].clone(), x[2].clone(), state.clone()], &[0.0; 4]).0;
        state.values = h.iter().map(|h| f64::from(*h)).collect();
        close("state", &at_once[t * 4..(t + 1) * 4], &state.values, 1e-6);
    }
}

#[test]
fn a_decision_is_hard_and_its_gradient_is_that_of_the_sigmoid() {
    let x = Noise(5).array([40, 1]);
    let noise: Vec<f32> = Noise(6).array([40]).values.iter().map(|x| 3.0 * *x as f32).collect();
    let (tensor, leaf_x) = leaf::<2>(&x);
    let weights = Noise(7).array([40]).values;
    let (yes, grads) = backward(nn::straight_through(tensor, &noise), &weights, &[leaf_x]);
    let sum = |i: usize| x.values[i] + f64::from(noise[i]);
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let slope = |i: usize| weights[i] * (sigmoid(sum(i) + 1e-5) - sigmoid(sum(i) - 1e-5)) / 2e-5;
    assert!((0..40).all(|i| yes[i] == if sum(i) > 0.0 { 1.0 } else { 0.0 }));
    close("gradient", &grads[0], &(0..40).map(slope).collect::<Vec<f64>>(), 1e-4);
}
