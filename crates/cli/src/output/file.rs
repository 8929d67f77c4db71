//! Files that appear whole or not at all, and places where none may be written.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use timeweft::export::create_fresh;

/// What a graph folder is known by.
const CATALOGUE: &str = "catalogue.redb";

/// The folders in it.
const FOLDERS: [&str; 3] = ["index", "log", "models"];

/// Has a file written and puts it in its place when it is complete, for an older one too. If anything fails, or if this
/// process is killed, nothing is left. Nothing is written into a graph, nor over what is no regular file.
pub(crate) fn write_whole<T>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    check_place(path)?;
    // What a link leads to is replaced, not the link.
    replace(&path.canonicalize().unwrap_or_else(|_| path.to_owned()), write)
}

/// The same for a place that was checked, or is one of the graph's own. A link there is replaced.
pub(crate) fn replace<T>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let cannot = || format!("cannot write {}", path.display());
    let draft = Draft::new(path).with_context(cannot)?;
    let written = draft.file.try_clone().with_context(cannot).and_then(|file| {
        let mut out = BufWriter::new(file);
        let answer = write(&mut out)?;
        out.flush().with_context(cannot)?;
        Ok(answer)
    });
    match written {
        Ok(answer) => draft.publish(path).with_context(cannot).map(|()| answer),
        Err(error) => {
            draft.drop();
            Err(error)
        }
    }
}

/// An error if no file may be written there: a graph keeps its own files there, or what is there is no regular file.
pub(crate) fn check_place(path: &Path) -> anyhow::Result<()> {
    check_graph(path)?;
    match fs::metadata(path) {
        Ok(facts) if facts.is_dir() => {
            bail!("cannot write {}: it is a folder: give the name of a file", path.display())
        }
        Ok(facts) if !facts.is_file() => bail!(
            "cannot write {}: it is a device or a pipe, and a file is put in place whole: give the name of a file",
            path.display()
        ),
        _ => Ok(()),
    }
}

/// An error if a graph keeps its own files there, also by a link.
pub(crate) fn check_graph(path: &Path) -> anyhow::Result<()> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let place = path.canonicalize().or_else(|_| Ok::<_, io::Error>(folder.canonicalize()?.join("new")));
    let Ok(place) = place else { return Ok(()) };
    let is_own = |graph: &Path| {
        let mut inner = place.strip_prefix(graph).unwrap_or(&place).components();
        let first = inner.next().map(|first| first.as_os_str().to_owned());
        let is_in_folder = first.is_some_and(|first| FOLDERS.iter().any(|name| first == *name));
        (is_in_folder || inner.next().is_none()) && graph.join(CATALOGUE).is_file()
    };
    if let Some(graph) = place.ancestors().skip(1).find(|graph| is_own(graph)) {
        bail!(
            "cannot write {}: {} is a graph, whose files are its own: give a name elsewhere",
            path.display(),
            graph.display()
        );
    }
    Ok(())
}

/// Whether two paths lead to one file.
pub(crate) fn is_same_file(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

/// A file in the making.
struct Draft {
    file: File,
    /// Its name while it is made; none where the system makes files without a name, which go with their process.
    name: Option<PathBuf>,
}

impl Draft {
    fn new(path: &Path) -> io::Result<Draft> {
        if let Some(file) = nameless(path) {
            return Ok(Draft { file, name: None });
        }
        let name = beside(path);
        Ok(Draft { file: create_fresh(&name)?, name: Some(name) })
    }

    /// Puts the file in its place.
    fn publish(self, path: &Path) -> io::Result<()> {
        let publish = || {
            self.file.sync_all()?;
            let name = match &self.name {
                Some(name) => name.clone(),
                None => named(&self.file, beside(path))?,
            };
            fs::rename(&name, path).inspect_err(|_| remove(&name))
        };
        publish().inspect_err(|_| self.name.iter().for_each(|name| remove(name)))
    }

    fn drop(self) {
        self.name.iter().for_each(|name| remove(name));
    }
}

/// What was written of it is of no use; that it could not be written is what matters.
fn remove(name: &Path) {
    let _ = fs::remove_file(name);
}

fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".partial");
    name.into()
}

/// A file without a name in the same folder, where the system has such.
#[cfg(target_os = "linux")]
fn nameless(path: &Path) -> Option<File> {
    use rustix::fs::{Mode, OFlags};
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mode = Mode::from_raw_mode(0o666);
    rustix::fs::open(folder, OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC, mode).ok().map(File::from)
}

#[cfg(not(target_os = "linux"))]
fn nameless(_: &Path) -> Option<File> {
    None
}

