//! How nodes and edges begin, change and end. All that enters the index comes through here, by numbers: events, chunks of
//! records, whole lives, versions.
//!
//! What creates asks the check beside it first, then gives values their numbers, then creates: what is refused changes
//! nothing.

use timeweft_graph::{Action, EdgeIndex, FeatureId, IdRef, Interval, NodeIndex, NodeKey, NodeTypeId, Reason, Time};

use crate::elements::edge::EdgeIdentity;
use crate::elements::events::Subject;
use crate::elements::life::LifeRecord;
use crate::feature_store::FeatureStore;
use crate::intake::check::in_order;
use crate::{Index, NONE};

/// A node that begins a life.
#[derive(Clone, Copy)]
pub(crate) struct NewNode<'a> {
    pub(crate) node_type: NodeTypeId,
    pub(crate) id: IdRef<'a>,
    /// Its number, if it has one.
    pub(crate) known: Option<NodeIndex>,
}

/// An edge that begins a life.
#[derive(Clone, Copy)]
pub(crate) struct NewEdge {
    pub(crate) identity: EdgeIdentity,
    /// Its latest life, if there ever was one.
    pub(crate) latest: Option<EdgeIndex>,
}

/// Features that a life begins with, and the numbers of their values.
#[derive(Clone, Copy)]
pub(crate) struct FirstFeatures<'a> {
    pub(crate) sets: &'a [(FeatureId, u32)],
    /// Whether an event would have each feature once, with a value, in the order of names. Such a create needs no room among
    /// the accepted events.
    pub(crate) plain: bool,
}

/// A node at an end of an edge, and its latest life.
#[derive(Clone, Copy)]
pub(crate) struct EdgeEnd {
    node: NodeIndex,
    life: u32,
    interval: Interval,
}

/// The edges at a node.
#[derive(Default)]
pub(crate) struct EdgesAt {
    /// Those that are open, in the order of their creation in the log.
    pub(crate) open: Vec<EdgeIndex>,
    /// Time of the latest event of any that ever was.
    pub(crate) latest: Option<Time>,
}

impl Index {
    /// Whether a node may begin a life: it has no open one, and no later event.
    #[inline(always)]
    pub(crate) fn check_new_node(&self, known: Option<NodeIndex>, time: Time) -> Result<(), Reason> {
        let Some(node) = known else { return Ok(()) };
        if self.nodes.is_open(node) {
            return Err(Reason::NodeExists(self.node_key(node)));
        }
        self.check_order(node, time)
    }

    /// Begins a life of a node, adds the node if it is new, and ends its merges.
    #[inline]
    pub(crate) fn create_node(
        &mut self,
        new: NewNode<'_>,
        time: Time,
        first: FirstFeatures<'_>,
        namespace: u32,
    ) -> NodeIndex {
        let node = self.open_node(new, time, first.sets, namespace);
        self.accept_create(Subject::Node(self.nodes.life(node)), time, first);
        node
    }

    /// The same, without its event.
    #[inline(always)]
    pub(crate) fn open_node(
        &mut self,
        new: NewNode<'_>,
        time: Time,
        sets: &[(FeatureId, u32)],
        namespace: u32,
    ) -> NodeIndex {
        let node = new.known.unwrap_or_else(|| self.nodes.add(new.node_type, new.id));
        self.merges.close_all(self.nodes.merge(node), time);
        let feature_row = self.feature_store.open(time, sets);
        self.nodes.open(node, feature_row, namespace);
        node
    }

    /// Sets features of a node's open life.
    pub(crate) fn update_node(&mut self, node: NodeIndex, time: Time, sets: &[(FeatureId, u32)]) {
        let subject = Subject::Node(self.nodes.life(node));
        self.change(subject, time, sets);
        self.nodes.latest[node.at()] = time;
        self.accept(Action::Update, subject, time, sets);
    }

    /// Ends a node's open life and the edges at it, unless the node or one of them has a later event.
    pub(crate) fn end_node(&mut self, node: NodeIndex, time: Time, edges: &EdgesAt) -> Result<(), Reason> {
        self.check_order(node, time)?;
        let latest = edges.latest.unwrap_or(time);
        in_order(self.schema.unit(), time, latest, || format!("an edge of node {}", self.node_key(node)))?;

        edges.open.iter().for_each(|&edge| self.close_edge(edge, time));
        self.nodes.close(node, time);
        self.events.note_ended(self.events.len() as u32, &edges.open);
        self.accept(Action::Delete, Subject::Node(self.nodes.life(node)), time, &[]);
        Ok(())
    }

    /// A node as the end of an edge; none if it was never created.
    #[inline(always)]
    pub(crate) fn edge_end(&self, node: Option<NodeIndex>) -> Option<EdgeEnd> {
        let node = node?;
        let life = self.nodes.life(node);
        (life != NONE).then(|| EdgeEnd { node, life, interval: self.nodes.lives[life as usize].interval })
    }

