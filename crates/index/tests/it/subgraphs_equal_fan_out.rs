//! Subgraphs against the hops of a fan-out and a map: what is seen again keeps its place, and its neighbors are sampled once.

use std::collections::HashMap;

use proptest::prelude::*;
use timeweft_graph::{Direction, EdgeIndex, NodeIndex, NodeTypeId, Schema, Time};
use timeweft_index::Index;
use timeweft_index::sample::{
    AsOf, Choice, EdgeTypes, HopTime, Hops, NO_NODE, Roots, SampleError, Samples, Sampling, Scope, Side, Subgraph,
};
use timeweft_oracle::histories::{histories, probe_times};

use crate::event_builders::apply;
use crate::random_lives::{Random, SCALES, World};

/// A node as it is seen: its root, number and time.
type SeenNode = (u32, NodeIndex, Time);

/// A node whose neighbors are sampled: its root, number, time and place.
type Asked = (u32, NodeIndex, Time, u32);

/// Hop, edge type, whether outwards (`None` for a loop), places of source and destination, edge, time and root.
type Row = (usize, u16, Option<bool>, u32, u32, u32, Time, u32);

/// The slow reference.
#[derive(Default)]
struct Expected {
    places: HashMap<SeenNode, u32>,
    /// By type: nodes in order of first sight, each with its hop.
    nodes: HashMap<NodeTypeId, Vec<(usize, SeenNode)>>,
    roots: Vec<(NodeTypeId, u32)>,
    edges: Vec<Row>,
}

impl Expected {
    fn of(index: &Index, sampling: &Sampling, hops: &Hops<'_>, roots: (&[NodeIndex], &[Time])) -> Expected {
        let (mut fanned_out, mut expected) = (Vec::<Samples>::new(), Expected::default());
        index.fan_out(sampling, hops.sizes, hops.time, Roots::new(roots.0, roots.1).unwrap(), &mut fanned_out).unwrap();
        // What stands in each slot, if its neighbors count.
        let mut asked = Vec::new();
        for ((root, node), time) in (0..).zip(roots.0).zip(roots.1) {
            if *node == NO_NODE {
                expected.roots.push((NodeTypeId(u16::MAX), u32::MAX));
                asked.push(None);
                continue;
            }
            let (place, is_new) = expected.see(index, hops, 0, (root, *node, *time));
            expected.roots.push((index.node_type(*node), place));
            asked.push(is_new.then_some((root, *node, *time, place)));
        }
        for (hop, (samples, &k)) in fanned_out.into_iter().zip(hops.sizes).enumerate() {
            let samples = if hops.joint { by_key(index, sampling, (hop, k), &asked) } else { samples };
            let mut next = vec![None; asked.len() * k];
            for (at, slot) in
                (0..asked.len()).flat_map(|at| (0..samples.counts[at] as usize).map(move |s| (at, at * k + s)))
            {
                let Some((root, near, time, near_place)) = asked[at] else { continue };
                let (node, edge, created) = (samples.neighbors[slot], samples.edges[slot], samples.created[slot]);
                let time = if hops.time == HopTime::Root { time } else { created };
                let (far_place, is_new) = expected.see(index, hops, hop + 1, (root, node, time));
                next[slot] = is_new.then_some((root, node, time, far_place));
                let (edge_type, source, destination) = index.edge_ends(edge);
                assert_eq!(edge_type, samples.edge_types[slot]);
                let is_out = (source != destination).then_some(source == near);
                let (from, to) = if source == near { (near_place, far_place) } else { (far_place, near_place) };
                let (from, to) = if is_out.is_none() { (from.min(to), from.max(to)) } else { (from, to) };
                expected.edges.push((hop, edge_type.0, is_out, from, to, edge.0, created, root));
            }
            asked = next;
        }
        expected
    }

    fn see(&mut self, index: &Index, hops: &Hops<'_>, hop: usize, seen: SeenNode) -> (u32, bool) {
        let key = (if hops.joint { 0 } else { seen.0 }, seen.1, seen.2);
        let nodes = self.nodes.entry(index.node_type(seen.1)).or_default();
        let next = nodes.len() as u32;
        let place = *self.places.entry(key).or_insert(next);
        let is_new = place == next && nodes.get(place as usize).is_none();
        if is_new {
            nodes.push((hop, seen));
        }
        (place, is_new)
    }
}

