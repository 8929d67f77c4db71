//! Threads: as many as can be had, and the calling one where none can.
//!
//! A process may be allowed no more of them (`ulimit -u`, the `pids` limit of a container). Code that would work on several
//! asks here. Where there are none the same work is done on the calling thread, with the same result and more slowly.

use std::io;
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{self, Builder, Scope, ScopedJoinHandle};

type Work<'scope> = Box<dyn FnOnce() + Send + 'scope>;

/// Threads of a scope that wait for work. They are there before the work is cut up, so that it is known how to do it.
pub struct Crew<'scope> {
    hands: Vec<(Sender<Work<'scope>>, ScopedJoinHandle<'scope, ()>)>,
}

impl<'scope> Crew<'scope> {
    /// `n` threads, or as many as can be had. Those that get no work end with the crew.
    pub fn up_to(n: usize, scope: &'scope Scope<'scope, '_>) -> Crew<'scope> {
        let hand = |_| {
            let (sender, work) = channel::<Work<'scope>>();
            let wait = move || work.recv().map_or((), |work| work());
            let thread = Builder::new().spawn_scoped(scope, wait).ok()?;
            Some((sender, thread))
        };
        Crew { hands: (0..n).map_while(hand).collect() }
    }

    /// `n` threads, or none.
    pub fn of(n: usize, scope: &'scope Scope<'scope, '_>) -> Crew<'scope> {
        let mut crew = Crew::up_to(n, scope);
        if crew.hands.len() < n {
            crew.hands.clear();
        }
        crew
    }

    /// The number of threads that wait.
    pub fn len(&self) -> usize {
        self.hands.len()
    }

    /// Whether there are no threads.
    pub fn is_empty(&self) -> bool {
        self.hands.is_empty()
    }

    /// A channel between two parts of the work. At most `waiting` items wait in it, but any number where one part is
    /// done after the other.
    pub fn pipe<T>(&self, waiting: usize) -> (Pipe<T>, Receiver<T>) {
        if self.is_empty() {
            let (sender, receiver) = channel();
            return (Pipe(End::Open(sender)), receiver);
        }
        let (sender, receiver) = sync_channel(waiting);
        (Pipe(End::Bounded(sender)), receiver)
    }

    /// Begins work that others wait for. Without threads it is done when this returns.
    pub fn ahead<T: Send + 'scope>(&mut self, work: impl FnOnce() -> T + Send + 'scope) -> Task<'scope, T> {
        match self.hands.is_empty() {
            true => Task(State::Done(work())),
            false => self.behind(work),
        }
    }

    /// Begins work that waits for others. Without threads it is done when it is joined, after the others.
    pub fn behind<T: Send + 'scope>(&mut self, work: impl FnOnce() -> T + Send + 'scope) -> Task<'scope, T> {
        let Some((sender, thread)) = self.hands.pop() else { return Task(State::Waiting(Box::new(work))) };
        let (done, result) = channel();
        // The thread waits for nothing else, and a dropped task needs no result.
        let _ = sender.send(Box::new(move || _ = done.send(work())));
        Task(State::Running(thread, result))
    }
}

/// The sending end of [`Crew::pipe`].
#[derive(Clone)]
pub struct Pipe<T>(End<T>);

#[derive(Clone)]
enum End<T> {
    Bounded(SyncSender<T>),
    Open(Sender<T>),
}

impl<T> Pipe<T> {
    /// Sends an item; gives it back where the receiver is gone.
    pub fn send(&self, item: T) -> Result<(), T> {
        match &self.0 {
            End::Bounded(sender) => sender.send(item).map_err(|unsent| unsent.0),
            End::Open(sender) => sender.send(item).map_err(|unsent| unsent.0),
        }
    }
}

/// Part of the work, and its result.
pub struct Task<'scope, T>(State<'scope, T>);

