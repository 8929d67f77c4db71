//! Batches of Parquet files.
//!
//! Each column has a reader of its own, over a description of the file that knows no other: what one cannot read is not
//! noticed by another.

use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{Array as _, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, FieldRef, Fields, IntervalUnit, Schema, TimeUnit};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::arrow::{
    ARROW_SCHEMA_META_KEY, ProjectionMask, encode_arrow_schema, parquet_to_arrow_schema,
    parquet_to_arrow_schema_by_columns,
};
use parquet::basic::{ConvertedType, LogicalType, Type as Physical};
use parquet::errors::ParquetError;
use parquet::file::metadata::{
    ColumnChunkMetaData, FileMetaData, KeyValue, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData,
};
use parquet::file::reader::Length as _;
use parquet::schema::types::{ColumnDescPtr, SchemaDescriptor, Type};
use timeweft_graph::Name;

use super::pages::Shared;
use super::shape::{Mark, Shape, extension};
use super::{Arrays, ColumnShape, ipc_schema};
use crate::input::open_file;
use crate::{BytesRead, SourceError};

/// Rows of a batch, in a file of few columns; more columns share the same room.
const ROWS: usize = 1024;
const CELLS: usize = 1 << 20;
/// In a chunk of more bytes than this a dictionary may be so large that fewer rows are read at once.
const LARGE_CHUNK: i64 = 1 << 22;

pub(super) struct ParquetBatches {
    file: Name,
    raw: Shared,
    metadata: Arc<ParquetMetaData>,
    /// The leaves of each column.
    leaves: Vec<std::ops::Range<usize>>,
    /// The types in which columns are read.
    types: Vec<Option<Types>>,
    readers: Vec<Option<Readers>>,
    batch_size: usize,
    total: usize,
    done: usize,
    bytes_read: BytesRead,
}

/// The types of a column: its own, and one that has what the first leaves out, where it does.
#[derive(Clone)]
struct Types {
    values: FieldRef,
    coarse: Option<FieldRef>,
}

struct Readers {
    values: ParquetRecordBatchReader,
    coarse: Option<ParquetRecordBatchReader>,
    /// What both take in.
    pages: Vec<Shared>,
    /// The first batch, which was read to see whether the column can be.
    first: Option<Arrays>,
}

impl ParquetBatches {
    pub(super) fn open(path: &Path, file: &Name) -> Result<(ParquetBatches, Vec<(String, ColumnShape)>), SourceError> {
        let mut raw = Shared::new(open_file(path)?.0);
        let no_parquet = |error: ParquetError| {
            let problem = format!("this is no whole Parquet file ({error}): write it again, or name it by its format");
            SourceError::Document { file: file.clone(), line: 0, problem }
        };
        let metadata = caught(|| {
            raw.check_description()?;
            ParquetMetaDataReader::new().parse_and_finish(&raw)
        });
        let metadata = metadata.map_err(no_parquet)?;
        let schema = metadata.file_metadata().schema_descr();
        let roots = schema.root_schema().get_fields();
        let mut leaves = vec![0..0; roots.len()];
        for leaf in 0..schema.num_columns() {
            let of = &mut leaves[schema.get_column_root_idx(leaf)];
            *of = if of.start == of.end { leaf..leaf + 1 } else { of.start..leaf + 1 };
        }
        let fields = caught(|| Ok(fields(schema, &metadata, roots.len()))).map_err(no_parquet)?;
        let (mut columns, mut types) = (Vec::with_capacity(roots.len()), Vec::with_capacity(roots.len()));
        for ((root, of), field) in roots.iter().zip(&leaves).zip(fields) {
            let bound = field.and_then(|field| bind(&field, schema, of.clone()));
            let (shape, of) = match bound {
                Ok((shape, types)) => (Ok(shape), Some(types)),
                Err(problem) => (Err(problem), None),
            };
            columns.push((root.name().to_owned(), shape));
            types.push(of);
        }
        let of_groups = metadata.row_groups().iter().map(|group| usize::try_from(group.num_rows()).unwrap_or(0));
        let total = of_groups.fold(0, usize::saturating_add);
        let readers = roots.iter().map(|_| None).collect();
        let batch_size = batch_size(&metadata, &mut raw, roots.len());
        let metadata = Arc::new(metadata.clone());
        let (file, bytes_read) = (file.clone(), BytesRead::default());
        let batches =
            ParquetBatches { file, raw, metadata, leaves, types, readers, batch_size, total, done: 0, bytes_read };
        Ok((batches, columns))
    }

