//! One question: what is written of its asker, of its candidates, and of both.

use timeweft_graph::{NodeIndex, Time};

use crate::data::directed_relation::DirectedRelation;
use crate::data::edge_history::{Cuts, Hints, NodeBefore, Remaining};
use crate::data::meetings::{MeetingsBefore, Trace, below};
use crate::data::shared_history::HistoryReader;
use crate::data::time_encoder::gap;
use crate::model::counters::columns::{
    AFFINITY, ANSWER, ANY, ASKER, Logarithms, MET, NODE_BLOCK, PAIR, PAIR_BLOCK, WALKS, WINDOWS,
};
use crate::model::counters::counted::Counted;
use crate::model::counters::marks::Marks;
use crate::model::counters::walks::Candidates;
use crate::{GraphContext, Query};

/// Most meetings of a pair from which it is read what they foretell, newest first.
const FORETELLING: usize = 256;

/// What a thread keeps from question to question.
#[derive(Default)]
pub(crate) struct Reader {
    hints: Hints,
    candidates: Candidates,
    asker: Remaining,
    candidate: Remaining,
    /// The row of each candidate, as long as the side, the limit and the time are the same.
    rows: Marks,
    rows_are_of: Option<(DirectedRelation, u32, Time)>,
    counted: Counted,
}

/// A question, and ages as inputs: arguments of logarithms, 1 + what the logarithm is of.
struct Question<'a> {
    graph: &'a GraphContext,
    history: &'a HistoryReader<'a>,
    side: DirectedRelation,
    time: Time,
    limit: u32,
    /// One tick in T0.
    tick: f64,
    /// Edges of the side so far, at least 1.
    total: f32,
}

impl Reader {
    /// Counts some queries.
    pub(crate) fn read(&mut self, graph: &GraphContext, queries: &[Query], logarithms: &Logarithms) -> Counted {
        self.counted = Counted::default();
        self.rows_are_of = None;
        self.counted.node.reserve(queries.len() * NODE_BLOCK);
        let history = graph.history.read();
        for queries in queries.chunk_by(|a, b| a.is_same_question(b)) {
            self.question(&Question::new(graph, &history, &queries[0]), queries);
        }
        let mut counted = std::mem::take(&mut self.counted);
        logarithms.asker.apply(&mut counted.asker);
        logarithms.node.apply(&mut counted.node);
        logarithms.pair.apply(&mut counted.pair);
        counted
    }

    fn question(&mut self, question: &Question<'_>, queries: &[Query]) {
        let Reader { hints, candidates, asker, candidate, rows, rows_are_of, counted } = self;
        let (history, limit, source) = (question.history, question.limit, queries[0].source);
        let sides = [question.side, question.side.reversed()];
        let asker = history.before(source, sides, limit, hints, asker);
        let row = (counted.asker.len() / ASKER) as u32;
        question.write_asker(&asker, extended(&mut counted.asker, ASKER));
        counted.asker_of.resize(counted.asker_of.len() + queries.len(), row);
        if rows_are_of.replace((question.side, limit, question.time)) != Some((question.side, limit, question.time)) {
            rows.clear();
        }
        candidates.clear();
        queries.iter().for_each(|query| candidates.add(query.destination));
        candidates.walk(history, source, limit, hints);
        for query in queries {
            let node = query.destination;
            let (trace, weights) = (asker.met.trace(node), candidates.weights(node));
            let mut row = rows.get(node);
            if row.is_none() || trace.is_some() {
                let before = history.before(node, [question.side.reversed()], limit, hints, candidate);
                if row.is_none() {
                    row = Some((counted.node.len() / NODE_BLOCK) as u32);
                    question.write_node(&before, hints, extended(&mut counted.node, NODE_BLOCK));
                }
                if let Some(trace) = &trace {
                    let row = extended(&mut counted.pair, PAIR_BLOCK);
                    question.write_met(node, &asker, trace, &before, row);
                }
            }
            if trace.is_some() || weights != [0.0; 2] {
                if trace.is_none() {
                    extended(&mut counted.pair, PAIR_BLOCK);
                }
                let row = counted.pair.len() - PAIR_BLOCK + MET;
                counted.pair[row..row + WALKS].copy_from_slice(&weights.map(|weight| 1.0 + weight));
                counted.pair_at.push(counted.node_of.len() as u32);
            }
            let row = row.unwrap_or_default();
            rows.set(node, row);
            counted.node_of.push(row);
        }
    }
}

