//! Taxonomies that come as lineages: GTDB, SILVA, RDP.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use timeweft_graph::{DType, EdgeKey, FeatureDef, FeatureKind, ListOrder, Owner, Schema, Value};
use timeweft_oracle::{Listed, Version};
use timeweft_source::rdp::Molecule;
use timeweft_source::silva::SilvaFiles;
use timeweft_source::{SourceError, gtdb, rdp, silva};

/// Files in a folder; those whose names end in `.gz` are packed.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let mut file = std::fs::File::create(folder.path().join(name)).unwrap();
        if name.ends_with(".gz") {
            GzEncoder::new(file, Compression::fast()).write_all(text.as_bytes()).unwrap();
        } else {
            file.write_all(text.as_bytes()).unwrap();
        }
    }
    folder
}

fn nodes(version: &Version) -> Vec<String> {
    let feature = |(name, value): &(timeweft_graph::Name, Value)| format!("{name}={value}");
    let node = |node: &Listed<_>| {
        let features: Vec<_> = node.features.iter().map(feature).collect();
        let key: &timeweft_graph::NodeKey = &node.key;
        format!("{} {}", key.id, features.join(" "))
    };
    version.nodes.iter().map(node).collect()
}

fn edges(version: &Version) -> Vec<String> {
    let edge = |edge: &Listed<EdgeKey>| {
        assert_eq!((&*edge.key.relation, &*edge.key.source.node_type), ("child_of", "taxon"));
        format!("{}->{}", edge.key.source.id, edge.key.destination.id)
    };
    version.edges.iter().map(edge).collect()
}

fn rejects(version: &Version) -> Vec<String> {
    let file_name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    let reject = |reject: &timeweft_graph::Reject| {
        format!("{}:{}: {}", file_name(Path::new(&*reject.place.file)), reject.place.line, reject.reason)
    };
    version.rejects.iter().map(reject).collect()
}

const BACTERIA: &str = "d__Bacteria;p__Proteobacteria;c__Gammaproteobacteria;o__Enterobacterales;f__Enterobacteriaceae;\
    g__Escherichia;s__Escherichia coli";
const ARCHAEA: &str = "d__Archaea;p__Halobacteriota;c__Methanosarcinia;o__Methanosarcinales;f__Methanosarcinaceae;\
    g__Methanosarcina;s__Methanosarcina mazei";

fn read_gtdb(bacteria: &str, archaea: &str) -> Version {
    let folder = folder(&[("ar53_taxonomy.tsv", archaea), ("bac120_taxonomy.tsv.gz", bacteria), ("notes.md", "x")]);
    let files = gtdb::files(folder.path()).unwrap();
    assert_eq!(files.len(), 2);
    let mut version = Version::default();
    gtdb::read(&files, &mut version).unwrap();
    version
}

fn g_files() -> (String, String) {
    let lines = |ids: [&str; 2], lineage: &str| ids.map(|id| format!("{id}\t{lineage}\n")).concat();
    (
        lines(["RS_GCF_000566285.1", "RS_GCF_003460375.1"], BACTERIA),
        lines(["RS_GCF_000979375.1", "RS_GCF_000970165.1"], ARCHAEA),
    )
}

#[test]
fn lineages_become_taxa_once_in_file_order() {
    let (bacteria, archaea) = g_files();
    let version = read_gtdb(&bacteria, &archaea);
    let taxa = |lineage: &str, letters: &str| -> Vec<String> {
        let ranks = ["domain", "phylum", "class", "order", "family", "genus", "species"];
        let names = lineage.split(';').map(|part| part.split_once("__").unwrap().1);
        letters
            .chars()
            .zip(names)
            .zip(ranks)
            .map(|((letter, name), rank)| {
                let low = letter == 's';
                let id = name.replace(' ', "_");
                format!("{letter}:{id} rank={rank} scientific_name={name} species_or_below={low}")
            })
            .collect()
    };
    let genome = |id: &str, name: &str| format!("{id} rank=genome scientific_name={name} species_or_below=true");
    let mut expected = taxa(BACTERIA, "dpcofgs");
    expected.extend(["RS_GCF_000566285.1", "RS_GCF_003460375.1"].map(|id| genome(id, "Escherichia coli")));
    expected.extend(taxa(ARCHAEA, "dpcofgs"));
    expected.extend(["RS_GCF_000979375.1", "RS_GCF_000970165.1"].map(|id| genome(id, "Methanosarcina mazei")));
    assert_eq!(nodes(&version), expected);
    assert_eq!((version.nodes.len(), version.rejects.len()), (18, 0));
}

