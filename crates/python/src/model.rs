//! A trained model that is asked.

use std::sync::{Arc, PoisonError, RwLock};

use numpy::{IntoPyArray, PyArray1, PyArray2, PyArrayDyn, PyArrayMethods, PyReadonlyArray1};
use pyo3::prelude::*;
use timeweft::model::{Ask, Explanation, Freshness, HeardNeighbor, Links, Part, Space};
use timeweft::read::{ExternalId, IdRef, NodeIndex};
use timeweft::{NodeKey, Time, View as Pinned};
use timeweft_arrow::learn;

use crate::answer::whole;
use crate::arrays;
use crate::errors::{self, Result};
use crate::graph::Graph;
use crate::table::Columns;
use crate::view::View;

/// A trained model. `timeweft.Model` wraps it.
#[pyclass(frozen, module = "timeweft._core")]
pub(crate) struct Model {
    /// Questions hold the model that they began with, while `update` puts another one in its place.
    model: RwLock<Arc<timeweft::Model>>,
}

const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<timeweft::Model>();
};

impl Model {
    pub(crate) fn new(model: timeweft::Model) -> Model {
        Model { model: RwLock::new(Arc::new(model)) }
    }

    fn get(&self) -> Arc<timeweft::Model> {
        self.model.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks the model something, without the interpreter.
    fn ask<T: Send>(&self, py: Python<'_>, ask: impl FnOnce(&timeweft::Model) -> Result<T> + Send) -> PyResult<T> {
        let model = self.get();
        py.detach(|| whole(|| ask(&model))).map_err(PyErr::from)
    }
}

/// A table of rows that were made of an answer.
fn columns(rows: std::result::Result<arrow_array::RecordBatch, arrow_schema::ArrowError>) -> Result<Columns> {
    rows.map(Columns::from).map_err(|error| errors::named("Error", error.to_string()))
}

/// Ids of nodes.
#[derive(FromPyObject)]
enum Ids<'py> {
    /// Whole numbers.
    Numbers(PyReadonlyArray1<'py, u64>),
    /// Texts.
    Texts(Vec<String>),
}

fn find<'a>(model: &timeweft::Model, node_type: &str, ids: impl Iterator<Item = IdRef<'a>>) -> Result<Vec<NodeIndex>> {
    let schema = model.view().schema();
    if schema.node_type(node_type).is_none() {
        let known: Vec<&str> = schema.node_types().iter().map(|of| &*of.name).collect();
        let message = format!("no type of nodes `{node_type}` in this graph: it has {}", known.join(", "));
        return Err(errors::named("UnknownError", message));
    }
    Ok(model.view().index().node_indices(node_type, ids))
}

fn key(node_type: &str, id: &str) -> NodeKey {
    NodeKey::new(node_type, ExternalId::from(id))
}

/// The time of a question: the end of time is no moment that anything could happen at, so what comes next is meant.
fn moment(model: &timeweft::Model, tick: i64) -> Time {
    if Time(tick) == Time::FOREVER { model.next_time() } else { Time(tick) }
}

/// A neighbor that an end listened to, for a picture: whether at the source, node, relation, since when, attention, whether it
/// was shut out, contribution.
type Heard = (bool, String, String, i64, Vec<f32>, bool, f32);

/// A moment that an end remembers, for a picture: whether at the source, what happened first, how many things happened, when,
/// contribution.
type Recalled = (bool, String, usize, i64, f64);

/// Numbers of an explanation (time, score, lead, counting), its tables (neighbors, memory, counters), what pictures show of
/// the first two, and counts with when they last rose.
type Explained = ((i64, f32, f32, Option<f32>), (Columns, Columns, Columns), (Vec<Heard>, Vec<Recalled>), Vec<Counted>);

/// How often something happened, and when last.
type Counted = (u32, Option<i64>);

fn explained(model: &timeweft::Model, why: &Explanation) -> Result<Explained> {
    let [neighbors, memory, counters] =
        [learn::neighbors(model, why), learn::moments(model, why), learn::counters(model, why)].map(columns);
    let heard = why.neighbors.iter().map(|heard| {
        let HeardNeighbor { at_source, node, relation, created, attention, contribution, .. } = heard;
        let is_shut = heard.actions.is_some_and(|both| both != [true, true]);
        (*at_source, node.to_string(), relation.to_string(), created.0, attention.clone(), is_shut, *contribution)
    });
    let recalled = why.memory.iter().filter_map(|moment| {
        let first = moment.facts.first()?;
        let action = format!("{:?}", first.action).to_lowercase();
        let what = match &first.relation {
            Some(relation) => format!("{action} {relation} {}", first.node),
            None => format!("{action} itself"),
        };
        Some((moment.at_source, what, moment.facts.len(), moment.time.0, moment.contribution))
    });
    let counted = why.counters.iter().flat_map(|of| {
        [of.pair, of.reversed, of.to_destination, of.from_destination, of.from_source]
            .map(|count| (count.count, count.last.map(|time| time.0)))
    });
    Ok((
        (why.time.0, why.score, why.lead, why.counting),
        (neighbors?, memory?, counters?),
        (heard.collect(), recalled.collect()),
        counted.collect(),
    ))
}

