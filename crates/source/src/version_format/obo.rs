//! OBO ontologies (format versions 1.0 to 1.4) as whole versions of a graph.
//!
//! | in the file | in the version |
//! |---|---|
//! | `[Term]`, `[Instance]` that is not obsolete | node of type `term`, with the feature `type`: `CLASS` or `INDIVIDUAL` |
//! | `name`, `namespace` (or the default of the file) | text features |
//! | `def` | `def`: its text and its sources |
//! | `alt_id`, `comment`, `subset`, `synonym`, `xref` | the sets `alt_ids`, `comments`, `subsets`, `synonyms`, `xrefs` |
//! | `property_value`, `created_by`, `creation_date` | the set `property_values` |
//! | `intersection_of` | the set of this name |
//! | every other tag: `disjoint_from`, `union_of`, ... | a set of texts of its name |
//! | `is_a: X`, `instance_of: X` | edge of this relation to X |
//! | `relationship: R X` | edge to X, of the relation that R is |
//! | `replaced_by: X` of an obsolete term | merge of the term into X with the feature `type`: `replaced_by` |
//! | `alt_id: X` | merge of X into the term, of the type `alt_id` |
//! | `consider: X` of an obsolete term | a merge of the type `consider`: a hint for curators |
//!
//! A relation is named by the `name` of its `[Typedef]`, with `_` for spaces, else by its id; ids that are IRIs are
//! shortened where that is safe, as [`obograph`](crate::obograph) says. Both forms of a release give the same graph.
//!
//! Comments after `!` and qualifiers in braces at the end of a line are left out. Edges to terms that the version does not
//! hold stay in the list: the delta load has a policy for them. Other stanzas are counted and told; a Typedef gives names.
//!
//! Terms are pushed as they are read, but for those whose id is an IRI. Edges, merges and the ids of the terms are kept
//! until the end of the file, because nodes come before edges.

mod line;
mod stanza;
mod terms;
mod value;

use std::collections::BTreeMap;
use std::io::BufRead;

use timeweft_graph::{Format, Name, NodeKey, Reason, Sink, Unreadable};

use self::stanza::{Loss, Problem, Stanza, Stanzas};
use self::terms::Terms;
use crate::version_format::facts::FormatFacts;
use crate::version_format::ontology::{any_term, normal};
use crate::{SourceError, open};

/// How to read an ontology.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OboOptions {
    /// Keeps only terms whose id begins with this prefix and a colon, and edges between such ids: `ENVO` for
    /// `ENVO:00000001`. A merge is kept wherever it leads, for the delta load tells of targets that it does not know.
    pub id_prefix: Option<String>,
}

/// What the format is.
pub(crate) const FACTS: FormatFacts = FormatFacts {
    options: &["id_prefix"],
    is_file: |name| name.rsplit('.').next() == Some("obo"),
    ..FormatFacts::new("obo", "an `.obo`", |path, options, sink| {
        let input = open(path)?;
        let file = input.name().clone();
        read(input, &file, &OboOptions { id_prefix: options.id_prefix.clone() }, sink)
    })
};

/// Reads an ontology into a sink. `file` is the name for messages.
///
/// ```
/// use timeweft_oracle::Version;
/// use timeweft_source::{OboOptions, obo};
/// let text = "format-version: 1.2\n\n[Term]\nid: X:1\nname: root\n\n[Term]\nid: X:2\nis_a: X:1 ! root\n";
/// let mut version = Version::default();
/// obo::read(text.as_bytes(), &"doc".into(), &OboOptions::default(), &mut version)?;
/// assert_eq!((version.nodes.len(), version.edges.len()), (2, 1));
/// # Ok::<(), timeweft_source::SourceError>(())
/// ```
pub fn read(reader: impl BufRead, file: &Name, options: &OboOptions, sink: &mut dyn Sink) -> Result<(), SourceError> {
    let full = || SourceError::TooManyTypes { file: file.clone(), line: 0 };
    let mut stanzas = Stanzas::new(reader, file);
    let mut header = stanzas.header()?;
    sink.format(Format { name: "obo".into(), fields: None });
    sink.file(file);
    refuse(sink, &mut header);
    let mut terms = Terms::new(options, &header, sink).ok_or_else(full)?;
    let mut left_out = LeftOut::default();
    left_out.imports(&header);
    while let Some(mut stanza) = stanzas.advance()? {
        if sink.is_closed() {
            return Ok(());
        }
        match stanza.name.as_str() {
            "Term" => terms.add("CLASS", &mut stanza, sink).ok_or_else(full)?,
            "Instance" => terms.add("INDIVIDUAL", &mut stanza, sink).ok_or_else(full)?,
            "Typedef" => terms.declare_relation(&stanza),
            _ => left_out.stanza(&stanza),
        }
        refuse(sink, &mut stanza);
    }
    left_out.warn(sink);
    terms.finish(sink).ok_or_else(full)
}

/// Tells the problems of a stanza in the order of lines.
fn refuse(sink: &mut dyn Sink, stanza: &mut Stanza) {
    let id = stanza.tags.iter().find(|line| line.tag == "id").map(|line| line::plain(&line.value));
    stanza.problems.sort_by_key(|problem| problem.line);
    for Problem { line, what, loss } in stanza.problems.drain(..) {
        let reason = Reason::Malformed(what);
        match (loss, &id) {
            (Loss::Nothing, _) => sink.reject(line, reason),
            (Loss::Edge, Some(id)) => {
                let edge = Unreadable::EdgesFrom(NodeKey::new("term", &*normal(id)));
                sink.unreadable(vec![edge], line, reason);
            }
            _ => sink.unreadable(any_term(), line, reason),
        }
    }
}

/// What of a file makes no elements, with the number and the first line of each.
#[derive(Default)]
struct LeftOut(BTreeMap<String, (usize, u64)>);

impl LeftOut {
    fn add(&mut self, what: String, line: u64) {
        self.0.entry(what).or_insert((0, line)).0 += 1;
    }

    fn stanza(&mut self, stanza: &Stanza) {
        self.add(format!("[{}]: the stanza is left out", stanza.name), stanza.line);
    }

    fn imports(&mut self, header: &Stanza) {
        for line in header.tags.iter().filter(|line| line.tag == "import") {
            self.add("import: what the line names is not read".into(), line.line);
        }
    }

    fn warn(self, sink: &mut dyn Sink) {
        for (what, (n, line)) in self.0 {
            sink.warn(line, if n == 1 { what } else { format!("{what} ({n} such in the file)") });
        }
    }
}
