//! The index as a view: the answers of [`GraphView`].
//!
//! Slow reference: `timeweft_oracle::ReferenceGraph`.

use std::collections::BTreeMap;

use bytemuck::Pod;
use timeweft_graph::{
    At, Counts, Deletes, Diff, Direction, EdgeIndex, EdgeKey, EdgeState, Element, ElementHistory, Event, FeatureId,
    FeatureSpan, GraphView, Interval, Life, MergeRecord, Name, NodeIndex, NodeKey, NodeState, Owner, Schema, Time,
    Value,
};

use crate::Index;
use crate::adjacency::List;
use crate::answers::fact::time_of;
use crate::elements::events::Subject;
use crate::elements::life::{LifeRecord, chain, shown};
use crate::elements::merge::Merge;
use crate::memory::array::Array;

impl GraphView for Index {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn node(&self, key: &NodeKey, at: At) -> Option<NodeState> {
        let latest = self.nodes.life(self.node_index(key)?);
        shown(&self.nodes.lives, latest, at).map(|life| self.node_state(life, at.time))
    }

    fn edge(&self, key: &EdgeKey, at: At) -> Option<EdgeState> {
        self.edge_index_at(key, at).map(|life| self.edge_state(life, at.time))
    }

    fn iter_nodes(&self, node_type: Option<&str>, at: At) -> Box<dyn Iterator<Item = NodeState> + '_> {
        let node = |life: u32| self.nodes.lives[life as usize].node;
        let mut nodes: Vec<NodeIndex> = self.shown_nodes(node_type, at).map(node).collect();
        self.sort_nodes(&mut nodes);
        let life = move |node: NodeIndex| shown(&self.nodes.lives, self.nodes.life(node), at);
        Box::new(nodes.into_iter().filter_map(life).map(move |life| self.node_state(life, at.time)))
    }

    fn iter_edges(&self, relation: Option<&str>, at: At) -> Box<dyn Iterator<Item = EdgeState> + '_> {
        let mut edges: Vec<EdgeIndex> = self.shown_edges(relation, at).collect();
        self.sort_edges(&mut edges);
        Box::new(edges.into_iter().map(move |edge| self.edge_state(edge, at.time)))
    }

    fn neighbors(&self, key: &NodeKey, direction: Direction, relation: Option<&str>, at: At) -> Vec<EdgeState> {
        let edges = self.incident_edges(key, direction, relation, at);
        edges.into_iter().map(|edge| self.edge_state(edge, at.time)).collect()
    }

    fn degree(&self, key: &NodeKey, direction: Direction, relation: Option<&str>, at: At) -> usize {
        let lists = self.lists_of(key, direction, relation);
        match at.deletes {
            Deletes::Hard => lists.map(|list| list.degree(at.time)).sum(),
            Deletes::Soft => lists.map(|list| self.shown_in(list, at).count()).sum(),
        }
    }

    fn node_history(&self, key: &NodeKey) -> ElementHistory {
        let Some(node) = self.node_index(key) else { return Vec::new() };
        self.lives(&self.nodes.lives, self.nodes.life(node), Owner::Node(self.nodes.node_type(node)))
    }

    fn edge_history(&self, key: &EdgeKey) -> ElementHistory {
        let Some(latest) = self.ends(key).and_then(|ends| self.find_edge(&ends, key)) else { return Vec::new() };
        self.lives(&self.edges.lives, latest.0, Owner::Edge(self.edges.get(latest).edge_type))
    }

    fn merges(&self) -> Vec<MergeRecord> {
        let mut merges: Vec<_> =
            self.merges.all.iter().filter(|merge| merge.is_real()).map(|m| self.record(m)).collect();
        merges.sort_unstable_by(MergeRecord::canonical_order);
        merges
    }

    fn resolve(&self, key: &NodeKey, time: Time) -> NodeKey {
        let last = self.named_node(key).map(|node| self.resolve_index(node, time));
        last.map_or_else(|| key.clone(), |node| self.node_key(node))
    }

    fn diff(&self, from: Time, to: Time) -> Diff {
        self.diff_from((self, At::time(from)), At::time(to))
    }

    fn counts(&self, at: At) -> Counts {
        Counts {
            nodes: self.shown_nodes(None, at).count(),
            edges: self.shown_edges(None, at).count(),
            merges: self.n_merges(at.time),
        }
    }

    fn events(&self) -> Vec<Event> {
        (0..self.events.len() as u32).map(|position| self.event(position)).collect()
    }
}

impl Index {
    /// How many events there are.
    pub fn n_events(&self) -> usize {
        self.events.len()
    }

