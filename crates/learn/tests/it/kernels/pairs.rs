//! Scores of pairs against their definition.

use std::rc::Rc;

use timeweft_learn::nn::{self, PairScores, Reads, Tensor, Term};
use timeweft_oracle::kernels as reference;

use super::case::{Array, Noise, agrees, backward, leaf};

/// Pairs, width, rows of each of two tables that every pair reads, pairs that read the third.
const CASES: [[usize; 5]; 5] =
    [[7, 5, 3, 2, 3], [1, 1, 1, 1, 0], [40, 33, 4, 9, 11], [0, 3, 2, 2, 0], [12, 16, 12, 1, 12]];

struct Case {
    tables: Vec<Array>,
    all: [Vec<u32>; 2],
    some: Vec<u32>,
}

fn case(noise: &mut Noise, [n, width, first, second, some]: [usize; 5]) -> Case {
    let mut some: Vec<u32> = if some == n { (0..n as u32).collect() } else { noise.index(some, n) };
    some.sort_unstable();
    some.dedup();
    let tables = [first, second, some.len()].map(|rows| noise.array([rows, width])).to_vec();
    Case { tables, all: [noise.index(n, first), noise.index(n, second)], some }
}

impl Case {
    fn hidden(&self, tables: &[Array], n: usize, width: usize) -> Vec<f64> {
        let mut reads = self.all.each_ref().map(|all| all.iter().copied().map(Some).collect::<Vec<_>>()).to_vec();
        let of_some = |pair: usize| self.some.iter().position(|&at| at as usize == pair).map(|row| row as u32);
        reads.push((0..n).map(of_some).collect());
        let tables: Vec<(&[f64], &[Option<u32>])> =
            tables.iter().zip(&reads).map(|(table, reads)| (&table.values[..], &reads[..])).collect();
        reference::relu_of_sums(&tables, n, width)
    }

    fn terms(&self, tables: &[Tensor<2>]) -> Vec<Term<'_>> {
        let reads = [Reads::At(&self.all[0]), Reads::At(&self.all[1]), Reads::By(&self.some)];
        tables.iter().zip(reads).map(|(table, reads)| Term { table: table.clone(), reads }).collect()
    }
}

#[test]
fn rows_that_are_sums_agree_with_their_definition() {
    for [n, width, a, b, some] in CASES {
        let mut noise = Noise(n as u64 + 40);
        let slow = Rc::new(case(&mut noise, [n, width, a, b, some]));
        let fast = slow.clone();
        agrees("relu_of_sums", &slow.tables.clone(), &move |x| slow.hidden(x, n, width), &move |x, weights| {
            let (tables, leaves): (Vec<_>, Vec<_>) = x.iter().map(leaf::<2>).unzip();
            backward(nn::relu_of_sums(fast.terms(&tables), n, width), weights, &leaves)
        });
    }
}

#[test]
fn scores_of_pairs_agree_with_their_definition() {
    for [n, width, a, b, some] in CASES {
        let mut noise = Noise(n as u64 + 50);
        let slow = Rc::new(case(&mut noise, [n, width, a, b, some]));
        let fast = slow.clone();
        let relation: Rc<[u32]> = noise.index(n, 3).into();
        // An embedding may be matched with itself.
        let ends: Rc<[Vec<u32>; 2]> = [noise.index(n, 4), noise.index(n, 4)].into();
        let (slow_relation, slow_ends) = (relation.clone(), ends.clone());
        let mut inputs = slow.tables.clone();
        inputs.extend([noise.array([3, width]), noise.array([3, width]), noise.array([4, width])]);
        agrees(
            "pair_scores",
            &inputs,
            &move |x| {
                let rest = [&x[3].values[..], &x[4].values[..], &x[5].values[..]];
                let ends = [&slow_ends[0][..], &slow_ends[1][..]];
                reference::pair_scores(&slow.hidden(&x[..3], n, width), rest, &slow_relation, ends, width)
            },
            &move |x, weights| {
                let (tensors, leaves): (Vec<_>, Vec<_>) = x.iter().map(leaf::<2>).unzip();
                let scores = nn::pair_scores(PairScores {
                    hidden: fast.terms(&tensors[..3]),
                    weight: tensors[3].clone(),
                    bilinear: tensors[4].clone(),
                    relation: &relation,
                    embeddings: tensors[5].clone(),
                    ends: [&ends[0], &ends[1]],
                });
                backward(scores, weights, &leaves)
            },
        );
    }
}
