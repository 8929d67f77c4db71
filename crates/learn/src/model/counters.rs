//! Counters as inputs: exact, as fresh as the answer. Counting carries much of the accuracy on public benchmarks, so the
//! model gets it for free and can be asked to do without.
//!
//! A question is asked once of its node's past ([`Past`]); its candidates then look themselves up. Ages are given in time
//! and in events, counts and ranks by the distinct times at which something happened: events of one time have no order.
//!
//! Equations: `docs/model.md#counters`.

use rustc_hash::FxHashMap;
use timeweft_graph::{NodeIndex, Time};
use timeweft_index::{Index, Recency};

use crate::data::directed_relation::DirectedRelation;
use crate::data::edge_history::{EdgeHistory, Met, READ, distinct, within};
use crate::data::time_encoder::gap;
use crate::{GraphContext, Query, TimeEncoder};

/// Width of the inputs that counters make.
pub(crate) const WIDTH: usize = PAIR + ANY + REPLY + ANSWER + NODE + ASKER + WALKS + AFFINITY;
const PAIR: usize = 15;
const ANY: usize = 10;
const REPLY: usize = 6;
const ANSWER: usize = 18;
const NODE: usize = 10;
const ASKER: usize = 10;
const WALKS: usize = 2;
const AFFINITY: usize = 3;

/// Reach of walks: partners of the asking node, their partners, and partners of those.
const REACH: [usize; 3] = [10, 16, 6];
/// Windows in events over which answers are counted.
const WINDOWS: [u32; 4] = [100, 800, 6000, 40_000];

/// What explanations show: recencies of the pair (s, d), of (d, s), of d as a destination, of d as a source, of s as a
/// source.
pub(crate) fn count(index: &Index, query: &Query) -> [Recency; 5] {
    let Query { edge_type, source, destination, as_of, .. } = *query;
    [
        index.pair_before(edge_type, source, destination, as_of),
        index.pair_before(edge_type, destination, source, as_of),
        index.destination_before(edge_type, destination, as_of),
        index.source_before(edge_type, destination, as_of),
        index.source_before(edge_type, source, as_of),
    ]
}

/// A sequence of meetings with one node, read newest first.
#[derive(Clone, Copy, Debug, Default)]
struct Trace {
    /// Edges.
    count: u32,
    /// Distinct times.
    times: u32,
    /// Moments of the last and of the one that was read last.
    last: u32,
    read: u32,
    /// Other nodes met later.
    rank: u32,
    /// Distinct times of the asking node since.
    steps: u32,
    /// Distinct times, weighted by e^(-steps / 4) and e^(-steps / 30).
    fading: [f32; 2],
}

/// All meetings of one kind of the asking node, read newest first.
#[derive(Clone, Copy, Debug, Default)]
struct Meetings {
    count: u32,
    times: u32,
    partners: u32,
    /// Partners met later than the moment at hand.
    later: u32,
    last: u32,
    read: u32,
}

impl Meetings {
    /// Reads one more, with a node whose trace is given.
    fn read(&mut self, moment: u32, trace: &mut Trace) {
        if self.count == 0 || self.read != moment {
            self.last = if self.count == 0 { moment } else { self.last };
            self.later = self.partners;
            self.times += 1;
        }
        (self.count, self.read) = (self.count + 1, moment);
        let steps = self.times - 1;
        if trace.count == 0 || trace.read != moment {
            if trace.count == 0 {
                (trace.last, trace.rank, trace.steps) = (moment, self.later, steps);
                self.partners += 1;
            }
            trace.times += 1;
            trace.fading[0] += (-(steps as f32) / 4.0).exp();
            trace.fading[1] += (-(steps as f32) / 30.0).exp();
        }
        (trace.count, trace.read) = (trace.count + 1, moment);
    }
}

/// What a node had to do with the asking node.
#[derive(Clone, Copy, Debug, Default)]
struct Partner {
    /// By the side asked for, by any, by the reverse of the side asked for.
    traces: [Trace; 3],
    /// What all edges foretell by their sides: fading with their age, in sum, and the best of them.
    affinity: [f32; AFFINITY],
}

/// What the asking node of a question did before: shared by the candidates.
#[derive(Clone, Debug)]
pub(crate) struct Past {
    limit: u32,
    side: DirectedRelation,
    time: Time,
    partners: FxHashMap<NodeIndex, Partner>,
    meetings: [Meetings; 3],
    /// How often the last meetings were with a node that was new to it.
    novelty: f32,
    /// Weights of nodes two and three steps away.
    walks: [FxHashMap<NodeIndex, f32>; 2],
}

