//! Times of options, and the namespaces that a graph knows.

use timeweft::{Graph, Time, TimeUnit};

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
