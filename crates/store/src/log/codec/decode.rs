//! Record batches into chunks of records.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, Int32Array, Int64Array, ListArray, RecordBatch, StringArray};
use rustc_hash::FxHashMap;
use timeweft_graph::rows::Rows;
use timeweft_graph::{
    Action, DType, Dense, EdgeTypeId, ElementRef, FeatureDef, FeatureId, FeatureKind, IdRef, Interval, ListOrder, Name,
    NodeTypeId, Owner, Schema, Sparse, Time, Value, ValueRef,
};

use super::layout::{ACTIONS, Column, ENTITIES, UNTIL, feature_columns};
use super::{CodecError, numbers};

/// The records of a batch, in order, with the numbers that their types and features have in a schema. What was written
/// before its feature became wider is given as what it is there.
pub(crate) fn decode(batch: &RecordBatch, schema: &Schema) -> Result<Vec<Rows>, CodecError> {
    let columns = Columns::of(batch)?;
    let plans = Plans::of(batch, &columns, schema)?;
    let (mut chunks, mut rows) = (Vec::new(), Rows::default());
    let mut owner = None;
    for row in 0..batch.num_rows() {
        let plan = plans.plan(row).ok_or(CodecError::Row { row, problem: "no known type" })?;
        let action = columns.action(row).ok_or(CodecError::Row { row, problem: "no known action" })?;
        // What changes in a life stays with it, and lives of edges are apart from those of nodes.
        let (splits, may_split) = match columns.until {
            Some(_) => (owner != Some(plan.owner.kind()), action == Action::Create),
            None => (false, true),
        };
        owner = Some(plan.owner.kind());
        if may_split && (splits || rows.is_full()) && !rows.is_empty() {
            chunks.push(std::mem::take(&mut rows));
        }
        columns.add_features(row, plan, schema, &mut rows)?;
        let element = columns.element(row, plan).map_err(|problem| CodecError::Row { row, problem })?;
        let life = columns.life(row).ok_or(CodecError::Row { row, problem: "a life that ends before it begins" })?;
        rows.push(action, element, Some(life), 0);
    }
    chunks.extend((!rows.is_empty()).then_some(rows));
    Ok(chunks)
}

/// Whether every value of a batch is of the kind that a schema has for its feature, or of a narrower one.
pub(crate) fn fits(batch: &RecordBatch, schema: &Schema) -> Result<bool, CodecError> {
    Ok(feature_columns(&batch.schema())?.iter().all(|(_, column)| column.fits(schema)))
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

/// The columns that every record has.
struct Columns<'a> {
    times: &'a [i64],
    until: Option<&'a Int64Array>,
    actions: Names<'a>,
    entities: Names<'a>,
    source_types: Names<'a>,
    source_ids: &'a StringArray,
    relations: Names<'a>,
    destination_types: Names<'a>,
    destination_ids: &'a StringArray,
    keys: &'a StringArray,
    ended: &'a ListArray,
}

