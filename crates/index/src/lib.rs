//! The graph laid out for reading: as of any time, by name or by dense number.
//!
//! An [`Index`] takes in events one by one by the same law as `timeweft_oracle::ReferenceGraph` and gives the same answers,
//! but a point query costs O(log degree + answer). What only models ask for (facts, most recent neighbors, pair
//! counters) is made on first use and kept up from then on.
//!
//! | folder | holds |
//! |---|---|
//! | `memory` | arrays in memory or in a mapped file, and what is [`damage`]d there |
//! | `feature_store` | features: when they hold, and their values |
//! | `elements` | nodes, edges, merges and their lives; ids and names; the accepted events |
//! | `adjacency` | edges at nodes by type and side, sorted by time; edges from one node to another |
//! | `intake` | the law of ingestion: events, chunks of creates, whole lives, whole versions |
//! | `answers` | the answers of [`timeweft_graph::GraphView`], differences, facts and counters |
//! | [`features`] | features of many nodes or edges at once |
//! | [`query`] | what people ask of hierarchies and names |
//! | [`sample`] | what training asks of many nodes at once: counts, neighbors, samples, walks |
//! | `snapshot` | the index in a file; whether two say the same |

mod adjacency;
mod answers;
mod elements;
mod feature_store;
pub mod features;
mod index;
mod intake;
mod memory;
mod parallel;
pub mod query;
pub mod sample;
mod snapshot;

pub use answers::columns::{EdgeColumns, NodeColumns};
pub use answers::diff::{Change, ChangeCounts, ChangeKind, ChangeList, ChangePlace, Changes, Comparison};
pub use answers::history::Happening;
pub use answers::incident::{EdgeOrder, Incident};
pub use answers::labels::LABELS;
pub use answers::live::{LiveEdge, LiveNode};
pub use answers::neighborhood::{Expansion, More, NearEdge, NearNode, Neighborhood, Surroundings};
pub use answers::recency::Recency;
pub use answers::recent::Neighbor;
pub use answers::timeline::Timeline;
pub use answers::used::TypeSet;
pub use elements::fact::Fact;
pub use index::Index;
pub use intake::join::{LoadedVersion, LogStep, VersionLoader};
pub use intake::late::Births;
pub use intake::lives::LifeLoader;
pub use intake::widen::NotExact;
pub use memory::damage;
pub use memory::fresh_file::create_fresh;
pub use snapshot::SnapshotError;

/// "None" among 32-bit numbers of lives, lists, feature rows, names and values.
const NONE: u32 = u32::MAX;
