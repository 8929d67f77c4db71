//! Moments by name: a time, or the name of a version.

use crate::load::LoadRecord;
use crate::{Commit, Graph, Time};

/// How many names are listed where one is not known, the newest.
const LISTED: usize = 12;

/// A text that means no time, or several.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct MomentError(String);

/// Reads moments of a graph as the store knew it at a commit.
///
/// ```
/// use timeweft::{Commit, Graph, Time, TimeUnit, read::Moments};
/// # let dir = tempfile::tempdir()?;
/// # let graph = Graph::create(dir.path().join("mail"), TimeUnit::Second)?;
/// let moments = Moments::new(&graph, graph.commit());
/// assert_eq!(moments.read("at", "1970-01-02", None)?, Time(86_400));
/// assert!(moments.read("at", "mail@3", None).is_err(), "there is no such version");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Moments<'a> {
    graph: &'a Graph,
    /// Loads with a version and its time that are in effect.
    versions: Vec<&'a LoadRecord>,
}

impl<'a> Moments<'a> {
    /// The moments that a graph knew at a commit.
    pub fn new(graph: &'a Graph, commit: Commit) -> Moments<'a> {
        let known = || graph.loads().iter().filter(move |load| load.commit <= commit);
        let is_undone = |load: &LoadRecord| known().any(|other| other.undoes == Some(load.id));
        let versions = known().filter(|load| load.is_version() && load.undoes.is_none() && !is_undone(load));
        Moments { graph, versions: versions.collect() }
    }

    /// The time that the text of an option means: `NAMESPACE@VERSION`, a time, or the name of a version that means one time only. In a
    /// question about one namespace the names of its versions come first.
    ///
    /// # Errors
    /// If it means no time, or several; then the versions are listed.
    pub fn read(&self, option: &str, text: &str, namespace: Option<&str>) -> Result<Time, MomentError> {
        if let Some(time) = namespace.and_then(|namespace| self.version(namespace, text)) {
            return Ok(time);
        }
        let as_time = self.graph.unit().parse(text).map_err(|error| MomentError(format!("{option}: {error}")));
        if let (Err(_), Some((namespace, version))) = (&as_time, self.split(text)) {
            let known = || self.names(|load| *load.namespace == *namespace);
            let unknown = || format!("{option}: namespace `{namespace}` has no version `{version}`: {}", known());
            return self.version(namespace, version).ok_or_else(|| MomentError(unknown()));
        }
        let named: Vec<&LoadRecord> = self.of(|load| load.version.as_deref() == Some(text)).collect();
        match (as_time, named.first()) {
            (Ok(time), _) => Ok(time),
            (Err(_), Some(first)) if named.iter().all(|load| load.timestamp == first.timestamp) => {
                first.timestamp.ok_or_else(|| MomentError(format!("{option}: version `{text}` has no time")))
            }
            (Err(_), Some(_)) => {
                let names = self.names(|load| load.version.as_deref() == Some(text));
                Err(MomentError(format!("{option}: several namespaces have a version `{text}`: {names}")))
            }
            (Err(MomentError(problem)), None) if self.versions.is_empty() => Err(MomentError(problem)),
            (Err(MomentError(problem)), None) => {
                Err(MomentError(format!("{problem}; nor is it the name of a version: {}", self.names(|_| true))))
            }
        }
    }

    /// Namespace and version of `NAMESPACE@VERSION`; either may have an `@` of its own.
    fn split<'t>(&self, text: &'t str) -> Option<(&'t str, &'t str)> {
        let cuts = text.match_indices('@').map(|(at, _)| (&text[..at], &text[at + 1..]));
        cuts.filter(|(namespace, _)| self.versions.iter().any(|load| *load.namespace == **namespace))
            .max_by_key(|(namespace, version)| (self.version(namespace, version).is_some(), namespace.len()))
    }

    /// When a version of a namespace took effect.
    fn version(&self, namespace: &str, version: &str) -> Option<Time> {
        self.of(|load| *load.namespace == *namespace && load.version.as_deref() == Some(version)).next()?.timestamp
    }

    fn of<'s>(&'s self, wanted: impl Fn(&LoadRecord) -> bool + 's) -> impl Iterator<Item = &'a LoadRecord> + 's {
        self.versions.iter().copied().filter(move |load| wanted(load))
    }

    /// The versions as they are named in a question, the newest ones.
    fn names(&self, wanted: impl Fn(&LoadRecord) -> bool) -> String {
        let mut loads: Vec<&LoadRecord> = self.of(wanted).collect();
        loads.sort_by_key(|load| load.timestamp);
        let name = |load: &&LoadRecord| format!("{}@{}", load.namespace, load.version.as_deref().unwrap_or_default());
        let names: Vec<String> = loads.iter().map(name).collect();
        format!("there are {}", listed(&names))
    }
}

/// The newest names with commas between, and how many more there are.
fn listed(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().rev().take(LISTED).map(String::as_str).collect();
    let more = names.len() - shown.len();
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}
