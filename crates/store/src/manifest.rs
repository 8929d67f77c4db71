//! Manifests: how to read a commit without the catalogue, for processes that only read.
//!
//! One process holds the catalogue. Beside it lies `manifest/`, which any number of other processes read without a lock: a
//! chain of small JSON files that say what the store consists of, and one file with the bytes of the small segments that
//! the catalogue keeps. The directory is a cache of the catalogue (law 1): a writer makes it anew when it opens a graph
//! whose manifests are missing, damaged or of another commit.
//!
//! A manifest of commit `c` tells what came after commit `c - 2^k`, where `2^k` is the largest power of two that divides
//! `c`, as in a binary indexed tree (Fenwick 1994). So a reader takes at most one file for each binary digit of `c`, and a
//! load is written into at most as many files over the life of a graph: writing costs what changed (law 3).

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use timeweft_graph::{Commit, Schema};
use timeweft_index::create_fresh;

use crate::StoreError;
use crate::catalogue::Catalogue;
use crate::folder::{FORMAT, manifest_dir};
use crate::load::LoadRecord;
use crate::log::segment::Segment;

/// Bytes of small segments, one behind the other in the order of the segments.
const SMALL_SEGMENTS: &str = "small-segments.bin";
/// How often a reader begins again whose manifests were replaced while it read them.
const ATTEMPTS: usize = 16;

/// What the store consists of.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Contents {
    /// The types, each with the commit that changed them; the first is of commit 0.
    pub(crate) schemas: Vec<(Commit, Schema)>,
    /// The registry.
    pub(crate) loads: Vec<LoadRecord>,
    /// The segments, in the order of the log.
    pub(crate) segments: Vec<Segment>,
}

impl Contents {
    /// The latest commit.
    pub(crate) fn commit(&self) -> Commit {
        self.loads.last().map_or(Commit(0), |load| load.commit)
    }

    /// Takes out what came after a commit.
    pub(crate) fn truncate(&mut self, last: Commit) {
        self.schemas.retain(|(commit, _)| *commit <= last);
        self.loads.truncate(self.loads.partition_point(|load| load.commit <= last));
        let end = self.loads.last().map_or(0, |load| load.id.0);
        self.segments.truncate(self.segments.partition_point(|segment| segment.load.0 <= end));
    }

    fn extend(&mut self, later: Contents) {
        self.schemas.extend(later.schemas);
        self.loads.extend(later.loads);
        self.segments.extend(later.segments);
    }

    /// The segments whose bytes the catalogue keeps, each with the place where they begin among those of all.
    fn small_segments(&self) -> impl Iterator<Item = (&Segment, u64)> {
        let small = self.segments.iter().filter(|segment| segment.file.is_none());
        small.scan(0, |end, segment| {
            let start = *end;
            *end += segment.length;
            Some((segment, start))
        })
    }
}

/// One file: what came after an earlier commit.
#[derive(Serialize, Deserialize)]
struct Manifest {
    format: u64,
    commit: Commit,
    /// The commit whose manifest tells what was before; none if there is nothing before.
    after: Option<Commit>,
    #[serde(flatten)]
    contents: Contents,
}

impl Manifest {
    fn read(path: &Path) -> Result<Manifest, StoreError> {
        let bytes = fs::read(path).map_err(|error| StoreError::io(path, error))?;
        let broken = |problem: &str| StoreError::manifest(path, problem);
        let text = std::str::from_utf8(&bytes).map_err(|_| broken("it is no text"))?;
        let (body, sum) = text.trim_end().rsplit_once('\n').ok_or_else(|| broken("it has no checksum"))?;
        let sum = sum.strip_prefix("crc32c ").and_then(|sum| u32::from_str_radix(sum, 16).ok());
        if sum != Some(crc32c::crc32c(body.as_bytes())) {
            return Err(broken("its checksum is wrong"));
        }
        // A later format may have other fields.
        #[derive(Deserialize)]
        struct Head {
            format: u64,
        }
        let head: Head = serde_json::from_str(body).map_err(|error| broken(&error.to_string()))?;
        if head.format > FORMAT {
            let dir = path.parent().and_then(Path::parent).unwrap_or(path);
            return Err(StoreError::NewerFormat { dir: dir.into(), found: head.format, known: FORMAT });
        }
        serde_json::from_str(body).map_err(|error| broken(&error.to_string()))
    }

