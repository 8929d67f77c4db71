//! Names of features that no source may give.

/// The feature that lists the namespaces which hold an element, the leading one first.
pub const NAMESPACES: &str = "_namespaces";

/// Separates a namespace from its name of a feature, where another namespace leads.
pub(crate) const SEPARATOR: &str = "::";

/// Names that documents of a version use for themselves: a feature of a version cannot have them.
pub const RESERVED: [&str; 12] = [
    "_key",
    "_id",
    "_rev",
    "_from",
    "_to",
    "_collection",
    "created",
    "expired",
    "first_version",
    "last_version",
    "release_created",
    "release_expired",
];

/// Whether a feature of a version cannot have this name: it is reserved, or stands for that of another namespace.
pub fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name) || name == NAMESPACES || name.contains(SEPARATOR)
}
