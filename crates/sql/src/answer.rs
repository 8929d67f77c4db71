//! The answer to a query, batch by batch.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use datafusion::execution::SendableRecordBatchStream;
use timeweft::{At, Commit};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::AbortHandle;
use tokio_stream::StreamExt;

use crate::runtime::runtime;
use crate::{Error, Result};

/// What the task of a query sends.
#[derive(Debug)]
pub(crate) enum Message {
    Batch(RecordBatch),
    Failed(Error),
    /// All batches were sent.
    Done,
}

/// Batches that may wait for whoever reads.
const WAITING: usize = 2;

/// A query that runs. Its batches are taken by iterating, which waits for each, or by [`Answer::next_batch`], which is for
/// asynchronous callers. Dropped, the query ends.
#[derive(Debug)]
pub struct Answer {
    head: Head,
    messages: Receiver<Message>,
    running: Option<Running>,
    truncated: Arc<AtomicBool>,
    scanned: Arc<AtomicU64>,
    is_over: bool,
}

/// What is known before the first row.
#[derive(Clone, Debug)]
pub struct Head {
    /// Names and types of the columns.
    pub schema: SchemaRef,
    /// The commit that was read where the query does not name another.
    pub commit: Commit,
    /// The moment that was read where the query does not name another.
    pub at: At,
}

/// What [`Answer::wait`] found.
#[derive(Debug)]
#[allow(missing_docs)]
pub enum Waited {
    Batch(RecordBatch),
    End,
    NotYet,
}

#[derive(Debug)]
struct Running(AbortHandle);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Ends a query from elsewhere.
#[derive(Clone, Debug)]
pub struct CancelHandle(Option<AbortHandle>);

impl CancelHandle {
    /// Ends it: whoever reads its answer gets [`Error::Cancelled`].
    pub fn cancel(&self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

impl Answer {
    /// An answer that is there already.
    pub(crate) fn ready(head: Head, batch: RecordBatch) -> Answer {
        let (sender, messages) = channel(WAITING);
        // There is room for both, and the other end is here.
        [Message::Batch(batch), Message::Done].into_iter().for_each(|message| _ = sender.try_send(message));
        Answer { head, messages, running: None, truncated: Arc::default(), scanned: Arc::default(), is_over: false }
    }

    /// Names and types of the columns.
    pub fn schema(&self) -> &SchemaRef {
        &self.head.schema
    }

    /// What is known before the first row.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Whether there were more rows than [`Limits::rows`](crate::Limits::rows): known once all batches are taken.
    pub fn is_truncated(&self) -> bool {
        self.truncated.load(Ordering::Acquire)
    }

    /// How many rows were read of the graph so far; what counts alone reads none.
    pub fn scanned(&self) -> u64 {
        self.scanned.load(Ordering::Relaxed)
    }

    /// What ends the query from another thread.
    pub fn cancel_handle(&self) -> CancelHandle {
        CancelHandle(self.running.as_ref().map(|running| running.0.clone()))
    }

    /// The next batch; `None` behind the last one. An error is the last.
    pub async fn next_batch(&mut self) -> Option<Result<RecordBatch>> {
        if self.is_over {
            return None;
        }
        let next = self.messages.recv().await;
        self.took(next)
    }

    /// Waits for the next batch no longer than this, for callers that have other things to look after, such as Ctrl-C. Not to
    /// be called in an asynchronous task.
    ///
    /// # Errors
    /// As the query.
    pub fn wait(&mut self, most: Duration) -> Result<Waited> {
        if self.is_over {
            return Ok(Waited::End);
        }
        let messages = &mut self.messages;
        let next = runtime()?.block_on(async { tokio::time::timeout(most, messages.recv()).await });
        let Ok(next) = next else { return Ok(Waited::NotYet) };
        match self.took(next) {
            Some(batch) => batch.map(Waited::Batch),
            None => Ok(Waited::End),
        }
    }

    fn took(&mut self, next: Option<Message>) -> Option<Result<RecordBatch>> {
        let error = match next {
            Some(Message::Batch(batch)) => return Some(Ok(batch)),
            Some(Message::Failed(error)) => Some(Err(error)),
            Some(Message::Done) => None,
            // A task that ended by itself has said so.
            None => Some(Err(Error::Cancelled)),
        };
        (self.is_over, self.running) = (true, None);
        error
    }
}

/// Waits for each batch. Not to be iterated in an asynchronous task.
impl Iterator for Answer {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Result<RecordBatch>> {
        if self.is_over {
            return None;
        }
        let next = self.messages.blocking_recv();
        self.took(next)
    }
}

/// A query on its way: the task sends the head, and then batches.
pub(crate) struct Sending {
    pub(crate) messages: Sender<Message>,
    pub(crate) truncated: Arc<AtomicBool>,
    /// Rows that may be sent.
    pub(crate) rows: Option<usize>,
}

impl Sending {
    /// Sends the batches of a stream, as far as they are wanted.
    pub(crate) async fn send(&self, mut batches: SendableRecordBatchStream) -> Result<()> {
        let mut left = self.rows.unwrap_or(usize::MAX);
        while let Some(batch) = batches.next().await {
            let batch = batch?;
            if batch.num_rows() == 0 {
                continue;
            }
            if left == 0 {
                self.truncated.store(true, Ordering::Release);
                return Ok(());
            }
            let is_cut = batch.num_rows() > left;
            let kept = if is_cut { batch.slice(0, left) } else { batch };
            left -= kept.num_rows();
            self.truncated.fetch_or(is_cut, Ordering::AcqRel);
            // Nobody reads any more where this fails.
            if self.messages.send(Message::Batch(kept)).await.is_err() || is_cut {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// Runs a query on threads of its own. `work` gives the head, by what it is handed, and sends batches.
pub(crate) fn start<F>(
    rows: Option<usize>,
    limit: Option<Duration>,
    scanned: Arc<AtomicU64>,
    work: impl FnOnce(Sending, std::sync::mpsc::SyncSender<Head>) -> F,
) -> Result<Answer>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let (messages, mut received) = channel(WAITING);
    let (told, heads) = std::sync::mpsc::sync_channel(1);
    let truncated: Arc<AtomicBool> = Arc::default();
    let work = work(Sending { messages: messages.clone(), truncated: truncated.clone(), rows }, told);
    let task = runtime()?.spawn(async move {
        let done = match limit {
            Some(limit) => match tokio::time::timeout(limit, work).await {
                Ok(done) => done,
                Err(_) => Err(Error::TimeLimit { limit }),
            },
            None => work.await,
        };
        let last = match done {
            Ok(()) => Message::Done,
            Err(error) => Message::Failed(error),
        };
        _ = messages.send(last).await;
    });
    let running = Running(task.abort_handle());
    // Where there is no head, there is an error.
    match heads.recv() {
        Ok(head) => Ok(Answer { head, messages: received, running: Some(running), truncated, scanned, is_over: false }),
        Err(_) => match received.blocking_recv() {
            Some(Message::Failed(error)) => Err(error),
            _ => Err(Error::Internal { message: "the planner ended without an answer".into() }),
        },
    }
}
