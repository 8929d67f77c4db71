//! The reader of tables: CSV with a header, or words between spaces.

mod columns;
mod element;
mod features;
mod layout;

use std::borrow::Cow;
use std::io::Read;

use timeweft_graph::{Action, Event, Features, Name, OwnerName, Reason, Record, Schema, Sink, Time};

use self::layout::Arranged;
use super::ColumnMapping;
use super::jsonl::finite;
use super::reader::FeatureReader;
use crate::SourceError;
use crate::limits::check_names;
use crate::text::delimited::{Delimiter, Dialect, Records};
use crate::text::floored::Floored;
use crate::text::names::Names;

pub(crate) use self::columns::{Columns, ENDED, Role, feature_column};
pub(crate) use self::element::{RoleCells, Types};
pub use self::layout::Layout;

/// Names of the types where a table does not tell them; `None` is `node` or `link`, or what the layout of the table says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CsvDefaults {
    /// Type of the sources.
    pub source_type: Option<Name>,
    /// Relation of the edges.
    pub relation: Option<Name>,
    /// Type of the destinations.
    pub destination_type: Option<Name>,
}

impl CsvDefaults {
    fn types(source: &str, destination: &str) -> CsvDefaults {
        CsvDefaults { source_type: Some(source.into()), relation: None, destination_type: Some(destination.into()) }
    }
}

/// How to read a table.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CsvOptions {
    /// How its text is written.
    pub dialect: Dialect,
    /// How its columns are arranged.
    pub layout: Layout,
    /// Names of the columns if the table has no header; a column named `_` is left out.
    pub columns: Option<Vec<String>>,
    /// Which of the columns are what, where their names do not say so.
    pub mapping: ColumnMapping,
    /// Types that the table does not tell.
    pub defaults: CsvDefaults,
    /// Columns that hold texts, whatever they look like.
    pub texts: Vec<String>,
    /// Time of all rows of a table that has no column for it.
    pub time: Option<Time>,
}

impl CsvOptions {
    /// A table with a header and this delimiter.
    pub fn delimited(delimiter: Delimiter) -> CsvOptions {
        CsvOptions { dialect: Dialect::new(delimiter), ..CsvOptions::default() }
    }

    /// A table of a known layout.
    pub fn laid_out(layout: Layout) -> CsvOptions {
        CsvOptions { dialect: layout.dialect(), layout, ..CsvOptions::default() }
    }
}

/// Reads events from a table, in constant memory.
///
/// Columns with a meaning, by name: `time` (required); `src` or `source`, `dst` or `destination` (ids); `action` (`create`
/// if there is no such column); `entity` (`edge` if the table has a destination column, else `node`); `source_type`,
/// `relation` or `edge_type`, `destination_type`; `key`. Letters may be capitals, and common names are known: `target`,
/// `from` and `to`, `user` and `item`, `timestamp` and others; [`CsvReader::notes`] says what was chosen, and what could
/// mean two things is an error. Every other column is a feature of the row's edge or node; an empty cell says nothing.
///
/// A feature that the schema does not declare is a number if all cells of the first rows are written as numbers, a truth
/// value if all are, and else a text: so codes with leading zeros stay texts. A later cell that does not fit refuses its
/// own row. [Words that mean no value](crate::text::delimited::is_no_value) say nothing in columns of numbers.
///
/// A table without an `action` column is a stream of interactions: repeats of a pair are parallel edges, and nothing
/// creates the endpoints. Tell the store so ([`CsvReader::has_action`]).
///
/// ```
/// use timeweft_graph::{Schema, TimeUnit};
/// use timeweft_source::{CsvOptions, CsvReader};
/// let text = "src,dst,time,weight\n1,2,0,0.5\n3,4,7,\n";
/// let schema = Schema::new(TimeUnit::Second);
/// let mut reader = CsvReader::new(text.as_bytes(), &"doc".into(), &schema, &CsvOptions::default())?;
/// assert!(!reader.has_action());
/// let (records, _) = timeweft_oracle::events(|sink| reader.read(sink));
/// let events: Vec<_> = records.into_iter().map(|record| record.unwrap().0).collect();
/// assert_eq!((events[0].features.len(), events[1].features.len()), (1, 0));
/// # Ok::<(), timeweft_source::SourceError>(())
/// ```
pub struct CsvReader<R> {
    records: Records<R>,
    columns: Columns,
    types: Types,
    time: Option<Time>,
    null: Vec<String>,
    features: FeatureReader,
    names: Names,
    floored: Floored,
    notes: Vec<String>,
}

