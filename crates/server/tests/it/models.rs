//! Models over HTTP: what they answer is what the library answers, at the same commit and time.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value as Json, json};
use timeweft::model::{Freshness, Part, Predict, Space};
use timeweft::{Config, EdgeKey, Graph, Model, NodeKey, Time, TimeUnit, TrainOptions};

use crate::loads::{form, upload};
use crate::world::{Answer, World};

/// Who buys what, an hour apart: each user comes back to some things.
fn purchases(times: std::ops::Range<i64>) -> String {
    let row = |time: i64| {
        let (user, item) = (time % 5, (time * time + time / 5) % 7);
        format!(
            r#"{{"time":{},"action":"create","entity":"edge","source":{{"type":"user","id":"u{user}"}},"edge":{{"type":"buys","key":"{time}"}},"destination":{{"type":"item","id":"{item}"}}}}"#,
            time * 3600
        )
    };
    times.map(|time| row(time) + "\n").collect()
}

/// The people and things: one of the people leaves early.
fn nodes() -> String {
    let mut lines = String::new();
    for user in 0..6 {
        lines += &format!(
            r#"{{"time":0,"action":"create","entity":"node","source":{{"type":"user","id":"u{user}","features":{{"name":"User {user}"}}}}}}"#
        );
        lines.push('\n');
    }
    for item in 0..7 {
        lines += &format!(
            r#"{{"time":0,"action":"create","entity":"node","source":{{"type":"item","id":"{item}","features":{{"title":"Item {item}"}}}}}}"#
        );
        lines.push('\n');
    }
    lines + r#"{"time":10,"action":"delete","entity":"node","source":{"type":"user","id":"u5"}}"# + "\n"
}

fn small(predict: Predict) -> Config {
    let mut config = Config::default();
    (config.train.epochs, config.train.batch, config.train.predict) = (1, 20, predict);
    (config.model.width, config.model.channels, config.model.states) = (8, 8, 2);
    (config.model.neighbors, config.train.negatives, config.train.partners) = (4, 4, 2);
    config.evaluate.candidates = 5;
    config
}

fn load(graph: &mut Graph, dir: &std::path::Path, name: &str, lines: &str) {
    let path = dir.join(name);
    std::fs::write(&path, lines).expect("a file");
    graph.load(&path).run().expect("a load");
}

/// A graph with a trained model `links`, and a commit behind it.
fn trained(after: i64) -> (tempfile::TempDir, Graph) {
    let dir = tempfile::tempdir().expect("a folder");
    let mut graph = Graph::create(dir.path().join("shop"), TimeUnit::Second).expect("a graph");
    load(&mut graph, dir.path(), "first.jsonl", &(nodes() + &purchases(1..160)));
    let model = graph.train("links", TrainOptions::new(small(Predict::Created))).expect("a model");
    let freshness = [Freshness::Event, Freshness::Batch(20)];
    let evaluations = model.evaluate(Part::Test, &freshness, None).expect("figures");
    model.keep_evaluations(Part::Test, &evaluations).expect("kept figures");
    if after > 0 {
        load(&mut graph, dir.path(), "second.jsonl", &purchases(160..160 + after));
    }
    (dir, graph)
}

/// A server with a model that has taken in everything, and the same model from the library.
fn world() -> &'static (World, Model) {
    static WORLD: OnceLock<(World, Model)> = OnceLock::new();
    WORLD.get_or_init(|| {
        let (dir, graph) = trained(0);
        let model = graph.load_model("links").expect("the model");
        (World::of(dir, graph, |options, _| options), model)
    })
}

fn ask(world: &World, what: &str, body: &Json) -> Answer {
    world.post(&format!("/v1/graphs/shop/{what}"), body)
}

/// The JSON of a question that is answered.
fn told(world: &World, what: &str, body: &Json) -> Json {
    let answer = ask(world, what, body);
    assert_eq!(answer.status, 200, "{what} {body}: {}", answer.text());
    assert_eq!(answer.header("cache-control"), "no-store", "a POST has no tag");
    answer.json()
}

fn number(value: &Json) -> f32 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number")) as f32
}

