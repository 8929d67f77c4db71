//! The loops that every kernel shares, compiled once for each vector width the machine may have.
//!
//! The crate is built for the oldest x86-64, so a plain loop gets four lanes. [`multiversion`] compiles a loop again
//! for AVX2 and for AVX-512 and takes the widest at run time. Sums run in [`LANES`] lanes in a fixed order, whatever
//! the width, so that results do not depend on how work is split among threads.

/// Lanes of a sum, and the multiple to which rows are padded in scratch buffers: one AVX-512 register of `f32`.
pub(super) const LANES: usize = 16;

/// Defines a function that runs `$body::<FMA>` in the widest instruction set at hand.
macro_rules! multiversion {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? = $body:ident) => {
        $(#[$meta])*
        #[allow(unsafe_code, reason = "a function compiled for wider vectors may only run where they exist")]
        $vis fn $name($($arg: $ty),*) $(-> $ret)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
                fn v4($($arg: $ty),*) $(-> $ret)? {
                    $body::<true>($($arg),*)
                }
                #[target_feature(enable = "avx2,fma")]
                fn v3($($arg: $ty),*) $(-> $ret)? {
                    $body::<true>($($arg),*)
                }
                match $crate::nn::lanes::width() {
                    // SAFETY: `width` has asked the processor for these features.
                    $crate::nn::lanes::Width::V4 => return unsafe { v4($($arg),*) },
                    // SAFETY: as above.
                    $crate::nn::lanes::Width::V3 => return unsafe { v3($($arg),*) },
                    $crate::nn::lanes::Width::Base => {}
                }
            }
            $body::<{ cfg!(target_arch = "aarch64") }>($($arg),*)
        }
    };
}
pub(super) use multiversion;

/// The instruction sets that [`multiversion`] chooses from.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(super) enum Width {
    /// AVX-512 with byte, doubleword and short-vector forms.
    V4,
    /// AVX2 and fused multiply-add.
    V3,
    /// What every x86-64 has.
    Base,
}

#[cfg(target_arch = "x86_64")]
#[inline]
pub(super) fn width() -> Width {
    use std::arch::is_x86_feature_detected as has;
    let v3 = has!("avx2") && has!("fma");
    if v3 && has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl") {
        Width::V4
    } else if v3 {
        Width::V3
    } else {
        Width::Base
    }
}

/// Whether there are 32 registers of [`LANES`] numbers, not 16 of half of them.
#[inline]
pub(super) fn has_many_registers() -> bool {
    #[cfg(target_arch = "x86_64")]
    return matches!(width(), Width::V4);
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

/// `a * b + c`, in one rounding where the instruction set has it (elsewhere the library call would be slow).
#[inline(always)]
pub(super) fn madd<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// `e^x` with a relative error below 3e-7 for x in [-87.3, 88.3]; 0 below, saturated above, NaN for NaN.
///
/// Cody-Waite reduction by ln 2 and the polynomial of the Cephes library (`expf`).
#[inline(always)]
pub(super) fn exp<const FMA: bool>(x: f32) -> f32 {
    const LOW: f32 = -87.33;
    const HIGH: f32 = 88.37;
    // Adding 1.5 * 2^23 leaves the nearest integer in the low bits of the mantissa.
    const ROUND: f32 = 12_582_912.0;
    let y = if x < LOW { LOW } else { x };
    let y = if y > HIGH { HIGH } else { y };
    let shifted = madd::<FMA>(y, std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = madd::<FMA>(n, 2.121_944_4e-4, madd::<FMA>(n, -0.693_359_4, y));
    let p = madd::<FMA>(1.987_569_1e-4, r, 1.398_2e-3);
    let p = madd::<FMA>(p, r, 8.333_452e-3);
    let p = madd::<FMA>(p, r, 4.166_579_6e-2);
    let p = madd::<FMA>(p, r, 1.666_666_5e-1);
    let p = madd::<FMA>(p, r, 0.5);
    let p = madd::<FMA>(p, r * r, r) + 1.0;
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000));
    let value = p * power;
    if x < LOW { 0.0 } else { value }
}

/// The sum of a row of [`LANES`] partial sums, halved step by step.
#[inline(always)]
pub(super) fn fold(mut lanes: [f32; LANES]) -> f32 {
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            lanes[i] += lanes[i + half];
        }
        half /= 2;
    }
    lanes[0]
}

/// The largest element of a row whose length is a multiple of [`LANES`], minus infinity of none. A NaN that `max` would hide
/// may be the result, and need not be.
#[inline(always)]
pub(super) fn top(row: &[f32]) -> f32 {
    let above = |x: f32, top: f32| if x <= top { top } else { x };
    let mut lanes = [f32::NEG_INFINITY; LANES];
    for chunk in row.as_chunks::<LANES>().0 {
        for i in 0..LANES {
            lanes[i] = above(chunk[i], lanes[i]);
        }
    }
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            lanes[i] = above(lanes[i + half], lanes[i]);
        }
        half /= 2;
    }
    lanes[0]
}

