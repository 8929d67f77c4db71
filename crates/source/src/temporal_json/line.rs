//! One line: a node, its features and its edges, as they are written.

use serde_json::value::RawValue;
use timeweft_graph::{DType, FeatureKind, Interval, Reason, Time, Value};

use super::spans::Span;
use crate::feature_text::{numbers, sparse};
use crate::json::{self, Members, excerpt};

/// What nodes and edges have in common.
pub(super) struct Described {
    pub(super) type_number: u32,
    pub(super) weight: f32,
    pub(super) life: Interval,
    pub(super) features: Vec<Feature>,
}

/// A feature with all its intervals, in the order of the line, not yet cut.
pub(super) struct Feature {
    pub(super) number: u32,
    /// `None` if every interval is a gap.
    pub(super) kind: Option<FeatureKind>,
    pub(super) spans: Vec<Span>,
}

/// A node and the texts of its edges.
pub(super) struct NodeLine<'a> {
    pub(super) id: u64,
    pub(super) node: Described,
    pub(super) edges: Vec<&'a RawValue>,
}

/// An edge of a node line.
pub(super) struct EdgeLine {
    pub(super) destination: u64,
    pub(super) edge: Described,
}

/// Reads a line up to its edges.
pub(super) fn node(text: &str) -> Result<NodeLine<'_>, Reason> {
    let mut members: Members<'_> = json::parse(text).map_err(Reason::Malformed)?;
    let required = |members: &mut Members<'_>| {
        let id = whole("node_id", members)?;
        let type_number = whole("node_type", members)?;
        let weight = weight("node_weight", members)?;
        Ok((id, type_number, weight))
    };
    let (id, type_number, weight) = required(&mut members).map_err(Reason::Malformed)?;
    let edges = members
        .need("edge")
        .and_then(|raw| json::parse(raw).map_err(|_| format!("edge: expected a list of edges, got {}", excerpt(raw))));
    let edges = edges.map_err(Reason::Malformed)?;
    // A map that the documents describe and the reference reader leaves alone.
    members.take("neighbor");
    let life = life(&mut members, Interval::open(Time(0)))?;
    let features =
        features(members, life, "node_id, node_type, node_weight, edge, created_at, removed_at or a feature map")?;
    Ok(NodeLine { id, node: Described { type_number, weight, life, features }, edges })
}

/// Reads an edge of the node `source` that lives as long as `owner`.
pub(super) fn edge(raw: &str, source: u64, owner: Interval) -> Result<EdgeLine, Reason> {
    let mut members: Members<'_> = json::parse(raw).map_err(Reason::Malformed)?;
    let required = |members: &mut Members<'_>| {
        let from: u64 = whole("src_id", members)?;
        if from != source {
            return Err(format!("src_id is {from}, but the edge stands in the line of node {source}"));
        }
        let destination: u64 = whole("dst_id", members)?;
        let type_number = whole("edge_type", members)?;
        let weight = weight("weight", members)?;
        Ok((destination, type_number, weight))
    };
    let (destination, type_number, weight) = required(&mut members).map_err(Reason::Malformed)?;
    let life = life(&mut members, owner)?;
    let features =
        features(members, life, "src_id, dst_id, edge_type, weight, created_at, removed_at or a feature map")?;
    Ok(EdgeLine { destination, edge: Described { type_number, weight, life, features } })
}

fn whole<T: TryFrom<u64>>(name: &str, members: &mut Members<'_>) -> Result<T, String> {
    let raw = members.need(name)?;
    let number = raw.parse::<u64>().ok().and_then(|number| T::try_from(number).ok());
    number.ok_or_else(|| format!("{name}: expected a whole number from 0 on, got {}", excerpt(raw)))
}

fn weight(name: &str, members: &mut Members<'_>) -> Result<f32, String> {
    let raw = members.need(name)?;
    let number = json::parse::<f64>(raw).ok().map(|number| number as f32).filter(|number| number.is_finite());
    number.ok_or_else(|| format!("{name}: expected a number, got {}", excerpt(raw)))
}

/// Takes `created_at` and `removed_at`; what is missing comes from `default`.
fn life(members: &mut Members<'_>, default: Interval) -> Result<Interval, Reason> {
    let created = tick("created_at", members)?.map_or(default.created, Time);
    let removed = match tick("removed_at", members)? {
        None => default.removed,
        Some(-1) => Time::FOREVER,
        Some(ticks) => Time(ticks),
    };
    Interval::new(created, removed).ok_or(Reason::EmptyInterval { created, removed })
}

fn tick(name: &str, members: &mut Members<'_>) -> Result<Option<i64>, Reason> {
    let Some(raw) = members.take(name) else { return Ok(None) };
    let ticks = raw.parse::<i64>();
    ticks
        .map(Some)
        .map_err(|_| Reason::Malformed(format!("{name}: expected a whole number of ticks, got {}", excerpt(raw))))
}

/// What a feature map holds, by its key.
#[derive(Clone, Copy)]
enum Form {
    Dense(DType),
    Sparse(DType),
    Binary,
}

