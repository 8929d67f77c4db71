//! Rows of Debezium, of dbt and of SCD2 tables: from files as people have them to the graph at every time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use timeweft_graph::{At, Dangling, GraphView, Schema, Time, TimeUnit};
use timeweft_source::{ChangeRowsReader, TableMapping};
use timeweft_store::{LoadReport, LoadRequest, Store, StoreError};

/// A graph that change rows are loaded into, in a folder with their files.
pub(crate) struct Warehouse {
    folder: tempfile::TempDir,
    pub(crate) store: Store,
}

impl Warehouse {
    pub(crate) fn new(unit: TimeUnit) -> Warehouse {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path().join("graph"), Schema::new(unit)).unwrap();
        Warehouse { folder, store }
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn try_load(&mut self, path: &Path, mapping: &str) -> Result<LoadReport, StoreError> {
        let mapping = TableMapping::of_toml(mapping).unwrap();
        let mut request = LoadRequest::new("events", &path.to_string_lossy());
        request.rows = Some(ChangeRowsReader::open(path, &mapping).unwrap().links().to_vec());
        request.dangling = Dangling::Stub;
        let mut notes = Vec::new();
        let report = self.store.load_stream(request, true, |sink| {
            let mut reader = ChangeRowsReader::open(path, &mapping)?;
            reader.read(sink)?;
            notes = reader.notes();
            Ok(())
        })?;
        Ok(LoadReport { notes, ..report })
    }

    pub(crate) fn load(&mut self, name: &str, text: &str, mapping: &str) -> LoadReport {
        let path = self.file(name, text);
        self.try_load(&path, mapping).unwrap()
    }

    /// The graph at a time, an element a line.
    pub(crate) fn at(&self, time: i64) -> Vec<String> {
        let (view, at) = (self.store.view(), At::time(Time(time)));
        let features = |features: BTreeMap<timeweft_graph::Name, timeweft_graph::Value>| {
            features.iter().map(|(name, value)| format!(" {name}={value}")).collect::<String>()
        };
        let nodes = view.nodes(None, at).into_iter().map(|node| format!("{}{}", node.key, features(node.features)));
        let edges = view.edges(None, at).into_iter().map(|edge| format!("{}{}", edge.key, features(edge.features)));
        let mut all: Vec<String> = nodes.chain(edges).collect();
        all.sort();
        all
    }
}

fn reasons(report: &LoadReport) -> Vec<String> {
    let reject = |reject: &timeweft_graph::Reject| format!("{}: {}", reject.place.line, reject.reason);
    report.rejects.iter().map(reject).collect()
}

pub(crate) const ORDERS: &str = r#"
[changes]
format = "debezium"

[[nodes]]
table = "orders"
type = "order"
id = "id"
features = { total = "float", status = "category" }

[[nodes]]
table = "public.customers"
type = "customer"
id = "id"
features = { name = "text" }

[[edges]]
table = "orders"
relation = "placed_by"
source = { type = "order", column = "id" }
destination = { type = "customer", column = "customer_id" }

[[edges]]
table = "order_items"
relation = "contains"
source = { type = "order", column = "order_id" }
destination = { type = "product", column = "product_id" }
key = "line"
features = { quantity = "int" }
"#;

