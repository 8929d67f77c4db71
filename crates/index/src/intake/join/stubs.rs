//! Nodes that stand in for missing ones.
//!
//! Only the whole version says whether one may: nothing stands in for a node that the version itself calls merged or
//! deleted. So the edges that need one wait for the end.

use rustc_hash::FxHashSet;
use timeweft_graph::rows::{Rest, RowRef, Rows};
use timeweft_graph::{Action, Dangling, Element, Event, IdRef, NodeIndex, NodeKey, NodeTypeId, Reason};

use super::{LogStep, VersionLoader, lived};
use crate::intake::lifecycle::{FirstFeatures, NewNode};

/// An end of a listed edge: its type and id, and the node, if there ever was one.
pub(super) type End<'a> = (NodeTypeId, IdRef<'a>, Option<NodeIndex>);

/// Edges that wait for the end of the version.
#[derive(Default)]
pub(super) struct Waiting {
    rows: Vec<Rows>,
    /// Once the version is at its end, the nodes that it calls merged or deleted.
    no_more: Option<FxHashSet<NodeKey>>,
}

impl VersionLoader<'_> {
    /// A listed edge of which an end does not live after this version.
    pub(super) fn missing_ends(&mut self, row: RowRef<'_>, ends: [End<'_>; 2]) {
        let missing = ends.into_iter().filter(|end| !end.2.is_some_and(|node| self.stays(node)));
        let keys: Vec<(NodeKey, Option<NodeIndex>)> = missing
            .map(|(node_type, id, node)| {
                (NodeKey { node_type: self.index.schema.node_type_name(node_type), id: id.to_id() }, node)
            })
            .collect();
        let no_more = match &self.waiting.no_more {
            _ if self.options.dangling != Dangling::Stub => keys.first(),
            None => return self.wait(row),
            Some(no_more) => keys.iter().find(|(key, _)| no_more.contains(key)),
        };
        if let Some((key, node)) = no_more {
            let no_more = self.waiting.no_more.as_ref().is_some_and(|no_more| no_more.contains(key));
            let lived = node.is_some_and(|node| lived(&self.index.nodes.lives, self.index.nodes.life(node)));
            return self.dangle(row, key.clone(), lived || no_more);
        }
        for (key, node) in keys {
            if let Err(reason) = self.stub(key, node) {
                self.report.edges.listed += 1;
                self.report.edges.dangling += 1;
                return self.reject(row.place(), reason);
            }
        }
        let found = ends.map(|(node_type, id, _)| self.index.nodes.find(node_type, id));
        if let [Some(source), Some(destination)] = found {
            self.edge_between(row, source, destination);
        }
    }

    /// A node begins to stand in for a missing one; one that lives loses all that the namespace said of it.
    fn stub(&mut self, key: NodeKey, known: Option<NodeIndex>) -> Result<(), Reason> {
        let Some(node_type) = self.index.schema.node_type(&key.node_type) else { return Ok(()) };
        // Both ends may be the same.
        let known = known.or_else(|| self.index.nodes.find(node_type, key.id.as_ref()));
        if known.is_some_and(|node| self.stubs.has(node.at())) {
            return Ok(());
        }
        let open = known.filter(|&node| self.index.nodes.is_open(node));
        if let Some(node) = open {
            let features = self.index.living_node(node).stand_in(&self.namespace);
            if !features.is_empty() {
                self.index.check_order(node, self.at)?;
                self.report.nodes.emptied += 1;
                let (time, element) = (self.at, Element::Node(key));
                self.shared.changed.push(Event { time, action: Action::Update, element, features });
            }
            self.stubs.set(node.at());
        } else {
            self.index.check_new_node(known, self.at)?;
            let new = NewNode { node_type, id: key.id.as_ref(), known };
            let first = FirstFeatures { sets: &[], plain: true };
            let node = self.index.create_node(new, self.at, first, self.namespace_id);
            self.step(Action::Create, Element::Node(key), Vec::new());
            self.stubs.set(node.at());
        }
        self.report.nodes.stubs += 1;
        Ok(())
    }

    fn wait(&mut self, row: RowRef<'_>) {
        match self.waiting.rows.last_mut() {
            Some(rows) if rows.takes(row) => rows.push_copy(row, None),
            _ => {
                let mut rows = Rows::like(row);
                rows.push_copy(row, None);
                self.waiting.rows.push(rows);
            }
        }
    }

    /// Takes in the edges that waited, and notes which ends of the others the version calls merged or deleted.
    pub(super) fn late(&mut self, rest: &Rest) -> Vec<(Rows, Vec<LogStep>)> {
        let merged = rest.merges.iter().map(|row| &row.from);
        let no_more = merged.chain(rest.deleted.iter().map(|row| &row.node));
        let rows = std::mem::take(&mut self.waiting.rows);
        if rows.is_empty() && self.report.edges.dangling == 0 {
            return Vec::new();
        }
        let no_more: FxHashSet<NodeKey> = no_more.cloned().collect();
        for reject in self.rejects.iter_mut() {
            if let Reason::NotListed { node, lived } = &mut reject.reason {
                *lived |= no_more.contains(node);
            }
        }
        self.waiting.no_more = Some(no_more);
        let late = rows.into_iter().map(|rows| {
            rows.iter().for_each(|row| self.edge(row));
            (rows, std::mem::take(&mut self.steps))
        });
        late.collect()
    }
}
