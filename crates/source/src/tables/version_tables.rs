//! A whole version in data frames and files that are at hand, with a mapping that is no file.

use timeweft_graph::{Name, Sink};

use super::mapping::Mapping;
use super::push;
use super::table_set::{Place, TableSet};
use crate::SourceError;

/// A whole version in tables, as a mapping says.
///
/// Each entry reads its table once, from the first row to the last one: a data frame that can be read once serves one entry.
///
/// ```
/// use timeweft_source::tables::{Table, TableSet, VersionTables};
/// let mapping = r#"{"nodes": [{"file": "people", "type": "person", "id": "name", "features": "*"}]}"#;
/// let tables = TableSet::new([("people", Table::File("people.csv".into()))]);
/// assert!(VersionTables::new(tables, mapping).is_ok());
/// let others = TableSet::new([("cities", Table::File("cities.csv".into()))]);
/// let error = VersionTables::new(others, mapping).err().map(|error| error.to_string());
/// assert_eq!(error.as_deref(), Some("mapping: there is no table `people`: the tables are `cities`"));
/// ```
pub struct VersionTables {
    mapping: Mapping,
    tables: TableSet,
}

/// How messages name a mapping that is no file.
const MAPPING: &str = "mapping";

impl VersionTables {
    /// Tables with their mapping, a JSON text whose keys are those of the TOML file.
    ///
    /// # Errors
    /// If it is no mapping of a whole version, or names other tables.
    pub fn new(tables: TableSet, mapping: &str) -> Result<VersionTables, SourceError> {
        let mapping = Mapping::of_version_in_json(mapping, &MAPPING.into())?;
        let problem = mapping.files().find_map(|file| tables.problem(file));
        match problem {
            Some(problem) => Err(SourceError::Document { file: MAPPING.into(), line: 0, problem }),
            None => Ok(VersionTables { mapping, tables }),
        }
    }

    /// The name for messages and for the registry of loads.
    pub fn name(&self) -> &Name {
        self.tables.name()
    }

    /// The tables.
    pub fn tables(&self) -> &TableSet {
        &self.tables
    }

    /// Reads the version into a sink.
    ///
    /// # Errors
    /// If a table cannot be read to its end, or its columns are not those that the mapping names.
    pub fn read(&self, sink: &mut dyn Sink) -> Result<(), SourceError> {
        push::push(&self.mapping, &MAPPING.into(), Place::Set(&self.tables), sink)
    }
}
