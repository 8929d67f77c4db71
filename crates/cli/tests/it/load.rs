//! Loads: formats, rejected records, versions, and input that is no good.

use serde_json::{Value, json};

use crate::world::{SHOP, World, parse, shop};

#[test]
fn rejected_records_are_listed_and_counted() {
    let world = World::new();
    let bad = "{\"time\":\n{\"time\":2,\"action\":\"update\",\"entity\":\"node\",\"source\":{\"type\":\"user\",\"id\":\"zoe\"}}\n";
    world.write("mixed.jsonl", &format!("{SHOP}{bad}"));
    let answer = world.run("load events mixed.jsonl --unit step --rejects rejects.txt").expect(3, "two bad lines");
    answer.says("2 rejected records").says("mixed.jsonl:6: ").says("mixed.jsonl:7: unknown node user zoe");
    let listed = std::fs::read_to_string(world.path("rejects.txt")).unwrap();
    assert_eq!(listed.lines().count(), 2);
    assert!(listed.lines().all(|line| line.starts_with("mixed.jsonl:")), "{listed}");
    assert_eq!(world.json("stats --at 4")[0]["nodes"], json!(2));
}

#[test]
fn twenty_rejects_are_shown_and_json_shows_all() {
    let bad: String = (0..1_200).map(|_| "nonsense\n").collect();
    let world = World::new();
    world.write("bad.jsonl", &format!("{SHOP}{bad}"));
    let answer = world.run("load events bad.jsonl --unit step").expect(3, "for people");
    answer.says("1,200 rejected records").says("bad.jsonl:25: ").says("... and 1,180 more");
    assert!(!answer.err.contains("bad.jsonl:26: "));
    let answer = world.run("load events bad.jsonl --unit step --json --graph other").expect(3, "for programs");
    let lines = parse(&answer.out);
    assert_eq!((lines.len(), &lines[0]["rejected"], &lines[0]["accepted"]), (1_201, &json!(1_200), &json!(5)));
    assert_eq!(lines[1_200]["reject"]["line"], json!(1_205));
}

#[test]
fn a_table_of_interactions_needs_no_flag() {
    let world = World::new();
    world.write("messages.csv", "src,dst,time\n1,2,0\n1,2,5\n2,3,5\n");
    let report = &world.json("load events messages.csv --unit s")[0];
    assert_eq!(
        (&report["accepted"], &report["counts"]["stubs"], &report["counts"]["parallel"]),
        (&json!(6), &json!(3), &json!(1))
    );
    assert_eq!(world.json("neighbors node 1 --at 5").len(), 2);
    assert!(world.done("neighbors node 1 --at 5").contains("1970-01-01T00:00:05Z"));
}

#[test]
fn columns_without_a_header_are_named() {
    let world = World::new();
    world.write("edits.txt", "1 8228 0\n2 8229 36\n");
    let columns = "--format columns --columns src,dst,time --source-type user --relation edits --destination-type page";
    world.done(&format!("load events edits.txt --unit s {columns}"));
    assert_eq!(world.json("neighbors user 2")[0]["destination"], json!({ "type": "page", "id": 8229 }));
    world.write("semi.txt", "time;src;dst\n3;a;b\n");
    world.done("load events semi.txt --format csv --delimiter ; --relation likes --graph other --unit step");
    assert_eq!(world.json("neighbors node a --graph other")[0]["relation"], json!("likes"));
}

