//! Personalised page rank as of a time, by pushing forward what is left at a node (Andersen, Chung, Lang 2006).
//!
//! The node that was last to have enough left pushes first, as in the original, whose ranks depend on it in their last digits.
//! Nodes that a root reaches are numbered as they are met, and what is known of them lies in arrays as long as its reach,
//! which the next root uses again; so a root costs what it reaches, however large the graph is.

use rayon::prelude::*;
use rustc_hash::FxHashMap;
use timeweft_graph::{NodeIndex, Time, threads};

use super::alive::Moment;
use super::picks::Picks;
use super::scope::{EdgeFilter, NO_NODE, Roots, SampleError, Scope, check_length};
use super::traversal::{Visitor, traverse};
use super::window::Window;
use crate::adjacency::{Adjacency, BLOCK, CsrLists, ListPart, ListSource, Tick, of_csr};
use crate::memory::array::prefetch;
use crate::{Index, NONE};

/// How page rank is computed.
#[derive(Clone, PartialEq, Debug)]
pub struct PageRank {
    /// Along which edges, as of when.
    pub scope: Scope,
    /// The chance to go back to the root at each step, in (0, 1].
    pub alpha: f64,
    /// A node keeps less than `alpha * eps` for each of its edges to itself, and less than `alpha * eps` if it has none.
    /// Above 0. A root costs at most 1 / (alpha * eps) steps along edges.
    pub eps: f64,
    /// How many nodes a root.
    pub k: usize,
}

/// Fewer roots than this are not worth another thread.
const GRAIN: usize = 16;

impl PageRank {
    fn check(&self) -> Result<(), SampleError> {
        let range = |what, value: f64, wanted| Err(SampleError::Range { what, value: value.to_string(), wanted });
        if !(self.alpha > 0.0 && self.alpha <= 1.0) {
            return range("alpha", self.alpha, "in (0, 1]");
        }
        // What a node keeps must be a number above 0, else nothing ever ends.
        if !(self.alpha * self.eps > 0.0 && self.eps.is_finite()) {
            return range("eps", self.eps, "above 0, and so that alpha * eps is");
        }
        Ok(())
    }
}

impl Index {
    /// The `k` nodes with the highest rank for each root as of its time, the root among them, highest first and of equal
    /// ones the lower number: `nodes` and `ranks` have `k` slots a root, those that stay empty [`NO_NODE`] and 0. Every
    /// edge counts alike, and twice if there are two. A root without edges has itself with rank `alpha`; one that the graph
    /// does not have, such as [`NO_NODE`], has nothing.
    ///
    /// # Errors
    /// If an array has the wrong length, `alpha` or `eps` is out of range, or the window is empty.
    pub fn page_rank(
        &self,
        page_rank: &PageRank,
        roots: Roots<'_>,
        nodes: &mut [NodeIndex],
        ranks: &mut [f64],
    ) -> Result<(), SampleError> {
        page_rank.check()?;
        check_length("nodes", nodes.len(), roots.len() * page_rank.k)?;
        check_length("ranks", ranks.len(), roots.len() * page_rank.k)?;
        if page_rank.k == 0 {
            return Ok(());
        }
        let filter = EdgeFilter::new(&page_rank.scope)?;
        threads::prepare();
        let slots = nodes.par_chunks_mut(page_rank.k).zip(ranks.par_chunks_mut(page_rank.k));
        let roots = roots.nodes.par_iter().zip(roots.times).zip(slots).with_min_len(GRAIN);
        let push = || Push::new(self, page_rank, &filter);
        roots.for_each_init(push, |push, ((&node, &time), (nodes, ranks))| {
            push.rank(node, time);
            push.reach.best(nodes, ranks);
        });
        Ok(())
    }
}

/// Ranks one root after the other, in buffers that they share.
struct Push<'a> {
    index: &'a Index,
    page_rank: &'a PageRank,
    filter: &'a EdgeFilter,
    reach: Reach,
    /// Those that have enough to push.
    waiting: Vec<u32>,
    unread: Unread,
    picks: Picks,
}

/// The nodes that a root reaches; a place is a position among them.
#[derive(Default)]
struct Reach {
    places: FxHashMap<NodeIndex, u32>,
    /// In the order in which they were met.
    states: Vec<State>,
    /// Places of the neighbors of those that have pushed, side by side.
    near: Vec<u32>,
    /// How many nodes have pushed, and which ones the last push reached.
    pushes: u32,
    reached: Vec<u32>,
    ranked: Vec<(NodeIndex, f64)>,
}

#[derive(Clone, Copy)]
struct State {
    node: NodeIndex,
    rank: f64,
    residue: f64,
    /// How many edges it has, or how many have been counted so far.
    degree: u32,
    is_counted: bool,
    /// Where its neighbors begin in `near`; [`NONE`] until it pushes.
    near: u32,
    is_waiting: bool,
    /// The last push that reached it.
    push: u32,
}

