//! A temporal heterogeneous graph engine with learning built in.
//!
//! A [`Graph`] is a directory that keeps every state of a graph that is created, updated and deleted over time. Sources
//! go in as loads, whole or not at all; a [`View`] answers questions as of any time and never changes while it is held.
//!
//! ```no_run
#![doc = include_str!("../examples/quick_start.rs")]
//! ```
//!
//! | module | what is there |
//! |---|---|
//! | [`load`] | sources, their formats and options, reports, the registry |
//! | [`read`] | states, histories, differences, types; the graph by dense numbers |
//! | [`sample`] | neighbors, walks and ranks of many nodes at once |
//! | [`read::features`], [`read::query`] | features as arrays; hierarchies with names |
//! | [`model`] | training, prediction, evaluation, explanation |
//! | [`export`] | tables, events and documents |

mod error;
pub mod export;
mod graph;
pub mod load;
pub mod model;
mod moments;
pub mod read;
pub mod sample;
mod stats;
mod time;
mod time_slice;
mod view;

pub use error::{Error, Result};
pub use graph::Graph;
pub use model::{Config, Model, ModelFile, TrainOptions};
pub use time::{IntoTime, IntoUnit};
pub use timeweft_graph::{
    Action, At, Commit, Deletes, Direction, EdgeKey, Element, Event, Interval, Name, NodeKey, Schema, Time, TimeUnit,
    Value,
};
pub use view::{Edge, Node, View};

/// The Rust code of the README is compiled with the examples of this crate.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
