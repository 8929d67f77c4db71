//! Memory of tensors that is used again: a training step asks for the same few dozen sizes as the step before it, and fresh
//! pages from the system cost more than most of the arithmetic that fills them.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

/// Bytes that a thread keeps for later; what comes back beyond goes to the system.
const KEPT: usize = 256 << 20;
/// Sizes of buffers: four in every doubling, so that at most a fifth of a buffer is unused.
const CLASSES: usize = 4 * usize::BITS as usize;

/// Numbers of a tensor. When it is dropped its memory waits for the next buffer of its thread.
#[derive(Debug)]
pub struct Buffer {
    /// At least `len` numbers.
    values: Vec<f32>,
    len: usize,
    /// Whether its memory was asked for here. What came from elsewhere would only pile up.
    is_ours: bool,
}

/// Buffers that nobody uses, by size class.
struct Free {
    classes: Vec<Vec<Vec<f32>>>,
    bytes: usize,
}

thread_local! {
    static FREE: RefCell<Free> = RefCell::new(Free { classes: vec![Vec::new(); CLASSES], bytes: 0 });
}

/// The number of floats of a class: 4, 5, 6 and 7 times a power of two.
fn size(class: usize) -> usize {
    (4 + class % 4) << (class / 4)
}

/// The largest class that `len` floats, at least 4, hold.
fn class_within(len: usize) -> usize {
    let octave = len.ilog2() as usize - 2;
    4 * octave + (len >> octave) - 4
}

impl Buffer {
    /// `len` numbers that may be anything: the caller writes all of them.
    pub fn stale(len: usize) -> Buffer {
        let fits = class_within(len.max(4));
        let class = if size(fits) < len { fits + 1 } else { fits };
        let again = FREE.with_borrow_mut(|free| {
            let values = free.classes[class].pop()?;
            free.bytes -= size_of_val(&values[..]);
            Some(values)
        });
        Buffer { values: again.unwrap_or_else(|| vec![0.0; size(class)]), len, is_ours: true }
    }

    /// `len` zeros.
    pub fn zeros(len: usize) -> Buffer {
        let mut buffer = Buffer::stale(len);
        buffer.fill(0.0);
        buffer
    }
}

impl From<Vec<f32>> for Buffer {
    fn from(values: Vec<f32>) -> Buffer {
        let len = values.len();
        Buffer { values, len, is_ours: false }
    }
}

impl From<&[f32]> for Buffer {
    fn from(values: &[f32]) -> Buffer {
        let mut copy = Buffer::stale(values.len());
        copy.copy_from_slice(values);
        copy
    }
}

impl Clone for Buffer {
    fn clone(&self) -> Buffer {
        Buffer::from(&self[..])
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.values[..self.len]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.values[..self.len]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if !self.is_ours {
            return;
        }
        let values = std::mem::take(&mut self.values);
        let class = class_within(values.len());
        let bytes = size_of_val(&values[..]);
        // Without its thread, as at the end of a process, memory goes to the system.
        let _ = FREE.try_with(|free| {
            let mut free = free.borrow_mut();
            if free.bytes + bytes <= KEPT {
                free.bytes += bytes;
                free.classes[class].push(values);
            }
        });
    }
}

/// Gives what this thread and those of the pool keep back to the system.
pub(crate) fn clear() {
    clear_own();
    rayon::spawn_broadcast(|_| clear_own());
}

fn clear_own() {
    FREE.with_borrow_mut(|free| {
        free.classes.iter_mut().for_each(|class| *class = Vec::new());
        free.bytes = 0;
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_hold_what_they_are_asked_for() {
        for len in (0..5000).chain([1 << 20, (1 << 20) + 1, 123_456_789]) {
            let within = class_within(len.max(4));
            assert!(size(within) <= len.max(4) && size(within + 1) > len, "{len}");
            if len < 5000 {
                assert_eq!(Buffer::stale(len).len(), len);
            }
        }
    }

    #[test]
    fn memory_is_used_again_and_zeros_are_zeros() {
        let mut first = Buffer::stale(1000);
        first.fill(7.0);
        let place = first.as_ptr();
        drop(first);
        let again = Buffer::zeros(997);
        assert_eq!(again.as_ptr(), place);
        assert!(again.iter().all(|x| *x == 0.0) && again.len() == 997);
        clear_own();
        drop(Buffer::from(vec![1.0; 5]));
        FREE.with_borrow(|free| assert_eq!(free.bytes, 0, "memory from elsewhere is not kept"));
    }
}
