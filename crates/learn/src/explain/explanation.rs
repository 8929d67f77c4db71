//! Predictions for one question, and why: which neighbors were listened to, and which way each pushed the score.
//!
//! Equations: `docs/model.md#explanations`.

use timeweft_graph::{Direction, EdgeIndex, EdgeTypeId, NodeIndex, Time};
use timeweft_index::{Neighbor, Recency};

use crate::explain::attribution::attribute;
use crate::model::counters::{self, Counted};
use crate::model::gnn::GnnInput;
use crate::model::gnn::layer_input::{LayerInput, Share};
use crate::model::pipeline::{Remembered, ask, memory_table};
use crate::nn::{self, Tensor};
use crate::{Actions, Neighborhood, Pairs, Predict, Query, Recalled, Trained, VectorStore, splitmix64};

/// Points at which a slope is taken.
const STEPS: usize = 8;

/// Other candidates that an explained link is compared with.
const NEGATIVES: usize = 16;

/// Why a link got its score.
#[derive(Clone, PartialEq, Debug)]
pub struct ScoreExplanation {
    /// The score.
    pub logit: f32,
    /// The score above the mean score of up to 16 other candidates drawn by a counter. A ranking says nothing else: what
    /// raises every candidate explains none. Contributions are shares of this.
    pub margin: f32,
    /// The scores of those other candidates.
    pub others: Vec<f32>,
    /// The score if the counters said "never": what counting adds is the difference. `None` for a model without counters.
    pub logit_without_counters: Option<f32>,
    /// Counters of the pair, of the reversed pair, of the destination reached, of the destination as source, of the source.
    pub counters: [Recency; 5],
    /// Neighbors of the source, then of the destination.
    pub neighbors: Vec<AttendedNeighbor>,
    /// Past messages in the memory of the source, then of the destination; of each the largest contribution first. Empty for
    /// a cell that is not linear in its past.
    pub memory: Vec<Recalled>,
}

/// A neighbor event that a root listened to.
#[derive(Clone, PartialEq, Debug)]
pub struct AttendedNeighbor {
    /// Whether the root is the source of the link (else its destination).
    pub at_source: bool,
    /// The neighbor.
    pub node: NodeIndex,
    /// The edge to it.
    pub edge: EdgeIndex,
    /// Its type.
    pub edge_type: EdgeTypeId,
    /// When it appeared.
    pub created: Time,
    /// Attention of each head, in [0, 1].
    pub attention: Vec<f32>,
    /// Whether the root listened and the neighbor spoke, for a co-operative model: the root read it only if both did.
    pub actions: Option<Actions>,
    /// Signed contribution: share of the margin that came through this neighbor.
    pub contribution: f32,
}

impl Trained {
    /// A question, followed by the same with other candidates, drawn by a counter. The negatives of an edge to be removed are the
    /// other edges of its source, those of a node that goes the others of its type.
    pub(crate) fn with_negatives(&self, query: &Query) -> Vec<Query> {
        let (asking, index, predict) = (query.source, &self.graph.index, self.config.train.predict);
        let mut pool = match predict {
            Predict::Gone => self.alive(index.node_type(asking), query.as_of),
            Predict::Created | Predict::Removed => self.candidates(query.edge_type, query.direction, query.as_of),
        };
        let is_linked = |node: NodeIndex| {
            let (source, destination) = match query.direction {
                Direction::Out => (asking, node),
                Direction::In => (node, asking),
            };
            index.is_linked(query.edge_type, source, destination, query.as_of.before())
        };
        pool.retain(|&node| node != query.destination && (predict != Predict::Removed || is_linked(node)));
        let mut asked = vec![*query];
        for draw in 0..NEGATIVES.min(pool.len()) {
            let at = draw + (splitmix64(draw as u64) % (pool.len() - draw) as u64) as usize;
            pool.swap(draw, at);
            let source = if predict == Predict::Gone { pool[draw] } else { asking };
            asked.push(Query { source, destination: pool[draw], ..*query });
        }
        asked
    }

    /// Why `query` gets its score.
    pub fn explain(&self, query: &Query) -> ScoreExplanation {
        self.explain_from(&self.memory_before(query.as_of), query)
    }

