//! Evaluation: ranks by the protocol, predict strictly before update.
//!
//! Equations: `docs/model.md#evaluation-protocol`.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use timeweft_graph::Time;

use crate::data::fact_batches::batches;
use crate::evaluate::breakdown::break_down;
use crate::evaluate::negative_classes::NegativeClasses;
use crate::model::memory_state::{absorb, rebuild};
use crate::model::pipeline::{Reader, Remembered, ask};
use crate::{
    Calibration, Config, Freshness, GraphContext, Htgn, LearnProgress, Link, Metrics, NegativeClass, Predict, Query,
    Rule, Task, Trained, VectorStore, average_precision, rank,
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

/// Links to rank: by which model, and how fresh the state is that answers may use.
#[derive(Clone)]
pub struct LinksToRank<'a> {
    /// The weights.
    pub model: &'a Htgn,
    /// The graph.
    pub graph: &'a GraphContext,
    /// The task that the links are of.
    pub task: &'a Task,
    /// How many candidates each link has, and how they are drawn.
    pub config: &'a Config,
    /// Numbers of the links.
    pub part: Range<usize>,
    /// What an answer may know.
    pub freshness: Freshness,
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

    /// The time strictly before which the answer for a link knows everything.
    fn as_of(&self, number: usize) -> Time {
        let start = self.task.batch_start(number, self.part.start, self.freshness);
        self.task.time_of(start.unwrap_or(number))
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
        candidates: &dyn Fn(usize) -> Vec<Link>,
        each: &mut dyn FnMut(&[f32]),
        progress: &mut dyn FnMut(LearnProgress),
    ) {
        let mut ranking = Ranking { links: self, store, done: 0, candidates, each, progress };
        match self.freshness {
            Freshness::Event => ranking.by_event(),
            Freshness::Batch(_) => ranking.by_batch(),
        }
    }
}

struct Ranking<'a> {
    links: &'a LinksToRank<'a>,
    store: VectorStore,
    done: usize,
    candidates: &'a dyn Fn(usize) -> Vec<Link>,
    each: &'a mut dyn FnMut(&[f32]),
    progress: &'a mut dyn FnMut(LearnProgress),
}

impl Ranking<'_> {
    fn reader(&self) -> Reader<'_> {
        Reader { model: self.links.model, graph: self.links.graph, store: &self.store }
    }

    /// Takes in the facts up to number `until`.
    fn absorb(&mut self, until: usize) {
        absorb(self.links.model, self.links.graph, self.links.config, &mut self.store, until);
    }

    /// Every answer knows everything strictly before its own time: versions of memory inside a batch.
    fn by_event(&mut self) {
        let LinksToRank { graph, task, config, ref part, .. } = *self.links;
        let end = part.clone().next_back().map_or(0, |last| task.links[last].fact + 1);
        let mut next = part.start;
        for facts in batches(graph.facts(), self.store.absorbed()..end, config.train.batch, 0) {
            // No answer of this time sees these facts, so they can be taken in slice by slice.
            let remembered = match graph.is_one_time(&facts) {
                true => Remembered::nothing(&self.store),
                false => self.reader().remember(facts.clone()),
            };
            let inside = |number: &usize| *number < part.end && task.links[*number].fact < facts.end;
            let until = (next..part.end).take_while(inside).last().map_or(next, |last| last + 1);
            self.rank_links(next..until, &remembered);
            next = until;
            match graph.is_one_time(&facts) {
                true => self.absorb(facts.end),
                false => remembered.commit(&mut self.store),
            }
        }
    }

    /// Every answer knows what was before its batch.
    fn by_batch(&mut self) {
        let LinksToRank { graph, task, ref part, freshness, .. } = *self.links;
        let batch = |event| task.batch_start(event, part.start, freshness);
        let cuts: Vec<Range<usize>> = part
            .clone()
            .collect::<Vec<_>>()
            .chunk_by(|&a, &b| batch(a) == batch(b))
            .map(|links| links[0]..links[links.len() - 1] + 1)
            .collect();
        for links in cuts {
            self.absorb(graph.n_facts_before(self.links.as_of(links.start)).max(self.store.absorbed()));
            let nothing = Remembered::nothing(&self.store);
            self.rank_links(links, &nothing);
        }
    }

    fn rank_links(&mut self, links: Range<usize>, remembered: &Remembered) {
        let LinksToRank { task, ref part, .. } = *self.links;
        let mut queries = Vec::new();
        let mut sizes = Vec::new();
        for number in links.clone() {
            let before = queries.len();
            let (link, as_of) = (task.links[number], self.links.as_of(number));
            let asked = std::iter::once(link).chain((self.candidates)(number));
            queries.extend(asked.map(|link| link.question(link.destination, as_of)));
            sizes.push(queries.len() - before);
            // Links share the embeddings of their candidates.
            let is_full = queries.len() >= 64 * QUERIES;
            if number + 1 == links.end || is_full {
                self.score(&queries, &sizes, remembered);
                (queries, sizes) = (Vec::new(), Vec::new());
                (self.progress)(LearnProgress::Ranking { done: self.done, of: part.len() });
            }
        }
    }

    fn score(&mut self, queries: &[Query], sizes: &[usize], remembered: &Remembered) {
        let (roots, pairs) = ask(self.links.graph, queries);
        let neighborhood = self.reader().neighborhood(remembered, &roots);
        let embeddings = self.reader().embed(remembered, &neighborhood, None);
        let pairs = pairs.measure(queries, &neighborhood.root_read);
        let (mut from, mut first) = (0, 0);
        for (at, end) in sizes.iter().scan(0, |end, size| Some(*end + size).inspect(|sum| *end = *sum)).enumerate() {
            if end - from < QUERIES && at + 1 < sizes.len() {
                continue;
            }
            let part = pairs.part(from..end);
            let logits = self.reader().score(embeddings.clone(), &queries[from..end], &part);
            let mut rest = logits.values();
            for &size in &sizes[first..=at] {
                let (mine, later) = rest.split_at(size);
                (self.each)(mine);
                self.done += 1;
                rest = later;
            }
            (from, first) = (end, at + 1);
        }
    }
}
