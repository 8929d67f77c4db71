//! What a view answers as tables.

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use timeweft::read::{EdgeType, GraphView};
use timeweft::sample::Side;
use timeweft::{At, Deletes, EdgeKey, Interval, NodeKey, Time};
use timeweft_arrow::{Relation, Selected};

use crate::answer;
use crate::table::Columns;
use crate::values;
use crate::view::View;

/// A moment in ticks, and whether what was deleted is shown.
pub(crate) fn moment(tick: i64, soft: bool) -> At {
    At { time: Time(tick), deletes: if soft { Deletes::Soft } else { Deletes::Hard } }
}

/// The features that are shown; `None` stands for all.
pub(crate) fn selected(features: Option<Vec<String>>) -> Selected {
    match features {
        None => Selected::All,
        Some(names) if names.is_empty() => Selected::None,
        Some(names) => Selected::Named(names),
    }
}

/// When it began and ended, in ticks; an open end is `None`.
fn life(life: Interval) -> (i64, Option<i64>) {
    (life.created.0, (!life.is_open()).then_some(life.removed.0))
}

/// A relation by its name, or with the types at its ends.
#[derive(FromPyObject)]
pub(crate) enum RelationName {
    Triple(String, String, String),
    #[pyo3(transparent)]
    Name(String),
}

impl RelationName {
    pub(crate) fn relation(name: &Option<RelationName>) -> Relation<'_> {
        match name {
            None => Relation::Any,
            Some(RelationName::Name(name)) => Relation::Named(name),
            Some(RelationName::Triple(source, name, destination)) => Relation::Triple(source, name, destination),
        }
    }
}

#[pymethods]
impl View {
    /// The nodes at a moment.
    fn nodes(
        &self,
        py: Python<'_>,
        tick: i64,
        soft: bool,
        node_type: Option<String>,
        features: Option<Vec<String>>,
    ) -> PyResult<Columns> {
        let (at, selected) = (moment(tick, soft), selected(features));
        answer::table(py, || timeweft_arrow::nodes(&self.view, at, node_type.as_deref(), &selected))
    }

    /// The edges at a moment.
    fn edges(
        &self,
        py: Python<'_>,
        tick: i64,
        soft: bool,
        relation: Option<RelationName>,
        features: Option<Vec<String>>,
    ) -> PyResult<Columns> {
        let (at, selected) = (moment(tick, soft), selected(features));
        answer::table(py, || timeweft_arrow::edges(&self.view, at, RelationName::relation(&relation), &selected))
    }

    /// How many nodes of each type there are, and how many edges of each edge type.
    #[expect(clippy::type_complexity, reason = "a tuple for Python")]
    fn counts(
        &self,
        py: Python<'_>,
        tick: i64,
        soft: bool,
    ) -> PyResult<(Vec<(String, usize)>, Vec<((String, String, String), usize)>)> {
        let at = moment(tick, soft);
        answer::asked(py, || {
            let schema = self.view.schema();
            let (nodes, edges) = self.view.index().counts_by_type(at);
            let nodes = schema.node_types().iter().zip(nodes).map(|(of, n)| (of.name.to_string(), n)).collect();
            let name = |id| schema.node_type_name(id).to_string();
            let triple = |of: &EdgeType| (name(of.source), of.relation.to_string(), name(of.destination));
            Ok((nodes, schema.edge_types().iter().zip(edges).map(|(of, n)| (triple(of), n)).collect()))
        })
    }

    /// The times of the first and the last event.
    fn span(&self, py: Python<'_>) -> PyResult<Option<(i64, i64)>> {
        answer::asked(py, || Ok(self.view.index().event_span().map(|(first, last)| (first.0, last.0))))
    }

