//! NCBI taxonomy dumps: what a release says, and what it leaves open.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use timeweft_graph::{ListOrder, Name, Owner, Value, ValueRef};
use timeweft_oracle::Version;
use timeweft_oracle::world::data;
use timeweft_source::taxdump;

fn read(files: &[(&str, &str)]) -> Version {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    read_folder(folder.path())
}

fn read_folder(folder: &Path) -> Version {
    let mut version = Version::default();
    taxdump::read(folder, &mut version).unwrap();
    version
}

/// Lines of `nodes.dmp` from (id, parent, rank, code), with a scientific name for each.
fn tree(taxa: &[(u32, u32, &str, u32)]) -> [(&'static str, String); 2] {
    let (mut nodes, mut names) = (String::new(), String::new());
    for (id, parent, rank, code) in taxa {
        writeln!(nodes, "{id}\t|\t{parent}\t|\t{rank}\t|\t\t|\t6\t|\t0\t|\t{code}\t|\t0\t|").unwrap();
        writeln!(names, "{id}\t|\tname {id}\t|\t\t|\tscientific name\t|").unwrap();
    }
    [("nodes.dmp", nodes), ("names.dmp", names)]
}

fn read_tree(taxa: &[(u32, u32, &str, u32)]) -> Version {
    let files = tree(taxa);
    read(&files.each_ref().map(|(name, text)| (*name, text.as_str())))
}

type Features = BTreeMap<Name, Value>;

fn features(version: &Version, id: u64) -> Features {
    let node = version.nodes.iter().find(|node| node.key.id == id.into()).unwrap();
    node.features.iter().cloned().collect()
}

fn rejects(version: &Version) -> Vec<String> {
    let file_name = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    version.rejects.iter().map(|reject| file_name(&reject.to_string())).collect()
}

fn json(value: serde_json::Value) -> Value {
    Value::Json(value)
}

fn flags(version: &Version) -> Vec<(String, bool, bool)> {
    let truth = |features: &Features, name: &str| features[name] == json(true.into());
    let of = |node: &timeweft_oracle::Listed<timeweft_graph::NodeKey>| {
        let features = node.features.iter().cloned().collect();
        (node.key.id.to_string(), truth(&features, "strain"), truth(&features, "species_or_below"))
    };
    // Late taxa come last, and order means nothing.
    let mut flags: Vec<_> = version.nodes.iter().map(of).collect();
    flags.sort_by_key(|(id, _, _)| id.parse::<u64>().unwrap());
    flags
}

const N1_NAMES: &str = "62\t|  \t nerf herder\t |\tHerdere le nerfe\t\t|\tsynonym\t|\n\
    62   |\tl. skywalkerii\t|\t\t|\t scientific name \t|\n\
    62\t|\tscum and villany\t|\t \t|   type material\t|\n\
    63\t|\tc. bacca  |\t\t|\tscientific name\t|\n";
const N1_NODES: &str = "62\t|\t44\t|   species\t|\t\t|\t6\t|\t0\t |\t8\t|\t1\t|\n\
    63 \t|\t44\t|\tstrain  |\t\t|\t6\t|\t0\t|\t 11\t|\t1\t|\n";

#[test]
fn ragged_files_become_nodes_with_all_features() {
    let version = read(&[("nodes.dmp", N1_NODES), ("names.dmp", N1_NAMES)]);
    let expected = |id: i64, name: &str, rank: &str, aliases: serde_json::Value, code: i64| {
        Features::from([
            ("scientific_name".into(), Value::text(name)),
            ("rank".into(), Value::Category(rank.into())),
            ("strain".into(), json(false.into())),
            ("species_or_below".into(), json(true.into())),
            ("aliases".into(), json(aliases)),
            ("ncbi_taxon_id".into(), ValueRef::Int(id).to_value()),
            ("gencode".into(), ValueRef::Int(code).to_value()),
        ])
    };
    let aliases = serde_json::json!([
        {"category": "synonym", "name": "nerf herder"},
        {"category": "type material", "name": "scum and villany"},
    ]);
    assert_eq!(features(&version, 62), expected(62, "l. skywalkerii", "species", aliases, 8));
    assert_eq!(features(&version, 63), expected(63, "c. bacca", "strain", serde_json::json!([]), 11));
    assert_eq!((version.nodes.len(), version.rejects.len(), version.warnings.len()), (2, 0, 0));
    let taxon = version.schema.node_type("taxon").unwrap();
    let (aliases, def) = version.schema.feature(Owner::Node(taxon), "aliases").unwrap();
    assert_eq!(def.order, ListOrder::Multiset);
    let fields = version.format.fields.unwrap();
    assert!(fields.iter().any(|(owner, known)| *owner == Owner::Node(taxon) && known.contains(&aliases)));
    assert_eq!((&*version.format.name, fields[0].1.len()), ("taxdump", 7));
}

#[test]
fn strains_are_found_through_taxa_without_rank() {
    let mut taxa = [
        (62, 44, "species", 8),
        (63, 44, "strain", 11),
        (67, 62, "no rank", 12),
        (68, 67, "no rank", 11),
        (69, 62, "subspecies", 11),
        (70, 69, "no rank", 11),
        (71, 62, "forma", 11),
        (72, 71, "clade", 11),
        (73, 72, "no rank", 11),
        (74, 44, "no rank", 11),
    ];
    let expected = [
        ("62", false, true),
        ("63", false, true),
        ("67", true, true),
        ("68", true, true),
        ("69", false, true),
        ("70", true, true),
        ("71", false, true),
        ("72", true, true),
        ("73", true, true),
        ("74", false, false),
    ]
    .map(|(id, strain, low)| (id.to_owned(), strain, low));
    let version = read_tree(&taxa);
    assert_eq!(flags(&version), expected);
    assert_eq!(features(&version, 67)["gencode"], ValueRef::Int(12).to_value());
    taxa.reverse();
    assert_eq!(flags(&read_tree(&taxa)), expected, "for any order of the file");
}

const HIGH: &str = "superkingdom, kingdom, subkingdom, superphylum, phylum, subphylum, infraphylum, superclass, class, \
    subclass, infraclass, cohort, subcohort, superorder, order, suborder, infraorder, parvorder, superfamily, family, \
    subfamily, tribe, subtribe, genus, subgenus, section, subsection, series, subseries, species group, species subgroup";
const LOW: &str = "species, forma specialis, subspecies, varietas, morph, subvariety, forma, serogroup, pathogroup, \
    serotype, biotype, genotype, strain, isolate";

fn ranks(list: &str, count: usize) -> Vec<&str> {
    let ranks: Vec<&str> = list.split(", ").collect();
    assert_eq!(ranks.len(), count);
    ranks
}

#[test]
fn below_high_ranks_there_are_no_strains() {
    for rank in ranks(HIGH, 31) {
        let taxa = [
            (5, 1, rank, 1),
            (10, 5, "clade", 1),
            (15, 10, "no rank", 1),
            (100, 678, "varietas", 1),
            (105, 100, "no rank", 1),
            (110, 105, "clade", 1),
        ];
        let version = read_tree(&taxa);
        let found: Vec<_> = flags(&version).into_iter().map(|(_, strain, low)| (strain, low)).collect();
        let (none, low, both) = ((false, false), (false, true), (true, true));
        assert_eq!(found, [none, none, none, low, both, both], "{rank}");
        assert!(version.warnings.is_empty(), "{rank}");
    }
}

#[test]
fn below_low_ranks_there_are_strains() {
    for rank in ranks(LOW, 14) {
        let taxa = [
            (5, 1, rank, 1),
            (10, 5, "clade", 1),
            (15, 10, "no rank", 1),
            (100, 678, "tribe", 1),
            (105, 100, "no rank", 1),
            (110, 105, "clade", 1),
        ];
        let version = read_tree(&taxa);
        let found: Vec<_> = flags(&version).into_iter().map(|(_, strain, low)| (strain, low)).collect();
        let (none, low, both) = ((false, false), (false, true), (true, true));
        assert_eq!(found, [low, both, both, none, none, none], "{rank}");
        assert!(version.warnings.is_empty(), "{rank}");
    }
}

/// KBase stops at the second name; here the taxon is refused, and the others are taken in.
#[test]
fn a_taxon_has_exactly_one_scientific_name() {
    let names = "1\t|\troot\t|\t\t|\tscientific name\t|\n62\t|\ta\t|\t\t|\tscientific name\t|\n\
        62\t|\tb\t|\t\t|\tscientific name\t|\n63\t|\tc\t|\t\t|\tsynonym\t|\n";
    let nodes = &tree(&[(1, 1, "no rank", 1), (62, 1, "species", 1), (63, 1, "species", 1)])[0].1;
    let version = read(&[("nodes.dmp", nodes), ("names.dmp", names)]);
    let found = rejects(&version);
    assert_eq!(found[0], "nodes.dmp:2: taxon 62 has 2 scientific names: leave one");
    assert!(found[1].starts_with("names.dmp`") && version.rejects[1].place.line == 3, "{found:?}");
    assert_eq!((version.nodes.len(), version.edges.len(), found.len()), (1, 0, 2));
}

/// KBase stops; here the taxon is kept and the rank told once.
#[test]
fn an_unknown_rank_is_told() {
    let version =
        read_tree(&[(62, 1, "species", 1), (63, 44, "fake rank", 1), (64, 63, "no rank", 1), (65, 1, "fake rank", 1)]);
    assert_eq!((version.nodes.len(), version.rejects.len()), (4, 0));
    assert_eq!(features(&version, 63)["rank"], Value::Category("fake rank".into()));
    let flags: Vec<_> = flags(&version).into_iter().map(|(_, strain, low)| (strain, low)).collect();
    assert_eq!(flags, [(false, true), (false, false), (false, false), (false, false)]);
    let [(place, message)] = &version.warnings[..] else { panic!("{:?}", version.warnings) };
    assert_eq!(place.line, 2);
    assert_eq!(message, "rank `fake rank` is not a known one (2 taxa): kept, and taken for a high rank");
}

#[test]
fn taxa_are_children_of_their_parents() {
    let version = read_tree(&[(1, 1, "no rank", 1), (62, 44, "species", 1), (63, 51, "strain", 1)]);
    let edges: Vec<_> = version.edges.iter().map(|edge| edge.key.to_string()).collect();
    assert_eq!(edges, ["taxon 62 -child_of-> taxon 44", "taxon 63 -child_of-> taxon 51"]);
    assert_eq!(version.edges[1].place.line, 3);
}

#[test]
fn merged_taxa_are_merges_and_deleted_ones_deletions() {
    let [nodes, names] = tree(&[(1, 1, "no rank", 1)]);
    let version = read(&[
        ("nodes.dmp", &nodes.1),
        ("names.dmp", &names.1),
        ("merged.dmp", "12\t|\t74109\t|\n30  \t|   29 |\n\n36\t|\t184914\t|\nx\t|\t1\t|\n"),
        ("delnodes.dmp", "7\t|\n8 \t|\n-8\t|\n"),
    ]);
    let merges: Vec<_> = version.merges.iter().map(|merge| format!("{} into {}", merge.from, merge.into.id)).collect();
    assert_eq!(merges, ["taxon 12 into 74109", "taxon 30 into 29", "taxon 36 into 184914"]);
    let deleted: Vec<_> = version.deleted.iter().map(|gone| (gone.node.to_string(), gone.place.line)).collect();
    assert_eq!(deleted, [("taxon 7".to_owned(), 1), ("taxon 8".to_owned(), 2)]);
    let expected = [
        "merged.dmp:5: expected a tax_id below 2^32 in plain digits, got `x`",
        "delnodes.dmp:3: expected a tax_id below 2^32 in plain digits, got `-8`",
    ];
    assert_eq!(rejects(&version), expected);
}

/// The names that a plain reader would collect, whatever the order of the lines.
#[test]
fn names_out_of_order_find_their_taxa() {
    let line = |id: u32, name: &str, class: &str| format!("{id}\t|\t{name}\t|\t\t|\t{class}\t|\n");
    let mut lines = Vec::new();
    let taxa: Vec<_> = (1..=40).map(|id| (id, 1, "genus", 1)).collect();
    for id in 1..=40 {
        lines.push(line(id, &format!("name {id}"), "scientific name"));
        for alias in 0..id % 4 {
            lines.push(line(id, &format!("\"alias\" \\{alias}"), "synonym"));
        }
    }
    let nodes = &tree(&taxa)[0].1;
    let straight = read(&[("nodes.dmp", nodes), ("names.dmp", &lines.concat())]);
    assert_eq!((straight.nodes.len(), straight.rejects.len()), (40, 0));
    let alias = serde_json::json!([{"category": "synonym", "name": "\"alias\" \\0"}]);
    assert_eq!(features(&straight, 5)["aliases"], json(alias));
    // A few lines moved far, and all lines mixed.
    let mut few = lines.clone();
    few.swap(3, 70);
    let mut all = lines.clone();
    all.sort_by_key(|line| line.bytes().fold(7u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into())));
    for mixed in [few, all] {
        assert_ne!(mixed, lines);
        let version = read(&[("nodes.dmp", nodes), ("names.dmp", &mixed.concat())]);
        assert!(version.rejects.is_empty(), "{:?}", version.rejects);
        for id in 1..=40 {
            assert_eq!(features(&version, id), features(&straight, id));
        }
    }
}

