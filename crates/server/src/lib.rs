//! Graphs over HTTP.
#![allow(dead_code)] // Rooms that use all of it are added one by one.

mod answer;
mod answering;
mod app;
mod asking;
mod caller;
mod health;
mod jobs;
mod limits;
mod options;
mod parameters;
mod pinned;
mod problem;
mod queue;
mod report;
mod router;
mod served;
mod wire;
mod work;

pub use caller::Role;
pub use limits::Limits;
pub use options::Options;
