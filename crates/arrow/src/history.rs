//! Everything that happened to a node.

use timeweft::export::table_writer::{Cell, CellKind, Column, RowBatches};
use timeweft::{At, Interval, NodeKey, Time, TimeUnit, View};

use crate::Result;
use crate::nodes::known_type;
use crate::table::Table;

/// The lives of a node, the values of its features, its merges and its edges, as far as they had begun at a time: by time, and
/// of one time in this order. An end that was still to come is open.
///
/// | column | type |
/// |---|---|
/// | `from`, `until` | `Timestamp(unit, "UTC")`, or `Int64` in a graph that counts steps; an open end is null |
/// | `what` | `Utf8`: `life`, `feature`, `merge`, `edge` |
/// | `name` | `Utf8`: of the feature or relation; null of others |
/// | `detail` | `Utf8`: the value, as people see it, or the merge or edge in words; null of a life |
///
/// # Errors
/// [`Error::Unknown`](crate::Error::Unknown) if the graph has no such node type; [`timeweft::Error::UnknownNode`] if it never had
/// the node.
pub fn history(view: &View, at: At, node: &NodeKey) -> Result<Table> {
    check(view, node)?;
    table(view, at, node, RowBatches::new(columns(view.unit())))
}

/// A node that the graph never had is a mistake.
pub(crate) fn check(view: &View, node: &NodeKey) -> Result<()> {
    known_type(view, "type", &node.node_type)?;
    view.node(&node.node_type, node.id.clone())?;
    Ok(())
}

pub(crate) fn columns(unit: TimeUnit) -> Vec<Column> {
    let time = CellKind::Time(unit);
    vec![
        Column::new("from", time),
        Column::nullable("until", time),
        Column::new("what", CellKind::Text),
        Column::nullable("name", CellKind::Text),
        Column::nullable("detail", CellKind::Text),
    ]
}

pub(crate) fn table(view: &View, at: At, node: &NodeKey, mut rows: RowBatches) -> Result<Table> {
    let index = view.index();
    let handle = view.node(&node.node_type, node.id.clone())?;
    let mut happened: Vec<(Interval, &str, Option<String>, Option<String>)> = Vec::new();
    for life in handle.history() {
        happened.push((life.interval, "life", None, None));
        for span in life.features {
            happened.push((span.interval, "feature", Some(span.name.to_string()), Some(span.value.to_string())));
        }
    }
    for merge in index.merges_of(node) {
        happened.push((merge.interval, "merge", None, Some(format!("{} became {}", merge.from, merge.into))));
    }
    // The order of one time: what stands above, then edges; the sort is stable but for features behind later lives.
    let rank = |what: &str| ["life", "feature", "merge"].iter().position(|known| *known == what);
    happened.sort_by_key(|(interval, what, ..)| (interval.created, rank(what)));
    let mut edges = index.incident_lives(node);
    edges.sort_by_key(|edge| index.edge_interval(*edge).created);
    let mut edges = edges.into_iter().peekable();
    let mut happened = happened.into_iter().peekable();
    loop {
        let edge_is_next = match (happened.peek(), edges.peek()) {
            (Some((interval, ..)), Some(edge)) => index.edge_interval(*edge).created < interval.created,
            (None, Some(_)) => true,
            (_, None) => false,
        };
        let (interval, what, name, detail) = match if edge_is_next { edges.next() } else { None } {
            Some(edge) => {
                let key = index.edge_key(edge);
                let (name, detail) = (key.relation.to_string(), key.to_string());
                (index.edge_interval(edge), "edge", Some(name), Some(detail))
            }
            None => match happened.next() {
                Some(happening) => happening,
                None => break,
            },
        };
        if interval.created > at.time {
            break;
        }
        let until = if interval.removed > at.time { Time::FOREVER } else { interval.removed };
        rows.row([
            Cell::Int(interval.created.0),
            Cell::time(until),
            Cell::Text(what),
            Cell::from(name.as_deref()),
            Cell::from(detail.as_deref()),
        ])?;
    }
    Table::of(rows)
}
