//! Who asks: settings, limits, and the way of a query through the engine.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arrow_array::{RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use async_trait::async_trait;
use datafusion::catalog::{
    CatalogProvider, CatalogProviderList, MemoryCatalogProvider, MemoryCatalogProviderList, SchemaProvider,
    TableProvider,
};
use datafusion::common::Result as EngineResult;
use datafusion::execution::SessionStateDefaults;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{GreedyMemoryPool, MemoryPool, UnboundedMemoryPool};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_plan::execute_stream;
use datafusion::prelude::SessionConfig;
use datafusion::sql::parser::Statement;

use crate::answer::{self, Answer, Head};
use crate::asked::{Asked, Moment};
use crate::listing::{self, TableInfo};
use crate::planner::Planner;
use crate::scalar;
use crate::scan::BATCH_ROWS;
use crate::script::{Step, steps};
use crate::{Error, Limits, Result, Settings, Views, runtime};

/// Asks a graph in SQL. Settings that a query makes (`SET timeweft.at = ...`) hold for those that follow.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use timeweft::{Graph, TimeUnit};
/// use timeweft_sql::Session;
/// # let dir = tempfile::tempdir()?;
/// # let events = dir.path().join("mail.csv");
/// # std::fs::write(&events, "src,dst,time\n1,2,5\n1,3,8\n")?;
/// # let mut graph = Graph::create(dir.path().join("mail"), TimeUnit::Step)?;
/// # graph.load(&events).run()?;
/// let mut session = Session::new(Arc::new(Mutex::new(graph)));
/// let mut answer = session.query("SELECT id FROM nodes TIMESTAMP AS OF 5 ORDER BY id")?;
/// let rows: usize = answer.by_ref().map(|batch| batch.map(|batch| batch.num_rows())).sum::<Result<_, _>>()?;
/// assert_eq!(rows, 2);
/// assert!(session.query("SELECT * FROM nodes TABLESAMPLE (10)").is_err(), "it is not left out in silence");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Session {
    views: Arc<dyn Views>,
    settings: Settings,
    limits: Limits,
}

impl Session {
    /// A session about a graph.
    pub fn new(views: Arc<dyn Views>) -> Session {
        Session { views, settings: Settings::default(), limits: Limits::default() }
    }

    /// The same with these settings.
    pub fn with_settings(self, settings: Settings) -> Session {
        Session { settings, ..self }
    }