impl<R: Read> CsvReader<R> {
    /// A reader of rows whose features are read as `schema` declares them. The header is read at once, and the first rows
    /// are looked at.
    pub fn new(reader: R, file: &Name, schema: &Schema, options: &CsvOptions) -> Result<CsvReader<R>, SourceError> {
        let mut records = Records::new(reader, file, &options.dialect)?;
        let is_arranged = options.layout != Layout::Named;
        let has_header = options.dialect.header.unwrap_or(match options.layout {
            Layout::Named => options.columns.is_none(),
            layout => layout == Layout::Jodie,
        });
        let mut header = if has_header { header(&mut records, file)? } else { Vec::new() };
        let mut layout = options.layout;
        if let Some(columns) = &options.columns {
            header.clone_from(columns);
            layout = Layout::Named;
        } else if !is_arranged {
            layout = Layout::of_header(&header);
        }
        let n_cells = if layout == Layout::Named { header.len() } else { first_length(&mut records) };
        let fail = |problem| SourceError::Columns { file: file.clone(), problem, columns: header.join(", ") };
        let arranged = layout.arrange(records.comments(), n_cells).map_err(fail)?;
        if arranged.is_none() && !has_header && options.columns.is_none() {
            return Err(fail("there is no header: give the names of the columns with --columns".into()));
        }
        let Arranged { columns: names, defaults, list, note } = arranged.unwrap_or(Arranged {
            columns: header,
            defaults: CsvDefaults::default(),
            list: None,
            note: String::new(),
        });
        let ours = options.mapping.apply(file, &names)?;
        let mut columns = Columns::new(file, &ours, options.time.is_some())?;
        let notes = if note.is_empty() { columns.chosen() } else { Some(note) };
        if let Some(list) = list {
            columns = columns.with_list(list);
        }
        let null = options.dialect.null.clone();
        if let Some(unknown) = options.texts.iter().find(|name| !names.contains(name)) {
            let problem = format!("no column `{unknown}`, which should be text");
            return Err(SourceError::Columns { file: file.clone(), problem, columns: names.join(", ") });
        }
        features::look(&mut records, &mut columns, &null, &options.texts);
        Ok(CsvReader {
            records,
            columns,
            types: Types::new(&options.defaults, &defaults),
            time: options.time,
            null,
            features: FeatureReader::new(schema),
            names: Names::default(),
            floored: Floored::default(),
            notes: notes.into_iter().collect(),
        })
    }

    /// Whether rows say what they do. Without that, each row is an interaction of its own: load with parallel repeats
    /// and stub endpoints.
    pub fn has_action(&self) -> bool {
        self.columns.has(Role::Action)
    }

    /// Pushes all events into a sink, in the order of the rows.
    ///
    /// # Errors
    /// If the source cannot be read to its end.
    pub fn read(&mut self, sink: &mut dyn Sink) -> Result<(), SourceError> {
        sink.file(&self.records.place().file);
        while !sink.is_closed()
            && let Some(row) = self.records.advance()?
        {
            let line = self.records.line();
            match row.and_then(|()| self.event()) {
                Ok(event) => sink.record(Record::Event(event), line),
                Err(problem) => sink.reject(line, Reason::Malformed(problem)),
            }
        }
        Ok(())
    }

    /// What was chosen where the file leaves it open, and what was read as something else than it says, for people. Ask
    /// when all is read.
    pub fn notes(&mut self) -> Vec<String> {
        let mut notes = self.notes.clone();
        notes.extend(self.records.notes());
        notes.extend(self.columns.features().filter(|(_, of)| of.is_used).filter_map(|(_, of)| of.note.clone()));
        notes.extend(self.floored.note(self.features.schema().unit()));
        notes
    }