fn user(n: u32) -> NodeKey {
    NodeKey::new("user", format!("u{n}").as_str())
}

fn item(n: u64) -> NodeKey {
    NodeKey::new("item", n)
}

#[test]
fn models_are_listed_with_their_figures() {
    let (world, model) = world();
    let list = world.json("/v1/graphs/shop/models");
    let info = &list["models"][0];
    assert_eq!(list["models"].as_array().expect("a list").len(), 1);
    assert_eq!((info["name"].as_str(), info["predicts"].as_str()), (Some("links"), Some("created")));
    assert_eq!((&info["commit"], &info["absorbed"]), (&json!(1), &json!({ "commit": 1, "behind": 0 })));
    assert_eq!(info["next_time"]["tick"], model.next_time().0.to_string());
    assert_eq!(info["relations"], json!([{ "source": "user", "relation": "buys", "destination": "item" }]));
    let n_weights: usize = model.weights().iter().map(|weight| weight.values.len()).sum();
    assert_eq!((&info["parameters"], &info["epochs"]), (&json!(n_weights), &json!(1)));
    assert_eq!(info["mrr"].as_f64(), Some(model.epochs()[0].validation.mrr));
    assert!(info["trained"].as_str().is_some_and(|text| text.starts_with("20") && text.ends_with('Z')), "{info}");
    assert!(info["trained_until"]["iso"].is_string() && info["unknown"] == json!([]), "{info}");

    let report = world.json("/v1/graphs/shop/models/links");
    assert_eq!(&report["name"], "links");
    let curve = &report["curve"][0];
    assert_eq!((&curve["epoch"], &curve["kept"]), (&json!(1), &json!(true)));
    assert_eq!(curve["loss"].as_f64(), Some(model.epochs()[0].loss));
    let evaluations = model.evaluate(Part::Test, &[Freshness::Event, Freshness::Batch(20)], None).expect("figures");
    let rows: Vec<(&str, &String, f64)> = evaluations
        .iter()
        .zip(["event", "batch"])
        .flat_map(|(of, name)| of.rows.iter().map(move |(model, metrics)| (name, model, metrics.mrr)))
        .collect();
    let ranking = report["ranking"].as_array().expect("rows");
    assert_eq!(ranking.len(), rows.len());
    for (row, (freshness, name, mrr)) in ranking.iter().zip(rows) {
        let kind = if name == "HTGN" { "model" } else { "rule" };
        assert_eq!((&row["freshness"], &row["model"], &row["kind"]), (&json!(freshness), &json!(name), &json!(kind)));
        assert_eq!((row["mrr"].as_f64(), &row["part"]), (Some(mrr), &json!("test")));
    }
    assert_eq!(report["calibration"]["error"].as_f64(), Some(evaluations[0].calibration.error()));
    let bins = report["calibration"]["bins"].as_array().expect("bins");
    let candidates: u64 = bins.iter().map(|bin| bin["n"].as_u64().expect("a number")).sum();
    assert_eq!(candidates as usize, evaluations[0].calibration.bins.iter().map(|bin| bin.candidates).sum::<usize>());
    assert_eq!(report["config"]["model"]["width"], 8);
}

#[test]
fn a_model_of_before_that_nobody_evaluated_has_no_figures() {
    let (dir, graph) = trained(0);
    std::fs::remove_file(dir.path().join("shop/models/links.json")).expect("the record");
    let world = World::of(dir, graph, |options, _| options);
    let report = world.json("/v1/graphs/shop/models/links");
    assert_eq!((&report["ranking"], &report["calibration"]), (&json!([]), &Json::Null));
    assert_eq!((&report["commit"], report["curve"].as_array().map(Vec::len)), (&json!(1), Some(1)));
    assert!(report["trained"].as_str().is_some_and(|text| text.starts_with("20")), "the time of the file");
    // One that is damaged tells nothing either.
    std::fs::write(world.dir.path().join("shop/models/links.json"), "{\"weights\":").expect("a file");
    assert_eq!(world.json("/v1/graphs/shop/models/links")["ranking"], json!([]));
}

