//! Models of a graph: trained, trained on, loaded.

use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use timeweft::load::Stop;
use timeweft::model::{Epoch, LearnError, LearnProgress, ModelError};
use timeweft::{Commit, Config, Error, ModelFile, TrainOptions};

use crate::answer::whole;
use crate::errors::{self, Raised, Result};
use crate::graph::Graph;
use crate::interrupt::{Report, watched};
use crate::model::Model;

impl Graph {
    /// The file of a model, with the graph at a commit. The graph is free afterwards: what hears of the progress may ask it.
    fn model_file(&self, name: &str, commit: Option<u64>) -> Result<ModelFile> {
        let mut locked = self.lock();
        let graph = locked.graph()?;
        let view = match commit {
            Some(commit) => graph.view_at(Commit(commit))?,
            None => graph.view(),
        };
        Ok(graph.model_file(name, &view)?)
    }

    /// Trains into a file, and follows it.
    fn follow(
        &self,
        py: Python<'_>,
        (name, commit): (&str, Option<u64>),
        progress: Option<Py<PyAny>>,
        train: impl FnOnce(ModelFile, TrainOptions<'_>) -> timeweft::Result<timeweft::Model> + Send,
        options: impl FnOnce() -> Result<TrainOptions<'static>> + Send,
    ) -> PyResult<Model> {
        let work = |report: Report<'_, LearnProgress>, _: &Stop| {
            let file = self.model_file(name, commit)?;
            let options = options()?.progress(report);
            whole(|| Ok(train(file, options)?))
        };
        let is_rare = |told: &LearnProgress| matches!(told, LearnProgress::Epoch(_) | LearnProgress::Stopped(_));
        match watched(py, is_rare, |py, told| tell(progress.as_ref(), py, told), work)? {
            (trained, None) => Ok(Model::new(trained?)),
            (trained, Some(raised)) => Err(stopped(py, raised, name, trained)),
        }
    }
}

/// What is raised for a training that was stopped.
fn stopped(py: Python<'_>, raised: PyErr, name: &str, trained: Result<timeweft::Model>) -> PyErr {
    if !raised.is_instance_of::<PyKeyboardInterrupt>(py) {
        return raised;
    }
    match trained {
        Ok(model) => {
            let (done, best) = (model.epochs().len(), model.best_epoch());
            let kept = format!(
                "the training was stopped after {done} whole epochs: the weights of epoch {best}, the best so far, are kept as the \
                 model `{name}`; `graph.train({name:?}, resume=True, epochs=..)` goes on"
            );
            errors::named("StoppedError", kept).into()
        }
        Err(Raised::Library(Error::Model(ModelError::Learn(error @ LearnError::Interrupted)))) => {
            errors::named("StoppedError", error.to_string()).into()
        }
        Err(error) => error.into(),
    }
}

/// Tells what is to hear of the progress.
fn tell(progress: Option<&Py<PyAny>>, py: Python<'_>, at: LearnProgress) -> PyResult<()> {
    let Some(progress) = progress else { return Ok(()) };
    let told = PyDict::new(py);
    match at {
        LearnProgress::Training { epoch, epochs, done, of, loss } => {
            told.set_item("what", "training")?;
            told.set_item("epoch", epoch)?;
            told.set_item("epochs", epochs)?;
            told.set_item("done", done)?;
            told.set_item("of", of)?;
            told.set_item("loss", loss)?;
        }
        LearnProgress::Ranking { done, of } => {
            told.set_item("what", "ranking")?;
            told.set_item("done", done)?;
            told.set_item("of", of)?;
        }
        LearnProgress::Epoch(Epoch { epoch, loss, validation, train_seconds, links_per_second }) => {
            told.set_item("what", "epoch")?;
            told.set_item("epoch", epoch)?;
            told.set_item("loss", loss)?;
            told.set_item("mrr", validation.mrr)?;
            told.set_item("hits1", validation.hits1)?;
            told.set_item("hits10", validation.hits10)?;
            told.set_item("train_seconds", train_seconds)?;
            told.set_item("links_per_second", links_per_second)?;
        }
        _ => return Ok(()),
    }
    progress.call1(py, (told,)).map(drop)
}

#[pymethods]
impl Graph {
    /// Trains a model with a configuration, a JSON object of sections, and keeps it under a name.
    #[pyo3(signature = (name, config, commit=None, progress=None))]
    fn train(
        &self,
        py: Python<'_>,
        name: &str,
        config: &str,
        commit: Option<u64>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Model> {
        let options = || {
            let given =
                serde_json::from_str(config).map_err(|error| errors::named("ConfigError", error.to_string()))?;
            Ok(TrainOptions::new(Config::from_json(&given)?))
        };
        self.follow(py, (name, commit), progress, ModelFile::train, options)
    }

    /// Trains a model on, to so many epochs in all.
    #[pyo3(signature = (name, epochs, commit=None, progress=None))]
    fn resume(
        &self,
        py: Python<'_>,
        name: &str,
        epochs: usize,
        commit: Option<u64>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Model> {
        let resume = |file: ModelFile, options: TrainOptions<'_>| file.resume(epochs, options);
        self.follow(py, (name, commit), progress, resume, || Ok(TrainOptions::default()))
    }

    /// Names of all models.
    fn models(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.with(py, |graph| Ok(graph.models()?))
    }

    /// Loads a model.
    #[pyo3(signature = (name, commit=None))]
    fn model(&self, py: Python<'_>, name: &str, commit: Option<u64>) -> PyResult<Model> {
        let load = || whole(|| Ok(self.model_file(name, commit)?.load()?));
        Ok(Model::new(py.detach(load)?))
    }
}
