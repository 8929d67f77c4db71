//! Tables as a whole version: a TOML file that says which columns of CSV, TSV, JSON lines, Parquet and Arrow files mean what.
//!
//! ```toml
//! null = ["", "\\N"]                  # cells of text tables that hold nothing; [""] if it is not given
//!                                     # an entry has `null`, `delimiter`, `quote`, `escape`, `comment`, `header` of its own
//!
//! [version]                           # may be left out
//! namespace = "f1"
//! load-version = "2024-01"
//! load-timestamp = 1704067200000      # ticks of the graph's unit
//!
//! [[nodes]]
//! file = "drivers.csv"                # beside this file, or in the folder `root`
//! type = "driver"                     # or { column = "kind" }
//! id = "driverId"
//! features = { surname = "text", born = { column = "dob", kind = "time" } }   # or "*": all other columns
//!
//! [[edges]]
//! file = "results.csv"
//! relation = "drove_in"
//! source = { type = "driver", column = "driverId" }
//! destination = { type = "race", column = "raceId" }   # an empty cell is no edge: a foreign key
//! key = "resultId"                    # tells parallel edges apart
//!
//! [[merges]]
//! file = "renamed.csv"
//! from = { type = "driver", column = "old" }
//! into = { type = "driver", column = "new" }
//!
//! [[deleted]]
//! file = "gone.csv"
//! type = "driver"
//! id = "driverId"
//! ```
//!
//! Memory is that of one record (of Parquet, of one page of each column; of Arrow, of one batch); a file that several entries name is read several
//! times. A cell that does not fit rejects its record with file, line and column; in Parquet and Arrow the line is the row.

pub(crate) mod bound;
pub(crate) mod cell;
pub(crate) mod change_table;
#[cfg(feature = "columnar")]
pub(crate) mod columnar;
pub(crate) mod context;
mod delimited;
pub(crate) mod drift;
pub(crate) mod feature_columns;
pub(crate) mod json_lines;
pub(crate) mod key_columns;
pub(crate) mod kind;
pub(crate) mod mapping;
pub(crate) mod open;
pub(crate) mod problem;
mod push;
pub(crate) mod rows;
pub(crate) mod table_set;
pub(crate) mod types;
mod version_tables;

use std::path::{Path, PathBuf};

use timeweft_graph::{Name, Sink, Time};

use self::mapping::Mapping;
use self::table_set::Place;
use crate::SourceError;

pub(crate) use self::cell::{Cell, Made, time};
#[cfg(feature = "columnar")]
pub(crate) use self::columnar::ColumnarRows;
pub(crate) use self::open::open_table;
pub(crate) use self::rows::Rows;
pub use self::table_set::{Table, TableSet};
pub use self::version_tables::VersionTables;

/// How times are read.
pub(crate) const TIME: kind::Kind = kind::Kind::Time;

/// How to read tables.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TablesOptions {
    /// The folder in which the files are looked up, instead of the one that the mapping names: so one mapping serves many
    /// snapshots.
    pub root: Option<PathBuf>,
}

/// What a mapping says of its version.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VersionFacts {
    /// Owner of everything that the version lists.
    pub namespace: Name,
    /// Name of the version.
    pub load_version: Name,
    /// When the version takes effect.
    pub load_timestamp: Time,
    /// When its source released it.
    pub release_timestamp: Option<Time>,
}

/// Reads the version that a mapping describes into a sink.
pub fn read(mapping: &Path, options: &TablesOptions, sink: &mut dyn Sink) -> Result<(), SourceError> {
    let file: Name = mapping.to_string_lossy().as_ref().into();
    let described = Mapping::open(mapping)?;
    push::push(&described, &file, Place::Folder(&root_of(mapping, &described, options)), sink)
}

/// The folder in which the files of a mapping are looked up.
fn root_of(mapping: &Path, described: &Mapping, options: &TablesOptions) -> PathBuf {
    let beside = mapping.parent().unwrap_or(Path::new(""));
    match (&options.root, described.root()) {
        (Some(root), _) => root.clone(),
        (None, Some(root)) => beside.join(root),
        (None, None) => beside.to_owned(),
    }
}

/// The files that a mapping reads.
pub fn files(mapping: &Path, options: &TablesOptions) -> Result<Vec<PathBuf>, SourceError> {
    let described = Mapping::open(mapping)?;
    let root = root_of(mapping, &described, options);
    Ok(described.files().map(|file| root.join(file)).collect())
}

/// The columns of a table in a file, in their order; none of JSON lines, whose rows have columns of their own.
///
/// # Errors
/// If the file cannot be opened, or is no table.
pub fn columns(file: &Path) -> Result<Vec<String>, SourceError> {
    let name = file.to_string_lossy();
    let (_, rows) = open::rows(&mapping::FileSpec::named(&name), Path::new(""), None)?;
    Ok(rows.columns().to_vec())
}

/// What a mapping says of its version, so that it is said in one place; `None` without a `[version]`.
pub fn facts(mapping: &Path) -> Result<Option<VersionFacts>, SourceError> {
    Ok(Mapping::open(mapping)?.facts())
}
