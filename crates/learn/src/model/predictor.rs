//! Stage 5: scores of typed links. Logits, never sigmoids, go into the loss.
//!
//! Equations: `docs/model.md#predictor`.

use timeweft_graph::Time;

use crate::data::time_encoder::gap;
use crate::model::counters::Counted;
use crate::model::layers::{Init, Linear};
use crate::model::relations::RelationWeights;
use crate::nn::{self, PairScores, Param, Reads, Tensor, Term, module};
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
        let block = |values: &[f32], width| Tensor::new(values, [values.len() / width, width]);
        Blocks {
            asker: block(&counted.asker, Counted::ASKER),
            node: block(&counted.node, Counted::NODE),
            pair: block(&counted.pair, Counted::PAIR),
            counted,
        }
    }

    /// What adds up to the product of whole rows with a weight `[74, n]`, each block by itself. Two who never had to do with each
    /// other cost no product.
    fn times(&self, weight: Tensor<2>) -> Vec<Term<'_>> {
        let Blocks { counted, asker, node, pair } = self;
        let [behind_node, behind_asker] =
            [Counted::SPLIT + Counted::NODE, Counted::SPLIT + Counted::NODE + Counted::ASKER];
        let of_pair = nn::below(
            nn::rows(weight.clone(), 0, Counted::SPLIT),
            nn::rows(weight.clone(), behind_asker, Counted::WIDTH - behind_asker),
        );
        let of_node = nn::rows(weight.clone(), Counted::SPLIT, Counted::NODE);
        let of_asker = nn::rows(weight, behind_node, Counted::ASKER);
        let term = |block: &Tensor<2>, weight, reads| Term { table: nn::linear(block.clone(), weight, None), reads };
        let mut terms =
            vec![term(node, of_node, Reads::At(&counted.node_of)), term(asker, of_asker, Reads::At(&counted.asker_of))];
        if !counted.pair_at.is_empty() {
            terms.push(term(pair, of_pair, Reads::By(&counted.pair_at)));
        }
        terms
    }
}

impl CounterReader {
    /// C counters to `[C, 1]`.
    fn score(&self, counters: &Blocks<'_>, relations: &[u32]) -> Tensor<2> {
        let mut terms = counters.times(self.score[0].weight.val());
        terms.push(Term { table: self.relation.val(), reads: Reads::At(relations) });
        let hidden = nn::relu_of_sums(terms, relations.len(), READ);
        self.score[2].forward(nn::relu(self.score[1].forward(hidden)))
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
    /// Since something last happened at the source, and at the destination.
    pub since: [Since; 2],
}

/// Ticks since something last happened at one end of C candidates; those of one question are there once.
#[derive(Clone, Debug, Default)]
pub struct Since {
    /// The ticks.
    pub gaps: Vec<f64>,
    /// C: which of them.
    pub of: Vec<u32>,
}

impl FromIterator<f64> for Since {
    fn from_iter<T: IntoIterator<Item = f64>>(each: T) -> Since {
        let mut since = Since::default();
        for gap in each {
            if since.gaps.last().is_none_or(|last| *last != gap) {
                since.gaps.push(gap);
            }
            since.of.push(since.gaps.len() as u32 - 1);
        }
        since
    }
}

impl Since {
    fn part(&self, rows: std::ops::Range<usize>) -> Since {
        self.of[rows].iter().map(|&of| self.gaps[of as usize]).collect()
    }
}

impl Pairs {
    /// Some of the rows.
    pub fn part(&self, rows: std::ops::Range<usize>) -> Pairs {
        let part = |values: &[u32]| values[rows.clone()].to_vec();
        Pairs {
            source: part(&self.source),
            destination: part(&self.destination),
            relation: part(&self.relation),
            since: self.since.each_ref().map(|since| since.part(rows.clone())),
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
        let Pairs { source, destination, relation, since } = pairs;
        let blocks = counters.map(Blocks::of);
        let mut hidden = vec![
            Term { table: self.source.forward(embeddings.clone()), reads: Reads::At(source) },
            Term { table: self.destination.forward(embeddings.clone()), reads: Reads::At(destination) },
            Term { table: self.relation.val(), reads: Reads::At(relation) },
        ];
        for (weight, Since { gaps, of }) in self.since.iter().zip(since) {
            let encoded = Tensor::new(time_encoder.encode(gaps), [gaps.len(), time_encoder.width()]);
            hidden.push(Term { table: weight.forward(encoded), reads: Reads::At(of) });
        }
        let mut straight = None;
        if let (Some(reader), Some(blocks)) = (&self.counters, &blocks) {
            hidden.extend(blocks.times(reader.hidden.weight.val()));
            straight = Some(reader.score(blocks, relation));
        }
        let logits = nn::pair_scores(PairScores {
            hidden,
            weight: self.weight.val(),
            bilinear: self.bilinear.val(),
            relation,
            embeddings,
            ends: [source, destination],
        });
        match straight {
            Some(straight) => logits + straight.reshape([relation.len()]),
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
