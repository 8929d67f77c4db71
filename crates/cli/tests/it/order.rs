//! Rows in any order of time, and events that come late.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use parquet::data_type::{DoubleType, Int64Type};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use serde_json::{Value, json};

use crate::world::World;

/// Rows that look like chance: user, item, rating, time.
fn ratings() -> Vec<String> {
    let row = |row: u64| {
        let chance = row.wrapping_mul(6_364_136_223_846_793_005).rotate_left(29);
        format!("u{},i{},{},{}\n", chance % 30, chance / 30 % 50, chance % 5, chance / 1500 % 400)
    };
    (0..500).map(row).collect()
}

const HEADER: &str = "source,destination,rating,time\n";
const TYPES: &str = "--source-type user --destination-type item --relation rates";

#[test]
fn unsorted_interactions_are_those_of_the_sorted_file() {
    let world = World::new();
    let rows = ratings();
    let mut sorted = rows.clone();
    sorted.sort_by_key(|row| row.trim().rsplit(',').next().unwrap().parse::<u64>().unwrap());
    world.write("rows.csv", &format!("{HEADER}{}", rows.concat()));
    world.write("sorted.csv", &format!("{HEADER}{}", sorted.concat()));
    let report = world.json(&format!("load events rows.csv --unit step --graph rows {TYPES}"));
    assert_eq!((&report[0]["order"], report.len()), (&json!({"sorted": true, "placed": 0, "refused": 0}), 1));
    assert_eq!(report[0]["counts"]["edges"]["created"], json!(500));
    let said = world.done(&format!("load events sorted.csv --unit step --graph sorted {TYPES}"));
    assert!(!said.contains("in order of time"), "{said}");
    let piped = world.pipe(
        &format!("load events - --format csv --unit step --graph piped {TYPES}"),
        &format!("{HEADER}{}", rows.concat()),
    );
    assert!(piped.expect(0, "piped").out.contains("the rows were not in order of time: sorted"));
    let log = |graph: &str| world.done(&format!("export --events --graph {graph}"));
    assert_eq!(log("rows"), log("sorted"));
    assert_eq!(log("piped"), log("sorted"));
    assert_eq!(std::fs::read_dir(world.path("rows/log")).unwrap().count(), 0, "nothing is left of the sorting");
}

#[test]
fn a_rejected_row_keeps_its_line() {
    let world = World::new();
    let line = |time: u32, action: &str, id: &str| {
        format!(
            "{{\"time\":{time},\"action\":\"{action}\",\"entity\":\"node\",\"source\":{{\"type\":\"n\",\"id\":\"{id}\"}}}}\n"
        )
    };
    let lines = [line(9, "update", "a"), line(5, "create", "a"), line(4, "delete", "a"), "x\n".into()];
    world.write("events.jsonl", &lines.concat());
    let answer = world.run("load events events.jsonl --unit step").expect(3, "two rejected");
    answer.says("events.jsonl:3: unknown node n a").says("events.jsonl:4: ");
    let before =
        world.run("load events events.jsonl --unit step --late reject --graph other").expect(3, "three rejected");
    before.says("events.jsonl:1: unknown node n a").says("events.jsonl:3: out of order");
}

#[test]
fn late_events_are_placed_or_rejected() {
    let world = World::new();
    let rows = |rows: &[(&str, u32, f64)]| {
        let row = |(id, time, price): &(&str, u32, f64)| {
            let action = if *time == 1 { "create" } else { "update" };
            format!(
                "{{\"time\":{time},\"action\":\"{action}\",\"entity\":\"node\",\"source\":{{\"type\":\"item\",\"id\":\"{id}\",\"features\":{{\"price\":{price}}}}}}}\n"
            )
        };
        rows.iter().map(row).collect::<String>()
    };
    world.write("first.jsonl", &rows(&[("a", 1, 1.0), ("a", 7, 7.0)]));
    world.write("late.jsonl", &rows(&[("a", 5, 5.0)]));
    world.done("load events first.jsonl --unit step");
    world.run("load events late.jsonl --late reject").expect(1, "rejected").says("out of order");
    let said = world.done("load events late.jsonl");
    assert!(said.contains("1 late events were put where they belong in time"), "{said}");
    let price = |at: u32| -> Value { world.json(&format!("node item a --at {at}"))[0]["features"]["price"].clone() };
    assert_eq!([4, 5, 6, 7].map(price), [json!(1.0), json!(5.0), json!(5.0), json!(7.0)]);
    assert_eq!(world.json("loads")[1]["since"], json!(1));
    world.done("verify");
    world.done("rollback 2");
    assert_eq!([4, 5, 7].map(price), [json!(1.0), json!(1.0), json!(7.0)]);
}

