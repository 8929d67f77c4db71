//! Documents compared field by field with those of the tests of KBase's relation engine.
#![allow(clippy::unwrap_used)]

mod rollbacks;
mod store_interface;
mod versions;

use timeweft_graph::{DeltaOptions, Event, Schema, TimeUnit};
use timeweft_oracle::Version;
use timeweft_oracle::world::records;
use timeweft_store::{LoadReport, LoadRequest, Store, StoreError};

fn fresh() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::create(dir.path(), Schema::new(TimeUnit::Milli)).unwrap();
    (dir, store)
}

fn load(store: &mut Store, events: &[Event]) -> Result<LoadReport, StoreError> {
    store.load(LoadRequest::new("test", "test"), records(events))
}

fn load_version(
    store: &mut Store,
    request: LoadRequest,
    version: Version,
    options: DeltaOptions,
) -> Result<LoadReport, StoreError> {
    store.load_version(request, options, |sink| {
        version.send(sink);
        Ok(())
    })
}
