//! Segments: immutable Arrow IPC files that hold the events of a load.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Cursor, Write};
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_ipc::CompressionType;
use arrow_ipc::reader::FileReader;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions};
use serde::{Deserialize, Serialize};
use timeweft_graph::rows::{LifeRows, Rows};
use timeweft_graph::{Event, LoadId, Schema, Time, Value};
use timeweft_index::create_fresh;

use crate::StoreError;
use crate::log::codec::{self, CodecError, Encoder, decode};

/// Events of one record batch; so many are held in memory at a time.
const CHUNK: usize = 65_536;
/// Bytes of feature values of one record batch.
const CHUNK_BYTES: usize = 64 << 20;
/// A load of at most so many events stays in the catalogue.
const SMALL: usize = 4_096;
/// A load of at most so many bytes of feature values stays in the catalogue.
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

/// Writes the accepted events of a load, in chunks. Nothing it writes is referenced before the catalogue says so.
pub(crate) struct SegmentWriter {
    dir: PathBuf,
    load: LoadId,
    metadata: HashMap<String, String>,
    chunk: Vec<Event>,
    chunk_bytes: usize,
    lives: bool,
    /// Lives that may turn out to be few, each chunk with the positions that count.
    held: Vec<(LifeRows, Vec<u32>)>,
    open: Option<OpenFile>,
    segments: Vec<Segment>,
    stands_for: Option<LoadId>,
    first_part: u32,
}

impl SegmentWriter {
    /// A writer of one load into the log directory.
    pub(crate) fn new(dir: &Path, load: LoadId, metadata: HashMap<String, String>) -> SegmentWriter {
        let (chunk, segments) = (Vec::new(), Vec::new());
        SegmentWriter {
            dir: dir.into(),
            load,
            metadata,
            chunk,
            chunk_bytes: 0,
            lives: false,
            held: Vec::new(),
            open: None,
            segments,
            stands_for: None,
            first_part: 0,
        }
    }

    /// The same writer for events that stand for those of another load; its parts are counted from `first_part`.
    pub(crate) fn standing_for(mut self, load: LoadId, first_part: u32) -> SegmentWriter {
        self.stands_for = Some(load);
        self.first_part = first_part;
        self
    }

    fn next_part(&self) -> u32 {
        self.first_part + self.segments.len() as u32
    }

