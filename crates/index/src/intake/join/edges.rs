//! Listed edges, and those that are not.

use timeweft_graph::rows::RowRef;
use timeweft_graph::{Action, EdgeIndex, Element, Interval, NodeIndex, NodeKey, Reason};

use super::{LogStep, VersionLoader, count_changed, count_created, lived};
use crate::NONE;
use crate::elements::edge::EdgeIdentity;
use crate::elements::life::LifeRecord;
use crate::intake::lifecycle::{FirstFeatures, NewEdge};

impl VersionLoader<'_> {
    pub(super) fn edge(&mut self, row: RowRef<'_>) {
        let edge_type = &self.index.schema.edge_types()[row.edge_type().at()];
        let (from, to) = (edge_type.source, edge_type.destination);
        // An edge stands where the one after the last stands, or else most often at the next node.
        let guess = self.index.edges.lives.get(self.next_edge as usize).map(|life| (life.source.0, life.destination.0));
        let (source, destination) = guess.unwrap_or((self.next_source, self.next_source));
        let source = self.index.nodes.find_near(from, row.id(), source);
        let destination = self.index.nodes.find_near(to, row.destination(), destination);
        let lives = |node: Option<NodeIndex>| node.filter(|&node| self.stays(node));
        match (lives(source), lives(destination)) {
            (Some(source), Some(destination)) => self.edge_between(row, source, destination),
            _ => self.missing_ends(row, [(from, row.id(), source), (to, row.destination(), destination)]),
        }
    }

    /// A listed edge whose ends live after this version.
    pub(super) fn edge_between(&mut self, row: RowRef<'_>, source: NodeIndex, destination: NodeIndex) {
        self.next_source = source.0 + 1;
        let key = match row.key() {
            None => Some(NONE),
            Some(key) => self.index.keys.find(key),
        };
        let identity = key.map(|key| EdgeIdentity { edge_type: row.edge_type(), source, destination, key });
        let known = identity.and_then(|identity| self.find_edge(identity));
        match known {
            Some(edge) if self.index.edges.get(edge).interval.is_open() => self.living_edge(row, edge),
            _ => self.new_edge(row, known, (source, destination)),
        }
    }

    fn find_edge(&self, identity: EdgeIdentity) -> Option<EdgeIndex> {
        match self.index.edges.lives.get(self.next_edge as usize) {
            Some(life) if life.identity() == identity && life.next == NONE => Some(EdgeIndex(self.next_edge)),
            _ => self.index.edges.find(identity),
        }
    }

    /// An edge that lacks an end has no place in the index where its first record could be noted.
    pub(super) fn dangle(&mut self, row: RowRef<'_>, missing: NodeKey, lived: bool) {
        let edge = row.edge_key(&self.index.schema);
        if self.is_unread_edge(&edge) {
            return;
        }
        if !self.dangling_edges.insert(edge.clone()) {
            let why = format!("edge {edge} is listed twice: its first record counts");
            self.report.edges.duplicates += 1;
            return self.reject(row.place(), Reason::Malformed(why));
        }
        self.report.edges.listed += 1;
        self.report.edges.dangling += 1;
        self.dangling.get_or_insert_with(|| (row.place(), Box::new(edge), missing.clone()));
        self.reject(row.place(), Reason::NotListed { node: missing, lived });
    }

    fn living_edge(&mut self, row: RowRef<'_>, edge: EdgeIndex) {
        self.next_edge = edge.0 + 1;
        if self.unknown.has_edge(edge) {
            return;
        }
        let life = self.index.edges.get(edge);
        let (owner, feature_row) = (life.namespace, life.feature_row());
        if !self.listed_edges.set(edge.at()) {
            let why = format!("edge {} is listed twice: its first record counts", self.index.edge_key(edge));
            self.report.edges.duplicates += 1;
            return self.reject(row.place(), Reason::Malformed(why));
        }
        self.report.edges.listed += 1;
        if owner != self.namespace_id || self.shared.has_edge(edge) {
            return self.shared_edge(row, edge);
        }
        self.compare(feature_row, row);
        if self.sets.is_empty() {
            self.report.edges.unchanged += 1;
            return;
        }
        if let Err(reason) = self.index.check_edge_order(edge, self.at) {
            return self.reject(row.place(), reason);
        }
        let only_new = self.count_changes(row.owner());
        count_changed(&mut self.report.edges, only_new);
        let features = self.named(row.owner());
        self.index.update_edge(edge, self.at, &self.sets);
        self.step(Action::Update, Element::Edge(self.index.edge_key(edge)), features);
    }

    fn new_edge(&mut self, row: RowRef<'_>, known: Option<EdgeIndex>, (source, destination): (NodeIndex, NodeIndex)) {
        if let Err(reason) = self.check_new_edge(known, [source, destination]) {
            return self.reject(row.place(), reason);
        }
        let lived_before = known.is_some_and(|edge| lived(&self.index.edges.lives, edge.0));
        self.intern(row);
        let key = row.key().map_or(NONE, |key| self.index.keys.add_str(key));
        let identity = EdgeIdentity { edge_type: row.edge_type(), source, destination, key };
        let first = FirstFeatures { sets: &self.sets, plain: true };
        let new = NewEdge { identity, latest: known };
        let edge = self.index.create_edge(new, self.at, first, self.namespace_id);
        self.listed_edges.set(edge.at());
        self.next_edge = edge.0 + 1;
        self.report.edges.listed += 1;
        count_created(&mut self.report.edges, lived_before);
        self.steps.push(LogStep::Create(row.at() as u32));
    }

    /// Whether both ends, and an earlier life, let an edge begin now.
    fn check_new_edge(&self, known: Option<EdgeIndex>, ends: [NodeIndex; 2]) -> Result<(), Reason> {
        // Nodes that came with this version began now.
        for end in ends.into_iter().filter(|end| end.0 < self.first_new) {
            let (life, key) = (Interval::open(self.at), || self.index.node_key(end));
            self.index.check_edge_end(self.index.edge_end(Some(end)), life, NONE, key)?;
        }
        self.index.check_new_edge(known, self.at)
    }
}
