//! Values of features as objects of Python.

use numpy::{IntoPyArray, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};
use timeweft::read::{DType, ExternalId, Numbers};
use timeweft::{Name, Value};

/// Features by name.
pub(crate) fn features<'py>(
    py: Python<'py>,
    features: impl IntoIterator<Item = (Name, Value)>,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, value) in features {
        dict.set_item(&*name, object(py, value)?)?;
    }
    Ok(dict)
}

/// An id: a number where it is one.
pub(crate) fn id<'py>(py: Python<'py>, id: &ExternalId) -> PyResult<Bound<'py, PyAny>> {
    Ok(match id {
        ExternalId::Int(number) => number.into_pyobject(py)?.into_any(),
        ExternalId::Text(text) => PyString::new(py, text).into_any(),
    })
}

/// A value: a number, an array, a text, bytes, what JSON holds; of a sparse tensor its points and values.
fn object(py: Python<'_>, value: Value) -> PyResult<Bound<'_, PyAny>> {
    Ok(match value {
        Value::Text(text) | Value::Category(text) => PyString::new(py, &text).into_any(),
        Value::Bytes(bytes) => PyBytes::new(py, &bytes).into_any(),
        Value::Json(json) => of_json(py, &json)?,
        Value::Dense(dense) => {
            let array = array(py, dense.numbers)?;
            if dense.scalar { array.call_method0("item")? } else { array }
        }
        Value::Sparse(sparse) => {
            let rank = sparse.rank.max(1) as usize;
            let points = sparse.coordinates.len() / rank;
            let coordinates = sparse.coordinates.into_pyarray(py).reshape([points, rank])?;
            (coordinates, array(py, sparse.values)?).into_pyobject(py)?.into_any()
        }
    })
}

fn array(py: Python<'_>, numbers: Numbers) -> PyResult<Bound<'_, PyAny>> {
    Ok(match numbers {
        Numbers::F64(values) => values.into_pyarray(py).into_any(),
        Numbers::F32(values) => values.into_pyarray(py).into_any(),
        Numbers::I64(values) => values.into_pyarray(py).into_any(),
        Numbers::I32(values) => values.into_pyarray(py).into_any(),
        Numbers::I16(values) => values.into_pyarray(py).into_any(),
        Numbers::I8(values) => values.into_pyarray(py).into_any(),
        Numbers::U64(values) => values.into_pyarray(py).into_any(),
        Numbers::U32(values) => values.into_pyarray(py).into_any(),
        Numbers::U16(values) => values.into_pyarray(py).into_any(),
        Numbers::U8(values) => values.into_pyarray(py).into_any(),
        halves @ Numbers::F16(_) => {
            debug_assert_eq!(halves.dtype(), DType::F16);
            halves.to_le_bytes().into_pyarray(py).call_method1("view", ("f2",))?
        }
    })
}

fn of_json<'py>(py: Python<'py>, json: &serde_json::Value) -> PyResult<Bound<'py, PyAny>> {
    use serde_json::Value as Json;
    Ok(match json {
        Json::Null => py.None().into_bound(py),
        Json::Bool(truth) => truth.into_pyobject(py)?.to_owned().into_any(),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => number.into_pyobject(py)?.into_any(),
            (None, Some(number)) => number.into_pyobject(py)?.into_any(),
            (None, None) => number.as_f64().into_pyobject(py)?,
        },
        Json::String(text) => PyString::new(py, text).into_any(),
        Json::Array(items) => {
            let items = items.iter().map(|item| of_json(py, item)).collect::<PyResult<Vec<_>>>()?;
            PyList::new(py, items)?.into_any()
        }
        Json::Object(members) => {
            let dict = PyDict::new(py);
            for (name, member) in members {
                dict.set_item(name, of_json(py, member)?)?;
            }
            dict.into_any()
        }
    })
}
