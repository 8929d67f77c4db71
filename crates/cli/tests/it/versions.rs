//! Whole versions by the command line: every format, reports, undoing, documents.

use serde_json::{Value, json};

use crate::world::{World, data};

const MAPPING: &str = r#"
[version]
namespace = "shop"
load-version = "day-1"
load-timestamp = 100

[[nodes]]
file = "items.csv"
type = "item"
id = "id"
features = { price = { column = "price", kind = "float" } }

[[edges]]
file = "items.csv"
relation = "sold_by"
source = { type = "item", column = "id" }
destination = { type = "item", column = "seller" }
"#;

/// Two snapshots of one warehouse under one mapping.
fn warehouse() -> World {
    let world = World::new();
    world.write("shop.toml", MAPPING);
    for (day, rows) in
        [("d1", "id,price,seller\na,1.5,\nb,2.0,a\nc,3.0,a\n"), ("d2", "id,price,seller\na,1.5,\nb,2.5,a\n")]
    {
        std::fs::create_dir(world.path(day)).unwrap();
        world.write(&format!("{day}/items.csv"), rows);
    }
    world
}

fn delta(line: &Value) -> [u64; 5] {
    let nodes = &line["delta"]["nodes"];
    let of = |key: &str| nodes[key].as_u64().unwrap();
    [of("new"), of("changed"), of("gone"), of("reappeared"), line["delta"]["edges"]["gone"].as_u64().unwrap()]
}

#[test]
fn a_mapping_names_its_version_and_serves_many_snapshots() {
    let world = warehouse();
    let first = world.json("load version shop.toml --root d1 --unit step");
    assert_eq!(delta(&first[0]), [3, 0, 0, 0, 0]);
    let planned = world.json("load version shop.toml --root d2 --version day-2 --timestamp 200 --dry-run");
    assert_eq!((delta(&planned[0]), &planned[0]["events"]), ([0, 1, 1, 0, 1], &json!(2)));
    let second = world.json("load version shop.toml --root d2 --version day-2 --timestamp 200");
    assert_eq!(delta(&second[0]), delta(&planned[0]));
    assert_eq!(second[0]["delta"]["nodes"]["changed_features"], json!({ "item.price": 1 }));
    let changes = world.json("diff --namespace shop --from day-1 --to day-2");
    let told: Vec<String> =
        changes.iter().map(|line| format!("{} {}", line["change"].as_str().unwrap(), line["node"]["id"])).collect();
    assert_eq!(told[..2], ["updated \"b\"", "removed \"c\""], "{changes:?}");
    world.run("diff --namespace other --from 100 --to 200").expect(1, "namespace").says("it has shop");
    let again = world.json("load version shop.toml --root d2 --version day-2 --timestamp 200");
    assert_eq!(again[0]["unchanged"], json!(true));
    world.run("load version d1/items.csv --namespace x --version 1 --timestamp 1").expect(1, "format").says("format");
    world.run("load version shop.obo --version 1 --timestamp 1").expect(2, "namespace").says("--namespace is missing");
}

#[test]
fn a_load_is_taken_back_and_put_back() {
    let world = warehouse();
    for (root, version, time) in [("d1", "v1", 100), ("d2", "v2", 200), ("d1", "v3", 300)] {
        world.done(&format!("load version shop.toml --root {root} --version {version} --timestamp {time} --unit step"));
    }
    let states = |world: &World| {
        [100, 200, 300].map(|time| {
            world
                .json(&format!("export --at {time}"))
                .iter()
                .map(|line| line["source"]["id"].clone())
                .collect::<Vec<_>>()
        })
    };
    let before = states(&world);
    assert_ne!(before[0], before[1]);
    let undone = world.json("rollback 2");
    assert_eq!((&undone[0]["undone"], &undone[0]["later"]["replaced"]), (&json!(2), &json!([3])));
    let without = states(&world);
    assert_eq!((&without[0], &without[1], &without[2]), (&before[0], &before[0], &before[2]));
    let listed: Vec<Value> = world.json("loads").iter().map(|load| load["state"].clone()).collect();
    assert_eq!(listed, ["complete", "rolled back by 4", "complete", "rollback of 2"]);
    world.run("rollback 2").expect(1, "twice").says("load 4 took it back already");
    let late = "load version shop.toml --root d2 --version v2 --timestamp 200";
    world.run(late).expect(1, "late").says("200");
    world.done(&format!("{late} --back-dated"));
    assert_eq!(states(&world), before);
    // The past of the store stays readable.
    let third = world.json("export --at 200 --commit 4");
    assert_eq!(third.len(), world.json("export --at 100").len());
    world.done("verify");
}

