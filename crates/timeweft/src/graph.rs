//! The graph: a directory, opened.

use std::path::Path;

use timeweft_graph::{Commit, Event, LoadId, Place, Reject, Schema, TimeUnit, send_events};
use timeweft_index::TypeSet;
use timeweft_index::damage::catch;
use timeweft_store::{
    Effective, LoadRecord, LoadReport, LoadRequest, LoadState, Made, RollbackReport, Store, StoreError, VerifyReport,
};

use crate::export::{self, Document, DocumentOptions};
use crate::{Error, IntoUnit, Result, View};

/// A graph directory. One process has it open for writing, any number for reading. Every load is one commit, visible whole or
/// not at all.
#[derive(Debug)]
pub struct Graph {
    store: Store,
}

impl Graph {
    /// Makes an empty graph whose times count in `unit`. The directory is created if need be. The graph is there whole or not
    /// at all, after any crash.
    pub fn create(dir: impl AsRef<Path>, unit: TimeUnit) -> Result<Graph> {
        Graph::create_with(dir, Schema::new(unit))
    }

    /// Makes an empty graph with declared types; a closed schema refuses all others.
    pub fn create_with(dir: impl AsRef<Path>, schema: Schema) -> Result<Graph> {
        Ok(Graph { store: Store::create(dir, schema)? })
    }

    /// Opens a graph for reading and writing. Another process that opens it so gets an error until this one is done.
    pub fn open(dir: impl AsRef<Path>) -> Result<Graph> {
        Ok(Graph { store: Store::open(dir)? })
    }

