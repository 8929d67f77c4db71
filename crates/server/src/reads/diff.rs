//! What differs between two states of a graph.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::response::Response;
use serde::{Deserialize, Serialize};
use timeweft::read::{Change as ChangeOf, ChangeCounts, ChangeKind, ChangePlace, Changes, MergeRecord, Moments, Owner};
use timeweft::{At, Element, Time, View};
use timeweft_arrow::Difference;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::pages::{self, Page};
use super::{loads, lookup, values};
use crate::answer::Form;
use crate::app::App;
use crate::asking::{Asked, Clocks, CommitParameter, Question};
use crate::pinned::Pinned;
use crate::problem::Problem;
use crate::wire::{Counts, EdgeRef, Moment, NodeRef};

pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(diff))
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Created,
    Updated,
    Removed,
    Merged,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum What {
    Node,
    Edge,
    Merge,
}

impl From<ChangeKind> for Kind {
    fn from(kind: ChangeKind) -> Kind {
        match kind {
            ChangeKind::Created => Kind::Created,
            ChangeKind::Updated => Kind::Updated,
            ChangeKind::Removed => Kind::Removed,
        }
    }
}

/// Which states, and which of the changes.
#[derive(Deserialize, IntoParams, Debug, Default)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// The earlier time: ticks, RFC 3339, or `namespace@version`; left out, that of `to`: then commits differ.
    from: Option<String>,
    /// The later time; left out, the end of time.
    to: Option<String>,
    /// Commit of the earlier state; left out, that of the later one.
    from_commit: Option<u64>,
    /// Commit of the later state; left out, the newest.
    to_commit: Option<u64>,
    /// Only what this namespace holds; then `from` and `to` may be names of its versions.
    namespace: Option<String>,
    /// Only nodes of this type, or edges of this type as `user -buys-> item`.
    r#type: Option<String>,
    /// Only such changes.
    #[param(inline)]
    change: Option<Kind>,
    /// Only changes of such elements.
    #[param(inline)]
    what: Option<What>,
    /// Changes of a page: 50 if left out, at most 1,000; 0: the summary alone.
    limit: Option<usize>,
    /// Where the list goes on, as `next` gave it.
    cursor: Option<String>,
}

impl Question for Wanted {
    const CLOCKS: Clocks = Clocks::Commit;

    fn commit(&self) -> Result<Option<u64>, Problem> {
        let (own, of_cursor) = (self.to_commit, pages::commit_of(self.cursor.as_deref())?);
        match (own, of_cursor) {
            (Some(own), Some(other)) if own != other => {
                Err(Problem::bad(format!("cursor: it is of commit {other}, and to_commit is {own}")))
            }
            _ => Ok(own.or(of_cursor)),
        }
    }
}

/// How much differs, and a page of what.
#[derive(Serialize, ToSchema)]
struct DiffAnswer {
    #[serde(flatten)]
    page: Page,
    /// Null: the end of time, as of `to`.
    from: Option<Moment>,
    to: Option<Moment>,
    from_commit: u64,
    to_commit: u64,
    namespace: Option<String>,
    summary: Summary,
    changes: Vec<Change>,
}

/// Numbers of all changes, whatever is listed.
#[derive(Serialize, ToSchema)]
struct Summary {
    nodes: Counts,
    edges: Counts,
    merged: u64,
    types: Vec<TypeCounts>,
}

#[derive(Serialize, ToSchema)]
struct TypeCounts {
    what: What,
    /// Of an edge type `user -buys-> item`.
    r#type: String,
    #[serde(flatten)]
    counts: Counts,
}

/// A change: nodes before edges before merges; of each what was created, then updated, then removed, by name.
#[derive(Serialize, ToSchema)]
#[serde(tag = "what", rename_all = "lowercase")]
enum Change {
    Node {
        change: Kind,
        node: NodeRef,
        /// Of an update those that differ, else all; null where it was not there.
        before: Option<values::Features>,
        after: Option<values::Features>,
    },
    Edge {
        change: Kind,
        edge: EdgeRef,
        before: Option<values::Features>,
        after: Option<values::Features>,
    },
    Merge {
        change: Kind,
        from: NodeRef,
        into: NodeRef,
        at: Moment,
    },
}

/// What differs between two times, two commits, or both: how much, and a page of it with values before and after.
///
/// What began and ended between the two does not show. As JSON lines all changes come, without pages; as an Arrow stream those
/// of nodes, edges or merges, as `what` says.
#[utoipa::path(get, path = "/v1/graphs/{graph}/diff", tag = "nodes",
    params(Wanted, CommitParameter, ("graph" = String, Path)),
    responses((status = 200, content((DiffAnswer = "application/json"), (Change = "application/x-ndjson"),
        (Vec<u8> = "application/vnd.apache.arrow.stream")))))]
