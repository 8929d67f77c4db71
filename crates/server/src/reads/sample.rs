//! Neighbors of many nodes, each as of its own time, for training.

use std::sync::Arc;

use axum::response::Response;
use serde::{Deserialize, Serialize};
use timeweft::View;
use timeweft::read::{EdgeTypeId, Owner};
use timeweft::sample::{Choice, HopTime, Sampling, WeightBy};
use timeweft_arrow::{SampleQuestion, Selected, Table};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::lookup;
use super::neighbors::Sides;
use super::roots::{self, Options, RootText, Roots, RowsAnswer};
use crate::answer::Form;
use crate::app::App;
use crate::asking::{Asked, Clocks, Question, Received};
use crate::problem::Problem;
use crate::wire::DeletesText;

pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(sample))
}

/// Which of the edges are taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum ChoiceText {
    /// The most recently created, newest first.
    #[default]
    Last,
    /// Any with equal chance, each draw anew.
    Uniform,
    UniformDistinct,
    /// Any by its share of the weight.
    Weighted,
    WeightedDistinct,
    Heaviest,
}

/// As of when further hops see the graph.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum HopTimeText {
    /// The time of the root.
    #[default]
    Root,
    /// The time when the edge was created that led there.
    Edge,
}

/// How neighbors are sampled. These stand in the body beside `roots`, or in the query where the body is an Arrow stream.
#[derive(Deserialize, IntoParams, ToSchema, PartialEq, Debug, Default)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct SampleOptions {
    /// How many neighbors a root, then how many a node of each further hop: 10 if left out.
    count: Vec<u32>,
    /// In place of `count`: `TYPE=K`, K edges of this type; slots come in this order.
    quota: Vec<String>,
    #[param(inline)]
    choice: ChoiceText,
    /// The feature that is the weight of an edge; edges without a value weigh 1.
    weight: Option<String>,
    /// Features of the edges to be told.
    feature: Vec<String>,
    #[param(inline)]
    hop_time: HopTimeText,
    /// Equal seeds give equal samples: 0 if left out.
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

impl Question for SampleOptions {
    const CLOCKS: Clocks = Clocks::None;
}

impl Options for SampleOptions {
    fn clocks(&self) -> (Option<u64>, Option<&str>, Option<DeletesText>) {
        (self.commit, self.at.as_deref(), self.deletes)
    }
}

/// Roots, and how they are sampled.
#[derive(ToSchema)]
#[allow(dead_code)]
struct SampleBody {
    /// At most 100,000.
    roots: Vec<RootText>,
    #[schema(inline)]
    #[serde(flatten)]
    options: SampleOptions,
}

/// Samples neighbors of nodes, each strictly before its own time unless `inclusive`.
///
/// Roots come as JSON with the options beside them, or as an Arrow stream (columns `type`, `id`, `time`) with the options in the
/// query. The answer is a row a sampled neighbor: `root`, `hop`, `slot`, `parent`, `type`, `id`, `relation`, `direction`, `key`,
/// `created`, `weight`, `time`, then features; as JSON, or as an Arrow stream where that is accepted.
#[utoipa::path(post, path = "/v1/graphs/{graph}/sample", tag = "training", params(SampleOptions, ("graph" = String, Path)),
    request_body(content((SampleBody = "application/json"), (Vec<u8> = "application/vnd.apache.arrow.stream"))),
    responses((status = 200, content((RowsAnswer = "application/json"), (Vec<u8> = "application/vnd.apache.arrow.stream")))))]
async fn sample(asked: Asked<SampleOptions>, body: Received) -> Result<Response, Problem> {
    let (asked, given) = roots::read(asked, body).await?;
    let table = |asked: &Asked<SampleOptions>| {
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

impl SampleOptions {
    fn table(&self, asked: &Asked<SampleOptions>, roots: &Roots) -> Result<Table, Problem> {
        let view = asked.view();
        let clocks = (self.inclusive, asked.at.deletes);
        let scope = roots::scope(view, &self.edge_type, self.side, clocks, self.within.as_deref())?;
        let quotas = self.quotas(view)?;
        let choice = match self.choice {
            ChoiceText::Last => Choice::Last,
            ChoiceText::Uniform => Choice::Uniform,
            ChoiceText::UniformDistinct => Choice::UniformDistinct,
            ChoiceText::Weighted => Choice::Weighted,
            ChoiceText::WeightedDistinct => Choice::WeightedDistinct,
            ChoiceText::Heaviest => Choice::Heaviest,
        };
        let weight = self.weight.as_deref().map_or(WeightBy::One, |name| WeightBy::Feature(name.into()));
        let sampling = Sampling::new(scope, choice, 0).quotas(quotas).weight(weight).seed(self.seed);
        let sizes: Vec<usize> = match (sampling.width(), &self.count[..]) {
            (0, []) => vec![10],
            (0, count) => count.iter().map(|k| *k as usize).collect(),
            (width, []) => vec![width],
            _ => return Err(Problem::bad("count, quota: give one of them")),
        };
        if sizes.contains(&0) {
            return Err(Problem::bad("count: expected numbers above 0"));
        }
        let mut width = Some(1usize);
        let slots = sizes.iter().try_fold(0usize, |sum, k| {
            width = width?.checked_mul(*k);
            sum.checked_add(width?)
        });
        roots::check_slots(roots.keys.len(), slots)?;
        let hop_time = if self.hop_time == HopTimeText::Edge { HopTime::Edge } else { HopTime::Root };
        let features = if self.feature.is_empty() { Selected::None } else { Selected::Named(self.feature.clone()) };
        let question = SampleQuestion { sampling, sizes, hop_time, features };
        Ok(timeweft_arrow::samples(view, &roots.nodes, &roots.times, &question)?)
    }

    fn quotas(&self, view: &View) -> Result<Vec<(EdgeTypeId, usize)>, Problem> {
        let mut quotas = Vec::with_capacity(self.quota.len());
        for quota in &self.quota {
            let parsed =
                quota.rsplit_once('=').and_then(|(name, k)| Some((name, k.parse::<u32>().ok().filter(|k| *k > 0)?)));
            let wrong = || Problem::bad(format!("quota: expected TYPE=K with a number above 0, got `{quota}`"));
            let (name, k) = parsed.ok_or_else(wrong)?;
            let types = lookup::edge_types(view, name)?;
            let [only] = types[..] else {
                let names = types.iter().map(|id| view.schema().owner_name(Owner::Edge(*id))).collect::<Vec<_>>();
                return Err(Problem::bad(format!("quota: `{name}` is of several edge types"))
                    .hint(format!("Name one of {}.", names.join(", "))));
            };
            quotas.push((only, k as usize));
        }
        Ok(quotas)
    }
}
