//! Queries equal naive ones, which scan every node and edge of the oracle, on random histories.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;
use timeweft_graph::{
    Action, At, Direction, EdgeKey, EdgeState, Element, Event, GraphView, Name, NodeKey, NodeState, Schema, Time, Value,
};
use timeweft_index::Index;
use timeweft_index::query::{Answer, Filter, Order, Page, Query, Row, SearchText};
use timeweft_oracle::ReferenceGraph;
use timeweft_oracle::histories::{histories, node_keys, probe_times};

use crate::event_builders::apply;

/// Texts that stand in for those of the histories.
const NAMES: [&str; 8] =
    ["Alpha", "alpha beta", "Beta-ALPHA", "beta, gamma|delta", "Gamma 2", "gam", "βήτα ΣΑΣ", "delta alpha beta"];
/// Words to search for.
const WORDS: [&str; 10] = ["alpha", "ALP", "beta", "b", "gam", "gamma", "2", "βή", "σας", "nothing"];
/// The feature that holds texts.
const NAME: &str = "f5";

/// The oracle at a time.
struct Naive<'a> {
    graph: &'a ReferenceGraph,
    at: At,
    /// All if none are given.
    relations: Option<Vec<&'a str>>,
    depth: u32,
}

/// Nodes with their hops and edges.
type Told = Vec<(NodeState, u32, Vec<EdgeState>)>;

impl Naive<'_> {
    fn alive(&self, key: &NodeKey) -> Option<NodeState> {
        self.graph.node(key, self.at)
    }

    /// Edges between two nodes that count on one side of the first; its ends live too.
    fn between(&self, from: &NodeKey, to: &NodeKey, direction: Direction) -> Vec<EdgeState> {
        let mut edges = self.graph.edges(None, self.at);
        edges.retain(|edge| {
            let (source, destination) = match direction {
                Direction::Out => (from, to),
                Direction::In => (to, from),
            };
            let ends = edge.key.source == *source && edge.key.destination == *destination;
            let relation = self.relations.as_ref().is_none_or(|names| names.contains(&&*edge.key.relation));
            ends && relation && self.alive(source).is_some() && self.alive(destination).is_some()
        });
        edges
    }

    /// Other nodes one hop away.
    fn beside(&self, key: &NodeKey, directions: &[Direction]) -> Told {
        let mut told = Vec::new();
        for other in self.graph.nodes(None, self.at).into_iter().filter(|other| other.key != *key) {
            let mut edges: Vec<_> = directions.iter().flat_map(|side| self.between(key, &other.key, *side)).collect();
            edges.sort_by(|a, b| a.key.cmp(&b.key));
            if !edges.is_empty() {
                told.push((other, 1, edges));
            }
        }
        told
    }

    fn far(&self, key: &NodeKey, direction: Direction) -> BTreeMap<NodeKey, u32> {
        let mut hops = BTreeMap::from([(key.clone(), 0)]);
        for depth in 1..=self.depth {
            let ring: Vec<NodeKey> =
                hops.iter().filter(|(_, at)| **at == depth - 1).map(|(key, _)| key.clone()).collect();
            for (other, ..) in ring.iter().flat_map(|key| self.beside(key, &[direction])) {
                hops.entry(other.key).or_insert(depth);
            }
        }
        hops.remove(key);
        hops
    }

    fn siblings(&self, key: &NodeKey) -> BTreeSet<NodeKey> {
        let parents = self.beside(key, &[Direction::Out]);
        let children = parents.iter().flat_map(|(parent, ..)| self.beside(&parent.key, &[Direction::In]));
        children.map(|(child, ..)| child.key).filter(|child| child != key).collect()
    }

    /// By the letter of the definition: next is who has the fewest parents still to come, then the farthest, then by id.
    fn lineage(&self, key: &NodeKey) -> Vec<NodeKey> {
        let mut left = self.far(key, Direction::Out);
        let mut told = Vec::new();
        while !left.is_empty() {
            let waits = |key: &NodeKey| {
                self.beside(key, &[Direction::Out]).iter().filter(|(parent, ..)| left.contains_key(&parent.key)).count()
            };
            let next = left.iter().min_by_key(|(key, hops)| (waits(key), u32::MAX - **hops, (*key).clone()));
            let next = next.unwrap().0.clone();
            left.remove(&next);
            told.push(next);
        }
        told
    }
}

fn keys(answer: &Answer) -> Vec<NodeKey> {
    answer.rows.iter().map(|row| row.node.key.clone()).collect()
}

fn told(answer: Answer) -> Told {
    assert_eq!(answer.total, answer.rows.len());
    answer.rows.into_iter().map(|Row { node, depth, edges }| (node, depth, edges)).collect()
}

