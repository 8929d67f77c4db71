//! Durability: every state of the graph, kept in a directory, loaded whole or not at all (laws 1 to 3).
//!
//! ```
//! use timeweft_graph::{Action, At, Element, Event, GraphView, NodeKey, Record, Schema, Time, TimeUnit};
//! use timeweft_store::{LoadRequest, Store};
//!
//! let dir = tempfile::tempdir()?;
//! let mut store = Store::create(dir.path(), Schema::new(TimeUnit::Step))?;
//! let event = Event::new(Time(1), Action::Create, Element::Node(NodeKey::new("user", 7)));
//! let report = store.load(LoadRequest::new("example", "<example>"), |sink| {
//!     sink.record(Record::Event(event), 1);
//!     Ok(())
//! })?;
//! assert_eq!(report.accepted, 1);
//! drop(store);
//!
//! let store = Store::open(dir.path())?;
//! assert_eq!(store.view().counts(At::now()).nodes, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # On disk
//!
//! | path | holds |
//! |---|---|
//! | `catalogue.redb` | format version, schema by commit, registry of loads, list of segments, events of small loads |
//! | `log/p0-<load>-<part>.arrow` | events of a large load: an Arrow IPC file, never changed once it has its name |
//! | `index/<commit>.snapshot` | the index at a commit, mapped at opening; it may be deleted and is made anew by [`Store::write_snapshot`] |
//!
//! A segment is written under a temporary name, made durable, renamed, and its directory made durable; then one
//! transaction of the catalogue refers to it with its length and CRC-32C, and so makes the load visible. Opening
//! removes files that nothing refers to. Small loads keep the same bytes in the catalogue itself.
//!
//! Nothing is ever taken out. A rollback is a record that names the load it takes back, a back-dated version one that names
//! the load it comes before, and a load with late events one that names the load from which on all are taken in together,
//! in order of time; each may bring segments that stand for those of other loads. The records up to a
//! commit say which segments, in which order, make the graph at that commit.
//!
//! Columns of a segment: `time` (int64, in the unit that the file's metadata names), `action`, `entity`, `source_type`,
//! `relation`, `destination_type` (dictionaries of names), `source_id`, `destination_id`, `key` (text), `ended` (names
//! of the features whose value the event ends), and one column a feature, named `type.feature` or
//! `source -relation-> destination.feature`. Merges have `from` as source, `into` as destination, and features named
//! `merge.feature`.

mod catalogue;
mod error;
mod folder;
mod ledger;
mod load;
mod log;
mod manifest;
mod open;
mod rehearsal;
mod rollback;
mod snapshot;
mod splice;
mod store;
mod verify;
mod writer_name;

pub use error::StoreError;
pub use folder::{FORMAT, Made};
pub use load::{
    ActionCounts, ClippedCounts, Dropped, EventCounts, KEPT_REJECTS, Late, LoadRecord, LoadReport, LoadRequest,
    OrderReport, ReadError, Repeats, RowCounts, SpliceReport,
};
pub use log::effective::Effective;
pub use rollback::{LoadState, RollbackReport};
pub use store::Store;
pub use timeweft_graph::Dangling;
pub use verify::VerifyReport;
