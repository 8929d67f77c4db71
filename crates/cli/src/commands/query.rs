//! `timeweft query`: questions about hierarchies and names as of a time.

use serde::Serialize;
use serde_json::{Value as Json, json};
use timeweft::read::query::{Answer, Filter, HIERARCHY, Linked, Order, Page, Query, QueryError, Row, SearchText};
use timeweft::read::{EdgeState, ExternalId, MergeRecord, Owner};
use timeweft::{NodeKey, Value};

use crate::context::Context;
use crate::input::lookup::{find_node, known_feature, known_relation, known_type};
use crate::input::named_values::choices;
use crate::input::reading::{ReadArgs, Reading};
use crate::outcome::{Outcome, UsageError};
use crate::output::json::{EdgeJson, NodeJson, StateJson};
use crate::output::{Table, note, text};

use super::resolve::{MergeLine, print_merges};

const AFTER_HELP: &str = "\
Examples:
  timeweft query ancestors term ENVO:00000446 --at 2016-05-17
  timeweft query search taxon prefix:bac --named-by scientific_name --where rank=Class --or-where strain=true
  timeweft query search file lib.rs                         (paths of a git history)
  timeweft query linked taxon 562 --where public=true --select name

QUESTION        THING               answer
get             ids                 these nodes, as far as they are alive
name            a name              nodes of this name, case aside; --within ID: below this ancestor
search          words               nodes whose name (or id) has them: a,b both, a|b either, prefix:a beginnings
parents children ancestors descendants siblings
                an id               along is_a and child_of, or --relation R, or --any-relation
lineage         an id               all ancestors, roots first
related         an id               one hop away on either side, along any relation
linked links    an id               nodes of other types whose edges lead to it; to which its edges lead
merges          ids                 the merges of these nodes that hold; --ever: that ever held";

/// Arguments of `query`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// What is asked.
    #[arg(value_enum, value_name = "QUESTION")]
    question: Question,
    /// Type of the nodes.
    #[arg(value_name = "TYPE")]
    node_type: String,
    /// Ids, a name, or words to search for.
    #[arg(value_name = "THING", required = true)]
    things: Vec<String>,
    /// Walk along this relation; may be given several times.
    #[arg(long = "relation", value_name = "R", conflicts_with = "any_relation")]
    relations: Vec<String>,
    /// Walk along every relation.
    #[arg(long)]
    any_relation: bool,
    /// Walk at most HOPS hops.
    #[arg(long, value_name = "HOPS", default_value_t = 100)]
    depth: u32,
    /// Only nodes that have the node of this id as an ancestor (`name`).
    #[arg(long, value_name = "ID")]
    within: Option<String>,
    /// The feature that holds names; left out, `name` where nodes of the type have it, else their ids. `id` means the ids.
    #[arg(long, value_name = "F")]
    named_by: Option<String>,
    /// Take the words as they are, each as the beginning of one (`search`).
    #[arg(long)]
    prefix: bool,
    /// All merges that ever held (`merges`).
    #[arg(long)]
    ever: bool,
    /// Only nodes whose name matches these words.
    #[arg(long, value_name = "WORDS")]
    matching: Option<String>,
    /// Only nodes whose feature F is shown as V; the same F again: or as that V; another F: and that too.
    #[arg(long = "where", value_name = "F=V")]
    wheres: Vec<String>,
    /// Also nodes whose feature F is shown as V, whatever the other conditions.
    #[arg(long = "or-where", value_name = "F=V")]
    or_wheres: Vec<String>,
    /// In which order rows come; `search` and `lineage` have their own.
    #[arg(long, default_value = "id", value_parser = choices(ORDERS))]
    order: Order,
    /// How many rows at most (1 to 1000).
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// How many rows to leave out first (0 to 100000).
    #[arg(long, value_name = "N", default_value_t = 0)]
    offset: usize,
    /// Only these features of nodes, with commas between.
    #[arg(long, value_name = "F", value_delimiter = ',')]
    select: Vec<String>,
    #[command(flatten)]
    read: ReadArgs,
}

