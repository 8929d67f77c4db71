//! A load that is handed records of another kind of source rejects them and says what they are.

use timeweft_graph::{
    DeltaOptions, Element, ElementRef, IdRef, Interval, NodeSpan, NodeTypeId, Record, Reject, Sink, Time, ValueSpans,
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
