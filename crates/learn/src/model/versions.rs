//! Versions of memory: what a reader of a node reads as of a time.
//!
//! Equations: `docs/model.md#versions-of-memory`.

use rustc_hash::FxHashMap;
use timeweft_graph::{NodeIndex, Time};

use crate::{GraphContext, MemoryVersion, Messages, Tokens, VectorStore};

/// Where a row of the memory table comes from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum MemoryRow {
    /// The node has never received a message, or is gone: the learned start of its type.
    Start(NodeIndex),
    /// The vector store's row of the node.
    Stored(NodeIndex),
    /// A token of the batch at hand, and its receiver.
    Token(NodeIndex, usize),
}

impl MemoryRow {
    /// What is read of a node as of a time: its last token before, else its stored row, else the start of its type.
    pub(crate) fn of(node: NodeIndex, as_of: Time, tokens: &Tokens, store: &VectorStore) -> MemoryRow {
        match tokens.version(node, as_of) {
            MemoryVersion::Token(token) => MemoryRow::Token(node, token),
            MemoryVersion::Earlier if store.last(node).is_some() => MemoryRow::Stored(node),
            MemoryVersion::Earlier | MemoryVersion::Gone => MemoryRow::Start(node),
        }
    }

    /// Whose it is.
    pub(crate) fn node(self) -> NodeIndex {
        match self {
            MemoryRow::Start(node) | MemoryRow::Stored(node) | MemoryRow::Token(node, _) => node,
        }
    }

    /// Time of the last message that it has seen.
    pub(crate) fn time(self, tokens: &Tokens, store: &VectorStore) -> Option<Time> {
        match self {
            MemoryRow::Start(_) => None,
            MemoryRow::Stored(node) => store.last(node),
            MemoryRow::Token(_, token) => tokens.time.get(token).copied(),
        }
    }
}

/// Lays the memory table out: the stored vectors that are read, then the starts of the node types, then the tokens. Gives whose
/// the first are, and the row of the table that each of `rows` is.
pub(crate) fn lay_out(graph: &GraphContext, rows: &[MemoryRow]) -> (Vec<NodeIndex>, Vec<u32>) {
    let (mut stored, mut at_stored) = (Vec::new(), FxHashMap::default());
    for row in rows {
        if let MemoryRow::Stored(node) = *row {
            at_stored.entry(node).or_insert_with(|| {
                stored.push(node);
                stored.len() as u32 - 1
            });
        }
    }
    let starts = at_stored.len() as u32;
    let tokens = starts + graph.relations.n_node_types() as u32;
    let start_of = |node: NodeIndex| starts + graph.node_type(node).at() as u32;
    let at = |row: &MemoryRow| match *row {
        MemoryRow::Stored(node) => at_stored.get(&node).copied().unwrap_or_else(|| start_of(node)),
        MemoryRow::Start(node) => start_of(node),
        MemoryRow::Token(_, token) => tokens + token as u32,
    };
    (stored, rows.iter().map(at).collect())
}

/// The stored vectors of nodes, one after another.
pub(crate) fn recall(nodes: &[NodeIndex], store: &VectorStore) -> Vec<f32> {
    let mut stored = Vec::new();
    nodes.iter().for_each(|&node| stored.extend_from_slice(store.memory(node).unwrap_or_default()));
    stored
}

/// The memory of the peers of messages, except messages about the receiver itself: its own memory stays out, so that
/// the scan over its tokens has inputs that do not depend on it.
#[derive(Clone, Debug)]
pub struct Peers {
    /// Stored memory vectors that are read, d floats each.
    pub stored: Vec<f32>,
    /// MemoryRow of the memory table of each peer.
    pub row: Vec<u32>,
    /// The message that is about each peer.
    pub message: Vec<u32>,
    /// Whether any is a token of the batch.
    pub within: bool,
}

impl Peers {
    /// Peers as of their messages, out of `tokens` and what was before these.
    pub fn read(
        graph: &GraphContext,
        (messages, receivers): (&Messages, &Tokens),
        tokens: &Tokens,
        store: &VectorStore,
    ) -> Peers {
        let (mut rows, mut readers) = (Vec::new(), Vec::new());
        for (token, ends) in receivers.messages.windows(2).enumerate() {
            let (receiver, time) = (receivers.node[token], receivers.time[token]);
            for message in ends[0]..ends[1] {
                let peer = messages.peer[message as usize];
                if peer != receiver {
                    rows.push(MemoryRow::of(peer, time, tokens, store));
                    readers.push(message);
                }
            }
        }
        let within = rows.iter().any(|row| matches!(row, MemoryRow::Token(..)));
        let (stored, row) = lay_out(graph, &rows);
        Peers { stored: recall(&stored, store), row, message: readers, within }
    }
}