/// The inner product of two rows of the same length.
#[inline(always)]
pub(super) fn dot<const FMA: bool>(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0; LANES];
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a.iter().zip(b) {
        for i in 0..LANES {
            lanes[i] = madd::<FMA>(a[i], b[i], lanes[i]);
        }
    }
    for (lane, (a, b)) in lanes.iter_mut().zip(a_rest.iter().zip(b_rest)) {
        *lane = madd::<FMA>(*a, *b, *lane);
    }
    fold(lanes)
}

/// Adds the products of two rows, whose length is a multiple of [`LANES`], to partial sums.
#[inline(always)]
pub(super) fn products<const FMA: bool>(mut lanes: [f32; LANES], a: &[f32], b: &[f32]) -> [f32; LANES] {
    for (a, b) in a.as_chunks::<LANES>().0.iter().zip(b.as_chunks::<LANES>().0) {
        for i in 0..LANES {
            lanes[i] = madd::<FMA>(a[i], b[i], lanes[i]);
        }
    }
    lanes
}

/// `out = sum over j of weights[j] rows[starts[j]..]`, in the order of j. The length of `out` is a multiple of [`LANES`].
///
/// Blocks of columns stay in registers while the rows pass by.
#[inline(always)]
pub(super) fn combine<const FMA: bool>(out: &mut [f32], weights: &[f32], rows: &[f32], starts: &[usize]) {
    let mut at = 0;
    while at + 4 * LANES <= out.len() {
        combine_block::<FMA, 4>(&mut out[at..], at, weights, rows, starts);
        at += 4 * LANES;
    }
    while at + 2 * LANES <= out.len() {
        combine_block::<FMA, 2>(&mut out[at..], at, weights, rows, starts);
        at += 2 * LANES;
    }
    while at + LANES <= out.len() {
        combine_block::<FMA, 1>(&mut out[at..], at, weights, rows, starts);
        at += LANES;
    }
}

#[inline(always)]
fn combine_block<const FMA: bool, const N: usize>(
    out: &mut [f32],
    at: usize,
    weights: &[f32],
    rows: &[f32],
    starts: &[usize],
) {
    let mut sums = [[0.0; LANES]; N];
    for (weight, start) in weights.iter().zip(starts) {
        let row: &[f32] = &rows[start + at..][..N * LANES];
        for v in 0..N {
            for i in 0..LANES {
                sums[v][i] = madd::<FMA>(*weight, row[v * LANES + i], sums[v][i]);
            }
        }
    }
    for v in 0..N {
        out[v * LANES..][..LANES].copy_from_slice(&sums[v]);
    }
}

/// The sum of a row.
#[inline(always)]
pub(super) fn sum(a: &[f32]) -> f32 {
    let mut lanes = [0.0; LANES];
    let (chunks, rest) = a.as_chunks::<LANES>();
    for chunk in chunks {
        for i in 0..LANES {
            lanes[i] += chunk[i];
        }
    }
    for (lane, a) in lanes.iter_mut().zip(rest) {
        *lane += a;
    }
    fold(lanes)
}

/// `y += a * x` for rows of the same length.
#[inline(always)]
pub(super) fn axpy<const FMA: bool>(y: &mut [f32], a: f32, x: &[f32]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y = madd::<FMA>(a, *x, *y);
    }
}

/// `y += x` for rows of the same length.
#[inline(always)]
pub(super) fn add(y: &mut [f32], x: &[f32]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += x;
    }
}

/// `e^x` of every element, in place.
#[inline(always)]
pub(super) fn exp_row<const FMA: bool>(row: &mut [f32]) {
    let (chunks, rest) = row.as_chunks_mut::<LANES>();
    for chunk in chunks {
        for x in chunk.iter_mut() {
            *x = exp::<FMA>(*x);
        }
    }
    if !rest.is_empty() {
        // The rest goes through one padded register instead of one element at a time.
        let mut padded = [0.0; LANES];
        padded[..rest.len()].copy_from_slice(rest);
        for x in &mut padded {
            *x = exp::<FMA>(*x);
        }
        rest.copy_from_slice(&padded[..rest.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    multiversion! { fn wide_exp(row: &mut [f32]) = exp_row }

    #[test]
    fn exp_is_within_its_bound_over_the_range() {
        let xs: Vec<f32> = (0..2_000_003).map(|i| -87.3 + 175.6 * (i as f32) / 2_000_002.0).collect();
        let mut wide = xs.clone();
        wide_exp(&mut wide);
        let mut base = xs.clone();
        exp_row::<false>(&mut base);
        for values in [wide, base] {
            let worst = xs.iter().zip(&values).map(|(x, y)| {
                let exact = f64::from(*x).exp();
                ((f64::from(*y) - exact) / exact).abs()
            });
            let worst = worst.fold(0.0, f64::max);
            assert!(worst < 3e-7, "worst relative error {worst}");
        }
    }

    #[test]
    fn exp_at_the_ends() {
        let mut row = [f32::NEG_INFINITY, -1e30, -88.0, 0.0, 89.0, f32::NAN];
        wide_exp(&mut row);
        assert_eq!(row[..4], [0.0, 0.0, 0.0, 1.0]);
        assert!(row[4].is_finite() && row[4] > 2e38);
        assert!(row[5].is_nan());
    }
}
