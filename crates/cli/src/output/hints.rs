//! What to do, in words of the command line where the library names its own options.

use std::borrow::Cow;

/// What the library says, and what is typed.
const HINTS: [(&str, &str); 14] = [
    ("load with `Dangling::Stub`", "load with --dangling stub"),
    ("load with `Dangling::Drop` or `Dangling::Stub`", "load with --dangling drop or --dangling stub"),
    ("load with `Repeats::Parallel`", "load with --repeats parallel"),
    ("load with `empty_types` ", "load with --allow-empty="),
    ("load with `allow_empty`", "load with --allow-empty"),
    ("load with `back_dated`", "load with --back-dated"),
    ("before the first load (`Graph::create_with`)", "before the first load (init --schema)"),
    (
        "make one with `Graph::create` or `Graph::open_or_create`;",
        "make one with `timeweft init`, or by a load with --unit;",
    ),
    ("make one with `Graph::create`,", "make one with `timeweft init`,"),
    ("to read it meanwhile, use `Graph::open_read_only`", "commands that only read it work meanwhile"),
    ("open the graph for writing (`Graph::open`), which makes it anew", "run `timeweft verify`, which makes it anew"),
    ("`Graph::loads`", "`timeweft loads`"),
    ("`Graph::compact` writes", "`timeweft compact` writes"),
    ("train one with the target ", "train one with --target "),
];

/// A message of the library for the command line.
pub(crate) fn in_flags(message: &str) -> Cow<'_, str> {
    let known = HINTS.iter().filter(|(library, _)| message.contains(library));
    known.fold(message.into(), |message, (library, typed)| message.replace(library, typed).into())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use timeweft::NodeKey;
    use timeweft::load::{LoadId, Reason, StoreError};

    use super::*;

    #[test]
    fn what_is_typed_takes_the_place_of_what_the_library_names() {
        let node = NodeKey::new("n", "a");
        for (error, typed) in [
            (Reason::UnknownNode(node.clone()).to_string(), "--dangling stub"),
            (Reason::NotListed { node, lived: false }.to_string(), "--dangling stub"),
            (StoreError::Missing(PathBuf::new()).to_string(), "by a load with --unit; or give"),
            (StoreError::NotAGraph(PathBuf::new()).to_string(), "`timeweft init`, or give"),
            (StoreError::Locked { dir: PathBuf::new(), holder: None }.to_string(), "commands that only read"),
            (StoreError::UnknownLoad(LoadId(1)).to_string(), "`timeweft loads` lists"),
        ] {
            assert!(in_flags(&error).contains(typed), "{error}");
        }
        for (_, typed) in HINTS {
            assert_eq!(in_flags(typed), typed, "nothing is said twice");
        }
    }
}
