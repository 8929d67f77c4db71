//! The law by which events come in: each is accepted, or refused with a reason and changes nothing.

use timeweft_graph::{
    Action, EdgeIndex, EdgeKey, Element, Event, FeatureDef, FeatureId, FeatureKind, Features, Interval, ListOrder,
    Name, NodeIndex, NodeKey, Owner, Reason, Time,
};

use crate::elements::edge::{EdgeEnds, EdgeIdentity};
use crate::elements::life::LifeRecord;
use crate::intake::check::{edge_type_name, full};
use crate::intake::lifecycle::{FirstFeatures, NewEdge, NewNode};
use crate::{Index, NONE};

impl Index {
    /// Takes in the next event of the log, said by a namespace (the empty name if there is none).
    ///
    /// Every life belongs to the namespace that created it, or to those that its features name; only they may update it,
    /// and only the one that holds it alone may end it. Edges may bind to nodes of other namespaces, and end with them.
    pub fn apply(&mut self, event: &Event, namespace: &Name) -> Result<(), Reason> {
        self.check_shape(event)?;
        match (&event.element, event.action) {
            (Element::Node(key), Action::Create) => self.apply_create_node(event, key, namespace),
            (Element::Node(key), Action::Update) => self.apply_update_node(event, key, namespace),
            (Element::Node(key), Action::Delete) => self.apply_delete_node(event, key, namespace),
            (Element::Edge(key), Action::Create) => self.apply_create_edge(event, key, namespace),
            (Element::Edge(key), Action::Update) => self.apply_update_edge(event, key, namespace),
            (Element::Edge(key), Action::Delete) => self.apply_delete_edge(event, key, namespace),
            (Element::Merge { from, into }, _) => self.apply_merge(event, from, into, namespace),
        }
    }

    fn apply_create_node(&mut self, event: &Event, key: &NodeKey, namespace: &Name) -> Result<(), Reason> {
        let (node_type, id) = (self.check_node_type(&key.node_type)?, key.id.as_ref());
        let known = node_type.and_then(|node_type| self.nodes.find(node_type, id));
        self.check_new_node(known, event.time)?;
        self.check_features(node_type.map(Owner::Node), || key.node_type.to_string(), &event.features)?;

        let node_type = self.schema.add_node_type(&key.node_type).ok_or_else(|| full("node types"))?;
        let sets = self.sets(Owner::Node(node_type), &event.features);
        let namespace = self.namespaces.add(namespace);
        self.create_node(NewNode { node_type, id, known }, event.time, first_features(event, &sets), namespace);
        Ok(())
    }

    fn apply_update_node(&mut self, event: &Event, key: &NodeKey, namespace: &Name) -> Result<(), Reason> {
        let node = self.living(key, event, namespace)?;
        let owner = Owner::Node(self.nodes.node_type(node));
        self.check_features(Some(owner), || key.node_type.to_string(), &event.features)?;

        let sets = self.sets(owner, &event.features);
        self.update_node(node, event.time, &sets);
        Ok(())
    }

    fn apply_delete_node(&mut self, event: &Event, key: &NodeKey, namespace: &Name) -> Result<(), Reason> {
        let node = self.living(key, event, namespace)?;
        self.end_node(node, event.time, &self.edges_at(node))
    }

    fn apply_create_edge(&mut self, event: &Event, key: &EdgeKey, namespace: &Name) -> Result<(), Reason> {
        let ends = self.check_edge_type(key)?;
        let source = self.check_living_end(ends.source, &key.source, event.time)?;
        let destination = self.check_living_end(ends.destination, &key.destination, event.time)?;
        let latest = self.find_edge(&ends, key);
        self.check_new_edge(latest, event.time)?;
        self.check_features(ends.edge_type.map(Owner::Edge), || edge_type_name(key), &event.features)?;

        let (from, to) = (self.nodes.node_type(source), self.nodes.node_type(destination));
        let added = ends.edge_type.or_else(|| self.schema.add_edge_type(from, &key.relation, to));
        let edge_type = added.ok_or_else(|| full("edge types"))?;
        let sets = self.sets(Owner::Edge(edge_type), &event.features);
        let key = key.key.as_ref().map_or(NONE, |key| self.keys.add(key));
        let namespace = self.namespaces.add(namespace);
        let identity = EdgeIdentity { edge_type, source, destination, key };
        self.create_edge(NewEdge { identity, latest }, event.time, first_features(event, &sets), namespace);
        Ok(())
    }

