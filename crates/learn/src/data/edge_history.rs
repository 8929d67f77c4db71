//! What was linked when, laid out for counting: every list is in order of time and holds fact numbers, so that "how long
//! ago" has an answer in time and one in events.
//!
//! A fact is named by its *moment*: the number of the first fact of its time. Facts of one time have one moment, so no
//! count can tell them apart, and "before a time" is "below the number of facts before it".
//!
//! It only grows: each fact is taken in once, in O(1), and every time before is answered as it was, without a replay. By
//! hard deletes an edge counts as of a time if it was created and not deleted before it. Nodes that lost an edge by then
//! are counted anew from the edges that are left, which costs as many steps as the node ever had edges.

use rustc_hash::FxHashMap;
use timeweft_graph::{Action, Deletes, Direction, EdgeIndex, EdgeTypeId, NodeIndex, Time};
use timeweft_index::{Fact, Index, Recency};

use crate::data::directed_relation::DirectedRelation;
use crate::data::meetings::{LastPlaces, List, Meetings, MeetingsBefore, below, pair_key};

/// Most edges of a node and a side that are looked through for its last partners, newest first.
const READ: usize = 1200;
/// Most edges that a step of a walk looks through.
const WINDOW: usize = 32;
/// A list's number if it is the list of all edges of its node; the moment of what was not removed.
pub(in crate::data) const NONE: u32 = u32::MAX;

/// Creations and removals of edges, as the nodes at their ends see them.
#[derive(Clone, Debug)]
pub(crate) struct EdgeHistory {
    /// Time of every fact.
    pub(in crate::data) times: Vec<Time>,
    deletes: Deletes,
    pub(in crate::data) nodes: Vec<NodeHistory>,
    /// Edges of a (node, side), by the numbers that nodes keep.
    pub(in crate::data) by_side: Vec<Meetings>,
    /// By (node, partner), and by (list, partner).
    pub(in crate::data) last: LastPlaces,
    pub(in crate::data) last_by_side: LastPlaces,
    /// Moments of the edges of each type: created, and removed by hard deletes.
    pub(in crate::data) of_type: Vec<[Vec<u32>; 2]>,
    /// By hard deletes, where each edge stands among those of its source and of its destination: by its number, [`NONE`] for one
    /// that cannot be removed.
    pub(in crate::data) places: Vec<[u32; 2]>,
    /// The edges that the newest facts removed, their ends, and their places, in case these are taken back.
    pub(in crate::data) newest_removed: Vec<(EdgeIndex, [NodeIndex; 2], [u32; 2])>,
    /// For each side its place in an order of names: numbers of edge types follow arrival.
    side_order: Vec<u32>,
    none: Meetings,
}

/// The edges of a node.
#[derive(Clone, Debug)]
pub(in crate::data) struct NodeHistory {
    pub(in crate::data) met: Meetings,
    pub(in crate::data) sides: Vec<DirectedRelation>,
    /// When they were removed, by hard deletes; [`NONE`] for those that are not, and for all behind the end.
    pub(in crate::data) removed: Vec<u32>,
    /// The first removal.
    pub(in crate::data) first_removed: u32,
    /// The lists of its sides, sorted. As long as there is one, it is that of all edges.
    pub(in crate::data) lists: Vec<(DirectedRelation, u32)>,
}

impl Default for NodeHistory {
    fn default() -> Self {
        let (met, sides, removed, lists) = Default::default();
        NodeHistory { met, sides, removed, first_removed: NONE, lists }
    }
}

/// An edge seen from one of its ends.
#[derive(Clone, Copy)]
struct Draft {
    node: NodeIndex,
    side: DirectedRelation,
    other: NodeIndex,
    edge: EdgeIndex,
}

/// Where lists were cut last: the next question is most often about a time near.
#[derive(Default)]
pub(crate) struct Hints {
    nodes: Vec<Cuts>,
    sides: Vec<Cuts>,
    made: Cuts,
    /// Nothing is kept: a table of all lists is large for one question.
    once: bool,
}

/// Places in one list: of a limit, and of windows before it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Cuts {
    end: u32,
    /// Where windows of meetings and of first meetings begin.
    pub(crate) windows: [u32; 4],
    pub(crate) firsts: [u32; 3],
}

