//! The Genome Taxonomy Database: tables of `accession TAB d__X;p__Y;...;s__Z`, usually one of bacteria and one of archaea.
//!
//! | in the files | in the version |
//! |---|---|
//! | taxon of a lineage, the first time | node of type `taxon`; id `d:X`, `s:Genus_species`: its letter and its name with `_` for spaces |
//! | its letter, its name | `rank` (`domain` to `species`), `scientific_name` |
//! | line | node of type `taxon`; id is the accession, `rank` is `genome`, `scientific_name` that of its species |
//! | species and genomes | `species_or_below` |
//! | neighbours in a lineage | edges `child_of` |
//!
//! A lineage that does not end in a species, or whose ranks do not descend, rejects its line. Memory: the taxa above the
//! genomes. The files are read twice, for nodes come before edges.

use std::path::{Path, PathBuf};

use rustc_hash::FxHashSet;
use timeweft_graph::{FeatureKind, Reason, ValueRef, VersionSink};

use crate::byte_lines::ByteLines;
use crate::lineage::{Parents, Taxonomy};
use crate::{Input, SourceError};

/// Letters of the ranks, from the top.
const RANKS: [(&str, &str); 7] = [
    ("d", "domain"),
    ("p", "phylum"),
    ("c", "class"),
    ("o", "order"),
    ("f", "family"),
    ("g", "genus"),
    ("s", "species"),
];

/// Reads tables into a sink, in this order.
pub fn read(files: &[PathBuf], sink: &mut dyn VersionSink) -> Result<(), SourceError> {
    let first = files.first().map_or_else(|| "".into(), |path| path.to_string_lossy().as_ref().into());
    let features = [
        ("rank", FeatureKind::Category),
        ("scientific_name", FeatureKind::Text),
        ("species_or_below", FeatureKind::Json),
    ];
    let taxonomy = Taxonomy::declare("gtdb", features, &first, sink)?;
    let mut seen = FxHashSet::<Box<str>>::default();
    for path in files {
        nodes(ByteLines::open(path)?, &taxonomy, &mut seen, sink)?;
    }
    let mut parents = Parents::default();
    for path in files {
        edges(ByteLines::open(path)?, &taxonomy, &mut parents, sink)?;
    }
    Ok(())
}

/// The tables in a folder: those of bacteria, then those of archaea, then others, by name.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>, SourceError> {
    let mut files = crate::input::files(folder)?;
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    files.retain(|path| name(path).ends_with(".tsv") || name(path).ends_with(".tsv.gz"));
    files.sort_by_cached_key(|path| {
        let name = name(path);
        let group = ["bac", "ar"].iter().position(|start| name.starts_with(start)).unwrap_or(2);
        (group, name)
    });
    Ok(files)
}

/// A lineage, from the domain to the species.
struct Lineage<'a> {
    accession: &'a str,
    taxa: Vec<Taxon<'a>>,
}

struct Taxon<'a> {
    id: String,
    rank: &'static str,
    name: &'a str,
}

impl<'a> Lineage<'a> {
    fn read(line: &'a str) -> Result<Lineage<'a>, String> {
        let (accession, lineage) =
            line.split_once('\t').ok_or("expected an accession, a tab and a lineage `d__X;p__Y;...;s__Z`")?;
        let mut below = 0;
        let mut taxa = Vec::with_capacity(RANKS.len());
        for part in lineage.trim().split(';') {
            let (letter, name) = part.trim().split_once("__").unwrap_or((part, ""));
            let rank = RANKS.iter().position(|(known, _)| *known == letter);
            let rank =
                rank.ok_or_else(|| format!("`{part}`: unknown rank, expected d__, p__, c__, o__, f__, g__ or s__"))?;
            if rank < below || name.is_empty() {
                return Err(format!("`{part}`: expected ranks in descending order, each with a name"));
            }
            below = rank + 1;
            taxa.push(Taxon { id: format!("{letter}:{}", name.replace(' ', "_")), rank: RANKS[rank].1, name });
        }
        if below != RANKS.len() || accession.trim().is_empty() {
            return Err("expected an accession and a lineage that ends in a species".into());
        }
        Ok(Lineage { accession: accession.trim(), taxa })
    }
}

fn nodes(
    mut lines: ByteLines<Input>,
    taxonomy: &Taxonomy<3>,
    seen: &mut FxHashSet<Box<str>>,
    sink: &mut dyn VersionSink,
) -> Result<(), SourceError> {
    sink.file(lines.file());
    let [rank, name, low] = taxonomy.features;
    while lines.advance()? {
        let lineage = match lines.text().and_then(Lineage::read) {
            Ok(lineage) => lineage,
            Err(_) if lines.bytes().trim_ascii().is_empty() => continue,
            Err(problem) => {
                sink.reject(lines.line(), Reason::Malformed(problem));
                continue;
            }
        };
        let features = |of: &'static str, named, below| {
            [(rank, ValueRef::Category(of)), (name, ValueRef::Text(named)), (low, ValueRef::Bool(below))]
        };
        for taxon in &lineage.taxa {
            if !seen.contains(taxon.id.as_str()) {
                seen.insert(taxon.id.as_str().into());
                let features = features(taxon.rank, taxon.name, taxon.rank == "species");
                sink.node(taxonomy.taxon, &taxon.id, &features, lines.line());
            }
        }
        let species = lineage.taxa.last().map_or("", |taxon| taxon.name);
        sink.node(taxonomy.taxon, lineage.accession, &features("genome", species, true), lines.line());
    }
    Ok(())
}

fn edges(
    mut lines: ByteLines<Input>,
    taxonomy: &Taxonomy<3>,
    parents: &mut Parents,
    sink: &mut dyn VersionSink,
) -> Result<(), SourceError> {
    sink.file(lines.file());
    while lines.advance()? {
        // What cannot be read was rejected with the nodes.
        let Ok(lineage) = lines.text().and_then(Lineage::read) else { continue };
        for pair in lineage.taxa.windows(2) {
            if let [parent, child] = pair
                && parents.is_new(&child.id, &parent.id, lines.line(), sink)
            {
                sink.edge(taxonomy.child_of, (&child.id, &parent.id), None, &[], lines.line());
            }
        }
        if let Some(species) = lineage.taxa.last() {
            sink.edge(taxonomy.child_of, (lineage.accession, &species.id), None, &[], lines.line());
        }
    }
    Ok(())
}
