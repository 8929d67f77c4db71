//! The reader of event tables in Parquet and Arrow files, and in data frames.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use timeweft_graph::{Action, Event, Features, Name, OwnerName, Reason, Record, Schema, Sink, Time, TimeUnit};

use super::ColumnMapping;
use super::csv::{Columns, CsvDefaults, Role, RoleCells, Types};
use super::jsonl::finite;
use super::reader::FeatureReader;
use crate::limits::check_names;
use crate::tables::cell::Cell;
use crate::tables::columnar::{ColumnarRows, Form};
use crate::tables::kind::Kind;
use crate::tables::rows::Rows as _;
use crate::text::floored::Floored;
use crate::text::names::Names;
use crate::{BytesRead, Frame, SourceError};

/// How to read such a table.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ColumnarOptions {
    /// Which of the columns are what, where their names do not say so.
    pub mapping: ColumnMapping,
    /// Types that the table does not tell.
    pub defaults: CsvDefaults,
    /// Time of all rows of a table that has no column for it.
    pub time: Option<Time>,
}

/// Reads events from a table in a Parquet or Arrow file, or a data frame, batch after batch, in constant memory.
///
/// Columns mean what they mean in [`crate::CsvReader`]. A feature that the schema does not declare has the kind of its
/// column; an empty cell says nothing. Times may be timestamps of any unit and zone, dates, ticks or texts.
///
/// A table without an `action` column is a stream of interactions ([`ColumnarReader::has_action`]).
pub struct ColumnarReader {
    rows: ColumnarRows,
    file: Name,
    columns: Columns,
    types: Types,
    time: Option<Time>,
    features: FeatureReader,
    /// The kinds of the feature columns, for the last elements of their types.
    kinds: Vec<(OwnerName, Vec<Option<Kind>>)>,
    names: Names,
    floored: Floored,
    notes: Vec<String>,
}

impl ColumnarReader {
    /// Whether the name of a file, or for standard input `format`, tells such a table.
    pub fn reads(path: &Path) -> bool {
        let name = crate::plain_name(path);
        name.rsplit_once('.').is_some_and(|(_, end)| Form::of(end).is_some())
    }

    /// Opens a file whose features are read as `schema` declares them; `-` is an Arrow stream on standard input.
    ///
    /// # Errors
    /// If it cannot be opened, is no such file, or its columns make no events.
    pub fn open(path: &Path, schema: &Schema, options: &ColumnarOptions) -> Result<ColumnarReader, SourceError> {
        let name = crate::plain_name(path);
        let form = name.rsplit_once('.').and_then(|(_, end)| Form::of(end));
        let form = form.unwrap_or_else(|| if is_parquet(path) { Form::Parquet } else { Form::Arrow });
        let (file, rows) = ColumnarRows::open(path, form)?;
        let ours = options.mapping.apply(&file, rows.columns())?;
        ColumnarReader::new(file, rows, &ours, schema, options)
    }

    /// Reads a data frame, whose features are read as `schema` declares them. The index that pandas keeps without a name is
    /// left out.
    ///
    /// # Errors
    /// If its columns make no events.
    pub fn of_frame(frame: &Frame, schema: &Schema, options: &ColumnarOptions) -> Result<ColumnarReader, SourceError> {
        let (file, rows) = (frame.name().clone(), ColumnarRows::of_frame(frame)?);
        let mut ours = options.mapping.apply(&file, rows.columns())?;
        ours.iter_mut().filter(|name| is_index(name)).for_each(|name| *name = "_".into());
        ColumnarReader::new(file, rows, &ours, schema, options)
    }

    /// The reader of a table whose columns have these names with us.
    fn new(
        file: Name,
        mut rows: ColumnarRows,
        ours: &[String],
        schema: &Schema,
        options: &ColumnarOptions,
    ) -> Result<ColumnarReader, SourceError> {
        let columns = Columns::new(&file, ours, options.time.is_some())?;
        let mut notes: Vec<String> = columns.chosen().into_iter().collect();
        for at in (0..columns.len()).filter(|at| columns.role(*at) != Role::LeftOut) {
            let Err(problem) = rows.want(at) else { continue };
            let problem = format!("column `{}` {problem}", rows.columns()[at]);
            if columns.role(at) != Role::Feature {
                return Err(SourceError::Columns { file, problem, columns: rows.columns().join(", ") });
            }
            notes.push(format!("{problem}: it is left out"));
        }
        Ok(ColumnarReader {
            rows,
            file,
            columns,
            types: Types::new(&options.defaults, &CsvDefaults::default()),
            time: options.time,
            features: FeatureReader::new(schema),
            kinds: Vec::new(),
            names: Names::default(),
            floored: Floored::default(),
            notes,
        })
    }

    /// The name for messages.
    pub fn name(&self) -> &Name {
        &self.file
    }

    /// How much of the file was read, and its size, where it is known.
    pub fn progress(&self) -> (BytesRead, Option<u64>) {
        self.rows.progress()
    }

    /// Whether rows say what they do. Without that, each row is an interaction of its own: load with parallel repeats
    /// and stub endpoints.
    pub fn has_action(&self) -> bool {
        self.columns.has(Role::Action)
    }

