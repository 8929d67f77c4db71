//! What nodes must be to stay in an answer.

use timeweft_graph::{At, NodeIndex, Value};

use super::read;
use super::search_text::SearchText;
use crate::Index;

/// A condition on a node at the time of the query. A node without the feature does not meet it.
///
/// ```
/// use timeweft_graph::Value;
/// use timeweft_index::query::Filter;
/// let class_or_strain = Filter::shows("rank", ["Class"]).or(Filter::is("strain", Value::Json(true.into())));
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Filter(Kind);

#[derive(Clone, PartialEq, Debug)]
enum Kind {
    /// The feature has one of these values.
    Is(Box<str>, Vec<Value>),
    /// The feature's value reads as one of these texts.
    Shows(Box<str>, Vec<String>),
    /// The feature is a text that matches.
    Matches(Box<str>, SearchText),
    /// The id matches.
    IdMatches(SearchText),
    All(Vec<Filter>),
    Either(Vec<Filter>),
}

impl Filter {
    /// Every node.
    pub fn anything() -> Filter {
        Filter(Kind::All(Vec::new()))
    }

    /// The feature has this value, of this very kind: `1` is not `1.0`.
    pub fn is(feature: &str, value: Value) -> Filter {
        Filter::one_of(feature, [value])
    }

    /// The feature has one of these values.
    pub fn one_of(feature: &str, values: impl IntoIterator<Item = Value>) -> Filter {
        Filter(Kind::Is(feature.into(), values.into_iter().collect()))
    }

    /// The feature's value, of whatever kind, is shown as one of these texts: `Class`, `true`, `1.5`.
    pub fn shows(feature: &str, texts: impl IntoIterator<Item = impl Into<String>>) -> Filter {
        Filter(Kind::Shows(feature.into(), texts.into_iter().map(Into::into).collect()))
    }

    /// The feature is a text that matches.
    pub fn matches(feature: &str, text: SearchText) -> Filter {
        Filter(Kind::Matches(feature.into(), text))
    }

    /// The id of the node matches.
    pub fn id_matches(text: SearchText) -> Filter {
        Filter(Kind::IdMatches(text))
    }

    /// Both conditions hold.
    pub fn and(self, other: Filter) -> Filter {
        Filter(Kind::All(vec![self, other]))
    }

    /// At least one of the two holds.
    pub fn or(self, other: Filter) -> Filter {
        Filter(Kind::Either(vec![self, other]))
    }

    /// Whether a node that is shown at a moment passes.
    pub(super) fn admits(&self, index: &Index, node: NodeIndex, at: At) -> bool {
        let value = |feature: &str| read::value(index, node, at, feature);
        match &self.0 {
            Kind::Is(feature, values) => value(feature).is_some_and(|value| values.contains(&value)),
            Kind::Shows(feature, texts) => {
                value(feature).is_some_and(|value| texts.iter().any(|text| value.shows_as(text)))
            }
            Kind::Matches(feature, text) => {
                read::text(index, node, at, feature).is_some_and(|name| text.matches(&name))
            }
            Kind::IdMatches(text) => text.matches(&index.node_id(node).to_id().to_string()),
            Kind::All(filters) => filters.iter().all(|filter| filter.admits(index, node, at)),
            Kind::Either(filters) => filters.iter().any(|filter| filter.admits(index, node, at)),
        }
    }
}
