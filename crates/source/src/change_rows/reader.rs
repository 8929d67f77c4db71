//! The reader of change rows: which files a mapping reads, and how.

use std::cell::RefCell;
use std::path::Path;

use timeweft_graph::{Link, Name, Sink};

use super::files::Files;
use super::mapping::TableMapping;
use super::plan;
use super::{changes, intervals};
use crate::SourceError;
use crate::tables::change_table::ChangeFormat;
use crate::tables::context::Context;
use crate::tables::drift::Drift;
use crate::tables::mapping::Mapping;
use crate::tables::table_set::{Place, TableSet};

/// Reads the rows of tables that say what changed when, as a [`TableMapping`] says.
///
/// What it pushes are rows, and not yet events of a graph: a create says what an element is from a time on, whether it was
/// there before or not, and a delete that it is not. [`ChangeRowsReader::links`] are the edges of which a node has one at most.
pub struct ChangeRowsReader {
    files: Files,
    links: Vec<Link>,
    notes: Vec<String>,
}

impl ChangeRowsReader {
    /// A reader of a file, of standard input (`-`), or of the files in a folder that the mapping names.
    ///
    /// # Errors
    /// If the mapping reads nothing of it, or reads it more than once and it is standard input.
    pub fn open(path: &Path, mapping: &TableMapping) -> Result<ChangeRowsReader, SourceError> {
        let files = Files::new(path, mapping.parsed()?, mapping.name());
        let links = plan::links(&files.mapping).map_err(|problem| files.fail(problem))?;
        if files.is_standard_input() && format_of(&files.mapping) != ChangeFormat::Debezium {
            let problem = "standard input is read once, and rows of intervals are read more than once: give a file";
            return Err(files.fail(problem.into()));
        }
        files.tables()?;
        Ok(ChangeRowsReader { files, links, notes: Vec::new() })
    }

    /// A reader of data frames and files. A frame that can be read once is held in memory where its rows are intervals.
    ///
    /// # Errors
    /// If the mapping reads none of them, or reads others, or a frame does not give its rows.
    pub fn of_tables(tables: TableSet, mapping: &TableMapping) -> Result<ChangeRowsReader, SourceError> {
        let parsed = mapping.parsed()?;
        let files = Files::of_tables(tables, parsed, mapping.name());
        let links = plan::links(&files.mapping).map_err(|problem| files.fail(problem))?;
        files.tables()?;
        Ok(ChangeRowsReader { files, links, notes: Vec::new() })
    }

    /// The name for messages.
    pub fn name(&self) -> &Name {
        &self.files.name
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
        if format_of(&self.files.mapping) != ChangeFormat::Debezium {
            self.files.hold(&|| sink.is_closed())?;
        }
        let files = &self.files;
        let (mapping, place) = (files.mapping_file.clone(), Place::Folder(Path::new("")));
        let null = files.mapping.null();
        let context = Context { mapping, place, null, unit, drift, floored: RefCell::default() };
        let (tables, Some(how)) = (files.tables()?, &files.mapping.changes) else { return Ok(()) };
        let read = match how.format {
            ChangeFormat::Debezium => changes::read(files, how, &context, &tables, sink),
            _ => intervals::read(files, how, &context, &tables, sink),
        };
        self.notes = read?;
        Ok(())
    }
}

fn format_of(mapping: &Mapping) -> ChangeFormat {
    mapping.changes.as_ref().map_or(ChangeFormat::Debezium, |changes| changes.format)
}
