//! The tree keeps its own rules.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use timeweft_tidy::{FILE_LINES, FUNCTION_LINES, arrows, files, links, long_functions, machine_paths, root};

/// Files that may be longer, each with its reason.
const EXCUSED_FILES: [(&str, &str); 0] = [];
/// Functions that may be longer, as `file: function`, each with its reason.
const EXCUSED_FUNCTIONS: [(&str, &str); 0] = [];

fn name(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

#[test]
fn crates_depend_downward_only() {
    let allowed = |krate: &str| match krate {
        // Of conformance only the tests depend on anything.
        "graph" | "tidy" | "conformance" => "",
        "source" | "index" => "timeweft-graph",
        "store" | "learn" => "timeweft-graph timeweft-index",
        "timeweft" => "timeweft-graph timeweft-index timeweft-source timeweft-store timeweft-learn",
        "cli" => "timeweft",
        // Measures every layer by itself.
        "bench" => "timeweft timeweft-graph timeweft-index timeweft-source timeweft-store timeweft-learn",
        other => panic!("crate `{other}` has no place in the map: add it to ARCHITECTURE.md and here"),
    };
    let mut n_crates = 0;
    for entry in fs::read_dir(root().join("crates")).unwrap().flatten() {
        let krate = entry.file_name().to_string_lossy().into_owned();
        let manifest = fs::read_to_string(entry.path().join("Cargo.toml")).unwrap();
        n_crates += 1;
        for arrow in arrows(&manifest) {
            let known: Vec<&str> = allowed(&krate).split(' ').collect();
            assert!(known.contains(&arrow.as_str()), "crates/{krate} must not depend on {arrow}");
        }
    }
    assert!(n_crates >= 10, "{n_crates}");
    assert_eq!(
        arrows("[dependencies]\ntimeweft-store.workspace = true\n[dev-dependencies]\ntimeweft.x = 1"),
        ["timeweft-store"]
    );
}

#[test]
fn files_and_functions_are_short() {
    let mut complaints = Vec::new();
    for path in files(&["rs"]) {
        let (file, text) = (name(&path), fs::read_to_string(&path).unwrap());
        let n = text.lines().count();
        if n > FILE_LINES && !EXCUSED_FILES.iter().any(|(excused, _)| *excused == file) {
            complaints.push(format!("{file}: {n} lines"));
        }
        // A test may list its cases in one table.
        if file.contains("/tests/") {
            continue;
        }
        for long in long_functions(&text, FUNCTION_LINES) {
            let function = format!("{file}: {}", long.split(':').next().unwrap_or_default());
            if !EXCUSED_FUNCTIONS.iter().any(|(excused, _)| *excused == function) {
                complaints.push(format!("{file}: {long} lines"));
            }
        }
    }
    assert!(complaints.is_empty(), "too long:\n{}", complaints.join("\n"));
    let long = format!("    pub fn long() {{\n{}    }}\n", "        x();\n".repeat(80));
    assert_eq!(long_functions(&long, FUNCTION_LINES), ["long: 82"]);
    let empty = format!("    fn empty(&self) {{}}\n{long}");
    assert_eq!(long_functions(&empty, FUNCTION_LINES), ["long: 82"], "an empty body ends where it begins");
}

#[test]
fn links_in_documents_lead_somewhere() {
    let mut n_links = 0;
    for path in files(&["md"]) {
        let text = fs::read_to_string(&path).unwrap();
        for link in links(&text) {
            n_links += 1;
            let target = path.parent().unwrap().join(link);
            assert!(target.exists(), "{}: link to {link} leads nowhere", name(&path));
        }
    }
    assert!(n_links > 0, "no document has a link");
    assert_eq!(links("[a](b.md#c) [d](https://e.f) [g](h/i)"), ["b.md", "h/i"]);
}

#[test]
fn no_file_names_a_path_of_one_machine() {
    for path in files(&["rs", "md", "toml", "yml", "sh"]) {
        let found = machine_paths(&fs::read_to_string(&path).unwrap());
        assert!(found.is_empty(), "{}: path of one machine in lines {found:?}", name(&path));
    }
    let folder = ["/", "tmp/"].concat();
    assert_eq!(machine_paths(&format!("see {folder}x\nand a{folder}b")), [1]);
}

#[test]
fn what_is_excused_exists_and_says_why() {
    for (what, why) in EXCUSED_FILES.iter().chain(&EXCUSED_FUNCTIONS) {
        let file = what.split(':').next().unwrap_or_default();
        assert!(root().join(file).is_file() && !why.is_empty(), "{what}: no such file, or no reason");
    }
}
