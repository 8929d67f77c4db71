//! Rows become records.

use std::borrow::Cow;
use std::cell::RefCell;
use std::path::Path;

use rustc_hash::{FxHashMap, FxHashSet};
use timeweft_graph::delta::RESERVED;
use timeweft_graph::{
    EdgeKey, EdgeTypeId, ExternalId, FeatureDef, FeatureId, Format, ListOrder, Name, NodeKey, NodeTypeId, Owner,
    Reason, Scope, TimeUnit, Unreadable, ValueRef, VersionSink,
};

use super::bound::Bound;
use super::cell::Made;
use super::drift::{self, Drift};
use super::kind::Kind;
use super::mapping::{EdgeTable, End, FeatureSpec, Features, FileSpec, Mapping, Named};
use super::rows::{Rows, rows};
use crate::SourceError;
use crate::limits::{MOST_FEATURES, many_columns};
use crate::text::floored::Floored;

/// Features by their owners.
type Fields = Vec<(Owner, Vec<FeatureId>)>;

/// Features of a row with their values.
type Values<'r> = Vec<(FeatureId, Made<'r>)>;

/// Why a row makes no record.
pub(super) enum Problem {
    /// This row alone, which does not show what it is about.
    Row(String),
    /// This row alone, which would have told this.
    Of(Box<Unreadable>, String),
    /// All that follows.
    Source(SourceError),
}

impl Problem {
    /// The same, of a row that shows what it is about.
    fn of(self, told: impl FnOnce() -> Unreadable) -> Problem {
        match self {
            Problem::Row(problem) => Problem::Of(Box::new(told()), problem),
            other => other,
        }
    }
}

impl From<SourceError> for Problem {
    fn from(error: SourceError) -> Self {
        Problem::Source(error)
    }
}

impl From<String> for Problem {
    fn from(problem: String) -> Self {
        Problem::Row(problem)
    }
}

/// Pushes all that a mapping describes; nodes first.
pub(super) fn push(mapping: &Mapping, file: &Name, root: &Path, sink: &mut dyn VersionSink) -> Result<(), SourceError> {
    let (unit, drift) = (sink.schema().unit(), Drift::new(sink.schema()));
    let push = Push { mapping: file.clone(), root, null: mapping.null(), unit, drift, floored: RefCell::default() };
    let open = |file: &FileSpec<'_>| rows(file, root, mapping.null()).map(|(_, rows)| rows);
    drift::widen(mapping, &open, sink)?;
    let fields = push.fields(mapping, sink)?;
    sink.format(Format { name: "tables".into(), fields });
    for table in &mapping.nodes {
        let lists = Some(Scope::Nodes(constant(&table.node_type)));
        push.entry(&table.file(), lists, sink, |rows, sink| {
            let mut types = Types::new(&push, &table.features, &table.except);
            let (node_type, id) = (Place::of(&table.node_type, rows)?, column(rows, &table.id.0)?);
            types.columns.taken.extend([Some(id), node_type.column()].into_iter().flatten());
            types.columns.follow(&push, rows, sink)?;
            Ok(Box::new(move |rows, sink| types.node(rows, &node_type, id, sink)))
        })?;
    }
    for table in &mapping.edges {
        let lists = Some(Scope::Edges {
            source: constant(&table.source.node_type),
            relation: constant(&table.relation),
            destination: constant(&table.destination.node_type),
        });
        push.entry(&table.file(), lists, sink, |rows, sink| edge_reader(&push, table, rows, sink))?;
    }
    for table in &mapping.merges {
        push.entry(&table.file(), None, sink, |rows, sink| {
            let mut types = Types::new(&push, &table.features, &table.except);
            let (from, into) = (EndPlace::of(&table.from, rows)?, EndPlace::of(&table.into, rows)?);
            types.columns.taken.extend(from.columns().chain(into.columns()));
            types.columns.follow(&push, rows, sink)?;
            Ok(Box::new(move |rows, sink| types.merge(rows, &from, &into, sink)))
        })?;
    }
    for table in &mapping.deleted {
        push.entry(&table.file(), None, sink, |rows, _| {
            let mut types = Types::new(&push, &Features::Listed(Vec::new()), &[]);
            let (node_type, id) = (Place::of(&table.node_type, rows)?, column(rows, &table.id.0)?);
            Ok(Box::new(move |rows, sink| types.deleted(rows, &node_type, id, sink)))
        })?;
    }
    Ok(())
}

