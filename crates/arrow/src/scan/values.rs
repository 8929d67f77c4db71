//! One feature of many nodes, each as of its own time.

use arrow_array::ArrayRef;
use arrow_schema::Field;
use timeweft::read::features::Owners;
use timeweft::read::{NodeIndex, NodeTypeId, Owner};
use timeweft::sample::{AsOf, Roots};
use timeweft::{Deletes, Time, View};

use crate::Result;
use crate::features::{FeatureColumns, Selected};
use crate::nodes::known_type;

/// A feature of the nodes of one type, or of any. Its column has the type of the feature; JSON where types that are meant hold it
/// in several kinds.
#[derive(Clone, Debug)]
pub struct FeatureValues {
    view: View,
    columns: FeatureColumns,
    deletes: Deletes,
}

impl FeatureValues {
    /// The feature of a name.
    ///
    /// # Errors
    /// [`Error::Unknown`](crate::Error::Unknown) if the graph has no such type, or nothing that is meant has such a feature.
    pub fn new(view: &View, node_type: Option<&str>, name: &str, deletes: Deletes) -> Result<FeatureValues> {
        let owners: Vec<Owner> = match node_type {
            Some(node_type) => vec![Owner::Node(known_type(view, "type", node_type)?)],
            None => (0..view.schema().node_types().len() as u16).map(|of| Owner::Node(NodeTypeId(of))).collect(),
        };
        let columns = FeatureColumns::of(view.schema(), &owners, &Selected::Named(vec![name.to_owned()]))?;
        Ok(FeatureValues { view: view.clone(), columns, deletes })
    }

    /// The column.
    pub fn field(&self) -> Option<Field> {
        self.columns.fields(&[]).pop()
    }

    /// The value of each node as of its time; null where there is none, as for
    /// [`NO_NODE`](timeweft::sample::NO_NODE).
    ///
    /// # Errors
    /// If the column is too large, or there are other numbers of nodes and times.
    pub fn array(&self, nodes: &[NodeIndex], times: &[Time]) -> Result<Option<ArrayRef>> {
        let roots = Roots::new(nodes, times).map_err(timeweft::Error::from)?;
        let owners = Owners::nodes(roots, AsOf::At).deletes(self.deletes);
        Ok(self.columns.arrays(self.view.index(), owners, &[0])?.pop())
    }
}
