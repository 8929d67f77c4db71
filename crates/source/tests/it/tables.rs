//! Tables that a TOML file maps.

use std::path::Path;

use timeweft_graph::{Dense, FeatureKind, ListOrder, Numbers, Owner, Schema, Time, TimeUnit, Value, ValueRef};
use timeweft_oracle::Version;
use timeweft_oracle::world::data;
use timeweft_source::tables::{self, VersionFacts};
use timeweft_source::{SourceError, TablesOptions};

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn read_into(folder: &Path, mapping: &str, root: Option<&Path>, schema: Schema) -> Result<Version, SourceError> {
    let path = folder.join("map.toml");
    std::fs::write(&path, mapping).unwrap();
    let mut version = Version::new(schema);
    let options = TablesOptions { root: root.map(Path::to_owned) };
    tables::read(&path, &options, &mut version).map(|()| version)
}

fn try_read(mapping: &str, files: &[(&str, &str)]) -> Result<Version, SourceError> {
    read_into(folder(files).path(), mapping, None, Schema::new(TimeUnit::Second))
}

fn read(mapping: &str, files: &[(&str, &str)]) -> Version {
    try_read(mapping, files).unwrap()
}

/// The error without the folder.
fn error(mapping: &str, files: &[(&str, &str)]) -> String {
    let text = try_read(mapping, files).unwrap_err().to_string();
    text.split(": ").map(|part| part.rsplit('/').next().unwrap()).collect::<Vec<_>>().join(": ")
}

fn nodes(version: &Version) -> Vec<String> {
    let feature = |(name, value): &(timeweft_graph::Name, Value)| format!(" {name}={value}");
    let node = |node: &timeweft_oracle::Listed<timeweft_graph::NodeKey>| {
        format!("{}{}", node.key, node.features.iter().map(feature).collect::<String>())
    };
    version.nodes.iter().map(node).collect()
}

fn edges(version: &Version) -> Vec<String> {
    version.edges.iter().map(|edge| edge.key.to_string()).collect()
}

fn rejects(version: &Version) -> Vec<String> {
    version.rejects.iter().map(|reject| reject.to_string().rsplit('/').next().unwrap().to_owned()).collect()
}

const SHOP: &str = r#"
null = ["", "\\N"]

[[nodes]]
file = "users.csv"
type = "user"
id = "id"
features = { name = "text", age = "int", height = "float", club = { kind = "category", column = "team" }, member = "bool", born = "time", point = "[f32]", tags = { kind = "json", order = "set" }, small = "u8" }

[[edges]]
file = "users.csv"
relation = "invited_by"
source = { type = "user", column = "id" }
destination = { type = "user", column = "by" }
"#;

const USERS: &str = "id,name,age,height,team,member,born,point,tags,small,by\n\
    1,\"a\n\"\"b\"\"\",7,1.5,x,true,1970-01-02,\"[1,2.5]\",\"[2,1,2]\",255,\n\
    2,\\N,-3,2,\\N,0,,,,,1\n\
    02, padded ,,,,,86400,,,,2\n";

#[test]
fn cells_become_values_of_their_kinds() {
    let version = read(SHOP, &[("users.csv", USERS)]);
    let number = |number: i64| ValueRef::Int(number).to_value();
    let expected: Vec<(&str, Value)> = vec![
        ("age", number(7)),
        ("born", number(86400)),
        ("club", Value::Category("x".into())),
        ("height", Value::number(1.5)),
        ("member", Value::Json(true.into())),
        ("name", Value::text("a\n\"b\"")),
        ("point", Value::floats(&[1.0, 2.5])),
        (
            "small",
            Value::Dense(timeweft_graph::Dense { numbers: timeweft_graph::Numbers::U8(vec![255]), scalar: true }),
        ),
        ("tags", Value::Json(serde_json::json!([1, 2]))),
    ];
    let mut found: Vec<_> = version.nodes[0].features.iter().map(|(name, value)| (&**name, value.clone())).collect();
    found.sort_by_key(|(name, _)| *name);
    assert_eq!(found, expected);
    assert_eq!(nodes(&version)[1..], ["user 2 age=-3 height=2.0 member=false", "user 02 born=86400 name= padded "]);
    let user = Owner::Node(version.schema.node_type("user").unwrap());
    let (_, def) = version.schema.feature(user, "tags").unwrap();
    assert_eq!((def.kind, def.order), (FeatureKind::Json, ListOrder::Set));
    assert_eq!(edges(&version), ["user 2 -invited_by-> user 1", "user 02 -invited_by-> user 2"]);
    assert_eq!(version.edges[0].place.line, 4, "a row of several lines stands where it begins, and the next behind it");
    assert_eq!(rejects(&version), [""; 0]);
    let fields = version.format.fields.unwrap();
    assert_eq!((&*version.format.name, fields.len(), fields[0].1.len()), ("tables", 2, 9));
}

