use super::lanes::{LANES, has_many_registers, madd, multiversion};

/// Rows of a product that stay in registers: with their column of weights they fill the sixteen registers of AVX2. Where
/// there are twice as many of twice the length, two columns do, and the order of every sum is the same.
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
    let mut at = 0;
    while has_many_registers() && at + 2 * LANES <= right.width {
        all_rows::<FMA, 2>(out, starts, left, right, (at, adds));
        at += 2 * LANES;
    }
    while at < right.width {
        all_rows::<FMA, 1>(out, starts, left, right, (at, adds));
        at += LANES;
    }
}

/// All rows of V registers of columns.
#[inline(always)]
fn all_rows<const FMA: bool, const V: usize>(
    out: &mut [f32],
    starts: &[usize],
    left: Left<'_>,
    right: Right<'_>,
    place: (usize, bool),
) {
    let (starts, rest) = starts.as_chunks::<ROWS>();
    let (lefts, rest_lefts) = left.starts.as_chunks::<ROWS>();
    for (starts, lefts) in starts.iter().zip(lefts) {
        block::<FMA, ROWS, V>(out, starts, (left.values, left.step, lefts), right, place);
    }
    match rest.len() {
        5 => some::<FMA, 5, V>(out, rest, rest_lefts, left, right, place),
        4 => some::<FMA, 4, V>(out, rest, rest_lefts, left, right, place),
        3 => some::<FMA, 3, V>(out, rest, rest_lefts, left, right, place),
        2 => some::<FMA, 2, V>(out, rest, rest_lefts, left, right, place),
        1 => some::<FMA, 1, V>(out, rest, rest_lefts, left, right, place),
        _ => {}
    }
}

/// A block of fewer rows.
#[inline(always)]
fn some<const FMA: bool, const N: usize, const V: usize>(
    out: &mut [f32],
    starts: &[usize],
    lefts: &[usize],
    left: Left<'_>,
    right: Right<'_>,
    place: (usize, bool),
) {
    if let (Some(starts), Some(lefts)) = (starts.first_chunk(), lefts.first_chunk()) {
        block::<FMA, N, V>(out, starts, (left.values, left.step, lefts), right, place);
    }
}

/// One block of rows and columns.
#[inline(always)]
#[allow(unsafe_code, reason = "a check of each element of the left side would cost as much as the product")]
fn block<const FMA: bool, const N: usize, const V: usize>(
    out: &mut [f32],
    starts: &[usize; N],
    (left, step, lefts): (&[f32], usize, &[usize; N]),
    right: Right<'_>,
    (at, adds): (usize, bool),
) {
    let inner = right.values.len() / right.width;
    let mut sums = [[[0.0; LANES]; V]; N];
    if adds {
        for r in 0..N {
            load(&mut sums[r], &out[starts[r] + at..]);
        }
    }
    for first in &lefts[..N] {
        assert!(inner == 0 || first + (inner - 1) * step < left.len());
    }
    for (k, row) in right.values.chunks_exact(right.width).enumerate() {
        let row: &[f32] = &row[at..][..V * LANES];
        for r in 0..N {
            // SAFETY: k is below `inner`, for which the loop above has checked every row.
            let x = unsafe { *left.get_unchecked(lefts[r] + k * step) };
            add_product::<FMA, V>(&mut sums[r], x, row);
        }
    }
    for r in 0..N {
        store(&sums[r], &mut out[starts[r] + at..]);
    }
}

#[inline(always)]
fn load<const V: usize>(sums: &mut [[f32; LANES]; V], from: &[f32]) {
    for v in 0..V {
        sums[v].copy_from_slice(&from[v * LANES..][..LANES]);
    }
}

#[inline(always)]
fn store<const V: usize>(sums: &[[f32; LANES]; V], to: &mut [f32]) {
    for v in 0..V {
        to[v * LANES..][..LANES].copy_from_slice(&sums[v]);
    }
}

#[inline(always)]
fn add_product<const FMA: bool, const V: usize>(sums: &mut [[f32; LANES]; V], x: f32, row: &[f32]) {
    for v in 0..V {
        for i in 0..LANES {
            sums[v][i] = madd::<FMA>(x, row[v * LANES + i], sums[v][i]);
        }
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
    let mut at = 0;
    while has_many_registers() && at + 2 * LANES <= width {
        outer_columns::<FMA, 2>(out, (width, at), pairs);
        at += 2 * LANES;
    }
    while at < width {
        outer_columns::<FMA, 1>(out, (width, at), pairs);
        at += LANES;
    }
}

/// V registers of columns of the sum.
#[inline(always)]
fn outer_columns<const FMA: bool, const V: usize>(out: &mut [f32], (width, at): (usize, usize), pairs: RowPairs<'_>) {
    let rows = out.len() / width;
    let mut row = 0;
    while row + ROWS <= rows {
        outer_block::<FMA, ROWS, V>(out, (row, width, at), pairs);
        row += ROWS;
    }
    let place = (row, width, at);
    match rows - row {
        5 => outer_block::<FMA, 5, V>(out, place, pairs),
        4 => outer_block::<FMA, 4, V>(out, place, pairs),
        3 => outer_block::<FMA, 3, V>(out, place, pairs),
        2 => outer_block::<FMA, 2, V>(out, place, pairs),
        1 => outer_block::<FMA, 1, V>(out, place, pairs),
        _ => {}
    }
}

/// One block of rows and columns of the sum.
#[inline(always)]
fn outer_block<const FMA: bool, const N: usize, const V: usize>(
    out: &mut [f32],
    (row, width, at): (usize, usize, usize),
    pairs: RowPairs<'_>,
) {
    let mut sums = [[[0.0; LANES]; V]; N];
    for r in 0..N {
        load(&mut sums[r], &out[(row + r) * width + at..]);
    }
    for (left, right) in pairs.left.1.iter().zip(pairs.right.1) {
        let left: &[f32] = &pairs.left.0[left + row..][..N];
        let right: &[f32] = &pairs.right.0[right + at..][..V * LANES];
        for r in 0..N {
            add_product::<FMA, V>(&mut sums[r], left[r], right);
        }
    }
    for r in 0..N {
        store(&sums[r], &mut out[(row + r) * width + at..]);
    }
}
