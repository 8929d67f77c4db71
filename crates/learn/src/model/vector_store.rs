//! The vector store: the learned state of every node that has ever received a message.

use std::collections::BTreeSet;

use timeweft_graph::{NodeIndex, Time};

use crate::Tokens;
use crate::nn::Buffer;

/// A node without a row.
const NONE: u32 = u32::MAX;

/// Cell state H, output m and last time of each node. Rows exist only for nodes with messages.
///
/// State is stored as of a node's last message and never touched by idle time: the time part of the cell is an exact
/// semigroup.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct VectorStore {
    /// Floats of H a node: D * N.
    state_width: usize,
    /// Floats of m a node: d.
    memory_width: usize,
    row_of: Vec<u32>,
    state: Vec<f32>,
    memory: Vec<f32>,
    last: Vec<Time>,
    /// Rows of nodes that are gone, to be used again.
    free: BTreeSet<u32>,
    /// Facts taken in: the position in the log of facts up to which the store is true.
    absorbed: usize,
}

/// What a batch leaves of its receivers (S of them).
pub struct Settled {
    /// S: who received.
    pub receivers: Vec<NodeIndex>,
    /// S D N: the final H of each.
    pub state: Buffer,
    /// S d: the final m of each.
    pub memory: Buffer,
    /// S: last times; `None` for a node that is gone.
    pub last: Vec<Option<Time>>,
    /// Facts up to here are in.
    pub absorbed: usize,
}

impl Settled {
    /// The times alone, for a store whose rows have no width.
    pub(crate) fn times(tokens: &Tokens, absorbed: usize) -> Settled {
        let (state, memory) = (Buffer::zeros(0), Buffer::zeros(0));
        Settled { receivers: tokens.receivers.clone(), state, memory, last: tokens.last_times(), absorbed }
    }
}

impl VectorStore {
    /// An empty store for a graph of `n_nodes`.
    pub fn new(n_nodes: usize, state_width: usize, memory_width: usize) -> VectorStore {
        VectorStore { state_width, memory_width, row_of: vec![NONE; n_nodes], ..VectorStore::default() }
    }

    /// Position in the log of facts up to which the store is true.
    pub fn absorbed(&self) -> usize {
        self.absorbed
    }

    /// Number of nodes with a row.
    pub fn len(&self) -> usize {
        self.last.len() - self.free.len()
    }

    /// Whether no node has a row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Time of the node's last message.
    pub fn last(&self, node: NodeIndex) -> Option<Time> {
        self.last.get(self.row(node)?).copied()
    }

    /// The node's memory vector m (d).
    pub fn memory(&self, node: NodeIndex) -> Option<&[f32]> {
        let row = self.row(node)?;
        self.memory.get(row * self.memory_width..(row + 1) * self.memory_width)
    }

    /// The node's state H (D * N).
    pub fn state(&self, node: NodeIndex) -> Option<&[f32]> {
        let row = self.row(node)?;
        self.state.get(row * self.state_width..(row + 1) * self.state_width)
    }

    /// Commits what a batch leaves.
    pub fn commit(&mut self, batch: &Settled) {
        let Settled { receivers, state, memory, last, absorbed } = batch;
        for (i, (&node, &last)) in receivers.iter().zip(last).enumerate() {
            let Some(last) = last else {
                self.forget(node);
                continue;
            };
            let row = self.row_or_new(node);
            let (h, m) = (self.state_width, self.memory_width);
            self.state[row * h..(row + 1) * h].copy_from_slice(&state[i * h..(i + 1) * h]);
            self.memory[row * m..(row + 1) * m].copy_from_slice(&memory[i * m..(i + 1) * m]);
            self.last[row] = last;
        }
        self.absorbed = *absorbed;
    }

