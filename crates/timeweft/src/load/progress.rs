//! How far a load is, reported while it runs; the callback may stop it.

use std::cell::RefCell;
use std::ops::ControlFlow;

use timeweft_graph::{Record, Schema, Sink, Stop};
use timeweft_source::BytesRead;

/// How far a load is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LoadProgress {
    /// Records handed to the store so far; of a git history that is being read, its commits.
    pub records: u64,
    /// Bytes of the source read so far, as they lie on disk.
    pub bytes: u64,
    /// Size of the source in bytes; `None` where it is not known, as for standard input.
    pub size: Option<u64>,
}

/// Hears how far a load is, and says whether it goes on.
pub(super) type OnProgress<'a> = Box<dyn FnMut(LoadProgress) -> ControlFlow<()> + Send + 'a>;

/// Records between two reports of progress.
const STRIDE: u64 = 4096;

/// The same of commits, each of which takes longer to read.
const COMMITS: u64 = 64;

/// Counts records and reports the progress. What is stopped says [`Stop`], which the store looks at too.
pub(super) struct Meter<'a> {
    pub(super) bytes: Option<BytesRead>,
    /// Bytes of the sources before the present one.
    before: u64,
    pub(super) size: Option<u64>,
    pub(super) records: u64,
    /// How often a reader asked whether it is to go on, since the last record.
    looks: u64,
    pub(super) stop: Stop,
    on_progress: Option<OnProgress<'a>>,
}

impl<'a> Meter<'a> {
    pub(super) fn new(on_progress: Option<OnProgress<'a>>, stop: Stop) -> Meter<'a> {
        Meter { bytes: None, before: 0, size: None, records: 0, looks: 0, stop, on_progress }
    }

    /// Begins with the first record of the first source.
    pub(super) fn begin(&mut self) {
        (self.bytes, self.before, self.records) = (None, 0, 0);
    }

    /// Begins with another source.
    pub(super) fn next(&mut self, bytes: Option<BytesRead>) {
        self.before += std::mem::replace(&mut self.bytes, bytes).map_or(0, |done| done.get());
    }

    /// One record more. Gives whether the load goes on: once it is stopped, no record counts any more.
    fn count(&mut self) -> bool {
        self.records += 1;
        self.looks = 0;
        if self.records.is_multiple_of(STRIDE) {
            self.report();
        }
        !self.is_stopped()
    }

    /// One commit more that was read. Gives whether the load goes on.
    pub(super) fn commit(&mut self) -> bool {
        self.records += 1;
        if self.records.is_multiple_of(COMMITS) {
            self.report();
        }
        !self.is_stopped()
    }

    /// A reader asks whether it is to go on: it may read much before it has a record.
    fn look(&mut self) -> bool {
        self.looks += 1;
        if self.looks.is_multiple_of(STRIDE) {
            self.report();
        }
        !self.is_stopped()
    }

    fn report(&mut self) {
        if self.is_stopped() {
            return;
        }
        if let Some(report) = &mut self.on_progress {
            let bytes = self.before + self.bytes.as_ref().map_or(0, BytesRead::get);
            if report(LoadProgress { records: self.records, bytes, size: self.size }).is_break() {
                self.stop.ask();
            }
        }
    }

    /// Whether the load was stopped.
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.is_asked()
    }
}

/// Hands records on and counts them.
pub(super) struct Counting<'a, 'm> {
    sink: &'a mut dyn Sink,
    meter: RefCell<&'a mut Meter<'m>>,
}

impl<'a, 'm> Counting<'a, 'm> {
    pub(super) fn new(sink: &'a mut dyn Sink, meter: &'a mut Meter<'m>) -> Counting<'a, 'm> {
        Counting { sink, meter: RefCell::new(meter) }
    }
}

impl Sink for Counting<'_, '_> {
    fn schema(&mut self) -> &mut Schema {
        self.sink.schema()
    }

    fn record(&mut self, record: Record<'_>, line: u64) {
        use Record::{Expected, File, Format, Warning};
        let is_fact = matches!(record, File(_) | Format(_) | Expected(..) | Warning(_));
        if is_fact || self.meter.get_mut().count() {
            self.sink.record(record, line);
        }
    }

    fn is_closed(&self) -> bool {
        !self.meter.borrow_mut().look() || self.sink.is_closed()
    }
}
