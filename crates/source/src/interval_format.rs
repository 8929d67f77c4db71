//! All formats of intervals in one place: which one a path is in, and how it is read.
//!
//! What the lives of a file come to, in whatever format:
//!
//! **Names.** Node types, relations and features are named by their numbers: node type `0`, relation `0`, feature `0`.
//! Node ids are one space over all types. Weights become the f32 feature `weight`. A node that edges name and no record
//! describes becomes a node of type `unknown`, alive from time 0 (or from its first edge, if that is earlier) for ever.
//!
//! **Times** are half open, `[created, removed)`; a removal of -1 is "never", 0 is an end like any other. A node lives from
//! 0 for ever where nothing else is given. An empty or reversed interval refuses its node or edge.
//!
//! **Features.** At any time the interval holds that began last among those that contain it; outside of all of them the
//! feature has no value. What reaches over the owner's life is cut.
//!
//! **Edges** are bounded by both ends: an edge that outlives an end is cut at its removal and counted, and so is one whose
//! begin is only that of its source, where its destination begins later; one that begins outside the life of an end by a
//! begin of its own is refused. Repeats of (source, destination, type) are lives of one edge where they do not
//! overlap, else parallel edges with the keys `2`, `3`, ...

pub mod deepgnn_binary;
mod draft;
pub mod edge_list;
mod form;
mod parallel_lines;
pub mod temporal_json;
pub mod tsv;

use std::fmt;
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use timeweft_graph::Sink;

use self::deepgnn_binary::FeatureTypes;
use self::edge_list::EdgeListOptions;
use crate::input::plain_name;
use crate::{BytesRead, Input, SourceError, open};

/// Format of nodes and edges with lifetimes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum IntervalFormat {
    /// One JSON object a node.
    TemporalJson,
    /// A table of nodes and edges.
    EdgeList,
    /// Five columns between tabs, a node a line.
    Tsv,
    /// A folder that DeepGNN's converter wrote.
    DeepgnnBinary,
}

impl IntervalFormat {
    /// All formats.
    pub const ALL: [IntervalFormat; 4] =
        [IntervalFormat::TemporalJson, IntervalFormat::EdgeList, IntervalFormat::Tsv, IntervalFormat::DeepgnnBinary];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            IntervalFormat::TemporalJson => "json",
            IntervalFormat::EdgeList => "edge-list",
            IntervalFormat::Tsv => "tsv",
            IntervalFormat::DeepgnnBinary => "deepgnn",
        }
    }
}

impl fmt::Display for IntervalFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for IntervalFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        IntervalFormat::ALL.into_iter().find(|format| format.name() == text).ok_or_else(|| {
            let known = IntervalFormat::ALL.map(IntervalFormat::name).join(", ");
            format!("`{text}` is no format of intervals: use one of {known}")
        })
    }
}

/// How to read intervals of any format. An option that the format does not have is an error, not a silent nothing.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct IntervalsOptions {
    /// Format; `None` follows from the path.
    pub format: Option<IntervalFormat>,
    /// Of `edge-list`: how it is written.
    pub edge_list: Option<EdgeListOptions>,
    /// Of `deepgnn`: the TOML file that tells the types of features.
    pub feature_types: Option<PathBuf>,
}

/// A source of intervals that is open and whose format is known.
pub struct IntervalSource {
    from: From,
    name: String,
}

enum From {
    TemporalJson(Input),
    EdgeList(Input, EdgeListOptions),
    Tsv(Input),
    DeepgnnBinary(PathBuf, FeatureTypes),
}

impl IntervalSource {
    /// Opens a file, `-` for standard input, or a folder.
    pub fn open(path: &Path, options: &IntervalsOptions) -> Result<IntervalSource, SourceError> {
        let format = options.format.map_or_else(|| detect(path), Ok)?;
        check(path, format, options)?;
        let from = match format {
            IntervalFormat::TemporalJson => From::TemporalJson(open(path)?),
            IntervalFormat::EdgeList => From::EdgeList(open(path)?, options.edge_list.clone().unwrap_or_default()),
            IntervalFormat::Tsv => From::Tsv(open(path)?),
            IntervalFormat::DeepgnnBinary => {
                let types = options.feature_types.as_deref().map(FeatureTypes::open).transpose()?;
                From::DeepgnnBinary(path.to_owned(), types.unwrap_or_default())
            }
        };
        let name = match &from {
            From::TemporalJson(input) | From::EdgeList(input, _) | From::Tsv(input) => input.name().to_string(),
            From::DeepgnnBinary(folder, _) => folder.to_string_lossy().into_owned(),
        };
        Ok(IntervalSource { from, name })
    }

