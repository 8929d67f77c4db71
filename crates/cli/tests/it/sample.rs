//! Samples, walks, ranks and features of files of roots.

use std::collections::BTreeMap;
use std::fs::{self, File};

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use serde_json::{Value, json};

use crate::world::{World, parse, shop};

/// A small graph of intervals: node 42 lives [13, 23), its edge of type 0 to 99 is there
/// in [13, 15) and [17, 23), that of type 1 to 101 in [13, 19).
fn document() -> World {
    let world = World::new();
    let edge = |to: u32, kind: u32, weight: f64, created: i64, removed: i64| json!({ "src_id": 42, "dst_id": to, "edge_type": kind, "weight": weight, "created_at": created, "removed_at": removed });
    let edges = [edge(99, 0, 2.0, 13, 15), edge(99, 0, 2.0, 17, 23), edge(101, 1, 1.0, 13, 19)];
    let node = json!({ "node_id": 42, "node_type": 0, "node_weight": 1.0, "created_at": 13, "removed_at": 23,
        "binary_feature": { "0": [{ "values": ["microsoft"], "created_at": 13, "removed_at": 20 },
                                  { "values": ["xbox"], "created_at": 20, "removed_at": 23 }] },
        "edge": edges });
    world.write("nodes.json", &format!("{node}\n"));
    world.done("load intervals nodes.json --unit step");
    let rows: Vec<String> = (12..=23).map(|time| format!("0,42,{time}")).collect();
    world.write("roots.csv", &format!("type,id,time\n{}\n", rows.join("\n")));
    world
}

/// A world of interactions: 40 nodes, 400 edges with a weight, each at its own time.
fn mail() -> World {
    let world = World::new();
    let edge = |at: u64| format!("{},{},{},{}", (at * at + 3 * at) % 37, (at * 7 + at / 11) % 40, at, 1 + at % 5);
    let rows: Vec<String> = (0..400).map(edge).collect();
    world.write("mail.csv", &format!("src,dst,time,weight\n{}\n", rows.join("\n")));
    world.done("load events mail.csv --unit step");
    let roots: Vec<String> = (0..150).map(|at| format!("{},{}", at * 17 % 41, 30 + at * 3)).collect();
    world.write("roots.csv", &format!("id,time\n{}\n", roots.join("\n")));
    world
}

fn ints(rows: &[Value], names: [&str; 3]) -> Vec<[i64; 3]> {
    rows.iter().map(|row| names.map(|name| row[name].as_i64().unwrap())).collect()
}

/// The rows of a Parquet file as the objects that JSON lines have, but for ids, which are texts there.
fn parquet_rows(world: &World, file: &str) -> Vec<Value> {
    let reader = SerializedFileReader::new(File::open(world.path(file)).unwrap()).unwrap();
    let object = |row: Row| row.get_column_iter().map(|(name, field)| (name.clone(), to_json(field))).collect();
    reader.get_row_iter(None).unwrap().map(|row| Value::Object(object(row.unwrap()))).collect()
}

fn to_json(field: &Field) -> Value {
    match field {
        Field::Null => Value::Null,
        Field::Bool(truth) => json!(truth),
        Field::Byte(number) => json!(number),
        Field::UByte(number) => json!(number),
        Field::Int(number) => json!(number),
        Field::Long(number) => json!(number),
        Field::ULong(number) => json!(number),
        Field::Float(number) => json!(number),
        Field::Double(number) => json!(number),
        Field::Str(text) => json!(text),
        Field::Bytes(bytes) => json!(std::str::from_utf8(bytes.data()).unwrap()),
        Field::ListInternal(list) => list.elements().iter().map(to_json).collect(),
        other => panic!("unexpected {other:?}"),
    }
}

/// JSON lines with ids as the texts that Parquet has.
fn with_text_ids(lines: &str) -> Vec<Value> {
    let mut rows = parse(lines);
    for name in ["id", "src", "dst"] {
        for id in rows.iter_mut().filter_map(|row| row.get_mut(name)).filter(|id| id.is_number()) {
            *id = json!(id.to_string());
        }
    }
    rows
}

