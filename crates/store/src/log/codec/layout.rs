//! The columns of a segment: ten of every event, and one a feature.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};
use timeweft_graph::{Element, Event, FeatureKind, Name};

use super::encode::category;
use super::{CodecError, numbers};

/// Columns of every event, in order. `ended` names the features whose values the event ends.
pub(super) const EVENT_COLUMNS: [&str; 10] = [
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

/// The type that owns a feature.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Owner {
    Node(Name),
    Edge(Name, Name, Name),
    Merge,
}

impl Owner {
    /// The owner of a number; none if the schema has it not.
    pub(super) fn named(owner: timeweft_graph::Owner, schema: &timeweft_graph::Schema) -> Option<Owner> {
        Some(match owner {
            timeweft_graph::Owner::Node(id) => Owner::Node(schema.node_types().get(id.at())?.name.clone()),
            timeweft_graph::Owner::Edge(id) => {
                let edge_type = schema.edge_types().get(id.at())?;
                let [source, destination] =
                    [edge_type.source, edge_type.destination].map(|end| schema.node_type_name(end));
                Owner::Edge(source, edge_type.relation.clone(), destination)
            }
            timeweft_graph::Owner::Merge => Owner::Merge,
        })
    }

    /// The number of the owner; none if the schema has it not.
    fn number(&self, schema: &timeweft_graph::Schema) -> Option<timeweft_graph::Owner> {
        Some(match self {
            Owner::Node(name) => timeweft_graph::Owner::Node(schema.node_type(name)?),
            Owner::Edge(source, relation, destination) => {
                let (source, destination) = (schema.node_type(source)?, schema.node_type(destination)?);
                timeweft_graph::Owner::Edge(schema.edge_type(source, relation, destination)?)
            }
            Owner::Merge => timeweft_graph::Owner::Merge,
        })
    }

    /// The type of an event's element.
    pub(super) fn of(element: &Element) -> Owner {
        match element {
            Element::Node(node) => Owner::Node(node.node_type.clone()),
            Element::Edge(edge) => {
                let ends = (edge.source.node_type.clone(), edge.destination.node_type.clone());
                Owner::Edge(ends.0, edge.relation.clone(), ends.1)
            }
            Element::Merge { .. } => Owner::Merge,
        }
    }
}

/// A feature column: written into the metadata of its field, because a column's name may need a suffix to be unique.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Column {
    pub(super) owner: Owner,
    pub(super) feature: Name,
    #[serde(flatten)]
    pub(super) kind: FeatureKind,
    /// A category without a dictionary.
    #[serde(skip)]
    plain: bool,
}

impl Column {
    /// The kind that a schema has for the feature: its own, or a wider one.
    pub(super) fn kind_in(&self, schema: &timeweft_graph::Schema) -> FeatureKind {
        self.known(schema).filter(|known| self.kind.wider(*known) == Some(*known)).unwrap_or(self.kind)
    }

    /// Whether a schema has no narrower kind for the feature.
    pub(super) fn fits(&self, schema: &timeweft_graph::Schema) -> bool {
        self.known(schema).is_none_or(|known| self.kind.wider(known) == Some(known))
    }

    fn known(&self, schema: &timeweft_graph::Schema) -> Option<FeatureKind> {
        Some(schema.feature(self.owner.number(schema)?, &self.feature)?.1.kind)
    }
}

/// The columns of one segment.
pub(super) struct Layout {
    pub(super) columns: Vec<Column>,
    places: FxHashMap<Owner, FxHashMap<Name, usize>>,
    pub(super) schema: SchemaRef,
}

impl Layout {
    /// The columns of an earlier segment, and those that these events need beside them.
    pub(super) fn new(
        earlier: Option<&Layout>,
        events: &[Event],
        metadata: &HashMap<String, String>,
        outgrown: impl Fn(usize) -> bool,
    ) -> Result<Layout, CodecError> {
        let mut columns = earlier.map_or_else(Vec::new, |earlier| earlier.columns.clone());
        columns.iter_mut().enumerate().for_each(|(position, column)| column.plain |= outgrown(position));
        let mut places = earlier.map_or_else(FxHashMap::default, |earlier| earlier.places.clone());
        for event in events.iter().filter(|event| !event.features.is_empty()) {
            let owner = Owner::of(&event.element);
            let known: &mut FxHashMap<Name, usize> = places.entry(owner.clone()).or_default();
            for (feature, value) in &event.features {
                let Some(value) = value else { continue };
                known.entry(feature.clone()).or_insert_with(|| {
                    let (owner, feature, kind) = (owner.clone(), feature.clone(), FeatureKind::of(value));
                    columns.push(Column { owner, feature, kind, plain: false });
                    columns.len() - 1
                });
            }
        }
        let schema = Arc::new(Schema::new_with_metadata(fields(&columns, &EVENT_COLUMNS)?, metadata.clone()));
        Ok(Layout { columns, places, schema })
    }

