//! Names of weights in older checkpoints.

use burn::tensor::Bytes;
use burn_pack::{Reader, Tensor, Writer};

use crate::{GnnKind, ModelConfig};

/// Weights of a checkpoint of version 6 under the names that they have today.
pub(super) fn renamed(weights: Bytes, config: &ModelConfig) -> Result<Bytes, String> {
    let rename = || {
        let mut tensors = Vec::new();
        for tensor in Reader::from_bytes(weights)?.into_tensors()? {
            let (name, dtype, shape, id, bytes) = tensor.into_parts()?;
            tensors.push(Tensor::new(today(&name, config), dtype, shape, id, bytes));
        }
        Writer::new(tensors).into_bytes()
    };
    rename().map_err(|error: burn_pack::Error| error.to_string())
}

/// Layers and reductions became variants; what one layer adds to another one lies beside it.
fn today(name: &str, config: &ModelConfig) -> String {
    if let Some(own) = name.strip_prefix("gnn.alone.") {
        return format!("gnn.last.Own.feed_forward.{own}");
    }
    if let Some(attention) = name.strip_prefix("aggregator.attention.") {
        return format!("aggregator.reduction.Attention.{attention}");
    }
    let Some((number, weight)) = name.strip_prefix("gnn.layers.").and_then(|layer| layer.split_once('.')) else {
        return name.to_owned();
    };
    let is_last = number.parse() == Ok(config.layers - 1);
    let place = if is_last { "last".to_owned() } else { format!("lower.{number}") };
    let layer = match config.gnn {
        GnnKind::Cooperative if weight.starts_with("cooperation.") => "Cooperative",
        GnnKind::Cooperative => "Cooperative.attention",
        GnnKind::Transformer | GnnKind::None => "Transformer",
    };
    format!("gnn.{place}.{layer}.{weight}")
}
