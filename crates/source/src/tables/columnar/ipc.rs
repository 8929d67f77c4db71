//! Batches of Arrow IPC. A file is a stream between a mark and a footer, so both are read as streams, message by message.

use std::fs::File;
use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::reader::FileDecoder;
use arrow_ipc::{Block, MessageHeader, root_as_message};
use arrow_schema::ArrowError;
use arrow_schema::{Schema, SchemaRef};
use timeweft_graph::Name;

use super::shape::Shape;
use super::{Arrays, ColumnShape, ipc_schema};
use crate::limits::LARGEST_BATCH;
use crate::{BytesRead, Input, SourceError, open};

/// How a file begins, padded to eight bytes or more, and ends; a stream does not.
const FILE: &[u8] = b"ARROW1";

/// Columns by name, with what they hold.
type Named = Vec<(String, ColumnShape)>;

pub(super) struct IpcBatches {
    file: Name,
    /// Where it can be read again.
    path: Option<PathBuf>,
    input: Input,
    schema: SchemaRef,
    decoder: Option<FileDecoder>,
    wanted: Vec<bool>,
    n_rows: u64,
}

/// A message: what it is, how long that is, and its buffers.
struct Message {
    bytes: Buffer,
    head: usize,
    kind: MessageHeader,
}

impl IpcBatches {
    /// Opens a file, packed or not, or standard input.
    pub(super) fn open(path: &Path, file: &Name) -> Result<(IpcBatches, Named), SourceError> {
        let fail = |cause| SourceError::Open { path: path.to_owned(), cause };
        let mut input = open(path)?;
        let start = input.fill_buf().map_err(fail)?;
        let is_file = start.starts_with(FILE);
        let problem = match start {
            [b'P', b'A', b'R', b'1', ..] => "this is a Parquet file: let its name end in `.parquet`",
            [b'F', b'E', b'A', b'1', ..] => "this is Feather of version 1: write it again as version 2, or as Parquet",
            [] => "the file is empty: write it again",
            _ if is_file && is_cut_off(path).map_err(fail)? => "the file is cut off: write it again",
            _ => "",
        };
        if !problem.is_empty() {
            return Err(SourceError::Document { file: file.clone(), line: 0, problem: problem.into() });
        }
        if is_file {
            input.read_exact(&mut [0; 8]).map_err(fail)?;
            // Some writers align the first message more than that.
            while input.fill_buf().map_err(fail)?.starts_with(&[0; 8]) {
                input.consume(8);
            }
            // Polars leaves out the length of the first message, the schema.
            if !input.fill_buf().map_err(fail)?.starts_with(&CONTINUATION) {
                let start = input.fill_buf().map_err(fail)?;
                let length =
                    root_as_message(start).ok().and_then(|_| start.windows(4).position(|end| end == CONTINUATION));
                let head = length.map(|length| start[..length].to_vec());
                if let Some(head) = head {
                    input.consume(head.len());
                    let kind = MessageHeader::Schema;
                    let message = Message { head: head.len(), bytes: Buffer::from_vec(head), kind };
                    let (mut batches, columns) = IpcBatches::with_schema(input, file, message)?;
                    batches.path = Some(path.to_owned());
                    return Ok((batches, columns));
                }
            }
        }
        let (mut batches, columns) = IpcBatches::stream(input, file)?;
        batches.path = (path != Path::new("-")).then(|| path.to_owned());
        Ok((batches, columns))
    }

    fn stream(mut input: Input, file: &Name) -> Result<(IpcBatches, Named), SourceError> {
        let first = caught(|| next(&mut input)?.ok_or_else(|| ArrowError::IpcError("there is no schema".into())));
        let message = first.map_err(|error| no_arrow(file, &error))?;
        IpcBatches::with_schema(input, file, message)
    }

    fn with_schema(input: Input, file: &Name, message: Message) -> Result<(IpcBatches, Named), SourceError> {
        let read = caught(|| {
            let expected = || ArrowError::IpcError("there is no schema".into());
            let parsed =
                root_as_message(message.metadata()).map_err(|error| ArrowError::IpcError(error.to_string()))?;
            let schema = parsed.header_as_schema().ok_or_else(expected)?;
            let fields = ipc_schema::fields(schema).map_err(ArrowError::IpcError)?;
            Ok((Arc::new(Schema::new(fields)), parsed.version()))
        });
        let (schema, version) = read.map_err(|error| no_arrow(file, &error))?;
        let columns = schema.fields().iter().map(|field| (field.name().clone(), Shape::of(field))).collect();
        let wanted = vec![false; schema.fields().len()];
        let decoder = Some(FileDecoder::new(schema.clone(), version));
        Ok((IpcBatches { file: file.clone(), path: None, input, schema, decoder, wanted, n_rows: 0 }, columns))
    }

