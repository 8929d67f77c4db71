//! Many links and nodes at once, each as of its own time.

use std::collections::HashMap;

use timeweft_graph::{Direction, EdgeKey, EdgeTypeId, NodeIndex, NodeTypeId, Stop, Time};
use timeweft_learn::{Predict, Query};

use super::Model;
use crate::Result;

/// Links by dense numbers of the graph that the model reads ([`Model::view`]), of as many rows each.
#[derive(Clone, Copy, Debug)]
pub struct Links<'a> {
    /// Where each starts.
    pub sources: &'a [NodeIndex],
    /// The relation of each, as a place in `names`.
    pub relations: &'a [u32],
    /// Relations by name.
    pub names: &'a [String],
    /// Where each ends.
    pub destinations: &'a [NodeIndex],
    /// When.
    pub times: &'a [Time],
}

/// What links say of their kind: relation and types of both ends.
type Kind = (u32, NodeTypeId, NodeTypeId);

impl Model {
    /// Scores of links, each at its own time with what was strictly before it; `None` for one that the model cannot be asked
    /// about, because an end is not alive just before or it was not trained for the relation. The log is read once.
    pub fn score(&self, links: &[(EdgeKey, Time)]) -> Result<Vec<Option<f32>>> {
        self.score_until(links, &Stop::default())
    }

    /// The same, which ends early once that is asked for.
    ///
    /// # Errors
    /// As [`Model::score`], and [`LearnError::Stopped`](crate::model::LearnError::Stopped).
    pub fn score_until(&self, links: &[(EdgeKey, Time)], stop: &Stop) -> Result<Vec<Option<f32>>> {
        self.predicts_edges()?;
        let query = |(key, time): &(EdgeKey, Time)| {
            let time = self.asked_at(*time);
            let (source, destination) = (self.alive(&key.source, time).ok()?, self.alive(&key.destination, time).ok()?);
            let edge_type = self.edge_type(&key.relation, &key.source, Some(&key.destination.node_type)).ok()?;
            Some(question(edge_type, source, destination, time))
        };
        self.scores(links.iter().map(query).collect(), stop)
    }

    /// The same of links by numbers.
    ///
    /// # Errors
    /// For a model of nodes that go.
    ///
    /// # Panics
    /// If columns differ in length, or a relation is none of the names.
    pub fn score_links(&self, links: Links<'_>) -> Result<Vec<Option<f32>>> {
        self.predicts_edges()?;
        let Links { sources, relations, names, destinations, times } = links;
        let n = sources.len();
        assert!([relations.len(), destinations.len(), times.len()] == [n; 3], "columns of one length");
        let mut known: HashMap<Kind, Option<EdgeTypeId>> = HashMap::new();
        let mut query = |row: usize| {
            let time = self.asked_at(times[row]);
            let (source, destination) = (self.lives(sources[row], time)?, self.lives(destinations[row], time)?);
            let kind = (relations[row], self.index().node_type(source), self.index().node_type(destination));
            let edge_type = *known.entry(kind).or_insert_with(|| {
                let (source, destination) = (self.index().node_key(source), self.index().node_key(destination));
                self.edge_type(&names[relations[row] as usize], &source, Some(&destination.node_type)).ok()
            });
            Some(question(edge_type?, source, destination, time))
        };
        self.scores((0..n).map(&mut query).collect(), &Stop::default())
    }

    fn predicts_edges(&self) -> Result<()> {
        match self.predicts() {
            Predict::Gone => Err(self.other_question("what edges of a node do", Predict::Created).into()),
            Predict::Created | Predict::Removed => Ok(()),
        }
    }

    fn scores(&self, asked: Vec<Option<Query>>, stop: &Stop) -> Result<Vec<Option<f32>>> {
        let queries: Vec<Query> = asked.iter().flatten().copied().collect();
        let mut scores = self.trained.scorer_until(stop.clone()).score_all(&queries)?.into_iter();
        Ok(asked.iter().map(|query| query.as_ref().and_then(|_| scores.next())).collect())
    }

    /// Embeddings `[N, width]`, row by row, of nodes by number, each with what was strictly before its own time: what the model reads
    /// of a node when it scores, and what [`Model::nearest`] compares. The width is `config().model.width`. A row of NaN is a
    /// node that is not alive just before, or of a type that the model does not know. The log is read once.
    ///
    /// # Panics
    /// If there are not as many times as nodes.
    pub fn embeddings(&self, nodes: &[NodeIndex], times: &[Time]) -> Vec<f32> {
        assert_eq!(nodes.len(), times.len(), "a time for each node");
        let width = self.config().model.width;
        let timed = nodes.iter().zip(times).map(|(&node, &time)| (node, self.asked_at(time)));
        let (places, asked): (Vec<usize>, Vec<(NodeIndex, Time)>) = timed
            .enumerate()
            .filter_map(|(place, (node, time))| Some((place, (self.lives(node, time)?, time))))
            .unzip();
        let found = self.trained.scorer().embed(&asked);
        let mut rows = vec![f32::NAN; nodes.len() * width];
        for (place, row) in places.into_iter().zip(found.chunks_exact(width)) {
            rows[place * width..(place + 1) * width].copy_from_slice(row);
        }
        rows
    }

    /// A node that lives just before a time, of a type that the model knows.
    fn lives(&self, node: NodeIndex, time: Time) -> Option<NodeIndex> {
        let index = self.index();
        let known = node.at() < index.n_nodes() && self.trained.graph.knows_node_type(index.node_type(node));
        (known && index.alive(node, time.before())).then_some(node)
    }

    /// The end of time is no moment that anything could happen at: what comes next is meant.
    fn asked_at(&self, time: Time) -> Time {
        if time == Time::FOREVER { self.next_time() } else { time }
    }
}

fn question(edge_type: EdgeTypeId, source: NodeIndex, destination: NodeIndex, time: Time) -> Query {
    Query { edge_type, direction: Direction::Out, source, destination, time, as_of: time }
}
