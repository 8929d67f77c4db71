//! Questions that people ask of a hierarchy with names: an ontology, a taxonomy, or any graph that has such a part.
//!
//! A [`Query`] is asked of an index as of one time. Every edge on a path, and so both its ends, is alive then; a node
//! is in an answer once, however many ways lead to it, and never as its own relative. Edges of a hierarchy go from the child to
//! the parent. A name that the graph does not know is no error: it has nothing. Answers come in the order of ids unless
//! a method says otherwise, with how many there are in all and one page of them.
//!
//! Costs: a walk reads the live edges at the nodes that it reaches and nothing else. Questions by name read an index of
//! the values that one feature of one node type ever had; the first such question to a view makes it by one pass over
//! the nodes of that type, and the next event taken in drops it. No other question looks at the whole graph.
//!
//! ```
//! use timeweft_graph::{Action, EdgeKey, Element, Event, Name, NodeKey, Schema, Time, Value};
//! use timeweft_index::Index;
//!
//! let (biome, ecosystem) = (NodeKey::new("term", "ENVO:00000428"), NodeKey::new("term", "ENVO:01001110"));
//! let is_a = EdgeKey { source: biome.clone(), relation: "is_a".into(), destination: ecosystem.clone(), key: None };
//! let name = |name: &str| vec![("name".into(), Some(Value::text(name)))];
//! let create = |time, element| Event::new(Time(time), Action::Create, element);
//! let mut index = Index::new(Schema::default());
//! for event in [
//!     create(1, Element::Node(biome.clone())).with(name("biome")),
//!     create(1, Element::Node(ecosystem.clone())).with(name("ecosystem")),
//!     create(5, Element::Edge(is_a)),
//! ] {
//!     index.apply(&event, &Name::from(""))?;
//! }
//!
//! assert_eq!(index.query(Time(4)).ancestors(&biome).total, 0);
//! let ancestors = index.query(Time(5)).relations(["is_a"]).ancestors(&biome);
//! assert_eq!(ancestors.rows[0].node.key, ecosystem);
//! assert_eq!(index.query(Time(5)).by_name("term", "Biome", Some(&ecosystem))?.rows[0].node.key, biome);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answer;
mod filter;
mod find;
pub(crate) mod finder;
mod merges;
mod read;
mod search_text;
pub(crate) mod text_index;
mod walk;

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use timeweft_graph::{
    At, Deletes, Direction, EdgeIndex, FeatureKind, GraphView, Interval, Name, NodeIndex, NodeKey, Owner, Time,
};

pub use answer::{Answer, Linked, MOST_IDS, Page, QueryError, Row};
pub use filter::Filter;
pub use find::{Find, FoundNodes, Matched};
pub use merges::Resolution;
pub use search_text::SearchText;
pub use walk::HIERARCHY;

use crate::Index;
use text_index::TextIndex;
use walk::{Along, Found, Relations};

/// The order of the rows of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Order {
    /// By type and id.
    #[default]
    Id,
    /// By name without regard to case, then by id; nodes without a name come last.
    Name,
}

/// What holds the names of nodes.
#[derive(Clone, Debug)]
enum Naming {
    Feature(Name),
    Id,
}

/// A question to an index as of a time: how to walk, what to keep and what to return. See the [module](self).
#[derive(Clone)]
pub struct Query<'a> {
    index: &'a Index,
    at: At,
    relations: Relations,
    depth: u32,
    name: Naming,
    filter: Filter,
    order: Order,
    page: Page,
    select: Option<Vec<Name>>,
}

impl Index {
    /// Asks as of a time: along `is_a` and `child_of`, at most 100 hops, with names in the feature `name`, by id, the
    /// first 20 rows with all features, unless the query says otherwise.
    pub fn query(&self, time: Time) -> Query<'_> {
        Query {
            index: self,
            at: At::time(time),
            relations: Relations::Hierarchy,
            depth: 100,
            name: Naming::Feature("name".into()),
            filter: Filter::anything(),
            order: Order::Id,
            page: Page::default(),
            select: None,
        }
    }
}

