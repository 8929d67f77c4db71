//! Values of features, ids and texts as columns.

use std::sync::Arc;

use arrow_array::{ArrayRef, BinaryArray, Int32Array, Int64Array, ListArray, StringArray, StructArray};
use arrow_buffer::{Buffer, NullBuffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use arrow_schema::DataType;
use timeweft_graph::{DType, FeatureKind, IdRef, ValueBytes};

use super::dictionary::Dictionary;
use super::layout::{Column, item, sparse_fields};
use super::{CodecError, numbers};

/// Values of one column: the row of the batch and the bytes.
pub(super) type Cells<'a> = Vec<(usize, &'a [u8])>;

/// The column of a feature.
pub(super) fn value_column(column: &Column, cells: &Cells<'_>, n_rows: usize) -> Result<ArrayRef, CodecError> {
    let wrong = || CodecError::Kind(column.feature.to_string());
    if cells.iter().any(|(_, bytes)| ValueBytes(bytes).kind() != Some(column.kind)) {
        return Err(wrong());
    }
    let array = match column.kind {
        // A column without a value holds nothing.
        _ if cells.is_empty() => Some(arrow_array::new_null_array(&super::layout::data_type(column), n_rows)),
        FeatureKind::Text | FeatureKind::Category | FeatureKind::Json => text_column(cells, n_rows),
        FeatureKind::Dense { dtype, scalar: true } => {
            let numbers: Option<Vec<_>> =
                cells.iter().map(|&(row, bytes)| Some((row, ValueBytes(bytes).scalar(dtype)?))).collect();
            numbers.and_then(|numbers| numbers::scalars(dtype, n_rows, numbers.into_iter()))
        }
        FeatureKind::Dense { dtype, scalar: false } => list_column(dtype, cells, n_rows),
        FeatureKind::Sparse { dtype, .. } => sparse_column(dtype, cells, n_rows),
        FeatureKind::Bytes => spread(cells, n_rows, ValueBytes::flat).map(|values| {
            let values: BinaryArray = values.into_iter().collect();
            Arc::new(values) as ArrayRef
        }),
    };
    array.ok_or_else(wrong)
}

/// One optional part of a value a row; `None` if a value has it not.
fn spread<'a, T: Clone>(
    cells: &Cells<'a>,
    n_rows: usize,
    part: impl Fn(ValueBytes<'a>) -> Option<T>,
) -> Option<Vec<Option<T>>> {
    let mut parts = vec![None; n_rows];
    for &(row, bytes) in cells {
        *parts.get_mut(row)? = Some(part(ValueBytes(bytes))?);
    }
    Some(parts)
}

/// A column of categories by their numbers in a dictionary; `None` if one of them is not there.
pub(super) fn category_column(dictionary: &Dictionary, cells: &Cells<'_>, n_rows: usize) -> Option<ArrayRef> {
    let mut keys = vec![None; n_rows];
    let mut last: Option<(&[u8], i32)> = None;
    for &(row, bytes) in cells {
        let number = match last {
            Some((known, number)) if known == bytes => number,
            _ => dictionary.number(ValueBytes(bytes).text()?)?,
        };
        last = Some((bytes, number));
        *keys.get_mut(row)? = Some(number);
    }
    dictionary.keyed(Int32Array::from(keys))
}

fn text_column(cells: &Cells<'_>, n_rows: usize) -> Option<ArrayRef> {
    let size = cells.iter().map(|(_, bytes)| bytes.len()).sum();
    let mut texts = Texts::new(n_rows, size);
    let mut next = cells.iter().peekable();
    for row in 0..n_rows {
        let cell = next.next_if(|(at, _)| *at == row);
        if let Some((_, bytes)) = cell {
            texts.bytes.extend_from_slice(ValueBytes(bytes).text_bytes()?);
        }
        texts.end_row(cell.is_some())?;
    }
    texts.finish()
}

fn list_column(dtype: DType, cells: &Cells<'_>, n_rows: usize) -> Option<ArrayRef> {
    let lists = spread(cells, n_rows, |value| value.elements(dtype))?;
    let values = numbers::concatenated(dtype, lists.iter().flatten().copied())?;
    let (lengths, valid) = lengths(&lists, dtype.size());
    Some(Arc::new(ListArray::try_new(item(numbers::data_type(dtype)), lengths, values, Some(valid)).ok()?))
}

