//! Differences between times, versions and commits, and names of versions as moments.

use serde_json::{Value, json};

use crate::world::{World, shop};

/// Two namespaces with versions: shop has day-1 and day-2, both have `both` at different times.
fn versions() -> World {
    let world = World::new();
    let mapping = "[[nodes]]\nfile = \"items.csv\"\ntype = \"item\"\nid = \"id\"\nfeatures = { price = \"float\" }\n";
    world.write("shop.toml", mapping);
    for (day, rows) in [("d1", "id,price\na,1.5\nb,2.0\nc,3.0\n"), ("d2", "id,price\na,1.5\nb,2.5\nd,4.0\n")] {
        std::fs::create_dir(world.path(day)).unwrap();
        world.write(&format!("{day}/items.csv"), rows);
    }
    world.write("other.toml", &mapping.replace("\"item\"", "\"thing\""));
    let load = |map: &str, root: &str, namespace: &str, version: &str, time: u32| {
        let facts = format!("--namespace {namespace} --version {version} --timestamp {time} --unit step");
        world.done(&format!("load version {map} --root {root} {facts}"));
    };
    load("shop.toml", "d1", "shop", "day-1", 100);
    load("shop.toml", "d2", "shop", "day-2", 200);
    load("other.toml", "d1", "other", "both", 150);
    load("shop.toml", "d1", "shop", "both", 300);
    world
}

fn changes(world: &World, line: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    world.json(line).iter().map(|change| (text(&change["change"]), text(&change["node"]["id"]))).collect()
}

#[test]
fn values_are_told_before_and_after() {
    let world = versions();
    let lines = world.json("diff --from 100 --to 200 --namespace shop");
    let of = |id: &str| lines.iter().find(|line| line["node"]["id"] == json!(id)).unwrap();
    assert_eq!(
        *of("b"),
        json!({ "change": "updated", "entity": "node", "node": { "type": "item", "id": "b" }, "features": ["price"],
                "before": { "price": 2.0 }, "after": { "price": 2.5 } })
    );
    assert_eq!((&of("d")["before"], &of("d")["after"]), (&Value::Null, &json!({ "price": 4.0 })));
    assert_eq!((&of("c")["before"], &of("c")["after"]), (&json!({ "price": 3.0 }), &Value::Null));
    let table = world.done("diff --from 100 --to 200");
    assert!(table.contains("price: 2.0 -> 2.5") && table.contains("price=4.0"), "{table}");
    let edge = &shop().json("diff --from 1 --to 4")[1];
    assert_eq!((&edge["entity"], &edge["after"]), (&json!("edge"), &json!({ "price": 9.5 })));
    let gained = world.done("diff --from 99 --to 100 --namespace shop");
    assert!(gained.contains("price=1.5"), "{gained}");
}

#[test]
fn versions_are_moments_by_their_names() {
    let world = versions();
    let told = world.json("diff --from 100 --to 200");
    for names in ["--from shop@day-1 --to shop@day-2", "--from day-1 --to day-2"] {
        assert_eq!(world.json(&format!("diff {names}")), told, "{names}");
    }
    let own = world.json("diff --namespace shop --from 100 --to 200");
    assert_eq!(world.json("diff --namespace shop --from day-1 --to day-2"), own);
    assert_eq!(world.json("diff --namespace shop --from day-1 --to both").len(), 0, "the name is of this namespace");
    let price = |line: &str| world.json(line)[0]["features"]["price"].clone();
    assert_eq!(price("node item b --at shop@day-1"), json!(2.0));
    assert_eq!(price("node item b --at day-2"), json!(2.5));
    assert_eq!(price("node item b --at shop@both"), json!(2.0));
    world.write("roots.csv", "type,id\nitem,b\n");
    let rows = crate::world::parse(&world.done("features roots.csv --inclusive --at day-2"));
    assert_eq!((&rows[0]["price"], &rows[0]["time"]), (&json!(2.5), &json!(200)));
    let both = "several namespaces have a version `both`: there are shop@both, other@both";
    world.run("node item b --at both").expect(2, "both").says(both);
    let unknown = "namespace `shop` has no version `day-9`: there are shop@both, shop@day-2, shop@day-1";
    world.run("node item b --at shop@day-9").expect(2, "unknown").says(unknown);
    world
        .run("diff --from day-9")
        .expect(2, "unknown")
        .says("--from: `day-9` is not a time")
        .says("nor is it the name of a version: there are shop@both, shop@day-2, other@both, shop@day-1");
    // What is taken back or came later than the commit is no version.
    world.run("node item b --at day-2 --commit 1").expect(2, "later").says("there are shop@day-1");
    world.done("rollback 2");
    world.run("node item b --at day-2").expect(2, "taken back").says("nor is it the name of a version");
    assert_eq!(price("node item b --at day-2 --commit 4"), json!(2.5));
}

