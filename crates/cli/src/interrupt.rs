//! Ctrl-C while something runs that can end well early: the first one asks for that, the next one ends the program.

use std::io;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag::{register, register_conditional_shutdown};

/// Whether an end was asked for.
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

/// Has a file that grows beyond the limit of file sizes (`ulimit -f`) fail as on a full disk, so that it can be told. Else the
/// system ends the program without a word.
#[cfg(unix)]
pub(crate) fn survive_limit_of_files() {
    // Without a handler the program ends as it would anyway.
    let _ = register(signal_hook::consts::SIGXFSZ, Arc::default());
}

#[cfg(not(unix))]
pub(crate) fn survive_limit_of_files() {}

/// How often [`Guard`] looks whether an end was asked for: no person waits for that.
const OFTEN: Duration = Duration::from_millis(20);

/// While it lives, a wish for an end ends the program, and something is put right before. For what cannot look itself
/// whether an end was asked for, such as one who waits for standard input.
pub(crate) struct Guard {
    /// Hung up at the end.
    over: Option<Sender<()>>,
    watcher: Option<JoinHandle<()>>,
}

impl Guard {
    /// Watches; `put_right` runs beside what is interrupted, which does not go on when this guard is dropped.
    pub(crate) fn new(put_right: impl FnOnce() + Send + 'static) -> io::Result<Guard> {
        let (over, is_over) = channel::<()>();
        let interrupt = Interrupt::watch()?;
        let watch = move || {
            let mut is_last = false;
            while !is_last && !interrupt.is_asked() {
                is_last = is_over.recv_timeout(OFTEN) == Err(RecvTimeoutError::Disconnected);
            }
            if interrupt.is_asked() {
                put_right();
                process::exit(i32::from(Interrupt::CODE));
            }
        };
        // Where no thread can be had, the first wish ends the program, and nothing is put right.
        Ok(Guard { over: Some(over), watcher: thread::Builder::new().spawn(watch).ok() })
    }
}

impl Drop for Guard {
    /// Waits for the watcher, so that no message comes of what is being put right.
    fn drop(&mut self) {
        drop(self.over.take());
        if let Some(watcher) = self.watcher.take() {
            let _ = watcher.join();
        }
    }
}
