//! Nodes by what people type.

use std::sync::Arc;

use axum::response::Response;
use serde::{Deserialize, Serialize};
use timeweft::read::query::{Find, Matched};
use timeweft::read::{GraphView, NodeIndex};
use timeweft::{At, Deletes, View};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::lookup;
use crate::app::App;
use crate::asking::{Asked, Clocks, CommitParameter, Question};
use crate::problem::Problem;
use crate::wire::{DeletesText, Head, Life, NodeRef};

pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(search))
}

/// Letters of a question, at most.
const LONGEST: usize = 1_000;

/// What is looked for.
#[derive(Deserialize, IntoParams, Debug, Default)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Words, or the beginning of an id. Left out, the nodes of most edges at the time.
    q: Option<String>,
    /// Only nodes of this type; may be given several times.
    r#type: Vec<String>,
    /// Only nodes that are alive at this time: ticks, RFC 3339, or `namespace@version`; left out, all that ever lived.
    at: Option<String>,
    /// Whether deleted nodes count as alive.
    #[param(inline)]
    deletes: Option<DeletesText>,
    /// Nodes at most: 50 if left out, at most 1,000.
    limit: Option<usize>,
}

impl Question for Wanted {
    const CLOCKS: Clocks = Clocks::Commit;
}

/// What was found: by ids that begin so, then by names, then by words in texts; of each by name.
#[derive(Serialize, ToSchema)]
struct SearchAnswer {
    #[serde(flatten)]
    head: Head,
    nodes: Vec<FoundNode>,
    /// How many there are; null where not all had to be looked at.
    total: Option<u64>,
}

#[derive(Serialize, ToSchema)]
struct FoundNode {
    #[serde(flatten)]
    node: NodeRef,
    lives: Vec<Life>,
    matched: MatchedBy,
    /// The text around the words, where they are not in id or name.
    excerpt: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum MatchedBy {
    Id,
    Name,
    Text,
}

/// Nodes by what people type: ids that begin with it, names that it begins a word of, then words in other texts.
///
/// Names and texts count that a node has or ever had. Case does not matter.
#[utoipa::path(get, path = "/v1/graphs/{graph}/search", tag = "nodes",
    params(Wanted, CommitParameter, ("graph" = String, Path)), responses((status = 200, body = SearchAnswer)))]
async fn search(asked: Asked<Wanted>) -> Result<Response, Problem> {
    let (view, is_first) = (asked.view().clone(), asked.query.q.as_deref().is_none_or(|q| q.trim().is_empty()));
    let answered = asked.answer(|asked, _| answer(asked)).await;
    if is_first && answered.is_ok() {
        // Whoever looks at what there is will type next.
        tokio::task::spawn_blocking(move || timeweft::read::damage::catch(|| view.index().prepare_find()));
    }
    answered
}

fn answer(asked: &Asked<Wanted>) -> Result<SearchAnswer, Problem> {
    let (view, wanted) = (asked.view(), &asked.query);
    let limit = wanted.limit.unwrap_or(50);
    let most = asked.app.limits.rows;
    if limit == 0 || limit > most {
        return Err(Problem::bad(format!("limit: expected 1 to {most}, got {limit}")));
    }
    let text = wanted.q.as_deref().unwrap_or_default().trim();
    if text.chars().count() > LONGEST {
        return Err(Problem::bad(format!("q: more than {LONGEST} letters")));
    }
    let types = lookup::node_types(view, &wanted.r#type)?;
    let at = asked.pinned.at(wanted.at.as_deref(), wanted.deletes.map(Deletes::from))?;
    let head = Head::new(view.unit(), view.commit(), at);
    if text.is_empty() {
        let (busiest, total) = view.index().busiest(&types, at, limit);
        let nodes = busiest.into_iter().map(|node| found(view, node, Matched::Name, "")).collect();
        return Ok(SearchAnswer { head, nodes, total: Some(total as u64) });
    }
    let only: Option<At> = wanted.at.is_some().then_some(at);
    let all = view.index().find(Find { text, types: &types, at: only, limit });
    let nodes = all.nodes.into_iter().map(|(node, by)| found(view, node, by, text)).collect();
    Ok(SearchAnswer { head, nodes, total: all.total.map(|total| total as u64) })
}

fn found(view: &View, node: NodeIndex, by: Matched, text: &str) -> FoundNode {
    let named = lookup::node_ref_of(view, node);
    let lives = view.index().node_history(&view.index().node_key(node));
    let excerpt = match by {
        Matched::Text => view.index().excerpt(node, text),
        // A name that it had before is told, for it is not the one that is shown.
        Matched::Name if !text.is_empty() => {
            view.index().excerpt(node, text).filter(|found| named.name.as_deref() != Some(&**found))
        }
        _ => None,
    };
    FoundNode {
        node: named,
        lives: lives.iter().map(|life| Life::of(view.unit(), life.interval)).collect(),
        matched: match by {
            Matched::Id => MatchedBy::Id,
            Matched::Name => MatchedBy::Name,
            Matched::Text => MatchedBy::Text,
        },
        excerpt: excerpt.map(|text| text.to_string()),
    }
}
