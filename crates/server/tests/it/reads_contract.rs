//! What the page's contract says of each read, on small graphs made for it.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use serde_json::{Value as Json, json};
use timeweft::load::{LoadRequest, Place};
use timeweft::read::{Dense, Features, Numbers};
use timeweft::{Action, EdgeKey, Element, Event, Graph, NodeKey, Time, TimeUnit, Value};

use crate::world::World;

fn node(of_type: &str, id: &str) -> NodeKey {
    NodeKey::new(of_type, id)
}

fn edge(source: NodeKey, relation: &str, destination: NodeKey) -> Element {
    Element::Edge(EdgeKey { source, relation: relation.into(), destination, key: None })
}

fn event(time: i64, action: Action, element: Element, features: &[(&str, Value)]) -> Event {
    let features: Features = features.iter().map(|(name, value)| ((*name).into(), Some(value.clone()))).collect();
    Event::new(Time(time), action, element).with(features)
}

fn load(graph: &mut Graph, request: LoadRequest, events: Vec<Event>) {
    let place = |line: usize| Place { file: "test".into(), line: line as u64 };
    let placed: Vec<_> = events.into_iter().enumerate().map(|(line, event)| Ok((event, place(line)))).collect();
    let report = graph.load_events(request, placed.into_iter()).unwrap();
    assert_eq!(report.n_rejected, 0, "{:?}", report.rejects);
}

fn made(unit: TimeUnit, events: Vec<Event>) -> World {
    let dir = tempfile::tempdir().unwrap();
    let mut graph = Graph::create(dir.path().join("shop"), unit).unwrap();
    if !events.is_empty() {
        load(&mut graph, LoadRequest::new("shop", "test"), events);
    }
    World::of(dir, graph, |options, _: &Path| options)
}

const G: &str = "/v1/graphs/shop";

fn ids<'a>(rows: &'a Json, list: &str) -> Vec<&'a str> {
    rows[list].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect()
}

#[test]
fn graphs_and_what_is_in_one() {
    let world = World::shop();
    let all = world.json("/v1/graphs");
    let row = &all["graphs"][0];
    assert_eq!(
        (&row["name"], &row["unit"], &row["commit"], &row["state"]),
        (&json!("shop"), &json!("s"), &json!(2), &json!("ready"))
    );
    assert_eq!((&row["nodes"], &row["edges"]), (&json!(3), &json!(2)));
    assert_eq!(row["span"]["from"], json!({ "tick": "10", "iso": "1970-01-01T00:00:10Z" }));
    assert_eq!(row["span"]["to"]["tick"], "80");
    let info = world.json(G);
    assert_eq!((&info["at"], &info["deletes"], &info["newest_commit"]), (&Json::Null, &json!("hard"), &json!(2)));
    assert_eq!(info["node_types"][0]["type"], "item");
    assert_eq!(
        info["node_types"][1],
        json!({ "type": "user", "nodes": 1, "features": [
        { "name": "age", "kind": info["node_types"][1]["features"][0]["kind"] }, { "name": "name", "kind": "text" }] })
    );
    assert_eq!(info["edge_types"][0]["relation"], "buys");
    assert!(info["freshness"]["loaded"].as_str().unwrap().ends_with('Z') && info["bytes"]["log"].as_u64().unwrap() > 0);
    let counts = |query: &str| {
        let info = world.json(&format!("{G}{query}"));
        (info["nodes"].as_u64().unwrap(), info["edges"].as_u64().unwrap())
    };
    assert_eq!(counts("?at=45"), (4, 2));
    assert_eq!(counts("?at=65"), (4, 1));
    assert_eq!(counts("?at=65&deletes=soft"), (4, 2));
    assert_eq!(counts("?commit=1"), (3, 1));
    assert_eq!(world.get(&format!("{G}?commit=3")).status, 404);
    assert_eq!(world.get(&format!("{G}?at=noon")).code(), "bad_request");
    assert_eq!(world.get("/v1/graphs/mail").code(), "not_found");
}

#[test]
fn a_known_answer_costs_nothing() {
    let world = World::shop();
    let first = world.get(&format!("{G}?at=45"));
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with("\"2-"), "{tag}");
    let again = world.request(
        axum::http::Method::GET,
        &format!("{G}?at=45"),
        &[("if-none-match", &tag)],
        axum::body::Body::empty(),
    );
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
}

