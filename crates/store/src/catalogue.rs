//! The catalogue: one redb file that says what the store consists of. One transaction publishes a load.

mod sums;

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use redb::{
    Builder, Database, Durability, ReadOnlyDatabase, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition,
    TableHandle, WriteTransaction,
};
use serde::de::DeserializeOwned;
use timeweft_graph::{Commit, LoadId, Schema};
use timeweft_index::create_fresh;

use self::sums::{Place, Sums};
use crate::StoreError;
use crate::folder::{self, FILE, FORMAT, sync_dir};
use crate::load::LoadRecord;
use crate::log::segment::{Segment, Written};

/// `format` and `unit`.
const META: TableDefinition<&str, &str> = TableDefinition::new("meta");
/// Schema as JSON, by the commit that changed it.
const SCHEMAS: TableDefinition<u64, &[u8]> = TableDefinition::new("schemas");
/// [`LoadRecord`] as JSON, by load.
const LOADS: TableDefinition<u64, &[u8]> = TableDefinition::new("loads");
/// [`Segment`] as JSON, by load and part.
const SEGMENTS: TableDefinition<(u64, u32), &[u8]> = TableDefinition::new("segments");
/// Bytes of small segments, by load and part.
const BATCHES: TableDefinition<(u64, u32), &[u8]> = TableDefinition::new("batches");

/// The open catalogue. It is empty only between a failed write and the attempt to open it again.
pub(crate) struct Catalogue {
    path: PathBuf,
    database: Option<Opened>,
}

/// The file, open. One process at a time has it open for writing, and none reads it then.
enum Opened {
    Writable(Database),
    ReadOnly(ReadOnlyDatabase),
}

impl Opened {
    fn begin_read(&self) -> Result<ReadTransaction, redb::Error> {
        Ok(match self {
            Opened::Writable(database) => database.begin_read(),
            Opened::ReadOnly(database) => database.begin_read(),
        }?)
    }

    fn writable(&mut self) -> Option<&mut Database> {
        if let Opened::Writable(database) = self { Some(database) } else { None }
    }
}

impl Catalogue {
    /// Makes a catalogue: under another name, where it is made durable before it gets its own, so that no crash leaves half
    /// of one. What an interrupted making of an earlier timeweft left is replaced.
    pub(crate) fn create(dir: &Path, schema: &Schema) -> Result<Catalogue, StoreError> {
        let path = dir.join(FILE);
        make_room(dir, &path)?;
        let draft = folder::draft(dir);
        let made = Catalogue::begin(&path, &draft, schema).and_then(|catalogue| {
            publish(dir, &draft, &path)?;
            sync_dir(dir).inspect_err(|_| drop(fs::remove_file(&path)))?;
            Ok(catalogue)
        });
        // It has its own name by now, or is of no use; what cannot be removed goes at the next opening.
        let _ = fs::remove_file(&draft);
        made
    }

    /// A catalogue under the name of a draft, with its first transaction.
    fn begin(path: &Path, draft: &Path, schema: &Schema) -> Result<Catalogue, StoreError> {
        let file = create_fresh(draft).map_err(|error| StoreError::io(path, error))?;
        let database = Builder::new().create_file(file).map_err(|error| StoreError::catalogue(path, error))?;
        let catalogue = Catalogue { path: path.into(), database: Some(Opened::Writable(database)) };
        let encoded = json(path, schema)?;
        catalogue.write(|write| {
            put_meta(write, "unit", &schema.unit().to_string())?;
            put_meta(write, "format", &FORMAT.to_string())?;
            put(write, SCHEMAS, 0, (0, 0), &encoded)?;
            write.open_table(LOADS)?;
            write.open_table(SEGMENTS)?;
            write.open_table(BATCHES)?;
            Ok(())
        })?;
        Ok(catalogue)
    }

    /// Opens the catalogue of a graph directory and checks its format.
    pub(crate) fn open(dir: &Path) -> Result<Catalogue, StoreError> {
        let path = dir.join(FILE);
        let mut catalogue = Catalogue { path, database: None };
        catalogue.reopen()?;
        catalogue.checked(dir)
    }

    /// Opens it to read it. Several processes may, as long as none has it open for writing.
    pub(crate) fn open_read_only(dir: &Path) -> Result<Catalogue, StoreError> {
        let path = dir.join(FILE);
        let opened = Builder::new().open_read_only(&path).map_err(|error| StoreError::catalogue(&path, error))?;
        Catalogue { path, database: Some(Opened::ReadOnly(opened)) }.checked(dir)
    }

    /// Whether it can be written.
    pub(crate) fn is_writable(&self) -> bool {
        // It is empty after a failed write alone.
        !matches!(self.database, Some(Opened::ReadOnly(_)))
    }

