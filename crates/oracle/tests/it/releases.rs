//! Real releases: where they are, and how they are loaded.

use std::path::PathBuf;

use timeweft_graph::{DeltaOptions, LoadId, Schema, Time, TimeUnit};
use timeweft_oracle::Version;
use timeweft_source::VersionOptions;
use timeweft_source::version_format;
use timeweft_store::{LoadReport, LoadRequest, Store};

/// One release of an ontology.
#[derive(Clone, Debug)]
pub(crate) struct Release {
    pub(crate) name: String,
    pub(crate) time: Time,
    pub(crate) path: PathBuf,
    pub(crate) options: VersionOptions,
}

impl Release {
    /// The release without the store.
    pub(crate) fn read(&self) -> Version {
        let mut version = Version::default();
        version_format::read(&self.path, &self.options, &mut version).unwrap();
        version
    }

    /// A request that brings it.
    pub(crate) fn request(&self, namespace: &str) -> LoadRequest {
        LoadRequest::new(namespace, &self.path.to_string_lossy()).version(&self.name, self.time)
    }

    /// Loads it as the newest version.
    pub(crate) fn load(&self, store: &mut Store, namespace: &str) -> LoadReport {
        self.load_as(store, self.request(namespace))
    }

    /// Loads it as the request says.
    pub(crate) fn load_as(&self, store: &mut Store, request: LoadRequest) -> LoadReport {
        let read = |sink: &mut dyn timeweft_graph::Sink| Ok(version_format::read(&self.path, &self.options, sink)?);
        store.load_version(request, DeltaOptions::default(), read).unwrap()
    }
}

/// Releases by name and date, at 00:00 UTC in milliseconds; of two on one day the second is a millisecond later.
pub(crate) fn dated(releases: impl IntoIterator<Item = (String, String, PathBuf)>, id_prefix: &str) -> Vec<Release> {
    let mut dated: Vec<Release> = Vec::new();
    for (name, date, path) in releases {
        let time = TimeUnit::Milli.parse(&date).unwrap();
        let time = dated.last().map_or(time, |last| time.max(Time(last.time.0 + 1)));
        let options = VersionOptions { id_prefix: Some(id_prefix.into()), ..VersionOptions::default() };
        dated.push(Release { name, time, path, options });
    }
    dated
}

/// A store in a fresh directory.
pub(crate) fn fresh() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::create(dir.path(), Schema::new(TimeUnit::Milli)).unwrap();
    (dir, store)
}

/// Loads all releases in order.
pub(crate) fn load_all(store: &mut Store, namespace: &str, releases: &[Release]) -> Vec<LoadReport> {
    releases.iter().map(|release| release.load(store, namespace)).collect()
}

/// The number of the load that brought the release at a position, in a store that took in nothing else.
pub(crate) fn load_of(position: usize) -> LoadId {
    LoadId(position as u64 + 1)
}