/// With the wrapper of Kafka Connect and without, snapshot reads, an update without `before`, a delete with its tombstone,
/// a row of a table that nobody asked for.
#[test]
fn envelopes_make_nodes_and_foreign_keys_edges() {
    let lines = r#"
{"schema":{"type":"struct"},"payload":{"before":null,"after":{"id":7,"name":"Ada"},"source":{"schema":"public","table":"customers","ts_ms":1000,"lsn":1,"snapshot":"true"},"op":"r","ts_ms":9000}}
{"before":null,"after":{"id":8,"name":"Bob"},"source":{"schema":"public","table":"customers","ts_ms":1000,"lsn":2},"op":"r","ts_ms":9000}
{"before":null,"after":{"id":1,"customer_id":7,"total":9.5,"status":"new"},"source":{"schema":"public","table":"orders","ts_ms":2000,"lsn":3},"op":"c","ts_ms":9000}
{"before":null,"after":{"id":1,"customer_id":8,"total":9.5,"status":"paid"},"source":{"schema":"public","table":"orders","ts_ms":3000,"lsn":4},"op":"u","ts_ms":9000}
{"before":null,"after":{"id":1,"customer_id":null,"total":9.5,"status":"__debezium_unavailable_value"},"source":{"schema":"public","table":"orders","ts_ms":4000,"lsn":5},"op":"u","ts_ms":9000}
{"before":null,"after":{"id":1,"customer_id":7,"total":null,"status":"paid"},"source":{"schema":"public","table":"orders","ts_ms":5000,"lsn":6},"op":"u","ts_ms":9000}
{"before":{"id":7,"name":null},"after":null,"source":{"schema":"public","table":"customers","ts_ms":6000,"lsn":7},"op":"d","ts_ms":9000}
{"key":{"id":7},"value":null}
{"before":null,"after":{"x":1},"source":{"schema":"public","table":"audit","ts_ms":6500},"op":"c","ts_ms":9000}
{"before":null,"after":{"id":9,"customer_id":12,"total":1,"status":"new"},"source":{"schema":"public","table":"orders","ts_ms":7000,"lsn":8},"op":"u","ts_ms":9000}
"#;
    let mut shop = Warehouse::new(TimeUnit::Milli);
    let report = shop.load("orders.jsonl", lines, ORDERS);
    assert_eq!(reasons(&report), Vec::<String>::new());
    assert_eq!(report.counts.stubs, 1, "customer 12 has no row");
    let notes = report.notes.join("; ");
    assert!(notes.contains("public.audit (1)") && notes.contains("1 tombstones"), "{notes}");
    assert_eq!(shop.at(1000), ["customer 7 name=Ada", "customer 8 name=Bob"]);
    let at_2000 = [
        "customer 7 name=Ada",
        "customer 8 name=Bob",
        "order 1 -placed_by-> customer 7",
        "order 1 status=new total=9.5",
    ];
    assert_eq!(shop.at(2000), at_2000);
    assert_eq!(shop.at(3000)[2..], ["order 1 -placed_by-> customer 8", "order 1 status=paid total=9.5"]);
    assert_eq!(shop.at(4000)[2..], ["order 1 status=paid total=9.5"]);
    assert_eq!(shop.at(5000)[2..], ["order 1 -placed_by-> customer 7", "order 1 status=paid"]);
    assert_eq!(shop.at(6000), ["customer 8 name=Bob", "order 1 status=paid"]);
    let last = shop.at(7000);
    assert!(last.contains(&"order 9 -placed_by-> customer 12".to_owned()), "{last:?}");
    // What changed alone is written.
    assert_eq!((report.counts.nodes.updated, report.counts.edges.deleted), (2, 2));
}

#[test]
fn rows_that_come_again_change_nothing() {
    let lines = r#"{"before":null,"after":{"id":1,"customer_id":7,"total":1},"source":{"table":"orders","ts_ms":1000},"op":"c"}
{"before":null,"after":{"id":1,"customer_id":8,"total":2},"source":{"table":"orders","ts_ms":2000},"op":"u"}
{"before":{"id":1},"after":null,"source":{"table":"orders","ts_ms":3000},"op":"d"}
"#;
    let mut shop = Warehouse::new(TimeUnit::Milli);
    shop.load("orders.jsonl", &format!("{lines}{lines}"), ORDERS);
    let before: Vec<_> = (0..5).map(|at| shop.at(at * 1000)).collect();
    let report = shop.load("again.jsonl", lines, ORDERS);
    assert_eq!((report.accepted, report.n_rejected), (0, 0), "{:?}", reasons(&report));
    assert_eq!(before, (0..5).map(|at| shop.at(at * 1000)).collect::<Vec<_>>());
    assert_eq!(before[3], ["customer 7", "customer 8"]);
}

