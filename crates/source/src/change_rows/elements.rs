//! Rows as elements: what an entry of a mapping makes of one.

use std::borrow::Cow;

use timeweft_graph::{Action, EdgeKey, Element, Event, ExternalId, Features, LinkEnd, Name, NodeKey, Sink, Time};

use super::plan::Table;
use crate::SourceError;
use crate::limits::check_names;
use crate::tables::Cell;
use crate::tables::context::Context;
use crate::tables::key_columns::{EdgeColumns, EndColumns, NameSource, column, id, needed};
use crate::tables::mapping::{EdgeTable, NodeTable};
use crate::tables::problem::Problem;
use crate::tables::rows::Rows;
use crate::tables::types::Types;

/// What Debezium writes in place of a large value that did not change.
const UNAVAILABLE: &str = "__debezium_unavailable_value";

/// The entries of a table, with the places of their columns.
pub(super) struct TableElements<'a> {
    pub(super) nodes: Vec<NodeElements<'a>>,
    pub(super) edges: Vec<EdgeElements<'a>>,
}

impl<'a> TableElements<'a> {
    pub(super) fn of(
        table: &Table<'a>,
        context: &'a Context<'a>,
        about_rows: &AboutRows,
        rows: &mut dyn Rows,
        sink: &mut dyn Sink,
    ) -> Result<TableElements<'a>, SourceError> {
        let mut elements = TableElements { nodes: Vec::new(), edges: Vec::new() };
        for node in &table.nodes {
            let mut made = NodeElements::of(node.entry, context, about_rows, rows, sink)?;
            for (entry, of) in &node.links {
                made.links.push((EdgeElements::of(entry, context, about_rows, rows, sink)?, *of));
            }
            elements.nodes.push(made);
        }
        for entry in &table.edges {
            elements.edges.push(EdgeElements::of(entry, context, about_rows, rows, sink)?);
        }
        Ok(elements)
    }
}

/// Columns that say something about their row, and are no features.
pub(super) struct AboutRows {
    /// Their names begin so.
    pub(super) start: Option<&'static str>,
    pub(super) names: Vec<String>,
}

/// A row as a node.
pub(super) struct NodeElements<'a> {
    types: Types<'a>,
    context: &'a Context<'a>,
    node_type: NameSource,
    id: usize,
    /// Its foreign keys.
    pub(super) links: Vec<(EdgeElements<'a>, LinkEnd)>,
}

impl<'a> NodeElements<'a> {
    fn of(
        entry: &NodeTable,
        context: &'a Context<'a>,
        about_rows: &AboutRows,
        rows: &mut dyn Rows,
        sink: &mut dyn Sink,
    ) -> Result<NodeElements<'a>, SourceError> {
        let except = [&entry.except[..], &about_rows.names].concat();
        let mut types = Types::new(context, &entry.features, &except);
        types.columns.about_rows = about_rows.start;
        let (node_type, id) = (NameSource::of(&entry.node_type, rows)?, column(rows, &entry.id.0)?);
        types.columns.taken.extend([Some(id), node_type.column()].into_iter().flatten());
        types.columns.follow(context, rows, sink)?;
        Ok(NodeElements { types, context, node_type, id, links: Vec::new() })
    }

    /// The node that a row is.
    pub(super) fn key(&self, rows: &dyn Rows) -> Result<NodeKey, String> {
        let key = node(&self.node_type.name(rows)?, &needed(rows, self.id)?);
        check_names(&Element::Node(key.clone()))?;
        Ok(key)
    }

    /// The row as an event that says what the node is.
    pub(super) fn there(&mut self, rows: &mut dyn Rows, time: Time, sink: &mut dyn Sink) -> Result<Event, Problem> {
        self.types.columns.follow(self.context, rows, sink)?;
        let key = self.key(rows)?;
        let features = self.types.features(&[&*key.node_type], rows, is_unavailable, sink)?;
        Ok(Event::new(time, Action::Create, Element::Node(key)).with(features))
    }
}

/// A row as an edge.
pub(super) struct EdgeElements<'a> {
    types: Types<'a>,
    context: &'a Context<'a>,
    places: EdgeColumns,
}

