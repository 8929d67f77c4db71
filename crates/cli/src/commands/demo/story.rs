//! What the demo tells, step by step.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use timeweft::load::LoadReport;
use timeweft::model::{Evaluation, Explanation};
use timeweft::read::{EdgeState, GraphView};
use timeweft::{At, Config, Direction, Graph, NodeKey, Time, TimeUnit, View};

use crate::commands::predict::busiest;
use crate::commands::train::day;
use crate::output::{Output, Table, in_flags};

/// Headline of a step.
pub(super) fn step(output: Output, number: usize, what: &str) -> io::Result<()> {
    output.say(&format!("\n{number}. {what}\n{}", "-".repeat(what.chars().count() + 3)))
}

/// Says where the graph will lie.
pub(super) fn opening(output: Output, wanted: &Path, dir: &Path) -> io::Result<()> {
    output.say("timeweft demo: from a history to a prediction and its reasons.")?;
    if wanted != dir {
        output.say(&format!("{} is there already and stays as it is; this is {}.", wanted.display(), dir.display()))?;
    }
    Ok(())
}

/// Step 1: what was loaded.
pub(super) fn loaded(output: Output, view: &View, report: &LoadReport, why: &str) -> io::Result<()> {
    step(output, 1, "Load a history")?;
    output.say(why)?;
    let (nodes, edges) = (report.counts.nodes, report.counts.edges);
    output.say(&format!("{} events in one commit, {} rejected.", report.accepted, report.n_rejected))?;
    let mut table = Table::new(["", "created", "updated", "deleted"]);
    for (name, counts) in [("nodes", nodes), ("edges", edges)] {
        table.row([name.into(), counts.created.to_string(), counts.updated.to_string(), counts.deleted.to_string()]);
    }
    output.table(&table)?;
    for reject in report.rejects.iter().take(3) {
        output.say(&format!("rejected: {}: {}", reject.place, in_flags(&reject.reason.to_string())))?;
    }
    let names: Vec<_> = view.schema().node_types().iter().map(|node| node.name.to_string()).collect();
    let relations: Vec<_> = view.schema().edge_types().iter().map(|edge| edge.relation.to_string()).collect();
    output.say(&format!("Types of nodes: {}. Relations: {}.", names.join(", "), relations.join(", ")))
}

/// A busy node and two moments of its life.
pub(super) struct Moments {
    pub(super) node: NodeKey,
    pub(super) relation: String,
    pub(super) early: Time,
    pub(super) late: Time,
}

impl Moments {
    /// A busy source of the target relation that is there at a third of the history and at its end.
    pub(super) fn of(view: &View, target: &str) -> Option<Moments> {
        let facts = view.index().facts();
        let (early, late) = (facts.get(facts.len() / 3)?.time, facts.last()?.time);
        let busy = busiest(view, &[target.to_string()]);
        let there = |node: &NodeKey| view.index().node(node, At::time(early)).is_some();
        let chosen = busy.iter().find(|busy| there(&busy.source)).or(busy.first())?;
        let node = chosen.source.clone();
        let early = if there(&node) { early } else { view.index().node_history(&node).first()?.interval.created };
        Some(Moments { node, relation: chosen.relation.clone(), early, late })
    }

    /// The days of the two moments; their exact times if it is one day.
    fn days(&self, unit: TimeUnit) -> [String; 2] {
        let moments = [self.early, self.late];
        let days = moments.map(|time| day(unit, time));
        if days[0] == days[1] { moments.map(|time| unit.format(time)) } else { days }
    }
}

/// Step 2: one node at two times.
pub(super) fn time_travel(output: Output, view: &View, moments: &Moments) -> io::Result<()> {
    let Moments { node, early, late, .. } = moments;
    step(output, 2, &format!("Travel in time: {node}, then and later"))?;
    let unit = view.schema().unit();
    let [first, second] = moments.days(unit);
    let mut table = Table::new([String::new(), first, second]);
    let states = [*early, *late].map(|time| state(view, node, At::time(time)));
    let names: std::collections::BTreeSet<_> = states.iter().flat_map(BTreeMap::keys).collect();
    for name in names {
        let cells = states.each_ref().map(|state| state.get(name).cloned().unwrap_or_else(|| "-".into()));
        table.row(std::iter::once(name.clone()).chain(cells));
    }
    output.table(&table)
}

/// Features and edges of a node, by name.
fn state(view: &View, node: &NodeKey, at: At) -> BTreeMap<String, String> {
    let features = view.index().node(node, at).map(|state| state.features).unwrap_or_default();
    let mut state: BTreeMap<String, String> =
        features.into_iter().map(|(name, value)| (name.to_string(), shortened(&value.to_string()))).collect();
    let mut edges: BTreeMap<String, Vec<EdgeState>> = BTreeMap::new();
    for edge in view.index().neighbors(node, Direction::Out, None, at) {
        edges.entry(format!("{} {}", edge.key.relation, edge.key.destination.node_type)).or_default().push(edge);
    }
    state.extend(edges.into_iter().map(|(name, edges)| (name, newest(&edges))));
    state
}

/// How many edges, and the newest one's end.
fn newest(edges: &[EdgeState]) -> String {
    let Some(last) = edges.iter().max_by_key(|edge| edge.life.created) else { return String::new() };
    let id = shortened(&last.key.destination.id.to_string());
    if edges.len() == 1 { id } else { format!("{} edges, last {id}", edges.len()) }
}

