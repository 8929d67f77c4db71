//! Questions about many pairs of nodes: the edges between them, how often they met, which neighbors they share.

use rayon::prelude::*;
use timeweft_graph::{At, Deletes, Direction, EdgeIndex, EdgeTypeId, NodeIndex, Time, threads};

use super::scope::{AsOf, EdgeFilter, Roots, SampleError, Scope, check_length};
use super::traversal::{Visitor, traverse};
use crate::adjacency::{ListPart, ListSource, Tick};
use crate::elements::life::LifeRecord;
use crate::{Index, Recency};

/// From which node to which by edges of which type, and the time of each question.
#[derive(Clone, Copy, Debug)]
pub struct Links<'a> {
    sources: &'a [NodeIndex],
    edge_types: &'a [EdgeTypeId],
    destinations: &'a [NodeIndex],
    times: &'a [Time],
}

impl<'a> Links<'a> {
    /// Sources, and as many edge types, destinations and times. Nodes and types that the graph does not have have no edges.
    ///
    /// # Errors
    /// [`SampleError::Length`] if there are more or fewer of one of them.
    pub fn new(
        sources: &'a [NodeIndex],
        edge_types: &'a [EdgeTypeId],
        destinations: &'a [NodeIndex],
        times: &'a [Time],
    ) -> Result<Links<'a>, SampleError> {
        check_length("edge_types", edge_types.len(), sources.len())?;
        check_length("destinations", destinations.len(), sources.len())?;
        check_length("times", times.len(), sources.len())?;
        Ok(Links { sources, edge_types, destinations, times })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.sources.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    fn pair(&self, at: usize) -> (EdgeTypeId, NodeIndex, NodeIndex) {
        (self.edge_types[at], self.sources[at], self.destinations[at])
    }
}

/// Pairs that a thread takes at once.
const GRAIN: usize = 256;

/// Stands where there is no edge.
pub const NO_EDGE: EdgeIndex = EdgeIndex(u32::MAX);

impl Index {
    /// The edge of each link as of its time, into `edges`, one a link; [`NO_EDGE`] where there is none. Of parallel edges it
    /// is the newest, of those created at one time the one that arrived last; of an edge that was removed and made again the
    /// life that runs then. Each costs O(log degree) and the edges between the two that are over.
    ///
    /// # Errors
    /// If `edges` has another length than the links.
    pub fn edges_between(
        &self,
        links: Links<'_>,
        as_of: AsOf,
        deletes: Deletes,
        edges: &mut [EdgeIndex],
    ) -> Result<(), SampleError> {
        check_length("edges", edges.len(), links.len())?;
        fill(edges, |at| {
            let seen = |last| {
                self.newest_between(links.pair(at), (Time::MIN, last), |edge| {
                    self.edges.get(edge).is_seen(last, deletes)
                })
            };
            as_of.last(links.times[at]).and_then(seen).unwrap_or(NO_EDGE)
        });
        Ok(())
    }

    /// All edges of each link as of its time, by (created, arrival), those of a link side by side in `edges`, which is filled
    /// anew; `counts` says how many each link has.
    ///
    /// # Errors
    /// If `counts` has another length than the links.
    pub fn all_edges_between(
        &self,
        links: Links<'_>,
        as_of: AsOf,
        deletes: Deletes,
        counts: &mut [u32],
        edges: &mut Vec<EdgeIndex>,
    ) -> Result<(), SampleError> {
        check_length("counts", counts.len(), links.len())?;
        let mut found: Vec<Vec<EdgeIndex>> = vec![Vec::new(); links.len()];
        fill(&mut found, |at| {
            let Some(last) = as_of.last(links.times[at]) else { return Vec::new() };
            let (edge_type, source, destination) = links.pair(at);
            let mut found = self.pair_edges(edge_type, source, destination, last);
            found.retain(|edge| self.edges.get(*edge).is_seen(last, deletes));
            found
        });
        edges.clear();
        for (count, found) in counts.iter_mut().zip(found) {
            *count = found.len() as u32;
            edges.extend(found);
        }
        Ok(())
    }

    /// How often each link was made by its time, and when last, into `out`, one a link. Deletes do not undo it. Each costs
    /// O(log degree).
    ///
    /// # Errors
    /// If `out` has another length than the links.
    pub fn pair_recencies(&self, links: Links<'_>, as_of: AsOf, out: &mut [Recency]) -> Result<(), SampleError> {
        check_length("out", out.len(), links.len())?;
        let by = |at| as_of.last(links.times[at]).map(|last| self.pair_by(links.pair(at), last));
        fill(out, |at| by(at).unwrap_or_default());
        Ok(())
    }

