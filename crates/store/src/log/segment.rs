//! Segments: immutable Arrow IPC files that hold the records of a load.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Cursor, Write};
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_ipc::CompressionType;
use arrow_ipc::reader::FileReader;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions};
use serde::{Deserialize, Serialize};
use timeweft_graph::rows::{RowRef, Rows};
use timeweft_graph::{Event, LoadId, Reason, Schema};
use timeweft_index::create_fresh;

use crate::StoreError;
use crate::folder::{FORMAT, sync_dir};
use crate::log::codec::{self, CodecError, Encoder, decode};

/// Records of one record batch; at most this many are held in memory.
const CHUNK: usize = 65_536;
/// Bytes of texts and values of one record batch.
const CHUNK_BYTES: usize = 64 << 20;
/// A load of at most this many records stays in the catalogue.
const SMALL: usize = 4_096;
/// A load of at most this many bytes of values stays in the catalogue.
const SMALL_BYTES: usize = 1 << 20;
/// A segment that has reached this size is closed; reading takes that much memory.
const SEGMENT_BYTES: u64 = 128 << 20;

/// Part of the log, as the catalogue lists it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Segment {
    /// The load that wrote it.
    pub(crate) load: LoadId,
    /// Its position within the load, from 0.
    pub(crate) part: u32,
    /// The load whose events these are now, if it is another one than wrote them.
    #[serde(default)]
    pub(crate) stands_for: Option<LoadId>,
    /// Whether it holds whole lives instead of events.
    #[serde(default)]
    pub(crate) lives: bool,
    /// File name below `log/`; none if its bytes are in the catalogue.
    pub(crate) file: Option<String>,
    /// Length in bytes.
    pub(crate) length: u64,
    /// CRC-32C of the bytes.
    pub(crate) crc32c: u32,
    /// Number of events.
    pub(crate) events: u64,
}

/// What a load wrote: the segments, and the bytes of those that are kept in the catalogue, by part.
#[derive(Default)]
pub(crate) struct Written {
    pub(crate) segments: Vec<Segment>,
    pub(crate) batches: Vec<(u32, Vec<u8>)>,
}

/// Writes the accepted records of a load, in chunks. Nothing it writes is referenced before the catalogue says so.
pub(crate) struct SegmentWriter {
    dir: PathBuf,
    load: LoadId,
    metadata: HashMap<String, String>,
    /// Whether the records are whole lives.
    lives: bool,
    /// Records that wait for a batch.
    held: Rows,
    open: Option<OpenFile>,
    segments: Vec<Segment>,
    stands_for: Option<LoadId>,
    first_part: u32,
}

impl SegmentWriter {
    /// A writer of one load into the log directory.
    pub(crate) fn new(dir: &Path, load: LoadId, metadata: HashMap<String, String>) -> SegmentWriter {
        SegmentWriter {
            dir: dir.into(),
            load,
            metadata,
            lives: false,
            held: Rows::default(),
            open: None,
            segments: Vec::new(),
            stands_for: None,
            first_part: 0,
        }
    }

    /// The same writer for records that stand for those of another load; its parts are counted from `first_part`.
    pub(crate) fn standing_for(mut self, load: LoadId, first_part: u32) -> SegmentWriter {
        self.stands_for = Some(load);
        self.first_part = first_part;
        self
    }

    /// The same writer for lives: what is created comes with its end, and with what changes in between.
    pub(crate) fn of_lives(self) -> SegmentWriter {
        SegmentWriter { lives: true, ..self }
    }

    fn next_part(&self) -> u32 {
        self.first_part + self.segments.len() as u32
    }

    /// Adds an event, with the numbers of a schema that has its types.
    pub(crate) fn push(&mut self, event: &Event, schema: &Schema) -> Result<(), StoreError> {
        if !self.held.push_event(event, schema) {
            let why = "an event of an unknown type, or with more than 4 GiB of values";
            return Err(StoreError::Full(Box::new(Reason::Malformed(why.into()))));
        }
        self.flush_full(schema)
    }

    /// Adds these records of a chunk, in their order. Many are written as they are, few wait for more.
    pub(crate) fn push_rows(&mut self, rows: &Rows, kept: &[u32], schema: &Schema) -> Result<(), StoreError> {
        let kept = kept.iter().map(|&at| rows.get(at as usize));
        if kept.len() > SMALL || (self.lives && rows.size().1 > SMALL_BYTES) {
            self.flush(schema)?;
            return self.write(&kept.collect::<Vec<_>>(), schema);
        }
        kept.for_each(|row| self.held.push_copy(row, Some(row.life())));
        self.flush_full(schema)
    }