    /// Writes the file under another name and then gives it its own, so that a reader sees it whole or not at all.
    fn write(&self, path: &Path) -> Result<(), StoreError> {
        let failed = |error| StoreError::io(path, error);
        let mut text = serde_json::to_string(self).map_err(|error| failed(io::Error::other(error)))?;
        text.push_str(&format!("\ncrc32c {:08x}\n", crc32c::crc32c(text.as_bytes())));
        let unfinished = path.with_extension("tmp");
        let written = create_fresh(&unfinished).and_then(|mut file| file.write_all(text.as_bytes()));
        written.and_then(|()| fs::rename(&unfinished, path)).map_err(failed)
    }
}

/// The name of a commit's manifest: the newest comes first, so that it is found by listing where nothing else is ordered.
fn file_name(commit: Commit) -> String {
    format!("{:020}.json", u64::MAX - commit.0)
}

fn commit_of(name: &str) -> Option<Commit> {
    let number = name.strip_suffix(".json").filter(|number| number.len() == 20)?;
    Some(Commit(u64::MAX - number.parse::<u64>().ok()?))
}

/// The commits that have a manifest, newest first; none where there is no such folder.
fn commits(folder: &Path) -> Result<Vec<Commit>, StoreError> {
    let failed = |error| StoreError::io(folder, error);
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut found = Vec::new();
    for entry in entries {
        found.extend(commit_of(&entry.map_err(failed)?.file_name().to_string_lossy()));
    }
    found.sort_unstable_by(|a, b| b.cmp(a));
    Ok(found)
}

/// The commit of the newest manifest.
pub(crate) fn newest(dir: &Path) -> Result<Option<Commit>, StoreError> {
    Ok(commits(&manifest_dir(dir))?.first().copied())
}

/// What a graph directory consists of at its newest manifest; `None` where it has none.
///
/// # Errors
/// If a manifest cannot be read or is damaged. The next opening for writing makes it anew.
pub(crate) fn read(dir: &Path) -> Result<Option<Contents>, StoreError> {
    let folder = manifest_dir(dir);
    let mut last = None;
    for _ in 0..ATTEMPTS {
        let Some(commit) = commits(&folder)?.first().copied() else { return Ok(None) };
        match read_chain(&folder, commit) {
            Ok(contents) => return Ok(Some(contents)),
            // A later commit has replaced some of the chain meanwhile.
            Err(StoreError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => last = Some(source),
            Err(error) => return Err(error),
        }
    }
    let problem = last.map_or_else(String::new, |error| error.to_string());
    Err(StoreError::manifest(&folder, format!("a manifest is missing: {problem}")))
}

fn read_chain(folder: &Path, newest: Commit) -> Result<Contents, StoreError> {
    let (mut next, mut parts) = (Some(newest), Vec::new());
    while let Some(commit) = next {
        let path = folder.join(file_name(commit));
        let manifest = Manifest::read(&path)?;
        if manifest.commit != commit || manifest.after.is_some_and(|after| after >= commit) {
            return Err(StoreError::manifest(&path, "it is of another commit"));
        }
        next = manifest.after;
        parts.push(manifest.contents);
    }
    let mut contents = Contents::default();
    parts.into_iter().rev().for_each(|part| contents.extend(part));
    match contents.commit() == newest && contents.schemas.first().is_some_and(|(first, _)| *first == Commit(0)) {
        true => Ok(contents),
        false => Err(StoreError::manifest(folder, "the manifests do not belong together")),
    }
}

/// What manifests tell, as the writer has it.
#[derive(Clone, Copy)]
pub(crate) struct Written<'a> {
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) loads: &'a [LoadRecord],
    pub(crate) segments: &'a [Segment],
}

