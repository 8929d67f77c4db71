//! Evaluation: ranks by the protocol, predict strictly before update.
//!
//! Equations: `docs/model.md#evaluation-protocol`.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use timeweft_graph::Time;

use crate::data::fact_batches::batches;
use crate::evaluate::breakdown::break_down;
use crate::evaluate::negative_classes::NegativeClasses;
use crate::floats;
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
    /// NegativeClasses of wrong answers for new edges, with the average precision of the answers among as many of the kind, and how
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
        let LinksToRank { model, graph, task, config, part, freshness } = self;
        let before = graph.n_facts_before(task.time_of(part.start));
        let store = rebuild(model, graph, config, before.min(first_needed(task, &part, freshness)));
        let wrong = wrong_by_class(graph, task, config, part.clone(), freshness);
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
        let (start, protocol) = (part.start, by_protocol(task, config));
        let candidates = &|number: usize| {
            let by_class = wrong[number - start].iter().flatten().copied();
            protocol(number).into_iter().chain(by_class).collect()
        };
        let of = part.len();
        let ranking = Ranking { model, graph, task, config, store, done: 0, of, candidates, each };
        ranking.run(part.clone(), freshness, &mut progress);
        let told = NegativeClass::ALL.iter().zip(scores).filter(|(_, (right, _))| !right.is_empty());
        let kinds = told
            .map(|(kind, (right, wrong))| (kind.name().into(), average_precision(&right, &wrong), wrong.len()))
            .collect();
        let as_of = |number: usize| task.time_of(task.batch_start(number, start, freshness).unwrap_or(number));
        let parts = break_down(task, part.clone(), &ranks, as_of);
        let mut rows = vec![("HTGN".to_string(), Metrics::of(&ranks))];
        let rules = Rule::evaluate(task, part, freshness, config.evaluate.candidates, config.evaluate.seed);
        rows.extend(rules.into_iter().map(|(rule, metrics)| (rule.name().to_string(), metrics)));
        Evaluation { freshness, rows, parts, kinds, calibration }
    }

    /// The ranks in order. `store` is true up to no later than the first link.
    pub fn ranks(self, store: VectorStore, progress: &mut impl FnMut(LearnProgress)) -> Vec<f64> {
        let LinksToRank { model, graph, task, config, part, freshness } = self;
        let mut ranks = Vec::with_capacity(part.len());
        let each = &mut |logits: &[f32]| ranks.push(rank(&logits[0], &logits[1..]));
        let candidates = &by_protocol(task, config);
        let of = part.len();
        Ranking { model, graph, task, config, store, done: 0, of, candidates, each }.run(part, freshness, progress);
        ranks
    }

    /// Average precision, each link beside the first candidate that the configuration draws for it, with memory rebuilt by the
    /// model's own weights.
    pub fn precision(self) -> f64 {
        let LinksToRank { model, graph, task, config, part, freshness } = self;
        let mut config = config.clone();
        config.evaluate.candidates = 1;
        let (mut positives, mut negatives) = (Vec::new(), Vec::new());
        let each = &mut |logits: &[f32]| {
            positives.push(logits[0]);
            negatives.extend_from_slice(&logits[1..]);
        };
        let before = graph.n_facts_before(task.time_of(part.start));
        let store = rebuild(model, graph, &config, before.min(first_needed(task, &part, freshness)));
        let config = &config;
        let candidates = &by_protocol(task, config);
        let ranking = Ranking { model, graph, task, config, store, done: 0, of: part.len(), candidates, each };
        ranking.run(part, freshness, &mut |_| ());
        average_precision(&positives, &negatives)
    }
}

/// The candidates that the protocol gives a link.
fn by_protocol(task: &Task, config: &Config) -> impl Fn(usize) -> Vec<Link> {
    move |number| task.candidates(number, config.evaluate.candidates, config.evaluate.seed)
}

/// For each link of a part a wrong answer of each kind; none where no new edges are predicted.
fn wrong_by_class(
    graph: &GraphContext,
    task: &Task,
    config: &Config,
    part: Range<usize>,
    freshness: Freshness,
) -> Vec<[Option<Link>; NegativeClass::ALL.len()]> {
    if task.predict != Predict::Created {
        return vec![[None; NegativeClass::ALL.len()]; part.len()];
    }
    let kinds = NegativeClasses::new(task, graph, config.evaluate.seed);
    let wrong = |number: usize| {
        let start = task.batch_start(number, part.start, freshness);
        kinds.draw(number, task.time_of(start.unwrap_or(number)))
    };
    part.clone().map(wrong).collect()
}

/// The number of facts that may be in the store before the first answer of a part.
fn first_needed(task: &Task, part: &Range<usize>, freshness: Freshness) -> usize {
    let start = task.batch_start(part.start, part.start, freshness);
    start.map_or(usize::MAX, |start| task.facts_before(task.time_of(start)).end)
}

