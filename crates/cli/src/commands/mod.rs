//! The commands, one file each.

pub(crate) mod compact;
pub(crate) mod demo;
pub(crate) mod diff;
pub(crate) mod evaluate;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod features;
pub(crate) mod history;
pub(crate) mod init;
pub(crate) mod load;
pub(crate) mod loads;
pub(crate) mod nearest;
pub(crate) mod neighbors;
pub(crate) mod node;
pub(crate) mod page_rank;
pub(crate) mod predict;
pub(crate) mod query;
pub(crate) mod resolve;
pub(crate) mod rollback;
pub(crate) mod sample;
pub(crate) mod schema;
pub(crate) mod score;
pub(crate) mod stats;
pub(crate) mod train;
pub(crate) mod verify;
pub(crate) mod walk;
