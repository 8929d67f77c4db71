//! Graphs over HTTP.
//!
//! A room is a file with `pub(crate) fn routes() -> OpenApiRouter<Arc<App>>`, which `router` merges. A handler takes
//! `Asked<Q>` (the graph of the path at the commit and time of the query, and what else the query says) and answers by
//! `asked.answer_at_once(|asked| …)` where that takes microseconds, else by `asked.answer(|asked, deadline| …).await`,
//! `lines` or `arrow`. Bodies come as `Received`. Paths name their parts `{graph}`, `{type}`, `{id}`, `{model}`, `{load}`,
//! `{job}`. Long work is a job: `app.start`.

mod access;
mod answer;
mod answering;
mod app;
mod arrow_body;
mod asking;
mod caller;
mod connections;
mod guard;
mod health;
mod job_routes;
mod jobs;
mod learn;
mod limits;
mod load_options;
mod loading;
mod metrics;
mod options;
mod page;
mod parameters;
mod pinned;
mod problem;
mod queue;
mod reads;
mod reference;
mod report;
mod router;
mod scrape;
mod serve;
mod served;
mod session;
mod sources;
#[cfg(feature = "sql")]
mod sql;
#[cfg(feature = "sql")]
mod sql_rows;
mod tokens;
mod upload;
mod wire;
mod work;

pub use caller::Role;
pub use limits::Limits;
pub use options::{Options, ServeError};
pub use serve::{Listening, Tell, run};
pub use tokens::{NewToken, Token, Tokens, TokensError};

/// The description of all endpoints: OpenAPI 3.1, as JSON.
pub fn openapi() -> String {
    router::description_text()
}

/// The same as the reference in the docs: Markdown.
pub fn endpoints() -> String {
    reference::markdown(&serde_json::from_str(&openapi()).unwrap_or_default())
}
