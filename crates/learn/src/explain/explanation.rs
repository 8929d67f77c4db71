//! Predictions for one question, and why: which neighbours were listened to, and which way each pushed the score.

use burn::tensor::Tensor;
use timeweft_graph::{Direction, EdgeIndex, EdgeTypeId, NodeIndex, Time};
use timeweft_index::{Neighbor, Recency};

use crate::explain::attribution::attribute;
use crate::model::gnn::cooperation::Decisions;
use crate::model::gnn::neighborhood::read;
use crate::model::layers::constant;
use crate::model::pipeline::{Remembered, ask, counted, floats, memory_table};
use crate::model::predictor::Pairs;
use crate::model::{counters, gnn};
use crate::{Htgn, Neighborhood, Predict, Query, Recalled, Trained, splitmix64};

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
    /// The score if the counters said "never": what counting adds is the difference. `None` for a model without counters.
    pub logit_without_counters: Option<f32>,
    /// Counters of the pair, of the reversed pair, of the destination reached, of the destination as source, of the source.
    pub counters: [Recency; 5],
    /// Neighbours of the source, then of the destination.
    pub neighbors: Vec<AttendedNeighbor>,
    /// Past messages in the memory of the source, then of the destination; of each the largest contribution first. Empty for
    /// a cell that is not linear in its past.
    pub memory: Vec<Recalled>,
}

/// A neighbour event that a root listened to.
#[derive(Clone, PartialEq, Debug)]
pub struct AttendedNeighbor {
    /// Whether the root is the source of the link (else its destination).
    pub at_source: bool,
    /// The neighbour.
    pub node: NodeIndex,
    /// The edge to it.
    pub edge: EdgeIndex,
    /// Its type.
    pub edge_type: EdgeTypeId,
    /// When it appeared.
    pub created: Time,
    /// Attention of each head, in [0, 1].
    pub attention: Vec<f32>,
    /// Whether the root listened and the neighbour spoke, for a co-operative model: it was heard only if both did.
    pub actions: Option<Actions>,
    /// Signed contribution: share of the margin that came through this neighbour (specification 2.9).
    pub contribution: f32,
}

/// The two decisions behind an edge of a co-operative model (specification 2.8).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Actions {
    /// The root listens.
    pub listens: bool,
    /// The neighbour speaks.
    pub speaks: bool,
}

impl Trained {
    /// A question, followed by the same with other candidates, drawn by a counter. The rivals of an edge to be removed are the
    /// other edges of its source, those of a node that goes the others of its type.
    pub(crate) fn with_rivals(&self, query: &Query) -> Vec<Query> {
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
        let store = self.memory_before(query.as_of);
        let remembered = Remembered::nothing(&store);
        let asked = self.with_rivals(query);
        let (roots, pairs) = ask(&self.graph, &asked);
        let neighborhood = read(&self.graph, &roots, &remembered.tokens, &store);
        let table = memory_table(&self.model, &remembered, &neighborhood);
        let predictor = &self.model.predictor;
        let never = || constant(vec![0.0; counters::WIDTH], [1, counters::WIDTH], &table.device());
        let without = predictor.has_counters().then(|| {
            let (own, heard, _) = self.hear(table.clone(), &neighborhood);
            first(&floats(predictor.forward(self.embed(own, heard), &pairs.part(0..1), Some(never()))))
        });
        let Study { logit, margin, neighbors } = self.study(&asked, &neighborhood, &remembered);
        let mut neighbors: Vec<AttendedNeighbor> =
            neighbors.into_iter().filter(|(_, end)| *end).map(|(heard, _)| heard).collect();
        neighbors
            .sort_by(|a, b| b.at_source.cmp(&a.at_source).then(b.contribution.abs().total_cmp(&a.contribution.abs())));
        ScoreExplanation {
            logit,
            margin,
            logit_without_counters: without,
            counters: counters::count(&self.graph.index, query),
            neighbors,
            memory: self.recall(&asked, &neighborhood, table),
        }
    }

    /// Contributions of the neighbours of both ends of the first question, with their places; those of its rivals have none.
    pub(crate) fn contributions(
        &self,
        asked: &[Query],
        neighborhood: &Neighborhood,
        remembered: &Remembered,
    ) -> Vec<(usize, f32)> {
        let heard = self.study(asked, neighborhood, remembered).neighbors.into_iter().enumerate();
        heard.filter(|(_, (_, end))| *end).map(|(at, (heard, _))| (at, heard.contribution)).collect()
    }