/// Room for the meetings that are left where edges were removed.
#[derive(Default)]
pub(crate) struct Remaining {
    met: Meetings,
    sides: Vec<DirectedRelation>,
    by_side: [Meetings; 2],
    last: LastPlaces,
}

/// The edges of a node before a limit: all, and those of some sides.
#[derive(Clone, Copy)]
pub(crate) struct NodeBefore<'a, const N: usize> {
    pub(crate) met: MeetingsBefore<'a>,
    /// How the node saw each of them.
    pub(crate) sides: &'a [DirectedRelation],
    pub(crate) by_side: [MeetingsBefore<'a>; N],
}

impl EdgeHistory {
    /// Nothing yet.
    pub(crate) fn new(deletes: Deletes) -> EdgeHistory {
        EdgeHistory {
            times: Vec::new(),
            deletes,
            nodes: Vec::new(),
            by_side: Vec::new(),
            last: LastPlaces::default(),
            last_by_side: LastPlaces::default(),
            of_type: Vec::new(),
            places: Vec::new(),
            newest_removed: Vec::new(),
            side_order: Vec::new(),
            none: Meetings::default(),
        }
    }

    /// Lays out some facts of a graph.
    pub(crate) fn of(index: &Index, facts: &[Fact], deletes: Deletes) -> EdgeHistory {
        let mut history = EdgeHistory::new(deletes);
        history.append(index, facts);
        history
    }

    /// Takes in the next facts of a graph in order of time, later than all before. What is of one time is put in an order
    /// of names, so that nothing depends on the order of arrival.
    pub(crate) fn append(&mut self, index: &Index, facts: &[Fact]) {
        let is_later = |fact: &Fact| self.times.last().is_none_or(|last| *last < fact.time);
        debug_assert!(facts.first().is_none_or(is_later), "whole times, in order");
        self.nodes.resize_with(index.n_nodes().max(self.nodes.len()), NodeHistory::default);
        self.order_sides(index);
        let mut drafts = Vec::new();
        for facts in facts.chunk_by(|a, b| a.time == b.time) {
            let moment = self.times.len() as u32;
            self.times.extend(facts.iter().map(|fact| fact.time));
            drafts.clear();
            self.newest_removed.clear();
            for fact in facts.iter().filter(|fact| fact.action == Action::Create) {
                let Some((edge_type, edge)) = fact.edge else { continue };
                let (out, back) =
                    (DirectedRelation::new(edge_type, Direction::Out), DirectedRelation::new(edge_type, Direction::In));
                drafts.push(Draft { node: fact.source, side: out, other: fact.destination, edge });
                drafts.push(Draft { node: fact.destination, side: back, other: fact.source, edge });
                self.of_type(edge_type)[0].push(moment);
            }
            self.sort(index, &mut drafts);
            drafts.iter().for_each(|draft| self.meet(moment, draft));
            if self.deletes == Deletes::Hard {
                facts.iter().filter(|fact| fact.action == Action::Delete).for_each(|fact| self.remove(moment, fact));
            }
        }
    }

    fn of_type(&mut self, edge_type: EdgeTypeId) -> &mut [Vec<u32>; 2] {
        if self.of_type.len() <= edge_type.at() {
            self.of_type.resize_with(edge_type.at() + 1, Default::default);
        }
        &mut self.of_type[edge_type.at()]
    }

    fn order_sides(&mut self, index: &Index) {
        let types = index.schema().edge_types();
        if self.side_order.len() == 2 * types.len() {
            return;
        }
        let name = |node_type: timeweft_graph::NodeTypeId| &index.schema().node_types()[node_type.at()].name;
        let mut sides: Vec<u32> = (0..2 * types.len() as u32).collect();
        sides.sort_by_key(|&side| {
            let of = &types[side as usize / 2];
            (&of.relation, side % 2, name(of.source), name(of.destination))
        });
        self.side_order = vec![0; sides.len()];
        (0..).zip(sides).for_each(|(at, side)| self.side_order[side as usize] = at);
    }

    /// Puts the edges of one time in an order of names: numbers of nodes and edge types follow arrival.
    fn sort(&self, index: &Index, drafts: &mut [Draft]) {
        if drafts.len() <= 2 {
            return;
        }
        let mut others: Vec<NodeIndex> = drafts.iter().map(|draft| draft.other).collect();
        others.sort_unstable();
        others.dedup();
        others.sort_unstable_by(|&a, &b| index.compare_nodes(a, b));
        let places: FxHashMap<NodeIndex, u32> = others.into_iter().zip(0..).collect();
        drafts.sort_by_cached_key(|draft| (self.side_order[draft.side.at()], places[&draft.other]));
    }

