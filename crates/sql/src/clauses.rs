//! What the grammar knows and the engine leaves out in silence: here it is an error that names the clause.
//!
//! The engine plans `FROM t TABLESAMPLE (10 PERCENT)`, `FOR UPDATE`, `PREWHERE` or `WITH ROLLUP` as if they were not written,
//! and an answer would look right. All that it drops is refused, wherever it stands.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    GroupByExpr, JoinOperator, LimitClause, ObjectName, OrderBy, OrderByKind, Query, Select, SetExpr, Statement,
    TableAlias, TableFactor, TableVersion, TableWithJoins, Visit, Visitor, With,
};

use crate::{Error, Result};

/// Looks through a statement.
///
/// # Errors
/// The first clause that is not understood.
pub(crate) fn check(statement: &Statement) -> Result<()> {
    let mut names = Names::default();
    _ = statement.visit(&mut names);
    match statement.visit(&mut Refuse { names }) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// The names of common table expressions.
#[derive(Default)]
struct Names(Vec<String>);

impl Visitor for Names {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let tables = query.with.iter().flat_map(|with| &with.cte_tables);
        self.0.extend(tables.map(|table| table.alias.name.value.clone()));
        ControlFlow::Continue(())
    }
}

struct Refuse {
    names: Names,
}

type Flow = ControlFlow<Error>;

/// Goes on, or ends with the first clause of which something is there.
fn refuse(clauses: impl IntoIterator<Item = (bool, &'static str, &'static str)>) -> Flow {
    match clauses.into_iter().find(|(is_there, ..)| *is_there) {
        Some((_, clause, hint)) => ControlFlow::Break(Error::clause(clause, hint)),
        None => ControlFlow::Continue(()),
    }
}

const WITHOUT: &str = "write the query without it";

impl Visitor for Refuse {
    type Break = Error;

    fn pre_visit_statement(&mut self, statement: &Statement) -> Flow {
        match statement {
            Statement::Query(_) | Statement::Explain { .. } | Statement::ExplainTable { .. } => {
                ControlFlow::Continue(())
            }
            other => ControlFlow::Break(not_a_question(other)),
        }
    }

    fn pre_visit_query(&mut self, query: &Query) -> Flow {
        query.with.as_ref().map_or(ControlFlow::Continue(()), with)?;
        query.order_by.as_ref().map_or(ControlFlow::Continue(()), order_by)?;
        set_expression(&query.body)?;
        let by = matches!(&query.limit_clause, Some(LimitClause::LimitOffset { limit_by, .. }) if !limit_by.is_empty());
        refuse([
            (by, "LIMIT BY", "write row_number() OVER (PARTITION BY ...) in a subquery"),
            (!query.locks.is_empty(), "FOR UPDATE / FOR SHARE", "nothing is locked: a query reads one commit"),
            (query.for_clause.is_some(), "FOR XML / FOR JSON / FOR BROWSE", "choose the format where you ask"),
            (query.settings.is_some(), "SETTINGS", "the settings are SET timeweft.at, .commit and .deletes"),
            (query.format_clause.is_some(), "FORMAT", "choose the format where you ask"),
            (query.fetch.is_some(), "FETCH FIRST", "write LIMIT"),
        ])
    }

    fn pre_visit_select(&mut self, select: &Select) -> Flow {
        let grouping = match &select.group_by {
            GroupByExpr::All(modifiers) | GroupByExpr::Expressions(_, modifiers) => !modifiers.is_empty(),
        };
        select.from.iter().try_for_each(joins)?;
        refuse([
            (!select.optimizer_hints.is_empty(), "an optimizer hint", WITHOUT),
            (
                select.select_modifiers.is_some(),
                "a modifier of SELECT (STRAIGHT_JOIN, SQL_NO_CACHE and the like)",
                WITHOUT,
            ),
            (select.top.is_some(), "TOP", "write LIMIT"),
            (select.exclude.is_some(), "EXCLUDE behind the columns", "write SELECT * EXCEPT (...)"),
            (select.into.is_some(), "SELECT INTO", "SQL only reads here"),
            (!select.lateral_views.is_empty(), "LATERAL VIEW", "write a join with UNNEST"),
            (select.prewhere.is_some(), "PREWHERE", "write WHERE"),
            (!select.connect_by.is_empty(), "CONNECT BY", "ask ancestors(...) or descendants(...), or WITH RECURSIVE"),
            (
                grouping,
                "a modifier of GROUP BY (WITH ROLLUP, WITH CUBE, WITH TOTALS)",
                "write GROUP BY ROLLUP (...) or CUBE (...)",
            ),
            (!select.cluster_by.is_empty(), "CLUSTER BY", "write ORDER BY"),
            (!select.distribute_by.is_empty(), "DISTRIBUTE BY", WITHOUT),
            (!select.sort_by.is_empty(), "SORT BY", "write ORDER BY"),
            (select.value_table_mode.is_some(), "SELECT AS VALUE / SELECT AS STRUCT", WITHOUT),
        ])
    }

