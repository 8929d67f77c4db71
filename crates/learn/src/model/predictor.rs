//! Stage 5: scores of typed links. Logits, never sigmoids, go into the loss.
//!
//! Equations: `docs/model.md#predictor`.

use timeweft_graph::Time;

use crate::data::time_encoder::gap;
use crate::model::counters::Counted;
use crate::model::layers::{Init, Linear};
use crate::model::relations::RelationWeights;
use crate::nn::{self, Param, Tensor, module};
use crate::{GraphContext, Loss, ModelConfig, Query, TimeEncoder};

/// Width in which counters are read.
const READ: usize = 64;

/// `score_rho(s, d) = w_rho . relu(W_s z_s + W_d z_d + U_s t_s + U_d t_d + E_rho + W_c c) + z_s diag(R_rho) z_d + b(c)`, with t the
/// encoded time since the version of an embedding.
#[derive(Clone, Debug)]
pub struct Predictor {
    source: Linear,
    destination: Linear,
    /// U of the source and of the destination.
    since: [Linear; 2],
    /// `[relations, d]` each: E, w and R. A relation is a kind of edge and the side that is asked.
    relation: RelationWeights,
    weight: RelationWeights,
    bilinear: RelationWeights,
    counters: Option<CounterReader>,
}

/// Reads the counters of a pair: into the hidden layer, and straight into the score.
#[derive(Clone, Debug)]
struct CounterReader {
    hidden: Linear,
    /// `[relations, 64]`: what a relation makes of them.
    relation: Param<2>,
    score: [Linear; 3],
}

module!(CounterReader { hidden, relation, score });
module!(Predictor { source, destination, since, relation, weight, bilinear, counters });

/// The blocks of counters as tensors.
struct Blocks<'a> {
    counted: &'a Counted,
    asker: Tensor<2>,
    node: Tensor<2>,
    pair: Tensor<2>,
}

impl Blocks<'_> {
    fn of(counted: &Counted) -> Blocks<'_> {
        let block = |values: &[f32], width| Tensor::new(values.to_vec(), [values.len() / width, width]);
        Blocks {
            asker: block(&counted.asker, Counted::ASKER),
            node: block(&counted.node, Counted::NODE),
            pair: block(&counted.pair, Counted::PAIR),
            counted,
        }
    }

    /// `[C, n]`: the product of whole rows with a weight `[74, n]`, each block by itself. Two who never had to do with each other
    /// cost no product.
    fn times(&self, weight: Tensor<2>) -> Tensor<2> {
        let Blocks { counted, asker, node, pair } = self;
        let [behind_node, behind_asker] =
            [Counted::SPLIT + Counted::NODE, Counted::SPLIT + Counted::NODE + Counted::ASKER];
        let of_pair = nn::below(
            nn::rows(weight.clone(), 0, Counted::SPLIT),
            nn::rows(weight.clone(), behind_asker, Counted::WIDTH - behind_asker),
        );
        let of_node = nn::rows(weight.clone(), Counted::SPLIT, Counted::NODE);
        let of_asker = nn::rows(weight, behind_node, Counted::ASKER);
        let sum = nn::gather(nn::linear(node.clone(), of_node, None), &counted.node_of)
            + nn::gather(nn::linear(asker.clone(), of_asker, None), &counted.asker_of);
        if counted.pair_at.is_empty() {
            return sum;
        }
        sum + nn::scatter_sum(nn::linear(pair.clone(), of_pair, None), &counted.pair_at, counted.node_of.len())
    }
}

impl CounterReader {
    /// C counters to `[C, 1]`.
    fn score(&self, counters: &Blocks<'_>, relations: &[u32]) -> Tensor<2> {
        let hidden = counters.times(self.score[0].weight.val()) + nn::gather(self.relation.val(), relations);
        self.score[2].forward(nn::relu(self.score[1].forward(nn::relu(hidden))))
    }
}

/// Which rows are scored: C candidates, each a pair of root embeddings.
#[derive(Clone, Debug, Default)]
pub struct Pairs {
    /// C: root of the source.
    pub source: Vec<u32>,
    /// C: root of the destination.
    pub destination: Vec<u32>,
    /// C: relation as the asking node sees it.
    pub relation: Vec<u32>,
    /// C: ticks since something last happened at the source, and at the destination.
    pub since: [Vec<f64>; 2],
}