#[test]
fn a_wrong_cell_rejects_its_record_with_line_and_column() {
    let header = USERS.lines().next().unwrap();
    let rows = "1,a,x,,,,,,,,\n2,a,1.5,,,,,,,,\n3,a,,much,,,,,,,\n4,a,,,,yes,,,,,\n5,a,,,,,today,,,,\n6,a,,,,,,\"[1,\",,,\n7,a,,,,,,,,256,\n\
        ,a,,,,,,,,,\n8,a\n9,a,,,,,,,,,\n";
    let version = read(SHOP, &[("users.csv", &format!("{header}\n{rows}"))]);
    assert_eq!(nodes(&version), ["user 9 name=a"]);
    let found = rejects(&version);
    let starts = [
        "users.csv:2: column `age`: expected a number of type i64, got `x`",
        "users.csv:3: column `age`: expected a number of type i64, got `1.5`",
        "users.csv:4: column `height`: expected a number of type f64, got `much`",
        "users.csv:5: column `member`: expected true or false",
        "users.csv:6: column `born`: expected ticks, a date or an RFC 3339 time, got `today`",
        "users.csv:7: column `point`: ",
        "users.csv:8: column `small`: expected a number of type u8, got `256`",
        "users.csv:9: column `id` is empty",
        "users.csv:10: 2 cells, but 11 columns",
        "users.csv:9: column `id` is empty",
        "users.csv:10: 2 cells, but 11 columns",
    ];
    for (found, start) in found.iter().zip(starts) {
        assert!(found.starts_with(start), "{found} / {start}");
    }
    assert_eq!(found.len(), starts.len(), "{found:?}");
}

#[test]
fn types_relations_and_keys_come_from_columns() {
    let mapping = r#"
        [[nodes]]
        file = "things.tsv"
        type = { column = "kind" }
        id = "id"
        features = "*"
        except = ["note"]

        [[edges]]
        file = "links.txt"
        format = "txt"
        delimiter = ";"
        columns = ["a", "ta", "r", "b", "k", "w"]
        relation = { column = "r" }
        source = { type = { column = "ta" }, column = "a" }
        destination = { type = "user", column = "b" }
        key = "k"
        features = { weight = { column = "w", kind = "f32" } }

        [[merges]]
        file = "things.tsv"
        from = { type = { column = "kind" }, column = "id" }
        into = { type = "user", column = "became" }
        features = { why = { column = "note", kind = "category" } }

        [[deleted]]
        file = "gone.csv"
        type = "item"
        id = "id"
    "#;
    let things = "kind\tid\tcolour\tnote\tbecame\nuser\tu1\tred\tn\t\nitem\ti1\tblue\tm\tu1\n";
    let links = "i1;item;likes;u1;k1;0.1\nu1;user;likes;u1;;\n";
    let version = read(mapping, &[("things.tsv", things), ("links.txt", links), ("gone.csv", "id\ni9\n")]);
    assert_eq!(nodes(&version), ["user u1 colour=red", "item i1 colour=blue became=u1"]);
    assert_eq!(edges(&version)[1], "user u1 -likes-> user u1");
    assert_eq!((version.edges[0].key.key.as_deref(), version.edges[1].key.key.as_deref()), (Some("k1"), None));
    assert_eq!(version.edges[0].features[0].1.to_json(), serde_json::json!(0.1));
    let merge = &version.merges[0];
    assert_eq!(
        (merge.from.to_string(), merge.into.to_string(), version.merges.len()),
        ("item i1".into(), "user u1".into(), 1)
    );
    assert_eq!(merge.features, [("why".into(), Some(Value::Category("m".into())))]);
    assert_eq!(version.deleted[0].node.to_string(), "item i9");
    assert_eq!(version.format.fields, None, "the columns tell the fields, and not the mapping");
}

