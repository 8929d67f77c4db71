//! Sources of intervals: the fast load against the slow one, which makes events in order of time.

use std::collections::BTreeSet;
use std::convert::Infallible;

use proptest::prelude::*;
use timeweft_graph::spans::PackedSpan;
use timeweft_graph::{
    Action, At, DType, Deletes, EdgeSpan, Element, Event, GraphView, Interval, Name, NodeSpan, Reason, Record, Schema,
    Sink, Time, TimeUnit, ValueRef, ValueSpans,
};
use timeweft_index::Index;
use timeweft_oracle::{Intervals, ReferenceGraph};
use timeweft_store::{LoadReport, LoadRequest, Store};

/// Times and ids are small, so that much meets.
const TIMES: i64 = 12;
const IDS: u64 = 9;

#[derive(Clone, Debug)]
struct Life {
    created: i64,
    length: Option<i64>,
}

/// Values of one feature, one after the other: a gap before it, how long, and which; kinds differ by `kind`.
#[derive(Clone, Debug)]
struct Course {
    feature: u32,
    kind: u8,
    values: Vec<(i64, i64, u8)>,
}

#[derive(Clone, Debug)]
enum Push {
    File(u8),
    Node(u64, u32, Option<u8>, Life, Vec<Course>),
    Edge(u64, u64, u32, u8, (Life, bool), Vec<Course>),
    Reject,
}

fn life() -> impl Strategy<Value = Life> {
    (-2..TIMES, proptest::option::of(1..8i64)).prop_map(|(created, length)| Life { created, length })
}

fn courses() -> impl Strategy<Value = Vec<Course>> {
    let values = proptest::collection::vec((0..2i64, 1..4i64, 0..3u8), 1..4);
    let course = (0..3u32, 0..8u8, values).prop_map(|(feature, kind, values)| Course { feature, kind, values });
    prop_oneof![2 => Just(Vec::new()), 1 => proptest::collection::vec(course, 1..3)]
}

fn node() -> impl Strategy<Value = Push> {
    let long = prop_oneof![2 => Just(Life { created: 0, length: None }), 1 => life()];
    (0..IDS, 0..2u32, proptest::option::of(0..3u8), long, courses())
        .prop_map(|(id, kind, weight, life, courses)| Push::Node(id, kind, weight, life, courses))
}

fn edge() -> impl Strategy<Value = Push> {
    (0..IDS, 0..IDS, 0..2u32, 0..3u8, (life(), any::<bool>()), courses()).prop_map(
        |(source, destination, kind, weight, life, courses)| {
            Push::Edge(source, destination, kind, weight, life, courses)
        },
    )
}

fn pushes() -> impl Strategy<Value = Vec<Push>> {
    let push = prop_oneof![8 => node(), 20 => edge(), 1 => (0..2u8).prop_map(Push::File), 1 => Just(Push::Reject)];
    // In one of three sources, edges come by their source.
    (proptest::collection::vec(push, 0..60), 0..3u8).prop_map(|(mut pushes, order)| {
        if order == 0 {
            pushes.sort_by_key(|push| match push {
                Push::Node(id, ..) | Push::Edge(id, ..) => *id,
                _ => 0,
            });
        }
        pushes
    })
}

fn value(kind: u8, number: u8, out: &mut Vec<u8>) -> timeweft_graph::FeatureKind {
    let text = number.to_string();
    let elements = [number, 0, 0, 0];
    // Most values of a feature are of one kind.
    let value = match kind {
        0 => ValueRef::Bytes(text.as_bytes()),
        1 => ValueRef::Sparse { dtype: DType::U8, rank: 1, coordinates: &[3], elements: &elements[..1] },
        _ => ValueRef::Dense { dtype: DType::F32, elements: &elements },
    };
    value.encode(out);
    value.kind()
}

/// The values of a record as its reader would give them: in the life, in order, and no two alike that touch.
fn spans(life: Interval, courses: &[Course]) -> (Vec<PackedSpan>, Vec<u8>) {
    let (mut spans, mut bytes) = (Vec::<PackedSpan>::new(), Vec::new());
    let mut known = BTreeSet::new();
    let mut courses: Vec<_> = courses.iter().filter(|course| known.insert(course.feature)).collect();
    courses.sort_by_key(|course| course.feature);
    for course in courses {
        let mut at = life.created.0;
        let mut before = None;
        for &(gap, length, number) in &course.values {
            let from = at + gap;
            at = from + length;
            let end = Time(at).min(life.removed);
            let Some(interval) = Interval::new(Time(from), end) else { break };
            if gap == 0 && before == Some(number) {
                spans.last_mut().unwrap().interval.removed = end;
                continue;
            }
            before = Some(number);
            let start = bytes.len();
            let kind = value(course.kind, number, &mut bytes);
            spans.push(PackedSpan { feature: course.feature, kind, interval, start, end: bytes.len() });
        }
    }
    (spans, bytes)
}