#[test]
fn samples_of_the_document_come_and_go_with_time() {
    let world = document();
    let at = |time: i64| match time {
        13..=14 => vec![(99, 13), (101, 13)],
        15..=16 => vec![(101, 13)],
        17..=18 => vec![(99, 17), (101, 13)],
        19..=22 => vec![(99, 17)],
        _ => vec![],
    };
    for choice in ["last", "uniform-distinct", "weighted-distinct", "heaviest"] {
        let rows = parse(
            &world.done(&format!("sample roots.csv --inclusive --choice {choice} --weight weight --direction out")),
        );
        for (root, time) in (12..=23).enumerate() {
            let own = rows.iter().filter(|row| row["root"] == json!(root));
            let mut found: Vec<_> =
                own.map(|row| (row["id"].as_i64().unwrap(), row["created"].as_i64().unwrap())).collect();
            found.sort_unstable();
            assert_eq!(found, at(time), "{choice} at {time}");
        }
    }
    let rows =
        parse(&world.done("sample roots.csv --inclusive --choice heaviest --weight weight --direction out --count 1"));
    assert_eq!(
        rows[0],
        json!({ "root": 1, "hop": 1, "slot": 0, "parent": null, "type": rows[0]["type"], "id": 99, "relation": "0",
                "direction": "out", "key": null, "created": 13, "weight": 2.0, "time": 13 })
    );
    assert_eq!(rows.len(), 10, "one each from 13 to 22");
}

#[test]
fn draws_with_replacement_fill_every_slot_from_what_is_alive() {
    let world = document();
    for choice in ["uniform", "weighted"] {
        let rows =
            parse(&world.done(&format!("sample roots.csv --inclusive --choice {choice} --weight weight --count 4")));
        let mut slots: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        for [root, slot, id] in ints(&rows, ["root", "slot", "id"]) {
            assert_eq!(slot as usize, slots.entry(root).or_default().len());
            slots.entry(root).or_default().push(id);
        }
        assert_eq!(slots.keys().copied().collect::<Vec<_>>(), (1..=10).collect::<Vec<_>>(), "{choice}");
        assert!(slots.values().all(|ids| ids.len() == 4), "{choice}");
        let only = |root: i64, id: i64| slots[&root].iter().all(|found| *found == id);
        assert!(only(3, 101) && only(4, 101) && (7..=10).all(|root| only(root, 99)), "{choice}: {slots:?}");
        assert!(slots[&1].iter().all(|id| [99, 101].contains(id)));
    }
}

#[test]
fn strictly_before_leaves_out_what_begins_then() {
    let world = document();
    let count = |options: &str, time: i64| {
        let rows = parse(&world.done(&format!("sample roots.csv {options}")));
        rows.iter().filter(|row| row["time"] == json!(time)).count()
    };
    assert_eq!([13, 14, 15, 17, 18, 23].map(|time| count("--inclusive", time)), [2, 2, 1, 2, 2, 0]);
    assert_eq!([13, 14, 15, 17, 18, 23].map(|time| count("", time)), [0, 2, 2, 1, 2, 1]);
    assert_eq!(count("--inclusive --deletes soft --edge-type 0", 23), 2, "both lives of the edge are told");
    assert_eq!(count("--inclusive --direction in", 14), 0);
}

#[test]
fn windows_leave_what_was_created_in_them() {
    let world = document();
    let count = |options: &str| {
        let rows = parse(&world.done(&format!("sample roots.csv --direction out {options}")));
        (12..=23).map(|time| rows.iter().filter(|row| row["time"] == json!(time)).count()).collect::<Vec<_>>()
    };
    // Edges [13, 15), [17, 23) and [13, 19).
    assert_eq!(count("--within 4"), [0, 0, 2, 2, 1, 1, 1, 1, 1, 1, 0, 0]);
    assert_eq!(count("--within 4 --inclusive"), [0, 2, 2, 1, 1, 2, 1, 1, 1, 1, 0, 0]);
    assert_eq!(count("--within 1"), [0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0]);
    assert_eq!(count("--within 18446744073709551615"), count(""));
    let refused = |options: &str, says: &str| {
        world.run(&format!("sample roots.csv {options}")).expect(2, options).says(says);
    };
    refused("--within 0", "--within: `0` is less than one tick of this graph, whose unit is step");
    refused("--within -3", "--within: `-3` is no length of time");
    refused("--within 7d", "--within: `7d` is a calendar time, but this graph counts steps");
    world.write("no-times.csv", "type,id\n0,42\n");
    let missing = world.run("sample no-times.csv --within 4").expect(2, "no time");
    missing.says("--within: nothing was created shortly before the end of time: give --at TIME, or a column `time`");
    assert_eq!(parse(&world.done("sample no-times.csv --direction out --within 4 --at 18")).len(), 1);
}

