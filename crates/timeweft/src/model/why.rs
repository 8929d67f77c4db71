//! Questions about why: an edge or a node, a time, and who may end the answer.

use serde::Serialize;
use timeweft_graph::{Direction, NodeIndex, NodeKey, Stop, Time};
use timeweft_learn::{Predict, Query};

use super::{Explanation, Model, ModelError};
use crate::{Error, IntoTime, Result};

/// A question about why an edge or a node gets its score: [`Why::explain`] answers it.
///
/// ```no_run
/// # let graph = timeweft::Graph::open("mail")?;
/// # let model = graph.load_model("links")?;
/// let view = graph.view();
/// let [ann, bo, cy] = [view.node("node", "ann")?.key(), view.node("node", "bo")?.key(), view.node("node", "cy")?.key()];
/// let why = model.why("link", &ann, &bo).at("2004-06-01");
/// println!("{:.2}", why.clone().explain()?.lead);
/// println!("{:.2} if Ann and Cy had never met", why.without(&[cy])?.lead);
/// # Ok::<(), timeweft::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Why<'m> {
    model: &'m Model,
    source: NodeKey,
    /// Relation and destination; `None` for a node that goes.
    edge: Option<(String, NodeKey)>,
    time: Result<Time, timeweft_graph::TimeError>,
    stop: Stop,
}

/// A score as it would be if some neighbors had never been linked.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Without {
    /// The score.
    pub score: f32,
    /// It above the mean score of the other candidates that the explanation compares with.
    pub lead: f32,
}

impl Model {
    /// Why an edge of `relation` gets its score: a new one, or, by a model of removals, one that is there.
    pub fn why(&self, relation: &str, source: &NodeKey, destination: &NodeKey) -> Why<'_> {
        let edge = Some((relation.into(), destination.clone()));
        Why { model: self, source: source.clone(), edge, time: Ok(self.next_time()), stop: Stop::default() }
    }

    /// Why a node gets its score among those that go.
    pub fn why_gone(&self, node: &NodeKey) -> Why<'_> {
        Why { model: self, source: node.clone(), edge: None, time: Ok(self.next_time()), stop: Stop::default() }
    }
}

impl<'m> Why<'m> {
    /// As of a time, with what was strictly before it; without, right after everything that the graph tells.
    pub fn at(self, time: impl IntoTime) -> Why<'m> {
        let unit = self.model.index().schema().unit();
        Why { time: time.into_time(unit), ..self }
    }

    /// Ends early once that is asked for.
    pub fn until(self, stop: &Stop) -> Why<'m> {
        Why { stop: stop.clone(), ..self }
    }

    /// The explanation.
    ///
    /// # Errors
    /// If the model was not trained for that, an end is not alive just before the time, or there is no edge to be removed.
    pub fn explain(self) -> Result<Explanation> {
        let query = self.query()?;
        let memory = self.model.memory(query.as_of, &self.stop)?;
        let explained = self.model.explained(&query, &self.source, &memory);
        Ok(match self.edge {
            Some((relation, destination)) => {
                Explanation { relation: Some(relation.into()), destination: Some(destination), ..explained }
            }
            None => Explanation { counters: None, ..explained },
        })
    }

    /// The score as it would be if neither end had ever been linked with some nodes, by any relation: neighbors, counters and
    /// memory have never seen these edges.
    ///
    /// # Errors
    /// As [`Why::explain`], and for a node that the graph never had.
    pub fn without(self, nodes: &[NodeKey]) -> Result<Without> {
        let query = self.query()?;
        let index = self.model.index();
        let find = |key: &NodeKey| index.node_index(key).ok_or_else(|| Error::UnknownNode(key.clone()));
        let nodes: Vec<NodeIndex> = nodes.iter().map(find).collect::<Result<_>>()?;
        let memory = self.model.memory(query.as_of, &self.stop)?;
        let (score, lead) = self.model.trained.asker(&memory, &self.stop).explain_without(&query, &nodes)?;
        Ok(Without { score, lead })
    }

    /// The question by numbers.
    fn query(&self) -> Result<Query> {
        let (model, source) = (self.model, &self.source);
        let time = self.time.clone()?;
        let direction = Direction::Out;
        let Some((relation, destination)) = &self.edge else {
            if model.predicts() != Predict::Gone {
                return Err(model.other_question("why a node goes", Predict::Gone).into());
            }
            model.trained_for(&source.node_type)?;
            let (node, edge_type) = (model.alive(source, time)?, model.trained.graph.stand_in());
            return Ok(Query { edge_type, direction, source: node, destination: node, time, as_of: time });
        };
        if model.predicts() == Predict::Gone {
            return Err(model.other_question("why an edge comes or goes", Predict::Created).into());
        }
        let ends = (model.alive(source, time)?, model.alive(destination, time)?);
        let edge_type = model.edge_type(relation, source, Some(&destination.node_type))?;
        if model.predicts() == Predict::Removed && !model.index().is_linked(edge_type, ends.0, ends.1, time.before()) {
            let time = model.index().schema().unit().format(time);
            return Err(ModelError::NoEdge { edge: format!("{source} -{relation}-> {destination}"), time }.into());
        }
        Ok(Query { edge_type, direction, source: ends.0, destination: ends.1, time, as_of: time })
    }
}