impl Form {
    fn of(key: &str) -> Option<Form> {
        let kind = key.strip_suffix("_feature")?;
        if kind == "binary" {
            return Some(Form::Binary);
        }
        match kind.strip_prefix("sparse_") {
            Some(kind) => dtype(kind).map(Form::Sparse),
            None => dtype(kind).map(Form::Dense),
        }
    }
}

fn dtype(name: &str) -> Option<DType> {
    Some(match name {
        "double" | "float64" => DType::F64,
        "float" | "float32" => DType::F32,
        "float16" => DType::F16,
        "int64" => DType::I64,
        "int32" => DType::I32,
        "int16" => DType::I16,
        "int8" => DType::I8,
        "uint64" => DType::U64,
        "uint32" => DType::U32,
        "uint16" => DType::U16,
        "uint8" => DType::U8,
        _ => return None,
    })
}

/// Reads all that is left of a line: the feature maps.
fn features(members: Members<'_>, owner: Interval, expected: &str) -> Result<Vec<Feature>, Reason> {
    let mut features: Vec<Feature> = Vec::new();
    for (key, raw) in members.0 {
        let form =
            Form::of(&key).ok_or_else(|| Reason::Malformed(format!("unknown field `{key}`, expected {expected}")))?;
        if raw.get() == "null" {
            continue;
        }
        let map: Members<'_> =
            json::parse(raw.get()).map_err(|problem| Reason::Malformed(format!("{key}: {problem}")))?;
        for (number, raw) in map.0 {
            let feature = feature(form, &number, raw.get(), owner).map_err(|reason| within(reason, &key, &number))?;
            if features.iter().any(|known| known.number == feature.number) {
                let text =
                    format!("{key} {number}: another feature has this number; numbers are one space for all kinds");
                return Err(Reason::Malformed(text));
            }
            features.push(feature);
        }
    }
    Ok(features)
}

fn within(reason: Reason, key: &str, number: &str) -> Reason {
    match reason {
        Reason::Malformed(problem) => Reason::Malformed(format!("{key} {number}: {problem}")),
        other => Reason::Malformed(format!("{key} {number}: {other}")),
    }
}

fn feature(form: Form, number: &str, raw: &str, owner: Interval) -> Result<Feature, Reason> {
    let number = number
        .parse()
        .map_err(|_| Reason::Malformed(format!("expected the number of a feature as key, got {}", excerpt(number))))?;
    let spans = match intervals(raw).map_err(Reason::Malformed)? {
        Some(items) => items.into_iter().map(|item| span(form, item, owner)).collect::<Result<Vec<_>, _>>()?,
        None => vec![Span { interval: owner, value: plain(form, raw).map_err(Reason::Malformed)? }],
    };
    let kind = one_kind(&spans).map_err(Reason::Malformed)?;
    Ok(Feature { number, kind, spans })
}

/// The items of a list of objects, if it is one.
fn intervals(raw: &str) -> Result<Option<Vec<Members<'_>>>, String> {
    let objects = raw.strip_prefix('[').is_some_and(|inner| inner.trim_start().starts_with('{'));
    if objects { json::parse(raw).map(Some) } else { Ok(None) }
}

fn span(form: Form, mut item: Members<'_>, owner: Interval) -> Result<Span, Reason> {
    let interval = life(&mut item, owner)?;
    let value = fields(form, item).map_err(Reason::Malformed)?;
    Ok(Span { interval, value })
}

fn fields(form: Form, mut item: Members<'_>) -> Result<Option<Value>, String> {
    let values = item.need("values")?;
    let coordinates = match form {
        Form::Sparse(_) => Some(item.need("coordinates")?),
        Form::Dense(_) | Form::Binary => None,
    };
    item.finish("values, coordinates (of sparse features), created_at and removed_at")?;
    value(form, values, coordinates)
}

fn plain(form: Form, raw: &str) -> Result<Option<Value>, String> {
    match form {
        Form::Sparse(_) => fields(form, json::parse(raw)?),
        Form::Dense(_) | Form::Binary => value(form, raw, None),
    }
}

/// The value, or `None` for an empty one: a gap.
fn value(form: Form, values: &str, coordinates: Option<&str>) -> Result<Option<Value>, String> {
    match form {
        Form::Binary => binary(values),
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
    let mut texts = json::parse::<Vec<String>>(raw).unwrap_or_default();
    match (texts.len(), texts.pop()) {
        (1, Some(text)) => Ok(one(text)),
        _ if raw.trim_matches(['[', ']', ' ']).is_empty() => Ok(None),
        _ => Err(format!("expected one text, got {}", excerpt(raw))),
    }
}

fn one_kind(spans: &[Span]) -> Result<Option<FeatureKind>, String> {
    let mut kinds = spans.iter().filter_map(|span| span.value.as_ref()).map(FeatureKind::of);
    let Some(first) = kinds.next() else { return Ok(None) };
    match kinds.find(|kind| *kind != first) {
        None => Ok(Some(first)),
        Some(other) => Err(format!("holds {first} and {other}: use a feature of its own for each")),
    }
}
