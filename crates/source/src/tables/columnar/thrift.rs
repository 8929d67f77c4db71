//! What a Parquet file says of lengths, looked at before the library makes room for it: its descriptions are in Thrift's
//! compact form, where a few bytes can claim a list of two thousand million parts.

/// How deep descriptions lie in each other.
const DEEPEST: usize = 32;

/// What a description of a page says.
#[derive(Clone, Copy, Default)]
pub(super) struct Page {
    /// Bytes of the page, unpacked.
    pub(super) size: u64,
    /// Values in it, with those that are null.
    pub(super) n_values: u64,
    /// Whether others refer to these values.
    pub(super) is_dictionary: bool,
}

/// Looks at a description as far as it is there. No length in it may be larger than `room`.
pub(super) fn page(bytes: &[u8], room: u64) -> Result<Page, String> {
    let mut walk = Walk { bytes, room, page: Page::default() };
    match walk.fields(0, Outer::Top) {
        Err(Stop::Wrong(length)) => Err(format!("a length of {length} is larger than the file")),
        Err(Stop::End) | Ok(()) => Ok(walk.page),
    }
}

/// Why a walk ends.
enum Stop {
    /// There are no more bytes: the library tells whether that is wrong.
    End,
    Wrong(u64),
}

/// In what a field lies.
#[derive(Clone, Copy, PartialEq)]
enum Outer {
    Top,
    /// The part of a page's description that is of its kind.
    Kind,
    Other,
}

struct Walk<'a> {
    bytes: &'a [u8],
    room: u64,
    page: Page,
}

impl Walk<'_> {
    fn byte(&mut self) -> Result<u8, Stop> {
        let (first, rest) = self.bytes.split_first().ok_or(Stop::End)?;
        self.bytes = rest;
        Ok(*first)
    }

    fn number(&mut self) -> Result<u64, Stop> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Stop::Wrong(u64::MAX))
    }

    fn length(&mut self) -> Result<u64, Stop> {
        let length = self.number()?;
        if length > self.room { Err(Stop::Wrong(length)) } else { Ok(length) }
    }

    fn skip(&mut self, n: u64) -> Result<(), Stop> {
        let n = usize::try_from(n).ok().filter(|n| *n <= self.bytes.len()).ok_or(Stop::End)?;
        self.bytes = &self.bytes[n..];
        Ok(())
    }

    fn fields(&mut self, depth: usize, outer: Outer) -> Result<(), Stop> {
        if depth > DEEPEST {
            return Err(Stop::End);
        }
        let mut field = 0;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Ok(());
            }
            field = match head >> 4 {
                0 => (self.number()? >> 1) as i64,
                more => field + i64::from(more),
            };
            match (head & 0x0f, outer, field) {
                // Truth values have no bytes of their own here.
                (1 | 2, ..) => {}
                (5, Outer::Top, 2) => self.page.size = self.number()? >> 1,
                (5, Outer::Kind, 1) => self.page.n_values = self.number()? >> 1,
                (12, Outer::Top, 5 | 8) => self.fields(depth + 1, Outer::Kind)?,
                (12, Outer::Top, 7) => {
                    self.page.is_dictionary = true;
                    self.fields(depth + 1, Outer::Other)?;
                }
                (kind, ..) => self.value(kind, depth)?,
            }
        }
    }

    fn value(&mut self, kind: u8, depth: usize) -> Result<(), Stop> {
        match kind {
            1..=3 => self.skip(1),
            4..=6 => self.number().map(|_| ()),
            7 => self.skip(8),
            8 => {
                let length = self.length()?;
                self.skip(length)
            }
            9 | 10 => {
                let head = self.byte()?;
                let n = if head >> 4 == 15 { self.length()? } else { u64::from(head >> 4) };
                (0..n).try_for_each(|_| self.value(head & 0x0f, depth))
            }
            11 => {
                let n = self.length()?;
                let kinds = if n == 0 { 0 } else { self.byte()? };
                (0..n).try_for_each(|_| self.value(kinds >> 4, depth).and_then(|()| self.value(kinds & 0x0f, depth)))
            }
            12 => self.fields(depth + 1, Outer::Other),
            // The library tells what this is.
            _ => Err(Stop::End),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The head of a data page of 4 values and 100 bytes, then the beginning of its own part.
    const PAGE: &[u8] = &[0x15, 0, 0x15, 0xc8, 0x01, 0x15, 0x20, 0x2c, 0x15, 8, 0x15, 0, 0, 0];

    #[test]
    fn the_size_and_the_values_of_a_page_are_told() {
        let page = page(PAGE, 1000).unwrap_or_default();
        assert_eq!((page.size, page.n_values), (100, 4));
    }

    #[test]
    fn lengths_that_the_file_cannot_hold_are_refused() {
        // A list of 2^31 structures, and a text of as many bytes.
        for kind in [0x19, 0x18] {
            let list =
                [&[kind][..], if kind == 0x19 { &[0xfc] } else { &[] }, &[0x80, 0x80, 0x80, 0x80, 0x08]].concat();
            assert!(page(&list, 1 << 20).is_err_and(|problem| problem.contains("2147483648")), "{kind}");
            assert!(page(&list, 1 << 40).is_ok());
        }
        // Structures without end are no reason to go on without end.
        assert!(page(&[0x1c; 1000], 10).is_ok());
    }
}
