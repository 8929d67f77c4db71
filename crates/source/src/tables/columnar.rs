//! Rows of tables by columns: Parquet, Arrow IPC as files (also called Feather, version 2) and streams, and data frames of
//! other tools.
//!
//! All come as Arrow arrays, batch after batch, so a value means the same in each. Only the columns that are asked for are
//! read. A column that cannot be read is named, and costs no other one.

mod cells;
mod frame_batches;
mod ipc;
mod ipc_schema;
mod pages;
mod parquet;
mod shape;
mod texts;
mod thrift;

use std::path::Path;

use arrow_array::{Array, ArrayRef};
use rustc_hash::FxHashMap;
use timeweft_graph::{FeatureKind, Name};

use self::cells::View;
use self::frame_batches::FrameBatches;
use self::ipc::IpcBatches;
use self::parquet::ParquetBatches;
use self::shape::Shape;
use super::cell::Cell;
use super::kind::Kind;
use super::rows::Rows;
use crate::{BytesRead, Frame, SourceError};

/// Which kind of file by columns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    Parquet,
    Arrow,
}

impl Form {
    /// The form that a lower-case ending tells.
    pub(crate) fn of(extension: &str) -> Option<Form> {
        Some(match extension {
            "parquet" | "parq" | "pq" => Form::Parquet,
            "arrow" | "arrows" | "feather" | "ipc" => Form::Arrow,
            _ => return None,
        })
    }
}

/// A column of one batch.
struct Arrays {
    values: ArrayRef,
    /// The same values in a coarser type, where the first one wraps or leaves out a part.
    coarse: Option<ArrayRef>,
}

impl Arrays {
    /// Whether a list has an empty element.
    fn have_gaps(&self, shape: &Shape) -> bool {
        let is_full = |values: &dyn Array| values.null_count() == 0 && shape::dtype(values.data_type()).is_some();
        if cells::list_values(&*self.values).is_some_and(is_full) {
            return false;
        }
        let view = View { array: &*self.values, coarse: None, shape };
        (0..self.values.len()).any(|at| matches!(view.cell(at), Cell::Nested(_)))
    }
}

/// A column of the file, if it can be read at all.
type ColumnShape = Result<Shape, String>;

enum Batches {
    Parquet(ParquetBatches),
    Ipc(IpcBatches),
    Frame(FrameBatches),
}

/// Row after row, batch after batch.
pub(crate) struct ColumnarRows {
    columns: Vec<String>,
    places: FxHashMap<String, usize>,
    shapes: Vec<ColumnShape>,
    batches: Batches,
    /// The columns of the batch; those that were not asked for are absent.
    arrays: Vec<Option<Arrays>>,
    n_rows: usize,
    /// The row in the batch, one past it.
    next: usize,
    line: u64,
}

impl ColumnarRows {
    /// Opens a file; its name for messages comes with it.
    pub(crate) fn open(path: &Path, form: Form) -> Result<(Name, ColumnarRows), SourceError> {
        let file: Name = path.to_string_lossy().as_ref().into();
        let (batches, columns) = match form {
            Form::Parquet => {
                let (batches, columns) = ParquetBatches::open(path, &file)?;
                (Batches::Parquet(batches), columns)
            }
            Form::Arrow => {
                let (batches, columns) = IpcBatches::open(path, &file)?;
                (Batches::Ipc(batches), columns)
            }
        };
        Ok((file.clone(), ColumnarRows::new(&file, batches, columns)?))
    }

    /// The rows of a data frame.
    pub(crate) fn of_frame(frame: &Frame) -> Result<ColumnarRows, SourceError> {
        let (batches, columns) = FrameBatches::open(frame);
        ColumnarRows::new(frame.name(), Batches::Frame(batches), columns)
    }

    fn new(file: &Name, batches: Batches, columns: Vec<(String, ColumnShape)>) -> Result<ColumnarRows, SourceError> {
        let (columns, shapes): (Vec<String>, Vec<_>) = columns.into_iter().unzip();
        let fail = |problem| SourceError::Columns { file: file.clone(), problem, columns: columns.join(", ") };
        if columns.is_empty() {
            return Err(fail("there is no column".into()));
        }
        let mut places = FxHashMap::default();
        for (at, name) in columns.iter().enumerate() {
            if places.insert(name.clone(), at).is_some() {
                return Err(fail(format!("column `{name}` is there twice")));
            }
        }
        let arrays = shapes.iter().map(|_| None).collect();
        Ok(ColumnarRows { columns, places, shapes, batches, arrays, n_rows: 0, next: 0, line: 0 })
    }

    /// How far the reading is, and the size of the file, where it is known.
    pub(crate) fn progress(&self) -> (BytesRead, Option<u64>) {
        match &self.batches {
            Batches::Parquet(batches) => batches.progress(),
            Batches::Ipc(batches) => batches.progress(),
            Batches::Frame(batches) => batches.progress(),
        }
    }
}

impl Rows for ColumnarRows {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn declared(&self, column: usize) -> Option<Kind> {
        self.shapes.get(column).and_then(|shape| shape.as_ref().ok()).and_then(|shape| shape.kind)
    }

    fn want(&mut self, column: usize) -> Result<(), String> {
        match self.shapes.get(column) {
            Some(Err(problem)) => return Err(problem.clone()),
            Some(Ok(_)) if self.arrays[column].is_none() => {}
            _ => return Ok(()),
        }
        match &mut self.batches {
            Batches::Parquet(batches) => batches.want(column),
            Batches::Ipc(batches) => batches.want(column),
            Batches::Frame(batches) => {
                batches.want(column);
                Ok(())
            }
        }?;
        // A list with an empty element is no list of numbers, and what a column holds does not depend on which row is first.
        if let Some(Ok(shape)) = self.shapes.get_mut(column)
            && matches!(shape.kind, Some(Kind::Plain(FeatureKind::Dense { scalar: false, .. })))
        {
            let has_gaps = match &self.batches {
                Batches::Parquet(batches) => batches.has_gaps(column, shape),
                Batches::Ipc(batches) => batches.has_gaps(column, shape),
                Batches::Frame(batches) => batches.has_gaps(column, shape),
            };
            if has_gaps {
                shape.kind = Some(Kind::Plain(FeatureKind::Json));
            }
        }
        Ok(())
    }

    fn advance(&mut self) -> Result<Option<Result<(), String>>, SourceError> {
        while self.next == self.n_rows {
            let read = match &mut self.batches {
                Batches::Parquet(batches) => batches.advance(&self.columns, &mut self.arrays)?,
                Batches::Ipc(batches) => batches.advance(&mut self.arrays)?,
                Batches::Frame(batches) => batches.advance(&mut self.arrays)?,
            };
            let Some(n_rows) = read else { return Ok(None) };
            (self.n_rows, self.next) = (n_rows, 0);
        }
        self.next += 1;
        self.line += 1;
        Ok(Some(Ok(())))
    }

    fn line(&self) -> u64 {
        self.line
    }

    fn cell(&self, column: usize) -> Cell<'_> {
        match (self.arrays.get(column), self.shapes.get(column)) {
            (Some(Some(arrays)), Some(Ok(shape))) if self.next > 0 => {
                View { array: &*arrays.values, coarse: arrays.coarse.as_deref(), shape }.cell(self.next - 1)
            }
            (_, Some(Err(problem))) => Cell::Invalid(problem.clone()),
            _ => Cell::Invalid("the column was not read".into()),
        }
    }

    fn column(&mut self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }
}
