//! The binary, run from end to end.

#![allow(clippy::unwrap_used)]

mod caches;
mod change_rows;
mod damage;
mod diff;
mod export;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod failing_calls;
mod file_tree;
mod folders;
#[cfg(unix)]
mod kills;
mod learning;
mod limits;
mod load;
mod models;
mod namespaces;
mod old_formats;
mod ontologies;
mod order;
mod people;
mod query;
mod read;
mod real_data;
mod real_files;
mod roots;
mod sample;
#[cfg(feature = "serve")]
mod serve;
#[cfg(feature = "sql")]
mod sql;
mod versions;
mod world;
