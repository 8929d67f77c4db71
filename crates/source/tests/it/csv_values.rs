//! Values of cells in event streams: numbers, words that mean no value, codes, times.

use timeweft_graph::{
    Dense, EdgeKey, Element, FeatureDef, FeatureKind, ListOrder, Numbers, Owner, Schema, Time, TimeUnit, Value,
};
use timeweft_source::{CsvOptions, CsvReader, Dialect, JsonlReader};

use crate::csv::{read, read_as};
use crate::replay::whole;

fn reader<'a>(text: &'a str, unit: TimeUnit, options: &CsvOptions) -> CsvReader<&'a [u8]> {
    CsvReader::new(text.as_bytes(), &"f".into(), &Schema::new(unit), options).unwrap()
}

/// The values of the feature `x`, and what was refused.
fn xs(text: &str, options: &CsvOptions) -> Vec<Result<Option<Value>, String>> {
    let records = whole(|sink| reader(text, TimeUnit::Second, options).read(sink)).into_iter();
    let value =
        |features: &[(timeweft_graph::Name, Option<Value>)]| features.first().and_then(|(_, value)| value.clone());
    records.map(|record| record.map(|record| value(&record.0.features)).map_err(|reject| reject.to_string())).collect()
}

fn column(cells: &[&str]) -> String {
    let rows = (1..).zip(cells).map(|(time, cell)| format!("{time},a,b,{cell}\n"));
    format!("time,src,dst,x\n{}", rows.collect::<String>())
}

fn numbers(text: &str) -> Vec<Option<f64>> {
    let number = |value: Value| match value {
        Value::Dense(Dense { numbers: Numbers::F64(numbers), scalar: true }) => numbers[0],
        other => panic!("{other:?} is no number"),
    };
    xs(text, &CsvOptions::default()).into_iter().map(|value| value.unwrap().map(number)).collect()
}

#[test]
fn csv_text_in_number_column() {
    // What follows a `nan` in a column of numbers is read as before.
    let text = "time,src,dst,weight\n1,a,b,0.5\n2,a,c,nan\n3,a,d,0.7\n4,b,d,0.9\n5,c,d,1.5\n";
    assert_eq!(numbers(text), [Some(0.5), None, Some(0.7), Some(0.9), Some(1.5)]);
    let words = ["1", "NA", "N/A", "n/a", "NULL", "null", "None", "NaN", "-nan", "<NA>", "#N/A", "\\N", "", "2"];
    let found = numbers(&column(&words));
    assert_eq!((found[0], found[13]), (Some(1.0), Some(2.0)));
    assert!(found[1..13].iter().all(Option::is_none), "{found:?}");
}

#[test]
fn the_order_of_rows_does_not_change_the_kind_of_a_column() {
    let mut cells = ["1", "nan", "2.5", "inf", ""];
    for _ in 0..cells.len() {
        cells.rotate_left(1);
        let mut found = numbers(&column(&cells));
        let at = cells.iter().position(|cell| *cell == "1").unwrap();
        found.rotate_left(at);
        assert_eq!(found, [Some(1.0), None, Some(2.5), Some(f64::INFINITY), None], "{cells:?}");
    }
}

#[test]
fn a_strange_cell_behind_the_first_rows_refuses_its_own_row() {
    let mut cells = vec!["1"; 10_000];
    cells.extend(["abc", "NULL", "2", "9007199254740993", "007", "3"]);
    let found = xs(&column(&cells), &CsvOptions::default());
    let behind = &found[10_000..];
    let refused = behind[0].as_ref().unwrap_err();
    assert!(refused.starts_with("f:10002: feature `x`: the first rows hold numbers, and this is `abc`: "), "{refused}");
    assert!(refused.ends_with("--text x"), "{refused}");
    assert_eq!((&behind[1], &behind[2]), (&Ok(None), &Ok(Some(Value::number(2.0)))));
    assert!(behind[3].as_ref().unwrap_err().contains("is beyond 2^53"));
    assert!(behind[4].is_err(), "a code with leading zeros is no number");
    assert_eq!(behind[5], Ok(Some(Value::number(3.0))));
    let as_text = xs(&column(&cells), &CsvOptions { texts: vec!["x".into()], ..CsvOptions::default() });
    assert_eq!(as_text[10_000], Ok(Some(Value::text("abc"))));
    assert_eq!(as_text[0], Ok(Some(Value::text("1"))));
}