    /// Whether the latest life of an end holds all of an edge's. A life that ended counts from the life `first` on: those end
    /// in the same load.
    #[inline(always)]
    pub(crate) fn check_edge_end(
        &self,
        end: Option<EdgeEnd>,
        edge: Interval,
        first: u32,
        key: impl Fn() -> NodeKey,
    ) -> Result<NodeIndex, Reason> {
        let Some(EdgeEnd { node, life, interval }) = end else { return Err(Reason::UnknownNode(key())) };
        let holds_all = interval.is_open() || life >= first && edge.removed <= interval.removed;
        if !holds_all {
            return Err(Reason::DeletedNode(key()));
        }
        in_order(self.schema.unit(), edge.created, interval.created, || format!("node {}", key()))?;
        Ok(node)
    }

    /// Whether an edge may begin a life: it has no open one, and no later event.
    #[inline(always)]
    pub(crate) fn check_new_edge(&self, latest: Option<EdgeIndex>, time: Time) -> Result<(), Reason> {
        let Some(edge) = latest else { return Ok(()) };
        if self.edges.get(edge).interval.is_open() {
            return Err(Reason::EdgeExists(Box::new(self.edge_key(edge))));
        }
        self.check_edge_order(edge, time)
    }

    /// Begins a life of an edge, behind its latest one.
    #[inline]
    pub(crate) fn create_edge(
        &mut self,
        new: NewEdge,
        time: Time,
        first: FirstFeatures<'_>,
        namespace: u32,
    ) -> EdgeIndex {
        let edge = self.open_edge(new, time, first.sets, namespace);
        self.accept_create(Subject::Edge(edge.0), time, first);
        edge
    }

    /// The same, without its event.
    #[inline(always)]
    pub(crate) fn open_edge(
        &mut self,
        new: NewEdge,
        time: Time,
        sets: &[(FeatureId, u32)],
        namespace: u32,
    ) -> EdgeIndex {
        let feature_row = self.feature_store.open(time, sets);
        let edge = self.edges.open(new.identity, new.latest, feature_row, namespace);
        let kept_up = self.adjacency.get_mut().is_none_or(|adjacency| adjacency.add(&self.edges, edge));
        if !kept_up {
            self.adjacency.take();
        }
        self.count(edge);
        edge
    }

    /// Sets features of an edge's open life.
    pub(crate) fn update_edge(&mut self, edge: EdgeIndex, time: Time, sets: &[(FeatureId, u32)]) {
        let subject = Subject::Edge(edge.0);
        self.change(subject, time, sets);
        self.weights.forget();
        self.edges.touch(edge, time);
        self.accept(Action::Update, subject, time, sets);
    }

    /// Ends an edge's open life.
    pub(crate) fn end_edge(&mut self, edge: EdgeIndex, time: Time) {
        self.close_edge(edge, time);
        self.accept(Action::Delete, Subject::Edge(edge.0), time, &[]);
    }

    /// The same, without its event.
    pub(crate) fn close_edge(&mut self, edge: EdgeIndex, time: Time) {
        self.edges.close(edge, time);
        if let Some(adjacency) = self.adjacency.get_mut() {
            adjacency.end(&self.edges, edge);
        }
    }

    /// Sets features of a life from a time on.
    pub(crate) fn change(&mut self, subject: Subject, time: Time, sets: &[(FeatureId, u32)]) {
        fn change(store: &mut FeatureStore, life: &mut impl LifeRecord, time: Time, sets: &[(FeatureId, u32)]) {
            let feature_row = store.update(life.feature_row(), time, sets);
            life.set_feature_row(feature_row);
        }
        let store = &mut self.feature_store;
        match subject {
            Subject::Node(life) => change(store, &mut self.nodes.lives[life as usize], time, sets),
            Subject::Edge(life) => change(store, &mut self.edges.lives[life as usize], time, sets),
            Subject::Merge(merge) => change(store, &mut self.merges.all[merge as usize], time, sets),
        }
    }

    /// What the end of a node must know of the edges at it.
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

    /// Keeps a create as an accepted event.
    #[inline]
    fn accept_create(&mut self, subject: Subject, time: Time, first: FirstFeatures<'_>) {
        if first.plain && !first.sets.is_empty() {
            let position = self.events.push_first(subject);
            self.keep_facts(position, time);
        } else {
            self.accept(Action::Create, subject, time, first.sets);
        }
    }

    /// Keeps an accepted event.
    pub(crate) fn accept(&mut self, action: Action, subject: Subject, time: Time, sets: &[(FeatureId, u32)]) {
        let position = self.events.push(action, subject, time, sets);
        self.keep_facts(position, time);
    }

    /// Keeps the facts up, if they are made and the event is not older than the last.
    fn keep_facts(&mut self, position: u32, time: Time) {
        self.texts.forget();
        self.tallies.take();
        self.finder.take();
        let Some(mut facts) = self.facts.take() else { return };
        if facts.last().is_none_or(|fact| fact.time <= time) {
            self.facts_of(position, &mut facts);
            self.facts = facts.into();
        }
    }
}
