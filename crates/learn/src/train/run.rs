//! Training: epochs over the training part, each from empty memory, predict strictly before update.
//!
//! Equations: `docs/model.md#loss-and-negatives`.

use std::ops::ControlFlow;
use std::time::Instant;

use timeweft_graph::NodeIndex;

use crate::model::pipeline::Reader;
use crate::model::predictor;
use crate::nn::{Module, Optimizer, Tensor, clear_arena, on_two_cores};
use crate::train::memory_limit;
use crate::train::plan::{Plan, Step};
use crate::train::questions::{Questions, training_pools};
use crate::{
    Config, Epoch, Freshness, GraphContext, Htgn, Latest, LearnError, LearnProgress, LinksToRank, Metrics, PastMemory,
    Task, TrainConfig, TrainStatistics, Trained, VectorStore, absorb, empty_store, splitmix64,
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
        let pools = &training_pools(task, config);
        let mut learner = Learner { task, graph: &graph, config, optimizer: latest.optimizer.clone(), pools };
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
        let (store, past, config) = (empty_store(&graph, config), PastMemory::default(), config.clone());
        let mut trained = Trained { model: chosen, graph, latest, store, past, config, epochs, best, seen: 0, base };
        // Nobody stops what is trained already.
        trained.take_in(&mut |_| ControlFlow::Continue(()))?;
        // A thread of a server lives on.
        clear_arena();
        Ok(trained)
    }
}

/// The weights while they learn.
struct Learner<'a> {
    task: &'a Task,
    graph: &'a GraphContext,
    config: &'a Config,
    optimizer: Optimizer,
    /// Nodes that negatives are drawn from, by side.
    pools: &'a [Vec<NodeIndex>],
}

impl Learner<'_> {
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
        let train = &self.config.train;
        let questions = Questions { task: self.task, graph: self.graph, config: self.config, pools: self.pools, epoch };
        let mut plan = Plan::new(self.task, self.graph, self.config, questions);
        let mut store = empty_store(self.graph, self.config);
        let (mut sum, mut done) = (0.0, 0);
        let mut next = plan.next();
        while let Some(step) = next.take() {
            if stop() {
                return Ok(None);
            }
            let n = step.n_links;
            let loss;
            ((model, loss), next) = on_two_cores(|| self.learn(model, step, epoch, &mut store), || plan.next());
            if !loss.is_finite() {
                return Err(self.diverged(epoch, loss));
            }
            (sum, done) = (sum + f64::from(loss) * n as f64, done + n);
            let of = self.task.split.train_end;
            progress(LearnProgress::Training { epoch, epochs: train.epochs, done, of, loss: sum / done as f64 });
        }
        let train_seconds = started.elapsed().as_secs_f64();
        let valid = model.detached();
        if !are_finite(&valid) {
            return Err(self.diverged(epoch, f32::NAN));
        }
        let end = self.graph.n_facts_before(self.task.time_of(self.task.split.train_end));
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

    /// Predicts links and learns from them. The facts of the window are remembered anew, so that memory has a
    /// gradient.
    fn learn(&mut self, mut model: Htgn, step: Step, epoch: usize, store: &mut VectorStore) -> (Htgn, f32) {
        let Step { facts, messages, mut neighborhood, pairs, counted, weights, n_links, .. } = step;
        step.take_in.into_iter().for_each(|until| self.take_in(&model, until, store));
        let reader = Reader { model: &model, graph: self.graph, store };
        let mut remembered = reader.remember_messages(messages, facts.end);
        neighborhood.recall(store);
        let draw = splitmix64(self.config.train.seed ^ splitmix64(!(epoch as u64)));
        let embeddings = reader.embed(&remembered, &neighborhood, Some(draw));
        let logits = reader.score_counted(embeddings, &pairs, counted.as_ref());
        let n = weights.len();
        let logits = logits + Tensor::new(weights, [n]);
        let loss = predictor::loss(self.config.train.loss, logits, n_links);
        // What is left of the forward pass are numbers: the weights are shared with nothing when they change.
        remembered.detach();
        let value = loss.values()[0];
        let gradients = loss.backward();
        drop(loss);
        // Memory needs some steps before its first large ones: a linear warm-up.
        let TrainConfig { learning_rate, decay, .. } = self.config.train;
        let rate = learning_rate * decay.powi(epoch as i32 - 1) * ((self.optimizer.steps + 1) as f64 / 50.0).min(1.0);
        self.optimizer.step(rate, &mut model, gradients);
        if step.commits {
            remembered.commit(store);
        }
        step.take_in_after.into_iter().for_each(|until| self.take_in(&model, until, store));
        (model, value)
    }

    /// Memory takes in what is not remembered anew any more.
    fn take_in(&self, model: &Htgn, until: usize, store: &mut VectorStore) {
        absorb(&model.detached(), self.graph, self.config, store, until);
    }
}

/// Whether every weight is a finite number: the step after the last loss may have broken them.
fn are_finite(model: &Htgn) -> bool {
    model.params().iter().all(|param| param.values().iter().all(|weight| weight.is_finite()))
}
