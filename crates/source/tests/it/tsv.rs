//! Nodes and edges with lives in TSV.

use timeweft_graph::{Record, SpanRows, Value};
use timeweft_source::tsv;

/// Each record on a line.
fn told(text: &str) -> Vec<String> {
    let mut rows = SpanRows::default();
    tsv::read(text.as_bytes(), &"f".into(), &mut rows).unwrap();
    let values = |values: timeweft_graph::ValueSpans<'_>| {
        let each = values
            .iter()
            .map(|span| format!(" {}={}:{}", span.feature, span.kind, Value::decode(span.value.0).unwrap()));
        each.collect::<String>()
    };
    let told = rows.iter().filter_map(|row| match row {
        (Record::Reject(reason), line) => Some(format!("{line}: {reason}")),
        (Record::NodeSpan(node, of_node), _) => {
            Some(format!("{} :{} w{}{}", node.id, node.node_type, node.weight.unwrap(), values(of_node)))
        }
        (Record::EdgeSpan(edge, of_edge), _) => {
            let (from, to, of) = (edge.source, edge.destination, edge.edge_type);
            Some(format!("{from}->{to} :{of} w{}{}", edge.weight, values(of_edge)))
        }
        _ => None,
    });
    told.collect()
}

#[test]
fn columns_and_kinds() {
    for (line, expected) in [
        ("1", vec!["1 :0 w0"]),
        ("1\t\t\t\t", vec!["1 :0 w0"]),
        ("1\t2\t.5", vec!["1 :2 w0.5"]),
        (
            "1\t0\t0.1\tf:0.1 0.2;b:str_feat;i32:1 2 3\t2,0,0.3,f:0.5;;i8:1|3,1,0.4,|4",
            vec![
                "1 :0 w0.1 0=f32[]:[0.1,0.2] 1=bytes:str_feat 2=i32[]:[1,2,3]",
                "1->2 :0 w0.3 0=f32[]:[0.5] 2=i8[]:[1]",
                "1->3 :1 w0.4",
                "1->4 :0 w0",
            ],
        ),
        (
            "1\t\t\ti8:-1;i16:-2;i32:-3;i64:-4;u8:1;u16:2;u32:3;u64:4;f16:0.5;d:0.1",
            vec![
                "1 :0 w0 0=i8[]:[-1] 1=i16[]:[-2] 2=i32[]:[-3] 3=i64[]:[-4] 4=u8[]:[1] 5=u16[]:[2] 6=u32[]:[3] \
                 7=u64[]:[4] 8=f16[]:[0.5] 9=f64[]:[0.1]",
            ],
        ),
        ("1\t\t\tint8: 1  2;float64:1", vec!["1 :0 w0 0=i8[]:[1,2] 1=f64[]:[1.0]"]),
        ("1\t\t\tb:a:b,c\t2,0,1,b:a,b:c", vec!["1 :0 w0 0=bytes:a:b,c", "1->2 :0 w1 0=bytes:a,b:c"]),
        ("1\t\t\t\"b:tab\tand \"\"quote\"\"\"", vec!["1 :0 w0 0=bytes:tab\tand \"quote\""]),
        ("1\t\t\tf:;b:x", vec!["1 :0 w0 1=bytes:x"]),
        ("1\t0\t1\t\t 2 , 1 , 0.5 ", vec!["1 :0 w1", "1->2 :1 w0.5"]),
    ] {
        assert_eq!(told(line), expected, "{line}");
    }
}

#[test]
fn malformed_lines_and_edges_are_refused_with_their_line() {
    for (line, expected) in [
        ("\t0\t1", "id: expected a whole number from 0 on"),
        ("-1", "id: expected a whole number from 0 on, got `-1`"),
        ("1\t-1", "type: expected a whole number from 0 on, got `-1`"),
        ("1\t0\tx", "weight: expected a number, got `x`"),
        ("1\t0\t1\ti:1 2 3", "feature 0: `i` needs a width: i8, i16, i32 or i64"),
        ("1\t0\t1\tf:1;x:1", "feature 1: `x` is no kind of features"),
        ("1\t0\t1\tf 1", "feature 0: expected a kind, `:` and values, got `f 1`"),
        ("1\t0\t1\tu8:1 256", "feature 0: expected a number of type u8, got `256`"),
        ("1\t0\t1\tf:1,2", "feature 0: expected a number of type f32, got `1,2`"),
        ("1\t0\t1\t\"b:open", "cell 4 begins with a quotation mark and never closes: close it"),
        ("1\t0\t1\t\"b:a\"b", "cell 4 goes on behind its closing quotation mark"),
        ("1\t0\t1\t\t\tmore", "expected the columns id, type, weight, features and neighbors, got 6 columns"),
    ] {
        let found = told(&format!("7\n\n{line}\n8"));
        assert_eq!(found.len(), 3, "{line}\n{found:?}");
        assert!(found[1].starts_with("3: ") && found[1].contains(expected), "{line}\n{found:?}\nexpected: {expected}");
    }
    // An edge is refused alone.
    let found = told("1\t0\t1\t\t2,0,1|-1,0,1|3,0,y|4,0,0.3,1,f:0.1|5");
    let expected = [
        "1 :0 w1",
        "1->2 :0 w1",
        "1: edge 2: id: expected a whole number from 0 on, got `-1`",
        "1: edge 3: weight: expected a number, got `y`",
        "1: edge 4: feature 0: `1,f` is no kind of features: use i8 to i64, u8 to u64, f16, f, d or b",
        "1->5 :0 w0",
    ];
    assert_eq!(found, expected);
}