#[test]
fn a_damaged_model_hides_no_other() {
    let (dir, graph) = trained(0);
    let models = dir.path().join("shop/models");
    std::fs::copy(models.join("links.twm"), models.join("fine.twm")).expect("a copy");
    std::fs::write(models.join("links.twm"), "no weights").expect("a file");
    let world = World::of(dir, graph, |options, _| options);
    let list = world.json("/v1/graphs/shop/models");
    assert_eq!((&list["models"][0]["name"], &list["models"][1]), (&json!("fine"), &Json::Null));
    assert_eq!(list["unreadable"][0]["name"], "links");
    let message = list["unreadable"][0]["message"].as_str().expect("a message");
    assert!(message.starts_with("models/links.twm: "), "no folder of the server: {message}");
    let answer = world.get("/v1/graphs/shop/models/links");
    assert_eq!((answer.status.as_u16(), answer.code()), (500, "internal".into()), "{}", answer.text());
}

#[test]
fn predictions_are_those_of_the_library() {
    let (world, model) = world();
    let early = "1970-01-05T00:00:00Z";
    for (at, time) in [(None, model.next_time()), (Some(early), Time(4 * 86_400))] {
        let body = json!({ "model": "links", "type": "user", "id": "u1", "relation": "buys", "destination_type": "item", "at": at, "top": 4 });
        let answer = told(world, "predict", &body);
        let wanted = model.predict("buys", &user(1)).at(time).answer(4).expect("an answer");
        assert_eq!((&answer["commit"], &answer["at"]["tick"]), (&json!(1), &json!(time.0.to_string())));
        assert_eq!(answer["candidates"], json!(wanted.candidates));
        assert_eq!(answer["question"]["source"], json!({ "type": "user", "id": "u1", "name": "User 1" }));
        assert_eq!((&answer["question"]["relation"], &answer["warnings"]), (&json!("buys"), &json!([])));
        let answers = answer["answers"].as_array().expect("answers");
        assert_eq!(answers.len(), 4);
        for (row, (one, seen)) in answers.iter().zip(wanted.predictions.iter().zip(&wanted.seen)) {
            let id = one.destination.id.to_string();
            assert_eq!(row["destination"], json!({ "type": "item", "id": id, "name": format!("Item {id}") }));
            assert_eq!((number(&row["score"]), number(&row["share"])), (one.score, one.probability));
            assert_eq!(row["seen"]["n"], json!(seen.count));
            let last = seen.last.map(|time| time.0.to_string());
            assert_eq!(row["seen"]["last"]["tick"].as_str().map(String::from), last);
        }
        let all =
            told(world, "predict", &json!({ "model": "links", "type": "user", "id": "u1", "at": at, "top": 100 }));
        let sum: f32 = all["answers"].as_array().expect("answers").iter().map(|row| number(&row["share"])).sum();
        assert!((sum - 1.0).abs() < 1e-5, "shares are of all candidates: {sum}");
    }
}

