//! Names of members.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

use crate::interval_format::form::Form;
use crate::interval_format::temporal_json::form_of;

/// The name of a member.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Key {
    NodeId,
    NodeType,
    NodeWeight,
    Edge,
    Neighbor,
    SrcId,
    DstId,
    EdgeType,
    Weight,
    CreatedAt,
    RemovedAt,
    Values,
    Coordinates,
    Feature(Form),
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_identifier(KeyVisitor)
    }
}

struct KeyVisitor;

impl Visitor<'_> for KeyVisitor {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Key, E> {
        Ok(match name {
            "src_id" => Key::SrcId,
            "dst_id" => Key::DstId,
            "edge_type" => Key::EdgeType,
            "weight" => Key::Weight,
            "created_at" => Key::CreatedAt,
            "removed_at" => Key::RemovedAt,
            "values" => Key::Values,
            "coordinates" => Key::Coordinates,
            "node_id" => Key::NodeId,
            "node_type" => Key::NodeType,
            "node_weight" => Key::NodeWeight,
            "edge" => Key::Edge,
            "neighbor" => Key::Neighbor,
            name => Key::Feature(form_of(name).ok_or_else(|| E::custom("an unknown name"))?),
        })
    }
}

/// Takes in a member, which must not be there already.
pub(super) fn set<T, E: Error>(slot: &mut Option<T>, value: T) -> Result<(), E> {
    if slot.replace(value).is_some() { Err(E::custom("given twice")) } else { Ok(()) }
}
