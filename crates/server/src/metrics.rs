//! What requests and loads count up.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// The numbers that requests and loads count up.
pub(crate) struct Metrics {
    requests: Family<Asked, Counter>,
    seconds: Family<Route, Histogram, fn() -> Histogram>,
    refused_connections: Counter,
    loaded: Family<OfGraph, Counter>,
    load_seconds: Family<OfGraph, Counter<f64, std::sync::atomic::AtomicU64>>,
}

/// A request by what it asked and how it ended.
#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Asked {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
pub(crate) struct OfGraph {
    pub(crate) graph: String,
}

impl Default for Metrics {
    fn default() -> Metrics {
        // From a quarter of a millisecond to 16 seconds.
        let buckets = || Histogram::new((0..17).map(|step| 0.00025 * f64::from(1u32 << step)));
        Metrics {
            requests: Family::default(),
            seconds: Family::new_with_constructor(buckets),
            refused_connections: Counter::default(),
            loaded: Family::default(),
            load_seconds: Family::default(),
        }
    }
}

impl Metrics {
    /// One request more.
    pub(crate) fn count(&self, method: &'static str, route: &str, status: u16, took: Duration) {
        self.requests.get_or_create(&Asked { method, route: route.to_owned(), status }).inc();
        self.seconds.get_or_create(&Route { route: route.to_owned() }).observe(took.as_secs_f64());
    }

    /// What was counted so far.
    pub(crate) fn registry(&self) -> Registry {
        let mut all = Registry::with_prefix("timeweft");
        all.register("requests", "Requests by route and status", self.requests.clone());
        all.register_with_unit("request", "Time to answer", Unit::Seconds, self.seconds.clone());
        let refused = self.refused_connections.clone();
        all.register("connections_refused", "Connections beyond the limit", refused);
        all.register("loaded_events", "Events that loads over HTTP brought", self.loaded.clone());
        all.register_with_unit("load", "Time that these loads took", Unit::Seconds, self.load_seconds.clone());
        all
    }

    /// One connection too many.
    pub(crate) fn refuse(&self) {
        self.refused_connections.inc();
    }

    /// A load that is over.
    pub(crate) fn loaded(&self, graph: &str, events: u64, seconds: f64) {
        let of = OfGraph { graph: graph.to_owned() };
        self.loaded.get_or_create(&of).inc_by(events);
        self.load_seconds.get_or_create(&of).inc_by(seconds);
    }
}

/// Memory of this process, as the system counts it; 0 where it does not tell.
pub(crate) fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok()).map_or(0, |kilo| kilo * 1024)
}
