//! What differs between two states of the graph: two times, two commits, or both.
//!
//! Slow reference: `timeweft_oracle::diff_states`.
//!
//! What is kept of a change is the number of its element. Keys and names of features are made one by one, as the
//! changes are read.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use timeweft_graph::{
    At, Diff, EdgeIndex, EdgeKey, Element, FeatureId, GraphView, MergeRecord, Name, NodeIndex, Owner, Schema, Updated,
    Value,
};

use crate::Index;
use crate::elements::life::{LifeRecord, shown};
use crate::elements::merge::Merge;

/// A state: an index at a moment.
pub(crate) type State<'a> = (&'a Index, At);

/// What became of an element.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChangeKind {
    /// It is there and was not, or another life of it was.
    Created,
    /// Its features differ.
    Updated,
    /// It was there and is not.
    Removed,
}

/// An element that differs between two states.
#[derive(Clone, PartialEq, Debug)]
pub struct Change {
    /// What became of it.
    pub kind: ChangeKind,
    /// The node or edge.
    pub element: Element,
    /// The names of the features that differ, sorted, if it was updated.
    pub features: Vec<Name>,
}

/// Where a change is found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChangePlace {
    /// What became of the element.
    pub kind: ChangeKind,
    at: Place,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Node(NodeIndex),
    Edge(EdgeIndex),
    /// Of the earlier index; the later one never saw it.
    GoneNode(NodeIndex),
    GoneEdge(EdgeIndex),
}

/// How many nodes, or edges, differ.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ChangeCounts {
    /// Created.
    pub created: usize,
    /// Updated.
    pub updated: usize,
    /// Removed.
    pub removed: usize,
}

/// What came of an element of which at least one of two states shows a life; one that came and went is created and removed.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Fate {
    pub(crate) created: bool,
    pub(crate) updated: bool,
    pub(crate) removed: bool,
}

impl Fate {
    fn is_none(self) -> bool {
        self == Fate::default()
    }
}

/// Two states of the graph, to be compared.
#[derive(Clone, Copy)]
pub struct Comparison<'a> {
    pub(crate) before: State<'a>,
    pub(crate) after: State<'a>,
    /// The namespace that is asked.
    pub(crate) namespace: Option<&'a str>,
}

/// The elements that differ, to be gone through.
pub struct Changes<'a> {
    of: Comparison<'a>,
    list: Arc<ChangeList>,
}

/// The numbers of the elements that differ, sorted by key: four bytes for each. They mean nothing without the two indexes that
/// were compared.
#[derive(Debug)]
pub struct ChangeList {
    nodes: Changed<NodeIndex>,
    edges: Changed<EdgeIndex>,
    merged: Vec<u32>,
}

/// Numbers of elements in the later index; of edges those of the latest lives.
#[derive(Debug)]
struct Changed<T> {
    created: Vec<T>,
    updated: Vec<T>,
    removed: Vec<T>,
    /// Those in the earlier index of removed elements that the later one never saw.
    gone: Vec<T>,
}

impl<T: Copy> Changed<T> {
    fn new() -> Changed<T> {
        Changed { created: Vec::new(), updated: Vec::new(), removed: Vec::new(), gone: Vec::new() }
    }

    fn add(&mut self, element: T, fate: Fate) {
        let Fate { created, updated, removed } = fate;
        self.created.extend(created.then_some(element));
        self.updated.extend(updated.then_some(element));
        self.removed.extend(removed.then_some(element));
    }

    fn counts(&self) -> ChangeCounts {
        let removed = self.removed.len() + self.gone.len();
        ChangeCounts { created: self.created.len(), updated: self.updated.len(), removed }
    }
}

