//! How far a load is, reported while it runs; the callback may stop it.

use std::ops::ControlFlow;

use timeweft_graph::{Record, Schema, Sink};
use timeweft_source::BytesRead;

/// How far a load is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LoadProgress {
    /// Records handed to the store so far.
    pub records: u64,
    /// Bytes of the source read so far, as they lie on disk.
    pub bytes: u64,
    /// Size of the source in bytes; `None` where it is not known, as for standard input.
    pub size: Option<u64>,
}

/// Hears how far a load is, and says whether it goes on.
pub(super) type OnProgress<'a> = Box<dyn FnMut(LoadProgress) -> ControlFlow<()> + Send + 'a>;

/// The callback answered to break.
#[derive(Debug, thiserror::Error)]
#[error("stopped")]
pub(super) struct Stopped;

/// Records between two reports of progress.
const STRIDE: u64 = 4096;

/// Counts records and reports the progress.
pub(super) struct Meter<'a> {
    pub(super) bytes: Option<BytesRead>,
    /// Bytes of the sources before the present one.
    before: u64,
    pub(super) size: Option<u64>,
    pub(super) records: u64,
    /// Whether the callback may stop the load.
    pub(super) can_stop: bool,
    is_stopped: bool,
    on_progress: Option<OnProgress<'a>>,
}

impl<'a> Meter<'a> {
    pub(super) fn new(on_progress: Option<OnProgress<'a>>) -> Meter<'a> {
        Meter { bytes: None, before: 0, size: None, records: 0, can_stop: true, is_stopped: false, on_progress }
    }

    /// Begins with the first record of the first source.
    pub(super) fn begin(&mut self) {
        (self.bytes, self.before, self.records) = (None, 0, 0);
    }

    /// Begins with another source.
    pub(super) fn next(&mut self, bytes: Option<BytesRead>) {
        self.before += std::mem::replace(&mut self.bytes, bytes).map_or(0, |done| done.get());
    }

    /// One record more. Once the load is stopped, no record counts any more.
    pub(super) fn count(&mut self) -> Result<(), Stopped> {
        self.records += 1;
        if self.records.is_multiple_of(STRIDE)
            && let Some(report) = &mut self.on_progress
        {
            let bytes = self.before + self.bytes.as_ref().map_or(0, BytesRead::get);
            let progress = LoadProgress { records: self.records, bytes, size: self.size };
            self.is_stopped |= report(progress).is_break() && self.can_stop;
        }
        self.check()
    }

    /// Whether the load was stopped.
    pub(super) fn check(&self) -> Result<(), Stopped> {
        if self.is_stopped { Err(Stopped) } else { Ok(()) }
    }
}

/// Hands records on and counts them.
pub(super) struct Counting<'a, 'm> {
    pub(super) sink: &'a mut dyn Sink,
    pub(super) meter: &'a mut Meter<'m>,
}

impl Sink for Counting<'_, '_> {
    fn schema(&mut self) -> &mut Schema {
        self.sink.schema()
    }

    fn record(&mut self, record: Record<'_>, line: u64) {
        use Record::{Expected, File, Format, Warning};
        let is_fact = matches!(record, File(_) | Format(_) | Expected(..) | Warning(_));
        if is_fact || self.meter.count().is_ok() {
            self.sink.record(record, line);
        }
    }

    fn is_closed(&self) -> bool {
        self.meter.check().is_err() || self.sink.is_closed()
    }
}
