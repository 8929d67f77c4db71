//! Values of features, one after the other.

use std::collections::BTreeMap;
use std::ops::Range;

use timeweft_graph::{DType, Reason, ValueRef};

use super::feature_types::FeatureType;
use super::stream::Stream;
use crate::SourceError;
use crate::interval_format::draft::{Draft, GivenTimes};
use crate::interval_format::form::Form;

/// The features of the nodes, or of the edges, of a part.
pub(super) struct Values {
    index: Stream,
    data: Stream,
    /// Entry and byte at which the next value begins.
    entry: u64,
    byte: u64,
    bytes: Vec<u8>,
    coordinates: Vec<i64>,
}

impl Values {
    pub(super) fn new(mut index: Stream, data: Stream) -> Result<Values, SourceError> {
        let byte = index.u64()?;
        if byte != 0 {
            return Err(index.broken(format!("the first value begins at byte {byte}, not at 0")));
        }
        Ok(Values { index, data, entry: 0, byte, bytes: Vec::new(), coordinates: Vec::new() })
    }

    /// Reads the values of the next record. The inner error refuses the record and loses no value of the next.
    pub(super) fn read(
        &mut self,
        entries: Range<u64>,
        types: &BTreeMap<u32, FeatureType>,
        draft: &mut Draft,
    ) -> Result<Result<(), Reason>, SourceError> {
        if entries.start != self.entry {
            let (found, expected) = (entries.start, self.entry);
            return Err(self
                .index
                .broken(format!("a record begins at entry {found}, but the one before ends at {expected}")));
        }
        let mut result = Ok(());
        for (number, _) in (0..).zip(entries) {
            let end = self.index.u64()?;
            let length = end.checked_sub(self.byte).ok_or_else(|| {
                self.index.broken(format!("a value ends at byte {end}, before it begins at {}", self.byte))
            })?;
            self.data.bytes(length, &mut self.bytes)?;
            (self.byte, self.entry) = (end, self.entry + 1);
            if length == 0 || result.is_err() {
                continue;
            }
            let of = types.get(&number).copied().unwrap_or(FeatureType::BYTES);
            draft.begin();
            result = add(number, of, &self.bytes, &mut self.coordinates, draft)
                .map_err(|problem| Reason::Malformed(format!("feature {number}: {problem}")));
        }
        Ok(result)
    }

    pub(super) fn finish(self) -> Result<(), SourceError> {
        self.index.finish()?;
        self.data.finish()
    }
}

fn add(
    number: u32,
    of: FeatureType,
    bytes: &[u8],
    coordinates: &mut Vec<i64>,
    draft: &mut Draft,
) -> Result<(), String> {
    if !of.is_temporal {
        draft.add(number, GivenTimes::default(), value(of.form, bytes, coordinates)?);
        return Ok(());
    }
    let table = Table::of(bytes)
        .ok_or_else(|| format!("its {} bytes do not begin with a table of times: is it `temporal`?", bytes.len()))?;
    for at in 0..table.n {
        let (created, span) = table.value(at).ok_or("its table of times names bytes that are not there")?;
        // An empty value ends the one before: a value lasts until the next one.
        let times = GivenTimes { created: Some(created), removed: Some(table.next(at).unwrap_or(-1)) };
        draft.add(number, times, value(of.form, span, coordinates)?);
    }
    Ok(())
}

/// The table at the start of a temporal feature: i32 n, n times, n + 1 first bytes.
struct Table<'a> {
    bytes: &'a [u8],
    n: usize,
}

impl<'a> Table<'a> {
    fn of(bytes: &'a [u8]) -> Option<Table<'a>> {
        let n = i32::from_le_bytes(*bytes.first_chunk()?);
        let table = Table { bytes, n: usize::try_from(n).ok().filter(|n| *n > 0)? };
        let head = 4 + 8 * (2 * table.n as i64 + 1);
        (table.number(table.n)? == head).then_some(table)
    }

    /// The times first, then the first bytes.
    fn number(&self, at: usize) -> Option<i64> {
        let bytes = self.bytes.get(4 + 8 * at..)?;
        Some(i64::from_le_bytes(*bytes.first_chunk()?))
    }

    /// When a value begins, and its bytes.
    fn value(&self, at: usize) -> Option<(i64, &'a [u8])> {
        let first_byte = |at| usize::try_from(self.number(self.n + at)?).ok();
        Some((self.number(at)?, self.bytes.get(first_byte(at)?..first_byte(at + 1)?)?))
    }

    /// When the next value begins.
    fn next(&self, at: usize) -> Option<i64> {
        (at + 1 < self.n).then(|| self.number(at + 1))?
    }
}

/// The value that bytes hold; `None` of no bytes.
fn value<'a>(form: Form, bytes: &'a [u8], coordinates: &'a mut Vec<i64>) -> Result<Option<ValueRef<'a>>, String> {
    if bytes.is_empty() {
        return Ok(None);
    }
    Ok(Some(match form {
        Form::Bytes => ValueRef::Bytes(bytes),
        Form::Dense(dtype) => ValueRef::Dense { dtype, elements: whole(dtype, bytes, bytes.len())? },
        Form::Sparse(dtype) => sparse(dtype, bytes, coordinates)?,
    }))
}

fn whole(dtype: DType, elements: &[u8], all: usize) -> Result<&[u8], String> {
    if elements.len().is_multiple_of(dtype.size()) {
        return Ok(elements);
    }
    Err(format!("its {all} bytes are no values of type {}: name another type", dtype.name()))
}

fn sparse<'a>(dtype: DType, bytes: &'a [u8], coordinates: &'a mut Vec<i64>) -> Result<ValueRef<'a>, String> {
    let no = || format!("its {} bytes are no sparse values of type {}: name another type", bytes.len(), dtype.name());
    let number = |at: usize| Some(u32::from_le_bytes(*bytes.get(4 * at..)?.first_chunk()?));
    let (count, rank) = number(0).zip(number(1)).ok_or_else(no)?;
    let n_bytes = 8 * usize::try_from(count).map_err(|_| no())?;
    let (found, elements) = bytes.get(8..).and_then(|rest| rest.split_at_checked(n_bytes)).ok_or_else(no)?;
    let elements = whole(dtype, elements, bytes.len())?;
    let n_values = u32::try_from(elements.len() / dtype.size()).map_err(|_| no())?;
    // A single point is kept as a flat list of its coordinates.
    let rank = if n_values == 1 { count } else { rank };
    if u64::from(n_values) * u64::from(rank) != u64::from(count) {
        return Err(no());
    }
    coordinates.clear();
    coordinates.extend(found.as_chunks().0.iter().map(|number| i64::from_le_bytes(*number)));
    Ok(ValueRef::Sparse { dtype, rank, coordinates, elements })
}
