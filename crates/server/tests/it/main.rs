//! The server by its answers, over a small graph.

mod world;

mod frame;
mod loads;
mod models;
mod security;
mod sockets;
#[cfg(feature = "sql")]
mod sql;