    /// The event at a position of the log, from 0.
    pub fn event_at(&self, position: usize) -> Option<Event> {
        (position < self.events.len()).then(|| self.event(position as u32))
    }

    /// How many nodes of each type a view shows, and how many edges, in the order of the schema; no element is made for it.
    pub fn counts_by_type(&self, at: At) -> (Vec<usize>, Vec<usize>) {
        let mut nodes = vec![0; self.schema.node_types().len()];
        self.shown_nodes(None, at).for_each(|life| nodes[self.nodes.lives[life as usize].node_type.at()] += 1);
        let mut edges = vec![0; self.schema.edge_types().len()];
        self.shown_edges(None, at).for_each(|edge| edges[self.edges.get(edge).edge_type.at()] += 1);
        (nodes, edges)
    }

    /// The numbers of the edges at a node that [`GraphView::neighbors`] gives, in the same order.
    pub fn incident_edges(
        &self,
        key: &NodeKey,
        direction: Direction,
        relation: Option<&str>,
        at: At,
    ) -> Vec<EdgeIndex> {
        let lists = self.lists_of(key, direction, relation);
        let mut edges: Vec<EdgeIndex> = lists.flat_map(|list| self.shown_in(list, at)).collect();
        self.sort_edges(&mut edges);
        edges
    }

    /// The numbers of all lives that edges at a node ever had, sorted by the keys of the edges and by time. A self-loop is
    /// there once.
    pub fn incident_lives(&self, key: &NodeKey) -> Vec<EdgeIndex> {
        let sides = [Direction::Out, Direction::In].into_iter();
        let lists = sides.flat_map(|direction| self.lists_of(key, direction, None));
        let entries = lists.flat_map(|list| list.newest(list.len(), None));
        let mut lives: Vec<EdgeIndex> = entries.map(|entry| entry.edge).collect();
        lives.retain(|&edge| self.edges.get(edge).is_real());
        self.sort_edges(&mut lives);
        lives.dedup();
        lives
    }

    /// The merges of which a node is part, in [`MergeRecord::canonical_order`].
    pub fn merges_of(&self, key: &NodeKey) -> Vec<MergeRecord> {
        let Some(node) = self.named_node(key) else { return Vec::new() };
        let own = self.merges.all.iter().filter(|merge| merge.is_real() && (merge.from == node || merge.into == node));
        let mut merges: Vec<_> = own.map(|merge| self.record(merge)).collect();
        merges.sort_unstable_by(MergeRecord::canonical_order);
        merges
    }

    /// How many merges hold at a time.
    pub fn n_merges(&self, time: Time) -> usize {
        self.merges_at(time).count()
    }

    /// The merges that hold at a time, in the order of the log.
    pub(crate) fn merges_at(&self, time: Time) -> impl Iterator<Item = &Merge> {
        self.merges.all.iter().filter(move |merge| merge.is_real() && merge.interval.contains(time))
    }

    pub(super) fn shown_nodes(&self, node_type: Option<&str>, at: At) -> impl Iterator<Item = u32> {
        let wanted = node_type.map(|name| self.schema.node_type(name));
        let all = (0u32..).map(NodeIndex).zip(&self.nodes.life);
        let of_type = all.filter(move |(node, _)| wanted.is_none_or(|id| id == Some(self.nodes.node_type(*node))));
        of_type.filter_map(move |(_, &latest)| shown(&self.nodes.lives, latest, at))
    }

    pub(super) fn shown_edges(&self, relation: Option<&str>, at: At) -> impl Iterator<Item = EdgeIndex> {
        let latest = self.edges.latest_lives().filter(move |&life| self.is_relation(EdgeIndex(life), relation));
        latest.filter_map(move |latest| shown(&self.edges.lives, latest, at)).map(EdgeIndex)
    }

    fn is_relation(&self, edge: EdgeIndex, relation: Option<&str>) -> bool {
        relation.is_none_or(|name| *self.schema.edge_types()[self.edges.get(edge).edge_type.at()].relation == *name)
    }

