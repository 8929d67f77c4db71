//! Edges at a node in order of time, a page of them: a hub has hundreds of thousands, and no page sorts them all.
//!
//! Slow reference: [`Index::incident_edges`] and [`Index::incident_lives`], sorted.

use std::cmp::{Ordering, Reverse};
use std::iter::Peekable;
use std::ops::Range;

use timeweft_graph::{At, Deletes, Direction, EdgeIndex, EdgeTypeId, GraphView, NodeKey, Time};

use crate::Index;
use crate::adjacency::List;
use crate::elements::life::LifeRecord;
use crate::sample::Side;

/// The order of edges at a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum EdgeOrder {
    /// The most recently created first; of one time, by side and name.
    #[default]
    Newest,
    /// The first created first; of one time, by side and name.
    Oldest,
    /// By side and name.
    Name,
}

/// Edges at a node: on which sides, of which relation.
#[derive(Clone, Copy, Debug)]
pub struct Incident<'a> {
    /// The node.
    pub node: &'a NodeKey,
    /// Sides of the node. An edge to itself is on both.
    pub side: Side,
    /// Only edges of this relation.
    pub relation: Option<&'a str>,
}

/// Edges on a side of a node, in order of time.
type InOrder<'a> = Peekable<Box<dyn Iterator<Item = (Time, Direction, EdgeIndex)> + 'a>>;

impl Index {
    /// How many edges at a node a moment shows.
    pub fn n_incident(&self, of: Incident<'_>, at: At) -> usize {
        sides(of.side).iter().map(|&direction| self.degree(of.node, direction, of.relation, at)).sum()
    }

    /// How many edges of each type a moment shows at a node, on each side.
    pub fn incident_counts(&self, node: &NodeKey, at: At) -> Vec<(EdgeTypeId, Direction, usize)> {
        let lists = sides(Side::Both).iter().flat_map(|&direction| self.lists_of(node, direction, None));
        let count = |list: List<'_>| match at.deletes {
            Deletes::Hard => (list.edge_type, list.direction, list.degree(at.time)),
            Deletes::Soft => (list.edge_type, list.direction, self.shown_in(list, at).count()),
        };
        lists.map(count).filter(|(.., n)| *n > 0).collect()
    }

    /// A page of the edges at a node that a moment shows, each with the side that it is on.
    pub fn incident_page(
        &self,
        of: Incident<'_>,
        at: At,
        order: EdgeOrder,
        page: Range<usize>,
    ) -> Vec<(Direction, EdgeIndex)> {
        let lists = sides(of.side).iter().flat_map(|&direction| self.lists_of(of.node, direction, of.relation));
        if order == EdgeOrder::Name {
            let all = lists.flat_map(|list| self.shown_in(list, at).map(move |edge| (list.direction, edge)));
            let mut all: Vec<_> = all.collect();
            let page = page.start.min(all.len())..page.end.min(all.len());
            sort_range(&mut all, page.clone(), |a, b| self.by_name(a, b));
            return all[page].to_vec();
        }
        let newest = order == EdgeOrder::Newest;
        let mut groups = Groups { newest, lists: lists.map(|list| self.in_order(list, at, newest)).collect() };
        let (mut found, mut passed, mut group) = (Vec::new(), 0, Vec::new());
        while passed < page.end
            && let Some(time) = groups.next_time()
        {
            groups.take(time, &mut group);
            let wanted = within(&page, passed, group.len());
            passed += group.len();
            sort_range(&mut group, wanted.clone(), |a, b| self.by_name(a, b));
            found.extend_from_slice(&group[wanted]);
        }
        found
    }

    /// The lives of edges at a node that had begun by a time, by the time when they begin. A self-loop is there once.
    pub(crate) fn lives_begun(&self, node: &NodeKey, time: Time, newest: bool) -> Groups<'_> {
        let at = At { time, deletes: Deletes::Soft };
        let lists = sides(Side::Both).iter().flat_map(|&direction| self.lists_of(node, direction, None));
        Groups { newest, lists: lists.map(|list| self.begun_in_order(list, at, newest)).collect() }
    }

    /// The lives of a list that had begun by a moment, by time.
    fn begun_in_order<'a>(&'a self, list: List<'a>, at: At, newest: bool) -> InOrder<'a> {
        let real = self.entries(list, at, newest).filter(|(.., edge)| self.edges.get(*edge).is_real());
        (Box::new(real) as Box<dyn Iterator<Item = _>>).peekable()
    }

    /// What a list shows at a moment, by time.
    fn in_order<'a>(&'a self, list: List<'a>, at: At, newest: bool) -> InOrder<'a> {
        let shown = self.entries(list, at, newest).filter(move |(.., edge)| self.shows_edge(*edge, at));
        (Box::new(shown) as Box<dyn Iterator<Item = _>>).peekable()
    }

    /// The entries of a list that had begun by a moment, by time; with hard deletes some that are over are left out.
    fn entries<'a>(
        &self,
        list: List<'a>,
        at: At,
        newest: bool,
    ) -> Box<dyn Iterator<Item = (Time, Direction, EdgeIndex)> + 'a> {
        let (direction, n) = (list.direction, list.begun(at.time));
        if newest {
            let over_by = (at.deletes == Deletes::Hard).then_some(at.time);
            return Box::new(list.newest(n, over_by).map(move |seen| (seen.created, direction, seen.edge)));
        }
        let seen = (0..n).filter_map(move |place| list.get(place));
        Box::new(seen.map(move |seen| (seen.created, direction, seen.edge)))
    }

    /// By side and key, those of one edge by number.
    fn by_name(&self, a: &(Direction, EdgeIndex), b: &(Direction, EdgeIndex)) -> Ordering {
        a.0.cmp(&b.0).then_with(|| self.compare_edges(a.1, b.1)).then(a.1.cmp(&b.1))
    }
}