#[test]
fn json_lines_are_typed() {
    let mapping = "[[nodes]]\nfile = \"a.jsonl\"\ntype = \"n\"\nid = \"id\"\nfeatures = \"*\"\n";
    let text = "{\"id\":1,\"x\":1.5,\"t\":\"a\\n\",\"list\":[],\"none\":null}\n\n{\"id\":\"b\",\"list\":[1,2],\"late\":{\"k\":1}}\n\
        {\"id\":1.5}\n{\"id\":\"\"}\n{\"x\":1}\n{\"id\":3,\"x\":\"no\"}\n{\"id\":4,\n";
    let version = read(mapping, &[("a.jsonl", text)]);
    assert_eq!(nodes(&version), ["n 1 x=1.5 t=a\n list=[]", "n b list=[1.0,2.0] late={\"k\":1}"]);
    let found = rejects(&version);
    let starts = [
        "a.jsonl:4: column `id`: expected a text or a whole number as id, got `1.5`",
        "a.jsonl:5: column `id`: an empty text is no id",
        "a.jsonl:6: column `id` is empty",
        "a.jsonl:7: column `x`: expected a number of type f64, got `\"no\"`",
        "a.jsonl:8: EOF",
    ];
    for (found, start) in found.iter().zip(starts) {
        assert!(found.starts_with(start), "{found} / {start}");
    }
    assert_eq!(found.len(), starts.len(), "{found:?}");
    let typed = mapping.replace("\"*\"", "{ when = \"time\", yes = \"bool\", c = \"category\" }");
    let text = "{\"id\":1,\"when\":\"1970-01-01T00:01:00Z\",\"yes\":true,\"c\":\"k\"}\n{\"id\":2,\"when\":7}\n{\"id\":3,\"yes\":1}\n";
    let version = read(&typed, &[("a.jsonl", text)]);
    assert_eq!(nodes(&version), ["n 1 when=60 yes=true c=k", "n 2 when=7"]);
    assert_eq!(rejects(&version), ["a.jsonl:3: column `yes`: expected true or false, got `1`"]);
}

#[test]
fn a_first_empty_list_of_json_lines_is_a_value() {
    let mapping = "[[nodes]]\nfile = \"a.jsonl\"\ntype = \"n\"\nid = \"id\"\nfeatures = \"*\"\n";
    let lines = [
        "{\"id\":1,\"l\":[],\"t\":[],\"e\":[]}\n",
        "{\"id\":2,\"l\":[1,2],\"t\":[\"a\"],\"e\":[]}\n",
        "{\"id\":3,\"l\":[3]}\n",
    ];
    let of = |order: [usize; 3]| {
        let text: String = order.iter().map(|at| lines[*at]).collect();
        let version = read(mapping, &[("a.jsonl", &text)]);
        assert!(rejects(&version).is_empty());
        let mut all: Vec<_> = version.nodes.into_iter().map(|node| (node.key, node.features)).collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    };
    let list = |values: Vec<f64>| Value::Dense(Dense { numbers: Numbers::F64(values), scalar: false });
    let first = of([0, 1, 2]);
    let json = |value| Value::Json(value);
    assert_eq!(
        first[0].1,
        [
            ("l".into(), list(vec![])),
            ("t".into(), json(serde_json::json!([]))),
            ("e".into(), json(serde_json::json!([])))
        ]
    );
    assert_eq!(first[1].1[0].1, list(vec![1.0, 2.0]));
    assert_eq!(first, of([2, 1, 0]));
    assert_eq!(first, of([1, 0, 2]));
}

