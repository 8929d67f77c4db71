//! Ontologies in both forms: a release in OBO text and in OBO Graphs is one graph.

use std::collections::BTreeSet;

use timeweft_oracle::Version;
use timeweft_source::{OboOptions, ObographOptions, obo, obograph};

/// All constructs of OBO text that OBO Graphs have too.
const OBO: &str = r#"format-version: 1.4
default-namespace: x
import: http://purl.obolibrary.org/obo/ro.owl
ontology: x
! a comment

[Term]
id: X:1
name: root
def: "The \"root\"! {of} all.\nNext line." [PMID:2, http\://a.org/b] {source="z"}
comment: see it ! gone
subset: slim
synonym: "zeta" EXACT []
synonym: "alpha" BROAD ABBREVIATION [b:2, a:1 "first"] {scope="q"}
synonym: "beta" NARROW []
synonym: "gamma" RELATED [a:1]
xref: A:1 ! note
alt_id: X:90 {source="z"}
created_by: somebody
creation_date: 2020-01-02T03:04:05Z
property_value: IAO:0000117 "A. Editor" xsd:string
property_value: RO:0002175 X:7

[Term]
id: X:2
name: child
namespace: other
is_a: X:1 {source="z"} ! root
is_a: X:1 ! root again
relationship: part_of X:1 {gci="b"} ! root
relationship: RO:0002202 Y:9
relationship: RO:0002202 X:4 ! an obsolete one
intersection_of: X:1 ! root
intersection_of: part_of X:3

[Term]
id: X:3
name: obsolete a
is_a: X:1
relationship: part_of X:2
is_obsolete: true
replaced_by: X:2
consider: X:1

[Term]
id: X:4
name: obsolete b
is_obsolete: true
consider: X:1

[Term]
id: X:5
name: obsolete, and an old id of the root
is_obsolete: true
replaced_by: X:1

[Term]
id: X:6
name: holds an old id and one that lives
alt_id: X:91
alt_id: X:2
replaced_by: X:1

[Term]
id: PR:P04637
name: a protein
alt_id: X:5

[Term]
id: http://identifiers.org/hgnc/11998
name: TP53
is_a: PR:P04637

[Term]
id: http://identifiers.org/ncbigene/11998
name: another
is_a: X:1
is_a: http://identifiers.org/hgnc/11998

[Term]
id: http://identifiers.org/hgnc/5
name: the only five
relationship: http://a.org/p#touches http://identifiers.org/hgnc/11998

[Typedef]
id: part_of
name: part of
xref: BFO:0000050
is_transitive: true

[Typedef]
id: RO:0002202
name: develops from

[Instance]
id: X:8
name: one of them
instance_of: X:2
"#;

/// The same as the tools of OBO Graphs write it.
const OBOGRAPH: &str = r#"{"graphs":[{"id":"http://purl.obolibrary.org/obo/x.json","lbl":null,
"meta":{"basicPropertyValues":[{"pred":"http://www.geneontology.org/formats/oboInOwl#default-namespace","val":"x"}]},
"nodes":[
{"id":"OBO/X_1","lbl":"root","type":"CLASS","meta":{
  "definition":{"val":"The \"root\"! {of} all.\nNext line.","xrefs":["http://a.org/b","PMID:2"],"meta":{"basicPropertyValues":[]}},
  "comments":["see it"],"subsets":["OBO/x#slim"],
  "synonyms":[{"pred":"hasExactSynonym","val":"zeta","xrefs":[]},
    {"synonymType":"OBO/x#ABBREVIATION","pred":"hasBroadSynonym","val":"alpha","xrefs":["b:2","a:1"],"meta":{}},
    {"pred":"hasNarrowSynonym","val":"beta"},{"pred":"hasRelatedSynonym","val":"gamma","xrefs":["a:1"]}],
  "xrefs":[{"val":"A:1","meta":null}],
  "basicPropertyValues":[{"pred":"OWL/hasAlternativeId","val":"X:90"},{"pred":"OWL/created_by","val":"somebody"},
    {"pred":"OWL/creation_date","val":"2020-01-02T03:04:05Z"},{"pred":"OBO/IAO_0000117","val":"A. Editor"},
    {"pred":"OBO/RO_0002175","val":"OBO/X_7"}]}},
{"id":"OBO/X_2","lbl":"child","type":"CLASS","meta":{"basicPropertyValues":[{"pred":"OWL/hasOBONamespace","val":"other"}]}},
{"id":"OBO/X_3","lbl":"obsolete a","type":"CLASS","meta":{"deprecated":true,"basicPropertyValues":[
  {"pred":"OWL/consider","val":"OBO/X_1"},{"pred":"OBO/IAO_0100001","val":"OBO/X_2"}]}},
{"id":"OBO/X_4","lbl":"obsolete b","type":"CLASS","meta":{"deprecated":true,"basicPropertyValues":[
  {"pred":"OWL/consider","val":"X:1"}]}},
{"id":"OBO/X_5","type":"CLASS","meta":{"basicPropertyValues":[
  {"pred":"http://www.w3.org/2002/07/owl#deprecated","val":"true"},{"pred":"OBO/IAO_0100001","val":"OBO/X_1"}]}},
{"id":"OBO/X_6","lbl":"holds an old id and one that lives","type":"CLASS","meta":{"basicPropertyValues":[
  {"pred":"OWL/hasAlternativeId","val":"X:91"},{"pred":"OWL/hasAlternativeId","val":"X:2"},
  {"pred":"OBO/IAO_0100001","val":"OBO/X_1"}]}},
{"id":"OBO/PR_P04637","lbl":"a protein","type":"CLASS","meta":{"basicPropertyValues":[{"pred":"OWL/hasAlternativeId","val":"X:5"}]}},
{"id":"http://identifiers.org/hgnc/11998","lbl":"TP53","type":"CLASS"},
{"id":"http://identifiers.org/ncbigene/11998","lbl":"another","type":"CLASS","meta":null},
{"id":"http://identifiers.org/hgnc/5","lbl":"the only five","type":"CLASS"},
{"id":"OBO/X_8","lbl":"one of them","type":"INDIVIDUAL"},
{"id":"OBO/BFO_0000050","lbl":"part of","type":"PROPERTY","propertyType":"OBJECT","meta":{"basicPropertyValues":[
  {"pred":"OWL/shorthand","val":"part_of"}]}},
{"id":"OBO/RO_0002202","lbl":"develops from","type":"PROPERTY"}],
"edges":[
{"sub":"OBO/X_2","pred":"is_a","obj":"OBO/X_1","meta":{"xrefs":[]}},
{"sub":"OBO/X_2","pred":"OBO/BFO_0000050","obj":"OBO/X_1"},
{"sub":"OBO/X_2","pred":"OBO/RO_0002202","obj":"OBO/Y_9"},
{"sub":"OBO/X_2","pred":"OBO/RO_0002202","obj":"OBO/X_4"},
{"sub":"OBO/X_3","pred":"is_a","obj":"OBO/X_1"},
{"sub":"OBO/X_3","pred":"OBO/BFO_0000050","obj":"OBO/X_2"},
{"sub":"http://identifiers.org/hgnc/11998","pred":"is_a","obj":"OBO/PR_P04637"},
{"sub":"http://identifiers.org/ncbigene/11998","pred":"is_a","obj":"OBO/X_1"},
{"sub":"http://identifiers.org/ncbigene/11998","pred":"is_a","obj":"http://identifiers.org/hgnc/11998"},
{"sub":"http://identifiers.org/hgnc/5","pred":"http://a.org/p#touches","obj":"http://identifiers.org/hgnc/11998"},
{"sub":"OBO/X_8","pred":"type","obj":"OBO/X_2"}],
"logicalDefinitionAxioms":[{"definedClassId":"OBO/X_2","genusIds":["OBO/X_1"],
  "restrictions":[{"propertyId":"OBO/BFO_0000050","fillerId":"OBO/X_3"},null]}],
"equivalentNodesSets":[],"domainRangeAxioms":null,"propertyChainAxioms":[]}]}"#;

