//! Histories with merges of all kinds, made at random: the files at the end are those of the tree of `HEAD`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use rustc_hash::FxHashMap;
use timeweft_graph::{At, Element, GraphView, Time, Value};
use timeweft_oracle::ReferenceGraph;
use timeweft_source::{GitBaseline, GitHistory, GitOptions, git_history};

use crate::git_history::{Repository, git};
use crate::replay::replay;

/// Paths and what they hold.
type Tree = BTreeMap<String, String>;

/// A small generator: the same seed makes the same history.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// A history as `git fast-import` reads it, with all its trees.
struct Made {
    random: Random,
    commits: Vec<Tree>,
    /// Whether a commit has children.
    joined: Vec<bool>,
    stream: Vec<u8>,
}

const PATHS: [&str; 9] = ["a", "b", "c/d", "c/e", "lib/a", "lib/b", "lib/c/d", "x.txt", "y.rs"];

impl Made {
    fn new(seed: u64, commits: usize) -> Made {
        let mut made =
            Made { random: Random(seed * 7 + 1), commits: Vec::new(), joined: Vec::new(), stream: Vec::new() };
        for _ in 0..commits {
            made.commit();
        }
        made.join_all();
        made
    }

    /// One more commit: a first one, one on a branch, or a merge of two or three, seldom what git would have merged.
    fn commit(&mut self) {
        let n = self.commits.len();
        if n == 0 || self.random.one_in(14) {
            let tree = self.edited(Tree::new(), 4);
            return self.add(&[], tree);
        }
        let parent = n - 1 - self.random.below(n.min(5));
        if !self.random.one_in(3) {
            let tree = self.edited(self.commits[parent].clone(), 2);
            return self.add(&[parent], tree);
        }
        let mut parents = vec![parent, self.random.below(n)];
        if self.random.one_in(3) {
            parents.push(self.random.below(n));
        }
        self.merge(parents);
    }

    fn merge(&mut self, mut parents: Vec<usize>) {
        let mut seen = Vec::new();
        parents.retain(|parent| {
            !seen.contains(parent) && {
                seen.push(*parent);
                true
            }
        });
        let mut tree = Tree::new();
        if self.random.one_in(5) {
            // As `git merge -s subtree`: one side as it is, the other below a folder.
            tree = self.commits[parents[0]].clone();
            let other = self.commits[*parents.last().unwrap()].clone();
            tree.extend(other.into_iter().map(|(path, text)| (format!("sub/{path}"), text)));
        } else {
            for path in PATHS {
                let side = parents[self.random.below(parents.len())];
                tree.extend(self.commits[side].get(path).map(|text| (path.to_owned(), text.clone())));
            }
        }
        if self.random.one_in(2) {
            tree = self.edited(tree, 1);
        }
        self.add(&parents, tree);
    }

    /// Every commit leads to the last one.
    fn join_all(&mut self) {
        while self.commits.len() > 1 {
            let heads = self.heads();
            if heads.len() < 2 {
                return;
            }
            self.merge(heads.into_iter().take(4).collect());
        }
    }

    fn heads(&self) -> Vec<usize> {
        (0..self.commits.len()).filter(|commit| !self.joined[*commit]).collect()
    }

    fn edited(&mut self, mut tree: Tree, edits: usize) -> Tree {
        for _ in 0..=self.random.below(edits + 1) {
            let path = PATHS[self.random.below(PATHS.len())].to_owned();
            match self.random.below(6) {
                0 => _ = tree.remove(&path),
                1 => {
                    // A rename, at times with a small edit.
                    let Some(from) = tree.keys().nth(self.random.below(tree.len().max(1))).cloned() else { continue };
                    let text = tree.remove(&from).unwrap_or_default();
                    let edit = if self.random.one_in(2) { "more\n" } else { "" };
                    tree.insert(path, text + edit);
                }
                _ => {
                    let number = self.random.below(6);
                    let text = (0..10).map(|line| format!("{number} line {line} of this text\n")).collect();
                    tree.insert(path, text);
                }
            }
        }
        tree
    }

    fn add(&mut self, parents: &[usize], tree: Tree) {
        let number = self.commits.len();
        // Clocks run back now and then.
        let time = 1_000_000_000 + number as i64 * 10 - self.random.below(30) as i64;
        let branch = if parents.is_empty() { format!("root{number}") } else { "main".to_owned() };
        let out = &mut self.stream;
        writeln!(out, "commit refs/heads/{branch}\nmark :{}", number + 1).unwrap();
        writeln!(out, "committer P{} <p{0}@x> {time} +0000\ndata 2\nc\n", number % 3).unwrap();
        for (at, parent) in parents.iter().enumerate() {
            writeln!(out, "{} :{}", if at == 0 { "from" } else { "merge" }, parent + 1).unwrap();
        }
        writeln!(out, "deleteall").unwrap();
        for (path, text) in &tree {
            writeln!(out, "M 644 inline {path}\ndata {}\n{text}", text.len()).unwrap();
        }
        writeln!(out, "reset refs/heads/c{number}\nfrom :{}\n", number + 1).unwrap();
        parents.iter().for_each(|parent| self.joined[*parent] = true);
        self.joined.push(false);
        self.commits.push(tree);
    }

