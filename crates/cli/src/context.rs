//! What commands need to run: the graph and the way they print.

use std::path::PathBuf;

use clap::Args;
use timeweft::load::StoreError;
use timeweft::{Commit, Error, Graph, View};

use crate::output::{Output, note};

/// Options of every command.
#[derive(Args, Debug)]
pub(crate) struct Shared {
    /// Directory of the graph.
    #[arg(long, global = true, value_name = "DIR", env = "TIMEWEFT_GRAPH", default_value = ".timeweft")]
    pub(crate) graph: PathBuf,
    /// Print one JSON object a line, with stable field names, instead of tables.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// The shared options, ready for use.
pub(crate) struct Context {
    /// Directory of the graph.
    pub(crate) dir: PathBuf,
    /// Where and how results are printed.
    pub(crate) output: Output,
}

impl Context {
    pub(crate) fn new(shared: &Shared) -> Context {
        Context { dir: shared.graph.clone(), output: Output::new(shared.json) }
    }

    /// Opens the graph to read it, whatever another process does with it. A cache that is damaged, or that a killed process left
    /// behind its last commit, is mended if no process has the graph open for writing.
    pub(crate) fn open(&self) -> anyhow::Result<Graph> {
        let read_only = Graph::open_read_only(&self.dir);
        let may_be_behind = match &read_only {
            // A process that is done has taken its name away.
            Ok(graph) => graph.has_warnings() || Graph::writer(&self.dir).is_some(),
            Err(error) => matches!(error, Error::Store(StoreError::Manifest { .. })),
        };
        let graph = match may_be_behind.then(|| Graph::open(&self.dir)) {
            Some(Ok(mended)) => mended,
            _ => read_only?,
        };
        warn(&graph);
        Ok(graph)
    }

    /// Opens the graph to change it.
    pub(crate) fn open_to_write(&self) -> anyhow::Result<Graph> {
        let graph = Graph::open(&self.dir)?;
        warn(&graph);
        Ok(graph)
    }

    /// Opens the graph to copy all of it: all of its snapshot is compared first, so that no copy ends in the middle.
    pub(crate) fn open_whole(&self) -> anyhow::Result<Graph> {
        let mut graph = self.open()?;
        graph.make_sound()?;
        warn(&graph);
        Ok(graph)
    }
}

/// Tells what was mended in a graph.
pub(crate) fn warn(graph: &Graph) {
    graph.take_warnings().iter().for_each(|warning| note(&format!("warning: {warning}")));
}

/// The graph at a commit, the newest one if none is given.
pub(crate) fn pin_commit(graph: &Graph, commit: Option<u64>) -> anyhow::Result<View> {
    Ok(match commit {
        Some(number) => graph.view_at(Commit(number))?,
        None => graph.view(),
    })
}
