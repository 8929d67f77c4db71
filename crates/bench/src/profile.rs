//! Where a training step goes: time of the thread that steps, time of all cores, and allocations, stage by stage.

use std::alloc::{GlobalAlloc, Layout};
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use anyhow::Result;
use mimalloc::MiMalloc;
use timeweft_learn::nn::{Meters, Stage, profiled};
use timeweft_learn::{Config, Freshness, LearnProgress, Task, train};

use crate::clock::cores;
use crate::data::{self, Stream};

/// What to look into.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Which stream.
    #[arg(default_value = "uci")]
    stream: Stream,
    /// A configuration in TOML; else the default one.
    #[arg(long)]
    config: Option<std::path::PathBuf>,
    /// Width of messages, memory and embeddings, in place of the configuration's.
    #[arg(long)]
    width: Option<usize>,
    /// Negatives a positive, in place of the configuration's.
    #[arg(long)]
    negatives: Option<usize>,
    /// Facts a step, in place of the configuration's.
    #[arg(long)]
    batch: Option<usize>,
    /// Look into the ranking of the validation part, at event freshness, in place of training.
    #[arg(long)]
    rank: bool,
    /// Threads: with one, the time of each stage is its own.
    #[arg(long, default_value_t = 1)]
    threads: usize,
}

/// The allocator of all benches, which counts.
pub(crate) struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

fn count(bytes: usize) {
    ALLOCATIONS.fetch_add(1, Relaxed);
    BYTES.fetch_add(bytes as u64, Relaxed);
}

#[allow(unsafe_code, reason = "allocators are called with a contract that the caller keeps")]
// SAFETY: all is passed on to an allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller keeps the contract.
        unsafe { MiMalloc.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller keeps the contract.
        unsafe { MiMalloc.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: the caller keeps the contract.
        unsafe { MiMalloc.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract.
        unsafe { MiMalloc.dealloc(pointer, layout) }
    }
}

/// Nanoseconds of the clock and of all cores, allocations and their bytes.
fn meters() -> Meters {
    static START: OnceLock<Instant> = OnceLock::new();
    let wall = START.get_or_init(Instant::now).elapsed().as_nanos() as u64;
    [wall, (cores() * 1e9) as u64, ALLOCATIONS.load(Relaxed), BYTES.load(Relaxed)]
}

pub(crate) fn run(args: &Args, folder: &Path) -> Result<()> {
    let mut config = match &args.config {
        Some(path) => Config::from_toml(&std::fs::read_to_string(path)?)?,
        None => Config::default(),
    };
    let index = data::index(args.stream, folder)?;
    if let Some(width) = args.width {
        (config.model.width, config.model.channels) = (width, width);
    }
    config.train.negatives = args.negatives.unwrap_or(config.train.negatives);
    config.train.batch = args.batch.unwrap_or(config.train.batch);
    config.train.epochs = 1;
    let split = config.train.split;
    // Only training is looked at; ranking the validation part is not.
    config.train.split = [0.70, 0.7001];
    let task = Task::new(index.clone(), &config)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.threads).build()?;
    let trained = || {
        let (mut seconds, mut steps) = (0.0, 0);
        let trained = train(&task, &config, |progress| match progress {
            LearnProgress::Training { .. } => steps += 1,
            LearnProgress::Epoch(epoch) => seconds = epoch.train_seconds,
            _ => (),
        });
        trained.map(|trained| (trained, seconds, steps))
    };
    if !args.rank {
        let (trained, stages) = pool.install(|| profiled(meters, trained));
        let (_, seconds, steps) = trained?;
        print(stages, task.split.train_end, seconds, steps);
        return Ok(());
    }
    let (trained, ..) = pool.install(trained)?;
    config.train.split = split;
    let task = Task::new(index, &config)?;
    let part = task.split.train_end..task.split.val_end;
    let links = trained.to_rank(&task, part.clone(), Freshness::Event);
    let store = links.memory();
    let start = Instant::now();
    let (ranks, stages) = pool.install(|| profiled(meters, || links.ranks(store, &mut |_| ())));
    print(stages, ranks.len(), start.elapsed().as_secs_f64(), ranks.len().div_ceil(config.train.batch));
    Ok(())
}

fn print(mut stages: Vec<Stage>, events: usize, seconds: f64, steps: usize) {
    stages.sort_by_key(|stage| std::cmp::Reverse(stage.used[1]));
    let all: u64 = stages.iter().map(|stage| stage.used[1]).sum();
    println!("{events} events, {:.0} a second, {steps} steps; an event took", events as f64 / seconds);
    println!(
        "{:<44} {:>6} {:>9} {:>9} {:>6} {:>12} {:>12}",
        "stage", "runs", "core us", "wall us", "share", "allocations", "bytes"
    );
    for Stage { name, is_backward, runs, used } in &stages {
        let each = |n: u64, unit: f64| n as f64 / unit / events as f64;
        let [wall, cores, allocations, bytes] = *used;
        println!(
            "{:<44} {:>6.1} {:>9.2} {:>9.2} {:>5.1}% {:>12.2} {:>12.0}",
            format!("{}{}", short(name), if *is_backward { ", back" } else { "" }),
            *runs as f64 / steps as f64,
            each(cores, 1e3),
            each(wall, 1e3),
            100.0 * cores as f64 / all as f64,
            each(allocations, 1.0),
            each(bytes, 1.0),
        );
    }
    let sum = |meter: usize| stages.iter().map(|stage| stage.used[meter]).sum::<u64>() as f64 / events as f64;
    println!(
        "{:<44} {:>6} {:>9.2} {:>9.2} {:>6} {:>12.2} {:>12.0}",
        "all",
        "",
        sum(1) / 1e3,
        sum(0) / 1e3,
        "",
        sum(2),
        sum(3)
    );
}

/// The last words of a type's path.
fn short(name: &str) -> String {
    let words: Vec<&str> = name.rsplit("::").take(2).collect();
    words.into_iter().rev().collect::<Vec<_>>().join("::")
}