impl ChangeList {
    /// How many changes there are, merges among them.
    pub fn len(&self) -> usize {
        let of = |counts: ChangeCounts| counts.created + counts.updated + counts.removed;
        of(self.nodes.counts()) + of(self.edges.counts()) + self.merged.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl ChangeCounts {
    fn add(&mut self, fate: Fate) {
        self.created += usize::from(fate.created);
        self.updated += usize::from(fate.updated);
        self.removed += usize::from(fate.removed);
    }
}

impl Index {
    /// What differs between another state, `from`, and this index at a moment. Both may be one index at two moments, or
    /// the graph at two commits, where numbers and types may differ: elements are then found by name.
    ///
    /// With soft deletes an element that is deleted is still shown, and counts as removed if it was not yet deleted in
    /// `from`; one that began and ended between the two is created and removed.
    pub fn compare_from<'a>(&'a self, (before, from): (&'a Index, At), to: At) -> Comparison<'a> {
        Comparison { before: (before, from), after: (self, to), namespace: None }
    }

    /// All that [`Index::compare_from`] finds.
    pub fn diff_from(&self, before: (&Index, At), to: At) -> Diff {
        self.compare_from(before, to).changes().to_diff()
    }
}

impl<'a> Comparison<'a> {
    /// Only what a namespace holds in one of the states, by what it says itself: an element that others go on to hold is
    /// removed for the namespace that let it go.
    pub fn of_namespace(self, namespace: &'a str) -> Comparison<'a> {
        Comparison { namespace: Some(namespace), ..self }
    }

    /// The changes, to be gone through. Takes four bytes for each, and as many again to sort them.
    pub fn changes(self) -> Changes<'a> {
        let [(before, _), (after, _)] = [self.before, self.after];
        let (mut nodes, mut edges) = (Changed::new(), Changed::new());
        self.each_node(|node, fate| nodes.add(node, fate));
        self.each_gone_node(|node| nodes.gone.push(node));
        self.each_edge(|edge, fate| edges.add(edge, fate));
        self.each_gone_edge(|edge| edges.gone.push(edge));
        for list in [&mut nodes.created, &mut nodes.updated, &mut nodes.removed] {
            after.sort_nodes(list);
        }
        before.sort_nodes(&mut nodes.gone);
        for list in [&mut edges.created, &mut edges.updated, &mut edges.removed] {
            after.sort_edges(list);
        }
        before.sort_edges(&mut edges.gone);
        Changes { list: Arc::new(ChangeList { nodes, edges, merged: self.merged() }), of: self }
    }

    /// The changes that [`Changes::list`] gave of the same comparison.
    pub fn changes_of(self, list: Arc<ChangeList>) -> Changes<'a> {
        Changes { list, of: self }
    }

    /// How many nodes and edges differ, and how many merges hold that did not.
    pub fn counts(&self) -> (ChangeCounts, ChangeCounts, usize) {
        let (mut nodes, mut edges) = (ChangeCounts::default(), ChangeCounts::default());
        self.each_node(|_, fate| nodes.add(fate));
        self.each_gone_node(|_| nodes.removed += 1);
        self.each_edge(|_, fate| edges.add(fate));
        self.each_gone_edge(|_| edges.removed += 1);
        (nodes, edges, self.merged().len())
    }

    fn is_of_one_index(&self) -> bool {
        std::ptr::eq(self.before.0, self.after.0)
    }

    /// Every node that differs and that the later index knows.
    fn each_node(&self, mut each: impl FnMut(NodeIndex, Fate)) {
        let [(before, from), (after, to)] = [self.before, self.after];
        for node in (0..after.n_nodes() as u32).map(NodeIndex) {
            let earlier = self.earlier_node(node).and_then(|node| before.shown_node(node, from));
            let later = after.shown_node(node, to);
            let lives =
                [(before, earlier), (after, later)].map(|(index, life)| Some(&index.nodes.lives[life? as usize]));
            let owners = lives.map(|life| life.map_or(Owner::Merge, |life| Owner::Node(life.node_type)));
            let fate = self.own_fate(self.fate(lives, owners), || Element::Node(after.node_key(node)));
            if !fate.is_none() {
                each(node, fate);
            }
        }
    }

    fn each_edge(&self, mut each: impl FnMut(EdgeIndex, Fate)) {
        let [(before, from), (after, to)] = [self.before, self.after];
        for edge in after.edges.latest_lives().map(EdgeIndex) {
            let earlier = self.earlier_edge(edge).and_then(|edge| shown(&before.edges.lives, edge.0, from));
            let later = shown(&after.edges.lives, edge.0, to);
            let lives =
                [(before, earlier), (after, later)].map(|(index, life)| Some(&index.edges.lives[life? as usize]));
            let owners = lives.map(|life| life.map_or(Owner::Merge, |life| Owner::Edge(life.edge_type)));
            let fate = self.own_fate(self.fate(lives, owners), || Element::Edge(after.edge_key(edge)));
            if !fate.is_none() {
                each(edge, fate);
            }
        }
    }

    /// Every node of the earlier state that the later index never saw.
    fn each_gone_node(&self, mut each: impl FnMut(NodeIndex)) {
        if self.is_of_one_index() {
            return;
        }
        let ((before, from), (after, _)) = (self.before, self.after);
        let unknown = (0..before.n_nodes() as u32).map(NodeIndex).filter(|&node| before.node_in(after, node).is_none());
        let alive = unknown.filter(|&node| before.shown_node(node, At::time(from.time)).is_some());
        let fate = Fate { removed: true, ..Fate::default() };
        let own = alive.filter(|&node| self.own_fate(fate, || Element::Node(before.node_key(node))).removed);
        own.for_each(&mut each);
    }

    fn each_gone_edge(&self, mut each: impl FnMut(EdgeIndex)) {
        if self.is_of_one_index() {
            return;
        }
        let ((before, from), (after, _)) = (self.before, self.after);
        let unknown = before.edges.latest_lives().filter(|&edge| before.edge_in(after, edge).is_none());
        let alive = unknown.filter(|&edge| shown(&before.edges.lives, edge, At::time(from.time)).is_some());
        let fate = Fate { removed: true, ..Fate::default() };
        let own =
            alive.map(EdgeIndex).filter(|&edge| self.own_fate(fate, || Element::Edge(before.edge_key(edge))).removed);
        own.for_each(&mut each);
    }

    /// What became of an element with these shown lives.
    fn fate<L: LifeRecord>(&self, lives: [Option<&L>; 2], owners: [Owner; 2]) -> Fate {
        let ((_, from), (_, to)) = (self.before, self.after);
        let fate = existence(lives, from, to);
        match lives {
            [Some(a), Some(b)] if fate.is_none() => Fate { updated: self.is_updated([a, b], owners), ..fate },
            _ => fate,
        }
    }

    /// Whether the features of two lives differ.
    fn is_updated<L: LifeRecord>(&self, lives: [&L; 2], owners: [Owner; 2]) -> bool {
        // Most lives are the same one in both states and keep what they began with.
        let is_one = self.is_of_one_index() && std::ptr::eq(lives[0], lives[1]);
        if is_one && self.after.0.feature_store.never_changes(lives[1].feature_row()) {
            return false;
        }
        !self.differing(lives, owners).is_empty()
    }

    /// Names of the features that differ between two lives, sorted.
    fn differing<L: LifeRecord>(&self, [a, b]: [&L; 2], owners: [Owner; 2]) -> Vec<Name> {
        let ((before, from), (after, to)) = (self.before, self.after);
        let mut names: Vec<Name> = if self.is_of_one_index() {
            let (a, b) = (before.held(a, from), after.held(b, to));
            let value = |held: &BTreeMap<FeatureId, u32>, id| held.get(id).copied().unwrap_or(crate::NONE);
            let ids: BTreeSet<_> = a.keys().chain(b.keys()).collect();
            let differing = ids.into_iter().filter(|id| !after.feature_store.same(value(&a, id), value(&b, id)));
            let defs = after.schema.features(owners[1]);
            differing.filter_map(|id| Some(defs.get(id.at())?.name.clone())).collect()
        } else {
            let (a, b) = (before.named((a, owners[0]), from), after.named((b, owners[1]), to));
            let names: BTreeSet<_> = a.keys().chain(b.keys()).collect();
            names.into_iter().filter(|name| a.get(*name) != b.get(*name)).cloned().collect()
        };
        names.sort_unstable();
        names
    }

    /// The node with a number of the later index in the earlier one, created there or only named.
    fn earlier_node(&self, node: NodeIndex) -> Option<NodeIndex> {
        if self.is_of_one_index() { Some(node) } else { self.after.0.node_in(self.before.0, node) }
    }

    /// The latest life in the earlier index of an edge of the later one.
    fn earlier_edge(&self, edge: EdgeIndex) -> Option<EdgeIndex> {
        if self.is_of_one_index() { Some(edge) } else { self.after.0.edge_in(self.before.0, edge.0) }
    }

    /// Numbers of the merges that hold in the later state and did not in the earlier one.
    fn merged(&self) -> Vec<u32> {
        let ((before, from), (after, to)) = (self.before, self.after);
        let held = |merge: &Merge| {
            let ends = self.earlier_node(merge.from).zip(self.earlier_node(merge.into));
            ends.is_some_and(|(node, into)| {
                before.episodes(node).any(|known| {
                    let same = known.into == into && known.interval.created == merge.interval.created;
                    same && known.interval.contains(from.time)
                })
            })
        };
        let by = self.namespace.map(|namespace| after.namespaces.find(namespace));
        let all = (0u32..).zip(after.merges.all.iter());
        let holding = all.filter(|(_, merge)| merge.is_real() && merge.interval.contains(to.time) && !held(merge));
        let own = holding.filter(|(_, merge)| by.is_none_or(|by| by == Some(merge.namespace)));
        let mut merged: Vec<u32> = own.map(|(at, _)| at).collect();
        merged.sort_unstable_by(|&a, &b| {
            let [a, b] = [a, b].map(|at| &after.merges.all[at as usize]);
            let nodes = after.compare_nodes(a.from, b.from).then_with(|| after.compare_nodes(a.into, b.into));
            nodes.then(a.interval.cmp(&b.interval))
        });
        merged
    }
}

impl<'a> Changes<'a> {
    /// How many nodes and edges differ, and how many merges hold that did not.
    pub fn counts(&self) -> (ChangeCounts, ChangeCounts, usize) {
        (self.list.nodes.counts(), self.list.edges.counts(), self.list.merged.len())
    }

    /// What is found, to be kept beside the two indexes.
    pub fn list(&self) -> Arc<ChangeList> {
        self.list.clone()
    }

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.counts() == Default::default()
    }

    /// Nodes before edges; of each first what was created, then what was updated, then what was removed, each sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = Change> + '_ {
        self.places().map(|place| self.change(place))
    }