#[test]
fn windows_are_lengths_of_time() {
    let world = World::new();
    let days: Vec<String> = (1..=20).map(|day| format!("{},hub,2024-01-{day:02}", day % 4)).collect();
    world.write("mail.csv", &format!("src,dst,time\n{}\n", days.join("\n")));
    world.done("load events mail.csv --unit s");
    world.write("roots.csv", "id,time\nhub,2024-01-18\n1,2024-01-08 12:00:00\n");
    for command in ["sample", "walk --seed 3 --walks 9", "walk --times later --walks 9", "page-rank"] {
        let within = |within: &str| world.done(&format!("{command} roots.csv --within {within}"));
        let week = within("7d");
        assert!(
            ["1w", "168h", "10080min", "604800s", "604800", "604800999ms"].iter().all(|other| within(other) == week)
        );
        assert_ne!(within("8d"), week, "{command}");
    }
    let created = |options: &str| -> Vec<i64> {
        let rows = parse(&world.done(&format!("sample roots.csv --count 30 {options}")));
        rows.iter().filter(|row| row["root"] == json!(0)).map(|row| row["created"].as_i64().unwrap() / 86_400).collect()
    };
    // Days since 1970: the 1st of January is 19723.
    assert_eq!(created("--within 3d"), [19_739, 19_738, 19_737]);
    assert_eq!(created("--within 3d --inclusive"), [19_740, 19_739, 19_738, 19_737]);
    assert_eq!(created("--within 71h"), [19_739, 19_738]);
    let ranked = parse(&world.done("page-rank roots.csv --within 2d"));
    let near = |root: i64| ranked.iter().filter(|row| row["root"] == json!(root)).count();
    assert_eq!((near(0), near(1)), (3, 1), "the hub and two senders; a sender that wrote on the 5th");
}

#[test]
fn quotas_and_edge_types_choose_by_type() {
    let world = document();
    let at_14 = |options: &str| {
        let rows = parse(&world.done(&format!("sample roots.csv --inclusive --direction out {options}")));
        let own = rows.into_iter().filter(|row| row["time"] == json!(14));
        own.map(|row| (row["slot"].as_i64().unwrap(), row["relation"].as_str().unwrap().to_owned())).collect::<Vec<_>>()
    };
    let told = |slots: &[(i64, &str)]| slots.iter().map(|(slot, name)| (*slot, (*name).to_owned())).collect::<Vec<_>>();
    assert_eq!(at_14("--edge-type 1"), told(&[(0, "1")]));
    assert_eq!(at_14("--quota 1=2 --quota 0=1 --choice uniform"), told(&[(0, "1"), (1, "1"), (2, "0")]));
    world.run("sample roots.csv --edge-type 7").expect(1, "type").says("no edge type `7` in this graph: it has");
    world.run("sample roots.csv --quota 1=0").expect(2, "none").says("give an edge type and a number above 0");
    world.run("sample roots.csv --quota 1=2 --count 3").expect(2, "both");
}

