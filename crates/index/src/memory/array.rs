//! An array in memory, or in pages that the system maps: those of a file, or empty ones.

use std::fmt;
use std::fs::File;
use std::io;
use std::ops::{Index, IndexMut, Range, RangeFrom, RangeTo};
use std::sync::atomic::{AtomicBool, Ordering};

use bytemuck::Pod;

use crate::memory::blocks::{Blocks, shift};
#[cfg(unix)]
use crate::memory::region::Region;

/// Reads and grows like a [`Vec`]. One that begins in a file is read where it lies; what is written to it changes memory
/// and not the file, and costs a copy of the page that it is on. Only when its room is full is all of it copied.
///
/// What comes from a file is compared with its hashes before it is used: whatever reads values checks the blocks that they lie
/// in ([`Blocks`]), and whatever reads all of them, or moves them, checks all. There is no way to all values as one slice
/// that does not.
pub(crate) struct Array<T: Pod> {
    memory: Memory<T>,
    /// Of values from a file.
    blocks: Option<Box<Blocks>>,
    /// Whether some of them were not compared yet. It lies beside the memory, so that reading what was compared costs one
    /// look at a place that is read anyway.
    must_check: AtomicBool,
}

enum Memory<T> {
    Own(Vec<T>),
    #[cfg(unix)]
    Mapped {
        region: Region,
        len: usize,
        /// Whether it was ever lent for writing, or appended to.
        written: bool,
        of: std::marker::PhantomData<T>,
    },
}

