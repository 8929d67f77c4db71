//! The meetings of a node by one kind of edges, each with what had been counted by then: a question finds its place and
//! reads, instead of counting again.
//!
//! Steps are distinct times of the list. Sums that fade with the steps are kept as of their own step and fade further when
//! they are read, so that a new meeting changes nothing that is there.

use rustc_hash::FxHashMap;
use timeweft_graph::NodeIndex;

use crate::nn::count_up_to;

/// Steps after which the sums of a pair have faded to 1/e.
pub(crate) const FADING: [f32; 2] = [4.0, 30.0];
/// The same of how new the partners were.
pub(crate) const NOVELTY: f32 = 5.0;
/// Most meetings that are looked through for other partners met later, newest first.
pub(crate) const RANKED: usize = 4096;

/// Meetings by moment; those of one moment in an order of names. It only grows: what is below a moment stays as it was.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meetings {
    moments: Vec<u32>,
    partners: Vec<NodeIndex>,
    /// For each meeting, 1 + the place of the one before it with the same partner, 0 for the first.
    previous: Vec<u32>,
    running: Vec<Running>,
    /// Moments of the meetings that were the first with a partner.
    firsts: Vec<u32>,
}

/// Counts up to and with a meeting.
#[derive(Clone, Copy, Debug, Default)]
struct Running {
    /// Distinct times of the list, and distinct partners.
    times: u32,
    partners: u32,
    /// Meetings with this partner, and their distinct times.
    count: u32,
    pair_times: u32,
    /// A meeting with this partner further back, by which any is found in logarithmic steps.
    jump: u32,
    /// Meetings that were the first with a partner, fading.
    novelty: f32,
    /// Distinct times of this partner, fading.
    fading: [f32; 2],
}

/// A place in each list of each partner's last meeting: 1 + the place, by [`pair_key`].
pub(crate) type LastPlaces = FxHashMap<u64, u32>;

/// A pair of numbers as one.
pub(crate) fn pair_key(list: u32, partner: NodeIndex) -> u64 {
    u64::from(list) << 32 | u64::from(partner.0)
}

impl Meetings {
    /// Adds one that is not before any, in O(1). `last` is the place of the partner's last meeting, which this one becomes.
    pub(crate) fn push(&mut self, moment: u32, partner: NodeIndex, last: &mut u32) {
        let before = self.running.last().copied().unwrap_or_default();
        let is_later = self.moments.last() != Some(&moment);
        let mut running = Running {
            times: before.times + u32::from(is_later),
            partners: before.partners + u32::from(*last == 0),
            novelty: before.novelty * if is_later { (-1.0 / NOVELTY).exp() } else { 1.0 },
            ..Running::default()
        };
        let at = self.moments.len() as u32;
        match last.checked_sub(1) {
            None => {
                running = Running { count: 1, pair_times: 1, jump: at, fading: [1.0; 2], ..running };
                running.novelty += 1.0;
                self.firsts.push(moment);
            }
            Some(previous) => {
                let same = self.running[previous as usize];
                running.count = same.count + 1;
                running.jump = self.jump_from(previous);
                (running.pair_times, running.fading) = (same.pair_times, same.fading);
                if self.moments[previous as usize] != moment {
                    running.pair_times += 1;
                    let steps = running.times - same.times;
                    running.fading = [0, 1].map(|i| 1.0 + faded(same.fading[i], steps, i));
                }
            }
        }
        self.moments.push(moment);
        self.partners.push(partner);
        self.previous.push(*last);
        self.running.push(running);
        *last = at + 1;
    }

    /// Takes the newest away: who was met, and 1 + the place of the one before it with the same partner, 0 for none.
    pub(crate) fn pop(&mut self) -> Option<(NodeIndex, u32)> {
        self.moments.pop();
        self.running.pop();
        let (partner, previous) = (self.partners.pop()?, self.previous.pop()?);
        if previous == 0 {
            self.firsts.pop();
        }
        Some((partner, previous))
    }

