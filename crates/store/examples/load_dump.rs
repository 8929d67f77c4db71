//! Loads a taxonomy dump as a version into a graph, made where it is not there, and tells seconds and processor time.
//! With the dump alone it is only read into chunks, which another thread looks at.
//!
//! `cargo run --release -p timeweft-store --example load_dump -- DUMP [GRAPH VERSION TIME]`

use std::path::{Path, PathBuf};
use std::sync::mpsc::{channel, sync_channel};
use std::time::Instant;

use timeweft_graph::delta::DeltaOptions;
use timeweft_graph::rows::{Projection, RowWriter, Rows};
use timeweft_graph::{Schema, Time, TimeUnit};
use timeweft_source::taxdump;
use timeweft_store::{LoadRequest, Store};

// As the binary has it: how chunks come and go between threads depends on it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match &args[..] {
        [dump] => read(Path::new(dump)),
        [dump, graph, version, at] => load(Path::new(dump), Path::new(graph), version, Time(at.parse()?)),
        _ => Err("give the folder of a dump, and a graph, the name of the version and its time to load it".into()),
    }
}

fn read(dump: &Path) -> Result<(), Failure> {
    let started = Instant::now();
    let (chunks, arriving) = sync_channel::<Rows>(3);
    let (spent, used) = channel();
    let (records, bytes) = std::thread::scope(|scope| {
        let sums = scope.spawn(move || {
            arriving.iter().fold((0, 0), |(records, bytes), rows| {
                let sums = (records + rows.len(), bytes + rows.size().1);
                let _ = spent.send(rows);
                sums
            })
        });
        let schema = Schema::new(TimeUnit::Milli);
        let mut writer = RowWriter::new(
            schema,
            |_, _| Projection::default(),
            move |_: &Schema, rows: Rows| {
                let _ = chunks.send(rows);
                used.try_recv().ok()
            },
        );
        let read = taxdump::read(dump, &mut writer);
        drop(writer);
        let sums = sums.join().map_err(|_| "the other thread broke down")?;
        read.map(|()| sums).map_err(Failure::from)
    })?;
    println!("{records} records with {bytes} bytes of values");
    tell(started, 0.0)
}

fn load(dump: &Path, graph: &Path, version: &str, at: Time) -> Result<(), Failure> {
    let mut store =
        if graph.exists() { Store::open(graph)? } else { Store::create(graph, Schema::new(TimeUnit::Milli))? };
    let (started, used) = (Instant::now(), cpu_seconds()?);
    let request = LoadRequest::new("ncbi", &dump.to_string_lossy()).version(version, at);
    let dump = PathBuf::from(dump);
    let report = store.load_version(request, DeltaOptions::default(), move |sink| Ok(taxdump::read(&dump, sink)?))?;
    let delta = report.delta.unwrap_or_default();
    println!("{} events, {} rejects", report.accepted, report.n_rejected);
    println!("{} nodes changed, {} edges new", delta.nodes.changed, delta.edges.new);
    tell(started, used)
}

fn tell(started: Instant, used: f64) -> Result<(), Failure> {
    println!("{:.2} s, {:.2} s of processors", started.elapsed().as_secs_f64(), cpu_seconds()? - used);
    Ok(())
}

/// Processor time of this process so far. Linux counts it in hundredths of a second.
fn cpu_seconds() -> Result<f64, Failure> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>()? / 100.0)
}