#[test]
fn what_the_graph_knows_stays_and_contradictions_are_refused() {
    let files = folder(&[("a.csv", "id,x\n1,5\n")]);
    let mut schema = Schema::new(TimeUnit::Second);
    let node = schema.add_node_type(&"n".into()).unwrap();
    let kind = ValueRef::Int(0).kind();
    let def = timeweft_graph::FeatureDef { name: "x".into(), kind, order: ListOrder::List };
    schema.add_feature(Owner::Node(node), def).unwrap();
    let mapping = "[[nodes]]\nfile = \"a.csv\"\ntype = \"n\"\nid = \"id\"\nfeatures = \"*\"\n";
    let version = read_into(files.path(), mapping, None, schema.clone()).unwrap();
    assert_eq!(version.nodes[0].features[0].1, ValueRef::Int(5).to_value());
    let text = mapping.replace("\"*\"", "{ x = \"text\" }");
    let error = read_into(files.path(), &text, None, schema).unwrap_err().to_string();
    let expected = "feature `x` of n holds i64 in this graph, and text in the mapping: give it another name, or \
                    the kind that it has";
    assert!(error.ends_with(expected) && error.contains("map.toml: "), "{error}");
}

#[test]
fn reserved_names_are_refused_and_may_be_given_anew() {
    let mapping = "[[nodes]]\nfile = \"a.csv\"\ntype = \"n\"\nid = \"id\"\nfeatures = { FEATURE }\n";
    for name in ["_key", "created", "expired", "first_version", "_collection"] {
        let files = [("a.csv", format!("id,{name}\n1,5\n"))];
        let files = files.each_ref().map(|(file, text)| (*file, text.as_str()));
        let found = error(&mapping.replace("FEATURE", &format!("{name} = \"int\"")), &files);
        assert!(found.starts_with(&format!("map.toml:5: feature `{name}` has a reserved name")), "{found}");
        let found = error(&mapping.replace("{ FEATURE }", "\"*\""), &files);
        assert!(found.starts_with(&format!("map.toml: column `{name}` has a reserved name")), "{found}");
        let renamed = mapping.replace("FEATURE", &format!("theirs = {{ column = \"{name}\", kind = \"int\" }}"));
        assert_eq!(nodes(&read(&renamed, &files)), ["n 1 theirs=5"]);
        let without = mapping.replace("{ FEATURE }", &format!("\"*\"\nexcept = [\"{name}\"]"));
        assert_eq!(nodes(&read(&without, &files)), ["n 1"]);
    }
    let json = mapping.replace("a.csv", "a.jsonl").replace("{ FEATURE }", "\"*\"");
    let found = error(&json, &[("a.jsonl", "{\"id\":1}\n{\"id\":2,\"_to\":3}\n")]);
    assert!(found.starts_with("map.toml: column `_to` has a reserved name"), "{found}");
}

#[test]
fn tables_that_do_not_fit_are_named() {
    let mapping = "[[nodes]]\nfile = \"a.csv\"\ntype = \"n\"\nid = \"ID\"\n";
    let expected = "a.csv: the mapping asks for column `ID`, which is not there; the columns are: id, x";
    assert_eq!(error(mapping, &[("a.csv", "id,x\n")]), expected);
    assert!(matches!(try_read(mapping, &[]), Err(SourceError::Open { path, .. }) if path.ends_with("a.csv")));
    assert!(error(mapping, &[("a.csv", "")]).starts_with("a.csv: there is no header"));
    assert!(error(mapping, &[("a.csv", "ID,ID\n")]).starts_with("a.csv: column `ID` is there twice"));
    assert!(error(&mapping.replace("a.csv", "a.xls"), &[]).contains("unknown kind of table `xls`"));
}

#[test]
fn one_mapping_serves_many_folders() {
    let mapping = "root = \" sub \"\n[[nodes]]\nfile = \"a.csv\"\ntype = \"n\"\nid = \"id\"\n";
    let (files, other) = (folder(&[]), folder(&[("a.csv", "id\n3\n4\n")]));
    std::fs::create_dir(files.path().join("sub")).unwrap();
    std::fs::write(files.path().join("sub/a.csv"), "id\n1\n").unwrap();
    let schema = Schema::default();
    assert_eq!(nodes(&read_into(files.path(), mapping, None, schema.clone()).unwrap()), ["n 1"]);
    assert_eq!(nodes(&read_into(files.path(), mapping, Some(other.path()), schema).unwrap()), ["n 3", "n 4"]);
}

