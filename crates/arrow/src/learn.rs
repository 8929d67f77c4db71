//! Answers of models as record batches.

use std::sync::Arc;

use arrow_array::builder::{FixedSizeListBuilder, Float32Builder};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Float32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray, UInt32Array,
    UInt64Array,
};
use arrow_schema::{ArrowError, Field, Schema};
use timeweft::model::{Count, Epoch, Evaluation, Explanation, Freshness, Part, Prediction};
use timeweft::read::{ExternalId, Index};
use timeweft::{Action, Model, NodeKey, Time, TimeUnit};

/// What functions of this module return.
type Result<T> = std::result::Result<T, ArrowError>;

/// The epochs of a training: `epoch, loss, mrr, hits1, hits10, links, train_seconds, links_per_second`. Metrics are those of the
/// validation links.
///
/// # Errors
/// None that is known of.
pub fn epochs(epochs: &[Epoch]) -> Result<RecordBatch> {
    let figure = |of: fn(&Epoch) -> f64| doubles(epochs.iter().map(of));
    batch([
        ("epoch", counts(epochs.iter().map(|epoch| epoch.epoch))),
        ("loss", figure(|epoch| epoch.loss)),
        ("mrr", figure(|epoch| epoch.validation.mrr)),
        ("hits1", figure(|epoch| epoch.validation.hits1)),
        ("hits10", figure(|epoch| epoch.validation.hits10)),
        ("links", counts(epochs.iter().map(|epoch| epoch.validation.events))),
        ("train_seconds", figure(|epoch| epoch.train_seconds)),
        ("links_per_second", figure(|epoch| epoch.links_per_second)),
    ])
}

/// Figures of a model and of the rules beside it, a row each and each freshness: `part, freshness, model, mrr, hits1, hits10, links`.
///
/// # Errors
/// None that is known of.
pub fn evaluations(part: Part, evaluations: &[Evaluation]) -> Result<RecordBatch> {
    let rows: Vec<_> = evaluations
        .iter()
        .flat_map(|of| of.rows.iter().map(move |(name, metrics)| (of.freshness, name, metrics)))
        .collect();
    let part = match part {
        Part::Validation => "validation",
        Part::Test => "test",
    };
    let freshness = |freshness: Freshness| match freshness {
        Freshness::Event => "event".to_owned(),
        Freshness::Batch(size) => format!("batch:{size}"),
    };
    batch([
        ("part", texts(rows.iter().map(|_| part))),
        ("freshness", texts(rows.iter().map(|row| freshness(row.0)))),
        ("model", texts(rows.iter().map(|row| row.1))),
        ("mrr", doubles(rows.iter().map(|row| row.2.mrr))),
        ("hits1", doubles(rows.iter().map(|row| row.2.hits1))),
        ("hits10", doubles(rows.iter().map(|row| row.2.hits10))),
        ("links", counts(rows.iter().map(|row| row.2.events))),
    ])
}

/// Predictions, best first: `type, id, score, share`.
///
/// # Errors
/// None that is known of.
pub fn predictions(model: &Model, found: &[Prediction]) -> Result<RecordBatch> {
    let [types, ids] = nodes(model, found.iter().map(|one| &one.destination));
    let score = singles(found.iter().map(|one| one.score));
    let share = singles(found.iter().map(|one| one.probability));
    batch([("type", types), ("id", ids), ("score", score), ("share", share)])
}

/// The nodes that are most like one, best first: `type, id, cosine`.
///
/// # Errors
/// None that is known of.
pub fn nearest(model: &Model, found: &[(NodeKey, f32)]) -> Result<RecordBatch> {
    let [types, ids] = nodes(model, found.iter().map(|(node, _)| node));
    batch([("type", types), ("id", ids), ("cosine", singles(found.iter().map(|(_, cosine)| *cosine)))])
}

/// The neighbors that both ends listened to, those of the source first, of each the largest contribution first: `at` (`source` or
/// `destination`), `type, id, relation, outward, created, attention` (one number a head), `listens` and `speaks` (null but for a
/// co-operative model), `contribution`.
///
/// # Errors
/// None that is known of.
pub fn neighbors(model: &Model, why: &Explanation) -> Result<RecordBatch> {
    let heard = &why.neighbors;
    let [types, ids] = nodes(model, heard.iter().map(|one| &one.node));
    let heads = heard.first().map_or(model.config().model.heads, |one| one.attention.len());
    let mut attention = FixedSizeListBuilder::new(Float32Builder::new(), heads as i32);
    for one in heard {
        attention.values().append_slice(&one.attention);
        attention.append(true);
    }
    let action = |at: usize| heard.iter().map(move |one| one.actions.map(|both| both[at]));
    batch([
        ("at", ends(heard.iter().map(|one| one.at_source))),
        ("type", types),
        ("id", ids),
        ("relation", texts(heard.iter().map(|one| &one.relation))),
        ("outward", Arc::new(BooleanArray::from_iter(heard.iter().map(|one| Some(one.outward))))),
        ("created", times(model, heard.iter().map(|one| Some(one.created)))),
        ("attention", Arc::new(attention.finish())),
        ("listens", Arc::new(BooleanArray::from_iter(action(0)))),
        ("speaks", Arc::new(BooleanArray::from_iter(action(1)))),
        ("contribution", singles(heard.iter().map(|one| one.contribution))),
    ])
}

