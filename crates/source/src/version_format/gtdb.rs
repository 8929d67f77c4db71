//! The Genome Taxonomy Database: tables of `accession TAB d__X;p__Y;...;s__Z`, usually one of bacteria and one of archaea.
//!
//! | in the files | in the version |
//! |---|---|
//! | taxon of a lineage, the first time | node of type `taxon`; id `d:X`, `s:Genus_species`: its letter and its name with `_` for spaces |
//! | its letter, its name | `rank` (`domain` to `species`), `scientific_name` |
//! | line | node of type `taxon`; id is the accession, `rank` is `genome`, `scientific_name` that of its species |
//! | species and genomes | `species_or_below` |
//! | neighbors in a lineage | edges `child_of` |
//!
//! Tables of metadata (`bac120_metadata_r220.tsv`) are read by their columns `accession` and `gtdb_taxonomy`; in a folder
//! they are passed over where there are lineages.
//!
//! A lineage that does not end in a species, or whose ranks do not descend, rejects its line. Memory: the taxa above the
//! genomes. The files are read twice, for nodes come before edges.

use std::path::{Path, PathBuf};

use timeweft_graph::{FeatureKind, Reason, Sink, ValueRef};

use crate::text::byte_lines::ByteLines;
use crate::version_format::facts::FormatFacts;
use crate::version_format::lineage::{Parents, Taxa, Taxonomy, any_taxon, taxon};
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

/// What the format is.
pub(crate) const FACTS: FormatFacts = FormatFacts {
    is_taxonomy: true,
    is_begun_by: Some((&[".tsv"], |line| !matches!(Layout::of(line), Layout::Unknown))),
    ..FormatFacts::new("gtdb", "a file or folder of GTDB", |path, _, sink| {
        let files = if path.is_dir() { files(path)? } else { vec![path.to_owned()] };
        read(&files, sink)
    })
};

/// Reads tables into a sink, in this order.
pub fn read(files: &[PathBuf], sink: &mut dyn Sink) -> Result<(), SourceError> {
    let first = files.first().map_or_else(|| "".into(), |path| path.to_string_lossy().as_ref().into());
    let features = [
        ("rank", FeatureKind::Category),
        ("scientific_name", FeatureKind::Text),
        ("species_or_below", FeatureKind::Json),
    ];
    let taxonomy = Taxonomy::declare("gtdb", features, &first, sink)?;
    let mut taxa = Taxa::default();
    for path in files {
        nodes(ByteLines::open(path)?, &taxonomy, &mut taxa, sink)?;
    }
    let mut parents = Parents::default();
    for path in files {
        edges(ByteLines::open(path)?, &taxonomy, (&taxa, &mut parents), sink)?;
    }
    Ok(())
}

/// The tables in a folder: those of bacteria, then those of archaea, then others, by name. Metadata are passed over where
/// there are lineages, for both list the same genomes.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>, SourceError> {
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let mut files = Vec::new();
    for path in crate::input::files(folder)? {
        if crate::input::plain_name(&path).ends_with(".tsv") {
            let mut lines = ByteLines::open(&path)?;
            lines.advance()?;
            files.push((Layout::of(lines.bytes()), path));
        }
    }
    if files.iter().any(|(layout, _)| matches!(layout, Layout::Lineages)) {
        files.retain(|(layout, _)| !matches!(layout, Layout::Metadata(..)));
    }
    let mut files: Vec<PathBuf> = files.into_iter().map(|(_, path)| path).collect();
    files.sort_by_cached_key(|path| {
        let name = name(path);
        let group = ["bac", "ar"].iter().position(|start| name.starts_with(start)).unwrap_or(2);
        (group, name)
    });
    Ok(files)
}

/// Where the parts stand in the lines of a table.
#[derive(Clone, Copy)]
enum Layout {
    /// An accession and a lineage, without a header.
    Lineages,
    /// Metadata of genomes under a header, with the columns of accession and lineage.
    Metadata(usize, usize),
    Unknown,
}

