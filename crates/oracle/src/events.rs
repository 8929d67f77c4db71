//! Events as tests hand them to a load and get them from a reader: in lists.

use std::error::Error;

use timeweft_graph::{Event, Name, Place, Record, Reject, Schema, Sink, send_events};

/// An event with its place, or why there is none.
pub type EventRecord = Result<(Event, Place), Reject>;

/// A reader that pushes these.
pub fn pushed(
    records: impl IntoIterator<Item = EventRecord>,
) -> impl FnOnce(&mut dyn Sink) -> Result<(), Box<dyn Error + Send + Sync>> {
    |sink| {
        send_events(records, sink);
        Ok(())
    }
}

/// What a reader of events pushes, and how it ends.
///
/// # Panics
///
/// If it pushes anything else.
pub fn events<E>(read: impl FnOnce(&mut dyn Sink) -> Result<(), E>) -> (Vec<EventRecord>, Result<(), E>) {
    let mut events = Events { schema: Schema::default(), file: Name::default(), records: Vec::new() };
    let end = read(&mut events);
    (events.records, end)
}

struct Events {
    schema: Schema,
    file: Name,
    records: Vec<EventRecord>,
}

impl Sink for Events {
    fn schema(&mut self) -> &mut Schema {
        &mut self.schema
    }

    fn record(&mut self, record: Record<'_>, line: u64) {
        let place = Place::new(&self.file, line);
        match record {
            Record::File(name) => self.file = name,
            Record::Event(event) => self.records.push(Ok((event, place))),
            Record::Reject(reason) => self.records.push(Err(Reject { place, reason })),
            other => panic!("no event: {other:?}"),
        }
    }
}
