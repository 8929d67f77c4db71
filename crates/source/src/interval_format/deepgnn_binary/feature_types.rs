//! What the bytes of features are, which the format does not keep.

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;

use serde::Deserialize;

use crate::SourceError;
use crate::interval_format::form::Form;

/// Types of features by their numbers. A feature that is not named holds bytes.
///
/// ```
/// use timeweft_source::FeatureTypes;
/// let types: FeatureTypes = r#"
///     [node_features]
///     0 = "float32"
///     1 = "temporal float32"
///     2 = "sparse int16"
///     3 = "binary"
/// "#.parse()?;
/// assert_eq!(types.nodes.len(), 4);
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FeatureTypes {
    /// Of nodes.
    pub nodes: BTreeMap<u32, FeatureType>,
    /// Of edges.
    pub edges: BTreeMap<u32, FeatureType>,
}

/// What the bytes of a feature are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FeatureType {
    /// Whether they begin with a table of times.
    pub is_temporal: bool,
    /// What a value is.
    pub(super) form: Form,
}

impl FeatureType {
    /// Bytes, for the whole life of the owner.
    pub const BYTES: FeatureType = FeatureType { is_temporal: false, form: Form::Bytes };
}

impl FromStr for FeatureType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (is_temporal, rest) = match text.strip_prefix("temporal ") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let form = Form::of(rest, "sparse ").ok_or_else(|| {
            format!(
                "`{text}` is no type of features: use `binary`, or `float32` or another numpy type, with `sparse` and \
                 then `temporal` before it where it is so"
            )
        })?;
        Ok(FeatureType { is_temporal, form })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    node_features: BTreeMap<String, String>,
    #[serde(default)]
    edge_features: BTreeMap<String, String>,
}

impl FeatureTypes {
    /// Reads a TOML file with the tables `node_features` and `edge_features`, from numbers to types.
    pub fn open(path: &Path) -> Result<FeatureTypes, SourceError> {
        let text = crate::read_text(path)?;
        let document = |problem| SourceError::Document { file: path.to_string_lossy().into(), line: 0, problem };
        text.parse().map_err(document)
    }
}

impl FromStr for FeatureTypes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        let numbered = |table: BTreeMap<String, String>| {
            let numbered = table.into_iter().map(|(number, name)| {
                let key = number.parse().map_err(|_| format!("`{number}` is no number of a feature"))?;
                Ok((key, name.parse().map_err(|problem| format!("feature {number}: {problem}"))?))
            });
            numbered.collect::<Result<_, String>>()
        };
        Ok(FeatureTypes { nodes: numbered(file.node_features)?, edges: numbered(file.edge_features)? })
    }
}
