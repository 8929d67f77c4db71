//! What differs between two states of the graph: two times, two commits, or both.

use std::collections::{BTreeMap, BTreeSet};

use timeweft_graph::{At, Diff, EdgeIndex, EdgeKey, FeatureId, MergeRecord, Name, NodeIndex, Owner, Updated};

use crate::Index;
use crate::life::{Life, shown};

/// A state: an index at a moment.
type State<'a> = (&'a Index, At);

/// What became of an element that at least one of two states shows.
struct Change {
    created: bool,
    removed: bool,
}

impl Index {
    /// What differs between another state, `from`, and this index at a moment. Both may be one index at two moments, or
    /// the graph at two commits, where numbers and types may differ: elements are then found by name.
    ///
    /// With soft deletes an element that is deleted is still shown, and counts as removed if it was not yet deleted in
    /// `from`; one that began and ended between the two is created and removed.
    pub fn diff_from(&self, (before, from): (&Index, At), to: At) -> Diff {
        let mut diff = Diff::default();
        self.diff_nodes((before, from), to, &mut diff);
        self.diff_edges((before, from), to, &mut diff);
        diff.merged = self.diff_merges((before, from), to);
        diff
    }

    fn diff_nodes(&self, from: State<'_>, to: At, diff: &mut Diff) {
        let before = from.0;
        for node in (0..self.n_nodes() as u32).map(NodeIndex) {
            let earlier = self.node_in(before, node).and_then(|node| before.shown_node(node, from.1));
            let later = self.shown_node(node, to);
            let lives =
                [(before, earlier), (self, later)].map(|(index, life)| Some(&index.nodes.lives[life? as usize]));
            let Some(change) = change(lives, from.1, to) else { continue };
            if change.created {
                diff.nodes_created.push(self.node_key(node));
            }
            if change.removed {
                diff.nodes_removed.push(self.node_key(node));
            }
            if let ([Some(a), Some(b)], false, false) = (lives, change.created, change.removed) {
                let features = self.changed(from, (to, Owner::Node(b.node_type)), (a, Owner::Node(a.node_type)), b);
                if !features.is_empty() {
                    diff.nodes_updated.push(Updated { key: self.node_key(node), features });
                }
            }
        }
        if !std::ptr::eq(self, before) {
            let unknown =
                (0..before.n_nodes() as u32).map(NodeIndex).filter(|&node| before.node_in(self, node).is_none());
            let shown = unknown.filter(|&node| before.shown_node(node, At::time(from.1.time)).is_some());
            diff.nodes_removed.extend(shown.map(|node| before.node_key(node)));
        }
        diff.nodes_created.sort_unstable();
        diff.nodes_removed.sort_unstable();
        diff.nodes_updated.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    }

    fn diff_edges(&self, from: State<'_>, to: At, diff: &mut Diff) {
        let before = from.0;
        for latest in self.edges.latest_lives() {
            let earlier = self.edge_in(before, latest).and_then(|latest| shown(&before.edges.lives, latest, from.1));
            let later = shown(&self.edges.lives, latest, to);
            let lives =
                [(before, earlier), (self, later)].map(|(index, life)| Some(&index.edges.lives[life? as usize]));
            let Some(change) = change(lives, from.1, to) else { continue };
            let key = || self.edge_key(EdgeIndex(latest));
            if change.created {
                diff.edges_created.push(key());
            }
            if change.removed {
                diff.edges_removed.push(key());
            }
            if let ([Some(a), Some(b)], false, false) = (lives, change.created, change.removed) {
                let features = self.changed(from, (to, Owner::Edge(b.edge_type)), (a, Owner::Edge(a.edge_type)), b);
                if !features.is_empty() {
                    diff.edges_updated.push(Updated { key: key(), features });
                }
            }
        }
        if !std::ptr::eq(self, before) {
            let unknown = before.edges.latest_lives().filter(|&edge| before.edge_in(self, edge).is_none());
            let shown = unknown.filter(|&edge| shown(&before.edges.lives, edge, At::time(from.1.time)).is_some());
            diff.edges_removed.extend(shown.map(|edge| before.edge_key(EdgeIndex(edge))));
        }
        diff.edges_created.sort_unstable();
        diff.edges_removed.sort_unstable();
        diff.edges_updated.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    }

