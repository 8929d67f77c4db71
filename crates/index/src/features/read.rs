//! Values of many owners in order, a step of all at a time: what a step will read of an owner was fetched while the step before
//! was done for others.
//!
//! A value is up to four dependent reads away (which life, the life, its feature row if it has more than one feature, the value),
//! each a miss of all caches in a large graph. Taken one owner after the other each read would wait for the one before; so
//! owners are taken in groups, and each step is a group behind the one before it.

use timeweft_graph::{At, EdgeIndex, Time, ValueBytes};

use super::{Elements, Feature, Owners};
use crate::elements::edge::EdgeLife;
use crate::elements::life::{LifeRecord, shown};
use crate::elements::node::NodeLife;
use crate::feature_store::{FeatureReader, FeatureRow, MANY};
use crate::memory::array::{Checked, prefetch, prefetch_both};
use crate::parallel::Split;
use crate::{Index, NONE};

/// Owners that are taken together: enough that memory answers while a step is done for them.
const GROUP: usize = 32;

/// Steps before values are taken.
const STEPS: usize = 4;

/// Where the features of an owner are at its time.
#[derive(Clone, Copy)]
struct RowAt {
    feature_row: FeatureRow,
    of_type: u16,
    time: Time,
}

const NOWHERE: RowAt =
    RowAt { feature_row: FeatureRow { at: NONE, only: MANY, begun: Time::MIN }, of_type: 0, time: Time::MIN };

/// What is known of a group.
struct Group {
    /// Latest lives of nodes.
    lives: [u32; GROUP],
    places: [RowAt; GROUP],
    /// Of each owner's values, in the order of the features asked for.
    numbers: Vec<u32>,
}

/// Takes values.
pub(super) trait Taker {
    /// The value of a feature that an owner at a row has at its time, if there is one: row by row, and in a row feature by
    /// feature.
    fn take(&mut self, row: usize, feature: usize, value: Option<ValueBytes<'_>>);
}

impl Index {
    /// Gives the value of each feature of each owner to a taker.
    pub(super) fn read_features(&self, features: &[Feature], owners: Owners<'_>, taker: &mut impl Taker) {
        let size = GROUP.min(owners.len()) * features.len();
        let empty = || Group { lives: [NONE; GROUP], places: [NOWHERE; GROUP], numbers: vec![NONE; size] };
        let mut groups: [Group; STEPS] = std::array::from_fn(|_| empty());
        let n_groups = owners.len().div_ceil(GROUP);
        let steps = Steps {
            latest: self.nodes.life.checked(),
            nodes: self.nodes.lives.checked(),
            edges: self.edges.lives.checked(),
            features: self.feature_store.reader(),
        };
        for step in 0..n_groups + STEPS {
            // The oldest first: its buffers are used again.
            let behind = |steps: usize| step.checked_sub(steps).filter(|at| *at < n_groups);
            if let Some(at) = behind(STEPS) {
                let rows = at * GROUP..owners.len().min((at + 1) * GROUP);
                steps.take_values(features.len(), rows, &groups[at % STEPS], taker);
            }
            if let Some(at) = behind(3) {
                steps.find_values(features, &mut groups[at % STEPS]);
            }
            if let Some(at) = behind(2) {
                steps.find_feature_rows(owners.group(at), &mut groups[at % STEPS]);
            }
            if let Some(at) = behind(1) {
                steps.find_lives(owners.group(at), &mut groups[at % STEPS]);
            }
            if let Some(at) = behind(0) {
                steps.prefetch_elements(owners.group(at));
            }
        }
    }
}

/// What the steps read. What it takes to check it is looked up once.
#[derive(Clone, Copy)]
struct Steps<'a> {
    /// The latest life of each node.
    latest: Checked<'a, u32>,
    nodes: Checked<'a, NodeLife>,
    edges: Checked<'a, EdgeLife>,
    features: FeatureReader<'a>,
}

impl Steps<'_> {
    fn prefetch_elements(&self, owners: Owners<'_>) {
        match owners.elements {
            Elements::Nodes(nodes) => nodes.iter().for_each(|node| prefetch(self.latest, node.at())),
            Elements::Edges(edges) => edges.iter().for_each(|edge| prefetch_both(self.edges, edge.at())),
        }
    }

    /// Reads where the lives of nodes are, and fetches these.
    fn find_lives(&self, owners: Owners<'_>, group: &mut Group) {
        let Elements::Nodes(nodes) = owners.elements else { return };
        for (life, node) in group.lives.iter_mut().zip(nodes) {
            *life = self.latest.get(node.at()).copied().unwrap_or(NONE);
            prefetch(self.nodes, *life as usize);
        }
    }

    /// Reads where the feature rows of owners are, and fetches these.
    fn find_feature_rows(&self, owners: Owners<'_>, group: &mut Group) {
        match owners.elements {
            Elements::Nodes(_) => self.place_nodes(owners, group),
            Elements::Edges(edges) => self.place_edges(edges, owners, &mut group.places),
        }
        // A last group is not full.
        group.places[..owners.len()].iter().for_each(|place| self.features.prefetch(place.feature_row));
        group.places[owners.len()..].fill(NOWHERE);
    }

    fn place_nodes(&self, owners: Owners<'_>, group: &mut Group) {
        let Owners { as_of, deletes, .. } = owners;
        for ((place, &life), time) in group.places.iter_mut().zip(&group.lives).zip(owners.times) {
            let last = as_of.last(*time);
            let life = last.and_then(|time| shown(self.nodes, life, At { time, deletes }));
            *place = last.zip(life).map_or(NOWHERE, |(last, life)| {
                let life = self.nodes.at(life as usize);
                RowAt { feature_row: life.feature_row(), of_type: life.node_type.0, time: life.as_of(last) }
            });
        }
    }

    fn place_edges(&self, edges: &[EdgeIndex], owners: Owners<'_>, places: &mut [RowAt]) {
        for ((place, edge), time) in places.iter_mut().zip(edges).zip(owners.times) {
            let last = owners.as_of.last(*time);
            let life = self.edges.get(edge.at());
            let seen = last.zip(life).filter(|(last, life)| life.is_seen(*last, owners.deletes));
            *place = seen.map_or(NOWHERE, |(last, life)| RowAt {
                feature_row: life.feature_row(),
                of_type: life.edge_type.0,
                time: life.as_of(last),
            });
        }
    }

    /// Reads the numbers of values from feature rows, and fetches the values.
    fn find_values(&self, features: &[Feature], group: &mut Group) {
        for (numbers, place) in group.numbers.chunks_exact_mut(features.len()).zip(&group.places) {
            for (number, feature) in numbers.iter_mut().zip(features) {
                let id = feature.ids.get(usize::from(place.of_type)).copied().flatten();
                *number = id.map_or(NONE, |id| self.features.value_at(place.feature_row, id, place.time));
                self.features.fetch_value(*number);
            }
        }
    }

    fn take_values(&self, features: usize, rows: std::ops::Range<usize>, group: &Group, taker: &mut impl Taker) {
        for (row, numbers) in rows.zip(group.numbers.chunks_exact(features)) {
            for (feature, number) in numbers.iter().enumerate() {
                let held = self.features.bytes(*number);
                taker.take(row, feature, held.as_deref().map(ValueBytes));
            }
        }
    }
}

impl<'a> Owners<'a> {
    /// The group at a position.
    fn group(self, at: usize) -> Owners<'a> {
        let rest = self.split_at(at * GROUP).1;
        rest.split_at(rest.len().min(GROUP)).0
    }
}
