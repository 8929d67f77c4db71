//! A node at a time, and the values of its features through time.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::response::Response;
use serde::{Deserialize, Serialize};
use timeweft::read::{FeatureSpan, GraphView, Life as LifeOf, MergeRecord, Owner};
use timeweft::{At, Deletes, NodeKey, Time, View};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::neighbors::OneSide;
use super::{lookup, values};
use crate::app::App;
use crate::asking::{Asked, AtParameters, Clocks, CommitParameter, Question};
use crate::problem::Problem;
use crate::wire::{Head, Life, Moment, NodeRef};

pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(node)).routes(routes!(tracks))
}

/// What is known of a node.
#[derive(Serialize, ToSchema)]
struct NodeAnswer {
    #[serde(flatten)]
    head: Head,
    #[serde(flatten)]
    node: NodeRef,
    state: NodeState,
    /// Shown because deletes are soft.
    deleted: bool,
    lives: Vec<Life>,
    features: Vec<Feature>,
    /// Numbers of edges at the time, by type and side.
    relations: Vec<Relation>,
    /// What it had become by the time.
    became: Vec<Became>,
    /// What had become it by the time.
    came_from: Vec<CameFrom>,
    /// The node that it is at the time, through all merges that hold; null: itself.
    resolves_to: Option<NodeRef>,
    /// Who holds it; the first one speaks for it.
    namespaces: Vec<String>,
}

/// Whether a node lives at a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum NodeState {
    Alive,
    /// It has not lived yet.
    NotYet,
    /// It lives no more.
    Over,
    /// It has lived, and will again.
    Between,
}

/// A value that holds at the time, and since and until when.
#[derive(Serialize, ToSchema)]
struct Feature {
    name: String,
    kind: String,
    value: values::Held,
    from: Moment,
    until: Option<Moment>,
}

#[derive(Serialize, ToSchema)]
struct Relation {
    source: String,
    relation: String,
    destination: String,
    side: OneSide,
    n: u64,
}

#[derive(Serialize, ToSchema)]
struct Became {
    into: NodeRef,
    from: Moment,
    until: Option<Moment>,
    /// What is said of the merge.
    features: values::Features,
}

#[derive(Serialize, ToSchema)]
struct CameFrom {
    node: NodeRef,
    from: Moment,
    until: Option<Moment>,
}

/// A node at a time: features, lives, edges by type, what it became and what became it.
///
/// A node that lived but is not alive answers too, with its state; 404 where it was never there.
#[utoipa::path(get, path = "/v1/graphs/{graph}/nodes/{type}/{id}", tag = "nodes",
    params(AtParameters, ("graph" = String, Path), ("type" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = NodeAnswer)))]
async fn node(asked: Asked) -> Result<Response, Problem> {
    asked.answer_at_once(|asked| answer(asked.view(), asked.part("type"), asked.part("id"), asked.at))
}

fn answer(view: &View, of_type: &str, id: &str, at: At) -> Result<NodeAnswer, Problem> {
    let (index, unit) = (view.index(), view.unit());
    let (key, number) = lookup::node(view, of_type, id)?;
    let history = index.node_history(&key);
    let state = state(&history, at.time);
    let shown = shown(&history, at);
    let features = shown.map_or_else(Vec::new, |(life, time)| features(view, &key, life, time));
    let merges = index.merges_of(&key).into_iter().filter(|merge| merge.interval.created <= at.time);
    let (became, came): (Vec<MergeRecord>, Vec<MergeRecord>) = merges.partition(|merge| merge.from == key);
    let target = index.resolve(&key, at.time);
    let soft = At { deletes: Deletes::Soft, ..at };
    Ok(NodeAnswer {
        head: Head::new(unit, view.commit(), at),
        node: lookup::node_ref_of(view, number),
        state,
        deleted: shown.is_some() && state != NodeState::Alive,
        lives: history.iter().map(|life| Life::of(unit, life.interval)).collect(),
        features,
        relations: relations(view, &key, at),
        became: became
            .iter()
            .map(|merge| Became {
                into: lookup::node_ref(view, &merge.into),
                from: Moment::of(unit, merge.interval.created),
                until: Moment::open(unit, merge.interval.removed),
                features: values::features(&merge.features),
            })
            .collect(),
        came_from: came
            .iter()
            .map(|merge| CameFrom {
                node: lookup::node_ref(view, &merge.from),
                from: Moment::of(unit, merge.interval.created),
                until: Moment::open(unit, merge.interval.removed),
            })
            .collect(),
        resolves_to: (target != key).then(|| lookup::node_ref(view, &target)),
        namespaces: index.namespaces_of(&key, soft).iter().map(ToString::to_string).collect(),
    })
}

fn state(history: &[LifeOf], time: Time) -> NodeState {
    let begun = |life: &&LifeOf| life.interval.created <= time;
    if history.iter().any(|life| life.interval.contains(time)) {
        return NodeState::Alive;
    }
    match (history.iter().find(begun), history.iter().find(|life| !begun(life))) {
        (None, _) => NodeState::NotYet,
        (Some(_), Some(_)) => NodeState::Between,
        (Some(_), None) => NodeState::Over,
    }
}