/// As FlexTaxD and others write for Kraken 2: tax_id, parent, rank and a column that says nothing.
#[test]
fn kraken2_four_columns() {
    let names = "1\t|\troot\t|\t-\t|\tscientific name\t|\n2\t|\tBacteria\t|\t-\t|\tscientific name\t|\n\
        3\t|\tBacillota\t|\tscientific name\t|\n3\t|\tFirmicutes\t|\tsynonym\t|\n3\t|\tx\t|\t-\t|\n";
    let nodes = "1\t|\t1\t|\tno rank\t|\t-\t|\n2\t|\t1\t|\tsuperkingdom\t|\t-\t|\n3\t|\t2\t|\tphylum\t|\t-\t|\n";
    let version = read(&[("nodes.dmp", nodes), ("names.dmp", names)]);
    assert_eq!(rejects(&version), ["names.dmp:5: expected tax_id, name, unique name and name class"]);
    assert_eq!((version.nodes.len(), version.edges.len()), (3, 2));
    let found = features(&version, 3);
    assert_eq!(found.get("gencode"), None, "a code that is not given is absent, and not zero");
    assert_eq!(
        (&found["scientific_name"], &found["rank"]),
        (&Value::text("Bacillota"), &Value::Category("phylum".into()))
    );
    assert_eq!(found["aliases"], Value::Json(serde_json::json!([{"category": "synonym", "name": "Firmicutes"}])));

    // Whatever the number of columns, an old one, a new one or a short one: the code is the seventh.
    for (columns, code) in [
        ("|\t\t|\t0\t|\t1\t|\t11\t|\t1\t|\t1\t|\t1\t|\t0\t|\t0\t|\t\t|\t\t|\t\t|\t0\t|\t0\t|\t1\t|", Some(11)),
        ("|", None),
        ("|\t\t|\t0\t|\t1\t|", None),
        ("|\t-\t|\t-\t|\t-\t|\t-\t|", None),
        ("", None),
    ] {
        let nodes = format!("1\t|\t1\t|\tno rank\t{columns}\n");
        let version = read(&[("nodes.dmp", &nodes), ("names.dmp", &names[..34])]);
        assert_eq!(
            features(&version, 1).get("gencode").cloned(),
            code.map(|code| ValueRef::Int(code).to_value()),
            "{columns}"
        );
    }
}

