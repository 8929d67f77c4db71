//! Tables against the answers of the library, one element at a time.
#![allow(clippy::unwrap_used)]

mod rows;
mod states;
mod stream;
mod world;