impl<'a> Query<'a> {
    /// Walks along these relations only.
    pub fn relations(mut self, relations: impl IntoIterator<Item = impl AsRef<str>>) -> Query<'a> {
        self.relations = Relations::Named(relations.into_iter().map(|name| name.as_ref().into()).collect());
        self
    }

    /// Walks along every relation.
    pub fn any_relation(mut self) -> Query<'a> {
        self.relations = Relations::Any;
        self
    }

    /// Walks at most `hops` hops.
    pub fn depth(mut self, hops: u32) -> Query<'a> {
        self.depth = hops;
        self
    }

    /// The feature that holds the names of nodes.
    pub fn named_by(mut self, feature: &str) -> Query<'a> {
        self.name = Naming::Feature(feature.into());
        self
    }

    /// The ids of nodes are their names: paths of files, accounts.
    pub fn named_by_id(mut self) -> Query<'a> {
        self.name = Naming::Id;
        self
    }

    /// Whether deleted elements are gone, which is the default, or seen with their last values.
    pub fn deletes(mut self, deletes: Deletes) -> Query<'a> {
        self.at.deletes = deletes;
        self
    }

    /// Keeps only the rows whose nodes pass.
    pub fn filter(mut self, filter: Filter) -> Query<'a> {
        self.filter = filter;
        self
    }

    /// Returns the rows in this order.
    pub fn order(mut self, order: Order) -> Query<'a> {
        self.order = order;
        self
    }

    /// Returns this page of the rows.
    pub fn page(mut self, page: Page) -> Query<'a> {
        self.page = page;
        self
    }

    /// Returns only these features of nodes.
    pub fn select(mut self, features: impl IntoIterator<Item = impl AsRef<str>>) -> Query<'a> {
        self.select = Some(features.into_iter().map(|name| name.as_ref().into()).collect());
        self
    }

    /// The nodes of these keys that are alive, each once, on one page; ids that are unknown or not alive are left out.
    pub fn get(&self, keys: &[NodeKey]) -> Result<Answer, QueryError> {
        self.check_ids(keys)?;
        let alive = keys.iter().filter_map(|key| self.living(key));
        let nodes: BTreeSet<NodeIndex> = alive.collect();
        Ok(self.whole().answer(nodes.into_iter().map(|node| Found::at(node, 0)).collect()))
    }

    /// The nodes of a type that have exactly this name, case aside; with `within`, only those that have it as an ancestor.
    /// All on one page.
    pub fn by_name(&self, node_type: &str, name: &str, within: Option<&NodeKey>) -> Result<Answer, QueryError> {
        let Some(texts) = self.texts(node_type)? else { return Ok(Answer::default()) };
        let along = self.along(&self.relations);
        let mut nodes: Vec<_> = texts.named(name, &self.holds()).collect();
        if let Some(ancestor) = within {
            let ancestor = self.index.node_index(ancestor);
            nodes.retain(|&node| ancestor.is_some_and(|wanted| self.leads_to(node, wanted, &along)));
        }
        Ok(self.whole().answer(nodes.into_iter().map(|node| Found::at(node, 0)).collect()))
    }

    /// The nodes of a type whose name matches. A name that equals the text comes first, then names that begin with it,
    /// then the others, each by name and id, whatever the [`Order`].
    pub fn search(&self, node_type: &str, text: &SearchText) -> Result<Answer, QueryError> {
        let Some(texts) = self.texts(node_type)? else { return Ok(Answer::default()) };
        let ranked = texts.search(text, &self.holds()).into_iter();
        let kept = ranked.filter(|&node| self.filter.admits(self.index, node, self.at));
        Ok(self.paged(kept.map(|node| Found::at(node, 0)).collect()))
    }

    /// Nodes that the node's edges lead to, with these edges.
    pub fn parents(&self, key: &NodeKey) -> Answer {
        self.one_hop(key, &[Direction::Out], &self.relations)
    }

    /// Nodes whose edges lead to the node, with these edges.
    pub fn children(&self, key: &NodeKey) -> Answer {
        self.one_hop(key, &[Direction::In], &self.relations)
    }

    /// Everything that is reached by going from parent to parent.
    pub fn ancestors(&self, key: &NodeKey) -> Answer {
        self.far(key, Direction::Out)
    }

    /// Everything that is reached by going from child to child.
    pub fn descendants(&self, key: &NodeKey) -> Answer {
        self.far(key, Direction::In)
    }

    /// The other children of the node's parents.
    pub fn siblings(&self, key: &NodeKey) -> Answer {
        let Some(start) = self.living(key) else { return Answer::default() };
        let along = self.along(&self.relations);
        let mut seen = FxHashSet::from_iter([start]);
        let mut found = Vec::new();
        for parent in self.beside(start, &[Direction::Out], &along) {
            let children = self.beside(parent.node, &[Direction::In], &along);
            let others = children.into_iter().map(|child| child.node).filter(|&node| seen.insert(node));
            found.extend(others.map(|node| Found::at(node, 2)));
        }
        self.answer(found)
    }

    /// Nodes one hop away on either side, with the edges between; along any relation unless some are named.
    pub fn related(&self, key: &NodeKey) -> Answer {
        self.one_hop(key, &[Direction::Out, Direction::In], &self.relations.or_any())
    }

    /// All ancestors on one page, roots first: an ancestor comes after its own parents. Where ancestors go round in a
    /// circle, the one with the fewest parents still to come is next, then the farthest one.
    pub fn lineage(&self, key: &NodeKey) -> Answer {
        let Some(start) = self.living(key) else { return Answer::default() };
        let along = self.along(&self.relations);
        let mut found = self.roots_first(self.reach(start, Direction::Out, &along), &along);
        found.retain(|found| self.filter.admits(self.index, found.node, self.at));
        self.whole().paged(found)
    }

    /// Nodes of other types whose edges lead to the node (samples, objects of a workspace), with these edges; along any
    /// relation unless some are named. Those that the filter keeps are accessible, all are counted.
    pub fn linked(&self, key: &NodeKey) -> Linked {
        self.other_types(key, Direction::In)
    }

    /// Nodes of other types that the node's edges lead to: the terms of a sample, the taxon of an object.
    pub fn links(&self, key: &NodeKey) -> Linked {
        self.other_types(key, Direction::Out)
    }

    fn check_ids(&self, keys: &[NodeKey]) -> Result<(), QueryError> {
        if keys.len() > MOST_IDS { Err(QueryError::Ids(keys.len())) } else { Ok(()) }
    }

    /// The same query with everything on one page.
    fn whole(&self) -> Query<'a> {
        self.clone().page(Page::all())
    }

    fn living(&self, key: &NodeKey) -> Option<NodeIndex> {
        self.index.node_index(key).filter(|&node| read::life_at(self.index, node, self.at).is_some())
    }

    fn one_hop(&self, key: &NodeKey, directions: &[Direction], relations: &Relations) -> Answer {
        let Some(start) = self.living(key) else { return Answer::default() };
        self.answer(self.beside(start, directions, &self.along(relations)))
    }

    fn far(&self, key: &NodeKey, direction: Direction) -> Answer {
        let Some(start) = self.living(key) else { return Answer::default() };
        self.answer(self.reach(start, direction, &self.along(&self.relations)))
    }

    fn other_types(&self, key: &NodeKey, direction: Direction) -> Linked {
        let Some(start) = self.living(key) else { return Linked::default() };
        let mut found = self.beside(start, &[direction], &self.along(&self.relations.or_any()));
        found.retain(|found| self.index.node_type(found.node) != self.index.node_type(start));
        let total = found.len();
        let Answer { total: accessible, rows } = self.answer(found);
        Linked { total, accessible, rows }
    }

    fn along(&self, relations: &Relations) -> Along {
        Along::new(self.index, relations)
    }

    /// Ancestors so that each comes after its own parents.
    fn roots_first(&self, found: Vec<Found>, along: &Along) -> Vec<Found> {
        let at: FxHashMap<NodeIndex, usize> = found.iter().enumerate().map(|(at, found)| (found.node, at)).collect();
        let mut waits = vec![0u32; found.len()];
        let mut children = vec![Vec::new(); found.len()];
        for (child, member) in found.iter().enumerate() {
            let parents = self.beside(member.node, &[Direction::Out], along);
            for parent in parents.iter().filter_map(|parent| at.get(&parent.node)) {
                waits[child] += 1;
                children[*parent].push(child);
            }
        }
        let turn = |at: usize, waits: u32| (waits, Reverse(found[at].depth), self.index.node_key(found[at].node), at);
        let mut left: BTreeSet<_> = waits.iter().enumerate().map(|(at, &waits)| turn(at, waits)).collect();
        let mut order = Vec::with_capacity(found.len());
        while let Some((.., next)) = left.pop_first() {
            order.push(next);
            for &child in &children[next] {
                if left.remove(&turn(child, waits[child])) {
                    waits[child] -= 1;
                    left.insert(turn(child, waits[child]));
                }
            }
        }
        order.into_iter().map(|at| Found::at(found[at].node, found[at].depth)).collect()
    }

    /// The index of names of a node type; none if the type or the feature is not known.
    fn texts(&self, node_type: &str) -> Result<Option<Arc<TextIndex>>, QueryError> {
        let schema = &self.index.schema;
        let Some(type_id) = schema.node_type(node_type) else { return Ok(None) };
        let feature = match &self.name {
            Naming::Id => None,
            Naming::Feature(name) => {
                let Some((feature, def)) = schema.feature(Owner::Node(type_id), name) else { return Ok(None) };
                if !matches!(def.kind, FeatureKind::Text | FeatureKind::Category) {
                    return Err(QueryError::NotText {
                        feature: name.clone(),
                        node_type: node_type.into(),
                        kind: def.kind.to_string(),
                    });
                }
                Some(feature)
            }
        };
        let make = |(of_type, feature)| read::texts(self.index, of_type, feature);
        Ok(Some(self.index.texts.of((type_id, feature), make)))
    }

    /// Whether a text that a node held for a while is its name now.
    fn holds(&self) -> impl Fn(NodeIndex, Interval, &str) -> bool + '_ {
        move |node, interval, text| match self.at.deletes {
            Deletes::Hard => interval.contains(self.at.time),
            // A deleted node keeps its last name.
            Deletes::Soft => {
                interval.created <= self.at.time
                    && self.name_of(node).is_some_and(|name| search_text::fold(&name) == *text)
            }
        }
    }

    fn name_of(&self, node: NodeIndex) -> Option<Name> {
        match &self.name {
            Naming::Feature(feature) => read::text(self.index, node, self.at, feature),
            Naming::Id => Some(self.index.node_id(node).to_id().to_string().into()),
        }
    }

    /// Keeps what passes, in order, and returns a page of it.
    fn answer(&self, mut found: Vec<Found>) -> Answer {
        found.retain(|found| self.filter.admits(self.index, found.node, self.at));
        match self.order {
            Order::Id => found.sort_unstable_by(|a, b| self.index.compare_nodes(a.node, b.node)),
            Order::Name => found.sort_by_cached_key(|found| {
                let name = self.name_of(found.node);
                (name.is_none(), name.map(|name| search_text::fold(&name)), self.index.node_key(found.node))
            }),
        }
        self.paged(found)
    }

    fn paged(&self, found: Vec<Found>) -> Answer {
        let total = found.len();
        let page = found.into_iter().skip(self.page.offset).take(self.page.limit);
        Answer { total, rows: page.filter_map(|found| self.row(found)).collect() }
    }

    fn row(&self, found: Found) -> Option<Row> {
        let node = read::state(self.index, found.node, self.at, self.select.as_deref())?;
        let state = |edge: EdgeIndex| self.index.edge(&self.index.edge_key(edge), self.at);
        let mut edges: Vec<_> = found.edges.into_iter().filter_map(state).collect();
        edges.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        Some(Row { node, depth: found.depth, edges })
    }
}