#[test]
fn codes_stay_texts_and_the_load_says_so() {
    for (cells, why) in [
        (["02134", "90210", "10001"], Some("line 2 holds `02134`")),
        (["1", "+2", "3"], Some("line 3 holds `+2`")),
        (["1", "2", "9007199254740993"], Some("line 4 holds `9007199254740993`")),
        (["1", "two", "3"], Some("line 3 holds `two`")),
        (["a", "b", "3"], None),
        (["True", "maybe", "False"], None),
    ] {
        let text = column(&cells);
        let mut records = reader(&text, TimeUnit::Second, &CsvOptions::default());
        let found: Vec<_> = whole(|sink| records.read(sink))
            .into_iter()
            .map(|record| record.unwrap().0.features[0].1.clone())
            .collect();
        let texts: Vec<_> = cells.iter().map(|cell| Some(Value::text(cell))).collect();
        assert_eq!(found, texts);
        let told = records.notes().join("\n");
        assert!(why.map_or(told.is_empty(), |why| told.contains(why)), "{cells:?}: {told}");
    }
}

#[test]
fn truth_values_are_truth_values() {
    let found = xs(&column(&["True", "", "False", "nan"]), &CsvOptions::default());
    let truth = |truth: bool| Ok(Some(Value::Json(truth.into())));
    assert_eq!(found, [truth(true), Ok(None), truth(false), Ok(None)]);
}

#[test]
fn words_that_the_caller_names_are_no_value_in_texts_too() {
    let null = vec!["-".to_owned(), "NA".to_owned()];
    let options = CsvOptions { dialect: Dialect { null, ..Dialect::default() }, ..CsvOptions::default() };
    let text = |word: &str| Ok(Some(Value::text(word)));
    let found = xs(&column(&["red", "-", "NA", "\"NA\"", "nan"]), &options);
    // A quoted cell is the text that it quotes.
    assert_eq!(found, [text("red"), Ok(None), Ok(None), text("NA"), text("nan")]);
    assert_eq!(xs(&column(&["1", "-", "\"2\""]), &options)[1..], [Ok(None), Ok(Some(Value::number(2.0)))]);
    let ends = "time,src,dst\n1,-,b\n";
    assert_eq!(
        read_as(ends, &Schema::new(TimeUnit::Step), &options)[0].as_ref().unwrap_err(),
        "f:2: the source is empty"
    );
}

#[test]
fn a_second_load_reads_as_the_first_one_did() {
    let mut schema = Schema::new(TimeUnit::Second);
    let node = schema.add_node_type(&"node".into()).unwrap();
    let link = Owner::Edge(schema.add_edge_type(node, &"link".into(), node).unwrap());
    let kind = FeatureKind::Json;
    schema.add_feature(link, FeatureDef { name: "x".into(), kind, order: ListOrder::List }).unwrap();
    let text = column(&["True", "nan", "FALSE"]);
    let declared: Vec<_> = read_as(&text, &schema, &CsvOptions::default())
        .into_iter()
        .map(|record| record.unwrap().0.features.first().and_then(|(_, value)| value.clone()))
        .collect();
    let undeclared: Vec<_> = xs(&text, &CsvOptions::default()).into_iter().map(Result::unwrap).collect();
    assert_eq!(declared, undeclared);
}

#[test]
fn ids_and_keys_are_never_trimmed() {
    let records = read("time,src,dst,key,source_type\n1,\" a\",b ,\" k\", user \n2,\" \",b,,\n");
    let Element::Edge(EdgeKey { source, destination, key, .. }) = &records[0].as_ref().unwrap().0.element else {
        panic!("{records:?}")
    };
    assert_eq!((source.id.to_string(), destination.id.to_string()), (" a".into(), "b ".into()));
    assert_eq!((&*source.node_type, key.as_deref()), ("user", Some(" k")));
    assert!(records[1].is_ok(), "a space is an id in tables as well");
}

#[test]
fn naive_datetime_keeps_its_time_of_day() {
    let text = "source,destination,connection,time\n\
        Ann,Bo,calls,2015-05-19 13:44:07\nCy,Ann,calls,2015-05-19 13:44:40\nAnn,Di,calls,2015-05-22 20:38:29\n\
        Ann,Ed,calls,2015-05-22T20:39:55\nAnn,Flo,calls,2015-05-22T20:39:55.250\nAnn,Gus,calls,2015-05-22 20:41:28+02:00\n";
    let times = |unit| {
        let mut records = reader(text, unit, &CsvOptions::default());
        let times: Vec<Time> =
            whole(|sink| records.read(sink)).into_iter().map(|record| record.unwrap().0.time).collect();
        (times, records.notes())
    };
    // By Python: datetime(...).timestamp() of each in UTC.
    let seconds = [1432043047, 1432043080, 1432327109, 1432327195, 1432327195, 1432320088];
    let (found, notes) = times(TimeUnit::Second);
    assert_eq!(found, seconds.map(Time));
    assert_eq!(
        notes,
        ["1 time is finer than the unit s (the first on line 6): each counts as the tick that it lies in"]
    );
    let (found, notes) = times(TimeUnit::Milli);
    assert_eq!((found[4], notes.len()), (Time(1432327195250), 0));
}

