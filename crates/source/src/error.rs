//! What makes a whole source unusable.

use std::io;
use std::path::PathBuf;

use timeweft_graph::{Name, Place};

/// A source that could not be read at all, or not to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The file cannot be opened.
    #[error("cannot open `{}`: {cause}; check the path, or give `-` for standard input", path.display())]
    Open {
        /// The path as given.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// Reading failed on the way; what came before this place was read well.
    #[error("{file}:{line}: reading stopped: {cause}")]
    Read {
        /// The source.
        file: Name,
        /// The line that could not be read to its end.
        line: u64,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The columns of a table do not make events.
    #[error("{file}: {problem}; the columns are: {}", first(columns))]
    Columns {
        /// The table.
        file: Name,
        /// What is missing or doubled, and what to do.
        problem: String,
        /// The columns found, with commas.
        columns: String,
    },
    /// A document that cannot be read as what it should be.
    #[error("{}: {problem}", Place::new(file, *line))]
    Document {
        /// The source.
        file: Name,
        /// The line of the first fault; 0 where it is not in one line.
        line: u64,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// A path that is in no known format of versions or of intervals, or not in the one that was asked for.
    #[error("cannot read `{}` as {as_what}: {problem}", path.display())]
    Unrecognised {
        /// The path as given.
        path: PathBuf,
        /// What it should be: `a version`, `intervals`.
        as_what: &'static str,
        /// What is missing, and what to do.
        problem: String,
    },
    /// More types or features than a schema can hold.
    #[error("{}: more than 65,536 types, or features of one type: give rarely used names as values instead", Place::new(file, *line))]
    TooManyTypes {
        /// The source.
        file: Name,
        /// The line that names one too many; 0 where the source has no lines.
        line: u64,
    },
    /// The folder is not in a git repository.
    #[error("`{}` is not in a git repository: {cause}; give the path of a repository", path.display())]
    NoRepository {
        /// The path as given.
        path: PathBuf,
        /// What the repository reader said.
        cause: String,
    },
    /// The graph holds commits, and the repository has none of them.
    #[error(
        "the graph holds the history of another repository than `{}`: load it into another graph, or give another \
         --namespace",
        path.display()
    )]
    OtherHistory {
        /// The path as given.
        path: PathBuf,
    },
    /// The repository cannot be read.
    #[error("cannot read the history of `{}`: {cause}; `git fsck` tells whether it is damaged", path.display())]
    History {
        /// The path as given.
        path: PathBuf,
        /// What the repository reader said.
        cause: String,
    },
}

/// The first of many names: a table may have a million columns.
fn first(names: &str) -> String {
    const LONGEST: usize = 2_000;
    match names.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}... ({} in all)", &names[..end], names.split(", ").count()),
        None => names.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_a_million_columns_is_told_in_a_few_lines() {
        let columns = (0..1_000_000).map(|at| format!("c{at}")).collect::<Vec<_>>().join(", ");
        let told = SourceError::Columns { file: "f".into(), problem: "no column `id`".into(), columns }.to_string();
        assert!(told.len() < 2_100 && told.starts_with("f: no column `id`; the columns are: c0, c1, "), "{told}");
        assert!(told.ends_with("... (1000000 in all)"));
    }
}
