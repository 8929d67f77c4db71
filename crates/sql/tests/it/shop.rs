//! A small shop that changes: what the queries of the tests are about.
//!
//! Commit 1 brings what happens up to May 2016; commit 2 what happens then, and one thing more that had been so in March.

use std::sync::{Arc, Mutex};

use arrow_array::RecordBatch;
use tempfile::TempDir;
use timeweft::load::{LoadRequest, Place};
use timeweft::read::{Dense, Numbers};
use timeweft::{Action, EdgeKey, Element, Event, Graph, Name, NodeKey, Time, TimeUnit, Value};
use timeweft_sql::{Error, Session};

/// The graph, its folder, and a session.
pub(crate) struct Shop {
    pub(crate) graph: Arc<Mutex<Graph>>,
    pub(crate) session: Session,
    _dir: TempDir,
}

/// A time of the shop, which counts in seconds.
pub(crate) fn day(text: &str) -> Time {
    TimeUnit::Second.parse(text).unwrap()
}

fn node(of_type: &str, id: &str) -> NodeKey {
    NodeKey::new(of_type, id)
}

fn edge(source: NodeKey, relation: &str, destination: NodeKey, key: Option<&str>) -> Element {
    Element::Edge(EdgeKey { source, relation: relation.into(), destination, key: key.map(Name::from) })
}

fn event(time: &str, action: Action, element: Element, features: Vec<(&str, Option<Value>)>) -> Event {
    let features = features.into_iter().map(|(name, value)| (name.into(), value)).collect();
    Event::new(day(time), action, element).with(features)
}

fn whole(number: i64) -> Value {
    Value::Dense(Dense { numbers: Numbers::I64(vec![number]), scalar: true })
}

fn first_load() -> Vec<Event> {
    use Action::{Create, Delete, Update};
    let user = |id: &str| Element::Node(node("user", id));
    let item = |id: &str| Element::Node(node("item", id));
    let term = |id: &str| Element::Node(node("Term", id));
    let text = |text: &str| Some(Value::text(text));
    let buys = |from: &str, to: &str| edge(node("user", from), "buys", node("item", to), None);
    let is_a = |from: &str, to: &str| edge(node("Term", from), "is_a", node("Term", to), None);
    let taste = |a: f32, b: f32| Some(Value::floats(&[a, b]));
    vec![
        event("2016-01-01", Create, user("ann"), vec![("age", Some(Value::number(31.0))), ("city", text("Bern"))]),
        event("2016-01-02", Create, user("bo"), vec![("age", Some(Value::number(25.0))), ("taste", taste(0.5, 1.0))]),
        event("2016-01-03", Create, user("cy"), vec![("city", text("Zürich"))]),
        event("2016-01-04", Create, item("1"), vec![("price", Some(whole(10)))]),
        event("2016-01-04", Create, item("2"), vec![("price", Some(whole(20)))]),
        event("2016-01-05", Create, item("30"), vec![("price", Some(whole(30))), ("name", text("pear"))]),
        event("2016-01-06", Create, term("T:1"), vec![("name", text("thing"))]),
        event("2016-01-06", Create, term("T:2"), vec![("name", text("fruit"))]),
        event("2016-01-06", Create, term("T:3"), vec![("name", text("pear"))]),
        event("2016-01-07", Create, is_a("T:2", "T:1"), vec![]),
        event("2016-01-07", Create, is_a("T:3", "T:2"), vec![]),
        event("2016-02-01", Create, buys("ann", "1"), vec![("count", Some(whole(2)))]),
        event("2016-02-02", Create, buys("ann", "2"), vec![("count", Some(whole(1)))]),
        event("2016-02-03", Create, buys("bo", "1"), vec![("count", Some(whole(5)))]),
        event("2016-02-04", Create, edge(node("user", "ann"), "knows", node("user", "bo"), None), vec![]),
        event("2016-02-04", Create, edge(node("user", "bo"), "knows", node("user", "bo"), None), vec![]),
        event("2016-02-05", Create, edge(node("user", "cy"), "rates", node("item", "2"), Some("a")), vec![]),
        event("2016-02-05", Create, edge(node("user", "cy"), "rates", node("item", "2"), Some("b")), vec![]),
        event("2016-03-01", Update, user("ann"), vec![("age", Some(Value::number(32.0)))]),
        event("2016-03-02", Update, item("1"), vec![("price", Some(whole(11)))]),
        event("2016-04-01", Delete, buys("ann", "2"), vec![]),
        event("2016-04-02", Delete, user("cy"), vec![]),
    ]
}