#[test]
fn explanations_are_those_of_the_library() {
    let (world, model) = world();
    let first = model.predict("buys", &user(2)).top(1).expect("an answer")[0].destination.clone();
    let id = first.id.to_string();
    let mut body = json!({ "model": "links", "source": { "type": "user", "id": "u2" }, "relation": "buys", "destination": { "type": "item", "id": id } });
    let answer = told(world, "explain", &body);
    let wanted = model.explain("buys", &user(2), &first, model.next_time()).expect("why");
    assert_eq!((number(&answer["score"]), number(&answer["lead"])), (wanted.score, wanted.lead));
    assert_eq!(answer["counting"].as_f64().map(|counting| counting as f32), wanted.counting);
    let others: Vec<f32> = answer["others"].as_array().expect("others").iter().map(number).collect();
    assert_eq!(others, wanted.others);
    let neighbors = answer["neighbors"].as_array().expect("neighbors");
    assert_eq!(neighbors.len(), wanted.neighbors.len());
    for (row, heard) in neighbors.iter().zip(&wanted.neighbors) {
        assert_eq!((&row["node"]["id"], number(&row["push"])), (&json!(heard.node.id.to_string()), heard.contribution));
        assert_eq!(row["at"], if heard.at_source { "source" } else { "destination" });
        assert_eq!(
            (&row["outward"], &row["created"]["tick"]),
            (&json!(heard.outward), &json!(heard.created.0.to_string()))
        );
        let attention: Vec<f32> = row["attention"].as_array().expect("heads").iter().map(number).collect();
        assert_eq!(attention, heard.attention);
    }
    let counters = wanted.counters.expect("counters");
    let named: Vec<(&str, u64)> = answer["counters"]
        .as_array()
        .expect("counters")
        .iter()
        .map(|row| (row["what"].as_str().expect("a name"), row["n"].as_u64().expect("a number")))
        .collect();
    let pair = |name, count: timeweft::model::Count| (name, u64::from(count.count));
    // Of other types nothing goes the other way round.
    let all = [
        pair("pair", counters.pair),
        pair("to_destination", counters.to_destination),
        pair("from_source", counters.from_source),
    ];
    assert_eq!(named, all);
    let memory = answer["memory"].as_array().expect("moments");
    let pushes: Vec<f32> = memory.iter().map(|row| number(&row["push"]).abs()).collect();
    assert!(!pushes.is_empty() && pushes.len() <= 50 && pushes.is_sorted_by(|a, b| a >= b), "{pushes:?}");
    assert!(memory.iter().any(|row| row["what"].as_str().is_some_and(|what| what.contains("buys Item"))), "{memory:?}");
    assert_eq!(answer["without"], Json::Null);

    let neighbor = wanted.neighbors[0].node.clone();
    body["without"] = json!([{ "type": &*neighbor.node_type, "id": neighbor.id.to_string() }]);
    let without = told(world, "explain", &body)["without"].clone();
    let left = model.why("buys", &user(2), &first).without(std::slice::from_ref(&neighbor)).expect("an answer");
    assert_eq!((number(&without["score"]), number(&without["lead"])), (left.score, left.lead));
    assert_eq!(without["nodes"][0]["id"], neighbor.id.to_string());
    assert_ne!(left.score, wanted.score);
}

/// Source, relation, destination, time.
type Link = (&'static str, &'static str, &'static str, Option<i64>);

#[test]
fn scores_come_as_json_and_as_arrow() {
    use arrow_array::cast::AsArray;
    use arrow_array::types::Float32Type;
    use arrow_array::{Int64Array, RecordBatch, StringArray};
    use arrow_ipc::reader::StreamReader;
    use arrow_ipc::writer::StreamWriter;

    let (world, model) = world();
    // A user who has left, a relation that nobody has, and another time.
    let links = [
        ("u1", "buys", "3", None),
        ("u5", "buys", "3", None),
        ("u1", "sells", "3", None),
        ("u2", "buys", "6", Some(400_000)),
    ];
    let key = |(source, relation, destination, _): &Link| EdgeKey {
        source: NodeKey::new("user", *source),
        relation: (*relation).into(),
        destination: item(destination.parse().expect("a number")),
        key: None,
    };
    let asked: Vec<(EdgeKey, Time)> =
        links.iter().map(|link| (key(link), link.3.map_or(model.next_time(), Time))).collect();
    let wanted = model.score(&asked).expect("scores");
    assert_eq!(wanted.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, false, true]);
    let named: Vec<Json> = links
        .iter()
        .map(|(source, relation, destination, at)| {
            json!({ "source": { "type": "user", "id": source }, "relation": relation,
                "destination": { "type": "item", "id": destination }, "at": at.map(|at| at.to_string()) })
        })
        .collect();
    let answer = told(world, "score", &json!({ "model": "links", "links": named }));
    let scores: Vec<Option<f32>> = answer["scores"]
        .as_array()
        .expect("scores")
        .iter()
        .map(|score| (!score.is_null()).then(|| number(score)))
        .collect();
    assert_eq!(scores, wanted);

    let text = |of: fn(&Link) -> &'static str| StringArray::from_iter_values(links.iter().map(of));
    let types = |name: &str| StringArray::from_iter_values(links.iter().map(|_| name));
    let times = Int64Array::from_iter_values(asked.iter().map(|(_, time)| time.0));
    let columns: Vec<(&str, std::sync::Arc<dyn arrow_array::Array>)> = vec![
        ("source_type", std::sync::Arc::new(types("user"))),
        ("src", std::sync::Arc::new(text(|link| link.0))),
        ("relation", std::sync::Arc::new(text(|link| link.1))),
        ("destination_type", std::sync::Arc::new(types("item"))),
        ("dst", std::sync::Arc::new(text(|link| link.2))),
        ("time", std::sync::Arc::new(times)),
    ];
    let batch = RecordBatch::try_from_iter(columns).expect("a batch");
    let mut bytes = Vec::new();
    let mut writer = StreamWriter::try_new(&mut bytes, &batch.schema()).expect("a stream");
    writer.write(&batch).and_then(|()| writer.finish()).expect("a whole stream");
    let arrow = "application/vnd.apache.arrow.stream";
    let headers = [("content-type", arrow), ("accept", arrow), ("origin", "http://localhost:8642")];
    let answer = world.request(Method::POST, "/v1/graphs/shop/score?model=links", &headers, Body::from(bytes));
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, arrow), "{}", answer.text());
    let rows: Vec<RecordBatch> =
        StreamReader::try_new(&*answer.body, None).expect("a stream").collect::<Result<_, _>>().expect("batches");
    let scores: Vec<Option<f32>> = rows[0].column(1).as_primitive::<Float32Type>().iter().collect();
    assert_eq!(scores, wanted);
    let cut = world.request(Method::POST, "/v1/graphs/shop/score?model=links", &headers, Body::from("ARROW1"));
    assert_eq!((cut.status.as_u16(), cut.code()), (400, "bad_request".to_owned()));
}