    fn meet(&mut self, moment: u32, draft: &Draft) {
        let Draft { node, side, other, edge } = *draft;
        if self.deletes == Deletes::Hard {
            let place = self.nodes[node.at()].met.len() as u32;
            if self.places.len() <= edge.at() {
                self.places.resize(edge.at() + 1, [NONE; 2]);
            }
            self.places[edge.at()][side.at() % 2] = place;
        }
        let list = self.list(node, side);
        let history = &mut self.nodes[node.at()];
        history.met.push(moment, other, self.last.entry(pair_key(node.0, other)).or_default());
        history.sides.push(side);
        if list != NONE {
            let last = self.last_by_side.entry(pair_key(list, other)).or_default();
            self.by_side[list as usize].push(moment, other, last);
        }
    }

    /// The list of a (node, side) that is about to get a meeting. A node's second side parts the lists, once.
    fn list(&mut self, node: NodeIndex, side: DirectedRelation) -> u32 {
        let history = &mut self.nodes[node.at()];
        let place = match history.lists.binary_search_by_key(&side, |(side, _)| *side) {
            Ok(at) => return history.lists[at].1,
            Err(place) => place,
        };
        if history.lists.is_empty() {
            history.lists.push((side, NONE));
            return NONE;
        }
        if let [(_, list)] = &mut history.lists[..]
            && *list == NONE
        {
            *list = self.by_side.len() as u32;
            for &partner in history.met.partners() {
                if let Some(&last) = self.last.get(&pair_key(node.0, partner)) {
                    self.last_by_side.insert(pair_key(*list, partner), last);
                }
            }
            self.by_side.push(history.met.clone());
        }
        let list = self.by_side.len() as u32;
        history.lists.insert(place, (side, list));
        self.by_side.push(Meetings::default());
        list
    }

    fn remove(&mut self, moment: u32, fact: &Fact) {
        let Some((edge_type, edge)) = fact.edge else { return };
        let Some(&places) = self.places.get(edge.at()).filter(|places| places[0] != NONE) else { return };
        self.of_type(edge_type)[1].push(moment);
        for (node, place) in [fact.source, fact.destination].into_iter().zip(places) {
            let (history, place) = (&mut self.nodes[node.at()], place as usize);
            if history.removed.len() <= place {
                history.removed.resize(place + 1, NONE);
            }
            history.removed[place] = moment;
            history.first_removed = history.first_removed.min(moment);
        }
        // It lives once.
        self.places[edge.at()] = [NONE; 2];
        self.newest_removed.push((edge, [fact.source, fact.destination], places));
    }

    /// Whether facts are the next ones: in order, and of later times only.
    pub(crate) fn continues(&self, n_known: usize, facts: &[Fact]) -> bool {
        let last = n_known.checked_sub(1).and_then(|last| self.times.get(last));
        n_known == self.times.len() && facts.first().is_none_or(|fact| last.is_none_or(|last| *last < fact.time))
    }

    /// The first moment that is not before a time: what lies below it was strictly before.
    pub(crate) fn limit(&self, time: Time) -> u32 {
        self.times.partition_point(|&known| known < time) as u32
    }

    /// When a moment was.
    pub(crate) fn time(&self, moment: u32) -> Time {
        self.times.get(moment as usize).copied().unwrap_or(Time::MIN)
    }

