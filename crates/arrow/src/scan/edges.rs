//! Edges of a moment.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray, UInt32Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use timeweft::read::features::Owners;
use timeweft::read::{EdgeColumns, EdgeType, EdgeTypeId, NodeTypeId, Owner};
use timeweft::sample::AsOf;
use timeweft::{At, View};

use super::{batch, begun, ended, features_field, ids, is_over, json_features, life_fields};
use crate::edges::{NAMES, Relation, edge_types};
use crate::features::{FeatureColumns, Selected};
use crate::{Error, Result};

/// The edges of a moment, of one relation or of all.
///
/// | column | type |
/// |---|---|
/// | `edge`, `source`, `destination` | `UInt32`: dense numbers of the life of the edge and of the nodes at its ends |
/// | `source_type`, `source_id`, `relation`, `destination_type`, `destination_id` | `Utf8` |
/// | `key` | `Utf8`: what tells parallel edges apart; mostly null |
/// | `created`, `removed` | `Timestamp(unit, "UTC")`, or `Int64` in a graph that counts steps; an open end is null |
/// | `deleted` | `Boolean`, with soft deletes alone: whether the life is over |
/// | features | of one relation: a column each, as [`Selected::All`] says; of all: `features`, `Utf8` with a JSON object |
#[derive(Clone, Debug)]
pub struct EdgeTable {
    view: View,
    at: At,
    types: Vec<EdgeTypeId>,
    schema: SchemaRef,
    fixed: usize,
    features: Option<FeatureColumns>,
}

impl EdgeTable {
    /// The table of a moment.
    ///
    /// # Errors
    /// [`Error::Unknown`] if the graph has no such relation.
    pub fn new(view: &View, at: At, relation: Relation<'_>) -> Result<EdgeTable> {
        let types = edge_types(view, relation)?;
        let text = |name: &str| Field::new(name, DataType::Utf8, false);
        let number = |name: &str| Field::new(name, DataType::UInt32, false);
        let mut fields = vec![number("edge"), number("source"), number("destination")];
        fields.extend(["source_type", "source_id", "relation", "destination_type", "destination_id"].map(text));
        fields.push(Field::new("key", DataType::Utf8, true));
        fields.extend(life_fields(view.unit(), at.deletes));
        let fixed = fields.len();
        let owners: Vec<Owner> = types.iter().map(|of| Owner::Edge(*of)).collect();
        let features = (relation != Relation::Any)
            .then(|| FeatureColumns::of(view.schema(), &owners, &Selected::All))
            .transpose()?;
        match &features {
            Some(features) => fields.extend(features.fields(&NAMES)),
            None => fields.push(features_field()),
        }
        let schema = Arc::new(Schema::new(fields));
        Ok(EdgeTable { view: view.clone(), at, types, schema, fixed, features })
    }

    /// All columns.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The edge types that are meant.
    pub fn types(&self) -> &[EdgeTypeId] {
        &self.types
    }

    /// Some of the columns, by their places in the schema, of edges that the moment shows.
    ///
    /// # Errors
    /// If a column is too large.
    pub fn batch(&self, found: &EdgeColumns, columns: &[usize]) -> Result<RecordBatch> {
        let mut values = self.values(found, columns)?.into_iter();
        let arrays = columns.iter().map(|column| match column.checked_sub(self.fixed) {
            Some(_) => Ok(values.next()),
            None => self.fixed(found, *column).map(Some),
        });
        let arrays = arrays.filter_map(Result::transpose).collect::<Result<_>>()?;
        batch(&self.schema, columns, arrays, found.edges.len())
    }

    fn fixed(&self, found: &EdgeColumns, column: usize) -> Result<ArrayRef> {
        let (index, schema, unit) = (self.view.index(), self.view.schema(), self.view.unit());
        let numbers = |numbers: &mut dyn Iterator<Item = u32>| Arc::new(UInt32Array::from_iter_values(numbers));
        let types = schema.edge_types();
        let name = |end: NodeTypeId| &*schema.node_types()[end.at()].name;
        let texts = |of: &dyn Fn(&EdgeType) -> String| {
            // A name is made once for each type, not once for each row.
            let names: Vec<String> = types.iter().map(of).collect();
            Arc::new(StringArray::from_iter_values(found.types.iter().map(|of_type| &names[of_type.at()])))
        };
        Ok(match column {
            0 => numbers(&mut found.edges.iter().map(|edge| edge.0)),
            1 => numbers(&mut found.sources.iter().map(|node| node.0)),
            2 => numbers(&mut found.destinations.iter().map(|node| node.0)),
            3 => texts(&|edge| name(edge.source).to_owned()),
            4 => ids(index, &found.sources)?,
            5 => texts(&|edge| edge.relation.to_string()),
            6 => texts(&|edge| name(edge.destination).to_owned()),
            7 => ids(index, &found.destinations)?,
            8 => {
                let key = |edge| index.parallel_key(edge).map(|key| &**key);
                Arc::new(found.edges.iter().map(|edge| key(*edge)).collect::<StringArray>())
            }
            9 => begun(unit, &found.created),
            10 => ended(unit, &found.removed),
            _ => is_over(self.at, &found.removed),
        })
    }

    /// The features among the columns.
    fn values(&self, found: &EdgeColumns, columns: &[usize]) -> Result<Vec<ArrayRef>> {
        let wanted: Vec<usize> = columns.iter().filter_map(|column| column.checked_sub(self.fixed)).collect();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let index = self.view.index();
        let Some(features) = &self.features else {
            let held = found.edges.iter().map(|edge| index.edge_state(*edge, self.at.time).features);
            return Ok(vec![json_features(held); wanted.len()]);
        };
        let times = vec![self.at.time; found.edges.len()];
        let owners = Owners::edges(&found.edges, &times, AsOf::At).map_err(timeweft::Error::from);
        features.arrays(index, owners.map_err(Error::from)?.deletes(self.at.deletes), &wanted)
    }
}
