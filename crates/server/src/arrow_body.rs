//! Arrow streams of bodies.

use arrow_array::{RecordBatch, RecordBatchIterator, RecordBatchReader};
use arrow_ipc::reader::StreamDecoder;
use arrow_schema::ArrowError;
use axum::body::Bytes;

/// The batches of a body. A length that the stream claims is never believed before so many bytes are there: one that lies
/// would take all memory.
pub(crate) fn reader(bytes: Bytes) -> Result<impl RecordBatchReader + Send + 'static, ArrowError> {
    let (mut decoder, mut left, mut batches) = (StreamDecoder::new(), bytes.into(), Vec::new());
    while let Some(batch) = decoder.decode(&mut left)? {
        batches.push(Ok::<RecordBatch, ArrowError>(batch));
    }
    decoder.finish()?;
    let none = || ArrowError::IpcError("it has no schema".into());
    let schema = decoder.schema().ok_or_else(none)?;
    Ok(RecordBatchIterator::new(batches, schema))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::Int64Array;
    use arrow_ipc::writer::StreamWriter;

    use super::*;

    #[test]
    fn a_stream_comes_whole_or_is_an_error() {
        let column = Arc::new(Int64Array::from(vec![1, 2, 3])) as arrow_array::ArrayRef;
        let batch = RecordBatch::try_from_iter([("id", column)]).expect("a batch");
        let mut bytes = Vec::new();
        let mut writer = StreamWriter::try_new(&mut bytes, &batch.schema()).expect("a stream");
        [&batch, &batch].into_iter().try_for_each(|batch| writer.write(batch)).expect("batches");
        writer.finish().expect("a whole stream");
        let read: Vec<_> =
            reader(bytes.clone().into()).expect("a stream").map(|batch| batch.expect("a batch")).collect();
        assert_eq!(read, [batch.clone(), batch]);
        for end in [0, 4, 20, bytes.len() / 2] {
            assert!(reader(bytes[..end].to_vec().into()).is_err(), "{end}");
        }
        for wrong in ["ARROW1", "\u{7f}\u{7f}\u{7f}\u{7f}", "PAR1"] {
            assert!(reader(wrong.as_bytes().to_vec().into()).is_err(), "{wrong}");
        }
    }
}