#[test]
fn a_timeline_adds_up() {
    let world = World::shop();
    let sum = |row: &Json, list: &str| row[list].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).sum::<u64>();
    let all = world.json(&format!("{G}/timeline?bins=7"));
    assert_eq!((sum(&all, "created"), sum(&all, "updated"), sum(&all, "removed")), (7, 1, 2));
    assert_eq!((&all["edges"][0], &all["edges"][7]), (&json!("10"), &json!("81")));
    let part = world.json(&format!("{G}/timeline?from=60&to=70"));
    assert_eq!((sum(&part, "created"), sum(&part, "removed"), part["created"].as_array().unwrap().len()), (0, 2, 11));
    let users = world.json(&format!("{G}/timeline?type=user"));
    assert_eq!((sum(&users, "created"), sum(&users, "updated"), sum(&users, "removed")), (2, 1, 1));
    for wrong in ["bins=0", "bins=1001", "from=70&to=60", "type=nobody", "depth=2"] {
        assert!(world.get(&format!("{G}/timeline?{wrong}")).status.is_client_error(), "{wrong}");
    }
}

#[test]
fn a_node_at_a_time() {
    let world = World::shop();
    let ann = world.json(&format!("{G}/nodes/user/ann?at=45"));
    assert_eq!(
        (&ann["type"], &ann["id"], &ann["name"], &ann["state"]),
        (&json!("user"), &json!("ann"), &json!("Ann"), &json!("alive"))
    );
    let age = ann["features"].as_array().unwrap().iter().find(|row| row["name"] == "age").unwrap();
    assert_eq!(
        (&age["value"], &age["from"]["tick"], &age["until"]["tick"]),
        (&json!(30.0), &json!("10"), &json!("50"))
    );
    assert_eq!(
        ann["relations"],
        json!([{ "source": "user", "relation": "buys", "destination": "item", "side": "out", "n": 1 }])
    );
    assert_eq!(ann["lives"], json!([{ "created": { "tick": "10", "iso": "1970-01-01T00:00:10Z" }, "removed": null }]));
    let bo = |query: &str| world.json(&format!("{G}/nodes/user/bo?{query}"));
    assert_eq!(
        (&bo("at=5")["state"], &bo("at=75")["state"], &bo("")["features"]),
        (&json!("not_yet"), &json!("over"), &json!([]))
    );
    let soft = bo("at=75&deletes=soft");
    assert_eq!((&soft["deleted"], &soft["features"][0]["value"]), (&json!(true), &json!("Bo")));
    let tracks = world.json(&format!("{G}/nodes/user/ann/tracks"));
    let values =
        |row: &Json| row["values"].as_array().unwrap().iter().map(|held| held["value"].clone()).collect::<Vec<_>>();
    assert_eq!(
        (&tracks["tracks"][0]["feature"], values(&tracks["tracks"][0])),
        (&json!("age"), vec![json!(30.0), json!(31.0)])
    );
    let late = world.json(&format!("{G}/nodes/user/ann/tracks?from=50"));
    assert_eq!(values(&late["tracks"][0]), vec![json!(31.0)]);
}

#[test]
fn what_is_not_there_says_what_is() {
    let world = World::shop();
    for path in [
        "nodes/user/zoe",
        "nodes/nobody/ann",
        "nodes/user/zoe/neighbors",
        "nodes/user/zoe/history",
        "subgraph?root=user:zoe",
    ] {
        let answer = world.get(&format!("{G}/{path}"));
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (404, "not_found"), "{path}");
        assert!(answer.json()["error"]["hint"].is_string(), "{path}");
    }
    let over = world.get(&format!("{G}/nodes/user/bo/neighbors?at=75"));
    assert_eq!((over.status.as_u16(), over.code().as_str()), (404, "not_alive"));
    let hint = over.json()["error"]["hint"].as_str().unwrap().to_owned();
    assert!(hint.contains("from 1970-01-01T00:00:10Z to 1970-01-01T00:01:10Z"), "{hint}");
    assert_eq!(world.json(&format!("{G}/nodes/user/bo/neighbors?at=75&deletes=soft"))["neighbors"][0]["deleted"], true);
    assert_eq!(world.get(&format!("{G}/nodes/user/ann/neighbors?side=up")).code(), "bad_request");
    assert_eq!(world.get(&format!("{G}/nodes/user/ann/neighbors?relation=eats")).code(), "not_found");
}

