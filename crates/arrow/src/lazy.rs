//! Answers with columns that are known before any row is: what a query engine plans with. Ids are always texts.

use std::fmt;
use std::sync::Arc;

use arrow_schema::SchemaRef;
use timeweft::export::table_writer::{Cell, CellKind, Column, RowBatches};
use timeweft::read::query::{Answer, Page};
use timeweft::sample::Side;
use timeweft::{At, Deletes, EdgeKey, Element, NodeKey, TimeUnit, View};

use crate::cells::{JSON, features, life_cells, life_columns, node_cells, node_columns};
use crate::diff::{Difference, word};
use crate::table::{IdKind, Table};
use crate::{Result, history, loads, merges, neighbors};

/// An answer that is made when it is asked for.
///
/// ```
/// use timeweft::{At, Graph, NodeKey, TimeUnit};
/// use timeweft_arrow::Lazy;
/// # let dir = tempfile::tempdir()?;
/// # let events = dir.path().join("mail.csv");
/// # std::fs::write(&events, "src,dst,time\n1,2,5\n1,3,8\n")?;
/// # let mut graph = Graph::create(dir.path().join("mail"), TimeUnit::Step)?;
/// # graph.load(&events).run()?;
/// let history = Lazy::history(&graph.view(), At::now(), NodeKey::new("node", 1))?;
/// assert_eq!(history.schema().field(0).name(), "created");
/// assert_eq!(history.make()?.n_rows(), 3, "its life, and two edges");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Lazy {
    schema: SchemaRef,
    make: Arc<dyn Fn(RowBatches) -> Result<Table> + Send + Sync>,
    columns: Vec<Column>,
}

/// Which relatives of a node in a hierarchy, whose edges go from the child to the parent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Relatives {
    Parents,
    Children,
    Ancestors,
    Descendants,
}

impl Lazy {
    fn new(columns: Vec<Column>, make: impl Fn(RowBatches) -> Result<Table> + Send + Sync + 'static) -> Result<Lazy> {
        let (schema, _) = RowBatches::new(columns.clone()).finish()?;
        Ok(Lazy { schema, make: Arc::new(make), columns })
    }

    /// The columns.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The rows.
    ///
    /// # Errors
    /// If a column is too large.
    pub fn make(&self) -> Result<Table> {
        (self.make)(RowBatches::new(self.columns.clone()))
    }

    /// The edges at a node, with the columns and in the order of [`neighbors`](crate::neighbors).
    ///
    /// # Errors
    /// If the graph has no such type or relation, or never had the node.
    pub fn neighbors(view: &View, at: At, node: NodeKey, side: Side, relation: Option<&str>) -> Result<Lazy> {
        neighbors::check(view, &node, relation)?;
        let columns = neighbors::columns(view, IdKind::Text);
        let (view, relation) = (view.clone(), relation.map(str::to_owned));
        Lazy::new(columns, move |_| neighbors::table(&view, at, &node, side, relation.as_deref(), IdKind::Text))
    }

    /// Everything that happened to a node, as [`history`](crate::history) says it, with `created` and `removed` for `from`
    /// and `until`, which are words of SQL.
    ///
    /// # Errors
    /// If the graph has no such type, or never had the node.
    pub fn history(view: &View, at: At, node: NodeKey) -> Result<Lazy> {
        history::check(view, &node)?;
        let mut columns = history::columns(view.unit());
        columns[..2].iter_mut().zip(["created", "removed"]).for_each(|(column, name)| column.name = name.into());
        let view = view.clone();
        Lazy::new(columns, move |rows| history::table(&view, at, &node, rows))
    }

    /// What differs, in one table: nodes, then edges, each by change and key, and the merges that came to hold.
    ///
    /// | column | type |
    /// |---|---|
    /// | `change`, `what` | `created`, `updated`, `removed`; `node`, `edge`, `merge` |
    /// | `type`, `id` | of the node, of the source of an edge, of the node that is no more |
    /// | `relation`, `destination_type`, `destination_id`, `key` | of an edge; a merge has the node that it became as its destination |
    /// | `features` | `List(Utf8)`: names of those that differ, if it was updated |
    /// | `before`, `after` | `Utf8` with a JSON object: as in [`Difference::nodes`] |
    ///
    /// # Errors
    /// None that is known of.
    pub fn difference(difference: Difference) -> Result<Lazy> {
        let mut columns = vec![Column::new("change", CellKind::Text), Column::new("what", CellKind::Text)];
        columns.extend(node_columns("", IdKind::Text));
        columns.push(Column::nullable("relation", CellKind::Text));
        columns.push(Column::nullable("destination_type", CellKind::Text));
        columns.push(Column::nullable("destination_id", CellKind::Id));
        columns.push(Column::nullable("key", CellKind::Text));
        columns.push(Column::new("features", CellKind::Texts));
        columns.extend([Column::nullable("before", JSON), Column::nullable("after", JSON)]);
        Lazy::new(columns, move |mut rows| {
            for change in difference.comparison().changes().iter() {
                let [before, after] = difference.values(&change);
                let mut cells = vec![Cell::Text(word(change.kind)), Cell::Text(change.element.kind().name())];
                cells.extend(element(&change.element));
                cells.push(Cell::Texts(change.features.clone()));
                rows.row(cells.into_iter().chain([Cell::from(before), Cell::from(after)]))?;
            }
            for merge in difference.comparison().changes().merged() {
                let held = features(&merge.features);
                let element = Element::Merge { from: merge.from, into: merge.into };
                let mut cells = vec![Cell::Text("created"), Cell::Text("merge")];
                cells.extend(self::element(&element));
                rows.row(cells.into_iter().chain([Cell::Texts(Vec::new()), Cell::Null, Cell::from(held)]))?;
            }
            Table::of(rows)
        })
    }

