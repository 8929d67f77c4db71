//! Edges at a node.

use std::sync::Arc;

use axum::response::Response;
use serde::{Deserialize, Serialize};
use timeweft::read::{EdgeIndex, EdgeOrder, Incident};
use timeweft::sample::Side;
use timeweft::{At, Direction, NodeKey, View};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::pages::{self, Page};
use super::{lookup, values};
use crate::answer::Form;
use crate::app::App;
use crate::asking::{Asked, AtParameters, Question};
use crate::problem::Problem;
use crate::wire::{EdgeRef, Head, Life};

pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(neighbors))
}

/// A side of a node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OneSide {
    /// Of edges that go out from it.
    Out,
    /// Of edges that lead to it.
    In,
}

impl From<Direction> for OneSide {
    fn from(direction: Direction) -> OneSide {
        if direction == Direction::Out { OneSide::Out } else { OneSide::In }
    }
}

/// Sides of a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Sides {
    Out,
    In,
    #[default]
    Both,
}

impl From<Sides> for Side {
    fn from(sides: Sides) -> Side {
        match sides {
            Sides::Out => Side::Out,
            Sides::In => Side::In,
            Sides::Both => Side::Both,
        }
    }
}

/// The order of edges.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Order {
    /// The most recently created first; of one time, by side and name.
    #[default]
    Newest,
    /// The first created first.
    Oldest,
    /// By side and name.
    Name,
}

impl From<Order> for EdgeOrder {
    fn from(order: Order) -> EdgeOrder {
        match order {
            Order::Newest => EdgeOrder::Newest,
            Order::Oldest => EdgeOrder::Oldest,
            Order::Name => EdgeOrder::Name,
        }
    }
}

/// Which edges.
#[derive(Deserialize, IntoParams, Debug, Default)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Sides of the node: both if left out.
    #[param(inline)]
    side: Sides,
    /// Only edges of this relation.
    relation: Option<String>,
    /// Order of the edges: the newest first if left out.
    #[param(inline)]
    order: Order,
    /// Rows of a page: 50 if left out, at most 1,000.
    limit: Option<usize>,
    /// Where the list goes on, as `next` gave it.
    cursor: Option<String>,
}

impl Question for Wanted {
    fn commit(&self) -> Result<Option<u64>, Problem> {
        pages::commit_of(self.cursor.as_deref())
    }
}

/// A page of edges.
#[derive(Serialize, ToSchema)]
struct Neighbors {
    #[serde(flatten)]
    head: Head,
    #[serde(flatten)]
    page: Page,
    neighbors: Vec<Neighbor>,
}

/// An edge at the node.
#[derive(Serialize, ToSchema)]
struct Neighbor {
    #[serde(flatten)]
    edge: EdgeRef,
    #[serde(flatten)]
    life: Life,
    side: OneSide,
    /// Shown because deletes are soft.
    deleted: bool,
    features: values::Features,
}

/// The edges at a node as of a time. An edge to itself is there on both sides.
///
/// As JSON lines all of them come, one a line, without pages; so do they as an Arrow stream, the newest first.
#[utoipa::path(get, path = "/v1/graphs/{graph}/nodes/{type}/{id}/neighbors", tag = "nodes",
    params(Wanted, AtParameters, ("graph" = String, Path), ("type" = String, Path), ("id" = String, Path)),
    responses((status = 200, content((Neighbors = "application/json"), (Neighbor = "application/x-ndjson"),
        (Vec<u8> = "application/vnd.apache.arrow.stream")))))]
async fn neighbors(asked: Asked<Wanted>) -> Result<Response, Problem> {
    match asked.form {
        Form::Json => asked.answer(|asked, _| page(asked)).await,
        Form::Lines => {
            asked
                .lines(|asked, lines| {
                    let (key, wanted) = (known(asked)?, &asked.query);
                    let of = incident(&key, wanted);
                    let (view, order) = (asked.view(), wanted.order.into());
                    for start in (0..).step_by(LINES) {
                        let edges = view.index().incident_page(of, asked.at, order, start..start + LINES);
                        edges.iter().try_for_each(|edge| lines.push(&neighbor(view, *edge, asked.at)))?;
                        if edges.len() < LINES {
                            break;
                        }
                    }
                    Ok(())
                })
                .await
        }
        Form::Arrow => {
            asked
                .arrow(|asked| {
                    let (key, wanted) = (known(asked)?, &asked.query);
                    let relation = wanted.relation.as_deref();
                    Ok(timeweft_arrow::neighbors(asked.view(), asked.at, &key, wanted.side.into(), relation)?)
                })
                .await
        }
    }
}

/// Edges that are sorted at once.
const LINES: usize = 20_000;

fn incident<'a>(key: &'a NodeKey, wanted: &'a Wanted) -> Incident<'a> {
    Incident { node: key, side: wanted.side.into(), relation: wanted.relation.as_deref() }
}

/// The node, which the moment shows.
fn known(asked: &Asked<Wanted>) -> Result<NodeKey, Problem> {
    let view = asked.view();
    if let Some(relation) = &asked.query.relation {
        lookup::known_relation(view, relation)?;
    }
    Ok(lookup::living_node(view, asked.part("type"), asked.part("id"), asked.at)?.0)
}

fn page(asked: &Asked<Wanted>) -> Result<Neighbors, Problem> {
    let (view, wanted) = (asked.view(), &asked.query);
    let page = pages::wanted(wanted.limit, wanted.cursor.as_deref(), asked.app.limits.rows)?;
    let key = known(asked)?;
    let of = incident(&key, wanted);
    let mut edges = view.index().incident_page(of, asked.at, wanted.order.into(), pages::with_next(&page));
    let total = view.index().n_incident(of, asked.at) as u64;
    let page = pages::cut(&mut edges, &page, view.commit().0, Some(total));
    let neighbors = edges.into_iter().map(|edge| neighbor(view, edge, asked.at)).collect();
    Ok(Neighbors { head: asked.head(), page, neighbors })
}

fn neighbor(view: &View, (direction, edge): (Direction, EdgeIndex), at: At) -> Neighbor {
    let state = view.index().edge_state(edge, at.time);
    Neighbor {
        edge: lookup::edge_ref(view, &state.key),
        life: Life::of(view.unit(), state.life),
        side: direction.into(),
        deleted: state.deleted,
        features: values::features(&state.features),
    }
}
