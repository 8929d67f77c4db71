//! Training: epochs over the training part, each from empty memory, predict strictly before update.
//!
//! Equations: `docs/model.md#loss-and-negatives`.

use std::ops::Range;
use std::time::Instant;

use rustc_hash::FxHashSet;
use timeweft_graph::{NodeIndex, Time};

use crate::data::fact_batches::batches;
use crate::model::memory_state::SLICE;
use crate::model::pipeline::{Reader, Remembered};
use crate::model::predictor;
use crate::nn::{Module, Tensor, clear_arena};
use crate::train::memory_limit::{self, QUERIES_A_STEP};
use crate::train::optimizer::Optimizer;
use crate::train::shared_negatives::SharedNegatives;
use crate::train::tbptt_window::TbpttWindow;
use crate::{
    Config, Epoch, Freshness, GraphContext, Htgn, Latest, LearnError, LearnProgress, Link, LinksToRank, Loss, Metrics,
    Predict, Query, Task, TrainConfig, TrainFreshness, TrainStatistics, Trained, VectorStore, absorb, empty_store,
    rebuild, splitmix64,
};

/// Trains a model: the weights of the epoch with the best validation MRR are kept, and memory is rebuilt with them.
///
/// # Errors
/// If the configuration is wrong, or the loss stops being a number.
pub fn train(task: &Task, config: &Config, progress: impl FnMut(LearnProgress)) -> Result<Trained, LearnError> {
    train_until(task, config, progress, &|| false)
}

/// The same, ended early once `stop` says so: after the batch at hand, with the best epoch so far. The epoch that was cut short
/// leaves no trace; one of which only the ranking is left is brought to its end.
///
/// # Errors
/// As [`train`], and if no epoch was over.
pub fn train_until(
    task: &Task,
    config: &Config,
    progress: impl FnMut(LearnProgress),
    stop: &dyn Fn() -> bool,
) -> Result<Trained, LearnError> {
    config.check()?;
    let graph = GraphContext::new(task.index.clone(), TrainStatistics::fit(task, config));
    memory_limit::check(config, &graph)?;
    let model = Htgn::new(config, &graph);
    let latest = Latest { model, optimizer: Optimizer::default() };
    Training { task, config, graph, latest, epochs: Vec::new(), best: None }.run(progress, stop)
}

/// Trains on from where a run stood: the same bits as if it had never been interrupted. The configuration may differ in
/// `train.epochs` and `train.patience` only, and the task is that of the trained graph (`GraphContext::task`): types that came later
/// stay unknown. `stop` ends it early, as in [`train_until`].
///
/// # Errors
/// As [`train`], and if the configuration is another one.
pub fn resume(
    task: &Task,
    config: &Config,
    trained: Trained,
    progress: impl FnMut(LearnProgress),
    stop: &dyn Fn() -> bool,
) -> Result<Trained, LearnError> {
    config.check()?;
    let mut known = trained.config.clone();
    (known.train.epochs, known.train.patience) = (config.train.epochs, config.train.patience);
    if known != *config {
        return Err(LearnError::OtherConfig);
    }
    let mrr = trained.epochs.get(trained.best.wrapping_sub(1)).map_or(0.0, |epoch| epoch.validation.mrr);
    let best = Some(Best { mrr, model: trained.model, epoch: trained.best });
    let graph = GraphContext::new(task.index.clone(), trained.graph.statistics);
    Training { task, config, graph, latest: trained.latest, epochs: trained.epochs, best }.run(progress, stop)
}

/// Training between two epochs.
struct Training<'a> {
    task: &'a Task,
    config: &'a Config,
    graph: GraphContext,
    latest: Latest,
    epochs: Vec<Epoch>,
    best: Option<Best>,
}

/// The weights that are kept so far.
struct Best {
    mrr: f64,
    model: Htgn,
    epoch: usize,
}

