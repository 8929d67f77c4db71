//! Law 6 for whole versions: the fast load equals the slow delta over the reference graph.
//!
//! Where the two may differ: the message of a repeated record, for the join does not keep the place of the first one; and
//! the order of events in the log, for the join applies records as they arrive. All else must be equal.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use timeweft_graph::{At, Deletes, Direction, GraphView, Reject, Time};
use timeweft_oracle::{Loaded, ReferenceStore};
use timeweft_store::{LoadReport, LoadRequest, Store, StoreError};

use crate::answers::{answers, assert_same_answers, sorted};
use crate::random::{Load, loads, node_keys};
use crate::releases::fresh;

impl Load {
    pub(crate) fn request(&self) -> LoadRequest {
        LoadRequest::new(&self.namespace, "random").version(&format!("v{}", self.at), self.at)
    }

    pub(crate) fn load(&self, store: &mut Store) -> Result<LoadReport, StoreError> {
        store.load_version(self.request(), self.options.clone(), |sink| {
            self.version.send(sink);
            Ok(())
        })
    }

    fn plan(&self, store: &Store) -> Result<LoadReport, StoreError> {
        store.plan_version(&self.request(), self.options.clone(), |sink| {
            self.version.send(sink);
            Ok(())
        })
    }
}

/// Where a record stands and why it was refused; of a repeated one only that it repeats.
fn refused(rejects: &[Reject]) -> Vec<String> {
    let line = |reject: &Reject| {
        let text = reject.to_string();
        let cut = text.find("is listed twice").map(|at| at + "is listed twice".len());
        text[..cut.unwrap_or(text.len())].to_string()
    };
    let mut lines: Vec<_> = rejects.iter().map(line).collect();
    lines.sort_unstable();
    lines
}

/// Every time at which an answer can change, and one tick before and after.
pub(crate) fn probe_times(loads: &[Load]) -> Vec<Time> {
    let around = loads.iter().flat_map(|load| [load.at.before(), load.at, Time(load.at.0 + 1)]);
    let times: BTreeSet<Time> = around.chain([Time::MIN, Time::FOREVER]).collect();
    times.into_iter().collect()
}

/// What a view says around each node.
fn around(view: &dyn GraphView, times: &[Time]) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for key in node_keys() {
        for &time in times {
            all.push((format!("{key} at {time} became"), view.resolve(&key, time).to_string()));
            for deletes in [Deletes::Hard, Deletes::Soft] {
                let at = At { time, deletes };
                let sides = [Direction::Out, Direction::In]
                    .map(|side| (view.neighbors(&key, side, None, at), view.degree(&key, side, Some("likes"), at)));
                all.push((format!("{key} {at:?}"), format!("{:?} {sides:?}", view.node(&key, at))));
            }
        }
    }
    all
}

fn assert_same_graph(fast: &dyn GraphView, slow: &dyn GraphView, times: &[Time], what: &str) {
    assert_eq!(fast.schema(), slow.schema(), "{what}");
    assert_same_answers(&answers(fast, times), &answers(slow, times), what);
    assert_same_answers(&around(fast, times), &around(slow, times), what);
    let (fast, slow) = (sorted(fast.events()), sorted(slow.events()));
    let differ = fast.iter().zip(&slow).find(|(fast, slow)| fast != slow);
    assert!(fast.len() == slow.len() && differ.is_none(), "{what}: {differ:#?}");
}

