//! What is known of a format of whole versions before anything is read.

use std::path::{Path, PathBuf};

use timeweft_graph::Sink;

use super::VersionFormat;
use crate::SourceError;

/// How to read a version of any format. An option that the format does not have is an error, not a silent nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct VersionOptions {
    /// Format; `None` follows from the path.
    pub format: Option<VersionFormat>,
    /// Of `obo` and `obograph`: keeps only terms whose id begins with this prefix and a colon.
    pub id_prefix: Option<String>,
    /// Of `obograph`: id of the graph to read.
    pub graph: Option<String>,
    /// Of `tables`: the folder in which the files are looked up.
    pub root: Option<PathBuf>,
}

/// What a format is called, how its files are told, and how they are read.
pub(crate) struct FormatFacts {
    /// Its name, as in [`timeweft_graph::Format`].
    pub(crate) name: &'static str,
    /// What a path of it is, for a message that says what was expected.
    pub(crate) expected: &'static str,
    /// Whether it lists a tree of taxa, in which a node has at most one edge: to its parent.
    pub(crate) is_taxonomy: bool,
    /// Names of the options that it has, of those in [`VersionOptions`].
    pub(crate) options: &'static [&'static str],
    /// Whether a file with this plain name is of the format.
    pub(crate) is_file: fn(&str) -> bool,
    /// Whether a file with this plain name and first line is of the format.
    pub(crate) is_begun_by: Option<FirstLine>,
    /// Whether a folder with a file of this plain name is of the format, as a whole.
    pub(crate) is_folder_with: fn(&str) -> bool,
    /// End of the plain names of files of which only the folder can be read, and what that is.
    pub(crate) part_of: Option<(&'static str, &'static str)>,
    /// Reads a path of the format into a sink.
    pub(crate) read: fn(&Path, &VersionOptions, &mut dyn Sink) -> Result<(), SourceError>,
}

/// Ends of the plain names of files whose first line is looked at, and what that line must be.
pub(crate) type FirstLine = (&'static [&'static str], fn(&[u8]) -> bool);

impl FormatFacts {
    /// A format of which only the name and the reader are known.
    pub(crate) const fn new(
        name: &'static str,
        expected: &'static str,
        read: fn(&Path, &VersionOptions, &mut dyn Sink) -> Result<(), SourceError>,
    ) -> FormatFacts {
        FormatFacts {
            name,
            expected,
            is_taxonomy: false,
            options: &[],
            is_file: |_| false,
            is_begun_by: None,
            is_folder_with: |_| false,
            part_of: None,
            read,
        }
    }
}