fn interval(life: &Life) -> Interval {
    let created = Time(life.created);
    life.length.map_or(Interval::open(created), |length| Interval::new(created, Time(life.created + length)).unwrap())
}

fn push_all(pushes: &[Push], sink: &mut dyn Sink) {
    sink.file(&"first".into());
    for (line, push) in (1..).zip(pushes) {
        match push {
            Push::File(number) => sink.file(&Name::from(format!("file {number}"))),
            Push::Node(id, kind, weight, life, courses) => {
                let life = interval(life);
                let (spans, bytes) = spans(life, courses);
                sink.record(
                    Record::NodeSpan(
                        NodeSpan { id: *id, node_type: *kind, weight: weight.map(f32::from), life },
                        ValueSpans::new(&spans, &bytes, (line % 7 == 0) as u32),
                    ),
                    line,
                );
            }
            Push::Edge(source, destination, kind, weight, (life, starts_by_default), courses) => {
                let life = interval(life);
                let (spans, bytes) = spans(life, courses);
                sink.record(
                    Record::EdgeSpan(
                        EdgeSpan {
                            source: *source,
                            destination: *destination,
                            edge_type: *kind,
                            weight: f32::from(*weight),
                            life,
                            starts_by_default: *starts_by_default,

                            position: (line % 3) as u32,
                        },
                        ValueSpans::new(&spans, &bytes, (line % 5 == 0) as u32),
                    ),
                    line,
                );
            }
            Push::Reject => sink.reject(line, Reason::Malformed("unreadable".into())),
        }
    }
}

/// Two stores with the same content, the slow one first.
struct Both {
    dirs: [tempfile::TempDir; 2],
    stores: [Store; 2],
}

impl Both {
    fn new() -> Both {
        let dirs = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let stores = [&dirs[0], &dirs[1]].map(|dir| Store::create(dir.path(), Schema::new(TimeUnit::Step)).unwrap());
        Both { dirs, stores }
    }

    /// Loads into both and compares the reports; nothing if both refuse the load.
    fn load(&mut self, namespace: &str, pushes: &[Push]) -> Option<LoadReport> {
        let request = LoadRequest::new(namespace, "test");
        let fast = self.stores[1].load_intervals(request.clone(), |sink| {
            push_all(pushes, sink);
            Ok(())
        });
        let read = Intervals::collect(TimeUnit::Step, |sink| {
            push_all(pushes, sink);
            Ok::<_, Infallible>(())
        });
        let read = read.unwrap();
        let request = LoadRequest { schema: read.schema, ..request };
        let records = read.rejects.into_iter().map(Err);
        let records = records.chain(read.records.into_iter().map(Ok));
        let slow = self.stores[0].load(request, timeweft_oracle::pushed(records));
        let (slow, fast) = match (slow, fast) {
            (Ok(slow), Ok(fast)) => (slow, fast),
            (slow, fast) => {
                assert_eq!(slow.unwrap_err().to_string(), fast.unwrap_err().to_string());
                return None;
            }
        };
        assert_eq!(fast.rejects, slow.rejects);
        assert_eq!((fast.accepted, fast.counts, fast.n_rejected), (slow.accepted, slow.counts, slow.n_rejected));
        assert_eq!([fast.clipped.edges, fast.clipped.features], [read.clipped, read.clipped_features]);
        Some(fast)
    }

    fn views(&self) -> [std::sync::Arc<Index>; 2] {
        [self.stores[0].view(), self.stores[1].view()]
    }

    fn compare(&self) {
        let [slow, fast] = self.views();
        same(&slow, &fast);
    }

