//! Edges of a moment.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arrow_schema::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{Result as EngineResult, Statistics};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use timeweft::read::{EdgeColumns, EdgeTypeId, NodeIndex};
use timeweft::{At, Deletes, Direction, NodeKey, View};
use timeweft_arrow::scan::EdgeTable;

use super::condition::{Condition, Lives};
use super::exec::{Batches, Part, ScanExec};
use super::nodes::{narrow, told};
use super::{BATCH_ROWS, counted, partitions, projected, pushed, share};
use crate::names::triple;
use crate::{Error, Result};

/// The columns of which filters are pushed down.
const FIXED: [&str; 9] = [
    "source",
    "destination",
    "source_type",
    "source_id",
    "relation",
    "destination_type",
    "destination_id",
    "created",
    "removed",
];

/// The edges, of one relation or all.
#[derive(Debug)]
pub(crate) struct EdgeProvider {
    view: View,
    at: At,
    all: bool,
    table: EdgeTable,
    scanned: Arc<AtomicU64>,
}

/// Which edges are wanted.
#[derive(Clone, Debug)]
struct Wanted {
    /// By type: whether edges of it are.
    types: Vec<bool>,
    lives: Lives,
    /// Only edges that start, or that end, at these nodes.
    ends: [Option<BTreeSet<u32>>; 2],
}

impl Wanted {
    /// The nodes at whose lists the edges are looked for, and on which side.
    fn lists(&self) -> Option<(Vec<u32>, Direction)> {
        let [sources, destinations] = &self.ends;
        let list = |of: &BTreeSet<u32>, direction| (of.iter().copied().collect(), direction);
        match (sources, destinations) {
            (Some(sources), None) => Some(list(sources, Direction::Out)),
            (Some(sources), Some(others)) if sources.len() <= others.len() => Some(list(sources, Direction::Out)),
            (_, Some(destinations)) => Some(list(destinations, Direction::In)),
            (None, None) => None,
        }
    }

    fn has_ends(&self, (source, destination): (NodeIndex, NodeIndex)) -> bool {
        let is_in = |of: &Option<BTreeSet<u32>>, node: NodeIndex| of.as_ref().is_none_or(|of| of.contains(&node.0));
        is_in(&self.ends[0], source) && is_in(&self.ends[1], destination)
    }
}

impl EdgeProvider {
    pub(crate) fn new(view: View, at: At, all: bool, table: EdgeTable, scanned: Arc<AtomicU64>) -> EdgeProvider {
        EdgeProvider { view, at, all, table, scanned }
    }

    /// How many there are, where that is known without a look at them.
    fn count(&self) -> Option<usize> {
        let count = |of_type: &EdgeTypeId| self.view.index().count_edges(*of_type, self.at.time);
        (self.at.deletes == Deletes::Hard).then(|| self.table.types().iter().map(count).sum())
    }

    fn wanted(&self, conditions: &[Condition]) -> Wanted {
        let schema = self.view.schema();
        let mut types: Vec<bool> = vec![false; schema.edge_types().len()];
        self.table.types().iter().for_each(|of_type| types[of_type.at()] = true);
        let mut wanted = Wanted { types, lives: Lives::ALL, ends: [None, None] };
        let mut ids: [Option<BTreeSet<String>>; 2] = [None, None];
        for condition in conditions {
            match condition {
                Condition::Times(column, span) => wanted.lives.narrow(column, *span),
                Condition::Numbers(column, numbers) => {
                    narrow(&mut wanted.ends[usize::from(column == "destination")], numbers);
                }
                Condition::Texts(column, texts) => match &**column {
                    "source_id" => narrow(&mut ids[0], texts),
                    "destination_id" => narrow(&mut ids[1], texts),
                    column => {
                        let name = |end: timeweft::read::NodeTypeId| &schema.node_types()[end.at()].name;
                        for (edge, wanted) in schema.edge_types().iter().zip(&mut wanted.types) {
                            *wanted &= texts.contains(&**match column {
                                "source_type" => name(edge.source),
                                "destination_type" => name(edge.destination),
                                _ => &edge.relation,
                            });
                        }
                    }
                },
            }
        }
        for (side, ids) in ids.into_iter().enumerate() {
            if let Some(ids) = ids {
                let numbers = self.numbers(&wanted.types, side, &ids);
                narrow(&mut wanted.ends[side], &numbers);
            }
        }
        wanted
    }

    /// The numbers of the nodes with some ids that may be at one end of edges of some types.
    fn numbers(&self, types: &[bool], side: usize, ids: &BTreeSet<String>) -> BTreeSet<u32> {
        let (index, schema) = (self.view.index(), self.view.schema());
        let edges = schema.edge_types().iter().zip(types).filter(|(_, wanted)| **wanted);
        let ends: BTreeSet<_> = edges.map(|(edge, _)| [edge.source, edge.destination][side]).collect();
        let names = ends.into_iter().map(|end| schema.node_type_name(end));
        let keys = names.flat_map(|name| ids.iter().map(move |id| NodeKey::new(&name, id.as_str())));
        keys.filter_map(|key| index.node_index(&key)).map(|node| node.0).collect()
    }

