//! Types of nodes, edges and features.

mod owner_name;
mod reserved;
mod types;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::{FeatureKind, Name, TimeUnit};

pub use owner_name::OwnerName;
pub(crate) use reserved::SEPARATOR;
pub use reserved::{NAMESPACES, RESERVED, is_reserved};
pub use types::{EdgeType, EdgeTypeId, FeatureDef, FeatureId, NodeType, NodeTypeId, Owner};

/// All types of a graph. An open schema learns types from the data; a closed one refuses unknown types.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "SchemaFile", into = "SchemaFile")]
pub struct Schema {
    file: SchemaFile,
    node_types: FxHashMap<Name, NodeTypeId>,
    edge_types: FxHashMap<(NodeTypeId, Name, NodeTypeId), EdgeTypeId>,
    /// Features by name, of owners that have more than [`SCANNED`] of them.
    features: FxHashMap<Owner, FxHashMap<Name, FeatureId>>,
}

/// Up to this many features, looking at each is as fast as hashing; most types have fewer.
const SCANNED: usize = 16;

/// The schema as it is written; the maps are derived from it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
struct SchemaFile {
    unit: TimeUnit,
    closed: bool,
    node_types: Vec<NodeType>,
    edge_types: Vec<EdgeType>,
    #[serde(default)]
    merge_features: Vec<FeatureDef>,
}

impl From<Schema> for SchemaFile {
    fn from(schema: Schema) -> Self {
        schema.file
    }
}

impl From<SchemaFile> for Schema {
    fn from(file: SchemaFile) -> Self {
        let node_types = (0..).zip(&file.node_types).map(|(id, node)| (node.name.clone(), NodeTypeId(id))).collect();
        let edge_types = (0..)
            .zip(&file.edge_types)
            .map(|(id, edge)| ((edge.source, edge.relation.clone(), edge.destination), EdgeTypeId(id)))
            .collect();
        let mut schema = Schema { file, node_types, edge_types, features: FxHashMap::default() };
        schema.owners().into_iter().for_each(|owner| schema.index_features(owner));
        schema
    }
}

impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        self.file == other.file
    }
}

impl Schema {
    /// An empty, open schema.
    pub fn new(unit: TimeUnit) -> Schema {
        SchemaFile { unit, ..SchemaFile::default() }.into()
    }

    /// The unit of all times.
    pub fn unit(&self) -> TimeUnit {
        self.file.unit
    }

    /// Whether unknown types are refused.
    pub fn is_closed(&self) -> bool {
        self.file.closed
    }

    /// Refuses unknown types from now on.
    pub fn close(&mut self) {
        self.file.closed = true;
    }

    /// All node types; the position is the [`NodeTypeId`].
    pub fn node_types(&self) -> &[NodeType] {
        &self.file.node_types
    }

    /// All edge types; the position is the [`EdgeTypeId`].
    pub fn edge_types(&self) -> &[EdgeType] {
        &self.file.edge_types
    }

    /// The node type of this name.
    pub fn node_type(&self, name: &str) -> Option<NodeTypeId> {
        self.node_types.get(name).copied()
    }

    /// The edge type of this triple.
    pub fn edge_type(&self, source: NodeTypeId, relation: &Name, destination: NodeTypeId) -> Option<EdgeTypeId> {
        self.edge_types.get(&(source, relation.clone(), destination)).copied()
    }

    /// The edge type of these names.
    #[inline]
    pub fn edge_type_named(&self, source: &str, relation: &Name, destination: &str) -> Option<EdgeTypeId> {
        self.edge_type(self.node_type(source)?, relation, self.node_type(destination)?)
    }

    /// The node type of this name, added if it is new. `None` once 65,536 types exist.
    pub fn add_node_type(&mut self, name: &Name) -> Option<NodeTypeId> {
        if let Some(known) = self.node_type(name) {
            return Some(known);
        }
        let id = NodeTypeId(u16::try_from(self.file.node_types.len()).ok()?);
        self.file.node_types.push(NodeType { name: name.clone(), features: Vec::new() });
        self.node_types.insert(name.clone(), id);
        Some(id)
    }

