//! Nodes by what people type: ids that begin with it, then names, then words in texts.
//!
//! Slow reference: a look at every node (`typed_words_equal_scan`).

use std::cmp::Reverse;
use std::sync::Arc;

use timeweft_graph::{At, Deletes, Name, NodeIndex, NodeTypeId, Value};

use super::finder::{Finder, Part, Typed, word_at};
use super::read;
use super::search_text::fold;
use crate::Index;
use crate::answers::incident::sort_range;
use crate::elements::life::{LifeRecord, chain};

/// What a node was found by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Matched {
    /// Its id begins with what was typed.
    Id,
    /// Each word that was typed begins a word of a name that it has or had.
    Name,
    /// Each word begins a word of its other texts.
    Text,
}

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Find<'a> {
    /// What was typed. Case does not matter.
    pub text: &'a str,
    /// Of these types; of any if there is none.
    pub types: &'a [NodeTypeId],
    /// Only nodes that a moment shows; without one all that ever lived.
    pub at: Option<At>,
    /// How many at most.
    pub limit: usize,
}

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FoundNodes {
    /// Nodes found by their ids, by their names (equal ones before those that begin so, before others), then by texts; each
    /// of these by key.
    pub nodes: Vec<(NodeIndex, Matched)>,
    /// How many there are in all, where texts had to be looked at.
    pub total: Option<usize>,
}

/// Letters of an excerpt.
const EXCERPT: usize = 120;

impl Index {
    /// Looks for nodes. The first question makes what it goes through: some 40 bytes for each node and its names, and at most
    /// 256 MiB for texts; what is behind that is read anew for each question.
    pub fn find(&self, asked: Find<'_>) -> FoundNodes {
        let (finder, typed) = (self.finder(), Typed::new(asked.text));
        let write = |node, part, text: &mut String| self.write_part(node, part, text);
        let is_meant = |node: NodeIndex| {
            let of_type = asked.types.is_empty() || asked.types.contains(&self.node_type(node));
            of_type && asked.at.is_none_or(|at| read::life_at(self, node, at).is_some())
        };
        let (mut by_id, mut by_name, mut by_text, mut total) = (Vec::new(), [const { Vec::new() }; 3], Vec::new(), 0);
        let mut keep = |list: &mut Vec<NodeIndex>, node: NodeIndex| {
            if is_meant(node) {
                total += 1;
                if list.len() < asked.limit {
                    list.push(node);
                }
            }
        };
        let has_id = |at: usize| finder.with(Part::Id, at, &write, |id| typed.begins(id));
        finder.matching(Part::Id, &typed, &write, |at| keep(&mut by_id, finder.nodes[at]));
        finder.matching(Part::Names, &typed, &write, |at| {
            if !has_id(at) {
                let rank = finder.with(Part::Names, at, &write, |names| typed.rank(names));
                keep(&mut by_name[usize::from(rank)], finder.nodes[at]);
            }
        });
        let is_full = by_id.len() + by_name.iter().map(Vec::len).sum::<usize>() >= asked.limit;
        if !is_full {
            let has_name = |at: usize| finder.with(Part::Names, at, &write, |names| typed.matches(names));
            finder.matching(Part::Texts, &typed, &write, |at| {
                if !has_id(at) && !has_name(at) {
                    keep(&mut by_text, finder.nodes[at]);
                }
            });
        }
        let found = |nodes: Vec<NodeIndex>, by: Matched| nodes.into_iter().map(move |node| (node, by));
        let names = by_name.into_iter().flatten().collect();
        let all = found(by_id, Matched::Id).chain(found(names, Matched::Name)).chain(found(by_text, Matched::Text));
        FoundNodes { nodes: all.take(asked.limit).collect(), total: (!is_full).then_some(total) }
    }

    /// Makes what [`Index::find`] goes through, if it is not there yet.
    pub fn prepare_find(&self) {
        self.finder();
    }

    fn finder(&self) -> &Finder {
        self.finder.get_or_init(|| {
            let mut nodes: Vec<NodeIndex> = (0..self.n_nodes() as u32).map(NodeIndex).collect();
            nodes.retain(|&node| self.lives_of(node).next().is_some());
            self.sort_nodes(&mut nodes);
            Arc::new(Finder::new(nodes, |node, part, text| self.write_part(node, part, text)))
        })
    }

    fn lives_of(&self, node: NodeIndex) -> impl Iterator<Item = &crate::elements::node::NodeLife> {
        let lives = chain(&self.nodes.lives, self.nodes.life(node)).map(|life| &self.nodes.lives[life as usize]);
        lives.filter(|life| life.is_real())
    }