    /// The same, if it is one, and of a format that this library reads.
    fn checked(self, dir: &Path) -> Result<Catalogue, StoreError> {
        let catalogue = self;
        let Some(format) = catalogue.written_format()? else {
            return Err(if catalogue.is_unused()? { StoreError::Missing } else { StoreError::NotAGraph }(dir.into()));
        };
        let found = format.parse().map_err(|_| StoreError::corrupt(&catalogue.path, "its format is no number"))?;
        if found > FORMAT {
            return Err(StoreError::NewerFormat { dir: dir.into(), found, known: FORMAT });
        }
        Ok(catalogue)
    }

    /// Reads the file afresh, as after a failed write.
    pub(crate) fn reopen(&mut self) -> Result<(), StoreError> {
        self.database = None;
        let failed = |error| StoreError::io(&self.path, error);
        let file = File::options().read(true).write(true).open(&self.path).map_err(failed)?;
        let known = file.try_clone().map_err(failed)?;
        if known.metadata().map_err(failed)?.len() == 0 {
            return Err(StoreError::corrupt(&self.path, "it is empty"));
        }
        let opened = Builder::new().create_file(file).map_err(|error| StoreError::catalogue(&self.path, error))?;
        // The process that held the lock until now may have taken the graph away.
        if !is_at(&known, &self.path) {
            return Err(StoreError::Missing(self.path.parent().unwrap_or(&self.path).into()));
        }
        self.database = Some(Opened::Writable(opened));
        Ok(())
    }

    /// Whether nothing was ever committed to it.
    fn is_unused(&self) -> Result<bool, StoreError> {
        self.read(|read| Ok(read.list_tables()?.next().is_none() && read.list_multimap_tables()?.next().is_none()))
    }

    /// Where it lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// All loads, in order.
    pub(crate) fn loads(&self) -> Result<Vec<LoadRecord>, StoreError> {
        self.all(LOADS, |load| (load, 0))
    }

    /// All segments, in log order.
    pub(crate) fn segments(&self) -> Result<Vec<Segment>, StoreError> {
        self.all(SEGMENTS, |place| place)
    }

    /// The schema as of a commit.
    pub(crate) fn schema(&self, commit: Commit) -> Result<Schema, StoreError> {
        let format = self.format()?;
        let bytes = self.read(|read| {
            let (table, sums) = (read.open_table(SCHEMAS)?, Sums::of(read, &format)?);
            let newest = table.range(..=commit.0)?.next_back().transpose()?;
            let Some((key, bytes)) = newest else { return Ok(None) };
            sums.check(SCHEMAS.name(), (key.value(), 0), bytes.value())?;
            if sums.newest(SCHEMAS.name(), commit.0)?.is_some_and(|newest| newest != key.value()) {
                return Err(redb::Error::Corrupted("a schema is missing".into()));
            }
            Ok(Some(bytes.value().to_vec()))
        })?;
        let bytes = bytes.ok_or_else(|| StoreError::corrupt(&self.path, "it has no schema"))?;
        parse(&self.path, &bytes)
    }

    /// The schemas that came after a commit; without one, all. Each has the commit that changed it.
    pub(crate) fn schemas_after(&self, after: Option<Commit>) -> Result<Vec<(Commit, Schema)>, StoreError> {
        let format = self.format()?;
        let first = after.map_or(0, |after| after.0 + 1);
        let rows = self.read(|read| {
            let (table, sums) = (read.open_table(SCHEMAS)?, Sums::of(read, &format)?);
            let mut found = Vec::new();
            for row in table.range(first..)? {
                let (key, bytes) = row?;
                sums.check(SCHEMAS.name(), (key.value(), 0), bytes.value())?;
                found.push((Commit(key.value()), bytes.value().to_vec()));
            }
            Ok(found)
        })?;
        rows.iter().map(|(commit, bytes)| Ok((*commit, parse(&self.path, bytes)?))).collect()
    }

    /// The bytes of a small segment.
    pub(crate) fn batch(&self, segment: &Segment) -> Result<Vec<u8>, StoreError> {
        let key = (segment.load.0, segment.part);
        let bytes = self.read(|read| Ok(read.open_table(BATCHES)?.get(key)?.map(|bytes| bytes.value().to_vec())))?;
        bytes.ok_or_else(|| StoreError::corrupt(&self.path, format!("the events of load {} are missing", key.0)))
    }

