//! The Environment Ontology: thirty releases in ten years, against numbers counted in the files themselves.

use timeweft_graph::{At, GraphView, Interval, LoadId, MergeRecord, NodeKey, Reason, Reject, Time, Value};
use timeweft_oracle::world::data;
use timeweft_store::{LoadReport, LoadRequest, LoadState, Store};

use crate::answers::{State, answers, assert_same_answers, assert_same_state, sorted};
use crate::releases::{Release, dated, fresh, load_all, load_of};

fn releases(test: &str) -> Option<Vec<Release>> {
    let folder = data(test, "envo")?;
    let of = |(name, ..): &(&str, u64, u64, u64, usize)| {
        let date = name.trim_start_matches('v').get(..10).unwrap_or_default().to_string();
        (name.to_string(), date, folder.join(format!("{name}.obo")))
    };
    Some(dated(RELEASES.iter().map(of).collect::<Vec<_>>(), "ENVO"))
}

fn times(releases: &[Release]) -> Vec<Time> {
    releases.iter().map(|release| release.time).collect()
}

fn term(id: &str) -> NodeKey {
    NodeKey::new("term", id)
}

/// The merges that begin at a time, of one type.
fn begun(merges: &[MergeRecord], time: Time, kind: &str) -> usize {
    let of_kind = |merge: &&MergeRecord| merge.features.get(MergeRecord::TYPE) == Some(&Value::Category(kind.into()));
    merges.iter().filter(|merge| merge.interval.created == time).filter(of_kind).count()
}

fn states(view: &dyn GraphView, releases: &[Release]) -> Vec<State> {
    releases.iter().map(|release| State::at(view, release.time)).collect()
}

fn alone(releases: &[Release]) -> Vec<State> {
    releases.iter().map(|release| State::of(&release.read())).collect()
}

fn assert_same_states(found: &[State], expected: &[State], releases: &[Release], what: &str) {
    for ((found, expected), release) in found.iter().zip(expected).zip(releases) {
        assert_same_state(found, expected, &format!("{what}, at {}", release.name));
    }
}

#[test]
fn every_state_is_the_release_read_alone() {
    let Some(releases) = releases("every_state_is_the_release_read_alone") else { return };
    let (dir, mut store) = fresh();
    let reports = load_all(&mut store, "envo", &releases);
    let expected = alone(&releases);
    assert_same_states(&states(&*store.view(), &releases), &expected, &releases, "loaded");
    check_counts(&releases, &reports, &store.view().merges());
    drop(store);
    let mut store = Store::open(dir.path()).unwrap();
    assert_same_states(&states(&*store.view(), &releases), &expected, &releases, "opened again");
    store.verify().unwrap();
    check_lives(&store, &releases);
}

fn check_counts(releases: &[Release], reports: &[LoadReport], merges: &[MergeRecord]) {
    let (mut found, mut reappeared) = (Vec::new(), Vec::new());
    for (((name, ..), release), report) in RELEASES.iter().zip(releases).zip(reports) {
        let nodes = &report.delta.as_ref().unwrap().nodes;
        assert_eq!((nodes.duplicates, nodes.shared, nodes.stubs), (0, 0, 0), "{name}");
        let merged = begun(merges, release.time, "replaced_by");
        found.push((*name, nodes.new + nodes.reappeared, nodes.gone, nodes.changed, merged));
        reappeared.extend((nodes.reappeared > 0).then_some((*name, nodes.reappeared)));
    }
    assert_eq!(found, RELEASES);
    assert_eq!(reappeared, [("v2019-03-14", 1), ("v2023-02-13", 1), ("v2025-08-19", 1)]);

    releases.iter().zip(reports).for_each(|(release, report)| check_rejects(release, report));
    // v2016-05-17 has 23 such lines, and so have the five before it.
    let bad: Vec<_> = releases[..10].iter().map(|release| not_utf8(release).len()).collect();
    assert_eq!(bad, [0, 0, 0, 23, 23, 23, 23, 23, 23, 0]);

    // The same file again: a load in the registry, and not one event.
    let same = &reports[25];
    assert_eq!((same.accepted, same.unchanged, same.load), (0, false, LoadId(26)));
    let delta = same.delta.as_ref().unwrap();
    assert_eq!((delta.nodes.unchanged, delta.edges.unchanged), (3872, 5828));
    let merged: u64 = reports.iter().map(|report| report.delta.as_ref().unwrap().merges.merged).sum();
    assert_eq!(merged as usize, 315 + 25);
}