impl<T: Pod> Array<T> {
    /// The values in a part of a file, whose blocks were made for these values.
    ///
    /// # Safety
    /// The file must not be written to or cut while the array is in use.
    #[allow(unsafe_code)]
    pub(crate) unsafe fn mapped(file: &File, part: Range<u64>, blocks: Blocks) -> io::Result<Array<T>> {
        let bytes = part.end.saturating_sub(part.start) as usize;
        if !bytes.is_multiple_of(size_of::<T>()) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is not a whole number of values"));
        }
        let (blocks, must_check) = (Some(Box::new(blocks)), AtomicBool::new(true));
        #[cfg(unix)]
        {
            // SAFETY: as promised by the caller.
            let region = unsafe { Region::map(file, part, bytes / 8 + (1 << 16)) }?;
            let (len, of) = (bytes / size_of::<T>(), std::marker::PhantomData);
            Ok(Array { memory: Memory::Mapped { region, len, written: false, of }, blocks, must_check })
        }
        #[cfg(not(unix))]
        {
            use std::io::{Read, Seek, SeekFrom};
            let mut values = vec![T::zeroed(); bytes / size_of::<T>()];
            let mut file = file;
            file.seek(SeekFrom::Start(part.start))?;
            file.read_exact(bytemuck::cast_slice_mut(&mut values))?;
            Ok(Array { memory: Memory::Own(values), blocks, must_check })
        }
    }

    /// `len` zeros, to be written once and read in any order: in large pages where the system has them.
    pub(crate) fn zeros_read_everywhere(len: usize) -> Array<T> {
        #[cfg(unix)]
        if let Some(region) = len.checked_mul(size_of::<T>()).and_then(|bytes| Region::room(bytes, 0).ok()) {
            let memory = Memory::Mapped { region, len, written: true, of: std::marker::PhantomData };
            return Array { memory, blocks: None, must_check: AtomicBool::new(false) }.read_everywhere();
        }
        vec![T::zeroed(); len].into()
    }

    /// The same, to be read in any order and much of it: what is read from a file is read by large pages, which costs more
    /// for the first value and less for all others.
    pub(crate) fn read_everywhere(self) -> Array<T> {
        #[cfg(unix)]
        if let Memory::Mapped { region, .. } = &self.memory {
            region.prefer_large_pages();
        }
        self
    }

    /// Gives memory back that the system can read from the file again.
    pub(crate) fn release(&self) {
        #[cfg(unix)]
        if let (Memory::Mapped { region, written: false, .. }, Some(_)) = (&self.memory, &self.blocks) {
            region.release();
        }
    }

    /// How many values it has.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        match &self.memory {
            Memory::Own(values) => values.len(),
            #[cfg(unix)]
            Memory::Mapped { len, .. } => *len,
        }
    }

    /// Compares all that is left to compare with its hash.
    #[inline]
    pub(crate) fn check_all(&self) {
        if !self.is_checked() {
            self.compare_all();
        }
    }

    #[cold]
    fn compare_all(&self) {
        if let Some(blocks) = &self.blocks {
            blocks.check_all(bytemuck::cast_slice(self.unchecked()));
        }
        self.must_check.store(false, Ordering::Relaxed);
    }

    /// Whether all of it may be used as it is.
    #[inline]
    pub(crate) fn is_checked(&self) -> bool {
        !self.must_check.load(Ordering::Relaxed)
    }

    /// All values.
    #[inline]
    pub(crate) fn all(&self) -> &[T] {
        self.check_all();
        self.unchecked()
    }

    /// All values, one after the other.
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, T> {
        self.all().iter()
    }

    /// The same to be changed.
    pub(crate) fn iter_mut(&mut self) -> std::slice::IterMut<'_, T> {
        self.check_all();
        self.unchecked_mut().iter_mut()
    }

    /// For readers of many places: what it takes to read is looked up once.
    #[inline]
    pub(crate) fn checked(&self) -> Checked<'_, T> {
        let blocks = if self.is_checked() { None } else { self.blocks_to_compare() };
        Checked { values: self.unchecked(), blocks }
    }

    /// The blocks, unless half of them were compared: then the others are compared here.
    #[cold]
    fn blocks_to_compare(&self) -> Option<&Blocks> {
        let blocks = self.blocks.as_deref().filter(|blocks| !blocks.are_half_compared());
        if blocks.is_none() {
            self.compare_all();
        }
        blocks
    }

    /// The value at a place, if there is one.
    #[inline]
    pub(crate) fn get(&self, at: usize) -> Option<&T> {
        self.check_range(at..at.wrapping_add(1));
        self.unchecked().get(at)
    }

    /// The values in a range, if the array reaches to its end.
    #[inline]
    pub(crate) fn get_range(&self, range: Range<usize>) -> Option<&[T]> {
        self.check_range(range.clone());
        self.unchecked().get(range)
    }

    /// The value at a place for writing, if there is one.
    pub(crate) fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        self.check_range(at..at.saturating_add(1));
        self.unchecked_mut().get_mut(at)
    }

    /// The last value.
    pub(crate) fn last(&self) -> Option<&T> {
        self.get(self.len().wrapping_sub(1))
    }

    /// Checks the blocks of a range.
    #[inline]
    fn check_range(&self, range: Range<usize>) {
        if !self.is_checked() {
            self.compare_range(range);
        }
    }

    /// Checks the blocks of a range. Once half of all were compared, the others are too: that costs no more again, and then
    /// nothing is asked any more.
    #[inline(never)]
    fn compare_range(&self, range: Range<usize>) {
        let Some(blocks) = &self.blocks else { return };
        self.checked().check_range(range);
        if blocks.are_half_compared() {
            self.check_all();
        }
    }

    /// The values as they are. Only for what checks them, and for addresses.
    #[inline]
    #[allow(unsafe_code)]
    fn unchecked(&self) -> &[T] {
        match &self.memory {
            Memory::Own(values) => values,
            #[cfg(unix)]
            // SAFETY: the region begins with that many values, at the beginning of a page; any bits are a value.
            Memory::Mapped { region, len, .. } => unsafe {
                std::slice::from_raw_parts(region.start().cast().as_ptr(), *len)
            },
        }
    }

    #[inline]
    #[allow(unsafe_code)]
    fn unchecked_mut(&mut self) -> &mut [T] {
        match &mut self.memory {
            Memory::Own(values) => values,
            #[cfg(unix)]
            Memory::Mapped { region, len, written, .. } => {
                *written = true;
                // SAFETY: as above; the array alone has the region.
                unsafe { std::slice::from_raw_parts_mut(region.start().cast().as_ptr(), *len) }
            }
        }
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
        match &mut self.memory {
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

    /// Makes room for `more` values.
    pub(crate) fn reserve(&mut self, more: usize) {
        if let Memory::Own(values) = self.with_room(more) {
            values.reserve(more);
        }
    }

    /// Writes to the room for `more` values, as far as there is room.
    pub(crate) fn touch(&mut self, more: usize) {
        if let Memory::Own(values) = &mut self.memory {
            let len = values.len();
            values.resize(values.capacity().min(len + more), T::zeroed());
            values.truncate(len);
        }
    }

    /// How many more there is room for.
    pub(crate) fn room(&self) -> usize {
        match &self.memory {
            Memory::Own(values) => values.capacity() - values.len(),
            #[cfg(unix)]
            Memory::Mapped { region, len, .. } => region.bytes() / size_of::<T>() - len,
        }
    }

    /// The memory, moved to where there is room for more if it is mapped and has none.
    #[inline]
    fn with_room(&mut self, more: usize) -> &mut Memory<T> {
        #[cfg(unix)]
        if matches!(self.memory, Memory::Mapped { .. }) && self.room() < more {
            let mut values = Vec::with_capacity(self.len() + self.len() / 2 + more);
            values.extend_from_slice(self.all());
            *self = values.into();
        }
        &mut self.memory
    }

    /// Appends values to mapped memory that has room for them.
    #[cfg(unix)]
    #[allow(unsafe_code)]
    fn append(&mut self, more: &[T]) {
        if self.room() < more.len() {
            return;
        }
        if let Memory::Mapped { region, len, written, .. } = &mut self.memory {
            *written = true;
            // SAFETY: behind the values there is room for that many more, as compared above.
            unsafe {
                let end = region.start().cast::<T>().add(*len);
                std::ptr::copy_nonoverlapping(more.as_ptr(), end.as_ptr(), more.len());
            }
            *len += more.len();
        }
    }
}

/// An array to be read at many places. Once all of it was compared, nothing is asked any more.
pub(crate) struct Checked<'a, T> {
    /// All of them: blocks are compared as they are in the file.
    values: &'a [T],
    /// Of values that were not all compared yet.
    blocks: Option<&'a Blocks>,
}

