//! Batches of Arrow IPC: files, which end with where their batches are, and streams.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::reader::{FileReader, StreamReader};
use timeweft_graph::Name;

use super::shape::Shape;
use super::{Arrays, ColumnShape};
use crate::{BytesRead, Input, SourceError, open};

/// How a file begins that is no stream.
const FILE: &[u8] = b"ARROW1";

/// Columns by name, with what they hold.
type Named = Vec<(String, ColumnShape)>;

pub(super) struct IpcBatches {
    file: Name,
    /// Where it lies, to be read once it is known which columns are asked for; a stream from elsewhere is open already.
    path: Option<PathBuf>,
    is_file: bool,
    schema: SchemaRef,
    wanted: Vec<bool>,
    reader: Option<Reader>,
    done: usize,
    n_rows: u64,
    size: Option<u64>,
    bytes_read: BytesRead,
}

enum Reader {
    File(Box<FileReader<BufReader<File>>>),
    Stream(Box<StreamReader<Input>>, Whole),
}

/// Whether a reader gives all columns or those that are wanted.
type Whole = bool;

impl IpcBatches {
    pub(super) fn open(path: &Path, file: &Name) -> Result<(IpcBatches, Named), SourceError> {
        let fail = |cause| SourceError::Open { path: path.to_owned(), cause };
        let mut raw = File::open(path).map_err(fail)?;
        let size = raw.metadata().map_err(fail)?.len();
        let mut start = Vec::new();
        (&mut raw).take(FILE.len() as u64).read_to_end(&mut start).map_err(fail)?;
        let problem = match &*start {
            [b'P', b'A', b'R', b'1', ..] => Some("this is a Parquet file: let its name end in `.parquet`"),
            [b'F', b'E', b'A', b'1', ..] => Some("this is Feather of version 1: write it again as version 2, or Parquet"),
            [] => Some("the file is empty: write it again"),
            _ => None,
        };
        if let Some(problem) = problem {
            return Err(SourceError::Document { file: file.clone(), line: 0, problem: problem.into() });
        }
        let is_file = start == FILE;
        raw.rewind().map_err(fail)?;
        let schema = if is_file {
            caught(|| FileReader::try_new(BufReader::new(raw), None).map(|reader| reader.schema()))
        } else {
            let input = open(path)?;
            caught(|| StreamReader::try_new(input, None).map(|reader| reader.schema()))
        };
        let schema = schema.map_err(|error| no_arrow(file, &error))?;
        Ok(IpcBatches::new(file, Some(path.to_owned()), is_file, schema, Some(size)))
    }

    /// A stream that can be read once.
    pub(super) fn stream(input: Input, file: &Name) -> Result<(IpcBatches, Named), SourceError> {
        let (bytes_read, size) = (input.bytes_read(), input.size());
        let reader = caught(|| StreamReader::try_new(input, None)).map_err(|error| no_arrow(file, &error))?;
        let (mut batches, columns) = IpcBatches::new(file, None, false, reader.schema(), size);
        batches.reader = Some(Reader::Stream(Box::new(reader), true));
        batches.bytes_read = bytes_read;
        Ok((batches, columns))
    }

    fn new(
        file: &Name,
        path: Option<PathBuf>,
        is_file: bool,
        schema: SchemaRef,
        size: Option<u64>,
    ) -> (IpcBatches, Named) {
        let columns = schema.fields().iter().map(|field| (field.name().clone(), Shape::of(field))).collect();
        let wanted = vec![false; schema.fields().len()];
        let bytes_read = BytesRead::default();
        let file = file.clone();
        let batches =
            IpcBatches { file, path, is_file, schema, wanted, reader: None, done: 0, n_rows: 0, size, bytes_read };
        (batches, columns)
    }

    pub(super) fn progress(&self) -> (BytesRead, Option<u64>) {
        (self.bytes_read.clone(), self.size)
    }

    /// Reads a column too; to be said before the first batch is read.
    pub(super) fn want(&mut self, column: usize) -> Result<(), String> {
        self.wanted[column] = true;
        Ok(())
    }

    /// Reads the next batch; `None` at the end.
    pub(super) fn advance(
        &mut self,
        _: &[String],
        arrays: &mut [Option<Arrays>],
    ) -> Result<Option<usize>, SourceError> {
        let columns: Vec<usize> = (0..self.wanted.len()).filter(|at| self.wanted[*at]).collect();
        let fail = |batches: &IpcBatches, error: ArrowError| batches.unreadable(&columns, &error);
        let mut reader = match self.reader.take() {
            Some(reader) => reader,
            None => self.reader(columns.clone()).map_err(|error| fail(self, error))?,
        };
        let batch = caught(|| reader.next().transpose()).map_err(|error| fail(self, error))?;
        let is_whole = matches!(reader, Reader::Stream(_, true));
        self.reader = Some(reader);
        let Some(batch) = batch else { return Ok(None) };
        for (at, column) in columns.iter().enumerate() {
            let values = batch.column(if is_whole { *column } else { at }).clone();
            arrays[*column] = Some(Arrays { values, coarse: None });
        }
        self.done += 1;
        self.n_rows += batch.num_rows() as u64;
        if let (Some(Reader::File(reader)), Some(size)) = (&self.reader, self.size) {
            self.bytes_read.set((u128::from(size) * self.done as u128 / reader.num_batches().max(1) as u128) as u64);
        }
        Ok(Some(batch.num_rows()))
    }

    fn reader(&self, columns: Vec<usize>) -> Result<Reader, ArrowError> {
        let Some(path) = &self.path else { return Err(ArrowError::IpcError("the stream is over".into())) };
        if self.is_file {
            let raw = BufReader::new(File::open(path)?);
            return caught(|| FileReader::try_new(raw, Some(columns))).map(|reader| Reader::File(Box::new(reader)));
        }
        let input = open(path).map_err(|error| ArrowError::ExternalError(Box::new(error)))?;
        let reader = caught(|| StreamReader::try_new(input, Some(columns)))?;
        Ok(Reader::Stream(Box::new(reader), false))
    }

    /// The error, with the name of the column that is to blame, where one is.
    fn unreadable(&self, columns: &[usize], error: &ArrowError) -> SourceError {
        let cannot = |column: &&usize| {
            let reread = self.reader(vec![**column]).and_then(|mut reader| {
                (0..=self.done).try_for_each(|_| caught(|| reader.next().transpose()).map(|_| ()))
            });
            reread.is_err()
        };
        let guilty = columns.iter().find(cannot).filter(|_| self.path.is_some() && columns.len() > 1);
        let name = guilty.or(columns.first().filter(|_| columns.len() == 1)).map(|at| self.schema.field(*at).name());
        let problem = match name {
            Some(name) => format!("column `{name}`: {error}"),
            None => error.to_string(),
        };
        SourceError::Read { file: self.file.clone(), line: self.n_rows + 1, cause: std::io::Error::other(problem) }
    }
}

impl Iterator for Reader {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Reader::File(reader) => reader.next(),
            Reader::Stream(reader, _) => reader.next(),
        }
    }
}

fn no_arrow(file: &Name, error: &ArrowError) -> SourceError {
    let problem = format!("this is neither an Arrow IPC file nor a stream ({error}): write it again");
    SourceError::Document { file: file.clone(), line: 0, problem }
}

/// The library asserts what a damaged file does not keep. Nothing of a reader is used after it has failed.
fn caught<T>(read: impl FnOnce() -> Result<T, ArrowError>) -> Result<T, ArrowError> {
    std::panic::catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(ArrowError::IpcError("the file is damaged".into())))
}
