//! What an epoch asks about each link: whether it comes, or one of some wrong answers.
//!
//! Equations: `docs/model.md#loss-and-negatives`.

use std::ops::Range;

use rustc_hash::FxHashSet;
use timeweft_graph::{NodeIndex, Time};

use crate::train::shared_negatives::SharedNegatives;
use crate::{Config, GraphContext, Link, Loss, Predict, Query, Task, TrainConfig, splitmix64};

/// The questions of one epoch.
#[derive(Clone, Copy)]
pub(crate) struct Questions<'a> {
    pub task: &'a Task,
    pub graph: &'a GraphContext,
    pub config: &'a Config,
    /// Nodes that negatives are drawn from, by side.
    pub pools: &'a [Vec<NodeIndex>],
    pub epoch: usize,
}

impl Questions<'_> {
    /// Each link followed by its negatives, and what the softmax adds to the logit of each. Links are predicted from what was
    /// strictly before `as_of`; left out, before their own times.
    pub(crate) fn about(self, links: Range<usize>, as_of: Option<Time>) -> (Vec<Query>, Vec<f32>) {
        let train = &self.config.train;
        let (mut queries, mut weights) = (Vec::new(), Vec::new());
        let of_epoch = splitmix64(train.seed ^ splitmix64(self.epoch as u64));
        let key = splitmix64(of_epoch ^ !(links.start as u64));
        let mut shared = SharedNegatives::new(self.pools, key, train.negatives);
        for number in links {
            let link = &self.task.links[number];
            let as_of = as_of.unwrap_or(link.time);
            let ask = |destination| link.question(destination, as_of);
            queries.push(ask(link.destination));
            weights.push(0.0);
            let key = of_epoch ^ splitmix64(number as u64);
            if self.task.predict != Predict::Created {
                let drawn = self.task.negatives(link, train.negatives, key);
                weights.extend(drawn.iter().map(|_| 0.0));
                queries.extend(drawn.iter().map(|link| link.question(link.destination, as_of)));
                continue;
            }
            let (partners, drawn, weight) = self.negatives(link, as_of, key, &mut shared);
            weights.extend(partners.iter().map(|_| 0.0).chain(drawn.iter().map(|_| weight)));
            queries.extend(partners.into_iter().chain(drawn).map(ask));
        }
        (queries, weights)
    }

    /// Nodes that the source met last before `as_of`, then nodes of the training part, never one that it reaches at exactly this time.
    /// A drawn one stands for as many as its weight, a logarithm, says. One that does not exist yet shows no state and no
    /// counter (law 5): it stands for a new node.
    fn negatives(
        self,
        link: &Link,
        as_of: Time,
        key: u64,
        shared: &mut SharedNegatives<'_>,
    ) -> (Vec<NodeIndex>, Vec<NodeIndex>, f32) {
        let TrainConfig { negatives, partners, loss, .. } = self.config.train;
        let side = link.relation();
        // Answers for each pair by itself must be weighed as they are met: by chance.
        let n_partners = if loss == Loss::Bce { 0 } else { partners.min(negatives - 1) };
        let history = self.graph.history.read();
        let mut met = history.partners(link.source, side, history.limit(as_of), n_partners);
        met.retain(|&node| !self.task.is_answer(link, node));
        let free = |node: NodeIndex| !self.task.is_answer(link, node) && !met.contains(&node);
        let drawn = shared.take(side.at(), key, negatives - met.len(), free);
        let others = shared.n_pool(side.at()).saturating_sub(met.len()).max(1) as f32;
        let weight = if loss == Loss::Bce { 0.0 } else { (others / drawn.len() as f32).max(1.0).ln() };
        (met, drawn, weight)
    }
}

/// For each side, the nodes that answered it in the training part; all answers of its type where these are candidates. None
/// where no new edges are predicted.
pub(crate) fn training_pools(task: &Task, config: &Config) -> Vec<Vec<NodeIndex>> {
    if task.predict != Predict::Created {
        return Vec::new();
    }
    let (all_nodes, links) = (config.evaluate.all_nodes, &task.links[..task.split.train_end]);
    let mut pools = vec![Vec::new(); task.links.iter().map(|link| link.relation().at() + 1).max().unwrap_or(0)];
    let mut seen = FxHashSet::default();
    for link in links {
        let key = (if all_nodes { None } else { Some(link.relation()) }, link.destination);
        if seen.insert(key) && !all_nodes {
            pools[link.relation().at()].push(link.destination);
        }
    }
    if all_nodes {
        let index = &task.index;
        let answers: Vec<NodeIndex> = seen.into_iter().map(|(_, node)| node).collect();
        for (number, pool) in pools.iter_mut().enumerate() {
            let edge = &index.schema().edge_types()[number / 2];
            let wanted = if number % 2 == 0 { edge.destination } else { edge.source };
            *pool = answers.iter().copied().filter(|&node| index.node_type(node) == wanted).collect();
        }
    }
    // Sorted by name, so that the draw does not depend on the order of arrival.
    pools.iter_mut().for_each(|pool| pool.sort_by(|&a, &b| task.index.compare_nodes(a, b)));
    pools
}
