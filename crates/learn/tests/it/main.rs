//! Integration tests of the learning crate.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod counters;
mod gradients;
mod kernels;
mod leakage;
mod learning;
mod worlds;