/// Each bad input with its message; the graph stays what it was, byte for byte in its log.
#[test]
fn bad_input_is_told_and_leaves_the_graph_alone() {
    let world = shop();
    let before = (world.done("export --events"), world.done("loads --json"));
    let edge = r#"{"time":5,"action":"create","entity":"edge","source":{"type":"user","id":"ann"}"#;
    let cases: [(&str, &str, &str); 6] = [
        ("truncated.jsonl", r#"{"time":5,"action":"create","entity":"no"#, "truncated.jsonl:1: "),
        (
            "types.jsonl",
            r#"{"time":"x","action":"create","entity":"node","source":{"type":"user","id":"z"}}"#,
            "types.jsonl:1: ",
        ),
        (
            "kind.jsonl",
            r#"{"time":5,"action":"update","entity":"node","source":{"type":"user","id":"ann","features":{"age":"old"}}}"#,
            "age",
        ),
        (
            "early.jsonl",
            r#"{"time":-3,"action":"update","entity":"node","source":{"type":"user","id":"ann","features":{"age":1}}}"#,
            "out of order",
        ),
        (
            "action.jsonl",
            r#"{"time":5,"action":"make","entity":"node","source":{"type":"user","id":"z"}}"#,
            "expected one of `create`, `update`, `delete`",
        ),
        ("half.jsonl", edge, "half.jsonl:1: "),
    ];
    for (file, text, message) in cases {
        world.write(file, text);
        let answer = world.run(&format!("load events {file}")).expect(1, file);
        answer.says("no record was accepted").says("nothing was loaded").says(message);
        assert_eq!((world.done("export --events"), world.done("loads --json")), before, "{file}");
    }
    world.run("load events missing.jsonl").expect(1, "missing").says("cannot open `missing.jsonl`");
    world.write("no-time.csv", "src,dst\n1,2\n");
    world.run("load events no-time.csv").expect(1, "columns").says("no column `time`");
    assert_eq!((world.done("export --events"), world.done("loads --json")), before);
    world.done("verify");
}

#[test]
fn a_packed_file_that_breaks_off_is_not_loaded() {
    let world = shop();
    let before = world.done("export --events");
    let lines: String = (100..6_000)
        .map(|id| format!("{{\"time\":{id},\"action\":\"create\",\"entity\":\"node\",\"source\":{{\"type\":\"user\",\"id\":{id}}}}}\n"))
        .collect();
    world.write("users.jsonl", &lines);
    world.shell("gzip -c users.jsonl > whole.jsonl.gz && head -c 9000 whole.jsonl.gz > cut.jsonl.gz").expect(0, "gzip");
    world.run("load events cut.jsonl.gz").expect(1, "cut").says("cut.jsonl.gz:").says("reading stopped");
    assert_eq!(world.done("export --events"), before);
    world.done("load events whole.jsonl.gz");
    assert_eq!(world.json("stats")[0]["nodes"], json!(1 + 5_900));
}

#[test]
fn a_graph_made_for_a_load_that_fails_is_taken_away() {
    let world = World::new();
    world.write("bad.jsonl", "nonsense\n");
    world.run("load events bad.jsonl").expect(1, "no unit").says("give --unit");
    world.run("load events bad.jsonl --unit step").expect(1, "nothing good");
    world.run("load events missing.jsonl --unit step").expect(1, "missing");
    assert!(!world.path("g").exists());
}

#[test]
fn limits_and_policies_refuse_a_load() {
    let world = shop();
    world.write(
        "mixed.jsonl",
        "{}\n{}\n{\"time\":9,\"action\":\"create\",\"entity\":\"node\",\"source\":{\"type\":\"user\",\"id\":\"z\"}}\n",
    );
    world.run("load events mixed.jsonl --max-rejects 1").expect(1, "limit").says("more than 1 rejected records");
    let edge = r#"{"time":9,"action":"create","entity":"edge","source":{"type":"user","id":"ann"},"edge":{"type":"buys"},"destination":{"type":"item","id":"ink"}}"#;
    world.write("edge.jsonl", edge);
    world
        .run("load events edge.jsonl --dangling reject")
        .expect(1, "reject")
        .says("edge.jsonl:1: unknown node item ink");
    assert_eq!(world.json("loads").len(), 1);
    world.done("load events edge.jsonl --dangling stub");
    assert_eq!(world.json("node item ink --at 9")[0]["created"], json!(9));
}

#[test]
fn reversed_intervals_are_rejected() {
    let world = World::new();
    let node = |id: u32, created: i64, removed: i64| {
        format!(
            "{{\"node_id\":{id},\"node_type\":0,\"node_weight\":1.0,\"created_at\":{created},\"removed_at\":{removed},\"edge\":[]}}\n"
        )
    };
    world.write("nodes.json", &(node(1, 5, 9) + &node(2, 9, 5)));
    let answer = world.run("load intervals nodes.json --unit step").expect(3, "reversed");
    answer.says("nodes.json:2: removed 5 is not after created 9");
    assert_eq!(world.json("stats --at 6")[0]["nodes"], json!(1));
}

#[test]
fn intervals_load_from_edge_lists_and_tsv() {
    let world = World::new();
    world.write("edges.csv", "1,-1,0,1.0\n");
    world.run("load intervals edges.csv --unit step --node-type x").expect(2, "no number");
    world.run("load intervals edges.csv --unit step --delimiter ab").expect(2, "two characters").says("one character");
    world.write("lives.csv", "1,-1,0,1.0,2,9\n2,-1,0,1.0,2,-1\n1,0,2,0.5,3,6,float32,1,7\n");
    world.done("load intervals lives.csv --unit step --temporal");
    let counts = |time: i64| {
        let stats = world.json(&format!("stats --at {time}"));
        (stats[0]["nodes"].as_u64(), stats[0]["edges"].as_u64())
    };
    assert_eq!(
        [1, 3, 6, 9].map(counts),
        [(0, 0), (2, 1), (2, 0), (1, 0)].map(|(nodes, edges)| (Some(nodes), Some(edges)))
    );

    world.write("nodes.tsv", "7\t1\t0.5\tb:text\t8,0,1\n8\tx\n");
    let answer =
        world.run("load intervals nodes.tsv --namespace other --temporal").expect(1, "an option of another format");
    answer.says("are for `edge-list`, and the format is `tsv`");
    let answer = world.run("load intervals nodes.tsv --namespace other").expect(3, "one bad line");
    answer.says("nodes.tsv:2: type: expected a whole number from 0 on, got `x`");
    assert_eq!(counts(0), (Some(2), Some(1)));
}

/// A small graph of intervals.
#[test]
fn the_example_answers_as_of_every_time() {
    let world = World::new();
    let edge = |to: u32, kind: u32, weight: f64, created: i64, removed: i64| json!({ "src_id": 42, "dst_id": to, "edge_type": kind, "weight": weight, "created_at": created, "removed_at": removed });
    let edges = [edge(99, 0, 2.0, 13, 15), edge(99, 0, 2.0, 17, 23), edge(101, 1, 1.0, 13, 19)];
    let node = json!({ "node_id": 42, "node_type": 0, "node_weight": 1.0, "created_at": 13, "removed_at": 23,
        "binary_feature": { "0": [{ "values": ["microsoft"], "created_at": 13, "removed_at": 20 },
                                  { "values": ["xbox"], "created_at": 20, "removed_at": 23 }] },
        "edge": edges });
    world.write("nodes.json", &format!("{node}\n"));
    world.done("load intervals nodes.json --unit step");
    let at = |time: i64| -> Option<Vec<(u64, i64)>> {
        let answer = world.run(&format!("neighbors 0 42 --at {time} --direction out --json"));
        let pair = |edge: &Value| (edge["destination"]["id"].as_u64().unwrap(), edge["created"].as_i64().unwrap());
        (answer.code == 0).then(|| parse(&answer.out).iter().map(pair).collect())
    };
    let (early, late, other) = ((99, 13), (99, 17), (101, 13));
    assert_eq!([12, 23].map(at), [None, None]);
    assert_eq!([13, 14].map(at), [(); 2].map(|()| Some(vec![early, other])));
    assert_eq!([15, 16].map(at), [(); 2].map(|()| Some(vec![other])));
    assert_eq!([17, 18].map(at), [(); 2].map(|()| Some(vec![late, other])));
    assert_eq!([19, 20, 21, 22].map(at), [(); 4].map(|()| Some(vec![late])));
    let name = |time: i64| world.json(&format!("node 0 42 --at {time}"))[0]["features"]["0"].clone();
    assert_eq!([13, 19, 20, 22].map(name), ["microsoft", "microsoft", "xbox", "xbox"].map(Value::from));
}

#[test]
fn a_git_history_loads_into_a_graph_of_seconds() {
    let world = World::new();
    let commit = |second: u32, what: &str| format!("GIT_COMMITTER_DATE='@{second} +0000' git commit -q -m {what}");
    let script = format!(
        "git init -q r && cd r && git config user.email a@b && git config user.name A && echo 1 > f && git add f && {} \
         && git mv f h && {}",
        commit(1_000_000, "first"),
        commit(1_000_060, "second")
    );
    world.shell(&script).expect(0, "git");
    world.done("load git r");
    assert_eq!(world.json("stats")[0]["merges"], json!(1));
    world.run("node file f").expect(1, "renamed").says("it became file h");
    assert_eq!(world.json("node file f --at 1000059")[0]["created"], json!(1_000_000));
    assert!(world.done("load git r").contains("nothing is new"));
    world.shell(&format!("cd r && echo 2 > g && git add g && {}", commit(1_000_120, "third"))).expect(0, "git");
    assert_eq!(world.json("load git r")[0]["counts"]["nodes"]["created"], json!(2), "a commit and a file");
    assert_eq!(world.json("load git r --newest 1 --graph newest")[0]["counts"]["nodes"]["created"], json!(4));
    world.run("load git . --graph other").expect(1, "no repository").says("is not in a git repository");
    assert!(!world.path("other").exists());
}
