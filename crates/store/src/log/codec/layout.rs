//! The columns of a segment: ten of every record, one of lives, and one a feature.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};
use timeweft_graph::{FeatureId, FeatureKind, Name, Owner, OwnerName, Schema as Types};

use super::{CodecError, numbers};

/// Columns of every record, in order. `ended` names the features whose values the record ends.
pub(super) const RECORD_COLUMNS: [&str; 10] = [
    "time",
    "action",
    "entity",
    "source_type",
    "source_id",
    "relation",
    "destination_type",
    "destination_id",
    "key",
    "ended",
];

/// In segments of lives, after those: when what a row creates ends.
pub(super) const UNTIL: &str = "until";

/// Names of the actions; the position is the dictionary key.
pub(super) const ACTIONS: [&str; 3] = ["create", "update", "delete"];

/// Names of the kinds of elements; the position is the dictionary key.
pub(super) const ENTITIES: [&str; 3] = ["node", "edge", "merge"];

/// Metadata key of a feature column: which feature it holds.
const FEATURE: &str = "timeweft.feature";

/// A feature column: written into the metadata of its field, because a column's name may need a suffix to be unique.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Column {
    pub(super) owner: OwnerName,
    pub(super) feature: Name,
    #[serde(flatten)]
    pub(super) kind: FeatureKind,
    /// A category without a dictionary.
    #[serde(skip)]
    plain: bool,
}

impl Column {
    /// Whether a schema has no narrower kind for the feature.
    pub(super) fn fits(&self, types: &Types) -> bool {
        let known = self.owner.find(types).and_then(|owner| types.feature(owner, &self.feature));
        known.is_none_or(|(_, def)| self.kind.wider(def.kind) == Some(def.kind))
    }
}

/// The columns of one segment.
pub(super) struct Layout {
    pub(super) columns: Vec<Column>,
    /// The column of each feature, by owner and number.
    places: FxHashMap<Owner, Vec<Option<usize>>>,
    pub(super) schema: SchemaRef,
    /// Whether it has the column of ends.
    pub(super) lives: bool,
}

impl Layout {
    /// The columns of an earlier segment, and those of some features beside them. `outgrown` tells whether the categories of
    /// a column need names that its dictionary has not.
    pub(super) fn new(
        earlier: Option<&Layout>,
        features: &[(Owner, Vec<FeatureId>)],
        types: &Types,
        metadata: &HashMap<String, String>,
        outgrown: impl Fn(usize, Owner, FeatureId) -> bool,
        lives: bool,
    ) -> Result<Layout, CodecError> {
        let mut columns = earlier.map_or_else(Vec::new, |earlier| earlier.columns.clone());
        let mut places = earlier.map_or_else(FxHashMap::default, |earlier| earlier.places.clone());
        for (owner, features) in features {
            let known: &mut Vec<Option<usize>> = places.entry(*owner).or_default();
            for &feature in features {
                known.resize(known.len().max(feature.at() + 1), None);
                if let Some(column) = known[feature.at()] {
                    columns[column].plain |= outgrown(column, *owner, feature);
                    continue;
                }
                let Some(def) = types.features(*owner).get(feature.at()) else { continue };
                known[feature.at()] = Some(columns.len());
                let owner = OwnerName::of(types, *owner);
                columns.push(Column { owner, feature: def.name.clone(), kind: def.kind, plain: lives });
            }
        }
        let of_all: Vec<&str> = RECORD_COLUMNS.into_iter().chain(lives.then_some(UNTIL)).collect();
        let schema = Arc::new(Schema::new_with_metadata(fields(&columns, &of_all)?, metadata.clone()));
        Ok(Layout { columns, places, schema, lives })
    }

    /// The columns that have a dictionary of categories, with their features.
    pub(super) fn dictionaries(&self) -> impl Iterator<Item = (usize, Owner, FeatureId)> {
        let of_owner = |(owner, places): (&Owner, &Vec<Option<usize>>)| {
            let (owner, places) = (*owner, places.clone());
            (0..).map(FeatureId).zip(places).filter_map(move |(feature, at)| Some((at?, owner, feature)))
        };
        self.places.iter().flat_map(of_owner).filter(|(at, ..)| {
            let column = &self.columns[*at];
            column.kind == FeatureKind::Category && !column.plain
        })
    }

    /// The columns of the features of an owner, by number.
    pub(super) fn places(&self, owner: Owner) -> Option<&[Option<usize>]> {
        self.places.get(&owner).map(Vec::as_slice)
    }
}

/// The feature columns of a segment that is read, with their positions.
pub(super) fn feature_columns(schema: &Schema) -> Result<Vec<(usize, Column)>, CodecError> {
    let marked = schema.fields().iter().enumerate();
    let marked = marked.filter_map(|(position, field)| Some((position, field.metadata().get(FEATURE)?)));
    marked.map(|(position, text)| Ok((position, serde_json::from_str(text)?))).collect()
}

fn fields(columns: &[Column], of_all: &[&str]) -> Result<Fields, CodecError> {
    let mut fields: Vec<FieldRef> = of_all.iter().copied().map(record_field).collect();
    let mut taken = FxHashSet::default();
    for column in columns {
        let name = unique(&mut taken, column);
        let metadata = HashMap::from([(FEATURE.to_string(), serde_json::to_string(column)?)]);
        fields.push(Arc::new(Field::new(name, data_type(column), true).with_metadata(metadata)));
    }
    Ok(fields.into())
}

/// `type.feature`, `merge.feature`, or `source -relation-> destination.feature`; names with dots or arrows may meet, then a number follows.
fn unique(taken: &mut FxHashSet<String>, column: &Column) -> String {
    let name = format!("{}.{}", column.owner.full(), column.feature);
    let mut candidates = std::iter::once(name.clone()).chain((2..).map(|n| format!("{name}#{n}")));
    let free = candidates.find(|candidate| !taken.contains(candidate)).unwrap_or(name);
    taken.insert(free.clone());
    free
}

fn record_field(name: &str) -> FieldRef {
    let nullable = matches!(name, "relation" | "destination_type" | "destination_id" | "key" | "ended" | UNTIL);
    let data_type = match name {
        "time" | UNTIL => DataType::Int64,
        "action" | "entity" | "source_type" | "relation" | "destination_type" => dictionary(),
        "ended" => DataType::List(item(DataType::Utf8)),
        _ => DataType::Utf8,
    };
    Arc::new(Field::new(name, data_type, nullable))
}

pub(super) fn dictionary() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

pub(super) fn item(data_type: DataType) -> FieldRef {
    Arc::new(Field::new("item", data_type, true))
}

/// Fields of a sparse value.
pub(super) fn sparse_fields(dtype: timeweft_graph::DType) -> Fields {
    let list = |name, data_type| Field::new(name, DataType::List(item(data_type)), false);
    vec![list("coordinates", DataType::Int64), list("values", numbers::data_type(dtype))].into()
}

pub(super) fn data_type(column: &Column) -> DataType {
    match column.kind {
        FeatureKind::Dense { dtype, scalar: true } => numbers::data_type(dtype),
        FeatureKind::Dense { dtype, scalar: false } => DataType::List(item(numbers::data_type(dtype))),
        FeatureKind::Sparse { dtype, .. } => DataType::Struct(sparse_fields(dtype)),
        FeatureKind::Text | FeatureKind::Json => DataType::Utf8,
        FeatureKind::Bytes => DataType::Binary,
        FeatureKind::Category if column.plain => DataType::Utf8,
        FeatureKind::Category => dictionary(),
    }
}
