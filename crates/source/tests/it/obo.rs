//! OBO ontologies.

use std::collections::BTreeSet;

use serde_json::json;
use timeweft_graph::{ExternalId, FeatureKind, ListOrder, ListedMerge, Owner, Value};
use timeweft_oracle::Version;
use timeweft_oracle::world::data;
use timeweft_source::{OboOptions, obo, open};

fn read(text: &str) -> Version {
    read_with(text, &OboOptions::default())
}

fn read_with(text: &str, options: &OboOptions) -> Version {
    let mut version = Version::default();
    obo::read(text.as_bytes(), &"f".into(), options, &mut version).unwrap();
    version
}

fn merges(version: &Version) -> Vec<String> {
    let kind = |merge: &ListedMerge| match &merge.features[..] {
        [(name, Some(Value::Category(kind)))] if &**name == "type" => kind.to_string(),
        other => format!("{other:?}"),
    };
    version
        .merges
        .iter()
        .map(|merge| format!("{} {} into {}, {}", merge.place, merge.from.id, merge.into.id, kind(merge)))
        .collect()
}

fn feature(version: &Version, at: usize, name: &str) -> Option<Value> {
    version.nodes[at].features.iter().find(|(known, _)| &**known == name).map(|(_, value)| value.clone())
}

fn rejects(version: &Version) -> Vec<String> {
    version.rejects.iter().map(ToString::to_string).collect()
}

const SMALL: &str = r#"format-version: 1.2
default-namespace: X ! of all
! a comment

