//! What is near some nodes at some time of a window: what the page draws.

use std::sync::Arc;

use axum::response::Response;
use serde::{Deserialize, Serialize};
use timeweft::read::{Expansion, NearEdge, NearNode, Neighborhood, NodeIndex, Surroundings};
use timeweft::{Direction, Interval, Time, View};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::graphs::Unit;
use super::neighbors::OneSide;
use super::{lookup, timeline};
use crate::app::App;
use crate::asking::{Asked, Clocks, CommitParameter, Question, decoded, node_name};
use crate::pinned::Pinned;
use crate::problem::Problem;
use crate::wire::{Moment, Tick};

pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(subgraph))
}

/// Limits of a question.
const MOST_HOPS: u32 = 3;
const MOST_NEIGHBORS: usize = 100;
const MOST_NODES: usize = 500;
const MOST_ROOTS: usize = 100;
const MOST_EXPANDED: usize = 100;

/// From where, how far, in which window.
#[derive(Deserialize, IntoParams, Debug, Default)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// `type:id` of a node, each percent-encoded alone; may be given up to 100 times.
    root: Vec<String>,
    /// Hops from the roots: 1 if left out, at most 3.
    hops: Option<u32>,
    /// Neighbors of each node, edge type and side, those with the newest life in the window: 10 if left out, at most 100.
    k: Option<usize>,
    /// First tick of the window: ticks, RFC 3339, or `namespace@version`; left out, the first event.
    from: Option<String>,
    /// Last tick of the window; left out, the last event.
    to: Option<String>,
    /// `type:id:relation:side`, each percent-encoded alone, the side `out` or `in`: up to 50 further neighbors of this node; may be given several times.
    expand: Vec<String>,
    /// Nodes at most: nearest hop first, then by degree, then by name; 500 if left out, and at most.
    limit: Option<usize>,
}

impl Question for Wanted {
    const CLOCKS: Clocks = Clocks::Commit;
}

/// Nodes and edges with all lives of the window, so that time moves without another question. Times are ticks alone.
#[derive(Serialize, ToSchema)]
struct SubgraphAnswer {
    commit: u64,
    unit: Unit,
    from: Moment,
    to: Moment,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    /// Distinct times at which anything above begins, changes or ends within the window, ascending; at most 2,000, evenly thinned.
    marks: Vec<Tick>,
    /// Nodes near the roots, also those that are not sent; 10,000 where there are more.
    total: u64,
}

/// A life: created, removed; it may begin before the window and end after it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
struct Span(Tick, Option<Tick>);

impl From<Interval> for Span {
    fn from(life: Interval) -> Span {
        Span(life.created.into(), open(life.removed))
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = SubgraphNode)]
struct Node {
    r#type: String,
    id: String,
    name: Option<String>,
    hop: u32,
    /// Edges in the window, also those that are not sent.
    degree: u64,
    lives: Vec<Span>,
    /// Times at which a feature changed, at most 100, the newest.
    changes: Vec<Tick>,
    /// The last node of the answer that it became in the window.
    merged: Option<Merged>,
    /// Edges in the window that were left out.
    more: Vec<More>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SubgraphMerge)]
struct Merged {
    /// Position in `nodes`.
    into: usize,
    at: Tick,
    until: Option<Tick>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SubgraphMore)]
struct More {
    relation: String,
    side: OneSide,
    /// Type of the neighbors.
    r#type: String,
    n: u64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SubgraphEdge)]
struct Edge {
    /// Position in `nodes`.
    source: usize,
    relation: String,
    /// Position in `nodes`.
    destination: usize,
    key: Option<String>,
    lives: Vec<Span>,
    changes: Vec<Tick>,
}

fn open(time: Time) -> Option<Tick> {
    (time != Time::FOREVER).then(|| time.into())
}

fn ticks(times: &[Time]) -> Vec<Tick> {
    times.iter().map(|time| (*time).into()).collect()
}

/// All that is near the roots at some time of the window, with all lives of that time.
///
/// Nodes that became one another are near each other, as neighbors are. The work is bounded, at hubs too.
#[utoipa::path(get, path = "/v1/graphs/{graph}/subgraph", tag = "nodes",
    params(Wanted, CommitParameter, ("graph" = String, Path)), responses((status = 200, body = SubgraphAnswer)))]
async fn subgraph(asked: Asked<Wanted>) -> Result<Response, Problem> {
    asked.answer(|asked, _| answer(&asked.pinned, &asked.query)).await
}

