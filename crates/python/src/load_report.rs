//! What came of a load.

use pyo3::prelude::*;
use serde_json::{Value as Json, json};
use timeweft::load::{Frame, LoadReport, Reject, refused_rows};

use crate::hints::in_python;
use crate::table::Columns;

/// What came of a load. `timeweft.LoadReport` wraps it.
#[pyclass(frozen, module = "timeweft._core", name = "LoadReport")]
pub(crate) struct PyLoadReport {
    facts: String,
    rejects: Vec<Reject>,
    /// The rows of the rejects, as JSON.
    records: Vec<Option<String>>,
}

impl PyLoadReport {
    /// The report of a load that read these data frames. The rows that were refused are read once more, without the
    /// interpreter.
    pub(crate) fn new(report: LoadReport, frames: &[Frame]) -> PyLoadReport {
        let records = refused_rows(&report.rejects, frames);
        PyLoadReport { facts: facts(&report).to_string(), rejects: report.rejects, records }
    }
}

#[pymethods]
impl PyLoadReport {
    /// All numbers, as JSON.
    #[getter]
    fn facts(&self) -> &str {
        &self.facts
    }

    /// The rejected records that were kept: file, row, reason, record.
    fn rejects(&self) -> Columns {
        let told = self.rejects.iter().zip(&self.records);
        let told = told.map(|(reject, record)| (reject, in_python(&reject.reason.to_string()), record.as_deref()));
        Columns::from(timeweft_arrow::rejects(told))
    }
}

fn facts(report: &LoadReport) -> Json {
    let warnings = report.warnings.iter().map(|(place, text)| json!([place.to_string(), in_python(text)]));
    let dropped = report.later.dropped.iter().map(|of| json!([of.load.0, of.why]));
    json!({
        "load": report.load.0,
        "commit": report.commit.0,
        "unchanged": report.unchanged,
        "accepted": report.accepted,
        "rejected": report.n_rejected,
        "counts": report.counts,
        "sorted": report.order.sorted,
        "placed": report.order.placed,
        "late": report.order.refused,
        "rows": { "unchanged": report.rows.unchanged, "absent": report.rows.absent },
        "clipped": { "edges": report.clipped.edges, "features": report.clipped.features },
        "delta": report.delta,
        "warnings": warnings.collect::<Vec<_>>(),
        "notes": report.notes.iter().map(|note| in_python(note)).collect::<Vec<_>>(),
        "replaced": report.later.replaced.iter().map(|load| load.0).collect::<Vec<_>>(),
        "dropped": dropped.collect::<Vec<_>>(),
        "n_dropped": report.later.n_dropped,
    })
}
