//! The product's model against the same model in plain tensor operations.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod agreement;
mod choices;
mod losses;
mod optimizer;
mod product;
mod worlds;
