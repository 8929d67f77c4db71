//! What the machine can do at best.

use rayon::prelude::*;

use super::Work;
use crate::clock::Clock;
use crate::median;

/// Rows and columns of the matrices that are multiplied.
const SIDE: usize = 1024;
/// Numbers that are copied: far more than a cache holds of them for one thread.
const COPIED: usize = 64 << 20;

/// The best that a core reaches while the threads of the pool run.
pub(crate) struct Floor {
    pub(crate) gflops: f64,
    /// Read and written together.
    pub(crate) gbs: f64,
}

impl Floor {
    pub(crate) fn measure(runs: usize) -> Floor {
        let threads = rayon::current_num_threads();
        let (a, b) = (vec![0.5f32; SIDE * SIDE], vec![0.25f32; SIDE * SIDE]);
        let mut c = vec![0.0f32; SIDE * SIDE];
        let product = times(runs, || multiply(&mut c, &a, &b, threads));
        let (from, mut to) = (vec![1.0f32; COPIED], vec![0.0f32; COPIED]);
        let copy = times(runs, || {
            let part = COPIED / threads;
            to.par_chunks_mut(part).zip(from.par_chunks(part)).for_each(|(to, from)| to.copy_from_slice(from));
        });
        Floor { gflops: 2.0 * (SIDE * SIDE * SIDE) as f64 / product / 1e9, gbs: 8.0 * COPIED as f64 / copy / 1e9 }
    }

    /// The seconds of a core that some work takes at the least, and by what.
    pub(crate) fn of(&self, work: Work) -> (&'static str, f64) {
        let (compute, memory) = (work.flops / self.gflops / 1e9, work.bytes / self.gbs / 1e9);
        if compute > memory { ("FLOP", compute) } else { ("bytes", memory) }
    }
}

/// The middle of several times of one thing in seconds of a core, after one for nothing.
fn times(runs: usize, mut act: impl FnMut()) -> f64 {
    act();
    let time = |()| {
        let start = Clock::now();
        act();
        start.elapsed().cores
    };
    median(&mut std::iter::repeat_n((), runs).map(time).collect::<Vec<_>>())
}

/// Square matrices, one thread for a block of rows.
#[allow(unsafe_code, reason = "the matrix product takes pointers")]
fn multiply(c: &mut [f32], a: &[f32], b: &[f32], threads: usize) {
    let rows = SIDE / threads;
    c.par_chunks_mut(rows * SIDE).zip(a.par_chunks(rows * SIDE)).for_each(|(c, a)| {
        let (m, step) = (a.len() / SIDE, SIDE as isize);
        // SAFETY: `a` and `c` are m rows of the side, `b` is square, and nothing else borrows `c`.
        unsafe {
            let (c, a, b) = (c.as_mut_ptr(), a.as_ptr(), b.as_ptr());
            let parallelism = gemm::Parallelism::None;
            gemm::gemm(
                m,
                SIDE,
                SIDE,
                c,
                1,
                step,
                false,
                a,
                1,
                step,
                b,
                1,
                step,
                1.0,
                1.0,
                false,
                false,
                false,
                parallelism,
            );
        }
    });
}
