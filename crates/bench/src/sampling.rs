//! Interval graphs: load of temporal JSON, samplers, counts and features at a time, beside DeepGNN's graph engine.
//!
//! Loading and asking happen in processes of their own, so that their memory is their own.

mod floor;
mod made;
mod rates;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::{Value as Json, json};
use timeweft_graph::{Schema, TimeUnit};
use timeweft_index::Index;
use timeweft_source::{IntervalSource, IntervalsOptions};
use timeweft_store::{LoadRequest, Store};

pub(crate) use self::made::Random;
use self::made::Shape;
use crate::data::{self, Stream};
use crate::median;

/// What to load and ask.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Nodes.
    #[arg(long, default_value_t = 50_000)]
    nodes: usize,
    /// Mean number of edges that start at a node.
    #[arg(long, default_value_t = 10)]
    degree: usize,
    /// Above 0: destinations and degrees are skewed.
    #[arg(long, default_value_t = 0.0)]
    skew: f64,
    /// Python that has deepgnn-ge; without it only timeweft is timed, on a graph that no file holds.
    #[arg(long, requires = "script")]
    python: Option<PathBuf>,
    /// The peer's script: `make` writes a graph as temporal JSON, `time` prints one JSON object a question.
    #[arg(long)]
    script: Option<PathBuf>,
    /// Alternating runs; medians are printed.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Roots of a question.
    #[arg(long, default_value_t = 1 << 20)]
    roots: usize,
    /// One part in this process (the bench calls itself): `load GRAPH [FILE]`, `ask GRAPH`, or `call GRAPH`, with which Python
    /// is compared.
    #[arg(long, hide = true, num_args = 2..=3)]
    one: Option<Vec<String>>,
}

pub(crate) fn run(args: &Args, folder: &Path) -> Result<()> {
    let shape = Shape { nodes: args.nodes, degree: args.degree, skew: args.skew };
    match args.one.as_deref() {
        Some([part, graph, file @ ..]) if part == "load" => return load(graph, file.first(), shape),
        Some([part, graph]) if part == "ask" => return ask(Path::new(graph), args.roots, folder),
        Some([part, graph]) if part == "call" => return call(Path::new(graph), args.roots),
        Some(_) => bail!("`load GRAPH [FILE]`, `ask GRAPH` or `call GRAPH`"),
        None => {}
    }
    let scratch = tempfile::tempdir()?;
    let file = args.script.as_deref().zip(args.python.as_deref()).map(|(script, python)| {
        let file = scratch.path().join("graph.jsonl");
        peer(python, script, &make_arguments(args, &file)).map(|_| file)
    });
    let file = file.transpose()?;
    let mut figures: BTreeMap<String, [Vec<f64>; 2]> = BTreeMap::new();
    for _ in 0..args.runs {
        for (name, figure) in ours(args, scratch.path(), file.as_deref(), folder)? {
            figures.entry(name).or_default()[0].push(figure);
        }
        if let (Some(file), Some(python), Some(script)) = (&file, &args.python, &args.script) {
            for (name, figure) in peers(python, script, file)? {
                figures.entry(name).or_default()[1].push(figure);
            }
        }
    }
    print(figures);
    Ok(())
}

/// Rates in millions a second on one thread, beside the peer's; then everything else.
fn print(figures: BTreeMap<String, [Vec<f64>; 2]>) {
    println!("{:<26}{:>12}{:>12}{:>8}", "millions a second", "timeweft", "peer", "ratio");
    let (rates, others): (Vec<_>, Vec<_>) = figures.into_iter().partition(|(name, _)| name.starts_with("rate "));
    for (name, [mut ours, mut peers]) in rates {
        let (ours, peers) = (median(&mut ours) / 1e6, median(&mut peers) / 1e6);
        println!("{:<26}{ours:>12.2}{peers:>12.2}{:>8.1}", &name[5..], ours / peers);
    }
    println!();
    for (name, [mut ours, _]) in others {
        println!("{name:<38}{:>14.2}", median(&mut ours));
    }
}

fn make_arguments(args: &Args, file: &Path) -> Vec<String> {
    let number = |name: &str, value: String| [format!("--{name}"), value];
    let mut arguments = vec!["make".to_owned(), file.to_string_lossy().into_owned()];
    arguments.extend(number("nodes", args.nodes.to_string()));
    arguments.extend(number("degree", args.degree.to_string()));
    arguments.extend(number("skew", args.skew.to_string()));
    arguments.extend(number("removed", "0.3".into()));
    arguments
}

/// Loads and asks once, in two processes.
fn ours(args: &Args, scratch: &Path, file: Option<&Path>, data: &Path) -> Result<BTreeMap<String, f64>> {
    let dir = scratch.join("graph");
    if dir.exists() {
        fs::remove_dir_all(&dir)?;
    }
    let own = |part: &str| -> Result<Command> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["sampling", "--nodes", &args.nodes.to_string(), "--degree", &args.degree.to_string()]);
        command.args(["--skew", &args.skew.to_string(), "--roots", &args.roots.to_string()]).arg("--data").arg(data);
        command.args(["--one", part]).arg(&dir);
        Ok(command)
    };
    let mut loading = own("load")?;
    loading.args(file);
    let mut figures = figures_of(loading)?;
    figures.append(&mut figures_of(own("ask")?)?);
    Ok(figures)
}

