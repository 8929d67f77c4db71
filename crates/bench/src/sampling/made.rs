//! Graphs of any size with the shape of the peer's generator, pushed without a file between.

use timeweft_graph::spans::PackedSpan;
use timeweft_graph::{DType, EdgeSpan, FeatureKind, Interval, NodeSpan, Record, Sink, Time, ValueRef, ValueSpans};

/// Times lie in `[0, HORIZON)`, as in the peer's generator.
pub(crate) const HORIZON: i64 = 1_000_000;

/// Share of the edges that end.
const REMOVED: f64 = 0.3;

/// What to make.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) nodes: usize,
    pub(crate) degree: usize,
    pub(crate) skew: f64,
}

/// Random enough for a benchmark (splitmix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        timeweft_learn::splitmix64(self.0)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Nodes by their share, the first ones most often.
struct Shares(Vec<f64>);

impl Shares {
    fn new(nodes: usize, skew: f64) -> Shares {
        let mut sum = 0.0;
        let sums = (1..=nodes).map(|rank| {
            sum += (rank as f64).powf(-skew);
            sum
        });
        Shares(sums.collect())
    }

    fn draw(&self, random: &mut Random) -> usize {
        let at = random.unit() * self.0.last().copied().unwrap_or(0.0);
        self.0.partition_point(|sum| *sum <= at).min(self.0.len() - 1)
    }
}

/// Pushes the graph, node by node, each with its edges in order of (type, time).
pub(crate) fn push(shape: Shape, sink: &mut dyn Sink) {
    let Shape { nodes, degree, skew } = shape;
    let mut random = Random(1);
    let shares = (skew > 0.0).then(|| Shares::new(nodes, skew));
    let mut degrees = vec![if skew > 0.0 { 0 } else { degree }; nodes];
    if let Some(shares) = &shares {
        (0..nodes * degree).for_each(|_| degrees[shares.draw(&mut random)] += 1);
    }
    let mut edges = Vec::new();
    for (id, degree) in degrees.into_iter().enumerate() {
        push_node(id as u64, &mut random, sink);
        edges.clear();
        edges.extend((0..degree.max(1)).map(|at| {
            let destination = match &shares {
                Some(shares) => shares.draw(&mut random),
                None => random.below(nodes),
            };
            let created = random.below(HORIZON as usize) as i64;
            let ends = random.unit() < REMOVED;
            let removed =
                if ends { Time(created + 1 + random.below(HORIZON as usize / 4) as i64) } else { Time::FOREVER };
            let weight = (random.unit() * 1000.0).round() / 1000.0 + 0.001;
            (at as u32 % 3, created, removed, destination as u64, weight as f32)
        }));
        edges.sort_unstable_by_key(|&(edge_type, created, ..)| (edge_type, created));
        for (position, &(edge_type, created, removed, destination, weight)) in (1..).zip(&edges) {
            let life = Interval { created: Time(created), removed };
            sink.record(
                Record::EdgeSpan(
                    EdgeSpan {
                        source: id as u64,
                        destination,
                        edge_type,
                        weight,
                        life,
                        starts_by_default: false,
                        position,
                    },
                    ValueSpans::default(),
                ),
                id as u64 + 1,
            );
        }
    }
}

fn push_node(id: u64, random: &mut Random, sink: &mut dyn Sink) {
    let life = Interval::open(Time(0));
    let numbers: Vec<u8> = (0..16).flat_map(|_| (random.unit() as f32).to_le_bytes()).collect();
    let kind = FeatureKind::Dense { dtype: DType::F32, scalar: false };
    let mut bytes = Vec::new();
    ValueRef::Dense { dtype: DType::F32, elements: &numbers }.encode(&mut bytes);
    let spans = [PackedSpan { feature: 0, kind, interval: life, start: 0, end: bytes.len() }];
    let values = ValueSpans::new(&spans, &bytes, 0);
    sink.record(Record::NodeSpan(NodeSpan { id, node_type: 0, weight: Some(1.0), life }, values), id + 1);
}