    /// How far the first of the questions stands above the others, from a neighbourhood.
    pub(crate) fn margin_of(&self, asked: &[Query], neighborhood: &Neighborhood, remembered: &Remembered) -> f32 {
        let (_, pairs) = ask(&self.graph, asked);
        let table = memory_table(&self.model, remembered, neighborhood);
        let counts = self.count(asked, &table);
        let (own, heard, _) = self.hear(table, neighborhood);
        first(&floats(margin(self.model.predictor.forward(self.embed(own, heard), &pairs, counts))))
    }

    /// The score, and how the margin is shared out among the neighbours of all roots, in their order.
    fn study(&self, asked: &[Query], neighborhood: &Neighborhood, remembered: &Remembered) -> Study {
        let (_, pairs) = ask(&self.graph, asked);
        let table = memory_table(&self.model, remembered, neighborhood);
        let counts = self.count(asked, &table);
        let (own, heard, reading) = self.hear(table, neighborhood);
        let logits = |heard| self.model.predictor.forward(self.embed(own.clone(), heard), &pairs, counts.clone());
        let scores = logits(heard.clone());
        // Given the attention, o is linear in its neighbours, so it can be shared out among them.
        let gradient = mean_slope(&heard, logits);
        let share_out = |reading: gnn::Read| self.share_out(neighborhood, &reading, &gradient, &pairs);
        Study {
            logit: first(&floats(scores.clone())),
            margin: first(&floats(margin(scores))),
            neighbors: reading.map_or_else(Vec::new, share_out),
        }
    }

    /// Own vectors of the roots, what they hear, and what they read.
    fn hear(&self, table: Tensor<2>, neighborhood: &Neighborhood) -> (Tensor<2>, Tensor<2>, Option<gnn::Read>) {
        let Htgn { gnn, identity, .. } = &self.model;
        let (own, reading) =
            gnn.read(table, neighborhood, &self.graph.statistics.time_encoder, identity.as_ref(), None);
        let heard = match (gnn.last(), &reading) {
            (Some(layer), Some(reading)) => layer.attend(reading, neighborhood),
            _ => own.zeros_like(),
        };
        (own, heard, reading)
    }

    /// Embeddings of own vectors and what was heard.
    fn embed(&self, own: Tensor<2>, heard: Tensor<2>) -> Tensor<2> {
        match self.model.gnn.last() {
            Some(layer) => layer.finish(own, heard),
            None => self.model.gnn.finish(own + heard),
        }
    }

    fn count(&self, asked: &[Query], like: &Tensor<2>) -> Option<Tensor<2>> {
        let has_counters = self.model.predictor.has_counters();
        has_counters.then(|| counted(&self.graph, asked, &like.device()))
    }

