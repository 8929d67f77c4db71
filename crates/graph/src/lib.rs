//! The vocabulary of timeweft: what a temporal heterogeneous graph is, without any I/O.
//!
//! Every other crate speaks in these words.
//!
//! | word | type |
//! |---|---|
//! | time, unit | [`Time`], [`TimeUnit`] |
//! | interval `[created, removed)` | [`Interval`] |
//! | node, edge | [`NodeKey`], [`EdgeKey`] |
//! | feature value | [`Value`] |
//! | schema | [`Schema`] |
//! | event | [`Event`] |
//! | rejected record | [`Reject`] |
//! | view | [`At`], [`GraphView`] |

// Snapshots, values and columns of the log are used as they lie in their files, which are little-endian.
#[cfg(target_endian = "big")]
compile_error!("timeweft needs a little-endian machine: it reads the arrays of its files as they lie");

pub mod delta;
mod element;
mod event;
mod id;
mod link;
mod reject;
pub mod rows;
mod schema;
mod sink;
mod span_rows;
pub mod spans;
mod stop;
pub mod threads;
mod time;
mod value;
mod version;
mod view;

pub use delta::{Dangling, DeltaError, DeltaOptions, DeltaReport};
pub use element::{ElementRef, IdRef};
pub use event::{Action, Element, ElementKind, Event, Features, last_values};
pub use id::{Commit, EdgeIndex, EdgeKey, ExternalId, LONGEST_NAME, LoadId, Name, NodeIndex, NodeKey};
pub use link::{Link, LinkEnd};
pub use reject::{Place, Reason, Reject, Rejects, Scope, Unreadable};
pub use schema::{EdgeType, EdgeTypeId, FeatureDef, FeatureId, NodeType, NodeTypeId, Owner, OwnerName, Schema};
pub use sink::{Record, Sink, send_events};
pub use span_rows::{Mark, SpanRows};
pub use spans::{EdgeSpan, NodeSpan, ValueSpan, ValueSpans};
pub use stop::Stop;
pub use time::{Interval, Time, TimeError, TimeUnit};
pub use value::{
    DType, Dense, FeatureKind, ListOrder, NumberType, Numbers, SmallValue, Sparse, SparseBytes, Value, ValueBytes,
    ValueRef, f16, not_finite,
};
pub use version::{Format, ListedDeletion, ListedMerge};
pub use view::{
    At, Counts, Deletes, Diff, Direction, EdgeState, ElementHistory, FeatureSpan, GraphView, Life, MergeRecord,
    NodeState, Updated,
};
