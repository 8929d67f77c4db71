//! The tree keeps its own rules.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use timeweft_tidy::{
    FILE_LINES, FUNCTION_LINES, arrows, circles, declares, files, links, long_functions, long_python_functions,
    machine_paths, root, says_nothing, slow_references, without_examples,
};

/// Files that may be longer, each with its reason.
const EXCUSED_FILES: [(&str, &str); 0] = [];
/// Functions that may be longer, as `file: function`, each with its reason.
const EXCUSED_FUNCTIONS: [(&str, &str); 0] = [];

fn name(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// The Rust files below a folder: their paths from there, and their texts.
fn sources(folder: &Path) -> Vec<(String, String)> {
    let inside = |path: &PathBuf| path.starts_with(folder);
    let read = |path: PathBuf| {
        let name = path.strip_prefix(folder).unwrap().to_string_lossy().replace('\\', "/");
        (name, fs::read_to_string(&path).unwrap())
    };
    files(&["rs"]).into_iter().filter(inside).map(read).collect()
}

#[test]
fn crates_depend_downward_only() {
    let allowed = |krate: &str| match krate {
        "graph" | "tidy" => "",
        "source" | "index" | "oracle" => "timeweft-graph",
        "store" | "learn" => "timeweft-graph timeweft-index",
        "oracle-model" => "timeweft-graph timeweft-learn",
        "timeweft" => "timeweft-graph timeweft-index timeweft-source timeweft-store timeweft-learn",
        "arrow" => "timeweft",
        "sql" => "timeweft timeweft-arrow",
        "server" => "timeweft timeweft-arrow timeweft-sql",
        "cli" => "timeweft timeweft-sql timeweft-server",
        "python" => "timeweft timeweft-arrow timeweft-sql",
        // Measures every layer by itself, and what models learn of streams with known answers.
        "bench" => {
            "timeweft timeweft-graph timeweft-index timeweft-source timeweft-store timeweft-learn timeweft-oracle timeweft-sql"
        }
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
    assert!(n_crates >= 12, "{n_crates}");
    assert_eq!(
        arrows("[dependencies]\ntimeweft-store.workspace = true\n[dev-dependencies]\ntimeweft.x = 1"),
        ["timeweft-store"]
    );
}

#[test]
fn files_of_a_crate_make_no_circle() {
    for entry in fs::read_dir(root().join("crates")).unwrap().flatten() {
        let krate = entry.file_name().to_string_lossy().into_owned();
        let found = circles(&sources(&entry.path().join("src")));
        assert!(found.is_empty(), "crates/{krate}: arrows that close a circle:\n{}", found.join("\n"));
    }
}

#[test]
fn a_circle_is_found_behind_exports_and_calls_and_parents_may_know_their_children() {
    let files = |texts: &[(&str, &str)]| -> Vec<(String, String)> {
        texts.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
    };
    let root = ("lib.rs", "mod a; mod b;\npub use a::{Thing, one};\npub use b::other;");
    let b = ("b.rs", "use crate::Thing;\npub fn other(_: Thing) {}");
    let circle = |a: &str| circles(&files(&[root, ("a/mod.rs", a), ("a/c.rs", "pub struct In;"), b]));
    for a in [
        "use crate::{\n    one, other as its_other,\n};",
        "fn f() { crate::b::other(Thing) }",
        "use super::b;\nfn f() { b::other(Thing) }",
        "mod c;\nuse crate::*;\nconst S: &str = \"{\"; fn f(x: &'static str) { let c = '\"'; crate::other(Thing) }",
    ] {
        assert_eq!(circle(a), ["a -> b", "b -> a"], "{a}");
    }
    for a in [
        "mod c;\npub use c::In;",
        "// crate::b::other\nconst S: &str = \"crate::b::other\"; const T: &str = r#\"crate::b::other\"\"#;",
        "#[cfg(test)]\nmod tests {\n    use super::*;\n    fn f() { crate::b::other(Thing) }\n}",
        "use other_crate::b::other;",
    ] {
        assert!(circle(a).is_empty(), "{a}");
    }
    let children = |of_c: &str| {
        let a = ("a/mod.rs", "mod c;\nmod d;\npub struct Own;\nfn f() { c::g(); }");
        circles(&files(&[
            ("lib.rs", "mod a; mod b;"),
            a,
            ("a/c.rs", of_c),
            ("a/d.rs", "use super::Own;"),
            ("b.rs", "use crate::a::Own;"),
        ]))
    };
    assert!(children("use super::d::D; use super::Own;").is_empty(), "by way of the common parent");
    assert_eq!(children("use crate::b::B;"), ["a::c -> b", "b -> a"], "the parent of one is no common parent");
}

#[test]
fn files_and_functions_are_short() {
    let mut complaints = Vec::new();
    for path in files(&["rs", "py", "pyi"]) {
        let (file, text) = (name(&path), fs::read_to_string(&path).unwrap());
        let n = text.lines().count();
        if n > FILE_LINES && !EXCUSED_FILES.iter().any(|(excused, _)| *excused == file) {
            complaints.push(format!("{file}: {n} lines"));
        }
        // A test may list its cases in one table.
        if file.contains("/tests/") {
            continue;
        }
        let is_rust = file.ends_with(".rs");
        let find = if is_rust { long_functions } else { long_python_functions };
        for long in find(&text, FUNCTION_LINES) {
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
    let body = "        x()\n".repeat(71);
    let head =
        "class A:\n    def long(\n        self,\n    ) -> None:  # A note.\n        \"\"\"Of\n\n        two.\"\"\"\n";
    let python = format!("{head}{body}\n    def short(self) -> None:\n        \"\"\"One.\"\"\"\n        x()\n");
    assert_eq!(long_python_functions(&python, FUNCTION_LINES), ["long: 71"]);
    assert!(long_python_functions(&python, 71).is_empty(), "parameters and documents do not count");
}

/// Law 6. These must name their slow references; what any file names must be there.
const FAST: [&str; 7] = [
    "crates/index/src/answers/diff.rs",
    "crates/index/src/answers/view.rs",
    "crates/index/src/intake/join.rs",
    "crates/learn/src/model/pipeline.rs",
    "crates/learn/src/nn/mod.rs",
    "crates/store/src/load/intervals.rs",
    "crates/store/src/load/version.rs",
];

#[test]
fn fast_paths_name_slow_references_that_exist() {
    let texts_of = |krate: &str| -> Vec<String> {
        let folder = root().join("crates").join(krate).join("src");
        let own = files(&["rs"]).into_iter().filter(|path| path.starts_with(&folder));
        own.map(|path| fs::read_to_string(path).unwrap()).collect()
    };
    let mut naming = Vec::new();
    for path in files(&["rs"]) {
        let (file, text) = (name(&path), fs::read_to_string(&path).unwrap());
        if !file.contains("/src/") || file.starts_with("crates/tidy/") {
            continue;
        }
        for reference in slow_references(&text) {
            let (krate, item) = reference.split_once("::").unwrap();
            let item = item.rsplit("::").next().unwrap();
            let texts = texts_of(&krate.strip_prefix("timeweft_").unwrap().replace('_', "-"));
            assert!(declares(&texts, item), "{file}: its slow reference `{reference}` does not exist");
            naming.push(file.clone());
        }
    }
    for file in FAST {
        assert!(naming.iter().any(|known| known == file), "{file} does not name its slow reference");
    }
    assert_eq!(slow_references("//! Slow reference: `a::b::C`, which\n// a reference: `d`"), ["a::b::C"]);
    let texts = ["pub struct Graph<'a> {}\n    pub fn diff(a: A) {}\nfn hidden() {}".to_owned()];
    let there = ["Graph", "diff", "Grap", "hidden"].map(|item| declares(&texts, item));
    assert_eq!(there, [true, true, false, false]);
}

#[test]
fn what_guests_use_has_examples() {
    let folder = root().join("crates/timeweft/src");
    for path in files(&["rs"]).into_iter().filter(|path| path.starts_with(&folder)) {
        let lacking = without_examples(&fs::read_to_string(&path).unwrap());
        assert!(lacking.is_empty(), "{}: no example of {}", name(&path), lacking.join(", "));
    }
    let with = |doc: &str| {
        format!("/// A.\n{doc}#[derive(Debug)]\npub struct A<'a> {{}}\nimpl<'a> A<'a> {{\n    pub fn f() {{}}\n}}\n")
    };
    assert_eq!(without_examples(&with("")), ["A"]);
    assert!(without_examples(&with("/// ```\n/// f();\n/// ```\n")).is_empty());
    assert!(without_examples("pub struct B;\nimpl B {\n    fn f() {}\n}\n").is_empty(), "nothing to call");
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
fn names_of_files_say_what_is_in_them() {
    for path in files(&["rs", "py", "pyi"]) {
        let file = name(&path);
        assert!(!file.split(['/', '\\']).any(says_nothing), "{file}: name it by what is in it");
    }
    assert_eq!(["utils.py", "_helpers", "histories.py"].map(says_nothing), [true, true, false]);
}

#[test]
fn no_file_names_a_path_of_one_machine() {
    for path in files(&["rs", "md", "toml", "yml", "sh", "py", "pyi", "ipynb"]) {
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
