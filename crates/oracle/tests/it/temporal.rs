//! Files of temporal graphs through the store to answers; tests are named after the sections of temporal-intervals.

use std::fs;

use timeweft_graph::{EdgeTypeId, NodeIndex, NodeKey, Schema, Time, TimeUnit};
use timeweft_index::Index;
use timeweft_index::features::{FlatRows, Owners, SparseRows};
use timeweft_index::sample::{
    AsOf, Choice, EdgeTypes, HopTime, NO_NODE, PageRank, Roots, Samples, Sampling, Scope, Side, Steps, Walk, WalkTimes,
    WeightBy,
};
use timeweft_source::interval_format::{IntervalSource, IntervalsOptions};
use timeweft_store::{LoadRequest, Store};

/// The index of a file that was loaded and opened again.
fn load(name: &str, text: &str, temporal: bool) -> std::sync::Arc<Index> {
    let dir = tempfile::tempdir().unwrap();
    let (file, graph) = (dir.path().join(name), dir.path().join("graph"));
    fs::write(&file, text).unwrap();
    let mut options = IntervalsOptions::default();
    if temporal {
        let edge_list = timeweft_source::edge_list::EdgeListOptions { is_temporal: true, ..Default::default() };
        options.edge_list = Some(edge_list);
    }
    let source = IntervalSource::open(&file, &options).unwrap();
    let mut store = Store::create(&graph, Schema::new(TimeUnit::Step)).unwrap();
    let report = store.load_intervals(LoadRequest::new("default", name), |sink| Ok(source.read(sink)?)).unwrap();
    assert_eq!(report.rejects, []);
    drop(store);
    Store::open(&graph).unwrap().view()
}

fn json(lines: &[&str]) -> std::sync::Arc<Index> {
    load("graph.json", &lines.join("\n"), false)
}

/// Nodes by id, of any type.
fn nodes(index: &Index, ids: &[u64]) -> Vec<NodeIndex> {
    let of_type = |id: u64| {
        let types = index.schema().node_types().iter().map(move |of| NodeKey::new(&of.name, id));
        types.filter_map(|key| index.node_index(&key)).next()
    };
    ids.iter().map(|id| of_type(*id).unwrap_or(NO_NODE)).collect()
}

fn id(index: &Index, node: NodeIndex) -> i64 {
    if node == NO_NODE { -1 } else { index.node_key(node).id.to_string().parse().unwrap() }
}

fn times(times: &[i64]) -> Vec<Time> {
    times.iter().copied().map(Time).collect()
}

/// Edges out of a node whose relation has one of these names.
fn out(index: &Index, relations: &[&str]) -> Scope {
    let types = (0u16..).zip(index.schema().edge_types()).filter(|(_, of)| relations.contains(&&*of.relation));
    Scope::new(EdgeTypes::Only(types.map(|(at, _)| EdgeTypeId(at)).collect()), Side::Out, AsOf::At)
}

fn sample(index: &Index, sampling: &Sampling, ids: &[u64], at: &[i64]) -> Samples {
    let (nodes, at) = (nodes(index, ids), times(at));
    let mut samples = Samples::default();
    index.sample(sampling, Roots::new(&nodes, &at).unwrap(), samples.slots(ids.len(), sampling.width())).unwrap();
    samples
}

const T: [&str; 3] = [
    r#"{"node_id":9,"node_type":0,"node_weight":1,"created_at":1,"float_feature":{"0":[{"values":[123,64,12],"created_at":13,"removed_at":20},{"values":[13,14],"created_at":20,"removed_at":21}]},"edge":[{"src_id":9,"dst_id":0,"edge_type":0,"weight":0.5,"created_at":1,"removed_at":5,"uint64_feature":{"1":[13,17]}}]}"#,
    r#"{"node_id":0,"node_type":1,"node_weight":1,"removed_at":5,"int32_feature":{"3":[7,8]},"edge":[{"src_id":0,"dst_id":5,"edge_type":1,"weight":1,"created_at":1,"removed_at":5}]}"#,
    r#"{"node_id":5,"node_type":2,"node_weight":1,"edge":[{"src_id":5,"dst_id":9,"edge_type":1,"weight":0.7,"created_at":1}]}"#,
];

