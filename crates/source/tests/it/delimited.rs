//! How delimited text is written: the same in event streams, mapped tables and roots.

use timeweft_graph::{Schema, TimeUnit};
use timeweft_oracle::Version;
use timeweft_source::{CsvOptions, CsvReader, Delimiter, Dialect, Mark, TablesOptions, tables};

use crate::replay::whole;

/// The source and the feature `title` of every row of an event stream, what was refused, and what was told.
fn events(text: &str, dialect: &Dialect) -> (Vec<String>, Vec<String>, Vec<String>) {
    let options = CsvOptions { dialect: dialect.clone(), ..CsvOptions::default() };
    let schema = Schema::new(TimeUnit::Second);
    let mut reader = CsvReader::new(text.as_bytes(), &"f".into(), &schema, &options).unwrap();
    let (mut rows, mut rejects) = (Vec::new(), Vec::new());
    for record in whole(|sink| reader.read(sink)) {
        match record {
            Ok(record) => {
                let title = record.0.features.iter().find(|(name, _)| &**name == "title");
                rows.extend(title.and_then(|(_, value)| value.as_ref()).map(ToString::to_string));
            }
            Err(reject) => rejects.push(reject.to_string()),
        }
    }
    (rows, rejects, reader.notes())
}

fn csv(text: &str) -> (Vec<String>, Vec<String>, Vec<String>) {
    events(text, &Dialect::default())
}

/// The same of a table of a mapping; `keys` stand in its entry.
fn table(file: &str, text: &str, keys: &str) -> (Vec<String>, Vec<String>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(file), text).unwrap();
    let mapping = format!(
        "[[nodes]]\nfile = \"{file}\"\ntype = \"title\"\nid = \"src\"\nfeatures = {{ title = \"text\" }}\n{keys}\n"
    );
    let path = folder.path().join("map.toml");
    std::fs::write(&path, mapping).unwrap();
    let mut version = Version::new(Schema::new(TimeUnit::Second));
    tables::read(&path, &TablesOptions::default(), &mut version).unwrap();
    let titles = version.nodes.iter().flat_map(|node| node.features.iter().map(|(_, value)| value.to_string()));
    let rejects = version.rejects.iter().map(|reject| reject.to_string().rsplit('/').next().unwrap().to_owned());
    let warnings = version.warnings.iter().map(|(_, message)| message.clone());
    (titles.collect(), rejects.collect(), warnings.collect())
}

const IMDB: &str = "time\tsrc\ttitle\n1\ttt1\t\"Swing it\" magistern\n2\ttt2\t\"Giliap\n3\ttt3\tPlain one\n4\ttt4\tSay \"Yes\"\n5\ttt5\t\"whole\"\n";
const TITLES: [&str; 5] = ["\"Swing it\" magistern", "\"Giliap", "Plain one", "Say \"Yes\"", "\"whole\""];

#[test]
fn tsv_quotes() {
    let tabs = Dialect::new(Delimiter::Byte(b'\t'));
    assert_eq!(events(IMDB, &tabs), (TITLES.map(str::to_owned).to_vec(), vec![], vec![]));
    assert_eq!(table("title.tsv", IMDB, ""), (TITLES.map(str::to_owned).to_vec(), vec![], vec![]));
    // With commas and without quotation marks too.
    let commas = IMDB.replace('\t', ",");
    let none = Dialect { quote: Mark::Absent, ..Dialect::default() };
    assert_eq!(events(&commas, &none).0, TITLES);
    assert_eq!(table("title.csv", &commas, "quote = \"none\"").0, TITLES);
}

#[test]
fn tables_of_tabs_that_are_quoted_are_told_by_their_header_or_by_name() {
    let tabs = Dialect::new(Delimiter::Byte(b'\t'));
    let quoted = "\"time\"\t\"src\"\t\"title\"\n\"1\"\t\"a\"\t\"x\ty\n\"\"z\"\"\"\n";
    let read =
        (vec!["x\ty\n\"z\"".to_owned()], vec![], vec!["cells are quoted, as those of the first row are".to_owned()]);
    assert_eq!(events(quoted, &tabs), read);
    assert_eq!(table("x.tsv", quoted, ""), read);
    // pandas quotes what needs it alone.
    let partly = "time\tsrc\ttitle\n1\ta\t\"say \"\"hi\"\"\"\n2\tb\t\"x\ty\"\n3\tc\tz\n";
    let (rows, rejects, _) = events(partly, &tabs);
    assert_eq!(rows, ["z"]);
    assert!(rejects[0].starts_with("f:2: cell 3 looks quoted as in CSV: --quote '\"'"), "{rejects:?}");
    assert!(rejects[1].starts_with("f:3: expected 3 cells, got 4; if its cells are quoted: --quote"), "{rejects:?}");
    let quotes = Dialect { quote: Mark::Byte(b'"'), ..tabs };
    assert_eq!(events(partly, &quotes).0, ["say \"hi\"", "x\ty", "z"]);
    assert_eq!(table("x.tsv", partly, "quote = '\"'").0, ["say \"hi\"", "x\ty", "z"]);
}

