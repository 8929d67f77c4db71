//! Which namespaces hold an element, and what each says of it: [`timeweft_graph::delta::Shares`] for lives.

use timeweft_graph::delta::{Living, NAMESPACES, held_by};
use timeweft_graph::{
    Action, At, EdgeIndex, EdgeKey, Event, FeatureDef, Name, NodeIndex, NodeKey, Owner, Reason, Time, Value,
};

use crate::elements::life::{LifeRecord, shown};
use crate::feature_store::FeatureRow;
use crate::{Index, NONE};

impl Index {
    /// Whether several namespaces may hold one element: only if some type has the feature `_namespaces`.
    pub fn is_shared(&self) -> bool {
        let has = |features: &[FeatureDef]| features.iter().any(|def| *def.name == *NAMESPACES);
        let (nodes, edges) = (self.schema.node_types(), self.schema.edge_types());
        nodes.iter().any(|of| has(&of.features)) || edges.iter().any(|of| has(&of.features))
    }

    /// The namespaces that hold a node as a view shows it, the owning one first; none if it is not shown.
    pub fn namespaces_of(&self, key: &NodeKey, at: At) -> Vec<Name> {
        let latest = self.node_index(key).map_or(NONE, |node| self.nodes.life(node));
        let Some(number) = shown(&self.nodes.lives, latest, at) else { return Vec::new() };
        let life = &self.nodes.lives[number as usize];
        self.holders(
            Owner::Node(life.node_type),
            life.feature_row(),
            self.nodes.owners[number as usize],
            life.as_of(at.time),
        )
    }

    /// The namespaces that hold an edge as a view shows it, the owning one first; none if it is not shown.
    pub fn namespaces_of_edge(&self, key: &EdgeKey, at: At) -> Vec<Name> {
        let Some(life) = self.edge_index_at(key, at).map(|edge| self.edges.get(edge)) else { return Vec::new() };
        self.holders(Owner::Edge(life.edge_type), life.feature_row(), life.namespace, life.as_of(at.time))
    }

    pub(crate) fn holders_of_node(&self, node: NodeIndex) -> Vec<Name> {
        let Some(life) = self.nodes.latest_life(node) else { return Vec::new() };
        self.holders(Owner::Node(life.node_type), life.feature_row(), self.nodes.owner(node), Time::FOREVER)
    }

    pub(crate) fn holders_of_edge(&self, edge: EdgeIndex) -> Vec<Name> {
        let life = self.edges.get(edge);
        self.holders(Owner::Edge(life.edge_type), life.feature_row(), life.namespace, Time::FOREVER)
    }

    fn holders(&self, owner: Owner, feature_row: FeatureRow, creator: u32, time: Time) -> Vec<Name> {
        held_by(self.named_holders(owner, feature_row, time).as_ref(), &self.namespace(creator))
    }

    /// The namespaces that stand in the features of a life at a time.
    fn named_holders(&self, owner: Owner, feature_row: FeatureRow, time: Time) -> Option<Value> {
        let (wanted, _) = self.schema.feature(owner, NAMESPACES)?;
        self.feature_store.value(self.feature_store.value_at(feature_row, wanted, time))
    }

    /// A node with an open life.
    pub(crate) fn living_node(&self, node: NodeIndex) -> Living {
        let feature_row = self.nodes.latest_life(node).map_or(FeatureRow::none(Time::MIN), LifeRecord::feature_row);
        self.living_element(Owner::Node(self.nodes.node_type(node)), feature_row, self.nodes.owner(node))
    }

    /// An edge with an open life.
    pub(crate) fn living_edge_life(&self, edge: EdgeIndex) -> Living {
        let life = self.edges.get(edge);
        self.living_element(Owner::Edge(life.edge_type), life.feature_row(), life.namespace)
    }

    fn living_element(&self, owner: Owner, feature_row: FeatureRow, creator: u32) -> Living {
        let features = self.named_values((owner, feature_row), Time::FOREVER).collect();
        Living { features, creator: self.namespace(creator) }
    }

    /// Whether a namespace may do this to an element with an open life. It may end what it holds alone, and change what it
    /// says: under plain names where it speaks, and who holds the element.
    pub(crate) fn check_holder(
        &self,
        (owner, feature_row): (Owner, FeatureRow),
        creator: u32,
        (event, namespace): (&Event, &Name),
        element: impl Fn() -> String,
    ) -> Result<(), Reason> {
        let creator = self.namespaces.get(creator).unwrap_or(namespace);
        let named = self.named_holders(owner, feature_row, Time::FOREVER);
        if named.is_none() && creator == namespace {
            return Ok(());
        }
        let held_by = held_by(named.as_ref(), creator);
        let speaks = held_by[0] == *namespace;
        let allowed = match event.action {
            Action::Delete => speaks && held_by.len() == 1,
            _ => speaks || event.features.iter().any(|(name, _)| **name == *NAMESPACES) || says_own(event, namespace),
        };
        let other = held_by.iter().find(|name| *name != namespace).unwrap_or(&held_by[0]);
        if allowed { Ok(()) } else { Err(Reason::ForeignNamespace { element: element(), owner: other.clone() }) }
    }

    /// Whether a namespace began the latest life of a node, or was among the last to hold it.
    pub(crate) fn was_held_by(&self, node: NodeIndex, namespace: &Name) -> bool {
        let creator = self.namespaces.get(self.nodes.owner(node));
        creator.is_none_or(|creator| creator == namespace) || self.holders_of_node(node).contains(namespace)
    }

    /// Refuses a merge of a node by a namespace that did not hold it in the end. Any namespace may merge one that never lived.
    pub(crate) fn check_last_holder(
        &self,
        node: NodeIndex,
        namespace: &Name,
        element: impl Fn() -> String,
    ) -> Result<(), Reason> {
        if self.was_held_by(node, namespace) {
            return Ok(());
        }
        let owner = self.holders_of_node(node).swap_remove(0);
        Err(Reason::ForeignNamespace { element: element(), owner })
    }
}

/// Whether an event only changes features that carry the name of its namespace.
fn says_own(event: &Event, namespace: &Name) -> bool {
    let own = |name: &Name| name.rsplit_once("::").is_some_and(|(by, _)| *by == **namespace);
    !event.features.is_empty() && event.features.iter().all(|(name, _)| own(name))
}