impl Pairs {
    /// Some of the rows.
    pub fn part(&self, rows: std::ops::Range<usize>) -> Pairs {
        let part = |values: &[u32]| values[rows.clone()].to_vec();
        Pairs {
            source: part(&self.source),
            destination: part(&self.destination),
            relation: part(&self.relation),
            since: self.since.each_ref().map(|since| since[rows.clone()].to_vec()),
        }
    }

    /// Measures how long ago the embeddings' versions are, from when each root was last read.
    pub fn measure(mut self, queries: &[Query], root_read: &[Option<Time>]) -> Pairs {
        let since = |roots: &[u32]| {
            let ends = roots.iter().zip(queries);
            ends.map(|(&root, query)| gap(root_read[root as usize], query.time)).collect()
        };
        self.since = [since(&self.source), since(&self.destination)];
        self
    }
}

impl Predictor {
    /// The predictor that a configuration asks for.
    pub fn new(init: &mut Init, config: &ModelConfig, graph: &GraphContext) -> Predictor {
        let (d, relations) = (config.width, graph.relations);
        let (n, scale) = (relations.n_edges(), 1.0 / (d as f32).sqrt());
        let weights = |init: &mut Init, scale| RelationWeights::new(init, relations, n, d, scale);
        Predictor {
            source: Linear::plain(init, d, d),
            destination: Linear::new(init, d, d),
            since: [0; 2].map(|_| Linear::plain(init, graph.statistics.time_encoder.width(), d)),
            relation: weights(init, 0.1),
            weight: weights(init, scale),
            bilinear: weights(init, scale),
            counters: config.counters.then(|| CounterReader {
                hidden: Linear::plain(init, Counted::WIDTH, d),
                relation: init.constant([n, READ], 0.0),
                score: [
                    Linear::plain(init, Counted::WIDTH, READ),
                    Linear::new(init, READ, READ / 2),
                    Linear::plain(init, READ / 2, 1),
                ],
            }),
        }
    }

    /// Logits `[C]` from embeddings `[Q, d]` and counters of C queries.
    pub fn forward(
        &self,
        embeddings: Tensor<2>,
        pairs: &Pairs,
        time_encoder: &TimeEncoder,
        counters: Option<&Counted>,
    ) -> Tensor<1> {
        let n = pairs.source.len();
        let mut hidden = nn::gather(self.source.forward(embeddings.clone()), &pairs.source)
            + nn::gather(self.destination.forward(embeddings.clone()), &pairs.destination)
            + nn::gather(self.relation.val(), &pairs.relation);
        for (since, gaps) in self.since.iter().zip(&pairs.since) {
            hidden = hidden + since.forward(Tensor::new(time_encoder.encode(gaps), [n, time_encoder.width()]));
        }
        let mut straight = None;
        if let (Some(reader), Some(counters)) = (&self.counters, counters) {
            let blocks = Blocks::of(counters);
            hidden = hidden + blocks.times(reader.hidden.weight.val());
            straight = Some(reader.score(&blocks, &pairs.relation));
        }
        let scored = nn::relu(hidden) * nn::gather(self.weight.val(), &pairs.relation);
        let matched = nn::gather(embeddings.clone(), &pairs.source)
            * nn::gather(embeddings, &pairs.destination)
            * nn::gather(self.bilinear.val(), &pairs.relation);
        let logits = nn::row_sums(scored + matched);
        match straight {
            Some(straight) => logits + straight.reshape([n]),
            None => logits,
        }
    }

    /// Whether counters are read.
    pub fn has_counters(&self) -> bool {
        self.counters.is_some()
    }
}

/// Mean loss over B positives with r negatives each: logits `[B * (1 + r)]`, the positive first.
/// The log Q correction is in the logits already.
pub(crate) fn loss(kind: Loss, logits: Tensor<1>, n_positives: usize) -> Tensor<1> {
    let width = logits.dims()[0] / n_positives.max(1);
    let logits = logits.reshape([n_positives, width]);
    match kind {
        Loss::Softmax => nn::softmax_loss(logits),
        Loss::Bce => nn::binary_loss(logits),
    }
}