#[test]
fn the_nearest_nodes_are_those_of_the_library() {
    let (world, model) = world();
    for (by, space) in [("embedding", Space::Embedding), ("memory", Space::Memory)] {
        let body = json!({ "model": "links", "type": "item", "id": "3", "by": by, "top": 3 });
        let answer = told(world, "nearest", &body);
        let wanted = model.nearest(&item(3), model.next_time(), space, 3).expect("nodes");
        let found: Vec<(String, f32)> = answer["nearest"]
            .as_array()
            .expect("nodes")
            .iter()
            .map(|row| (row["node"]["id"].as_str().expect("an id").to_owned(), number(&row["cosine"])))
            .collect();
        assert_eq!(found, wanted.iter().map(|(node, cosine)| (node.id.to_string(), *cosine)).collect::<Vec<_>>());
    }
}

#[test]
fn what_cannot_be_answered_is_said() {
    let (world, _) = world();
    let predict = |more: Json| {
        let mut body = json!({ "model": "links", "type": "user", "id": "u1" });
        more.as_object().expect("an object").iter().for_each(|(name, value)| body[name] = value.clone());
        ("predict", body)
    };
    let explain = |more: Json| {
        let mut body = json!({ "model": "links", "source": { "type": "user", "id": "u1" }, "destination": { "type": "item", "id": "3" } });
        more.as_object().expect("an object").iter().for_each(|(name, value)| body[name] = value.clone());
        ("explain", body)
    };
    let cases = [
        (predict(json!({ "model": "none" })), 404, "not_found", "no model `none`"),
        (predict(json!({ "model": "../links" })), 404, "not_found", "no model"),
        (predict(json!({ "id": "nobody" })), 404, "not_found", "nobody"),
        (predict(json!({ "type": "robot" })), 404, "not_found", "robot"),
        (predict(json!({ "relation": "sells" })), 404, "not_found", "sells"),
        (predict(json!({ "id": "u5" })), 404, "not_alive", "not alive"),
        (predict(json!({ "at": "-5" })), 404, "not_alive", "not alive"),
        (predict(json!({ "at": "soon" })), 400, "bad_request", "at"),
        (predict(json!({ "commit": 9 })), 404, "not_found", "commit"),
        (predict(json!({ "top": 5_000 })), 400, "bad_request", "top"),
        (predict(json!({ "id": null })), 400, "bad_request", "id"),
        (predict(json!({ "depth": 1 })), 400, "bad_request", "depth"),
        (explain(json!({ "destination": null })), 400, "bad_request", "destination"),
        (explain(json!({ "destination": { "type": "item", "id": "77" } })), 404, "not_found", "77"),
        (explain(json!({ "without": [{ "type": "item", "id": "77" }] })), 404, "not_found", "77"),
        (
            ("nearest", json!({ "model": "links", "type": "user", "id": "u1", "by": "name" })),
            400,
            "bad_request",
            "embedding",
        ),
        (("score", json!({ "model": "links", "links": 3 })), 400, "bad_request", "sequence"),
    ];
    for ((what, body), status, code, part) in cases {
        let answer = ask(world, what, &body);
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (status, code.to_owned()),
            "{what} {body}: {}",
            answer.text()
        );
        assert!(answer.text().contains(part), "{what} {body}: {}", answer.text());
        assert!(!answer.text().contains(world.dir.path().to_str().expect("a path")), "{}", answer.text());
    }
    let hint = ask(world, "predict", &predict(json!({ "id": "u5" })).1).json()["error"]["hint"].clone();
    assert!(hint.as_str().is_some_and(|hint| hint.contains("1970-01-01T00:00:10Z")), "when it lived: {hint}");
    assert_eq!(world.get("/v1/graphs/shop/models/none").code(), "not_found");
    assert_eq!(world.post("/v1/graphs/shop/models/none/absorb", &json!({})).code(), "not_found");
    assert_eq!(world.get("/v1/graphs/none/models").code(), "not_found");
}

