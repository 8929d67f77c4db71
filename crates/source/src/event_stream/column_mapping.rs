//! Names of columns that a table has, for those that a stream of events knows.

use timeweft_graph::Name;

use super::csv::{Role, feature_column};
use crate::SourceError;

/// Which column of a table is what: our name of each column, and that of the table.
///
/// Our names are those of [`crate::CsvReader`] (`time`, `source`, `destination`, `action`, ...), or of features. Columns that
/// are not mapped keep their names; one that has the name of what another column was mapped to is a feature.
///
/// ```
/// use timeweft_source::event_stream::ColumnMapping;
/// assert!(ColumnMapping::new([("time", "ts"), ("source", "from_user")]).is_ok());
/// assert!(ColumnMapping::new([("time", "ts"), ("time", "at")]).is_err(), "one column is the time");
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ColumnMapping {
    /// Ours and theirs.
    pairs: Vec<(String, String)>,
}

impl ColumnMapping {
    /// A mapping of pairs: our name, and that of the table.
    ///
    /// # Errors
    /// If a name is empty, or stands twice on one side.
    pub fn new<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<ColumnMapping, String> {
        let mut mapping = ColumnMapping::default();
        for (ours, theirs) in pairs {
            if ours.is_empty() || theirs.is_empty() {
                return Err(format!("columns: `{ours}` for `{theirs}`: an empty name is that of no column"));
            }
            if let Some((_, other)) = mapping.pairs.iter().find(|(known, _)| is_same(known, ours)) {
                return Err(format!("columns: `{ours}` is both `{other}` and `{theirs}`: give one of them"));
            }
            if let Some((other, _)) = mapping.pairs.iter().find(|(_, known)| known == theirs) {
                return Err(format!("columns: `{theirs}` is both `{other}` and `{ours}`: it can be one of them"));
            }
            mapping.pairs.push((ours.to_owned(), theirs.to_owned()));
        }
        Ok(mapping)
    }

    /// Whether nothing is mapped.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The names of the columns of a table with ours in place of its own.
    pub(crate) fn apply(&self, file: &Name, header: &[String]) -> Result<Vec<String>, SourceError> {
        let find = |name: &str| header.iter().position(|column| column.trim() == name);
        if let Some((ours, theirs)) = self.pairs.iter().find(|(_, theirs)| find(theirs).is_none()) {
            let problem = format!("there is no column `{theirs}`, which should be `{ours}`");
            return Err(SourceError::Columns { file: file.clone(), problem, columns: header.join(", ") });
        }
        let named = header.iter().map(|column| {
            let column = column.trim();
            match self.pairs.iter().find(|(_, theirs)| theirs == column) {
                Some((ours, _)) => ours.clone(),
                None if self.pairs.iter().any(|(ours, _)| is_same(ours, column)) => feature_column(column),
                None => column.to_owned(),
            }
        });
        Ok(named.collect())
    }
}

/// Whether two names mean one column: `src` is `source`.
fn is_same(a: &str, b: &str) -> bool {
    let role = Role::of(a);
    a == b || (role != Role::Feature && role != Role::LeftOut && role == Role::of(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(pairs: &[(&str, &str)], header: &[&str]) -> Result<Vec<String>, String> {
        let mapping = ColumnMapping::new(pairs.iter().copied())?;
        let header: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
        mapping.apply(&"t".into(), &header).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_mapped_has_our_name_and_what_had_it_before_is_a_feature() {
        let named =
            applied(&[("time", "ts"), ("source", "who"), ("w", "weight")], &["ts", "who", "time", "src", "weight"]);
        assert_eq!(
            named.as_deref(),
            Ok(&["time", "source", "feature:time", "feature:src", "w"].map(str::to_owned)[..])
        );
        assert_eq!(applied(&[], &["a", " b"]).as_deref(), Ok(&["a", "b"].map(str::to_owned)[..]));
    }

    #[test]
    fn a_mapping_that_is_none_says_which_names_are_wrong() {
        for (pairs, told) in [
            (&[("time", "ts"), ("time", "at")][..], "`time` is both `ts` and `at`"),
            (&[("source", "a"), ("src", "b")], "`src` is both `a` and `b`"),
            (&[("source", "a"), ("key", "a")], "`a` is both `source` and `key`"),
            (&[("time", "")], "an empty name"),
            (
                &[("time", "ts"), ("key", "id")],
                "t: there is no column `id`, which should be `key`; the columns are: ts, time",
            ),
        ] {
            let error = applied(pairs, &["ts", "time"]).err();
            assert!(error.as_deref().is_some_and(|error| error.contains(told)), "{error:?}");
        }
    }
}
