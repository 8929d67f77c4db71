//! Reading commands: time travel, JSON fields, suggestions.

use serde_json::json;

use crate::world::{World, shop};

#[test]
fn a_node_is_shown_as_of_a_time() {
    let world = shop();
    let ann = |time: i64| world.json(&format!("node user ann --at {time}"))[0]["features"]["age"].clone();
    assert_eq!([1, 3, 4, 9].map(ann), [31.0, 31.0, 32.0, 32.0].map(|age| json!(age)));
    assert_eq!(
        world.json("node user ann")[0],
        json!({ "type": "user", "id": "ann", "created": 1, "removed": null, "deleted": false,
                "features": { "age": 32.0 }, "degree_out": 0, "degree_in": 0, "namespaces": ["events"] })
    );
}

#[test]
fn neighbors_come_and_go_with_time() {
    let world = shop();
    let edge = &world.json("neighbors user ann --at 6")[0];
    assert_eq!(
        *edge,
        json!({ "direction": "out", "source": { "type": "user", "id": "ann" }, "relation": "buys", "key": null,
                "destination": { "type": "item", "id": "pen" }, "created": 2, "removed": 7, "deleted": false,
                "features": { "price": 9.5 } })
    );
    world.run("neighbors user ann --at 7").expect(1, "hard").says("no such edge");
    assert_eq!(world.json("neighbors user ann --at 7 --deletes soft")[0]["deleted"], json!(true));
    world.run("neighbors user ann --at 6 --direction in").expect(1, "in").says("no such edge");
}

#[test]
fn a_commit_pins_what_the_store_knew() {
    let world = shop();
    let more = r#"{"time":8,"action":"create","entity":"node","source":{"type":"user","id":"bob"}}"#;
    world.pipe("load events -", more).expect(0, "standard input");
    assert_eq!(world.json("stats --commit 1")[0]["nodes"], json!(1));
    assert_eq!(world.json("stats --commit 2")[0]["nodes"], json!(2));
    assert_eq!(world.json("stats --commit 0")[0]["nodes"], json!(0));
    world.run("stats --commit 3").expect(1, "a commit to come").says("there is no commit 3: the newest is 2");
}

#[test]
fn diff_tells_changes_and_their_numbers() {
    let world = shop();
    let summary = json!({ "from": 1, "to": 4, "from_commit": 1, "to_commit": 1, "nodes": { "created": 0, "updated": 1, "removed": 0 },
                          "edges": { "created": 1, "updated": 0, "removed": 0 }, "merged": 0 });
    assert_eq!(world.json("diff --from 1 --to 4 --summary"), [summary]);
    let changes = world.json("diff --from 4");
    let removed: Vec<_> = changes.iter().map(|change| (&change["change"], &change["entity"])).collect();
    assert_eq!(removed, [(&json!("removed"), &json!("node")), (&json!("removed"), &json!("edge"))]);
    assert_eq!(world.done("diff --from 8"), "nothing changed\n");
}

#[test]
fn history_tells_everything_in_order_of_time() {
    let world = shop();
    let kinds: Vec<_> = world.json("history user ann").iter().map(|line| line["kind"].clone()).collect();
    assert_eq!(kinds, ["life", "feature", "edge", "feature"]);
    let spans = world.json("history user ann --at 3");
    assert_eq!(spans[1]["feature"], json!({ "feature": "age", "value": 31.0, "created": 1, "removed": null }));
    assert_eq!(spans.len(), 3);
    assert!(world.done("history item pen").contains("user ann -buys-> item pen"));
}

#[test]
fn what_is_not_found_is_said_with_what_is_there() {
    let world = shop();
    world.run("node usr ann").expect(1, "type").says("no node type `usr` in this graph: it has user, item");
    world.run("node user anne").expect(1, "id").says("no node user anne").says("the closest ids are ann");
    world.run("node item pen").expect(1, "dead").says("it lived [1, 7)").says("--deletes soft");
    world.run("neighbors user ann --relation sells").expect(1, "relation").says("it has buys");
    world.run("history user zoe").expect(1, "history").says("none is near to it; its ids look like ann");
    World::new().run("node user ann").expect(1, "no graph").says("timeweft init");
}

#[test]
fn every_command_teaches_with_an_example() {
    let world = World::new();
    let commands = "init schema stats load-events load-intervals load-version load-git loads rollback node neighbors query resolve history diff \
                    export sample walk page-rank features verify compact completions man";
    for command in commands.split_whitespace() {
        let help = world.done(&format!("{} --help", command.replace("load-", "load ")));
        assert!(help.contains("Example") && help.contains("timeweft "), "{command}: {help}");
    }
}

#[test]
fn wrong_usage_is_exit_code_2() {
    let world = shop();
    world.run("nod user ann").expect(2, "command");
    world.run("node user").expect(2, "argument");
    world.run("node user ann --at yesterday").expect(2, "time").says("--at: `yesterday` is not a time");
    world.run("node user ann --at 2016-05-17").expect(2, "calendar").says("this graph counts steps");
    world.run("load events shop.jsonl --unit s").expect(2, "unit").says("the graph counts in step");
    world.run("load events shop.jsonl --format columns").expect(2, "columns").says("--columns src,dst,time");
    world.run("init other --unit week").expect(2, "unit").says("use s, ms, us, ns or step");
}

#[test]
fn schema_stats_loads_and_verify_have_stable_fields() {
    let world = shop();
    let fields = |line: &str, at: usize| {
        let lines = world.json(line);
        lines[at].as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(fields("schema", 0), "closed edge_types merge_features node_types unit");
    assert_eq!(
        fields("stats", 0),
        "commit disk_bytes disk_bytes_per_element edge_lives_ever edges events kind loads merges nodes nodes_ever \
         snapshot_bytes"
    );
    assert_eq!(fields("stats", 1), "count kind type");
    assert_eq!(
        fields("loads", 0),
        "aside before commit completed content_hash counts end_foreign_edges events fields format id namespace rejected release_timestamp replaced since source started \
         state timestamp undoes version"
    );
    assert_eq!(fields("verify", 0), "bytes events loads segments sound");
    assert_eq!(fields("compact", 0), "bytes commit");
    assert_eq!(fields("verify", 0), "bytes events loads segments sound");
}
