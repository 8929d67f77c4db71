//! A configuration as TOML, with what every field means.

use std::fmt::Write;

use serde_json::Value;
use timeweft::Config;

/// Sections and fields in their order, with what they mean.
const FIELDS: [(&str, &[(&str, &str)]); 3] = [
    (
        "model",
        &[
            ("width", "Width of messages, memory and embeddings."),
            ("channels", "Channels of the Mamba state."),
            ("states", "States of a channel."),
            ("heads", "Attention heads; must divide the width."),
            ("frequencies", "Frequencies of the time encoding."),
            ("neighbors", "Neighbors that a node listens to: the most recent ones."),
            ("identity", "Whether nodes are told apart by themselves. Turn off for graphs whose nodes are mostly new."),
            ("counters", "Whether the model sees exact counts of what was before."),
            ("deletes", "What has been deleted is gone (\"hard\") or still listened to (\"soft\")."),
            ("memory", "Whether nodes have a memory of past messages."),
            ("cell", "The memory's cell: \"mamba\" (state space with decay by time) or \"gru\"."),
            ("gate_bias", "Starting bias of the GRU's keep gate: larger remembers longer before anything is learnt."),
            (
                "selectivity",
                "How far a message decides itself whether Mamba writes it: larger finds rare ones, smaller keeps more apart.",
            ),
            ("aggregation", "How messages of one moment become one: \"sum\", \"attention\" or \"keep-last\"."),
            ("bucket", "Which messages are one moment: those of an \"exact\" time, or all of a \"batch\"."),
            ("directed", "Whether messages go to destinations only, not back to sources."),
            (
                "sweeps",
                "Whether messages tell what peers remember: 0 no, 1 as of before the batch, each more one step further in it.",
            ),
            (
                "gnn",
                "How neighbors are read: \"transformer\", \"cooperative\" (both sides decide), or not at all (\"none\").",
            ),
            ("layers", "Hops that a node reads: 1 or 2; the second multiplies the work by `neighbors`."),
            ("typed", "Whether every relation adds weights of its own to those that all share."),
        ],
    ),
    (
        "train",
        &[
            (
                "predict",
                "What comes next: new edges (\"created\"), edges that are \"removed\", or nodes that are deleted or merged (\"gone\").",
            ),
            ("targets", "Relations whose edges are predicted, or types of nodes that go; empty means all."),
            ("batch", "Events a batch, rounded up to the next change of time."),
            ("window", "Batches that gradients reach back over: each step remembers the last ones anew, this many."),
            ("both_ends", "Ask for the source of an edge too."),
            ("negatives", "Wrong answers beside each right one."),
            (
                "partners",
                "How many of them at most are nodes that the asking one met last; the others are drawn from all.",
            ),
            ("epochs", "Passes over the training part."),
            ("learning_rate", "Step size of AdamW."),
            ("decay", "What the step size is multiplied by from one epoch to the next."),
            ("loss", "\"softmax\": the right answer against the wrong ones; \"bce\": each by itself."),
            ("patience", "Epochs without a better validation MRR after which training stops; 0 means never."),
            (
                "freshness",
                "What training answers may know: all before their own time (\"event\") or before their \"batch\".",
            ),
            ("jitter", "Whether the borders of batches move from epoch to epoch."),
            ("seed", "Seed of weights, wrong answers and batch borders: the same seed gives the same model."),
            (
                "split",
                "Share of the links that is trained on, and share up to which the epoch is chosen; the rest tests.",
            ),
            ("split_times", "Last time of the training part and of the validation part, in place of `split`."),
        ],
    ),
    (
        "evaluate",
        &[
            ("candidates", "Candidates beside the right answer; 0 means every destination of the relation."),
            ("all_nodes", "Look for answers among all nodes of their type, not only those that ever were answers."),
            ("seed", "Seed of the candidates."),
            ("batches_from_part", "Count the batches of `batch:N` from the start of the part, as TGB does."),
        ],
    ),
];

/// The configuration as TOML, with a comment a field.
pub(crate) fn explained(config: &Config) -> String {
    let values = serde_json::to_value(config).unwrap_or_default();
    let mut toml = String::new();
    for (section, fields) in FIELDS {
        _ = writeln!(toml, "{}[{section}]", if toml.is_empty() { "" } else { "\n" });
        for (name, meaning) in fields {
            _ = writeln!(toml, "# {meaning}");
            match &values[section][name] {
                Value::Null => _ = writeln!(toml, "# {name} = [100, 200]"),
                value => _ = writeln!(toml, "{name} = {value}"),
            }
        }
    }
    toml
}

/// The configuration as TOML.
pub(crate) fn to_toml(config: &Config) -> String {
    explained(config).lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_printed_reads_back() {
        let mut config = Config::default();
        assert_eq!(Config::from_toml(&explained(&config)).unwrap(), config);
        config.train.split_times = Some([3, 9]);
        config.train.targets = vec!["edited \"by\" hand".into()];
        assert_eq!(Config::from_toml(&to_toml(&config)).unwrap(), config);
    }

    #[test]
    fn every_field_is_explained() {
        let values = serde_json::to_value(Config::default()).unwrap();
        for (section, fields) in values.as_object().unwrap() {
            for field in fields.as_object().unwrap().keys() {
                let known = FIELDS.iter().find(|(name, _)| name == section).unwrap().1;
                assert!(known.iter().any(|(name, _)| name == field), "{section}.{field}");
            }
        }
    }
}
