//! Time, memory and disk of commands on large graphs: each a process of its own, as at the command line.

mod child;

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use timeweft_learn::splitmix64;

use self::child::{Used, run_child};

/// What to run.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Interactions, with a tenth as many nodes. Every fifth is one of node 0.
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
    /// The binary; left out, `timeweft` beside this one.
    #[arg(long)]
    binary: Option<PathBuf>,
    /// Make the graph in this folder, which must have room for about 250 bytes an event.
    #[arg(long)]
    folder: Option<PathBuf>,
}

/// The head of a table.
const HEAD: &str = "| command | seconds | CPU seconds | peak MB |\n|---|---|---|---|";

/// Interactions of a small load.
const FEW: u64 = 5;

pub(crate) fn run(args: &Args) -> Result<()> {
    let made = match &args.folder {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    let binary = match &args.binary {
        Some(binary) => binary.clone(),
        None => std::env::current_exe()?.with_file_name("timeweft"),
    };
    ensure!(binary.is_file(), "{} is not there: build it, or name it by --binary", binary.display());
    let scale = Scale { binary, folder: made.path(), events: args.events };
    println!("{HEAD}");
    let loaded = scale.load()?;
    scale.small_load()?;
    scale.questions()?;
    println!("\n{loaded}\n\nWithout the snapshot:\n\n{HEAD}");
    scale.without_snapshot()
}

/// A graph and the commands about it.
struct Scale<'a> {
    binary: PathBuf,
    folder: &'a Path,
    events: u64,
}

impl Scale<'_> {
    /// Loads all; tells how fast, and what is on disk then.
    fn load(&self) -> Result<String> {
        let source = self.folder.join("all.csv");
        write_interactions(&source, self.nodes(), 0..self.events)?;
        let used = self.row("load events all.csv --unit s")?;
        let graph = self.folder.join("graph");
        let [log, snapshot] = [size(&graph.join("log"))? + size(&graph)?, size(&graph.join("index"))?];
        let each = |bytes: u64| bytes as f64 / self.events as f64;
        let source_size = fs::metadata(&source)?.len();
        fs::remove_file(source)?;
        Ok(format!(
            "{:.0} thousand interactions a second. Bytes an interaction: source {:.1}, log and catalogue {:.1}, snapshot {:.1}.",
            self.events as f64 / used.seconds / 1e3,
            each(source_size),
            each(log),
            each(snapshot),
        ))
    }

    /// Every command that goes through the whole graph, or through all of a hub.
    fn questions(&self) -> Result<()> {
        let early = self.time(self.events / 8);
        let late = self.time(self.events - self.events / 100);
        let other = self.nodes() / 2;
        for command in [
            "loads".to_owned(),
            "stats".to_owned(),
            format!("stats --at {early}"),
            "export --to state.jsonl".to_owned(),
            "export --events --to log.jsonl".to_owned(),
            "verify".to_owned(),
            format!("diff --from {early} --summary"),
            "neighbors node 0 --json".to_owned(),
            "history node 0 --json".to_owned(),
            format!("node node {other}"),
            format!("neighbors node {other}"),
            "neighbors node 0 --limit 10".to_owned(),
            format!("diff --from {late} --json"),
            format!("diff --from {early} --json"),
            format!("diff --from {early}"),
            "neighbors node 0".to_owned(),
            "history node 0".to_owned(),
            "export --to state.parquet".to_owned(),
            "export --events --to log.parquet".to_owned(),
        ] {
            self.row(&command)?;
        }
        Ok(())
    }

    fn small_load(&self) -> Result<()> {
        let few = self.folder.join("few.csv");
        write_interactions(&few, self.nodes(), self.events..self.events + FEW)?;
        self.row("load events few.csv")?;
        self.row("rollback 2")?;
        Ok(())
    }

    fn without_snapshot(&self) -> Result<()> {
        fs::remove_dir_all(self.folder.join("graph").join("index"))?;
        self.row("loads")?;
        self.row("stats")?;
        Ok(())
    }

    fn nodes(&self) -> u64 {
        nodes(self.events)
    }

    fn time(&self, event: u64) -> u64 {
        time(event)
    }

    /// Runs a command and prints what it took. What it prints goes nowhere, and files that it writes are removed.
    fn row(&self, command: &str) -> Result<Used> {
        let words = command.split_whitespace().chain(["--graph", "graph"]);
        let used = run_child(&self.binary, self.folder, words).with_context(|| command.to_owned())?;
        println!(
            "| `{command}` | {:.2} | {:.2} | {:.0} |",
            used.seconds,
            used.cpu_seconds,
            used.peak_bytes as f64 / 1e6
        );
        for name in ["state.jsonl", "state.parquet", "log.jsonl", "log.parquet"].map(|name| self.folder.join(name)) {
            if name.exists() {
                fs::remove_file(name)?;
            }
        }
        Ok(used)
    }
}

/// As many nodes as make ten interactions each.
fn nodes(events: u64) -> u64 {
    (events / 10).max(2)
}

/// Four interactions a second.
fn time(event: u64) -> u64 {
    event / 4
}

/// Interactions between nodes, in order of time: every fifth begins at node 0, all others anywhere. The same every time.
fn write_interactions(path: &Path, nodes: u64, numbers: std::ops::Range<u64>) -> Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    writeln!(out, "source,destination,time,weight,kind")?;
    for number in numbers {
        let draw = splitmix64(number);
        let source = if number.is_multiple_of(5) { 0 } else { draw % nodes };
        let (destination, weight, kind) = ((draw >> 24) % nodes, (draw >> 50) % 1000, (draw >> 40) % 7);
        writeln!(out, "{source},{destination},{},{}.{},k{kind}", time(number), weight / 10, weight % 10)?;
    }
    Ok(out.flush()?)
}

/// Bytes of the files in a folder.
fn size(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let facts = entry?.metadata()?;
        bytes += if facts.is_file() { facts.len() } else { 0 };
    }
    Ok(bytes)
}