#[test]
fn each_taxon_is_a_child_of_the_one_before() {
    let (bacteria, archaea) = g_files();
    let version = read_gtdb(&bacteria, &archaea);
    let found = edges(&version);
    let bacterial = [
        "p:Proteobacteria->d:Bacteria",
        "c:Gammaproteobacteria->p:Proteobacteria",
        "o:Enterobacterales->c:Gammaproteobacteria",
        "f:Enterobacteriaceae->o:Enterobacterales",
        "g:Escherichia->f:Enterobacteriaceae",
        "s:Escherichia_coli->g:Escherichia",
        "RS_GCF_000566285.1->s:Escherichia_coli",
        "RS_GCF_003460375.1->s:Escherichia_coli",
    ];
    assert_eq!(found[..8], bacterial);
    assert_eq!((found.len(), found[15].as_str()), (16, "RS_GCF_000970165.1->s:Methanosarcina_mazei"));
}

/// KBase stops; here the line is rejected, as node and as edge, and the other file is taken in.
fn lineages_that_do_not_end_in_a_species(into: usize) {
    for letter in ["x", "j", "y", "l"] {
        let (mut bacteria, mut archaea) = g_files();
        let file = if into == 0 { &mut bacteria } else { &mut archaea };
        *file = file.lines().next().unwrap().replace("s__", &format!("{letter}__"));
        let version = read_gtdb(&bacteria, &archaea);
        let name = if into == 0 { "bac120_taxonomy.tsv.gz" } else { "ar53_taxonomy.tsv" };
        let found = rejects(&version);
        assert!(found.len() == 1 && found[0].starts_with(&format!("{name}:1: `{letter}__")), "{found:?}");
        assert_eq!((version.nodes.len(), version.edges.len()), (9, 8));
    }
}

#[test]
fn a_bacterial_lineage_ends_in_a_species() {
    lineages_that_do_not_end_in_a_species(0);
}

#[test]
fn an_archaeal_lineage_ends_in_a_species() {
    lineages_that_do_not_end_in_a_species(1);
}

#[test]
fn bad_lineages_and_second_parents_are_told() {
    let short = BACTERIA.rsplit_once(';').unwrap().0;
    let mixed =
        BACTERIA.replace("p__Proteobacteria;c__Gammaproteobacteria", "c__Gammaproteobacteria;p__Proteobacteria");
    let other = BACTERIA.replace("Enterobacteriaceae", "Otherfamily");
    let text = format!(
        "a\t{BACTERIA}\nb\t{short}\nc\t{mixed}\nno tab\n\nd\t{}\ne\t{other}\n",
        BACTERIA.replace("coli", "") + ";"
    );
    let version = read_gtdb(&text, "");
    let found = rejects(&version);
    let lines: Vec<u64> = version.rejects.iter().map(|reject| reject.place.line).collect();
    assert_eq!(lines, [2, 3, 4, 6], "{found:?}");
    let warnings: Vec<_> = version.warnings.iter().map(|(place, text)| (place.line, text.as_str())).collect();
    let expected = "taxon g:Escherichia is a child of f:Enterobacteriaceae already: f:Otherfamily is left out";
    assert_eq!(warnings, [(7, expected)]);
}

const TAXA: &str =
    "Bacteria;\t3\tdomain\t\t138\nBacteria;Proteo bacteria;\t4\tphylum\ta\t\nBacteria;Proteo bacteria;X;\t5\tgenus\n";

fn read_silva(files: &[(&str, &str)]) -> Version {
    let folder = folder(files);
    let mut version = Version::default();
    silva::read(&SilvaFiles::find(folder.path()).unwrap(), &mut version).unwrap();
    version
}

