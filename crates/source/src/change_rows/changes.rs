//! Rows that are changes, one after the other.

use std::collections::BTreeMap;

use timeweft_graph::{Action, EdgeKey, Element, Event, Name, NodeKey, Reason, Record, Sink, Time};

use super::change::{Change, Outcome};
use super::elements::{AboutRows, TableElements};
use super::envelope::{ABOUT_ROWS, Envelope, Shown};
use super::files::{Files, named};
use super::plan::Table;
use super::position::Position;
use crate::SourceError;
use crate::tables::change_table::{ChangeTable, RowOrder};
use crate::tables::context::Context;
use crate::tables::problem::Problem;
use crate::tables::rows::Rows;
use crate::text::floored::Floored;

/// Reads the files of all tables, one after the other; gives notes for people.
pub(super) fn read(
    source: &Files,
    how: &ChangeTable,
    context: &Context<'_>,
    tables: &[Table<'_>],
    sink: &mut dyn Sink,
) -> Result<Vec<String>, SourceError> {
    let mut floored = Floored::default();
    let mut held = (how.order == Some(RowOrder::Any)).then(Vec::new);
    let (mut elsewhere, mut tombstones) = (BTreeMap::new(), 0);
    let mut files: Vec<&str> = Vec::new();
    for table in tables {
        if files.contains(&table.file.file) {
            continue;
        }
        files.push(table.file.file);
        let (file, mut rows) = source.rows(&table.file)?;
        sink.file(&file);
        let of_file = tables.iter().filter(|other| other.file.file == table.file.file);
        let bound = of_file.map(|table| BoundTable { table, row: None, image: None }).collect();
        let envelope = Envelope::new(context.unit, how.time.as_deref(), how.deleted.as_deref());
        let mut changes = Changes { context, envelope, tables: bound, file: &file, elsewhere: &mut elsewhere };
        changes.read(rows.as_mut(), &mut floored, held.as_mut(), sink).map_err(|error| named(error, &file))?;
        tombstones += changes.envelope.tombstones;
        rows.notes().into_iter().for_each(|note| sink.warn(0, note));
        context.drift.check(&file)?;
    }
    push_held(held.unwrap_or_default(), sink);
    let of_features = context.floored.take().note(context.unit);
    let left_out: Vec<String> = elsewhere.iter().map(|(table, rows)| format!("{table} ({rows})")).collect();
    let left_out = (!left_out.is_empty())
        .then(|| format!("rows of tables that the mapping does not name were left out: {}", left_out.join(", ")));
    let tombstones = (tombstones > 0)
        .then(|| format!("{tombstones} tombstones were passed over: the delete before each says it all"));
    Ok([floored.note(context.unit), of_features, left_out, tombstones].into_iter().flatten().collect())
}

/// The events of a row that waits to be sorted.
struct Held {
    order: (Time, Position),
    place: (Name, u64),
    events: Vec<Event>,
}

fn push_held(mut held: Vec<Held>, sink: &mut dyn Sink) {
    held.sort_by(|a, b| a.order.cmp(&b.order));
    for Held { place: (file, line), events, .. } in held {
        if sink.is_closed() {
            return;
        }
        sink.file(&file);
        events.into_iter().for_each(|event| sink.record(Record::Event(event), line));
    }
}

/// A table of the mapping, bound to the columns of the rows that are it, and to the members of the images that are.
struct BoundTable<'a> {
    table: &'a Table<'a>,
    row: Option<TableElements<'a>>,
    image: Option<TableElements<'a>>,
}

struct Changes<'a> {
    context: &'a Context<'a>,
    envelope: Envelope<'a>,
    tables: Vec<BoundTable<'a>>,
    file: &'a Name,
    /// Rows of tables that the mapping does not name.
    elsewhere: &'a mut BTreeMap<String, u64>,
}

