//! All formats of whole versions: which one a path is in, and how it is read.
//!
//! What a format is called, how its files are told and how they are read stands in the file of the format, as a
//! `FACTS`; the list of formats below names it.

pub(crate) mod facts;
mod fasta;
pub mod gtdb;
mod lineage;
mod mapped_tables;
pub mod obo;
pub mod obograph;
mod ontology;
pub mod rdp;
pub mod silva;
pub mod taxdump;

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use timeweft_graph::Sink;

use self::facts::FormatFacts;
pub use self::facts::VersionOptions;
use crate::SourceError;
use crate::input::plain_name;
use crate::text::byte_lines::ByteLines;

macro_rules! formats {
    ($($(#[$doc:meta])* $format:ident: $facts:path;)*) => {
        /// Format of a whole version.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[non_exhaustive]
        pub enum VersionFormat {
            $($(#[$doc])* $format,)*
        }

        impl VersionFormat {
            /// All formats.
            pub const ALL: &[VersionFormat] = &[$(VersionFormat::$format),*];

            fn facts(self) -> &'static FormatFacts {
                match self {
                    $(VersionFormat::$format => &$facts,)*
                }
            }
        }
    };
}

formats! {
    /// An ontology in OBO text.
    Obo: obo::FACTS;
    /// An ontology in OBO Graphs JSON.
    Obograph: obograph::FACTS;
    /// A folder of an NCBI taxonomy dump.
    Taxdump: taxdump::FACTS;
    /// A table of the Genome Taxonomy Database, or a folder of them.
    Gtdb: gtdb::FACTS;
    /// A folder of a SILVA release.
    Silva: silva::FACTS;
    /// A FASTA file of the Ribosomal Database Project, or a folder of them.
    Rdp: rdp::FACTS;
    /// Tables that a TOML file maps.
    Tables: mapped_tables::FACTS;
}

impl VersionFormat {
    /// Its name, as in [`timeweft_graph::Format`].
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// Whether it lists a tree of taxa, in which a node has at most one edge: to its parent.
    pub fn is_taxonomy(self) -> bool {
        self.facts().is_taxonomy
    }

    fn find(is_it: impl Fn(&FormatFacts) -> bool) -> Option<VersionFormat> {
        VersionFormat::ALL.iter().copied().find(|format| is_it(format.facts()))
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
        VersionFormat::find(|facts| facts.name == text).ok_or_else(|| {
            let known: Vec<_> = VersionFormat::ALL.iter().map(|format| format.name()).collect();
            format!("`{text}` is no format of versions: use one of {}", known.join(", "))
        })
    }
}

/// Reads a version into a sink.
pub fn read(path: &Path, options: &VersionOptions, sink: &mut dyn Sink) -> Result<(), SourceError> {
    let format = options.format.map_or_else(|| detect(path), Ok)?;
    check(path, format, options)?;
    (format.facts().read)(path, options, sink)
}

fn check(path: &Path, format: VersionFormat, options: &VersionOptions) -> Result<(), SourceError> {
    let given = [
        ("id_prefix", options.id_prefix.is_some(), "a prefix of ids"),
        ("graph", options.graph.is_some(), "the id of a graph"),
        ("root", options.root.is_some(), "a folder of files"),
    ];
    let wrong = given.into_iter().find(|(name, given, _)| *given && !format.facts().options.contains(name));
    let Some((name, _, what)) = wrong else { return Ok(()) };
    let having = VersionFormat::ALL.iter().filter(|format| format.facts().options.contains(&name));
    let having: Vec<_> = having.map(|format| format!("`{format}`")).collect();
    let rule = format!("{what} is for {}, and the format is `{format}`: leave it out", having.join(" and "));
    Err(unrecognised(path, rule))
}

fn unrecognised(path: &Path, problem: String) -> SourceError {
    SourceError::Unrecognised { path: path.to_owned(), as_what: "a version", problem }
}

/// The format that a path tells: by its name, and where that is not enough by its first line.
pub fn detect(path: &Path) -> Result<VersionFormat, SourceError> {
    let found = if path.is_dir() { of_folder(path)? } else { of_file(path)? };
    found.ok_or_else(|| {
        let known: Vec<_> = VersionFormat::ALL.iter().map(|format| format.facts().expected).collect();
        unrecognised(path, format!("expected {}; or give the format", known.join(", or ")))
    })
}

fn of_folder(folder: &Path) -> Result<Option<VersionFormat>, SourceError> {
    let files = crate::input::files(folder)?;
    let names: Vec<String> = files.iter().map(|path| plain_name(path)).collect();
    let whole = VersionFormat::find(|facts| names.iter().any(|name| (facts.is_folder_with)(name)));
    if whole.is_some() {
        return Ok(whole);
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
    if let Some(found) = VersionFormat::find(|facts| (facts.is_file)(&name)) {
        return Ok(Some(found));
    }
    let parts = VersionFormat::ALL.iter().filter_map(|format| format.facts().part_of);
    match parts.into_iter().find(|(end, _)| name.ends_with(end)) {
        Some((_, whole)) => Err(unrecognised(path, format!("it is one file of {whole}: give its folder"))),
        None => of_first_line(path),
    }
}

/// The format of a file whose first line tells it.
fn of_first_line(path: &Path) -> Result<Option<VersionFormat>, SourceError> {
    let name = plain_name(path);
    let is_named = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    let first_lines = || VersionFormat::ALL.iter().filter_map(|format| format.facts().is_begun_by);
    if !first_lines().any(|(ends, _)| is_named(ends)) {
        return Ok(None);
    }
    let mut lines = ByteLines::open(path)?;
    lines.advance()?;
    let line = lines.bytes();
    Ok(VersionFormat::find(|facts| facts.is_begun_by.is_some_and(|(ends, begins)| is_named(ends) && begins(line))))
}
