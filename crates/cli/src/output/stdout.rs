//! Standard output.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::panicking;

/// Whether anything went to standard output.
static PRINTED: AtomicBool = AtomicBool::new(false);

/// Standard output. What is still on its way when a command is given up goes nowhere.
pub(crate) struct Stdout(io::Stdout);

/// Standard output.
pub(crate) fn stdout() -> Stdout {
    Stdout(io::stdout())
}

/// Whether anything went to standard output.
pub(crate) fn has_printed() -> bool {
    PRINTED.load(Ordering::SeqCst)
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if panicking() {
            return Ok(bytes.len());
        }
        PRINTED.store(true, Ordering::SeqCst);
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
