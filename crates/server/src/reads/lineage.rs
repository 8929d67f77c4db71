//! What a node became, and where it came from.

use std::sync::Arc;

use axum::response::Response;
use serde::{Deserialize, Serialize};
use timeweft::View;
use timeweft::read::MergeRecord;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::pages::{self, Page};
use super::{lookup, values};
use crate::app::App;
use crate::asking::{Asked, AtParameters, Question};
use crate::problem::Problem;
use crate::wire::{Head, Moment, NodeRef};

pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(lineage))
}

/// Which part of the origins.
#[derive(Deserialize, IntoParams, Debug, Default)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Origins of a page: 50 if left out, at most 1,000.
    limit: Option<usize>,
    /// Where the list of origins goes on, as `next` gave it.
    cursor: Option<String>,
}

impl Question for Wanted {
    fn commit(&self) -> Result<Option<u64>, Problem> {
        pages::commit_of(self.cursor.as_deref())
    }
}

/// The way of a node through merges.
#[derive(Serialize, ToSchema)]
struct Lineage {
    #[serde(flatten)]
    head: Head,
    #[serde(flatten)]
    page: Page,
    node: NodeRef,
    /// The merges that hold, one after the other; none if the node has become no other.
    became: Vec<Step>,
    /// Where that way ends: the node itself if there are no steps.
    target: NodeRef,
    /// Whether the target is alive.
    alive: bool,
    /// Whether the merges go round in a circle.
    circular: bool,
    /// A page of all nodes that have become this one, be it by way of others: the nearest first, then by name.
    came_from: Vec<Origin>,
}

/// A merge.
#[derive(Serialize, ToSchema)]
struct Step {
    node: NodeRef,
    into: NodeRef,
    from: Moment,
    until: Option<Moment>,
    features: values::Features,
}

/// A node that has become another.
#[derive(Serialize, ToSchema)]
struct Origin {
    #[serde(flatten)]
    step: Step,
    /// Merges from there to the node that is asked about.
    steps: u64,
}

/// What a node has become through the merges that hold at a time, and what has become it.
///
/// With soft deletes a merge that has ended counts where none holds, the latest one.
#[utoipa::path(get, path = "/v1/graphs/{graph}/nodes/{type}/{id}/lineage", tag = "nodes",
    params(Wanted, AtParameters, ("graph" = String, Path), ("type" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = Lineage)))]
async fn lineage(asked: Asked<Wanted>) -> Result<Response, Problem> {
    asked.answer(|asked, _| answer(asked)).await
}

fn answer(asked: &Asked<Wanted>) -> Result<Lineage, Problem> {
    let (view, wanted) = (asked.view(), &asked.query);
    let page = pages::wanted(wanted.limit, wanted.cursor.as_deref(), asked.app.limits.rows)?;
    let (key, number) = lookup::node(view, asked.part("type"), asked.part("id"))?;
    let query = view.index().query(asked.at.time).deletes(asked.at.deletes);
    let way = query.resolve(&key);
    let origins = query.origins(&key);
    let total = origins.len() as u64;
    let mut rows: Vec<_> = origins.into_iter().skip(page.start).take(page.len() + 1).collect();
    let page = pages::cut(&mut rows, &page, view.commit().0, Some(total));
    Ok(Lineage {
        head: asked.head(),
        page,
        node: lookup::node_ref_of(view, number),
        became: way.steps.iter().map(|merge| step(view, merge)).collect(),
        target: lookup::node_ref(view, &way.target),
        alive: way.alive,
        circular: way.circular,
        came_from: rows.iter().map(|(merge, steps)| Origin { step: step(view, merge), steps: *steps as u64 }).collect(),
    })
}

fn step(view: &View, merge: &MergeRecord) -> Step {
    Step {
        node: lookup::node_ref(view, &merge.from),
        into: lookup::node_ref(view, &merge.into),
        from: Moment::of(view.unit(), merge.interval.created),
        until: Moment::open(view.unit(), merge.interval.removed),
        features: values::features(&merge.features),
    }
}
