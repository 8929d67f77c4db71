//! Delta loads of a made taxonomy at full size, beside DuckDB doing the same by SQL on the same files, in one run.
//!
//! Every load runs in a process of its own, as at the command line: its memory is its own, and it opens the graph first.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::{Value as Json, json};
use timeweft_graph::delta::DeltaOptions;
use timeweft_graph::{Schema, Time, TimeUnit};
use timeweft_source::taxdump;
use timeweft_store::{LoadRequest, Store};

use crate::{median, taxonomy};

/// What to load.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Nodes of the first version.
    #[arg(long, default_value_t = taxonomy::FULL_SIZE)]
    nodes: usize,
    /// Python that has duckdb; without it only timeweft is timed.
    #[arg(long)]
    python: Option<PathBuf>,
    /// Alternating runs; medians are printed.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Keep the made releases here, and use those that are there.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// One load in this process (the bench calls itself).
    #[arg(long, hide = true, num_args = 4, value_names = ["GRAPH", "SOURCE", "VERSION", "AT"])]
    one: Option<Vec<String>>,
}

/// The loads: which release, under which name.
const LOADS: [(&str, &str); 4] = [("v1", "v1"), ("v2", "v2"), ("v3", "v3"), ("v3", "v4")];

pub(crate) fn run(args: &Args) -> Result<()> {
    if let Some(one) = &args.one {
        return load(one);
    }
    let made = tempfile::tempdir()?;
    let folder = args.folder.as_deref().unwrap_or(made.path());
    if !folder.join("expected.jsonl").exists() {
        fs::create_dir_all(folder)?;
        taxonomy::write(folder, 7, args.nodes)?;
    }
    let mut figures: Vec<Vec<[Json; 2]>> = vec![Vec::new(); LOADS.len()];
    for _ in 0..args.runs {
        let ours = ours(folder)?;
        let peers = args.python.as_deref().map(|python| peers(python, folder)).transpose()?.unwrap_or_default();
        for (at, ours) in ours.into_iter().enumerate() {
            figures[at].push([ours, peers.get(at).cloned().unwrap_or(Json::Null)]);
        }
    }
    println!(
        "load  open s  load s  cpu s  snap s  peak MB  log MB  events  floor s |  DuckDB s  cpu s  peak MB  disk MB | ratio"
    );
    for ((release, name), runs) in LOADS.iter().zip(&figures) {
        print_row(folder, release, name, runs)?;
    }
    Ok(())
}

fn print_row(folder: &Path, release: &str, name: &str, runs: &[[Json; 2]]) -> Result<()> {
    let of =
        |side: usize, key: &str| median(&mut runs.iter().filter_map(|run| run[side][key].as_f64()).collect::<Vec<_>>());
    let mega = |bytes: f64| bytes / 1e6;
    println!(
        "{name:<4}  {:>6.2}  {:>6.2}  {:>5.1}  {:>6.2}  {:>7.0}  {:>6.1}  {:>6.0}  {:>7.2} |  {:>8.2}  {:>5.1}  {:>7.0}  {:>7.1} | {:>5.2}",
        of(0, "open"),
        of(0, "seconds"),
        of(0, "cpu"),
        of(0, "snapshot"),
        mega(of(0, "peak_rss")),
        mega(of(0, "disk")),
        of(0, "events"),
        floor(&folder.join(release))?,
        of(1, "seconds"),
        of(1, "cpu_seconds"),
        mega(of(1, "peak_rss")),
        mega(of(1, "db_bytes")),
        of(1, "seconds") / of(0, "seconds"),
    );
    Ok(())
}

/// Seconds to read the files of a release once, from wherever the system has them.
fn floor(release: &Path) -> Result<f64> {
    let started = Instant::now();
    let mut buffer = vec![0; 1 << 20];
    for entry in fs::read_dir(release)? {
        let mut file = File::open(entry?.path())?;
        while file.read(&mut buffer)? > 0 {}
    }
    Ok(started.elapsed().as_secs_f64())
}

fn ours(folder: &Path) -> Result<Vec<Json>> {
    let graph = tempfile::tempdir()?;
    let dir = graph.path().join("graph");
    Store::create(&dir, Schema::new(TimeUnit::Milli))?;
    let expected = fs::read_to_string(folder.join("expected.jsonl"))?;
    let expected: Vec<Json> = expected.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let mut figures = Vec::new();
    for (at, (release, name)) in (1u64..).zip(LOADS) {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["versions", "--one"]).arg(&dir).arg(folder.join(release)).arg(name).arg(at.to_string());
        let output = command.output()?;
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr));
        }
        let figure: Json = serde_json::from_slice(&output.stdout)?;
        check(&figure, expected.iter().find(|line| line["version"] == name))?;
        figures.push(figure);
    }
    Ok(figures)
}

/// A figure of a wrong load is no figure. A release that is not among the expected ones changes nothing.
fn check(figure: &Json, expected: Option<&Json>) -> Result<()> {
    for key in ["new", "changed", "gone", "reappeared", "merged", "edges_new", "edges_gone"] {
        let wanted = expected.map_or(json!(0), |expected| expected[key].clone());
        if figure[key] != wanted {
            bail!("{} of the load are {}, and should be {wanted}: {figure}", key, figure[key]);
        }
    }
    Ok(())
}

/// One load, told as one JSON object.
fn load(one: &[String]) -> Result<()> {
    let [graph, source, name, at] = one else { bail!("four values are needed") };
    let started = Instant::now();
    let mut store = Store::open(graph)?;
    let open = started.elapsed().as_secs_f64();
    let (started, disk) = (Instant::now(), store.size_on_disk()?);
    let used = cpu_seconds()?;
    let request = LoadRequest::new("ncbi", source).version(name, Time(at.parse()?));
    let source = PathBuf::from(source);
    let report = store.load_version(request, DeltaOptions::default(), move |sink| Ok(taxdump::read(&source, sink)?))?;
    let delta = report.delta.unwrap_or_default();
    let seconds = started.elapsed().as_secs_f64();
    let (cpu, disk) = (cpu_seconds()? - used, store.size_on_disk()?.saturating_sub(disk));
    // As the command line does behind a large load.
    let started = Instant::now();
    if store.is_snapshot_due()? {
        store.write_snapshot()?;
    }
    let figure = json!({
        "open": open, "seconds": seconds, "cpu": cpu, "peak_rss": peak_memory()?, "disk": disk,
        "snapshot": started.elapsed().as_secs_f64(), "events": report.accepted,
        "new": delta.nodes.new, "reappeared": delta.nodes.reappeared, "changed": delta.nodes.changed,
        "gone": delta.nodes.gone, "merged": delta.merges.merged,
        "edges_new": delta.edges.new, "edges_gone": delta.edges.gone,
    });
    println!("{figure}");
    Ok(())
}

/// Processor time of this process so far. Linux counts it in hundredths of a second.
fn cpu_seconds() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>()? / 100.0)
}

/// Most memory that this process ever had, in bytes.
fn peak_memory() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}

fn peers(python: &Path, folder: &Path) -> Result<Vec<Json>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/duckdb_delta.py");
    let output = Command::new(python).arg(script).arg(folder).output()?;
    if !output.status.success() {
        bail!("the peer failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    let lines = String::from_utf8(output.stdout)?;
    lines.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}
