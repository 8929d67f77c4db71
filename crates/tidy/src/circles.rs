//! Circles of files inside a crate: files that need each other cannot be read, tested or moved alone.
//!
//! A small parser of paths, not of Rust: it reads `use` trees and paths such as `crate::a::b` or `super::c`, follows
//! re-exports to the file that they lead to, and sees neither methods nor macros. A parent and its child may know each
//! other, and a circle that closes only by way of a common parent is none.

use std::collections::{BTreeMap, BTreeSet};

/// A module: the names from the root of its crate, none for the root itself.
type Module = Vec<String>;

/// Circles of the files of one crate, each as the arrow that closes it. `files` are paths below `src` with their text.
pub fn circles(files: &[(String, String)]) -> Vec<String> {
    let map = Map::of(files);
    let arrows = map.arrows();
    let mut complaints = Vec::new();
    for (from, targets) in &arrows {
        for to in targets.iter().filter(|to| !is_family(from, to)) {
            let shared = |module: &Module| from.starts_with(module) && to.starts_with(module);
            if reaches(&arrows, to, from, &shared) {
                complaints.push(format!("{} -> {}", name(from), name(to)));
            }
        }
    }
    complaints
}

fn name(module: &Module) -> String {
    if module.is_empty() { "crate".into() } else { module.join("::") }
}

/// Whether one module is the other, or lies in it.
fn is_family(a: &Module, b: &Module) -> bool {
    a.starts_with(b) || b.starts_with(a)
}

type Arrows = BTreeMap<Module, BTreeSet<Module>>;

/// Whether arrows lead from a module to another one without passing through what `avoid` names.
fn reaches(arrows: &Arrows, start: &Module, goal: &Module, avoid: &dyn Fn(&Module) -> bool) -> bool {
    let mut seen = BTreeSet::from([start]);
    let mut open = vec![start];
    while let Some(module) = open.pop() {
        if module == goal {
            return true;
        }
        let next = arrows.get(module).into_iter().flatten();
        open.extend(next.filter(|module| !avoid(module) && seen.insert(module)));
    }
    false
}

/// The modules of a crate with the paths that each names.
struct Map {
    modules: BTreeMap<Module, Paths>,
}

/// What one file names.
#[derive(Default)]
struct Paths {
    /// Names that the file imports, or exports again, and what each means.
    imported: Vec<(String, Module)>,
    /// All paths, imports among them.
    named: Vec<Module>,
}

impl Map {
    fn of(files: &[(String, String)]) -> Map {
        let texts = files.iter().map(|(path, text)| (module_of(path), tokens(text)));
        let mut modules: BTreeMap<Module, Paths> = BTreeMap::new();
        for (module, tokens) in texts {
            modules.insert(module.clone(), Paths::read(&module, &tokens));
        }
        Map { modules }
    }

    fn arrows(&self) -> Arrows {
        let of = |(module, paths): (&Module, &Paths)| {
            let mut targets = BTreeSet::new();
            for path in &paths.named {
                self.resolve(&self.absolute(module, path), 0, &mut targets);
            }
            targets.remove(module);
            (module.clone(), targets)
        };
        self.modules.iter().map(of).collect()
    }

    /// A path from the root of the crate; empty for one of another crate.
    fn absolute(&self, module: &Module, path: &Module) -> Module {
        let (first, rest) = (&path[0], &path[1..]);
        let from = |base: &[String]| [base, rest].concat();
        if first == "crate" {
            return path.clone();
        }
        let child = [module.as_slice(), &path[..1]].concat();
        if self.modules.contains_key(&child) {
            return [&["crate".to_owned()], child.as_slice(), rest].concat();
        }
        let imports = self.modules.get(module).map_or(&[][..], |paths| &paths.imported);
        let alias = imports.iter().find(|(name, target)| name == first && target[0] == "crate");
        alias.map_or_else(Vec::new, |(_, target)| from(target))
    }

    /// The files that a path from the root leads to, through what modules export again.
    fn resolve(&self, path: &[String], depth: usize, found: &mut BTreeSet<Module>) {
        if path.first().is_none_or(|first| first != "crate") || depth > 8 {
            return;
        }
        let mut module = Module::new();
        for (at, name) in path.iter().enumerate().skip(1) {
            let child = [module.as_slice(), std::slice::from_ref(name)].concat();
            let (is_child, is_last) = (self.modules.contains_key(&child), at + 1 == path.len());
            let mut is_exported = false;
            // At the end of a path a function may have the name of a module.
            let imports = self.modules.get(&module).map_or(&[][..], |paths| &paths.imported);
            for (_, target) in imports.iter().filter(|(alias, _)| alias == name && (is_last || !is_child)) {
                let target = self.absolute(&module, target);
                is_exported |= !target.is_empty();
                self.resolve(&[&target[..], &path[at + 1..]].concat(), depth + 1, found);
            }
            if is_exported && !is_child {
                return;
            }
            if !is_child {
                break;
            }
            module = child;
        }
        found.insert(module);
    }
}

