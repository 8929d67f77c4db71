//! Errors of the library as exceptions of `timeweft.errors`, which knows the classes.

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use timeweft::model::{LearnError, ModelError};

/// What functions of this crate return.
pub(crate) type Result<T> = std::result::Result<T, Raised>;

/// An error on its way to Python.
pub(crate) enum Raised {
    /// Of the library.
    Library(timeweft::Error),
    /// Of Python itself.
    Python(PyErr),
}

impl<E: Into<timeweft::Error>> From<E> for Raised {
    fn from(error: E) -> Raised {
        Raised::Library(error.into())
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
            Raised::Library(error) => exception(class(&error), error.to_string()),
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

/// The class of an error.
fn class(error: &timeweft::Error) -> &'static str {
    use timeweft::Error;
    match error {
        Error::Store(_) => "StoreError",
        Error::Source(_) => "SourceError",
        Error::Stopped => "StoppedError",
        Error::Time(_) => "TimeError",
        Error::UnknownNode(_) => "UnknownError",
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