    fn flush_full(&mut self, schema: &Schema) -> Result<(), StoreError> {
        let is_full = self.held.len() >= CHUNK || self.held.n_bytes() >= CHUNK_BYTES;
        if is_full { self.flush(schema) } else { Ok(()) }
    }

    /// Writes what waits.
    fn flush(&mut self, schema: &Schema) -> Result<(), StoreError> {
        if self.held.is_empty() {
            return Ok(());
        }
        let held = std::mem::take(&mut self.held);
        self.write(&held.iter().collect::<Vec<_>>(), schema)?;
        self.held = held;
        self.held.begin(&"".into());
        Ok(())
    }

    /// Writes a batch, into another segment if the one that is open has not all columns and names.
    fn write(&mut self, rows: &[RowRef<'_>], schema: &Schema) -> Result<(), StoreError> {
        let written = match &mut self.open {
            Some(open) => open.write(rows, schema)?,
            None => false,
        };
        if !written {
            let encoder = self.encoder(rows, schema)?;
            self.close()?;
            let mut open = OpenFile::create(&self.dir, self.load, self.next_part(), encoder)?;
            if !open.write(rows, schema)? {
                return Err(StoreError::encode(&open.path, new_column()));
            }
            self.open = Some(open);
        }
        if self.open.as_ref().is_some_and(|open| open.length() >= SEGMENT_BYTES) { self.close() } else { Ok(()) }
    }

    /// An encoder with the columns and names that these records need, and those of the open segment.
    fn encoder(&self, rows: &[RowRef<'_>], schema: &Schema) -> Result<Encoder, StoreError> {
        let earlier = self.open.as_ref().map(|open| &open.encoder);
        let encoder = Encoder::new(earlier, rows, schema, &self.metadata, self.lives);
        encoder.map_err(|error| StoreError::encode(&self.dir, error))
    }

    /// Writes what is left and makes the files durable under their names. A small load gives the bytes of its segment, to be
    /// kept in the catalogue.
    pub(crate) fn finish(mut self, schema: &Schema) -> Result<Written, StoreError> {
        let nothing_written = self.open.is_none() && self.segments.is_empty();
        if nothing_written && self.held.is_empty() {
            return Ok(Written::default());
        }
        if nothing_written && self.held.len() <= SMALL && self.held.size().1 <= SMALL_BYTES {
            return self.small(schema);
        }
        self.flush(schema)?;
        self.close()?;
        sync_dir(&self.dir)?;
        Ok(Written { segments: self.segments, batches: Vec::new() })
    }

    fn close(&mut self) -> Result<(), StoreError> {
        if let Some(open) = self.open.take() {
            let (stands_for, lives) = (self.stands_for, self.lives);
            self.segments.push(Segment { stands_for, lives, ..open.finish(&self.dir)? });
        }
        Ok(())
    }

    fn small(self, schema: &Schema) -> Result<Written, StoreError> {
        let rows: Vec<RowRef<'_>> = self.held.iter().collect();
        let encoder = self.encoder(&rows, schema)?;
        let encode = || -> Result<(Vec<u8>, u64), CodecError> {
            let mut writer = writer(Vec::new(), &encoder)?;
            let batch = encoder.encode(&rows, schema)?.ok_or_else(new_column)?;
            writer.write(&batch)?;
            Ok((writer.into_inner()?, codec::n_events(&batch) as u64))
        };
        let (bytes, events) = encode().map_err(|error| StoreError::encode(&self.dir, error))?;
        let segment = Segment {
            load: self.load,
            part: self.first_part,
            stands_for: self.stands_for,
            lives: self.lives,
            file: None,
            length: bytes.len() as u64,
            crc32c: crc32c::crc32c(&bytes),
            events,
        };
        Ok(Written { segments: vec![segment], batches: vec![(self.first_part, bytes)] })
    }
}

/// What a segment file says about itself to other tools.
pub(crate) fn metadata(load: LoadId, namespace: &str, schema: &Schema) -> HashMap<String, String> {
    HashMap::from([
        ("timeweft.format".into(), FORMAT.to_string()),
        ("timeweft.unit".into(), schema.unit().to_string()),
        ("timeweft.load".into(), load.0.to_string()),
        ("timeweft.namespace".into(), namespace.to_string()),
    ])
}

/// A batch does not fit in the segment that was made for it.
fn new_column() -> CodecError {
    CodecError::Kind("a new column".into())
}

/// Most columns of a batch repeat one value or none, so compressing them costs less than writing them.
fn writer<W: Write>(sink: W, encoder: &Encoder) -> Result<FileWriter<W>, CodecError> {
    let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME))?;
    Ok(FileWriter::try_new_with_options(sink, encoder.schema(), options)?)
}