fn facts(text: &str) -> Result<Option<VersionFacts>, String> {
    let folder = folder(&[("map.toml", text)]);
    tables::facts(&folder.path().join("map.toml"))
        .map_err(|error| error.to_string().rsplit('/').next().unwrap().to_owned())
}

const FACTS: &str =
    "[version]\nnamespace = \"  ns \"\nload-version = \" v1\\t\"\nload-timestamp = 12365.0\nrelease-timestamp = -7\n";

/// The mapping is what the configuration file is at KBase. Without a counterpart are the cases of its database: url,
/// database, username, and the password from the environment (there is no server to log in to), and those of the registry,
/// node, edge and merge collections (types and relations are named by the entries, and merges need no place of their own,
/// so none can be missing). `release-timestamp` is required there and may be absent here.
#[test]
fn the_version_is_read_strictly() {
    let expected = VersionFacts {
        namespace: "ns".into(),
        load_version: "v1".into(),
        load_timestamp: Time(12365),
        release_timestamp: Some(Time(-7)),
    };
    assert_eq!(facts(FACTS), Ok(Some(expected.clone())));
    let without = FACTS.replace("release-timestamp = -7\n", "");
    assert_eq!(facts(&without), Ok(Some(VersionFacts { release_timestamp: None, ..expected })));
    assert_eq!(facts("root = \"  \"\n"), Ok(None), "an optional text of white space is absent");
    for (from, to, problem) in [
        ("12365.0", "3.14", "map.toml:4: 3.14 is no whole number of ticks"),
        ("12365.0", "\"12365\"", "map.toml:4: a text is no value here, expected a whole number of ticks"),
        ("12365.0", "[1]", "map.toml:4: invalid type: sequence, expected a whole number of ticks"),
        ("-7", "\"-7\"", "map.toml:5: a text is no value here, expected a whole number of ticks"),
        ("-7", "1e300", "map.toml:5: "),
        ("\" v1\\t\"", "\"  \"", "map.toml:3: an empty text names nothing"),
        ("\" v1\\t\"", "1", "map.toml:3: a number is no value here, expected a text"),
        ("\" v1\\t\"", "[\"v1\"]", "map.toml:3: invalid type: sequence, expected a text"),
        ("namespace", "namespaces", "map.toml:2: unknown field `namespaces`"),
        ("[version]", "[versions]", "map.toml:1: unknown field `versions`"),
        ("[version]", "[version", "map.toml:1: "),
    ] {
        let found = facts(&FACTS.replace(from, to)).unwrap_err();
        assert!(found.starts_with(problem), "{found}");
    }
    for key in ["namespace", "load-version", "load-timestamp"] {
        let lines: Vec<&str> = FACTS.lines().filter(|line| !line.starts_with(key)).collect();
        let found = facts(&lines.join("\n")).unwrap_err();
        assert_eq!(found, format!("map.toml:1: missing field `{key}`"));
    }
}

#[test]
fn every_key_of_an_entry_is_needed_and_known() {
    let whole = "[[edges]]\nfile = \"a.csv\"\nrelation = \"r\"\nsource = { type = \"a\", column = \"x\" }\n\
        destination = { type = \"b\", column = \"y\" }\nkey = \"  \"\n";
    assert_eq!(facts(whole), Ok(None));
    for key in ["file", "relation", "source", "destination"] {
        let lines: Vec<&str> = whole.lines().filter(|line| !line.starts_with(key)).collect();
        assert_eq!(facts(&lines.join("\n")).unwrap_err(), format!("map.toml:1: missing field `{key}`"));
    }
    for (from, to, problem) in [
        (", column = \"x\"", "", "map.toml:4: missing field `column`"),
        ("type = \"a\", ", "", "map.toml:4: missing field `type`"),
        ("\"a.csv\"", "3", "map.toml:2: a number is no value here, expected a text"),
        ("\"r\"", "{ columns = \"r\" }", "map.toml:3: unknown field `columns`"),
        ("key", "keys", "map.toml:6: unknown field `keys`"),
        ("key = \"  \"", "features = \"all\"", "map.toml:6: `all`: expected a table of features, or \"*\""),
        ("key = \"  \"", "features = { f = \"str\" }", "map.toml:6: `str` is no kind"),
        (
            "key = \"  \"",
            "features = { f = { kind = \"text\", order = \"set\" } }",
            "map.toml:6: an order is for lists",
        ),
        ("key = \"  \"", "features = { f = { kind = \"json\", order = \"bag\" } }", "map.toml:6: `bag` is no order"),
    ] {
        let found = facts(&whole.replace(from, to)).unwrap_err();
        assert!(found.starts_with(problem), "{found} / {problem}");
    }
}

