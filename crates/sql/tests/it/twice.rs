//! Every query of `queries.slt` is answered twice: by SQL, and by the library.
//!
//! `UPDATE_QUERIES=1` writes the answers of SQL into the file; without it both have to give what is there.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use sqllogictest::{DB, DBOutput, DefaultColumnType, Runner};
use timeweft::{Commit, Deletes, Graph, Time};
use timeweft_sql::{Error, Session, json_rows};

use crate::library::Library;
use crate::shop::{Shop, day};

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/queries.slt")
}

/// Asks in SQL.
struct Sql(Session);

/// A failure as the runner wants it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Told(String);

fn types(n: usize) -> Vec<DefaultColumnType> {
    vec![DefaultColumnType::Any; n]
}

impl DB for Sql {
    type Error = Told;
    type ColumnType = DefaultColumnType;

    fn run(&mut self, query: &str) -> Result<DBOutput<DefaultColumnType>, Told> {
        let told = |error: Error| Told(error.explained());
        let mut answer = self.0.query(query).map_err(told)?;
        let columns = answer.schema().fields().len();
        let mut rows = Vec::new();
        for batch in answer.by_ref() {
            for row in json_rows(&batch.map_err(told)?).map_err(told)? {
                let cell = |value: serde_json::Value| match value {
                    serde_json::Value::Null => "NULL".into(),
                    serde_json::Value::String(text) => text,
                    other => other.to_string(),
                };
                rows.push(row.into_iter().map(cell).collect());
            }
        }
        let is_setting = ["SET", "RESET"].iter().any(|word| query.trim_start().starts_with(word));
        if is_setting && rows.is_empty() {
            Ok(DBOutput::StatementComplete(0))
        } else {
            Ok(DBOutput::Rows { types: types(columns), rows })
        }
    }

    fn engine_name(&self) -> &str {
        "sql"
    }
}

/// Asks the library, by the comment of the query.
struct ByLibrary {
    graph: Arc<Mutex<Graph>>,
    at: Time,
    commit: Option<Commit>,
    deletes: Deletes,
}

impl DB for ByLibrary {
    type Error = Told;
    type ColumnType = DefaultColumnType;

    fn run(&mut self, query: &str) -> Result<DBOutput<DefaultColumnType>, Told> {
        let words: Vec<&str> = query.split_whitespace().collect();
        match words[..] {
            ["SET", "timeweft.at", "=", value] => self.at = day(value.trim_matches('\'')),
            ["SET", "timeweft.commit", "=", value] => self.commit = Some(Commit(value.parse().unwrap())),
            ["SET", "timeweft.deletes", "=", value] => {
                self.deletes = if value == "'soft'" { Deletes::Soft } else { Deletes::Hard }
            }
            ["RESET", "timeweft.at"] => self.at = Time::FOREVER,
            ["RESET", "timeweft.commit"] => self.commit = None,
            ["RESET", "timeweft.deletes"] => self.deletes = Deletes::Hard,
            _ => {
                let question = query.lines().find_map(|line| line.strip_prefix("-- lib "));
                let question = question.ok_or_else(|| Told(format!("no question for the library: {query}")))?;
                let graph = self.graph.lock().unwrap();
                let library = Library { graph: &graph, at: self.at, commit: self.commit, deletes: self.deletes };
                let rows = library.answer(question);
                return Ok(DBOutput::Rows { types: types(rows.first().map_or(1, Vec::len)), rows });
            }
        }
        Ok(DBOutput::StatementComplete(0))
    }

    fn engine_name(&self) -> &str {
        "library"
    }
}

fn run<D: DB<ColumnType = DefaultColumnType> + Send + 'static>(make: impl Fn() -> D) -> Result<(), String> {
    let make = &make;
    let mut runner = Runner::new(|| async { Ok(make()) });
    runner.run_file(file()).map_err(|error| error.display(false).to_string())
}

#[test]
fn sql_and_library_give_the_same_answers() {
    let shop = Shop::open();
    let sql = || Sql(Session::new(shop.graph.clone()));
    if std::env::var_os("UPDATE_QUERIES").is_some() {
        let mut runner = Runner::new(|| async { Ok(sql()) });
        let update = runner.update_test_file(
            file(),
            " ",
            sqllogictest::default_validator,
            sqllogictest::default_normalizer,
            sqllogictest::default_column_validator,
        );
        // It waits for nothing: whoever asks blocks.
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let updated = std::pin::pin!(update).poll(&mut context);
        assert!(matches!(updated, std::task::Poll::Ready(Ok(()))));
    }
    let library = || ByLibrary { graph: shop.graph.clone(), at: Time::FOREVER, commit: None, deletes: Deletes::Hard };
    let failed: Vec<String> = [run(sql), run(library)].into_iter().filter_map(Result::err).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn there_are_enough_queries() {
    let text = std::fs::read_to_string(file()).unwrap();
    let both = text.lines().filter(|line| line.starts_with("-- lib ")).count();
    let errors = text.lines().filter(|line| line.starts_with("statement error")).count();
    assert!(both >= 150 && errors >= 60, "{both} queries, {errors} errors");
}
