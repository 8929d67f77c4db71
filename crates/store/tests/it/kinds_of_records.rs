//! A load that is handed records of another kind of source rejects them and says what they are.

use timeweft_graph::{
    DeltaOptions, Element, ElementRef, IdRef, Interval, NodeSpan, NodeTypeId, Reason, Record, Reject, Sink, Time,
    ValueSpans,
};
use timeweft_store::LoadRequest;

use crate::world::{create, fresh, node};

/// A life, a node of a version, and an event, in lines 1 to 3.
fn push(sink: &mut dyn Sink) {
    let node_type = sink.schema().add_node_type(&"term".into()).unwrap_or(NodeTypeId(0));
    let (life, values) = (Interval::open(Time(0)), ValueSpans::default());
    sink.file(&"f".into());
    sink.record(Record::NodeSpan(NodeSpan { id: 1, node_type: 0, weight: None, life }, values), 1);
    sink.record(Record::Listed(ElementRef::Node(node_type, IdRef::Int(1)), &[]), 2);
    sink.record(Record::Event(create(1, Element::Node(node("a")))), 3);
}

fn told(rejects: &[Reject]) -> Vec<String> {
    rejects.iter().map(ToString::to_string).collect()
}

#[test]
fn a_load_of_intervals_takes_lives_and_rejects_all_else() {
    let (_dir, mut store) = fresh();
    let report = store.load_intervals(LoadRequest::new("ns", "test"), |sink| {
        push(sink);
        Ok(())
    });
    let report = report.unwrap();
    assert_eq!(report.accepted, 1);
    let version = "f:2: a record of a whole version does not belong into intervals: load the source as a whole version";
    let event = "f:3: an event does not belong into intervals: load the source as a stream of events";
    assert_eq!(told(&report.rejects), [version, event]);
}

#[test]
fn a_load_of_a_version_takes_what_it_lists_and_rejects_all_else() {
    let (_dir, mut store) = fresh();
    let request = LoadRequest::new("ns", "test").version("v1", Time(1));
    let report = store.load_version(request, DeltaOptions::default(), |sink| {
        push(sink);
        Ok(())
    });
    let report = report.unwrap();
    assert_eq!(report.accepted, 1);
    let life = "f:1: a lifetime does not belong into a whole version: load the source as a source of intervals";
    let event = "f:3: an event does not belong into a whole version: load the source as a stream of events";
    assert_eq!(told(&report.rejects), [life, event]);
}

#[test]
fn a_load_of_events_takes_events_and_rejects_all_else() {
    let version = "f:2: a record of a whole version does not belong into a stream of events: load the source as a whole \
                   version";
    let life = "f:1: a lifetime does not belong into a stream of events: load the source as a source of intervals";
    for way in 0..3 {
        let (_dir, mut store) = fresh();
        let request = LoadRequest::new("ns", "test");
        let report = match way {
            0 => store.load(request, |sink| {
                push(sink);
                Ok(())
            }),
            _ => store.load_stream(request, way == 1, |sink| {
                push(sink);
                Ok(())
            }),
        };
        let report = report.unwrap();
        assert_eq!((report.accepted, told(&report.rejects)), (1, vec![life.to_owned(), version.to_owned()]), "{way}");
    }
}

/// A stream that is given up and read again, or kept because it cannot be, loses no reject.
#[test]
fn what_a_stream_rejects_comes_through_a_second_reading() {
    for can_reread in [true, false] {
        let (_dir, mut store) = fresh();
        let request = LoadRequest { dangling: timeweft_graph::Dangling::Stub, ..LoadRequest::new("ns", "test") };
        let report = store.load_stream(request, can_reread, |sink| {
            sink.file(&"f".into());
            sink.record(Record::Event(create(5, Element::Node(node("a")))), 1);
            sink.reject(2, Reason::Malformed("odd".into()));
            sink.record(Record::Event(create(3, Element::Node(node("b")))), 3);
            Ok(())
        });
        let report = report.unwrap();
        assert_eq!((report.accepted, told(&report.rejects)), (2, vec!["f:2: odd".to_owned()]), "{can_reread}");
        assert!(report.order.sorted, "{can_reread}");
    }
}
