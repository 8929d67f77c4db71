//! Whether explanations are true: neighbors are taken away in the order in which they are said to matter, and the margin over
//! other candidates is watched. Memory stays as it is, or is replayed without them; the attention over the
//! rest sums to one again, and the counters count on.
//!
//! Equations: `docs/model.md#explanations`.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::explain::counterfactual::Counterfactual;
use crate::model::pipeline::{Remembered, ask};
use crate::{Neighborhood, Query, Task, Trained, VectorStore, splitmix64};

/// Shares of the neighbors that are taken away, or kept.
pub(crate) const SHARES: [f64; 5] = [0.1, 0.2, 0.3, 0.4, 0.5];

/// In which order neighbors are said to matter.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Importance {
    /// By the size of their contribution.
    Contribution,
    /// The newest first.
    Recency,
    /// At random, by a counter.
    Random,
}

/// How much the margin changes, averaged over queries: in logits, with 10, 20, 30, 40 and 50 % of the neighbors.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Curves {
    /// The order.
    pub order: Importance,
    /// Without the most important: a true order changes the margin much.
    pub deletion: Vec<f64>,
    /// With the most important only: a true order changes it little.
    pub insertion: Vec<f64>,
    /// As `deletion`, with memory replayed without them. Empty for a model without memory, or whose messages carry their
    /// peers' memory.
    pub counterfactual: Vec<f64>,
    /// Rank correlation (Spearman's) of the order with how much the margin changes without each neighbor alone, in [-1, 1].
    pub agreement: f64,
    /// Queries with neighbors.
    pub links: usize,
}

impl Curves {
    /// Area under the deletion curve: larger is truer.
    pub fn deleted(&self) -> f64 {
        mean(&self.deletion)
    }

    /// Area under the insertion curve: smaller is truer.
    pub fn inserted(&self) -> f64 {
        mean(&self.insertion)
    }

    /// Area under the counterfactual curve: larger is truer. `None` if there is none.
    pub fn counterfactual(&self) -> Option<f64> {
        (!self.counterfactual.is_empty()).then(|| mean(&self.counterfactual))
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// At most `links` links of a part as questions: the first ones of each fifth, as of before the first of them.
pub fn stretches(task: &Task, part: Range<usize>, links: usize) -> Vec<Query> {
    let fifth = |at: usize| part.start + at * part.len() / 5;
    let stretch = |at: usize| {
        let own = fifth(at)..fifth(at + 1).min(fifth(at) + links.div_ceil(5));
        let as_of = task.links.get(own.start).map(|link| link.time);
        let questions = task.links[own].iter();
        questions.filter_map(move |link| Some(link.question(link.destination, as_of?))).collect::<Vec<_>>()
    };
    (0..5).flat_map(stretch).collect()
}

/// Curves of every order over queries; those without neighbors are left out. Queries in order of time take one pass over the
/// log.
pub fn curves(trained: &Trained, queries: &[Query]) -> Vec<Curves> {
    let replays = Counterfactual::new(trained);
    let empty = |order| Curves {
        order,
        deletion: vec![0.0; SHARES.len()],
        insertion: vec![0.0; SHARES.len()],
        counterfactual: vec![0.0; if replays.is_some() { SHARES.len() } else { 0 }],
        agreement: 0.0,
        links: 0,
    };
    let mut all = [Importance::Contribution, Importance::Recency, Importance::Random].map(empty);
    let mut scorer = trained.scorer();
    for (number, query) in queries.iter().enumerate() {
        let scene = Scene::new(trained, query, scorer.go_to(query.as_of));
        if !scene.contributions.is_empty() {
            let alone = scene.changes_alone();
            all.iter_mut().for_each(|curves| curves.add(&scene, &alone, replays.as_ref(), number as u64));
        }
    }
    for curves in &mut all {
        let n = curves.links.max(1) as f64;
        let values = curves.deletion.iter_mut().chain(&mut curves.insertion).chain(&mut curves.counterfactual);
        values.chain([&mut curves.agreement]).for_each(|value| *value /= n);
    }
    all.into()
}

impl Curves {
    /// Adds one query, of which `alone` says how much the margin changes without each neighbor.
    fn add(&mut self, scene: &Scene<'_>, alone: &[f64], replays: Option<&Counterfactual<'_>>, number: u64) {
        let n = scene.contributions.len();
        let order = scene.order(self.order, number);
        self.links += 1;
        self.agreement += agreement(&order, alone);
        for (at, share) in SHARES.into_iter().enumerate() {
            let m = ((n as f64 * share).round() as usize).clamp(1, n);
            let most = |keep: bool| {
                let mut kept = vec![!keep; n];
                order[..m].iter().for_each(|&j| kept[j] = keep);
                kept
            };
            self.deletion[at] += scene.change(&scene.with(&most(false)));
            self.insertion[at] += scene.change(&scene.with(&most(true)));
            if let Some(replays) = replays {
                let kept = most(false);
                let gone: Vec<usize> = (0..n).filter(|&j| !kept[j]).map(|j| scene.contributions[j].0).collect();
                let neighborhood =
                    replays.without(&scene.neighborhood, &gone, &scene.asked[0]).keep(&scene.places(&kept));
                self.counterfactual[at] += scene.change(&neighborhood);
            }
        }
    }
}

/// Spearman's rank correlation of an order with values: 1 if the largest value comes first, and so on. 0 for one element.
fn agreement(order: &[usize], values: &[f64]) -> f64 {
    let mut by_value: Vec<usize> = (0..values.len()).collect();
    by_value.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
    let mut rank = vec![0.0; values.len()];
    by_value.iter().enumerate().for_each(|(at, &j)| rank[j] = at as f64);
    let squares: f64 = order.iter().enumerate().map(|(at, &j)| (at as f64 - rank[j]).powi(2)).sum();
    let n = order.len() as f64;
    if n < 2.0 { 0.0 } else { 1.0 - 6.0 * squares / (n * (n * n - 1.0)) }
}

/// One query with its negatives, and what their roots read.
struct Scene<'a> {
    trained: &'a Trained,
    asked: Vec<Query>,
    neighborhood: Neighborhood,
    store: &'a VectorStore,
    margin: f64,
    /// Of every neighbor of the query's two ends, with its place in the neighborhood.
    contributions: Vec<(usize, f32)>,
}

impl<'a> Scene<'a> {
    fn new(trained: &'a Trained, query: &Query, store: &'a VectorStore) -> Scene<'a> {
        let remembered = Remembered::nothing(store);
        let asked = trained.with_negatives(query);
        let (roots, _) = ask(&trained.graph, &asked);
        let neighborhood = trained.reader(store).neighborhood(&remembered, &roots);
        let contributions = trained.contributions(&asked, &neighborhood, &remembered);
        let mut scene = Scene { trained, asked, neighborhood, store, margin: 0.0, contributions };
        scene.margin = scene.margin_of(&scene.neighborhood);
        scene
    }

