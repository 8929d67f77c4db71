//! SILVA: a table of taxa (`tax_slv_ssu_138.txt`) and up to three sets of sequences in FASTA: parc, ref, nr99.
//!
//! | in the files | in the version |
//! |---|---|
//! | line of the table: path, taxid, rank, remark, release | node of type `taxon`; id is the taxid; `name` (last part of the path), `rank`, `release` as it is written (`138.2`) where there is one |
//! | nothing, or a line of taxid 0 | node `0`, `Root`, of rank `root_rank` |
//! | header `>accession.start.stop path;organism` | node of type `taxon`; `name` is the organism, `rank` is `sequence`; `sequence`; `datasets`: the sets that hold it, in the order parc, ref, nr99 |
//! | path of a taxon, path of a sequence | edges `child_of` |
//!
//! A sequence that stands in several sets must be the same in all of them; the record that differs is rejected. Memory:
//! the taxa, and id and hash of each sequence. The sets are read three times: which sets hold a sequence, nodes, edges.

use std::hash::Hasher;
use std::path::{Path, PathBuf};

use rustc_hash::{FxHashMap, FxHasher};
use timeweft_graph::{FeatureKind, NodeKey, Owner, Reason, Sink, Unreadable, ValueRef};

use crate::SourceError;
use crate::text::byte_lines::ByteLines;
use crate::version_format::facts::FormatFacts;
use crate::version_format::fasta::Fasta;
use crate::version_format::lineage::{self, Taxonomy, any_taxon};

/// The files of a release.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SilvaFiles {
    /// The table of taxa.
    pub taxonomy: PathBuf,
    /// All sequences.
    pub parc: Option<PathBuf>,
    /// Those of good quality.
    pub reference: Option<PathBuf>,
    /// Those of good quality without near repeats.
    pub nr99: Option<PathBuf>,
}

impl SilvaFiles {
    /// Finds the files in a folder: a text whose name begins with `tax_slv`, and FASTA files with `nr99`, else `ref`, else
    /// `parc` in their names.
    pub fn find(folder: &Path) -> Result<SilvaFiles, SourceError> {
        let mut found = SilvaFiles::default();
        let mut taxonomy = None;
        for path in crate::input::files(folder)? {
            let plain = crate::input::plain_name(&path);
            if plain.starts_with("tax_slv") && plain.ends_with(".txt") {
                taxonomy.get_or_insert(path);
            } else if plain.ends_with(".fasta") || plain.ends_with(".fa") {
                let set = match &plain {
                    name if name.contains("nr99") => &mut found.nr99,
                    name if name.contains("ref") => &mut found.reference,
                    name if name.contains("parc") => &mut found.parc,
                    _ => continue,
                };
                set.get_or_insert(path);
            }
        }
        found.taxonomy = taxonomy.ok_or_else(|| SourceError::Unrecognised {
            as_what: "a version",
            path: folder.to_owned(),
            problem: "the folder has no `tax_slv*.txt`".into(),
        })?;
        Ok(found)
    }

    fn sets(&self) -> [Option<&Path>; 3] {
        [&self.parc, &self.reference, &self.nr99].map(|path| path.as_deref())
    }
}

/// What the format is.
pub(crate) const FACTS: FormatFacts = FormatFacts {
    is_taxonomy: true,
    is_folder_with: |name| name.starts_with("tax_slv") && name.ends_with(".txt"),
    ..FormatFacts::new("silva", "a folder of SILVA", |path, _, sink| read(&SilvaFiles::find(path)?, sink))
};

/// Reads a release into a sink.
pub fn read(files: &SilvaFiles, sink: &mut dyn Sink) -> Result<(), SourceError> {
    let lines = ByteLines::open(&files.taxonomy)?;
    let features = [
        ("name", FeatureKind::Text),
        ("rank", FeatureKind::Category),
        ("release", FeatureKind::Category),
        ("sequence", FeatureKind::Text),
        ("datasets", FeatureKind::Json),
    ];
    let types = Taxonomy::declare("silva", features, lines.file(), sink)?;
    let numbered = sink
        .schema()
        .features(Owner::Node(types.taxon))
        .get(usize::from(types.features[2].0))
        .is_some_and(|release| matches!(release.kind, FeatureKind::Dense { .. }));
    let mut release = Release {
        types,
        numbered,
        left_out: None,
        taxa: FxHashMap::default(),
        order: Vec::new(),
        sequences: FxHashMap::default(),
    };
    let table = lines.file().clone();
    release.taxa(lines, sink)?;
    release.warn(sink);
    for (bit, path) in (0..).zip(files.sets()) {
        if let Some(path) = path {
            release.collect(Fasta::open(path)?, bit, sink)?;
        }
    }
    for path in files.sets().into_iter().flatten() {
        release.sequence_nodes(Fasta::open(path)?, sink)?;
    }
    sink.file(&table);
    release.taxon_edges(sink);
    for path in files.sets().into_iter().flatten() {
        release.sequence_edges(Fasta::open(path)?, sink)?;
    }
    Ok(())
}

