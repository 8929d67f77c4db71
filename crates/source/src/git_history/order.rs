//! The order in which commits are told.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use gix::ObjectId;
use gix::revision::Walk;
use gix::revision::walk::{Platform, Sorting};
use gix::traverse::commit::simple::CommitTimeOrder;
use rustc_hash::{FxHashMap, FxHashSet};

/// A commit with those of its parents that it is compared with (a shallow clone lacks some).
pub(super) type CommitWithParents = (ObjectId, Vec<ObjectId>);

/// All commits that `HEAD` reaches and that are neither known nor ancestors of known ones: parents before children, else
/// by committer time, else by hash.
pub(super) fn oldest_first(
    repository: &gix::Repository,
    known: &FxHashSet<ObjectId>,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<Vec<CommitWithParents>, gix::Error> {
    let reached = {
        let known = known.clone();
        collect(newest_first(repository)?.selected(move |id| !known.contains(id))?, go_on)?
    };
    let told: FxHashSet<ObjectId> = reached.keys().chain(known).copied().collect();
    let parents = reached.values().flat_map(|commit| &commit.parents);
    let border: FxHashSet<ObjectId> = parents.filter(|parent| known.contains(*parent)).copied().collect();
    // Behind known commits may lie some that an earlier load left out, and a branch that began there leads to them.
    let mut commits = match border.is_empty() {
        true => reached,
        false => collect(newest_first(repository)?.with_hidden(border).all()?, go_on)?,
    };
    for commit in commits.values_mut() {
        commit.parents.retain(|parent| told.contains(parent));
    }
    let ids: Vec<ObjectId> = commits.keys().copied().collect();
    for id in ids {
        link(id, &mut commits);
    }
    Ok(sorted(commits))
}

/// A commit that waits for its parents to be told.
struct Waiting {
    time: i64,
    parents: Vec<ObjectId>,
    missing: usize,
    children: Vec<ObjectId>,
}

fn newest_first(repository: &gix::Repository) -> Result<Platform<'_>, gix::Error> {
    let walk = repository.rev_walk([repository.head_id()?]);
    Ok(walk.sorting(Sorting::ByCommitTime(CommitTimeOrder::NewestFirst)))
}

/// The commits of a walk, as long as it is to go on.
fn collect(walk: Walk<'_>, go_on: &mut dyn FnMut() -> bool) -> Result<FxHashMap<ObjectId, Waiting>, gix::Error> {
    let waiting = walk.take_while(|_| go_on()).map(|info| {
        let info = info?;
        let (time, parents) = (info.commit_time.unwrap_or_default(), info.parent_ids.to_vec());
        Ok((info.id, Waiting { time, parents, missing: 0, children: Vec::new() }))
    });
    waiting.collect()
}

fn link(id: ObjectId, commits: &mut FxHashMap<ObjectId, Waiting>) {
    let Some(commit) = commits.get(&id) else { return };
    let parents = commit.parents.clone();
    let mut missing = 0;
    for parent in parents {
        if let Some(parent) = commits.get_mut(&parent) {
            parent.children.push(id);
            missing += 1;
        }
    }
    if let Some(commit) = commits.get_mut(&id) {
        commit.missing = missing;
    }
}

fn sorted(mut commits: FxHashMap<ObjectId, Waiting>) -> Vec<CommitWithParents> {
    let free = commits.iter().filter(|(_, commit)| commit.missing == 0);
    let mut ready: BinaryHeap<_> = free.map(|(id, commit)| Reverse((commit.time, *id))).collect();
    let mut order = Vec::with_capacity(commits.len());
    while let Some(Reverse((_, id))) = ready.pop() {
        let Some(commit) = commits.get_mut(&id) else { continue };
        let (children, parents) = (std::mem::take(&mut commit.children), std::mem::take(&mut commit.parents));
        for child in children {
            if let Some(waiting) = commits.get_mut(&child) {
                waiting.missing -= 1;
                if waiting.missing == 0 {
                    ready.push(Reverse((waiting.time, child)));
                }
            }
        }
        order.push((id, parents));
    }
    order
}
