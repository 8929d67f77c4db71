//! Nodes with the times as of which they are asked about: as JSON, or as an Arrow stream.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use timeweft::load::Frame;
use timeweft::read::roots::{Root, Subject};
use timeweft::read::{ExternalId, NodeIndex, RootsReader};
use timeweft::sample::{AsOf, EdgeTypes, NO_NODE, Scope};
use timeweft::{At, Deletes, NodeKey, Time, View};
use utoipa::ToSchema;

use super::lookup;
use super::neighbors::Sides;
use super::query::IdText;
use crate::arrow_body;
use crate::asking::{Asked, Question, Received};
use crate::pinned::Pinned;
use crate::problem::{Code, Problem};
use crate::wire::DeletesText;

/// Slots of an answer, at most.
pub(super) const MOST_SLOTS: usize = 1 << 22;

/// The clocks of a question whose options stand beside its roots.
pub(super) trait Options: Question + Default + PartialEq {
    fn clocks(&self) -> (Option<u64>, Option<&str>, Option<DeletesText>);
}

/// A root.
#[derive(Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct RootText {
    /// May be left out where the graph has one type of nodes.
    #[serde(default)]
    r#type: Option<String>,
    id: IdText,
    /// Ticks as a number or text, RFC 3339, or `namespace@version`; left out, the `at` of the question.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    time: Option<TimeText>,
}

#[derive(Deserialize, Debug)]
#[serde(untagged)]
enum TimeText {
    Ticks(i64),
    Text(String),
}

/// Roots as the graph knows them.
#[derive(Default)]
pub(super) struct Roots {
    pub(super) keys: Vec<NodeKey>,
    /// [`NO_NODE`] for those that the graph never had.
    pub(super) nodes: Vec<NodeIndex>,
    pub(super) times: Vec<Time>,
}

impl Roots {
    pub(super) fn unknown(&self) -> u64 {
        self.nodes.iter().filter(|node| **node == NO_NODE).count() as u64
    }

    fn push(&mut self, view: &View, key: NodeKey, time: Time) {
        self.nodes.push(view.index().node_index(&key).unwrap_or(NO_NODE));
        self.keys.push(key);
        self.times.push(time);
    }
}

/// The options of a body or query, and the roots still to be read.
pub(super) enum Given {
    Texts(Vec<RootText>),
    Stream(Received),
}

/// The options of a question, and where its roots stand: options stand in the body where that is JSON, in the query where it is
/// an Arrow stream.
pub(super) async fn read<O: Options>(asked: Asked<O>, body: Received) -> Result<(Asked<O>, Given), Problem> {
    let (options, given) = if body.is_arrow() {
        (None, Given::Stream(body))
    } else {
        if asked.query != O::default() {
            return Err(Problem::bad("the options stand in the body where that is JSON, not in the query"));
        }
        let (options, roots) = of_json(&body, asked.app.limits.roots)?;
        (Some(options), Given::Texts(roots))
    };
    let mut asked = asked;
    if let Some(options) = options {
        asked.query = options;
    }
    let (commit, at, deletes) = asked.query.clocks();
    let at = at.map(str::to_owned);
    Ok((asked.pin(commit, at.as_deref(), deletes).await?, given))
}

fn of_json<O: DeserializeOwned>(body: &Received, most: usize) -> Result<(O, Vec<RootText>), Problem> {
    let mut fields: serde_json::Map<String, Json> = body.json()?;
    let roots = fields.remove("roots").ok_or_else(|| Problem::bad("roots: they are missing from the body"))?;
    if roots.as_array().is_some_and(|roots| roots.len() > most) {
        return Err(too_many(most));
    }
    let roots = serde_json::from_value(roots).map_err(|error| Problem::bad(format!("roots: {error}")))?;
    let options = serde_json::from_value(Json::Object(fields));
    Ok((options.map_err(|error| Problem::bad(format!("the body: {error}")))?, roots))
}

fn too_many(most: usize) -> Problem {
    Problem::new(Code::TooLarge, format!("roots: more than {most}")).hint("Ask in several requests.")
}