/// Graph T in both orders of its two partitions.
#[test]
fn graph_t_from_its_file() {
    for lines in [T, [T[1], T[0], T[2]], [T[2], T[1], T[0]]] {
        let index = json(&lines);
        let at = [11, 12, 13, 14, 20, 21];
        let (own, at) = (nodes(&index, &[9; 6]), times(&at));
        let mut rows = vec![7f32; 12];
        let owners = Owners::nodes(Roots::new(&own, &at).unwrap(), AsOf::At);
        index.dense_features(&[("0".into(), 2)], owners, &mut rows).unwrap();
        // The last is past the end of its interval: the original keeps the value.
        assert_eq!(rows, [0., 0., 0., 0., 123., 64., 123., 64., 13., 14., 0., 0.]);
        // Features without intervals are there as long as their node.
        let (own, at) = (nodes(&index, &[0; 3]), times(&[0, 4, 5]));
        let mut ints = vec![9i32; 6];
        let owners = Owners::nodes(Roots::new(&own, &at).unwrap(), AsOf::At);
        index.dense_features(&[("3".into(), 2)], owners, &mut ints).unwrap();
        assert_eq!(ints, [7, 8, 7, 8, 0, 0]);

        let mut counts = [7];
        let nine = nodes(&index, &[9]);
        assert!(Roots::new(&nine, &times(&[1, 2, 1])).is_err(), "as many times as nodes");
        index.degrees(&out(&index, &["100"]), Roots::new(&nine, &times(&[1])).unwrap(), &mut counts).unwrap();
        assert_eq!(counts, [0]);
        let four = nodes(&index, &[4]);
        index.degrees(&out(&index, &["1"]), Roots::new(&four, &times(&[0])).unwrap(), &mut counts).unwrap();
        assert_eq!(counts, [0]);

        // Without a time there means every edge that ever was: here soft deletes at the end of time.
        let ever = out(&index, &["1"]).deletes(timeweft_graph::Deletes::Soft);
        let weighted = Sampling::new(ever, Choice::Weighted, 2).weight(WeightBy::Feature("weight".into())).seed(3);
        let found = sample(&index, &weighted, &[0, 1], &[i64::MAX; 2]);
        assert_eq!(found.neighbors.iter().map(|node| id(&index, *node)).collect::<Vec<_>>(), [5, 5, -1, -1]);
        assert_eq!((&found.counts[..], &found.weights[..2]), (&[2, 0][..], &[1.0, 1.0][..]));
    }
}

