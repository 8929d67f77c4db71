//! The types of an entry, and the records that its rows make.

use std::borrow::Cow;

use rustc_hash::FxHashMap;
use timeweft_graph::{EdgeKey, ExternalId, FeatureId, Name, NodeKey, NodeTypeId, Sink, Unreadable, ValueRef};

use super::bound::Bound;
use super::cell::Cell;
use super::cell::Made;
use super::context::Context;
use super::feature_columns::FeatureColumns;
use super::key_columns::{EdgeColumns, EndColumns, NameSource, id, needed};
use super::mapping::Features;
use super::problem::Problem;
use super::rows::Rows;
use crate::SourceError;

/// Features of a row with their values.
type Values<'r> = Vec<(FeatureId, Made<'r>)>;

/// The types of one entry, declared when a row first names them.
pub(crate) struct Types<'a> {
    context: &'a Context<'a>,
    pub(crate) columns: FeatureColumns,
    bound: Vec<(String, Bound)>,
    /// The places of the labels.
    at_label: FxHashMap<String, usize>,
    /// Where the types of the row before are: most rows have those of the row before.
    last: usize,
    label: String,
}

impl<'a> Types<'a> {
    pub(crate) fn new(context: &'a Context<'a>, features: &Features, except: &[String]) -> Types<'a> {
        let columns = FeatureColumns::new(features, except);
        Types { context, columns, bound: Vec::new(), at_label: FxHashMap::default(), last: 0, label: String::new() }
    }

    /// Finds the owner that the row names.
    fn bind(&mut self, names: &[&str], sink: &mut dyn Sink) -> Result<(), SourceError> {
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
                    self.bound.push((self.label.clone(), Bound::of(&names, self.context, sink)?));
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
        sink: &mut dyn Sink,
    ) -> Result<(&Bound, Values<'r>), Problem> {
        self.bind(names, sink)?;
        let (_, bound) = &mut self.bound[self.last];
        let (columns, context) = (&self.columns, self.context);
        bound.features.resize(columns.specs.len(), None);
        let mut values = Vec::new();
        let mut read = |feature: usize| {
            let value = bound.value(context, (columns, feature), rows, &mut *sink);
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

    /// The features that a row sets, by name: an empty cell says that there is no value, one that is not there and one that
    /// is `left_out` say nothing.
    pub(crate) fn features(
        &mut self,
        names: &[&str],
        rows: &dyn Rows,
        left_out: impl Fn(&Cell<'_>) -> bool,
        sink: &mut dyn Sink,
    ) -> Result<timeweft_graph::Features, Problem> {
        self.bind(names, sink)?;
        let (_, bound) = &mut self.bound[self.last];
        let (columns, context) = (&self.columns, self.context);
        bound.features.resize(columns.specs.len(), None);
        let mut set = timeweft_graph::Features::new();
        let mut read = |feature: usize| -> Result<(), Problem> {
            if !left_out(&rows.cell(columns.places[feature])) {
                let value = bound.value(context, (columns, feature), rows, &mut *sink)?;
                let value = value.map(|(_, made)| made.as_ref().to_value());
                set.push((columns.specs[feature].name.clone(), value));
            }
            Ok(())
        };
        match rows.present() {
            None => (0..columns.specs.len()).try_for_each(read)?,
            Some(present) => {
                let features = present.iter().filter_map(|place| columns.at_place.get(place));
                features.flatten().try_for_each(|feature| read(*feature))?;
            }
        }
        Ok(set)
    }

    pub(super) fn node(
        &mut self,
        rows: &mut dyn Rows,
        node_type: &NameSource,
        at: usize,
        sink: &mut dyn Sink,
    ) -> Result<(), Problem> {
        self.columns.follow(self.context, rows, sink)?;
        let rows = &*rows;
        let (id, name) = (needed(rows, at)?, node_type.name(rows)?);
        let told = || Unreadable::Node(key(&name, &id));
        let (bound, values) = self.values(&[&name], rows, sink).map_err(|problem| problem.of(told))?;
        sink.node(bound.nodes[0], &id, &refs(&values), rows.line());
        Ok(())
    }

    pub(super) fn edge(
        &mut self,
        rows: &mut dyn Rows,
        places: &EdgeColumns,
        sink: &mut dyn Sink,
    ) -> Result<(), Problem> {
        self.columns.follow(self.context, rows, sink)?;
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

    pub(super) fn merge(
        &mut self,
        rows: &mut dyn Rows,
        from: &EndColumns,
        into: &EndColumns,
        sink: &mut dyn Sink,
    ) -> Result<(), Problem> {
        self.columns.follow(self.context, rows, sink)?;
        let rows = &*rows;
        let old = needed(rows, from.id)?;
        let Some(new) = id(rows, into.id)? else { return Ok(()) };
        let types = [from.node_type.name(rows)?, into.node_type.name(rows)?];
        let [from, into] = self.node_types(&types, sink)?;
        let (_, values) = self.values(&[], rows, sink)?;
        sink.merge((from, &old), (into, &new), &refs(&values), rows.line());
        Ok(())
    }

    pub(super) fn deleted(
        &mut self,
        rows: &mut dyn Rows,
        node_type: &NameSource,
        at: usize,
        sink: &mut dyn Sink,
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
        sink: &mut dyn Sink,
    ) -> Result<[NodeTypeId; N], SourceError> {
        let mut ids = [NodeTypeId(0); N];
        for (id, name) in ids.iter_mut().zip(names) {
            *id = match sink.schema().node_type(name) {
                Some(known) => known,
                None => sink.schema().add_node_type(&Name::from(&**name)).ok_or_else(|| self.context.full())?,
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
