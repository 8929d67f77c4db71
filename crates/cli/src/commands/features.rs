//! `timeweft features`: features of many elements, each as of its own time.

use std::collections::BTreeMap;

use timeweft::table_writer::{Cell, CellKind, Column};
use timeweft::{At, EdgeKey, FeatureDef, FeatureKind, GraphView, Name, NodeKey, Time, Value, View};

use crate::context::{Context, Outcome, UsageError};
use crate::roots::{Asked, Batch, Key, RootArgs, Table, node_columns, time_cell};

const AFTER_HELP: &str = "\
Examples: roots.csv has the columns type, id, time; edges.csv source_type, src, relation, destination_type, dst, time
  timeweft features roots.csv --feature age --feature city --to features.parquet
  timeweft features edges.csv --feature price --before --to prices.parquet

A row is a root, in the order of the file: its row in the file (from 0), its name and time, whether it is alive then, and a
column for each feature: empty where it has no value then. A feature whose column name is taken has `feature.` before it.";

/// Arguments of `features`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    roots: RootArgs,
    /// A feature; may be given several times. Left out, all features of nodes, or of edges.
    #[arg(long = "feature", value_name = "NAME")]
    features: Vec<String>,
    /// Read what held strictly before the time of a root, so that an event of that time does not know itself.
    #[arg(long)]
    before: bool,
}

/// Reads and writes.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let asked = args.roots.open(context)?;
    let features = args.columns(&asked)?;
    let mut columns = vec![Column::new("root", CellKind::Int)];
    if asked.has_edges() {
        let texts = [("source_type", CellKind::Text), ("src", CellKind::Id), ("relation", CellKind::Text)];
        let more = [("destination_type", CellKind::Text), ("dst", CellKind::Id)];
        columns.extend(texts.into_iter().chain(more).map(|(name, kind)| Column::new(name, kind)));
        columns.push(Column::nullable("key", CellKind::Text));
    } else {
        columns.extend(node_columns());
    }
    columns.extend([Column::nullable("time", CellKind::Int), Column::new("alive", CellKind::Bool)]);
    let names: Vec<Name> = features.iter().map(|column| column.name.clone()).collect();
    for column in features {
        let is_taken = columns.iter().any(|known| known.name == column.name);
        let name = if is_taken { format!("feature.{}", column.name).into() } else { column.name };
        columns.push(Column { name, ..column });
    }
    let (slots, deletes) = (columns.len(), asked.reading.at.deletes);
    asked.answer(("reading", slots), columns, context.output, |view, batch, table| {
        let at = |time: Time| match args.before {
            true if time == Time::MIN => None,
            true => Some(At { time: time.before(), deletes }),
            false => Some(At { time, deletes }),
        };
        read(view, batch, &names, at, table)
    })
}

impl Args {
    /// A column for each feature that is asked for.
    fn columns(&self, asked: &Asked<'_>) -> anyhow::Result<Vec<Column>> {
        let schema = asked.view().schema();
        let defs: Vec<&FeatureDef> = if asked.has_edges() {
            schema.edge_types().iter().flat_map(|of| &of.features).collect()
        } else {
            schema.node_types().iter().flat_map(|of| &of.features).collect()
        };
        let what = if asked.has_edges() { "edge" } else { "node" };
        let mut names: Vec<&str> = defs.iter().map(|def| &*def.name).collect();
        names.sort_unstable();
        names.dedup();
        if let Some(unknown) = self.features.iter().find(|name| !names.contains(&name.as_str())) {
            let known = if names.is_empty() { "none at all".into() } else { names.join(", ") };
            anyhow::bail!("no {what} has a feature `{unknown}`: they have {known}");
        }
        if let Some(at) = (1..self.features.len()).find(|at| self.features[..*at].contains(&self.features[*at])) {
            return Err(UsageError(format!("--feature {}: it is given twice", self.features[at])).into());
        }
        let wanted = if self.features.is_empty() { names } else { self.features.iter().map(String::as_str).collect() };
        let column = |name: &str| {
            let mut kinds = defs.iter().filter(|def| *def.name == *name).map(|def| def.kind);
            let first = kinds.next().unwrap_or(FeatureKind::Json);
            // Types that use the same name for different things have only JSON in common.
            let kind = if kinds.all(|kind| kind == first) { first } else { FeatureKind::Json };
            Column::nullable(name, CellKind::Value(kind))
        };
        Ok(wanted.into_iter().map(column).collect())
    }
}

fn read(
    view: &View,
    batch: &Batch,
    names: &[Name],
    at: impl Fn(Time) -> Option<At>,
    table: &mut Table<'_>,
) -> anyhow::Result<()> {
    for (row, (key, &time)) in batch.rows().zip(batch.keys.iter().zip(&batch.times)) {
        let mut cells = vec![Cell::Int(row)];
        let state: Option<(BTreeMap<Name, Value>, bool)> = match key {
            Key::Edge(key) => {
                cells.extend(edge_cells(key));
                at(time).and_then(|at| view.edge(key, at)).map(|state| (state.features, state.deleted))
            }
            Key::Node(key) => {
                cells.extend(node_cells(key));
                at(time).and_then(|at| view.node(key, at)).map(|state| (state.features, state.deleted))
            }
        };
        let is_alive = state.as_ref().is_some_and(|(_, deleted)| !deleted);
        cells.extend([time_cell(time), Cell::Bool(is_alive)]);
        let mut features = state.map(|(features, _)| features).unwrap_or_default();
        cells.extend(names.iter().map(|name| Cell::from(features.remove(name))));
        table.row(cells)?;
    }
    Ok(())
}

fn node_cells(key: &NodeKey) -> [Cell; 2] {
    [key.node_type.clone().into(), key.id.clone().into()]
}

fn edge_cells(key: &EdgeKey) -> impl Iterator<Item = Cell> {
    let middle = [key.relation.clone().into()];
    let last = [key.key.clone().into()];
    node_cells(&key.source).into_iter().chain(middle).chain(node_cells(&key.destination)).chain(last)
}
