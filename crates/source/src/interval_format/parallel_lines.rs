//! Lines of text read on several threads, with results in the order of the file.
//!
//! A thread that is free takes the next chunk of whole lines, and parses it into packed rows; one thread sends the rows on in
//! order. At most a few chunks are under way, so memory does not grow with the file.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use timeweft_graph::threads::Crew;
use timeweft_graph::{Name, Reason, Sink, SpanRows};

use crate::SourceError;
use crate::limits::{LONGEST_NODE, long_line};
use crate::text::encoding;
use crate::text::encoding::utf8;

/// Bytes of a chunk, but for its last line.
const CHUNK: usize = 1 << 20;
/// More threads than this wait for the file and for the sink.
const MOST_THREADS: usize = 8;

/// Reads lines of one format.
pub(crate) trait LineReader {
    /// Reads a line that is not blank. Lines are independent of each other.
    fn read(&mut self, text: &str, line: u64, rows: &mut SpanRows) -> Result<(), Reason>;
}

/// Reads all lines into a sink. `reader` makes what reads the lines, once a thread.
pub(crate) fn read<R: Read + Send, L: LineReader>(
    input: R,
    file: &Name,
    reader: impl Fn() -> L + Sync,
    sink: &mut dyn Sink,
) -> Result<(), SourceError> {
    let wanted = thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    let mut chunks = Chunks::new(input, file);
    sink.file(file);
    let (results, done) = channel();
    let (free, buffers) = channel();
    let buffers = Mutex::new(buffers);
    thread::scope(|scope| {
        let mut crew = Crew::up_to(wanted, scope);
        let n_threads = crew.len();
        if n_threads == 0 {
            return read_here(&mut chunks, reader(), sink);
        }
        let chunks = Arc::new(Mutex::new(chunks));
        // The number of buffers bounds what is under way.
        (0..2 * n_threads).for_each(|_| _ = free.send(Buffer::default()));
        for _ in 0..n_threads {
            let (chunks, buffers, reader, results) = (chunks.clone(), &buffers, &reader, results.clone());
            crew.ahead(move || work(&chunks, buffers, reader(), &results));
        }
        // Both ends must be gone for the threads to end: the one after the file, the other after a failure.
        drop(results);
        let free = free;
        send_in_order(done, &free, sink)
    })
}

/// Reads all lines on the calling thread.
fn read_here<R: Read, L: LineReader>(
    chunks: &mut Chunks<R>,
    mut reader: L,
    sink: &mut dyn Sink,
) -> Result<(), SourceError> {
    let mut buffer = Buffer::default();
    while !sink.is_closed() && chunks.next(&mut buffer).map_err(|(_, failure)| failure)?.is_some() {
        parse(&mut buffer, &mut reader);
        buffer.rows.send(sink);
        buffer.rows.clear();
    }
    Ok(())
}

/// A chunk of lines and what was read of it.
#[derive(Default)]
struct Buffer {
    bytes: Vec<u8>,
    /// The byte that ends a line.
    end: u8,
    first_line: u64,
    rows: SpanRows,
}

/// A chunk with its position in the file.
type Numbered = (u64, Result<Buffer, SourceError>);

fn work<R: Read, L: LineReader>(
    chunks: &Mutex<Chunks<R>>,
    buffers: &Mutex<Receiver<Buffer>>,
    mut reader: L,
    results: &Sender<Numbered>,
) {
    loop {
        let buffer = buffers.lock().ok().and_then(|buffers| buffers.recv().ok());
        let Some(mut buffer) = buffer else { return };
        let next = match chunks.lock() {
            Ok(mut chunks) => chunks.next(&mut buffer),
            Err(_) => return,
        };
        let result = match next {
            Ok(None) => return,
            Ok(Some(number)) => {
                parse(&mut buffer, &mut reader);
                (number, Ok(buffer))
            }
            Err(failure) => (failure.0, Err(failure.1)),
        };
        if results.send(result).is_err() {
            return;
        }
    }
}

fn parse(buffer: &mut Buffer, reader: &mut impl LineReader) {
    let Buffer { bytes, end, first_line, rows } = buffer;
    let mut start = 0;
    let ends = memchr::memchr_iter(*end, bytes).chain((bytes.last() != Some(end)).then_some(bytes.len()));
    for (line, end) in (*first_line..).zip(ends) {
        let bytes = bytes.get(start..end).unwrap_or_default();
        start = end + 1;
        let mut bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        if line == 1 {
            bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        }
        if bytes.len() > LONGEST_NODE {
            rows.reject(line, Reason::Malformed(long_line(LONGEST_NODE)));
            continue;
        }
        let read = utf8(bytes).map_err(Reason::Malformed).and_then(|text| match text.trim().is_empty() {
            true => Ok(()),
            false => reader.read(text, line, rows),
        });
        if let Err(reason) = read {
            rows.reject(line, reason);
        }
    }
}

fn send_in_order(done: Receiver<Numbered>, free: &Sender<Buffer>, sink: &mut dyn Sink) -> Result<(), SourceError> {
    let mut waiting = BTreeMap::new();
    let mut next = 0;
    for (number, result) in done {
        waiting.insert(number, result);
        while let Some(result) = waiting.remove(&next) {
            let mut buffer = result?;
            buffer.rows.send(sink);
            buffer.rows.clear();
            // The threads end with the channels.
            if sink.is_closed() {
                return Ok(());
            }
            next += 1;
            // Without readers left it is not used again.
            let _ = free.send(buffer);
        }
    }
    Ok(())
}

