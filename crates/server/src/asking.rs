//! A question on its way in: of which graph, at which commit and time, and what else it says.

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Query, RawPathParams, Request};
use axum::http::header::{ACCEPT, CONTENT_TYPE, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use timeweft::{At, Deletes, View};
use utoipa::IntoParams;

use crate::answer::{self, ARROW, Form};
use crate::app::App;
use crate::caller::Caller;
use crate::parameters;
use crate::pinned::Pinned;
use crate::problem::{Code, Problem};
use crate::served::Served;
use crate::wire::{DeletesText, Head};

/// The clocks that a question names in its query.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Clocks {
    /// `at`, `commit` and `deletes`.
    Both,
    /// `commit` alone.
    Commit,
    /// None: they stand in the body, or it is no question of a time.
    None,
}

/// The parameters of a question beside its clocks. The struct says `deny_unknown_fields`.
pub(crate) trait Question: DeserializeOwned + Send + Sync + 'static {
    /// The clocks that the query names.
    const CLOCKS: Clocks = Clocks::Both;

    /// The commit that another parameter names, such as a cursor: pages of one list never mix two commits.
    fn commit(&self) -> Result<Option<u64>, Problem> {
        Ok(None)
    }
}

/// A question with both clocks and nothing else.
#[derive(Deserialize, Debug, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoParameters {}

impl Question for NoParameters {}

/// A question whose query is empty.
#[derive(Deserialize, Debug, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoQuery {}

impl Question for NoQuery {
    const CLOCKS: Clocks = Clocks::None;
}

/// Both clocks, for the description of an endpoint.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)]
pub(crate) struct AtParameters {
    /// Time: ticks, RFC 3339, or `namespace@version`; left out, the end of time.
    at: Option<String>,
    /// Number of the commit; left out, the newest.
    commit: Option<u64>,
    /// Whether deleted elements are gone or shown.
    deletes: Option<DeletesText>,
}

/// The commit alone, for the description of an endpoint.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)]
pub(crate) struct CommitParameter {
    /// Number of the commit; left out, the newest.
    commit: Option<u64>,
}

/// A question of a graph at a commit and a time. The path has `{graph}`.
///
/// As an extractor it ends the request early: with what is wrong, or with 304 where the client has the answer already.
pub(crate) struct Asked<Q = NoParameters> {
    pub(crate) app: Arc<App>,
    pub(crate) graph: Arc<Served>,
    pub(crate) pinned: Arc<Pinned>,
    pub(crate) at: At,
    pub(crate) query: Q,
    /// What the client takes.
    pub(crate) form: Form,
    /// The tag of the answer; none where the clocks stand in a body.
    pub(crate) tag: Option<String>,
    path: Vec<(String, String)>,
}

impl<Q> Asked<Q> {
    /// The graph at the commit.
    pub(crate) fn view(&self) -> &View {
        self.pinned.view()
    }

    /// What the answer is read at.
    pub(crate) fn head(&self) -> Head {
        Head::new(self.graph.unit(), self.pinned.commit(), self.at)
    }

    /// A part of the path, decoded.
    pub(crate) fn part(&self, name: &str) -> &str {
        part(&self.path, name)
    }

    /// The same question at clocks that stand in a body.
    pub(crate) async fn pin(
        self,
        commit: Option<u64>,
        at: Option<&str>,
        deletes: Option<DeletesText>,
    ) -> Result<Asked<Q>, Problem> {
        let pinned = self.graph.at(commit).await?;
        let at = pinned.at(at, deletes.map(Deletes::from))?;
        Ok(Asked { pinned, at, tag: None, ..self })
    }
}

fn part<'a>(path: &'a [(String, String)], name: &str) -> &'a str {
    path.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
}

/// The pairs of a query, and those that are clocks taken out of them.
struct Pairs {
    rest: Vec<(String, String)>,
    at: Option<String>,
    commit: Option<u64>,
    deletes: Option<DeletesText>,
}

/// The clocks as a struct of their own.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Named {
    at: Option<String>,
    commit: Option<u64>,
    deletes: Option<DeletesText>,
}

impl Pairs {
    fn of(pairs: Vec<(String, String)>, clocks: Clocks) -> Result<Pairs, Problem> {
        let is_clock = |name: &str| match clocks {
            Clocks::Both => matches!(name, "at" | "commit" | "deletes"),
            Clocks::Commit => name == "commit",
            Clocks::None => false,
        };
        let (named, rest) = pairs.into_iter().partition::<Vec<_>, _>(|(name, _)| is_clock(name));
        let Named { at, commit, deletes } = parameters::read(named).map_err(Problem::bad)?;
        Ok(Pairs { rest, at, commit, deletes })
    }
}

/// The pairs of a query in their order.
fn pairs(parts: &Parts) -> Result<Vec<(String, String)>, Problem> {
    if parts.uri.query().is_none() {
        return Ok(Vec::new());
    }
    let read = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
    read.map(|Query(pairs)| pairs).map_err(|error| Problem::bad(format!("the query cannot be read: {error}")))
}

