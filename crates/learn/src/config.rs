//! Configuration of a model and of its training, as it stands in a TOML file.
//!
//! Every field has a default, so an empty file trains. The defaults are the sizes that the guide's figures use.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use timeweft_graph::Deletes;

use crate::{Aggregation, Bucket, GnnKind, MemoryCellKind, Predict, TrainFreshness};

/// All settings of a training run.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Shape of the model.
    pub model: ModelConfig,
    /// How it is trained.
    pub train: TrainConfig,
    /// How it is ranked.
    pub evaluate: EvaluateConfig,
}

/// Shape of the model. Letters are those of the crate's glossary.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelConfig {
    /// d: width of messages, memory vectors and embeddings.
    pub width: usize,
    /// D: channels of the Mamba state.
    pub channels: usize,
    /// N: states a channel.
    pub states: usize,
    /// H: attention heads; divides `width`.
    pub heads: usize,
    /// d_t: time frequencies.
    pub frequencies: usize,
    /// k: neighbors a root reads.
    pub neighbors: usize,
    /// Hashed identity of nodes in messages and embeddings. Off for graphs whose nodes are mostly new.
    pub identity: bool,
    /// Exact counters of pairs and nodes as inputs of the predictor.
    pub counters: bool,
    /// What deletes do to neighbors, the same in training and service: `hard` (gone) or `soft` (still read).
    pub deletes: Deletes,
    /// Whether nodes have a memory of past messages.
    pub memory: bool,
    /// The memory's cell.
    pub cell: MemoryCellKind,
    /// Starting bias of the GRU's keep gate: larger remembers longer before anything is learnt. Read by `gru` only.
    pub gate_bias: f64,
    /// Factor of what a message says of its own step, and so of whether it is written. Steps start between 0.001 and 0.1, so
    /// that a factor of 1 is slow to learn that one message in a hundred counts: 20 finds it whichever the seed, and keeps
    /// fewer things apart. Read by `mamba` only.
    pub selectivity: f64,
    /// How a set of messages becomes a token.
    pub aggregation: Aggregation,
    /// Which messages are a set.
    pub bucket: Bucket,
    /// Send messages to destinations only, not back to sources.
    pub directed: bool,
    /// Rounds of message passing that give messages the memory of their peers: 0 none, 1 as of before the batch, each more one
    /// step further
    /// along chains inside a batch.
    pub sweeps: usize,
    /// How roots read their neighbors.
    pub gnn: GnnKind,
    /// Hops that a root reads: 1 or 2. The second multiplies the work by `neighbors`.
    pub layers: usize,
    /// Weights of its own for every relation, beside those that all share.
    pub typed: bool,
}

impl Default for ModelConfig {
    fn default() -> Self {
        ModelConfig {
            width: 64,
            channels: 64,
            states: 8,
            heads: 2,
            frequencies: 16,
            neighbors: 10,
            identity: true,
            counters: true,
            deletes: Deletes::Hard,
            memory: true,
            cell: MemoryCellKind::Mamba,
            gate_bias: 3.0,
            selectivity: 1.0,
            aggregation: Aggregation::Sum,
            bucket: Bucket::Exact,
            directed: false,
            sweeps: 0,
            gnn: GnnKind::Transformer,
            layers: 1,
            typed: true,
        }
    }
}

impl ModelConfig {
    /// Floats of memory vector a node: d, none without memory.
    pub fn memory_width(&self) -> usize {
        if self.memory { self.width } else { 0 }
    }
}

/// How a model is trained.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// What is predicted: `created` edges, `removed` edges, or nodes that are `gone` by deletion or merge.
    pub predict: Predict,
    /// Relations whose edges are predicted, or types of nodes that go; empty means all.
    pub targets: Vec<String>,
    /// Facts a batch, rounded up to the next change of time.
    pub batch: usize,
    /// Batches that gradients reach back over: each step remembers the facts of the last `window` ones anew.
    pub window: usize,
    /// Ask for both ends of a new edge, not only for its destination.
    pub both_ends: bool,
    /// r: negatives a positive.
    pub negatives: usize,
    /// Most of them that are nodes which the source met last; the others are drawn from all. Softmax weighs the drawn
    /// ones by how many they stand for.
    pub partners: usize,
    /// Passes over the training part.
    pub epochs: usize,
    /// Step size of AdamW.
    pub learning_rate: f64,
    /// What the step size is multiplied by from one epoch to the next.
    pub decay: f64,
    /// Loss over a positive and its negatives.
    pub loss: Loss,
    /// Epochs without a better validation MRR after which training stops; 0 means never.
    pub patience: usize,
    /// What state training answers may read.
    pub freshness: TrainFreshness,
    /// Move the borders of batches from epoch to epoch.
    pub jitter: bool,
    /// Seed of weights, negatives and batch borders.
    pub seed: u64,
    /// Share of the target events that is trained on, and the share up to which is validated on.
    pub split: [f64; 2],
    /// Last time of the training part and of the validation part; overrides `split` where a benchmark publishes its own.
    pub split_times: Option<[i64; 2]>,
}

