//! Work on many nodes, cut in halves for all threads.

use std::ops::Range;

use timeweft_graph::threads;

/// Work that can be cut in two.
pub(crate) trait Split: Sized + Send {
    /// How much there is.
    fn len(&self) -> usize;
    /// The part before a position, and the rest.
    fn split_at(self, at: usize) -> (Self, Self);
}

/// Answers of one part of the work, behind which those of the next part are put.
pub(crate) trait Gather: Send {
    /// An empty one of the same form.
    fn empty(&self) -> Self;
    /// Puts the answers of the next part behind these.
    fn append(&mut self, next: Self);
}

/// Answers that lie in the slots of the caller, which are cut with the work.
impl Gather for () {
    fn empty(&self) {}
    fn append(&mut self, (): ()) {}
}

/// Does work on the threads of the pool, in parts of `grain` or more: less is not worth another thread.
pub(crate) fn share<W: Split, G: Gather>(work: W, grain: usize, out: &mut G, run: &(impl Fn(W, &mut G) + Sync)) {
    if work.len() < 2 * grain {
        return run(work, out);
    }
    let half = work.len() / 2;
    let (near, far) = work.split_at(half);
    let mut rest = out.empty();
    threads::join(|| share(near, grain, out, run), || share(far, grain, &mut rest, run));
    out.append(rest);
}

impl<T: Sync> Split for &[T] {
    fn len(&self) -> usize {
        <[T]>::len(self)
    }
    fn split_at(self, at: usize) -> (Self, Self) {
        <[T]>::split_at(self, at)
    }
}

impl<T: Send> Split for &mut [T] {
    fn len(&self) -> usize {
        <[T]>::len(self)
    }
    fn split_at(self, at: usize) -> (Self, Self) {
        self.split_at_mut(at)
    }
}

impl Split for Range<usize> {
    fn len(&self) -> usize {
        ExactSizeIterator::len(self)
    }
    fn split_at(self, at: usize) -> (Self, Self) {
        (self.start..self.start + at, self.start + at..self.end)
    }
}

/// The position of the first among all.
impl Split for u64 {
    fn len(&self) -> usize {
        usize::MAX
    }
    fn split_at(self, at: usize) -> (Self, Self) {
        (self, self.wrapping_add(at as u64))
    }
}

/// Work of which the first says how much there is.
impl<A: Split, B: Split> Split for (A, B) {
    fn len(&self) -> usize {
        self.0.len()
    }
    fn split_at(self, at: usize) -> (Self, Self) {
        let ((a, a_rest), (b, b_rest)) = (self.0.split_at(at), self.1.split_at(at));
        ((a, b), (a_rest, b_rest))
    }
}

/// Work that may have a part that is missing.
impl<S: Split> Split for Option<S> {
    fn len(&self) -> usize {
        self.as_ref().map_or(0, S::len)
    }
    fn split_at(self, at: usize) -> (Self, Self) {
        self.map(|some| some.split_at(at)).unzip()
    }
}