impl Given {
    /// Finds the roots in the graph.
    pub(super) fn find(self, pinned: &Pinned, at: At, most: usize) -> Result<Roots, Problem> {
        let (view, only) = (pinned.view(), only_type(pinned.view()));
        let mut found = Roots::default();
        match self {
            Given::Texts(roots) => {
                for (place, root) in roots.into_iter().enumerate() {
                    let time = match &root.time {
                        None => at.time,
                        Some(TimeText::Ticks(ticks)) => Time(*ticks),
                        Some(TimeText::Text(text)) => pinned.time(&format!("roots[{place}].time"), text)?,
                    };
                    let place = || format!("roots[{place}].type");
                    found.push(view, key(view, root.r#type.as_deref(), root.id.0, only.as_deref(), place)?, time);
                }
            }
            Given::Stream(body) => {
                let wrong = |problem: String| Problem::bad(format!("the Arrow stream: {problem}"));
                let stream = arrow_body::reader(body.bytes).map_err(|error| wrong(error.to_string()))?;
                let frame = Frame::once("roots", Box::new(stream));
                let mut reader =
                    RootsReader::of_frame(&frame, view.unit()).map_err(|error| wrong(error.to_string()))?;
                while let Some(Root { place, subject, time }) =
                    reader.advance().map_err(|error| wrong(error.to_string()))?
                {
                    let Subject::Node { node_type, id } = subject else {
                        return Err(wrong("it names edges: give the columns type, id and time of nodes".into()));
                    };
                    if found.keys.len() == most {
                        return Err(too_many(most));
                    }
                    let key = key(view, node_type.as_deref(), id, only.as_deref(), || place.to_string())?;
                    found.push(view, key, time.unwrap_or(at.time));
                }
            }
        }
        Ok(found)
    }
}

/// The type of roots that name none.
fn only_type(view: &View) -> Option<String> {
    match view.schema().node_types() {
        [only] => Some(only.name.to_string()),
        _ => None,
    }
}

fn key(
    view: &View,
    of_type: Option<&str>,
    id: ExternalId,
    only: Option<&str>,
    place: impl Fn() -> String,
) -> Result<NodeKey, Problem> {
    let of_type = of_type
        .or(only)
        .ok_or_else(|| Problem::bad(format!("{}: it is missing, and the graph has several types of nodes", place())))?;
    lookup::node_type(view, of_type)
        .map_err(|problem| Problem { message: format!("{}: {}", place(), problem.message), ..problem })?;
    Ok(NodeKey::new(of_type, id))
}

/// Which edges are seen: of some types, on some sides, as of when.
pub(super) fn scope(
    view: &View,
    edge_types: &[String],
    side: Sides,
    (inclusive, deletes): (bool, Deletes),
    within: Option<&str>,
) -> Result<Scope, Problem> {
    let found = edge_types.iter().map(|name| lookup::edge_types(view, name)).collect::<Result<Vec<_>, _>>()?.concat();
    let types = if edge_types.is_empty() { EdgeTypes::All } else { EdgeTypes::Only(found) };
    let scope = Scope::new(types, side.into(), as_of(inclusive)).deletes(deletes);
    let Some(within) = within else { return Ok(scope) };
    let ticks = view.unit().length(within).map_err(|error| Problem::bad(format!("within: {error}")))?;
    Ok(scope.within(ticks))
}

pub(super) fn as_of(inclusive: bool) -> AsOf {
    if inclusive { AsOf::At } else { AsOf::Before }
}

/// An error where an answer would have too many slots.
pub(super) fn check_slots(roots: usize, slots: Option<usize>) -> Result<(), Problem> {
    let all = slots.and_then(|slots| slots.checked_mul(roots));
    if all.is_some_and(|all| all <= MOST_SLOTS) {
        return Ok(());
    }
    let message = format!("the answer may have more than {MOST_SLOTS} rows");
    Err(Problem::new(Code::TooLarge, message).hint("Ask for fewer roots, neighbors, hops or steps at once."))
}

/// An answer in rows.
#[derive(Serialize, ToSchema)]
pub(super) struct RowsAnswer {
    commit: u64,
    roots: u64,
    /// Roots that the graph never had: they have no row of their own.
    unknown: u64,
    /// The columns of the Arrow stream as fields of an object a row; times are ticks as text.
    #[schema(value_type = Vec<Object>)]
    rows: Vec<Json>,
}

impl RowsAnswer {
    pub(super) fn new(view: &View, roots: &Roots, table: &timeweft_arrow::Table) -> Result<RowsAnswer, Problem> {
        let (commit, n) = (view.commit().0, roots.keys.len() as u64);
        Ok(RowsAnswer { commit, roots: n, unknown: roots.unknown(), rows: super::rows::objects(table)? })
    }
}