/// Long names from their end, as paths are told apart there.
fn shortened(text: &str) -> String {
    const WIDTH: usize = 36;
    let count = text.chars().count();
    if count <= WIDTH {
        text.into()
    } else {
        format!("…{}", text.chars().skip(count - WIDTH + 1).collect::<String>())
    }
}

/// Step 3: the difference between the two times.
pub(super) fn changes(output: Output, view: &View, moments: &Moments) -> io::Result<()> {
    let unit = view.schema().unit();
    let [from, to] = moments.days(unit);
    step(output, 3, &format!("What changed from {from} to {to}"))?;
    let diff = view.index().diff(moments.early, moments.late);
    let mut table = Table::new(["", "how many", "for example"]);
    let mut row = |what: &str, count: usize, example: Option<String>| {
        table.row([what.into(), count.to_string(), example.unwrap_or_default()]);
    };
    row("nodes created", diff.nodes_created.len(), diff.nodes_created.first().map(ToString::to_string));
    row("nodes removed", diff.nodes_removed.len(), diff.nodes_removed.first().map(ToString::to_string));
    let updated =
        |updated: &timeweft::read::Updated<NodeKey>| format!("{}: {}", updated.key, updated.features.join(", "));
    row("nodes updated", diff.nodes_updated.len(), diff.nodes_updated.first().map(updated));
    row("edges created", diff.edges_created.len(), diff.edges_created.first().map(ToString::to_string));
    row("edges removed", diff.edges_removed.len(), diff.edges_removed.first().map(ToString::to_string));
    row("edges updated", diff.edges_updated.len(), diff.edges_updated.first().map(|edge| edge.key.to_string()));
    output.table(&table)
}

/// Step 4: what is trained.
pub(super) fn training(output: Output, links: usize, config: &Config) -> io::Result<()> {
    let [train, validation] = config.train.split;
    output.say(&format!(
        "{links} links in order of time: the first {:.0} % train, the next {:.0} % choose the epoch, the last {:.0} % test.\n",
        100.0 * train,
        100.0 * (validation - train),
        100.0 * (1.0 - validation)
    ))
}

/// Figures of fewer links than this are mostly chance.
const FEW: usize = 200;

/// Step 5: whether the model or a rule leads.
pub(super) fn verdict(output: Output, evaluations: &[Evaluation]) -> io::Result<()> {
    output.say("")?;
    evaluations.iter().try_for_each(|evaluation| output.say(&leader(evaluation)))
}

fn leader(Evaluation { freshness, rows, .. }: &Evaluation) -> String {
    let Some(((_, model), rules)) = rows.split_first() else { return String::new() };
    let Some((name, rule)) = rules.iter().max_by(|a, b| a.1.mrr.total_cmp(&b.1.mrr)) else { return String::new() };
    let leads = if model.mrr > rule.mrr { "the model leads" } else { "the model does not lead" };
    let few = if model.events < FEW { format!(" {} links are too few to tell.", model.events) } else { String::new() };
    format!("Freshness {freshness}: {leads}, {:.3} against {:.3} of the best rule ({name}).{few}", model.mrr, rule.mrr)
}

/// Step 8: where things lie, and what to try.
pub(super) fn closing(
    output: Output,
    graph: &Graph,
    moments: &Moments,
    first: Option<&Explanation>,
    took: Duration,
) -> io::Result<()> {
    step(output, 8, "Go on yourself")?;
    let dir = graph.dir().display().to_string();
    output.say(&format!("The graph and the model lie in {dir}. This took {:.0} s.\n", took.as_secs_f64()))?;
    let program = std::env::args().next().unwrap_or_else(|| "timeweft".into());
    commands(graph.unit(), moments, first)
        .iter()
        .try_for_each(|command| output.say(&format!("  {} {command} --graph {}", quoted(&program), quoted(&dir))))?;
    let built = if cfg!(feature = "serve") { "" } else { " (a minute or two to build)" };
    let command = format!("{} serve {} --open", serving(&program), quoted(&dir));
    output.say(&format!("\nWatch it change in the browser{built}:\n\n  {command}"))
}

/// What begins the command that serves a graph: this program, where it was built with a server.
fn serving(program: &str) -> String {
    let built = "cargo run --release --features serve --";
    if cfg!(feature = "serve") { quoted(program) } else { built.into() }
}

fn commands(unit: TimeUnit, moments: &Moments, first: Option<&Explanation>) -> Vec<String> {
    let Moments { node, relation, early, late } = moments;
    let [early, late] = [*early, *late].map(|time| unit.format(time));
    let named = |node: &NodeKey| format!("{} {}", quoted(&node.node_type), quoted(&node.id.to_string()));
    let mut commands = vec![
        "stats".into(),
        format!("history {}", named(node)),
        format!("neighbors {} --at {early}", named(node)),
        format!("diff --from {early} --to {late} --summary"),
        format!("predict {} --relation {} --model demo", named(node), quoted(relation)),
    ];
    if let Some(Explanation { source, relation: Some(relation), destination: Some(destination), .. }) = first {
        let (source, destination) = (named(source), named(destination));
        commands.push(format!("explain {source} {destination} --relation {} --model demo", quoted(relation)));
    }
    commands
}

/// A text as one word of a shell.
fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./@:+=,".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) { text.into() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_without_a_server_names_the_one_that_has_it() {
        let expected = if cfg!(feature = "serve") { "bin/timeweft" } else { "cargo run --release --features serve --" };
        assert_eq!(serving("bin/timeweft"), expected);
    }

    #[test]
    fn names_survive_a_shell() {
        assert_eq!(["a-1", "", "it's"].map(quoted), ["a-1", "''", "'it'\\''s'"]);
    }
}