    fn event(&mut self) -> Result<Event, String> {
        let row = Row { records: &self.records, columns: &self.columns, null: &self.null };
        row.check_length()?;
        let time = match self.time {
            Some(time) if !self.columns.has(Role::Time) => time,
            _ => {
                let (cell, line) = (row.need(Role::Time)?, self.records.line());
                self.floored.read(&cell, self.features.schema().unit(), line)?
            }
        };
        let time = finite(time)?;
        let (action, ended) = (row.action()?, row.ended()?);
        let element = row.element(&self.types, &mut self.names)?;
        check_names(&element)?;
        let mut features = self.read_features(&OwnerName::of_element(&element))?;
        features.extend(ended.into_iter().map(|name| (self.names.get(&name), None)));
        match features.first() {
            Some((name, _)) if action == Action::Delete => {
                Err(format!("a delete carries no features: empty the cell `{name}`"))
            }
            _ => Ok(Event { time, action, element, features }),
        }
    }

    fn read_features(&mut self, owner: &OwnerName) -> Result<Features, String> {
        let (mut read, unit) = (Features::new(), self.features.schema().unit());
        for (at, column) in self.columns.features() {
            let cell = self.records.text(at)?;
            if cell.is_empty() {
                continue;
            }
            let is_null = features::is_named(&self.records, at, &self.null);
            let value = match self.features.declared(owner, &column.name) {
                _ if is_null => Ok(None),
                Some(kind) => features::declared(kind, cell, unit),
                None => features::undeclared(cell, column),
            };
            let value = value.map_err(|problem| format!("feature `{}`: {problem}", column.name))?;
            read.extend(value.map(|value| (column.name.clone(), Some(value))));
        }
        if let Some((first, name)) = self.columns.list() {
            let kind = self.features.declared(owner, name);
            let value = features::list(&self.records, *first, kind);
            read.extend(
                value.map_err(|problem| format!("feature `{name}`: {problem}"))?.map(|list| (name.clone(), Some(list))),
            );
        }
        Ok(read)
    }
}

/// The first row as names of columns.
fn header<R: Read>(records: &mut Records<R>, file: &Name) -> Result<Vec<String>, SourceError> {
    let problem = match records.advance()? {
        None => "there is no header: the source is empty".to_owned(),
        Some(Err(problem)) => problem,
        Some(Ok(())) => {
            let names = (0..records.n_cells()).map(|at| records.text(at).map(str::to_owned));
            match names.collect::<Result<Vec<_>, _>>() {
                Ok(names) => return Ok(names),
                Err(problem) => problem,
            }
        }
    };
    Err(SourceError::Columns { file: file.clone(), problem, columns: "none".into() })
}

/// The number of cells of the first row that is still to come; reads the comments before it.
fn first_length<R: Read>(records: &mut Records<R>) -> usize {
    let mut length = 0;
    records.look_ahead(|row| {
        length = row.n_cells();
        false
    });
    length
}

/// The cells of one row by their meaning.
struct Row<'a, R> {
    records: &'a Records<R>,
    columns: &'a Columns,
    null: &'a [String],
}

impl<R: Read> Row<'_, R> {
    fn check_length(&self) -> Result<(), String> {
        let (found, expected) = (self.records.n_cells(), self.columns.len());
        match self.columns.list() {
            Some(_) if found + 1 >= expected => Ok(()),
            None if found == expected => Ok(()),
            _ => Err(format!("expected {expected} cells, got {found}{}", self.records.hint())),
        }
    }
}

impl<R: Read> RoleCells for Row<'_, R> {
    fn columns(&self) -> &Columns {
        self.columns
    }

    fn cell(&self, role: Role) -> Result<Option<Cow<'_, str>>, String> {
        let Some(at) = self.columns.position(role) else { return Ok(None) };
        let cell = self.records.text(at)?;
        let is_given = !cell.is_empty() && !features::is_named(self.records, at, self.null);
        Ok(is_given.then_some(Cow::Borrowed(cell)))
    }
}
