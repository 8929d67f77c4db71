//! Pages of lists, and cursors between them.

use std::ops::Range;

use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::Problem;

/// Rows of a page where a question says nothing.
const ROWS: usize = 50;

/// Where a page stands in its list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub(crate) struct Page {
    /// The cursor of the next page; null: this is the last one.
    pub(crate) next: Option<String>,
    /// How many there are on all pages, where that costs nothing.
    pub(crate) total: Option<u64>,
}

/// Where a list goes on, and the commit of which it is the list: pages of one list never mix two commits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Cursor {
    commit: u64,
    offset: usize,
}

impl Cursor {
    fn read(text: &str) -> Result<Cursor, Problem> {
        let parts = text.split_once('-');
        let cursor = parts.and_then(|(commit, offset)| {
            let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            let (commit, offset) = Some((commit, offset)).filter(|(a, b)| is_number(a) && is_number(b))?;
            Some(Cursor { commit: commit.parse().ok()?, offset: offset.parse().ok()? })
        });
        cursor.ok_or_else(|| {
            Problem::bad(format!("cursor: `{text}` is none")).hint("Give what `next` of the page before says.")
        })
    }
}

/// The commit that a cursor names.
pub(crate) fn commit_of(cursor: Option<&str>) -> Result<Option<u64>, Problem> {
    cursor.map(|text| Cursor::read(text).map(|cursor| cursor.commit)).transpose()
}

/// The rows of a page.
pub(crate) fn wanted(limit: Option<usize>, cursor: Option<&str>, most: usize) -> Result<Range<usize>, Problem> {
    let limit = limit.unwrap_or(ROWS);
    if limit == 0 || limit > most {
        return Err(Problem::bad(format!("limit: expected 1 to {most}, got {limit}")));
    }
    let start = cursor.map_or(Ok(0), |text| Cursor::read(text).map(|cursor| cursor.offset))?;
    Ok(start..start.saturating_add(limit))
}

/// The same with one row more, by which it shows whether there is a next page.
pub(crate) fn with_next(page: &Range<usize>) -> Range<usize> {
    page.start..page.end.saturating_add(1)
}

/// Takes the row too many off, and says where the list goes on.
pub(crate) fn cut<T>(rows: &mut Vec<T>, page: &Range<usize>, commit: u64, total: Option<u64>) -> Page {
    let has_next = rows.len() > page.len();
    rows.truncate(page.len());
    Page { next: has_next.then(|| format!("{commit}-{}", page.end)), total }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_name_their_commit() {
        assert_eq!(commit_of(Some("7-50")), Ok(Some(7)));
        assert_eq!(wanted(None, Some("7-50"), 1_000), Ok(50..100));
        assert_eq!(wanted(Some(3), None, 1_000), Ok(0..3));
        for wrong in ["", "7", "7-", "-7", "a-1", "7-+1", "7-1-1", "7-99999999999999999999"] {
            assert!(commit_of(Some(wrong)).is_err(), "{wrong}");
        }
        assert!(wanted(Some(0), None, 1_000).is_err() && wanted(Some(1_001), None, 1_000).is_err());
        let mut rows = vec![1, 2, 3];
        assert_eq!(cut(&mut rows, &(4..6), 9, None), Page { next: Some("9-6".into()), total: None });
        assert_eq!((rows.len(), cut(&mut rows, &(6..8), 9, Some(8)).next), (2, None));
    }
}
