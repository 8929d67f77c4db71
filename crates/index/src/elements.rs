//! Nodes, edges and merges with their lives, their ids and names, and the events that were accepted.

pub(crate) mod edge;
pub(crate) mod events;
pub(crate) mod fact;
pub(crate) mod ids;
pub(crate) mod life;
pub(crate) mod merge;
pub(crate) mod names;
pub(crate) mod node;
pub(crate) mod tally;
