//! What is served, and how.

use std::path::PathBuf;
use std::sync::Arc;

use timeweft::Graph;

use crate::app::App;
use crate::limits::Limits;
use crate::router;
use crate::served::Served;

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
#[derive(Default)]
pub struct Options {
    graphs: Vec<(String, Graph)>,
    /// Limits of what a client may ask.
    pub limits: Limits,
    /// Below this folder lie the sources that a load may name; none: a load names none.
    pub sources: Option<PathBuf>,
}

impl Options {
    /// Serves a graph under a name, too. One that is open for writing takes in loads.
    pub fn graph(mut self, name: &str, graph: Graph) -> Options {
        self.graphs.push((name.to_owned(), graph));
        self
    }

    /// The service that answers, for a server of one's own: no connection and no TLS.
    ///
    /// # Errors
    /// If a graph cannot be read.
    pub fn service(self) -> Result<axum::Router, timeweft::Error> {
        let served: Result<Vec<Served>, _> =
            self.graphs.into_iter().map(|(name, graph)| Served::new(name, graph)).collect();
        Ok(router::service(Arc::new(App::new(served?, self.limits, self.sources))))
    }
}
