//! The server: it listens, follows what others write, and ends without leaving anything half done.

use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum_server::accept::DefaultAcceptor;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use axum_server::{Handle, Server};

use crate::app::App;
use crate::connections::Counted;
use crate::options::{Options, ServeError};
use crate::router;

/// How often it is looked whether another process has written.
const FOLLOW: Duration = Duration::from_secs(1);
/// How often a server that is open to all says so.
const REMIND: Duration = Duration::from_secs(60);
/// How long connections may take to end.
const GRACE: Duration = Duration::from_secs(15);

/// A server that has its address, and answers once it runs.
pub struct Listening {
    app: Arc<App>,
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<(RustlsConfig, [PathBuf; 2])>,
    is_open: bool,
}

/// Where what happens is told, one line each.
pub type Tell = Arc<dyn Fn(&str) + Send + Sync>;

impl Options {
    /// Takes the address, and reads all that the server needs.
    ///
    /// # Errors
    /// What is wrong, and what to do.
    pub fn listen(self) -> Result<Listening, ServeError> {
        let (bind, tls) = (self.bind, self.tls.clone());
        let is_open = !bind.ip().is_loopback() && (self.tokens.is_none() || tls.is_none());
        let app = self.app()?;
        let tls = tls.map(|(cert, key)| Ok::<_, ServeError>((tls_config(&cert, &key)?, [cert, key]))).transpose()?;
        let listener = TcpListener::bind(bind).map_err(|source| ServeError::Bind { bind, source })?;
        let address = listener.local_addr().map_err(|source| ServeError::Bind { bind, source })?;
        Ok(Listening { app, listener, address, tls, is_open })
    }
}

/// Reads certificate and key.
fn tls_config(cert: &Path, key: &Path) -> Result<RustlsConfig, ServeError> {
    // Once a process; a second time changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(ServeError::System)?;
    let read = std::thread::scope(|threads| {
        // Apart from any runtime that calls this.
        threads.spawn(|| runtime.block_on(RustlsConfig::from_pem_file(cert, key))).join()
    });
    let failed = |problem: String| ServeError::Tls { cert: cert.into(), key: key.into(), problem };
    let read = read.map_err(|_| failed("reading them broke down".into()))?;
    read.map_err(|error| failed(error.to_string()))
}

impl Listening {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of the page.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        match self.address.ip().is_unspecified() {
            true => format!("{scheme}://localhost:{}/", self.address.port()),
            false => format!("{scheme}://{}/", self.address),
        }
    }

    /// Whether others than this machine are answered without tokens or without TLS.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// Answers until `until` is over; then finishes what is asked already, and stops loads whole.
    ///
    /// # Errors
    /// If the address is lost.
    pub async fn run(self, until: impl Future<Output = ()> + Send, tell: Tell) -> Result<(), ServeError> {
        let Listening { app, listener, tls, is_open, .. } = self;
        let handle = Handle::new();
        let background = [
            tokio::spawn(follow(app.clone())),
            tokio::spawn(reload(app.clone(), tls.clone(), tell.clone())),
            tokio::spawn(remind(is_open, tell.clone())),
        ];
        let serving = tokio::spawn(serve(app.clone(), listener, tls.map(|(config, _)| config), handle.clone()));
        let mut serving = serving;
        let failed = tokio::select! {
            () = until => None,
            ended = &mut serving => Some(ended),
        };
        background.iter().for_each(tokio::task::JoinHandle::abort);
        if let Some(ended) = failed {
            return ended.unwrap_or_else(|error| Err(std::io::Error::other(error))).map_err(ServeError::System);
        }
        end(&app, &handle, &tell).await;
        serving.await.unwrap_or_else(|error| Err(std::io::Error::other(error))).map_err(ServeError::System)
    }
}

async fn serve(
    app: Arc<App>,
    listener: TcpListener,
    tls: Option<RustlsConfig>,
    handle: Handle<SocketAddr>,
) -> std::io::Result<()> {
    let stall = app.limits.stall;
    let service = router::service(app.clone()).into_make_service();
    let server = axum_server::from_tcp(listener)?.handle(handle).first_request_timeout(stall);
    match tls {
        None => limited(server.acceptor(Counted::new(DefaultAcceptor::new(), app)), stall).serve(service).await,
        Some(config) => {
            let tls = RustlsAcceptor::new(config).handshake_timeout(stall);
            limited(server.acceptor(tls.acceptor(Counted::new(DefaultAcceptor::new(), app))), stall)
                .serve(service)
                .await
        }
    }
}