#[test]
fn ids_of_any_letters() {
    let odd = ["a/b", "100%", "lamp:2", "two words", "Łukasz 北辰", "a%2Fb", "?q=1#x", "+", "."];
    let user = node("us/er: 1%", "u");
    let mut events = vec![event(1, Action::Create, Element::Node(user.clone()), &[])];
    for id in odd {
        events.push(event(2, Action::Create, Element::Node(node("item", id)), &[]));
        events.push(event(3, Action::Create, edge(user.clone(), "buys: all", node("item", id)), &[]));
    }
    let world = made(TimeUnit::Second, events);
    let encoded = |text: &str| -> String {
        let byte =
            |byte: u8| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") };
        text.bytes().map(byte).collect()
    };
    for id in odd {
        let answer = world.json(&format!("{G}/nodes/item/{}", encoded(id)));
        assert_eq!(answer["id"], id);
        let root = encoded(&format!("item:{}", encoded(id)));
        let near = world.json(&format!("{G}/subgraph?root={root}"));
        assert_eq!((ids(&near, "nodes"), &near["nodes"][1]["type"]), (vec![id, "u"], &json!("us/er: 1%")));
        assert_eq!(
            near["edges"],
            json!([{ "source": 1, "relation": "buys: all", "destination": 0, "key": null, "lives": [["3", null]], "changes": [] }])
        );
    }
    let root = encoded(&format!("{}:u", encoded("us/er: 1%")));
    let expand = encoded(&format!("{}:u:{}:out", encoded("us/er: 1%"), encoded("buys: all")));
    let near = world.json(&format!("{G}/subgraph?root={root}&k=2&expand={expand}"));
    assert_eq!((near["nodes"].as_array().unwrap().len(), &near["total"]), (10, &json!(10)));
    let few = world.json(&format!("{G}/subgraph?root={root}&k=2"));
    assert_eq!(few["nodes"][0]["more"], json!([{ "relation": "buys: all", "side": "out", "type": "item", "n": 7 }]));
}

#[test]
fn a_neighbourhood_of_the_whole_window() {
    let world = World::shop();
    let near = world.json(&format!("{G}/subgraph?root=user:ann&root=user:bo&hops=1"));
    assert_eq!(ids(&near, "nodes"), ["ann", "bo", "lamp:2", "a/b"]);
    assert_eq!(near["nodes"][1]["lives"], json!([["10", "70"]]));
    assert_eq!((&near["nodes"][0]["changes"], &near["nodes"][0]["degree"]), (&json!(["50"]), &json!(2)));
    assert_eq!(near["marks"], json!(["10", "20", "30", "40", "50", "60", "70", "80"]));
    let late = world.json(&format!("{G}/subgraph?root=user:ann&from=65&to=75"));
    assert_eq!((ids(&late, "nodes"), &late["marks"]), (vec!["ann", "lamp:2"], &json!([])));
    for wrong in [
        "",
        "root=ann",
        "root=user:ann&hops=4",
        "root=user:ann&k=0",
        "root=user:ann&limit=501",
        "root=user:ann&expand=user:ann:buys:up",
    ] {
        assert_eq!(world.get(&format!("{G}/subgraph?{wrong}")).code(), "bad_request", "{wrong}");
    }
    assert_eq!(made(TimeUnit::Step, vec![]).get(&format!("{G}/subgraph?root=user:ann")).code(), "not_found");
}