impl Changes<'_> {
    fn read(
        &mut self,
        rows: &mut dyn Rows,
        floored: &mut Floored,
        mut held: Option<&mut Vec<Held>>,
        sink: &mut dyn Sink,
    ) -> Result<(), SourceError> {
        if self.envelope.want(rows) {
            for bound in &mut self.tables {
                bound.row = Some(TableElements::of(bound.table, self.context, &about_rows(), rows, sink)?);
            }
        }
        while !sink.is_closed()
            && let Some(read) = rows.advance()?
        {
            let line = rows.line();
            match read.map_err(Problem::Row).and_then(|()| self.events(rows, floored, sink)) {
                Ok(None) => {}
                Ok(Some((change, events))) => match &mut held {
                    Some(held) => {
                        let place = (self.file.clone(), line);
                        held.push(Held { order: (change.time, change.position), place, events });
                    }
                    None => events.into_iter().for_each(|event| sink.record(Record::Event(event), line)),
                },
                Err(Problem::Source(error)) => return Err(error),
                Err(Problem::Row(problem) | Problem::Of(_, problem)) => sink.reject(line, Reason::Malformed(problem)),
            }
        }
        Ok(())
    }

    /// The events of a row, if it is a change of a table of the mapping.
    fn events(
        &mut self,
        rows: &mut dyn Rows,
        floored: &mut Floored,
        sink: &mut dyn Sink,
    ) -> Result<Option<(Change, Vec<Event>)>, Problem> {
        let Some((change, shown)) = self.envelope.change(rows, floored)? else { return Ok(None) };
        let (mut events, mut is_of_mapping) = (Vec::new(), false);
        for bound in &mut self.tables {
            match bound.table.name {
                Some(_) if change.tables.is_empty() => {
                    return Err(Problem::Row(
                        "the row does not say its table, which the mapping asks for: leave `table` out if there is one \
                         only, or have Debezium add it (add.fields=table)"
                            .into(),
                    ));
                }
                Some(name) if !change.is_of(name) => continue,
                _ => is_of_mapping = true,
            }
            let is_row = shown == Shown::Row;
            let elements = if is_row { &mut bound.row } else { &mut bound.image };
            let on: &mut dyn Rows = if is_row { &mut *rows } else { &mut self.envelope.image };
            let elements = match elements {
                Some(elements) => elements,
                unbound => unbound.insert(TableElements::of(bound.table, self.context, &about_rows(), on, sink)?),
            };
            let before = match &self.envelope.before {
                None => Before::default(),
                Some(before) => {
                    self.envelope.image.set(before, rows.line())?;
                    let before = Before::of(elements, &self.envelope.image);
                    self.envelope.image.set(&self.envelope.row, rows.line())?;
                    before
                }
            };
            let on: &mut dyn Rows = if is_row { &mut *rows } else { &mut self.envelope.image };
            match change.outcome {
                Outcome::There => there(elements, on, &change, before, &mut events, sink)?,
                Outcome::Gone => gone(elements, on, &change, &mut events)?,
            }
        }
        if !is_of_mapping {
            let table = change.tables.last().cloned().unwrap_or_default();
            *self.elsewhere.entry(table).or_default() += 1;
            return Ok(None);
        }
        Ok(Some((change, events)))
    }
}

fn about_rows() -> AboutRows {
    AboutRows { start: Some(ABOUT_ROWS), names: Vec::new() }
}

/// What a row was before a change, where the change shows it.
#[derive(Default)]
struct Before {
    nodes: Vec<Option<NodeKey>>,
    edges: Vec<Option<EdgeKey>>,
}

impl Before {
    /// A row before may show its key alone, or not even that: then nothing is known of it.
    fn of(elements: &TableElements<'_>, rows: &dyn Rows) -> Before {
        Before {
            nodes: elements.nodes.iter().map(|node| node.key(rows).ok()).collect(),
            edges: elements.edges.iter().map(|edge| edge.key(rows).ok().flatten()).collect(),
        }
    }
}

/// The events of a row that is there.
fn there(
    elements: &mut TableElements<'_>,
    rows: &mut dyn Rows,
    change: &Change,
    mut before: Before,
    events: &mut Vec<Event>,
    sink: &mut dyn Sink,
) -> Result<(), Problem> {
    let time = change.time;
    before.nodes.resize(elements.nodes.len(), None);
    before.edges.resize(elements.edges.len(), None);
    for (node, before) in elements.nodes.iter_mut().zip(before.nodes) {
        let event = node.there(rows, time, sink)?;
        let other = before.map(Element::Node).filter(|before| *before != event.element);
        events.extend(other.map(|other| Event::new(time, Action::Delete, other)));
        events.push(event);
        for (link, of) in &mut node.links {
            events.extend(link.link(rows, *of, time, sink)?);
        }
    }
    for (edge, before) in elements.edges.iter_mut().zip(before.edges) {
        let event = edge.there(rows, time, sink)?;
        let own = event.as_ref().map(|event| &event.element);
        let other = before.map(Element::Edge).filter(|before| Some(before) != own);
        events.extend(other.map(|other| Event::new(time, Action::Delete, other)));
        events.extend(event);
    }
    Ok(())
}

/// The events of a row that is gone; the edges at a node end with it.
fn gone(
    elements: &TableElements<'_>,
    rows: &dyn Rows,
    change: &Change,
    events: &mut Vec<Event>,
) -> Result<(), Problem> {
    let end = |element| Event::new(change.time, Action::Delete, element);
    for node in &elements.nodes {
        events.push(end(Element::Node(node.key(rows)?)));
    }
    for edge in &elements.edges {
        let key = edge.key(rows)?.ok_or_else(|| {
            Problem::Row(
                "the deleted row does not show the ends of its edge: set REPLICA IDENTITY FULL for its table".into(),
            )
        })?;
        events.push(end(Element::Edge(key)));
    }
    Ok(())
}