#[test]
fn hops_hang_on_their_parents_and_times_fall_where_asked() {
    let world = mail();
    let rows = parse(&world.done("sample roots.csv --count 3,2 --hop-time edge --direction out"));
    let place = |row: &Value, slot: &str| (row["root"].as_i64(), row["hop"].as_i64(), row[slot].as_i64());
    let by_place: BTreeMap<_, _> = rows.iter().map(|row| (place(row, "slot"), row)).collect();
    assert_eq!(by_place.len(), rows.len(), "a place is told once");
    let times: Vec<i64> = (0..150).map(|at| 30 + at * 3).collect();
    let mut n_second = 0;
    for row in &rows {
        let (root, hop, parent) = place(row, "parent");
        assert!(row["created"].as_i64() < row["time"].as_i64(), "{row}");
        if hop == Some(1) {
            assert_eq!((parent, row["time"].as_i64()), (None, Some(times[root.unwrap() as usize])));
        } else {
            let above = by_place[&(root, Some(1), parent)];
            assert_eq!(row["time"], above["created"]);
            n_second += 1;
        }
    }
    assert!(n_second > 100, "{n_second}");
    let plain = parse(&world.done("sample roots.csv --count 3,2"));
    assert!(plain.iter().all(|row| row["time"].as_i64() == Some(times[row["root"].as_i64().unwrap() as usize])));
}

#[test]
fn answers_depend_neither_on_batches_nor_on_threads() {
    let world = mail();
    for line in [
        "sample roots.csv --inclusive --count 4,3 --choice uniform --seed 5",
        "sample roots.csv --inclusive --count 4 --choice weighted-distinct --weight weight --seed 5",
        "walk roots.csv --inclusive --walks 3 --length 6 --p 0.5 --q 2 --seed 5",
        "walk roots.csv --walks 2 --length 6 --times later --seed 5",
        "page-rank roots.csv --inclusive --top 5",
        "features roots.csv --inclusive",
    ] {
        let whole = world.done(line);
        assert!(whole.lines().count() > 100, "{line}");
        for batch in [1, 7, 149] {
            assert_eq!(world.done(&format!("{line} --batch {batch}")), whole, "{line} in batches of {batch}");
        }
        let one = world.shell(&format!("RAYON_NUM_THREADS=1 \"$0\" {line}")).expect(0, line).out;
        assert_eq!(one, whole, "{line} on one thread");
        if line.contains("--seed") {
            assert_ne!(world.done(&line.replace("--seed 5", "--seed 6")), whole, "{line} with another seed");
        }
    }
}

#[test]
fn parquet_and_json_lines_hold_the_same_rows() {
    let world = mail();
    for line in [
        "sample roots.csv --inclusive --count 4,3 --choice uniform",
        "walk roots.csv --inclusive --times not-later",
        "page-rank roots.csv --inclusive",
        "features roots.csv --inclusive",
    ] {
        let lines = world.done(line);
        let told = world.run(&format!("{line} --to rows.parquet")).expect(0, line);
        assert_eq!(told.out, "");
        assert_eq!(parquet_rows(&world, "rows.parquet"), with_text_ids(&lines), "{line}");
        let told = world.json(&format!("{line} --to rows.jsonl"));
        assert_eq!(fs::read_to_string(world.path("rows.jsonl")).unwrap(), lines);
        let rows = lines.lines().count();
        assert_eq!(told, [json!({ "roots": 150, "unknown": told[0]["unknown"], "rows": rows })]);
        assert!(!world.path("rows.jsonl.partial").exists());
    }
    assert!(fs::metadata(world.path("rows.parquet")).unwrap().len() > 0);
}

