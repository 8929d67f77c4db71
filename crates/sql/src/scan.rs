//! Tables that are read batch by batch, and what is pushed down to them: columns, types, ids, times, a limit.

mod condition;
mod edges;
mod events;
mod exec;
mod nodes;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};

pub(crate) use condition::Span;
pub(crate) use edges::EdgeProvider;
pub(crate) use events::EventProvider;
pub(crate) use exec::{Batches, Part, ScanExec};
pub(crate) use nodes::NodeProvider;

use condition::Condition;

/// Rows of a batch: what the engine works with.
pub(crate) const BATCH_ROWS: usize = 8192;

/// With fewer rows than this a scan is not worth another partition; and its rows come in one order.
const GRAIN: usize = 1 << 16;

/// The places of the columns that are wanted.
pub(crate) fn projected(schema: &Schema, projection: Option<&Vec<usize>>) -> Vec<usize> {
    projection.cloned().unwrap_or_else(|| (0..schema.fields().len()).collect())
}

/// Which filters a table applies itself, all of each.
fn pushed(filters: &[&Expr], fixed: &[&str]) -> Vec<TableProviderFilterPushDown> {
    let is_known = |filter: &&Expr| Condition::of(filter, fixed).is_some();
    let answer = |is_known| match is_known {
        true => TableProviderFilterPushDown::Exact,
        false => TableProviderFilterPushDown::Unsupported,
    };
    filters.iter().map(is_known).map(answer).collect()
}

/// How many partitions the rows of a scan are read in.
fn partitions(most: usize, rows: usize, limit: Option<usize>) -> usize {
    let of_rows = limit.map_or(rows, |limit| limit.min(rows)).div_ceil(GRAIN);
    of_rows.clamp(1, most.max(1))
}

/// The numbers of a partition, of all numbers from 0.
fn share(all: usize, partition: usize, partitions: usize) -> std::ops::Range<u32> {
    let at = |part: usize| (all * part / partitions) as u32;
    at(partition)..at(partition + 1)
}

/// Counts the rows that are read, for whoever asked.
fn counted(rows: &Arc<AtomicU64>, batches: Batches) -> Batches {
    let rows = rows.clone();
    Box::new(batches.inspect(move |batch| {
        if let Ok(batch) = batch {
            rows.fetch_add(RecordBatch::num_rows(batch) as u64, Ordering::Relaxed);
        }
    }))
}
