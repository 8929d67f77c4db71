//! Answers by columns: record batches that other tools take without a copy.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchIterator, RecordBatchOptions, downcast_primitive_array};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use numpy::ndarray::ArrayView1;
use numpy::{IntoPyArray, PyArray1};
use pyo3::exceptions::{PyKeyError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule, PyList, PyString};
use timeweft::export::create_fresh;
use timeweft::export::table_writer::write_parquet;
use timeweft_arrow::Table;

use crate::stream;

/// Rows by columns. `timeweft.Table` wraps it.
#[pyclass(frozen, module = "timeweft._core")]
pub(crate) struct Columns {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

impl Columns {
    pub(crate) fn new(schema: SchemaRef, batches: Vec<RecordBatch>) -> Columns {
        Columns { schema, batches }
    }

    fn position(&self, name: &str) -> PyResult<usize> {
        self.schema.index_of(name).map_err(|_| PyKeyError::new_err(name.to_owned()))
    }
}

impl From<RecordBatch> for Columns {
    fn from(batch: RecordBatch) -> Columns {
        Columns::new(batch.schema(), vec![batch])
    }
}

impl From<Table> for Columns {
    fn from(table: Table) -> Columns {
        Columns::new(table.schema, table.batches)
    }
}

#[pymethods]
impl Columns {
    /// Names of the columns.
    #[getter]
    fn names(&self) -> Vec<String> {
        self.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    /// Types of the columns, as Arrow names them.
    #[getter]
    fn types(&self) -> Vec<String> {
        self.schema.fields().iter().map(|field| field.data_type().to_string()).collect()
    }

    fn __len__(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// Some rows, without a copy.
    fn slice(&self, start: usize, length: usize) -> Columns {
        let (mut skip, mut left, mut batches) = (start, length, Vec::new());
        for batch in &self.batches {
            let from = skip.min(batch.num_rows());
            let n = left.min(batch.num_rows() - from);
            if n > 0 {
                batches.push(batch.slice(from, n));
            }
            (skip, left) = (skip - from, left - n);
        }
        Columns::new(self.schema.clone(), batches)
    }

    /// The Arrow C stream of the rows. The schema that is asked for is not looked at, as the interface allows.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema;
        let batches: Vec<_> = self.batches.iter().cloned().map(Ok).collect();
        stream::export(py, Box::new(RecordBatchIterator::new(batches, self.schema.clone())))
    }

    /// The same rows by types of Arrow alone, for tools that cannot take types of extensions.
    fn without_extensions(&self) -> PyResult<Columns> {
        let plain = self.schema.fields().iter().map(|field| {
            let mut metadata = field.metadata().clone();
            metadata.retain(|name, _| !name.starts_with("ARROW:extension:"));
            field.as_ref().clone().with_metadata(metadata)
        });
        let schema = SchemaRef::new(Schema::new(plain.collect::<Vec<Field>>()));
        let batches = self.batches.iter().map(|batch| {
            let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            RecordBatch::try_new_with_options(schema.clone(), batch.columns().to_vec(), &rows)
        });
        let batches = batches.collect::<Result<_, _>>().map_err(|error| PyTypeError::new_err(error.to_string()))?;
        Ok(Columns::new(schema, batches))
    }

    /// Writes the rows as a Parquet file, which appears whole or not at all.
    fn write_parquet(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        py.detach(|| whole_file(&path, |file| write_parquet(file, &self.schema, &self.batches)))?;
        Ok(())
    }

    /// A column where it lies: what it holds (`numbers`, `lists` or `objects`), the NumPy type of its numbers, how many each row has (-1:
    /// offsets tell), and of each run of rows the values, the offsets and which rows have a value.
    #[expect(clippy::type_complexity, reason = "a tuple for Python")]
    fn column<'py>(
        slf: &Bound<'py, Columns>,
        name: &str,
    ) -> PyResult<(
        &'static str,
        String,
        i32,
        Vec<(Bound<'py, PyAny>, Option<Bound<'py, PyAny>>, Option<Bound<'py, PyAny>>)>,
    )> {
        let (this, py) = (slf.get(), slf.py());
        let at = this.position(name)?;
        let arrays: Vec<&ArrayRef> = this.batches.iter().map(|batch| batch.column(at)).collect();
        let data_type = this.schema.field(at).data_type();
        let valid = |array: &ArrayRef| -> Option<Bound<'py, PyAny>> {
            let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0)?;
            Some(nulls.iter().collect::<Vec<bool>>().into_pyarray(py).into_any())
        };
        Ok(match data_type {
            DataType::Utf8 | DataType::Binary => {
                let parts = arrays.iter().map(|array| Ok((objects(py, array)?.into_any(), None, None)));
                ("objects", "O".into(), 1, parts.collect::<PyResult<_>>()?)
            }
            DataType::Boolean => {
                let bits = |array: &ArrayRef| array.as_boolean().values().iter().collect::<Vec<bool>>();
                let parts = arrays.iter().map(|array| (bits(array).into_pyarray(py).into_any(), None, valid(array)));
                ("numbers", "?".into(), 1, parts.collect())
            }
            DataType::FixedSizeList(element, width) => {
                let values = arrays.iter().map(|array| array.as_fixed_size_list().values());
                let parts = runs(slf, values)?.zip_valid(&arrays, valid);
                ("lists", numpy_type(element.data_type())?, *width, parts)
            }
            DataType::List(element) if *element.data_type() == DataType::Utf8 => {
                let parts = arrays.iter().map(|array| Ok((text_lists(py, array)?.into_any(), None, None)));
                ("objects", "O".into(), 1, parts.collect::<PyResult<_>>()?)
            }
            DataType::List(element) => {
                let mut parts = Vec::new();
                for array in &arrays {
                    let list = array.as_list::<i32>();
                    let values = borrowed(slf, bytes(list.values())?);
                    let offsets = borrowed(slf, list.offsets().inner().inner().as_slice());
                    parts.push((values.into_any(), Some(offsets.into_any()), valid(array)));
                }
                ("lists", numpy_type(element.data_type())?, -1, parts)
            }
            plain => {
                let parts = runs(slf, arrays.iter().copied())?.zip_valid(&arrays, valid);
                ("numbers", numpy_type(plain)?, 1, parts)
            }
        })
    }
}

