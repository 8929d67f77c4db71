//! Readers beside a loader, and loaders beside each other.
//!
//! A store is open in one process at a time, and within it `&mut` puts loads in a row. Threads that load share an
//! `Arc<Mutex<Store>>`; readers hold a view and need no lock.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use timeweft_graph::{At, DeltaOptions, GraphView, LoadId, Time};
use timeweft_store::{LoadRequest, Store, StoreError};

use crate::random_versions::state;
use crate::world::{fresh, load_version, version};

fn lines(namespace: &str, n: usize, data: usize) -> Vec<String> {
    let nodes = (0..n).map(|id| format!("n {namespace}{id} {data}"));
    let edges = (1..n).map(|id| format!("e x {namespace}{id} {namespace}{}", id / 2));
    nodes.chain(edges).collect()
}

fn load(store: &mut Store, namespace: &str, time: i64, lines: &[String]) -> Result<u64, StoreError> {
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let request = LoadRequest::new(namespace, "test").version(&format!("v{time}"), Time(time));
    Ok(load_version(store, request, version(&lines), DeltaOptions::default())?.accepted)
}

#[test]
fn a_pinned_reader_sees_its_state_during_a_load_and_a_rollback() {
    let (_dir, mut store) = fresh();
    load(&mut store, "a", 100, &lines("a", 300, 1)).unwrap();
    let pinned = store.view();
    let expected = state(&*pinned, 150);
    let (done, started) = (AtomicBool::new(false), AtomicBool::new(false));
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut reads = 0;
            while !done.load(Ordering::Acquire) || reads == 0 {
                for time in [150, 250] {
                    assert!(state(&*pinned, time) == expected);
                }
                reads += 1;
                started.store(true, Ordering::Release);
            }
            reads
        });
        while !started.load(Ordering::Acquire) {
            thread::yield_now();
        }
        load(&mut store, "a", 200, &lines("a", 20_000, 2)).unwrap();
        let loaded = store.view();
        assert_eq!(loaded.counts(At::time(Time(200))).nodes, 20_000);
        store.rollback(LoadId(2)).unwrap();
        assert_eq!(loaded.counts(At::time(Time(200))).nodes, 20_000);
        done.store(true, Ordering::Release);
        assert!(reader.join().unwrap() > 1, "it read while the load went on");
    });
    assert!(state(&*store.view(), 250) == expected);
}

#[test]
fn loads_of_two_namespaces_commute() {
    let orders: [[(&str, i64, usize); 4]; 2] = [
        [("a", 100, 5), ("a", 200, 3), ("b", 150, 4), ("b", 250, 6)],
        [("b", 150, 4), ("a", 100, 5), ("b", 250, 6), ("a", 200, 3)],
    ];
    let states = orders.map(|order| {
        let (dir, store) = fresh();
        let store = Arc::new(Mutex::new(store));
        for (namespace, time, n) in order {
            let store = store.clone();
            let loader = move || load(&mut store.lock().unwrap(), namespace, time, &lines(namespace, n, n)).unwrap();
            assert!(thread::spawn(loader).join().unwrap() > 0);
        }
        drop(store);
        let store = Store::open(dir.path()).unwrap();
        [99, 100, 150, 200, 250].map(|time| state(&*store.view(), time))
    });
    assert_eq!(states[0], states[1]);
}

#[test]
fn of_two_loaders_of_one_namespace_the_one_with_the_older_time_is_refused_if_it_comes_second() {
    let (dir, store) = fresh();
    let store = Arc::new(Mutex::new(store));
    let loaders = [100, 200].map(|time| {
        let store = store.clone();
        thread::spawn(move || (time, load(&mut store.lock().unwrap(), "a", time, &lines("a", time as usize / 10, 1))))
    });
    let results = loaders.map(|loader| loader.join().unwrap());
    let store = store.lock().unwrap();
    let loaded: Vec<_> = store.loads().iter().filter_map(|load| load.timestamp).collect();
    match &results[0].1 {
        Ok(_) => assert_eq!(loaded, [Time(100), Time(200)]),
        Err(refused) => {
            assert!(matches!(refused, StoreError::TooEarly { .. }), "{refused}");
            assert_eq!(loaded, [Time(200)]);
        }
    }
    assert!(results[1].1.is_ok());
    assert_eq!(store.view().counts(At::now()).nodes, 20);
    assert!(matches!(Store::open(dir.path()), Err(StoreError::Locked { .. })));
}
