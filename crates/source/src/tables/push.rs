//! Entry after entry of a mapping, from its file into the sink.

use std::cell::RefCell;

use timeweft_graph::{FeatureId, Format, Name, Owner, Reason, Scope, Sink, Unreadable};

use super::bound::Bound;
use super::context::Context;
use super::drift::{self, Drift};
use super::key_columns::{EdgeColumns, EndColumns, NameSource, column};
use super::kind::Kind;
use super::mapping::{EdgeTable, Features, FileSpec, Mapping, Named};
use super::problem::Problem;
use super::rows::Rows;
use super::table_set::Place;
use super::types::Types;
use crate::SourceError;

/// Features by their owners.
type Fields = Vec<(Owner, Vec<FeatureId>)>;

/// Pushes all that a mapping describes; nodes first.
pub(super) fn push(mapping: &Mapping, file: &Name, place: Place<'_>, sink: &mut dyn Sink) -> Result<(), SourceError> {
    let (unit, drift) = (sink.schema().unit(), Drift::new(sink.schema()));
    let context =
        Context { mapping: file.clone(), place, null: mapping.null(), unit, drift, floored: RefCell::default() };
    // Of a data frame this asks for the types of its columns, and no row.
    let open = |file: &FileSpec<'_>| context.place.rows(file, mapping.null()).map(|(_, rows)| rows);
    drift::widen(mapping, &open, sink)?;
    let fields = fields(&context, mapping, sink)?;
    sink.format(Format { name: "tables".into(), fields });
    for table in &mapping.nodes {
        let lists = Some(Scope::Nodes(table.node_type.constant()));
        entry(&context, &table.file(), lists, sink, |rows, sink| {
            let mut types = Types::new(&context, &table.features, &table.except);
            let (node_type, id) = (NameSource::of(&table.node_type, rows)?, column(rows, &table.id.0)?);
            types.columns.taken.extend([Some(id), node_type.column()].into_iter().flatten());
            types.columns.follow(&context, rows, sink)?;
            Ok(Box::new(move |rows, sink| types.node(rows, &node_type, id, sink)))
        })?;
    }
    for table in &mapping.edges {
        let lists = Some(Scope::Edges {
            source: table.source.node_type.constant(),
            relation: table.relation.constant(),
            destination: table.destination.node_type.constant(),
        });
        entry(&context, &table.file(), lists, sink, |rows, sink| edge_reader(&context, table, rows, sink))?;
    }
    for table in &mapping.merges {
        entry(&context, &table.file(), None, sink, |rows, sink| {
            let mut types = Types::new(&context, &table.features, &table.except);
            let (from, into) = (EndColumns::of(&table.from, rows)?, EndColumns::of(&table.into, rows)?);
            types.columns.taken.extend(from.columns().chain(into.columns()));
            types.columns.follow(&context, rows, sink)?;
            Ok(Box::new(move |rows, sink| types.merge(rows, &from, &into, sink)))
        })?;
    }
    for table in &mapping.deleted {
        entry(&context, &table.file(), None, sink, |rows, _| {
            let mut types = Types::new(&context, &Features::Listed(Vec::new()), &[]);
            let (node_type, id) = (NameSource::of(&table.node_type, rows)?, column(rows, &table.id.0)?);
            Ok(Box::new(move |rows, sink| types.deleted(rows, &node_type, id, sink)))
        })?;
    }
    Ok(())
}

/// Makes a record of a row.
type Reader<'a> = Box<dyn FnMut(&mut dyn Rows, &mut dyn Sink) -> Result<(), Problem> + 'a>;

