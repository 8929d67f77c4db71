//! `timeweft page-rank`: the nodes near each root.

use timeweft::export::table_writer::{Cell, CellKind, Column};
use timeweft::sample::{NO_NODE, PageRank};

use crate::context::Context;
use crate::input::roots::{Answers, RootArgs, SLOTS, ScopeArgs, node_cells, refused};
use crate::outcome::Outcome;

const AFTER_HELP: &str = "\
Examples: roots.csv has the columns type, id, time
  timeweft page-rank roots.csv --top 32 --to near.parquet
  timeweft page-rank roots.csv --within 30d --to near.parquet       (by what was created in the last 30 days)
  timeweft page-rank roots.csv --edge-type buys --alpha 0.25 --eps 1e-6 --to near.jsonl

A row is a node near a root: the row of the root in the file (from 0), the place (from 1), the
node and its rank: the share of time that a walk spends there which goes back to the root with
chance alpha at each step. The root itself is among them.";

/// How many roots are ranked between two steps of the progress bar: each may take milliseconds.
const ROOTS: usize = 1 << 10;

/// Arguments of `page-rank`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP, allow_negative_numbers = true)]
pub(crate) struct Args {
    #[command(flatten)]
    roots: RootArgs,
    /// How many nodes a root, those with the highest ranks.
    #[arg(long, value_name = "K", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    top: u32,
    /// The chance to go back to the root at each step, above 0 and at most 1.
    #[arg(long, default_value_t = 0.15)]
    alpha: f64,
    /// How exact: a node keeps less than alpha * eps an edge to itself. A root takes up to 1 / (alpha * eps) steps.
    #[arg(long, default_value_t = 1e-4)]
    eps: f64,
    #[command(flatten)]
    scope: ScopeArgs,
}

/// Ranks and writes.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let asked = args.roots.open_nodes(context)?;
    // A root ranks no more nodes than there are.
    let k = (args.top as usize).min(asked.view().index().n_nodes().max(1));
    let page_rank = PageRank { scope: args.scope.scope(&asked)?, alpha: args.alpha, eps: args.eps, k };
    let ints = ["root", "place"].map(|name| Column::new(name, CellKind::Int));
    let columns =
        ints.into_iter().chain(asked.ids().node_columns()).chain([Column::new("rank", CellKind::Float)]).collect();
    let answers = Answers { doing: "ranking", slots: k.max(SLOTS / ROOTS), columns };
    asked.answer(answers, context.output, |view, batch, table| {
        let n = batch.nodes.len() * k;
        let (mut nodes, mut ranks) = (vec![NO_NODE; n], vec![0.0; n]);
        view.index().page_rank(&page_rank, batch.roots()?, &mut nodes, &mut ranks).map_err(refused)?;
        for (row, (nodes, ranks)) in batch.rows().zip(nodes.chunks_exact(k).zip(ranks.chunks_exact(k))) {
            let ranked = (1..).zip(nodes.iter().zip(ranks)).take_while(|(_, (node, _))| **node != NO_NODE);
            for (place, (node, rank)) in ranked {
                let place = [row, place].map(Cell::Int).into_iter();
                table.row(place.chain(node_cells(view, *node)).chain([Cell::Float(*rank)]))?;
            }
        }
        Ok(())
    })
}
