//! Records of a source in batches, read ahead on a thread of their own.
//!
//! Reading and taking in each run through more code than an instruction cache holds. In turns, record by record, each
//! drives out the other's code; batch by batch neither does, and with a second core both go on at once.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;

use timeweft_graph::threads::Crew;
use timeweft_graph::{Record, Schema, Sink, Value};

use crate::StoreError;
use crate::load::gathered::Gathered;

/// The most records that are handed over at once, or bytes of feature values: few enough to stay in a cache.
const RECORDS: usize = 512;
const BYTES: usize = 1 << 20;
/// The most batches that wait.
const WAITING: usize = 2;

/// Pushes all records of a source into a sink.
pub(crate) type Read<'a> = dyn FnMut(&mut dyn Sink) -> Result<(), StoreError> + Send + 'a;

/// Reads while `taking` takes in what was read, and `kept` keeps it. Where `taking` is closed early, some more was read than
/// it took; reading goes on then only where something is kept and `goes_on` says that it is wanted.
pub(crate) fn read_ahead<T: Sink>(
    read: &mut Read<'_>,
    taking: &mut T,
    kept: Option<&mut Gathered<'_>>,
    goes_on: impl Fn(&T) -> bool,
) -> Result<(), StoreError> {
    let is_over = AtomicBool::new(false);
    let schema = taking.schema().clone();
    let mut take = |batch: Batch| {
        for (record, line) in batch {
            taking.record(record, line);
            if taking.is_closed() {
                break;
            }
        }
        let is_closed = taking.is_closed();
        is_over.store(is_closed && !goes_on(taking), Ordering::Relaxed);
        !is_closed
    };
    thread::scope(|scope| {
        let mut crew = Crew::of(1, scope);
        if crew.is_empty() {
            return Ahead::new(schema, kept, &is_over, Box::new(&mut take)).fill(read);
        }
        let (full, batches) = sync_channel(WAITING);
        let is_over = &is_over;
        let reader = crew.ahead(move || {
            let send = |batch| full.send(batch).is_ok();
            Ahead::new(schema, kept, is_over, Box::new(send)).fill(read)
        });
        batches.into_iter().all(take);
        // One that breaks down has not read to the end.
        reader.join().map_err(|_| StoreError::broken_down())?
    })
}

/// Records that follow each other, with their lines.
type Batch = Vec<(Record<'static>, u64)>;

/// The sink that makes batches, and lets all that it gets be kept.
struct Ahead<'a, 'k> {
    schema: Schema,
    batch: Batch,
    /// Bytes of the batch.
    bytes: usize,
    kept: Option<&'a mut Gathered<'k>>,
    is_over: &'a AtomicBool,
    /// Hands a batch over, and gives whether more are wanted.
    send: Box<dyn FnMut(Batch) -> bool + 'a>,
    is_sent: bool,
}

impl<'a, 'k> Ahead<'a, 'k> {
    fn new(
        schema: Schema,
        kept: Option<&'a mut Gathered<'k>>,
        is_over: &'a AtomicBool,
        send: Box<dyn FnMut(Batch) -> bool + 'a>,
    ) -> Ahead<'a, 'k> {
        Ahead { schema, batch: Batch::new(), bytes: 0, kept, is_over, send, is_sent: true }
    }

    fn fill(mut self, read: &mut Read<'_>) -> Result<(), StoreError> {
        let end = read(&mut self);
        self.flush();
        end
    }

    fn flush(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        let full = mem::replace(&mut self.batch, Vec::with_capacity(RECORDS));
        self.bytes = 0;
        self.is_sent = self.is_sent && (self.send)(full);
    }
}

impl Sink for Ahead<'_, '_> {
    fn schema(&mut self) -> &mut Schema {
        &mut self.schema
    }

    fn record(&mut self, record: Record<'_>, line: u64) {
        let record = match record {
            Record::Event(mut event) => {
                event.sort_features();
                self.bytes += event.features.iter().filter_map(|(_, value)| value.as_ref()).map(size).sum::<usize>();
                Record::Event(event)
            }
            Record::File(name) => Record::File(name),
            Record::Reject(reason) => Record::Reject(reason),
            Record::Warning(message) => Record::Warning(message),
            other => Record::Reject(other.unfit("a stream of events")),
        };
        if let Some(kept) = &mut self.kept {
            kept.keep(&record, line);
        }
        if self.is_sent {
            self.batch.push((record, line));
            if self.batch.len() >= RECORDS || self.bytes >= BYTES {
                self.flush();
            }
        }
    }

    fn is_closed(&self) -> bool {
        let is_kept = self.kept.as_ref().is_some_and(|kept| !kept.is_closed());
        self.is_over.load(Ordering::Relaxed) || (!self.is_sent && !is_kept)
    }
}

/// Bytes that a value takes, about.
fn size(value: &Value) -> usize {
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

#[cfg(test)]
mod tests {
    use timeweft_graph::{Action, Element, Event, NodeKey, Time};

    use super::*;

    /// Takes in the times of `n` events.
    #[derive(Default)]
    struct Times {
        schema: Schema,
        seen: Vec<i64>,
        most: Option<usize>,
    }

    impl Sink for Times {
        fn schema(&mut self) -> &mut Schema {
            &mut self.schema
        }

        fn record(&mut self, record: Record<'_>, _: u64) {
            if let Record::Event(event) = record {
                self.seen.push(event.time.0);
            }
        }

        fn is_closed(&self) -> bool {
            self.most.is_some_and(|most| self.seen.len() >= most)
        }
    }

    /// Pushes `n` records, then fails or ends; says how many it pushed.
    fn source(n: i64, fails: bool, pushed: &mut i64) -> impl FnMut(&mut dyn Sink) -> Result<(), StoreError> + Send {
        move |sink| {
            while *pushed < n && !sink.is_closed() {
                *pushed += 1;
                let event = Event::new(Time(*pushed), Action::Create, Element::Node(NodeKey::new("t", "a")));
                sink.record(Record::Event(event), 1);
            }
            if fails && *pushed == n { Err(StoreError::Source("torn".into())) } else { Ok(()) }
        }
    }

    #[test]
    fn records_come_in_order_and_an_error_comes_behind_them() {
        for n in [0, 1, 511, 512, 513, 5000] {
            for fails in [false, true] {
                let (mut pushed, mut times) = (0, Times::default());
                let end = read_ahead(&mut source(n, fails, &mut pushed), &mut times, None, |_| false);
                assert_eq!(times.seen, (1..=n).collect::<Vec<_>>());
                assert_eq!(end.is_err(), fails, "{n}");
            }
        }
    }

    #[test]
    fn a_reader_that_breaks_down_is_no_end() {
        let mut read = |sink: &mut dyn Sink| {
            let read = source(700, false, &mut 0)(sink);
            assert!(read.is_err(), "as a reader with a fault does");
            read
        };
        let end = read_ahead(&mut read, &mut Times::default(), None, |_| false);
        assert_eq!(end.map_err(|error| error.to_string()), Err("a thread of the load broke down".to_owned()));
    }

    #[test]
    fn reading_stops_soon_once_nothing_is_wanted() {
        for (n, fails, may_fail) in [(100, true, true), (600, false, false), (1 << 20, true, false)] {
            let (mut pushed, mut times) = (0, Times { most: Some(1), ..Times::default() });
            let end = read_ahead(&mut source(n, fails, &mut pushed), &mut times, None, |_| false);
            assert_eq!((times.seen.len(), end.is_err()), (1, may_fail), "{n}");
            assert!(pushed < 8 * RECORDS as i64, "reading stops soon: {pushed}");
        }
    }
}
