//! The Cell Ontology: eight releases in OBO Graphs JSON, with properties without labels, features that come and go, and
//! merges into terms that are not there.

use timeweft_graph::{GraphView, MergeRecord, Value};
use timeweft_oracle::world::data;
use timeweft_store::Store;

use crate::answers::{State, assert_same_state};
use crate::releases::{Release, dated, fresh, load_all};

fn releases(test: &str) -> Option<Vec<Release>> {
    let folder = data(test, "cl")?;
    let mut names: Vec<_> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names.len(), 8);
    let of = |name: &String| (name[..10].to_string(), name[..10].to_string(), folder.join(name));
    Some(dated(names.iter().map(of).collect::<Vec<_>>(), "CL"))
}

#[test]
fn every_state_is_the_release_read_alone() {
    let Some(releases) = releases("every_state_is_the_release_read_alone") else { return };
    let (dir, mut store) = fresh();
    let reports = load_all(&mut store, "cl", &releases);
    let mut found = Vec::new();
    for (release, report) in releases.iter().zip(&reports) {
        let read = release.read();
        assert_same_state(&State::at(&*store.view(), release.time), &State::of(&read), &release.name);
        // The two versions with dangling edges are not among the eight, and each of these is read without a complaint.
        assert_eq!((report.n_rejected, State::of(&read).edges.len()), (0, read.edges.len()), "{}", release.name);
        let delta = report.delta.as_ref().unwrap();
        let (nodes, edges) = (&delta.nodes, &delta.edges);
        assert_eq!((nodes.listed as usize, edges.listed as usize), (read.nodes.len(), read.edges.len()));
        assert_eq!((edges.dangling, nodes.reappeared, edges.changed), (0, 0, 0), "{}", release.name);
        let merges = delta.merges.merged + delta.merges.after_deletion;
        found.push((
            &*release.name,
            nodes.new,
            nodes.gone,
            nodes.changed,
            edges.new + edges.reappeared,
            edges.gone,
            merges,
        ));
    }
    assert_eq!(found, RELEASES);

    let kinds = |kind: &str| {
        let kind = Value::Category(kind.into());
        store.view().merges().iter().filter(|merge| merge.features.get(MergeRecord::TYPE) == Some(&kind)).count()
    };
    // These eight releases name thirteen. Four of them are alternative ids of what they became, one of those two years before a successor says the same.
    assert_eq!((kinds("replaced_by"), kinds("alt_id"), kinds("consider")), (9, 4, 0));
    let outside: u64 = reports.iter().map(|report| report.delta.as_ref().unwrap().merges.target_outside).sum();
    assert_eq!(outside, 3, "merges into terms that no release has");

    drop(store);
    let mut store = Store::open(dir.path()).unwrap();
    for release in &releases {
        assert_same_state(&State::at(&*store.view(), release.time), &State::of(&release.read()), &release.name);
    }
    store.verify().unwrap();
}

/// New, gone and changed terms; new and gone edges; merges that begin.
const RELEASES: [(&str, u64, u64, u64, u64, u64, u64); 8] = [
    ("2019-06-15", 2204, 0, 0, 3138, 0, 0),
    ("2020-01-06", 10, 1, 23, 394, 19, 1),
    ("2020-10-20", 40, 5, 104, 161, 137, 1),
    ("2021-04-22", 97, 1, 22, 143, 15, 0),
    ("2021-12-17", 103, 5, 147, 237, 110, 5),
    ("2022-06-15", 58, 7, 2114, 119, 45, 5),
    ("2022-09-15", 34, 1, 1302, 70, 16, 1),
    ("2022-11-25", 9, 0, 41, 16, 0, 0),
];
