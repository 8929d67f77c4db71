//! Chunks of listed records into record batches, as the creates that they are, without making events of them.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int32Array, Int64Array, ListArray, RecordBatch, StringArray};
use arrow_buffer::NullBufferBuilder;
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::DataType;
use rustc_hash::{FxHashMap, FxHashSet};
use timeweft_graph::rows::{IdRef, RowRef, Rows};
use timeweft_graph::{Event, FeatureId, FeatureKind, Schema, Time, Value, ValueBytes};

use super::dictionary::Dictionary;
use super::encode::{Encoder, plain_column};
use super::layout::{Column, Owner, item};
use super::{CodecError, numbers};

/// Values of one column: the row of the batch and the bytes.
pub(super) type Cells<'a> = Vec<(usize, &'a [u8])>;

impl Encoder {
    /// These records of a chunk as creates; `None` if this segment has not all columns and names.
    pub(crate) fn encode_rows(
        &self,
        rows: &Rows,
        created: &[u32],
        schema: &Schema,
        time: Time,
    ) -> Result<Option<RecordBatch>, CodecError> {
        let created: Vec<RowRef<'_>> = created.iter().map(|&row| rows.get(row as usize)).collect();
        let columns = self.row_columns(rows.edges, &created, schema, time);
        let Some((mut columns, cells)) = columns.zip(self.row_cells(&created, schema)) else { return Ok(None) };
        for (position, cells) in cells.iter().enumerate() {
            match self.categories.get(&position) {
                Some(dictionary) => match category_column(dictionary, cells, created.len()) {
                    Some(column) => columns.push(column),
                    None => return Ok(None),
                },
                None => columns.push(value_column(&self.layout.columns[position], cells, created.len())?),
            }
        }
        Ok(Some(RecordBatch::try_new(self.layout.schema.clone(), columns)?))
    }

    fn row_columns(&self, edges: bool, rows: &[RowRef<'_>], schema: &Schema, time: Time) -> Option<Vec<ArrayRef>> {
        let n = rows.len();
        let mut columns = vec![
            Arc::new(Int64Array::from_value(time.0, n)) as ArrayRef,
            self.actions.numbered(std::iter::repeat_n(0, n))?,
        ];
        columns.extend(self.element_columns(edges, rows, schema)?);
        columns.push(no_ends(n)?);
        Some(columns)
    }

    /// The columns that say which nodes, or edges, these are.
    pub(super) fn element_columns(&self, edges: bool, rows: &[RowRef<'_>], schema: &Schema) -> Option<Vec<ArrayRef>> {
        let n = rows.len();
        let node_type = |id| self.node_types.number(&schema.node_type_name(id));
        let types = Types::new(schema, edges, node_type, |name| self.relations.number(name));
        let nothing = || -> ArrayRef { Arc::new(StringArray::new_null(n)) };
        let of = |part: fn(&[i32; 3]) -> i32| -> Option<Int32Array> {
            rows.iter().map(|row| types.get(*row).map(|types| Some(part(types)))).collect()
        };
        let (relations, destinations) = match edges {
            true => (of(|types| types[1])?, of(|types| types[2])?),
            false => (Int32Array::new_null(n), Int32Array::new_null(n)),
        };
        let destination_ids = if edges { ids(rows.iter().map(|row| row.destination()))? } else { nothing() };
        let keys = if edges { Arc::new(rows.iter().map(|row| row.key()).collect::<StringArray>()) } else { nothing() };
        Some(vec![
            self.entities.numbered(std::iter::repeat_n(i32::from(edges), n))?,
            self.node_types.keyed(of(|types| types[0])?)?,
            ids(rows.iter().map(|row| row.id()))?,
            self.relations.keyed(relations)?,
            self.node_types.keyed(destinations)?,
            destination_ids,
            keys,
        ])
    }

    fn row_cells<'a>(&self, rows: &[RowRef<'a>], schema: &Schema) -> Option<Vec<Cells<'a>>> {
        let mut columns = ElementColumns::new(self, schema);
        for (at, row) in rows.iter().enumerate() {
            row.features().try_for_each(|(feature, bytes)| columns.add(at, *row, feature, bytes))?;
        }
        Some(columns.cells)
    }

    fn place_of(&self, row: RowRef<'_>, feature: FeatureId, schema: &Schema) -> Option<usize> {
        let owner = Owner::named(row.owner(), schema)?;
        let name = &schema.features(row.owner()).get(feature.at())?.name;
        self.layout.places(&owner)?.get(name).copied()
    }
}

/// Values on their way into the columns of their features.
pub(super) struct ElementColumns<'a, 'e> {
    encoder: &'e Encoder,
    schema: &'e Schema,
    /// By column.
    pub(super) cells: Vec<Cells<'a>>,
    places: FxHashMap<(u16, FeatureId), usize>,
    /// The place of the value before, which often is that of the next.
    last: Option<((u16, FeatureId), usize)>,
}

impl<'a, 'e> ElementColumns<'a, 'e> {
    pub(super) fn new(encoder: &'e Encoder, schema: &'e Schema) -> ElementColumns<'a, 'e> {
        let cells = vec![Vec::new(); encoder.layout.columns.len()];
        ElementColumns { encoder, schema, cells, places: FxHashMap::default(), last: None }
    }

    /// Adds the value of a feature in a row of the batch; `None` if there is no column for it.
    pub(super) fn add(&mut self, at: usize, row: RowRef<'_>, feature: FeatureId, bytes: &'a [u8]) -> Option<()> {
        let key = (row.node_type().0, feature);
        let place = match self.last {
            Some((last, place)) if last == key => place,
            _ => match self.places.get(&key) {
                Some(&place) => place,
                None => {
                    let place = self.encoder.place_of(row, feature, self.schema)?;
                    self.places.insert(key, place);
                    place
                }
            },
        };
        self.last = Some((key, place));
        self.cells.get_mut(place)?.push((at, bytes));
        Some(())
    }
}