fn from_obo(text: &str, prefix: Option<&str>) -> Version {
    let mut version = Version::default();
    let options = OboOptions { id_prefix: prefix.map(str::to_owned) };
    obo::read(text.as_bytes(), &"f".into(), &options, &mut version).unwrap();
    version
}

fn from_obograph(text: &str, prefix: Option<&str>) -> Version {
    let text = text.replace("OBO/", "http://purl.obolibrary.org/obo/");
    let text = text.replace("OWL/", "http://www.geneontology.org/formats/oboInOwl#");
    let mut version = Version::default();
    let options = ObographOptions { id_prefix: prefix.map(str::to_owned), graph: None };
    obograph::read(text.as_bytes(), &"f".into(), &options, &mut version).unwrap();
    version
}

/// Everything of a version but the places, a line each.
fn content(version: &Version) -> BTreeSet<String> {
    let features = |features: &[(timeweft_graph::Name, timeweft_graph::Value)]| {
        let mut found: Vec<_> = features.iter().map(|(name, value)| format!("{name}={value}")).collect();
        found.sort();
        found.join(" ")
    };
    let nodes = version.nodes.iter().map(|node| format!("{} {}", node.key, features(&node.features)));
    let edges = version.edges.iter().map(|edge| edge.key.to_string());
    let merges = version.merges.iter().map(|merge| format!("{} into {} {:?}", merge.from, merge.into, merge.features));
    let rejects = version.rejects.iter().map(|reject| reject.reason.to_string());
    let all: Vec<String> = nodes.chain(edges).chain(merges).chain(rejects).collect();
    let set: BTreeSet<String> = all.iter().cloned().collect();
    assert_eq!(set.len(), all.len(), "nothing is there twice: {all:#?}");
    set
}

