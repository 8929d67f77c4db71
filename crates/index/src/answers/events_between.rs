//! The events of a span of time, in order of time: what makes the graph again, one event after the other.
//!
//! Slow reference: [`GraphView::events`](timeweft_graph::GraphView::events), sorted by time.

use timeweft_graph::{EdgeIndex, Event, Interval, Time};

use crate::Index;
use crate::answers::fact::time_of;
use crate::elements::events::Subject;
use crate::elements::life::LifeRecord;

impl Index {
    /// Positions in the log of the events with a time in `[from, until)`, by (time, position). [`Time::FOREVER`] is no end:
    /// nothing happens then. [`Index::event_at`] gives each event; no event is made here.
    pub fn event_positions(&self, from: Time, until: Time) -> Vec<u32> {
        let (mut positions, mut latest, mut is_sorted) = (Vec::new(), Time::MIN, true);
        for position in 0..self.events.len() as u32 {
            let time = self.event_time(position);
            if time >= from && (time < until || until == Time::FOREVER) {
                is_sorted &= latest <= time;
                latest = time;
                positions.push(position);
            }
        }
        if !is_sorted {
            // A time is read once for each event, not once for each comparison.
            let mut timed: Vec<_> = positions.iter().map(|&position| (self.event_time(position), position)).collect();
            timed.sort_unstable();
            positions.iter_mut().zip(timed).for_each(|(place, (_, position))| *place = position);
        }
        positions
    }

    /// The events with a time in `[from, until)`, by (time, position in the log), each made when it is asked for: besides it
    /// there are four bytes for each event of the span. Loaded in this order, all of them make the graph again.
    ///
    /// ```
    /// use timeweft_graph::{Schema, Time};
    /// use timeweft_index::Index;
    ///
    /// let index = Index::new(Schema::default());
    /// assert_eq!(index.events_between(Time::MIN, Time::FOREVER).len(), 0);
    /// ```
    pub fn events_between(&self, from: Time, until: Time) -> impl ExactSizeIterator<Item = Event> + '_ {
        self.event_positions(from, until).into_iter().map(|position| self.event(position))
    }

    /// The times of the first and the last event. Lives are read one after the other, not event by event.
    pub fn event_span(&self) -> Option<(Time, Time)> {
        let mut span: Option<(Time, Time)> = None;
        let mut take_in = |time: Time| {
            span = Some(span.map_or((time, time), |(first, last)| (first.min(time), last.max(time))));
        };
        let nodes = self.nodes.lives.iter().map(|life| life.interval);
        let (edges, merges) = (self.edges.lives.iter().map(LifeRecord::interval), self.merges.all.iter());
        for Interval { created, removed } in nodes.chain(merges.map(|merge| merge.interval)).chain(edges) {
            take_in(created);
            if removed != Time::FOREVER {
                take_in(removed);
            }
        }
        self.events.payload_times().for_each(take_in);
        span
    }

    /// When the event at a position of the log happened.
    fn event_time(&self, position: u32) -> Time {
        let entry = self.events.get(position);
        let interval = match entry.subject {
            Subject::Node(life) => self.nodes.lives[life as usize].interval,
            Subject::Edge(life) => self.edges.get(EdgeIndex(life)).interval,
            Subject::Merge(merge) => self.merges.all[merge as usize].interval,
        };
        time_of(entry.action, interval, entry.updated)
    }
}
