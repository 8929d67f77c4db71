//! Features of many nodes, each as of its own time.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, RecordBatch, StringArray, UInt32Array};
use arrow_schema::{ArrowError, Field, Schema};
use axum::response::Response;
use serde::Deserialize;
use timeweft::export::table_writer::time_array;
use timeweft::read::{NodeTypeId, Owner};
use timeweft::sample::Roots as RootsOf;
use timeweft::{At, Time, View};
use timeweft_arrow::{Numbers, Table};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::roots::{self, Options, RootText, Roots, RowsAnswer};
use crate::answer::Form;
use crate::app::App;
use crate::asking::{Asked, Clocks, Question, Received};
use crate::problem::{Code, Problem};
use crate::wire::DeletesText;

pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(features))
}

/// Which features, as of when. These stand in the body beside `roots`, or in the query where the body is an Arrow stream.
#[derive(Deserialize, IntoParams, ToSchema, PartialEq, Debug, Default)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct FeatureOptions {
    /// Names of features; left out, all that nodes have.
    feature: Vec<String>,
    /// Sees what happened at the time of a root too; left out, only what was strictly before.
    inclusive: bool,
    /// Time of roots that have none; left out, the end of time.
    at: Option<String>,
    commit: Option<u64>,
    #[param(inline)]
    deletes: Option<DeletesText>,
}

impl Question for FeatureOptions {
    const CLOCKS: Clocks = Clocks::None;
}

impl Options for FeatureOptions {
    fn clocks(&self) -> (Option<u64>, Option<&str>, Option<DeletesText>) {
        (self.commit, self.at.as_deref(), self.deletes)
    }
}

/// Roots, and which of their features.
#[derive(ToSchema)]
#[allow(dead_code)]
struct FeatureBody {
    /// At most 100,000.
    roots: Vec<RootText>,
    #[schema(inline)]
    #[serde(flatten)]
    options: FeatureOptions,
}

/// Features of nodes, each as of strictly before its own time unless `inclusive`.
///
/// Roots come as for `sample`. The answer is a row a root, in order: `root`, `type`, `id`, `time`, `alive`, then a column for each
/// feature, null where it has no value then. A feature whose column name is taken has `feature:` before it.
#[utoipa::path(post, path = "/v1/graphs/{graph}/features", tag = "training", params(FeatureOptions, ("graph" = String, Path)),
    request_body(content((FeatureBody = "application/json"), (Vec<u8> = "application/vnd.apache.arrow.stream"))),
    responses((status = 200, content((RowsAnswer = "application/json"), (Vec<u8> = "application/vnd.apache.arrow.stream")))))]
async fn features(asked: Asked<FeatureOptions>, body: Received) -> Result<Response, Problem> {
    let (asked, given) = roots::read(asked, body).await?;
    let table = |asked: &Asked<FeatureOptions>| {
        let roots = given.find(&asked.pinned, asked.at, asked.app.limits.roots)?;
        Ok((asked.query.table(asked.view(), asked.at, &roots)?, roots))
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

impl FeatureOptions {
    fn table(&self, view: &View, at: At, roots: &Roots) -> Result<Table, Problem> {
        let as_of = roots::as_of(self.inclusive);
        let names = if self.feature.is_empty() { all_features(view) } else { self.feature.clone() };
        let clocks = (&roots.times[..], as_of, at.deletes);
        let values = timeweft_arrow::values(view, Numbers::Nodes(&roots.nodes), clocks, names)?;
        let of = RootsOf::new(&roots.nodes, &roots.times).map_err(timeweft::Error::from)?;
        let alive: Vec<bool> = view.index().node_types_of(of, as_of).iter().map(Option::is_some).collect();
        beside(view, roots, &alive, values).map_err(|error| Problem::new(Code::Internal, error.to_string()))
    }
}

fn all_features(view: &View) -> Vec<String> {
    let owners = (0..view.schema().node_types().len() as u16).map(NodeTypeId).map(Owner::Node);
    let mut names: Vec<String> =
        owners.flat_map(|owner| view.schema().features(owner)).map(|def| def.name.to_string()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Puts what the roots are before the columns of their features.
fn beside(view: &View, roots: &Roots, alive: &[bool], values: Table) -> Result<Table, ArrowError> {
    let n = roots.keys.len();
    let time = |time: &Time| (*time != Time::FOREVER).then_some(time.0);
    let named: [(&str, ArrayRef, bool); 5] = [
        ("root", Arc::new(UInt32Array::from_iter_values(0..n as u32)), false),
        ("type", Arc::new(StringArray::from_iter_values(roots.keys.iter().map(|key| &*key.node_type))), false),
        ("id", Arc::new(StringArray::from_iter_values(roots.keys.iter().map(|key| key.id.to_string()))), false),
        ("time", time_array(view.unit(), roots.times.iter().map(time)), true),
        ("alive", Arc::new(BooleanArray::from(alive.to_vec())), false),
    ];
    let is_taken = |name: &str| named.iter().any(|(known, ..)| *known == name);
    let mut fields: Vec<Field> =
        named.iter().map(|(name, array, nullable)| Field::new(*name, array.data_type().clone(), *nullable)).collect();
    fields.extend(values.schema.fields().iter().map(|field| match is_taken(field.name()) {
        true => field.as_ref().clone().with_name(format!("feature:{}", field.name())),
        false => field.as_ref().clone(),
    }));
    let schema = Arc::new(Schema::new(fields));
    let (mut batches, mut start) = (Vec::with_capacity(values.batches.len()), 0);
    for batch in &values.batches {
        let len = batch.num_rows();
        let own = named.iter().map(|(_, array, _)| array.slice(start, len));
        batches.push(RecordBatch::try_new(schema.clone(), own.chain(batch.columns().iter().cloned()).collect())?);
        start += len;
    }
    Ok(Table { schema, batches })
}
