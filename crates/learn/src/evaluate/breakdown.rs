//! Where a model is good and where not: its ranks by relation, by whether the ends were seen in training and by what the
//! asking node had done before; and what its batches look like.

use std::ops::Range;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};
use timeweft_graph::{Direction, NodeIndex, Owner, Time};
use timeweft_index::Fact;

use crate::data::fact_batches::batches;
use crate::{Link, Metrics, Predict, Task};

/// What an asking node had to do with the right answer, as of what may be known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Acquaintance {
    /// It was met last, or at the same time as the last one.
    Last,
    /// It was met before.
    Before,
    /// It was never met, but others were.
    Never,
    /// The asking node has met no node.
    Newcomer,
}

impl Acquaintance {
    const ALL: [(Acquaintance, &str); 4] = [
        (Acquaintance::Last, "the answer was met last"),
        (Acquaintance::Before, "the answer was met before"),
        (Acquaintance::Never, "the answer was never met"),
        (Acquaintance::Newcomer, "the asking node had met nobody"),
    ];

    fn of(task: &Task, link: &Link, as_of: Time) -> Acquaintance {
        let (index, edge_type) = (&task.index, link.edge_type);
        let (pair, asking) = match link.direction {
            Direction::Out => (
                index.pair_before(edge_type, link.source, link.destination, as_of),
                index.source_before(edge_type, link.source, as_of),
            ),
            Direction::In => (
                index.pair_before(edge_type, link.destination, link.source, as_of),
                index.destination_before(edge_type, link.source, as_of),
            ),
        };
        match (pair.last, asking.last) {
            (_, None) => Acquaintance::Newcomer,
            (None, _) => Acquaintance::Never,
            (pair, last) if pair == last => Acquaintance::Last,
            _ => Acquaintance::Before,
        }
    }
}

/// Metrics of the links of a part by relation, if there are several, by whether both ends had a link in the training part,
/// and for new edges by what the asking node had to do with the answer before `as_of`, which is given the number of a link.
/// `ranks` are those of the links `part`.
pub fn break_down(
    task: &Task,
    part: Range<usize>,
    ranks: &[f64],
    as_of: impl Fn(usize) -> Time,
) -> Vec<(String, Metrics)> {
    let links = &task.links[part.clone()];
    let known: FxHashSet<NodeIndex> =
        task.links[..task.split.train_end].iter().flat_map(|link| [link.source, link.destination]).collect();
    let of = |keep: &dyn Fn(&Link) -> bool| {
        let kept = links.iter().zip(ranks).filter(|(link, _)| keep(link)).map(|(_, rank)| *rank);
        Metrics::of(&kept.collect::<Vec<f64>>())
    };
    let mut edge_types: Vec<_> = links.iter().map(|link| link.edge_type).collect();
    edge_types.sort_unstable();
    edge_types.dedup();
    let mut rows = Vec::new();
    if edge_types.len() > 1 {
        let schema = task.index.schema();
        let name = |edge_type| schema.owner_name(Owner::Edge(edge_type));
        rows.extend(edge_types.iter().map(|&kind| (name(kind), of(&|link| link.edge_type == kind))));
    }
    let seen = |link: &Link| known.contains(&link.source) && known.contains(&link.destination);
    rows.push(("both ends seen in training".into(), of(&seen)));
    rows.push(("an end new".into(), of(&|link| !seen(link))));
    if task.predict == Predict::Created {
        let acquaintance = |number: usize| Acquaintance::of(task, &task.links[number], as_of(number));
        let acquaintances: Vec<Acquaintance> = part.map(acquaintance).collect();
        rows.extend(Acquaintance::ALL.map(|(kind, name)| {
            let kept = acquaintances.iter().zip(ranks).filter(|(of, _)| **of == kind).map(|(_, rank)| *rank);
            (name.into(), Metrics::of(&kept.collect::<Vec<f64>>()))
        }));
    }
    rows.retain(|(_, metrics)| metrics.events > 0);
    rows
}

/// What the batches of a stream look like: how many messages meet, and how stale an answer would be without versions of
/// memory inside a batch.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Traffic {
    /// Messages: two an edge fact, one a node fact.
    pub messages: usize,
    /// Sets of messages of one node at one exact time.
    pub sets: usize,
    /// The largest set.
    pub largest_set: usize,
    /// Messages that are not the last of their node in their batch: what keep-last would never see.
    pub overtaken: usize,
    /// Edge facts of which an end had an earlier message in the same batch: what batch freshness would not know.
    pub stale: usize,
    /// Edge facts.
    pub edges: usize,
}

impl Traffic {
    /// Counts the first `until` facts in batches of a size.
    pub fn of(facts: &[Fact], until: usize, batch: usize) -> Traffic {
        let mut traffic = Traffic::default();
        let mut sets: FxHashMap<(NodeIndex, Time), usize> = FxHashMap::default();
        for range in batches(facts, 0..until, batch, 0) {
            sets.clear();
            let mut first: FxHashMap<NodeIndex, Time> = FxHashMap::default();
            for fact in &facts[range] {
                let both = [fact.source, fact.destination];
                let ends = if fact.edge.is_some() { &both[..] } else { &both[..1] };
                traffic.edges += usize::from(fact.edge.is_some());
                let earlier = |node: &NodeIndex| first.get(node).is_some_and(|&time| time < fact.time);
                traffic.stale += usize::from(fact.edge.is_some() && ends.iter().any(earlier));
                for &node in ends {
                    first.entry(node).or_insert(fact.time);
                    *sets.entry((node, fact.time)).or_default() += 1;
                    traffic.messages += 1;
                }
            }
            traffic.sets += sets.len();
            traffic.largest_set = traffic.largest_set.max(sets.values().copied().max().unwrap_or(0));
            traffic.overtaken += sets.values().sum::<usize>() - first.len();
        }
        traffic
    }
}