    /// Where each of [`Changes::iter`] is found, in the same order: no element is made for it.
    pub fn places(&self) -> impl Iterator<Item = ChangePlace> + '_ {
        let ((before, _), (after, _)) = (self.of.before, self.of.after);
        let (nodes, edges) = (&self.list.nodes, &self.list.edges);
        let node = |kind| move |&node: &NodeIndex| ChangePlace { kind, at: Place::Node(node) };
        let edge = |kind| move |&edge: &EdgeIndex| ChangePlace { kind, at: Place::Edge(edge) };
        let gone = |at| ChangePlace { kind: ChangeKind::Removed, at };
        let gone_nodes = nodes.gone.iter().map(move |&node| gone(Place::GoneNode(node)));
        let gone_edges = edges.gone.iter().map(move |&edge| gone(Place::GoneEdge(edge)));
        let removed_nodes = merged_by(nodes.removed.iter().map(node(ChangeKind::Removed)), gone_nodes, |a, b| {
            let (Place::Node(a), Place::GoneNode(b)) = (a.at, b.at) else { return Ordering::Less };
            after.node_key(a).cmp(&before.node_key(b))
        });
        let removed_edges = merged_by(edges.removed.iter().map(edge(ChangeKind::Removed)), gone_edges, |a, b| {
            let (Place::Edge(a), Place::GoneEdge(b)) = (a.at, b.at) else { return Ordering::Less };
            after.edge_key(a).cmp(&before.edge_key(b))
        });
        let of_nodes = nodes.created.iter().map(node(ChangeKind::Created));
        let of_nodes = of_nodes.chain(nodes.updated.iter().map(node(ChangeKind::Updated))).chain(removed_nodes);
        let of_edges = edges.created.iter().map(edge(ChangeKind::Created));
        let of_edges = of_edges.chain(edges.updated.iter().map(edge(ChangeKind::Updated))).chain(removed_edges);
        of_nodes.chain(of_edges)
    }

    /// The schema of the later state.
    pub fn schema(&self) -> &'a Schema {
        &self.of.after.0.schema
    }

    /// The type of the element at a place, in the schema of its own state: the earlier one of what was removed and the later
    /// one never saw.
    pub fn owner(&self, place: ChangePlace) -> (&'a Schema, Owner) {
        let ((before, _), (after, _)) = (self.of.before, self.of.after);
        match place.at {
            Place::Node(node) => (&after.schema, Owner::Node(after.node_type(node))),
            Place::GoneNode(node) => (&before.schema, Owner::Node(before.node_type(node))),
            Place::Edge(edge) => (&after.schema, Owner::Edge(after.edges.get(edge).edge_type)),
            Place::GoneEdge(edge) => (&before.schema, Owner::Edge(before.edges.get(edge).edge_type)),
        }
    }

    /// The change at a place.
    pub fn change(&self, place: ChangePlace) -> Change {
        let ((before, _), (after, _)) = (self.of.before, self.of.after);
        let is_updated = place.kind == ChangeKind::Updated;
        let (element, features) = match place.at {
            Place::Node(node) if is_updated => (Element::Node(after.node_key(node)), self.node_features(node)),
            Place::Edge(edge) if is_updated => (Element::Edge(after.edge_key(edge)), self.edge_features(edge)),
            Place::Node(node) => (Element::Node(after.node_key(node)), Vec::new()),
            Place::Edge(edge) => (Element::Edge(after.edge_key(edge)), Vec::new()),
            Place::GoneNode(node) => (Element::Node(before.node_key(node)), Vec::new()),
            Place::GoneEdge(edge) => (Element::Edge(before.edge_key(edge)), Vec::new()),
        };
        Change { kind: place.kind, element, features }
    }

    /// The values before and after a change: of an update those that differ; what was not there has none.
    pub fn values(&self, change: &Change) -> [Option<BTreeMap<Name, Value>>; 2] {
        let held = |(index, at): State<'_>, absent: ChangeKind| {
            let state = match &change.element {
                _ if change.kind == absent => None,
                Element::Node(key) => index.node(key, at).map(|node| node.features),
                Element::Edge(key) => index.edge(key, at).map(|edge| edge.features),
                Element::Merge { .. } => None,
            };
            state.map(|mut values| {
                if change.kind == ChangeKind::Updated {
                    // The names are sorted, and there may be many thousands.
                    values.retain(|name, _| change.features.binary_search(name).is_ok());
                }
                values
            })
        };
        [held(self.of.before, ChangeKind::Created), held(self.of.after, ChangeKind::Removed)]
    }

    /// The merges that hold in the later state and did not in the earlier one, in [`MergeRecord::canonical_order`].
    pub fn merged(&self) -> impl Iterator<Item = MergeRecord> + '_ {
        let after = self.of.after.0;
        self.list.merged.iter().map(move |&at| after.record(&after.merges.all[at as usize]))
    }

    /// All of them at once.
    pub fn to_diff(&self) -> Diff {
        let mut diff = Diff { merged: self.merged().collect(), ..Diff::default() };
        for Change { kind, element, features } in self.iter() {
            match (element, kind) {
                (Element::Node(key), ChangeKind::Created) => diff.nodes_created.push(key),
                (Element::Node(key), ChangeKind::Updated) => diff.nodes_updated.push(Updated { key, features }),
                (Element::Node(key), ChangeKind::Removed) => diff.nodes_removed.push(key),
                (Element::Edge(key), ChangeKind::Created) => diff.edges_created.push(key),
                (Element::Edge(key), ChangeKind::Updated) => diff.edges_updated.push(Updated { key, features }),
                (Element::Edge(key), ChangeKind::Removed) => diff.edges_removed.push(key),
                (Element::Merge { .. }, _) => {}
            }
        }
        diff
    }

    /// Names of the features of a node that differ.
    fn node_features(&self, node: NodeIndex) -> Vec<Name> {
        let ((before, from), (after, to)) = (self.of.before, self.of.after);
        if let Some(own) = self.of.own_features(|| Element::Node(after.node_key(node))) {
            return own;
        }
        let lives = (self.of.earlier_node(node).and_then(|node| before.shown_node(node, from)))
            .zip(after.shown_node(node, to))
            .map(|(a, b)| [&before.nodes.lives[a as usize], &after.nodes.lives[b as usize]]);
        lives.map_or_else(Vec::new, |lives| self.of.differing(lives, lives.map(|life| Owner::Node(life.node_type))))
    }

    fn edge_features(&self, edge: EdgeIndex) -> Vec<Name> {
        let ((before, from), (after, to)) = (self.of.before, self.of.after);
        if let Some(own) = self.of.own_features(|| Element::Edge(after.edge_key(edge))) {
            return own;
        }
        let lives = (self.of.earlier_edge(edge).and_then(|edge| shown(&before.edges.lives, edge.0, from)))
            .zip(shown(&after.edges.lives, edge.0, to))
            .map(|(a, b)| [before.edges.get(EdgeIndex(a)), after.edges.get(EdgeIndex(b))]);
        lives.map_or_else(Vec::new, |lives| self.of.differing(lives, lives.map(|life| Owner::Edge(life.edge_type))))
    }
}

