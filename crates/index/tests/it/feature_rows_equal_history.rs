//! Features at a time against a look at all that was ever set.

use std::collections::HashSet;

use timeweft_graph::{
    Action, Deletes, EdgeIndex, EdgeTypeId, Element, Event, FeatureKind, Name, NodeIndex, NodeKey, Numbers, Schema,
    Sparse, Time, Value,
};
use timeweft_index::Index;
use timeweft_index::features::{FlatRows, Owners, SparseRows};
use timeweft_index::sample::{AsOf, Links, NO_EDGE, Roots};

use crate::event_builders::apply;
use crate::random_lives::{Random, SCALES, Scale, edge_key, key};

const NODES: usize = 24;
/// Ends of edges; they live always.
const ENDS: usize = 4;
const DIM: usize = 3;

/// One life, and what was set in it when.
struct Life {
    element: usize,
    created: i64,
    removed: i64,
    sets: Vec<(i64, usize, Option<Value>)>,
    number: u32,
}

struct World {
    events: Vec<Event>,
    lives: Vec<Life>,
    last: i64,
}

fn names() -> [Name; 3] {
    ["x", "t", "s"].map(Name::from)
}

/// Nodes come first, then edges: (source, destination, twin).
fn element(at: usize) -> Element {
    match at.checked_sub(NODES) {
        None => Element::Node(NodeKey::new("m", at as u64)),
        Some(edge) => Element::Edge(edge_key((edge % ENDS, 0, edge / ENDS % ENDS, edge / ENDS / ENDS))),
    }
}

const ELEMENTS: usize = NODES + 2 * ENDS * ENDS;

fn value(feature: usize, random: &mut Random) -> Option<Value> {
    if random.below(4) == 0 {
        return None;
    }
    let n = random.below(5);
    let number = |random: &mut Random| random.below(9) as i64 - 4;
    Some(match feature {
        0 => Value::floats(&(0..n).map(|_| number(random) as f32).collect::<Vec<_>>()),
        1 => Value::text(&"weft"[..n]),
        _ => {
            let coordinates = (0..2 * n).map(|_| number(random)).collect();
            let values = Numbers::I16((0..n).map(|_| number(random) as i16).collect());
            Value::Sparse(Sparse { rank: 2, coordinates, values })
        }
    })
}

impl World {
    fn random(seed: u64, scale: Scale, steps: usize) -> World {
        let mut random = Random(seed);
        let mut world = World { events: Vec::new(), lives: Vec::new(), last: scale.base };
        for end in 0..ENDS {
            world.events.push(Event::new(Time(scale.base), Action::Create, Element::Node(key(end))));
        }
        let mut open: Vec<Option<usize>> = vec![None; ELEMENTS];
        let mut n_edges = 0;
        for _ in 0..steps {
            world.last += random.below(3) as i64 * scale.step + random.below(scale.jitter) as i64;
            let (now, at) = (world.last, random.below(ELEMENTS));
            let sets: Vec<_> = (0..3).filter(|_| random.below(2) == 0).collect();
            let sets: Vec<_> = sets.into_iter().map(|feature| (feature, value(feature, &mut random))).collect();
            let action = match open[at] {
                None => Action::Create,
                Some(_) if random.below(4) == 0 => Action::Delete,
                Some(_) => Action::Update,
            };
            let told = if action == Action::Delete { &[][..] } else { &sets };
            let features = told.iter().map(|(feature, value)| (names()[*feature].clone(), value.clone())).collect();
            world.events.push(Event::new(Time(now), action, element(at)).with(features));
            if action == Action::Create {
                let number = if at < NODES { 0 } else { n_edges };
                n_edges += u32::from(at >= NODES);
                open[at] = Some(world.lives.len());
                world.lives.push(Life { element: at, created: now, removed: i64::MAX, sets: Vec::new(), number });
            }
            let life = &mut world.lives[open[at].unwrap()];
            life.sets.extend(told.iter().map(|(feature, value)| (now, *feature, value.clone())));
            if action == Action::Delete {
                life.removed = now;
                open[at] = None;
            }
        }
        world
    }

    fn index(&self) -> Index {
        let mut index = Index::new(Schema::default());
        self.events.iter().for_each(|event| apply(&mut index, event).unwrap());
        index
    }

    /// The value by looking at all lives of an element, or at one of them.
    fn value(&self, meant: impl Fn(&Life) -> bool, feature: usize, last: i64, soft: bool) -> Option<&Value> {
        let begun = |life: &&Life| meant(life) && life.created < life.removed && life.created <= last;
        let life = self.lives.iter().filter(begun).max_by_key(|life| life.created)?;
        let alive = last < life.removed || life.removed == i64::MAX;
        let until = if alive { last } else { life.removed - 1 };
        let mut sets = life.sets.iter().filter(|(from, of, _)| *of == feature && *from <= until);
        sets.next_back().filter(|_| alive || soft)?.2.as_ref()
    }
}

#[derive(PartialEq, Debug, Default)]
struct Answers {
    dense: Vec<f32>,
    flat: FlatRows,
    encoded: FlatRows,
    sparse: Vec<SparseRows<i16>>,
}

