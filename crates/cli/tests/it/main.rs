//! The binary, run from end to end.

#![allow(clippy::unwrap_used)]

mod damage;
mod export;
mod learning;
mod load;
mod read;
mod real_data;
mod world;
