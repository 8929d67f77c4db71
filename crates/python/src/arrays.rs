//! Arrays of NumPy: read in place, and handed over without a copy.
//!
//! Dense numbers and times are `repr(transparent)` over the numbers that NumPy knows, so a vector of them is one of those.

//!
//! What is read in place lies in memory that the interpreter's other threads may write to while this one has let go of it.
//! Borrows (`read`, `write`) rule that out among calls of this module: an array that one call writes to is refused by all
//! others. They cannot rule it out for what writes to an array of the caller without asking, as `nodes[0] = 3` on another
//! thread does. Copying each input would, and would cost as much as small questions do; so it is left to the caller, as
//! NumPy's own functions leave it. Such a call gives a wrong answer, and no more than that: what is read of an input is only
//! ever compared and used as an index that is checked.

use numpy::ndarray::Dimension;
use numpy::{
    BorrowError, Element, IntoPyArray, PyArray, PyArray1, PyArrayMethods, PyReadonlyArray, PyReadonlyArray1,
    PyReadwriteArray,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use timeweft::Time;
use timeweft::read::{EdgeIndex, EdgeTypeId, NodeIndex};

/// What lies in memory exactly as the numbers of `Self::Number` do.
///
/// # Safety
/// The type is `repr(transparent)` over `Number`.
#[expect(unsafe_code, reason = "the layout is promised by the type, as the implementations say")]
pub(crate) unsafe trait Transparent: Sized {
    /// What NumPy knows it as.
    type Number: Element;
}

#[expect(unsafe_code, reason = "`NodeIndex` is `repr(transparent)` over `u32`")]
// SAFETY: it is `repr(transparent)` over `u32`.
unsafe impl Transparent for NodeIndex {
    type Number = u32;
}

#[expect(unsafe_code, reason = "`EdgeIndex` is `repr(transparent)` over `u32`")]
// SAFETY: it is `repr(transparent)` over `u32`.
unsafe impl Transparent for EdgeIndex {
    type Number = u32;
}

#[expect(unsafe_code, reason = "`EdgeTypeId` is `repr(transparent)` over `u16`")]
// SAFETY: it is `repr(transparent)` over `u16`.
unsafe impl Transparent for EdgeTypeId {
    type Number = u16;
}

#[expect(unsafe_code, reason = "`Time` is `repr(transparent)` over `i64`")]
// SAFETY: it is `repr(transparent)` over `i64`.
unsafe impl Transparent for Time {
    type Number = i64;
}

/// An array that is read during a call.
pub(crate) fn read<'py, T: Element, D: Dimension>(
    array: &Bound<'py, PyArray<T, D>>,
    name: &str,
) -> PyResult<PyReadonlyArray<'py, T, D>> {
    array.try_readonly().map_err(|_| in_use(name))
}

/// An array that is written to during a call.
pub(crate) fn write<'py, T: Element, D: Dimension>(
    array: &Bound<'py, PyArray<T, D>>,
    name: &str,
) -> PyResult<PyReadwriteArray<'py, T, D>> {
    array.try_readwrite().map_err(|error| match error {
        BorrowError::NotWriteable => PyValueError::new_err(format!("{name}: the array is read-only")),
        _ => in_use(name),
    })
}

fn in_use(name: &str) -> PyErr {
    PyValueError::new_err(format!(
        "{name}: the array shares memory with another argument, or a call on another thread writes to it"
    ))
}

/// The numbers of an array, where they are written.
#[expect(unsafe_code, reason = "a slice of transparent values is written as one")]
pub(crate) fn slice_mut<'a, T: Transparent, D: Dimension>(
    array: &'a mut PyReadwriteArray<'_, T::Number, D>,
) -> PyResult<&'a mut [T]> {
    let numbers = array.as_slice_mut()?;
    // SAFETY: `T` is `repr(transparent)` over its number, so size, alignment and all values agree.
    Ok(unsafe { std::slice::from_raw_parts_mut(numbers.as_mut_ptr().cast(), numbers.len()) })
}

/// The numbers of an array, where they lie.
#[expect(unsafe_code, reason = "a slice of transparent values is read as one")]
pub(crate) fn slice<'a, T: Transparent>(array: &'a PyReadonlyArray1<'_, T::Number>) -> PyResult<&'a [T]> {
    let numbers = array.as_slice()?;
    // SAFETY: `T` is `repr(transparent)` over its number, so size, alignment and all values agree.
    Ok(unsafe { std::slice::from_raw_parts(numbers.as_ptr().cast(), numbers.len()) })
}

/// A vector as an array that owns it.
#[expect(unsafe_code, reason = "a vector of transparent values is handed over as one of numbers")]
pub(crate) fn owned<T: Transparent>(py: Python<'_>, values: Vec<T>) -> Bound<'_, PyArray1<T::Number>> {
    let mut values = std::mem::ManuallyDrop::new(values);
    // SAFETY: `T` is `repr(transparent)` over its number, so pointer, length and capacity are those of a vector of it,
    // which owns them from here on.
    let numbers = unsafe { Vec::from_raw_parts(values.as_mut_ptr().cast(), values.len(), values.capacity()) };
    numbers.into_pyarray(py)
}
