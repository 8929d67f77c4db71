//! Whether two indexes say the same, array by array and element by element, in no more memory than they have.
//!
//! Two indexes that one log made have the same nodes, lives and events under the same numbers. What is numbered as it comes
//! (values, feature rows, layouts, names) may differ, so it is compared by what it stands for. Tables are compared by what they
//! find, and lists of edges with the lives that they are made of, so that the other index need not have them.

use timeweft_graph::{Direction, EdgeIndex, FeatureId, IdRef, NodeIndex};

use crate::adjacency::{BLOCK, List, Tick, ask};
use crate::elements::edge::EdgeLife;
use crate::elements::events::{Accepted, Subject};
use crate::elements::life::LifeRecord;
use crate::elements::names::Names;
use crate::feature_store::FeatureRow;
use crate::{Index, NONE};

/// The first thing that differs, in words.
type Compared = Result<(), String>;

/// How many elements of a long array are compared before memory is given back.
const PIECE: usize = 1 << 20;

/// Gives back what was read of the snapshots of both once another piece is compared.
fn go_on(at: usize, a: &Index, b: &Index) {
    if at.is_multiple_of(PIECE) {
        a.release();
        b.release();
    }
}

fn same(is_same: bool, what: impl FnOnce() -> String) -> Compared {
    if is_same { Ok(()) } else { Err(what()) }
}

impl Index {
    /// Whether this index says all that another one says that the same log made, and its own tables and lists say what its
    /// elements say. Memory of the snapshots of both is given back where it was read.
    ///
    /// # Errors
    /// The first thing that differs, in words.
    pub fn same_as(&self, other: &Index) -> Result<(), String> {
        same(self.schema == other.schema, || "the types differ".into())?;
        let steps = [compare_nodes, compare_ids, compare_edges, compare_merges, compare_events, compare_lists];
        for step in steps {
            step(self, other)?;
            self.release();
            other.release();
        }
        Ok(())
    }
}

fn compare_nodes(a: &Index, b: &Index) -> Compared {
    let (of_a, of_b) = (&a.nodes, &b.nodes);
    same(of_a.life.len() == of_b.life.len(), || "the numbers of nodes differ".into())?;
    for node in (0..of_a.life.len() as u32).map(NodeIndex) {
        let what = |what: &str| format!("{what} of node {} differs", a.node_key(node));
        same(of_a.node_type(node) == of_b.node_type(node) && of_a.id(node) == of_b.id(node), || what("the id"))?;
        same(of_a.latest(node) == of_b.latest(node), || what("the latest event"))?;
        let latest = of_a.life(node) == of_b.life(node) && of_a.merge(node) == of_b.merge(node);
        same(latest, || what("the latest life or merge"))?;
    }
    let lens = [of_a.lives.len(), of_b.lives.len(), of_a.owners.len(), of_b.owners.len()];
    same(lens.iter().all(|len| *len == lens[0]), || "the numbers of lives of nodes differ".into())?;
    for at in 0..of_a.lives.len() {
        let (x, y) = (&of_a.lives[at], &of_b.lives[at]);
        let what = |what: &str| format!("{what} of a life of node {} differs", a.node_key(y.node));
        let alike = x.interval == y.interval && x.node == y.node && x.previous == y.previous;
        same(alike && x.node_type == y.node_type, || what("the time"))?;
        same_name((&a.namespaces, of_a.owners[at]), (&b.namespaces, of_b.owners[at]), || what("the namespace"))?;
        same_features((a, x), (b, y), || what("a feature"))?;
    }
    Ok(())
}

/// Every node is found by its id, and nothing else is.
fn compare_ids(a: &Index, _: &Index) -> Compared {
    let (ids, mut direct) = (&a.nodes.ids, 0);
    for node in (0..a.nodes.life.len() as u32).map(NodeIndex) {
        let (of_type, id) = (a.node_type(node), a.nodes.id(node));
        let found = ids.find(of_type, id);
        same(found == Some(node.0), || format!("node {} is not found by its id", a.node_key(node)))?;
        if let IdRef::Int(number) = id {
            let own = ids.types.get(of_type.at()).zip(usize::try_from(number).ok());
            direct += usize::from(own.is_some_and(|(own, at)| own.direct.get(at) == Some(&node.0)));
        }
    }
    let taken: usize = ids.types.iter().map(|own| own.direct.iter().filter(|node| **node != NONE).count()).sum();
    same(taken == direct, || "an id leads to a node that has another one".into())
}

