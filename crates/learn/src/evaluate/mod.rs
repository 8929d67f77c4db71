//! Evaluation: ranks by the protocol, beside rules without training.

pub(crate) mod baselines;
pub(crate) mod breakdown;
pub(crate) mod calibration;
pub(crate) mod links_to_rank;
pub(crate) mod metrics;
pub(crate) mod negative_classes;
mod rank_plan;
pub(crate) mod ranking;
