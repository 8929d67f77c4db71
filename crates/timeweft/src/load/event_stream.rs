//! A file of events, or standard input, as the store reads it.

use std::path::Path;

use timeweft_graph::{Name, Schema};
use timeweft_store::{EventSource, ReadError, SourceRecord};

use super::{EventFormat, EventOptions, EventReader, LoadProgress, Meter, STRIDE};
use crate::Error;

/// The events of a file, or of standard input.
pub(super) struct EventStream<'a> {
    path: &'a Path,
    format: EventFormat,
    schema: Schema,
    /// Name of the source for messages.
    pub(super) file: Name,
    pub(super) reader: EventReader,
    meter: Meter<'a>,
    records: u64,
    /// What the reader has to tell in the end.
    pub(super) notes: Vec<String>,
}

impl<'a> EventStream<'a> {
    pub(super) fn open(
        path: &'a Path,
        options: &EventOptions,
        schema: &Schema,
        progress: &'a mut (dyn FnMut(LoadProgress) + Send),
    ) -> Result<EventStream<'a>, Error> {
        let format = options.format.clone().map_or_else(|| EventFormat::detect(path), Ok)?;
        let schema = schema.clone();
        let (reader, file, (bytes, size)) = EventReader::open(path, &schema, &format)?;
        let meter = Meter { bytes: Some(bytes), size, progress };
        Ok(EventStream { path, format, schema, file, reader, meter, records: 0, notes: Vec::new() })
    }
}

impl EventSource for EventStream<'_> {
    fn next(&mut self) -> Result<Option<SourceRecord>, ReadError> {
        let Some(record) = self.reader.next() else {
            self.notes = self.reader.notes();
            return self.reader.failure().map_or(Ok(None), |failure| Err(failure.into()));
        };
        self.records += 1;
        if self.records.is_multiple_of(STRIDE) {
            self.meter.tell(self.records);
        }
        Ok(Some(record.map(|record| (record.event, record.place))))
    }

    /// A pipe has no beginning to go back to.
    fn can_rewind(&self) -> bool {
        self.path != Path::new("-") && std::fs::metadata(self.path).is_ok_and(|facts| facts.is_file())
    }

    fn rewind(&mut self) -> Result<(), ReadError> {
        let (reader, _, (bytes, _)) = EventReader::open(self.path, &self.schema, &self.format)?;
        (self.reader, self.meter.bytes) = (reader, Some(bytes));
        self.records = 0;
        Ok(())
    }
}
