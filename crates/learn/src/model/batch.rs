//! Batches: facts in time order, cut only between timestamps, expanded into messages and tokens.
//!
//! Equations: `docs/model.md#messages`.

use std::cmp::Ordering;
use std::ops::Range;

use timeweft_graph::{Action, Deletes, Direction, EdgeIndex, EdgeTypeId, NodeIndex, Owner, Time};
use timeweft_index::Fact;

use crate::data::time_encoder::gap;
use crate::nn::Buffer;
use crate::{Aggregation, Bucket, FeatureRows, GraphContext, Settled, VectorStore};

/// The messages of a batch (M of them), sorted by (receiver, time, relation): the tokens' sets are contiguous.
#[derive(Clone, Debug, Default)]
pub struct Messages {
    /// M: relation of each message, direction included.
    pub relation: Vec<u32>,
    /// M: the node at the other end, or the node itself.
    pub peer: Vec<NodeIndex>,
    /// M: type of the peer.
    pub peer_type: Vec<u32>,
    /// M: action and entity, 0..6.
    pub kind: Vec<u32>,
    /// 2 M: two slots of the identity table for the peer.
    pub peer_slots: Vec<u32>,
    /// M: ticks since the receiver's previous token.
    pub gap: Vec<f64>,
    /// Features of peers, by node type.
    pub peer_features: FeatureRows,
    /// Features of edges, by edge type.
    pub edge_features: FeatureRows,
}

/// The tokens of a batch (G of them): one for each set of messages, sorted by (receiver, time). The tokens of one life of
/// a receiver are one segment.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    /// G: who receives.
    pub node: Vec<NodeIndex>,
    /// G: when.
    pub time: Vec<Time>,
    /// G: ticks since the receiver's previous token, 0 for its first ever.
    pub gap: Vec<f64>,
    /// G + 1: messages of each token.
    pub messages: Vec<u32>,
    /// G: type of the receiver.
    pub node_type: Vec<u32>,
    /// 2 G: two slots of the identity table for the receiver.
    pub slots: Vec<u32>,
    /// P + 1: messages of each (token, relation) pair.
    pub pair_messages: Vec<u32>,
    /// P: relation of each pair.
    pub pair_relation: Vec<u32>,
    /// G + 1: pairs of each token.
    pub token_pairs: Vec<u32>,
    /// S + 1: tokens of each segment.
    pub segments: Vec<u32>,
    /// S: the receivers; one that ends and begins again inside the batch is there twice.
    pub receivers: Vec<NodeIndex>,
    /// S: the segment begins a life inside the batch, after the end of another: it starts from nothing.
    pub born: Vec<bool>,
    /// S: the receiver is gone with its last token, by a hard delete.
    pub gone: Vec<bool>,
}

impl Tokens {
    /// No tokens.
    pub(crate) fn none() -> Tokens {
        Tokens { segments: vec![0], ..Tokens::default() }
    }

    /// What this batch makes of a node as of a time.
    pub fn version(&self, node: NodeIndex, as_of: Time) -> MemoryVersion {
        let first = self.receivers.partition_point(|&receiver| receiver < node);
        let own = self.receivers[first..].iter().take_while(|&&receiver| receiver == node).count();
        let (start, end) = (self.segments[first] as usize, self.segments[first + own] as usize);
        let n = self.time[start..end].partition_point(|&time| time < as_of);
        let Some(token) = (start + n).checked_sub(1).filter(|_| n > 0) else { return MemoryVersion::Earlier };
        let is_last = |segment: &usize| self.segments[*segment + 1] as usize == token + 1;
        match (first..first + own).find(is_last) {
            Some(segment) if self.gone[segment] => MemoryVersion::Gone,
            _ => MemoryVersion::Token(token),
        }
    }

    /// What it leaves in a store whose rows have no width: times alone.
    pub(crate) fn settled_times(&self, absorbed: usize) -> Settled {
        let (state, memory) = (Buffer::zeros(0), Buffer::zeros(0));
        Settled { receivers: self.receivers.clone(), state, memory, last: self.last_times(), absorbed }
    }

    /// S: the time of each receiver's last token; `None` for one that is gone.
    pub(crate) fn last_times(&self) -> Vec<Option<Time>> {
        let ends = self.last_tokens().into_iter().zip(&self.gone);
        ends.map(|(end, gone)| (!gone).then(|| self.time[end as usize])).collect()
    }

    /// S: the last token of each segment.
    pub fn last_tokens(&self) -> Vec<u32> {
        self.segments[1..].iter().map(|end| end - 1).collect()
    }
}