#[test]
fn features_of_edges_stand_beside_samples() {
    let world = mail();
    let own = |line: &str| parse(&world.done(line));
    let rows =
        own("sample roots.csv --inclusive --count 3,2 --feature weight --choice weighted --weight weight --seed 5");
    assert!(rows.len() > 200 && rows.iter().any(|row| row["hop"] == json!(2)));
    assert!(rows.iter().all(|row| row["feature.weight"] == row["weight"]), "both are the weight as of then");
    world
        .run("sample roots.csv --feature price")
        .expect(1, "unknown")
        .says("no edge has a feature `price`: they have weight");
    world.run("sample roots.csv --feature weight --feature weight").expect(2, "twice").says("it is given twice");
    // A feature that changes is read as of when the edge was seen, in each hop, and not what comes at that very time.
    let world = World::new();
    let edge = |time: u32, action: &str, price: f64| {
        let event = json!({ "time": time, "action": action, "entity": "edge", "source": { "type": "user", "id": "ann" },
            "edge": { "type": "buys", "features": { "price": price } }, "destination": { "type": "item", "id": "pen" } });
        format!("{event}\n")
    };
    world.write("buys.jsonl", &(edge(2, "create", 9.5) + &edge(5, "update", 7.5)));
    world.done("load events buys.jsonl --unit step --dangling stub");
    world.write("roots.csv", "type,id,time\nuser,ann,4\nuser,ann,5\nuser,ann,6\n");
    let prices =
        |line: &str| -> Vec<Value> { parse(&world.done(line)).iter().map(|row| row["price"].clone()).collect() };
    assert_eq!(
        prices("sample roots.csv --inclusive --count 1 --feature price"),
        [9.5, 7.5, 7.5].map(|price| json!(price))
    );
    assert_eq!(prices("sample roots.csv --count 1 --feature price"), [9.5, 9.5, 7.5].map(|price| json!(price)));
    assert_eq!(prices("sample roots.csv --inclusive --count 1,1 --feature price --hop-time edge").len(), 6);
    world.done("sample roots.csv --inclusive --count 1,1 --feature price --to rows.parquet");
    let lines = world.done("sample roots.csv --inclusive --count 1,1 --feature price");
    assert_eq!(parquet_rows(&world, "rows.parquet"), with_text_ids(&lines));
}

#[test]
fn ids_that_are_whole_numbers_are_numbers_in_parquet_where_wanted() {
    let world = mail();
    for command in ["sample", "walk", "page-rank", "features"] {
        world.done(&format!("{command} roots.csv --ids number --to rows.parquet"));
        let lines = world.done(&format!("{command} roots.csv --ids number"));
        assert_eq!(parquet_rows(&world, "rows.parquet"), parse(&lines), "{command}");
    }
    let shop = shop();
    shop.write("roots.csv", "type,id,time\nuser,ann,4\n");
    let refused = shop.run("sample roots.csv --ids number --to rows.parquet").expect(1, "texts");
    refused.says("`id`: the id `pen` is no whole number: write ids as texts");
    assert!(!shop.path("rows.parquet").exists());
}

#[test]
fn roots_are_the_same_in_every_form() {
    let world = mail();
    let roots = fs::read_to_string(world.path("roots.csv")).unwrap();
    let line = "sample ROOTS --count 3 --choice uniform";
    let whole = world.done(&line.replace("ROOTS", "roots.csv"));
    // A table of rows that are elements of the graph is a file of roots for the next question.
    world.done("features roots.csv --inclusive --to roots.parquet");
    world.write("roots.tsv", &roots.replace(',', "\t"));
    let typed = format!(
        "note,time,type,id\n{}",
        roots
            .lines()
            .skip(1)
            .map(|row| {
                let (id, time) = row.split_once(',').unwrap();
                format!("x,{time},node,{id}\n")
            })
            .collect::<String>()
    );
    world.write("typed.csv", &typed);
    for form in ["roots.parquet", "roots.tsv", "typed.csv"] {
        assert_eq!(world.done(&line.replace("ROOTS", form)), whole, "{form}");
    }
    assert_eq!(world.pipe(&line.replace("ROOTS", "-"), &roots).expect(0, "standard input").out, whole);
}

#[test]
fn times_are_those_of_the_file_or_of_the_option() {
    let world = World::new();
    world.write("mail.csv", "src,dst,time\n1,2,86400\n1,3,172800\n");
    world.done("load events mail.csv --unit s");
    let ids = |roots: &str, options: &str| {
        world.write("roots.csv", roots);
        let rows = parse(&world.done(&format!("sample roots.csv {options}")));
        ints(&rows, ["root", "id", "slot"]).iter().map(|[_, id, _]| *id).collect::<Vec<_>>()
    };
    assert_eq!(ids("id\n1\n", ""), [3, 2], "the end of time");
    assert_eq!(ids("id\n1\n", "--inclusive --at 1970-01-02"), [2]);
    assert_eq!(ids("id,time\n1,1970-01-02T23:59:59Z\n1,1970-01-03\n1,5\n", "--inclusive"), [2, 3, 2]);
    let rows = parse(&world.done("sample roots.csv --inclusive"));
    assert_eq!(rows[0]["time"], json!(172_799));
    world.run("sample roots.csv --at 7").expect(2, "both").says("has a column `time`, so --at means nothing");
    world.write("roots.csv", "id\n1\n");
    assert_eq!(parse(&world.done("sample roots.csv --inclusive"))[0]["time"], Value::Null);
}

