//! The vector store: the learned state of every node that has ever received a message.

use std::collections::BTreeSet;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use timeweft_graph::{NodeIndex, Time};

use crate::nn::Buffer;

/// A node without a row.
const NONE: u32 = u32::MAX;

/// Cell state H, output m and last time of each node. Rows exist only for nodes with messages.
///
/// State is stored as of a node's last message and never touched by idle time: the time part of the cell is an exact
/// semigroup. A clone costs nothing: rows are copied once one of the two is written to.
#[derive(Clone, Debug, Default)]
pub struct VectorStore {
    rows: Arc<Rows>,
    /// Read in place of the rows.
    instead: Option<Arc<Earlier>>,
    /// What the last commit replaced, where that may be taken back.
    replaced: Option<Arc<Earlier>>,
    /// Facts taken in: the position in the log of facts up to which the store is true.
    absorbed: usize,
}

#[derive(Clone, Debug, Default)]
struct Rows {
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
}

/// A row by itself.
#[derive(Clone, PartialEq, Debug)]
struct Row {
    state: Box<[f32]>,
    memory: Box<[f32]>,
    last: Time,
}

/// Rows of some nodes as they were before a commit; `None` where there was none.
#[derive(Debug, Default)]
struct Earlier {
    rows: FxHashMap<NodeIndex, Option<Row>>,
    absorbed: usize,
}

/// Two are equal that hold the same of every node.
impl PartialEq for VectorStore {
    fn eq(&self, other: &VectorStore) -> bool {
        let (own, others) = (&self.rows, &other.rows);
        let mut nodes = (0..own.row_of.len().max(others.row_of.len()) as u32).map(NodeIndex);
        let widths = |rows: &Rows| (rows.state_width, rows.memory_width);
        self.absorbed == other.absorbed
            && widths(own) == widths(others)
            && nodes.all(|node| self.own_row(node) == other.own_row(node))
    }
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

impl VectorStore {
    /// An empty store for a graph of `n_nodes`.
    pub fn new(n_nodes: usize, state_width: usize, memory_width: usize) -> VectorStore {
        let rows = Rows { state_width, memory_width, row_of: vec![NONE; n_nodes], ..Rows::default() };
        VectorStore { rows: Arc::new(rows), ..VectorStore::default() }
    }

    /// Position in the log of facts up to which the store is true.
    pub fn absorbed(&self) -> usize {
        self.absorbed
    }

    /// Number of nodes with a row.
    pub fn len(&self) -> usize {
        let Some(earlier) = &self.instead else { return self.rows.len() };
        let (rows, was) = (&self.rows, |row: &Option<Row>| usize::from(row.is_some()));
        let change = |(node, row): (&NodeIndex, &Option<Row>)| (was(row), usize::from(rows.row(*node).is_some()));
        let (more, fewer) = earlier.rows.iter().map(change).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        rows.len() + more - fewer
    }

    /// Whether no node has a row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// When something last happened at each node, without vectors: what a layout reads.
    pub(crate) fn times(&self) -> VectorStore {
        let Rows { row_of, last, free, .. } = &*self.rows;
        let mut rows = Rows { row_of: row_of.clone(), last: last.clone(), free: free.clone(), ..Rows::default() };
        for (&node, row) in self.instead.iter().flat_map(|earlier| &earlier.rows) {
            match row {
                Some(row) => rows.write(node, &[], &[], row.last),
                None => rows.forget(node),
            }
        }
        VectorStore { rows: Arc::new(rows), absorbed: self.absorbed, ..VectorStore::default() }
    }

    /// Bytes of its rows.
    pub fn size(&self) -> usize {
        4 * (self.rows.row_of.len() + self.rows.state.len() + self.rows.memory.len()) + 8 * self.rows.last.len()
    }

    /// Time of the node's last message.
    pub fn last(&self, node: NodeIndex) -> Option<Time> {
        match self.earlier(node) {
            Some(row) => row.as_ref().map(|row| row.last),
            None => self.rows.last.get(self.rows.row(node)?).copied(),
        }
    }

    /// The node's memory vector m (d).
    pub fn memory(&self, node: NodeIndex) -> Option<&[f32]> {
        match self.earlier(node) {
            Some(row) => row.as_ref().map(|row| &*row.memory),
            None => self.rows.memory_of(self.rows.row(node)?),
        }
    }

    /// The node's state H (D * N).
    pub fn state(&self, node: NodeIndex) -> Option<&[f32]> {
        match self.earlier(node) {
            Some(row) => row.as_ref().map(|row| &*row.state),
            None => self.rows.state_of(self.rows.row(node)?),
        }
    }

    /// Commits what a batch leaves.
    pub fn commit(&mut self, batch: &Settled) {
        self.replaced = None;
        let instead = self.instead.take();
        let rows = Arc::make_mut(&mut self.rows);
        if let Some(instead) = instead {
            rows.bring_back(&instead);
        }
        rows.commit(batch);
        self.absorbed = batch.absorbed;
    }

