//! All formats of whole versions in one place: which one a path is in, and how it is read.

mod fasta;
pub mod gtdb;
mod lineage;
pub mod obo;
pub mod obograph;
mod ontology;
pub mod rdp;
pub mod silva;
pub mod taxdump;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use timeweft_graph::VersionSink;

use self::obo::OboOptions;
use self::obograph::ObographOptions;
use self::silva::SilvaFiles;
use crate::input::plain_name;
use crate::text::byte_lines::ByteLines;
use crate::{SourceError, TablesOptions, open, tables};

/// Format of a whole version.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum VersionFormat {
    /// An ontology in OBO text.
    Obo,
    /// An ontology in OBO Graphs JSON.
    Obograph,
    /// A folder of an NCBI taxonomy dump.
    Taxdump,
    /// A table of the Genome Taxonomy Database, or a folder of them.
    Gtdb,
    /// A folder of a SILVA release.
    Silva,
    /// A FASTA file of the Ribosomal Database Project, or a folder of them.
    Rdp,
    /// Tables that a TOML file maps.
    Tables,
}

impl VersionFormat {
    /// All formats.
    pub const ALL: [VersionFormat; 7] = [
        VersionFormat::Obo,
        VersionFormat::Obograph,
        VersionFormat::Taxdump,
        VersionFormat::Gtdb,
        VersionFormat::Silva,
        VersionFormat::Rdp,
        VersionFormat::Tables,
    ];

    /// Its name, as in [`timeweft_graph::Format`].
    pub fn name(self) -> &'static str {
        match self {
            VersionFormat::Obo => "obo",
            VersionFormat::Obograph => "obograph",
            VersionFormat::Taxdump => "taxdump",
            VersionFormat::Gtdb => "gtdb",
            VersionFormat::Silva => "silva",
            VersionFormat::Rdp => "rdp",
            VersionFormat::Tables => "tables",
        }
    }

    /// Whether it lists a tree of taxa, in which a node has at most one edge: to its parent.
    pub fn is_taxonomy(self) -> bool {
        use VersionFormat::{Gtdb, Rdp, Silva, Taxdump};
        matches!(self, Taxdump | Gtdb | Silva | Rdp)
    }
}

impl fmt::Display for VersionFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for VersionFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        VersionFormat::ALL.into_iter().find(|format| format.name() == text).ok_or_else(|| {
            let known = VersionFormat::ALL.map(VersionFormat::name).join(", ");
            format!("`{text}` is no format of versions: use one of {known}")
        })
    }
}

/// How to read a version of any format. An option that the format does not have is an error, not a silent nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct VersionOptions {
    /// Format; `None` follows from the path.
    pub format: Option<VersionFormat>,
    /// Of `obo` and `obograph`: keeps only terms whose id begins with this prefix and a colon.
    pub id_prefix: Option<String>,
    /// Of `obograph`: id of the graph to read.
    pub graph: Option<String>,
    /// Of `tables`: the folder in which the files are looked up.
    pub root: Option<PathBuf>,
}

/// Reads a version into a sink.
pub fn read(path: &Path, options: &VersionOptions, sink: &mut dyn VersionSink) -> Result<(), SourceError> {
    let format = options.format.map_or_else(|| detect(path), Ok)?;
    check(path, format, options)?;
    match format {
        VersionFormat::Obo => {
            let input = open(path)?;
            let file = input.name().clone();
            obo::read(input, &file, &OboOptions { id_prefix: options.id_prefix.clone() }, sink)
        }
        VersionFormat::Obograph => {
            let input = open(path)?;
            let file = input.name().clone();
            let options = ObographOptions { id_prefix: options.id_prefix.clone(), graph: options.graph.clone() };
            obograph::read(input, &file, &options, sink)
        }
        VersionFormat::Taxdump => taxdump::read(path, sink),
        VersionFormat::Gtdb if path.is_dir() => gtdb::read(&gtdb::files(path)?, sink),
        VersionFormat::Gtdb => gtdb::read(&[path.to_owned()], sink),
        VersionFormat::Silva => silva::read(&SilvaFiles::find(path)?, sink),
        VersionFormat::Rdp if path.is_dir() => rdp::read(&rdp::files(path)?, sink),
        VersionFormat::Rdp => rdp::read(&[(path.to_owned(), rdp::molecule(path))], sink),
        VersionFormat::Tables => tables::read(path, &TablesOptions { root: options.root.clone() }, sink),
    }
}

