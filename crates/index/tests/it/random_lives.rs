//! Random lives of edges, and answers by looking at all of them.

use std::collections::HashMap;

use timeweft_graph::{
    Action, DType, Direction, EdgeKey, EdgeTypeId, Element, Event, FeatureDef, FeatureKind, ListOrder, Name, NodeIndex,
    NodeKey, Owner, Schema, Time, Value,
};
use timeweft_index::Index;
use timeweft_index::sample::{AsOf, EdgeTypes, Scope, Side};

use crate::event_builders::apply;

pub(crate) const TYPES: u16 = 3;

/// Random enough (splitmix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }
}

/// One life of an edge.
pub(crate) struct Live {
    pub(crate) source: usize,
    pub(crate) destination: usize,
    pub(crate) edge_type: u16,
    pub(crate) created: i64,
    pub(crate) removed: i64,
    /// From when on it has which weight.
    pub(crate) weights: Vec<(i64, f64)>,
}

impl Live {
    pub(crate) fn weight(&self, time: i64) -> f64 {
        self.weights.iter().rev().find(|(from, _)| *from <= time).map_or(1.0, |(_, weight)| *weight)
    }

    pub(crate) fn is_real(&self) -> bool {
        self.created < self.removed
    }

    pub(crate) fn is_alive(&self, time: i64) -> bool {
        self.created <= time && (time < self.removed || self.removed == i64::MAX) && self.is_real()
    }
}

/// An edge seen from a node, in the order of answers.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub(crate) struct Seen {
    pub(crate) edge_type: u16,
    pub(crate) direction: Direction,
    pub(crate) created: i64,
    pub(crate) edge: u32,
    pub(crate) neighbor: u32,
    pub(crate) removed: i64,
    pub(crate) weight: f64,
}

impl Seen {
    /// What is newest, of one time what arrived last, of one edge its destination's side.
    pub(crate) fn age(&self) -> (i64, u32, Direction) {
        (self.created, self.edge, self.direction)
    }
}

/// What times look like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    pub(crate) base: i64,
    pub(crate) step: i64,
    pub(crate) jitter: usize,
}

impl Scale {
    /// Windows of a tick, of many, of more than there are; of some the start lies between coarse ticks.
    pub(crate) fn windows(self) -> [u64; 5] {
        let step = self.step as u64;
        [40 * step, 400 * step + step / 3, 1500 * step + 1, 1, u64::MAX]
    }
}

pub(crate) const SCALES: [Scale; 4] = [
    Scale { base: 1_500_000_000, step: 1, jitter: 1 },
    Scale { base: 1_600_000_000_000, step: 60_000, jitter: 60_000 },
    // Days in nanoseconds: 32-bit ticks of a day.
    Scale { base: 1_700_000_000_000_000_000, step: 86_400_000_000_000, jitter: 1 },
    Scale { base: 1_700_000_000_000_000_000, step: 1_000_000_000, jitter: 1_000_000_000 },
];

/// A history and all lives in it.
pub(crate) struct World {
    pub(crate) events: Vec<Event>,
    pub(crate) lives: Vec<Live>,
    /// Lives of nodes: the node, from when on, until when.
    pub(crate) node_lives: Vec<(usize, i64, i64)>,
    /// The lives at each node.
    at: Vec<Vec<(usize, Direction)>>,
    pub(crate) first: i64,
    pub(crate) last: i64,
}

pub(crate) fn schema() -> Schema {
    let mut schema = Schema::default();
    let node = schema.add_node_type(&"n".into()).unwrap();
    for relation in 0..TYPES {
        let edge_type = schema.add_edge_type(node, &relation.to_string().into(), node).unwrap();
        // The last type has no weight.
        if relation + 1 < TYPES {
            let kind = FeatureKind::Dense { dtype: DType::F64, scalar: true };
            let def = FeatureDef { name: "weight".into(), kind, order: ListOrder::List };
            schema.add_feature(Owner::Edge(edge_type), def).unwrap();
        }
    }
    schema
}

pub(crate) fn key(node: usize) -> NodeKey {
    NodeKey::new("n", node as u64)
}

pub(crate) fn edge_key((source, edge_type, destination, twin): (usize, u16, usize, usize)) -> EdgeKey {
    let parallel = (twin > 0).then(|| Name::from(twin.to_string()));
    EdgeKey {
        source: key(source),
        relation: edge_type.to_string().into(),
        destination: key(destination),
        key: parallel,
    }
}

type Identity = (usize, u16, usize, usize);