/// Lines of the file that are not UTF-8.
fn not_utf8(release: &Release) -> Vec<u64> {
    let bytes = std::fs::read(&release.path).unwrap();
    let lines = (1..).zip(bytes.split(|byte| *byte == b'\n'));
    lines.filter(|(_, line)| std::str::from_utf8(line).is_err()).map(|(number, _)| number).collect()
}

/// Each line that is not UTF-8 is refused with its place, and what stands around it is there. Other than that only
/// second texts of a term are left out, and edges at terms that the release does not list.
fn check_rejects(release: &Release, report: &LoadReport) {
    let (text, others): (Vec<_>, Vec<_>) =
        report.rejects.iter().partition(|reject| reject.to_string().contains("not UTF-8"));
    let lines: Vec<_> = text.iter().map(|reject| reject.place.line).collect();
    assert_eq!(lines, not_utf8(release), "{}", release.name);
    let (twice, edges): (Vec<&Reject>, Vec<&Reject>) = others
        .iter()
        .partition(|reject| reject.to_string().ends_with("is there twice in one term; the first one is kept"));
    assert!(edges.iter().all(|reject| matches!(reject.reason, Reason::NotListed { .. })), "{edges:?}");
    assert_eq!(edges.len() as u64, report.delta.as_ref().unwrap().edges.dangling, "{}", release.name);
    assert!(twice.len() <= 16, "{}: {twice:?}", release.name);
}

fn check_lives(store: &Store, releases: &[Release]) {
    let view = store.view();
    let time = |name: &str| releases.iter().find(|release| release.name == name).unwrap().time;
    for (id, first, gone, back) in [
        ("ENVO:00000458", "v2015-08-31", "v2017-04-15", "v2019-03-14"),
        ("ENVO:09200021", "v2018-05-18", "v2020-06-10", "v2023-02-13"),
        ("ENVO:00001999", "v2015-08-31", "v2025-02-05", "v2025-08-19"),
    ] {
        let lives: Vec<_> = view.node_history(&term(id)).iter().map(|life| life.interval).collect();
        let first = Interval { created: time(first), removed: time(gone) };
        assert_eq!(lives, [first, Interval::open(time(back))], "{id}");
    }
    // All that went with v2016-11-20 became a term that lives, most of them one of the food ontology.
    let at = time("v2016-11-20");
    let gone: Vec<_> = view.diff(at.before(), at).nodes_removed;
    assert_eq!(gone.len(), 301);
    for node in &gone {
        let into = view.resolve(node, at);
        let is_outside = !into.id.to_string().starts_with("ENVO:");
        assert!(into != *node && (is_outside || view.node(&into, At::time(at)).is_some()), "{node} became {into}");
        assert_eq!(view.resolve(node, at.before()), *node);
    }
}

/// The tenth release has 301 merges, the first nothing before it, and the last nothing after it.
#[test]
fn a_release_is_taken_back_and_loaded_again() {
    let Some(releases) = releases("a_release_is_taken_back_and_loaded_again") else { return };
    let (dir, mut store) = fresh();
    load_all(&mut store, "envo", &releases);
    let (expected, times) = (alone(&releases), times(&releases));
    let first_run = (answers(&*store.view(), &times), sorted(store.view().events()));
    let commit = store.commit();

    let mut without = expected.clone();
    for taken in [9, 0, 29] {
        let undone = store.rollback(load_of(taken)).unwrap();
        let release = &releases[taken];
        assert_eq!(store.load_state(load_of(taken)), Some(LoadState::RolledBack { by: undone.load }));
        assert_eq!(undone.later.n_dropped, 0);
        // In its own time the release before it goes on; before the first there is nothing.
        without[taken] = taken.checked_sub(1).map_or_else(State::default, |before| expected[before].clone());
        assert_same_states(
            &states(&*store.view(), &releases),
            &without,
            &releases,
            &format!("without {}", release.name),
        );
    }
    drop(store);
    let mut store = Store::open(dir.path()).unwrap();
    assert_eq!(sorted(store.view_at(commit).unwrap().events()), first_run.1, "an old commit stays");
    for taken in [9, 0, 29] {
        let request = LoadRequest { back_dated: true, ..releases[taken].request("envo") };
        let report = releases[taken].load_as(&mut store, request);
        assert!(!report.unchanged && report.later.n_dropped == 0);
    }
    assert_same_states(&states(&*store.view(), &releases), &expected, &releases, "loaded again");
    assert_same_answers(&answers(&*store.view(), &times), &first_run.0, "loaded again");
    assert_eq!(sorted(store.view().events()), first_run.1, "loaded again");
    store.verify().unwrap();
}

