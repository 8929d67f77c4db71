//! How fast a file of intervals becomes a durable graph, with wall and CPU seconds a phase:
//! `cargo run --release -p timeweft-oracle --example interval_rates -- <file> <scratch directory> [slow|load]`.
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;
use std::time::Instant;

use timeweft_graph::{Record, Schema, Sink, SpanRows, TimeUnit};
use timeweft_oracle::{Intervals, pushed};
use timeweft_source::{IntervalSource, IntervalsOptions};
use timeweft_store::{LoadRequest, Store};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Counts what is pushed.
#[derive(Default)]
struct Counter {
    schema: Schema,
    nodes: u64,
    edges: u64,
}

impl Sink for Counter {
    fn schema(&mut self) -> &mut Schema {
        &mut self.schema
    }
    fn record(&mut self, record: Record<'_>, line: u64) {
        match record {
            Record::NodeSpan(..) => self.nodes += 1,
            Record::EdgeSpan(..) => self.edges += 1,
            Record::Reject(reason) => panic!("line {line}: {reason}"),
            _ => {}
        }
    }
}

/// User and system seconds of this process.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    [11, 12].iter().map(|&at| fields[at].parse::<f64>().unwrap() / 100.0).sum()
}

/// Peak of resident memory in MiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

fn timed<T>(what: &str, edges: u64, run: impl FnOnce() -> T) -> T {
    let (start, before) = (Instant::now(), cpu());
    let result = run();
    let (wall, cpu) = (start.elapsed().as_secs_f64(), cpu() - before);
    let rate = edges as f64 / wall / 1e6;
    println!("{what:32} {wall:7.3} s wall {cpu:7.2} s CPU {rate:7.3} M edges/s, peak {} MiB", peak());
    result
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let (file, scratch) = (Path::new(&arguments[1]), Path::new(&arguments[2]));
    let open = || IntervalSource::open(file, &IntervalsOptions::default()).unwrap();
    let is = |what: &str| arguments.get(3).is_some_and(|known| known == what);
    let mut edges = 1_000_000;
    if !is("load") {
        let mut counter = Counter::default();
        open().read(&mut counter).unwrap();
        edges = counter.edges;
        println!("{} nodes, {edges} edges", counter.nodes);
        timed("read", edges, || open().read(&mut Counter::default()).unwrap());
        timed("read and pack", edges, || open().read(&mut SpanRows::default()).unwrap());
    }
    let dir = scratch.join("rates.graph");
    let _ = std::fs::remove_dir_all(&dir);
    let mut store = Store::create(&dir, Schema::new(TimeUnit::Step)).unwrap();
    let request = LoadRequest::new("intervals", "file");
    if is("slow") {
        let read =
            timed("read as events", edges, || Intervals::collect(TimeUnit::Step, |sink| open().read(sink)).unwrap());
        let request = LoadRequest { schema: read.schema, ..request };
        timed("load of events", edges, || store.load(request, pushed(read.records.into_iter().map(Ok))).unwrap());
    } else {
        let report =
            timed("load_intervals", edges, || store.load_intervals(request, |sink| Ok(open().read(sink)?)).unwrap());
        println!("{:?} {:?}", report.counts, report.clipped);
    }
    println!("{:.1} bytes an edge on disk", store.size_on_disk().unwrap() as f64 / edges as f64);
    if is("load") {
        return;
    }
    drop(store);
    let store = timed("open without a snapshot", edges, || Store::open(&dir).unwrap());
    timed("facts", edges, || store.view().facts().len());
    std::fs::remove_dir_all(&dir).unwrap();
}