    /// What the edges are of, for people.
    fn of(&self) -> Option<String> {
        let schema = self.view.schema();
        let names: Vec<String> =
            self.table.types().iter().map(|of_type| triple(schema, &schema.edge_types()[of_type.at()])).collect();
        (!self.all).then(|| names.join(" "))
    }
}

#[async_trait]
impl TableProvider for EdgeProvider {
    fn schema(&self) -> SchemaRef {
        self.table.schema().clone()
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> EngineResult<Vec<TableProviderFilterPushDown>> {
        Ok(pushed(filters, &FIXED))
    }

    fn statistics(&self) -> Option<Statistics> {
        let mut statistics = Statistics::new_unknown(self.table.schema());
        statistics.num_rows = Precision::Exact(self.count()?);
        Some(statistics)
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        let conditions: Vec<Condition> = filters.iter().filter_map(|filter| Condition::of(filter, &FIXED)).collect();
        let wanted = self.wanted(&conditions);
        let columns = projected(self.table.schema(), projection);
        let schema = Arc::new(self.table.schema().project(&columns)?);
        let lists = wanted.lists();
        let rows = match &lists {
            None if conditions.is_empty() && limit.is_none() => self.count().map(Precision::Exact),
            None => self.count().map(Precision::Inexact),
            Some(_) => None,
        };
        let n = match &lists {
            Some(_) => 0,
            None => self.view.index().n_edges(),
        };
        let partitions = partitions(state.config().target_partitions(), n, limit);
        let told = told(&self.view, self.at, self.of(), &conditions, limit);
        let (view, at, table, scanned) = (self.view.clone(), self.at, self.table.clone(), self.scanned.clone());
        let scan = EdgeScan { view, at, table, columns, wanted, partitions, limit, scanned };
        Ok(Arc::new(ScanExec::new("EdgeScan", told, schema, Arc::new(scan), partitions, rows)))
    }
}

#[derive(Clone, Debug)]
struct EdgeScan {
    view: View,
    at: At,
    table: EdgeTable,
    columns: Vec<usize>,
    wanted: Wanted,
    partitions: usize,
    limit: Option<usize>,
    scanned: Arc<AtomicU64>,
}

impl Part for EdgeScan {
    fn open(&self, partition: usize) -> Batches {
        let lists = self.wanted.lists();
        let numbers = match &lists {
            Some((nodes, _)) => 0..nodes.len() as u32,
            None => share(self.view.index().n_edges(), partition, self.partitions),
        };
        let left = self.limit.unwrap_or(usize::MAX);
        let reader = Reader { scan: self.clone(), lists, numbers, left, found: EdgeColumns::default() };
        counted(&self.scanned, Box::new(reader))
    }
}

/// Reads the edges of a range, or those at some nodes.
struct Reader {
    scan: EdgeScan,
    lists: Option<(Vec<u32>, Direction)>,
    /// The numbers still to be looked at: of edges, or places of nodes.
    numbers: Range<u32>,
    left: usize,
    found: EdgeColumns,
}

impl Iterator for Reader {
    type Item = Result<arrow_array::RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        self.found.clear();
        let (index, most) = (self.scan.view.index(), BATCH_ROWS.min(self.left));
        let Wanted { types, lives, .. } = &self.scan.wanted;
        let is_wanted = |of_type: EdgeTypeId, life| types[of_type.at()] && lives.has(life);
        match &self.lists {
            None => {
                let numbers = self.numbers.clone();
                self.numbers.start = index.edge_columns_in(numbers, self.scan.at, is_wanted, most, &mut self.found);
            }
            Some((nodes, direction)) => {
                // The edges of a hub stand in one batch.
                while !self.numbers.is_empty() && self.found.edges.len() < most {
                    let node = index.node_key(NodeIndex(nodes[self.numbers.start as usize]));
                    self.numbers.start += 1;
                    let mut edges = index.incident_edges(&node, *direction, None, self.scan.at);
                    edges.retain(|edge| {
                        let (of_type, source, destination) = index.edge_ends(*edge);
                        is_wanted(of_type, index.edge_interval(*edge))
                            && self.scan.wanted.has_ends((source, destination))
                    });
                    edges.truncate(self.left - self.found.edges.len().min(self.left));
                    index.push_edges(edges, &mut self.found);
                }
            }
        }
        self.left -= self.found.edges.len();
        if self.found.edges.is_empty() {
            return None;
        }
        Some(self.scan.table.batch(&self.found, &self.scan.columns).map_err(Error::from))
    }
}
