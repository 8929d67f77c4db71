//! Answers that are made as a whole when they are read.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result as EngineResult;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use timeweft_arrow::Lazy;

use crate::scan::{BATCH_ROWS, Batches, Part, ScanExec, projected};
use crate::{Error, Result};

/// A table of one answer.
#[derive(Debug)]
pub(crate) struct LazyTable {
    lazy: Lazy,
}

impl LazyTable {
    pub(crate) fn new(lazy: Lazy) -> LazyTable {
        LazyTable { lazy }
    }
}

#[async_trait]
impl TableProvider for LazyTable {
    fn schema(&self) -> SchemaRef {
        self.lazy.schema().clone()
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        limit: Option<usize>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        let columns = projected(self.lazy.schema(), projection);
        let schema = Arc::new(self.lazy.schema().project(&columns)?);
        let answer = Answer { lazy: self.lazy.clone(), columns, limit };
        let told = limit.map_or_else(String::new, |limit| format!("limit={limit}"));
        Ok(Arc::new(ScanExec::new("AnswerScan", told, schema, Arc::new(answer), 1, None)))
    }
}

#[derive(Debug)]
struct Answer {
    lazy: Lazy,
    columns: Vec<usize>,
    limit: Option<usize>,
}

impl Part for Answer {
    fn open(&self, _: usize) -> Batches {
        let (lazy, columns, mut left) = (self.lazy.clone(), self.columns.clone(), self.limit.unwrap_or(usize::MAX));
        // Made when the first batch is asked for.
        let made = std::iter::once_with(move || lazy.make().map_err(Error::from));
        let batches = made.flat_map(|table| -> Vec<Result<RecordBatch>> {
            match table {
                Ok(table) => table.batches.iter().flat_map(cut).map(Ok).collect(),
                Err(error) => vec![Err(error)],
            }
        });
        let taken = batches.map_while(move |batch| match batch {
            Ok(_) if left == 0 => None,
            Ok(batch) => {
                let batch = batch.slice(0, batch.num_rows().min(left));
                left -= batch.num_rows();
                Some(batch.project(&columns).map_err(|error| Error::Internal { message: error.to_string() }))
            }
            Err(error) => Some(Err(error)),
        });
        Box::new(taken)
    }
}

/// A batch in pieces of the size that the engine works with.
fn cut(batch: &RecordBatch) -> Vec<RecordBatch> {
    let rows = batch.num_rows();
    (0..rows).step_by(BATCH_ROWS).map(|from| batch.slice(from, BATCH_ROWS.min(rows - from))).collect()
}
