//! The batches of a C stream.
//!
//! Arrow's own reader refuses an array of nulls that comes with a buffer, as polars hands over a column that is null as a whole:
//! the interface says that such an array has none. So here these are brought to have none.

use std::ffi::CStr;
use std::sync::Arc;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi_and_data_type};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{Array, RecordBatch, RecordBatchOptions, RecordBatchReader, StructArray};
use arrow_schema::{ArrowError, DataType, Schema, SchemaRef};

/// Reads batch after batch.
pub(crate) struct StreamBatches {
    stream: FFI_ArrowArrayStream,
    schema: SchemaRef,
    columns: DataType,
}

#[expect(unsafe_code, reason = "the interface is one of C")]
impl StreamBatches {
    /// The batches of a stream that is owned.
    ///
    /// # Errors
    /// If it was read before, or does not tell the types of its columns.
    pub(crate) fn new(mut stream: FFI_ArrowArrayStream) -> Result<StreamBatches, ArrowError> {
        let told = stream.get_schema.filter(|_| stream.release.is_some());
        let get_schema = told.ok_or_else(|| problem("the stream was read before"))?;
        let mut types = FFI_ArrowSchema::empty();
        // SAFETY: the stream is not released, and so its functions may be called with it.
        if unsafe { get_schema(&raw mut stream, &raw mut types) } != 0 {
            return Err(last_error(&mut stream));
        }
        let schema = Arc::new(Schema::try_from(&types)?);
        let columns = DataType::Struct(schema.fields().clone());
        Ok(StreamBatches { stream, schema, columns })
    }

    fn advance(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        let get_next = self.stream.get_next.ok_or_else(|| problem("the stream has no batches"))?;
        let mut array = FFI_ArrowArray::empty();
        // SAFETY: as above; what is written is an array that is ours to release.
        if unsafe { get_next(&raw mut self.stream, &raw mut array) } != 0 {
            return Err(last_error(&mut self.stream));
        }
        if array.is_released() {
            return Ok(None);
        }
        without_buffers(&mut array, &self.columns);
        // SAFETY: the stream says that its arrays are of these types.
        let data = unsafe { from_ffi_and_data_type(array, self.columns.clone()) }?;
        let rows = StructArray::from(data);
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        RecordBatch::try_new_with_options(self.schema.clone(), rows.into_parts().1, &options).map(Some)
    }
}

impl Iterator for StreamBatches {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance().transpose()
    }
}

impl RecordBatchReader for StreamBatches {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}

fn problem(text: &str) -> ArrowError {
    ArrowError::CDataInterface(text.into())
}

/// What the stream says of its last call.
#[expect(unsafe_code, reason = "the text lies behind a pointer")]
fn last_error(stream: &mut FFI_ArrowArrayStream) -> ArrowError {
    let Some(get_last_error) = stream.get_last_error else { return problem("the stream failed") };
    // SAFETY: the last call failed, after which this may be asked.
    let text = unsafe { get_last_error(&raw mut *stream) };
    if text.is_null() {
        return problem("the stream failed, and does not say why");
    }
    // SAFETY: it is a text that ends in a zero and lives until the next call.
    problem(&unsafe { CStr::from_ptr(text) }.to_string_lossy())
}

/// Takes the buffers from arrays of nulls, in an array of a type.
#[expect(unsafe_code, reason = "the parts lie behind pointers")]
fn without_buffers(array: &mut FFI_ArrowArray, data_type: &DataType) {
    if !has_nulls(data_type) {
        return;
    }
    if *data_type == DataType::Null {
        // What is released is what the producer keeps of the array, and not this number.
        array.n_buffers = 0;
        return;
    }
    if let DataType::Dictionary(_, values) = data_type {
        // SAFETY: an array of a dictionary points to its values, if to anything.
        if let Some(dictionary) = unsafe { array.dictionary.as_mut() } {
            without_buffers(dictionary, values);
        }
        return;
    }
    let children = usize::try_from(array.n_children).unwrap_or(0);
    for (at, child_type) in inside(data_type).into_iter().enumerate().take(children) {
        // SAFETY: there are as many pointers to children as the array says.
        if let Some(child) = unsafe { (*array.children.add(at)).as_mut() } {
            without_buffers(child, child_type);
        }
    }
}

/// Whether there are arrays of nulls in arrays of a type.
fn has_nulls(data_type: &DataType) -> bool {
    match data_type {
        DataType::Null => true,
        DataType::Dictionary(_, values) => has_nulls(values),
        other => inside(other).into_iter().any(has_nulls),
    }
}

/// The types of the children of a type.
fn inside(data_type: &DataType) -> Vec<&DataType> {
    match data_type {
        DataType::Struct(members) => members.iter().map(|member| member.data_type()).collect(),
        DataType::Union(types, _) => types.iter().map(|(_, of)| of.data_type()).collect(),
        DataType::RunEndEncoded(ends, values) => vec![ends.data_type(), values.data_type()],
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => vec![item.data_type()],
        _ => Vec::new(),
    }
}
