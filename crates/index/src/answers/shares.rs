//! Which namespaces hold an element, and what each says of it: [`timeweft_graph::delta::Shares`] for lives.

use timeweft_graph::delta::{Living, NAMESPACES, held_by};
use timeweft_graph::{
    Action, At, EdgeIndex, EdgeKey, Event, FeatureDef, Name, NodeIndex, NodeKey, Owner, Reason, Time, Value,
};

use crate::elements::life::{Life, shown};
use crate::feature_store::Track;
use crate::{Index, NONE};

impl Index {
    /// Whether several namespaces may hold one element: not unless a type has the feature that tells.
    pub fn is_shared(&self) -> bool {
        let has = |features: &[FeatureDef]| features.iter().any(|def| *def.name == *NAMESPACES);
        let (nodes, edges) = (self.schema.node_types(), self.schema.edge_types());
        nodes.iter().any(|of| has(&of.features)) || edges.iter().any(|of| has(&of.features))
    }

    /// The namespaces that hold a node as a view shows it, the one that speaks first; none if it is not shown.
    pub fn namespaces_of(&self, key: &NodeKey, at: At) -> Vec<Name> {
        let latest = self.node_index(key).map_or(NONE, |node| self.nodes.life(node));
        let Some(number) = shown(&self.nodes.lives, latest, at) else { return Vec::new() };
        let life = &self.nodes.lives[number as usize];
        self.holders(Owner::Node(life.node_type), life.track(), self.nodes.owners[number as usize], life.as_of(at.time))
    }

    /// The namespaces that hold an edge as a view shows it, the one that speaks first; none if it is not shown.
    pub fn namespaces_of_edge(&self, key: &EdgeKey, at: At) -> Vec<Name> {
        let Some(life) = self.edge_index_at(key, at).map(|edge| self.edges.get(edge)) else { return Vec::new() };
        self.holders(Owner::Edge(life.edge_type), life.track(), life.namespace, life.as_of(at.time))
    }

    pub(crate) fn holders_of_node(&self, node: NodeIndex) -> Vec<Name> {
        let Some(life) = self.nodes.latest_life(node) else { return Vec::new() };
        self.holders(Owner::Node(life.node_type), life.track(), self.nodes.owner(node), Time::FOREVER)
    }

    pub(crate) fn holders_of_edge(&self, edge: EdgeIndex) -> Vec<Name> {
        let life = self.edges.get(edge);
        self.holders(Owner::Edge(life.edge_type), life.track(), life.namespace, Time::FOREVER)
    }

    fn holders(&self, owner: Owner, track: Track, creator: u32, time: Time) -> Vec<Name> {
        let creator = self.namespaces.get(creator).cloned().unwrap_or_else(|| "".into());
        held_by(self.named_holders(owner, track, time).as_ref(), &creator)
    }

    /// The namespaces that stand in the features of a life at a time.
    fn named_holders(&self, owner: Owner, track: Track, time: Time) -> Option<Value> {
        let (wanted, _) = self.schema.feature(owner, NAMESPACES)?;
        let mut held = self.columns.at(track, time);
        held.find(|(feature, _)| *feature == wanted).and_then(|(_, value)| self.columns.value(value))
    }

    /// A node with an open life.
    pub(crate) fn living_node(&self, node: NodeIndex) -> Living {
        let track = self.nodes.latest_life(node).map_or(Track::none(Time::MIN), Life::track);
        self.living_element(Owner::Node(self.nodes.node_type(node)), track, self.nodes.owner(node))
    }

    /// An edge with an open life.
    pub(crate) fn living_edge_life(&self, edge: EdgeIndex) -> Living {
        let life = self.edges.get(edge);
        self.living_element(Owner::Edge(life.edge_type), life.track(), life.namespace)
    }

    fn living_element(&self, owner: Owner, track: Track, creator: u32) -> Living {
        let defs = self.schema.features(owner);
        let held = self.columns.at(track, Time::FOREVER);
        let named = held.filter_map(|(id, value)| Some((defs.get(id.at())?.name.clone(), self.columns.value(value)?)));
        Living {
            features: named.collect(),
            creator: self.namespaces.get(creator).cloned().unwrap_or_else(|| "".into()),
        }
    }

    /// Whether a namespace may do this to an element with an open life. It may end what it holds alone, and change what it
    /// says: under plain names where it speaks, and who holds the element.
    pub(crate) fn check_holder(
        &self,
        (owner, track): (Owner, Track),
        creator: u32,
        (event, speaker): (&Event, &Name),
        element: impl Fn() -> String,
    ) -> Result<(), Reason> {
        let creator = self.namespaces.get(creator).unwrap_or(speaker);
        let named = self.named_holders(owner, track, Time::FOREVER);
        if named.is_none() && creator == speaker {
            return Ok(());
        }
        let held_by = held_by(named.as_ref(), creator);
        let speaks = held_by[0] == *speaker;
        let allowed = match event.action {
            Action::Delete => speaks && held_by.len() == 1,
            _ => speaks || event.features.iter().any(|(name, _)| **name == *NAMESPACES) || says_own(event, speaker),
        };
        let other = held_by.iter().find(|name| *name != speaker).unwrap_or(&held_by[0]);
        if allowed { Ok(()) } else { Err(Reason::ForeignNamespace { element: element(), owner: other.clone() }) }
    }

    /// Whether a namespace began the latest life of a node, or was among the last to hold it.
    pub(crate) fn was_held_by(&self, node: NodeIndex, speaker: &Name) -> bool {
        let creator = self.namespaces.get(self.nodes.owner(node));
        creator.is_none_or(|creator| creator == speaker) || self.holders_of_node(node).contains(speaker)
    }

    /// Refuses a merge of a node by a namespace that did not hold it in the end. One that never lived is anybody's.
    pub(crate) fn check_last_holder(
        &self,
        node: NodeIndex,
        speaker: &Name,
        element: impl Fn() -> String,
    ) -> Result<(), Reason> {
        if self.was_held_by(node, speaker) {
            return Ok(());
        }
        let owner = self.holders_of_node(node).swap_remove(0);
        Err(Reason::ForeignNamespace { element: element(), owner })
    }
}

/// Whether an event only changes what a namespace says where it does not speak.
fn says_own(event: &Event, speaker: &Name) -> bool {
    let own = |name: &Name| name.rsplit_once("::").is_some_and(|(by, _)| *by == **speaker);
    !event.features.is_empty() && event.features.iter().all(|(name, _)| own(name))
}
