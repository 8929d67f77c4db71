//! What a load over HTTP says of its source.

use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use timeweft::load::{
    ColumnarOptions, CsvOptions, Dangling, Delimiter, EventFormat, Format, IntervalFormat, IntervalsOptions, Layout,
    LoadOptions, VersionFormat, VersionOptions,
};
use timeweft::{Time, TimeUnit};
use utoipa::ToSchema;

use crate::problem::Problem;

/// What a load takes in.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LoadOptions)]
pub(crate) struct Described {
    pub(crate) kind: Kind,
    /// Path below the server's folder of sources; none where the files are uploaded.
    #[serde(default)]
    pub(crate) source: Option<String>,
    /// Of events: jsonl, csv, parquet, arrow, konect, snap, jodie. Of intervals and versions: as `timeweft load` names them.
    /// Left out, the source tells.
    #[serde(default)]
    format: Option<String>,
    /// Owner of what the load creates; a version needs one.
    #[serde(default)]
    namespace: Option<String>,
    /// Name of the version.
    #[serde(default)]
    version: Option<String>,
    /// When the version takes effect: ticks, or RFC 3339.
    #[serde(default)]
    timestamp: Option<String>,
    /// When its source released it.
    #[serde(default)]
    release_timestamp: Option<String>,
    /// What to do with edges at missing nodes.
    #[serde(default)]
    dangling: Option<DanglingText>,
    /// Tell what would change, and change nothing.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

/// What a source is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// A stream of events.
    Events,
    /// Nodes and edges with lives.
    Intervals,
    /// A whole version: what it does not list is deleted.
    Version,
}

/// What to do with edges at missing nodes.
#[derive(Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum DanglingText {
    /// Refuse the load.
    Reject,
    /// Leave the edge out.
    Drop,
    /// Create the node.
    Stub,
}

impl Described {
    /// What the library needs to know, for a source at a path; `name` stands for it in the registry.
    pub(crate) fn options(&self, path: &Path, name: &str, unit: TimeUnit) -> Result<LoadOptions, Problem> {
        let time = |parameter: &str, text: &Option<String>| -> Result<Option<Time>, Problem> {
            let read = text.as_deref().map(|text| unit.parse(text)).transpose();
            read.map_err(|error| Problem::bad(format!("{parameter}: {error}")))
        };
        let options = LoadOptions {
            namespace: self.namespace.as_deref().map(Into::into),
            format: Some(self.format(path)?),
            source: Some(name.into()),
            version: self.version.as_deref().map(Into::into),
            timestamp: time("timestamp", &self.timestamp)?,
            release_timestamp: time("release_timestamp", &self.release_timestamp)?,
            dangling: self.dangling.map(|dangling| match dangling {
                DanglingText::Reject => Dangling::Reject,
                DanglingText::Drop => Dangling::Drop,
                DanglingText::Stub => Dangling::Stub,
            }),
            ..LoadOptions::default()
        };
        self.check(&options)?;
        Ok(options)
    }

    /// An error for what the kind needs and lacks, or does not know.
    fn check(&self, options: &LoadOptions) -> Result<(), Problem> {
        if self.kind == Kind::Version {
            let needed = [
                ("namespace", options.namespace.is_some()),
                ("version", options.version.is_some()),
                ("timestamp", options.timestamp.is_some()),
            ];
            return match needed.into_iter().find(|(_, is_given)| !is_given) {
                Some((name, _)) => Err(Problem::bad(format!("{name}: a version needs one"))),
                None => Ok(()),
            };
        }
        let unfit = [
            ("timestamp", self.timestamp.is_some()),
            ("release_timestamp", self.release_timestamp.is_some()),
            ("version", self.kind == Kind::Intervals && self.version.is_some()),
        ];
        match unfit.into_iter().find(|(_, is_given)| *is_given) {
            Some((name, _)) => Err(Problem::bad(format!("{name}: only a version has one: leave it out"))),
            None => Ok(()),
        }
    }

    fn format(&self, path: &Path) -> Result<Format, Problem> {
        let given = self.format.as_deref();
        Ok(match self.kind {
            Kind::Events => Format::Events(match given {
                None => EventFormat::detect(path)?,
                Some(name) => events(name, path)?,
            }),
            Kind::Intervals => {
                let format = given.map(parsed::<IntervalFormat>).transpose()?;
                Format::Intervals(IntervalsOptions { format, ..IntervalsOptions::default() })
            }
            Kind::Version => {
                let format = given.map(parsed::<VersionFormat>).transpose()?;
                Format::Version(VersionOptions { format, ..VersionOptions::default() })
            }
        })
    }
}

fn parsed<T: FromStr<Err = String>>(name: &str) -> Result<T, Problem> {
    name.parse().map_err(|problem| Problem::bad(format!("format: {problem}")))
}

fn events(name: &str, path: &Path) -> Result<EventFormat, Problem> {
    let table = |layout| EventFormat::Table(CsvOptions::laid_out(layout));
    Ok(match name {
        "jsonl" => EventFormat::Jsonl,
        "csv" => match EventFormat::of(path) {
            table @ EventFormat::Table(_) => table,
            _ => EventFormat::Table(CsvOptions::default()),
        },
        "tsv" => EventFormat::Table(CsvOptions::delimited(Delimiter::Byte(b'\t'))),
        "parquet" | "arrow" => EventFormat::Columnar(ColumnarOptions::default()),
        "konect" => table(Layout::Konect),
        "snap" => table(Layout::Snap),
        "jodie" => table(Layout::Jodie),
        _ => {
            let known = "jsonl, csv, tsv, parquet, arrow, konect, snap, jodie";
            return Err(Problem::bad(format!("format: `{name}` is no format of events: use one of {known}")));
        }
    })
}
