//! Events in order of time, those of one time in the order in which they came: sorted in memory up to a size, beyond it on
//! disk.
//!
//! Events are kept as bytes. What does not fit in memory is sorted and written as a run, all runs into one file; reading
//! merges them. The file has no name while it is used, so that nothing is left of it however the process ends.

mod bytes;
mod lives;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use timeweft_graph::{Event, Place, Time};

use self::bytes::{Names, Reader};
pub(crate) use self::lives::LivesInOrder;
use crate::StoreError;

/// Bytes of events that are sorted in memory.
pub(crate) const MEMORY: usize = 128 << 20;
/// Bytes of a run that are read at a time.
const PIECE: u64 = 1 << 18;

/// What is sorted.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Item {
    /// When it is.
    pub(crate) time: Time,
    /// Where it is from.
    pub(crate) place: Place,
    /// Number of the source that it is from, where several are sorted together.
    pub(crate) of: u32,
    /// The event; none is a mark.
    pub(crate) event: Option<Event>,
}

/// An item that waits in memory.
struct Waiting {
    time: Time,
    start: usize,
    length: usize,
}

/// Takes events in, in any order of time.
pub(crate) struct Sorter {
    /// Where the file of runs is made.
    dir: PathBuf,
    memory: usize,
    names: Names,
    arena: Vec<u8>,
    waiting: Vec<Waiting>,
    /// The runs on disk.
    spilled: Option<Spilled>,
}

/// Sorted runs, one behind the other in a file. Each item is its time and its length, 8 bytes each, and its bytes.
struct Spilled {
    file: File,
    path: PathBuf,
    /// Where each run ends.
    ends: Vec<u64>,
}

impl Sorter {
    /// A sorter that writes beside the log in `dir` what does not fit in memory.
    pub(crate) fn new(dir: &Path, memory: usize) -> Sorter {
        let (arena, waiting) = (Vec::new(), Vec::new());
        Sorter { dir: dir.into(), memory, names: Names::default(), arena, waiting, spilled: None }
    }

    /// Adds an event, or a mark, behind those of the same time.
    pub(crate) fn push(&mut self, time: Time, of: u32, place: &Place, event: Option<&Event>) -> Result<(), StoreError> {
        let start = self.arena.len();
        bytes::write(&mut self.arena, &mut self.names, of, place, event);
        self.waiting.push(Waiting { time, start, length: self.arena.len() - start });
        if self.arena.len() + self.waiting.len() * size_of::<Waiting>() >= self.memory { self.spill() } else { Ok(()) }
    }

    /// What was added, in order. It can be read several times.
    pub(crate) fn sort(mut self) -> Sorted {
        // A stable sort; nothing is moved where all is in order already.
        self.waiting.sort_by_key(|item| item.time);
        Sorted(self)
    }

    fn spill(&mut self) -> Result<(), StoreError> {
        self.waiting.sort_by_key(|item| item.time);
        if self.spilled.is_none() {
            self.spilled = Some(Spilled::create(&self.dir)?);
        }
        let Some(Spilled { file, path, ends }) = &mut self.spilled else { return Ok(()) };
        let failed = |error| StoreError::io(path, error);
        let mut end = ends.last().copied().unwrap_or(0);
        let mut out = BufWriter::with_capacity(1 << 20, &*file);
        for item in &self.waiting {
            out.write_all(&item.time.0.to_le_bytes()).map_err(failed)?;
            out.write_all(&(item.length as u64).to_le_bytes()).map_err(failed)?;
            out.write_all(&self.arena[item.start..item.start + item.length]).map_err(failed)?;
            end += 16 + item.length as u64;
        }
        out.flush().map_err(failed)?;
        ends.push(end);
        self.arena.clear();
        self.waiting.clear();
        Ok(())
    }
}

impl Spilled {
    /// A new file in the folder, or where the system keeps what is temporary if the folder cannot be written to.
    fn create(dir: &Path) -> Result<Spilled, StoreError> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        // A name that opening a graph clears away, should the system not let go of it at once.
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("p0-sort-{}-{number}.arrow.tmp", std::process::id());
        let open = |path: &Path| OpenOptions::new().read(true).write(true).create_new(true).open(path);
        let (mut path, elsewhere) = (dir.join(&name), std::env::temp_dir().join(&name));
        let file = open(&path).or_else(|error| {
            path.clone_from(&elsewhere);
            open(&path).map_err(|_| StoreError::io(&dir.join(&name), error))
        })?;
        let _ = fs::remove_file(&path);
        Ok(Spilled { file, path, ends: Vec::new() })
    }
}

/// Events in order of time.
pub(crate) struct Sorted(Sorter);

impl Sorted {
    /// Reads from the beginning.
    pub(crate) fn read(&self) -> Result<SortedReader<'_>, StoreError> {
        let mut reader = SortedReader { sorted: &self.0, runs: Vec::new(), next: 0, heads: BinaryHeap::new() };
        if let Some(spilled) = &self.0.spilled {
            let mut position = 0;
            for &end in &spilled.ends {
                let buffer = Vec::new();
                reader.runs.push(Run { spilled, position, end, buffer, at: 0 });
                position = end;
            }
        }
        for run in 0..=reader.runs.len() {
            reader.advance(run)?;
        }
        Ok(reader)
    }
}

/// A run while it is read.
struct Run<'a> {
    spilled: &'a Spilled,
    /// What is read next from the file, and where the run ends.
    position: u64,
    end: u64,
    buffer: Vec<u8>,
    /// So much of the buffer is done with.
    at: usize,
}

