//! The rules that every model is printed beside. A model that does not beat them at the same freshness is not worth
//! its training.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;
use timeweft_graph::NodeIndex;

use crate::history::Side;
use crate::{Freshness, Link, Metrics, Task, rank};

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
}

impl Rule {
    /// All rules, in the order of reports.
    pub const ALL: [Rule; 4] = [Rule::EdgeBank, Rule::EdgeBankWindow, Rule::Recency, Rule::Popularity];

    /// Name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Rule::EdgeBank => "EdgeBank",
            Rule::EdgeBankWindow => "EdgeBank window",
            Rule::Recency => "recency",
            Rule::Popularity => "popularity",
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
        let mut ranks = vec![Vec::with_capacity(part.len()); Rule::ALL.len()];
        let mut seen = Seen::new(window(task));
        let mut pending = VecDeque::new();
        for (event, link) in task.links.iter().enumerate().take(part.end) {
            absorb_due(&mut seen, &mut pending, task, event, task.batch_start(event, part.start, freshness));
            if event >= part.start {
                let candidates = task.candidates(event, count, seed);
                for (rule, ranks) in Rule::ALL.into_iter().zip(&mut ranks) {
                    let score = |d: NodeIndex| seen.score(rule, link, d);
                    let others: Vec<_> = candidates.iter().map(|&d| score(d)).collect();
                    ranks.push(rank(&score(link.destination), &others));
                }
            }
            pending.push_back(event);
        }
        Rule::ALL.into_iter().zip(ranks.iter().map(|ranks| Metrics::of(ranks))).collect()
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
    pairs: FxHashMap<(Side, NodeIndex, NodeIndex), i64>,
    reached: FxHashMap<(Side, NodeIndex), (i64, u32)>,
}

impl Seen {
    fn new(window: i64) -> Seen {
        Seen { window, latest: i64::MIN, pairs: FxHashMap::default(), reached: FxHashMap::default() }
    }

    fn absorb(&mut self, link: &Link) {
        let time = link.time.0;
        self.latest = self.latest.max(time);
        self.pairs.insert((Side::of(link), link.source, link.destination), time);
        let reached = self.reached.entry((Side::of(link), link.destination)).or_default();
        *reached = (time, reached.1 + 1);
    }

    /// Larger is better; compared lexicographically.
    fn score(&self, rule: Rule, link: &Link, destination: NodeIndex) -> [Option<i64>; 3] {
        let pair = |s, d| self.pairs.get(&(Side::of(link), s, d)).copied();
        let reached = self.reached.get(&(Side::of(link), destination));
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
        }
    }
}
