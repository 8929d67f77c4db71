//! The counters of a question, counted anew: every edge of the asking node and of its candidate is read, newest first, in
//! `f64`.
//!
//! Nodes, sides and facts are numbers. A side is twice an edge type, plus 1 as its destination sees it.

use rustc_hash::{FxHashMap, FxHashSet};

/// Width of a row.
pub const WIDTH: usize = 74;

/// Meetings that are looked through for ranks.
const RANKED: usize = 4096;
/// Meetings of a pair that foretell.
const FORETELLING: usize = 256;
/// Reach of walks.
const REACH: [usize; 3] = [10, 16, 6];
const WINDOWS: [usize; 4] = [100, 800, 6000, 40_000];

/// A life of an edge.
#[derive(Clone, Copy, Debug)]
pub struct EdgeLife {
    /// When it was created.
    pub created: i64,
    /// When it was removed, if deletes are obeyed.
    pub removed: Option<i64>,
    /// Its type.
    pub edge_type: usize,
    /// Where it starts.
    pub source: usize,
    /// Where it ends.
    pub destination: usize,
}

/// A question: would `source` reach `destination` by `side` at `time`, knowing what was before `as_of`?
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// The side that the asking node is on.
    pub side: usize,
    /// Asking node.
    pub source: usize,
    /// Candidate.
    pub destination: usize,
    /// When.
    pub time: i64,
    /// What may be known: everything strictly before.
    pub as_of: i64,
}

/// What is counted.
pub struct Counters {
    /// Time of every fact, in order.
    pub times: Vec<i64>,
    /// T0 and the longest gap in T0.
    pub scale: f64,
    /// As above.
    pub longest: f64,
    /// What a side foretells: by the side that is asked, (side, later edges an edge).
    pub affinity: Vec<Vec<(usize, f64)>>,
    /// Edges of each node in the order of (time, names).
    met: Vec<Vec<Met>>,
    /// Lives of edges by type.
    lives: Vec<Vec<(i64, Option<i64>)>>,
}

#[derive(Clone, Copy)]
struct Met {
    created: i64,
    removed: Option<i64>,
    side: usize,
    other: usize,
}

/// Meetings with one partner, read newest first.
#[derive(Clone, Copy, Default)]
struct Trace {
    count: usize,
    times: usize,
    last: i64,
    read: i64,
    rank: usize,
    steps: usize,
    fading: [f64; 2],
}

/// All meetings of one kind, read newest first.
#[derive(Default)]
struct Meetings {
    traces: FxHashMap<usize, Trace>,
    count: usize,
    times: usize,
    /// Those among the newest [`RANKED`], and those of them that were met later than the time at hand.
    ranked: usize,
    later: usize,
    last: i64,
    read: i64,
}

impl Meetings {
    fn read(&mut self, met: &Met) {
        let time = met.created;
        if self.count == 0 || self.read != time {
            self.last = if self.count == 0 { time } else { self.last };
            self.later = self.ranked;
            self.times += 1;
        }
        (self.count, self.read) = (self.count + 1, time);
        let steps = self.times - 1;
        let trace = self.traces.entry(met.other).or_default();
        if trace.count == 0 || trace.read != time {
            if trace.count == 0 {
                (trace.last, trace.rank, trace.steps) = (time, self.later, steps);
                self.ranked += usize::from(self.count <= RANKED);
            }
            trace.times += 1;
            trace.fading[0] += (-(steps as f64) / 4.0).exp();
            trace.fading[1] += (-(steps as f64) / 30.0).exp();
        }
        (trace.count, trace.read) = (trace.count + 1, time);
    }
}

impl Counters {
    /// Lays out edges. `nodes` and `sides` have the places of nodes and sides in an order of names.
    pub fn new(times: Vec<i64>, mut edges: Vec<EdgeLife>, nodes: &[usize], sides: &[usize]) -> Counters {
        let mut met = vec![Vec::new(); nodes.len()];
        let mut lives = vec![Vec::new(); sides.len() / 2];
        edges.sort_by_key(|edge| edge.created);
        for EdgeLife { created, removed, edge_type, source, destination } in edges {
            lives[edge_type].push((created, removed));
            met[source].push(Met { created, removed, side: 2 * edge_type, other: destination });
            met[destination].push(Met { created, removed, side: 2 * edge_type + 1, other: source });
        }
        for met in &mut met {
            met.sort_by_key(|met| (met.created, sides[met.side], nodes[met.other]));
        }
        Counters { times, scale: 1.0, longest: 1.0, affinity: Vec::new(), met, lives }
    }

