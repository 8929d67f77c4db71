//! Loads: what is asked, what came of it, and what the registry keeps.

pub(crate) mod content_hash;
mod gathered;
pub(crate) mod ingest;
mod intervals;
pub(crate) mod loading;
mod pipeline;
mod read_ahead;
mod record;
mod report;
mod request;
mod source;
mod stream;
mod version;

pub use record::LoadRecord;
pub use report::{ActionCounts, ClippedCounts, Dropped, EventCounts, LoadReport, OrderReport, RowCounts, SpliceReport};
pub use request::{KEPT_REJECTS, Late, LoadRequest, Repeats};
pub use source::ReadError;
