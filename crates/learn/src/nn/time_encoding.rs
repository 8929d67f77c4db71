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
        for (out, &freq) in row.iter_mut().zip(freqs) {
            let cycles = gap * freq;
            let folded = (cycles - cycles.round_ties_even()).abs();
            *out = sin_turns::<FMA>((0.25 - folded) as f32);
        }
    }
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