    /// The edges of a node that count below a limit. Slow where some were removed: then `remaining` holds the others.
    pub(crate) fn before<'a, const N: usize>(
        &'a self,
        node: NodeIndex,
        sides: [DirectedRelation; N],
        limit: u32,
        hints: &mut Hints,
        remaining: &'a mut Remaining,
    ) -> NodeBefore<'a, N> {
        let Some(history) = self.nodes.get(node.at()) else {
            let none = MeetingsBefore::none(&self.none);
            return NodeBefore { met: none, sides: &[], by_side: [none; N] };
        };
        if history.first_removed < limit {
            return remaining.before(history, sides, limit);
        }
        let count = history.met.below(limit, &mut hints.of(List::Node(node.0)).end);
        let met = MeetingsBefore::new(&history.met, count, &self.last, List::Node(node.0));
        let by_side = sides.map(|side| self.all_before(node, history, side, limit, hints));
        NodeBefore { met, sides: &history.sides, by_side }
    }

    /// The edges of a side before a limit, removed ones too.
    fn all_before(
        &self,
        node: NodeIndex,
        history: &NodeHistory,
        side: DirectedRelation,
        limit: u32,
        hints: &mut Hints,
    ) -> MeetingsBefore<'_> {
        let Ok(at) = history.lists.binary_search_by_key(&side, |(side, _)| *side) else {
            return MeetingsBefore::none(&self.none);
        };
        let list = history.lists[at].1;
        if list == NONE {
            let count = history.met.below(limit, &mut hints.of(List::Node(node.0)).end);
            return MeetingsBefore::new(&self.nodes[node.at()].met, count, &self.last, List::Node(node.0));
        }
        let meetings = &self.by_side[list as usize];
        MeetingsBefore::new(
            meetings,
            meetings.below(limit, &mut hints.of(List::Side(list)).end),
            &self.last_by_side,
            List::Side(list),
        )
    }

    /// Edges of a node and a side that count below a limit: how many, and when the last was created.
    pub(crate) fn recency(&self, node: NodeIndex, side: DirectedRelation, limit: u32) -> Recency {
        let (mut hints, mut remaining) = (Hints::once(), Remaining::default());
        let NodeBefore { by_side: [met], .. } = self.before(node, [side], limit, &mut hints, &mut remaining);
        Recency { count: met.count as u32, last: met.last().map(|moment| self.time(moment)) }
    }

    /// The same of those with one partner.
    pub(crate) fn pair_recency(
        &self,
        node: NodeIndex,
        side: DirectedRelation,
        partner: NodeIndex,
        limit: u32,
    ) -> Recency {
        let (mut hints, mut remaining) = (Hints::once(), Remaining::default());
        let NodeBefore { by_side: [met], .. } = self.before(node, [side], limit, &mut hints, &mut remaining);
        let trace = met.trace(partner);
        trace.map_or(Recency::default(), |trace| Recency { count: trace.count, last: Some(self.time(trace.last)) })
    }

    /// The last `n` distinct nodes that a node met by a side below a limit, latest first, by edges that count; only the last
    /// [`READ`] of them are looked at.
    pub(crate) fn partners(&self, node: NodeIndex, side: DirectedRelation, limit: u32, n: usize) -> Vec<NodeIndex> {
        let (mut hints, mut remaining) = (Hints::once(), Remaining::default());
        let NodeBefore { by_side: [met], .. } = self.before(node, [side], limit, &mut hints, &mut remaining);
        last_distinct(&met.meetings.partners()[..met.count], n)
    }

    /// The same by all edges that ever were.
    pub(crate) fn partners_ever(
        &self,
        node: NodeIndex,
        side: DirectedRelation,
        limit: u32,
        n: usize,
    ) -> Vec<NodeIndex> {
        let Some(history) = self.nodes.get(node.at()) else { return Vec::new() };
        let met = self.all_before(node, history, side, limit, &mut Hints::once());
        last_distinct(&met.meetings.partners()[..met.count], n)
    }

    /// Number of edges of a side below a limit.
    pub(crate) fn total(&self, side: DirectedRelation, limit: u32) -> usize {
        let count = |moments: &Vec<u32>| below(moments, limit, &mut (moments.len() as u32));
        self.of_type.get(side.at() / 2).map_or(0, |[created, removed]| count(created) - count(removed))
    }
}

/// The last `n` distinct ones of some nodes, latest first.
fn last_distinct(met: &[NodeIndex], n: usize) -> Vec<NodeIndex> {
    let mut nodes = Vec::with_capacity(n);
    let mut latest = met.iter().rev().take(READ);
    while nodes.len() < n
        && let Some(node) = latest.next()
    {
        if !nodes.contains(node) {
            nodes.push(*node);
        }
    }
    nodes
}

impl Hints {
    /// For one question.
    fn once() -> Hints {
        Hints { once: true, ..Hints::default() }
    }

