//! Files as other programs write them, through the command line.

use serde_json::{Value, json};

use crate::world::World;

#[test]
fn naive_datetime_keeps_its_time_of_day() {
    let world = World::new();
    world.write("calls.csv", "source,destination,time\nAnn,Bo,2015-05-19 13:44:07\nAnn,Flo,2015-05-22T20:39:55.250\n");
    let told = world.run("load events calls.csv --unit s").expect(0, "times without a zone");
    told.says("note: 1 time is finer than the unit s (the first on line 3)");
    let shown = world.done("neighbors node Ann");
    assert!(shown.contains("2015-05-19T13:44:07Z") && shown.contains("2015-05-22T20:39:55Z"), "{shown}");
    let seen = |at: &str| world.run(&format!("neighbors node Ann --json --at {at}")).out.lines().count();
    assert_eq!((seen("2015-05-19T13:44:06"), seen("2015-05-19T13:44:07"), seen("2015-05-19T15:44:06+02")), (0, 1, 0));
    world.write("roots.CSV", "id,time\nAnn,2015-05-19 13:44:06\nAnn,2015-05-19 13:44:07\n");
    let alive: Vec<Value> =
        world.json("features roots.CSV --inclusive").iter().filter_map(|row| row.get("alive").cloned()).collect();
    assert_eq!(alive, [json!(false), json!(true)]);
}

#[test]
fn konect_size_line() {
    let world = World::new();
    world.write("out.social", "% asym posweighted\n% 3 3 3\n1 2 1 1082008561\n1 3 1 1082008600\n2 3 2 1082414391\n");
    let report = &world.json("load events out.social --unit s")[0];
    assert_eq!(report["counts"]["edges"]["created"], json!(3));
    assert_eq!(report["notes"], json!(["KONECT: the columns are src, dst, weight, time"]));
    assert_eq!(world.json("stats")[0]["nodes"], json!(3));
}

#[test]
fn the_choice_of_columns_is_told_to_people_and_programs() {
    let world = World::new();
    world.write("mail.csv", "Source,Target,timestamp\na,b,5\n");
    let choice = "columns: `Source` is the source, `Target` is the destination, `timestamp` is the time";
    world.run("load events mail.csv --unit s").expect(0, "common names").says(&format!("note: {choice}"));
    assert_eq!(world.json("load events mail.csv --graph other --unit s")[0]["notes"], json!([choice]));
    world.write("two.csv", "from,to,user,item,time\na,b,c,d,5\n");
    let columns = "--columns src,dst,user,item,time --header yes";
    world
        .run("load events two.csv")
        .expect(1, "two pairs")
        .says("several columns could be the source")
        .says("--columns");
    world.done(&format!("load events two.csv {columns}"));
}

#[test]
fn tsv_quotes() {
    let world = World::new();
    let rows =
        "1\tn1\tcreate\tnode\t\"Swing it\" magistern\n2\tn2\tcreate\tnode\t\"Giliap\n3\tn3\tcreate\tnode\tPlain\n";
    world.write("events.tsv", &format!("time\tsource\taction\tentity\ttitle\n{rows}"));
    world.run("load events events.tsv --unit s --source-type title").expect(0, "marks quote nothing");
    let title = |id: &str| world.json(&format!("node title {id}"))[0]["features"]["title"].clone();
    assert_eq!((title("n1"), title("n2")), (json!("\"Swing it\" magistern"), json!("\"Giliap")));
    let mapping =
        "[[nodes]]\nfile = \"events.tsv\"\ntype = \"title\"\nid = \"source\"\nfeatures = { title = \"text\" }\n";
    world.write("map.toml", mapping);
    world
        .run("load version map.toml --graph v --unit s --namespace imdb --version 1 --timestamp 2020-01-01")
        .expect(0, "in tables as well");
    assert_eq!(world.json("node title n2 --graph v")[0]["features"]["title"], json!("\"Giliap"));
}

#[test]
fn options_describe_a_table() {
    let world = World::new();
    world.write("odd.txt", "; made by hand\nwhen|who|whom|code|size\n1|a|'b|c'|7|-\n2|a|d|8|-\n3|a|e|9|3\n");
    let marks = "--delimiter | --quote ' --comment ; --null - --text code";
    let columns = "--header yes --columns time,src,dst,code,size";
    world.done(&format!("load events odd.txt --format csv --unit s {marks} {columns}"));
    let features = |edge: &str| world.json(&format!("neighbors node {edge}"))[0]["features"].clone();
    assert_eq!(features("b|c"), json!({ "code": "7" }));
    assert_eq!(features("e"), json!({ "code": "9", "size": 3.0 }));
    world.run("load events odd.txt --format jsonl --quote '").expect(2, "no table").says("--quote is for tables");
    world.run("load events odd.txt --format csv --quote ''").expect(2, "two").says("--quote: give one ASCII character");
    world.write("timeless.csv", "src,dst\nx,y\n");
    world.done("load events timeless.csv --time 2020-01-01");
    assert!(world.done("neighbors node x").contains("2020-01-01T00:00:00Z"));
}