fn assert_same(obo: &Version, obograph: &Version) {
    let (obo, obograph) = (content(obo), content(obograph));
    let only = |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).cloned().collect::<Vec<_>>();
    assert_eq!(only(&obo, &obograph), only(&obograph, &obo));
}

#[test]
fn a_release_is_one_graph_in_both_forms() {
    for prefix in [None, Some("X"), Some("PR"), Some("nothing")] {
        let (obo, obograph) = (from_obo(OBO, prefix), from_obograph(OBOGRAPH, prefix));
        assert_same(&obo, &obograph);
        assert!(obo.rejects.is_empty(), "{:?}", obo.rejects);
    }
    let version = from_obo(OBO, None);
    let edges: Vec<String> = version.edges.iter().map(|edge| edge.key.to_string()).collect();
    let expected = [
        "term X:2 -is_a-> term X:1",
        "term X:2 -part_of-> term X:1",
        "term X:2 -develops_from-> term Y:9",
        "term X:2 -develops_from-> term X:4",
        "term http://identifiers.org/hgnc/11998 -is_a-> term PR:P04637",
        "term http://identifiers.org/ncbigene/11998 -is_a-> term X:1",
        "term http://identifiers.org/ncbigene/11998 -is_a-> term http://identifiers.org/hgnc/11998",
        "term 5 -touches-> term http://identifiers.org/hgnc/11998",
        "term X:8 -instance_of-> term X:2",
    ];
    assert_eq!(edges, expected);
    let merges: Vec<String> =
        version.merges.iter().map(|merge| format!("{} {}", merge.from.id, merge.into.id)).collect();
    assert_eq!(merges, ["X:3 X:2", "X:5 X:1", "X:90 X:1", "X:91 X:6", "X:5 PR:P04637", "X:3 X:1", "X:4 X:1"]);
}