fn hops(answer: Answer) -> BTreeMap<NodeKey, u32> {
    assert!(answer.rows.is_sorted_by(|a, b| a.node.key < b.node.key) && answer.total == answer.rows.len());
    answer.rows.into_iter().map(|row| (row.node.key, row.depth)).collect()
}

/// Histories in which five nodes begin with names and edges among them, so that there are paths.
fn knotted() -> impl Strategy<Value = Vec<Event>> {
    let born = node_keys().into_iter().take(5).map(Element::Node);
    let name = vec![(NAME.into(), Some(Value::text("one")))];
    let born: Vec<_> = born.map(|element| Event::new(Time(0), Action::Create, element).with(name.clone())).collect();
    let tie = |(from, to, known): (usize, usize, bool)| {
        let relation = if known { "knows" } else { "likes" }.into();
        let (source, destination) = (node_keys()[from].clone(), node_keys()[to].clone());
        let key = EdgeKey { source, relation, destination, key: None };
        Event::new(Time(0), Action::Create, Element::Edge(key))
    };
    let ties = vec((0..5usize, 0..5usize, any::<bool>()).prop_map(tie), 0..9);
    (ties, histories()).prop_map(move |(ties, events)| born.iter().cloned().chain(ties).chain(events).collect())
}

/// Histories in which half of all features are names, which have words in common.
fn named_histories() -> impl Strategy<Value = Vec<Event>> {
    let rename = |(at, mut event): (usize, Event)| {
        for (place, (name, value)) in event.features.iter_mut().enumerate() {
            if ["f1", "f2", "f3", "f4", NAME].contains(&&**name) {
                let text = NAMES[(at + 3 * place) % NAMES.len()];
                (*name, *value) = (NAME.into(), value.as_ref().map(|_| Value::text(text)));
            }
        }
        event
    };
    knotted().prop_map(move |events| events.into_iter().enumerate().map(rename).collect())
}

/// Both graphs after the same events. A name was asked for after the first of them.
fn both(events: &[Event], first: usize) -> (ReferenceGraph, Index) {
    let (mut graph, mut index) = (ReferenceGraph::new(Schema::default()), Index::new(Schema::default()));
    for (at, event) in events.iter().enumerate() {
        assert_eq!(apply(&mut index, event), graph.apply(event));
        if at == first {
            for node_type in ["user", "item", "tag"] {
                index.query(Time(0)).named_by(NAME).by_name(node_type, "alpha", None).unwrap();
            }
        }
    }
    (graph, index)
}

fn check_walks(query: &Query<'_>, naive: &Naive<'_>, key: &NodeKey) {
    let (out, inward) = (Direction::Out, Direction::In);
    assert_eq!(told(query.parents(key)), naive.beside(key, &[out]));
    assert_eq!(told(query.children(key)), naive.beside(key, &[inward]));
    assert_eq!(told(query.related(key)), naive.beside(key, &[out, inward]));
    assert_eq!(hops(query.ancestors(key)), naive.far(key, out));
    assert_eq!(hops(query.descendants(key)), naive.far(key, inward));
    assert_eq!(keys(&query.siblings(key)), naive.siblings(key).into_iter().collect::<Vec<_>>());
    assert_eq!(keys(&query.lineage(key)), naive.lineage(key));
    for (linked, direction) in [(query.linked(key), inward), (query.links(key), out)] {
        let mut others = naive.beside(key, &[direction]);
        others.retain(|(other, ..)| other.key.node_type != key.node_type);
        assert_eq!((linked.total, linked.accessible), (others.len(), others.len()));
        assert_eq!(told(Answer { total: linked.accessible, rows: linked.rows }), others);
    }
}

/// One part of a search: whether "or" stands before it, whether its words are beginnings, and its words.
type Piece = (bool, bool, Vec<&'static str>);

fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let word = (0..WORDS.len()).prop_map(|at| WORDS[at]);
    vec((any::<bool>(), any::<bool>(), vec(word, 1..3)), 1..4)
}

fn written(pieces: &[Piece]) -> String {
    let mut text = String::new();
    for (at, (or, prefix, words)) in pieces.iter().enumerate() {
        text += if at == 0 {
            ""
        } else if *or {
            ",|"
        } else {
            ", "
        };
        text += if *prefix { "prefix:" } else { "" };
        text += &words.join(" ");
    }
    text
}

fn naive_words(text: &str) -> Vec<String> {
    let lower: String = text.to_lowercase().replace('ς', "σ");
    let spaced: String = lower.chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    spaced.split(' ').filter(|word| !word.is_empty()).map(String::from).collect()
}

