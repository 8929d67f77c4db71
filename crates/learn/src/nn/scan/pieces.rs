use std::ops::Range;

use crate::nn::offsets::{groups, segment};

/// Tokens in one task.
const TOKENS: usize = 32;
/// Tokens in one piece of a long segment: many chunks.
const PIECE: usize = 512;
/// The longest segment that is one piece. Cutting one costs a second pass over its tokens: it must be far longer than a task.
const LONGEST: usize = 2 * PIECE;
/// Tokens between two states that are kept; those between are made again, and stay in the cache.
pub(super) const CHUNK: usize = 8;

/// Neighboring tokens of one segment that one task goes through.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) segment: usize,
    pub(super) tokens: Range<usize>,
    /// The border that it starts from; a segment's first piece starts from the state that is given.
    pub(super) start: Option<usize>,
    /// The border that it ends at; a segment's last piece ends at the state that is returned.
    pub(super) end: Option<usize>,
}

impl Piece {
    /// States that are kept between its chunks.
    pub(super) fn n_kept(&self) -> usize {
        self.tokens.len().div_ceil(CHUNK).saturating_sub(1)
    }

    /// Its chunks, in order.
    pub(super) fn chunks(&self) -> impl DoubleEndedIterator<Item = Range<usize>> + ExactSizeIterator + use<> {
        let Range { start, end } = self.tokens;
        (0..self.tokens.len().div_ceil(CHUNK)).map(move |i| start + i * CHUNK..end.min(start + (i + 1) * CHUNK))
    }
}

/// All tokens in pieces, and the pieces in tasks: by the data only, never by threads.
#[derive(Debug)]
pub(super) struct Pieces {
    pub(super) pieces: Vec<Piece>,
    pub(super) tasks: Vec<Range<usize>>,
    pub(super) n_borders: usize,
}

impl Pieces {
    pub(super) fn new(segments: &[u32]) -> Pieces {
        let mut pieces = Vec::new();
        let mut n_borders = 0;
        for at in 0..segments.len().saturating_sub(1) {
            let tokens = segment(segments, at);
            let size = if tokens.len() > LONGEST { PIECE } else { tokens.len().max(1) };
            let count = tokens.len().div_ceil(size).max(1);
            for i in 0..count {
                let (first, last) = (i == 0, i + 1 == count);
                let start = tokens.start + i * size;
                let end = if last { tokens.end } else { start + size };
                pieces.push(Piece {
                    segment: at,
                    tokens: start..end,
                    start: (!first).then(|| n_borders - 1),
                    end: (!last).then_some(n_borders),
                });
                n_borders += usize::from(!last);
            }
        }
        let ends = pieces.iter().map(|piece: &Piece| piece.tokens.end as u32);
        let tasks = groups(&std::iter::once(0).chain(ends).collect::<Vec<u32>>(), TOKENS);
        Pieces { pieces, tasks, n_borders }
    }

    pub(super) fn of(&self, task: &Range<usize>) -> &[Piece] {
        &self.pieces[task.clone()]
    }

    /// The tokens of a task.
    pub(super) fn tokens(&self, task: &Range<usize>) -> Range<usize> {
        match self.of(task) {
            [first, .., last] => first.tokens.start..last.tokens.end,
            [only] => only.tokens.clone(),
            [] => 0..0,
        }
    }

    /// States that a task keeps.
    pub(super) fn n_kept(&self, task: &Range<usize>) -> usize {
        self.of(task).iter().map(Piece::n_kept).sum()
    }

    /// Segments that begin in a task.
    pub(super) fn n_firsts(&self, task: &Range<usize>) -> usize {
        self.of(task).iter().filter(|piece| piece.start.is_none()).count()
    }

    /// Segments that end in a task.
    pub(super) fn n_lasts(&self, task: &Range<usize>) -> usize {
        self.of(task).iter().filter(|piece| piece.end.is_none()).count()
    }
}