/// A history in the making.
struct Maker {
    world: World,
    /// The latest life of an edge, and the time of its latest event.
    latest: HashMap<Identity, (usize, i64)>,
    /// When each node that lives was created.
    born: Vec<Option<i64>>,
    random: Random,
}

impl World {
    /// A time to ask at: most are the very time at which a life begins or ends.
    pub(crate) fn time(&self, random: &mut Random) -> Time {
        let life = |random: &mut Random| &self.lives[random.below(self.lives.len())];
        match random.below(20) {
            0 => Time::FOREVER,
            1 => Time::MIN,
            2..8 => Time(life(random).removed),
            8..14 => Time(life(random).created),
            _ => Time(self.first + random.below((self.last - self.first) as usize + 2) as i64),
        }
    }

    /// A time whose window begins when an edge at a node was created, or a tick sooner or later.
    pub(crate) fn window_time(&self, random: &mut Random, node: NodeIndex, within: u64) -> Option<Time> {
        let own = self.at.get(node.at()).filter(|own| !own.is_empty())?;
        let (life, _) = own[random.below(own.len())];
        let time = self.lives[life].created.saturating_add_unsigned(within);
        Some(Time(time.saturating_add(random.below(3) as i64 - 1)))
    }

    /// `steps` changes of edges among `nodes`, many of them at the first; some nodes are removed and created again.
    pub(crate) fn random(seed: u64, scale: Scale, nodes: usize, steps: usize) -> World {
        World::make(seed, scale, (nodes, 200), steps)
    }

    /// The same with a node removed or created every tenth step.
    pub(crate) fn restless(seed: u64, scale: Scale, nodes: usize, steps: usize) -> World {
        World::make(seed, scale, (nodes, 10), steps)
    }

    fn make(seed: u64, scale: Scale, (nodes, rest): (usize, usize), steps: usize) -> World {
        let (events, lives, node_lives, at) = (vec![], vec![], vec![], vec![vec![]; nodes]);
        let world = World { events, lives, node_lives, at, first: scale.base, last: 0 };
        let mut maker =
            Maker { world, latest: HashMap::new(), born: vec![Some(scale.base); nodes], random: Random(seed) };
        for node in 0..nodes {
            maker.world.node_lives.push((node, scale.base, i64::MAX));
            maker.event(scale.base, Action::Create, Element::Node(key(node)), None);
        }
        let mut now = scale.base;
        for _ in 0..steps {
            now += maker.random.below(3) as i64 * scale.step + maker.random.below(scale.jitter) as i64;
            match maker.random.below(rest) {
                0 => maker.turn_node(now),
                _ => maker.turn_edge(now),
            }
        }
        maker.world.last = now;
        maker.world
    }

    pub(crate) fn index_of(events: &[Event]) -> Index {
        let mut index = Index::new(schema());
        events.iter().for_each(|event| apply(&mut index, event).unwrap());
        index
    }

    /// The index of all events, made at once; and one whose lists are made after some of them and kept up.
    pub(crate) fn indexes(&self) -> [Index; 2] {
        let (first, rest) = self.events.split_at(self.events.len() / 2);
        let mut kept = World::index_of(first);
        kept.degree_before(NodeIndex(0), Time(0));
        kept.pair_before(EdgeTypeId(0), NodeIndex(0), NodeIndex(0), Time(0));
        rest.iter().for_each(|event| apply(&mut kept, event).unwrap());
        [World::index_of(&self.events), kept]
    }

    /// All edges on the sides of a node that a scope takes, of any time, in the order of answers.
    pub(crate) fn at_node(&self, scope: &Scope, node: usize, weight_at: i64) -> Vec<Seen> {
        let Some(own) = self.at.get(node) else { return Vec::new() };
        let takes = |(life, direction): &&(usize, Direction)| {
            let side = match scope.side {
                Side::Out => *direction == Direction::Out,
                Side::In => *direction == Direction::In,
                Side::Both => true,
            };
            let edge_type = EdgeTypeId(self.lives[*life].edge_type);
            side && match &scope.edge_types {
                EdgeTypes::All => true,
                EdgeTypes::Only(only) => only.contains(&edge_type),
            }
        };
        let mut seen: Vec<Seen> = own
            .iter()
            .filter(takes)
            .map(|&(at, direction)| {
                let life = &self.lives[at];
                let neighbor = if direction == Direction::Out { life.destination } else { life.source };
                let Live { edge_type, created, removed, .. } = *life;
                let weight = life.weight(weight_at.min(removed - 1));
                Seen { edge_type, direction, created, edge: at as u32, neighbor: neighbor as u32, removed, weight }
            })
            .collect();
        seen.sort_by(|a, b| a.partial_cmp(b).unwrap());
        seen
    }