#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum Question {
    Get,
    Name,
    Search,
    Parents,
    Children,
    Ancestors,
    Descendants,
    Siblings,
    Lineage,
    Related,
    Linked,
    Links,
    Merges,
}

const ORDERS: [(&str, Order, &str); 2] =
    [("id", Order::Id, "By type and id"), ("name", Order::Name, "By name, then by id")];

/// The feature that holds names, where none is given.
const NAME: &str = "name";

/// What nodes are named by.
enum Named {
    Feature(String),
    Id,
}

/// The rows of any question.
struct Rows {
    total: usize,
    accessible: Option<usize>,
    rows: Vec<Row>,
}

impl From<Answer> for Rows {
    fn from(answer: Answer) -> Rows {
        Rows { total: answer.total, accessible: None, rows: answer.rows }
    }
}

impl From<Linked> for Rows {
    fn from(linked: Linked) -> Rows {
        Rows { total: linked.total, accessible: Some(linked.accessible), rows: linked.rows }
    }
}

#[derive(Serialize)]
struct NodeLine<'a> {
    kind: &'a str,
    #[serde(flatten)]
    node: StateJson<NodeJson<'a>>,
    hops: u32,
    edges: Vec<StateJson<EdgeJson<'a>>>,
}

impl<'a> NodeLine<'a> {
    fn new(row: &'a Row) -> NodeLine<'a> {
        let edges = row.edges.iter().map(StateJson::from).collect();
        NodeLine { kind: "node", node: StateJson::from(&row.node), hops: row.depth, edges }
    }
}

/// Asks and prints.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let reading = args.read.read(context)?;
    args.check(&reading)?;
    let query = args.query(&reading)?;
    if args.question == Question::Merges {
        let keys = args.keys();
        let merges = if args.ever { query.merge_history(&keys) } else { query.merges_from(&keys) };
        print_answer_of_merges(context, &reading, &merges.map_err(wrong)?)?;
    } else {
        print(args, &reading, context, &args.ask(&query, &reading)?)?;
    }
    Ok(Outcome::Done)
}

impl Args {
    /// Names that the graph does not know are mistakes here.
    fn check(&self, reading: &Reading) -> anyhow::Result<()> {
        known_type(reading, &self.node_type)?;
        for relation in &self.relations {
            known_relation(reading, relation)?;
        }
        let of_type = Some(self.node_type.as_str());
        if let (Question::Name | Question::Search, Named::Feature(name)) = (self.question, self.named(reading)) {
            known_feature(reading, of_type, &name)?;
        }
        let conditions = self.wheres.iter().chain(&self.or_wheres);
        let conditions =
            conditions.map(|condition| condition.split_once('=').map_or(condition.as_str(), |pair| pair.0));
        for feature in conditions.chain(self.select.iter().map(String::as_str)) {
            known_feature(reading, None, feature)?;
        }
        Ok(())
    }

