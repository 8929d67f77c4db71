//! Stage 4: neighborhoods. Equations: `docs/model.md#neighborhood-attention`.

use burn_core::tensor::Tensor;
use burn_core::tensor::activation::sigmoid;
use timeweft_graph::{NodeIndex, Time};
use timeweft_learn::{GnnKind, Neighborhood, splitmix64};

use crate::ReferenceError;
use crate::attention::Reading;
use crate::layers::silu;
use crate::model::ReferenceModel;
use crate::weights::Part;

/// Width of the features of an edge in a token.
const EDGE_WIDTH: usize = 16;

/// What a layer reads: vectors of the first roots and of their neighbors.
#[derive(Clone, Debug)]
struct Hop<'a> {
    /// `[Q, d]`
    own: Tensor<2>,
    /// `[E, d]`
    peers: Tensor<2>,
    neighborhood: &'a Neighborhood,
    noise: Option<u64>,
}

impl Hop<'_> {
    /// E: pair of each neighbor.
    fn pair_of(&self) -> Vec<u32> {
        let mut pairs = crate::segments::run_of(&self.neighborhood.pair_neighbors);
        pairs.truncate(self.peers.dims()[0]);
        pairs
    }

    /// E: root of each neighbor.
    fn root_of(&self) -> Vec<u32> {
        self.pair_of().iter().map(|&pair| self.neighborhood.pair_root[pair as usize]).collect()
    }
}

impl ReferenceModel {
    /// z `[Q, d]` of the roots that were asked for; rows of neighborhoods are rows of the memory table `[rows, d]`.
    pub(crate) fn embed(
        &self,
        table: Tensor<2>,
        neighborhood: &Neighborhood,
        noise: Option<u64>,
    ) -> Result<Tensor<2>, ReferenceError> {
        let (part, place) = (self.part("gnn"), &self.place);
        let n = neighborhood.entry_row.len();
        let mut entries = place.gather(table, &neighborhood.entry_row);
        entries = Part::plus(entries, self.identity(&neighborhood.entry_slots)?);
        entries = Part::plus(entries, part.at("nodes").project(&neighborhood.entry_features, n)?);
        let own = |roots: usize| place.gather(entries.clone(), &neighborhood.root_entry[..roots]);
        if self.config.gnn == GnnKind::None {
            return part.at("last.Own.feed_forward").feed_forward(own(neighborhood.asked));
        }
        let two = self.config.layers == 2;
        let roots = if two { neighborhood.roots.len() } else { neighborhood.asked };
        let last_pair = neighborhood.root_pairs[roots] as usize;
        let neighbors = &neighborhood.neighbor_entry[..neighborhood.pair_neighbors[last_pair] as usize];
        let mut hop = Hop { own: own(roots), peers: place.gather(entries.clone(), neighbors), neighborhood, noise };
        if two {
            let made = self.layer(&part.at("lower.0"), &hop)?;
            hop.own = made.clone().slice([0..neighborhood.asked, 0..self.config.width]);
            hop.peers = place.gather(made, &neighborhood.neighbor_root);
        }
        self.layer(&part.at("last"), &hop)
    }

    /// One layer `[Q, d]`: `ff(n + o)`.
    fn layer(&self, part: &Part<'_>, hop: &Hop<'_>) -> Result<Tensor<2>, ReferenceError> {
        let (attention, gate) = match self.config.gnn {
            GnnKind::Cooperative => {
                let part = part.at("Cooperative");
                (part.at("attention"), self.gates(&part.at("cooperation"), hop)?)
            }
            GnnKind::Transformer | GnnKind::None => (part.at("Transformer"), None),
        };
        let read = match self.reading(&attention, hop, gate)? {
            Some(reading) => self.attend(&attention.at("heads"), reading)?,
            None => hop.own.zeros_like(),
        };
        attention.at("feed_forward").feed_forward(hop.own.clone() + attention.at("output").linear(read)?)
    }

