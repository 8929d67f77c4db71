//! Why an edge or a node got its score, with names.

use serde::{Serialize, Serializer};
use timeweft_graph::{Action, ExternalId, Name, NodeIndex, NodeKey, Time};
use timeweft_index::Recency;
use timeweft_learn::{Predict, Query, VectorStore};

use super::Model;
use crate::Result;

/// Why an edge got its score, a new one or one that is to be removed; or why a node did that is to go.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Explanation {
    /// What would happen.
    pub predicts: Predict,
    /// Relation of the edge; `None` for a node.
    pub relation: Option<Name>,
    /// Where the edge starts, or the node.
    #[serde(serialize_with = "as_event")]
    pub source: NodeKey,
    /// Where the edge ends; `None` for a node.
    #[serde(serialize_with = "as_event_if_there")]
    pub destination: Option<NodeKey>,
    /// When it would happen; everything strictly before is known.
    pub time: Time,
    /// Logit: larger is likelier.
    pub score: f32,
    /// The score above the mean score of up to 16 other candidates, always the same ones.
    pub lead: f32,
    /// The scores of those other candidates.
    pub others: Vec<f32>,
    /// What counting added: the score less the score if every counter said "never". `None` for a model without counters.
    pub counting: Option<f32>,
    /// What was counted of the relation; `None` for a node.
    pub counters: Option<Counters>,
    /// Neighbors of the source, then of the destination; of each the largest push first.
    pub neighbors: Vec<HeardNeighbor>,
    /// What the memory of the source holds, then that of the destination; of each the largest push first. Empty for a model
    /// whose cell cannot tell.
    pub memory: Vec<RecalledMoment>,
}

/// What was counted before the time of a question, in edges of its relation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Counters {
    /// From the source to the destination.
    pub pair: Count,
    /// From the destination to the source.
    pub reversed: Count,
    /// To the destination, from anywhere.
    pub to_destination: Count,
    /// From the destination, to anywhere.
    pub from_destination: Count,
    /// From the source, to anywhere.
    pub from_source: Count,
}

/// How often something happened, and when last.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Count {
    /// How often.
    pub count: u32,
    /// When last; `None` if never.
    pub last: Option<Time>,
}

/// A neighbor that the source or the destination listened to.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct HeardNeighbor {
    /// Whether the source listened (else the destination).
    pub at_source: bool,
    /// The neighbor.
    #[serde(serialize_with = "as_event")]
    pub node: NodeKey,
    /// Relation of the edge between them.
    pub relation: Name,
    /// Whether that edge ends at the neighbor (else it starts there).
    pub outward: bool,
    /// When that edge appeared.
    pub created: Time,
    /// Attention of each head, in [0, 1].
    pub attention: Vec<f32>,
    /// For a co-operative model: whether the root listened, and whether the neighbor spoke. It was heard only if both did.
    pub actions: Option<[bool; 2]>,
    /// Signed share of the lead that came through this neighbor.
    pub contribution: f32,
}

/// A moment in the past that the memory of the source or the destination holds.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct RecalledMoment {
    /// Whether the source remembers (else the destination).
    pub at_source: bool,
    /// When it was.
    pub time: Time,
    /// What happened then.
    pub facts: Vec<RecalledFact>,
    /// Signed share of the lead that came through this memory, to first order.
    pub contribution: f64,
}

impl RecalledMoment {
    /// What happened at the moment, in words: the first of it, and how much more. `name` says how nodes are called.
    ///
    /// ```
    /// use timeweft::model::{RecalledFact, RecalledMoment};
    /// use timeweft::{Action, NodeKey, Time};
    /// let mail = RecalledFact { action: Action::Create, relation: Some("mails".into()), node: NodeKey::new("person", "bo") };
    /// let moment = RecalledMoment { at_source: true, time: Time(7), facts: vec![mail.clone(), mail], contribution: 0.5 };
    /// assert_eq!(moment.in_words(|node| node.id.to_string()), "create mails bo, and 1 more");
    /// ```
    pub fn in_words(&self, name: impl FnOnce(&NodeKey) -> String) -> String {
        let Some(first) = self.facts.first() else { return String::new() };
        let action = match first.action {
            Action::Create => "create",
            Action::Update => "update",
            Action::Delete => "delete",
        };
        let what = match &first.relation {
            Some(relation) => format!("{action} {relation} {}", name(&first.node)),
            None => format!("{action} itself"),
        };
        if self.facts.len() > 1 { format!("{what}, and {} more", self.facts.len() - 1) } else { what }
    }
}