/// Makes a record of a row.
type Reader<'a> = Box<dyn FnMut(&mut dyn Rows, &mut dyn VersionSink) -> Result<(), Problem> + 'a>;

fn edge_reader<'a>(
    push: &'a Push<'_>,
    table: &'a EdgeTable,
    rows: &mut dyn Rows,
    sink: &mut dyn VersionSink,
) -> Result<Reader<'a>, SourceError> {
    let mut types = Types::new(push, &table.features, &table.except);
    let places = EdgePlaces {
        relation: Place::of(&table.relation, rows)?,
        source: EndPlace::of(&table.source, rows)?,
        destination: EndPlace::of(&table.destination, rows)?,
        key: table.key.0.as_deref().map(|name| column(rows, name)).transpose()?,
    };
    types.columns.taken.extend(places.source.columns().chain(places.destination.columns()));
    types.columns.taken.extend([places.relation.column(), places.key].into_iter().flatten());
    types.columns.follow(push, rows, sink)?;
    Ok(Box::new(move |rows, sink| types.edge(rows, &places, sink)))
}

pub(super) struct Push<'a> {
    mapping: Name,
    root: &'a Path,
    null: Option<&'a [String]>,
    pub(super) unit: TimeUnit,
    pub(super) drift: Drift,
    /// Times of the present table.
    pub(super) floored: RefCell<Floored>,
}

