//! Batches: facts in time order, cut only between timestamps, expanded into messages and tokens.

use std::cmp::Ordering;
use std::ops::Range;

use timeweft_graph::{Action, EdgeIndex, EdgeTypeId, NodeIndex, NodeTypeId, Owner, Schema, Time};
use timeweft_index::{Fact, Index};

use crate::{Aggregation, Bucket, Clock, DeleteRule, Featurizer, ModelConfig, Subgraph, VectorStore, splitmix64};

/// Cuts `range` of the facts into batches of at least `size` facts that never end inside a timestamp
/// (the fence of specification 2.4); one with as many facts stands alone. `offset` shortens the first batch: borders move
/// between epochs.
pub fn batches(facts: &[Fact], range: Range<usize>, size: usize, offset: usize) -> Vec<Range<usize>> {
    let (mut cuts, size) = (Vec::new(), size.max(1));
    let (mut start, mut goal) = (range.start, range.start.saturating_add(size - offset % size));
    while start < range.end {
        let cut = goal.min(range.end);
        // The facts of the time at which the batch is full.
        let time = facts[cut - 1].time;
        let end = cut + facts[cut..range.end].partition_point(|fact| fact.time == time);
        let first = start + facts[start..cut].partition_point(|fact| fact.time < time);
        if first > start && end - first >= size {
            cuts.push(start..first);
            start = first;
        }
        cuts.push(start..end);
        (start, goal) = (end, end.saturating_add(size));
    }
    cuts
}

/// Numbers relations as a model sees them: each edge type outwards and inwards, then each node type's facts about itself.
/// An untyped model sees one edge type and one kind of fact. Types are numbered as in the model's schema.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Relations {
    n_edge_types: usize,
    n_node_types: usize,
    typed: bool,
}

impl Relations {
    /// The relations of a schema, told apart or not.
    pub fn of(schema: &Schema, typed: bool) -> Relations {
        Relations { n_edge_types: schema.edge_types().len(), n_node_types: schema.node_types().len(), typed }
    }

    /// Number of relations.
    pub fn len(self) -> usize {
        if self.typed { 2 * self.n_edge_types + self.n_node_types } else { 3 }
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Number of node types.
    pub fn n_node_types(self) -> usize {
        self.n_node_types
    }

    /// Number of edge types.
    pub fn n_edge_types(self) -> usize {
        self.n_edge_types
    }

    /// Number of relations that are edges: the first ones.
    pub fn n_edges(self) -> usize {
        2 * if self.typed { self.n_edge_types } else { 1 }
    }

    /// What a relation is to its root: 0 an edge outwards, 1 an edge inwards, 2 a fact about itself.
    pub fn role(self, relation: u32) -> u32 {
        if (relation as usize) < self.n_edges() { relation % 2 } else { 2 }
    }

    /// The kind of an edge.
    pub fn edge_kind(self, edge_type: EdgeTypeId) -> u32 {
        if self.typed { u32::from(edge_type.0) } else { 0 }
    }

    /// The relation of an edge seen from its source.
    pub fn outward(self, edge_type: EdgeTypeId) -> u32 {
        2 * self.edge_kind(edge_type)
    }

    /// The relation of an edge seen from its destination.
    pub fn inward(self, edge_type: EdgeTypeId) -> u32 {
        self.outward(edge_type) + 1
    }

    pub(crate) fn itself(self, node_type: NodeTypeId) -> u32 {
        if self.typed { 2 * self.n_edge_types as u32 + u32::from(node_type.0) } else { 2 }
    }
}

/// Rows of features grouped by type, and where each row belongs.
#[derive(Clone, Debug, Default)]
pub struct FeatureRows {
    /// For each type: its rows one after another, and the target row of each.
    pub by_type: Vec<(Vec<f32>, Vec<u32>)>,
}

impl FeatureRows {
    /// No rows for any of `n` types.
    pub fn new(n: usize) -> FeatureRows {
        FeatureRows { by_type: vec![Default::default(); n] }
    }
}

/// The messages of a batch (M of them), sorted by (receiver, time, relation): the tokens' sets are contiguous.
#[derive(Clone, Debug, Default)]
pub struct Messages {
    /// M: relation of each message, direction included.
    pub relation: Vec<u32>,
    /// M: who is told of.
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
    pub fn version(&self, node: NodeIndex, as_of: Time) -> Version {
        let first = self.receivers.partition_point(|&receiver| receiver < node);
        let own = self.receivers[first..].iter().take_while(|&&receiver| receiver == node).count();
        let (start, end) = (self.segments[first] as usize, self.segments[first + own] as usize);
        let n = self.time[start..end].partition_point(|&time| time < as_of);
        let Some(token) = (start + n).checked_sub(1).filter(|_| n > 0) else { return Version::Earlier };
        let is_last = |segment: &usize| self.segments[*segment + 1] as usize == token + 1;
        match (first..first + own).find(is_last) {
            Some(segment) if self.gone[segment] => Version::Gone,
            _ => Version::Token(token),
        }
    }