/// The module of a file below `src`.
fn module_of(path: &str) -> Module {
    let path = path.trim_end_matches(".rs");
    let mut names: Module = path.split('/').map(str::to_owned).collect();
    if names.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        names.pop();
    }
    names
}

impl Paths {
    fn read(module: &Module, tokens: &[String]) -> Paths {
        let mut paths = Paths::default();
        let mut at = 0;
        while at < tokens.len() {
            if tokens[at] == "use" {
                at += 1;
                paths.tree(module, &Vec::new(), tokens, &mut at);
            } else {
                let path = path(tokens, &mut at);
                at += usize::from(path.is_empty());
                // One name alone is a local one, or one that a `use` has brought.
                if path.len() > 1 {
                    paths.named.push(rooted(module, &path));
                }
            }
        }
        paths
    }

    /// Reads one tree of a `use`: a path, its alias, or a group of trees behind a path.
    fn tree(&mut self, module: &Module, prefix: &Module, tokens: &[String], at: &mut usize) {
        let mut full = prefix.clone();
        full.extend(path(tokens, at));
        let token = |at: usize| tokens.get(at).map_or(";", String::as_str);
        if token(*at) == "{" {
            *at += 1;
            while !["}", ";"].contains(&token(*at)) {
                let before = *at;
                self.tree(module, &full, tokens, at);
                // A comma, or what is no path.
                *at += usize::from(token(*at) == "," || *at == before);
            }
            *at += 1;
            return;
        }
        if token(*at) == "*" {
            *at += 1;
        }
        let mut alias = full.last().cloned();
        if token(*at) == "as" {
            alias = tokens.get(*at + 1).cloned();
            *at += 2;
        }
        if full.last().is_some_and(|last| last == "self") {
            full.pop();
            alias = full.last().cloned();
        }
        if let (Some(alias), false) = (alias, full.is_empty()) {
            let full = rooted(module, &full);
            self.imported.push((alias, full.clone()));
            self.named.push(full);
        }
    }
}

/// Reads a path of names, as far as it goes.
fn path(tokens: &[String], at: &mut usize) -> Module {
    let is_name = |token: &String| token.starts_with(|c: char| c.is_alphabetic() || c == '_');
    let mut names = Module::new();
    while let Some(name) = tokens.get(*at).filter(|token| is_name(token) && *token != "as") {
        names.push(name.clone());
        *at += 1;
        if tokens.get(*at).is_none_or(|token| token != "::") {
            break;
        }
        *at += 1;
    }
    names
}

/// A path with `self` and `super` replaced: from `crate` where it is one of this crate.
fn rooted(module: &Module, path: &Module) -> Module {
    let mut base = module.clone();
    let mut rest = path.as_slice();
    if !["self", "super"].contains(&rest[0].as_str()) {
        return path.clone();
    }
    while let Some((first, later)) = rest.split_first().filter(|(first, _)| ["self", "super"].contains(&first.as_str()))
    {
        if first == "super" {
            base.pop();
        }
        rest = later;
    }
    [&["crate".to_owned()], base.as_slice(), rest].concat()
}

/// Names and signs of a text, without comments, literals and the modules of its tests.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = literal(rest) {
            length
        } else if first.is_alphabetic() || first == '_' {
            let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            tokens.push(rest[..length].to_owned());
            length
        } else if rest.starts_with("::") {
            tokens.push("::".to_owned());
            2
        } else {
            if !first.is_whitespace() {
                tokens.push(first.to_string());
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    without_tests(tokens)
}

/// Length of the string or character that a text begins with, if it does.
fn literal(text: &str) -> Option<usize> {
    if let Some(raw) =
        text.strip_prefix('r').map(|rest| rest.trim_start_matches('#')).filter(|raw| raw.starts_with('"'))
    {
        let hashes = text.len() - 1 - raw.len();
        let end = format!("\"{}", "#".repeat(hashes));
        return Some(text.len() - raw.len() + 1 + raw[1..].find(&end)? + end.len());
    }
    let quote = text.chars().next().filter(|c| "\"'".contains(*c))?;
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            // A quote that nothing closes at once begins a lifetime.
            _ if quote == '\'' && c != '\'' && at > 1 && !text.starts_with("'\\") => return None,
            _ if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Takes out `#[cfg(test)] mod name { ... }`.
fn without_tests(tokens: Vec<String>) -> Vec<String> {
    const HEAD: [&str; 8] = ["#", "[", "cfg", "(", "test", ")", "]", "mod"];
    let mut kept = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let is_head = tokens.len() > at + 9 && HEAD.iter().zip(&tokens[at..]).all(|(head, token)| head == token);
        if is_head && tokens[at + 9] == "{" {
            let mut depth = 0;
            let closes = |token: &String| {
                depth += i32::from(token == "{") - i32::from(token == "}");
                depth == 0
            };
            at += 9;
            at += tokens[at..].iter().position(closes).unwrap_or(tokens.len()) + 1;
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}
