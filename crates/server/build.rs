//! The page is part of the program: its files, as `web/` builds and commits them, become a list in the code.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What of the build is served: the rest is for others.
const SERVED: [&str; 3] = ["index.html", "assets", "docs"];

fn main() -> std::io::Result<()> {
    let crate_dir = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let dist = crate_dir.join("../../web/dist");
    let mut files = Vec::new();
    for name in SERVED {
        println!("cargo::rerun-if-changed={}", dist.join(name).display());
        list(&dist.join(name), name, &mut files)?;
    }
    files.sort();
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default()).join("dist.rs");
    let mut out = fs::File::create(out)?;
    writeln!(out, "&[")?;
    for (name, path) in files {
        writeln!(out, "    ({name:?}, include_bytes!({:?})),", path.canonicalize()?)?;
    }
    writeln!(out, "]")
}

fn list(path: &Path, name: &str, files: &mut Vec<(String, PathBuf)>) -> std::io::Result<()> {
    if !path.is_dir() {
        files.push((name.to_owned(), path.to_owned()));
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        list(&entry.path(), &format!("{name}/{}", entry.file_name().to_string_lossy()), files)?;
    }
    Ok(())
}
