//! What terms became.

use rustc_hash::FxHashSet;
use timeweft_graph::{Sink, ValueRef};

use super::{Ids, Types};

/// Why a term is said to have become another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Successor {
    /// An obsolete term names it.
    ReplacedBy,
    /// A term names the old id as one of its own.
    AltId,
    /// An obsolete term names it as a hint for curators.
    Consider,
}

impl Successor {
    /// In the order in which they count: certain ones come before hints.
    const ALL: [Successor; 3] = [Successor::ReplacedBy, Successor::AltId, Successor::Consider];

    /// The feature `type` of the merge.
    fn name(self) -> &'static str {
        match self {
            Successor::ReplacedBy => "replaced_by",
            Successor::AltId => "alt_id",
            Successor::Consider => "consider",
        }
    }
}

/// The merges of a file, pushed when all its terms are known.
#[derive(Default)]
pub(crate) struct Merges {
    rows: Vec<Row>,
    live: usize,
    /// The first live term that is said to have become another, and the line that says so.
    first_live: Option<(Box<str>, u64)>,
}

struct Row {
    kind: Successor,
    from: Box<str>,
    into: Box<str>,
    line: u64,
}

impl Merges {
    /// Adds a row. Both ids are normal ones.
    pub(crate) fn add(&mut self, kind: Successor, (from, into): (&str, &str), line: u64) {
        self.rows.push(Row { kind, from: from.into(), into: into.into(), line });
    }

    /// Counts a live term that is said to have become another: it lives, and nothing is merged.
    pub(crate) fn add_live(&mut self, term: &str, line: u64) {
        self.live += 1;
        self.first_live.get_or_insert_with(|| (term.into(), line));
    }

    /// All ids that the rows name.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().flat_map(|row| [&*row.from, &*row.into])
    }

    /// Pushes each pair once. An alternative id whose old term is listed as obsolete and replaced stays one.
    pub(crate) fn push(mut self, types: &Types, ids: &Ids, is_live: &dyn Fn(&str) -> bool, sink: &mut dyn Sink) {
        let rows = std::mem::take(&mut self.rows);
        let of_kind = |kind: Successor| rows.iter().filter(move |row| row.kind == kind);
        let alternative: FxHashSet<(&str, &str)> =
            of_kind(Successor::AltId).map(|row| (&*row.from, &*row.into)).collect();
        let mut known = FxHashSet::default();
        for row in Successor::ALL.into_iter().flat_map(of_kind) {
            let pair = (&*row.from, &*row.into);
            if row.from == row.into || !known.insert(pair) {
                continue;
            }
            if is_live(&row.from) {
                self.add_live(&row.from, row.line);
                continue;
            }
            let kind = if alternative.contains(&pair) { Successor::AltId } else { row.kind };
            let (from, into) = (ids.id(&row.from), ids.id(&row.into));
            let features = [(types.merge_type, ValueRef::Category(kind.name()))];
            sink.merge((types.term, &from), (types.term, &into), &features, row.line);
        }
        if let Some((term, line)) = self.first_live {
            let terms = super::count(self.live, "time", "times");
            let message = format!(
                "a live term is said to have become another, by a successor or as an alternative id ({terms}, first \
                 {term}): it lives, and is not merged"
            );
            sink.warn(line, message);
        }
    }
}
