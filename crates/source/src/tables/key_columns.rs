//! The columns in which the ids, types and keys of an entry stand.

use std::borrow::Cow;

use timeweft_graph::Name;

use super::mapping::{End, Named};
use super::rows::Rows;
use crate::SourceError;

/// The place of a column that the mapping names.
pub(crate) fn column(rows: &mut dyn Rows, name: &str) -> Result<usize, SourceError> {
    let found = rows.column(name).ok_or("is not there".to_owned());
    found.and_then(|at| rows.want(at).map(|()| at)).map_err(|problem| SourceError::Columns {
        file: "".into(),
        problem: format!("the mapping asks for column `{name}`, which {problem}"),
        columns: rows.columns().join(", "),
    })
}

/// A name for all rows, or where it stands.
pub(crate) enum NameSource {
    Constant(Name),
    Column(usize),
}

impl NameSource {
    pub(crate) fn of(named: &Named, rows: &mut dyn Rows) -> Result<NameSource, SourceError> {
        Ok(match named {
            Named::Constant(name) => NameSource::Constant(name.as_str().into()),
            Named::Column(name) => NameSource::Column(column(rows, name)?),
        })
    }

    pub(crate) fn column(&self) -> Option<usize> {
        match self {
            NameSource::Constant(_) => None,
            NameSource::Column(at) => Some(*at),
        }
    }

    pub(crate) fn name<'r>(&'r self, rows: &'r dyn Rows) -> Result<Cow<'r, str>, String> {
        match self {
            NameSource::Constant(name) => Ok(Cow::Borrowed(name)),
            NameSource::Column(at) => needed(rows, *at),
        }
    }
}

/// One end of an edge or a merge.
pub(crate) struct EndColumns {
    pub(crate) node_type: NameSource,
    pub(crate) id: usize,
}

impl EndColumns {
    pub(crate) fn of(end: &End, rows: &mut dyn Rows) -> Result<EndColumns, SourceError> {
        Ok(EndColumns { node_type: NameSource::of(&end.node_type, rows)?, id: column(rows, &end.column.0)? })
    }

    pub(crate) fn columns(&self) -> impl Iterator<Item = usize> {
        [Some(self.id), self.node_type.column()].into_iter().flatten()
    }
}

/// Where the parts of an edge stand.
pub(crate) struct EdgeColumns {
    pub(crate) relation: NameSource,
    pub(crate) source: EndColumns,
    pub(crate) destination: EndColumns,
    pub(crate) key: Option<usize>,
}

fn column_name(rows: &dyn Rows, at: usize) -> &str {
    rows.columns().get(at).map_or("", |name| name)
}

/// The id in a cell; `None` if it is empty.
pub(crate) fn id(rows: &dyn Rows, at: usize) -> Result<Option<Cow<'_, str>>, String> {
    rows.cell(at).id().map_err(|problem| format!("column `{}`: {problem}", column_name(rows, at)))
}

/// The id in a cell that must not be empty.
pub(crate) fn needed(rows: &dyn Rows, at: usize) -> Result<Cow<'_, str>, String> {
    id(rows, at)?.ok_or_else(|| format!("column `{}` is empty", column_name(rows, at)))
}