    /// Where the meeting behind one jumps to: skew binary numbers (Myers 1983).
    fn jump_from(&self, previous: u32) -> u32 {
        let count = |at: u32| self.running[at as usize].count;
        let jump = self.running[previous as usize].jump;
        let further = self.running[jump as usize].jump;
        if count(previous) - count(jump) == count(jump) - count(further) { further } else { previous }
    }

    /// Number of meetings.
    pub(crate) fn len(&self) -> usize {
        self.moments.len()
    }

    /// Empties the list.
    pub(crate) fn clear(&mut self) {
        self.moments.clear();
        self.partners.clear();
        self.previous.clear();
        self.running.clear();
        self.firsts.clear();
    }

    /// Moments of the meetings.
    pub(crate) fn moments(&self) -> &[u32] {
        &self.moments
    }

    /// Who was met.
    pub(crate) fn partners(&self) -> &[NodeIndex] {
        &self.partners
    }

    /// For each meeting, 1 + the place of the one before it with the same partner, 0 for the first.
    pub(crate) fn previous(&self) -> &[u32] {
        &self.previous
    }

    /// How many meetings lie below a limit.
    pub(crate) fn below(&self, limit: u32, hint: &mut u32) -> usize {
        below(&self.moments, limit, hint)
    }
}

/// Where sorted moments reach a limit. `hint` is where the last answer was, which is often near, and becomes this one.
#[inline]
pub(crate) fn below(moments: &[u32], limit: u32, hint: &mut u32) -> usize {
    let n = moments.len();
    let place = match moments.last() {
        Some(&last) if last >= limit => {
            let start = (*hint as usize).min(n - 1);
            let is_there = moments[start] >= limit && (start == 0 || moments[start - 1] < limit);
            if is_there { start } else { below_from(moments, limit, start) }
        }
        _ => n,
    };
    *hint = place as u32;
    place
}

/// The same from a place that is not it, given that the last moment is not below the limit.
fn below_from(moments: &[u32], limit: u32, mut start: usize) -> usize {
    if moments[start] >= limit {
        let mut step = 1;
        while start > step && moments[start - step] >= limit {
            start -= step;
            step *= 2;
        }
        let first = start.saturating_sub(step);
        return first + moments[first..start].partition_point(|&moment| moment < limit);
    }
    let mut step = 1;
    while start + step < moments.len() && moments[start + step] < limit {
        start += step;
        step *= 2;
    }
    let end = (start + step).min(moments.len() - 1);
    start + 1 + moments[start + 1..=end].partition_point(|&moment| moment < limit)
}

/// A sum after some more steps.
fn faded(sum: f32, steps: u32, i: usize) -> f32 {
    if steps == 0 { sum } else { sum * (-(steps as f32) / FADING[i]).exp() }
}

/// The first of some meetings of a node: those below a limit.
#[derive(Clone, Copy)]
pub(crate) struct MeetingsBefore<'a> {
    /// All of them.
    pub(crate) meetings: &'a Meetings,
    /// How many are read; no time is cut in two.
    pub(crate) count: usize,
    /// Which list it is.
    pub(crate) list: List,
    last: Option<&'a LastPlaces>,
}

/// A list by its number: of all edges of a node, of one side of a node, or made for a question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum List {
    Node(u32),
    Side(u32),
    Made(u32),
}

impl List {
    /// Its number among those of its kind.
    fn number(self) -> u32 {
        let (List::Node(number) | List::Side(number) | List::Made(number)) = self;
        number
    }
}

/// What a node had to do with one partner by one kind of edges.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Trace {
    /// Place of the last meeting.
    pub(crate) at: usize,
    /// Edges.
    pub(crate) count: u32,
    /// Distinct times.
    pub(crate) times: u32,
    /// Moment of the last meeting.
    pub(crate) last: u32,
    /// Other partners met later, among the newest [`RANKED`] meetings.
    pub(crate) rank: u32,
    /// Distinct times of the node since.
    pub(crate) steps: u32,
    /// Distinct times, fading, as of the last meeting.
    fading: [f32; 2],
}

