//! Questions of hierarchies and names.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::response::Response;
use serde::{Deserialize, Serialize};
use timeweft::read::query::{Answer, Filter, Linked, Order, Page as Rows, Query, QueryError, Row, SearchText};
use timeweft::read::{ExternalId, MergeRecord, Owner};
use timeweft::{NodeKey, View};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{lookup, values};
use crate::app::App;
use crate::asking::{Asked, NoQuery, Received};
use crate::problem::Problem;
use crate::wire::{DeletesText, EdgeRef, Head, Life, Moment, NodeRef};

pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(query))
}

/// What is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Question {
    /// These nodes, as far as they are alive (`ids`).
    Get,
    /// Nodes of exactly this name, case aside (`text`); with `within` only those below an ancestor.
    Name,
    /// Nodes whose name has these words (`text`): `a,b` both, `a|b` either, `prefix:a` beginnings.
    Search,
    Parents,
    Children,
    Ancestors,
    Descendants,
    /// The other children of its parents.
    Siblings,
    /// All ancestors, roots first.
    Lineage,
    /// One hop away on either side, along any relation unless some are named.
    Related,
    /// Nodes of other types whose edges lead to it.
    Linked,
    /// Nodes of other types that its edges lead to.
    Links,
    /// The merges of these nodes that hold (`ids`); with `ever`, that ever held.
    Merges,
}

/// A question of a hierarchy with names.
#[derive(Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
#[schema(as = Query)]
struct Asking {
    question: Question,
    /// Type of the nodes.
    r#type: String,
    /// The node that a walk starts from.
    #[serde(default)]
    id: Option<IdText>,
    /// Nodes of `get` and `merges`.
    #[serde(default)]
    ids: Vec<IdText>,
    /// A name, or words.
    #[serde(default)]
    text: Option<String>,
    /// Walks along these relations; left out, along `is_a` and `child_of`.
    #[serde(default)]
    relations: Vec<String>,
    /// Walks along every relation.
    #[serde(default)]
    any_relation: bool,
    /// Hops at most: 100 if left out.
    #[serde(default)]
    depth: Option<u32>,
    /// Only nodes that have the node of this id as an ancestor (`name`).
    #[serde(default)]
    within: Option<IdText>,
    /// The feature that holds names; left out, `name` where nodes of the type have it, else their ids. `id` means the ids.
    #[serde(default)]
    named_by: Option<String>,
    /// Takes the words as they are, each as the beginning of one (`search`).
    #[serde(default)]
    prefix: bool,
    #[serde(default)]
    ever: bool,
    /// Only nodes whose name matches these words.
    #[serde(default)]
    matching: Option<String>,
    /// Only nodes of which each of these features is shown as one of its texts.
    #[serde(default)]
    r#where: BTreeMap<String, Vec<String>>,
    /// Or nodes of which one of these is.
    #[serde(default)]
    or_where: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    order: OrderText,
    /// Rows at most: 20 if left out, at most 1,000.
    #[serde(default)]
    limit: Option<usize>,
    /// Rows to leave out first, at most 100,000.
    #[serde(default)]
    offset: usize,
    /// Only these features of nodes; left out, all.
    #[serde(default)]
    select: Option<Vec<String>>,
    /// Time: ticks, RFC 3339, or `namespace@version`; left out, the end of time.
    #[serde(default)]
    at: Option<String>,
    #[serde(default)]
    commit: Option<u64>,
    #[serde(default)]
    deletes: Option<DeletesText>,
}

/// An id as text or as a whole number.
#[derive(Clone, Deserialize, ToSchema, Debug)]
#[schema(value_type = String)]
pub(crate) struct IdText(pub(crate) ExternalId);

/// In which order rows come; `search` and `lineage` have their own.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum OrderText {
    /// By type and id.
    #[default]
    Id,
    /// By name, then by id.
    Name,
}

/// The answer.
#[derive(Serialize, ToSchema)]
struct QueryAnswer {
    #[serde(flatten)]
    head: Head,
    /// How many rows there are on all pages.
    total: u64,
    /// How many of the linked nodes the conditions keep; null of other questions.
    accessible: Option<u64>,
    rows: Vec<QueryRow>,
    /// Of `merges` alone.
    merges: Vec<Merge>,
}

