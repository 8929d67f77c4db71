//! Loads and rollbacks over HTTP: each becomes a job.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::multipart::Multipart;
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use serde::Serialize;
use timeweft::load::{LoadId, LoadReport, StoreError};
use timeweft::{At, Error, Graph, View};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::asking::{Asked, NoQuery, Received};
use crate::caller::Caller;
use crate::job_routes::{Started, started};
use crate::jobs::{Job, JobKind};
use crate::load_options::{Described, Kind};
use crate::problem::{Code, Problem};
use crate::queue::Writes;
use crate::report::Report;
use crate::served::Served;
use crate::sources;
use crate::upload::Upload;
use crate::wire::{AllCounts, Counts};

pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(load)).routes(routes!(undo)).routes(routes!(roll_back))
}

/// A source with what is said of it. An upload goes when this is dropped.
struct Source {
    described: Described,
    paths: Vec<PathBuf>,
    upload: Option<Upload>,
    name: String,
}

/// Starts a load of uploaded files, or of a source of the server; `dry_run` tells what it would do.
#[utoipa::path(post, path = "/v1/graphs/{graph}/loads", tag = "loads", params(("graph" = String, Path)),
    request_body(content((Described = "application/json"), (Form = "multipart/form-data"))),
    responses((status = 202, body = Started)))]
async fn load(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(graph): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let graph = app.graph(&graph, &caller)?.clone();
    check_writable(&graph)?;
    let source = receive(&app, request).await?;
    let metrics_of = app.clone();
    let job = app.start(&graph, JobKind::Load, Writes::Yes, move |job, graph| {
        let (began, mut owner) = (Instant::now(), graph.owner());
        let is_dry = source.described.dry_run;
        let done = source.load(&mut owner, job, began)?;
        let seconds = began.elapsed().as_secs_f64();
        let report = source.report(&done, seconds, is_dry);
        if !is_dry {
            metrics_of.metrics.loaded(graph.name(), report.events, seconds);
            after_change(graph, &owner, job)?;
        }
        Ok(Some(report))
    })?;
    started(graph.name(), &job)
}

/// The form of an upload: the options first, then any number of files.
#[derive(Serialize, ToSchema)]
#[allow(dead_code)]
struct Form {
    options: Described,
    #[schema(value_type = Vec<String>, format = Binary)]
    file: Vec<Vec<u8>>,
}

fn check_writable(graph: &Served) -> Result<(), Problem> {
    if graph.is_read_only() {
        let problem = Problem::new(Code::Conflict, format!("graph `{}` is served for reading only", graph.name()));
        return Err(problem.hint("Start the server without --read-only, with no other process writing the graph."));
    }
    Ok(())
}

/// Takes in what the request brings.
async fn receive(app: &Arc<App>, request: Request) -> Result<Source, Problem> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("multipart/form-data") {
        let described: Described = Received::from_request(request, app).await?.json()?;
        let Some(named) = described.source.clone() else {
            return Err(Problem::bad("source: name one, or upload files as multipart/form-data"));
        };
        let path = sources::find(app.sources.as_deref(), &named)?;
        return Ok(Source { described, paths: vec![path], upload: None, name: named });
    }
    let form = Multipart::from_request(request, app).await;
    let form = form.map_err(|error| Problem::bad(format!("the form cannot be read: {}", error.body_text())))?;
    let (options, upload) = Upload::receive(form, &app.limits).await?;
    let described: Described =
        serde_json::from_slice(&options).map_err(|error| Problem::bad(format!("options: {error}")))?;
    if described.source.is_some() {
        return Err(Problem::bad("source: files are uploaded: leave it out"));
    }
    let names: Vec<String> =
        upload.files().iter().filter_map(|path| Some(path.file_name()?.to_string_lossy().into())).collect();
    // A mapping names other files, and may name any of the server's.
    if let Some(mapping) = names.iter().find(|name| name.ends_with(".toml")) {
        let problem = Problem::bad(format!("file `{mapping}`: a mapping cannot be uploaded"));
        return Err(problem.hint("Put it with its files into the server's folder of sources."));
    }
    let (paths, name) = (upload.files().to_vec(), names.join(", "));
    Ok(Source { described, paths, upload: Some(upload), name })
}

impl Source {
    /// Loads, or tries to. Where it is refused for its records, the job tells them.
    fn load(&self, graph: &mut Graph, job: &Job, began: Instant) -> Result<LoadReport, Problem> {
        job.step(if self.described.dry_run { "tries" } else { "loads" });
        let stop = job.stop().clone();
        let progress = |progress| {
            job.progress(progress);
            ControlFlow::Continue(())
        };
        let unit = graph.unit();
        let options = |path: &std::path::Path| self.described.options(path, &self.name, unit);
        let load = match (self.described.kind, self.paths.as_slice()) {
            (_, [only]) => {
                let options = options(only)?;
                graph.load(only).options(options)
            }
            (Kind::Events, files) => {
                let mut of_each = Vec::new();
                for file in files {
                    match options(file)?.format {
                        Some(timeweft::load::Format::Events(format)) => of_each.push((file.clone(), format)),
                        _ => return Err(Problem::bad("format: no format of events")),
                    }
                }
                let options = options(&files[0])?;
                graph.load_files(of_each).options(options)
            }
            (_, _) => {
                let folder = self.upload.as_ref().map_or(self.paths[0].as_path(), Upload::folder).to_owned();
                let options = options(&folder)?;
                graph.load(folder).options(options)
            }
        };
        let load = load.stopped_by(&stop).progress(progress);
        let done = if self.described.dry_run { load.rehearse() } else { load.run() };
        done.map_err(|error| {
            if let Error::Store(StoreError::NothingAccepted(found) | StoreError::TooManyRejects { report: found, .. }) =
                &error
            {
                job.report(self.report(found, began.elapsed().as_secs_f64(), true));
            }
            self.without_folder(error.into())
        })
    }

