//! Errors of the library as exceptions of `timeweft.errors`, which knows the classes.

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use timeweft::load::{DeltaError, Frame, LoadReport, Reason, Reject, SourceError, StoreError};
use timeweft::model::{LearnError, ModelError};
use timeweft::sample::SampleError;

use crate::hints::in_python;
use crate::load_report::PyLoadReport;

/// What functions of this crate return.
pub(crate) type Result<T> = std::result::Result<T, Raised>;

/// An error on its way to Python.
pub(crate) enum Raised {
    /// Of the library.
    Library(timeweft::Error),
    /// Of a load that was refused, with the class and the message of its exception.
    Refused(&'static str, String, Box<PyLoadReport>),
    /// Of Python itself.
    Python(PyErr),
}

impl<E: Into<timeweft::Error>> From<E> for Raised {
    fn from(error: E) -> Raised {
        Raised::Library(error.into())
    }
}

/// What a load ended with: what was found until it was refused goes with it.
pub(crate) fn of_load(error: timeweft::Error, frames: &[Frame]) -> Raised {
    let (class, message) = (class(&error), in_python(&error.to_string()));
    match error {
        timeweft::Error::Store(error) => match report_of(error) {
            Ok(report) => Raised::Refused(class, message, Box::new(PyLoadReport::new(report, frames))),
            Err(error) => Raised::Library(error.into()),
        },
        other => Raised::Library(other),
    }
}

/// What is no error of the library: an exception of Python, by the name of its class in `timeweft.errors`.
pub(crate) fn python(error: PyErr) -> Raised {
    Raised::Python(error)
}

/// An exception of `timeweft.errors`, by its name.
pub(crate) fn named(class: &'static str, message: impl Into<String>) -> Raised {
    Raised::Python(exception(class, message.into()))
}

impl From<Raised> for PyErr {
    fn from(raised: Raised) -> PyErr {
        match raised {
            Raised::Python(error) => error,
            Raised::Refused(class, message, report) => {
                let raised = exception(class, message);
                Python::attach(|py| attach(&raised, *report, py)).map_or_else(|failed| failed, |()| raised)
            }
            Raised::Library(error) => {
                let raised = exception(class(&error), in_python(&error.to_string()));
                match Python::attach(|py| tell(&raised, &error, py)) {
                    Ok(()) => raised,
                    Err(failed) => failed,
                }
            }
        }
    }
}

/// The exception of a name, made under the interpreter.
fn exception(class: &'static str, message: String) -> PyErr {
    Python::attach(|py| {
        let made = || {
            let class = py.import("timeweft.errors")?.getattr(class)?;
            class.call1(PyTuple::new(py, [message])?)
        };
        made().map_or_else(|error| error, PyErr::from_value)
    })
}

/// Gives an exception the report of its load.
fn attach(raised: &PyErr, report: PyLoadReport, py: Python<'_>) -> PyResult<()> {
    let report = py.import("timeweft.report")?.getattr("LoadReport")?.call1((Bound::new(py, report)?,))?;
    raised.value(py).setattr("report", report)
}

/// Gives an exception what the error knows: the place in a source.
fn tell(raised: &PyErr, error: &timeweft::Error, py: Python<'_>) -> PyResult<()> {
    let timeweft::Error::Source(error) = error else { return Ok(()) };
    let (file, line) = place(error);
    raised.value(py).setattr("file", file)?;
    raised.value(py).setattr("line", line.filter(|line| *line > 0))
}

/// What a load found until it was refused.
fn report_of(error: StoreError) -> std::result::Result<LoadReport, StoreError> {
    let refused = |reject, n_rejected| LoadReport { rejects: vec![reject], n_rejected, ..LoadReport::default() };
    Ok(match error {
        StoreError::NothingAccepted(report) | StoreError::TooManyRejects { report, .. } => *report,
        StoreError::Dangling(reject) => refused(*reject, 1),
        StoreError::Delta(DeltaError::Dangling { place, missing, count, .. }) => {
            refused(Reject { place, reason: Reason::NotListed { node: missing, lived: false } }, count)
        }
        other => return Err(other),
    })
}

/// The source, and the line or row, counted from 1; 0 where it is in no line.
fn place(error: &SourceError) -> (Option<String>, Option<u64>) {
    use SourceError::{Columns, Document, History, NoRepository, Open, OtherHistory, Read, TooManyTypes, Unrecognised};
    match error {
        Read { file, line, .. } | Document { file, line, .. } | TooManyTypes { file, line } => {
            (Some(file.to_string()), Some(*line))
        }
        Columns { file, .. } => (Some(file.to_string()), None),
        Open { path, .. }
        | Unrecognised { path, .. }
        | NoRepository { path, .. }
        | OtherHistory { path }
        | History { path, .. } => (Some(path.display().to_string()), None),
        _ => (None, None),
    }
}

/// The class of an error.
fn class(error: &timeweft::Error) -> &'static str {
    use timeweft::Error;
    match error {
        Error::Store(error) => of_store(error),
        Error::Source(_) => "SourceError",
        Error::Stopped => "StoppedError",
        Error::Time(_) => "TimeError",
        Error::UnknownNode(_) => "UnknownError",
        Error::Sample(SampleError::FeatureKind { .. } | SampleError::NotAWeight { .. }) => "FeatureKindError",
        Error::Sample(SampleError::UnknownWeight { .. }) => "UnknownError",
        Error::Sample(_) => "SampleError",
        Error::Query(_) => "QueryError",
        Error::Model(error) => class_of_model(error),
        _ => "Error",
    }
}

/// The class of an error of a model.
fn class_of_model(error: &ModelError) -> &'static str {
    match error {
        ModelError::Learn(LearnError::Config(_) | LearnError::NoRoom { .. } | LearnError::OtherConfig) => "ConfigError",
        ModelError::Learn(LearnError::UnknownTarget { .. })
        | ModelError::UnknownRelation { .. }
        | ModelError::UnknownType { .. } => "UnknownError",
        _ => "ModelError",
    }
}

fn of_store(error: &StoreError) -> &'static str {
    match error {
        StoreError::Missing(_) | StoreError::NotAGraph(_) => "MissingError",
        StoreError::Exists(_) => "ExistsError",
        StoreError::Locked { .. } => "LockedError",
        StoreError::ReadOnly(_) => "ReadOnlyError",
        StoreError::NewerFormat { .. } => "NewerFormatError",
        StoreError::Corrupt { .. } | StoreError::Manifest { .. } | StoreError::Misread { .. } => "CorruptError",
        StoreError::DiskFull(_) => "DiskFullError",
        StoreError::UnknownCommit { .. } => "CommitGoneError",
        StoreError::UnknownLoad(_) => "UnknownError",
        StoreError::NothingAccepted(_) => "NothingAcceptedError",
        StoreError::TooManyRejects { .. } => "TooManyRejectsError",
        StoreError::VersionTaken { .. } | StoreError::TimestampTaken { .. } => "VersionTakenError",
        StoreError::Dangling(_) | StoreError::Delta(DeltaError::Dangling { .. }) => "DanglingError",
        StoreError::Delta(_) | StoreError::TooEarly { .. } | StoreError::Incomplete(_) | StoreError::Full(_) => {
            "LoadError"
        }
        StoreError::Source(_) => "SourceError",
        StoreError::Unwritten { cause, .. } => of_store(cause),
        _ => "StoreError",
    }
}
