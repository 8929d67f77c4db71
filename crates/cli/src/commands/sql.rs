//! `timeweft sql`: a question in SQL.

use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use anyhow::Context as _;
use clap::ValueEnum;
use serde_json::Value;
use timeweft::Commit;
use timeweft::export::table_writer::{TableFormat, write_batches};
use timeweft_sql::{Answer, Error, Limits, Session, Settings, json_rows};

use crate::context::Context;
use crate::input::reading::ReadArgs;
use crate::outcome::{Outcome, UsageError};
use crate::output::{Table, note, stdout, text, write_whole};

const AFTER_HELP: &str = "\
Examples:
  timeweft sql 'SELECT type, count(*) FROM nodes GROUP BY type'
  timeweft sql \"SELECT * FROM nodes TIMESTAMP AS OF '2016-06-01' WHERE type = 'user' AND id = 'ann'\"
  timeweft sql \"SELECT id, depth FROM ancestors('term', 'ENVO:00000446', at => '2016-05-17')\"
  timeweft sql 'SELECT * FROM \"user.buys.item\"' --to purchases.parquet
  timeweft sql - < question.sql
  timeweft sql 'SHOW TABLES'                  (all views and functions)

VIEWS       nodes, edges, merges, events, loads; \"user\" for each node type and \"user.buys.item\" for each
            relation, with features as columns
FUNCTIONS   nodes edges neighbors history diff ancestors descendants parents children changes; each row at
            its own time: feature_at degree_at alive_at resolve_at last_linked
MOMENTS     TIMESTAMP AS OF 'time' is valid time; VERSION AS OF n and FOR SYSTEM_TIME AS OF n are commits;
            SET timeweft.at = 'time'; before a query, with a semicolon, for all its tables; or --at, --commit

SQL only reads. docs/sql.md has all of it.";

/// Arguments of `sql`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// The query; `-` reads it from standard input.
    #[arg(value_name = "QUERY")]
    query: String,
    /// File to write the rows to; its name tells the format, or --format does. It appears whole or not at all.
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// How rows are written; left out, what the name of the file tells, or a table for people.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// How many rows at most.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    #[command(flatten)]
    read: ReadArgs,
}

/// How rows are written.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum Format {
    /// Aligned columns.
    Table,
    /// One JSON array of objects.
    Json,
    /// One JSON object a line.
    Jsonl,
    /// Comma-separated values with a header.
    Csv,
    /// An Arrow IPC file.
    Arrow,
    /// A Parquet file.
    Parquet,
}

/// Asks and prints.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let format = args.format(context)?;
    let query = args.query()?;
    let graph = context.open()?;
    let reading = args.read.pin(&graph)?;
    let commit = args.read.commit.map(Commit);
    let settings = Settings { at: reading.at.time, commit, deletes: reading.at.deletes };
    let limits = Limits { rows: args.limit, ..Limits::default() };
    let mut session = Session::new(Arc::new(Mutex::new(graph))).with_settings(settings).with_limits(limits);
    let mut answer = session.query(&query).map_err(explained)?;
    match &args.to {
        Some(path) => write_whole(path, |out| write(format, &mut answer, out))?,
        None if format == Format::Table => print(context, &mut answer)?,
        None => {
            let mut out = BufWriter::new(stdout());
            write(format, &mut answer, &mut out)?;
            out.flush()?;
        }
    }
    if answer.is_truncated() {
        note(&format!("the first {} rows: --limit says how many", text::count(args.limit.unwrap_or_default() as u64)));
    }
    Ok(Outcome::Done)
}

/// A damaged snapshot is the concern of the program, which removes it and asks again; all else is told with its hint.
fn explained(error: Error) -> anyhow::Error {
    match error {
        Error::Damage(damage) => std::panic::resume_unwind(Box::new(damage)),
        Error::Library(error) => error.into(),
        error => anyhow::anyhow!("{}", error.explained()),
    }
}

impl Args {
    fn format(&self, context: &Context) -> anyhow::Result<Format> {
        let of_name = self.to.as_deref().map(of_name);
        match (self.format, of_name) {
            (Some(Format::Arrow | Format::Parquet), None) => {
                Err(UsageError("--format: Arrow and Parquet are files: name one with --to FILE".into()).into())
            }
            (Some(format), _) => Ok(format),
            (None, Some(Some(format))) => Ok(format),
            (None, Some(None)) => Err(UsageError(
                "--to: the name does not tell the format: let it end in .jsonl, .json, .csv, .arrow or .parquet, or give --format".into(),
            )
            .into()),
            (None, None) if context.output.json => Ok(Format::Jsonl),
            (None, None) => Ok(Format::Table),
        }
    }