/// A segment that is being written under a temporary name.
struct OpenFile {
    path: PathBuf,
    name: String,
    load: LoadId,
    part: u32,
    events: u64,
    encoder: Encoder,
    writer: FileWriter<Summed<BufWriter<File>>>,
}

impl OpenFile {
    fn create(dir: &Path, load: LoadId, part: u32, encoder: Encoder) -> Result<OpenFile, StoreError> {
        let name = format!("p0-{}-{part}.arrow", load.0);
        let path = dir.join(format!("{name}.tmp"));
        let file = create_fresh(&path).map_err(|error| StoreError::io(&path, error))?;
        let sink = Summed { sink: BufWriter::with_capacity(1 << 20, file), length: 0, crc32c: 0 };
        let writer = writer(sink, &encoder).map_err(|error| StoreError::encode(&path, error))?;
        Ok(OpenFile { path, name, load, part, events: 0, encoder, writer })
    }

    fn length(&self) -> u64 {
        self.writer.get_ref().length
    }

    /// False if the records need a column or a name that this segment does not have.
    fn write(&mut self, rows: &[RowRef<'_>], schema: &Schema) -> Result<bool, StoreError> {
        let wrong = |error| StoreError::encode(&self.path, error);
        let Some(batch) = self.encoder.encode(rows, schema).map_err(wrong)? else { return Ok(false) };
        self.writer.write(&batch).map_err(|error| wrong(error.into()))?;
        self.events += codec::n_events(&batch) as u64;
        Ok(true)
    }

    fn finish(self, dir: &Path) -> Result<Segment, StoreError> {
        let OpenFile { path, name, load, part, events, writer, .. } = self;
        let failed = |error| StoreError::io(&path, error);
        let summed = writer.into_inner().map_err(|error| StoreError::encode(&path, error.into()))?;
        let file = summed.sink.into_inner().map_err(|error| failed(error.into_error()))?;
        file.sync_all().map_err(failed)?;
        drop(file);
        fs::rename(&path, dir.join(&name)).map_err(failed)?;
        Ok(Segment {
            load,
            part,
            stands_for: None,
            lives: false,
            file: Some(name),
            length: summed.length,
            crc32c: summed.crc32c,
            events,
        })
    }
}

/// Counts and sums what passes.
struct Summed<W> {
    sink: W,
    length: u64,
    crc32c: u32,
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.sink.write(bytes)?;
        self.crc32c = crc32c::crc32c_append(self.crc32c, &bytes[..taken]);
        self.length += taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

impl Segment {
    /// Compares length and checksum.
    pub(crate) fn check(&self, bytes: &[u8], place: &Path) -> Result<(), StoreError> {
        if bytes.len() as u64 != self.length {
            let problem = format!("it has {} bytes instead of {}", bytes.len(), self.length);
            return Err(StoreError::corrupt(place, problem));
        }
        if crc32c::crc32c(bytes) != self.crc32c {
            return Err(StoreError::corrupt(place, "its checksum is wrong"));
        }
        Ok(())
    }

    /// Checks the bytes and hands the records over, chunk after chunk. `schema` has all of their types.
    pub(crate) fn read(
        &self,
        bytes: &[u8],
        place: &Path,
        schema: &Schema,
        mut each: impl FnMut(Rows) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.batches(bytes, place, |batch| {
            let rows = decode(&batch, schema).map_err(|error| StoreError::corrupt(place, error))?;
            rows.into_iter().try_for_each(&mut each)
        })
    }

    /// The same without reading the batches.
    pub(crate) fn batches(
        &self,
        bytes: &[u8],
        place: &Path,
        mut each: impl FnMut(RecordBatch) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.check(bytes, place)?;
        let broken = |error: &dyn std::fmt::Display| StoreError::corrupt(place, error);
        crate::log::claims::check(bytes).map_err(|error| broken(&error))?;
        let reader = FileReader::try_new(Cursor::new(bytes), None).map_err(|error| broken(&error))?;
        let mut events = 0;
        for batch in reader {
            let batch = batch.map_err(|error| broken(&error))?;
            events += codec::n_events(&batch) as u64;
            each(batch)?;
        }
        if events != self.events {
            return Err(StoreError::corrupt(place, format!("it has {events} events instead of {}", self.events)));
        }
        Ok(())
    }
}
