//! Weights of nodes, which only the tables of the node samplers keep.
//!
//! A table (`node_T_P.alias`: u64 node, u64 alias, f32 probability) divides the weights of the `n` nodes of a type by
//! their mean. Of this, a node keeps its own probability and what other nodes give to it as their alias.

use std::path::Path;

use rustc_hash::FxHashMap;

use super::stream::Stream;
use crate::SourceError;

/// Weights by (type, id), of one partition. `totals` are the sums by type.
pub(super) fn read(folder: &Path, partition: u32, totals: &[f64]) -> Result<FxHashMap<(u32, u64), f32>, SourceError> {
    let mut weights = FxHashMap::default();
    for (node_type, total) in (0..).zip(totals) {
        let path = folder.join(format!("node_{node_type}_{partition}.alias"));
        // The converter can be told to leave the tables out.
        if !path.exists() {
            continue;
        }
        let mut table = Stream::open(path)?;
        let mut shares = FxHashMap::<u64, f64>::default();
        let mut count = 0u64;
        while table.left() > 0 {
            let (node, alias, probability) = (table.u64()?, table.u64()?, f64::from(table.f32()?));
            *shares.entry(node).or_default() += probability;
            if probability < 1.0 {
                *shares.entry(alias).or_default() += 1.0 - probability;
            }
            count += 1;
        }
        let mean = total / count as f64;
        weights.extend(shares.into_iter().map(|(node, share)| ((node_type, node), rounded(share * mean))));
    }
    Ok(weights)
}

/// The tables know six digits or seven: of what is as near, the number of six digits is the likely one.
fn rounded(weight: f64) -> f32 {
    let short = format!("{weight:.5e}").parse::<f64>().unwrap_or(weight);
    let is_near = (short - weight).abs() <= weight.abs() * 5e-7;
    (if is_near { short } else { weight }) as f32
}