/// Places of nodes of which something has to be read, and these nodes.
#[derive(Default)]
struct Unread {
    places: Vec<u32>,
    nodes: Vec<NodeIndex>,
}

impl<'a> Push<'a> {
    fn new(index: &'a Index, page_rank: &'a PageRank, filter: &'a EdgeFilter) -> Push<'a> {
        let (reach, waiting, unread) = (Reach::default(), Vec::new(), Unread::default());
        Push { index, page_rank, filter, reach, waiting, unread, picks: Picks::default() }
    }

    /// Ranks all nodes that a root reaches.
    fn rank(&mut self, root: NodeIndex, time: Time) {
        self.reach.clear();
        if root.at() >= self.index.n_nodes() {
            return;
        }
        let PageRank { alpha, eps, .. } = *self.page_rank;
        let least = alpha * eps;
        let place = self.reach.place(root);
        self.reach.states[place as usize].residue = alpha;
        self.waiting.push(place);
        while let Some(place) = self.waiting.pop() {
            self.find_neighbors(place, time);
            self.reach.push(place, 1.0 - alpha);
            self.find_degrees(time, least);
            for &place in &self.reach.reached {
                let state = &mut self.reach.states[place as usize];
                if !state.is_waiting && state.has_enough(least) {
                    state.is_waiting = true;
                    self.waiting.push(place);
                }
            }
        }
    }

    /// Reads the neighbors of one that pushes for the first time.
    fn find_neighbors(&mut self, place: u32, time: Time) {
        let state = self.reach.states[place as usize];
        if state.near == NONE {
            let Push { index, page_rank, filter, reach, picks, .. } = self;
            let mut near = Near { scope: &page_rank.scope, time, place, reach, picks };
            let root = Roots { nodes: &[state.node], times: &[time] };
            traverse(index.adjacency(), filter, None, root, &mut near);
        }
    }

    /// Counts the edges of those that may have enough to push.
    fn find_degrees(&mut self, time: Time, least: f64) {
        let Push { index, page_rank, filter, reach, unread, .. } = self;
        let may_push = |state: &State| state.residue >= least && state.degree <= state.most(least);
        unread.find(&reach.reached, &reach.states, |state| !state.is_counted && may_push(state));
        let (scope, adjacency) = (&page_rank.scope, index.adjacency());
        let degrees = Degrees { adjacency, filter, scope, time, least };
        let unread = unread.places.chunks(GROUP).zip(unread.nodes.chunks(GROUP));
        for (places, nodes) in unread {
            of_csr!(adjacency, lists => degrees.count(lists, nodes, places, &mut reach.states));
        }
    }
}

impl Unread {
    fn find(&mut self, among: &[u32], states: &[State], is_unread: impl Fn(&State) -> bool) {
        self.places.clear();
        self.places.extend(among.iter().filter(|place| is_unread(&states[**place as usize])));
        self.nodes.clear();
        self.nodes.extend(self.places.iter().map(|place| states[*place as usize].node));
    }
}

impl State {
    /// With more edges than this there is surely not enough left to push.
    fn most(&self, least: f64) -> u32 {
        ((self.residue / least) as u32).min(u32::MAX / 4) + 1
    }

    fn has_enough(&self, least: f64) -> bool {
        self.is_counted && self.residue >= least && self.residue >= least * f64::from(self.degree)
    }
}

impl Reach {
    fn clear(&mut self) {
        self.places.clear();
        self.states.clear();
        self.near.clear();
        self.pushes = 0;
    }

    /// The place of a node, which may be a new one.
    fn place(&mut self, node: NodeIndex) -> u32 {
        let states = &mut self.states;
        *self.places.entry(node).or_insert_with(|| {
            states.push(State {
                node,
                rank: 0.0,
                residue: 0.0,
                degree: 0,
                is_counted: false,
                near: NONE,
                is_waiting: false,
                push: 0,
            });
            states.len() as u32 - 1
        })
    }

    /// A node keeps what is left at it, and shares a part of that out among its neighbors.
    fn push(&mut self, place: u32, part: f64) {
        self.pushes = self.pushes.wrapping_add(1);
        self.reached.clear();
        let state = &mut self.states[place as usize];
        let residue = std::mem::take(&mut state.residue);
        state.rank += residue;
        state.is_waiting = false;
        let near = &self.near[state.near as usize..][..state.degree as usize];
        let share = part * residue / near.len() as f64;
        for &to in near {
            let state = &mut self.states[to as usize];
            state.residue += share;
            if state.push != self.pushes {
                state.push = self.pushes;
                self.reached.push(to);
            }
        }
    }