    /// The edge type of this triple, added if it is new. `None` once 65,536 types exist.
    pub fn add_edge_type(
        &mut self,
        source: NodeTypeId,
        relation: &Name,
        destination: NodeTypeId,
    ) -> Option<EdgeTypeId> {
        if let Some(known) = self.edge_type(source, relation, destination) {
            return Some(known);
        }
        let id = EdgeTypeId(u16::try_from(self.file.edge_types.len()).ok()?);
        self.file.edge_types.push(EdgeType { source, relation: relation.clone(), destination, features: Vec::new() });
        self.edge_types.insert((source, relation.clone(), destination), id);
        Some(id)
    }

    /// All owners of features.
    pub fn owners(&self) -> Vec<Owner> {
        let nodes = (0..self.file.node_types.len()).map(|id| Owner::Node(NodeTypeId(id as u16)));
        let edges = (0..self.file.edge_types.len()).map(|id| Owner::Edge(EdgeTypeId(id as u16)));
        nodes.chain(edges).chain([Owner::Merge]).collect()
    }

    /// Features of an owner; the position is the [`FeatureId`].
    pub fn features(&self, owner: Owner) -> &[FeatureDef] {
        match owner {
            Owner::Node(id) => self.file.node_types.get(id.at()).map_or(&[], |node| &node.features),
            Owner::Edge(id) => self.file.edge_types.get(id.at()).map_or(&[], |edge| &edge.features),
            Owner::Merge => &self.file.merge_features,
        }
    }

    fn features_mut(&mut self, owner: Owner) -> Option<&mut Vec<FeatureDef>> {
        Some(match owner {
            Owner::Node(id) => &mut self.file.node_types.get_mut(id.at())?.features,
            Owner::Edge(id) => &mut self.file.edge_types.get_mut(id.at())?.features,
            Owner::Merge => &mut self.file.merge_features,
        })
    }

    /// The feature of this name.
    pub fn feature(&self, owner: Owner, name: &str) -> Option<(FeatureId, &FeatureDef)> {
        let features = self.features(owner);
        let at = match features.len() {
            ..=SCANNED => features.iter().position(|def| &*def.name == name)?,
            _ => self.features.get(&owner)?.get(name)?.at(),
        };
        Some((FeatureId(u16::try_from(at).ok()?), features.get(at)?))
    }

    /// Finds the features of an owner by name from now on, if there are many.
    fn index_features(&mut self, owner: Owner) {
        let features = self.features(owner);
        if features.len() <= SCANNED {
            return;
        }
        let named = |(at, def): (usize, &FeatureDef)| Some((def.name.clone(), FeatureId(u16::try_from(at).ok()?)));
        // Of features with one name the first counts, as where they are looked at one by one.
        let known = features.iter().enumerate().rev().filter_map(named).collect();
        self.features.insert(owner, known);
    }

    /// Declares a feature; a feature that is there already keeps its kind. `None` for an unknown owner or too many features.
    pub fn add_feature(&mut self, owner: Owner, def: FeatureDef) -> Option<FeatureId> {
        if let Some((known, _)) = self.feature(owner, &def.name) {
            return Some(known);
        }
        let features = self.features_mut(owner)?;
        let id = FeatureId(u16::try_from(features.len()).ok()?);
        let name = def.name.clone();
        features.push(def);
        match self.features.get_mut(&owner) {
            Some(known) => _ = known.insert(name, id),
            None => self.index_features(owner),
        }
        Some(id)
    }

