//! Every life that a namespace ever began.

use timeweft_graph::{EdgeIndex, Life as LifeOf, NodeKey, Owner, Time};

use crate::Index;
use crate::life::{Life, chain};

impl Index {
    /// The lives of nodes that a namespace began, in the order of the log.
    pub fn node_lives_of(&self, namespace: &str) -> impl Iterator<Item = (NodeKey, LifeOf)> {
        let wanted = self.namespaces.find(namespace);
        let all = self.nodes.lives.iter().zip(&self.nodes.owners);
        let own = all.filter(move |(life, owner)| Some(**owner) == wanted && life.is_real());
        own.map(|(life, _)| {
            let owner = Owner::Node(life.node_type);
            (self.node_key(life.node), LifeOf { interval: life.interval, features: self.spans(life, owner) })
        })
    }

    /// The lives of edges that a namespace began, in the order of the log.
    pub fn edge_lives_of(&self, namespace: &str) -> impl Iterator<Item = (EdgeIndex, LifeOf)> {
        let wanted = self.namespaces.find(namespace);
        let all = (0u32..).map(EdgeIndex).zip(&self.edges.lives);
        let own = all.filter(move |(_, life)| Some(life.namespace) == wanted && life.is_real());
        own.map(|(edge, life)| {
            (edge, LifeOf { interval: life.interval, features: self.spans(life, Owner::Edge(life.edge_type)) })
        })
    }

    /// The merges that a namespace made, in the order of the log, each with its life.
    pub fn merge_lives_of(&self, namespace: &str) -> impl Iterator<Item = (NodeKey, NodeKey, LifeOf)> {
        let wanted = self.namespaces.find(namespace);
        let own = self.merges.all.iter().filter(move |merge| Some(merge.namespace) == wanted && merge.is_real());
        own.map(|merge| {
            let life = LifeOf { interval: merge.interval, features: self.spans(merge, Owner::Merge) };
            (self.node_key(merge.from), self.node_key(merge.into), life)
        })
    }

    /// The last life of a node that began by a time.
    pub fn node_life_by(&self, key: &NodeKey, time: Time) -> Option<LifeOf> {
        let node = self.node_index(key)?;
        let lives = chain(&self.nodes.lives, self.nodes.life(node)).map(|life| &self.nodes.lives[life as usize]);
        let life = lives.filter(|life| life.is_real()).find(|life| life.interval.created <= time)?;
        Some(LifeOf { interval: life.interval, features: self.spans(life, Owner::Node(self.nodes.node_type(node))) })
    }
}
