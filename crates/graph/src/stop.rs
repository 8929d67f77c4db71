//! The wish that work ends early.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Says that work is to end. Clones are one wish: one thread asks, the others look from time to time.
///
/// ```
/// use timeweft_graph::Stop;
/// let stop = Stop::default();
/// let seen_by_a_worker = stop.clone();
/// assert!(!seen_by_a_worker.is_asked());
/// stop.ask();
/// assert!(seen_by_a_worker.is_asked());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks for the end. It cannot be taken back.
    pub fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the end was asked for.
    pub fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
