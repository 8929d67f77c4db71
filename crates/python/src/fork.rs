//! What becomes of open graphs when the process forks.
//!
//! A child has the memory of its parent and none of its threads: a call that hands work to the pool of threads would wait
//! forever, and a graph that the child drops would let go of the lock that the parent holds. So a child whose parent has
//! opened a graph gets an error for each call, and leaves the parent's graphs as they are.

use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::prelude::*;

use crate::errors::{self, Result};

static OPENED: AtomicBool = AtomicBool::new(false);
static FORKED: AtomicBool = AtomicBool::new(false);

/// Notes that a graph is opened.
///
/// # Errors
/// `ForkError` in a child whose parent has opened one.
pub(crate) fn opening() -> Result<()> {
    if forked() {
        let message = "the process was forked after it had opened a graph, and the child has none of its threads: use the \
                       start method `spawn` (multiprocessing.get_context('spawn')), or threads";
        return Err(errors::named("ForkError", message));
    }
    OPENED.store(true, Ordering::Release);
    Ok(())
}

/// Whether this process was forked by one that had opened a graph.
pub(crate) fn forked() -> bool {
    FORKED.load(Ordering::Acquire)
}

/// Called in a child that was just forked: whether the parent had opened a graph.
#[pyfunction]
pub(crate) fn after_fork() -> bool {
    FORKED.fetch_or(OPENED.load(Ordering::Acquire), Ordering::AcqRel);
    forked()
}
