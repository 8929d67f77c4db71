//! Two cores for a training step: one computes, the other prepares what comes next and then helps.

use std::sync::atomic::{
    AtomicBool, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

use rayon::Yield;

/// Turns without work after which a thread that waits lets others run.
const PATIENCE: u32 = 1 << 12;

/// Runs work, and beside it what is to be ready next, both on threads of the pool.
///
/// Operations of a step take some ten microseconds each, no longer than a thread of the pool that has gone to sleep needs to
/// wake up. So the thread that is done with preparing stays awake and takes parts of the work until all of it is done.
pub(crate) fn on_two_cores<A: Send, B: Send>(
    work: impl FnOnce() -> A + Send,
    prepare: impl FnOnce() -> B + Send,
) -> (A, B) {
    let (worker, done) = (AtomicUsize::new(usize::MAX), Done(AtomicBool::new(false)));
    let work = || {
        worker.store(rayon::current_thread_index().unwrap_or(usize::MAX), Release);
        // Also if it panics: nobody waits for it then.
        let _done = &Ending(&done);
        work()
    };
    let prepare = || {
        let prepared = prepare();
        // The thread that works may come by here while it waits for a part that another took: it must go on.
        if rayon::current_thread_index() != Some(worker.load(Acquire)) {
            help_until(&done);
        }
        prepared
    };
    rayon::join(work, prepare)
}

struct Done(AtomicBool);

struct Ending<'a>(&'a Done);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.0.store(true, Release);
    }
}

fn help_until(done: &Done) {
    let mut idle = 0;
    while !done.0.load(Relaxed) {
        match rayon::yield_now() {
            Some(Yield::Executed) => idle = 0,
            Some(Yield::Idle) if idle < PATIENCE => {
                idle += 1;
                std::hint::spin_loop();
            }
            Some(Yield::Idle) => std::thread::yield_now(),
            None => return,
        }
    }
}