    /// What came through the memory of both ends of the first question.
    fn recall(&self, asked: &[Query], neighborhood: &Neighborhood, table: Tensor<2>) -> Vec<Recalled> {
        let Some(query) = asked.first() else { return Vec::new() };
        let (_, pairs) = ask(&self.graph, asked);
        let counts = self.count(asked, &table);
        let [_, d] = table.dims();
        let gradient = mean_slope(&table, |table| {
            let (own, heard, _) = self.hear(table, neighborhood);
            self.model.predictor.forward(self.embed(own, heard), &pairs, counts.clone())
        });
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

    /// `c_j = <dmargin/do, W_O concat_h(alpha_jh W_V f_j)>` of every neighbour of every root that was asked for, and whether
    /// the root is an end of the first question.
    fn share_out(
        &self,
        neighborhood: &Neighborhood,
        reading: &gnn::Read,
        gradient: &[f32],
        pairs: &Pairs,
    ) -> Vec<(AttendedNeighbor, bool)> {
        let structure = neighborhood.structure(neighborhood.asked);
        let Some(layer) = self.model.gnn.last().filter(|_| !structure.pair_relation.is_empty()) else {
            return Vec::new();
        };
        let outlet = reading.outlet.clone();
        let attention = layer.heads().weights(reading.query.clone(), reading.tokens.clone(), outlet, &structure);
        let through = Through::new(gradient, &layer.output().weight.val(), layer.heads().value_weights());
        let tokens = floats(reading.tokens.clone());
        let ([_, f], n_heads) = (reading.tokens.dims(), self.config.model.heads);
        let actions = reading.decisions.as_ref().map(actions);
        let (source, destination) = (pairs.source[0], pairs.destination[0]);
        let mut heard = Vec::new();
        for (pair, ends) in structure.pair_tokens.windows(2).enumerate() {
            let (relation, root) = (neighborhood.pair_relation[pair], neighborhood.pair_root[pair]);
            for j in ends[0] as usize..ends[1] as usize {
                let Neighbor { node, edge, edge_type, created, .. } = neighborhood.neighbors[j];
                let attention = attention[j * n_heads..(j + 1) * n_heads].to_vec();
                let token = &tokens[j * f..(j + 1) * f];
                let contribution = through.contribution(root, relation, &attention, token);
                let told = AttendedNeighbor {
                    at_source: root == source,
                    node,
                    edge,
                    edge_type,
                    created,
                    attention,
                    actions: actions.as_ref().map(|actions| actions[j]),
                    contribution,
                };
                heard.push((told, root == source || root == destination));
            }
        }
        heard
    }
}

/// A score, how far it stands above its rivals', and what each neighbour of each root adds to that; whether the root is an end
/// of the link.
struct Study {
    logit: f32,
    margin: f32,
    neighbors: Vec<(AttendedNeighbor, bool)>,
}

/// Mean slope of the margin of some logits on the way from nothing to a value: along the value it makes up the whole difference
/// between the two, also where the score bends (integrated gradients, Sundararajan et al. 2017).
fn mean_slope(value: &Tensor<2>, logits: impl Fn(Tensor<2>) -> Tensor<1>) -> Vec<f32> {
    let mut mean = vec![0.0; value.dims().iter().product()];
    for step in 0..STEPS {
        let part = (step as f32 + 0.5) / STEPS as f32;
        let value = (value.clone() * part).autodiff().require_grad();
        let slope = value.grad(&margin(logits(value.clone())).backward()).map(floats).unwrap_or_default();
        mean.iter_mut().zip(slope).for_each(|(mean, slope)| *mean += slope / STEPS as f32);
    }
    mean
}

/// The first of some logits above the mean of the others; itself where there are no others.
fn margin(logits: Tensor<1>) -> Tensor<1> {
    let [n] = logits.dims();
    let own = logits.clone().narrow(0, 0, 1);
    if n > 1 { own - logits.narrow(0, 1, n - 1).mean() } else { own }
}

fn actions(decisions: &Decisions) -> Vec<Actions> {
    let yes = |tensor: &Tensor<2>| floats(tensor.clone()).into_iter().map(|x| x > 0.5);
    let both = yes(&decisions.listens).zip(yes(&decisions.speaks));
    both.map(|(listens, speaks)| Actions { listens, speaks }).collect()
}

fn first(values: &[f32]) -> f32 {
    values.first().copied().unwrap_or(f32::NAN)
}

/// `W_V^T W_O^T dmargin/do` is formed per (root, relation) only when asked for.
struct Through {
    /// dmargin/do of each root before the output projection `[Q, d]`.
    gradient: Vec<f32>,
    /// W_V `[relations, H, F, d_h]`
    values: Vec<f32>,
    shape: [usize; 4],
}

impl Through {
    /// From dmargin/do `[Q, d]`, W_O `[d, d]` and W_V.
    fn new(gradient: &[f32], output: &burn::tensor::Tensor<2>, values: burn::tensor::Tensor<4>) -> Through {
        let [d, _] = output.dims();
        let weights = floats(output.clone().inner());
        let gradient = gradient
            .chunks(d)
            .flat_map(|row| {
                weights.chunks(d).map(move |weight| row.iter().zip(weight).map(|(g, w)| g * w).sum::<f32>())
            })
            .collect();
        let shape = values.dims();
        Through { gradient, values: floats(values.inner()), shape }
    }

    fn contribution(&self, root: u32, relation: u32, attention: &[f32], token: &[f32]) -> f32 {
        let [_, n_heads, f, d_h] = self.shape;
        let gradient = &self.gradient[root as usize * n_heads * d_h..];
        let values = &self.values[relation as usize * n_heads * f * d_h..];
        let mut sum = 0.0;
        for (h, alpha) in attention.iter().enumerate() {
            let gradient = &gradient[h * d_h..(h + 1) * d_h];
            for (i, x) in token.iter().enumerate() {
                let row = &values[(h * f + i) * d_h..(h * f + i + 1) * d_h];
                sum += alpha * x * row.iter().zip(gradient).map(|(v, g)| v * g).sum::<f32>();
            }
        }
        sum
    }
}
