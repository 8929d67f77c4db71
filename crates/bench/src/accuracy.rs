//! Ranking on public streams by the protocol: the model beside every rule, at each freshness.

use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use timeweft_index::Index;
use timeweft_learn::{
    Config, Evaluation, Freshness, LearnProgress, LinksToRank, Loss, Rule, Task, Trained, curves, stretches, train,
};

use crate::data::Stream;

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
    /// Average precision by the protocol of DyGLib instead of ranks: split by quantiles of time, one drawn destination
    /// beside each link, five draws.
    #[arg(long)]
    precision: bool,
    /// Deletion and insertion curves of explanations over so many links of five batches of the test part.
    #[arg(long, value_name = "N")]
    curves: Option<usize>,
}

pub(crate) fn run(args: &Args, folder: &Path) -> Result<()> {
    let mut config = match &args.config {
        Some(path) => Config::from_toml(&std::fs::read_to_string(path)?)?,
        None => Config::default(),
    };
    let index = args.stream.read(folder, &mut config)?;
    config.train.epochs = args.epochs.unwrap_or(config.train.epochs);
    config.model.counters &= !args.no_counters;
    if args.precision {
        config.train.split_times = Some(quantiles(&index, [0.70, 0.85]));
        config.train.loss = Loss::Bce;
    }
    let task = Task::new(index, &config)?;
    let freshnesses: &[Freshness] =
        if args.batch || args.rules { &[Freshness::Event, Freshness::Batch(200)] } else { &[Freshness::Event] };
    if args.rules {
        return rules(&task, &config, freshnesses);
    }
    for &seed in &args.seeds {
        config.train.seed = seed;
        let trained = train(&task, &config, |progress| {
            if let LearnProgress::Epoch(epoch) = progress {
                println!("{}", serde_json::to_string(&epoch).unwrap_or_default());
            }
        })?;
        let test = task.split.val_end..task.split.end;
        if args.precision {
            for draw in 1..=5 {
                config.evaluate.seed = draw;
                let links = trained.to_rank(&task, test.clone(), Freshness::Event);
                let precision = LinksToRank { config: &config, ..links }.precision();
                println!("seed {seed}, draw {draw}, test, event: AP {precision:.4}");
            }
            config.evaluate.seed = 1;
            continue;
        }
        if let Some(links) = args.curves {
            explained(&task, &trained, test, links);
            continue;
        }
        for &freshness in freshnesses {
            let test = test.clone();
            let began = Instant::now();
            let evaluation = trained.to_rank(&task, test, freshness).evaluate(|_| ());
            let took = began.elapsed().as_secs_f64();
            print(seed, &evaluation);
            println!("seed {seed}, test, {freshness}: model and rules ranked in {took:.2} s");
        }
    }
    Ok(())
}

/// How much the margin of a link changes without the neighbors that are said to matter most, and with these alone; the links
/// of a stretch know what was before it.
fn explained(task: &Task, trained: &Trained, test: std::ops::Range<usize>, links: usize) {
    let queries = stretches(task, test, links);
    for curve in curves(trained, &queries) {
        let points = curve.deletion.iter().map(|point| format!("{point:.3}")).collect::<Vec<_>>().join(" ");
        let (order, deleted, inserted) = (curve.order, curve.deleted(), curve.inserted());
        let replayed = curve.counterfactual().map_or("none".into(), |area| format!("{area:.4}"));
        println!(
            "{} links, {order:?}: deletion {deleted:.4} ({points}), insertion {inserted:.4}, counterfactual {replayed}, \
             agreement {:.3}",
            curve.links, curve.agreement
        );
    }
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

/// The last times of the parts that DyGLib splits a stream into.
fn quantiles(index: &Index, shares: [f64; 2]) -> [i64; 2] {
    let times: Vec<i64> = index.facts().iter().filter(|fact| fact.edge.is_some()).map(|fact| fact.time.0).collect();
    shares.map(|share| {
        let position = share * (times.len() - 1) as f64;
        let (low, high) = (times[position as usize], times[position.ceil() as usize]);
        low + ((high - low) as f64 * position.fract()) as i64
    })
}

fn print(seed: u64, evaluation: &Evaluation) {
    for (name, metrics) in &evaluation.rows {
        let freshness = evaluation.freshness.to_string();
        println!(
            "seed {seed}, test, {freshness:<10} {name:<16} MRR {:.4}  Hits@10 {:.4}  ({} links)",
            metrics.mrr, metrics.hits10, metrics.events
        );
    }
    for (name, metrics) in &evaluation.parts {
        println!("seed {seed}, {}: {name}: MRR {:.4}  ({} links)", evaluation.freshness, metrics.mrr, metrics.events);
    }
}
