//! The rules that every model is printed beside. A model that does not beat them at the same freshness is not worth
//! its training.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;
use timeweft_graph::{NodeIndex, Time};

use crate::data::directed_relation::DirectedRelation;
use crate::{Freshness, Link, Metrics, Predict, Task, rank};

/// A training-free rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    /// EdgeBank, unlimited (Poursafaei et al. 2022): a pair that was there before comes back.
    EdgeBank,
    /// EdgeBank over the last 15 % of the training part's times, as TGB runs it.
    EdgeBankWindow,
    /// Last time of (s, d), then last time of (d, s), then last time anything reached d.
    Recency,
    /// How often d was reached.
    Popularity,
    /// Of what is there, what had to do with anything longest ago. Removals and ends only.
    Idle,
}

impl Rule {
    /// The rules for new edges, in the order of reports.
    pub const OF_LINKS: [Rule; 4] = [Rule::EdgeBank, Rule::EdgeBankWindow, Rule::Recency, Rule::Popularity];
    /// The rules for what goes: they look at the facts of an edge's ends, or of a node: at the last one, and how many.
    pub const OF_ENDS: [Rule; 3] = [Rule::Recency, Rule::Popularity, Rule::Idle];

    /// Name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Rule::EdgeBank => "EdgeBank",
            Rule::EdgeBankWindow => "EdgeBank window",
            Rule::Recency => "recency",
            Rule::Popularity => "popularity",
            Rule::Idle => "idle",
        }
    }

    /// Metrics of every rule over the links `part`, at a freshness.
    pub fn evaluate(
        task: &Task,
        part: std::ops::Range<usize>,
        freshness: Freshness,
        count: usize,
        seed: u64,
    ) -> Vec<(Rule, Metrics)> {
        let rules = if task.predict == Predict::Created { &Rule::OF_LINKS[..] } else { &Rule::OF_ENDS };
        let mut ranks = vec![Vec::with_capacity(part.len()); rules.len()];
        let (mut seen, mut touched) = (Seen::new(window(task)), Touched::default());
        let mut pending = VecDeque::new();
        for (event, link) in task.links.iter().enumerate().take(part.end) {
            let batch = task.batch_start(event, part.start, freshness);
            absorb_due(&mut seen, &mut pending, task, event, batch);
            if event >= part.start {
                touched.absorb(task, batch.map_or(link.time, |start| task.time_of(start)));
                let candidates = task.candidates(event, count, seed);
                for (&rule, ranks) in rules.iter().zip(&mut ranks) {
                    let score = |link: &Link| match task.predict {
                        Predict::Created => seen.score(rule, link),
                        Predict::Removed | Predict::Gone => touched.score(rule, link),
                    };
                    let others: Vec<_> = candidates.iter().map(score).collect();
                    ranks.push(rank(&score(link), &others));
                }
            }
            pending.push_back(event);
        }
        rules.iter().copied().zip(ranks.iter().map(|ranks| Metrics::of(ranks))).collect()
    }
}

/// What the rules for what goes remember of each node: its last fact, and how many there were.
#[derive(Default)]
struct Touched {
    absorbed: usize,
    nodes: FxHashMap<NodeIndex, (i64, i64)>,
}

impl Touched {
    /// Takes in what was strictly before a time.
    fn absorb(&mut self, task: &Task, before: Time) {
        let due = task.facts()[self.absorbed..].iter().take_while(|fact| fact.time < before);
        for fact in due {
            self.absorbed += 1;
            let ends = [fact.source, fact.destination];
            for node in &ends[..if fact.edge.is_some() { 2 } else { 1 }] {
                let (last, count) = self.nodes.entry(*node).or_default();
                (*last, *count) = (fact.time.0, *count + 1);
            }
        }
    }

    /// Larger is better; compared lexicographically.
    fn score(&self, rule: Rule, link: &Link) -> [Option<i64>; 3] {
        let of = |node: NodeIndex| self.nodes.get(&node).copied().unwrap_or((i64::MIN, 0));
        let [(near, few), (far, many)] = [of(link.source), of(link.destination)];
        match rule {
            Rule::Popularity => [Some(few + many), None, None],
            Rule::Idle => [Some(near.max(far).saturating_neg()), None, None],
            Rule::Recency | Rule::EdgeBank | Rule::EdgeBankWindow => [Some(near.max(far)), None, None],
        }
    }
}

/// Takes in the waiting links that an answer to link `event` may know: those before its batch, or before its time.
fn absorb_due(seen: &mut Seen, pending: &mut VecDeque<usize>, task: &Task, event: usize, batch: Option<usize>) {
    let due = |waiting: usize| match batch {
        None => task.links[waiting].time < task.links[event].time,
        Some(start) => waiting < start,
    };
    while pending.front().is_some_and(|&waiting| due(waiting)) {
        if let Some(waiting) = pending.pop_front() {
            seen.absorb(&task.links[waiting]);
        }
    }
}

/// Length of EdgeBank's window: the last 15 % of the training part's times, by quantile.
fn window(task: &Task) -> i64 {
    let last = task.split.train_end.saturating_sub(1);
    let position = last as f64 * 0.85;
    let (low, high) = (task.links[position as usize].time.0 as f64, task.links[position.ceil() as usize].time.0 as f64);
    (task.links[last].time.0 as f64 - (low + (high - low) * position.fract())) as i64
}

/// What the rules remember: last times and counts, `None` (lowest) for never.
struct Seen {
    window: i64,
    latest: i64,
    pairs: FxHashMap<(DirectedRelation, NodeIndex, NodeIndex), i64>,
    reached: FxHashMap<(DirectedRelation, NodeIndex), (i64, u32)>,
}

impl Seen {
    fn new(window: i64) -> Seen {
        Seen { window, latest: i64::MIN, pairs: FxHashMap::default(), reached: FxHashMap::default() }
    }

    fn absorb(&mut self, link: &Link) {
        let time = link.time.0;
        self.latest = self.latest.max(time);
        self.pairs.insert((link.relation(), link.source, link.destination), time);
        let reached = self.reached.entry((link.relation(), link.destination)).or_default();
        *reached = (time, reached.1 + 1);
    }

    /// Larger is better; compared lexicographically.
    fn score(&self, rule: Rule, link: &Link) -> [Option<i64>; 3] {
        let destination = link.destination;
        let pair = |s, d| self.pairs.get(&(link.relation(), s, d)).copied();
        let reached = self.reached.get(&(link.relation(), destination));
        match rule {
            Rule::EdgeBank => [pair(link.source, destination).map(|_| 0), None, None],
            Rule::EdgeBankWindow => {
                let start = self.latest.saturating_sub(self.window);
                [pair(link.source, destination).filter(|&time| time >= start).map(|_| 0), None, None]
            }
            Rule::Recency => {
                [pair(link.source, destination), pair(destination, link.source), reached.map(|&(time, _)| time)]
            }
            Rule::Popularity => [reached.map(|&(_, count)| i64::from(count)), None, None],
            Rule::Idle => [reached.map(|&(time, _)| time.saturating_neg()), None, None],
        }
    }
}
