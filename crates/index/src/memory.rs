//! What all of an index lies in: arrays in memory or in a mapped file, and the check of what comes from a file.

pub(crate) mod array;
pub(crate) mod blocks;
pub(crate) mod cache;
pub mod damage;
pub(crate) mod fresh_file;
pub(crate) mod hash_table;
#[cfg(unix)]
mod region;