/// Limits of what a connection may do before anything is asked.
fn limited<A>(mut server: Server<SocketAddr, A>, stall: Duration) -> Server<SocketAddr, A> {
    let builder = server.http_builder();
    builder.http1().header_read_timeout(stall).max_buf_size(64 << 10);
    let mut http2 = builder.http2();
    http2
        .max_concurrent_streams(64)
        .max_header_list_size(16 << 10)
        .keep_alive_interval(stall)
        .keep_alive_timeout(stall);
    server
}

/// Finishes what is asked already, and stops jobs whole.
async fn end(app: &Arc<App>, handle: &Handle<SocketAddr>, tell: &Tell) {
    let jobs = app.jobs.unfinished();
    let (connections, n_jobs) = (handle.connection_count(), jobs.len());
    tell(&format!("stopping: {connections} connections finish, {n_jobs} jobs are stopped"));
    jobs.iter().for_each(|job| job.stop().ask());
    handle.graceful_shutdown(Some(GRACE));
    // A rollback, and the end of a load, is done whole.
    while !app.jobs.unfinished().is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    if n_jobs > 0 {
        tell("all jobs are over: nothing is half done");
    }
}

/// Moves graphs along that another process writes.
async fn follow(app: Arc<App>) {
    let followed: Vec<_> = app.all().filter(|graph| graph.is_read_only()).cloned().collect();
    while !followed.is_empty() {
        tokio::time::sleep(FOLLOW).await;
        for graph in followed.clone() {
            let _ = tokio::task::spawn_blocking(move || graph.follow()).await;
        }
    }
}

/// Reads tokens, certificate and key again whenever the process is told to.
#[cfg(unix)]
async fn reload(app: Arc<App>, tls: Option<(RustlsConfig, [PathBuf; 2])>, tell: Tell) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut hangups) = signal(SignalKind::hangup()) else { return };
    while hangups.recv().await.is_some() {
        match app.access.reload() {
            Ok(n) if app.access.needs_token() => tell(&format!("read again: {n} tokens")),
            Ok(_) => {}
            Err(error) => tell(&format!("warning: tokens stay as they were: {error}")),
        }
        if let Some((config, [cert, key])) = &tls {
            match config.reload_from_pem_file(cert, key).await {
                Ok(()) => tell("read again: certificate and key"),
                Err(error) => tell(&format!("warning: certificate and key stay as they were: {error}")),
            }
        }
    }
}

#[cfg(not(unix))]
async fn reload(_: Arc<App>, _: Option<(RustlsConfig, [PathBuf; 2])>, _: Tell) {}

/// Says each minute that anybody may ask.
async fn remind(is_open: bool, tell: Tell) {
    if !is_open {
        return;
    }
    loop {
        tell("warning: --insecure: others are answered without tokens or without TLS");
        tokio::time::sleep(REMIND).await;
    }
}

/// Serves until the process is told to end: by Ctrl-C or SIGTERM, once. A second time ends it at once.
///
/// # Errors
/// As [`Options::listen`].
pub fn run(options: Options, started: impl FnOnce(&Listening), tell: Tell) -> Result<(), ServeError> {
    let listening = options.listen()?;
    started(&listening);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(ServeError::System)?;
    let told = tell.clone();
    let ended = runtime.block_on(async move {
        let wishes = wishes().map_err(ServeError::System)?;
        let until = async move {
            wishes.await;
            tokio::spawn(async move {
                if let Ok(second) = self::wishes() {
                    second.await;
                    told("stopped at once");
                    std::process::exit(130);
                }
            });
        };
        listening.run(until, tell).await
    });
    runtime.shutdown_timeout(GRACE);
    ended
}

/// Over when the process is told to end.
#[cfg(unix)]
fn wishes() -> std::io::Result<impl Future<Output = ()> + Send> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn wishes() -> std::io::Result<impl Future<Output = ()> + Send> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}
