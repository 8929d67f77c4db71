//! How a table of events is written.

use std::path::Path;

use timeweft::load::{ColumnarOptions, CsvDefaults, CsvOptions, Delimiter, Dialect, EventFormat, Layout, Mark};
use timeweft::{Name, Time, TimeUnit};

use crate::input::moment::parse_time;
use crate::outcome::UsageError;

/// Format of the file, and how a table is written.
#[derive(clap::Args, Debug)]
pub(super) struct TableArgs {
    /// Format; left out, the file tells: .csv and .tsv are tables, out.* is of KONECT, rows of numbers are of SNAP, all else is JSON lines.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Names of the columns of a table without a header, with commas; `_` leaves one out.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    columns: Option<Vec<String>>,
    /// Character between the cells of a table; `\t` is a tab.
    #[arg(long, value_name = "CHAR")]
    delimiter: Option<String>,
    /// Quotation mark around cells, or `none`; left out, `"`, but none in .tsv and between spaces.
    #[arg(long, value_name = "CHAR")]
    quote: Option<String>,
    /// Character that takes the meaning from a mark behind it, or `none`; left out, the file tells whether it is a backslash.
    #[arg(long, value_name = "CHAR")]
    escape: Option<String>,
    /// Lines that begin with this are no rows; may be given several times.
    #[arg(long, value_name = "MARK")]
    comment: Option<Vec<String>>,
    /// Whether the first row names the columns; left out, it does unless --columns is given.
    #[arg(long, value_enum, value_name = "WHETHER")]
    header: Option<YesNo>,
    /// Cells with this word hold no value, in columns of texts too; may be given several times.
    #[arg(long, value_name = "WORD")]
    null: Vec<String>,
    /// Columns that hold texts, whatever they look like, with commas.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    text: Vec<String>,
    /// Time of all rows of a table that has no column for it.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    time: Option<String>,
    /// Type of the sources where the table does not tell it [default: node].
    #[arg(long, value_name = "TYPE")]
    source_type: Option<String>,
    /// Relation of the edges where the table does not tell it [default: link].
    #[arg(long, value_name = "R")]
    relation: Option<String>,
    /// Type of the destinations where the table does not tell it [default: node].
    #[arg(long, value_name = "TYPE")]
    destination_type: Option<String>,
}

#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum Format {
    /// One JSON object a line.
    Jsonl,
    /// A table with a delimiter.
    Csv,
    /// A Parquet file.
    Parquet,
    /// An Arrow file (Feather) or stream, also on standard input.
    Arrow,
    /// Words between spaces, without a header: needs --columns.
    Columns,
    /// A network of KONECT: source, destination, weight and time.
    Konect,
    /// A network of SNAP: words between spaces, comments with #.
    Snap,
    /// A stream of JODIE: user, item, time, label, features.
    Jodie,
}

#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum YesNo {
    Yes,
    No,
}

impl TableArgs {
    /// The format of a file whose times count in `unit`.
    pub(super) fn format(&self, path: &Path, unit: TimeUnit) -> anyhow::Result<EventFormat> {
        let natural = match self.format {
            None => EventFormat::detect(path)?,
            Some(Format::Jsonl) => EventFormat::Jsonl,
            Some(Format::Csv) => match EventFormat::of(path) {
                table @ EventFormat::Table(_) => table,
                _ => EventFormat::Table(CsvOptions::default()),
            },
            Some(Format::Columns) if self.columns.is_none() && self.header != Some(YesNo::Yes) => {
                let problem = "--format columns: give the names of the columns, such as --columns src,dst,time";
                return Err(UsageError(problem.into()).into());
            }
            Some(Format::Columns) => EventFormat::Table(CsvOptions::delimited(Delimiter::Whitespace)),
            Some(Format::Parquet | Format::Arrow) => EventFormat::Columnar(ColumnarOptions::default()),
            Some(Format::Konect) => EventFormat::Table(CsvOptions::laid_out(Layout::Konect)),
            Some(Format::Snap) => EventFormat::Table(CsvOptions::laid_out(Layout::Snap)),
            Some(Format::Jodie) => EventFormat::Table(CsvOptions::laid_out(Layout::Jodie)),
        };
        match natural {
            EventFormat::Table(table) => Ok(EventFormat::Table(self.table(table, unit)?)),
            EventFormat::Columnar(_) if self.of_text().is_some() => {
                let option = self.of_text().unwrap_or_default();
                Err(UsageError(format!("{option} is for tables of text: leave it out")).into())
            }
            EventFormat::Columnar(_) => {
                let (defaults, time) = (self.defaults(), self.time(unit)?);
                Ok(EventFormat::Columnar(ColumnarOptions { defaults, time, ..ColumnarOptions::default() }))
            }
            other => match self.of_tables() {
                Some(option) => {
                    let problem = format!("{option} is for tables: give --format csv or columns");
                    Err(UsageError(problem).into())
                }
                None => Ok(other),
            },
        }
    }