    fn query<'a>(&self, reading: &'a Reading) -> anyhow::Result<Query<'a>> {
        let page = Page::new(self.limit, self.offset).map_err(wrong)?;
        let query = reading.view.index().query(reading.at.time).deletes(reading.at.deletes);
        let query = match self.named(reading) {
            Named::Feature(name) => query.named_by(&name),
            Named::Id => query.named_by_id(),
        };
        let mut query = query.depth(self.depth).filter(self.filter(reading)?).order(self.order).page(page);
        if self.any_relation {
            query = query.any_relation();
        } else if !self.relations.is_empty() {
            query = query.relations(&self.relations);
        }
        if !self.select.is_empty() {
            query = query.select(&self.select);
        }
        Ok(query)
    }

    /// What the nodes of the type are named by.
    fn named(&self, reading: &Reading) -> Named {
        let schema = reading.view.schema();
        let has = |feature: &str| {
            let node_type = schema.node_type(&self.node_type);
            node_type
                .map(Owner::Node)
                .is_some_and(|owner| schema.feature(owner, feature).is_some_and(|(id, _)| reading.has(owner, Some(id))))
        };
        match self.named_by.as_deref() {
            Some("id") if !has("id") => Named::Id,
            Some(name) => Named::Feature(name.into()),
            None if has(NAME) => Named::Feature(NAME.into()),
            None => Named::Id,
        }
    }

    fn filter(&self, reading: &Reading) -> anyhow::Result<Filter> {
        let mut wanted: Vec<(&str, Vec<&str>)> = Vec::new();
        for (feature, value) in pairs(&self.wheres, "--where")? {
            match wanted.iter_mut().find(|(known, _)| *known == feature) {
                Some((_, values)) => values.push(value),
                None => wanted.push((feature, vec![value])),
            }
        }
        let all = wanted.into_iter().map(|(feature, values)| Filter::shows(feature, values));
        let mut filter = all.fold(Filter::anything(), Filter::and);
        if let Some(words) = &self.matching {
            let words = SearchText::parse(words).map_err(wrong)?;
            filter = filter.and(match self.named(reading) {
                Named::Feature(name) => Filter::matches(&name, words),
                Named::Id => Filter::id_matches(words),
            });
        }
        let or = pairs(&self.or_wheres, "--or-where")?.into_iter();
        Ok(or.fold(filter, |filter, (feature, value)| filter.or(Filter::shows(feature, [value]))))
    }

    fn ask(&self, query: &Query<'_>, reading: &Reading) -> anyhow::Result<Rows> {
        let words = self.things.join(" ");
        Ok(match self.question {
            Question::Get | Question::Merges => query.get(&self.keys()).map_err(wrong)?.into(),
            Question::Name => {
                let within = self.within.as_deref().map(|id| self.key(id));
                query.by_name(&self.node_type, &words, within.as_ref()).map_err(wrong)?.into()
            }
            Question::Search => {
                let text = if self.prefix { SearchText::literal(&words, true) } else { SearchText::parse(&words) };
                query.search(&self.node_type, &text.map_err(wrong)?).map_err(wrong)?.into()
            }
            Question::Parents => query.parents(&self.start(reading)?).into(),
            Question::Children => query.children(&self.start(reading)?).into(),
            Question::Ancestors => query.ancestors(&self.start(reading)?).into(),
            Question::Descendants => query.descendants(&self.start(reading)?).into(),
            Question::Siblings => query.siblings(&self.start(reading)?).into(),
            Question::Lineage => query.lineage(&self.start(reading)?).into(),
            Question::Related => query.related(&self.start(reading)?).into(),
            Question::Linked => query.linked(&self.start(reading)?).into(),
            Question::Links => query.links(&self.start(reading)?).into(),
        })
    }

    /// Says which relations there are, where a walk along a hierarchy that the graph does not have found nothing.
    fn note_relations(&self, reading: &Reading) {
        use Question::{Ancestors, Children, Descendants, Lineage, Parents, Siblings};
        let walks = matches!(self.question, Ancestors | Children | Descendants | Lineage | Parents | Siblings);
        if !walks || self.any_relation || !self.relations.is_empty() {
            return;
        }
        let names = reading.relations();
        if names.iter().any(|name| HIERARCHY.contains(name)) {
            return;
        }
        let known = if names.is_empty() { "none at all".to_owned() } else { text::listed(&names, 20) };
        note(&format!(
            "this graph has no relation {}, along which a hierarchy is walked; it has {known}: \
             choose with --relation, or walk along all with --any-relation",
            HIERARCHY.join(" or ")
        ));
    }

    fn key(&self, id: &str) -> NodeKey {
        NodeKey::new(&self.node_type, ExternalId::from(id))
    }

    fn keys(&self) -> Vec<NodeKey> {
        self.things.iter().map(|id| self.key(id)).collect()
    }

    /// The one node that a walk starts from, which must be alive.
    fn start(&self, reading: &Reading) -> anyhow::Result<NodeKey> {
        let [id] = self.things.as_slice() else {
            return Err(UsageError("this question is about one node: give one id".into()).into());
        };
        Ok(find_node(reading, &self.key(id))?.key)
    }
}

