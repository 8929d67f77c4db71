//! Logarithms of whole rows at once: counters are mostly logarithms, and one at a time they cost more than the counting.

use super::lanes::{LANES, madd, multiversion};

/// What the columns of rows become: `add + scale * ln(x)`, or what they are. An absent value is 0 and stays 0.
#[derive(Clone, Debug)]
pub(crate) struct LogColumns {
    /// Columns of a row.
    width: usize,
    /// Rows of [`LANES`] parameters for [`LANES`] rows in turn, so that a register never straddles a pattern: whether a
    /// column is a logarithm, its `add`, its `scale`.
    lanes: Vec<[[f32; LANES]; 3]>,
}

impl LogColumns {
    /// From `Some((add, scale))` of each column that is a logarithm.
    pub(crate) fn new(columns: &[Option<(f32, f32)>]) -> LogColumns {
        let width = columns.len();
        let lanes = (0..width).map(|chunk| {
            let of = |lane: usize| columns[(chunk * LANES + lane) % width];
            let make = |value: fn((f32, f32)) -> f32| std::array::from_fn(|lane| of(lane).map_or(0.0, value));
            [make(|_| 1.0), make(|(add, _)| add), make(|(_, scale)| scale)]
        });
        LogColumns { width, lanes: lanes.collect() }
    }

    /// Makes rows `[R, width]` of arguments, which are 0 or positive normal numbers, into their values, in place.
    pub(crate) fn apply(&self, rows: &mut [f32]) {
        debug_assert_eq!(rows.len() % self.width.max(1), 0, "whole rows");
        transform(rows, &self.lanes);
    }
}

multiversion! { fn transform(rows: &mut [f32], lanes: &[[[f32; LANES]; 3]]) = transform_body }

#[inline(always)]
fn transform_body<const FMA: bool>(rows: &mut [f32], lanes: &[[[f32; LANES]; 3]]) {
    for rows in rows.chunks_mut((lanes.len() * LANES).max(1)) {
        let (chunks, rest) = rows.as_chunks_mut::<LANES>();
        let done = chunks.len();
        for (chunk, lanes) in chunks.iter_mut().zip(lanes) {
            transform_chunk::<FMA>(chunk, lanes);
        }
        if !rest.is_empty() {
            let mut padded = [0.0; LANES];
            padded[..rest.len()].copy_from_slice(rest);
            transform_chunk::<FMA>(&mut padded, &lanes[done]);
            rest.copy_from_slice(&padded[..rest.len()]);
        }
    }
}

#[inline(always)]
fn transform_chunk<const FMA: bool>(chunk: &mut [f32; LANES], [is_log, add, scale]: &[[f32; LANES]; 3]) {
    for i in 0..LANES {
        let x = chunk[i];
        let value = madd::<FMA>(scale[i], ln::<FMA>(x), add[i]);
        chunk[i] = if is_log[i] > 0.0 && x > 0.0 { value } else { x };
    }
}

/// `ln(x)` of positive normal numbers with a relative error below 3e-7; anything at all for others.
///
/// The mantissa is brought to within the square roots of 1/2 and 2; the polynomial is that of the Cephes library (`logf`).
#[inline(always)]
fn ln<const FMA: bool>(x: f32) -> f32 {
    const ROOT_OF_HALF: u32 = 0x3f35_04f3;
    let bits = x.to_bits();
    let exponent = (bits.wrapping_sub(ROOT_OF_HALF) as i32) >> 23;
    let y = f32::from_bits(bits.wrapping_sub((exponent as u32) << 23)) - 1.0;
    let e = exponent as f32;
    let z = y * y;
    let p = madd::<FMA>(7.037_683_6e-2, y, -0.115_146_1);
    let p = madd::<FMA>(p, y, 1.167_699_8e-1);
    let p = madd::<FMA>(p, y, -1.242_014_1e-1);
    let p = madd::<FMA>(p, y, 1.424_932_3e-1);
    let p = madd::<FMA>(p, y, -1.666_805_8e-1);
    let p = madd::<FMA>(p, y, 2.000_071_5e-1);
    let p = madd::<FMA>(p, y, -2.499_999_4e-1);
    let p = madd::<FMA>(p, y, 0.333_333_3);
    let p = madd::<FMA>(e, -2.121_944_4e-4, p * y * z);
    let p = madd::<FMA>(-0.5, z, p) + y;
    madd::<FMA>(e, 0.693_359_4, p)
}

/// How many values are at most a bound.
pub(crate) fn count_up_to(values: &[u32], bound: u32) -> usize {
    // Asking for the widest registers takes as long as a few values.
    if values.len() < 32 { count_body::<false>(values, bound) } else { count_wide(values, bound) }
}

multiversion! { fn count_wide(values: &[u32], bound: u32) -> usize = count_body }

#[inline(always)]
fn count_body<const FMA: bool>(values: &[u32], bound: u32) -> usize {
    let count: u32 = values.iter().map(|&value| u32::from(value <= bound)).sum();
    count as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worst(exact: impl Fn(f64) -> f64, xs: &[f32], found: &[f32]) -> f64 {
        let error = |(x, y): (&f32, &f32)| (f64::from(*y) - exact(f64::from(*x))).abs() / exact(f64::from(*x)).abs();
        xs.iter().zip(found).map(error).fold(0.0, f64::max)
    }

    #[test]
    fn ln_is_within_its_bound_over_the_range() {
        // All exponents, and finely around 1, where the logarithm is small.
        let mut xs: Vec<f32> = (0..2_000_000u32).map(|i| f32::from_bits(0x0080_0000 + i * 1061)).collect();
        xs.extend((1..400_000).flat_map(|i| [1.0 + i as f32 * 2e-6, 1.0 - i as f32 * 2e-6]));
        xs.retain(|x| *x != 1.0 && x.is_finite());
        let mut wide = xs.clone();
        LogColumns::new(&[Some((0.0, 1.0))]).apply(&mut wide);
        let base: Vec<f32> = xs.iter().map(|x| ln::<false>(*x)).collect();
        for values in [wide, base] {
            let worst = worst(f64::ln, &xs, &values);
            assert!(worst < 3e-7, "worst relative error {worst}");
        }
        assert_eq!(ln::<true>(1.0), 0.0);
    }

    #[test]
    fn columns_are_made_by_their_own_rule_and_what_is_absent_stays_so() {
        let columns = [None, Some((1.0, -0.5)), Some((0.0, 0.25)), None, Some((2.0, 1.0))];
        let logs = LogColumns::new(&columns);
        for rows in [0, 1, 3, 16, 17, 100] {
            let argument = |at: usize| if at % 7 == 3 { 0.0 } else { 0.5 + at as f32 };
            let mut made: Vec<f32> = (0..rows * 5).map(argument).collect();
            logs.apply(&mut made);
            for (at, value) in made.into_iter().enumerate() {
                let x = argument(at);
                let wanted = match columns[at % 5] {
                    Some((add, scale)) if x > 0.0 => add + scale * x.ln(),
                    _ => x,
                };
                assert!((value - wanted).abs() < 1e-6, "{rows} rows, {at}: {value} for {wanted}");
            }
        }
    }

    #[test]
    fn values_up_to_a_bound_are_counted() {
        let values: Vec<u32> = (0..1000).map(|i| (i * 7919) % 1000).collect();
        for (n, bound) in [(0, 5), (10, 500), (31, 7), (1000, 0), (1000, 499), (999, u32::MAX)] {
            let wanted = values[..n].iter().filter(|value| **value <= bound).count();
            assert_eq!(count_up_to(&values[..n], bound), wanted);
        }
    }
}
