//! Records of a source in batches, read ahead on a thread of their own.
//!
//! Reading and taking in each run through more code than an instruction cache holds. In turns, record by record, each
//! drives out the other's code; batch by batch neither does, and with a second core both go on at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::vec;

use timeweft_graph::Value;
use timeweft_graph::threads::Crew;

use crate::StoreError;
use crate::load::source::SourceRecord;

/// Records that are handed over at once, or bytes of feature values: few enough to stay in a cache.
const RECORDS: usize = 512;
const BYTES: usize = 1 << 20;
/// The most batches that wait.
const WAITING: usize = 2;

/// Gives record after record.
pub(crate) type Read<'a> = dyn FnMut() -> Result<Option<SourceRecord>, StoreError> + 'a;

/// Reads while `take` takes in what was read. Where that ends early, some more was read than it took; an error of that
/// part of the reading comes second.
pub(crate) fn read_ahead<T>(
    read: &mut (dyn FnMut() -> Result<Option<SourceRecord>, StoreError> + Send),
    take: impl FnOnce(&mut Read<'_>) -> T,
) -> (T, Option<StoreError>) {
    let over = AtomicBool::new(false);
    let taken = thread::scope(|scope| {
        let mut crew = Crew::of(1, scope);
        if crew.is_empty() {
            return Err(take);
        }
        let (full, batches) = sync_channel(WAITING);
        let (read, is_over) = (&mut *read, &over);
        let reader = crew.ahead(move || read_batches(read, &full, is_over));
        let mut arriving = Arriving { batches: &batches, batch: Vec::new().into_iter(), end: None };
        let taken = take(&mut || arriving.next());
        over.store(true, Ordering::Relaxed);
        let rest = arriving.end.take().into_iter().chain(batches.iter().filter_map(|batch| batch.end));
        let unseen = rest.filter_map(Result::err).last();
        let broken = reader.join().err().map(|_| StoreError::broken_down());
        Ok((taken, unseen.or(broken)))
    });
    // Where there is no thread to be had, records come one by one.
    taken.unwrap_or_else(|take| (take(read), None))
}

/// Records that were read, and how the reading ended if it ended behind them.
struct Batch {
    records: Vec<SourceRecord>,
    end: Option<Result<(), StoreError>>,
}

fn read_batches(
    read: &mut (dyn FnMut() -> Result<Option<SourceRecord>, StoreError> + Send),
    full: &SyncSender<Batch>,
    is_over: &AtomicBool,
) {
    let mut is_at_end = false;
    while !is_at_end && !is_over.load(Ordering::Relaxed) {
        let mut batch = Batch { records: Vec::with_capacity(RECORDS), end: None };
        let mut bytes = 0;
        while batch.end.is_none() && batch.records.len() < RECORDS && bytes < BYTES {
            match read() {
                Ok(Some(record)) => {
                    bytes += n_bytes(&record);
                    batch.records.push(record);
                }
                Ok(None) => batch.end = Some(Ok(())),
                Err(error) => batch.end = Some(Err(error)),
            }
        }
        is_at_end = batch.end.is_some();
        if full.send(batch).is_err() {
            return;
        }
    }
}

fn n_bytes(record: &SourceRecord) -> usize {
    let features = record.iter().flat_map(|(event, _)| &event.features);
    features.filter_map(|(_, value)| value.as_ref()).map(size).sum()
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

/// The records of batch after batch.
struct Arriving<'a> {
    batches: &'a Receiver<Batch>,
    batch: vec::IntoIter<SourceRecord>,
    end: Option<Result<(), StoreError>>,
}

impl Arriving<'_> {
    fn next(&mut self) -> Result<Option<SourceRecord>, StoreError> {
        loop {
            if let Some(record) = self.batch.next() {
                return Ok(Some(record));
            }
            match &self.end {
                Some(Ok(())) => return Ok(None),
                Some(Err(_)) => return self.end.replace(Ok(())).map_or(Ok(None), |end| end.map(|()| None)),
                None => {}
            }
            // A stream that has no end was not read to its end.
            let Ok(Batch { records, end }) = self.batches.recv() else {
                return Err(StoreError::broken_down());
            };
            (self.batch, self.end) = (records.into_iter(), end);
        }
    }
}

#[cfg(test)]
mod tests {
    use timeweft_graph::{Action, Element, Event, NodeKey, Place, Time};

    use super::*;

    /// Gives `n` records, then an error or the end; says how often it was asked.
    fn source(n: i64, fails: bool, asked: &mut i64) -> impl FnMut() -> Result<Option<SourceRecord>, StoreError> + Send {
        move || {
            *asked += 1;
            if *asked <= n {
                let event = Event::new(Time(*asked), Action::Create, Element::Node(NodeKey::new("t", "a")));
                return Ok(Some(Ok((event, Place::new(&"f".into(), 1)))));
            }
            if fails { Err(StoreError::Source("torn".into())) } else { Ok(None) }
        }
    }

    fn time(record: Option<SourceRecord>) -> Option<i64> {
        record.and_then(Result::ok).map(|(event, _)| event.time.0)
    }

    #[test]
    fn records_come_in_order_and_an_error_comes_behind_them() {
        for n in [0, 1, 511, 512, 513, 5000] {
            for fails in [false, true] {
                let (mut asked, mut seen) = (0, Vec::new());
                let (end, unseen) = read_ahead(&mut source(n, fails, &mut asked), |records| {
                    loop {
                        match records() {
                            Ok(None) => return Ok(()),
                            Ok(record) => seen.extend(time(record)),
                            Err(error) => return Err(error),
                        }
                    }
                });
                assert_eq!(seen, (1..=n).collect::<Vec<_>>());
                assert_eq!(end.is_err(), fails, "{n}");
                assert!(unseen.is_none());
            }
        }
    }

    #[test]
    fn a_reader_that_breaks_down_is_no_end() {
        let mut n = 0;
        let mut read = || {
            n += 1;
            assert!(n < 700, "as a reader with a fault does");
            source(1 << 20, false, &mut 0)()
        };
        let (seen, _) = read_ahead(&mut read, |records| {
            let mut seen = 0;
            loop {
                match records() {
                    Ok(None) => return Ok(seen),
                    Ok(Some(_)) => seen += 1,
                    Err(error) => return Err(error.to_string()),
                }
            }
        });
        assert_eq!(seen, Err("a thread of the load broke down".to_owned()));
    }

    #[test]
    fn what_stops_early_learns_of_an_error_that_it_did_not_reach() {
        for (n, fails, may_know) in [(100, true, true), (600, false, false), (1 << 20, true, false)] {
            let mut asked = 0;
            let (first, unseen) =
                read_ahead(&mut source(n, fails, &mut asked), |records| time(records().unwrap_or_default()));
            assert_eq!((first, unseen.is_some()), (Some(1), may_know), "{n}");
            assert!(asked < 8 * RECORDS as i64, "reading stops soon: {asked}");
        }
    }
}
