//! Training speed beside PyTorch Geometric's TGN: the same stream, width, neighbors, batch and negatives, in one run.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use timeweft_learn::{Config, Task, train};

use crate::data::{self, Stream};
use crate::median;

/// What to compare.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Which stream.
    #[arg(default_value = "uci")]
    stream: Stream,
    /// Python that has torch and torch_geometric; without it only timeweft is timed.
    #[arg(long, requires = "script")]
    python: Option<PathBuf>,
    /// The peer's script: it prints one JSON object an epoch, with `train_s`.
    #[arg(long)]
    script: Option<PathBuf>,
    /// Alternating runs; medians are printed.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Negatives a positive (the peer has 1).
    #[arg(long, default_value_t = 1)]
    negatives: usize,
    /// Width of messages, memory and embeddings.
    #[arg(long, default_value_t = 100)]
    width: usize,
}

pub(crate) fn run(args: &Args, folder: &Path) -> Result<()> {
    let mut config = Config::default();
    config.model.width = args.width;
    config.model.channels = args.width;
    config.train.negatives = args.negatives;
    config.train.epochs = 1;
    // The part that is timed is training; ranking the validation part is not.
    config.train.split = [0.70, 0.7001];
    let task = Task::new(data::index(args.stream, folder)?, &config)?;
    let (mut ours, mut peers) = (Vec::new(), Vec::new());
    for _ in 0..args.runs {
        let trained = train(&task, &config, |_| ())?;
        ours.push(trained.epochs[0].links_per_second);
        if let (Some(python), Some(script)) = (&args.python, &args.script) {
            peers.push(task.split.train_end as f64 / peer(python, script, &args.stream.path(folder), args.width)?);
        }
    }
    println!("timeweft   {:>8.0} training events/s  {}", median(&mut ours.clone()), list(&ours));
    if !peers.is_empty() {
        println!("PyG TGN    {:>8.0} training events/s  {}", median(&mut peers.clone()), list(&peers));
        println!("ratio      {:>8.2}", median(&mut ours) / median(&mut peers));
    }
    Ok(())
}

fn list(figures: &[f64]) -> String {
    figures.iter().map(|figure| format!("{figure:.0}")).collect::<Vec<_>>().join(" ")
}

/// Seconds of one training epoch of the peer.
fn peer(python: &Path, script: &Path, events: &Path, width: usize) -> Result<f64> {
    let output = Command::new(python)
        .arg(script)
        .arg(events)
        .args(["--epochs", "1", "--batch", "200", "--neighbors", "10", "--dim", &width.to_string()])
        .output()
        .with_context(|| format!("running {}", python.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let first = text.lines().next().context("the peer printed nothing")?;
    let row: serde_json::Value = serde_json::from_str(first)?;
    row["train_s"].as_f64().context("the peer printed no train_s")
}
