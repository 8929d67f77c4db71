//! The law by which events come in: each is accepted, or refused with a reason and changes nothing.

use timeweft_graph::{
    Action, EdgeIndex, EdgeKey, Element, Event, FeatureDef, FeatureId, FeatureKind, Features, ListOrder, Name,
    NodeIndex, NodeKey, Owner, Reason, Time,
};

use crate::elements::edge::Identity;
use crate::elements::events::Subject;
use crate::elements::life::Life;
use crate::intake::check::{Ends, edge_type_name, full, in_order};
use crate::{Index, NONE};

/// The edges at a node.
#[derive(Default)]
pub(crate) struct EdgesAt {
    /// Those that are open, in the order of their creation in the log.
    pub(crate) open: Vec<EdgeIndex>,
    /// Time of the latest event of any that ever was.
    pub(crate) latest: Option<Time>,
}

impl Index {
    /// Takes in the next event of the log, spoken by a namespace (the empty name if there is none).
    ///
    /// Every life belongs to the namespace that created it, or to those that its features name; only they may update it,
    /// and only who holds it alone may end it. Edges may bind to nodes of other namespaces, and end with them.
    pub fn apply(&mut self, event: &Event, namespace: &Name) -> Result<(), Reason> {
        self.check_shape(event)?;
        match (&event.element, event.action) {
            (Element::Node(key), Action::Create) => self.create_node(event, key, namespace),
            (Element::Node(key), Action::Update) => self.update_node(event, key, namespace),
            (Element::Node(key), Action::Delete) => self.delete_node(event, key, namespace),
            (Element::Edge(key), Action::Create) => self.create_edge(event, key, namespace),
            (Element::Edge(key), Action::Update) => self.update_edge(event, key, namespace),
            (Element::Edge(key), Action::Delete) => self.delete_edge(event, key, namespace),
            (Element::Merge { from, into }, _) => self.apply_merge(event, from, into, namespace),
        }
    }

    fn create_node(&mut self, event: &Event, key: &NodeKey, namespace: &Name) -> Result<(), Reason> {
        let node_type = self.check_node_type(&key.node_type)?;
        let known = node_type.and_then(|node_type| self.nodes.find(node_type, key.id.as_ref()));
        if let Some(node) = known {
            if self.nodes.latest_life(node).is_some_and(|life| life.interval.is_open()) {
                return Err(Reason::NodeExists(key.clone()));
            }
            self.check_order(node, event.time)?;
        }
        self.check_features(node_type.map(Owner::Node), || key.node_type.to_string(), &event.features)?;

        let node_type = self.schema.add_node_type(&key.node_type).ok_or_else(|| full("node types"))?;
        let node = known.unwrap_or_else(|| self.nodes.add(node_type, key.id.as_ref()));
        let sets = self.sets(Owner::Node(node_type), &event.features);
        let namespace = self.namespaces.add(namespace);
        self.begin_life(node, event.time, (&sets, is_plain(event)), namespace);
        Ok(())
    }

    /// Begins a life of a node that has none, checked by the caller, and ends its merges.
    pub(crate) fn begin_life(&mut self, node: NodeIndex, time: Time, sets: Sets<'_>, namespace: u32) {
        self.merges.close_all(self.nodes.merge(node), time);
        let track = self.columns.open(time, sets.0);
        let life = self.nodes.open(node, track, namespace);
        self.accept_create(Subject::Node(life), time, sets);
    }

    fn update_node(&mut self, event: &Event, key: &NodeKey, namespace: &Name) -> Result<(), Reason> {
        let node = self.living(key, event, namespace)?;
        let owner = Owner::Node(self.nodes.node_type(node));
        self.check_features(Some(owner), || key.node_type.to_string(), &event.features)?;

        let sets = self.sets(owner, &event.features);
        self.update_life(node, event.time, &sets);
        Ok(())
    }

    /// Sets features of a node's open life.
    pub(crate) fn update_life(&mut self, node: NodeIndex, time: Time, sets: &[(FeatureId, u32)]) {
        let life = self.nodes.life(node);
        let own = &mut self.nodes.lives[life as usize];
        own.set_track(self.columns.update(own.track(), time, sets));
        self.nodes.latest[node.at()] = time;
        self.accept(Action::Update, Subject::Node(life), time, sets);
    }

    fn delete_node(&mut self, event: &Event, key: &NodeKey, namespace: &Name) -> Result<(), Reason> {
        let node = self.living(key, event, namespace)?;
        self.end_life(node, event.time)
    }

