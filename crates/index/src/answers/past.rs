//! Every life that a namespace ever began.

use timeweft_graph::delta::{NAMESPACES, lives_of};
use timeweft_graph::{EdgeIndex, Life, NodeKey, Owner, Time};

use crate::Index;
use crate::elements::life::{LifeRecord, chain};

impl Index {
    /// The lives of nodes as a namespace held them, with what it said of them, in the order of the log.
    pub fn node_lives_of(&self, namespace: &str) -> impl Iterator<Item = (NodeKey, Life)> {
        let all = self.nodes.lives.iter().zip(&self.nodes.owners).filter(|(life, _)| life.is_real());
        all.flat_map(move |(life, &owner)| {
            let own = self.lives_in(life, Owner::Node(life.node_type), owner, namespace);
            own.into_iter().map(|own| (self.node_key(life.node), own))
        })
    }

    /// The lives of edges as a namespace held them, with what it said of them, in the order of the log.
    pub fn edge_lives_of(&self, namespace: &str) -> impl Iterator<Item = (EdgeIndex, Life)> {
        let all = (0u32..).map(EdgeIndex).zip(&self.edges.lives).filter(|(_, life)| life.is_real());
        all.flat_map(move |(edge, life)| {
            let own = self.lives_in(life, Owner::Edge(life.edge_type), life.namespace, namespace);
            own.into_iter().map(move |own| (edge, own))
        })
    }

    /// The parts of a life in which a namespace held the element.
    fn lives_in(&self, life: &impl LifeRecord, owner: Owner, creator: u32, namespace: &str) -> Vec<Life> {
        let Some(creator) = self.namespaces.get(creator) else { return Vec::new() };
        if **creator != *namespace && self.schema.feature(owner, NAMESPACES).is_none() {
            return Vec::new();
        }
        lives_of(&Life { interval: life.interval(), features: self.spans(life, owner) }, creator, namespace)
    }

    /// The merges that a namespace made, in the order of the log, each with its life.
    pub fn merge_lives_of(&self, namespace: &str) -> impl Iterator<Item = (NodeKey, NodeKey, Life)> {
        let wanted = self.namespaces.find(namespace);
        let own = self.merges.all.iter().filter(move |merge| Some(merge.namespace) == wanted && merge.is_real());
        own.map(|merge| {
            let life = Life { interval: merge.interval, features: self.spans(merge, Owner::Merge) };
            (self.node_key(merge.from), self.node_key(merge.into), life)
        })
    }

    /// The last life of a node that began by a time, as a namespace held it; if it never did, as others did.
    pub fn node_life_by(&self, key: &NodeKey, time: Time, namespace: &str) -> Option<Life> {
        let node = self.node_index(key)?;
        let owner = Owner::Node(self.nodes.node_type(node));
        let lives = || chain(&self.nodes.lives, self.nodes.life(node)).map(|at| (at, &self.nodes.lives[at as usize]));
        let real = || lives().filter(|(_, life)| life.is_real());
        let own = real().find_map(|(at, life)| {
            let own = self.lives_in(life, owner, self.nodes.owners[at as usize], namespace);
            own.into_iter().rfind(|life| life.interval.created <= time)
        });
        own.or_else(|| {
            let (_, life) = real().find(|(_, life)| life.interval.created <= time)?;
            Some(Life { interval: life.interval, features: self.spans(life, owner) })
        })
    }
}
