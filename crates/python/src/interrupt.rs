//! Work that Ctrl-C stops, and that says how far it is.
//!
//! Python hears of signals in its main thread only. So the work runs on a thread of its own, and the one that asked for it
//! looks for signals and calls what hears of the progress.

use std::ops::ControlFlow;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use timeweft::load::Stop;

use crate::errors::Result;

/// How often signals are looked for, and progress is told.
const OFTEN: Duration = Duration::from_millis(50);

/// Hears how far the work is; the answer says whether it goes on.
pub(crate) type Report<'a, P> = &'a mut (dyn FnMut(P) -> ControlFlow<()> + Send);

/// Runs work that reports its progress, until it is done or is stopped: by a signal, or by an exception of `hear`, which runs
/// in the thread of the caller. Work that is stopped leaves nothing.
///
/// # Errors
/// What the work says; `StoppedError` after Ctrl-C; what `hear` or the handler of a signal raises.
pub(crate) fn stoppable<P: Send, T: Send>(
    py: Python<'_>,
    hear: impl FnMut(Python<'_>, P) -> PyResult<()> + Send,
    work: impl FnOnce(Report<'_, P>, &Stop) -> Result<T> + Send,
) -> PyResult<T> {
    let (done, raised) = watched(py, |_| false, hear, work)?;
    match (done, raised) {
        (done, None) => done.map_err(PyErr::from),
        (Ok(_), Some(raised)) => {
            let note = "the work was done before it could be stopped, and stays";
            raised.value(py).call_method1("add_note", (note,))?;
            Err(raised)
        }
        (Err(stopped), Some(raised)) if raised.is_instance_of::<PyKeyboardInterrupt>(py) => {
            Err(match PyErr::from(stopped) {
                stopped if stopped.is_instance_of::<PyKeyboardInterrupt>(py) => stopped,
                // It failed by itself meanwhile.
                failed => {
                    raised.set_cause(py, Some(failed));
                    raised
                }
            })
        }
        (Err(_), Some(raised)) => Err(raised),
    }
}

/// What became of work, and what was raised meanwhile.
type Watched<T> = (Result<T>, Option<PyErr>);

/// Room for the deepest calls of the work, as the main thread has it.
const STACK: usize = 8 << 20;

/// Runs work and watches it: gives what became of it, and what stopped it. Reports that come often are left out, but for those
/// that are `always` heard.
///
/// # Errors
/// If there is no thread for the work.
pub(crate) fn watched<P: Send, T: Send>(
    py: Python<'_>,
    always: fn(&P) -> bool,
    hear: impl FnMut(Python<'_>, P) -> PyResult<()> + Send,
    work: impl FnOnce(Report<'_, P>, &Stop) -> Result<T> + Send,
) -> PyResult<Watched<T>> {
    py.detach(|| beside(always, hear, work))
}

/// Without the interpreter: runs the work on a thread, and looks for signals on this one.
fn beside<P: Send, T: Send>(
    always: fn(&P) -> bool,
    mut hear: impl FnMut(Python<'_>, P) -> PyResult<()> + Send,
    work: impl FnOnce(Report<'_, P>, &Stop) -> Result<T> + Send,
) -> PyResult<Watched<T>> {
    let stop = Stop::default();
    thread::scope(|scope| {
        let (said, heard) = channel();
        let seen = stop.clone();
        let worker = move || {
            let mut last: Option<Instant> = None;
            let mut report = |progress| {
                let is_due = always(&progress) || last.is_none_or(|last| last.elapsed() >= OFTEN);
                if !seen.is_asked() && is_due {
                    let (answer, answered): (SyncSender<()>, _) = sync_channel(1);
                    if said.send((progress, answer)).is_ok() {
                        // Whatever the answer is, `seen` says it.
                        let _ = answered.recv();
                    }
                    last = Some(Instant::now());
                }
                if seen.is_asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            work(&mut report, &seen)
        };
        let worker = thread::Builder::new().name("timeweft".into()).stack_size(STACK).spawn_scoped(scope, worker)?;
        let mut raised: Option<PyErr> = None;
        loop {
            let asked = match heard.recv_timeout(OFTEN) {
                Ok(asked) => Some(asked),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let (progress, answer) = asked.unzip();
            if raised.is_none() {
                let listened = Python::attach(|py| {
                    py.check_signals()?;
                    progress.map_or(Ok(()), |progress| hear(py, progress))
                });
                if let Err(error) = listened {
                    raised = Some(error);
                    stop.ask();
                }
            }
            if let Some(answer) = answer {
                let _ = answer.send(());
            }
        }
        // A panic is a bug, and shows as one.
        let done = worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok((done, raised))
    })
}