    fn pre_visit_table_factor(&mut self, table: &TableFactor) -> Flow {
        if let TableFactor::Table { name, version: Some(_), .. } = table
            && let [part] = &name.0[..]
            && let Some(name) = part.as_ident()
            && self.names.0.iter().any(|known| known.eq_ignore_ascii_case(&name.value))
        {
            let hint =
                "give the moment to the tables in it: WITH t AS (SELECT * FROM nodes TIMESTAMP AS OF '2016-06-01')";
            return ControlFlow::Break(Error::clause(format!("AS OF behind the name of a WITH ({name})"), hint));
        }
        match table_factor(table) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }
}

fn with(with: &With) -> Flow {
    with.cte_tables.iter().try_for_each(|table| {
        alias(Some(&table.alias))?;
        refuse([
            (table.from.is_some(), "FROM behind a WITH", WITHOUT),
            (table.materialized.is_some(), "MATERIALIZED", "it changes no answer: leave it out"),
        ])
    })
}

fn order_by(order: &OrderBy) -> Flow {
    let fills = match &order.kind {
        OrderByKind::Expressions(expressions) => expressions.iter().any(|by| by.with_fill.is_some()),
        OrderByKind::All(_) => false,
    };
    refuse([(fills, "WITH FILL", WITHOUT), (order.interpolate.is_some(), "INTERPOLATE", WITHOUT)])
}

fn set_expression(body: &SetExpr) -> Flow {
    match body {
        SetExpr::Insert(statement)
        | SetExpr::Update(statement)
        | SetExpr::Delete(statement)
        | SetExpr::Merge(statement) => ControlFlow::Break(not_a_question(statement)),
        SetExpr::Table(_) => ControlFlow::Break(Error::clause("TABLE name", "write SELECT * FROM name")),
        SetExpr::SetOperation { left, right, .. } => {
            set_expression(left)?;
            set_expression(right)
        }
        _ => ControlFlow::Continue(()),
    }
}

fn joins(table: &TableWithJoins) -> Flow {
    table.joins.iter().try_for_each(|join| {
        let asof = matches!(join.join_operator, JoinOperator::AsOf { .. });
        let straight = matches!(join.join_operator, JoinOperator::StraightJoin(_));
        let apply = matches!(join.join_operator, JoinOperator::CrossApply | JoinOperator::OuterApply);
        refuse([
            (join.global, "GLOBAL JOIN", WITHOUT),
            (asof, "ASOF JOIN", "ask feature_at(type, id, name, t): it reads each row at its own time"),
            (straight, "STRAIGHT_JOIN", "write JOIN"),
            (apply, "CROSS APPLY / OUTER APPLY", "write a join"),
        ])
    })
}

/// Names of columns may be given, types not; nor the index of an array.
fn alias(alias: Option<&TableAlias>) -> Flow {
    let Some(alias) = alias else { return ControlFlow::Continue(()) };
    let typed = alias.columns.iter().any(|column| column.data_type.is_some());
    refuse([
        (typed, "types in the alias of a table", "give names alone, and CAST in the query"),
        (alias.at.is_some(), "AT behind the alias of a table", WITHOUT),
    ])
}

