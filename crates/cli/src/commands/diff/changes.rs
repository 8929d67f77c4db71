//! Changes one by one, with the values before and after.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use timeweft::{Diff, EdgeKey, GraphView, Name, NodeKey, Value};

use super::State;
use crate::context::Context;
use crate::output::json::{EdgeJson, MergeJson, NodeJson};
use crate::output::{Table, text};

type Features = BTreeMap<Name, Value>;

/// A diff and the states that it is between.
pub(super) struct Changes<'a> {
    pub(super) diff: &'a Diff,
    pub(super) from: &'a State,
    pub(super) to: &'a State,
}

/// Which element changed.
#[derive(Clone, Copy)]
enum Element<'a> {
    Node(&'a NodeKey),
    Edge(&'a EdgeKey),
}

/// A change of an element: what it is, and for an update the names of the features that differ.
struct Change<'a> {
    what: &'a str,
    element: Element<'a>,
    features: &'a [Name],
}

impl Changes<'_> {
    pub(super) fn tell(&self, context: &Context) -> anyhow::Result<()> {
        if context.output.json {
            context.output.objects(self.all().map(|change| self.json(&change)))?;
            let merged = |merge| json!({ "change": "merged", "entity": "merge", "merge": MergeJson::from(merge) });
            context.output.objects(self.diff.merged.iter().map(merged))?;
        } else if *self.diff == Diff::default() {
            context.output.say("nothing changed")?;
        } else {
            context.output.table(&self.table())?;
        }
        Ok(())
    }

    fn all(&self) -> impl Iterator<Item = Change<'_>> {
        let diff = self.diff;
        let node = |what| move |key| Change { what, element: Element::Node(key), features: &[] };
        let edge = |what| move |key| Change { what, element: Element::Edge(key), features: &[] };
        let nodes_updated = diff.nodes_updated.iter().map(|node| Change {
            what: "updated",
            element: Element::Node(&node.key),
            features: &node.features,
        });
        let edges_updated = diff.edges_updated.iter().map(|edge| Change {
            what: "updated",
            element: Element::Edge(&edge.key),
            features: &edge.features,
        });
        let nodes = diff.nodes_created.iter().map(node("created")).chain(nodes_updated);
        let edges = diff.edges_created.iter().map(edge("created")).chain(edges_updated);
        nodes
            .chain(diff.nodes_removed.iter().map(node("removed")))
            .chain(edges)
            .chain(diff.edges_removed.iter().map(edge("removed")))
    }

    /// The values before and after: of an update those that differ; what was not there has none.
    fn values(&self, change: &Change<'_>) -> (Option<Features>, Option<Features>) {
        let mut before = if change.what == "created" { None } else { features(self.from, change.element) };
        let mut after = if change.what == "removed" { None } else { features(self.to, change.element) };
        if change.what == "updated" {
            for values in [&mut before, &mut after].into_iter().flatten() {
                values.retain(|name, _| change.features.contains(name));
            }
        }
        (before, after)
    }

    fn json(&self, change: &Change<'_>) -> Json {
        let (before, after) = self.values(change);
        let names: Vec<&str> = change.features.iter().map(|name| &**name).collect();
        let (entity, element) = match change.element {
            Element::Node(key) => ("node", json!(NodeJson::from(key))),
            Element::Edge(key) => ("edge", json!(EdgeJson::from(key))),
        };
        json!({
            "change": change.what,
            "entity": entity,
            (entity): element,
            "features": names,
            "before": before.map(|values| to_json(&values)),
            "after": after.map(|values| to_json(&values)),
        })
    }

    fn table(&self) -> Table {
        let mut table = Table::new(["change", "what", "element", "features"]);
        for change in self.all() {
            let (what, element) = match change.element {
                Element::Node(key) => ("node", key.to_string()),
                Element::Edge(key) => ("edge", key.to_string()),
            };
            table.row([change.what.to_owned(), what.to_owned(), element, self.words(&change)]);
        }
        for merge in &self.diff.merged {
            let element = format!("{} became {}", merge.from, merge.into);
            table.row(["merged".to_owned(), "node".to_owned(), element, String::new()]);
        }
        table
    }

    /// `name: before -> after` of each feature that differs; else the values that came or went.
    fn words(&self, change: &Change<'_>) -> String {
        let (before, after) = self.values(change);
        if change.what != "updated" {
            return before.or(after).map_or_else(String::new, |values| text::features(&values));
        }
        let shown = |values: &Option<Features>, name: &Name| {
            values.as_ref().and_then(|values| values.get(name)).map_or_else(|| "none".to_owned(), Value::to_string)
        };
        let pair = |name: &Name| format!("{name}: {} -> {}", shown(&before, name), shown(&after, name));
        change.features.iter().map(pair).collect::<Vec<_>>().join(", ")
    }
}

fn features(state: &State, element: Element<'_>) -> Option<Features> {
    match element {
        Element::Node(key) => state.view.node(key, state.at).map(|node| node.features),
        Element::Edge(key) => state.view.edge(key, state.at).map(|edge| edge.features),
    }
}

fn to_json(values: &Features) -> Map<String, Json> {
    values.iter().map(|(name, value)| (name.to_string(), value.to_json())).collect()
}