impl<'a> Columns<'a> {
    fn of(batch: &'a RecordBatch) -> Result<Columns<'a>, CodecError> {
        let column = |name: &str| batch.column_by_name(name).ok_or_else(|| CodecError::Column(name.into()));
        let wrong = |name: &str| CodecError::Column(name.into());
        let text = |name: &str| column(name)?.as_string_opt::<i32>().ok_or_else(|| wrong(name));
        let names = |name: &str| Names::of(column(name)?).ok_or_else(|| wrong(name));
        let integers = |column: &'a ArrayRef, name| column.as_primitive_opt::<Int64Type>().ok_or_else(|| wrong(name));
        let until = batch.column_by_name(UNTIL).map(|until| integers(until, UNTIL));
        Ok(Columns {
            times: integers(column("time")?, "time")?.values(),
            until: until.transpose()?,
            actions: names("action")?,
            entities: names("entity")?,
            source_types: names("source_type")?,
            source_ids: text("source_id")?,
            relations: names("relation")?,
            destination_types: names("destination_type")?,
            destination_ids: text("destination_id")?,
            keys: text("key")?,
            ended: column("ended")?.as_list_opt::<i32>().ok_or_else(|| wrong("ended"))?,
        })
    }

    fn action(&self, row: usize) -> Option<Action> {
        let name = self.actions.at(row)?;
        let actions = [Action::Create, Action::Update, Action::Delete];
        ACTIONS.into_iter().zip(actions).find(|(known, _)| *known == &**name).map(|(_, action)| action)
    }

    fn life(&self, row: usize) -> Option<Interval> {
        let removed = self.until.filter(|until| until.is_valid(row)).map(|until| Time(until.value(row)));
        let created = Time(self.times[row]);
        removed.map_or(Some(Interval::open(created)), |removed| Interval::new(created, removed))
    }

    fn element(&self, row: usize, plan: &Plan<'_>) -> Result<ElementRef<'a>, &'static str> {
        let id = |ids: &'a StringArray| ids.is_valid(row).then(|| IdRef::of(ids.value(row)));
        let source = id(self.source_ids).ok_or("no source")?;
        let destination = || id(self.destination_ids).ok_or("no destination");
        Ok(match plan.owner {
            Owner::Node(node_type) => ElementRef::Node(node_type, source),
            Owner::Edge(edge_type) => {
                let key = self.keys.is_valid(row).then(|| self.keys.value(row));
                ElementRef::Edge(edge_type, [source, destination()?], key)
            }
            Owner::Merge => ElementRef::Merge([(plan.types[0], source), (plan.types[1], destination()?)]),
        })
    }

    /// The features of a record, sorted by number. The end of a feature that the schema has not says nothing.
    fn add_features(&self, row: usize, plan: &Plan<'_>, schema: &Schema, rows: &mut Rows) -> Result<(), CodecError> {
        let values = plan.features.iter().filter(|feature| feature.array.is_valid(row));
        let wrong = |feature: &Feature<'_>| CodecError::Column(feature.def.name.to_string());
        if self.ended.is_null(row) {
            for feature in values {
                let added = feature.with(row, |value| rows.feature(feature.id, value));
                added.ok_or_else(|| wrong(feature))?;
            }
            return Ok(());
        }
        let mut sets: Vec<(FeatureId, Vec<u8>)> = Vec::new();
        for feature in values {
            let mut bytes = Vec::new();
            feature.with(row, |value| value.encode(&mut bytes)).ok_or_else(|| wrong(feature))?;
            sets.push((feature.id, bytes));
        }
        let names = self.ended.value(row);
        let names = names.as_string_opt::<i32>().into_iter().flatten().flatten();
        let ended = names.filter_map(|name| schema.feature(plan.owner, name));
        sets.extend(ended.map(|(feature, _)| (feature, Vec::new())));
        sets.sort_by_key(|(feature, _)| *feature);
        sets.iter().for_each(|(feature, bytes)| rows.encoded_feature(*feature, bytes));
        Ok(())
    }
}

/// A dictionary column whose names are shared by all rows.
struct Names<'a> {
    names: Vec<Name>,
    keys: &'a Int32Array,
}

impl<'a> Names<'a> {
    fn of(column: &'a ArrayRef) -> Option<Names<'a>> {
        let dictionary = column.as_dictionary_opt::<Int32Type>()?;
        let names = dictionary.values().as_string_opt::<i32>()?.iter();
        Some(Names { names: names.map(|name| Name::from(name.unwrap_or_default())).collect(), keys: dictionary.keys() })
    }

    /// The number of the name at a row.
    fn key(&self, row: usize) -> Option<i32> {
        self.keys.is_valid(row).then(|| self.keys.value(row))
    }

    fn at(&self, row: usize) -> Option<&Name> {
        self.names.get(usize::try_from(self.key(row)?).ok()?)
    }
}

/// How the records of a type are read.
struct Plan<'a> {
    owner: Owner,
    /// Of merges: the types of both nodes.
    types: [NodeTypeId; 2],
    /// Its features, sorted by number.
    features: Vec<Feature<'a>>,
}

/// A column of a type.
struct Feature<'a> {
    id: FeatureId,
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
struct Plans<'a> {
    plans: Vec<Plan<'a>>,
    /// The plan of each row; none of rows whose type is unknown.
    by_row: Vec<Option<u32>>,
}

impl<'a> Plans<'a> {
    fn of(batch: &'a RecordBatch, columns: &Columns<'a>, schema: &'a Schema) -> Result<Plans<'a>, CodecError> {
        let features = feature_columns(&batch.schema())?.into_iter();
        let features: Vec<_> =
            features.filter_map(|(at, column)| Some((column.owner.find(schema)?, at, column))).collect();
        let mut plans = Plans { plans: Vec::new(), by_row: Vec::with_capacity(batch.num_rows()) };
        let mut known: FxHashMap<[Option<i32>; 4], Option<u32>> = FxHashMap::default();
        let mut last = ([None; 4], None);
        for row in 0..batch.num_rows() {
            let names = [&columns.entities, &columns.source_types, &columns.relations, &columns.destination_types];
            let names = names.map(|names| names.key(row));
            if last.0 != names {
                let plan = match known.get(&names) {
                    Some(plan) => *plan,
                    None => {
                        let plan = match owner(columns, schema, row) {
                            None => None,
                            Some((owner, types)) => {
                                plans.plans.push(Plan {
                                    owner,
                                    types,
                                    features: own(owner, &features, batch, schema)?,
                                });
                                Some(plans.plans.len() as u32 - 1)
                            }
                        };
                        known.insert(names, plan);
                        plan
                    }
                };
                last = (names, plan);
            }
            plans.by_row.push(last.1);
        }
        Ok(plans)
    }

    fn plan(&self, row: usize) -> Option<&Plan<'a>> {
        self.plans.get((*self.by_row.get(row)?)? as usize)
    }
}

