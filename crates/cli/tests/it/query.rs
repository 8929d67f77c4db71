//! Queries by the command line, and what a node has become.

use serde_json::{Value, json};

use crate::world::World;

/// A little of an ontology, a sample, and a term that becomes another.
const BIOMES: &str = r#"{"time":1,"action":"create","entity":"node","source":{"type":"term","id":"E:1","features":{"name":"ecosystem"}}}
{"time":1,"action":"create","entity":"node","source":{"type":"term","id":"E:2","features":{"name":"biome","rank":"Class"}}}
{"time":1,"action":"create","entity":"node","source":{"type":"term","id":"E:3","features":{"name":"terrestrial biome"}}}
{"time":1,"action":"create","entity":"node","source":{"type":"term","id":"E:4","features":{"name":"aquatic biome","rank":"Order"}}}
{"time":1,"action":"create","entity":"node","source":{"type":"term","id":"E:5","features":{"name":"old biome"}}}
{"time":1,"action":"create","entity":"node","source":{"type":"sample","id":"s1","features":{"public":"yes"}}}
{"time":1,"action":"create","entity":"node","source":{"type":"sample","id":"s2","features":{"public":"no"}}}
{"time":2,"action":"create","entity":"edge","source":{"type":"term","id":"E:2"},"edge":{"type":"is_a"},"destination":{"type":"term","id":"E:1"}}
{"time":2,"action":"create","entity":"edge","source":{"type":"term","id":"E:3"},"edge":{"type":"is_a"},"destination":{"type":"term","id":"E:2"}}
{"time":2,"action":"create","entity":"edge","source":{"type":"term","id":"E:4"},"edge":{"type":"part_of"},"destination":{"type":"term","id":"E:2"}}
{"time":2,"action":"create","entity":"edge","source":{"type":"sample","id":"s1"},"edge":{"type":"seen_in"},"destination":{"type":"term","id":"E:3"}}
{"time":2,"action":"create","entity":"edge","source":{"type":"sample","id":"s2"},"edge":{"type":"seen_in"},"destination":{"type":"term","id":"E:3"}}
{"time":5,"action":"delete","entity":"node","source":{"type":"term","id":"E:5"}}
{"time":5,"action":"create","entity":"merge","source":{"type":"term","id":"E:5"},"destination":{"type":"term","id":"E:3"}}
"#;

fn biomes() -> World {
    let world = World::new();
    world.write("biomes.jsonl", BIOMES);
    world.done("load events biomes.jsonl --unit step");
    world
}

/// The total and the ids of an answer.
fn answer(world: &World, question: &str) -> (u64, Vec<String>) {
    let lines = world.json(&format!("query {question}"));
    let id = |line: &Value| line["id"].as_str().unwrap_or_default().to_owned();
    (lines[0]["total"].as_u64().unwrap(), lines[1..].iter().map(id).collect())
}

fn ids(world: &World, question: &str) -> Vec<String> {
    answer(world, question).1
}

#[test]
fn queries_walk_the_hierarchy_as_of_a_time() {
    let world = biomes();
    assert_eq!(ids(&world, "ancestors term E:3"), ["E:1", "E:2"]);
    assert_eq!(ids(&world, "ancestors term E:3 --at 1"), [""; 0]);
    assert_eq!(ids(&world, "lineage term E:3"), ["E:1", "E:2"]);
    assert_eq!(ids(&world, "parents term E:3"), ["E:2"]);
    assert_eq!(ids(&world, "children term E:2"), ["E:3"]);
    assert_eq!(ids(&world, "children term E:2 --any-relation"), ["E:3", "E:4"]);
    assert_eq!(ids(&world, "children term E:2 --relation part_of"), ["E:4"]);
    assert_eq!(ids(&world, "children term E:2 --any-relation --matching terrestrial"), ["E:3"]);
    assert_eq!(ids(&world, "descendants term E:1 --depth 1"), ["E:2"]);
    assert_eq!(ids(&world, "siblings term E:3 --relation is_a --relation part_of"), ["E:4"]);
    assert_eq!(ids(&world, "related term E:3"), ["s1", "s2", "E:2"]);
    assert_eq!(answer(&world, "related term E:3 --limit 1 --offset 1"), (3, vec!["s2".into()]));
    assert_eq!(ids(&world, "links sample s1"), ["E:3"]);
    let linked = world.json("query linked term E:3 --where public=yes --select public");
    assert_eq!(linked[0], json!({ "kind": "answer", "total": 2, "accessible": 1 }));
    assert_eq!((&linked[1]["id"], &linked[1]["edges"][0]["relation"]), (&json!("s1"), &json!("seen_in")));
}

