use proptest::prelude::*;
use timeweft_graph::{Commit, Event, Schema};
use timeweft_oracle::ReferenceGraph;
use timeweft_oracle::histories::histories;
use timeweft_store::{Store, StoreError};

use crate::world::{assert_same, load};

/// The store sorts the features of an event by name, so the oracle gets them sorted.
fn sorted(mut events: Vec<Event>) -> Vec<Event> {
    events.iter_mut().for_each(|event| event.features.sort_by(|a, b| a.0.cmp(&b.0)));
    events
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_commit_equals_the_reference_before_and_after_reopening(events in histories(), n_loads in 1usize..4) {
        let events = sorted(events);
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::create(dir.path(), Schema::default()).unwrap();
        let mut reference = ReferenceGraph::default();
        let mut at_commit = vec![reference.clone()];
        for part in events.chunks(events.len().div_ceil(n_loads).max(1)) {
            let accepted = part.iter().filter(|event| reference.apply(event).is_ok()).count();
            match load(&mut store, part) {
                Ok(report) => {
                    prop_assert_eq!(report.accepted as usize, accepted);
                    prop_assert_eq!(report.n_rejected as usize, part.len() - accepted);
                    at_commit.push(reference.clone());
                }
                Err(StoreError::NothingAccepted(_)) => prop_assert_eq!(accepted, 0),
                Err(other) => panic!("{other}"),
            }
        }
        let check = |store: &Store| {
            assert_eq!(store.commit(), Commit(at_commit.len() as u64 - 1));
            for (commit, reference) in (0..).map(Commit).zip(&at_commit) {
                assert_same(&*store.view_at(commit).unwrap(), reference, &events);
            }
        };
        check(&store);
        drop(store);
        let mut store = Store::open(dir.path()).unwrap();
        check(&store);
        prop_assert_eq!(store.verify().unwrap().loads as usize, at_commit.len() - 1);
    }
}