async fn diff(asked: Asked<Wanted>) -> Result<Response, Problem> {
    let commit = asked.query.from_commit.unwrap_or(asked.pinned.commit().0);
    let before = match commit == asked.pinned.commit().0 {
        true => asked.pinned.clone(),
        false => asked.graph.at(Some(commit)).await?,
    };
    let states = States::of(&asked, before)?;
    match asked.form {
        Form::Json => asked.answer(move |asked, _| states.page(asked)).await,
        Form::Lines => asked.lines(move |asked, lines| states.each(asked, |change| lines.push(&change))).await,
        Form::Arrow => asked.arrow(move |asked| states.table(&asked.query)).await,
    }
}

/// The two states.
struct States {
    before: Arc<Pinned>,
    after: Arc<Pinned>,
    from: Time,
    to: Time,
    namespace: Option<String>,
}

impl States {
    fn of(asked: &Asked<Wanted>, before: Arc<Pinned>) -> Result<States, Problem> {
        let (wanted, after) = (&asked.query, asked.pinned.clone());
        if wanted.from.is_none() && before.commit() == after.commit() {
            return Err(Problem::bad("say what to compare: two times by `from` and `to`, or two commits")
                .hint("Give from=, or from_commit= and to_commit=."));
        }
        let namespace = wanted.namespace.clone();
        if let Some(name) = &namespace {
            loads::known_namespace(&after, name)?;
        }
        let moment = |pinned: &Pinned, parameter: &str, text: &str| {
            let moments = Moments::new(pinned.graph(), pinned.commit());
            moments.read(parameter, text, namespace.as_deref())
        };
        let to = wanted.to.as_deref().map_or(Ok(Time::FOREVER), |text| moment(&after, "to", text))?;
        let from = match (&wanted.from, &wanted.to) {
            (Some(text), _) => moment(&before, "from", text)?,
            (None, Some(text)) => moment(&before, "to", text)?,
            (None, None) => Time::FOREVER,
        };
        Ok(States { before, after, from, to, namespace })
    }

    /// The changes: found once, and kept for the next pages.
    fn changes(&self) -> Changes<'_> {
        let comparison = self
            .after
            .view()
            .index()
            .compare_from((self.before.view().index(), At::time(self.from)), At::time(self.to));
        let comparison = match &self.namespace {
            Some(namespace) => comparison.of_namespace(namespace),
            None => comparison,
        };
        let key = (self.from, self.to, self.namespace.clone());
        if let Some(list) = self.after.kept_changes(&self.before, &key) {
            return comparison.changes_of(list);
        }
        let changes = comparison.changes();
        self.after.keep_changes(&self.before, key, changes.list());
        changes
    }

    fn page(&self, asked: &Asked<Wanted>) -> Result<DiffAnswer, Problem> {
        let wanted = &asked.query;
        let changes = self.changes();
        let (view, summary) = (self.after.view(), summary(&changes));
        let (page, listed) = if wanted.limit == Some(0) {
            (Page { next: None, total: None }, Vec::new())
        } else {
            let page = pages::wanted(wanted.limit, wanted.cursor.as_deref(), asked.app.limits.rows)?;
            let mut places: Vec<Place> = self.places(&changes, wanted).skip(page.start).take(page.len() + 1).collect();
            let page = pages::cut(&mut places, &page, view.commit().0, None);
            (page, places.into_iter().map(|place| self.change(&changes, place)).collect())
        };
        let moment = |time: Time| Moment::open(view.unit(), time);
        Ok(DiffAnswer {
            page,
            from: moment(self.from),
            to: moment(self.to),
            from_commit: self.before.commit().0,
            to_commit: view.commit().0,
            namespace: self.namespace.clone(),
            summary,
            changes: listed,
        })
    }

    fn each(&self, asked: &Asked<Wanted>, mut each: impl FnMut(Change) -> Result<(), Problem>) -> Result<(), Problem> {
        let changes = self.changes();
        self.places(&changes, &asked.query).try_for_each(|place| each(self.change(&changes, place)))
    }

    fn table(&self, wanted: &Wanted) -> Result<timeweft_arrow::Table, Problem> {
        if wanted.r#type.is_some() || wanted.change.is_some() {
            let message = "type, change: an Arrow stream has all changes of one kind of element";
            return Err(Problem::bad(message).hint("Leave them out, and filter the table."));
        }
        let state = |pinned: &Pinned, time| (pinned.view().clone(), At::time(time));
        let mut difference = Difference::new(state(&self.before, self.from), state(&self.after, self.to));
        if let Some(namespace) = &self.namespace {
            difference = difference.of_namespace(namespace);
        }
        let missing = || {
            Problem::bad("what: an Arrow stream has one kind of element")
                .hint("Give what=node, what=edge or what=merge.")
        };
        match wanted.what.ok_or_else(missing)? {
            What::Node => Ok(difference.nodes()?),
            What::Edge => Ok(difference.edges()?),
            What::Merge => Ok(difference.merges()?),
        }
    }

    /// Where the changes are that are wanted, in order.
    fn places<'a>(&'a self, changes: &'a Changes<'_>, wanted: &'a Wanted) -> impl Iterator<Item = Place> + 'a {
        let elements = changes.places().filter(|place| wanted.takes(changes, *place)).map(Place::Element);
        let has_merges = wanted.what.is_none_or(|what| what == What::Merge)
            && wanted.change.is_none_or(|change| change == Kind::Merged)
            && wanted.r#type.is_none();
        elements.chain(changes.merged().filter(move |_| has_merges).map(|merge| Place::Merge(Box::new(merge))))
    }

    fn change(&self, changes: &Changes<'_>, place: Place) -> Change {
        let view = self.after.view();
        let place = match place {
            Place::Element(place) => place,
            Place::Merge(merge) => {
                let [from, into] = [&merge.from, &merge.into].map(|key| lookup::node_ref(view, key));
                return Change::Merge {
                    change: Kind::Merged,
                    from,
                    into,
                    at: Moment::of(view.unit(), merge.interval.created),
                };
            }
        };
        let found: ChangeOf = changes.change(place);
        let [before, after] = changes.values(&found).map(|values| values.map(|values| values::features(&values)));
        // What the later state never saw is named by the earlier one.
        let named_by = |is_known: bool| -> &View { if is_known { view } else { self.before.view() } };
        let change = found.kind.into();
        match &found.element {
            Element::Node(key) => {
                let node = lookup::node_ref(named_by(view.index().node_index(key).is_some()), key);
                Change::Node { change, node, before, after }
            }
            Element::Edge(key) => {
                let edge = lookup::edge_ref(named_by(view.index().edge_index(key).is_some()), key);
                Change::Edge { change, edge, before, after }
            }
            Element::Merge { from, into } => {
                let [from, into] = [from, into].map(|key| lookup::node_ref(view, key));
                Change::Merge { change: Kind::Merged, from, into, at: Moment::of(view.unit(), self.to) }
            }
        }
    }
}