    fn order(&self, order: Importance, number: u64) -> Vec<usize> {
        let mut all: Vec<usize> = (0..self.contributions.len()).collect();
        match order {
            Importance::Contribution => {
                let size = |j: usize| self.contributions[j].1.abs();
                all.sort_by(|&a, &b| size(b).total_cmp(&size(a)));
            }
            Importance::Recency => {
                let gap = |j: usize| self.neighborhood.neighbor_gap[self.contributions[j].0];
                all.sort_by(|&a, &b| gap(a).total_cmp(&gap(b)));
            }
            Importance::Random => all.sort_by_key(|&j| splitmix64(splitmix64(number) ^ j as u64)),
        }
        all
    }

    /// Which neighbors stay, of all roots, if only some of those of the two ends do.
    fn places(&self, kept: &[bool]) -> Vec<bool> {
        let mut all = vec![true; self.neighborhood.neighbors.len()];
        self.contributions.iter().zip(kept).for_each(|((at, _), kept)| all[*at] = *kept);
        all
    }

    /// What is read with some of the neighbors of the two ends, and all of the negatives'.
    fn with(&self, kept: &[bool]) -> Neighborhood {
        self.neighborhood.keep(&self.places(kept))
    }

    fn margin_of(&self, neighborhood: &Neighborhood) -> f64 {
        f64::from(self.trained.margin_of(&self.asked, neighborhood, &Remembered::nothing(self.store)))
    }

    /// How far the margin is from what it is with all neighbors.
    fn change(&self, neighborhood: &Neighborhood) -> f64 {
        (self.margin_of(neighborhood) - self.margin).abs()
    }

    /// How much the margin changes without each neighbor alone.
    fn changes_alone(&self) -> Vec<f64> {
        let n = self.contributions.len();
        (0..n).map(|j| self.change(&self.with(&(0..n).map(|i| i != j).collect::<Vec<_>>()))).collect()
    }
}

impl Neighborhood {
    /// The same with only some of the neighbors of the roots asked for.
    fn keep(&self, kept: &[bool]) -> Neighborhood {
        let stays = |j: usize| kept.get(j).copied().unwrap_or(true);
        let mut out = self.clone();
        let numbers: Vec<usize> = (0..self.neighbors.len()).filter(|&j| stays(j)).collect();
        let mut place = vec![u32::MAX; self.neighbors.len()];
        numbers.iter().enumerate().for_each(|(at, &j)| place[j] = at as u32);
        let before = |end: u32| numbers.partition_point(|&j| j < end as usize) as u32;
        out.pair_neighbors = self.pair_neighbors.iter().map(|&end| before(end)).collect();
        out.neighbor_entry = pick(&self.neighbor_entry, &numbers);
        out.neighbor_gap = pick(&self.neighbor_gap, &numbers);
        out.neighbors = pick(&self.neighbors, &numbers);
        out.neighbor_root = pick(&self.neighbor_root, &numbers);
        out.neighbor_idle = pick(&self.neighbor_idle, &numbers);
        out.neighbor_degree = pick(&self.neighbor_degree, &numbers);
        for (values, targets) in &mut out.edge_features.by_type {
            let width = values.len() / targets.len().max(1);
            let rows: Vec<usize> = (0..targets.len()).filter(|&row| place[targets[row] as usize] != u32::MAX).collect();
            *values = rows.iter().flat_map(|&row| values[row * width..(row + 1) * width].to_vec()).collect();
            *targets = rows.iter().map(|&row| place[targets[row] as usize]).collect();
        }
        out
    }
}

/// The elements at some places; those beyond the end are left out.
fn pick<T: Copy>(values: &[T], places: &[usize]) -> Vec<T> {
    places.iter().filter_map(|&at| values.get(at).copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreement_is_spearmans_correlation() {
        assert_eq!(agreement(&[2, 0, 1], &[5.0, 1.0, 9.0]), 1.0);
        assert_eq!(agreement(&[1, 0, 2], &[5.0, 1.0, 9.0]), -1.0);
        assert_eq!(agreement(&[0, 2, 1], &[5.0, 1.0, 9.0]), 0.5);
        assert_eq!(agreement(&[0], &[5.0]), 0.0);
    }
}
