//! `timeweft features`: features of many elements, each as of its own time.

use std::collections::{HashMap, HashSet};

use timeweft::export::table_writer::{Cell, CellKind, Column};
use timeweft::read::features::{FlatRows, Owners};
use timeweft::read::{EdgeIndex, FeatureDef, FeatureKind, Owner};
use timeweft::sample::{AsOf, NO_EDGE};
use timeweft::{At, Deletes, EdgeKey, Name, NodeKey, Value, View};

use crate::context::Context;
use crate::input::reading::Reading;
use crate::input::roots::{Answers, AsOfArgs, Batch, IdsArg, Key, RootArgs, Table, time_cell};
use crate::outcome::{Outcome, UsageError};

const AFTER_HELP: &str = "\
Examples: roots.csv has the columns type, id, time; edges.csv has source_type, src, relation,
destination_type, dst, time
  timeweft features roots.csv --feature city --feature price --to features.parquet
  timeweft features edges.csv --feature count --to counts.parquet

A row is a root, in the order of the file: its row in the file (from 0), its name and time,
whether it is alive then, and a column for each feature: empty where it has no value then. A
feature whose column name is taken has `feature.` before it.";

/// Arguments of `features`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    roots: RootArgs,
    /// A feature; may be given several times. Left out, all features of nodes, or of edges.
    #[arg(long = "feature", value_name = "NAME")]
    features: Vec<String>,
    #[command(flatten)]
    as_of: AsOfArgs,
}

/// Reads and writes.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let asked = args.roots.open(context)?;
    let what = if asked.has_edges() { "edge" } else { "node" };
    let features = feature_columns(&asked.reading, what, &args.features)?;
    let mut columns = vec![Column::new("root", CellKind::Int)];
    if asked.has_edges() {
        columns.extend(edge_columns(asked.ids()));
    } else {
        columns.extend(asked.ids().node_columns());
    }
    columns.extend([Column::nullable("time", CellKind::Int), Column::new("alive", CellKind::Bool)]);
    let names: Vec<Name> = features.iter().map(|column| column.name.clone()).collect();
    add_features(&mut columns, features);
    let as_of = args.as_of.as_of();
    let mut reader = Reader { names, as_of, deletes: asked.reading.at.deletes, values: FlatRows::default() };
    let answers = Answers { doing: "reading", slots: columns.len(), columns };
    asked.answer(answers, context.output, |view, batch, table| reader.read(view, batch, table))
}

/// A column for each feature of nodes or edges (`what`) that is wanted; all of them where none is named.
pub(crate) fn feature_columns(reading: &Reading, what: &str, wanted: &[String]) -> anyhow::Result<Vec<Column>> {
    let defs: Vec<&FeatureDef> = if what == "edge" {
        reading.features(reading.edge_types().map(|(id, _)| Owner::Edge(id))).collect()
    } else {
        reading.features(reading.node_types().map(|(id, _)| Owner::Node(id))).collect()
    };
    let mut names: Vec<&str> = defs.iter().map(|def| &*def.name).collect();
    names.sort_unstable();
    names.dedup();
    if let Some(unknown) = wanted.iter().find(|name| names.binary_search(&name.as_str()).is_err()) {
        let known = if names.is_empty() { "none at all".into() } else { names.join(", ") };
        anyhow::bail!("no {what} has a feature `{unknown}`: they have {known}");
    }
    if let Some(at) = (1..wanted.len()).find(|at| wanted[..*at].contains(&wanted[*at])) {
        return Err(UsageError(format!("--feature {}: it is given twice", wanted[at])).into());
    }
    let wanted = if wanted.is_empty() { names } else { wanted.iter().map(String::as_str).collect() };
    let mut kinds = HashMap::<&str, FeatureKind>::new();
    for def in &defs {
        let kind = kinds.entry(&def.name).or_insert(def.kind);
        // Types that use the same name for different things have only JSON in common.
        if *kind != def.kind {
            *kind = FeatureKind::Json;
        }
    }
    let column = |name: &str| Column::nullable(name, CellKind::Value(kinds[name]));
    Ok(wanted.into_iter().map(column).collect())
}

/// Adds columns of features; one whose name is taken has `feature.` before it.
pub(crate) fn add_features(columns: &mut Vec<Column>, features: Vec<Column>) {
    let mut taken: HashSet<Name> = columns.iter().map(|column| column.name.clone()).collect();
    for column in features {
        let is_taken = taken.contains(&column.name);
        let name: Name = if is_taken { format!("feature.{}", column.name).into() } else { column.name };
        taken.insert(name.clone());
        columns.push(Column { name, ..column });
    }
}

