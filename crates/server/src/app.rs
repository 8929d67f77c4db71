//! All that the handlers share.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::access::Access;
use crate::caller::Caller;
use crate::jobs::Jobs;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::problem::{Code, Problem};
use crate::served::Served;

/// A server's graphs and what belongs to them.
pub(crate) struct App {
    graphs: BTreeMap<String, Arc<Served>>,
    pub(crate) limits: Limits,
    /// Questions that are answered at once.
    pub(crate) turns: Arc<Semaphore>,
    pub(crate) jobs: Jobs,
    /// Below it lie the sources that a load may name.
    pub(crate) sources: Option<PathBuf>,
    pub(crate) access: Access,
    pub(crate) metrics: Metrics,
}

impl App {
    pub(crate) fn new(graphs: Vec<Served>, limits: Limits, sources: Option<PathBuf>, access: Access) -> App {
        let named = graphs.into_iter().map(|graph| (graph.name().to_owned(), Arc::new(graph)));
        let turns = Arc::new(Semaphore::new(limits.at_once));
        let (jobs, metrics) = (Jobs::default(), Metrics::default());
        App { graphs: named.collect(), limits, turns, jobs, sources, access, metrics }
    }

    /// All graphs, in order of name.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Served>> {
        self.graphs.values()
    }

    /// The graphs that a caller may see, in order of name.
    pub(crate) fn visible(&self, caller: &Caller) -> impl Iterator<Item = &Arc<Served>> {
        self.graphs.values().filter(|graph| caller.may_see(graph.name()))
    }

    /// The graph of a name.
    pub(crate) fn graph(&self, name: &str, caller: &Caller) -> Result<&Arc<Served>, Problem> {
        if !caller.may_see(name) {
            return Err(Problem::new(Code::Forbidden, format!("the token is not for graph `{name}`")));
        }
        self.graphs.get(name).ok_or_else(|| {
            Problem::not_found(format!("there is no graph `{name}`")).hint("GET /v1/graphs lists what is served.")
        })
    }
}