    fn apply_update_edge(&mut self, event: &Event, key: &EdgeKey, namespace: &Name) -> Result<(), Reason> {
        let edge = self.living_edge(key, event, namespace)?;
        let owner = Owner::Edge(self.edges.get(edge).edge_type);
        self.check_features(Some(owner), || edge_type_name(key), &event.features)?;

        let sets = self.sets(owner, &event.features);
        self.update_edge(edge, event.time, &sets);
        Ok(())
    }

    fn apply_delete_edge(&mut self, event: &Event, key: &EdgeKey, namespace: &Name) -> Result<(), Reason> {
        let edge = self.living_edge(key, event, namespace)?;
        self.end_edge(edge, event.time);
        Ok(())
    }

    /// The node if it has an open life that the event may touch.
    fn living(&self, key: &NodeKey, event: &Event, namespace: &Name) -> Result<NodeIndex, Reason> {
        let node = self.look_up(key)?.ok_or_else(|| Reason::UnknownNode(key.clone()))?;
        let life = self.nodes.latest_life(node).ok_or_else(|| Reason::UnknownNode(key.clone()))?;
        if !life.interval.is_open() {
            return Err(Reason::DeletedNode(key.clone()));
        }
        let held = (Owner::Node(life.node_type), life.feature_row());
        self.check_holder(held, self.nodes.owner(node), (event, namespace), || format!("node {key}"))?;
        self.check_order(node, event.time)?;
        Ok(node)
    }

    /// The edge if it has an open life that the event may touch.
    fn living_edge(&self, key: &EdgeKey, event: &Event, namespace: &Name) -> Result<EdgeIndex, Reason> {
        let ends = self.check_edge_type(key)?;
        let edge = self.find_edge(&ends, key).ok_or_else(|| Reason::UnknownEdge(Box::new(key.clone())))?;
        let life = self.edges.get(edge);
        if !life.interval.is_open() {
            return Err(Reason::DeletedEdge(Box::new(key.clone())));
        }
        let held = (Owner::Edge(life.edge_type), life.feature_row());
        self.check_holder(held, life.namespace, (event, namespace), || format!("edge {key}"))?;
        self.check_edge_order(edge, event.time)?;
        Ok(edge)
    }

    /// An end of a new edge, which must live from `time` or before.
    pub(crate) fn check_living_end(
        &self,
        node: Option<NodeIndex>,
        key: &NodeKey,
        time: Time,
    ) -> Result<NodeIndex, Reason> {
        self.check_edge_end(self.edge_end(node), Interval::open(time), NONE, || key.clone())
    }

    /// The latest life of an edge.
    pub(crate) fn find_edge(&self, ends: &EdgeEnds, key: &EdgeKey) -> Option<EdgeIndex> {
        let key = key.key.as_ref().map_or(Some(NONE), |key| self.keys.find(key))?;
        let (edge_type, source, destination) = (ends.edge_type?, ends.source?, ends.destination?);
        self.edges.find(EdgeIdentity { edge_type, source, destination, key })
    }

    /// Checked features as the log keeps them: learned by the schema, lists in canonical form, and without the ends of
    /// features that nothing ever had.
    pub(crate) fn sets(&mut self, owner: Owner, features: &Features) -> Vec<(FeatureId, u32)> {
        let mut sets = Vec::with_capacity(features.len());
        for (name, value) in features {
            let known = self.schema.feature(owner, name).map(|(id, def)| (id, def.order));
            let learned = value.as_ref().filter(|_| known.is_none()).and_then(|value| {
                let def = FeatureDef { name: name.clone(), kind: FeatureKind::of(value), order: ListOrder::List };
                self.schema.add_feature(owner, def)
            });
            let Some((id, order)) = known.or(learned.map(|id| (id, ListOrder::List))) else { continue };
            let value = match value {
                None => NONE,
                Some(value) if order == ListOrder::List => self.feature_store.add(owner, id, value),
                Some(value) => self.feature_store.add(owner, id, &order.canonical(value.clone())),
            };
            sets.push((id, value));
        }
        sets
    }
}

/// The features of a create, given their numbers.
fn first_features<'a>(event: &Event, sets: &'a [(FeatureId, u32)]) -> FirstFeatures<'a> {
    let plain =
        event.features.is_sorted_by(|a, b| a.0 < b.0) && event.features.iter().all(|(_, value)| value.is_some());
    FirstFeatures { sets, plain }
}
