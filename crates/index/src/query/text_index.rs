//! The texts that one feature of one node type ever held, by whole text and by word.

use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustc_hash::FxHashMap;
use timeweft_graph::{FeatureId, Interval, NodeIndex, NodeTypeId, Time};

use super::read;
use super::search_text::{Joint, Part, SearchText, Word, fold, tokens};
use crate::Index;

/// Texts of a feature with the time in which each held, so that a search as of any time is exact.
#[derive(Default)]
pub(super) struct TextIndex {
    /// Sorted by (text, key of the node, beginning).
    held: Vec<Held>,
    /// All words, sorted.
    words: Vec<Box<str>>,
    /// Where the holders of each word begin in `holders`; one more for the end.
    starts: Vec<u32>,
    /// Positions in `held`, sorted within each word.
    holders: Vec<u32>,
}

struct Held {
    /// Folded.
    text: Box<str>,
    node: NodeIndex,
    interval: Interval,
}

impl TextIndex {
    /// Reads the feature of every node of a type.
    pub(super) fn new(index: &Index, node_type: NodeTypeId, feature: FeatureId) -> TextIndex {
        let mut held = Vec::new();
        let nodes = (0u32..).map(NodeIndex).zip(&index.nodes.all);
        for (node, _) in nodes.filter(|(_, known)| known.node_type == node_type) {
            read::each_text(index, node, feature, |interval, text| {
                held.push(Held { text: fold(text).into(), node, interval });
            });
        }
        held.sort_unstable_by(|a, b| {
            let keys = || index.node_key(a.node).cmp(index.node_key(b.node));
            a.text.cmp(&b.text).then_with(keys).then(a.interval.created.cmp(&b.interval.created))
        });
        let (words, starts, holders) = by_word(&held);
        TextIndex { held, words, starts, holders }
    }

    /// Nodes whose text at a time is exactly this one, case aside.
    pub(super) fn named(&self, name: &str, time: Time) -> impl Iterator<Item = NodeIndex> {
        let name = fold(name);
        let first = self.held.partition_point(|held| *held.text < *name);
        let same = self.held[first..].iter().take_while(move |held| *held.text == *name);
        same.filter(move |held| held.interval.contains(time)).map(|held| held.node)
    }

    /// Nodes whose text at a time matches, best first.
    pub(super) fn search(&self, text: &SearchText, time: Time) -> Vec<NodeIndex> {
        let mut hits: Vec<u32> = Vec::new();
        for (place, part) in text.parts().iter().enumerate() {
            match part.joint {
                _ if place == 0 => hits = self.holding(part, time),
                Joint::And => hits.retain(|&at| part.matches(&self.held[at as usize].text)),
                Joint::Or => {
                    hits.extend(self.holding(part, time));
                    hits.sort_unstable();
                    hits.dedup();
                }
            }
        }
        // `held` is in order of name and id, so the name that equals the text is the first of those that begin with it.
        hits.sort_by_key(|&at| !text.begins(&self.held[at as usize].text));
        hits.into_iter().map(|at| self.held[at as usize].node).collect()
    }

    /// Texts at a time with all words of a part, sorted. Reads the holders of the rarest word only.
    fn holding(&self, part: &Part, time: Time) -> Vec<u32> {
        let ranges = part.words.iter().map(|word| self.holders_of(word));
        let rarest = ranges.min_by_key(Range::len).unwrap_or_default();
        let mut hits = self.holders[rarest].to_vec();
        hits.retain(|&at| {
            let held = &self.held[at as usize];
            held.interval.contains(time) && part.matches(&held.text)
        });
        hits.sort_unstable();
        hits.dedup();
        hits
    }

    /// Where the holders of a word lie, or of all words that begin with it.
    fn holders_of(&self, word: &Word) -> Range<usize> {
        let first = self.words.partition_point(|known| **known < *word.text);
        let n = self.words[first..].partition_point(|known| word.matches(known));
        self.starts[first] as usize..self.starts[first + n] as usize
    }
}

/// All words, where the holders of each begin, and the holders.
fn by_word(held: &[Held]) -> (Vec<Box<str>>, Vec<u32>, Vec<u32>) {
    let mut pairs: Vec<(&str, u32)> =
        (0u32..).zip(held).flat_map(|(at, held)| tokens(&held.text).map(move |token| (token, at))).collect();
    pairs.sort_unstable();
    pairs.dedup();
    let groups = || pairs.chunk_by(|a, b| a.0 == b.0);
    let words = groups().filter_map(|group| Some(group.first()?.0.into())).collect();
    let ends = groups().scan(0u32, |end, group| {
        *end += group.len() as u32;
        Some(*end)
    });
    let starts = std::iter::once(0).chain(ends).collect();
    (words, starts, pairs.iter().map(|(_, at)| *at).collect())
}

/// The text indexes that were asked for so far, each made on first use.
#[derive(Default)]
pub(crate) struct TextIndexes(Mutex<FxHashMap<(NodeTypeId, FeatureId), Cell>>);

/// Made once, while the others can be asked for.
type Cell = Arc<OnceLock<Arc<TextIndex>>>;

impl TextIndexes {
    /// The text index of a feature, made now if it is not there yet.
    pub(super) fn of(
        &self,
        node_type: NodeTypeId,
        feature: FeatureId,
        make: impl FnOnce() -> TextIndex,
    ) -> Arc<TextIndex> {
        let cell =
            self.0.lock().unwrap_or_else(PoisonError::into_inner).entry((node_type, feature)).or_default().clone();
        cell.get_or_init(|| Arc::new(make())).clone()
    }

    /// Drops them all: the graph is about to differ.
    pub(crate) fn forget(&mut self) {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Clone for TextIndexes {
    fn clone(&self) -> TextIndexes {
        TextIndexes(Mutex::new(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()))
    }
}
