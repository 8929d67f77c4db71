//! How tensors were made, and the way back: reverse-mode differentiation (Griewank and Walther 2008).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustc_hash::{FxHashMap, FxHashSet};

use super::arena::Buffer;
use super::profile::stage;

/// One tracked tensor: what it was made of, and how a gradient goes back. Numbered in the order in which they were made.
pub(super) struct Node {
    number: u64,
    /// What it was made of; nothing for an input without gradient.
    inputs: Vec<Option<Arc<Node>>>,
    /// Nothing for a leaf, whose gradient is kept.
    step: Option<Box<dyn Step>>,
}

/// The way back through one operation.
pub(super) trait Step: Send + Sync {
    /// One gradient for each input, from the gradient of the result. An input that is not wanted may get an empty one.
    fn backward(&self, gradient: &[f32], wanted: &[bool]) -> Vec<Gradient>;
}

static MADE: AtomicU64 = AtomicU64::new(0);

impl Node {
    pub(super) fn leaf() -> Arc<Node> {
        Node::new(Vec::new(), None)
    }

    pub(super) fn of(inputs: Vec<Option<Arc<Node>>>, step: Box<dyn Step>) -> Arc<Node> {
        Node::new(inputs, Some(step))
    }

    fn new(inputs: Vec<Option<Arc<Node>>>, step: Option<Box<dyn Step>>) -> Arc<Node> {
        Arc::new(Node { number: MADE.fetch_add(1, Ordering::Relaxed), inputs, step })
    }

    /// Whether it is a tensor whose own gradient is asked for, like a weight.
    pub(super) fn is_leaf(&self) -> bool {
        self.step.is_none()
    }
}

/// The gradient of a tensor.
#[derive(Clone, Debug)]
pub enum Gradient {
    /// Of every number.
    Dense(Buffer),
    /// Of some rows of a table, 0 elsewhere.
    Rows(RowGradient),
}

/// The gradient of some rows of a table.
#[derive(Clone, Debug)]
pub struct RowGradient {
    /// Which rows, each once.
    pub rows: Vec<u32>,
    /// Their gradients, one after the other.
    pub values: Buffer,
}

impl RowGradient {
    /// Numbers in a row.
    pub fn width(&self) -> usize {
        self.values.len() / self.rows.len().max(1)
    }

    fn add_to(&self, dense: &mut [f32]) {
        let width = self.width();
        for (row, values) in self.rows.iter().zip(self.values.chunks_exact(width.max(1))) {
            add(&mut dense[*row as usize * width..][..width], values);
        }
    }
}

impl From<Buffer> for Gradient {
    fn from(values: Buffer) -> Gradient {
        Gradient::Dense(values)
    }
}

impl From<Vec<f32>> for Gradient {
    fn from(values: Vec<f32>) -> Gradient {
        Gradient::Dense(values.into())
    }
}

fn add(sum: &mut [f32], term: &[f32]) {
    sum.iter_mut().zip(term).for_each(|(sum, term)| *sum += term);
}

impl Gradient {
    /// As numbers of a tensor of `len`.
    pub(crate) fn dense(self, len: usize) -> Buffer {
        match self {
            Gradient::Dense(values) => values,
            Gradient::Rows(rows) => {
                let mut values = Buffer::zeros(len);
                rows.add_to(&mut values);
                values
            }
        }
    }

    fn plus(self, other: Gradient) -> Gradient {
        match (self, other) {
            (Gradient::Dense(mut sum), Gradient::Dense(term)) => {
                add(&mut sum, &term);
                Gradient::Dense(sum)
            }
            (Gradient::Dense(mut sum), Gradient::Rows(rows)) | (Gradient::Rows(rows), Gradient::Dense(mut sum)) => {
                rows.add_to(&mut sum);
                Gradient::Dense(sum)
            }
            (Gradient::Rows(a), Gradient::Rows(b)) => Gradient::Rows(a.plus(b)),
        }
    }
}

impl RowGradient {
    fn plus(mut self, other: RowGradient) -> RowGradient {
        let width = self.width().max(other.width());
        let mut place: FxHashMap<u32, usize> = self.rows.iter().copied().zip(0..).collect();
        for row in &other.rows {
            let next = place.len();
            if *place.entry(*row).or_insert(next) == next {
                self.rows.push(*row);
            }
        }
        let mut values = Buffer::zeros(self.rows.len() * width);
        values[..self.values.len()].copy_from_slice(&self.values);
        for (row, term) in other.rows.iter().zip(other.values.chunks_exact(width.max(1))) {
            add(&mut values[place[row] * width..][..width], term);
        }
        RowGradient { rows: self.rows, values }
    }
}

/// The gradients of one number with respect to the leaves that it was made of.
#[derive(Default)]
pub struct Gradients {
    by_node: FxHashMap<u64, Gradient>,
}

impl Gradients {
    /// The gradient of a leaf as numbers of a tensor of `len`.
    pub(super) fn of(&self, node: &Node, len: usize) -> Option<Buffer> {
        Some(self.by_node.get(&node.number)?.clone().dense(len))
    }

    /// Takes the gradient of a leaf out.
    pub(super) fn take(&mut self, node: &Node) -> Option<Gradient> {
        self.by_node.remove(&node.number)
    }
}

/// The gradients of one number, made at a node.
pub(super) fn backward(end: Option<&Arc<Node>>) -> Gradients {
    let mut gradients = Gradients::default();
    let Some(end) = end else { return gradients };
    let _running = stage("tape");
    gradients.by_node.insert(end.number, Gradient::Dense(vec![1.0].into()));
    for node in latest_first(end) {
        let Some(step) = &node.step else { continue };
        let Some(gradient) = gradients.take(&node) else { continue };
        // What an operation made is never a table of which only rows are read.
        let Gradient::Dense(gradient) = gradient else { continue };
        let wanted: Vec<bool> = node.inputs.iter().map(Option::is_some).collect();
        let parts = step.backward(&gradient, &wanted);
        for (input, part) in node.inputs.iter().zip(parts) {
            let Some(input) = input else { continue };
            let sum = match gradients.take(input) {
                Some(sum) => sum.plus(part),
                None => part,
            };
            gradients.by_node.insert(input.number, sum);
        }
    }
    gradients
}

/// A node and all that it was made of; what was made of a node stands before it.
fn latest_first(end: &Arc<Node>) -> Vec<Arc<Node>> {
    let mut seen = FxHashSet::default();
    let (mut nodes, mut open) = (Vec::new(), vec![end.clone()]);
    while let Some(node) = open.pop() {
        if seen.insert(node.number) {
            open.extend(node.inputs.iter().flatten().cloned());
            nodes.push(node);
        }
    }
    nodes.sort_unstable_by_key(|node| std::cmp::Reverse(node.number));
    nodes
}

impl Drop for Node {
    /// Long chains would run out of stack if each node dropped the one before it.
    fn drop(&mut self) {
        let mut open: Vec<Arc<Node>> = self.inputs.drain(..).flatten().collect();
        while let Some(node) = open.pop() {
            if let Some(mut node) = Arc::into_inner(node) {
                open.extend(node.inputs.drain(..).flatten());
            }
        }
    }
}