#[test]
fn bad_lines_are_refused_and_circles_end() {
    let nodes = "1\t|\t1\t|\tno rank\t|\t\t|\t\t|\t\t|\t1\t|\n02\t|\t1\t|\tgenus\t|\t\t|\t\t|\t\t|\t1\t|\n\
        3\t|\t1\t|\n3\t|\t1\t|\tgenus\t|\t\t|\t\t|\t\t|\tx\t|\n4\t|\t5\t|\tno rank\t|\t\t|\t\t|\t\t|\t1\t|\n\
        5\t|\t4\t|\tclade\t|\t\t|\t\t|\t\t|\t1\t|\n4\t|\t1\t|\tspecies\t|\t\t|\t\t|\t\t|\t1\t|\n\n";
    let names = "1\t|\troot\t|\t\t|\tscientific name\t|\n2\t|\ttwo\t|\t\t|\tscientific name\t|\n\
        4\t|\tfour\t|\t\t|\tscientific name\t|\n4\t|\n5\t|\tfive\t|\t\t|\tscientific name\t|\n9\t|\tnine\t|\t\t|\tsynonym\t|\n";
    let version = read(&[("nodes.dmp", nodes), ("names.dmp", names)]);
    assert_eq!(
        rejects(&version),
        [
            "nodes.dmp:2: expected a tax_id below 2^32 in plain digits, got `02`",
            "nodes.dmp:3: the taxon has an empty rank",
            "nodes.dmp:4: genetic code: expected a number below 65,535, got `x`",
            "nodes.dmp:7: taxon 4 is there already: line 5",
            "names.dmp:2: a name of taxon 2, which is not among the nodes",
            "names.dmp:4: expected tax_id, name, unique name and name class",
            "names.dmp:6: a name of taxon 9, which is not among the nodes",
        ]
    );
    let expected = [("1", false, false), ("4", false, false), ("5", false, false)];
    assert_eq!(flags(&version), expected.map(|(id, strain, low)| (id.to_owned(), strain, low)));
}