    /// S: the last token of each segment.
    pub fn last_tokens(&self) -> Vec<u32> {
        self.segments[1..].iter().map(|end| end - 1).collect()
    }
}

/// What a batch makes of a node as of a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Version {
    /// Nothing yet: what was before the batch holds.
    Earlier,
    /// Its last token before the time.
    Token(usize),
    /// It is gone.
    Gone,
}

/// What is the same for every batch of a graph.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The graph.
    pub index: &'a Index,
    /// The part of it that the model knows.
    pub graph: &'a Subgraph,
    /// Its relations.
    pub relations: Relations,
    /// Its features as rows.
    pub featurizer: &'a Featurizer,
    /// Its scale of time.
    pub clock: &'a Clock,
    /// Two slots of the identity table for each node.
    pub slots: &'a [[u32; 2]],
    /// How the model reads the graph.
    pub config: &'a ModelConfig,
}

impl Context<'_> {
    pub(crate) fn slots(&self, node: NodeIndex) -> [u32; 2] {
        self.slots.get(node.at()).copied().unwrap_or_default()
    }

    /// The type of a node, as the model numbers it.
    pub(crate) fn node_type(&self, node: NodeIndex) -> NodeTypeId {
        self.graph.types().node(self.index.node_type(node))
    }

    /// The relation of an edge seen from its source.
    pub(crate) fn outward(&self, edge_type: EdgeTypeId) -> u32 {
        self.relations.outward(self.graph.types().edge(edge_type))
    }

    /// The relation of an edge seen from its destination.
    pub(crate) fn inward(&self, edge_type: EdgeTypeId) -> u32 {
        self.relations.inward(self.graph.types().edge(edge_type))
    }
}

/// The two identity slots of every node, hashed from its external id: a renumbered graph gives the same.
pub(crate) fn identity_slots(index: &Index, n_slots: usize) -> Vec<[u32; 2]> {
    let n = n_slots.max(1) as u64;
    let slot = |key: u64| (splitmix64(key) % n) as u32;
    (0..index.n_nodes())
        .map(|node| {
            let name = index.node_key(NodeIndex(node as u32)).to_string();
            let key = name.bytes().fold(0, |hash, byte| splitmix64(hash ^ u64::from(byte)));
            [slot(key), slot(!key)]
        })
        .collect()
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
/// facts of their own (specification 2.1, 2.2).
pub fn expand(context: &Context<'_>, facts: &[Fact], range: Range<usize>, store: &VectorStore) -> (Messages, Tokens) {
    lay_out(context, facts, &drafts(context, facts, range), store)
}

/// The same in slices of at least `size` messages; a receiver is never in two of them.
pub(crate) fn expand_in_slices<'a>(
    context: Context<'a>,
    facts: &'a [Fact],
    range: Range<usize>,
    store: &'a VectorStore,
    size: usize,
) -> impl Iterator<Item = (Messages, Tokens)> + 'a {
    let drafts = drafts(&context, facts, range);
    let mut from = 0;
    std::iter::from_fn(move || {
        let last =
            drafts.get((from + size.max(1)).min(drafts.len()).checked_sub(1)?).filter(|_| from < drafts.len())?;
        let to = drafts.partition_point(|draft| draft.receiver <= last.receiver);
        let slice = &drafts[std::mem::replace(&mut from, to)..to];
        Some(lay_out(&context, facts, slice, store))
    })
}

/// The messages and tokens of one receiver from the facts at some positions, as if nothing had been before.
pub(crate) fn expand_for(
    context: &Context<'_>,
    facts: &[Fact],
    positions: &[usize],
    receiver: NodeIndex,
) -> (Messages, Tokens) {
    let mut drafts = drafts(context, facts, positions.iter().copied());
    drafts.retain(|draft| draft.receiver == receiver);
    lay_out(context, facts, &drafts, &VectorStore::default())
}

