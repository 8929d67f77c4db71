//! Events of a span of time.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arrow_schema::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result as EngineResult;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use timeweft::read::EdgeTypeId;
use timeweft::{Element, Event, Time, View};
use timeweft_arrow::scan::EventTable;

use super::condition::{Condition, Span};
use super::exec::{Batches, Part, ScanExec};
use super::{BATCH_ROWS, counted, projected, pushed};
use crate::{Error, Result};

/// The columns of which filters are pushed down.
const FIXED: [&str; 1] = ["time"];

/// The events, of edges of some types or of everything.
#[derive(Debug)]
pub(crate) struct EventProvider {
    scan: EventScan,
    scanned: Arc<AtomicU64>,
}

impl EventProvider {
    pub(crate) fn new(
        view: View,
        types: Option<Vec<EdgeTypeId>>,
        span: Span,
        table: EventTable,
        scanned: Arc<AtomicU64>,
    ) -> EventProvider {
        EventProvider { scan: EventScan { view, types, span, table, columns: Vec::new(), limit: None }, scanned }
    }
}

#[async_trait]
impl TableProvider for EventProvider {
    fn schema(&self) -> SchemaRef {
        self.scan.table.schema().clone()
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> EngineResult<Vec<TableProviderFilterPushDown>> {
        Ok(pushed(filters, &FIXED))
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        let mut scan = EventScan { limit, ..self.scan.clone() };
        scan.columns = projected(scan.table.schema(), projection);
        for condition in filters.iter().filter_map(|filter| Condition::of(filter, &FIXED)) {
            if let Condition::Times(_, span) = condition {
                scan.span = scan.span.and(span);
            }
        }
        let schema = Arc::new(scan.table.schema().project(&scan.columns)?);
        let mut told = vec![format!("commit={}", scan.view.commit().0), format!("time in {}", scan.span)];
        told.extend(limit.map(|limit| format!("limit={limit}")));
        let part = Counted { scan, scanned: self.scanned.clone() };
        Ok(Arc::new(ScanExec::new("EventScan", told.join(", "), schema, Arc::new(part), 1, None)))
    }
}

#[derive(Clone, Debug)]
struct EventScan {
    view: View,
    types: Option<Vec<EdgeTypeId>>,
    span: Span,
    table: EventTable,
    columns: Vec<usize>,
    limit: Option<usize>,
}

#[derive(Debug)]
struct Counted {
    scan: EventScan,
    scanned: Arc<AtomicU64>,
}

impl Part for Counted {
    fn open(&self, _: usize) -> Batches {
        let scan = self.scan.clone();
        let (left, places) = (scan.limit.unwrap_or(usize::MAX), Vec::new().into_iter());
        counted(&self.scanned, Box::new(Reader { scan, left, places, begun: false }))
    }
}

/// Makes one event after the other.
struct Reader {
    scan: EventScan,
    left: usize,
    places: std::vec::IntoIter<u32>,
    begun: bool,
}

impl Reader {
    /// The places of the events of the span.
    fn begin(&mut self) {
        if !std::mem::replace(&mut self.begun, true) {
            let Span { first, last, .. } = self.scan.span;
            let until = last.checked_add(1).map_or(Time::FOREVER, Time);
            if first <= last {
                self.places = self.scan.view.index().event_positions(Time(first), until).into_iter();
            }
        }
    }

    fn is_wanted(&self, event: &Event) -> bool {
        let Some(types) = &self.scan.types else { return true };
        let Element::Edge(edge) = &event.element else { return false };
        let schema = self.scan.view.schema();
        let of_type = schema.edge_type_named(&edge.source.node_type, &edge.relation, &edge.destination.node_type);
        of_type.is_some_and(|of_type| types.contains(&of_type))
    }
}

impl Iterator for Reader {
    type Item = Result<arrow_array::RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        self.begin();
        let mut events = Vec::new();
        while events.len() < BATCH_ROWS.min(self.left) {
            let Some(place) = self.places.next() else { break };
            let event = self.scan.view.index().event_at(place as usize);
            events.extend(event.filter(|event| self.is_wanted(event)));
        }
        self.left -= events.len();
        if events.is_empty() {
            return None;
        }
        Some(self.scan.table.batch(&events, &self.scan.columns).map_err(Error::from))
    }
}
