//! Training: epochs over the training part, each from empty memory, predict strictly before update.

use std::ops::Range;
use std::time::Instant;

use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::Device;
use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};
use timeweft_graph::NodeIndex;

use crate::batch::batches;
use crate::counters::READ;
use crate::history::Side;
use crate::layers::constant;
use crate::pipeline::{answer, floats, remember};
use crate::{
    AdamW, Config, Fitted, Freshness, Htgn, LearnError, Link, Loss, Metrics, Query, Task, TrainConfig, VectorStore,
    World, evaluate, predictor, splitmix64,
};

/// What an epoch gave.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Epoch {
    /// Number, from 1.
    pub epoch: usize,
    /// Mean loss over the training links.
    pub loss: f64,
    /// Ranking of the validation links at event freshness.
    pub validation: Metrics,
    /// Seconds of training.
    pub train_seconds: f64,
    /// Training links a second.
    pub links_per_second: f64,
}

/// Where training stands, for a progress bar.
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub enum Progress {
    /// Links of an epoch trained on so far, of how many, and the mean loss so far.
    #[allow(missing_docs)]
    Training { epoch: usize, epochs: usize, done: usize, of: usize, loss: f64 },
    /// Links ranked so far.
    #[allow(missing_docs)]
    Ranking { done: usize, of: usize },
    /// An epoch is over.
    Epoch(Epoch),
}

/// A trained model.
pub struct Trained {
    /// The model with the weights of the best epoch, without gradients.
    pub model: Htgn,
    /// The graph as it reads it.
    pub world: World,
    /// The optimiser after the best epoch.
    pub optimizer: ModuleOptimizer,
    /// Memory with the chosen weights, true up to the end of the log.
    pub store: VectorStore,
    /// How it was trained.
    pub config: Config,
    /// All epochs.
    pub epochs: Vec<Epoch>,
    /// The epoch whose weights were kept.
    pub best: usize,
}

/// Trains a model: the weights of the epoch with the best validation MRR are kept, and memory is rebuilt with them.
///
/// # Errors
/// If the configuration is wrong, or the loss stops being a number.
pub fn train(task: &Task, config: &Config, mut progress: impl FnMut(Progress)) -> Result<Trained, LearnError> {
    config.check()?;
    let world = World::new(task.index.clone(), Fitted::fit(task, config));
    let mut learner = Learner::new(task, &world, config);
    let mut model = Htgn::new(config, &world, &Device::flex().autodiff());
    let (mut epochs, mut best): (Vec<Epoch>, Option<Best>) = (Vec::new(), None);
    for epoch in 1..=config.train.epochs {
        let row;
        (model, row) = learner.epoch(model, epoch, &mut progress)?;
        progress(Progress::Epoch(row));
        epochs.push(row);
        // Without a validation part the latest weights are kept.
        let chosen = row.validation.events == 0 || best.as_ref().is_none_or(|best| row.validation.mrr > best.mrr);
        if chosen {
            best = Some(Best {
                mrr: row.validation.mrr,
                model: model.valid(),
                optimizer: learner.optimizer.clone(),
                epoch,
            });
        }
    }
    let Some(Best { model, optimizer, epoch: best, .. }) = best else {
        return Err(LearnError::TooLittle { links: task.links.len() });
    };
    let store = rebuild(&model, &world, config, world.facts().len());
    Ok(Trained { model, world, optimizer, store, config: config.clone(), epochs, best })
}

/// The weights that are kept so far.
struct Best {
    mrr: f64,
    model: Htgn,
    optimizer: ModuleOptimizer,
    epoch: usize,
}

/// Memory from nothing with fixed weights: all facts up to number `until`. Used whenever weights change for good.
pub fn rebuild(model: &Htgn, world: &World, config: &Config, until: usize) -> VectorStore {
    let mut store = empty_store(world, config);
    absorb(model, world, config, &mut store, until);
    store
}

/// Takes in the facts from where the store stands up to number `until`.
pub fn absorb(model: &Htgn, world: &World, config: &Config, store: &mut VectorStore, until: usize) {
    for range in batches(world.facts(), store.absorbed()..until, 4 * config.train.batch, 0) {
        remember(model, world, range, store).commit(store);
    }
}

/// A vector store without rows.
pub fn empty_store(world: &World, config: &Config) -> VectorStore {
    VectorStore::new(world.index.n_nodes(), config.model.channels * config.model.states, config.model.width)
}

/// The weights while they learn.
struct Learner<'a> {
    task: &'a Task,
    world: &'a World,
    config: &'a Config,
    optimizer: ModuleOptimizer,
    /// Nodes that negatives are drawn from, by side.
    pools: Vec<Vec<NodeIndex>>,
    step: usize,
}

