//! Page rank against the same pushes on the edges that a look at all lives finds, and against the ranks that they near.

use std::collections::HashMap;

use timeweft_graph::{Deletes, NodeIndex, Time};
use timeweft_index::Index;
use timeweft_index::sample::{AsOf, EdgeTypes, NO_NODE, PageRank, Roots, Scope, Side};

use crate::random_lives::{Random, SCALES, World};

const NODES: usize = 30;
const ROOTS: usize = 3_200;

fn scopes() -> Vec<Scope> {
    let one = || EdgeTypes::Only(vec![timeweft_graph::EdgeTypeId(1)]);
    vec![
        Scope::new(EdgeTypes::All, Side::Both, AsOf::At),
        Scope::new(one(), Side::Out, AsOf::Before),
        Scope::new(one(), Side::Both, AsOf::Before).deletes(Deletes::Soft),
        Scope::new(EdgeTypes::All, Side::In, AsOf::At),
    ]
}

struct Asked {
    world: World,
    nodes: Vec<NodeIndex>,
    times: Vec<Time>,
}

impl Asked {
    fn new(scale: usize) -> Asked {
        let world = World::random(scale as u64 + 40, SCALES[scale], NODES, 1500);
        let mut random = Random(scale as u64);
        let mut time = || world.time(&mut random);
        let times = (0..ROOTS).map(|_| time()).collect();
        let mut random = Random(scale as u64 + 1);
        let nodes = (0..ROOTS).map(|_| NodeIndex(random.below(NODES + 1) as u32)).collect();
        Asked { world, nodes, times }
    }
}

/// The neighbors of every node in the order of answers.
fn neighbors(world: &World, scope: &Scope, time: Time) -> Vec<Vec<usize>> {
    let of = |node| world.seen(scope, node, time.0).iter().map(|seen| seen.neighbor as usize).collect();
    (0..NODES).map(of).collect()
}

/// The definition: of those that have enough, the last one pushes first.
fn pushed(neighbors: &[Vec<usize>], root: usize, alpha: f64, eps: f64) -> HashMap<usize, f64> {
    // A node that the graph does not have.
    if root >= neighbors.len() {
        return HashMap::new();
    }
    let near = |node: usize| &neighbors[node];
    let (mut ranks, mut residues) = (HashMap::new(), HashMap::from([(root, alpha)]));
    let mut waiting = vec![root];
    while let Some(node) = waiting.pop() {
        let residue = residues.insert(node, 0.0).unwrap();
        *ranks.entry(node).or_insert(0.0) += residue;
        let mut reached = Vec::new();
        for &to in near(node) {
            *residues.entry(to).or_insert(0.0) += (1.0 - alpha) * residue / near(node).len() as f64;
            if !reached.contains(&to) {
                reached.push(to);
            }
        }
        reached.retain(|&node| residues[&node] >= alpha * eps * near(node).len().max(1) as f64);
        reached.retain(|node| !waiting.contains(node));
        waiting.extend(reached);
    }
    ranks
}

fn ask(index: &Index, page_rank: &PageRank, nodes: &[NodeIndex], times: &[Time]) -> Vec<(NodeIndex, f64)> {
    let (mut found, mut ranks) = (vec![NodeIndex(7); nodes.len() * page_rank.k], vec![7.0; nodes.len() * page_rank.k]);
    index.page_rank(page_rank, Roots::new(nodes, times).unwrap(), &mut found, &mut ranks).unwrap();
    found.into_iter().zip(ranks).collect()
}

