//! The one error of this crate.

use std::time::Duration;

use datafusion::common::{DataFusionError, SchemaError};
use timeweft::read::damage::Damage;

/// What functions of this crate return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a query has no answer. The message says what, and where; [`Error::hint`] what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is no SQL.
    #[error("{message}")]
    #[allow(missing_docs)]
    Syntax { message: String, hint: Option<String> },
    /// SQL that means something which is not done here: it would change the answer if it were left out in silence.
    #[error("{clause} is not understood here")]
    #[allow(missing_docs)]
    Clause { clause: String, hint: String },
    /// A statement that writes.
    #[error("{statement} writes, and SQL only reads here")]
    #[allow(missing_docs)]
    Write { statement: String },
    /// A setting that there is not, or a value that it cannot have.
    #[error("SET {name}: {problem}")]
    #[allow(missing_docs)]
    Setting { name: String, problem: String },
    /// The moment of a table (`AS OF`) cannot be that.
    #[error("{clause}: {problem}")]
    #[allow(missing_docs)]
    Moment { clause: String, problem: String, hint: Option<String> },
    /// An argument of a function.
    #[error("{function}({argument}): {problem}")]
    #[allow(missing_docs)]
    Argument { function: String, argument: String, problem: String },
    /// No such table, function or column.
    #[error("there is no {what} `{name}`")]
    #[allow(missing_docs)]
    Unknown { what: &'static str, name: String, known: Vec<String> },
    /// The query does not make sense, by its names or types.
    #[error("{message}")]
    #[allow(missing_docs)]
    Question { message: String },
    /// The query makes sense, and failed with some row: a division by zero, a text that is no number.
    #[error("{message}")]
    #[allow(missing_docs)]
    Failed { message: String },
    /// It took longer than it may.
    #[error("the query took longer than {}", seconds(*limit))]
    #[allow(missing_docs)]
    TimeLimit { limit: Duration },
    /// It would take more memory than it may.
    #[error("the query takes more memory than it may have{}", bytes(*limit))]
    #[allow(missing_docs)]
    Memory { limit: Option<usize> },
    /// Somebody gave it up.
    #[error("the query was cancelled")]
    Cancelled,
    /// A snapshot of the graph is damaged.
    #[error(transparent)]
    Damage(#[from] Damage),
    /// Of the library: a commit that is gone, a time that cannot be read, a node that never was.
    #[error(transparent)]
    Library(#[from] timeweft::Error),
    /// Of the answers by columns: a type, relation or feature that is not there.
    #[error(transparent)]
    Table(#[from] timeweft_arrow::Error),
    /// A bug.
    #[error("the query failed by a bug: {message}")]
    #[allow(missing_docs)]
    Internal { message: String },
}

/// How many names a hint lists.
const LISTED: usize = 20;

impl Error {
    /// A stable name of the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Error::Syntax { .. } => "syntax",
            Error::Clause { .. } => "clause",
            Error::Write { .. } => "write",
            Error::Setting { .. } => "setting",
            Error::Moment { .. } => "moment",
            Error::Argument { .. } => "argument",
            Error::Unknown { .. } => "unknown",
            Error::Question { .. } => "question",
            Error::Failed { .. } => "failed",
            Error::TimeLimit { .. } => "time_limit",
            Error::Memory { .. } => "memory",
            Error::Cancelled => "cancelled",
            Error::Damage(_) => "damage",
            Error::Library(_) => "library",
            Error::Table(_) => "table",
            Error::Internal { .. } => "internal",
        }
    }

    /// What went wrong, in a sentence.
    pub fn message(&self) -> String {
        self.to_string()
    }

    /// What to do about it, if that can be told.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Error::Syntax { hint, .. } | Error::Moment { hint, .. } => return hint.clone(),
            Error::Clause { hint, .. } => hint.clone(),
            Error::Write { .. } => "loads are the one way in: load the data, or take a load back".into(),
            Error::Setting { .. } => {
                "there are timeweft.at (a time), timeweft.commit (a number) and timeweft.deletes ('hard' or 'soft')"
                    .into()
            }
            Error::Unknown { known, what, .. } => match &known[..] {
                [] => format!("there is no {what} at all"),
                _ if known.len() > LISTED => {
                    format!("there are {} and {} more", known[..LISTED].join(", "), known.len() - LISTED)
                }
                _ => format!("there are {}", known.join(", ")),
            },
            Error::TimeLimit { .. } => "ask for less: a node, a time, a LIMIT".into(),
            Error::Memory { .. } => "ask for less, or in smaller steps: fewer columns, a filter, a LIMIT".into(),
            _ => return None,
        })
    }

    /// Message and hint in one line.
    pub fn explained(&self) -> String {
        match self.hint() {
            Some(hint) => format!("{self}: {hint}"),
            None => self.to_string(),
        }
    }

    pub(crate) fn clause(clause: impl Into<String>, hint: impl Into<String>) -> Error {
        Error::Clause { clause: clause.into(), hint: hint.into() }
    }

    pub(crate) fn argument(function: &str, argument: &str, problem: impl Into<String>) -> Error {
        Error::Argument { function: function.into(), argument: argument.into(), problem: problem.into() }
    }
}

