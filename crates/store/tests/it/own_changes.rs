//! What differs for one of two namespaces that share elements, against the whole difference cut down key by key.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use timeweft_graph::{At, Commit, Deletes, DeltaOptions, Diff, EdgeKey, Name, NodeKey, Time, Updated, Value};
use timeweft_index::{ChangeCounts, Index};
use timeweft_store::LoadRequest;

use crate::random_versions::lines;
use crate::world::{fresh, load_version, version};

type State<'a> = (&'a Index, Time);
type Features = BTreeMap<Name, Value>;

/// What a namespace says of an element in two states, and who holds it in them.
struct Says {
    said: [Option<Features>; 2],
    held_by: [Vec<Name>; 2],
}

/// The slow way: every element of the whole difference is asked about by its key, and all are sorted in the end.
fn narrowed(states: [State<'_>; 2], namespace: &str, diff: Diff) -> Diff {
    let soft = |time| At { time, deletes: Deletes::Soft };
    let node = |key: &NodeKey| Says {
        said: states.map(|(view, time)| view.node_says(key, namespace, time)),
        held_by: states.map(|(view, time)| view.namespaces_of(key, soft(time))),
    };
    let edge = |key: &EdgeKey| Says {
        said: states.map(|(view, time)| view.edge_says(key, namespace, time)),
        held_by: states.map(|(view, time)| view.namespaces_of_edge(key, soft(time))),
    };
    let (nodes_created, nodes_updated, nodes_removed) =
        narrow((diff.nodes_created, diff.nodes_updated, diff.nodes_removed), namespace, &node);
    let (edges_created, edges_updated, edges_removed) =
        narrow((diff.edges_created, diff.edges_updated, diff.edges_removed), namespace, &edge);
    let mut merged = diff.merged;
    merged.retain(|merge| {
        let own = states[1].0.merge_lives_of(namespace);
        let key = (merge.from.clone(), merge.into.clone(), merge.interval);
        own.into_iter().any(|(from, into, life)| (from, into, life.interval) == key)
    });
    Diff { nodes_created, nodes_updated, nodes_removed, edges_created, edges_updated, edges_removed, merged }
}

type Changes<K> = (Vec<K>, Vec<Updated<K>>, Vec<K>);

fn narrow<K: Ord + Clone>(changes: Changes<K>, namespace: &str, says: &dyn Fn(&K) -> Says) -> Changes<K> {
    let (created, updated, removed) = changes;
    let mut own: Changes<K> = Default::default();
    let mut shared = BTreeSet::new();
    let mut alone = |key: &K| {
        let held_by: BTreeSet<Name> = says(key).held_by.into_iter().flatten().collect();
        let is_own = held_by.iter().any(|name| **name == *namespace);
        if held_by.len() > 1 && is_own {
            shared.insert(key.clone());
        }
        held_by.len() == 1 && is_own
    };
    own.0.extend(created.into_iter().filter(&mut alone));
    own.1.extend(updated.into_iter().filter(|updated| alone(&updated.key)));
    own.2.extend(removed.into_iter().filter(&mut alone));
    for key in shared {
        let of = says(&key);
        match of.said {
            [None, None] => {}
            [None, Some(_)] => own.0.push(key),
            [Some(_), None] => own.2.push(key),
            [Some(before), Some(after)] => {
                let names: BTreeSet<&Name> = before.keys().chain(after.keys()).collect();
                let speaks = of.held_by[1].first().is_some_and(|first| **first == *namespace);
                let stored =
                    |name: &Name| if speaks { name.clone() } else { format!("{namespace}::{name}").as_str().into() };
                let differ = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
                let features: Vec<Name> = differ.map(stored).collect();
                if !features.is_empty() {
                    own.1.push(Updated { key, features });
                }
            }
        }
    }
    own.0.sort_unstable();
    own.1.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    own.2.sort_unstable();
    own
}

fn counts(diff: &Diff) -> (ChangeCounts, ChangeCounts, usize) {
    let of = |created, updated, removed| ChangeCounts { created, updated, removed };
    (
        of(diff.nodes_created.len(), diff.nodes_updated.len(), diff.nodes_removed.len()),
        of(diff.edges_created.len(), diff.edges_updated.len(), diff.edges_removed.len()),
        diff.merged.len(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_differs_for_a_namespace_is_the_whole_difference_cut_down(
        versions in proptest::collection::vec(lines(), 2..6),
    ) {
        let (_dir, mut store) = fresh();
        let options = DeltaOptions { allow_empty: true, ..DeltaOptions::default() };
        for (number, lines) in (1..).zip(&versions) {
            let namespace = ["one", "two"][number as usize % 2];
            let request = LoadRequest::new(namespace, "test").version(&format!("v{number}"), Time(number * 100));
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            load_version(&mut store, request, version(&lines), options.clone()).unwrap();
        }
        let last = versions.len() as u64;
        let views = [store.view_at(Commit(last / 2)).unwrap(), store.view()];
        let times = || (0..=last as i64).map(|number| Time(number * 100));
        for (from, to) in times().flat_map(|from| times().map(move |to| (from, to))) {
            for (before, deletes) in [(&views[0], Deletes::Hard), (&views[1], Deletes::Hard), (&views[1], Deletes::Soft)] {
                let at = |time| At { time, deletes };
                let comparison = views[1].compare_from((before, at(from)), at(to));
                let whole = comparison.changes().to_diff();
                prop_assert_eq!(counts(&whole), comparison.counts());
                for namespace in ["one", "two", "three"] {
                    let own = comparison.of_namespace(namespace);
                    let changes = own.changes();
                    let expected = narrowed([(before, from), (&views[1], to)], namespace, whole.clone());
                    prop_assert_eq!(own.counts(), counts(&expected));
                    prop_assert_eq!(changes.counts(), counts(&expected));
                    prop_assert_eq!(changes.is_empty(), expected == Diff::default());
                    prop_assert_eq!(changes.to_diff(), expected, "{} {:?} {:?}", namespace, from, to);
                }
            }
        }
    }
}
