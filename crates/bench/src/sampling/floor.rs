//! What memory allows: the time of one line of it, far from any cache, when reads wait for each other and when they do not.

use std::hint::black_box;
use std::time::Instant;

use super::made::Random;

/// A cache line.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line([u64; 8]);

/// Nanoseconds a line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// Each read says where the next one is.
    pub(crate) dependent: f64,
    /// All reads are known beforehand, so that a core has as many under way as it can.
    pub(crate) independent: f64,
}

/// Measures arrays of about so many bytes.
pub(crate) fn memory(bytes: usize) -> Memory {
    const READS: usize = 2_000_000;
    let n = (bytes / 64).max(1 << 10);
    let mut random = Random(5);
    // One cycle through all lines (Sattolo 1986).
    let mut lines: Vec<Line> = (0..n as u64).map(|at| Line([at; 8])).collect();
    for at in (1..n).rev() {
        let other = random.below(at);
        let here = lines[at].0[0];
        lines[at].0[0] = lines[other].0[0];
        lines[other].0[0] = here;
    }
    let started = Instant::now();
    let mut at = 0;
    for _ in 0..READS {
        at = lines[at].0[0] as usize;
    }
    black_box(at);
    let dependent = started.elapsed().as_secs_f64();
    let places: Vec<u32> = (0..READS).map(|_| random.below(n) as u32).collect();
    let started = Instant::now();
    let sum = places.iter().fold(0u64, |sum, &place| sum.wrapping_add(lines[place as usize].0[1]));
    black_box(sum);
    let independent = started.elapsed().as_secs_f64();
    Memory { dependent: dependent / READS as f64 * 1e9, independent: independent / READS as f64 * 1e9 }
}
