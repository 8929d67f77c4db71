//! The name of the process that has a graph open for writing. It holds the lock of the catalogue; the name is for messages
//! alone.

use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use timeweft_graph::{Time, TimeUnit};

/// Name of its file.
pub(crate) const FILE: &str = "writer";

/// Names this process. Without a name a message says less, and nothing else.
pub(crate) fn note(dir: &Path) {
    let program = std::env::current_exe().ok().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let since = TimeUnit::Second.format(Time(i64::try_from(since).unwrap_or(i64::MAX)));
    let name = format!("process {} ({}, since {since})", std::process::id(), program.as_deref().unwrap_or("unknown"));
    let _ = fs::write(dir.join(FILE), name);
}

/// How the process that writes named itself.
pub(crate) fn read(dir: &Path) -> Option<String> {
    let name = fs::read_to_string(dir.join(FILE)).ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty() && name.len() < 1024)
}

/// Nothing is written any more.
pub(crate) fn forget(dir: &Path) {
    let _ = fs::remove_file(dir.join(FILE));
}