/// Case S1 needs the files of release 138, which are not at hand: this is its form on a small release, with the checks of
/// the schema tests ( sets in the order parc, ref, nr99) and no doubles. The list of ranks is open here.
#[test]
fn taxa_and_sequences_climb_to_the_root() {
    let parc =
        ">A.1.9 Bacteria;Proteo bacteria;X;Some organism\nACGU\nAC\n>B.1.2 Bacteria;Proteo bacteria;other one\nGG\n";
    let small = ">A.1.9 Bacteria;Proteo bacteria;X;Some organism\nACGUAC\n";
    let version = read_silva(&[
        ("tax_slv_ssu_138.txt", TAXA),
        ("SILVA_138_SSUParc_tax_silva.fasta.gz", parc),
        ("SILVA_138_SSURef_tax_silva.fasta", small),
        ("SILVA_138_SSURef_NR99_tax_silva.fasta.gz", small),
    ]);
    let expected = [
        "0 name=Root rank=root_rank",
        "3 name=Bacteria rank=domain release=138",
        "4 name=Proteo bacteria rank=phylum",
        "5 name=X rank=genus",
        "A.1.9 name=Some organism rank=sequence sequence=ACGUAC datasets=[\"parc\",\"ref\",\"nr99\"]",
        "B.1.2 name=other one rank=sequence sequence=GG datasets=[\"parc\"]",
    ];
    assert_eq!(nodes(&version), expected);
    assert_eq!(edges(&version), ["3->0", "4->3", "5->4", "A.1.9->5", "B.1.2->4"]);
    assert!(version.rejects.is_empty());
}

#[test]
fn silva_refuses_what_does_not_fit() {
    let taxa = format!("{TAXA}Bacteria;\t9\tdomain\nArchaea;Gap;\t10\tphylum\nA;\t11\tdomain\t\tnew\nonly path\n");
    let version = read_silva(&[
        ("tax_slv_ssu_1.txt", &taxa),
        ("x_parc.fasta", ">A.1.9 Bacteria;one\nAC\n>A.1.9 Bacteria;one\nAC\n>C.1.1 Nowhere;two\nA\n>bad\nA\n"),
        ("x_nr99.fasta", ">A.1.9 Bacteria;one\nGG\n>D.1.1 Bacteria;four\nA\n"),
    ]);
    assert_eq!(
        rejects(&version),
        [
            "tax_slv_ssu_1.txt:4: path Bacteria is there already: taxon 3",
            "tax_slv_ssu_1.txt:7: expected path, taxid, rank, remark and release between tabs",
            "x_parc.fasta:3: sequence A.1.9 is there twice",
            "x_parc.fasta:5: sequence C.1.1: path `Nowhere` is not in the table of taxa",
            "x_parc.fasta:7: expected `>accession.start.stop path;organism`",
            "x_nr99.fasta:1: sequence A.1.9 differs from the one in another set",
            "tax_slv_ssu_1.txt:5: taxon 10: the path above it is not in the table",
        ]
    );
    let found = nodes(&version);
    assert_eq!(found[6], "A.1.9 name=one rank=sequence sequence=AC datasets=[\"parc\"]");
    assert_eq!(found[7], "D.1.1 name=four rank=sequence sequence=A datasets=[\"nr99\"]");
    assert_eq!(edges(&version), ["3->0", "4->3", "5->4", "11->0", "A.1.9->3", "D.1.1->3"]);
    let error = SilvaFiles::find(folder(&[]).path()).unwrap_err();
    assert!(matches!(error, SourceError::Unrecognised { .. }), "{error}");
}

