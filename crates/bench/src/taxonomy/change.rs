//! From one release to the next, as curators work.

use std::collections::BTreeMap;

use super::{Draws, NON_HIERARCHICAL, ROOT, Release, Taxon};

/// The work from one release to the next.
pub(super) struct Change<'a> {
    pub(super) release: Release,
    draws: &'a mut Draws,
    /// Ids live before.
    pub(super) live: Vec<u32>,
    n_children: Vec<u32>,
}

impl<'a> Change<'a> {
    pub(super) fn new(release: Release, draws: &'a mut Draws) -> Self {
        let live: Vec<u32> = release.live().map(|(id, _)| id).collect();
        let mut n_children = vec![0; release.taxa.len()];
        release.live().for_each(|(_, taxon)| n_children[taxon.parent as usize] += 1);
        Change { release, draws, live, n_children }
    }

    /// A taxon that lived before, lives still, and that `accept` takes.
    fn pick(&mut self, accept: impl Fn(&Taxon, bool) -> bool) -> Option<(u32, Taxon)> {
        for _ in 0..10_000 {
            let id = self.live[self.draws.below(self.live.len())];
            let is_leaf = self.n_children[id as usize] == 0;
            if let Some(taxon) = self.release.taxon(id)
                && id != ROOT
                && accept(taxon, is_leaf)
            {
                return Some((id, *taxon));
            }
        }
        None
    }

    fn put(&mut self, id: u32, taxon: Taxon) {
        let end = self.release.taxa.len().max(id as usize + 1);
        self.release.taxa.resize(end, None);
        self.n_children.resize(end, 0);
        if let Some(before) = self.release.taxa[id as usize].replace(taxon) {
            self.n_children[before.parent as usize] -= 1;
        }
        self.n_children[taxon.parent as usize] += 1;
    }

    /// Deletes and merges leaves. `merged.dmp` stays flat, as NCBI's: a target that goes takes its rows along.
    pub(super) fn remove(&mut self, n_deleted: usize, n_merged: usize) {
        let mut removed = BTreeMap::new();
        for number in 0..n_deleted + n_merged {
            let Some((id, taxon)) = self.pick(|_, is_leaf| is_leaf) else { return };
            self.release.taxa[id as usize] = None;
            self.n_children[taxon.parent as usize] -= 1;
            let target = if number < n_deleted { None } else { self.pick(|other, _| other.rank == taxon.rank) };
            removed.insert(id, target.map(|(target, _)| target));
        }
        self.release.lately_gone = removed.keys().copied().collect();
        let rows: Vec<_> = self.release.merged.iter().map(|(&old, &new)| (old, Some(new))).collect();
        for (old, target) in rows.into_iter().chain(removed.iter().map(|(&old, &new)| (old, new))) {
            let mut target = target;
            while let Some(next) = target.and_then(|target| removed.get(&target)) {
                target = *next;
            }
            match target {
                Some(target) => {
                    self.release.merged.insert(old, target);
                }
                None => {
                    self.release.merged.remove(&old);
                    self.release.deleted.insert(old);
                }
            }
        }
    }

    /// Deleted and merged ids that are taxa again, half of them gone only since the release before.
    pub(super) fn reappear(&mut self, n: usize) {
        let mut lately = std::mem::take(&mut self.release.lately_gone);
        let mut ids: Vec<u32> = self.release.deleted.iter().chain(self.release.merged.keys()).copied().collect();
        for number in 0..n {
            let from = if number % 2 == 0 && !lately.is_empty() { &mut lately } else { &mut ids };
            let id = from.swap_remove(self.draws.below(from.len()));
            let Some((_, pattern)) = self.pick(|_, is_leaf| is_leaf) else { return };
            if self.release.taxon(id).is_none() {
                self.release.deleted.remove(&id);
                self.release.merged.remove(&id);
                let salt = self.draws.salt();
                self.put(id, Taxon { salt, ..pattern });
            }
        }
    }

    /// New taxa at the end of the ids, mostly beside leaves, some under new genera.
    pub(super) fn create(&mut self, n: usize) {
        let mut genus: Option<(u32, Taxon)> = None;
        for _ in 0..n {
            let id = (self.release.taxa.len() + self.draws.below(3)) as u32;
            let salt = self.draws.salt();
            let kind = self.draws.below(20);
            let taxon = match &genus {
                Some((parent, genus)) if kind < 3 => Taxon::child("species", *parent, genus, self.draws),
                _ if kind < 4 => {
                    let Some((_, pattern)) = self.pick(|taxon, _| taxon.rank == "genus") else { return };
                    let made = Taxon { stem: salt, salt, ..pattern };
                    genus = Some((id, made));
                    made
                }
                _ => {
                    let Some((_, pattern)) = self.pick(|_, is_leaf| is_leaf) else { return };
                    Taxon { salt, others_salt: salt, ..pattern }
                }
            };
            self.put(id, taxon);
        }
    }

    /// Moves leaves and genera to the parent of another of their rank. Genera go below a rank only: a taxon without rank
    /// could stand below the genus itself. The only one of its rank stays.
    pub(super) fn move_some(&mut self, n: usize) {
        for number in 0..n {
            let moved = match number % 20 {
                0 => self.pick(|taxon, _| taxon.rank == "genus"),
                _ => self.pick(|_, is_leaf| is_leaf),
            };
            let Some((id, taxon)) = moved else { return };
            let Some((_, beside)) = self.pick(|other, _| other.rank == taxon.rank) else { continue };
            let parent_rank = self.release.taxon(beside.parent).map(|parent| parent.rank);
            if taxon.rank == "genus" && parent_rank.is_none_or(|rank| NON_HIERARCHICAL.contains(&rank)) {
                continue;
            }
            if beside.parent != id {
                self.put(id, Taxon { parent: beside.parent, ..taxon });
            }
        }
    }

    /// Renames, other names, ranks and genetic codes; and as many lines again that differ in nothing a loader reads.
    pub(super) fn edit(&mut self, n: usize) {
        for number in 0..n * 2 {
            let Some((id, before)) = self.pick(|_, _| true) else { return };
            let mut taxon = before;
            let salt = self.draws.salt();
            match number % 40 {
                0..=8 => (taxon.salt, taxon.n_others) = (salt, before.n_others.saturating_add(1)),
                9 => (taxon.stem, taxon.salt) = (salt, salt),
                10..=14 => taxon.n_others = before.n_others.saturating_add(1),
                15 => taxon.n_others = before.n_others.saturating_sub(1),
                16 => taxon.others_salt = salt,
                17 | 18 => taxon.rank = other_rank(before.rank),
                19 => taxon.gencode = [1, 4, 11, 25][self.draws.below(4)],
                _ => taxon.noise = salt as u8,
            }
            self.put(id, taxon);
        }
    }
}

/// Re-ranking as curators do it: about as high as before, so that no tree is turned over.
fn other_rank(rank: &'static str) -> &'static str {
    match rank {
        "species" => "subspecies",
        "subspecies" => "species",
        "no rank" => "strain",
        "strain" => "no rank",
        "genus" => "subgenus",
        "family" => "superfamily",
        other => other,
    }
}
