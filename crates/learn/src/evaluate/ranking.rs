//! Evaluation: ranks by the protocol, predict strictly before update.
//!
//! Equations: `docs/model.md#evaluation-protocol`.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::evaluate::breakdown::break_down;
use crate::evaluate::negative_classes::NegativeClasses;
use crate::evaluate::rank_plan::{Asked, Candidates, Ends, Group, RankPlan};
use crate::model::memory_state::{absorb, rebuild};
use crate::model::pipeline::{Reader, Remembered};
use crate::nn::on_two_cores;
use crate::{
    Calibration, Freshness, LearnProgress, Link, LinksToRank, Metrics, NegativeClass, Predict, Rule, Task, Trained,
    VectorStore, average_precision, rank,
};

/// Queries whose roots are embedded in one forward pass: bounds the memory of an evaluation.
const QUERIES: usize = 8192;

/// The figures of one freshness: never mixed with another's in one column.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Evaluation {
    /// How fresh the state was.
    pub freshness: Freshness,
    /// Name and metrics: the model first, then every rule.
    pub rows: Vec<(String, Metrics)>,
    /// The model's metrics by relation and by whether the ends are new.
    pub parts: Vec<(String, Metrics)>,
    /// Kinds of wrong answers for new edges, with the average precision of the answers among as many of the kind, and how
    /// many there were.
    pub kinds: Vec<(String, f64, usize)>,
    /// The model's shares against what came true.
    pub calibration: Calibration,
}

impl Trained {
    /// Links of a task to rank by the chosen weights.
    pub fn to_rank<'a>(&'a self, task: &'a Task, part: Range<usize>, freshness: Freshness) -> LinksToRank<'a> {
        LinksToRank { model: &self.model, graph: &self.graph, task, config: &self.config, part, freshness }
    }
}

impl LinksToRank<'_> {
    /// Ranks with memory rebuilt by the model's own weights, beside every rule.
    pub fn evaluate(self, mut progress: impl FnMut(LearnProgress)) -> Evaluation {
        let LinksToRank { task, config, ref part, freshness, .. } = self;
        let wrong = self.wrong_by_class();
        let (mut ranks, mut calibration) = (Vec::with_capacity(part.len()), Calibration::default());
        let mut scores = vec![(Vec::new(), Vec::new()); NegativeClass::ALL.len()];
        let each = &mut |logits: &[f32]| {
            let wrong = &wrong[ranks.len()];
            let (ranked, by_class) = logits.split_at(logits.len() - wrong.iter().flatten().count());
            ranks.push(rank(&ranked[0], &ranked[1..]));
            calibration.add(ranked);
            let drawn = wrong.iter().zip(&mut scores).filter(|(wrong, _)| wrong.is_some());
            for ((_, (right, wrong)), logit) in drawn.zip(by_class) {
                right.push(ranked[0]);
                wrong.push(*logit);
            }
        };
        // Wrong answers of each kind are asked about behind the candidates: one pass over the log serves both.
        let candidates = &|number: usize| {
            let by_class = wrong[number - part.start].iter().flatten().copied();
            self.by_protocol(number).into_iter().chain(by_class).collect()
        };
        self.rank(self.memory(), candidates, each, &mut progress);
        let drawn = NegativeClass::ALL.iter().zip(scores).filter(|(_, (right, _))| !right.is_empty());
        let kinds = drawn
            .map(|(kind, (right, wrong))| (kind.name().into(), average_precision(&right, &wrong), wrong.len()))
            .collect();
        let parts = break_down(task, part.clone(), &ranks, |number| self.as_of(number));
        let mut rows = vec![("HTGN".to_string(), Metrics::of(&ranks))];
        let rules = Rule::evaluate(task, part.clone(), freshness, config.evaluate.candidates, config.evaluate.seed);
        rows.extend(rules.into_iter().map(|(rule, metrics)| (rule.name().to_string(), metrics)));
        Evaluation { freshness, rows, parts, kinds, calibration }
    }

    /// The ranks in order. `store` is true up to no later than the first link.
    pub fn ranks(self, store: VectorStore, progress: &mut impl FnMut(LearnProgress)) -> Vec<f64> {
        let mut ranks = Vec::with_capacity(self.part.len());
        let each = &mut |logits: &[f32]| ranks.push(rank(&logits[0], &logits[1..]));
        self.rank(store, &|number| self.by_protocol(number), each, progress);
        ranks
    }

    /// Average precision, each link beside the first candidate that the configuration draws for it, with memory rebuilt by the
    /// model's own weights.
    pub fn precision(self) -> f64 {
        let mut config = self.config.clone();
        config.evaluate.candidates = 1;
        let links = LinksToRank { config: &config, ..self };
        let (mut positives, mut negatives) = (Vec::new(), Vec::new());
        let each = &mut |logits: &[f32]| {
            positives.push(logits[0]);
            negatives.extend_from_slice(&logits[1..]);
        };
        links.rank(links.memory(), &|number| links.by_protocol(number), each, &mut |_| ());
        average_precision(&positives, &negatives)
    }

    /// Memory rebuilt by the model's own weights: all that the first answer may know.
    pub fn memory(&self) -> VectorStore {
        let LinksToRank { model, graph, task, config, ref part, freshness } = *self;
        let before = graph.n_facts_before(task.time_of(part.start));
        let needed = task
            .batch_start(part.start, part.start, freshness)
            .map_or(before, |start| task.facts_before(task.time_of(start)).end.min(before));
        rebuild(model, graph, config, needed)
    }

    /// The candidates that the protocol gives a link.
    fn by_protocol(&self, number: usize) -> Vec<Link> {
        self.task.candidates(number, self.config.evaluate.candidates, self.config.evaluate.seed)
    }

    /// For each link a wrong answer of each kind; none where no new edges are predicted.
    fn wrong_by_class(&self) -> Vec<[Option<Link>; NegativeClass::ALL.len()]> {
        if self.task.predict != Predict::Created {
            return vec![[None; NegativeClass::ALL.len()]; self.part.len()];
        }
        let kinds = NegativeClasses::new(self.task, self.graph, self.config.evaluate.seed);
        self.part.clone().map(|number| kinds.draw(number, self.as_of(number))).collect()
    }

    /// Ranks each link against its candidates; `each` takes the logits of one in order, that of the truth first.
    fn rank(
        &self,
        store: VectorStore,
        candidates: &Candidates<'_>,
        each: &mut dyn FnMut(&[f32]),
        progress: &mut dyn FnMut(LearnProgress),
    ) {
        let mut plan = RankPlan::new(self, &store, candidates);
        let mut ranking = Ranking { links: self, store, remembered: None };
        let mut done = 0;
        let mut next = plan.next();
        while let Some(group) = next.take() {
            let sizes = group.asked.as_ref().map(|asked| asked.sizes.clone()).unwrap_or_default();
            let logits;
            (logits, next) = on_two_cores(|| ranking.answer(group), || plan.next());
            let mut rest = &logits[..];
            for size in sizes {
                let (mine, later) = rest.split_at(size);
                each(mine);
                (rest, done) = (later, done + 1);
            }
            progress(LearnProgress::Ranking { done, of: self.part.len() });
        }
    }
}