[Term]
id: X:1
name: a \"root\" ! not the name
def: "Text with ! and {braces} and \"quotes\".\nNext." [Y:7, http\://a\,b "source, quoted"] {source="z"}
comment: see 5" of it ! gone
synonym: "zeta" EXACT []
synonym: "alpha" RELATED ABBREVIATION [b:2, a:1 "first"] {scope="q"}
subset: S
xref: A:1 "an a" ! note
union_of: X:9
union_of: X:8

[Term]
id: X:2
namespace: other
is_a: X:1 {source="z"} ! root
is_a: X:1 ! root again
relationship: part_of X:1 {gci="b"} ! root
relationship: \
  has_part Z:9
is_obsolete: false

[Typedef]
id: part_of
name: part of

[Term]
id: X:3
is_obsolete: true
replaced_by: X:1 ! root
consider: X:2

[Term]
id: X:4
is_obsolete: true
consider: X:2

[Term]
id: X:5
is_obsolete: true
consider: X:1
consider: X:2
"#;

#[test]
fn terms_become_nodes_with_features() {
    let version = read(SMALL);
    let ids: Vec<_> = version.nodes.iter().map(|node| node.key.to_string()).collect();
    assert_eq!(ids, ["term X:1", "term X:2"]);
    let text = |text: &str| Some(Value::text(text));
    assert_eq!(feature(&version, 0, "name"), text("a \"root\""));
    assert_eq!(feature(&version, 0, "type"), Some(Value::Category("CLASS".into())));
    assert_eq!((feature(&version, 0, "namespace"), feature(&version, 1, "namespace")), (text("X"), text("other")));
    let json = |json: serde_json::Value| Some(Value::Json(json));
    let def = "Text with ! and {braces} and \"quotes\".\nNext.";
    assert_eq!(feature(&version, 0, "def"), json(json!({"val": def, "xrefs": ["Y:7", "http://a,b"]})));
    assert_eq!(feature(&version, 0, "comments"), json(json!(["see 5\" of it"])));
    let synonyms = [
        json!({"pred": "hasExactSynonym", "val": "zeta"}),
        json!({"pred": "hasRelatedSynonym", "synonymType": "ABBREVIATION", "val": "alpha", "xrefs": ["a:1", "b:2"]}),
    ];
    assert_eq!(feature(&version, 0, "synonyms"), json(synonyms.into()));
    assert_eq!(feature(&version, 0, "xrefs"), json(json!([{"lbl": "an a", "val": "A:1"}])));
    assert_eq!(
        (feature(&version, 0, "subsets"), feature(&version, 0, "union_of")),
        (json(json!(["S"])), json(json!(["X:8", "X:9"])))
    );
    assert_eq!(feature(&version, 1, "is_obsolete"), None);
    let term = Owner::Node(version.schema.node_type("term").unwrap());
    let (_, def) = version.schema.feature(term, "synonyms").unwrap();
    assert_eq!((def.kind, def.order), (FeatureKind::Json, ListOrder::Set));
    assert_eq!(version.nodes[1].place.to_string(), "f:18");
}

#[test]
fn relations_become_edges() {
    let version = read(SMALL);
    let edges: Vec<_> = version.edges.iter().map(|edge| edge.key.to_string()).collect();
    let expected = ["term X:2 -is_a-> term X:1", "term X:2 -part_of-> term X:1", "term X:2 -has_part-> term Z:9"];
    assert_eq!(edges, expected, "a fact with other qualifiers is the same fact; a dangling edge stays");
    assert_eq!(version.schema.edge_types().len(), 3);
}

#[test]
fn successors_come_before_hints_and_types_are_kept() {
    let version = read(SMALL);
    let expected = [
        "f:34 X:3 into X:1, replaced_by",
        "f:35 X:3 into X:2, consider",
        "f:40 X:4 into X:2, consider",
        "f:45 X:5 into X:1, consider",
        "f:46 X:5 into X:2, consider",
    ];
    assert_eq!(merges(&version), expected);
    assert!(rejects(&version).is_empty());
    let several = "[Term]\nid: X:1\nis_obsolete: true\nconsider: X:4\nconsider: X:3\nreplaced_by: X:2 ! two\nreplaced_by: X:3\nreplaced_by:\n";
    let version = read(several);
    let expected = ["f:6 X:1 into X:2, replaced_by", "f:7 X:1 into X:3, replaced_by", "f:4 X:1 into X:4, consider"];
    assert_eq!(merges(&version), expected, "a successor is no hint beside it");
    assert_eq!(rejects(&version), ["f:8: replaced_by: expected the id of a term"]);
}

#[test]
fn a_prefix_keeps_its_terms_and_what_is_between_them() {
    let text = "[Term]\nid: X:1\nis_a: XY:1\nis_a: X:9\n\n[Term]\nid: XY:1\n\n[Term]\nid: X:2\nis_obsolete: true\nreplaced_by: XY:1\n";
    let options = OboOptions { id_prefix: Some("X".into()) };
    let version = read_with(text, &options);
    assert_eq!(version.nodes.iter().map(|node| node.key.id.clone()).collect::<Vec<_>>(), [ExternalId::from("X:1")]);
    assert_eq!(
        version.edges.iter().map(|edge| edge.key.to_string()).collect::<Vec<_>>(),
        ["term X:1 -is_a-> term X:9"]
    );
    assert_eq!(version.merges.len(), 1, "a merge out of the prefix is known to be one");
}

#[test]
fn bad_lines_and_doubles_are_refused() {
    let text = "[Term]\nid: X:1\nname: a\nname: b\nno tag here\ndef: unquoted\nrelationship: part_of\nis_a:\n\n[Term]\nid: X:1\nname: c\n\n[Term]\nname: nobody\n";
    let version = read(text);
    assert_eq!((version.nodes.len(), version.edges.len()), (1, 0));
    assert_eq!(feature(&version, 0, "name"), Some(Value::text("a")));
    assert_eq!(
        rejects(&version),
        [
            "f:4: `name` is there twice in one term; the first one is kept",
            "f:5: expected `tag: value` or `[Stanza]`",
            "f:6: def: expected a text in double quotes",
            "f:7: relationship: expected a relation and a term",
            "f:8: is_a: expected the id of a term",
            "f:11: term X:1 is there already: line 2",
            "f:14: the term has no `id`",
        ]
    );
}

/// Releases with the numbers of live terms and of edges within ENVO, counted in the files without the reader.
const ENVO: [(&str, usize, usize); 30] = [
    ("v2015-08-31", 1861, 2422),
    ("v2015-09-24", 2036, 2734),
    ("v2015-12-18", 2090, 2803),
    ("v2016-01-22", 2106, 2825),
    ("v2016-02-03", 2120, 2847),
    ("v2016-02-05", 2125, 2855),
    ("v2016-02-05.0.1", 2125, 2856),
    ("v2016-02-18", 2132, 2867),
    ("v2016-05-17", 2182, 2968),
    ("v2016-11-20", 1949, 2715),
    ("v2017-01-07", 1957, 2727),
    ("v2017-02-26", 2006, 2864),
    ("v2017-03-13", 2017, 2886),
    ("v2017-03-27", 2045, 2922),
    ("v2017-04-15", 2149, 3201),
    ("v2017-05-10", 2157, 3209),
    ("v2017-06-26", 2201, 3274),
    ("v2017-07-31", 2269, 3401),
    ("v2017-08-22", 2367, 3612),
    ("v2018-05-18", 2577, 3908),
    ("v2019-03-14", 2860, 4438),
    ("v2020-06-10", 3204, 4862),
    ("v2021-05-14", 3360, 5075),
    ("v2023-02-13", 3848, 5665),
    ("v2024-02-05", 3872, 5828),
    ("v2024-02-16", 3872, 5828),
    ("v2024-07-01", 3891, 5862),
    ("v2025-02-05", 4000, 6060),
    ("v2025-08-19", 3872, 5866),
    ("v2025-10-20", 3872, 5866),
];

#[test]
fn envo_has_the_terms_edges_and_merges_of_its_releases() {
    let options = OboOptions { id_prefix: Some("ENVO".into()) };
    let (mut found, mut merged) = (Vec::new(), Vec::new());
    let mut before = BTreeSet::new();
    for (release, _, _) in ENVO {
        let Some(path) = data("envo_has_the_terms_edges_and_merges_of_its_releases", &format!("envo/{release}.obo"))
        else {
            return;
        };
        let input = open(&path).unwrap();
        let name = input.name().clone();
        let mut version = Version::default();
        obo::read(input, &name, &options, &mut version).unwrap();
        found.push((release, version.nodes.len(), version.edges.len()));
        let new = |kind: &str| {
            let kind = Some(Value::Category(kind.into()));
            let of_kind = |merge: &&ListedMerge| before.contains(&merge.from) && merge.features[0].1 == kind;
            version.merges.iter().filter(of_kind).count()
        };
        let counts = (new("replaced_by"), new("consider"));
        merged.extend((counts != (0, 0)).then_some((release, counts)));
        before = version.nodes.into_iter().map(|node| node.key).collect();
    }
    assert_eq!(found, ENVO);
    // 315 `replaced_by`, and 25 rows of `consider` in 8 terms, counted in the file.
    let expected = [
        ("v2015-12-18", (1, 0)),
        ("v2016-11-20", (301, 0)),
        ("v2017-04-15", (1, 0)),
        ("v2017-05-10", (1, 0)),
        ("v2017-06-26", (1, 0)),
        ("v2017-07-31", (1, 0)),
        ("v2018-05-18", (0, 2)),
        ("v2020-06-10", (7, 2)),
        ("v2023-02-13", (2, 19)),
        ("v2025-02-05", (0, 2)),
    ];
    assert_eq!(merged, expected);
}

#[test]
fn a_broken_line_of_a_header_hides_no_term() {
    let terms = "\n[Term]\nid: X:1\nname: root\n";
    let version = read(&format!("format-version: 1.2\ntreat-xrefs-as-genus X\n{terms}"));
    assert_eq!((version.rejects.len(), version.unreadable.len()), (1, 0));
    // But the beginning of a term may be broken.
    let version = read(&format!("format-version: 1.2\n[Term\nid: X:0\nname: lost\n{terms}"));
    assert_eq!(version.rejects.len(), 1);
    assert!(!version.unreadable.is_empty());
}
