//! Ids, names and texts of all nodes, folded, one after the other: what people type is looked for by going through them,
//! which takes a few milliseconds for a million nodes, and no list of words has to be made for each commit.

use memchr::memmem;
use timeweft_graph::NodeIndex;

use super::search_text::{fold, tokens};

/// Bytes of texts that are kept, at most: those of the nodes behind are read anew for each question.
const MOST_TEXTS: usize = 256 << 20;
/// The same of ids, and of names.
const MOST_NAMES: usize = 1 << 30;

/// What a node is found by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Part {
    Id,
    Names,
    Texts,
}

impl Part {
    fn room(self) -> usize {
        if self == Part::Texts { MOST_TEXTS } else { MOST_NAMES }
    }
}

/// All nodes that ever lived, sorted by key, with what they are found by.
pub(crate) struct Finder {
    pub(super) nodes: Vec<NodeIndex>,
    ids: Records,
    names: Records,
    texts: Records,
}

/// A text for each of the first nodes.
#[derive(Default)]
struct Records {
    text: String,
    ends: Vec<u32>,
}

impl Records {
    fn of(part: Part, nodes: &[NodeIndex], write: &impl Fn(NodeIndex, Part, &mut String)) -> Records {
        let mut records = Records::default();
        for node in nodes {
            write(*node, part, &mut records.text);
            if records.text.len() > part.room() {
                records.text.truncate(records.ends.last().map_or(0, |end| *end as usize));
                break;
            }
            records.ends.push(records.text.len() as u32);
        }
        records.text.shrink_to_fit();
        records
    }

    fn start(&self, at: usize) -> usize {
        at.checked_sub(1).map_or(0, |before| self.ends[before] as usize)
    }

    fn get(&self, at: usize) -> Option<&str> {
        self.ends.get(at).map(|end| &self.text[self.start(at)..*end as usize])
    }
}

impl Finder {
    /// Of nodes sorted by key; `write` adds what a part of a node says, folded, each line closed.
    pub(super) fn new(nodes: Vec<NodeIndex>, write: impl Fn(NodeIndex, Part, &mut String)) -> Finder {
        let [ids, names, texts] = [Part::Id, Part::Names, Part::Texts].map(|part| Records::of(part, &nodes, &write));
        Finder { nodes, ids, names, texts }
    }

    fn records(&self, part: Part) -> &Records {
        match part {
            Part::Id => &self.ids,
            Part::Names => &self.names,
            Part::Texts => &self.texts,
        }
    }

    /// What a part of the node at a position says, written anew where it is not kept.
    pub(super) fn with<T>(
        &self,
        part: Part,
        at: usize,
        write: &impl Fn(NodeIndex, Part, &mut String),
        read: impl FnOnce(&str) -> T,
    ) -> T {
        if let Some(text) = self.records(part).get(at) {
            return read(text);
        }
        let mut text = String::new();
        write(self.nodes[at], part, &mut text);
        read(&text)
    }

    /// The positions of the nodes of which a part matches, in order.
    pub(super) fn matching(
        &self,
        part: Part,
        typed: &Typed,
        write: &impl Fn(NodeIndex, Part, &mut String),
        mut each: impl FnMut(usize),
    ) {
        let records = self.records(part);
        match typed.rarest() {
            _ if part == Part::Id => {
                (0..records.ends.len())
                    .filter(|&at| typed.begins(&records.text[records.start(at)..]))
                    .for_each(&mut each);
            }
            None => return,
            Some(word) => {
                let finder = memmem::Finder::new(word.as_bytes());
                let (mut from, mut at) = (0, 0);
                while let Some(hit) = finder.find(&records.text.as_bytes()[from..]).map(|hit| hit + from) {
                    at += records.ends[at..].partition_point(|end| *end as usize <= hit);
                    from = records.ends[at] as usize;
                    if typed.matches(&records.text[records.start(at)..from]) {
                        each(at);
                    }
                }
            }
        }
        let behind = records.ends.len()..self.nodes.len();
        let is_match = |text: &str| if part == Part::Id { typed.begins(text) } else { typed.matches(text) };
        behind.filter(|&at| self.with(part, at, write, is_match)).for_each(each);
    }
}

/// What was typed, folded.
pub(super) struct Typed {
    phrase: String,
    words: Vec<String>,
}

impl Typed {
    pub(super) fn new(text: &str) -> Typed {
        let phrase = fold(text.trim());
        let words = tokens(&phrase).map(str::to_owned).collect();
        Typed { phrase, words }
    }

    pub(super) fn words(&self) -> &[String] {
        &self.words
    }

    fn rarest(&self) -> Option<&String> {
        self.words.iter().max_by_key(|word| word.len())
    }

    /// Whether a line begins with all of it.
    pub(super) fn begins(&self, line: &str) -> bool {
        line.starts_with(&self.phrase)
    }

    /// Whether every word begins some word of a text.
    pub(super) fn matches(&self, text: &str) -> bool {
        !self.words.is_empty() && self.words.iter().all(|word| word_at(text, word).is_some())
    }

    /// How well lines match that do: 0 if one is all of it, 1 if one begins with it, else 2.
    pub(super) fn rank(&self, lines: &str) -> u8 {
        let of_line = |line: &str| {
            if line == self.phrase {
                0
            } else if self.begins(line) {
                1
            } else {
                2
            }
        };
        lines.lines().map(of_line).min().unwrap_or(2)
    }
}

/// Where a word begins a word of a folded text. Within scripts that are written without spaces it may begin anywhere.
pub(super) fn word_at(text: &str, word: &str) -> Option<usize> {
    let anywhere = word.starts_with(|first: char| first >= '\u{2e80}');
    let begins = |at: &usize| anywhere || !text[..*at].chars().next_back().is_some_and(char::is_alphanumeric);
    text.match_indices(word).map(|(at, _)| at).find(begins)
}
