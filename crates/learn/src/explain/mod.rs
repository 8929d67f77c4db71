//! Explanations: what a score came from, and how true that is.

pub(crate) mod attribution;
pub(crate) mod counterfactual;
pub(crate) mod explanation;
pub(crate) mod faithfulness;
pub(crate) mod without;
