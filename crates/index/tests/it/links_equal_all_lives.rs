//! Counters of pairs and nodes against a look at all lives.

use std::collections::{BTreeMap, BTreeSet};

use timeweft_graph::{Deletes, EdgeIndex, EdgeTypeId, NodeIndex, Time};
use timeweft_index::sample::{AsOf, EdgeTypes, Links, Roots, SampleError, Scope, Side};
use timeweft_index::{Index, Recency};

use crate::random_lives::{Random, SCALES, Seen, TYPES, World, is_in_window};

const N: usize = 3_500;

struct Asked {
    world: World,
    nodes: Vec<NodeIndex>,
    others: Vec<NodeIndex>,
    types: Vec<EdgeTypeId>,
    times: Vec<Time>,
    windows: [u64; 5],
}

impl Asked {
    fn new(scale: usize) -> Asked {
        let world = World::random(scale as u64 + 20, SCALES[scale], 30, 3000);
        let mut random = Random(scale as u64);
        let mut time = || world.time(&mut random);
        let mut times: Vec<Time> = (0..N).map(|_| time()).collect();
        let mut random = Random(scale as u64 + 1);
        let nodes: Vec<_> = (0..N).map(|_| NodeIndex(random.below(31) as u32)).collect();
        let windows = SCALES[scale].windows();
        for (at, (node, time)) in nodes.iter().zip(&mut times).enumerate().step_by(4) {
            *time = world.window_time(&mut random, *node, windows[at / 4 % 5]).unwrap_or(*time);
        }
        let others = (0..N).map(|_| NodeIndex(random.below(6) as u32)).collect();
        let types = (0..N).map(|_| EdgeTypeId(random.below(usize::from(TYPES) + 1) as u16)).collect();
        Asked { world, nodes, others, types, times, windows }
    }

    /// Of any time, and each in a window.
    fn scopes(&self) -> Vec<Scope> {
        let windows = self.windows.iter().copied().cycle().skip(self.nodes[0].at());
        scopes().into_iter().zip(windows).flat_map(|(scope, within)| [scope.clone(), scope.within(within)]).collect()
    }

    fn roots(&self) -> Roots<'_> {
        Roots::new(&self.nodes, &self.times).unwrap()
    }
}

fn scopes() -> Vec<Scope> {
    let (all, one) = (|| EdgeTypes::All, || EdgeTypes::Only(vec![EdgeTypeId(1)]));
    vec![
        Scope::new(one(), Side::Out, AsOf::At),
        Scope::new(one(), Side::In, AsOf::Before),
        Scope::new(all(), Side::In, AsOf::At),
        Scope::new(all(), Side::Both, AsOf::Before).deletes(Deletes::Soft),
    ]
}

fn each(mut check: impl FnMut(&Asked, &Index)) {
    for scale in 0..SCALES.len() {
        let asked = Asked::new(scale);
        asked.world.indexes().iter().for_each(|index| check(&asked, index));
    }
}

fn last(as_of: AsOf, time: Time) -> Option<i64> {
    match as_of {
        AsOf::At => Some(time.0),
        AsOf::Before => time.0.checked_sub(1),
    }
}

#[test]
fn edges_and_counts_of_pairs_equal_a_look_at_all_lives() {
    let (mut n, mut most, mut found) = (0, 0, 0);
    each(|asked, index| {
        let links = Links::new(&asked.nodes, &asked.types, &asked.others, &asked.times).unwrap();
        for (as_of, deletes) in
            [AsOf::At, AsOf::Before].into_iter().flat_map(|a| [(a, Deletes::Hard), (a, Deletes::Soft)])
        {
            let (mut counts, mut edges, mut recencies) = (vec![9; N], vec![EdgeIndex(1)], vec![Recency::default(); N]);
            index.all_edges_between(links, as_of, deletes, &mut counts, &mut edges).unwrap();
            index.pair_recencies(links, as_of, &mut recencies).unwrap();
            let mut rest = edges.into_iter();
            for row in 0..N {
                let ends = (asked.nodes[row].at(), asked.others[row].at(), asked.types[row].0);
                let last = last(as_of, asked.times[row]);
                let of_pair = |life: &crate::random_lives::Live| {
                    (life.source, life.destination, life.edge_type) == ends
                        && last.is_some_and(|last| life.created <= last)
                };
                let lives = || (0u32..).zip(&asked.world.lives).filter(|(_, life)| of_pair(life));
                let soft = deletes == Deletes::Soft;
                let seen = |life: &crate::random_lives::Live| life.is_real() && (soft || life.is_alive(last.unwrap()));
                let wanted: BTreeSet<_> = lives().filter(|(_, l)| seen(l)).map(|(at, l)| (l.created, at)).collect();
                let own: Vec<u32> = rest.by_ref().take(counts[row] as usize).map(|edge| edge.0).collect();
                assert_eq!(own, wanted.iter().map(|(_, at)| *at).collect::<Vec<_>>(), "{ends:?} {last:?}");
                let recency = (recencies[row].count as usize, recencies[row].last);
                assert_eq!(recency, (lives().count(), lives().map(|(_, life)| Time(life.created)).max()));
                (n, most, found) = (n + 1, most.max(recency.0), found + own.len());
            }
            assert_eq!(rest.next(), None);
        }
    });
    assert!(n >= 100_000 && most > 20 && found > 10_000, "{n} {most} {found}");
}

