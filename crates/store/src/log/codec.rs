//! Records as Arrow record batches and back. The format is described in the crate's documentation.

mod decode;
mod dictionary;
mod encode;
mod layout;
mod numbers;
mod values;

pub(crate) use decode::{decode, fits, latest_time, n_events};
pub(crate) use encode::Encoder;

use arrow_schema::ArrowError;

/// Why bytes are not a segment, or events are not encodable.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CodecError {
    #[error(transparent)]
    Arrow(#[from] ArrowError),
    #[error("column `{0}` is missing or has another type")]
    Column(String),
    #[error("row {row}: {problem}")]
    Row { row: usize, problem: &'static str },
    #[error("feature `{0}` holds a value of another kind than its column")]
    Kind(String),
    #[error("{0}")]
    Metadata(#[from] serde_json::Error),
}
