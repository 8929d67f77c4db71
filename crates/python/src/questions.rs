//! Questions of a hierarchy with names.

use pyo3::prelude::*;
use timeweft::read::Owner;
use timeweft::read::query::{Answer, Filter, Order, Page, Query, Row, SearchText};
use timeweft::{At, Error, NodeKey};
use timeweft_arrow::Relation;

use crate::answer::{self, raised};
use crate::errors::Result;
use crate::reads::{moment, selected};
use crate::table::Columns;
use crate::view::View;

/// How to walk, what to keep and what to return.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Options {
    /// Relations to walk along; without a name all of them, left out those of a hierarchy.
    relations: Option<Vec<String>>,
    depth: u32,
    /// Texts as which features are shown.
    conditions: Vec<(String, Vec<String>)>,
    by_name: bool,
    limit: Option<usize>,
    offset: usize,
    select: Option<Vec<String>>,
    named_by: Option<String>,
}

/// The rows of an answer, how many there are in all, and how many of these the conditions keep where that is counted.
type Found = (Vec<Row>, usize, Option<usize>);

#[pymethods]
impl View {
    /// Asks a question of nodes of a type: about ids, a name or words (`things`).
    #[pyo3(signature = (tick, soft, question, node_type, things, within, options))]
    #[expect(clippy::too_many_arguments, reason = "they come from Python by name")]
    fn query(
        &self,
        py: Python<'_>,
        tick: i64,
        soft: bool,
        question: &str,
        node_type: &str,
        things: Vec<String>,
        within: Option<String>,
        options: Options,
    ) -> PyResult<(Columns, usize, Option<usize>)> {
        let at = moment(tick, soft);
        let (table, total, kept) = answer::asked(py, || {
            timeweft_arrow::known_type(&self.view, "type", node_type).map_err(raised)?;
            let query = options.query(&self.view, at, node_type)?;
            let (rows, total, kept) = ask(&self.view, &query, (question, node_type), &things, within.as_deref())?;
            let selected = selected(options.select.clone());
            let table = timeweft_arrow::answer(&self.view, &rows, &selected).map_err(raised)?;
            Ok((table, total, kept))
        })?;
        Ok((table.into(), total, kept))
    }
}

fn ask(
    view: &timeweft::View,
    query: &Query<'_>,
    (question, node_type): (&str, &str),
    things: &[String],
    within: Option<&str>,
) -> Result<Found> {
    let key = |id: &str| NodeKey::new(node_type, id);
    let words = things.join(" ");
    let start = || view.node(node_type, words.as_str()).map(|node| node.key());
    let all = |answer: Answer| (answer.rows, answer.total, None);
    Ok(match question {
        "get" => {
            let keys: Vec<NodeKey> = things.iter().map(|id| key(id)).collect();
            all(query.get(&keys).map_err(Error::from)?)
        }
        "by_name" => all(query.by_name(node_type, &words, within.map(key).as_ref()).map_err(Error::from)?),
        "search" | "search_prefix" => {
            let text = match question {
                "search" => SearchText::parse(&words),
                _ => SearchText::literal(&words, true),
            };
            all(query.search(node_type, &text.map_err(Error::from)?).map_err(Error::from)?)
        }
        "parents" => all(query.parents(&start()?)),
        "children" => all(query.children(&start()?)),
        "ancestors" => all(query.ancestors(&start()?)),
        "descendants" => all(query.descendants(&start()?)),
        "siblings" => all(query.siblings(&start()?)),
        "lineage" => all(query.lineage(&start()?)),
        "related" => all(query.related(&start()?)),
        linked => {
            let linked = if linked == "linked" { query.linked(&start()?) } else { query.links(&start()?) };
            (linked.rows, linked.total, Some(linked.accessible))
        }
    })
}

impl Options {
    fn query<'v>(&self, view: &'v timeweft::View, at: At, node_type: &str) -> Result<Query<'v>> {
        let page = match self.limit {
            Some(limit) => Page::new(limit, self.offset),
            None if self.offset == 0 => Ok(Page::all()),
            None => Page::new(Page::MOST, self.offset),
        };
        let page = page.map_err(Error::from)?;
        let order = if self.by_name { Order::Name } else { Order::Id };
        let mut query = view.index().query(at.time).deletes(at.deletes).depth(self.depth).order(order).page(page);
        query = match self.relations.as_deref() {
            None => query,
            Some([]) => query.any_relation(),
            Some(names) => {
                for name in names {
                    timeweft_arrow::edge_types(view, Relation::Named(name)).map_err(raised)?;
                }
                query.relations(names)
            }
        };
        let schema = view.schema();
        let of_type = schema.node_type(node_type).map(Owner::Node);
        let has_name = |name: &str| of_type.is_some_and(|owner| schema.feature(owner, name).is_some());
        query = match self.named_by.as_deref() {
            Some("id") if !has_name("id") => query.named_by_id(),
            Some(name) => query.named_by(name),
            None if has_name("name") => query.named_by("name"),
            None => query.named_by_id(),
        };
        let conditions = self.conditions.iter().map(|(feature, texts)| Filter::shows(feature, texts));
        Ok(query.filter(conditions.fold(Filter::anything(), Filter::and)))
    }
}