impl Past {
    /// Reads what the asking node of a query did strictly before its `as_of`.
    pub(crate) fn of(graph: &GraphContext, query: &Query) -> Past {
        let (history, time_encoder) = (&*graph.history, &graph.statistics.time_encoder);
        let (limit, side) = (history.limit(query.as_of), query.relation());
        let mut past = Past {
            limit,
            side,
            time: query.time,
            partners: FxHashMap::default(),
            meetings: Default::default(),
            novelty: 0.0,
            walks: Default::default(),
        };
        let (met, types) = (history.met(query.source, limit), graph.known.types());
        let asked = side.known(types);
        // All edges of the time of the last one are read too.
        for (read, edge) in met.iter().rev().enumerate() {
            if read >= READ && past.meetings[1].read != edge.moment {
                break;
            }
            let Partner { traces, affinity } = past.partners.entry(edge.other).or_default();
            let foretold = graph.statistics.affinity.of(asked, edge.side.known(types));
            if foretold > 0.0 {
                let age = (gap(Some(history.time(edge.moment)), query.time) / time_encoder.scale) as f32;
                affinity[0] += foretold / (1.0 + age);
                affinity[1] += foretold;
                affinity[2] = affinity[2].max(foretold / (1.0 + 0.1 * age));
            }
            past.meetings[1].read(edge.moment, &mut traces[1]);
            if edge.side == side {
                past.meetings[0].read(edge.moment, &mut traces[0]);
                let steps = past.meetings[0].times - 1;
                past.novelty += if edge.is_new { (-(steps as f32) / 5.0).exp() } else { 0.0 };
            } else if edge.side == side.reversed() {
                past.meetings[2].read(edge.moment, &mut traces[2]);
            }
        }
        past.walk(history, query.source);
        past
    }

    /// Weights of walks from the asking node over the last partners, their last partners, and the last ones of those.
    fn walk(&mut self, history: &EdgeHistory, source: NodeIndex) {
        let mut first = 1.0;
        for one in partners_without(history, source, self.limit, REACH[0], source) {
            let mut second = first;
            for (step, two) in partners_without(history, one, self.limit, REACH[1], source).into_iter().enumerate() {
                *self.walks[0].entry(two).or_default() += second;
                if step < REACH[2] {
                    let mut third = second;
                    for three in partners_without(history, two, self.limit, REACH[2], one) {
                        *self.walks[1].entry(three).or_default() += third;
                        third *= 0.8;
                    }
                }
                second *= 0.85;
            }
            first *= 0.8;
        }
    }

    /// The counters of a candidate as inputs.
    pub(crate) fn inputs(&self, graph: &GraphContext, candidate: NodeIndex, row: &mut [f32]) {
        let (history, time_encoder) = (&*graph.history, &graph.statistics.time_encoder);
        row.fill(0.0);
        let fresh = Fresh {
            history,
            time_encoder,
            time: self.time,
            span: (time_encoder.longest + 1.0).ln() as f32,
            limit: self.limit,
        };
        let (pair, row) = row.split_at_mut(PAIR);
        let (any, row) = row.split_at_mut(ANY);
        let (reply, row) = row.split_at_mut(REPLY);
        let (answer, row) = row.split_at_mut(ANSWER);
        let (node, row) = row.split_at_mut(NODE);
        let (asker, row) = row.split_at_mut(ASKER);
        let (walks, affinity) = row.split_at_mut(WALKS);
        let answers = history.answers(candidate, self.side, self.limit);
        if let Some(partner) = self.partners.get(&candidate) {
            for (cell, (foretold, scale)) in affinity.iter_mut().zip(partner.affinity.iter().zip([3.0, 4.0, 3.0])) {
                *cell = (20.0 * foretold).ln_1p() / scale;
            }
            self.write_traces(&fresh, &partner.traces, answers, history.met(candidate, self.limit), [pair, any, reply]);
        }
        self.write_answer(&fresh, candidate, answers, answer);
        write_node(&fresh, history, candidate, node);
        self.write_asker(&fresh, asker);
        for (cell, weights) in walks.iter_mut().zip(&self.walks) {
            *cell = weights.get(&candidate).map_or(0.0, |weight| weight.ln_1p());
        }
    }

    fn write_traces(
        &self,
        fresh: &Fresh<'_>,
        [pair, any, reply]: &[Trace; 3],
        answers: &[u32],
        met: &[Met],
        [pair_row, any_row, reply_row]: [&mut [f32]; 3],
    ) {
        let [pairs, anys, _] = &self.meetings;
        if pair.count > 0 {
            let since = answers.len() - answers.partition_point(|&moment| moment <= pair.last);
            pair_row[..6].copy_from_slice(&fresh.seen(pair));
            pair_row[6..].copy_from_slice(&[
                inverse(pair.steps),
                pair.fading[0] / 4.0,
                pair.fading[1] / 15.0,
                pair.count as f32 / pairs.count as f32,
                pair.times as f32 / pairs.times as f32,
                log(pair.times as usize),
                inverse(since as u32),
                nearness(since as u32),
                nearness(self.limit - pair.last),
            ]);
        }
        let since = met.len() - met.partition_point(|edge| edge.moment <= any.last);
        any_row[..6].copy_from_slice(&fresh.seen(any));
        any_row[6..].copy_from_slice(&[
            any.count as f32 / anys.count as f32,
            any.fading[1] / 15.0,
            inverse(since as u32),
            nearness(since as u32),
        ]);
        if reply.count > 0 {
            reply_row.copy_from_slice(&fresh.seen(reply));
        }
    }

