//! Neighborhoods, drawn and moved through time as the server's page draws them: the data in the file, and the page's own drawing.

use serde_json::{Value, json};
use timeweft::read::{Neighborhood, Surroundings};
use timeweft::{Direction, Interval, NodeKey, Time, View};

use super::page::section;

/// The page's drawing, built from `web/src/report`.
const SCRIPT: &str = include_str!("../../../../web/dist/report/report.js");
/// How far a neighborhood goes, how many neighbors it has of each relation, and how many nodes in all: what a screen and a file
/// hold well.
const HOPS: u32 = 2;
const NEIGHBORS: usize = 6;
const NODES: usize = 60;

/// A neighborhood, and what it is around.
#[derive(Clone)]
pub(crate) struct Drawing {
    /// For people: `person ada`.
    text: String,
    /// As the page's [contract](../../../../web/API.md) has it.
    subgraph: Value,
}

impl Drawing {
    /// All that was ever near a node; nothing where the graph has no such node, or no event.
    pub(crate) fn around(view: &View, node: &NodeKey) -> Option<Drawing> {
        let index = view.index();
        let window = index.event_span()?;
        let asked = Neighborhood {
            roots: vec![index.node_index(node)?],
            window,
            hops: HOPS,
            k: NEIGHBORS,
            expand: Vec::new(),
            limit: NODES,
        };
        let found = index.neighborhood(&asked);
        (!found.nodes.is_empty()).then(|| Drawing { text: node.to_string(), subgraph: subgraph(view, &found, window) })
    }
}

fn subgraph(view: &View, found: &Surroundings, (from, to): (Time, Time)) -> Value {
    let index = view.index();
    let edge_types = view.schema().edge_types();
    let node_types = view.schema().node_types();
    let node = |near: &timeweft::read::NearNode| {
        let NodeKey { node_type, id } = index.node_key(near.node);
        let more = near.more.iter().map(|more| {
            let edge_type = &edge_types[more.edge_type.at()];
            let (side, far) = match more.direction {
                Direction::Out => ("out", edge_type.destination),
                Direction::In => ("in", edge_type.source),
            };
            json!({ "relation": edge_type.relation, "side": side, "type": node_types[far.at()].name, "n": more.n })
        });
        json!({
            "type": node_type, "id": id.to_string(), "name": index.label(near.node), "hop": near.hop, "degree": near.degree,
            "lives": lives(&near.lives), "changes": ticks(&near.changes), "more": more.collect::<Vec<_>>(),
            "merged": near.merged.map(|(into, held)| {
                json!({ "into": into, "at": tick(held.created), "until": open(held.removed) })
            }),
        })
    };
    let edge = |near: &timeweft::read::NearEdge| {
        let key = index.edge_key(near.edge);
        json!({
            "source": near.source, "relation": key.relation, "destination": near.destination, "key": key.key,
            "lives": lives(&near.lives), "changes": ticks(&near.changes),
        })
    };
    json!({
        "commit": view.commit().0, "unit": view.unit().to_string(), "from": { "tick": tick(from) }, "to": { "tick": tick(to) },
        "nodes": found.nodes.iter().map(node).collect::<Vec<_>>(), "edges": found.edges.iter().map(edge).collect::<Vec<_>>(),
        "marks": ticks(&found.marks), "total": found.total,
    })
}

/// Ticks travel as text: a number of JavaScript is exact to 2^53 only.
fn tick(time: Time) -> String {
    time.0.to_string()
}

fn open(time: Time) -> Option<String> {
    (time != Time::FOREVER).then(|| tick(time))
}

fn ticks(times: &[Time]) -> Vec<String> {
    times.iter().copied().map(tick).collect()
}

fn lives(lives: &[Interval]) -> Vec<(String, Option<String>)> {
    lives.iter().map(|life| (tick(life.created), open(life.removed))).collect()
}

/// The section with the drawings; nothing where there are none.
pub(super) fn drawings(types: &[String], drawings: &[Drawing]) -> String {
    if drawings.is_empty() {
        return String::new();
    }
    let list: Vec<Value> = drawings.iter().map(|one| json!({ "text": one.text, "subgraph": one.subgraph })).collect();
    let body = format!(
        "<div id=\"timeweft-drawing\"></div>\n<noscript>The drawing needs JavaScript.</noscript>\n\
         <script type=\"application/json\" id=\"timeweft-graph\">{}</script>\n<script>{SCRIPT}</script>\n",
        within(&json!({ "types": types, "drawings": list }))
    );
    let remark = "What was ever near the nodes that the questions below are about. Drag the handle, or play: what appears is \
                  green with a plus, what goes is vermilion with a cross, for one step.";
    section("The graph through time", remark, &body)
}

/// JSON that stands in an element of HTML: no text of it can end the element.
fn within(value: &Value) -> String {
    value.to_string().replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_data_cannot_end_the_script() {
        let text = within(&json!({ "name": "</script><script>alert(1)</script><!--" }));
        assert!(!text.contains('<'), "{text}");
        let read: Value = serde_json::from_str(&text).unwrap_or_default();
        assert_eq!(read["name"], "</script><script>alert(1)</script><!--");
    }

    #[test]
    fn the_drawing_asks_for_nothing_and_holds_no_markup() {
        for outside in ["<script", "</script", "<svg", "<!--", "https://", "//# sourceMappingURL", "import("] {
            assert!(!SCRIPT.contains(outside), "`{outside}` is in the drawing");
        }
    }
}