fn second_load() -> Vec<Event> {
    use Action::{Create, Delete, Update};
    let buys = |from: &str, to: &str| edge(node("user", from), "buys", node("item", to), None);
    let merge = Element::Merge { from: node("user", "bo"), into: node("user", "ann") };
    vec![
        event("2016-05-01", Create, buys("ann", "30"), vec![("count", Some(whole(7)))]),
        event("2016-05-02", Update, Element::Node(node("user", "ann")), vec![("city", None)]),
        event("2016-05-03", Delete, Element::Node(node("item", "2")), vec![]),
        event("2016-05-04", Create, Element::Node(node("user", "cy")), vec![("age", Some(Value::number(40.0)))]),
        event("2016-05-05", Update, buys("ann", "1"), vec![("count", Some(whole(3)))]),
        event("2016-06-01", Delete, Element::Node(node("user", "bo")), vec![]),
        event("2016-06-01", Create, merge, vec![("type", Some(Value::Category("replaced_by".into())))]),
    ]
}

/// Loads events that all fit, as one commit.
fn load(graph: &mut Graph, events: Vec<Event>) {
    let place = || Place { file: "test".into(), line: 1 };
    let events = events.into_iter().map(|event| Ok((event, place())));
    let report = graph.load_events(LoadRequest::new("shop", "test"), events).unwrap();
    assert!(report.rejects.is_empty(), "{:?}", report.rejects);
}

impl Shop {
    pub(crate) fn open() -> Shop {
        let dir = tempfile::tempdir().unwrap();
        let mut graph = Graph::create(dir.path().join("shop"), TimeUnit::Second).unwrap();
        load(&mut graph, first_load());
        load(&mut graph, second_load());
        let graph = Arc::new(Mutex::new(graph));
        let session = Session::new(graph.clone());
        Shop { graph, session, _dir: dir }
    }

    /// The rows of an answer as texts, in their order; `-` for null.
    pub(crate) fn rows(&mut self, query: &str) -> Vec<Vec<String>> {
        match self.ask(query) {
            Ok(rows) => rows,
            Err(error) => panic!("{query}: {}", error.explained()),
        }
    }

    pub(crate) fn ask(&mut self, query: &str) -> Result<Vec<Vec<String>>, Error> {
        let batches = self.session.query(query)?.collect::<Result<Vec<_>, _>>()?;
        Ok(batches.iter().flat_map(texts).collect())
    }

    /// The rows in one line: cells with blanks, rows with commas.
    pub(crate) fn line(&mut self, query: &str) -> String {
        self.rows(query).iter().map(|row| row.join(" ")).collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn error(&mut self, query: &str) -> String {
        match self.ask(query) {
            Ok(rows) => panic!("{query} answers {rows:?}"),
            Err(error) => error.explained(),
        }
    }
}

/// A batch as texts.
pub(crate) fn texts(batch: &RecordBatch) -> Vec<Vec<String>> {
    use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
    let options = FormatOptions::default().with_null("-");
    let columns: Vec<_> =
        batch.columns().iter().map(|column| ArrayFormatter::try_new(column.as_ref(), &options).unwrap()).collect();
    let cell = |column: &ArrayFormatter<'_>, row| column.value(row).to_string();
    (0..batch.num_rows()).map(|row| columns.iter().map(|column| cell(column, row)).collect()).collect()
}
