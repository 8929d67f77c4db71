//! The Ribosomal Database Project: FASTA files of 16S (bacteria, archaea) and 28S (fungi) sequences with lineages.
//!
//! A header is `>locus definition TAB Lineage=name;rank;name;rank;...`. Sequences themselves are passed over.
//!
//! | in the files | in the version |
//! |---|---|
//! | taxon of a lineage, the first time | node of type `taxon`; id `rank:Name`, with `_` for spaces and slashes, and `:is` behind it where the name says incertae sedis |
//! | its rank, its name | `rank`, `name`; `unclassified` false; `incertae_sedis` |
//! | header | node of type `taxon`; id is the locus, `rank` is `sequence_example`, `name` the definition, `molecule` `16S` or `28S`; `unclassified` |
//! | neighbors in a lineage | edges `child_of` |
//!
//! A lineage may end in a name without a rank: `unclassified_X` marks a sequence that belongs to the last taxon and no
//! further; a lineage that ends in `Outgroup` is passed over; any other rejects its header. Memory: the taxa above the
//! sequences. The files are read twice, for nodes come before edges.

use std::path::{Path, PathBuf};

use timeweft_graph::{FeatureKind, Reason, Sink, ValueRef};

use crate::SourceError;
use crate::input::plain_name;
use crate::version_format::facts::FormatFacts;
use crate::version_format::fasta::Fasta;
use crate::version_format::lineage::{Parents, Taxa, Taxonomy, any_taxon, taxon};

/// Which gene the sequences of a file are of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Molecule {
    /// The small subunit of bacteria and archaea.
    S16,
    /// The large subunit of fungi.
    S28,
}

impl Molecule {
    /// Its name: `16S` or `28S`.
    pub fn name(self) -> &'static str {
        match self {
            Molecule::S16 => "16S",
            Molecule::S28 => "28S",
        }
    }
}

/// What the format is.
pub(crate) const FACTS: FormatFacts = FormatFacts {
    is_taxonomy: true,
    is_begun_by: Some((&[".fa", ".fasta", ".fna"], |line| {
        line.starts_with(b">") && memchr::memmem::find(line, b"Lineage=").is_some()
    })),
    ..FormatFacts::new("rdp", "a file or folder of RDP", |path, _, sink| {
        let files = if path.is_dir() { files(path)? } else { vec![(path.to_owned(), molecule(path))] };
        read(&files, sink)
    })
};

/// Reads FASTA files into a sink, in this order.
pub fn read(files: &[(PathBuf, Molecule)], sink: &mut dyn Sink) -> Result<(), SourceError> {
    let first = files.first().map_or_else(|| "".into(), |(path, _)| path.to_string_lossy().as_ref().into());
    let features = [
        ("rank", FeatureKind::Category),
        ("name", FeatureKind::Text),
        ("unclassified", FeatureKind::Json),
        ("molecule", FeatureKind::Category),
        ("incertae_sedis", FeatureKind::Json),
    ];
    let taxonomy = Taxonomy::declare("rdp", features, &first, sink)?;
    let mut taxa = Taxa::default();
    for (path, molecule) in files {
        nodes(Fasta::open(path)?, *molecule, &taxonomy, &mut taxa, sink)?;
    }
    let mut parents = Parents::default();
    for (path, _) in files {
        edges(Fasta::open(path)?, &taxonomy, (&taxa, &mut parents), sink)?;
    }
    Ok(())
}

/// The FASTA files in a folder by name, with their molecules.
pub fn files(folder: &Path) -> Result<Vec<(PathBuf, Molecule)>, SourceError> {
    let files = crate::input::files(folder)?.into_iter().filter_map(|path| {
        let plain = plain_name(&path);
        let is_fasta = [".fa", ".fasta", ".fna"].iter().any(|end| plain.ends_with(end));
        let molecule = molecule(&path);
        is_fasta.then_some((path, molecule))
    });
    Ok(files.collect())
}

/// The molecule that a file name tells: 28S if it names fungi or `28S`, else 16S.
pub fn molecule(path: &Path) -> Molecule {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    if name.contains("fungi") || name.contains("28s") { Molecule::S28 } else { Molecule::S16 }
}

struct Entry<'a> {
    locus: &'a str,
    definition: &'a str,
    taxa: Vec<Taxon<'a>>,
    unclassified: bool,
}

struct Taxon<'a> {
    id: String,
    rank: &'a str,
    name: &'a str,
    incertae_sedis: bool,
}

