//! Nodes of a moment.

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
use timeweft::read::{NodeColumns, NodeTypeId};
use timeweft::{At, Deletes, NodeKey, View};
use timeweft_arrow::scan::NodeTable;

use super::condition::{Condition, Lives};
use super::exec::{Batches, Part, ScanExec};
use super::{BATCH_ROWS, counted, partitions, projected, pushed, share};
use crate::{Error, Result};

/// The columns of which filters are pushed down.
const FIXED: [&str; 5] = ["node", "type", "id", "created", "removed"];

/// The nodes, of one type or all.
#[derive(Debug)]
pub(crate) struct NodeProvider {
    view: View,
    at: At,
    of_type: Option<NodeTypeId>,
    table: NodeTable,
    scanned: Arc<AtomicU64>,
}

/// Which nodes are wanted.
#[derive(Clone, Debug)]
struct Wanted {
    /// By type: whether nodes of it are.
    types: Vec<bool>,
    lives: Lives,
    /// These numbers alone.
    numbers: Option<Vec<u32>>,
}

impl NodeProvider {
    pub(crate) fn new(
        view: View,
        at: At,
        of_type: Option<NodeTypeId>,
        table: NodeTable,
        scanned: Arc<AtomicU64>,
    ) -> NodeProvider {
        NodeProvider { view, at, of_type, table, scanned }
    }

    fn types(&self) -> impl Iterator<Item = NodeTypeId> {
        let n = self.view.schema().node_types().len() as u16;
        let wanted = self.of_type;
        (0..n).map(NodeTypeId).filter(move |of_type| wanted.is_none_or(|wanted| wanted == *of_type))
    }

    /// How many there are, where that is known without a look at them.
    fn count(&self) -> Option<usize> {
        let count = |of_type| self.view.index().count_nodes(of_type, self.at.time);
        (self.at.deletes == Deletes::Hard).then(|| self.types().map(count).sum())
    }

    fn wanted(&self, conditions: &[Condition]) -> Wanted {
        let schema = self.view.schema();
        let mut types: Vec<bool> = vec![false; schema.node_types().len()];
        self.types().for_each(|of_type| types[of_type.at()] = true);
        let (mut lives, mut ids, mut numbers) = (Lives::ALL, None::<BTreeSet<String>>, None::<BTreeSet<u32>>);
        for condition in conditions {
            match condition {
                Condition::Times(column, span) => lives.narrow(column, *span),
                Condition::Texts(column, names) if column == "type" => {
                    let named = |at: usize| names.contains(&*schema.node_types()[at].name);
                    types.iter_mut().enumerate().for_each(|(at, wanted)| *wanted &= named(at));
                }
                Condition::Texts(_, more) => narrow(&mut ids, more),
                Condition::Numbers(_, more) => narrow(&mut numbers, more),
            }
        }
        if let Some(ids) = ids {
            let of_ids = self.numbers(&types, &ids);
            narrow(&mut numbers, &of_ids);
        }
        Wanted { types, lives, numbers: numbers.map(|numbers| numbers.into_iter().collect()) }
    }

    /// The numbers of the nodes with some ids.
    fn numbers(&self, types: &[bool], ids: &BTreeSet<String>) -> BTreeSet<u32> {
        let (index, schema) = (self.view.index(), self.view.schema());
        let names = schema.node_types().iter().zip(types).filter(|(_, wanted)| **wanted);
        let keys = names.flat_map(|(of_type, _)| ids.iter().map(|id| NodeKey::new(&of_type.name, id.as_str())));
        keys.filter_map(|key| index.node_index(&key)).map(|node| node.0).collect()
    }
}

/// Keeps what is in both.
pub(super) fn narrow<T: Ord + Clone>(known: &mut Option<BTreeSet<T>>, more: &BTreeSet<T>) {
    *known = Some(match known.take() {
        Some(known) => known.intersection(more).cloned().collect(),
        None => more.clone(),
    });
}

