//! Nodes and edges with lives in the temporal JSON of DeepGNN.

use std::collections::BTreeSet;

use timeweft_graph::{
    At, DType, Dense, Direction, FeatureKind, GraphView, NodeKey, Numbers, Owner, Record, SpanRows, Sparse, Time,
    TimeUnit, Value,
};
use timeweft_oracle::{Intervals, ReferenceGraph};
use timeweft_source::temporal_json;

use crate::replay::{edge, edge_feature, node, node_feature};

fn read(text: &str) -> Intervals {
    Intervals::collect(TimeUnit::Step, |sink| temporal_json::read(text.as_bytes(), &"f".into(), sink)).unwrap()
}

/// Reads lines without rejects and replays them.
fn graph(text: &str) -> ReferenceGraph {
    let intervals = read(text);
    assert_eq!(intervals.rejects, []);
    intervals.replay()
}

fn rejects(text: &str) -> Vec<String> {
    let intervals = read(text);
    intervals.replay();
    intervals.rejects.iter().map(ToString::to_string).collect()
}

fn bytes(text: &str) -> Option<Value> {
    Some(Value::Bytes(text.as_bytes().to_vec()))
}

fn list(numbers: Numbers) -> Option<Value> {
    Some(Value::Dense(Dense { numbers, scalar: false }))
}

/// A node of type 0 with more members; `rest` begins with a comma.
fn node_line(id: u64, rest: &str, edges: &str) -> String {
    format!("{{\"node_id\":{id},\"node_type\":0,\"node_weight\":1.0,\"edge\":[{edges}]{rest}}}")
}

fn edge_text(source: u64, destination: u64, rest: &str) -> String {
    format!("{{\"src_id\":{source},\"dst_id\":{destination},\"edge_type\":0,\"weight\":2.0{rest}}}")
}

/// Ids of the nodes that 42 points to, with the time when their edge was created.
fn out(graph: &ReferenceGraph, time: i64) -> BTreeSet<(String, i64)> {
    let edges = graph.neighbors(&node("0", 42), Direction::Out, None, At::time(Time(time)));
    edges.into_iter().map(|edge| (edge.key.destination.id.to_string(), edge.life.created.0)).collect()
}

const SEED_EDGES: &str = r#"{"node_id":42,"node_type":0,"node_weight":1.0,"binary_feature":{"0":"microsoft","1":"xbox"},"created_at":13,"removed_at":23,"edge":[{"src_id":42,"dst_id":99,"edge_type":0,"weight":2.0,"created_at":13,"removed_at":15},{"src_id":42,"dst_id":99,"edge_type":0,"weight":2.0,"created_at":17},{"src_id":42,"dst_id":101,"edge_type":1,"weight":1.0,"removed_at":19}]}"#;

const SEED_FEATURES: &str = r#"{"node_id":42,"node_type":0,"node_weight":1.0,"binary_feature":{"0":[{"values":["microsoft"],"created_at":13,"removed_at":20},{"values":["xbox"],"created_at":20}]},"created_at":13,"removed_at":23,"edge":[{"src_id":42,"dst_id":99,"edge_type":0,"weight":2.0,"created_at":13,"removed_at":23,"sparse_int32_feature":{"0":[{"coordinates":[[5,13],[7,25]],"values":[-1,1024],"removed_at":21},{"coordinates":[[4,2],[1,3]],"values":[2,4],"created_at":21}],"1":{"coordinates":[13,42],"values":[1,1]}}}]}"#;

#[test]
fn neighbors_of_the_seed() {
    let graph = graph(SEED_EDGES);
    let of =
        |pairs: &[(&str, i64)]| pairs.iter().map(|(id, created)| ((*id).to_owned(), *created)).collect::<BTreeSet<_>>();
    for (times, expected) in [
        (12..=12, of(&[])),
        (13..=14, of(&[("99", 13), ("101", 13)])),
        (15..=16, of(&[("101", 13)])),
        (17..=18, of(&[("99", 17), ("101", 13)])),
        (19..=22, of(&[("99", 17)])),
        (23..=23, of(&[])),
    ] {
        for time in times {
            assert_eq!(out(&graph, time), expected, "at {time}");
        }
    }
    let lives = graph.edge_history(&edge(node("0", 42), "0", node("unknown", 99), None));
    assert_eq!(
        lives.iter().map(|life| (life.interval.created.0, life.interval.removed.0)).collect::<Vec<_>>(),
        [(13, 15), (17, 23)]
    );
}

