//! An array in memory, or in pages that the system maps: those of a file, or empty ones.

use std::fmt;
use std::fs::File;
use std::io;
use std::ops::{Deref, DerefMut, Range};

use bytemuck::Pod;

#[cfg(unix)]
use crate::region::Region;

/// Reads and grows like a [`Vec`]. One that begins in a file is read where it lies; what is written to it changes memory
/// and not the file, and costs a copy of the page that it is on. Only when its room is full is all of it copied.
pub(crate) struct Array<T: Pod>(Memory<T>);

enum Memory<T> {
    Own(Vec<T>),
    #[cfg(unix)]
    Mapped {
        region: Region,
        len: usize,
        of: std::marker::PhantomData<T>,
    },
}

impl<T: Pod> Array<T> {
    /// The values in a part of a file.
    ///
    /// # Safety
    /// The file must not be written to or cut while the array is in use.
    #[allow(unsafe_code)]
    pub(crate) unsafe fn mapped(file: &File, part: Range<u64>) -> io::Result<Array<T>> {
        let bytes = part.end.saturating_sub(part.start) as usize;
        if !bytes.is_multiple_of(size_of::<T>()) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is not a whole number of values"));
        }
        #[cfg(unix)]
        {
            // SAFETY: as promised by the caller.
            let region = unsafe { Region::map(file, part, bytes / 8 + (1 << 16)) }?;
            Ok(Array(Memory::Mapped { region, len: bytes / size_of::<T>(), of: std::marker::PhantomData }))
        }
        #[cfg(not(unix))]
        {
            use std::io::{Read, Seek, SeekFrom};
            let mut values = vec![T::zeroed(); bytes / size_of::<T>()];
            let mut file = file;
            file.seek(SeekFrom::Start(part.start))?;
            file.read_exact(bytemuck::cast_slice_mut(&mut values))?;
            Ok(values.into())
        }
    }

    /// So many zeros, to be written once and read in any order: in large pages where the system has them.
    pub(crate) fn zeros_read_everywhere(len: usize) -> Array<T> {
        #[cfg(unix)]
        if let Some(region) = len.checked_mul(size_of::<T>()).and_then(|bytes| Region::room(bytes, 0).ok()) {
            return Array(Memory::Mapped { region, len, of: std::marker::PhantomData }).read_everywhere();
        }
        vec![T::zeroed(); len].into()
    }

    /// The same, to be read in any order and much of it: what is read from a file is read by large pages, which costs more
    /// for the first value and less for all others.
    pub(crate) fn read_everywhere(self) -> Array<T> {
        #[cfg(unix)]
        if let Memory::Mapped { region, .. } = &self.0 {
            region.prefer_large_pages();
        }
        self
    }

    /// Appends a value.
    #[inline]
    pub(crate) fn push(&mut self, value: T) {
        match self.with_room(1) {
            Memory::Own(values) => values.push(value),
            #[cfg(unix)]
            Memory::Mapped { .. } => self.append(&[value]),
        }
    }

    /// Appends some values.
    pub(crate) fn extend_from_slice(&mut self, more: &[T]) {
        match self.with_room(more.len()) {
            Memory::Own(values) => values.extend_from_slice(more),
            #[cfg(unix)]
            Memory::Mapped { .. } => self.append(more),
        }
    }

    /// Appends values one by one.
    pub(crate) fn extend(&mut self, more: impl IntoIterator<Item = T>) {
        match &mut self.0 {
            Memory::Own(values) => values.extend(more),
            #[cfg(unix)]
            Memory::Mapped { .. } => more.into_iter().for_each(|value| self.push(value)),
        }
    }

    /// Appends a value as often as it takes to get to a length, if it is shorter.
    pub(crate) fn grow(&mut self, len: usize, value: T) {
        match self.with_room(len.saturating_sub(self.len())) {
            Memory::Own(values) if values.len() < len => values.resize(len, value),
            _ => (self.len()..len).for_each(|_| self.push(value)),
        }
    }

    /// Makes room for so many more.
    pub(crate) fn reserve(&mut self, more: usize) {
        if let Memory::Own(values) = self.with_room(more) {
            values.reserve(more);
        }
    }

    /// Writes to the room for so many more, as far as there is room.
    pub(crate) fn touch(&mut self, more: usize) {
        if let Memory::Own(values) = &mut self.0 {
            let len = values.len();
            values.resize(values.capacity().min(len + more), T::zeroed());
            values.truncate(len);
        }
    }

    /// How many more there is room for.
    pub(crate) fn room(&self) -> usize {
        match &self.0 {
            Memory::Own(values) => values.capacity() - values.len(),
            #[cfg(unix)]
            Memory::Mapped { region, len, .. } => region.bytes() / size_of::<T>() - len,
        }
    }

    /// The memory, moved to where there is room for more if it is mapped and has none.
    #[inline]
    fn with_room(&mut self, more: usize) -> &mut Memory<T> {
        #[cfg(unix)]
        if matches!(self.0, Memory::Mapped { .. }) && self.room() < more {
            let mut values = Vec::with_capacity(self.len() + self.len() / 2 + more);
            values.extend_from_slice(self);
            self.0 = Memory::Own(values);
        }
        &mut self.0
    }

    /// Appends values to mapped memory that has room for them.
    #[cfg(unix)]
    #[allow(unsafe_code)]
    fn append(&mut self, more: &[T]) {
        if self.room() < more.len() {
            return;
        }
        if let Memory::Mapped { region, len, .. } = &mut self.0 {
            // SAFETY: behind the values there is room for so many more, as compared above.
            unsafe {
                let end = region.start().cast::<T>().add(*len);
                std::ptr::copy_nonoverlapping(more.as_ptr(), end.as_ptr(), more.len());
            }
            *len += more.len();
        }
    }
}