/// Numbers in the dictionaries of source type, relation and destination type, by the number of the node or edge type.
struct Types(Vec<Option<[i32; 3]>>);

impl Types {
    fn new(
        schema: &Schema,
        edges: bool,
        node_type: impl Fn(timeweft_graph::NodeTypeId) -> Option<i32>,
        relation: impl Fn(&str) -> Option<i32>,
    ) -> Types {
        let of_edge = |edge: &timeweft_graph::EdgeType| {
            Some([node_type(edge.source)?, relation(&edge.relation)?, node_type(edge.destination)?])
        };
        let node_types = (0..schema.node_types().len() as u16).map(timeweft_graph::NodeTypeId);
        Types(match edges {
            true => schema.edge_types().iter().map(of_edge).collect(),
            false => node_types.map(|id| Some([node_type(id)?, 0, 0])).collect(),
        })
    }

    fn get(&self, row: RowRef<'_>) -> Option<&[i32; 3]> {
        self.0.get(row.node_type().at())?.as_ref()
    }
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

fn ids<'a>(ids: impl ExactSizeIterator<Item = IdRef<'a>>) -> Option<ArrayRef> {
    let mut texts = Texts::new(ids.len(), ids.len() * 8);
    for id in ids {
        match id {
            IdRef::Text(text) => texts.bytes.extend_from_slice(text.as_bytes()),
            IdRef::Int(number) => push_decimal(number, &mut texts.bytes),
        }
        texts.end_row(true)?;
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

/// A create ends no value.
pub(super) fn no_ends(n: usize) -> Option<ArrayRef> {
    let offsets = OffsetBuffer::from_lengths(std::iter::repeat_n(0, n));
    let valid = NullBuffer::new_null(n);
    let values = Arc::new(StringArray::new_null(0));
    Some(Arc::new(ListArray::try_new(item(DataType::Utf8), offsets, values, Some(valid)).ok()?))
}

fn category_column(dictionary: &Dictionary, cells: &Cells<'_>, n_rows: usize) -> Option<ArrayRef> {
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

/// The column of a feature.
pub(super) fn value_column(column: &Column, cells: &Cells<'_>, n_rows: usize) -> Result<ArrayRef, CodecError> {
    flat_column(column, cells, n_rows).map_or_else(|| any_column(column, cells, n_rows), Ok)
}

/// A column whose values are written as they lie in memory.
fn flat_column(column: &Column, cells: &Cells<'_>, n_rows: usize) -> Option<ArrayRef> {
    match column.kind {
        FeatureKind::Text | FeatureKind::Category | FeatureKind::Json => {
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
        FeatureKind::Dense { dtype, scalar: true } => {
            let numbers: Option<Vec<_>> =
                cells.iter().map(|&(row, bytes)| Some((row, ValueBytes(bytes).scalar(dtype)?))).collect();
            numbers::scalars_le(dtype, n_rows, numbers?.into_iter())
        }
        // A column of another kind without a value holds nothing.
        _ if cells.is_empty() => Some(arrow_array::new_null_array(&super::layout::data_type(column), n_rows)),
        _ => None,
    }
}

/// A column of a kind that is written from values in memory.
fn any_column(column: &Column, cells: &Cells<'_>, n_rows: usize) -> Result<ArrayRef, CodecError> {
    let wrong = || CodecError::Kind(column.feature.to_string());
    let values = cells.iter().map(|(row, bytes)| Some((*row, Value::decode(bytes)?)));
    let values: Vec<(usize, Value)> = values.collect::<Option<_>>().ok_or_else(wrong)?;
    if values.iter().any(|(_, value)| FeatureKind::of(value) != column.kind) {
        return Err(wrong());
    }
    let cells: Vec<(usize, &Value)> = values.iter().map(|(row, value)| (*row, value)).collect();
    plain_column(column, &cells, n_rows).ok_or_else(wrong)
}

/// The creates of a chunk that bring a type, a feature or a category which none before them brings: what a segment must
/// have columns and names for.
pub(crate) fn news(rows: &Rows, created: &[u32], schema: &Schema, time: Time) -> Vec<Event> {
    let (mut owners, mut features, mut categories) = (FxHashSet::default(), FxHashSet::default(), FxHashSet::default());
    let mut news = Vec::new();
    for row in created.iter().map(|&row| rows.get(row as usize)) {
        let owner = row.owner();
        let defs = schema.features(owner);
        let mut is_new = owners.insert(owner);
        for (feature, bytes) in row.features() {
            is_new |= features.insert((owner, feature));
            let is_category = defs.get(feature.at()).is_some_and(|def| def.kind == FeatureKind::Category);
            is_new |= is_category && categories.insert((owner, feature, bytes));
        }
        if is_new {
            news.push(row.to_event(schema, time));
        }
    }
    news
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray;

    use super::*;

    #[test]
    fn ids_are_written_as_their_texts() {
        let numbers = [0, 7, 10, 99, 100, 4_294_967_295, 10_000_000_000_000_000_000, u64::MAX];
        let column = ids(numbers
            .iter()
            .map(|number| IdRef::Int(*number))
            .chain([IdRef::Text("é")])
            .collect::<Vec<_>>()
            .into_iter());
        let expected: Vec<String> = numbers.iter().map(u64::to_string).chain(["é".to_owned()]).collect();
        let column = column.expect("all of them are texts");
        assert_eq!(column.as_string::<i32>().iter().flatten().collect::<Vec<_>>(), expected);
    }
}