    /// Rows are counted, and told as bytes of the file.
    pub(super) fn progress(&self) -> (BytesRead, Option<u64>) {
        (self.bytes_read.clone(), Some(self.raw.len()))
    }

    /// Reads a column from here on.
    pub(super) fn want(&mut self, column: usize) -> Result<(), String> {
        if self.readers[column].is_some() {
            return Ok(());
        }
        let Some(types) = self.types[column].clone() else { return Ok(()) };
        let opened = caught(|| {
            let (values, pages) = self.reader(column, &types.values)?;
            let coarse = types.coarse.as_ref().map(|field| self.reader(column, field)).transpose()?;
            let (coarse, of_coarse) = coarse.unzip();
            let pages = [Some(pages), of_coarse].into_iter().flatten().collect();
            let mut readers = Readers { values, coarse, pages, first: None };
            if self.done < self.total {
                readers.first = Some(readers.next()?);
            }
            Ok(readers)
        });
        match opened {
            Ok(readers) => self.readers[column] = Some(readers),
            Err(error) => return Err(format!("cannot be read: {error}")),
        }
        Ok(())
    }

    /// Whether a list of numbers has an empty element. The file is read for it only where its statistics leave it open.
    pub(super) fn has_gaps(&self, column: usize, shape: &Shape) -> bool {
        let chunks = self.metadata.row_groups().iter().flat_map(|group| &group.columns()[self.leaves[column].clone()]);
        let told = |chunk: &ColumnChunkMetaData| chunk.statistics().and_then(|told| told.null_count_opt());
        if chunks.map(told).all(|nulls| nulls == Some(0)) {
            return false;
        }
        let Some(Types { values: field, .. }) = &self.types[column] else { return false };
        // What cannot be read is told where it is read.
        let read = caught(|| {
            let (mut reader, pages) = self.reader(column, field)?;
            let arrays = |batch: RecordBatch| Arrays { values: batch.column(0).clone(), coarse: None };
            Ok(reader.any(|batch| {
                pages.begin_batch();
                batch.is_ok_and(|batch| arrays(batch).have_gaps(shape))
            }))
        });
        read.unwrap_or(false)
    }

    /// Reads a column from here on, and tells what it takes in.
    fn reader(&self, column: usize, field: &FieldRef) -> Result<(ParquetRecordBatchReader, Shared), ParquetError> {
        let metadata = Arc::new(alone(&self.metadata, column, self.leaves[column].clone())?);
        let schema = Arc::new(Schema::new(vec![field.clone()]));
        let metadata = ArrowReaderMetadata::try_new(metadata, ArrowReaderOptions::new().with_schema(schema))?;
        let has_lists =
            metadata.metadata().file_metadata().schema_descr().columns().iter().any(|leaf| leaf.max_rep_level() > 0);
        let pages = self.raw.for_column(has_lists);
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(pages.clone(), metadata)
            .with_batch_size(self.batch_size)
            .with_offset(self.done)
            .build()?;
        Ok((reader, pages))
    }

    /// Reads the next batch; `None` at the end.
    pub(super) fn advance(
        &mut self,
        columns: &[String],
        arrays: &mut [Option<Arrays>],
    ) -> Result<Option<usize>, SourceError> {
        let n_rows = self.batch_size.min(self.total - self.done);
        if n_rows == 0 {
            return Ok(None);
        }
        for ((readers, arrays), name) in self.readers.iter_mut().zip(arrays).zip(columns) {
            let Some(readers) = readers else { continue };
            let read = match readers.first.take() {
                Some(first) => Ok(first),
                None => caught(|| readers.next()),
            };
            let read = read.and_then(|read| match read.values.len() {
                found if found == n_rows => Ok(read),
                found => Err(ParquetError::General(format!("{found} values, where the rows are {n_rows}"))),
            });
            *arrays = Some(read.map_err(|error| {
                let cause = std::io::Error::other(format!("column `{name}`: {error}"));
                SourceError::Read { file: self.file.clone(), line: self.done as u64 + 1, cause }
            })?);
        }
        self.done += n_rows;
        self.bytes_read.set((u128::from(self.raw.len()) * self.done as u128 / self.total.max(1) as u128) as u64);
        Ok(Some(n_rows))
    }
}