    /// Adds an event.
    pub(crate) fn push(&mut self, event: Event) -> Result<(), StoreError> {
        self.chunk_bytes += event.features.iter().filter_map(|(_, value)| value.as_ref()).map(size).sum::<usize>();
        self.chunk.push(event);
        if self.chunk.len() >= CHUNK || self.chunk_bytes >= CHUNK_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    /// Adds records of a chunk as creates, in their order.
    pub(crate) fn push_rows(
        &mut self,
        rows: &Rows,
        created: &[u32],
        schema: &Schema,
        time: Time,
    ) -> Result<(), StoreError> {
        if created.len() <= SMALL {
            return created.iter().try_for_each(|&row| self.push(rows.get(row as usize).to_event(schema, time)));
        }
        self.flush()?;
        if !self.write_rows(rows, created, schema, time)? {
            self.begin(&codec::news(rows, created, schema, time))?;
            if !self.write_rows(rows, created, schema, time)? {
                return Err(StoreError::encode(&self.dir, CodecError::Kind("a new column".into())));
            }
        }
        self.close_full()
    }

    /// False if there is no open segment, or if it has not all columns and names.
    fn write_rows(&mut self, rows: &Rows, created: &[u32], schema: &Schema, time: Time) -> Result<bool, StoreError> {
        self.open.as_mut().map_or(Ok(false), |open| open.write_rows(rows, created, schema, time))
    }

    /// Begins a segment with the columns and names that these events need, and those of the segment before.
    fn begin(&mut self, first: &[Event]) -> Result<&mut OpenFile, StoreError> {
        let encoder = Encoder::new(self.open.as_ref().map(|open| &open.encoder), first, &self.metadata);
        let encoder = encoder.map_err(|error| StoreError::encode(&self.dir, error))?;
        self.close()?;
        let open = OpenFile::create(&self.dir, self.load, self.next_part(), encoder)?;
        Ok(self.open.insert(open))
    }

    /// Adds lives of a chunk, in their order; gives the chunk back once it is written. A load has lives or events.
    pub(crate) fn push_lives(
        &mut self,
        lives: LifeRows,
        kept: Vec<u32>,
        schema: &Schema,
    ) -> Result<Option<LifeRows>, StoreError> {
        self.lives = true;
        let nothing_written = self.open.is_none() && self.segments.is_empty();
        let held =
            |of: fn(&LifeRows) -> usize| self.held.iter().map(|(lives, _)| of(lives)).sum::<usize>() + of(&lives);
        if nothing_written && held(LifeRows::len) <= SMALL && held(LifeRows::n_bytes) <= SMALL_BYTES {
            self.held.push((lives, kept));
            return Ok(None);
        }
        self.flush_held(schema)?;
        self.write_lives(&lives, &kept, schema)?;
        Ok(Some(lives))
    }

    fn flush_held(&mut self, schema: &Schema) -> Result<(), StoreError> {
        let held = std::mem::take(&mut self.held);
        held.iter().try_for_each(|(lives, kept)| self.write_lives(lives, kept, schema))
    }

    fn write_lives(&mut self, lives: &LifeRows, kept: &[u32], schema: &Schema) -> Result<(), StoreError> {
        let written = match &mut self.open {
            Some(open) => open.write_lives(lives, kept, schema)?,
            None => false,
        };
        if !written {
            let earlier = self.open.as_ref().map(|open| &open.encoder);
            let encoder = Encoder::of_lives(earlier, &[lives], schema, &self.metadata);
            let encoder = encoder.map_err(|error| StoreError::encode(&self.dir, error))?;
            self.close()?;
            let mut open = OpenFile::create(&self.dir, self.load, self.next_part(), encoder)?;
            if !open.write_lives(lives, kept, schema)? {
                return Err(StoreError::encode(&open.path, CodecError::Kind("a new column".into())));
            }
            self.open = Some(open);
        }
        self.close_full()
    }

    /// Writes what is left of a load of lives and makes the files durable under their names.
    pub(crate) fn finish_lives(mut self, schema: &Schema) -> Result<Written, StoreError> {
        if self.open.is_some() || !self.segments.is_empty() || self.held.is_empty() {
            return self.finish();
        }
        let held = std::mem::take(&mut self.held);
        let (bytes, events) =
            encode_held(&held, schema, &self.metadata).map_err(|error| StoreError::encode(&self.dir, error))?;
        Ok(self.in_catalogue(bytes, events))
    }

    /// Writes what is left and makes the files durable under their names.
    pub(crate) fn finish(mut self) -> Result<Written, StoreError> {
        let nothing_written = self.open.is_none() && self.segments.is_empty();
        if nothing_written && self.chunk.len() <= SMALL && self.chunk_bytes <= SMALL_BYTES {
            return self.small();
        }
        self.flush()?;
        self.close()?;
        sync_dir(&self.dir)?;
        Ok(Written { segments: self.segments, batches: Vec::new() })
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        let chunk = std::mem::take(&mut self.chunk);
        self.chunk_bytes = 0;
        if chunk.is_empty() {
            return Ok(());
        }
        let written = match &mut self.open {
            Some(open) => open.write(&chunk)?,
            None => false,
        };
        if !written {
            let open = self.begin(&chunk)?;
            if !open.write(&chunk)? {
                return Err(StoreError::encode(&open.path, CodecError::Kind("a new column".into())));
            }
        }
        self.chunk = chunk;
        self.chunk.clear();
        self.close_full()
    }

    fn close_full(&mut self) -> Result<(), StoreError> {
        if self.open.as_ref().is_some_and(|open| open.length() >= SEGMENT_BYTES) {
            self.close()?;
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), StoreError> {
        if let Some(open) = self.open.take() {
            let stands_for = self.stands_for;
            self.segments.push(Segment { stands_for, lives: self.lives, ..open.finish(&self.dir)? });
        }
        Ok(())
    }

    /// The same bytes, to be kept in the catalogue.
    fn small(self) -> Result<Written, StoreError> {
        if self.chunk.is_empty() {
            return Ok(Written::default());
        }
        let bytes = self.encode_small().map_err(|error| StoreError::encode(&self.dir, error))?;
        Ok(self.in_catalogue(bytes, self.chunk.len() as u64))
    }

    fn in_catalogue(&self, bytes: Vec<u8>, events: u64) -> Written {
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
        Written { segments: vec![segment], batches: vec![(self.first_part, bytes)] }
    }

    fn encode_small(&self) -> Result<Vec<u8>, CodecError> {
        let encoder = Encoder::new(None, &self.chunk, &self.metadata)?;
        let mut writer = writer(Vec::new(), &encoder)?;
        let batch = encoder.encode(&self.chunk)?.ok_or_else(|| CodecError::Kind("a new column".into()))?;
        writer.write(&batch)?;
        Ok(writer.into_inner()?)
    }
}

/// A few lives as the bytes of a segment, and how many events they are.
fn encode_held(
    held: &[(LifeRows, Vec<u32>)],
    schema: &Schema,
    metadata: &HashMap<String, String>,
) -> Result<(Vec<u8>, u64), CodecError> {
    let chunks: Vec<&LifeRows> = held.iter().map(|(lives, _)| lives).collect();
    let encoder = Encoder::of_lives(None, &chunks, schema, metadata)?;
    let mut writer = writer(Vec::new(), &encoder)?;
    let mut events = 0;
    for (lives, kept) in held {
        let batch =
            encoder.encode_lives(lives, kept, schema)?.ok_or_else(|| CodecError::Kind("a new column".into()))?;
        events += codec::n_events(&batch) as u64;
        writer.write(&batch)?;
    }
    Ok((writer.into_inner()?, events))
}

/// Most columns of a batch repeat one value or none, so compressing them costs less than writing them.
fn writer<W: Write>(sink: W, encoder: &Encoder) -> Result<FileWriter<W>, CodecError> {
    let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME))?;
    Ok(FileWriter::try_new_with_options(sink, encoder.schema(), options)?)
}