#[test]
fn what_is_left_out_is_told_once() {
    let warnings = |version: &Version| -> Vec<String> {
        version.warnings.iter().map(|(place, message)| format!("{}: {message}", place.line)).collect()
    };
    let of_both = [
        "a live term is said to have become another, by a successor or as an alternative id (2 times, first X:6): it lives, \
         and is not merged",
        "2 edges of obsolete terms: an obsolete term is no node, so its edges are left out",
    ];
    let (obo, obograph) = (warnings(&from_obo(OBO, None)), warnings(&from_obograph(OBOGRAPH, None)));
    for found in [&obo, &obograph] {
        for message in of_both {
            assert!(found.iter().any(|told| told.ends_with(message)), "{message}: {found:#?}");
        }
        assert!(
            found.iter().any(|told| told.contains("keep their whole form (1 case such in the file)")),
            "{found:#?}"
        );
        assert!(found.iter().any(|told| told.contains("(1 in the file)")), "{found:#?}");
    }
    assert!(obo.iter().any(|told| told == "3: import: what the line names is not read"), "{obo:#?}");
    assert_eq!(obo.len(), 5, "{obo:#?}");
    // The document has no label for one of its relations.
    assert_eq!(obograph.len(), 5, "{obograph:#?}");
    let axioms =
        r#"{"graphs":[{"equivalentNodesSets":[{},{}],"propertyChainAxioms":[1],"logicalDefinitionAxioms":[{}]}]}"#;
    let expected = "0: axioms of these kinds make no elements: 2 equivalentNodesSets, 1 logicalDefinitionAxioms that cannot \
                    be read, 1 propertyChainAxioms";
    assert_eq!(warnings(&from_obograph(axioms, None)), [expected]);
}

/// A chain of `replaced_by` that ends in an alternative id.
#[test]
fn obo_alt_id_merge() {
    let text = "[Term]\nid: GO:1\nis_obsolete: true\nreplaced_by: GO:2\n\n[Term]\nid: GO:2\nis_obsolete: true\nreplaced_by: GO:3\n\n\
        [Term]\nid: GO:7\nalt_id: GO:3\n";
    let version = from_obo(text, None);
    let merges: Vec<String> =
        version.merges.iter().map(|merge| format!("{} {}", merge.from.id, merge.into.id)).collect();
    assert_eq!(merges, ["GO:1 GO:2", "GO:2 GO:3", "GO:3 GO:7"]);
    assert!(version.rejects.is_empty() && version.warnings.is_empty());
}

#[test]
fn obograph_property_without_val() {
    let text = r#"{"graphs":[{"nodes":[
{"id":"OBO/X_1","lbl":null,"type":"CLASS","meta":{"basicPropertyValues":[{"pred":"OBO/IAO_1","val":"e"},{"pred":"OBO/IAO_2"},
  {"pred":"OBO/IAO_3","val":null},{"val":"f"},{"pred":"OBO/IAO_4","val":7}],"synonyms":null,"xrefs":[null],"subsets":[null,"s"],
  "comments":null,"definition":null,"deprecated":null,"version":"1"}},
{"id":"OBO/X_2"},{"id":"OBO/X_3","type":null,"lbl":"no type"}],"edges":null,"meta":null}]}"#;
    let version = from_obograph(text, None);
    assert!(version.rejects.is_empty(), "{:?}", version.rejects);
    let expected =
        r#"term X:1 property_values=[{"pred":"IAO:1","val":"e"},{"pred":"IAO:4","val":"7"}] subsets=["s"] type=CLASS"#;
    assert_eq!(content(&version).into_iter().collect::<Vec<_>>(), [expected]);
    let warnings: Vec<&str> = version.warnings.iter().map(|(_, message)| message.as_str()).collect();
    assert_eq!(warnings, ["properties without a value say nothing and are left out (3 in the file)"]);
}

#[test]
fn two_iris_one_id() {
    let text = r#"{"graphs":[{"nodes":[{"id":"OBO/PR_1","type":"CLASS"},{"id":"OBO/PR_2","type":"CLASS"},
{"id":"http://identifiers.org/hgnc/11998","type":"CLASS"},MORE{"id":"http://identifiers.org/hgnc/2","type":"CLASS"}],
"edges":[{"sub":"http://identifiers.org/hgnc/11998","pred":"is_a","obj":"OBO/PR_1"},
{"sub":"http://identifiers.org/ncbigene/11998","pred":"is_a","obj":"OBO/PR_2"}]}]}"#;
    let more = r#"{"id":"http://identifiers.org/ncbigene/11998","type":"CLASS"},"#;
    let edges = |text: &str| -> Vec<String> {
        from_obograph(text, None).edges.iter().map(|edge| edge.key.to_string()).collect()
    };
    let expected = [
        "term http://identifiers.org/hgnc/11998 -is_a-> term PR:1",
        "term http://identifiers.org/ncbigene/11998 -is_a-> term PR:2",
    ];
    assert_eq!(edges(&text.replace("MORE", more)), expected);
    assert_eq!(edges(&text.replace("MORE", "")), expected, "nor where one of them is only named by an edge");
    let text = text.replace("MORE", more);
    let nodes: Vec<String> = from_obograph(&text, None).nodes.iter().map(|node| node.key.id.to_string()).collect();
    assert_eq!(nodes[2..], ["http://identifiers.org/hgnc/11998", "http://identifiers.org/ncbigene/11998", "2"]);
    // A successor that ends like a term of the file is not that term.
    let text = r#"{"graphs":[{"nodes":[{"id":"http://a.org/1","type":"CLASS"},{"id":"OBO/X_1","type":"CLASS","meta":{