/// What a batch makes of a node as of a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MemoryVersion {
    /// Nothing yet: what was before the batch holds.
    Earlier,
    /// Its last token before the time.
    Token(usize),
    /// It is gone.
    Gone,
}

/// One message before it is laid out.
struct Draft {
    receiver: NodeIndex,
    time: Time,
    relation: u32,
    peer: NodeIndex,
    fact: usize,
}

/// Expands facts into messages and tokens: an edge fact gives one message to each end (only to its destination if the
/// model is directed), a node fact one to itself. The delete of a node comes after the deletes of its edges, which are
/// facts of their own.
pub fn expand(graph: &GraphContext, range: Range<usize>, store: &VectorStore) -> (Messages, Tokens) {
    lay_out(graph, &drafts(graph, range), store)
}

/// The same in slices of at least `size` messages; a receiver is never in two of them.
pub(crate) fn expand_in_slices<'a>(
    graph: &'a GraphContext,
    range: Range<usize>,
    store: &'a VectorStore,
    size: usize,
) -> impl Iterator<Item = (Messages, Tokens)> + 'a {
    let drafts = drafts(graph, range);
    let mut from = 0;
    std::iter::from_fn(move || {
        let last =
            drafts.get((from + size.max(1)).min(drafts.len()).checked_sub(1)?).filter(|_| from < drafts.len())?;
        let to = drafts.partition_point(|draft| draft.receiver <= last.receiver);
        let slice = &drafts[std::mem::replace(&mut from, to)..to];
        Some(lay_out(graph, slice, store))
    })
}

/// The messages and tokens of one receiver from the facts at some positions, as if nothing had been before.
pub(crate) fn expand_for(graph: &GraphContext, positions: &[usize], receiver: NodeIndex) -> (Messages, Tokens) {
    let mut drafts = drafts(graph, positions.iter().copied());
    drafts.retain(|draft| draft.receiver == receiver);
    lay_out(graph, &drafts, &VectorStore::default())
}

fn lay_out(graph: &GraphContext, drafts: &[Draft], store: &VectorStore) -> (Messages, Tokens) {
    let (mut messages, mut tokens) = (Messages::default(), Tokens::default());
    messages.peer_features = FeatureRows::new(graph.relations.n_node_types());
    messages.edge_features = FeatureRows::new(graph.relations.n_edge_types());
    // A set of a whole batch stands at its end: nothing inside the batch may see it, nor learn from when it was last added to.
    let whole = graph.config().bucket == Bucket::Batch;
    let end = drafts.iter().map(|draft| draft.time).max().filter(|_| whole);
    for set in drafts.chunk_by(|a, b| a.set(graph) == b.set(graph)) {
        open_token(graph, &mut tokens, set, end, store);
        let gap = tokens.gap.last().copied().unwrap_or_default();
        let last = set.iter().max_by(|a, b| in_order(graph, a, b));
        let kept = match (graph.config().aggregation, last) {
            (Aggregation::KeepLast, Some(last)) => std::slice::from_ref(last),
            _ => set,
        };
        for pair in kept.chunk_by(|a, b| a.relation == b.relation) {
            tokens.pair_relation.push(pair[0].relation);
            for draft in pair {
                push_message(graph, &mut messages, draft, gap);
            }
            tokens.pair_messages.push(messages.relation.len() as u32);
        }
        tokens.token_pairs.push(tokens.pair_relation.len() as u32);
        tokens.messages.push(messages.relation.len() as u32);
    }
    tokens.segments.push(tokens.node.len() as u32);
    for offsets in [&mut tokens.pair_messages, &mut tokens.token_pairs, &mut tokens.messages] {
        offsets.insert(0, 0);
    }
    (messages, tokens)
}

impl Draft {
    /// Messages of one set are equal here.
    fn set(&self, graph: &GraphContext) -> (NodeIndex, Option<Time>) {
        (self.receiver, (graph.config().bucket == Bucket::Exact).then_some(self.time))
    }
}

/// The order in which the last message of a set is the last, whatever the order of arrival.
fn in_order(graph: &GraphContext, a: &Draft, b: &Draft) -> Ordering {
    let by_time = (a.time, a.relation).cmp(&(b.time, b.relation));
    by_time.then_with(|| graph.index.compare_nodes(a.peer, b.peer)).then(a.fact.cmp(&b.fact))
}

