//! The questions, a batch of rows at a time.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, Int64Array, StringArray, new_null_array};
use datafusion::arrow::compute::nullif;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ColumnarValue;
use timeweft::export::table_writer::time_array;
use timeweft::read::{EdgeTypeId, GraphView, Recency};
use timeweft::sample::{AsOf, EdgeTypes, Links, Roots, Scope, Side};
use timeweft::{NodeKey, View};
use timeweft_arrow::{Relation, edge_types};

use super::inputs::Inputs;
use super::{Function, Question};
use crate::{Error, Result};
use datafusion::logical_expr::ScalarUDFImpl;

/// Stands where there is no edge type.
const NO_TYPE: EdgeTypeId = EdgeTypeId(u16::MAX);

pub(super) fn answer(function: &Function, values: &[ColumnarValue], rows: usize) -> Result<ArrayRef> {
    let inputs = Inputs { function: function.name(), values, rows };
    let view = &function.view;
    let answer: ArrayRef = match function.question {
        Question::Feature => feature(function, &inputs)?,
        Question::Degree => degree(function, &inputs)?,
        Question::Alive => {
            let (nodes, times) = (inputs.nodes(view, 0, ["type", "id"])?, inputs.times(2, view.unit())?);
            let alive = view.index().node_types_of(roots(&nodes, &times)?, AsOf::At);
            Arc::new(alive.iter().map(|of_type| Some(of_type.is_some())).collect::<BooleanArray>())
        }
        Question::Resolve | Question::ResolveType => resolve(function, &inputs)?,
        Question::LastLinked => last_linked(view, &inputs)?,
    };
    // Where an argument is null, the answer is.
    let known = inputs.known(0..values.len())?;
    if known.iter().all(|known| *known) {
        return Ok(answer);
    }
    let unknown: BooleanArray = known.iter().map(|known| Some(!known)).collect();
    nullif(&answer, &unknown).map_err(|error| Error::Failed { message: error.to_string() })
}

fn roots<'a>(nodes: &'a [timeweft::read::NodeIndex], times: &'a [timeweft::Time]) -> Result<Roots<'a>> {
    Ok(Roots::new(nodes, times).map_err(timeweft::Error::from)?)
}

fn feature(function: &Function, inputs: &Inputs<'_>) -> Result<ArrayRef> {
    let constants: Vec<Option<&ScalarValue>> = inputs
        .values
        .iter()
        .map(|value| match value {
            ColumnarValue::Scalar(value) => Some(value),
            ColumnarValue::Array(_) => None,
        })
        .collect();
    let feature = function.feature(&constants)?;
    let (nodes, times) = (inputs.nodes(&function.view, 0, ["type", "id"])?, inputs.times(3, function.view.unit())?);
    let array = feature.array(&nodes, &times)?;
    let of_type = feature.field().map_or(arrow_schema::DataType::Null, |field| field.data_type().clone());
    Ok(array.unwrap_or_else(|| new_null_array(&of_type, inputs.rows)))
}

fn degree(function: &Function, inputs: &Inputs<'_>) -> Result<ArrayRef> {
    let view = &function.view;
    let side = match inputs.word(2, "side")?.map(|side| side.to_ascii_lowercase()).as_deref() {
        Some("out") => Side::Out,
        Some("in") => Side::In,
        Some("both") | None => Side::Both,
        Some(other) => {
            return Err(Error::argument("degree_at", "side", format!("`{other}` is none of 'out', 'in', 'both'")));
        }
    };
    let relation = if inputs.values.len() > 4 { inputs.word(4, "relation")? } else { None };
    let types = match &relation {
        None => EdgeTypes::All,
        Some(relation) => EdgeTypes::Only(edge_types(view, Relation::Named(relation))?),
    };
    let (nodes, times) = (inputs.nodes(view, 0, ["type", "id"])?, inputs.times(3, view.unit())?);
    let mut counts = vec![0u32; inputs.rows];
    let scope = Scope::new(types, side, AsOf::At).deletes(function.at.deletes);
    let degrees = view.index().degrees(&scope, roots(&nodes, &times)?, &mut counts);
    degrees.map_err(timeweft::Error::from)?;
    Ok(Arc::new(Int64Array::from_iter_values(counts.into_iter().map(i64::from))))
}

/// What each node has become; itself, where it became nothing.
fn resolve(function: &Function, inputs: &Inputs<'_>) -> Result<ArrayRef> {
    let (types, ids) = (inputs.texts(0, "type")?, inputs.texts(1, "id")?);
    let times = inputs.times(2, function.view.unit())?;
    let resolved = types.iter().zip(&ids).zip(times).map(|((of_type, id), time)| {
        let node = function.view.index().resolve(&NodeKey::new(of_type?, id?), time);
        Some(match function.question {
            Question::ResolveType => node.node_type.to_string(),
            _ => node.id.to_string(),
        })
    });
    Ok(Arc::new(resolved.collect::<StringArray>()))
}

/// When each pair was linked last.
fn last_linked(view: &View, inputs: &Inputs<'_>) -> Result<ArrayRef> {
    let sources = inputs.nodes(view, 0, ["source_type", "source_id"])?;
    let destinations = inputs.nodes(view, 3, ["destination_type", "destination_id"])?;
    let times = inputs.times(5, view.unit())?;
    let (from, relations, into) =
        (inputs.texts(0, "source_type")?, inputs.texts(2, "relation")?, inputs.texts(3, "destination_type")?);
    let of_type = |row: usize| {
        let is_known = from.is_valid(row) && relations.is_valid(row) && into.is_valid(row);
        is_known.then(|| view.schema().edge_type_named(from.value(row), &relations.value(row).into(), into.value(row)))
    };
    let types: Vec<EdgeTypeId> = (0..inputs.rows).map(|row| of_type(row).flatten().unwrap_or(NO_TYPE)).collect();
    let mut found = vec![Recency::default(); inputs.rows];
    let links = Links::new(&sources, &types, &destinations, &times).map_err(timeweft::Error::from)?;
    view.index().pair_recencies(links, AsOf::At, &mut found).map_err(timeweft::Error::from)?;
    Ok(time_array(view.unit(), found.iter().map(|recency| recency.last.map(|time| time.0))))
}
