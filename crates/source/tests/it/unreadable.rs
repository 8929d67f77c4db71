//! Every reader says what a record leaves unknown that it cannot read.

use std::path::Path;

use timeweft_graph::{Schema, Scope, TimeUnit, Unreadable};
use timeweft_oracle::Version;
use timeweft_source::{VersionOptions, version_format};

/// Reads files in a folder, or the only one of them.
fn read(files: &[(&str, &[u8])], path: &str) -> Version {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    let mut version = Version::new(Schema::new(TimeUnit::Second));
    version_format::read(&folder.path().join(Path::new(path)), &VersionOptions::default(), &mut version).unwrap();
    version
}

/// What a version leaves unknown, in short.
fn unknown(version: &Version) -> Vec<String> {
    let one = |(_, told): &(usize, Unreadable)| match told {
        Unreadable::Node(node) => format!("node {node}"),
        Unreadable::Edge(edge) => format!("edge {edge}"),
        Unreadable::EdgesFrom(node) => format!("edges from {node}"),
        Unreadable::OneOf(Scope::Nodes(of)) => format!("nodes of {}", of.as_deref().unwrap_or("any type")),
        Unreadable::OneOf(Scope::Edges { relation, .. }) => {
            format!("edges of {}", relation.as_deref().unwrap_or("any relation"))
        }
    };
    version.unreadable.iter().map(one).collect()
}

#[test]
fn lines_of_an_ontology() {
    let of = |lines: &[u8]| {
        let text =
            [b"format-version: 1.2\n\n[Term]\nid: X:1\nname: a\n".as_slice(), lines, b"\n[Term]\nid: X:2\n"].concat();
        let version = read(&[("x.obo", &text)], "x.obo");
        assert_eq!(version.rejects.len(), 1, "{}", String::from_utf8_lossy(lines));
        unknown(&version)
    };
    let anything = ["nodes of term", "edges of any relation"];
    // The line may have begun a term, or told its id.
    assert_eq!(of(b"\n[Term\n"), anything);
    assert_eq!(of(b"id X:3\n"), anything);
    assert_eq!(of(b"\xff\xfe\n"), anything);
    assert_eq!(of(b"\n[Term]\nname: nobody\n"), anything);
    assert_eq!(of(b"id: X:7\n"), anything);
    // An edge from the term, and no other.
    assert_eq!(of(b"relationship: part_of\n"), ["edges from term X:1"]);
    assert_eq!(of(b"is_a: X:2 ! caf\xe9\n"), ["edges from term X:1"]);
    // No element at all.
    assert_eq!(of(b"def: \"caf\xe9\" []\n"), [""; 0]);
    assert_eq!(of(b"name: b\n"), [""; 0]);
    assert_eq!(of(b"\n[Term]\nid: X:1\n"), [""; 0]);
}

#[test]
fn records_of_an_ontology_in_json() {
    let of = |nodes: &str, edges: &str| {
        let text = format!("{{\"graphs\": [{{\"id\": \"g\", \"nodes\": [{nodes}], \"edges\": [{edges}]}}]}}");
        unknown(&read(&[("x.json", text.as_bytes())], "x.json"))
    };
    assert_eq!(of(r#"{"id": "X:1", "lbl": 7, "type": "CLASS"}"#, ""), ["node term X:1"]);
    assert_eq!(of(r#"{"id": "X:1", "type": "THING"}"#, ""), ["node term X:1"]);
    assert_eq!(of(r#"{"lbl": "a", "type": "CLASS"}"#, ""), ["nodes of term", "edges of any relation"]);
    assert_eq!(of("", r#"{"sub": "X:1", "pred": "is_a"}"#), ["edges of any relation"]);
}

#[test]
fn lines_of_a_taxonomy_dump() {
    let of = |nodes: &str, names: &[u8]| {
        let nodes = format!("1\t|\t1\t|\tno rank\t|\t\t|\t8\t|\t0\t|\t1\t|\n{nodes}");
        let names = [b"1\t|\troot\t|\t\t|\tscientific name\t|\n".as_slice(), names].concat();
        unknown(&read(&[("nodes.dmp", nodes.as_bytes()), ("names.dmp", &names)], ""))
    };
    let taxon = ["node taxon 2", "edges from taxon 2"];
    assert_eq!(of("2\t|\tx\t|\tgenus\t|\n", b""), taxon);
    assert_eq!(of("x\t|\t1\t|\tgenus\t|\n", b""), ["nodes of taxon", "edges of child_of"]);
    // It has no scientific name.
    assert_eq!(of("2\t|\t1\t|\tgenus\t|\t\t|\t8\t|\t0\t|\t1\t|\n", b""), taxon);
    let names = b"2\t|\ta\t|\t\t|\tscientific name\t|\n2\t|\tcaf\xe9\t|\t\t|\tsynonym\t|\n";
    assert_eq!(of("2\t|\t1\t|\tgenus\t|\t\t|\t8\t|\t0\t|\t1\t|\n", names), ["node taxon 2"]);
}

#[test]
fn lines_of_lineages() {
    let any = ["nodes of taxon", "edges of child_of"];
    let gtdb = b"G1\td__A;p__B;c__C;o__D;f__E;g__F;s__F g\nG2\td__A;p__B\n";
    assert_eq!(unknown(&read(&[("bac.tsv", gtdb)], "bac.tsv")), any);
    let rdp = b">S1 name\tLineage=Root;rootrank;A;domain\nACGT\n>S2 name\tLineage=Root;rootrank;A\nACGT\n";
    assert_eq!(unknown(&read(&[("x.fa", rdp)], "x.fa")), any);
    let table = b"A;\t1\tdomain\t\t138\nB;\n";
    let sequences = b">S1.1.2 A;x\nACGU\n>S2.1.2 C;x\nACGU\n>S3.1.2\nACGU\n";
    let silva = read(&[("tax_slv_ssu_138.txt", table), ("x_ref.fasta", sequences)], "");
    let sequence = ["node taxon S2.1.2", "edges from taxon S2.1.2"];
    assert_eq!(unknown(&silva), [&any[..], &sequence, &any].concat());
}

#[test]
fn sections_without_a_record_are_told() {
    let map = "[[nodes]]\nfile = \"a.csv\"\ntype = \"a\"\nid = \"id\"\n\n[[nodes]]\nfile = \"b.csv\"\ntype = { column = \"type\" }\nid = \"id\"\n\n\
               [[edges]]\nfile = \"c.jsonl\"\nrelation = \"r\"\nsource = { type = \"a\", column = \"x\" }\n\
               destination = { type = \"a\", column = \"y\" }\n";
    let files: [(&str, &[u8]); 4] =
        [("map.toml", map.as_bytes()), ("a.csv", b"id\n"), ("b.csv", b"id,type\n1,b\n"), ("c.jsonl", b"")];
    let version = read(&files, "map.toml");
    let a = || Some("a".into());
    let sections: Vec<Scope> = version.empty.into_iter().map(|(scope, _)| scope).collect();
    assert_eq!(
        sections,
        [Scope::Nodes(a()), Scope::Edges { source: a(), relation: Some("r".into()), destination: a() }]
    );
    // A row that shows no type may be of any.
    let files: [(&str, &[u8]); 4] =
        [("map.toml", map.as_bytes()), ("a.csv", b"id\n1\n"), ("b.csv", b"id,type\n1\n"), ("c.jsonl", b"{}\n")];
    assert_eq!(unknown(&read(&files, "map.toml")), ["nodes of any type", "edges of r"]);
}