    fn folder(&self) -> Option<String> {
        Some(self.upload.as_ref()?.folder().display().to_string())
    }

    fn report(&self, report: &LoadReport, seconds: f64, is_dry: bool) -> Report {
        let report = Report::of(report, seconds, is_dry);
        match self.folder() {
            Some(folder) => report.without(&folder),
            None => report,
        }
    }

    fn without_folder(&self, problem: Problem) -> Problem {
        match self.folder() {
            Some(folder) => Problem { message: problem.message.replace(&format!("{folder}/"), ""), ..problem },
            None => problem,
        }
    }
}

/// Shows what was committed, and writes a snapshot where one pays.
fn after_change(graph: &Served, owner: &Graph, job: &Job) -> Result<(), Problem> {
    graph.show(owner)?;
    if owner.is_compaction_due().unwrap_or_default() {
        job.step("writes a snapshot");
        // It is a cache: what was loaded is there without it.
        let _ = owner.compact();
    }
    Ok(())
}

/// What rolling a load back would do.
#[derive(Serialize, ToSchema)]
struct Undo {
    /// The load.
    undoes: u64,
    /// What would differ at the end of time.
    counts: AllCounts,
    /// Other loads whose events would be derived anew.
    replaced: Vec<u64>,
    /// Events of other loads that would not fit any more.
    dropped: Vec<Dropped>,
}

/// An event that would not fit.
#[derive(Serialize, ToSchema)]
struct Dropped {
    load: u64,
    why: String,
}

/// What rolling a load back would do; nothing is done.
#[utoipa::path(get, path = "/v1/graphs/{graph}/loads/{load}/undo", tag = "loads",
    params(("graph" = String, Path), ("load" = u64, Path)), responses((status = 200, body = Undo)))]
async fn undo(asked: Asked<NoQuery>) -> Result<Response, Problem> {
    let load = number(asked.part("load"))?;
    check_writable(&asked.graph)?;
    check_undoable(asked.pinned.graph(), load)?;
    let graph = asked.graph.clone();
    // A load may take long: it is not waited for to its end.
    let turn = tokio::time::timeout(asked.app.limits.read / 2, graph.turn.lock()).await;
    let busy = |_| Problem::new(Code::Unavailable, "a load is running").hint("Ask again when it is over.");
    let _turn = turn.map_err(busy)?;
    let graph = asked.graph.clone();
    asked
        .answer(move |_, _| {
            let mut owner = graph.owner();
            let (report, without) = owner.plan_rollback(LoadId(load))?;
            let dropped = report.later.dropped.into_iter().map(|of| Dropped { load: of.load.0, why: of.why });
            Ok(Undo {
                undoes: load,
                counts: difference(&owner.view(), &without),
                replaced: report.later.replaced.iter().map(|load| load.0).collect(),
                dropped: dropped.collect(),
            })
        })
        .await
}

fn difference(before: &View, after: &View) -> AllCounts {
    let (nodes, edges, _) = after.index().compare_from((before.index(), At::now()), At::now()).counts();
    let counts = |of: timeweft::read::ChangeCounts| Counts {
        created: of.created as u64,
        updated: of.updated as u64,
        removed: of.removed as u64,
    };
    let [merges, fewer] = [after, before].map(|view| view.index().n_merges(At::now().time) as u64);
    let merges = Counts { created: merges.saturating_sub(fewer), updated: 0, removed: fewer.saturating_sub(merges) };
    AllCounts { nodes: counts(nodes), edges: counts(edges), merges }
}

/// Rolls a load back, as a new commit.
#[utoipa::path(delete, path = "/v1/graphs/{graph}/loads/{load}", tag = "loads",
    params(("graph" = String, Path), ("load" = u64, Path)), responses((status = 202, body = Started)))]
async fn roll_back(asked: Asked<NoQuery>) -> Result<Response, Problem> {
    let load = number(asked.part("load"))?;
    check_writable(&asked.graph)?;
    check_undoable(asked.pinned.graph(), load)?;
    let job = asked.app.start(&asked.graph, JobKind::Rollback, Writes::Yes, move |job, graph| {
        job.step("takes the load back");
        let (began, mut owner) = (Instant::now(), graph.owner());
        let before = owner.view();
        let done = owner.rollback(LoadId(load))?;
        let report = Report {
            counts: difference(&before, &owner.view()),
            rejected: done.later.n_dropped,
            warnings: done.later.dropped.iter().map(|of| format!("load {}: {}", of.load.0, of.why)).collect(),
            seconds: began.elapsed().as_secs_f64(),
            commit: Some(done.commit.0),
            ..Report::default()
        };
        after_change(graph, &owner, job)?;
        Ok(Some(report))
    })?;
    started(asked.graph.name(), &job)
}

fn number(text: &str) -> Result<u64, Problem> {
    text.parse().map_err(|_| Problem::bad(format!("load: expected a number, got `{text}`")))
}

/// An error for a load that is not there, or counts no more.
fn check_undoable(graph: &Graph, load: u64) -> Result<(), Problem> {
    let record = graph.loads().iter().find(|record| record.id.0 == load);
    let record = record.ok_or_else(|| Error::from(StoreError::UnknownLoad(LoadId(load))))?;
    let by = graph.loads().iter().find(|other| other.undoes == Some(record.id));
    let why = match (record.undoes, by) {
        (Some(undone), _) => format!("it took back load {}", undone.0),
        (None, Some(by)) => format!("load {} took it back already", by.id.0),
        (None, None) => return Ok(()),
    };
    Err(Problem::new(Code::Conflict, format!("load {load} cannot be rolled back: {why}")))
}
