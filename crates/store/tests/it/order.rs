//! Streams in any order of time, and loads with late events.

use proptest::prelude::*;
use timeweft_graph::{
    Action, At, Commit, Dangling, DeltaOptions, Element, Event, GraphView, LoadId, Place, Reason, Schema, Time, Value,
};
use timeweft_oracle::ReferenceGraph;
use timeweft_oracle::histories::histories;
use timeweft_store::{Late, LoadReport, LoadRequest, Repeats, Store, StoreError};

use crate::world::{
    answers, create, edge, edge_lives, fresh, life, lives, load_version, node, place, records, version,
};

/// Loads events as a source that can be read again, or as one that cannot.
fn stream_as(
    store: &mut Store,
    request: LoadRequest,
    events: &[Event],
    can_reread: bool,
) -> Result<LoadReport, StoreError> {
    let mut is_read = false;
    store.load_stream(request, can_reread, |sink| {
        assert!(can_reread || !std::mem::replace(&mut is_read, true), "it is read once");
        records(events)(sink)
    })
}

pub(crate) fn stream(store: &mut Store, request: LoadRequest, events: &[Event]) -> Result<LoadReport, StoreError> {
    stream_as(store, request, events, true)
}

fn plain() -> LoadRequest {
    LoadRequest::new("ns", "test")
}

/// A stream of interactions.
fn interactions() -> LoadRequest {
    LoadRequest { dangling: Dangling::Stub, repeats: Repeats::Parallel, ..plain() }
}

/// Sorted by time, ties in their order; the features of an event by name, as the store sorts them.
fn sorted(events: &[Event]) -> Vec<Event> {
    let mut events = events.to_vec();
    events.iter_mut().for_each(|event| event.features.sort_by(|a, b| a.0.cmp(&b.0)));
    events.sort_by_key(|event| event.time);
    events
}

fn reference(events: &[Event]) -> ReferenceGraph {
    let mut graph = ReferenceGraph::new(Schema::default());
    sorted(events).iter().for_each(|event| _ = graph.apply(event));
    graph
}

/// Every answer but for the log and the order in which types and merges came up.
fn told(view: &dyn GraphView, events: &[Event]) -> Vec<String> {
    let mut all = answers(view, events);
    let mut merges: Vec<String> = view.merges().iter().map(|merge| format!("{merge:?}")).collect();
    merges.sort();
    all[0] = merges.concat();
    all
}

#[track_caller]
fn assert_told(left: &dyn GraphView, right: &dyn GraphView, events: &[Event]) {
    let (left, right) = (told(left, events), told(right, events));
    let differs = left.iter().zip(&right).find(|(left, right)| left != right);
    assert!(differs.is_none() && left.len() == right.len(), "{differs:#?}");
}

/// The events that a load accepted.
fn accepted(events: &[Event], loaded: &Result<LoadReport, StoreError>) -> Vec<Event> {
    let rejects = match loaded {
        Ok(report) => &report.rejects,
        Err(StoreError::NothingAccepted(report)) => &report.rejects,
        Err(other) => panic!("{other}"),
    };
    let lines: Vec<u64> = rejects.iter().map(|reject| reject.place.line).collect();
    (1..).zip(events).filter(|(line, _)| !lines.contains(line)).map(|(_, event)| event.clone()).collect()
}

/// The end of a feature that no type has yet is left out of the log, so it says nothing to an earlier value either.
fn without_ends(mut events: Vec<Event>) -> Vec<Event> {
    events.iter_mut().for_each(|event| event.features.retain(|(_, value)| value.is_some()));
    events
}