/// Releases behind 138 have a dot. A line of the root is no second root, whatever the table says of it.
#[test]
fn silva_release_with_dot() {
    let taxa = "Root;\t0\troot_rank\t\t\r\nArchaea;\t2\tdomain\t\t\r\nArchaea;Aenigmarchaeota;\t11084\tphylum\t\t123\r\n\
        Archaea;Aenigmarchaeota;Incertae Sedis;\t57376\tfamily\ta\t138.2\r\n";
    let sequences = ">AB000002.1.1400 Archaea;Aenigmarchaeota;uncultured archaeon\nGGGUACGU\n";
    let files = [("TAX_SLV_SSU_138.2.TXT", taxa), ("SILVA_138.2_SSURef_NR99_tax_silva.fasta", sequences)];
    let version = read_silva(&files);
    let expected = [
        "0 name=Root rank=root_rank",
        "2 name=Archaea rank=domain",
        "11084 name=Aenigmarchaeota rank=phylum release=123",
        "57376 name=Incertae Sedis rank=family release=138.2",
        "AB000002.1.1400 name=uncultured archaeon rank=sequence sequence=GGGUACGU datasets=[\"nr99\"]",
    ];
    assert_eq!(nodes(&version), expected);
    assert_eq!(edges(&version), ["2->0", "11084->2", "57376->11084", "AB000002.1.1400->11084"]);
    assert!(version.rejects.is_empty() && version.warnings.is_empty());

    // A graph of an earlier reader holds releases as numbers.
    let mut schema = Schema::default();
    let taxon = schema.add_node_type(&"taxon".into()).unwrap();
    let kind = FeatureKind::Dense { dtype: DType::I64, scalar: true };
    schema
        .add_feature(Owner::Node(taxon), FeatureDef { name: "release".into(), kind, order: ListOrder::List })
        .unwrap();
    let mut version = Version::new(schema);
    let folder = folder(&files);
    silva::read(&SilvaFiles::find(folder.path()).unwrap(), &mut version).unwrap();
    let found = nodes(&version);
    assert_eq!((&*found[2], &*found[3]), (expected[2], "57376 name=Incertae Sedis rank=family"));
    assert!(version.warnings.len() == 1 && version.warnings[0].1.contains("`138.2`"), "{:?}", version.warnings);
}

#[test]
fn gtdb_releases_and_metadata_are_read_by_their_columns() {
    let lines = |end: &str| format!("\u{feff}RS_1\t{BACTERIA}{end}RS_2\t{BACTERIA}{end}");
    let metadata = format!("accession\tsize\tgtdb_taxonomy\tx\nRS_1\t7\t{BACTERIA}\t\nRS_2\t8\t{BACTERIA}\t\n");
    let plain = lines("\n");
    let read = |files: &[(&str, &str)]| {
        let folder = folder(files);
        let found = gtdb::files(folder.path()).unwrap();
        let mut version = Version::default();
        gtdb::read(&found, &mut version).unwrap();
        assert_eq!(rejects(&version), [""; 0]);
        (found.len(), nodes(&version), edges(&version))
    };
    let expected = read(&[("bac120_taxonomy.tsv", &plain)]);
    assert_eq!((expected.1.len(), expected.2.len()), (9, 8));
    for end in ["\r\n", "\r"] {
        assert_eq!(read(&[("BAC120_taxonomy_r214.1.TSV", &lines(end))]), expected, "{end:?}");
    }
    assert_eq!(read(&[("bac120_metadata_r220.tsv", &metadata)]), expected);
    assert_eq!(read(&[("bac120_metadata_r220.tsv", &metadata), ("bac120_taxonomy_r220.tsv.gz", &plain)]), expected);
}

/// `A/B` and `A B` would both be `A_B`.
#[test]
fn two_names_never_become_one_taxon() {
    let other = BACTERIA.replace("Escherichia coli", "Escherichia_coli");
    let version = read_gtdb(&format!("a\t{BACTERIA}\nb\t{other}\nc\t{BACTERIA}\n"), "");
    let message =
        "taxon s:Escherichia_coli is `Escherichia coli` already, and `Escherichia_coli` would get the same id";
    assert_eq!(rejects(&version), [format!("bac120_taxonomy.tsv.gz:2: {message}")]);
    assert_eq!((version.nodes.len(), version.edges.len()), (9, 8));
    let text = ">S1 x\tLineage=Root;rootrank;A/B;phylum\na\n>S2 x\tLineage=Root;rootrank;A B;phylum\na\n";
    let version = read_rdp(&[("a_16S.fa", text)]);
    let message = "taxon phylum:A_B is `A/B` already, and `A B` would get the same id";
    assert_eq!(rejects(&version), [format!("a_16S.fa:3: {message}")]);
    assert_eq!((version.nodes.len(), version.edges.len()), (3, 2));
}

fn read_rdp(files: &[(&str, &str)]) -> Version {
    let folder = folder(files);
    let mut version = Version::default();
    rdp::read(&rdp::files(folder.path()).unwrap(), &mut version).unwrap();
    version
}

