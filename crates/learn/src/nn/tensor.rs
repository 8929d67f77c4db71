//! Tensors of `f32` on the CPU, in row-major order.

use std::sync::Arc;

use super::arena::Buffer;
use super::tape::{Gradients, Node, backward};

/// A tensor of rank D. Clones and views share its numbers, which never change.
///
/// A *tracked* tensor was made of one whose gradient is asked for: it knows how it was made ([`Tensor::backward`]).
#[derive(Clone)]
pub struct Tensor<const D: usize> {
    shape: [usize; D],
    any: AnyTensor,
}

/// A tensor of any rank.
#[derive(Clone)]
pub struct AnyTensor {
    values: Arc<Buffer>,
    pub(super) node: Option<Arc<Node>>,
}

impl AnyTensor {
    pub(super) fn new(values: Buffer, node: Option<Arc<Node>>) -> AnyTensor {
        AnyTensor { values: Arc::new(values), node }
    }

    /// The numbers alone.
    pub(super) fn detached(self) -> AnyTensor {
        AnyTensor { node: None, ..self }
    }

    /// The numbers.
    pub(super) fn values(&self) -> &[f32] {
        &self.values
    }

    /// The numbers, to be changed; a copy of them where another tensor shares them.
    pub(super) fn values_mut(&mut self) -> &mut [f32] {
        let values: &mut Buffer = Arc::make_mut(&mut self.values);
        values
    }
}

impl<const D: usize> std::fmt::Debug for Tensor<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tensor{:?}", self.shape)
    }
}

impl<const D: usize> Tensor<D> {
    /// A constant of given numbers, row after row.
    ///
    /// # Panics
    /// If there are not as many as the shape says.
    pub fn new(values: impl Into<Buffer>, shape: [usize; D]) -> Tensor<D> {
        let values = values.into();
        assert_eq!(values.len(), shape.iter().product::<usize>(), "the numbers of a tensor of shape {shape:?}");
        Tensor { shape, any: AnyTensor::new(values, None) }
    }

    pub(super) fn of(any: AnyTensor, shape: [usize; D]) -> Tensor<D> {
        debug_assert_eq!(any.values().len(), shape.iter().product::<usize>());
        Tensor { shape, any }
    }

    /// All zeros.
    pub fn zeros(shape: [usize; D]) -> Tensor<D> {
        Tensor::new(Buffer::zeros(shape.iter().product()), shape)
    }

    /// The same without its rank, as operations take it.
    pub(super) fn any(self) -> AnyTensor {
        self.any
    }

    pub(super) fn as_any(&self) -> &AnyTensor {
        &self.any
    }

    /// The length of each axis.
    pub fn dims(&self) -> [usize; D] {
        self.shape
    }

    /// The numbers, row after row.
    pub fn values(&self) -> &[f32] {
        self.any.values()
    }

    /// The numbers, a copy of them where another tensor shares them.
    pub fn into_values(self) -> Buffer {
        Arc::unwrap_or_clone(self.any.values)
    }

    /// Under another shape, of as many numbers.
    ///
    /// # Panics
    /// If there are not as many.
    pub fn reshape<const E: usize>(self, shape: [usize; E]) -> Tensor<E> {
        let [from, to] = [self.shape.iter().product::<usize>(), shape.iter().product()];
        assert_eq!(from, to, "{:?} under shape {shape:?}", self.shape);
        Tensor { shape, any: self.any }
    }

    /// The numbers alone: no gradient goes back through it.
    pub fn detached(self) -> Tensor<D> {
        Tensor { any: self.any.detached(), ..self }
    }

    /// The numbers alone, with a gradient of their own ([`Tensor::gradient`]).
    pub fn tracked(mut self) -> Tensor<D> {
        self.any.node = Some(Node::leaf());
        self
    }

    /// The gradients of one number with respect to every tracked tensor that it was made of.
    ///
    /// # Panics
    /// If it is not one number.
    pub fn backward(&self) -> Gradients {
        assert_eq!(self.values().len(), 1, "the gradient of {:?}, which is not one number", self.shape);
        backward(self.any.node.as_ref())
    }

    /// The gradient with respect to this tensor; `None` if what was differentiated was not made of it, or if it is not
    /// tracked.
    pub fn gradient(&self, gradients: &Gradients) -> Option<Tensor<D>> {
        let gradient = gradients.of(self.any.node.as_ref()?, self.values().len())?;
        Some(Tensor::new(gradient, self.shape))
    }
}
