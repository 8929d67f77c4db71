//! `timeweft walk`: random walks for training.

use timeweft::export::table_writer::{Cell, CellKind, Column};
use timeweft::read::{EdgeIndex, NodeIndex};
use timeweft::sample::{NO_NODE, Roots, Side, Steps, Walk, WalkTimes, WeightBy};
use timeweft::{Deletes, Time, View};

use crate::context::Context;
use crate::input::named_values::choices;
use crate::input::roots::{
    Answers, Batch, IdsArg, MOST_SLOTS, RootArgs, RootQuestion, ScopeArgs, Table, node_cells, refused, way_cells,
    way_columns,
};
use crate::outcome::{Outcome, UsageError};

const AFTER_HELP: &str = "\
Examples: roots.csv has the columns type, id, time
  timeweft walk roots.csv --length 10 --walks 5 --to walks.parquet
  timeweft walk roots.csv --length 20 --p 0.5 --q 2 --seed 7 --to walks.parquet    (node2vec)
  timeweft walk roots.csv --times earlier --to walks.jsonl                         (back in time)
  timeweft walk roots.csv --times later --within 12h --to walks.jsonl              (steps less than 12 hours apart)

A row is a step: the row of its root in the file (from 0), the walk, the step, the node, and the
edge that led there. Step 0 is the root itself. A walk that finds no edge ends early.

Nodes by their nearness instead of single walks: `timeweft page-rank`.";

/// Arguments of `walk`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP, allow_negative_numbers = true)]
pub(crate) struct Args {
    #[command(flatten)]
    roots: RootArgs,
    /// Steps of a walk.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    length: u32,
    /// Walks from each root.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    walks: u32,
    /// How the times of the edges of a walk respect each other.
    #[arg(long, default_value = "any", value_parser = choices(TIMES))]
    times: WalkTimes,
    /// How unlikely it is to go back to where the walk came from (node2vec); 1 changes nothing.
    #[arg(long, default_value_t = 1.0)]
    p: f64,
    /// How unlikely it is to go to a node that is no neighbor of where the walk came from (node2vec); 1 changes nothing.
    #[arg(long, default_value_t = 1.0)]
    q: f64,
    /// The feature that is the weight of an edge; edges without a value weigh 1. Left out, all edges are alike.
    #[arg(long, value_name = "FEATURE")]
    weight: Option<String>,
    /// Equal seeds give equal walks.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    scope: ScopeArgs,
}

const TIMES: [(&str, WalkTimes, &str); 4] = [
    ("any", WalkTimes::Any, "Not at all: each step sees the graph as of the time of the root"),
    ("not-later", WalkTimes::NotLater, "No edge is younger than the one before"),
    ("earlier", WalkTimes::Earlier, "Each edge is older than the one before"),
    (
        "later",
        WalkTimes::Later,
        "Each edge was created after the one before, the first at the time of the root or later; removed ones count",
    ),
];

/// Walks and writes.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let asked = args.roots.open_nodes(context)?;
    let walk = args.walk(&asked)?;
    let slots = (walk.length + 1).saturating_mul(args.walks as usize);
    if slots > MOST_SLOTS {
        return Err(UsageError(format!("--length, --walks: more than {MOST_SLOTS} steps a root: take fewer")).into());
    }
    let answers = Answers { doing: "walking", slots, columns: columns(asked.ids()) };
    let walker = Walker { walk, walks: args.walks as usize, side: args.scope.direction };
    asked.answer(answers, context.output, |view, batch, table| walker.walk(view, batch, table))
}

fn columns(ids: IdsArg) -> Vec<Column> {
    let ints = ["root", "walk", "step"].map(|name| Column::new(name, CellKind::Int));
    let created = Column::nullable("created", CellKind::Int);
    ints.into_iter().chain(ids.node_columns()).chain(way_columns()).chain([created]).collect()
}

impl Args {
    fn walk(&self, asked: &RootQuestion<'_>) -> anyhow::Result<Walk> {
        let is_biased = self.p != 1.0 || self.q != 1.0 || self.weight.is_some();
        let sees_otherwise = self.scope.as_of.inclusive || asked.reading.at.deletes == Deletes::Soft;
        if self.times == WalkTimes::Later && (is_biased || sees_otherwise) {
            let problem = "--times later takes all edges alike, removed ones too: leave out --p, --q, --weight, --inclusive and --deletes";
            return Err(UsageError(problem.into()).into());
        }
        let weight = self.weight.as_deref().map_or(WeightBy::One, |name| WeightBy::Feature(name.into()));
        let plain = Walk::new(self.scope.scope(asked)?, self.length as usize, self.times);
        Ok(Walk { p: self.p, q: self.q, weight, seed: self.seed, ..plain })
    }
}

/// How each batch is walked.
struct Walker {
    walk: Walk,
    /// Walks from each root.
    walks: usize,
    /// Sides of a node that are seen.
    side: Side,
}

impl Walker {
    fn walk(&self, view: &View, batch: &Batch, table: &mut Table<'_>) -> anyhow::Result<()> {
        let walks = self.walks;
        // Each walk is a root of its own.
        let nodes: Vec<NodeIndex> = batch.nodes.iter().flat_map(|node| std::iter::repeat_n(*node, walks)).collect();
        let times: Vec<Time> = batch.times.iter().flat_map(|time| std::iter::repeat_n(*time, walks)).collect();
        let (n, length) = (nodes.len(), self.walk.length);
        let mut walked = vec![NO_NODE; n * (length + 1)];
        let (mut edges, mut created) = (vec![EdgeIndex(u32::MAX); n * length], vec![Time::MIN; n * length]);
        let steps = Steps { nodes: &mut walked, edges: Some(&mut edges), created: Some(&mut created) };
        let walk = Walk { first_root: batch.first.wrapping_mul(walks as u64), ..self.walk.clone() };
        view.index().walk(&walk, Roots::new(&nodes, &times)?, steps).map_err(refused)?;
        for (at, nodes) in walked.chunks_exact(length + 1).enumerate() {
            let place = [batch.first as i64 + (at / walks) as i64, (at % walks) as i64];
            for (step, node) in nodes.iter().enumerate().take_while(|(_, node)| **node != NO_NODE) {
                let place = place.into_iter().chain([step as i64]).map(Cell::Int);
                let came = step.checked_sub(1).map(|before| (at * length + before, nodes[before]));
                let edge_cells = came.map_or([Cell::Null, Cell::Null, Cell::Null], |(slot, from)| {
                    way_cells(view, edges[slot], from, self.side)
                });
                let created = came.map(|(slot, _)| created[slot].0);
                table.row(place.chain(node_cells(view, *node)).chain(edge_cells).chain([created.into()]))?;
            }
        }
        Ok(())
    }
}