    /// The lists of a node on one side.
    pub(super) fn lists_of(
        &self,
        key: &NodeKey,
        direction: Direction,
        relation: Option<&str>,
    ) -> impl Iterator<Item = List<'_>> {
        let types = self.schema.edge_types();
        let lists = self.node_index(key).into_iter().flat_map(|node| self.adjacency().lists(node));
        lists.filter(move |list| {
            list.direction == direction && relation.is_none_or(|name| *types[list.edge_type.at()].relation == *name)
        })
    }

    pub(crate) fn shown_in<'a>(&'a self, list: List<'a>, at: At) -> impl Iterator<Item = EdgeIndex> + 'a {
        let over_by = (at.deletes == Deletes::Hard).then_some(at.time);
        let begun = list.newest(list.begun(at.time), over_by).map(|seen| seen.edge);
        begun.filter(move |&edge| self.shows_edge(edge, at))
    }

    /// Whether a moment shows a life of an edge that had begun by then.
    pub(crate) fn shows_edge(&self, edge: EdgeIndex, at: At) -> bool {
        let life = self.edges.get(edge);
        match at.deletes {
            Deletes::Hard => life.is_real() && life.interval.contains(at.time),
            Deletes::Soft => life.is_real() && !self.edges.is_superseded(edge, at.time),
        }
    }

    fn node_state(&self, life: u32, time: Time) -> NodeState {
        let life = &self.nodes.lives[life as usize];
        NodeState {
            key: self.node_key(life.node),
            life: life.interval,
            deleted: !life.interval.contains(time),
            features: self.values(life, Owner::Node(self.nodes.node_type(life.node)), time),
        }
    }

    /// A life of an edge at a time, as [`GraphView::edge`] shows it.
    pub fn edge_state(&self, edge: EdgeIndex, time: Time) -> EdgeState {
        let life = self.edges.get(edge);
        EdgeState {
            key: self.edge_key(edge),
            life: life.interval,
            deleted: !life.interval.contains(time),
            features: self.values(life, Owner::Edge(life.edge_type), time),
        }
    }

    fn values(&self, life: &impl LifeRecord, owner: Owner, time: Time) -> BTreeMap<Name, Value> {
        self.named_values((owner, life.feature_row()), life.as_of(time)).collect()
    }

    fn lives<L: LifeRecord + Pod>(&self, lives: &Array<L>, latest: u32, owner: Owner) -> ElementHistory {
        let mut history: ElementHistory = chain(lives, latest)
            .map(|life| &lives[life as usize])
            .filter(|life| life.is_real())
            .map(|life| Life { interval: life.interval(), features: self.spans(life, owner) })
            .collect();
        history.reverse();
        history
    }

    pub(crate) fn spans(&self, life: &impl LifeRecord, owner: Owner) -> Vec<FeatureSpan> {
        let defs = self.schema.features(owner);
        let span = |(id, interval, value): (FeatureId, Interval, u32)| {
            let (name, value) = (defs.get(id.at())?.name.clone(), self.feature_store.value(value)?);
            Some(FeatureSpan { name, interval, value })
        };
        let mut spans: Vec<_> =
            self.feature_store.history(life.feature_row(), life.interval()).filter_map(span).collect();
        spans.sort_by(|a, b| (&a.name, a.interval.created).cmp(&(&b.name, b.interval.created)));
        spans
    }

    pub(crate) fn record(&self, merge: &Merge) -> MergeRecord {
        let (from, into) = (self.node_key(merge.from), self.node_key(merge.into));
        MergeRecord { from, into, interval: merge.interval, features: self.values(merge, Owner::Merge, Time::FOREVER) }
    }

    /// The event at a position of the log.
    pub(super) fn event(&self, position: u32) -> Event {
        let entry = self.events.get(position);
        let (interval, feature_row, owner, element) = match entry.subject {
            Subject::Node(life) => {
                let life = &self.nodes.lives[life as usize];
                let owner = Owner::Node(self.nodes.node_type(life.node));
                (life.interval, life.feature_row(), owner, Element::Node(self.node_key(life.node)))
            }
            Subject::Edge(life) => {
                let life = self.edges.get(EdgeIndex(life));
                (life.interval, life.feature_row(), Owner::Edge(life.edge_type), Element::Edge(self.key_of(life)))
            }
            Subject::Merge(merge) => {
                let merge = &self.merges.all[merge as usize];
                let key = |node: NodeIndex| self.node_key(node);
                let element = Element::Merge { from: key(merge.from), into: key(merge.into) };
                (merge.interval, merge.feature_row(), Owner::Merge, element)
            }
        };
        let defs = self.schema.features(owner);
        let feature =
            |(id, value): (FeatureId, u32)| Some((defs.get(id.at())?.name.clone(), self.feature_store.value(value)));
        let mut features: Vec<_> = entry.sets.iter().map(|set| (set.feature, set.value)).filter_map(feature).collect();
        if entry.first {
            features.extend(self.feature_store.first(feature_row).filter_map(feature));
            features.sort_by(|a, b| a.0.cmp(&b.0));
        }
        Event { time: time_of(entry.action, interval, entry.updated), action: entry.action, element, features }
    }
}
