//! Time, rows and memory have limits, and a query can be given up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use timeweft_sql::{Error, Limits, Pinned, Session, TableKind, Waited};

use crate::shop::Shop;

/// A query that would run for years.
const ENDLESS: &str = "SELECT count(*) FROM range(0, 100000) a, range(0, 100000) b, range(0, 100000) c WHERE a.value + b.value = c.value + 1";

fn session(shop: &Shop, limits: Limits) -> Session {
    Session::new(shop.graph.clone()).with_limits(limits)
}

fn end(session: &mut Session, query: &str) -> Error {
    match session.query(query) {
        Err(error) => error,
        Ok(answer) => answer.filter_map(Result::err).next().unwrap(),
    }
}

#[test]
fn a_query_ends_with_its_time() {
    let shop = Shop::open();
    let limit = Duration::from_millis(300);
    let mut session = session(&shop, Limits { time: Some(limit), ..Limits::default() });
    let began = Instant::now();
    let error = end(&mut session, ENDLESS);
    assert!(matches!(error, Error::TimeLimit { .. }), "{error}");
    assert_eq!(error.message(), "the query took longer than 300 ms");
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[test]
fn rows_are_cut_and_it_is_told() {
    let shop = Shop::open();
    for (rows, expected, truncated) in [(2, 2, true), (7, 7, false), (100, 7, false), (0, 0, true)] {
        let mut answer =
            session(&shop, Limits { rows: Some(rows), ..Limits::default() }).query("SELECT * FROM nodes").unwrap();
        let n: usize = answer.by_ref().map(|batch| batch.unwrap().num_rows()).sum();
        assert_eq!((n, answer.is_truncated()), (expected, truncated), "{rows}");
    }
}

#[test]
fn memory_has_a_limit_and_nothing_goes_to_disk() {
    let shop = Shop::open();
    let mut session = session(&shop, Limits { memory: Some(1 << 20), ..Limits::default() });
    let error = end(&mut session, "SELECT value, count(*) FROM range(0, 3000000) GROUP BY value");
    assert!(matches!(error, Error::Memory { limit: Some(_) }), "{error:?}");
    assert!(error.explained().contains("1 MiB"), "{}", error.explained());
}

#[test]
fn a_query_is_given_up_from_elsewhere() {
    let mut shop = Shop::open();
    let mut answer = shop.session.query(ENDLESS).unwrap();
    assert!(matches!(answer.wait(Duration::from_millis(50)).unwrap(), Waited::NotYet));
    answer.cancel_handle().cancel();
    let mut answer: Vec<_> = answer.collect();
    assert!(matches!(answer.pop(), Some(Err(Error::Cancelled))) && answer.is_empty());
    // Dropped, it ends as well: the process does not wait for it.
    drop(shop.session.query(ENDLESS).unwrap());
}

#[test]
fn one_view_is_a_graph_of_one_commit() {
    let shop = Shop::open();
    let view = shop.graph.lock().unwrap().view_at(timeweft::Commit(1)).unwrap();
    let mut session = Session::new(Arc::new(Pinned(view)));
    assert_eq!(session.query("SELECT * FROM user").unwrap().head().commit.0, 1);
    assert_eq!(session.query("SELECT * FROM user VERSION AS OF 1").unwrap().count(), 1);
    let error = end(&mut session, "SELECT * FROM user VERSION AS OF 2");
    assert!(error.explained().contains("pinned to commit 1"), "{}", error.explained());
    assert!(end(&mut session, "SELECT * FROM loads").message().contains("loads"));
}

#[test]
fn tables_are_listed_with_their_columns_and_functions_with_their_signatures() {
    let mut shop = Shop::open();
    let tables = shop.session.tables().unwrap();
    let named = |name: &str, kind| tables.iter().find(|table| table.name == name && table.kind == kind).unwrap();
    let user = named("user", TableKind::View);
    assert_eq!(
        user.columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["node", "type", "id", "created", "removed", "age", "city", "taste"]
    );
    let neighbors = named("neighbors", TableKind::TableFunction).signature.clone().unwrap();
    assert_eq!(neighbors, "neighbors(type, id, side =>, relation =>, at =>, commit =>, deletes =>)");
    assert_eq!(
        named("feature_at", TableKind::ScalarFunction).signature.as_deref(),
        Some("feature_at(type, id, name, t)")
    );
    assert_eq!(shop.rows("SHOW TABLES").len(), tables.len());
    assert_eq!(shop.line("SHOW timeweft.deletes"), "timeweft.deletes hard");
    assert!(shop.line("DESCRIBE user").contains("age Float64"));
}

#[test]
fn settings_are_kept_and_those_of_a_failed_script_are_not() {
    let mut shop = Shop::open();
    assert_eq!(shop.line("SET timeweft.at = '2016-01-01'; SELECT id FROM nodes"), "ann");
    assert_eq!(shop.line("SELECT count(*) FROM nodes"), "1", "it holds");
    assert!(shop.ask("SET timeweft.at = '2016-01-02'; SELECT nothing FROM nodes").is_err());
    assert_eq!(shop.line("SELECT count(*) FROM nodes"), "1", "as it was");
    assert_eq!(shop.line("RESET timeweft.at; SELECT count(*) FROM nodes"), "7");
}

#[test]
fn no_text_is_deeper_than_the_stack() {
    let mut shop = Shop::open();
    let chain = |link: &str, n: usize| format!("SELECT count(*) FROM nodes WHERE id = 'ann'{}", link.repeat(n));
    for (link, n) in [(" OR id = 'x'", 60), (" AND id != 'x'", 60), (" UNION ALL SELECT 1", 20)] {
        assert!(!shop.rows(&chain(link, n)).is_empty(), "{link}");
        let error = shop.error(&chain(link, 50_000));
        assert!(error.contains("more than 256 operators"), "{link}: {error}");
    }
    let nested = format!("SELECT {}1{}", "(".repeat(10_000), ")".repeat(10_000));
    assert!(shop.ask(&nested).is_err());
    let minus = format!("SELECT {}1", "- ".repeat(10_000));
    assert!(shop.ask(&minus).is_err());
    let ids = (0..20_000).map(|id| format!("'{id}'")).collect::<Vec<_>>().join(", ");
    assert_eq!(shop.line(&format!("SELECT id FROM nodes WHERE id IN ({ids})")), "1, 30", "a long list is no chain");
}