    /// How far the reading is, and the size of the file, where it is known.
    pub(super) fn progress(&self) -> (BytesRead, Option<u64>) {
        (self.input.bytes_read(), self.input.size())
    }

    /// Reads a column too, from the next batch on.
    pub(super) fn want(&mut self, column: usize) -> Result<(), String> {
        self.wanted[column] = true;
        Ok(())
    }

    /// Whether a list of numbers has an empty element; unknown of a stream that can be read once.
    pub(super) fn has_gaps(&self, column: usize, shape: &Shape) -> bool {
        let again = self.path.as_ref().and_then(|path| IpcBatches::open(path, &self.file).ok());
        let Some((mut batches, _)) = again else { return false };
        batches.wanted[column] = true;
        let mut arrays: Vec<Option<Arrays>> = self.wanted.iter().map(|_| None).collect();
        // What cannot be read is told where it is read.
        while let Ok(Some(_)) = batches.advance(&mut arrays) {
            if arrays[column].as_ref().is_some_and(|arrays| arrays.have_gaps(shape)) {
                return true;
            }
        }
        false
    }

    /// Reads the next batch; `None` at the end.
    pub(super) fn advance(&mut self, arrays: &mut [Option<Arrays>]) -> Result<Option<usize>, SourceError> {
        let columns: Vec<usize> = (0..self.wanted.len()).filter(|at| self.wanted[*at]).collect();
        let read = match self.decoder.take() {
            Some(decoder) => self.batch(decoder.with_projection(columns.clone())),
            None => Ok(None),
        };
        let batch = read.map_err(|problem| {
            let cause = io::Error::other(problem);
            SourceError::Read { file: self.file.clone(), line: self.n_rows + 1, cause }
        })?;
        let Some(batch) = batch else { return Ok(None) };
        for (values, column) in batch.columns().iter().zip(columns) {
            arrays[column] = Some(Arrays { values: values.clone(), coarse: None });
        }
        self.n_rows += batch.num_rows() as u64;
        Ok(Some(batch.num_rows()))
    }

    /// The next batch, and the dictionaries before it.
    fn batch(&mut self, mut decoder: FileDecoder) -> Result<Option<RecordBatch>, String> {
        loop {
            let message = caught(|| next(&mut self.input)).map_err(|error| error.to_string())?;
            let Some(message) = message else { return Ok(None) };
            let block = Block::new(0, message.head as i32, message.bytes.len() as i64);
            match message.kind {
                MessageHeader::DictionaryBatch => {
                    caught(|| decoder.read_dictionary(&block, &message.bytes)).map_err(|error| error.to_string())?;
                }
                MessageHeader::RecordBatch => match caught(|| decoder.read_record_batch(&block, &message.bytes)) {
                    Ok(batch) => {
                        self.decoder = Some(decoder);
                        return Ok(batch);
                    }
                    Err(error) => return Err(self.blame(decoder, &block, &message, &error)),
                },
                kind => return Err(format!("a message {kind:?} where rows are expected")),
            }
        }
    }

    /// The error, with the name of the column that cannot be read.
    fn blame(&self, mut decoder: FileDecoder, block: &Block, message: &Message, error: &ArrowError) -> String {
        for (at, field) in self.schema.fields().iter().enumerate().filter(|(at, _)| self.wanted[*at]) {
            decoder = decoder.with_projection(vec![at]);
            if let Err(error) = caught(|| decoder.read_record_batch(block, &message.bytes)) {
                return format!("column `{}`: {error}", field.name());
            }
        }
        error.to_string()
    }
}

impl Message {
    /// What it is, without the length before it.
    fn metadata(&self) -> &[u8] {
        // A schema that Polars writes into a file has no length before it.
        let is_bare = root_as_message(&self.bytes).is_ok();
        let prefix = match self.bytes.starts_with(&CONTINUATION) {
            true => 8,
            false if is_bare => 0,
            false => 4,
        };
        &self.bytes[prefix.min(self.head)..self.head]
    }
}