/// What each node draws by its own key, whatever else is asked.
fn by_key(index: &Index, sampling: &Sampling, (hop, k): (usize, usize), asked: &[Option<Asked>]) -> Samples {
    /// By this much seeds differ of which one has at the first hop what the other has at the next.
    const NEXT_HOP: u64 = 0x9e37_79b9_7f4a_7c15;
    let seed = sampling.seed.wrapping_add(NEXT_HOP.wrapping_mul(hop as u64));
    let mut all = Samples::default();
    for asked in asked {
        let (node, time) = asked.map_or((NO_NODE, Time(0)), |(_, node, time, _)| (node, time));
        let own = Sampling { k, seed, first_root: Hops::key(node, time), ..sampling.clone() };
        let mut one = Samples::default();
        index.sample(&own, Roots::new(&[node], &[time]).unwrap(), one.slots(1, k)).unwrap();
        all.neighbors.append(&mut one.neighbors);
        all.edges.append(&mut one.edges);
        all.edge_types.append(&mut one.edge_types);
        all.created.append(&mut one.created);
        all.counts.append(&mut one.counts);
    }
    all
}

/// How many nodes and edges were compared.
fn check(index: &Index, sampling: &Sampling, hops: &Hops<'_>, roots: (&[NodeIndex], &[Time])) -> usize {
    let expected = Expected::of(index, sampling, hops, roots);
    // What was there before does not show.
    let mut subgraph = Subgraph::default();
    index.subgraph(sampling, hops, Roots::new(&roots.0[..1], &roots.1[..1]).unwrap(), &mut subgraph).unwrap();
    index.subgraph(sampling, hops, Roots::new(roots.0, roots.1).unwrap(), &mut subgraph).unwrap();
    let found: Vec<_> = subgraph.root_types.iter().copied().zip(subgraph.root_places.iter().copied()).collect();
    assert_eq!(found, expected.roots);
    assert_eq!(subgraph.nodes.len(), index.schema().node_types().len());
    let mut n = 0;
    for (of_type, found) in (0..).map(NodeTypeId).zip(&subgraph.nodes) {
        let rows = expected.nodes.get(&of_type).map_or(&[][..], Vec::as_slice);
        let seen: Vec<SeenNode> =
            (0..found.nodes.len()).map(|at| (found.roots[at], found.nodes[at], found.times[at])).collect();
        assert_eq!(seen, rows.iter().map(|row| row.1).collect::<Vec<_>>(), "{hops:?} {sampling:?}");
        let end = |hop: usize| rows.iter().filter(|row| row.0 <= hop).count() as u32;
        assert_eq!(found.ends, (0..=hops.sizes.len()).map(end).collect::<Vec<_>>());
        n += seen.len();
    }
    let mut rows = Vec::new();
    for found in &subgraph.edges {
        let mut start = 0;
        for (hop, end) in found.ends.iter().map(|end| *end as usize).enumerate() {
            for at in start..end {
                let (source, destination) = (found.sources[at], found.destinations[at]);
                let (_, from, to) = index.edge_ends(found.edges[at]);
                let is_out = (from != to).then_some(found.direction == Direction::Out);
                let (edge, created, root) = (found.edges[at].0, found.created[at], found.roots[at]);
                let (source, destination) =
                    if from == to { (source.min(destination), source.max(destination)) } else { (source, destination) };
                rows.push((hop, found.edge_type.0, is_out, source, destination, edge, created, root));
            }
            start = end;
        }
        assert_eq!(start, found.edges.len());
    }
    n += rows.len();
    // Within a hop, those of one type and side stand in order of slots.
    let mut wanted = expected.edges;
    let has_loops = wanted.iter().any(|row| row.2.is_none());
    if has_loops && sampling.scope.side == Side::Both {
        wanted.sort_unstable();
        rows.sort_unstable();
    } else {
        let side = sampling.scope.side;
        let key = |row: &Row| (row.1, row.2.map_or(side == Side::In, |is_out| !is_out), row.0);
        wanted.sort_by_key(key);
        rows.sort_by_key(key);
    }
    assert_eq!(rows, wanted, "{hops:?} {sampling:?}");
    n
}

