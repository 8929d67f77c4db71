//! A temporal heterogeneous graph engine with learning built in.
//!
//! A [`Graph`] is a directory that keeps every state of a graph that is created, updated and deleted over time. Sources
//! go in as loads, whole or not at all; a [`View`] answers questions as of any time and never changes while it is held.
//!
//! ```
//! use timeweft::{At, Direction, EventOptions, Graph, GraphView, NodeKey, Time, TimeUnit};
//!
//! let dir = tempfile::tempdir()?;
//! let messages = dir.path().join("messages.jsonl");
//! std::fs::write(&messages, r#"{"time":1,"action":"create","entity":"node","source":{"type":"user","id":"ann"}}
//! {"time":1,"action":"create","entity":"node","source":{"type":"item","id":"pen"}}
//! {"time":2,"action":"create","entity":"edge","source":{"type":"user","id":"ann"},"edge":{"type":"buys"},"destination":{"type":"item","id":"pen"}}
//! {"time":5,"action":"delete","entity":"node","source":{"type":"item","id":"pen"}}
//! "#)?;
//!
//! let mut graph = Graph::create(dir.path().join("shop"), TimeUnit::Step)?;
//! let report = graph.load_events(&messages, &EventOptions::default(), &mut |_| {})?;
//! assert_eq!((report.accepted, report.n_rejected), (4, 0));
//!
//! let view = graph.view();
//! let bought = |time| view.degree(&NodeKey::new("user", "ann"), Direction::Out, Some("buys"), At::time(Time(time)));
//! assert_eq!([1, 2, 4, 5].map(bought), [0, 1, 1, 0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod explanation;
pub mod export;
mod graph;
mod learning;
mod load;
mod model_error;
mod stats;
mod view;

pub use error::Error;
pub use graph::Graph;
pub use learning::*;
pub use load::{EventFormat, EventOptions, GitLoad, IntervalOptions, LoadProgress, VersionOptions};
pub use stats::{Stats, TypeCount};
pub use timeweft_graph::{
    Action, At, Commit, Counts, DType, Dangling, Deletes, DeltaError, DeltaReport, Diff, Direction, EdgeIndex, EdgeKey,
    EdgeState, EdgeType, EdgeTypeId, Element, ElementHistory, Event, ExternalId, FeatureDef, FeatureId, FeatureKind,
    FeatureSpan, Features, GraphView, Interval, Life, ListOrder, LoadId, MergeRecord, Name, NodeIndex, NodeKey,
    NodeState, NodeType, NodeTypeId, Owner, Place, Reason, Reject, Rejects, Schema, Time, TimeError, TimeUnit, Updated,
    Value, delta::DeletionReport, delta::ElementReport, delta::Kept, delta::MergeReport, delta::WhySkipped,
};
pub use timeweft_index::{
    Change, ChangeCounts, ChangeKind, Changes, Comparison, Index, TypeSet, create_fresh, damage, features, query,
    sample,
};
pub use timeweft_source::{
    ColumnarOptions, CsvDefaults, CsvOptions, Delimiter, Dialect, EdgeListDefaults, EdgeListOptions, IntervalFormat,
    Layout, Mark, RootsReader, SourceError, VersionFormat, read_text, roots, table_writer, tables, write_event,
    write_event_table,
};
pub use timeweft_store::{
    ActionCounts, EventCounts, KEPT_REJECTS, Late, LoadRecord, LoadReport, LoadRequest, LoadState, Made, OrderReport,
    Repeats, RollbackReport, SpliceReport, StoreError, VerifyReport,
};
pub use view::View;