/// Lists that are each in order of time, as one.
pub(crate) struct Groups<'a> {
    newest: bool,
    lists: Vec<InOrder<'a>>,
}

impl Groups<'_> {
    /// The next time at which something is.
    pub(crate) fn next_time(&mut self) -> Option<Time> {
        let times = self.lists.iter_mut().filter_map(|list| list.peek().map(|(time, ..)| *time));
        if self.newest { times.max() } else { times.min() }
    }

    /// Takes out all of the next time.
    pub(crate) fn take(&mut self, time: Time, group: &mut Vec<(Direction, EdgeIndex)>) {
        group.clear();
        for list in &mut self.lists {
            while let Some((_, direction, edge)) = list.next_if(|(next, ..)| *next == time) {
                group.push((direction, edge));
            }
        }
    }

    /// Whether one time comes before another.
    pub(crate) fn is_before(&self, a: Time, b: Time) -> bool {
        if self.newest { Reverse(a) < Reverse(b) } else { a < b }
    }
}

fn sides(side: Side) -> &'static [Direction] {
    match side {
        Side::Out => &[Direction::Out],
        Side::In => &[Direction::In],
        Side::Both => &[Direction::Out, Direction::In],
    }
}

/// The part of a page that lies in a group of `len`, before which `passed` have come.
pub(crate) fn within(page: &Range<usize>, passed: usize, len: usize) -> Range<usize> {
    page.start.saturating_sub(passed).min(len)..page.end.saturating_sub(passed).min(len)
}

/// Puts into a range what sorting everything would put there.
pub(crate) fn sort_range<T>(all: &mut [T], range: Range<usize>, mut compare: impl FnMut(&T, &T) -> Ordering) {
    if range.is_empty() {
        return;
    }
    if range.start > 0 {
        all.select_nth_unstable_by(range.start, &mut compare);
    }
    let rest = &mut all[range.start..];
    if range.len() < rest.len() {
        rest.select_nth_unstable_by(range.len() - 1, &mut compare);
    }
    rest[..range.len()].sort_unstable_by(compare);
}