    /// How many edges of a scope each root was given by its time, and when the last, into `out`, one a root. Deletes do not
    /// undo it, whatever the scope says of them; [`Index::degrees`] counts what is there. The popularity of a node is that of
    /// its incoming edges, of one type or of all. Each costs O(log degree).
    ///
    /// # Errors
    /// If `out` has another length than the roots, or the window is empty.
    pub fn recencies(&self, scope: &Scope, roots: Roots<'_>, out: &mut [Recency]) -> Result<(), SampleError> {
        check_length("out", out.len(), roots.len())?;
        let (adjacency, filter) = (self.adjacency(), EdgeFilter::new(scope)?);
        threads::prepare();
        out.par_chunks_mut(GRAIN).zip(roots.nodes.par_chunks(GRAIN)).zip(roots.times.par_chunks(GRAIN)).for_each(
            |((out, nodes), times)| {
                let mut created = Created { as_of: scope.as_of, times, out };
                traverse(adjacency, &filter, None, Roots { nodes, times }, &mut created)
            },
        );
        Ok(())
    }

    /// How many distinct nodes each root has an edge of the scope with and the other node of its place too, as of the root's
    /// time, into `counts`, one a root. A side of the scope is that of the root and of the other node alike. Each costs the
    /// smaller of both degrees times O(log degree).
    ///
    /// # Errors
    /// If `others` or `counts` have another length than the roots, or the window is empty.
    pub fn common_neighbors(
        &self,
        scope: &Scope,
        roots: Roots<'_>,
        others: &[NodeIndex],
        counts: &mut [u32],
    ) -> Result<(), SampleError> {
        check_length("others", others.len(), roots.len())?;
        check_length("counts", counts.len(), roots.len())?;
        let filter = EdgeFilter::new(scope)?;
        fill(counts, |at| {
            let Some(time) = scope.as_of.last(roots.times[at]) else { return 0 };
            let (pair, first) = ((roots.nodes[at], others[at]), scope.first(roots.times[at]));
            self.common_at(&filter, pair, first, At { time, deletes: scope.deletes })
        });
        Ok(())
    }

    /// How many neighbors two nodes have in common by edges that were created at a time or later.
    fn common_at(&self, filter: &EdgeFilter, (a, b): (NodeIndex, NodeIndex), first: Time, at: At) -> u32 {
        let lists = |node| self.adjacency().lists(node).filter(|list| filter.admits(list.edge_type, list.direction));
        let hard = at.deletes == Deletes::Hard;
        let degree = |node| -> usize {
            lists(node).map(|list| if hard { list.degree(at.time) } else { list.begun(at.time) }).sum()
        };
        let is_seen = |edge: EdgeIndex| self.edges.get(edge).is_seen(at.time, at.deletes);
        let (fewer, other) = if degree(a) <= degree(b) { (a, b) } else { (b, a) };
        let near = lists(fewer).flat_map(|list| {
            let newest = list.newest(list.begun(at.time), hard.then_some(at.time));
            newest.take_while(move |seen| seen.created >= first)
        });
        let mut nodes: Vec<NodeIndex> = near.filter(|seen| is_seen(seen.edge)).map(|seen| seen.neighbor).collect();
        nodes.sort_unstable();
        nodes.dedup();
        let meets = |node: NodeIndex| {
            lists(other).any(|list| {
                let pair = match list.direction {
                    Direction::Out => (list.edge_type, other, node),
                    Direction::In => (list.edge_type, node, other),
                };
                self.newest_between(pair, (first, at.time), is_seen).is_some()
            })
        };
        nodes.into_iter().filter(|node| meets(*node)).count() as u32
    }
}

/// Fills an array on all threads.
fn fill<T: Send>(out: &mut [T], of: impl Fn(usize) -> T + Sync) {
    let fill = |(chunk, out): (usize, &mut [T])| {
        out.iter_mut().enumerate().for_each(|(at, place)| *place = of(chunk * GRAIN + at));
    };
    threads::prepare();
    out.par_chunks_mut(GRAIN).enumerate().for_each(fill);
}

struct Created<'b> {
    as_of: AsOf,
    times: &'b [Time],
    out: &'b mut [Recency],
}

impl Visitor for Created<'_> {
    type Scratch<T: Tick> = ();

    fn visit<'a, T: Tick, P: ListSource<'a, T>>(&mut self, (): &mut (), at: usize, source: P, parts: &[ListPart]) {
        let mut found = Recency::default();
        if let Some(tick) = self.as_of.last(self.times[at]).and_then(|last| T::floor(source.clock(), last)) {
            for part in parts {
                let run = source.run(part);
                let begun = run.begun(tick);
                let last = begun.checked_sub(1).map(|last| run.entries[last].created.time(source.clock()));
                found = Recency { count: found.count + begun as u32, last: found.last.max(last) };
            }
        }
        self.out[at] = found;
    }
}
