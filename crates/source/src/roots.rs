//! Files of roots: the nodes or edges that a question is asked about, and the time of each.
//!
//! A table (`.csv`, `.tsv`, packed or not, or `.parquet`; `-` is CSV on standard input) with a header. Of nodes the
//! columns are `type`, `id` and `time`, of edges those of an event stream: `source_type`, `src`, `relation`,
//! `destination_type`, `dst`, `key` and `time`. Only `id`, or `src` and `dst`, must be there; others are not looked at.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use timeweft_graph::{ExternalId, Name, Place, Time, TimeUnit};

#[cfg(feature = "columnar")]
use crate::Frame;
use crate::SourceError;
#[cfg(feature = "columnar")]
use crate::tables::ColumnarRows;
use crate::tables::{Cell, Made, Rows, TIME, open_table, time};
use crate::text::floored::Floored;

/// A row of a file of roots.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Root {
    /// Where it stands.
    pub place: Place,
    /// What the question is about.
    pub subject: Subject,
    /// As of when; `None` if the file has no column for it.
    pub time: Option<Time>,
}

/// What a question is about. A type is `None` if the file has no column for it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Subject {
    Node {
        node_type: Option<Name>,
        id: ExternalId,
    },
    Edge {
        source_type: Option<Name>,
        source: ExternalId,
        relation: Option<Name>,
        destination_type: Option<Name>,
        destination: ExternalId,
        key: Option<Name>,
    },
}

/// Reads roots one after another, in constant memory.
pub struct RootsReader {
    rows: Box<dyn Rows>,
    file: Name,
    path: PathBuf,
    unit: TimeUnit,
    columns: Columns,
    time: Option<usize>,
    floored: Floored,
    /// Names that were read lately: most rows name the same types.
    names: Vec<Name>,
}

/// Where the cells of a root stand.
#[derive(Clone, Copy)]
enum Columns {
    Node {
        node_type: Option<usize>,
        id: usize,
    },
    Edge {
        source_type: Option<usize>,
        source: usize,
        relation: Option<usize>,
        destination_type: Option<usize>,
        destination: usize,
        key: Option<usize>,
    },
}

/// Names that are kept at hand, at most.
const NAMES: usize = 16;

impl RootsReader {
    /// Opens a file of roots whose times count in `unit`.
    ///
    /// # Errors
    /// If it cannot be opened, is no such table, or lacks a column.
    pub fn open(path: &Path, unit: TimeUnit) -> Result<RootsReader, SourceError> {
        let (file, rows) = open_table(path, "roots")?;
        RootsReader::new(file, rows, path, unit)
    }

    /// Reads roots that come as record batches, with the same columns.
    ///
    /// # Errors
    /// If they lack a column.
    #[cfg(feature = "columnar")]
    pub fn of_frame(frame: &Frame, unit: TimeUnit) -> Result<RootsReader, SourceError> {
        let rows = Box::new(ColumnarRows::of_frame(frame)?);
        RootsReader::new(frame.name().clone(), rows, Path::new(""), unit)
    }

    fn new(file: Name, mut rows: Box<dyn Rows>, path: &Path, unit: TimeUnit) -> Result<RootsReader, SourceError> {
        let mut at = |name| match rows.column(name) {
            Some(at) => rows.want(at).map(|()| Some(at)).map_err(|problem| SourceError::Columns {
                file: file.clone(),
                problem: format!("column `{name}` {problem}"),
                columns: rows.columns().join(", "),
            }),
            None => Ok(None),
        };
        let time = at("time")?;
        let columns = match (at("id")?, at("src")?, at("dst")?) {
            (Some(id), None, None) => Columns::Node { node_type: at("type")?, id },
            (None, Some(source), Some(destination)) => Columns::Edge {
                source_type: at("source_type")?,
                source,
                relation: at("relation")?,
                destination_type: at("destination_type")?,
                destination,
                key: at("key")?,
            },
            (Some(_), ..) => {
                return Err(wrong_columns(
                    &file,
                    rows.as_ref(),
                    "both `id` and `src` or `dst`: name nodes by `id`, or edges by `src` and `dst`",
                ));
            }
            _ => {
                return Err(wrong_columns(
                    &file,
                    rows.as_ref(),
                    "no column `id`: give the columns type, id and time of nodes (or of edges source_type, src, relation, destination_type, dst and time) in the first line",
                ));
            }
        };
        Ok(RootsReader {
            rows,
            file,
            path: path.to_owned(),
            unit,
            columns,
            time,
            floored: Floored::default(),
            names: Vec::new(),
        })
    }

    /// The name for messages.
    pub fn name(&self) -> &Name {
        &self.file
    }

    /// About how many roots there are, for a bar of progress: the lines of a text, or the rows that Parquet tells. `None`
    /// where only reading to the end would tell: of packed files and of standard input.
    pub fn n_rows(&self) -> Option<u64> {
        match self.path.extension()?.to_str()? {
            "csv" | "tsv" => Some(n_lines(&self.path).ok()?.saturating_sub(1)),
            "parquet" => n_parquet_rows(&self.path),
            _ => None,
        }
    }

