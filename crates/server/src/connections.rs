//! Connections: not more than a number, and none that stands still.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum_server::accept::Accept;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::Service;

use crate::app::App;

/// Takes connections up to a number, before anything is read from them.
#[derive(Clone)]
pub(crate) struct Counted<A> {
    inner: A,
    app: Arc<App>,
    room: Arc<Semaphore>,
}

impl<A> Counted<A> {
    pub(crate) fn new(inner: A, app: Arc<App>) -> Counted<A> {
        let room = Arc::new(Semaphore::new(app.limits.connections));
        Counted { inner, app, room }
    }
}

/// A service that holds the place of its connection.
#[derive(Clone)]
pub(crate) struct Held<S> {
    inner: S,
    _place: Arc<OwnedSemaphorePermit>,
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for Held<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> S::Future {
        self.inner.call(request)
    }
}

type Accepted<T, S> = Pin<Box<dyn Future<Output = io::Result<(T, S)>> + Send>>;

impl<A, S> Accept<TcpStream, S> for Counted<A>
where
    A: Accept<TcpStream, Held<S>>,
    A::Future: Send + 'static,
{
    type Stream = A::Stream;
    type Service = A::Service;
    type Future = Accepted<A::Stream, A::Service>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let Ok(place) = self.room.clone().try_acquire_owned() else {
            self.app.metrics.refuse();
            return Box::pin(async { Err(io::Error::other("there are too many connections")) });
        };
        // Answers are written whole: waiting for more to send with them only makes them late.
        let _ = stream.set_nodelay(true);
        Box::pin(self.inner.accept(stream, Held { inner: service, _place: Arc::new(place) }))
    }
}