#[test]
fn a_model_of_nodes_that_go_is_asked_about_all_of_a_type() {
    let (dir, mut graph) = trained(0);
    let leaving: String = (0..60)
        .map(|n| {
            let (born, gone) = (600_000 + n * 100, 600_000 + n * 100 + 5_000 * (1 + n % 3));
            let event = |time: i64, action: &str| {
                format!(
                    r#"{{"time":{time},"action":"{action}","entity":"node","source":{{"type":"user","id":"g{n}"}}}}"#
                ) + "\n"
            };
            event(born, "create") + &event(gone, "delete")
        })
        .collect();
    load(&mut graph, dir.path(), "leaving.jsonl", &leaving);
    let mut config = small(Predict::Gone);
    config.train.targets = vec!["user".into()];
    let model = graph.train("leavers", TrainOptions::new(config)).expect("a model");
    let time = Time(603_000);
    let wanted = model.predict_gone("user", time, 3).expect("an answer");
    let why = model.explain_gone(&wanted[0].destination, time).expect("why");
    let world = World::of(dir, graph, |options, _| options);
    let list = world.json("/v1/graphs/shop/models");
    assert_eq!((&list["models"][0]["name"], &list["models"][0]["node_types"]), (&json!("leavers"), &json!(["user"])));
    let answer =
        told(&world, "predict", &json!({ "model": "leavers", "type": "user", "id": null, "at": "603000", "top": 3 }));
    let scores: Vec<f32> =
        answer["answers"].as_array().expect("answers").iter().map(|row| number(&row["score"])).collect();
    assert_eq!(scores, wanted.iter().map(|one| one.score).collect::<Vec<_>>());
    assert_eq!((&answer["answers"][0]["seen"], &answer["question"]["source"]), (&Json::Null, &Json::Null));
    let source = json!({ "type": "user", "id": wanted[0].destination.id.to_string() });
    let told = told(
        &world,
        "explain",
        &json!({ "model": "leavers", "source": source, "destination": null, "relation": null, "at": "603000" }),
    );
    assert_eq!((number(&told["score"]), &told["counters"], &told["relation"]), (why.score, &json!([]), &Json::Null));
    let wrong = ask(&world, "predict", &json!({ "model": "leavers", "type": "user", "id": "u1" }));
    assert_eq!(wrong.code(), "bad_request");
}

