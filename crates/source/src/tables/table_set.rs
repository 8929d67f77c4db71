//! Tables by the names that a mapping calls them: files that are called otherwise, and data frames.

use std::path::{Path, PathBuf};

use timeweft_graph::Name;

#[cfg(feature = "columnar")]
use super::columnar::ColumnarRows;
use super::mapping::FileSpec;
use super::open;
use super::rows::Rows;
#[cfg(feature = "columnar")]
use crate::Frame;
use crate::SourceError;

/// Where the rows of a table are.
#[derive(Clone, Debug)]
pub enum Table {
    /// In a file: CSV, TSV, JSON lines, Parquet or Arrow.
    File(PathBuf),
    /// In a data frame.
    #[cfg(feature = "columnar")]
    Frame(Frame),
}

impl Table {
    fn name(&self) -> Name {
        match self {
            Table::File(path) => path.to_string_lossy().as_ref().into(),
            #[cfg(feature = "columnar")]
            Table::Frame(frame) => frame.name().clone(),
        }
    }
}

/// Tables, each by what the entries of a mapping call its `file`.
///
/// ```
/// use timeweft_source::tables::{Table, TableSet};
/// let tables = TableSet::new([("nodes", Table::File("people.csv".into())), ("edges", Table::File("calls.csv".into()))]);
/// assert_eq!(&**tables.name(), "people.csv, calls.csv");
/// ```
#[derive(Clone, Debug)]
pub struct TableSet {
    name: Name,
    tables: Vec<(String, Table)>,
}

impl TableSet {
    /// Tables with their names.
    pub fn new<'a>(tables: impl IntoIterator<Item = (&'a str, Table)>) -> TableSet {
        let tables: Vec<_> = tables.into_iter().map(|(name, table)| (name.to_owned(), table)).collect();
        let names: Vec<String> = tables.iter().map(|(_, table)| table.name().to_string()).collect();
        TableSet { name: names.join(", ").into(), tables }
    }

    /// A data frame, whose entries name no `file`.
    #[cfg(feature = "columnar")]
    pub fn of_frame(frame: Frame) -> TableSet {
        TableSet::new([("", Table::Frame(frame))])
    }

    /// What stands for all of them in messages and in the registry of loads.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Whether all of them can be read more than once: files that are there, and frames that say so.
    pub fn can_reread(&self) -> bool {
        self.tables.iter().all(|(_, table)| match table {
            Table::File(path) => path != Path::new("-") && path.is_file(),
            #[cfg(feature = "columnar")]
            Table::Frame(frame) => frame.can_reread(),
        })
    }

    /// The data frames among them.
    #[cfg(feature = "columnar")]
    pub fn frames(&self) -> impl Iterator<Item = &Frame> {
        self.tables.iter().filter_map(|(_, table)| match table {
            Table::Frame(frame) => Some(frame),
            Table::File(_) => None,
        })
    }

    /// Takes those into memory that can be read only once; the rest of them is left out once `is_over`.
    #[cfg_attr(not(feature = "columnar"), expect(unused_variables, reason = "files are read again"))]
    pub(crate) fn hold(&mut self, is_over: &dyn Fn() -> bool) -> Result<(), SourceError> {
        #[cfg(feature = "columnar")]
        for (_, table) in &mut self.tables {
            if let Table::Frame(frame) = table
                && !frame.can_reread()
            {
                let fail = |problem| SourceError::Document { file: frame.name().clone(), line: 0, problem };
                *table = Table::Frame(frame.held(is_over).map_err(fail)?);
            }
        }
        Ok(())
    }

    /// Why an entry reads none of them; nothing if it does.
    pub(crate) fn problem(&self, file: &str) -> Option<String> {
        let is_there = self.tables.iter().any(|(name, _)| name == file);
        let names = || self.tables.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        match (is_there, self.tables.iter().any(|(name, _)| name.is_empty())) {
            (true, _) => None,
            (false, true) => Some("a data frame has no files: leave `file` out of the entries".into()),
            (false, false) if file.is_empty() => Some(format!("an entry names no `file`: the tables are {}", names())),
            (false, false) => Some(format!("there is no table `{file}`: the tables are {}", names())),
        }
    }

    /// The rows of the table that an entry calls so, with its name for messages. A file is opened by `open`.
    pub(crate) fn rows(
        &self,
        spec: &FileSpec<'_>,
        open: impl FnOnce(&Path) -> Result<(Name, Box<dyn Rows>), SourceError>,
    ) -> Result<(Name, Box<dyn Rows>), SourceError> {
        match self.tables.iter().find(|(name, _)| name == spec.file) {
            Some((_, Table::File(path))) => open(path),
            #[cfg(feature = "columnar")]
            Some((_, Table::Frame(frame))) => Ok((frame.name().clone(), Box::new(ColumnarRows::of_frame(frame)?))),
            None => {
                let problem = self.problem(spec.file).unwrap_or_default();
                Err(SourceError::Document { file: self.name.clone(), line: 0, problem })
            }
        }
    }
}

/// Where the files of a mapping are.
pub(crate) enum Place<'a> {
    /// In a folder, under their names.
    Folder(&'a Path),
    /// In files and frames that are given.
    Set(&'a TableSet),
}

impl Place<'_> {
    /// Opens the table of an entry.
    pub(crate) fn rows(
        &self,
        spec: &FileSpec<'_>,
        null: Option<&[String]>,
    ) -> Result<(Name, Box<dyn Rows>), SourceError> {
        match self {
            Place::Folder(root) => open::rows(spec, root, null),
            Place::Set(tables) => tables.rows(spec, |path| {
                let file = path.to_string_lossy();
                open::rows(&FileSpec { file: &file, ..spec.clone() }, Path::new(""), null)
            }),
        }
    }
}