/// The life that a moment shows, and the time at which its features are read.
fn shown(history: &[LifeOf], at: At) -> Option<(&LifeOf, Time)> {
    let latest = history.iter().rfind(|life| life.interval.created <= at.time)?;
    match latest.interval.contains(at.time) {
        true => Some((latest, at.time)),
        false if at.deletes == Deletes::Soft => Some((latest, latest.interval.removed.before())),
        false => None,
    }
}

fn kind(view: &View, key: &NodeKey, feature: &str) -> String {
    let of_type = view.schema().node_type(&key.node_type).map(Owner::Node);
    let def = of_type.and_then(|owner| view.schema().feature(owner, feature));
    def.map_or_else(String::new, |(_, def)| def.kind.to_string())
}

fn features(view: &View, key: &NodeKey, life: &LifeOf, time: Time) -> Vec<Feature> {
    let held = life.features.iter().filter(|span| span.interval.contains(time));
    held.map(|span| Feature {
        name: span.name.to_string(),
        kind: kind(view, key, &span.name),
        value: values::value(&span.value),
        from: Moment::of(view.unit(), span.interval.created),
        until: Moment::open(view.unit(), span.interval.removed),
    })
    .collect()
}

fn relations(view: &View, key: &NodeKey, at: At) -> Vec<Relation> {
    let schema = view.schema();
    let counts = view.index().incident_counts(key, at).into_iter();
    let mut rows: Vec<Relation> = counts
        .map(|(edge_type, direction, n)| {
            let of = &schema.edge_types()[edge_type.at()];
            Relation {
                source: schema.node_type_name(of.source).to_string(),
                relation: of.relation.to_string(),
                destination: schema.node_type_name(of.destination).to_string(),
                side: direction.into(),
                n: n as u64,
            }
        })
        .collect();
    rows.sort_by(|a, b| {
        (&a.relation, a.side, &a.source, &a.destination).cmp(&(&b.relation, b.side, &b.source, &b.destination))
    });
    rows
}

/// Values of a feature, at most.
const MOST_VALUES: usize = 500;

/// In which window.
#[derive(Deserialize, IntoParams, Debug, Default)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct Window {
    /// First tick: ticks, RFC 3339, or `namespace@version`; left out, the beginning of time.
    from: Option<String>,
    /// Last tick; left out, the end of time.
    to: Option<String>,
}

impl Question for Window {
    const CLOCKS: Clocks = Clocks::Commit;
}

/// Values through time.
#[derive(Serialize, ToSchema)]
struct Tracks {
    commit: u64,
    tracks: Vec<Track>,
}

/// The values of one feature, in order of time.
#[derive(Serialize, ToSchema)]
struct Track {
    feature: String,
    kind: String,
    /// At most 500, the newest.
    values: Vec<Held>,
    left_out: u64,
}

#[derive(Serialize, ToSchema)]
struct Held {
    value: values::Held,
    from: Moment,
    until: Option<Moment>,
}

/// The values of each feature of a node through a window of time.
#[utoipa::path(get, path = "/v1/graphs/{graph}/nodes/{type}/{id}/tracks", tag = "nodes",
    params(Window, CommitParameter, ("graph" = String, Path), ("type" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = Tracks)))]
async fn tracks(asked: Asked<Window>) -> Result<Response, Problem> {
    asked
        .answer(|asked, _| {
            let (pinned, window) = (&asked.pinned, &asked.query);
            let from = window.from.as_deref().map_or(Ok(Time::MIN), |text| pinned.time("from", text))?;
            let to = window.to.as_deref().map_or(Ok(Time::FOREVER), |text| pinned.time("to", text))?;
            let (key, _) = lookup::node(asked.view(), asked.part("type"), asked.part("id"))?;
            Ok(Tracks { commit: asked.view().commit().0, tracks: tracks_of(asked.view(), &key, (from, to)) })
        })
        .await
}

fn tracks_of(view: &View, key: &NodeKey, (from, to): (Time, Time)) -> Vec<Track> {
    let mut by_name: BTreeMap<String, Vec<FeatureSpan>> = BTreeMap::new();
    for span in view.index().node_history(key).into_iter().flat_map(|life| life.features) {
        if span.interval.created <= to && span.interval.removed > from {
            by_name.entry(span.name.to_string()).or_default().push(span);
        }
    }
    let track = |(feature, spans): (String, Vec<FeatureSpan>)| {
        let left_out = spans.len().saturating_sub(MOST_VALUES);
        let values = spans[left_out..].iter().map(|span| Held {
            value: values::value(&span.value),
            from: Moment::of(view.unit(), span.interval.created),
            until: Moment::open(view.unit(), span.interval.removed),
        });
        let (kind, values) = (kind(view, key, &feature), values.collect());
        Track { feature, kind, values, left_out: left_out as u64 }
    };
    by_name.into_iter().map(track).collect()
}
