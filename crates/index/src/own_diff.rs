//! What changed in what one namespace holds.

use std::collections::{BTreeMap, BTreeSet};

use timeweft_graph::delta::Shares;
use timeweft_graph::{At, Deletes, Diff, EdgeKey, Name, NodeKey, Owner, Time, Updated, Value};

use crate::Index;
use crate::life::{Life, shown};

/// What a namespace says of an element in two states, and who holds it in them.
struct Says {
    said: [Option<BTreeMap<Name, Value>>; 2],
    held_by: [Vec<Name>; 2],
}

impl Index {
    /// Keeps of what differs between another state and this index at a time what a namespace holds, by what it says itself:
    /// an element that others go on to hold is removed for the namespace that let it go.
    pub fn narrow_diff(&self, (before, from): (&Index, Time), to: Time, namespace: &str, diff: Diff) -> Diff {
        let soft = |time| At { time, deletes: Deletes::Soft };
        let node = |key: &NodeKey| Says {
            said: [before.node_says(key, namespace, from), self.node_says(key, namespace, to)],
            held_by: [before.namespaces_of(key, soft(from)), self.namespaces_of(key, soft(to))],
        };
        let edge = |key: &EdgeKey| Says {
            said: [before.edge_says(key, namespace, from), self.edge_says(key, namespace, to)],
            held_by: [before.namespaces_of_edge(key, soft(from)), self.namespaces_of_edge(key, soft(to))],
        };
        let nodes = (diff.nodes_created, diff.nodes_updated, diff.nodes_removed);
        let (nodes_created, nodes_updated, nodes_removed) = narrow(nodes, namespace, &node);
        let edges = (diff.edges_created, diff.edges_updated, diff.edges_removed);
        let (edges_created, edges_updated, edges_removed) = narrow(edges, namespace, &edge);
        let mut merged = diff.merged;
        let by = self.namespaces.find(namespace);
        merged.retain(|merge| {
            let mut made = self.merges.all.iter().filter(|known| Some(known.namespace) == by);
            let same = |from, into| self.node_key(from) == merge.from && self.node_key(into) == merge.into;
            made.any(|known| known.interval.created == merge.interval.created && same(known.from, known.into))
        });
        Diff { nodes_created, nodes_updated, nodes_removed, edges_created, edges_updated, edges_removed, merged }
    }

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
        life: &impl Life,
        owner: Owner,
        creator: u32,
        (namespace, time): (&str, Time),
    ) -> Option<BTreeMap<Name, Value>> {
        let defs = self.schema.features(owner);
        let held = self.columns.at(life.track(), time);
        let named = held.filter_map(|(id, value)| Some((defs.get(id.at())?.name.clone(), self.columns.value(value)?)));
        Shares::of(named, self.namespaces.get(creator)?).get(namespace).cloned()
    }
}

type Changes<K> = (Vec<K>, Vec<Updated<K>>, Vec<K>);

/// An element that one namespace holds in both states stays where it is, or is left out; of others the namespace tells.
fn narrow<K: Ord + Clone>(changes: Changes<K>, namespace: &str, says: &dyn Fn(&K) -> Says) -> Changes<K> {
    let (created, updated, removed) = changes;
    let mut own: Changes<K> = Default::default();
    let mut shared = BTreeSet::new();
    let mut alone = |key: &K| {
        let held_by: BTreeSet<Name> = says(key).held_by.into_iter().flatten().collect();
        let is_own = held_by.iter().any(|name| **name == *namespace);
        if held_by.len() > 1 && is_own {
            shared.insert(key.clone());
        }
        held_by.len() == 1 && is_own
    };
    own.0.extend(created.into_iter().filter(&mut alone));
    own.1.extend(updated.into_iter().filter(|updated| alone(&updated.key)));
    own.2.extend(removed.into_iter().filter(&mut alone));
    for key in shared {
        let of = says(&key);
        match of.said {
            [None, None] => {}
            [None, Some(_)] => own.0.push(key),
            [Some(_), None] => own.2.push(key),
            [Some(before), Some(after)] => {
                let names: BTreeSet<&Name> = before.keys().chain(after.keys()).collect();
                let speaks = of.held_by[1].first().is_some_and(|first| **first == *namespace);
                let stored =
                    |name: &Name| if speaks { name.clone() } else { format!("{namespace}::{name}").as_str().into() };
                let differ = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
                let features: Vec<Name> = differ.map(stored).collect();
                if !features.is_empty() {
                    own.1.push(Updated { key, features });
                }
            }
        }
    }
    own.0.sort_unstable();
    own.1.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    own.2.sort_unstable();
    own
}
