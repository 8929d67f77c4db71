//! Collections of networks whose files have columns of their own.

use super::CsvDefaults;
use crate::text::delimited::{Delimiter, Dialect};

/// How the columns of a table are arranged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Layout {
    /// The header names the columns, or the caller does. The header of a file of JODIE is known.
    #[default]
    Named,
    /// [KONECT](http://konect.cc): `out.*`, comments with `%`, the columns source, destination, weight and time, of which
    /// the last ones may be absent.
    Konect,
    /// [SNAP](https://snap.stanford.edu): words, comments with `#`; the last comment may name the columns.
    Snap,
    /// [JODIE](https://snap.stanford.edu/jodie): user, item, time, label of the state, and numbers to the end of the row.
    Jodie,
}

/// The columns of a layout, and what it says of the types.
pub(super) struct Arranged {
    pub(super) columns: Vec<String>,
    pub(super) defaults: CsvDefaults,
    pub(super) list: Option<&'static str>,
    pub(super) note: String,
}

/// The name of the list that ends rows of JODIE.
const FEATURES: &str = "features";

impl Layout {
    /// The dialect of its files.
    pub fn dialect(self) -> Dialect {
        let words =
            |mark: &str| Dialect { comment: Some(vec![mark.to_owned()]), ..Dialect::new(Delimiter::Whitespace) };
        match self {
            Layout::Named | Layout::Jodie => Dialect::default(),
            Layout::Konect => words("%"),
            Layout::Snap => words("#"),
        }
    }

    /// The layout that a header tells.
    pub(super) fn of_header(header: &[String]) -> Layout {
        match header {
            [user, item, time, label, rest]
                if [user, item, time, label] == ["user_id", "item_id", "timestamp", "state_label"]
                    && rest.ends_with("features") =>
            {
                Layout::Jodie
            }
            _ => Layout::Named,
        }
    }

    /// What the columns are, from the comments before the first row and the number of its cells; `None` of named columns.
    pub(super) fn arrange(self, comments: &[String], n_cells: usize) -> Result<Option<Arranged>, String> {
        match self {
            Layout::Named => Ok(None),
            Layout::Konect => konect(comments, n_cells).map(Some),
            Layout::Snap => snap(comments, n_cells).map(Some),
            Layout::Jodie => {
                let columns = ["src", "dst", "time", "state_label", FEATURES].map(str::to_owned).to_vec();
                let defaults = CsvDefaults::types("user", "item");
                let note = "JODIE: the columns are user, item, time, state_label and the list `features`; their types are \
                            `user` and `item`";
                Ok(Some(Arranged { columns, defaults, list: Some(FEATURES), note: note.into() }))
            }
        }
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn konect(comments: &[String], n_cells: usize) -> Result<Arranged, String> {
    let all = ["src", "dst", "weight", "time"];
    let columns = all.get(..n_cells).filter(|columns| columns.len() >= 2).ok_or_else(|| {
        format!("a file of KONECT has 2 to 4 columns, this one has {n_cells}: give --format columns and --columns")
    })?;
    let form = comments.iter().find_map(|line| line.trim_start_matches('%').split_whitespace().next());
    let is_bipartite = form == Some("bip");
    let defaults = if is_bipartite { CsvDefaults::types("left", "right") } else { CsvDefaults::default() };
    let form = match form {
        Some("bip") => "; it is bipartite: sources are of type `left`, destinations of type `right`",
        Some("sym") => "; it is undirected: each row is one edge, from its first node to its second",
        _ => "",
    };
    let note = format!("KONECT: the columns are {}{form}", columns.join(", "));
    Ok(Arranged { columns: names(columns), defaults, list: None, note })
}

fn snap(comments: &[String], n_cells: usize) -> Result<Arranged, String> {
    let heads = comments.iter().rev().map(|line| line.trim_start_matches('#').split_whitespace().collect::<Vec<_>>());
    let head = heads.into_iter().find(|words| words.first().is_some_and(|word| *word == "FromNodeId"));
    let columns = match head {
        Some(words) if words.len() == n_cells => words,
        None if n_cells == 2 => vec!["src", "dst"],
        None if n_cells == 3 => vec!["src", "dst", "time"],
        _ => {
            return Err(format!(
                "the rows of this file of SNAP have {n_cells} cells, and no comment names them: give --format columns and --columns"
            ));
        }
    };
    let note = format!("SNAP: the columns are {}", columns.join(", "));
    Ok(Arranged { columns: names(&columns), defaults: CsvDefaults::default(), list: None, note })
}
