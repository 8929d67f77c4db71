//! Tests of the store.
//!
//! `histories`: what is stored equals the oracle at every commit. `versions`: whole versions, with the conformance
//! cases by their ids. `loads`: policies and the registry. `crash`: a process that is killed. `damage`: files that are
//! not what was written, and disks that are full.

#![allow(clippy::unwrap_used)]

mod crash;
mod d_cases;
mod damage;
mod histories;
mod loads;
mod merges;
mod oracle;
mod r_cases;
mod readers;
mod rollback;
mod world;
mod x_cases;
