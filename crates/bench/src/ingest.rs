//! Durable ingest: events a second into a store on disk, and the time to open it again.

use std::time::Instant;

use anyhow::Result;
use timeweft_graph::{
    Action, EdgeKey, Element, Event, GraphView, NodeKey, Place, Reject, Schema, Time, TimeUnit, send_events,
};
use timeweft_store::{LoadRequest, Store};

use crate::median;

/// How much to ingest.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Edge creations.
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
    /// Runs; the median is printed.
    #[arg(long, default_value_t = 3)]
    runs: usize,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let (mut loads, mut opens, mut writes) = (Vec::new(), Vec::new(), Vec::new());
    let mut size = 0;
    for _ in 0..args.runs {
        let folder = tempfile::tempdir()?;
        let graph = folder.path().join("graph");
        let mut store = Store::create(&graph, Schema::new(TimeUnit::Step))?;
        let started = Instant::now();
        let report = store.load(LoadRequest::new("bench", "generated"), |sink| {
            send_events(events(args.events), sink);
            Ok(())
        })?;
        loads.push(started.elapsed().as_secs_f64());
        anyhow::ensure!(report.n_rejected == 0, "{} events were refused", report.n_rejected);
        size = store.size_on_disk()?;
        drop(store);
        let started = Instant::now();
        let n_edges = Store::open(&graph)?.view().counts(timeweft_graph::At::now()).edges;
        opens.push(started.elapsed().as_secs_f64());
        anyhow::ensure!(n_edges as u64 == args.events, "{n_edges} edges came back");
        writes.push(write_floor(folder.path(), size)?);
    }
    let n = nodes(args.events) + args.events;
    let load = median(&mut loads);
    println!("durable ingest     {:.0} events/s ({n} events in {load:.2} s)", n as f64 / load);
    println!("open again         {:.2} s", median(&mut opens));
    println!("on disk            {:.1} bytes an event", size as f64 / n as f64);
    println!("floor: the same bytes written and synced once: {:.2} s", median(&mut writes));
    Ok(())
}

fn nodes(edges: u64) -> u64 {
    (edges / 20).max(2)
}

/// Nodes first, then edges with hubs, in order of time.
fn events(n: u64) -> impl Iterator<Item = Result<(Event, Place), Reject>> {
    let n_nodes = nodes(n);
    let place = Place { file: "generated".into(), line: 0 };
    let node = |id: u64| NodeKey::new("node", id);
    let creations = (0..n_nodes).map(move |id| Event::new(Time(0), Action::Create, Element::Node(node(id))));
    let edges = (0..n).map(move |i| {
        let draw = timeweft_learn::splitmix64(i);
        let (source, destination) = (node(draw % n_nodes), node((draw >> 32) % n_nodes * (draw >> 60) / 16));
        let key = Some(i.to_string().into());
        let edge = EdgeKey { source, relation: "link".into(), destination, key };
        Event::new(Time(1 + i as i64), Action::Create, Element::Edge(edge))
    });
    creations.chain(edges).map(move |event| Ok((event, place.clone())))
}

/// Seconds to write and sync this many bytes once: no durable store of them can be faster.
fn write_floor(folder: &std::path::Path, bytes: u64) -> Result<f64> {
    use std::io::Write;
    let started = Instant::now();
    let mut file = std::fs::File::create(folder.join("floor"))?;
    file.write_all(&vec![7u8; bytes as usize])?;
    file.sync_all()?;
    Ok(started.elapsed().as_secs_f64())
}
