//! What is near in a window is what a plain loop over all lives finds.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use timeweft_graph::{
    Direction, EdgeIndex, EdgeKey, EdgeTypeId, GraphView, Interval, Life, MergeRecord, NodeIndex, NodeKey, Schema, Time,
};
use timeweft_index::{Expansion, Index, Neighborhood, Surroundings};
use timeweft_oracle::histories::{histories, node_keys};

use crate::event_builders::apply;
use crate::random_lives::{Random, SCALES, World, key};

/// All lives of edges, as they are listed.
struct AllLives<'a> {
    index: &'a Index,
    /// Number, type, ends and key of each life that is in the window.
    lives: Vec<(EdgeIndex, EdgeTypeId, NodeIndex, NodeIndex, EdgeKey)>,
    merges: Vec<MergeRecord>,
}

type Seen = (Time, EdgeIndex, NodeIndex);

impl<'a> AllLives<'a> {
    fn new(index: &'a Index, window: (Time, Time)) -> AllLives<'a> {
        let all = (0..index.n_edges() as u32).map(EdgeIndex);
        let within = all.filter(|edge| overlaps(index.edge_interval(*edge), window));
        let lives = within.map(|edge| {
            let (edge_type, source, destination) = index.edge_ends(edge);
            (edge, edge_type, source, destination, index.edge_key(edge))
        });
        let merges = index.merges().into_iter().filter(|merge| overlaps(merge.interval, window));
        let merges = merges.filter(|merge| MergeRecord::resolves(merge.features.get("type")));
        AllLives { index, lives: lives.collect(), merges: merges.collect() }
    }

    /// The edges on each side of a node by type: newest first.
    fn lists(&self, node: NodeIndex) -> BTreeMap<(Direction, EdgeTypeId), Vec<Seen>> {
        let mut lists: BTreeMap<_, Vec<Seen>> = BTreeMap::new();
        for (edge, edge_type, source, destination, _) in &self.lives {
            let created = self.index.edge_interval(*edge).created;
            if *source == node {
                lists.entry((Direction::Out, *edge_type)).or_default().push((created, *edge, *destination));
            }
            if *destination == node {
                lists.entry((Direction::In, *edge_type)).or_default().push((created, *edge, *source));
            }
        }
        lists.values_mut().for_each(|list| list.sort_by_key(|(created, edge, _)| Reverse((*created, *edge))));
        lists
    }

    fn merged_beside(&self, node: NodeIndex, k: usize) -> Vec<NodeIndex> {
        let key = self.index.node_key(node);
        let mut newest: Vec<&MergeRecord> = self.merges.iter().collect();
        newest.sort_by_key(|merge| Reverse(merge.interval.created));
        let other = |from: bool| {
            let of = newest.iter().filter(|merge| if from { merge.from == key } else { merge.into == key });
            let others = of.filter_map(|merge| self.index.node_index(if from { &merge.into } else { &merge.from }));
            others.take(k).collect::<Vec<_>>()
        };
        [other(true), other(false)].concat()
    }

    fn hops(&self, asked: &Neighborhood) -> BTreeMap<NodeIndex, u32> {
        let mut hops: BTreeMap<NodeIndex, u32> = asked.roots.iter().map(|root| (*root, 0)).collect();
        for hop in 1..=asked.hops {
            let ring: Vec<NodeIndex> = hops.iter().filter(|(_, at)| **at + 1 == hop).map(|(node, _)| *node).collect();
            for node in ring {
                let near = self.lists(node).into_values().flat_map(|list| distinct(&list, asked.k, |_| true));
                for node in near.chain(self.merged_beside(node, asked.k)) {
                    hops.entry(node).or_insert(hop);
                }
            }
        }
        for Expansion { node, relation, direction } in &asked.expand {
            let Some(hop) = hops.get(node).copied() else { continue };
            let mut left = 50;
            for ((side, edge_type), list) in self.lists(*node) {
                if side == *direction && self.index.schema().edge_types()[edge_type.at()].relation == *relation {
                    let new = distinct(&list, left, |node| !hops.contains_key(&node));
                    left -= new.len();
                    hops.extend(new.into_iter().map(|node| (node, hop + 1)));
                }
            }
        }
        hops
    }

    /// Edges by type and side, each once.
    fn counts(&self, node: NodeIndex) -> BTreeMap<(Direction, EdgeTypeId), BTreeSet<EdgeKey>> {
        let keys = |list: Vec<Seen>| list.into_iter().map(|(_, edge, _)| self.index.edge_key(edge)).collect();
        self.lists(node).into_iter().map(|(of, list)| (of, keys(list))).collect()
    }
}

fn overlaps(life: Interval, (from, to): (Time, Time)) -> bool {
    life.created < life.removed && life.created <= to && life.removed > from
}

fn distinct(list: &[Seen], k: usize, is_wanted: impl Fn(NodeIndex) -> bool) -> Vec<NodeIndex> {
    let mut found = Vec::new();
    for (_, _, node) in list {
        if found.len() < k && is_wanted(*node) && !found.contains(node) {
            found.push(*node);
        }
    }
    found
}

fn lives_and_changes(history: &[Life], window: (Time, Time)) -> (Vec<Interval>, Vec<Time>) {
    let own: Vec<&Life> = history.iter().filter(|life| overlaps(life.interval, window)).collect();
    let ends = |life: &&Life| {
        let within = life.interval;
        let ends = life.features.iter().flat_map(|span| [span.interval.created, span.interval.removed]);
        ends.filter(|time| *time > within.created && *time < within.removed).collect::<Vec<_>>()
    };
    let changes: BTreeSet<Time> =
        own.iter().flat_map(ends).filter(|time| window.0 <= *time && *time <= window.1).collect();
    let changes: Vec<Time> = changes.into_iter().collect();
    (own.iter().map(|life| life.interval).collect(), changes[changes.len().saturating_sub(100)..].to_vec())
}

fn check(index: &Index, asked: &Neighborhood) -> Surroundings {
    let (found, all) = (index.neighborhood(asked), AllLives::new(index, asked.window));
    let hops = all.hops(asked);
    assert_eq!(found.total, hops.len(), "{asked:?}");
    let counts: BTreeMap<_, _> = hops.keys().map(|node| (*node, all.counts(*node))).collect();
    let degree = |node: &NodeIndex| counts[node].values().map(BTreeSet::len).sum::<usize>();
    let mut ranked: Vec<(u32, Reverse<usize>, NodeKey)> =
        hops.iter().map(|(node, hop)| (*hop, Reverse(degree(node)), index.node_key(*node))).collect();
    ranked.sort();
    ranked.truncate(asked.limit);
    let shown: Vec<_> =
        found.nodes.iter().map(|near| (near.hop, Reverse(near.degree), index.node_key(near.node))).collect();
    assert_eq!(shown, ranked, "{asked:?}");
    let nodes: Vec<NodeIndex> = found.nodes.iter().map(|near| near.node).collect();
    let among: BTreeMap<&EdgeKey, usize> = all
        .lives
        .iter()
        .filter(|(_, _, source, destination, _)| nodes.contains(source) && nodes.contains(destination))
        .map(|(.., key)| (key, 1))
        .collect();
    let edges: Vec<EdgeKey> = found.edges.iter().map(|edge| index.edge_key(edge.edge)).collect();
    assert_eq!(edges.iter().collect::<Vec<_>>(), among.keys().copied().collect::<Vec<_>>(), "{asked:?}");
    let mut marks: BTreeSet<Time> = BTreeSet::new();
    let mut note = |lives: &[Interval], changes: &[Time]| {
        marks.extend(lives.iter().flat_map(|life| [life.created, life.removed]).chain(changes.iter().copied()));
    };
    for (edge, key) in found.edges.iter().zip(&edges) {
        let (lives, changes) = lives_and_changes(&index.edge_history(key), asked.window);
        assert_eq!((&edge.lives, &edge.changes), (&lives, &changes), "{key}");
        assert_eq!((nodes[edge.source], nodes[edge.destination]), {
            let (_, source, destination) = index.edge_ends(edge.edge);
            (source, destination)
        });
        note(&lives, &changes);
    }
    for near in &found.nodes {
        let own = index.node_key(near.node);
        let (lives, changes) = lives_and_changes(&index.node_history(&own), asked.window);
        assert_eq!((&near.lives, &near.changes), (&lives, &changes), "{own}");
        note(&lives, &changes);
        let sent = |keys: &BTreeSet<EdgeKey>| keys.iter().filter(|key| !among.contains_key(key)).count();
        let more: Vec<_> = counts[&near.node]
            .iter()
            .map(|((side, of), keys)| (*side, *of, sent(keys)))
            .filter(|(.., n)| *n > 0)
            .collect();
        assert_eq!(near.more.iter().map(|more| (more.direction, more.edge_type, more.n)).collect::<Vec<_>>(), more);
        let merges = all.merges.iter().filter(|merge| merge.from == own);
        let placed = merges.filter_map(|merge| {
            let into = index.node_index(&merge.into)?;
            Some((merge.interval.created, nodes.iter().position(|node| *node == into)?, merge.interval))
        });
        let merged = placed.max_by_key(|(created, ..)| *created);
        assert_eq!(near.merged.map(|(_, interval)| interval.created), merged.map(|(created, ..)| created));
        note(near.merged.iter().map(|(_, interval)| *interval).collect::<Vec<_>>().as_slice(), &[]);
    }
    let marks: Vec<Time> =
        marks.into_iter().filter(|time| asked.window.0 <= *time && *time <= asked.window.1).collect();
    if marks.len() <= Neighborhood::MOST_MARKS {
        assert_eq!(found.marks, marks);
    } else {
        assert_eq!(found.marks.len(), Neighborhood::MOST_MARKS);
        assert_eq!((found.marks.first(), found.marks.last()), (marks.first(), marks.last()));
        assert!(found.marks.iter().all(|mark| marks.binary_search(mark).is_ok()) && found.marks.is_sorted());
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn random_histories(
        events in histories(),
        (from, width) in (-2i64..14, 0i64..16),
        (hops, k, limit) in (0u32..4, 1usize..4, 1usize..10),
        (n_roots, side) in (1usize..4, any::<bool>()),
    ) {
        let mut index = Index::new(Schema::default());
        events.iter().for_each(|event| _ = apply(&mut index, event));
        let known: Vec<NodeIndex> = node_keys().iter().filter_map(|key| index.node_index(key)).collect();
        let roots: Vec<NodeIndex> = known.iter().copied().take(n_roots).collect();
        let direction = if side { Direction::Out } else { Direction::In };
        let expand = roots.iter().map(|node| Expansion { node: *node, relation: "likes".into(), direction }).collect();
        // Of equal times the order of merges is not told apart by a record.
        let k = if index.merges().len() > 1 { 50 } else { k };
        check(&index, &Neighborhood { roots, window: (Time(from), Time(from + width)), hops, k, expand, limit });
    }
}

#[test]
fn a_hub_is_counted_without_a_look_at_each_edge() {
    let mut most = 0;
    for (seed, scale) in SCALES.into_iter().enumerate() {
        let world = World::restless(seed as u64, scale, 30, 3_000);
        for index in world.indexes() {
            let mut random = Random(seed as u64 + 100);
            for _ in 0..6 {
                let times = [world.time(&mut random), world.time(&mut random)];
                let window =
                    (times[0].min(times[1]).max(Time(world.first)), times[0].max(times[1]).min(Time(world.last)));
                let node = index.node_index(&key(0)).unwrap();
                let (hops, k) = (random.below(3) as u32, 1 + random.below(4));
                let expand = vec![Expansion { node, relation: "1".into(), direction: Direction::In }];
                let limit = 2 + random.below(30);
                let found = check(&index, &Neighborhood { roots: vec![node], window, hops, k, expand, limit });
                most = most.max(found.nodes[0].degree);
            }
        }
    }
    assert!(most > 200, "{most}: no hub was seen");
}
