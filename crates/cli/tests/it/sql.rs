//! Questions in SQL.

use std::fs::File;

use serde_json::json;

use crate::world::{World, shop};

/// Asks through standard input, so that the query keeps its blanks.
fn ask(world: &World, query: &str, options: &str) -> crate::world::Answer {
    world.pipe(&format!("sql - {options}"), query)
}

#[test]
fn a_query_is_a_table_or_lines_or_an_array_or_values() {
    let world = shop();
    let query = "SELECT type, id, age FROM \"user\" TIMESTAMP AS OF 3";
    assert_eq!(ask(&world, query, "").expect(0, "table").out, "type  id    age\nuser  ann  31.0\n");
    assert_eq!(ask(&world, query, "--json").out, "{\"type\":\"user\",\"id\":\"ann\",\"age\":31.0}\n");
    assert_eq!(ask(&world, query, "--format json").out, "[{\"type\":\"user\",\"id\":\"ann\",\"age\":31.0}]\n");
    assert_eq!(ask(&world, query, "--format csv").out, "type,id,age\nuser,ann,31.0\n");
    let none = "SELECT id FROM nodes WHERE id = 'nobody'";
    assert_eq!(ask(&world, none, "--json").expect(0, "no row").out, "");
    assert_eq!(ask(&world, none, "--format json").out, "[]\n");
    let twice = "SELECT a.id, b.id, 'a, \"b\"' AS quoted FROM nodes a JOIN nodes b USING (node) WHERE a.id = 'ann'";
    assert_eq!(ask(&world, twice, "--format csv").out, "id,id_1,quoted\nann,ann,\"a, \"\"b\"\"\"\n");
}

#[test]
fn the_moment_is_an_option_or_a_clause() {
    let world = shop();
    let age = |options: &str| {
        ask(&world, "SELECT age FROM \"user\" WHERE id = 'ann'", options).out.lines().nth(1).map(str::to_owned)
    };
    assert_eq!(age("--at 3").as_deref(), Some("31.0"));
    assert_eq!(age("").as_deref(), Some("32.0"));
    assert_eq!(age("--commit 0"), None);
    let set = ask(&world, "SET timeweft.at = 3; SELECT age FROM \"user\" WHERE id = 'ann'", "");
    assert_eq!(set.expect(0, "set").out, " age\n31.0\n");
    ask(&world, "SELECT id FROM edges", "--commit 9").expect(1, "a commit").says("9");
}

#[test]
fn files_tell_their_format_and_appear_whole() {
    let world = shop();
    let query = "SELECT type, id, created FROM nodes ORDER BY id";
    for name in ["rows.parquet", "rows.arrow", "rows.jsonl", "rows.json", "rows.csv", "rows.txt"] {
        ask(&world, query, &format!("--to {name}")).expect(0, name);
        assert!(world.path(name).metadata().unwrap().len() > 0, "{name}");
    }
    let file = File::open(world.path("rows.parquet")).unwrap();
    let reader = parquet::file::serialized_reader::SerializedFileReader::new(file).unwrap();
    let rows = parquet::file::reader::FileReader::metadata(&reader).file_metadata().num_rows();
    assert_eq!(rows as usize, ask(&world, query, "--json").out.lines().count());
    ask(&world, query, "--to rows.what").expect(2, "a name").says(".parquet");
    ask(&world, query, "--format parquet").expect(2, "no file").says("--to FILE");
    ask(&world, "SELECT 1 / (created - created) FROM nodes", "--to half.csv").expect(1, "failed");
    assert!(!world.path("half.csv").exists(), "nothing is left of it");
}

#[test]
fn errors_name_the_clause_and_the_way_out() {
    let world = shop();
    for (query, says) in [
        ("SELECT * FROM nodes TABLESAMPLE (10)", "TABLESAMPLE"),
        ("SELECT * FROM nodes VERSION AS OF '2016-01-01'", "TIMESTAMP AS OF"),
        ("INSERT INTO nodes VALUES (1)", "INSERT writes"),
        ("SELECT * FROM users", "there is no table `users`"),
        ("SELEC", "SELEC"),
    ] {
        ask(&world, query, "").expect(1, query).says(says);
    }
}

#[test]
fn rows_are_cut_with_a_note() {
    let world = shop();
    let cut = ask(&world, "SELECT value FROM range(0, 10)", "--limit 3 --json").expect(0, "cut");
    assert_eq!(cut.out.lines().count(), 3);
    assert!(cut.err.contains("first 3 rows"), "{}", cut.err);
    let tables = ask(&world, "SHOW TABLES", "--json");
    let views: Vec<serde_json::Value> = tables.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(views.iter().any(|view| view["name"] == json!("user") && view["kind"] == json!("view")));
}
