//! Tables by names, files or data frames, as loads of intervals and of whole versions.

use std::path::{Path, PathBuf};

use pyo3::prelude::*;
use timeweft::load::TableMapping;
use timeweft::load::tables::{self, VersionTables};

use crate::errors::{self, Raised};
use crate::frames::{Source, set};
use crate::graph::Graph;
use crate::load_files::OfVersion;
use crate::load_report::PyLoadReport;
use crate::loading::load;
use crate::loads::Common;

/// An error of a mapping that the package made or was given as a dict.
fn of_mapping(error: &timeweft::load::SourceError) -> Raised {
    errors::named("ConfigError", error.to_string())
}

/// The columns of a table in a file; none of JSON lines.
#[pyfunction]
pub(crate) fn table_columns(py: Python<'_>, path: PathBuf) -> PyResult<Vec<String>> {
    py.detach(|| tables::columns(Path::new(&path)).map_err(Raised::from)).map_err(PyErr::from)
}

#[pymethods]
impl Graph {
    /// Takes in tables whose rows are changes or lives, by a mapping in JSON.
    fn load_changes(
        &self,
        py: Python<'_>,
        tables: Vec<(String, Source)>,
        mapping: &str,
        common: Common,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<PyLoadReport> {
        let options = common.options()?;
        let mapping = TableMapping::of_json(mapping).map_err(|error| of_mapping(&error))?;
        let tables = set(tables);
        load(py, progress, &tables.frames().cloned().collect::<Vec<_>>(), move |report, stop| {
            let mut graph = self.lock();
            let load = graph.graph()?.load_changes(tables, mapping).options(options);
            Ok(load.progress(report).stopped_by(stop).run()?)
        })
    }

    /// Brings a namespace to the version that tables list, by a mapping in JSON.
    fn load_version_tables(
        &self,
        py: Python<'_>,
        tables: Vec<(String, Source)>,
        mapping: &str,
        common: Common,
        of_version: OfVersion,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<PyLoadReport> {
        let is_dry = of_version.dry_run;
        let options = of_version.options(common.options()?)?;
        let tables = VersionTables::new(set(tables), mapping).map_err(|error| of_mapping(&error))?;
        load(py, progress, &tables.tables().frames().cloned().collect::<Vec<_>>(), move |report, stop| {
            let mut graph = self.lock();
            let load = graph.graph()?.load_version_tables(tables).options(options);
            let load = load.progress(report).stopped_by(stop);
            Ok(if is_dry { load.plan() } else { load.run() }?)
        })
    }
}