/// Sparse features of rank 3, as the table has them.
#[test]
fn sparse_features_of_three_coordinates() {
    let line = |id: u64, feature: &str| {
        format!(
            r#"{{"node_id":{id},"node_type":0,"node_weight":1,"sparse_int32_feature":{{"0":[{feature}]}},"edge":[]}}"#
        )
    };
    let lines = [
        line(0, r#"{"coordinates":[[1,14,20]],"values":[1],"created_at":1}"#),
        line(
            2,
            r#"{"coordinates":[[1,13,42]],"values":[1],"created_at":2},{"coordinates":[[3,8,9],[4,3,2]],"values":[5,42],"created_at":3}"#,
        ),
        line(
            3,
            r#"{"coordinates":[[1,13,42]],"values":[1],"created_at":2},{"coordinates":[],"values":[],"created_at":4}"#,
        ),
    ];
    for order in [[0, 1, 2], [2, 1, 0]] {
        let index = json(&order.map(|at| lines[at].as_str()));
        let (own, at) = (nodes(&index, &[0, 1, 2, 3, 4]), times(&[4, 4, 5, 6, 7]));
        let owners = Owners::nodes(Roots::new(&own, &at).unwrap(), AsOf::At);
        let mut rows = [SparseRows::<i32>::default()];
        index.sparse_features(&["0".into()], owners, &mut rows).unwrap();
        let coordinates = vec![0, 1, 14, 20, 2, 3, 8, 9, 2, 4, 3, 2];
        assert_eq!(rows[0], SparseRows { coordinates, values: vec![1, 5, 42], dim: 3 });
    }
}

/// The document of the seed, and what it says of features.
#[test]
fn features_of_the_document_from_its_file() {
    let index = json(&[
        r#"{"node_id":42,"node_type":0,"node_weight":1.0,"binary_feature":{"0":[{"values":["microsoft"],"created_at":13,"removed_at":20},{"values":["xbox"],"created_at":20}]},"created_at":13,"removed_at":23,"edge":[{"src_id":42,"dst_id":99,"edge_type":0,"weight":2.0,"created_at":13,"removed_at":23,"sparse_int32_feature":{"0":[{"coordinates":[[5,13],[7,25]],"values":[-1,1024],"removed_at":21},{"coordinates":[[4,2],[1,3]],"values":[2,4],"created_at":21}]}}]}"#,
    ]);
    let at = times(&[12, 13, 19, 20, 21, 22, 23]);
    let own = nodes(&index, &[42; 7]);
    let mut flat = FlatRows::default();
    let owners = Owners::nodes(Roots::new(&own, &at).unwrap(), AsOf::At);
    index.flat_features(&["0".into()], owners, &mut flat).unwrap();
    assert_eq!(flat.lengths, [0, 9, 9, 4, 4, 4, 0]);
    assert_eq!(flat.bytes, b"microsoftmicrosoftxboxxboxxbox");
    let edges = [timeweft_graph::EdgeIndex(0); 7];
    let mut rows = [SparseRows::<i32>::default()];
    let owners = Owners::edges(&edges, &at, AsOf::At).unwrap();
    index.sparse_features(&["0".into()], owners, &mut rows).unwrap();
    let early = |row: i64| [row, 5, 13, row, 7, 25];
    let late = |row: i64| [row, 4, 2, row, 1, 3];
    assert_eq!(rows[0].coordinates, [early(1), early(2), early(3), late(4), late(5)].concat());
    assert_eq!(rows[0].values, [[-1, 1024], [-1, 1024], [-1, 1024], [2, 4], [2, 4]].concat());
}

#[test]
fn last_n_from_its_file() {
    let edge = |i: u64, j: u64| {
        let (to, kind) = (10 * i + j, (10 * i + j) % 5);
        format!(
            r#"{{"src_id":{i},"dst_id":{to},"edge_type":{kind},"weight":1,"created_at":{j},"removed_at":{}}}"#,
            to + 10
        )
    };
    let lines = (0..100u64).map(|i| {
        let edges: Vec<String> = (0..10).filter(|_| i < 10).map(|j| edge(i, j)).collect();
        format!(r#"{{"node_id":{i},"node_type":0,"node_weight":1,"edge":[{}]}}"#, edges.join(","))
    });
    let index = load("graph.json", &lines.collect::<Vec<_>>().join("\n"), false);
    let last = |relations: &[&str], k: usize, ids: &[u64], at: &[i64]| {
        let weight = WeightBy::Feature("weight".into());
        let found = sample(&index, &Sampling::new(out(&index, relations), Choice::Last, k).weight(weight), ids, at);
        let relation = |at: usize| {
            let of = index.schema().edge_types().get(found.edge_types[at].at());
            of.map_or(-1, |of| of.relation.parse::<i64>().unwrap())
        };
        let slot = |at: usize| (id(&index, found.neighbors[at]), relation(at), found.weights[at], found.created[at].0);
        (0..found.neighbors.len()).map(slot).collect::<Vec<_>>()
    };
    let none = (-1, -1, 0.0, i64::MIN);
    let edge = |to: i64| (to, to % 5, 1.0, to % 10);
    let all = ["0", "1", "2", "3", "4", "5"];
    // Newest first; node 15 has no edges.
    let found = last(&all, 2, &[1, 7, 15], &[5, 7, 15]);
    assert_eq!(found, [edge(15), edge(14), edge(77), edge(76), none, none]);
    // All of node 8 end by 99.
    let found = last(&all, 4, &[1, 7, 8], &[1, -5, 1000]);
    assert_eq!(found, [&[edge(11), edge(10), none, none][..], &[none; 8]].concat());
    let found = last(&["0", "4", "5"], 3, &[1, 8], &[1, 1000]);
    assert_eq!(found, [edge(10), none, none, none, none, none]);
}

/// What is known of a graph at a time, by name.
fn answers(index: &Index, ids: &[u64], at: i64) -> Vec<String> {
    let (own, at) = (nodes(index, ids), times(&vec![at; ids.len()]));
    let roots = Roots::new(&own, &at).unwrap();
    let name = |node: &NodeIndex| id(index, *node);
    let mut told = Vec::new();
    let weight = WeightBy::Feature("weight".into());
    use Choice::{Heaviest, Last, Uniform, UniformDistinct, Weighted, WeightedDistinct};
    for side in [Side::Out, Side::In, Side::Both] {
        let scope = Scope::new(EdgeTypes::All, side, AsOf::At);
        for choice in [Last, Heaviest, Uniform, UniformDistinct, Weighted, WeightedDistinct] {
            let sampling = Sampling::new(scope.clone(), choice, 0).weight(weight.clone()).seed(5);
            let mut hops = Vec::new();
            index.fan_out(&sampling, &[4, 2], HopTime::Edge, roots, &mut hops).unwrap();
            for hop in hops {
                let names: Vec<_> = hop.neighbors.iter().map(name).collect();
                told.push(format!(
                    "{side:?} {choice:?} {:?} {names:?} {:?} {:?}",
                    hop.counts, hop.created, hop.weights
                ));
            }
        }
        for kind in [WalkTimes::Any, WalkTimes::NotLater, WalkTimes::Earlier, WalkTimes::Later] {
            let walk = Walk { seed: 6, ..Walk::new(scope.clone(), 5, kind) };
            let mut walked = vec![NO_NODE; ids.len() * 6];
            index.walk(&walk, roots, Steps { nodes: &mut walked, ..Steps::default() }).unwrap();
            told.push(format!("{side:?} {kind:?} {:?}", walked.iter().map(name).collect::<Vec<_>>()));
        }
        let page_rank = PageRank { scope, alpha: 0.2, eps: 1e-4, k: 400 };
        let (mut found, mut ranks) = (vec![NO_NODE; ids.len() * 400], vec![0.0; ids.len() * 400]);
        index.page_rank(&page_rank, roots, &mut found, &mut ranks).unwrap();
        for (found, ranks) in found.chunks(400).zip(ranks.chunks(400)) {
            // Of nodes with equal ranks the first to arrive comes first.
            let mut ranked: Vec<_> = found.iter().map(name).zip(ranks).filter(|(id, _)| *id != -1).collect();
            ranked.sort_by_key(|(id, _)| *id);
            told.push(format!("{ranked:?}"));
        }
    }
    let mut flat = FlatRows::default();
    index.flat_features(&["0".into()], Owners::nodes(roots, AsOf::At), &mut flat).unwrap();
    told.push(format!("{flat:?}"));
    told
}

/// Lines of 150 nodes and 2,000 edges of three types, so many of them created at once; nodes before edges.
fn lines(at_once: u64) -> (Vec<String>, Vec<String>) {
    let mut state = 17u64;
    let mut below = |n: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    };
    let node = |id: u64| format!("{id},-1,0,1.0,0,-1,int32,2,{id},{}", id * id);
    let nodes = (0..150).map(node).collect();
    let edges = (0..2000u64).map(|at| {
        let (from, kind, to, created) = (below(150), below(3), below(150), at / at_once + 1);
        let removed = if below(3) == 0 { (created + 1 + below(900)) as i64 } else { -1 };
        format!("{from},{kind},{to},{}.5,{created},{removed}", below(9))
    });
    (nodes, edges.collect())
}

/// Lines dealt to so many partitions, in which an edge may come before its nodes; from the last partition on backwards.
fn dealt(lines: &[String], n: usize) -> Vec<Vec<String>> {
    (0..n).rev().map(|part| lines.iter().skip(part).step_by(n).cloned().collect()).collect()
}

const TIMES: [i64; 5] = [1, 400, 1500, 2000, 5000];

#[test]
fn one_and_many_partitions_give_the_same_answers() {
    let ids: Vec<u64> = (0..151).collect();
    let load = |parts: Vec<Vec<String>>| load("graph.csv", &parts.concat().join("\n"), true);
    for at_once in [1, 100] {
        let (nodes, edges) = lines(at_once);
        let whole = [nodes, edges].concat();
        let one = load(vec![whole.clone()]);
        let asked = TIMES.map(|at| answers(&one, &ids, at));
        for n in [2, 3, 7] {
            let many = load(dealt(&whole, n));
            for (at, asked) in TIMES.into_iter().zip(&asked) {
                for (wanted, told) in asked.iter().zip(answers(&many, &ids, at)) {
                    assert!(told == *wanted, "{n} partitions, at {at}:\n{told}\n{wanted}");
                }
            }
        }
    }
}

/// Nodes on one partition and edges on another, in both orders.
#[test]
fn nodes_and_edges_may_lie_apart() {
    let nodes = ["9,-1,0,1,float32,2,1,2", "0,-1,1,1,float32,2,3,4", "5,-1,2,1,float32,2,5,6"];
    let edges = ["9,0,0,0.5", "0,1,5,1", "5,1,9,0.7"];
    for lines in [[nodes, edges].concat(), [edges, nodes].concat()] {
        let index = load("graph.csv", &lines.join("\n"), false);
        let found = sample(&index, &Sampling::new(out(&index, &["1"]), Choice::Last, 2), &[9, 0, 5], &[1; 3]);
        assert_eq!(found.neighbors.iter().map(|node| id(&index, *node)).collect::<Vec<_>>(), [-1, -1, 5, -1, 9, -1]);
        let (own, at) = (super::temporal::nodes(&index, &[0, 5, 77]), times(&[1; 3]));
        let mut rows = vec![9f32; 6];
        let owners = Owners::nodes(Roots::new(&own, &at).unwrap(), AsOf::At);
        index.dense_features(&[("0".into(), 2)], owners, &mut rows).unwrap();
        assert_eq!(rows, [3., 4., 5., 6., 0., 0.]);
    }
}

/// A graph without times is there from 0 for ever: questions with a time answer alike from then on.
#[test]
fn a_static_graph_is_asked_with_times() {
    let (nodes, edges) = lines(1);
    let plain = |line: &String| {
        line.split(',').enumerate().filter(|(at, _)| ![4, 5].contains(at)).map(|(_, c)| c).collect::<Vec<_>>().join(",")
    };
    let lines: Vec<String> = nodes.iter().chain(&edges).map(plain).collect();
    let index = load("graph.csv", &lines.join("\n"), false);
    let ids: Vec<u64> = (0..150).collect();
    let now = answers(&index, &ids, 0);
    assert!(now.iter().any(|told| told.contains("Weighted")));
    for at in [1, 1_700_000_000_000, i64::MAX] {
        for (told, wanted) in answers(&index, &ids, at).iter().zip(&now) {
            // Only walks forward in time begin at the time asked for.
            assert!(told == wanted || told.contains("Later"), "{at}: {told} {wanted}");
        }
    }
    let mut counts = vec![9; ids.len()];
    let own = super::temporal::nodes(&index, &ids);
    let scope = Scope::new(EdgeTypes::All, Side::Both, AsOf::At);
    index.degrees(&scope, Roots::new(&own, &times(&vec![-1; ids.len()])).unwrap(), &mut counts).unwrap();
    assert_eq!(counts, vec![0; ids.len()]);
}