/// The moments that the memory of both ends holds, those of the source first, of each the largest contribution first: `at`, `time`,
/// what happened first then (`action`, `relation`, null for what happened to the node itself, and `type`, `id` of the other
/// end), `facts` (how many things happened at that moment), `contribution`.
///
/// # Errors
/// None that is known of.
pub fn moments(model: &Model, why: &Explanation) -> Result<RecordBatch> {
    // A moment without facts does not happen; it would be no row.
    let told: Vec<_> = why.memory.iter().filter_map(|one| Some((one, one.facts.first()?))).collect();
    let [types, ids] = nodes(model, told.iter().map(|(_, first)| &first.node));
    let action = |action: Action| match action {
        Action::Create => "create",
        Action::Update => "update",
        Action::Delete => "delete",
    };
    let relation = told.iter().map(|(_, first)| first.relation.as_deref());
    batch([
        ("at", ends(told.iter().map(|(one, _)| one.at_source))),
        ("time", times(model, told.iter().map(|(one, _)| Some(one.time)))),
        ("action", texts(told.iter().map(|(_, first)| action(first.action)))),
        ("relation", Arc::new(StringArray::from_iter(relation))),
        ("type", types),
        ("id", ids),
        ("facts", counts(told.iter().map(|(one, _)| one.facts.len()))),
        ("contribution", doubles(told.iter().map(|(one, _)| one.contribution))),
    ])
}

/// What was counted of the relation before the time of a question: `counter, count, last`, where `last` is null for what never
/// happened. No rows for a node that goes.
///
/// # Errors
/// None that is known of.
pub fn counters(model: &Model, why: &Explanation) -> Result<RecordBatch> {
    let rows: Vec<(&str, Count)> = why
        .counters
        .iter()
        .flat_map(|of| {
            [
                ("pair", of.pair),
                ("reversed", of.reversed),
                ("to_destination", of.to_destination),
                ("from_destination", of.from_destination),
                ("from_source", of.from_source),
            ]
        })
        .collect();
    batch([
        ("counter", texts(rows.iter().map(|row| row.0))),
        ("count", Arc::new(UInt32Array::from_iter_values(rows.iter().map(|row| row.1.count)))),
        ("last", times(model, rows.iter().map(|row| row.1.last))),
    ])
}

/// Columns of one length; those that are never null say so.
fn batch<const N: usize>(columns: [(&str, ArrayRef); N]) -> Result<RecordBatch> {
    const NULLABLE: [&str; 4] = ["relation", "last", "listens", "speaks"];
    let field =
        |(name, column): &(&str, ArrayRef)| Field::new(*name, column.data_type().clone(), NULLABLE.contains(name));
    let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
    RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, column)| column).collect())
}

fn texts<T: AsRef<str>>(values: impl Iterator<Item = T>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn counts(values: impl Iterator<Item = usize>) -> ArrayRef {
    Arc::new(UInt64Array::from_iter_values(values.map(|value| value as u64)))
}

fn singles(values: impl Iterator<Item = f32>) -> ArrayRef {
    Arc::new(Float32Array::from_iter_values(values))
}

fn doubles(values: impl Iterator<Item = f64>) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(values))
}

fn ends(at_source: impl Iterator<Item = bool>) -> ArrayRef {
    texts(at_source.map(|at_source| if at_source { "source" } else { "destination" }))
}

/// Times in the unit of a graph.
fn times(model: &Model, values: impl Iterator<Item = Option<Time>>) -> ArrayRef {
    let ticks = values.map(|time| time.map(|time| time.0));
    match model.view().unit() {
        TimeUnit::Step => Arc::new(Int64Array::from_iter(ticks)),
        TimeUnit::Second => Arc::new(TimestampSecondArray::from_iter(ticks).with_timezone("UTC")),
        TimeUnit::Milli => Arc::new(TimestampMillisecondArray::from_iter(ticks).with_timezone("UTC")),
        TimeUnit::Micro => Arc::new(TimestampMicrosecondArray::from_iter(ticks).with_timezone("UTC")),
        TimeUnit::Nano => Arc::new(TimestampNanosecondArray::from_iter(ticks).with_timezone("UTC")),
    }
}

/// Types and ids of nodes. Ids are numbers where each id that nodes of these types ever had is one.
fn nodes<'a>(model: &Model, keys: impl Iterator<Item = &'a NodeKey>) -> [ArrayRef; 2] {
    let keys: Vec<&NodeKey> = keys.collect();
    let number = |key: &&NodeKey| match key.id {
        ExternalId::Int(number) => Some(number),
        ExternalId::Text(_) => None,
    };
    let ids: Option<Vec<u64>> = keys.iter().map(number).collect();
    let types = texts(keys.iter().map(|key| &key.node_type));
    match ids {
        Some(ids) if are_numbers(model.view().index(), &keys) => [types, Arc::new(UInt64Array::from(ids))],
        _ => [types, texts(keys.iter().map(|key| key.id.to_string()))],
    }
}

/// Whether all ids that nodes of the types of some keys ever had are whole numbers.
fn are_numbers(index: &Index, keys: &[&NodeKey]) -> bool {
    let mut types: Vec<_> = keys.iter().filter_map(|key| index.schema().node_type(&key.node_type)).collect();
    types.sort_unstable();
    types.dedup();
    types.into_iter().all(|of_type| index.has_number_ids(of_type))
}
