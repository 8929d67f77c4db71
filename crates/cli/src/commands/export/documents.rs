//! `timeweft export --as kbase`: the documents of a namespace, a file a collection.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde_json::json;
use timeweft::Graph;
use timeweft::export::DocumentOptions;
use timeweft::export::create_fresh;

use super::Args;
use crate::context::Context;
use crate::input::moment::known_namespace;
use crate::outcome::{Outcome, UsageError};
use crate::output::{check_graph, note, stdout, text};

/// Name of the registry's collection.
const REGISTRY: &str = "registry";

/// Writes the documents into a folder, or to standard output as `{"collection", "document"}`.
pub(super) fn run(namespace: &str, args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    if args.events || args.read.at.is_some() || args.read.commit.is_some() {
        let rule = "--as kbase writes every version at the newest commit: leave out --events, --at and --commit";
        bail!(UsageError(rule.into()));
    }
    let graph = context.open_whole()?;
    known_namespace(&graph, namespace)?;
    let count = if args.to == Path::new("-") {
        let mut out = BufWriter::new(stdout());
        each(&graph, namespace, &mut |collection, document| {
            writeln!(out, "{}", json!({ "collection": collection, "document": document }))
        })?
    } else {
        folder(&graph, namespace, &args.to).with_context(|| format!("cannot write {}", args.to.display()))?
    };
    note(&format!("wrote {} documents", text::count(count)));
    Ok(Outcome::Done)
}

/// Hands over all documents; the first failure ends the writing.
fn each(
    graph: &Graph,
    namespace: &str,
    write: &mut dyn FnMut(&str, serde_json::Value) -> io::Result<()>,
) -> io::Result<u64> {
    let options = DocumentOptions::default();
    let (mut count, mut failed) = (0, None);
    let mut hand_over = |collection: &str, document| {
        if failed.is_none() {
            count += 1;
            failed = write(collection, serde_json::Value::Object(document)).err();
        }
    };
    graph.documents(namespace, &options, &mut hand_over);
    for document in graph.registry_documents(namespace, &options) {
        hand_over(REGISTRY, document);
    }
    failed.map_or(Ok(count), Err)
}

/// A folder that appears whole or not at all.
fn folder(graph: &Graph, namespace: &str, to: &Path) -> anyhow::Result<u64> {
    check_graph(to)?;
    if to.exists() {
        bail!("it is there already: give another folder");
    }
    let mut partial = to.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    make_fresh(&partial)?;
    let mut files: BTreeMap<String, BufWriter<File>> = BTreeMap::new();
    let written = each(graph, namespace, &mut |collection, document| {
        let name = file_name(collection);
        let file = match files.entry(name) {
            Entry::Occupied(file) => file.into_mut(),
            Entry::Vacant(place) => {
                let path = partial.join(format!("{}.jsonl", place.key()));
                place.insert(BufWriter::new(create_fresh(&path)?))
            }
        };
        writeln!(file, "{document}")
    });
    let finish = |count| {
        for file in files.values_mut() {
            file.flush()?;
            file.get_ref().sync_all()?;
        }
        fs::rename(&partial, to)?;
        Ok(count)
    };
    let written: io::Result<u64> = written.and_then(finish);
    if written.is_err() {
        // What was written of it is of no use; that it could not be written is what matters.
        let _ = fs::remove_dir_all(&partial);
    }
    Ok(written?)
}

/// Makes a folder that was not there. What lies there of an earlier run is removed, and no link is followed.
fn make_fresh(folder: &Path) -> io::Result<()> {
    if let Some(holder) = folder.parent() {
        fs::create_dir_all(holder)?;
    }
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let is_folder = fs::symlink_metadata(folder)?.is_dir();
            if is_folder {
                fs::remove_dir_all(folder)?
            } else {
                fs::remove_file(folder)?
            }
            fs::create_dir(folder)
        }
        made => made,
    }
}

/// The name of a collection with only what every file system takes.
fn file_name(collection: &str) -> String {
    let safe = |letter: char| if letter.is_alphanumeric() || "-_".contains(letter) { letter } else { '_' };
    collection.chars().map(safe).collect()
}