    /// Those of a list.
    pub(crate) fn of(&mut self, list: List) -> &mut Cuts {
        if self.once {
            self.made = Cuts::default();
            return &mut self.made;
        }
        let (cuts, at) = match list {
            List::Node(node) => (&mut self.nodes, node as usize),
            List::Side(side) => (&mut self.sides, side as usize),
            List::Made(_) => return &mut self.made,
        };
        if cuts.len() <= at {
            cuts.resize((at + 1).next_power_of_two(), Cuts::default());
        }
        &mut cuts[at]
    }
}

impl NodeHistory {
    fn is_removed(&self, place: usize, limit: u32) -> bool {
        self.removed.get(place).is_some_and(|&removed| removed < limit)
    }

    /// The places of the edges that count below a limit, newest first.
    fn places_left(&self, count: usize, limit: u32) -> impl DoubleEndedIterator<Item = usize> {
        (0..count).rev().filter(move |&place| !self.is_removed(place, limit))
    }
}

impl Remaining {
    /// Counts a node's edges anew without the removed ones, by the same steps as if they had never been.
    fn before<const N: usize>(
        &mut self,
        history: &NodeHistory,
        sides: [DirectedRelation; N],
        limit: u32,
    ) -> NodeBefore<'_, N> {
        debug_assert!(N <= self.by_side.len(), "as many sides as there is room for");
        self.met.clear();
        self.sides.clear();
        self.by_side.iter_mut().for_each(Meetings::clear);
        self.last.clear();
        let count = history.met.below(limit, &mut (history.met.len() as u32));
        for place in history.places_left(count, limit).rev() {
            let (moment, other) = (history.met.moments()[place], history.met.partners()[place]);
            // List 0 has all, the others follow.
            self.met.push(moment, other, self.last.entry(pair_key(0, other)).or_default());
            self.sides.push(history.sides[place]);
            let own = (1..).zip(&sides).zip(&mut self.by_side);
            for ((list, _), meetings) in own.filter(|((_, side), _)| **side == history.sides[place]) {
                meetings.push(moment, other, self.last.entry(pair_key(list, other)).or_default());
            }
        }
        let before =
            |meetings, list| MeetingsBefore::new(meetings, Meetings::len(meetings), &self.last, List::Made(list));
        NodeBefore {
            met: before(&self.met, 0),
            sides: &self.sides,
            by_side: std::array::from_fn(|at| before(&self.by_side[at], 1 + at as u32)),
        }
    }
}

/// The last distinct partners of a node, latest first: a step of a walk.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LastPartners {
    nodes: [NodeIndex; WINDOW / 2],
    n: usize,
}

impl LastPartners {
    /// The nodes.
    pub(crate) fn nodes(&self) -> &[NodeIndex] {
        &self.nodes[..self.n]
    }

    fn push(&mut self, node: NodeIndex) {
        self.nodes[self.n] = node;
        self.n += 1;
    }
}

impl EdgeHistory {
    /// Puts the last `n` distinct partners of a node below a limit into `out`, but for one; only the last `2 n` edges that
    /// count are looked at, which are at most [`WINDOW`].
    pub(crate) fn last_partners(
        &self,
        (node, without): (NodeIndex, NodeIndex),
        limit: u32,
        n: usize,
        hints: &mut Hints,
        out: &mut LastPartners,
    ) {
        debug_assert!(2 * n <= WINDOW, "a window is one word of bits");
        out.n = 0;
        let Some(history) = self.nodes.get(node.at()) else { return };
        let count = history.met.below(limit, &mut hints.of(List::Node(node.0)).end);
        let partners = history.met.partners();
        if history.first_removed < limit {
            for place in history.places_left(count, limit).take(2 * n) {
                if out.n < n && partners[place] != without && !out.nodes().contains(&partners[place]) {
                    out.push(partners[place]);
                }
            }
            return;
        }
        // A bit for each edge of the window, the newest lowest: whether its partner was met again after it.
        let (mut again, previous) = (0u32, history.met.previous());
        for back in 0..count.min(2 * n) {
            let place = count - 1 - back;
            let further = count - previous[place] as usize;
            again |= if further < WINDOW { 1 << further } else { 0 };
            if again >> back & 1 == 0 && partners[place] != without {
                out.push(partners[place]);
                if out.n == n {
                    return;
                }
            }
        }
    }