impl Push<'_> {
    /// Reads the file of an entry, which lists such elements; `prepare` binds the columns.
    fn entry<'p>(
        &self,
        spec: &FileSpec<'_>,
        lists: Option<Scope>,
        sink: &mut dyn VersionSink,
        prepare: impl FnOnce(&mut dyn Rows, &mut dyn VersionSink) -> Result<Reader<'p>, SourceError>,
    ) -> Result<(), SourceError> {
        let (file, mut rows) = rows(spec, self.root, self.null)?;
        sink.file(&file);
        let mut reader = prepare(rows.as_mut(), sink).map_err(|error| named(error, &file))?;
        let mut has_rows = false;
        while let Some(read) = rows.advance()? {
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
        let floored = self.floored.take().note(self.unit);
        rows.notes().into_iter().chain(floored).for_each(|note| sink.warn(0, note));
        self.drift.check(&file)
    }

    fn fail(&self, problem: String) -> SourceError {
        SourceError::Document { file: self.mapping.clone(), line: 0, problem }
    }

    fn full(&self) -> SourceError {
        SourceError::TooManyTypes { file: self.mapping.clone(), line: 0 }
    }

    /// The fields of the version, where the mapping alone tells all of them.
    fn fields(&self, mapping: &Mapping, sink: &mut dyn VersionSink) -> Result<Option<Fields>, SourceError> {
        let mut fields = Fields::new();
        let nodes = mapping.nodes.iter().map(|table| (vec![&table.node_type], &table.features));
        let edges = mapping.edges.iter().map(|table| {
            (vec![&table.source.node_type, &table.relation, &table.destination.node_type], &table.features)
        });
        let merges = mapping.merges.iter().map(|table| (Vec::new(), &table.features));
        for (names, features) in nodes.chain(edges).chain(merges) {
            let names: Option<Vec<Name>> = names.into_iter().map(constant).collect();
            let (Some(names), Features::Listed(specs)) = (names, features) else { return Ok(None) };
            if specs.iter().any(|spec| spec.kind.is_none()) {
                return Ok(None);
            }
            let owner = self.owner(&names, sink)?.owner;
            let ids = specs.iter().map(|spec| self.declare(owner, spec, spec.kind.unwrap_or(Kind::TEXT), sink));
            let ids = ids.map(|declared| declared.map(|(id, _)| id)).collect::<Result<Vec<_>, _>>()?;
            match fields.iter_mut().find(|(known, _)| *known == owner) {
                Some((_, known)) => known.extend(ids),
                None => fields.push((owner, ids)),
            }
        }
        Ok(Some(fields))
    }

    /// The owner of features: `[node type]`, `[source type, relation, destination type]`, or `[]` of merges.
    fn owner(&self, names: &[Name], sink: &mut dyn VersionSink) -> Result<Bound, SourceError> {
        let schema = sink.schema();
        let mut node_type = |name: &Name| schema.add_node_type(name).ok_or_else(|| self.full());
        let (owner, nodes, edge) = match names {
            [name] => {
                let id = node_type(name)?;
                (Owner::Node(id), [id; 2], EdgeTypeId(0))
            }
            [source, relation, destination] => {
                let (source, destination) = (node_type(source)?, node_type(destination)?);
                let edge = schema.add_edge_type(source, relation, destination).ok_or_else(|| self.full())?;
                (Owner::Edge(edge), [source, destination], edge)
            }
            _ => (Owner::Merge, [NodeTypeId(0); 2], EdgeTypeId(0)),
        };
        Ok(Bound { owner, nodes, edge, features: Vec::new() })
    }

    /// Declares a feature, and refuses another kind than the graph has; a narrower one is read as what the graph has.
    pub(super) fn declare(
        &self,
        owner: Owner,
        spec: &FeatureSpec,
        kind: Kind,
        sink: &mut dyn VersionSink,
    ) -> Result<(FeatureId, Kind), SourceError> {
        let def = FeatureDef { name: spec.name.clone(), kind: kind.feature_kind(), order: spec.order };
        let known = sink.schema().feature(owner, &spec.name).map(|(_, def)| def.kind);
        let kind = match known {
            None => kind,
            Some(known) if known == kind.feature_kind() => kind,
            // What could be widened was, before the first record.
            Some(known) if known.wider(kind.feature_kind()).is_some() => Kind::Plain(known),
            Some(known) => {
                let (name, owner) = (&spec.name, sink.schema().owner_name(owner));
                return Err(self.fail(format!(
                    "feature `{name}` of {owner} holds {known} in this graph, and {} in the mapping: give it another name, \
                     or the kind that it has",
                    kind.feature_kind()
                )));
            }
        };
        sink.schema().add_feature(owner, def).map(|id| (id, kind)).ok_or_else(|| self.full())
    }
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

fn column(rows: &mut dyn Rows, name: &str) -> Result<usize, SourceError> {
    let found = rows.column(name).ok_or("is not there".to_owned());
    found.and_then(|at| rows.want(at).map(|()| at)).map_err(|problem| SourceError::Columns {
        file: "".into(),
        problem: format!("the mapping asks for column `{name}`, which {problem}"),
        columns: rows.columns().join(", "),
    })
}

/// The name that all rows have.
pub(super) fn constant(named: &Named) -> Option<Name> {
    match named {
        Named::Constant(name) => Some(name.as_str().into()),
        Named::Column(_) => None,
    }
}

/// A name for all rows, or where it stands.
enum Place {
    Constant(Name),
    Column(usize),
}

impl Place {
    fn of(named: &Named, rows: &mut dyn Rows) -> Result<Place, SourceError> {
        Ok(match named {
            Named::Constant(name) => Place::Constant(name.as_str().into()),
            Named::Column(name) => Place::Column(column(rows, name)?),
        })
    }

    fn column(&self) -> Option<usize> {
        match self {
            Place::Constant(_) => None,
            Place::Column(at) => Some(*at),
        }
    }

    fn name<'r>(&'r self, rows: &'r dyn Rows) -> Result<Cow<'r, str>, String> {
        match self {
            Place::Constant(name) => Ok(Cow::Borrowed(name)),
            Place::Column(at) => needed(rows, *at),
        }
    }
}

struct EndPlace {
    node_type: Place,
    id: usize,
}

impl EndPlace {
    fn of(end: &End, rows: &mut dyn Rows) -> Result<EndPlace, SourceError> {
        Ok(EndPlace { node_type: Place::of(&end.node_type, rows)?, id: column(rows, &end.column.0)? })
    }

    fn columns(&self) -> impl Iterator<Item = usize> {
        [Some(self.id), self.node_type.column()].into_iter().flatten()
    }
}

struct EdgePlaces {
    relation: Place,
    source: EndPlace,
    destination: EndPlace,
    key: Option<usize>,
}

fn column_name(rows: &dyn Rows, at: usize) -> &str {
    rows.columns().get(at).map_or("", |name| name)
}

/// The id in a cell; `None` if it is empty.
fn id(rows: &dyn Rows, at: usize) -> Result<Option<Cow<'_, str>>, String> {
    rows.cell(at).id().map_err(|problem| format!("column `{}`: {problem}", column_name(rows, at)))
}

/// The id in a cell that must not be empty.
fn needed(rows: &dyn Rows, at: usize) -> Result<Cow<'_, str>, String> {
    id(rows, at)?.ok_or_else(|| format!("column `{}` is empty", column_name(rows, at)))
}