fn part_of(events: &[Event], parts: &[usize], part: usize) -> Vec<Event> {
    let own = events.iter().zip(parts.iter().cycle()).filter(|(_, of)| **of == part);
    own.map(|(event, _)| event.clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the order of the events, the graph is that of the events in order of time.
    #[test]
    fn a_stream_loads_as_if_sorted(events in histories(), shuffle in any::<u64>(), can_rewind in any::<bool>()) {
        let mut events = events;
        if shuffle % 2 == 0 {
            events.sort_by_key(|event| event.time.0.wrapping_mul(shuffle as i64 | 1));
        }
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::create(dir.path(), Schema::default()).unwrap();
        let loaded = stream_as(&mut store, plain(), &events, can_rewind);
        let expected = reference(&events);
        assert_told(&*store.view(), &expected, &events);
        if let Ok(report) = loaded {
            prop_assert_eq!(report.accepted as usize, expected.events().len());
            let lines: Vec<u64> = report.rejects.iter().map(|reject| reject.place.line).collect();
            prop_assert!(lines.is_sorted(), "rejects stand in the order of the source: {:?}", lines);
        }
    }

    /// A history that is split among loads in any way comes to the events that the loads accepted, in order of time; every
    /// commit stays as it was; and without one of the loads it comes to those of the others.
    #[test]
    fn loads_in_any_order_come_to_the_history_in_order_of_time(
        events in histories(), parts in proptest::collection::vec(0..4usize, 1..40), undone in 0..4usize,
    ) {
        let events = without_ends(events);
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::create(dir.path(), Schema::default()).unwrap();
        let (mut taken, mut commits) = (Vec::new(), Vec::new());
        for part in 0..4 {
            let own = part_of(&events, &parts, part);
            let loaded = stream(&mut store, plain(), &own);
            if loaded.is_ok() {
                taken.push(accepted(&own, &loaded));
                commits.push((store.commit(), told(&*store.view(), &events)));
            }
            assert_told(&*store.view(), &reference(&taken.concat()), &events);
        }
        let check = |store: &Store| {
            for (commit, expected) in &commits {
                let view = store.view_at(*commit).unwrap();
                assert_eq!(&told(&*view, &events), expected, "{commit:?}");
            }
        };
        check(&store);
        drop(store);
        let mut store = Store::open(dir.path()).unwrap();
        check(&store);
        store.verify().unwrap();
        if undone < taken.len() {
            store.rollback(LoadId(undone as u64 + 1)).unwrap();
            taken.remove(undone);
            assert_told(&*store.view(), &reference(&taken.concat()), &events);
            check(&store);
            drop(store);
            let mut store = Store::open(dir.path()).unwrap();
            assert_told(&*store.view(), &reference(&taken.concat()), &events);
            store.verify().unwrap();
        }
    }

    /// Interactions: the same nodes and edges, but for the keys of parallel ones.
    #[test]
    fn interactions_in_any_order_and_any_loads_are_those_of_one_sorted_load(
        pairs in proptest::collection::vec((0..4u8, 0..4u8, 0..20i64), 1..40), parts in proptest::collection::vec(0..3usize, 1..40),
    ) {
        let interaction = |(number, (from, to, time)): (usize, &(u8, u8, i64))| {
            let edge = Element::Edge(edge("", &format!("u{from}"), &format!("i{to}")));
            create(*time, edge).with(vec![("row".into(), Some(Value::number(number as f64)))])
        };
        let events: Vec<Event> = pairs.iter().enumerate().map(interaction).collect();
        let summary = |store: &Store| {
            let view = store.view();
            let mut edges: Vec<String> = view.edges(None, At::now()).into_iter()
                .map(|edge| format!("{} {} {:?} {:?}", edge.key.source, edge.key.destination, edge.life.created, edge.features)).collect();
            edges.sort();
            let nodes: Vec<String> = view.nodes(None, At::now()).iter().map(|node| format!("{} {:?}", node.key, view.node_history(&node.key))).collect();
            (nodes, edges)
        };
        let (_dir, mut one) = fresh();
        one.load(interactions(), crate::world::records(&sorted(&events))).unwrap();
        let (_other_dir, mut shuffled) = fresh();
        let report = stream(&mut shuffled, interactions(), &events).unwrap();
        prop_assert_eq!(report.n_rejected, 0);
        prop_assert_eq!(answers(&*shuffled.view(), &events), answers(&*one.view(), &events), "the same graph, log and all");
        let (_third_dir, mut split) = fresh();
        for part in 0..3 {
            let own = part_of(&events, &parts, part);
            if !own.is_empty() {
                let report = stream(&mut split, interactions(), &own).unwrap();
                prop_assert_eq!((report.n_rejected, report.later.n_dropped), (0, 0));
            }
        }
        prop_assert_eq!(summary(&split), summary(&one));
        prop_assert_eq!(split.view().counts(At::now()).edges, events.len());
        split.verify().unwrap();
    }
}

#[test]
fn unsorted_interactions_load_as_sorted_ones() {
    let (_dir, mut store) = fresh();
    let rows = [(20, "u1", "i1"), (10, "u1", "i2"), (10, "u2", "i1"), (10, "u3", "i3")];
    let events = rows.map(|(time, from, to)| create(time, Element::Edge(edge("", from, to))));
    let report = stream(&mut store, interactions(), &events).unwrap();
    assert_eq!((report.counts.edges.created, report.n_rejected, report.order.sorted), (4, 0, true));
    assert_eq!(lives(&*store.view(), "u1"), [life(10, None)]);
    let report = stream(&mut store, interactions(), &sorted(&events)).unwrap();
    assert!(!report.order.sorted && report.order.placed == 0, "{report:?}");
}

fn update(time: i64, id: &str, number: f64) -> Event {
    Event::new(Time(time), Action::Update, Element::Node(node(id)))
        .with(vec![("x".into(), Some(Value::number(number)))])
}

fn x_at(store: &Store, time: i64) -> Option<Value> {
    let state = store.view().node(&node("a"), At::time(Time(time)))?;
    state.features.into_iter().next().map(|(_, value)| value)
}

#[test]
fn a_late_update_holds_until_the_next_one() {
    let (_dir, mut store) = fresh();
    let first = [create(1, Element::Node(node("a"))), update(7, "a", 7.0)];
    stream(&mut store, plain(), &first).unwrap();
    let pinned = store.view();
    let late = [update(5, "a", 5.0)];
    let refused = stream(&mut store, LoadRequest { late: Late::Reject, ..plain() }, &late);
    let Err(StoreError::NothingAccepted(report)) = refused else { panic!("{refused:?}") };
    assert!(matches!(report.rejects[0].reason, Reason::OutOfOrder { .. }) && report.order.refused == 1);
    let report = stream(&mut store, plain(), &late).unwrap();
    assert_eq!((report.order.placed, report.n_rejected, report.later.replaced.len()), (1, 0, 0));
    let seen = [4, 5, 6, 7].map(|time| x_at(&store, time));
    assert_eq!(seen, [None, Some(Value::number(5.0)), Some(Value::number(5.0)), Some(Value::number(7.0))]);
    assert_eq!(pinned.node(&node("a"), At::time(Time(5))).unwrap().features, [].into());
    let record = &store.loads()[1];
    assert_eq!((record.since, record.aside), (Some(LoadId(1)), None));
}

#[test]
fn an_event_that_no_longer_fits_is_set_aside_and_comes_back() {
    let (_dir, mut store) = fresh();
    stream(&mut store, plain(), &[create(1, Element::Node(node("a"))), update(7, "a", 7.0)]).unwrap();
    let gone = Event::new(Time(5), Action::Delete, Element::Node(node("a")));
    let report = stream(&mut store, plain(), &[gone]).unwrap();
    assert_eq!((report.order.placed, report.later.n_dropped), (1, 1));
    assert_eq!((report.later.dropped[0].load, report.later.replaced.clone()), (LoadId(1), vec![LoadId(1)]));
    assert_eq!(lives(&*store.view(), "a"), [life(1, Some(5))]);
    // Its node is created again before it.
    let report = stream(&mut store, plain(), &[create(6, Element::Node(node("a")))]).unwrap();
    assert_eq!((report.later.n_dropped, report.later.replaced.clone()), (0, vec![LoadId(1)]));
    assert_eq!(lives(&*store.view(), "a"), [life(1, Some(5)), life(6, None)]);
    assert_eq!(x_at(&store, 7), Some(Value::number(7.0)));
    store.rollback(LoadId(2)).unwrap();
    assert_eq!(lives(&*store.view(), "a"), [life(1, None)]);
    assert_eq!(store.view_at(Commit(2)).unwrap().node_history(&node("a")).len(), 1);
    store.verify().unwrap();
}

/// A stub is born when it is first needed, also by a later load; a node of which its birth says something is not.
#[test]
fn a_stub_is_born_when_it_is_first_needed() {
    let (_dir, mut store) = fresh();
    let named = vec![("name".into(), Some(Value::text("n")))];
    let first = [create(10, Element::Edge(edge("", "z", "b"))), create(10, Element::Node(node("told"))).with(named)];
    stream(&mut store, interactions(), &first).unwrap();
    let late = [create(5, Element::Edge(edge("", "z", "c"))), create(5, Element::Edge(edge("", "told", "c")))];
    let report = stream(&mut store, interactions(), &late).unwrap();
    assert_eq!((report.n_rejected, report.order.placed, report.order.refused), (1, 1, 1));
    assert!(report.rejects[0].to_string().contains("00.005Z is before"), "{}", report.rejects[0]);
    // That a stub is born earlier takes nothing away from the load that brought it first.
    assert_eq!((report.later.n_dropped, report.later.replaced.clone()), (0, vec![LoadId(1)]));
    assert_eq!(lives(&*store.view(), "z"), [life(5, None)]);
    assert_eq!(lives(&*store.view(), "told"), [life(10, None)]);
    store.rollback(LoadId(2)).unwrap();
    assert_eq!(lives(&*store.view(), "z"), [life(10, None)]);
    // Of another owner nothing is moved.
    let request = LoadRequest { namespace: "other".into(), ..interactions() };
    let refused = stream(&mut store, request, &[create(5, Element::Edge(edge("", "z", "c")))]);
    assert!(matches!(refused, Err(StoreError::NothingAccepted(_))), "{refused:?}");
}

/// A stub stands in for what nothing creates: what the stream itself creates later is not there before.
#[test]
fn a_stub_does_not_stand_in_for_a_node_that_the_stream_creates() {
    let stub = LoadRequest { dangling: Dangling::Stub, ..plain() };
    let born = create(10, Element::Node(node("a"))).with(vec![("name".into(), Some(Value::text("n")))]);
    let early = create(5, Element::Edge(edge("", "zombie", "a")));
    for events in [[born.clone(), early.clone()], [early, born]] {
        for can_rewind in [true, false] {
            let (_dir, mut store) = fresh();
            let report = stream_as(&mut store, stub.clone(), &events, can_rewind).unwrap();
            assert_eq!((report.accepted, report.n_rejected, report.counts.stubs), (1, 1, 0));
            assert!(report.rejects[0].to_string().contains("00.005Z is before"), "{}", report.rejects[0]);
            assert_eq!((lives(&*store.view(), "a"), lives(&*store.view(), "zombie")), (vec![life(10, None)], vec![]));
        }
    }
}

/// The versions of the namespace lead where they led, whatever comes between them.
#[test]
fn versions_after_late_events_come_to_the_same_state() {
    let (dir, mut store) = fresh();
    let bring = |store: &mut Store, time: i64, lines: &[&str], back_dated: bool| {
        let request = plain().version(&format!("v{time}"), Time(time));
        load_version(store, LoadRequest { back_dated, ..request }, version(lines), DeltaOptions::default()).unwrap()
    };
    bring(&mut store, 10, &["n a 1", "n b 1"], false);
    bring(&mut store, 20, &["n a 1", "n b 2"], false);
    let data = |number: i64| vec![("data".into(), Some(Value::Json(number.into())))];
    let between = [
        Event::new(Time(15), Action::Update, Element::Node(node("b"))).with(data(9)),
        Event::new(Time(16), Action::Delete, Element::Node(node("a"))),
    ];
    let report = stream(&mut store, plain(), &between).unwrap();
    assert_eq!((report.order.placed, report.n_rejected), (2, 0), "{report:?}");
    assert_eq!(report.later.replaced, [LoadId(2)]);
    let value = |store: &Store, id: &str, time: i64| {
        let state = store.view().node(&node(id), At::time(Time(time)))?;
        state.features.into_iter().next().map(|(_, value)| value.to_string())
    };
    let seen = |store: &Store| [14, 15, 16, 20].map(|time| (value(store, "a", time), value(store, "b", time)));
    let some = |text: &str| Some(text.to_string());
    let expected = [(some("1"), some("1")), (some("1"), some("9")), (None, some("9")), (some("1"), some("2"))];
    assert_eq!(seen(&store), expected);
    // A version between goes in among them, and out again.
    bring(&mut store, 12, &["n a 1", "n b 5"], true);
    assert_eq!(
        (value(&store, "b", 12), value(&store, "b", 15), value(&store, "b", 20)),
        (some("5"), some("9"), some("2"))
    );
    store.rollback(LoadId(4)).unwrap();
    assert_eq!(seen(&store), expected);
    store.rollback(LoadId(3)).unwrap();
    assert_eq!(
        (value(&store, "a", 16), value(&store, "b", 15), value(&store, "b", 20)),
        (some("1"), some("1"), some("2"))
    );
    drop(store);
    let mut store = Store::open(dir.path()).unwrap();
    assert_eq!(value(&store, "b", 15), some("1"));
    store.verify().unwrap();
}

#[test]
fn a_snapshot_of_loads_among_which_others_came_is_not_used() {
    let (dir, mut store) = fresh();
    let nodes: Vec<Event> = ["a", "b"].map(|id| create(1, Element::Node(node(id)))).to_vec();
    stream(&mut store, plain(), &nodes).unwrap();
    stream(&mut store, plain(), &[create(9, Element::Edge(edge("", "a", "b")))]).unwrap();
    store.write_snapshot().unwrap();
    let gone = Event::new(Time(5), Action::Delete, Element::Node(node("b")));
    let report = stream(&mut store, plain(), &[gone]).unwrap();
    assert_eq!((report.order.placed, report.later.n_dropped), (1, 1));
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(edge_lives(&*store.view(), &edge("", "a", "b")), []);
    assert_eq!(lives(&*store.view(), "b"), [life(1, Some(5))]);
    store.write_snapshot().unwrap();
    drop(store);
    let mut store = Store::open(dir.path()).unwrap();
    assert_eq!(lives(&*store.view(), "b"), [life(1, Some(5))]);
    store.verify().unwrap();
}

#[test]
fn what_cannot_be_read_or_does_not_fit_keeps_its_place() {
    let (_dir, mut store) = fresh();
    let events = [
        create(20, Element::Edge(edge("", "a", "b"))),
        create(10, Element::Node(node("a"))),
        create(10, Element::Node(node("b"))),
        create(5, Element::Edge(edge("", "a", "b"))),
    ];
    // Under the policy that refuses loads, only what dangles in order of time does.
    let request = LoadRequest { dangling: Dangling::Reject, ..plain() };
    let refused = stream(&mut store, request.clone(), &events);
    assert!(matches!(&refused, Err(StoreError::Dangling(reject)) if reject.place == place(4)), "{refused:?}");
    let report = stream(&mut store, LoadRequest { max_rejects: Some(1), ..plain() }, &events).unwrap();
    let rejects: Vec<&Place> = report.rejects.iter().map(|reject| &reject.place).collect();
    assert_eq!((report.accepted, rejects), (3, vec![&place(4)]));
    // With the policy that keeps the order, it is that of the source.
    let (_dir, mut store) = fresh();
    let report = stream(&mut store, LoadRequest { late: Late::Reject, ..plain() }, &events).unwrap();
    assert_eq!((report.accepted, report.n_rejected, report.order.sorted), (2, 2, false));
}

#[test]
fn rejects_of_late_events_come_in_the_order_of_the_source() {
    let (_dir, mut store) = fresh();
    stream(&mut store, plain(), &[create(1, Element::Node(node("a"))), update(7, "a", 7.0)]).unwrap();
    let dangling = |time, id: &str| create(time, Element::Edge(edge("", "a", id)));
    let late = [dangling(9, "y"), update(5, "a", 5.0), dangling(6, "z")];
    let report = stream(&mut store, plain(), &late).unwrap();
    let rejects: Vec<&Place> = report.rejects.iter().map(|reject| &reject.place).collect();
    assert_eq!((report.order.placed, rejects), (1, vec![&place(1), &place(3)]));
}

#[test]
fn the_same_stream_again_under_its_version_is_no_load_whatever_its_order() {
    let (_dir, mut store) = fresh();
    let events = [create(20, Element::Edge(edge("", "a", "b"))), create(10, Element::Edge(edge("", "a", "c")))];
    let request = LoadRequest { version: Some("v".into()), ..interactions() };
    for can_rewind in [true, false] {
        let report = stream_as(&mut store, request.clone(), &events, can_rewind).unwrap();
        assert_eq!(report.unchanged, !can_rewind);
    }
    let others = sorted(&events);
    assert!(matches!(stream(&mut store, request, &others), Err(StoreError::VersionTaken { .. })));
}

/// Long enough that reading is ahead of taking in when the first try is given up.
#[test]
fn a_long_stream_that_must_be_sorted_is_read_to_its_end() {
    const EVENTS: i64 = 20_000;
    let name = |at: i64| format!("n{at}");
    let events: Vec<Event> =
        (0..EVENTS).map(|at| create(if at == 1 { 0 } else { at + 10 }, Element::Node(node(&name(at))))).collect();
    for can_reread in [true, false] {
        let (_dir, mut store) = fresh();
        let report = stream_as(&mut store, interactions(), &events, can_reread).unwrap();
        assert_eq!((report.accepted, report.order.sorted), (EVENTS as u64, true), "{can_reread}");
        assert!(store.view().node(&node(&name(EVENTS - 1)), At::now()).is_some(), "{can_reread}");
    }
}