/// Gives a file without a name this one.
#[cfg(target_os = "linux")]
fn named(file: &File, name: PathBuf) -> io::Result<PathBuf> {
    use rustix::fs::{AtFlags, CWD};
    use std::os::fd::AsRawFd;
    let open = format!("/proc/self/fd/{}", file.as_raw_fd());
    let link = || rustix::fs::linkat(CWD, &*open, CWD, &name, AtFlags::SYMLINK_FOLLOW);
    match link() {
        Err(rustix::io::Errno::EXIST) => {
            fs::remove_file(&name)?;
            link()?;
        }
        linked => linked?,
    }
    Ok(name)
}

#[cfg(not(target_os = "linux"))]
fn named(_: &File, name: PathBuf) -> io::Result<PathBuf> {
    Ok(name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn write(path: &Path, text: &str) -> anyhow::Result<()> {
        write_whole(path, |out| Ok(out.write_all(text.as_bytes())?))
    }

    #[test]
    fn nothing_lies_in_the_folder_until_the_file_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.jsonl");
        fs::write(folder.path().join("x.jsonl.partial"), "of an earlier run").unwrap();
        write(&path, "first").unwrap();
        let failed = write_whole(&path, |out| {
            out.write_all(b"second")?;
            out.flush()?;
            let there: Vec<_> = fs::read_dir(folder.path())?.map(|entry| entry.unwrap().file_name()).collect();
            bail!("{there:?}") as anyhow::Result<()>
        });
        if nameless(&path).is_some() {
            assert_eq!(failed.unwrap_err().to_string(), "[\"x.jsonl\"]");
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_named_draft_does_the_same_where_files_have_names() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let name = beside(&path);
        fs::write(&name, "of an earlier run").unwrap();
        let draft = Draft { file: create_fresh(&name).unwrap(), name: Some(name.clone()) };
        draft.publish(&path).unwrap();
        assert!(path.exists() && !name.exists());
        let draft = Draft { file: create_fresh(&name).unwrap(), name: Some(name.clone()) };
        assert!(draft.publish(folder.path()).is_err(), "a folder stands there");
        assert!(!name.exists());
    }

    #[cfg(unix)]
    #[test]
    fn devices_are_refused_and_links_stay_what_they_are() {
        // Only asked, never written: a fault here must not cost a user a device.
        for device in ["/dev/null", "/dev/full"] {
            let error = check_place(Path::new(device)).unwrap_err().to_string();
            assert!(error.contains(device) && error.contains("a device or a pipe"), "{error}");
        }
        let folder = tempfile::tempdir().unwrap();
        let [path, link, draft, socket] = ["x", "link", "x.partial", "s"].map(|name| folder.path().join(name));
        let _listens = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert!(write(&socket, "x").unwrap_err().to_string().contains("a device or a pipe"));
        fs::write(&path, "old").unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        write(&link, "new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        // A link that was planted under the name of the draft leads nowhere.
        let outside = folder.path().join("outside");
        fs::write(&outside, "precious").unwrap();
        std::os::unix::fs::symlink(&outside, &draft).unwrap();
        write(&path, "newer").unwrap();
        assert_eq!(fs::read_to_string(&outside).unwrap(), "precious");
        assert_eq!(fs::read_to_string(&path).unwrap(), "newer");
        // In a place of the graph's own the link is replaced.
        replace(&link, |out| Ok(out.write_all(b"own")?)).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_file());
        assert_eq!(fs::read_to_string(&path).unwrap(), "newer");
    }

    #[test]
    fn a_graph_keeps_its_files() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(CATALOGUE), "graph").unwrap();
        fs::create_dir(folder.path().join("log")).unwrap();
        fs::create_dir_all(folder.path().join("models/old")).unwrap();
        fs::create_dir_all(folder.path().join("notes")).unwrap();
        for name in [CATALOGUE, "new.jsonl", "log/1.arrow", "models/old/x.html"] {
            let error = write(&folder.path().join(name), "x").unwrap_err().to_string();
            assert!(error.contains("is a graph"), "{error}");
        }
        write(&folder.path().join("notes/mine.txt"), "x").unwrap();
        #[cfg(unix)]
        {
            let elsewhere = tempfile::tempdir().unwrap();
            let link = elsewhere.path().join("link");
            std::os::unix::fs::symlink(folder.path().join(CATALOGUE), &link).unwrap();
            assert!(write(&link, "x").unwrap_err().to_string().contains("is a graph"), "by a link");
        }
        assert_eq!(fs::read_to_string(folder.path().join(CATALOGUE)).unwrap(), "graph");
    }
}
