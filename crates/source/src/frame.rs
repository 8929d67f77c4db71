//! Tables in the memory of another tool: record batches of Arrow, as data frames and queries hand them over.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{RecordBatch, RecordBatchIterator, RecordBatchReader};
use arrow_schema::{ArrowError, SchemaRef};
use timeweft_graph::Name;

/// Record batches, one after the other.
pub type Batches = Box<dyn RecordBatchReader + Send>;

/// Gives the batches from the first one on.
type Open = Box<dyn FnMut() -> Result<Batches, ArrowError> + Send>;

/// A table whose rows come as record batches: a data frame, or the answer of a query. Clones are one table.
///
/// Values mean what they mean in files by columns, whatever Arrow type holds them: one tool hands a text over as `Utf8`,
/// others as `LargeUtf8`, `Utf8View` or a dictionary of them. Batches are read where they lie, one at a time.
///
/// ```
/// use std::sync::Arc;
/// use arrow_array::{Int64Array, RecordBatch, RecordBatchIterator};
/// use arrow_schema::{DataType, Field, Schema};
/// use timeweft_source::Frame;
/// let schema = Arc::new(Schema::new(vec![Field::new("time", DataType::Int64, false)]));
/// let batch = RecordBatch::try_new(schema.clone(), vec![Arc::new(Int64Array::from(vec![3, 4]))])?;
/// let frame = Frame::once("times", Box::new(RecordBatchIterator::new([Ok(batch)], schema)));
/// assert!(!frame.can_reread());
/// # Ok::<(), arrow_schema::ArrowError>(())
/// ```
#[derive(Clone)]
pub struct Frame {
    name: Name,
    schema: SchemaRef,
    can_reread: bool,
    rest: Arc<Mutex<Rest>>,
}

/// What is still to come.
struct Rest {
    next: Option<Batches>,
    open: Option<Open>,
    /// Whether all batches were asked for.
    is_begun: bool,
}

impl Frame {
    /// A table that can be read once, such as a stream. `name` stands for it in messages and in the registry of loads.
    pub fn once(name: &str, batches: Batches) -> Frame {
        let schema = batches.schema();
        Frame::new(name, schema, Rest { next: Some(batches), open: None, is_begun: false })
    }

    /// The same for a stream that is opened when its first row is asked for, such as the answer of a query on a connection that
    /// gives one answer at a time. `schema` has the types of its columns.
    pub fn later(
        name: &str,
        schema: SchemaRef,
        open: impl FnMut() -> Result<Batches, ArrowError> + Send + 'static,
    ) -> Frame {
        Frame::new(name, schema, Rest { next: None, open: Some(Box::new(open)), is_begun: false })
    }

    /// A table that lies in memory: `open` gives all of its batches each time.
    ///
    /// # Errors
    /// What `open` says when it is first asked, for the types of the columns.
    pub fn again(
        name: &str,
        mut open: impl FnMut() -> Result<Batches, ArrowError> + Send + 'static,
    ) -> Result<Frame, ArrowError> {
        let batches = open()?;
        let schema = batches.schema();
        let frame = Frame::new(name, schema, Rest { next: Some(batches), open: Some(Box::new(open)), is_begun: false });
        Ok(Frame { can_reread: true, ..frame })
    }

    fn new(name: &str, schema: SchemaRef, rest: Rest) -> Frame {
        Frame { name: name.into(), schema, can_reread: false, rest: Arc::new(Mutex::new(rest)) }
    }

    /// The name for messages.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The types of its columns.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Whether it can be read more than once.
    pub fn can_reread(&self) -> bool {
        self.can_reread
    }

    /// The same table in memory, so that it can be read more than once; the rest of it is left out once `is_over`.
    pub(crate) fn held(&self, is_over: &dyn Fn() -> bool) -> Result<Frame, String> {
        let batches = self.batches()?.take_while(|_| !is_over());
        let batches: Vec<RecordBatch> =
            batches.collect::<Result<_, _>>().map_err(|error: ArrowError| error.to_string())?;
        let schema = self.schema.clone();
        let again = move || -> Result<Batches, ArrowError> {
            Ok(Box::new(RecordBatchIterator::new(batches.clone().into_iter().map(Ok), schema.clone())))
        };
        Frame::again(&self.name, again).map_err(|error| error.to_string())
    }

    /// All batches; the error says why there are none.
    pub(crate) fn batches(&self) -> Result<Batches, String> {
        let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        let was_read = std::mem::replace(&mut rest.is_begun, true);
        if let Some(batches) = rest.next.take() {
            return Ok(batches);
        }
        match &mut rest.open {
            Some(open) if self.can_reread || !was_read => open().map_err(|error| error.to_string()),
            _ => Err("the stream was read before: give a new one, or a table that lies in memory".into()),
        }
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<_> = self.schema.fields().iter().map(|field| field.name()).collect();
        f.debug_struct("Frame").field("name", &self.name).field("columns", &columns).finish_non_exhaustive()
    }
}