/// What a part of this bench prints: one JSON object.
fn figures_of(mut command: Command) -> Result<BTreeMap<String, f64>> {
    let output = command.output()?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Makes a durable graph of a file, or of what the generator pushes, and a snapshot of it.
fn load(graph: &str, file: Option<&String>, shape: Shape) -> Result<()> {
    let mut store = Store::create(graph, Schema::new(TimeUnit::Step))?;
    let request = LoadRequest::new("bench", "graph");
    let started = Instant::now();
    let report = match file {
        Some(file) => {
            let source = IntervalSource::open(Path::new(file), &IntervalsOptions::default())?;
            store.load_intervals(request, |sink| Ok(source.read(sink)?))?
        }
        None => store.load_intervals(request, |sink| {
            made::push(shape, sink);
            Ok(())
        })?,
    };
    let seconds = started.elapsed().as_secs_f64();
    anyhow::ensure!(report.n_rejected == 0, "{} records were refused", report.n_rejected);
    let edges = report.counts.edges.created as f64;
    let log = store.size_on_disk()? as f64;
    let started = Instant::now();
    let snapshot = store.write_snapshot()? as f64;
    let rate = if file.is_some() { "rate JSON to durable graph" } else { "rate made to durable graph" };
    let figure = json!({
        "edges": edges,
        rate: edges / seconds,
        "load, seconds": seconds,
        "load, peak MB": memory("VmHWM:")? / 1e6,
        "log, bytes an edge": log / edges,
        "snapshot, bytes an edge": snapshot / edges,
        "snapshot, seconds": started.elapsed().as_secs_f64(),
    });
    println!("{figure}");
    Ok(())
}

/// Opens the graph and asks everything.
fn ask(graph: &Path, roots: usize, folder: &Path) -> Result<()> {
    let started = Instant::now();
    let store = Store::open(graph)?;
    let index = store.view();
    let open = started.elapsed().as_secs_f64();
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let mut figures = one.install(|| -> Result<BTreeMap<String, f64>> {
        let mut figures: BTreeMap<String, f64> = BTreeMap::new();
        // What questions that need no weights keep in memory.
        let started = Instant::now();
        rates::touch(&index)?;
        figures.insert("first question at all nodes, seconds".into(), started.elapsed().as_secs_f64());
        let edges = index.n_edges() as f64;
        figures.insert("resident, bytes an edge".into(), memory("VmRSS:")? / edges);
        let smaller = if index.n_nodes() > SMALLER.nodes { Some(smaller()?) } else { None };
        for (name, figure) in rates::all(&index, smaller.as_deref(), roots)? {
            match name.strip_prefix("left ") {
                Some(name) => figures.insert(format!("left of the rate on 0.5 M edges, {name}"), figure),
                None => figures.insert(format!("rate {name}"), 1.0 / figure),
            };
        }
        let (degree, hub) = rates::hub(&index)?;
        figures.insert("hub, edges".into(), degree as f64);
        figures.extend(hub.into_iter().map(|(name, seconds)| (format!("{name}, microseconds"), seconds * 1e6)));
        Ok(figures)
    })?;
    figures.insert("open, seconds".into(), open);
    let memory = floor::memory((index.n_edges() * 32).clamp(1 << 24, 1 << 31));
    figures.insert("memory, ns a line, dependent".into(), memory.dependent);
    figures.insert("memory, ns a line, independent".into(), memory.independent);
    if Stream::Wiki.path(folder).exists() {
        let stream = data::index(Stream::Wiki, folder)?;
        let seconds = one.install(|| rates::replay(&stream))?;
        figures.insert("rate replay, last of wiki".into(), 1.0 / seconds);
    }
    println!("{}", serde_json::to_string(&figures)?);
    Ok(())
}

/// Asks about all roots in one call, again and again, on the threads of the machine.
fn call(graph: &Path, roots: usize) -> Result<()> {
    let store = Store::open_read_only(graph, None)?;
    let (fresh, again) = rates::calls(&store.view(), roots)?;
    println!("{}", json!({ "fresh": fresh, "again": again }));
    Ok(())
}

/// The graph that larger ones are compared with.
const SMALLER: Shape = Shape { nodes: 50_000, degree: 10, skew: 0.0 };

/// It, from a snapshot as the larger one is.
fn smaller() -> Result<Arc<Index>> {
    let scratch = tempfile::tempdir()?;
    let graph = scratch.path().join("graph");
    let mut store = Store::create(&graph, Schema::new(TimeUnit::Step))?;
    store.load_intervals(LoadRequest::new("bench", "graph"), |sink| {
        made::push(SMALLER, sink);
        Ok(())
    })?;
    store.write_snapshot()?;
    drop(store);
    Ok(Store::open(&graph)?.view())
}

/// A line of what Linux tells of this process's memory, in bytes.
fn memory(line: &str) -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let found = status.lines().find_map(|text| text.strip_prefix(line)).context("the system tells no memory")?;
    Ok(found.trim().trim_end_matches(" kB").parse::<f64>()? * 1024.0)
}

/// The peer's rates, by our names.
fn peers(python: &Path, script: &Path, file: &Path) -> Result<BTreeMap<String, f64>> {
    let arguments = ["time".to_owned(), file.to_string_lossy().into_owned()];
    let mut figures = BTreeMap::new();
    for line in peer(python, script, &arguments)?.lines() {
        let row: Json = serde_json::from_str(line)?;
        let name = match row["name"].as_str().context("a row of the peer has no name")? {
            "convert" => "JSON to durable graph",
            "lastn" => "last",
            "uniform_without_replacement" => "uniform_distinct",
            name => name,
        };
        let rate = row["edges_per_s"].as_f64().or(row["roots_per_s"].as_f64());
        figures.insert(format!("rate {name}"), rate.context("a row of the peer has no rate")?);
    }
    Ok(figures)
}

fn peer(python: &Path, script: &Path, arguments: &[String]) -> Result<String> {
    let output = Command::new(python).arg(script).args(arguments).output()?;
    if !output.status.success() {
        bail!("the peer failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}
