//! Facts: the log as a model reads it, in order of time.

use timeweft_graph::{Action, EdgeIndex, Time};

use crate::Index;
use crate::elements::events::Subject;
use crate::elements::fact::Fact;

impl Index {
    /// All accepted events but merges, by (time, position in the log). Made on first use, then kept up.
    pub fn facts(&self) -> &[Fact] {
        self.facts.get_or_init(|| {
            let mut facts = Vec::with_capacity(self.events.len());
            (0..self.events.len() as u32).for_each(|position| self.facts_of(position, &mut facts));
            facts.sort_by_key(|fact| fact.time);
            facts
        })
    }

    /// Appends what the event at a position says.
    pub(crate) fn facts_of(&self, position: u32, facts: &mut Vec<Fact>) {
        let entry = self.events.get(position);
        match entry.subject {
            Subject::Merge(_) => {}
            Subject::Edge(life) => facts.push(self.edge_fact(EdgeIndex(life), entry.action, entry.updated, position)),
            Subject::Node(life) => {
                let deleted = |&edge: &EdgeIndex| self.edge_fact(edge, Action::Delete, None, position);
                facts.extend(self.events.ended(position).iter().map(deleted));
                let life = &self.nodes.lives[life as usize];
                let time = time_of(entry.action, life.interval, entry.updated);
                let (source, destination) = (life.node, life.node);
                facts.push(Fact { time, action: entry.action, source, destination, edge: None, log: position });
            }
        }
    }

    fn edge_fact(&self, edge: EdgeIndex, action: Action, updated: Option<Time>, log: u32) -> Fact {
        let life = self.edges.get(edge);
        Fact {
            time: time_of(action, life.interval, updated),
            action,
            source: life.source,
            destination: life.destination,
            edge: Some((life.edge_type, edge)),
            log,
        }
    }
}

/// When the event of a life happened.
pub(crate) fn time_of(action: Action, life: timeweft_graph::Interval, updated: Option<Time>) -> Time {
    match action {
        Action::Create => life.created,
        Action::Update => updated.unwrap_or(life.created),
        Action::Delete => life.removed,
    }
}