    /// Makes a load visible, whole, durably.
    pub(crate) fn publish(
        &self,
        record: &LoadRecord,
        written: &Written,
        schema: Option<&Schema>,
    ) -> Result<(), StoreError> {
        let encoded = json(&self.path, record)?;
        let schema = schema.map(|schema| json(&self.path, schema)).transpose()?;
        let segments = written.segments.iter().map(|segment| Ok((segment.part, json(&self.path, segment)?)));
        let segments = segments.collect::<Result<Vec<_>, StoreError>>()?;
        let has_sums = sums::are_in(&self.format()?);
        self.write(|write| {
            let LoadId(load) = record.id;
            if !has_sums {
                note_all(write)?;
            }
            put(write, LOADS, load, (load, 0), &encoded)?;
            for (part, segment) in &segments {
                put(write, SEGMENTS, (load, *part), (load, *part), segment)?;
            }
            for (part, batch) in &written.batches {
                write.open_table(BATCHES)?.insert((load, *part), batch.as_slice())?;
            }
            // An earlier library would not understand what a rollback means (1), until when a life lasts (2), which loads are
            // taken in together (3), and would write rows without sums (4), and no manifests (5).
            put_meta(write, "format", &FORMAT.to_string())?;
            if let Some(schema) = &schema {
                put(write, SCHEMAS, record.commit.0, (record.commit.0, 0), schema)?;
            }
            Ok(())
        })
    }

    /// Says that the graph has manifests. An earlier library would not keep them, and readers would not see what it loads.
    pub(crate) fn raise_format(&self) -> Result<(), StoreError> {
        let format = self.format()?;
        if format.parse().is_ok_and(|format: u64| format == FORMAT) {
            return Ok(());
        }
        self.write(|write| {
            if !sums::are_in(&format) {
                note_all(write)?;
            }
            put_meta(write, "format", &FORMAT.to_string())
        })
    }

    /// Whether every page has its checksum, and every row.
    pub(crate) fn check(&mut self) -> Result<(), StoreError> {
        let path = self.path.clone();
        let sound = match self.database.as_mut().and_then(Opened::writable) {
            Some(database) => database.check_integrity().map_err(|error| StoreError::catalogue(&path, error))?,
            None => return Err(StoreError::Poisoned),
        };
        if !sound {
            return Err(StoreError::corrupt(&path, "a page has a wrong checksum and was repaired"));
        }
        self.loads()?;
        self.segments()?;
        self.all::<_, Schema>(SCHEMAS, |commit| (commit, 0))?;
        Ok(())
    }

    /// The format that it says it has; none where it never got its first transaction.
    fn written_format(&self) -> Result<Option<String>, StoreError> {
        self.read(|read| {
            let text = match read.open_table(META) {
                Ok(table) => table.get("format")?.map(|text| text.value().to_string()),
                Err(redb::TableError::TableDoesNotExist(_)) => None,
                Err(error) => return Err(error.into()),
            };
            // What a later format has instead is unknown.
            if let Some(text) = text.as_ref().filter(|text| text.parse().is_ok_and(|format: u64| format <= FORMAT)) {
                Sums::of(read, text)?.check("meta.format", (0, 0), text.as_bytes())?;
            }
            Ok(text)
        })
    }

    fn format(&self) -> Result<String, StoreError> {
        self.written_format()?.ok_or_else(|| StoreError::corrupt(&self.path, "it has no format"))
    }

    fn all<K: redb::Key + 'static, T: DeserializeOwned>(
        &self,
        table: TableDefinition<K, &'static [u8]>,
        place: impl Fn(K::SelfType<'_>) -> Place,
    ) -> Result<Vec<T>, StoreError> {
        let format = self.format()?;
        let rows = self.read(|read| {
            let (rows, sums) = (read.open_table(table)?, Sums::of(read, &format)?);
            let mut found = Vec::new();
            for row in rows.iter()? {
                let (key, bytes) = row?;
                sums.check(table.name(), place(key.value()), bytes.value())?;
                found.push(bytes.value().to_vec());
            }
            sums.check_count(table.name(), found.len())?;
            Ok(found)
        })?;
        rows.iter().map(|bytes| parse(&self.path, bytes)).collect()
    }

    fn read<T>(&self, f: impl FnOnce(&redb::ReadTransaction) -> Result<T, redb::Error>) -> Result<T, StoreError> {
        let database = self.database.as_ref().ok_or(StoreError::Poisoned)?;
        let result = database.begin_read().and_then(|read| f(&read));
        result.map_err(|error| StoreError::catalogue(&self.path, error))
    }

    fn write(&self, f: impl FnOnce(&WriteTransaction) -> Result<(), redb::Error>) -> Result<(), StoreError> {
        let Some(Opened::Writable(database)) = &self.database else { return Err(StoreError::Poisoned) };
        let result = || -> Result<(), redb::Error> {
            let mut write = database.begin_write()?;
            write.set_durability(Durability::Immediate)?;
            write.set_two_phase_commit(true);
            write.set_quick_repair(true);
            f(&write)?;
            Ok(write.commit()?)
        };
        result().map_err(|error| StoreError::catalogue(&self.path, error))
    }
}

