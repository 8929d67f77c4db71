//! What must hold before an event changes anything.

use rustc_hash::FxHashMap;
use timeweft_graph::{
    Action, EdgeIndex, EdgeKey, Element, Event, FeatureKind, Features, IdRef, Name, NodeIndex, NodeKey, NodeTypeId,
    Owner, Reason, Time, TimeUnit, Value,
};

use crate::elements::edge::EdgeEnds;
use crate::elements::ids::MAX_LENGTH;
use crate::feature_store::HEAD;
use crate::feature_store::values::MOST;
use crate::{Index, NONE};

/// Types are numbered with 16 bits.
const TYPES: usize = 1 << 16;
/// An edge and its side share 32 bits in the adjacency.
const LIVES: usize = 1 << 31;
/// Bytes of values that can be numbered, less what one event or chunk of records may bring.
const VALUES: u64 = MOST - (1 << 30);

impl Index {
    /// Refuses what no element could take.
    pub(crate) fn check_shape(&self, event: &Event) -> Result<(), Reason> {
        check_time(event.time)?;
        if !event.features.is_empty() && event.action == Action::Delete {
            return Err(Reason::Malformed("deletes carry no features: leave them out".into()));
        }
        let long = |node: &NodeKey| matches!(node.id.as_ref(), IdRef::Text(text) if text.len() >= MAX_LENGTH);
        let too_long = match &event.element {
            Element::Node(node) => long(node),
            Element::Edge(edge) => long(&edge.source) || long(&edge.destination),
            Element::Merge { from, into } => long(from) || long(into),
        };
        if too_long {
            return Err(Reason::Malformed("an id has 2^32 bytes or more: shorten it".into()));
        }
        self.check_room(event.features.len())
    }

    /// Refuses an event or record whose values the index has no numbers for.
    #[inline]
    pub(crate) fn check_room(&self, values: usize) -> Result<(), Reason> {
        let sets = self.events.len().max(self.feature_store.rows.len()).saturating_add(values + HEAD);
        if self.edges.lives.len() >= LIVES
            || self.nodes.lives.len() >= LIVES
            || sets >= NONE as usize
            || self.feature_store.values.bytes.len() as u64 >= VALUES
        {
            return Err(no_room());
        }
        Ok(())
    }

    /// The node, if it was created at least once. A closed schema refuses an unknown type.
    pub(crate) fn look_up(&self, key: &NodeKey) -> Result<Option<NodeIndex>, Reason> {
        Ok(self.check_node_type(&key.node_type)?.and_then(|node_type| self.nodes.created(node_type, key.id.as_ref())))
    }

    /// The node type, if it is known. A closed schema refuses an unknown one.
    pub(crate) fn check_node_type(&self, name: &Name) -> Result<Option<NodeTypeId>, Reason> {
        let known = self.schema.node_type(name);
        if known.is_none() && self.schema.is_closed() {
            return Err(Reason::UnknownNodeType(name.clone()));
        }
        if known.is_none() && self.schema.node_types().len() >= TYPES {
            return Err(full("node types"));
        }
        Ok(known)
    }

    /// EdgeEnds and type of an edge. A closed schema refuses unknown types.
    pub(crate) fn check_edge_type(&self, key: &EdgeKey) -> Result<EdgeEnds, Reason> {
        let source_type = self.check_node_type(&key.source.node_type)?;
        let destination_type = self.check_node_type(&key.destination.node_type)?;
        let edge_type = source_type
            .zip(destination_type)
            .and_then(|(source, destination)| self.schema.edge_type(source, &key.relation, destination));
        if edge_type.is_none() && self.schema.is_closed() {
            return Err(Reason::UnknownEdgeType(edge_type_name(key)));
        }
        if edge_type.is_none() && self.schema.edge_types().len() >= TYPES {
            return Err(full("edge types"));
        }
        Ok(EdgeEnds {
            source: source_type.and_then(|node_type| self.nodes.created(node_type, key.source.id.as_ref())),
            destination: destination_type
                .and_then(|node_type| self.nodes.created(node_type, key.destination.id.as_ref())),
            edge_type,
        })
    }