/// The foreign key was emptied before its edge ended with the customer: the row tells when.
#[test]
fn a_late_row_ends_its_edge_where_that_ended_later() {
    let row = |customer: &str, time: u64, table: &str, op: &str| {
        let image = format!(r#"{{"id":{},"customer_id":{customer}}}"#, if table == "orders" { 1 } else { 7 });
        let (before, after) = if op == "d" { (&*image, "null") } else { ("null", &*image) };
        format!(
            r#"{{"before":{before},"after":{after},"op":"{op}","source":{{"schema":"public","table":"{table}","ts_ms":{time}}}}}"#
        ) + "\n"
    };
    let mut shop = Warehouse::new(TimeUnit::Milli);
    let first = row("null", 1, "customers", "c") + &row("7", 1, "orders", "c") + &row("null", 20, "customers", "d");
    shop.load("first.jsonl", &first, ORDERS);
    assert_eq!(shop.at(15), ["customer 7", "order 1", "order 1 -placed_by-> customer 7"]);
    let report = shop.load("late.jsonl", &row("null", 10, "orders", "u"), ORDERS);
    assert_eq!((report.n_rejected, report.order.placed), (0, 1));
    assert_eq!(shop.at(5), ["customer 7", "order 1", "order 1 -placed_by-> customer 7"]);
    assert_eq!(
        [shop.at(15), shop.at(25)],
        [vec!["customer 7".to_owned(), "order 1".to_owned()], vec!["order 1".to_owned()]]
    );
}

#[test]
fn rows_of_edges_follow_their_ends_by_the_row_before() {
    let lines = r#"{"after":{"order_id":1,"product_id":5,"line":1,"quantity":2},"source":{"table":"order_items","ts_ms":1000},"op":"c"}
{"before":{"order_id":1,"product_id":5,"line":1,"quantity":2},"after":{"order_id":1,"product_id":6,"line":1,"quantity":2},"source":{"table":"order_items","ts_ms":2000},"op":"u"}
{"before":{"order_id":1,"product_id":6,"line":1,"quantity":2},"after":{"order_id":1,"product_id":6,"line":1,"quantity":3},"source":{"table":"order_items","ts_ms":3000},"op":"u"}
{"before":{"order_id":1,"product_id":6,"line":1,"quantity":2},"after":null,"source":{"table":"order_items","ts_ms":4000},"op":"d"}
{"before":{"order_id":null,"product_id":null,"line":1},"after":null,"source":{"table":"order_items","ts_ms":5000},"op":"d"}
"#;
    let mut shop = Warehouse::new(TimeUnit::Milli);
    let report = shop.load("items.jsonl", lines, ORDERS);
    let edges = |time| shop.at(time).into_iter().filter(|line| line.contains("->")).collect::<Vec<_>>();
    assert_eq!(edges(1000), ["order 1 -contains-> product 5 [1] quantity=2"]);
    assert_eq!(edges(2000), ["order 1 -contains-> product 6 [1] quantity=2"]);
    assert_eq!(edges(3000), ["order 1 -contains-> product 6 [1] quantity=3"]);
    assert_eq!(edges(4000), Vec::<String>::new());
    let reasons = reasons(&report);
    assert!(reasons.len() == 1 && reasons[0].contains("REPLICA IDENTITY FULL"), "{reasons:?}");
}

#[test]
fn flattened_rows_say_in_columns_what_became_of_them() {
    let mapping = "[changes]\nformat = \"debezium\"\n[[nodes]]\ntype = \"user\"\nid = \"id\"\nfeatures = \"*\"\n";
    let lines = r#"{"id":1,"name":"Ada","__op":"c","__deleted":"false","__source_ts_ms":1000}
{"schema":null,"payload":{"id":1,"name":"Eda","__op":"u","__deleted":"false","__source_ts_ms":2000}}
{"id":1,"name":"Eda","__op":"d","__deleted":"true","__source_ts_ms":3000}
"#;
    let mut users = Warehouse::new(TimeUnit::Milli);
    let report = users.load("users.jsonl", lines, mapping);
    assert_eq!(reasons(&report), Vec::<String>::new());
    assert_eq!([users.at(1000), users.at(2000), users.at(3000)].concat(), ["user 1 name=Ada", "user 1 name=Eda"]);
    let mut table = Warehouse::new(TimeUnit::Milli);
    let csv = "id,name,__op,__source_ts_ms\n1,Ada,c,1000\n1,Eda,u,2000\n1,,d,3000\n";
    let report = table.load("users.csv", csv, mapping);
    assert_eq!(reasons(&report), Vec::<String>::new());
    assert_eq!([table.at(1000), table.at(2000), table.at(3000)].concat(), ["user 1 name=Ada", "user 1 name=Eda"]);
}

#[test]
fn what_is_no_change_is_told_with_its_line() {
    let lines = r#"{"id":1}
{"op":"t","source":{"table":"orders","ts_ms":1}}
{"op":"x","after":{"id":1},"source":{"table":"orders","ts_ms":1}}
{"op":"u","after":null,"source":{"table":"orders","ts_ms":1}}
{"op":"d","before":null,"source":{"table":"orders","ts_ms":1}}
{"op":"c","after":{"id":1}}
{"op":"c","after":{"id":1},"ts_ms":5}
{"op":"c","after":{"id":1,"total":"much"},"source":{"table":"orders","ts_ms":1}}
[1]
{"op":"c","after":{"id":2},"source":{"table":"orders","ts_ms":1}}
"#;
    let mut shop = Warehouse::new(TimeUnit::Milli);
    let report = shop.load("orders.jsonl", lines, ORDERS);
    let reasons = reasons(&report);
    let expected = [
        "1: it is no change of Debezium",
        "2: op `t` empties its table",
        "3: unknown op `x`",
        "4: op `u` needs the row in `after`",
        "5: op `d` shows no row in `before`",
        "6: there is no time",
        "7: the row does not say its table",
        "8: column `total`",
        "9: ",
    ];
    assert_eq!(reasons.len(), expected.len(), "{reasons:?}");
    for (reason, start) in reasons.iter().zip(expected) {
        let plain = reason.replace("malformed record: ", "");
        assert!(plain.starts_with(start), "{reason} but {start}");
    }
    assert_eq!(shop.at(1), ["order 2"]);
}

const USERS: &str = r#"
[changes]
format = "scd2"

[[nodes]]
file = "users.csv"
type = "user"
id = "user_id"
features = { city = "category", plan = "category" }

[[edges]]
file = "users.csv"
relation = "member_of"
source = { type = "user", column = "user_id" }
destination = { type = "team", column = "team_id" }

[[nodes]]
file = "teams.csv"
type = "team"
id = "team_id"
features = { name = "text" }
"#;

/// Rows in any order, open ends of both kinds, a gap, an end without a successor, and a whole table loaded again.
#[test]
fn slowly_changing_dimensions_are_lives_and_changes() {
    let users = "user_id,city,plan,team_id,valid_from,valid_to,is_current\n\
        1,Rome,free,1,2024-01-03,2024-01-05,false\n\
        1,Oslo,free,1,2024-01-01,2024-01-03,false\n\
        1,Rome,pro,2,2024-01-08,9999-12-31,true\n\
        2,Bonn,free,,2024-01-02,2024-01-06,false\n\
        3,Bonn,free,2,2024-01-02,,true\n";
    let teams = "team_id,name,valid_from,valid_to\n2,Blue,2024-01-01,\n1,Red,2024-01-01,\n";
    let mut graph = Warehouse::new(TimeUnit::Second);
    graph.file("dims/users.csv", users);
    let folder = graph.file("dims/teams.csv", teams).parent().unwrap().to_owned();
    let report = graph.try_load(&folder, USERS).unwrap();
    assert_eq!(reasons(&report), Vec::<String>::new());
    let day = |day: i64| 1_704_067_200 + (day - 1) * 86_400;
    let users_at = |graph: &Warehouse, time| {
        graph.at(time).into_iter().filter(|line| line.starts_with("user")).collect::<Vec<_>>()
    };
    assert_eq!(users_at(&graph, day(1)), ["user 1 -member_of-> team 1", "user 1 city=Oslo plan=free"]);
    let third = [
        "user 1 -member_of-> team 1",
        "user 1 city=Rome plan=free",
        "user 2 city=Bonn plan=free",
        "user 3 -member_of-> team 2",
        "user 3 city=Bonn plan=free",
    ];
    assert_eq!(users_at(&graph, day(3)), third);
    assert_eq!(users_at(&graph, day(5)), third[2..]);
    assert_eq!(users_at(&graph, day(6)), third[3..]);
    let last = [
        "user 1 -member_of-> team 2",
        "user 1 city=Rome plan=pro",
        "user 3 -member_of-> team 2",
        "user 3 city=Bonn plan=free",
    ];
    assert_eq!(users_at(&graph, day(9)), last);
    // One column changed on the third.
    assert_eq!((report.counts.nodes.updated, report.counts.nodes.created), (1, 6));
    // The next export has the same rows and what came since.
    let next = users.replace(
        "3,Bonn,free,2,2024-01-02,,true",
        "3,Bonn,free,2,2024-01-02,2024-01-10,false\n3,Kyiv,free,1,2024-01-10,,true",
    );
    graph.file("dims/users.csv", &next);
    let report = graph.try_load(&folder, USERS).unwrap();
    assert_eq!((report.accepted, reasons(&report)), (3, Vec::new()));
    assert_eq!(users_at(&graph, day(9)), last);
    assert_eq!(users_at(&graph, day(10))[2..], ["user 3 -member_of-> team 1", "user 3 city=Kyiv plan=free"]);
}

#[test]
fn intervals_that_contradict_are_told_with_their_row() {
    let mapping = "[changes]\nformat = \"scd2\"\n[[nodes]]\ntype = \"user\"\nid = \"id\"\nfeatures = \"*\"\n";
    let rows = "id,city,valid_from,valid_to,is_current\n\
        1,A,1,10,false\n\
        1,B,5,20,false\n\
        1,A,1,10,false\n\
        2,A,7,7,false\n\
        2,A,9,8,false\n\
        3,A,,8,false\n\
        4,A,3,,false\n\
        ,A,3,4,false\n\
        5,A,3,,maybe\n\
        6,A,3,,\n\
        6,B,9,12,\n";
    let mut graph = Warehouse::new(TimeUnit::Step);
    let report = graph.load("users.csv", rows, mapping);
    let mut reasons: Vec<String> =
        reasons(&report).iter().map(|reason| reason.replace("malformed record: ", "")).collect();
    reasons.sort();
    let expected = [
        "10: column `is_current`: expected true or false, got `maybe`",
        "12: from 9 on it is valid together with row 11 of the same key, which is valid from 3 without an end",
        "3: from 5 on it is valid together with row 2 of the same key, which is valid from 1 until 10",
        "4: it repeats the interval of row 2",
        "5: it is valid until 7, which is not after 7",
        "6: it is valid until 8, which is not after 9",
        "7: column `valid_from`: the time is empty",
        "8: `is_current` is false, and the row has no end",
        "9: column `id` is empty",
    ];
    assert_eq!(reasons.len(), expected.len(), "{reasons:#?}");
    for (reason, start) in reasons.iter().zip(expected) {
        assert!(reason.starts_with(start), "{reason} but {start}");
    }
    assert_eq!(graph.at(9), ["user 1 city=A", "user 6 city=A"]);
    assert_eq!(graph.at(10), ["user 6 city=A"]);
}

/// dbt closes rows of deletes, or adds rows that say so.
#[test]
fn snapshots_of_dbt_end_what_was_deleted() {
    let mapping = "[changes]\nformat = \"dbt\"\n[[nodes]]\ntype = \"order\"\nid = \"id\"\nfeatures = \"*\"\n";
    let invalidated = "id,status,dbt_scd_id,dbt_updated_at,dbt_valid_from,dbt_valid_to\n\
        1,new,a,2024-01-01 00:00:00,2024-01-01 00:00:00,2024-01-02 00:00:00\n\
        1,paid,b,2024-01-02 00:00:00,2024-01-02 00:00:00,\n\
        2,new,c,2024-01-01 00:00:00,2024-01-01 00:00:00,2024-01-03 00:00:00\n";
    let new_record = "id,status,dbt_scd_id,dbt_updated_at,dbt_valid_from,dbt_valid_to,dbt_is_deleted\n\
        1,new,a,2024-01-01 00:00:00,2024-01-01 00:00:00,2024-01-02 00:00:00,False\n\
        1,paid,b,2024-01-02 00:00:00,2024-01-02 00:00:00,,False\n\
        2,new,c,2024-01-01 00:00:00,2024-01-01 00:00:00,2024-01-03 00:00:00,False\n\
        2,new,d,2024-01-03 00:00:00,2024-01-03 00:00:00,,True\n";
    for rows in [invalidated, new_record] {
        let mut graph = Warehouse::new(TimeUnit::Second);
        let report = graph.load("orders.csv", rows, mapping);
        assert_eq!(reasons(&report), Vec::<String>::new());
        let day = |day: i64| 1_704_067_200 + (day - 1) * 86_400;
        assert_eq!(graph.at(day(1)), ["order 1 status=new", "order 2 status=new"]);
        assert_eq!(graph.at(day(2)), ["order 1 status=paid", "order 2 status=new"]);
        assert_eq!(graph.at(day(3)), ["order 1 status=paid"]);
    }
}

#[test]
fn a_mapping_that_cannot_be_meant_says_what_to_do() {
    let nodes = "[[nodes]]\ntype = \"a\"\nid = \"id\"\n";
    let edge = "[[edges]]\nrelation = \"r\"\nsource = { type = \"a\", column = \"id\" }\ndestination = { type = \"b\", column = \"x\" }\n";
    let cases = [
        (nodes.to_owned(), "has no [changes]"),
        ("[changes]\nformat = \"debezum\"\n".to_owned(), "mapping:2: unknown variant `debezum`"),
        (
            format!("[changes]\nformat = \"dbt\"\norder = \"any\"\n{nodes}"),
            "`order` means nothing with format = \"dbt\"",
        ),
        (
            format!("[changes]\nformat = \"debezium\"\nopen = \"x\"\n{nodes}"),
            "`open` means nothing with format = \"debezium\"",
        ),
        (format!("[changes]\nformat = \"scd2\"\n{nodes}table = \"x\"\n"), "name the `file` of each table"),
        ("[changes]\nformat = \"scd2\"\n".to_owned(), "it maps nothing"),
        (format!("root = \"x\"\n[changes]\nformat = \"scd2\"\n{nodes}"), "`root` is for whole versions"),
        (format!("[changes]\nformat = \"scd2\"\n{nodes}{edge}{edge}"), "is a foreign key, of which a row has one"),
        (format!("[changes]\nformat = \"scd2\"\nvalid-form = \"x\"\n{nodes}"), "mapping:3: unknown field `valid-form`"),
    ];
    for (mapping, problem) in cases {
        let error = TableMapping::of_toml(&mapping).unwrap_err().to_string();
        assert!(error.contains(problem), "{error} but {problem}");
    }
}

/// The examples of the documentation: a mapping, rows, and what the graph is at some times.
#[test]
fn the_examples_of_the_documentation_are_so() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/change-rows.md");
    let text = std::fs::read_to_string(document).unwrap();
    let blocks = text.split("```").skip(1).step_by(2).map(|block| block.split_once('\n').unwrap());
    let blocks: Vec<(&str, &str)> = blocks.filter(|(language, _)| !["sh", "python"].contains(language)).collect();
    let examples: Vec<_> = blocks.chunks(3).collect();
    assert_eq!(examples.len(), 3, "an example of each format");
    for example in examples {
        let [(_, mapping), (ending, rows), ("text", states)] = example else { panic!("{example:?}") };
        let mut graph = Warehouse::new(TimeUnit::Second);
        let report = graph.load(&format!("rows.{ending}"), rows, mapping);
        assert_eq!(reasons(&report), Vec::<String>::new());
        for state in states.trim().split("\n\n") {
            let (time, elements) = state.split_once(":\n").unwrap();
            let time = TimeUnit::Second.parse(time).unwrap();
            assert_eq!(graph.at(time.0), elements.lines().map(str::trim).collect::<Vec<_>>(), "{state}");
        }
    }
}
