//! The reader of change rows: which files a mapping reads, and how.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use timeweft_graph::{Link, Name, Sink};

use super::mapping::TableMapping;
use super::plan::{self, Table};
use super::{changes, intervals};
use crate::tables::change_table::ChangeFormat;
use crate::tables::context::Context;
use crate::tables::drift::Drift;
use crate::tables::mapping::{FileSpec, Mapping};
use crate::tables::open;
use crate::tables::rows::Rows;
use crate::{SourceError, plain_name};

/// Reads the rows of tables that say what changed when, as a [`TableMapping`] says.
///
/// What it pushes are rows, and not yet events of a graph: a create says what an element is from a time on, whether it was
/// there before or not, and a delete that it is not. [`ChangeRowsReader::links`] are the edges of which a node has one at most.
pub struct ChangeRowsReader {
    mapping: Mapping,
    mapping_file: Name,
    path: PathBuf,
    file: Name,
    links: Vec<Link>,
    notes: Vec<String>,
}

impl ChangeRowsReader {
    /// A reader of a file, of standard input (`-`), or of the files in a folder that the mapping names.
    ///
    /// # Errors
    /// If the mapping reads nothing of it, or reads it more than once and it is standard input.
    pub fn open(path: &Path, mapping: &TableMapping) -> Result<ChangeRowsReader, SourceError> {
        let (parsed, mapping_file) = (mapping.parsed()?, mapping.name().clone());
        let fail = |problem: String| SourceError::Document { file: mapping_file.clone(), line: 0, problem };
        let links = plan::links(&parsed).map_err(fail)?;
        if path == Path::new("-") && format_of(&parsed) != ChangeFormat::Debezium {
            let problem = "standard input is read once, and rows of intervals are read more than once: give a file";
            return Err(fail(problem.into()));
        }
        let file: Name = if path == Path::new("-") { "<stdin>".into() } else { path.to_string_lossy().as_ref().into() };
        let reader =
            ChangeRowsReader { mapping: parsed, mapping_file, path: path.into(), file, links, notes: Vec::new() };
        reader.tables()?;
        Ok(reader)
    }

    /// The name for messages.
    pub fn name(&self) -> &Name {
        &self.file
    }

    /// The foreign keys that the mapping makes edges of.
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// What was left out, and what was read as something else than it says, for people. Ask when all is read.
    pub fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    /// Pushes all rows into a sink. Rows of intervals are read three times, so that their keys alone are in memory.
    ///
    /// # Errors
    /// If a file cannot be read to its end, or its columns are not those that the mapping names.
    pub fn read(&mut self, sink: &mut dyn Sink) -> Result<(), SourceError> {
        let (unit, drift) = (sink.schema().unit(), Drift::new(sink.schema()));
        let (mapping, root) = (self.mapping_file.clone(), Path::new(""));
        let null = self.mapping.null();
        let context = Context { mapping, root, null, unit, drift, floored: RefCell::default() };
        let (tables, Some(how)) = (self.tables()?, &self.mapping.changes) else { return Ok(()) };
        let read = match how.format {
            ChangeFormat::Debezium => changes::read(self, how, &context, &tables, sink),
            _ => intervals::read(self, how, &context, &tables, sink),
        };
        self.notes = read?;
        Ok(())
    }

    /// The tables of the mapping that are in the file, or in files of the folder.
    fn tables(&self) -> Result<Vec<Table<'_>>, SourceError> {
        let fail = |problem: String| SourceError::Document { file: self.mapping_file.clone(), line: 0, problem };
        let mut tables = plan::tables(&self.mapping);
        if self.path.is_dir() {
            return match tables.iter().any(|table| table.file.file.is_empty()) {
                true => Err(fail(format!("{} is a folder: name the `file` of each entry in it", self.file))),
                false => Ok(tables),
            };
        }
        let own = plain_name(&self.path);
        tables.retain(|table| table.file.file.is_empty() || plain_name(Path::new(table.file.file)) == own);
        match tables.is_empty() {
            true => Err(fail(format!("no entry reads `{}`: each names another `file`", self.file))),
            false => Ok(tables),
        }
    }

    /// Opens the file of an entry, with its name.
    pub(super) fn rows(&self, spec: &FileSpec<'_>) -> Result<(Name, Box<dyn Rows>), SourceError> {
        let path = if self.path.is_dir() { self.path.join(spec.file) } else { self.path.clone() };
        let file = path.to_string_lossy();
        let plain = plain_name(&path);
        let ending = plain.rsplit('.').next().unwrap_or_default();
        let is_known =
            ["csv", "tsv", "txt", "parquet", "parq", "pq", "arrow", "arrows", "feather", "ipc"].contains(&ending);
        // Streams of changes are JSON lines, whatever their files are called.
        let format = spec.format.or((!is_known).then_some("jsonl"));
        let opened = open::rows(&FileSpec { file: &file, format, ..spec.clone() }, Path::new(""), self.mapping.null());
        opened.map_err(|error| match error {
            SourceError::Unrecognised { path, problem, .. } => {
                SourceError::Unrecognised { path, as_what: "change rows", problem }
            }
            other => other,
        })
    }
}

fn format_of(mapping: &Mapping) -> ChangeFormat {
    mapping.changes.as_ref().map_or(ChangeFormat::Debezium, |changes| changes.format)
}

/// The error with the name of the file, where it does not have one.
pub(super) fn named(error: SourceError, file: &Name) -> SourceError {
    match error {
        SourceError::Columns { file: unknown, problem, columns } if unknown.is_empty() => {
            SourceError::Columns { file: file.clone(), problem, columns }
        }
        other => other,
    }
}
