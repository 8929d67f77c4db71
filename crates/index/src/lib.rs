//! The graph laid out for reading: as of any time, by name or by dense number.
//!
//! An [`Index`] takes in events one by one by the same law as `timeweft_graph::reference` and gives the same answers,
//! but a point query costs O(log degree + answer). What only models ask for (facts, most recent neighbors, pair
//! counters) is made on first use and kept up from then on.
//!
//! | file | holds |
//! |---|---|
//! | `apply`, `check` | the law of ingestion |
//! | `node`, `edge`, `merge`, `life` | elements and their lives |
//! | `column`, `values` | features, when they hold, and their values |
//! | `adjacency` | edges at nodes by type and side, sorted by time |
//! | `recent` | most recent neighbors over all types and both sides |
//! | `pairs` | edges from one node to another |
//! | `recency` | counters of sources, destinations |
//! | `order` | the order of keys, by number |
//! | `log`, `fact` | the accepted events, packed; and as models read them |
//! | `diff` | what differs between two states, of one commit or of two |
//! | `view` | the answers of [`timeweft_graph::GraphView`] |
//! | `live`, `past` | what lives now, and every life ever, by namespace |
//! | `own_diff` | what changed in what one namespace holds |
//! | `shares` | which namespaces hold an element, and what each says of it |
//! | `lives` | whole lives taken in, in any order of time |
//! | `fresh_file` | files that are begun anew, for snapshots and what the store and learning write |
//! | `array`, `blocks`, [`damage`] | what all of it lies in, in memory or in a file, and what is damaged there |
//! | `snapshot`, `compare` | the index in a file; whether two say the same |
//! | `join` | a whole version taken in: what is new, changed, gone |
//! | [`query`] | what people ask of hierarchies and names |
//! | [`features`] | features of many nodes or edges at once |
//! | [`sample`] | what training asks of many nodes at once: counts, neighbors, samples, walks |

mod adjacency;
mod apply;
mod array;
mod blocks;
mod check;
mod column;
mod compare;
pub mod damage;
mod diff;
mod edge;
mod fact;
pub mod features;
mod fresh_file;
mod ids;
mod index;
mod join;
mod late;
mod life;
mod live;
mod lives;
mod log;
mod merge;
mod missing;
mod names;
mod node;
mod order;
mod own_diff;
mod pairs;
mod past;
pub mod query;
mod recency;
mod recent;
#[cfg(unix)]
mod region;
mod replay;
pub mod sample;
mod shares;
mod slots;
mod snapshot;
mod used;
mod values;
mod view;
mod widen;

pub use diff::{Change, ChangeCounts, ChangeKind, Changes, Comparison};
pub use fact::Fact;
pub use fresh_file::create_fresh;
pub use index::Index;
pub use join::{Join, Joined, Step};
pub use late::Births;
pub use live::{LiveEdge, LiveNode};
pub use lives::Lives;
pub use recency::Recency;
pub use recent::Neighbor;
pub use snapshot::SnapshotError;
pub use used::TypeSet;
pub use widen::NotExact;

/// "None" among 32-bit numbers of lives, lists, tracks, names and values.
const NONE: u32 = u32::MAX;
