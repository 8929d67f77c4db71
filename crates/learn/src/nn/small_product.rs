use super::lanes::{LANES, madd, multiversion};

/// Rows of a product that stay in registers: with their column of weights they fill the sixteen registers of AVX2.
const ROWS: usize = 6;

/// The left side of a product, whose rows stand anywhere.
#[derive(Clone, Copy)]
pub(super) struct Left<'a> {
    pub(super) values: &'a [f32],
    /// Start of each row.
    pub(super) starts: &'a [usize],
    /// From one element of a row to the next.
    pub(super) step: usize,
}

/// The right side: `[inner, width]`, row after row; the width is a multiple of [`LANES`].
#[derive(Clone, Copy)]
pub(super) struct Right<'a> {
    pub(super) values: &'a [f32],
    pub(super) width: usize,
}

multiversion! {
    /// Multiplies rows that stand anywhere with a small matrix that stays in the cache, into rows that stand anywhere:
    /// no side is packed, and narrow matrices cost what their columns cost. With `adds` the product is added to what is there.
    ///
    /// # Panics
    /// If a row is out of its slice.
    pub(super) fn multiply_rows(out: &mut [f32], starts: &[usize], left: Left<'_>, right: Right<'_>, adds: bool) =
        multiply_rows_body
}

#[inline(always)]
fn multiply_rows_body<const FMA: bool>(
    out: &mut [f32],
    starts: &[usize],
    left: Left<'_>,
    right: Right<'_>,
    adds: bool,
) {
    assert_eq!(starts.len(), left.starts.len());
    assert!(right.width.is_multiple_of(LANES) && (right.width == 0 || right.values.len().is_multiple_of(right.width)));
    let blocks = starts.as_chunks::<ROWS>();
    let left_blocks = left.starts.as_chunks::<ROWS>();
    for at in (0..right.width).step_by(LANES) {
        for (starts, lefts) in blocks.0.iter().zip(left_blocks.0) {
            block::<FMA, ROWS>(out, starts, (left.values, left.step, lefts), right, (at, adds));
        }
        for (start, from) in blocks.1.iter().zip(left_blocks.1) {
            block::<FMA, 1>(out, &[*start], (left.values, left.step, &[*from]), right, (at, adds));
        }
    }
}

/// One block of rows and columns.
#[inline(always)]
#[allow(unsafe_code, reason = "a check of each element of the left side would cost as much as the product")]
fn block<const FMA: bool, const N: usize>(
    out: &mut [f32],
    starts: &[usize; N],
    (left, step, lefts): (&[f32], usize, &[usize; N]),
    right: Right<'_>,
    (at, adds): (usize, bool),
) {
    let inner = right.values.len() / right.width;
    let mut sums = [[0.0; LANES]; N];
    if adds {
        for r in 0..N {
            sums[r].copy_from_slice(&out[starts[r] + at..][..LANES]);
        }
    }
    for first in &lefts[..N] {
        assert!(inner == 0 || first + (inner - 1) * step < left.len());
    }
    for (k, row) in right.values.chunks_exact(right.width).enumerate() {
        let row: &[f32] = &row[at..][..LANES];
        for r in 0..N {
            // SAFETY: k is below `inner`, for which the loop above has checked every row.
            let x = unsafe { *left.get_unchecked(lefts[r] + k * step) };
            for i in 0..LANES {
                sums[r][i] = madd::<FMA>(x, row[i], sums[r][i]);
            }
        }
    }
    for r in 0..N {
        out[starts[r] + at..][..LANES].copy_from_slice(&sums[r]);
    }
}

/// Pairs of rows that stand anywhere.
#[derive(Clone, Copy)]
pub(super) struct RowPairs<'a> {
    /// Where the left rows are, and where each starts.
    pub(super) left: (&'a [f32], &'a [usize]),
    /// Where the right rows are, and where each starts.
    pub(super) right: (&'a [f32], &'a [usize]),
}

multiversion! {
    /// Adds the outer product of each pair to `out [rows, width]`, in the order of the pairs; the width is a multiple of
    /// [`LANES`].
    ///
    /// # Panics
    /// If a row is out of its slice.
    pub(super) fn add_outer_products(out: &mut [f32], width: usize, pairs: RowPairs<'_>) = add_outer_products_body
}

#[inline(always)]
fn add_outer_products_body<const FMA: bool>(out: &mut [f32], width: usize, pairs: RowPairs<'_>) {
    assert!(width > 0 && width.is_multiple_of(LANES) && out.len().is_multiple_of(width));
    let rows = out.len() / width;
    for at in (0..width).step_by(LANES) {
        let mut row = 0;
        while row + ROWS <= rows {
            outer_block::<FMA, ROWS>(out, (row, width, at), pairs);
            row += ROWS;
        }
        while row < rows {
            outer_block::<FMA, 1>(out, (row, width, at), pairs);
            row += 1;
        }
    }
}

/// One block of rows and columns of the sum.
#[inline(always)]
fn outer_block<const FMA: bool, const N: usize>(
    out: &mut [f32],
    (row, width, at): (usize, usize, usize),
    pairs: RowPairs<'_>,
) {
    let mut sums = [[0.0; LANES]; N];
    for r in 0..N {
        sums[r].copy_from_slice(&out[(row + r) * width + at..][..LANES]);
    }
    for (left, right) in pairs.left.1.iter().zip(pairs.right.1) {
        let (left, right): (&[f32], &[f32]) = (&pairs.left.0[left + row..][..N], &pairs.right.0[right + at..][..LANES]);
        for r in 0..N {
            for i in 0..LANES {
                sums[r][i] = madd::<FMA>(left[r], right[i], sums[r][i]);
            }
        }
    }
    for r in 0..N {
        out[(row + r) * width + at..][..LANES].copy_from_slice(&sums[r]);
    }
}