#[test]
fn bad_roots_are_told_with_their_line_and_leave_no_file() {
    let world = shop();
    let fails = |roots: &str, message: &str| {
        world.write("roots.csv", roots);
        for command in ["sample", "walk", "page-rank", "features"] {
            let line = format!("{command} roots.csv --to out.jsonl");
            world.run(&line).expect(1, roots).says(message);
            assert!(!world.path("out.jsonl").exists() && !world.path("out.jsonl.partial").exists());
        }
    };
    fails("type,id,time\nuser,ann,3\nusr,ann,3\n", "roots.csv:3: no node type `usr` in this graph: it has user, item");
    fails("type,id,time\nuser,ann,soon\n", "roots.csv:2: time: expected ticks, a date or an RFC 3339 time, got `soon`");
    fails(
        "type,id,time\nuser,ann,2016-05-17\n",
        "roots.csv:2: time: `2016-05-17` is a calendar time, but this graph counts steps",
    );
    fails("type,id,time\nuser,ann,\n", "roots.csv:2: time is empty: give a time, or leave the column out");
    fails("type,id,time\nuser,,3\n", "roots.csv:2: id is empty: give an id");
    fails("type,id,time\nuser,ann,3\nuser,ann\n", "roots.csv:3: 2 cells, but 3 columns");
    fails("type,name\nuser,ann\n", "roots.csv: there is no column `id`: give the columns type, id and time");
    fails("id\nann\n", "roots.csv:2: there is no column `type`, and the graph has several types of nodes");
    fails("", "roots.csv: there is no header: the file is empty");
    world.run("sample none.csv").expect(1, "no file").says("cannot open `none.csv`");
    world.run("sample shop.jsonl").expect(1, "no table").says("cannot read `shop.jsonl` as roots").says(".parquet");
    world.write("roots.csv", "type,id\nuser,ann\n");
    world
        .run("sample roots.csv --to out.csv")
        .expect(2, "form")
        .says("give a name that ends in .jsonl, .parquet or .arrow");
    world.run("sample roots.csv --to missing/out.jsonl").expect(1, "folder").says("cannot write missing/out.jsonl");
    world.run("sample roots.csv --count 0").expect(2, "none");
    world.run("sample roots.csv --count 5000,5000").expect(2, "many").says("slots a root");
    world.run("sample roots.csv --weight mass").expect(1, "weight").says("no edge type has a feature `mass`");
    world.run("walk roots.csv --p 0").expect(2, "p").says("`p` is 0, but must be a number above 0");
    world.run("walk roots.csv --times later --q 2").expect(2, "later").says("leave out --p, --q");
    world.run("page-rank roots.csv --alpha 2").expect(2, "alpha").says("`alpha` is 2");
    world
        .run("features roots.csv --feature agee")
        .expect(1, "feature")
        .says("no node has a feature `agee`: they have age");
    world.write("edges.csv", "src,dst\nann,pen\n");
    world.run("walk edges.csv").expect(2, "edges").says("names edges, and this is asked of nodes");
}

#[test]
fn unknown_nodes_have_no_rows_and_are_counted() {
    let world = shop();
    world.write("roots.csv", "type,id,time\nuser,zoe,3\nuser,ann,3\nitem,9,3\n");
    let answer = world.run("sample roots.csv --inclusive").expect(0, "sample");
    assert_eq!(ints(&parse(&answer.out), ["root", "hop", "slot"]), [[1, 1, 0]]);
    answer.says("3 roots, 1 rows; 2 roots are not known to this graph");
    let walked = parse(&world.run("walk roots.csv --inclusive --length 2").expect(0, "walk").out);
    assert!(walked.len() == 3 && walked.iter().all(|row| row["root"] == json!(1)), "{walked:?}");
    let ranked = parse(&world.run("page-rank roots.csv --inclusive").expect(0, "rank").out);
    assert!(ranked.iter().all(|row| row["root"] == json!(1)), "{ranked:?}");
    let features = parse(&world.done("features roots.csv --inclusive"));
    let alive: Vec<_> = features.iter().map(|row| (&row["id"], &row["alive"])).collect();
    assert_eq!(alive, [(&json!("zoe"), &json!(false)), (&json!("ann"), &json!(true)), (&json!(9), &json!(false))]);
    world.write("roots.csv", "type,id,time\n");
    world.run("sample roots.csv --inclusive").expect(0, "none").says("0 roots, 0 rows");
}

