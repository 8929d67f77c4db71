//! What can be asked: the views with their columns, and the functions with their signatures.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::{ArrowError, DataType, Field, Schema};

use crate::asked::{Asked, Moment};
use crate::scalar;
use crate::signature::{FUNCTIONS, TableFunction};

/// A view or a function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableInfo {
    /// Its name; of the view of a relation, all of it stands in double quotes in a query.
    pub name: String,
    /// What it is.
    pub kind: TableKind,
    /// The columns of a view, each with its type; none of a function, whose columns follow from its arguments.
    pub columns: Vec<(String, DataType)>,
    /// How a function is called: `neighbors(type, id, side =>, ...)`.
    pub signature: Option<String>,
}

/// A view, a function that gives rows, or one that gives a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum TableKind {
    View,
    TableFunction,
    ScalarFunction,
}

impl TableKind {
    /// As a word: `view`, `table function`, `scalar function`.
    pub fn name(self) -> &'static str {
        match self {
            TableKind::View => "view",
            TableKind::TableFunction => "table function",
            TableKind::ScalarFunction => "scalar function",
        }
    }
}

pub(crate) fn tables(asked: &Asked) -> Vec<TableInfo> {
    let view = |name: String| {
        // A name that two types share has no view; ask nodes(...) or edges(...).
        let table = asked.table(&name, Moment::default()).ok().flatten()?;
        let columns =
            table.schema().fields().iter().map(|field| (field.name().clone(), field.data_type().clone())).collect();
        Some(TableInfo { name, kind: TableKind::View, columns, signature: None })
    };
    let function = |name: &str, kind, signature: String| TableInfo {
        name: name.to_owned(),
        kind,
        columns: Vec::new(),
        signature: Some(signature),
    };
    let table = |of: &TableFunction| function(of.name, TableKind::TableFunction, of.signature());
    let value = |(name, signature): &(&str, &str)| function(name, TableKind::ScalarFunction, (*signature).to_owned());
    let views = asked.names().into_iter().filter_map(view);
    views.chain(FUNCTIONS.iter().map(table)).chain(scalar::SIGNATURES.iter().map(value)).collect()
}

/// The same as rows.
pub(crate) fn batch(tables: &[TableInfo]) -> Result<RecordBatch, ArrowError> {
    let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
    let schema =
        Schema::new(vec![text("name", false), text("kind", false), text("columns", false), text("signature", true)]);
    let names = |of: &TableInfo| of.columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(tables.iter().map(|of| &of.name))),
        Arc::new(StringArray::from_iter_values(tables.iter().map(|of| of.kind.name()))),
        Arc::new(StringArray::from_iter_values(tables.iter().map(names))),
        Arc::new(StringArray::from_iter(tables.iter().map(|of| of.signature.as_deref()))),
    ];
    RecordBatch::try_new(Arc::new(schema), columns)
}
