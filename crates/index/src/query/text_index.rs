//! The texts that one feature of one node type ever held, by whole text and by word.

use std::cmp::Ordering;
use std::ops::Range;

use rustc_hash::FxHashMap;
use timeweft_graph::{Interval, NodeIndex};

use super::search_text::{Joint, Part, SearchText, Word, fold, tokens};
use crate::NONE;

/// Texts of a feature with the time in which each held, so that a search as of any time is exact.
#[derive(Default)]
pub(crate) struct TextIndex {
    /// Sorted by (text, key of the node, beginning).
    held: Vec<HeldText>,
    /// All words, sorted.
    words: Vec<Box<str>>,
    /// Where the holders of each word begin in `holders`; one more for the end.
    starts: Vec<u32>,
    /// Positions in `held`, sorted within each word.
    holders: Vec<u32>,
}

struct HeldText {
    /// Folded.
    text: Box<str>,
    node: NodeIndex,
    interval: Interval,
}

/// Decides whether a text that a node held for a while is to be found.
pub(super) trait Holds: Fn(NodeIndex, Interval, &str) -> bool {}

impl<F: Fn(NodeIndex, Interval, &str) -> bool> Holds for F {}

impl HeldText {
    fn holds(&self, holds: &impl Holds) -> bool {
        holds(self.node, self.interval, &self.text)
    }
}

impl TextIndex {
    /// An index of texts: `each` gives all of them, with their nodes and when they held.
    pub(super) fn new(
        each: impl FnOnce(&mut dyn FnMut(NodeIndex, Interval, &str)),
        compare_nodes: impl Fn(NodeIndex, NodeIndex) -> Ordering,
    ) -> TextIndex {
        let mut held = Vec::new();
        each(&mut |node, interval, text| {
            let text = fold(text);
            held.push((head(&text), HeldText { text: text.into(), node, interval }));
        });
        held.sort_unstable_by(|(head, a), (other, b)| {
            let keys = || compare_nodes(a.node, b.node);
            let texts = head.cmp(other).then_with(|| a.text.cmp(&b.text));
            texts.then_with(keys).then(a.interval.created.cmp(&b.interval.created))
        });
        let held: Vec<HeldText> = held.into_iter().map(|(_, held)| held).collect();
        let (words, starts, holders) = by_word(&held);
        TextIndex { held, words, starts, holders }
    }

    /// Nodes whose text, of those that hold, is exactly this one, case aside.
    pub(super) fn named(&self, name: &str, holds: &impl Holds) -> impl Iterator<Item = NodeIndex> {
        let name = fold(name);
        let first = self.held.partition_point(|held| *held.text < *name);
        let same = self.held[first..].iter().take_while(move |held| *held.text == *name);
        same.filter(move |held| held.holds(holds)).map(|held| held.node)
    }

    /// Nodes whose text, of those that hold, matches, best first.
    pub(super) fn search(&self, text: &SearchText, holds: &impl Holds) -> Vec<NodeIndex> {
        let mut hits: Vec<u32> = Vec::new();
        for (place, part) in text.parts().iter().enumerate() {
            match part.joint {
                _ if place == 0 => hits = self.holding(part, holds),
                Joint::And => hits.retain(|&at| part.matches(&self.held[at as usize].text)),
                Joint::Or => {
                    hits.extend(self.holding(part, holds));
                    hits.sort_unstable();
                    hits.dedup();
                }
            }
        }
        // `held` is in order of name and id, so the name that equals the text is the first of those that begin with it.
        hits.sort_by_key(|&at| !text.begins(&self.held[at as usize].text));
        hits.into_iter().map(|at| self.held[at as usize].node).collect()
    }

    /// Texts that hold with all words of a part, sorted. Reads the holders of the rarest word only.
    fn holding(&self, part: &Part, holds: &impl Holds) -> Vec<u32> {
        let ranges = part.words.iter().map(|word| self.holders_of(word));
        let rarest = ranges.min_by_key(Range::len).unwrap_or_default();
        let mut hits = self.holders[rarest].to_vec();
        hits.retain(|&at| {
            let held = &self.held[at as usize];
            part.matches(&held.text) && held.holds(holds)
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

/// The first bytes of a text, in the same order as texts: most comparisons then need no look at the text itself.
fn head(text: &str) -> u128 {
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
    u128::from_be_bytes(bytes)
}

/// All words, where the holders of each begin, and the holders. Words are sorted once each, not at every use.
fn by_word(held: &[HeldText]) -> (Vec<Box<str>>, Vec<u32>, Vec<u32>) {
    let mut numbers: FxHashMap<&str, u32> = FxHashMap::default();
    let mut words: Vec<&str> = Vec::new();
    let mut last: Vec<u32> = Vec::new();
    let mut uses: Vec<(u32, u32)> = Vec::new();
    for (at, held) in (0u32..).zip(held) {
        for token in tokens(&held.text) {
            let word = *numbers.entry(token).or_insert(words.len() as u32);
            if word as usize == words.len() {
                words.push(token);
                last.push(NONE);
            }
            if std::mem::replace(&mut last[word as usize], at) != at {
                uses.push((word, at));
            }
        }
    }
    let mut order: Vec<u32> = (0..words.len() as u32).collect();
    order.sort_by_cached_key(|&word| (head(words[word as usize]), words[word as usize]));
    let mut place = vec![0u32; words.len()];
    (0u32..).zip(&order).for_each(|(at, &word)| place[word as usize] = at);

    let mut starts = vec![0u32; words.len() + 1];
    uses.iter().for_each(|&(word, _)| starts[place[word as usize] as usize + 1] += 1);
    (0..words.len()).for_each(|at| starts[at + 1] += starts[at]);
    let (mut next, mut holders) = (starts.clone(), vec![0u32; uses.len()]);
    for (word, at) in uses {
        let next = &mut next[place[word as usize] as usize];
        holders[*next as usize] = at;
        *next += 1;
    }
    (order.into_iter().map(|word| words[word as usize].into()).collect(), starts, holders)
}
