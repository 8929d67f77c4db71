//! The threads that queries run on: one pool of a process, started with the first query.
//!
//! They are not those of whoever asks: a query computes for long, and an asynchronous server must not wait for it.

use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};

use crate::{Error, Result};

/// Deep expressions are planned by recursion.
const STACK: usize = 8 << 20;

/// The pool.
pub(crate) fn runtime() -> Result<&'static Runtime> {
    static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();
    let start = || {
        let builder = || {
            let mut builder = Builder::new_multi_thread();
            builder.thread_name("timeweft-sql").thread_stack_size(STACK).enable_time();
            builder
        };
        // A process may be allowed few threads.
        builder().worker_threads(threads()).build().or_else(|_| builder().worker_threads(1).build()).ok()
    };
    RUNTIME.get_or_init(start).as_ref().ok_or_else(|| Error::Failed {
        message: "no thread can be started for the query: the process may have no more of them".into(),
    })
}

/// How many there are.
pub(crate) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
