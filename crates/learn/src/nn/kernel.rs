//! The seam between the tape and the arithmetic: an operation on plain slices, forward and backward.

use std::sync::Arc;

use super::arena::Buffer;
use super::profile::{stage, stage_back};
use super::tape::{Gradient, Node, Step};
use super::tensor::{AnyTensor, Tensor};

/// One differentiable operation, written on plain `f32` slices in row-major order.
///
/// A kernel owns its sizes and its integer structure (offsets, indices); its inputs are the tensors only.
pub(super) trait Kernel: Send + Sync + 'static {
    /// What the forward pass leaves for the backward pass besides the inputs.
    type Saved: Send + Sync + 'static;

    /// Computes the output. `keep` is false where no backward pass will follow: nothing need be saved then.
    fn forward(&self, inputs: &[&[f32]], keep: bool) -> (Buffer, Self::Saved);

    /// Computes one gradient an input, from the gradient of the output. An input that is not `wanted` may get an
    /// empty one.
    fn backward(&self, inputs: &[&[f32]], saved: &Self::Saved, grad: &[f32], wanted: &[bool]) -> Vec<Gradient>;
}

/// Runs a kernel on tensors, to an output of a shape, and records it for the backward pass if any input is tracked.
pub(super) fn apply<K: Kernel, const D: usize>(
    kernel: K,
    inputs: impl Into<Vec<AnyTensor>>,
    shape: [usize; D],
) -> Tensor<D> {
    let inputs = inputs.into();
    let keep = inputs.iter().any(|input| input.node.is_some());
    let running = stage(std::any::type_name::<K>());
    let (values, saved) = kernel.forward(&slices(&inputs), keep);
    drop(running);
    if !keep {
        return Tensor::of(AnyTensor::new(values, None), shape);
    }
    let nodes = inputs.iter().map(|input| input.node.clone()).collect();
    // The numbers alone: the nodes are held once, by the node of the output.
    let inputs = inputs.into_iter().map(AnyTensor::detached).collect();
    let node = Node::of(nodes, Box::new(Recorded { kernel, inputs, saved }));
    Tensor::of(AnyTensor::new(values, Some(node)), shape)
}

fn slices(inputs: &[AnyTensor]) -> Vec<&[f32]> {
    inputs.iter().map(AnyTensor::values).collect()
}

/// A kernel with what its backward pass reads.
struct Recorded<K: Kernel> {
    kernel: K,
    inputs: Vec<AnyTensor>,
    saved: K::Saved,
}

impl<K: Kernel> Step for Recorded<K> {
    fn backward(&self, gradient: &[f32], wanted: &[bool]) -> Vec<Gradient> {
        let _running = stage_back(std::any::type_name::<K>());
        self.kernel.backward(&slices(&self.inputs), &self.saved, gradient, wanted)
    }
}

/// Whether a tensor is one whose own gradient is asked for, like a weight.
pub(super) fn is_leaf<const D: usize>(tensor: &Tensor<D>) -> bool {
    tensor.as_any().node.as_ref().is_some_and(|node: &Arc<Node>| node.is_leaf())
}
