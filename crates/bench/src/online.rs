//! A model in service: what an event costs that is scored and taken in as it comes, with how much history.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use timeweft_graph::{
    Action, Direction, EdgeKey, Element, Event, ExternalId, GraphView, Name, NodeKey, Schema, Stop, Time,
};
use timeweft_index::Index;
use timeweft_learn::{Config, GraphContext, Query, Task, Trained, VectorStore, train};

use crate::clock::{Clock, Seconds};
use crate::data::{self, Stream};

/// What to time.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Which stream.
    #[arg(default_value = "uci")]
    stream: Stream,
    /// How often the stream stands behind itself with nodes of its own: a longer history of the same degrees.
    #[arg(long, value_delimiter = ',', default_value = "1,10")]
    copies: Vec<usize>,
    /// Events that are scored and taken in one by one, the last of the stream.
    #[arg(long, default_value_t = 4000)]
    events: usize,
    /// Width of messages, memory and embeddings.
    #[arg(long)]
    width: Option<usize>,
}

/// How many events one call takes in where they come in batches.
const BATCH: usize = 1000;

pub(crate) fn run(args: &Args, folder: &Path) -> Result<()> {
    let mut config = Config::default();
    config.train.epochs = 1;
    if let Some(width) = args.width {
        (config.model.width, config.model.channels) = (width, width);
    }
    let events = data::index(args.stream, folder)?.events();
    let trained = train(&Task::new(Arc::new(indexed(&events)?), &config)?, &config, |_| ())?;
    for &copies in &args.copies {
        let history = repeated(&events, copies);
        measure(&trained, &history, args.events)?;
    }
    Ok(())
}

fn indexed(events: &[Event]) -> Result<Index> {
    let (mut index, namespace) = (Index::new(Schema::new(timeweft_graph::TimeUnit::Second)), Name::from(""));
    for event in events {
        index.apply(event, &namespace).map_err(|reason| anyhow::anyhow!("{reason}"))?;
    }
    Ok(index)
}

/// A stream several times, one behind the other, each with nodes of its own.
fn repeated(events: &[Event], copies: usize) -> Vec<Event> {
    let last = events.last().map_or(0, |event| event.time.0);
    let mut all = Vec::with_capacity(events.len() * copies);
    for copy in 0..copies {
        let rename = |key: &NodeKey| match copy {
            0 => key.clone(),
            _ => NodeKey { id: ExternalId::from(format!("{}#{copy}", key.id).as_str()), ..key.clone() },
        };
        for event in events {
            let mut event = event.clone();
            event.time = Time(event.time.0 + copy as i64 * (last + 1));
            event.element = match &event.element {
                Element::Node(key) => Element::Node(rename(key)),
                Element::Edge(edge) => Element::Edge(EdgeKey {
                    source: rename(&edge.source),
                    destination: rename(&edge.destination),
                    ..edge.clone()
                }),
                merge @ Element::Merge { .. } => merge.clone(),
            };
            all.push(event);
        }
    }
    all
}

fn measure(trained: &Trained, events: &[Event], n: usize) -> Result<()> {
    let Some((known, rest)) = events.len().checked_sub(n + 4 * BATCH).map(|known| events.split_at(known)) else {
        bail!("the stream has only {} events: ask for fewer with --events", events.len());
    };
    let mut model = opened(trained, known)?;
    let (batches, single) = rest.split_at(4 * BATCH);
    let mut rates: Vec<Seconds> = Vec::new();
    for batch in batches.chunks(BATCH) {
        let began = Clock::now();
        model.absorb(batch);
        rates.push(began.elapsed());
    }
    let [mut both, mut scored, mut absorbed] = [(); 3].map(|()| Vec::with_capacity(n));
    for event in single {
        let began = Clock::now();
        if let Some(query) = question(&model, event) {
            score(&model, &query)?;
        }
        let asked = began.elapsed();
        model.absorb(std::slice::from_ref(event));
        let all = began.elapsed();
        both.push(all);
        scored.push(asked);
        absorbed.push(all - asked);
    }
    println!("{} events, {} nodes", events.len(), model.graph.index.n_nodes());
    println!("  {:<28} {:>23}   {:>23}", "us", "wall p50     p90     p99", "cores p50     p90     p99");
    for (name, times) in [("score and absorb an event", both), ("  score", scored), ("  absorb", absorbed)] {
        let [wall, cores] = [|of: &Seconds| of.wall, |of: &Seconds| of.cores].map(|of| quantiles(&times, of));
        println!("  {name:<28} {wall}   {cores}");
    }
    let list = |of: fn(&Seconds) -> f64| {
        rates.iter().map(|time| format!("{:.0}", BATCH as f64 / of(time))).collect::<Vec<_>>().join(", ")
    };
    println!("  batches of {BATCH}: {} events/s of the wall, {} of a core", list(|of| of.wall), list(|of| of.cores));
    past(&model)?;
    reopened(&model, events)
}