/// Rows like those of MovieLens: users, items, ratings and seconds in no order, of which many are equal.
fn movielens() -> (Vec<String>, Vec<String>) {
    let row = |row: u64| {
        let chance = row.wrapping_mul(6_364_136_223_846_793_005).rotate_left(29);
        let (user, item, rating) = (chance % 90, chance / 90 % 160, 1 + chance % 5);
        (874_724_710 + chance / 14_400 % 300 * 60, format!("{user},{item},{rating}"))
    };
    let mut rows: Vec<(u64, String)> = (0..3_000).map(row).collect();
    let lines = |rows: &[(u64, String)]| rows.iter().map(|(time, row)| format!("{row},{time}\n")).collect();
    let any = lines(&rows);
    rows.sort_by_key(|(time, _)| *time);
    (any, lines(&rows))
}

const MOVIELENS: &str = "user,item,rating,timestamp\n";

/// Loads `sorted.FORMAT` and `rows.FORMAT`, and gives the log of both, which are the same.
fn same_log(world: &World, ending: &str, options: &str) -> String {
    let log = |name: &str| {
        let report = world.json(&format!("load events {name}.{ending} --unit s --graph {name}-{ending} {options}"));
        assert_eq!((&report[0]["counts"]["edges"]["created"], &report[0]["rejected"]), (&json!(3_000), &json!(0)));
        world.done(&format!("export --events --graph {name}-{ending}"))
    };
    let sorted = log("sorted");
    assert_eq!(log("rows"), sorted, "{ending}");
    sorted
}

#[test]
fn movielens_in_any_order_is_the_same_from_every_format() {
    let world = World::new();
    let (rows, sorted) = movielens();
    world.write("rows.csv", &format!("{MOVIELENS}{}", rows.concat()));
    world.write("sorted.csv", &format!("{MOVIELENS}{}", sorted.concat()));
    let csv = same_log(&world, "csv", "");
    let piped =
        world.pipe("load events - --format csv --unit s --graph piped", &format!("{MOVIELENS}{}", rows.concat()));
    piped.expect(0, "piped");
    assert_eq!(world.done("export --events --graph piped"), csv);
    let json_line = |row: &String| {
        let cells: Vec<&str> = row.trim().split(',').collect();
        let edge = json!({"type": "link", "features": {"rating": cells[2].parse::<f64>().unwrap()}});
        let end = |id: &str| json!({"type": "node", "id": id});
        let (time, action) = (cells[3].parse::<u64>().unwrap(), "create");
        let event = json!({"time": time, "action": action, "entity": "edge", "source": end(cells[0]), "edge": edge,
            "destination": end(cells[1])});
        format!("{event}\n")
    };
    for (name, rows) in [("rows.jsonl", &rows), ("sorted.jsonl", &sorted)] {
        world.write(name, &rows.iter().map(json_line).collect::<String>());
    }
    assert_eq!(same_log(&world, "jsonl", "--dangling stub --repeats parallel"), csv);
    write_parquet(&world, "rows.parquet", &rows);
    write_parquet(&world, "sorted.parquet", &sorted);
    assert_eq!(same_log(&world, "parquet", ""), csv);
}

