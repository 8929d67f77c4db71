//! OBO Graphs JSON documents.

use std::collections::BTreeMap;

use serde_json::json;
use timeweft_graph::{FeatureKind, ListOrder, ListedMerge, Owner, Value};
use timeweft_oracle::Version;
use timeweft_oracle::world::data;
use timeweft_source::{ObographOptions, SourceError, obograph, open};

fn read(text: &str, prefix: Option<&str>, graph: Option<&str>) -> Result<Version, SourceError> {
    let options = ObographOptions { id_prefix: prefix.map(str::to_owned), graph: graph.map(str::to_owned) };
    let mut version = Version::default();
    obograph::read(text.as_bytes(), &"f".into(), &options, &mut version).map(|()| version)
}

fn rejects(version: &Version) -> Vec<String> {
    version.rejects.iter().map(ToString::to_string).collect()
}

fn merges(version: &Version) -> Vec<String> {
    let kind = |merge: &ListedMerge| match &merge.features[..] {
        [(name, Some(Value::Category(kind)))] if &**name == "type" => kind.to_string(),
        other => format!("{other:?}"),
    };
    version.merges.iter().map(|merge| format!("{} {} {}", merge.from.id, kind(merge), merge.into.id)).collect()
}

const OBO: &str = "http://purl.obolibrary.org/obo/";
const IN_OWL: &str = "http://www.geneontology.org/formats/oboInOwl#";

/// One record a line, so that lines can be told.
fn document(nodes: &[serde_json::Value], edges: &[serde_json::Value]) -> String {
    let lines = |items: &[serde_json::Value]| {
        items.iter().map(ToString::to_string).collect::<Vec<_>>().join(",\n").replace("OBO/", OBO)
    };
    format!("{{\"graphs\":[{{\"id\":\"g\",\"nodes\":[\n{}\n],\"edges\":[\n{}\n]}}]}}", lines(nodes), lines(edges))
}

#[test]
fn nodes_become_terms_with_all_features() {
    let properties = json!([
        {"pred": format!("{IN_OWL}hasOBONamespace"), "val": "cell"},
        {"pred": format!("{IN_OWL}hasOBONamespace"), "val": "second"},
        {"pred": "OBO/P_1", "val": "CL:2"},
        {"pred": "http://www.w3.org/2000/01/rdf-schema#comment", "val": "old"},
        {"pred": "http://a.org/other", "val": "OBO/CL_7"},
    ]);
    let text = document(
        &[
            json!({"id": "OBO/P_1", "type": "PROPERTY", "lbl": "has_alternative_id"}),
            json!({"id": "OBO/CL_1", "type": "CLASS", "lbl": "root", "meta": {
                "definition": {"val": "d", "xrefs": ["b", "a"], "meta": {"x": 1}},
                "comments": ["new"], "subsets": ["s2", "s1"],
                "synonyms": [{"pred": "hasExactSynonym", "val": "z", "xrefs": ["q", "p"]}, {"val": "y", "meta": {}}],
                "xrefs": [{"val": "X:2"}, {"val": "X:1", "meta": {}}],
                "basicPropertyValues": properties}}),
            json!({"id": "OBO/CL_2", "type": "INDIVIDUAL"}),
        ],
        &[],
    );
    let version = read(&text, None, None).unwrap();
    let found: BTreeMap<&str, Value> =
        version.nodes[0].features.iter().map(|(name, value)| (&**name, value.clone())).collect();
    let expected = BTreeMap::from([
        ("name", Value::text("root")),
        ("type", Value::Category("CLASS".into())),
        ("namespace", Value::text("cell")),
        ("def", Value::Json(json!({"val": "d", "xrefs": ["a", "b"]}))),
        ("alt_ids", Value::Json(json!(["CL:2"]))),
        ("comments", Value::Json(json!(["new", "old"]))),
        ("property_values", Value::Json(json!([{"pred": "http://a.org/other", "val": "CL:7"}]))),
        ("subsets", Value::Json(json!(["s1", "s2"]))),
        ("synonyms", Value::Json(json!([{"pred": "hasExactSynonym", "val": "z", "xrefs": ["p", "q"]}, {"val": "y"}]))),
        ("xrefs", Value::Json(json!([{"val": "X:1"}, {"val": "X:2"}]))),
    ]);
    assert_eq!(found, expected);
    assert_eq!(version.nodes[1].features, [("type".into(), Value::Category("INDIVIDUAL".into()))]);
    assert_eq!(
        (version.nodes[1].key.to_string(), version.nodes[1].place.to_string()),
        ("term CL:2".into(), "f:4".into())
    );
    let term = Owner::Node(version.schema.node_type("term").unwrap());
    let (_, def) = version.schema.feature(term, "synonyms").unwrap();
    assert_eq!((def.kind, def.order), (FeatureKind::Json, ListOrder::Set));
    assert_eq!((&*version.format.name, version.format.fields.as_ref().unwrap()[0].1.len()), ("obograph", 13));
}

