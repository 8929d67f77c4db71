//! Record batches as a Parquet file.

use std::io::{self, Write};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampSecondType;
use arrow_array::{Array, ArrayRef, RecordBatch, TimestampMillisecondArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::misfit;

/// Writes record batches as a Parquet file, compressed; a reader of Arrow gets them back with the same types, but for times in
/// seconds, which are milliseconds there.
///
/// # Errors
/// If nothing can be written, or a column is of a type that Parquet does not have.
pub fn write_parquet<W: Write + Send>(out: W, schema: &SchemaRef, batches: &[RecordBatch]) -> io::Result<W> {
    let properties = WriterProperties::builder()
        .set_created_by(concat!("timeweft ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .build();
    let schema = Arc::new(Schema::new(schema.fields().iter().map(|field| in_millis(field)).collect::<Vec<_>>()));
    let mut writer = ArrowWriter::try_new(out, schema.clone(), Some(properties)).map_err(of_parquet)?;
    for batch in batches {
        let columns = batch.columns().iter().map(millis).collect::<io::Result<_>>()?;
        let batch = RecordBatch::try_new(schema.clone(), columns).map_err(io::Error::other)?;
        writer.write(&batch).map_err(of_parquet)?;
    }
    writer.into_inner().map_err(of_parquet)
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