fn compare_edges(a: &Index, b: &Index) -> Compared {
    let (of_a, of_b) = (&a.edges, &b.edges);
    same(of_a.lives.len() == of_b.lives.len(), || "the numbers of edges differ".into())?;
    for at in 0..of_a.lives.len() {
        go_on(at, a, b);
        let (x, y) = (&of_a.lives[at], &of_b.lives[at]);
        let what = |what: &str| format!("{what} of edge {} differs", b.key_of(y));
        let ends = x.source == y.source && x.destination == y.destination && x.edge_type == y.edge_type;
        same(ends, || what("an end or the type"))?;
        same(x.interval == y.interval && x.previous == y.previous && x.next == y.next, || what("the time"))?;
        same_name((&a.keys, x.key), (&b.keys, y.key), || what("the key"))?;
        same_name((&a.namespaces, x.namespace), (&b.namespaces, y.namespace), || what("the namespace"))?;
        same_features((a, x), (b, y), || what("a feature"))?;
        let found = if x.next == NONE { of_a.find(x.identity()) } else { Some(EdgeIndex(at as u32)) };
        same(found == Some(EdgeIndex(at as u32)), || format!("edge {} is not found by its ends", b.key_of(y)))?;
    }
    same(of_a.updated == of_b.updated, || "the latest update of an edge differs".into())
}

fn compare_merges(a: &Index, b: &Index) -> Compared {
    let (of_a, of_b) = (&a.merges.all, &b.merges.all);
    same(of_a.len() == of_b.len(), || "the numbers of merges differ".into())?;
    for at in 0..of_a.len() {
        let (x, y) = (&of_a[at], &of_b[at]);
        let what = || format!("a merge of node {} differs", a.node_key(y.from));
        let ends = x.from == y.from && x.into == y.into && x.previous() == y.previous();
        same(ends && x.interval == y.interval, what)?;
        same_name((&a.namespaces, x.namespace), (&b.namespaces, y.namespace), what)?;
        same_features((a, x), (b, y), what)?;
    }
    Ok(())
}

/// The accepted events. Of a feature that one names twice, the last value counts: a segment keeps no other.
fn compare_events(a: &Index, b: &Index) -> Compared {
    same(a.events.len() == b.events.len(), || "the numbers of events differ".into())?;
    same(a.events.ended == b.events.ended, || "what ended with a node differs".into())?;
    let mut sets = [Vec::new(), Vec::new()];
    for at in 0..a.events.len() as u32 {
        go_on(at as usize, a, b);
        let (x, y) = (a.events.get(at), b.events.get(at));
        let alike = x.action == y.action && x.subject == y.subject && x.updated == y.updated;
        same(alike, || format!("event {at} differs"))?;
        for (sets, (index, entry)) in sets.iter_mut().zip([(a, &x), (b, &y)]) {
            settle(index, entry, sets);
        }
        let [of_a, of_b] = &sets;
        let alike = of_a.len() == of_b.len()
            && of_a.iter().zip(of_b).all(|(x, y)| {
                x.0 == y.0 && a.feature_store.bytes(x.1).as_deref() == b.feature_store.bytes(y.1).as_deref()
            });
        same(alike, || format!("a feature of event {at} differs"))?;
    }
    Ok(())
}

/// What an event sets, sorted by feature.
fn settle(index: &Index, entry: &Accepted<'_>, sets: &mut Vec<(FeatureId, u32)>) {
    sets.clear();
    sets.extend(entry.sets.iter().map(|set| (set.feature, set.value)));
    if entry.first {
        sets.extend(index.feature_store.first(feature_row_of(index, entry.subject)));
    }
    sets.reverse();
    sets.sort_by_key(|(feature, _)| *feature);
    sets.dedup_by_key(|(feature, _)| *feature);
}

fn feature_row_of(index: &Index, subject: Subject) -> FeatureRow {
    match subject {
        Subject::Node(life) => index.nodes.lives[life as usize].feature_row(),
        Subject::Edge(life) => index.edges.lives[life as usize].feature_row(),
        Subject::Merge(merge) => index.merges.all[merge as usize].feature_row(),
    }
}

