//! Each kernel of learning by itself, beside what the machine can do at best in the same run.

mod floor;
mod operations;

use anyhow::Result;

use crate::clock::Seconds;
use crate::median;
use floor::Floor;
use operations::{Operation, operations};

/// What to time.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only kernels whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Runs of each; medians are printed.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Threads, one column of rows each.
    #[arg(long, value_delimiter = ',', default_value = "1,2")]
    threads: Vec<usize>,
}

/// What one pass needs at the least: arithmetic and traffic with memory.
#[derive(Clone, Copy, Default)]
pub(crate) struct Work {
    /// Additions and multiplications.
    flops: f64,
    /// Bytes of inputs and outputs, each once.
    bytes: f64,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    for &threads in &args.threads {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        pool.install(|| table(args, threads));
    }
    Ok(())
}

fn table(args: &Args, threads: usize) {
    let floor = Floor::measure(args.runs);
    let Floor { gflops, gbs } = floor;
    println!("{threads} threads: a core makes {gflops:.0} GFLOP/s of a product of 1024^3 and copies {gbs:.1} GB/s");
    println!(
        "{:<46} {:>10} {:>10} {:>10} {:>8} {:>7} {:>6} {:>5}",
        "kernel", "wall us", "core us", "us a row", "GFLOP/s", "GB/s", "floor", "of"
    );
    for operation in operations().iter().filter(|operation| operation.name.contains(&args.only)) {
        print(operation, &floor, args.runs);
    }
}

/// Times of the forward pass and of the backward pass of one kernel; rates and shares are of the time of cores.
fn print(operation: &Operation, floor: &Floor, runs: usize) {
    let prepared = (operation.prepare)();
    // The first run warms the caches up.
    let times: Vec<[Seconds; 2]> = (0..=runs).map(|_| prepared()).skip(1).collect();
    for (pass, work) in [operation.forward, operation.backward].into_iter().enumerate() {
        if work.flops == 0.0 {
            continue;
        }
        let wall = median(&mut times.iter().map(|times| times[pass].wall).collect::<Vec<_>>());
        let cores = median(&mut times.iter().map(|times| times[pass].cores).collect::<Vec<_>>());
        let (bound, least) = floor.of(work);
        println!(
            "{:<46} {:>10.1} {:>10.1} {:>10.3} {:>8.1} {:>7.1} {:>5.0}% {:>5}",
            format!("{}{}", operation.name, operation.passes[pass]),
            wall * 1e6,
            cores * 1e6,
            cores * 1e6 / operation.rows as f64,
            work.flops / cores / 1e9,
            work.bytes / cores / 1e9,
            100.0 * least / cores,
            bound,
        );
    }
}
