//! Slow references: what the fast paths of the product are tested against, and the worlds that the tests share.
//!
//! Nothing here is fast, and nothing of it is in the product: `bench` uses it, and other crates have it as a development
//! dependency. Its own tests need `source` and `store` together.
//!
//! | slow reference | of |
//! |---|---|
//! | [`ReferenceGraph`], [`diff_states`] | the index |
//! | [`ReferenceStore`], which loads a [`Version`] by the slow delta | the load of a whole version |
//! | [`Intervals`] | the load of intervals |
//! | [`numbers_of_json`] | the quick reader of temporal JSON |
//! | [`counters`], which count each question anew | the counters of learning |
//! | [`kernels`], plain loops in `f64` | the kernels of learning |
//!
//! [`histories()`](histories::histories) are random events for property tests, [`world`] is a small one in words, and
//! [`synthetic`] are streams whose answers a model can learn.
#![allow(clippy::unwrap_used)]

pub mod counters;
mod events;
pub mod histories;
mod intervals;
pub mod kernels;
mod numbers;
mod reference;
mod store;
pub mod synthetic;
mod version;
pub mod world;

pub use events::{EventRecord, events, pushed};
pub use intervals::Intervals;
pub use numbers::numbers_of_json;
pub use reference::{ReferenceGraph, diff_states};
pub use store::{Loaded, ReferenceStore};
pub use version::{Listed, Version};
