//! The layers' arithmetic: tensors on the CPU, a tape that differentiates, and fused operations.
//!
//! - [`Tensor`] is shared, immutable numbers; `arena` uses their memory again from step to step.
//! - The tape (`tape`) is a chain of nodes behind tracked tensors; [`Tensor::backward`] walks it once.
//! - An operation implements `kernel::Kernel`: a forward and a backward pass on `&[f32]`.
//! - [`Param`]s are weights, and a [`Module`] names those that it has.
//!
//! Every operation is tested against plain loops. Slow reference: `timeweft_oracle::kernels`. Sums run in an order
//! that depends on the data only: results are the same bits for any number of threads.

mod activation;
mod arena;
mod elementwise;
mod gather;
mod kernel;
mod lanes;
mod logarithm;
mod loss;
mod module;
mod neighborhood_attention;
mod norm;
mod offsets;
mod optimizer;
mod pair_scores;
mod parts;
mod profile;
mod recurrence;
mod scan;
mod small_product;
mod sums;
mod tape;
mod tensor;
mod time_encoding;
mod two_cores;
mod typed_linear;

pub use activation::{silu, softplus, straight_through};
pub use arena::Buffer;
pub(crate) use arena::clear as clear_arena;

pub use elementwise::{exp, relu};
pub use gather::{gather, gather_sum, scatter_sum, segment_mean, segment_sum};
pub(crate) use logarithm::{LogColumns, count_up_to};
pub use loss::{binary_loss, softmax_loss};
pub use module::{Module, NamedParam, NamedParamMut, Param};
pub(crate) use module::{join, module};
pub use neighborhood_attention::{
    Ages, AttentionWeights, NeighborhoodInput, Neighbors, Outlet, neighborhood_attention, neighborhood_weights,
};
pub use norm::rms_norm;
pub(crate) use optimizer::Moments;
pub use optimizer::{AdamW, Optimizer};
pub use pair_scores::{PairScores, Reads, Term, pair_scores, relu_of_sums};
pub use parts::{below, beside, columns, rows};
pub(crate) use profile::stage;
pub use profile::{Meters, Stage, profiled};
pub use recurrence::{RecurrenceInput, gated_recurrence};
pub use scan::{ScanInput, selective_scan};
pub use sums::{add_row, mean, row_sums, total};
pub use tape::{Gradient, Gradients, RowGradient};
pub use tensor::{AnyTensor, Tensor};
pub use time_encoding::{log_gaps, time_encoding};
pub(crate) use two_cores::on_two_cores;
pub use typed_linear::{linear, typed_linear};
