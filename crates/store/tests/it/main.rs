//! Tests of the store.
//!
//! `d_cases`, `r_cases`, `t_cases`, `x_cases`: conformance cases of the seed "graph delta load", by their ids. `histories`:
//! what is stored equals the oracle at every commit. `rollback`, `merges`: random versions against the slow delta, loads
//! that are taken back, and merges that versions name. `loads`: policies and the registry. `order`: streams in any order of time, and late events. `readers`: threads beside a
//! loader. `kinds_of_records`: records that a load cannot take. `releases`: a real
//! ontology. `replay`: opening in bulk. `crash`: a process that is killed. `damage`: files that are not what was written, and disks that are full.

#![allow(clippy::unwrap_used)]

mod crash;
mod damage;
mod flips;
mod from_snapshot;
mod histories;
mod kinds_of_records;
mod large;
mod loads;
mod merges;
mod order;
mod own_changes;
mod random_versions;
mod read_only;
mod readers;
mod releases;
mod replay;
mod rollback;
mod shared;
mod snapshots;
mod whole_versions;
mod world;
