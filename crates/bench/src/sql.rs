//! Questions in SQL beside the library's own loops, and beside DuckDB on the exported Parquet, in one run.

use std::collections::BTreeMap;
use std::fs::File;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::Value as Json;
use timeweft::export::table_writer::{TableFormat, write_batches};
use timeweft::load::{LoadRequest, Place};
use timeweft::read::features::Owners;
use timeweft::sample::{AsOf, Roots};
use timeweft::{Action, At, EdgeKey, Element, Event, Graph, NodeKey, Time, TimeUnit, Value, View};
use timeweft_sql::Session;

use crate::median;

/// What to ask.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Nodes.
    #[arg(long, default_value_t = 1_000_000)]
    nodes: u64,
    /// Python that has duckdb; without it only timeweft is timed.
    #[arg(long)]
    python: Option<PathBuf>,
    /// Alternating runs; medians are printed.
    #[arg(long, default_value_t = 5)]
    runs: usize,
}

/// Names of questions, and how they are asked of the graph; the peer has the same names.
const QUESTIONS: [(&str, &str); 6] = [
    ("scan with filter", "SELECT count(*) FROM \"user\" WHERE age > 50"),
    ("filter by time", "SELECT count(*) FROM \"user\" WHERE created >= 500000"),
    ("group", "SELECT country, count(*), avg(age) FROM \"user\" GROUP BY country"),
    ("join", "SELECT count(*) FROM edges e JOIN \"user\" u ON e.destination = u.node WHERE u.age > 50"),
    ("join by id", "SELECT count(*) FROM edges e JOIN \"user\" u ON e.destination_id = u.id WHERE u.age > 50"),
    ("one node", "SELECT age FROM \"user\" WHERE id = '77777'"),
];

pub(crate) fn run(args: &Args) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let graph = made(folder.path(), args.nodes)?;
    let view = graph.view();
    let mut session = Session::new(Arc::new(Mutex::new(graph)));
    for (name, query) in [("user", "SELECT * FROM \"user\""), ("edges", "SELECT source_id, destination_id FROM edges")]
    {
        export(&mut session, query, &folder.path().join(format!("{name}.parquet")))?;
    }
    let mut figures: BTreeMap<&str, [Vec<f64>; 3]> = BTreeMap::new();
    for _ in 0..args.runs {
        let theirs = args.python.as_deref().map(|python| peer(python, folder.path())).transpose()?.unwrap_or_default();
        for (name, query) in QUESTIONS {
            let [sql, library, peers] = figures.entry(name).or_default();
            sql.push(timed(|| ask(&mut session, query))?);
            library.extend(by_library(&view, name)?);
            peers.extend(theirs.get(name));
        }
    }
    println!(
        "{:<18}{:>10}{:>12}{:>12}   ms, {} nodes, {} threads",
        "",
        "SQL",
        "library",
        "DuckDB",
        args.nodes,
        rayon::current_num_threads()
    );
    for (name, _) in QUESTIONS {
        let [sql, library, peers] = figures.entry(name).or_default();
        let cell =
            |figures: &mut Vec<f64>| if figures.is_empty() { "-".into() } else { format!("{:.2}", median(figures)) };
        println!("{name:<18}{:>10}{:>12}{:>12}", cell(sql), cell(library), cell(peers));
    }
    Ok(())
}

/// People with ages and countries, each of whom follows one other.
fn made(folder: &Path, nodes: u64) -> Result<Graph> {
    let mut graph = Graph::create(folder.join("graph"), TimeUnit::Step)?;
    let key = |id: u64| NodeKey::new("user", id);
    let mixed = |id: u64| id.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let person = |id: u64| {
        let features = vec![
            ("age".into(), Some(Value::number((mixed(id) % 90) as f64))),
            ("country".into(), Some(Value::Category(format!("c{}", mixed(id) % 50).into()))),
        ];
        Event::new(Time(id as i64), Action::Create, Element::Node(key(id))).with(features)
    };
    let follows = |id: u64| {
        let key =
            EdgeKey { source: key(id), relation: "follows".into(), destination: key(mixed(id) % nodes), key: None };
        Event::new(Time((nodes + id) as i64), Action::Create, Element::Edge(key))
    };
    let place = || Place { file: "bench".into(), line: 1 };
    let events = (0..nodes).map(person).chain((0..nodes).map(follows)).map(|event| Ok((event, place())));
    graph.load_events(LoadRequest::new("bench", "made"), events)?;
    graph.compact()?;
    Ok(graph)
}

fn export(session: &mut Session, query: &str, path: &Path) -> Result<()> {
    let answer = session.query(query)?;
    let schema = answer.schema().clone();
    let batches = answer.map(|batch| batch.map_err(std::io::Error::other));
    write_batches::<_, std::io::Error>(File::create(path)?, TableFormat::Parquet, &schema, batches)?;
    Ok(())
}

fn ask(session: &mut Session, query: &str) -> Result<usize> {
    let mut rows = 0;
    for batch in session.query(query)? {
        rows += batch?.num_rows();
    }
    Ok(rows)
}

/// Milliseconds.
fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<f64> {
    let began = Instant::now();
    black_box(work()?);
    Ok(began.elapsed().as_secs_f64() * 1e3)
}

/// The same question by the fastest functions of the library that answer it, where there is a loop of a few lines.
fn by_library(view: &View, name: &str) -> Result<Option<f64>> {
    let (index, at) = (view.index(), At::now());
    Ok(match name {
        "scan with filter" => Some(timed(|| {
            let found = index.node_columns(Some("user"), at);
            let times = vec![at.time; found.nodes.len()];
            let mut ages = vec![0f64; found.nodes.len()];
            let owners = Owners::nodes(Roots::new(&found.nodes, &times)?, AsOf::At);
            index.dense_features(&[("age".into(), 1)], owners, &mut ages)?;
            Ok(ages.iter().filter(|age| **age > 50.0).count())
        })?),
        "filter by time" => Some(timed(|| {
            let found = index.node_columns(Some("user"), at);
            Ok(found.created.iter().filter(|created| created.0 >= 500_000).count())
        })?),
        "one node" => Some(timed(|| Ok(view.now().state(view.node("user", 77_777)?)))?),
        _ => None,
    })
}

/// The peer's milliseconds, by our names.
fn peer(python: &Path, folder: &Path) -> Result<BTreeMap<String, f64>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/duckdb_scan.py");
    let output = Command::new(python).arg(script).arg(folder).output()?;
    if !output.status.success() {
        bail!("the peer failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    let figures: Json = serde_json::from_slice(&output.stdout)?;
    let figures = figures.as_object().context("the peer gave no object")?;
    Ok(figures.iter().filter_map(|(name, ms)| Some((name.clone(), ms.as_f64()?))).collect())
}