#[test]
fn relations_have_labels_and_properties_without_one_are_told() {
    let edge = |sub: &str, pred: &str, obj: &str| json!({"sub": sub, "pred": pred, "obj": obj});
    let text = document(
        &[
            json!({"id": "OBO/RO_1", "type": "PROPERTY", "lbl": "develops from"}),
            json!({"id": "OBO/RO_2", "meta": {"comments": ["only comment"]}}),
            json!({"id": "OBO/RO_3", "type": "PROPERTY", "meta": {"comments": ["one", "two"]}}),
            json!({"id": "OBO/CL_1", "type": "CLASS"}),
            json!({"id": "OBO/CL_2", "type": "CLASS"}),
        ],
        &[
            edge("OBO/CL_2", "is_a", "OBO/CL_1"),
            edge("OBO/CL_2", "is_a", "OBO/CL_1"),
            edge("OBO/CL_2", "OBO/RO_1", "OBO/CL_1"),
            edge("OBO/CL_2", "OBO/RO_2", "OBO/CL_9"),
            edge("OBO/CL_2", "OBO/RO_3", "OBO/CL_1"),
            edge("OBO/CL_1", "OBO/RO_3", "OBO/CL_2"),
            edge("OBO/RO_1", "is_a", "OBO/RO_2"),
            edge("OBO/CL_1", "is_a", "OBO/CLO_1"),
        ],
    );
    let version = read(&text, Some("CL"), None).unwrap();
    let edges: Vec<_> = version.edges.iter().map(|edge| edge.key.to_string()).collect();
    let expected = [
        "term CL:2 -is_a-> term CL:1",
        "term CL:2 -develops_from-> term CL:1",
        "term CL:2 -only_comment-> term CL:9",
        "term CL:2 -RO:3-> term CL:1",
        "term CL:1 -RO:3-> term CL:2",
    ];
    assert_eq!(edges, expected, "a fact given twice is one; a dangling edge stays; CLO is not CL");
    let warnings: Vec<_> = version.warnings.iter().map(|(place, message)| format!("{place}: {message}")).collect();
    assert_eq!(warnings, [format!("f:12: property {OBO}RO_3 has no label: its edges are named `RO:3`")]);
    assert_eq!(read(&text, None, None).unwrap().edges.len(), 6, "CLO without a prefix");
}

#[test]
fn successors_come_before_hints() {
    let said = |pairs: &[(&str, &str)]| {
        let values: Vec<_> = pairs.iter().map(|(pred, val)| json!({"pred": pred, "val": val})).collect();
        json!({"deprecated": true, "basicPropertyValues": values})
    };
    let (replaced, consider) = ("OBO/IAO_0100001", format!("{IN_OWL}consider"));
    let mut live = said(&[(replaced, "CL:7")]);
    live["deprecated"] = false.into();
    let old = json!({"basicPropertyValues": [{"pred": "http://www.w3.org/2002/07/owl#deprecated", "val": "true"}]});
    let text = document(
        &[
            json!({"id": "OBO/CL_1", "type": "CLASS", "meta": said(&[(&consider, "CL:3"), (&consider, "CL:2"), (replaced, "OBO/CL_2"), (replaced, "XX:1")])}),
            json!({"id": "OBO/CL_2", "type": "CLASS", "meta": live}),
            json!({"id": "OBO/CL_4", "type": "CLASS", "meta": old}),
            json!({"id": "OBO/XX_1", "type": "CLASS", "meta": said(&[(&consider, "CL:3")])}),
        ],
        &[],
    );
    let version = read(&text, Some("CL"), None).unwrap();
    // One that lives has not become another: it is told, and the node says what it names.
    let expected = ["CL:1 replaced_by CL:2", "CL:1 replaced_by XX:1", "CL:1 consider CL:3"];
    assert_eq!(merges(&version), expected);
    let nodes: Vec<_> = version.nodes.iter().map(|node| node.key.id.to_string()).collect();
    assert_eq!(nodes, ["CL:2"], "deprecated ones are no nodes, in the old form neither");
}