    /// The partners of the last `n` edges of a node below a limit, oldest first, with repetitions; `None` where some were
    /// removed, so that these are not the last.
    pub(crate) fn newest(&self, node: NodeIndex, limit: u32, n: usize, hints: &mut Hints) -> Option<&[NodeIndex]> {
        let history = self.nodes.get(node.at()).filter(|history| history.first_removed >= limit)?;
        let count = history.met.below(limit, &mut hints.of(List::Node(node.0)).end);
        Some(&history.met.partners()[count.saturating_sub(n)..count])
    }
}

#[cfg(test)]
mod tests {
    use timeweft_graph::{EdgeKey, Element, Event, Name, NodeKey, Schema, TimeUnit};

    use super::*;

    /// User 0 links items 0 to 4 at 1 to 5, loses the link with 3 at 7, and links 1 again at 8; item 4 ends at 9.
    fn history(deletes: Deletes) -> EdgeHistory {
        let (user, item) = (|id: u64| NodeKey::new("user", id), |id: u64| NodeKey::new("item", id));
        let link = |to: u64, key: &str| {
            let (source, destination) = (user(0), item(to));
            Element::Edge(EdgeKey { source, relation: "buys".into(), destination, key: Some(key.into()) })
        };
        let mut events = vec![(0, Action::Create, Element::Node(user(0)))];
        events.extend((0..5).map(|to| (0, Action::Create, Element::Node(item(to)))));
        events.extend((0..5).map(|to| (1 + to as i64, Action::Create, link(to, "a"))));
        events.push((7, Action::Delete, link(3, "a")));
        events.push((8, Action::Create, link(1, "b")));
        events.push((9, Action::Delete, Element::Node(item(4))));
        let mut index = Index::new(Schema::new(TimeUnit::Step));
        for (time, action, element) in events {
            let accepted = index.apply(&Event::new(Time(time), action, element), &Name::from(""));
            assert!(accepted.is_ok(), "{accepted:?}");
        }
        EdgeHistory::of(&index, index.facts(), deletes)
    }

    #[test]
    fn partners_are_those_that_are_left() {
        let side = DirectedRelation::new(EdgeTypeId(0), Direction::Out);
        // The user is node 0, item i node 1 + i.
        let items = |nodes: Vec<NodeIndex>| nodes.into_iter().map(|node| node.0 - 1).collect::<Vec<_>>();
        for (deletes, time, n, wanted) in [
            (Deletes::Hard, 7, 9, vec![4, 3, 2, 1, 0]),
            (Deletes::Hard, 8, 9, vec![4, 2, 1, 0]),
            (Deletes::Hard, 10, 9, vec![1, 2, 0]),
            (Deletes::Hard, 10, 2, vec![1, 2]),
            (Deletes::Hard, 1, 9, vec![]),
            (Deletes::Hard, 10, 0, vec![]),
            (Deletes::Soft, 10, 9, vec![1, 4, 3, 2, 0]),
        ] {
            let history = history(deletes);
            let limit = history.limit(Time(time));
            assert_eq!(items(history.partners(NodeIndex(0), side, limit, n)), wanted, "{deletes:?} at {time}");
        }
        let history = history(Deletes::Hard);
        let ever = history.partners_ever(NodeIndex(0), side, history.limit(Time(10)), 9);
        assert_eq!(items(ever), [1, 4, 3, 2, 0]);
    }

    #[test]
    fn what_is_shown_is_what_is_left() {
        let side = DirectedRelation::new(EdgeTypeId(0), Direction::Out);
        let history = history(Deletes::Hard);
        let recency = |count, last: i64| Recency { count, last: (count > 0).then_some(Time(last)) };
        let at = |time: i64| history.limit(Time(time));
        let pair = |item: u32, time: i64| history.pair_recency(NodeIndex(0), side, NodeIndex(1 + item), at(time));
        assert_eq!([pair(3, 7), pair(3, 8), pair(4, 10)], [recency(1, 4), recency(0, 0), recency(0, 0)]);
        assert_eq!([pair(1, 8), pair(1, 9)], [recency(1, 2), recency(2, 8)]);
        assert_eq!(history.recency(NodeIndex(0), side, at(8)), recency(4, 5));
        assert_eq!(history.recency(NodeIndex(4), side.reversed(), at(8)), recency(0, 0));
    }
}
