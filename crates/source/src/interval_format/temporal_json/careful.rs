//! One line, read step by step: says what is wrong, and refuses single edges. The quick reader takes what is right.

use serde_json::value::RawValue;
use timeweft_graph::{EdgeSpan, Interval, NodeSpan, Reason, Record, Sink, SpanRows, Time, Value, ValueRef};

use super::form_of;
use crate::interval_format::draft::{Draft, GivenTimes};
use crate::interval_format::form::Form;
use crate::text::feature_text::{numbers, sparse};
use crate::text::json::{self, Members, excerpt, is_number};

/// Reads a line into rows. An error refuses the node with its edges.
pub(super) fn read(text: &str, line: u64, draft: &mut Draft, rows: &mut SpanRows) -> Result<(), Reason> {
    let mut members: Members<'_> = json::parse(text).map_err(Reason::Malformed)?;
    let (id, node_type, weight) = node_head(&mut members).map_err(Reason::Malformed)?;
    let edges = members
        .need("edge")
        .and_then(|raw| json::parse(raw).map_err(|_| format!("edge: expected a list of edges, got {}", excerpt(raw))));
    let edges: Vec<&RawValue> = edges.map_err(Reason::Malformed)?;
    // A map that the documents describe and the reference reader leaves alone.
    members.take("neighbor");
    let life = times(&mut members).map_err(Reason::Malformed)?.within(Interval::open(Time(0)))?;
    let known = "node_id, node_type, node_weight, edge, created_at, removed_at or a feature map";
    draft.clear();
    features(members, known, draft).map_err(Reason::Malformed)?;
    let values = draft.settle(0..draft.mark(), life)?;
    rows.record(Record::NodeSpan(NodeSpan { id, node_type, weight: Some(weight), life }, values), line);
    for (position, raw) in (1..).zip(edges) {
        if let Err(reason) = edge(raw.get(), (id, life), (line, position), draft, rows) {
            rows.reject(line, Reason::Malformed(format!("edge {position}: {reason}")));
        }
    }
    Ok(())
}

fn node_head(members: &mut Members<'_>) -> Result<(u64, u32, f32), String> {
    Ok((whole("node_id", members)?, whole("node_type", members)?, weight("node_weight", members)?))
}

/// Reads an edge of the node `source` that lives as long as `owner`.
fn edge(
    raw: &str,
    (source, owner): (u64, Interval),
    (line, position): (u64, u32),
    draft: &mut Draft,
    rows: &mut SpanRows,
) -> Result<(), Reason> {
    let mut members: Members<'_> = json::parse(raw).map_err(Reason::Malformed)?;
    let (destination, edge_type, weight) = edge_head(&mut members, source).map_err(Reason::Malformed)?;
    let given = times(&mut members).map_err(Reason::Malformed)?;
    let life = given.within(owner)?;
    let known = "src_id, dst_id, edge_type, weight, created_at, removed_at or a feature map";
    draft.clear();
    features(members, known, draft).map_err(Reason::Malformed)?;
    let values = draft.settle(0..draft.mark(), life)?;
    let starts_by_default = given.created.is_none();
    let edge = EdgeSpan { source, destination, edge_type, weight, life, starts_by_default, position };
    rows.record(Record::EdgeSpan(edge, values), line);
    Ok(())
}

fn edge_head(members: &mut Members<'_>, source: u64) -> Result<(u64, u32, f32), String> {
    let from: u64 = whole("src_id", members)?;
    if from != source {
        return Err(format!("src_id is {from}, but the edge stands in the line of node {source}"));
    }
    Ok((whole("dst_id", members)?, whole("edge_type", members)?, weight("weight", members)?))
}

fn whole<T: TryFrom<u64>>(name: &str, members: &mut Members<'_>) -> Result<T, String> {
    let raw = members.need(name)?;
    let number = raw.parse::<u64>().ok().and_then(|number| T::try_from(number).ok());
    number.ok_or_else(|| format!("{name}: expected a whole number from 0 on, got {}", excerpt(raw)))
}

fn weight(name: &str, members: &mut Members<'_>) -> Result<f32, String> {
    let raw = members.need(name)?;
    let number = raw.parse::<f32>().ok().filter(|number| is_number(raw) && number.is_finite());
    number.ok_or_else(|| format!("{name}: expected a number, got {}", excerpt(raw)))
}