#[test]
fn features_of_the_seed() {
    let graph = graph(SEED_FEATURES);
    let (owner, link) = (node("0", 42), edge(node("0", 42), "0", node("unknown", 99), None));
    let tensor = |coordinates: Vec<i64>, rank, values| {
        Some(Value::Sparse(Sparse { rank, coordinates, values: Numbers::I32(values) }))
    };
    let early = tensor(vec![5, 13, 7, 25], 2, vec![-1, 1024]);
    let late = tensor(vec![4, 2, 1, 3], 2, vec![2, 4]);
    for (time, name, sparse) in [
        (13, "microsoft", &early),
        (19, "microsoft", &early),
        (20, "xbox", &early),
        (21, "xbox", &late),
        (22, "xbox", &late),
    ] {
        assert_eq!(node_feature(&graph, &owner, "0", time), bytes(name), "at {time}");
        assert_eq!(edge_feature(&graph, &link, "0", time), *sparse, "at {time}");
        assert_eq!(edge_feature(&graph, &link, "1", time), tensor(vec![13, 42], 1, vec![1, 1]), "at {time}");
    }
    assert!(graph.node(&owner, At::time(Time(23))).is_none());
}

#[test]
fn the_triangle() {
    let text = r#"{"node_id":9,"node_type":0,"node_weight":1,"created_at":1,"float_feature":{"0":[{"values":[123,64,12],"created_at":13,"removed_at":20},{"values":[13,14],"created_at":20,"removed_at":21}]},"edge":[{"src_id":9,"dst_id":0,"edge_type":0,"weight":0.5,"removed_at":5,"uint64_feature":{"1":[13,17]}}]}
{"node_id":0,"node_type":1,"node_weight":1,"removed_at":5,"edge":[{"src_id":0,"dst_id":5,"edge_type":1,"weight":1,"created_at":1,"removed_at":5}]}
{"node_id":5,"node_type":2,"node_weight":1,"edge":[]}"#;
    let graph = graph(text);
    let at = |time| node_feature(&graph, &node("0", 9), "0", time);
    assert_eq!((at(11), at(12)), (None, None));
    assert_eq!(
        (at(13), at(14)),
        (list(Numbers::F32(vec![123.0, 64.0, 12.0])), list(Numbers::F32(vec![123.0, 64.0, 12.0])))
    );
    assert_eq!(at(20), list(Numbers::F32(vec![13.0, 14.0])));
    assert_eq!(at(21), None, "an end is an end");
    let link = edge(node("0", 9), "0", node("1", 0), None);
    assert_eq!(edge_feature(&graph, &link, "1", 4), list(Numbers::U64(vec![13, 17])));
    let half = Value::Dense(Dense { numbers: Numbers::F32(vec![0.5]), scalar: true });
    assert_eq!(edge_feature(&graph, &link, "weight", 4), Some(half));
}

