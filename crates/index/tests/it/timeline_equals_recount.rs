//! Counts by bisection are those of a look at all lives.

use std::collections::BTreeSet;

use proptest::prelude::*;
use timeweft_graph::{At, Deletes, EdgeKey, Element, Event, GraphView, Life, NodeTypeId, Schema, Time};
use timeweft_index::{Index, Timeline};
use timeweft_oracle::ReferenceGraph;
use timeweft_oracle::histories::{histories, node_keys, probe_times};

use crate::event_builders::apply;
use crate::random_lives::{SCALES, World};

/// When features changed within a life.
fn changes(life: &Life) -> BTreeSet<Time> {
    let ends = life.features.iter().flat_map(|span| [span.interval.created, span.interval.removed]);
    ends.filter(|time| *time > life.interval.created && *time < life.interval.removed).collect()
}

/// A look at every life, for every span.
fn recount(lives: &[Life], borders: &[Time]) -> Timeline {
    let count = |times: &[Time]| -> Vec<u64> {
        let within = |pair: &[Time]| times.iter().filter(|time| pair[0] <= **time && **time < pair[1]).count() as u64;
        borders.windows(2).map(within).collect()
    };
    let times = |of: &dyn Fn(&Life) -> Vec<Time>| lives.iter().flat_map(of).collect::<Vec<_>>();
    Timeline {
        borders: borders.to_vec(),
        created: count(&times(&|life| vec![life.interval.created])),
        updated: count(&times(&|life| changes(life).into_iter().collect())),
        removed: count(&times(&|life| vec![life.interval.removed])),
    }
}

fn built(events: &[Event]) -> (ReferenceGraph, Index) {
    let (mut reference, mut index) = (ReferenceGraph::new(Schema::default()), Index::new(Schema::default()));
    for event in events {
        assert_eq!(apply(&mut index, event), reference.apply(event));
    }
    (reference, index)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn spans_have_what_all_lives_say(events in histories(), from in -3i64..14, width in 0i64..20, bins in 1usize..9) {
        let (reference, index) = built(&events);
        let edges: BTreeSet<EdgeKey> = events.iter().filter_map(|event| match &event.element {
            Element::Edge(key) => Some(key.clone()),
            _ => None,
        }).collect();
        let nodes = node_keys().into_iter().map(|key| (key.node_type.clone(), reference.node_history(&key)));
        let nodes: Vec<_> = nodes.collect();
        let (from, to) = (Time(from), Time(from + width));
        let mut all: Vec<Life> = nodes.iter().flat_map(|(_, lives)| lives.clone()).collect();
        all.extend(edges.iter().flat_map(|key| reference.edge_history(key)));
        let timeline = index.timeline(from, to, bins, None);
        prop_assert_eq!(timeline.borders.len(), bins.min(width as usize + 1) + 1);
        prop_assert_eq!((timeline.borders[0], *timeline.borders.last().unwrap()), (from, Time(to.0 + 1)));
        prop_assert_eq!(&timeline, &recount(&all, &timeline.borders));
        for of_type in (0..index.schema().node_types().len() as u16).map(NodeTypeId) {
            let name = index.schema().node_type_name(of_type);
            let own: Vec<Life> =
                nodes.iter().filter(|(known, _)| *known == name).flat_map(|(_, lives)| lives.clone()).collect();
            prop_assert_eq!(index.timeline(from, to, bins, Some(&[of_type])), recount(&own, &timeline.borders));
        }
        prop_assert_eq!(index.tallied_span(), index.event_span());
        for time in probe_times(&events) {
            for deletes in [Deletes::Hard, Deletes::Soft] {
                let at = At { time, deletes };
                prop_assert_eq!(index.tallied_counts(at), index.counts_by_type(at), "{:?}", at);
            }
        }
    }
}

#[test]
fn counts_follow_what_is_taken_in() {
    let world = World::restless(5, SCALES[0], 12, 900);
    let mut index = Index::new(crate::random_lives::schema());
    for (at, event) in world.events.iter().enumerate() {
        apply(&mut index, event).unwrap();
        if at % 90 == 0 {
            let now = At::time(event.time);
            assert_eq!(index.tallied_counts(now), index.counts_by_type(now));
        }
    }
}
