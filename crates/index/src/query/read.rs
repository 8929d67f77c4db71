//! Features of nodes as queries read them: the one place that knows how the index keeps values.

use timeweft_graph::{At, FeatureId, Interval, Name, NodeIndex, NodeState, NodeTypeId, Owner, Value};

use super::text_index::TextIndex;
use crate::Index;
use crate::elements::life::{LifeRecord, chain, shown};
use crate::elements::node::NodeLife;

/// The value of a feature at a time.
pub(super) fn value(index: &Index, node: NodeIndex, at: At, feature: &str) -> Option<Value> {
    let (wanted, _) = index.schema.feature(Owner::Node(index.node_type(node)), feature)?;
    let life = life_at(index, node, at)?;
    index.feature_store.value(index.feature_store.value_at(life.feature_row(), wanted, life.as_of(at.time)))
}

/// The value of a feature that holds text.
pub(super) fn text(index: &Index, node: NodeIndex, at: At, feature: &str) -> Option<Name> {
    match value(index, node, at, feature)? {
        Value::Text(text) | Value::Category(text) => Some(text),
        _ => None,
    }
}

/// Every text that a feature of the nodes of a type ever held, and when; without a feature their ids, in each of their lives.
pub(super) fn texts(index: &Index, node_type: NodeTypeId, feature: Option<FeatureId>) -> TextIndex {
    let nodes = (0..index.n_nodes() as u32).map(NodeIndex).filter(|&node| index.node_type(node) == node_type);
    let each = |add: &mut dyn FnMut(NodeIndex, Interval, &str)| {
        nodes.for_each(|node| each_text(index, node, feature, |interval, text| add(node, interval, text)));
    };
    TextIndex::new(each, |a, b| index.compare_nodes(a, b))
}

fn each_text(index: &Index, node: NodeIndex, feature: Option<FeatureId>, mut each: impl FnMut(Interval, &str)) {
    let lives = chain(&index.nodes.lives, index.nodes.life(node)).map(|life| &index.nodes.lives[life as usize]);
    for life in lives.filter(|life| life.is_real()) {
        let Some(feature) = feature else {
            each(life.interval(), &index.node_id(node).to_id().to_string());
            continue;
        };
        for (id, interval, value) in index.feature_store.history(life.feature_row(), life.interval()) {
            if id != feature {
                continue;
            }
            if let Some(Value::Text(text) | Value::Category(text)) = index.feature_store.value(value) {
                each(interval, &text);
            }
        }
    }
}

/// A node with all its features, or those that are selected; none if it is not shown.
pub(super) fn state(index: &Index, node: NodeIndex, at: At, select: Option<&[Name]>) -> Option<NodeState> {
    let life = life_at(index, node, at)?;
    let defs = index.schema.features(Owner::Node(index.node_type(node)));
    // Only what the answer holds is read: a value may be a large list.
    let features = index.feature_store.at(life.feature_row(), life.as_of(at.time)).filter_map(|(id, value)| {
        let name = &defs.get(id.at())?.name;
        let wanted = select.is_none_or(|names| names.contains(name));
        if wanted { Some((name.clone(), index.feature_store.value(value)?)) } else { None }
    });
    let features = features.collect();
    let deleted = !life.interval.contains(at.time);
    Some(NodeState { key: index.node_key(node), life: life.interval, deleted, features })
}

/// The life of a node that is shown.
pub(super) fn life_at(index: &Index, node: NodeIndex, at: At) -> Option<&NodeLife> {
    let life = shown(&index.nodes.lives, index.nodes.life(node), at)?;
    index.nodes.lives.get(life as usize)
}
