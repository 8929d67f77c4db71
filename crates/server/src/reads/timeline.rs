//! What came, changed and went over time.

use std::sync::Arc;

use axum::response::Response;
use serde::{Deserialize, Serialize};
use timeweft::Time;
use timeweft::read::Timeline;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::graphs::Unit;
use super::loads::LoadState;
use super::lookup;
use crate::app::App;
use crate::asking::{Asked, Clocks, CommitParameter, Question};
use crate::pinned::Pinned;
use crate::problem::Problem;
use crate::wire::{Moment, Tick};

pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(timeline))
}

/// Bins where a question says nothing, and at most.
const BINS: usize = 200;
const MOST_BINS: usize = 1_000;

/// Of which time, in how many bins.
#[derive(Deserialize, IntoParams, Debug, Default)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// First tick: ticks, RFC 3339, or `namespace@version`; left out, the first event.
    from: Option<String>,
    /// Last tick; left out, the last event.
    to: Option<String>,
    /// Bins: 200 if left out, at most 1,000; as many as there are ticks, if that is fewer.
    bins: Option<usize>,
    /// Nodes of this type alone, without edges; may be given several times.
    r#type: Vec<String>,
}

impl Question for Wanted {
    const CLOCKS: Clocks = Clocks::Commit;
}

/// Numbers of nodes and edges by bins of equal width.
#[derive(Serialize, ToSchema)]
struct TimelineAnswer {
    commit: u64,
    unit: Unit,
    /// Null in a graph without events, as is `to`; all lists are empty then.
    from: Option<Moment>,
    to: Option<Moment>,
    /// Borders of the bins: one more than there are bins; the last lies behind `to`.
    edges: Vec<Tick>,
    created: Vec<u64>,
    updated: Vec<u64>,
    removed: Vec<u64>,
    /// Versions that took effect within.
    loads: Vec<Mark>,
}

/// A version on the line of time.
#[derive(Serialize, ToSchema)]
struct Mark {
    id: u64,
    namespace: Option<String>,
    version: Option<String>,
    at: Moment,
    state: LoadState,
}

/// What was created, updated and removed in each of many bins of time, and which versions took effect.
#[utoipa::path(get, path = "/v1/graphs/{graph}/timeline", tag = "graphs",
    params(Wanted, CommitParameter, ("graph" = String, Path)), responses((status = 200, body = TimelineAnswer)))]
async fn timeline(asked: Asked<Wanted>) -> Result<Response, Problem> {
    asked.answer(|asked, _| answer(&asked.pinned, &asked.query)).await
}

fn answer(pinned: &Pinned, wanted: &Wanted) -> Result<TimelineAnswer, Problem> {
    let (view, bins) = (pinned.view(), wanted.bins.unwrap_or(BINS));
    if bins == 0 || bins > MOST_BINS {
        return Err(Problem::bad(format!("bins: expected 1 to {MOST_BINS}, got {bins}")));
    }
    let types = lookup::node_types(view, &wanted.r#type)?;
    let window = window(pinned, wanted.from.as_deref(), wanted.to.as_deref())?;
    let types = (!types.is_empty()).then_some(&types[..]);
    let of = window.map_or_else(Timeline::default, |(from, to)| view.index().timeline(from, to, bins, types));
    let moment = |time: Time| Moment::of(view.unit(), time);
    Ok(TimelineAnswer {
        commit: view.commit().0,
        unit: view.unit().into(),
        from: window.map(|(from, _)| moment(from)),
        to: window.map(|(_, to)| moment(to)),
        edges: of.borders.into_iter().map(Tick::from).collect(),
        created: of.created,
        updated: of.updated,
        removed: of.removed,
        loads: window.map_or_else(Vec::new, |window| marks(pinned, window)),
    })
}

/// The first and the last tick that is meant; none in a graph without events.
pub(super) fn window(pinned: &Pinned, from: Option<&str>, to: Option<&str>) -> Result<Option<(Time, Time)>, Problem> {
    let Some(span) = pinned.view().index().tallied_span() else { return Ok(None) };
    let from = from.map_or(Ok(span.0), |text| pinned.time("from", text))?;
    let to = to.map_or(Ok(span.1), |text| pinned.time("to", text))?;
    // Nothing happens at the end of time itself.
    let to = if to == Time::FOREVER { span.1.max(from) } else { to };
    if from > to {
        let message =
            format!("from: {} is after to: {}", pinned.view().unit().format(from), pinned.view().unit().format(to));
        return Err(Problem::bad(message));
    }
    Ok(Some((from, to)))
}

fn marks(pinned: &Pinned, (from, to): (Time, Time)) -> Vec<Mark> {
    let loads = pinned.graph().loads().iter().filter(|load| load.commit <= pinned.commit());
    let marks = loads.filter_map(|load| {
        let at = load.timestamp.filter(|at| load.undoes.is_none() && from <= *at && *at <= to)?;
        Some(Mark {
            id: load.id.0,
            namespace: Some(load.namespace.to_string()),
            version: load.version.as_ref().map(ToString::to_string),
            at: Moment::of(pinned.view().unit(), at),
            state: LoadState::of(pinned, load),
        })
    });
    marks.collect()
}