#[test]
fn intervals_may_be_unsorted_nested_and_have_gaps() {
    let feature = |items: &str| graph(&node_line(1, &format!(",\"int8_feature\":{{\"3\":[{items}]}}"), ""));
    let value = |graph: &ReferenceGraph, time| node_feature(graph, &node("0", 1), "3", time);
    let one = |x: i8| list(Numbers::I8(vec![x]));

    let unsorted = feature(r#"{"values":[9],"created_at":9},{"values":[5],"created_at":5}"#);
    assert_eq!([4, 5, 8, 9].map(|time| value(&unsorted, time)), [None, one(5), one(5), one(9)]);

    let gap = feature(r#"{"values":[1],"created_at":13},{"values":[],"created_at":15},{"values":[2],"created_at":17}"#);
    assert_eq!([14, 15, 16, 17].map(|time| value(&gap, time)), [one(1), None, None, one(2)]);

    let nested = feature(
        r#"{"values":[1],"created_at":0,"removed_at":20},{"values":[2],"created_at":5,"removed_at":9},{"values":[3],"created_at":7,"removed_at":9}"#,
    );
    let expected = [one(1), one(2), one(3), one(1), one(1), None];
    assert_eq!([4, 6, 8, 9, 19, 20].map(|time| value(&nested, time)), expected);
}

#[test]
fn every_kind_plain_and_in_time() {
    let kinds = [
        ("double", DType::F64),
        ("float64", DType::F64),
        ("float", DType::F32),
        ("float32", DType::F32),
        ("float16", DType::F16),
        ("int8", DType::I8),
        ("int16", DType::I16),
        ("int32", DType::I32),
        ("int64", DType::I64),
        ("uint8", DType::U8),
        ("uint16", DType::U16),
        ("uint32", DType::U32),
        ("uint64", DType::U64),
    ];
    let mut maps =
        String::from(",\"binary_feature\":{\"100\":\"plain\",\"101\":[{\"values\":\"in time\",\"created_at\":3}]}");
    for (at, (name, _)) in kinds.iter().enumerate() {
        let (a, b, c, d) = (4 * at, 4 * at + 1, 4 * at + 2, 4 * at + 3);
        maps += &format!(",\"{name}_feature\":{{\"{a}\":[1,2],\"{b}\":[{{\"values\":[3],\"created_at\":3}}]}}");
        maps += &format!(
            ",\"sparse_{name}_feature\":{{\"{c}\":{{\"coordinates\":[[4,5,6]],\"values\":[7]}},\"{d}\":[{{\"coordinates\":[8,9],\"values\":[1,2],\"created_at\":3}}]}}"
        );
    }
    let text = format!("{}\n{}", node_line(1, &maps, ""), node_line(2, "", &edge_text(2, 1, &maps)));
    let intervals = read(&text);
    assert_eq!(intervals.rejects, []);
    let graph = intervals.replay();
    let (owner, link) = (node("0", 1), edge(node("0", 2), "0", node("0", 1), None));
    let at = |name: usize, time| {
        let (of_node, of_edge) = (
            node_feature(&graph, &owner, &name.to_string(), time),
            edge_feature(&graph, &link, &name.to_string(), time),
        );
        assert_eq!(of_node, of_edge);
        of_node
    };
    for (position, (name, dtype)) in kinds.iter().enumerate() {
        let kind = |offset: usize, time| at(4 * position + offset, time).as_ref().map(FeatureKind::of);
        let dense = Some(FeatureKind::Dense { dtype: *dtype, scalar: false });
        let sparse = |rank| Some(FeatureKind::Sparse { dtype: *dtype, rank });
        assert_eq!([kind(0, 0), kind(0, 3), kind(1, 2), kind(1, 3)], [dense, dense, None, dense], "{name}");
        assert_eq!([kind(2, 0), kind(2, 3), kind(3, 2), kind(3, 3)], [sparse(3), sparse(3), None, sparse(1)], "{name}");
    }
    assert_eq!([at(100, 0), at(101, 2), at(101, 3)], [bytes("plain"), None, bytes("in time")]);
    let owner_type = Owner::Node(intervals.schema.node_type("0").unwrap());
    assert_eq!(intervals.schema.features(owner_type).len(), 1 + 2 + 4 * kinds.len());
}

#[test]
fn lifetimes_that_are_not_given_are_inherited() {
    let text = [
        node_line(
            1,
            ",\"created_at\":2,\"removed_at\":9,\"int8_feature\":{\"0\":[1],\"1\":[{\"values\":[2]}]}",
            &edge_text(1, 2, ",\"int8_feature\":{\"0\":[{\"values\":[1],\"removed_at\":4}]}"),
        ),
        node_line(2, "", ""),
    ];
    let intervals = read(&text.join("\n"));
    assert_eq!((intervals.clipped, intervals.clipped_features, intervals.rejects.len()), (0, 0, 0));
    let graph = intervals.replay();
    let life = |key: &NodeKey| graph.node_history(key)[0].interval;
    assert_eq!((life(&node("0", 1)).created, life(&node("0", 1)).removed), (Time(2), Time(9)));
    assert_eq!((life(&node("0", 2)).created, life(&node("0", 2)).removed), (Time(0), Time::FOREVER));
    let link = edge(node("0", 1), "0", node("0", 2), None);
    let link_life = &graph.edge_history(&link)[0];
    assert_eq!((link_life.interval.created, link_life.interval.removed), (Time(2), Time(9)));
    let one = list(Numbers::I8(vec![1]));
    assert_eq!([edge_feature(&graph, &link, "0", 3), edge_feature(&graph, &link, "0", 4)], [one.clone(), None]);
    assert_eq!(
        [node_feature(&graph, &node("0", 1), "0", 8), node_feature(&graph, &node("0", 1), "1", 8)],
        [one, list(Numbers::I8(vec![2]))]
    );
}

#[test]
fn removed_at_zero_is_an_end_and_minus_one_is_never() {
    let text = node_line(1, ",\"created_at\":-5,\"removed_at\":0", &edge_text(1, 2, ",\"removed_at\":-1"));
    let intervals = read(&text);
    let graph = intervals.replay();
    assert!(graph.node(&node("0", 1), At::time(Time(-1))).is_some());
    assert!(graph.node(&node("0", 1), At::time(Time(0))).is_none());
    assert_eq!(intervals.clipped, 1, "the edge outlives its source");
    assert!(graph.edges(None, At::time(Time(0))).is_empty());
    let stub = graph.node_history(&node("unknown", 2));
    assert_eq!((stub[0].interval.created, stub[0].interval.removed), (Time(-5), Time::FOREVER));
}

#[test]
fn empty_and_reversed_intervals_are_refused_with_their_line() {
    let text = [
        node_line(1, ",\"created_at\":5,\"removed_at\":5", ""),
        node_line(2, ",\"created_at\":5,\"removed_at\":4", ""),
        node_line(3, ",\"removed_at\":0", ""),
        node_line(4, "", &format!("{},{}", edge_text(4, 9, ",\"created_at\":7,\"removed_at\":3"), edge_text(4, 9, ""))),
        node_line(5, ",\"int8_feature\":{\"0\":[{\"values\":[1],\"created_at\":3,\"removed_at\":3}]}", ""),
    ];
    let expected = [
        "f:1: removed 5 is not after created 5",
        "f:2: removed 4 is not after created 5",
        "f:3: removed 0 is not after created 0",
        "f:4: edge 1: removed 3 is not after created 7",
        "f:5: feature 0: removed 3 is not after created 3",
    ];
    assert_eq!(rejects(&text.join("\n")), expected);
    let graph = read(&text[3]).replay();
    assert_eq!(graph.edges(None, At::now()).len(), 1, "the good edge of a line with a bad one stays");
}

/// A line without its closing brace.
const DEEP: &str = "{\"node_id\":1,\"node_type\":0,\"node_weight\":1.0,\"edge\":[]";

/// Bad nodes and edges, and what the message says.
fn malformed_elements() -> Vec<(String, &'static str)> {
    vec![
        (format!("{DEEP},}}"), "trailing comma"),
        (DEEP.to_owned(), "EOF"),
        ("{\"node_type\":0,\"node_weight\":1.0,\"edge\":[]}".into(), "missing field `node_id`"),
        ("{\"node_id\":1,\"node_type\":0,\"node_weight\":1.0}".into(), "missing field `edge`"),
        (
            "{\"node_id\":-1,\"node_type\":0,\"node_weight\":1.0,\"edge\":[]}".into(),
            "node_id: expected a whole number from 0 on, got `-1`",
        ),
        (
            "{\"node_id\":\"1\",\"node_type\":0,\"node_weight\":1.0,\"edge\":[]}".into(),
            "node_id: expected a whole number",
        ),
        (
            "{\"node_id\":1.0,\"node_type\":0,\"node_weight\":1.0,\"edge\":[]}".into(),
            "node_id: expected a whole number",
        ),
        (
            "{\"node_id\":1,\"node_type\":-1,\"node_weight\":1.0,\"edge\":[]}".into(),
            "node_type: expected a whole number",
        ),
        ("{\"node_id\":1,\"node_type\":0,\"node_weight\":\"x\",\"edge\":[]}".into(), "node_weight: expected a number"),
        (format!("{DEEP},\"created_at\":1.5}}"), "created_at: expected a whole number of ticks"),
        (format!("{DEEP},\"removed_at\":null}}"), "removed_at: expected a whole number of ticks"),
        (node_line(1, "", &edge_text(2, 3, "")), "edge 1: src_id is 2, but the edge stands in the line of node 1"),
        (
            node_line(1, "", "{\"src_id\":1,\"dst_id\":-1,\"edge_type\":0,\"weight\":1}"),
            "edge 1: dst_id: expected a whole number",
        ),
        (node_line(1, "", "{\"src_id\":1,\"dst_id\":2,\"edge_type\":0}"), "edge 1: missing field `weight`"),
        (node_line(1, "", "7"), "edge 1: invalid type"),
    ]
}

/// Bad features.
fn malformed_features() -> Vec<(String, &'static str)> {
    vec![
        (format!("{DEEP},\"float_features\":{{}}}}"), "unknown field `float_features`"),
        (format!("{DEEP},\"int128_feature\":{{}}}}"), "unknown field `int128_feature`"),
        (format!("{DEEP},\"float_feature\":{{\"x\":[1]}}}}"), "expected the number of a feature as key"),
        (format!("{DEEP},\"float_feature\":{{\"-1\":[1]}}}}"), "expected the number of a feature as key"),
        (format!("{DEEP},\"float_feature\":{{\"0\":1}}}}"), "float_feature 0: expected a list of f32 numbers"),
        (format!("{DEEP},\"float_feature\":{{\"0\":[[1]]}}}}"), "expected a number of type f32, got `[1]`"),
        (format!("{DEEP},\"uint64_feature\":{{\"0\":[-1]}}}}"), "expected a number of type u64, got `-1`"),
        (format!("{DEEP},\"int8_feature\":{{\"0\":[300]}}}}"), "expected a number of type i8, got `300`"),
        (
            format!("{DEEP},\"int8_feature\":{{\"0\":[1]}},\"binary_feature\":{{\"0\":\"a\"}}}}"),
            "another feature has this number",
        ),
        (format!("{DEEP},\"binary_feature\":{{\"0\":[\"a\",\"b\"]}}}}"), "expected one text"),
        (
            format!("{DEEP},\"sparse_int8_feature\":{{\"0\":{{\"coordinates\":[1,2,3],\"values\":[1,2]}}}}}}"),
            "do not fit 2 values",
        ),
        (
            format!("{DEEP},\"sparse_int8_feature\":{{\"0\":{{\"coordinates\":[],\"values\":[1]}}}}}}"),
            "do not fit 1 values",
        ),
        (
            format!("{DEEP},\"sparse_int8_feature\":{{\"0\":{{\"coordinates\":[[1],[2,3]],\"values\":[1,2]}}}}}}"),
            "expected 2 points of 1 numbers",
        ),
        (format!("{DEEP},\"sparse_int8_feature\":{{\"0\":{{\"values\":[1]}}}}}}"), "missing field `coordinates`"),
        (format!("{DEEP},\"int8_feature\":{{\"0\":[{{\"values\":[1],\"created\":3}}]}}}}"), "unknown field `created`"),
        (
            format!("{DEEP},\"int8_feature\":{{\"0\":[{{\"values\":[1]}},{{\"values\":[2]}}]}}}}"),
            "two intervals that begin at 0",
        ),
    ]
}

#[test]
fn malformed_input_is_refused_with_its_line() {
    for (line, expected) in malformed_elements().into_iter().chain(malformed_features()) {
        // A blank line is no record, and what follows a bad line is read.
        let text = format!("{}\n\n{line}\n{}", node_line(7, "", ""), node_line(8, "", ""));
        let intervals = read(&text);
        let found: Vec<_> = intervals.rejects.iter().map(ToString::to_string).collect();
        assert!(
            found.len() == 1 && found[0].starts_with("f:3: ") && found[0].contains(expected),
            "{line}\n{found:?}\nexpected: {expected}"
        );
        let graph = intervals.replay();
        assert!(graph.node(&node("0", 8), At::now()).is_some());
    }
}

#[test]
fn ids_of_all_64_bits_and_null_maps_are_taken() {
    let graph = graph(&node_line(u64::MAX, ",\"float_feature\":null,\"neighbor\":{\"0\":{}}", ""));
    assert!(graph.node(&node("0", u64::MAX), At::now()).is_some());
}

#[test]
fn duplicate_lines_are_refused_and_the_first_holds() {
    let text = [node_line(1, ",\"created_at\":3", ""), node_line(1, ",\"created_at\":4", "")].join("\n");
    assert_eq!(rejects(&text), ["f:2: node 1 has a line already: line 1"]);
}

#[test]
fn both_ends_bound_an_edge() {
    let edges =
        [edge_text(1, 2, ""), edge_text(1, 2, ",\"created_at\":3"), edge_text(1, 2, ",\"created_at\":6")].join(",");
    let text = [node_line(1, "", &edges), node_line(2, ",\"created_at\":2,\"removed_at\":6", "")].join("\n");
    let intervals = read(&text);
    let found: Vec<_> = intervals.rejects.iter().map(ToString::to_string).collect();
    assert_eq!(found, ["f:1: edge 3: begins at 6, but node 2 lives from 2 to 6"]);
    assert_eq!(intervals.clipped, 2);
    let graph = intervals.replay();
    // The first has no begin of its own, and begins with its destination.
    for (key, created) in [(None, 2), (Some("2"), 3)] {
        let life = graph.edge_history(&edge(node("0", 1), "0", node("0", 2), key))[0].interval;
        assert_eq!((life.created, life.removed), (Time(created), Time(6)));
    }
}

#[test]
fn an_edge_whose_start_is_only_a_default_is_cut_to_the_lives_of_its_ends() {
    let values = "\"int8_feature\":{\"0\":[{\"values\":[1],\"removed_at\":4},{\"values\":[2],\"created_at\":4,\"removed_at\":9},\
        {\"values\":[3],\"created_at\":9}]}";
    let edges = [
        edge_text(1, 2, &format!(",{values}")),
        edge_text(1, 3, ",\"removed_at\":7"),
        edge_text(1, 2, ",\"created_at\":0"),
    ];
    let later = |id, times: &str| node_line(id, times, "");
    let text = [
        node_line(1, ",\"created_at\":0", &edges.join(",")),
        later(2, ",\"created_at\":7"),
        later(3, ",\"created_at\":7"),
    ];
    let intervals = read(&text.join("\n"));
    let found: Vec<_> = intervals.rejects.iter().map(ToString::to_string).collect();
    let expected = [
        "f:1: edge 2: begins at 0, but node 3 lives from 7 to forever",
        "f:1: edge 3: begins at 0, but node 2 lives from 7 to forever",
    ];
    assert_eq!(found, expected, "nothing is left of one, and the other has a begin of its own");
    let graph = intervals.replay();
    let key = edge(node("0", 1), "0", node("0", 2), None);
    let life = graph.edge_history(&key)[0].interval;
    assert_eq!((life.created, life.removed), (Time(7), Time::FOREVER));
    let at = |time| graph.edge(&key, At::time(Time(time))).unwrap().features.get("0").map(ToString::to_string);
    assert_eq!([at(7), at(8), at(9)], ["[2]", "[2]", "[3]"].map(|value| Some(value.to_owned())));
}

#[test]
fn features_are_cut_to_the_life_of_their_owner() {
    let text = node_line(
        1,
        ",\"created_at\":5,\"removed_at\":9,\"int8_feature\":{\"0\":[{\"values\":[1],\"created_at\":2,\"removed_at\":6},{\"values\":[2],\"created_at\":8,\"removed_at\":20},{\"values\":[3],\"created_at\":30}]}",
        "",
    );
    let intervals = read(&text);
    // The third interval has the owner's end as its own, before it begins.
    assert_eq!(intervals.rejects.len(), 1);
    let intervals = read(&text.replace("\"created_at\":30", "\"created_at\":30,\"removed_at\":-1"));
    assert_eq!(intervals.clipped_features, 3);
    let graph = intervals.replay();
    let at = |time| node_feature(&graph, &node("0", 1), "0", time);
    assert_eq!([5, 6, 7, 8].map(at), [list(Numbers::I8(vec![1])), None, None, list(Numbers::I8(vec![2]))]);
}

#[test]
fn a_recreated_edge_has_the_features_of_its_life() {
    let life = |from, to, x| {
        edge_text(1, 2, &format!(",\"created_at\":{from},\"removed_at\":{to},\"int8_feature\":{{\"0\":[{x}]}}"))
    };
    let graph = graph(&node_line(1, "", &[life(10, 20, 2), life(1, 10, 1)].join(",")));
    let link = edge(node("0", 1), "0", node("unknown", 2), None);
    assert_eq!(graph.edge_history(&link).len(), 2);
    assert_eq!(
        [9, 10].map(|time| edge_feature(&graph, &link, "0", time)),
        [list(Numbers::I8(vec![1])), list(Numbers::I8(vec![2]))]
    );
}

#[test]
fn overlapping_repeats_are_parallel_edges() {
    let life = |from: i64, to: i64| edge_text(1, 2, &format!(",\"created_at\":{from},\"removed_at\":{to}"));
    let graph = graph(&node_line(1, "", &[life(0, 10), life(5, 15), life(6, 7), life(10, 20)].join(",")));
    let lives = |key: Option<&str>| {
        let history = graph.edge_history(&edge(node("0", 1), "0", node("unknown", 2), key));
        history.iter().map(|life| (life.interval.created.0, life.interval.removed.0)).collect::<Vec<_>>()
    };
    assert_eq!(
        [lives(None), lives(Some("2")), lives(Some("3"))],
        [vec![(0, 10), (10, 20)], vec![(5, 15)], vec![(6, 7)]]
    );
}

#[test]
fn a_feature_of_another_kind_refuses_its_node_alone() {
    let text = [
        node_line(1, ",\"int8_feature\":{\"0\":[1]}", ""),
        node_line(2, ",\"float_feature\":{\"0\":[1]}", &edge_text(2, 1, "")),
        node_line(3, "", &edge_text(3, 2, "")),
    ];
    let intervals = read(&text.join("\n"));
    let found: Vec<_> = intervals.rejects.iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        ["f:2: feature `0` of 0 holds i8[], got f32[]: convert the value, or give the feature another name"]
    );
    let graph = intervals.replay();
    assert!(graph.node(&node("unknown", 2), At::now()).is_some(), "a destination whose line was refused is unknown");
}

#[test]
fn events_come_in_order_of_time_ends_first() {
    let text = [
        node_line(1, ",\"removed_at\":9", &edge_text(1, 2, ",\"created_at\":3,\"removed_at\":9")),
        node_line(2, "", ""),
        node_line(
            3,
            ",\"created_at\":9,\"int8_feature\":{\"0\":[{\"values\":[1],\"created_at\":10}]}",
            &edge_text(3, 2, ""),
        ),
    ];
    let intervals = read(&text.join("\n"));
    let order: Vec<_> = intervals
        .records
        .iter()
        .map(|(event, place)| {
            let element = if matches!(event.element, timeweft_graph::Element::Node(_)) { "node" } else { "edge" };
            (event.time.0, format!("{:?} {element}", event.action).to_lowercase(), place.line)
        })
        .collect();
    let expected = [
        (0, "create node", 1),
        (0, "create node", 2),
        (3, "create edge", 1),
        (9, "delete edge", 1),
        (9, "delete node", 1),
        (9, "create node", 3),
        (9, "create edge", 3),
        (10, "update node", 3),
    ];
    assert_eq!(order, expected.map(|(time, what, line)| (time, what.to_owned(), line)));
}

#[test]
fn forty_features_and_sparse_ones_of_one_point() {
    let many: Vec<String> = (0..40).map(|number| format!("\"{number}\":[{number},{number}]")).collect();
    let maps = format!(
        ",\"int16_feature\":{{{}}},\"sparse_double_feature\":{{\"40\":{{\"coordinates\":[5,13],\"values\":[1,2.13]}},\"41\":{{\"coordinates\":[4,13,1],\"values\":[7]}},\"42\":{{\"coordinates\":[[4,13,1]],\"values\":[7]}},\"43\":{{\"coordinates\":[],\"values\":[]}}}}",
        many.join(",")
    );
    let graph = graph(&node_line(9, &maps, ""));
    let value = |number: u32| node_feature(&graph, &node("0", 9), &number.to_string(), 0);
    for number in 0..40 {
        assert_eq!(value(number), list(Numbers::I16(vec![number as i16; 2])));
    }
    let tensor =
        |rank, coordinates, values| Some(Value::Sparse(Sparse { rank, coordinates, values: Numbers::F64(values) }));
    assert_eq!(value(40), tensor(1, vec![5, 13], vec![1.0, 2.13]));
    assert_eq!(value(41), tensor(3, vec![4, 13, 1], vec![7.0]));
    assert_eq!(value(42), value(41));
    assert_eq!(value(43), None, "an empty one is absent");
}

#[test]
fn a_file_of_many_chunks_keeps_its_order_and_its_line_numbers() {
    // Each line is longer than what is read at once, or much shorter; every seventh is bad.
    let mut text = String::from("\u{feff}");
    let n_lines = 40;
    for line in 1..=n_lines {
        let pad = if line % 5 == 0 { " ".repeat(1_500_000) } else { " ".repeat(200_000) };
        let bad = if line % 7 == 0 { "x" } else { "" };
        text += &format!("{}{pad}{bad}\r\n", node_line(line, "", &edge_text(line, line + 1, "")));
    }
    let mut rows = SpanRows::default();
    temporal_json::read(text.trim_end().as_bytes(), &"f".into(), &mut rows).unwrap();
    let told: Vec<_> = rows
        .iter()
        .filter_map(|row| match row {
            (Record::NodeSpan(node, _), line) => Some((line, node.id, "node")),
            (Record::EdgeSpan(edge, _), line) => Some((line, edge.source, "edge")),
            (Record::Reject(_), line) => Some((line, line, "reject")),
            _ => None,
        })
        .collect();
    let expected: Vec<_> = (1..=n_lines)
        .flat_map(|line| match line % 7 {
            0 => vec![(line, line, "reject")],
            _ => vec![(line, line, "node"), (line, line, "edge")],
        })
        .collect();
    assert_eq!(told, expected);
}

#[test]
fn a_source_that_breaks_off_is_an_error_with_its_line() {
    struct Broken(usize);
    impl std::io::Read for Broken {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            if self.0 == 0 {
                return Err(std::io::Error::other("gone"));
            }
            let amount = self.0.min(out.len());
            out[..amount].fill(b'\n');
            self.0 -= amount;
            Ok(amount)
        }
    }
    let mut rows = SpanRows::default();
    let error = temporal_json::read(Broken(5_000_000), &"f".into(), &mut rows).unwrap_err();
    assert_eq!(error.to_string(), "f:5000001: reading stopped: gone");
}
