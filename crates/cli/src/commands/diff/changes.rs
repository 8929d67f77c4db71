//! Changes one by one, with the values before and after.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use timeweft::read::{Change, ChangeKind, Changes};
use timeweft::{Element, Name, Value};

use crate::context::Context;
use crate::output::json::{self, EdgeJson, MergeJson, NodeJson};
use crate::output::text;

type Features = BTreeMap<Name, Value>;

/// Changes. Each is made when it is printed: there may be as many as edges.
pub(super) struct Listing<'a> {
    pub(super) changes: Changes<'a>,
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

    fn json(&self, change: &Change) -> Json {
        let [before, after] = self.changes.values(change);
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
        let [before, after] = self.changes.values(change);
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
