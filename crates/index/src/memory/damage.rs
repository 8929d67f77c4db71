//! Damage found while an answer is on its way: it is given up, not given wrong.
//!
//! A snapshot is compared with its hashes block by block, as it is read. Reading an array has no room for an error, and what a
//! damaged block says must not be used for anything: so the question that meets one ends by unwinding, as one that is
//! cancelled does. [`catch`] makes an error of that. Elsewhere it is a panic that says what is damaged.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A part of a snapshot that is not what was written. The log makes the same graph: delete the file.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{}: {problem}", .file.display())]
pub struct Damage {
    /// The snapshot.
    pub file: PathBuf,
    /// What is wrong with it.
    pub problem: String,
}

/// How many calls of [`catch`] are running.
static CATCHING: AtomicUsize = AtomicUsize::new(0);

/// Runs something that reads indexes. If it meets damage, it ends there, and the damage is the error; other panics go on.
///
/// What it was in the middle of changing is left half done: change only what is thrown away then.
///
/// # Errors
/// What is damaged.
pub fn catch<T>(read: impl FnOnce() -> T) -> Result<T, Damage> {
    CATCHING.fetch_add(1, Ordering::SeqCst);
    let result = catch_unwind(AssertUnwindSafe(read));
    CATCHING.fetch_sub(1, Ordering::SeqCst);
    result.map_err(|panic| match panic.downcast::<Damage>() {
        Ok(damage) => *damage,
        Err(panic) => resume_unwind(panic),
    })
}

impl Damage {
    /// Ends the question that met it.
    pub(crate) fn give_up(self) -> ! {
        if CATCHING.load(Ordering::SeqCst) > 0 {
            // The caller reports it: nothing is printed here.
            resume_unwind(Box::new(self));
        }
        panic!("{self}: delete this file: it is a cache, and the log makes it again");
    }
}
