//! Changes one by one, with the values before and after.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use timeweft::read::{Change, ChangeKind, Changes, GraphView};
use timeweft::{Element, Name, Value};

use super::State;
use crate::context::Context;
use crate::output::json::{self, EdgeJson, MergeJson, NodeJson};
use crate::output::text;

type Features = BTreeMap<Name, Value>;

/// Changes and the states that they are between. Each is made when it is printed: there may be as many as edges.
pub(super) struct Listing<'a> {
    pub(super) changes: Changes<'a>,
    pub(super) from: &'a State,
    pub(super) to: &'a State,
}

impl Listing<'_> {
    pub(super) fn tell(&self, context: &Context) -> anyhow::Result<()> {
        context.output.objects(self.changes.iter().map(|change| self.json(&change)))?;
        let merged = |merge| json!({ "change": "merged", "entity": "merge", "merge": MergeJson::from(&merge) });
        context.output.objects(self.changes.merged().map(merged))?;
        if self.changes.is_empty() {
            context.output.say("nothing changed")?;
        } else {
            context.output.rows(["change", "what", "element", "features"], || self.rows())?;
        }
        Ok(())
    }

    /// The values before and after: of an update those that differ; what was not there has none.
    fn values(&self, change: &Change) -> (Option<Features>, Option<Features>) {
        let (created, removed) = (change.kind == ChangeKind::Created, change.kind == ChangeKind::Removed);
        let mut before = if created { None } else { features(self.from, &change.element) };
        let mut after = if removed { None } else { features(self.to, &change.element) };
        if change.kind == ChangeKind::Updated {
            for values in [&mut before, &mut after].into_iter().flatten() {
                // The names are sorted, and there may be many thousands.
                values.retain(|name, _| change.features.binary_search(name).is_ok());
            }
        }
        (before, after)
    }

    fn json(&self, change: &Change) -> Json {
        let (before, after) = self.values(change);
        let names: Vec<&str> = change.features.iter().map(|name| &**name).collect();
        let (entity, element) = match &change.element {
            Element::Node(key) => ("node", json!(NodeJson::from(key))),
            Element::Edge(key) => ("edge", json!(EdgeJson::from(key))),
            Element::Merge { .. } => ("merge", Json::Null),
        };
        json!({
            "change": word(change.kind),
            "entity": entity,
            (entity): element,
            "features": names,
            "before": before.map(|values| json::features(&values)),
            "after": after.map(|values| json::features(&values)),
        })
    }

    fn rows(&self) -> impl Iterator<Item = [String; 4]> {
        let changes = self.changes.iter().map(|change| {
            let (what, element) = match &change.element {
                Element::Node(key) => ("node", key.to_string()),
                Element::Edge(key) => ("edge", key.to_string()),
                Element::Merge { from, into } => ("merge", format!("{from} became {into}")),
            };
            [word(change.kind).to_owned(), what.to_owned(), element, self.words(&change)]
        });
        changes.chain(self.changes.merged().map(|merge| {
            let element = format!("{} became {}", merge.from, merge.into);
            ["merged".to_owned(), "node".to_owned(), element, String::new()]
        }))
    }

    /// `name: before -> after` of each feature that differs; else the values that came or went.
    fn words(&self, change: &Change) -> String {
        let (before, after) = self.values(change);
        if change.kind != ChangeKind::Updated {
            return before.or(after).map_or_else(String::new, |values| text::features(&values));
        }
        let shown = |values: &Option<Features>, name: &Name| {
            values.as_ref().and_then(|values| values.get(name)).map_or_else(|| "none".to_owned(), Value::to_string)
        };
        let pair = |name: &Name| format!("{name}: {} -> {}", shown(&before, name), shown(&after, name));
        change.features.iter().map(pair).collect::<Vec<_>>().join(", ")
    }
}

fn word(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Created => "created",
        ChangeKind::Updated => "updated",
        ChangeKind::Removed => "removed",
    }
}

fn features(state: &State, element: &Element) -> Option<Features> {
    match element {
        Element::Node(key) => state.view.index().node(key, state.at).map(|node| node.features),
        Element::Edge(key) => state.view.index().edge(key, state.at).map(|edge| edge.features),
        Element::Merge { .. } => None,
    }
}