/// Names come in batches; what is wrong with them is told where it stands all the same.
#[test]
fn problems_of_many_names_are_told_in_their_order() {
    let taxa: Vec<_> = (1..=5_000).map(|id| (id * 2, 2, "genus", 1)).collect();
    let (mut names, mut expected) = (String::new(), Vec::new());
    for (line, id) in (1u32..).zip(1..=10_002) {
        if id % 1_024 == 0 {
            writeln!(names, "{id}\t|\tname\t|").unwrap();
            expected.push((line, "expected tax_id, name, unique name and name class".to_owned()));
            expected.push((id / 2, format!("taxon {id} has no scientific name")));
        } else {
            writeln!(names, "{id}\t|\tname {id}\t|\t\t|\tscientific name\t|").unwrap();
        }
        if id % 2 == 1 || id > 10_000 {
            expected.push((line, format!("a name of taxon {id}, which is not among the nodes")));
        }
    }
    let version = read(&[("nodes.dmp", &tree(&taxa)[0].1), ("names.dmp", &names)]);
    assert_eq!(version.rejects.len(), expected.len());
    for (reject, (line, problem)) in version.rejects.iter().zip(&expected) {
        assert_eq!(reject.place.line, u64::from(*line), "{reject}");
        assert!(reject.reason.to_string().starts_with(problem), "{reject}: {problem}");
    }
    assert_eq!((version.nodes.len(), version.edges.len()), (4_991, 4_990));
    for id in [2, 4_094, 4_098, 10_000] {
        assert_eq!(features(&version, id)["scientific_name"], Value::text(&format!("name {id}")));
    }
}