impl<'a> Written<'a> {
    fn commit(&self) -> Commit {
        self.loads.last().map_or(Commit(0), |load| load.commit)
    }

    /// What came after a commit; without one, all.
    fn after(&self, after: Option<Commit>) -> Result<Contents, StoreError> {
        let first = after.map_or(0, |after| self.loads.partition_point(|load| load.commit <= after));
        let loads = &self.loads[first..];
        let schemas = self.catalogue.schemas_after(after)?;
        Ok(Contents { schemas, loads: loads.to_vec(), segments: self.segments_from(loads.first()).to_vec() })
    }

    /// The segments that were written from a load on.
    fn segments_from(&self, first: Option<&LoadRecord>) -> &'a [Segment] {
        let place = |first: &LoadRecord| self.segments.partition_point(|segment| segment.load < first.id);
        &self.segments[first.map_or(self.segments.len(), place)..]
    }
}

/// Keeps the manifests of a graph in step with its catalogue.
#[derive(Debug)]
pub(crate) struct Publisher {
    folder: PathBuf,
    /// The commit of the manifest that tells everything before it.
    base: Commit,
    /// Bytes of small segments that are written.
    length: u64,
    /// Whether what is there is what the catalogue says, but for the last commit.
    is_in_step: bool,
}

impl Publisher {
    /// Compares what is there with the catalogue, and makes it anew where it differs.
    pub(crate) fn open(dir: &Path, all: Written<'_>) -> Result<Publisher, StoreError> {
        let folder = manifest_dir(dir);
        let mut publisher = Publisher { folder, base: Commit(0), length: 0, is_in_step: false };
        let contents = all.after(None)?;
        let is_known = read(dir).is_ok_and(|known| known.as_ref() == Some(&contents));
        if is_known && publisher.has_small_segments(&contents) {
            publisher.base = commits(&publisher.folder)?.last().copied().unwrap_or(Commit(0));
            publisher.length = contents.small_segments().map(|(segment, _)| segment.length).sum();
            publisher.is_in_step = true;
        } else {
            publisher.make_anew(all)?;
        }
        Ok(publisher)
    }

    /// Adds the last commit to what is there: its small segments, then its manifest. Manifests that no other one names any
    /// more are removed.
    pub(crate) fn publish(&mut self, all: Written<'_>) -> Result<(), StoreError> {
        if !std::mem::take(&mut self.is_in_step) {
            return self.make_anew(all);
        }
        let commit = all.commit();
        let before = self.chain(Commit(commit.0.saturating_sub(1)));
        let path = self.folder.join(SMALL_SEGMENTS);
        self.append_small(&path, all.catalogue, all.segments_from(all.loads.last()))?;
        let after = self.after(commit);
        self.write_manifest(commit, after, all.after(after)?)?;
        self.is_in_step = true;
        let kept = self.chain(commit);
        before.into_iter().filter(|old| !kept.contains(old)).for_each(|old| self.remove(old));
        Ok(())
    }

    fn append_small(&mut self, path: &Path, catalogue: &Catalogue, segments: &[Segment]) -> Result<(), StoreError> {
        let mut small = segments.iter().filter(|segment| segment.file.is_none()).peekable();
        if small.peek().is_none() {
            return Ok(());
        }
        let failed = |error| StoreError::io(path, error);
        let mut file = File::options().write(true).open(path).map_err(failed)?;
        file.seek(SeekFrom::Start(self.length)).map_err(failed)?;
        for segment in small {
            file.write_all(&catalogue.batch(segment)?).map_err(failed)?;
            self.length += segment.length;
        }
        Ok(())
    }

    /// The commits whose manifests tell all of a commit.
    fn chain(&self, commit: Commit) -> Vec<Commit> {
        std::iter::successors(Some(commit), |commit| self.after(*commit)).collect()
    }