#[test]
fn a_quoted_cell_that_never_closes_is_one_rejected_line() {
    let rest: String = (0..1000).map(|at| format!("{at},n{at},t{at}\n")).collect();
    let expected: Vec<String> = (0..1000).map(|at| format!("t{at}")).collect();
    let (rows, rejects, _) = csv(&format!("time,src,title\n1,x,\"open\n{rest}"));
    assert_eq!(rows, expected);
    assert_eq!(rejects.len(), 1);
    assert!(rejects[0].starts_with("f:2: cell 3 begins with a quotation mark and never closes: "), "{rejects:?}");
    // What would close it may be the mark of a later cell.
    let (rows, rejects, _) = csv("time,src,title\n1,x,\"open\n2,y,b\n3,z,\"c, d\"\n4,w,\"\"\"e\"\"\"\n");
    assert_eq!(rows, ["b", "c, d", "\"e\""]);
    assert!(rejects[0].starts_with("f:2: cell 3 goes on behind its closing quotation mark"), "{rejects:?}");
    let (rows, rejects, _) = table("x.csv", &format!("time,src,title\n1,x,\"open\n{rest}"), "");
    assert_eq!((rows, rejects.len()), (expected, 1));
    assert!(rejects[0].starts_with("x.csv:2: "), "{rejects:?}");
    // Lines before the cell that stays open belong to its row.
    let (rows, rejects, _) = csv("time,src,title\n1,\"a\nb\",\"open\n2,y,t\n");
    assert_eq!((rows, rejects.len()), (vec!["t".to_owned()], 1));
}

#[test]
fn a_mark_inside_a_cell_quotes_nothing() {
    let (rows, rejects, _) = csv("time,src,title\n1,a,5\" disk\n2,b,say \"yes\"\n3,c,\"x\"\"y\"\n4,d,\"\"\n");
    assert_eq!((rows, rejects), (["5\" disk", "say \"yes\"", "x\"y"].map(str::to_owned).to_vec(), vec![]));
    let (rows, rejects, _) = csv("time,src,title\n1,a,\"Swing it\" magistern\n2,b,t\n");
    assert_eq!(rows, ["t"]);
    assert!(rejects[0].contains("goes on behind its closing quotation mark"), "{rejects:?}");
}

#[test]
fn lines_may_end_in_quoted_cells_and_are_counted() {
    for end in ["\n", "\r\n", "\r"] {
        let text = format!("\u{feff}time,src,title{end}1,a,\"x{end}y\"{end}{end}2,b,z{end}3,c{end}4,d,\"w\"");
        let (rows, rejects, _) = csv(&text);
        assert_eq!(rows, [format!("x{end}y"), "z".into(), "w".into()]);
        assert_eq!(rejects, ["f:6: expected 3 cells, got 2"]);
    }
}

#[test]
fn backslash_csv() {
    // As Spark writes it.
    let text = "\"time\",\"src\",\"title\"\n\"1\",\"n1\",\"plain\"\n\"2\",\"n2\",\"he said \\\"hi\\\", then left\"\n\
        \"3\",\"n3\",\"ends with \\\"quote\\\"\"\n\"4\",\"n4\",\"C:\\\\dir\\\\\"\n\"5\",\"n5\",\"after\"\n";
    let titles = ["plain", "he said \"hi\", then left", "ends with \"quote\"", "C:\\dir\\", "after"].map(str::to_owned);
    let told = vec!["backslashes escape quotation marks, as line 3 shows".to_owned()];
    assert_eq!(csv(text), (titles.to_vec(), vec![], told.clone()));
    assert_eq!(table("n.csv", text, ""), (titles.to_vec(), vec![], told));
    let escaped = Dialect { escape: Mark::Byte(b'\\'), ..Dialect::default() };
    assert_eq!(events(text, &escaped), (titles.to_vec(), vec![], vec![]));
    assert_eq!(table("n.csv", text, "escape = '\\'").0, titles);
}

