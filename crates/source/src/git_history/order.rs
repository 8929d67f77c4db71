//! The order in which commits are told.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use gix::ObjectId;
use gix::revision::walk::Sorting;
use gix::traverse::commit::simple::CommitTimeOrder;
use rustc_hash::FxHashMap;

/// A commit with those of its parents that the history holds (a shallow clone lacks some).
pub(super) type CommitWithParents = (ObjectId, Vec<ObjectId>);

/// All commits that `HEAD` reaches: parents before children, else by committer time, else by hash.
pub(super) fn oldest_first(repository: &gix::Repository) -> Result<Vec<CommitWithParents>, gix::Error> {
    let mut commits = FxHashMap::<ObjectId, Waiting>::default();
    let walk = repository.rev_walk([repository.head_id()?]);
    for info in walk.sorting(Sorting::ByCommitTime(CommitTimeOrder::NewestFirst)).all()? {
        let info = info?;
        let time = info.commit_time.unwrap_or_default();
        commits.insert(info.id, Waiting { time, parents: info.parent_ids.to_vec(), missing: 0, children: Vec::new() });
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

fn link(id: ObjectId, commits: &mut FxHashMap<ObjectId, Waiting>) {
    let Some(commit) = commits.get_mut(&id) else { return };
    let mut parents = std::mem::take(&mut commit.parents);
    parents.retain(|parent| commits.contains_key(parent));
    for parent in &parents {
        if let Some(parent) = commits.get_mut(parent) {
            parent.children.push(id);
        }
    }
    if let Some(commit) = commits.get_mut(&id) {
        commit.missing = parents.len();
        commit.parents = parents;
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