#[test]
fn questions_at_once_have_the_answers_of_questions_one_by_one() {
    let (world, _) = world();
    let body = |n: usize| {
        // Half of them are of a past time, whose memory is made for them.
        let at = (n % 2 == 1).then_some("300000");
        json!({ "model": "links", "type": "user", "id": format!("u{}", n % 4), "at": at }).to_string()
    };
    let request = |n: usize| {
        let request = Request::post("/v1/graphs/shop/predict").header("host", "localhost:8642");
        let request = request.header("content-type", "application/json").header("origin", "http://localhost:8642");
        request.body(Body::from(body(n))).expect("a request")
    };
    let one_by_one: Vec<Json> = (0..8).map(|n| world.send(request(n)).json()).collect();
    let at_once: Vec<Json> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|n| scope.spawn(move || world.send(request(n)).json())).collect();
        threads.into_iter().map(|thread| thread.join().expect("an answer")).collect()
    });
    assert_eq!(one_by_one, at_once);
    assert!(one_by_one.iter().all(|answer| answer["answers"][0]["score"].is_number()), "{one_by_one:?}");
}

#[test]
fn a_question_that_takes_too_long_is_ended() {
    let (dir, graph) = trained(0);
    let world = World::of(dir, graph, |mut options, _| {
        options.limits.read = Duration::ZERO;
        options
    });
    let answer = ask(&world, "predict", &json!({ "model": "links", "type": "user", "id": "u1", "at": "500000" }));
    assert_eq!((answer.status.as_u16(), answer.code()), (504, "time_limit".to_owned()));
}

/// Asks again and again, until it is so.
fn until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(120), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn memory_takes_in_what_was_loaded_since() {
    let (dir, graph) = trained(30);
    let (early, newest) = (graph.view_at(timeweft::Commit(1)).expect("a view"), graph.view());
    let [before, after] = [early, newest].map(|view| graph.load_model_at("links", &view).expect("the model"));
    let world = World::of(dir, graph, |options, _| options);
    let info = || world.json("/v1/graphs/shop/models")["models"][0].clone();
    assert_eq!(info()["absorbed"], json!({ "commit": 1, "behind": 30 }));
    assert_eq!(info()["next_time"]["tick"], before.next_time().0.to_string());
    let body = json!({ "model": "links", "type": "user", "id": "u1", "top": 3 });
    let scores = |answer: &Json| -> Vec<f32> {
        answer["answers"].as_array().expect("answers").iter().map(|row| number(&row["score"])).collect()
    };
    let wanted = |model: &Model| -> Vec<f32> {
        model.predict("buys", &user(1)).top(3).expect("an answer").iter().map(|one| one.score).collect()
    };
    let old = told(&world, "predict", &body);
    assert_eq!((&old["commit"], scores(&old)), (&json!(1), wanted(&before)));
    assert!(old["warnings"][0].as_str().is_some_and(|text| text.contains("30 facts")), "{old}");
    // A question that names the commit has it all.
    let mut pinned = body.clone();
    pinned["commit"] = json!(2);
    let whole = told(&world, "predict", &pinned);
    assert_eq!((&whole["commit"], scores(&whole), &whole["warnings"]), (&json!(2), wanted(&after), &json!([])));

    let started = world.post("/v1/graphs/shop/models/links/absorb", &json!({}));
    assert_eq!(started.status, 202, "{}", started.text());
    let job = &started.json()["job"];
    assert_eq!(job["kind"], "absorb");
    assert_eq!(started.header("location"), format!("/v1/graphs/shop/jobs/{}", job["id"].as_str().expect("an id")));
    until("memory has taken in everything", || info()["absorbed"]["behind"] == 0);
    assert_eq!(info()["absorbed"], json!({ "commit": 2, "behind": 0 }));
    let new = told(&world, "predict", &body);
    assert_eq!((&new["commit"], &new["warnings"]), (&json!(2), &json!([])));
    assert_eq!(new["at"]["tick"], after.next_time().0.to_string());
    assert!(scores(&new).iter().zip(wanted(&after)).all(|(a, b)| (a - b).abs() < 1e-5), "{new}");
    assert_ne!(scores(&new), scores(&old));
    // Who opens the graph later finds it so.
    let graph = Graph::open_read_only(world.dir.path().join("shop")).expect("the graph");
    let summary = graph.model_summary("links", &graph.view()).expect("the model");
    assert_eq!((summary.absorbed.0, summary.behind, summary.commit.0), (2, 0, 1));
    assert!(!summary.evaluations.is_empty(), "its figures are of the same weights");
}

