//! A graph at one commit, with all that a question needs to know of it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use timeweft::read::{ChangeList, Moments, TypeSet};
use timeweft::{At, Commit, Deletes, Graph, Time, View};

use crate::problem::Problem;

/// A graph at one commit. It answers whatever is loaded meanwhile.
pub(crate) struct Pinned {
    graph: Graph,
    view: View,
    sizes: OnceLock<Sizes>,
    taken_back: OnceLock<TypeSet>,
    unused: OnceLock<TypeSet>,
    changes: Mutex<Vec<KeptChanges>>,
}

/// Two times, and the namespace that was asked.
pub(crate) type Compared = (Time, Time, Option<String>);

/// What was found to differ from a state.
struct KeptChanges {
    before: Weak<Pinned>,
    compared: Compared,
    list: Arc<ChangeList>,
}

/// Differences that are kept for their next pages, and how many changes one of them may have.
const KEPT_LISTS: usize = 4;
const KEPT_CHANGES: usize = 4_000_000;

/// Bytes on disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Sizes {
    /// Of the catalogue and the log.
    pub(crate) log: u64,
    /// Of the snapshots.
    pub(crate) index: u64,
    /// Of the models.
    pub(crate) models: u64,
}

impl Pinned {
    /// Pins what a handle for reading has.
    pub(crate) fn new(graph: Graph) -> Pinned {
        let view = graph.view();
        Pinned {
            graph,
            view,
            sizes: OnceLock::new(),
            taken_back: OnceLock::new(),
            unused: OnceLock::new(),
            changes: Mutex::default(),
        }
    }

    /// The handle for reading: registry, models, sizes as of this commit.
    pub(crate) fn graph(&self) -> &Graph {
        &self.graph
    }

    pub(crate) fn view(&self) -> &View {
        &self.view
    }

    pub(crate) fn commit(&self) -> Commit {
        self.view.commit()
    }

    /// The types and features that came with loads that were taken back: see [`Graph::types_taken_back`].
    pub(crate) fn taken_back(&self) -> Result<&TypeSet, Problem> {
        if let Some(known) = self.taken_back.get() {
            return Ok(known);
        }
        let found = self.graph.types_taken_back(&self.view)?;
        Ok(self.taken_back.get_or_init(|| found))
    }

    /// Those of them of which nothing is there.
    pub(crate) fn unused(&self) -> Result<&TypeSet, Problem> {
        let taken_back = self.taken_back()?;
        Ok(self.unused.get_or_init(|| self.view.index().unused(taken_back)))
    }

    /// What was found to differ from an earlier state, if it is kept.
    pub(crate) fn kept_changes(&self, before: &Arc<Pinned>, compared: &Compared) -> Option<Arc<ChangeList>> {
        let kept = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = |known: &Weak<Pinned>| std::ptr::eq(known.as_ptr(), Arc::as_ptr(before));
        let found = kept.iter().find(|kept| kept.compared == *compared && is_same(&kept.before))?;
        Some(found.list.clone())
    }

    /// Keeps it, in place of what was kept first.
    pub(crate) fn keep_changes(&self, before: &Arc<Pinned>, compared: Compared, list: Arc<ChangeList>) {
        if list.len() > KEPT_CHANGES {
            return;
        }
        let mut kept = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|kept| kept.before.strong_count() > 0);
        if kept.len() == KEPT_LISTS {
            kept.remove(0);
        }
        kept.push(KeptChanges { before: Arc::downgrade(before), compared, list });
    }

    /// Bytes on disk when this was asked first. What cannot be read counts nothing.
    pub(crate) fn sizes(&self) -> Sizes {
        *self.sizes.get_or_init(|| Sizes {
            log: self.graph.size_on_disk().unwrap_or_default(),
            index: self.graph.size_of_snapshots().unwrap_or_default(),
            models: folder_size(&self.graph.dir().join("models")),
        })
    }

    /// The moment that texts of a question mean.
    pub(crate) fn at(&self, at: Option<&str>, deletes: Option<Deletes>) -> Result<At, Problem> {
        let time = at.map_or(Ok(Time::FOREVER), |text| self.time("at", text))?;
        Ok(At { time, deletes: deletes.unwrap_or_default() })
    }

    /// The time that a text means: ticks, RFC 3339, or `namespace@version`.
    pub(crate) fn time(&self, parameter: &str, text: &str) -> Result<Time, Problem> {
        match self.view.unit().parse(text) {
            Ok(time) => Ok(time),
            Err(_) => Ok(Moments::new(&self.graph, self.commit()).read(parameter, text, None)?),
        }
    }
}

fn folder_size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| -> PathBuf { entry.path() });
    paths.filter_map(|path| path.metadata().ok()).filter(|facts| facts.is_file()).map(|facts| facts.len()).sum()
}