    /// Opens the fast one anew: the log has it all.
    fn reopen(&mut self) {
        let [_, before] = self.views();
        let dir = self.dirs[1].path().to_owned();
        let Both { dirs, stores } = std::mem::replace(self, Both::new());
        let [slow, fast] = stores;
        drop(fast);
        *self = Both { dirs, stores: [slow, Store::open(dir).unwrap()] };
        let [_, after] = self.views();
        assert_eq!(before.schema(), after.schema());
        assert_eq!(before.events(), after.events());
        assert_eq!(before.facts(), after.facts());
        self.stores[1].verify().unwrap();
    }
}

fn sorted<T: std::fmt::Debug>(items: impl IntoIterator<Item = T>) -> Vec<String> {
    let mut items: Vec<_> = items.into_iter().map(|item| format!("{item:?}")).collect();
    items.sort();
    items
}

/// Whether both have the same items in any order; tells the first that only one has.
fn same_items<T: std::fmt::Debug>(slow: impl IntoIterator<Item = T>, fast: impl IntoIterator<Item = T>) {
    let (slow, fast) = (sorted(slow), sorted(fast));
    let differs = slow.iter().zip(&fast).find(|(slow, fast)| slow != fast);
    assert_eq!(differs, None);
    assert_eq!(slow.len(), fast.len());
}

fn rank(event: &Event) -> (Time, u8) {
    let rank = match (&event.element, event.action) {
        (Element::Edge(_), Action::Delete) => 0,
        (Element::Node(_), Action::Delete) => 1,
        (Element::Node(_), Action::Create) => 2,
        (Element::Node(_), Action::Update) => 3,
        (Element::Edge(_), Action::Create) => 4,
        (Element::Edge(_), Action::Update) => 5,
        (Element::Merge { .. }, _) => 6,
    };
    (event.time, rank)
}

fn facts(index: &Index) -> Vec<(Time, String)> {
    let named = |fact: &timeweft_index::Fact| {
        let [source, destination] = [fact.source, fact.destination].map(|node| index.node_key(node));
        let edge = fact.edge.map(|(_, edge)| index.edge_key(edge));
        (fact.time, format!("{:?} {source:?} {destination:?} {edge:?}", fact.action))
    };
    index.facts().iter().map(named).collect()
}

/// Everything that can be asked for by name.
fn same(slow: &Index, fast: &Index) {
    assert_eq!(slow.schema(), fast.schema());
    for time in -3..TIMES + 12 {
        for at in [At::time(Time(time)), At { deletes: Deletes::Soft, ..At::time(Time(time)) }] {
            assert_eq!(slow.nodes(None, at), fast.nodes(None, at), "{time}");
            same_items(slow.edges(None, at), fast.edges(None, at));
            assert_eq!(slow.counts(at), fast.counts(at), "{time}");
        }
    }
    let (known, events) = (slow.events(), fast.events());
    same_items(&known, &events);
    let keys: BTreeSet<_> = known.iter().map(|event| format!("{:?}", event.element)).collect();
    let mut seen = BTreeSet::new();
    for event in &known {
        if !seen.insert(format!("{:?}", event.element)) {
            continue;
        }
        match &event.element {
            Element::Node(node) => {
                assert_eq!(slow.node_history(node), fast.node_history(node));
                for time in -3..TIMES + 12 {
                    use timeweft_graph::Direction::{In, Out};
                    for direction in [In, Out] {
                        let of = |graph: &Index| sorted(graph.neighbors(node, direction, None, At::time(Time(time))));
                        assert_eq!(of(slow), of(fast), "{node} {time}");
                    }
                }
            }
            Element::Edge(edge) => assert_eq!(slow.edge_history(edge), fast.edge_history(edge)),
            Element::Merge { .. } => {}
        }
    }
    assert_eq!(keys.len(), seen.len());
    let (known, told) = (facts(slow), facts(fast));
    assert!(told.is_sorted_by_key(|fact| fact.0));
    same_items(known, told);
}

/// The log of the fast load is what the law of events takes in, in order of time.
fn in_order(events: &[Event]) {
    assert!(events.is_sorted_by_key(rank), "{events:#?}");
    let mut graph = ReferenceGraph::new(Schema::new(TimeUnit::Step));
    for event in events {
        graph.apply(event).unwrap_or_else(|reason| panic!("{event:?}: {reason}"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn the_fast_load_comes_to_what_the_slow_one_comes_to(pushes in pushes()) {
        let mut both = Both::new();
        if both.load("a", &pushes).is_some() {
            both.compare();
            in_order(&both.stores[1].view().events());
            both.reopen();
            both.compare();
        }
    }
}