impl Index {
    fn shown_node(&self, node: NodeIndex, at: At) -> Option<u32> {
        shown(&self.nodes.lives, self.nodes.life(node), at)
    }

    /// The same node in another index, created there or only named.
    fn node_in(&self, other: &Index, node: NodeIndex) -> Option<NodeIndex> {
        let node_type = &self.schema.node_types()[self.nodes.node_type(node).at()].name;
        other.nodes.find(other.schema.node_type(node_type)?, self.nodes.id(node))
    }

    /// The latest life of the same edge in another index.
    fn edge_in(&self, other: &Index, edge: u32) -> Option<EdgeIndex> {
        let key: EdgeKey = self.edge_key(EdgeIndex(edge));
        other.edge_index(&key)
    }

    /// Numbers of the values of a life at a moment.
    fn held(&self, life: &impl LifeRecord, at: At) -> BTreeMap<FeatureId, u32> {
        self.feature_store.at(life.feature_row(), life.as_of(at.time)).collect()
    }

    /// The same by name and as bytes, which are the same in every index.
    fn named(&self, (life, owner): (&impl LifeRecord, Owner), at: At) -> BTreeMap<Name, Vec<u8>> {
        let defs = self.schema.features(owner);
        let held = self.feature_store.at(life.feature_row(), life.as_of(at.time));
        held.filter_map(|(id, value)| {
            Some((defs.get(id.at())?.name.clone(), self.feature_store.bytes(value)?.to_vec()))
        })
        .collect()
    }
}

