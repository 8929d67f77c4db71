//! The one error of this crate.

use arrow_schema::ArrowError;

/// What functions of this crate return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a table could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The graph has no such type, relation or feature.
    #[error("{argument}: the graph has no {kind} `{name}`: {}", it_has(known))]
    #[allow(missing_docs)]
    Unknown { argument: &'static str, kind: &'static str, name: String, known: Vec<String> },
    /// Of the library.
    #[error(transparent)]
    Library(#[from] timeweft::Error),
    /// A row does not fit its columns, or a column is too large.
    #[error(transparent)]
    Rows(#[from] std::io::Error),
    /// Columns do not fit together.
    #[error(transparent)]
    Columns(#[from] ArrowError),
}

/// How many names a message lists.
const LISTED: usize = 20;

fn it_has(known: &[String]) -> String {
    match known {
        [] => "it has none".into(),
        _ if known.len() > LISTED => format!("it has {} and {} more", known[..LISTED].join(", "), known.len() - LISTED),
        _ => format!("it has {}", known.join(", ")),
    }
}
