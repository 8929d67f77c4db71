//! Loads that are taken in together: their events in order of time, and at one time in the order of the loads.

use timeweft_graph::{LoadId, Time};
use timeweft_index::Index;

use super::{Member, Splice};
use crate::StoreError;
use crate::log::effective::Effective;
use crate::log::sorter::Item;

/// How loads are taken in together again.
#[derive(Default)]
pub(crate) struct Together<'g> {
    /// What is before this time, and at it of loads before this one, is in the graph already.
    pub(crate) from: Option<(Time, u32)>,
    /// A load that is taken out.
    pub(crate) without: Option<LoadId>,
    /// A new load whose events come between.
    pub(crate) guest: Option<&'g mut dyn Guest>,
}

/// The events of a new load, in order of time.
pub(crate) trait Guest {
    /// Time of the next one.
    fn time(&self) -> Option<Time>;
    /// Takes it in.
    fn take(&mut self, graph: &mut Index) -> Result<(), StoreError>;
}

impl Splice<'_> {
    /// Applies loads together again.
    pub(crate) fn together(&mut self, unit: &[Effective], how: &mut Together<'_>) -> Result<(), StoreError> {
        let members = unit.iter().map(|entry| self.store.member(*entry));
        let mut members = members.collect::<Result<Vec<_>, _>>()?;
        let sorted = self.store.gather(members.iter().map(|member| member.own.entry), self.trial.schema())?;
        let mut events = sorted.read()?;
        loop {
            self.go_on()?;
            // At one time the new load is the last one.
            if let Some(guest) = &mut how.guest
                && guest.time().is_some_and(|time| events.time().is_none_or(|next| time < next))
            {
                guest.take(&mut self.trial)?;
                continue;
            }
            let Some(item) = events.next()? else { break };
            let Some(member) = members.get_mut(item.of as usize) else { continue };
            if how.from.is_some_and(|from| (item.time, item.of) < from) {
                member.refused.extend(member.own.aside.get(&item.place.line));
            } else {
                self.item(member, &item, how.without)?;
            }
        }
        let kept = members.iter().filter(|member| Some(member.entry.load) != how.without && !self.derives(member));
        kept.collect::<Vec<_>>().into_iter().try_for_each(|member| self.settle(member))
    }

    /// Whether the events of a load are derived anew.
    fn derives(&self, member: &Member<'_>) -> bool {
        self.original.is_some() && member.record.is_version()
    }

    fn item(&mut self, member: &mut Member<'_>, item: &Item, without: Option<LoadId>) -> Result<(), StoreError> {
        let is_taken_out = Some(member.entry.load) == without;
        let Some(event) = &item.event else {
            if !is_taken_out
                && self.derives(member)
                && let Some(original) = self.original.take()
            {
                self.derive(member.entry, member.record, item.time, &original)?;
                self.original = Some(original);
            }
            return Ok(());
        };
        let position = item.place.line;
        if let Some(original) = &mut self.original
            && !member.own.aside.contains(&position)
        {
            let applied = original.apply(event, &member.record.namespace);
            applied.map_err(|reason| self.store.cannot_replay(member.entry.load, &reason))?;
        }
        if !is_taken_out && !self.derives(member) {
            self.try_event(member, position, event);
        }
        Ok(())
    }
}
