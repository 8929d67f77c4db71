//! An array in memory, or in a file that is mapped into memory.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut, Range};
use std::sync::Arc;

use bytemuck::Pod;
use memmap2::Mmap;

/// Reads like a slice and grows like a [`Vec`]. One that lies in a file is read where it lies, without a copy, and copied
/// into memory when it is first written to.
pub(crate) enum Array<T: Pod> {
    Own(Vec<T>),
    Mapped(Mapped<T>),
}

/// A part of a file, checked to hold whole values of `T`, aligned.
pub(crate) struct Mapped<T> {
    file: Arc<Mmap>,
    bytes: Range<usize>,
    of: PhantomData<T>,
}

impl<T: Pod> Array<T> {
    /// The values in a part of a file; `None` if the part is not in the file, not aligned or not a whole number of them.
    pub(crate) fn mapped(file: &Arc<Mmap>, bytes: Range<usize>) -> Option<Array<T>> {
        bytemuck::try_cast_slice::<u8, T>(file.get(bytes.clone())?).ok()?;
        Some(Array::Mapped(Mapped { file: file.clone(), bytes, of: PhantomData }))
    }

    /// Appends a value.
    pub(crate) fn push(&mut self, value: T) {
        self.own().push(value);
    }

    /// Makes room for so many more.
    pub(crate) fn reserve(&mut self, more: usize) {
        if more > 0 {
            self.own_with(more).reserve(more);
        }
    }

    /// How many there is room for in memory.
    pub(crate) fn capacity(&self) -> usize {
        match self {
            Array::Own(values) => values.capacity(),
            Array::Mapped(_) => self.len(),
        }
    }

    /// The values in memory, to be changed.
    pub(crate) fn own(&mut self) -> &mut Vec<T> {
        // Whoever writes to a part of a file most often goes on.
        self.own_with(self.len() / 16)
    }

    fn own_with(&mut self, more: usize) -> &mut Vec<T> {
        if let Array::Mapped(_) = self {
            let mut values = Vec::with_capacity(self.len() + more);
            values.extend_from_slice(self);
            *self = Array::Own(values);
        }
        match self {
            Array::Own(values) => values,
            Array::Mapped(_) => unreachable!("was copied into memory above"),
        }
    }
}

impl<T: Pod> Deref for Array<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        match self {
            Array::Own(values) => values,
            // Length and alignment were checked when the part was taken; the map never moves.
            Array::Mapped(part) => bytemuck::cast_slice(&part.file[part.bytes.clone()]),
        }
    }
}

impl<T: Pod> DerefMut for Array<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        self.own()
    }
}

impl<T: Pod> Default for Array<T> {
    fn default() -> Array<T> {
        Array::Own(Vec::new())
    }
}

impl<T: Pod> From<Vec<T>> for Array<T> {
    fn from(values: Vec<T>) -> Array<T> {
        Array::Own(values)
    }
}

impl<T: Pod> Clone for Array<T> {
    fn clone(&self) -> Array<T> {
        match self {
            Array::Own(values) => Array::Own(values.clone()),
            Array::Mapped(part) => {
                Array::Mapped(Mapped { file: part.file.clone(), bytes: part.bytes.clone(), of: PhantomData })
            }
        }
    }
}

impl<T: Pod + fmt::Debug> fmt::Debug for Array<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<'a, T: Pod> IntoIterator for &'a Array<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