impl Default for TrainConfig {
    fn default() -> Self {
        TrainConfig {
            predict: Predict::Created,
            targets: Vec::new(),
            batch: 200,
            window: 1,
            both_ends: false,
            negatives: 32,
            partners: 8,
            epochs: 5,
            learning_rate: 4e-3,
            decay: 0.5,
            loss: Loss::Softmax,
            patience: 3,
            freshness: TrainFreshness::Event,
            jitter: true,
            seed: 1,
            split: [0.70, 0.85],
            split_times: None,
        }
    }
}

/// Loss over the logits of a positive and its negatives.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Loss {
    /// Softmax cross-entropy: the positive against its negatives. Fits ranking.
    Softmax,
    /// Binary cross-entropy with logits, each answer by itself.
    Bce,
}

/// How links are ranked.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EvaluateConfig {
    /// Candidates beside the true destination; 0 means every destination of the relation, less those that the same
    /// source reaches at the same time.
    pub candidates: usize,
    /// Seed of the candidates.
    pub seed: u64,
    /// Look for answers among all nodes of their type, not only among those that ever were answers of the relation.
    pub all_nodes: bool,
    /// Count the batches of `batch N` freshness from the start of the part, as TGB does, rather than over the whole stream.
    pub batches_from_part: bool,
}

impl Default for EvaluateConfig {
    fn default() -> Self {
        EvaluateConfig { candidates: 100, seed: 1, all_nodes: false, batches_from_part: false }
    }
}

impl Config {
    /// Reads a TOML text.
    ///
    /// ```
    /// let config = timeweft_learn::Config::from_toml("[model]\nwidth = 32\n").unwrap();
    /// assert_eq!((config.model.width, config.model.neighbors), (32, 10));
    /// assert!(timeweft_learn::Config::from_toml("[model]\nwdth = 32\n").is_err());
    /// ```
    pub fn from_toml(text: &str) -> Result<Config, ConfigError> {
        let config: Config = toml::from_str(text).map_err(|error| ConfigError(in_words(&error.to_string())))?;
        config.check()?;
        Ok(config)
    }

    /// Reads an object of sections with settings, each of which may be left out.
    ///
    /// ```
    /// use serde_json::json;
    /// let config = timeweft_learn::Config::from_json(&json!({ "model": { "width": 32 } })).unwrap();
    /// assert_eq!((config.model.width, config.model.neighbors), (32, 10));
    /// let error = timeweft_learn::Config::from_json(&json!({ "model": { "width": "wide" } })).unwrap_err();
    /// assert_eq!(error.to_string(), "model.width: invalid type: string \"wide\", expected a whole number from 0");
    /// ```
    ///
    /// # Errors
    /// The setting that is unknown, or has a value that it cannot have.
    pub fn from_json(given: &Json) -> Result<Config, ConfigError> {
        let mut config = Config::default();
        let mut whole = serde_json::to_value(&config).map_err(|error| ConfigError(error.to_string()))?;
        for (section, settings) in object(given, "the configuration")? {
            let known = names(&whole);
            let Some(Json::Object(_)) = whole.get(section) else {
                return Err(ConfigError(format!("there is no section `{section}`: there are {known}")));
            };
            for (setting, value) in object(settings, section)? {
                let known = names(&whole[section]);
                let Some(place) = whole[section].get_mut(setting) else {
                    return Err(ConfigError(format!(
                        "there is no setting {section}.{setting}: `{section}` has {known}"
                    )));
                };
                *place = value.clone();
                // One after the other, so that an error names its setting.
                config = Config::deserialize(&whole)
                    .map_err(|error| ConfigError(format!("{section}.{setting}: {}", in_words(&error.to_string()))))?;
            }
        }
        config.check()?;
        Ok(config)
    }

