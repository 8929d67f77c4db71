//! Questions about files of roots: how they are read in batches, which edges they see, and where the answers go.

use std::io::{BufWriter, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use serde::Serialize;
use timeweft::export::table_writer::{Cell, CellKind, Column, TableFormat, TableWriter};
use timeweft::read::roots::{Root, Subject};
use timeweft::read::{EdgeIndex, NodeIndex, RootsReader};
use timeweft::sample::{AsOf, EdgeTypes, NO_NODE, Roots, SampleError, Scope, Side};
use timeweft::{EdgeKey, Name, NodeKey, Time, View};

use crate::context::Context;
use crate::input::lookup;
use crate::input::named_values::{SIDES, choices};
use crate::input::reading::{ReadArgs, Reading};
use crate::outcome::{Outcome, UsageError};
use crate::output::{Output, Progress, after, is_same_file, note, stdout, text, write_whole};

/// Options of every question about a file of roots.
#[derive(Args, Debug)]
pub(crate) struct RootArgs {
    /// Table of roots: .csv, .tsv (also packed by gzip, bzip2 or zstd) .parquet or .arrow; `-` is CSV on standard input.
    #[arg(value_name = "ROOTS")]
    roots: PathBuf,
    /// File to write, .jsonl, .parquet or .arrow; it appears whole or not at all, in place of an older one. `-` is JSON lines on standard output.
    #[arg(long, value_name = "FILE", default_value = "-")]
    to: PathBuf,
    /// Answer N roots at once: it changes memory and speed, never the answer.
    #[arg(long, value_name = "N")]
    batch: Option<NonZeroUsize>,
    /// How ids of nodes are written to Parquet: numbers are much faster to read back, where all ids are whole numbers.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) ids: IdsArg,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
}

/// Options that say which edges are seen.
#[derive(Args, Debug)]
pub(crate) struct ScopeArgs {
    /// Only edges of this type: a relation, or a full name as `timeweft schema` prints it; may be given several times.
    #[arg(long = "edge-type", value_name = "TYPE")]
    edge_types: Vec<String>,
    /// Sides of a node: edges out of it, into it, or both.
    #[arg(long, default_value = "both", value_parser = choices(SIDES))]
    pub(crate) direction: Side,
    /// Only edges created in the last so long before the time of a root: a number of ticks, or of w, d, h, min, s, ms, us or ns, such as 7d or 12h. What is before the window is not seen, what begins with it is.
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    within: Option<String>,
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
}

/// Whether what happens at the time of a root counts.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct AsOfArgs {
    /// See what happened at the time of a root too. Left out, only what was strictly before it, so that an event of that time does not know itself.
    #[arg(long)]
    pub(crate) inclusive: bool,
}

impl AsOfArgs {
    pub(crate) fn as_of(self) -> AsOf {
        if self.inclusive { AsOf::At } else { AsOf::Before }
    }
}

impl ScopeArgs {
    /// The edges of the graph that are meant.
    pub(crate) fn scope(&self, asked: &RootQuestion<'_>) -> anyhow::Result<Scope> {
        let reading = &asked.reading;
        let found = self.edge_types.iter().map(|name| lookup::edge_types(reading, name));
        let only = found.collect::<anyhow::Result<Vec<_>>>()?.concat();
        let edge_types = if only.is_empty() { EdgeTypes::All } else { EdgeTypes::Only(only) };
        let scope = Scope::new(edge_types, self.direction, self.as_of.as_of()).deletes(reading.at.deletes);
        Ok(match &self.within {
            None => scope,
            Some(within) => scope.within(window(asked, within)?),
        })
    }
}

/// The ticks of `--within`.
fn window(asked: &RootQuestion<'_>, given: &str) -> anyhow::Result<u64> {
    let within = asked.reading.unit().length(given).map_err(|error| UsageError(format!("--within: {error}")))?;
    if !asked.reader.has_times() && asked.reading.at.time == Time::FOREVER {
        let problem =
            "--within: nothing was created shortly before the end of time: give --at TIME, or a column `time`";
        return Err(UsageError(problem.into()).into());
    }
    Ok(within)
}

