//! What the index answers by key and time: states, histories, differences, facts and counters.

pub(crate) mod columns;
pub(crate) mod diff;
mod events_between;
pub(crate) mod fact;
mod id_kinds;
pub(crate) mod live;
mod merges;
mod order;
mod own_diff;
mod pairs;
mod past;
pub(crate) mod recency;
pub(crate) mod recent;
mod shares;
pub(crate) mod used;
mod view;
