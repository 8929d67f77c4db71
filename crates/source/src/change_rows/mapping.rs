//! A mapping as it is given: its text.

use std::path::Path;

use timeweft_graph::Name;

use super::plan;
use crate::SourceError;
use crate::tables::mapping::Mapping;

/// A mapping of tables whose rows are changes.
///
/// ```
/// use timeweft_source::TableMapping;
/// let mapping = TableMapping::of_toml("[changes]\nformat = \"scd2\"\n[[nodes]]\ntype = \"user\"\nid = \"user_id\"\n")?;
/// let same = TableMapping::of_json(r#"{"changes": {"format": "scd2"}, "nodes": [{"type": "user", "id": "user_id"}]}"#);
/// assert!(same.is_ok());
/// assert!(TableMapping::of_toml("[[nodes]]\n").unwrap_err().to_string().starts_with("mapping:1: missing field `type`"));
/// # Ok::<(), timeweft_source::SourceError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableMapping {
    file: Name,
    text: String,
    is_json: bool,
}

impl TableMapping {
    /// Reads a TOML file.
    ///
    /// # Errors
    /// If it cannot be read, or is no mapping of changes; the error has file and line, and says what to do.
    pub fn open(path: &Path) -> Result<TableMapping, SourceError> {
        let text = crate::read_text(path)?;
        TableMapping { file: path.to_string_lossy().as_ref().into(), text, is_json: false }.checked()
    }

    /// The mapping that a TOML text is.
    ///
    /// # Errors
    /// If it is no mapping of changes.
    pub fn of_toml(text: &str) -> Result<TableMapping, SourceError> {
        TableMapping { file: "mapping".into(), text: text.to_owned(), is_json: false }.checked()
    }

    /// The same as a JSON text, for programs that have it as objects and lists.
    ///
    /// # Errors
    /// If it is no mapping of changes.
    pub fn of_json(text: &str) -> Result<TableMapping, SourceError> {
        TableMapping { file: "mapping".into(), text: text.to_owned(), is_json: true }.checked()
    }

    /// The name for messages.
    pub fn name(&self) -> &Name {
        &self.file
    }

    fn checked(self) -> Result<TableMapping, SourceError> {
        let mapping = self.parsed()?;
        let fail = |problem| SourceError::Document { file: self.file.clone(), line: 0, problem };
        plan::links(&mapping).map_err(fail)?;
        Ok(self)
    }

    pub(super) fn parsed(&self) -> Result<Mapping, SourceError> {
        match self.is_json {
            true => Mapping::of_changes_in_json(&self.text, &self.file),
            false => Mapping::of_changes(&self.text, &self.file),
        }
    }
}
