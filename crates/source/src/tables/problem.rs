//! Why a row makes no record.

use timeweft_graph::Unreadable;

use crate::SourceError;

/// Why a row makes no record.
pub(crate) enum Problem {
    /// This row alone, which does not show what it is about.
    Row(String),
    /// This row alone, and the element that it is about.
    Of(Box<Unreadable>, String),
    /// All that follows.
    Source(SourceError),
}

impl Problem {
    /// The same, of a row that shows what it is about.
    pub(crate) fn of(self, told: impl FnOnce() -> Unreadable) -> Problem {
        match self {
            Problem::Row(problem) => Problem::Of(Box::new(told()), problem),
            other => other,
        }
    }
}

impl From<SourceError> for Problem {
    fn from(error: SourceError) -> Self {
        Problem::Source(error)
    }
}

impl From<String> for Problem {
    fn from(problem: String) -> Self {
        Problem::Row(problem)
    }
}