/// Goes through values, owner by owner.
#[derive(Default)]
pub(crate) struct Values<'a> {
    lengths: &'a [u64],
    bytes: &'a [u8],
}

impl<'a> Values<'a> {
    pub(crate) fn of(rows: &'a FlatRows) -> Values<'a> {
        Values { lengths: &rows.lengths, bytes: &rows.bytes }
    }

    /// The `n` values of the next owner.
    pub(crate) fn next<'c>(&mut self, n: usize) -> impl Iterator<Item = Cell<'c>> + use<'a, 'c> {
        let (lengths, others) = self.lengths.split_at(n.min(self.lengths.len()));
        let (bytes, behind) = self.bytes.split_at(lengths.iter().map(|length| *length as usize).sum());
        (self.lengths, self.bytes) = (others, behind);
        let mut bytes = bytes;
        lengths.iter().map(move |length| {
            let (value, rest) = bytes.split_at(*length as usize);
            bytes = rest;
            Value::decode(value).into()
        })
    }
}

/// Reads a batch of roots after the other.
struct Reader {
    names: Vec<Name>,
    as_of: AsOf,
    deletes: Deletes,
    values: FlatRows,
}

impl Reader {
    fn read(&mut self, view: &View, batch: &Batch, table: &mut Table<'_>) -> anyhow::Result<()> {
        let is_alive = if let Some(Key::Edge(_)) = batch.keys.first() {
            self.edges(view, batch)?
        } else {
            let owners = Owners::nodes(batch.roots()?, self.as_of).deletes(self.deletes);
            view.index().encoded_features(&self.names, owners, &mut self.values);
            view.index().node_types_of(batch.roots()?, self.as_of).iter().map(Option::is_some).collect()
        };
        let mut values = Values::of(&self.values);
        for ((row, (key, &time)), is_alive) in batch.rows().zip(batch.keys.iter().zip(&batch.times)).zip(is_alive) {
            let mut cells = vec![Cell::Int(row)];
            match key {
                Key::Edge(key) => cells.extend(edge_cells(key)),
                Key::Node(key) => cells.extend(node_cells(key)),
            }
            cells.extend([time_cell(time), Cell::Bool(is_alive)]);
            cells.extend(values.next(self.names.len()));
            table.row(cells)?;
        }
        Ok(())
    }

    /// Reads the features of edges, and which of them are alive.
    fn edges(&mut self, view: &View, batch: &Batch) -> anyhow::Result<Vec<bool>> {
        let mut edges = vec![NO_EDGE; batch.keys.len()];
        let mut is_alive = vec![false; batch.keys.len()];
        for (at, (key, &time)) in batch.keys.iter().zip(&batch.times).enumerate() {
            let (Key::Edge(key), Some(time)) = (key, self.as_of.last(time)) else { continue };
            let shown: Option<EdgeIndex> = view.index().edge_index_at(key, At { time, deletes: self.deletes });
            if let Some(edge) = shown {
                (edges[at], is_alive[at]) = (edge, view.index().edge_alive(edge, time));
            }
        }
        let owners = Owners::edges(&edges, &batch.times, self.as_of)?.deletes(self.deletes);
        view.index().encoded_features(&self.names, owners, &mut self.values);
        Ok(is_alive)
    }
}

fn node_cells(key: &NodeKey) -> [Cell<'_>; 2] {
    [(&key.node_type).into(), key.id.as_ref().into()]
}

/// Columns of an edge, and its cells.
pub(crate) fn edge_columns(ids: IdsArg) -> impl Iterator<Item = Column> {
    let source = [("source_type", CellKind::Text), ("src", ids.kind()), ("relation", CellKind::Text)];
    let destination = [("destination_type", CellKind::Text), ("dst", ids.kind())];
    let named = source.into_iter().chain(destination).map(|(name, kind)| Column::new(name, kind));
    named.chain([Column::nullable("key", CellKind::Text)])
}

pub(crate) fn edge_cells(key: &EdgeKey) -> impl Iterator<Item = Cell<'_>> {
    let middle = [(&key.relation).into()];
    let last = [key.key.as_ref().into()];
    node_cells(&key.source).into_iter().chain(middle).chain(node_cells(&key.destination)).chain(last)
}
