//! One law for all ways in: events, chunks of records, whole lives and versions make the same index, and what one refuses
//! the others refuse for the same reason.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use timeweft_graph::delta::{Common, DeltaOptions};
use timeweft_graph::rows::Rows;
use timeweft_graph::{
    Action, EdgeKey, EdgeTypeId, ElementRef, Event, FeatureDef, FeatureId, FeatureKind, GraphView, IdRef, Interval,
    ListOrder, Name, NodeKey, NodeTypeId, Owner, Reason, Schema, Time, TimeUnit, ValueRef,
};
use timeweft_index::{Index, LifeLoader, VersionLoader};

/// A create or a delete of one of a few elements.
#[derive(Clone, Copy, Debug)]
struct Change {
    action: Action,
    /// A node, or an edge to `to` with one of two keys.
    node: usize,
    to: Option<(usize, bool)>,
    feature: Option<u8>,
    time: i64,
}

const IDS: [&str; 5] = ["1", "b", "77", "d", "99999"];

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let to = prop::option::of((0..IDS.len(), any::<bool>()));
    let change = (prop::bool::weighted(0.75), 0..IDS.len(), to, prop::option::of(0u8..3), 0i64..4);
    let change = change.prop_map(|(creates, node, to, feature, time)| {
        let action = if creates { Action::Create } else { Action::Delete };
        Change { action, node, to, feature: feature.filter(|_| creates), time }
    });
    prop::collection::vec(change, 1..60).prop_map(|mut changes: Vec<Change>| {
        // Time goes on, but not always.
        (0..).zip(&mut changes).for_each(|(at, change)| change.time += at / 2);
        changes
    })
}

fn schema() -> Schema {
    let mut schema = Schema::new(TimeUnit::Step);
    let node = schema.add_node_type(&"n".into()).unwrap();
    let edge = schema.add_edge_type(node, &"r".into(), node).unwrap();
    for owner in [Owner::Node(node), Owner::Edge(edge)] {
        let def = FeatureDef { name: "x".into(), kind: FeatureKind::Text, order: ListOrder::List };
        schema.add_feature(owner, def).unwrap();
    }
    schema
}

impl Change {
    fn push(&self, rows: &mut Rows, time: i64) {
        if let Some(feature) = self.feature {
            rows.feature(FeatureId(0), ValueRef::Text(["", "one", "another"][usize::from(feature)]));
        }
        let id = |at: usize| IdRef::of(IDS[at]);
        let element = match self.to {
            None => ElementRef::Node(NodeTypeId(0), id(self.node)),
            Some((to, keyed)) => ElementRef::Edge(EdgeTypeId(0), [id(self.node), id(to)], keyed.then_some("k")),
        };
        rows.push(self.action, element, Some(Interval::open(Time(time))), 0);
    }

    fn rows(&self) -> Rows {
        let mut rows = Rows::default();
        self.push(&mut rows, self.time);
        rows
    }
}

fn by_event(index: &mut Index, rows: &Rows, name: &Name) -> Option<Reason> {
    let event: Event = rows.get(0).to_event(index.schema());
    index.apply(&event, name).err()
}

fn by_rows(index: &mut Index, rows: &Rows, name: &Name) -> Option<Reason> {
    index.apply_rows(rows, name).err().map(|(_, reason)| reason)
}

fn by_lives(index: &mut Index, rows: &Rows, name: &Name) -> Option<Reason> {
    if rows.get(0).action() != Action::Create {
        return by_event(index, rows, name);
    }
    let mut lives = LifeLoader::new(index, name);
    let refused = lives.take(rows).pop();
    lives.finish();
    refused.map(|(_, reason)| reason)
}

fn node_key(at: usize) -> NodeKey {
    NodeKey::new("n", IDS[at])
}

fn is_alive(index: &Index, node: usize) -> bool {
    index.node_index(&node_key(node)).is_some_and(|node| index.alive(node, LATER))
}

/// A version of the element and of the nodes that it needs. What lives already is no create of a version.
fn by_version(index: &mut Index, change: &Change, name: &Name) {
    let rows = change.rows();
    if change.action != Action::Create {
        by_event(index, &rows, name);
        return;
    }
    let mut ends = Rows::default();
    if let Some((to, keyed)) = change.to {
        let key = EdgeKey {
            source: node_key(change.node),
            relation: "r".into(),
            destination: node_key(to),
            key: keyed.then(|| "k".into()),
        };
        if index.edge_index(&key).is_some_and(|edge| index.edge_alive(edge, LATER)) {
            return;
        }
        for end in [change.node, to].into_iter().filter(|end| is_alive(index, *end)) {
            let node = index.node_index(&node_key(end)).unwrap();
            let mut bytes = Vec::new();
            for (feature, value) in index.node_features(node, LATER) {
                bytes.clear();
                value.encode(&mut bytes);
                ends.encoded_feature(feature, &bytes);
            }
            ends.push(Action::Create, ElementRef::Node(NodeTypeId(0), IdRef::of(IDS[end])), None, 0);
        }
    } else if is_alive(index, change.node) {
        return;
    }
    let schema = index.schema().clone();
    let mut join = VersionLoader::new(index, name, Time(change.time), DeltaOptions::default());
    join.set_schema(schema, Common::default()).unwrap();
    let steps = join.rows(&ends).unwrap();
    assert!(steps.is_empty(), "{steps:?}");
    join.rows(&rows).unwrap();
}

const LATER: Time = Time(i64::MAX - 1);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn all_ways_in_make_the_same_index(changes in changes()) {
        let name = Name::from("one");
        let empty = Index::new(schema());
        let [mut events, mut rows, mut lives, mut versions] = [0; 4].map(|_| empty.clone());
        let mut refused = 0;
        for change in &changes {
            let row = change.rows();
            let reason = by_event(&mut events, &row, &name);
            prop_assert_eq!(&by_rows(&mut rows, &row, &name), &reason, "{:?}", change);
            prop_assert_eq!(&by_lives(&mut lives, &row, &name), &reason, "{:?}", change);
            by_version(&mut versions, change, &name);
            refused += usize::from(reason.is_some());
        }
        prop_assert_eq!(events.n_events(), changes.len() - refused);
        for (other, way) in [(&rows, "rows"), (&lives, "lives"), (&versions, "versions")] {
            let same = events.same_as(other);
            prop_assert!(same.is_ok(), "{}: {:?}", way, same);
        }
    }
}

/// The random changes do what they are for: both outcomes, and lives that come again.
#[test]
fn changes_are_taken_and_refused() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let name = Name::from("one");
    let (mut taken, mut again, mut reasons) = (0, 0, std::collections::BTreeSet::new());
    for _ in 0..200 {
        let changes = changes().new_tree(&mut runner).unwrap().current();
        let mut index = Index::new(schema());
        for change in &changes {
            match by_event(&mut index, &change.rows(), &name) {
                None => taken += 1,
                Some(reason) => _ = reasons.insert(format!("{reason:?}").split(['(', ' ']).next().unwrap().to_owned()),
            }
        }
        let histories = (0..IDS.len()).map(|at| index.node_history(&node_key(at)).len());
        again += histories.filter(|lives| *lives > 1).count();
    }
    assert!(taken > 1000 && again > 50 && reasons.len() >= 6, "{taken} {again} {reasons:?}");
}
