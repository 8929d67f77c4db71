//! The threads of a load: one reads and fills chunks, one takes them into the index, one writes the log.
//!
//! A chunk lives from its reading to its writing, and is filled anew then. Only a few do at a time, so the memory of a load is
//! that of the graph and little more.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use timeweft_graph::rows::Rows;
use timeweft_graph::threads::{Crew, Pipe, Task};

use crate::StoreError;

/// The most chunks that wait between two threads.
const WAITING: usize = 3;

/// Where full chunks go, and where used ones come from.
pub(crate) struct Chunks<C> {
    full: Pipe<C>,
    used: Receiver<Rows>,
    idle: Vec<Rows>,
}

impl<C> Chunks<C> {
    /// Hands a chunk on and gives one to fill; none once the load has failed, which tells why itself.
    pub(crate) fn send(&mut self, chunk: C) -> Option<Rows> {
        self.full.send(chunk).ok()?;
        // The one used last is the likeliest to be in a cache.
        self.idle.extend(self.used.try_iter());
        Some(self.idle.pop().unwrap_or_default())
    }
}

/// Runs the three parts of a load side by side, or one after the other where there are no threads. `take` runs on the calling
/// thread and gets the chunks, the reading to wait for, and where work for the log goes. `write` gives chunks back.
pub(crate) fn run<C: Send, W: Send, R: Send, T, L: Send>(
    read: impl FnOnce(Chunks<C>) -> R + Send,
    take: impl FnOnce(Receiver<C>, Task<'_, R>, Pipe<W>) -> T,
    write: impl FnOnce(Receiver<W>, Sender<Rows>) -> Result<L, StoreError> + Send,
) -> Result<(T, L), StoreError> {
    thread::scope(|scope| {
        let mut crew = Crew::of(2, scope);
        let (full, arriving) = crew.pipe(WAITING);
        let (work, to_write) = crew.pipe(WAITING);
        let (spent, used) = channel();
        let reader = crew.ahead(move || read(Chunks { full, used, idle: Vec::new() }));
        let writer = crew.behind(move || write(to_write, spent));
        let taken = take(arriving, reader, work);
        Ok((taken, joined(writer)??))
    })
}

/// What a thread of the load came to.
pub(crate) fn joined<T>(task: Task<'_, T>) -> Result<T, StoreError> {
    task.join().map_err(|_| StoreError::broken_down())
}