    /// Whether every value is of the kind that the schema, or an earlier value of the same event, says.
    pub(crate) fn check_features(
        &self,
        owner: Option<Owner>,
        owner_name: impl Fn() -> String,
        features: &Features,
    ) -> Result<(), Reason> {
        let mut kinds: FxHashMap<&Name, FeatureKind> = FxHashMap::default();
        for (name, value) in features {
            let declared = owner.and_then(|owner| self.schema.feature(owner, name)).map(|(_, def)| def.kind);
            if declared.is_none() && self.schema.is_closed() {
                return Err(Reason::UnknownFeature { feature: name.clone(), owner: owner_name() });
            }
            let Some(value) = value else { continue };
            let expected = declared.unwrap_or_else(|| *kinds.entry(name).or_insert_with(|| FeatureKind::of(value)));
            check_kind(expected, value).map_err(|(expected, got)| Reason::WrongKind {
                feature: name.clone(),
                owner: owner_name(),
                expected,
                got,
            })?;
        }
        let known = owner.map_or(0, |owner| self.schema.features(owner).len());
        if known + kinds.len() > TYPES { Err(full("features")) } else { Ok(()) }
    }

    /// Whether `time` is not before the latest event of a node.
    pub(crate) fn check_order(&self, node: NodeIndex, time: Time) -> Result<(), Reason> {
        in_order(self.schema.unit(), time, self.nodes.latest(node), || format!("node {}", self.node_key(node)))
    }

    /// Whether `time` is not before the latest event of an edge, given its latest life.
    pub(crate) fn check_edge_order(&self, edge: EdgeIndex, time: Time) -> Result<(), Reason> {
        in_order(self.schema.unit(), time, self.edges.latest(edge), || format!("edge {}", self.edge_key(edge)))
    }

    /// Whether a life belongs to the namespace of an event.
    pub(crate) fn check_namespace(
        &self,
        owner: u32,
        namespace: &Name,
        element: impl Fn() -> String,
    ) -> Result<(), Reason> {
        let Some(owner) = self.namespaces.get(owner).filter(|owner| *owner != namespace) else { return Ok(()) };
        Err(Reason::ForeignNamespace { element: element(), owner: owner.clone() })
    }
}

#[cold]
fn no_room() -> Reason {
    let most = "2^31 lives, 2^32 events, 2^32 lives and values of theirs, or 8 GiB of values";
    Reason::Malformed(format!("the graph is full: {most}"))
}

/// Refuses the end of time, at which nothing can happen.
#[inline]
pub(crate) fn check_time(time: Time) -> Result<(), Reason> {
    let late = || Reason::Malformed("nothing can happen at the end of time: give an earlier time".into());
    if time == Time::FOREVER { Err(late()) } else { Ok(()) }
}

/// Refuses an event before the latest one of its element.
#[inline]
pub(crate) fn in_order(unit: TimeUnit, time: Time, known: Time, element: impl Fn() -> String) -> Result<(), Reason> {
    if time < known { Err(Reason::OutOfOrder { unit, time, known, element: element() }) } else { Ok(()) }
}

/// The edge type of a key, for messages.
pub(crate) fn edge_type_name(key: &EdgeKey) -> String {
    format!("{} -{}-> {}", key.source.node_type, key.relation, key.destination.node_type)
}

fn check_kind(expected: FeatureKind, value: &Value) -> Result<(), (String, String)> {
    let got = FeatureKind::of(value);
    if expected == got { Ok(()) } else { Err((expected.to_string(), got.to_string())) }
}

/// The refusal of one type or feature more than there are numbers for.
pub(crate) fn full(what: &str) -> Reason {
    Reason::Malformed(format!("the schema is full: {TYPES} {what}"))
}
