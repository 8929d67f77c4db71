//! What a query gives back, and what is wrong with one.

use timeweft_graph::{EdgeState, Name, NodeState};

/// How many ids can be asked for at once.
pub const MOST_IDS: usize = 10_000;

/// One node of an answer.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// The node with its selected features.
    pub node: NodeState,
    /// Fewest hops from the node that was asked about; 0 where none was.
    pub depth: u32,
    /// The edges between the two, sorted by key; only where the answer is one hop away.
    pub edges: Vec<EdgeState>,
}

/// A page of rows.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Answer {
    /// How many rows there are on all pages.
    pub total: usize,
    /// Those of this page.
    pub rows: Vec<Row>,
}

/// A page of linked nodes, some of which may be out of reach.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Linked {
    /// How many nodes are linked.
    pub total: usize,
    /// How many of them the filter keeps.
    pub accessible: usize,
    /// Those of this page.
    pub rows: Vec<Row>,
}

/// Which part of an answer is returned: at most `limit` rows from `offset` on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Page {
    pub(super) limit: usize,
    pub(super) offset: usize,
}

impl Page {
    /// Largest limit of a page.
    pub const MOST: usize = 1000;
    /// Largest offset of a page.
    pub const LAST: usize = 100_000;

    /// A page of 1 to [`Page::MOST`] rows from at most [`Page::LAST`] on.
    ///
    /// ```
    /// use timeweft_index::query::Page;
    /// assert_eq!(Page::new(1001, 0).unwrap_err().to_string(), "limit 1001 is out of range: give 1 to 1000");
    /// ```
    pub fn new(limit: usize, offset: usize) -> Result<Page, QueryError> {
        if limit == 0 || limit > Page::MOST {
            return Err(QueryError::Limit(limit));
        }
        if offset > Page::LAST {
            return Err(QueryError::Offset(offset));
        }
        Ok(Page { limit, offset })
    }

    /// Everything on one page.
    pub fn all() -> Page {
        Page { limit: usize::MAX, offset: 0 }
    }
}

impl Default for Page {
    /// The first 20 rows.
    fn default() -> Page {
        Page { limit: 20, offset: 0 }
    }
}

/// Why a query cannot be asked. Each message names the parameter.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// No page is so long.
    #[error("limit {0} is out of range: give 1 to {most}", most = Page::MOST)]
    Limit(usize),
    /// No page lies so far back.
    #[error("offset {0} is out of range: give 0 to {last}", last = Page::LAST)]
    Offset(usize),
    /// More ids than can be asked for at once.
    #[error("{0} ids are too many: give at most {MOST_IDS}")]
    Ids(usize),
    /// Nothing to search for.
    #[error("text `{0}` has no letter or digit: give a word to search for")]
    NoText(String),
    /// The feature that should hold names holds something else.
    #[error("feature `{feature}` of {node_type} holds {kind}: name one that holds text")]
    NotText {
        /// Feature name.
        feature: Name,
        /// Its node type.
        node_type: Name,
        /// Kind of its values.
        kind: String,
    },
}