fn ask(index: &Index, owners: Owners<'_>) -> Answers {
    let [x, t, s] = names();
    let mut found = Answers { dense: vec![7.0; owners.len() * 2 * DIM], ..Answers::default() };
    found.sparse = vec![SparseRows { coordinates: vec![1], values: vec![1], dim: 9 }, SparseRows::default()];
    let unknown: Name = "unknown".into();
    index.dense_features(&[(unknown.clone(), DIM), (x, DIM)], owners, &mut found.dense).unwrap();
    index.flat_features(std::slice::from_ref(&t), owners, &mut found.flat).unwrap();
    index.sparse_features(&[s.clone(), unknown.clone()], owners, &mut found.sparse).unwrap();
    index.encoded_features(&[s, unknown, t], owners, &mut found.encoded);
    found
}

fn expect<'a>(n: usize, value: impl Fn(usize, usize) -> Option<&'a Value>) -> Answers {
    let mut answers = Answers { sparse: vec![SparseRows::default(); 2], ..Answers::default() };
    for row in 0..n {
        let mut floats = match value(row, 0) {
            Some(Value::Dense(dense)) => dense.numbers.to_f64(),
            _ => Vec::new(),
        };
        floats.resize(DIM, 0.0);
        answers.dense.extend([0.0; DIM]);
        answers.dense.extend(floats.iter().map(|x| *x as f32));
        let text = value(row, 1).map_or(String::new(), |text| text.to_string());
        answers.flat.bytes.extend_from_slice(text.as_bytes());
        answers.flat.lengths.push(text.len() as u64);
        for value in [value(row, 2), None, value(row, 1)] {
            let start = answers.encoded.bytes.len();
            value.inspect(|value| value.encode(&mut answers.encoded.bytes));
            answers.encoded.lengths.push((answers.encoded.bytes.len() - start) as u64);
        }
        if let Some(Value::Sparse(Sparse { coordinates, values: Numbers::I16(values), .. })) = value(row, 2) {
            let rows = &mut answers.sparse[0];
            for (point, value) in coordinates.chunks(2).zip(values) {
                rows.coordinates.extend([row as i64, point[0], point[1]]);
                rows.values.push(*value);
                rows.dim = 2;
            }
        }
    }
    answers
}

struct Asked {
    world: World,
    index: Index,
    elements: Vec<usize>,
    times: Vec<Time>,
}

impl Asked {
    fn new(seed: u64, scale: Scale, n: usize, elements: std::ops::Range<usize>) -> Asked {
        let world = World::random(seed, scale, 1500);
        let index = world.index();
        let mut random = Random(seed + 9);
        let pick = |random: &mut Random| elements.start + random.below(elements.len());
        let elements: Vec<usize> = (0..n).map(|_| pick(&mut random)).collect();
        let span = (world.last - scale.base) as usize;
        let time = |random: &mut Random| match random.below(40) {
            0 => i64::MAX,
            1 => i64::MIN,
            2..12 => world.lives[random.below(world.lives.len())].removed,
            12..22 => world.lives[random.below(world.lives.len())].created,
            _ => scale.base + random.below(span + 2) as i64,
        };
        let times = (0..n).map(|_| Time(time(&mut random))).collect();
        Asked { world, index, elements, times }
    }

    fn nodes(&self) -> Vec<NodeIndex> {
        let number = |at: &usize| self.index.node_index(&NodeKey::new("m", *at as u64));
        self.elements.iter().map(|at| number(at).unwrap_or(NodeIndex(u32::MAX))).collect()
    }
}

fn last(as_of: AsOf, time: Time) -> Option<i64> {
    match as_of {
        AsOf::At => Some(time.0),
        AsOf::Before => time.0.checked_sub(1),
    }
}

const VIEWS: [(AsOf, Deletes); 4] = [
    (AsOf::At, Deletes::Hard),
    (AsOf::Before, Deletes::Hard),
    (AsOf::At, Deletes::Soft),
    (AsOf::Before, Deletes::Soft),
];

#[test]
fn node_features_equal_a_look_at_all_that_was_set() {
    let (mut n, mut found) = (0, 0);
    for (seed, (scale, (as_of, deletes))) in (0..).zip(SCALES.into_iter().flat_map(|s| VIEWS.map(|view| (s, view)))) {
        let asked = Asked::new(seed, scale, 7_000, 0..NODES + 1);
        let nodes = asked.nodes();
        let owners = Owners::nodes(Roots::new(&nodes, &asked.times).unwrap(), as_of).deletes(deletes);
        let expected = expect(nodes.len(), |row, feature| {
            let at = asked.elements[row];
            let is_node = |life: &Life| life.element == at && at < NODES;
            asked.world.value(is_node, feature, last(as_of, asked.times[row])?, deletes == Deletes::Soft)
        });
        assert!(ask(&asked.index, owners) == expected, "{scale:?} {as_of:?} {deletes:?}");
        n += nodes.len();
        found += expected.flat.lengths.iter().filter(|length| **length > 0).count();
    }
    assert!(n >= 100_000 && found > n / 8, "{n} {found}");
}

