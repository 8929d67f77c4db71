//! The events of the log, read from its segments.

use timeweft_graph::{Commit, Event, Name, Place, Schema};

use crate::StoreError;
use crate::log::effective::{Effective, effective, units};
use crate::log::sorter::{LivesInOrder, MEMORY, Sorted, Sorter};
use crate::store::Store;

impl Store {
    /// Hands over the events of the log at a commit, in its order, each with its features by name: straight from the segments,
    /// whose checksums are compared. What was set aside, or taken back, is not among them. Takes the memory of a segment,
    /// and what sorting takes where loads are taken in together.
    ///
    /// # Errors
    /// If there is no such commit, or the log is damaged; and what `each` says.
    pub fn each_event<E: From<StoreError>>(
        &self,
        commit: Commit,
        each: &mut dyn FnMut(&Event) -> Result<(), E>,
    ) -> Result<(), E> {
        if commit > self.commit() {
            return Err(StoreError::UnknownCommit { asked: commit, newest: self.commit() }.into());
        }
        let schema = self.ledger.schema(commit)?;
        let mut failed = None;
        let mut hand_over = |event: &Event| {
            let mut event = event.clone();
            event.sort_features();
            each(&event).map_err(|error| {
                failed = Some(error);
                // Only ends the reading.
                StoreError::Poisoned
            })
        };
        let log = effective(&self.loads, commit);
        let read = units(&log).try_for_each(|unit| match unit {
            [entry] => self.events_of(*entry, &schema, &mut hand_over),
            unit => self.events_together(unit, &schema, &mut hand_over),
        });
        match failed {
            Some(error) => Err(error),
            None => Ok(read?),
        }
    }

    /// Hands over the events of a load, in order, their values in the kinds that a schema has for them. Those of many lives are
    /// sorted, on disk where they do not fit in memory.
    pub(crate) fn events_of(
        &self,
        entry: Effective,
        schema: &Schema,
        mut each: impl FnMut(&Event) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut of_lives = None;
        for segment in self.segments_of(entry) {
            let (bytes, place) = self.segment_bytes(segment)?;
            segment.read(&bytes, &place, schema, |rows| {
                if !segment.lives {
                    return rows.iter().try_for_each(|row| each(&row.to_event(schema)));
                }
                let lives = of_lives.get_or_insert_with(|| LivesInOrder::new(&self.scratch_dir()));
                rows.iter().try_for_each(|row| {
                    lives.push(&row.to_event(schema))?;
                    row.to_end(schema).map_or(Ok(()), |end| lives.push(&end))
                })
            })?;
        }
        of_lives.map_or(Ok(()), |lives| lives.each(each))
    }

    /// The events of loads in order of time, those of one time in the order of the loads; behind those of a version a mark.
    /// The line of a place is the position of the event in its load.
    pub(crate) fn gather(&self, unit: impl Iterator<Item = Effective>, schema: &Schema) -> Result<Sorted, StoreError> {
        let mut sorter = Sorter::new(&self.scratch_dir(), MEMORY);
        let file: Name = "".into();
        for (of, entry) in (0..).zip(unit) {
            let mut place = Place::new(&file, 0);
            self.events_of(entry, schema, |event| {
                sorter.push(event.time, of, &place, Some(event))?;
                place.line += 1;
                Ok(())
            })?;
            let record = self.record(entry.load)?;
            if let Some(at) = record.timestamp.filter(|_| record.is_version()) {
                sorter.push(at, of, &place, None)?;
            }
        }
        Ok(sorter.sort())
    }

    /// Hands over the events of loads that are taken in together.
    fn events_together(
        &self,
        unit: &[Effective],
        schema: &Schema,
        mut each: impl FnMut(&Event) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let sorted = self.gather(unit.iter().copied(), schema)?;
        let mut events = sorted.read()?;
        while let Some(item) = events.next()? {
            item.event.iter().try_for_each(&mut each)?;
        }
        Ok(())
    }
}
