//! Whether explanations are true: neighbours are taken away in the order in which they are said to matter, and the margin over
//! other candidates is watched (specification 2.9). Memory stays as it is, and the attention over the rest sums to one again.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use timeweft_graph::Time;

use crate::pipeline::{Remembered, ask};
use crate::{Neighborhood, Query, Trained, VectorStore, splitmix64};

/// Shares of the neighbours that are taken away, or kept.
pub(crate) const SHARES: [f64; 5] = [0.1, 0.2, 0.3, 0.4, 0.5];

/// In which order neighbours are said to matter.
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

/// How much the margin changes, averaged over queries: in logits, with 10, 20, 30, 40 and 50 % of the neighbours.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Curves {
    /// The order.
    pub order: Importance,
    /// Without the most important: a true order changes the margin much.
    pub deletion: Vec<f64>,
    /// With the most important only: a true order changes it little.
    pub insertion: Vec<f64>,
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
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// Deletion and insertion curves of every order over queries; those without neighbours are left out. Queries that follow each
/// other and know the same share one memory, which may take a pass over the log to build.
pub fn curves(trained: &Trained, queries: &[Query]) -> Vec<Curves> {
    let mut all: Vec<Curves> = [Importance::Contribution, Importance::Recency, Importance::Random]
        .into_iter()
        .map(|order| Curves { order, deletion: vec![0.0; SHARES.len()], insertion: vec![0.0; SHARES.len()] })
        .collect();
    let mut counted = 0;
    let mut known: Option<(Time, Cow<'_, VectorStore>)> = None;
    for (number, query) in queries.iter().enumerate() {
        let fits = known.take_if(|(as_of, _)| *as_of == query.as_of);
        let (_, store) = known.insert(fits.unwrap_or_else(|| (query.as_of, trained.memory_before(query.as_of))));
        let scene = Scene::new(trained, query, store);
        let n = scene.contributions.len();
        if n == 0 {
            continue;
        }
        counted += 1;
        for curves in &mut all {
            let order = scene.order(curves.order, number as u64);
            for (at, share) in SHARES.into_iter().enumerate() {
                let m = ((n as f64 * share).round() as usize).clamp(1, n);
                let most = |keep: bool| {
                    let mut kept = vec![!keep; n];
                    order[..m].iter().for_each(|&j| kept[j] = keep);
                    (scene.margin_with(&kept) - scene.margin).abs()
                };
                curves.deletion[at] += most(false);
                curves.insertion[at] += most(true);
            }
        }
    }
    for curves in &mut all {
        let values = curves.deletion.iter_mut().chain(&mut curves.insertion);
        values.for_each(|value| *value /= f64::from(counted.max(1)));
    }
    all
}

/// One query with its rivals, and what their roots read.
struct Scene<'a> {
    trained: &'a Trained,
    asked: Vec<Query>,
    hood: Neighborhood,
    store: &'a VectorStore,
    margin: f64,
    /// Of every neighbour of the query's two ends, with its place in the neighbourhood.
    contributions: Vec<(usize, f32)>,
}

impl<'a> Scene<'a> {
    fn new(trained: &'a Trained, query: &Query, store: &'a VectorStore) -> Scene<'a> {
        let remembered = Remembered::nothing(store);
        let asked = trained.with_rivals(query);
        let (roots, _) = ask(&trained.world, &asked);
        let hood = crate::neighborhood::read(&trained.world.context(), &roots, &remembered.tokens, store);
        let contributions = trained.contributions(&asked, &hood, &remembered);
        let mut scene = Scene { trained, asked, hood, store, margin: 0.0, contributions };
        scene.margin = scene.margin_with(&vec![true; scene.contributions.len()]);
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
                let gap = |j: usize| self.hood.neighbor_gap[self.contributions[j].0];
                all.sort_by(|&a, &b| gap(a).total_cmp(&gap(b)));
            }
            Importance::Random => all.sort_by_key(|&j| splitmix64(splitmix64(number) ^ j as u64)),
        }
        all
    }

    /// The margin with some of the neighbours of the two ends, and all of the rivals'.
    fn margin_with(&self, kept: &[bool]) -> f64 {
        let remembered = Remembered::nothing(self.store);
        let mut all = vec![true; self.hood.neighbors.len()];
        self.contributions.iter().zip(kept).for_each(|((at, _), kept)| all[*at] = *kept);
        f64::from(self.trained.margin_of(&self.asked, &self.hood.keep(&all), &remembered))
    }
}

impl Neighborhood {
    /// The same with only some of the neighbours of the roots asked for.
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