/// Where a change is found.
enum Place {
    Element(ChangePlace),
    Merge(Box<MergeRecord>),
}

impl Wanted {
    fn takes(&self, changes: &Changes<'_>, place: ChangePlace) -> bool {
        let (schema, owner) = changes.owner(place);
        let what = if matches!(owner, Owner::Node(_)) { What::Node } else { What::Edge };
        self.change.is_none_or(|change| change == place.kind.into())
            && self.what.is_none_or(|wanted| wanted == what)
            && self.r#type.as_ref().is_none_or(|name| schema.owner_name(owner) == *name)
    }
}

fn summary(changes: &Changes<'_>) -> Summary {
    let (nodes, edges, merged) = changes.counts();
    let counts = |of: ChangeCounts| Counts {
        created: of.created as u64,
        updated: of.updated as u64,
        removed: of.removed as u64,
    };
    // By number first: a name a change would be many.
    let mut by_owner: BTreeMap<(bool, Owner), Counts> = BTreeMap::new();
    let mut names: BTreeMap<(bool, Owner), String> = BTreeMap::new();
    for place in changes.places() {
        let (schema, owner) = changes.owner(place);
        let of = (std::ptr::eq(schema, changes.schema()), owner);
        let counts = by_owner.entry(of).or_default();
        match place.kind {
            ChangeKind::Created => counts.created += 1,
            ChangeKind::Updated => counts.updated += 1,
            ChangeKind::Removed => counts.removed += 1,
        }
        names.entry(of).or_insert_with(|| schema.owner_name(owner));
    }
    let mut types: BTreeMap<(What, String), Counts> = BTreeMap::new();
    for (of, counts) in by_owner {
        let what = if matches!(of.1, Owner::Node(_)) { What::Node } else { What::Edge };
        let all = types.entry((what, names.remove(&of).unwrap_or_default())).or_default();
        all.created += counts.created;
        all.updated += counts.updated;
        all.removed += counts.removed;
    }
    let types = types.into_iter().map(|((what, r#type), counts)| TypeCounts { what, r#type, counts }).collect();
    Summary { nodes: counts(nodes), edges: counts(edges), merged: merged as u64, types }
}