    /// Relatives of a node, by type and id.
    ///
    /// | column | type |
    /// |---|---|
    /// | `node`, `type`, `id`, `created`, `removed` | as in [`NodeTable`](crate::scan::NodeTable) |
    /// | `depth` | `UInt32`: fewest hops from the node that was asked about |
    /// | `relations` | `List(Utf8)`: of the edges between the two, where the answer is one hop away |
    /// | `features` | `Utf8` with a JSON object |
    ///
    /// Walks along these relations, or along those of hierarchies (`is_a`, `child_of`) where none is named, at most `depth`
    /// hops.
    ///
    /// # Errors
    /// If the graph has no such type or relation, or never had the node.
    pub fn relatives(
        view: &View,
        at: At,
        node: NodeKey,
        which: Relatives,
        relation: Option<&str>,
        depth: u32,
    ) -> Result<Lazy> {
        neighbors::check(view, &node, relation)?;
        let mut columns = vec![Column::new("node", CellKind::Index)];
        columns.extend(node_columns("", IdKind::Text));
        columns.extend(life_columns(view.unit()));
        columns.extend([Column::new("depth", CellKind::Index), Column::new("relations", CellKind::Texts)]);
        columns.push(Column::new("features", JSON));
        let (view, relation) = (view.clone(), relation.map(str::to_owned));
        Lazy::new(columns, move |rows| {
            let query = view.index().query(at.time).deletes(at.deletes).depth(depth).page(Page::all());
            let query = if let Some(relation) = &relation { query.relations([relation]) } else { query };
            let answer = match which {
                Relatives::Parents => query.parents(&node),
                Relatives::Children => query.children(&node),
                Relatives::Ancestors => query.ancestors(&node),
                Relatives::Descendants => query.descendants(&node),
            };
            relatives(&view, &answer, rows)
        })
    }

    /// The merges that hold at a moment, with the columns of [`merges`](crate::merges); with soft deletes those too that are
    /// over by then, and `deleted` says so.
    ///
    /// # Errors
    /// None that is known of.
    pub fn merges(view: &View, at: At) -> Result<Lazy> {
        let mut columns = merges::columns(view, IdKind::Text);
        if at.deletes == Deletes::Soft {
            columns.push(Column::new("deleted", CellKind::Bool));
        }
        let view = view.clone();
        Lazy::new(columns, move |mut rows| {
            for merge in view.merges() {
                let holds = merge.interval.contains(at.time);
                match at.deletes {
                    Deletes::Hard if holds => rows.row(merges::cells(&merge))?,
                    Deletes::Soft if merge.interval.created <= at.time => {
                        rows.row(merges::cells(&merge).into_iter().chain([Cell::Bool(!holds)]))?;
                    }
                    _ => {}
                }
            }
            Table::of(rows)
        })
    }

    /// The registry of loads, which somebody gives, with the columns of [`loads`](crate::loads).
    ///
    /// # Errors
    /// None that is known of.
    pub fn loads(unit: TimeUnit, give: impl Fn() -> Result<Table> + Send + Sync + 'static) -> Result<Lazy> {
        Lazy::new(loads::columns(unit), move |_| give())
    }
}

impl fmt::Debug for Lazy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lazy").field("schema", &self.schema).finish_non_exhaustive()
    }
}

/// What a change is about.
fn element(element: &Element) -> Vec<Cell<'_>> {
    let (source, rest) = match element {
        Element::Node(node) => (node, [Cell::Null, Cell::Null, Cell::Null, Cell::Null]),
        Element::Edge(EdgeKey { source, relation, destination, key }) => {
            let [of_type, id] = node_cells(destination);
            (source, [Cell::Text(relation), of_type, id, Cell::from(key.as_deref())])
        }
        Element::Merge { from, into } => {
            let [of_type, id] = node_cells(into);
            (from, [Cell::Null, of_type, id, Cell::Null])
        }
    };
    node_cells(source).into_iter().chain(rest).collect()
}

fn relatives(view: &View, answer: &Answer, mut rows: RowBatches) -> Result<Table> {
    for row in &answer.rows {
        let number = view.index().node_index(&row.node.key).unwrap_or(timeweft::sample::NO_NODE);
        let mut relations: Vec<_> = row.edges.iter().map(|edge| edge.key.relation.clone()).collect();
        relations.dedup();
        let mut cells = vec![Cell::Index(number.0)];
        cells.extend(node_cells(&row.node.key));
        cells.extend(life_cells(row.node.life));
        cells.extend([Cell::Index(row.depth), Cell::Texts(relations), Cell::from(features(&row.node.features))]);
        rows.row(cells)?;
    }
    Table::of(rows)
}