/// A job that is over.
fn over(world: &World, started: &Answer) -> Json {
    assert_eq!(started.status, 202, "{}", started.text());
    let job = || world.json(started.header("location"));
    until("the job is over", || !["queued", "running"].contains(&job()["state"].as_str().expect("a state")));
    job()
}

#[test]
fn memory_takes_facts_in_while_loads_come_and_is_what_it_was_when_that_is_stopped() {
    let (dir, graph) = trained(2_000);
    let world = World::of(dir, graph, |options, _| options);
    let absorb = || world.post("/v1/graphs/shop/models/links/absorb", &json!({}));
    let absorbed = || world.json("/v1/graphs/shop/models")["models"][0]["absorbed"].clone();
    let ask = || told(&world, "predict", &json!({ "model": "links", "type": "user", "id": "u1", "top": 3 }));
    let (before, file) = (ask(), world.dir.path().join("shop/models/links.twm"));
    let bytes = std::fs::read(&file).expect("the model");

    let started = absorb();
    let stop = [("origin", "http://localhost:8642")];
    assert_eq!(world.request(Method::DELETE, started.header("location"), &stop, Body::empty()).status, 202);
    let job = over(&world, &started);
    assert_eq!((&job["state"], &job["kind"]), (&json!("stopped"), &json!("absorb")), "{job}");
    assert_eq!((absorbed(), ask()), (json!({ "commit": 1, "behind": 2_000 }), before.clone()));
    assert!(std::fs::read(&file).expect("the model") == bytes, "the file is what it was");

    let started = absorb();
    let options = json!({ "kind": "events", "namespace": "more" });
    let load = upload(&world, form(&options, &[("more.jsonl", &purchases(2_160..2_170))]));
    // Questions are answered meanwhile, by what memory was or by what it is.
    assert!([1, 2].contains(&ask()["commit"].as_u64().expect("a commit")));
    assert_eq!(over(&world, &load)["state"], "done");
    let job = over(&world, &started);
    let events = job["report"]["events"].as_u64().expect("facts");
    assert!(job["state"] == "done" && (2_000..=2_010).contains(&events), "{job}");
    assert_eq!(over(&world, &absorb())["state"], "done");
    assert_eq!(absorbed(), json!({ "commit": 3, "behind": 0 }));
    assert_eq!(over(&world, &absorb())["report"]["events"], 0, "nothing is left");
    assert_ne!(ask()["answers"], before["answers"]);
}

#[test]
fn models_are_trained_over_http() {
    let (dir, graph) = trained(0);
    let world = World::of(dir, graph, |options, _| options);
    let body = json!({ "name": "more", "epochs": 1, "targets": ["buys"], "config": {
        "model": { "width": 8, "channels": 8, "states": 2, "neighbors": 4 },
        "train": { "batch": 20, "negatives": 4, "partners": 2 }, "evaluate": { "candidates": 5 } } });
    let started = world.post("/v1/graphs/shop/models", &body);
    assert_eq!((started.status.as_u16(), &started.json()["job"]["kind"]), (202, &json!("train")), "{}", started.text());
    until("the model is trained and ranked", || {
        let answer = world.get("/v1/graphs/shop/models/more");
        answer.status == 200 && answer.json()["ranking"].as_array().is_some_and(|rows| !rows.is_empty())
    });
    let report = world.json("/v1/graphs/shop/models/more");
    assert_eq!((&report["commit"], &report["config"]["train"]["targets"]), (&json!(1), &json!(["buys"])));
    for (wrong, part) in [
        (json!({ "name": "more", "config": { "model": { "width": 0 } } }), "width"),
        (json!({ "name": "more", "config": { "model": { "wide": 1 } } }), "wide"),
        (json!({ "name": "../more" }), "no name for a model"),
        (json!({}), "name"),
    ] {
        let answer = world.post("/v1/graphs/shop/models", &wrong);
        assert_eq!(answer.code(), "bad_request", "{wrong}");
        assert!(answer.text().contains(part), "{wrong}: {}", answer.text());
    }
}