impl<'a> EdgeElements<'a> {
    fn of(
        entry: &EdgeTable,
        context: &'a Context<'a>,
        about_rows: &AboutRows,
        rows: &mut dyn Rows,
        sink: &mut dyn Sink,
    ) -> Result<EdgeElements<'a>, SourceError> {
        let except = [&entry.except[..], &about_rows.names].concat();
        let mut types = Types::new(context, &entry.features, &except);
        types.columns.about_rows = about_rows.start;
        let places = EdgeColumns {
            relation: NameSource::of(&entry.relation, rows)?,
            source: EndColumns::of(&entry.source, rows)?,
            destination: EndColumns::of(&entry.destination, rows)?,
            key: entry.key.0.as_deref().map(|name| column(rows, name)).transpose()?,
        };
        types.columns.taken.extend(places.source.columns().chain(places.destination.columns()));
        types.columns.taken.extend([places.relation.column(), places.key].into_iter().flatten());
        types.columns.follow(context, rows, sink)?;
        Ok(EdgeElements { types, context, places })
    }

    /// The edge that a row is; `None` where an end is empty, for then there is none.
    pub(super) fn key(&self, rows: &dyn Rows) -> Result<Option<EdgeKey>, String> {
        let (source, destination) = (id(rows, self.places.source.id)?, id(rows, self.places.destination.id)?);
        let (Some(source), Some(destination)) = (source, destination) else { return Ok(None) };
        self.edge(rows, &source, &destination).map(Some)
    }

    fn edge(&self, rows: &dyn Rows, source: &str, destination: &str) -> Result<EdgeKey, String> {
        let key: Option<Cow<'_, str>> = self.places.key.map(|at| id(rows, at)).transpose()?.flatten();
        let edge = EdgeKey {
            source: node(&self.places.source.node_type.name(rows)?, source),
            relation: Name::from(&*self.places.relation.name(rows)?),
            destination: node(&self.places.destination.node_type.name(rows)?, destination),
            key: key.as_deref().map(Name::from),
        };
        check_names(&Element::Edge(edge.clone()))?;
        Ok(edge)
    }

    /// The row as an event that says what the edge is; none where an end is empty.
    pub(super) fn there(
        &mut self,
        rows: &mut dyn Rows,
        time: Time,
        sink: &mut dyn Sink,
    ) -> Result<Option<Event>, Problem> {
        self.types.columns.follow(self.context, rows, sink)?;
        let Some(edge) = self.key(rows)? else { return Ok(None) };
        let names = [&*edge.source.node_type, &*edge.relation, &*edge.destination.node_type];
        let features = self.types.features(&names, rows, is_unavailable, sink)?;
        Ok(Some(Event::new(time, Action::Create, Element::Edge(edge)).with(features)))
    }

    /// The foreign key of a row as an event: the one edge that it has, or that it has none. A row that does not show it says
    /// nothing of it.
    pub(super) fn link(
        &mut self,
        rows: &mut dyn Rows,
        of: LinkEnd,
        time: Time,
        sink: &mut dyn Sink,
    ) -> Result<Option<Event>, Problem> {
        let (own, other) = match of {
            LinkEnd::Source => (self.places.source.id, self.places.destination.id),
            LinkEnd::Destination => (self.places.destination.id, self.places.source.id),
        };
        let is_shown = rows.present().is_none_or(|present| present.contains(&other));
        if !is_shown || is_unavailable(&rows.cell(other)) {
            return Ok(None);
        }
        if let Some(event) = self.there(rows, time, sink)? {
            return Ok(Some(event));
        }
        // There is no other end to name, and its id does not count.
        let own = needed(rows, own)?;
        let edge = self.edge(rows, &own, &own)?;
        Ok(Some(Event::new(time, Action::Delete, Element::Edge(edge)).with(Features::new())))
    }
}

fn node(node_type: &str, id: &str) -> NodeKey {
    NodeKey { node_type: node_type.into(), id: ExternalId::from(id) }
}

fn is_unavailable(cell: &Cell<'_>) -> bool {
    match cell {
        Cell::Text(text) => *text == UNAVAILABLE,
        Cell::String(text) => text == UNAVAILABLE,
        Cell::Json(raw) => raw.trim_matches('"') == UNAVAILABLE && raw.len() == UNAVAILABLE.len() + 2,
        _ => false,
    }
}