impl<'a> Entry<'a> {
    /// Reads a header; `None` for one that is passed over.
    fn read(header: &'a str) -> Result<Option<Entry<'a>>, String> {
        let (front, lineage) =
            header.split_once("Lineage=").ok_or("expected `locus definition`, a tab and `Lineage=name;rank;...`")?;
        let front = front.trim();
        let (locus, definition) = front.split_once(char::is_whitespace).unwrap_or((front, ""));
        let parts: Vec<&str> = lineage.trim().trim_end_matches(';').split(';').map(str::trim).collect();
        let (pairs, odd) = parts.as_chunks::<2>();
        let unclassified = match odd {
            [] => false,
            ["Outgroup"] => return Ok(None),
            [last] if last.to_lowercase().starts_with("unclassified_") => true,
            _ => {
                return Err(
                    "expected a lineage of names and ranks in pairs, or with `unclassified_...` behind them".into()
                );
            }
        };
        if locus.is_empty() || pairs.is_empty() || parts.iter().any(|part| part.is_empty()) {
            return Err("expected a locus and a lineage without empty names".into());
        }
        // An outgroup may have a rank.
        if pairs.last().is_some_and(|[name, _]| *name == "Outgroup") {
            return Ok(None);
        }
        let taxa = pairs.iter().map(|[name, rank]| Taxon::new(name, rank)).collect();
        Ok(Some(Entry { locus, definition: definition.trim(), taxa, unclassified }))
    }

    /// Ids and names of its taxa.
    fn names(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self.taxa.iter().map(|taxon| (taxon.id.as_str(), taxon.name))
    }
}

impl<'a> Taxon<'a> {
    fn new(name: &'a str, rank: &'a str) -> Taxon<'a> {
        let incertae_sedis = name.to_lowercase().replace('_', " ").contains("incertae sedis");
        let end = if incertae_sedis { ":is" } else { "" };
        let id = format!("{rank}:{}{end}", name.replace([' ', '/'], "_"));
        Taxon { id, rank, name, incertae_sedis }
    }
}

fn nodes(
    mut fasta: Fasta,
    molecule: Molecule,
    taxonomy: &Taxonomy<5>,
    taxa: &mut Taxa,
    sink: &mut dyn Sink,
) -> Result<(), SourceError> {
    sink.file(fasta.file());
    let [rank, name, unclassified, of_molecule, incertae_sedis] = taxonomy.features;
    while !sink.is_closed() && fasta.advance()? {
        let line = fasta.line();
        let entry = match fasta.header().and_then(Entry::read) {
            Ok(Some(entry)) => entry,
            Ok(None) => continue,
            Err(problem) => {
                sink.unreadable(any_taxon(), line, Reason::Malformed(problem));
                continue;
            }
        };
        let taken = taxa.take(entry.names(), |at| {
            let taxon = &entry.taxa[at];
            let features = [
                (rank, ValueRef::Category(taxon.rank)),
                (name, ValueRef::Text(taxon.name)),
                (unclassified, ValueRef::Bool(false)),
                (incertae_sedis, ValueRef::Bool(taxon.incertae_sedis)),
            ];
            sink.node(taxonomy.taxon, &taxon.id, &features, line);
        });
        if let Err(problem) = taken {
            sink.unreadable(taxon(entry.locus), line, Reason::Malformed(problem));
            continue;
        }
        let features = [
            (rank, ValueRef::Category("sequence_example")),
            (name, ValueRef::Text(entry.definition)),
            (unclassified, ValueRef::Bool(entry.unclassified)),
            (of_molecule, ValueRef::Category(molecule.name())),
        ];
        sink.node(taxonomy.taxon, entry.locus, &features, line);
    }
    Ok(())
}

fn edges(
    mut fasta: Fasta,
    taxonomy: &Taxonomy<5>,
    (taxa, parents): (&Taxa, &mut Parents),
    sink: &mut dyn Sink,
) -> Result<(), SourceError> {
    sink.file(fasta.file());
    while !sink.is_closed() && fasta.advance()? {
        let line = fasta.line();
        // What cannot be read was rejected with the nodes.
        let Ok(Some(entry)) = fasta.header().and_then(Entry::read) else { continue };
        if !taxa.holds(entry.names()) {
            continue;
        }
        for pair in entry.taxa.windows(2) {
            if let [parent, child] = pair
                && parents.is_new(&child.id, &parent.id, line, sink)
            {
                sink.edge(taxonomy.child_of, (&child.id, &parent.id), None, &[], line);
            }
        }
        if let Some(taxon) = entry.taxa.last() {
            sink.edge(taxonomy.child_of, (entry.locus, &taxon.id), None, &[], line);
        }
    }
    Ok(())
}
