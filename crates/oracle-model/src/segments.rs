//! A recurrence over segments: a loop over time, all segments side by side.

use burn_core::tensor::Tensor;

use crate::place::Place;

/// The tokens of segments, one of each segment a step: the longest segment first, so that those that still run are the first.
#[derive(Clone, Debug)]
pub(crate) struct Steps {
    /// S: segments by falling length.
    order: Vec<u32>,
    /// The tokens of each step, in that order.
    tokens: Vec<Vec<u32>>,
}

impl Steps {
    /// Of S + 1 offsets into tokens; no segment is empty.
    pub(crate) fn of(segments: &[u32]) -> Steps {
        let length = |s: u32| segments[s as usize + 1] - segments[s as usize];
        let mut order: Vec<u32> = (0..segments.len() as u32 - 1).collect();
        order.sort_by_key(|&s| std::cmp::Reverse(length(s)));
        let longest = order.first().map_or(0, |&s| length(s));
        let at = |step: u32| {
            let running = order.iter().take_while(|&&s| length(s) > step);
            running.map(|&s| segments[s as usize] + step).collect()
        };
        let tokens = (0..longest).map(at).collect();
        Steps { order, tokens }
    }

    /// Rows of tokens in the order of the steps.
    pub(crate) fn sort(&self, place: &Place, x: Tensor<2>) -> Tensor<2> {
        place.gather(x, &self.tokens.concat())
    }

    /// Runs a cell from states `[S, W]`: a step is given the rows that it has in what was [sorted](Steps::sort) and the states
    /// `[n, W]` of the segments that run, and gives their states and read-outs `[n, Y]`. Gives the read-out after every token
    /// `[G, Y]` and the states after the last ones `[S, W]`.
    pub(crate) fn run(
        &self,
        place: &Place,
        start: Tensor<2>,
        mut cell: impl FnMut(std::ops::Range<usize>, Tensor<2>) -> (Tensor<2>, Tensor<2>),
    ) -> (Tensor<2>, Tensor<2>) {
        let [_, width] = start.dims();
        let mut state = place.gather(start, &self.order);
        let (mut outputs, mut ended, mut from) = (Vec::new(), Vec::new(), 0);
        for tokens in &self.tokens {
            let (before, running) = (state.dims()[0], tokens.len());
            if running < before {
                ended.push(state.clone().slice([running..before, 0..width]));
                state = state.slice([0..running, 0..width]);
            }
            let (next, output) = cell(from..from + running, state);
            (state, from) = (next, from + running);
            outputs.push(output);
        }
        ended.push(state);
        // The shortest ended first, and stand last.
        ended.reverse();
        let last = place.gather(Tensor::cat(ended, 0), &inverse(&self.order));
        (place.gather(Tensor::cat(outputs, 0), &inverse(&self.tokens.concat())), last)
    }
}

/// Where each row went.
pub(crate) fn inverse(order: &[u32]) -> Vec<u32> {
    let mut back = vec![0; order.len()];
    for (at, &row) in order.iter().enumerate() {
        back[row as usize] = at as u32;
    }
    back
}

/// The run that each row of offsets is in.
pub(crate) fn run_of(offsets: &[u32]) -> Vec<u32> {
    let lengths = offsets.windows(2).map(|ends| (ends[1] - ends[0]) as usize);
    (0u32..).zip(lengths).flat_map(|(run, length)| std::iter::repeat_n(run, length)).collect()
}