/// How many slots of answers are held at once.
pub(crate) const SLOTS: usize = 1 << 20;

/// How many of them at most, whatever batch is asked for.
const MOST_HELD: usize = 1 << 26;

/// How many slots a root may have.
pub(crate) const MOST_SLOTS: usize = 1 << 24;

/// How many roots are answered at once, if each has few slots.
const MOST_ROOTS: usize = 1 << 16;

/// Where answers are written.
pub(crate) type Table<'a> = TableWriter<&'a mut (dyn Write + Send)>;

/// Roots that are answered at once.
#[derive(Default)]
pub(crate) struct Batch {
    /// Row of the first of them, counted from 0.
    pub(crate) first: u64,
    pub(crate) keys: Vec<Key>,
    /// Their nodes; [`NO_NODE`] for those that the graph does not know, and for edges.
    pub(crate) nodes: Vec<NodeIndex>,
    pub(crate) times: Vec<Time>,
    /// How many the graph has never known.
    unknown: u64,
}

/// What a root names.
pub(crate) enum Key {
    Node(NodeKey),
    Edge(EdgeKey),
}

impl Batch {
    /// The nodes with their times.
    pub(crate) fn roots(&self) -> Result<Roots<'_>, SampleError> {
        Roots::new(&self.nodes, &self.times)
    }

    /// Rows of the roots in their file.
    pub(crate) fn rows(&self) -> impl Iterator<Item = i64> {
        (self.first as i64..).take(self.nodes.len())
    }
}

/// What is answered to each root.
pub(crate) struct Answers {
    /// What the progress bar says.
    pub(crate) doing: &'static str,
    /// How many slots a root has at most.
    pub(crate) slots: usize,
    pub(crate) columns: Vec<Column>,
}

/// An opened question.
pub(crate) struct RootQuestion<'a> {
    pub(crate) reading: Reading,
    args: &'a RootArgs,
    format: TableFormat,
    reader: RootsReader,
    /// The type of roots in a file without that column: the only one of the graph.
    only_type: Option<Name>,
    /// Whether an edge is known if its ends are, as a question about edges that may come has it.
    pub(crate) may_come: bool,
}

/// How a question was answered.
#[derive(Serialize, Default)]
struct Summary {
    roots: u64,
    unknown: u64,
    rows: u64,
}

impl RootArgs {
    /// Opens the graph and the file of roots.
    pub(crate) fn open(&self, context: &Context) -> anyhow::Result<RootQuestion<'_>> {
        let format = TableFormat::of(&self.to).ok_or_else(|| {
            UsageError(format!("--to {}: give a name that ends in .jsonl, .parquet or .arrow", self.to.display()))
        })?;
        if is_same_file(&self.roots, &self.to) {
            let problem = format!("--to {}: that is the file of roots itself: give another name", self.to.display());
            return Err(UsageError(problem).into());
        }
        let reading = self.read.read(context)?;
        let reader = RootsReader::open(&self.roots, reading.unit())?;
        if reader.has_times() && self.read.at.is_some() {
            let problem = format!("{} has a column `time`, so --at means nothing: leave one out", reader.name());
            return Err(UsageError(problem).into());
        }
        let mut types = reading.node_types().map(|(_, known)| known.name.clone());
        let only_type = types.next().filter(|_| types.next().is_none());
        drop(types);
        Ok(RootQuestion { reading, args: self, format, reader, only_type, may_come: false })
    }

    /// The same for a question that is about nodes alone.
    pub(crate) fn open_nodes(&self, context: &Context) -> anyhow::Result<RootQuestion<'_>> {
        let asked = self.open(context)?;
        if asked.has_edges() {
            let name = asked.reader.name();
            let problem = format!("{name} names edges, and this is asked of nodes: give the columns type, id and time");
            return Err(UsageError(problem).into());
        }
        Ok(asked)
    }
}