    /// Whether roots are edges.
    pub fn has_edges(&self) -> bool {
        matches!(self.columns, Columns::Edge { .. })
    }

    /// Whether roots have times of their own.
    pub fn has_times(&self) -> bool {
        self.time.is_some()
    }

    /// What was read as something else than it says, for people. Ask when all roots are read.
    pub fn note(&self) -> Option<String> {
        self.floored.note(self.unit)
    }

    /// The next root; `None` at the end.
    ///
    /// # Errors
    /// [`SourceError::Document`] with the line if a row is no root: nothing stands for what cannot be read.
    pub fn advance(&mut self) -> Result<Option<Root>, SourceError> {
        let Some(row) = self.rows.advance()? else { return Ok(None) };
        let root = row.and_then(|()| self.root());
        let fail = |problem| SourceError::Document { file: self.file.clone(), line: self.rows.line(), problem };
        root.map(Some).map_err(fail)
    }

    fn root(&mut self) -> Result<Root, String> {
        let (rows, names) = (&*self.rows, &mut self.names);
        let subject = match self.columns {
            Columns::Node { node_type, id } => {
                Subject::Node { node_type: named(rows, names, "type", node_type)?, id: id_at(rows, "id", id)? }
            }
            Columns::Edge { source_type, source, relation, destination_type, destination, key } => Subject::Edge {
                source_type: named(rows, names, "source_type", source_type)?,
                source: id_at(rows, "src", source)?,
                relation: named(rows, names, "relation", relation)?,
                destination_type: named(rows, names, "destination_type", destination_type)?,
                destination: id_at(rows, "dst", destination)?,
                key: key.map_or(Ok(None), |at| text_at(rows, "key", at))?.map(|key| Name::from(&*key)),
            },
        };
        let time = self.time.map(|at| time_at(rows, at, self.unit)).transpose()?;
        self.time.iter().for_each(|at| self.floored.look(&rows.cell(*at), self.unit, rows.line()));
        Ok(Root { place: Place::new(&self.file, rows.line()), subject, time })
    }
}

fn n_lines(path: &Path) -> std::io::Result<u64> {
    let mut file = BufReader::with_capacity(1 << 18, File::open(path)?);
    let mut n = 0;
    loop {
        let bytes = file.fill_buf()?;
        if bytes.is_empty() {
            return Ok(n);
        }
        n += memchr::memchr_iter(b'\n', bytes).count() as u64;
        let read = bytes.len();
        file.consume(read);
    }
}

#[cfg(feature = "columnar")]
fn n_parquet_rows(path: &Path) -> Option<u64> {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    let reader = SerializedFileReader::new(File::open(path).ok()?).ok()?;
    u64::try_from(reader.metadata().file_metadata().num_rows()).ok()
}

#[cfg(not(feature = "columnar"))]
fn n_parquet_rows(_: &Path) -> Option<u64> {
    None
}

fn text_at<'a>(rows: &'a dyn Rows, name: &str, at: usize) -> Result<Option<Cow<'a, str>>, String> {
    rows.cell(at).id().map_err(|problem| format!("{name}: {problem}"))
}

fn id_at(rows: &dyn Rows, name: &str, at: usize) -> Result<ExternalId, String> {
    let text = text_at(rows, name, at)?.ok_or_else(|| format!("{name} is empty: give an id"))?;
    Ok(ExternalId::from(&*text))
}

fn named(rows: &dyn Rows, names: &mut Vec<Name>, name: &str, at: Option<usize>) -> Result<Option<Name>, String> {
    let Some(at) = at else { return Ok(None) };
    let text =
        text_at(rows, name, at)?.ok_or_else(|| format!("{name} is empty: give a name, or leave the column out"))?;
    if let Some(known) = names.iter().find(|known| ***known == *text) {
        return Ok(Some(known.clone()));
    }
    if names.len() == NAMES {
        names.clear();
    }
    names.push(Name::from(&*text));
    Ok(names.last().cloned())
}

fn time_at(rows: &dyn Rows, at: usize, unit: TimeUnit) -> Result<Time, String> {
    let read = match rows.cell(at) {
        // A root has a time: a word that says that there is none is no time.
        Cell::Text(text) if !text.trim().is_empty() => time(text, unit).map(|ticks| Some(Made::Int(ticks))),
        cell => cell.value(TIME, unit),
    };
    match read.map_err(|problem| format!("time: {problem}"))? {
        Some(Made::Int(ticks)) => Ok(Time(ticks)),
        _ => Err("time is empty: give a time, or leave the column out".into()),
    }
}

fn wrong_columns(file: &Name, rows: &dyn Rows, problem: &str) -> SourceError {
    let columns = rows.columns().join(", ");
    SourceError::Columns { file: file.clone(), problem: format!("there is {problem}"), columns }
}
