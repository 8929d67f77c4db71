//! What commands need to run: the graph, the moment they read at, the way they print, and how they end.

use std::cell::OnceCell;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use timeweft::sample::Side;
use timeweft::{
    At, Commit, DeleteRule, Deletes, EdgeType, EdgeTypeId, FeatureDef, FeatureId, Graph, LearnError, ModelError,
    NodeType, NodeTypeId, Owner, Time, TimeUnit, TypeSet, View,
};

use crate::cli::Shared;
use crate::interrupt::Interrupt;
use crate::moment::Moments;
use crate::output::{Output, note};

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

    /// Opens the graph.
    pub(crate) fn open(&self) -> anyhow::Result<Graph> {
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

/// How a command ended well.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// Everything was done: exit code 0.
    Done,
    /// Done, but some records were rejected: exit code 3.
    Rejected,
    /// Ended early by Ctrl-C, with what was done by then: exit code 130.
    Interrupted,
}

impl Outcome {
    /// The exit code of a failure.
    pub(crate) fn of_error(error: &anyhow::Error) -> ExitCode {
        match error.downcast_ref::<ModelError>() {
            Some(ModelError::Learn(LearnError::Interrupted)) => Outcome::Interrupted.into(),
            _ if error.is::<UsageError>() => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> ExitCode {
        match outcome {
            Outcome::Done => ExitCode::SUCCESS,
            Outcome::Rejected => ExitCode::from(3),
            Outcome::Interrupted => ExitCode::from(Interrupt::CODE),
        }
    }
}

/// A mistake on the command line that only shows once the graph is known: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct UsageError(pub(crate) String);

/// Options of every command that reads the graph.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ReadArgs {
    /// Read the graph as of this time: an integer, a date (2016-05-17), date and time ("2016-05-17 12:00:00", in UTC), or a version (envo@2016-05-17); left out, the end of time.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) at: Option<String>,
    /// Read the graph as the store knew it at this commit; left out, the newest.
    #[arg(long, value_name = "N")]
    pub(crate) commit: Option<u64>,
    /// Whether deleted elements are gone (hard, the default) or stay visible, marked (soft).
    #[arg(long, value_enum)]
    pub(crate) deletes: Option<DeletesArg>,
}

/// [`Deletes`] as an option.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum DeletesArg {
    /// Deleted elements are gone.
    #[default]
    Hard,
    /// Deleted elements stay visible with their last values, marked.
    Soft,
}

impl From<DeletesArg> for DeleteRule {
    fn from(deletes: DeletesArg) -> DeleteRule {
        match deletes {
            DeletesArg::Hard => DeleteRule::Hard,
            DeletesArg::Soft => DeleteRule::Soft,
        }
    }
}

impl From<DeletesArg> for Deletes {
    fn from(deletes: DeletesArg) -> Deletes {
        match deletes {
            DeletesArg::Hard => Deletes::Hard,
            DeletesArg::Soft => Deletes::Soft,
        }
    }
}

/// [`Side`] as an option.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum SideArg {
    /// The node is the source.
    Out,
    /// The node is the destination.
    In,
    /// Either.
    #[default]
    Both,
}

impl From<SideArg> for Side {
    fn from(side: SideArg) -> Side {
        match side {
            SideArg::Out => Side::Out,
            SideArg::In => Side::In,
            SideArg::Both => Side::Both,
        }
    }
}

/// A pinned view and the moment in it that a command reads.
pub(crate) struct Reading {
    /// The graph at a commit.
    pub(crate) view: View,
    /// Time and way with deletes.
    pub(crate) at: At,
    /// Types and features that came with loads that were taken back.
    taken_back: TypeSet,
    /// Those of them of which nothing is there, once somebody asks.
    unused: OnceCell<TypeSet>,
}

impl Reading {
    /// Unit of the graph's times.
    pub(crate) fn unit(&self) -> TimeUnit {
        self.view.schema().unit()
    }

    /// Whether a type, or a feature of it, is in effect: not if only loads that were taken back ever used it.
    pub(crate) fn has(&self, owner: Owner, feature: Option<FeatureId>) -> bool {
        let asked = &(owner, feature);
        !self.taken_back.contains(asked)
            || !self.unused.get_or_init(|| self.view.unused(&self.taken_back)).contains(asked)
    }

    /// The node types in effect.
    pub(crate) fn node_types(&self) -> impl Iterator<Item = (NodeTypeId, &NodeType)> {
        let types = (0..).map(NodeTypeId).zip(self.view.schema().node_types());
        types.filter(|(id, _)| self.has(Owner::Node(*id), None))
    }

    /// The edge types in effect.
    pub(crate) fn edge_types(&self) -> impl Iterator<Item = (EdgeTypeId, &EdgeType)> {
        let types = (0..).map(EdgeTypeId).zip(self.view.schema().edge_types());
        types.filter(|(id, _)| self.has(Owner::Edge(*id), None))
    }

    /// The features in effect of some types.
    pub(crate) fn features(&self, owners: impl Iterator<Item = Owner>) -> impl Iterator<Item = &FeatureDef> {
        owners.flat_map(move |owner| {
            let features = (0..).map(FeatureId).zip(self.view.schema().features(owner));
            features.filter(move |(id, _)| self.has(owner, Some(*id))).map(|(_, def)| def)
        })
    }

    /// The names of the relations in effect, sorted.
    pub(crate) fn relations(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.edge_types().map(|(_, edge)| &*edge.relation).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The moment in words.
    pub(crate) fn moment(&self) -> String {
        match self.at.time {
            Time::FOREVER => "at the end of time".into(),
            time => format!("at {}", self.unit().format(time)),
        }
    }
}

impl ReadArgs {
    /// Opens the graph and pins what is asked for.
    pub(crate) fn read(&self, context: &Context) -> anyhow::Result<Reading> {
        self.pin(&context.open()?)
    }

    /// Pins what is asked for in an open graph.
    pub(crate) fn pin(&self, graph: &Graph) -> anyhow::Result<Reading> {
        let view = pin_commit(graph, self.commit)?;
        let moments = Moments::new(graph, view.commit());
        let time = self.at.as_deref().map_or(Ok(Time::FOREVER), |text| moments.read("--at", text, None))?;
        let at = At { time, deletes: self.deletes.unwrap_or_default().into() };
        Ok(Reading { at, taken_back: graph.types_taken_back(&view)?, unused: OnceCell::new(), view })
    }
}

/// The graph at a commit, the newest one if none is given.
pub(crate) fn pin_commit(graph: &Graph, commit: Option<u64>) -> anyhow::Result<View> {
    Ok(match commit {
        Some(number) => graph.view_at(Commit(number))?,
        None => graph.view(),
    })
}

/// Reads a time option; what is no time is wrong usage.
pub(crate) fn parse_time(unit: TimeUnit, text: &str, option: &str) -> Result<Time, UsageError> {
    unit.parse(text).map_err(|error| UsageError(format!("{option}: {error}")))
}
