//! Time on the wall beside time of cores: the first depends on who else is on the machine.

use std::ops::Sub;
use std::time::Instant;

/// Seconds.
#[derive(Clone, Copy, Default)]
pub(crate) struct Seconds {
    pub(crate) wall: f64,
    /// All threads of the process together.
    pub(crate) cores: f64,
}

impl Sub for Seconds {
    type Output = Seconds;

    fn sub(self, other: Seconds) -> Seconds {
        Seconds { wall: self.wall - other.wall, cores: self.cores - other.cores }
    }
}

/// A moment on both clocks.
pub(crate) struct Clock {
    wall: Instant,
    cores: f64,
}

impl Clock {
    pub(crate) fn now() -> Clock {
        Clock { wall: Instant::now(), cores: cores() }
    }

    pub(crate) fn elapsed(&self) -> Seconds {
        Seconds { wall: self.wall.elapsed().as_secs_f64(), cores: cores() - self.cores }
    }
}

/// Seconds that cores have spent on this process.
#[allow(unsafe_code, reason = "the clock of the process is a call of the system")]
pub(crate) fn cores() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes to the variable that it is given.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}