/// The columns that are features.
pub(super) struct Columns {
    pub(super) specs: Vec<FeatureSpec>,
    /// The places of the specs' columns.
    pub(super) places: Vec<usize>,
    /// The specs of each place.
    at_place: FxHashMap<usize, Vec<usize>>,
    /// Whether all columns without another meaning are features.
    all: bool,
    except: FxHashSet<String>,
    /// Columns with another meaning.
    taken: FxHashSet<usize>,
    /// Columns looked at so far.
    seen: usize,
}

impl Columns {
    /// Finds the columns of the features; those of an open table as they come. Of all columns, one that cannot be read is
    /// left out with a warning.
    fn follow(&mut self, push: &Push<'_>, rows: &mut dyn Rows, sink: &mut dyn VersionSink) -> Result<(), SourceError> {
        while self.places.len() < self.specs.len() {
            let at = column(rows, &self.specs[self.places.len()].column)?;
            self.place(at);
        }
        while self.all && self.seen < rows.columns().len() {
            let (at, name) = (self.seen, rows.columns()[self.seen].clone());
            self.seen += 1;
            if self.taken.contains(&at) || self.except.contains(&name) {
                continue;
            }
            if RESERVED.contains(&name.as_str()) {
                return Err(push.fail(format!(
                    "column `{name}` has a reserved name: list the features and give it another, such as \
                     `source_{} = {{ column = \"{name}\" }}`, or leave it out with `except = [\"{name}\"]`",
                    name.trim_start_matches('_')
                )));
            }
            if self.specs.len() == MOST_FEATURES {
                return Err(push.fail(many_columns(rows.columns().len())));
            }
            if let Err(problem) = rows.want(at) {
                sink.warn(0, format!("column `{name}` is left out: it {problem}"));
                continue;
            }
            let spec = FeatureSpec { name: name.as_str().into(), column: name, kind: None, order: ListOrder::List };
            self.specs.push(spec);
            self.place(at);
        }
        Ok(())
    }

    /// The place of the first spec that has none.
    fn place(&mut self, at: usize) {
        self.at_place.entry(at).or_default().push(self.places.len());
        self.places.push(at);
    }
}

/// The types of one entry, declared when a row first names them.
struct Types<'a> {
    push: &'a Push<'a>,
    columns: Columns,
    bound: Vec<(String, Bound)>,
    /// The places of the labels.
    at_label: FxHashMap<String, usize>,
    /// Where the types of the row before are: most rows have those of the row before.
    last: usize,
    label: String,
}

