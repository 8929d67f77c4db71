//! Change rows of Debezium and SCD2 tables, by a mapping, on the command line.

use serde_json::json;

use crate::world::World;

const MAPPING: &str = "[changes]\nformat = \"debezium\"\n\
    [[nodes]]\ntype = \"order\"\nid = \"id\"\nfeatures = { total = \"float\" }\n\
    [[edges]]\nrelation = \"placed_by\"\nsource = { type = \"order\", column = \"id\" }\n\
    destination = { type = \"customer\", column = \"customer_id\" }\n";

const ROWS: &str = r#"{"before":null,"after":{"id":1,"customer_id":7,"total":9.5},"source":{"ts_ms":1000},"op":"c"}
{"before":null,"after":{"id":1,"customer_id":8,"total":9.5},"source":{"ts_ms":2000},"op":"u"}
{"before":null,"after":{"id":1,"customer_id":8,"total":9.5},"source":{"ts_ms":2000},"op":"u"}
{"before":{"id":4},"after":null,"source":{"ts_ms":3000},"op":"d"}
"#;

#[test]
fn a_mapping_loads_change_rows() {
    let world = World::new();
    world.write("orders.toml", MAPPING);
    world.write("orders.jsonl", ROWS);
    let report = &world.json("load events orders.jsonl --unit ms --mapping orders.toml")[0];
    assert_eq!(report["rows"], json!({ "unchanged": 3, "absent": 1 }));
    assert_eq!(world.json("neighbors order 1 --at 1500")[0]["destination"], json!({ "type": "customer", "id": 7 }));
    assert_eq!(world.json("neighbors order 1 --at 2500")[0]["destination"], json!({ "type": "customer", "id": 8 }));
    assert_eq!(world.json("neighbors order 1 --at 2500").len(), 1);
    let answer = world.run("load events orders.jsonl --mapping orders.toml --columns a,b").expect(2, "a contradiction");
    answer.says("--mapping").says("--columns");
}

#[test]
fn what_is_wrong_with_a_mapping_has_its_line() {
    let world = World::new();
    world.write("orders.jsonl", ROWS);
    world.write("wrong.toml", &MAPPING.replace("relation", "relations"));
    let answer = world.run("load events orders.jsonl --unit ms --mapping wrong.toml").expect(1, "an unknown key");
    answer.says("wrong.toml:8: unknown field `relations`");
    world.write("whole.toml", &MAPPING.replace("[changes]\nformat = \"debezium\"\n", ""));
    world.run("load events orders.jsonl --unit ms --mapping whole.toml").expect(1, "no [changes]").says("add `format");
    assert!(!world.path(".timeweft").exists(), "no graph is made for nothing");
}