#[test]
fn merges_are_told_from_both_sides() {
    let [a, b, c] = ["a", "b", "c"].map(|id| node("term", id));
    let merge = |from: &NodeKey, into: &NodeKey| Element::Merge { from: from.clone(), into: into.clone() };
    let mut events: Vec<Event> =
        [&a, &b, &c].iter().map(|key| event(1, Action::Create, Element::Node((*key).clone()), &[])).collect();
    for (time, from, into) in [(5, &a, &b), (8, &b, &c)] {
        events.push(event(time, Action::Delete, Element::Node(from.clone()), &[]));
        events.push(event(time, Action::Create, merge(from, into), &[("type", Value::Category("replaced_by".into()))]));
    }
    let world = made(TimeUnit::Step, events);
    let gone = world.json(&format!("{G}/nodes/term/a"));
    assert_eq!((&gone["resolves_to"]["id"], &gone["became"][0]["into"]["id"]), (&json!("c"), &json!("b")));
    assert_eq!(gone["became"][0]["features"], json!({ "type": "replaced_by" }));
    assert_eq!(gone["became"][0]["from"], json!({ "tick": "5", "iso": null }));
    assert_eq!(world.json(&format!("{G}/nodes/term/a?at=3"))["resolves_to"], Json::Null);
    assert_eq!(world.json(&format!("{G}/nodes/term/c"))["came_from"][0]["node"]["id"], "b");
    let way = world.json(&format!("{G}/nodes/term/a/lineage"));
    assert_eq!(
        (way["became"].as_array().unwrap().len(), &way["target"]["id"], &way["alive"]),
        (2, &json!("c"), &json!(true))
    );
    let origins = world.json(&format!("{G}/nodes/term/c/lineage"));
    let came: Vec<_> =
        origins["came_from"].as_array().unwrap().iter().map(|row| (&row["node"]["id"], &row["steps"])).collect();
    assert_eq!(came, [(&json!("b"), &json!(1)), (&json!("a"), &json!(2))]);
    let near = world.json(&format!("{G}/subgraph?root=term:a&hops=2"));
    assert_eq!(
        (ids(&near, "nodes"), &near["nodes"][0]["merged"]),
        (vec!["a", "b", "c"], &json!({ "into": 1, "at": "5", "until": null }))
    );
    let not_alive = world.get(&format!("{G}/nodes/term/a/neighbors"));
    assert!(not_alive.json()["error"]["hint"].as_str().unwrap().contains("It became term c."), "{}", not_alive.text());
    let changes = world.json(&format!("{G}/diff?from=4&what=merge"));
    assert_eq!((&changes["summary"]["merged"], &changes["changes"][0]["change"]), (&json!(2), &json!("merged")));
    assert_eq!(
        (&changes["changes"][0]["from"]["id"], &changes["changes"][0]["into"]["id"]),
        (&json!("a"), &json!("b"))
    );
}

#[test]
fn values_that_json_has_no_number_for() {
    let dense = |numbers: Numbers| Value::Dense(Dense { numbers, scalar: true });
    let item = Element::Node(node("item", "1"));
    let features = [
        ("nothing", Value::number(f64::NAN)),
        ("large", dense(Numbers::I64(vec![9_007_199_254_740_993]))),
        ("list", Value::floats(&[f32::NEG_INFINITY, 1.5])),
        ("deep", Value::Json(json!({ "n": [u64::MAX] }))),
    ];
    let late = i64::MAX - 1;
    let world = made(TimeUnit::Nano, vec![event(late, Action::Create, item, &features)]);
    let found = world.json(&format!("{G}/nodes/item/1"));
    let value = |name: &str| {
        found["features"]
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["name"] == name)
            .map(|row| row["value"].clone())
            .unwrap()
    };
    assert_eq!((value("nothing"), value("large")), (json!("NaN"), json!("9007199254740993")));
    assert_eq!((value("list"), value("deep")), (json!(["-Infinity", 1.5]), json!({ "n": ["18446744073709551615"] })));
    assert_eq!(found["lives"][0]["created"]["tick"], late.to_string());
    assert_eq!(world.json(&format!("{G}/timeline"))["created"], json!([1]));
}

#[test]
fn search_finds_ids_names_and_words() {
    let world = World::shop();
    let found = |query: &str| world.json(&format!("{G}/search?{query}"));
    let rows = |query: &str| -> Vec<(String, String)> {
        let all = found(query);
        let text = |row: &Json, name: &str| row[name].as_str().unwrap().to_owned();
        all["nodes"].as_array().unwrap().iter().map(|row| (text(row, "id"), text(row, "matched"))).collect()
    };
    let row = |id: &str, by: &str| (id.to_owned(), by.to_owned());
    assert_eq!(rows("q=A"), [row("a/b", "id"), row("ann", "id"), row("lamp:2", "name")]);
    assert_eq!(rows("q=lamp"), [row("lamp:2", "id")]);
    assert_eq!(rows("q=bo"), [row("bo", "id")]);
    assert!(rows("q=bo&at=75").is_empty());
    assert_eq!(rows("q=bo&at=75&deletes=soft").len(), 1);
    assert_eq!(rows("q=a&type=user"), [row("ann", "id")]);
    assert_eq!(rows("")[0].0, "ann", "it has the most edges");
    assert_eq!((&found("limit=1")["total"], &found("q=zzz")["total"]), (&json!(3), &json!(0)));
    assert_eq!(world.get(&format!("{G}/search?limit=0")).code(), "bad_request");
}