/// The lists hold each life of each edge once on each side, where it belongs and in order.
fn compare_lists(a: &Index, b: &Index) -> Compared {
    let Some(adjacency) = a.adjacency.get() else { return Ok(()) };
    let mut entries = 0;
    for node in (0..a.nodes.life.len() as u32).map(NodeIndex) {
        let what = || format!("the lists of node {} are wrong", a.node_key(node));
        let mut kinds = Vec::new();
        for list in adjacency.lists(node) {
            kinds.push((list.edge_type, list.direction == Direction::In));
            same(is_list_of(b, node, &list), what)?;
            entries += list.len();
        }
        kinds.sort_unstable();
        same(kinds.windows(2).all(|two| two[0] != two[1]), what)?;
    }
    same(entries == 2 * a.edges.lives.len(), || "the lists have more or fewer edges than there are".into())
}

/// Whether all entries of a list, which are in order, are edges of its type on its side of a node, and what sums it up is
/// right.
fn is_list_of(index: &Index, node: NodeIndex, list: &List<'_>) -> bool {
    let belongs = |seen: crate::adjacency::SeenEdge| {
        let Some(life) = index.edges.lives.get(seen.edge.at()) else { return false };
        let EdgeLife { source, destination, edge_type, interval, .. } = *life;
        let (own, other) = if list.direction == Direction::Out { (source, destination) } else { (destination, source) };
        let ends = own == node && other == seen.neighbor && seen.direction == list.direction;
        ends && edge_type == list.edge_type && (seen.created, seen.removed) == (interval.created, interval.removed)
    };
    ask!(list, run => {
        let entries = run.entries;
        entries.is_sorted_by(|x, y| x.order() < y.order())
            && entries.iter().all(|entry| belongs(entry.seen(run.clock)))
            && is_summed_up(entries.iter().map(|entry| entry.removed), run.removals, run.latest)
    })
}

/// Whether the removals of a list are those of its entries, and none of a block is later than its bound. Short lists, and
/// those without removals, need neither.
fn is_summed_up<T: Tick>(entries: impl ExactSizeIterator<Item = T> + Clone, removals: &[T], latest: &[T]) -> bool {
    let mut ended: Vec<T> = entries.clone().filter(|removed| *removed != T::NEVER).collect();
    if (entries.len() <= BLOCK || ended.is_empty()) && removals.is_empty() && latest.is_empty() {
        return true;
    }
    ended.sort_unstable();
    ended == removals
        && latest.len() == entries.len().div_ceil(BLOCK)
        && entries.enumerate().all(|(at, removed)| removed <= latest[at / BLOCK])
}

fn same_name((a, x): (&Names, u32), (b, y): (&Names, u32), what: impl FnOnce() -> String) -> Compared {
    same((x == NONE) == (y == NONE) && a.get(x) == b.get(y), what)
}

/// The features of two lives, when each value held, and whether what the life began with is known.
fn same_features<L: LifeRecord>((a, x): (&Index, &L), (b, y): (&Index, &L), what: impl FnOnce() -> String) -> Compared {
    let of = |index: &Index, life: &L| index.feature_store.is_opened_at_begin(life.feature_row());
    let mut theirs = b.feature_store.history(y.feature_row(), y.interval());
    let alike = a.feature_store.history(x.feature_row(), x.interval()).all(|(feature, interval, value)| {
        theirs.next().is_some_and(|(other, when, number)| {
            let (value, number) = (a.feature_store.bytes(value), b.feature_store.bytes(number));
            feature == other && interval == when && value.as_deref() == number.as_deref()
        })
    });
    same(alike && theirs.next().is_none() && of(a, x) == of(b, y), what)
}

#[cfg(test)]
mod tests {
    use timeweft_graph::{Action, EdgeKey, Element, Event, NodeKey, Schema, Time, TimeUnit, Value};

    use super::*;

    fn event(time: i64, action: Action, element: Element, feature: Option<f64>) -> Event {
        let features = feature.map(|number| ("x".into(), Some(Value::number(number)))).into_iter().collect();
        Event { time: Time(time), action, element, features }
    }

