//! How a question is answered: at once, by a thread, or piece by piece.

use std::io;

use axum::body::Body;
use axum::response::Response;
use serde::Serialize;
use tokio_stream::wrappers::ReceiverStream;

use crate::answer::{Form, Lines, Piece, Pieces, json, tagged, typed};
use crate::asking::Asked;
use crate::problem::{Code, Problem};
use crate::work::{Deadline, late, sound};

impl<Q: Send + Sync + 'static> Asked<Q> {
    /// Answers with JSON, at once: for what takes microseconds.
    pub(crate) fn answer_at_once<T: Serialize>(
        &self,
        ask: impl FnOnce(&Asked<Q>) -> Result<T, Problem>,
    ) -> Result<Response, Problem> {
        let body = sound(&self.graph, || json(&ask(self)?))?;
        Ok(tagged(typed(Form::Json, body), self.tag.as_deref()))
    }

    /// Answers with JSON, made by a thread that may take its time.
    pub(crate) async fn answer<T: Serialize>(
        self,
        ask: impl FnOnce(&Asked<Q>, Deadline) -> Result<T, Problem> + Send + 'static,
    ) -> Result<Response, Problem> {
        let (app, graph, tag) = (self.app.clone(), self.graph.clone(), self.tag.clone());
        let body = app.work(&graph, move |deadline| json(&ask(&self, deadline)?)).await?;
        Ok(tagged(typed(Form::Json, body), tag.as_deref()))
    }

    /// Answers with an Arrow stream of a table.
    pub(crate) async fn arrow(
        self,
        ask: impl FnOnce(&Asked<Q>) -> Result<timeweft_arrow::Table, Problem> + Send + 'static,
    ) -> Result<Response, Problem> {
        self.stream(Form::Arrow, move |asked, out| {
            let table = ask(asked)?;
            let failed = |error: arrow_schema::ArrowError| Problem::new(Code::Internal, error.to_string());
            let mut stream = arrow_ipc::writer::StreamWriter::try_new(out, &table.schema).map_err(failed)?;
            table.batches.iter().try_for_each(|batch| stream.write(batch)).map_err(failed)?;
            stream.finish().map_err(failed)
        })
        .await
    }

    /// Answers with JSON lines, one a call of [`Lines::push`].
    pub(crate) async fn lines(
        self,
        ask: impl FnOnce(&Asked<Q>, &mut Lines<'_>) -> Result<(), Problem> + Send + 'static,
    ) -> Result<Response, Problem> {
        self.stream(Form::Lines, move |asked, out| ask(asked, &mut Lines { out })).await
    }

    /// Answers piece by piece. An error before the first piece is the answer; a later one cuts it off.
    pub(crate) async fn stream(
        self,
        form: Form,
        make: impl FnOnce(&Asked<Q>, &mut Pieces) -> Result<(), Problem> + Send + 'static,
    ) -> Result<Response, Problem> {
        let (tag, graph, app) = (self.tag.clone(), self.graph.clone(), self.app.clone());
        let turn = app.turn().await?;
        let (mut pieces, mut from) = Pieces::new(app.limits.stall);
        tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let made = sound(&graph, || make(&self, &mut pieces));
            pieces.end(made);
        });
        let first = tokio::time::timeout(app.limits.read, from.recv()).await.map_err(|_| late(app.limits.read))?;
        let first = first.transpose()?.unwrap_or_default();
        let (head, rest) = (tokio_stream::once(Ok(first)), ReceiverStream::new(from));
        let cut = |piece: Piece| piece.map_err(|problem| io::Error::other(problem.message));
        let body = Body::from_stream(tokio_stream::StreamExt::map(tokio_stream::StreamExt::chain(head, rest), cut));
        Ok(tagged(typed(form, body), tag.as_deref()))
    }
}
