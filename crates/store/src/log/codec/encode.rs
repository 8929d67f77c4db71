//! Records into record batches.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, Int32Array, Int64Array, ListArray, RecordBatch, StringArray};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, SchemaRef};
use rustc_hash::{FxHashMap, FxHashSet};
use timeweft_graph::rows::RowRef;
use timeweft_graph::{Action, ElementRef, FeatureId, FeatureKind, NodeTypeId, Owner, Schema, ValueBytes};

use super::CodecError;
use super::dictionary::Dictionary;
use super::layout::{ACTIONS, ENTITIES, Layout, item};
use super::values::{Cells, category_column, ids, value_column};

/// Encodes records for one segment.
pub(crate) struct Encoder {
    layout: Layout,
    actions: Dictionary,
    entities: Dictionary,
    node_types: Dictionary,
    relations: Dictionary,
    /// By column. A category that had to grow is plain text from then on.
    categories: FxHashMap<usize, Dictionary>,
}

/// What records need columns and names for.
struct Needs<'a> {
    /// The types of the records with their features, both in the order in which they come.
    owners: Vec<(Owner, Vec<FeatureId>)>,
    /// The categories that a feature has.
    categories: FxHashMap<(Owner, FeatureId), FxHashSet<&'a str>>,
    /// The types of nodes that are merged.
    merged: FxHashSet<NodeTypeId>,
}

impl<'a> Needs<'a> {
    fn of(rows: &[RowRef<'a>], schema: &Schema) -> Needs<'a> {
        let mut needs = Needs { owners: Vec::new(), categories: FxHashMap::default(), merged: FxHashSet::default() };
        let mut places: FxHashMap<Owner, usize> = FxHashMap::default();
        let mut known = FxHashSet::default();
        for row in rows {
            let owner = row.owner();
            if let ElementRef::Merge(ends) = row.element() {
                needs.merged.extend(ends.map(|end| end.0));
            }
            let at = *places.entry(owner).or_insert_with(|| {
                needs.owners.push((owner, Vec::new()));
                needs.owners.len() - 1
            });
            for (feature, bytes) in row.features().filter(|(_, bytes)| !bytes.is_empty()) {
                if known.insert((owner, feature)) {
                    needs.owners[at].1.push(feature);
                }
                let def = schema.features(owner).get(feature.at());
                if def.is_some_and(|def| def.kind == FeatureKind::Category) {
                    needs.categories.entry((owner, feature)).or_default().extend(ValueBytes(bytes).text());
                }
            }
        }
        needs
    }

    /// The names of the node types, and of the relations.
    fn names<'s>(&self, schema: &'s Schema) -> [Vec<&'s str>; 2] {
        let name = |id: NodeTypeId| schema.node_types().get(id.at()).map(|node_type| &*node_type.name);
        let (mut node_types, mut relations) = (Vec::new(), Vec::new());
        for (owner, _) in &self.owners {
            match owner {
                Owner::Node(id) => node_types.extend(name(*id)),
                Owner::Edge(id) => {
                    let Some(edge_type) = schema.edge_types().get(id.at()) else { continue };
                    node_types.extend([edge_type.source, edge_type.destination].into_iter().filter_map(name));
                    relations.push(&*edge_type.relation);
                }
                Owner::Merge => node_types.extend(self.merged.iter().copied().filter_map(name)),
            }
        }
        [node_types, relations]
    }
}

impl Encoder {
    /// An encoder with the columns and names that the first records need, and those of the segment before. Segments of
    /// lives have columns for all features of a type: that a later chunk has others is likely, and it has no dictionaries
    /// of categories.
    pub(crate) fn new(
        earlier: Option<&Encoder>,
        first: &[RowRef<'_>],
        schema: &Schema,
        metadata: &HashMap<String, String>,
        lives: bool,
    ) -> Result<Encoder, CodecError> {
        let mut needs = Needs::of(first, schema);
        if lives {
            let all = |owner: Owner| (0..schema.features(owner).len() as u16).map(FeatureId).collect();
            needs.owners.iter_mut().for_each(|(owner, features)| *features = all(*owner));
        }
        let outgrown = |column: usize, owner, feature| {
            let dictionary = earlier.and_then(|earlier| earlier.categories.get(&column));
            let names = needs.categories.get(&(owner, feature));
            dictionary.zip(names).is_some_and(|(dictionary, names)| !dictionary.has_all(names))
        };
        let before = earlier.map(|earlier| &earlier.layout);
        let layout = Layout::new(before, &needs.owners, schema, metadata, outgrown, lives)?;
        let mut categories: FxHashMap<usize, Dictionary> = FxHashMap::default();
        for (column, owner, feature) in layout.dictionaries() {
            let known = earlier.and_then(|earlier| earlier.categories.get(&column));
            let names = needs.categories.get(&(owner, feature)).into_iter().flatten().copied();
            categories.insert(column, Dictionary::of(known, names));
        }
        let [node_types, relations] = needs.names(schema);
        Ok(Encoder {
            actions: Dictionary::of(None, ACTIONS.into_iter()),
            entities: Dictionary::of(None, ENTITIES.into_iter()),
            node_types: Dictionary::of(earlier.map(|earlier| &earlier.node_types), node_types.into_iter()),
            relations: Dictionary::of(earlier.map(|earlier| &earlier.relations), relations.into_iter()),
            categories,
            layout,
        })
    }

    /// The columns.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.layout.schema
    }