/// The file, cut at ends of lines.
struct Chunks<R> {
    input: R,
    file: Name,
    /// Bytes after the last line end of the chunk before.
    rest: Vec<u8>,
    line: u64,
    number: u64,
    longest: usize,
    /// The byte that ends a line.
    end: u8,
    over: bool,
}

impl<R: Read> Chunks<R> {
    fn new(input: R, file: &Name) -> Chunks<R> {
        Chunks {
            input,
            file: file.clone(),
            rest: Vec::new(),
            line: 1,
            number: 0,
            longest: LONGEST_NODE,
            end: b'\n',
            over: false,
        }
    }

    /// Fills the buffer with the next lines and gives the number of the chunk; `None` at the end.
    fn next(&mut self, buffer: &mut Buffer) -> Result<Option<u64>, (u64, SourceError)> {
        buffer.bytes.clear();
        buffer.bytes.append(&mut self.rest);
        buffer.first_line = self.line;
        let mut wanted = CHUNK;
        while !self.over {
            self.fill(&mut buffer.bytes, wanted).map_err(|error| (self.number, error))?;
            if self.number == 0 {
                self.end = encoding::look(&buffer.bytes, &self.file).map_err(|error| (0, error))?;
            }
            if let Some(end) = memchr::memrchr(self.end, &buffer.bytes) {
                if !self.over {
                    self.rest.extend_from_slice(&buffer.bytes[end + 1..]);
                    buffer.bytes.truncate(end + 1);
                }
                break;
            }
            wanted = buffer.bytes.len() * 2;
            if buffer.bytes.len() > self.longest {
                self.skip_line(buffer).map_err(|error| (self.number, error))?;
                break;
            }
        }
        if buffer.bytes.is_empty() && buffer.rows.is_empty() {
            return Ok(None);
        }
        self.line += memchr::memchr_iter(self.end, &buffer.bytes).count() as u64;
        buffer.end = self.end;
        self.number += 1;
        Ok(Some(self.number - 1))
    }

    /// Reads until there are `wanted` bytes or the file is over.
    fn fill(&mut self, bytes: &mut Vec<u8>, wanted: usize) -> Result<(), SourceError> {
        let missing = wanted.saturating_sub(bytes.len());
        let amount = (&mut self.input).take(missing as u64).read_to_end(bytes);
        // Nothing is read after a failure.
        self.over = amount.as_ref().map_or(true, |amount| *amount < missing);
        amount.map(|_| ()).map_err(|cause| {
            let line = self.line + memchr::memchr_iter(self.end, bytes).count() as u64;
            SourceError::Read { file: self.file.clone(), line, cause }
        })
    }

    /// Refuses a line that is too long; what follows it is the rest.
    fn skip_line(&mut self, buffer: &mut Buffer) -> Result<(), SourceError> {
        let problem = long_line(self.longest);
        buffer.rows.reject(self.line, Reason::Malformed(problem));
        buffer.bytes.clear();
        while !self.over {
            self.fill(&mut buffer.bytes, CHUNK)?;
            let end = memchr::memchr(self.end, &buffer.bytes);
            if let Some(end) = end {
                self.rest.extend_from_slice(&buffer.bytes[end + 1..]);
                self.line += 1;
            }
            buffer.bytes.clear();
            if end.is_some() {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use timeweft_graph::Record;

    use super::*;

    /// Refuses every line with its length.
    struct Lengths;

    impl LineReader for Lengths {
        fn read(&mut self, text: &str, _: u64, _: &mut SpanRows) -> Result<(), Reason> {
            Err(Reason::Malformed(text.len().to_string()))
        }
    }

    const LONG: &str = "the line is longer than 2 MiB, and no more is held at once: look for ends of lines that are missing, or split it";

    #[test]
    fn a_line_that_is_too_long_is_refused_and_the_next_one_read() {
        let long = "x".repeat(5 << 20);
        for (text, expected) in [
            (format!("ab\n{long}\nabc\n\nabcd"), vec![(1, "2"), (2, LONG), (3, "3"), (5, "4")]),
            (format!("{long}\n"), vec![(1, LONG)]),
            (format!("a\n{long}"), vec![(1, "1"), (2, LONG)]),
        ] {
            let mut chunks = Chunks { longest: 2 << 20, ..Chunks::new(text.as_bytes(), &"f".into()) };
            let mut told = Vec::new();
            let mut buffer = Buffer::default();
            while chunks.next(&mut buffer).map_err(|(_, error)| error.to_string()).unwrap_or_default().is_some() {
                parse(&mut buffer, &mut Lengths);
                let rejects = buffer.rows.iter().filter_map(|row| match row {
                    (Record::Reject(reason), line) => Some((line, reason.to_string())),
                    _ => None,
                });
                told.extend(rejects);
                buffer.rows.clear();
            }
            let expected: Vec<_> = expected.into_iter().map(|(line, text)| (line, text.to_owned())).collect();
            assert_eq!(told, expected);
        }
    }
}