/// A further row of zeros.
fn extended(rows: &mut Vec<f32>, width: usize) -> &mut [f32] {
    let start = rows.len();
    rows.resize(start + width, 0.0);
    &mut rows[start..]
}

impl<'a> Question<'a> {
    fn new(graph: &'a GraphContext, history: &'a HistoryReader<'a>, query: &Query) -> Question<'a> {
        let side = query.relation();
        let limit = history.limit(query.as_of);
        let tick = 1.0 / graph.statistics.time_encoder.scale;
        let total = history.total(side, limit).max(1) as f32;
        Question { graph, history, side, time: query.time, limit, tick, total }
    }

    fn write_asker(&self, asker: &NodeBefore<'_, 2>, row: &mut [f32]) {
        let (pairs, anys) = (&asker.by_side[0], &asker.met);
        row[0] = 1.0 + pairs.count as f32;
        row[1] = 1.0 + anys.count as f32;
        if let Some(last) = pairs.last() {
            row[2..6].copy_from_slice(&[
                pairs.partners() as f32 / pairs.count as f32,
                self.age(last),
                1.0 + pairs.times() as f32,
                pairs.novelty() / 4.0,
            ]);
        }
        if let Some(last) = anys.last() {
            row[6..9].copy_from_slice(&[
                anys.partners() as f32 / anys.count as f32,
                self.age(last),
                self.events_since(last),
            ]);
        }
        row[9] = if self.limit > 0 { self.age(self.limit - 1) } else { 0.0 };
    }

    fn write_node(&self, node: &NodeBefore<'_, 1>, hints: &mut Hints, row: &mut [f32]) {
        let (answer, other) = row.split_at_mut(ANSWER);
        let answers = &node.by_side[0];
        self.write_answer(answers, hints.of(answers.list), answer);
        let met = node.met.moments();
        let (Some(&first), Some(&last)) = (met.first(), met.last()) else { return };
        other[..4].copy_from_slice(&[1.0, self.age(last), 1.0 + met.len() as f32, self.events_since(last)]);
        self.write_windows(met, &WINDOWS[..3], &mut hints.of(node.met.list).windows, &mut other[4..7]);
        other[7..].copy_from_slice(&[self.age(first), self.nth_last(met, 4), self.nth_last(met, 16)]);
    }

    fn write_answer(&self, answers: &MeetingsBefore<'_>, cuts: &mut Cuts, row: &mut [f32]) {
        let moments = answers.moments();
        let Some(&last) = moments.last() else { return };
        row[..5].copy_from_slice(&[
            1.0,
            self.age(last),
            1.0 + moments.len() as f32,
            self.events_since(last),
            (moments.len() as f32 + 0.5) / self.total,
        ]);
        self.write_windows(moments, &WINDOWS, &mut cuts.windows, &mut row[5..9]);
        let firsts = answers.firsts();
        let Some(&last) = firsts.last() else { return };
        row[9..15].copy_from_slice(&[
            1.0,
            self.age(last),
            1.0 + firsts.len() as f32,
            self.events_since(last),
            self.nth_last(firsts, 3),
            self.nth_last(firsts, 9),
        ]);
        self.write_windows(firsts, &WINDOWS[1..], &mut cuts.firsts, &mut row[15..]);
    }

    /// How many of sorted moments lie in each window of the last facts below the limit.
    fn write_windows(&self, moments: &[u32], windows: &[u32], cuts: &mut [u32], row: &mut [f32]) {
        for ((cell, window), cut) in row.iter_mut().zip(windows).zip(cuts) {
            let start = below(moments, self.limit.saturating_sub(*window), cut);
            *cell = 1.0 + (moments.len() - start) as f32;
        }
    }

    /// How the asking node and a candidate met, given the meetings by any edges.
    fn write_met(
        &self,
        candidate: NodeIndex,
        asker: &NodeBefore<'_, 2>,
        any: &Trace,
        node: &NodeBefore<'_, 1>,
        row: &mut [f32],
    ) {
        let [pairs, replies] = &asker.by_side;
        let (pair_row, rest) = row.split_at_mut(PAIR);
        let (any_row, rest) = rest.split_at_mut(ANY);
        if let Some(pair) = pairs.trace(candidate) {
            let answers = node.by_side[0].moments();
            let since = later_than(answers, pair.last);
            pair_row[..6].copy_from_slice(&self.seen(&pair));
            pair_row[6..].copy_from_slice(&[
                inverse(pair.steps),
                pair.fading(0) / 4.0,
                pair.fading(1) / 15.0,
                pair.count as f32 / pairs.count as f32,
                pair.times as f32 / pairs.times() as f32,
                1.0 + pair.times as f32,
                inverse(since as u32),
                1.0 + since as f32,
                self.events_since(pair.last),
            ]);
        }
        let met = node.met.moments();
        let since = later_than(met, any.last);
        any_row[..6].copy_from_slice(&self.seen(any));
        any_row[6..].copy_from_slice(&[
            any.count as f32 / asker.met.count as f32,
            any.fading(1) / 15.0,
            inverse(since as u32),
            1.0 + since as f32,
        ]);
        if let Some(reply) = replies.trace(candidate) {
            rest[..6].copy_from_slice(&self.seen(&reply));
        }
        self.write_affinity(asker, any, &mut row[PAIR_BLOCK - AFFINITY..]);
    }

    /// What the last meetings foretell by their sides: fading with their age, in sum, and the best of them.
    fn write_affinity(&self, asker: &NodeBefore<'_, 2>, any: &Trace, row: &mut [f32]) {
        let (affinity, types) = (&self.graph.statistics.affinity, self.graph.known.types());
        if affinity.is_none() {
            return;
        }
        let asked = self.side.known(types);
        let mut sums = [0.0; AFFINITY];
        for place in asker.met.places_from(any.at).take(FORETELLING) {
            let foretold = affinity.of(asked, asker.sides[place].known(types));
            if foretold > 0.0 {
                let age = self.age(asker.met.moments()[place]) - 1.0;
                sums[0] += foretold / (1.0 + age);
                sums[1] += foretold;
                sums[2] = f32::max(sums[2], foretold / (1.0 + 0.1 * age));
            }
        }
        row.copy_from_slice(&sums.map(|sum| 1.0 + 20.0 * sum));
    }

    /// 1 + the age of a moment in T0.
    fn age(&self, moment: u32) -> f32 {
        (1.0 + gap(Some(self.history.time(moment)), self.time) * self.tick) as f32
    }

    /// 1 + the age of a moment in events.
    fn events_since(&self, moment: u32) -> f32 {
        1.0 + (self.limit - moment) as f32
    }

    /// The age of the n-th last of some moments; 0 if there are fewer.
    fn nth_last(&self, moments: &[u32], n: usize) -> f32 {
        moments.len().checked_sub(n).map_or(0.0, |at| self.age(moments[at]))
    }

    fn seen(&self, trace: &Trace) -> [f32; 6] {
        [
            1.0,
            self.age(trace.last),
            1.0 + trace.count as f32,
            inverse(trace.rank),
            1.0 + trace.rank as f32,
            1.0 + trace.steps as f32,
        ]
    }
}

/// How many of sorted moments are later than one. The end is near, most often.
fn later_than(moments: &[u32], moment: u32) -> usize {
    moments.len() - below(moments, moment + 1, &mut (moments.len() as u32))
}

fn inverse(rank: u32) -> f32 {
    1.0 / (1.0 + rank as f32)
}