#[test]
fn a_backslash_before_a_mark_is_refused_by_name_where_nothing_tells_what_it_means() {
    let text = "time,src,title\n1,a,\"C:\\dir\\\"\n2,b,\"x\\ny\"\n";
    let (rows, rejects, _) = csv(text);
    assert_eq!(rows, ["x\\ny"], "a backslash elsewhere is one");
    assert!(rejects[0].starts_with("f:2: cell 3 has a backslash before a quotation mark: --escape"), "{rejects:?}");
    let none = Dialect { escape: Mark::Absent, ..Dialect::default() };
    assert_eq!(events(text, &none).0, ["C:\\dir\\", "x\\ny"]);
    assert_eq!(table("x.csv", text, "escape = \"none\"").0, ["C:\\dir\\", "x\\ny"]);
    // Without quotation marks an escape works everywhere.
    let bare = Dialect { quote: Mark::Absent, escape: Mark::Byte(b'\\'), ..Dialect::default() };
    assert_eq!(events("time,src,title\n1,a,x\\,y\\\\\\n\n2,b,z\n", &bare).0, ["x,y\\\\n", "z"]);
}

#[test]
fn comments_are_passed_over_or_named() {
    let text = "# made today\n%\ntime,src,title\n1,a,x\n# 1 row\n2,#b,y\n";
    let (rows, rejects, notes) = csv(text);
    assert_eq!(rows, ["x", "y"]);
    assert_eq!(rejects, ["f:5: expected 3 cells, got 1; if it is a comment: --comment '#' (in a mapping `comment`)"]);
    assert_eq!(notes, ["2 lines were passed over as comments"]);
    let comments = Dialect { comment: Some(vec!["#".into(), "%".into()]), ..Dialect::default() };
    assert_eq!(events(text, &comments), (vec!["x".into(), "y".into()], vec![], vec![]));
    let (rows, rejects, _) = table("x.csv", text, "comment = [\"#\", \"%\"]");
    assert_eq!((rows, rejects), (vec!["x".to_owned(), "y".to_owned()], vec![]));
    assert_eq!(table("x.csv", "#a\ntime,src,title\n1,a,x\n", "comment = \"#\"").0, ["x"]);
}

#[test]
fn a_header_may_be_replaced_or_absent() {
    let names = || Some(["time", "src", "title"].map(str::to_owned).to_vec());
    let read = |text: &str, header| {
        let dialect = Dialect { header, ..Dialect::default() };
        let options = CsvOptions { dialect, columns: names(), ..CsvOptions::default() };
        let schema = Schema::new(TimeUnit::Second);
        let mut reader = CsvReader::new(text.as_bytes(), &"f".into(), &schema, &options).unwrap();
        whole(|sink| reader.read(sink)).into_iter().filter(Result::is_ok).count()
    };
    assert_eq!((read("1,a,x\n2,b,y\n", None), read("when,who,what\n2,b,y\n", Some(true))), (2, 1));
    let dialect = Dialect { header: Some(false), ..Dialect::default() };
    let options = CsvOptions { dialect, ..CsvOptions::default() };
    let refused = CsvReader::new("1,a,x\n".as_bytes(), &"f".into(), &Schema::new(TimeUnit::Second), &options).err();
    assert!(refused.unwrap().to_string().contains("--columns"));
    let keys = "columns = [\"time\", \"src\", \"title\"]\nheader = true";
    assert_eq!(table("x.csv", "when,who,what\n2,b,y\n", keys).0, ["y"]);
    assert_eq!(table("x.csv", "2,b,y\n", "columns = [\"time\", \"src\", \"title\"]").0, ["y"]);
}

#[test]
fn marks_that_mean_two_things_are_refused() {
    for (dialect, problem) in [
        (Dialect { quote: Mark::Byte(b','), ..Dialect::default() }, "`,` cannot be the delimiter and the quote"),
        (Dialect { escape: Mark::Byte(b'\n'), ..Dialect::default() }, "the end of a line cannot be the escape"),
        (Dialect { comment: Some(vec![String::new()]), ..Dialect::default() }, "an empty comment mark"),
        (
            Dialect { quote: Mark::Byte(b'"'), ..Dialect::new(Delimiter::Whitespace) },
            "words between spaces have no quote",
        ),
    ] {
        let options = CsvOptions { dialect, ..CsvOptions::default() };
        let error = CsvReader::new("".as_bytes(), &"f".into(), &Schema::new(TimeUnit::Step), &options).err().unwrap();
        assert!(error.to_string().contains(problem), "{error}");
    }
}

#[test]
fn other_marks_quote_too() {
    let dialect = Dialect { quote: Mark::Byte(b'\''), ..Dialect::new(Delimiter::Byte(b';')) };
    assert_eq!(events("time;src;title\n1;a;'x;''y'''\n2;b;\"z\n", &dialect).0, ["x;'y'", "\"z"]);
}
