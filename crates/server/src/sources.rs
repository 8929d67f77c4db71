//! Sources that a load names by path: only below one folder, with links followed first.

use std::fs;
use std::path::{Path, PathBuf};

use timeweft::load::tables::{TablesOptions, files};

use crate::problem::{Code, Problem};

/// Files of a folder that are looked at, at most.
const MOST: usize = 10_000;

/// Where a named source lies, if it, and all that it leads to, lies below the folder of sources.
pub(crate) fn find(sources: Option<&Path>, named: &str) -> Result<PathBuf, Problem> {
    let Some(sources) = sources else {
        let problem = Problem::new(Code::Forbidden, "source: this server takes no paths");
        return Err(problem.hint("Start it with --sources DIR, or upload the file."));
    };
    // What is outside and what is not there sound alike, so that nobody asks for what there is.
    let path = sources.join(named).canonicalize().ok().filter(|path| path.starts_with(sources));
    let path =
        path.ok_or_else(|| Problem::not_found(format!("source: there is no `{named}` below the folder of sources")))?;
    let mut left = MOST;
    check(sources, &path, named, &mut left)?;
    Ok(path)
}

/// An error if a link in a folder, or a mapping, leads out.
fn check(sources: &Path, path: &Path, named: &str, left: &mut usize) -> Result<(), Problem> {
    let leads_out = || {
        let message = format!("source: `{named}` leads out of the folder of sources");
        Problem::new(Code::Forbidden, message).hint("Put the files themselves there, not links.")
    };
    *left = left.checked_sub(1).ok_or_else(|| Problem::bad(format!("source: `{named}` has more than {MOST} files")))?;
    let real = path.canonicalize().ok().filter(|real| real.starts_with(sources)).ok_or_else(leads_out)?;
    if real.is_dir() {
        let entries = fs::read_dir(&real).map_err(|error| Problem::bad(format!("source: {named}: {error}")))?;
        for entry in entries.flatten() {
            check(sources, &entry.path(), named, left)?;
        }
    } else if real.extension().is_some_and(|extension| extension == "toml") {
        let mapped = files(&real, &TablesOptions::default()).map_err(timeweft::Error::from)?;
        for file in mapped {
            // One that is not there is for the load to tell.
            let is_inside = match file.canonicalize() {
                Ok(file) => file.starts_with(sources),
                Err(_) => !file.components().any(|part| part.as_os_str() == "..") && file.starts_with(sources),
            };
            if !is_inside {
                return Err(leads_out());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn nothing_leads_out() {
        let dir = tempfile::tempdir().unwrap();
        let sources = dir.path().canonicalize().unwrap().join("sources");
        fs::create_dir_all(sources.join("dump")).unwrap();
        fs::write(sources.join("mail.csv"), "src,dst,time\n").unwrap();
        fs::write(dir.path().join("secret.csv"), "src,dst,time\n").unwrap();
        let code = |named: &str| find(Some(&sources), named).map_err(|problem| problem.code);
        assert_eq!(code("mail.csv"), Ok(sources.join("mail.csv")));
        assert_eq!(code("dump"), Ok(sources.join("dump")));
        for outside in ["../secret.csv", "dump/../../secret.csv", "/etc/passwd", "none.csv", "mail.csv/x", "a\0b"] {
            assert_eq!(code(outside), Err(Code::NotFound), "{outside}");
        }
        let secret = dir.path().join("secret.csv").display().to_string();
        let mapping = "[version]\nnamespace = \"a\"\nload_version = \"1\"\nload_timestamp = 1\nunit = \"s\"\n";
        fs::write(
            sources.join("map.toml"),
            format!("{mapping}[[node]]\nfile = \"{secret}\"\ntype = \"n\"\nid = \"src\"\n"),
        )
        .unwrap();
        assert!(code("map.toml").is_err());
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(dir.path().join("secret.csv"), sources.join("link.csv")).unwrap();
            std::os::unix::fs::symlink("/etc", sources.join("dump/etc")).unwrap();
            assert_eq!(code("link.csv"), Err(Code::NotFound));
            assert_eq!(code("dump"), Err(Code::Forbidden));
        }
        assert_eq!(find(None, "mail.csv").map_err(|problem| problem.code), Err(Code::Forbidden));
    }
}
