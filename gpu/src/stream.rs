//! A made-up stream of purchases, and batches of it.

use std::error::Error;
use std::ops::Range;
use std::sync::Arc;

use timeweft_graph::{Action, EdgeKey, Element, Event, Name, NodeKey, Schema, Time, TimeUnit, Value};
use timeweft_index::Index;
use timeweft_learn::{Config, GraphContext, Query, Task, TrainStatistics, Weight, splitmix64, train};

const USERS: u64 = 4_000;
const ITEMS: u64 = 2_000;
const EVENTS: u64 = 40_000;
/// Events of one time.
const TIES: u64 = 4;

/// The graph, its links, and how many negatives a link has.
pub(crate) struct Stream {
    pub(crate) config: Config,
    pub(crate) graph: GraphContext,
    task: Task,
    negatives: u64,
}

impl Stream {
    /// Users buy items; a few items are bought by many.
    pub(crate) fn new(negatives: usize) -> Result<Stream, Box<dyn Error>> {
        let mut config = Config::default();
        // A short training part: weights and statistics are all that is wanted of it.
        (config.train.split, config.train.epochs) = ([0.05, 0.06], 1);
        let mut index = Index::new(Schema::new(TimeUnit::Step));
        let namespace: Name = "".into();
        for i in 0..EVENTS {
            let draw = |turn: u64, n: u64| splitmix64(splitmix64(turn) ^ i) % n;
            let item = draw(1, ITEMS).min(draw(2, ITEMS));
            let key = EdgeKey {
                source: NodeKey::new("user", draw(3, USERS)),
                relation: "buys".into(),
                destination: NodeKey::new("item", item),
                key: Some(Name::from(i.to_string())),
            };
            let event = Event::new(Time((i / TIES) as i64), Action::Create, Element::Edge(key));
            let price = Some(Value::number(draw(4, 100) as f64));
            index
                .apply(&event.with(vec![("price".into(), price)]), &namespace)
                .map_err(|reason| format!("{reason:?}"))?;
        }
        let task = Task::new(Arc::new(index), &config)?;
        let graph = GraphContext::new(task.index.clone(), TrainStatistics::fit(&task, &config));
        Ok(Stream { config, graph, task, negatives: negatives as u64 })
    }

    /// Weights after an epoch of the training part.
    pub(crate) fn weights(&self) -> Result<Vec<Weight>, Box<dyn Error>> {
        Ok(train(&self.task, &self.config, |_| ())?.weights())
    }

    /// The facts of a batch of events behind the training part, its links each before its negatives, and how many links there are.
    pub(crate) fn batch(&self, events: usize) -> Result<(Range<usize>, Vec<Query>, usize), Box<dyn Error>> {
        let links = &self.task.links;
        let from = links.len() / 2;
        let Some(links) = links.get(from..from + events) else {
            return Err(format!("the stream has {} events: {events} is too large a batch", links.len() - from).into());
        };
        let facts = links[0].fact..links[events - 1].fact + 1;
        let draw = |link: usize, turn: u64| splitmix64(splitmix64(link as u64) ^ turn) as usize % self.task.links.len();
        let asked = links.iter().enumerate().flat_map(|(number, link)| {
            let others = (0..self.negatives).map(move |turn| self.task.links[draw(number, turn)].destination);
            std::iter::once(link.destination).chain(others).map(|node| link.question(node, link.time))
        });
        Ok((facts, asked.collect(), events))
    }
}