#[test]
fn pages_never_mix_two_commits() {
    let world = World::shop();
    let first = world.json(&format!("{G}/nodes/user/ann/neighbors?limit=1&commit=2"));
    assert_eq!((&first["next"], &first["total"]), (&json!("2-1"), &json!(2)));
    let second = world.json(&format!("{G}/nodes/user/ann/neighbors?limit=1&cursor=2-1"));
    assert_eq!(
        (&second["commit"], &second["next"], &second["neighbors"][0]["destination"]["id"]),
        (&json!(2), &Json::Null, &json!("lamp:2"))
    );
    let old = world.json(&format!("{G}/nodes/user/ann/neighbors?cursor=1-0"));
    assert_eq!((&old["commit"], &old["total"]), (&json!(1), &json!(1)));
    for wrong in ["cursor=1-0&commit=2", "cursor=x", "limit=0", "limit=1001"] {
        assert_eq!(world.get(&format!("{G}/nodes/user/ann/neighbors?{wrong}")).code(), "bad_request", "{wrong}");
    }
    assert_eq!(world.get(&format!("{G}/nodes/user/ann/history?cursor=9-0")).code(), "not_found");
}

#[test]
fn what_changed_between_two_states() {
    let world = World::shop();
    let all = world.json(&format!("{G}/diff?from=45&to=75"));
    assert_eq!(all["summary"]["nodes"], json!({ "created": 0, "updated": 1, "removed": 1 }));
    assert_eq!(
        all["summary"]["types"][0],
        json!({ "what": "node", "type": "user", "created": 0, "updated": 1, "removed": 1 })
    );
    assert_eq!(all["summary"]["types"][1]["type"], "user -buys-> item");
    let updated = &all["changes"][0];
    assert_eq!(
        (&updated["change"], &updated["what"], &updated["node"]["name"]),
        (&json!("updated"), &json!("node"), &json!("Ann"))
    );
    assert_eq!((&updated["before"], &updated["after"]), (&json!({ "age": 30.0 }), &json!({ "age": 31.0 })));
    assert_eq!((&all["changes"][1]["before"], &all["changes"][1]["after"]), (&json!({ "name": "Bo" }), &Json::Null));
    let none = world.json(&format!("{G}/diff?from=45&to=75&limit=0"));
    assert_eq!((&none["changes"], &none["summary"]), (&json!([]), &all["summary"]));
    let edges = world.json(&format!("{G}/diff?from=45&to=75&type=user%20-buys-%3E%20item&change=removed"));
    assert_eq!(
        (edges["changes"].as_array().unwrap().len(), &edges["changes"][0]["edge"]["source"]["id"]),
        (1, &json!("bo"))
    );
    let commits = world.json(&format!("{G}/diff?from_commit=1&to_commit=2"));
    assert_eq!((&commits["summary"]["edges"]["created"], &commits["from"]), (&json!(1), &Json::Null));
    let lines = world.request(
        axum::http::Method::GET,
        &format!("{G}/diff?from=45&to=75"),
        &[("accept", "application/x-ndjson")],
        axum::body::Body::empty(),
    );
    let lines: Vec<Json> = lines.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(Json::from(lines), all["changes"]);
    assert_eq!(world.get(&format!("{G}/diff")).code(), "bad_request");
    assert_eq!(world.get(&format!("{G}/diff?from=1&namespace=nobody")).code(), "not_found");
}

