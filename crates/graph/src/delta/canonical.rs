//! The one form in which a version's features are compared.

use std::collections::BTreeMap;

use crate::{EdgeKey, Features, Name, NodeKey, Owner, Schema, Value};

/// Canonical features under the schema of the graph and, for what it does not know, the schema of the version.
#[derive(Clone, Copy, Debug)]
pub struct Canonical<'a> {
    schemas: [&'a Schema; 2],
}

impl<'a> Canonical<'a> {
    /// Asks `graph` first, then `version`.
    pub fn new(graph: &'a Schema, version: &'a Schema) -> Canonical<'a> {
        Canonical { schemas: [graph, version] }
    }

    /// Features of a node.
    pub fn node(&self, key: &NodeKey, features: &[(Name, Value)]) -> BTreeMap<Name, Value> {
        self.features(features, |schema| schema.node_type(&key.node_type).map(Owner::Node))
    }

    /// Features of an edge.
    pub fn edge(&self, key: &EdgeKey, features: &[(Name, Value)]) -> BTreeMap<Name, Value> {
        self.features(features, |schema| {
            let (source, destination) = (&key.source.node_type, &key.destination.node_type);
            schema.edge_type_named(source, &key.relation, destination).map(Owner::Edge)
        })
    }

    /// Features of a merge. A feature that the row ends is one that it does not have.
    pub fn merge(&self, features: &Features) -> BTreeMap<Name, Value> {
        let given = features.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?)));
        self.features(&given.collect::<Vec<_>>(), |_| Some(Owner::Merge))
    }

    fn features(&self, features: &[(Name, Value)], owner: impl Fn(&Schema) -> Option<Owner>) -> BTreeMap<Name, Value> {
        let kind =
            |name: &str| self.schemas.iter().find_map(|schema| Some(schema.feature(owner(schema)?, name)?.1.kind));
        let order = |name: &str| {
            self.schemas
                .iter()
                .find_map(|schema| Some(schema.feature(owner(schema)?, name)?.1.order))
                .unwrap_or_default()
        };
        let given = features.iter().filter(|(_, value)| *value != Value::Json(serde_json::Value::Null));
        given
            .map(|(name, value)| match value {
                Value::Json(serde_json::Value::Array(_)) => (name.clone(), order(name).canonical(value.clone())),
                other => {
                    (name.clone(), kind(name).and_then(|kind| other.widened(kind)).unwrap_or_else(|| other.clone()))
                }
            })
            .collect()
    }
}
