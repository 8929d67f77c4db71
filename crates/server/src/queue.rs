//! Jobs are started, and wait for their turn.

use std::sync::Arc;

use timeweft::read::damage::catch;

use crate::app::App;
use crate::jobs::{Job, JobKind};
use crate::problem::{Code, Problem};
use crate::report::Report;
use crate::served::Served;

/// Whether a job changes the graph, so that it waits for others that do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Writes {
    Yes,
    No,
}

impl App {
    /// Starts a job of a graph. Jobs that write run one after the other; what they commit is shown when they end.
    ///
    /// # Errors
    /// If too many jobs wait already.
    pub(crate) fn start(
        self: &Arc<App>,
        graph: &Arc<Served>,
        kind: JobKind,
        writes: Writes,
        work: impl FnOnce(&Job, &Served) -> Result<Option<Report>, Problem> + Send + 'static,
    ) -> Result<Arc<Job>, Problem> {
        if !graph.enter(self.limits.jobs) {
            let message = format!("{} jobs of graph `{}` wait already", self.limits.jobs, graph.name());
            return Err(Problem::new(Code::TooMany, message).hint("Wait until one of them is over."));
        }
        let (job, graph) = (self.jobs.add(graph.name(), kind), graph.clone());
        let running = job.clone();
        tokio::spawn(async move {
            let turn = if writes == Writes::Yes { Some(graph.turn.lock().await) } else { None };
            let (worker, of) = (running.clone(), graph.clone());
            let done = tokio::task::spawn_blocking(move || run(&worker, &of, work)).await;
            drop(turn);
            graph.leave();
            running.end(done.unwrap_or_else(|_| Err(Problem::new(Code::Internal, "the job broke down"))));
        });
        Ok(job)
    }
}

fn run(
    job: &Job,
    graph: &Served,
    work: impl FnOnce(&Job, &Served) -> Result<Option<Report>, Problem>,
) -> Result<Option<Report>, Problem> {
    if job.stop().is_asked() {
        return Err(Problem::new(Code::Conflict, "the job was stopped before it began"));
    }
    job.begin();
    let done = catch(|| work(job, graph));
    done.unwrap_or_else(|damage| {
        graph.mend(&damage);
        Err(damage.into())
    })
}
