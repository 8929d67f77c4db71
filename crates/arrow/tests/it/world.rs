//! Graphs of random histories.

use tempfile::TempDir;
use timeweft::load::{LoadRequest, Place};
use timeweft::{Event, Graph, Time, TimeUnit};
use timeweft_oracle::histories::probe_times;

/// A graph that took in what it accepts of some events. Hold the folder as long as the graph.
pub(crate) fn graph(events: &[Event], unit: TimeUnit) -> (TempDir, Graph) {
    let dir = tempfile::tempdir().unwrap();
    let mut graph = Graph::create(dir.path().join("g"), unit).unwrap();
    load(&mut graph, events);
    (dir, graph)
}

/// Loads events; those that do not fit are left out.
pub(crate) fn load(graph: &mut Graph, events: &[Event]) {
    let placed = (1..).zip(events).map(|(line, event)| {
        let place = Place { file: "test".into(), line };
        Ok((event.clone(), place))
    });
    // Nothing accepted is no graph's fault.
    let _ = graph.load_events(LoadRequest::new("events", "test"), placed);
}

/// A few moments at which answers differ, the end of time among them.
pub(crate) fn moments(events: &[Event]) -> Vec<Time> {
    let all = probe_times(events);
    let step = all.len().div_ceil(7).max(1);
    all.iter().copied().step_by(step).chain([Time::FOREVER]).collect()
}
