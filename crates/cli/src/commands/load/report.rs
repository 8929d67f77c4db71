//! What came of a load: numbers, and every record that was refused.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use timeweft::load::{DeltaReport, ElementReport, KEPT_REJECTS, Kept, LoadReport, Place, Reject, SpliceReport};

use super::{LOADED, refused_report};
use crate::context::Context;
use crate::outcome::{Outcome, UsageError};
use crate::output::{Table, after, check_place, in_flags, is_same_file, note, text, write_whole};

/// How many rejected records are listed for people.
const LISTED: usize = 20;

/// Where rejected records are listed.
#[derive(clap::Args, Debug)]
pub(crate) struct Rejects {
    /// Write every rejected record to this file, one `file:line: reason` a line.
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
}

impl Rejects {
    /// How many rejected records the report must keep: all of them where all are listed.
    pub(super) fn kept(&self, context: &Context) -> usize {
        if self.rejects.is_some() || context.output.json { timeweft::load::Rejects::MOST } else { KEPT_REJECTS }
    }

    /// An error if they would be written over what is loaded, into a graph, or over what is no file.
    pub(super) fn check(&self, source: &Path) -> anyhow::Result<()> {
        let Some(path) = &self.rejects else { return Ok(()) };
        check_place(path)?;
        let is_in = |folder: &Path| match (path.canonicalize(), folder.canonicalize()) {
            (Ok(path), Ok(folder)) => folder.is_dir() && path.is_file() && path.starts_with(folder),
            _ => false,
        };
        if is_same_file(path, source) || is_in(source) {
            let problem = format!("--rejects {}: that is what is loaded: give another name", path.display());
            return Err(UsageError(problem).into());
        }
        Ok(())
    }

    /// Lists rejected records; the outcome tells whether there are any.
    pub(super) fn list(&self, rejects: &[Reject], total: u64, context: &Context) -> anyhow::Result<Outcome> {
        if let Some(path) = &self.rejects {
            write_whole(path, |out| Ok(write_lines(out, rejects)?))?;
        }
        if total == 0 {
            return Ok(Outcome::Done);
        }
        context.output.objects(rejects.iter().map(reject_json))?;
        let is_listed = self.rejects.is_some() || context.output.json;
        if is_listed && (rejects.len() as u64) < total {
            let [first, all] = [rejects.len() as u64, total].map(text::count);
            note(&format!("warning: the first {first} of {all} rejected records are listed"));
        }
        if !context.output.json {
            note(&format!("{} rejected records:", text::count(total)));
            rejects.iter().take(LISTED).for_each(|reject| note(&format!("  {reject}")));
            let more = total.saturating_sub(LISTED as u64);
            if more > 0 {
                note(&format!("  ... and {} more: list them all with --rejects FILE or --json", text::count(more)));
            }
        }
        Ok(Outcome::Rejected)
    }
}

fn write_lines(out: &mut impl Write, rejects: &[Reject]) -> std::io::Result<()> {
    for reject in rejects {
        writeln!(out, "{}", in_flags(&reject.to_string()))?;
    }
    Ok(())
}

fn reject_json(reject: &Reject) -> Json {
    json!({
        "reject": { "file": &*reject.place.file, "line": reject.place.line, "reason": in_flags(&reject.reason.to_string()) }
    })
}

/// Prints what came of a load. A load that was refused for its records lists them before the error.
pub(super) fn finish(
    result: anyhow::Result<LoadReport>,
    rejects: &Rejects,
    context: &Context,
) -> anyhow::Result<Outcome> {
    let report = match result {
        Ok(report) => report,
        Err(error) => {
            if let Some(report) = refused_report(&error) {
                after("the load is refused", rejects.list(&report.rejects, report.n_rejected, context).map(drop));
            }
            return Err(error);
        }
    };
    after(LOADED, tell(&report, context));
    after(LOADED, rejects.list(&report.rejects, report.n_rejected, context).map(drop));
    Ok(if report.n_rejected == 0 { Outcome::Done } else { Outcome::Rejected })
}

