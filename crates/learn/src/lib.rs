//! Learning on a temporal heterogeneous graph: the Heterogeneous Temporal Graph Network (HTGN), its training, its
//! evaluation, its explanations. Nothing from the future leaks into an answer.
//!
//! The flow, one noun a stage: batch -> encoder -> aggregator -> memory -> gnn -> prediction; [`pipeline`] reads like
//! this line. Modules stand in reading order.
//!
//! Letters of shapes, everywhere:
//!
//! | letter | meaning |
//! |---|---|
//! | M | messages of a batch (two an edge fact, one a node fact) |
//! | G | tokens: sets of messages of one (node, exact time) |
//! | S | segments: the tokens of one node |
//! | Q | roots: (node, time) whose embedding is asked for |
//! | P | (root, relation) pairs |
//! | E | neighbours read by roots |
//! | C | candidates scored |
//! | d | width of messages, memory and embeddings |
//! | D, N | channels and states of the Mamba cell |
//! | H, d_h | attention heads and their width, d = H d_h |
//! | F | width of a neighbour token |

mod affinity;
mod aggregator;
mod attribution;
mod baselines;
mod batch;
mod breakdown;
mod calibration;
mod checkpoint;
mod choices;
mod clock;
mod config;
mod cooperation;
mod counterfactual;
mod counters;
mod encoder;
mod erase;
mod error;
mod evaluate;
mod explain;
mod faithfulness;
mod features;
mod gnn;
mod gru;
mod history;
mod identity;
mod kinds;
mod layers;
mod mamba;
mod memory;
mod neighborhood;
pub mod nn;
mod no_numbers;
mod optimizer;
pub mod pipeline;
mod predictor;
mod protocol;
mod relations;
mod rivals;
mod room;
mod schema_map;
mod service;
mod subgraph;
pub mod synthetic;
mod task;
mod train;
mod vector_store;
mod versions;
mod window;
mod world;

pub use affinity::Affinity;
pub use aggregator::Aggregator;
pub use attribution::{ReadOut, Recalled, attribute};
pub use baselines::Rule;
pub use batch::{Context, FeatureRows, Messages, Relations, Tokens, Version, batches, expand};
pub use breakdown::{Traffic, break_down};
pub use calibration::{Bin, Calibration};
pub use choices::{Aggregation, Bucket, CellKind, GnnKind, Predict, TrainFreshness};
pub use clock::Clock;
pub use config::{Config, ConfigError, DeleteRule, EvaluateConfig, Loss, ModelConfig, TrainConfig};
pub use cooperation::Cooperation;
pub use counters::Query;
pub use encoder::Encoder;
pub use erase::Erased;
pub use error::LearnError;
pub use evaluate::{Evaluation, evaluate, precision, ranks};
pub use explain::{Actions, Explanation, Heard, Prediction};
pub use faithfulness::{Curves, Importance, curves, stretches};
pub use features::Featurizer;
pub use gnn::Gnn;
pub use gru::Gru;
pub use identity::Identity;
pub use kinds::Kind;
pub use mamba::{Mamba, Selected};
pub use memory::{Cell, Memory, Scanned};
pub use neighborhood::{Neighborhood, Root};
pub use no_numbers::NoNumbers;
pub use optimizer::AdamW;
pub use pipeline::Htgn;
pub use predictor::{Pairs, Predictor};
pub use protocol::{Freshness, Metrics, Split, average_precision, candidates, rank, splitmix64};
pub use schema_map::{SchemaMap, Unknown};
pub use service::{Scorer, Space};
pub use subgraph::Subgraph;
pub use task::{Link, Task};
pub use train::{Epoch, Latest, Progress, Trained, absorb, empty_store, rebuild, resume, train, train_until};
pub use vector_store::VectorStore;
pub use versions::Peers;
pub use world::{Fitted, World};