/// Id of the root, which the table does not list.
const ROOT: &str = "0";

struct Release {
    types: Taxonomy<5>,
    /// Whether the graph holds releases as whole numbers, from a reader before this one. A feature keeps its kind.
    numbered: bool,
    /// Releases that are no whole numbers where the graph asks for such: how many, the first one and its line.
    left_out: Option<(usize, Box<str>, u64)>,
    /// Ids by path, the path without its last semicolon.
    taxa: FxHashMap<Box<str>, Box<str>>,
    /// Paths with their lines.
    order: Vec<(Box<str>, u64)>,
    sequences: FxHashMap<Box<str>, Sequence>,
}

/// What is kept of a sequence.
struct Sequence {
    content: u64,
    /// A bit for each set that holds it.
    sets: u8,
    state: State,
}

#[derive(PartialEq, Eq)]
enum State {
    Collected,
    IsNode,
    HasEdge,
}

/// A sequence that is left out, and what that leaves unknown.
struct Unread {
    told: Vec<Unreadable>,
    problem: String,
}

/// A header in its parts.
struct Header<'a> {
    id: &'a str,
    path: &'a str,
    organism: &'a str,
}

impl<'a> Header<'a> {
    fn read(header: &'a str) -> Result<Header<'a>, String> {
        let parts = header.split_once(char::is_whitespace).and_then(|(id, lineage)| {
            let (path, organism) = lineage.trim().rsplit_once(';')?;
            Some(Header { id, path, organism: organism.trim() })
        });
        parts.ok_or_else(|| "expected `>accession.start.stop path;organism`".into())
    }
}

impl Release {
    fn taxa(&mut self, mut lines: ByteLines<crate::Input>, sink: &mut dyn Sink) -> Result<(), SourceError> {
        sink.file(lines.file());
        let [name, rank, ..] = self.types.features;
        let root = [(name, ValueRef::Text("Root")), (rank, ValueRef::Category("root_rank"))];
        sink.node(self.types.taxon, ROOT, &root, 0);
        while !sink.is_closed() && lines.advance()? {
            let line = lines.line();
            let read = match lines.text() {
                Ok(text) if text.trim().is_empty() => continue,
                Ok(text) => self.taxon(text, line, sink),
                Err(problem) => Err(problem),
            };
            if let Err(problem) = read {
                sink.unreadable(any_taxon(), line, Reason::Malformed(problem));
            }
        }
        Ok(())
    }

    fn taxon(&mut self, text: &str, line: u64, sink: &mut dyn Sink) -> Result<(), String> {
        let mut cells = text.split('\t').map(str::trim);
        let (path, id, rank) = (cells.next(), cells.next(), cells.next());
        let (Some(path), Some(id), Some(rank)) = (path, id, rank) else {
            return Err("expected path, taxid, rank, remark and release between tabs".into());
        };
        let path = path.trim_end_matches(';');
        if id == ROOT {
            return Ok(());
        }
        let name = path.rsplit(';').next().unwrap_or_default();
        if name.is_empty() || id.is_empty() || rank.is_empty() {
            return Err("the path, the taxid or the rank is empty".into());
        }
        if let Some(known) = self.taxa.get(path) {
            return Err(format!("path {path} is there already: taxon {known}"));
        }
        let [of_name, of_rank, of_release, ..] = self.types.features;
        let mut features = vec![(of_name, ValueRef::Text(name)), (of_rank, ValueRef::Category(rank))];
        let release = cells.nth(1).filter(|release| !release.is_empty());
        features.extend(release.and_then(|text| Some((of_release, self.release(text, line)?))));
        sink.node(self.types.taxon, id, &features, line);
        self.taxa.insert(path.into(), id.into());
        self.order.push((path.into(), line));
        Ok(())
    }

