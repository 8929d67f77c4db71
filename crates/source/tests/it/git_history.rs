//! The history of a repository that the test itself makes.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use timeweft_graph::{Action, At, Direction, Element, Event, GraphView, NodeKey, Place, Time, Value};
use timeweft_oracle::ReferenceGraph;
use timeweft_source::{GitBaseline, GitHistory, GitOptions, SourceError, git_history};

use crate::replay::replay;

/// A repository in a folder of its own.
pub(crate) struct Repository(tempfile::TempDir);

impl Repository {
    /// `None`, with one line that says so, where there is no git.
    pub(crate) fn new(test: &str) -> Option<Repository> {
        if Command::new("git").arg("--version").output().is_err() {
            // Not by a macro: the runner keeps back what macros print in a test that passes.
            let line = format!("left out: {test} (no git)\n");
            std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).unwrap();
            return None;
        }
        let repository = Repository(tempfile::tempdir().unwrap());
        repository.git("a", 0, &["init", "-q", "-b", "main"]);
        Some(repository)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn git(&self, author: &str, seconds: i64, arguments: &[&str]) {
        let time = format!("@{seconds} +0000");
        let email = format!("{author}@x");
        let who = [("GIT_AUTHOR_NAME", author), ("GIT_COMMITTER_NAME", author), ("GIT_AUTHOR_EMAIL", &email)];
        let when = [("GIT_COMMITTER_EMAIL", &*email), ("GIT_AUTHOR_DATE", &time), ("GIT_COMMITTER_DATE", &time)];
        run(Command::new("git").current_dir(self.path()).args(arguments).envs(who).envs(when));
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn commit(&self, author: &str, seconds: i64, subject: &str) {
        self.git(author, seconds, &["add", "-A"]);
        self.git(author, seconds, &["commit", "-q", "-m", subject]);
    }

    pub(crate) fn read(&self) -> (GitHistory, ReferenceGraph) {
        let history = git_history::read(self.path(), &GitOptions::default(), &GitBaseline::default()).unwrap();
        assert_eq!(history.rejects, []);
        let graph = replay(&history.schema, &history.records);
        (history, graph)
    }
}

/// What git prints.
pub(crate) fn git(path: &Path, arguments: &[&str]) -> String {
    run(Command::new("git").current_dir(path).args(arguments))
}

/// Runs git without the settings of the machine.
fn run(command: &mut Command) -> String {
    let settings = [("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_CONFIG_COUNT", "2")];
    let first = [("GIT_CONFIG_KEY_0", "commit.gpgsign"), ("GIT_CONFIG_VALUE_0", "false")];
    let second = [("GIT_CONFIG_KEY_1", "merge.ff"), ("GIT_CONFIG_VALUE_1", "false")];
    let output = command.envs(settings).envs(first).envs(second).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

const POEM: &str = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\n";

/// Create, edit, rename with a small edit, delete; two authors.
fn small(test: &str) -> Option<Repository> {
    let repository = Repository::new(test)?;
    repository.write("src/poem.txt", POEM);
    repository.write("gone.md", "x");
    repository.commit("ann", 100, "First\n\nbody");
    repository.write("src/poem.txt", &format!("{POEM}nine\n"));
    repository.commit("bob", 200, "Second");
    repository.git("ann", 250, &["mv", "src/poem.txt", "src/verse.txt"]);
    repository.write("src/verse.txt", &format!("{POEM}nine\nten\n"));
    repository.commit("ann", 300, "Third");
    repository.git("bob", 350, &["rm", "-q", "gone.md"]);
    repository.commit("bob", 400, "Fourth");
    Some(repository)
}

fn files(graph: &ReferenceGraph, time: i64) -> Vec<String> {
    graph.nodes(Some("file"), At::time(Time(time))).into_iter().map(|node| node.key.id.to_string()).collect()
}

fn text(value: &str) -> Option<Value> {
    Some(Value::text(value))
}

#[test]
fn files_live_as_the_commits_say() {
    let Some(repository) = small("files_live_as_the_commits_say") else { return };
    let (history, graph) = repository.read();
    assert_eq!(history.commits, 4);
    assert_eq!(files(&graph, 99), [""; 0]);
    assert_eq!(files(&graph, 100), ["gone.md", "src/poem.txt"]);
    assert_eq!(files(&graph, 299), ["gone.md", "src/poem.txt"]);
    assert_eq!(files(&graph, 300), ["gone.md", "src/verse.txt"]);
    assert_eq!(files(&graph, 400), ["src/verse.txt"]);
    let poem = NodeKey::new("file", "src/poem.txt");
    let features = |time| graph.node(&poem, At::time(Time(time))).unwrap().features;
    assert_eq!(features(100).get("extension"), Some(&Value::Category("txt".into())));
    let size = |time| features(time).get("size").map(ToString::to_string);
    assert_eq!((size(100), size(200)), (Some(POEM.len().to_string()), Some((POEM.len() + 5).to_string())));
    assert_ne!(features(100).get("blob"), features(200).get("blob"));
}

#[test]
fn a_rename_is_a_merge() {
    let Some(repository) = small("a_rename_is_a_merge") else { return };
    let (_, graph) = repository.read();
    let (old, new) = (NodeKey::new("file", "src/poem.txt"), NodeKey::new("file", "src/verse.txt"));
    assert_eq!((graph.resolve(&old, Time(299)), graph.resolve(&old, Time(300))), (old.clone(), new));
}

#[test]
fn authors_edit_and_commits_touch() {
    let Some(repository) = small("authors_edit_and_commits_touch") else { return };
    let (history, graph) = repository.read();
    let authors = graph.nodes(Some("author"), At::now());
    assert_eq!(authors.iter().map(|node| node.key.id.to_string()).collect::<Vec<_>>(), ["ann@x", "bob@x"]);
    assert_eq!(authors[0].features.get("name").cloned(), text("ann"));
    let poem = NodeKey::new("file", "src/poem.txt");
    let edits = graph.neighbors(&poem, Direction::In, Some("edited"), At::time(Time(299)));
    let by: BTreeSet<_> = edits.iter().map(|edit| (edit.key.source.id.to_string(), edit.life.created.0)).collect();
    assert_eq!(by, BTreeSet::from([("ann@x".into(), 100), ("bob@x".into(), 200)]));
    assert!(edits.iter().all(|edit| edit.key.key.as_ref().is_some_and(|key| key.len() == 12)));
    let changes = |action: &str| {
        let change = Some(Value::Category(action.into()));
        let touched =
            |(event, _): &&(Event, Place)| matches!(&event.element, Element::Edge(key) if &*key.relation == "touched");
        history.records.iter().filter(touched).filter(|record| record.0.features[0].1 == change).count()
    };
    assert_eq!([changes("create"), changes("update"), changes("rename"), changes("delete")], [2, 1, 1, 1]);
    let commits = graph.nodes(Some("commit"), At::now());
    let subjects: BTreeSet<_> = commits.iter().map(|node| node.features["subject"].to_string()).collect();
    assert_eq!(subjects, BTreeSet::from(["First", "Second", "Third", "Fourth"].map(str::to_owned)));
    assert_eq!(graph.edges(Some("parent"), At::now()).len(), 3);
    assert_eq!(graph.edges(Some("authored"), At::now()).len(), 4);
    assert!(history.records.iter().all(|record| record.1.file.len() == 40 && record.1.line == 0));
}

#[test]
fn branches_and_their_merge() {
    let Some(repository) = Repository::new("branches_and_their_merge") else { return };
    repository.write("shared.txt", "1");
    repository.commit("ann", 100, "Root");
    repository.git("bob", 150, &["checkout", "-q", "-b", "side"]);
    repository.write("both.txt", "side");
    repository.git("bob", 200, &["rm", "-q", "shared.txt"]);
    repository.commit("bob", 200, "Side");
    repository.git("ann", 210, &["checkout", "-q", "main"]);
    repository.write("both.txt", "side");
    repository.write("main.txt", "m");
    repository.commit("ann", 300, "Main");
    repository.git("ann", 400, &["merge", "-q", "--no-ff", "-m", "Merge", "side"]);
    repository.write("shared.txt", "again");
    repository.commit("bob", 500, "Back");
    let (history, graph) = repository.read();
    assert_eq!(history.commits, 5);
    assert_eq!(files(&graph, 250), ["both.txt"]);
    assert_eq!(files(&graph, 400), ["both.txt", "main.txt"]);
    assert_eq!(files(&graph, 500), ["both.txt", "main.txt", "shared.txt"]);
    let merge = graph
        .nodes(Some("commit"), At::now())
        .into_iter()
        .find(|node| node.features["subject"] == Value::text("Merge"))
        .unwrap();
    let of = |relation| graph.neighbors(&merge.key, Direction::Out, Some(relation), At::now()).len();
    assert_eq!((of("parent"), of("touched")), (2, 0));
    assert_eq!(graph.node_history(&NodeKey::new("file", "both.txt")).len(), 1, "the second create is an update");
}

#[test]
fn clocks_that_run_back_do_not_break_the_order() {
    let Some(repository) = Repository::new("clocks_that_run_back_do_not_break_the_order") else { return };
    repository.write("a", "1");
    repository.commit("ann", 500, "Late clock");
    repository.write("a", "2");
    repository.commit("ann", 100, "Early clock");
    let (history, graph) = repository.read();
    assert!(history.records.is_sorted_by_key(|record| record.0.time));
    let commits = graph.nodes(Some("commit"), At::now());
    assert_eq!(commits.iter().map(|node| node.life.created.0).collect::<Vec<_>>(), [500, 500]);
}

#[test]
fn a_path_that_changes_hands_in_one_commit() {
    let Some(repository) = Repository::new("a_path_that_changes_hands_in_one_commit") else { return };
    repository.write("a", POEM);
    repository.commit("ann", 100, "One");
    repository.git("ann", 200, &["mv", "a", "b"]);
    repository.write("a/inner", "something else entirely");
    repository.commit("ann", 200, "Two");
    repository.git("ann", 300, &["mv", "b", "c"]);
    repository.git("ann", 300, &["mv", "a/inner", "b"]);
    repository.commit("ann", 300, "Three");
    let (_, graph) = repository.read();
    assert_eq!(files(&graph, 200), ["a/inner", "b"]);
    assert_eq!(files(&graph, 300), ["b", "c"]);
}

#[test]
fn a_limit_keeps_the_first_commits() {
    let Some(repository) = small("a_limit_keeps_the_first_commits") else { return };
    let history = git_history::read(
        repository.path(),
        &GitOptions { limit: Some(2), ..GitOptions::default() },
        &GitBaseline::default(),
    )
    .unwrap();
    assert_eq!(history.commits, 2);
    let graph = replay(&history.schema, &history.records);
    assert_eq!(files(&graph, 1_000), ["gone.md", "src/poem.txt"]);
    assert!(history.records.iter().all(|record| record.0.action != Action::Delete));
}

#[test]
fn a_folder_without_repository_is_a_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let error = git_history::read(folder.path(), &GitOptions::default(), &GitBaseline::default()).unwrap_err();
    assert!(matches!(error, SourceError::NoRepository { .. }));
    assert!(error.to_string().contains("is not in a git repository"), "{error}");
}

#[test]
fn a_repository_without_commits_is_an_error() {
    let Some(repository) = Repository::new("a_repository_without_commits_is_an_error") else { return };
    let error = git_history::read(repository.path(), &GitOptions::default(), &GitBaseline::default()).unwrap_err();
    assert!(matches!(error, SourceError::History { .. }), "{error}");
}

#[test]
fn the_same_history_gives_the_same_records() {
    let Some(repository) = small("the_same_history_gives_the_same_records") else { return };
    let (first, second) = (repository.read().0, repository.read().0);
    assert_eq!(first.records, second.records);
}

#[test]
fn a_path_that_is_no_text_is_told_once() {
    let Some(repository) = Repository::new("a_path_that_is_no_text_is_told_once") else { return };
    let name = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"caf\xe9");
    std::fs::write(repository.path().join(name), "x").unwrap();
    repository.write("plain", "x");
    repository.commit("ann", 100, "Both");
    let history = git_history::read(repository.path(), &GitOptions::default(), &GitBaseline::default()).unwrap();
    let reasons: Vec<_> = history.rejects.iter().map(ToString::to_string).collect();
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert!(reasons[0].contains("is not UTF-8 text"), "{reasons:?}");
    assert_eq!(files(&replay(&history.schema, &history.records), 100), ["plain"]);
}