    fn write_answer(&self, fresh: &Fresh<'_>, candidate: NodeIndex, answers: &[u32], row: &mut [f32]) {
        let history = fresh.history;
        let Some(&last) = answers.last() else { return };
        let total = history.total(self.side, self.limit).max(1) as f32;
        row[..5].copy_from_slice(&[
            1.0,
            fresh.at(last),
            log(answers.len()),
            nearness(self.limit - last),
            1.0 + ((answers.len() as f32 + 0.5) / total).ln() / 8.0,
        ]);
        for (cell, window) in row[5..9].iter_mut().zip(WINDOWS) {
            *cell = log(within(answers, self.limit, window));
        }
        // A node that was reached was reached a first time, but maybe not within the facts that are read.
        let firsts = history.firsts(candidate, self.side, self.limit);
        let Some(&last) = firsts.last() else { return };
        row[9..15].copy_from_slice(&[
            1.0,
            fresh.at(last),
            log(firsts.len()),
            nearness(self.limit - last),
            fresh.nth_last(firsts, 3),
            fresh.nth_last(firsts, 9),
        ]);
        for (cell, window) in row[15..].iter_mut().zip(&WINDOWS[1..]) {
            *cell = log(within(firsts, self.limit, *window));
        }
    }

    fn write_asker(&self, fresh: &Fresh<'_>, row: &mut [f32]) {
        let [pairs, anys, _] = &self.meetings;
        row[0] = log(pairs.count as usize);
        row[1] = log(anys.count as usize);
        if pairs.count > 0 {
            row[2..6].copy_from_slice(&[
                pairs.partners as f32 / pairs.count as f32,
                fresh.at(pairs.last),
                log(pairs.times as usize),
                self.novelty / 4.0,
            ]);
        }
        if anys.count > 0 {
            row[6..9].copy_from_slice(&[
                anys.partners as f32 / anys.count as f32,
                fresh.at(anys.last),
                nearness(self.limit - anys.last),
            ]);
        }
        row[9] = if self.limit > 0 { fresh.at(self.limit - 1) } else { 0.0 };
    }
}

fn write_node(fresh: &Fresh<'_>, history: &EdgeHistory, node: NodeIndex, row: &mut [f32]) {
    let met = history.met(node, fresh.limit);
    let (Some(first), Some(last)) = (met.first(), met.last()) else { return };
    row[..4].copy_from_slice(&[1.0, fresh.at(last.moment), log(met.len()), nearness(fresh.limit - last.moment)]);
    for (cell, window) in row[4..7].iter_mut().zip(WINDOWS) {
        let start = fresh.limit.saturating_sub(window);
        *cell = log(met.len() - met.partition_point(|edge| edge.moment < start));
    }
    let nth = |n: usize| met.len().checked_sub(n).map_or(0.0, |at| fresh.at(met[at].moment));
    row[7..].copy_from_slice(&[fresh.at(first.moment), nth(4), nth(16)]);
}

/// The last `n` distinct partners of a node below a limit, newest first, without one.
fn partners_without(
    history: &EdgeHistory,
    node: NodeIndex,
    limit: u32,
    n: usize,
    without: NodeIndex,
) -> Vec<NodeIndex> {
    distinct(history.met(node, limit).iter().rev().take(2 * n).filter(|edge| edge.other != without), n)
}

/// Ages as inputs.
struct Fresh<'a> {
    history: &'a EdgeHistory,
    time_encoder: &'a TimeEncoder,
    time: Time,
    span: f32,
    limit: u32,
}

impl Fresh<'_> {
    /// Falls with the logarithm of the age of a moment.
    fn at(&self, moment: u32) -> f32 {
        1.0 - self.time_encoder.log(gap(Some(self.history.time(moment)), self.time)) / self.span
    }

    /// The same of the n-th last of some moments; 0 if there are fewer.
    fn nth_last(&self, moments: &[u32], n: usize) -> f32 {
        moments.len().checked_sub(n).map_or(0.0, |at| self.at(moments[at]))
    }

    fn seen(&self, trace: &Trace) -> [f32; 6] {
        [
            1.0,
            self.at(trace.last),
            log(trace.count as usize),
            inverse(trace.rank),
            nearness(trace.rank),
            nearness(trace.steps),
        ]
    }
}

fn log(count: usize) -> f32 {
    (count as f32).ln_1p() / 4.0
}

fn inverse(rank: u32) -> f32 {
    1.0 / (1.0 + rank as f32)
}

/// Falls with the logarithm of a rank or of an age in events.
fn nearness(rank: u32) -> f32 {
    1.0 - (rank as f32).ln_1p() / 9.0
}