#[test]
fn packed_files_are_unpacked_and_a_missing_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in tree(&[(1, 1, "no rank", 1), (2, 1, "genus", 1)]) {
        let file = std::fs::File::create(folder.path().join(format!("{name}.gz"))).unwrap();
        GzEncoder::new(file, Compression::fast()).write_all(text.as_bytes()).unwrap();
    }
    assert_eq!(read_folder(folder.path()).edges.len(), 1);
    std::fs::remove_file(folder.path().join("names.dmp.gz")).unwrap();
    let error = taxdump::read(folder.path(), &mut Version::default()).unwrap_err().to_string();
    assert!(error.contains("names.dmp"), "{error}");
}

#[test]
fn the_real_dump_has_the_counts_of_its_release() {
    let Some(folder) = data("the_real_dump_has_the_counts_of_its_release", "taxdump") else { return };
    let version = read_folder(&folder);
    let flags = flags(&version);
    let strains = flags.iter().filter(|(_, strain, _)| *strain).count();
    let low = flags.iter().filter(|(_, _, low)| *low).count();
    assert_eq!((version.nodes.len(), version.edges.len(), strains, low), (16_388, 16_387, 3_793, 12_987));
    assert_eq!((version.rejects.len(), version.warnings.len(), version.merges.len()), (0, 0, 0));
    let ids: std::collections::HashSet<_> = version.nodes.iter().map(|node| &node.key).collect();
    assert!(version.edges.iter().all(|edge| ids.contains(&edge.key.destination)), "no edge dangles");
}