"deprecated":true,"basicPropertyValues":[{"pred":"OBO/IAO_0100001","val":"http://b.org/1"}]}}]}]}"#;
    let version = from_obograph(text, None);
    assert_eq!(
        (version.nodes[0].key.id.to_string(), version.merges[0].into.id.to_string()),
        ("http://a.org/1".into(), "http://b.org/1".into())
    );
}

/// Two relations with one label stay two.
#[test]
fn two_relations_never_become_one() {
    let text = "[Term]\nid: X:1\nrelationship: RO:1 X:1\nrelationship: RO:2 X:1\nrelationship: RO:3 X:1\n\n\
        [Typedef]\nid: RO:1\nname: touches\n\n[Typedef]\nid: RO:2\nname: touches\n\n[Typedef]\nid: RO:3\nname: is near\n";
    let edges: Vec<String> = from_obo(text, None).edges.iter().map(|edge| edge.key.to_string()).collect();
    assert_eq!(edges, ["term X:1 -RO:1-> term X:1", "term X:1 -RO:2-> term X:1", "term X:1 -is_near-> term X:1"]);
}

/// A graph of an earlier reader holds definitions as texts: they stay texts.
#[test]
fn definitions_keep_the_kind_that_the_graph_has() {
    use timeweft_graph::{FeatureDef, FeatureKind, ListOrder, Owner, Schema, Value};
    let mut schema = Schema::default();
    let term = schema.add_node_type(&"term".into()).unwrap();
    let def = FeatureDef { name: "def".into(), kind: FeatureKind::Text, order: ListOrder::List };
    schema.add_feature(Owner::Node(term), def).unwrap();
    let mut version = Version::new(schema);
    let text = "[Term]\nid: X:1\ndef: \"a text\" [A:1]\n";
    obo::read(text.as_bytes(), &"f".into(), &OboOptions::default(), &mut version).unwrap();
    let found = &version.nodes[0].features;
    assert!(found.contains(&("def".into(), Value::text("a text"))), "{found:?}");
    assert!(found.contains(&("def_xref".into(), Value::Json(serde_json::json!(["A:1"])))), "{found:?}");
}

#[test]
fn encodings_are_named_and_old_line_ends_are_read() {
    let text = "format-version: 1.2\n\n[Term]\nid: X:1\nname: a\n\n[Term]\nid: X:2\nis_a: X:1\n";
    let expected = content(&from_obo(text, None));
    assert_eq!(expected.len(), 3);
    for end in ["\r\n", "\r"] {
        assert_eq!(content(&from_obo(&text.replace('\n', end), None)), expected, "{end:?}");
    }
    assert_eq!(content(&from_obo(&format!("\u{feff}{text}"), None)), expected);
    let utf16: Vec<u8> = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let error = obo::read(&utf16[..], &"f".into(), &OboOptions::default(), &mut Version::default()).unwrap_err();
    assert_eq!(error.to_string(), "f:1: the text is UTF-16: convert it to UTF-8, as with `iconv -f UTF-16 -t UTF-8`");
    let error =
        obograph::read(&utf16[..], &"f".into(), &ObographOptions::default(), &mut Version::default()).unwrap_err();
    assert!(error.to_string().contains("UTF-16"), "{error}");
}