    /// The same, so that [`VectorStore::take_back`] undoes it and [`VectorStore::without_newest`] reads what was before.
    pub(crate) fn commit_for_now(&mut self, batch: &Settled) {
        let was = |&node: &NodeIndex| (node, self.own_row(node));
        let earlier = Earlier { rows: batch.receivers.iter().map(was).collect(), absorbed: self.absorbed };
        self.commit(batch);
        self.replaced = Some(Arc::new(earlier));
    }

    /// Undoes the last commit, if it was one for now. It says whether it did.
    pub(crate) fn take_back(&mut self) -> bool {
        let Some(earlier) = self.replaced.take() else { return false };
        Arc::make_mut(&mut self.rows).bring_back(&earlier);
        self.absorbed = earlier.absorbed;
        true
    }

    /// The store as of before the last commit, if that was one for now. It shares all rows.
    pub(crate) fn without_newest(&self) -> Option<VectorStore> {
        let earlier = self.replaced.clone()?;
        let absorbed = earlier.absorbed;
        Some(VectorStore { rows: self.rows.clone(), instead: Some(earlier), replaced: None, absorbed })
    }

    /// Rows as bytes (little endian): widths u64 x 2, nodes u64, rows u64, row of each node u32, H and m f32, last times i64.
    pub fn to_bytes(&self) -> Vec<u8> {
        debug_assert!(self.instead.is_none(), "what is kept was committed");
        let rows = &self.rows;
        let sizes = [rows.state_width, rows.memory_width, rows.row_of.len(), rows.last.len()];
        let mut bytes = Vec::with_capacity(32 + self.size());
        bytes.extend(sizes.iter().flat_map(|&size| (size as u64).to_le_bytes()));
        bytes.extend(rows.row_of.iter().flat_map(|row| row.to_le_bytes()));
        bytes.extend(rows.state.iter().chain(&rows.memory).flat_map(|x| x.to_le_bytes()));
        bytes.extend(rows.last.iter().flat_map(|time| time.0.to_le_bytes()));
        bytes
    }

    /// Inverse of [`VectorStore::to_bytes`]; `None` if the bytes are not one store exactly.
    pub fn from_bytes(bytes: &[u8], absorbed: usize) -> Option<VectorStore> {
        let rows = Arc::new(Rows::from_bytes(bytes)?);
        Some(VectorStore { rows, absorbed, ..VectorStore::default() })
    }

    /// Whether its rows are as wide as those of a model.
    pub(crate) fn has_widths(&self, state_width: usize, memory_width: usize) -> bool {
        (self.rows.state_width, self.rows.memory_width) == (state_width, memory_width)
    }

    /// What is read in place of a node's row.
    fn earlier(&self, node: NodeIndex) -> Option<&Option<Row>> {
        self.instead.as_ref()?.rows.get(&node)
    }

    /// A copy of a node's row.
    fn own_row(&self, node: NodeIndex) -> Option<Row> {
        Some(Row { state: self.state(node)?.into(), memory: self.memory(node)?.into(), last: self.last(node)? })
    }
}

impl Rows {
    fn len(&self) -> usize {
        self.last.len() - self.free.len()
    }

    fn row(&self, node: NodeIndex) -> Option<usize> {
        self.row_of.get(node.at()).filter(|&&row| row != NONE).map(|&row| row as usize)
    }

    fn state_of(&self, row: usize) -> Option<&[f32]> {
        self.state.get(row * self.state_width..(row + 1) * self.state_width)
    }

    fn memory_of(&self, row: usize) -> Option<&[f32]> {
        self.memory.get(row * self.memory_width..(row + 1) * self.memory_width)
    }

    fn commit(&mut self, batch: &Settled) {
        let Settled { receivers, state, memory, last, .. } = batch;
        let (h, m) = (self.state_width, self.memory_width);
        for (i, (&node, &last)) in receivers.iter().zip(last).enumerate() {
            match last {
                Some(last) => self.write(node, &state[i * h..(i + 1) * h], &memory[i * m..(i + 1) * m], last),
                None => self.forget(node),
            }
        }
    }

    fn bring_back(&mut self, earlier: &Earlier) {
        for (&node, row) in &earlier.rows {
            match row {
                Some(row) => self.write(node, &row.state, &row.memory, row.last),
                None => self.forget(node),
            }
        }
    }

    fn write(&mut self, node: NodeIndex, state: &[f32], memory: &[f32], last: Time) {
        let row = self.row_or_new(node);
        let (h, m) = (self.state_width, self.memory_width);
        self.state[row * h..(row + 1) * h].copy_from_slice(state);
        self.memory[row * m..(row + 1) * m].copy_from_slice(memory);
        self.last[row] = last;
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

    fn from_bytes(bytes: &[u8]) -> Option<Rows> {
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
        let mut free = vec![true; n_rows];
        for &row in row_of.iter().filter(|row| **row != NONE) {
            *free.get_mut(row as usize)? = false;
        }
        Some(Rows {
            state_width,
            memory_width,
            row_of,
            free: (0..).zip(free).filter(|(_, free)| *free).map(|(row, _)| row).collect(),
            state: floats(state),
            memory: floats(memory),
            last: last.as_chunks().0.iter().map(|&time| Time(i64::from_le_bytes(time))).collect(),
        })
    }
}
