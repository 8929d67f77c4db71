//! The server by its answers, over a small graph.

mod world;

mod frame;
mod loads;
mod security;
mod sockets;
#[cfg(feature = "sql")]
mod sql;
mod models;