    /// The row of a question.
    pub fn row(&self, question: &Question) -> [f64; WIDTH] {
        let mut row = Vec::with_capacity(WIDTH);
        let Question { side, source, destination, as_of, .. } = *question;
        let asker = self.before(source, as_of);
        let kinds = [Some(side), None, Some(side ^ 1)].map(|kind| {
            let mut meetings = Meetings::default();
            let wanted = asker.iter().rev().filter(|met| kind.is_none_or(|kind| met.side == kind));
            wanted.for_each(|met| meetings.read(met));
            meetings
        });
        let (candidate, fresh) = (self.before(destination, as_of), Fresh { counters: self, question });
        fresh.write_traces(&kinds, &candidate, &mut row);
        fresh.write_answer(&candidate, &mut row);
        fresh.write_node(&candidate, &mut row);
        fresh.write_asker(&kinds, &asker, &mut row);
        let walks = self.walks(source, as_of);
        row.extend(walks.map(|weights| weights.get(&destination).map_or(0.0, |weight| weight.ln_1p())));
        fresh.write_affinity(&asker, &mut row);
        row.try_into().unwrap()
    }

    /// What counts of a node's edges as of a time.
    fn before(&self, node: usize, as_of: i64) -> Vec<Met> {
        let counts = |met: &&Met| met.created < as_of && met.removed.is_none_or(|removed| removed >= as_of);
        self.met[node].iter().filter(counts).copied().collect()
    }

    fn limit(&self, time: i64) -> usize {
        self.times.partition_point(|&known| known < time)
    }

    /// Weights of walks of two and three steps.
    fn walks(&self, source: usize, as_of: i64) -> [FxHashMap<usize, f64>; 2] {
        let mut walks: [FxHashMap<usize, f64>; 2] = Default::default();
        let mut first = 1.0;
        for one in self.last_partners(source, as_of, REACH[0], source) {
            let mut second = first;
            for (step, two) in self.last_partners(one, as_of, REACH[1], source).into_iter().enumerate() {
                *walks[0].entry(two).or_default() += second;
                if step < REACH[2] {
                    let mut third = second;
                    for three in self.last_partners(two, as_of, REACH[2], one) {
                        *walks[1].entry(three).or_default() += third;
                        third *= 0.8;
                    }
                }
                second *= 0.85;
            }
            first *= 0.8;
        }
        walks
    }

    fn last_partners(&self, node: usize, as_of: i64, n: usize, without: usize) -> Vec<usize> {
        let met = self.before(node, as_of);
        distinct(met.iter().rev().take(2 * n).filter(|met| met.other != without), n)
    }
}

fn distinct<'a>(met: impl Iterator<Item = &'a Met>, n: usize) -> Vec<usize> {
    let mut nodes = Vec::new();
    for Met { other, .. } in met {
        if nodes.len() < n && !nodes.contains(other) {
            nodes.push(*other);
        }
    }
    nodes
}

/// Ages as inputs.
struct Fresh<'a> {
    counters: &'a Counters,
    question: &'a Question,
}