/// Removes a catalogue that never became one. An error if there is a graph, or something else that is not ours to replace.
fn make_room(dir: &Path, path: &Path) -> Result<(), StoreError> {
    let failed = |error| StoreError::io(path, error);
    let file = match File::options().read(true).write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        file => file.map_err(failed)?,
    };
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => return Err(StoreError::locked(dir)),
        Err(TryLockError::Error(error)) => return Err(failed(error)),
        Ok(()) => {}
    }
    let is_left = folder::is_blank(path).map_err(failed)? || {
        // The catalogue takes the lock itself, and keeps it until it is dropped.
        file.unlock().map_err(failed)?;
        match Catalogue::open(dir) {
            Ok(_) => return Err(StoreError::Exists(dir.into())),
            Err(StoreError::Missing(_)) => file.try_lock().is_ok(),
            Err(error) => return Err(error),
        }
    };
    if !is_left || !is_at(&file, path) {
        return Err(StoreError::locked(dir));
    }
    if folder::has_segments(dir)? {
        return Err(StoreError::corrupt(path, "it is empty, but there are events beside it in `log`"));
    }
    fs::remove_file(path).map_err(failed)
}

/// Gives a finished catalogue its name, unless another process made a graph meanwhile.
fn publish(dir: &Path, draft: &Path, path: &Path) -> Result<(), StoreError> {
    match fs::hard_link(draft, path) {
        Ok(()) => Ok(()),
        Err(_) if path.exists() => Err(StoreError::Exists(dir.into())),
        // Not every file system has several names for a file.
        Err(error) => fs::rename(draft, path).map_err(|_| StoreError::io(path, error)),
    }
}

/// Whether an open file is the one at a path.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

/// A file that is open keeps its name.
#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

/// Writes a row and its sum.
fn put<K: redb::Key + 'static>(
    write: &WriteTransaction,
    table: TableDefinition<K, &'static [u8]>,
    key: K::SelfType<'_>,
    place: Place,
    bytes: &[u8],
) -> Result<(), redb::Error> {
    write.open_table(table)?.insert(key, bytes)?;
    sums::note(write, table.name(), place, bytes)
}

fn put_meta(write: &WriteTransaction, key: &str, text: &str) -> Result<(), redb::Error> {
    write.open_table(META)?.insert(key, text)?;
    sums::note(write, &format!("meta.{key}"), (0, 0), text.as_bytes())
}

/// Notes the sums of all rows of a graph that has none yet.
fn note_all(write: &WriteTransaction) -> Result<(), redb::Error> {
    for row in write.open_table(META)?.iter()? {
        let (key, text) = row?;
        sums::note(write, &format!("meta.{}", key.value()), (0, 0), text.value().as_bytes())?;
    }
    for table in [SCHEMAS, LOADS] {
        for row in write.open_table(table)?.iter()? {
            let (key, bytes) = row?;
            sums::note(write, table.name(), (key.value(), 0), bytes.value())?;
        }
    }
    for row in write.open_table(SEGMENTS)?.iter()? {
        let (key, bytes) = row?;
        sums::note(write, SEGMENTS.name(), key.value(), bytes.value())?;
    }
    Ok(())
}

fn json<T: serde::Serialize>(path: &Path, value: &T) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|error| StoreError::Catalogue { path: path.into(), source: Box::new(error) })
}

fn parse<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(bytes).map_err(|error| StoreError::corrupt(path, error))
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// An opening just before the catalogue is taken away gets its lock, but has no graph.
    #[test]
    fn a_file_that_is_gone_or_another_one_is_not_at_its_path() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        let catalogue = Catalogue::create(dir.path(), &Schema::default()).unwrap();
        let file = File::open(&path).unwrap();
        assert!(is_at(&file, &path));
        drop(catalogue);
        fs::remove_file(&path).unwrap();
        assert!(!is_at(&file, &path), "it is gone");
        let _other = Catalogue::create(dir.path(), &Schema::default()).unwrap();
        assert!(!is_at(&file, &path), "it is another one");
    }

    /// However late a second maker is, it takes no graph of another one.
    #[test]
    fn a_draft_never_takes_the_place_of_a_graph() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        let draft = folder::draft(dir.path());
        let late = Catalogue::begin(&path, &draft, &Schema::default()).unwrap();
        let first = Catalogue::create(dir.path(), &Schema::default()).unwrap();
        let file = File::open(&path).unwrap();
        assert!(matches!(publish(dir.path(), &draft, &path), Err(StoreError::Exists(_))));
        assert!(is_at(&file, &path));
        fs::remove_file(&draft).unwrap();
        assert!(
            matches!(publish(dir.path(), &draft, &path), Err(StoreError::Exists(_))),
            "an opening removed the draft"
        );
        drop((late, first));
    }
}
