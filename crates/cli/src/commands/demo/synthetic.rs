//! A small made-up world for the demo where no history is at hand: an office whose people edit documents.
//!
//! | element | features |
//! |---|---|
//! | node `person` | `role` |
//! | node `project` | |
//! | node `document` | `kind`, `words`, `status` |
//! | edge person `member_of` project | |
//! | edge document `part_of` project | |
//! | edge document `cites` document | |
//! | edge person `edited` document | key: number of the edit |
//!
//! What can be learned: habits (people return to their own documents), groups (they stay in their project), pairs (a
//! partner takes up what the other has just left), the week (reports on Fridays, little at weekends), drift (people change
//! projects, one project ends, one begins). Documents that no person touches are deleted, a few of them come back.

mod office;

use timeweft::model::splitmix64;
use timeweft::{Event, Name, Time, Value};

pub(crate) use office::RELATION;

/// How large the world is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct World {
    /// Says which of all such worlds.
    pub(crate) seed: u64,
    /// People who work there.
    pub(crate) people: usize,
    /// Days that are told.
    pub(crate) days: usize,
}

impl Default for World {
    /// About 6,000 events.
    fn default() -> Self {
        World { seed: 1, people: 36, days: 112 }
    }
}

/// The history of a world, in order of time; times are seconds. Equal worlds have equal histories.
pub(crate) fn events(world: World) -> Vec<Event> {
    let mut office = office::Office::new(world);
    (0..world.days).for_each(|day| office.day(day));
    office.into_events()
}

/// First moment of the history: Monday 2025-01-06.
const START: i64 = 1_736_121_600;
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// Numbers drawn from a seed by counting: the same on every machine.
struct Dice {
    seed: u64,
    drawn: u64,
}

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.drawn += 1;
        (splitmix64(self.seed ^ splitmix64(self.drawn)) % n.max(1) as u64) as usize
    }

    fn percent(&mut self, share: usize) -> bool {
        self.below(100) < share
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len()))
    }
}

fn feature(name: &str, value: Value) -> (Name, Option<Value>) {
    (name.into(), Some(value))
}

/// A moment of a day.
fn moment(day: usize, second: i64) -> Time {
    Time(START + day as i64 * DAY + second)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use timeweft::{Action, Element};

    use super::*;

    #[test]
    fn equal_worlds_have_equal_histories_in_order_of_time() {
        let world = World::default();
        let first = events(world);
        assert_eq!(first, events(world));
        assert_ne!(first, events(World { seed: 2, ..world }));
        assert!(first.is_sorted_by_key(|event| event.time));
        assert!((5_000..8_000).contains(&first.len()), "{} events", first.len());
    }

    #[test]
    fn every_action_happens_to_nodes_and_edges() {
        let history = events(World::default());
        let count = |action: Action, node: bool| {
            let like = |event: &&Event| event.action == action && matches!(event.element, Element::Node(_)) == node;
            history.iter().filter(like).count()
        };
        for (action, node) in [(Action::Create, true), (Action::Update, true), (Action::Delete, true)] {
            assert!(count(action, node) > 10, "{action:?}");
        }
        assert!(count(Action::Create, false) > 3_000 && count(Action::Delete, false) > 10);
    }

    #[test]
    fn the_law_of_ingestion_refuses_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let mut graph = timeweft::Graph::create(dir.path(), timeweft::TimeUnit::Second).unwrap();
        let place = timeweft::load::Place { file: "synthetic".into(), line: 0 };
        let records = events(World::default()).into_iter().map(|event| Ok((event, place.clone())));
        let report = graph.load_events(timeweft::load::LoadRequest::new("office", "synthetic"), records).unwrap();
        assert_eq!(report.n_rejected, 0, "{:?}", report.rejects);
    }
}