fn tell(report: &LoadReport, context: &Context) -> anyhow::Result<()> {
    context.output.object(&json!({
        "load": report.load,
        "commit": report.commit,
        "unchanged": report.unchanged,
        "accepted": report.accepted,
        "rejected": report.n_rejected,
        "counts": report.counts,
        "order": { "sorted": report.order.sorted, "placed": report.order.placed, "refused": report.order.refused },
        "rows": { "unchanged": report.rows.unchanged, "absent": report.rows.absent },
        "clipped": { "edges": report.clipped.edges, "features": report.clipped.features },
        "delta": report.delta,
        "warnings": warnings_json(report),
        "notes": report.notes,
        "later": later_json(&report.later),
    }))?;
    print(report, context)?;
    warn(report, context);
    if !context.output.json {
        report.notes.iter().for_each(|text| note(&format!("note: {text}")));
    }
    Ok(())
}

fn print(report: &LoadReport, context: &Context) -> anyhow::Result<()> {
    let (load, commit) = (report.load.0, report.commit.0);
    if report.unchanged {
        context.output.say(&format!("nothing is new: load {load} brought it all already, nothing was written"))?;
        return Ok(());
    }
    let accepted = text::count(report.accepted);
    context.output.say(&format!("load {load}, commit {commit}: {accepted} events accepted\n"))?;
    if let Some(of_version) = &report.delta {
        delta(of_version, context)?;
        return later(&report.later, context);
    }
    let mut table = Table::new(["", "created", "updated", "deleted"]);
    let counts = &report.counts;
    for (name, of) in [("nodes", &counts.nodes), ("edges", &counts.edges), ("merges", &counts.merges)] {
        table.row([name.to_owned(), text::count(of.created), text::count(of.updated), text::count(of.deleted)]);
    }
    context.output.table(&table)?;
    let mut lines = counted(&[
        (counts.stubs, "of the nodes stand in for missing ones"),
        (report.clipped.edges, "of the edges were cut to the life of an end"),
        (report.clipped.features, "intervals of features were cut to the life of their owner"),
        (counts.parallel, "of the edges are repeats, taken as parallel"),
    ]);
    lines.extend(report.order.sorted.then(|| "the rows were not in order of time: sorted".to_owned()));
    lines.extend(counted(&[
        (report.order.placed, "late events were put where they belong in time"),
        (report.order.refused, "late events were refused"),
        (report.rows.unchanged, "nodes and edges were already what their rows say"),
        (report.rows.absent, "deletes are of what was not there"),
    ]));
    lines.iter().try_for_each(|line| context.output.say(line))?;
    later(&report.later, context)
}

/// A line for each number above 0.
fn counted(numbers: &[(u64, &str)]) -> Vec<String> {
    let some = numbers.iter().filter(|(count, _)| *count > 0);
    some.map(|(count, what)| format!("{} {what}", text::count(*count))).collect()
}

/// What was taken in although it looks odd.
pub(super) fn warnings_json(report: &LoadReport) -> Json {
    let warning =
        |(place, message): &(Place, String)| json!({ "file": &*place.file, "line": place.line, "message": message });
    report.warnings.iter().map(warning).collect()
}

/// Prints what was taken in although it looks odd, beside the results.
pub(super) fn warn(report: &LoadReport, context: &Context) {
    if !context.output.json {
        report.warnings.iter().take(LISTED).for_each(|(place, message)| note(&format!("warning: {place}: {message}")));
        let more = report.warnings.len().saturating_sub(LISTED);
        if more > 0 {
            note(&format!("  ... and {more} more warnings: list them all with --json"));
        }
    }
}

/// What a rollback, a back-dated version or late events changed in other loads.
pub(crate) fn later_json(later: &SpliceReport) -> Json {
    let dropped = later.dropped.iter().map(|dropped| json!({ "load": dropped.load, "why": in_flags(&dropped.why) }));
    json!({ "replaced": later.replaced, "n_dropped": later.n_dropped, "dropped": dropped.collect::<Vec<_>>() })
}

/// Prints the same.
pub(crate) fn later(later: &SpliceReport, context: &Context) -> anyhow::Result<()> {
    if !later.replaced.is_empty() {
        let loads: Vec<String> = later.replaced.iter().map(|load| load.0.to_string()).collect();
        context.output.say(&format!("events of other loads were derived anew: {}", loads.join(", ")))?;
    }
    if later.n_dropped > 0 {
        context.output.say(&format!("{} events of other loads do not fit any more:", text::count(later.n_dropped)))?;
        for dropped in later.dropped.iter().take(LISTED) {
            context.output.say(&format!("  load {}: {}", dropped.load.0, in_flags(&dropped.why)))?;
        }
    }
    Ok(())
}