impl Training<'_> {
    fn run(self, mut progress: impl FnMut(LearnProgress), stop: &dyn Fn() -> bool) -> Result<Trained, LearnError> {
        let Training { task, config, graph, mut latest, mut epochs, mut best } = self;
        let mut learner = Learner::new(task, &graph, config, latest.clone());
        let mut model = latest.model.clone().tracked();
        for epoch in epochs.len() + 1..=config.train.epochs {
            let patience = config.train.patience;
            // The last epochs were no better than the best one for too long.
            if patience > 0 && best.as_ref().is_some_and(|best| epochs.len() - best.epoch >= patience) {
                break;
            }
            let Some((learnt, row)) = learner.epoch(model, epoch, &mut progress, stop)? else {
                progress(LearnProgress::Stopped(epoch));
                break;
            };
            model = learnt;
            progress(LearnProgress::Epoch(row));
            epochs.push(row);
            latest = Latest { model: model.detached(), optimizer: learner.optimizer.clone() };
            // Without a validation part the latest weights are kept.
            let chosen = row.validation.events == 0 || best.as_ref().is_none_or(|best| row.validation.mrr > best.mrr);
            if chosen {
                best = Some(Best { mrr: row.validation.mrr, model: latest.model.clone(), epoch });
            }
        }
        let Some(Best { model: chosen, epoch: best, .. }) = best else { return Err(LearnError::Interrupted) };
        let base = graph.facts().len();
        let store = rebuild(&chosen, &graph, config, base);
        // A thread of a server lives on.
        clear_arena();
        Ok(Trained { model: chosen, graph, latest, store, config: config.clone(), epochs, best, seen: 0, base })
    }
}

/// What one step of the optimiser learns from.
struct LinksToLearn {
    numbers: Range<usize>,
    /// Each link is predicted from what was strictly before this time; left out, before its own.
    as_of: Option<Time>,
    epoch: usize,
}

/// The weights while they learn.
struct Learner<'a> {
    task: &'a Task,
    graph: &'a GraphContext,
    config: &'a Config,
    optimizer: Optimizer,
    /// Nodes that negatives are drawn from, by side.
    pools: Vec<Vec<NodeIndex>>,
}