/// What stands at a table beside its name, its arguments, its alias and one `AS OF`.
///
/// # Errors
/// The first modifier that is not understood.
pub(crate) fn table_factor(table: &TableFactor) -> Result<()> {
    match modifiers(table) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

const SAMPLE: (&str, &str) = ("TABLESAMPLE / SAMPLE", "filter by a hash of the id, or take a LIMIT");
const ORDINALITY: (&str, &str) = ("WITH ORDINALITY / WITH OFFSET", "write row_number() OVER (...)");

fn modifiers(table: &TableFactor) -> Flow {
    match table {
        TableFactor::Table {
            alias: named,
            args,
            with_hints,
            version,
            with_ordinality,
            partitions,
            json_path,
            sample,
            index_hints,
            name: _,
        } => {
            alias(named.as_ref())?;
            let of_dates = "write TIMESTAMP AS OF 'time' for valid time, VERSION AS OF n for a commit";
            refuse([
                (sample.is_some(), SAMPLE.0, SAMPLE.1),
                (*with_ordinality, ORDINALITY.0, ORDINALITY.1),
                (!with_hints.is_empty(), "a table hint (WITH (...))", WITHOUT),
                (!partitions.is_empty(), "PARTITION", "filter by type, id or time: that is pushed down"),
                (json_path.is_some(), "a path into JSON behind a table", WITHOUT),
                (!index_hints.is_empty(), "an index hint (USE, IGNORE, FORCE INDEX)", WITHOUT),
                (matches!(version, Some(TableVersion::Function(_))), "AT(...) / BEFORE(...)", of_dates),
                (
                    matches!(version, Some(TableVersion::Changes { .. })),
                    "CHANGES(...)",
                    "ask changes(relation, start, stop) or diff(start, stop)",
                ),
                (args.as_ref().is_some_and(|args| args.settings.is_some()), "SETTINGS in arguments", WITHOUT),
                (
                    args.is_some() && version.is_some(),
                    "AS OF together with arguments",
                    "functions take their moment as arguments: nodes('user', at => '2016-06-01', commit => 2)",
                ),
            ])
        }
        TableFactor::Derived { alias: named, sample, lateral: _, subquery: _ } => {
            alias(named.as_ref())?;
            refuse([(sample.is_some(), SAMPLE.0, SAMPLE.1)])
        }
        TableFactor::NestedJoin { table_with_joins, alias: named } => {
            alias(named.as_ref())?;
            joins(table_with_joins)
        }
        TableFactor::Function { alias: named, with_ordinality, .. } => {
            alias(named.as_ref())?;
            refuse([(*with_ordinality, ORDINALITY.0, ORDINALITY.1)])
        }
        TableFactor::UNNEST { alias: named, with_offset, with_ordinality, .. } => {
            alias(named.as_ref())?;
            refuse([(*with_offset || *with_ordinality, ORDINALITY.0, ORDINALITY.1)])
        }
        TableFactor::TableFunction { .. } => {
            refuse([(true, "TABLE(...)", "write the function itself: FROM nodes('user')")])
        }
        TableFactor::Pivot { .. } => refuse([(true, "PIVOT", "write aggregates with FILTER (WHERE ...)")]),
        TableFactor::Unpivot { .. } => refuse([(true, "UNPIVOT", "write UNION ALL")]),
        TableFactor::MatchRecognize { .. } => refuse([(true, "MATCH_RECOGNIZE", "write window functions")]),
        TableFactor::JsonTable { .. } => refuse([(true, "JSON_TABLE", WITHOUT)]),
        TableFactor::OpenJsonTable { .. } => refuse([(true, "OPENJSON", WITHOUT)]),
        TableFactor::XmlTable { .. } => refuse([(true, "XMLTABLE", WITHOUT)]),
        TableFactor::SemanticView { .. } => refuse([(true, "SEMANTIC_VIEW", WITHOUT)]),
    }
}

/// The first words of statements that write.
const WRITES: [&str; 22] = [
    "INSERT", "UPDATE", "DELETE", "MERGE", "CREATE", "DROP", "ALTER", "TRUNCATE", "COPY", "REPLACE", "LOAD", "UNLOAD",
    "OPTIMIZE", "VACUUM", "INSTALL", "ATTACH", "DETACH", "RENAME", "COMMENT", "GRANT", "REVOKE", "IMPORT",
];

/// The error of a statement that is no question.
pub(crate) fn not_a_question(statement: &impl ToString) -> Error {
    let text = statement.to_string().to_ascii_uppercase();
    let word = text.split_whitespace().next().unwrap_or_default().to_owned();
    if WRITES.contains(&&*word) {
        return Error::Write { statement: word };
    }
    Error::clause(
        format!("{word} as a statement"),
        "ask with SELECT, WITH or VALUES; EXPLAIN, DESCRIBE and SHOW TABLES; SET and RESET of timeweft.at, timeweft.commit and \
         timeweft.deletes",
    )
}

/// The words of a name, as they are written.
pub(crate) fn parts(name: &ObjectName) -> Option<Vec<&datafusion::sql::sqlparser::ast::Ident>> {
    name.0.iter().map(|part| part.as_ident()).collect()
}