/// Takes `created_at` and `removed_at`.
fn times(members: &mut Members<'_>) -> Result<GivenTimes, String> {
    Ok(GivenTimes { created: tick("created_at", members)?, removed: tick("removed_at", members)? })
}

fn tick(name: &str, members: &mut Members<'_>) -> Result<Option<i64>, String> {
    let Some(raw) = members.take(name) else { return Ok(None) };
    let ticks = raw.parse::<i64>();
    ticks.map(Some).map_err(|_| format!("{name}: expected a whole number of ticks, got {}", excerpt(raw)))
}

/// Reads all that is left of a record: the feature maps.
fn features(members: Members<'_>, known: &str, draft: &mut Draft) -> Result<(), String> {
    for (key, raw) in members.0 {
        let form = form_of(&key).ok_or_else(|| format!("unknown field `{key}`, expected {known}"))?;
        if raw.get() == "null" {
            continue;
        }
        let map: Members<'_> = json::parse(raw.get()).map_err(|problem| format!("{key}: {problem}"))?;
        for (number, raw) in map.0 {
            feature(form, &number, raw.get(), draft).map_err(|problem| format!("{key} {number}: {problem}"))?;
        }
    }
    Ok(())
}

fn feature(form: Form, number: &str, raw: &str, draft: &mut Draft) -> Result<(), String> {
    let number =
        number.parse().map_err(|_| format!("expected the number of a feature as key, got {}", excerpt(number)))?;
    draft.begin();
    match intervals(raw)? {
        Some(items) => items.into_iter().try_for_each(|mut item| {
            let times = times(&mut item)?;
            let value = fields(form, item)?;
            draft.add(number, times, value.as_ref().map(ValueRef::Any));
            Ok(())
        }),
        None => {
            let value = plain(form, raw)?;
            draft.add(number, GivenTimes::default(), value.as_ref().map(ValueRef::Any));
            Ok(())
        }
    }
}

/// The items of a list of objects, if it is one.
fn intervals(raw: &str) -> Result<Option<Vec<Members<'_>>>, String> {
    let objects = raw.strip_prefix('[').is_some_and(|inner| inner.trim_start().starts_with('{'));
    if objects { json::parse(raw).map(Some) } else { Ok(None) }
}

fn fields(form: Form, mut item: Members<'_>) -> Result<Option<Value>, String> {
    let values = item.need("values")?;
    let coordinates = match form {
        Form::Sparse(_) => Some(item.need("coordinates")?),
        Form::Dense(_) | Form::Bytes => None,
    };
    item.finish("values, coordinates (of sparse features), created_at and removed_at")?;
    value(form, values, coordinates)
}

fn plain(form: Form, raw: &str) -> Result<Option<Value>, String> {
    match form {
        Form::Sparse(_) => fields(form, json::parse(raw)?),
        Form::Dense(_) | Form::Bytes => value(form, raw, None),
    }
}

/// The value, or `None` for an empty one: a gap.
fn value(form: Form, values: &str, coordinates: Option<&str>) -> Result<Option<Value>, String> {
    match form {
        Form::Bytes => binary(values),
        Form::Dense(dtype) => {
            let items: Vec<&RawValue> = json::parse(values)
                .map_err(|_| format!("expected a list of {} numbers, got {}", dtype.name(), excerpt(values)))?;
            let numbers = numbers(dtype, items.iter().map(|item| item.get()))?;
            Ok((!numbers.is_empty()).then_some(Value::Dense(timeweft_graph::Dense { numbers, scalar: false })))
        }
        Form::Sparse(dtype) => {
            let tensor = sparse(dtype, None, coordinates.unwrap_or("[]"), values)?;
            Ok((!tensor.values.is_empty()).then_some(Value::Sparse(tensor)))
        }
    }
}

fn binary(raw: &str) -> Result<Option<Value>, String> {
    let one = |text: String| Some(Value::Bytes(text.into_bytes()));
    if let Ok(text) = json::parse::<String>(raw) {
        return Ok(one(text));
    }
    let expected = || format!("expected one text, got {}", excerpt(raw));
    let mut texts = json::parse::<Vec<String>>(raw).map_err(|_| expected())?;
    match (texts.len(), texts.pop()) {
        (0, _) => Ok(None),
        (1, Some(text)) => Ok(one(text)),
        _ => Err(expected()),
    }
}
