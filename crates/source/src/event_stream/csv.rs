//! The reader of tables: CSV with a header, or words between spaces.

mod columns;
mod rows;

use std::io::BufRead;

use timeweft_graph::{
    Action, EdgeKey, Element, Event, ExternalId, FeatureKind, Features, Name, NodeKey, Place, Reject, Schema, Value,
};

use self::columns::{Columns, Role};
use self::rows::Rows;
use super::features::{FeatureReader, Subject};
use super::jsonl::{Entity, finite, malformed};
use crate::feature_text;
use crate::json::excerpt;
use crate::names::Names;
use crate::{Record, SourceError};

/// How the cells of a row are told apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Delimiter {
    /// One byte, with the quoting rules of CSV: `b','`, `b'\t'`, `b';'`.
    Byte(u8),
    /// Any run of spaces and tabs, without quoting.
    Whitespace,
}

/// Names of the types where a table does not tell them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CsvDefaults {
    /// Type of the sources.
    pub source_type: Name,
    /// Relation of the edges.
    pub relation: Name,
    /// Type of the destinations.
    pub destination_type: Name,
}

impl Default for CsvDefaults {
    fn default() -> Self {
        CsvDefaults { source_type: "node".into(), relation: "link".into(), destination_type: "node".into() }
    }
}

/// How to read a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CsvOptions {
    /// What stands between cells.
    pub delimiter: Delimiter,
    /// Names of the columns if the table has no header; a column named `_` is left out.
    pub columns: Option<Vec<String>>,
    /// Types that the table does not tell.
    pub defaults: CsvDefaults,
}

impl Default for CsvOptions {
    fn default() -> Self {
        CsvOptions { delimiter: Delimiter::Byte(b','), columns: None, defaults: CsvDefaults::default() }
    }
}

/// Reads events from a table, in constant memory.
///
/// Columns with a meaning, by name: `time` (required); `src` or `source`, `dst` or `destination` (ids); `action` (`create`
/// if there is no such column); `entity` (`edge` if the table has a destination column, else `node`); `source_type`,
/// `relation` or `edge_type`, `destination_type`; `key`. Every other column is a feature of the row's edge or node; an
/// empty cell says nothing. A feature that the schema does not declare is a number where it reads as one, else a text;
/// once a column has held a text, all that follows in it is text.
///
/// A table without an `action` column is a stream of interactions: repeats of a pair are parallel edges, and nothing
/// creates the endpoints. Tell the store so ([`CsvReader::has_action`]).
///
/// ```
/// use timeweft_graph::{Schema, TimeUnit};
/// use timeweft_source::{CsvOptions, CsvReader};
/// let text = "src,dst,time,weight\n1,2,0,0.5\n3,4,7,\n";
/// let schema = Schema::new(TimeUnit::Second);
/// let reader = CsvReader::new(text.as_bytes(), &"doc".into(), &schema, &CsvOptions::default())?;
/// assert!(!reader.has_action());
/// let records: Vec<_> = reader.map(Result::unwrap).collect();
/// assert_eq!((records[0].event.features.len(), records[1].event.features.len()), (1, 0));
/// # Ok::<(), timeweft_source::SourceError>(())
/// ```
pub struct CsvReader<R> {
    rows: Rows<R>,
    columns: Columns,
    defaults: CsvDefaults,
    features: FeatureReader,
    names: Names,
    failure: Option<SourceError>,
}

impl<R: BufRead> CsvReader<R> {
    /// A reader of rows whose features are read as `schema` declares them. The header is read at once.
    pub fn new(reader: R, file: &Name, schema: &Schema, options: &CsvOptions) -> Result<CsvReader<R>, SourceError> {
        let mut rows = Rows::new(reader, file, options.delimiter);
        let header = match &options.columns {
            Some(columns) => columns.clone(),
            None => rows.header()?,
        };
        Ok(CsvReader {
            rows,
            columns: Columns::new(file, &header)?,
            defaults: options.defaults.clone(),
            features: FeatureReader::new(schema),
            names: Names::default(),
            failure: None,
        })
    }

    /// Whether rows say what they do. Without that, each row is an interaction of its own: load with parallel repeats
    /// and stub endpoints.
    pub fn has_action(&self) -> bool {
        self.columns.has(Role::Action)
    }

    /// What ended the reading before the end of the source, if anything did. Ask when the iteration is over.
    pub fn failure(&mut self) -> Option<SourceError> {
        self.failure.take()
    }

    fn event(&mut self) -> Result<Event, String> {
        let row = Row { rows: self.rows.cells(), columns: &self.columns };
        row.check_length()?;
        let time =
            self.features.schema().unit().parse(row.need(Role::Time)?).map_err(|error| format!("time: {error}"))?;
        let time = finite(time)?;
        let action = row.cell(Role::Action).map_or(Ok(Action::Create), action)?;
        let element = row.element(&self.defaults, &mut self.names)?;
        let features = match &element {
            Element::Node(key) => self.read_features(&Subject::node(key))?,
            Element::Edge(key) => self.read_features(&Subject::edge(key))?,
            Element::Merge { .. } => self.read_features(&Subject::Merge)?,
        };
        match features.first() {
            Some((name, _)) if action == Action::Delete => {
                Err(format!("a delete carries no features: empty the cell `{name}`"))
            }
            _ => Ok(Event { time, action, element, features }),
        }
    }