impl Readers {
    fn next(&mut self) -> Result<Arrays, ParquetError> {
        self.pages.iter().for_each(Shared::begin_batch);
        let coarse = self.coarse.as_mut().map(next_array).transpose()?;
        Ok(Arrays { values: next_array(&mut self.values)?, coarse })
    }
}

/// Rows of a batch: few, where a few bytes stand for a large value each.
fn batch_size(metadata: &ParquetMetaData, raw: &mut Shared, n_columns: usize) -> usize {
    let rows = (CELLS / n_columns.max(1)).clamp(16, ROWS);
    let chunks = metadata.row_groups().iter().flat_map(RowGroupMetaData::columns);
    let large = chunks.filter(|chunk| chunk.uncompressed_size() > LARGE_CHUNK);
    let dictionary =
        |chunk: &ColumnChunkMetaData| Some(raw.page_size(u64::try_from(chunk.dictionary_page_offset()?).ok()?));
    let dictionaries: Vec<u64> = large.filter_map(dictionary).collect();
    let fixed = metadata.file_metadata().schema_descr().columns().iter();
    let fixed = fixed.filter(|leaf| leaf.physical_type() == Physical::FIXED_LEN_BYTE_ARRAY);
    raw.fit_rows(rows, dictionaries.into_iter().chain(fixed.map(|leaf| leaf.type_length().max(0) as u64)))
}

fn next_array(reader: &mut ParquetRecordBatchReader) -> Result<ArrayRef, ParquetError> {
    let ended = || ParquetError::EOF("it ends before its rows do".into());
    Ok(reader.next().ok_or_else(ended)??.column(0).clone())
}

/// The library asserts what a damaged file does not keep. Nothing of a reader is used after it has failed.
fn caught<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ParquetError> {
    std::panic::catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(ParquetError::General("the file is damaged".into())))
}

/// The Arrow types of the columns, by what the writer says of them where that fits. Columns are asked for one by one only
/// where one of them has no type.
fn fields(schema: &SchemaDescriptor, metadata: &ParquetMetaData, n: usize) -> Vec<Result<FieldRef, String>> {
    for told in [told(metadata), None] {
        let whole = parquet_to_arrow_schema(schema, told.as_ref());
        if let Some(whole) = whole.ok().filter(|whole| whole.fields().len() == n) {
            return whole.fields().iter().cloned().map(Ok).collect();
        }
    }
    let one = |at: usize| {
        let mask = ProjectionMask::roots(schema, [at]);
        let read = caught(|| parquet_to_arrow_schema_by_columns(schema, mask, None));
        let read =
            read.map_err(|error| format!("is of a type that is not read ({error}): cast it, or leave it out"))?;
        let field = read.fields().first().cloned();
        field.ok_or_else(|| "is of a type that is not read: a group with nothing in it".to_owned())
    };
    (0..n).map(one).collect()
}

/// The Arrow types that the writer had, as the library knows them.
fn told(metadata: &ParquetMetaData) -> Option<Vec<KeyValue>> {
    let told = metadata.file_metadata().key_value_metadata()?.iter().find(|told| told.key == ARROW_SCHEMA_META_KEY)?;
    let bytes = BASE64_STANDARD.decode(told.value.as_ref()?).ok()?;
    let start = if bytes.starts_with(&[0xff; 4]) { 8 } else { 0 };
    let message = arrow_ipc::root_as_message(bytes.get(start..)?).ok()?;
    let schema = message.header_as_schema()?;
    let fields = caught(|| Ok(ipc_schema::fields(schema))).ok()?.ok()?;
    Some(vec![KeyValue::new(ARROW_SCHEMA_META_KEY.to_owned(), encode_arrow_schema(&Schema::new(fields)))])
}

