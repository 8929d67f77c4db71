//! What to do, in words of Python where the library names its own functions.

use std::borrow::Cow;

/// What the library says, and what is written in Python.
const HINTS: [(&str, &str); 22] = [
    ("load with `Dangling::Stub`", "load with dangling='stub'"),
    ("load with `Dangling::Drop` or `Dangling::Stub`", "load with dangling='drop' or dangling='stub'"),
    ("load with `Repeats::Parallel`", "load with repeats='parallel'"),
    ("load with `empty_types` ", "load with empty_types="),
    ("load with `allow_empty`", "load with allow_empty=True"),
    ("load with `back_dated`", "load with back_dated=True"),
    ("before the first load (`Graph::create_with`)", "before the first load (`timeweft.create(path, schema=...)`)"),
    ("make one with `Graph::create` or `Graph::open_or_create`;", "make one with `timeweft.create`;"),
    ("make one with `Graph::create`,", "make one with `timeweft.create`,"),
    (
        "to read it meanwhile, use `Graph::open_read_only`",
        "to read it meanwhile, use `timeweft.open(path, mode='read')`",
    ),
    ("open it with `Graph::open` to change it", "open it with `timeweft.open(path)` to change it"),
    (
        "open the graph for writing (`Graph::open`), which makes it anew",
        "open it once with `timeweft.open(path)`, which makes it anew",
    ),
    ("look with `Graph::loads`", "look with `graph.loads()`"),
    ("`Graph::loads` lists them", "`graph.loads()` lists them"),
    ("`Graph::compact` writes", "`graph.compact()` writes"),
    ("train one with the target ", "train one with target="),
    (", or give the names of the columns, or give --time T for all rows", ", or map it with columns={'time': ...}"),
    (
        ": name it in the header, or give the names of the columns",
        ": rename it, or map it with columns={'source': ...}",
    ),
    (
        "say which with --columns (and --header yes), such as --columns src,dst,time",
        "say which, such as with columns={'source': ..., 'destination': ..., 'time': ...}",
    ),
    ("or give another --namespace", "or give another namespace="),
    ("check the path, or give `-` for standard input", "check the path"),
    ("(the first on line ", "(the first in row "),
];

/// A message of the library in words of Python.
pub(crate) fn in_python(message: &str) -> String {
    let known = HINTS.iter().filter(|(library, _)| message.contains(library));
    let said = known.fold(Cow::from(message), |said, (library, python)| said.replace(library, python).into());
    said.into_owned()
}
