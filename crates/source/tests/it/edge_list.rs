//! Edge lists with lives.

use timeweft_graph::{Action, Event, Numbers, Record, SpanRows, Time, TimeUnit, Value, ValueSpans};
use timeweft_oracle::Intervals;
use timeweft_source::{EdgeListDefaults, EdgeListOptions, edge_list, temporal_json, tsv};

fn rows(text: &str, options: &EdgeListOptions) -> SpanRows {
    let mut rows = SpanRows::default();
    edge_list::read(text.as_bytes(), &"f".into(), options, &mut rows).unwrap();
    rows
}

fn values(values: ValueSpans<'_>) -> String {
    let each = values.iter().map(|span| match Value::decode(span.value.0) {
        Some(Value::Sparse(sparse)) => {
            format!(
                "{}={}r{}{:?}{:?}",
                span.feature,
                span.kind,
                sparse.rank,
                sparse.coordinates,
                sparse.values.to_f64()
            )
        }
        Some(Value::Bytes(bytes)) => format!("{}={}", span.feature, String::from_utf8_lossy(&bytes)),
        Some(value) => format!("{}={}{value}", span.feature, span.kind),
        None => "broken".into(),
    });
    each.collect::<Vec<_>>().join(" ")
}

/// Each record on a line.
fn told(rows: &SpanRows) -> Vec<String> {
    let told = rows.iter().filter_map(|row| match row {
        (Record::Reject(reason), line) => Some(format!("{line}: {reason}")),
        (Record::NodeSpan(node, of_node), _) => {
            let weight = node.weight.unwrap();
            let life = (node.life.created, node.life.removed);
            Some(format!("{} :{} w{weight} {}..{} {}", node.id, node.node_type, life.0, life.1, values(of_node)))
        }
        (Record::EdgeSpan(edge, of_edge), _) => {
            let (from, to, life) = (edge.source, edge.destination, (edge.life.created, edge.life.removed));
            let (of, weight) = (edge.edge_type, edge.weight);
            Some(format!("{from}->{to} :{of} w{weight} {}..{} {}", life.0, life.1, values(of_edge)))
        }
        _ => None,
    });
    told.map(|line| line.trim_end().to_owned()).collect()
}

fn plain(text: &str) -> Vec<String> {
    told(&rows(text, &EdgeListOptions::default()))
}

#[test]
fn the_documented_example_with_and_without_defaults() {
    let text = "0,-1,1,.5,int32,3,1,1,1,float32,2,1.1,1.1\n0,0,1,.5,uint8,3/0,0,4,10,1,1,1\n\
                1,-1,1,.5,int32,3,1,1,1,float32,2,1.1,1.1\n1,0,0,.5,uint8,3/0,0,4,10,1,1,1\n";
    let expected = [
        "0 :1 w0.5 0..forever 0=i32[][1,1,1] 1=f32[][1.1,1.1]",
        "0->1 :0 w0.5 0..forever 0=sparse u8 of rank 1r1[0, 4, 10][1.0, 1.0, 1.0]",
        "1 :1 w0.5 0..forever 0=i32[][1,1,1] 1=f32[][1.1,1.1]",
        "1->0 :0 w0.5 0..forever 0=sparse u8 of rank 1r1[0, 4, 10][1.0, 1.0, 1.0]",
    ];
    assert_eq!(plain(text), expected);

    let of = |element_type, features| EdgeListDefaults {
        element_type: Some(element_type),
        weight: Some(0.5),
        ..EdgeListDefaults::default().with_features(features).unwrap()
    };
    let options =
        EdgeListOptions { nodes: of(1, "int32:3,float32:2"), edges: of(0, "uint8:3/0"), ..EdgeListOptions::default() };
    let short = "0,-1,1,1,1,1.1,1.1\n0,1,0,4,10,1,1,1\n1,-1,1,1,1,1.1,1.1\n1,0,0,4,10,1,1,1";
    assert_eq!(told(&rows(short, &options)), expected);

    let lengths = EdgeListDefaults { feature_lengths: vec![None], ..of(1, "int32") };
    let options = EdgeListOptions { nodes: lengths, ..EdgeListOptions::default() };
    assert_eq!(told(&rows("0,-1,2,5,6,uint8,1,7", &options)), ["0 :1 w0.5 0..forever 0=i32[][5,6] 1=u8[][7]"]);
}

