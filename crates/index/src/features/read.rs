//! Values of many owners in order: what the next step will read is fetched for a whole group before any of it is read.
//!
//! A value is four dependent reads away (the element, its life, its track, the number of the value), each a miss of all
//! caches in a large graph. Taken one owner after the other each read would wait for the one before; taken step by step,
//! the reads of a group are under way together.

use timeweft_graph::{At, EdgeIndex, NodeIndex, Time, ValueBytes};

use super::{Elements, Feature, Owners};
use crate::array::fetch;
use crate::life::{Life, shown};
use crate::{Index, NONE};

/// So many owners are taken together: more misses than a core can have under way at once.
const GROUP: usize = 32;

/// Where the features of an owner are at its time.
#[derive(Clone, Copy)]
struct Place {
    /// [`NONE`] if there are none.
    track: u32,
    of_type: u16,
    time: Time,
}

const NOWHERE: Place = Place { track: NONE, of_type: 0, time: Time::MIN };

/// Someone who takes values.
pub(super) trait Taker {
    /// The value of a feature that an owner at a row has at its time, if there is one: row by row, and in a row feature by
    /// feature.
    fn take(&mut self, row: usize, feature: usize, value: Option<ValueBytes<'_>>);
}

impl Index {
    /// Brings the value of each feature of each owner before a taker.
    pub(super) fn read_features(&self, features: &[Feature], owners: Owners<'_>, taker: &mut impl Taker) {
        let mut places = [NOWHERE; GROUP];
        let mut numbers = vec![NONE; GROUP * features.len()];
        let mut left = owners;
        self.fetch_elements(left.first(GROUP));
        for start in (0..owners.len()).step_by(GROUP) {
            let (group, rest) = left.split_at(left.len().min(GROUP));
            left = rest;
            self.fetch_elements(left.first(GROUP));
            let places = &mut places[..group.len()];
            match group.elements {
                Elements::Nodes(nodes) => self.place_nodes(nodes, group, places),
                Elements::Edges(edges) => self.place_edges(edges, group, places),
            }
            places.iter().for_each(|place| self.columns.fetch_first(place.track));
            for (numbers, place) in numbers.chunks_exact_mut(features.len()).zip(&*places) {
                for (number, feature) in numbers.iter_mut().zip(features) {
                    let id = feature.ids.get(usize::from(place.of_type)).copied().flatten();
                    *number = id.map_or(NONE, |id| self.columns.value_at(place.track, id, place.time));
                    self.columns.values.fetch(*number);
                }
            }
            for (row, numbers) in (start..owners.len()).zip(numbers.chunks_exact(features.len())).take(group.len()) {
                for (feature, number) in numbers.iter().enumerate() {
                    let held = self.columns.bytes(*number);
                    taker.take(row, feature, held.as_deref().map(ValueBytes));
                }
            }
        }
    }

    fn fetch_elements(&self, owners: Owners<'_>) {
        match owners.elements {
            Elements::Nodes(nodes) => nodes.iter().for_each(|node| {
                fetch(&self.nodes.all, node.at());
                fetch(&self.nodes.ids.ids, node.at());
            }),
            Elements::Edges(edges) => edges.iter().for_each(|edge| fetch(&self.edges.lives, edge.at())),
        }
    }

    fn place_nodes(&self, nodes: &[NodeIndex], owners: Owners<'_>, places: &mut [Place]) {
        let mut lives = [NONE; GROUP];
        for (life, node) in lives.iter_mut().zip(nodes) {
            *life = self.nodes.all.get(node.at()).map_or(NONE, |node| node.life);
            fetch(&self.nodes.lives, *life as usize);
        }
        let Owners { as_of, deletes, .. } = owners;
        for (at, place) in places.iter_mut().enumerate() {
            let last = as_of.last(owners.times[at]);
            let life = last.and_then(|time| shown(&self.nodes.lives, lives[at], At { time, deletes }));
            *place = last.zip(life).map_or(NOWHERE, |(last, life)| {
                let life = &self.nodes.lives[life as usize];
                Place { track: life.track, of_type: self.nodes.node_type(nodes[at]).0, time: life.as_of(last) }
            });
            fetch(&self.columns.tracks, place.track as usize);
        }
    }

    fn place_edges(&self, edges: &[EdgeIndex], owners: Owners<'_>, places: &mut [Place]) {
        for ((place, edge), time) in places.iter_mut().zip(edges).zip(owners.times) {
            let last = owners.as_of.last(*time);
            let life = self.edges.lives.get(edge.at());
            *place = last.zip(life).filter(|(last, life)| life.is_seen(*last, owners.deletes)).map_or(
                NOWHERE,
                |(last, life)| Place { track: life.track, of_type: life.edge_type.0, time: life.as_of(last) },
            );
            fetch(&self.columns.tracks, place.track as usize);
        }
    }
}

impl<'a> Owners<'a> {
    /// The first ones, as many as there are.
    fn first(self, n: usize) -> Owners<'a> {
        self.split_at(self.len().min(n)).0
    }
}
