//! Features of small graphs worked out by hand; tests are named after the sections of temporal-intervals.

use timeweft_graph::{
    DType, Deletes, Dense, EdgeIndex, EdgeTypeId, Event, Features, Name, NodeIndex, NodeKey, Numbers, Schema, Sparse,
    Time, Value, f16,
};
use timeweft_index::Index;
use timeweft_index::features::{FlatRows, Owners, SparseRows};
use timeweft_index::sample::{AsOf, Links, NO_EDGE, NO_NODE, Roots, SampleError};
use timeweft_oracle::numbers_of_json;

use crate::event_builders::{apply, create, delete, edge, index, node, update};

fn set(name: &str, value: Value) -> Features {
    vec![(name.into(), Some(value))]
}

fn list(numbers: Numbers) -> Value {
    Value::Dense(Dense { numbers, scalar: false })
}

fn ints(values: &[i32]) -> Value {
    list(Numbers::I32(values.to_vec()))
}

fn points(rank: u32, coordinates: &[i64], values: &[i32]) -> Value {
    Value::Sparse(Sparse { rank, coordinates: coordinates.to_vec(), values: Numbers::I32(values.to_vec()) })
}

/// Nodes of text ids from time 0, and what is set at them when; an empty value ends what was.
fn nodes_with(ids: &[&str], sets: &[(&str, i64, Option<Value>)]) -> Index {
    let mut events: Vec<Event> = ids.iter().map(|id| create(0, node(id))).collect();
    let updates = sets.iter().map(|(id, time, value)| update(*time, node(id)).with(vec![("f".into(), value.clone())]));
    events.extend(updates);
    events.sort_by_key(|event| event.time);
    index(&events)
}

fn nodes(index: &Index, ids: &[&str]) -> Vec<NodeIndex> {
    ids.iter().map(|id| index.node_index(&node(id)).unwrap_or(NO_NODE)).collect()
}

fn times(times: &[i64]) -> Vec<Time> {
    times.iter().map(|time| Time(*time)).collect()
}

fn dense<T: timeweft_graph::NumberType>(index: &Index, ids: &[&str], at: &[i64], features: &[(&str, usize)]) -> Vec<T> {
    let (nodes, at) = (nodes(index, ids), times(at));
    let features: Vec<(Name, usize)> = features.iter().map(|(name, dim)| (Name::from(*name), *dim)).collect();
    let mut out = vec![T::default(); nodes.len() * features.iter().map(|(_, dim)| dim).sum::<usize>()];
    index.dense_features(&features, Owners::nodes(Roots::new(&nodes, &at).unwrap(), AsOf::At), &mut out).unwrap();
    out
}

fn flat(index: &Index, ids: &[&str], at: &[i64], features: &[&str]) -> FlatRows {
    let (nodes, at) = (nodes(index, ids), times(at));
    let features: Vec<Name> = features.iter().map(|name| Name::from(*name)).collect();
    let mut out = FlatRows::default();
    index.flat_features(&features, Owners::nodes(Roots::new(&nodes, &at).unwrap(), AsOf::At), &mut out).unwrap();
    out
}

fn sparse(index: &Index, ids: &[&str], at: &[i64]) -> SparseRows<i32> {
    let (nodes, at) = (nodes(index, ids), times(at));
    let mut out = [SparseRows::default()];
    index.sparse_features(&["f".into()], Owners::nodes(Roots::new(&nodes, &at).unwrap(), AsOf::At), &mut out).unwrap();
    let [out] = out;
    out
}

