//! Whether there is memory for a model and its training, estimated before any of it is made: hours of training must not end
//! in an abort, nor a slip of some digits in a machine that stands still.

use std::fs;

use timeweft_index::Fact;

use crate::model::layers::Init;
use crate::{Config, GraphContext, Htgn, LearnError, ModelConfig};

/// Questions of one step at most: bounds the memory of training.
pub(crate) const QUERIES_A_STEP: usize = 1 << 18;

/// Copies of the weights in training: those that learn and their gradient, two moments of each, the best and the latest.
const COPIES: usize = 6;
/// Copies of what a step computes, which its gradient reads again.
const KEPT: usize = 2;

/// Refuses what the memory of this machine does not hold.
pub(crate) fn check(config: &Config, graph: &GraphContext) -> Result<(), LearnError> {
    refuse(&parts(config, graph), memory())
}

/// Something that takes memory.
struct Part {
    what: String,
    /// The settings that decide it.
    setting: String,
    bytes: u64,
}

fn refuse(parts: &[Part], there: u64) -> Result<(), LearnError> {
    let all = parts.iter().fold(0, |all: u64, part| all.saturating_add(part.bytes));
    let Some(largest) = parts.iter().max_by_key(|part| part.bytes).filter(|_| all > there) else { return Ok(()) };
    Err(LearnError::NoRoom {
        setting: largest.setting.clone(),
        what: largest.what.clone(),
        gigabytes: largest.bytes as f64 / 1e9,
        there: there as f64 / 1e9,
    })
}

fn parts(config: &Config, graph: &GraphContext) -> Vec<Part> {
    let ModelConfig { width, layers, neighbors, .. } = config.model;
    let (batch, negatives, window) = (config.train.batch, config.train.negatives, config.train.window);
    let of_cell = config.model.cell.sizes(&config.model);
    let n_nodes = graph.index.n_nodes();
    let facts = graph.facts();
    let floats = |what: String, setting: String, factors: &[usize]| {
        let n = factors.iter().fold(size_of::<f32>() as u64, |n, factor| n.saturating_mul(*factor as u64));
        Part { what, setting, bytes: n }
    };
    let messages = batch.min(facts.len()).saturating_mul(2).saturating_mul(window).min(2 * facts.len());
    let questions = batch.min(facts.len()).saturating_mul(1 + negatives).min(QUERIES_A_STEP.max(1 + negatives));
    let heard = heard(facts, n_nodes, neighbors);
    let entries = (questions as f64 * heard.powi(layers as i32)) as usize;
    vec![
        floats("the weights".into(), format!("model.width {width}, {of_cell}"), &[n_weights(config, graph), COPIES]),
        floats(
            format!("the memory of {n_nodes} nodes"),
            format!("{of_cell}, model.width {width}"),
            &[config.model.state_width().saturating_add(config.model.memory_width()), n_nodes],
        ),
        floats(
            format!("{messages} messages of a step"),
            format!("train.batch {batch} x train.window {window}, {of_cell}, model.width {width}"),
            &[config.model.state_width().saturating_add(width), messages, KEPT],
        ),
        floats(
            format!("{entries} neighbors that the questions of a step read"),
            format!(
                "train.batch {batch} x train.negatives {negatives} x model.neighbors {neighbors}, model.layers {layers}, \
                 model.width {width}"
            ),
            &[width.saturating_add(graph.statistics.time_encoder.width()), entries, KEPT],
        ),
    ]
}

/// Neighbors that a root reads on the average: nodes with many are asked about as often as they have some.
fn heard(facts: &[Fact], n_nodes: usize, most: usize) -> f64 {
    let mut degrees = vec![0u32; n_nodes];
    for node in facts.iter().flat_map(|fact| [fact.source, fact.destination]) {
        if let Some(degree) = degrees.get_mut(node.at()) {
            *degree = degree.saturating_add(1);
        }
    }
    let read = |degree: u32| f64::from(degree) * f64::from(degree).min(most as f64);
    let all: f64 = degrees.iter().map(|degree| f64::from(*degree)).sum();
    degrees.iter().map(|degree| read(*degree)).sum::<f64>() / all.max(1.0)
}

/// Bytes that this process may have: of the machine, of its container, of its limit of address space.
fn memory() -> u64 {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let (machine, limits) = (read("/proc/meminfo"), read("/proc/self/limits"));
    let machine = line(&machine, "MemTotal:").map(|kib| kib.saturating_mul(1024));
    let own = line(&limits, "Max address space");
    let containers = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let containers = containers.into_iter().filter_map(|path| read(path).trim().parse().ok());
    machine.into_iter().chain(own).chain(containers).min().unwrap_or(u64::MAX)
}

/// The first number of the line that begins so.
fn line(text: &str, begin: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(begin))?.split_whitespace().next()?.parse().ok()
}

/// The weights of a model; none is made.
pub(crate) fn n_weights(config: &Config, graph: &GraphContext) -> usize {
    let mut init = Init::counting();
    let _ = Htgn::with(&mut init, config, graph);
    init.n_weights()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(what: &str, bytes: u64) -> Part {
        Part { what: what.into(), setting: "model.width 9".into(), bytes }
    }

    #[test]
    fn what_does_not_fit_together_is_refused_by_its_largest_part() {
        let parts = [part("a few", 3 << 30), part("many", 6 << 30)];
        assert!(refuse(&parts, 9 << 30).is_ok());
        let error = refuse(&parts, 8 << 30).err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(error, "model.width 9 takes about 6.4 GB for many, and 8.6 GB is all there is: make it smaller");
        assert!(refuse(&[part("a", u64::MAX), part("b", 5)], u64::MAX - 1).is_err(), "sums do not wrap around");
    }

    #[test]
    fn limits_are_read_as_linux_writes_them() {
        let text = "Limit                     Soft Limit           Hard Limit           Units     \n\
                    Max address space         4294967296           unlimited            bytes     \n";
        assert_eq!(line(text, "Max address space"), Some(4 << 30));
        assert_eq!(line("Max address space         unlimited            unlimited", "Max address space"), None);
        assert_eq!(line("MemTotal:       24612345 kB\n", "MemTotal:"), Some(24_612_345));
        assert!(memory() > 0);
    }
}