impl Trace {
    /// Distinct times, weighted by `e^(-steps / FADING[i])`.
    pub(crate) fn fading(&self, i: usize) -> f32 {
        faded(self.fading[i], self.steps, i)
    }
}

impl<'a> MeetingsBefore<'a> {
    /// The first `count` meetings of a list, whose number is its key in `last`.
    pub(crate) fn new(meetings: &'a Meetings, count: usize, last: &'a LastPlaces, list: List) -> MeetingsBefore<'a> {
        MeetingsBefore { meetings, count, list, last: Some(last) }
    }

    /// None of an empty list.
    pub(crate) fn none(empty: &'a Meetings) -> MeetingsBefore<'a> {
        MeetingsBefore { meetings: empty, count: 0, list: List::Made(0), last: None }
    }

    fn end(&self) -> Option<&'a Running> {
        self.count.checked_sub(1).map(|last| &self.meetings.running[last])
    }

    /// Moments.
    pub(crate) fn moments(&self) -> &'a [u32] {
        &self.meetings.moments[..self.count]
    }

    /// Moments of first meetings with partners.
    pub(crate) fn firsts(&self) -> &'a [u32] {
        &self.meetings.firsts[..self.partners() as usize]
    }

    /// The last moment.
    pub(crate) fn last(&self) -> Option<u32> {
        self.moments().last().copied()
    }

    /// Distinct times.
    pub(crate) fn times(&self) -> u32 {
        self.end().map_or(0, |running| running.times)
    }

    /// Distinct partners.
    pub(crate) fn partners(&self) -> u32 {
        self.end().map_or(0, |running| running.partners)
    }

    /// How often the last meetings were with a new partner: each counts `e^(-steps / NOVELTY)`.
    pub(crate) fn novelty(&self) -> f32 {
        self.end().map_or(0.0, |running| running.novelty)
    }

    /// The place of the last meeting with a partner, in O(log of the later ones).
    pub(crate) fn last_with(&self, partner: NodeIndex) -> Option<usize> {
        if self.count == 0 {
            return None;
        }
        let mut at = self.last?.get(&pair_key(self.list.number(), partner))?.checked_sub(1)?;
        while at as usize >= self.count {
            let jump = self.meetings.running[at as usize].jump;
            at = if jump as usize >= self.count && jump < at {
                jump
            } else {
                self.meetings.previous[at as usize].checked_sub(1)?
            };
        }
        Some(at as usize)
    }

    /// The places of the meetings with a partner, newest first, from the last one on.
    pub(crate) fn places_from(&self, last: usize) -> impl Iterator<Item = usize> + use<'a> {
        let previous = &self.meetings.previous;
        std::iter::successors(Some(last), |&at| previous[at].checked_sub(1).map(|at| at as usize))
    }

    /// What there was with a partner.
    pub(crate) fn trace(&self, partner: NodeIndex) -> Option<Trace> {
        let at = self.last_with(partner)?;
        let running = &self.meetings.running[at];
        let last = self.meetings.moments[at];
        let steps = self.times() - running.times;
        Some(Trace {
            at,
            count: running.count,
            times: running.pair_times,
            last,
            rank: self.partners_after(at, last),
            steps,
            fading: running.fading,
        })
    }

    /// How many distinct partners were met later than at a place and its moment: a partner counts where it is met the first
    /// time after that.
    fn partners_after(&self, at: usize, moment: u32) -> u32 {
        let later = &self.meetings.moments[at + 1..self.count];
        let same = later.iter().take(8).take_while(|&&later| later == moment).count();
        let same = if same < 8 { same } else { later.partition_point(|&later| later == moment) };
        let start = (at + 1 + same).max(self.count.saturating_sub(RANKED));
        count_up_to(&self.meetings.previous[start..self.count], start as u32) as u32
    }
}