    /// Ends a node's open life and the edges at it, unless one of them has a later event.
    fn end_life(&mut self, node: NodeIndex, time: Time) -> Result<(), Reason> {
        let at_node = self.edges_at(node);
        self.end_life_with(node, time, at_node)
    }

    /// The same, given the edges at the node.
    pub(crate) fn end_life_with(&mut self, node: NodeIndex, time: Time, at_node: EdgesAt) -> Result<(), Reason> {
        self.check_order(node, time)?;
        let latest = at_node.latest.unwrap_or(time);
        in_order(self.schema.unit(), time, latest, || format!("an edge of node {}", self.node_key(node)))?;

        at_node.open.iter().for_each(|&edge| self.close_edge(edge, time));
        let life = self.nodes.life(node);
        self.nodes.lives[life as usize].interval.removed = time;
        self.nodes.latest[node.at()] = time;
        self.log.note_ended(self.log.len() as u32, &at_node.open);
        self.accept(Action::Delete, Subject::Node(life), time, &[]);
        Ok(())
    }

    fn create_edge(&mut self, event: &Event, key: &EdgeKey, namespace: &Name) -> Result<(), Reason> {
        let Ends { source, destination, edge_type } = self.check_edge_type(key)?;
        let source = self.endpoint(source, &key.source, event.time)?;
        let destination = self.endpoint(destination, &key.destination, event.time)?;
        let latest = self.find_edge(&Ends { source: Some(source), destination: Some(destination), edge_type }, key);
        if let Some(edge) = latest {
            if self.edges.get(edge).interval.is_open() {
                return Err(Reason::EdgeExists(Box::new(key.clone())));
            }
            in_order(self.schema.unit(), event.time, self.edges.latest(edge), || format!("edge {key}"))?;
        }
        self.check_features(edge_type.map(Owner::Edge), || edge_type_name(key), &event.features)?;

        let (from, to) = (self.nodes.node_type(source), self.nodes.node_type(destination));
        let added = edge_type.or_else(|| self.schema.add_edge_type(from, &key.relation, to));
        let edge_type = added.ok_or_else(|| full("edge types"))?;
        let sets = self.sets(Owner::Edge(edge_type), &event.features);
        let key = key.key.as_ref().map_or(NONE, |key| self.keys.add(key));
        let namespace = self.namespaces.add(namespace);
        let identity = Identity { edge_type, source, destination, key };
        self.begin_edge((identity, latest), event.time, (&sets, is_plain(event)), namespace);
        Ok(())
    }

    /// Begins a life of an edge that has none, behind its latest one; checked by the caller.
    pub(crate) fn begin_edge(
        &mut self,
        edge: (Identity, Option<EdgeIndex>),
        time: Time,
        sets: Sets<'_>,
        namespace: u32,
    ) -> EdgeIndex {
        let track = self.columns.open(time, sets.0);
        let edge = self.edges.open(edge, track, namespace);
        self.connect(edge);
        self.accept_create(Subject::Edge(edge.0), time, sets);
        edge
    }

    fn update_edge(&mut self, event: &Event, key: &EdgeKey, namespace: &Name) -> Result<(), Reason> {
        let edge = self.living_edge(key, event, namespace)?;
        let owner = Owner::Edge(self.edges.get(edge).edge_type);
        self.check_features(Some(owner), || edge_type_name(key), &event.features)?;

        let sets = self.sets(owner, &event.features);
        self.update_edge_life(edge, event.time, &sets);
        Ok(())
    }

    /// Sets features of an edge's open life.
    pub(crate) fn update_edge_life(&mut self, edge: EdgeIndex, time: Time, sets: &[(FeatureId, u32)]) {
        let own = &mut self.edges.lives[edge.at()];
        own.set_track(self.columns.update(own.track(), time, sets));
        self.weights.forget();
        self.edges.touch(edge, time);
        self.accept(Action::Update, Subject::Edge(edge.0), time, sets);
    }

    fn delete_edge(&mut self, event: &Event, key: &EdgeKey, namespace: &Name) -> Result<(), Reason> {
        let edge = self.living_edge(key, event, namespace)?;
        self.end_edge(edge, event.time);
        Ok(())
    }

    /// Ends an edge's open life, checked by the caller.
    pub(crate) fn end_edge(&mut self, edge: EdgeIndex, time: Time) {
        self.close_edge(edge, time);
        self.accept(Action::Delete, Subject::Edge(edge.0), time, &[]);
    }

