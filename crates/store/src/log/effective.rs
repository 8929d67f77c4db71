//! The effective log: which loads make the graph at a commit, in which order.
//!
//! Records and segments are only ever added. Which events make the graph at a commit follows from the records up to it: a
//! load is appended; a rollback removes one; a back-dated load stands before another; a load with late events is taken in
//! together with those from a certain one on, in order of time.

use std::ops::Range;

use timeweft_graph::{Commit, LoadId};

use crate::load::LoadRecord;

/// A load of the effective log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Effective {
    /// Its number.
    pub load: LoadId,
    /// The load that wrote its events: itself, or one that changed them.
    pub written_by: LoadId,
    /// Whether its events are taken in together with those of the load before, in order of time.
    pub together: bool,
}

/// The effective log at a commit.
pub(crate) fn effective(loads: &[LoadRecord], commit: Commit) -> Vec<Effective> {
    let mut log: Vec<Effective> = Vec::with_capacity(loads.len());
    for record in loads.iter().take_while(|record| record.commit <= commit) {
        let own = Effective { load: record.id, written_by: record.id, together: false };
        match (record.undoes, record.before) {
            (Some(undone), _) => take_out(&mut log, undone),
            (None, None) => log.push(own),
            (None, Some(before)) => put_before(&mut log, before, own),
        }
        if let Some(at) = record.since.and_then(|since| log.iter().position(|entry| entry.load == since)) {
            log[at + 1..].iter_mut().for_each(|entry| entry.together = true);
        }
        if !record.replaced.is_empty() {
            let replaced = log.iter_mut().filter(|entry| record.replaced.contains(&entry.load));
            replaced.for_each(|entry| entry.written_by = record.id);
        }
    }
    log
}

fn take_out(log: &mut Vec<Effective>, load: LoadId) {
    let Some(at) = log.iter().position(|entry| entry.load == load) else { return };
    let first = !log.remove(at).together;
    if let Some(next) = log.get_mut(at).filter(|_| first) {
        next.together = false;
    }
}

/// What is put before one of several loads that are taken in together is taken in together with them.
fn put_before(log: &mut Vec<Effective>, before: LoadId, own: Effective) {
    let at = log.iter().position(|entry| entry.load == before).unwrap_or(log.len());
    let together = log.get(at).is_some_and(|entry| entry.together);
    let among = together || log.get(at + 1).is_some_and(|next| next.together);
    log.insert(at, Effective { together, ..own });
    if let Some(next) = log.get_mut(at + 1) {
        next.together = among;
    }
}

/// The parts of a log: loads that are taken in one after the other, or several together.
pub(crate) fn units(log: &[Effective]) -> impl Iterator<Item = &[Effective]> {
    log.chunk_by(|_, next| next.together)
}

/// Where the loads begin and end with which the load at a place is taken in together.
pub(crate) fn unit_at(log: &[Effective], at: usize) -> Range<usize> {
    let start = (0..=at).rev().find(|&at| log.get(at).is_none_or(|entry| !entry.together)).unwrap_or(0);
    let more = log.iter().skip(at + 1).take_while(|entry| entry.together).count();
    start..(at + 1 + more).min(log.len())
}
