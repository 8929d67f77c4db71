//! An answer on its way out: its form, its tag, its pieces.

use std::io::{self, Write};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::problem::{Code, Problem};

/// What a client takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Form {
    #[default]
    Json,
    /// One JSON value a line.
    Lines,
    /// An Arrow stream.
    Arrow,
}

/// Content type of an Arrow stream.
pub(crate) const ARROW: &str = "application/vnd.apache.arrow.stream";

/// Content type of JSON lines.
const LINES: &str = "application/x-ndjson";

impl Form {
    pub(crate) fn of(accept: Option<&HeaderValue>) -> Form {
        let Some(accept) = accept.and_then(|accept| accept.to_str().ok()) else { return Form::Json };
        let kinds = accept.split(',').map(|kind| kind.split(';').next().unwrap_or_default().trim());
        let known = |kind: &str| match kind {
            "application/json" => Some(Form::Json),
            LINES => Some(Form::Lines),
            ARROW => Some(Form::Arrow),
            _ => None,
        };
        kinds.filter_map(known).next().unwrap_or_default()
    }

    fn content_type(self) -> &'static str {
        match self {
            Form::Json => "application/json",
            Form::Lines => LINES,
            Form::Arrow => ARROW,
        }
    }
}

/// A query in order of name, as text.
pub(crate) fn sorted_query(pairs: &[(String, String)]) -> String {
    let mut pairs: Vec<&(String, String)> = pairs.iter().collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{}:{name}={}:{value}&", name.len(), value.len())).collect()
}

/// The tag of an answer: commit, and a hash of the question.
pub(crate) fn tag(commit: u64, path: &str, sorted_query: &str, form: Form) -> String {
    let mut hash = blake3::Hasher::new();
    for text in [path, sorted_query, if form == Form::Json { "" } else { form.content_type() }] {
        hash.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
    }
    let hash = hash.finalize().to_hex();
    format!("\"{commit}-{}\"", &hash[..16])
}

/// Whether a client has the answer of a tag.
pub(crate) fn is_known(if_none_match: &HeaderValue, tag: &str) -> bool {
    let Ok(known) = if_none_match.to_str() else { return false };
    known.split(',').map(|one| one.trim().trim_start_matches("W/")).any(|one| one == tag || one == "*")
}

pub(crate) fn not_modified(tag: &str) -> Response {
    tagged(StatusCode::NOT_MODIFIED.into_response(), Some(tag))
}

pub(crate) fn tagged(mut response: Response, tag: Option<&str>) -> Response {
    let headers = response.headers_mut();
    match tag.and_then(|tag| HeaderValue::from_str(tag).ok()) {
        Some(tag) => {
            headers.insert(header::ETAG, tag);
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
            headers.append(header::VARY, HeaderValue::from_static("accept"));
        }
        None => {
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
    }
    response
}

pub(crate) fn typed(form: Form, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(form.content_type()));
    response
}

/// A part of a path, percent-encoded.
pub(crate) fn encoded(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let each = |byte: u8| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(each).collect()
}

/// An answer as JSON that no cache keeps: of jobs and sessions.
pub(crate) fn unkept<T: Serialize>(status: StatusCode, value: &T) -> Result<Response, Problem> {
    let mut response = tagged(typed(Form::Json, json(value)?), None);
    *response.status_mut() = status;
    Ok(response)
}

pub(crate) fn json<T: Serialize>(value: &T) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(value).map_err(|error| Problem::new(Code::Internal, format!("the answer has no JSON: {error}")))
}

/// Pieces of an answer that wait for the client.
const PIECES: usize = 8;
/// Bytes of a piece.
const PIECE: usize = 64 << 10;

/// Bytes of an answer, or why there are no more.
pub(crate) type Piece = Result<Bytes, Problem>;

/// Takes an answer and sends it piece by piece. It ends where the client goes away, or takes nothing for long.
pub(crate) struct Pieces {
    to: mpsc::Sender<Piece>,
    buffer: Vec<u8>,
    stall: Duration,
    runtime: Handle,
}

impl Pieces {
    /// Takes pieces, and where they come out. A client that takes nothing for the time of `stall` has gone.
    pub(crate) fn new(stall: Duration) -> (Pieces, mpsc::Receiver<Piece>) {
        let (to, from) = mpsc::channel(PIECES);
        (Pieces { to, buffer: Vec::new(), stall, runtime: Handle::current() }, from)
    }

    /// The last piece: the rest, or what went wrong.
    pub(crate) fn end(mut self, made: Result<(), Problem>) {
        // Where the client has gone, nobody hears of it.
        let _ = match made {
            Ok(()) => self.flush(),
            Err(problem) => self.send(Err(problem)),
        };
    }

    fn send(&mut self, piece: Piece) -> io::Result<()> {
        let sent = self.runtime.block_on(async { tokio::time::timeout(self.stall, self.to.send(piece)).await });
        match sent {
            Ok(Ok(())) => Ok(()),
            _ => Err(io::Error::new(io::ErrorKind::BrokenPipe, "the client takes nothing more")),
        }
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= PIECE {
            let piece = std::mem::take(&mut self.buffer);
            self.send(Ok(piece.into()))?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        match std::mem::take(&mut self.buffer) {
            rest if rest.is_empty() => Ok(()),
            rest => self.send(Ok(rest.into())),
        }
    }
}

/// Takes JSON lines.
pub(crate) struct Lines<'a> {
    pub(crate) out: &'a mut Pieces,
}

impl Lines<'_> {
    /// One line more.
    ///
    /// # Errors
    /// If the client has gone: then nothing more is worth making.
    pub(crate) fn push<T: Serialize>(&mut self, value: &T) -> Result<(), Problem> {
        let mut line = json(value)?;
        line.push(b'\n');
        self.out.write_all(&line).map_err(|error| Problem::new(Code::Unavailable, error.to_string()))
    }
}