/// The type of a record, if the schema has it, and the types of both nodes of a merge.
fn owner(columns: &Columns<'_>, schema: &Schema, row: usize) -> Option<(Owner, [NodeTypeId; 2])> {
    let node_type = |types: &Names<'_>| -> Option<NodeTypeId> { schema.node_type(types.at(row)?) };
    let (entity, source) = (columns.entities.at(row)?, node_type(&columns.source_types)?);
    if **entity == *ENTITIES[0] {
        return Some((Owner::Node(source), [source; 2]));
    }
    let types = [source, node_type(&columns.destination_types)?];
    if **entity == *ENTITIES[1] {
        let edge_type: EdgeTypeId = schema.edge_type(types[0], columns.relations.at(row)?, types[1])?;
        return Some((Owner::Edge(edge_type), types));
    }
    (**entity == *ENTITIES[2]).then_some((Owner::Merge, types))
}

/// The columns of an owner.
fn own<'a>(
    owner: Owner,
    columns: &[(Owner, usize, Column)],
    batch: &'a RecordBatch,
    schema: &'a Schema,
) -> Result<Vec<Feature<'a>>, CodecError> {
    let own = columns.iter().filter(|(of, ..)| *of == owner);
    let read = own.map(|(_, position, column)| {
        let feature = || {
            let (id, def) = schema.feature(owner, &column.feature)?;
            let array = batch.column(*position);
            // What was written before the feature became wider is read as what it is now.
            let cells = match column.kind {
                kind if kind == def.kind => cells(def, array)?,
                kind => (kind.wider(def.kind) == Some(def.kind)).then_some(Cells::Narrow(kind))?,
            };
            Some(Feature { id, def, array, cells })
        };
        feature().ok_or_else(|| CodecError::Column(batch.schema().field(*position).name().clone()))
    });
    let mut features = read.collect::<Result<Vec<_>, _>>()?;
    features.sort_by_key(|feature| feature.id);
    Ok(features)
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
    /// Hands over the value at a row that is valid; `None` if the column is of another type.
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

fn value(kind: FeatureKind, array: &ArrayRef, row: usize) -> Option<Value> {
    Some(match kind {
        FeatureKind::Dense { dtype, scalar: true } => {
            Value::Dense(Dense { numbers: numbers::read_one(dtype, array, row)?, scalar: true })
        }
        FeatureKind::Dense { dtype, scalar: false } => {
            let values = array.as_list_opt::<i32>()?.value(row);
            Value::Dense(Dense { numbers: numbers::read(dtype, &values)?, scalar: false })
        }
        FeatureKind::Sparse { dtype, rank } => {
            let point = array.as_struct_opt()?;
            let coordinates = point.column_by_name("coordinates")?.as_list_opt::<i32>()?.value(row);
            let values = point.column_by_name("values")?.as_list_opt::<i32>()?.value(row);
            Value::Sparse(Sparse {
                rank,
                coordinates: coordinates.as_primitive_opt::<Int64Type>()?.values().to_vec(),
                values: numbers::read(dtype, &values)?,
            })
        }
        FeatureKind::Text => Value::Text(array.as_string_opt::<i32>()?.value(row).into()),
        FeatureKind::Json => Value::Json(serde_json::from_str(array.as_string_opt::<i32>()?.value(row)).ok()?),
        FeatureKind::Bytes => Value::Bytes(array.as_binary_opt::<i32>()?.value(row).to_vec()),
        FeatureKind::Category => match array.as_dictionary_opt::<Int32Type>() {
            Some(named) => {
                let key = usize::try_from(named.keys().value(row)).ok()?;
                let names = named.values().as_string_opt::<i32>()?;
                Value::Category((key < names.len()).then(|| names.value(key))?.into())
            }
            None => Value::Category(array.as_string_opt::<i32>()?.value(row).into()),
        },
    })
}