#[test]
fn loads_and_versions() {
    let dir = tempfile::tempdir().unwrap();
    let mut graph = Graph::create(dir.path().join("shop"), TimeUnit::Second).unwrap();
    for (at, id) in [(10, "a"), (20, "b"), (30, "c")] {
        let request = LoadRequest::new("shop", "test").version(&format!("v{at}"), Time(at));
        load(&mut graph, request, vec![event(at, Action::Create, Element::Node(node("item", id)), &[])]);
    }
    graph.rollback(timeweft::load::LoadId(3)).unwrap();
    let world = World::of(dir, graph, |options, _: &Path| options);
    let page = world.json(&format!("{G}/loads?limit=2"));
    assert_eq!(
        (&page["total"], &page["next"], &page["loads"][0]["state"]),
        (&json!(4), &json!("4-2"), &json!({ "is": "rollback", "of": 3 }))
    );
    assert_eq!(page["loads"][1]["state"], json!({ "is": "rolled_back", "by": 4 }));
    let rest = world.json(&format!("{G}/loads?limit=2&cursor=4-2"));
    assert_eq!((&rest["loads"][0]["id"], &rest["loads"][1]["id"], &rest["next"]), (&json!(2), &json!(1), &Json::Null));
    let one = world.json(&format!("{G}/loads/1"));
    assert_eq!(
        (&one["version"], &one["at"]["tick"], &one["counts"]["nodes"]["created"]),
        (&json!("v10"), &json!("10"), &json!(1))
    );
    assert_eq!(
        (&one["report"]["events"], &one["report"]["commit"], &one["report"]["rejects"]),
        (&json!(1), &json!(1), &json!([]))
    );
    assert_eq!(world.get(&format!("{G}/loads/9")).code(), "not_found");
    let names = |query: &str| -> Vec<String> {
        let all = world.json(&format!("{G}/versions{query}"));
        all["versions"].as_array().unwrap().iter().map(|row| row["version"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!((names(""), names("?commit=3").len()), (vec!["v10".to_owned(), "v20".to_owned()], 3));
    assert_eq!(world.json(&format!("{G}?at=shop@v10"))["nodes"], 1);
    assert_eq!(world.json(&format!("{G}/diff?from=shop@v10&to=shop@v20"))["summary"]["nodes"]["created"], 1);
    assert_eq!(world.json(&format!("{G}/diff?namespace=shop&from=v10&to=v20"))["summary"]["nodes"]["created"], 1);
    let marks = world.json(&format!("{G}/timeline"));
    assert_eq!((marks["loads"].as_array().unwrap().len(), &marks["loads"][0]["version"]), (2, &json!("v10")));
}

#[test]
fn questions_of_a_hierarchy() {
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|id| node("term", id));
    let name = |name: &str| [("name", Value::text(name))];
    let mut events: Vec<Event> = [(&a, "All"), (&b, "Biome"), (&c, "Reef"), (&d, "Reef edge")]
        .iter()
        .map(|(key, text)| event(1, Action::Create, Element::Node((*key).clone()), &name(text)))
        .collect();
    events.extend(
        [(&b, &a), (&c, &b), (&d, &c)]
            .map(|(child, parent)| event(2, Action::Create, edge(child.clone(), "is_a", parent.clone()), &[])),
    );
    let world = made(TimeUnit::Step, events);
    let ask = |question: Json| world.post(&format!("{G}/query"), &question);
    let found = |question: Json| {
        let answer = ask(question);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let answer = answer.json();
        ids(&answer, "rows").into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(found(json!({ "question": "ancestors", "type": "term", "id": "d" })), ["a", "b", "c"]);
    assert_eq!(found(json!({ "question": "ancestors", "type": "term", "id": "d", "depth": 1 })), ["c"]);
    assert_eq!(found(json!({ "question": "lineage", "type": "term", "id": "d" })), ["a", "b", "c"]);
    assert_eq!(
        found(json!({ "question": "descendants", "type": "term", "id": "a", "where": { "name": ["Reef"] } })),
        ["c"]
    );
    assert_eq!(found(json!({ "question": "ancestors", "type": "term", "id": "d", "at": "1" })), Vec::<String>::new());
    assert_eq!(found(json!({ "question": "search", "type": "term", "text": "ree", "prefix": true })), ["c", "d"]);
    assert_eq!(found(json!({ "question": "name", "type": "term", "text": "reef" })), ["c"]);
    assert_eq!(found(json!({ "question": "get", "type": "term", "ids": ["a", "zz"] })), ["a"]);
    let children = ask(json!({ "question": "children", "type": "term", "id": "a" })).json();
    assert_eq!(
        (&children["rows"][0]["hops"], &children["rows"][0]["edges"][0]["relation"]),
        (&json!(1), &json!("is_a"))
    );
    for (wrong, code) in [
        (json!({ "question": "ancestors", "type": "term" }), "bad_request"),
        (json!({ "question": "ancestors", "type": "term", "id": "zz" }), "not_found"),
        (json!({ "question": "ancestors", "type": "term", "id": "d", "at": "0" }), "not_alive"),
        (json!({ "question": "ancestors", "type": "term", "id": "d", "relations": ["eats"] }), "not_found"),
        (json!({ "question": "ancestors", "type": "term", "id": "d", "limit": 0 }), "bad_request"),
        (json!({ "question": "forebears", "type": "term", "id": "d" }), "bad_request"),
        (json!({ "question": "ancestors", "type": "term", "id": "d", "hops": 3 }), "bad_request"),
    ] {
        assert_eq!(ask(wrong.clone()).code(), code, "{wrong}");
    }
}