#[async_trait]
impl TableProvider for NodeProvider {
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
        let all = self.view.index().n_nodes();
        let rows = match &wanted.numbers {
            Some(numbers) => Some(Precision::Inexact(numbers.len())),
            None if conditions.is_empty() && limit.is_none() => self.count().map(Precision::Exact),
            None => self.count().map(Precision::Inexact),
        };
        let n = wanted.numbers.as_ref().map_or(all, Vec::len);
        let partitions = partitions(state.config().target_partitions(), n, limit);
        let told = told(&self.view, self.at, self.of_type_name(), &conditions, limit);
        let (view, at, table) = (self.view.clone(), self.at, self.table.clone());
        let scan = NodeScan { view, at, table, columns, wanted, partitions, limit, scanned: self.scanned.clone() };
        Ok(Arc::new(ScanExec::new("NodeScan", told, schema, Arc::new(scan), partitions, rows)))
    }
}

impl NodeProvider {
    fn of_type_name(&self) -> Option<String> {
        self.of_type.map(|of_type| self.view.schema().node_type_name(of_type).to_string())
    }
}

/// What is read, for people: a moment, and what is pushed down.
pub(super) fn told(view: &View, at: At, of: Option<String>, conditions: &[Condition], limit: Option<usize>) -> String {
    let mut told = vec![format!("commit={}", view.commit().0)];
    told.extend(of.map(|of| format!("of={of}")));
    match at.time {
        timeweft::Time::FOREVER => told.push("at=now".into()),
        time => told.push(format!("at={}", view.unit().format(time))),
    }
    if at.deletes == Deletes::Soft {
        told.push("deletes=soft".into());
    }
    told.extend(conditions.iter().map(Condition::to_string));
    told.extend(limit.map(|limit| format!("limit={limit}")));
    told.join(", ")
}

#[derive(Debug)]
struct NodeScan {
    view: View,
    at: At,
    table: NodeTable,
    columns: Vec<usize>,
    wanted: Wanted,
    partitions: usize,
    limit: Option<usize>,
    scanned: Arc<AtomicU64>,
}

impl Part for NodeScan {
    fn open(&self, partition: usize) -> Batches {
        let scan = Reader {
            view: self.view.clone(),
            at: self.at,
            table: self.table.clone(),
            columns: self.columns.clone(),
            wanted: self.wanted.clone(),
            left: self.limit.unwrap_or(usize::MAX),
            numbers: match &self.wanted.numbers {
                Some(numbers) => share(numbers.len(), partition, self.partitions),
                None => share(self.view.index().n_nodes(), partition, self.partitions),
            },
            found: NodeColumns::default(),
        };
        counted(&self.scanned, Box::new(scan))
    }
}

/// Reads the nodes of a range.
struct Reader {
    view: View,
    at: At,
    table: NodeTable,
    columns: Vec<usize>,
    wanted: Wanted,
    /// How many more rows are wanted.
    left: usize,
    /// The numbers still to be looked at; places of numbers, where only some are wanted.
    numbers: Range<u32>,
    found: NodeColumns,
}

impl Iterator for Reader {
    type Item = Result<arrow_array::RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        self.found.clear();
        let (index, most) = (self.view.index(), BATCH_ROWS.min(self.left));
        let Wanted { types, lives, numbers } = &self.wanted;
        let (no_life, lives) = (lives.is_all(), *lives);
        let is_wanted = |of_type: NodeTypeId, life| types[of_type.at()] && (no_life || lives.has(life));
        if let Some(numbers) = numbers {
            while !self.numbers.is_empty() && self.found.nodes.len() < most {
                let number = numbers[self.numbers.start as usize];
                self.numbers.start += 1;
                index.node_columns_in(number..number.saturating_add(1), self.at, is_wanted, most, &mut self.found);
            }
        } else {
            self.numbers.start = index.node_columns_in(self.numbers.clone(), self.at, is_wanted, most, &mut self.found);
        }
        self.left -= self.found.nodes.len();
        if self.found.nodes.is_empty() {
            return None;
        }
        Some(self.table.batch(&self.found, &self.columns).map_err(Error::from))
    }
}
