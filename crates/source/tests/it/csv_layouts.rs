//! Columns with common names, and the collections whose files are known.

use std::path::Path;

use timeweft_graph::{DType, Dense, Element, Event, NodeKey, Numbers, Schema, Time, TimeUnit, Value};
use timeweft_source::event_stream::detect;
use timeweft_source::{CsvOptions, CsvReader, Layout};

use crate::csv::{header_error, read};
use crate::replay::{edge, node, whole};

fn laid_out(text: &str, options: &CsvOptions) -> (Vec<Event>, Vec<String>) {
    let mut reader = CsvReader::new(text.as_bytes(), &"f".into(), &Schema::new(TimeUnit::Second), options).unwrap();
    let events = whole(|sink| reader.read(sink)).into_iter().map(|record| record.unwrap().0).collect();
    (events, reader.notes())
}

fn refused(text: &str, options: &CsvOptions) -> String {
    CsvReader::new(text.as_bytes(), &"f".into(), &Schema::new(TimeUnit::Second), options).err().unwrap().to_string()
}

#[test]
fn common_headers_are_known_and_told() {
    for (header, told) in [
        ("source,target,time", "columns: `target` is the destination"),
        ("Source,Target,Time", "columns: `Source` is the source, `Target` is the destination, `Time` is the time"),
        ("from,to,timestamp", "columns: `from` is the source, `to` is the destination, `timestamp` is the time"),
        ("user,item,ts", "columns: `user` is the source, `item` is the destination, `ts` is the time"),
        ("head,tail,t", "columns: `head` is the source, `tail` is the destination, `t` is the time"),
        ("u,v,t", "columns: `u` is the source, `v` is the destination, `t` is the time"),
        ("SRC,DST,Date", "columns: `SRC` is the source, `DST` is the destination, `Date` is the time"),
    ] {
        let (events, notes) = laid_out(&format!("{header}\n1,2,3\n"), &CsvOptions::default());
        let expected = Element::Edge(edge(node("node", 1), "link", node("node", 2), None));
        assert_eq!((&events[0].element, events[0].time), (&expected, Time(3)), "{header}");
        assert_eq!(notes, [told]);
    }
}

#[test]
fn documented_names_come_first_and_are_not_told() {
    let (events, notes) = laid_out("src,dst,time,from,to,date\n1,2,3,x,y,z\n", &CsvOptions::default());
    let names: Vec<&str> = events[0].features.iter().map(|(name, _)| &**name).collect();
    assert_eq!((names, notes.len()), (vec!["from", "to", "date"], 0));
}

#[test]
fn what_could_mean_two_things_is_an_error_that_says_what_to_do() {
    for (header, columns) in [
        ("from,to,user,item,time", "several columns could be the source: `from` and `user`"),
        ("source,target,from,to,time", "several columns could be the source: `source` and `from`"),
        ("source,target,dest,time", "several columns could be the destination: `target` and `dest`"),
        ("src,dst,ts,date", "several columns could be the time: `ts` and `date`"),
        ("SRC,Source,dst,time", "several columns could be the source: `SRC` and `Source`"),
    ] {
        let told = header_error(&format!("{header}\n"));
        assert!(told.contains(columns) && told.contains("--columns"), "{header}: {told}");
    }
    assert!(header_error("user,time\n").contains("no column `src` or `source`"), "half a pair is none");
}

#[test]
fn rows_without_a_time_take_one_for_all() {
    let options = CsvOptions { time: Some(Time(7)), ..CsvOptions::default() };
    assert_eq!(laid_out("src,dst\n1,2\n", &options).0[0].time, Time(7));
    assert_eq!(laid_out("src,dst,time\n1,2,3\n", &options).0[0].time, Time(3));
    assert!(header_error("src,dst\n1,2\n").contains("--time T"));
}

#[test]
fn konect_size_line() {
    let text = "% asym posweighted\n% 3 3 3\n1 2 1 1082008561\n1 3 1\t1082008600\n2 3 2 1082414391.0\n";
    let (events, notes) = laid_out(text, &CsvOptions::laid_out(Layout::Konect));
    assert_eq!(events.len(), 3, "the line of sizes is no edge");
    assert_eq!(events[2].element, Element::Edge(edge(node("node", 2), "link", node("node", 3), None)));
    assert_eq!(
        (events[2].time, &events[2].features),
        (Time(1082414391), &vec![("weight".into(), Some(Value::number(2.0)))])
    );
    assert_eq!(notes, ["KONECT: the columns are src, dst, weight, time"]);
    // Read as words with columns of the caller, comments are passed over as well, and told.
    let columns = ["source", "destination", "weight", "time"].map(str::to_owned).to_vec();
    let options =
        CsvOptions { columns: Some(columns), ..CsvOptions::delimited(timeweft_source::Delimiter::Whitespace) };
    let (same, notes) = laid_out(text, &options);
    assert_eq!(same, events);
    assert_eq!(notes, ["2 lines were passed over as comments"]);
}

