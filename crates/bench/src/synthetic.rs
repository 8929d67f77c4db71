//! What each cell, aggregation and way of reading learns of tasks with known answers: the table of the documentation.

use std::sync::Arc;

use anyhow::{Result, anyhow};
use timeweft_graph::{Name, Schema, TimeUnit};
use timeweft_index::Index;
use timeweft_learn::{Aggregation, Bucket, Config, Freshness, GnnKind, MemoryCellKind, Metrics, Task, train};
use timeweft_oracle::synthetic::{self, Synthetic};

/// What to run.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only tasks whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Seeds of streams and weights; one row each.
    #[arg(long, value_delimiter = ',', default_value = "1")]
    seeds: Vec<u64>,
    /// Blocks of 32 users.
    #[arg(long, default_value_t = 60)]
    blocks: u64,
    /// Epochs; the task's own without.
    #[arg(long)]
    epochs: Option<usize>,
}

/// A change of the configuration, with its name.
type Variant = (&'static str, fn(&mut Config));

const CELLS: [Variant; 5] = [
    ("mamba", |_| ()),
    ("mamba, select. 20", |config| config.model.selectivity = 20.0),
    ("gru, gate bias 3", |config| config.model.cell = MemoryCellKind::Gru),
    ("gru, gate bias 0", |config| (config.model.cell, config.model.gate_bias) = (MemoryCellKind::Gru, 0.0)),
    ("no memory", |config| config.model.memory = false),
];
const SETS: [Variant; 3] = [
    ("sum", |_| ()),
    ("attention", |config| config.model.aggregation = Aggregation::Attention),
    ("keep-last", |config| config.model.aggregation = Aggregation::KeepLast),
];
const BUCKETS: [Variant; 3] = [
    ("mamba, exact sets", |_| ()),
    ("gru, exact sets", |config| config.model.cell = MemoryCellKind::Gru),
    ("bucket = batch", |config| config.model.bucket = Bucket::Batch),
];
const READERS: [Variant; 4] = [
    ("transformer", |_| ()),
    ("co-operative", |config| config.model.gnn = GnnKind::Cooperative),
    ("two layers", |config| config.model.layers = 2),
    ("none", |config| config.model.gnn = GnnKind::None),
];
const TYPES: [Variant; 2] = [("typed", |_| ()), ("untyped", |config| config.model.typed = false)];

const SWEEPS: [Variant; 5] = [
    ("no peers", |_| ()),
    ("1 sweep", |config| config.model.sweeps = 1),
    ("2 sweeps", |config| config.model.sweeps = 2),
    ("3 sweeps", |config| config.model.sweeps = 3),
    ("4 sweeps", |config| config.model.sweeps = 4),
];
/// Batches of four ticks.
const WINDOWS: [Variant; 3] = [
    ("window 1", |config| (config.train.batch, config.train.window) = (128, 1)),
    ("window 2", |config| (config.train.batch, config.train.window) = (128, 2)),
    ("window 5", |config| (config.train.batch, config.train.window) = (128, 5)),
];

/// A task of a seed, its freshness, and the variants that it tells apart.
type Row = (fn(u64, u64) -> Synthetic, Freshness, &'static [Variant]);

const ROWS: [(&str, Row); 15] = [
    ("long memory, 24 visits", (|blocks, seed| synthetic::marked_visit(24, blocks, seed), Freshness::Event, &CELLS)),
    ("long memory, 64 visits", (|blocks, seed| synthetic::marked_visit(64, blocks, seed), Freshness::Event, &CELLS)),
    ("long memory, 160 visits", (|blocks, seed| synthetic::marked_visit(160, blocks, seed), Freshness::Event, &CELLS)),
    ("elapsed time", (synthetic::elapsed_time, Freshness::Event, &CELLS)),
    ("capacity, 3 slots", (|blocks, seed| synthetic::capacity(3, blocks, seed), Freshness::Event, &CELLS)),
    ("capacity, 6 slots", (|blocks, seed| synthetic::capacity(6, blocks, seed), Freshness::Event, &CELLS)),
    ("simultaneity", (synthetic::simultaneity, Freshness::Event, &SETS)),
    ("order in a batch", (synthetic::order, Freshness::Event, &BUCKETS)),
    ("staleness, event", (synthetic::staleness, Freshness::Event, &CELLS)),
    ("staleness, batch", (synthetic::staleness, Freshness::Batch(128), &CELLS)),
    ("relay, 1 or 2 steps", (|blocks, seed| synthetic::relay(2, blocks, seed), Freshness::Event, &SWEEPS)),
    ("relay, 1 to 3 steps", (|blocks, seed| synthetic::relay(3, blocks, seed), Freshness::Event, &SWEEPS)),
    ("8 visits, 4 a batch", (|blocks, seed| synthetic::marked_visit(8, blocks, seed), Freshness::Event, &WINDOWS)),
    ("planted cause", (synthetic::planted_cause, Freshness::Event, &READERS)),
    ("types", (synthetic::types, Freshness::Event, &TYPES)),
];

pub(crate) fn run(args: &Args) -> Result<()> {
    for (name, (make, freshness, variants)) in ROWS.iter().filter(|row| row.0.contains(&args.only)) {
        for (variant, change) in *variants {
            let mut found = Vec::new();
            let mut chance = 0.0;
            for &seed in &args.seeds {
                let task = make(args.blocks, seed);
                let mut config: Config = serde_json::from_value(task.config.clone())?;
                change(&mut config);
                config.train.seed = seed;
                config.train.epochs = args.epochs.unwrap_or(config.train.epochs);
                found.push(accuracy(&task, &config, *freshness)?);
                chance = task.chance;
            }
            let found: Vec<String> = found.iter().map(|accuracy| format!("{accuracy:.3}")).collect();
            println!("{name:<24} {variant:<18} chance {chance:.3}  {}", found.join(" "));
        }
    }
    Ok(())
}

/// Share of the test links of which a model of a configuration, trained on the stream, ranks the right answer first.
fn accuracy(synthetic: &Synthetic, config: &Config, freshness: Freshness) -> Result<f64> {
    let mut index = Index::new(Schema::new(TimeUnit::Step));
    for event in &synthetic.events {
        index.apply(event, &Name::from("")).map_err(|reason| anyhow!("{}: {event:?}: {reason}", synthetic.name))?;
    }
    let task = Task::new(Arc::new(index), config)?;
    let trained = train(&task, config, |_| ())?;
    let links = trained.to_rank(&task, task.split.val_end..task.split.end, freshness);
    let memory = links.memory();
    Ok(Metrics::of(&links.ranks(memory, &mut |_| ())).hits1)
}