fn drafts(graph: &GraphContext, positions: impl Iterator<Item = usize>) -> Vec<Draft> {
    let mut drafts = Vec::with_capacity(2 * positions.size_hint().0);
    for fact in positions {
        let Fact { time, source, destination, edge, .. } = graph.facts()[fact];
        match edge {
            None => {
                let relation = graph.relations.itself(graph.node_type(source));
                drafts.push(Draft { receiver: source, time, relation, peer: source, fact });
            }
            Some((edge_type, _)) => {
                let [inward, outward] = [Direction::In, Direction::Out].map(|side| graph.relation(edge_type, side));
                drafts.push(Draft { receiver: destination, time, relation: inward, peer: source, fact });
                if !graph.config().directed {
                    drafts.push(Draft { receiver: source, time, relation: outward, peer: destination, fact });
                }
            }
        }
    }
    // A set has no order: any order that does not depend on arrival will do.
    drafts.sort_by_key(|draft| (draft.set(graph), draft.relation, draft.peer, draft.fact));
    drafts
}

fn open_token(graph: &GraphContext, tokens: &mut Tokens, set: &[Draft], seen_from: Option<Time>, store: &VectorStore) {
    let node = set[0].receiver;
    let time = seen_from.unwrap_or(set[0].time);
    let (again, was_gone) = (tokens.node.last() == Some(&node), tokens.gone.last() == Some(&true));
    let previous = match again {
        true if was_gone => None,
        true => tokens.time.last().copied(),
        false => store.last(node),
    };
    if !again || was_gone {
        tokens.segments.push(tokens.node.len() as u32);
        tokens.receivers.push(node);
        tokens.born.push(again);
        tokens.gone.push(false);
    }
    if let Some(gone) = tokens.gone.last_mut() {
        *gone = graph.config().deletes == Deletes::Hard && is_gone(set, graph.facts());
    }
    tokens.node.push(node);
    tokens.time.push(time);
    tokens.gap.push(gap(previous, time));
    tokens.node_type.push(u32::from(graph.node_type(node).0));
    tokens.slots.extend(graph.slots(node));
}

/// Whether the last that a set says of the receiver itself is its delete.
fn is_gone(set: &[Draft], facts: &[Fact]) -> bool {
    let own = set.iter().map(|draft| draft.fact).filter(|&fact| facts[fact].edge.is_none());
    own.max().is_some_and(|last| facts[last].action == Action::Delete)
}

fn push_message(graph: &GraphContext, messages: &mut Messages, draft: &Draft, gap: f64) {
    let fact = &graph.facts()[draft.fact];
    let row = messages.relation.len() as u32;
    let entity = u32::from(fact.edge.is_some());
    let action = match fact.action {
        Action::Create => 0,
        Action::Update => 1,
        Action::Delete => 2,
    };
    messages.relation.push(draft.relation);
    messages.peer.push(draft.peer);
    messages.peer_type.push(u32::from(graph.node_type(draft.peer).0));
    messages.kind.push(3 * entity + action);
    messages.peer_slots.extend(graph.slots(draft.peer));
    messages.gap.push(gap);
    // New features ride in the message; a delete carries the old ones.
    let read_at = if fact.action == Action::Delete { fact.time.before() } else { fact.time };
    // A peer's own features are those before the fact: others may change at the same time, in no order.
    let peer_at = if fact.edge.is_some() { fact.time.before() } else { read_at };
    push_node_features(graph, &mut messages.peer_features, draft.peer, peer_at, row);
    if let Some((edge_type, edge)) = fact.edge {
        push_edge_features(graph, &mut messages.edge_features, (edge_type, edge), read_at, row);
    }
}

/// Appends an edge's features at a time as the addition to row `row`.
pub(crate) fn push_edge_features(
    graph: &GraphContext,
    rows: &mut FeatureRows,
    (edge_type, edge): (EdgeTypeId, EdgeIndex),
    at: Time,
    row: u32,
) {
    let known = graph.known.types().edge(edge_type);
    if graph.statistics.featurizer.width(Owner::Edge(known)) > 0 {
        let (values, targets) = &mut rows.by_type[known.at()];
        let read = graph.known.types().read(Owner::Edge(edge_type), graph.index.edge_features(edge, at));
        graph.statistics.featurizer.append(Owner::Edge(known), read, values);
        targets.push(row);
    }
}

/// Appends a node's features at a time as the addition to row `row`.
pub(crate) fn push_node_features(graph: &GraphContext, rows: &mut FeatureRows, node: NodeIndex, at: Time, row: u32) {
    let node_type = graph.index.node_type(node);
    let known = graph.known.types().node(node_type);
    if graph.statistics.featurizer.width(Owner::Node(known)) > 0 {
        let (values, targets) = &mut rows.by_type[known.at()];
        let read = graph.known.types().read(Owner::Node(node_type), graph.index.node_features(node, at));
        graph.statistics.featurizer.append(Owner::Node(known), read, values);
        targets.push(row);
    }
}
