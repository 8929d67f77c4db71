//! SQL over HTTP.

use std::sync::Arc;
use std::time::Instant;

use arrow_ipc::writer::StreamWriter;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use timeweft::{Commit, View};
use timeweft_sql::{Answer, Error, Session, Settings, TableKind, Views};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::Form;
use crate::app::App;
use crate::asking::{Asked, Clocks, CommitParameter, NoQuery, Question, Received};
use crate::pinned::Pinned;
use crate::problem::{Code, Problem};
use crate::served::Served;
use crate::sql_rows::{Column, rows};
use crate::wire::{DeletesText, Head};
use crate::work::damaged;

/// Rows of an answer in JSON unless the question says otherwise, and at most.
const ROWS: usize = 1_000;
const MOST_ROWS: usize = 100_000;
/// Bytes of what one query sorts, joins and groups.
const MEMORY: usize = 1 << 30;
/// Threads of one query: others ask meanwhile.
const THREADS: usize = 4;

pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(ask)).routes(routes!(tables))
}

/// A question in SQL.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SqlQuestion {
    query: String,
    /// Time of tables that name none: as in a query.
    #[serde(default)]
    at: Option<String>,
    #[serde(default)]
    commit: Option<u64>,
    #[serde(default)]
    deletes: Option<DeletesText>,
    /// Rows at most; in JSON 1,000 unless given, and at most 100,000.
    #[serde(default)]
    limit: Option<usize>,
}

/// Rows.
#[derive(Serialize, ToSchema)]
struct SqlAnswer {
    #[serde(flatten)]
    head: Head,
    columns: Vec<Column>,
    /// Integers beyond 2^53 as text; a time as RFC 3339, ticks of steps as a number.
    #[schema(value_type = Vec<Vec<Json>>)]
    rows: Vec<Vec<Json>>,
    /// Whether there were more rows.
    truncated: bool,
    seconds: f64,
    /// Rows that were read of the graph.
    scanned: Option<u64>,
}

/// A graph by its commits, for the engine.
struct Commits {
    graph: Arc<Served>,
    pinned: Arc<Pinned>,
}

impl Commits {
    fn at(&self, commit: Option<Commit>) -> Result<Arc<Pinned>, Error> {
        match commit.filter(|commit| *commit != self.pinned.commit()) {
            None => Ok(self.pinned.clone()),
            Some(commit) => self.graph.at_waiting(Some(commit.0)).map_err(|problem| Error::Moment {
                clause: format!("commit {}", commit.0),
                problem: problem.message,
                hint: problem.hint,
            }),
        }
    }
}

impl Views for Commits {
    fn view(&self, commit: Option<Commit>) -> timeweft_sql::Result<View> {
        Ok(self.at(commit)?.view().clone())
    }

    fn loads(&self, commit: Commit) -> timeweft_sql::Result<timeweft_arrow::Table> {
        Ok(timeweft_arrow::loads_at(self.at(Some(commit))?.graph(), commit)?)
    }
}

/// Asks a question in SQL. `Accept: application/vnd.apache.arrow.stream` gives record batches.
#[utoipa::path(post, path = "/v1/graphs/{graph}/sql", tag = "sql", params(("graph" = String, Path)),
    request_body = SqlQuestion,
    responses((status = 200, content((SqlAnswer = "application/json"), (Vec<u8> = "application/vnd.apache.arrow.stream")))))]
async fn ask(asked: Asked<NoQuery>, body: Received) -> Result<Response, Problem> {
    let question: SqlQuestion = body.json()?;
    let asked = asked.pin(question.commit, question.at.as_deref(), question.deletes).await?;
    if asked.form == Form::Arrow {
        return arrow(asked, question).await;
    }
    let limit = question.limit.unwrap_or(ROWS);
    if limit > MOST_ROWS {
        let problem = Problem::bad(format!("limit: at most {MOST_ROWS} rows as JSON, got {limit}"));
        return Err(problem.hint("Ask for an Arrow stream, or for fewer rows."));
    }
    asked
        .answer(move |asked, deadline| {
            let began = Instant::now();
            let mut answer = start(asked, &question.query, Some(limit))?;
            let columns = answer.schema().fields().iter().map(|field| Column::of(field)).collect();
            let mut found = Vec::new();
            for batch in answer.by_ref() {
                found.extend(rows(&batch.map_err(|error| problem(&asked.graph, error))?));
                deadline.check()?;
            }
            let head = Head::new(asked.graph.unit(), answer.head().commit, answer.head().at);
            let (truncated, scanned) = (answer.is_truncated(), Some(answer.scanned()));
            Ok(SqlAnswer { head, columns, rows: found, truncated, seconds: began.elapsed().as_secs_f64(), scanned })
        })
        .await
}