impl Fresh<'_> {
    fn age(&self, time: i64) -> f64 {
        self.question.time.saturating_sub(time) as f64 / self.counters.scale
    }

    fn at(&self, time: i64) -> f64 {
        1.0 - self.age(time).ln_1p() / (self.counters.longest + 1.0).ln()
    }

    /// Facts from those of a time on.
    fn events(&self, time: i64) -> usize {
        self.counters.limit(self.question.as_of) - self.counters.limit(time)
    }

    fn nth_last(&self, times: &[i64], n: usize) -> f64 {
        times.len().checked_sub(n).map_or(0.0, |at| self.at(times[at]))
    }

    fn within(&self, times: &[i64], window: usize) -> f64 {
        log(times.iter().filter(|&&time| self.events(time) <= window).count())
    }

    fn seen(&self, trace: &Trace) -> [f64; 6] {
        let Trace { rank, steps, .. } = *trace;
        [1.0, self.at(trace.last), log(trace.count), inverse(rank), nearness(rank), nearness(steps)]
    }

    fn write_traces(&self, [pairs, anys, replies]: &[Meetings; 3], candidate: &[Met], row: &mut Vec<f64>) {
        let of = |meetings: &Meetings| meetings.traces.get(&self.question.destination).copied();
        let (start, side) = (row.len(), self.question.side);
        if let Some(pair) = of(pairs) {
            let since = candidate.iter().filter(|met| met.side == side ^ 1 && met.created > pair.last).count();
            row.extend(self.seen(&pair));
            row.extend([
                inverse(pair.steps),
                pair.fading[0] / 4.0,
                pair.fading[1] / 15.0,
                pair.count as f64 / pairs.count as f64,
                pair.times as f64 / pairs.times as f64,
                log(pair.times),
                inverse(since),
                nearness(since),
                nearness(self.events(pair.last)),
            ]);
        }
        row.resize(start + 15, 0.0);
        if let Some(any) = of(anys) {
            let since = candidate.iter().filter(|met| met.created > any.last).count();
            row.extend(self.seen(&any));
            row.extend([any.count as f64 / anys.count as f64, any.fading[1] / 15.0, inverse(since), nearness(since)]);
        }
        row.resize(start + 25, 0.0);
        row.extend(of(replies).map_or([0.0; 6], |reply| self.seen(&reply)));
    }

    fn write_answer(&self, candidate: &[Met], row: &mut Vec<f64>) {
        let (start, side, as_of) = (row.len(), self.question.side, self.question.as_of);
        let answers: Vec<Met> = candidate.iter().filter(|met| met.side == side ^ 1).copied().collect();
        let mut known = FxHashSet::default();
        let firsts: Vec<i64> = answers.iter().filter(|met| known.insert(met.other)).map(|met| met.created).collect();
        let answers: Vec<i64> = answers.iter().map(|met| met.created).collect();
        if let (Some(&last), Some(&last_first)) = (answers.last(), firsts.last()) {
            let counts = |(created, removed): &&(i64, Option<i64>)| {
                *created < as_of && removed.is_none_or(|removed| removed >= as_of)
            };
            let total = self.counters.lives[side / 2].iter().filter(counts).count().max(1);
            let share = (answers.len() as f64 + 0.5) / total as f64;
            row.extend([1.0, self.at(last), log(answers.len()), nearness(self.events(last)), 1.0 + share.ln() / 8.0]);
            row.extend(WINDOWS.map(|window| self.within(&answers, window)));
            row.extend([1.0, self.at(last_first), log(firsts.len()), nearness(self.events(last_first))]);
            row.extend([3, 9].map(|n| self.nth_last(&firsts, n)));
            row.extend(WINDOWS[1..].iter().map(|&window| self.within(&firsts, window)));
        }
        row.resize(start + 18, 0.0);
    }

    fn write_node(&self, candidate: &[Met], row: &mut Vec<f64>) {
        let start = row.len();
        let times: Vec<i64> = candidate.iter().map(|met| met.created).collect();
        if let (Some(&first), Some(&last)) = (times.first(), times.last()) {
            row.extend([1.0, self.at(last), log(times.len()), nearness(self.events(last))]);
            row.extend(WINDOWS[..3].iter().map(|&window| self.within(&times, window)));
            row.extend([self.at(first), self.nth_last(&times, 4), self.nth_last(&times, 16)]);
        }
        row.resize(start + 10, 0.0);
    }

    fn write_asker(&self, [pairs, anys, _]: &[Meetings; 3], asker: &[Met], row: &mut Vec<f64>) {
        let start = row.len();
        row.extend([log(pairs.count), log(anys.count)]);
        if pairs.count > 0 {
            let share = pairs.traces.len() as f64 / pairs.count as f64;
            row.extend([share, self.at(pairs.last), log(pairs.times), self.novelty(asker) / 4.0]);
        }
        row.resize(start + 6, 0.0);
        if anys.count > 0 {
            let share = anys.traces.len() as f64 / anys.count as f64;
            row.extend([share, self.at(anys.last), nearness(self.events(anys.last))]);
        }
        row.resize(start + 9, 0.0);
        let last = self.counters.limit(self.question.as_of).checked_sub(1);
        row.push(last.map_or(0.0, |last| self.at(self.counters.times[last])));
    }

    /// First meetings, fading with the distinct times since.
    fn novelty(&self, asker: &[Met]) -> f64 {
        let mut known = FxHashSet::default();
        let own = asker.iter().filter(|met| met.side == self.question.side);
        let own: Vec<(i64, bool)> = own.map(|met| (met.created, known.insert(met.other))).collect();
        let (mut sum, mut steps) = (0.0, 0);
        for (at, (time, is_new)) in own.iter().enumerate().rev() {
            steps += usize::from(own.get(at + 1).is_some_and(|(later, _)| later != time));
            sum += if *is_new { (-(steps as f64) / 5.0).exp() } else { 0.0 };
        }
        sum
    }

    fn write_affinity(&self, asker: &[Met], row: &mut Vec<f64>) {
        let mut sums = [0.0; 3];
        let foretold = self.counters.affinity.get(self.question.side).map_or(&[][..], Vec::as_slice);
        let pair = asker.iter().rev().filter(|met| met.other == self.question.destination);
        for met in pair.take(FORETELLING) {
            for (_, foretold) in foretold.iter().filter(|(before, _)| *before == met.side) {
                let age = self.age(met.created);
                sums[0] += foretold / (1.0 + age);
                sums[1] += foretold;
                sums[2] = f64::max(sums[2], foretold / (1.0 + 0.1 * age));
            }
        }
        row.extend(sums.iter().zip([3.0, 4.0, 3.0]).map(|(sum, scale)| (20.0 * sum).ln_1p() / scale));
    }
}

fn log(count: usize) -> f64 {
    (count as f64).ln_1p() / 4.0
}

fn inverse(rank: usize) -> f64 {
    1.0 / (1.0 + rank as f64)
}

fn nearness(rank: usize) -> f64 {
    1.0 - (rank as f64).ln_1p() / 9.0
}