impl Run<'_> {
    /// The next bytes; fewer at the end.
    fn take(&mut self, length: usize) -> Result<&[u8], StoreError> {
        if self.buffer.len() - self.at < length {
            self.buffer.drain(..self.at);
            self.at = 0;
            let wanted = PIECE.max((length - self.buffer.len()) as u64).min(self.end - self.position);
            let mut file = &self.spilled.file;
            let read = file.seek(SeekFrom::Start(self.position)).and_then(|_| {
                let begin = self.buffer.len();
                self.buffer.resize(begin + wanted as usize, 0);
                file.read_exact(&mut self.buffer[begin..])
            });
            read.map_err(|error| StoreError::io(&self.spilled.path, error))?;
            self.position += wanted;
        }
        let begin = self.at;
        self.at = (begin + length).min(self.buffer.len());
        Ok(&self.buffer[begin..self.at])
    }

    /// Time and length of the next item.
    fn head(&mut self) -> Result<Option<(Time, usize)>, StoreError> {
        let head = self.take(16)?;
        let (time, rest) = head.split_first_chunk().map_or(([0; 8], &[][..]), |(time, rest)| (*time, rest));
        let length = rest.first_chunk().map(|length| u64::from_le_bytes(*length) as usize);
        Ok(length.map(|length| (Time(i64::from_le_bytes(time)), length)))
    }
}

/// Reads what was sorted.
pub(crate) struct SortedReader<'a> {
    sorted: &'a Sorter,
    runs: Vec<Run<'a>>,
    /// The next item in memory, which is the last run.
    next: usize,
    /// Time, run and length of the next item of each run.
    heads: BinaryHeap<Reverse<(Time, usize, usize)>>,
}

impl SortedReader<'_> {
    /// Time and source of the next item, without taking it.
    pub(crate) fn time(&self) -> Option<Time> {
        self.heads.peek().map(|Reverse((time, ..))| *time)
    }

    /// The next item.
    pub(crate) fn next(&mut self) -> Result<Option<Item>, StoreError> {
        let Some(Reverse((time, run, length))) = self.heads.pop() else { return Ok(None) };
        let sorted = self.sorted;
        let item = match self.runs.get_mut(run) {
            Some(run) => Reader::new(run.take(length)?, &sorted.names).item(time),
            None => {
                let Waiting { start, length, .. } = sorted.waiting[self.next];
                self.next += 1;
                Reader::new(&sorted.arena[start..start + length], &sorted.names).item(time)
            }
        };
        self.advance(run)?;
        let path = sorted.spilled.as_ref().map_or(&sorted.dir, |spilled| &spilled.path);
        item.map(Some).ok_or_else(|| StoreError::corrupt(path, "what was sorted is not what was written"))
    }

    /// Looks at the next item of a run.
    fn advance(&mut self, run: usize) -> Result<(), StoreError> {
        let head = match self.runs.get_mut(run) {
            Some(run) => run.head()?,
            None => self.sorted.waiting.get(self.next).map(|item| (item.time, item.length)),
        };
        self.heads.extend(head.map(|(time, length)| Reverse((time, run, length))));
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;
    use timeweft_oracle::histories::histories;

    use super::*;

    /// Sorted with this number of bytes of memory, read twice.
    fn sorted(events: &[Event], memory: usize) -> Vec<Item> {
        let dir = tempfile::tempdir().unwrap();
        let mut sorter = Sorter::new(dir.path(), memory);
        for (line, event) in (1..).zip(events) {
            let place = Place::new(&"file".into(), line);
            sorter.push(event.time, line as u32 % 3, &place, Some(event)).unwrap();
            if line % 5 == 0 {
                sorter.push(event.time, 9, &place, None).unwrap();
            }
        }
        let sorted = sorter.sort();
        // The file has no name any more.
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        let read = || {
            let mut reader = sorted.read().unwrap();
            std::iter::from_fn(|| reader.next().unwrap()).collect::<Vec<_>>()
        };
        let all = read();
        assert_eq!(all, read());
        all
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

        /// Law 6: runs on disk and memory give what a stable sort of a list gives.
        #[test]
        fn runs_are_merged_as_a_stable_sort(events in histories(), memory in 1usize..4_000) {
            let mut expected = Vec::new();
            for (line, event) in (1..).zip(&events) {
                let item = |of, event| Item { time: event_time(&events, line), place: Place::new(&"file".into(), line), of, event };
                expected.push(item(line as u32 % 3, Some(event.clone())));
                if line % 5 == 0 {
                    expected.push(item(9, None));
                }
            }
            expected.sort_by_key(|item| item.time);
            prop_assert_eq!(sorted(&events, memory), expected.clone());
            prop_assert_eq!(sorted(&events, MEMORY), expected);
        }
    }

    #[test]
    fn an_item_may_be_longer_than_what_is_read_at_once() {
        let long = "x".repeat(2 * PIECE as usize + 5);
        let node = timeweft_graph::Element::Node(timeweft_graph::NodeKey::new("n", "a"));
        let event = |time, text: &str| {
            let event = Event::new(Time(time), timeweft_graph::Action::Update, node.clone());
            event.with(vec![("x".into(), Some(timeweft_graph::Value::text(text)))])
        };
        let events = [event(3, "short"), event(2, &long), event(1, &long), event(2, "short")];
        let found: Vec<Event> = sorted(&events, 1).into_iter().filter_map(|item| item.event).collect();
        assert!(found == [2, 1, 3, 0].map(|at: usize| events[at].clone()));
    }

    fn event_time(events: &[Event], line: u64) -> Time {
        events[line as usize - 1].time
    }
}
