//! Record batches into chunks: creates that follow each other, as most of a log does, need no events to be made of them.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, Int32Array, RecordBatch, StringArray};
use rustc_hash::FxHashMap;
use timeweft_graph::rows::{LifeRows, RowBuilder, Rows};
use timeweft_graph::{
    DType, EdgeTypeId, Event, FeatureDef, FeatureId, FeatureKind, ListOrder, NodeTypeId, Owner, Schema, Time, ValueRef,
};

use super::CodecError;
use super::decode::{Columns, Names, decode, value};
use super::layout::{self, ACTIONS, Column, ENTITIES, feature_columns};
use super::lives::{decode_lives, has_lives};

/// So many creates in a row are worth a chunk.
const WORTH: usize = 64;

/// Part of a batch.
pub(crate) enum Part {
    /// Creates of nodes, or of edges, each with its time. Their types and features have the numbers of a schema.
    Creates(Rows, Vec<Time>),
    /// Whole lives of nodes, or of edges, likewise. If a load has some, it has nothing else.
    Lives(LifeRows),
    /// Events, each with its features sorted by name.
    Events(Vec<Event>),
}

/// The events of a batch, in order. What `schema` has not comes as events.
pub(crate) fn decode_parts(batch: &RecordBatch, schema: &Schema) -> Result<Vec<Part>, CodecError> {
    if has_lives(batch) {
        return Ok(decode_lives(batch, schema)?.into_iter().map(Part::Lives).collect());
    }
    let columns = Columns::of(batch)?;
    let plans = Plans::of(batch, &columns, schema)?;
    let mut parts = Vec::new();
    let mut done = 0;
    let mut row = 0;
    while row < plans.by_row.len() {
        let run = plans.run(row);
        if run.len() < WORTH {
            row = run.end.max(row + 1);
            continue;
        }
        if done < row {
            parts.push(Part::Events(events(batch, done..row, schema)?));
        }
        row = run.end;
        done = row;
        plans.chunks(&columns, run, &mut parts)?;
    }
    if done < row {
        parts.push(Part::Events(events(batch, done..row, schema)?));
    }
    Ok(parts)
}

fn events(batch: &RecordBatch, rows: Range<usize>, schema: &Schema) -> Result<Vec<Event>, CodecError> {
    decode(&batch.slice(rows.start, rows.len()), schema).map_err(|error| match error {
        CodecError::Row { row, problem } => CodecError::Row { row: row + rows.start, problem },
        error => error,
    })
}

/// How the creates of a node or edge type are read.
pub(super) struct Plan<'a> {
    pub(super) owner: Owner,
    /// Its features, sorted by number.
    pub(super) features: Vec<Feature<'a>>,
}

pub(super) struct Feature<'a> {
    pub(super) id: FeatureId,
    def: &'a FeatureDef,
    array: &'a ArrayRef,
    cells: Cells<'a>,
}