/// Prints what a version changed.
pub(super) fn delta(report: &DeltaReport, context: &Context) -> anyhow::Result<()> {
    let header = ["", "listed", "new", "reappeared", "changed", "unchanged", "gone", "merged"];
    let mut table = Table::new(header);
    table.row(element_cells("nodes", &report.nodes, Some(report.merges.merged)));
    table.row(element_cells("edges", &report.edges, None));
    context.output.table(&table)?;
    let mut features = Table::new(["changed feature", "elements"]);
    for (name, count) in report.nodes.changed_features.iter().chain(&report.edges.changed_features) {
        features.row([name.clone(), text::count(*count)]);
    }
    if !(report.nodes.changed_features.is_empty() && report.edges.changed_features.is_empty()) {
        context.output.say("")?;
        context.output.table(&features)?;
    }
    Ok(remarks(report).iter().try_for_each(|line| context.output.say(line))?)
}

fn element_cells(name: &str, of: &ElementReport, merged: Option<u64>) -> [String; 8] {
    [
        name.into(),
        text::count(of.listed),
        text::count(of.new),
        text::count(of.reappeared),
        text::count(of.changed),
        text::count(of.unchanged),
        text::count(of.gone),
        merged.map_or_else(String::new, text::count),
    ]
}

/// What is kept although no record lists it, and why.
fn kept(kept: &Kept) -> String {
    let (count, name) = (text::count(kept.count), &kept.name);
    let what = if kept.edges { "edges" } else { "nodes" };
    let records = kept.records.iter().map(|(file, records)| match records {
        1 => format!("1 record of {file}"),
        more => format!("{} records of {file}", text::count(*more)),
    });
    let records: Vec<String> = records.collect();
    format!("{count} absent {what} of {name} are kept: {} could not be read", records.join(", "))
}

fn remarks(report: &DeltaReport) -> Vec<String> {
    let mut lines = counted(&[
        (report.nodes.unreadable, "nodes stay as they were: their records could not be read"),
        (report.edges.unreadable, "edges stay as they were: their records could not be read"),
        (report.nodes.duplicates + report.edges.duplicates, "records repeat a key and were left out"),
        (report.nodes.shared + report.edges.shared, "listed elements are held by other namespaces as well"),
        (report.nodes.left_to_others, "of the nodes gone live on: other namespaces hold them"),
        (report.edges.left_to_others, "of the edges gone live on: other namespaces hold them"),
        (report.edges.ended_elsewhere, "edges of other namespaces ended with their nodes"),
        (report.edges.dangling, "edges were left out for a missing node"),
        (report.nodes.stubs, "missing nodes stand in without being listed"),
        (report.nodes.emptied, "of these were listed before: their values ended"),
        (report.nodes.migrated + report.edges.migrated, "elements gained new features and are otherwise unchanged"),
        (report.deletions.by_name, "nodes are gone that the source calls deleted"),
        (report.deletions.omitted, "nodes are gone that the version does not list any more"),
        (report.deletions.unmerged, "merged nodes are called deleted: their merges ended"),
        (report.deletions.rejected, "deletions contradict the version and were left out"),
        (report.merges.after_deletion, "merges are of nodes that had ended before"),
        (report.merges.unseen, "merges are of nodes that the graph has never seen and that others became"),
        (report.merges.retargeted, "merges lead to another node than before"),
        (report.merges.added, "merges stand beside others of the same node"),
        (report.merges.changed, "merges have other features than before"),
        (report.merges.target_dead, "merges lead to a node that does not live after this version"),
        (report.merges.target_outside, "merges lead to a node that the graph has never seen"),
    ]);
    if report.nodes.handed_over > 0 {
        let names: Vec<&str> = report.needed_by.keys().map(|name| &**name).collect();
        let (count, names) = (text::count(report.nodes.handed_over), names.join(", "));
        lines.push(format!("{count} of the nodes gone stand in without a value: edges of {names} need them (--end-foreign-edges ends both)"));
    }
    if !report.new_fields.is_empty() {
        let fields: Vec<&str> = report.new_fields.iter().map(|name| &**name).collect();
        lines.push(format!("new features were left out, take them in with --add-fields: {}", fields.join(", ")));
    }
    lines.extend(report.kept.iter().map(kept));
    let skipped = report.merges.skipped.iter();
    lines.extend(skipped.map(|(why, count)| format!("{} merges add nothing: {}", text::count(*count), why.message())));
    lines
}
