use std::fmt::Debug;
use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::{
    Autodiff, AutodiffBackend, BackendTensor, DispatchAutodiffContext, DispatchKindConversion, DispatchTensor, Flex,
    TensorMetadata,
};
use burn::tensor::{DType, Tensor, TensorData};

type Tracked = <Autodiff<Flex> as burn::backend::BackendTypes>::FloatTensorPrimitive;

/// One differentiable operation, written on plain `f32` slices in row-major order.
///
/// A kernel owns its sizes and its integer structure (offsets, indices); its inputs are the tensors only.
pub(super) trait Kernel: Clone + Debug + Send + Sync + 'static {
    /// What the forward pass leaves for the backward pass besides the inputs.
    type Saved: Debug + Send + Sync + 'static;

    /// The shape of the output.
    fn shape(&self) -> Vec<usize>;

    /// Computes the output. `keep` is false where no backward pass will follow: nothing need be saved then.
    fn forward(&self, inputs: &[&[f32]], keep: bool) -> (Vec<f32>, Self::Saved);

    /// Computes one gradient an input, from the gradient of the output. An input that is not `wanted` may get an
    /// empty vector.
    fn backward(&self, inputs: &[&[f32]], saved: &Self::Saved, grad: &[f32], wanted: &[bool]) -> Vec<Vec<f32>>;
}

/// Runs a kernel on tensors and records it for the backward pass if any input is tracked.
///
/// Inputs on the plain device are constants beside inputs on the autodiff device, as in Burn's own operations.
///
/// # Panics
/// If a tensor is not an `f32` tensor of the flex backend, or its device uses gradient checkpointing.
pub(super) fn apply<K: Kernel, const N: usize, const D: usize>(kernel: K, inputs: [DispatchTensor; N]) -> Tensor<D> {
    if inputs.iter().all(|input| input.autodiff == DispatchAutodiffContext::Disabled) {
        let primitives = inputs.map(|input| plain(primitive::<Flex>(input)));
        let (output, _) = run(&kernel, &primitives, false);
        return Tensor::from_primitive::<Flex>(output);
    }
    let tracked = inputs.map(|input| match input.autodiff {
        DispatchAutodiffContext::Disabled => <Autodiff<Flex>>::from_inner(primitive::<Flex>(input)),
        DispatchAutodiffContext::Enabled(_) => primitive::<Autodiff<Flex>>(input),
    });
    Tensor::from_primitive::<Autodiff<Flex>>(record(kernel, tracked))
}

/// Computes the forward pass and, if an input needs a gradient, leaves a [`Step`] in the graph.
fn record<K: Kernel, const N: usize>(kernel: K, inputs: [Tracked; N]) -> Tracked {
    let nodes = inputs.each_ref().map(Tracked::node);
    let primitives = inputs.map(|input| plain(input.into_primitive()));
    match Step::<K>(std::marker::PhantomData).prepare::<NoCheckpointing>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prep) => {
            let (output, saved) = run(&kernel, &primitives, true);
            prep.finish(State { kernel, inputs: primitives.to_vec(), saved: Arc::new(saved) }, output)
        }
        OpsKind::UnTracked(prep) => prep.finish(run(&kernel, &primitives, false).0),
    }
}

fn run<K: Kernel>(kernel: &K, inputs: &[FlexTensor], keep: bool) -> (FlexTensor, K::Saved) {
    let slices: Vec<&[f32]> = inputs.iter().map(FlexTensor::storage::<f32>).collect();
    let (values, saved) = kernel.forward(&slices, keep);
    (FlexTensor::from_data(TensorData::new(values, kernel.shape())), saved)
}

/// The backend's own tensor behind a public one.
fn primitive<B: burn::backend::Backend>(tensor: DispatchTensor) -> B::FloatTensorPrimitive
where
    DispatchTensor: DispatchKindConversion<B>,
{
    match <DispatchTensor as DispatchKindConversion<B>>::try_into_backend(tensor) {
        Ok(BackendTensor::Float(primitive)) => primitive,
        Ok(other) => panic!("a fused operation takes float tensors, not {}", other.name()),
        Err(error) => panic!("a fused operation takes tensors of the flex backend without checkpointing: {error}"),
    }
}

/// Makes the storage of a tensor exactly its elements in row-major order.
fn plain(tensor: FlexTensor) -> FlexTensor {
    assert_eq!(tensor.dtype(), DType::F32, "a fused operation takes f32 tensors");
    tensor.to_contiguous()
}

/// The backward pass of a kernel as the autodiff graph knows it.
#[derive(Debug)]
struct Step<K>(std::marker::PhantomData<K>);

/// What a [`Step`] keeps between the passes.
#[derive(Debug)]
struct State<K: Kernel> {
    kernel: K,
    inputs: Vec<FlexTensor>,
    saved: Arc<K::Saved>,
}

impl<K: Kernel> Clone for State<K> {
    fn clone(&self) -> Self {
        Self { kernel: self.kernel.clone(), inputs: self.inputs.clone(), saved: self.saved.clone() }
    }
}

impl<K: Kernel, const N: usize> Backward<Flex, N> for Step<K> {
    type State = State<K>;

    fn backward(self, ops: Ops<State<K>, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = plain(grads.consume::<Flex>(&ops.node));
        let State { kernel, inputs, saved } = ops.state;
        let slices: Vec<&[f32]> = inputs.iter().map(FlexTensor::storage::<f32>).collect();
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let values = kernel.backward(&slices, &saved, grad.storage(), &wanted);
        for ((parent, input), values) in ops.parents.into_iter().zip(&inputs).zip(values) {
            if let Some(parent) = parent {
                let grad = FlexTensor::from_data(TensorData::new(values, input.shape()));
                grads.register::<Flex>(parent.id, grad);
            }
        }
    }
}