#[test]
fn bad_records_are_refused_alone() {
    let text = document(
        &[
            json!({"id": "OBO/CL_1", "type": "CLASS"}),
            json!({"id": "OBO/CL_2", "type": "WONDER"}),
            json!({"type": "CLASS"}),
            json!({"id": "OBO/CL_a_b", "type": "CLASS"}),
            json!({"id": "", "type": "CLASS"}),
        ],
        &[json!({"sub": "OBO/CL_1", "pred": "is_a"})],
    );
    let version = read(&text, None, None).unwrap();
    let nodes: Vec<_> = version.nodes.iter().map(|node| node.key.id.to_string()).collect();
    assert_eq!(nodes, ["CL:1", "CL_a_b"], "an id that has no prefix is as good as any");
    let found = rejects(&version);
    assert_eq!(found[0], format!("f:3: node {OBO}CL_2: unknown node type `WONDER`"));
    assert!(found[1].starts_with("f:4: missing field `id`"), "{found:?}");
    assert_eq!(found[2], "f:6: a node with an empty `id`");
    assert!(found[3].starts_with("f:8: missing field `obj`"), "{found:?}");
    assert_eq!(found.len(), 4);
}

#[test]
fn a_document_of_several_graphs_needs_the_id_of_one() {
    let text = r#"{"graphs":[{"id":"a","nodes":[{"id":"A:1","type":"CLASS"}]},{"id":"b","nodes":[]}]}"#;
    let message = |graph| read(text, None, graph).unwrap_err().to_string();
    assert_eq!(message(None), "f:1: the document has 2 graphs; give the id of one: a, b");
    assert_eq!(message(Some("c")), "f:1: the document has 2 graphs, and none is `c`; give the id of one: a, b");
    assert_eq!(read(text, None, Some("a")).unwrap().nodes.len(), 1);
    let broken = read("{\"graphs\":[\n{\"nodes\":[}]}", None, None).unwrap_err().to_string();
    assert!(broken.starts_with("f:2: this is no OBO Graphs document"), "{broken}");
    assert!(read("[1]", None, None).is_err());
}

/// What a document holds by the rules of OBO Graphs, counted without the reader.
struct Expected {
    nodes: usize,
    edges: usize,
    dangling: usize,
}

fn count(document: &serde_json::Value) -> Expected {
    let graph = &document["graphs"][0];
    let is_cl = |value: &serde_json::Value| value.as_str().unwrap().rsplit('/').next().unwrap().starts_with("CL_");
    let deprecated = |node: &serde_json::Value| {
        let values = node["meta"]["basicPropertyValues"].as_array();
        let old = values.into_iter().flatten().any(|value| {
            value["pred"].as_str().unwrap().ends_with("owl#deprecated") && value["val"].as_str().unwrap() == "true"
        });
        old || node["meta"]["deprecated"] == json!(true)
    };
    let nodes = graph["nodes"].as_array().unwrap();
    let live: std::collections::HashSet<&str> = nodes
        .iter()
        .filter(|node| node["type"] == "CLASS" && is_cl(&node["id"]) && !deprecated(node))
        .map(|node| node["id"].as_str().unwrap())
        .collect();
    let properties: std::collections::HashSet<&str> =
        nodes.iter().filter(|node| node["type"] != "CLASS").map(|node| node["id"].as_str().unwrap()).collect();
    let edges: std::collections::HashSet<(&str, &str, &str)> = graph["edges"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|edge| is_cl(&edge["sub"]) && is_cl(&edge["obj"]))
        .map(|edge| (edge["sub"].as_str().unwrap(), edge["pred"].as_str().unwrap(), edge["obj"].as_str().unwrap()))
        .filter(|(sub, _, obj)| !properties.contains(sub) && !properties.contains(obj))
        .collect();
    let dangling = edges.iter().filter(|(sub, _, obj)| !(live.contains(sub) && live.contains(obj))).count();
    Expected { nodes: live.len(), edges: edges.len(), dangling }
}

#[test]
fn all_versions_of_the_cell_ontology_are_read() {
    let Some(folder) = data("all_versions_of_the_cell_ontology_are_read", "cl") else { return };
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let options = ObographOptions { id_prefix: Some("CL".into()), graph: None };
    let mut nodes = Vec::new();
    for path in &files {
        let input = open(path).unwrap();
        let name = input.name().clone();
        let mut version = Version::default();
        obograph::read(input, &name, &options, &mut version).unwrap();
        let expected = count(&serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap());
        let ids: std::collections::HashSet<_> = version.nodes.iter().map(|node| &node.key).collect();
        let dangling = |edge: &&timeweft_oracle::Listed<timeweft_graph::EdgeKey>| {
            !(ids.contains(&edge.key.source) && ids.contains(&edge.key.destination))
        };
        let found = (version.nodes.len(), version.edges.len(), version.edges.iter().filter(dangling).count());
        assert_eq!(found, (expected.nodes, expected.edges, expected.dangling), "{name}");
        assert_eq!(rejects(&version), [""; 0], "{name}");
        assert!(!version.merges.is_empty(), "{name}");
        nodes.push(version.nodes.len());
    }
    assert_eq!(nodes, [2204, 2213, 2248, 2344, 2442, 2493, 2526, 2535]);
}
