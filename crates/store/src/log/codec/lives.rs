//! Whole lives in record batches. A row that creates also says until when; rows after it say what changes in between.
//!
//! Such a segment has the columns of every segment and `until`. Its rows are in the order in which their source lists
//! the lives; as events they are in order of time, and at one time ends before begins and nodes before edges.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch};
use timeweft_graph::rows::{Change, LifeRows, RowRef};
use timeweft_graph::{Action, Element, Event, FeatureId, Interval, Owner, Schema, Time};

use super::decode::Columns;
use super::decode_rows::{Feature, Plans};
use super::encode::Encoder;
use super::layout::{self, Layout, UNTIL};
use super::rows::{Cells, ElementColumns, value_column};
use super::{CodecError, dictionary::Dictionary};

impl Encoder {
    /// An encoder of lives with the columns that these chunks need, and those of the segment before.
    pub(crate) fn of_lives(
        earlier: Option<&Encoder>,
        chunks: &[&LifeRows],
        schema: &Schema,
        metadata: &HashMap<String, String>,
    ) -> Result<Encoder, CodecError> {
        let mut owners: Vec<Owner> = Vec::new();
        for row in chunks.iter().flat_map(|lives| lives.rows().iter()) {
            if owners.last() != Some(&row.owner()) && !owners.contains(&row.owner()) {
                owners.push(row.owner());
            }
        }
        let relations = schema.edge_types().iter().map(|edge_type| &edge_type.relation);
        Ok(Encoder {
            layout: Layout::of_lives(earlier.map(|earlier| &earlier.layout), &owners, schema, metadata)?,
            actions: Dictionary::constant(&layout::ACTIONS),
            entities: Dictionary::constant(&layout::ENTITIES),
            node_types: Dictionary::of(None, schema.node_types().iter().map(|node_type| &node_type.name)),
            relations: Dictionary::of(None, relations),
            categories: Default::default(),
        })
    }

    /// These lives of a chunk; `None` if this segment has not all columns and names.
    pub(crate) fn encode_lives(
        &self,
        lives: &LifeRows,
        kept: &[u32],
        schema: &Schema,
    ) -> Result<Option<RecordBatch>, CodecError> {
        let steps = steps(lives, kept);
        let Some((mut columns, cells)) =
            self.life_columns(lives, &steps, schema).zip(self.life_cells(lives, &steps, schema))
        else {
            return Ok(None);
        };
        for (column, cells) in self.layout.columns.iter().zip(&cells) {
            columns.push(value_column(column, cells, steps.len())?);
        }
        Ok(Some(RecordBatch::try_new(self.layout.schema.clone(), columns)?))
    }

    fn life_columns(&self, lives: &LifeRows, steps: &[Step<'_>], schema: &Schema) -> Option<Vec<ArrayRef>> {
        let rows: Vec<RowRef<'_>> = steps.iter().map(|step| lives.rows().get(step.row)).collect();
        let times = steps.iter().map(|step| step.change.map_or(lives.life(step.row).created, Change::time).0);
        let actions = steps.iter().map(|step| if step.change.is_some() { Action::Update } else { Action::Create });
        let until = |step: &Step<'_>| {
            let life = lives.life(step.row);
            (step.change.is_none() && !life.is_open()).then_some(life.removed.0)
        };
        let mut columns = vec![
            Arc::new(Int64Array::from_iter_values(times)) as ArrayRef,
            self.actions.numbered(actions.map(|action| action as i32))?,
        ];
        columns.extend(self.element_columns(lives.are_edges(), &rows, schema)?);
        columns.push(ended(lives, steps, schema)?);
        columns.push(Arc::new(steps.iter().map(until).collect::<Int64Array>()));
        Some(columns)
    }

    fn life_cells<'a>(&self, lives: &'a LifeRows, steps: &[Step<'a>], schema: &Schema) -> Option<Vec<Cells<'a>>> {
        let mut elements = ElementColumns::new(self, schema);
        for (at, step) in steps.iter().enumerate() {
            let row = lives.rows().get(step.row);
            match step.change {
                None => row.features().try_for_each(|(feature, bytes)| elements.add(at, row, feature, bytes))?,
                Some(change) => change.sets().try_for_each(|(feature, bytes)| match bytes {
                    Some(bytes) => elements.add(at, row, feature, bytes),
                    None => Some(()),
                })?,
            }
        }
        Some(elements.cells)
    }
}

/// What a row of the batch says: a life begins, or changes.
struct Step<'a> {
    row: usize,
    change: Option<Change<'a>>,
}

fn steps<'a>(lives: &'a LifeRows, kept: &[u32]) -> Vec<Step<'a>> {
    let mut steps = Vec::with_capacity(kept.len());
    for &row in kept {
        let row = row as usize;
        steps.push(Step { row, change: None });
        steps.extend(lives.changes(row).map(|change| Step { row, change: Some(change) }));
    }
    steps
}

