//! A graph larger than 32-bit offsets reach. It takes 3 GB of disk and 8 GB of memory, so it runs where it is asked for.

use std::io::Write;

use timeweft_graph::{Action, Element, Event, GraphView, NodeKey, Schema, Time, TimeUnit, Value};
use timeweft_index::features::{FlatRows, Owners};
use timeweft_index::sample::{AsOf, Roots};
use timeweft_store::{LoadRequest, Store};

use crate::world::place;

const VALUES: u64 = 170;
const LENGTH: usize = 16 << 20;

/// Bytes unlike those of every other number.
fn bytes(number: u64) -> Vec<u8> {
    let mut state = number;
    let next = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407 + number);
        (state >> 32).to_le_bytes()
    };
    (0..LENGTH / 8).flat_map(next).collect()
}

/// Features at 2 GiB and beyond are those that were written, in memory, from the log and from a snapshot.
#[test]
fn offsets_beyond_2_gib() {
    if std::env::var_os("TIMEWEFT_LARGE").is_none() {
        return std::io::stderr().write_all(b"left out: offsets_beyond_2_gib (TIMEWEFT_LARGE is not set)\n").unwrap();
    }
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::create(dir.path(), Schema::new(TimeUnit::Step)).unwrap();
    let event = |number: u64| {
        let element = Element::Node(NodeKey::new("n", number));
        let features = vec![("data".into(), Some(Value::Bytes(bytes(number))))];
        Ok((Event::new(Time(number as i64), Action::Create, element).with(features), place(number as usize)))
    };
    store.load(LoadRequest::new("test", "test"), timeweft_oracle::pushed((0..VALUES).map(event))).unwrap();
    assert!(VALUES * LENGTH as u64 > 5 << 29);
    let check = |store: &Store| {
        let view = store.view();
        assert_eq!(view.counts(timeweft_graph::At::now()).nodes, VALUES as usize);
        for number in [0, 1, 63, 64, 127, 128, 129, VALUES - 1] {
            let nodes = [view.node_index(&NodeKey::new("n", number)).unwrap()];
            let mut flat = FlatRows::default();
            let owners = Owners::nodes(Roots::new(&nodes, &[Time(500)]).unwrap(), AsOf::At);
            view.flat_features(&["data".into()], owners, &mut flat).unwrap();
            assert!(flat.bytes == bytes(number), "{number}");
        }
    };
    check(&store);
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    check(&store);
    assert!(store.write_snapshot().unwrap() > 0);
    drop(store);
    check(&Store::open(dir.path()).unwrap());
}
