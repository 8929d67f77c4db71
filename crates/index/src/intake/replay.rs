//! Records of a log, many at once: as [`Index::apply`] takes in each, without making events of creates.

use timeweft_graph::rows::{RowRef, Rows};
use timeweft_graph::{Action, Interval, Name, Owner, Reason, Time};

use crate::intake::check::check_time;
use crate::intake::lifecycle::FirstFeatures;
use crate::intake::records::Records;
use crate::{Index, NONE};

impl Index {
    /// Takes in a chunk of records of a namespace. Types and features have the numbers of this index's schema. If one is
    /// refused, its position in the chunk comes with the reason; those before it are in.
    pub fn apply_rows(&mut self, rows: &Rows, namespace: &Name) -> Result<(), (usize, Reason)> {
        let mut creates = Creates { records: Records::new(self, namespace, NONE), next_source: 0 };
        for row in rows.iter() {
            let (time, is_plain) = (row.life().created, row.action() == Action::Create && !row.ends_values());
            let taken = match row.owner() {
                Owner::Node(_) if is_plain => creates.node(row, time),
                Owner::Edge(_) if is_plain => creates.edge(row, time),
                _ => {
                    let index = &mut *creates.records.index;
                    index.apply(&row.to_event(&index.schema), namespace)
                }
            };
            taken.map_err(|reason| (row.at(), reason))?;
        }
        Ok(())
    }

    /// Reserves memory for the features of records like those of a chunk: growing step by step copies everything
    /// several times. A guess from records that are not like the others must not take all memory.
    pub fn reserve_values(&mut self, like: &Rows, records: usize) {
        const MOST: usize = 1 << 30;
        let (values, bytes) = like.size();
        let of_all = |part: usize| (part.saturating_mul(records) / like.len().max(1)).min(MOST);
        let lives = if values == 0 { 0 } else { records };
        self.feature_store.reserve(lives, of_all(values), of_all(bytes));
    }
}

struct Creates<'a> {
    records: Records<'a>,
    /// Edges often come in the order of their sources: where the next one is looked for first.
    next_source: u32,
}

impl Creates<'_> {
    fn node(&mut self, row: RowRef<'_>, time: Time) -> Result<(), Reason> {
        check_time(time)?;
        self.records.index.check_room(row.features().len())?;
        let new = self.records.new_node(row, Interval::open(time))?;
        let Records { index, namespace_id, sets, .. } = &mut self.records;
        index.create_node(new, time, FirstFeatures { sets, plain: true }, *namespace_id);
        Ok(())
    }

    fn edge(&mut self, row: RowRef<'_>, time: Time) -> Result<(), Reason> {
        check_time(time)?;
        self.records.index.check_room(row.features().len())?;
        let edge_type = self.records.edge_type(row)?;
        let (from, to) = (edge_type.source, edge_type.destination);
        let nodes = &self.records.index.nodes;
        let source = nodes.find_near(from, row.id(), self.next_source);
        let guess = source.map_or(self.next_source, |source| source.0);
        let destination = nodes.find_near(to, row.destination(), guess);
        let ends = [source, destination].map(|node| self.records.index.edge_end(node));
        let new = self.records.new_edge(row, ends, Interval::open(time))?;
        self.next_source = new.identity.source.0 + 1;
        let Records { index, namespace_id, sets, .. } = &mut self.records;
        index.create_edge(new, time, FirstFeatures { sets, plain: true }, *namespace_id);
        Ok(())
    }
}
