//! `timeweft load`: sources into the graph, each as one commit.

mod events;
mod git;
mod intervals;
pub(crate) mod report;
mod version;

use std::{ops::ControlFlow, thread, time::Duration};

use anyhow::bail;
use timeweft::load::{LoadProgress, Made, StoreError};
use timeweft::{Commit, Error, Graph, TimeUnit};

use crate::context::{Context, warn};
use crate::interrupt::Guard;
use crate::outcome::{Outcome, UsageError};
use crate::output::{Progress, note};

use self::report::Rejects;

/// What can be loaded.
#[derive(clap::Subcommand, Debug)]
pub(crate) enum Command {
    /// Load a stream of events: JSON lines, CSV, or columns of words.
    Events(events::Args),
    /// Load nodes and edges with lifetimes: temporal JSON, an edge list, TSV, or a binary folder of DeepGNN.
    Intervals(intervals::Args),
    /// Load one whole version: what it does not list is deleted.
    Version(version::Args),
    /// Load the history of a git repository as authors, commits and files.
    Git(git::Args),
}

/// Loads a source.
pub(crate) fn run(command: &Command, context: &Context) -> anyhow::Result<Outcome> {
    match command {
        Command::Events(args) => events::run(args, context),
        Command::Intervals(args) => intervals::run(args, context),
        Command::Version(args) => version::run(args, context),
        Command::Git(args) => git::run(args, context),
    }
}

/// So often it is tried to remove a graph, with a pause between.
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(20);

/// Options of every load.
#[derive(clap::Args, Debug)]
pub(crate) struct LoadArgs {
    /// Make the graph if it is not there, with this unit of time: s, ms, us, ns or step.
    #[arg(long)]
    unit: Option<TimeUnit>,
    #[command(flatten)]
    rejects: Rejects,
}

/// What is so, whatever fails later.
pub(crate) const LOADED: &str = "everything is loaded";

/// Opens the graph, or makes it with the given unit, and runs a load in it. A graph that was made for a load that
/// failed or was interrupted is taken away again.
fn load_into<T>(
    unit: Option<TimeUnit>,
    context: &Context,
    load: impl FnOnce(&mut Graph) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let mut graph = open_or_make(unit, context)?;
    if let Some(unit) = unit.filter(|unit| *unit != graph.unit()) {
        bail!(UsageError(format!("unit {unit}: the graph counts in {}: load it into another graph", graph.unit())));
    }
    warn(&graph);
    let loaded = match graph.made().cloned() {
        Some(made) => load_first(&mut graph, made, load)?,
        None => {
            let loaded = load(&mut graph);
            warn(&graph);
            loaded?
        }
    };
    compact_if_due(LOADED, &graph);
    Ok(loaded)
}

fn open_or_make(unit: Option<TimeUnit>, context: &Context) -> anyhow::Result<Graph> {
    let opened = match (Graph::open(&context.dir), unit) {
        (Err(Error::Store(StoreError::Missing(_))), None) => bail!(
            "{}: no such graph: give --unit s, ms, us, ns or step to make it, or choose another with --graph",
            context.dir.display()
        ),
        (Err(Error::Store(StoreError::Missing(_))), Some(unit)) => match Graph::create(&context.dir, unit) {
            // Another process made it meanwhile.
            Err(Error::Store(StoreError::Exists(_))) => Graph::open(&context.dir),
            made => made,
        },
        (opened, _) => opened,
    };
    Ok(opened?)
}

/// Runs a load in a graph that was made for it.
fn load_first<T>(
    graph: &mut Graph,
    made: Made,
    load: impl FnOnce(&mut Graph) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let guard = Guard::new({
        let made = made.clone();
        move || {
            note("interrupted: nothing was loaded, and no graph was made");
            take_away(&made);
        }
    });
    let loaded = guard.map_err(anyhow::Error::from).and_then(|_guard| load(graph));
    // The graph is open, and so locked, until it is gone: no other process loads into it meanwhile.
    loaded.inspect_err(|error| {
        if graph.commit() == Commit(0) && !is_unknown(error) {
            take_away(&made);
        }
    })
}

/// Whether a load failed so late that it may be there nevertheless.
fn is_unknown(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(Error::Store(StoreError::Unwritten { kept: true, .. })))
}

/// Removes an empty graph. A load that is interrupted may still write into it, so it is tried again.
fn take_away(made: &Made) {
    let mut gone = made.remove();
    for _ in 1..TRIES {
        if gone.is_ok() {
            return;
        }
        thread::sleep(PAUSE);
        gone = made.remove();
    }
    if let Err(error) = gone {
        note(&format!("warning: the empty graph that was made could not be removed: {error}"));
    }
}

/// Writes a snapshot behind a large load, so that the next command opens the graph at once. What was `done` is so whatever
/// becomes of its snapshot, so a failure only warns.
pub(crate) fn compact_if_due(done: &str, graph: &Graph) {
    let write = || -> Result<(), Error> {
        if graph.is_compaction_due()? {
            let _bar = Progress::spinner("writing a snapshot");
            graph.compact()?;
        }
        Ok(())
    };
    if let Err(error) = write() {
        note(&format!(
            "warning: {done}, but no snapshot was written, so that opening the graph takes longer: {error}: \
             `timeweft compact` writes one"
        ));
    }
}

/// Shows on a bar how far a load is.
pub(crate) fn show(bar: &Progress) -> impl FnMut(LoadProgress) -> ControlFlow<()> + Send {
    |progress| {
        bar.set(if progress.bytes > 0 { progress.bytes } else { progress.records });
        ControlFlow::Continue(())
    }
}

/// The report of a load that was refused for its rejected records.
fn refused_report(error: &anyhow::Error) -> Option<&timeweft::load::LoadReport> {
    match error.downcast_ref::<Error>()? {
        Error::Store(StoreError::NothingAccepted(report) | StoreError::TooManyRejects { report, .. }) => Some(report),
        _ => None,
    }
}