/// The shape of a column, and the types to read it in.
fn bind(field: &FieldRef, schema: &SchemaDescriptor, leaves: std::ops::Range<usize>) -> Result<(Shape, Types), String> {
    let of = || leaves.clone().map(|leaf| schema.column(leaf));
    let values = with_type(field, retyped(field.data_type(), &mut of(), false));
    let coarse = with_type(field, retyped(field.data_type(), &mut of(), true));
    let mut marks = of().map(|leaf| mark_of(&leaf));
    let mut mark = |field: Option<&Field>| match marks.next() {
        Some(Mark::Plain) | None => field.map_or(Mark::Plain, extension),
        Some(mark) => mark,
    };
    let shape = Shape::new(values.data_type(), &mut mark, Some(&values))?;
    let coarse = (coarse.data_type() != values.data_type()).then_some(coarse);
    Ok((shape, Types { values, coarse }))
}

fn with_type(field: &FieldRef, data_type: DataType) -> FieldRef {
    Arc::new(field.as_ref().clone().with_data_type(data_type))
}

/// The type in which values lose nothing: texts that the library takes for bytes, intervals as one type or, coarse, another,
/// and the times of INT96 in nanoseconds or, coarse, in seconds. No dictionaries.
fn retyped(data_type: &DataType, leaves: &mut impl Iterator<Item = ColumnDescPtr>, coarse: bool) -> DataType {
    let mut inside = |field: &FieldRef| with_type(field, retyped(field.data_type(), leaves, coarse));
    match data_type {
        DataType::Dictionary(_, values) => retyped(values, leaves, coarse),
        DataType::List(item) => DataType::List(inside(item)),
        DataType::LargeList(item) => DataType::LargeList(inside(item)),
        DataType::ListView(item) => DataType::ListView(inside(item)),
        DataType::LargeListView(item) => DataType::LargeListView(inside(item)),
        DataType::FixedSizeList(item, length) => DataType::FixedSizeList(inside(item), *length),
        DataType::Map(entries, sorted) => DataType::Map(inside(entries), *sorted),
        DataType::Struct(members) => DataType::Struct(members.iter().map(inside).collect::<Fields>()),
        leaf => {
            let Some(column) = leaves.next() else { return leaf.clone() };
            let is_enum =
                column.logical_type_ref() == Some(&LogicalType::Enum) || column.converted_type() == ConvertedType::ENUM;
            match leaf {
                DataType::Binary if is_enum => DataType::Utf8,
                DataType::Interval(_) if coarse => DataType::Interval(IntervalUnit::YearMonth),
                DataType::Interval(_) => DataType::Interval(IntervalUnit::DayTime),
                DataType::Timestamp(_, zone) if column.physical_type() == Physical::INT96 => {
                    let unit = if coarse { TimeUnit::Second } else { TimeUnit::Nanosecond };
                    DataType::Timestamp(unit, zone.clone())
                }
                other => other.clone(),
            }
        }
    }
}

fn mark_of(leaf: &ColumnDescPtr) -> Mark {
    match (leaf.logical_type_ref(), leaf.converted_type()) {
        (Some(LogicalType::Uuid), _) => Mark::Uuid,
        (Some(LogicalType::Json), _) | (None, ConvertedType::JSON) => Mark::Json,
        _ => Mark::Plain,
    }
}

/// The description of a file that has only one of its columns.
fn alone(
    whole: &ParquetMetaData,
    column: usize,
    leaves: std::ops::Range<usize>,
) -> Result<ParquetMetaData, ParquetError> {
    let facts = whole.file_metadata();
    let root = facts.schema_descr().root_schema();
    let field = root.get_fields()[column].clone();
    let root = Type::group_type_builder(root.name()).with_fields(vec![field]).build()?;
    let schema = Arc::new(SchemaDescriptor::new(Arc::new(root)));
    let group = |group: &RowGroupMetaData| {
        let columns = group.columns().get(leaves.clone()).unwrap_or_default().to_vec();
        RowGroupMetaData::builder(schema.clone()).set_num_rows(group.num_rows()).set_column_metadata(columns).build()
    };
    let groups = whole.row_groups().iter().map(group).collect::<Result<_, _>>()?;
    let (version, n_rows, made_by) = (facts.version(), facts.num_rows(), facts.created_by().map(str::to_owned));
    Ok(ParquetMetaData::new(FileMetaData::new(version, n_rows, made_by, None, schema.clone(), None), groups))
}
