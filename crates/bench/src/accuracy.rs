//! Ranking on public streams by the protocol: the model beside every rule, at each freshness.

use std::path::Path;

use anyhow::Result;
use timeweft_learn::{Config, Evaluation, Freshness, Progress, Rule, Task, evaluate, train};

use crate::data::{self, Stream};

/// What to rank.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Which stream.
    stream: Stream,
    /// Configuration file; the defaults without.
    #[arg(long)]
    config: Option<std::path::PathBuf>,
    /// Seeds, one training each.
    #[arg(long, value_delimiter = ',', default_value = "1")]
    seeds: Vec<u64>,
    /// Epochs; the configuration's without.
    #[arg(long)]
    epochs: Option<usize>,
    /// Train without counters.
    #[arg(long)]
    no_counters: bool,
    /// Only the rules: no training.
    #[arg(long)]
    rules: bool,
    /// Also rank at batch 200.
    #[arg(long)]
    batch: bool,
}

pub(crate) fn run(args: &Args, folder: &Path) -> Result<()> {
    let index = data::index(args.stream, folder)?;
    let mut config = match &args.config {
        Some(path) => Config::from_toml(&std::fs::read_to_string(path)?)?,
        None => Config::default(),
    };
    if args.stream == Stream::Wiki {
        config.train.split_times = Some([1_862_652, 2_218_288]);
        config.evaluate.candidates = 0;
        config.evaluate.batches_from_part = true;
    }
    config.train.epochs = args.epochs.unwrap_or(config.train.epochs);
    config.model.counters &= !args.no_counters;
    let task = Task::new(index, &config)?;
    let freshnesses: &[Freshness] =
        if args.batch || args.rules { &[Freshness::Event, Freshness::Batch(200)] } else { &[Freshness::Event] };
    if args.rules {
        return rules(&task, &config, freshnesses);
    }
    for &seed in &args.seeds {
        config.train.seed = seed;
        let trained = train(&task, &config, |progress| {
            if let Progress::Epoch(epoch) = progress {
                println!("{}", serde_json::to_string(&epoch).unwrap_or_default());
            }
        })?;
        for &freshness in freshnesses {
            let test = task.split.val_end..task.split.end;
            let evaluation = evaluate(&trained.model, &trained.world, &task, &config, test, freshness, |_| ());
            print(seed, &evaluation);
        }
    }
    Ok(())
}

fn rules(task: &Task, config: &Config, freshnesses: &[Freshness]) -> Result<()> {
    let split = task.split;
    for (part, links) in [("validation", split.train_end..split.val_end), ("test", split.val_end..split.end)] {
        for &freshness in freshnesses {
            let rows = Rule::evaluate(task, links.clone(), freshness, config.evaluate.candidates, config.evaluate.seed);
            for (rule, metrics) in rows {
                println!("{part} {freshness}: {} {}", rule.name(), serde_json::to_string(&metrics)?);
            }
        }
    }
    Ok(())
}

fn print(seed: u64, evaluation: &Evaluation) {
    for (name, metrics) in &evaluation.rows {
        let freshness = evaluation.freshness.to_string();
        println!(
            "seed {seed}, test, {freshness:<10} {name:<16} MRR {:.4}  Hits@10 {:.4}  ({} links)",
            metrics.mrr, metrics.hits10, metrics.events
        );
    }
}
