//! Which graphs there are, and what is in one.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use timeweft::read::{EdgeTypeId, FeatureId, NodeTypeId, Owner, TypeSet};
use timeweft::{At, Time, TimeUnit, View};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer;
use crate::app::App;
use crate::asking::{Asked, AtParameters};
use crate::caller::Caller;
use crate::pinned::{Pinned, Sizes};
use crate::problem::Problem;
use crate::served::{Served, State as GraphState};
use crate::wire::{Head, Moment};

pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(graphs)).routes(routes!(graph))
}

/// All graphs that are served.
#[derive(Serialize, ToSchema)]
struct Graphs {
    graphs: Vec<GraphRow>,
}

/// A graph of the list, at its newest commit and the end of time.
#[derive(Serialize, ToSchema)]
struct GraphRow {
    name: String,
    unit: Unit,
    commit: u64,
    nodes: u64,
    edges: u64,
    /// Null in a graph without events.
    span: Option<Span>,
    /// Of log, snapshots and models on disk.
    bytes: u64,
    state: GraphState,
    message: Option<String>,
}

/// What a tick means.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Unit {
    S,
    Ms,
    Us,
    Ns,
    Step,
}

impl From<TimeUnit> for Unit {
    fn from(unit: TimeUnit) -> Unit {
        match unit {
            TimeUnit::Second => Unit::S,
            TimeUnit::Milli => Unit::Ms,
            TimeUnit::Micro => Unit::Us,
            TimeUnit::Nano => Unit::Ns,
            TimeUnit::Step => Unit::Step,
        }
    }
}

/// The times of the first and the last event, both included.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
struct Span {
    from: Moment,
    to: Moment,
}

impl Span {
    fn of(view: &View) -> Option<Span> {
        let moment = |time| Moment::of(view.unit(), time);
        view.index().tallied_span().map(|(from, to)| Span { from: moment(from), to: moment(to) })
    }
}

/// What is in a graph.
#[derive(Serialize, ToSchema)]
struct GraphInfo {
    #[serde(flatten)]
    head: Head,
    name: String,
    unit: Unit,
    newest_commit: u64,
    read_only: bool,
    /// Null in a graph without events.
    span: Option<Span>,
    /// At the time, as are the other counts.
    nodes: u64,
    edges: u64,
    merges: u64,
    node_types: Vec<NodeTypeRow>,
    edge_types: Vec<EdgeTypeRow>,
    namespaces: Vec<String>,
    bytes: Bytes,
    freshness: Freshness,
    health: Health,
}

#[derive(Serialize, ToSchema)]
struct NodeTypeRow {
    r#type: String,
    nodes: u64,
    features: Vec<FeatureRow>,
}

#[derive(Serialize, ToSchema)]
struct EdgeTypeRow {
    source: String,
    relation: String,
    destination: String,
    edges: u64,
    features: Vec<FeatureRow>,
}

#[derive(Serialize, ToSchema)]
struct FeatureRow {
    name: String,
    /// `f32`, `f32[]`, `text`, `category`, `json`, `bytes`, `sparse f32 of rank 2`.
    kind: String,
}

/// Bytes on disk, and in the memory of the server.
#[derive(Serialize, ToSchema)]
struct Bytes {
    log: u64,
    index: u64,
    models: u64,
    /// Of the whole process; 0 where the system does not say.
    resident: u64,
}

#[derive(Serialize, ToSchema)]
struct Freshness {
    /// When the newest load of this commit ended, by the clock of the machine that loaded it (RFC 3339).
    loaded: Option<String>,
    /// Commits on disk that this server has yet to take in.
    behind: u64,
}

#[derive(Serialize, ToSchema)]
struct Health {
    state: HealthState,
    messages: Vec<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum HealthState {
    Ok,
    Failed,
}

/// Commits on disk after the one that is shown. Where that cannot be read, the health of the graph says so.
fn behind(pinned: &Pinned, graph: &Served) -> u64 {
    let shown = graph.newest().commit();
    pinned.graph().newest_commit().map_or(0, |newest| newest.0.saturating_sub(shown.0))
}

/// Which graphs there are.
#[utoipa::path(get, path = "/v1/graphs", tag = "graphs", responses((status = 200, body = Graphs)))]
async fn graphs(State(app): State<Arc<App>>, caller: Caller) -> Result<Response, Problem> {
    let visible: Vec<Arc<Served>> = app.visible(&caller).cloned().collect();
    let mut graphs = Vec::with_capacity(visible.len());
    for graph in visible {
        let of = graph.clone();
        graphs.push(app.work(&graph, move |_| Ok(row(&of))).await?);
    }
    answer::unkept(StatusCode::OK, &Graphs { graphs })
}

fn row(graph: &Served) -> GraphRow {
    let (pinned, (state, message)) = (graph.newest(), graph.state());
    let (nodes, edges) = pinned.view().index().tallied_counts(At::now());
    let Sizes { log, index, models } = pinned.sizes();
    GraphRow {
        name: graph.name().to_owned(),
        unit: graph.unit().into(),
        commit: pinned.commit().0,
        nodes: nodes.iter().sum::<usize>() as u64,
        edges: edges.iter().sum::<usize>() as u64,
        span: Span::of(pinned.view()),
        bytes: log + index + models,
        state,
        message,
    }
}

/// What is in a graph: types, counts at a time, its first and last event, sizes, health.
///
/// Types of loads that were taken back, and of which nothing is left, are not listed.
#[utoipa::path(get, path = "/v1/graphs/{graph}", tag = "graphs", params(AtParameters, ("graph" = String, Path)),
    responses((status = 200, body = GraphInfo)))]