#[test]
fn features_of_every_form() {
    let line = |features: &str| plain(&format!("7,-1,0,1,{features}")).remove(0);
    for (features, expected) in [
        ("uint8,0,int8,2,-1,2", "1=i8[][-1,2]"),
        ("binary,0,binary,1,b", "1=b"),
        ("binary,1,", "0="),
        ("bool,3,1,0,true", "0=u8[][1,0,1]"),
        ("float16,1,0.5,float,1,0.1,double,1,2", "0=f16[][0.5] 1=f64[][0.1] 2=f64[][2.0]"),
        ("int16,1/2,5,13,-7", "0=sparse i16 of rank 2r2[5, 13][-7.0]"),
        ("int64,2/3,1,2,3,4,5,6,8,9", "0=sparse i64 of rank 3r3[1, 2, 3, 4, 5, 6][8.0, 9.0]"),
        ("uint32,1/1,3,4", "0=sparse u32 of rank 1r1[3][4.0]"),
        (" uint16 , 2 , 1 , 65535 ", "0=u16[][1,65535]"),
        (
            "uint64,1,18446744073709551615,int64,1,-9223372036854775808",
            "0=u64[][18446744073709551615] 1=i64[][-9223372036854775808]",
        ),
        ("binary,1,test\\,feature,uint8,1,3", "0=test,feature 1=u8[][3]"),
        ("binary,1,a\\,b\\,,uint8,1,3", "0=a,b, 1=u8[][3]"),
        ("binary,1,end\\\\,uint8,1,3", "0=end\\\\ 1=u8[][3]"),
        ("uint8,1,3,", "0=u8[][3]"),
    ] {
        assert_eq!(line(features), format!("7 :0 w1 0..forever {expected}").trim_end(), "{features}");
    }
}

#[test]
fn other_signs_stand_between_cells() {
    let options = EdgeListOptions { delimiter: ' ', length_delimiter: ':', binary_escape: '^', ..Default::default() };
    let text = "0 -1 0 1 binary 1 a^ b uint8 1:2 3 4 5";
    assert_eq!(told(&rows(text, &options)), ["0 :0 w1 0..forever 0=a b 1=sparse u8 of rank 2r2[3, 4][5.0]"]);
    let same = EdgeListOptions { delimiter: '/', ..Default::default() };
    let error = edge_list::read(&b""[..], &"f".into(), &same, &mut SpanRows::default()).unwrap_err();
    assert!(error.to_string().contains("three different characters"), "{error}");
    let wrong = EdgeListDefaults::default().with_features("int32:3,int7:1").unwrap_err();
    assert!(wrong.contains("`int7` is no type"), "{wrong}");
}

#[test]
fn times_follow_the_weight_or_are_defaults() {
    let temporal = EdgeListOptions { is_temporal: true, ..Default::default() };
    let text = "0,-1,0,1.0,2,3,binary,1,test\n0,-1,0,1.0,-1,10\n0,0,1,1.0,5,-1\n0,0,1,1.0,-5,0";
    let expected = ["0 :0 w1 2..3 0=test", "0 :0 w1 -1..10", "0->1 :0 w1 5..forever", "0->1 :0 w1 -5..0"];
    assert_eq!(told(&rows(text, &temporal)), expected);

    let missing = told(&rows("0,-1,0,1.0,2\n0,-1,0,1.0\n0,-1,0,1.0,binary,1,test\n0,-1,0,1,5,4", &temporal));
    let expected = [
        "1: cell 6: the line ends before removed_at",
        "2: cell 5: the line ends before created_at",
        "3: cell 5: created_at: expected a whole number of ticks, got `binary`",
        "4: removed 4 is not after created 5",
    ];
    assert_eq!(missing, expected);

    let created = EdgeListOptions { created_at: Some(4), ..temporal.clone() };
    assert_eq!(told(&rows("0,-1,0,1.0,6", &created)), ["0 :0 w1 4..6"]);
    let removed = EdgeListOptions { removed_at: Some(9), ..temporal };
    assert_eq!(told(&rows("0,-1,0,1.0,6", &removed)), ["0 :0 w1 6..9"]);
    let both = EdgeListOptions { created_at: Some(4), removed_at: Some(9), ..Default::default() };
    assert_eq!(told(&rows("0,1,2,1.0,int8,1,1", &both)), ["0->2 :1 w1 4..9 0=i8[][1]"]);
}

