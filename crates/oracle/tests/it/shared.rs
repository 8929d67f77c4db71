//! Namespaces that share nodes: each has what it would have alone, after rollbacks and back-dated versions too.

use proptest::prelude::*;
use timeweft_graph::{DType, FeatureKind, Life, NodeKey};
use timeweft_store::{LoadRequest, Store};

use crate::random::{Load, NAMESPACES, loads};
use crate::releases::fresh;

/// Only what no other namespace has a say in: edges need nodes of others, and how lists compare is one thing for all.
fn alone(mut load: Load) -> Load {
    let version = &mut load.version;
    version.edges.clear();
    version.merges.clear();
    version.deleted.clear();
    version.rejects.clear();
    version.unreadable.clear();
    version.empty.clear();
    version.format.fields = None;
    for node in &mut version.nodes {
        node.features.retain(|(name, _)| !["list", "set", "multiset", "created"].contains(&&**name));
    }
    load.options.allow_empty = true;
    load
}

fn load(store: &mut Store, load: &Load, back_dated: bool) {
    let request = LoadRequest { back_dated, ..load.request() };
    let send = |sink: &mut dyn timeweft_graph::Sink| {
        load.version.send(sink);
        Ok(())
    };
    store.load_version(request, load.options.clone(), send).unwrap();
}

/// What a namespace ever said of each node. Numbers are as wide as can be: a kind is that of the whole graph, and it stays
/// wide where the load that made it so is taken back.
fn says(store: &Store, namespace: &str) -> Vec<(NodeKey, Life)> {
    let mut lives: Vec<_> = store.view().node_lives_of(namespace).collect();
    let widest = FeatureKind::Dense { dtype: DType::F64, scalar: true };
    for span in lives.iter_mut().flat_map(|(_, life)| &mut life.features) {
        span.value = span.value.widened(widest).unwrap_or_else(|| span.value.clone());
    }
    lives.sort_by(|a, b| (&a.0, a.1.interval.created).cmp(&(&b.0, b.1.interval.created)));
    lives
}

fn all_say(store: &Store) -> Vec<Vec<(NodeKey, Life)>> {
    NAMESPACES.iter().map(|namespace| says(store, namespace)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_namespace_has_what_it_would_have_alone(loads in loads(), pick in any::<prop::sample::Index>()) {
        let loads: Vec<Load> = loads.into_iter().map(alone).collect();
        let (_dir, mut store) = fresh();
        loads.iter().for_each(|of| load(&mut store, of, false));
        for namespace in NAMESPACES {
            let (_dir, mut own) = fresh();
            loads.iter().filter(|load| *load.namespace == *namespace).for_each(|of| load(&mut own, of, false));
            prop_assert_eq!(says(&store, namespace), says(&own, namespace), "{}", namespace);
        }
        let expected = all_say(&store);
        let (_dir_of_other, mut other) = fresh();
        let picked = pick.index(loads.len());
        let others = loads.iter().enumerate().filter(|(at, _)| *at != picked);
        others.for_each(|(_, of)| load(&mut other, of, false));
        let undone = store.loads()[picked].id;
        store.rollback(undone).unwrap();
        prop_assert_eq!(all_say(&store), all_say(&other), "rolled back {}", picked);
        load(&mut other, &loads[picked], true);
        prop_assert_eq!(all_say(&other), expected, "back-dated {}", picked);
        store.verify().unwrap();
        other.verify().unwrap();
    }
}
