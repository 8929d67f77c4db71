//! The binary, run from end to end.

#![allow(clippy::unwrap_used)]

mod damage;
mod export;
mod learning;
mod load;
mod models;
mod query;
mod read;
mod real_data;
mod roots;
mod sample;
mod versions;
mod world;
