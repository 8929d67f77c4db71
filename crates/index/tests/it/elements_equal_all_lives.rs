//! Nodes and edges themselves against a look at all lives: who is alive, how many, and samples of them.

use timeweft_graph::{EdgeTypeId, NodeIndex, NodeTypeId, Time};
use timeweft_index::Index;
use timeweft_index::sample::{AsOf, Choice, ElementSampling, Roots};

use crate::random_lives::{Random, SCALES, TYPES, World};

/// Times asked of each world.
const TIMES: usize = 13_000;
const NODES: usize = 12;

struct Asked {
    world: World,
    times: Vec<Time>,
}

impl Asked {
    /// A small world in which nodes come and go often.
    fn new(scale: usize) -> Asked {
        let world = World::restless(scale as u64 + 80, SCALES[scale], NODES, 1200);
        let mut random = Random(scale as u64);
        let (first, span) = (world.first, (world.last - world.first) as usize);
        let mut time = || match random.below(20) {
            0 => Time::FOREVER,
            1 => Time::MIN,
            2 => Time(first - 1),
            3..7 => Time(world.node_lives[random.below(world.node_lives.len())].2),
            7..12 => Time(world.lives[random.below(world.lives.len())].removed),
            12..16 => Time(world.lives[random.below(world.lives.len())].created),
            _ => Time(first + random.below(span + 2) as i64),
        };
        let times = (0..TIMES).map(|_| time()).collect();
        Asked { world, times }
    }

    fn nodes(&self, time: i64) -> Vec<u32> {
        let lives = self.world.node_lives.iter();
        let alive = lives.filter(|(_, created, removed)| {
            created < removed && *created <= time && (time < *removed || *removed == i64::MAX)
        });
        let mut nodes: Vec<u32> = alive.map(|(node, ..)| *node as u32).collect();
        nodes.sort_unstable();
        nodes
    }

    fn edges(&self, edge_type: Option<u16>, time: i64) -> Vec<u32> {
        let lives = (0u32..).zip(&self.world.lives);
        let alive =
            lives.filter(|(_, life)| life.is_alive(time) && edge_type.is_none_or(|wanted| wanted == life.edge_type));
        alive.map(|(at, _)| at).collect()
    }
}

fn each(mut check: impl FnMut(&Asked, &Index, Time, usize)) -> usize {
    let mut n = 0;
    for scale in 0..SCALES.len() {
        let asked = Asked::new(scale);
        for index in &asked.world.indexes() {
            for time in &asked.times {
                check(&asked, index, *time, n);
                n += 1;
            }
        }
    }
    n
}

fn last(as_of: AsOf, time: Time) -> Option<i64> {
    match as_of {
        AsOf::At => Some(time.0),
        AsOf::Before => time.0.checked_sub(1),
    }
}

#[test]
fn node_types_and_type_counts_equal_a_look_at_all_lives() {
    let mut alive = 0;
    let n = each(|asked, index, time, at| {
        let nodes = asked.nodes(time.0);
        assert_eq!(index.count_nodes(NodeTypeId(0), time), nodes.len(), "{time}");
        for edge_type in 0..TYPES {
            let wanted = asked.edges(Some(edge_type), time.0).len();
            assert_eq!(index.count_edges(EdgeTypeId(edge_type), time), wanted, "{time}");
        }
        let as_of = if at.is_multiple_of(2) { AsOf::At } else { AsOf::Before };
        let seen = last(as_of, time).map_or(Vec::new(), |last| asked.nodes(last));
        let all: Vec<NodeIndex> = (0..NODES as u32 + 1).map(NodeIndex).collect();
        let types = index.node_types_of(Roots::new(&all, &[time; NODES + 1]).unwrap(), as_of);
        let wanted: Vec<_> = all.iter().map(|node| seen.contains(&node.0).then_some(NodeTypeId(0))).collect();
        assert_eq!(types, wanted, "{as_of:?} {time}");
        alive += nodes.len();
    });
    assert!(n >= 100_000 && alive > n && alive < n * (NODES - 1), "{n} {alive}");
}

const CHOICES: [Choice; 4] = [Choice::Uniform, Choice::UniformDistinct, Choice::Weighted, Choice::WeightedDistinct];

/// Whether so many were drawn of those that may be, each once if they are to be distinct.
fn is_right(choice: Choice, n: usize, mut drawn: Vec<u32>, may: &[u32]) -> bool {
    let distinct = matches!(choice, Choice::UniformDistinct | Choice::WeightedDistinct);
    let wanted = if distinct || may.is_empty() { n.min(may.len()) } else { n };
    let all_may = drawn.iter().all(|one| may.binary_search(one).is_ok());
    let len = drawn.len();
    drawn.sort_unstable();
    drawn.dedup();
    all_may && len == wanted && (!distinct || drawn.len() == len)
}

#[test]
fn sampled_nodes_are_alive() {
    let n = each(|asked, index, time, at| {
        for choice in CHOICES {
            for as_of in [AsOf::At, AsOf::Before] {
                let may = last(as_of, time).map_or(Vec::new(), |last| asked.nodes(last));
                let sampling = ElementSampling { seed: at as u64, ..ElementSampling::new(vec![], choice, 6) };
                let drawn = index.sample_nodes(&sampling, time, as_of).unwrap();
                let drawn = drawn.into_iter().map(|node| node.0).collect();
                assert!(is_right(choice, 6, drawn, &may), "{choice:?} {as_of:?} {time}: {may:?}");
            }
        }
    });
    assert!(n >= 100_000, "{n}");
}

#[test]
fn sampled_edges_are_alive() {
    let mut found = 0;
    let n = each(|asked, index, time, at| {
        for choice in CHOICES {
            let as_of = if at.is_multiple_of(2) { AsOf::At } else { AsOf::Before };
            let edge_type = [None, Some(1)][at / 2 % 2];
            let weighted = matches!(choice, Choice::Weighted | Choice::WeightedDistinct);
            let mut may = last(as_of, time).map_or(Vec::new(), |last| asked.edges(edge_type, last));
            if weighted {
                let weight = |edge: u32| asked.world.lives[edge as usize].weight(last(as_of, time).unwrap());
                may.retain(|edge| weight(*edge) > 0.0);
            }
            let types = edge_type.map(EdgeTypeId).into_iter().collect();
            let sampling = ElementSampling {
                seed: at as u64,
                weight: weighted.then(|| "weight".into()),
                ..ElementSampling::new(types, choice, 5)
            };
            let drawn = index.sample_edges(&sampling, time, as_of).unwrap();
            found += drawn.len();
            let drawn = drawn.into_iter().map(|edge| edge.0).collect();
            assert!(is_right(choice, 5, drawn, &may), "{choice:?} {as_of:?} {time}: {may:?}");
        }
    });
    assert!(n >= 100_000 && found > n, "{n} {found}");
}