impl<T> Clone for Checked<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Checked<'_, T> {}

impl<'a, T: Pod> Checked<'a, T> {
    /// How many values there are.
    #[inline]
    pub(crate) fn len(self) -> usize {
        self.values.len()
    }

    /// The value at a place, if there is one.
    #[inline]
    pub(crate) fn get(self, at: usize) -> Option<&'a T> {
        if let Some(blocks) = self.blocks {
            blocks.check(at >> shift::<T>(), bytemuck::cast_slice(self.values));
        }
        self.values.get(at)
    }

    /// The value at a place.
    #[inline]
    pub(crate) fn at(self, at: usize) -> &'a T {
        if let Some(blocks) = self.blocks {
            blocks.check(at >> shift::<T>(), bytemuck::cast_slice(self.values));
        }
        &self.values[at]
    }

    /// The values in a range.
    #[inline]
    pub(crate) fn range(self, range: Range<usize>) -> &'a [T] {
        self.check_range(range.clone());
        &self.values[range]
    }

    /// How many of the first `len` values are before a point: `before` holds for these and for none after them.
    pub(crate) fn partition_point(self, len: usize, mut before: impl FnMut(&T) -> bool) -> usize {
        let (mut start, mut end) = (0, len);
        while start < end {
            let middle = start + (end - start) / 2;
            if before(self.at(middle)) { start = middle + 1 } else { end = middle }
        }
        start
    }

    #[inline]
    fn check_range(self, range: Range<usize>) {
        if let Some(blocks) = self.blocks
            && range.start < range.end
        {
            let last = (range.end.min(self.values.len()).max(1) - 1) >> shift::<T>();
            for block in range.start >> shift::<T>()..=last {
                blocks.check(block, bytemuck::cast_slice(self.values));
            }
        }
    }
}

