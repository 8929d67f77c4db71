//! Tables with a moment or with arguments, planned before the engine sees them.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::common::{DFSchema, Result as EngineResult, ScalarValue, TableReference};
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::LogicalPlanBuilder;
use datafusion::logical_expr::planner::{PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning};
use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, Ident, ObjectName, TableAlias, TableFactor, TableVersion,
};

use crate::asked::{Asked, Moment};
use crate::clauses::{parts, table_factor};
use crate::signature::{FUNCTIONS, TableFunction};
use crate::{Error, Result, moment};

/// Table functions of the engine.
const OF_ENGINE: [&str; 2] = ["generate_series", "range"];

/// Plans tables of a graph.
#[derive(Debug)]
pub(crate) struct Planner {
    pub(crate) asked: Arc<Asked>,
}

impl RelationPlanner for Planner {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> EngineResult<RelationPlanning> {
        table_factor(&relation)?;
        match relation {
            TableFactor::Table { name, alias, version: Some(version), .. } => {
                self.versioned(&name, alias, &version, context)
            }
            TableFactor::Table { ref name, args: Some(ref arguments), ref alias, .. } => {
                match self.function(name, &arguments.args, alias.clone(), context)? {
                    Some(planned) => Ok(planned),
                    None => Ok(RelationPlanning::Original(Box::new(relation))),
                }
            }
            TableFactor::Function { ref name, ref args, ref alias, .. } => {
                match self.function(name, args, alias.clone(), context)? {
                    Some(planned) => Ok(planned),
                    None => Ok(RelationPlanning::Original(Box::new(relation))),
                }
            }
            // `user.buys.item` is a view, not a table of a schema of a catalogue.
            TableFactor::Table { ref name, ref alias, .. } if name.0.len() > 1 => {
                let (name, alias) = (joined(name, false), alias.clone());
                let table = self.table(&name, Moment::default())?;
                Ok(planned(name, table, alias)?)
            }
            // A name alone may be that of a common table expression, which the engine alone knows.
            other => Ok(RelationPlanning::Original(Box::new(other))),
        }
    }
}

impl Planner {
    fn table(&self, name: &str, moment: Moment) -> Result<Arc<dyn TableProvider>> {
        let found = self.asked.table(name, moment)?;
        found.ok_or_else(|| Error::Unknown { what: "table", name: name.into(), known: self.asked.names() })
    }

    fn versioned(
        &self,
        name: &ObjectName,
        alias: Option<TableAlias>,
        version: &TableVersion,
        context: &mut dyn RelationPlannerContext,
    ) -> EngineResult<RelationPlanning> {
        let unit = self.asked.default_view().unit();
        let moment = match version {
            TableVersion::TimestampAsOf(expression) => {
                let wrong = |problem| wrong("TIMESTAMP AS OF", problem);
                let value = value(expression, context).map_err(wrong)?;
                let time = moment::time(&value, unit).map_err(wrong)?;
                let time = time.ok_or_else(|| wrong("null is no time: write 'now' for the end of time".into()))?;
                Moment { at: Some(time), ..Moment::default() }
            }
            TableVersion::VersionAsOf(expression) => self.commit("VERSION AS OF", expression, context)?,
            TableVersion::ForSystemTimeAsOf(expression) => self.commit("FOR SYSTEM_TIME AS OF", expression, context)?,
            TableVersion::Function(_) | TableVersion::Changes { .. } => {
                return Err(Error::clause(version.to_string(), "write TIMESTAMP AS OF or VERSION AS OF").into());
            }
        };
        let name = joined(name, false);
        let table = self.table(&name, moment)?;
        Ok(planned(name, table, alias)?)
    }

    fn commit(&self, clause: &str, expression: &Expr, context: &mut dyn RelationPlannerContext) -> Result<Moment> {
        let value = value(expression, context).map_err(|problem| wrong(clause, problem))?;
        let commit = moment::commit(&value).map_err(|problem| wrong(clause, problem))?;
        let commit = commit.ok_or_else(|| wrong(clause, "null is no commit".into()))?;
        Ok(Moment { commit: Some(commit), ..Moment::default() })
    }

    /// A function of a graph; `None` for one of the engine.
    fn function(
        &self,
        name: &ObjectName,
        arguments: &[FunctionArg],
        alias: Option<TableAlias>,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<Option<RelationPlanning>> {
        let name = joined(name, true);
        if OF_ENGINE.contains(&name.as_str()) {
            return Ok(None);
        }
        let Some(function) = TableFunction::find(&name) else {
            let known = FUNCTIONS.iter().map(TableFunction::signature);
            let known = known.chain(OF_ENGINE.map(|name| format!("{name}(start, stop, step)"))).collect();
            return Err(Error::Unknown { what: "table function", name, known });
        };
        let mut given = Vec::with_capacity(arguments.len());
        for (place, argument) in arguments.iter().enumerate() {
            let (label, expression) = match argument {
                FunctionArg::Named { name, arg: FunctionArgExpr::Expr(expression), .. } => {
                    (Some(label(name)), expression)
                }
                FunctionArg::ExprNamed {
                    name: Expr::Identifier(name), arg: FunctionArgExpr::Expr(expression), ..
                } => (Some(label(name)), expression),
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expression)) => (None, expression),
                other => {
                    let problem = format!("`{other}` is no value");
                    return Err(Error::argument(&name, &(place + 1).to_string(), problem));
                }
            };
            let shown = label.clone().unwrap_or_else(|| {
                function
                    .parameters
                    .get(place)
                    .map_or_else(|| (place + 1).to_string(), |parameter| parameter.name.into())
            });
            let value = value(expression, context).map_err(|problem| Error::argument(&name, &shown, problem))?;
            given.push((label, value));
        }
        let bound = function.bind(given, self.asked.default_view().unit())?;
        let table = self.asked.call(&bound)?;
        Ok(Some(planned(name, table, alias)?))
    }
}

fn label(name: &Ident) -> String {
    name.value.to_ascii_lowercase()
}

fn wrong(clause: &str, problem: String) -> Error {
    Error::Moment { clause: clause.into(), problem, hint: None }
}

/// A name with its dots, as it is written; what stands without quotes in small letters, if it is to be folded.
fn joined(name: &ObjectName, fold: bool) -> String {
    let one = |ident: &&Ident| match ident.quote_style {
        None if fold => ident.value.to_ascii_lowercase(),
        _ => ident.value.clone(),
    };
    let parts = parts(name).unwrap_or_default();
    parts.iter().map(one).collect::<Vec<_>>().join(".")
}

/// The value of a constant; the columns of no table are known to it.
fn value(expression: &Expr, context: &mut dyn RelationPlannerContext) -> Result<ScalarValue, String> {
    let planned = context.sql_to_expr(expression.clone(), &DFSchema::empty());
    let planned = planned.map_err(|error| match Error::from(error) {
        Error::Unknown { .. } => {
            format!("`{expression}` is no constant: columns are read by the scalar functions, such as feature_at and degree_at")
        }
        other => other.to_string(),
    })?;
    moment::constant(planned)
}

fn planned(name: String, table: Arc<dyn TableProvider>, alias: Option<TableAlias>) -> Result<RelationPlanning> {
    let scan = LogicalPlanBuilder::scan(TableReference::bare(name), provider_as_source(table), None)?;
    Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(scan.build()?, alias))))
}