impl<Q: Question> Asked<Q> {
    async fn read(parts: &mut Parts, app: &Arc<App>) -> Result<Asked<Q>, Early> {
        let path = path(parts).await?;
        let caller = caller(parts)?;
        let graph = app.graph(part(&path, "graph"), &caller)?.clone();
        let all = pairs(parts)?;
        let form = Form::of(parts.headers.get(ACCEPT));
        let sorted = (Q::CLOCKS != Clocks::None).then(|| answer::sorted_query(&all));
        let Pairs { rest, at, commit, deletes } = Pairs::of(all, Q::CLOCKS)?;
        let query: Q = parameters::read(rest).map_err(Problem::bad)?;
        let commit = match (commit, query.commit()?) {
            (Some(own), Some(other)) if own != other => {
                let message = format!("commit: {own} was asked for, and the cursor is of commit {other}");
                return Err(Problem::bad(message).hint("Leave `commit` out, or begin with the first page.").into());
            }
            (own, other) => own.or(other),
        };
        let commit = commit.or_else(|| sorted.is_some().then(|| graph.newest().commit().0));
        let tag = sorted.map(|sorted| answer::tag(commit.unwrap_or_default(), parts.uri.path(), &sorted, form));
        if let Some(tag) = &tag
            && commit <= Some(graph.newest().commit().0)
            && parts.headers.get(IF_NONE_MATCH).is_some_and(|known| answer::is_known(known, tag))
        {
            return Err(Early::Known(tag.clone()));
        }
        let pinned = graph.at(commit).await?;
        let at = pinned.at(at.as_deref(), deletes.map(Deletes::from))?;
        Ok(Asked { app: app.clone(), graph, pinned, at, query, form, tag, path })
    }
}

impl<Q: Question> FromRequestParts<Arc<App>> for Asked<Q> {
    type Rejection = Early;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Asked<Q>, Early> {
        Asked::read(parts, app).await
    }
}

/// Why a question ends before it is asked.
#[derive(Debug)]
pub(crate) enum Early {
    /// It is wrong, or not allowed.
    Wrong(Problem),
    /// The client has the answer of this tag already.
    Known(String),
}

impl From<Problem> for Early {
    fn from(problem: Problem) -> Early {
        Early::Wrong(problem)
    }
}

impl IntoResponse for Early {
    fn into_response(self) -> Response {
        match self {
            Early::Wrong(problem) => problem.into_response(),
            Early::Known(tag) => answer::not_modified(&tag),
        }
    }
}

/// Who asks, as the guard found out.
pub(crate) fn caller(parts: &Parts) -> Result<Caller, Problem> {
    let known = parts.extensions.get::<Caller>().cloned();
    known.ok_or_else(|| Problem::new(Code::Unauthorized, "this request has not passed the guard"))
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Caller, Problem> {
        caller(parts)
    }
}

/// The parts of the path by name, decoded.
async fn path(parts: &mut Parts) -> Result<Vec<(String, String)>, Problem> {
    let params = RawPathParams::from_request_parts(parts, &()).await;
    let params = params.map_err(|error| Problem::bad(format!("the path cannot be read: {error}")))?;
    Ok(params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// The body of a question, whole.
pub(crate) struct Received {
    kind: String,
    pub(crate) bytes: axum::body::Bytes,
}

impl Received {
    /// Whether it is an Arrow stream.
    pub(crate) fn is_arrow(&self) -> bool {
        self.kind == ARROW
    }

    /// The JSON of the body.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        if self.kind != "application/json" {
            let message = format!("Content-Type: expected application/json, got `{}`", self.kind);
            return Err(Problem::bad(message).hint("Send the header `Content-Type: application/json`."));
        }
        serde_json::from_slice(&self.bytes).map_err(|error| Problem::bad(format!("the body: {error}")))
    }
}

impl FromRequest<Arc<App>> for Received {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Received, Problem> {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let read = axum::body::to_bytes(request.into_body(), app.limits.body);
        let late = || Problem::bad("the body did not come in time").hint("Send it faster, or in parts.");
        let bytes = tokio::time::timeout(app.limits.body_time, read).await.map_err(|_| late())?;
        let most = app.limits.body;
        let failed = |error: axum::Error| match error.to_string().contains("limit") {
            true => Problem::new(Code::TooLarge, format!("the body has more than {most} bytes")),
            false => Problem::bad(format!("the body cannot be read: {error}")),
        };
        Ok(Received { kind, bytes: bytes.map_err(failed)? })
    }
}

/// Type and id of a node as they stand in a query: each percent-encoded alone, a colon between.
pub(crate) fn node_name(parameter: &str, text: &str) -> Result<(String, String), Problem> {
    let (of_type, id) = text.split_once(':').ok_or_else(|| {
        let message = format!("{parameter}: expected `type:id`, got `{text}`");
        Problem::bad(message).hint("Percent-encode each of type and id alone, and put a colon between.")
    })?;
    Ok((decoded(parameter, of_type)?, decoded(parameter, id)?))
}

/// A text without its percent-encoding.
pub(crate) fn decoded(parameter: &str, text: &str) -> Result<String, Problem> {
    let wrong = || Problem::bad(format!("{parameter}: `{text}` is not percent-encoded text"));
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        rest = behind;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let digits = rest.get(..2).and_then(|digits| std::str::from_utf8(digits).ok()).ok_or_else(wrong)?;
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        bytes.push(u8::from_str_radix(digits, 16).ok().filter(|_| is_hex).ok_or_else(wrong)?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_first_and_decoded_then() {
        let read = |text| node_name("root", text).map_err(|problem| problem.message);
        assert_eq!(read("item:lamp%3A2"), Ok(("item".into(), "lamp:2".into())));
        assert_eq!(read("a%3Ab:1:2"), Ok(("a:b".into(), "1:2".into())));
        assert_eq!(read("item:%C3%A9"), Ok(("item".into(), "é".into())));
        for wrong in ["item", "item:%", "item:%4", "item:%+1", "item:%ff"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
