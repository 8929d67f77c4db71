//! What a source is, and how it is read.

use std::io::BufRead;
use std::path::Path;

use timeweft_source::{
    ColumnarOptions, ColumnarReader, CsvOptions, Delimiter, GitOptions, IntervalsOptions, SourceError, TableMapping,
    VersionOptions, event_stream, interval_format, open, plain_name, version_format,
};

use crate::Result;

/// What a source is. Options of a format stand with the format.
///
/// ```
/// use timeweft::load::{EventFormat, Format};
/// let format = Format::detect("mail.jsonl".as_ref());
/// assert!(format.is_err(), "there is no such file to look into");
/// assert_eq!(Format::detect("mail.csv".as_ref())?, Format::Events(EventFormat::of("mail.csv".as_ref())));
/// # Ok::<(), timeweft::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub enum Format {
    /// A stream of events.
    Events(EventFormat),
    /// Nodes and edges with lifetimes.
    Intervals(IntervalsOptions),
    /// A whole version: what it does not list is deleted.
    Version(VersionOptions),
    /// The history of a git repository.
    Git(GitOptions),
}

impl Format {
    /// What a path tells, by its name and the beginning of the file. A table that could be both is one of events.
    ///
    /// # Errors
    /// If the file cannot be opened or read, or a folder holds nothing that is known.
    pub fn detect(path: &Path) -> Result<Format> {
        let version = || Format::Version(VersionOptions::default());
        if path.is_dir() {
            return Ok(match () {
                () if path.join(".git").exists() => Format::Git(GitOptions::default()),
                () if interval_format::detect(path).is_ok() => Format::Intervals(IntervalsOptions::default()),
                () => version_format::detect(path).map(|_| version())?,
            });
        }
        let name = plain_name(path);
        Ok(match name.rsplit_once('.').map(|(_, extension)| extension) {
            Some("obo" | "toml") => version(),
            Some("json") if begins_with(path, "graphs")? => version(),
            Some("json" | "jsonl" | "ndjson") if begins_with(path, "node_id")? => {
                Format::Intervals(IntervalsOptions::default())
            }
            Some("tsv" | "fa" | "fasta" | "fna") if version_format::detect(path).is_ok() => version(),
            _ => Format::Events(EventFormat::detect(path)?),
        })
    }
}

/// Whether the first key of the first JSON object is this one.
fn begins_with(path: &Path, key: &str) -> Result<bool> {
    let mut input = open(path)?;
    let file = input.name().clone();
    let start = input.fill_buf().map_err(|cause| SourceError::Read { file, line: 1, cause })?;
    let text = String::from_utf8_lossy(start);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let first = text.strip_prefix('{').map(str::trim_start).and_then(|text| text.strip_prefix('"'));
    Ok(first.and_then(|text| text.strip_prefix(key)).is_some_and(|rest| rest.starts_with('"')))
}

/// Format of an event stream.
///
/// ```
/// use timeweft::load::EventFormat;
/// assert!(matches!(EventFormat::of("mail.csv.gz".as_ref()), EventFormat::Table(_)));
/// assert_eq!(EventFormat::of("mail.log".as_ref()), EventFormat::Jsonl);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EventFormat {
    /// One JSON object a line.
    Jsonl,
    /// A table.
    Table(CsvOptions),
    /// A table in a Parquet or Arrow file.
    Columnar(ColumnarOptions),
    /// Rows of tables that say what changed when, as a mapping says: change rows of Debezium, snapshots of dbt, slowly
    /// changing dimensions of type 2. The path may be a folder with the files that the mapping names.
    Changes(TableMapping),
}

impl EventFormat {
    /// The format that a file name tells: `.csv` and `.tsv` (also packed, `.csv.gz`) are tables with a header, `.parquet`,
    /// `.arrow`, `.feather` and `.ipc` are such files, all else is JSON lines.
    pub fn of(path: &Path) -> EventFormat {
        let table = |delimiter| EventFormat::Table(CsvOptions::delimited(delimiter));
        match plain_name(path).rsplit_once('.') {
            Some((_, "csv")) => table(Delimiter::Byte(b',')),
            Some((_, "tsv" | "tab")) => table(Delimiter::Byte(b'\t')),
            _ if ColumnarReader::reads(path) => EventFormat::Columnar(ColumnarOptions::default()),
            _ => EventFormat::Jsonl,
        }
    }

    /// The same, and where the name tells no format, what its beginning tells: files of KONECT and of SNAP are known.
    ///
    /// # Errors
    /// If the file cannot be opened or read.
    pub fn detect(path: &Path) -> Result<EventFormat> {
        let layout = event_stream::detect(path)?;
        Ok(layout.map_or_else(|| EventFormat::of(path), |layout| EventFormat::Table(CsvOptions::laid_out(layout))))
    }
}
