//! The law by which merges come in.

use timeweft_graph::{Action, Event, Name, NodeIndex, NodeKey, Owner, Reason, Time};

use crate::elements::events::Subject;
use crate::intake::check::full;
use crate::{Index, NONE};

/// The two nodes of an event; the second may be one that no event has named.
struct Ends<'a> {
    from: &'a NodeKey,
    into: &'a NodeKey,
    from_index: NodeIndex,
    into_index: Option<NodeIndex>,
}

impl Ends<'_> {
    fn refused(&self, why: &str) -> Reason {
        refused(self.from, self.into, why)
    }
}

fn refused(from: &NodeKey, into: &NodeKey, why: &str) -> Reason {
    Reason::BadMerge(format!("{from} into {into}: {why}"))
}

impl Index {
    pub(crate) fn apply_merge(
        &mut self,
        event: &Event,
        from: &NodeKey,
        into: &NodeKey,
        namespace: &Name,
    ) -> Result<(), Reason> {
        // A node that never lived may become another if one became it, from then on.
        let from_index = self.find_named(from)?;
        let into_index = self.find_named(into)?;
        if from == into {
            return Err(refused(from, into, "a node cannot merge into itself"));
        }
        let is_there = |node: &NodeIndex| self.is_named_at(*node, event.time);
        let from_index = from_index.filter(is_there).ok_or_else(|| Reason::UnknownNode(from.clone()))?;
        let ends = Ends { from, into, from_index, into_index };
        let open = self.open_merge(&ends);
        let merge = match event.action {
            Action::Create => self.begin_merge(event, &ends, open, namespace)?,
            Action::Update => self.own_merge(event, &ends, open, namespace)?,
            Action::Delete => {
                let merge = self.own_merge(event, &ends, open, namespace)?;
                self.merges.all[merge as usize].interval.removed = event.time;
                merge
            }
        };
        self.nodes.latest[from_index.at()] = event.time;
        let sets = self.sets(Owner::Merge, &event.features);
        self.change(Subject::Merge(merge), event.time, &sets);
        self.accept(event.action, Subject::Merge(merge), event.time, &sets);
        Ok(())
    }

    /// Whether a node has a life or a merge of its own, or else was named at a time by another that became it. Few nodes are
    /// known by that alone: for those all merges are looked through.
    fn is_named_at(&self, node: NodeIndex, time: Time) -> bool {
        let has_its_own = self.nodes.life(node) != NONE || self.nodes.merge(node) != NONE;
        has_its_own || self.merges.all.iter().any(|merge| merge.into == node && merge.interval.created <= time)
    }

    fn find_named(&self, key: &NodeKey) -> Result<Option<NodeIndex>, Reason> {
        Ok(self.check_node_type(&key.node_type)?.and_then(|node_type| self.nodes.find(node_type, key.id.as_ref())))
    }

    fn open_merge(&self, ends: &Ends<'_>) -> Option<u32> {
        let latest = self.nodes.merge(ends.from_index);
        let into = ends.into_index?;
        self.merges.open_of(latest).find(|&merge| self.merges.all[merge as usize].into == into)
    }

    /// A target that was never created gets its number, and its type becomes known, but it lives nowhere.
    fn begin_merge(
        &mut self,
        event: &Event,
        ends: &Ends<'_>,
        open: Option<u32>,
        namespace: &Name,
    ) -> Result<u32, Reason> {
        self.check_last_holder(ends.from_index, namespace, || format!("node {}", ends.from))?;
        if self.nodes.is_open(ends.from_index) {
            return Err(ends.refused("the first node is still alive: delete it first"));
        }
        if open.is_some() {
            return Err(ends.refused("this merge holds already"));
        }
        self.check_order(ends.from_index, event.time)?;
        self.check_features(Some(Owner::Merge), || "merge".into(), &event.features)?;

        let node_type = self.schema.add_node_type(&ends.into.node_type).ok_or_else(|| full("node types"))?;
        let into = ends.into_index.unwrap_or_else(|| self.nodes.add(node_type, ends.into.id.as_ref()));
        let namespace = self.namespaces.add(namespace);
        let from = ends.from_index;
        let merge = self.merges.open([from, into], self.nodes.merge(from), event.time, namespace);
        self.nodes.merge[from.at()] = merge;
        Ok(merge)
    }

    /// The open merge that an event may change or end.
    fn own_merge(&self, event: &Event, ends: &Ends<'_>, open: Option<u32>, namespace: &Name) -> Result<u32, Reason> {
        let merge = open.ok_or_else(|| ends.refused("no such merge holds"))?;
        let owner = self.merges.all[merge as usize].namespace;
        self.check_namespace(owner, namespace, || format!("merge of node {}", ends.from))?;
        self.check_order(ends.from_index, event.time)?;
        self.check_features(Some(Owner::Merge), || "merge".into(), &event.features)?;
        Ok(merge)
    }
}