    /// The same with these limits.
    pub fn with_limits(self, limits: Limits) -> Session {
        Session { limits, ..self }
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Asks: one query, or several statements with `;` between, of which all but the last make settings. Returns when the
    /// query is planned; the answer comes batch by batch. It blocks for as long as planning takes.
    ///
    /// Settings are kept only if all statements could be asked.
    ///
    /// # Errors
    /// If the text is no SQL, writes, or has a clause that is not understood; if a name is not known; if it takes too long.
    pub fn query(&mut self, text: &str) -> Result<Answer> {
        let mut steps = steps_apart(text)?;
        let last = steps.pop();
        let before = self.settings;
        let answer = self.run(steps, last);
        if answer.is_err() {
            self.settings = before;
        }
        answer
    }

    /// The views and functions of the graph, as it is at the commit of the settings.
    ///
    /// # Errors
    /// If there is no such commit.
    pub fn tables(&self) -> Result<Vec<TableInfo>> {
        Ok(listing::tables(&self.asked()?))
    }

    fn asked(&self) -> Result<Asked> {
        Asked::new(self.views.clone(), self.settings)
    }

    fn run(&mut self, steps: Vec<Step>, last: Option<Step>) -> Result<Answer> {
        for step in steps {
            match step {
                Step::Set(_) | Step::Reset(_) => _ = self.set(&step)?,
                _ => {
                    return Err(Error::clause(
                        "a query before the last statement",
                        "all statements but the last one are SET or RESET: ask one query at a time",
                    ));
                }
            }
        }
        match last {
            Some(Step::Ask(statement)) => self.ask(*statement),
            Some(Step::ShowTables) => self.show_tables(),
            Some(step) => self.set(&step),
            None => Err(Error::Internal { message: "a script has no statement".into() }),
        }
    }

    /// Makes a setting, or tells one.
    fn set(&mut self, step: &Step) -> Result<Answer> {
        let asked = self.asked()?;
        let unit = asked.default_view().unit();
        match step {
            Step::Set(set) => self.settings.set(set, unit)?,
            Step::Reset(name) => self.settings.reset(name)?,
            _ => {}
        }
        // A commit that is not there is an error now, not with the query that follows.
        let asked = self.asked()?;
        let rows = match step {
            Step::Show(name) => vec![self.settings.show(name, unit)?],
            _ => Vec::new(),
        };
        let text = |name: &str| Field::new(name, DataType::Utf8, false);
        let schema = Arc::new(Schema::new(vec![text("name"), text("value")]));
        let (names, values): (Vec<&str>, Vec<String>) = rows.into_iter().unzip();
        let columns: Vec<arrow_array::ArrayRef> =
            vec![Arc::new(StringArray::from(names)), Arc::new(StringArray::from(values))];
        self.ready(&asked, RecordBatch::try_new(schema, columns))
    }

    fn show_tables(&self) -> Result<Answer> {
        let asked = self.asked()?;
        self.ready(&asked, listing::batch(&listing::tables(&asked)))
    }

    fn ready(&self, asked: &Asked, batch: Result<RecordBatch, arrow_schema::ArrowError>) -> Result<Answer> {
        let batch = batch.map_err(|error| Error::Internal { message: error.to_string() })?;
        Ok(Answer::ready(head(asked, batch.schema()), batch))
    }

    fn ask(&self, statement: Statement) -> Result<Answer> {
        let (asked, limits) = (Arc::new(self.asked()?), self.limits);
        let state = state(&asked, limits)?;
        let names = asked.names();
        answer::start(limits.rows, limits.time, asked.scanned().clone(), |sending, told| async move {
            let work = async {
                let plan = limited(state.statement_to_plan(statement).await?, limits.rows)?;
                let plan = state.create_physical_plan(&plan).await?;
                let stream = execute_stream(plan, state.task_ctx())?;
                // Whoever waits for the head is there until it is told.
                _ = told.send(head(&asked, stream.schema()));
                drop(told);
                sending.send(stream).await
            };
            work.await.map_err(|error: Error| match error {
                Error::Memory { limit: None } => Error::Memory { limit: limits.memory },
                Error::Question { message } => unknown_table(message, &names),
                other => other,
            })
        })
    }
}

/// Reads a text on a thread of the pool: whoever asks may have too small a stack for what is nested.
fn steps_apart(text: &str) -> Result<Vec<Step>> {
    let (text, (told, read)) = (text.to_owned(), std::sync::mpsc::sync_channel(1));
    runtime::runtime()?.spawn(async move { _ = told.send(steps(&text)) });
    read.recv().map_err(|_| Error::Internal { message: "the text was not read".into() })?
}

/// The engine's word for a table that is not there, with those that are.
fn unknown_table(message: String, names: &[String]) -> Error {
    let name = message.strip_prefix("table 'timeweft.graph.").and_then(|rest| rest.strip_suffix("' not found"));
    match name {
        Some(name) => Error::Unknown { what: "table", name: name.into(), known: names.to_vec() },
        None => Error::Question { message },
    }
}

fn head(asked: &Asked, schema: arrow_schema::SchemaRef) -> Head {
    Head { schema, commit: asked.default_view().commit(), at: asked.settings().moment() }
}

/// One row more than is wanted tells that there are more.
fn limited(plan: LogicalPlan, rows: Option<usize>) -> Result<LogicalPlan> {
    match (rows, &plan) {
        (None, _) | (_, LogicalPlan::Explain(_) | LogicalPlan::Analyze(_) | LogicalPlan::DescribeTable(_)) => Ok(plan),
        (Some(rows), _) => Ok(LogicalPlanBuilder::from(plan).limit(0, Some(rows.saturating_add(1)))?.build()?),
    }
}

/// The engine for one query: the tables of the graph, functions, and nothing that reaches a file.
fn state(asked: &Arc<Asked>, limits: Limits) -> Result<SessionState> {
    let threads = limits.threads.unwrap_or_else(runtime::threads).max(1);
    let mut config = SessionConfig::new()
        .with_target_partitions(threads)
        .with_batch_size(BATCH_ROWS)
        .with_default_catalog_and_schema("timeweft", "graph")
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(false);
    let options = config.options_mut();
    options.sql_parser.map_string_types_to_utf8view = false;
    options.execution.parquet.pushdown_filters = false;
    let pool: Arc<dyn MemoryPool> = match limits.memory {
        Some(bytes) => Arc::new(GreedyMemoryPool::new(bytes)),
        None => Arc::new(UnboundedMemoryPool::default()),
    };
    let disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
    let environment = RuntimeEnvBuilder::new().with_memory_pool(pool).with_disk_manager_builder(disk).build_arc()?;
    let catalogue = MemoryCatalogProvider::new();
    catalogue.register_schema("graph", Arc::new(Tables(asked.clone())))?;
    let catalogues = MemoryCatalogProviderList::new();
    catalogues.register_catalog("timeweft".into(), Arc::new(catalogue));
    let mut functions = SessionStateDefaults::default_scalar_functions();
    functions.extend(scalar::functions(asked));
    let table_functions: HashMap<_, _> = SessionStateDefaults::default_table_functions()
        .into_iter()
        .map(|function| (function.name().to_owned(), function))
        .collect();
    let mut state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(environment)
        .with_catalog_list(Arc::new(catalogues))
        .with_expr_planners(SessionStateDefaults::default_expr_planners())
        .with_scalar_functions(functions)
        .with_higher_order_functions(SessionStateDefaults::default_higher_order_functions())
        .with_aggregate_functions(SessionStateDefaults::default_aggregate_functions())
        .with_window_functions(SessionStateDefaults::default_window_functions())
        .with_table_functions(table_functions)
        .with_relation_planners(vec![Arc::new(Planner { asked: asked.clone() })])
        .build();
    // What `now()` is.
    state.mark_start_execution();
    Ok(state)
}

/// The views of a graph as the tables of a schema.
#[derive(Debug)]
struct Tables(Arc<Asked>);

#[async_trait]
impl SchemaProvider for Tables {
    fn table_names(&self) -> Vec<String> {
        self.0.names()
    }

    async fn table(&self, name: &str) -> EngineResult<Option<Arc<dyn TableProvider>>> {
        Ok(self.0.table(name, Moment::default())?)
    }

    fn table_exist(&self, name: &str) -> bool {
        self.0.table(name, Moment::default()).is_ok_and(|table| table.is_some())
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("settings", &self.settings)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
