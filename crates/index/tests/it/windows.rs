//! Windows where time begins and ends, and those that are refused.

use timeweft_index::sample::{
    AsOf, Choice, EdgeLists, HopTime, NO_NODE, PageRank, Roots, Samples, Sampling, Scope, Steps, Walk, WalkTimes,
    WeightBy,
};

use crate::sampling_frequencies::row;
use crate::sampling_semantics::{by_weight, counts, graph, nodes, sample, scope, times};

const OPEN: i64 = i64::MAX;

/// With times of 32 and of 64 bits.
#[test]
fn windows_at_the_ends_of_time() {
    const FIRST: i64 = i64::MIN;
    let early = [(0, 1, 0, 1., FIRST, OPEN), (0, 2, 0, 1., FIRST + 1, OPEN), (0, 3, 1, 1., FIRST + 5, OPEN)];
    let late = [(0, 4, 0, 1., i64::MAX - 2, OPEN), (0, 5, 0, 1., i64::MAX - 1, OPEN)];
    for rows in [&early[..], &[&early[..], &late[..]].concat()] {
        let index = graph(6, FIRST, rows);
        let count = |at: i64, within: u64, as_of: AsOf| {
            let scope = Scope { as_of, ..scope(&[0, 1]).within(within) };
            let lasts = sample(&index, &Sampling::new(scope.clone(), Choice::Last, 9), &[0], &[at]);
            let found = lasts.iter().filter(|slot| slot.0 != NO_NODE.0).count() as u32;
            assert_eq!(counts(&index, &scope, &[0], &[at]), [found], "{at} {within}");
            found
        };
        let [at, before] = [AsOf::At, AsOf::Before].map(|as_of| {
            [(FIRST, 1), (FIRST + 1, 1), (FIRST + 5, 3), (FIRST + 5, 4), (FIRST + 5, 5), (FIRST + 5, u64::MAX)]
                .map(|(time, within)| count(time, within, as_of))
        });
        assert_eq!((at, before), ([1, 2, 1, 2, 3, 3], [0, 1, 0, 1, 2, 2]));
        let ends = [(i64::MAX - 1, 1), (i64::MAX, 1), (i64::MAX, 2), (i64::MAX, u64::MAX)];
        let [at, before] = [AsOf::At, AsOf::Before].map(|as_of| ends.map(|(time, within)| count(time, within, as_of)));
        match rows.len() {
            3 => assert_eq!((at, before), ([0, 0, 0, 3], [0, 0, 0, 3])),
            _ => assert_eq!((at, before), ([2, 1, 2, 5], [1, 1, 2, 5])),
        }
    }
}

#[test]
fn empty_windows_are_refused() {
    let index = graph(3, 0, &[(0, 1, 0, 1., 0, OPEN)]);
    let scope = scope(&[0]).within(0);
    let (ids, at) = (nodes(&[0]), times(&[5]));
    let roots = Roots::new(&ids, &at).unwrap();
    let (mut ranks, mut some, mut others) = ([0.0], nodes(&[0, 0]), nodes(&[0, 0]));
    let (mut samples, mut lists) = (Samples::default(), EdgeLists::default());
    let sampling = Sampling::new(scope.clone(), Choice::Uniform, 1);
    let page_rank = PageRank { scope: scope.clone(), alpha: 0.5, eps: 0.1, k: 1 };
    let steps = |nodes| Steps { nodes, ..Steps::default() };
    let asked = [
        index.sample(&sampling, roots, samples.slots(1, 1)),
        index.fan_out(&sampling, &[1, 1], HopTime::Edge, roots, &mut Vec::new()),
        index.walk(&Walk::new(scope.clone(), 1, WalkTimes::Any), roots, steps(&mut some)),
        index.walk(&Walk::new(scope.clone(), 1, WalkTimes::Later), roots, steps(&mut others)),
        index.page_rank(&page_rank, roots, &mut [NO_NODE], &mut ranks),
        index.degrees(&scope, roots, &mut [0]),
        index.edges_of(&scope, &WeightBy::One, roots, &mut lists),
        index.recencies(&scope, roots, &mut [Default::default()]),
        index.common_neighbors(&scope, roots, &ids, &mut [0]),
    ];
    for refused in asked {
        assert_eq!(refused.unwrap_err().to_string(), "`within` is 0, but must be at least one tick");
    }
}

/// Days in nanoseconds lie as 32-bit ticks of a day; windows begin at them and between them.
#[test]
fn windows_of_coarse_ticks() {
    const DAY: i64 = 86_400_000_000_000;
    let created: Vec<i64> = (0..8).map(|day| 1_700_000_000_000_000_000 + day * DAY).collect();
    let rows: Vec<_> = (1..).zip(&created).map(|(to, created)| (0, to, (to % 2) as u16, 1., *created, OPEN)).collect();
    let index = graph(9, created[0], &rows);
    let mut partly = 0;
    for day in &created {
        for at in [-1, 0, 1, DAY / 2, DAY - 1].map(|beyond| day + beyond) {
            for within in [1, DAY / 2, DAY - 1, DAY, DAY + 1, 3 * DAY, 3 * DAY + 7] {
                for (as_of, last) in [(AsOf::At, at), (AsOf::Before, at - 1)] {
                    let scope = Scope { as_of, ..scope(&[0, 1]).within(within as u64) };
                    let wanted = created.iter().filter(|created| (at - within..=last).contains(created)).count();
                    assert_eq!(counts(&index, &scope, &[0], &[at]), [wanted as u32], "{at} {within} {as_of:?}");
                    partly += usize::from(wanted > 0 && wanted < 8);
                }
            }
        }
    }
    assert!(partly > 300, "{partly}");
}

/// Blocks of a long list are passed by if the heaviest of each is too light: they must be those of the window.
#[test]
fn heaviest_edges_of_a_window() {
    let n = 4000i64;
    // Heavier towards the middle, and so that blocks differ.
    let weight = |at: i64| (at.min(n - at) / 10 + at / 64 * 37 % 29 * 8 + at * 7919 % 13) as f64;
    let index = row(n as usize, |at| if at % 3 == 0 { at as i64 + 900 } else { OPEN }, |at| weight(at as i64));
    for within in [70, 1000, 1111, 1500, 2500, 3333, 3999] {
        for at in [2600, 3000, 3777, n + 1] {
            let is_seen = |edge: &i64| edge % 3 != 0 || edge + 900 > at;
            let mut wanted: Vec<i64> = ((at - within).max(1)..=at.min(n)).filter(is_seen).collect();
            wanted.sort_by(|a, b| weight(*b).total_cmp(&weight(*a)).then(b.cmp(a)));
            let sampling = Sampling::new(scope(&[0]).within(within as u64), Choice::Heaviest, 3).weight(by_weight());
            let found = sample(&index, &sampling, &[0], &[at]);
            let found: Vec<i64> = found.into_iter().map(|slot| i64::from(slot.0)).collect();
            assert_eq!(found, wanted[..3], "{within} {at}");
        }
    }
}
