//! The steps of an epoch, laid out one after another: everything that depends on what happened, and on no weights. So the next
//! step is laid out by another thread while this one is computed.

use std::collections::VecDeque;
use std::ops::Range;

use timeweft_graph::Time;

use crate::data::fact_batches::batches;
use crate::model::counters::Counted;
use crate::model::gnn::neighborhood::read;
use crate::model::memory_state::{SLICE, absorb_times};
use crate::model::pipeline::ask;
use crate::nn::stage;
use crate::train::memory_limit::QUERIES_A_STEP;
use crate::train::questions::Questions;
use crate::train::tbptt_window::TbpttWindow;
use crate::{
    Config, GraphContext, Messages, Neighborhood, Pairs, Task, Tokens, TrainFreshness, VectorStore, empty_store,
    expand, splitmix64,
};

/// One step of the optimiser, laid out.
pub(crate) struct Step {
    /// Facts up to here are taken in before it, if any are.
    pub take_in: Option<usize>,
    /// Links that it learns from.
    pub n_links: usize,
    /// C: what the softmax adds to each logit.
    pub weights: Vec<f32>,
    /// The facts that are remembered anew.
    pub facts: Range<usize>,
    /// Their messages and tokens.
    pub messages: (Messages, Tokens),
    /// What the roots of its C queries, each link followed by its negatives, read.
    pub neighborhood: Neighborhood,
    /// Which roots each query pairs.
    pub pairs: Pairs,
    /// The counters of the queries, if the model reads any.
    pub counted: Option<Counted>,
    /// Whether what its forward pass made of the facts stays: no later step looks back at them.
    pub commits: bool,
    /// Facts up to here are taken in after it, if any are: more than one pass can hold with its gradient.
    pub take_in_after: Option<usize>,
}

/// Lays the steps of one epoch out.
pub(crate) struct Plan<'a> {
    graph: &'a GraphContext,
    config: &'a Config,
    task: &'a Task,
    questions: Questions<'a>,
    batches: std::vec::IntoIter<Range<usize>>,
    open: Option<Batch>,
    window: TbpttWindow,
    /// Times of the memory that a step finds.
    times: VectorStore,
    /// Facts up to here are to be taken in before the next step.
    take_in: Option<usize>,
}

/// A batch of facts of which not all links have been learnt from.
struct Batch {
    facts: Range<usize>,
    /// Each link is predicted from what was strictly before this time; left out, before its own.
    as_of: Option<Time>,
    /// Whether who asks about one of its links sees what happened before inside the batch.
    is_seen: bool,
    parts: VecDeque<Range<usize>>,
}

