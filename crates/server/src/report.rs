//! What came of a load.

use serde::Serialize;
use timeweft::load::{ActionCounts, EventCounts, LoadReport, Reject};
use utoipa::ToSchema;

use crate::wire::{AllCounts, Counts};

/// How many rejected records are listed.
const LISTED: usize = 1_000;

/// What came of a load.
#[derive(Clone, PartialEq, Debug, Default, Serialize, ToSchema)]
pub(crate) struct Report {
    pub(crate) counts: AllCounts,
    /// Events accepted.
    pub(crate) events: u64,
    /// Rows and elements that were already what the source says.
    pub(crate) unchanged: u64,
    /// Records rejected, all of them.
    pub(crate) rejected: u64,
    /// The first 1,000.
    pub(crate) rejects: Vec<Rejected>,
    pub(crate) reasons: Vec<Reasons>,
    pub(crate) warnings: Vec<String>,
    pub(crate) seconds: f64,
    /// Null: a dry run, or nothing was written.
    pub(crate) commit: Option<u64>,
}

/// A rejected record.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub(crate) struct Rejected {
    pub(crate) file: String,
    /// From 1; 0 where the source has no lines.
    pub(crate) line: u64,
    pub(crate) reason: String,
    /// The record as it stands in the source, where that is kept.
    pub(crate) record: String,
}

/// How many records were rejected for one reason, among those that are listed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub(crate) struct Reasons {
    pub(crate) reason: String,
    pub(crate) n: u64,
}

impl From<ActionCounts> for Counts {
    fn from(of: ActionCounts) -> Counts {
        Counts { created: of.created, updated: of.updated, removed: of.deleted }
    }
}

impl From<EventCounts> for AllCounts {
    fn from(of: EventCounts) -> AllCounts {
        AllCounts { nodes: of.nodes.into(), edges: of.edges.into(), merges: of.merges.into() }
    }
}

impl Report {
    /// The report of a load; `is_dry` where nothing was written.
    pub(crate) fn of(report: &LoadReport, seconds: f64, is_dry: bool) -> Report {
        let of_version = report.delta.as_ref().map_or(0, |delta| delta.nodes.unchanged + delta.edges.unchanged);
        let places = report.warnings.iter().map(|(place, text)| format!("{place}: {text}"));
        Report {
            counts: report.counts.into(),
            events: report.accepted,
            unchanged: report.rows.unchanged + of_version,
            rejected: report.n_rejected,
            rejects: report.rejects.iter().take(LISTED).map(Rejected::of).collect(),
            reasons: reasons(&report.rejects),
            warnings: places.chain(report.notes.iter().cloned()).collect(),
            seconds,
            commit: (!is_dry && !report.unchanged).then_some(report.commit.0),
        }
    }
}

impl Report {
    /// The same with a folder left out of the names of files: where an upload lay for a while is of no account.
    pub(crate) fn without(mut self, folder: &str) -> Report {
        let folder = format!("{folder}/");
        for reject in &mut self.rejects {
            reject.file = reject.file.replace(&folder, "");
            reject.reason = reject.reason.replace(&folder, "");
        }
        self.warnings.iter_mut().for_each(|warning| *warning = warning.replace(&folder, ""));
        self
    }
}

impl Rejected {
    fn of(reject: &Reject) -> Rejected {
        Rejected {
            file: reject.place.file.to_string(),
            line: reject.place.line,
            reason: reject.reason.to_string(),
            record: String::new(),
        }
    }
}

/// Rejected records by the kind of their reason, the most first.
fn reasons(rejects: &[Reject]) -> Vec<Reasons> {
    let mut found: Vec<Reasons> = Vec::new();
    for reject in rejects {
        let kind = kind_of(&reject.reason.to_string());
        match found.iter_mut().find(|known| known.reason == kind) {
            Some(known) => known.n += 1,
            None => found.push(Reasons { reason: kind, n: 1 }),
        }
    }
    found.sort_by_key(|reason| std::cmp::Reverse(reason.n));
    found
}

/// A reason without what stands between backticks and digits, which differ from record to record.
fn kind_of(reason: &str) -> String {
    let parts = reason.split('`').enumerate();
    let outside = parts.map(|(at, part)| if at % 2 == 0 { part.to_owned() } else { "`…`".to_owned() });
    outside.collect::<String>().chars().fold(String::new(), |mut text, letter| {
        match letter.is_ascii_digit() {
            true if text.ends_with('#') => {}
            true => text.push('#'),
            false => text.push(letter),
        }
        text
    })
}
