//! What commands and reports say of a model's answers, in words.

use timeweft::model::{Count, Curves, Explanation, HeardNeighbor, Importance, RecalledMoment};
use timeweft::{NodeKey, TimeUnit};

/// An order in words.
pub(crate) fn order_in_words(order: Importance) -> &'static str {
    match order {
        Importance::Contribution => "by contribution",
        Importance::Recency => "newest first",
        Importance::Random => "at random",
    }
}

/// What to say where another order finds what matters better than contributions do.
pub(crate) fn warning_of_order(all: &[Curves]) -> Option<String> {
    let (ours, rest) = all.split_first()?;
    let better = rest.iter().filter(|other| other.deleted() > ours.deleted()).map(|other| order_in_words(other.order));
    let better: Vec<&str> = better.collect();
    let warning =
        format!("Beware: neighbors taken {} change more. Do not rely on contributions here.", better.join(" or "));
    (!better.is_empty()).then_some(warning)
}

/// An end of the edge, or the node, and what the model read there.
pub(crate) struct End<'a> {
    pub(crate) node: &'a NodeKey,
    /// Its neighbors.
    pub(crate) heard: Vec<&'a HeardNeighbor>,
    /// The moments that weigh most in its memory.
    pub(crate) moments: Vec<&'a RecalledMoment>,
}

/// The ends of the edge, the source first; or the node.
pub(crate) fn ends(why: &Explanation) -> Vec<End<'_>> {
    let nodes = std::iter::once((true, &why.source)).chain(why.destination.iter().map(|node| (false, node)));
    let end = |(at_source, node)| End {
        node,
        heard: why.neighbors.iter().filter(|heard| heard.at_source == at_source).collect(),
        moments: why.memory.iter().filter(|moment| moment.at_source == at_source).take(SHOWN_MOMENTS).collect(),
    };
    nodes.map(end).collect()
}

/// Moments that are shown of a memory.
const SHOWN_MOMENTS: usize = 5;

/// What happened at a moment: the first of it, and how much more.
pub(crate) fn moment_in_words(moment: &RecalledMoment) -> String {
    moment.in_words(ToString::to_string)
}

/// The score in a sentence.
pub(crate) fn score_in_words(why: &Explanation) -> String {
    let lead = format!("{:.2} {} other candidates", why.lead.abs(), if why.lead < 0.0 { "below" } else { "above" });
    match why.counting {
        Some(counting) => format!(
            "The score is {:.2}, {lead}. Counting added {counting:+.2}: without any count it would be {:.2}.",
            why.score,
            why.score - counting
        ),
        None => format!("The score is {:.2}, {lead}. The model does not count.", why.score),
    }
}

/// What was counted, in words; what never happened between other types is left out. Nothing for a node.
pub(crate) fn counts_in_words(why: &Explanation, unit: TimeUnit) -> Vec<String> {
    let Explanation {
        source, relation: Some(relation), destination: Some(destination), counters: Some(counters), ..
    } = why
    else {
        return Vec::new();
    };
    let line = |what: String, count: &Count| match count.last {
        None => format!("{what}: never"),
        Some(last) => {
            let times = if count.count == 1 { "once".into() } else { format!("{} times", count.count) };
            format!("{what}: {times}, last {} before", duration_in_words(unit, why.time.0.saturating_sub(last.0)))
        }
    };
    let mut lines = vec![
        line("this pair".into(), &counters.pair),
        line(format!("anybody -{relation}-> {destination}"), &counters.to_destination),
        line(format!("{source} -{relation}-> anything"), &counters.from_source),
    ];
    if source.node_type == destination.node_type {
        lines.push(line("the other way round".into(), &counters.reversed));
        lines.push(line(format!("{destination} -{relation}-> anything"), &counters.from_destination));
    }
    lines
}

/// A share in [0, 1] as a bar.
pub(crate) fn bar(share: f32, width: usize) -> String {
    "█".repeat((share.clamp(0.0, 1.0) * width as f32).round() as usize)
}

/// A length of time in words, in the largest unit that fits.
pub(crate) fn duration_in_words(unit: TimeUnit, ticks: i64) -> String {
    const UNITS: [(&str, i128); 6] = [
        ("year", 31_557_600_000_000_000),
        ("day", 86_400_000_000_000),
        ("hour", 3_600_000_000_000),
        ("minute", 60_000_000_000),
        ("second", 1_000_000_000),
        ("millisecond", 1_000_000),
    ];
    let plural = |count: i128, name: &str| format!("{count} {name}{}", if count == 1 { "" } else { "s" });
    let Some(nanos) = unit.nanos().map(|nanos| nanos * i128::from(ticks)) else {
        return plural(ticks.into(), "step");
    };
    let fitting = UNITS.iter().find(|(_, length)| nanos >= *length);
    fitting.map_or_else(|| format!("{ticks} {unit}"), |(name, length)| plural(nanos / length, name))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn spans_read_like_sentences() {
        let seconds =
            [0, 1, 59, 60, 7_200, 172_800, 40_000_000].map(|ticks| duration_in_words(TimeUnit::Second, ticks));
        assert_eq!(seconds, ["0 s", "1 second", "59 seconds", "1 minute", "2 hours", "2 days", "1 year"]);
        assert_eq!(duration_in_words(TimeUnit::Step, 1), "1 step");
    }

    #[test]
    fn an_order_that_finds_more_is_named() {
        let of = |order, change: f64| Curves {
            order,
            deletion: vec![change; 5],
            insertion: vec![0.0; 5],
            counterfactual: Vec::new(),
            agreement: 0.0,
            links: 3,
        };
        let with = |ours| {
            warning_of_order(&[
                of(Importance::Contribution, ours),
                of(Importance::Recency, 0.5),
                of(Importance::Random, 0.1),
            ])
        };
        assert!(with(0.6).is_none());
        assert!(with(0.4).unwrap().contains("newest first") && !with(0.4).unwrap().contains("random"));
    }
}