    /// The node if it has an open life that the event may touch.
    fn living(&self, key: &NodeKey, event: &Event, namespace: &Name) -> Result<NodeIndex, Reason> {
        let node = self.look_up(key)?.ok_or_else(|| Reason::UnknownNode(key.clone()))?;
        let life = self.nodes.latest_life(node).ok_or_else(|| Reason::UnknownNode(key.clone()))?;
        if !life.interval.is_open() {
            return Err(Reason::DeletedNode(key.clone()));
        }
        let held = (Owner::Node(life.node_type), life.track());
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
        let held = (Owner::Edge(life.edge_type), life.track());
        self.check_holder(held, life.namespace, (event, namespace), || format!("edge {key}"))?;
        in_order(self.schema.unit(), event.time, self.edges.latest(edge), || format!("edge {key}"))?;
        Ok(edge)
    }

    /// An end of a new edge, which must live from `time` or before.
    pub(crate) fn endpoint(&self, node: Option<NodeIndex>, key: &NodeKey, time: Time) -> Result<NodeIndex, Reason> {
        let unknown = || Reason::UnknownNode(key.clone());
        let node = node.ok_or_else(unknown)?;
        let life = self.nodes.latest_life(node).ok_or_else(unknown)?.interval;
        if !life.is_open() {
            return Err(Reason::DeletedNode(key.clone()));
        }
        in_order(self.schema.unit(), time, life.created, || format!("node {key}"))?;
        Ok(node)
    }

    /// The latest life of an edge.
    pub(crate) fn find_edge(&self, ends: &Ends, key: &EdgeKey) -> Option<EdgeIndex> {
        let key = key.key.as_ref().map_or(Some(NONE), |key| self.keys.find(key))?;
        let (edge_type, source, destination) = (ends.edge_type?, ends.source?, ends.destination?);
        self.edges.find(Identity { edge_type, source, destination, key })
    }

    /// What a node delete must know of the edges at the node.
    pub(crate) fn edges_at(&self, node: NodeIndex) -> EdgesAt {
        let lists = || self.adjacency().lists(node);
        let newest = lists().flat_map(|list| list.newest(list.len(), Some(Time::FOREVER)));
        let open = newest.map(|seen| seen.edge).filter(|&edge| self.edges.get(edge).interval.is_open());
        let mut open: Vec<_> = open.collect();
        open.sort_unstable();
        open.dedup();
        let removals = lists().filter_map(|list| list.last_removal());
        let latest = removals.chain(open.iter().map(|&edge| self.edges.latest(edge))).max();
        EdgesAt { open, latest }
    }

    /// Makes a new edge known to both its ends.
    pub(crate) fn connect(&mut self, edge: EdgeIndex) {
        if let Some(adjacency) = self.adjacency.get_mut() {
            adjacency.add(&self.edges, edge);
        }
        self.count(edge);
    }

    /// Ends an open edge on both sides.
    pub(crate) fn close_edge(&mut self, edge: EdgeIndex, time: Time) {
        self.edges.close(edge, time);
        if let Some(adjacency) = self.adjacency.get_mut() {
            adjacency.end(&self.edges, edge);
        }
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
                Some(value) if order == ListOrder::List => self.columns.add(owner, id, value),
                Some(value) => self.columns.add(owner, id, &order.canonical(value.clone())),
            };
            sets.push((id, value));
        }
        sets
    }

    /// Writes an accepted create to the log. Plain sets need no room there.
    fn accept_create(&mut self, subject: Subject, time: Time, (sets, plain): Sets<'_>) {
        if plain && !sets.is_empty() {
            let position = self.log.push_first(subject);
            self.keep_facts(position, time);
        } else {
            self.accept(Action::Create, subject, time, sets);
        }
    }

    /// Writes an accepted event to the log.
    pub(crate) fn accept(&mut self, action: Action, subject: Subject, time: Time, sets: &[(FeatureId, u32)]) {
        let position = self.log.push(action, subject, time, sets);
        self.keep_facts(position, time);
    }

    /// Keeps the facts up, if they are made and the event is not older than the last.
    fn keep_facts(&mut self, position: u32, time: Time) {
        self.texts.forget();
        self.tallies.forget();
        let Some(mut facts) = self.facts.take() else { return };
        if facts.last().is_none_or(|fact| fact.time <= time) {
            self.facts_of(position, &mut facts);
            self.facts = facts.into();
        }
    }
}

/// Features and the numbers of their values, and whether they are plain: as an event in which each feature stands once,
/// with a value, in the order of names.
pub(crate) type Sets<'a> = (&'a [(FeatureId, u32)], bool);

fn is_plain(event: &Event) -> bool {
    event.features.is_sorted_by(|a, b| a.0 < b.0) && event.features.iter().all(|(_, value)| value.is_some())
}