/// The values of a column.
enum Cells<'a> {
    Text(&'a StringArray),
    Category(&'a StringArray),
    Named(&'a Int32Array, &'a StringArray),
    Json(&'a StringArray),
    Int(&'a [i64]),
    Float(&'a [f64]),
    /// Of another kind.
    Any,
    /// Of a kind that is narrower than that of the feature.
    Narrow(FeatureKind),
}

/// The plans of a batch.
pub(super) struct Plans<'a> {
    plans: Vec<Plan<'a>>,
    /// The plan of each row; none for rows that are no creates, or are to be read as events for another reason.
    by_row: Vec<Option<u32>>,
}

impl<'a> Plans<'a> {
    fn of(batch: &'a RecordBatch, columns: &Columns<'a>, schema: &'a Schema) -> Result<Plans<'a>, CodecError> {
        Plans::of_rows(batch, columns, schema, |row| {
            columns.actions.is(row, ACTIONS[0]) && columns.ended.is_null(row) && columns.source_ids.is_valid(row)
        })
    }

    /// The plans of rows that create, or change what the row before them is about.
    pub(super) fn of_lives(
        batch: &'a RecordBatch,
        columns: &Columns<'a>,
        schema: &'a Schema,
    ) -> Result<Plans<'a>, CodecError> {
        Plans::of_rows(batch, columns, schema, |row| columns.source_ids.is_valid(row))
    }

    fn of_rows(
        batch: &'a RecordBatch,
        columns: &Columns<'a>,
        schema: &'a Schema,
        counts: impl Fn(usize) -> bool,
    ) -> Result<Plans<'a>, CodecError> {
        let features = feature_columns(&batch.schema())?;
        let mut plans = Plans { plans: Vec::new(), by_row: Vec::with_capacity(batch.num_rows()) };
        let mut known: FxHashMap<[Option<i32>; 4], Option<u32>> = FxHashMap::default();
        let mut last = ([None; 4], None);
        for row in 0..batch.num_rows() {
            if !counts(row) {
                plans.by_row.push(None);
                continue;
            }
            let names = [&columns.entities, &columns.source_types, &columns.relations, &columns.destination_types];
            let names = names.map(|names| names.key(row));
            if last.0 != names {
                let plan = known.entry(names).or_insert_with(|| {
                    let owner = owner(columns, schema, row)?;
                    let plan = Plan { owner, features: own(owner, &features, batch, schema)? };
                    plans.plans.push(plan);
                    Some(plans.plans.len() as u32 - 1)
                });
                last = (names, *plan);
            }
            plans.by_row.push(last.1);
        }
        Ok(plans)
    }

    pub(super) fn plan(&self, row: usize) -> Option<&Plan<'a>> {
        self.plans.get((*self.by_row.get(row)?)? as usize)
    }

    fn is_edge(&self, row: usize) -> Option<bool> {
        Some(matches!(self.plan(row)?.owner, Owner::Edge(_)))
    }

    /// The creates of nodes, or of edges, from a row on.
    fn run(&self, row: usize) -> Range<usize> {
        let Some(edges) = self.is_edge(row) else { return row..row };
        let length = (row..self.by_row.len()).take_while(|&row| self.is_edge(row) == Some(edges)).count();
        row..row + length
    }

    fn chunks(&self, columns: &Columns<'_>, run: Range<usize>, parts: &mut Vec<Part>) -> Result<(), CodecError> {
        let mut start = run.start;
        while start < run.end {
            let mut rows = RowBuilder::new(self.is_edge(start) == Some(true));
            let mut end = start;
            while end < run.end && !rows.is_full() {
                self.add(columns, end, &mut rows)?;
                end += 1;
            }
            let times = columns.times[start..end].iter().map(|&time| Time(time)).collect();
            parts.push(Part::Creates(rows.finish(), times));
            start = end;
        }
        Ok(())
    }

    fn add(&self, columns: &Columns<'_>, row: usize, rows: &mut RowBuilder) -> Result<(), CodecError> {
        let bad = |problem| CodecError::Row { row, problem };
        let plan = self.plan(row).ok_or_else(|| bad("no known type"))?;
        for feature in plan.features.iter().filter(|feature| feature.array.is_valid(row)) {
            let added = feature.add(row, rows);
            added.ok_or_else(|| CodecError::Column(feature.def.name.to_string()))?;
        }
        let source = columns.source_ids.value(row);
        match plan.owner {
            Owner::Edge(edge_type) => {
                let destination = columns.destination_ids.is_valid(row).then(|| columns.destination_ids.value(row));
                let destination = destination.ok_or_else(|| bad("no destination"))?;
                let key = columns.keys.is_valid(row).then(|| columns.keys.value(row));
                rows.edge(edge_type, (source, destination), key);
            }
            Owner::Node(node_type) => rows.node(node_type, source),
            Owner::Merge => return Err(bad("no node or edge")),
        }
        Ok(())
    }
}

/// The type of a created node or edge, if the schema has it.
fn owner(columns: &Columns<'_>, schema: &Schema, row: usize) -> Option<Owner> {
    let node_type = |types: &Names<'_>| -> Option<NodeTypeId> { schema.node_type(types.at(row)?) };
    let source = node_type(&columns.source_types)?;
    if columns.entities.is(row, ENTITIES[0]) {
        return Some(Owner::Node(source));
    }
    columns.entities.is(row, ENTITIES[1]).then_some(())?;
    let destination = node_type(&columns.destination_types)?;
    let edge_type: EdgeTypeId = schema.edge_type(source, columns.relations.at(row)?, destination)?;
    Some(Owner::Edge(edge_type))
}

/// The columns of an owner, if the schema has all of its features and the columns are what it says.
fn own<'a>(
    owner: Owner,
    columns: &[(usize, Column)],
    batch: &'a RecordBatch,
    schema: &'a Schema,
) -> Option<Vec<Feature<'a>>> {
    let name = layout::Owner::named(owner, schema)?;
    let own = columns.iter().filter(|(_, column)| column.owner == name);
    let read = own.map(|(position, column)| {
        let (id, def) = schema.feature(owner, &column.feature)?;
        let array = batch.column(*position);
        // What was written before the feature became wider is read as what it is now.
        let cells = match column.kind {
            kind if kind == def.kind => cells(def, array)?,
            kind => (kind.wider(def.kind) == Some(def.kind)).then_some(Cells::Narrow(kind))?,
        };
        Some(Feature { id, def, array, cells })
    });
    let mut features = read.collect::<Option<Vec<_>>>()?;
    features.sort_by_key(|feature| feature.id);
    Some(features)
}

