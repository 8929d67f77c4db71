//! Nodes of a moment.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray, UInt32Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use timeweft::read::features::Owners;
use timeweft::read::{GraphView, NodeColumns, NodeIndex, NodeTypeId, Owner};
use timeweft::sample::{AsOf, Roots};
use timeweft::{At, View};

use super::{batch, begun, ended, features_field, ids, is_over, json_features, life_fields};
use crate::features::{FeatureColumns, Selected};
use crate::nodes::{NAMES, known_type};
use crate::{Error, Result};

/// The nodes of a moment, of one type or of all.
///
/// | column | type |
/// |---|---|
/// | `node` | `UInt32`: its dense number |
/// | `type`, `id` | `Utf8` |
/// | `created`, `removed` | `Timestamp(unit, "UTC")`, or `Int64` in a graph that counts steps; an open end is null |
/// | `deleted` | `Boolean`, with soft deletes alone: whether the life is over |
/// | features | of one type: a column each, as [`Selected::All`] says; of all: `features`, `Utf8` with a JSON object |
///
/// ```
/// use timeweft::read::NodeColumns;
/// use timeweft::{At, Graph, TimeUnit};
/// use timeweft_arrow::scan::NodeTable;
/// # let dir = tempfile::tempdir()?;
/// # let events = dir.path().join("mail.csv");
/// # std::fs::write(&events, "src,dst,time\n1,2,5\n1,3,8\n")?;
/// # let mut graph = Graph::create(dir.path().join("mail"), TimeUnit::Step)?;
/// # graph.load(&events).run()?;
/// let (view, at) = (graph.view(), At::now());
/// let table = NodeTable::new(&view, at, Some("node"))?;
/// let mut found = NodeColumns::default();
/// view.index().node_columns_in(0..u32::MAX, at, |_, life| life.created.0 > 5, 8192, &mut found);
/// let batch = table.batch(&found, &[2])?;
/// assert_eq!((batch.num_rows(), batch.schema().field(0).name().as_str()), (1, "id"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct NodeTable {
    view: View,
    at: At,
    schema: SchemaRef,
    fixed: usize,
    features: Option<FeatureColumns>,
}

impl NodeTable {
    /// The table of a moment.
    ///
    /// # Errors
    /// [`Error::Unknown`] if the graph has no such type.
    pub fn new(view: &View, at: At, node_type: Option<&str>) -> Result<NodeTable> {
        let owner: Option<NodeTypeId> = node_type.map(|name| known_type(view, "type", name)).transpose()?;
        let text = |name: &str| Field::new(name, DataType::Utf8, false);
        let mut fields = vec![Field::new("node", DataType::UInt32, false), text("type"), text("id")];
        fields.extend(life_fields(view.unit(), at.deletes));
        let fixed = fields.len();
        let features = owner.map(|of| FeatureColumns::of(view.schema(), &[Owner::Node(of)], &Selected::All));
        let features = features.transpose()?;
        match &features {
            Some(features) => fields.extend(features.fields(&NAMES)),
            None => fields.push(features_field()),
        }
        Ok(NodeTable { view: view.clone(), at, schema: Arc::new(Schema::new(fields)), fixed, features })
    }

    /// All columns.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Some of the columns, by their places in the schema, of nodes that the moment shows.
    ///
    /// # Errors
    /// If a column is too large.
    pub fn batch(&self, found: &NodeColumns, columns: &[usize]) -> Result<RecordBatch> {
        let mut values = self.values(found, columns)?.into_iter();
        let arrays = columns.iter().map(|column| match column.checked_sub(self.fixed) {
            Some(_) => Ok(values.next()),
            None => self.fixed(found, *column).map(Some),
        });
        let arrays = arrays.filter_map(Result::transpose).collect::<Result<_>>()?;
        batch(&self.schema, columns, arrays, found.nodes.len())
    }

    fn fixed(&self, found: &NodeColumns, column: usize) -> Result<ArrayRef> {
        let (index, schema, unit) = (self.view.index(), self.view.schema(), self.view.unit());
        let name = |of_type: &NodeTypeId| &*schema.node_types()[of_type.at()].name;
        Ok(match column {
            0 => Arc::new(UInt32Array::from_iter_values(found.nodes.iter().map(|node| node.0))),
            1 => Arc::new(StringArray::from_iter_values(found.types.iter().map(name))),
            2 => ids(index, &found.nodes)?,
            3 => begun(unit, &found.created),
            4 => ended(unit, &found.removed),
            _ => is_over(self.at, &found.removed),
        })
    }

    /// The features among the columns.
    fn values(&self, found: &NodeColumns, columns: &[usize]) -> Result<Vec<ArrayRef>> {
        let wanted: Vec<usize> = columns.iter().filter_map(|column| column.checked_sub(self.fixed)).collect();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let index = self.view.index();
        let Some(features) = &self.features else {
            let state = |node: &NodeIndex| index.node(&index.node_key(*node), self.at);
            let held = found.nodes.iter().map(|node| state(node).map(|node| node.features).unwrap_or_default());
            return Ok(vec![json_features(held); wanted.len()]);
        };
        let times = vec![self.at.time; found.nodes.len()];
        let roots = Roots::new(&found.nodes, &times).map_err(timeweft::Error::from).map_err(Error::from)?;
        features.arrays(index, Owners::nodes(roots, AsOf::At).deletes(self.at.deletes), &wanted)
    }
}
