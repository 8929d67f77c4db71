//! Arrays of NumPy: read in place, and handed over without a copy.
//!
//! Dense numbers and times are `repr(transparent)` over the numbers that NumPy knows, so a vector of them is one of those.

use numpy::{Element, IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use timeweft::Time;
use timeweft::read::{EdgeIndex, NodeIndex};

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

#[expect(unsafe_code, reason = "`Time` is `repr(transparent)` over `i64`")]
// SAFETY: it is `repr(transparent)` over `i64`.
unsafe impl Transparent for Time {
    type Number = i64;
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