/// A graph of `n` with numbers `x`, and an `h` that all of them lead to; `m` uses the name for texts.
const NUMBERS: &str = r#"{"unit":"step","closed":false,"node_types":[
{"name":"n","features":[{"name":"x","kind":"dense","dtype":"f64","scalar":true,"order":"list"},{"name":"y","kind":"dense","dtype":"f32","scalar":false,"order":"list"}]},
{"name":"m","features":[{"name":"x","kind":"text","order":"list"}]}],"edge_types":[],"merge_features":[]}"#;

#[test]
fn what_is_no_number_shows_as_such_and_is_found() {
    let world = World::new();
    let create = |of_type: &str, id: &str, features: &str| {
        let node = format!("{{\"type\":\"{of_type}\",\"id\":\"{id}\",\"features\":{{{features}}}}}");
        format!("{{\"time\":1,\"action\":\"create\",\"entity\":\"node\",\"source\":{node}}}\n")
    };
    let mut lines = create("h", "hub", "") + &create("m", "m", "\"x\":\"nan\"");
    for (id, value) in [("a", "\"nan\""), ("b", "\"inf\""), ("c", "\"-inf\""), ("d", "1.5")] {
        lines += &create("n", id, &format!("\"x\":{value},\"y\":[{value}]"));
        lines += &format!(
            "{{\"time\":2,\"action\":\"create\",\"entity\":\"edge\",\"source\":{{\"type\":\"n\",\"id\":\"{id}\"}},\"edge\":{{\"type\":\"of\"}},\"destination\":{{\"type\":\"h\",\"id\":\"hub\"}}}}\n"
        );
    }
    world.write("numbers.jsonl", &lines);
    world.write("schema.json", NUMBERS);
    world.done("init g --schema schema.json");
    world.done("load events numbers.jsonl");
    let shown = |id: &str| world.json(&format!("node n {id}"))[0]["features"].clone();
    assert_eq!(shown("a"), json!({ "x": "nan", "y": ["nan"] }));
    assert_eq!(shown("c"), json!({ "x": "-inf", "y": ["-inf"] }));
    assert_eq!(shown("d"), json!({ "x": 1.5, "y": [1.5] }));
    assert!(world.done("node n b").contains("\nx        inf"), "{}", world.done("node n b"));
    assert!(world.done("history n a").contains("nan") && !world.done("history n a").contains("null"));
    world.write("roots.csv", "type,id\nn,a\nn,b\nm,m\n");
    let rows = world.json("features roots.csv --inclusive --feature x");
    let xs: Vec<&Value> = rows.iter().filter_map(|row| row.get("x")).collect();
    assert_eq!(xs, [&json!("nan"), &json!("inf"), &json!("nan")]);
    for (value, id) in [("nan", "a"), ("NaN", "a"), ("inf", "b"), ("Infinity", "b"), ("-inf", "c"), ("1.5", "d")] {
        let found = world.json(&format!("query linked h hub --where x={value}"));
        let ids: Vec<&Value> = found[1..].iter().map(|row| &row["id"]).collect();
        assert_eq!(ids, [&json!(id)], "{value}");
    }
}

#[test]
fn first_empty_list_of_json_lines_is_a_value_from_a_pipe_too() {
    let line = |id: u32, list: &str| {
        let source = format!("{{\"type\":\"n\",\"id\":{id},\"features\":{{\"x\":{list}}}}}");
        format!("{{\"time\":1,\"action\":\"create\",\"entity\":\"node\",\"source\":{source}}}\n")
    };
    let lines = [line(1, "[]"), line(2, "[1,2]"), line(3, "[]")];
    for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
        let world = World::new();
        let text: String = order.iter().map(|at: &usize| lines[*at].as_str()).collect();
        world.pipe("load events - --format jsonl --unit s", &text).expect(0, "no line is rejected");
        let value = |id: u32| world.json(&format!("node n {id}"))[0]["features"]["x"].clone();
        assert_eq!((value(1), value(2), value(3)), (json!([]), json!([1.0, 2.0]), json!([])));
        assert_eq!(world.json("schema")[0]["node_types"][0]["features"][0]["kind"], json!("dense"));
    }
}