    /// The commit after which the manifest of a commit tells.
    fn after(&self, Commit(commit): Commit) -> Option<Commit> {
        let without_last_bit = commit & commit.wrapping_sub(1);
        (commit > self.base.0).then(|| self.base.max(Commit(without_last_bit)))
    }

    fn has_small_segments(&self, contents: &Contents) -> bool {
        let path = self.folder.join(SMALL_SEGMENTS);
        let Ok(mut file) = File::open(&path) else { return false };
        contents.small_segments().all(|(segment, _)| {
            let mut bytes = vec![0; segment.length as usize];
            file.read_exact(&mut bytes).is_ok() && segment.check(&bytes, &path).is_ok()
        })
    }

    /// One manifest that tells everything, and the small segments, in place of all that was there.
    fn make_anew(&mut self, all: Written<'_>) -> Result<(), StoreError> {
        fs::create_dir_all(&self.folder).map_err(|error| StoreError::io(&self.folder, error))?;
        let path = self.folder.join(SMALL_SEGMENTS);
        let failed = |error| StoreError::io(&path, error);
        let unfinished = path.with_extension("tmp");
        create_fresh(&unfinished).map_err(failed)?;
        (self.base, self.length) = (all.commit(), 0);
        self.append_small(&unfinished, all.catalogue, all.segments)?;
        fs::rename(&unfinished, &path).map_err(failed)?;
        self.write_manifest(self.base, None, all.after(None)?)?;
        self.is_in_step = true;
        let others = commits(&self.folder).unwrap_or_default().into_iter().filter(|commit| *commit != self.base);
        others.for_each(|old| self.remove(old));
        Ok(())
    }

    fn write_manifest(&self, commit: Commit, after: Option<Commit>, contents: Contents) -> Result<(), StoreError> {
        Manifest { format: FORMAT, commit, after, contents }.write(&self.folder.join(file_name(commit)))
    }

    /// What cannot be removed costs room alone.
    fn remove(&self, commit: Commit) {
        let _ = fs::remove_file(self.folder.join(file_name(commit)));
    }
}

/// A catalogue's contents as manifests tell them, for a process that only reads.
pub(crate) struct Manifests {
    path: PathBuf,
    schemas: Vec<(Commit, Schema)>,
    /// The small segments, and where the bytes of each begin.
    offsets: Vec<((u64, u32), u64)>,
}

impl Manifests {
    pub(crate) fn new(dir: &Path, contents: &Contents) -> Manifests {
        let key = |segment: &Segment| (segment.load.0, segment.part);
        let mut offsets: Vec<_> = contents.small_segments().map(|(segment, at)| (key(segment), at)).collect();
        offsets.sort_unstable();
        Manifests { path: manifest_dir(dir).join(SMALL_SEGMENTS), schemas: contents.schemas.clone(), offsets }
    }

    /// The file with the bytes of small segments.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The schema as of a commit.
    pub(crate) fn schema(&self, commit: Commit) -> Result<Schema, StoreError> {
        let newest = self.schemas.iter().rev().find(|(changed, _)| *changed <= commit);
        let (_, schema) = newest.ok_or_else(|| StoreError::manifest(&self.path, "there is no schema"))?;
        Ok(schema.clone())
    }

    /// The bytes of a small segment.
    pub(crate) fn batch(&self, segment: &Segment) -> Result<Vec<u8>, StoreError> {
        let failed = |error| StoreError::io(&self.path, error);
        let key = (segment.load.0, segment.part);
        let at = self.offsets.binary_search_by_key(&key, |(key, _)| *key);
        let at = at.map_err(|_| StoreError::manifest(&self.path, "a small segment is missing"))?;
        let mut file = File::open(&self.path).map_err(failed)?;
        file.seek(SeekFrom::Start(self.offsets[at].1)).map_err(failed)?;
        let mut bytes = vec![0; segment.length as usize];
        file.read_exact(&mut bytes).map_err(failed)?;
        Ok(bytes)
    }
}
