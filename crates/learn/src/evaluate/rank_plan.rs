//! What an evaluation asks, laid out group by group: everything that depends on what happened, and on no weights. So the next
//! group is laid out by another thread while this one is answered.

use std::collections::VecDeque;
use std::ops::Range;

use crate::data::fact_batches::batches;
use crate::model::gnn::neighborhood::read;
use crate::model::memory_state::absorb_times;
use crate::model::pipeline::ask;
use crate::nn::stage;
use crate::{Freshness, Link, LinksToRank, Messages, Neighborhood, Pairs, Query, Tokens, VectorStore, expand};

/// Queries of links that share the embeddings of their candidates: bounds the memory of an evaluation.
const SHARED: usize = 1 << 19;

/// The candidates of a link, by its number.
pub(super) type Candidates<'a> = dyn Fn(usize) -> Vec<Link> + Sync + 'a;

/// Links whose answers are embedded together.
pub(super) struct Group {
    /// Facts up to here are taken in before, if any are.
    pub absorbs: Option<usize>,
    /// Facts up to a number that answers inside their batch may know, of the first group of a batch.
    pub messages: Option<((Messages, Tokens), usize)>,
    /// What is asked.
    pub asked: Option<Asked>,
    /// What happens to the batch behind its last group.
    pub ends: Option<Ends>,
}

/// How the facts of a batch are taken in.
pub(super) enum Ends {
    /// As they were remembered.
    Committed,
    /// Up to this number.
    Absorbed(usize),
}

/// What some links ask.
pub(super) struct Asked {
    /// Each link followed by its candidates.
    pub queries: Vec<Query>,
    /// How many queries each link has.
    pub sizes: Vec<usize>,
    /// What their roots read.
    pub neighborhood: Neighborhood,
    /// Which roots each query pairs.
    pub pairs: Pairs,
}

/// Lays the groups of an evaluation out.
pub(super) struct RankPlan<'a> {
    links: &'a LinksToRank<'a>,
    candidates: &'a Candidates<'a>,
    batches: VecDeque<Batch>,
    /// Times of the memory that a group finds.
    times: VectorStore,
    open: Option<Open>,
}

/// Links that know the same facts.
struct Batch {
    /// Facts that are taken in before.
    absorbs: Option<usize>,
    /// Facts that its links may know as far as they were before them.
    facts: Option<Range<usize>>,
    links: Range<usize>,
}

/// A batch of which not all links have been asked about.
struct Open {
    /// Those that answers inside the batch may read.
    tokens: Tokens,
    links: Range<usize>,
    /// One after the last of its facts, and how they are taken in.
    ends: Option<(usize, Ends)>,
}

impl<'a> RankPlan<'a> {
    /// From a memory that is true up to no later than the first link.
    pub(super) fn new(links: &'a LinksToRank<'a>, store: &VectorStore, candidates: &'a Candidates<'a>) -> RankPlan<'a> {
        let batches = match links.freshness {
            Freshness::Event => by_event(links, store.absorbed()),
            Freshness::Batch(_) => by_batch(links, store.absorbed()),
        };
        RankPlan { links, candidates, batches, times: store.times(), open: None }
    }

    /// The next group; `None` after the last.
    pub(super) fn next(&mut self) -> Option<Group> {
        let _running = stage("layout");
        let LinksToRank { graph, config, .. } = *self.links;
        let mut group = Group { absorbs: None, messages: None, asked: None, ends: None };
        let mut open = match self.open.take() {
            Some(open) => open,
            None => {
                let Batch { absorbs, facts, links } = self.batches.pop_front()?;
                absorbs.into_iter().for_each(|until| absorb_times(graph, config, &mut self.times, until));
                group.absorbs = absorbs;
                let mut open = Open { tokens: Tokens::none(), links, ends: None };
                if let Some(facts) = facts {
                    let end = facts.end;
                    // No answer of this time sees these facts, so they can be taken in slice by slice.
                    if graph.is_one_time(&facts) {
                        open.ends = Some((end, Ends::Absorbed(end)));
                    } else {
                        let messages = expand(graph, facts, &self.times);
                        open.tokens = messages.1.clone();
                        group.messages = Some((messages, end));
                        open.ends = Some((end, Ends::Committed));
                    }
                }
                open
            }
        };
        group.asked = self.ask(&mut open);
        if !open.links.is_empty() {
            self.open = Some(open);
            return Some(group);
        }
        if let Some((end, ends)) = open.ends {
            match &ends {
                Ends::Committed => self.times.commit(&open.tokens.settled_times(end)),
                Ends::Absorbed(until) => absorb_times(graph, config, &mut self.times, *until),
            }
            group.ends = Some(ends);
        }
        Some(group)
    }

    /// Asks about as many links as share embeddings.
    fn ask(&self, open: &mut Open) -> Option<Asked> {
        let LinksToRank { graph, task, .. } = *self.links;
        let (mut queries, mut sizes) = (Vec::new(), Vec::new());
        while queries.len() < SHARED
            && let Some(number) = open.links.next()
        {
            let before = queries.len();
            let (link, as_of) = (task.links[number], self.links.as_of(number));
            let asked = std::iter::once(link).chain((self.candidates)(number));
            queries.extend(asked.map(|link| link.question(link.destination, as_of)));
            sizes.push(queries.len() - before);
        }
        if queries.is_empty() {
            return None;
        }
        let (roots, pairs) = ask(graph, &queries);
        let neighborhood = read(graph, &roots, &open.tokens, &self.times);
        let pairs = pairs.measure(&queries, &neighborhood.root_read);
        Some(Asked { queries, sizes, neighborhood, pairs })
    }
}

/// Every answer knows everything strictly before its own time: versions of memory inside a batch.
fn by_event(links: &LinksToRank<'_>, absorbed: usize) -> VecDeque<Batch> {
    let LinksToRank { graph, task, config, ref part, .. } = *links;
    let end = part.clone().next_back().map_or(0, |last| task.links[last].fact + 1);
    let mut next = part.start;
    let batches = batches(graph.facts(), absorbed..end, config.train.batch, 0).into_iter().map(|facts| {
        let inside = |number: &usize| *number < part.end && task.links[*number].fact < facts.end;
        let until = (next..part.end).take_while(inside).last().map_or(next, |last| last + 1);
        let links = std::mem::replace(&mut next, until)..until;
        Batch { absorbs: None, facts: Some(facts), links }
    });
    batches.collect()
}

/// Every answer knows what was before its batch.
fn by_batch(links: &LinksToRank<'_>, absorbed: usize) -> VecDeque<Batch> {
    let LinksToRank { graph, task, ref part, freshness, .. } = *links;
    let batch = |event| task.batch_start(event, part.start, freshness);
    let numbers: Vec<usize> = part.clone().collect();
    let cuts = numbers.chunk_by(|&a, &b| batch(a) == batch(b)).map(|numbers| {
        let until = graph.n_facts_before(links.as_of(numbers[0])).max(absorbed);
        Batch { absorbs: Some(until), facts: None, links: numbers[0]..numbers[numbers.len() - 1] + 1 }
    });
    cuts.collect()
}
