//! Ctrl-C while something runs that can end well early: the first one asks for that, the next one ends the program.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag::{register, register_conditional_shutdown};

/// Whether somebody wants an end.
pub(crate) struct Interrupt {
    asked: Arc<AtomicBool>,
}

impl Interrupt {
    /// Exit code of what was interrupted: that of a shell for Ctrl-C.
    pub(crate) const CODE: u8 = 128 + SIGINT as u8;

    /// Takes Ctrl-C and requests to terminate from now on.
    pub(crate) fn watch() -> io::Result<Interrupt> {
        let asked = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order: the signal that sets the flag does not end the program itself.
            register_conditional_shutdown(signal, 128 + signal, asked.clone())?;
            register(signal, asked.clone())?;
        }
        Ok(Interrupt { asked })
    }

    /// Whether an end was asked for.
    pub(crate) fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Drop for Interrupt {
    /// From here on the first one ends the program.
    fn drop(&mut self) {
        self.asked.store(true, Ordering::Relaxed);
    }
}