#[test]
fn queries_find_nodes_by_id_name_and_word() {
    let world = biomes();
    assert_eq!(ids(&world, "get term E:3 E:1 E:9"), ["E:1", "E:3"]);
    world.run("query get term E:1 E:9").expect(0, "get").says("E:9");
    assert_eq!(ids(&world, "name term Terrestrial Biome"), ["E:3"]);
    assert_eq!(ids(&world, "name term terrestrial biome --within E:1"), ["E:3"]);
    assert_eq!(ids(&world, "name term terrestrial biome --within E:4"), [""; 0]);
    assert_eq!(ids(&world, "search term biome"), ["E:2", "E:4", "E:3"]);
    assert_eq!(ids(&world, "search term biome --at 4"), ["E:2", "E:4", "E:5", "E:3"]);
    assert_eq!(ids(&world, "search term aqua --prefix"), ["E:4"]);
    assert_eq!(ids(&world, "search term prefix:aqua,|prefix:eco"), ["E:4", "E:1"]);
    assert_eq!(ids(&world, "search term biome --where rank=Class --where rank=Order"), ["E:2", "E:4"]);
    assert_eq!(ids(&world, "search term biome --where rank=Class"), ["E:2"]);
    assert_eq!(ids(&world, "search term biome --where rank=Class --or-where rank=Order"), ["E:2", "E:4"]);
    assert!(world.done("query search term biome --select rank").contains("3 of 3"));
}

#[test]
fn queries_name_what_is_wrong() {
    let world = biomes();
    world
        .run("query children term E:1 --limit 1001")
        .expect(2, "limit")
        .says("limit 1001 is out of range: give 1 to 1000");
    world.run("query children term E:1 --offset 100001").expect(2, "offset").says("offset 100001");
    world.run("query children term E:1 E:2").expect(2, "two").says("give one id");
    world.run("query search term +").expect(2, "text").says("text `+` has no letter or digit");
    world.run("query search term x --named-by title").expect(1, "feature").says("they have name, rank");
    world.run("query search term x --where rank").expect(2, "where").says("give a feature and a value as F=V");
    world.run("query parents term E:3 --relation isa").expect(1, "relation").says("it has is_a, part_of, seen_in");
    world.run("query parents tern E:3").expect(1, "type").says("no node type `tern`");
    world.run("query parents term E:5").expect(1, "dead").says("it became term E:3");
    world.run("query parents term").expect(2, "nothing");
}

#[test]
fn a_node_is_followed_to_what_it_has_become() {
    let world = biomes();
    let step = json!({ "kind": "merge", "from": { "type": "term", "id": "E:5" }, "into": { "type": "term", "id": "E:3" },
                       "created": 5, "removed": null, "features": {} });
    let target = |id: &str, steps: u64| {
        json!({ "kind": "target", "node": { "type": "term", "id": id }, "steps": steps,
                                                "alive": true, "circular": false })
    };
    assert_eq!(world.json("resolve term E:5"), [step.clone(), target("E:3", 1)]);
    assert_eq!(world.json("resolve term E:5 --at 4"), [target("E:5", 0)]);
    assert!(world.done("resolve term E:5").contains("term E:5 has become term E:3, alive at the end of time"));
    assert!(world.done("resolve term E:3").contains("term E:3 has become no other node, alive"));
    assert_eq!(world.json("query merges term E:5 E:3")[1], step);
    assert_eq!(world.json("query merges term E:5 --at 4").len(), 1);
    assert_eq!(world.json("query merges term E:5 --at 4 --ever").len(), 2);
    world.run("resolve term E:9").expect(1, "unknown").says("no node term E:9");
}
