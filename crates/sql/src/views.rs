//! Where views come from.

use std::sync::{Mutex, PoisonError};

use timeweft::{Commit, Graph, View};
use timeweft_arrow::Table;

use crate::{Error, Result};

/// What a session asks: the graph by commit, and its registry of loads.
///
/// A graph behind a lock is one, which is held for as long as a view is looked up; so is one view alone ([`Pinned`]).
pub trait Views: Send + Sync {
    /// The graph at a commit, or at the newest one.
    ///
    /// # Errors
    /// If there is no such commit.
    fn view(&self, commit: Option<Commit>) -> Result<View>;

    /// The registry of loads as it was at a commit, as [`timeweft_arrow::loads_at`] tells it.
    ///
    /// # Errors
    /// If the registry is not known.
    fn loads(&self, commit: Commit) -> Result<Table>;
}

impl Views for Mutex<Graph> {
    fn view(&self, commit: Option<Commit>) -> Result<View> {
        let graph = self.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(match commit {
            Some(commit) => graph.view_at(commit)?,
            None => graph.view(),
        })
    }

    fn loads(&self, commit: Commit) -> Result<Table> {
        let graph = self.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(timeweft_arrow::loads_at(&graph, commit)?)
    }
}

/// One view, and no other commit.
#[derive(Clone, Debug)]
pub struct Pinned(pub View);

impl Views for Pinned {
    fn view(&self, commit: Option<Commit>) -> Result<View> {
        match commit {
            Some(commit) if commit != self.0.commit() => Err(Error::Moment {
                clause: format!("commit {}", commit.0),
                problem: format!("this view is pinned to commit {}", self.0.commit().0),
                hint: Some("ask the graph itself for other commits".into()),
            }),
            _ => Ok(self.0.clone()),
        }
    }

    fn loads(&self, _: Commit) -> Result<Table> {
        Err(Error::clause("the view `loads` of one view of the graph", "ask the graph itself for its loads"))
    }
}
