//! The log: segments of record batches, how they are written, proved, read back and replayed.

mod claims;
pub(crate) mod codec;
pub(crate) mod effective;
mod events;
mod proof;
mod replay;
pub(crate) mod segment;
pub(crate) mod sorter;