    /// What the roots attend to; `None` where none has a neighbor.
    fn reading(
        &self,
        part: &Part<'_>,
        hop: &Hop<'_>,
        gate: Option<Tensor<2>>,
    ) -> Result<Option<Reading>, ReferenceError> {
        let Hop { own, peers, neighborhood, .. } = hop;
        let ([q, _], [e, _]) = (own.dims(), peers.dims());
        if e == 0 {
            return Ok(None);
        }
        let types = &neighborhood.root_type[..q];
        let of_type = |field: &str| Ok(self.place.gather(part.at(field).matrix()?, types));
        let query = part.at("query").linear(own.clone())? + of_type("types")?;
        let mut token = vec![peers.clone(), self.encoded(&neighborhood.neighbor_gap[..e])];
        if part.at("edges").is_there() {
            let features = part.at("edges").project(&neighborhood.edge_features, e)?;
            token.push(features.unwrap_or_else(|| self.place.constant(vec![0.0; e * EDGE_WIDTH], [e, EDGE_WIDTH])));
        }
        let relation = hop.pair_of().iter().map(|&pair| neighborhood.pair_relation[pair as usize]).collect();
        let (tokens, root, sink) = (Tensor::cat(token, 1), hop.root_of(), Some(of_type("sink")?));
        Ok(Some(Reading { query, tokens, root, relation, sink, gate }))
    }

    /// g `[E, 1]`: 1 where the root listens and the neighbor speaks, else 0, with the gradient of the sigmoids.
    fn gates(&self, part: &Part<'_>, hop: &Hop<'_>) -> Result<Option<Tensor<2>>, ReferenceError> {
        let Hop { own, peers, neighborhood, noise } = hop;
        let ([q, _], [e, _]) = (own.dims(), peers.dims());
        if e == 0 {
            return Ok(None);
        }
        let root_of = hop.root_of();
        // A root decides once a version; so does a neighbor for each root that reads it.
        let (roots, read) = (&neighborhood.roots, &neighborhood.root_read);
        let drawn = |action, node, root: usize| noise.map_or(0.0, |key| draw(key, action, node, read[root]));
        let listens = (0..q).map(|root| drawn(0, roots[root].node, root)).collect();
        let speakers = neighborhood.neighbors[..e].iter().zip(&root_of);
        let speaks = speakers.map(|(neighbor, &root)| drawn(1, neighbor.node, root as usize)).collect();
        let idle = (&neighborhood.root_idle[..q], &neighborhood.root_degree[..q]);
        let listens = self.decide(part, 0, own.clone(), idle, listens)?;
        let idle = (&neighborhood.neighbor_idle[..e], &neighborhood.neighbor_degree[..e]);
        let speaks = self.decide(part, 1, peers.clone(), idle, speaks)?;
        Ok(Some(self.place.gather(listens, &root_of) * speaks))
    }

    /// One decision `[n, 1]` of nodes: `W_2 silu(W_1 [n ; phi(r - last) ; log(1 + degree)]) + noise > 0`.
    fn decide(
        &self,
        part: &Part<'_>,
        action: usize,
        x: Tensor<2>,
        (idle, degree): (&[f64], &[f64]),
        noise: Vec<f32>,
    ) -> Result<Tensor<2>, ReferenceError> {
        let n = degree.len();
        let degree = self.place.constant(degree.iter().map(|degree| (1.0 + degree).ln() as f32).collect(), [n, 1]);
        let hidden = silu(part.at("up").linear(Tensor::cat(vec![x, self.encoded(idle), degree], 1))?);
        let logit = part.at("down").linear(hidden)?.slice([0..n, action..action + 1]);
        let logit = logit + self.place.constant(noise, [n, 1]);
        // Straight through: the value is the decision, exactly, and the gradient that of the sigmoid.
        let hard = logit.clone().detach().greater_elem(0.0).float();
        let soft = sigmoid(logit);
        Ok(hard + (soft.clone() - soft.detach()))
    }
}

/// The difference of two Gumbel draws, by a counter over what is decided, who decides and the version of the root.
fn draw(key: u64, action: u64, node: NodeIndex, read: Option<Time>) -> f32 {
    let mut hash = splitmix64(key);
    for part in [read.map_or(0, |read| read.0 as u64), u64::from(node.0), action] {
        hash = splitmix64(hash ^ part);
    }
    let uniform = ((hash >> 11) as f64 + 0.5) / (1u64 << 53) as f64;
    (uniform / (1.0 - uniform)).ln() as f32
}