    /// Gives a feature a kind that holds all that its own holds ([`FeatureKind::wider`]), and so to what other namespaces say
    /// of it, which takes its place once they speak. A source does so before its first record; values that are known are
    /// checked and follow.
    pub fn set_kind(&mut self, owner: Owner, feature: FeatureId, kind: FeatureKind) {
        let Some(features) = self.features_mut(owner) else { return };
        let Some((name, known)) = features.get(feature.at()).map(|def| (def.name.clone(), def.kind)) else { return };
        if known == kind {
            return;
        }
        let is_said = |by: &Name| by.rsplit_once(SEPARATOR).is_some_and(|(_, said)| *said == *name);
        for def in features.iter_mut().filter(|def| def.kind == known && (def.name == name || is_said(&def.name))) {
            def.kind = kind;
        }
    }

    /// The types and features that are wanted, under numbers of their own, in the same order. Wanted edge types bring their ends.
    pub fn only(&self, wanted: impl Fn(Owner, Option<FeatureId>) -> bool) -> Schema {
        let defs = |owner: Owner| -> Vec<FeatureDef> {
            let all = (0..).map(FeatureId).zip(self.features(owner));
            all.filter(|(id, _)| wanted(owner, Some(*id))).map(|(_, def)| def.clone()).collect()
        };
        let edges = (0..).map(EdgeTypeId).zip(&self.file.edge_types);
        let edges: Vec<_> = edges.filter(|(id, _)| wanted(Owner::Edge(*id), None)).collect();
        let is_end = |id: NodeTypeId| edges.iter().any(|(_, edge)| edge.source == id || edge.destination == id);
        let (mut own, mut node_types) = (FxHashMap::default(), Vec::new());
        for (id, node) in (0..).map(NodeTypeId).zip(&self.file.node_types) {
            let owner = Owner::Node(id);
            if wanted(owner, None) || is_end(id) {
                own.insert(id, NodeTypeId(node_types.len() as u16));
                node_types.push(NodeType { name: node.name.clone(), features: defs(owner) });
            }
        }
        let edge_type = |(id, edge): &(EdgeTypeId, &EdgeType)| EdgeType {
            source: own[&edge.source],
            relation: edge.relation.clone(),
            destination: own[&edge.destination],
            features: defs(Owner::Edge(*id)),
        };
        let edge_types = edges.iter().map(edge_type).collect();
        let (unit, closed, merge_features) = (self.file.unit, self.file.closed, defs(Owner::Merge));
        SchemaFile { unit, closed, node_types, edge_types, merge_features }.into()
    }

    /// The owner's name for messages: `user`, or `user -buys-> item`.
    pub fn owner_name(&self, owner: Owner) -> String {
        OwnerName::of(self, owner).full()
    }

    /// Name of a node type; empty for an id of another schema.
    pub fn node_type_name(&self, id: NodeTypeId) -> Name {
        self.file.node_types.get(id.at()).map_or_else(|| "".into(), |node| node.name.clone())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::ListOrder;

    #[test]
    fn many_features_are_found_as_few_are() {
        let mut schema = Schema::new(TimeUnit::Step);
        let node = Owner::Node(schema.add_node_type(&"n".into()).unwrap());
        let def =
            |at: usize| FeatureDef { name: format!("f{at}").into(), kind: FeatureKind::Text, order: ListOrder::List };
        for at in 0..40 {
            for owner in [node, Owner::Merge] {
                assert_eq!(schema.feature(owner, &format!("f{at}")), None);
                assert_eq!(schema.add_feature(owner, def(at)), Some(FeatureId(at as u16)));
                assert_eq!(schema.add_feature(owner, def(at)), Some(FeatureId(at as u16)), "a second time");
            }
        }
        let read: Schema = serde_json::from_str(&serde_json::to_string(&schema).unwrap()).unwrap();
        for schema in [&schema, &read] {
            for at in 0..40 {
                let found = schema.feature(node, &format!("f{at}"));
                assert_eq!(found, Some((FeatureId(at as u16), &def(at))));
            }
        }
    }
}