    /// A graph of hubs whose lists are long and have removals, with merges, updates and texts.
    fn graph() -> Index {
        let mut index = Index::new(Schema::new(TimeUnit::Step));
        let node = |at: usize| {
            if at.is_multiple_of(2) {
                NodeKey::new("n", at as u64)
            } else {
                NodeKey::new("m", format!("t{at}").as_str())
            }
        };
        let name = "test".into();
        let mut take = |event: Event| index.apply(&event, &name).expect("it fits");
        (0..40).for_each(|at| take(event(0, Action::Create, Element::Node(node(at)), Some(at as f64))));
        for at in 0..400usize {
            let edge = |key: usize| {
                Element::Edge(EdgeKey {
                    source: node(at % 3),
                    relation: "r".into(),
                    destination: node(at % 40),
                    key: Some(key.to_string().into()),
                })
            };
            take(event(at as i64, Action::Create, edge(at), (at % 2 == 0).then_some(1e9 + at as f64)));
            if at % 5 == 0 {
                take(event(at as i64 + 1, Action::Delete, edge(at), None));
            } else if at % 7 == 0 {
                take(event(at as i64, Action::Update, edge(at), Some(-1.0)));
            }
        }
        take(event(500, Action::Delete, Element::Node(node(39)), None));
        take(event(500, Action::Create, Element::Merge { from: node(39), into: node(38) }, None));
        index.adjacency();
        index
    }

    #[test]
    fn each_kind_of_difference_is_told() {
        let sound = graph();
        sound.same_as(&graph()).expect("they are the same");
        let tells = |change: fn(&mut Index), what: &str| {
            let mut other = graph();
            change(&mut other);
            let error = other.same_as(&sound).expect_err(what);
            assert!(error.contains(what), "{error} instead of {what}");
        };
        tells(|index| index.nodes.latest[3].0 += 1, "the latest event of node m t3");
        tells(|index| index.nodes.lives[4].interval.created.0 += 1, "the time of a life of node n 4");
        tells(|index| index.nodes.owners[4] = NONE, "the namespace of a life");
        tells(|index| index.nodes.ids.texts[1] ^= 1, "the id of node");
        tells(|index| index.nodes.ids.types[0].direct[4] = 3, "node n 4 is not found");
        tells(|index| index.nodes.ids.types[0].direct[5] = 3, "an id leads to a node that has another one");
        tells(|index| index.edges.lives[7].interval.removed.0 -= 1, "the time of edge");
        tells(|index| index.edges.lives[7].destination.0 += 1, "an end or the type of edge");
        tells(|index| index.edges.lives[7].key += 1, "the key of edge");
        tells(|index| index.edges.table.slots.iter_mut().for_each(|slot| *slot = NONE), "is not found by its ends");
        tells(|index| index.merges.all[0].into.0 -= 1, "a merge of node");
        tells(|index| index.events.kinds[50] ^= 1, "event 50 differs");
        tells(
            |index| *index.edges.updated.values_mut().next().expect("one was updated") = Time(-1),
            "the latest update of an edge",
        );
        tells(
            |index| {
                let last = index.feature_store.values.bytes.len() - 2;
                index.feature_store.values.bytes[last] ^= 1;
            },
            "a feature of",
        );
    }

    #[test]
    fn each_fault_of_a_list_is_told() {
        use crate::adjacency::Adjacency;
        use crate::adjacency::csr::{Csr, CsrArrays};
        let sound = graph();
        let tells = |change: fn(&mut CsrArrays<u32>), what: &str| {
            let mut other = graph();
            // Those of nodes that were touched would be elsewhere.
            let mut adjacency = Adjacency::of(&other.edges, other.n_nodes());
            match std::sync::Arc::get_mut(&mut adjacency.csr).expect("no other has them") {
                Csr::Narrow(arrays) => change(arrays),
                Csr::Wide(_) => unreachable!("the times are narrow"),
            }
            other.adjacency = adjacency.into();
            assert!(other.same_as(&sound).is_err(), "{what}");
        };
        tells(|lists| lists.entries[9].removed -= 1, "lists.entries[9].removed");
        tells(|lists| lists.entries[9].created += 1, "lists.entries[9].created");
        tells(|lists| lists.entries[9] = lists.entries[10], "lists.entries[9]");
        tells(|lists| lists.removals[2] += 1, "lists.removals[2]");
        tells(|lists| lists.latest[0] = 0, "lists.latest[0]");
        tells(|lists| lists.starts[4] -= 1, "lists.starts[4]");
        tells(|lists| lists.lists[3].inward ^= 1, "lists.lists[3].inward");
        tells(|lists| lists.lists[3].edge_type.0 += 1, "lists.lists[3].edge_type.0");
    }
}
