//! What a row of a table says, as change data capture and history tables tell it: that an element is there, with these
//! values, or that it is not. It may be so already, so a row is no event by itself.

use rustc_hash::FxHashMap;
use timeweft_graph::{
    Action, Direction, EdgeIndex, EdgeKey, Element, Event, Features, Link, LinkEnd, Name, NodeKey, Owner, Reason, Time,
    Value, last_values,
};

use crate::Index;
use crate::elements::life::LifeRecord;
use crate::intake::check::in_order;

impl Index {
    /// The events by which the graph comes to what a row says; none where it is so already.
    ///
    /// A row is written as an event: to create says that the element is there with these features, of which those that are
    /// not named stay as they are; to delete says that it is not there. Of an edge that is a `link`, the row of one end has
    /// this edge alone; to delete ends whatever edge of the type that row has, for its other end need not be known any more.
    ///
    /// # Errors
    /// If the element has a later event: what a row changes depends on what came before it.
    pub fn steps_of_row(&self, row: &Event, link: Option<&Link>) -> Result<Vec<Event>, Reason> {
        match (&row.element, link) {
            (Element::Node(key), _) => self.steps_of_node(row, key),
            (Element::Edge(key), None) => self.steps_of_edge(row, key),
            (Element::Edge(key), Some(link)) => {
                let ended = self.others_of_link(row, key, link)?.into_iter();
                let end = |other| Event::new(row.time, Action::Delete, Element::Edge(other));
                let mut steps: Vec<Event> = ended.map(end).collect();
                if row.action != Action::Delete {
                    steps.extend(self.steps_of_edge(row, key)?);
                }
                Ok(steps)
            }
            (Element::Merge { .. }, _) => Ok(vec![row.clone()]),
        }
    }

    fn steps_of_node(&self, row: &Event, key: &NodeKey) -> Result<Vec<Event>, Reason> {
        let Some(node) = self.node_index(key) else { return Ok(begin(row)) };
        self.check_order(node, row.time)?;
        let life = self.nodes.latest_life(node).filter(|life| life.interval.is_open());
        let Some(life) = life else { return Ok(begin(row)) };
        let held = (Owner::Node(life.node_type), life.feature_row());
        let values = self.named_values(held, Time::FOREVER).collect();
        Ok(self.steps_of_open(row, held.0, values))
    }

    fn steps_of_edge(&self, row: &Event, key: &EdgeKey) -> Result<Vec<Event>, Reason> {
        let Some(edge) = self.edge_index(key) else { return Ok(begin(row)) };
        self.check_edge_order(edge, row.time)?;
        let life = self.edges.get(edge);
        if !life.interval.is_open() {
            return Ok(begin(row));
        }
        let held = (Owner::Edge(life.edge_type), life.feature_row());
        let values = self.named_values(held, Time::FOREVER).collect();
        Ok(self.steps_of_open(row, held.0, values))
    }

    /// The events of a row about what lives already, with these values.
    fn steps_of_open(&self, row: &Event, owner: Owner, held: FxHashMap<Name, Value>) -> Vec<Event> {
        if row.action == Action::Delete {
            return vec![row.clone()];
        }
        let canonical = |name: &Name, value: &Value| {
            let order = self.schema.feature(owner, name).map(|(_, def)| def.order).unwrap_or_default();
            order.canonical(value.clone())
        };
        let differs = |name: &Name, value: Option<&Value>| match (held.get(name), value) {
            (Some(known), Some(value)) => *known != canonical(name, value),
            (known, value) => known.is_some() != value.is_some(),
        };
        let changed = last_values(&row.features).filter(|(name, value)| differs(name, *value));
        let features: Features = changed.map(|(name, value)| (name.clone(), value.cloned())).collect();
        let update = Event::new(row.time, Action::Update, row.element.clone());
        if features.is_empty() { Vec::new() } else { vec![update.with(features)] }
    }

    /// The open edges that a row of a link ends: all of the type at the end whose row it is, but for the edge itself.
    fn others_of_link(&self, row: &Event, key: &EdgeKey, link: &Link) -> Result<Vec<EdgeKey>, Reason> {
        let (of, direction) = match link.of {
            LinkEnd::Source => (&key.source, Direction::Out),
            LinkEnd::Destination => (&key.destination, Direction::In),
        };
        let types = |name: &Name| self.schema.node_type(name);
        let edge_type = types(&link.source).zip(types(&link.destination));
        let edge_type = edge_type.and_then(|(from, to)| self.schema.edge_type(from, &link.relation, to));
        let Some((node, edge_type)) = self.node_index(of).zip(edge_type) else { return Ok(Vec::new()) };
        let Some(list) = self.adjacency().list(node, edge_type, direction) else { return Ok(Vec::new()) };
        let newest = list.newest(list.len(), Some(Time::FOREVER)).map(|seen| seen.edge);
        let mut open: Vec<EdgeIndex> = newest.filter(|&edge| self.edges.get(edge).interval.is_open()).collect();
        let latest = open.iter().map(|&edge| self.edges.latest(edge)).chain(list.last_removal()).max();
        in_order(self.schema.unit(), row.time, latest.unwrap_or(row.time), || format!("an edge of node {of}"))?;
        open.sort_unstable();
        let open = open.into_iter().map(|edge| self.edge_key(edge));
        Ok(open.filter(|other| row.action == Action::Delete || other != key).collect())
    }
}

/// The events of a row about what does not live: its birth, or nothing.
fn begin(row: &Event) -> Vec<Event> {
    if row.action == Action::Delete {
        return Vec::new();
    }
    let has_value = last_values(&row.features).filter(|(_, value)| value.is_some());
    let features: Features = has_value.map(|(name, value)| (name.clone(), value.cloned())).collect();
    vec![Event::new(row.time, Action::Create, row.element.clone()).with(features)]
}