#[test]
fn a_default_type_of_edges_drops_their_second_column() {
    let edges = EdgeListDefaults { element_type: Some(3), ..Default::default() };
    let options = EdgeListOptions { edges, ..Default::default() };
    assert_eq!(told(&rows("5,-1,2,1\n5,6,0.5", &options)), ["5 :2 w1 0..forever", "5->6 :3 w0.5 0..forever"]);
}

#[test]
fn malformed_lines_are_refused_with_line_and_cell() {
    for (line, expected) in [
        ("-1,-1,0,1", "cell 1: id of the node: expected a whole number from 0 on, got `-1`"),
        ("x,-1,0,1", "cell 1: id of the node"),
        ("1", "cell 2: the line ends before the type of the edge"),
        ("1,-1,-2,1", "cell 3: type of the node: expected a whole number"),
        ("1,0,-1,1", "cell 3: destination: expected a whole number from 0 on, got `-1`"),
        ("1,0,2", "cell 4: the line ends before the weight"),
        ("1,0,2,inf", "cell 4: weight: expected a number, got `inf`"),
        (
            "1,0,2,1,int7,1,1",
            "cell 5: feature 0: expected binary, bool, or a numpy type such as float32 or int8, got `int7`",
        ),
        ("1,0,2,1,int8", "cell 6: feature 0: the line ends before its length"),
        ("1,0,2,1,int8,-1", "cell 6: feature 0: expected a length"),
        ("1,0,2,1,int8,1/2/3", "cell 6: feature 0: expected a length"),
        ("1,0,2,1,int8,2,1", "cell 8: feature 0: the line ends before its last value"),
        ("1,0,2,1,int8,1,300", "cell 7: feature 0: expected a number of type i8, got `300`"),
        ("1,0,2,1,uint64,1,-1", "cell 7: feature 0: expected a number of type u64, got `-1`"),
        ("1,0,2,1,int8,1,1.5", "cell 7: feature 0: expected a number of type i8, got `1.5`"),
        ("1,0,2,1,float32,1,a", "cell 7: feature 0: expected a number of type f32, got `a`"),
        ("1,0,2,1,float32,1,1e39", "cell 7: feature 0: expected a number of type f32"),
        ("1,0,2,1,int8,1/2,1", "cell 8: feature 0: the line ends before its last coordinate"),
        ("1,0,2,1,int8,1/1,x,1", "cell 7: feature 0: expected a coordinate, got `x`"),
        ("1,0,2,1,binary,2,a,b", "cell 6: feature 0: a binary feature has length 1: one text"),
        ("1,0,2,1,bool,1,2", "cell 7: feature 0: expected 0, 1, true or false, got `2`"),
        ("1,0,2,1,int8,1,1,,int8", "cell 9: expected the end of the line, got `int8`"),
        ("1,0,2,1,int8,4294967295/4294967295,1", "the line ends before its last coordinate"),
    ] {
        // A blank line is no record, and what follows a bad line is read.
        let found = plain(&format!("7,-1,0,1\n\n{line}\n8,-1,0,1"));
        assert_eq!(found.len(), 3, "{line}\n{found:?}");
        assert!(found[1].starts_with("3: ") && found[1].contains(expected), "{line}\n{found:?}\nexpected: {expected}");
    }
}

#[test]
fn edges_of_nodes_without_a_line_hang_on_unknown_nodes() {
    let options = EdgeListOptions { is_temporal: true, ..Default::default() };
    let text = "1,0,2,1,-3,5";
    let read = |sink: &mut dyn timeweft_graph::Sink| edge_list::read(text.as_bytes(), &"f".into(), &options, sink);
    let intervals = Intervals::collect(TimeUnit::Step, read).unwrap();
    let told: Vec<_> = intervals.records.iter().map(|(event, _)| (event.time, event.action)).collect();
    let born = (Time(-3), Action::Create);
    assert_eq!(told, [born, born, born, (Time(5), Action::Delete)]);
    assert_eq!(intervals.rejects, []);
}

