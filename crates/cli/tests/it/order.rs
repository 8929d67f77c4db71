//! Rows in any order of time, and events that come late.

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