async fn arrow(asked: Asked<NoQuery>, question: SqlQuestion) -> Result<Response, Problem> {
    asked
        .stream(Form::Arrow, move |asked, out| {
            let failed = |error: arrow_schema::ArrowError| Problem::new(Code::Internal, error.to_string());
            let answer = start(asked, &question.query, question.limit)?;
            let mut stream = StreamWriter::try_new(out, answer.schema()).map_err(failed)?;
            for batch in answer {
                stream.write(&batch.map_err(|error| problem(&asked.graph, error))?).map_err(failed)?;
            }
            stream.finish().map_err(failed)
        })
        .await
}

fn start(asked: &Asked<NoQuery>, query: &str, rows: Option<usize>) -> Result<Answer, Problem> {
    let commits = Commits { graph: asked.graph.clone(), pinned: asked.pinned.clone() };
    let settings = Settings { at: asked.at.time, commit: Some(asked.pinned.commit()), deletes: asked.at.deletes };
    let time = Some(asked.app.limits.read);
    let limits = timeweft_sql::Limits { time, rows, memory: Some(MEMORY), threads: Some(THREADS) };
    let mut session = Session::new(Arc::new(commits)).with_settings(settings).with_limits(limits);
    session.query(query).map_err(|error| problem(&asked.graph, error))
}

fn problem(graph: &Arc<Served>, error: Error) -> Problem {
    let (message, hint) = (error.message(), error.hint());
    let code = match error {
        Error::Damage(damage) => return damaged(graph, damage),
        Error::Library(error) => return error.into(),
        Error::TimeLimit { .. } => Code::TimeLimit,
        Error::Memory { .. } => Code::TooLarge,
        Error::Cancelled => Code::Unavailable,
        Error::Internal { .. } => Code::Internal,
        _ => Code::BadRequest,
    };
    Problem { code, message, hint }
}

/// A list of what a query may read.
#[derive(Serialize, ToSchema)]
struct SqlTables {
    tables: Vec<SqlTable>,
}

/// A view or a function.
#[derive(Serialize, ToSchema)]
struct SqlTable {
    name: String,
    kind: SqlKind,
    columns: Vec<String>,
    /// How a function is called.
    signature: Option<String>,
}

/// What a name stands for.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum SqlKind {
    View,
    Function,
}

/// A question of the commit alone.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfCommit {}

impl Question for OfCommit {
    const CLOCKS: Clocks = Clocks::Commit;
}

/// The views and functions that a query may read.
#[utoipa::path(get, path = "/v1/graphs/{graph}/sql/tables", tag = "sql",
    params(("graph" = String, Path), CommitParameter), responses((status = 200, body = SqlTables)))]
async fn tables(asked: Asked<OfCommit>) -> Result<Response, Problem> {
    asked
        .answer(|asked, _| {
            let commits = Commits { graph: asked.graph.clone(), pinned: asked.pinned.clone() };
            let settings = Settings { commit: Some(asked.pinned.commit()), ..Settings::default() };
            let session = Session::new(Arc::new(commits)).with_settings(settings);
            let tables = session.tables().map_err(|error| problem(&asked.graph, error))?;
            let told = tables.into_iter().map(|of| SqlTable {
                name: of.name,
                kind: if of.kind == TableKind::View { SqlKind::View } else { SqlKind::Function },
                columns: of.columns.into_iter().map(|(name, _)| name).collect(),
                signature: of.signature,
            });
            Ok(SqlTables { tables: told.collect() })
        })
        .await
}