    /// Opens a graph for reading, at its newest commit. It takes no lock and writes nothing: any number of processes may read
    /// while one writes, also in a folder that cannot be written. [`Graph::refresh`] moves it along. If a writer was killed in
    /// the moment after a commit, that is seen once the next one has opened the graph.
    ///
    /// ```
    /// # use timeweft::{Graph, TimeUnit};
    /// # let dir = tempfile::tempdir()?;
    /// # let events = dir.path().join("mail.csv");
    /// # std::fs::write(&events, "src,dst,time\n1,2,5\n1,3,8\n")?;
    /// # let path = dir.path().join("mail");
    /// let mut writer = Graph::create(&path, TimeUnit::Step)?;
    /// let mut reader = Graph::open_read_only(&path)?;
    /// writer.load(&events).run()?;
    /// assert_eq!(reader.view().now().counts().nodes, 0, "it is pinned to the commit at which it was opened");
    /// reader.refresh()?;
    /// assert_eq!(reader.view().now().counts().nodes, 3);
    /// assert!(reader.load(&events).run().is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open_read_only(dir: impl AsRef<Path>) -> Result<Graph> {
        Ok(Graph { store: Store::open_read_only(dir, None)? })
    }

    /// The same at an earlier commit.
    ///
    /// # Errors
    /// If there is no such commit.
    pub fn open_read_only_at(dir: impl AsRef<Path>, commit: Commit) -> Result<Graph> {
        Ok(Graph { store: Store::open_read_only(dir, Some(commit))? })
    }

    /// Moves a graph that is open for reading to the newest commit, and gives it. Views of before stay as they are.
    ///
    /// # Errors
    /// If a file cannot be read or is damaged; the graph stays where it was.
    pub fn refresh(&mut self) -> Result<Commit> {
        Ok(self.store.refresh()?)
    }

    /// The newest commit on disk: later than [`Graph::commit`] where another handle has written since, and
    /// [`Graph::refresh`] has not been asked yet.
    ///
    /// # Errors
    /// If what says which commits there are cannot be read or is damaged.
    pub fn newest_commit(&self) -> Result<Commit> {
        Ok(self.store.newest_commit()?)
    }

    /// The graph at the newest commit as another handle, for reading only: it shares what is in memory, so it costs no second
    /// graph, and it answers whatever this one is loading. It stays at its commit.
    ///
    /// ```
    /// # use timeweft::{Graph, TimeUnit};
    /// # let dir = tempfile::tempdir()?;
    /// # let events = dir.path().join("mail.csv");
    /// # std::fs::write(&events, "src,dst,time\n1,2,5\n1,3,8\n")?;
    /// let mut graph = Graph::create(dir.path().join("mail"), TimeUnit::Step)?;
    /// let before = graph.reader()?;
    /// graph.load(&events).run()?;
    /// assert_eq!((before.loads().len(), graph.reader()?.loads().len()), (0, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If what says how to read the graph is missing or damaged.
    pub fn reader(&self) -> Result<Graph> {
        Ok(Graph { store: self.store.reader()? })
    }

    /// Opens the graph, or makes an empty one whose times count in `unit`: a unit, or its name (`s`, `ms`, `us`, `ns` or
    /// `step`).
    ///
    /// # Errors
    /// If it is there and counts in another unit, or cannot be read or made.
    ///
    /// ```
    /// # use timeweft::Graph;
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("mail");
    /// drop(Graph::open_or_create(&path, "s")?);
    /// assert!(Graph::open_or_create(&path, "ms").is_err(), "it counts in seconds");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open_or_create(dir: impl AsRef<Path>, unit: impl IntoUnit) -> Result<Graph> {
        let (dir, unit) = (dir.as_ref(), unit.into_unit()?);
        let graph = match Graph::open(dir) {
            Err(Error::Store(StoreError::Missing(_))) => match Graph::create(dir, unit) {
                // Another process made it meanwhile.
                Err(Error::Store(StoreError::Exists(_))) => Graph::open(dir),
                made => made,
            },
            opened => opened,
        }?;
        match graph.unit() {
            known if known == unit => Ok(graph),
            known => Err(Error::OtherUnit { dir: dir.into(), known, asked: unit }),
        }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn store_mut(&mut self) -> &mut Store {
        &mut self.store
    }

    /// The graph at the newest commit.
    pub fn view(&self) -> View {
        View::new(self.store.commit(), self.store.view())
    }

    /// The graph as it was known at a commit.
    pub fn view_at(&self, commit: Commit) -> Result<View> {
        Ok(View::new(commit, self.store.view_at(commit)?))
    }

    /// How the process names itself that has the graph of a directory open for writing. The name of one that was killed stays
    /// there until the next one opens the graph: what it committed last, readers may not see before.
    pub fn writer(dir: impl AsRef<Path>) -> Option<String> {
        Store::writer(dir)
    }

    /// Whether it is open for reading only.
    pub fn is_read_only(&self) -> bool {
        self.store.is_read_only()
    }

    /// The newest commit; 0 before the first load.
    pub fn commit(&self) -> Commit {
        self.store.commit()
    }

    /// The types at the newest commit, with those of loads that were taken back: they keep their numbers.
    pub fn schema(&self) -> &Schema {
        self.store.schema()
    }

    /// The types and features that came with loads that were taken back by a view's commit. They keep their numbers, and
    /// later loads may use them; of which of them nothing is there, [`timeweft_index::Index::unused`] tells.
    pub fn types_taken_back(&self, view: &View) -> Result<TypeSet> {
        Ok(self.store.types_taken_back(view.commit())?)
    }

    /// Unit of all times.
    pub fn unit(&self) -> TimeUnit {
        self.store.schema().unit()
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        self.store.dir()
    }

    /// The registry of loads, oldest first.
    pub fn loads(&self) -> &[LoadRecord] {
        self.store.loads()
    }

    /// The loads that make the graph at a commit, in the order of its log.
    pub(crate) fn effective_log(&self, commit: Commit) -> Vec<Effective> {
        self.store.effective_log(commit)
    }

    /// What this process made for this graph, which it may take away again; none if the graph was there already.
    pub fn made(&self) -> Option<&Made> {
        self.store.made()
    }

    /// Hands over the events of the log at a commit, in its order: straight from the log, whose checksums are compared, and in
    /// the memory of a part of it. [`timeweft_graph::GraphView::events`] says the same of a view, all at once.
    ///
    /// # Errors
    /// If there is no such commit, or the log is damaged; and what `each` says.
    pub fn each_event<E: From<Error>>(
        &self,
        commit: Commit,
        each: &mut dyn FnMut(&Event) -> Result<(), E>,
    ) -> Result<(), E> {
        enum Ended<E> {
            Store(StoreError),
            Caller(E),
        }
        impl<E> From<StoreError> for Ended<E> {
            fn from(error: StoreError) -> Ended<E> {
                Ended::Store(error)
            }
        }
        self.store.each_event(commit, &mut |event| each(event).map_err(Ended::Caller)).map_err(|ended| match ended {
            Ended::Store(error) => Error::from(error).into(),
            Ended::Caller(error) => error,
        })
    }

    /// Bytes of the catalogue and the log on disk.
    pub fn size_on_disk(&self) -> Result<u64> {
        Ok(self.store.size_on_disk()?)
    }

    /// Bytes of the snapshots in `index`, which may be deleted.
    pub fn size_of_snapshots(&self) -> Result<u64> {
        Ok(self.store.size_of_snapshots()?)
    }

    /// Asks a question of the graph at the newest commit. If the snapshot that answers is found damaged meanwhile, its file is
    /// removed, the log makes the graph anew, and the question is asked again; [`Graph::take_warnings`] tells.
    ///
    /// Without this, a question that meets damage panics: no view ever answers from bytes that are not those that were
    /// written. A graph whose snapshot was checked as a whole ([`Graph::make_sound`]) does not meet any.
    ///
    /// ```
    /// use timeweft::{Graph, TimeUnit};
    /// # let dir = tempfile::tempdir()?;
    /// # let events = dir.path().join("mail.csv");
    /// # std::fs::write(&events, "src,dst,time\n1,2,5\n1,3,8\n")?;
    /// # let path = dir.path().join("mail");
    /// # let mut graph = Graph::create(&path, TimeUnit::Step)?;
    /// # graph.load(&events).run()?;
    /// # graph.compact()?;
    /// # drop(graph);
    /// # let snapshot = path.join("index/0000000001.snapshot");
    /// # let mut bytes = std::fs::read(&snapshot)?;
    /// # let table = bytes.len() - 40;
    /// # let table = u64::from_le_bytes(bytes[table..table + 8].try_into()?) as usize;
    /// # bytes[1 << 14..table].iter_mut().for_each(|byte| *byte ^= 1);
    /// # std::fs::write(&snapshot, bytes)?;
    /// let mut graph = Graph::open(&path)?;
    /// let mail = graph.ask(|view| view.node("node", 1).map(|node| view.now().neighbors(node).count()))??;
    /// assert_eq!(mail, 2);
    /// # assert_eq!(graph.take_warnings().len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the log is damaged too.
    pub fn ask<T>(&mut self, mut question: impl FnMut(&View) -> T) -> Result<T> {
        let view = self.view();
        match catch(|| question(&view)) {
            Ok(answer) => Ok(answer),
            Err(damage) => {
                self.store.mend(damage)?;
                Ok(question(&self.view()))
            }
        }
    }

    /// Compares all of the snapshot that the graph in memory is made of with its hashes, at once instead of as it is read: a
    /// tenth of a second or so for each gigabyte. Loads do this by themselves. A snapshot that is damaged is removed, and
    /// the log makes the graph anew; views of before stay as they are.
    ///
    /// # Errors
    /// If the log is damaged too.
    pub fn make_sound(&mut self) -> Result<()> {
        Ok(self.store.make_sound()?)
    }

    /// Whether there is something that [`Graph::take_warnings`] tells.
    pub fn has_warnings(&self) -> bool {
        self.store.has_warnings()
    }

    /// What was mended since this was asked last, at opening too: snapshots that were damaged, each in a sentence.
    pub fn take_warnings(&self) -> Vec<String> {
        self.store.take_warnings()
    }

    /// Checks every checksum, and that the log makes the graph. The first thing that is wrong with the log or the catalogue is
    /// the error; a snapshot that is damaged is removed, the log makes the graph anew, and the report tells.
    pub fn verify(&mut self) -> Result<VerifyReport> {
        Ok(self.store.verify()?)
    }

    /// Writes a snapshot of the newest commit, so that opening the graph does not replay its log; gives its size in bytes.
    pub fn compact(&self) -> Result<u64> {
        Ok(self.store.write_snapshot()?)
    }

    /// Whether so much was loaded since the last snapshot that another one pays.
    pub fn is_compaction_due(&self) -> Result<bool> {
        Ok(self.store.is_snapshot_due()?)
    }

    /// Takes in events as one commit. Records that are refused are left out and reported.
    pub fn load_events(
        &mut self,
        request: LoadRequest,
        events: impl Iterator<Item = Result<(Event, Place), Reject>>,
    ) -> Result<LoadReport> {
        let load = self.store.load(request, |sink| {
            send_events(events, sink);
            Ok(())
        });
        Ok(load?)
    }

    /// Hands over a namespace as the documents that a delta loader of a document database keeps of it, each with the name
    /// of its collection: nodes, edges, merges.
    pub fn documents(&self, namespace: &str, options: &DocumentOptions, each: &mut dyn FnMut(&str, Document)) {
        export::documents(&self.store, namespace, options, each);
    }

    /// The registry of a namespace as such documents, newest version first.
    pub fn registry_documents(&self, namespace: &str, options: &DocumentOptions) -> Vec<Document> {
        export::registry(&self.store, namespace, options)
    }

    /// Takes a load back, as a new commit: the graph is what it would be without the load.
    pub fn rollback(&mut self, load: LoadId) -> Result<RollbackReport> {
        Ok(self.store.rollback(load)?)
    }

    /// What taking a load back would do, and the graph as it would be then; nothing is done.
    ///
    /// ```
    /// # use timeweft::{Graph, TimeUnit};
    /// # let dir = tempfile::tempdir()?;
    /// # let events = dir.path().join("mail.csv");
    /// # std::fs::write(&events, "src,dst,time\n1,2,5\n1,3,8\n")?;
    /// # let mut graph = Graph::create(dir.path().join("mail"), TimeUnit::Step)?;
    /// let load = graph.load(&events).run()?.load;
    /// let (_, without) = graph.plan_rollback(load)?;
    /// assert_eq!((without.now().counts().edges, graph.view().now().counts().edges), (0, 2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the load cannot be taken back.
    pub fn plan_rollback(&mut self, load: LoadId) -> Result<(RollbackReport, View)> {
        let (report, graph) = self.store.rehearse(|store| store.rollback(load))?;
        Ok((report.clone(), View::new(report.commit, graph)))
    }

    /// Whether a load is in effect; `None` for one that is not in the registry.
    pub fn load_state(&self, load: LoadId) -> Option<LoadState> {
        self.store.load_state(load)
    }
}
