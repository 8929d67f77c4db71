//! The files that a mapping reads.

use std::path::{Path, PathBuf};

use timeweft_graph::Name;

use super::plan::{self, Table};
use crate::tables::mapping::{FileSpec, Mapping};
use crate::tables::open;
use crate::tables::rows::Rows;
use crate::tables::table_set::TableSet;
use crate::{SourceError, plain_name};

/// A mapping, and what it reads: a file, a folder, or data frames and files by their names.
pub(super) struct Files {
    pub(super) mapping: Mapping,
    pub(super) mapping_file: Name,
    data: Data,
    pub(super) name: Name,
}

enum Data {
    Path(PathBuf),
    Tables(TableSet),
}

impl Files {
    pub(super) fn new(path: &Path, mapping: Mapping, mapping_file: &Name) -> Files {
        let name = if path == Path::new("-") { "<stdin>".into() } else { path.to_string_lossy().as_ref().into() };
        Files { mapping, mapping_file: mapping_file.clone(), data: Data::Path(path.into()), name }
    }

    pub(super) fn of_tables(tables: TableSet, mapping: Mapping, mapping_file: &Name) -> Files {
        let name = tables.name().clone();
        Files { mapping, mapping_file: mapping_file.clone(), data: Data::Tables(tables), name }
    }

    /// Takes into memory what can be read only once; the rest of it is left out once `is_over`.
    pub(super) fn hold(&mut self, is_over: &dyn Fn() -> bool) -> Result<(), SourceError> {
        match &mut self.data {
            Data::Tables(tables) => tables.hold(is_over),
            Data::Path(_) => Ok(()),
        }
    }

    pub(super) fn fail(&self, problem: String) -> SourceError {
        SourceError::Document { file: self.mapping_file.clone(), line: 0, problem }
    }

    pub(super) fn is_standard_input(&self) -> bool {
        matches!(&self.data, Data::Path(path) if path == Path::new("-"))
    }

    /// The tables of the mapping that are in the file, or in files of the folder.
    pub(super) fn tables(&self) -> Result<Vec<Table<'_>>, SourceError> {
        let mut tables = plan::tables(&self.mapping);
        let path = match &self.data {
            Data::Path(path) => path,
            Data::Tables(given) => {
                let problem = tables.iter().find_map(|table| given.problem(table.file.file));
                return problem.map_or(Ok(tables), |problem| Err(self.fail(problem)));
            }
        };
        if path.is_dir() {
            return match tables.iter().any(|table| table.file.file.is_empty()) {
                true => Err(self.fail(format!("{} is a folder: name the `file` of each entry in it", self.name))),
                false => Ok(tables),
            };
        }
        let own = plain_name(path);
        tables.retain(|table| table.file.file.is_empty() || plain_name(Path::new(table.file.file)) == own);
        match tables.is_empty() {
            true => Err(self.fail(format!("no entry reads `{}`: each names another `file`", self.name))),
            false => Ok(tables),
        }
    }

    /// Opens the file of an entry, with its name.
    pub(super) fn rows(&self, spec: &FileSpec<'_>) -> Result<(Name, Box<dyn Rows>), SourceError> {
        match &self.data {
            Data::Path(path) if path.is_dir() => self.rows_of_file(spec, &path.join(spec.file)),
            Data::Path(path) => self.rows_of_file(spec, path),
            Data::Tables(tables) => tables.rows(spec, |path| self.rows_of_file(spec, path)),
        }
    }

    fn rows_of_file(&self, spec: &FileSpec<'_>, path: &Path) -> Result<(Name, Box<dyn Rows>), SourceError> {
        let file = path.to_string_lossy();
        let plain = plain_name(path);
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

/// The error with the name of the file, where it does not have one.
pub(super) fn named(error: SourceError, file: &Name) -> SourceError {
    match error {
        SourceError::Columns { file: unknown, problem, columns } if unknown.is_empty() => {
            SourceError::Columns { file: file.clone(), problem, columns }
        }
        other => other,
    }
}