fn naive_match(pieces: &[Piece], name: &str) -> bool {
    let words = naive_words(name);
    let has = |wanted: &str, prefix: bool| {
        let wanted = wanted.to_lowercase().replace('ς', "σ");
        words.iter().any(|word| if prefix { word.starts_with(&wanted) } else { *word == wanted })
    };
    let mut matched = true;
    for (at, (or, prefix, wanted)) in pieces.iter().enumerate() {
        let part = wanted.iter().all(|word| has(word, *prefix));
        matched = if at > 0 && *or { matched || part } else { matched && part };
    }
    matched
}

fn name_of(node: &NodeState) -> Option<String> {
    match node.features.get(NAME)? {
        Value::Text(text) => Some(text.to_lowercase().replace('ς', "σ")),
        _ => None,
    }
}

fn naive_search(graph: &ReferenceGraph, at: At, node_type: &str, pieces: &[Piece]) -> Vec<NodeKey> {
    let phrase = written(pieces);
    let phrase = phrase.strip_prefix("prefix:").unwrap_or(&phrase).to_lowercase().replace('ς', "σ");
    let mut hits: Vec<_> = graph
        .nodes(Some(node_type), at)
        .into_iter()
        .filter_map(|node| Some((name_of(&node)?, node.key)))
        .filter(|(name, _)| naive_match(pieces, name))
        .map(|(name, key)| (name != phrase, !name.starts_with(&phrase), name, key))
        .collect();
    hits.sort();
    hits.into_iter().map(|(.., key)| key).collect()
}

fn check_search(index: &Index, graph: &ReferenceGraph, time: Time, pieces: &[Piece]) {
    let query = index.query(time).named_by(NAME).page(Page::all());
    let text = SearchText::parse(&written(pieces)).unwrap();
    for node_type in ["user", "item", "tag", "nothing"] {
        let found = query.search(node_type, &text).unwrap();
        assert_eq!(keys(&found), naive_search(graph, At::time(time), node_type, pieces), "{}", written(pieces));
    }
}

fn check_names(index: &Index, graph: &ReferenceGraph, time: Time) {
    let at = At::time(time);
    let query = index.query(time).any_relation().named_by(NAME);
    let naive = Naive { graph, at, relations: None, depth: 100 };
    let types = ["user", "item", "tag", "nothing"];
    for (node_type, name) in types.into_iter().flat_map(|node_type| NAMES.map(|name| (node_type, name))) {
        let folded = name.to_lowercase().replace('ς', "σ");
        let mut named = graph.nodes(Some(node_type), at);
        named.retain(|node| name_of(node).is_some_and(|known| known == folded));
        let found = query.by_name(node_type, name, None).unwrap();
        assert_eq!(keys(&found), named.iter().map(|node| node.key.clone()).collect::<Vec<_>>());
        for ancestor in node_keys().iter().take(3) {
            let within = named.iter().filter(|node| naive.far(&node.key, Direction::Out).contains_key(ancestor));
            let found = query.by_name(node_type, name, Some(ancestor)).unwrap();
            assert_eq!(keys(&found), within.map(|node| node.key.clone()).collect::<Vec<_>>());
        }
    }
}

/// A filter, what it means, and an order: descendants with them, page by page.
fn check_filter(index: &Index, graph: &ReferenceGraph, time: Time, pieces: &[Piece], size: usize) {
    let at = At::time(time);
    let text = SearchText::parse(&written(pieces)).unwrap();
    let category = |name: &str| Value::Category(name.into());
    let filter = Filter::matches(NAME, text)
        .or(Filter::is("f6", category("one")).and(Filter::shows("f0", ["0.0"])))
        .or(Filter::one_of("f6", [category("two"), Value::text("one")]));
    let passes = |node: &NodeState| {
        let f6 = node.features.get("f6");
        let zero = node.features.get("f0").is_some_and(|value| value.to_string() == "0.0");
        name_of(node).is_some_and(|name| naive_match(pieces, &name))
            || (f6 == Some(&category("one")) && zero)
            || f6 == Some(&category("two"))
            || f6 == Some(&Value::text("one"))
    };
    let query = index.query(time).any_relation().named_by(NAME).filter(filter).order(Order::Name).select(["f6"]);
    for key in &node_keys() {
        let naive = Naive { graph, at, relations: None, depth: 100 };
        let far = naive.far(key, Direction::In).into_keys().filter_map(|key| graph.node(&key, at));
        let mut passing: Vec<_> = far.filter(passes).collect();
        passing.sort_by_key(|node| (name_of(node).is_none(), name_of(node), node.key.clone()));
        let f6 = Name::from("f6");
        passing.iter_mut().for_each(|node| node.features.retain(|name, _| *name == f6));
        let mut pages = Vec::new();
        for offset in (0..=passing.len()).step_by(size) {
            let answer = query.clone().page(Page::new(size, offset).unwrap()).descendants(key);
            assert!(answer.total == passing.len() && answer.rows.len() <= size);
            pages.extend(answer.rows.into_iter().map(|row| row.node));
        }
        assert_eq!(pages, passing);
    }
}