struct Ranking<'a> {
    links: &'a LinksToRank<'a>,
    store: VectorStore,
    /// What was made of the facts of the batch at hand.
    remembered: Option<Remembered>,
}

impl Ranking<'_> {
    fn reader(&self) -> Reader<'_> {
        Reader { model: self.links.model, graph: self.links.graph, store: &self.store }
    }

    /// Takes in the facts up to number `until`.
    fn absorb(&mut self, until: usize) {
        absorb(self.links.model, self.links.graph, self.links.config, &mut self.store, until);
    }

    /// The logits of a group's queries.
    fn answer(&mut self, group: Group) -> Vec<f32> {
        if let Some(until) = group.absorbs {
            self.absorb(until);
        }
        if let Some((messages, absorbs)) = group.messages {
            self.remembered = Some(self.reader().remember_messages(messages, absorbs));
        }
        let logits = group.asked.map(|asked| {
            let nothing = Remembered::nothing(&self.store);
            self.score(asked, self.remembered.as_ref().unwrap_or(&nothing))
        });
        match group.ends {
            Some(Ends::Committed) => {
                self.remembered.take().into_iter().for_each(|remembered| remembered.commit(&mut self.store));
            }
            Some(Ends::Absorbed(until)) => self.absorb(until),
            None => (),
        }
        logits.unwrap_or_default()
    }

    fn score(&self, asked: Asked, remembered: &Remembered) -> Vec<f32> {
        let Asked { queries, sizes, mut neighborhood, pairs } = asked;
        neighborhood.recall(&self.store);
        let embeddings = self.reader().embed(remembered, &neighborhood, None);
        let mut logits = Vec::with_capacity(queries.len());
        let (mut from, mut end) = (0, 0);
        for (at, size) in sizes.iter().enumerate() {
            end += size;
            if end - from >= QUERIES || at + 1 == sizes.len() {
                let part = pairs.part(from..end);
                logits.extend_from_slice(self.reader().score(embeddings.clone(), &queries[from..end], &part).values());
                from = end;
            }
        }
        logits
    }
}
