//! The one leaf of all plans: batches of some partitions.

use std::fmt;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result as EngineResult, Statistics};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::EquivalenceProperties;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PhysicalExpr, PlanProperties, StatisticsArgs,
};
use timeweft::read::damage;

use crate::{Error, Result};

/// Batches, one after the other.
pub(crate) type Batches = Box<dyn Iterator<Item = Result<RecordBatch>> + Send>;

/// What is read.
pub(crate) trait Part: fmt::Debug + Send + Sync {
    /// The batches of a partition.
    fn open(&self, partition: usize) -> Batches;
}

/// Reads.
#[derive(Debug)]
pub(crate) struct ScanExec {
    name: &'static str,
    /// What is pushed down, for people.
    told: String,
    part: Arc<dyn Part>,
    schema: SchemaRef,
    rows: Option<Precision<usize>>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl ScanExec {
    pub(crate) fn new(
        name: &'static str,
        told: String,
        schema: SchemaRef,
        part: Arc<dyn Part>,
        partitions: usize,
        rows: Option<Precision<usize>>,
    ) -> ScanExec {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema.clone()),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        ScanExec {
            name,
            told,
            part,
            schema,
            rows,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }
}

impl DisplayAs for ScanExec {
    fn fmt_as(&self, kind: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<&str> = self.schema.fields().iter().map(|field| field.name().as_str()).collect();
        let columns = columns.join(", ");
        match kind {
            DisplayFormatType::TreeRender => write!(f, "columns={columns}\n{}", self.told.replace(", ", "\n")),
            _ if self.told.is_empty() => write!(f, "{}: columns=[{columns}]", self.name),
            _ => write!(f, "{}: {}, columns=[{columns}]", self.name, self.told),
        }
    }
}

impl ExecutionPlan for ScanExec {
    fn name(&self) -> &str {
        self.name
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> EngineResult<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> EngineResult<TreeNodeRecursion>,
    ) -> EngineResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn execute(&self, partition: usize, _: Arc<TaskContext>) -> EngineResult<SendableRecordBatchStream> {
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let schema = self.schema.clone();
        let (part, expected) = (self.part.clone(), schema.clone());
        let mut batches = std::iter::once_with(move || part.open(partition)).flatten();
        let next = move || {
            let _timer = metrics.elapsed_compute().timer();
            // A damaged block ends a question by unwinding; here it ends the query with an error.
            let batch = match damage::catch(|| batches.next()) {
                Ok(batch) => batch?,
                Err(damage) => Err(Error::Damage(damage)),
            };
            let batch = batch.map_err(DataFusionError::from).and_then(|batch| Ok(batch.with_schema(expected.clone())?));
            if let Ok(batch) = &batch {
                metrics.output_rows().add(batch.num_rows());
            }
            Some(batch)
        };
        let mut failed = false;
        let batches = std::iter::from_fn(next).take_while(move |batch| !std::mem::replace(&mut failed, batch.is_err()));
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, tokio_stream::iter(batches))))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn statistics_from_inputs(&self, _: &[Arc<Statistics>], args: &StatisticsArgs) -> EngineResult<Arc<Statistics>> {
        let mut statistics = Statistics::new_unknown(&self.schema);
        if let Some(rows) = self.rows
            && args.partition().is_none()
        {
            statistics.num_rows = rows;
        }
        Ok(Arc::new(statistics))
    }
}