impl Layout {
    /// What the first line tells.
    pub(crate) fn of(first: &[u8]) -> Layout {
        let column =
            |name: &str| first.split(|byte| *byte == b'\t').position(|cell| cell.trim_ascii() == name.as_bytes());
        match (column("accession"), column("gtdb_taxonomy")) {
            (Some(accession), Some(lineage)) => Layout::Metadata(accession, lineage),
            _ if memchr::memmem::find(first, b"\td__").is_some() => Layout::Lineages,
            _ => Layout::Unknown,
        }
    }

    /// The present line; `None` for a header and for a blank line.
    fn read<'a>(&mut self, lines: &'a ByteLines<Input>) -> Option<Result<Lineage<'a>, String>> {
        if lines.line() == 1 {
            *self = Layout::of(lines.bytes());
            if matches!(self, Layout::Metadata(..)) {
                return None;
            }
        }
        if lines.bytes().trim_ascii().is_empty() {
            return None;
        }
        let parts = |line: &'a str| {
            let parts = match *self {
                Layout::Metadata(accession, lineage) => {
                    let cell = |at| line.split('\t').nth(at);
                    cell(accession).zip(cell(lineage))
                }
                _ => line.split_once('\t'),
            };
            parts.ok_or_else(|| "expected an accession, a tab and a lineage `d__X;p__Y;...;s__Z`".to_owned())
        };
        Some(lines.text().and_then(parts).and_then(|(accession, lineage)| Lineage::read(accession, lineage)))
    }
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
    fn read(accession: &'a str, lineage: &'a str) -> Result<Lineage<'a>, String> {
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

    /// Ids and names of its taxa.
    fn names(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self.taxa.iter().map(|taxon| (taxon.id.as_str(), taxon.name))
    }
}

fn nodes(
    mut lines: ByteLines<Input>,
    taxonomy: &Taxonomy<3>,
    taxa: &mut Taxa,
    sink: &mut dyn Sink,
) -> Result<(), SourceError> {
    sink.file(lines.file());
    let [rank, name, low] = taxonomy.features;
    let mut layout = Layout::Unknown;
    while !sink.is_closed() && lines.advance()? {
        let lineage = match layout.read(&lines) {
            None => continue,
            Some(Ok(lineage)) => lineage,
            Some(Err(problem)) => {
                sink.unreadable(any_taxon(), lines.line(), Reason::Malformed(problem));
                continue;
            }
        };
        let features = |of: &'static str, named, below| {
            [(rank, ValueRef::Category(of)), (name, ValueRef::Text(named)), (low, ValueRef::Bool(below))]
        };
        let line = lines.line();
        let taken = taxa.take(lineage.names(), |at| {
            let taxon = &lineage.taxa[at];
            sink.node(taxonomy.taxon, &taxon.id, &features(taxon.rank, taxon.name, taxon.rank == "species"), line);
        });
        if let Err(problem) = taken {
            sink.unreadable(taxon(lineage.accession), line, Reason::Malformed(problem));
            continue;
        }
        let species = lineage.taxa.last().map_or("", |taxon| taxon.name);
        sink.node(taxonomy.taxon, lineage.accession, &features("genome", species, true), lines.line());
    }
    Ok(())
}

fn edges(
    mut lines: ByteLines<Input>,
    taxonomy: &Taxonomy<3>,
    (taxa, parents): (&Taxa, &mut Parents),
    sink: &mut dyn Sink,
) -> Result<(), SourceError> {
    sink.file(lines.file());
    let mut layout = Layout::Unknown;
    while !sink.is_closed() && lines.advance()? {
        // What cannot be read was rejected with the nodes.
        let Some(Ok(lineage)) = layout.read(&lines) else { continue };
        if !taxa.holds(lineage.names()) {
            continue;
        }
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
