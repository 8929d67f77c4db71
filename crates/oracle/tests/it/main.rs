//! Sources and store together: real releases, and random versions against the slow reference.
#![allow(clippy::unwrap_used, missing_docs)]

mod answers;
mod cell_ontology;
mod change_rows;
mod change_rows_law;
mod drift;
mod envo;
mod intervals;
mod law;
mod order;
mod plant_ontology;
mod random;
mod releases;
mod shared;
mod temporal;
mod unknown;