struct Ranking<'a> {
    model: &'a Htgn,
    graph: &'a GraphContext,
    task: &'a Task,
    config: &'a Config,
    store: VectorStore,
    done: usize,
    of: usize,
    /// What a link is ranked against.
    candidates: &'a dyn Fn(usize) -> Vec<Link>,
    /// Takes the logits of each link in order, that of the truth first.
    each: &'a mut dyn FnMut(&[f32]),
}

impl Ranking<'_> {
    fn reader(&self) -> Reader<'_> {
        Reader { model: self.model, graph: self.graph, store: &self.store }
    }

    fn run(mut self, part: Range<usize>, freshness: Freshness, progress: &mut impl FnMut(LearnProgress)) {
        match freshness {
            Freshness::Event => self.by_event(part, progress),
            Freshness::Batch(_) => self.by_batch(part, freshness, progress),
        }
    }

    /// Every answer knows everything strictly before its own time: versions of memory inside a batch.
    fn by_event(&mut self, part: Range<usize>, progress: &mut impl FnMut(LearnProgress)) {
        let end = part.clone().next_back().map_or(0, |last| self.task.links[last].fact + 1);
        let mut next = part.start;
        for facts in batches(self.graph.facts(), self.store.absorbed()..end, self.config.train.batch, 0) {
            // No answer of this time sees these facts, so they can be taken in slice by slice.
            let remembered = match self.graph.is_one_time(&facts) {
                true => Remembered::nothing(&self.store),
                false => self.reader().remember(facts.clone()),
            };
            let inside = |number: &usize| *number < part.end && self.task.links[*number].fact < facts.end;
            let until = (next..part.end).take_while(inside).last().map_or(next, |last| last + 1);
            self.rank_links(next..until, &remembered, |task, number| task.links[number].time, progress);
            next = until;
            match self.graph.is_one_time(&facts) {
                true => absorb(self.model, self.graph, self.config, &mut self.store, facts.end),
                false => remembered.commit(&mut self.store),
            }
        }
    }

    /// Every answer knows what was before its batch.
    fn by_batch(&mut self, part: Range<usize>, freshness: Freshness, progress: &mut impl FnMut(LearnProgress)) {
        let batch = |event| self.task.batch_start(event, part.start, freshness);
        let cuts: Vec<Range<usize>> = part
            .clone()
            .collect::<Vec<_>>()
            .chunk_by(|&a, &b| batch(a) == batch(b))
            .map(|links| links[0]..links[links.len() - 1] + 1)
            .collect();
        for links in cuts {
            let as_of =
                self.task.time_of(self.task.batch_start(links.start, part.start, freshness).unwrap_or(links.start));
            let due = self.graph.n_facts_before(as_of).max(self.store.absorbed());
            absorb(self.model, self.graph, self.config, &mut self.store, due);
            let nothing = Remembered::nothing(&self.store);
            self.rank_links(links, &nothing, |_, _| as_of, progress);
        }
    }

    fn rank_links(
        &mut self,
        links: Range<usize>,
        remembered: &Remembered,
        as_of: impl Fn(&Task, usize) -> Time,
        progress: &mut impl FnMut(LearnProgress),
    ) {
        let mut queries = Vec::new();
        let mut sizes = Vec::new();
        for number in links.clone() {
            let before = queries.len();
            let (link, as_of) = (self.task.links[number], as_of(self.task, number));
            let asked = std::iter::once(link).chain((self.candidates)(number));
            queries.extend(asked.map(|link| link.question(link.destination, as_of)));
            sizes.push(queries.len() - before);
            // Links of one time share the embeddings of their candidates.
            let shares = number + 1 < links.end && self.task.links[number + 1].time == self.task.links[number].time;
            let is_full = queries.len() >= if shares { 64 * QUERIES } else { QUERIES };
            if number + 1 == links.end || is_full {
                self.score(&queries, &sizes, remembered);
                (queries, sizes) = (Vec::new(), Vec::new());
                progress(LearnProgress::Ranking { done: self.done, of: self.of });
            }
        }
    }

    fn score(&mut self, queries: &[Query], sizes: &[usize], remembered: &Remembered) {
        let (roots, pairs) = ask(self.graph, queries);
        let embeddings = self.reader().embed(remembered, &roots, None);
        let (mut from, mut first) = (0, 0);
        for (at, end) in sizes.iter().scan(0, |end, size| Some(*end + size).inspect(|sum| *end = *sum)).enumerate() {
            if end - from < QUERIES && at + 1 < sizes.len() {
                continue;
            }
            let part = pairs.part(from..end);
            let logits = floats(self.reader().score(embeddings.clone(), &queries[from..end], &part));
            let mut rest = &logits[..];
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