    /// The same from a memory of everything strictly before the question.
    pub fn explain_from(&self, store: &VectorStore, query: &Query) -> ScoreExplanation {
        let remembered = Remembered::nothing(store);
        let asked = self.with_negatives(query);
        let (roots, pairs) = ask(&self.graph, &asked);
        let neighborhood = self.reader(store).neighborhood(&remembered, &roots);
        let pairs = pairs.measure(&asked, &neighborhood.root_read);
        let table = memory_table(&self.model, &remembered, &neighborhood);
        let (predictor, time_encoder) = (&self.model.predictor, &self.graph.statistics.time_encoder);
        let without = predictor.has_counters().then(|| {
            let embeddings = self.embed(table.clone(), &neighborhood);
            first(predictor.forward(embeddings, &pairs.part(0..1), time_encoder, Some(&Counted::nothing(1))).values())
        });
        let Study { logit, margin, others, neighbors } = self.study(&asked, &neighborhood, &remembered);
        let mut neighbors: Vec<AttendedNeighbor> =
            neighbors.into_iter().filter(|(_, is_end)| *is_end).map(|(neighbor, _)| neighbor).collect();
        neighbors
            .sort_by(|a, b| b.at_source.cmp(&a.at_source).then(b.contribution.abs().total_cmp(&a.contribution.abs())));
        ScoreExplanation {
            logit,
            margin,
            others,
            logit_without_counters: without,
            counters: counters::count(&self.graph, query),
            neighbors,
            memory: self.recall(&asked, &neighborhood, table),
        }
    }

    /// Contributions of the neighbors of both ends of the first question, with their places. Those of the negatives are left
    /// out.
    pub(crate) fn contributions(
        &self,
        asked: &[Query],
        neighborhood: &Neighborhood,
        remembered: &Remembered,
    ) -> Vec<(usize, f32)> {
        let neighbors = self.study(asked, neighborhood, remembered).neighbors.into_iter().enumerate();
        neighbors.filter(|(_, (_, is_end))| *is_end).map(|(at, (neighbor, _))| (at, neighbor.contribution)).collect()
    }

    /// How far the first of the questions stands above the others, from a neighborhood.
    pub(crate) fn margin_of(&self, asked: &[Query], neighborhood: &Neighborhood, remembered: &Remembered) -> f32 {
        let pairs = ask(&self.graph, asked).1.measure(asked, &neighborhood.root_read);
        let table = memory_table(&self.model, remembered, neighborhood);
        let counts = self.count(asked);
        first(margin(self.score_pairs(self.embed(table, neighborhood), &pairs, counts.as_ref())).values())
    }

    /// The score, and how the margin is shared out among the neighbors of all roots, in their order.
    fn study(&self, asked: &[Query], neighborhood: &Neighborhood, remembered: &Remembered) -> Study {
        let pairs = ask(&self.graph, asked).1.measure(asked, &neighborhood.root_read);
        let table = memory_table(&self.model, remembered, neighborhood);
        let counts = self.count(asked);
        let layer = &self.model.gnn.last;
        let input = self.last_input(table, neighborhood);
        let attended = layer.attend(&input);
        let logits = |attended| {
            let embeddings = layer.finish(input.own.clone(), attended);
            self.score_pairs(embeddings, &pairs, counts.as_ref())
        };
        let scores = logits(attended.clone());
        // Given the attention, o is linear in its neighbors, so it can be shared out among them.
        let shares = layer.shares(&input, &mean_slope(&attended, logits));
        let roots = neighborhood.root_of_neighbors(shares.len());
        let (source, destination) = (pairs.source[0], pairs.destination[0]);
        let neighbors = shares.into_iter().zip(roots).zip(&neighborhood.neighbors).map(|((share, root), neighbor)| {
            let Share { attention, actions, contribution } = share;
            let Neighbor { node, edge, edge_type, created, .. } = *neighbor;
            let at_source = root == source;
            let attended =
                AttendedNeighbor { at_source, node, edge, edge_type, created, attention, actions, contribution };
            (attended, at_source || root == destination)
        });
        Study {
            logit: first(scores.values()),
            others: scores.values()[1..].to_vec(),
            margin: first(margin(scores).values()),
            neighbors: neighbors.collect(),
        }
    }

