//! Real releases of the Environment Ontology.

use std::path::{Path, PathBuf};

use timeweft_graph::{DeltaOptions, GraphView, LoadId, Time};
use timeweft_oracle::world::data;
use timeweft_source::{OboOptions, obo};
use timeweft_store::{LoadReport, LoadRequest, Store};

use crate::random_versions::{content, state};
use crate::world::fresh;

fn release(store: &mut Store, path: &Path, time: i64, back_dated: bool) -> LoadReport {
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    let request = LoadRequest { back_dated, ..LoadRequest::new("envo", &name).version(&name, Time(time)) };
    let options = OboOptions { id_prefix: Some("ENVO".into()) };
    let read = store.load_version(request, DeltaOptions::default(), |sink| {
        let input = timeweft_source::open(path).map_err(|error| error.to_string())?;
        obo::read(input, &name.as_str().into(), &options, sink).map_err(|error| error.to_string().into())
    });
    read.unwrap()
}

#[test]
fn the_tenth_release_goes_and_comes_back() {
    let Some(folder) = data("releases::the_tenth_release_goes_and_comes_back", "envo") else { return };
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ext| ext == "obo"));
    paths.sort();
    paths.truncate(12);
    assert_eq!(paths.len(), 12);
    let (dir, mut store) = fresh();
    for (number, path) in (1..).zip(&paths) {
        release(&mut store, path, number * 100, false);
    }
    let original = store.view();
    assert!(content(&*original, 1000) != content(&*original, 900), "the release changed something");

    let undone = store.rollback(LoadId(10)).unwrap();
    assert_eq!((undone.later.replaced.clone(), undone.later.n_dropped), (vec![LoadId(11)], 0));
    drop(store);
    let mut store = Store::open(dir.path()).unwrap();
    let view = store.view();
    for time in [900, 1100, 1200] {
        assert!(content(&*view, time) == content(&*original, time), "at {time}");
    }
    assert!(content(&*view, 1000) == content(&*original, 900));

    let again = release(&mut store, &paths[9], 1000, true);
    assert_eq!((again.later.replaced.clone(), again.later.n_dropped), (vec![LoadId(11)], 0));
    drop(store);
    let mut store = Store::open(dir.path()).unwrap();
    for number in 1..=12 {
        let time = number * 100;
        assert!(state(&*store.view(), time) == state(&*original, time), "at {time}");
    }
    assert!(store.view().merges() == original.merges());
    store.verify().unwrap();
}
