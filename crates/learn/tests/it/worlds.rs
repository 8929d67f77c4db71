//! Small graphs that the tests learn from.

use std::path::PathBuf;
use std::sync::Arc;

use timeweft_graph::{Action, Deletes, EdgeKey, Element, Event, Name, NodeKey, Schema, Time, TimeUnit, Value};
use timeweft_index::Index;
use timeweft_learn::nn::{Module, Tensor};
use timeweft_learn::{
    Aggregation, Bucket, Config, Freshness, GnnKind, Htgn, MemoryCellKind, Metrics, Task, TrainFreshness, Trained,
    splitmix64, train,
};
use timeweft_oracle::synthetic::Synthetic;

/// A draw below `n`, by counter.
pub(crate) fn draw(seed: u64, i: u64, n: u64) -> u64 {
    splitmix64(splitmix64(seed) ^ i) % n
}

/// A bipartite stream of `n` edges with features on nodes and edges, updates and deletes among them, and ties.
pub(crate) fn mixed(n: u64, seed: u64) -> Vec<Event> {
    let user = |i| NodeKey::new("user", i);
    let item = |i| NodeKey::new("item", i);
    let mut events = Vec::new();
    for i in 0..12 {
        events.push(node(0, Action::Create, user(i)).with(vec![("age".into(), Some(Value::number(i as f64)))]));
        events.push(
            node(0, Action::Create, item(i)).with(vec![("name".into(), Some(Value::text(&format!("item {i}"))))]),
        );
    }
    for i in 0..n {
        let time = 1 + (i / 3) as i64 * 10;
        let (s, d) = (draw(seed, 4 * i, 12), draw(seed, 4 * i + 1, 12));
        let price = Value::number(draw(seed, 4 * i + 2, 100) as f64);
        events.push(edge(time, Action::Create, user(s), "buys", item(d), i).with(vec![("price".into(), Some(price))]));
        if i % 7 == 3 {
            let age = Value::number(draw(seed, 4 * i + 3, 50) as f64);
            events.push(node(time, Action::Update, user(s)).with(vec![("age".into(), Some(age))]));
        }
        if i % 11 == 10 {
            let (s, d) = (draw(seed, 4 * (i - 5), 12), draw(seed, 4 * (i - 5) + 1, 12));
            events.push(edge(time, Action::Delete, user(s), "buys", item(d), i - 5));
        }
    }
    events
}

/// A node event.
pub(crate) fn node(time: i64, action: Action, key: NodeKey) -> Event {
    Event::new(Time(time), action, Element::Node(key))
}

/// An edge event; `key` tells parallel edges apart.
pub(crate) fn edge(
    time: i64,
    action: Action,
    source: NodeKey,
    relation: &str,
    destination: NodeKey,
    key: u64,
) -> Event {
    let key = Some(Name::from(key.to_string()));
    Event::new(Time(time), action, Element::Edge(EdgeKey { source, relation: relation.into(), destination, key }))
}

/// The index of events that are all accepted.
pub(crate) fn index(events: &[Event]) -> Arc<Index> {
    let mut index = Index::new(Schema::new(TimeUnit::Step));
    let namespace: Name = "".into();
    for event in events {
        index.apply(event, &namespace).unwrap_or_else(|reason| panic!("{event:?}: {reason}"));
    }
    Arc::new(index)
}

/// The configuration of a synthetic task.
pub(crate) fn config_of(synthetic: &Synthetic) -> Config {
    serde_json::from_value(synthetic.config.clone()).unwrap()
}

/// Trains a model of a configuration on a synthetic task.
pub(crate) fn trained_on(synthetic: &Synthetic, config: &Config) -> (Task, Trained) {
    let task = Task::new(index(&synthetic.events), config).unwrap();
    let trained = train(&task, config, |_| ()).unwrap();
    (task, trained)
}

/// Share of the test links of which the right answer comes first.
pub(crate) fn accuracy(task: &Task, trained: &Trained, freshness: Freshness) -> f64 {
    let links = trained.to_rank(task, task.split.val_end..task.split.end, freshness);
    let memory = links.memory();
    Metrics::of(&links.ranks(memory, &mut |_| ())).hits1
}

/// A small model that trains in a moment, with attention over sets, which has the most parts.
pub(crate) fn small() -> Config {
    let mut config = Config::default();
    config.model.aggregation = Aggregation::Attention;
    config.model.width = 16;
    config.model.channels = 16;
    config.model.states = 4;
    config.model.frequencies = 6;
    config.model.neighbors = 5;
    config.train.batch = 20;
    (config.train.negatives, config.train.partners) = (4, 4);
    (config.train.learning_rate, config.train.decay) = (1e-3, 1.0);
    config.train.epochs = 2;
    config.evaluate.candidates = 8;
    config
}

/// A small model of every choice that a configuration has.
pub(crate) fn variants() -> Vec<(&'static str, Config)> {
    let with = |change: fn(&mut Config)| {
        let mut config = small();
        change(&mut config);
        config
    };
    vec![
        ("attention", small()),
        ("gru", with(|config| config.model.cell = MemoryCellKind::Gru)),
        ("sum", with(|config| config.model.aggregation = Aggregation::Sum)),
        ("keep last", with(|config| config.model.aggregation = Aggregation::KeepLast)),
        (
            "batch",
            with(|config| {
                (config.model.bucket, config.train.jitter) = (Bucket::Batch, false);
                config.train.freshness = TrainFreshness::Batch;
            }),
        ),
        ("directed", with(|config| config.model.directed = true)),
        ("peers", with(|config| config.model.sweeps = 3)),
        ("window", with(|config| config.train.window = 3)),
        ("no memory", with(|config| config.model.memory = false)),
        ("no neighbors", with(|config| config.model.gnn = GnnKind::None)),
        ("co-operative", with(|config| config.model.gnn = GnnKind::Cooperative)),
        ("two layers", with(|config| config.model.layers = 2)),
        (
            "two co-operative layers",
            with(|config| {
                (config.model.gnn, config.model.layers) = (GnnKind::Cooperative, 2);
            }),
        ),
        ("untyped", with(|config| config.model.typed = false)),
        ("soft", with(|config| config.model.deletes = Deletes::Soft)),
        ("plain", with(|config| (config.model.identity, config.model.counters) = (false, false))),
    ]
}

/// The bits of all weights of a model, in order.
pub(crate) fn weights(model: &Htgn) -> Vec<Vec<u32>> {
    model.params().iter().map(|param| param.values().iter().map(|x| x.to_bits()).collect()).collect()
}

/// The numbers of a tensor.
pub(crate) fn floats<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.values().to_vec()
}

/// The folder of real data, or `None` with a line that says what was left out.
pub(crate) fn data(test: &str) -> Option<PathBuf> {
    let default = "../../../shared/data";
    let folder = std::env::var_os("TIMEWEFT_DATA").map_or_else(|| PathBuf::from(default), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    // Not by a macro: the runner keeps back what macros print in a test that passes.
    let line = format!("left out: {test} (no data folder)\n");
    std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).unwrap();
    None
}
