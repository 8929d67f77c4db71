//! What differs between two states of the graph.

use std::collections::BTreeMap;

use timeweft::export::table_writer::{Cell, CellKind, Column, RowBatches};
use timeweft::read::{Change, ChangeKind, Comparison, GraphView};
use timeweft::{At, Element, Name, Value, View};

use crate::Result;
use crate::cells::{JSON, edge_cells, edge_columns, features, node_cells, node_columns};
use crate::merges::merge_table;
use crate::table::{IdKind, Table};

/// Two states: views, which may be one, at two moments.
///
/// ```
/// use timeweft::{At, Graph, Time, TimeUnit};
/// use timeweft_arrow::Difference;
/// # let dir = tempfile::tempdir()?;
/// # let events = dir.path().join("mail.csv");
/// # std::fs::write(&events, "src,dst,time\n1,2,5\n1,3,8\n")?;
/// # let mut graph = Graph::create(dir.path().join("mail"), TimeUnit::Step)?;
/// # graph.load(&events).run()?;
/// let view = graph.view();
/// let diff = Difference::new((view.clone(), At::time(Time(5))), (view, At::time(Time(8))));
/// assert_eq!((diff.nodes()?.n_rows(), diff.edges()?.n_rows()), (1, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Difference {
    before: (View, At),
    after: (View, At),
    namespace: Option<String>,
}

impl Difference {
    /// What differs between an earlier state and a later one.
    pub fn new(before: (View, At), after: (View, At)) -> Difference {
        Difference { before, after, namespace: None }
    }

    /// Only what a namespace holds in one of the states.
    pub fn of_namespace(self, namespace: &str) -> Difference {
        Difference { namespace: Some(namespace.to_owned()), ..self }
    }

    pub(crate) fn comparison(&self) -> Comparison<'_> {
        let ((before, from), (after, to)) = (&self.before, &self.after);
        let comparison = after.index().compare_from((before.index(), *from), *to);
        match &self.namespace {
            Some(namespace) => comparison.of_namespace(namespace),
            None => comparison,
        }
    }

    /// Nodes that differ: what was created, then updated, then removed, each by key.
    ///
    /// | column | type |
    /// |---|---|
    /// | `change` | `Utf8`: `created`, `updated`, `removed` |
    /// | `type`, `id` | of the node |
    /// | `features` | `List(Utf8)`: names of those that differ, if it was updated |
    /// | `before`, `after` | `Utf8` with a JSON object: the features in each state, of an update those that differ; null where it was not there |
    pub fn nodes(&self) -> Result<Table> {
        self.table(node_columns("", self.ids()).into(), |element| match element {
            Element::Node(key) => Some(node_cells(key).into()),
            _ => None,
        })
    }

    /// Edges that differ: `change`, the parts of their keys, then as for nodes.
    pub fn edges(&self) -> Result<Table> {
        self.table(edge_columns(self.ids()), |element| match element {
            Element::Edge(key) => Some(edge_cells(key)),
            _ => None,
        })
    }

    /// The merges that hold in the later state and did not in the earlier one, with the columns of [`merges`](crate::merges).
    pub fn merges(&self) -> Result<Table> {
        merge_table(&self.after.0, self.comparison().changes().merged())
    }

    /// How many: a row each for `nodes`, `edges` and `merges`, with the columns `what`, `created`, `updated`, `removed`.
    pub fn summary(&self) -> Result<Table> {
        let mut rows = RowBatches::new(vec![
            Column::new("what", CellKind::Text),
            Column::new("created", CellKind::Int),
            Column::new("updated", CellKind::Int),
            Column::new("removed", CellKind::Int),
        ]);
        let (nodes, edges, merged) = self.comparison().counts();
        let counts = [
            ("nodes", [nodes.created, nodes.updated, nodes.removed]),
            ("edges", [edges.created, edges.updated, edges.removed]),
            ("merges", [merged, 0, 0]),
        ];
        for (what, counts) in counts {
            rows.row([Cell::Text(what)].into_iter().chain(counts.map(|count| Cell::Int(count as i64))))?;
        }
        Table::of(rows)
    }

    /// Ids may be of nodes that only the earlier state knows.
    fn ids(&self) -> IdKind {
        match (IdKind::of_all(&self.before.0), IdKind::of_all(&self.after.0)) {
            (IdKind::Number, IdKind::Number) => IdKind::Number,
            _ => IdKind::Text,
        }
    }

    fn table(&self, element: Vec<Column>, cells: impl Fn(&Element) -> Option<Vec<Cell<'_>>>) -> Result<Table> {
        let mut columns = vec![Column::new("change", CellKind::Text)];
        columns.extend(element);
        columns.push(Column::new("features", CellKind::Texts));
        columns.extend([Column::nullable("before", JSON), Column::nullable("after", JSON)]);
        let mut rows = RowBatches::new(columns);
        for change in self.comparison().changes().iter() {
            let Some(element) = cells(&change.element) else { continue };
            let [before, after] = self.values(&change);
            let mut row = vec![Cell::Text(word(change.kind))];
            row.extend(element);
            row.push(Cell::Texts(change.features.clone()));
            row.extend([Cell::from(before), Cell::from(after)]);
            rows.row(row)?;
        }
        Table::of(rows)
    }

    /// The values before and after: of an update those that differ; what was not there has none.
    pub(crate) fn values(&self, change: &Change) -> [Option<Value>; 2] {
        let held = |(view, at): &(View, At), absent: ChangeKind| {
            let state = if change.kind == absent { None } else { state(view, *at, &change.element) };
            state.map(|mut values| {
                if change.kind == ChangeKind::Updated {
                    values.retain(|name, _| change.features.contains(name));
                }
                features(&values)
            })
        };
        [held(&self.before, ChangeKind::Created), held(&self.after, ChangeKind::Removed)]
    }
}

pub(crate) fn word(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Created => "created",
        ChangeKind::Updated => "updated",
        ChangeKind::Removed => "removed",
    }
}

fn state(view: &View, at: At, element: &Element) -> Option<BTreeMap<Name, Value>> {
    match element {
        Element::Node(key) => view.index().node(key, at).map(|node| node.features),
        Element::Edge(key) => view.index().edge(key, at).map(|edge| edge.features),
        Element::Merge { .. } => None,
    }
}