/// A query that cannot be asked is wrong usage.
fn wrong(error: QueryError) -> UsageError {
    UsageError(error.to_string())
}

/// `F=V` of each condition.
fn pairs<'a>(conditions: &'a [String], option: &str) -> Result<Vec<(&'a str, &'a str)>, UsageError> {
    let pair = |condition: &'a String| {
        let missing = || UsageError(format!("{option} {condition}: give a feature and a value as F=V"));
        condition.split_once('=').ok_or_else(missing)
    };
    conditions.iter().map(pair).collect()
}

fn print(args: &Args, reading: &Reading, context: &Context, answer: &Rows) -> anyhow::Result<()> {
    context.output.object(&json!({ "kind": "answer", "total": answer.total, "accessible": answer.accessible }))?;
    context.output.objects(answer.rows.iter().map(NodeLine::new))?;
    if !answer.rows.is_empty() {
        context.output.table(&table(answer))?;
    }
    context.output.say(&summary(answer))?;
    if answer.total == 0 {
        args.note_relations(reading);
    }
    if args.question == Question::Get {
        let known = |key: &&NodeKey| !answer.rows.iter().any(|row| row.node.key == **key);
        let keys = args.keys();
        let missing: Vec<String> = keys.iter().filter(known).map(|key| key.id.to_string()).collect();
        if !missing.is_empty() {
            note(&format!("left out, unknown or not alive then, or not wanted: {}", missing.join(", ")));
        }
    }
    Ok(())
}

/// Names stand beside their nodes: they say what these are. Only what some row has has a column.
fn table(answer: &Rows) -> Table {
    let name = |row: &Row| row.node.features.get(NAME).map_or_else(String::new, Value::to_string);
    let has_names = answer.rows.iter().any(|row| row.node.features.contains_key(NAME));
    let has_edges = answer.rows.iter().any(|row| !row.edges.is_empty());
    let kept = |name: bool, edges: bool| [true, name, true, edges, true];
    let columns = kept(has_names, has_edges);
    let pick = |cells: [String; 5]| cells.into_iter().zip(columns).filter(|(_, kept)| *kept).map(|(cell, _)| cell);
    let mut table = Table::new(pick(["node", "name", "hops", "edges", "features"].map(str::to_owned)));
    for row in &answer.rows {
        let edges: Vec<String> = row.edges.iter().map(edge_words).collect();
        let mut others = row.node.features.clone();
        others.remove(NAME);
        let mark = if row.node.deleted { " (deleted)" } else { "" };
        let node = format!("{}{mark}", row.node.key);
        table.row(pick([node, name(row), row.depth.to_string(), edges.join(", "), text::features(&others)]));
    }
    table
}

fn edge_words(edge: &EdgeState) -> String {
    let key = edge.key.key.as_ref().map_or_else(String::new, |key| format!(" [{key}]"));
    format!("{}{key}", edge.key.relation)
}

fn summary(answer: &Rows) -> String {
    let shown = text::count(answer.rows.len() as u64);
    match answer.accessible {
        Some(accessible) => format!(
            "{shown} of {} accessible, {} linked",
            text::count(accessible as u64),
            text::count(answer.total as u64)
        ),
        None => format!("{shown} of {}", text::count(answer.total as u64)),
    }
}

fn print_answer_of_merges(context: &Context, reading: &Reading, merges: &[MergeRecord]) -> anyhow::Result<()> {
    context.output.object(&json!({ "kind": "answer", "total": merges.len(), "accessible": Json::Null }))?;
    context.output.objects(merges.iter().map(MergeLine::new))?;
    if merges.is_empty() {
        context.output.say("no merges")?;
        return Ok(());
    }
    Ok(print_merges(context.output, reading.unit(), merges)?)
}
