//! Files that are begun anew, whatever lies under their name.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

/// Makes a file for reading and writing that was not there. What lies there of an earlier run is removed; so is a link, which
/// is never followed: another writer of the folder cannot lead the writing elsewhere.
///
/// # Errors
/// If the file cannot be made, or what lies there is a folder.
pub fn create_fresh(path: &Path) -> io::Result<File> {
    let create = || OpenOptions::new().read(true).write(true).create_new(true).open(path);
    match create() {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(path)?;
            create()
        }
        made => made,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write;

    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_planted_link_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let [outside, path] = ["outside", "0000000001.tmp"].map(|name| folder.path().join(name));
        fs::write(&outside, "precious").unwrap();
        std::os::unix::fs::symlink(&outside, &path).unwrap();
        create_fresh(&path).unwrap().write_all(b"new").unwrap();
        assert_eq!(fs::read_to_string(&outside).unwrap(), "precious");
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert!(fs::symlink_metadata(&path).unwrap().is_file());
        assert!(create_fresh(folder.path()).is_err(), "a folder stays");
    }
}