    fn query(&self) -> anyhow::Result<String> {
        if self.query != "-" {
            return Ok(self.query.clone());
        }
        let mut query = String::new();
        io::stdin().read_to_string(&mut query).context("cannot read the query from standard input")?;
        Ok(query)
    }
}

/// The format that a file name tells.
fn of_name(path: &Path) -> Option<Format> {
    match path.extension().and_then(|extension| extension.to_str()).map(str::to_lowercase).as_deref() {
        Some("json") => Some(Format::Json),
        Some("csv") => Some(Format::Csv),
        Some("txt") => Some(Format::Table),
        _ => match TableFormat::of(path)? {
            TableFormat::Jsonl => Some(Format::Jsonl),
            TableFormat::Parquet => Some(Format::Parquet),
            TableFormat::Arrow => Some(Format::Arrow),
        },
    }
}

/// The names of the columns, a number behind those that come again.
fn names(answer: &Answer) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for field in answer.schema().fields() {
        let mut name = field.name().clone();
        let mut again = 1;
        while names.contains(&name) {
            name = format!("{}_{again}", field.name());
            again += 1;
        }
        names.push(name);
    }
    names
}

/// The rows as JSON values, batch by batch.
fn rows(answer: &mut Answer) -> impl Iterator<Item = anyhow::Result<Vec<Value>>> {
    answer.flat_map(|batch| match batch.and_then(|batch| json_rows(&batch)) {
        Ok(rows) => rows.into_iter().map(Ok).collect::<Vec<_>>(),
        Err(error) => vec![Err(explained(error))],
    })
}

/// A cell for people.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Aligned columns: all rows are there before the first line, which is as wide as the widest.
fn table(answer: &mut Answer) -> anyhow::Result<Table> {
    let mut table = Table::new(names(answer));
    for row in rows(answer) {
        table.row(row?.iter().map(cell));
    }
    Ok(table)
}

fn print(context: &Context, answer: &mut Answer) -> anyhow::Result<()> {
    let table = table(answer)?;
    Ok(context.output.table(&table)?)
}

fn write(format: Format, answer: &mut Answer, out: &mut (impl Write + Send)) -> anyhow::Result<()> {
    match format {
        Format::Table => Ok(table(answer)?.write_plain(out)?),
        Format::Csv => csv(answer, out),
        Format::Jsonl => lines(answer, out, ["", "\n", "\n"]),
        Format::Json => lines(answer, out, ["[", ",\n ", "]\n"]),
        Format::Arrow => batches(TableFormat::Arrow, answer, out),
        Format::Parquet => batches(TableFormat::Parquet, answer, out),
    }
}

/// What goes wrong while batches are written.
#[derive(Debug)]
struct Failed(anyhow::Error);

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Failed {
        Failed(error.into())
    }
}

fn batches(format: TableFormat, answer: &mut Answer, out: &mut (impl Write + Send)) -> anyhow::Result<()> {
    let schema = answer.schema().clone();
    let batches = answer.map(|batch| batch.map_err(|error| Failed(explained(error))));
    write_batches(out, format, &schema, batches).map(|_| ()).map_err(|Failed(error)| error)
}

/// Objects with members in the order of the columns; `marks` are before the first one, between two, and behind the last.
fn lines(answer: &mut Answer, out: &mut impl Write, marks: [&str; 3]) -> anyhow::Result<()> {
    let names = names(answer).iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
    let [before, between, behind] = marks;
    write!(out, "{before}")?;
    let mut is_first = true;
    for row in rows(answer) {
        write!(out, "{}", if std::mem::take(&mut is_first) { "" } else { between })?;
        for (at, (name, value)) in names.iter().zip(row?).enumerate() {
            write!(out, "{}{name}:", if at == 0 { "{" } else { "," })?;
            serde_json::to_writer(&mut *out, &value)?;
        }
        write!(out, "}}")?;
    }
    // Lines of no rows are no line.
    if !(is_first && before.is_empty()) {
        write!(out, "{behind}")?;
    }
    Ok(())
}

fn csv(answer: &mut Answer, out: &mut impl Write) -> anyhow::Result<()> {
    write_csv(&names(answer), out)?;
    for row in rows(answer) {
        write_csv(&row?.iter().map(cell).collect::<Vec<_>>(), out)?;
    }
    Ok(())
}

fn write_csv(cells: &[String], out: &mut impl Write) -> io::Result<()> {
    let quoted = |cell: &String| match cell.contains(['"', ',', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.clone(),
    };
    writeln!(out, "{}", cells.iter().map(quoted).collect::<Vec<_>>().join(","))
}
