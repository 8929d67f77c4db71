//! Record batches as a Parquet file.

use std::io::{self, Write};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampSecondType;
use arrow_array::{Array, ArrayRef, RecordBatch, TimestampMillisecondArray};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::{TableFormat, misfit};

/// Writes record batches as a Parquet file, compressed; a reader of Arrow gets them back with the same types, but for times in
/// seconds, which are milliseconds there.
///
/// # Errors
/// If nothing can be written, or a column is of a type that Parquet does not have.
pub fn write_parquet<W: Write + Send>(out: W, schema: &SchemaRef, batches: &[RecordBatch]) -> io::Result<W> {
    write_batches(out, TableFormat::Parquet, schema, batches.iter().cloned().map(Ok::<_, io::Error>))
}

/// Writes record batches, one after the other, as a Parquet file or as an Arrow IPC file.
///
/// # Errors
/// If nothing can be written, or a column is of a type that the file cannot have; and what a batch says.
pub fn write_batches<W: Write + Send, E: From<io::Error>>(
    out: W,
    format: TableFormat,
    schema: &SchemaRef,
    batches: impl IntoIterator<Item = Result<RecordBatch, E>>,
) -> Result<W, E> {
    match format {
        TableFormat::Parquet => parquet_batches(out, schema, batches),
        TableFormat::Arrow => arrow_batches(out, schema, batches),
        TableFormat::Jsonl => Err(misfit("record batches are not written as lines").into()),
    }
}

fn parquet_batches<W: Write + Send, E: From<io::Error>>(
    out: W,
    schema: &SchemaRef,
    batches: impl IntoIterator<Item = Result<RecordBatch, E>>,
) -> Result<W, E> {
    let properties = WriterProperties::builder()
        .set_created_by(concat!("timeweft ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .build();
    let schema = Arc::new(Schema::new(schema.fields().iter().map(|field| in_millis(field)).collect::<Vec<_>>()));
    let mut writer = ArrowWriter::try_new(out, schema.clone(), Some(properties)).map_err(of_parquet)?;
    for batch in batches {
        let columns = batch?.columns().iter().map(millis).collect::<io::Result<_>>()?;
        let batch = RecordBatch::try_new(schema.clone(), columns).map_err(io::Error::other)?;
        writer.write(&batch).map_err(of_parquet)?;
    }
    Ok(writer.into_inner().map_err(of_parquet)?)
}

fn arrow_batches<W: Write, E: From<io::Error>>(
    out: W,
    schema: &SchemaRef,
    batches: impl IntoIterator<Item = Result<RecordBatch, E>>,
) -> Result<W, E> {
    let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME));
    let options = options.map_err(io::Error::other)?;
    let mut writer = FileWriter::try_new_with_options(out, schema, options).map_err(io::Error::other)?;
    for batch in batches {
        writer.write(&batch?).map_err(io::Error::other)?;
    }
    writer.finish().map_err(io::Error::other)?;
    Ok(writer.into_inner().map_err(io::Error::other)?)
}

/// Parquet has no timestamps of seconds.
fn in_millis(field: &Field) -> Field {
    match field.data_type() {
        DataType::Timestamp(TimeUnit::Second, zone) => {
            field.clone().with_data_type(DataType::Timestamp(TimeUnit::Millisecond, zone.clone()))
        }
        _ => field.clone(),
    }
}

fn millis(column: &ArrayRef) -> io::Result<ArrayRef> {
    let DataType::Timestamp(TimeUnit::Second, zone) = column.data_type() else { return Ok(column.clone()) };
    let far =
        |second: i64| misfit(&format!("the time {second} s is too far off for Parquet, which counts milliseconds"));
    let millis = |second: i64| second.checked_mul(1000).ok_or_else(|| far(second));
    let seconds = column.as_primitive::<TimestampSecondType>();
    let times: TimestampMillisecondArray = seconds.try_unary(millis)?;
    Ok(Arc::new(times.with_timezone_opt(zone.clone())))
}

fn of_parquet(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(cause) => cause.downcast::<io::Error>().map_or_else(io::Error::other, |cause| *cause),
        other => io::Error::other(other),
    }
}
