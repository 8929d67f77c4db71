//! A file of events, or standard input, as the store reads it.

use std::path::Path;

use timeweft_graph::{Dangling, Link, Name, Schema, Sink};
use timeweft_source::{BytesRead, ChangeRowsReader, ColumnarReader, CsvReader, Input, JsonlReader, SourceError, open};
use timeweft_store::{ReadError, Repeats};

use super::EventFormat;
use super::progress::{Counting, Meter};
use crate::Result;

/// The events of a file, or of standard input.
pub(super) struct EventStream<'a> {
    path: &'a Path,
    format: EventFormat,
    schema: Schema,
    /// Name of the source for messages.
    pub(super) file: Name,
    pub(super) reader: EventReader,
    /// Whether the reader is behind the beginning.
    is_read: bool,
    meter: Meter<'a>,
    /// What the reader has to tell in the end.
    pub(super) notes: Vec<String>,
}

impl<'a> EventStream<'a> {
    pub(super) fn open(
        path: &'a Path,
        format: EventFormat,
        schema: &Schema,
        mut meter: Meter<'a>,
    ) -> Result<EventStream<'a>> {
        let schema = schema.clone();
        let (reader, file, (bytes, size)) = EventReader::open(path, &schema, &format)?;
        (meter.bytes, meter.size) = (bytes, size);
        Ok(EventStream { path, format, schema, file, reader, is_read: false, meter, notes: Vec::new() })
    }

    /// Pushes all events, from the first one on.
    pub(super) fn read(&mut self, sink: &mut dyn Sink) -> Result<(), ReadError> {
        if std::mem::replace(&mut self.is_read, true) {
            let (reader, _, (bytes, _)) = EventReader::open(self.path, &self.schema, &self.format)?;
            (self.reader, self.meter.bytes, self.meter.records) = (reader, bytes, 0);
        }
        let read = self.reader.read(&mut Counting { sink, meter: &mut self.meter });
        self.notes = self.reader.notes();
        self.meter.check()?;
        Ok(read?)
    }

    /// Whether it can be read again: a pipe has no beginning to go back to.
    pub(super) fn can_reread(&self) -> bool {
        self.path != Path::new("-") && std::fs::metadata(self.path).is_ok_and(|facts| facts.is_file() || facts.is_dir())
    }
}

/// A reader, the name of its file, how much of that was read, and its size, where they are known.
type Opened = (EventReader, Name, (Option<BytesRead>, Option<u64>));

/// A reader of events in any format.
pub(super) enum EventReader {
    Jsonl(Box<JsonlReader<Input>>),
    Table(Box<CsvReader<Input>>),
    Columnar(Box<ColumnarReader>),
    Changes(Box<ChangeRowsReader>),
}

impl EventReader {
    /// The reader of a file, with the name of the file, how much of it was read, and its size.
    fn open(path: &Path, schema: &Schema, format: &EventFormat) -> Result<Opened, SourceError> {
        if let EventFormat::Columnar(options) = format {
            let reader = Box::new(ColumnarReader::open(path, schema, options)?);
            let (file, (bytes, size)) = (reader.name().clone(), reader.progress());
            return Ok((EventReader::Columnar(reader), file, (Some(bytes), size)));
        }
        if let EventFormat::Changes(mapping) = format {
            let reader = Box::new(ChangeRowsReader::open(path, mapping)?);
            let file = reader.name().clone();
            return Ok((EventReader::Changes(reader), file, (None, None)));
        }
        let input = open(path)?;
        let (file, progress) = (input.name().clone(), (Some(input.bytes_read()), input.size()));
        let reader = match format {
            EventFormat::Table(options) => EventReader::Table(Box::new(CsvReader::new(input, &file, schema, options)?)),
            _ => EventReader::Jsonl(Box::new(JsonlReader::new(input, &file, schema))),
        };
        Ok((reader, file, progress))
    }

    /// The policies that fit the source: rows without an action are interactions of nodes that nothing creates.
    pub(super) fn policies(&self) -> (Dangling, Repeats) {
        match self {
            EventReader::Table(reader) if !reader.has_action() => (Dangling::Stub, Repeats::Parallel),
            EventReader::Columnar(reader) if !reader.has_action() => (Dangling::Stub, Repeats::Parallel),
            // A foreign key may lead to a row that is in a later load, or of a table that is in none.
            EventReader::Changes(_) => (Dangling::Stub, Repeats::Reject),
            _ => (Dangling::Drop, Repeats::Reject),
        }
    }

    /// The foreign keys of rows of tables; none where events are events.
    pub(super) fn rows(&self) -> Option<Vec<Link>> {
        match self {
            EventReader::Changes(reader) => Some(reader.links().to_vec()),
            _ => None,
        }
    }

    fn read(&mut self, sink: &mut dyn Sink) -> Result<(), SourceError> {
        match self {
            EventReader::Jsonl(reader) => reader.read(sink),
            EventReader::Table(reader) => reader.read(sink),
            EventReader::Columnar(reader) => reader.read(sink),
            EventReader::Changes(reader) => reader.read(sink),
        }
    }

    fn notes(&mut self) -> Vec<String> {
        match self {
            EventReader::Jsonl(reader) => reader.notes(),
            EventReader::Table(reader) => reader.notes(),
            EventReader::Columnar(reader) => reader.notes(),
            EventReader::Changes(reader) => reader.notes(),
        }
    }
}
