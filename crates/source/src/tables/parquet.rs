//! Rows of Parquet files.

use std::fmt::Write as _;
use std::fs::File;
use std::panic::AssertUnwindSafe;
use std::path::Path;

use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::reader::{ReaderIter, TreeBuilder};
use parquet::record::{Field, Row};
use parquet::schema::types::ColumnDescriptor;
use timeweft_graph::{DType, Dense, Name, Numbers, Value};

use super::cell::Cell;
use super::kind::Kind;
use super::rows::Rows;
use crate::{SourceError, feature_text};

/// Row after row, row group after row group.
pub(super) struct ParquetRows {
    file: Name,
    reader: SerializedFileReader<File>,
    columns: Vec<String>,
    declared: Vec<Option<Kind>>,
    /// Columns of whole numbers that count nanoseconds.
    nanos: Vec<bool>,
    group: usize,
    rows: Option<ReaderIter>,
    row: Vec<Field>,
    line: u64,
}

impl ParquetRows {
    pub(super) fn open(path: &Path) -> Result<ParquetRows, SourceError> {
        let raw = File::open(path).map_err(|cause| SourceError::Open { path: path.to_owned(), cause })?;
        let file: Name = path.to_string_lossy().as_ref().into();
        let no_parquet = |error: ParquetError| {
            let problem = format!("this is no whole Parquet file ({error}): write it again, or name it by its format");
            SourceError::Document { file: file.clone(), line: 0, problem }
        };
        let reader = caught(|| SerializedFileReader::new(raw)).map_err(no_parquet)?;
        let schema = reader.metadata().file_metadata().schema_descr_ptr();
        let columns: Vec<String> =
            schema.root_schema().get_fields().iter().map(|field| field.name().to_owned()).collect();
        let fail = |problem: String| SourceError::Columns { file: file.clone(), problem, columns: columns.join(", ") };
        if columns.is_empty() {
            return Err(fail("there is no column".into()));
        }
        // The reader of rows would panic on these.
        if let Some(column) = schema.columns().iter().find(|column| !is_readable(column)) {
            let path = column.path().string();
            return Err(fail(format!("column `{path}` is of a type that is not read: cast it, or leave it out")));
        }
        let leaf = |name: &String| schema.columns().iter().find(|column| column.path().parts() == [name.as_str()]);
        let declared = columns.iter().map(|name| leaf(name).and_then(|column| declared(column))).collect();
        let nanos = columns.iter().map(|name| leaf(name).is_some_and(|column| is_nanos(column))).collect();
        Ok(ParquetRows { file, columns, declared, nanos, reader, group: 0, rows: None, row: Vec::new(), line: 0 })
    }

    fn next_row(&mut self) -> Result<Option<Row>, ParquetError> {
        loop {
            if let Some(row) = self.rows.as_mut().and_then(Iterator::next) {
                return row.map(Some);
            }
            if self.group == self.reader.num_row_groups() {
                return Ok(None);
            }
            let group = self.reader.get_row_group(self.group)?;
            let schema = self.reader.metadata().file_metadata().schema_descr_ptr();
            self.rows = Some(TreeBuilder::new().as_iter(schema, group.as_ref())?);
            self.group += 1;
        }
    }
}

impl Rows for ParquetRows {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn declared(&self, column: usize) -> Option<Kind> {
        self.declared.get(column).copied().flatten()
    }

    fn advance(&mut self) -> Result<Option<Result<(), String>>, SourceError> {
        self.line += 1;
        let row = caught(|| self.next_row()).map_err(|error| unreadable(&self.file, self.line, error))?;
        Ok(row.map(|row| {
            self.row = row.into_columns().into_iter().map(|(_, field)| field).collect();
            Ok(())
        }))
    }

    fn line(&self) -> u64 {
        self.line
    }

    fn cell(&self, column: usize) -> Cell<'_> {
        match self.row.get(column) {
            None | Some(Field::Null) => Cell::Null,
            Some(Field::Long(nanos)) if self.nanos.get(column) == Some(&true) => Cell::Nanos((*nanos).into()),
            Some(Field::TimestampMillis(millis)) => Cell::Nanos(i128::from(*millis) * 1_000_000),
            Some(Field::TimestampMicros(micros)) => Cell::Nanos(i128::from(*micros) * 1_000),
            Some(Field::Date(days)) => Cell::Nanos(i128::from(*days) * 86_400_000_000_000),
            Some(field) => {
                let mut raw = String::new();
                match write(field, &mut raw) {
                    Ok(()) => Cell::Json(raw.into()),
                    Err(problem) => Cell::Invalid(problem),
                }
            }
        }
    }
}

/// The library asserts what a damaged file does not keep. Nothing of a reader is used after it has failed.
fn caught<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ParquetError> {
    std::panic::catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(ParquetError::General("the file is damaged".into())))
}

fn unreadable(file: &Name, line: u64, error: ParquetError) -> SourceError {
    SourceError::Read { file: file.clone(), line, cause: std::io::Error::other(error) }
}

