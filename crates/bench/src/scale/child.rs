//! A command as a process of its own, and what it took.

use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Result, ensure};

/// What a process took.
pub(super) struct Used {
    pub(super) seconds: f64,
    /// Of all its threads.
    pub(super) cpu_seconds: f64,
    /// The most memory that was resident at one time, with pages of mapped files.
    pub(super) peak_bytes: u64,
}

/// Runs a program in a folder until it ends well. What it prints goes nowhere.
pub(super) fn run_child<'a>(program: &Path, folder: &Path, words: impl Iterator<Item = &'a str>) -> Result<Used> {
    let mut command = Command::new(program);
    command.args(words).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let started = Instant::now();
    let (code, cpu_seconds, peak_bytes) = wait(command.spawn()?)?;
    ensure!(
        code == Some(0),
        "it ended with {}",
        code.map_or("a signal".to_owned(), |code| format!("exit code {code}"))
    );
    Ok(Used { seconds: started.elapsed().as_secs_f64(), cpu_seconds, peak_bytes })
}

/// Waits for a process; gives its exit code, its processor time, and its peak of memory.
#[cfg(unix)]
#[allow(unsafe_code)]
fn wait(child: Child) -> io::Result<(Option<i32>, f64, u64)> {
    let pid = i32::try_from(child.id()).map_err(io::Error::other)?;
    let mut status = 0;
    // SAFETY: it is made of numbers, of which zeros are values.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both places outlive the call, and nobody else waits for this process.
    while unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) } < 0 {
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    let code = libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status));
    // Linux counts memory in KiB, macOS in bytes.
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    Ok((code, seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss as u64 * unit))
}

#[cfg(not(unix))]
fn wait(mut child: Child) -> io::Result<(Option<i32>, f64, u64)> {
    let status = child.wait()?;
    Ok((status.code(), f64::NAN, 0))
}
