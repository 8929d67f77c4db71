//! Files, folders and repositories as loads: intervals, whole versions, git histories.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use timeweft::Time;
use timeweft::load::{
    DeltaOptions, EdgeListDefaults, EdgeListOptions, Format, GitOptions, IntervalsOptions, LoadOptions, VersionFormat,
    VersionOptions, tables,
};

use crate::errors::{self, Raised, Result};
use crate::graph::Graph;
use crate::load_report::PyLoadReport;
use crate::loading::load;
use crate::loads::Common;

/// How intervals in files are read.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct OfIntervals {
    format: Option<String>,
    feature_types: Option<PathBuf>,
    temporal: bool,
    created_at: Option<i64>,
    removed_at: Option<i64>,
    delimiter: Option<char>,
    length_delimiter: Option<char>,
    binary_escape: Option<char>,
    node_type: Option<u32>,
    node_weight: Option<f32>,
    node_features: Option<String>,
    edge_type: Option<u32>,
    edge_weight: Option<f32>,
    edge_features: Option<String>,
}

impl OfIntervals {
    fn options(self) -> Result<IntervalsOptions> {
        let natural = EdgeListOptions::default();
        let defaults = |argument: &str, element_type, weight, features: Option<String>| {
            let defaults = EdgeListDefaults { element_type, weight, ..EdgeListDefaults::default() };
            match features {
                None => Ok(defaults),
                Some(text) => defaults.with_features(&text).map_err(|problem| wrong(argument, &problem)),
            }
        };
        let edge_list = EdgeListOptions {
            delimiter: self.delimiter.unwrap_or(natural.delimiter),
            length_delimiter: self.length_delimiter.unwrap_or(natural.length_delimiter),
            binary_escape: self.binary_escape.unwrap_or(natural.binary_escape),
            is_temporal: self.temporal,
            created_at: self.created_at,
            removed_at: self.removed_at,
            nodes: defaults("node_features", self.node_type, self.node_weight, self.node_features)?,
            edges: defaults("edge_features", self.edge_type, self.edge_weight, self.edge_features)?,
        };
        // Other formats need not refuse what was not given.
        let edge_list = (edge_list != natural).then_some(edge_list);
        let format = self.format.as_deref().map(|name| named("format", name)).transpose()?;
        Ok(IntervalsOptions { format, edge_list, feature_types: self.feature_types })
    }
}

/// What loads of whole versions take besides.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct OfVersion {
    timestamp: Option<i64>,
    release: Option<i64>,
    format: Option<String>,
    id_prefix: Option<String>,
    graph_id: Option<String>,
    root: Option<PathBuf>,
    allow_empty: bool,
    empty_types: Vec<String>,
    add_fields: bool,
    end_foreign_edges: bool,
    back_dated: bool,
    pub(crate) dry_run: bool,
}

impl OfVersion {
    /// The options of a load, but for how a file is read.
    pub(crate) fn options(self, common: LoadOptions) -> Result<LoadOptions> {
        let format = self.format.as_deref().map(|name| named::<VersionFormat>("format", name)).transpose()?;
        let (id_prefix, graph, root) = (self.id_prefix, self.graph_id, self.root);
        let delta = DeltaOptions {
            allow_empty: self.allow_empty,
            empty_types: self.empty_types.iter().map(|name| name.as_str().into()).collect(),
            add_fields: self.add_fields,
            end_foreign_edges: self.end_foreign_edges,
            ..DeltaOptions::default()
        };
        Ok(LoadOptions {
            format: Some(Format::Version(VersionOptions { format, id_prefix, graph, root })),
            timestamp: self.timestamp.map(Time),
            release_timestamp: self.release.map(Time),
            delta,
            back_dated: self.back_dated,
            ..common
        })
    }
}

/// What is not given may stand in the `[version]` of a mapping.
fn with_facts(path: &Path, options: LoadOptions) -> Result<LoadOptions> {
    let is_mapping = path.extension().is_some_and(|extension| extension == "toml");
    let facts = if is_mapping { tables::facts(path)? } else { None };
    let facts = facts.as_ref();
    let options = LoadOptions {
        namespace: options.namespace.or_else(|| facts.map(|facts| facts.namespace.clone())),
        version: options.version.or_else(|| facts.map(|facts| facts.load_version.clone())),
        timestamp: options.timestamp.or_else(|| facts.map(|facts| facts.load_timestamp)),
        release_timestamp: options.release_timestamp.or_else(|| facts.and_then(|facts| facts.release_timestamp)),
        ..options
    };
    let given = [
        ("namespace", options.namespace.is_some()),
        ("version", options.version.is_some()),
        ("timestamp", options.timestamp.is_some()),
    ];
    match given.iter().find(|(_, is_given)| !is_given) {
        Some((name, _)) => {
            Err(wrong(name, "it is missing: give it, or load a mapping (TOML) whose [version] names it"))
        }
        None => Ok(options),
    }
}

fn wrong(argument: &str, problem: &str) -> Raised {
    errors::python(PyValueError::new_err(format!("{argument}: {problem}")))
}

fn named<T: FromStr<Err = String>>(argument: &str, name: &str) -> Result<T> {
    name.parse().map_err(|problem: String| wrong(argument, &problem))
}

#[pymethods]
impl Graph {
    /// Takes in nodes and edges with lives, of a file or a folder.
    fn load_intervals(
        &self,
        py: Python<'_>,
        path: PathBuf,
        common: Common,
        of_intervals: OfIntervals,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<PyLoadReport> {
        let format = Format::Intervals(of_intervals.options()?);
        let options = LoadOptions { format: Some(format), ..common.options()? };
        self.load_path(py, path, options, progress)
    }

    /// Brings a namespace to the whole version that a file or a folder lists; or tells what that would change.
    fn load_version(
        &self,
        py: Python<'_>,
        path: PathBuf,
        common: Common,
        of_version: OfVersion,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<PyLoadReport> {
        let is_dry = of_version.dry_run;
        let options = of_version.options(common.options()?)?;
        let options = py.detach(|| with_facts(&path, options))?;
        load(py, progress, &[], move |report, stop| {
            let mut graph = self.lock();
            let load = graph.graph()?.load(path).options(options).progress(report).stopped_by(stop);
            Ok(if is_dry { load.plan() } else { load.run() }?)
        })
    }

    /// Takes in the history of a git repository.
    fn load_git(
        &self,
        py: Python<'_>,
        repository: PathBuf,
        common: Common,
        commits: (Option<usize>, Option<usize>),
        progress: Option<Py<PyAny>>,
    ) -> PyResult<PyLoadReport> {
        let (limit, newest) = commits;
        let format = Format::Git(GitOptions { limit, newest });
        let options = LoadOptions { format: Some(format), ..common.options()? };
        self.load_path(py, repository, options, progress)
    }
}

impl Graph {
    fn load_path(
        &self,
        py: Python<'_>,
        path: PathBuf,
        options: LoadOptions,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<PyLoadReport> {
        load(py, progress, &[], move |report, stop| {
            Ok(self.lock().graph()?.load(path).options(options).progress(report).stopped_by(stop).run()?)
        })
    }
}