    /// Refuses sizes that make no model.
    pub fn check(&self) -> Result<(), ConfigError> {
        let (model, train) = (&self.model, &self.train);
        for (name, value, least, most) in self.sizes() {
            if !(least..=most).contains(&value) {
                let least = if least > 0 { format!("at least {least} and ") } else { String::new() };
                return Err(ConfigError(format!("{name} is {value}: it must be {least}at most {most}")));
            }
        }
        if !model.width.is_multiple_of(model.heads) {
            return Err(ConfigError(format!(
                "model.width {} is not divisible by model.heads {}",
                model.width, model.heads
            )));
        }
        if !model.gate_bias.is_finite() {
            return Err(ConfigError("model.gate_bias must be a finite number".into()));
        }
        if !(model.selectivity.is_finite() && model.selectivity > 0.0) {
            return Err(ConfigError("model.selectivity must be a positive number".into()));
        }
        if !(1..=2).contains(&model.layers) {
            return Err(ConfigError(format!("model.layers {} must be 1 or 2", model.layers)));
        }
        if model.bucket == Bucket::Batch && (train.jitter || train.freshness != TrainFreshness::Batch) {
            return Err(ConfigError(
                "model.bucket \"batch\" needs train.freshness \"batch\" and train.jitter false: such a memory is not seen \
                 inside its batch, and batches are part of the model"
                    .into(),
            ));
        }
        let [train_share, val_share] = train.split;
        if !(0.0 < train_share && train_share < val_share && val_share <= 1.0) {
            return Err(ConfigError(format!("train.split {:?} must rise within (0, 1]", train.split)));
        }
        if !(train.learning_rate.is_finite() && train.learning_rate > 0.0) {
            return Err(ConfigError("train.learning_rate must be a positive number".into()));
        }
        if !(0.0 < train.decay && train.decay <= 1.0) {
            return Err(ConfigError(format!("train.decay {} must lie within (0, 1]", train.decay)));
        }
        Ok(())
    }

    /// Sizes, each with the least and the most that makes sense: a wrong number of digits is an error before memory is allocated.
    fn sizes(&self) -> [(&'static str, usize, usize, usize); 13] {
        let (model, train) = (&self.model, &self.train);
        [
            ("model.width", model.width, 1, 4_096),
            ("model.channels", model.channels, 1, 8_192),
            ("model.states", model.states, 1, 1_024),
            ("model.heads", model.heads, 1, 4_096),
            ("model.frequencies", model.frequencies, 1, 1_024),
            ("train.batch", train.batch, 1, 10_000_000),
            ("train.window", train.window, 1, 10_000),
            ("train.negatives", train.negatives, 1, 65_536),
            ("train.epochs", train.epochs, 1, 1_000_000),
            ("model.neighbors", model.neighbors, 0, 10_000),
            ("model.sweeps", model.sweeps, 0, 1_000),
            ("train.partners", train.partners, 0, 65_536),
            ("evaluate.candidates", self.evaluate.candidates, 0, 1_000_000),
        ]
    }
}

/// The fields of an object.
fn object<'a>(value: &'a Json, name: &str) -> Result<&'a serde_json::Map<String, Json>, ConfigError> {
    value.as_object().ok_or_else(|| ConfigError(format!("{name}: expected names and values, not {value}")))
}

/// Names of the fields of an object.
fn names(value: &Json) -> String {
    let names: Vec<&str> = value.as_object().into_iter().flat_map(|fields| fields.keys().map(String::as_str)).collect();
    names.join(", ")
}

/// What a reader expected, without the names that a program has for it.
fn in_words(error: &str) -> String {
    const WORDS: [(&str, &str); 5] = [
        ("expected usize", "expected a whole number from 0"),
        ("expected u64", "expected a whole number from 0"),
        ("expected i64", "expected a whole number"),
        ("expected f64", "expected a number"),
        ("expected a boolean", "expected true or false"),
    ];
    WORDS.iter().fold(error.to_owned(), |error, (type_name, words)| error.replace(type_name, words))
}

/// A configuration that cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);