fn lay_out(context: &Context<'_>, facts: &[Fact], drafts: &[Draft], store: &VectorStore) -> (Messages, Tokens) {
    let (mut messages, mut tokens) = (Messages::default(), Tokens::default());
    messages.peer_features = FeatureRows::new(context.relations.n_node_types());
    messages.edge_features = FeatureRows::new(context.relations.n_edge_types());
    // A set of a whole batch stands at its end: nothing inside the batch may see it, nor learn from when it was last added to.
    let whole = context.config.bucket == Bucket::Batch;
    let end = drafts.iter().map(|draft| draft.time).max().filter(|_| whole);
    for set in drafts.chunk_by(|a, b| a.set(context) == b.set(context)) {
        open_token(context, &mut tokens, set, end, facts, store);
        let gap = tokens.gap.last().copied().unwrap_or_default();
        let last = set.iter().max_by(|a, b| in_order(context, a, b));
        let kept = match (context.config.aggregation, last) {
            (Aggregation::KeepLast, Some(last)) => std::slice::from_ref(last),
            _ => set,
        };
        for pair in kept.chunk_by(|a, b| a.relation == b.relation) {
            tokens.pair_relation.push(pair[0].relation);
            for draft in pair {
                push_message(context, &mut messages, draft, &facts[draft.fact], gap);
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
    fn set(&self, context: &Context<'_>) -> (NodeIndex, Option<Time>) {
        (self.receiver, (context.config.bucket == Bucket::Exact).then_some(self.time))
    }
}

/// The order in which the last message of a set is the last, whatever the order of arrival.
fn in_order(context: &Context<'_>, a: &Draft, b: &Draft) -> Ordering {
    let by_time = (a.time, a.relation).cmp(&(b.time, b.relation));
    by_time.then_with(|| context.index.compare_nodes(a.peer, b.peer)).then(a.fact.cmp(&b.fact))
}

fn drafts(context: &Context<'_>, facts: &[Fact], positions: impl Iterator<Item = usize>) -> Vec<Draft> {
    let mut drafts = Vec::with_capacity(2 * positions.size_hint().0);
    for fact in positions {
        let Fact { time, source, destination, edge, .. } = facts[fact];
        match edge {
            None => {
                let relation = context.relations.itself(context.node_type(source));
                drafts.push(Draft { receiver: source, time, relation, peer: source, fact });
            }
            Some((edge_type, _)) => {
                let (inward, outward) = (context.inward(edge_type), context.outward(edge_type));
                drafts.push(Draft { receiver: destination, time, relation: inward, peer: source, fact });
                if !context.config.directed {
                    drafts.push(Draft { receiver: source, time, relation: outward, peer: destination, fact });
                }
            }
        }
    }
    // A set has no order: any order that does not depend on arrival will do.
    drafts.sort_by_key(|draft| (draft.set(context), draft.relation, draft.peer, draft.fact));
    drafts
}

fn open_token(
    context: &Context<'_>,
    tokens: &mut Tokens,
    set: &[Draft],
    seen_from: Option<Time>,
    facts: &[Fact],
    store: &VectorStore,
) {
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
        *gone = context.config.deletes == DeleteRule::Hard && is_gone(set, facts);
    }
    tokens.node.push(node);
    tokens.time.push(time);
    tokens.gap.push(gap(previous, time));
    tokens.node_type.push(u32::from(context.node_type(node).0));
    tokens.slots.extend(context.slots(node));
}

/// Whether the last that a set says of the receiver itself is its delete.
fn is_gone(set: &[Draft], facts: &[Fact]) -> bool {
    let own = set.iter().map(|draft| draft.fact).filter(|&fact| facts[fact].edge.is_none());
    own.max().is_some_and(|last| facts[last].action == Action::Delete)
}

/// Ticks between two times, in 64 bits until they are known to be small; 0 without a first.
pub(crate) fn gap(from: Option<Time>, to: Time) -> f64 {
    from.map_or(0.0, |from| to.0.saturating_sub(from.0) as f64)
}

fn push_message(context: &Context<'_>, messages: &mut Messages, draft: &Draft, fact: &Fact, gap: f64) {
    let row = messages.relation.len() as u32;
    let entity = u32::from(fact.edge.is_some());
    let action = match fact.action {
        Action::Create => 0,
        Action::Update => 1,
        Action::Delete => 2,
    };
    messages.relation.push(draft.relation);
    messages.peer.push(draft.peer);
    messages.peer_type.push(u32::from(context.node_type(draft.peer).0));
    messages.kind.push(3 * entity + action);
    messages.peer_slots.extend(context.slots(draft.peer));
    messages.gap.push(gap);
    // New features ride in the message; a delete carries the old ones.
    let read_at = if fact.action == Action::Delete { fact.time.before() } else { fact.time };
    // A peer's own features are those before the fact: others may change at the same time, in no order.
    let peer_at = if fact.edge.is_some() { fact.time.before() } else { read_at };
    push_node_features(context, &mut messages.peer_features, draft.peer, peer_at, row);
    if let Some((edge_type, edge)) = fact.edge {
        push_edge_features(context, &mut messages.edge_features, (edge_type, edge), read_at, row);
    }
}

/// Appends an edge's features at a time as the addition to row `row`.
pub(crate) fn push_edge_features(
    context: &Context<'_>,
    rows: &mut FeatureRows,
    (edge_type, edge): (EdgeTypeId, EdgeIndex),
    at: Time,
    row: u32,
) {
    let known = context.graph.types().edge(edge_type);
    if context.featurizer.width(Owner::Edge(known)) > 0 {
        let (values, targets) = &mut rows.by_type[known.at()];
        let read = context.graph.types().read(Owner::Edge(edge_type), context.index.edge_features(edge, at));
        context.featurizer.append(Owner::Edge(known), read, values);
        targets.push(row);
    }
}

/// Appends a node's features at a time as the addition to row `row`.
pub(crate) fn push_node_features(context: &Context<'_>, rows: &mut FeatureRows, node: NodeIndex, at: Time, row: u32) {
    let node_type = context.index.node_type(node);
    let known = context.graph.types().node(node_type);
    if context.featurizer.width(Owner::Node(known)) > 0 {
        let (values, targets) = &mut rows.by_type[known.at()];
        let read = context.graph.types().read(Owner::Node(node_type), context.index.node_features(node, at));
        context.featurizer.append(Owner::Node(known), read, values);
        targets.push(row);
    }
}