#[pymethods]
impl Model {
    /// Name.
    #[getter]
    fn name(&self) -> String {
        self.get().name().to_owned()
    }

    /// How it was trained, as JSON.
    #[getter]
    fn config(&self) -> PyResult<String> {
        let model = self.get();
        let text = serde_json::to_string(model.config()).map_err(|error| errors::named("Error", error.to_string()));
        Ok(text?)
    }

    /// The relations that it predicts.
    #[getter]
    fn relations(&self) -> Vec<String> {
        self.get().relations()
    }

    /// The types whose nodes it sees go.
    #[getter]
    fn node_types(&self) -> Vec<String> {
        self.get().node_types()
    }

    /// All epochs of its training.
    #[getter]
    fn epochs(&self) -> PyResult<Columns> {
        Ok(columns(learn::epochs(self.get().epochs()))?)
    }

    /// The epoch whose weights were kept.
    #[getter]
    fn best_epoch(&self) -> usize {
        self.get().best_epoch()
    }

    /// The first moment after everything that the graph tells.
    #[getter]
    fn next_time(&self, py: Python<'_>) -> PyResult<i64> {
        self.ask(py, |model| Ok(model.next_time().0))
    }

    /// The mean reciprocal rank of the validation links of that epoch.
    #[getter]
    fn mrr(&self) -> f64 {
        let model = self.get();
        model.epochs().get(model.best_epoch().wrapping_sub(1)).map_or(f64::NAN, |epoch| epoch.validation.mrr)
    }

    /// How many epochs it was trained.
    #[getter]
    fn n_epochs(&self) -> usize {
        self.get().epochs().len()
    }

    /// Numbers of nodes of a type by ids that are texts or whole numbers; `NO_NODE` for those that the graph never had.
    fn indices<'py>(&self, py: Python<'py>, node_type: &str, ids: Ids<'_>) -> PyResult<Bound<'py, PyArray1<u32>>> {
        let found = match &ids {
            Ids::Numbers(ids) => {
                let ids = ids.as_slice()?;
                self.ask(py, |model| find(model, node_type, ids.iter().map(|id| IdRef::Int(*id))))
            }
            Ids::Texts(ids) => {
                let ids: Vec<ExternalId> = ids.iter().map(|id| id.as_str().into()).collect();
                let id = |id| match id {
                    &ExternalId::Int(number) => IdRef::Int(number),
                    ExternalId::Text(text) => IdRef::Text(text),
                };
                self.ask(py, |model| find(model, node_type, ids.iter().map(id)))
            }
        };
        Ok(arrays::owned(py, found?))
    }

    /// The unit of all times.
    #[getter]
    fn unit(&self) -> String {
        self.get().view().unit().to_string()
    }

    /// The graph that it reads.
    fn view(&self) -> View {
        View::new(self.get().view().clone())
    }

    /// What the graph has and the model does not know: node types, edge types, features, features of another kind now.
    fn unknown(&self, py: Python<'_>) -> PyResult<[Vec<String>; 4]> {
        self.ask(py, |model| {
            let unknown = model.unknown();
            Ok([unknown.node_types, unknown.edge_types, unknown.features, unknown.changed])
        })
    }

    /// What is to be warned of: values that it reads as missing, and what it does not know, a sentence each.
    fn warnings(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.ask(py, |model| Ok(model.warnings().to_vec()))
    }

    /// Ranks the links of a part. A freshness is a number of links of a batch, or 0.
    fn evaluate(&self, py: Python<'_>, part: &str, freshness: Vec<usize>) -> PyResult<Columns> {
        let part = if part == "validation" { Part::Validation } else { Part::Test };
        let of = |size: &usize| if *size == 0 { Freshness::Event } else { Freshness::Batch(*size) };
        let freshness: Vec<Freshness> = freshness.iter().map(of).collect();
        self.ask(py, |model| columns(learn::evaluations(part, &model.evaluate(part, &freshness, None)?)))
    }