/// Edges of a world as (source, destination) with the time of each.
fn links(world: &World) -> Vec<(i64, i64, i64)> {
    let mail = fs::read_to_string(world.path("mail.csv")).unwrap();
    let edge = |row: &str| {
        let cells: Vec<i64> = row.split(',').map(|cell| cell.parse().unwrap()).collect();
        (cells[0], cells[1], cells[2])
    };
    mail.lines().skip(1).map(edge).collect()
}

#[test]
fn walks_are_paths_along_edges_of_their_times() {
    let world = mail();
    let links = links(&world);
    for (times, options) in [
        ("any", "--direction both --inclusive"),
        ("any", "--p 0.25 --q 4"),
        ("not-later", "--direction out --inclusive"),
        ("earlier", "--seed 3"),
        ("later", "--direction out"),
    ] {
        let line = format!("walk roots.csv --times {times} {options} --walks 2 --length 5");
        let rows = parse(&world.done(&line));
        let mut n_steps = 0;
        for pair in rows.windows(2) {
            let place = |row: &Value| (row["root"].as_i64().unwrap(), row["walk"].as_i64().unwrap());
            let [from, to] = [&pair[0], &pair[1]];
            if to["step"] == json!(0) {
                assert_ne!(place(from), place(to));
                assert_eq!((&to["created"], &to["relation"]), (&Value::Null, &Value::Null));
                continue;
            }
            n_steps += 1;
            assert_eq!(place(from), place(to), "{line}");
            assert_eq!(to["step"].as_i64(), from["step"].as_i64().map(|step| step + 1));
            let (here, there) = (from["id"].as_i64().unwrap(), to["id"].as_i64().unwrap());
            let created = to["created"].as_i64().unwrap();
            let ends = if to["direction"] == json!("out") { (here, there) } else { (there, here) };
            assert!(links.contains(&(ends.0, ends.1, created)), "{line}: {from} {to}");
            let root_time = 30 + 3 * place(to).0;
            let before = from["created"].as_i64();
            let is_right = match (times, before) {
                ("later", before) => before.map_or(created >= root_time, |before| created > before),
                ("any", _) | (_, None) => created < root_time + i64::from(options.contains("--inclusive")),
                ("not-later", Some(before)) => created <= before,
                (_, Some(before)) => created < before,
            };
            assert!(is_right, "{line}: {from} {to}");
        }
        assert!(n_steps > 100, "{line}: {n_steps}");
    }
}

/// A path of three nodes, 1 - 2 - 3, along which a walk that goes back with chance 1/2 spends 7/12, 4/12 and 1/12 of its
/// time: r1 = 1/2 + r2/4, r2 = r1/2 + r3/2, r3 = r2/4.
#[test]
fn page_rank_of_a_path_is_its_stationary_share() {
    let world = World::new();
    world.write("mail.csv", "src,dst,time\n1,2,1\n2,3,5\n");
    world.done("load events mail.csv --unit step");
    world.write("roots.csv", "id,time\n1,5\n1,4\n3,4\n");
    let rows = parse(&world.done("page-rank roots.csv --inclusive --alpha 0.5 --eps 1e-9 --top 5"));
    assert_eq!(
        ints(&rows, ["root", "place", "id"]),
        [[0, 1, 1], [0, 2, 2], [0, 3, 3], [1, 1, 1], [1, 2, 2], [2, 1, 3]]
    );
    let shares = [7.0 / 12.0, 4.0 / 12.0, 1.0 / 12.0, 2.0 / 3.0, 1.0 / 3.0, 0.5];
    for (row, share) in rows.iter().zip(shares) {
        assert!((row["rank"].as_f64().unwrap() - share).abs() < 1e-6, "{row} {share}");
    }
    assert_eq!(parse(&world.done("page-rank roots.csv --top 1")).len(), 3);
}