/// Whether the reader of rows has a form for a column.
fn is_readable(column: &ColumnDescriptor) -> bool {
    use ConvertedType as C;
    match column.physical_type() {
        Type::BOOLEAN | Type::FLOAT | Type::DOUBLE | Type::INT96 => true,
        Type::INT32 => matches!(
            column.converted_type(),
            C::NONE
                | C::INT_8
                | C::INT_16
                | C::INT_32
                | C::UINT_8
                | C::UINT_16
                | C::UINT_32
                | C::DATE
                | C::TIME_MILLIS
                | C::DECIMAL
        ),
        Type::INT64 => matches!(
            column.converted_type(),
            C::NONE | C::INT_64 | C::UINT_64 | C::TIME_MICROS | C::TIMESTAMP_MILLIS | C::TIMESTAMP_MICROS | C::DECIMAL
        ),
        Type::BYTE_ARRAY => {
            matches!(column.converted_type(), C::NONE | C::UTF8 | C::ENUM | C::JSON | C::BSON | C::DECIMAL)
        }
        Type::FIXED_LEN_BYTE_ARRAY => matches!(column.converted_type(), C::NONE | C::DECIMAL),
    }
}

fn is_nanos(column: &ColumnDescriptor) -> bool {
    matches!(column.logical_type_ref(), Some(LogicalType::Timestamp(stamp)) if stamp.unit == TimeUnit::NANOS)
}

/// The kind that a column is declared to have.
fn declared(column: &ColumnDescriptor) -> Option<Kind> {
    use ConvertedType as C;
    if is_nanos(column) {
        return Some(Kind::Time);
    }
    Some(match (column.physical_type(), column.converted_type()) {
        (_, C::DATE | C::TIMESTAMP_MILLIS | C::TIMESTAMP_MICROS) | (Type::INT96, _) => Kind::Time,
        (_, C::DECIMAL) => Kind::number(DType::F64),
        (_, C::INT_8) => Kind::number(DType::I8),
        (_, C::INT_16) => Kind::number(DType::I16),
        (_, C::UINT_8) => Kind::number(DType::U8),
        (_, C::UINT_16) => Kind::number(DType::U16),
        (_, C::UINT_32) => Kind::number(DType::U32),
        (_, C::UINT_64) => Kind::number(DType::U64),
        (Type::BOOLEAN, _) => Kind::Bool,
        (Type::INT32, _) => Kind::number(DType::I32),
        (Type::INT64, _) => Kind::number(DType::I64),
        (Type::FLOAT, _) => Kind::number(DType::F32),
        (Type::DOUBLE, _) => Kind::number(DType::F64),
        (Type::FIXED_LEN_BYTE_ARRAY, _) if column.logical_type_ref() == Some(&LogicalType::Float16) => {
            Kind::number(DType::F16)
        }
        (Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY, _) => Kind::TEXT,
    })
}

/// Appends a field as JSON text.
fn write(field: &Field, out: &mut String) -> Result<(), String> {
    let number = |numbers: Numbers, out: &mut String| {
        feature_text::write(&Value::Dense(Dense { numbers, scalar: true }), out);
    };
    match field {
        Field::Null => out.push_str("null"),
        Field::Str(text) => feature_text::write_text(text, out),
        Field::Bytes(bytes) => {
            let text = std::str::from_utf8(bytes.data()).map_err(|_| "bytes that are no UTF-8 text")?;
            feature_text::write_text(text, out);
        }
        Field::Float16(value) => number(Numbers::F16(vec![*value]), out),
        Field::Float(value) => number(Numbers::F32(vec![*value]), out),
        Field::Double(value) => number(Numbers::F64(vec![*value]), out),
        Field::Group(row) => {
            let members = row.get_column_iter();
            write_all(members, ('{', '}'), out, |(name, field), out| {
                feature_text::write_text(name, out);
                out.push(':');
                write(field, out)
            })?;
        }
        Field::ListInternal(list) => write_all(list.elements().iter(), ('[', ']'), out, write)?,
        Field::MapInternal(map) => {
            write_all(map.entries().iter(), ('[', ']'), out, |(key, value), out| {
                write_all([key, value].into_iter(), ('[', ']'), out, write)
            })?;
        }
        Field::Date(number) | Field::TimeMillis(number) => {
            let _ = write!(out, "{number}");
        }
        Field::TimeMicros(number) | Field::TimestampMillis(number) | Field::TimestampMicros(number) => {
            let _ = write!(out, "{number}");
        }
        // Whole numbers, decimals and truth values print as JSON has them.
        other => {
            let _ = write!(out, "{other}");
        }
    }
    Ok(())
}

fn write_all<T>(
    items: impl Iterator<Item = T>,
    (open, close): (char, char),
    out: &mut String,
    mut write: impl FnMut(T, &mut String) -> Result<(), String>,
) -> Result<(), String> {
    out.push(open);
    for (at, item) in items.enumerate() {
        if at > 0 {
            out.push(',');
        }
        write(item, out)?;
    }
    out.push(close);
    Ok(())
}
