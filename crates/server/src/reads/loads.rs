//! The registry of loads, and the versions that they brought.

use std::sync::Arc;

use axum::response::Response;
use serde::{Deserialize, Serialize};
use timeweft::Time;
use timeweft::TimeUnit;
use timeweft::load::LoadRecord;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::pages::{self, Page};
use crate::app::App;
use crate::asking::{Asked, Clocks, CommitParameter, Question};
use crate::pinned::Pinned;
use crate::problem::Problem;
use crate::report::Report;
use crate::wire::{AllCounts, Moment};

pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(loads)).routes(routes!(load)).routes(routes!(versions))
}

/// Whether a load counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(tag = "is", rename_all = "snake_case")]
pub(crate) enum LoadState {
    /// It does.
    Complete,
    /// A later one took it back.
    RolledBack { by: u64 },
    /// It takes an earlier one back.
    Rollback { of: u64 },
}

impl LoadState {
    /// As of a commit.
    pub(crate) fn of(pinned: &Pinned, load: &LoadRecord) -> LoadState {
        let known = || pinned.graph().loads().iter().filter(|other| other.commit <= pinned.commit());
        match (load.undoes, known().find(|other| other.undoes == Some(load.id))) {
            (Some(undone), _) => LoadState::Rollback { of: undone.0 },
            (None, Some(by)) => LoadState::RolledBack { by: by.id.0 },
            (None, None) => LoadState::Complete,
        }
    }
}

/// A page of loads.
#[derive(Deserialize, IntoParams, Debug, Default)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct WantedLoads {
    /// Only loads of this namespace.
    namespace: Option<String>,
    /// Rows of a page: 50 if left out, at most 1,000.
    limit: Option<usize>,
    /// Where the list goes on, as `next` gave it.
    cursor: Option<String>,
}

impl Question for WantedLoads {
    const CLOCKS: Clocks = Clocks::Commit;

    fn commit(&self) -> Result<Option<u64>, Problem> {
        pages::commit_of(self.cursor.as_deref())
    }
}

/// A page of the registry, newest first.
#[derive(Serialize, ToSchema)]
struct Loads {
    #[serde(flatten)]
    page: Page,
    loads: Vec<LoadRow>,
}

/// A load.
#[derive(Serialize, ToSchema)]
struct LoadRow {
    id: u64,
    /// The commit that made it visible.
    commit: u64,
    namespace: Option<String>,
    /// The version that it brought.
    version: Option<String>,
    /// When the version took effect.
    at: Option<Moment>,
    /// When its source released it.
    release: Option<Moment>,
    source: String,
    format: Option<String>,
    state: LoadState,
    events: u64,
    rejected: u64,
    /// RFC 3339, by the clock of the machine that loaded it.
    started: String,
    completed: String,
    content_hash: String,
    counts: AllCounts,
}

/// A load with what came of it.
#[derive(Serialize, ToSchema)]
struct LoadWithReport {
    #[serde(flatten)]
    load: LoadRow,
    report: Report,
}

impl LoadRow {
    fn of(pinned: &Pinned, load: &LoadRecord) -> LoadRow {
        let moment = |time: Time| Moment::of(pinned.view().unit(), time);
        let clock = |millis: i64| TimeUnit::Milli.format(Time(millis));
        LoadRow {
            id: load.id.0,
            commit: load.commit.0,
            namespace: Some(load.namespace.to_string()),
            version: load.version.as_ref().map(ToString::to_string),
            at: load.timestamp.map(moment),
            release: load.release_timestamp.map(moment),
            source: load.source.to_string(),
            format: load.format.as_ref().map(ToString::to_string),
            state: LoadState::of(pinned, load),
            events: load.events,
            rejected: load.rejected,
            started: clock(load.started),
            completed: clock(load.completed),
            content_hash: load.content_hash.clone(),
            counts: load.counts.into(),
        }
    }
}

/// The registry of loads, newest first.
#[utoipa::path(get, path = "/v1/graphs/{graph}/loads", tag = "loads",
    params(WantedLoads, CommitParameter, ("graph" = String, Path)), responses((status = 200, body = Loads)))]
