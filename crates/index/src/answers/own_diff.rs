//! What changed in what one namespace holds.

use std::collections::{BTreeMap, BTreeSet};

use timeweft_graph::delta::Shares;
use timeweft_graph::{At, Deletes, EdgeKey, Element, Name, NodeKey, Owner, Time, Value};

use crate::Index;
use crate::answers::diff::{Comparison, Fate, State};
use crate::elements::life::{LifeRecord, shown};

/// What a namespace says of an element in two states, and who holds it in them.
struct Says {
    said: [Option<BTreeMap<Name, Value>>; 2],
    held_by: [Vec<Name>; 2],
}

impl Says {
    /// The namespaces that hold the element in either state.
    fn holders(&self) -> BTreeSet<&Name> {
        self.held_by.iter().flatten().collect()
    }

    /// The features of which the namespace says something else, by the names under which they are stored.
    fn differing(&self, namespace: &str) -> Vec<Name> {
        let [Some(before), Some(after)] = &self.said else { return Vec::new() };
        let names: BTreeSet<&Name> = before.keys().chain(after.keys()).collect();
        let speaks = self.held_by[1].first().is_some_and(|first| **first == *namespace);
        let stored = |name: &Name| if speaks { name.clone() } else { format!("{namespace}::{name}").as_str().into() };
        names.into_iter().filter(|name| before.get(*name) != after.get(*name)).map(stored).collect()
    }
}

impl Comparison<'_> {
    /// What became of an element for the namespace that is asked, given what became of it: the same if it holds it alone in
    /// both states, nothing if it never did; a shared element is compared by what the namespace says of it.
    pub(crate) fn own_fate(&self, fate: Fate, element: impl Fn() -> Element) -> Fate {
        let Some(namespace) = self.namespace.filter(|_| fate != Fate::default()) else { return fate };
        let of = self.says(&element(), namespace);
        let holders = of.holders();
        if !holders.iter().any(|name| ***name == *namespace) {
            return Fate::default();
        }
        if holders.len() == 1 {
            return fate;
        }
        let [before, after] = of.said.each_ref().map(Option::is_some);
        let updated = before && after && !of.differing(namespace).is_empty();
        Fate { created: !before && after, removed: before && !after, updated }
    }

    /// The features that differ of an element that the namespace that is asked does not hold alone.
    pub(crate) fn own_features(&self, element: impl Fn() -> Element) -> Option<Vec<Name>> {
        let of = self.says(&element(), self.namespace?);
        (of.holders().len() > 1).then(|| of.differing(self.namespace.unwrap_or_default()))
    }

    fn says(&self, element: &Element, namespace: &str) -> Says {
        let says = |(index, at): State<'_>| match element {
            Element::Node(key) => index.node_says(key, namespace, at.time),
            Element::Edge(key) => index.edge_says(key, namespace, at.time),
            Element::Merge { .. } => None,
        };
        let holders = |(index, at): State<'_>| {
            let soft = At { time: at.time, deletes: Deletes::Soft };
            match element {
                Element::Node(key) => index.namespaces_of(key, soft),
                Element::Edge(key) => index.namespaces_of_edge(key, soft),
                Element::Merge { .. } => Vec::new(),
            }
        };
        let states = [self.before, self.after];
        Says { said: states.map(says), held_by: states.map(holders) }
    }
}

impl Index {
    /// What a namespace says of a node at a time; none if it does not hold it then.
    pub fn node_says(&self, key: &NodeKey, namespace: &str, time: Time) -> Option<BTreeMap<Name, Value>> {
        let life = shown(&self.nodes.lives, self.nodes.life(self.node_index(key)?), At::time(time))?;
        let (creator, life) = (self.nodes.owners[life as usize], &self.nodes.lives[life as usize]);
        self.says(life, Owner::Node(life.node_type), creator, (namespace, time))
    }

    /// What a namespace says of an edge at a time; none if it does not hold it then.
    pub fn edge_says(&self, key: &EdgeKey, namespace: &str, time: Time) -> Option<BTreeMap<Name, Value>> {
        let life = self.edges.get(self.edge_index_at(key, At::time(time))?);
        self.says(life, Owner::Edge(life.edge_type), life.namespace, (namespace, time))
    }

    fn says(
        &self,
        life: &impl LifeRecord,
        owner: Owner,
        creator: u32,
        (namespace, time): (&str, Time),
    ) -> Option<BTreeMap<Name, Value>> {
        let named = self.named_values((owner, life.feature_row()), time);
        Shares::of(named, self.namespaces.get(creator)?).get(namespace).cloned()
    }
}
