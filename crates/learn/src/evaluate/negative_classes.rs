//! Wrong answers by class. A model that rules out nodes drawn by chance may still take whatever was there
//! before for what comes next (Poursafaei et al. 2022).
//!
//! Equations: `docs/model.md#evaluation-protocol`.

use rustc_hash::FxHashSet;
use timeweft_graph::{NodeIndex, Time};

use crate::{GraphContext, Link, Task, splitmix64};

/// A kind of wrong answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NegativeClass {
    /// Any candidate.
    Uniform,
    /// The answer of a training link drawn by chance.
    Popular,
    /// A node that the asking node met by this relation before.
    Met,
    /// The same, where no such edge is there any more.
    Removed,
    /// An answer of another link that was none in the training part.
    New,
}

impl NegativeClass {
    /// All kinds, in the order of reports.
    pub const ALL: [NegativeClass; 5] = [
        NegativeClass::Uniform,
        NegativeClass::Popular,
        NegativeClass::Met,
        NegativeClass::Removed,
        NegativeClass::New,
    ];

    /// Name in reports.
    pub fn name(self) -> &'static str {
        match self {
            NegativeClass::Uniform => "any candidate",
            NegativeClass::Popular => "answers of training links",
            NegativeClass::Met => "nodes met before",
            NegativeClass::Removed => "edges removed before",
            NegativeClass::New => "answers that are new",
        }
    }
}

/// Most partners that count as met before: the latest ones.
const PARTNERS: usize = 32;

/// What wrong answers are drawn from.
pub(crate) struct NegativeClasses<'a> {
    task: &'a Task,
    graph: &'a GraphContext,
    seed: u64,
    trained: FxHashSet<NodeIndex>,
}

impl<'a> NegativeClasses<'a> {
    pub(crate) fn new(task: &'a Task, graph: &'a GraphContext, seed: u64) -> NegativeClasses<'a> {
        let trained = task.links[..task.split.train_end].iter().map(|link| link.destination).collect();
        NegativeClasses { task, graph, seed, trained }
    }

    /// A wrong answer of each kind to link number `number`, knowing what was before `as_of`; `None` where there is none.
    pub(crate) fn draw(&self, number: usize, as_of: Time) -> [Option<Link>; NegativeClass::ALL.len()] {
        let (task, history) = (self.task, self.graph.history.read());
        let link = task.links[number];
        let wrong = |&node: &NodeIndex| node != link.destination && !task.is_answer(&link, node);
        let met = history.partners_ever(link.source, link.relation(), history.limit(as_of), PARTNERS);
        NegativeClass::ALL.map(|kind| {
            let key = splitmix64(self.seed ^ splitmix64(number as u64)) ^ ((kind as u64) << 32);
            let node = match kind {
                NegativeClass::Uniform => pick(key, task.pool(link.edge_type, link.direction), wrong),
                NegativeClass::Popular => self.answer_of(key, 0..task.split.train_end, &link, wrong),
                NegativeClass::Met => pick(key, &met, wrong),
                NegativeClass::Removed => {
                    pick(key, &met, |node| !self.is_linked(&link, *node, as_of.before()) && wrong(node))
                }
                NegativeClass::New => {
                    let new = |node: &NodeIndex| !self.trained.contains(node) && wrong(node);
                    self.answer_of(key, task.split.train_end..number, &link, new)
                }
            };
            node.map(|destination| Link { destination, ..link })
        })
    }

    fn is_linked(&self, link: &Link, node: NodeIndex, at: Time) -> bool {
        let (source, destination) = match link.direction {
            timeweft_graph::Direction::Out => (link.source, node),
            timeweft_graph::Direction::In => (node, link.source),
        };
        self.task.index.is_linked(link.edge_type, source, destination, at)
    }

    /// The answer to some other link of the same side.
    fn answer_of(
        &self,
        key: u64,
        links: std::ops::Range<usize>,
        link: &Link,
        wanted: impl Fn(&NodeIndex) -> bool,
    ) -> Option<NodeIndex> {
        let links = &self.task.links[links];
        let fits = |other: &Link| {
            let same = (other.edge_type, other.direction) == (link.edge_type, link.direction);
            same && other.time < link.time && wanted(&other.destination)
        };
        pick(key, links, fits).map(|other| other.destination)
    }
}

/// One that fits, drawn by a counter. After some draws that do not fit, the ones behind the last draw are looked through: as
/// far as 4,096 of them, for this is done for every link.
fn pick<T: Copy>(key: u64, all: &[T], fits: impl Fn(&T) -> bool) -> Option<T> {
    let place = |draw: u64| (splitmix64(key ^ draw) % all.len() as u64) as usize;
    if all.is_empty() {
        return None;
    }
    let drawn = (0..32).map(place).map(|at| all[at]).find(&fits);
    let start = place(32);
    drawn.or_else(|| all[start..].iter().chain(&all[..start]).take(4096).copied().find(&fits))
}
