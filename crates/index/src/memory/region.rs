//! Memory that the system maps: a part of a file, or empty pages.

use std::fs::File;
use std::io;
use std::ops::Range;

/// A range of addresses: a part of a file, mapped so that writing to it changes memory only and not the file, and behind it
/// pages that cost nothing until they are written to.
pub(crate) struct Region {
    start: std::ptr::NonNull<u8>,
    bytes: usize,
}

/// Parts begin at multiples of this in the file: the largest page of common systems. Where pages are larger, a snapshot
/// cannot be mapped.
pub(crate) const PAGE: usize = 1 << 14;

/// The large page of common systems. A part lies in memory as it lies in the file in this respect, so that the system can
/// use large pages where it keeps the file in such, and fewer translations of addresses are missed.
const HUGE: usize = 1 << 21;

#[allow(unsafe_code)]
mod unix {
    use std::os::fd::AsRawFd;
    use std::ptr::{NonNull, null_mut};

    use super::*;

    impl Region {
        /// Maps a part of a file, with at least `room` bytes of empty pages behind it.
        ///
        /// # Safety
        /// The file must not be written to or cut while the region is in use.
        pub(crate) unsafe fn map(file: &File, part: Range<u64>, room: usize) -> io::Result<Region> {
            let invalid = |problem| io::Error::new(io::ErrorKind::InvalidData, problem);
            let length = part.end.checked_sub(part.start).and_then(|length| usize::try_from(length).ok());
            let length = length.ok_or_else(|| invalid("a part of the file is too long for this machine"))?;
            let offset = libc::off_t::try_from(part.start).map_err(|_| invalid("a part begins too late"))?;
            let bytes = length.checked_add(room).ok_or_else(|| invalid("a part of the file is too long"))?;
            // As far behind the border of a large page as the part is in the file.
            let region = Region::room(bytes, part.start as usize)?;
            if length > 0 {
                // SAFETY: replaces the first pages of the range that was made above and that only this region knows.
                let mapped = unsafe {
                    libc::mmap(
                        region.start.as_ptr().cast(),
                        length,
                        libc::PROT_READ | libc::PROT_WRITE,
                        libc::MAP_PRIVATE | libc::MAP_NORESERVE | libc::MAP_FIXED,
                        file.as_raw_fd(),
                        offset,
                    )
                };
                if mapped == libc::MAP_FAILED {
                    return Err(io::Error::last_os_error());
                }
            }
            Ok(region)
        }

        /// At least `bytes` zeros, which begin as far behind the border of a large page as `offset` is.
        pub(crate) fn room(bytes: usize, offset: usize) -> io::Result<Region> {
            let bytes = bytes.max(1).checked_next_multiple_of(PAGE).and_then(|bytes| bytes.checked_add(HUGE));
            let bytes = bytes.ok_or(io::ErrorKind::OutOfMemory)?;
            let access = libc::PROT_READ | libc::PROT_WRITE;
            let kind = libc::MAP_PRIVATE | libc::MAP_NORESERVE | libc::MAP_ANONYMOUS;
            // SAFETY: a new range of addresses, which nothing else uses.
            let start = unsafe { libc::mmap(null_mut(), bytes, access, kind, -1, 0) };
            if start == libc::MAP_FAILED {
                return Err(io::Error::last_os_error());
            }
            let skip = offset.wrapping_sub(start as usize) % HUGE;
            if skip > 0 {
                // SAFETY: the first pages of the range that was made above, which nothing uses.
                unsafe { libc::munmap(start, skip) };
            }
            let start = NonNull::new(start.cast::<u8>().wrapping_add(skip)).ok_or(io::ErrorKind::OutOfMemory)?;
            Ok(Region { start, bytes: bytes - skip })
        }

        /// Asks the system to bring it into memory by large pages, as far as it can; elsewhere this does nothing.
        pub(crate) fn prefer_large_pages(&self) {
            #[cfg(target_os = "linux")]
            // SAFETY: says how the range is best brought into memory, and changes nothing in it.
            unsafe {
                libc::madvise(self.start.as_ptr().cast(), self.bytes, libc::MADV_HUGEPAGE)
            };
        }

        /// Gives back the memory of a range that was never written to; what is read of it again comes from the file again.
        pub(crate) fn release(&self) {
            // SAFETY: nothing but what the file has lies in the range, and that is what is read afterwards too.
            unsafe { libc::madvise(self.start.as_ptr().cast(), self.bytes, libc::MADV_DONTNEED) };
        }

        /// Where it begins: at the beginning of a page.
        pub(crate) fn start(&self) -> NonNull<u8> {
            self.start
        }

        /// Its length with its room, in bytes.
        pub(crate) fn bytes(&self) -> usize {
            self.bytes
        }
    }

    impl Drop for Region {
        fn drop(&mut self) {
            // SAFETY: the range was mapped by `room`, and the owner of the region owns all that points into it.
            unsafe { libc::munmap(self.start.as_ptr().cast(), self.bytes) };
        }
    }

    // SAFETY: the region alone owns its addresses.
    unsafe impl Send for Region {}
    // SAFETY: shared, it only says where it lies.
    unsafe impl Sync for Region {}
}
