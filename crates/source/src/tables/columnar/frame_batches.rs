//! Batches of a [`Frame`].

use std::io;
use std::panic::AssertUnwindSafe;

use arrow_array::{Array as _, ArrayRef, RecordBatch};
use arrow_schema::ArrowError;

use super::shape::Shape;
use super::{Arrays, ColumnShape};
use crate::frame::{Batches, Frame};
use crate::{BytesRead, SourceError};

pub(super) struct FrameBatches {
    frame: Frame,
    /// `None` before the first batch, and once it has failed.
    batches: Option<Batches>,
    wanted: Vec<bool>,
    n_rows: u64,
    bytes: u64,
    bytes_read: BytesRead,
    is_begun: bool,
}

impl FrameBatches {
    pub(super) fn open(frame: &Frame) -> (FrameBatches, Vec<(String, ColumnShape)>) {
        let fields = frame.schema().fields();
        let columns = fields.iter().map(|field| (field.name().clone(), Shape::of(field))).collect();
        let wanted = vec![false; fields.len()];
        let (frame, bytes_read) = (frame.clone(), BytesRead::default());
        (FrameBatches { frame, batches: None, wanted, n_rows: 0, bytes: 0, bytes_read, is_begun: false }, columns)
    }

    /// Bytes of the columns that were read; how many there are is not known.
    pub(super) fn progress(&self) -> (BytesRead, Option<u64>) {
        (self.bytes_read.clone(), None)
    }

    /// Reads a column too.
    pub(super) fn want(&mut self, column: usize) {
        self.wanted[column] = true;
    }

    /// Whether a list of numbers has an empty element; unknown of a stream that can be read once.
    pub(super) fn has_gaps(&self, column: usize, shape: &Shape) -> bool {
        if !self.frame.can_reread() {
            return false;
        }
        let (mut all, _) = FrameBatches::open(&self.frame);
        all.wanted[column] = true;
        let mut arrays: Vec<Option<Arrays>> = self.wanted.iter().map(|_| None).collect();
        // What cannot be read is told where it is read.
        while let Ok(Some(_)) = all.advance(&mut arrays) {
            if arrays[column].as_ref().is_some_and(|arrays| arrays.have_gaps(shape)) {
                return true;
            }
        }
        false
    }

    /// Takes the next batch; `None` at the end.
    pub(super) fn advance(&mut self, arrays: &mut [Option<Arrays>]) -> Result<Option<usize>, SourceError> {
        let read = self.next().map_err(|problem| SourceError::Read {
            file: self.frame.name().clone(),
            line: self.n_rows + 1,
            cause: io::Error::other(problem),
        })?;
        let Some(batch) = read else { return Ok(None) };
        for (at, values) in batch.columns().iter().enumerate().filter(|(at, _)| self.wanted[*at]) {
            self.bytes += bytes(values);
            arrays[at] = Some(Arrays { values: values.clone(), coarse: None });
        }
        self.bytes_read.set(self.bytes);
        self.n_rows += batch.num_rows() as u64;
        Ok(Some(batch.num_rows()))
    }

    fn next(&mut self) -> Result<Option<RecordBatch>, String> {
        if !std::mem::replace(&mut self.is_begun, true) {
            self.batches = Some(self.frame.batches()?);
        }
        let Some(mut batches) = self.batches.take() else { return Ok(None) };
        let Some(read) = caught(|| batches.next()) else { return Ok(None) };
        let batch = read.map_err(|error| error.to_string())?;
        if batch.num_columns() != self.wanted.len() {
            return Err(format!("a batch of {} columns, where there are {}", batch.num_columns(), self.wanted.len()));
        }
        self.batches = Some(batches);
        Ok(Some(batch))
    }
}

/// The library asserts what another tool does not keep, such as that no row is null as a whole.
fn caught(next: impl FnOnce() -> Option<Result<RecordBatch, ArrowError>>) -> Option<Result<RecordBatch, ArrowError>> {
    std::panic::catch_unwind(AssertUnwindSafe(next)).unwrap_or_else(|_| {
        let problem = "a batch does not fit its types, or has a row that is null as a whole: make its columns anew";
        Some(Err(ArrowError::InvalidArgumentError(problem.into())))
    })
}

/// Bytes of the values of a column, about.
fn bytes(values: &ArrayRef) -> u64 {
    values.to_data().get_slice_memory_size().unwrap_or(0) as u64
}