#[test]
fn page_rank_equals_pushes_on_a_look_at_all_lives() {
    let (mut n, mut longest, mut empty) = (0, 0, 0);
    for (scale, of) in SCALES.into_iter().enumerate() {
        let asked = Asked::new(scale);
        for (at, scope) in scopes().into_iter().flat_map(|scope| [scope.clone(), scope]).enumerate() {
            let within = of.windows()[(scale + at / 2) % 5];
            let scope = if at % 2 == 0 { scope } else { scope.within(within) };
            let near: Vec<_> = asked.times.iter().map(|time| neighbors(&asked.world, &scope, *time)).collect();
            for (index, (alpha, eps)) in asked.world.indexes().iter().zip([(0.15, 1e-2), (0.5, 1e-3)]) {
                let page_rank = PageRank { scope: scope.clone(), alpha, eps, k: 8 };
                let found = ask(index, &page_rank, &asked.nodes, &asked.times);
                for (row, found) in found.chunks(8).enumerate() {
                    let root = asked.nodes[row].at();
                    let mut wanted: Vec<_> = pushed(&near[row], root, alpha, eps).into_iter().collect();
                    wanted.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
                    let all = wanted.len();
                    wanted.resize(8, (NO_NODE.at(), 0.0));
                    let found: Vec<_> = found.iter().map(|(node, rank)| (node.at(), *rank)).collect();
                    assert_eq!(found, wanted, "{page_rank:?} {root} {}", asked.times[row]);
                    (n, longest, empty) = (n + 1, longest.max(all), empty + usize::from(all == 1));
                }
            }
        }
    }
    assert!(n >= 100_000 && longest > NODES / 2 && empty > 1000 && empty < n / 2, "{n} {longest} {empty}");
}

/// The ranks that walks have in the end, by repeated steps.
fn exact(neighbors: &[Vec<usize>], root: usize, alpha: f64) -> Vec<f64> {
    let (mut ranks, mut walkers) = (vec![0.0; neighbors.len()], vec![0.0; neighbors.len()]);
    walkers[root] = 1.0;
    for _ in 0..400 {
        let mut next = vec![0.0; neighbors.len()];
        for (node, near) in neighbors.iter().enumerate() {
            ranks[node] += alpha * walkers[node];
            near.iter().for_each(|to| next[*to] += (1.0 - alpha) * walkers[node] / near.len() as f64);
        }
        walkers = next;
    }
    ranks
}

/// The bound of the paper: what a node lacks is below `eps` for each of its edges.
#[test]
fn page_rank_is_as_near_to_the_exact_ranks_as_promised() {
    let asked = Asked::new(1);
    let [index, _] = asked.world.indexes();
    let scope = scopes().remove(0);
    let (nodes, times) = (&asked.nodes[..400], &asked.times[..400]);
    for (alpha, eps) in [(0.15, 1e-3), (0.15, 1e-6), (0.6, 1e-4), (1.0, 1e-4)] {
        let page_rank = PageRank { scope: scope.clone(), alpha, eps, k: NODES };
        let mut worst: f64 = 0.0;
        for (row, found) in ask(&index, &page_rank, nodes, times).chunks(NODES).enumerate() {
            let near = neighbors(&asked.world, &scope, times[row]);
            let Some(_) = near.get(nodes[row].at()) else { continue };
            let exact = exact(&near, nodes[row].at(), alpha);
            for (node, exact) in exact.into_iter().enumerate() {
                let rank = found.iter().find(|(found, _)| found.at() == node).map_or(0.0, |(_, rank)| *rank);
                let lacks = exact - rank;
                let most = eps * near[node].len().max(1) as f64;
                assert!(lacks > -1e-12 && lacks <= most + 1e-12, "{page_rank:?} {node}: {rank} of {exact}");
                worst = worst.max(lacks / most);
            }
        }
        assert!(worst > 0.2 || alpha == 1.0, "{alpha} {eps}: the bound is far: {worst}");
    }
}

#[test]
fn page_rank_does_not_depend_on_threads_or_batches() {
    let asked = Asked::new(2);
    let [index, _] = asked.world.indexes();
    let page_rank = PageRank { scope: scopes().remove(0), alpha: 0.15, eps: 1e-4, k: 5 };
    let with = |threads: usize, size: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let parts = asked.nodes.chunks(size).zip(asked.times.chunks(size));
        pool.install(|| parts.flat_map(|(nodes, times)| ask(&index, &page_rank, nodes, times)).collect::<Vec<_>>())
    };
    let one = with(1, ROOTS);
    assert!([(2, ROOTS), (3, 77), (8, 1), (1, 500)].into_iter().all(|(threads, size)| with(threads, size) == one));
}
