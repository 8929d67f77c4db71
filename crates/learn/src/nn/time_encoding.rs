use rayon::prelude::*;

use super::lanes::{madd, multiversion};

/// Encodes time gaps by fixed frequencies: `[M, F]` in row-major order, element (i, k) being
/// `cos(2 pi frac(freqs[k] * gaps[i]))`.
///
/// Gaps and frequencies must share a unit (cycles a tick for gaps in ticks). The product and its fractional part are
/// taken in `f64`, so the phase of a month in milliseconds is as exact as that of a second; only the cosine is `f32`
/// (absolute error below 1e-6). There is no gradient: the frequencies are fixed.
pub fn time_encoding(gaps: &[f64], freqs: &[f64]) -> Vec<f32> {
    let mut out = vec![0.0; gaps.len() * freqs.len()];
    let block = 512;
    let parts = out.par_chunks_mut((block * freqs.len()).max(1)).zip(gaps.par_chunks(block));
    parts.for_each(|(out, gaps)| encode(out, gaps, freqs));
    out
}

multiversion! { fn encode(out: &mut [f32], gaps: &[f64], freqs: &[f64]) = encode_body }

#[inline(always)]
fn encode_body<const FMA: bool>(out: &mut [f32], gaps: &[f64], freqs: &[f64]) {
    for (row, &gap) in out.chunks_exact_mut(freqs.len().max(1)).zip(gaps) {
        cosines::<FMA>(row, gap, freqs);
    }
}

/// The row of one gap.
#[inline(always)]
pub(super) fn cosines<const FMA: bool>(row: &mut [f32], gap: f64, freqs: &[f64]) {
    for (out, &freq) in row.iter_mut().zip(freqs) {
        let cycles = gap * freq;
        let folded = (cycles - cycles.round_ties_even()).abs();
        *out = sin_turns::<FMA>((0.25 - folded) as f32);
    }
}

/// `log(1 + gap / scale)` of gaps that are not negative, in `f64` until the last rounding.
pub fn log_gaps(gaps: &[f64], scale: f64) -> Vec<f32> {
    let mut out = vec![0.0; gaps.len()];
    log_rows(&mut out, gaps, scale);
    out
}

multiversion! { pub(super) fn log_rows(out: &mut [f32], gaps: &[f64], scale: f64) = log_rows_body }

#[inline(always)]
fn log_rows_body<const FMA: bool>(out: &mut [f32], gaps: &[f64], scale: f64) {
    for (out, gap) in out.iter_mut().zip(gaps) {
        *out = ln_1p(gap / scale) as f32;
    }
}

/// `log(1 + x)` for x in [0, 1e300], without a branch, to 1e-13 of it.
///
/// With `1 + x = 2^e m` and m around 1, it is `e ln 2 + 2 atanh((m - 1) / (m + 1))`, and what rounding took from `1 + x` is
/// given back to first order.
#[inline(always)]
fn ln_1p(x: f64) -> f64 {
    const MANTISSA: u64 = (1 << 52) - 1;
    /// The bits of sqrt(1/2): what is added to them carries into the exponent from sqrt(2) on.
    const ROOT: u64 = 0x3fe6_a09e_667f_3bcd;
    const ONE: u64 = 0x3ff0_0000_0000_0000;
    let u = 1.0 + x;
    let lost = (x - (u - 1.0)) / u;
    let shifted = u.to_bits().wrapping_add(ONE - ROOT);
    // An integer below 2^52 in the low bits of 2^52 is that number more.
    let exponent = f64::from_bits((shifted >> 52) | 0x4330_0000_0000_0000) - (4_503_599_627_370_496.0 + 1023.0);
    let m = f64::from_bits((shifted & MANTISSA) + ROOT);
    let s = (m - 1.0) / (m + 1.0);
    let z = s * s;
    let odd =
        1.0 / 3.0 + z * (0.2 + z * (1.0 / 7.0 + z * (1.0 / 9.0 + z * (1.0 / 11.0 + z * (1.0 / 13.0 + z / 15.0)))));
    exponent * std::f64::consts::LN_2 + 2.0 * (s + s * z * odd) + lost
}

/// `sin(2 pi x)` for x in [-1/4, 1/4], by the odd terms of its series to the 13th power.
#[inline(always)]
fn sin_turns<const FMA: bool>(x: f32) -> f32 {
    let w = x * std::f32::consts::TAU;
    let z = w * w;
    let p = madd::<FMA>(1.605_904_4e-10, z, -2.505_210_8e-8);
    let p = madd::<FMA>(p, z, 2.755_731_9e-6);
    let p = madd::<FMA>(p, z, -1.984_127e-4);
    let p = madd::<FMA>(p, z, 8.333_333e-3);
    let p = madd::<FMA>(p, z, -1.666_666_7e-1);
    madd::<FMA>(p * z, w, w)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_those_of_the_library() {
        let gaps: Vec<f64> = (0..200_000).map(|i| (f64::from(i) * 1e-3 - 50.0).exp()).collect();
        let gaps: Vec<f64> = gaps.into_iter().chain([0.0, 1.0, 0.414_213_562, 1e15, f64::from(u32::MAX)]).collect();
        for (found, gap) in log_gaps(&gaps, 3.0).iter().zip(&gaps) {
            let expected = (gap / 3.0).ln_1p();
            assert!((f64::from(*found) - expected).abs() <= 6.1e-8 * expected, "{found} of {gap}, expected {expected}");
        }
    }
}