    /// A node: its number, id, life, whether it is alive, and features; `None` if the moment does not show it.
    fn node<'py>(
        &self,
        py: Python<'py>,
        tick: i64,
        soft: bool,
        node_type: &str,
        id: &str,
    ) -> PyResult<Option<Bound<'py, PyTuple>>> {
        let at = moment(tick, soft);
        let key = NodeKey::new(node_type, id);
        let found = answer::asked(py, || {
            timeweft_arrow::known_type(&self.view, "type", node_type).map_err(answer::raised)?;
            let index = self.view.index();
            Ok(index.node_index(&key).zip(index.node(&key, at)))
        })?;
        let Some((number, state)) = found else { return Ok(None) };
        let features = values::features(py, state.features)?;
        let (created, removed) = life(state.life);
        let id = values::id(py, &state.key.id)?;
        Ok(Some((number.0, id, created, removed, !state.deleted, features).into_pyobject(py)?))
    }

    /// An edge: its number, life, whether it is alive, and features; `None` if the moment does not show it.
    #[expect(clippy::too_many_arguments, reason = "they come from Python by name")]
    fn edge<'py>(
        &self,
        py: Python<'py>,
        tick: i64,
        soft: bool,
        source: (String, String),
        relation: &str,
        destination: (String, String),
        key: Option<String>,
    ) -> PyResult<Option<Bound<'py, PyTuple>>> {
        let at = moment(tick, soft);
        let end = |(of_type, id): &(String, String)| NodeKey::new(of_type, id.as_str());
        let key = EdgeKey {
            source: end(&source),
            relation: relation.into(),
            destination: end(&destination),
            key: key.map(Into::into),
        };
        let found = answer::asked(py, || {
            let triple = Relation::Triple(&source.0, relation, &destination.0);
            timeweft_arrow::edge_types(&self.view, triple).map_err(answer::raised)?;
            let index = self.view.index();
            Ok(index.edge_index_at(&key, at).map(|edge| (edge, index.edge_state(edge, at.time))))
        })?;
        let Some((number, state)) = found else { return Ok(None) };
        let features = values::features(py, state.features)?;
        let (created, removed) = life(state.life);
        Ok(Some((number.0, created, removed, !state.deleted, features).into_pyobject(py)?))
    }

    /// The edges at a node.
    #[expect(clippy::too_many_arguments, reason = "they come from Python by name")]
    fn neighbors(
        &self,
        py: Python<'_>,
        tick: i64,
        soft: bool,
        node_type: &str,
        id: &str,
        side: &str,
        relation: Option<String>,
    ) -> PyResult<Columns> {
        let at = moment(tick, soft);
        let key = NodeKey::new(node_type, id);
        let side = match side {
            "out" => Side::Out,
            "in" => Side::In,
            _ => Side::Both,
        };
        answer::table(py, || timeweft_arrow::neighbors(&self.view, at, &key, side, relation.as_deref()))
    }

    /// Everything that had happened to a node.
    fn history(&self, py: Python<'_>, tick: i64, node_type: &str, id: &str) -> PyResult<Columns> {
        let key = NodeKey::new(node_type, id);
        answer::table(py, || timeweft_arrow::history(&self.view, At::time(Time(tick)), &key))
    }

    /// All merges that ever held.
    fn merges(&self, py: Python<'_>) -> PyResult<Columns> {
        answer::table(py, || timeweft_arrow::merges(&self.view))
    }

    /// The node that a node has become: its type and id.
    fn resolve<'py>(
        &self,
        py: Python<'py>,
        tick: i64,
        node_type: &str,
        id: &str,
    ) -> PyResult<(String, Bound<'py, PyAny>)> {
        let key = NodeKey::new(node_type, id);
        let last = answer::asked(py, || {
            timeweft_arrow::known_type(&self.view, "type", node_type).map_err(answer::raised)?;
            Ok(self.view.index().resolve(&key, Time(tick)))
        })?;
        Ok((last.node_type.to_string(), values::id(py, &last.id)?))
    }

    /// The events of a span of time.
    fn events(&self, py: Python<'_>, start: i64, end: i64) -> PyResult<Columns> {
        answer::table(py, || timeweft_arrow::events(&self.view, Time(start), Time(end)))
    }
}
