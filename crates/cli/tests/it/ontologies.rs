//! Ontologies and taxonomies as they are in the wild.

use serde_json::json;

use crate::world::World;

const OBO: &str = "format-version: 1.2\nontology: x\n\n[Term]\nid: X:1\nname: root\ndef: \"All of it.\" [A:2, A:1]\n\
    synonym: \"everything\" EXACT []\nalt_id: X:9\n\n[Term]\nid: X:2\nname: child\nis_a: X:1 ! root\n\
    relationship: part_of X:1\n\n[Term]\nid: X:3\nname: obsolete grandchild\nis_a: X:2\nis_obsolete: true\n\
    replaced_by: X:2\n\n[Typedef]\nid: part_of\nname: part of\nxref: BFO:0000050\n";

const OBOGRAPH: &str = r#"{"graphs":[{"id":"x","nodes":[
{"id":"OBO/X_1","lbl":"root","type":"CLASS","meta":{"definition":{"val":"All of it.","xrefs":["A:1","A:2"]},
"synonyms":[{"pred":"hasExactSynonym","val":"everything","xrefs":[]}],
"basicPropertyValues":[{"pred":"http://www.geneontology.org/formats/oboInOwl#hasAlternativeId","val":"X:9"},{"pred":"OBO/IAO_1"}]}},
{"id":"OBO/X_2","lbl":"child","type":"CLASS"},
{"id":"OBO/X_3","lbl":"obsolete grandchild","type":"CLASS","meta":{"deprecated":true,
"basicPropertyValues":[{"pred":"OBO/IAO_0100001","val":"OBO/X_2"}]}},
{"id":"OBO/BFO_0000050","lbl":"part of","type":"PROPERTY"}],
"edges":[{"sub":"OBO/X_2","pred":"is_a","obj":"OBO/X_1"},{"sub":"OBO/X_2","pred":"OBO/BFO_0000050","obj":"OBO/X_1"},
{"sub":"OBO/X_3","pred":"is_a","obj":"OBO/X_2"}]}]}"#;

/// An obsolete term that keeps an edge is in both: the edge is left out and told, and nothing is rejected.
#[test]
fn a_release_in_both_forms_is_one_graph_with_one_exit_code() {
    let world = World::new();
    world.write("x.obo", OBO);
    world.write("x.json", &OBOGRAPH.replace("OBO/", "http://purl.obolibrary.org/obo/"));
    for (first, second) in [("x.obo", "x.json"), ("x.json", "x.obo")] {
        let graph = format!("g-{first}");
        let load = |file: &str, version: u8| {
            let line = format!(
                "load version {file} --graph {graph} --unit s --namespace x --version {version} --timestamp 2024-01-0{version} --json"
            );
            let answer = world.run(&line);
            assert_eq!(answer.code, 0, "{}", answer.err);
            crate::world::parse(&answer.out).remove(0)
        };
        let loaded = load(first, 1);
        assert_eq!((&loaded["delta"]["nodes"]["new"], &loaded["delta"]["edges"]["new"]), (&json!(2), &json!(2)));
        let warnings = loaded["warnings"].to_string();
        assert!(warnings.contains("1 edge of obsolete terms"), "{warnings}");
        let again = load(second, 2);
        assert_eq!(again["accepted"], json!(0), "{again}");
        assert_eq!(
            (&again["delta"]["nodes"]["unchanged"], &again["delta"]["edges"]["unchanged"]),
            (&json!(2), &json!(2))
        );
    }
}

/// A chain of successors that ends in an alternative id of a term that lives.
#[test]
fn obo_alt_id_merge() {
    let world = World::new();
    let term = |id: &str, more: &str| format!("[Term]\nid: GO:{id}\nname: n{id}\n{more}\n");
    let first = ["0030356", "0030531", "0030529", "1990904"].map(|id| term(id, "")).concat();
    let obsolete = |id: &str, into: &str| term(id, &format!("is_obsolete: true\nreplaced_by: GO:{into}\n"));
    let second =
        obsolete("0030356", "0030531") + &obsolete("0030531", "0030529") + &term("1990904", "alt_id: GO:0030529\n");
    world.write("v1.obo", &first);
    world.write("v2.obo", &second);
    world.done("load version v1.obo --unit s --namespace go --version 1 --timestamp 2018-01-01");
    let report = world.json("load version v2.obo --namespace go --version 2 --timestamp 2018-03-16");
    assert_eq!(report[0]["delta"]["merges"]["merged"], json!(3));
    for id in ["GO:0030356", "GO:0030529"] {
        let resolved = world.done(&format!("resolve term {id}"));
        assert!(resolved.contains("has become term GO:1990904, alive"), "{resolved}");
    }
}

#[test]
fn two_iris_one_id() {
    let world = World::new();
    let node = |iri: &str| format!(r#"{{"id":"http://identifiers.org/{iri}","type":"CLASS"}}"#);
    let edge = |from: &str, to: &str| {
        format!(r#"{{"sub":"http://identifiers.org/{from}","pred":"is_a","obj":"http://identifiers.org/{to}"}}"#)
    };
    let nodes = ["hgnc/11998", "ncbigene/11998", "a/1", "a/2"].map(node).join(",");
    let edges = [edge("hgnc/11998", "a/1"), edge("ncbigene/11998", "a/2")].join(",");
    world.write("g.json", &format!(r#"{{"graphs":[{{"nodes":[{nodes}],"edges":[{edges}]}}]}}"#));
    let line = "load version g.json --unit s --namespace i --version 1 --timestamp 2024-01-01";
    world.run(line).expect(0, "loads").says("keep their whole form");
    for (iri, parent) in [("hgnc/11998", 1), ("ncbigene/11998", 2)] {
        let parents = world.json(&format!("query parents term http://identifiers.org/{iri} --relation is_a"));
        assert_eq!(parents[1]["id"], json!(parent));
    }
    world.run("query parents term 11998").expect(1, "no such id");
}

#[test]
fn a_text_in_another_encoding_is_named() {
    let world = World::new();
    let utf16: Vec<u8> = [0xfeff].into_iter().chain(OBO.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    std::fs::write(world.path("utf16.obo"), utf16).unwrap();
    world.write("mac.obo", &OBO.replace('\n', "\r"));
    let load = |file: &str| format!("load version {file} --unit s --namespace x --version 1 --timestamp 2024-01-01");
    world.run(&load("utf16.obo")).expect(1, "UTF-16").says("convert it to UTF-8");
    assert!(world.done(&load("mac.obo")).contains("accepted"));
}
