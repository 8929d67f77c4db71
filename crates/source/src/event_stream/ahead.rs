//! Looking at lines before they are read.

use std::io::{self, BufRead, Read};

/// Bytes that may wait to be read.
const LONGEST: usize = 4 << 20;

/// A source whose next lines can be looked at. What was looked at waits here, so the source may be a pipe.
pub(crate) struct Ahead<R> {
    reader: R,
    waiting: Vec<u8>,
    /// Where the bytes start that are still to be read.
    start: usize,
    /// Where the lines start that were not looked at.
    unseen: usize,
    /// What ended the looking; the reader of what waits gets it.
    failure: Option<io::Error>,
    longest: usize,
}

impl<R: BufRead> Ahead<R> {
    pub(crate) fn new(reader: R) -> Ahead<R> {
        Ahead { reader, waiting: Vec::new(), start: 0, unseen: 0, failure: None, longest: LONGEST }
    }

    /// The next line that was neither read nor looked at; `None` at the end, and where 4 MiB wait. To be asked where a
    /// line was read to its end.
    pub(crate) fn look(&mut self) -> Option<&[u8]> {
        self.unseen = self.unseen.max(self.start);
        let mut searched = self.unseen;
        let (end, next) = loop {
            if let Some(at) = memchr::memchr(b'\n', &self.waiting[searched..]) {
                break (searched + at, searched + at + 1);
            }
            self.compact();
            searched = self.waiting.len();
            if !self.fill() {
                let is_last = self.waiting.len() - self.start < self.longest && self.failure.is_none();
                if !is_last || searched == self.unseen {
                    return None;
                }
                break (searched, searched);
            }
        };
        let line = self.unseen..end;
        self.unseen = next;
        Some(&self.waiting[line])
    }

    /// Drops what was read, if that is most of what is here.
    fn compact(&mut self) {
        if self.start > self.waiting.len() / 2 {
            self.waiting.drain(..self.start);
            self.unseen -= self.start;
            self.start = 0;
        }
    }

    /// Lets more bytes wait; `false` at the end, at a failure, and where enough wait.
    fn fill(&mut self) -> bool {
        if self.failure.is_some() || self.waiting.len() - self.start >= self.longest {
            return false;
        }
        loop {
            match self.reader.fill_buf() {
                Ok(bytes) => {
                    let amount = bytes.len();
                    self.waiting.extend_from_slice(bytes);
                    self.reader.consume(amount);
                    return amount > 0;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failure = Some(error);
                    return false;
                }
            }
        }
    }
}

impl<R: BufRead> Read for Ahead<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let amount = self.fill_buf()?.read(buffer)?;
        self.consume(amount);
        Ok(amount)
    }
}

impl<R: BufRead> BufRead for Ahead<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start < self.waiting.len() {
            return Ok(&self.waiting[self.start..]);
        }
        match self.failure.take() {
            Some(failure) => Err(failure),
            None => self.reader.fill_buf(),
        }
    }

    fn consume(&mut self, amount: usize) {
        if self.start == self.waiting.len() {
            return self.reader.consume(amount);
        }
        self.start += amount;
        if self.start == self.waiting.len() {
            self.waiting.clear();
            (self.start, self.unseen) = (0, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use proptest::prelude::*;

    use super::*;

    /// Fails at its end, once.
    struct Torn<'a>(&'a [u8], bool);

    impl Read for Torn<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() && !std::mem::replace(&mut self.1, true) {
                return Err(io::Error::other("torn"));
            }
            self.0.read(out)
        }
    }

    #[test]
    fn a_failure_that_was_looked_at_is_not_lost() {
        let mut ahead = Ahead::new(BufReader::with_capacity(3, Torn(b"abc\ndef\ngh", false)));
        while ahead.look().is_some() {}
        let read: Vec<String> =
            ahead.lines().take(3).map(|line| line.unwrap_or_else(|error| error.to_string())).collect();
        assert_eq!(read, ["abc", "def", "torn"]);
    }

    #[test]
    fn no_more_waits_than_the_bound() {
        let text = "ab\n".repeat(100);
        let mut ahead = Ahead { longest: 30, ..Ahead::new(BufReader::with_capacity(5, text.as_bytes())) };
        let mut seen = 0;
        while ahead.look().is_some() {
            seen += 1;
        }
        assert_eq!(seen, 10);
        assert!(matches!(ahead.read_line(&mut String::new()), Ok(3)));
        assert!(ahead.look() == Some(b"ab") && ahead.look().is_none());
        let mut ahead = Ahead { longest: 30, ..Ahead::new(BufReader::with_capacity(5, [b'x'; 99].as_slice())) };
        assert_eq!(ahead.look(), None);
    }

    proptest! {
        /// Reading and looking, in any order, give the lines in their order, all of them.
        #[test]
        fn all_lines_are_read_and_looked_at_in_order(
            lines in prop::collection::vec("[a-c]{0,5}", 0..20),
            looks in prop::collection::vec(0..3_usize, 20),
            (capacity, ends) in (1..9_usize, any::<bool>()),
        ) {
            let text = lines.join("\n") + if ends { "\n" } else { "" };
            let whole: Vec<&str> = text.lines().collect();
            let mut ahead = Ahead::new(BufReader::with_capacity(capacity, text.as_bytes()));
            let (mut read, mut seen) = (0, 0);
            for n in looks.into_iter().chain([0; 20]) {
                for _ in 0..n {
                    seen = seen.max(read);
                    let line = ahead.look().map(|line| String::from_utf8_lossy(line).into_owned());
                    prop_assert_eq!(line.as_deref(), whole.get(seen).copied());
                    seen += usize::from(line.is_some());
                }
                let mut line = String::new();
                prop_assert!(ahead.read_line(&mut line).is_ok());
                let expected = whole.get(read).copied();
                prop_assert_eq!(Some(line.trim_end_matches('\n')).filter(|_| !line.is_empty()), expected);
                read += usize::from(expected.is_some());
            }
        }
    }
}
