//! What the index answers by key and time: states, histories, differences, facts and counters.

pub(crate) mod columns;
pub(crate) mod diff;
mod events_between;
pub(crate) mod fact;
pub(crate) mod history;
mod id_kinds;
pub(crate) mod incident;
pub(crate) mod labels;
pub(crate) mod live;
mod merges;
pub(crate) mod neighborhood;
mod order;
mod own_diff;
mod pairs;
mod past;
pub(crate) mod recency;
pub(crate) mod recent;
mod shares;
mod tallies;
pub(crate) mod timeline;
pub(crate) mod used;
mod view;