    /// The same of a segment of lives: all features of some owners.
    pub(super) fn of_lives(
        earlier: Option<&Layout>,
        owners: &[timeweft_graph::Owner],
        types: &timeweft_graph::Schema,
        metadata: &HashMap<String, String>,
    ) -> Result<Layout, CodecError> {
        let mut columns = earlier.map_or_else(Vec::new, |earlier| earlier.columns.clone());
        let mut places = earlier.map_or_else(FxHashMap::default, |earlier| earlier.places.clone());
        for &owner in owners {
            let Some(name) = Owner::named(owner, types) else { continue };
            let known: &mut FxHashMap<Name, usize> = places.entry(name.clone()).or_default();
            for def in types.features(owner) {
                known.entry(def.name.clone()).or_insert_with(|| {
                    let (owner, feature) = (name.clone(), def.name.clone());
                    // The categories of later lives are not known yet.
                    columns.push(Column { owner, feature, kind: def.kind, plain: true });
                    columns.len() - 1
                });
            }
        }
        let all: Vec<&str> = EVENT_COLUMNS.into_iter().chain([UNTIL]).collect();
        let schema = Arc::new(Schema::new_with_metadata(fields(&columns, &all)?, metadata.clone()));
        Ok(Layout { columns, places, schema })
    }

    /// Positions of the columns that have a dictionary of categories.
    pub(super) fn dictionaries(&self) -> impl Iterator<Item = usize> {
        let columns = self.columns.iter().enumerate();
        columns
            .filter(|(_, column)| column.kind == FeatureKind::Category && !column.plain)
            .map(|(position, _)| position)
    }

    /// The categories that events put into each column that has a dictionary of them.
    pub(super) fn categories<'a>(&self, events: &'a [Event]) -> FxHashMap<usize, Vec<&'a Name>> {
        let mut categories: FxHashMap<usize, Vec<&Name>> = self.dictionaries().map(|at| (at, Vec::new())).collect();
        let events = if categories.is_empty() { &[] } else { events };
        for event in events.iter().filter(|event| !event.features.is_empty()) {
            let Some(places) = self.places(&Owner::of(&event.element)) else { continue };
            let named = event.features.iter().filter_map(|(name, value)| Some((name, category(value.as_ref()?)?)));
            for (name, category) in named {
                if let Some(known) = places.get(name).and_then(|at| categories.get_mut(at)) {
                    known.push(category);
                }
            }
        }
        categories
    }

    /// The feature columns of an owner.
    pub(super) fn places(&self, owner: &Owner) -> Option<&FxHashMap<Name, usize>> {
        self.places.get(owner)
    }
}

/// The feature columns of a segment that is read, with their positions.
pub(super) fn feature_columns(schema: &Schema) -> Result<Vec<(usize, Column)>, CodecError> {
    let marked = schema.fields().iter().enumerate();
    let marked = marked.filter_map(|(position, field)| Some((position, field.metadata().get(FEATURE)?)));
    marked.map(|(position, text)| Ok((position, serde_json::from_str(text)?))).collect()
}

fn fields(columns: &[Column], of_all: &[&str]) -> Result<Fields, CodecError> {
    let mut fields: Vec<FieldRef> = of_all.iter().copied().map(event_field).collect();
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
    let owner = match &column.owner {
        Owner::Node(node) => node.to_string(),
        Owner::Merge => "merge".into(),
        Owner::Edge(source, relation, destination) => format!("{source} -{relation}-> {destination}"),
    };
    let name = format!("{owner}.{}", column.feature);
    let mut candidates = std::iter::once(name.clone()).chain((2..).map(|n| format!("{name}#{n}")));
    let free = candidates.find(|candidate| !taken.contains(candidate)).unwrap_or(name);
    taken.insert(free.clone());
    free
}

fn event_field(name: &str) -> FieldRef {
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
