//! What a view answers as tables.

use pyo3::prelude::*;
use timeweft::{At, Deletes, Time};
use timeweft_arrow::{Relation, Selected};

use crate::answer;
use crate::table::Columns;
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

    /// The events of a span of time.
    fn events(&self, py: Python<'_>, start: i64, end: i64) -> PyResult<Columns> {
        answer::table(py, || timeweft_arrow::events(&self.view, Time(start), Time(end)))
    }
}
