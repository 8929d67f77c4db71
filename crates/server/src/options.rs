//! What is served, and how.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use timeweft::Graph;

use crate::access::Access;
use crate::app::App;
use crate::limits::Limits;
use crate::router;
use crate::served::Served;
use crate::tokens::TokensError;

/// What is served, and how.
///
/// ```
/// # use timeweft::{Graph, TimeUnit};
/// use timeweft_server::Options;
/// # let dir = tempfile::tempdir()?;
/// let mail = Graph::create(dir.path().join("mail"), TimeUnit::Second)?;
/// let service = Options::default().graph("mail", mail).service()?;
/// # let _: axum::Router = service;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Options {
    /// The graphs by name. One that is open for writing takes in loads.
    pub graphs: Vec<(String, Graph)>,
    /// Where the server listens; port 0 takes a free one.
    pub bind: SocketAddr,
    /// Certificate chain and private key, as PEM; none: no TLS.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// The file of tokens; none: nobody needs one.
    pub tokens: Option<PathBuf>,
    /// Answers others than this machine without tokens or without TLS.
    pub insecure: bool,
    /// Below this folder lie the sources that a load may name; none: a load names none.
    pub sources: Option<PathBuf>,
    /// Limits of what a client may ask.
    pub limits: Limits,
}

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// No graph was given.
    #[error("no graph to serve: name at least one")]
    NoGraph,
    /// Two graphs of one name, or a name that is none.
    #[error("graph `{0}`: the name is empty, has a `/`, or is that of another graph: rename its folder")]
    Name(String),
    /// Others than this machine could ask, unprotected.
    #[error(
        "{bind} can be reached by others, and {lacking}: give --tls CERT KEY and --tokens FILE (`timeweft token create` \
         makes it), or bind to 127.0.0.1; --insecure serves it as it is"
    )]
    #[allow(missing_docs)]
    Open { bind: SocketAddr, lacking: &'static str },
    /// The tokens cannot be read.
    #[error(transparent)]
    Tokens(#[from] TokensError),
    /// A graph cannot be read.
    #[error(transparent)]
    Graph(#[from] timeweft::Error),
    /// The folder of sources is none.
    #[error("--sources {}: {source}", .path.display())]
    #[allow(missing_docs)]
    Sources { path: PathBuf, source: std::io::Error },
    /// Certificate or key cannot be used.
    #[error("--tls {} {}: {problem}", .cert.display(), .key.display())]
    #[allow(missing_docs)]
    Tls { cert: PathBuf, key: PathBuf, problem: String },
    /// The address cannot be had.
    #[error("cannot listen at {bind}: {source}: choose another with --bind; port 0 takes a free one")]
    #[allow(missing_docs)]
    Bind { bind: SocketAddr, source: std::io::Error },
    /// The system gives no threads or signals.
    #[error("the server cannot run: {0}")]
    System(std::io::Error),
}

impl Default for Options {
    fn default() -> Options {
        Options {
            graphs: Vec::new(),
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 8642)),
            tls: None,
            tokens: None,
            insecure: false,
            sources: None,
            limits: Limits::default(),
        }
    }
}

impl Options {
    /// Serves a graph under a name, too.
    pub fn graph(mut self, name: &str, graph: Graph) -> Options {
        self.graphs.push((name.to_owned(), graph));
        self
    }

    /// The service that answers, for a server of one's own: no connection and no TLS.
    ///
    /// # Errors
    /// If a graph, the tokens or the folder of sources cannot be read.
    pub fn service(self) -> Result<axum::Router, ServeError> {
        Ok(router::service(self.app()?))
    }

    pub(crate) fn app(self) -> Result<Arc<App>, ServeError> {
        self.check()?;
        let Options { graphs, bind, tls, tokens, sources, limits, .. } = self;
        let sources = sources.map(|path| {
            // Links are followed once, so that paths below it can be compared.
            path.canonicalize().map_err(|source| ServeError::Sources { path, source })
        });
        let access = Access::new(tokens, tls.is_some(), bind.ip().is_loopback())?;
        let served: Result<Vec<Served>, _> = graphs.into_iter().map(|(name, graph)| Served::new(name, graph)).collect();
        Ok(Arc::new(App::new(served?, limits, sources.transpose()?, access)))
    }

    fn check(&self) -> Result<(), ServeError> {
        if self.graphs.is_empty() {
            return Err(ServeError::NoGraph);
        }
        for (at, (name, _)) in self.graphs.iter().enumerate() {
            if name.is_empty() || name.contains('/') || self.graphs[..at].iter().any(|(other, _)| other == name) {
                return Err(ServeError::Name(name.clone()));
            }
        }
        let lacking = match (self.tokens.is_none(), self.tls.is_none()) {
            (false, false) => return Ok(()),
            (true, true) => "there are neither tokens nor TLS",
            (true, false) => "there are no tokens",
            (false, true) => "tokens would travel without TLS",
        };
        if self.bind.ip().is_loopback() || self.insecure {
            return Ok(());
        }
        Err(ServeError::Open { bind: self.bind, lacking })
    }
}