/// The names of the features whose values each row ends.
fn ended(lives: &LifeRows, steps: &[Step<'_>], schema: &Schema) -> Option<ArrayRef> {
    if lives.are_plain() {
        return super::rows::no_ends(steps.len());
    }
    let mut builder = ListBuilder::new(StringBuilder::new());
    for step in steps {
        let mut any = false;
        for (feature, _) in step.change.iter().flat_map(|change| change.sets()).filter(|(_, value)| value.is_none()) {
            let defs = schema.features(lives.rows().get(step.row).owner());
            builder.values().append_value(&defs.get(feature.at())?.name);
            any = true;
        }
        builder.append(any);
    }
    Some(Arc::new(builder.finish()))
}

/// Whether a batch holds lives.
pub(crate) fn has_lives(batch: &RecordBatch) -> bool {
    batch.schema_ref().column_with_name(UNTIL).is_some()
}

/// How many events a batch holds.
pub(crate) fn n_events(batch: &RecordBatch) -> usize {
    let ends = batch.column_by_name(UNTIL).map_or(0, |until| until.len() - until.null_count());
    batch.num_rows() + ends
}

/// The latest time in a batch.
pub(crate) fn latest_time(batch: &RecordBatch) -> Option<Time> {
    let columns = ["time", UNTIL].into_iter().filter_map(|name| batch.column_by_name(name));
    columns.filter_map(|column| column.as_primitive_opt::<Int64Type>()?.iter().flatten().max()).max().map(Time)
}

/// The lives of a batch, in order. `schema` has all of their types.
pub(crate) fn decode_lives(batch: &RecordBatch, schema: &Schema) -> Result<Vec<LifeRows>, CodecError> {
    let columns = Columns::of(batch)?;
    let until = batch.column_by_name(UNTIL).and_then(|until| until.as_primitive_opt::<Int64Type>());
    let until = until.ok_or_else(|| CodecError::Column(UNTIL.into()))?;
    let plans = Plans::of_lives(batch, &columns, schema)?;
    let mut chunks = Vec::new();
    let (mut lives, mut bytes) = (LifeRows::default(), Vec::new());
    let file = "".into();
    for row in 0..batch.num_rows() {
        let bad = |problem| CodecError::Row { row, problem };
        let plan = plans.plan(row).ok_or_else(|| bad("no known type"))?;
        let edges = matches!(plan.owner, Owner::Edge(_));
        let creates = columns.actions.is(row, layout::ACTIONS[0]);
        if creates && (lives.is_empty() || lives.is_full() || lives.are_edges() != edges) {
            chunks.extend((!lives.is_empty()).then(|| std::mem::take(&mut lives)));
            lives.begin(edges, &file);
        }
        let time = Time(columns.times[row]);
        if !creates {
            let of_life = columns.actions.is(row, layout::ACTIONS[1]) && !lives.is_empty();
            of_life.then_some(()).ok_or_else(|| bad("no life begins and none changes"))?;
            add_change(&columns, (&plan.features, row), schema, plan.owner, time, &mut lives)
                .ok_or_else(|| bad("no known feature"))?;
            continue;
        }
        let removed = if until.is_valid(row) { Time(until.value(row)) } else { Time::FOREVER };
        let life = Interval::new(time, removed).ok_or_else(|| bad("a life that ends before it begins"))?;
        for feature in plan.features.iter().filter(|feature| feature.is_there(row)) {
            bytes.clear();
            feature.bytes(row, &mut bytes).ok_or_else(|| CodecError::Column(feature.name().to_string()))?;
            lives.feature(feature.id, &bytes);
        }
        let source = columns.source_ids.value(row);
        let key = columns.keys.is_valid(row).then(|| columns.keys.value(row));
        match plan.owner {
            Owner::Edge(edge_type) => {
                let destination = columns.destination_ids.is_valid(row).then(|| columns.destination_ids.value(row));
                let destination = destination.ok_or_else(|| bad("no destination"))?;
                lives.named_edge(edge_type, (source, destination), key, life);
            }
            Owner::Node(node_type) => lives.named_node(node_type, source, life),
            Owner::Merge => return Err(bad("no node or edge")),
        }
    }
    chunks.extend((!lives.is_empty()).then_some(lives));
    Ok(chunks)
}

/// Adds what a row changes; `None` if it names an unknown feature.
fn add_change(
    columns: &Columns<'_>,
    (features, row): (&[Feature<'_>], usize),
    schema: &Schema,
    owner: Owner,
    time: Time,
    lives: &mut LifeRows,
) -> Option<()> {
    let mut sets: Vec<(FeatureId, Option<Vec<u8>>)> = Vec::new();
    for feature in features.iter().filter(|feature| feature.is_there(row)) {
        let mut bytes = Vec::new();
        feature.bytes(row, &mut bytes)?;
        sets.push((feature.id, Some(bytes)));
    }
    if columns.ended.is_valid(row) {
        let names = columns.ended.value(row);
        for name in names.as_string_opt::<i32>()?.iter().flatten() {
            sets.push((schema.feature(owner, name)?.0, None));
        }
    }
    sets.sort_by_key(|(feature, _)| *feature);
    sets.iter().for_each(|(feature, bytes)| lives.change(time, *feature, bytes.as_deref()));
    Some(())
}

/// Where an event of a load of lives stands among the others.
pub(crate) fn place(event: &Event) -> (Time, u8) {
    let rank = match (&event.element, event.action) {
        (Element::Edge(_), Action::Delete) => 0,
        (Element::Node(_), Action::Delete) => 1,
        (Element::Node(_), Action::Create) => 2,
        (Element::Node(_), Action::Update) => 3,
        (Element::Edge(_), Action::Create) => 4,
        (Element::Edge(_), Action::Update) => 5,
        (Element::Merge { .. }, _) => 6,
    };
    (event.time, rank)
}
