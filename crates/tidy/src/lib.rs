//! Checks of the source tree itself: crate arrows, circles of files, names of files, lengths of files and functions of Rust and Python, slow references, links in documents, machine paths.
//!
//! Each check is a plain function from text to complaints, tested on a deliberate fault; `tests` run them on the tree.

mod circles;

use std::fs;
use std::path::PathBuf;

pub use circles::circles;

/// Lines a file may have.
pub const FILE_LINES: usize = 600;
/// Lines a function may have.
pub const FUNCTION_LINES: usize = 70;

/// The folder of the workspace. Cargo runs the tests of a package in its folder; a path from the build could be that of
/// another checkout that shared the build folder.
pub fn root() -> PathBuf {
    "../..".into()
}

/// All files below the root with one of these extensions, without build folders and hidden ones, sorted.
pub fn files(extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if path.is_dir() && name != "target" && name != "node_modules" && (!name.starts_with('.') || name == ".ci")
            {
                folders.push(path);
            } else if path.extension().is_some_and(|ext| extensions.iter().any(|known| ext == *known)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Names of the workspace crates that a manifest depends on, outside its dev-dependencies.
pub fn arrows(manifest: &str) -> Vec<String> {
    let mut inside = false;
    let mut names = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.trim() == "[dependencies]";
        } else if inside
            && let Some(name) = line.split(['.', '=', ' ']).next().filter(|name| name.starts_with("timeweft"))
        {
            names.push(name.to_string());
        }
    }
    names
}

/// Functions that are longer than allowed, as `name: lines`. A function ends at the brace of its own indentation.
pub fn long_functions(source: &str, allowed: usize) -> Vec<String> {
    let lines: Vec<&str> = source.lines().collect();
    let mut complaints = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let Some(name) = function_name(line.trim_start()) else { continue };
        // A declaration without a body ends at its semicolon, and a body on the line of its head at that line.
        let head =
            lines[start..].iter().find_map(|line| line.trim_end().chars().next_back().filter(|c| ";{}".contains(*c)));
        if head != Some('{') {
            continue;
        }
        let closing = format!("{}}}", " ".repeat(indent));
        let length = lines[start..].iter().position(|end| *end == closing).map_or(0, |n| n + 1);
        if length > allowed {
            complaints.push(format!("{name}: {length}"));
        }
    }
    complaints
}

fn function_name(line: &str) -> Option<&str> {
    let words = ["pub ", "pub(crate) ", "pub(super) ", "const ", "unsafe "];
    let mut rest = line;
    while let Some(shorter) = words.iter().find_map(|word| rest.strip_prefix(word)) {
        rest = shorter;
    }
    rest.strip_prefix("fn ")?.split(['(', '<']).next()
}

/// Functions of Python with bodies that are longer than allowed, as `name: lines`. Parameters and documents do not count: they
/// are what callers read.
pub fn long_python_functions(source: &str, allowed: usize) -> Vec<String> {
    let lines: Vec<&str> = source.lines().collect();
    let mut complaints = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let Some(rest) = code.strip_prefix("async ").unwrap_or(code).strip_prefix("def ") else { continue };
        let indent = line.len() - code.len();
        let is_inside = |line: &&str| line.trim().is_empty() || line.len() - line.trim_start().len() > indent;
        let Some(head) = lines[start..].iter().position(|line| line.split("  #").next().unwrap_or(line).ends_with(':'))
        else {
            continue;
        };
        let body: Vec<&str> = lines[start + head + 1..].iter().copied().take_while(|line| is_inside(line)).collect();
        let length =
            without_document(&body).iter().rposition(|line| !line.trim().is_empty()).map_or(0, |last| last + 1);
        if length > allowed {
            complaints.push(format!("{}: {length}", word(rest)));
        }
    }
    complaints
}

/// The lines of a body behind the text that it begins with.
fn without_document<'a, 'b>(body: &'b [&'a str]) -> &'b [&'a str] {
    const MARK: &str = "\"\"\"";
    let Some(first) = body.first().map(|line| line.trim()).filter(|line| line.starts_with(MARK)) else { return body };
    if first.len() > MARK.len() && first.ends_with(MARK) {
        return &body[1..];
    }
    let end = body.iter().skip(1).position(|line| line.trim_end().ends_with(MARK)).map_or(0, |at| at + 2);
    &body[end..]
}

/// Names that say nothing of what is in a file or a folder.
pub fn says_nothing(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_start_matches('_');
    ["util", "utils", "helper", "helpers", "misc"].contains(&stem)
}

/// Targets of relative links in a Markdown text.
pub fn links(text: &str) -> Vec<&str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', '#', ' ']).next())
        .filter(|link| !link.is_empty() && !link.contains("://") && !link.starts_with("mailto:"))
        .collect()
}

/// Lines that name a path of one machine.
pub fn machine_paths(text: &str) -> Vec<usize> {
    // Put together here, so that this file does not complain about itself.
    let folders = ["work", "tmp", "root", "home"].map(|folder| format!("/{folder}/"));
    let named = |line: &str| {
        folders.iter().any(|folder| {
            line.match_indices(folder.as_str()).any(|(at, _)| {
                let before = line[..at].chars().next_back();
                before.is_none_or(|c| !c.is_alphanumeric() && !"._-}/)".contains(c))
            })
        })
    };
    (1..).zip(text.lines()).filter(|(_, line)| named(line)).map(|(number, _)| number).collect()
}

/// The slow references that a file names, each as `crate::item`, by lines of the form "Slow reference: `crate::item`".
pub fn slow_references(text: &str) -> Vec<&str> {
    let named = text.lines().filter_map(|line| line.split_once("Slow reference: `")?.1.split('`').next());
    named.collect()
}

/// Whether the texts of a crate declare a public item.
pub fn declares(texts: &[String], item: &str) -> bool {
    let kinds = ["fn", "struct", "enum", "mod"];
    let heads: Vec<String> = kinds.iter().map(|kind| format!("pub {kind} {item}")).collect();
    let is_head = |line: &str| {
        let rest = heads.iter().find_map(|head| line.trim_start().strip_prefix(head.as_str()));
        rest.is_some_and(|rest| rest.starts_with([' ', '(', '<', ';', '{']))
    };
    texts.iter().any(|text| text.lines().any(is_head))
}

/// Public types of a file with public functions, none of which, nor the type, has an example in its documents.
pub fn without_examples(text: &str) -> Vec<String> {
    let mut types: Vec<(String, bool, bool)> = Vec::new();
    let (mut has_example, mut of) = (false, None);
    for line in text.lines() {
        let code = line.trim_start();
        if code.starts_with("///") {
            has_example |= code.contains("```");
            continue;
        }
        if code.starts_with("#[") {
            continue;
        }
        let declared = ["pub struct ", "pub enum ", "pub trait "].iter().find_map(|head| line.strip_prefix(head));
        if let Some(rest) = declared {
            types.push((word(rest), has_example, false));
        } else if let Some(rest) = line.strip_prefix("impl").filter(|rest| !rest.contains(" for ")) {
            let rest = rest.strip_prefix('<').and_then(|rest| rest.split_once("> ")).map_or(rest, |(_, rest)| rest);
            of = types.iter().position(|(name, ..)| *name == word(rest.trim_start()));
        } else if line == "}" {
            of = None;
        } else if let Some(at) = of.filter(|_| line.starts_with("    pub fn ")) {
            types[at].1 |= has_example;
            types[at].2 = true;
        }
        has_example = false;
    }
    types.into_iter().filter(|(_, has_example, has_function)| *has_function && !has_example).map(|of| of.0).collect()
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}
