//! What one query reads: views by commit, each looked up once, and the tables of a graph by name.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::catalog::TableProvider;
use timeweft::{At, Commit, Deletes, NodeKey, Time, View};
use timeweft_arrow::scan::{EdgeTable, EventTable, Happened, NodeTable};
use timeweft_arrow::{Difference, Lazy, Relation, Relatives, known_type};

use crate::lazy::LazyTable;
use crate::names::{Named, names, relation_of};
use crate::scan::{EdgeProvider, EventProvider, NodeProvider, Span};
use crate::signature::Arguments;
use crate::{Error, Result, Settings, Views};

/// The moment that a table is read as of, where it differs from the settings.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Moment {
    pub(crate) at: Option<Time>,
    pub(crate) commit: Option<Commit>,
    pub(crate) deletes: Option<Deletes>,
}

/// What a query reads.
pub(crate) struct Asked {
    views: Arc<dyn Views>,
    settings: Settings,
    /// The view of the settings.
    view: View,
    known: Mutex<BTreeMap<Commit, View>>,
    /// Rows that were read.
    scanned: Arc<AtomicU64>,
}

type Table = Arc<dyn TableProvider>;

impl Asked {
    pub(crate) fn new(views: Arc<dyn Views>, settings: Settings) -> Result<Asked> {
        let view = views.view(settings.commit)?;
        Ok(Asked { views, settings, view, known: Mutex::default(), scanned: Arc::default() })
    }

