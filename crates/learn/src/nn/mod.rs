//! The layers' arithmetic: fused differentiable operations on the CPU.
//!
//! **How a custom operation is made with Burn 0.22.** `Tensor<D>` is not generic over a backend; it holds a
//! `DispatchTensor` (`into_dispatch`, `from_primitive`, behind the `extension` feature) that says at run time which
//! backend it lives on and whether autodiff is on. Below it, `FlexTensor::storage::<f32>()` is the plain slice of a
//! contiguous tensor, and with autodiff on `AutodiffTensor::{node, into_primitive}` give the graph node and the
//! `FlexTensor`. `Backward::prepare(nodes).compute_bound().stateful()` then says whether any input is tracked, and
//! `finish(state, output)` records the step whose `Backward::backward` consumes the gradient of the output and
//! registers those of the inputs. All of this is done once, in `fused`: an operation implements its `Kernel` trait
//! (a forward and a backward on `&[f32]`) and calls `apply`.
//!
//! Every operation is tested against plain loops. Slow reference: `timeweft_oracle::kernels`. Sums run in an order
//! that depends on the data only: results are the same bits for any number of threads.

mod activation;
mod attention;
mod fused;
mod gather;
mod lanes;
mod logarithm;
mod norm;
mod offsets;
mod recurrence;
mod scan;
mod time_encoding;
mod typed_linear;

pub use activation::{silu, softplus, straight_through};
pub use attention::{AttentionLayout, AttentionWeights, Outlet, attention_weights, temporal_attention};
pub use gather::{gather, scatter_sum, segment_mean};
pub(crate) use logarithm::{LogColumns, count_up_to};
pub use norm::rms_norm;
pub use recurrence::{RecurrenceInput, gated_recurrence};
pub use scan::{ScanInput, selective_scan};
pub use time_encoding::time_encoding;
pub use typed_linear::{typed_heads, typed_linear};
