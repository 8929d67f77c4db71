use rayon::prelude::*;

use super::problem::{Inputs, Problem};
use crate::nn::offsets::at_least;
use crate::nn::small_product::Right;
use crate::nn::typed_linear::Matrix;

/// Which weights of a relation.
#[derive(Clone, Copy)]
pub(super) enum Side {
    Keys,
    Values,
}

impl Side {
    /// The weights of a relation and head from token columns `from` on, as a map from heads to tokens `[d_h, F - from]`.
    pub(super) fn map<'a>(
        self,
        problem: &Problem,
        inputs: &Inputs<'a>,
        (relation, head): (usize, usize),
        from: usize,
    ) -> Matrix<'a> {
        let of = match self {
            Side::Keys => inputs.keys,
            Side::Values => inputs.values,
        };
        let size = problem.head * problem.token();
        let weights = &of[(relation * problem.heads + head) * size..][..size];
        match self {
            Side::Keys => Matrix { values: &weights[from..], row: problem.token(), column: 1 },
            Side::Values => Matrix { values: &weights[from * problem.head..], row: 1, column: problem.head },
        }
    }
}

/// The columns of weights that queries are absorbed for, in padded rows: of each relation that is read, and of each head.
#[derive(Debug)]
pub(super) struct RestWeights {
    values: Vec<f32>,
    heads: usize,
    width: usize,
    size: usize,
}

impl RestWeights {
    /// From heads to the rest of tokens, `[d_h, padded rest]`.
    pub(super) fn down(problem: &Problem, inputs: &Inputs<'_>, side: Side) -> RestWeights {
        RestWeights::new(problem, inputs, side, [problem.head, problem.rest()], false)
    }

    /// From the rest of tokens to heads, `[rest, padded d_h]`.
    pub(super) fn up(problem: &Problem, inputs: &Inputs<'_>, side: Side) -> RestWeights {
        RestWeights::new(problem, inputs, side, [problem.rest(), problem.head], true)
    }

    fn new(problem: &Problem, inputs: &Inputs<'_>, side: Side, [rows, columns]: [usize; 2], up: bool) -> RestWeights {
        let width = if up { problem.head_padded() } else { problem.rest_padded() };
        let (heads, size) = (problem.heads, rows * width);
        let mut values = vec![0.0; problem.layout.relations.len() * heads * size];
        let work = at_least(values.len());
        let relations = values.par_chunks_mut((heads * size).max(1)).with_min_len(work).zip(&problem.layout.relations);
        relations.for_each(|(values, &relation)| {
            for (head, values) in values.chunks_exact_mut(size.max(1)).enumerate() {
                let map = side.map(problem, inputs, (relation as usize, head), problem.skip());
                let map = if up { map.transposed() } else { map };
                for (i, row) in values.chunks_exact_mut(width).enumerate() {
                    for (k, x) in row[..columns].iter_mut().enumerate() {
                        *x = map.values[i * map.row + k * map.column];
                    }
                }
            }
        });
        RestWeights { values, heads, width, size }
    }

    /// Of a relation, by its position among those that are read.
    pub(super) fn of(&self, slot: usize, head: usize) -> Right<'_> {
        let values = &self.values[(slot * self.heads + head) * self.size..][..self.size];
        Right { values, width: self.width }
    }
}