async fn graph(asked: Asked) -> Result<Response, Problem> {
    asked.answer(|asked, _| info(&asked.pinned, &asked.graph, asked.at)).await
}

fn info(pinned: &Pinned, graph: &Served, at: At) -> Result<GraphInfo, Problem> {
    let (view, unused) = (pinned.view(), pinned.unused()?);
    let (nodes, edges) = view.index().tallied_counts(at);
    let Sizes { log, index, models } = pinned.sizes();
    let loads = || pinned.graph().loads().iter().filter(|load| load.commit <= view.commit());
    let mut namespaces: Vec<String> = loads().map(|load| load.namespace.to_string()).collect();
    namespaces.sort_unstable();
    namespaces.dedup();
    let (state, message) = graph.state();
    Ok(GraphInfo {
        head: Head::new(view.unit(), view.commit(), at),
        name: graph.name().to_owned(),
        unit: view.unit().into(),
        newest_commit: graph.newest().commit().0,
        read_only: graph.is_read_only(),
        span: Span::of(view),
        nodes: nodes.iter().sum::<usize>() as u64,
        edges: edges.iter().sum::<usize>() as u64,
        merges: view.index().n_merges(at.time) as u64,
        node_types: node_types(view, unused, &nodes),
        edge_types: edge_types(view, unused, &edges),
        namespaces,
        bytes: Bytes { log, index, models, resident: resident() },
        freshness: Freshness {
            loaded: loads().next_back().map(|load| TimeUnit::Milli.format(Time(load.completed))),
            behind: behind(pinned, graph),
        },
        health: Health {
            state: match state {
                GraphState::Ready => HealthState::Ok,
                GraphState::Failed => HealthState::Failed,
            },
            messages: message.into_iter().collect(),
        },
    })
}

fn node_types(view: &View, unused: &TypeSet, counts: &[usize]) -> Vec<NodeTypeRow> {
    let types = (0..).map(NodeTypeId).zip(view.schema().node_types()).zip(counts);
    let used = types.filter(|((id, _), _)| !unused.contains(&(Owner::Node(*id), None)));
    let mut rows: Vec<NodeTypeRow> = used
        .map(|((id, of), nodes)| NodeTypeRow {
            r#type: of.name.to_string(),
            nodes: *nodes as u64,
            features: features(view, unused, Owner::Node(id)),
        })
        .collect();
    rows.sort_by(|a, b| a.r#type.cmp(&b.r#type));
    rows
}

fn edge_types(view: &View, unused: &TypeSet, counts: &[usize]) -> Vec<EdgeTypeRow> {
    let types = (0..).map(EdgeTypeId).zip(view.schema().edge_types()).zip(counts);
    let used = types.filter(|((id, _), _)| !unused.contains(&(Owner::Edge(*id), None)));
    let mut rows: Vec<EdgeTypeRow> = used
        .map(|((id, of), edges)| EdgeTypeRow {
            source: view.schema().node_type_name(of.source).to_string(),
            relation: of.relation.to_string(),
            destination: view.schema().node_type_name(of.destination).to_string(),
            edges: *edges as u64,
            features: features(view, unused, Owner::Edge(id)),
        })
        .collect();
    rows.sort_by(|a, b| (&a.source, &a.relation, &a.destination).cmp(&(&b.source, &b.relation, &b.destination)));
    rows
}

fn features(view: &View, unused: &TypeSet, owner: Owner) -> Vec<FeatureRow> {
    let all = (0..).map(FeatureId).zip(view.schema().features(owner));
    let used = all.filter(|(id, _)| !unused.contains(&(owner, Some(*id))));
    let mut rows: Vec<FeatureRow> =
        used.map(|(_, def)| FeatureRow { name: def.name.to_string(), kind: def.kind.to_string() }).collect();
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    rows
}

/// Bytes of memory of this process.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or_default() * 1024
}