const F1: &str = r#"
null = ["", "\\N"]

[version]
namespace = "f1"
load-version = "all"
load-timestamp = 0

[[nodes]]
file = "drivers.csv"
type = "driver"
id = "driverId"
features = { surname = "text", number = "int", code = "category", born = { column = "dob", kind = "time" } }

[[nodes]]
file = "circuits.csv"
type = "circuit"
id = "circuitId"
features = { name = "text", lat = "float", lng = "float" }

[[nodes]]
file = "races.csv"
type = "race"
id = "raceId"
features = "*"
except = ["circuitId", "url"]

[[edges]]
file = "races.csv"
relation = "held_at"
source = { type = "race", column = "raceId" }
destination = { type = "circuit", column = "circuitId" }

[[edges]]
file = "results.csv"
relation = "drove_in"
source = { type = "driver", column = "driverId" }
destination = { type = "race", column = "raceId" }
key = "resultId"
features = { points = "float", laps = "int", rank = "int", position = "int" }
"#;

#[test]
fn a_warehouse_of_real_tables_is_read() {
    let Some(root) = data("tables_rel_f1", "rel_f1") else { return };
    let files = folder(&[]);
    let version = read_into(files.path(), F1, Some(&root), Schema::new(TimeUnit::Second)).unwrap();
    let records = |name: &str| csv::Reader::from_path(root.join(name)).unwrap().into_records().map(Result::unwrap);
    let of_type = |name: &str| version.nodes.iter().filter(|node| &*node.key.node_type == name).count();
    for (node_type, file) in [("driver", "drivers.csv"), ("circuit", "circuits.csv"), ("race", "races.csv")] {
        assert_eq!(of_type(node_type), records(file).count(), "{file}");
    }
    assert_eq!(version.edges.len(), records("races.csv").count() + records("results.csv").count());
    let position = version.edges.iter().filter(|edge| edge.features.iter().any(|(name, _)| &**name == "position"));
    let placed = records("results.csv").filter(|record| &record[6] != "\\N").count();
    assert!(placed < records("results.csv").count(), "some drivers have no position");
    assert_eq!(position.count(), placed);
    assert_eq!(rejects(&version), [""; 0]);
    let ids: std::collections::HashSet<_> = version.nodes.iter().map(|node| &node.key).collect();
    assert!(version.edges.iter().all(|edge| ids.contains(&edge.key.source) && ids.contains(&edge.key.destination)));
    let first = &nodes(&version)[0];
    assert_eq!(first, "driver 1 born=473904000 code=HAM number=44 surname=Hamilton");
}

#[cfg(feature = "columnar")]
mod columnar {
    use std::sync::Arc;