impl<'a> Learner<'a> {
    fn new(task: &'a Task, graph: &'a GraphContext, config: &'a Config, latest: Latest) -> Learner<'a> {
        Learner { task, graph, config, optimizer: latest.optimizer, pools: training_pools(task, config) }
    }

    /// One pass; `None` if it was stopped. The model goes in and out: held once, the optimiser changes its weights without a
    /// copy.
    fn epoch(
        &mut self,
        mut model: Htgn,
        epoch: usize,
        progress: &mut impl FnMut(LearnProgress),
        stop: &dyn Fn() -> bool,
    ) -> Result<Option<(Htgn, Epoch)>, LearnError> {
        let started = Instant::now();
        let Config { train, .. } = self.config;
        let end = self.graph.n_facts_before(self.task.time_of(self.task.split.train_end));
        let moves = train.jitter && epoch > 1;
        let offset = if moves { splitmix64(train.seed ^ epoch as u64) as usize } else { 0 };
        let mut store = empty_store(self.graph, self.config);
        let (mut sum, mut done) = (0.0, 0);
        let mut window = TbpttWindow::new(train.window);
        for range in batches(self.graph.facts(), 0..end, train.batch, offset) {
            if stop() {
                return Ok(None);
            }
            let start = self.graph.facts()[range.start].time;
            let as_of = (train.freshness == TrainFreshness::Batch).then_some(start);
            // Who asks at one time sees nothing of what happens at it.
            let is_seen = as_of.is_none() && !self.graph.is_one_time(&range);
            if is_seen {
                window.push(range.clone());
            }
            window.shrink(|until| self.take_in(&model, until, &mut store));
            let mut remembered = None;
            for numbers in self.in_parts(self.links_in(&range)) {
                let n = numbers.len();
                let links = LinksToLearn { numbers, as_of, epoch };
                let (learnt, loss, forward) = self.learn(model, window.facts(), &links, &store);
                (model, remembered) = (learnt, Some(forward));
                if !loss.is_finite() {
                    return Err(self.diverged(epoch, loss));
                }
                (sum, done) = (sum + f64::from(loss) * n as f64, done + n);
            }
            let of = self.task.split.train_end;
            progress(LearnProgress::Training { epoch, epochs: train.epochs, done, of, loss: sum / done.max(1) as f64 });
            if let Some(remembered) = remembered.filter(|_| train.window == 1) {
                // No later step looks back at these: the values of this forward pass stay.
                remembered.commit(&mut store);
                window.clear();
            }
            if !is_seen {
                let is_large = range.len() > SLICE;
                window.push(range);
                if is_large {
                    // More than one pass can hold with its gradient.
                    self.take_in(&model, window.facts().end, &mut store);
                    window.clear();
                }
            }
        }
        let train_seconds = started.elapsed().as_secs_f64();
        let valid = model.detached();
        if !are_finite(&valid) {
            return Err(self.diverged(epoch, f32::NAN));
        }
        absorb(&valid, self.graph, self.config, &mut store, end);
        let validation = self.validate(&valid, store, progress);
        let (loss, links_per_second) = (sum / done.max(1) as f64, done as f64 / train_seconds);
        let row = Epoch { epoch, loss, validation, train_seconds, links_per_second };
        Ok(Some((model, row)))
    }

    /// Metrics of the validation part, from the memory behind the training part.
    fn validate(&self, model: &Htgn, store: VectorStore, progress: &mut impl FnMut(LearnProgress)) -> Metrics {
        let part = self.task.split.train_end..self.task.split.val_end;
        // Epochs are compared by drawn candidates also where the figures of the test part count all.
        let mut config = self.config.clone();
        config.evaluate.candidates = if config.evaluate.candidates == 0 { 100 } else { config.evaluate.candidates };
        let (task, freshness) = (self.task, Freshness::Event);
        let links = LinksToRank { model, graph: self.graph, task, config: &config, part, freshness };
        Metrics::of(&links.ranks(store, progress))
    }

    fn diverged(&self, epoch: usize, loss: f32) -> LearnError {
        let non_finite = self.graph.non_finite_features(0..self.graph.facts().len());
        LearnError::Diverged { epoch, loss, learning_rate: self.config.train.learning_rate, non_finite }
    }

    /// Numbers of the target links whose facts lie in a range.
    fn links_in(&self, facts: &Range<usize>) -> Range<usize> {
        let links = &self.task.links;
        links.partition_point(|link| link.fact < facts.start)..links.partition_point(|link| link.fact < facts.end)
    }

    /// Predicts links and learns from them. The facts of the window are remembered anew, so that memory has a
    /// gradient.
    fn learn(
        &mut self,
        mut model: Htgn,
        facts: Range<usize>,
        links: &LinksToLearn,
        store: &VectorStore,
    ) -> (Htgn, f32, Remembered) {
        let reader = Reader { model: &model, graph: self.graph, store };
        let mut remembered = reader.remember(facts);
        let (queries, weights) = self.questions(links);
        let draw = splitmix64(self.config.train.seed ^ splitmix64(!(links.epoch as u64)));
        let logits = reader.answer(&remembered, &queries, Some(draw));
        let n = weights.len();
        let logits = logits + Tensor::new(weights, [n]);
        let loss = predictor::loss(self.config.train.loss, logits, links.numbers.len());
        // What is left of the forward pass are numbers: the weights are shared with nothing when they change.
        remembered.detach();
        let value = loss.values()[0];
        let gradients = loss.backward();
        drop(loss);
        // Memory needs some steps before its first large ones: a linear warm-up.
        let TrainConfig { learning_rate, decay, .. } = self.config.train;
        let rate =
            learning_rate * decay.powi(links.epoch as i32 - 1) * ((self.optimizer.steps + 1) as f64 / 50.0).min(1.0);
        self.optimizer.step(rate, &mut model, gradients);
        (model, value, remembered)
    }

    /// Memory takes in what is not remembered anew any more.
    fn take_in(&self, model: &Htgn, until: usize, store: &mut VectorStore) {
        absorb(&model.detached(), self.graph, self.config, store, until);
    }

    /// Links in parts of which each makes one step: a time with very many is more than one pass can hold.
    fn in_parts(&self, links: Range<usize>) -> Vec<Range<usize>> {
        let size = (QUERIES_A_STEP / (1 + self.config.train.negatives)).max(1);
        let starts = links.clone().step_by(size);
        starts.map(|start| start..(start + size).min(links.end)).collect()
    }

    /// Each link followed by its negatives, and what the softmax adds to the logit of each.
    fn questions(&self, links: &LinksToLearn) -> (Vec<Query>, Vec<f32>) {
        let (mut queries, mut weights) = (Vec::new(), Vec::new());
        let of_epoch = splitmix64(self.config.train.seed ^ splitmix64(links.epoch as u64));
        let key = splitmix64(of_epoch ^ !(links.numbers.start as u64));
        let mut shared = SharedNegatives::new(&self.pools, key, self.config.train.negatives);
        for number in links.numbers.clone() {
            let link = &self.task.links[number];
            let as_of = links.as_of.unwrap_or(link.time);
            let ask = |destination| link.question(destination, as_of);
            queries.push(ask(link.destination));
            weights.push(0.0);
            let key = of_epoch ^ splitmix64(number as u64);
            if self.task.predict != Predict::Created {
                let drawn = self.task.negatives(link, self.config.train.negatives, key);
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
        &self,
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

/// Whether every weight is a finite number: the step after the last loss may have broken them.
fn are_finite(model: &Htgn) -> bool {
    model.params().iter().all(|param| param.values().iter().all(|weight| weight.is_finite()))
}

/// For each side, the nodes that answered it in the training part; all answers of its type where these are candidates. None
/// where no new edges are predicted.
fn training_pools(task: &Task, config: &Config) -> Vec<Vec<NodeIndex>> {
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