impl<T: Pod> Deref for Array<T> {
    type Target = [T];

    #[inline]
    #[allow(unsafe_code)]
    fn deref(&self) -> &[T] {
        match &self.0 {
            Memory::Own(values) => values,
            #[cfg(unix)]
            // SAFETY: the region begins with so many values, at the beginning of a page; any bits are a value.
            Memory::Mapped { region, len, .. } => unsafe {
                std::slice::from_raw_parts(region.start().cast().as_ptr(), *len)
            },
        }
    }
}

impl<T: Pod> DerefMut for Array<T> {
    #[inline]
    #[allow(unsafe_code)]
    fn deref_mut(&mut self) -> &mut [T] {
        match &mut self.0 {
            Memory::Own(values) => values,
            #[cfg(unix)]
            // SAFETY: as above; the array alone has the region.
            Memory::Mapped { region, len, .. } => unsafe {
                std::slice::from_raw_parts_mut(region.start().cast().as_ptr(), *len)
            },
        }
    }
}

impl<T: Pod> Default for Array<T> {
    fn default() -> Array<T> {
        Vec::new().into()
    }
}

impl<T: Pod> From<Vec<T>> for Array<T> {
    fn from(values: Vec<T>) -> Array<T> {
        Array(Memory::Own(values))
    }
}

impl<T: Pod> Clone for Array<T> {
    fn clone(&self) -> Array<T> {
        self.to_vec().into()
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

/// Starts to bring a place of an array into the nearest cache: the line that it begins in.
#[inline]
pub(crate) fn fetch<T>(array: &[T], at: usize) {
    if let Some(place) = array.get(at) {
        fetch_line(std::ptr::from_ref(place).cast());
    }
}

/// The same for a place that may lie in two lines.
#[inline]
pub(crate) fn fetch_both<T>(array: &[T], at: usize) {
    if let Some(place) = array.get(at) {
        let start: *const u8 = std::ptr::from_ref(place).cast();
        fetch_line(start);
        fetch_line(start.wrapping_add(size_of::<T>().saturating_sub(1)));
    }
}

#[inline]
fn fetch_line(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        #[expect(
            unsafe_code,
            reason = "std has no safe way to fetch ahead; an address that is borrowed is always good"
        )]
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(address.cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}
