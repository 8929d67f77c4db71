//! Work that goes on after its request was answered: it tells how far it is, and can be stopped.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use timeweft::load::{LoadProgress, Stop};
use timeweft::{Time, TimeUnit};
use tokio::sync::watch;
use utoipa::ToSchema;

use crate::problem::{Fault, Problem};
use crate::report::Report;

/// How many jobs that are over are remembered.
const REMEMBERED: usize = 1_000;

/// What a job does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum JobKind {
    Load,
    Rollback,
    Train,
    Absorb,
}

/// How far a job is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum JobState {
    Queued,
    Running,
    Done,
    Failed,
    Stopped,
}

impl JobState {
    pub(crate) fn is_over(self) -> bool {
        matches!(self, JobState::Done | JobState::Failed | JobState::Stopped)
    }
}

/// A job as it is told.
#[derive(Clone, Serialize, ToSchema)]
#[schema(as = Job)]
pub(crate) struct JobStatus {
    pub(crate) id: String,
    pub(crate) kind: JobKind,
    pub(crate) state: JobState,
    /// Wall clock, RFC 3339.
    pub(crate) started: String,
    pub(crate) seconds: f64,
    /// What it is at.
    pub(crate) step: String,
    pub(crate) records: u64,
    pub(crate) bytes: u64,
    /// Bytes in all, where known.
    pub(crate) size: Option<u64>,
    #[schema(value_type = Option<Report>)]
    pub(crate) report: Option<Arc<Report>>,
    pub(crate) error: Option<Fault>,
}

/// A job.
pub(crate) struct Job {
    id: String,
    graph: String,
    kind: JobKind,
    stop: Stop,
    began: Instant,
    status: watch::Sender<JobStatus>,
}

impl Job {
    fn new(id: u64, graph: &str, kind: JobKind) -> Job {
        let id = id.to_string();
        let status = JobStatus {
            id: id.clone(),
            kind,
            state: JobState::Queued,
            started: now(),
            seconds: 0.0,
            step: "waits for its turn".into(),
            records: 0,
            bytes: 0,
            size: None,
            report: None,
            error: None,
        };
        let status = watch::Sender::new(status);
        Job { id, graph: graph.into(), kind, stop: Stop::default(), began: Instant::now(), status }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn kind(&self) -> JobKind {
        self.kind
    }

    /// How far it is now.
    pub(crate) fn status(&self) -> JobStatus {
        let mut status = self.status.borrow().clone();
        if !status.state.is_over() {
            status.seconds = self.began.elapsed().as_secs_f64();
        }
        status
    }

    /// Hears of every change.
    pub(crate) fn subscribe(&self) -> watch::Receiver<JobStatus> {
        self.status.subscribe()
    }

    /// The wish that it ends. Clones are the same wish.
    pub(crate) fn stop(&self) -> &Stop {
        &self.stop
    }

    /// What it is at now.
    pub(crate) fn step(&self, step: impl Into<String>) {
        let step = step.into();
        self.status.send_modify(|status| status.step = step);
    }

    /// It has its turn.
    pub(crate) fn begin(&self) {
        self.status.send_modify(|status| (status.state, status.step) = (JobState::Running, "begins".into()));
    }

    /// How far it is with its records and bytes.
    pub(crate) fn progress(&self, progress: LoadProgress) {
        self.status.send_modify(|status| {
            (status.records, status.bytes, status.size) = (progress.records, progress.bytes, progress.size);
        });
    }

    /// What it came to, also where it fails.
    pub(crate) fn report(&self, report: Report) {
        self.status.send_modify(|status| status.report = Some(Arc::new(report)));
    }

    pub(crate) fn end(&self, ended: Result<Option<Report>, Problem>) {
        let was_stopped = self.stop.is_asked();
        self.status.send_modify(|status| {
            status.seconds = self.began.elapsed().as_secs_f64();
            match ended {
                Ok(report) => {
                    status.state = JobState::Done;
                    status.step = "done".into();
                    status.report = report.map(Arc::new).or(status.report.take());
                }
                Err(_) if was_stopped => {
                    status.state = JobState::Stopped;
                    status.step = "stopped: nothing of it is visible".into();
                }
                Err(problem) => {
                    status.state = JobState::Failed;
                    status.step = "failed".into();
                    status.error = Some(problem.fault());
                }
            }
        });
    }
}

/// The wall clock, RFC 3339.
fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    TimeUnit::Second.format(Time(since.as_secs() as i64))
}

/// All jobs, those that are over up to a number.
#[derive(Default)]
pub(crate) struct Jobs {
    list: Mutex<(u64, VecDeque<Arc<Job>>)>,
}

impl Jobs {
    fn list(&self) -> MutexGuard<'_, (u64, VecDeque<Arc<Job>>)> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The job of a number, of one graph.
    pub(crate) fn find(&self, graph: &str, id: &str) -> Result<Arc<Job>, Problem> {
        let found = self.list().1.iter().find(|job| job.id == id && job.graph == graph).cloned();
        found.ok_or_else(|| Problem::not_found(format!("there is no job `{id}`")))
    }

    /// Jobs that wait or run.
    pub(crate) fn unfinished(&self) -> Vec<Arc<Job>> {
        self.list().1.iter().filter(|job| !job.status.borrow().state.is_over()).cloned().collect()
    }

    pub(crate) fn add(&self, graph: &str, kind: JobKind) -> Arc<Job> {
        let mut list = self.list();
        list.0 += 1;
        let job = Arc::new(Job::new(list.0, graph, kind));
        list.1.push_back(job.clone());
        if list.1.len() > REMEMBERED
            && let Some(oldest) = list.1.iter().position(|job| job.status.borrow().state.is_over())
        {
            list.1.remove(oldest);
        }
        job
    }
}
