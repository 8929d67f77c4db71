//! Features of one owner, and their values in a row.

use timeweft_graph::{EdgeTypeId, FeatureId, Name, NodeTypeId, Owner, Sink};

use super::cell::{Cell, Made};
use super::context::Context;
use super::feature_columns::FeatureColumns;
use super::kind::Kind;
use super::mapping::FeatureSpec;
use super::problem::Problem;
use super::rows::Rows;
use crate::SourceError;

/// An owner of features with the numbers of its features, by the places of [`FeatureColumns::specs`].
pub(crate) struct Bound {
    pub(crate) owner: Owner,
    pub(crate) nodes: [NodeTypeId; 2],
    pub(crate) edge: EdgeTypeId,
    pub(crate) features: Vec<Option<Known>>,
}

impl Bound {
    /// The owner of features: `[node type]`, `[source type, relation, destination type]`, or `[]` of merges.
    pub(crate) fn of(names: &[Name], context: &Context<'_>, sink: &mut dyn Sink) -> Result<Bound, SourceError> {
        let schema = sink.schema();
        let mut node_type = |name: &Name| schema.add_node_type(name).ok_or_else(|| context.full());
        let (owner, nodes, edge) = match names {
            [name] => {
                let id = node_type(name)?;
                (Owner::Node(id), [id; 2], EdgeTypeId(0))
            }
            [source, relation, destination] => {
                let (source, destination) = (node_type(source)?, node_type(destination)?);
                let edge = schema.add_edge_type(source, relation, destination).ok_or_else(|| context.full())?;
                (Owner::Edge(edge), [source, destination], edge)
            }
            _ => (Owner::Merge, [NodeTypeId(0); 2], EdgeTypeId(0)),
        };
        Ok(Bound { owner, nodes, edge, features: Vec::new() })
    }

    /// The value of a feature in a row; the feature is declared when it first has one.
    pub(crate) fn value<'r>(
        &mut self,
        context: &Context<'_>,
        (columns, feature): (&FeatureColumns, usize),
        rows: &'r dyn Rows,
        sink: &mut dyn Sink,
    ) -> Result<Option<(FeatureId, Made<'r>)>, Problem> {
        let (spec, at) = (&columns.specs[feature], columns.places[feature]);
        let problem = |problem: String| format!("column `{}`: {problem}", spec.column);
        let known = match &mut self.features[feature] {
            Some(known) => known,
            unknown => {
                let Some(kind) = kind(spec, at, self.owner, rows, sink).map_err(problem)? else { return Ok(None) };
                let (id, kind) = context.declare(self.owner, spec, kind, sink)?;
                unknown.insert(Known { id, kind, fits: false })
            }
        };
        let cell = rows.cell(at);
        if known.kind == Kind::Time {
            context.floored.borrow_mut().look(&cell, context.unit, rows.line());
        }
        match cell.value(known.kind, context.unit) {
            Ok(None) => Ok(None),
            Ok(Some(value)) => {
                if !std::mem::replace(&mut known.fits, true) {
                    context.drift.fits(self.owner, spec);
                }
                Ok(Some((known.id, value.canonical(spec.order))))
            }
            Err(misfit) => {
                context.drift.misfit(self.owner, spec, rows.line(), &misfit);
                Err(problem(misfit).into())
            }
        }
    }
}

/// A feature, how its cells are read, and whether one of them fitted.
#[derive(Clone, Copy)]
pub(crate) struct Known {
    id: FeatureId,
    kind: Kind,
    fits: bool,
}

/// The kind of a feature: as the mapping says, as the graph knows it, as the file declares it, as the first cell looks that shows it;
/// `None` while there is no cell to look at.
fn kind(
    spec: &FeatureSpec,
    at: usize,
    owner: Owner,
    rows: &dyn Rows,
    sink: &mut dyn Sink,
) -> Result<Option<Kind>, String> {
    if spec.kind.is_some() {
        return Ok(spec.kind);
    }
    let cell = rows.cell(at);
    if rows.declared(at).is_none() && matches!(cell, Cell::Null) {
        return Ok(None);
    }
    let known = sink.schema().feature(owner, &spec.name).map(|(_, def)| def.kind);
    match Kind::of_column(rows.declared(at), known, sink.schema().unit()) {
        Some(kind) => Ok(Some(kind)),
        None => Ok(cell.looks_like()?.or_else(|| rows.kind_ahead(at))),
    }
}