/// Loads both ways, and compares what came of each load and what the graph says after it.
fn check(loads: &[Load]) {
    let (dir, mut store) = fresh();
    let mut oracle = ReferenceStore::new();
    let times = probe_times(loads);
    for load in loads {
        let what = format!("{} at {}", load.namespace, load.at);
        let planned = load.plan(&store);
        let fast = load.load(&mut store);
        let slow = oracle.load(&load.namespace, &load.version, load.at, &load.options);
        match (fast, slow) {
            (Ok(fast), Ok(slow)) if slow.taken_in => {
                assert_same_report(&fast, &slow, &what);
                assert_eq!(fast.accepted, slow.n_events, "{what}");
                let planned = planned.unwrap();
                let told = |report: &LoadReport| (report.delta.clone(), report.accepted, report.n_rejected);
                assert_eq!(told(&planned), told(&fast), "{what}");
            }
            (Err(StoreError::NothingAccepted(fast)), Ok(slow)) if !slow.taken_in => {
                assert_same_report(&fast, &slow, &what);
            }
            (Err(StoreError::Delta(fast)), Err(slow)) => {
                assert_eq!(fast, slow, "{what}");
                assert!(matches!(planned, Err(StoreError::Delta(error)) if error == slow), "{what}");
            }
            (fast, slow) => panic!("{what}: {fast:?}, and slowly {:?}", slow.map(|slow| slow.report)),
        }
        assert_same_graph(&*store.view(), oracle.graph(), &times, &what);
    }
    store.verify().unwrap();
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    assert_same_graph(&*store.view(), oracle.graph(), &times, "opened again");
}

fn assert_same_report(fast: &LoadReport, slow: &Loaded, what: &str) {
    assert_eq!(fast.delta.as_ref(), Some(&slow.report), "{what}");
    assert_eq!(refused(&fast.rejects), refused(&slow.rejects), "{what}");
    assert_eq!(fast.n_rejected as usize, slow.rejects.len(), "{what}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn fast_loads_equal_the_slow_delta(loads in loads()) {
        check(&loads);
    }
}

#[test]
fn random_versions_reach_what_they_are_for() {
    let mut runner = TestRunner::deterministic();
    let mut sums = std::collections::BTreeMap::<String, u64>::new();
    let mut add = |name: &str, by: u64| *sums.entry(name.into()).or_default() += by;
    for _ in 0..2_000 {
        let mut oracle = ReferenceStore::new();
        for load in loads().new_tree(&mut runner).unwrap().current() {
            let outcome = oracle.load(&load.namespace, &load.version, load.at, &load.options);
            match outcome {
                Err(error) => add(format!("{error:?}").split(['(', ' ']).next().unwrap_or_default(), 1),
                Ok(Loaded { report, .. }) => {
                    for (what, of) in [("nodes", &report.nodes), ("edges", &report.edges)] {
                        let all = [
                            ("new", of.new),
                            ("reappeared", of.reappeared),
                            ("changed", of.changed),
                            ("migrated", of.migrated),
                            ("unchanged", of.unchanged),
                            ("gone", of.gone),
                            ("duplicates", of.duplicates),
                            ("shared", of.shared),
                            ("left to others", of.left_to_others),
                            ("unreadable", of.unreadable),
                            ("kept", of.kept),
                        ];
                        all.iter().for_each(|(name, count)| add(&format!("{what} {name}"), *count));
                    }
                    add("dangling", report.edges.dangling);
                    add("stubs", report.nodes.stubs);
                    add("emptied", report.nodes.emptied);
                    add("handed over", report.nodes.handed_over);
                    add("needed by", report.needed_by.values().sum());
                    add("ended elsewhere", report.edges.ended_elsewhere);
                    let of = &report.merges;
                    let all = [
                        ("merged", of.merged),
                        ("after deletion", of.after_deletion),
                        ("unseen", of.unseen),
                        ("retargeted", of.retargeted),
                        ("added", of.added),
                        ("merges changed", of.changed),
                        ("target dead", of.target_dead),
                        ("target outside", of.target_outside),
                    ];
                    all.iter().for_each(|(name, count)| add(name, *count));
                    of.skipped.iter().for_each(|(why, count)| add(&format!("{why:?}"), *count));
                    let of = &report.deletions;
                    let all = [
                        ("by name", of.by_name),
                        ("omitted", of.omitted),
                        ("unmerged", of.unmerged),
                        ("ignored", of.ignored),
                        ("rejected", of.rejected),
                    ];
                    all.iter().for_each(|(name, count)| add(&format!("deletions {name}"), *count));
                    add("new fields", report.new_fields.len() as u64);
                    add("missing fields", report.missing_fields.len() as u64);
                }
            }
        }
    }
    let rare: Vec<_> = sums.iter().filter(|(_, count)| **count < 3).collect();
    assert!(rare.is_empty() && sums.len() == 55, "{rare:?} {} {:?}", sums.len(), sums.keys());
}
