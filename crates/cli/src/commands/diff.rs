//! `timeweft diff`: what changed between two times, two commits, or both.

mod changes;

use serde_json::json;
use timeweft::read::{ChangeCounts, Moments};
use timeweft::{At, Commit, Deletes, Graph, Time, View};

use self::changes::Listing;
use crate::context::{Context, pin_commit};
use crate::input::moment::known_namespace;
use crate::input::named_values::{DELETES, choices};
use crate::outcome::{Outcome, UsageError};
use crate::output::{Table, text};

const AFTER_HELP: &str = "\
Examples:
  timeweft diff --from 2016-05-17 --to 2016-11-20 --summary
  timeweft diff --from envo@v2016-05-17 --to envo@v2016-11-20
  timeweft diff --namespace envo --from v2016-05-17 --to v2016-11-20
  timeweft diff --commit 3..5                  (what the store learnt between two commits)
  timeweft diff --from 100 --json | jq 'select(.change == \"removed\")'

Two states are compared. What began and ended between them does not show; with --deletes soft it does, as created and as
removed.";

/// Arguments of `diff`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Only elements of this namespace; then --from and --to may be names of its versions.
    #[arg(long, value_name = "N")]
    namespace: Option<String>,
    /// The earlier moment: an integer, a date, date and time, or a version (envo@2016-05-17). Left out, that of --to: then commits differ.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    from: Option<String>,
    /// The later moment; left out, the end of time.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    to: Option<String>,
    /// Both moments, where commits differ.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, conflicts_with_all = ["from", "to"])]
    at: Option<String>,
    /// Only the numbers.
    #[arg(long)]
    summary: bool,
    /// Read the graph as the store knew it at this commit; A..B: the earlier state as of commit A, the later as of B (left out, the newest).
    #[arg(long, value_name = "N|A..B")]
    commit: Option<Commits>,
    /// Whether deleted elements are gone (hard) or stay visible (soft): then what began and ended between shows too.
    #[arg(long, default_value = "hard", value_parser = choices(DELETES))]
    deletes: Deletes,
}

/// The commits of the earlier and of the later state; none is the newest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Commits {
    earlier: Option<u64>,
    later: Option<u64>,
}

impl std::str::FromStr for Commits {
    type Err = String;

    fn from_str(text: &str) -> Result<Commits, String> {
        let number = |text: &str| {
            text.parse::<u64>()
                .map_err(|_| "give the number of a commit, or two as A..B: `timeweft loads` lists them".to_owned())
        };
        let Some((earlier, later)) = text.split_once("..") else {
            let one = Some(number(text)?);
            return Ok(Commits { earlier: one, later: one });
        };
        let later = if later.is_empty() { None } else { Some(number(later)?) };
        Ok(Commits { earlier: Some(number(earlier)?), later })
    }
}

/// One of the two states.
struct State {
    view: View,
    at: At,
}

/// Tells what changed.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let graph = context.open()?;
    if let Some(namespace) = &args.namespace {
        known_namespace(&graph, namespace)?;
    }
    let [from, to] = args.states(&graph)?;
    let mut comparison = to.view.index().compare_from((from.view.index(), from.at), to.at);
    if let Some(namespace) = &args.namespace {
        comparison = comparison.of_namespace(namespace);
    }
    if args.summary {
        summary(context, comparison.counts(), &from, &to)?;
    } else {
        Listing { changes: comparison.changes() }.tell(context)?;
    }
    Ok(Outcome::Done)
}

impl Args {
    fn states(&self, graph: &Graph) -> anyhow::Result<[State; 2]> {
        let Commits { earlier, later } = self.commit.unwrap_or(Commits { earlier: None, later: None });
        if self.from.is_none() && earlier == later {
            let problem = "say what to compare: two moments by --from and --to, or two commits by --commit A..B";
            return Err(UsageError(problem.into()).into());
        }
        let before = pin_commit(graph, earlier)?;
        let after = if earlier == later { before.clone() } else { pin_commit(graph, later)? };
        let views = [before, after];
        let moment = |view: &View, option: &str, text: Option<&str>| {
            let moments = Moments::new(graph, view.commit());
            let time = text.map_or(Ok(Time::FOREVER), |text| moments.read(option, text, self.namespace.as_deref()));
            time.map_err(UsageError::from)
        };
        let (name, to) = if self.at.is_some() { ("--at", &self.at) } else { ("--to", &self.to) };
        let to = to.as_deref();
        let from = self.from.as_deref().map_or((name, to), |from| ("--from", Some(from)));
        let times = [moment(&views[0], from.0, from.1)?, moment(&views[1], name, to)?];
        let [earlier, later] = views;
        let at = |time| At { time, deletes: self.deletes };
        Ok([State { view: earlier, at: at(times[0]) }, State { view: later, at: at(times[1]) }])
    }
}

fn summary(
    context: &Context,
    (nodes, edges, merged): (ChangeCounts, ChangeCounts, usize),
    from: &State,
    to: &State,
) -> anyhow::Result<()> {
    let numbers = |of: ChangeCounts| json!({ "created": of.created, "updated": of.updated, "removed": of.removed });
    let time = |state: &State| (state.at.time != Time::FOREVER).then_some(state.at.time.0);
    let commit = |state: &State| -> Commit { state.view.commit() };
    context.output.object(&json!({
        "from": time(from),
        "to": time(to),
        "from_commit": commit(from),
        "to_commit": commit(to),
        "nodes": numbers(nodes),
        "edges": numbers(edges),
        "merged": merged,
    }))?;
    let mut table = Table::new(["", "created", "updated", "removed", "merged"]);
    let cell = |number: usize| text::count(number as u64);
    let mut row = |name: &str, of: ChangeCounts, merged: String| {
        table.row([name.to_owned(), cell(of.created), cell(of.updated), cell(of.removed), merged]);
    };
    row("nodes", nodes, cell(merged));
    row("edges", edges, String::new());
    context.output.table(&table)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_are_one_or_two() {
        let read = |text: &str| text.parse::<Commits>().map(|commits| (commits.earlier, commits.later));
        assert_eq!(read("3"), Ok((Some(3), Some(3))));
        assert_eq!(read("3..5"), Ok((Some(3), Some(5))));
        assert_eq!(read("3.."), Ok((Some(3), None)));
        for wrong in ["..5", "a..b", "3...5", "-1", ""] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
