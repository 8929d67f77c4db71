//! Moments by name: a time, or the name of a version; and the namespaces that a graph knows.

use timeweft::load::LoadRecord;
use timeweft::{Commit, Graph, Time, TimeUnit};

use crate::outcome::UsageError;
use crate::output::text;

/// How many names are listed where one is not known, the newest.
const LISTED: usize = 12;

/// An error that lists what is known, unless the registry knows the namespace.
pub(crate) fn known_namespace(graph: &Graph, namespace: &str) -> anyhow::Result<()> {
    if graph.loads().iter().any(|load| *load.namespace == *namespace) {
        return Ok(());
    }
    let mut names: Vec<&str> = graph.loads().iter().map(|load| &*load.namespace).collect();
    names.sort_unstable();
    names.dedup();
    let known = if names.is_empty() {
        "it is empty; load something first".to_owned()
    } else {
        format!("it has {}", text::listed(&names, LISTED))
    };
    anyhow::bail!("no namespace `{}` in this graph: {known}", text::short(namespace))
}

/// Reads a time option; what is no time is wrong usage.
pub(crate) fn parse_time(unit: TimeUnit, text: &str, option: &str) -> Result<Time, UsageError> {
    unit.parse(text).map_err(|error| UsageError(format!("{option}: {error}")))
}

/// Reads moments of a graph as the store knew it at a commit.
pub(crate) struct Moments<'a> {
    graph: &'a Graph,
    /// Loads with a version and its time that are in effect.
    versions: Vec<&'a LoadRecord>,
}

impl<'a> Moments<'a> {
    pub(crate) fn new(graph: &'a Graph, commit: Commit) -> Moments<'a> {
        let known = || graph.loads().iter().filter(move |load| load.commit <= commit);
        let is_undone = |load: &LoadRecord| known().any(|other| other.undoes == Some(load.id));
        let versions = known().filter(|load| load.is_version() && load.undoes.is_none() && !is_undone(load));
        Moments { graph, versions: versions.collect() }
    }

    /// The time that a text means: `NAMESPACE@VERSION`, a time, or the name of a version that means one time only. In a
    /// question about one namespace the names of its versions come first.
    ///
    /// # Errors
    /// If it means no time, or several; then the versions are listed.
    pub(crate) fn read(&self, option: &str, text: &str, namespace: Option<&str>) -> Result<Time, UsageError> {
        if let Some(time) = namespace.and_then(|namespace| self.version(namespace, text)) {
            return Ok(time);
        }
        let as_time = parse_time(self.graph.unit(), text, option);
        if let (Err(_), Some((namespace, version))) = (&as_time, self.split(text)) {
            let known = || self.names(|load| *load.namespace == *namespace);
            let unknown = || format!("{option}: namespace `{namespace}` has no version `{version}`: {}", known());
            return self.version(namespace, version).ok_or_else(|| UsageError(unknown()));
        }
        let named: Vec<&LoadRecord> = self.of(|load| load.version.as_deref() == Some(text)).collect();
        match (as_time, named.first()) {
            (Ok(time), _) => Ok(time),
            (Err(_), Some(first)) if named.iter().all(|load| load.timestamp == first.timestamp) => {
                first.timestamp.ok_or_else(|| UsageError(format!("{option}: version `{text}` has no time")))
            }
            (Err(_), Some(_)) => {
                let names = self.names(|load| load.version.as_deref() == Some(text));
                Err(UsageError(format!("{option}: several namespaces have a version `{text}`: {names}")))
            }
            (Err(UsageError(problem)), None) if self.versions.is_empty() => Err(UsageError(problem)),
            (Err(UsageError(problem)), None) => {
                Err(UsageError(format!("{problem}; nor is it the name of a version: {}", self.names(|_| true))))
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

    /// The versions as they are named on the command line, the newest ones.
    fn names(&self, wanted: impl Fn(&LoadRecord) -> bool) -> String {
        let mut loads: Vec<&LoadRecord> = self.of(wanted).collect();
        loads.sort_by_key(|load| load.timestamp);
        let name = |load: &&LoadRecord| format!("{}@{}", load.namespace, load.version.as_deref().unwrap_or_default());
        let names: Vec<String> = loads.iter().map(name).collect();
        let newest: Vec<&str> = names.iter().rev().map(String::as_str).collect();
        format!("there are {}", text::listed(&newest, LISTED))
    }
}