    /// What is seen at a time, in the window of the scope.
    pub(crate) fn seen(&self, scope: &Scope, node: usize, time: i64) -> Vec<Seen> {
        let last = match scope.as_of {
            AsOf::At => time,
            AsOf::Before if time == i64::MIN => return Vec::new(),
            AsOf::Before => time - 1,
        };
        let soft = scope.deletes == timeweft_graph::Deletes::Soft;
        let all = self.at_node(scope, node, last).into_iter().filter(|seen| is_in_window(scope, seen.created, time));
        let is_seen = |seen: &Seen| {
            let life = &self.lives[seen.edge as usize];
            if soft { life.is_real() && life.created <= last } else { life.is_alive(last) }
        };
        all.filter(is_seen).collect()
    }
}

/// Whether an edge was created in the window of a time.
pub(crate) fn is_in_window(scope: &Scope, created: i64, time: i64) -> bool {
    scope.within.is_none_or(|within| i128::from(created) >= i128::from(time) - i128::from(within))
}

impl Maker {
    fn event(&mut self, time: i64, action: Action, element: Element, weight: Option<f64>) {
        let features = weight.map(|weight| ("weight".into(), Some(Value::number(weight))));
        self.world.events.push(Event::new(Time(time), action, element).with(features.into_iter().collect()));
    }

    fn weight(&mut self) -> f64 {
        match self.random.below(8) {
            0 => 0.0,
            1 => 100.0,
            n => n as f64 / 2.0,
        }
    }

    /// Removes a node, and every edge at it; or creates it again.
    fn turn_node(&mut self, now: i64) {
        let node = 1 + self.random.below(self.born.len() - 1);
        if self.born[node].is_none() {
            self.born[node] = Some(now);
            self.world.node_lives.push((node, now, i64::MAX));
            return self.event(now, Action::Create, Element::Node(key(node)), None);
        }
        self.born[node] = None;
        let life = self.world.node_lives.iter_mut().rfind(|life| life.0 == node).unwrap();
        life.2 = now;
        self.event(now, Action::Delete, Element::Node(key(node)), None);
        for &(life, _) in &self.world.at[node] {
            let life = &mut self.world.lives[life];
            life.removed = life.removed.min(now);
        }
    }

    /// Creates an edge, or, if there is one, removes it or changes its weight.
    fn turn_edge(&mut self, now: i64) {
        let nodes = self.born.len();
        let mut end = || if self.random.below(3) == 0 { 0 } else { self.random.below(nodes) };
        let (source, destination) = (end(), end());
        let (edge_type, twin) = (self.random.below(TYPES.into()) as u16, self.random.below(4) / 2);
        let Some((a, b)) = self.born[source].zip(self.born[destination]) else { return };
        let identity = (source, edge_type, destination, twin);
        let element = Element::Edge(edge_key(identity));
        let weighs = edge_type + 1 < TYPES;
        let weight = (weighs && self.random.below(10) > 0).then(|| self.weight());
        let open = self.latest.get(&identity).filter(|(life, _)| self.world.lives[*life].removed == i64::MAX).copied();
        if let Some((life, _)) = open {
            self.latest.insert(identity, (life, now));
            if let (0, Some(new)) = (self.random.below(4), weight) {
                self.world.lives[life].weights.push((now, new));
                return self.event(now, Action::Update, element, weight);
            }
            self.world.lives[life].removed = now;
            return self.event(now, Action::Delete, element, None);
        }
        // Some arrive late.
        let late = self.random.below(8) == 0;
        let over = |(life, latest): &(usize, i64)| self.world.lives[*life].removed.max(*latest);
        let earliest = a.max(b).max(self.latest.get(&identity).map_or(i64::MIN, over));
        let created = if late { now - self.random.below((now - earliest + 1) as usize) as i64 } else { now };
        let life = self.world.lives.len();
        let weights = weight.map(|weight| (created, weight)).into_iter().collect();
        self.world.lives.push(Live { source, destination, edge_type, created, removed: i64::MAX, weights });
        self.world.at[source].push((life, Direction::Out));
        self.world.at[destination].push((life, Direction::In));
        self.latest.insert(identity, (life, created));
        self.event(created, Action::Create, element, weight);
    }
}
