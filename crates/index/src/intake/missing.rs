//! The nodes that an event needs and that the graph has never seen.

use timeweft_graph::{Action, Element, Event, NodeKey, Owner, Reason};

use crate::Index;
use crate::intake::check::edge_type_name;

impl Index {
    /// The nodes that must be created first, at the time of the event or before, for the graph to take it in: none, one or
    /// both ends of a new edge, or the node of an update. The error says why the graph would refuse it even then.
    ///
    /// A caller that creates stand-ins asks here first, so that a refused event leaves none behind.
    pub fn missing_nodes(&self, event: &Event) -> Result<Vec<NodeKey>, Reason> {
        self.check_shape(event)?;
        match (&event.element, event.action) {
            (Element::Edge(key), Action::Create) => {
                let ends = self.check_edge_type(key)?;
                let mut missing: Vec<NodeKey> = Vec::new();
                for (node, key) in [(ends.source, &key.source), (ends.destination, &key.destination)] {
                    match self.check_living_end(node, key, event.time) {
                        Err(Reason::UnknownNode(unknown)) if missing.contains(&unknown) => {}
                        Err(Reason::UnknownNode(unknown)) => missing.push(unknown),
                        known => _ = known?,
                    }
                }
                self.check_features(ends.edge_type.map(Owner::Edge), || edge_type_name(key), &event.features)?;
                Ok(missing)
            }
            (Element::Node(key), Action::Update) if self.look_up(key)?.is_none() => {
                let owner = self.check_node_type(&key.node_type)?.map(Owner::Node);
                self.check_features(owner, || key.node_type.to_string(), &event.features)?;
                Ok(vec![key.clone()])
            }
            _ => Ok(Vec::new()),
        }
    }
}
