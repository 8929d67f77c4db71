//! What a person before a terminal or a page meets: completions, manual, order of tables, messages.

use std::fs;

use serde_json::json;

use crate::world::{World, shop};

#[test]
fn shells_complete_and_the_manual_has_a_page_a_command() {
    let world = World::new();
    for (shell, word) in [("bash", "complete -F"), ("zsh", "#compdef timeweft"), ("fish", "complete -c timeweft")] {
        let script = world.done(&format!("completions {shell}"));
        assert!(script.contains(word) && script.contains("page-rank"), "{shell}");
    }
    assert_eq!(world.json("completions elvish")[0]["shell"], json!("elvish"));
    world.run("completions korn").expect(2, "shell").says("bash");
    let page = world.done("man");
    assert!(page.starts_with(".ie") && page.contains("SUBCOMMANDS"), "{}", &page[..200]);
    let written = world.json("man --to man1");
    let names: Vec<String> =
        fs::read_dir(world.path("man1")).unwrap().map(|of| of.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(names.len(), written.len());
    for name in ["timeweft.1", "timeweft-load.1", "timeweft-load-events.1", "timeweft-diff.1"] {
        assert!(names.iter().any(|known| known == name), "{name}: {names:?}");
    }
    let events = fs::read_to_string(world.path("man1/timeweft-load-events.1")).unwrap();
    assert!(events.contains("dangling") && events.contains("Examples"), "{events}");
}

#[test]
fn neighbors_come_newest_first_and_as_many_as_wanted() {
    let world = World::new();
    let rows: Vec<String> = (0..30).map(|at| format!("hub,n{},{}", (at * 7) % 30, at)).collect();
    world.write("mail.csv", &format!("src,dst,time\n{}\n", rows.join("\n")));
    world.done("load events mail.csv --unit step");
    let times =
        |line: &str| -> Vec<i64> { world.json(line).iter().map(|edge| edge["created"].as_i64().unwrap()).collect() };
    assert_eq!(times("neighbors node hub --limit 3"), [29, 28, 27]);
    assert_eq!(times("neighbors node hub --limit 3 --order oldest"), [0, 1, 2]);
    assert_eq!(times("neighbors node hub"), (0..30).rev().collect::<Vec<_>>());
    assert_eq!(times("neighbors node hub --order name --limit 2"), [0, 13], "n0, n1");
    assert_eq!(times("neighbors node hub --limit 2 --at 10"), [10, 9]);
    world.run("neighbors node hub --limit 3").expect(0, "limit").says("3 of 30 edges");
    world.run("neighbors node hub --limit 0").expect(2, "limit");
}

#[test]
fn names_stand_first_and_nothing_is_cut_in_a_pipe() {
    let world = World::new();
    let long = "x".repeat(300);
    let line = |id: u32, name: &str| {
        format!(
            "{}\n",
            json!({ "time": 1, "action": "create", "entity": "node", "source": { "type": "term", "id": id, "features": { "definition": long, "name": name } } })
        )
    };
    world.write("terms.jsonl", &(line(1, "biome") + &line(2, "ecosystem")));
    world.done("load events terms.jsonl --unit step");
    let table = world.done("query search term biome");
    assert!(table.starts_with("node    name   hops  features\nterm 1  biome     0  definition=xxx"), "{table}");
    assert!(table.contains(&long));
    for line in ["history term 1", "node term 1"] {
        assert!(world.done(line).contains(&long), "{line}");
    }
}

#[test]
fn a_walk_without_a_hierarchy_says_which_relations_there_are() {
    let world = shop();
    let answer = world.run("query ancestors user ann --at 5").expect(0, "no hierarchy");
    answer.says("this graph has no relation is_a or child_of").says("it has buys").says("--any-relation");
    let walked = world.run("query ancestors user ann --at 5 --relation buys").expect(0, "relation");
    assert!(walked.out.contains("1 of 1") && walked.err.is_empty(), "{}", walked.err);
}

#[test]
fn ids_are_searched_where_nodes_have_no_names() {
    let world = World::new();
    let paths = ["src/lib.rs", "src/main.rs", "docs/README.md"];
    let line = |path: &&str| {
        format!(
            "{}\n",
            json!({ "time": 1, "action": "create", "entity": "node", "source": { "type": "file", "id": path } })
        )
    };
    world.write("files.jsonl", &paths.iter().map(line).collect::<String>());
    world.done("load events files.jsonl --unit step");
    let found = |line: &str| -> Vec<String> {
        let rows = world.json(line);
        rows[1..].iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(found("query search file readme"), ["docs/README.md"]);
    assert_eq!(found("query search file src,rs"), ["src/lib.rs", "src/main.rs"]);
    assert_eq!(found("query search file prefix:mai"), ["src/main.rs"]);
    assert_eq!(found("query name file SRC/LIB.RS --named-by id"), ["src/lib.rs"]);
    assert_eq!(found("query get file src/lib.rs docs/README.md --matching src"), ["src/lib.rs"]);
    world
        .run("query search file x --named-by title")
        .expect(1, "feature")
        .says("no node of type file has a feature `title`");
    world.run("node file lib.rs").expect(1, "end of a path").says("the closest ids are src/lib.rs");
}

#[test]
fn suggestions_are_near_and_messages_short() {
    let world = World::new();
    let line = |id: u32| {
        format!(
            "{}\n",
            json!({ "time": 1, "action": "create", "entity": "node", "source": { "type": "term", "id": format!("ENVO:{id:08}"), "features": { "name": format!("name {id}") } } })
        )
    };
    world.write("terms.jsonl", &(1..200).map(line).collect::<String>());
    world.done("load events terms.jsonl --unit step");
    world.run("node term ENVO:0000042").expect(1, "digit").says("the closest ids are ENVO:00000042");
    let word = world.run("node term biome").expect(1, "word");
    word.says("none is near to it; its ids look like ENVO:00000001, ENVO:00000002");
    let quoted = world.shell("\"$0\" node term 'name 77'").expect(1, "a name");
    quoted.says("that is the name of term ENVO:00000077");
    let huge = "y".repeat(100_000);
    let answer = world.run(&format!("node term {huge}")).expect(1, "a huge id");
    assert!(answer.err.len() < 1000, "{}", answer.err.len());
}

#[test]
fn loads_tell_which_snapshot_a_mapping_read() {
    let world = World::new();
    world.write("map.toml", "[[nodes]]\nfile = \"n.csv\"\ntype = \"n\"\nid = \"id\"\n");
    for (day, time) in [("d1", 1), ("d2", 2)] {
        fs::create_dir(world.path(day)).unwrap();
        world.write(&format!("{day}/n.csv"), "id\na\n");
        world.done(&format!(
            "load version map.toml --root {day} --namespace n --version {day} --timestamp {time} --unit step"
        ));
    }
    let sources: Vec<_> = world.json("loads").iter().map(|load| load["source"].clone()).collect();
    assert_eq!(sources, ["d1 by map.toml", "d2 by map.toml"]);
}