/// Bytes that a value takes, about.
pub(crate) fn size(value: &Value) -> usize {
    match value {
        Value::Dense(dense) => dense.numbers.len() * 8,
        Value::Sparse(sparse) => (sparse.coordinates.len() + sparse.values.len()) * 8,
        Value::Text(text) | Value::Category(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::Json(json) => json_size(json),
    }
}

fn json_size(json: &serde_json::Value) -> usize {
    match json {
        serde_json::Value::String(text) => text.len() + 2,
        serde_json::Value::Array(items) => items.iter().map(json_size).sum::<usize>() + 2,
        serde_json::Value::Object(map) => map.iter().map(|(key, item)| key.len() + 4 + json_size(item)).sum(),
        _ => 8,
    }
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

    /// False if the events need a column that this segment does not have.
    fn write(&mut self, events: &[Event]) -> Result<bool, StoreError> {
        let wrong = |error| StoreError::encode(&self.path, error);
        let Some(batch) = self.encoder.encode(events).map_err(wrong)? else { return Ok(false) };
        self.writer.write(&batch).map_err(|error| wrong(error.into()))?;
        self.events += events.len() as u64;
        Ok(true)
    }

    /// The same for records of a chunk that are created.
    fn write_rows(&mut self, rows: &Rows, created: &[u32], schema: &Schema, time: Time) -> Result<bool, StoreError> {
        let wrong = |error| StoreError::encode(&self.path, error);
        let Some(batch) = self.encoder.encode_rows(rows, created, schema, time).map_err(wrong)? else {
            return Ok(false);
        };
        self.writer.write(&batch).map_err(|error| wrong(error.into()))?;
        self.events += created.len() as u64;
        Ok(true)
    }

    /// The same for lives of a chunk.
    fn write_lives(&mut self, lives: &LifeRows, kept: &[u32], schema: &Schema) -> Result<bool, StoreError> {
        let wrong = |error| StoreError::encode(&self.path, error);
        let Some(batch) = self.encoder.encode_lives(lives, kept, schema).map_err(wrong)? else { return Ok(false) };
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

/// Makes the names in a directory durable.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), StoreError> {
    let synced = File::open(dir).and_then(|handle| handle.sync_all());
    synced.map_err(|error| StoreError::io(dir, error))
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

    /// Checks the bytes and hands the events over, batch after batch. Those of lives are in no order yet, and come with
    /// `false`.
    pub(crate) fn read(
        &self,
        bytes: &[u8],
        place: &Path,
        schema: &Schema,
        mut each: impl FnMut(Vec<Event>, bool) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let broken = |error| StoreError::corrupt(place, error);
        self.batches(bytes, place, |batch| {
            if !codec::has_lives(&batch) {
                return each(decode(&batch, schema).map_err(broken)?, true);
            }
            for lives in codec::decode_lives(&batch, schema).map_err(broken)? {
                each((0..lives.len()).flat_map(|at| lives.to_events(at, schema)).collect(), false)?;
            }
            Ok(())
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
