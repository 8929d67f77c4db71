//! The events of files, of standard input or of a data frame, as the store reads them.

use std::path::{Path, PathBuf};

use timeweft_graph::{Dangling, Link, Name, Schema, Sink, Stop};
use timeweft_source::{
    BytesRead, ChangeRowsReader, ColumnarOptions, ColumnarReader, CsvReader, Frame, Input, JsonlReader, SourceError,
    TableMapping, open,
};
use timeweft_store::{ReadError, Repeats};

use super::progress::{Counting, Meter};
use super::tables::TableSet;
use super::{EventFormat, LoadOptions};
use crate::Result;

/// Where events come from, and how they are read.
pub(super) enum Origin {
    /// A file, or `-` for standard input.
    File(PathBuf, EventFormat),
    /// A data frame.
    Frame(Frame, ColumnarOptions),
    /// Tables whose rows are changes.
    Changes(TableSet, TableMapping),
}

impl Origin {
    fn name(&self) -> Name {
        match self {
            Origin::File(path, _) if path == Path::new("-") => "<stdin>".into(),
            Origin::File(path, _) => path.to_string_lossy().as_ref().into(),
            Origin::Frame(frame, _) => frame.name().clone(),
            Origin::Changes(tables, _) => tables.name().clone(),
        }
    }

    /// Whether it can be read again: a pipe has no beginning to go back to.
    fn can_reread(&self) -> bool {
        match self {
            Origin::File(path, _) => {
                path != Path::new("-") && std::fs::metadata(path).is_ok_and(|facts| facts.is_file() || facts.is_dir())
            }
            Origin::Frame(frame, _) => frame.can_reread(),
            Origin::Changes(tables, _) => tables.can_reread(),
        }
    }
}

/// The events of one or more tables or files, one after the other.
pub(super) struct EventStream<'a> {
    origins: Vec<Origin>,
    schema: Schema,
    /// Name of the whole for messages.
    pub(super) name: Name,
    /// The policies that fit.
    pub(super) policies: (Dangling, Repeats),
    /// The foreign keys of rows of tables; none where events are events.
    pub(super) rows: Option<Vec<Link>>,
    /// The reader of the first one, before it is read.
    first: Option<(EventReader, Option<BytesRead>)>,
    meter: Meter<'a>,
    /// What the readers have to tell in the end.
    pub(super) notes: Vec<String>,
}

impl<'a> EventStream<'a> {
    /// Opens each once, to see what it is.
    ///
    /// # Errors
    /// If one cannot be opened or its columns make no events, or if they ask for different policies and `options` has none.
    pub(super) fn open(
        origins: Vec<Origin>,
        schema: &Schema,
        options: &LoadOptions,
        mut meter: Meter<'a>,
    ) -> Result<EventStream<'a>> {
        let is_given = options.dangling.is_some() && options.repeats.is_some();
        let (mut first, mut policies, mut rows, mut size) = (None, None, None, Some(0));
        for origin in &origins {
            let fail = |problem: &str| SourceError::Document { file: origin.name(), line: 0, problem: problem.into() };
            if origins.len() > 1 && matches!(origin, Origin::File(path, _) if path == Path::new("-")) {
                return Err(fail("standard input is loaded alone").into());
            }
            let (reader, (bytes, own)) = EventReader::open(origin, schema)?;
            size = size.zip(own).map(|(all, own)| all + own);
            if *policies.get_or_insert(reader.policies()) != reader.policies() && !is_given {
                let problem = "some of the files have a column `action` and some have none: load these by themselves, or say \
                               what to do with repeats and with edges at missing nodes";
                return Err(fail(problem).into());
            }
            if origins.len() > 1 && matches!(reader, EventReader::Changes(_)) {
                return Err(fail("change rows are loaded alone: the mapping names their files").into());
            }
            rows = rows.or_else(|| reader.rows());
            first = first.or(Some((reader, bytes)));
        }
        meter.size = size;
        let (name, schema) = (name_of(&origins), schema.clone());
        Ok(EventStream {
            origins,
            schema,
            name,
            policies: policies.unwrap_or_default(),
            rows,
            first,
            meter,
            notes: Vec::new(),
        })
    }

    /// Pushes all events, from the first one on.
    pub(super) fn read(&mut self, sink: &mut dyn Sink) -> Result<(), ReadError> {
        self.notes.clear();
        self.meter.begin();
        for origin in &self.origins {
            let (mut reader, bytes) = match self.first.take() {
                Some(first) => first,
                None => EventReader::open(origin, &self.schema).map(|(reader, (bytes, _))| (reader, bytes))?,
            };
            self.meter.next(bytes);
            let read = reader.read(&mut Counting::new(sink, &mut self.meter));
            self.notes.extend(reader.notes());
            read?;
            if self.meter.is_stopped() {
                break;
            }
        }
        Ok(())
    }

    /// Ends the reading, and the load.
    pub(super) fn stop(&self) -> Stop {
        self.meter.stop.clone()
    }

    /// Whether all can be read again.
    pub(super) fn can_reread(&self) -> bool {
        self.origins.iter().all(Origin::can_reread)
    }
}

