//! Integration tests of the learning crate.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod asked;
mod counters;
mod counting;
mod deletes;
mod explanations;
mod gradients;
mod kernels;
mod leakage;
mod learning;
mod no_numbers;
mod online;
mod removals;
mod service;
mod stopping;
mod survival;
mod sweeps;
mod synthetic;
mod worlds;