fn bytes(values: &[i32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// Node 9 with [123, 64, 12] in [13, 20) and [13, 14] in [20, 21).
#[test]
fn dense_features_of_the_graph_in_time() {
    let floats = |values: &[f32]| set("0", Value::floats(values));
    let index = index(&[
        create(1, node("9")),
        update(13, node("9")).with(floats(&[123., 64., 12.])),
        update(20, node("9")).with(floats(&[13., 14.])),
        update(21, node("9")).with(vec![("0".into(), None)]),
    ]);
    let at = |time| dense::<f32>(&index, &["9"], &[time], &[("0", 2)]);
    for (time, values) in [(0, [0., 0.]), (11, [0., 0.]), (12, [0., 0.]), (13, [123., 64.]), (14, [123., 64.])] {
        assert_eq!(at(time), values, "{time}");
    }
    assert_eq!(at(20), [13., 14.]);
    // The original keeps a value past its end (its row for 21 says [13, 14]).
    assert_eq!(at(21), [0., 0.]);
}

#[test]
fn dense_features_are_padded() {
    let sets = [("0", 0, Some(ints(&[1, 2, 3]))), ("1", 1, Some(ints(&[11, 12]))), ("1", 2, Some(ints(&[13, 14])))];
    let index = nodes_with(&["0", "1"], &sets);
    assert_eq!(dense::<i32>(&index, &["0", "1"], &[2, 2], &[("f", 3)]), [1, 2, 3, 13, 14, 0]);
}

#[test]
fn the_newest_of_all_parts_counts() {
    let sets = [
        ("0", 0, Some(ints(&[1, 2, 3]))),
        ("0", 3, Some(ints(&[5, 6]))),
        ("0", 4, Some(ints(&[7, 8]))),
        ("1", 1, Some(ints(&[11, 12]))),
        ("1", 2, Some(ints(&[13, 14]))),
        ("1", 3, Some(ints(&[15, 16, 17]))),
        ("1", 5, Some(ints(&[18, 19]))),
    ];
    let index = nodes_with(&["0", "1"], &sets);
    assert_eq!(dense::<i32>(&index, &["0", "1"], &[3, 3], &[("f", 3)]), [5, 6, 0, 15, 16, 17]);
}

#[test]
fn dense_features_of_stubs_and_unknown_nodes_are_zeros() {
    let sets = [("0", 0, Some(ints(&[1, 2, 3]))), ("1", 1, Some(ints(&[4, 5, 6]))), ("2", 2, Some(ints(&[7, 8, 9])))];
    let index = nodes_with(&["0", "1", "2"], &sets);
    let found = dense::<i32>(&index, &["0", "1", "2", "3"], &[0, 1, 1, 1], &[("f", 3)]);
    assert_eq!(found, [1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn string_features_in_time() {
    let sets = [("2", 1, Some(ints(&[11, 12]))), ("2", 2, Some(ints(&[13, 14])))];
    let index = nodes_with(&["0", "1", "2"], &sets);
    let found = flat(&index, &["2", "1", "0"], &[1, 2, 3], &["f"]);
    assert_eq!(found, FlatRows { bytes: bytes(&[11, 12]), lengths: vec![8, 0, 0] });
    let sets = [
        ("0", 4, Some(ints(&[1, 2, 3, 4]))),
        ("1", 1, Some(ints(&[5, 6]))),
        ("1", 3, Some(ints(&[11, 12]))),
        ("2", 2, Some(ints(&[7, 8, 9]))),
    ];
    let index = nodes_with(&["0", "1", "2"], &sets);
    let found = flat(&index, &["0", "1", "2", "3"], &[3; 4], &["f"]);
    assert_eq!(found, FlatRows { bytes: bytes(&[11, 12, 7, 8, 9]), lengths: vec![0, 8, 12, 0] });
}

#[test]
fn sparse_features_in_time() {
    let sets = [
        ("0", 1, Some(points(2, &[14, 20], &[1]))),
        ("2", 2, Some(points(2, &[13, 42], &[1]))),
        ("3", 2, Some(points(2, &[13, 42], &[1]))),
        ("2", 3, Some(points(2, &[8, 9, 3, 2], &[5, 42]))),
        ("3", 4, None),
    ];
    let index = nodes_with(&["0", "1", "2", "3"], &sets);
    let found = sparse(&index, &["0", "1", "2", "3", "4"], &[4, 5, 6, 7, 7]);
    let coordinates = vec![0, 14, 20, 2, 8, 9, 2, 3, 2];
    assert_eq!(found, SparseRows { coordinates, values: vec![1, 5, 42], dim: 2 });
    let found = sparse(&index, &["1", "4", "3"], &[3, 3, 4]);
    assert_eq!(found, SparseRows { coordinates: vec![], values: vec![], dim: 0 });
}

/// An ended value leaves nothing, also between two others, in every kind.
#[test]
fn a_tombstone_is_zeros_and_length_0() {
    let sets = [("0", 13, Some(ints(&[1]))), ("0", 15, None), ("0", 17, Some(ints(&[2])))];
    let index = nodes_with(&["0"], &sets);
    let at = [12, 13, 14, 15, 16, 17];
    assert_eq!(dense::<i32>(&index, &["0"; 6], &at, &[("f", 1)]), [0, 1, 1, 0, 0, 2]);
    assert_eq!(flat(&index, &["0"; 6], &at, &["f"]).lengths, [0, 4, 4, 0, 0, 4]);
}

/// One list of every element type, padded, cut and side by side.
#[test]
fn every_element_type_is_padded_and_cut() {
    macro_rules! check {
        ($($variant:ident $type:ty),*) => {$({
            let one = |x: i32| numbers_of_json(DType::$variant, &[x.into()]).unwrap().to_f64()[0];
            let given = numbers_of_json(DType::$variant, &[3.into(), 7.into()]).unwrap();
            let Numbers::$variant(numbers) = &given else { unreachable!() };
            assert_eq!((one(3), one(7)), (3.0, 7.0));
            let index = index(&[create(0, node("0")).with(set("f", list(given.clone())))]);
            let zero = <$type>::default();
            let found = dense::<$type>(&index, &["1", "0"], &[0, 0], &[("f", 3), ("f", 1), ("other", 1), ("f", 0)]);
            assert_eq!(found, [zero, zero, zero, zero, zero, numbers[0], numbers[1], zero, numbers[0], zero]);
        })*};
    }
    check!(F64 f64, F32 f32, F16 f16, I64 i64, I32 i32, I16 i16, I8 i8, U64 u64, U32 u32, U16 u16, U8 u8);
}

#[test]
fn features_of_the_triangle() {
    let typed = |node_type: &str, id: &str| NodeKey::new(node_type, id);
    let two = |a: &[f32], b: &[f32]| {
        vec![("0".into(), Some(Value::floats(a))), ("1".into(), Some(Value::floats(b)))] as Features
    };
    let u64s = set("2", list(Numbers::U64(vec![13, 17])));
    let mut index = index(&[
        create(0, typed("0", "9")).with(two(&[0., 1.], &[-0.01, -0.02])),
        create(0, typed("1", "0")).with(two(&[1., 0.], &[-0.03, -0.04])),
        create(0, typed("2", "5")).with(two(&[1., 1.], &[-0.05, -0.06])),
    ]);
    let with = update(0, typed("0", "9")).with([u64s, set("3", Value::text("abcd"))].concat());
    apply(&mut index, &with).unwrap();
    let number = |t: &str, id: &str| index.node_index(&typed(t, id)).unwrap();
    let (nine, zero, five) = (number("0", "9"), number("1", "0"), number("2", "5"));
    let at = times(&[0, 0]);
    let floats = [("0".into(), 2), ("1".into(), 2)];
    let mut out = [9f32; 8];
    let nodes = [zero, five];
    let owners = Owners::nodes(Roots::new(&nodes, &at).unwrap(), AsOf::At);
    index.dense_features(&floats, owners, &mut out).unwrap();
    assert_eq!(out, [1., 0., -0.03, -0.04, 1., 1., -0.05, -0.06]);
    let nodes = [NO_NODE, nine];
    let owners = Owners::nodes(Roots::new(&nodes, &at).unwrap(), AsOf::At);
    let mut out = [9u64; 6];
    index.dense_features(&[("2".into(), 3)], owners, &mut out).unwrap();
    assert_eq!(out, [0, 0, 0, 13, 17, 0]);
    let mut out = [9u8; 8];
    index.dense_features(&[("3".into(), 4)], owners, &mut out).unwrap();
    assert_eq!(out, *b"\0\0\0\0abcd");
}

#[test]
fn forty_features_on_one_node() {
    let names: Vec<String> = (0..40).map(|id| format!("{id}")).collect();
    let features: Features =
        (0..40).map(|id: i32| (names[id as usize].as_str().into(), Some(ints(&[id, -id])))).collect();
    let index = index(&[create(0, node("0")).with(features), create(0, node("1"))]);
    // In reverse order, and now and then wider or narrower than they are.
    let wanted: Vec<(&str, usize)> = (0..40).rev().map(|id| (names[id].as_str(), id % 4)).collect();
    let row: Vec<i32> = (0..40).rev().flat_map(|id| [id, -id, 0][..id as usize % 4].to_vec()).collect();
    let found = dense::<i32>(&index, &["1", "0"], &[0, 0], &wanted);
    assert_eq!(found, [vec![0; row.len()], row].concat());
}

/// Edges with unsorted destinations; coordinates of one and of two numbers.
#[test]
fn sparse_features_of_edges() {
    let (two, one) = (points(2, &[5, 13, 7, 25], &[-1, 1024]), points(1, &[5, 13], &[1, 2]));
    let mut events: Vec<Event> = ["9", "0", "5"].map(|id| create(0, node(id))).into();
    events.push(create(0, edge("9", "r", "5")).with([set("5", two), set("4", one)].concat()));
    events.push(create(0, edge("9", "r", "0")));
    let index = index(&events);
    let edges = [EdgeIndex(1), NO_EDGE, EdgeIndex(0)];
    let at = times(&[0; 3]);
    let owners = Owners::edges(&edges, &at, AsOf::At).unwrap();
    let mut out = vec![SparseRows::<i32>::default(); 3];
    index.sparse_features(&["4".into(), "13".into(), "5".into()], owners, &mut out).unwrap();
    assert_eq!(out.iter().map(|rows| rows.dim).collect::<Vec<_>>(), [1, 0, 2]);
    assert_eq!((&out[0].coordinates[..], &out[0].values[..]), (&[2, 5, 2, 13][..], &[1, 2][..]));
    assert_eq!((&out[2].coordinates[..], &out[2].values[..]), (&[2, 5, 13, 2, 7, 25][..], &[-1, 1024][..]));
    assert!(out[1].coordinates.is_empty() && out[1].values.is_empty());
}

#[test]
fn string_features_of_several_nodes() {
    let text = |id: &str, a: &str, b: &str| {
        create(0, node(id)).with([set("0", Value::text(a)), set("1", Value::text(b))].concat())
    };
    let index = index(&[text("0", "a", "bc"), text("1", "def", ""), text("2", "", "ghij")]);
    let found = flat(&index, &["2", "5", "0", "1"], &[0; 4], &["1", "0"]);
    assert_eq!(
        (String::from_utf8(found.bytes).unwrap().as_str(), found.lengths),
        ("ghijbcadef", vec![4, 0, 0, 0, 2, 1, 0, 3])
    );
}

#[test]
fn a_recreated_edge_has_the_features_of_the_life_that_runs() {
    let link = || edge("0", "r", "1");
    let mut index = index(&[
        create(0, node("0")),
        create(0, node("1")),
        create(1, link()).with(set("f", ints(&[1]))),
        delete(5, link()),
        create(7, link()).with(set("f", ints(&[2]))),
    ]);
    let mut twin = link();
    twin.key = Some("twin".into());
    apply(&mut index, &create(9, twin.clone()).with(set("f", ints(&[3])))).unwrap();
    apply(&mut index, &delete(12, twin)).unwrap();
    let at = times(&[0, 1, 4, 5, 6, 7, 8, 9, 11, 12]);
    let found = |as_of, deletes| {
        let n = at.len();
        let (sources, types, destinations) = (vec![NodeIndex(0); n], vec![EdgeTypeId(0); n], vec![NodeIndex(1); n]);
        let links = Links::new(&sources, &types, &destinations, &at).unwrap();
        let (mut edges, mut out) = (vec![EdgeIndex(0); n], vec![9i32; n]);
        index.edges_between(links, as_of, deletes, &mut edges).unwrap();
        let owners = Owners::edges(&edges, &at, as_of).unwrap().deletes(deletes);
        index.dense_features(&[("f".into(), 1)], owners, &mut out).unwrap();
        out
    };
    assert_eq!(found(AsOf::At, Deletes::Hard), [0, 1, 1, 0, 0, 2, 2, 3, 3, 2]);
    assert_eq!(found(AsOf::Before, Deletes::Hard), [0, 0, 1, 1, 0, 0, 2, 2, 3, 3]);
    assert_eq!(found(AsOf::At, Deletes::Soft), [0, 1, 1, 1, 1, 2, 2, 3, 3, 3]);
}

/// Plain values are there all the life of their owner and no longer; with soft deletes the last ones stay.
#[test]
fn plain_features_are_read_at_any_time_of_the_life() {
    let values = [set("d", ints(&[4])), set("t", Value::text("x")), set("f", points(1, &[3], &[8]))].concat();
    let index = index(&[create(5, node("0")).with(values), delete(9, node("0"))]);
    let at = [4, 5, 6, 8, 9, 100];
    let ids = ["0"; 6];
    assert_eq!(dense::<i32>(&index, &ids, &at, &[("d", 1)]), [0, 4, 4, 4, 0, 0]);
    assert_eq!(flat(&index, &ids, &at, &["t"]).lengths, [0, 1, 1, 1, 0, 0]);
    assert_eq!(sparse(&index, &ids, &at).coordinates, [1, 3, 2, 3, 3, 3]);
    let (nodes, at) = (nodes(&index, &ids), times(&at));
    let soft = Owners::nodes(Roots::new(&nodes, &at).unwrap(), AsOf::Before).deletes(Deletes::Soft);
    let mut out = [7i32; 6];
    index.dense_features(&[("d".into(), 1)], soft, &mut out).unwrap();
    assert_eq!(out, [0, 0, 4, 4, 4, 4]);
}

/// A slot that has nothing at the time is empty, and not the next one's.
#[test]
fn a_missing_slot_is_empty() {
    let floats = |name: &str, x: f32| set(name, Value::floats(&[x]));
    let index = index(&[
        create(0, node("0")).with([floats("0", 1.), floats("2", 3.)].concat()),
        create(0, node("1")).with(floats("1", 2.)),
    ]);
    let found = dense::<f32>(&index, &["0", "1"], &[0, 0], &[("0", 1), ("1", 1), ("2", 1)]);
    assert_eq!(found, [1., 0., 3., 0., 2., 0.]);
    let lengths = flat(&index, &["0", "1"], &[0, 0], &["0", "1", "2"]).lengths;
    assert_eq!(lengths, [4, 0, 4, 0, 4, 0]);
}

#[test]
fn short_inputs_and_wrong_kinds_are_refused() {
    let typed = |node_type: &str| NodeKey::new(node_type, "1");
    let index = index(&[
        create(0, typed("a")).with(set("f", ints(&[1]))),
        create(0, typed("b")).with(set("f", Value::text("one"))),
        create(0, typed("c")).with(set("f", points(2, &[1, 2], &[1]))),
        create(0, typed("d")).with(set("f", points(1, &[1], &[1]))),
    ]);
    let of = ["a", "b", "c", "d"].map(|node_type| index.node_index(&typed(node_type)).unwrap());
    let at = times(&[0; 4]);
    let short = Owners::edges(&[EdgeIndex(0)], &[], AsOf::At).unwrap_err();
    assert_eq!(short.to_string(), "`times` has 0 elements, but 1 are needed");
    let owners = |n: std::ops::Range<usize>| Owners::nodes(Roots::new(&of[n.clone()], &at[n]).unwrap(), AsOf::At);
    let f = || Name::from("f");
    let mut three = [5i32; 3];
    let refused = index.dense_features(&[(f(), 2)], owners(0..1), &mut three);
    assert_eq!(refused, Err(SampleError::Length { what: "out", len: 3, wanted: 2 }));
    // The text does not matter until a node that has it is asked for.
    index.dense_features(&[(f(), 3)], owners(0..1), &mut three).unwrap();
    assert_eq!(three, [1, 0, 0]);
    let mut two = [5i32; 2];
    let refused = index.dense_features(&[(f(), 1)], owners(0..2), &mut two).unwrap_err();
    assert_eq!(refused.to_string(), "feature `f` of b is text, but was asked for as i32[]");
    assert_eq!(two, [5, 5]);
    let refused = index.dense_features(&[(f(), 1)], owners(0..1), &mut [0u32]).unwrap_err();
    assert_eq!(refused.to_string(), "feature `f` of a is i32[], but was asked for as u32[]");
    let mut rows = [SparseRows::<i32>::default()];
    index.sparse_features(&[f()], owners(3..4), &mut rows).unwrap();
    assert_eq!((&rows[0].coordinates[..], rows[0].dim), (&[0, 1][..], 1));
    let refused = index.sparse_features(&[f()], owners(2..4), &mut rows).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "feature `f` of d is sparse i32 of rank 1, but was asked for as sparse i32 of rank 2"
    );
    assert!(index.sparse_features(&[f()], owners(0..1), &mut rows).is_err());
    let refused = index.sparse_features(&[f(), f()], owners(2..3), &mut rows);
    assert_eq!(refused, Err(SampleError::Length { what: "out", len: 1, wanted: 2 }));
    let refused = index.flat_features(&[f()], owners(0..4), &mut FlatRows::default()).unwrap_err();
    assert_eq!(refused.to_string(), "feature `f` of c is sparse i32 of rank 2, but was asked for as bytes");
    // Nothing asked for is no question.
    index.dense_features::<f32>(&[], owners(0..4), &mut []).unwrap();
    index.flat_features(&[], owners(0..4), &mut FlatRows::default()).unwrap();
    index.sparse_features::<f32>(&[], owners(0..4), &mut []).unwrap();
    assert_eq!(Index::new(Schema::default()).dense_features(&[(f(), 1)], owners(0..1), &mut [7f32]), Ok(()));
}