#[test]
fn naive_datetime_of_json_lines_keeps_its_time_of_day() {
    let line = |time: &str| {
        format!(
            "{{\"time\":{time},\"action\":\"create\",\"entity\":\"node\",\"source\":{{\"type\":\"u\",\"id\":1}}}}\n"
        )
    };
    let read = |time: &str, unit| {
        let text = line(time);
        let mut reader = JsonlReader::new(text.as_bytes(), &"f".into(), &Schema::new(unit));
        let time = whole(|sink| reader.read(sink)).remove(0);
        let time = time.map(|record| record.0.time.0).map_err(|reject| reject.to_string());
        (time, reader.notes().len())
    };
    assert_eq!(read("\"2024-03-02 09:00:00\"", TimeUnit::Second), (Ok(1709370000), 0));
    assert_eq!(read("\"2024-03-02 09:00:00.5\"", TimeUnit::Second), (Ok(1709370000), 1));
    assert_eq!(read("1709370000.0", TimeUnit::Second), (Ok(1709370000), 0));
    assert_eq!(read("1709370000.9", TimeUnit::Second), (Ok(1709370000), 1));
    assert!(read("1.5", TimeUnit::Step).0.unwrap_err().contains("expected a whole number of ticks, got `1.5`"));
    assert!(read("\"2024-03-02 9 o'clock\"", TimeUnit::Second).0.unwrap_err().contains("is not a time"));
    assert!(read("\"infinity\"", TimeUnit::Second).0.unwrap_err().contains("the end of time"));
}

#[test]
fn far_times_are_times_in_events() {
    let text = "time,src\n9999-12-31,a\n9999-12-31T23:59:59.999,b\n0001-01-01,c\n10000-01-01,d\n";
    let records = read_as(text, &Schema::new(TimeUnit::Milli), &CsvOptions::default());
    let times: Vec<_> = records[..3].iter().map(|record| record.as_ref().unwrap().0.time.0).collect();
    assert_eq!(times, [253_402_214_400_000, 253_402_300_799_999, -62_135_596_800_000]);
    assert!(records[3].as_ref().unwrap_err().starts_with("f:5: time: `10000-01-01` is not a time"));
    let refused = &read_as(text, &Schema::new(TimeUnit::Nano), &CsvOptions::default())[0];
    assert!(refused.as_ref().unwrap_err().contains("a graph that counts in us holds it"), "{refused:?}");
}

/// A frame of eight kinds of columns, as `to_csv(index=False)` of pandas writes it: int64, float64 with NaN and inf, bool, string, datetime64[ns], with a zone, nullable Int64, object with leading zeros.
const PANDAS: &str = "time,src,whole,real,flag,words,naive,zoned,maybe,code\n\
    2024-03-02 09:00:00,a,1,0.5,True,plain,2024-03-02 09:00:00.250,2024-03-02 09:00:00+02:00,7,007\n\
    2024-03-02 09:00:01,b,-2,,False,\"a, \"\"b\"\"\nc\",,,,012\n\
    2024-03-02 09:00:02,c,3,inf,True,,2024-03-02 10:00:00.000,2024-03-02 09:00:00.5+00:00,9,100\n";

#[test]
fn a_frame_of_pandas_is_an_event_stream() {
    let schema = Schema::new(TimeUnit::Second);
    let mut reader = CsvReader::new(PANDAS.as_bytes(), &"f".into(), &schema, &CsvOptions::default()).unwrap();
    let events: Vec<_> = whole(|sink| reader.read(sink)).into_iter().map(|record| record.unwrap().0).collect();
    let values = |at: usize| {
        let features = events[at].features.iter().map(|(name, value)| (name.clone(), value.clone().unwrap()));
        let mut features: Vec<_> = features.collect();
        features.sort_by(|a, b| a.0.cmp(&b.0));
        features
    };
    let text = |name: &str, text: &str| (name.into(), Value::text(text));
    let number = |name: &str, number: f64| (name.into(), Value::number(number));
    let truth = |truth: bool| ("flag".into(), Value::Json(truth.into()));
    // Times that are features have no kind of their own in an event stream: they stay what they are.
    let first = [
        text("code", "007"),
        truth(true),
        number("maybe", 7.0),
        text("naive", "2024-03-02 09:00:00.250"),
        number("real", 0.5),
        number("whole", 1.0),
        text("words", "plain"),
        text("zoned", "2024-03-02 09:00:00+02:00"),
    ];
    assert_eq!(values(0), first);
    assert_eq!(values(1), [text("code", "012"), truth(false), number("whole", -2.0), text("words", "a, \"b\"\nc")]);
    assert_eq!(values(2)[3..5], [text("naive", "2024-03-02 10:00:00.000"), number("real", f64::INFINITY)][..]);
    assert_eq!(events.iter().map(|event| event.time.0).collect::<Vec<_>>(), [1709370000, 1709370001, 1709370002]);
}
