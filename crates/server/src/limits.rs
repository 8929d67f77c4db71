//! What one client may ask, so that the others are still answered.

use std::time::Duration;

/// Limits of a server.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of a body that is no upload.
    pub body: usize,
    /// Bytes of an upload.
    pub upload: u64,
    /// How long the body of a request that is no upload may take to come in.
    pub body_time: Duration,
    /// How long a client may send nothing of a header or a body, or take in nothing of an answer.
    pub stall: Duration,
    /// How long a read may take.
    pub read: Duration,
    /// Questions that are answered at once.
    pub at_once: usize,
    /// How long a question waits for its turn.
    pub turn: Duration,
    /// Connections at once.
    pub connections: usize,
    /// Loads that wait for a graph, with the one that runs.
    pub jobs: usize,
    /// Rows of a page.
    pub rows: usize,
    /// Roots of a question about many nodes.
    pub roots: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            body: 64 << 20,
            upload: 8 << 30,
            body_time: Duration::from_secs(30),
            stall: Duration::from_secs(10),
            read: Duration::from_secs(10),
            at_once: 64,
            turn: Duration::from_secs(1),
            connections: 8_192,
            jobs: 16,
            rows: 1_000,
            roots: 100_000,
        }
    }
}