#[test]
fn documents_of_a_namespace_are_written_a_file_a_collection() {
    let world = warehouse();
    world.done("load version shop.toml --root d1 --version v1 --timestamp 100 --unit step");
    world.done("load version shop.toml --root d2 --version v2 --timestamp 200");
    world.done("export --as kbase --namespace shop --to documents");
    let read = |name: &str| crate::world::parse(&std::fs::read_to_string(world.path(name)).unwrap());
    let nodes = read("documents/v.jsonl");
    let keys: Vec<&str> = nodes.iter().map(|node| node["_key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["a_v1", "b_v1", "b_v2", "c_v1"]);
    assert_eq!(
        (&nodes[1]["created"], &nodes[1]["expired"], &nodes[1]["last_version"]),
        (&json!(100), &json!(199), &json!("v1"))
    );
    let edges = read("documents/sold_by.jsonl");
    let refs: Vec<&str> = edges.iter().map(|edge| edge["_from"].as_str().unwrap()).collect();
    assert_eq!(refs, ["v/b_v1", "v/b_v2", "v/c_v1"]);
    assert_eq!(read("documents/registry.jsonl").len(), 2);
    let lines = crate::world::parse(&world.done("export --as kbase --namespace shop"));
    assert_eq!(lines.len(), nodes.len() + edges.len() + 2);
    world.run("export --as kbase --namespace shop --to documents").expect(1, "there").says("it is there already");
    world.run("export --as kbase").expect(2, "namespace").says("--namespace");
    world.run("export --as kbase --namespace other").expect(1, "unknown").says("no namespace `other` in this graph");
}

#[test]
fn a_taxonomy_dump_loads_with_merges_and_warnings() {
    let world = World::new();
    let node = |id: u32, parent: u32, rank: &str| {
        format!("{id}\t|\t{parent}\t|\t{rank}\t|\t\t|\t0\t|\t0\t|\t11\t|\t0\t|\t0\t|\t0\t|\t0\t|\t0\t|\t\t|\n")
    };
    let name = |id: u32, name: &str| format!("{id}\t|\t{name}\t|\t\t|\tscientific name\t|\n");
    for (dump, extra) in [("t1", true), ("t2", false)] {
        std::fs::create_dir(world.path(dump)).unwrap();
        let mut nodes = node(1, 1, "no rank") + &node(2, 1, "genus") + &node(3, 2, "ultraspecies");
        let mut names = name(1, "root") + &name(2, "Bacillus") + &name(3, "Bacillus subtilis");
        if extra {
            nodes += &node(4, 2, "species");
            names += &name(4, "Bacillus globigii");
        }
        world.write(&format!("{dump}/nodes.dmp"), &nodes);
        world.write(&format!("{dump}/names.dmp"), &names);
        world.write(&format!("{dump}/merged.dmp"), if extra { "" } else { "4\t|\t3\t|\n" });
    }
    let first = world.json("load version t1 --namespace ncbi --version 1 --timestamp 2020-01-01 --unit ms");
    assert!(first[0]["warnings"][0]["message"].as_str().unwrap().contains("ultraspecies"), "{first:?}");
    let second = world.json("load version t2 --namespace ncbi --version 2 --timestamp 2020-02-01");
    assert_eq!(second[0]["delta"]["merges"]["merged"], json!(1));
    let resolved = world.done("resolve taxon 4");
    assert!(resolved.contains("taxon 3"), "{resolved}");
    let lineage = world.json("query lineage taxon 3 --relation child_of --select scientific_name");
    assert_eq!(lineage[1]["features"]["scientific_name"], json!("root"));
    let found = world.json("query search taxon subtilis --named-by scientific_name");
    assert_eq!((&found[0]["total"], &found[1]["id"]), (&json!(1), &json!(3)));
}

#[test]
fn an_obo_graph_of_the_cell_ontology_loads() {
    let Some(path) = data("an_obo_graph_of_the_cell_ontology_loads", "cl/2019-06-15_99241c908e.json") else { return };
    let world = World::new();
    let line = format!(
        "load version {} --namespace cl --version 2019-06-15 --timestamp 2019-06-15 --unit ms --id-prefix CL",
        path.display()
    );
    let loaded = world.json(&line);
    assert_eq!(loaded[0]["delta"]["nodes"]["new"], json!(2204));
}