#[test]
fn commits_are_compared() {
    let world = versions();
    assert_eq!(
        changes(&world, "diff --commit 1..2 --namespace shop"),
        [("created", "d"), ("updated", "b"), ("removed", "c")].map(own)
    );
    let edges = world.json("diff --commit 1..2 --at 150");
    assert_eq!(edges.len(), 0, "the second version takes effect at 200");
    assert_eq!(changes(&world, "diff --commit 0..1").len(), 3);
    world.done("rollback 2");
    // Between its time and that of the next version the graph is what it was before the load.
    let undone = changes(&world, "diff --commit 4.. --at 250 --namespace shop");
    assert_eq!(undone, [("created", "c"), ("updated", "b"), ("removed", "d")].map(own));
    let summary = &world.json("diff --commit 4..5 --at 250 --summary")[0];
    assert_eq!((&summary["from_commit"], &summary["to_commit"]), (&json!(4), &json!(5)));
    assert_eq!((&summary["from"], &summary["to"]), (&json!(250), &json!(250)));
    world.run("diff").expect(2, "nothing").says("say what to compare");
    world.run("diff --commit 2").expect(2, "one").says("say what to compare");
    world.run("diff --commit ..2").expect(2, "form").says("A..B");
    world.run("diff --commit 1..99").expect(1, "unknown").says("there is no commit 99");
}

#[test]
fn soft_deletes_show_what_began_and_ended_between() {
    let world = shop();
    assert_eq!(world.json("diff --from 0 --to 8").len(), 1, "ann alone lives at both ends");
    let soft = world.json("diff --from 0 --to 8 --deletes soft");
    let told: Vec<_> =
        soft.iter().map(|line| (line["change"].as_str().unwrap(), line["entity"].as_str().unwrap())).collect();
    let expected =
        [("created", "node"), ("created", "node"), ("removed", "node"), ("created", "edge"), ("removed", "edge")];
    assert_eq!(told, expected);
}

#[test]
fn an_unknown_namespace_is_told_with_those_that_are_known() {
    let world = versions();
    for line in ["diff --from 1 --namespace nope", "loads --namespace nope", "export --as kbase --namespace nope"] {
        world.run(line).expect(1, line).says("no namespace `nope` in this graph: it has other, shop");
    }
    assert_eq!(world.json("loads --namespace other").len(), 1);
    let empty = World::new();
    empty.done("init g");
    assert_eq!(empty.done("loads --json"), "");
    assert!(empty.done("loads").contains("no loads yet"));
    empty.run("loads --namespace x").expect(1, "empty").says("it is empty; load something first");
}

#[test]
fn schema_and_resolve_and_query_see_a_moment() {
    let world = shop();
    let types = |line: &str| {
        let schema = &world.json(line)[0];
        let names =
            schema["node_types"].as_array().unwrap().iter().map(|node| node["name"].as_str().unwrap().to_owned());
        (names.collect::<Vec<_>>(), schema["edge_types"].as_array().unwrap().len())
    };
    assert_eq!(types("schema"), (vec!["user".to_owned(), "item".to_owned()], 1));
    assert_eq!(types("schema --at 0"), (vec![], 0));
    assert_eq!(types("schema --at 8"), (vec!["user".to_owned()], 0));
    assert_eq!(types("schema --at 8 --deletes soft"), (vec!["user".to_owned(), "item".to_owned()], 1));
    world.write("then.json", &world.done("schema --at 8 --json"));
    world.done("init then --schema then.json");
    assert_eq!(world.json("query get item pen --at 8")[0]["total"], json!(0));
    let gone = world.json("query get item pen --at 8 --deletes soft");
    assert_eq!((&gone[0]["total"], &gone[1]["deleted"]), (&json!(1), &json!(true)));
    let related = world.json("query related user ann --at 8 --deletes soft");
    assert_eq!((&related[1]["id"], &related[1]["edges"][0]["deleted"]), (&json!("pen"), &json!(true)));
    let merge = r#"{"time":8,"action":"create","entity":"node","source":{"type":"item","id":"quill"}}
{"time":9,"action":"create","entity":"merge","source":{"type":"item","id":"pen"},"destination":{"type":"item","id":"quill"}}
{"time":12,"action":"delete","entity":"merge","source":{"type":"item","id":"pen"},"destination":{"type":"item","id":"quill"}}
"#;
    let loaded = world.pipe("load events -", merge);
    assert_eq!(loaded.code, 0, "{}", loaded.err);
    let target = |line: &str| world.json(line).last().unwrap()["node"]["id"].clone();
    assert_eq!(target("resolve item pen --at 10"), json!("quill"));
    assert_eq!(target("resolve item pen"), json!("pen"));
    assert_eq!(target("resolve item pen --deletes soft"), json!("quill"));
}

fn own((change, id): (&str, &str)) -> (String, String) {
    (change.to_owned(), id.to_owned())
}
