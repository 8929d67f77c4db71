//! Rows that say from when to when something was so: snapshots of dbt, and slowly changing dimensions of type 2.
//!
//! The rows of a file may stand in any order. A first way through them finds the intervals of each key, a second one the
//! nodes, and a third one the edges, so that at one time all nodes are there before the edges that need them.

use rustc_hash::FxHashMap;
use timeweft_graph::{Action, Dense, Element, Event, Numbers, Reason, Record, Sink, Time, TimeUnit, Value};

use super::elements::{AboutRows, TableElements};
use super::files::{Files, named};
use super::plan::Table;
use super::row_time;
use super::timeline::{Span, Verdict, verdicts};
use crate::SourceError;
use crate::tables::Cell;
use crate::tables::change_table::{ChangeFormat, ChangeTable, OneOrMany};
use crate::tables::context::Context;
use crate::tables::key_columns::column;
use crate::tables::problem::Problem;
use crate::tables::rows::Rows;
use crate::text::floored::Floored;

/// The first moment of the year 9999, by which tables without nulls say that a row has no end yet.
const YEAR_9999: i128 = 253_370_764_800_000_000_000;

/// Reads all tables; gives notes for people.
pub(super) fn read(
    source: &Files,
    how: &ChangeTable,
    context: &Context<'_>,
    tables: &[Table<'_>],
    sink: &mut dyn Sink,
) -> Result<Vec<String>, SourceError> {
    let mut floored = Floored::default();
    let mut judged = Vec::new();
    for table in tables {
        judged.push(judge(source, how, context, (table, &mut floored), sink)?);
    }
    for is_of_nodes in [true, false] {
        for (table, verdicts) in tables.iter().zip(&mut judged) {
            push(source, (how, is_of_nodes), context, (table, verdicts), sink)?;
        }
    }
    let of_features = context.floored.take().note(context.unit);
    Ok([floored.note(context.unit), of_features].into_iter().flatten().collect())
}

/// The verdicts on the rows of a table, for each entry that makes elements of them: nodes first.
type Judged = Vec<Vec<Verdict>>;

/// Where the rows of a table say when they hold.
struct Columns {
    from: usize,
    to: Option<usize>,
    current: Option<(String, usize)>,
    deleted: Option<usize>,
}

impl Columns {
    fn of(how: &ChangeTable, rows: &mut dyn Rows) -> Result<Columns, SourceError> {
        let names = names(how);
        let mut optional = |given: &Option<String>, name: &str| {
            let is_there = rows.columns().is_empty() || rows.columns().iter().any(|column| column == name);
            (given.is_some() || is_there && !name.is_empty()).then(|| column(rows, name)).transpose()
        };
        let to = optional(&how.valid_to, &names[1])?;
        let current = optional(&how.current, &names[2])?.map(|at| (names[2].clone(), at));
        let deleted = optional(&how.deleted, &names[3])?;
        Ok(Columns { from: column(rows, &names[0])?, to, current, deleted })
    }
}

/// The columns that say when a row holds, when it ends, whether it is the current one, and whether it is a deletion.
fn names(how: &ChangeTable) -> [String; 4] {
    let defaults = match how.format {
        ChangeFormat::Dbt => ["dbt_valid_from", "dbt_valid_to", "dbt_is_current", "dbt_is_deleted"],
        // Lives have no words for the row beside their times.
        ChangeFormat::Intervals => ["created", "removed", "", ""],
        _ => ["valid_from", "valid_to", "is_current", "is_deleted"],
    };
    let given = [&how.valid_from, &how.valid_to, &how.current, &how.deleted];
    let mut names = defaults.map(str::to_owned);
    names.iter_mut().zip(given).for_each(|(name, given)| {
        if let Some(given) = given {
            name.clone_from(given);
        }
    });
    names
}

fn about_rows(how: &ChangeTable) -> AboutRows {
    let start = (how.format == ChangeFormat::Dbt).then_some("dbt_");
    AboutRows { start, names: names(how).to_vec() }
}

/// The first way through a table: what becomes of each row, by its key and its interval.
fn judge(
    source: &Files,
    how: &ChangeTable,
    context: &Context<'_>,
    (table, floored): (&Table<'_>, &mut Floored),
    sink: &mut dyn Sink,
) -> Result<Judged, SourceError> {
    let (file, mut rows) = source.rows(&table.file)?;
    sink.file(&file);
    let rows = rows.as_mut();
    let columns = Columns::of(how, rows).map_err(|error| named(error, &file))?;
    let bound = TableElements::of(table, context, &about_rows(how), rows, sink);
    let elements = bound.map_err(|error| named(error, &file))?;
    let open = how.open.as_ref().map_or(&[][..], OneOrMany::as_slice);
    let mut spans: Vec<Vec<Option<Span>>> = vec![Vec::new(); elements.nodes.len() + elements.edges.len()];
    let mut keys: Vec<FxHashMap<Element, u32>> = vec![FxHashMap::default(); spans.len()];
    while !sink.is_closed()
        && let Some(read) = rows.advance()?
    {
        let line = rows.line();
        let span = read.and_then(|()| span(&columns, rows, open, (floored, context.unit)));
        let found = span.and_then(|span| Ok((span, keys_of(&elements, rows)?)));
        if let Err(problem) = &found {
            sink.reject(line, Reason::Malformed(problem.clone()));
        }
        for (at, (spans, keys)) in spans.iter_mut().zip(&mut keys).enumerate() {
            let found = found.as_ref().ok().and_then(|(span, elements)| Some((span, elements.get(at)?.as_ref()?)));
            spans.push(found.map(|(span, element)| {
                let next = keys.len() as u32;
                let key = *keys.entry(element.clone()).or_insert(next);
                Span { key, line, ..*span }
            }));
        }
    }
    let has_ends = columns.to.is_some();
    Ok(spans.iter().map(|spans| verdicts(spans, has_ends, |time| context.unit.format(time))).collect())
}

/// The elements that a row is about; none where an end of an edge is empty.
fn keys_of(elements: &TableElements<'_>, rows: &dyn Rows) -> Result<Vec<Option<Element>>, String> {
    let nodes = elements.nodes.iter().map(|node| node.key(rows).map(|key| Some(Element::Node(key))));
    let edges = elements.edges.iter().map(|edge| edge.key(rows).map(|key| key.map(Element::Edge)));
    nodes.chain(edges).collect()
}

/// The interval of a row.
fn span(
    columns: &Columns,
    rows: &dyn Rows,
    open: &[String],
    (floored, unit): (&mut Floored, TimeUnit),
) -> Result<Span, String> {
    let within =
        |at: usize, problem: String| format!("column `{}`: {problem}", rows.columns().get(at).map_or("", |name| name));
    let mut time =
        |at: usize| row_time::of_cell(rows.cell(at), floored, unit, rows.line()).map_err(|problem| within(at, problem));
    let from = time(columns.from)?;
    let to = match columns.to {
        Some(at) if !is_open(&rows.cell(at), open) => time(at)?,
        _ => Time::FOREVER,
    };
    let is_open_word = open.iter().any(|word| unit.parse(word).is_ok_and(|time| time == to));
    let to = if is_open_word { Time::FOREVER } else { to };
    if let Some((name, at)) = &columns.current
        && truth(&rows.cell(*at)).map_err(|problem| within(*at, problem))? == Some(false)
        && columns.to.is_some()
        && to == Time::FOREVER
    {
        return Err(format!("`{name}` is false, and the row has no end: give it one"));
    }
    let deleted = columns.deleted.map(|at| truth(&rows.cell(at)).map_err(|problem| within(at, problem)));
    let is_gap = deleted.transpose()?.flatten().unwrap_or(false);
    Ok(Span { key: 0, from, to, line: 0, is_gap })
}

/// Whether the end of an interval says that there is none.
fn is_open(cell: &Cell<'_>, open: &[String]) -> bool {
    let text = match cell {
        Cell::Null => return true,
        Cell::Nanos(nanos) => return *nanos >= YEAR_9999,
        Cell::Text(text) => text,
        Cell::String(text) => &**text,
        Cell::Json(raw) => raw.trim_matches('"'),
        // NumPy has no other null among numbers.
        Cell::Value(value) => return is_nan(value),
        _ => return false,
    };
    let text = text.trim();
    text.is_empty() || text == "infinity" || text.starts_with("9999-") || open.iter().any(|word| word == text)
}

fn is_nan(value: &Value) -> bool {
    let Value::Dense(Dense { numbers, scalar: true }) = value else { return false };
    match numbers {
        Numbers::F64(number) => number.iter().all(|number| number.is_nan()),
        Numbers::F32(number) => number.iter().all(|number| number.is_nan()),
        _ => false,
    }
}

fn truth(cell: &Cell<'_>) -> Result<Option<bool>, String> {
    let word = match cell {
        Cell::Null => return Ok(None),
        Cell::Bool(truth) => return Ok(Some(*truth)),
        Cell::Int(number) => number.to_string(),
        Cell::Text(text) => (*text).to_owned(),
        Cell::String(text) => text.to_string(),
        Cell::Json(raw) => raw.trim_matches('"').to_owned(),
        Cell::Value(value) => value.to_string(),
        _ => return Err("expected true or false".into()),
    };
    match word.trim().to_lowercase().as_str() {
        "true" | "t" | "1" | "y" | "yes" => Ok(Some(true)),
        "false" | "f" | "0" | "n" | "no" => Ok(Some(false)),
        other => Err(format!("expected true or false, got `{other}`")),
    }
}

/// The other ways through a table: its nodes, or its edges.
fn push(
    source: &Files,
    (how, is_of_nodes): (&ChangeTable, bool),
    context: &Context<'_>,
    (table, judged): (&Table<'_>, &mut Judged),
    sink: &mut dyn Sink,
) -> Result<(), SourceError> {
    let (file, mut rows) = source.rows(&table.file)?;
    sink.file(&file);
    let rows = rows.as_mut();
    Columns::of(how, rows).map_err(|error| named(error, &file))?;
    let bound = TableElements::of(table, context, &about_rows(how), rows, sink);
    let mut elements = bound.map_err(|error| named(error, &file))?;
    let mut at = 0;
    while !sink.is_closed()
        && let Some(read) = rows.advance()?
    {
        // A row that cannot be read was rejected before.
        if read.is_ok() {
            let pushed = match is_of_nodes {
                true => push_nodes(&mut elements, rows, (judged, at), sink),
                false => push_edges(&mut elements, rows, (judged, at), sink),
            };
            pushed.map_err(|error| named(error, &file))?;
        }
        at += 1;
    }
    if is_of_nodes { Ok(()) } else { context.drift.check(&file) }
}

/// Pushes what a row says of a node. One that is rejected for what it says has no edges either.
fn push_nodes(
    elements: &mut TableElements<'_>,
    rows: &mut dyn Rows,
    (judged, at): (&mut Judged, usize),
    sink: &mut dyn Sink,
) -> Result<(), SourceError> {
    for (node, verdicts) in elements.nodes.iter_mut().zip(judged) {
        let read = event_of(&verdicts[at], |from| node.there(rows, from, sink).map(Some));
        send(read, rows.line(), &mut verdicts[at], sink)?;
    }
    Ok(())
}

/// Pushes what a row says of edges: of its foreign keys, and of the edges that it is.
fn push_edges(
    elements: &mut TableElements<'_>,
    rows: &mut dyn Rows,
    (judged, at): (&mut Judged, usize),
    sink: &mut dyn Sink,
) -> Result<(), SourceError> {
    let n_nodes = elements.nodes.len();
    for (node, verdicts) in elements.nodes.iter_mut().zip(&*judged) {
        let Verdict::Holds { from, .. } = verdicts[at] else { continue };
        for (link, of) in &mut node.links {
            let mut verdict = Verdict::Holds { from, ends: None };
            let read = event_of(&verdict, |from| link.link(rows, *of, from, sink));
            send(read, rows.line(), &mut verdict, sink)?;
        }
    }
    for (edge, verdicts) in elements.edges.iter_mut().zip(judged.iter_mut().skip(n_nodes)) {
        let read = event_of(&verdicts[at], |from| edge.there(rows, from, sink));
        send(read, rows.line(), &mut verdicts[at], sink)?;
    }
    Ok(())
}

/// The events of a row about one element: what it is from a time on, and its end where nothing follows.
fn event_of(
    verdict: &Verdict,
    there: impl FnOnce(Time) -> Result<Option<Event>, Problem>,
) -> Result<Vec<Event>, Problem> {
    let (from, ends) = match verdict {
        Verdict::Holds { from, ends } => (*from, *ends),
        Verdict::Silent => return Ok(Vec::new()),
        Verdict::Rejected(problem) => return Err(Problem::Row(problem.clone())),
    };
    let Some(event) = there(from)? else { return Ok(Vec::new()) };
    let end = ends.map(|end| Event::new(end, Action::Delete, event.element.clone()));
    Ok([Some(event), end].into_iter().flatten().collect())
}

fn send(
    read: Result<Vec<Event>, Problem>,
    line: u64,
    verdict: &mut Verdict,
    sink: &mut dyn Sink,
) -> Result<(), SourceError> {
    match read {
        Ok(events) => events.into_iter().for_each(|event| sink.record(Record::Event(event), line)),
        Err(Problem::Source(error)) => return Err(error),
        Err(Problem::Row(problem) | Problem::Of(_, problem)) => {
            sink.reject(line, Reason::Malformed(problem));
            *verdict = Verdict::Silent;
        }
    }
    Ok(())
}