#[derive(Serialize, ToSchema)]
struct QueryRow {
    #[serde(flatten)]
    node: NodeRef,
    #[serde(flatten)]
    life: Life,
    deleted: bool,
    /// Fewest hops from the node that was asked about; 0 where none was.
    hops: u32,
    features: values::Features,
    /// The edges between the two, where the answer is one hop away.
    edges: Vec<EdgeRef>,
}

#[derive(Serialize, ToSchema)]
struct Merge {
    node: NodeRef,
    into: NodeRef,
    from: Moment,
    until: Option<Moment>,
    features: values::Features,
}

/// Questions of a hierarchy with names, such as an ontology or a taxonomy, as of a time: ancestors, descendants, names, merges.
#[utoipa::path(post, path = "/v1/graphs/{graph}/query", tag = "nodes", request_body = Asking,
    params(("graph" = String, Path)), responses((status = 200, body = QueryAnswer)))]
async fn query(asked: Asked<NoQuery>, body: Received) -> Result<Response, Problem> {
    let asking: Asking = body.json()?;
    let asked = asked.pin(asking.commit, asking.at.as_deref(), asking.deletes).await?;
    asked.answer(move |asked, _| asking.answer(asked)).await
}

fn wrong(error: QueryError) -> Problem {
    Problem::bad(error.to_string())
}

impl Asking {
    fn answer(&self, asked: &Asked<NoQuery>) -> Result<QueryAnswer, Problem> {
        let (view, head) = (asked.view(), asked.head());
        self.check(view)?;
        let query = self.query(asked)?;
        if self.question == Question::Merges {
            let keys = self.keys()?;
            let merges = if self.ever { query.merge_history(&keys) } else { query.merges_from(&keys) };
            let merges: Vec<Merge> = merges.map_err(wrong)?.iter().map(|merge| merge_of(view, merge)).collect();
            return Ok(QueryAnswer { head, total: merges.len() as u64, accessible: None, rows: Vec::new(), merges });
        }
        let (Answer { total, rows }, accessible) = self.ask(&query, asked)?;
        let rows = rows.into_iter().map(|row| row_of(view, row)).collect();
        Ok(QueryAnswer { head, total: total as u64, accessible, rows, merges: Vec::new() })
    }

