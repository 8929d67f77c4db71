use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

/// Buffers that a thread keeps for the next pass, and the largest that it keeps.
const KEPT: usize = 16;
const LARGEST: usize = 1 << 24;

thread_local! {
    static SPARE: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
}

/// Scratch of a pass, whose numbers are whatever was there before: for rows that are written as a whole before they are
/// read. Fresh memory of this size costs a page fault each 4 kB, which is as much as the arithmetic of a small pass.
#[derive(Debug, Default)]
pub(super) struct Room(Vec<f32>);

impl Room {
    pub(super) fn new(n: usize) -> Room {
        let spare = SPARE.with_borrow_mut(|spare| {
            let fits = |buffer: &&(usize, &Vec<f32>)| buffer.1.capacity() >= n;
            let best =
                spare.iter().enumerate().filter(|buffer| fits(&buffer)).min_by_key(|(_, buffer)| buffer.capacity());
            best.map(|(at, _)| at).map(|at| spare.swap_remove(at))
        });
        let mut buffer = spare.unwrap_or_default();
        buffer.resize(n, 0.0);
        Room(buffer)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.0);
        if (1..=LARGEST).contains(&buffer.capacity()) {
            SPARE.with_borrow_mut(|spare| {
                if spare.len() == KEPT {
                    spare.remove(0);
                }
                spare.push(buffer);
            });
        }
    }
}

impl Deref for Room {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.0
    }
}

impl DerefMut for Room {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.0
    }
}
