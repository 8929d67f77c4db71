//! Threads that answer questions, within the limits of time and number.

use std::sync::Arc;
use std::time::{Duration, Instant};

use timeweft::read::damage::{Damage, catch};
use tokio::sync::OwnedSemaphorePermit;

use crate::app::App;
use crate::problem::{Code, Problem};
use crate::served::Served;

/// When a read is to be over. Long loops look from time to time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    until: Instant,
    limit: Duration,
}

impl Deadline {
    fn after(limit: Duration) -> Deadline {
        Deadline { until: Instant::now() + limit, limit }
    }

    /// An error once the time is over: nobody waits for the answer any more.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        if Instant::now() < self.until { Ok(()) } else { Err(late(self.limit)) }
    }
}

pub(crate) fn late(limit: Duration) -> Problem {
    let message = format!("the answer took longer than {} seconds", limit.as_secs_f32());
    Problem::new(Code::TimeLimit, message).hint("Ask for less: fewer rows, hops or roots.")
}

impl App {
    /// A turn among the questions that are answered at once.
    pub(crate) async fn turn(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let turn = tokio::time::timeout(self.limits.turn, self.turns.clone().acquire_owned()).await;
        let busy = || {
            let message = format!("{} questions are being answered already", self.limits.at_once);
            Problem::new(Code::Unavailable, message).hint("Ask again in a second.")
        };
        turn.ok().and_then(Result::ok).ok_or_else(busy)
    }

    /// Runs work that may take long on a thread of its own, within the limits of time and number.
    pub(crate) async fn work<T: Send + 'static>(
        &self,
        graph: &Arc<Served>,
        work: impl FnOnce(Deadline) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = self.turn().await?;
        let (deadline, graph) = (Deadline::after(self.limits.read), graph.clone());
        let task = tokio::task::spawn_blocking(move || {
            // Work that nobody waits for any more still takes its turn.
            let _turn = turn;
            // A question whose time went by while it waited for a thread is not begun.
            sound(&graph, || deadline.check().and_then(|()| work(deadline)))
        });
        match tokio::time::timeout(self.limits.read, task).await {
            Ok(done) => done.unwrap_or_else(|_| Err(broken_down())),
            Err(_) => Err(late(self.limits.read)),
        }
    }
}

fn broken_down() -> Problem {
    Problem::new(Code::Internal, "the question broke down").hint("This is a bug: please report it.")
}

/// The answer, unless a snapshot is found damaged on the way to it: then it is made anew in the background.
pub(crate) fn sound<T>(graph: &Arc<Served>, ask: impl FnOnce() -> Result<T, Problem>) -> Result<T, Problem> {
    catch(ask).unwrap_or_else(|damage| Err(damaged(graph, damage)))
}

/// A snapshot is damaged: it is made anew in the background, and asking again helps.
pub(crate) fn damaged(graph: &Arc<Served>, damage: Damage) -> Problem {
    let (graph, found) = (graph.clone(), damage.clone());
    std::thread::spawn(move || graph.mend(&found));
    damage.into()
}