    use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, FloatType, Int32Type, Int64Type};
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    use super::*;

    const SCHEMA: &str = "message m {
        required int64 id;
        optional binary name (UTF8);
        required float x;
        required boolean yes;
        required int64 at (TIMESTAMP(MILLIS,true));
        required int64 precise (TIMESTAMP(NANOS,true));
        required int32 day (DATE);
        optional double y;
        required group point (LIST) { repeated group list { required float element; } }
    }";

    /// A file of two row groups with three rows.
    fn write(path: &Path) {
        let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
        let file = std::fs::File::create(path).unwrap();
        let mut writer = SerializedFileWriter::new(file, schema, Arc::default()).unwrap();
        for ids in [&[1i64, 2][..], &[3]] {
            let n = ids.len();
            let mut group = writer.next_row_group().unwrap();
            macro_rules! column {
                ($type:ty, $values:expr, $defined:expr, $repeated:expr) => {{
                    let mut column = group.next_column().unwrap().unwrap();
                    column.typed::<$type>().write_batch($values, $defined, $repeated).unwrap();
                    column.close().unwrap();
                }};
            }
            column!(Int64Type, ids, None, None);
            let levels: Vec<i16> = ids.iter().map(|id| i16::from(*id != 2)).collect();
            let names: Vec<_> =
                ids.iter().filter(|id| **id != 2).map(|id| ByteArray::from(&*format!("n\"{id}"))).collect();
            column!(ByteArrayType, &names, Some(&levels), None);
            column!(FloatType, &vec![0.1f32; n], None, None);
            column!(BoolType, &vec![true; n], None, None);
            column!(Int64Type, &vec![-1i64; n], None, None);
            column!(Int64Type, &vec![2_000_000_001i64; n], None, None);
            column!(Int32Type, &vec![1i32; n], None, None);
            column!(DoubleType, &[], Some(&vec![0i16; n]), None);
            let elements: Vec<f32> = ids.iter().flat_map(|id| [*id as f32, 0.5]).collect();
            let starts: Vec<i16> = ids.iter().flat_map(|_| [0, 1]).collect();
            column!(FloatType, &elements, Some(&vec![1i16; 2 * n]), Some(&starts));
            group.close().unwrap();
        }
        writer.close().unwrap();
    }

    #[test]
    fn parquet_columns_have_their_kinds() {
        let files = folder(&[]);
        write(&files.path().join("a.parquet"));
        let mapping = "[[nodes]]\nfile = \"a.parquet\"\ntype = \"n\"\nid = \"id\"\nfeatures = \"*\"\n";
        let schema = Schema::new(TimeUnit::Second);
        let version = read_into(files.path(), mapping, None, schema.clone()).unwrap();
        let plain =
            |id: u8, name: &str| format!("n {id}{name} x=0.1 yes=true at=-1 precise=2 day=86400 point=[{id}.0,0.5]");
        let found = nodes(&version);
        let expected = [plain(1, " name=n\"1"), plain(2, ""), plain(3, " name=n\"3")];
        assert_eq!(found, expected);
        assert_eq!(version.nodes[2].place.line, 3, "a line is a row");
        let typed = mapping.replace("\"*\"", "{ point = \"[f32]\", x = \"text\" }");
        let version = read_into(files.path(), &typed, None, schema.clone()).unwrap();
        assert_eq!(rejects(&version)[0], "a.parquet:1: column `x`: expected a text, got `0.1`");
        let typed = mapping.replace("\"*\"", "{ point = \"[f32]\" }");
        let version = read_into(files.path(), &typed, None, schema).unwrap();
        assert_eq!(version.nodes[0].features[0].1, Value::floats(&[1.0, 0.5]));
        let steps = read_into(files.path(), mapping, None, Schema::new(TimeUnit::Step)).unwrap();
        let last = &nodes(&steps)[2];
        assert!(
            last.contains(
                " at=1969-12-31T23:59:59.999Z precise=1970-01-01T00:00:02.000000001Z day=1970-01-02T00:00:00Z "
            ),
            "steps have no calendar: {last}"
        );
    }

    #[test]
    fn a_file_that_is_no_parquet_is_named() {
        let files = folder(&[("a.parquet", "hello")]);
        let mapping = "[[nodes]]\nfile = \"a.parquet\"\ntype = \"n\"\nid = \"id\"\n";
        let error = read_into(files.path(), mapping, None, Schema::default()).unwrap_err().to_string();
        assert!(error.contains("a.parquet"), "{error}");
    }

    /// Of a damaged file some rows, or an error: never a panic.
    #[test]
    fn damaged_parquet_is_an_error() {
        let files = folder(&[]);
        let path = files.path().join("a.parquet");
        write(&path);
        let whole = std::fs::read(&path).unwrap();
        let mapping = "[[nodes]]\nfile = \"a.parquet\"\ntype = \"n\"\nid = \"id\"\nfeatures = \"*\"\n";
        let mut errors = 0;
        // Every fifth byte, with three kinds of damage in turn: all of them take half a minute.
        for at in (0..whole.len()).step_by(5) {
            let mut bytes = whole.clone();
            bytes[at] = [0, 0xff, whole[at] ^ 1][at % 3];
            std::fs::write(&path, bytes).unwrap();
            errors += u32::from(read_into(files.path(), mapping, None, Schema::new(TimeUnit::Second)).is_err());
        }
        assert!(errors > 0);
    }
}