fn check(path: &Path, format: VersionFormat, options: &VersionOptions) -> Result<(), SourceError> {
    let of_ontologies = matches!(format, VersionFormat::Obo | VersionFormat::Obograph);
    let given = [
        (options.id_prefix.is_some() && !of_ontologies, "a prefix of ids is for `obo` and `obograph`"),
        (options.graph.is_some() && format != VersionFormat::Obograph, "the id of a graph is for `obograph`"),
        (options.root.is_some() && format != VersionFormat::Tables, "a folder of files is for `tables`"),
    ];
    match given.into_iter().find(|(wrong, _)| *wrong) {
        Some((_, rule)) => Err(unrecognised(path, format!("{rule}, and the format is `{format}`: leave it out"))),
        None => Ok(()),
    }
}

fn unrecognised(path: &Path, problem: String) -> SourceError {
    SourceError::Unrecognised { path: path.to_owned(), as_what: "a version", problem }
}

/// The format that a path tells: by its name, and where that is not enough by its first line.
pub fn detect(path: &Path) -> Result<VersionFormat, SourceError> {
    let found = if path.is_dir() { of_folder(path)? } else { of_file(path)? };
    found.ok_or_else(|| {
        let known = "expected an `.obo`, a `.json` of OBO Graphs, a `.toml` that maps tables, a folder with `nodes.dmp`, \
                     or a file or folder of GTDB, SILVA or RDP";
        unrecognised(path, format!("{known}; or give the format"))
    })
}

fn of_folder(folder: &Path) -> Result<Option<VersionFormat>, SourceError> {
    let files = crate::input::files(folder)?;
    let names: Vec<String> = files.iter().map(|path| plain_name(path)).collect();
    if names.iter().any(|name| name == "nodes.dmp") {
        return Ok(Some(VersionFormat::Taxdump));
    }
    if names.iter().any(|name| name.starts_with("tax_slv") && name.ends_with(".txt")) {
        return Ok(Some(VersionFormat::Silva));
    }
    for file in &files {
        if let Some(found) = of_first_line(file)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn of_file(path: &Path) -> Result<Option<VersionFormat>, SourceError> {
    let name = plain_name(path);
    Ok(match name.rsplit('.').next() {
        Some("obo") => Some(VersionFormat::Obo),
        Some("json") => Some(VersionFormat::Obograph),
        Some("toml") => Some(VersionFormat::Tables),
        _ if name.ends_with(".dmp") => {
            return Err(unrecognised(path, "it is one file of a taxonomy dump: give its folder".into()));
        }
        _ => of_first_line(path)?,
    })
}

/// Lineages are told by their first line.
fn of_first_line(path: &Path) -> Result<Option<VersionFormat>, SourceError> {
    let name = plain_name(path);
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    let (is_table, is_fasta) = (ends(&[".tsv"]), ends(&[".fa", ".fasta", ".fna"]));
    if !is_table && !is_fasta {
        return Ok(None);
    }
    let mut lines = ByteLines::open(path)?;
    lines.advance()?;
    let line = lines.bytes();
    let has = |part: &[u8]| memchr::memmem::find(line, part).is_some();
    Ok(match () {
        () if is_table && !matches!(gtdb::Layout::of(line), gtdb::Layout::Unknown) => Some(VersionFormat::Gtdb),
        () if is_fasta && line.starts_with(b">") && has(b"Lineage=") => Some(VersionFormat::Rdp),
        () => None,
    })
}