#[test]
fn konect_tells_its_form_and_lacks_columns() {
    let (events, notes) = laid_out("% bip unweighted\n1 1 1 5\n", &CsvOptions::laid_out(Layout::Konect));
    assert_eq!(events[0].element, Element::Edge(edge(node("left", 1), "link", node("right", 1), None)), "two nodes");
    assert!(notes[0].contains("bipartite"), "{notes:?}");
    let untimed = "% sym unweighted\n1 2\n";
    assert!(refused(untimed, &CsvOptions::laid_out(Layout::Konect)).contains("--time T"));
    let options = CsvOptions { time: Some(Time(0)), ..CsvOptions::laid_out(Layout::Konect) };
    let (events, notes) = laid_out(untimed, &options);
    assert_eq!(events[0].element, Element::Edge(edge(node("node", 1), "link", node("node", 2), None)));
    assert!(notes[0].contains("undirected"), "{notes:?}");
    assert!(refused("1 2 3 4 5\n", &options).contains("2 to 4 columns, this one has 5"));
}

#[test]
fn snap_is_words_with_comments() {
    let (events, notes) = laid_out("# a network\n1 2 1082040961\n", &CsvOptions::laid_out(Layout::Snap));
    assert_eq!((events.len(), events[0].time), (1, Time(1082040961)));
    assert_eq!(notes, ["SNAP: the columns are src, dst, time"]);
    let signed = "# Directed\n# FromNodeId\tToNodeId\tSign\n0\t1\t-1\n";
    let options = CsvOptions { time: Some(Time(0)), ..CsvOptions::laid_out(Layout::Snap) };
    let (events, _) = laid_out(signed, &options);
    assert_eq!(events[0].features, [("Sign".into(), Some(Value::number(-1.0)))], "a sign is no time");
    assert!(refused(signed, &CsvOptions::laid_out(Layout::Snap)).contains("--time T"));
    assert!(refused("1 2 3 4\n", &options).contains("have 4 cells"));
}

#[test]
fn jodie_is_known_by_its_header() {
    let text = "user_id,item_id,timestamp,state_label,comma_separated_list_of_features\n0,0,0.0,0,-0.5,1e-3\n1,0,36.0,1,0.25,2\n2,1,40.0,0\n";
    for options in [CsvOptions::default(), CsvOptions::laid_out(Layout::Jodie)] {
        let (events, notes) = laid_out(text, &options);
        assert_eq!(events[1].time, Time(36));
        assert_eq!(events[1].element, Element::Edge(edge(node("user", 1), "link", NodeKey::new("item", "0"), None)));
        let list = Value::Dense(Dense { numbers: Numbers::F64(vec![0.25, 2.0]), scalar: false });
        assert_eq!(list, events[1].features[1].1.clone().unwrap());
        assert_eq!(events[1].features[0], ("state_label".into(), Some(Value::number(1.0))));
        assert_eq!(events[2].features.len(), 1, "a row without features has none");
        assert!(notes[0].starts_with("JODIE: "), "{notes:?}");
    }
    assert_eq!(Numbers::F64(Vec::new()).dtype(), DType::F64);
    // With other columns it is a table like others.
    assert!(read("user_id,item_id,timestamp,state_label\n0,0,5,0\n")[0].is_ok());
}

#[test]
fn files_are_known_by_their_names_and_first_lines() {
    let folder = tempfile::tempdir().unwrap();
    let detected = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        detect(&path).unwrap()
    };
    assert_eq!(detected("out.ucsocial", "1 2\n"), Some(Layout::Konect));
    assert_eq!(detected("network", "% sym unweighted\n1 2\n"), Some(Layout::Konect));
    assert_eq!(detected("CollegeMsg.txt", "1 2 1082040961\n"), Some(Layout::Snap));
    assert_eq!(detected("wiki.txt", "# x\n# y z\n1\t2\n"), Some(Layout::Snap));
    assert_eq!(detected("out.csv", "1 2\n"), None);
    assert_eq!(detected("log", "{\"time\":1}\n"), None);
    assert_eq!(detected("text.txt", "a b c\n"), None);
    assert_eq!(detected("empty", ""), None);
    assert_eq!(detect(Path::new("-")).unwrap(), None);
}
