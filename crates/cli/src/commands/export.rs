//! `timeweft export`: a graph as events that make it again, or as documents.

mod documents;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use timeweft::export::table_writer::TableFormat;
use timeweft::export::{write_event, write_event_table};
use timeweft::read::GraphView;
use timeweft::{Action, Commit, Element, Event, Name, Time, TimeUnit, Value};

use crate::context::Context;
use crate::input::reading::{ReadArgs, Reading};
use crate::outcome::Outcome;
use crate::output::{note, stdout, text, write_whole};

const AFTER_HELP: &str = "\
Examples: the graph as of a time, and the whole log; each loads into a new graph with the same answers
  timeweft schema --json > schema.json && timeweft init copy --schema schema.json
  timeweft export --at 2016-05-17 --to state.jsonl && timeweft load events state.jsonl --graph copy
  timeweft export --events | gzip > log.jsonl.gz
  timeweft export --events --to log.parquet && timeweft load events log.parquet --graph copy
  timeweft export --as kbase --namespace ncbi --to documents/

A name that ends in .parquet, .arrow or .feather gets a table, an event a row, for pandas, Polars, DuckDB and Spark; all
else JSON lines.

`--as kbase` writes a namespace as the documents that KBase's loader keeps in its database: a file a collection, with
_key, first_version, last_version, created, expired and the references between versions of nodes and edges.

A state is one create event for each living node and edge, at the time when its life began, with the features that it
has at --at. Merges and what is deleted are in the log alone.";

/// Arguments of `export`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// File to write, as JSON lines, or as .parquet or .arrow; `-` is standard output. It appears whole or not at all.
    #[arg(long, value_name = "FILE", default_value = "-")]
    to: PathBuf,
    /// Write the log of events instead of a state.
    #[arg(long, conflicts_with = "at")]
    events: bool,
    /// What to write: events that load again, or the documents of a namespace as KBase has them.
    #[arg(long = "as", value_name = "FORM", value_enum, default_value_t)]
    form: Form,
    /// Namespace whose documents are written.
    #[arg(long, required_if_eq("form", "kbase"), value_name = "N")]
    namespace: Option<String>,
    #[command(flatten)]
    read: ReadArgs,
}

/// What is written.
#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Form {
    /// Events, one JSON object a line.
    #[default]
    Events,
    /// Documents of a namespace, one JSON object a line, a file a collection.
    Kbase,
}

/// Writes the events or documents.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    if let (Form::Kbase, Some(namespace)) = (args.form, &args.namespace) {
        return documents::run(namespace, args, context);
    }
    if args.events {
        // Straight from the log: no cache has a part in it.
        let graph = context.open()?;
        let commit = args.read.commit.map_or(graph.commit(), Commit);
        write_to(&args.to, (commit, graph.unit()), |each| graph.each_event(commit, each))?;
    } else {
        let graph = context.open_whole()?;
        let reading = args.read.pin(&graph)?;
        let about = (reading.view.commit(), reading.unit());
        write_to(&args.to, about, |each| state(&reading).try_for_each(|event| each(&event)))?;
    }
    Ok(Outcome::Done)
}

/// Someone who takes events.
type Each<'a> = dyn FnMut(&Event) -> anyhow::Result<()> + 'a;

/// Writes what a source hands over, each time that it is called.
fn write_to(
    to: &Path,
    (commit, unit): (Commit, TimeUnit),
    events: impl Fn(&mut Each<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    if to == Path::new("-") {
        write(&mut BufWriter::new(stdout()), events)?;
        return Ok(());
    }
    let cannot = || format!("cannot write {}", to.display());
    let table = TableFormat::of(to).filter(|format| *format != TableFormat::Jsonl);
    let written = write_whole(to, |out| match table {
        Some(format) => {
            let facts = [("timeweft.commit", commit.0.to_string()), ("timeweft.unit", unit.to_string())];
            let written = Cell::new(0);
            let counted = |each: &mut Each<'_>| {
                written.set(0);
                events(&mut |event| {
                    written.set(written.get() + 1);
                    each(event)
                })
            };
            write_event_table(out, format, counted, &facts).with_context(cannot)?;
            Ok(written.get())
        }
        None => write(out, events).with_context(cannot),
    })?;
    note(&format!("wrote {} events to {}", text::count(written), to.display()));
    Ok(())
}

/// Nodes before edges, each in order of name, one after the other.
fn state(reading: &Reading) -> impl Iterator<Item = Event> + '_ {
    let create = |time: Time, element: Element, features: BTreeMap<Name, Value>| {
        let features = features.into_iter().map(|(name, value)| (name, Some(value))).collect();
        Event { time, action: Action::Create, element, features }
    };
    let at = timeweft::At::time(reading.at.time);
    let nodes = reading.view.index().iter_nodes(None, at);
    // Edges are sorted once the nodes are gone through.
    let edges = std::iter::once_with(move || reading.view.index().iter_edges(None, at)).flatten();
    let nodes = nodes.map(move |node| create(node.life.created, Element::Node(node.key), node.features));
    nodes.chain(edges.map(move |edge| create(edge.life.created, Element::Edge(edge.key), edge.features)))
}

/// Writes events as lines; gives how many there are.
fn write(out: &mut impl Write, events: impl Fn(&mut Each<'_>) -> anyhow::Result<()>) -> anyhow::Result<u64> {
    let mut written = 0;
    events(&mut |event| {
        written += 1;
        Ok(write_event(out, event)?)
    })?;
    out.flush()?;
    Ok(written)
}