    /// The merges that hold here and did not there.
    fn diff_merges(&self, (before, from): State<'_>, to: At) -> Vec<MergeRecord> {
        let holding = |index: &Index, at: At| {
            let holds =
                index.merges.all.iter().filter(move |merge| merge.is_real() && merge.interval.contains(at.time));
            holds.map(|merge| index.record(merge)).collect::<Vec<_>>()
        };
        let name = |merge: &MergeRecord| (merge.from.clone(), merge.into.clone(), merge.interval.created);
        let held: BTreeSet<_> = holding(before, from).iter().map(name).collect();
        let mut merged = holding(self, to);
        merged.retain(|merge| !held.contains(&name(merge)));
        merged.sort_unstable_by(MergeRecord::canonical_order);
        merged
    }

    fn shown_node(&self, node: NodeIndex, at: At) -> Option<u32> {
        shown(&self.nodes.lives, self.nodes.life(node), at)
    }

    /// The same node in another index, created there or only named.
    fn node_in(&self, other: &Index, node: NodeIndex) -> Option<NodeIndex> {
        if std::ptr::eq(self, other) {
            return Some(node);
        }
        let node_type = &self.schema.node_types()[self.nodes.node_type(node).at()].name;
        other.nodes.find(other.schema.node_type(node_type)?, self.nodes.id(node))
    }

    /// The latest life of the same edge in another index.
    fn edge_in(&self, other: &Index, edge: u32) -> Option<u32> {
        if std::ptr::eq(self, other) {
            return Some(edge);
        }
        let key: EdgeKey = self.edge_key(EdgeIndex(edge));
        other.edge_index(&key).map(|edge| edge.0)
    }

    /// Names of the features that differ between a life of `from` and one of this index.
    fn changed<L: Life>(&self, from: State<'_>, (to, owner): (At, Owner), a: (&L, Owner), b: &L) -> Vec<Name> {
        let before = from.0;
        let mut names: Vec<Name> = if std::ptr::eq(self, before) {
            let (a, b) = (self.held(a.0, from.1), self.held(b, to));
            let value = |held: &BTreeMap<FeatureId, u32>, id| held.get(id).copied().unwrap_or(crate::NONE);
            let ids: BTreeSet<_> = a.keys().chain(b.keys()).collect();
            let differing = ids.into_iter().filter(|id| !self.columns.same(value(&a, id), value(&b, id)));
            let defs = self.schema.features(owner);
            differing.filter_map(|id| Some(defs.get(id.at())?.name.clone())).collect()
        } else {
            let (a, b) = (before.named(a, from.1), self.named((b, owner), to));
            let names: BTreeSet<_> = a.keys().chain(b.keys()).collect();
            names.into_iter().filter(|name| a.get(*name) != b.get(*name)).cloned().collect()
        };
        names.sort_unstable();
        names
    }

    /// Numbers of the values of a life at a moment.
    fn held(&self, life: &impl Life, at: At) -> BTreeMap<FeatureId, u32> {
        self.columns.at(life.track(), life.as_of(at.time)).collect()
    }

    /// The same by name and as bytes, which are the same in every index.
    fn named(&self, (life, owner): (&impl Life, Owner), at: At) -> BTreeMap<Name, Vec<u8>> {
        let defs = self.schema.features(owner);
        let held = self.columns.at(life.track(), life.as_of(at.time));
        held.filter_map(|(id, value)| Some((defs.get(id.at())?.name.clone(), self.columns.bytes(value)?.to_vec())))
            .collect()
    }
}

/// What became of an element with these shown lives; `None` if it is not shown at all.
fn change<L: Life>(lives: [Option<&L>; 2], from: At, to: At) -> Option<Change> {
    let is_over = |life: &L, at: At| !life.interval().contains(at.time);
    Some(match lives {
        [None, None] => return None,
        [None, Some(b)] => Change { created: true, removed: is_over(b, to) },
        [Some(a), None] => Change { created: false, removed: !is_over(a, from) },
        [Some(a), Some(b)] => match (is_over(a, from), is_over(b, to)) {
            (false, over) => Change { created: false, removed: over },
            (true, false) => Change { created: true, removed: false },
            // Another life began and ended between.
            (true, true) => {
                let is_other = a.interval() != b.interval();
                Change { created: is_other, removed: is_other }
            }
        },
    })
}