    /// The first option that means something in a table alone.
    fn of_tables(&self) -> Option<&'static str> {
        self.of_text().or_else(|| self.time.is_some().then_some("--time"))
    }

    /// The first option that means something in a table of text alone.
    fn of_text(&self) -> Option<&'static str> {
        let given = [
            ("--columns", self.columns.is_some()),
            ("--delimiter", self.delimiter.is_some()),
            ("--quote", self.quote.is_some()),
            ("--escape", self.escape.is_some()),
            ("--comment", self.comment.is_some()),
            ("--header", self.header.is_some()),
            ("--null", !self.null.is_empty()),
            ("--text", !self.text.is_empty()),
        ];
        given.into_iter().find(|(_, is_given)| *is_given).map(|(option, _)| option)
    }

    fn table(&self, natural: CsvOptions, unit: TimeUnit) -> Result<CsvOptions, UsageError> {
        let dialect = natural.dialect;
        Ok(CsvOptions {
            dialect: Dialect {
                delimiter: self.delimiter()?.unwrap_or(dialect.delimiter),
                quote: mark("--quote", &self.quote)?,
                escape: mark("--escape", &self.escape)?,
                comment: self.comment.clone().or(dialect.comment),
                header: self.header.map(|header| header == YesNo::Yes),
                null: self.null.clone(),
            },
            layout: natural.layout,
            columns: self.columns.clone(),
            mapping: natural.mapping,
            defaults: self.defaults(),
            texts: self.text.clone(),
            time: self.time(unit)?,
        })
    }

    fn defaults(&self) -> CsvDefaults {
        let name = |given: &Option<String>| given.as_deref().map(Name::from);
        CsvDefaults {
            source_type: name(&self.source_type),
            relation: name(&self.relation),
            destination_type: name(&self.destination_type),
        }
    }

    fn time(&self, unit: TimeUnit) -> Result<Option<Time>, UsageError> {
        self.time.as_deref().map(|text| parse_time(unit, text, "--time")).transpose()
    }

    fn delimiter(&self) -> Result<Option<Delimiter>, UsageError> {
        match self.delimiter.as_deref().map(str::as_bytes) {
            None => Ok(None),
            Some(b"\\t") => Ok(Some(Delimiter::Byte(b'\t'))),
            Some(&[byte]) => Ok(Some(Delimiter::Byte(byte))),
            Some(_) => Err(UsageError("--delimiter: give one ASCII character, or \\t".into())),
        }
    }
}

fn mark(option: &str, given: &Option<String>) -> Result<Mark, UsageError> {
    match given.as_deref().map(str::as_bytes) {
        None => Ok(Mark::Natural),
        Some(b"none") => Ok(Mark::Absent),
        Some(&[byte]) => Ok(Mark::Byte(byte)),
        Some(_) => Err(UsageError(format!("{option}: give one ASCII character, or none"))),
    }
}
