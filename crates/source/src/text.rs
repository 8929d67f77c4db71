//! Text in files: its encoding and lines, delimited cells, JSON, and values of features.

pub(crate) mod byte_lines;
pub(crate) mod cell_numbers;
pub mod delimited;
pub(crate) mod encoding;
pub(crate) mod feature_text;
pub(crate) mod floored;
pub(crate) mod json;
pub(crate) mod lines;
pub(crate) mod names;
