//! Files that appear whole or not at all.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// Has a file written beside its place and moves it there when it is complete. If anything fails, nothing is left.
pub(crate) fn write_whole<T>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let cannot = || format!("cannot write {}", path.display());
    let written = File::create(&partial).with_context(cannot).and_then(|file| {
        let mut out = BufWriter::new(file);
        let answer = write(&mut out)?;
        out.flush().and_then(|()| out.get_ref().sync_all()).with_context(cannot)?;
        fs::rename(&partial, path).with_context(cannot)?;
        Ok(answer)
    });
    if written.is_err() {
        // What was written of it is of no use; that it could not be written is what matters.
        let _ = fs::remove_file(&partial);
    }
    written
}