    /// Takes a node's row away: its numbers are overwritten, and no answer reads them again.
    fn forget(&mut self, node: NodeIndex) {
        let Some(row) = self.row(node) else { return };
        self.row_of[node.at()] = NONE;
        let (h, m) = (self.state_width, self.memory_width);
        self.state[row * h..(row + 1) * h].fill(0.0);
        self.memory[row * m..(row + 1) * m].fill(0.0);
        self.last[row] = Time::MIN;
        self.free.insert(row as u32);
    }

    /// Rows as bytes (little endian): widths u64 x 2, nodes u64, rows u64, row of each node u32, H and m f32, last times i64.
    pub fn to_bytes(&self) -> Vec<u8> {
        let sizes = [self.state_width, self.memory_width, self.row_of.len(), self.last.len()];
        let mut bytes: Vec<u8> = sizes.iter().flat_map(|&size| (size as u64).to_le_bytes()).collect();
        bytes.extend(self.row_of.iter().flat_map(|row| row.to_le_bytes()));
        bytes.extend(self.state.iter().chain(&self.memory).flat_map(|x| x.to_le_bytes()));
        bytes.extend(self.last.iter().flat_map(|time| time.0.to_le_bytes()));
        bytes
    }

    /// Inverse of [`VectorStore::to_bytes`]; `None` if the bytes are not one store exactly.
    pub fn from_bytes(bytes: &[u8], absorbed: usize) -> Option<VectorStore> {
        let (sizes, rest) = bytes.split_at_checked(32)?;
        let sizes: Vec<usize> = sizes.as_chunks().0.iter().map(|&size| u64::from_le_bytes(size) as usize).collect();
        let [state_width, memory_width, n_nodes, n_rows] = sizes[..] else { return None };
        let (row_of, rest) = rest.split_at_checked(n_nodes.checked_mul(4)?)?;
        let (state, rest) = rest.split_at_checked(n_rows.checked_mul(state_width)?.checked_mul(4)?)?;
        let (memory, last) = rest.split_at_checked(n_rows.checked_mul(memory_width)?.checked_mul(4)?)?;
        // Before anything is made for each of the rows that are said to be there.
        if last.len() != n_rows.checked_mul(8)? {
            return None;
        }
        let floats = |bytes: &[u8]| bytes.as_chunks().0.iter().map(|&x| f32::from_le_bytes(x)).collect();
        let row_of: Vec<u32> = row_of.as_chunks().0.iter().map(|&row| u32::from_le_bytes(row)).collect();
        let mut free: BTreeSet<u32> = (0..n_rows as u32).collect();
        row_of.iter().for_each(|row| _ = free.remove(row));
        row_of.iter().all(|row| *row == NONE || (*row as usize) < n_rows).then(|| VectorStore {
            state_width,
            memory_width,
            row_of,
            free,
            state: floats(state),
            memory: floats(memory),
            last: last.as_chunks().0.iter().map(|&time| Time(i64::from_le_bytes(time))).collect(),
            absorbed,
        })
    }

    /// Whether its rows are as wide as those of a model.
    pub(crate) fn has_widths(&self, state_width: usize, memory_width: usize) -> bool {
        (self.state_width, self.memory_width) == (state_width, memory_width)
    }

    fn row(&self, node: NodeIndex) -> Option<usize> {
        self.row_of.get(node.at()).filter(|&&row| row != NONE).map(|&row| row as usize)
    }

    fn row_or_new(&mut self, node: NodeIndex) -> usize {
        if let Some(row) = self.row(node) {
            return row;
        }
        self.row_of.resize(self.row_of.len().max(node.at() + 1), NONE);
        if let Some(row) = self.free.pop_first() {
            self.row_of[node.at()] = row;
            return row as usize;
        }
        let row = self.last.len();
        self.row_of[node.at()] = row as u32;
        self.state.resize((row + 1) * self.state_width, 0.0);
        self.memory.resize((row + 1) * self.memory_width, 0.0);
        self.last.push(Time::MIN);
        row
    }
}