    /// The name for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How much of the file was read, and its size where it is known; `None` of a folder.
    pub fn progress(&self) -> Option<(BytesRead, Option<u64>)> {
        match &self.from {
            From::TemporalJson(input) | From::EdgeList(input, _) | From::Tsv(input) => {
                Some((input.bytes_read(), input.size()))
            }
            From::DeepgnnBinary(..) => None,
        }
    }

    /// Reads everything into a sink.
    pub fn read(self, sink: &mut dyn Sink) -> Result<(), SourceError> {
        let name = self.name.as_str().into();
        match self.from {
            From::TemporalJson(input) => temporal_json::read(input, &name, sink),
            From::EdgeList(input, options) => edge_list::read(input, &name, &options, sink),
            From::Tsv(input) => tsv::read(input, &name, sink),
            From::DeepgnnBinary(folder, types) => deepgnn_binary::read(&folder, &types, sink),
        }
    }
}

fn check(path: &Path, format: IntervalFormat, options: &IntervalsOptions) -> Result<(), SourceError> {
    let given = [
        (
            options.edge_list.is_some() && format != IntervalFormat::EdgeList,
            "columns and their defaults are for `edge-list`",
        ),
        (
            options.feature_types.is_some() && format != IntervalFormat::DeepgnnBinary,
            "a file of feature types is for `deepgnn`",
        ),
    ];
    match given.into_iter().find(|(wrong, _)| *wrong) {
        Some((_, rule)) => Err(unrecognised(path, format!("{rule}, and the format is `{format}`: leave it out"))),
        None => Ok(()),
    }
}

fn unrecognised(path: &Path, problem: String) -> SourceError {
    SourceError::Unrecognised { path: path.to_owned(), as_what: "intervals", problem }
}

/// The format that a path tells: by its name, and where that is not enough by its first line. Standard input is
/// temporal JSON.
pub fn detect(path: &Path) -> Result<IntervalFormat, SourceError> {
    if path == Path::new("-") {
        return Ok(IntervalFormat::TemporalJson);
    }
    let found = if path.is_dir() { deepgnn_binary::describes(path) } else { of_file(path)? };
    found.ok_or_else(|| {
        let known = "expected temporal JSON (a `{` first), an edge list (`0,-1,...`), a `.tsv`, or a folder with the \
                     `meta.json` of DeepGNN";
        unrecognised(path, format!("{known}; or give the format"))
    })
}

fn of_file(path: &Path) -> Result<Option<IntervalFormat>, SourceError> {
    let name = plain_name(path);
    if name == "meta.json" && path.parent().is_some_and(|folder| deepgnn_binary::describes(folder).is_some()) {
        return Err(unrecognised(path, "it is one file of a folder of DeepGNN: give the folder".into()));
    }
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("json" | "jsonl" | "ndjson") => return Ok(Some(IntervalFormat::TemporalJson)),
        Some("tsv") => return Ok(Some(IntervalFormat::Tsv)),
        Some("csv") => return Ok(Some(IntervalFormat::EdgeList)),
        _ => {}
    }
    of_first_line(path)
}

/// Bytes that are looked at: a first line may be long.
const LOOK: usize = 4096;

fn of_first_line(path: &Path) -> Result<Option<IntervalFormat>, SourceError> {
    let mut input = open(path)?;
    let name = input.name().clone();
    let start = input.fill_buf().map_err(|cause| SourceError::Read { file: name, line: 1, cause })?;
    let text = String::from_utf8_lossy(&start[..start.len().min(LOOK)]);
    let line = text.trim_start_matches('\u{feff}').lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let begins_with_id = |sign: char| {
        line.split_once(sign).is_some_and(|(id, _)| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()))
    };
    Ok(match () {
        () if line.trim_start().starts_with('{') => Some(IntervalFormat::TemporalJson),
        () if begins_with_id('\t') => Some(IntervalFormat::Tsv),
        () if begins_with_id(',') => Some(IntervalFormat::EdgeList),
        () => None,
    })
}