/// Offsets of lists, of which rows without a value are empty, and which rows have one.
fn lengths(lists: &[Option<&[u8]>], size: usize) -> (OffsetBuffer<i32>, NullBuffer) {
    let lengths = lists.iter().map(|list| list.map_or(0, |list| list.len() / size));
    (OffsetBuffer::from_lengths(lengths), lists.iter().map(Option::is_some).collect())
}

fn sparse_column(dtype: DType, cells: &Cells<'_>, n_rows: usize) -> Option<ArrayRef> {
    let points = spread(cells, n_rows, |value| value.sparse(dtype))?;
    let elements: Vec<Option<&[u8]>> = points.iter().map(|point| point.map(|point| point.values)).collect();
    let coordinates: Vec<Option<&[u8]>> =
        points.iter().map(|point| point.map(|point| point.coordinates.as_flattened())).collect();
    let of_all = points.iter().flatten().flat_map(|point| point.coordinates);
    let all: Int64Array = of_all.map(|number| i64::from_le_bytes(*number)).collect::<Vec<_>>().into();
    let list = |data_type, lists: &[Option<&[u8]>], size, values| {
        let (lengths, _) = lengths(lists, size);
        ListArray::try_new(item(data_type), lengths, values, None).ok()
    };
    let (_, valid) = lengths(&elements, dtype.size());
    let values = numbers::concatenated(dtype, elements.iter().flatten().copied())?;
    let children: Vec<ArrayRef> = vec![
        Arc::new(list(DataType::Int64, &coordinates, 8, Arc::new(all))?),
        Arc::new(list(numbers::data_type(dtype), &elements, dtype.size(), values)?),
    ];
    Some(Arc::new(StructArray::try_new(sparse_fields(dtype), children, Some(valid)).ok()?))
}

/// Texts on their way into a column. That they are texts is looked at once for the column and not for each.
struct Texts {
    ends: Vec<i32>,
    bytes: Vec<u8>,
    valid: NullBufferBuilder,
}

impl Texts {
    fn new(n: usize, size: usize) -> Texts {
        let mut ends = Vec::with_capacity(n + 1);
        ends.push(0);
        Texts { ends, bytes: Vec::with_capacity(size), valid: NullBufferBuilder::new(n) }
    }

    /// Ends the text of a row after its bytes, or a row without one.
    fn end_row(&mut self, is_there: bool) -> Option<()> {
        self.ends.push(i32::try_from(self.bytes.len()).ok()?);
        self.valid.append(is_there);
        Some(())
    }

    fn finish(mut self) -> Option<ArrayRef> {
        let ends = OffsetBuffer::new(ScalarBuffer::from(self.ends));
        let column = StringArray::try_new(ends, Buffer::from_vec(self.bytes), self.valid.finish());
        Some(Arc::new(column.ok()?))
    }
}

/// Ids as their texts.
pub(super) fn ids<'a>(ids: impl ExactSizeIterator<Item = Option<IdRef<'a>>>) -> Option<ArrayRef> {
    let mut texts = Texts::new(ids.len(), ids.len() * 8);
    for id in ids {
        match id {
            Some(IdRef::Text(text)) => texts.bytes.extend_from_slice(text.as_bytes()),
            Some(IdRef::Int(number)) => push_decimal(number, &mut texts.bytes),
            None => {}
        }
        texts.end_row(id.is_some())?;
    }
    texts.finish()
}

fn push_decimal(mut number: u64, out: &mut Vec<u8>) {
    let mut digits = [b'0'; 20];
    let mut start = digits.len() - 1;
    digits[start] += (number % 10) as u8;
    while number >= 10 {
        number /= 10;
        start -= 1;
        digits[start] += (number % 10) as u8;
    }
    out.extend_from_slice(&digits[start..]);
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray;

    use super::*;

    #[test]
    fn ids_are_written_as_their_texts() {
        let numbers = [0, 7, 10, 99, 100, 4_294_967_295, 10_000_000_000_000_000_000, u64::MAX];
        let numbered = numbers.iter().map(|number| IdRef::Int(*number));
        let all: Vec<Option<IdRef<'_>>> = numbered.chain([IdRef::Text("é")]).map(Some).collect();
        let column = ids(all.into_iter()).expect("all of them are texts");
        let expected: Vec<String> = numbers.iter().map(u64::to_string).chain(["é".to_owned()]).collect();
        assert_eq!(column.as_string::<i32>().iter().flatten().collect::<Vec<_>>(), expected);
    }
}