#[test]
fn features_are_those_of_the_time() {
    let world = document();
    let named = |options: &str| {
        let rows = parse(&world.done(&format!("features roots.csv --feature 0 {options}")));
        rows.iter().map(|row| row["0"].as_str().unwrap_or("-").to_owned()).collect::<Vec<_>>().join(" ")
    };
    let names = |microsoft: usize, xbox: usize| [vec!["microsoft"; microsoft], vec!["xbox"; xbox]].concat().join(" ");
    assert_eq!(named("--inclusive"), format!("- {} -", names(7, 3)));
    assert_eq!(named(""), format!("- - {}", names(7, 3)));
    assert_eq!(named("--inclusive --deletes soft"), format!("- {}", names(7, 4)));
    let alive = parse(&world.done("features roots.csv --inclusive --deletes soft"));
    assert_eq!((&alive[11]["alive"], &alive[10]["alive"]), (&json!(false), &json!(true)));
}

#[test]
fn features_of_every_kind_are_typed_columns() {
    let world = World::new();
    let line = r#"{"node_id":1,"node_type":0,"node_weight":1.0,"int8_feature":{"0":[1,-2]},"uint64_feature":{"1":[18446744073709551615]},"float16_feature":{"2":[0.5]},"binary_feature":{"3":"abc"},"sparse_float_feature":{"4":{"coordinates":[5,13],"values":[1.5,2]}},"edge":[{"src_id":1,"dst_id":2,"edge_type":0,"weight":0.5,"float_feature":{"0":[0.25,4]}}]}"#;
    world.write("nodes.json", &format!("{line}\n"));
    world.done("load intervals nodes.json --unit step");
    world.write("roots.csv", "type,id\n0,1\n0,77\n");
    let rows = parse(&world.done("features roots.csv --inclusive"));
    let sparse = json!({ "coordinates": [[5], [13]], "values": [1.5, 2.0] });
    assert_eq!(
        rows[0],
        json!({ "root": 0, "type": "0", "id": 1, "time": null, "alive": true, "0": [1, -2], "1": [u64::MAX], "2": [0.5],
                "3": "abc", "4": sparse, "weight": 1.0 })
    );
    assert_eq!(rows[1]["1"], Value::Null);
    world.done("features roots.csv --inclusive --to rows.parquet");
    let mut written = parquet_rows(&world, "rows.parquet");
    assert_eq!(written[0]["4"], json!(sparse.to_string()), "a JSON text");
    written[0]["4"] = sparse;
    let mut told = rows.clone();
    told.iter_mut().for_each(|row| row["id"] = json!(row["id"].to_string()));
    assert_eq!(written, told);

    world.write("edges.csv", "src,dst,relation\n1,2,0\n2,1,0\n");
    let edges = world.run("features edges.csv --inclusive --feature 0 --feature weight").expect(0, "edges");
    edges.says("2 roots, 2 rows; 1 roots are not known");
    let rows = parse(&edges.out);
    assert_eq!(
        (&rows[0]["0"], &rows[0]["weight"], &rows[0]["alive"], &rows[1]["0"], &rows[1]["alive"]),
        (&json!([0.25, 4.0]), &json!(0.5), &json!(true), &Value::Null, &json!(false))
    );
    world.write("edges.csv", "src,dst,relation\n1,2,9\n");
    world.run("features edges.csv").expect(1, "relation").says("edges.csv:2: no edge type of the graph is like that");
}

#[test]
fn a_feature_whose_column_is_taken_is_told_apart() {
    let world = World::new();
    world.write(
        "f.jsonl",
        r#"{"time":1,"action":"create","entity":"node","source":{"type":"user","id":"ann","features":{"time":31}}}"#,
    );
    world.done("load events f.jsonl --unit step");
    world.write("roots.csv", "id,time\nann,5\n");
    let row = &parse(&world.done("features roots.csv --inclusive --feature time"))[0];
    assert_eq!((&row["time"], &row["feature.time"]), (&json!(5), &json!(31.0)));
}
