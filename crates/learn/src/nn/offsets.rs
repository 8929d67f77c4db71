use std::ops::Range;

/// The rows of segment `i`: `offsets[i]..offsets[i + 1]`.
#[inline(always)]
pub(super) fn segment(offsets: &[u32], i: usize) -> Range<usize> {
    offsets[i] as usize..offsets[i + 1] as usize
}

/// Checks that `offsets` cuts `rows` rows into runs: from 0, never descending, to `rows`.
///
/// # Panics
/// With the name of the operation if it does not.
pub(super) fn check_offsets(operation: &str, offsets: &[u32], rows: usize) {
    assert_eq!(offsets.first(), Some(&0), "{operation}: offsets start at 0");
    assert!(offsets.is_sorted(), "{operation}: offsets never descend");
    assert_eq!(offsets.last().map(|last| *last as usize), Some(rows), "{operation}: offsets end at the number of rows");
}

/// Cuts a slice into pieces of the given lengths, for tasks that write side by side.
pub(super) fn cut<T>(mut slice: &mut [T], lengths: impl Iterator<Item = usize>) -> Vec<&mut [T]> {
    lengths
        .map(|length| {
            let (piece, rest) = std::mem::take(&mut slice).split_at_mut(length);
            slice = rest;
            piece
        })
        .collect()
}

/// Groups neighboring segments until a group holds at least `size` rows. Depends on the data only, never on threads.
pub(super) fn groups(offsets: &[u32], size: usize) -> Vec<Range<usize>> {
    let mut groups = Vec::new();
    let mut start = 0;
    for end in 1..offsets.len() {
        if end + 1 == offsets.len() || (offsets[end] - offsets[start]) as usize >= size {
            groups.push(start..end);
            start = end;
        }
    }
    groups
}

/// Multiplications that are fewer than it takes to wake another thread up.
const FEW: usize = 1 << 16;

/// Parts of some work that one thread takes at the least: all of it where it is little.
pub(in crate::nn) fn at_least(multiplications: usize) -> usize {
    if multiplications < FEW { usize::MAX } else { 1 }
}