    /// Adds what a part of a node says, folded, a line each.
    fn write_part(&self, node: NodeIndex, part: Part, text: &mut String) {
        let mut line = |said: &str| {
            text.push_str(&fold(said));
            text.push('\n');
        };
        if part == Part::Id {
            return line(&self.node_id(node).to_id().to_string());
        }
        self.each_said(node, part == Part::Names, |value| each_text(value, &mut line));
    }

    /// Every value that the labels of a node, or its other features, ever had; values that return are given once more.
    fn each_said(&self, node: NodeIndex, of_labels: bool, mut each: impl FnMut(&Value)) {
        let labels: Vec<_> = self.label_features(node).collect();
        if of_labels && labels.is_empty() {
            return;
        }
        let mut last = None;
        for life in self.lives_of(node) {
            for (feature, _, value) in self.feature_store.history(life.feature_row(), life.interval) {
                if labels.contains(&feature) == of_labels && last.replace((feature, value)) != Some((feature, value)) {
                    self.feature_store.value(value).iter().for_each(&mut each);
                }
            }
        }
    }

    /// The part of a name or text of a node around what was typed, of names first; none if nothing of it is there.
    pub fn excerpt(&self, node: NodeIndex, typed: &str) -> Option<Name> {
        let typed = Typed::new(typed);
        let mut best: Option<(usize, Name)> = None;
        for of_labels in [true, false] {
            self.each_said(node, of_labels, |value| {
                each_text(value, &mut |text| {
                    let folded = fold(text);
                    let n = typed.words().iter().filter(|word| word_at(&folded, word).is_some()).count();
                    if n > best.as_ref().map_or(0, |(most, _)| *most) {
                        best = Some((n, around(text, typed.words())));
                    }
                });
            });
        }
        best.map(|(_, text)| text)
    }

    /// The nodes of most edges that a moment shows, of some types or of all, then by key; and how many nodes there are.
    pub fn busiest(&self, types: &[NodeTypeId], at: At, limit: usize) -> (Vec<NodeIndex>, usize) {
        let n_edges = |node: NodeIndex| -> usize {
            let lists = self.adjacency().lists(node);
            match at.deletes {
                Deletes::Hard => lists.map(|list| list.degree(at.time)).sum(),
                Deletes::Soft => lists.map(|list| list.begun(at.time)).sum(),
            }
        };
        let all = (0..self.n_nodes() as u32).map(NodeIndex);
        let meant = all.filter(|node| types.is_empty() || types.contains(&self.node_type(*node)));
        let shown = meant.filter(|node| read::life_at(self, *node, at).is_some());
        let mut ranked: Vec<(usize, NodeIndex)> = shown.map(|node| (n_edges(node), node)).collect();
        let (n, total) = (limit.min(ranked.len()), ranked.len());
        sort_range(&mut ranked, 0..n, |a, b| {
            Reverse(a.0).cmp(&Reverse(b.0)).then_with(|| self.compare_nodes(a.1, b.1))
        });
        (ranked[..n].iter().map(|(_, node)| *node).collect(), total)
    }
}

/// The texts in a value: itself, or those that a structure holds.
fn each_text(value: &Value, each: &mut impl FnMut(&str)) {
    match value {
        Value::Text(text) | Value::Category(text) => each(text),
        Value::Json(json) => each_json_text(json, each),
        _ => {}
    }
}

fn each_json_text(json: &serde_json::Value, each: &mut impl FnMut(&str)) {
    match json {
        serde_json::Value::String(text) => each(text),
        serde_json::Value::Array(items) => items.iter().for_each(|item| each_json_text(item, each)),
        serde_json::Value::Object(fields) => fields.values().for_each(|item| each_json_text(item, each)),
        _ => {}
    }
}

/// So much of a text as people see at a glance, around the first of some words.
fn around(text: &str, words: &[String]) -> Name {
    let n = text.chars().count();
    if n <= EXCERPT {
        return text.into();
    }
    // A letter may fold to several.
    let (mut folded, mut letters) = (String::new(), Vec::new());
    for (at, letter) in text.chars().enumerate() {
        let start = folded.len();
        folded.push_str(&fold(letter.encode_utf8(&mut [0; 4])));
        letters.resize(folded.len().max(start), at);
    }
    let hit = words.iter().filter_map(|word| word_at(&folded, word)).min().map_or(0, |at| letters[at]);
    let start = hit.saturating_sub(EXCERPT / 3).min(n - EXCERPT);
    let part: String = text.chars().skip(start).take(EXCERPT).collect();
    let (before, behind) = (if start > 0 { "…" } else { "" }, if start + EXCERPT < n { "…" } else { "" });
    format!("{before}{part}{behind}").into()
}
