//! Random walks from many nodes.

use timeweft::export::table_writer::time_array;
use timeweft::read::{EdgeIndex, NodeIndex};
use timeweft::sample::{NO_EDGE, NO_NODE, Roots, Steps, Walk};
use timeweft::{Time, View};

use crate::Result;
use crate::samples::{Ways, add_nodes};
use crate::table::{Columns, Table, ranges};

/// Walks from nodes, each as of its time, `walks` from each: a row a step. Step 0 is the root itself; a walk that finds no edge
/// ends early, and one from a node that the graph does not have has no row.
///
/// | column | type |
/// |---|---|
/// | `root` | `UInt32`: position among the roots, from 0 |
/// | `walk`, `step` | `UInt32`: from 0 |
/// | `type`, `id` | of the node |
/// | `relation`, `direction`, `key` | `Utf8`: of the edge that led there; null at step 0 |
/// | `created` | when the edge was created; null at step 0 |
///
/// # Errors
/// If it cannot be walked so.
pub fn walks(view: &View, nodes: &[NodeIndex], times: &[Time], walk: &Walk, walks: usize) -> Result<Table> {
    // Each walk is a root of its own.
    let starts: Vec<NodeIndex> = nodes.iter().flat_map(|node| std::iter::repeat_n(*node, walks)).collect();
    let times: Vec<Time> = times.iter().flat_map(|time| std::iter::repeat_n(*time, walks)).collect();
    let (n, length) = (starts.len(), walk.length);
    let mut walked = vec![NO_NODE; n * (length + 1)];
    let (mut edges, mut created) = (vec![NO_EDGE; n * length], vec![Time::MIN; n * length]);
    let steps = Steps { nodes: &mut walked, edges: Some(&mut edges), created: Some(&mut created) };
    let roots = Roots::new(&starts, &times).map_err(timeweft::Error::from)?;
    view.index().walk(walk, roots, steps).map_err(timeweft::Error::from)?;

    let mut rows = Rows::default();
    for (at, nodes) in walked.chunks_exact(length + 1).enumerate() {
        for (step, node) in nodes.iter().enumerate().take_while(|(_, node)| **node != NO_NODE) {
            let before = step.checked_sub(1);
            rows.places.push([(at / walks) as u32, (at % walks) as u32, step as u32]);
            rows.nodes.push(*node);
            rows.edges.push(before.map_or(NO_EDGE, |before| edges[at * length + before]));
            rows.from.push(before.map_or(NO_NODE, |before| nodes[before]));
            rows.created.push(before.map(|before| created[at * length + before].0));
        }
    }
    let mut columns = Columns::new(ranges(rows.nodes.len()));
    for (place, name) in ["root", "walk", "step"].into_iter().enumerate() {
        columns.add_numbers(name, rows.places.iter().map(|places| places[place]));
    }
    add_nodes(&mut columns, view, &rows.nodes);
    Ways { view, side: walk.scope.side, edges: &rows.edges, from: &rows.from }.add_to(&mut columns);
    columns.add_array("created", time_array(view.unit(), rows.created.iter().copied()), true);
    columns.finish()
}

#[derive(Default)]
struct Rows {
    places: Vec<[u32; 3]>,
    nodes: Vec<NodeIndex>,
    edges: Vec<EdgeIndex>,
    from: Vec<NodeIndex>,
    created: Vec<Option<i64>>,
}