enum State<'scope, T> {
    Running(ScopedJoinHandle<'scope, ()>, Receiver<T>),
    Waiting(Box<dyn FnOnce() -> T + 'scope>),
    Done(T),
}

impl<T> Task<'_, T> {
    /// The result, once it is there; an error where the work panicked on a thread of its own.
    pub fn join(self) -> thread::Result<T> {
        match self.0 {
            State::Done(result) => Ok(result),
            State::Waiting(work) => Ok(work()),
            State::Running(thread, result) => {
                thread.join()?;
                result.recv().map_err(|gone| Box::new(gone) as Box<_>)
            }
        }
    }
}

/// Two closures, side by side where the pool has a thread for that.
pub fn join<A: Send, B: Send>(a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B + Send) -> (A, B) {
    match has_pool() {
        true => rayon::join(a, b),
        false => (a(), b()),
    }
}

/// Makes the pool of all of rayon's work, unless it is there. Code that uses rayon calls this before: where the pool cannot
/// start a thread, rayon panics. The pool is then the calling thread.
pub fn prepare() {
    has_pool();
}

/// Whether there are threads beside the calling one.
fn has_pool() -> bool {
    static POOL: OnceLock<bool> = OnceLock::new();
    *POOL.get_or_init(make_pool)
}

/// The threads are started before the pool, which thereby cannot fail half way: a pool that failed once cannot be made anew.
fn make_pool() -> bool {
    let hand = |_| {
        let (sender, work) = channel::<rayon::ThreadBuilder>();
        let wait = move || work.recv().map_or((), rayon::ThreadBuilder::run);
        Builder::new().spawn(wait).ok().map(|_| sender)
    };
    let hands: Vec<_> = (0..wanted()).map_while(hand).collect();
    let n = hands.len();
    let mut hands = hands.into_iter();
    let pool = rayon::ThreadPoolBuilder::new();
    let made = match n {
        0 => pool.num_threads(1).use_current_thread().build_global(),
        _ => pool.num_threads(n).spawn_handler(|work| put_to_work(hands.next(), work)).build_global(),
    };
    // It fails only where the program made a pool before, which is used then.
    n > 0 || made.is_err()
}

fn put_to_work(hand: Option<Sender<rayon::ThreadBuilder>>, work: rayon::ThreadBuilder) -> io::Result<()> {
    hand.and_then(|hand| hand.send(work).ok()).ok_or_else(|| io::Error::other("no thread waits for this"))
}

/// As many as rayon would take.
fn wanted() -> usize {
    let told = std::env::var("RAYON_NUM_THREADS").ok().and_then(|n| n.parse().ok()).filter(|n| *n > 0);
    told.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers from one part of the work through another.
    fn squares(n: usize, asked: usize) -> (usize, Vec<u64>) {
        thread::scope(|scope| {
            let mut crew = Crew::of(n, scope);
            let found = crew.len();
            // As where there are none.
            if asked == 0 {
                crew.hands.clear();
            }
            let ((numbers, given), (squares, all)) = (crew.pipe::<u64>(1), crew.pipe(1));
            let reader = crew.ahead(move || (0..100).try_for_each(|number| numbers.send(number)).is_ok());
            let writer = crew.behind(move || all.into_iter().collect());
            given.into_iter().for_each(|number| _ = squares.send(number * number));
            drop(squares);
            assert!(reader.join().is_ok_and(|sent| sent));
            (found, writer.join().unwrap_or_default())
        })
    }

    #[test]
    fn the_same_comes_of_work_on_threads_and_on_the_calling_one() {
        let expected: Vec<u64> = (0..100).map(|number| number * number).collect();
        assert_eq!(squares(2, 2), (2, expected.clone()));
        assert_eq!(squares(2, 0), (2, expected));
    }

    #[test]
    fn work_that_panics_on_a_thread_is_an_error_of_its_task() {
        let joined = thread::scope(|scope| {
            let mut crew = Crew::of(1, scope);
            crew.behind(|| assert_eq!(1, 2, "on purpose")).join()
        });
        assert!(joined.is_err());
    }

    #[test]
    fn the_pool_has_threads_or_is_the_calling_one() {
        prepare();
        assert_eq!(join(|| 1, || 2), (1, 2));
        assert!(rayon::current_num_threads() > 0);
    }
}