async fn loads(asked: Asked<WantedLoads>) -> Result<Response, Problem> {
    asked.answer_at_once(|asked| {
        let (pinned, wanted) = (&asked.pinned, &asked.query);
        let page = pages::wanted(wanted.limit, wanted.cursor.as_deref(), asked.app.limits.rows)?;
        if let Some(namespace) = &wanted.namespace {
            known_namespace(pinned, namespace)?;
        }
        let is_meant = |load: &&LoadRecord| {
            load.commit <= pinned.commit() && wanted.namespace.as_ref().is_none_or(|name| *load.namespace == **name)
        };
        let all = || pinned.graph().loads().iter().rev().filter(is_meant);
        let rows = all().skip(page.start).take(page.len() + 1).map(|load| LoadRow::of(pinned, load));
        let (mut rows, total) = (rows.collect::<Vec<_>>(), all().count() as u64);
        let page = pages::cut(&mut rows, &page, pinned.commit().0, Some(total));
        Ok(Loads { page, loads: rows })
    })
}

/// An error unless the registry knows the namespace.
pub(super) fn known_namespace(pinned: &Pinned, namespace: &str) -> Result<(), Problem> {
    let mut names: Vec<&str> = pinned.graph().loads().iter().map(|load| &*load.namespace).collect();
    if names.contains(&namespace) {
        return Ok(());
    }
    names.sort_unstable();
    names.dedup();
    let known =
        if names.is_empty() { "The graph is empty.".into() } else { format!("There are {}.", names.join(", ")) };
    Err(Problem::not_found(format!("no namespace `{namespace}`")).hint(known))
}

/// A load of the registry with what came of it, as far as the registry keeps that: numbers, not the rejected records.
#[utoipa::path(get, path = "/v1/graphs/{graph}/loads/{load}", tag = "loads",
    params(CommitParameter, ("graph" = String, Path), ("load" = u64, Path, description = "Number of the load")),
    responses((status = 200, body = LoadWithReport)))]
async fn load(asked: Asked<OneLoad>) -> Result<Response, Problem> {
    asked.answer_at_once(|asked| {
        let (pinned, text) = (&asked.pinned, asked.part("load"));
        let number = text.parse::<u64>().map_err(|_| Problem::bad(format!("load: expected a number, got `{text}`")))?;
        let known = pinned.graph().loads().iter().filter(|load| load.commit <= pinned.commit());
        let newest = known.clone().count();
        let found = known.clone().find(|load| load.id.0 == number).ok_or_else(|| {
            Problem::not_found(format!("there is no load {number}")).hint(match newest {
                0 => "Nothing was loaded yet.".to_owned(),
                newest => format!("There are the loads from 1 to {newest}."),
            })
        })?;
        let mut warnings = Vec::new();
        if found.rejected > 0 {
            warnings.push("The registry keeps how many records were rejected, not which.".to_owned());
        }
        let report = Report {
            counts: found.counts.into(),
            events: found.events,
            rejected: found.rejected,
            warnings,
            seconds: (found.completed - found.started) as f64 / 1_000.0,
            commit: Some(found.commit.0),
            ..Report::default()
        };
        Ok(LoadWithReport { load: LoadRow::of(pinned, found), report })
    })
}

/// A load, as of a commit.
#[derive(Deserialize, Debug, Default)]
#[serde(deny_unknown_fields)]
struct OneLoad {}

impl Question for OneLoad {
    const CLOCKS: Clocks = Clocks::Commit;
}

/// The versions in effect.
#[derive(Serialize, ToSchema)]
struct Versions {
    versions: Vec<Version>,
}

/// A version of a namespace.
#[derive(Serialize, ToSchema)]
struct Version {
    namespace: String,
    version: String,
    /// When it took effect.
    at: Moment,
    /// The load that brought it.
    load: u64,
}

/// The versions in effect, in order of time: what `namespace@version` may name.
#[utoipa::path(get, path = "/v1/graphs/{graph}/versions", tag = "loads",
    params(CommitParameter, ("graph" = String, Path)), responses((status = 200, body = Versions)))]
async fn versions(asked: Asked<OneLoad>) -> Result<Response, Problem> {
    asked.answer_at_once(|asked| {
        let pinned = &asked.pinned;
        let known =
            pinned.graph().loads().iter().filter(|load| load.commit <= pinned.commit() && load.undoes.is_none());
        let mut found: Vec<(Time, Version)> = known
            .filter(|load| LoadState::of(pinned, load) == LoadState::Complete)
            .filter_map(|load| {
                let (at, version) = (load.timestamp?, load.version.as_ref()?.to_string());
                let namespace = load.namespace.to_string();
                Some((at, Version { namespace, version, at: Moment::of(pinned.view().unit(), at), load: load.id.0 }))
            })
            .collect();
        found.sort_by_key(|(at, version)| (*at, version.load));
        Ok(Versions { versions: found.into_iter().map(|(_, version)| version).collect() })
    })
}
