//! The order of records means nothing: nodes and edges may stand in any order, and come in any chunks.

use std::collections::BTreeSet;

use proptest::prelude::*;
use timeweft_graph::{
    DeltaError, EdgeTypeId, ElementRef, ExternalId, FeatureId, IdRef, Name, NodeTypeId, Record, Reject, Schema, Sink,
    Value, ValueRef,
};
use timeweft_oracle::Listed;
use timeweft_store::{LoadReport, ReadError, Store, StoreError};

use crate::answers::{answers, assert_same_answers};
use crate::law::probe_times;
use crate::random::{Load, loads};
use crate::releases::fresh;

/// Numbers that look like chance, from a seed.
struct Chance(u64);

impl Chance {
    fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            items.swap(at, (self.0 >> 33) as usize % (at + 1));
        }
    }
}

type Owned = Vec<(FeatureId, Value)>;
type Node = (Name, u64, NodeTypeId, ExternalId, Owned);
type Edge = (Name, u64, EdgeTypeId, [ExternalId; 2], Option<String>, Owned);

/// A sink that hands its records on in another order.
struct Shuffled<'a> {
    inner: &'a mut dyn Sink,
    chance: Chance,
    file: Name,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
}

impl<'a> Shuffled<'a> {
    fn new(inner: &'a mut dyn Sink, seed: u64) -> Shuffled<'a> {
        Shuffled { inner, chance: Chance(seed), file: "".into(), nodes: Vec::new(), edges: Vec::new() }
    }

    fn finish(mut self) {
        self.chance.shuffle(&mut self.nodes);
        self.chance.shuffle(&mut self.edges);
        for (file, line, node_type, id, features) in &self.nodes {
            self.inner.file(file);
            let features: Vec<_> = features.iter().map(|(id, value)| (*id, ValueRef::Any(value))).collect();
            self.inner.record(Record::Listed(ElementRef::Node(*node_type, id.as_ref()), &features), *line);
        }
        for (file, line, edge_type, ends, key, features) in &self.edges {
            self.inner.file(file);
            let features: Vec<_> = features.iter().map(|(id, value)| (*id, ValueRef::Any(value))).collect();
            let ends = ends.each_ref().map(ExternalId::as_ref);
            self.inner.record(Record::Listed(ElementRef::Edge(*edge_type, ends, key.as_deref()), &features), *line);
        }
    }
}

fn owned(features: &[(FeatureId, ValueRef<'_>)]) -> Owned {
    features.iter().map(|(id, value)| (*id, value.to_value())).collect()
}

impl Sink for Shuffled<'_> {
    fn schema(&mut self) -> &mut Schema {
        self.inner.schema()
    }

    fn record(&mut self, record: Record<'_>, line: u64) {
        let file = self.file.clone();
        match record {
            Record::Listed(ElementRef::Node(node_type, id), features) => {
                self.nodes.push((file, line, node_type, id.to_id(), owned(features)));
            }
            Record::Listed(ElementRef::Edge(edge_type, ends, key), features) => {
                let ends = ends.map(IdRef::to_id);
                self.edges.push((file, line, edge_type, ends, key.map(Into::into), owned(features)));
            }
            other => {
                if let Record::File(name) = &other {
                    self.file = name.clone();
                }
                self.inner.record(other, line);
            }
        }
    }
}

/// Reads a version into a sink, its nodes and its edges in another order.
pub(crate) fn shuffled(
    sink: &mut dyn Sink,
    seed: u64,
    read: impl FnOnce(&mut dyn Sink) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let mut shuffled = Shuffled::new(sink, seed);
    read(&mut shuffled)?;
    shuffled.finish();
    Ok(())
}

fn load(store: &mut Store, load: &Load, seed: u64) -> Result<LoadReport, StoreError> {
    let send = |sink: &mut dyn Sink| {
        load.version.send(sink);
        Ok(())
    };
    store.load_version(load.request(), load.options.clone(), |sink| shuffled(sink, seed, send))
}

/// Each key once: of several records of one key the first that comes counts, which is no matter of indifference.
fn once<K: Clone + Ord>(records: &mut Vec<Listed<K>>) {
    let mut seen = BTreeSet::new();
    records.retain(|record| seen.insert(record.key.clone()));
}

fn lines(rejects: &[Reject]) -> Vec<String> {
    let mut lines: Vec<_> = rejects.iter().map(ToString::to_string).collect();
    lines.sort_unstable();
    lines
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn shuffled_records_make_the_same_graph(mut loads in loads(), seed in any::<u64>()) {
        for load in &mut loads {
            once(&mut load.version.nodes);
            once(&mut load.version.edges);
        }
        let times = probe_times(&loads);
        let ((_one, mut plain), (_two, mut shuffled)) = (fresh(), fresh());
        for (number, load) in loads.iter().enumerate() {
            let (a, b) = (load.load(&mut plain), self::load(&mut shuffled, load, seed ^ number as u64));
            match (a, b) {
                (Ok(a), Ok(b)) => {
                    prop_assert_eq!(&a.delta, &b.delta);
                    prop_assert_eq!(lines(&a.rejects), lines(&b.rejects));
                    prop_assert_eq!((a.accepted, a.counts, a.n_rejected), (b.accepted, b.counts, b.n_rejected));
                }
                // Which of several dangling edges is told follows their order.
                (Err(StoreError::Delta(DeltaError::Dangling { count: a, .. })), Err(StoreError::Delta(DeltaError::Dangling { count: b, .. }))) => prop_assert_eq!(a, b),
                (a, b) => prop_assert_eq!(a.unwrap_err().to_string(), b.unwrap_err().to_string()),
            }
            assert_same_answers(&answers(&*shuffled.view(), &times), &answers(&*plain.view(), &times), "shuffled");
            // What a version is, is known whatever the order of its records.
            if let Some(record) = plain.loads().last() {
                prop_assert_eq!(&record.content_hash, &shuffled.loads().last().unwrap().content_hash);
            }
        }
    }
}
