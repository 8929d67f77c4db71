//! Nodes and edges that several namespaces hold, and types that are gone, by the command line.

use serde_json::{Value, json};

use crate::world::World;

const MAPPING: &str = r#"
[[nodes]]
file = "items.csv"
type = "item"
id = "id"
features = { label = "text" }

[[edges]]
file = "items.csv"
relation = "part_of"
source = { type = "item", column = "id" }
destination = { type = "item", column = "whole" }
"#;

/// Loads a table of items as a version of a namespace.
fn load(world: &World, namespace: &str, time: u64, rows: &str, options: &str) -> String {
    let folder = format!("{namespace}{time}");
    std::fs::create_dir(world.path(&folder)).unwrap();
    world.write("map.toml", MAPPING);
    world.write(&format!("{folder}/items.csv"), &format!("id,label,whole\n{rows}"));
    let version = format!("--namespace {namespace} --version v{time} --timestamp {time} --unit step");
    format!("load version map.toml --root {folder} {version} {options}")
}

fn nodes(world: &World) -> Vec<Value> {
    let states = world.json("export");
    states.iter().filter(|line| line["entity"] == "node").map(|line| line["source"]["id"].clone()).collect()
}

#[test]
fn a_shared_node_tells_who_holds_it() {
    let world = World::new();
    world.done(&load(&world, "ours", 1, "1,a,\n2,b,\n", ""));
    world.done(&load(&world, "theirs", 2, "1,c,\n3,d,\n", ""));
    assert!(world.done("node item 1").contains("held by ours, which speaks for it, and theirs"));
    assert!(!world.done("node item 2").contains("held by"));
    assert_eq!(world.json("node item 1")[0]["namespaces"], json!(["ours", "theirs"]));
    // Each namespace has changes of its own.
    world.done(&load(&world, "theirs", 3, "1,x,\n3,d,\n", ""));
    let told = |namespace: &str| -> Vec<String> {
        let lines = world.json(&format!("diff --namespace {namespace} --from 2 --to 3"));
        lines
            .iter()
            .filter(|line| line["change"].is_string())
            .map(|line| format!("{} {}", line["change"], line["node"]["id"]))
            .collect()
    };
    assert_eq!((told("ours"), told("theirs")), (vec![], vec![r#""updated" 1"#.to_string()]));
    // The one that stays speaks from then on.
    world.done(&load(&world, "ours", 4, "2,b,\n", ""));
    let shown = &world.json("node item 1")[0];
    assert_eq!((&shown["namespaces"], &shown["features"]["label"]), (&json!(["theirs"]), &json!("x")));
}

#[test]
fn a_node_that_edges_of_others_need_stands_in_unless_they_may_end() {
    for (options, left) in [("", vec![json!(1), json!(2), json!(3)]), ("--end-foreign-edges", vec![json!(2), json!(3)])]
    {
        let world = World::new();
        world.done(&load(&world, "ours", 1, "1,a,\n2,b,\n", ""));
        let theirs = world.run(&load(&world, "theirs", 2, "3,c,1\n", "--dangling stub")).expect(0, "an edge to 1");
        assert_eq!(world.json("neighbors item 3").len(), 1, "{}", theirs.err);
        // Nobody lists 1 any more, and an edge of theirs needs it.
        world.done(&load(&world, "theirs", 3, "3,c,1\n", "--dangling stub"));
        let answer = world.run(&load(&world, "ours", 4, "2,b,\n", options)).expect(0, "1 goes");
        assert_eq!(nodes(&world), left, "{options} {} {}", answer.out, answer.err);
        let edges = world.json("export").iter().filter(|line| line["entity"] == "edge").count();
        assert_eq!(edges, usize::from(options.is_empty()));
    }
}

#[test]
fn rejects_are_written_where_all_is_rejected() {
    let world = World::new();
    world.done(&load(&world, "ours", 1, "1,a,\n", ""));
    let broken = load(&world, "ours", 2, "1\n2\n", "--rejects rejects.txt");
    let answer = world.run(&broken).expect(1, "no row has all cells");
    answer.says("no record was accepted, 4 were rejected").says("items.csv:2: ").says("nothing was loaded");
    let listed = std::fs::read_to_string(world.path("rejects.txt")).unwrap();
    assert_eq!(listed.lines().filter(|line| line.contains("items.csv:")).count(), 4, "{listed}");
    assert_eq!((world.json("loads").len(), nodes(&world)), (1, vec![json!(1)]));
}

#[test]
fn a_type_is_emptied_by_its_name_alone() {
    let world = World::new();
    let mapping = "[[nodes]]\nfile = \"items.csv\"\ntype = \"item\"\nid = \"id\"\n\n\
                   [[nodes]]\nfile = \"tags.csv\"\ntype = \"tag\"\nid = \"id\"\n";
    world.write("map.toml", mapping);
    world.write("items.csv", "id\n1\n2\n");
    world.write("tags.csv", "id\nred\n");
    let load =
        |time: u64| format!("load version map.toml --namespace n --version v{time} --timestamp {time} --unit step");
    world.done(&load(1));
    world.write("tags.csv", "id\n");
    world.run(&load(2)).expect(1, "a header alone").says("--allow-empty=tag");
    for (types, code) in [("=item", 1), ("=item,tag", 0)] {
        world.run(&format!("{} --allow-empty{types}", load(2))).expect(code, types);
    }
    assert_eq!(nodes(&world), [json!(1), json!(2)]);
}

#[test]
fn types_of_an_undone_load_are_gone() {
    let world = World::new();
    let event = |time: u64, node_type: &str, features: &str| {
        format!(
            "{{\"time\":{time},\"action\":\"create\",\"entity\":\"node\",\"source\":{{\"type\":\"{node_type}\",\"id\":{time},\
             \"features\":{features}}}}}\n"
        )
    };
    world.write("first.jsonl", &event(1, "user", "{\"age\":5}"));
    world.write("second.jsonl", &(event(2, "user", "{\"city\":\"x\"}") + &event(3, "contact", "{}")));
    world.done("load events first.jsonl --unit step");
    let shown = |world: &World, commit: &str| {
        let stats: Vec<Value> =
            world.json(&format!("stats {commit}")).into_iter().filter(|line| line["kind"] != "graph").collect();
        (world.json(&format!("schema {commit}")), stats, world.json(&format!("schema --at 9 {commit}")))
    };
    let before = shown(&world, "");
    world.done("load events second.jsonl");
    let with = shown(&world, "");
    assert_ne!(before, with);
    world.done("rollback 2");
    assert_eq!((shown(&world, ""), shown(&world, "--commit 2")), (before, with));
    world.run("node contact 3").expect(1, "gone").says("no node type `contact` in this graph: it has user");
    world.run("query get user 1 --where city=x").expect(1, "gone").says("they have age");
    // Loaded again, it is all there again.
    world.done("load events second.jsonl");
    assert_eq!(shown(&world, "").0, shown(&world, "--commit 2").0);
}