    /// The view of the settings.
    pub(crate) fn default_view(&self) -> &View {
        &self.view
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How many rows were read so far.
    pub(crate) fn scanned(&self) -> &Arc<AtomicU64> {
        &self.scanned
    }

    fn view(&self, commit: Option<Commit>) -> Result<View> {
        let Some(commit) = commit.filter(|commit| *commit != self.view.commit()) else { return Ok(self.view.clone()) };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(view) = known.get(&commit) {
            return Ok(view.clone());
        }
        let view = self.views.view(Some(commit))?;
        known.insert(commit, view.clone());
        Ok(view)
    }

    fn at(&self, moment: Moment) -> At {
        let Settings { at, deletes, .. } = self.settings;
        At { time: moment.at.unwrap_or(at), deletes: moment.deletes.unwrap_or(deletes) }
    }

    /// The names of all views.
    pub(crate) fn names(&self) -> Vec<String> {
        names(self.view.schema())
    }

    /// A view by its name, as of a moment; `None` if there is none of this name.
    pub(crate) fn table(&self, name: &str, moment: Moment) -> Result<Option<Table>> {
        let view = self.view(moment.commit)?;
        let at = self.at(moment);
        Ok(Some(match name {
            "nodes" => self.nodes(&view, at, None)?,
            "edges" => self.edges(&view, at, Relation::Any)?,
            "merges" => Arc::new(LazyTable::new(Lazy::merges(&view, at)?)),
            "events" => self.events(&view, Happened::Anything, Span::until(at.time))?,
            "loads" if moment.at.is_some() => {
                return Err(Error::Moment {
                    clause: "TIMESTAMP AS OF".into(),
                    problem: "the registry of loads has no valid time".into(),
                    hint: Some("ask for it as of a commit: loads VERSION AS OF 2".into()),
                });
            }
            "loads" => {
                let (views, commit) = (self.views.clone(), view.commit());
                Arc::new(LazyTable::new(Lazy::loads(view.unit(), move || {
                    views.loads(commit).map_err(|error| std::io::Error::other(error).into())
                })?))
            }
            _ => match Named::find(view.schema(), name)? {
                Some(Named::Node(of_type)) => self.nodes(&view, at, Some(of_type))?,
                Some(Named::Edge(source, relation, destination)) => {
                    self.edges(&view, at, Relation::Triple(source, relation, destination))?
                }
                None => return Ok(None),
            },
        }))
    }

    fn nodes(&self, view: &View, at: At, of_type: Option<&str>) -> Result<Table> {
        let table = NodeTable::new(view, at, of_type)?;
        let of_type = of_type.map(|name| known_type(view, "type", name)).transpose()?;
        Ok(Arc::new(NodeProvider::new(view.clone(), at, of_type, table, self.scanned.clone())))
    }

    fn edges(&self, view: &View, at: At, relation: Relation<'_>) -> Result<Table> {
        let table = EdgeTable::new(view, at, relation)?;
        Ok(Arc::new(EdgeProvider::new(view.clone(), at, relation == Relation::Any, table, self.scanned.clone())))
    }

    fn events(&self, view: &View, what: Happened<'_>, span: Span) -> Result<Table> {
        let types = match what {
            Happened::Anything => None,
            Happened::ToEdges(relation) => Some(timeweft_arrow::edge_types(view, relation)?),
        };
        let table = EventTable::new(view, what)?;
        Ok(Arc::new(EventProvider::new(view.clone(), types, span, table, self.scanned.clone())))
    }

    /// The table that a function gives.
    pub(crate) fn call(&self, arguments: &Arguments) -> Result<Table> {
        let moment = Moment { at: arguments.time("at")?, commit: arguments.commit()?, deletes: arguments.deletes()? };
        let (view, at) = (self.view(moment.commit)?, self.at(moment));
        let (of_type, relation) = (arguments.name("type")?, arguments.name("relation")?);
        let named = |error| of_argument(arguments.function(), error);
        match arguments.function() {
            "nodes" => self.nodes(&view, at, of_type.as_deref()).map_err(named),
            "edges" => self.edges(&view, at, relation_of(view.schema(), relation.as_deref())).map_err(named),
            "changes" => {
                let from = arguments.time("start")?.unwrap_or(Time::MIN);
                let until = arguments.time("stop")?.unwrap_or(Time::FOREVER);
                let what = match &relation {
                    None => Happened::Anything,
                    Some(_) => Happened::ToEdges(relation_of(view.schema(), relation.as_deref())),
                };
                self.events(&view, what, Span::between(from, until)).map_err(named)
            }
            "diff" => {
                let start = arguments.time("start")?.unwrap_or(Time::MIN);
                let stop = arguments.time("stop")?.unwrap_or(at.time);
                let difference = Difference::new((view.clone(), At::time(start)), (view.clone(), At::time(stop)));
                let difference = match arguments.name("namespace")? {
                    Some(namespace) => difference.of_namespace(&namespace),
                    None => difference,
                };
                Ok(Arc::new(LazyTable::new(Lazy::difference(difference)?)))
            }
            _ => {
                let lazy = about_node(arguments, &view, at, of_type, relation.as_deref());
                Ok(Arc::new(LazyTable::new(lazy.map_err(|error| named(error.into()))?)))
            }
        }
    }
}

/// A function about one node.
fn about_node(
    arguments: &Arguments,
    view: &View,
    at: At,
    of_type: Option<String>,
    relation: Option<&str>,
) -> Result<Lazy, timeweft_arrow::Error> {
    let (of_type, id) = (of_type.unwrap_or_default(), arguments.id("id").ok().flatten());
    let node = NodeKey { node_type: of_type.into(), id: id.unwrap_or_else(|| "".into()) };
    let depth = arguments.count("depth").ok().flatten().unwrap_or(HOPS);
    let relatives = |which| Lazy::relatives(view, at, node.clone(), which, relation, depth);
    match arguments.function() {
        "neighbors" => {
            Lazy::neighbors(view, at, node, arguments.side().unwrap_or(timeweft::sample::Side::Both), relation)
        }
        "history" => Lazy::history(view, at, node),
        "ancestors" => relatives(Relatives::Ancestors),
        "descendants" => relatives(Relatives::Descendants),
        "parents" => relatives(Relatives::Parents),
        _ => relatives(Relatives::Children),
    }
}

/// As far as a walk goes where no depth is given, as `timeweft query` goes.
const HOPS: u32 = 100;

/// An error that names the argument, where the graph has no such thing.
fn of_argument(function: &str, error: Error) -> Error {
    let Error::Table(timeweft_arrow::Error::Unknown { argument, .. }) = &error else {
        return match error {
            Error::Table(timeweft_arrow::Error::Library(timeweft::Error::UnknownNode(node))) => {
                Error::argument(function, "id", format!("the graph has no node {node}, at no time"))
            }
            other => other,
        };
    };
    let (text, argument) = (error.to_string(), *argument);
    let problem = text.strip_prefix(&format!("{argument}: ")).unwrap_or(&text).to_owned();
    Error::argument(function, argument, problem)
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").field("settings", &self.settings).field("view", &self.view).finish_non_exhaustive()
    }
}