impl<T: Pod> Index<usize> for Array<T> {
    type Output = T;

    #[inline]
    fn index(&self, at: usize) -> &T {
        self.check_range(at..at.wrapping_add(1));
        &self.unchecked()[at]
    }
}

impl<T: Pod> IndexMut<usize> for Array<T> {
    #[inline]
    fn index_mut(&mut self, at: usize) -> &mut T {
        self.check_range(at..at.saturating_add(1));
        &mut self.unchecked_mut()[at]
    }
}

impl<T: Pod> Index<Range<usize>> for Array<T> {
    type Output = [T];

    #[inline]
    fn index(&self, range: Range<usize>) -> &[T] {
        self.check_range(range.clone());
        &self.unchecked()[range]
    }
}

impl<T: Pod> IndexMut<Range<usize>> for Array<T> {
    fn index_mut(&mut self, range: Range<usize>) -> &mut [T] {
        self.check_range(range.clone());
        &mut self.unchecked_mut()[range]
    }
}

impl<T: Pod> Index<RangeFrom<usize>> for Array<T> {
    type Output = [T];

    fn index(&self, range: RangeFrom<usize>) -> &[T] {
        &self[range.start..self.len()]
    }
}

impl<T: Pod> IndexMut<RangeFrom<usize>> for Array<T> {
    fn index_mut(&mut self, range: RangeFrom<usize>) -> &mut [T] {
        let len = self.len();
        &mut self[range.start..len]
    }
}

impl<T: Pod> Index<RangeTo<usize>> for Array<T> {
    type Output = [T];

    fn index(&self, range: RangeTo<usize>) -> &[T] {
        &self[0..range.end]
    }
}

impl<T: Pod> Default for Array<T> {
    fn default() -> Array<T> {
        Vec::new().into()
    }
}

impl<T: Pod> From<Vec<T>> for Array<T> {
    fn from(values: Vec<T>) -> Array<T> {
        Array { memory: Memory::Own(values), blocks: None, must_check: AtomicBool::new(false) }
    }
}

impl<T: Pod> Clone for Array<T> {
    fn clone(&self) -> Array<T> {
        self.all().to_vec().into()
    }
}

impl<T: Pod + fmt::Debug> fmt::Debug for Array<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.all().fmt(f)
    }
}

impl<'a, T: Pod> IntoIterator for &'a Array<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Starts to bring a place of an array into the nearest cache: the line that it begins in. Nothing is read of it here, so
/// nothing is checked.
#[inline]
pub(crate) fn prefetch<'a, T: 'a>(array: impl Into<Places<'a, T>>, at: usize) {
    if let Some(place) = array.into().0.get(at) {
        fetch_line(std::ptr::from_ref(place).cast());
    }
}

/// The same for a place that may lie in two lines.
#[inline]
pub(crate) fn prefetch_both<'a, T: 'a>(array: impl Into<Places<'a, T>>, at: usize) {
    if let Some(place) = array.into().0.get(at) {
        let start: *const u8 = std::ptr::from_ref(place).cast();
        fetch_line(start);
        fetch_line(start.wrapping_add(size_of::<T>().saturating_sub(1)));
    }
}

/// Where values lie; not what they are.
pub(crate) struct Places<'a, T>(&'a [T]);

impl<T> Clone for Places<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Places<'_, T> {}

impl<'a, T: Pod> From<&'a Array<T>> for Places<'a, T> {
    #[inline]
    fn from(array: &'a Array<T>) -> Self {
        Places(array.unchecked())
    }
}

impl<'a, T> From<Checked<'a, T>> for Places<'a, T> {
    #[inline]
    fn from(array: Checked<'a, T>) -> Self {
        Places(array.values)
    }
}

impl<'a, T: Pod> From<&'a Array<T>> for Checked<'a, T> {
    #[inline]
    fn from(array: &'a Array<T>) -> Self {
        array.checked()
    }
}

impl<'a, T> From<&'a [T]> for Places<'a, T> {
    #[inline]
    fn from(values: &'a [T]) -> Self {
        Places(values)
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
