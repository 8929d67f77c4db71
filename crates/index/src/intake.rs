//! What the index takes in: events one by one, chunks of creates, whole lives, and versions of a namespace.

pub(crate) mod apply;
pub(crate) mod check;
pub(crate) mod join;
pub(crate) mod late;
mod lifecycle;
pub(crate) mod lives;
pub(crate) mod merges;
mod missing;
mod records;
mod replay;
mod row;
pub(crate) mod widen;