/// What stands for all of them in the registry of loads.
fn name_of(origins: &[Origin]) -> Name {
    match origins {
        [one] => one.name(),
        [first, .., last] => format!("{} .. {} ({} files)", first.name(), last.name(), origins.len()).into(),
        [] => "".into(),
    }
}

/// A reader, how much of its source was read, and the size of that, where they are known.
type Opened = (EventReader, (Option<BytesRead>, Option<u64>));

/// A reader of events in any format.
enum EventReader {
    Jsonl(Box<JsonlReader<Input>>),
    Table(Box<CsvReader<Input>>),
    Columnar(Box<ColumnarReader>),
    Changes(Box<ChangeRowsReader>),
}

impl EventReader {
    fn open(origin: &Origin, schema: &Schema) -> Result<Opened, SourceError> {
        let (path, format) = match origin {
            Origin::Frame(frame, options) => {
                let reader = Box::new(ColumnarReader::of_frame(frame, schema, options)?);
                let (bytes, size) = reader.progress();
                return Ok((EventReader::Columnar(reader), (Some(bytes), size)));
            }
            Origin::Changes(tables, mapping) => {
                let reader = Box::new(ChangeRowsReader::of_tables(tables.clone(), mapping)?);
                return Ok((EventReader::Changes(reader), (None, None)));
            }
            Origin::File(path, EventFormat::Columnar(options)) => {
                let reader = Box::new(ColumnarReader::open(path, schema, options)?);
                let (bytes, size) = reader.progress();
                return Ok((EventReader::Columnar(reader), (Some(bytes), size)));
            }
            Origin::File(path, EventFormat::Changes(mapping)) => {
                let reader = Box::new(ChangeRowsReader::open(path, mapping)?);
                return Ok((EventReader::Changes(reader), (None, None)));
            }
            Origin::File(path, format) => (path, format),
        };
        let input = open(path)?;
        let (file, progress) = (input.name().clone(), (Some(input.bytes_read()), input.size()));
        let reader = match format {
            EventFormat::Table(options) => EventReader::Table(Box::new(CsvReader::new(input, &file, schema, options)?)),
            _ => EventReader::Jsonl(Box::new(JsonlReader::new(input, &file, schema))),
        };
        Ok((reader, progress))
    }

    /// The policies that fit the source: rows without an action are interactions of nodes that nothing creates.
    fn policies(&self) -> (Dangling, Repeats) {
        match self {
            EventReader::Table(reader) if !reader.has_action() => (Dangling::Stub, Repeats::Parallel),
            EventReader::Columnar(reader) if !reader.has_action() => (Dangling::Stub, Repeats::Parallel),
            // A foreign key may lead to a row that is in a later load, or of a table that is in none.
            EventReader::Changes(_) => (Dangling::Stub, Repeats::Reject),
            _ => (Dangling::Drop, Repeats::Reject),
        }
    }

    /// The foreign keys of rows of tables; none where events are events.
    fn rows(&self) -> Option<Vec<Link>> {
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