impl<'a> Learner<'a> {
    fn new(task: &'a Task, world: &'a World, config: &'a Config) -> Learner<'a> {
        let optimizer = AdamW::default().init();
        Learner { task, world, config, optimizer, pools: training_pools(task, config.evaluate.all_nodes), step: 0 }
    }

    /// One pass. The model goes in and out: held once, the optimiser changes its weights without a copy.
    fn epoch(
        &mut self,
        mut model: Htgn,
        epoch: usize,
        progress: &mut impl FnMut(Progress),
    ) -> Result<(Htgn, Epoch), LearnError> {
        let started = Instant::now();
        let Config { train, .. } = self.config;
        let end = self.world.n_facts_before(self.task.time_of(self.task.split.train_end));
        let offset = if epoch == 1 { 0 } else { splitmix64(train.seed ^ epoch as u64) as usize };
        let mut store = empty_store(self.world, self.config);
        let (mut sum, mut done) = (0.0, 0);
        for range in batches(self.world.facts(), 0..end, train.batch, offset) {
            let links = self.links_in(&range);
            let n = links.len();
            let loss;
            (model, loss) = self.learn(model, range, links, epoch, &mut store);
            if !loss.is_finite() {
                return Err(LearnError::Diverged { epoch, loss });
            }
            (sum, done) = (sum + f64::from(loss) * n as f64, done + n);
            let of = self.task.split.train_end;
            progress(Progress::Training { epoch, epochs: train.epochs, done, of, loss: sum / done.max(1) as f64 });
        }
        let train_seconds = started.elapsed().as_secs_f64();
        let part = self.task.split.train_end..self.task.split.val_end;
        let valid = model.valid();
        // Epochs are compared by drawn candidates also where the figures of the test part count all.
        let mut config = self.config.clone();
        config.evaluate.candidates = if config.evaluate.candidates == 0 { 100 } else { config.evaluate.candidates };
        let ranks = evaluate::ranks(&valid, self.world, self.task, &config, part, Freshness::Event, store, progress);
        let (loss, links_per_second) = (sum / done.max(1) as f64, done as f64 / train_seconds);
        Ok((model, Epoch { epoch, loss, validation: Metrics::of(&ranks), train_seconds, links_per_second }))
    }

    /// Numbers of the target links whose facts lie in a range.
    fn links_in(&self, facts: &Range<usize>) -> Range<usize> {
        let links = &self.task.links;
        links.partition_point(|link| link.fact < facts.start)..links.partition_point(|link| link.fact < facts.end)
    }

    /// One batch: predict its links from what was before each, learn, then let memory take the batch in.
    fn learn(
        &mut self,
        mut model: Htgn,
        facts: Range<usize>,
        links: Range<usize>,
        epoch: usize,
        store: &mut VectorStore,
    ) -> (Htgn, f32) {
        let remembered = remember(&model, self.world, facts, store);
        let mut value = 0.0;
        if !links.is_empty() {
            let (queries, weights) = self.questions(links.clone(), epoch);
            let logits = answer(&model, self.world, &self.config.model, &remembered, store, &queries);
            let n = weights.len();
            let logits = logits + constant(weights, [n], &Device::flex());
            let loss = predictor::loss(self.config.train.loss, logits, links.len());
            value = floats(loss.clone().inner()).first().copied().unwrap_or(f32::NAN);
            let gradients = GradientsParams::from_grads(loss.backward(), &model);
            self.step += 1;
            // Memory needs some steps before its first large ones: a linear warm-up.
            let rate = self.config.train.learning_rate * (self.step as f64 / 50.0).min(1.0);
            model = self.optimizer.step(rate, model, gradients);
        }
        remembered.commit(store);
        (model, value)
    }

    /// Each link followed by its negatives, and what the softmax adds to the logit of each.
    fn questions(&self, links: Range<usize>, epoch: usize) -> (Vec<Query>, Vec<f32>) {
        let (mut queries, mut weights) = (Vec::new(), Vec::new());
        for number in links {
            let link = &self.task.links[number];
            let ask = |destination| Query {
                edge_type: link.edge_type,
                direction: link.direction,
                source: link.source,
                destination,
                time: link.time,
                as_of: link.time,
            };
            queries.push(ask(link.destination));
            weights.push(0.0);
            let key = splitmix64(self.config.train.seed ^ splitmix64(epoch as u64)) ^ splitmix64(number as u64);
            let (partners, drawn, weight) = self.negatives(link, key);
            weights.extend(partners.iter().map(|_| 0.0).chain(drawn.iter().map(|_| weight)));
            queries.extend(partners.into_iter().chain(drawn).map(ask));
        }
        (queries, weights)
    }

    /// Nodes that the source met last, then nodes of the training part, never one that it reaches at exactly this time.
    /// A drawn one stands for as many as its weight, a logarithm, says. One that does not exist yet shows no state and no
    /// counter (law 5): it stands for somebody new.
    fn negatives(&self, link: &Link, key: u64) -> (Vec<NodeIndex>, Vec<NodeIndex>, f32) {
        let TrainConfig { negatives, partners, loss, .. } = self.config.train;
        let side = Side::of(link);
        let pool = &self.pools[side.at()];
        // Answers for each pair by itself must be weighed as they are met: by chance.
        let n_partners = if loss == Loss::Bce { 0 } else { partners.min(negatives - 1) };
        let history = &self.world.history;
        let mut met = history.partners(link.source, side, history.limit(link.time), n_partners, READ);
        met.retain(|&node| !self.task.is_answer(link, node));
        let free = |node: NodeIndex| !self.task.is_answer(link, node) && !met.contains(&node);
        let any_free = pool.iter().any(|&node| free(node));
        let drawn: Vec<NodeIndex> = (0u64..)
            .map(|draw| pool[(splitmix64(key ^ draw) % pool.len() as u64) as usize])
            .filter(|&node| !any_free || free(node))
            .take(negatives - met.len())
            .collect();
        let others = pool.len().saturating_sub(met.len()).max(1) as f32;
        let weight = if loss == Loss::Bce { 0.0 } else { (others / drawn.len() as f32).max(1.0).ln() };
        (met, drawn, weight)
    }
}

/// For each side, the nodes that answered it in the training part; all answers of its type where these are candidates.
fn training_pools(task: &Task, all_nodes: bool) -> Vec<Vec<NodeIndex>> {
    let links = &task.links[..task.split.train_end];
    let mut pools = vec![Vec::new(); task.links.iter().map(|link| Side::of(link).at() + 1).max().unwrap_or(0)];
    let mut seen = FxHashSet::default();
    for link in links {
        let key = (if all_nodes { None } else { Some(Side::of(link)) }, link.destination);
        if seen.insert(key) && !all_nodes {
            pools[Side::of(link).at()].push(link.destination);
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