fn no_arrow(file: &Name, error: &ArrowError) -> SourceError {
    let problem = format!("this is neither an Arrow IPC file nor a stream ({error}): write it again");
    SourceError::Document { file: file.clone(), line: 0, problem }
}

/// What stands before the length of a message, but in the oldest files.
const CONTINUATION: [u8; 4] = [0xff; 4];

/// The next message; `None` at the end.
fn next(input: &mut Input) -> Result<Option<Message>, ArrowError> {
    let mut bytes = Vec::new();
    let length = match take(input, 4, &mut bytes)? {
        false => return Ok(None),
        true if bytes == CONTINUATION => {
            take(input, 4, &mut bytes)?;
            at(&bytes, 4)
        }
        true => at(&bytes, 0),
    };
    let cut_off = || ArrowError::IpcError("it is cut off".into());
    let length = usize::try_from(length.ok_or_else(cut_off)?).map_err(|_| cut_off())?;
    if length == 0 {
        return Ok(None);
    }
    let prefix = bytes.len();
    if !take(input, length as u64, &mut bytes)? || bytes.len() != prefix + length {
        return Err(cut_off());
    }
    let head = bytes.len();
    let message = root_as_message(&bytes[prefix..]).map_err(|error| ArrowError::IpcError(error.to_string()))?;
    let (kind, body) = (message.header_type(), u64::try_from(message.bodyLength()).map_err(|_| cut_off())?);
    if body > LARGEST_BATCH as u64 {
        return Err(large(body));
    }
    if body > 0 && (!take(input, body, &mut bytes)? || (bytes.len() - head) as u64 != body) {
        return Err(cut_off());
    }
    check_sizes(&bytes[prefix..], &bytes[head..])?;
    Ok(Some(Message { bytes: Buffer::from_vec(bytes), head, kind }))
}

fn large(bytes: u64) -> ArrowError {
    let limit = LARGEST_BATCH >> 30;
    ArrowError::IpcError(format!("a batch of {bytes} bytes is larger than {limit} GiB: write batches of fewer rows"))
}

/// Refuses a batch whose buffers say that they unpack to more than is held at once, or that has more rows than a batch has:
/// the library makes room for what they say.
fn check_sizes(head: &[u8], body: &[u8]) -> Result<(), ArrowError> {
    let Ok(message) = root_as_message(head) else { return Ok(()) };
    let of_dictionary = message.header_as_dictionary_batch().and_then(|dictionary| dictionary.data());
    let Some(batch) = message.header_as_record_batch().or(of_dictionary) else { return Ok(()) };
    if batch.length() > i64::from(i32::MAX) {
        return Err(ArrowError::IpcError(format!("a batch of {} rows: write batches of fewer rows", batch.length())));
    }
    if batch.compression().is_none() {
        return Ok(());
    }
    let size = |buffer: &arrow_ipc::Buffer| {
        let start = usize::try_from(buffer.offset()).ok()?;
        let size = body.get(start..).and_then(|bytes| bytes.first_chunk()).filter(|_| buffer.length() > 0)?;
        u64::try_from(i64::from_le_bytes(*size)).ok()
    };
    let all = batch.buffers().into_iter().flatten().filter_map(size).fold(0, u64::saturating_add);
    if all > LARGEST_BATCH as u64 { Err(large(all)) } else { Ok(()) }
}

/// Appends `n` bytes, or those that are left; gives whether there are any.
fn take(input: &mut Input, length: u64, bytes: &mut Vec<u8>) -> Result<bool, ArrowError> {
    Ok(input.take(length).read_to_end(bytes)? > 0)
}

fn at(bytes: &[u8], at: usize) -> Option<i32> {
    Some(i32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// Whether a file that is not packed lacks its end.
fn is_cut_off(path: &Path) -> io::Result<bool> {
    if path == Path::new("-") {
        return Ok(false);
    }
    let (mut start, mut end) = ([0; FILE.len()], [0; FILE.len()]);
    let mut raw = File::open(path)?;
    raw.read_exact(&mut start)?;
    raw.seek(SeekFrom::End(-(FILE.len() as i64)))?;
    raw.read_exact(&mut end)?;
    Ok(start == FILE && end != FILE)
}

/// The library asserts what a damaged file does not keep. Nothing of a reader is used after it has failed.
fn caught<T>(read: impl FnOnce() -> Result<T, ArrowError>) -> Result<T, ArrowError> {
    std::panic::catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(ArrowError::IpcError("the file is damaged".into())))
}
