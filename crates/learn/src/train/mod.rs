//! Training: what changes weights, and what is kept of a trained model.

pub(crate) mod catch_up;
pub(crate) mod checkpoint;
pub(crate) mod erase;
pub(crate) mod memory_limit;
pub(crate) mod past_memory;
mod plan;
pub(crate) mod progress;
mod questions;
pub(crate) mod run;
mod shared_negatives;
pub(crate) mod tbptt_window;
pub(crate) mod trained;
pub(crate) mod weights;