    /// Writes the nodes with the highest ranks.
    fn best(&mut self, nodes: &mut [NodeIndex], ranks: &mut [f64]) {
        let order = |a: &(NodeIndex, f64), b: &(NodeIndex, f64)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        self.ranked.clear();
        let ranked = self.states.iter().filter(|state| state.rank > 0.0);
        self.ranked.extend(ranked.map(|state| (state.node, state.rank)));
        if self.ranked.len() > nodes.len() {
            self.ranked.select_nth_unstable_by(nodes.len(), order);
            self.ranked.truncate(nodes.len());
        }
        self.ranked.sort_unstable_by(order);
        let ranked = self.ranked.iter().copied().chain(std::iter::repeat((NO_NODE, 0.0)));
        for ((node, rank), ranked) in nodes.iter_mut().zip(ranks).zip(ranked) {
            (*node, *rank) = ranked;
        }
    }
}

/// Notes the neighbors of a node.
struct Near<'b> {
    scope: &'b Scope,
    time: Time,
    place: u32,
    reach: &'b mut Reach,
    picks: &'b mut Picks,
}

impl Visitor for Near<'_> {
    type Scratch<T: Tick> = ();

    fn visit<'a, T: Tick, P: ListSource<'a, T>>(&mut self, (): &mut (), _: usize, source: P, parts: &[ListPart]) {
        self.picks.clear();
        if let Some(moment) = Moment::of(self.scope, source.clock(), self.time) {
            parts.iter().enumerate().for_each(|part| self.picks.gather(source, part, moment));
        }
        let start = self.reach.near.len();
        for pick in self.picks.as_slice() {
            let place = self.reach.place(source.entry(&parts[pick.part()], pick.place()).neighbor());
            self.reach.near.push(place);
        }
        let state = &mut self.reach.states[self.place as usize];
        state.near = start as u32;
        (state.degree, state.is_counted) = ((self.reach.near.len() - start) as u32, true);
    }
}

/// Counts the edges of nodes, as far as it takes to see that they have too many. Most nodes are reached by little, and
/// then the first few edges decide, so that these alone are fetched.
struct Degrees<'b> {
    adjacency: &'b Adjacency,
    filter: &'b EdgeFilter,
    scope: &'b Scope,
    time: Time,
    least: f64,
}

/// How many nodes are read step by step.
const GROUP: usize = 32;

/// Edges that are looked at together.
const TOGETHER: usize = 4;

impl Degrees<'_> {
    fn count<T: Tick>(&self, lists: CsrLists<'_, T>, nodes: &[NodeIndex], places: &[u32], states: &mut [State]) {
        nodes.iter().for_each(|node| prefetch(lists.starts, node.at()));
        for node in nodes {
            prefetch(lists.heads, lists.of_node(*node).start as usize);
        }
        let filter = |part: &ListPart| self.filter.admits(part.edge_type, part.direction);
        for node in nodes {
            if let Some(first) = lists.parts(lists.of_node(*node)).find(filter) {
                prefetch(lists.entries, first.start as usize);
            }
        }
        for (place, node) in places.iter().zip(nodes) {
            let state = &mut states[*place as usize];
            match self.adjacency.overflow_lists(*node) {
                Some(touched) => self.count_in_window(touched, touched.parts().filter(filter), state),
                None => self.count_in_window(lists, lists.parts(lists.of_node(*node)).filter(filter), state),
            }
        }
    }

    fn count_in_window<'a, T: Tick, P: ListSource<'a, T>>(
        &self,
        source: P,
        parts: impl Iterator<Item = ListPart>,
        state: &mut State,
    ) {
        match self.filter.first(self.time) {
            None => self.count_one(source, parts, state),
            Some(first) => {
                let mut window = Window::default();
                self.count_one(source, window.cut(source, parts, first).iter().copied(), state);
            }
        }
    }

    fn count_one<'a, T: Tick, P: ListSource<'a, T>>(
        &self,
        source: P,
        parts: impl Iterator<Item = ListPart>,
        state: &mut State,
    ) {
        (state.degree, state.is_counted) = (0, true);
        let Some(moment) = Moment::of(self.scope, source.clock(), self.time) else { return };
        // Twice as many, so that a node to which little comes often is not counted often.
        let most = 2 * state.most(self.least);
        for part in parts {
            if part.len() > BLOCK {
                state.degree += moment.count(source, &part) as u32;
                continue;
            }
            for few in source.entries(&part).chunks(TOGETHER) {
                state.degree += few.iter().filter(|entry| moment.sees(entry)).count() as u32;
                if state.degree > most {
                    state.is_counted = false;
                    return;
                }
            }
        }
    }
}
