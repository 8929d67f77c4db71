//! What a segment says of the sizes of its buffers, looked at before the library makes room for them: a checksum tells
//! that the bytes are as they were written, not who wrote them.

use arrow_ipc::{Block, root_as_footer, root_as_message};

/// How many times its size LZ4 can make of a buffer, at most.
const LARGEST_RATIO: u64 = 256;
/// Bytes behind the footer: its length, and a mark.
const TAIL: usize = 10;

/// Refuses a buffer that says that it unpacks to more than it can.
pub(crate) fn check(bytes: &[u8]) -> Result<(), String> {
    // What is no such file is told by the library.
    let Some(footer) = footer(bytes) else { return Ok(()) };
    let Ok(footer) = root_as_footer(footer) else { return Ok(()) };
    let blocks = footer.recordBatches().into_iter().flatten().chain(footer.dictionaries().into_iter().flatten());
    blocks.into_iter().try_for_each(|block| check_block(bytes, block))
}

fn footer(bytes: &[u8]) -> Option<&[u8]> {
    let end = bytes.len().checked_sub(TAIL)?;
    let length = i32::from_le_bytes(*bytes.get(end..)?.first_chunk()?);
    bytes.get(end.checked_sub(usize::try_from(length).ok()?)?..end)
}

fn check_block(bytes: &[u8], block: &Block) -> Result<(), String> {
    let head = || {
        let start = usize::try_from(block.offset()).ok()?;
        let (head, body) = bytes.get(start..)?.split_at_checked(usize::try_from(block.metaDataLength()).ok()?)?;
        Some((head.get(8..)?, body))
    };
    let Some((head, body)) = head() else { return Ok(()) };
    let Ok(message) = root_as_message(head) else { return Ok(()) };
    let of_dictionary = message.header_as_dictionary_batch().and_then(|dictionary| dictionary.data());
    let batch = message.header_as_record_batch().or(of_dictionary);
    let Some(batch) = batch.filter(|batch| batch.compression().is_some()) else { return Ok(()) };
    for buffer in batch.buffers().into_iter().flatten() {
        let start = usize::try_from(buffer.offset()).ok().and_then(|start| body.get(start..));
        let Some(claimed) = start.and_then(|bytes| bytes.first_chunk()).map(|size| i64::from_le_bytes(*size)) else {
            continue;
        };
        let room = u64::try_from(buffer.length()).unwrap_or(0).saturating_mul(LARGEST_RATIO);
        if buffer.length() > 0 && u64::try_from(claimed).is_ok_and(|claimed| claimed > room) {
            return Err(format!("a buffer of {} bytes says that it unpacks to {claimed}", buffer.length()));
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Int64Array, RecordBatch};
    use arrow_ipc::CompressionType;
    use arrow_ipc::writer::{FileWriter, IpcWriteOptions};

    use super::*;

    #[test]
    fn a_buffer_that_claims_a_petabyte_is_refused_and_equal_values_are_not() {
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![7; 1 << 20]));
        let batch = RecordBatch::try_from_iter([("n", numbers)]).unwrap();
        let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME)).unwrap();
        let mut writer = FileWriter::try_new_with_options(Vec::new(), &batch.schema(), options).unwrap();
        writer.write(&batch).unwrap();
        let mut bytes = writer.into_inner().unwrap();
        assert_eq!(check(&bytes), Ok(()));
        let size = (8i64 << 20).to_le_bytes();
        let at = bytes.windows(8).position(|bytes| bytes == size).unwrap();
        bytes[at..at + 8].copy_from_slice(&(1i64 << 50).to_le_bytes());
        assert!(check(&bytes).is_err_and(|problem| problem.ends_with("unpacks to 1125899906842624")));
        bytes.truncate(bytes.len() / 2);
        assert_eq!(check(&bytes), Ok(()), "the library tells what is cut off");
    }
}