    fn read_features(&mut self, subject: &Subject) -> Result<Features, String> {
        let mut features = Features::new();
        let cells = self.rows.cells();
        for (at, column) in self.columns.features() {
            let cell = cells.get(at).unwrap_or_default();
            if cell.is_empty() {
                continue;
            }
            let value = match self.features.declared(subject, &column.name) {
                Some(kind) => declared(kind, cell),
                None => undeclared(cell, &mut column.text),
            };
            let value = value.map_err(|problem| format!("feature `{}`: {problem}", column.name))?;
            features.push((column.name.clone(), Some(value)));
        }
        Ok(features)
    }
}

impl<R: BufRead> Iterator for CsvReader<R> {
    type Item = Result<Record, Reject>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failure.is_some() {
            return None;
        }
        match self.rows.advance() {
            Ok(None) => None,
            Ok(Some(place)) => Some(self.record(place)),
            Err(rows::Problem::Row(reject)) => Some(Err(reject)),
            Err(rows::Problem::Source(error)) => {
                self.failure = Some(error);
                None
            }
        }
    }
}

impl<R: BufRead> CsvReader<R> {
    fn record(&mut self, place: Place) -> Result<Record, Reject> {
        match self.event() {
            Ok(event) => Ok(Record { event, place }),
            Err(problem) => Err(malformed(&place, problem)),
        }
    }
}

fn action(cell: &str) -> Result<Action, String> {
    Ok(match cell.to_ascii_lowercase().as_str() {
        "create" => Action::Create,
        "update" => Action::Update,
        "delete" => Action::Delete,
        _ => return Err(format!("action: expected create, update or delete, got {}", excerpt(cell))),
    })
}

fn entity(cell: &str) -> Result<Entity, String> {
    Ok(match cell.to_ascii_lowercase().as_str() {
        "node" => Entity::Node,
        "edge" => Entity::Edge,
        "merge" => Entity::Merge,
        _ => return Err(format!("entity: expected node, edge or merge, got {}", excerpt(cell))),
    })
}

/// The cells of one row by their meaning.
struct Row<'a> {
    rows: &'a ::csv::StringRecord,
    columns: &'a Columns,
}

impl<'a> Row<'a> {
    fn check_length(&self) -> Result<(), String> {
        let (found, expected) = (self.rows.len(), self.columns.len());
        if found == expected { Ok(()) } else { Err(format!("expected {expected} cells, got {found}")) }
    }

    /// The cell of this role, unless it is empty.
    fn cell(&self, role: Role) -> Option<&'a str> {
        self.columns.position(role).and_then(|at| self.rows.get(at)).map(str::trim).filter(|cell| !cell.is_empty())
    }

    fn need(&self, role: Role) -> Result<&'a str, String> {
        self.cell(role).ok_or_else(|| format!("the {} is empty", role.meaning()))
    }

    fn element(&self, defaults: &CsvDefaults, names: &mut Names) -> Result<Element, String> {
        let mut node = |id: Role, of_type: Role, default: &Name| -> Result<NodeKey, String> {
            let node_type = self.cell(of_type).map_or_else(|| default.clone(), |cell| names.get(cell));
            Ok(NodeKey { node_type, id: ExternalId::from(self.need(id)?) })
        };
        let source = node(Role::Source, Role::SourceType, &defaults.source_type)?;
        let natural = if self.columns.has(Role::Destination) { Entity::Edge } else { Entity::Node };
        let entity = self.cell(Role::Entity).map_or(Ok(natural), entity)?;
        if entity == Entity::Node {
            let extra =
                [Role::Destination, Role::Relation, Role::Key].into_iter().find(|role| self.cell(*role).is_some());
            return match extra {
                Some(role) => Err(format!("a node row has no {}: empty the cell", role.meaning())),
                None => Ok(Element::Node(source)),
            };
        }
        let destination = node(Role::Destination, Role::DestinationType, &defaults.destination_type)?;
        if entity == Entity::Merge {
            return Ok(Element::Merge { from: source, into: destination });
        }
        let relation = self.cell(Role::Relation).map_or_else(|| defaults.relation.clone(), |cell| names.get(cell));
        Ok(Element::Edge(EdgeKey { source, relation, destination, key: self.cell(Role::Key).map(Name::from) }))
    }
}

fn undeclared(cell: &str, text: &mut bool) -> Result<Value, String> {
    let number = cell.trim();
    if !*text && number.parse::<f64>().is_ok_and(f64::is_finite) {
        feature_text::exact(number)?;
        return feature_text::read(FeatureKind::of(&Value::number(0.0)), number);
    }
    *text = true;
    Ok(Value::text(cell))
}

fn declared(kind: FeatureKind, cell: &str) -> Result<Value, String> {
    match kind {
        FeatureKind::Text => Ok(Value::text(cell)),
        FeatureKind::Category => Ok(Value::Category(cell.into())),
        FeatureKind::Bytes => Ok(Value::Bytes(cell.as_bytes().to_vec())),
        FeatureKind::Dense { scalar: true, .. } if matches!(cell.trim(), "nan" | "inf" | "-inf") => {
            feature_text::read(kind, &format!("\"{}\"", cell.trim()))
        }
        _ => feature_text::read(kind, cell.trim()),
    }
}