const TRIANGLE_JSON: &str = r#"{"node_id":9,"node_type":0,"node_weight":1,"float_feature":{"0":[0,1],"1":[-0.01,-0.02]},"uint64_feature":{"2":[13,17]},"binary_feature":{"3":"abcd"},"edge":[{"src_id":9,"dst_id":0,"edge_type":0,"weight":0.5,"uint64_feature":{"0":[1,2,3]},"float_feature":{"1":[1,2]}}]}
{"node_id":0,"node_type":1,"node_weight":1,"float_feature":{"0":[1,0],"1":[-0.03,-0.04]},"int8_feature":{"4":[-7]},"uint8_feature":{"5":[7]},"int16_feature":{"6":[-300]},"uint16_feature":{"7":[300]},"int32_feature":{"8":[-70000]},"uint32_feature":{"9":[70000]},"int64_feature":{"10":[-9007199254740993]},"double_feature":{"11":[0.1]},"float16_feature":{"12":[0.25]},"edge":[{"src_id":0,"dst_id":5,"edge_type":1,"weight":1,"binary_feature":{"1":"xyz"}}]}
{"node_id":5,"node_type":2,"node_weight":1,"float_feature":{"0":[1,1],"1":[-0.05,-0.06]},"edge":[{"src_id":5,"dst_id":9,"edge_type":1,"weight":0.7}]}
"#;

const TRIANGLE_EDGES: &str = "9,-1,0,1,float32,2,0,1,float32,2,-0.01,-0.02,uint64,2,13,17,binary,1,abcd
9,0,0,0.5,uint64,3,1,2,3,float32,2,1,2
0,-1,1,1,float32,2,1,0,float32,2,-0.03,-0.04,int8,0,int8,0,int8,1,-7,uint8,1,7,int16,1,-300,uint16,1,300,int32,1,-70000,uint32,1,70000,int64,1,-9007199254740993,float64,1,0.1,float16,1,0.25
0,1,5,1,uint8,0,binary,1,xyz
5,-1,2,1,float32,2,1,1,float32,2,-0.05,-0.06
5,1,9,0.7
";

const TRIANGLE_TSV: &str = "9\t0\t1\tf:0 1;f:-0.01 -0.02;u64:13 17;b:abcd\t0,0,0.5,u64:1 2 3;f:1 2
0\t1\t1\tf:1 0;f:-0.03 -0.04;;;i8:-7;u8:7;i16:-300;u16:300;i32:-70000;u32:70000;i64:-9007199254740993;d:0.1;f16:0.25\t5,1,1,;b:xyz
5\t2\t1\tf:1 1;f:-0.05 -0.06\t9,1,0.7
";

#[test]
fn the_triangle_is_the_same_in_json_edge_list_and_tsv() {
    let options = EdgeListOptions::default();
    let all = [
        Intervals::collect(TimeUnit::Step, |sink| temporal_json::read(TRIANGLE_JSON.as_bytes(), &"f".into(), sink)),
        Intervals::collect(TimeUnit::Step, |sink| {
            edge_list::read(TRIANGLE_EDGES.as_bytes(), &"f".into(), &options, sink)
        }),
        Intervals::collect(TimeUnit::Step, |sink| tsv::read(TRIANGLE_TSV.as_bytes(), &"f".into(), sink)),
    ];
    let [json, edges, tsv] = all.map(Result::unwrap);
    let events =
        |intervals: &Intervals| intervals.records.iter().map(|(event, _)| event.clone()).collect::<Vec<Event>>();
    assert_eq!(json.records.len(), 6);
    for other in [&edges, &tsv] {
        assert_eq!(other.rejects, []);
        assert_eq!(other.schema, json.schema);
        assert_eq!(events(other), events(&json));
    }
    let wide = events(&json).iter().flat_map(|event| event.features.clone()).find(|(name, _)| &**name == "10");
    let wide = wide.and_then(|(_, value)| value).unwrap();
    assert!(
        matches!(&wide, Value::Dense(dense) if dense.numbers == Numbers::I64(vec![-9_007_199_254_740_993])),
        "{wide}"
    );
}