/// What came, went, or came and went of an element with these shown lives.
fn existence<L: LifeRecord>(lives: [Option<&L>; 2], from: At, to: At) -> Fate {
    let is_over = |life: &L, at: At| !life.interval().contains(at.time);
    let fate = |created, removed| Fate { created, removed, updated: false };
    match lives {
        [None, None] => Fate::default(),
        [None, Some(b)] => fate(true, is_over(b, to)),
        [Some(a), None] => fate(false, !is_over(a, from)),
        [Some(a), Some(b)] => match (is_over(a, from), is_over(b, to)) {
            (false, over) => fate(false, over),
            (true, false) => fate(true, false),
            // Another life began and ended between.
            (true, true) => {
                let is_other = a.interval() != b.interval();
                fate(is_other, is_other)
            }
        },
    }
}

/// Two sorted lists as one.
fn merged_by<T>(
    a: impl Iterator<Item = T>,
    b: impl Iterator<Item = T>,
    compare: impl Fn(&T, &T) -> Ordering,
) -> impl Iterator<Item = T> {
    let (mut a, mut b) = (a.peekable(), b.peekable());
    std::iter::from_fn(move || match (a.peek(), b.peek()) {
        (Some(first), Some(second)) if compare(first, second) == Ordering::Greater => b.next(),
        (None, Some(_)) => b.next(),
        _ => a.next(),
    })
}
