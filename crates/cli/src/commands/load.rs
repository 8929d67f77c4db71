//! `timeweft load`: sources into the graph, each as one commit.

mod events;
mod git;
mod intervals;
pub(crate) mod report;
mod version;

use std::fs;
use std::path::Path;
use std::{io, thread, time::Duration};

use anyhow::bail;
use timeweft::{Commit, Error, Graph, LoadProgress, StoreError, TimeUnit};

use crate::context::{Context, Outcome, UsageError};
use crate::interrupt::Guard;
use crate::output::{Progress, is_broken_pipe, note};

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

/// Opens the graph, or makes it with the given unit, and runs a load in it. A graph that was made for a load that
/// failed or was interrupted is taken away again.
fn load_into<T>(
    unit: Option<TimeUnit>,
    context: &Context,
    load: impl FnOnce(&mut Graph) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let there = context.dir.exists();
    if there && !(unit.is_some() && is_empty(&context.dir)) {
        let mut graph = context.open()?;
        if let Some(unit) = unit.filter(|unit| *unit != graph.unit()) {
            bail!(UsageError(format!("unit {unit}: the graph counts in {}: load it into another graph", graph.unit())));
        }
        let loaded = load(&mut graph)?;
        compact_if_due(&graph);
        return Ok(loaded);
    }
    let Some(unit) = unit else {
        bail!(
            "{}: no such graph: give --unit s, ms, us, ns or step to make it, or choose another with --graph",
            context.dir.display()
        );
    };
    let mut graph = Graph::create(&context.dir, unit)?;
    let made = context.dir.clone();
    let guard = Guard::new(move || {
        note("interrupted: nothing was loaded, and no graph was made");
        clear(&made, there);
    });
    let loaded = guard.map_err(anyhow::Error::from).and_then(|_guard| load(&mut graph));
    match loaded {
        Ok(loaded) => {
            compact_if_due(&graph);
            Ok(loaded)
        }
        Err(error) => {
            take_away(graph, &context.dir, there);
            Err(error)
        }
    }
}

/// Whether a folder has nothing in it.
fn is_empty(dir: &Path) -> bool {
    fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_none())
}

/// Takes a graph away that was made for a load which failed. Its lock is held until it is gone, so that no other process
/// loads into it meanwhile; `keep` leaves the folder, which was there before.
fn take_away(graph: Graph, dir: &Path, keep: bool) {
    if graph.commit() == Commit(0) {
        clear(dir, keep);
    }
    drop(graph);
}

/// Removes an empty graph. A load that is interrupted may still write into it, so it is tried again.
fn clear(dir: &Path, keep: bool) {
    let mut gone = Ok(());
    for _ in 0..TRIES {
        gone = fs::remove_dir_all(dir);
        match &gone {
            Ok(()) => break,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                gone = Ok(());
                break;
            }
            Err(_) => thread::sleep(PAUSE),
        }
    }
    if let Err(error) = gone.and_then(|()| if keep { fs::create_dir(dir) } else { Ok(()) }) {
        note(&format!("warning: the empty graph {} could not be removed: {error}", dir.display()));
    }
}

/// Writes a snapshot behind a large load, so that the next command opens the graph at once. The load is there whatever
/// becomes of its snapshot, so a failure only warns.
pub(crate) fn compact_if_due(graph: &Graph) {
    let write = || -> Result<(), Error> {
        if graph.is_compaction_due()? {
            let _bar = Progress::spinner("writing a snapshot");
            graph.compact()?;
        }
        Ok(())
    };
    if let Err(error) = write() {
        note(&format!(
            "warning: everything is loaded, but no snapshot was written, so that opening the graph takes longer: {error}: \
             `timeweft compact` writes one"
        ));
    }
}

/// What cannot be told any more once a load is committed only warns: the exit code says what was loaded.
pub(crate) fn after_commit(told: anyhow::Result<()>) {
    match told {
        Err(error) if !is_broken_pipe(&error) => note(&format!("warning: everything is loaded, but: {error:#}")),
        _ => {}
    }
}

/// Shows on a bar how far a load is.
fn show(bar: &Progress) -> impl FnMut(LoadProgress) {
    |progress| bar.set(if progress.bytes > 0 { progress.bytes } else { progress.records })
}

/// The report of a load that was refused for its rejected records.
fn refused_report(error: &anyhow::Error) -> Option<&timeweft::LoadReport> {
    match error.downcast_ref::<Error>()? {
        Error::Store(StoreError::NothingAccepted(report) | StoreError::TooManyRejects { report, .. }) => Some(report),
        _ => None,
    }
}