#[test]
fn popularity_equals_a_look_at_all_lives() {
    let (mut n, mut most) = (0, 0);
    each(|asked, index| {
        for scope in asked.scopes() {
            let mut out = vec![Recency { count: 7, last: Some(Time(7)) }; N];
            index.recencies(&scope, asked.roots(), &mut out).unwrap();
            for (row, found) in out.into_iter().enumerate() {
                let last = last(scope.as_of, asked.times[row]);
                let all = asked.world.at_node(&scope, asked.nodes[row].at(), 0).into_iter();
                let is_in =
                    |at: &i64| last.is_some_and(|last| *at <= last) && is_in_window(&scope, *at, asked.times[row].0);
                let times: Vec<i64> = all.map(|seen| seen.created).filter(is_in).collect();
                let wanted = Recency { count: times.len() as u32, last: times.iter().max().map(|at| Time(*at)) };
                assert_eq!(found, wanted, "{scope:?} {:?} {last:?}", asked.nodes[row]);
                (n, most) = (n + 1, most.max(times.len()));
            }
        }
    });
    assert!(n >= 100_000 && most > 500, "{n} {most}");
}

#[test]
fn common_neighbors_equal_a_look_at_all_lives() {
    let (mut n, mut met) = (0, BTreeMap::new());
    each(|asked, index| {
        for scope in asked.scopes() {
            let mut counts = vec![77; N];
            index.common_neighbors(&scope, asked.roots(), &asked.others, &mut counts).unwrap();
            for (row, count) in counts.into_iter().enumerate() {
                let near = |node: NodeIndex| -> BTreeSet<u32> {
                    let seen: Vec<Seen> = asked.world.seen(&scope, node.at(), asked.times[row].0);
                    seen.iter().map(|seen| seen.neighbor).collect()
                };
                let wanted = near(asked.nodes[row]).intersection(&near(asked.others[row])).count();
                assert_eq!(count as usize, wanted, "{scope:?} {:?} {}", asked.nodes[row], asked.times[row]);
                *met.entry(wanted).or_insert(0) += 1;
                n += 1;
            }
        }
    });
    assert!(n >= 100_000 && met.len() > 10, "{n} {met:?}");
}

#[test]
fn short_lists_of_links_are_refused() {
    let asked = Asked::new(0);
    let [index, _] = asked.world.indexes();
    let short = Links::new(&asked.nodes, &asked.types[1..], &asked.others, &asked.times).unwrap_err();
    assert_eq!(short.to_string(), "`edge_types` has 3499 elements, but 3500 are needed");
    let wrong = |what, len| SampleError::Length { what, len, wanted: N };
    assert_eq!(
        Links::new(&asked.nodes, &asked.types, &asked.others[1..], &asked.times).unwrap_err(),
        wrong("destinations", N - 1)
    );
    assert_eq!(
        Links::new(&asked.nodes, &asked.types, &asked.others, &asked.times[1..]).unwrap_err(),
        wrong("times", N - 1)
    );
    let links = Links::new(&asked.nodes, &asked.types, &asked.others, &asked.times).unwrap();
    let (mut one, mut edges) = ([Recency::default()], Vec::new());
    assert_eq!(index.pair_recencies(links, AsOf::At, &mut one), Err(wrong("out", 1)));
    assert_eq!(index.recencies(&scopes()[0], asked.roots(), &mut one), Err(wrong("out", 1)));
    assert_eq!(index.edges_between(links, AsOf::At, Deletes::Hard, &mut [EdgeIndex(0)]), Err(wrong("edges", 1)));
    assert_eq!(index.all_edges_between(links, AsOf::At, Deletes::Hard, &mut [0], &mut edges), Err(wrong("counts", 1)));
    let roots = asked.roots();
    assert_eq!(
        index.common_neighbors(&scopes()[0], roots, &asked.others[1..], &mut [0; N]),
        Err(wrong("others", N - 1))
    );
    assert_eq!(index.common_neighbors(&scopes()[0], roots, &asked.others, &mut [0]), Err(wrong("counts", 1)));
}
