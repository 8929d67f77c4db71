//! What questions of models share: which model, which node, as of when.

use std::sync::Arc;

use serde::Deserialize;
use timeweft::load::Stop;
use timeweft::model::ModelError;
use timeweft::read::ExternalId;
use timeweft::{Commit, Error, Model, NodeKey, Time};
use tokio::runtime::Handle;
use utoipa::ToSchema;

use super::shelf;
use crate::asking::Asked;
use crate::pinned::Pinned;
use crate::problem::{Code, Problem};
use crate::reads::lookup;
use crate::served::Served;
use crate::wire::{Moment, NodeRef};

/// A node by type and id.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NodeName {
    #[serde(rename = "type")]
    pub(crate) node_type: String,
    /// Text, also where it is a whole number.
    pub(crate) id: String,
}

impl NodeName {
    pub(crate) fn key(&self) -> NodeKey {
        key(&self.node_type, &self.id)
    }
}

pub(crate) fn key(node_type: &str, id: &str) -> NodeKey {
    NodeKey::new(node_type, ExternalId::from(id))
}

/// Asks the work on a question to stop once nobody waits for it: the answer is there, it took too long, or the client went away.
pub(crate) struct Waiting(Stop);

impl Waiting {
    pub(crate) fn new() -> (Waiting, Stop) {
        let stop = Stop::default();
        (Waiting(stop.clone()), stop)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.ask();
    }
}

/// The model of a graph that answers questions that name no commit. For a thread that may block.
pub(crate) fn standing(graph: &Arc<Served>, name: &str, stop: &Stop) -> Result<Arc<Model>, Problem> {
    let open = |commit: Commit| Handle::current().block_on(graph.at(Some(commit.0)));
    graph.models.standing(graph.newest(), open, name, stop)
}

/// The model of a question, and the graph that it is asked over.
pub(crate) struct Question {
    pub(crate) model: Arc<Model>,
    graph: Arc<Served>,
    /// Whether it named a commit.
    is_pinned: bool,
    pinned: Arc<Pinned>,
}

impl Question {
    /// Loads the model, at the commit that was named or at that of its memory.
    pub(crate) fn open<Q>(asked: &Asked<Q>, name: &str, is_pinned: bool, stop: &Stop) -> Result<Question, Problem> {
        let (graph, pinned) = (asked.graph.clone(), asked.pinned.clone());
        let model = match is_pinned {
            true => graph.models.at(&pinned, name, stop)?,
            false => standing(&graph, name, stop)?,
        };
        Ok(Question { model, graph, is_pinned, pinned })
    }

    pub(crate) fn commit(&self) -> u64 {
        self.model.view().commit().0
    }

    /// The time of a question: the end of time is no moment that anything could happen at, so what comes next is meant.
    pub(crate) fn time(&self, at: Option<&str>) -> Result<Time, Problem> {
        let time = at.map(|text| self.pinned.time("at", text)).transpose()?;
        Ok(time.filter(|&time| time != Time::FOREVER).unwrap_or_else(|| self.model.next_time()))
    }

    /// The relation that is asked about; left out, the only one that the model predicts.
    pub(crate) fn relation(&self, asked: Option<&str>) -> Result<String, Problem> {
        let relations = self.model.relations();
        match (asked, relations.as_slice()) {
            (Some(relation), _) => Ok(relation.to_owned()),
            (None, [only]) => Ok(only.clone()),
            (None, []) => Err(Problem::bad("relation: the graph has none of those that the model predicts")),
            (None, several) => {
                Err(Problem::bad(format!("relation: the model predicts {}: say which", several.join(", "))))
            }
        }
    }

    pub(crate) fn moment(&self, time: Time) -> Moment {
        Moment::of(self.model.view().unit(), time)
    }

    pub(crate) fn node(&self, key: &NodeKey) -> NodeRef {
        lookup::node_ref(self.model.view(), key)
    }

    /// What is to be said beside an answer.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut warnings = self.model.warnings().to_vec();
        let newest = self.graph.newest();
        if !self.is_pinned && newest.commit() != self.model.view().commit() {
            let file = newest.graph().model_file(self.model.name(), newest.view()).ok();
            let behind = file.map_or(0, |file| file.behind(&self.model));
            if behind > 0 {
                warnings.push(format!(
                    "this is answered as of commit {}: {behind} facts that were loaded since are not taken in yet; POST to \
                     /models/{}/absorb takes them in",
                    self.commit(),
                    self.model.name(),
                ));
            }
        }
        warnings
    }

    /// A failure to answer.
    pub(crate) fn problem(&self, error: Error) -> Problem {
        let view = self.model.view();
        match &error {
            Error::UnknownNode(key) => {
                if let Err(problem) = lookup::node_type(view, &key.node_type) {
                    return problem;
                }
                let message = format!("there is no node {key}");
                let later = self.graph.newest();
                if !self.is_pinned && later.view().index().node_index(key).is_some() {
                    let hint = format!(
                        "It was loaded after commit {}, which the model has taken in: have it absorb what came since.",
                        self.commit()
                    );
                    return Problem::not_found(message).hint(hint);
                }
                Problem::not_found(message).hint("GET search finds nodes by id, name and words.")
            }
            Error::Model(ModelError::NotAlive { node, .. }) => {
                Problem::new(Code::NotAlive, error.to_string()).hint(lookup::lived(view, node, Time::FOREVER))
            }
            _ => shelf::problem(&self.pinned, error),
        }
    }
}
