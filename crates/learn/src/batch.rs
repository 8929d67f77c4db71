//! Batches: facts in time order, cut only between timestamps, expanded into messages and tokens.

use std::ops::Range;

use timeweft_graph::{Action, EdgeTypeId, NodeIndex, NodeTypeId, Owner, Schema, Time};
use timeweft_index::{Fact, Index};

use crate::{Clock, Featurizer, VectorStore, splitmix64};

/// Cuts `range` of the facts into batches of at least `size` facts that never end inside a timestamp
/// (the fence of specification 2.4). `offset` shortens the first batch: borders move between epochs.
pub fn batches(facts: &[Fact], range: Range<usize>, size: usize, offset: usize) -> Vec<Range<usize>> {
    let mut cuts = Vec::new();
    let (mut start, mut goal) = (range.start, range.start + size - offset % size);
    while start < range.end {
        let mut end = goal.min(range.end);
        while end < range.end && facts[end].time == facts[end - 1].time {
            end += 1;
        }
        cuts.push(start..end);
        (start, goal) = (end, end + size);
    }
    cuts
}

/// Numbers relations as a model sees them: each edge type outwards and inwards, then each node type's facts about itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Relations {
    n_edge_types: usize,
    n_node_types: usize,
}

impl Relations {
    /// The relations of a schema.
    pub fn of(schema: &Schema) -> Relations {
        Relations { n_edge_types: schema.edge_types().len(), n_node_types: schema.node_types().len() }
    }

    /// Number of relations.
    pub fn len(self) -> usize {
        2 * self.n_edge_types + self.n_node_types
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

    /// The relation of an edge seen from its source.
    pub fn outward(self, edge_type: EdgeTypeId) -> u32 {
        2 * u32::from(edge_type.0)
    }

    /// The relation of an edge seen from its destination.
    pub fn inward(self, edge_type: EdgeTypeId) -> u32 {
        self.outward(edge_type) + 1
    }

    fn itself(self, node_type: NodeTypeId) -> u32 {
        2 * self.n_edge_types as u32 + u32::from(node_type.0)
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

/// The tokens of a batch (G of them): one for each (receiver, exact time), sorted so; a receiver's tokens are one segment.
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
    /// S + 1: tokens of each segment, one segment a receiver.
    pub segments: Vec<u32>,
    /// S: the receivers.
    pub receivers: Vec<NodeIndex>,
}

impl Tokens {
    /// The receiver's last token before `as_of`, if this batch has one.
    pub fn version(&self, node: NodeIndex, as_of: Time) -> Option<usize> {
        let segment = self.receivers.binary_search(&node).ok()?;
        let (start, end) = (self.segments[segment] as usize, self.segments[segment + 1] as usize);
        let n = self.time[start..end].partition_point(|&time| time < as_of);
        (n > 0).then(|| start + n - 1)
    }
}

/// What is the same for every batch of a graph.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The graph.
    pub index: &'a Index,
    /// Its relations.
    pub relations: Relations,
    /// Its features as rows.
    pub featurizer: &'a Featurizer,
    /// Its scale of time.
    pub clock: &'a Clock,
    /// Two slots of the identity table for each node.
    pub slots: &'a [[u32; 2]],
}

impl Context<'_> {
    pub(crate) fn slots(&self, node: NodeIndex) -> [u32; 2] {
        self.slots.get(node.at()).copied().unwrap_or_default()
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

/// Expands facts into messages and tokens: an edge fact gives one message to each end, a node fact one to itself
/// (specification 2.1, 2.2).
pub fn expand(context: &Context<'_>, facts: &[Fact], range: Range<usize>, store: &VectorStore) -> (Messages, Tokens) {
    let drafts = drafts(context, facts, range);
    let (mut messages, mut tokens) = (Messages::default(), Tokens::default());
    messages.peer_features = FeatureRows::new(context.relations.n_node_types());
    messages.edge_features = FeatureRows::new(context.relations.n_edge_types());
    for set in drafts.chunk_by(|a, b| (a.receiver, a.time) == (b.receiver, b.time)) {
        open_token(context, &mut tokens, set, store);
        for pair in set.chunk_by(|a, b| a.relation == b.relation) {
            tokens.pair_relation.push(pair[0].relation);
            for draft in pair {
                push_message(context, &mut messages, draft, &facts[draft.fact], tokens.gap[tokens.gap.len() - 1]);
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

fn drafts(context: &Context<'_>, facts: &[Fact], range: Range<usize>) -> Vec<Draft> {
    let mut drafts = Vec::with_capacity(2 * range.len());
    for fact in range {
        let Fact { time, source, destination, edge, .. } = facts[fact];
        match edge {
            None => {
                let relation = context.relations.itself(context.index.node_type(source));
                drafts.push(Draft { receiver: source, time, relation, peer: source, fact });
            }
            Some((edge_type, _)) => {
                let (inward, outward) = (context.relations.inward(edge_type), context.relations.outward(edge_type));
                drafts.push(Draft { receiver: destination, time, relation: inward, peer: source, fact });
                drafts.push(Draft { receiver: source, time, relation: outward, peer: destination, fact });
            }
        }
    }
    // A set has no order: any order that does not depend on arrival will do.
    drafts.sort_by_key(|draft| (draft.receiver, draft.time, draft.relation, draft.peer, draft.fact));
    drafts
}

fn open_token(context: &Context<'_>, tokens: &mut Tokens, set: &[Draft], store: &VectorStore) {
    let (node, time) = (set[0].receiver, set[0].time);
    let previous = if tokens.node.last() == Some(&node) {
        tokens.time.last().copied()
    } else {
        tokens.segments.push(tokens.node.len() as u32);
        tokens.receivers.push(node);
        store.last(node)
    };
    tokens.node.push(node);
    tokens.time.push(time);
    tokens.gap.push(gap(previous, time));
    tokens.node_type.push(u32::from(context.index.node_type(node).0));
    tokens.slots.extend(context.slots(node));
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
    messages.peer_type.push(u32::from(context.index.node_type(draft.peer).0));
    messages.kind.push(3 * entity + action);
    messages.peer_slots.extend(context.slots(draft.peer));
    messages.gap.push(gap);
    // New features ride in the message; a delete carries the old ones.
    let read_at = if fact.action == Action::Delete { fact.time.before() } else { fact.time };
    // A peer's own features are those before the fact: others may change at the same time, in no order.
    let peer_at = if fact.edge.is_some() { fact.time.before() } else { read_at };
    push_node_features(context, &mut messages.peer_features, draft.peer, peer_at, row);
    if let Some((edge_type, edge)) = fact.edge {
        let owner = Owner::Edge(edge_type);
        if context.featurizer.width(owner) > 0 {
            let (rows, targets) = &mut messages.edge_features.by_type[edge_type.at()];
            context.featurizer.append(owner, context.index.edge_features(edge, read_at), rows);
            targets.push(row);
        }
    }
}

/// Appends a node's features at a time as the addition to row `row`.
pub(crate) fn push_node_features(context: &Context<'_>, rows: &mut FeatureRows, node: NodeIndex, at: Time, row: u32) {
    let node_type = context.index.node_type(node);
    let owner = Owner::Node(node_type);
    if context.featurizer.width(owner) > 0 {
        let (values, targets) = &mut rows.by_type[node_type.at()];
        context.featurizer.append(owner, context.index.node_features(node, at), values);
        targets.push(row);
    }
}
