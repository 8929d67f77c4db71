//! How much a query may take.

use std::time::Duration;

/// How long a query may take, how many rows it may give, and how much memory it may have. No limit where nothing is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Limits {
    /// From the planning of a query to its last batch.
    pub time: Option<Duration>,
    /// Rows of an answer; [`Answer::is_truncated`](crate::Answer::is_truncated) tells that there were more.
    pub rows: Option<usize>,
    /// Bytes of what joins, sorts and groups keep. Nothing is put on disk instead.
    pub memory: Option<usize>,
    /// Partitions of a scan; as many as there are threads where nothing is said.
    pub threads: Option<usize>,
}