/// Whatever the order in which its records come, a release is the same.
#[test]
fn shuffled_releases_make_the_same_graph() {
    let Some(releases) = releases("shuffled_releases_make_the_same_graph") else { return };
    let releases = &releases[8..12];
    let ((_one, mut plain), (_two, mut shuffled)) = (fresh(), fresh());
    for release in releases {
        let read = |sink: &mut dyn timeweft_graph::Sink| {
            crate::order::shuffled(sink, release.time.0 as u64, |sink| {
                Ok(timeweft_source::version_format::read(&release.path, &release.options, sink)?)
            })
        };
        let (a, b) = (
            release.load(&mut plain, "envo"),
            shuffled.load_version(release.request("envo"), Default::default(), read).unwrap(),
        );
        assert_eq!(a, b);
    }
    let hashes = |store: &Store| store.loads().iter().map(|load| load.content_hash.clone()).collect::<Vec<_>>();
    assert_eq!(hashes(&plain), hashes(&shuffled));
    let times = times(releases);
    assert_same_answers(&answers(&*shuffled.view(), &times), &answers(&*plain.view(), &times), "shuffled");
}

/// New, gone and changed terms, and terms replaced by others, counted in the files. A term counts as changed if a feature of
/// it is: an edge is an element with changes of its own, and comments and qualifiers of a line are none. So v2016-11-20 has
/// 1,050 changed terms, and 1,060 whose stanza differs in any line.
const RELEASES: [(&str, u64, u64, u64, usize); 30] = [
    ("v2015-08-31", 1861, 0, 0, 0),
    ("v2015-09-24", 175, 0, 55, 0),
    ("v2015-12-18", 55, 1, 190, 1),
    ("v2016-01-22", 16, 0, 15, 0),
    ("v2016-02-03", 14, 0, 9, 0),
    ("v2016-02-05", 5, 0, 0, 0),
    ("v2016-02-05.0.1", 0, 0, 0, 0),
    ("v2016-02-18", 7, 0, 1, 0),
    ("v2016-05-17", 50, 0, 3, 0),
    ("v2016-11-20", 68, 301, 1050, 301),
    ("v2017-01-07", 8, 0, 5, 0),
    ("v2017-02-26", 49, 0, 8, 0),
    ("v2017-03-13", 11, 0, 15, 0),
    ("v2017-03-27", 28, 0, 11, 0),
    ("v2017-04-15", 105, 1, 267, 1),
    ("v2017-05-10", 9, 1, 33, 1),
    ("v2017-06-26", 45, 1, 36, 1),
    ("v2017-07-31", 69, 1, 62, 1),
    ("v2017-08-22", 98, 0, 71, 0),
    ("v2018-05-18", 211, 1, 267, 0),
    ("v2019-03-14", 284, 1, 190, 0),
    ("v2020-06-10", 357, 13, 635, 7),
    ("v2021-05-14", 156, 0, 55, 0),
    ("v2023-02-13", 496, 8, 1117, 2),
    ("v2024-02-05", 25, 1, 158, 0),
    ("v2024-02-16", 0, 0, 0, 0),
    ("v2024-07-01", 19, 0, 599, 0),
    ("v2025-02-05", 110, 1, 586, 0),
    ("v2025-08-19", 1, 129, 589, 0),
    ("v2025-10-20", 0, 0, 3, 0),
];