fn edge_reader<'a>(
    context: &'a Context<'_>,
    table: &'a EdgeTable,
    rows: &mut dyn Rows,
    sink: &mut dyn Sink,
) -> Result<Reader<'a>, SourceError> {
    let mut types = Types::new(context, &table.features, &table.except);
    let places = EdgeColumns {
        relation: NameSource::of(&table.relation, rows)?,
        source: EndColumns::of(&table.source, rows)?,
        destination: EndColumns::of(&table.destination, rows)?,
        key: table.key.0.as_deref().map(|name| column(rows, name)).transpose()?,
    };
    types.columns.taken.extend(places.source.columns().chain(places.destination.columns()));
    types.columns.taken.extend([places.relation.column(), places.key].into_iter().flatten());
    types.columns.follow(context, rows, sink)?;
    Ok(Box::new(move |rows, sink| types.edge(rows, &places, sink)))
}

/// Reads the file of an entry, which lists such elements; `prepare` binds the columns.
fn entry<'p>(
    context: &Context<'_>,
    spec: &FileSpec<'_>,
    lists: Option<Scope>,
    sink: &mut dyn Sink,
    prepare: impl FnOnce(&mut dyn Rows, &mut dyn Sink) -> Result<Reader<'p>, SourceError>,
) -> Result<(), SourceError> {
    let (file, mut rows) = context.place.rows(spec, context.null)?;
    sink.file(&file);
    let mut reader = prepare(rows.as_mut(), sink).map_err(|error| named(error, &file))?;
    let mut has_rows = false;
    while !sink.is_closed()
        && let Some(read) = rows.advance()?
    {
        has_rows = true;
        let read = read.map_err(Problem::Row).and_then(|()| reader(rows.as_mut(), sink));
        let (told, problem) = match read {
            Ok(()) => continue,
            Err(Problem::Row(problem)) => (lists.clone().map(Unreadable::OneOf), problem),
            Err(Problem::Of(told, problem)) => (Some(*told), problem),
            Err(Problem::Source(error)) => return Err(named(error, &file)),
        };
        match told {
            Some(told) => sink.unreadable(vec![told], rows.line(), Reason::Malformed(problem)),
            None => sink.reject(rows.line(), Reason::Malformed(problem)),
        }
    }
    if let Some(lists) = lists.filter(|_| !has_rows) {
        sink.empty(lists);
    }
    let floored = context.floored.take().note(context.unit);
    rows.notes().into_iter().chain(floored).for_each(|note| sink.warn(0, note));
    context.drift.check(&file)
}

/// The fields of the version, where the mapping alone tells all of them.
fn fields(context: &Context<'_>, mapping: &Mapping, sink: &mut dyn Sink) -> Result<Option<Fields>, SourceError> {
    let mut fields = Fields::new();
    let nodes = mapping.nodes.iter().map(|table| (vec![&table.node_type], &table.features));
    let edges = mapping
        .edges
        .iter()
        .map(|table| (vec![&table.source.node_type, &table.relation, &table.destination.node_type], &table.features));
    let merges = mapping.merges.iter().map(|table| (Vec::new(), &table.features));
    for (names, features) in nodes.chain(edges).chain(merges) {
        let names: Option<Vec<Name>> = names.into_iter().map(Named::constant).collect();
        let (Some(names), Features::Listed(specs)) = (names, features) else { return Ok(None) };
        if specs.iter().any(|spec| spec.kind.is_none()) {
            return Ok(None);
        }
        let owner = Bound::of(&names, context, sink)?.owner;
        let ids = specs.iter().map(|spec| context.declare(owner, spec, spec.kind.unwrap_or(Kind::TEXT), sink));
        let ids = ids.map(|declared| declared.map(|(id, _)| id)).collect::<Result<Vec<_>, _>>()?;
        match fields.iter_mut().find(|(known, _)| *known == owner) {
            Some((_, known)) => known.extend(ids),
            None => fields.push((owner, ids)),
        }
    }
    Ok(Some(fields))
}

/// The error with the name of the table, where it does not have one.
fn named(error: SourceError, file: &Name) -> SourceError {
    match error {
        SourceError::Columns { file: unknown, problem, columns } if unknown.is_empty() => {
            SourceError::Columns { file: file.clone(), problem, columns }
        }
        other => other,
    }
}