    /// The release of a taxon as it is written. A graph that holds whole numbers gets those.
    fn release<'a>(&mut self, text: &'a str, line: u64) -> Option<ValueRef<'a>> {
        if !self.numbered {
            return Some(ValueRef::Category(text));
        }
        let number = text.parse::<i64>().ok();
        if number.is_none() {
            self.left_out.get_or_insert_with(|| (0, text.into(), line)).0 += 1;
        }
        number.map(ValueRef::Int)
    }

    fn warn(&self, sink: &mut dyn Sink) {
        if let Some((n, text, line)) = &self.left_out {
            let message = format!(
                "release: the graph holds whole numbers, and `{text}` is none ({n} such in the file): left out; a new \
                 graph keeps releases as they are written"
            );
            sink.warn(*line, message);
        }
    }

    fn taxon_edges(&self, sink: &mut dyn Sink) {
        for (path, line) in &self.order {
            let Some(child) = self.taxa.get(path) else { continue };
            let parent = match path.rsplit_once(';') {
                None => Some(ROOT),
                Some((parent, _)) => self.taxa.get(parent).map(|id| &**id),
            };
            match parent {
                Some(parent) => sink.edge(self.types.child_of, (child, parent), None, &[], *line),
                None => {
                    let problem = format!("taxon {child}: the path above it is not in the table");
                    let edge = Unreadable::EdgesFrom(NodeKey::new("taxon", &**child));
                    sink.unreadable(vec![edge], *line, Reason::Malformed(problem));
                }
            }
        }
    }

    /// Notes which sequences a set holds, and refuses those that do not fit.
    fn collect(&mut self, mut fasta: Fasta, bit: u8, sink: &mut dyn Sink) -> Result<(), SourceError> {
        sink.file(fasta.file());
        while !sink.is_closed() && fasta.advance()? {
            if let Err(unread) = self.note(&fasta, 1 << bit) {
                let reason = Reason::Malformed(unread.problem);
                match unread.told {
                    told if told.is_empty() => sink.reject(fasta.line(), reason),
                    told => sink.unreadable(told, fasta.line(), reason),
                }
            }
        }
        Ok(())
    }

    fn note(&mut self, fasta: &Fasta, set: u8) -> Result<(), Unread> {
        let anything = |problem| Unread { told: any_taxon(), problem };
        let header = fasta.header().and_then(Header::read).map_err(anything)?;
        let this = |problem| Unread { told: lineage::taxon(header.id), problem };
        if !self.taxa.contains_key(header.path) {
            return Err(this(format!("sequence {}: path `{}` is not in the table of taxa", header.id, header.path)));
        }
        let content = content(&header, fasta.sequence().map_err(this)?);
        let nothing = |problem| Unread { told: Vec::new(), problem };
        match self.sequences.get_mut(header.id) {
            None => {
                let sequence = Sequence { content, sets: set, state: State::Collected };
                self.sequences.insert(header.id.into(), sequence);
            }
            Some(known) if known.sets & set != 0 => {
                return Err(nothing(format!("sequence {} is there twice", header.id)));
            }
            Some(known) if known.content != content => {
                return Err(nothing(format!("sequence {} differs from the one in another set", header.id)));
            }
            Some(known) => known.sets |= set,
        }
        Ok(())
    }

    fn sequence_nodes(&mut self, mut fasta: Fasta, sink: &mut dyn Sink) -> Result<(), SourceError> {
        sink.file(fasta.file());
        let [name, rank, _, sequence, datasets] = self.types.features;
        while !sink.is_closed() && fasta.advance()? {
            // What cannot be read was rejected when the sets were collected.
            let Ok(header) = fasta.header().and_then(Header::read) else { continue };
            let Ok(text) = fasta.sequence() else { continue };
            let Some(known) = self.sequences.get_mut(header.id) else { continue };
            if known.state != State::Collected || known.content != content(&header, text) {
                continue;
            }
            known.state = State::IsNode;
            let features = [
                (name, ValueRef::Text(header.organism)),
                (rank, ValueRef::Category("sequence")),
                (sequence, ValueRef::Text(text)),
                (datasets, ValueRef::RawJson(sets(known.sets))),
            ];
            sink.node(self.types.taxon, header.id, &features, fasta.line());
        }
        Ok(())
    }

    fn sequence_edges(&mut self, mut fasta: Fasta, sink: &mut dyn Sink) -> Result<(), SourceError> {
        sink.file(fasta.file());
        while !sink.is_closed() && fasta.advance()? {
            let Ok(header) = fasta.header().and_then(Header::read) else { continue };
            let (known, taxon) = (self.sequences.get_mut(header.id), self.taxa.get(header.path));
            if let (Some(known), Some(taxon)) = (known, taxon)
                && known.state == State::IsNode
            {
                known.state = State::HasEdge;
                sink.edge(self.types.child_of, (header.id, taxon), None, &[], fasta.line());
            }
        }
        Ok(())
    }
}

fn content(header: &Header<'_>, sequence: &str) -> u64 {
    let mut hasher = FxHasher::default();
    for text in [header.path, header.organism, sequence] {
        hasher.write(text.as_bytes());
        hasher.write_u8(0xff);
    }
    hasher.finish()
}

fn sets(bits: u8) -> &'static str {
    match bits {
        1 => r#"["parc"]"#,
        2 => r#"["ref"]"#,
        3 => r#"["parc","ref"]"#,
        4 => r#"["nr99"]"#,
        5 => r#"["parc","nr99"]"#,
        6 => r#"["ref","nr99"]"#,
        _ => r#"["parc","ref","nr99"]"#,
    }
}