impl RootQuestion<'_> {
    /// Whether roots are edges.
    pub(crate) fn has_edges(&self) -> bool {
        self.reader.has_edges()
    }

    /// How ids are written.
    pub(crate) fn ids(&self) -> IdsArg {
        self.args.ids
    }

    pub(crate) fn view(&self) -> &View {
        &self.reading.view
    }

    /// Answers all roots, a batch at a time.
    pub(crate) fn answer(
        mut self,
        answers: Answers,
        output: Output,
        mut each: impl FnMut(&View, &Batch, &mut Table<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<Outcome> {
        let Answers { doing, slots, columns } = answers;
        let slots = slots.max(1);
        // The answers are the same whatever the size of a batch.
        let most = (MOST_HELD / slots).max(1);
        let size = self.args.batch.map_or((SLOTS / slots).clamp(1, MOST_ROOTS), |size| size.get().min(most));
        let to = self.args.to.as_path();
        if to == Path::new("-") {
            let summary = self.write(size, columns, &mut BufWriter::new(stdout()), &mut each)?;
            self.warn();
            note(&summary.in_words(""));
            return Ok(Outcome::Done);
        }
        let progress = Progress::of(|| self.reader.n_rows(), doing);
        let mut each = |view: &View, batch: &Batch, table: &mut Table<'_>| {
            each(view, batch, table)?;
            progress.set(batch.first + batch.times.len() as u64);
            Ok(())
        };
        let summary = write_whole(to, |out| self.write(size, columns, out, &mut each))?;
        drop(progress);
        self.warn();
        after("the file is written", output.object(&summary));
        note(&summary.in_words(&format!(" in {}", to.display())));
        Ok(Outcome::Done)
    }

    fn write(
        &mut self,
        size: usize,
        columns: Vec<Column>,
        out: &mut (dyn Write + Send),
        each: &mut impl FnMut(&View, &Batch, &mut Table<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<Summary> {
        let view = self.reading.view.clone();
        let facts =
            [("timeweft.commit", view.commit().0.to_string()), ("timeweft.unit", self.reading.unit().to_string())];
        let cannot = || match self.args.to.as_path() {
            to if to == Path::new("-") => "cannot write to standard output".to_owned(),
            to => format!("cannot write {}", to.display()),
        };
        let mut table: Table<'_> = TableWriter::new(self.format, columns, &facts, out).with_context(cannot)?;
        let (mut batch, mut summary) = (Batch::default(), Summary::default());
        loop {
            batch.first = summary.roots;
            self.fill(&mut batch, size)?;
            if batch.times.is_empty() {
                break;
            }
            each(&view, &batch, &mut table)?;
            summary.roots += batch.times.len() as u64;
            summary.unknown += batch.unknown;
        }
        summary.rows = table.n_rows();
        table.finish().with_context(cannot)?;
        Ok(summary)
    }

    /// Warns of what was read as something else than it says.
    fn warn(&self) {
        if let Some(problem) = self.reader.note() {
            note(&format!("warning: {}: {problem}", self.reader.name()));
        }
    }

    /// Reads the next roots.
    fn fill(&mut self, batch: &mut Batch, size: usize) -> anyhow::Result<()> {
        batch.keys.clear();
        batch.nodes.clear();
        batch.times.clear();
        batch.unknown = 0;
        while batch.times.len() < size {
            let Some(Root { place, subject, time }) = self.reader.advance()? else { break };
            let key = self.key(subject).with_context(|| place.to_string())?;
            let (node, is_known) = match &key {
                Key::Node(key) => self.view().index().node_index(key).map_or((NO_NODE, false), |node| (node, true)),
                Key::Edge(key) if self.may_come => (
                    NO_NODE,
                    [&key.source, &key.destination].iter().all(|end| self.view().index().node_index(end).is_some()),
                ),
                Key::Edge(key) => (NO_NODE, self.view().index().edge_index(key).is_some()),
            };
            batch.unknown += u64::from(!is_known);
            batch.keys.push(key);
            batch.nodes.push(node);
            batch.times.push(time.unwrap_or(self.reading.at.time));
        }
        Ok(())
    }

    /// The root with its types, which the graph must know.
    fn key(&self, subject: Subject) -> anyhow::Result<Key> {
        let schema = self.view().schema();
        match subject {
            Subject::Node { node_type, id } => {
                let Some(node_type) = node_type.or_else(|| self.only_type.clone()) else {
                    bail!("there is no column `type`, and the graph has several types of nodes: add the column");
                };
                lookup::known_type(&self.reading, &node_type)?;
                Ok(Key::Node(NodeKey { node_type, id }))
            }
            Subject::Edge { source_type, source, relation, destination_type, destination, key } => {
                let is = |wanted: &Option<Name>, name: &Name| wanted.as_ref().is_none_or(|wanted| wanted == name);
                let mut fitting = schema.edge_types().iter().filter(|of| {
                    is(&source_type, &schema.node_type_name(of.source))
                        && is(&relation, &of.relation)
                        && is(&destination_type, &schema.node_type_name(of.destination))
                });
                let edge_type = match (fitting.next(), fitting.next()) {
                    (Some(only), None) => only,
                    (None, _) => {
                        bail!("no edge type of the graph is like that: `timeweft schema` tells which there are")
                    }
                    _ => bail!("several edge types fit: add the columns source_type, relation and destination_type"),
                };
                let node = |node_type, id| NodeKey { node_type: schema.node_type_name(node_type), id };
                let (source, destination) = (node(edge_type.source, source), node(edge_type.destination, destination));
                Ok(Key::Edge(EdgeKey { source, relation: edge_type.relation.clone(), destination, key }))
            }
        }
    }
}

impl Summary {
    fn in_words(&self, place: &str) -> String {
        let Summary { roots, unknown, rows } = *self;
        let unknown = match unknown {
            0 => String::new(),
            n => format!("; {} roots are not known to this graph", text::count(n)),
        };
        format!("{} roots, {} rows{place}{unknown}", text::count(roots), text::count(rows))
    }
}

/// What samplers refuse: a number out of range is wrong usage.
pub(crate) fn refused(error: SampleError) -> anyhow::Error {
    match error {
        SampleError::Range { .. } => UsageError(error.to_string()).into(),
        other => other.into(),
    }
}

/// A time; the end of time is none.
pub(crate) fn time_cell<'a>(time: Time) -> Cell<'a> {
    if time == Time::FOREVER { Cell::Null } else { Cell::Int(time.0) }
}

/// How ids of nodes are written to Parquet.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum IdsArg {
    /// As texts.
    #[default]
    Text,
    /// As numbers: all ids must be whole numbers.
    Number,
}

impl IdsArg {
    /// The kind of a column of ids.
    pub(crate) fn kind(self) -> CellKind {
        match self {
            IdsArg::Text => CellKind::Id,
            IdsArg::Number => CellKind::NumberId,
        }
    }

    /// Columns of a node.
    pub(crate) fn node_columns(self) -> [Column; 2] {
        [Column::new("type", CellKind::Text), Column::new("id", self.kind())]
    }
}

/// The cells of a node.
pub(crate) fn node_cells(view: &View, node: NodeIndex) -> [Cell<'_>; 2] {
    let node_type = &view.schema().node_types()[view.index().node_type(node).at()].name;
    [node_type.into(), view.index().node_id(node).into()]
}

/// Columns of the edge that leads to a node.
pub(crate) fn way_columns() -> [Column; 3] {
    ["relation", "direction", "key"].map(|name| Column::nullable(name, CellKind::Text))
}

/// The cells of the edge that leads to a node from another, of which some sides are seen.
pub(crate) fn way_cells(view: &View, edge: EdgeIndex, from: NodeIndex, side: Side) -> [Cell<'_>; 3] {
    let (edge_type, source, _) = view.index().edge_ends(edge);
    let is_out = side != Side::In && source == from;
    let relation = &view.schema().edge_types()[edge_type.at()].relation;
    [relation.into(), Cell::Text(if is_out { "out" } else { "in" }), view.index().parallel_key(edge).into()]
}