    /// What the last layer reads, without noise.
    fn last_input<'a>(&'a self, table: Tensor<2>, neighborhood: &'a Neighborhood) -> LayerInput<'a> {
        let (time_encoder, identity) = (&self.graph.statistics.time_encoder, self.model.identity.as_ref());
        self.model.gnn.last_input(GnnInput { table, neighborhood, time_encoder, identity, noise: None })
    }

    /// Embeddings `[Q, d]` of the roots, by way of what they read.
    fn embed(&self, table: Tensor<2>, neighborhood: &Neighborhood) -> Tensor<2> {
        let layer = &self.model.gnn.last;
        let input = self.last_input(table, neighborhood);
        let attended = layer.attend(&input);
        layer.finish(input.own, attended)
    }

    fn score_pairs(&self, embeddings: Tensor<2>, pairs: &Pairs, counts: Option<&Counted>) -> Tensor<1> {
        self.model.predictor.forward(embeddings, pairs, &self.graph.statistics.time_encoder, counts)
    }

    fn count(&self, asked: &[Query]) -> Option<Counted> {
        let has_counters = self.model.predictor.has_counters();
        has_counters.then(|| Counted::of(&self.graph, asked))
    }

    /// What came through the memory of both ends of the first question.
    fn recall(&self, asked: &[Query], neighborhood: &Neighborhood, table: Tensor<2>) -> Vec<Recalled> {
        let Some(query) = asked.first() else { return Vec::new() };
        let pairs = ask(&self.graph, asked).1.measure(asked, &neighborhood.root_read);
        let counts = self.count(asked);
        let [_, d] = table.dims();
        let gradient =
            mean_slope(&table, |table| self.score_pairs(self.embed(table, neighborhood), &pairs, counts.as_ref()));
        let mut recalled = Vec::new();
        let mut ends = vec![(true, pairs.source[0], query.source)];
        // A node that goes is both ends, and so is one that an edge leads back to.
        ends.extend((query.destination != query.source).then(|| (false, pairs.destination[0], query.destination)));
        for (at_source, root, node) in ends {
            let row = neighborhood.entry_row[neighborhood.root_entry[root as usize] as usize] as usize;
            let Some(gradient) = gradient.get(row * d..(row + 1) * d) else { continue };
            let Some(out) = attribute(&self.model, &self.graph, node, query.as_of, gradient) else { continue };
            let tokens = out.times.into_iter().zip(out.facts).zip(out.parts);
            recalled.extend(tokens.map(|((time, facts), contribution)| Recalled {
                at_source,
                time,
                facts,
                contribution,
            }));
        }
        recalled
            .sort_by(|a, b| b.at_source.cmp(&a.at_source).then(b.contribution.abs().total_cmp(&a.contribution.abs())));
        recalled
    }
}

/// A score, how far it stands above those of the negatives, and what each neighbor of each root adds to that; whether the root
/// is an end of the link.
struct Study {
    logit: f32,
    margin: f32,
    others: Vec<f32>,
    neighbors: Vec<(AttendedNeighbor, bool)>,
}

/// Mean slope of the margin of some logits on the way from nothing to a value: along the value it makes up the whole difference
/// between the two, also where the score bends (integrated gradients, Sundararajan et al. 2017).
fn mean_slope(value: &Tensor<2>, logits: impl Fn(Tensor<2>) -> Tensor<1>) -> Vec<f32> {
    let mut mean = vec![0.0; value.dims().iter().product()];
    for step in 0..STEPS {
        let part = (step as f32 + 0.5) / STEPS as f32;
        let value = (value.clone().detached() * part).tracked();
        let slope = value.gradient(&margin(logits(value.clone())).backward());
        let slope = slope.iter().flat_map(|slope| slope.values());
        mean.iter_mut().zip(slope).for_each(|(mean, slope)| *mean += slope / STEPS as f32);
    }
    mean
}

/// The first of some logits above the mean of the others; itself where there are no others.
fn margin(logits: Tensor<1>) -> Tensor<1> {
    let [n] = logits.dims();
    let own = nn::rows(logits.clone(), 0, 1);
    if n > 1 { own - nn::mean(nn::rows(logits, 1, n - 1)) } else { own }
}

fn first(values: &[f32]) -> f32 {
    values.first().copied().unwrap_or(f32::NAN)
}