/// KBase has no tests of this parser; these cases are made from its description.
#[test]
fn rdp_headers_become_taxa_and_sequences() {
    let bacteria = ">S1 uncultured bacterium; X1\tLineage=Root;rootrank;Bacteria;domain;Sub/div 3;phylum\nacgt\nac\n\
        >S2 other\tLineage=Root;rootrank;Bacteria;domain;Gp_genera_incertae_sedis;genus;unclassified_Gp\nac\n\
        >S3 far\tLineage=Root;rootrank;Bacteria;domain;Outgroup\nac\n";
    let fungi = ">S4 a fungus\tLineage=Root;rootrank;Fungi;domain\nacgt\n";
    let version = read_rdp(&[("current_Bacteria_unaligned.fa.gz", bacteria), ("current_Fungi_unaligned.fa.gz", fungi)]);
    let taxon = |id: &str, rank: &str, name: &str, is: bool| {
        format!("{id} rank={rank} name={name} unclassified=false incertae_sedis={is}")
    };
    let sequence = |id: &str, name: &str, unclassified: bool, molecule: &str| {
        format!("{id} rank=sequence_example name={name} unclassified={unclassified} molecule={molecule}")
    };
    let expected = [
        taxon("rootrank:Root", "rootrank", "Root", false),
        taxon("domain:Bacteria", "domain", "Bacteria", false),
        taxon("phylum:Sub_div_3", "phylum", "Sub/div 3", false),
        sequence("S1", "uncultured bacterium; X1", false, "16S"),
        taxon("genus:Gp_genera_incertae_sedis:is", "genus", "Gp_genera_incertae_sedis", true),
        sequence("S2", "other", true, "16S"),
        taxon("domain:Fungi", "domain", "Fungi", false),
        sequence("S4", "a fungus", false, "28S"),
    ];
    assert_eq!(nodes(&version), expected);
    let expected = [
        "domain:Bacteria->rootrank:Root",
        "phylum:Sub_div_3->domain:Bacteria",
        "S1->phylum:Sub_div_3",
        "genus:Gp_genera_incertae_sedis:is->domain:Bacteria",
        "S2->genus:Gp_genera_incertae_sedis:is",
        "domain:Fungi->rootrank:Root",
        "S4->domain:Fungi",
    ];
    assert_eq!(edges(&version), expected);
    assert!(version.rejects.is_empty() && version.warnings.is_empty());
}

#[test]
fn rdp_refuses_odd_lineages_and_what_is_no_fasta() {
    let text = ">S1 x\tLineage=Root;rootrank;Odd\na\n>S2 no lineage\na\n>S3 x\tLineage=Root;;A;b\na\n>S4 x\tLineage=Root;rootrank\na\n";
    let version = read_rdp(&[("a_16S.fa", text)]);
    let lines: Vec<u64> = version.rejects.iter().map(|reject| reject.place.line).collect();
    assert_eq!(lines, [1, 3, 5], "{:?}", rejects(&version));
    assert_eq!((version.nodes.len(), version.edges.len()), (2, 1));
    let folder = folder(&[("a.fa", "\nACGT\n")]);
    let files: [(PathBuf, Molecule); 1] = [(folder.path().join("a.fa"), Molecule::S16)];
    let error = rdp::read(&files, &mut Version::default()).unwrap_err().to_string();
    assert!(error.ends_with("a.fa:2: this is no FASTA file: expected a header that begins with `>`"), "{error}");
}

#[test]
fn formats_tell_their_fields() {
    let mut version = Version::default();
    rdp::read(&[], &mut version).unwrap();
    assert_eq!((&*version.format.name, version.format.fields.unwrap()[0].1.len()), ("rdp", 5));
    let (bacteria, archaea) = g_files();
    let version = read_gtdb(&bacteria, &archaea);
    assert_eq!((&*version.format.name, version.format.fields.as_ref().unwrap()[0].1.len()), ("gtdb", 3));
    let version = read_silva(&[("tax_slv_ssu_138.txt", TAXA)]);
    assert_eq!((&*version.format.name, version.format.fields.as_ref().unwrap()[0].1.len()), ("silva", 5));
    assert_eq!(version.nodes[1].features[0].1.to_json(), json!("Bacteria"));
}
