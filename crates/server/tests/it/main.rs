//! The server by its answers, over a small graph.

mod world;

mod docs;
mod frame;
mod loads;
mod models;
mod reads_contract;
mod reads_equal_library;
mod reads_of_roots;
mod security;
mod sockets;
#[cfg(feature = "sql")]
mod sql;
