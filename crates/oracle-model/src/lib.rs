//! The Heterogeneous Temporal Graph Network in plain tensor operations of Burn: no kernel of our own, no fusion, every
//! equation of `docs/model.md` as it stands there.
//!
//! It is two things. The tests compare the product's kernels with it, forward and backward, weight by weight; so it forms
//! the key and the value of every edge, computes all rounds of message passing, and takes nothing of the product but plain
//! data: [`Weight`](timeweft_learn::Weight)s by name and the layouts of a step. And it runs wherever Burn runs: the package
//! `gpu` beside the workspace turns a GPU on.
//!
//! | what | where |
//! |---|---|
//! | a step as plain numbers | [`StepLayout`] |
//! | logits, losses and gradients of a step | [`ReferenceModel`] |
//! | AdamW as Burn has it | [`ReferenceAdamW`], [`adamw`] |
//!
//! Letters of shapes are those of `timeweft_learn`.

mod aggregator;
mod attention;
mod encoder;
mod error;
mod gnn;
mod layers;
mod loss;
mod memory;
mod model;
mod optimizer;
mod place;
mod predictor;
mod segments;
mod step_layout;
mod weights;

pub use error::ReferenceError;
pub use loss::loss;
pub use model::{ReferenceModel, Remembered};
pub use optimizer::{ReferenceAdamW, adamw};
pub use place::floats;
pub use step_layout::StepLayout;