fn answer(pinned: &Pinned, wanted: &Wanted) -> Result<SubgraphAnswer, Problem> {
    let view = pinned.view();
    let window = timeline::window(pinned, wanted.from.as_deref(), wanted.to.as_deref())?;
    let asked = question(view, wanted, window.unwrap_or((Time(0), Time(0))))?;
    let (from, to) = asked.window;
    let Surroundings { nodes, edges, marks, total } = view.index().neighborhood(&asked);
    let moment = |time: Time| Moment::of(view.unit(), time);
    Ok(SubgraphAnswer {
        commit: view.commit().0,
        unit: view.unit().into(),
        from: moment(from),
        to: moment(to),
        nodes: nodes.iter().map(|near| node(view, near)).collect(),
        edges: edges.iter().map(|near| edge(view, near)).collect(),
        marks: ticks(&marks),
        total: total as u64,
    })
}

fn question(view: &View, wanted: &Wanted, window: (Time, Time)) -> Result<Neighborhood, Problem> {
    let within = |name: &str, given: Option<usize>, default: usize, least: usize, most: usize| {
        let number = given.unwrap_or(default);
        let is_within = (least..=most).contains(&number);
        let wrong = || Problem::bad(format!("{name}: expected {least} to {most}, got {number}"));
        if is_within { Ok(number) } else { Err(wrong()) }
    };
    if wanted.root.is_empty() {
        return Err(Problem::bad("root: a neighbourhood has at least one").hint("Give root=type:id."));
    }
    within("root", Some(wanted.root.len()), 1, 1, MOST_ROOTS)?;
    within("expand", Some(wanted.expand.len()), 0, 0, MOST_EXPANDED)?;
    let mut roots: Vec<NodeIndex> = Vec::new();
    for text in &wanted.root {
        let (of_type, id) = node_name("root", text)?;
        let (_, root) = lookup::node(view, &of_type, &id)?;
        if !roots.contains(&root) {
            roots.push(root);
        }
    }
    Ok(Neighborhood {
        roots,
        window,
        hops: within("hops", wanted.hops.map(|hops| hops as usize), 1, 0, MOST_HOPS as usize)? as u32,
        k: within("k", wanted.k, 10, 1, MOST_NEIGHBORS)?,
        expand: wanted.expand.iter().map(|text| expansion(view, text)).collect::<Result<_, _>>()?,
        limit: within("limit", wanted.limit, MOST_NODES, 1, MOST_NODES)?,
    })
}

fn expansion(view: &View, text: &str) -> Result<Expansion, Problem> {
    let parts: Vec<&str> = text.split(':').collect();
    let [of_type, id, relation, side] = parts[..] else {
        let message = format!("expand: expected `type:id:relation:side`, got `{text}`");
        return Err(Problem::bad(message).hint("Percent-encode each of them alone, and put colons between."));
    };
    let direction = match side {
        "out" => Direction::Out,
        "in" => Direction::In,
        other => return Err(Problem::bad(format!("expand: expected the side out or in, got `{other}`"))),
    };
    let [of_type, id, relation] = [of_type, id, relation].map(|part| decoded("expand", part));
    let (_, node) = lookup::node(view, &of_type?, &id?)?;
    let relation = relation?;
    lookup::known_relation(view, &relation)?;
    Ok(Expansion { node, relation: relation.into(), direction })
}

fn node(view: &View, near: &NearNode) -> Node {
    let (index, schema) = (view.index(), view.schema());
    let key = index.node_key(near.node);
    let more = near.more.iter().map(|more| {
        let of = &schema.edge_types()[more.edge_type.at()];
        let far = if more.direction == Direction::Out { of.destination } else { of.source };
        let (relation, far) = (of.relation.to_string(), schema.node_type_name(far).to_string());
        More { relation, side: more.direction.into(), r#type: far, n: more.n as u64 }
    });
    Node {
        r#type: key.node_type.to_string(),
        id: key.id.to_string(),
        name: index.label(near.node).map(|name| name.to_string()),
        hop: near.hop,
        degree: near.degree as u64,
        lives: near.lives.iter().map(|life| (*life).into()).collect(),
        changes: ticks(&near.changes),
        merged: near.merged.map(|(into, held)| Merged { into, at: held.created.into(), until: open(held.removed) }),
        more: more.collect(),
    }
}

fn edge(view: &View, near: &NearEdge) -> Edge {
    let (edge_type, ..) = view.index().edge_ends(near.edge);
    Edge {
        source: near.source,
        relation: view.schema().edge_types()[edge_type.at()].relation.to_string(),
        destination: near.destination,
        key: view.index().parallel_key(near.edge).map(ToString::to_string),
        lives: near.lives.iter().map(|life| (*life).into()).collect(),
        changes: ticks(&near.changes),
    }
}