/// Each way to ask.
fn each(mut ask: impl FnMut(&Sampling, &Hops<'_>)) {
    let choices = [Choice::Last, Choice::Uniform, Choice::UniformDistinct];
    let sizes: [&[usize]; 4] = [&[3, 2], &[4], &[2, 2, 2], &[]];
    let mut at = 0;
    for side in [Side::Out, Side::In, Side::Both] {
        for (time, joint) in
            [(HopTime::Root, false), (HopTime::Edge, false), (HopTime::Root, true), (HopTime::Edge, true)]
        {
            for as_of in [AsOf::Before, AsOf::At] {
                let sampling =
                    Sampling::new(Scope::new(EdgeTypes::All, side, as_of), choices[at % 3], 0).seed(at as u64);
                let sampling = Sampling { first_root: [0, 77][at % 2], ..sampling };
                ask(&sampling, &Hops { sizes: sizes[at % 4], time, joint });
                at += 1;
            }
        }
    }
}

#[test]
fn subgraphs_equal_a_fan_out_and_a_map() {
    let mut n = 0;
    for (scale, &of) in SCALES.iter().enumerate() {
        let world = World::random(scale as u64 + 40, of, 40, 2000);
        let mut random = Random(scale as u64);
        // More than a part of roots, some of them alike.
        let mut node = |at: usize| if at % 50 == 7 { NO_NODE } else { NodeIndex(random.below(40) as u32) };
        let nodes: Vec<_> = (0..1500).map(&mut node).collect();
        let times: Vec<_> = (0..1500).map(|_| world.time(&mut random)).collect();
        for index in &world.indexes() {
            each(|sampling, hops| n += check(index, sampling, hops, (&nodes, &times)));
        }
    }
    assert!(n > 1_000_000, "{n}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn subgraphs_of_several_types_equal_a_fan_out_and_a_map(events in histories()) {
        let mut index = Index::new(Schema::default());
        events.iter().for_each(|event| _ = apply(&mut index, event));
        let times = probe_times(&events);
        let roots = (0..index.n_nodes() as u32).flat_map(|node| times.iter().map(move |time| (NodeIndex(node), *time)));
        let (nodes, times): (Vec<_>, Vec<_>) = roots.unzip();
        if !nodes.is_empty() {
            each(|sampling, hops| _ = check(&index, sampling, hops, (&nodes, &times)));
        }
    }
}

#[test]
fn neither_threads_nor_what_lies_in_a_batch_show() {
    let world = World::random(9, SCALES[0], 200, 6000);
    let [index, _] = world.indexes();
    let mut random = Random(3);
    let nodes: Vec<_> = (0..3000).map(|_| NodeIndex(random.below(200) as u32)).collect();
    let times: Vec<_> = (0..3000).map(|_| world.time(&mut random)).collect();
    let sampling = Sampling::new(Scope::new(EdgeTypes::All, Side::Both, AsOf::Before), Choice::Uniform, 0).seed(5);
    let hops = Hops { sizes: &[3, 3], time: HopTime::Root, joint: false };
    let ask = |from: usize, until: usize| {
        let (sampling, mut subgraph) = (Sampling { first_root: from as u64, ..sampling.clone() }, Subgraph::default());
        let roots = Roots::new(&nodes[from..until], &times[from..until]).unwrap();
        index.subgraph(&sampling, &hops, roots, &mut subgraph).unwrap();
        subgraph
    };
    let with = |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap().install(|| ask(0, 3000));
    let one = with(1);
    assert!([2, 5].map(with).iter().all(|subgraph| *subgraph == one));
    let (first, rest) = (ask(0, 1234), ask(1234, 3000));
    let edges = |subgraph: &Subgraph, hop: usize, start: u32| {
        let of = |at: usize| {
            let found = &subgraph.edges[at];
            let begin = hop.checked_sub(1).map_or(0, |before| found.ends[before] as usize);
            (begin..found.ends[hop] as usize).map(|at| (found.edges[at], found.roots[at] + start)).collect::<Vec<_>>()
        };
        (0..subgraph.edges.len()).map(of).collect::<Vec<_>>()
    };
    for hop in 0..2 {
        let (mut both, rest) = (edges(&first, hop, 0), edges(&rest, hop, 1234));
        both.iter_mut().zip(rest).for_each(|(both, rest)| both.extend(rest));
        assert_eq!(both, edges(&one, hop, 0));
    }
}

/// What each node that was first seen at a hop drew there, by node and time.
fn drawn(subgraph: &Subgraph, sizes: &[usize]) -> HashMap<(usize, NodeIndex, Time), Vec<EdgeIndex>> {
    let nodes = &subgraph.nodes[0];
    let hop_of = |place: u32| nodes.ends.iter().filter(|end| **end <= place).count();
    let key = |place: u32| (hop_of(place), nodes.nodes[place as usize], nodes.times[place as usize]);
    let asked = (0..nodes.nodes.len() as u32).map(key).filter(|key| key.0 < sizes.len());
    let mut drawn: HashMap<_, Vec<EdgeIndex>> = asked.map(|key| (key, Vec::new())).collect();
    for found in &subgraph.edges {
        for at in 0..found.edges.len() {
            let near = if found.direction == Direction::Out { found.sources[at] } else { found.destinations[at] };
            drawn.get_mut(&key(near)).unwrap().push(found.edges[at]);
        }
    }
    drawn
}

#[test]
fn what_joint_roots_draw_does_not_depend_on_those_beside_them() {
    let world = World::random(11, SCALES[0], 200, 6000);
    let [index, _] = world.indexes();
    let mut random = Random(5);
    let nodes: Vec<_> = (0..600).map(|_| NodeIndex(random.below(200) as u32)).collect();
    // Nothing changes any more: what differs from time to time is what was drawn.
    let times: Vec<_> = (0..600).map(|_| Time(world.last + 100 * (1 + random.below(20) as i64))).collect();
    let (mut compared, mut differ_by_time) = (0, 0);
    for choice in [Choice::Uniform, Choice::UniformDistinct] {
        let scope = Scope::new(EdgeTypes::All, Side::Out, AsOf::Before);
        let ask = |first_root: u64, nodes: &[NodeIndex], times: &[Time]| {
            let sampling = Sampling { first_root, ..Sampling::new(scope.clone(), choice, 0).seed(5) };
            let hops = Hops { sizes: &[3, 3], time: HopTime::Root, joint: true };
            let mut subgraph = Subgraph::default();
            index.subgraph(&sampling, &hops, Roots::new(nodes, times).unwrap(), &mut subgraph).unwrap();
            drawn(&subgraph, hops.sizes)
        };
        let all = ask(0, &nodes, &times);
        let turned: (Vec<_>, Vec<_>) = nodes.iter().zip(&times).rev().unzip();
        let others =
            [ask(77, &turned.0, &turned.1), ask(0, &nodes[300..], &times[300..]), ask(0, &nodes[7..8], &times[7..8])];
        for (key, edges) in others.iter().flatten() {
            // What a smaller batch sees first at a later hop, a larger one may have as a root.
            if let Some(same) = all.get(key) {
                assert_eq!(same, edges, "{key:?}");
                compared += usize::from(!edges.is_empty());
            }
        }
        for ((hop, node, time), edges) in &all {
            let next = all.get(&(*hop, *node, Time(time.0 + 100)));
            differ_by_time += usize::from(next.is_some_and(|next| next != edges));
        }
    }
    assert!(compared > 1000 && differ_by_time > 100, "{compared} {differ_by_time}");
}

#[test]
fn what_cannot_be_asked_is_said() {
    let world = World::random(1, SCALES[0], 20, 100);
    let [index, _] = world.indexes();
    let sampling = Sampling::new(Scope::new(EdgeTypes::All, Side::In, AsOf::Before), Choice::Last, 0);
    let ask = |node: NodeIndex, sizes: &[usize]| {
        let hops = Hops { sizes, time: HopTime::Root, joint: false };
        index.subgraph(&sampling, &hops, Roots::new(&[node], &[Time(1)])?, &mut Subgraph::default())
    };
    let refused = |asked: Result<(), SampleError>| asked.unwrap_err().to_string();
    let wanted = "`roots` is 4294967294, but must be the number of a node of the graph, or NO_NODE";
    assert_eq!(refused(ask(NodeIndex(NO_NODE.0 - 1), &[2])), wanted);
    assert_eq!(ask(NO_NODE, &[2]), Ok(()));
    let wanted = "`sizes` is [65536, 65536], but must be so small that all roots have less than 2^32 slots";
    assert_eq!(refused(ask(NodeIndex(0), &[1 << 16, 1 << 16])), wanted);
    assert_eq!(ask(NodeIndex(0), &[0, 3]), Ok(()));
}