fn seconds(limit: Duration) -> String {
    if limit.subsec_millis() == 0 { format!("{} s", limit.as_secs()) } else { format!("{} ms", limit.as_millis()) }
}

fn bytes(limit: Option<usize>) -> String {
    limit.map_or_else(String::new, |limit| format!(": {} MiB", limit >> 20))
}

impl From<Error> for DataFusionError {
    fn from(error: Error) -> DataFusionError {
        DataFusionError::External(Box::new(error))
    }
}

impl From<DataFusionError> for Error {
    fn from(error: DataFusionError) -> Error {
        of_engine(error)
    }
}

/// Our own error, if one lies within; else what the engine says, sorted by whose mistake it is.
fn of_engine(error: DataFusionError) -> Error {
    match error {
        DataFusionError::External(inner) => match inner.downcast::<Error>() {
            Ok(own) => *own,
            Err(other) => match other.downcast::<DataFusionError>() {
                Ok(inner) => of_engine(*inner),
                Err(other) => Error::Failed { message: other.to_string() },
            },
        },
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => of_engine(*inner),
        DataFusionError::Shared(shared) => match std::sync::Arc::try_unwrap(shared) {
            Ok(inner) => of_engine(inner),
            Err(shared) => of_shared(&shared),
        },
        DataFusionError::Collection(mut all) if !all.is_empty() => of_engine(all.remove(0)),
        DataFusionError::ArrowError(inner, trace) => match *inner {
            arrow_schema::ArrowError::ExternalError(inner) => of_engine(DataFusionError::External(inner)),
            other => Error::Failed { message: DataFusionError::ArrowError(Box::new(other), trace).strip_backtrace() },
        },
        other => of_shared(&other),
    }
}

fn of_shared(error: &DataFusionError) -> Error {
    let message = |prefix: &str| {
        let text = error.find_root().strip_backtrace();
        let text = text.split("\nThis issue was likely caused by").next().unwrap_or_default();
        text.strip_prefix(prefix).unwrap_or(text).trim().to_owned()
    };
    match error.find_root() {
        DataFusionError::SQL(parse, _) => {
            let text = parse.to_string();
            let text = text.strip_prefix("sql parser error: ").unwrap_or(&text).to_owned();
            Error::Syntax { message: text, hint: None }
        }
        DataFusionError::SchemaError(schema, _) => of_schema(schema),
        DataFusionError::Plan(_) => Error::Question { message: message("Error during planning:") },
        DataFusionError::NotImplemented(_) => {
            Error::clause(message("This feature is not implemented:"), "write the query without it")
        }
        DataFusionError::ResourcesExhausted(_) => Error::Memory { limit: None },
        DataFusionError::Execution(_) => Error::Failed { message: message("Execution error:") },
        DataFusionError::Internal(_) | DataFusionError::ExecutionJoin(_) => {
            Error::Internal { message: message("Internal error:") }
        }
        _ => Error::Failed { message: message("") },
    }
}

fn of_schema(error: &SchemaError) -> Error {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => Error::Unknown {
            what: "column",
            name: field.flat_name(),
            known: valid_fields.iter().map(|column| column.flat_name()).collect(),
        },
        other => Error::Question { message: other.to_string() },
    }
}
