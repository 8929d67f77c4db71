//! What differs between two states, by looking at all of both.

use std::collections::{BTreeMap, BTreeSet};

use timeweft_graph::{At, Diff, GraphView, Interval, MergeRecord, Name, Updated, Value};

/// An element in a state: its life, whether it is over, and its features.
type State = (Interval, bool, BTreeMap<Name, Value>);

/// What differs between two states of one graph or of two. With soft deletes a deleted element is shown: it is removed if
/// it was not yet deleted in `from`; one that began and ended between is created and removed.
pub fn diff_states(from: (&impl GraphView, At), to: (&impl GraphView, At)) -> Diff {
    let [before, after] = [nodes(from), nodes(to)];
    let (nodes_created, nodes_removed, nodes_updated) = compare(&before, &after);
    let [before, after] = [edges(from), edges(to)];
    let (edges_created, edges_removed, edges_updated) = compare(&before, &after);
    let held = merges(from);
    let mut merged = merges(to);
    let name = |merge: &MergeRecord| (merge.from.clone(), merge.into.clone(), merge.interval.created);
    merged.retain(|merge| !held.iter().any(|known| name(known) == name(merge)));
    Diff { nodes_created, nodes_removed, nodes_updated, edges_created, edges_removed, edges_updated, merged }
}

fn nodes((view, at): (&impl GraphView, At)) -> BTreeMap<timeweft_graph::NodeKey, State> {
    view.nodes(None, at).into_iter().map(|node| (node.key, (node.life, node.deleted, node.features))).collect()
}

fn edges((view, at): (&impl GraphView, At)) -> BTreeMap<timeweft_graph::EdgeKey, State> {
    view.edges(None, at).into_iter().map(|edge| (edge.key, (edge.life, edge.deleted, edge.features))).collect()
}

fn merges((view, at): (&impl GraphView, At)) -> Vec<MergeRecord> {
    view.merges().into_iter().filter(|merge| merge.interval.contains(at.time)).collect()
}

/// What came, what went, and what differs.
fn compare<K: Ord + Clone>(from: &BTreeMap<K, State>, to: &BTreeMap<K, State>) -> (Vec<K>, Vec<K>, Vec<Updated<K>>) {
    let (mut created, mut removed, mut updated) = (Vec::new(), Vec::new(), Vec::new());
    for key in from.keys().chain(to.keys()).collect::<BTreeSet<_>>() {
        let (before, after) = (from.get(key), to.get(key));
        let was_alive = before.is_some_and(|(_, deleted, _)| !deleted);
        let is_alive = after.is_some_and(|(_, deleted, _)| !deleted);
        // One that is deleted in both was alive between them if its life is another one.
        let came_and_went =
            !was_alive && !is_alive && after.is_some_and(|after| before.is_none_or(|was| was.0 != after.0));
        if (is_alive && !was_alive) || came_and_went {
            created.push(key.clone());
        }
        if (was_alive && !is_alive) || came_and_went {
            removed.push(key.clone());
        }
        if let (Some((_, _, before)), Some((_, _, after)), true, false) =
            (before, after, was_alive == is_alive, came_and_went)
        {
            let features = differing(before, after);
            if !features.is_empty() {
                updated.push(Updated { key: key.clone(), features });
            }
        }
    }
    (created, removed, updated)
}

fn differing(before: &BTreeMap<Name, Value>, after: &BTreeMap<Name, Value>) -> Vec<Name> {
    let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    names.into_iter().filter(|name| before.get(*name) != after.get(*name)).cloned().collect()
}