/// Something that happened to a node.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct RecalledFact {
    /// What happened.
    pub action: Action,
    /// Relation of the edge that it happened to; `None` if it happened to the node itself.
    pub relation: Option<Name>,
    /// The other end of the edge, or the node itself.
    #[serde(serialize_with = "as_event")]
    pub node: NodeKey,
}

impl Model {
    /// Why an edge of `relation` would get its score at a time: a new one, or, by a model of removals, one that is there.
    pub fn explain(&self, relation: &str, source: &NodeKey, destination: &NodeKey, time: Time) -> Result<Explanation> {
        self.why(relation, source, destination).at(time).explain()
    }

    /// Why a node would get its score among those that go at a time.
    pub fn explain_gone(&self, node: &NodeKey, time: Time) -> Result<Explanation> {
        self.why_gone(node).at(time).explain()
    }

    /// Why a question gets its score, from a memory of everything strictly before it.
    pub(crate) fn explained(&self, query: &Query, source: &NodeKey, memory: &VectorStore) -> Explanation {
        let ends = (query.source, query.destination);
        let timeweft_learn::ScoreExplanation {
            logit,
            margin,
            others,
            logit_without_counters,
            counters,
            neighbors,
            memory,
        } = self.trained.explain_from(memory, query);
        Explanation {
            predicts: self.predicts(),
            relation: None,
            source: source.clone(),
            destination: None,
            time: query.time,
            score: logit,
            lead: margin,
            others,
            counting: logit_without_counters.map(|without| logit - without),
            counters: Some(Counters::from(counters)),
            neighbors: neighbors.iter().map(|heard| self.named(heard, ends)).collect(),
            memory: memory.iter().map(|recalled| self.moment(recalled, ends)).collect(),
        }
    }

    fn named(&self, heard: &timeweft_learn::AttendedNeighbor, ends: (NodeIndex, NodeIndex)) -> HeardNeighbor {
        let index = self.index();
        let root = if heard.at_source { ends.0 } else { ends.1 };
        let (_, start, _) = index.edge_ends(heard.edge);
        HeardNeighbor {
            at_source: heard.at_source,
            node: index.node_key(heard.node),
            relation: index.edge_key(heard.edge).relation,
            outward: start == root,
            created: heard.created,
            attention: heard.attention.clone(),
            actions: heard.actions.map(|actions| [actions.listens, actions.speaks]),
            contribution: heard.contribution,
        }
    }

    fn moment(&self, recalled: &timeweft_learn::Recalled, ends: (NodeIndex, NodeIndex)) -> RecalledMoment {
        let index = self.index();
        let root = if recalled.at_source { ends.0 } else { ends.1 };
        let told = |&position: &usize| {
            let fact = self.trained.graph.facts()[position];
            let other = if fact.source == root { fact.destination } else { fact.source };
            RecalledFact {
                action: fact.action,
                relation: fact.edge.map(|(_, edge)| index.edge_key(edge).relation),
                node: index.node_key(other),
            }
        };
        RecalledMoment {
            at_source: recalled.at_source,
            time: recalled.time,
            facts: recalled.facts.iter().map(told).collect(),
            contribution: recalled.contribution,
        }
    }
}

impl From<[Recency; 5]> for Counters {
    fn from([pair, reversed, to_destination, from_destination, from_source]: [Recency; 5]) -> Counters {
        Counters {
            pair: pair.into(),
            reversed: reversed.into(),
            to_destination: to_destination.into(),
            from_destination: from_destination.into(),
            from_source: from_source.into(),
        }
    }
}

impl From<Recency> for Count {
    fn from(recency: Recency) -> Count {
        Count { count: recency.count, last: recency.last }
    }
}

/// A node as event streams write it.
pub(crate) fn as_event<S: Serializer>(node: &NodeKey, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Written<'a> {
        r#type: &'a str,
        id: &'a ExternalId,
    }
    Written { r#type: &node.node_type, id: &node.id }.serialize(serializer)
}

fn as_event_if_there<S: Serializer>(node: &Option<NodeKey>, serializer: S) -> Result<S::Ok, S::Error> {
    match node {
        Some(node) => as_event(node, serializer),
        None => serializer.serialize_none(),
    }
}
