//! What an error says, whatever was asked for.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use timeweft::load::StoreError;
use timeweft::model::{LearnError, ModelError};
use timeweft::read::{MomentError, damage::Damage};
use utoipa::ToSchema;

/// Why a request was refused or failed: a status, and a body of one form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Problem {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

/// What a problem is, for programs. It decides the status.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Code {
    /// A parameter is unknown or does not parse.
    BadRequest,
    /// There is no session or token, or it ended.
    Unauthorized,
    /// The role or the graphs of the token, the host or the origin do not allow it.
    Forbidden,
    /// There is no such graph, type, node, load, model or job.
    NotFound,
    /// The node is known, but not alive at the time.
    NotAlive,
    /// What is there already contradicts it.
    Conflict,
    /// The body or the answer is larger than the limit.
    TooLarge,
    /// Too many requests or jobs wait already.
    TooMany,
    /// The answer took longer than the limit.
    TimeLimit,
    /// The files of the commit are no longer kept.
    CommitGone,
    /// It cannot be done now; later it can.
    Unavailable,
    /// A bug, or a disk that fails.
    Internal,
}

/// The body of every answer with a status of 400 and above.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Refusal {
    error: Fault,
}

/// What went wrong, and what to do.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct Fault {
    code: Code,
    /// What and where.
    message: String,
    /// What to do.
    hint: Option<String>,
}

impl Code {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Code::BadRequest => StatusCode::BAD_REQUEST,
            Code::Unauthorized => StatusCode::UNAUTHORIZED,
            Code::Forbidden => StatusCode::FORBIDDEN,
            Code::NotFound | Code::NotAlive => StatusCode::NOT_FOUND,
            Code::Conflict => StatusCode::CONFLICT,
            Code::CommitGone => StatusCode::GONE,
            Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Code::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Code::TimeLimit => StatusCode::GATEWAY_TIMEOUT,
            Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl Problem {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Problem {
        Problem { code, message: message.into(), hint: None }
    }

    /// A parameter or a body that cannot be understood.
    pub(crate) fn bad(message: impl Into<String>) -> Problem {
        Problem::new(Code::BadRequest, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Problem {
        Problem::new(Code::NotFound, message)
    }

    /// What to do.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Problem {
        Problem { hint: Some(hint.into()), ..self }
    }

    /// The same as part of an answer.
    pub(crate) fn fault(&self) -> Fault {
        Fault { code: self.code, message: self.message.clone(), hint: self.hint.clone() }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, code) = (self.code.status(), self.code);
        let mut response = (status, Json(Refusal { error: self.fault() })).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match code {
            Code::TooMany | Code::Unavailable => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            Code::Unauthorized => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            _ => {}
        }
        response
    }
}

impl From<timeweft::Error> for Problem {
    fn from(error: timeweft::Error) -> Problem {
        use timeweft::Error;
        let code = match &error {
            Error::Store(error) => of_store(error),
            Error::UnknownNode(_) => Code::NotFound,
            Error::Stopped => Code::Conflict,
            Error::Model(error) => of_model(error),
            Error::Source(_) | Error::Time(_) | Error::Sample(_) | Error::Query(_) => Code::BadRequest,
            _ => Code::Internal,
        };
        Problem::new(code, over_http(&error.to_string()))
    }
}

fn of_store(error: &StoreError) -> Code {
    match error {
        StoreError::Missing(_) | StoreError::NotAGraph(_) | StoreError::UnknownLoad(_) => Code::NotFound,
        StoreError::UnknownCommit { .. } => Code::NotFound,
        StoreError::Exists(_)
        | StoreError::ReadOnly(_)
        | StoreError::VersionTaken { .. }
        | StoreError::TimestampTaken { .. }
        | StoreError::TooEarly { .. }
        | StoreError::NotUndoable { .. }
        | StoreError::Stopped => Code::Conflict,
        StoreError::Locked { .. } | StoreError::Manifest { .. } | StoreError::DiskFull(_) | StoreError::Poisoned => {
            Code::Unavailable
        }
        StoreError::Incomplete(_)
        | StoreError::Delta(_)
        | StoreError::Dangling(_)
        | StoreError::Source(_)
        | StoreError::Full(_)
        | StoreError::NothingAccepted(_)
        | StoreError::TooManyRejects { .. } => Code::BadRequest,
        StoreError::Unwritten { cause, .. } => of_store(cause),
        _ => Code::Internal,
    }
}

fn of_model(error: &ModelError) -> Code {
    match error {
        ModelError::NoModel { .. }
        | ModelError::UnknownRelation { .. }
        | ModelError::UnknownType { .. }
        | ModelError::NoEdge { .. } => Code::NotFound,
        ModelError::NotAlive { .. } => Code::NotAlive,
        ModelError::Io { .. } => Code::Internal,
        ModelError::Learn(LearnError::Checkpoint { .. } | LearnError::Io { .. }) => Code::Internal,
        ModelError::Learn(LearnError::Interrupted) => Code::Conflict,
        _ => Code::BadRequest,
    }
}

/// Words of the library's functions and of the command line, as they are over HTTP.
fn over_http(message: &str) -> String {
    const WORDS: [(&str, &str); 6] = [
        ("`Graph::loads`", "`GET /v1/graphs/{graph}/loads`"),
        ("`Dangling::Drop`", "`\"dangling\": \"drop\"`"),
        ("`Dangling::Stub`", "`\"dangling\": \"stub\"`"),
        ("`back_dated`", "`timeweft load version --back-dated`"),
        ("open it with `Graph::open` to change it", "start the server without `--read-only` to change it"),
        ("`Graph::open_read_only`", "`timeweft serve --read-only`"),
    ];
    WORDS.iter().fold(message.to_owned(), |text, (from, to)| text.replace(from, to))
}

impl From<timeweft_arrow::Error> for Problem {
    fn from(error: timeweft_arrow::Error) -> Problem {
        match error {
            timeweft_arrow::Error::Library(error) => error.into(),
            unknown @ timeweft_arrow::Error::Unknown { .. } => Problem::not_found(unknown.to_string()),
            other => Problem::bad(other.to_string()),
        }
    }
}

impl From<MomentError> for Problem {
    fn from(error: MomentError) -> Problem {
        Problem::bad(error.to_string())
    }
}

impl From<Damage> for Problem {
    fn from(damage: Damage) -> Problem {
        let message = format!("{damage}: it is a cache, which is made anew from the log");
        Problem::new(Code::Unavailable, message).hint("Ask again in a moment.")
    }
}
