//! Learning on a temporal heterogeneous graph: the Heterogeneous Temporal Graph Network (HTGN), its training, its
//! evaluation, its explanations. Nothing from the future leaks into an answer.
//!
//! The flow, one noun a stage: batch -> encoder -> aggregator -> memory -> gnn -> prediction; [`pipeline`] reads like
//! this line, and `docs/model.md` has its equations.
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
//! | E | neighbors read by roots |
//! | C | candidates scored |
//! | d | width of messages, memory and embeddings |
//! | D, N | channels and states of the Mamba cell |
//! | H, d_h | attention heads and their width, d = H d_h |
//! | F | width of a neighbor token |

mod choices;
mod config;
mod data;
mod error;
mod evaluate;
mod explain;
mod model;
pub mod nn;
mod predict;
mod splitmix;
mod train;

pub use choices::{Aggregation, Bucket, GnnKind, MemoryCellKind, Predict, TrainFreshness};
pub use config::{Config, ConfigError, EvaluateConfig, Loss, ModelConfig, TrainConfig};
pub use data::affinity::Affinity;
pub use data::fact_batches::batches;
pub use data::features::{FeatureRows, Featurizer};
pub use data::freshness::Freshness;
pub use data::graph_context::GraphContext;
pub use data::link::Link;
pub use data::negative_candidates::candidates;
pub use data::non_finite::NonFiniteFeature;
pub use data::query::Query;
pub use data::relation_ids::RelationIds;
pub use data::schema_map::{SchemaMap, Unknown};
pub use data::split::Split;
pub use data::subgraph::Subgraph;
pub use data::task::Task;
pub use data::time_encoder::TimeEncoder;
pub use data::train_statistics::TrainStatistics;
pub use error::LearnError;
pub use evaluate::baselines::Rule;
pub use evaluate::breakdown::{Traffic, break_down};
pub use evaluate::calibration::{Bin, Calibration};
pub use evaluate::links_to_rank::LinksToRank;
pub use evaluate::metrics::{Metrics, average_precision, rank};
pub use evaluate::negative_classes::NegativeClass;
pub use evaluate::ranking::Evaluation;
pub use explain::attribution::{ReadOut, Recalled, attribute};
pub use explain::explanation::{AttendedNeighbor, ScoreExplanation};
pub use explain::faithfulness::{Curves, Importance, curves, stretches};
pub use model::aggregator::Aggregator;
pub use model::batch::{MemoryVersion, Messages, Tokens, expand};
pub use model::counters::Counted;
pub use model::encoder::MessageEncoder;
pub use model::gnn::Gnn;
pub use model::gnn::attention::TemporalAttention;
pub use model::gnn::cooperation::{Cooperation, Cooperative};
pub use model::gnn::layer::Layer;
pub use model::gnn::layer_input::Actions;
pub use model::gnn::neighborhood::{Neighborhood, Root};
pub use model::identity::IdentityTable;
pub use model::memory::gru::Gru;
pub use model::memory::mamba::{Mamba, Selected};
pub use model::memory::{Cell, Memory, Scanned};
pub use model::memory_state::{absorb, empty_store, rebuild};
pub use model::pipeline;
pub use model::pipeline::Htgn;
pub use model::predictor::{Pairs, Predictor, Since};
pub use model::vector_store::{Settled, VectorStore};
pub use model::versions::Peers;
pub use nn::{AdamW, Optimizer};
pub use predict::asker::{Asker, Ranked};
pub use predict::prediction::RankedNode;
pub use predict::scorer::{Scorer, Space};
pub use splitmix::splitmix64;
pub use train::catch_up::Absorbed;
pub use train::checkpoint::Checkpoint;
pub use train::erase::Erased;
pub use train::past_memory::PastMemory;
pub use train::progress::{Epoch, LearnProgress};
pub use train::run::{resume, train, train_until};
pub use train::trained::{Latest, Trained};
pub use train::weights::Weight;
