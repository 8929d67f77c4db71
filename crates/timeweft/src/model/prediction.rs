//! Questions about what comes next.

use serde::Serialize;
use timeweft_graph::{Name, NodeKey, Stop, Time};
use timeweft_learn::Predict;

use super::{Count, Model, ModelError};
use crate::{Error, IntoTime, Node, Result};

/// A possible new edge.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Prediction {
    /// Where it would end.
    #[serde(serialize_with = "super::explanation::as_event")]
    pub destination: NodeKey,
    /// Logit: larger is likelier.
    pub score: f32,
    /// Softmax over all candidates of the question, in [0, 1].
    pub probability: f32,
}

/// A node by its key, or by its id alone where the type follows from the question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NodeName {
    /// An id; the type is the one that the relation starts at.
    Id(String),
    /// Type and id.
    Key(NodeKey),
}

impl From<&str> for NodeName {
    fn from(id: &str) -> NodeName {
        NodeName::Id(id.into())
    }
}

impl From<&NodeKey> for NodeName {
    fn from(key: &NodeKey) -> NodeName {
        NodeName::Key(key.clone())
    }
}

impl From<Node<'_>> for NodeName {
    fn from(node: Node<'_>) -> NodeName {
        NodeName::Key(node.key())
    }
}

/// A question about the next edges of a node: [`Ask::top`] answers it.
///
/// ```no_run
/// # let model = timeweft::Graph::open("mail")?.load_model("links")?;
/// for answer in model.predict("link", "ann").at("2004-06-01").destination_type("node").top(5)? {
///     println!("{} {:.3}", answer.destination, answer.probability);
/// }
/// # Ok::<(), timeweft::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Ask<'m> {
    model: &'m Model,
    relation: String,
    source: NodeName,
    destination_type: Option<String>,
    time: Result<Time, timeweft_graph::TimeError>,
    stop: Stop,
}

/// The best answers to a question, and of what.
#[derive(Clone, PartialEq, Debug)]
pub struct Answer {
    /// Whose edges; `None` for nodes that go.
    pub source: Option<NodeKey>,
    /// Of which relation; `None` for nodes that go.
    pub relation: Option<Name>,
    /// The type of all candidates.
    pub destination_type: Name,
    /// As of when; everything strictly before is known.
    pub time: Time,
    /// How many candidates there are: shares are of all of them.
    pub candidates: usize,
    /// Best first.
    pub predictions: Vec<Prediction>,
    /// How often, before the time, the source had such an edge to each of these, and when last; none for nodes that go.
    pub seen: Vec<Count>,
}

impl Model {
    /// The likeliest destinations of new edges of `relation` from `source`; from a model of removals those of its edges that are
    /// the likeliest to be removed.
    pub fn predict(&self, relation: &str, source: impl Into<NodeName>) -> Ask<'_> {
        let (relation, source) = (relation.into(), source.into());
        let (time, stop) = (Ok(self.next_time()), Stop::default());
        Ask { model: self, relation, source, destination_type: None, time, stop }
    }

    /// The node that a question of a relation means.
    fn node_named(&self, name: &NodeName, relation: &str) -> Result<NodeKey> {
        let id = match name {
            NodeName::Key(key) => return Ok(key.clone()),
            NodeName::Id(id) => id,
        };
        let (index, schema) = (self.index(), self.index().schema());
        let of_relation = schema.edge_types().iter().filter(|edge| *edge.relation == *relation);
        let mut keys: Vec<NodeKey> = of_relation
            .map(|edge| NodeKey { node_type: schema.node_type_name(edge.source), id: id.as_str().into() })
            .collect();
        keys.sort();
        keys.dedup();
        let first = keys.first().cloned();
        keys.retain(|key| index.node_index(key).is_some());
        match (keys.as_slice(), first) {
            ([key], _) => Ok(key.clone()),
            ([], Some(key)) => Err(Error::UnknownNode(key)),
            ([], None) => Err(ModelError::UnknownRelation { asked: relation.into(), known: self.relations() }.into()),
            (several, _) => {
                let types = several.iter().map(|key| key.node_type.to_string()).collect();
                Err(ModelError::SeveralNodes { id: id.clone(), types }.into())
            }
        }
    }
}

impl<'m> Ask<'m> {
    /// Only destinations of a type; needed where the relation ends at several.
    pub fn destination_type(self, name: &str) -> Ask<'m> {
        Ask { destination_type: Some(name.into()), ..self }
    }

    /// As of a time, with what was strictly before it; without, right after everything that the graph tells.
    pub fn at(self, time: impl IntoTime) -> Ask<'m> {
        let unit = self.model.index().schema().unit();
        Ask { time: time.into_time(unit), ..self }
    }

    /// Ends early once that is asked for.
    pub fn until(self, stop: &Stop) -> Ask<'m> {
        Ask { stop: stop.clone(), ..self }
    }

    /// The best answers, best first.
    ///
    /// # Errors
    /// If the model was not trained for that, or the node is not alive just before the time.
    pub fn top(self, n: usize) -> Result<Vec<Prediction>> {
        Ok(self.answer(n)?.predictions)
    }

    /// The same, with what they are of and what was seen before.
    ///
    /// # Errors
    /// As [`Ask::top`].
    pub fn answer(self, n: usize) -> Result<Answer> {
        let (model, relation, time) = (self.model, &*self.relation, self.time?);
        if model.predicts() == Predict::Gone {
            return Err(model.other_question("what edges of a node do", Predict::Created).into());
        }
        let source = model.node_named(&self.source, relation)?;
        let node = model.alive(&source, time)?;
        let edge_type = model.edge_type(relation, &source, self.destination_type.as_deref())?;
        let memory = model.memory(time, &self.stop)?;
        let ranked = model.trained.asker(&memory, &self.stop).predict(edge_type, node, time, n)?;
        let (index, schema) = (model.index(), model.index().schema());
        let seen = ranked.best.iter().map(|one| index.pair_before(edge_type, node, one.node, time).into()).collect();
        Ok(Answer {
            source: Some(source),
            relation: Some(relation.into()),
            destination_type: schema.node_type_name(schema.edge_types()[edge_type.at()].destination).clone(),
            time,
            candidates: ranked.candidates,
            predictions: model.predictions(ranked.best),
            seen,
        })
    }
}