    /// The likeliest destinations of an edge.
    #[pyo3(signature = (node_type, id, relation, tick, top, destination_type=None))]
    #[expect(clippy::too_many_arguments, reason = "those of the Python method")]
    fn predict(
        &self,
        py: Python<'_>,
        node_type: &str,
        id: &str,
        relation: &str,
        tick: i64,
        top: usize,
        destination_type: Option<&str>,
    ) -> PyResult<Columns> {
        self.ask(py, |model| {
            let asked: Ask<'_> = model.predict(relation, &key(node_type, id)).at(moment(model, tick));
            let asked = destination_type.map_or(asked.clone(), |name| asked.destination_type(name));
            columns(learn::predictions(model, &asked.top(top)?))
        })
    }

    /// The nodes of a type that go next.
    fn predict_gone(&self, py: Python<'_>, node_type: &str, tick: i64, top: usize) -> PyResult<Columns> {
        self.ask(py, |model| {
            columns(learn::predictions(model, &model.predict_gone(node_type, moment(model, tick), top)?))
        })
    }

    /// Scores of links, each as of its own time; NaN for one that the model cannot be asked about.
    fn score<'py>(
        &self,
        py: Python<'py>,
        sources: PyReadonlyArray1<'_, u32>,
        relations: PyReadonlyArray1<'_, u32>,
        names: Vec<String>,
        destinations: PyReadonlyArray1<'_, u32>,
        times: PyReadonlyArray1<'_, i64>,
    ) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let links = Links {
            sources: arrays::slice(&sources)?,
            relations: relations.as_slice()?,
            names: &names,
            destinations: arrays::slice(&destinations)?,
            times: arrays::slice(&times)?,
        };
        let scores = self.ask(py, |model| {
            Ok(model.score_links(links)?.into_iter().map(|score| score.unwrap_or(f32::NAN)).collect::<Vec<_>>())
        })?;
        Ok(scores.into_pyarray(py))
    }

    /// The nodes of a node's type that are most like it.
    fn nearest(
        &self,
        py: Python<'_>,
        node_type: &str,
        id: &str,
        tick: i64,
        space: &str,
        top: usize,
    ) -> PyResult<Columns> {
        let space = if space == "memory" { Space::Memory } else { Space::Embedding };
        self.ask(py, |model| {
            let found = model.nearest(&key(node_type, id), moment(model, tick), space, top)?;
            columns(learn::nearest(model, &found))
        })
    }

    /// Embeddings of nodes, a row each; NaN for one that is not alive just before its time.
    fn embeddings<'py>(
        &self,
        py: Python<'py>,
        nodes: PyReadonlyArray1<'_, u32>,
        times: PyReadonlyArray1<'_, i64>,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let (nodes, times) = (arrays::slice(&nodes)?, arrays::slice(&times)?);
        let (rows, width) = self.ask(py, |model| Ok((model.embeddings(nodes, times), model.config().model.width)))?;
        rows.into_pyarray(py).reshape([nodes.len(), width])
    }

    /// Why an edge gets its score.
    fn explain(
        &self,
        py: Python<'_>,
        source: (String, String),
        relation: &str,
        destination: (String, String),
        tick: i64,
    ) -> PyResult<Explained> {
        self.ask(py, |model| {
            let (source, destination) = (key(&source.0, &source.1), key(&destination.0, &destination.1));
            explained(model, &model.explain(relation, &source, &destination, moment(model, tick))?)
        })
    }

    /// Why a node gets its score among those that go.
    fn explain_gone(&self, py: Python<'_>, node_type: &str, id: &str, tick: i64) -> PyResult<Explained> {
        self.ask(py, |model| explained(model, &model.explain_gone(&key(node_type, id), moment(model, tick))?))
    }

    /// Takes in what was loaded into a graph since; gives the number of facts.
    fn update(&self, py: Python<'_>, graph: &Graph) -> PyResult<usize> {
        let update = || {
            // Questions go on meanwhile.
            let model = self.get();
            let file = {
                let mut locked = graph.lock();
                let graph = locked.graph()?;
                let view: Pinned = graph.view();
                graph.model_file(model.name(), &view)?
            };
            let (newer, taken_in) = whole(|| Ok(file.catch_up(&model)?))?;
            *self.model.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(newer);
            Ok(taken_in)
        };
        py.detach(update).map_err(|error: errors::Raised| error.into())
    }

    /// All weights, by name.
    fn weights<'py>(&self, py: Python<'py>) -> PyResult<Vec<(String, Bound<'py, PyArrayDyn<f32>>)>> {
        let weights = self.ask(py, |model| Ok(model.weights()))?;
        let array = |weight: timeweft::model::Weight| {
            Ok((weight.name, weight.values.into_pyarray(py).to_dyn().reshape(weight.shape)?))
        };
        weights.into_iter().map(array).collect()
    }
}