    /// Pushes all events into a sink, in the order of the rows.
    ///
    /// # Errors
    /// If the file cannot be read to its end.
    pub fn read(&mut self, sink: &mut dyn Sink) -> Result<(), SourceError> {
        sink.file(&self.file);
        while !sink.is_closed()
            && let Some(row) = self.rows.advance()?
        {
            let line = self.rows.line();
            match row.and_then(|()| self.event()) {
                Ok(event) => sink.record(Record::Event(event), line),
                Err(problem) => sink.reject(line, Reason::Malformed(problem)),
            }
        }
        Ok(())
    }

    /// What was chosen where the file leaves it open, and what was left out, for people. Ask when all is read.
    pub fn notes(&mut self) -> Vec<String> {
        let floored = self.floored.note(self.features.schema().unit());
        self.notes.iter().cloned().chain(floored).collect()
    }

    fn event(&mut self) -> Result<Event, String> {
        let row = Row { rows: &self.rows, columns: &self.columns };
        let time = match (self.time, self.columns.position(Role::Time)) {
            (Some(time), None) => time,
            (_, at) => {
                let cell = at.map_or(Cell::Null, |at| self.rows.cell(at));
                time(cell, &mut self.floored, self.features.schema().unit(), self.rows.line())?
            }
        };
        let time = finite(time)?;
        let (action, ended) = (row.action()?, row.ended()?);
        let element = row.element(&self.types, &mut self.names)?;
        check_names(&element)?;
        let mut features = self.read_features(OwnerName::of_element(&element))?;
        features.extend(ended.into_iter().map(|name| (self.names.get(&name), None)));
        match features.first() {
            Some((name, _)) if action == Action::Delete => {
                Err(format!("a delete carries no features: empty the cell `{name}`"))
            }
            _ => Ok(Event { time, action, element, features }),
        }
    }

    fn read_features(&mut self, owner: OwnerName) -> Result<Features, String> {
        let unit = self.features.schema().unit();
        let at = match self.kinds.iter().position(|(known, _)| *known == owner) {
            Some(at) => at,
            None => {
                if self.kinds.len() == SUBJECTS {
                    self.kinds.clear();
                }
                let kinds = self.kinds_of(&owner, unit);
                self.kinds.push((owner, kinds));
                self.kinds.len() - 1
            }
        };
        let mut read = Features::new();
        for ((at, column), kind) in self.columns.features().zip(&self.kinds[at].1) {
            let Some(kind) = *kind else { continue };
            let value = self.rows.cell(at).value(kind, unit);
            let value = value.map_err(|problem| format!("feature `{}`: {problem}", column.name))?;
            read.extend(value.map(|value| (column.name.clone(), Some(value.as_ref().to_value()))));
        }
        Ok(read)
    }

    /// The kind of each feature column in elements of one type: as the schema declares it, else that of the column.
    fn kinds_of(&mut self, owner: &OwnerName, unit: TimeUnit) -> Vec<Option<Kind>> {
        let (rows, features) = (&self.rows, &self.features);
        let kind = |(at, name)| Kind::of_column(rows.declared(at), features.declared(owner, name), unit);
        self.columns.features().map(|(at, column)| kind((at, &column.name))).collect()
    }
}

/// Whether pandas named a column so: an index that has no name.
fn is_index(name: &str) -> bool {
    let number = name.strip_prefix("__index_level_").and_then(|rest| rest.strip_suffix("__"));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit()))
}

/// Types whose kinds are kept at hand, at most.
const SUBJECTS: usize = 64;

/// Whether a file without a name that tells begins as Parquet does.
fn is_parquet(path: &Path) -> bool {
    let mut start = [0; 4];
    File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && &start == b"PAR1"
}

fn time(cell: Cell<'_>, floored: &mut Floored, unit: TimeUnit, line: u64) -> Result<Time, String> {
    let text = match cell {
        Cell::Null => return Err("the time is empty".into()),
        Cell::Nanos(nanos) => return floored.instant(nanos, unit, line).map_err(|problem| format!("time: {problem}")),
        Cell::Int(ticks) => return Ok(Time(ticks)),
        Cell::Invalid(problem) => return Err(format!("time: {problem}")),
        Cell::String(text) => text,
        Cell::Decimal(text) => text.into(),
        Cell::Value(value) => value.to_string().into(),
        _ => return Err("time: expected a timestamp, a date, ticks or a text".into()),
    };
    floored.read(&text, unit, line)
}

/// The cells of one row by their meaning.
struct Row<'a> {
    rows: &'a ColumnarRows,
    columns: &'a Columns,
}

impl RoleCells for Row<'_> {
    fn columns(&self) -> &Columns {
        self.columns
    }

    fn cell(&self, role: Role) -> Result<Option<Cow<'_, str>>, String> {
        let Some(at) = self.columns.position(role) else { return Ok(None) };
        match self.rows.cell(at) {
            Cell::String(text) if text.is_empty() => Ok(None),
            Cell::Json(raw) => Ok(Some(raw)),
            Cell::Nested(list) if role == Role::Ended => Ok(Some(list.json(TimeUnit::Step)?.to_string().into())),
            cell => cell.id().map_err(|problem| format!("{}: {problem}", role.meaning())),
        }
    }
}