    /// Names that the graph does not know are mistakes.
    fn check(&self, view: &View) -> Result<(), Problem> {
        lookup::node_type(view, &self.r#type)?;
        self.relations.iter().try_for_each(|relation| lookup::known_relation(view, relation))?;
        let mut features: Vec<&String> = self.r#where.keys().chain(self.or_where.keys()).collect();
        features.extend(self.select.iter().flatten());
        features.extend(self.named_by.iter().filter(|name| *name != "id"));
        for feature in features {
            let owners = (0..view.schema().node_types().len() as u16).map(timeweft::read::NodeTypeId).map(Owner::Node);
            if !owners.into_iter().any(|owner| view.schema().feature(owner, feature).is_some()) {
                return Err(Problem::not_found(format!("no node has a feature `{feature}`"))
                    .hint("GET /v1/graphs/{graph} lists the features of each type."));
            }
        }
        Ok(())
    }

    fn query<'v>(&self, asked: &'v Asked<NoQuery>) -> Result<Query<'v>, Problem> {
        let view = asked.view();
        let page = Rows::new(self.limit.unwrap_or(20), self.offset).map_err(wrong)?;
        let order = if self.order == OrderText::Name { Order::Name } else { Order::Id };
        let query = view.index().query(asked.at.time).deletes(asked.at.deletes);
        let query = match self.named(view) {
            Some(feature) => query.named_by(&feature),
            None => query.named_by_id(),
        };
        let mut query = query.filter(self.filter(view)?).order(order).page(page);
        if let Some(depth) = self.depth {
            query = query.depth(depth);
        }
        if self.any_relation {
            query = query.any_relation();
        } else if !self.relations.is_empty() {
            query = query.relations(&self.relations);
        }
        if let Some(select) = &self.select {
            query = query.select(select);
        }
        Ok(query)
    }

    /// The feature that nodes of the type are named by; none: their ids.
    fn named(&self, view: &View) -> Option<String> {
        let owner = view.schema().node_type(&self.r#type).map(Owner::Node)?;
        let has = |feature: &str| view.schema().feature(owner, feature).is_some();
        match self.named_by.as_deref() {
            Some("id") if !has("id") => None,
            Some(name) => Some(name.to_owned()),
            None => has("name").then(|| "name".to_owned()),
        }
    }

    fn filter(&self, view: &View) -> Result<Filter, Problem> {
        let all = self.r#where.iter().map(|(feature, texts)| Filter::shows(feature, texts));
        let mut filter = all.fold(Filter::anything(), Filter::and);
        if let Some(words) = &self.matching {
            let words = SearchText::parse(words).map_err(wrong)?;
            filter = filter.and(match self.named(view) {
                Some(feature) => Filter::matches(&feature, words),
                None => Filter::id_matches(words),
            });
        }
        let or = self.or_where.iter().map(|(feature, texts)| Filter::shows(feature, texts));
        Ok(or.fold(filter, Filter::or))
    }

    fn ask(&self, query: &Query<'_>, asked: &Asked<NoQuery>) -> Result<(Answer, Option<u64>), Problem> {
        let linked = |Linked { total, accessible, rows }| (Answer { total, rows }, Some(accessible as u64));
        let answer = match self.question {
            Question::Get | Question::Merges => query.get(&self.keys()?).map_err(wrong)?,
            Question::Name => {
                let within = self.within.as_ref().map(|id| self.key(id));
                query.by_name(&self.r#type, self.text()?, within.as_ref()).map_err(wrong)?
            }
            Question::Search => {
                let text = self.text()?;
                let words = if self.prefix { SearchText::literal(text, true) } else { SearchText::parse(text) };
                query.search(&self.r#type, &words.map_err(wrong)?).map_err(wrong)?
            }
            Question::Parents => query.parents(&self.start(asked)?),
            Question::Children => query.children(&self.start(asked)?),
            Question::Ancestors => query.ancestors(&self.start(asked)?),
            Question::Descendants => query.descendants(&self.start(asked)?),
            Question::Siblings => query.siblings(&self.start(asked)?),
            Question::Lineage => query.lineage(&self.start(asked)?),
            Question::Related => query.related(&self.start(asked)?),
            Question::Linked => return Ok(linked(query.linked(&self.start(asked)?))),
            Question::Links => return Ok(linked(query.links(&self.start(asked)?))),
        };
        Ok((answer, None))
    }

    fn key(&self, id: &IdText) -> NodeKey {
        NodeKey::new(&self.r#type, id.0.clone())
    }

    fn keys(&self) -> Result<Vec<NodeKey>, Problem> {
        if self.ids.is_empty() {
            return Err(Problem::bad("ids: this question is about some nodes: give their ids"));
        }
        Ok(self.ids.iter().map(|id| self.key(id)).collect())
    }

    fn text(&self) -> Result<&str, Problem> {
        self.text.as_deref().ok_or_else(|| Problem::bad("text: this question is about names: give one, or words"))
    }

    /// The one node that a walk starts from, which must be alive.
    fn start(&self, asked: &Asked<NoQuery>) -> Result<NodeKey, Problem> {
        let id = self.id.as_ref().ok_or_else(|| Problem::bad("id: this question is about one node: give its id"))?;
        Ok(lookup::living_node(asked.view(), &self.r#type, &id.0.to_string(), asked.at)?.0)
    }
}

fn row_of(view: &View, row: Row) -> QueryRow {
    QueryRow {
        node: lookup::node_ref(view, &row.node.key),
        life: Life::of(view.unit(), row.node.life),
        deleted: row.node.deleted,
        hops: row.depth,
        features: values::features(&row.node.features),
        edges: row.edges.iter().map(|edge| lookup::edge_ref(view, &edge.key)).collect(),
    }
}

fn merge_of(view: &View, merge: &MergeRecord) -> Merge {
    Merge {
        node: lookup::node_ref(view, &merge.from),
        into: lookup::node_ref(view, &merge.into),
        from: Moment::of(view.unit(), merge.interval.created),
        until: Moment::open(view.unit(), merge.interval.removed),
        features: values::features(&merge.features),
    }
}