fn cells<'a>(def: &FeatureDef, array: &'a ArrayRef) -> Option<Cells<'a>> {
    Some(match def.kind {
        FeatureKind::Text => Cells::Text(array.as_string_opt::<i32>()?),
        FeatureKind::Category => match array.as_dictionary_opt::<Int32Type>() {
            Some(named) => Cells::Named(named.keys(), named.values().as_string_opt::<i32>()?),
            None => Cells::Category(array.as_string_opt::<i32>()?),
        },
        FeatureKind::Json if def.order == ListOrder::List => Cells::Json(array.as_string_opt::<i32>()?),
        FeatureKind::Dense { dtype: DType::I64, scalar: true } => {
            Cells::Int(array.as_primitive_opt::<Int64Type>()?.values())
        }
        FeatureKind::Dense { dtype: DType::F64, scalar: true } => {
            Cells::Float(array.as_primitive_opt::<Float64Type>()?.values())
        }
        _ => Cells::Any,
    })
}

impl Feature<'_> {
    /// Adds the value at a row that is valid; `None` if the column is of another type.
    fn add(&self, row: usize, rows: &mut RowBuilder) -> Option<()> {
        self.with(row, |value| rows.feature(self.id, value))
    }

    /// Whether a row has a value.
    pub(super) fn is_there(&self, row: usize) -> bool {
        self.array.is_valid(row)
    }

    /// Its name.
    pub(super) fn name(&self) -> &timeweft_graph::Name {
        &self.def.name
    }

    /// Appends the bytes of the value at a row that is valid; `None` if the column is of another type.
    pub(super) fn bytes(&self, row: usize, out: &mut Vec<u8>) -> Option<()> {
        self.with(row, |value| value.encode(out))
    }

    fn with(&self, row: usize, take: impl FnOnce(ValueRef<'_>)) -> Option<()> {
        let value = match &self.cells {
            Cells::Text(texts) => ValueRef::Text(texts.value(row)),
            Cells::Category(names) => ValueRef::Category(names.value(row)),
            Cells::Named(keys, names) => {
                let key = usize::try_from(keys.value(row)).ok().filter(|key| *key < names.len())?;
                ValueRef::Category(names.value(key))
            }
            // As it was written: the text of the value in memory.
            Cells::Json(texts) => ValueRef::RawJson(texts.value(row)),
            Cells::Int(numbers) => ValueRef::Int(*numbers.get(row)?),
            Cells::Float(numbers) => ValueRef::Float(*numbers.get(row)?),
            Cells::Any => {
                let value = self.def.order.canonical(value(self.def.kind, self.array, row)?);
                take(ValueRef::Any(&value));
                return Some(());
            }
            Cells::Narrow(kind) => {
                let value = value(*kind, self.array, row)?.widened(self.def.kind)?;
                take(ValueRef::Any(&value));
                return Some(());
            }
        };
        take(value);
        Some(())
    }
}
