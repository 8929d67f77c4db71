//! Formats of versions, told by paths.

use std::path::Path;

use timeweft_oracle::Version;
use timeweft_source::version_format::{detect, read};
use timeweft_source::{VersionFormat, VersionOptions};

const LINEAGE: &str = "a\td__A;p__B;c__C;o__D;f__E;g__F;s__G\n";
const TAXON: &str = "1\t|\t1\t|\tno rank\t|\t\t|\t\t|\t\t|\t1\t|\n";

const NAME: &str = "1\t|\troot\t|\t\t|\tscientific name\t|\n";
const FASTA: &str = ">S x\tLineage=Root;rootrank\nA\n";

/// A path below a new folder, with the files that it needs.
fn path_of(files: &[(&str, &str)], path: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let path = folder.path().join(path);
    (folder, path)
}

/// The format, its files, the path in their folder, and how many nodes there are.
type Case = (VersionFormat, &'static [(&'static str, &'static str)], &'static str, usize);

#[test]
fn every_format_is_told_by_its_path_and_read() {
    let cases: [Case; 10] = [
        (VersionFormat::Obo, &[("a.obo", "[Term]\nid: X:1\n")], "a.obo", 1),
        (
            VersionFormat::Obograph,
            &[("a.json", r#"{"graphs":[{"nodes":[{"id":"A:1","type":"CLASS"}]}]}"#)],
            "a.json",
            1,
        ),
        (VersionFormat::Taxdump, &[("nodes.dmp", TAXON), ("names.dmp", NAME)], "", 1),
        (VersionFormat::Gtdb, &[("a.tsv", LINEAGE)], "a.tsv", 8),
        (VersionFormat::Gtdb, &[("a.tsv", LINEAGE), ("README.md", "x")], "", 8),
        (VersionFormat::Silva, &[("tax_slv_ssu_1.txt", "A;\t2\tdomain\n")], "", 2),
        (VersionFormat::Rdp, &[("a_28S.fa", FASTA)], "a_28S.fa", 2),
        (VersionFormat::Rdp, &[("a.fasta", FASTA)], "", 2),
        (
            VersionFormat::Tables,
            &[("map.toml", "[[nodes]]\nfile = \"a.csv\"\ntype = \"n\"\nid = \"id\"\n"), ("a.csv", "id\n1\n")],
            "map.toml",
            1,
        ),
        (VersionFormat::Tables, &[("map.toml", "")], "map.toml", 0),
    ];
    for (format, files, path, nodes) in cases {
        let (_folder, path) = path_of(files, path);
        assert_eq!(detect(&path).unwrap(), format);
        let mut version = Version::default();
        read(&path, &VersionOptions::default(), &mut version).unwrap();
        assert_eq!((&*version.format.name, version.nodes.len()), (format.name(), nodes), "{format}");
        assert_eq!(format.to_string().parse(), Ok(format));
    }
}

#[test]
fn what_is_unknown_says_what_would_be_known() {
    for (file, path) in [("a.csv", "a.csv"), ("a.tsv", "a.tsv"), ("a.csv", "")] {
        let (_folder, path) = path_of(&[(file, "x\ty\n")], path);
        let error = detect(&path).unwrap_err().to_string();
        assert!(error.contains("cannot read") && error.ends_with("or give the format"), "{error}");
    }
    let (_folder, path) = path_of(&[("nodes.dmp", TAXON)], "nodes.dmp");
    assert!(detect(&path).unwrap_err().to_string().ends_with("give its folder"));
    assert!(detect(Path::new("-")).is_err(), "standard input needs a format");
    assert!("csv".parse::<VersionFormat>().unwrap_err().contains("obo, obograph, taxdump"));
}

#[test]
fn options_of_other_formats_are_refused() {
    let (_folder, path) = path_of(&[("a.obo", "[Term]\nid: X:1\n")], "a.obo");
    let refused = |options: VersionOptions| read(&path, &options, &mut Version::default()).unwrap_err().to_string();
    assert!(
        refused(VersionOptions { graph: Some("g".into()), ..VersionOptions::default() }).contains("is for `obograph`")
    );
    assert!(
        refused(VersionOptions { root: Some("r".into()), ..VersionOptions::default() }).contains("is for `tables`")
    );
    let taxdump = VersionOptions {
        format: Some(VersionFormat::Taxdump),
        id_prefix: Some("X".into()),
        ..VersionOptions::default()
    };
    assert!(refused(taxdump).contains("is for `obo` and `obograph`"));
    let prefix = VersionOptions { id_prefix: Some("Y".into()), ..VersionOptions::default() };
    let mut version = Version::default();
    read(&path, &prefix, &mut version).unwrap();
    assert!(version.nodes.is_empty());
}

/// Damaged files are errors or rejected records: whatever is cut off or overwritten, no reader panics.
#[test]
fn damaged_files_end_in_errors_and_rejects() {
    let mapping = "[[nodes]]\nfile = \"FILE\"\ntype = \"n\"\nid = \"id\"\nfeatures = \"*\"\n[[edges]]\nfile = \"FILE\"\n\
        relation = \"r\"\nsource = { type = \"n\", column = \"id\" }\ndestination = { type = \"n\", column = \"b\" }\n";
    let csv = mapping.replace("FILE", "a.csv");
    let json = mapping.replace("FILE", "a.jsonl");
    let obograph = r#"{"graphs":[{"id":"g","nodes":[{"id":"http://a/A_1","type":"CLASS","lbl":"é","meta":{"definition":
        {"val":"d","xrefs":["x"]},"basicPropertyValues":[{"pred":"http://purl.obolibrary.org/obo/IAO_0100001","val":"A:2"}]}}],
        "edges":[{"sub":"http://a/A_1","pred":"is_a","obj":"A:2"}]}]}"#;
    let obo = "format-version: 1.2\n[Term]\nid: X:1\nname: é \\\" \\\\\ndef: \"d\\n\" [a, \"b,c\"] {x=\"y\"}\nis_a: X:2 ! b\n\n\
        [Term]\nid: X:2\nis_obsolete: true\nreplaced_by: X:1\n";
    let cases: [(&str, &[(&str, &str)]); 8] = [
        ("a.obo", &[("a.obo", obo)]),
        ("a.json", &[("a.json", obograph)]),
        ("", &[("names.dmp", NAME), ("nodes.dmp", TAXON)]),
        ("a.tsv", &[("a.tsv", LINEAGE)]),
        ("", &[("tax_slv_ssu_1.txt", "A;\t2\tdomain\t\t138\n"), ("a_parc.fasta", ">S A;x y\nACGU\n")]),
        ("a_28S.fa", &[("a_28S.fa", FASTA)]),
        ("map.toml", &[("map.toml", &csv), ("a.csv", "id,b,c\n1,2,é\n\"2\n\",,\n")]),
        ("map.toml", &[("map.toml", &json), ("a.jsonl", "{\"id\":1,\"b\":\"x\",\"c\":[1,{}]}\n{\"id\":2}\n")]),
    ];
    for (path, files) in cases {
        for (name, text) in files {
            let (folder, path) = path_of(files, path);
            let format = detect(&path).unwrap();
            for at in 0..text.len() {
                for bytes in [text.as_bytes()[..at].to_vec(), overwritten(text.as_bytes(), at)] {
                    std::fs::write(folder.path().join(name), bytes).unwrap();
                    let options = VersionOptions { format: Some(format), ..VersionOptions::default() };
                    let _ = read(&path, &options, &mut Version::default());
                }
            }
        }
    }
}

/// The bytes with one of them replaced by what means something in some format.
fn overwritten(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] = b"\"\\\n|;{[,\xff\0"[at % 10];
    bytes
}