impl<'a> Plan<'a> {
    /// The steps of an epoch over the training part.
    pub(crate) fn new(
        task: &'a Task,
        graph: &'a GraphContext,
        config: &'a Config,
        questions: Questions<'a>,
    ) -> Plan<'a> {
        let train = &config.train;
        let end = graph.n_facts_before(task.time_of(task.split.train_end));
        let moves = train.jitter && questions.epoch > 1;
        let offset = if moves { splitmix64(train.seed ^ questions.epoch as u64) as usize } else { 0 };
        Plan {
            graph,
            config,
            task,
            questions,
            batches: batches(graph.facts(), 0..end, train.batch, offset).into_iter(),
            open: None,
            window: TbpttWindow::new(train.window),
            times: empty_store(graph, config).times(),
            take_in: None,
        }
    }

    /// The next step; `None` after the last.
    pub(crate) fn next(&mut self) -> Option<Step> {
        let _running = stage("layout");
        loop {
            let mut batch = match self.open.take() {
                Some(batch) => batch,
                None => self.begin()?,
            };
            let Some(links) = batch.parts.pop_front() else {
                self.take_in = self.end(batch).or(self.take_in);
                continue;
            };
            let mut step = self.lay_out(&batch, links);
            step.take_in = self.take_in.take();
            if batch.parts.is_empty() {
                step.commits = self.config.train.window == 1;
                if step.commits {
                    self.times.commit(&step.messages.1.settled_times(step.facts.end));
                    self.window.clear();
                }
                step.take_in_after = self.end(batch);
            } else {
                self.open = Some(batch);
            }
            return Some(step);
        }
    }

    fn begin(&mut self) -> Option<Batch> {
        let facts = self.batches.next()?;
        let start = self.graph.facts()[facts.start].time;
        let as_of = (self.config.train.freshness == TrainFreshness::Batch).then_some(start);
        // Who asks at one time sees nothing of what happens at it.
        let is_seen = as_of.is_none() && !self.graph.is_one_time(&facts);
        if is_seen {
            self.window.push(facts.clone());
        }
        let Plan { window, times, graph, config, take_in, .. } = self;
        window.shrink(|until| {
            absorb_times(graph, config, times, until);
            *take_in = Some(until);
        });
        let parts = self.in_parts(self.links_in(&facts));
        Some(Batch { facts, as_of, is_seen, parts })
    }

    /// Up to where facts are taken in behind a batch.
    fn end(&mut self, batch: Batch) -> Option<usize> {
        if batch.is_seen {
            return None;
        }
        let is_large = batch.facts.len() > SLICE;
        self.window.push(batch.facts);
        is_large.then(|| {
            let until = self.window.facts().end;
            absorb_times(self.graph, self.config, &mut self.times, until);
            self.window.clear();
            until
        })
    }

    fn lay_out(&self, batch: &Batch, links: Range<usize>) -> Step {
        let (graph, times) = (self.graph, &self.times);
        let facts = self.window.facts();
        let messages = expand(graph, facts.clone(), times);
        let n_links = links.len();
        let (queries, weights) = self.questions.about(links, batch.as_of);
        let (roots, pairs) = ask(graph, &queries);
        let neighborhood = read(graph, &roots, &messages.1, times);
        let pairs = pairs.measure(&queries, &neighborhood.root_read);
        let counted = self.config.model.counters.then(|| Counted::of(graph, &queries));
        let (commits, take_in, take_in_after) = (false, None, None);
        Step { take_in, n_links, weights, facts, messages, neighborhood, pairs, counted, commits, take_in_after }
    }

    /// Numbers of the target links whose facts lie in a range.
    fn links_in(&self, facts: &Range<usize>) -> Range<usize> {
        let links = &self.task.links;
        links.partition_point(|link| link.fact < facts.start)..links.partition_point(|link| link.fact < facts.end)
    }

    /// Links in parts of which each makes one step: a time with very many is more than one pass can hold.
    fn in_parts(&self, links: Range<usize>) -> VecDeque<Range<usize>> {
        let size = (QUERIES_A_STEP / (1 + self.config.train.negatives)).max(1);
        let starts = links.clone().step_by(size);
        starts.map(|start| start..(start + size).min(links.end)).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use timeweft_graph::{Schema, TimeUnit};
    use timeweft_index::Index;
    use timeweft_oracle::synthetic;

    use super::*;
    use crate::model::pipeline::Reader;
    use crate::train::questions::training_pools;
    use crate::{Htgn, TrainStatistics, absorb};

    /// A step as it is laid out from the memory that it finds: law of the plan.
    #[test]
    fn steps_laid_out_ahead_are_those_that_memory_gives() {
        for (window, freshness, batch) in
            [(1, TrainFreshness::Event, 4), (3, TrainFreshness::Event, 4), (1, TrainFreshness::Batch, 6)]
        {
            let made = synthetic::random_answers(120, 1);
            let mut config: Config = serde_json::from_value(made.config).unwrap();
            (config.model.memory, config.model.counters, config.train.split) = (true, true, [0.4, 0.7]);
            (config.train.window, config.train.freshness, config.train.batch) = (window, freshness, batch);
            let mut index = Index::new(Schema::new(TimeUnit::Step));
            made.events.iter().for_each(|event| index.apply(event, &"".into()).unwrap());
            let task = Task::new(Arc::new(index), &config).unwrap();
            let graph = GraphContext::new(task.index.clone(), TrainStatistics::fit(&task, &config));
            let (model, pools) = (Htgn::new(&config, &graph), training_pools(&task, &config));
            let questions = Questions { task: &task, graph: &graph, config: &config, pools: &pools, epoch: 2 };
            let mut plan = Plan::new(&task, &graph, &config, questions);
            let mut store = empty_store(&graph, &config);
            let (mut steps, mut stored) = (0, 0);
            // One step ahead, as in training.
            let mut next = plan.next();
            while let Some(step) = next.take() {
                next = plan.next();
                (steps, stored) = (steps + 1, stored + step.neighborhood.stored_of.len());
                step.take_in.into_iter().for_each(|until| absorb(&model, &graph, &config, &mut store, until));
                let (messages, tokens) = expand(&graph, step.facts.clone(), &store);
                assert_eq!(format!("{messages:?}{tokens:?}"), format!("{:?}{:?}", step.messages.0, step.messages.1));
                let read = read(&graph, &step.neighborhood.roots, &tokens, &store);
                assert_eq!(format!("{read:?}"), format!("{:?}", step.neighborhood));
                if step.commits {
                    let reader = Reader { model: &model, graph: &graph, store: &store };
                    reader.remember_messages((messages, tokens), step.facts.end).commit(&mut store);
                }
                step.take_in_after.into_iter().for_each(|until| absorb(&model, &graph, &config, &mut store, until));
            }
            assert!(steps > 5 && stored > 5, "{steps} steps read {stored} stored rows");
        }
    }
}
