//! Random walks from many nodes, for training.

use std::sync::Arc;

use axum::response::Response;
use serde::{Deserialize, Serialize};
use timeweft::Deletes;
use timeweft::sample::{Walk, WalkTimes, WeightBy};
use timeweft_arrow::Table;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::neighbors::Sides;
use super::roots::{self, Options, RootText, Roots, RowsAnswer};
use crate::answer::Form;
use crate::app::App;
use crate::asking::{Asked, Clocks, Question, Received};
use crate::problem::Problem;
use crate::wire::DeletesText;

pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(walk))
}

/// How the times of the edges of a walk respect each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum TimesText {
    /// Not at all: each step sees the graph as of the time of the root.
    #[default]
    Any,
    /// No edge is younger than the one before.
    NotLater,
    /// Each edge is older than the one before.
    Earlier,
    /// Each edge was created after the one before, the first at the time of the root or later; removed ones count.
    Later,
}

/// How walks go. These stand in the body beside `roots`, or in the query where the body is an Arrow stream.
#[derive(Deserialize, IntoParams, ToSchema, PartialEq, Debug, Default)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct WalkOptions {
    /// Steps of a walk: 10 if left out.
    length: Option<u32>,
    /// Walks from each root: 1 if left out.
    walks: Option<u32>,
    #[param(inline)]
    times: TimesText,
    /// How unlikely it is to go back to where the walk came from (node2vec): 1 if left out.
    p: Option<f64>,
    /// How unlikely it is to go to a node that is no neighbor of where the walk came from (node2vec): 1 if left out.
    q: Option<f64>,
    /// The feature that is the weight of an edge; left out, all edges are alike.
    weight: Option<String>,
    /// Equal seeds give equal walks: 0 if left out.
    seed: u64,
    /// Only edges of this type: a relation, or a full name such as `user -buys-> item`.
    edge_type: Vec<String>,
    #[param(inline)]
    side: Sides,
    /// Only edges created in the last so long before the time of a root: ticks, or `7d`, `12h`.
    within: Option<String>,
    /// Sees what happened at the time of a root too; left out, only what was strictly before.
    inclusive: bool,
    /// Time of roots that have none; left out, the end of time.
    at: Option<String>,
    commit: Option<u64>,
    #[param(inline)]
    deletes: Option<DeletesText>,
}

impl Question for WalkOptions {
    const CLOCKS: Clocks = Clocks::None;
}

impl Options for WalkOptions {
    fn clocks(&self) -> (Option<u64>, Option<&str>, Option<DeletesText>) {
        (self.commit, self.at.as_deref(), self.deletes)
    }
}

/// Roots, and how walks go from them.
#[derive(ToSchema)]
#[allow(dead_code)]
struct WalkBody {
    /// At most 100,000.
    roots: Vec<RootText>,
    #[schema(inline)]
    #[serde(flatten)]
    options: WalkOptions,
}

/// Walks at random from nodes, each as of strictly before its own time unless `inclusive`.
///
/// Roots come as for `sample`. The answer is a row a step: `root`, `walk`, `step`, `type`, `id`, `relation`, `direction`, `key`,
/// `created`; step 0 is the root itself, and a walk that finds no edge ends early.
#[utoipa::path(post, path = "/v1/graphs/{graph}/walk", tag = "training", params(WalkOptions, ("graph" = String, Path)),
    request_body(content((WalkBody = "application/json"), (Vec<u8> = "application/vnd.apache.arrow.stream"))),
    responses((status = 200, content((RowsAnswer = "application/json"), (Vec<u8> = "application/vnd.apache.arrow.stream")))))]
async fn walk(asked: Asked<WalkOptions>, body: Received) -> Result<Response, Problem> {
    let (asked, given) = roots::read(asked, body).await?;
    let table = |asked: &Asked<WalkOptions>| {
        let roots = given.find(&asked.pinned, asked.at, asked.app.limits.roots)?;
        Ok((asked.query.table(asked, &roots)?, roots))
    };
    match asked.form {
        Form::Arrow => asked.arrow(move |asked| table(asked).map(|(table, _)| table)).await,
        _ => {
            asked
                .answer(move |asked, _| {
                    let (table, roots) = table(asked)?;
                    RowsAnswer::new(asked.view(), &roots, &table)
                })
                .await
        }
    }
}

impl WalkOptions {
    fn table(&self, asked: &Asked<WalkOptions>, roots: &Roots) -> Result<Table, Problem> {
        let view = asked.view();
        let (p, q) = (self.p.unwrap_or(1.0), self.q.unwrap_or(1.0));
        let is_biased = p != 1.0 || q != 1.0 || self.weight.is_some();
        if self.times == TimesText::Later && (is_biased || self.inclusive || asked.at.deletes == Deletes::Soft) {
            return Err(Problem::bad("times: `later` takes all edges alike, removed ones too")
                .hint("Leave out p, q, weight, inclusive and deletes."));
        }
        let (length, walks) = (self.length.unwrap_or(10) as usize, self.walks.unwrap_or(1) as usize);
        if length == 0 || walks == 0 {
            return Err(Problem::bad("length, walks: expected numbers above 0"));
        }
        let slots = length.checked_add(1).and_then(|steps| steps.checked_mul(walks));
        roots::check_slots(roots.keys.len(), slots)?;
        let clocks = (self.inclusive, asked.at.deletes);
        let scope = roots::scope(view, &self.edge_type, self.side, clocks, self.within.as_deref())?;
        let times = match self.times {
            TimesText::Any => WalkTimes::Any,
            TimesText::NotLater => WalkTimes::NotLater,
            TimesText::Earlier => WalkTimes::Earlier,
            TimesText::Later => WalkTimes::Later,
        };
        let weight = self.weight.as_deref().map_or(WeightBy::One, |name| WeightBy::Feature(name.into()));
        let walk = Walk { p, q, weight, seed: self.seed, ..Walk::new(scope, length, times) };
        Ok(timeweft_arrow::walks(view, &roots.nodes, &roots.times, &walk, walks)?)
    }
}
