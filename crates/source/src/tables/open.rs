//! Opening tables: the format of a file follows from its name, or from what a mapping says.

use std::path::Path;

use timeweft_graph::Name;

#[cfg(feature = "columnar")]
use super::columnar::{ColumnarRows, Form};
use super::delimited::{TextRows, dialect};
use super::json_lines::JsonRows;
use super::mapping::FileSpec;
use super::rows::Rows;
use crate::{SourceError, open, plain_name};

/// Opens a table with a header that no mapping describes; `-` is CSV on standard input. Gives its name for messages too.
pub(crate) fn open_table(path: &Path, as_what: &'static str) -> Result<(Name, Box<dyn Rows>), SourceError> {
    let (file, plain) = (path.to_string_lossy(), plain_name(path));
    let format = match plain.rsplit_once('.').map(|(_, extension)| extension) {
        None if plain == "-" => "csv",
        Some(extension @ ("csv" | "tsv")) => extension,
        #[cfg(feature = "columnar")]
        Some(extension) if Form::of(extension).is_some() && file.to_lowercase().ends_with(&plain) => extension,
        _ => {
            let problem =
                "expected a name that ends in `.csv`, `.tsv` (also packed, `.csv.gz`), `.parquet` or `.arrow`, or `-`";
            return Err(SourceError::Unrecognised { path: path.to_owned(), as_what, problem: problem.into() });
        }
    };
    rows(&FileSpec::plain(&file, format), Path::new(""), None)
}

/// Opens the file of an entry.
pub(crate) fn rows(
    spec: &FileSpec<'_>,
    root: &Path,
    null: Option<&[String]>,
) -> Result<(Name, Box<dyn Rows>), SourceError> {
    let path = root.join(spec.file);
    let plain = plain_name(&path);
    let format = spec.format.unwrap_or_else(|| plain.rsplit('.').next().unwrap_or_default());
    let unrecognised =
        |problem: String| SourceError::Unrecognised { path: path.clone(), as_what: "a version", problem };
    let delimiter = match (format, spec.delimiter.map(str::as_bytes)) {
        ("csv" | "tsv" | "txt", Some([one])) => *one,
        ("csv" | "tsv" | "txt", Some(_)) => {
            return Err(unrecognised("the delimiter must be one ASCII character".into()));
        }
        ("tsv", None) => b'\t',
        ("csv", None) => b',',
        ("jsonl" | "ndjson", _) => {
            let input = open(&path)?;
            let name = input.name().clone();
            return Ok((name.clone(), Box::new(JsonRows::new(input, &name, path))));
        }
        #[cfg(feature = "columnar")]
        (format, _) if let Some(form) = Form::of(format) => {
            let (name, rows) = ColumnarRows::open(&path, form)?;
            return Ok((name, Box::new(rows)));
        }
        #[cfg(not(feature = "columnar"))]
        ("parquet" | "arrow" | "feather", _) => {
            return Err(unrecognised("this build reads no Parquet and no Arrow: build it with `columnar`".into()));
        }
        _ => {
            let known = "expected `.csv`, `.tsv`, `.jsonl`, `.parquet` or `.arrow`, or `format` (and `delimiter`) in the mapping";
            return Err(unrecognised(format!("unknown kind of table `{format}`: {known}")));
        }
    };
    let input = open(&path)?;
    let name = input.name().clone();
    let dialect = dialect(spec, delimiter, null).map_err(unrecognised)?;
    Ok((name.clone(), Box::new(TextRows::new(input, &name, &dialect, spec.columns)?)))
}