/// A file that appears whole or not at all.
pub(crate) fn whole_file(
    path: &Path,
    write: impl FnOnce(BufWriter<File>) -> io::Result<BufWriter<File>>,
) -> io::Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let written = create_fresh(&partial).map(BufWriter::new).and_then(write).and_then(|mut file| {
        file.flush()?;
        file.get_ref().sync_all()?;
        fs::rename(&partial, path)
    });
    if written.is_err() {
        // What was written of it is of no use; that it could not be written is what matters.
        let _ = fs::remove_file(&partial);
    }
    written
}

/// The values of a column where they lie: one run if they lie one behind the other and none is missing.
struct Runs<'py>(Vec<Bound<'py, PyArray1<u8>>>);

impl<'py> Runs<'py> {
    #[expect(clippy::type_complexity, reason = "a tuple for Python")]
    fn zip_valid(
        self,
        arrays: &[&ArrayRef],
        valid: impl Fn(&ArrayRef) -> Option<Bound<'py, PyAny>>,
    ) -> Vec<(Bound<'py, PyAny>, Option<Bound<'py, PyAny>>, Option<Bound<'py, PyAny>>)> {
        if self.0.len() < arrays.len() {
            return self.0.into_iter().map(|run| (run.into_any(), None, None)).collect();
        }
        self.0.into_iter().zip(arrays).map(|(run, array)| (run.into_any(), None, valid(array))).collect()
    }
}

fn runs<'a, 'py>(columns: &Bound<'py, Columns>, arrays: impl Iterator<Item = &'a ArrayRef>) -> PyResult<Runs<'py>> {
    let arrays: Vec<&ArrayRef> = arrays.collect();
    let parts = arrays.iter().map(|array| bytes(array)).collect::<PyResult<Vec<&[u8]>>>()?;
    let is_whole = arrays.iter().all(|array| array.null_count() == 0);
    if is_whole
        && arrays.len() > 1
        && let Some(whole) = joined(&arrays, &parts)
    {
        return Ok(Runs(vec![borrowed(columns, whole)]));
    }
    Ok(Runs(parts.into_iter().map(|part| borrowed(columns, part)).collect()))
}