    /// The records as a batch; `None` if this segment has not all columns and names.
    pub(crate) fn encode(&self, rows: &[RowRef<'_>], schema: &Schema) -> Result<Option<RecordBatch>, CodecError> {
        let Some((mut columns, cells)) = self.element_columns(rows, schema).zip(self.cells(rows)) else {
            return Ok(None);
        };
        for (position, cells) in cells.iter().enumerate() {
            match self.categories.get(&position) {
                Some(dictionary) => match category_column(dictionary, cells, rows.len()) {
                    Some(column) => columns.push(column),
                    None => return Ok(None),
                },
                None => columns.push(value_column(&self.layout.columns[position], cells, rows.len())?),
            }
        }
        Ok(Some(RecordBatch::try_new(self.layout.schema.clone(), columns)?))
    }

    /// The columns that every segment has.
    fn element_columns(&self, rows: &[RowRef<'_>], schema: &Schema) -> Option<Vec<ArrayRef>> {
        let n = rows.len();
        let are_nodes = rows.iter().all(|row| matches!(row.owner(), Owner::Node(_)));
        let nothing = || -> ArrayRef { Arc::new(StringArray::new_null(n)) };
        let [source_types, relations, destination_types] = self.types(rows, schema)?;
        let (destinations, keys) = match are_nodes {
            true => (nothing(), nothing()),
            false => {
                let ends = rows.iter().map(|row| match row.owner() {
                    Owner::Node(_) => None,
                    Owner::Edge(_) | Owner::Merge => Some(row.destination()),
                });
                let keys = rows.iter().map(|row| row.key()).collect::<StringArray>();
                (ids(ends)?, Arc::new(keys) as ArrayRef)
            }
        };
        let mut columns = vec![
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.life().created.0))) as ArrayRef,
            self.actions.numbered(rows.iter().map(|row| row.action() as i32))?,
            self.entities.numbered(rows.iter().map(|row| row.owner().kind() as i32))?,
            self.node_types.keyed(source_types)?,
            ids(rows.iter().map(|row| Some(row.id())))?,
            self.relations.keyed(relations)?,
            self.node_types.keyed(destination_types)?,
            destinations,
            keys,
            ended(rows, schema)?,
        ];
        if self.layout.lives {
            let until = |row: &RowRef<'_>| {
                let life = row.life();
                (row.action() == Action::Create && !life.is_open()).then_some(life.removed.0)
            };
            columns.push(Arc::new(rows.iter().map(until).collect::<Int64Array>()));
        }
        Some(columns)
    }

    /// Source types, relations and destination types by their numbers in the dictionaries; `None` if a name is missing.
    fn types(&self, rows: &[RowRef<'_>], schema: &Schema) -> Option<[Int32Array; 3]> {
        let node_type = |id: NodeTypeId| self.node_types.number(&schema.node_types().get(id.at())?.name);
        let types_of = |row: &RowRef<'_>| -> Option<[Option<i32>; 3]> {
            Some(match row.element() {
                ElementRef::Node(id, _) => [Some(node_type(id)?), None, None],
                ElementRef::Edge(id, ..) => {
                    let edge_type = schema.edge_types().get(id.at())?;
                    let (from, to) = (node_type(edge_type.source)?, node_type(edge_type.destination)?);
                    [Some(from), Some(self.relations.number(&edge_type.relation)?), Some(to)]
                }
                ElementRef::Merge([from, into]) => [Some(node_type(from.0)?), None, Some(node_type(into.0)?)],
            })
        };
        let mut known: FxHashMap<Owner, [Option<i32>; 3]> = FxHashMap::default();
        let mut last = None;
        let mut types = Vec::with_capacity(rows.len());
        for row in rows {
            let owner = row.owner();
            let own = match last {
                Some((known, types)) if known == owner && owner != Owner::Merge => types,
                _ => match known.get(&owner).copied() {
                    Some(types) => types,
                    None => {
                        let types = types_of(row)?;
                        // Merges have one owner, whatever the types of their nodes are.
                        if owner != Owner::Merge {
                            known.insert(owner, types);
                        }
                        types
                    }
                },
            };
            last = Some((owner, own));
            types.push(own);
        }
        let of = |part: usize| types.iter().map(|types| types[part]).collect::<Int32Array>();
        Some([of(0), of(1), of(2)])
    }

    /// The values by column; `None` if a feature has no column here.
    fn cells<'a>(&self, rows: &[RowRef<'a>]) -> Option<Vec<Cells<'a>>> {
        let mut cells = vec![Vec::new(); self.layout.columns.len()];
        let mut last: Option<(Owner, &[Option<usize>])> = None;
        for (at, row) in rows.iter().enumerate() {
            let mut features = row.features().filter(|(_, bytes)| !bytes.is_empty()).peekable();
            if features.peek().is_none() {
                continue;
            }
            let places = match last {
                Some((owner, places)) if owner == row.owner() => places,
                _ => last.insert((row.owner(), self.layout.places(row.owner())?)).1,
            };
            for (feature, bytes) in features {
                let place = places.get(feature.at()).copied().flatten()?;
                cells[place].push((at, bytes));
            }
        }
        Some(cells)
    }
}

/// The names of the features whose values each record ends.
fn ended(rows: &[RowRef<'_>], schema: &Schema) -> Option<ArrayRef> {
    if !rows.iter().any(|row| row.ends_values()) {
        let offsets = OffsetBuffer::from_lengths(std::iter::repeat_n(0, rows.len()));
        let values = Arc::new(StringArray::new_null(0));
        let valid = NullBuffer::new_null(rows.len());
        return Some(Arc::new(ListArray::try_new(item(DataType::Utf8), offsets, values, Some(valid)).ok()?));
    }
    let mut builder = ListBuilder::new(StringBuilder::new());
    for row in rows {
        for (feature, _) in row.features().filter(|(_, bytes)| bytes.is_empty()) {
            builder.values().append_value(&schema.features(row.owner()).get(feature.at())?.name);
        }
        builder.append(row.ends_values());
    }
    Some(Arc::new(builder.finish()))
}