fn check_merges(index: &Index, graph: &ReferenceGraph, time: Time) {
    let (query, keys) = (index.query(time), node_keys());
    for asked in [&keys[..], &keys[..2], &[]] {
        let mut from: Vec<_> = graph.merges().into_iter().filter(|merge| asked.contains(&merge.from)).collect();
        assert_eq!(query.merge_history(asked).unwrap(), from);
        from.retain(|merge| merge.interval.contains(time));
        assert_eq!(query.merges_from(asked).unwrap(), from);
        let alive: BTreeSet<_> = asked.iter().filter(|key| graph.node(key, At::time(time)).is_some()).collect();
        let got = told(query.get(asked).unwrap());
        assert_eq!(got.iter().map(|(node, ..)| &node.key).collect::<Vec<_>>(), alive.into_iter().collect::<Vec<_>>());
    }
    for key in &keys {
        let way = query.resolve(key);
        let mut last = key;
        for step in &way.steps {
            assert!(step.from == *last && graph.merges().contains(step) && step.interval.contains(time));
            last = &step.into;
        }
        assert_eq!((last, &way.target), (&graph.resolve(key, time), last));
        assert_eq!(way.alive, graph.node(last, At::time(time)).is_some());
        assert_eq!(way.circular, graph.resolve(last, time) != *last);
    }
}

/// Some of the times at which answers can change.
fn some_times(events: &[Event], skip: usize) -> impl Iterator<Item = Time> {
    probe_times(events).into_iter().rev().step_by(1 + skip)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn walks_equal_scans(events in knotted(), skip in 0..4usize, depth in 0..4u32) {
        let (graph, index) = both(&events, usize::MAX);
        for time in some_times(&events, skip) {
            for key in &node_keys() {
                let at = At::time(time);
                let query = index.query(time).page(Page::all());
                let naive = |relations, depth| Naive { graph: &graph, at, relations, depth };
                check_walks(&query.clone().any_relation(), &naive(None, 100), key);
                check_walks(&query.clone().any_relation().depth(depth), &naive(None, depth), key);
                let one = query.clone().relations(["likes"]);
                check_walks(&one, &naive(Some(vec!["likes"]), 100), key);
                check_walks(&query.clone().relations(["knows", "none"]), &naive(Some(vec!["knows", "none"]), 100), key);
                prop_assert_eq!(query.ancestors(key).total, 0, "no such relation is a hierarchy here");
            }
        }
    }

    #[test]
    fn names_equal_scans(events in named_histories(), first in 0..90usize, skip in 0..4usize, searches in vec(pieces(), 8)) {
        let (graph, index) = both(&events, first);
        for time in some_times(&events, skip) {
            check_names(&index, &graph, time);
            searches.iter().for_each(|pieces| check_search(&index, &graph, time, pieces));
        }
    }

    #[test]
    fn filters_and_pages_equal_scans(events in named_histories(), skip in 0..4usize, pieces in pieces(), size in 1..4usize) {
        let (graph, index) = both(&events, usize::MAX);
        for time in some_times(&events, skip) {
            check_filter(&index, &graph, time, &pieces, size);
        }
    }

    #[test]
    fn merges_equal_scans(events in histories(), skip in 0..2usize) {
        let (graph, index) = both(&events, usize::MAX);
        for time in some_times(&events, skip) {
            check_merges(&index, &graph, time);
        }
    }
}

/// The random histories are rich enough for the above to mean something.
#[test]
fn histories_have_paths_names_and_merges() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let (mut far, mut named, mut merged) = (0, 0, 0);
    for _ in 0..64 {
        let events = named_histories().new_tree(&mut runner).unwrap().current();
        let (_, index) = both(&events, usize::MAX);
        for time in probe_times(&events) {
            let query = index.query(time).any_relation().named_by(NAME);
            far += node_keys().iter().filter(|key| query.ancestors(key).rows.iter().any(|row| row.depth > 1)).count();
            named += query.search("user", &SearchText::parse("prefix:alp").unwrap()).unwrap().total;
            merged += query.merges_from(&node_keys()).unwrap().len();
        }
    }
    assert!(far > 100 && named > 100 && merged > 30, "{far} far, {named} named, {merged} merged");
}