    fn import(&self, test: &str) -> Option<Repository> {
        let repository = Repository::new(test)?;
        let mut child = Command::new("git")
            .current_dir(repository.path())
            .args(["fast-import", "--quiet", "--force"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(&self.stream).unwrap();
        assert!(child.wait().unwrap().success());
        self.head_at(&repository, self.commits.len() - 1);
        Some(repository)
    }

    fn head_at(&self, repository: &Repository, commit: usize) {
        repository.git("ann", 0, &["symbolic-ref", "HEAD", &format!("refs/heads/c{commit}")]);
    }
}

/// The files of a tree as git lists them, with their blobs; submodules are left out.
fn tree_of_head(path: &Path) -> BTreeMap<String, String> {
    let listed = git(path, &["ls-tree", "-r", "-z", "HEAD"]);
    let entries = listed.split('\0').filter(|entry| !entry.is_empty() && !entry.starts_with("160000"));
    let entry = |entry: &str| {
        let (head, path) = entry.split_once('\t')?;
        Some((path.to_owned(), head.split(' ').nth(2)?.to_owned()))
    };
    entries.map(|line| entry(line).unwrap()).collect()
}

fn files(graph: &ReferenceGraph) -> BTreeMap<String, String> {
    let nodes = graph.nodes(Some("file"), At::now()).into_iter();
    nodes.map(|node| (node.key.id.to_string(), node.features["blob"].to_string())).collect()
}

/// What a graph holds of a history, as the engine tells a second load.
fn known(graph: &ReferenceGraph) -> GitBaseline {
    let commits = graph.nodes(Some("commit"), At::now());
    let name = |value: Option<&Value>| value.map(ToString::to_string).unwrap_or_default();
    let authors = graph.nodes(Some("author"), At::now()).into_iter();
    GitBaseline {
        now: commits.iter().map(|commit| commit.life.created).max(),
        commits: commits.into_iter().map(|commit| commit.key.id.to_string()).collect(),
        files: files(graph).into_iter().collect::<FxHashMap<_, _>>(),
        authors: authors.map(|node| (node.key.id.to_string(), name(node.features.get("name")))).collect(),
    }
}

fn read(repository: &Repository, options: GitOptions, known: &GitBaseline) -> GitHistory {
    let history = git_history::read(repository.path(), &options, known).unwrap();
    assert_eq!(history.rejects, []);
    history
}

fn graph_of(histories: &[&GitHistory]) -> ReferenceGraph {
    let records: Vec<_> = histories.iter().flat_map(|history| history.records.clone()).collect();
    assert!(records.is_sorted_by_key(|record| record.0.time));
    replay(&histories[0].schema, &records)
}

/// From which commit to which the loads lead.
fn parents(histories: &[&GitHistory]) -> BTreeSet<String> {
    let events = histories.iter().flat_map(|history| &history.records).map(|record| &record.0);
    let parents = events.filter_map(|event| match &event.element {
        Element::Edge(key) if &*key.relation == "parent" => Some(key.to_string()),
        _ => None,
    });
    parents.collect()
}

const SEEDS: u64 = 16;

#[test]
fn files_are_those_of_head_after_merges_of_all_kinds() {
    for seed in 0..SEEDS {
        let made = Made::new(seed, 30);
        let Some(repository) = made.import("files_are_those_of_head_after_merges_of_all_kinds") else { return };
        let history = read(&repository, GitOptions::default(), &GitBaseline::default());
        assert_eq!(history.settled, 0, "seed {seed}: comparing with each parent is enough");
        let graph = graph_of(&[&history]);
        assert_eq!(files(&graph), tree_of_head(repository.path()), "seed {seed}");
        let reached = git(repository.path(), &["rev-list", "--count", "HEAD"]);
        assert_eq!(history.commits.to_string(), reached.trim(), "seed {seed}");
    }
}

#[test]
fn a_second_load_takes_in_the_new_commits_alone() {
    for seed in 0..SEEDS {
        let made = Made::new(seed + 100, 30);
        let Some(repository) = made.import("a_second_load_takes_in_the_new_commits_alone") else { return };
        made.head_at(&repository, 12);
        let first = read(&repository, GitOptions::default(), &GitBaseline::default());
        let early = graph_of(&[&first]);
        assert_eq!(files(&early), tree_of_head(repository.path()));
        made.head_at(&repository, made.commits.len() - 1);
        let second = read(&repository, GitOptions::default(), &known(&early));
        let all = git(repository.path(), &["rev-list", "--count", "HEAD"]);
        assert_eq!((first.commits + second.commits).to_string(), all.trim(), "seed {seed}");
        let graph = graph_of(&[&first, &second]);
        assert_eq!(files(&graph), tree_of_head(repository.path()), "seed {seed}");
        assert_eq!(second.settled, 0, "seed {seed}");
        let whole = read(&repository, GitOptions::default(), &GitBaseline::default());
        assert!(parents(&[&first, &second]) == parents(&[&whole]), "seed {seed}");
        let third = read(&repository, GitOptions::default(), &known(&graph));
        assert_eq!((third.commits, third.records.len()), (0, 0), "seed {seed}");
    }
}

#[test]
fn the_newest_commits_start_from_the_files_before_them() {
    for seed in 0..SEEDS {
        let made = Made::new(seed + 200, 30);
        let Some(repository) = made.import("the_newest_commits_start_from_the_files_before_them") else { return };
        let options = GitOptions { newest: Some(9), limit: None };
        let history = read(&repository, options, &GitBaseline::default());
        assert_eq!((history.commits, history.settled), (9, 0), "seed {seed}");
        let graph = graph_of(&[&history]);
        assert_eq!(files(&graph), tree_of_head(repository.path()), "seed {seed}");
        assert_eq!(graph.nodes(Some("commit"), At::now()).len(), 9);
        let again = read(&repository, GitOptions::default(), &known(&graph));
        assert_eq!((again.commits, again.records.len()), (0, 0), "what was left out stays out: seed {seed}");
    }
}

#[test]
fn a_rewritten_history_is_brought_to_its_tree() {
    let made = Made::new(300, 30);
    let Some(repository) = made.import("a_rewritten_history_is_brought_to_its_tree") else { return };
    let first = read(&repository, GitOptions::default(), &GitBaseline::default());
    let graph = graph_of(&[&first]);
    made.head_at(&repository, 10);
    let back = read(&repository, GitOptions::default(), &known(&graph));
    assert_eq!(back.commits, 0);
    assert!(back.settled > 0);
    let graph = graph_of(&[&first, &back]);
    assert_eq!(files(&graph), tree_of_head(repository.path()));
    let at = At::time(Time(first.records.last().unwrap().0.time.0));
    assert!(!graph.nodes(Some("file"), at).is_empty());
}

#[test]
fn another_repository_is_refused() {
    let Some(one) = Made::new(400, 5).import("another_repository_is_refused") else { return };
    let Some(other) = Made::new(401, 5).import("another_repository_is_refused") else { return };
    let graph = graph_of(&[&read(&one, GitOptions::default(), &GitBaseline::default())]);
    let error = git_history::read(other.path(), &GitOptions::default(), &known(&graph)).unwrap_err();
    assert!(error.to_string().contains("the history of another repository"), "{error}");
}

/// What a merge decides between its parents, as in a real history: a file that one side deleted and the other edited
/// stays deleted, one is dropped, one is added.
#[test]
fn git_merge_deletes() {
    let Some(repository) = Repository::new("git_merge_deletes") else { return };
    let text = "one\ntwo\nthree\nfour\nfive\nsix\n";
    for path in ["src/Main.java", "src/Proxy.java", "src/Keep.java"] {
        repository.write(path, &format!("{path}\n{text}"));
    }
    repository.commit("ann", 100, "init");
    repository.git("bob", 110, &["checkout", "-q", "-b", "side"]);
    repository.write("src/Main.java", "edited");
    repository.commit("bob", 120, "side edits Main");
    repository.write("side.txt", "side");
    repository.commit("bob", 130, "side adds a file");
    repository.git("ann", 140, &["checkout", "-q", "main"]);
    repository.git("ann", 140, &["rm", "-q", "src/Main.java"]);
    repository.git("ann", 140, &["mv", "src/Proxy.java", "src/Agent.java"]);
    repository.commit("ann", 150, "main deletes Main, renames Proxy");
    repository.git("ann", 160, &["merge", "-q", "--no-commit", "-s", "ours", "side"]);
    repository.write("merged.txt", "merged");
    repository.commit("ann", 170, "merge");
    let (history, graph) = repository.read();
    assert_eq!(files(&graph), tree_of_head(repository.path()));
    assert_eq!(files(&graph).into_keys().collect::<Vec<_>>(), ["merged.txt", "src/Agent.java", "src/Keep.java"]);
    assert_eq!(history.settled, 0);
    let touched = graph.edges(Some("touched"), At::now());
    let of_merge = touched.iter().filter(|edge| edge.life.created == Time(170));
    let of_merge: Vec<_> = of_merge.map(|edge| edge.key.destination.id.to_string()).collect();
    assert_eq!(of_merge, ["merged.txt"], "a merge touches what it made itself");
}