/// The half, nine tenths and 99 hundredths of some times, in microseconds.
fn quantiles(times: &[Seconds], of: fn(&Seconds) -> f64) -> String {
    let mut times: Vec<f64> = times.iter().map(of).collect();
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times.get((times.len() as f64 * share) as usize).map_or(f64::NAN, |time| time * 1e6);
    format!("{:>7.0} {:>7.0} {:>7.0}", at(0.5), at(0.9), at(0.99))
}

/// The model over the first events, as if it had been open since.
fn opened(trained: &Trained, events: &[Event]) -> Result<Trained> {
    let graph = GraphContext::new(Arc::new(indexed(events)?), trained.graph.statistics.clone());
    let store = timeweft_learn::empty_store(&graph, &trained.config);
    let mut model = Trained { graph, store, past: Default::default(), ..trained.clone() };
    let began = Instant::now();
    model.absorb(&[]);
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "replay of {} facts: {seconds:.2} s, {:.0} facts/s",
        model.store.absorbed(),
        model.store.absorbed() as f64 / seconds
    );
    Ok(model)
}

/// Whether an event of a link comes, asked right before it; none where an end is new.
fn question(model: &Trained, event: &Event) -> Option<Query> {
    let (index, Element::Edge(edge)) = (&model.graph.index, &event.element) else { return None };
    let (source, destination) = (index.node_index(&edge.source)?, index.node_index(&edge.destination)?);
    let edge_type = index.schema().edge_type(index.node_type(source), &edge.relation, index.node_type(destination))?;
    let (direction, time) = (Direction::Out, event.time);
    (event.action == Action::Create).then_some(Query { edge_type, direction, source, destination, time, as_of: time })
}

fn score(model: &Trained, query: &Query) -> Result<f32> {
    let stop = Stop::default();
    let memory = model.memory_at(query.as_of, &stop)?;
    let scores = model.asker(&memory, &stop).score(std::slice::from_ref(query))?;
    scores.first().copied().context("a question has an answer")
}

/// Memory of times all over the past.
fn past(model: &Trained) -> Result<()> {
    let facts = model.graph.facts();
    let (mut times, stop) = (Vec::new(), Stop::default());
    for i in 0..12 {
        let time = facts[(i * 2 + 1) * facts.len() / 24].time;
        let began = Instant::now();
        std::hint::black_box(model.memory_at(time, &stop)?);
        times.push(began.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    let (kept, size) = (model.past.kept().len(), model.past.size() as f64 / 1e6);
    let furthest = model.past.kept().windows(2).map(|two| two[1].absorbed() - two[0].absorbed()).max();
    println!(
        "  as of the past: median {:.3} s, at most {:.3} s; {kept} states of memory ({size:.0} MB), at most {} facts apart",
        times[times.len() / 2],
        times[times.len() - 1],
        furthest.unwrap_or_else(|| model.store.absorbed()),
    );
    Ok(())
}

/// What it costs to open the file of a model in another process, beside the graph.
fn reopened(model: &Trained, events: &[Event]) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("model.twm");
    let index = Arc::new(indexed(events)?);
    index.facts();
    model.save(&path, &[1])?;
    let megabytes = path.metadata()?.len() as f64 / 1e6;
    let began = Instant::now();
    let graph = GraphContext::new(index.clone(), model.graph.statistics.clone());
    let laid_out = began.elapsed().as_secs_f64();
    drop(graph);
    let began = Instant::now();
    let opened = Trained::load(&path, index, &[1])?;
    let all = began.elapsed().as_secs_f64();
    let is_same = |store: &VectorStore| store.absorbed() == model.store.absorbed();
    if !is_same(&opened.store) || opened.seen != model.store.absorbed() {
        bail!("memory was replayed");
    }
    println!(
        "  opens in {all:.3} s, of which {laid_out:.3} s for the history of edges; the file has {megabytes:.0} MB"
    );
    Ok(())
}
