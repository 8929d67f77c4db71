//! Rows as record batches of one schema, and columns on the way to them.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray, UInt32Array, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use timeweft::export::table_writer::{CellKind, RowBatches, time_array};
use timeweft::read::{IdRef, Index, NodeIndex, NodeTypeId};
use timeweft::{Time, TimeUnit, View};

use crate::Result;

/// Rows of a batch, at most: enough for columns to be long, and few enough for a batch to be small.
pub const BATCH_ROWS: usize = 1 << 16;

/// An answer by columns.
///
/// ```
/// use timeweft::{At, Graph, TimeUnit};
/// use timeweft_arrow::Selected;
/// # let dir = tempfile::tempdir()?;
/// # let events = dir.path().join("mail.csv");
/// # std::fs::write(&events, "src,dst,time\n1,2,5\n1,3,8\n")?;
/// # let mut graph = Graph::create(dir.path().join("mail"), TimeUnit::Step)?;
/// # graph.load(&events).run()?;
/// let nodes = timeweft_arrow::nodes(&graph.view(), At::now(), None, &Selected::None)?;
/// assert_eq!(nodes.n_rows(), 3);
/// assert_eq!(nodes.schema.field(0).name(), "node");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Table {
    /// Names and types of the columns.
    pub schema: SchemaRef,
    /// The rows; no batch is empty.
    pub batches: Vec<RecordBatch>,
}

impl Table {
    /// How many rows there are.
    pub fn n_rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// The rows that were pushed.
    pub(crate) fn of(rows: RowBatches) -> Result<Table> {
        let (schema, batches) = rows.finish()?;
        Ok(Table { schema, batches })
    }
}

/// Columns in the making, of rows in some ranges.
pub(crate) struct Columns {
    pub(crate) ranges: Vec<Range<usize>>,
    fields: Vec<Field>,
    arrays: Vec<Vec<ArrayRef>>,
}

impl Columns {
    pub(crate) fn new(ranges: Vec<Range<usize>>) -> Columns {
        Columns { ranges, fields: Vec::new(), arrays: Vec::new() }
    }

    /// Adds a column of which each range has an array.
    pub(crate) fn add(&mut self, field: Field, arrays: Vec<ArrayRef>) {
        self.fields.push(field);
        self.arrays.push(arrays);
    }

    /// Adds a column that is cut into ranges where it lies.
    fn add_whole(&mut self, name: &str, array: ArrayRef, nullable: bool) {
        let field = Field::new(name, array.data_type().clone(), nullable);
        let arrays = self.ranges.iter().map(|range| array.slice(range.start, range.len())).collect();
        self.add(field, arrays);
    }

    /// Dense numbers.
    pub(crate) fn add_numbers(&mut self, name: &str, numbers: impl Iterator<Item = u32>) {
        self.add_whole(name, Arc::new(UInt32Array::from_iter_values(numbers)), false);
    }

    /// When something began.
    pub(crate) fn add_times(&mut self, name: &str, unit: TimeUnit, times: &[Time]) {
        self.add_whole(name, time_array(unit, times.iter().map(|time| Some(time.0))), false);
    }

    /// When something ended: null where the end is open.
    pub(crate) fn add_ends(&mut self, name: &str, unit: TimeUnit, times: &[Time]) {
        let end = |time: &Time| (*time != Time::FOREVER).then_some(time.0);
        self.add_whole(name, time_array(unit, times.iter().map(end)), true);
    }

    /// A whole column of any kind.
    pub(crate) fn add_array(&mut self, name: &str, array: ArrayRef, nullable: bool) {
        self.add_whole(name, array, nullable);
    }

    /// Texts, of each row one.
    pub(crate) fn add_texts<'a>(&mut self, name: &str, text: impl Fn(usize) -> &'a str) {
        let array =
            |range: &Range<usize>| -> ArrayRef { Arc::new(StringArray::from_iter_values(range.clone().map(&text))) };
        let arrays = self.ranges.iter().map(array).collect();
        self.add(Field::new(name, DataType::Utf8, false), arrays);
    }

    /// Texts that a row may lack.
    pub(crate) fn add_some_texts<'a>(&mut self, name: &str, text: impl Fn(usize) -> Option<&'a str>) {
        let array = |range: &Range<usize>| -> ArrayRef { Arc::new(range.clone().map(&text).collect::<StringArray>()) };
        let arrays = self.ranges.iter().map(array).collect();
        self.add(Field::new(name, DataType::Utf8, true), arrays);
    }

    /// Ids of nodes.
    pub(crate) fn add_ids(&mut self, name: &str, index: &Index, kind: IdKind, nodes: &[NodeIndex]) {
        let arrays = self.ranges.iter().map(|range| kind.array(index, &nodes[range.clone()])).collect();
        self.add(Field::new(name, kind.data_type(), false), arrays);
    }

    pub(crate) fn finish(self) -> Result<Table> {
        let schema = Arc::new(Schema::new(self.fields));
        let mut arrays: Vec<_> = self.arrays.into_iter().map(Vec::into_iter).collect();
        let mut batches = Vec::with_capacity(self.ranges.len());
        for range in self.ranges {
            let columns = arrays.iter_mut().filter_map(Iterator::next).collect();
            let options = RecordBatchOptions::new().with_row_count(Some(range.len()));
            batches.push(RecordBatch::try_new_with_options(schema.clone(), columns, &options)?);
        }
        Ok(Table { schema, batches })
    }
}

/// What the ids of a column are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum IdKind {
    /// Whole numbers: all that the types ever had are.
    Number,
    Text,
}

impl IdKind {
    /// That of ids of some types.
    pub(crate) fn of(view: &View, types: impl IntoIterator<Item = NodeTypeId>) -> IdKind {
        let all = types.into_iter().all(|of_type| view.index().has_number_ids(of_type));
        if all { IdKind::Number } else { IdKind::Text }
    }

    /// That of ids of all types.
    pub(crate) fn of_all(view: &View) -> IdKind {
        IdKind::of(view, (0..view.schema().node_types().len() as u16).map(NodeTypeId))
    }

    /// The same for rows.
    pub(crate) fn cell_kind(self) -> CellKind {
        if self == IdKind::Number { CellKind::NumberId } else { CellKind::Id }
    }

    fn data_type(self) -> DataType {
        if self == IdKind::Number { DataType::UInt64 } else { DataType::Utf8 }
    }

    fn array(self, index: &Index, nodes: &[NodeIndex]) -> ArrayRef {
        match self {
            IdKind::Number => {
                let number = |node: &NodeIndex| match index.node_id(*node) {
                    IdRef::Int(number) => number,
                    // All ids are numbers.
                    IdRef::Text(_) => 0,
                };
                Arc::new(UInt64Array::from_iter_values(nodes.iter().map(number)))
            }
            IdKind::Text => {
                let mut texts = StringBuilder::with_capacity(nodes.len(), nodes.len() * 8);
                for node in nodes {
                    match index.node_id(*node) {
                        IdRef::Int(number) => texts.append_value(number.to_string()),
                        IdRef::Text(text) => texts.append_value(text),
                    }
                }
                Arc::new(texts.finish())
            }
        }
    }
}

/// All rows in ranges of a batch each.
pub(crate) fn ranges(rows: usize) -> Vec<Range<usize>> {
    (0..rows).step_by(BATCH_ROWS).map(|start| start..rows.min(start + BATCH_ROWS)).collect()
}
