//! The moment that a command reads the graph at, and what is in effect there.

use std::cell::OnceCell;

use clap::Args;
use timeweft::read::{EdgeType, EdgeTypeId, FeatureDef, FeatureId, Moments, NodeType, NodeTypeId, Owner, TypeSet};
use timeweft::{At, Deletes, Graph, Time, TimeUnit, View};

use crate::context::{Context, pin_commit};
use crate::input::named_values::{DELETES, choices};
use crate::outcome::UsageError;

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
    #[arg(long, value_parser = choices(DELETES))]
    pub(crate) deletes: Option<Deletes>,
}

/// A pinned view and the moment in it that a command reads.
pub(crate) struct Reading {
    /// The graph at a commit.
    pub(crate) view: View,
    /// Time and way with deletes.
    pub(crate) at: At,
    /// Types and features that came with loads that were taken back.
    taken_back: TypeSet,
    /// Those of them of which nothing is there, found at the first question.
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
            || !self.unused.get_or_init(|| self.view.index().unused(&self.taken_back)).contains(asked)
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
        let time = self.at.as_deref().map_or(Ok(Time::FOREVER), |text| moments.read("--at", text, None));
        let time = time.map_err(UsageError::from)?;
        let at = At { time, deletes: self.deletes.unwrap_or_default() };
        Ok(Reading { at, taken_back: graph.types_taken_back(&view)?, unused: OnceCell::new(), view })
    }
}
