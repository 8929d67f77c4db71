//! Tables that a TOML file maps, as a format of whole versions: [`crate::tables`] reads them.

use crate::tables::{self, TablesOptions};
use crate::version_format::facts::FormatFacts;

/// What the format is.
pub(crate) const FACTS: FormatFacts = FormatFacts {
    options: &["root"],
    is_file: |name| name.rsplit('.').next() == Some("toml"),
    ..FormatFacts::new("tables", "a `.toml` that maps tables", |path, options, sink| {
        tables::read(path, &TablesOptions { root: options.root.clone() }, sink)
    })
};
