//! Creates of a log, many at once: as [`Index::apply`] takes in each, without making an event of it.

use timeweft_graph::rows::{IdRef, RowRef, Rows};
use timeweft_graph::{FeatureId, Name, NodeIndex, NodeTypeId, Reason, Time};

use crate::elements::edge::Identity;
use crate::{Index, NONE};

impl Index {
    /// Takes in a chunk of creates, each at its time, spoken by a namespace. Types and features have the numbers of
    /// this index's schema. If one is refused, its position in the chunk comes with the reason; those before it are in.
    pub fn apply_creates(&mut self, rows: &Rows, times: &[Time], namespace: &Name) -> Result<(), (usize, Reason)> {
        let speaker = self.namespaces.add(namespace);
        let mut creates = Creates { index: self, speaker, next_source: 0, sets: Vec::new() };
        for (row, &time) in rows.iter().zip(times) {
            let taken = if rows.edges { creates.edge(row, time) } else { creates.node(row, time) };
            if taken.is_none() {
                // The law itself says what is wrong.
                let event = row.to_event(&creates.index.schema, time);
                creates.index.apply(&event, namespace).map_err(|reason| (row.at(), reason))?;
            }
        }
        Ok(())
    }

    /// Makes room for the features of so many records like those of a chunk: growing step by step copies everything
    /// several times. A guess from records that are not like the others must not take all memory.
    pub fn reserve_values(&mut self, like: &Rows, records: usize) {
        const MOST: usize = 1 << 30;
        let (values, bytes) = like.size();
        let of_all = |part: usize| (part.saturating_mul(records) / like.len().max(1)).min(MOST);
        let lives = if values == 0 { 0 } else { records };
        self.columns.reserve(lives, of_all(values), of_all(bytes));
    }
}

struct Creates<'a> {
    index: &'a mut Index,
    speaker: u32,
    /// Edges often come in the order of their sources: where the next one is looked for first.
    next_source: u32,
    sets: Vec<(FeatureId, u32)>,
}

impl Creates<'_> {
    /// Creates a node; `None` if something speaks against it, and then nothing has changed.
    fn node(&mut self, row: RowRef<'_>, time: Time) -> Option<()> {
        self.check(row, time)?;
        let known = self.index.nodes.find(row.node_type(), row.id());
        if let Some(node) = known {
            let ended = self.index.nodes.latest_life(node).is_none_or(|life| !life.interval.is_open());
            (ended && self.index.nodes.latest(node) <= time).then_some(())?;
        }
        self.index.columns.values.add_row(row, &mut self.sets);
        let node = known.unwrap_or_else(|| self.index.nodes.add(row.node_type(), row.id()));
        self.index.begin_life(node, time, (&self.sets, true), self.speaker);
        Some(())
    }

    /// Creates an edge; `None` if something speaks against it, and then nothing has changed.
    fn edge(&mut self, row: RowRef<'_>, time: Time) -> Option<()> {
        self.check(row, time)?;
        let edge_type = self.index.schema.edge_types().get(row.edge_type().at())?;
        let (from, to) = (edge_type.source, edge_type.destination);
        let source = self.end(from, row.id(), self.next_source, time)?;
        let destination = self.end(to, row.destination(), source.0, time)?;
        self.next_source = source.0 + 1;
        let edge_type = row.edge_type();
        let identity = |key| Identity { edge_type, source, destination, key };
        let key = row.key().map_or(Some(NONE), |key| self.index.keys.find(key));
        let latest = key.and_then(|key| self.index.edges.find(identity(key)));
        if let Some(known) = latest {
            let ended = !self.index.edges.get(known).interval.is_open();
            (ended && self.index.edges.latest(known) <= time).then_some(())?;
        }
        self.index.columns.values.add_row(row, &mut self.sets);
        let key = row.key().map_or(NONE, |key| self.index.keys.add_str(key));
        self.index.begin_edge((identity(key), latest), time, (&self.sets, true), self.speaker);
        Some(())
    }

    fn check(&self, row: RowRef<'_>, time: Time) -> Option<()> {
        (time != Time::FOREVER && self.index.check_room(row.features().len()).is_ok()).then_some(())
    }

    /// An end that lives from `time` or before.
    fn end(&self, node_type: NodeTypeId, id: IdRef<'_>, guess: u32, time: Time) -> Option<NodeIndex> {
        let node = self.index.nodes.find_near(node_type, id, guess)?;
        let life = self.index.nodes.latest_life(node)?.interval;
        (life.is_open() && life.created <= time).then_some(node)
    }
}
