//! The files that docs/file-format.md shows are the files that a graph has.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::world::World;

/// The paths of the tree in the document, with `<...>` for what varies.
fn documented() -> Vec<String> {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/file-format.md");
    let text = fs::read_to_string(document).unwrap();
    let tree = text.split("```").nth(1).unwrap();
    let (mut folders, mut files) = (Vec::new(), Vec::new());
    for line in tree.lines().filter(|line| !line.is_empty()).skip(1) {
        let depth = (line.len() - line.trim_start().len()) / 2;
        let name = line.split_whitespace().next().unwrap();
        folders.truncate(depth - 1);
        match name.strip_suffix('/') {
            Some(folder) => folders.push(folder),
            None => files.push(folders.iter().copied().chain([name]).collect::<Vec<_>>().join("/")),
        }
    }
    files
}

/// Whether a path is one of a pattern: each `<...>` stands for some characters of one name.
fn is_of(pattern: &str, path: &str) -> bool {
    let Some((before, rest)) = pattern.split_once('<') else { return pattern == path };
    let (_, after) = rest.split_once('>').unwrap();
    let Some(rest) = path.strip_prefix(before) else { return false };
    let name = rest.split('/').next().unwrap().len();
    (1..=name).any(|end| rest.is_char_boundary(end) && is_of(after, &rest[end..]))
}

fn files(folder: &Path, prefix: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        match entry.path().is_dir() {
            true => files(&entry.path(), &format!("{path}/"), found),
            false => found.push(path),
        }
    }
}

#[test]
fn a_graph_has_the_files_that_the_document_shows() {
    let world = World::new();
    world.done("demo --graph g --days 21 --epochs 1");
    world.write("c.toml", "[train]\nepochs = 1\nnegatives = 4\n[evaluate]\ncandidates = 10\n");
    world.done("train c.toml --graph g");
    // So long a text that the load has a segment of its own.
    let text = "long ".repeat(300_000);
    world.write("long.jsonl", &format!(r#"{{"time":9000000000,"action":"create","entity":"node","source":{{"type":"page","id":"1","features":{{"text":"{text}"}}}}}}"#));
    world.done("load events long.jsonl --graph g");
    world.done("compact --graph g");
    let mut found = Vec::new();
    files(&world.path("g"), "", &mut found);
    let patterns = documented();
    assert!(patterns.len() >= 5, "{patterns:?}");
    let mut shown = BTreeSet::new();
    for path in &found {
        let of = patterns.iter().find(|pattern| is_of(pattern, path));
        shown.insert(of.unwrap_or_else(|| panic!("the document does not show {path}")));
    }
    assert_eq!(shown.len(), patterns.len(), "{found:?} are not all of {patterns:?}");
}