/// Slices that lie one behind the other in one allocation, as one.
#[expect(unsafe_code, reason = "neighbors in one allocation are one slice")]
fn joined<'a>(arrays: &[&ArrayRef], parts: &[&'a [u8]]) -> Option<&'a [u8]> {
    let home = |array: &ArrayRef| array.to_data().buffers().first().map(|buffer| buffer.data_ptr());
    let first = home(arrays.first()?)?;
    let is_one = arrays.iter().all(|array| home(array) == Some(first));
    let follows = |pair: &[&[u8]]| pair[0].as_ptr_range().end == pair[1].as_ptr();
    if !is_one || !parts.windows(2).all(follows) {
        return None;
    }
    let length = parts.iter().map(|part| part.len()).sum();
    // SAFETY: all parts lie in one allocation, one directly behind the other, and are borrowed for as long as `'a`.
    Some(unsafe { std::slice::from_raw_parts(parts.first()?.as_ptr(), length) })
}

/// An array that shows bytes of the columns, which it keeps alive.
#[expect(unsafe_code, reason = "NumPy is given memory that it does not own")]
fn borrowed<'py>(columns: &Bound<'py, Columns>, bytes: &[u8]) -> Bound<'py, PyArray1<u8>> {
    // SAFETY: the bytes belong to buffers of the columns, which the array holds as its base and which never change.
    unsafe { PyArray1::borrow_from_array(&ArrayView1::from(bytes), columns.clone().into_any()) }
}

/// The bytes of the numbers of a column.
fn bytes(array: &ArrayRef) -> PyResult<&[u8]> {
    let none = || PyTypeError::new_err(format!("a column of {} has no array of NumPy", array.data_type()));
    let array = &**array;
    downcast_primitive_array!(
        array => Ok(array.values().inner().as_slice()),
        _ => Err(none())
    )
}

/// What NumPy calls numbers of a type.
fn numpy_type(data_type: &DataType) -> PyResult<String> {
    Ok(match data_type {
        DataType::Int8 => "i1",
        DataType::Int16 => "i2",
        DataType::Int32 => "i4",
        DataType::Int64 => "i8",
        DataType::UInt8 => "u1",
        DataType::UInt16 => "u2",
        DataType::UInt32 => "u4",
        DataType::UInt64 => "u8",
        DataType::Float16 => "f2",
        DataType::Float32 => "f4",
        DataType::Float64 => "f8",
        DataType::Timestamp(TimeUnit::Second, _) => "M8[s]",
        DataType::Timestamp(TimeUnit::Millisecond, _) => "M8[ms]",
        DataType::Timestamp(TimeUnit::Microsecond, _) => "M8[us]",
        DataType::Timestamp(TimeUnit::Nanosecond, _) => "M8[ns]",
        other => return Err(PyTypeError::new_err(format!("a column of {other} has no array of NumPy"))),
    }
    .to_owned())
}

/// Texts or bytes as objects; what repeats is one object.
fn objects<'py>(py: Python<'py>, array: &ArrayRef) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    if let Some(texts) = array.as_string_opt::<i32>() {
        let mut last: Option<(&str, Bound<'py, PyString>)> = None;
        for text in texts {
            match (text, &last) {
                (None, _) => list.append(py.None())?,
                (Some(text), Some((known, object))) if *known == text => list.append(object)?,
                (Some(text), _) => {
                    let object = PyString::new(py, text);
                    list.append(&object)?;
                    last = Some((text, object));
                }
            }
        }
    } else {
        for bytes in array.as_binary::<i32>() {
            list.append(bytes.map(|bytes| PyBytes::new(py, bytes)))?;
        }
    }
    Ok(list)
}

fn text_lists<'py>(py: Python<'py>, array: &ArrayRef) -> PyResult<Bound<'py, PyList>> {
    let lists = array.as_list::<i32>().iter().map(|texts| texts.map(|texts| objects(py, &texts)).transpose());
    PyList::new(py, lists.collect::<PyResult<Vec<_>>>()?)
}