impl<'a> Types<'a> {
    fn new(push: &'a Push<'a>, features: &Features, except: &[String]) -> Types<'a> {
        let (specs, all) = match features {
            Features::All => (Vec::new(), true),
            Features::Listed(specs) => (specs.clone(), false),
        };
        let except = except.iter().cloned().collect();
        let (places, at_place) = (Vec::new(), FxHashMap::default());
        let columns = Columns { specs, places, at_place, all, except, taken: FxHashSet::default(), seen: 0 };
        Types { push, columns, bound: Vec::new(), at_label: FxHashMap::default(), last: 0, label: String::new() }
    }

    /// Finds the owner that the row names.
    fn bind(&mut self, names: &[&str], sink: &mut dyn VersionSink) -> Result<(), SourceError> {
        self.label.clear();
        for name in names {
            self.label.push_str(name);
            // No name holds one: it keeps the names apart.
            self.label.push('\0');
        }
        if self.bound.get(self.last).is_none_or(|(label, _)| *label != self.label) {
            self.last = match self.at_label.get(&self.label) {
                Some(known) => *known,
                None => {
                    let names: Vec<Name> = names.iter().map(|name| Name::from(*name)).collect();
                    self.bound.push((self.label.clone(), self.push.owner(&names, sink)?));
                    self.at_label.insert(self.label.clone(), self.bound.len() - 1);
                    self.bound.len() - 1
                }
            };
        }
        Ok(())
    }

    /// The owner that the row names, with its features, and the values of the row.
    fn values<'r>(
        &mut self,
        names: &[&str],
        rows: &'r dyn Rows,
        sink: &mut dyn VersionSink,
    ) -> Result<(&Bound, Values<'r>), Problem> {
        self.bind(names, sink)?;
        let (_, bound) = &mut self.bound[self.last];
        let (columns, push) = (&self.columns, self.push);
        bound.features.resize(columns.specs.len(), None);
        let mut values = Vec::new();
        let mut read = |feature: usize| {
            let value = bound.value(push, (columns, feature), rows, &mut *sink);
            value.map(|value| values.extend(value))
        };
        match rows.present() {
            None => (0..columns.specs.len()).try_for_each(read)?,
            Some(present) => {
                let features = present.iter().filter_map(|place| columns.at_place.get(place));
                features.flatten().try_for_each(|feature| read(*feature))?;
            }
        }
        Ok((bound, values))
    }

    fn node(
        &mut self,
        rows: &mut dyn Rows,
        node_type: &Place,
        at: usize,
        sink: &mut dyn VersionSink,
    ) -> Result<(), Problem> {
        self.columns.follow(self.push, rows, sink)?;
        let rows = &*rows;
        let (id, name) = (needed(rows, at)?, node_type.name(rows)?);
        let told = || Unreadable::Node(key(&name, &id));
        let (bound, values) = self.values(&[&name], rows, sink).map_err(|problem| problem.of(told))?;
        sink.node(bound.nodes[0], &id, &refs(&values), rows.line());
        Ok(())
    }

    fn edge(&mut self, rows: &mut dyn Rows, places: &EdgePlaces, sink: &mut dyn VersionSink) -> Result<(), Problem> {
        self.columns.follow(self.push, rows, sink)?;
        let rows = &*rows;
        let source = needed(rows, places.source.id)?;
        let Some(destination) = id(rows, places.destination.id)? else { return Ok(()) };
        let names = [
            places.source.node_type.name(rows)?,
            places.relation.name(rows)?,
            places.destination.node_type.name(rows)?,
        ];
        let key = places.key.map(|at| id(rows, at)).transpose()?.flatten();
        let told = || {
            Unreadable::Edge(EdgeKey {
                source: self::key(&names[0], &source),
                relation: Name::from(&*names[1]),
                destination: self::key(&names[2], &destination),
                key: key.as_deref().map(Name::from),
            })
        };
        let values = self.values(&names.each_ref().map(|name| &**name), rows, sink);
        let (bound, values) = values.map_err(|problem| problem.of(told))?;
        sink.edge(bound.edge, (&source, &destination), key.as_deref(), &refs(&values), rows.line());
        Ok(())
    }

    fn merge(
        &mut self,
        rows: &mut dyn Rows,
        from: &EndPlace,
        into: &EndPlace,
        sink: &mut dyn VersionSink,
    ) -> Result<(), Problem> {
        self.columns.follow(self.push, rows, sink)?;
        let rows = &*rows;
        let old = needed(rows, from.id)?;
        let Some(new) = id(rows, into.id)? else { return Ok(()) };
        let types = [from.node_type.name(rows)?, into.node_type.name(rows)?];
        let [from, into] = self.node_types(&types, sink)?;
        let (_, values) = self.values(&[], rows, sink)?;
        sink.merge((from, &old), (into, &new), &refs(&values), rows.line());
        Ok(())
    }

    fn deleted(
        &mut self,
        rows: &mut dyn Rows,
        node_type: &Place,
        at: usize,
        sink: &mut dyn VersionSink,
    ) -> Result<(), Problem> {
        let rows = &*rows;
        let (id, name) = (needed(rows, at)?, node_type.name(rows)?);
        let [node_type] = self.node_types(&[name], sink)?;
        sink.deleted(node_type, &id, rows.line());
        Ok(())
    }

    fn node_types<const N: usize>(
        &self,
        names: &[Cow<'_, str>; N],
        sink: &mut dyn VersionSink,
    ) -> Result<[NodeTypeId; N], SourceError> {
        let mut ids = [NodeTypeId(0); N];
        for (id, name) in ids.iter_mut().zip(names) {
            *id = match sink.schema().node_type(name) {
                Some(known) => known,
                None => sink.schema().add_node_type(&Name::from(&**name)).ok_or_else(|| self.push.full())?,
            };
        }
        Ok(ids)
    }
}

fn key(node_type: &str, id: &str) -> NodeKey {
    NodeKey { node_type: node_type.into(), id: ExternalId::from(id) }
}

fn refs<'v>(values: &'v [(FeatureId, Made<'_>)]) -> Vec<(FeatureId, ValueRef<'v>)> {
    values.iter().map(|(id, value)| (*id, value.as_ref())).collect()
}
