//! Everything that happened to a node.

use std::sync::Arc;

use axum::response::Response;
use serde::{Deserialize, Serialize};
use timeweft::read::Happening;
use timeweft::{Interval, View};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::pages::{self, Page};
use super::{lookup, values};
use crate::answer::Form;
use crate::app::App;
use crate::asking::{Asked, AtParameters, Question};
use crate::problem::Problem;
use crate::wire::{EdgeRef, Head, Moment, NodeRef};

pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(history))
}

/// The order of time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Order {
    #[default]
    Oldest,
    Newest,
}

/// Which part.
#[derive(Deserialize, IntoParams, Debug, Default)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// The oldest first if left out. Of one time: lives, features, merges, edges by name.
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

/// A page of a history.
#[derive(Serialize, ToSchema)]
struct History {
    #[serde(flatten)]
    head: Head,
    #[serde(flatten)]
    page: Page,
    history: Vec<Happened>,
}

/// Something that held for a while; an end that was still to come at the time is open.
#[derive(Serialize, ToSchema)]
struct Happened {
    from: Moment,
    until: Option<Moment>,
    #[serde(flatten)]
    what: What,
}

#[derive(Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum What {
    Life,
    Feature {
        feature: String,
        value: values::Held,
    },
    Edge {
        edge: EdgeRef,
    },
    /// `node` was `into`.
    Merge {
        node: NodeRef,
        into: NodeRef,
    },
}

/// The lives of a node, the values of its features, its merges and its edges, as far as they had begun by the time.
///
/// As JSON lines all of it comes, without pages; so does it as an Arrow stream, the oldest first.
#[utoipa::path(get, path = "/v1/graphs/{graph}/nodes/{type}/{id}/history", tag = "nodes",
    params(Wanted, AtParameters, ("graph" = String, Path), ("type" = String, Path), ("id" = String, Path)),
    responses((status = 200, content((History = "application/json"), (Happened = "application/x-ndjson"),
        (Vec<u8> = "application/vnd.apache.arrow.stream")))))]
async fn history(asked: Asked<Wanted>) -> Result<Response, Problem> {
    match asked.form {
        Form::Json => asked.answer(|asked, _| page(asked)).await,
        Form::Lines => {
            asked
                .lines(|asked, lines| {
                    let (view, newest) = (asked.view(), asked.query.order == Order::Newest);
                    let (key, _) = lookup::node(view, asked.part("type"), asked.part("id"))?;
                    for start in (0..).step_by(LINES) {
                        let part = view.index().history_page(&key, asked.at.time, newest, start..start + LINES);
                        let n = part.len();
                        part.into_iter().try_for_each(|one| lines.push(&happened(view, one)))?;
                        if n < LINES {
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
                    let (key, _) = lookup::node(asked.view(), asked.part("type"), asked.part("id"))?;
                    Ok(timeweft_arrow::history(asked.view(), asked.at, &key)?)
                })
                .await
        }
    }
}

/// Rows that are made at once.
const LINES: usize = 20_000;

fn page(asked: &Asked<Wanted>) -> Result<History, Problem> {
    let (view, wanted) = (asked.view(), &asked.query);
    let page = pages::wanted(wanted.limit, wanted.cursor.as_deref(), asked.app.limits.rows)?;
    let (key, _) = lookup::node(view, asked.part("type"), asked.part("id"))?;
    let newest = wanted.order == Order::Newest;
    let mut part = view.index().history_page(&key, asked.at.time, newest, pages::with_next(&page));
    let page = pages::cut(&mut part, &page, view.commit().0, None);
    Ok(History { head: asked.head(), page, history: part.into_iter().map(|one| happened(view, one)).collect() })
}

fn happened(view: &View, (interval, happening): (Interval, Happening)) -> Happened {
    let what = match happening {
        Happening::Life => What::Life,
        Happening::Feature(span) => What::Feature { feature: span.name.to_string(), value: values::value(&span.value) },
        Happening::Edge(edge) => What::Edge { edge: lookup::edge_ref(view, &view.index().edge_key(edge)) },
        Happening::Merge(merge) => {
            What::Merge { node: lookup::node_ref(view, &merge.from), into: lookup::node_ref(view, &merge.into) }
        }
    };
    let unit = view.unit();
    Happened { from: Moment::of(unit, interval.created), until: Moment::open(unit, interval.removed), what }
}