fn write_parquet(world: &World, name: &str, rows: &[String]) {
    let message = "message ratings { required int64 user; required int64 item; required double rating; required int64 timestamp; }";
    let schema = Arc::new(parse_message_type(message).unwrap());
    let file = File::create(world.path(name)).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    for at in 0..4 {
        let cells = || rows.iter().map(|row| row.trim().split(',').nth(at).unwrap());
        let mut column = group.next_column().unwrap().unwrap();
        if at == 2 {
            let values: Vec<f64> = cells().map(|cell| cell.parse().unwrap()).collect();
            column.typed::<DoubleType>().write_batch(&values, None, None).unwrap();
        } else {
            let values: Vec<i64> = cells().map(|cell| cell.parse().unwrap()).collect();
            column.typed::<Int64Type>().write_batch(&values, None, None).unwrap();
        }
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
}

#[test]
fn times_of_what_is_out_of_order_are_written_as_people_write_them() {
    let world = World::new();
    let line = |time: u32, action: &str| {
        format!(
            "{{\"time\":{time},\"action\":\"{action}\",\"entity\":\"node\",\"source\":{{\"type\":\"n\",\"id\":\"a\"}}}}\n"
        )
    };
    world.write("first.jsonl", &line(86_400, "create"));
    world.write("late.jsonl", &line(60, "delete"));
    let times =
        [("s", "time 1970-01-01T00:01:00Z is before 1970-01-02T00:00:00Z"), ("step", "time 60 is before 86400")];
    for (unit, told) in times {
        world.done(&format!("load events first.jsonl --unit {unit} --graph {unit}"));
        let answer = world.run(&format!("load events late.jsonl --late reject --rejects {unit}.txt --graph {unit}"));
        answer.expect(1, "rejected").says(told);
        let json = world.run(&format!("load events late.jsonl --late reject --json --graph {unit}")).out;
        assert!(json.contains(told), "{json}");
        assert!(std::fs::read_to_string(world.path(&format!("{unit}.txt"))).unwrap().contains(told));
    }
}

/// Begins a load from standard input, which waits for more, and sends it a signal.
#[cfg(unix)]
fn interrupted(world: &World, graph: &str, signal: &str) -> (std::process::ExitStatus, String) {
    use std::process::{Command, Stdio};

    let mut command = Command::new(env!("CARGO_BIN_EXE_timeweft"));
    command
        .current_dir(world.path(""))
        .args(["load", "events", "-", "--format", "csv", "--unit", "s", "--graph", graph]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(MOVIELENS.as_bytes()).unwrap();
    let rows = movielens().0.concat().repeat(4);
    input.write_all(rows.as_bytes()).unwrap();
    // That is more than a pipe holds, so the load has begun to read it.
    let sent = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let output = child.wait_with_output().unwrap();
    drop(input);
    (output.status, String::from_utf8(output.stderr).unwrap())
}

#[cfg(unix)]
#[test]
fn ctrl_c_in_a_first_load_leaves_no_graph() {
    for signal in ["INT", "TERM"] {
        let world = World::new();
        let (status, told) = interrupted(&world, "new", signal);
        assert_eq!(status.code(), Some(130), "{told}");
        assert!(told.contains("interrupted: nothing was loaded"), "{told}");
        assert!(!world.path("new").exists());
        // A folder that was there stays, and a graph that was there stays as it was.
        std::fs::create_dir(world.path("empty")).unwrap();
        assert_eq!(interrupted(&world, "empty", signal).0.code(), Some(130));
        assert_eq!(std::fs::read_dir(world.path("empty")).unwrap().count(), 0);
        world.write("rows.csv", &format!("{MOVIELENS}1,2,3,4\n"));
        world.done("load events rows.csv --unit s --graph there");
        let before = world.done("export --events --graph there");
        assert!(!interrupted(&world, "there", signal).0.success());
        world.done("verify --graph there");
        assert_eq!(world.done("export --events --graph there"), before);
        world.done("load events rows.csv --unit s --graph new");
    }
}
