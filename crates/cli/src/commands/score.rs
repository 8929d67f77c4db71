//! `timeweft score`: many links, each as of its own time, scored by a model.

use anyhow::bail;
use timeweft::export::table_writer::{Cell, CellKind, Column};

use super::features::{edge_cells, edge_columns};
use super::predict::open_model;
use crate::context::Context;
use crate::input::roots::{Answers, Key, RootArgs, SLOTS, time_cell};
use crate::outcome::Outcome;

const AFTER_HELP: &str = "\
Example: links.csv has the columns source_type, src, relation, destination_type, dst, time
  timeweft score links.csv --to scores.parquet

A row is a link, in the order of the file: its row in the file (from 0), its name and time, and its score, which \
is empty where an end is not alive just before that time, and where the model does not know the edge type. A score \
is a logit: it compares links of one relation, the higher the likelier. It knows everything strictly before the \
time of its link. Without a column time and --at that is the moment after the last event.";

/// Arguments of `score`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    roots: RootArgs,
    /// Name of the model.
    #[arg(long, value_name = "NAME", default_value = "default")]
    model: String,
}

/// How many links are scored at once: the log is read once for each such part.
const LINKS: usize = 1 << 16;

/// Scores and writes.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let mut asked = args.roots.open(context)?;
    asked.may_come = true;
    if !asked.has_edges() {
        bail!("links have two ends: give the columns src and dst, and source_type, relation and destination_type");
    }
    let model = open_model(&context.open()?, &args.model, asked.view(), args.roots.read.deletes)?;
    let time = Column::nullable("time", CellKind::Int);
    let ends = [time, Column::nullable("score", CellKind::Float)];
    let columns: Vec<Column> =
        [Column::new("root", CellKind::Int)].into_iter().chain(edge_columns(asked.ids())).chain(ends).collect();
    let answers = Answers { doing: "scoring", slots: SLOTS / LINKS, columns };
    asked.answer(answers, context.output, |_, batch, table| {
        let named = batch.keys.iter().zip(&batch.times);
        let links: Vec<_> = named
            .filter_map(|(key, time)| match key {
                Key::Edge(key) => Some((key.clone(), *time)),
                Key::Node(_) => None,
            })
            .collect();
        let scores = model.score(&links)?;
        for (row, ((key, time), score)) in batch.rows().zip(links.iter().zip(scores)) {
            let score = score.map_or(Cell::Null, |score| Cell::Float(f64::from(score)));
            let cells = [Cell::Int(row)].into_iter().chain(edge_cells(key)).chain([time_cell(*time), score]);
            table.row(cells.collect::<Vec<_>>())?;
        }
        Ok(())
    })
}