#[test]
fn edge_features_equal_a_look_at_all_that_was_set() {
    let (mut n, mut found, mut lives) = (0, 0, HashSet::new());
    for (seed, (scale, (as_of, deletes))) in (0..).zip(SCALES.into_iter().flat_map(|s| VIEWS.map(|view| (s, view)))) {
        let asked = Asked::new(seed, scale, 7_000, NODES..ELEMENTS / 2);
        let soft = deletes == Deletes::Soft;
        let edges: Vec<Element> = asked.elements.iter().map(|at| element(*at)).collect();
        let ends = |of: fn(&timeweft_graph::EdgeKey) -> &NodeKey| -> Vec<NodeIndex> {
            let end = |edge: &Element| match edge {
                Element::Edge(key) => asked.index.node_index(of(key)).unwrap(),
                _ => unreachable!(),
            };
            edges.iter().map(end).collect()
        };
        let (sources, destinations) = (ends(|key| &key.source), ends(|key| &key.destination));
        let types = vec![EdgeTypeId(0); edges.len()];
        let links = Links::new(&sources, &types, &destinations, &asked.times).unwrap();
        let mut between = vec![EdgeIndex(5); edges.len()];
        asked.index.edges_between(links, as_of, deletes, &mut between).unwrap();
        // The newest of both twins that is seen.
        let newest = |row: usize| {
            let last = last(as_of, asked.times[row])?;
            let of_pair = |life: &&Life| {
                life.element >= NODES && (life.element - NODES) % (ENDS * ENDS) == asked.elements[row] - NODES
            };
            let seen = |life: &&Life| {
                let alive = last < life.removed || life.removed == i64::MAX;
                life.created < life.removed && life.created <= last && (soft || alive)
            };
            let lives = asked.world.lives.iter().filter(of_pair).filter(seen);
            lives.max_by_key(|life| (life.created, life.number)).map(|life| life.number)
        };
        let wanted: Vec<EdgeIndex> = (0..edges.len()).map(|row| newest(row).map_or(NO_EDGE, EdgeIndex)).collect();
        assert!(between == wanted, "{scale:?} {as_of:?} {deletes:?}");
        let owners = Owners::edges(&between, &asked.times, as_of).unwrap().deletes(deletes);
        let expected = expect(edges.len(), |row, feature| {
            let number = between[row].0;
            let is_life = |life: &Life| life.element >= NODES && life.number == number;
            asked.world.value(is_life, feature, last(as_of, asked.times[row])?, soft)
        });
        assert!(ask(&asked.index, owners) == expected, "{scale:?} {as_of:?} {deletes:?}");
        n += edges.len();
        found += expected.flat.lengths.iter().filter(|length| **length > 0).count();
        lives.extend(between);
    }
    assert!(n >= 100_000 && found > n / 8 && lives.len() > 50, "{n} {found}");
}

#[test]
fn features_do_not_depend_on_threads_or_batches() {
    let asked = Asked::new(3, SCALES[1], 9_000, 0..NODES);
    let nodes = asked.nodes();
    let owners =
        |at: std::ops::Range<usize>| Owners::nodes(Roots::new(&nodes[at.clone()], &asked.times[at]).unwrap(), AsOf::At);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| ask(&asked.index, owners(0..nodes.len())))
    };
    let one = with(1);
    assert!(one.sparse[0].values.len() > 1000 && one.flat.bytes.len() > 1000);
    assert!([2, 3, 8].map(with).iter().all(|answers| *answers == one));
    let (mut pieces, mut start) = (Answers { sparse: vec![SparseRows::default(); 2], ..Answers::default() }, 0);
    for len in (1..).map(|n| n * n) {
        let end = nodes.len().min(start + len);
        let piece = ask(&asked.index, owners(start..end));
        pieces.dense.extend(piece.dense);
        pieces.flat.bytes.extend(piece.flat.bytes);
        pieces.flat.lengths.extend(piece.flat.lengths);
        pieces.encoded.bytes.extend(piece.encoded.bytes);
        pieces.encoded.lengths.extend(piece.encoded.lengths);
        for point in piece.sparse[0].coordinates.chunks(3) {
            pieces.sparse[0].coordinates.extend([point[0] + start as i64, point[1], point[2]]);
        }
        pieces.sparse[0].values.extend(&piece.sparse[0].values);
        pieces.sparse[0].dim = 2;
        start = end;
        if start == nodes.len() {
            break;
        }
    }
    assert!(pieces == one);
}

#[test]
fn kinds_of_the_history_are_as_meant() {
    let schema = World::random(1, SCALES[0], 300).index().schema().clone();
    let kinds: HashSet<String> =
        schema.node_types().iter().flat_map(|t| &t.features).map(|f| f.kind.to_string()).collect();
    let sparse = FeatureKind::Sparse { dtype: timeweft_graph::DType::I16, rank: 2 };
    assert_eq!(kinds, HashSet::from(["f32[]".to_string(), "text".to_string(), sparse.to_string()]));
}
