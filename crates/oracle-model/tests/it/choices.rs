//! Every choice that a configuration has.

use timeweft_graph::Deletes;
use timeweft_learn::{Aggregation, Bucket, Config, GnnKind, MemoryCellKind, ModelConfig, TrainFreshness};

/// A model and a step of it.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) config: Config,
    /// Batches of facts that the step takes in.
    pub(crate) batches: usize,
    /// The key of noise, as in training.
    pub(crate) noise: Option<u64>,
    /// Runs that the reference cuts rows into.
    pub(crate) blocks: usize,
}

impl Case {
    fn new(name: &'static str, change: fn(&mut Config)) -> Case {
        let mut config = Config::default();
        let model = &mut config.model;
        (model.width, model.heads, model.neighbors) = (8, 2, 4);
        (model.channels, model.states, model.frequencies) = (12, 3, 4);
        config.train.both_ends = true;
        config.train.batch = 30;
        config.train.epochs = 1;
        (config.train.negatives, config.train.partners) = (4, 4);
        change(&mut config);
        config.check().unwrap();
        Case { name, config, batches: 1, noise: None, blocks: 1 }
    }
}

/// At least one of each choice, and some together.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::new("sum, mamba, transformer", |_| ()),
        Case::new("attention over sets", |config| config.model.aggregation = Aggregation::Attention),
        Case::new("keep last", |config| config.model.aggregation = Aggregation::KeepLast),
        Case::new("gru", |config| config.model.cell = MemoryCellKind::Gru),
        Case::new("selective", |config| config.model.selectivity = 20.0),
        Case::new("no neighbors", |config| config.model.gnn = GnnKind::None),
        Case::new("two layers", |config| config.model.layers = 2),
        Case::new("co-operative", |config| config.model.gnn = GnnKind::Cooperative),
        Case::new("no identity", |config| config.model.identity = false),
        Case::new("no counters", |config| config.model.counters = false),
        Case::new("no memory", |config| config.model.memory = false),
        Case::new("untyped", |config| {
            (config.model.typed, config.model.aggregation) = (false, Aggregation::Attention);
        }),
        Case::new("directed", |config| config.model.directed = true),
        Case::new("one round", |config| config.model.sweeps = 1),
        Case::new("two rounds", |config| config.model.sweeps = 2),
        Case::new("four heads of one", |config| (config.model.width, config.model.heads) = (4, 4)),
        Case::new("soft deletes", |config| config.model.deletes = Deletes::Soft),
        Case::new("sets of a batch", |config| {
            (config.model.bucket, config.model.aggregation) = (Bucket::Batch, Aggregation::Attention);
            (config.train.jitter, config.train.freshness) = (false, TrainFreshness::Batch);
        }),
        Case::new("plain", |config| (config.model.identity, config.model.counters) = (false, false)),
    ];
    // Of large tables only the rows that were read have a gradient.
    cases.push(Case::new("few facts", |config| config.train.batch = 4));
    cases.push(Case { batches: 2, ..Case::new("a window of two batches", |_| ()) });
    cases.push(Case { batches: 0, ..Case::new("no facts", |_| ()) });
    cases.push(Case {
        noise: Some(7),
        ..Case::new("two co-operative layers, with noise", |config| {
            (config.model.gnn, config.model.layers) = (GnnKind::Cooperative, 2);
        })
    });
    // The widths that kernels are made for: whole tiles and lanes of theirs run.
    cases.push(Case::new("default widths", |config| config.model = ModelConfig::default()));
    cases.push(Case::new("default widths, the other choices", |config| {
        config.model = ModelConfig::default();
        let model = &mut config.model;
        (model.gnn, model.cell) = (GnnKind::Cooperative, MemoryCellKind::Gru);
        (model.aggregation, model.counters, model.deletes) = (Aggregation::Attention, false, Deletes::Soft);
    }));
    let all = |config: &mut Config| {
        let model = &mut config.model;
        (model.gnn, model.layers, model.cell) = (GnnKind::Cooperative, 2, MemoryCellKind::Gru);
        (model.aggregation, model.sweeps, model.typed) = (Aggregation::Attention, 3, false);
    };
    cases.push(Case { batches: 2, noise: Some(9), ..Case::new("much together", all) });
    cases.push(Case {
        blocks: 5,
        ..Case::new("rows in blocks", |config| config.model.aggregation = Aggregation::Attention)
    });
    cases
}
